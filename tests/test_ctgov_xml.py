"""Legacy XML: every element lands in its field, nothing is lost, and hostile files are refused.

The expected studies beside the fixtures were written by hand from the fixtures.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import time
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from helpers import FIXTURES, SHARED, needs_shared
from trialindex import codes, dates
from trialindex.errors import SourceError
from trialindex.formats import ctgov_xml
from trialindex.formats.files import SourceFile, walk
from trialindex.formats.record import Item, Odd, Rejected, Skipped, SourceRecord
from trialindex.study_fields import by_path

FOLDER = FIXTURES / "ctgov_xml"
ARCHIVE = SHARED / "ctgov-xml-6786.zip"


def read_bytes(data: bytes, label: str = "a.xml") -> list[Item]:
    return list(ctgov_xml.read(SourceFile(label, lambda: io.BytesIO(data))))


def read_one(data: bytes | str) -> SourceRecord:
    (item,) = read_bytes(data.encode() if isinstance(data, str) else data)
    assert isinstance(item, SourceRecord), item
    return item


def rejected(data: bytes | str) -> Rejected:
    (item,) = read_bytes(data.encode() if isinstance(data, str) else data)
    assert isinstance(item, Rejected), item
    return item


def with_acronym(acronym: str) -> str:
    head = "<clinical_study><id_info><nct_id>NCT90000009</nct_id></id_info>"
    return f"{head}<acronym>{acronym}</acronym></clinical_study>"


def study_of(inner: str) -> SourceRecord:
    """Read a study with an id and the given elements."""
    return read_one(
        f"<clinical_study><id_info><nct_id>NCT90000009</nct_id></id_info>{inner}</clinical_study>"
    )


def expected(name: str) -> dict[str, Any]:
    study: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return study


# Whole fixtures


@pytest.mark.parametrize("name", ["full", "older"])
def test_every_element_lands_in_its_field(name: str) -> None:
    item = read_one((FOLDER / f"{name}.xml").read_bytes())
    assert item == SourceRecord(expected(name), "ctgov-xml", "a.xml", 1)


def test_study_with_only_an_id() -> None:
    item = read_one((FOLDER / "minimal.xml").read_bytes())
    study = {"protocolSection": {"identificationModule": {"nctId": "NCT90000004"}}, "hasResults": False}
    assert item == SourceRecord(study, "ctgov-xml", "a.xml", 1)


def test_order_of_elements_does_not_matter() -> None:
    root = etree.fromstring((FOLDER / "full.xml").read_bytes())
    for element in list(root.iter(etree.Element)):
        if element.tag != "pending_results":  # the one place where different elements form one sequence
            tags = list(dict.fromkeys(child.tag for child in element if isinstance(child.tag, str)))
            element[:] = [child for tag in reversed(tags) for child in element if child.tag == tag]
    assert [child.tag for child in root][:2] == ["clinical_results", "pending_results"]
    study = expected("full")
    people = study["protocolSection"]["contactsLocationsModule"]
    people["centralContacts"].reverse()
    site = people["locations"][0]["contacts"]
    people["locations"][0]["contacts"] = [site[2], site[3], site[1], site[0]]
    study["protocolSection"]["referencesModule"]["references"].reverse()
    assert read_one(etree.tostring(root)) == SourceRecord(study, "ctgov-xml", "a.xml", 1)


def test_fixtures_fill_every_row_of_the_table() -> None:
    text = package_files("trialindex.formats").joinpath("ctgov_xml.tsv").read_text("utf-8")
    rows = {line.split("\t")[0] for line in text.splitlines() if not line.startswith("#")} - {"element"}
    filled: set[str] = set()
    for name in ("full", "older"):
        root = etree.parse(FOLDER / f"{name}.xml").getroot()
        for element in root.iter(etree.Element):
            path = "/".join(
                [*[above.tag for above in reversed(list(element.iterancestors()))][1:], element.tag]
            )
            path = "" if element is root else path
            if element.text or len(element) or element.keys():
                filled |= {path, *(f"{path}@{key}" for key in element.keys())}  # noqa: SIM118
    assert rows - filled == set()


def test_states_are_study_paths_and_what_they_say_holds() -> None:
    assert ctgov_xml.STATES is not None
    assert set(by_path()) >= ctgov_xml.STATES
    assert {
        "protocolSection.designModule.designInfo.maskingInfo.whoMasked",
        "protocolSection.contactsLocationsModule.locations",
        "hasResults",
    } <= ctgov_xml.STATES
    # A MeSH ancestor, a coordinate and a MeSH id are what this format never has.
    unknown = ("conditionBrowseModule.ancestors", "conditionBrowseModule.meshes.id")
    assert not ctgov_xml.STATES & {f"derivedSection.{path}" for path in unknown}
    assert "protocolSection.contactsLocationsModule.locations.geoPoint" not in ctgov_xml.STATES


def test_states_hold_all_that_the_fixtures_say() -> None:
    def leaves(node: Any, path: str = "") -> Iterator[str]:
        if isinstance(node, dict):
            for key, below in node.items():
                yield from leaves(below, f"{path}.{key}".lstrip("."))
        elif isinstance(node, list):
            for below in node:
                yield from leaves(below, path)
        else:
            yield path

    stated = {path for name in ("full", "older") for path in leaves(expected(name))}
    ours = {path for path in stated if path.startswith("sourceSection.") or path.endswith(".safetyIssue")}
    ours |= {"protocolSection.contactsLocationsModule.locations.contacts.affiliation"}
    assert stated - ours == {path for path in ctgov_xml.STATES or () if path in stated}


# Values


@pytest.mark.parametrize(
    ("text", "masking"),
    [
        ("None (Open Label)", {"masking": "NONE"}),
        ("Double", {"masking": "DOUBLE"}),
        ("Single (Outcomes Assessor)", {"masking": "SINGLE", "whoMasked": ["OUTCOMES_ASSESSOR"]}),
        ("Triple (Care Provider, Cook)", {"masking": "TRIPLE", "whoMasked": ["Care Provider, Cook"]}),
    ],
)
def test_masking(text: str, masking: dict[str, Any]) -> None:
    item = study_of(f"<study_design_info><masking>{text}</masking></study_design_info>")
    assert item.study["protocolSection"]["designModule"] == {"designInfo": {"maskingInfo": masking}}
    assert [odd.field for odd in item.odd] == (["DesignWhoMasked"] if "Cook" in text else [])


@pytest.mark.parametrize(
    ("text", "agreement"),
    [
        ("There is NOT an agreement that binds them.", {"restrictiveAgreement": False}),
        (
            "The only disclosure restriction on the PI is for a period that is less than or equal to 60 days",
            {"restrictiveAgreement": True, "restrictionType": "LTE60"},
        ),
        (
            "The only disclosure restriction on the PI is for a period that is more than 60 days.",
            {"restrictiveAgreement": True, "restrictionType": "GT60"},
        ),
        (
            "The only disclosure restriction on the PI is good taste.",
            {
                "restrictiveAgreement": True,
                "restrictionType": "OTHER",
                "otherDetails": "The only disclosure restriction on the PI is good taste.",
            },
        ),
    ],
)
def test_agreements_are_read_from_their_sentences(text: str, agreement: dict[str, Any]) -> None:
    inner = f"<restrictive_agreement>{text}</restrictive_agreement>"
    item = study_of(f"<clinical_results><certain_agreements>{inner}</certain_agreements></clinical_results>")
    assert item.study["resultsSection"]["moreInfoModule"] == {"certainAgreement": agreement}
    assert item.odd == ()


def test_observational_study_without_registry_states_no_registry() -> None:
    item = study_of("<study_type>Observational</study_type>")
    assert item.study["protocolSection"]["designModule"] == {"studyType": "OBSERVATIONAL"}


def test_phase_not_applicable_is_a_phase() -> None:
    item = study_of("<phase>N/A</phase>")
    assert item.study["protocolSection"]["designModule"] == {"phases": ["NA"]}


def test_no_age_groups_from_an_age_that_is_none() -> None:
    ages = "<minimum_age>grown up</minimum_age><maximum_age>70 Years</maximum_age>"
    item = study_of(f"<eligibility>{ages}</eligibility>")
    assert item.study["protocolSection"]["eligibilityModule"] == {
        "minimumAge": "grown up",
        "maximumAge": "70 Years",
    }
    assert item.odd == (Odd("MinimumAge", "grown up", "not an age"),)


def test_intervention_of_an_unlisted_arm_names_no_arm() -> None:
    item = study_of(
        "<arm_group><arm_group_label>A</arm_group_label></arm_group><intervention>"
        "<intervention_name>X</intervention_name><arm_group_label>B</arm_group_label></intervention>"
    )
    assert item.study["protocolSection"]["armsInterventionsModule"] == {
        "armGroups": [{"label": "A"}],
        "interventions": [{"name": "X", "armGroupLabels": ["B"]}],
    }


def test_empty_elements_say_nothing() -> None:
    item = study_of("<acronym/><location><facility/></location><overall_contact> </overall_contact>")
    assert item.study == {
        "protocolSection": {"identificationModule": {"nctId": "NCT90000009"}},
        "hasResults": False,
    }
    assert item.odd == ()


def test_defaults_of_totals_alone_are_kept() -> None:
    item = study_of(
        "<clinical_results><reported_events><group_list><group group_id='E1'/></group_list><serious_events>"
        "<default_vocab>MedDRA</default_vocab><category_list><category><title>Total</title><event_list><event>"
        "<sub_title>Total, serious adverse events</sub_title><counts group_id='E1' subjects_affected='3'/>"
        "</event></event_list></category></category_list></serious_events></reported_events></clinical_results>"
    )
    assert item.study["resultsSection"]["adverseEventsModule"] == {
        "eventGroups": [{"id": "E1", "seriousNumAffected": 3}]
    }
    assert item.study["sourceSection"] == {"unmapped": {"seriousEvents.sourceVocabulary": ["MedDRA"]}}


def test_default_that_no_event_needs_is_kept() -> None:
    item = study_of(
        "<clinical_results><reported_events><serious_events><default_vocab>MedDRA</default_vocab><category_list>"
        "<category><event_list><event><sub_title vocab='CTCAE'>Rash</sub_title></event></event_list>"
        "</category></category_list></serious_events></reported_events></clinical_results>"
    )
    assert item.study["resultsSection"]["adverseEventsModule"] == {
        "seriousEvents": [{"term": "Rash", "sourceVocabulary": "CTCAE"}]
    }
    path = "clinical_results/reported_events/serious_events"
    assert item.study["sourceSection"] == {"unmapped": {path: ["MedDRA"]}}


def test_reflow_keeps_paragraphs_and_joins_lines() -> None:
    text = (
        "Head of it\n      goes on:\n\n        -  one\n           more\n        -  two\n\n      Tail\t here\n"
    )
    assert ctgov_xml.reflow(text) == "Head of it goes on:\n\n-  one more\n-  two\n\nTail here"


# Bad input


def test_unknown_element_is_kept_and_odd() -> None:
    item = study_of(
        "<mood tone='dim'>glum <b>very</b> so</mood><mood>merry</mood><brief_title lang='de'>T</brief_title>"
    )
    assert item.study["sourceSection"] == {
        "unmapped": {
            "mood": ["glum", "so", "merry"],
            "mood@tone": ["dim"],
            "mood/b": ["very"],
            "brief_title@lang": ["de"],
        }
    }
    assert item.odd == (
        Odd("mood", "glum", "element unknown"),
        Odd("mood@tone", "dim", "element unknown"),
        Odd("mood/b", "very", "element unknown"),
        Odd("brief_title@lang", "de", "attribute unknown"),
    )
    assert item.study["protocolSection"]["identificationModule"]["briefTitle"] == "T"


def test_stray_text_and_second_values_are_kept() -> None:
    item = study_of(
        "<sponsors>stray<lead_sponsor><agency>A</agency>tail</lead_sponsor></sponsors>"
        "<acronym>ONE</acronym><acronym>ONE</acronym><acronym>TWO</acronym>"
    )
    assert item.study["sourceSection"]["unmapped"] == {
        "sponsors": ["stray"],
        "sponsors/lead_sponsor": ["tail"],
        "acronym": ["TWO"],
    }
    assert item.study["protocolSection"]["identificationModule"]["acronym"] == "ONE"


def test_odd_values_stay_as_text() -> None:
    item = study_of(
        "<overall_status>Dreaming</overall_status><start_date type='Guessed'>February 30, 2012</start_date>"
        f"<enrollment>{'9' * 5000}</enrollment><oversight_info><has_dmc>Maybe</has_dmc></oversight_info>"
    )
    assert item.study["protocolSection"]["statusModule"] == {
        "overallStatus": "Dreaming",
        "startDateStruct": {"date": "February 30, 2012", "type": "Guessed"},
    }
    assert item.odd == (
        Odd("OverallStatus", "Dreaming", "no code of Status"),
        Odd("StartDateType", "Guessed", "no code of DateType"),
        Odd("StartDate", "February 30, 2012", "not a date"),
        Odd("EnrollmentCount", "9" * 5000, "not a number"),
        Odd("OversightHasDMC", "Maybe", "neither yes nor no"),
    )


def test_entity_bomb_is_refused_before_parsing() -> None:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 50}">' for i in range(12)
    )
    head = f"<?xml version='1.0'?>\n<!-- x --><!DOCTYPE clinical_study [{entities}]>"
    text = head + "<clinical_study>&m;</clinical_study>"
    # A bomb that went off would take minutes and all memory; the bound is no measure of speed.
    started = time.process_time()
    item = rejected(text)
    assert time.process_time() - started < 10
    assert item.raw == text
    assert "DOCTYPE" in item.reason and "ENTITY" in item.reason


def test_external_entity_is_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hush")
    text = (
        f'<!DOCTYPE a [<!ENTITY s SYSTEM "{secret.as_uri()}">]><clinical_study><id_info>'
        "<nct_id>NCT90000009</nct_id></id_info><acronym>&s;</acronym></clinical_study>"
    )
    assert "DOCTYPE" in rejected(text).reason
    assert "Entity 's' not defined" in rejected(text.partition("]>")[2]).reason


def test_doctype_inside_a_text_is_only_text() -> None:
    item = study_of("<acronym><![CDATA[<!DOCTYPE]]></acronym>")
    assert item.study["protocolSection"]["identificationModule"]["acronym"] == "<!DOCTYPE"


def test_truncated_file_is_rejected_whole_with_the_place() -> None:
    text = (FOLDER / "full.xml").read_text("utf-8").partition("</id_info>")[0]
    item = rejected(text)
    assert (item.file, item.number, item.raw) == ("a.xml", 1, text)
    # The file ends two columns into line 16, after the last alias.
    assert item.reason.startswith("not well-formed XML: ") and item.reason.endswith("line 16, column 3")


def test_truncated_gzip_is_an_error_of_the_source(tmp_path: Path) -> None:
    packed = gzip.compress((FOLDER / "full.xml").read_bytes())
    (tmp_path / "a.xml.gz").write_bytes(packed[: len(packed) // 2])
    (found,) = [found for found in walk(tmp_path / "a.xml.gz") if isinstance(found, SourceFile)]
    with pytest.raises((SourceError, OSError)):
        list(ctgov_xml.read(found))


@pytest.mark.parametrize("ident", ["", "<id_info/>", "<id_info><org_study_id>X</org_study_id></id_info>"])
def test_study_without_id_is_rejected_whole(ident: str) -> None:
    text = f"<clinical_study>{ident}<brief_title>T</brief_title></clinical_study>"
    assert rejected(text) == Rejected("a.xml", 1, "no nct_id in id_info", text, "NCTId")


def test_id_that_is_none_is_rejected() -> None:
    item = rejected("<clinical_study><id_info><nct_id>NCT12</nct_id></id_info></clinical_study>")
    assert item.reason.startswith("'NCT12' is not an NCT id")


def test_declared_latin_1() -> None:
    head = "<?xml version='1.0' encoding='ISO-8859-1'?>"
    item = read_one((head + with_acronym("Sjögren")).encode("latin-1"))
    assert item.study["protocolSection"]["identificationModule"]["acronym"] == "Sjögren"
    assert item.odd == ()


def test_undeclared_cp1252_byte_is_read_and_odd() -> None:
    item = read_one(with_acronym("A\N{EN DASH}B").encode("cp1252"))
    assert item.study["protocolSection"]["identificationModule"]["acronym"] == "A\N{EN DASH}B"
    assert [odd.field for odd in item.odd] == ["encoding"]


def test_utf_16_with_its_declaration() -> None:
    text = (FOLDER / "minimal.xml").read_text("utf-8")
    item = read_one(('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16"))
    assert item.study["protocolSection"]["identificationModule"]["nctId"] == "NCT90000004"


def test_nul_character_is_not_well_formed() -> None:
    assert rejected("<clinical_study>\0</clinical_study>").reason.startswith("not well-formed XML")


def test_deep_nesting_is_refused() -> None:
    text = "<clinical_study>" + "<a>" * 5000 + "</a>" * 5000 + "</clinical_study>"
    assert rejected(text).reason.startswith("not well-formed XML")


def test_long_paths_of_unknown_elements_stay_short() -> None:
    names = [f"{chr(97 + i % 26)}{'x' * 5000}{i}" for i in range(100)]
    text = "".join(f"<{name}>t" for name in names) + "".join(f"</{name}>" for name in reversed(names))
    item = study_of(text)
    assert sum(map(len, item.study["sourceSection"]["unmapped"])) <= 200 * 100


def test_wrapper_with_many_studies() -> None:
    study = "<clinical_study><id_info><nct_id>{}</nct_id></id_info></clinical_study>"
    inner = study.format("NCT90000011") + "<clinical_study/>" + study.format("nct 9000-0012")
    items = read_bytes(f"<search_results count='3'><query>lupus</query>{inner}</search_results>".encode())
    assert [type(item) for item in items] == [SourceRecord, Rejected, SourceRecord]
    assert [item.number for item in items if not isinstance(item, Skipped)] == [1, 2, 3]
    assert items[1] == Rejected("a.xml", 2, "no nct_id in id_info", "<clinical_study/>", "NCTId")
    assert isinstance(items[2], SourceRecord)
    assert items[2].study["protocolSection"]["identificationModule"]["nctId"] == "NCT90000012"


def test_namespace_is_no_obstacle() -> None:
    plain = (FOLDER / "minimal.xml").read_text("utf-8")
    for spelled in (
        plain.replace("<clinical_study", '<clinical_study xmlns="urn:ct"'),
        plain.replace("</", "</c:")
        .replace("<n", "<c:n")
        .replace("<id", "<c:id")
        .replace("<clinical_study", '<c:clinical_study xmlns:c="urn:ct"'),
    ):
        assert ctgov_xml.recognises(spelled)
        assert read_one(spelled).study == read_one(plain).study


def test_xml_of_another_kind_is_skipped() -> None:
    assert read_bytes(b"<rss><item/></rss>") == [Skipped("a.xml", "XML without a clinical_study element")]


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        ("<clinical_study>", True),
        ("\n<?xml version='1.0'?>\n<!-- a <html> -->\n<?style x?><clinical_study\n rank='1'>", True),
        ("<search_results><clinical_study>", True),
        ("<!DOCTYPE clinical_study [<!ENTITY a 'b'>]><clinical_study>", True),
        ("<!DOCTYPE html><html><pre><clinical_study>", False),
        ("<HTML><clinical_study>", False),
        ("<clinical_study_list>", False),
        ("<!-- never closed", False),
        ('{"a": "<clinical_study>"}', False),
        ("Read <clinical_study> files", False),
        ("", False),
    ],
)
def test_recognises(head: str, answer: bool) -> None:
    assert ctgov_xml.recognises(head) is answer


# Real records


@cache
def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(ARCHIVE)


@cache
def names() -> dict[str, str]:
    found = sorted(name for name in archive().namelist() if name.endswith(".xml"))
    return {Path(name).stem: name for name in found}


def real(nct_id: str) -> dict[str, Any]:
    return read_one(archive().read(names()[nct_id])).study


@needs_shared
def test_all_real_files_are_read_with_nothing_odd() -> None:
    ids = set()
    for name in names().values():
        item = read_one(archive().read(name))
        assert item.odd == (), name
        assert "unmapped" not in item.study.get("sourceSection", {}), name
        ids.add(item.study["protocolSection"]["identificationModule"]["nctId"])
    assert len(ids) == 6786


@needs_shared
def test_real_fentanyl_trial() -> None:
    study = real("NCT00496392")
    protocol = study["protocolSection"]
    assert protocol["identificationModule"]["orgStudyIdInfo"] == {"id": "FT-019-IM"}
    assert protocol["identificationModule"]["secondaryIdInfos"] == [{"id": "2006-002087-26"}]
    assert protocol["sponsorCollaboratorsModule"] == {
        "leadSponsor": {"name": "Nycomed", "class": "INDUSTRY"},
        "responsibleParty": {"oldNameTitle": "Nycomed", "oldOrganization": "Nycomed"},
    }
    assert protocol["statusModule"] == {
        "overallStatus": "COMPLETED",
        "statusVerifiedDate": "2012-05",
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": {"date": "2007-01"},
        "completionDateStruct": {"date": "2009-10", "type": "ACTUAL"},
        "primaryCompletionDateStruct": {"date": "2008-08", "type": "ACTUAL"},
        "studyFirstSubmitDate": "2007-07-03",
        "studyFirstSubmitQcDate": "2007-07-03",
        "studyFirstPostDateStruct": {"date": "2007-07-04", "type": "ESTIMATED"},
        "lastUpdateSubmitDate": "2012-05-04",
        "lastUpdatePostDateStruct": {"date": "2012-05-07", "type": "ESTIMATED"},
    }
    assert protocol["designModule"] == {
        "studyType": "INTERVENTIONAL",
        "phases": ["PHASE3"],
        "designInfo": {
            "allocation": "RANDOMIZED",
            "interventionModel": "CROSSOVER",
            "primaryPurpose": "TREATMENT",
            "maskingInfo": {"masking": "NONE"},
        },
        "enrollmentInfo": {"count": 115, "type": "ESTIMATED"},
    }
    eligibility = protocol["eligibilityModule"]
    assert len(eligibility["eligibilityCriteria"].split("\n\n")) == 6  # a heading and five bullets
    assert (eligibility["minimumAge"], "maximumAge" in eligibility) == ("18 Years", False)
    assert eligibility["stdAges"] == ["ADULT", "OLDER_ADULT"]
    assert study["derivedSection"]["interventionBrowseModule"] == {"meshes": [{"term": "Fentanyl"}]}
    assert study["hasResults"] is False


@needs_shared
def test_real_results() -> None:
    results = real("NCT00004635")["resultsSection"]
    first, second = results["participantFlowModule"]["periods"]
    assert first["milestones"][0] == {
        "type": "STARTED",
        "achievements": [{"groupId": "P1", "numSubjects": "79"}, {"groupId": "P2", "numSubjects": "80"}],
    }
    assert [len(period["dropWithdraws"]) for period in (first, second)] == [8, 8]
    age = results["baselineCharacteristicsModule"]["measures"][1]
    assert (age["title"], age["paramType"], age["dispersionType"], age["unitOfMeasure"]) == (
        "Age",
        "MEAN",
        "STANDARD_DEVIATION",
        "years",
    )
    assert age["classes"][0]["categories"][0]["measurements"][0] == {
        "groupId": "B1",
        "value": "65.35",
        "spread": "7.43",
    }
    events = results["adverseEventsModule"]
    group = events["eventGroups"][0]
    assert (group["deathsNumAffected"], group["seriousNumAffected"], group["seriousNumAtRisk"]) == (
        0,
        117,
        138,
    )
    assert events["seriousEvents"][1] == {
        "term": "Hematologic-Other",
        "organSystem": "Blood and lymphatic system disorders",
        "sourceVocabulary": "CTCv2.0",
        "assessmentType": "SYSTEMATIC_ASSESSMENT",
        "stats": [
            {"groupId": "E1", "numEvents": 1, "numAffected": 1, "numAtRisk": 138},
            {"groupId": "E2", "numEvents": 5, "numAffected": 3, "numAtRisk": 124},
            {"groupId": "E3", "numEvents": 0, "numAffected": 0, "numAtRisk": 159},
            {"groupId": "E4", "numEvents": 5, "numAffected": 5, "numAtRisk": 159},
        ],
    }


@needs_shared
def test_real_results_that_wait() -> None:
    study = real("NCT00460382")
    events = study["annotationSection"]["annotationModule"]["unpostedAnnotation"]["unpostedEvents"]
    assert len(events) == 12
    assert events[-4:] == [
        {"type": "RELEASE", "date": "2013-07-17"},
        {"type": "UNRELEASE", "dateUnknown": True},
        {"type": "RELEASE", "date": "2014-01-07"},
        {"type": "RESET", "date": "2014-02-21"},
    ]


def without(node: Any, keys: set[str]) -> Any:
    if isinstance(node, dict):
        return {key: without(below, keys) for key, below in node.items() if key not in keys}
    return [without(below, keys) for below in node] if isinstance(node, list) else node


@needs_shared
def test_same_trial_in_the_registrys_own_json_says_the_same() -> None:
    """NCT00000410 is in both downloads, two years apart: the registry's own mapping is the oracle."""
    with zipfile.ZipFile(SHARED / "ctgov-v2-downloads.zip") as downloads:
        studies = [study for name in downloads.namelist() for study in json.loads(downloads.read(name))]
    (theirs,) = [
        study
        for study in studies
        if study["protocolSection"]["identificationModule"]["nctId"] == "NCT00000410"
    ]
    ours = copy.deepcopy(real("NCT00000410"))
    criteria = ours["protocolSection"]["eligibilityModule"].pop("eligibilityCriteria")
    marked = theirs["protocolSection"]["eligibilityModule"].pop("eligibilityCriteria")
    assert criteria.replace("-  ", "* ").split() == marked.split()
    # Two more references became known between the downloads.
    references = theirs["protocolSection"]["referencesModule"].pop("references")
    for reference in ours["protocolSection"]["referencesModule"].pop("references"):
        assert reference["pmid"] in {other["pmid"] for other in references}
    ours.pop("sourceSection")
    ours["derivedSection"].pop("miscInfoModule")
    theirs["derivedSection"].pop("miscInfoModule")
    theirs["protocolSection"]["identificationModule"]["organization"].pop("class")
    # What the XML does not have: coordinates, MeSH ids and hierarchy, kinds of ids.
    beyond = {"geoPoint", "ancestors", "browseLeaves", "browseBranches"}
    theirs = without(theirs, beyond)
    secondary = theirs["protocolSection"]["identificationModule"]["secondaryIdInfos"]
    theirs["protocolSection"]["identificationModule"]["secondaryIdInfos"] = without(
        secondary, {"type", "link"}
    )
    theirs["derivedSection"] = without(theirs["derivedSection"], {"id"})
    assert ours == theirs


