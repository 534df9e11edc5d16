"""The sample corpus: whole, well formed, in nobody else's words, and true to its sources."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from helpers import ROOT, SHARED, needs_shared
from trialindex.codes import code, code_list
from trialindex.dates import parse_date
from trialindex.formats.draft import check
from trialindex.study_fields import values

CORPUS = ROOT / "corpus"
FILES = sorted(CORPUS.glob("NCT*.json"))
IDS = [path.stem for path in FILES]
# Trials whose source is a saved page: trial -> file in the shared data.
PAGES = {
    "NCT01539902": "000_c014f135a40a8c7f.txt",
    "NCT03458156": "001_ac33ebdd261dc460.txt",
    "NCT04318600": "002_67a90ae59682766f.txt",
    "NCT05631717": "003_ef204ca066a664c2.txt",
    "NCT00962923": "004_dba071fd4c4ebb8b.txt",
}
SHINGLE = 8

# The texts that are ours: everything else in a file is a fact.
PROSE = (
    "protocolSection.descriptionModule.briefSummary",
    "protocolSection.descriptionModule.detailedDescription",
    "protocolSection.eligibilityModule.eligibilityCriteria",
    "protocolSection.statusModule.whyStopped",
    "protocolSection.armsInterventionsModule.armGroups.description",
    "protocolSection.armsInterventionsModule.interventions.description",
)
FORBIDDEN_KEYS = {
    "centralContacts",
    "contacts",
    "overallOfficials",
    "pointOfContact",
    "investigatorFullName",
    "investigatorTitle",
    "oldNameTitle",
    "references",
    "citation",
    "browseLeaves",
    "browseBranches",
    "phone",
    "email",
}


@cache
def study(nct: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CORPUS / f"{nct}.json").read_text("utf-8"))
    return loaded


def one(nct: str, path: str) -> Any:
    found = values(study(nct), path)
    assert len(found) <= 1, f"{nct}: {path} stands more than once"
    return found[0] if found else None


def every(path: str) -> set[Any]:
    return {value for nct in IDS for value in values(study(nct), path)}


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, below in node.items():
            yield key
            yield from keys(below)
    elif isinstance(node, list):
        for below in node:
            yield from keys(below)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for below in node.values():
            yield from texts(below)
    elif isinstance(node, list):
        for below in node:
            yield from texts(below)
    elif isinstance(node, str):
        yield node


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of eight words, without case and punctuation."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def squeezed(text: str) -> str:
    return " ".join(text.split())


# Form


def test_there_are_enough_trials_and_the_pages_are_among_them() -> None:
    assert len(FILES) >= 55
    assert set(PAGES) <= set(IDS)


@pytest.mark.parametrize("nct", IDS)
def test_a_file_holds_the_trial_that_its_name_says(nct: str) -> None:
    raw = (CORPUS / f"{nct}.json").read_bytes()
    assert re.fullmatch(r"NCT\d{8}", nct)
    assert one(nct, "protocolSection.identificationModule.nctId") == nct
    assert raw.decode("utf-8") == json.dumps(study(nct), indent=1, ensure_ascii=False) + "\n"
    assert 1_500 < len(raw) < 10_000


@pytest.mark.parametrize("nct", IDS)
def test_required_parts_are_there_and_values_fit_their_fields(nct: str) -> None:
    assert check(study(nct)) == []
    for path in (
        "protocolSection.identificationModule.briefTitle",
        "protocolSection.statusModule.overallStatus",
        "protocolSection.descriptionModule.briefSummary",
        "protocolSection.designModule.studyType",
        "protocolSection.eligibilityModule.sex",
    ):
        assert one(nct, path), path


@pytest.mark.parametrize("nct", IDS)
def test_nobody_can_be_reached_through_a_file(nct: str) -> None:
    assert not FORBIDDEN_KEYS & set(keys(study(nct)))
    for text in texts(study(nct)):
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w", text), text
        assert not re.search(r"\+\d[\d ()-]{7,}|\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b", text), text
        assert not re.search(r"\b(M\.D\.(?! Anderson)|Ph\.?D\b|Prof\.|Dr\.)", text), text


@pytest.mark.parametrize("nct", IDS)
def test_arms_and_interventions_point_at_each_other(nct: str) -> None:
    module = study(nct)["protocolSection"].get("armsInterventionsModule", {})
    labels = {arm["label"] for arm in module.get("armGroups", [])}
    for intervention in module.get("interventions", []):
        assert set(intervention.get("armGroupLabels", [])) <= labels
    names = {intervention["name"] for intervention in module.get("interventions", [])}
    for arm in module.get("armGroups", []):
        assert {name.partition(": ")[2] or name for name in arm.get("interventionNames", [])} <= names


@pytest.mark.parametrize("nct", IDS)
def test_lists_are_short(nct: str) -> None:
    assert len(values(study(nct), "protocolSection.contactsLocationsModule.locations")) <= 6
    criteria = one(nct, "protocolSection.eligibilityModule.eligibilityCriteria") or ""
    assert criteria.count("\n* ") <= 11


def test_results_stand_where_they_are_announced() -> None:
    with_results = {nct for nct in IDS if study(nct).get("hasResults")}
    assert with_results == {nct for nct in IDS if "resultsSection" in study(nct)}
    assert len(with_results) >= 10


# Spread


def test_every_status_phase_and_kind_of_study_is_there() -> None:
    assert every("protocolSection.statusModule.overallStatus") >= {
        "RECRUITING",
        "COMPLETED",
        "TERMINATED",
        "WITHDRAWN",
        "UNKNOWN",
        "ACTIVE_NOT_RECRUITING",
        "NOT_YET_RECRUITING",
        "SUSPENDED",
    }
    assert every("protocolSection.designModule.phases") == {
        "NA",
        "EARLY_PHASE1",
        "PHASE1",
        "PHASE2",
        "PHASE3",
        "PHASE4",
    }
    both = [
        nct
        for nct in IDS
        if study(nct)["protocolSection"]["designModule"].get("phases") == ["PHASE1", "PHASE2"]
    ]
    assert both
    assert every("protocolSection.designModule.studyType") == {
        "INTERVENTIONAL",
        "OBSERVATIONAL",
        "EXPANDED_ACCESS",
    }


def test_people_and_places_vary() -> None:
    assert every("protocolSection.eligibilityModule.sex") >= {"ALL", "FEMALE"}
    assert every("protocolSection.eligibilityModule.stdAges") == {"CHILD", "ADULT", "OLDER_ADULT"}
    assert len(every("protocolSection.contactsLocationsModule.locations.country")) >= 12
    assert every("protocolSection.contactsLocationsModule.locations.geoPoint.lat")
    unbounded = [nct for nct in IDS if one(nct, "protocolSection.eligibilityModule.maximumAge") is None]
    assert unbounded


@pytest.mark.parametrize(
    ("word", "at_least"),
    [
        ("lupus", 10),
        ("systemic sclerosis|scleroderma", 6),
        ("stem cell", 8),
        ("leuk[a]?emia", 4),
        ("NSCLC", 3),
    ],
)
def test_a_field_of_medicine_has_its_trials(word: str, at_least: int) -> None:
    titles = ("briefTitle", "officialTitle")
    found = [
        nct
        for nct in IDS
        if re.search(
            word,
            " ".join(
                [study(nct)["protocolSection"]["identificationModule"].get(title, "") for title in titles]
                + study(nct)["protocolSection"].get("conditionsModule", {}).get("conditions", [])
            ),
            re.IGNORECASE,
        )
    ]
    assert len(found) >= at_least


def test_the_questions_of_the_demo_have_their_trials() -> None:
    def whole(nct: str) -> str:
        return " ".join(texts(study(nct)))

    # The synonym case: the trial says systemic sclerosis and SSc, never the other name.
    assert "scleroderma" not in whole("NCT00962923").lower()
    assert "SSc" in whole("NCT00962923")
    assert "mesenchymal" in whole("NCT00962923").lower()
    # The spelling case: the right spelling is there to be met.
    assert "cyclophosphamide" in whole("NCT01539902").lower()
    assert "IL-2" in one("NCT05631717", "protocolSection.identificationModule.briefTitle")
    assert "IL-12" not in whole("NCT05631717")
    assert "Interleukin-12" in whole("NCT00000857")
    # The case of a word that stands only among the exclusions.
    criteria = one("NCT05631717", "protocolSection.eligibilityModule.eligibilityCriteria")
    assert "Rituximab" in criteria.partition("Exclusion Criteria:")[2]
    assert whole("NCT05631717").lower().count("rituximab") == 1


# The sources


@cache
def downloads() -> dict[str, dict[str, Any]]:
    """The API v2 studies of the shared data by id."""
    found = {}
    with zipfile.ZipFile(SHARED / "ctgov-v2-downloads.zip") as archive:
        for name in archive.namelist():
            for entry in json.loads(archive.read(name)):
                found[entry["protocolSection"]["identificationModule"]["nctId"]] = entry
    return found


@cache
def legacy() -> dict[str, ElementTree.Element]:
    """The legacy XML of the trials in the corpus by id."""
    with zipfile.ZipFile(SHARED / "ctgov-xml-6786.zip") as archive:
        names = {Path(name).stem: name for name in archive.namelist()}
        raw = {nct: archive.read(names[nct]) for nct in IDS if nct in names}
    return {nct: ElementTree.fromstring(record) for nct, record in raw.items()}


def page(nct: str) -> str:
    return (SHARED / "pages" / PAGES[nct]).read_text("utf-8")


def source_texts(nct: str) -> Iterator[str]:
    if nct in PAGES:
        yield page(nct)
    elif nct in downloads():
        yield from texts(downloads()[nct])
    else:
        yield from (element.text or "" for element in legacy()[nct].iter())


@needs_shared
@pytest.mark.parametrize("nct", IDS)
def test_the_words_are_ours(nct: str) -> None:
    taken = set().union(*(shingles(text) for text in source_texts(nct)))
    assert taken, "the source has no prose to compare with"
    for path in PROSE:
        for text in values(study(nct), path):
            shared = shingles(text) & taken
            assert not shared, f"{path}: {' '.join(min(shared))}"


@needs_shared
def test_the_comparison_of_words_finds_a_copy() -> None:
    original = values(downloads()["NCT05378763"], PROSE[0])[0]
    taken = set().union(*(shingles(text) for text in source_texts("NCT05378763")))
    assert shingles(original) <= taken


EQUAL = (
    "protocolSection.identificationModule.orgStudyIdInfo.id",
    "protocolSection.identificationModule.briefTitle",
    "protocolSection.identificationModule.officialTitle",
    "protocolSection.identificationModule.acronym",
    "protocolSection.statusModule.overallStatus",
    "protocolSection.statusModule.startDateStruct.date",
    "protocolSection.statusModule.completionDateStruct.date",
    "protocolSection.statusModule.lastUpdatePostDateStruct.date",
    "protocolSection.conditionsModule.conditions",
    "protocolSection.designModule.studyType",
    "protocolSection.designModule.phases",
    "protocolSection.designModule.enrollmentInfo.count",
    "protocolSection.eligibilityModule.sex",
    "protocolSection.eligibilityModule.minimumAge",
    "protocolSection.eligibilityModule.maximumAge",
)
# What the corpus trims: each of its values is one of the source's.
WITHIN = (
    "protocolSection.armsInterventionsModule.interventions.name",
    "protocolSection.armsInterventionsModule.interventions.otherNames",
    "protocolSection.armsInterventionsModule.armGroups.label",
    "protocolSection.outcomesModule.primaryOutcomes.measure",
    "protocolSection.contactsLocationsModule.locations.city",
    "protocolSection.contactsLocationsModule.locations.geoPoint.lon",
    "protocolSection.sponsorCollaboratorsModule.leadSponsor.name",
    "derivedSection.conditionBrowseModule.meshes.term",
    "derivedSection.interventionBrowseModule.ancestors.term",
)


@needs_shared
@pytest.mark.parametrize("nct", [nct for nct in IDS if nct not in PAGES])
def test_facts_are_the_records_own(nct: str) -> None:
    if nct in downloads():
        source = downloads()[nct]
        for path in EQUAL:
            assert values(study(nct), path) == values(source, path), path
        for path in WITHIN:
            ours, theirs = values(study(nct), path), values(source, path)
            assert {squeezed(str(value)) for value in ours} <= {squeezed(str(value)) for value in theirs}, (
                path
            )
        return
    root = legacy()[nct]
    for path, element in LEGACY_EQUAL.items():
        assert values(study(nct), path) == read_legacy(root, element), path
    for path, element in LEGACY_WITHIN.items():
        stated = {squeezed("".join(node.itertext())) for node in root.iterfind(element)}
        assert set(values(study(nct), path)) <= stated, path


# Path in the study -> (element of the legacy XML, how its text becomes a value).
LEGACY_EQUAL = {
    "protocolSection.identificationModule.orgStudyIdInfo.id": ("id_info/org_study_id", "text"),
    "protocolSection.identificationModule.briefTitle": ("brief_title", "text"),
    "protocolSection.identificationModule.officialTitle": ("official_title", "text"),
    "protocolSection.identificationModule.acronym": ("acronym", "text"),
    "protocolSection.statusModule.overallStatus": ("overall_status", "Status"),
    "protocolSection.statusModule.startDateStruct.date": ("start_date", "date"),
    "protocolSection.statusModule.completionDateStruct.date": ("completion_date", "date"),
    "protocolSection.statusModule.lastUpdatePostDateStruct.date": ("last_update_posted", "date"),
    "protocolSection.conditionsModule.conditions": ("condition", "text"),
    "protocolSection.designModule.phases": ("phase", "phases"),
    "protocolSection.designModule.enrollmentInfo.count": ("enrollment", "count"),
    "protocolSection.eligibilityModule.sex": ("eligibility/gender", "Sex"),
    "protocolSection.eligibilityModule.minimumAge": ("eligibility/minimum_age", "age"),
    "protocolSection.eligibilityModule.maximumAge": ("eligibility/maximum_age", "age"),
}
LEGACY_WITHIN = {
    "protocolSection.armsInterventionsModule.interventions.name": "intervention/intervention_name",
    "protocolSection.armsInterventionsModule.interventions.otherNames": "intervention/other_name",
    "protocolSection.armsInterventionsModule.armGroups.label": "arm_group/arm_group_label",
    "protocolSection.outcomesModule.primaryOutcomes.measure": "primary_outcome/measure",
    "protocolSection.contactsLocationsModule.locations.city": "location/facility/address/city",
    "protocolSection.sponsorCollaboratorsModule.leadSponsor.name": "sponsors/lead_sponsor/agency",
    "derivedSection.conditionBrowseModule.meshes.term": "condition_browse/mesh_term",
    "derivedSection.interventionBrowseModule.meshes.term": "intervention_browse/mesh_term",
    "resultsSection.outcomeMeasuresModule.outcomeMeasures.title": ".//outcome_list/outcome/title",
    "resultsSection.participantFlowModule.groups.title": ".//participant_flow/group_list/group/title",
}


def read_legacy(root: ElementTree.Element, row: tuple[str, str]) -> list[Any]:
    element, kind = row
    found: list[Any] = [squeezed("".join(node.itertext())) for node in root.iterfind(element)]
    if kind == "phases":
        # An observational record writes no phase, or N/A, where the API has none.
        trial = root.findtext("study_type") == "Interventional"
        return [phase for text in found for phase in code_list("Phase", text) or []] if trial else []
    if kind == "date":
        return [parse_date(text) for text in found]
    if kind == "count":
        return [int(text) for text in found]
    if kind == "age":
        return [text for text in found if text != "N/A"]
    return found if kind == "text" else [code(kind, text) for text in found]


@needs_shared
@pytest.mark.parametrize("nct", sorted(PAGES))
def test_facts_are_the_pages_own(nct: str) -> None:
    text = page(nct)
    for path in (
        "protocolSection.identificationModule.nctId",
        "protocolSection.identificationModule.briefTitle",
        "protocolSection.identificationModule.orgStudyIdInfo.id",
        "protocolSection.sponsorCollaboratorsModule.leadSponsor.name",
        "protocolSection.armsInterventionsModule.armGroups.label",
        "protocolSection.armsInterventionsModule.interventions.name",
        "protocolSection.conditionsModule.conditions",
        "protocolSection.statusModule.startDateStruct.date",
        "protocolSection.statusModule.completionDateStruct.date",
        "protocolSection.statusModule.lastUpdatePostDateStruct.date",
        "protocolSection.outcomesModule.primaryOutcomes.measure",
        "protocolSection.outcomesModule.secondaryOutcomes.measure",
        "protocolSection.contactsLocationsModule.locations.facility",
    ):
        for value in values(study(nct), path):
            assert value in text, path


# Read from the pages: status, phases, participants, ages.
PAGE_FACTS = {
    "NCT01539902": ("UNKNOWN", ["PHASE2"], 25, "16 Years", "65 Years"),
    "NCT00962923": ("UNKNOWN", ["PHASE1", "PHASE2"], 20, "15 Years", "65 Years"),
    "NCT03458156": ("UNKNOWN", [], 30, "18 Years", "60 Years"),
    "NCT05631717": ("RECRUITING", ["PHASE3"], 40, "18 Years", "65 Years"),
    "NCT04318600": ("COMPLETED", [], 16, None, None),
}


@pytest.mark.parametrize("nct", sorted(PAGE_FACTS))
def test_numbers_and_codes_of_the_pages(nct: str) -> None:
    assert (
        one(nct, "protocolSection.statusModule.overallStatus"),
        values(study(nct), "protocolSection.designModule.phases"),
        one(nct, "protocolSection.designModule.enrollmentInfo.count"),
        one(nct, "protocolSection.eligibilityModule.minimumAge"),
        one(nct, "protocolSection.eligibilityModule.maximumAge"),
    ) == PAGE_FACTS[nct]


def test_the_readme_lists_every_trial_once() -> None:
    listed = re.findall(r"NCT\d{8}", (CORPUS / "README.md").read_text("utf-8"))
    assert sorted(listed) == IDS