# Completeness: every text of a file is found again in its study, as it stands or as what it was converted to.

TOTALS = {
    "Total",
    "Total, all-cause mortality",
    "Total, serious adverse events",
    "Total, other adverse events",
}
IMPLIED = {  # element -> texts that the study says by where it puts a value, or by having none
    "scope": {"Overall", "Measure", "Class"},
    "title": TOTALS,
    "sub_title": TOTALS,
    "minimum_age": {"N/A"},
    "maximum_age": {"N/A"},
    "submission_canceled": {"Unknown"},
}
STARTS = {  # element -> how a sentence starts that became a yes, a no or a code
    "pi_employee": ("All Principal Investigators ARE", "Principal Investigators are NOT"),
    "restrictive_agreement": ("There is NOT an agreement", "The only disclosure restriction on the PI is"),
}


def scalars(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for below in node.values():
            yield from scalars(below)
    elif isinstance(node, list):
        for below in node:
            yield from scalars(below)
    else:
        yield " ".join(str(node).split())


def is_kept(tag: str, text: str, held: set[str]) -> bool:
    if text in held or text in IMPLIED.get(tag, ()) or text.startswith(STARTS.get(tag, ("\0",))):
        return True
    if tag == "masking":
        text = text.partition(" (")[0]
    if tag == "document_url":
        return text.rpartition("/")[2] in held
    if tag == "download_date":
        text = text.removeprefix("ClinicalTrials.gov processed this data on ")
    if dates.parse_date(text) in held or (
        codes.boolean(text) is not None and str(codes.boolean(text)) in held
    ):
        return True
    found = (codes.code_list(enum, text) for enum in codes.CODES)
    return any(entries and set(entries) <= held for entries in found)


@needs_shared
def test_no_text_of_a_real_file_is_lost() -> None:
    sample = list(names().values())[::22]
    assert len(sample) >= 300
    seen = 0
    for name in sample:
        data = archive().read(name)
        held = set(scalars(read_one(data).study))
        for element in etree.fromstring(data).iter(etree.Element):
            texts = [(element.tag, element.text or ""), *((element.tag, value) for value in element.values())]
            for tag, text in texts:
                bare = " ".join(text.split())
                seen += bool(bare)
                assert not bare or is_kept(tag, bare, held), (name, tag, bare)
    assert seen > 30_000


def test_completeness_check_can_fail() -> None:
    item = study_of("<acronym>KEPT</acronym>")
    held = set(scalars(item.study))
    assert is_kept("acronym", "KEPT", held)
    assert not is_kept("acronym", "LOST", held)
    assert not is_kept("overall_status", "Completed", held)
    assert not is_kept("start_date", "May 2005", held)
