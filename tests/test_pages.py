"""Saved pages: lines of text and HTML, which layout is which, hostile input, and the five real pages."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from page_helpers import fixture, items, record, study
from trialindex.formats import page_a, page_b, page_c
from trialindex.formats.page_lines import is_html, lines, prose
from trialindex.formats.page_values import PATHS
from trialindex.formats.record import Rejected, SourceRecord
from trialindex.study_fields import by_path

LAYOUTS = {"a": page_a, "b": page_b, "c": page_c}


# Lines


def test_text_loses_blank_lines_bullets_and_escapes() -> None:
    text = "\ufeff Title \r\n\r\n\u2022 one\n  \u25cf\ttwo \u00a0 2\n* three\n"
    text += "score\\>8 and 10\\^6 \\~ \\_ \\* \\<\n- dash\n"
    assert lines(text) == ["Title", "* one", "* two 2", "* three", "score>8 and 10^6 ~ _ * <", "- dash"]
    # What the sites do not escape keeps its backslash.
    assert lines("C:\\new") == ["C:\\new"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>one</p>two<div>three<br>four</div>", ["one", "two", "three", "four"]),
        ("<p>one <b>bold</b>ly\n done</p>", ["one boldly done"]),
        ("<ul><li>a<ul><li>b</ul><li><p>c</p></ul>", ["* a", "* b", "* c"]),
        ("<ol><li>a</li><li>2. b</li></ol>", ["1. a", "2. b"]),
        ("<dl><dt>Sex</dt><dd>All</dd></dl>", ["Sex", "All"]),
        ("<p>a<script>b</script><style>c</style><span hidden>d</span>e</p>", ["ae"]),
        ("<p>a</p><ol hidden><li>b</ol><ul><li>c</ul>", ["a", "* c"]),
        ("<p style='DISPLAY:none'>a</p><p aria-hidden=true>b</p><p>c</p>", ["c"]),
        ("<a>Lupus</a><a>Gout</a>\n<a>Scleroderma</a>, <a>mild</a>", ["Lupus", "Gout", "Scleroderma, mild"]),
        ("<p>mesenchymal<a>stem</a></p>", ["mesenchymalstem"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>", ["a", "b", "c"]),
        ("<pre>one\n  two</pre>", ["one", "two"]),
        ("<p>1 &lt; 2 &amp; &eacute;</p>", ["1 < 2 & é"]),
        ("<!-- no --><p>yes<!-- no -->!</p>", ["yes!"]),
        ("", []),
    ],
)
def test_html(body: str, expected: list[str]) -> None:
    assert (
        lines(f"<!DOCTYPE html>\n<html><head><title>x</title></head><body>{body}</body></html>") == expected
    )


def test_rows_of_a_table_keep_their_cells() -> None:
    table = "<html><table><tr><th>A<th>B<tr><td><p>1</p><p>2<td><tr><td> <td></table><p>after"
    assert lines(table, cells=True) == ["A\tB", "1 2\t-", "after"]
    assert lines("A\tB\n1 2\t\n", cells=True) == ["A\tB", "1 2"]
    assert lines("A\tB", cells=False) == ["A B"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!doctype html><p>x", True),
        ("\n <HTML lang=en>", True),
        ("<?xml version='1.0'?><!DOCTYPE html><html>", True),
        ("<!-- saved from --><html>", True),
        ("<?xml version='1.0'?><clinical_study>", False),
        ("A page about <html>", False),
        ("", False),
    ],
)
def test_is_html(text: str, expected: bool) -> None:
    assert is_html(text) is expected


def test_prose() -> None:
    assert prose([]) == ""
    assert prose(["a", "b", "1. c", "2) d", "* e", "f"]) == "a\n\nb\n\n1. c\n2) d\n* e\n\nf"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
@example("·")  # a bullet and nothing else: the line ended in a space
def test_any_text_has_lines(text: str) -> None:
    for line in [*lines(text), *lines("<html><body>" + text)]:
        assert line == line.strip()
        assert "\n" not in line


# Tables


def test_every_path_is_a_field_of_the_registry() -> None:
    assert set(PATHS.values()) - set(by_path()) == set()


@pytest.mark.parametrize("layout", LAYOUTS.values())
def test_every_key_of_a_layout_has_a_path(layout: Any) -> None:
    for heading, row in layout._ROWS.items():
        assert set(row.keys) | set(row.also) <= set(PATHS), heading
    assert set(by_path()) >= layout.STATES


# Recognition


@pytest.mark.parametrize("name", ["full.txt", "full.html", "none.txt"])
@pytest.mark.parametrize("letter", LAYOUTS)
def test_a_page_is_of_one_layout(letter: str, name: str) -> None:
    head = fixture(f"{letter}_{name}")
    assert [key for key, layout in LAYOUTS.items() if layout.recognises(head)] == [letter]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear all,\n\nplease find the list attached.\n",
        "Trial of lamps starts\nBy A Reporter\nThe trial, NCT09000001, was registered.\nLocations\nOslo\n",
        '{"protocolSection": {"identificationModule": {"nctId": "NCT09000001"}}}',
        "<?xml version='1.0'?><clinical_study><nct_id>NCT09000001</nct_id></clinical_study>",
        "NCT Number,Study Title\nNCT09000001,Lamps\n",
        "<!doctype html><html><body><h1>News</h1><p>NCT ID: ask</p><p>Registration Number</p></html>",
    ],
)
def test_other_files_are_no_pages(text: str) -> None:
    assert [key for key, layout in LAYOUTS.items() if layout.recognises(text)] == []


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.integers(0, 8000))
def test_a_cut_page_never_fails(letter: str, length: int) -> None:
    for name in ("full.txt", "full.html"):
        raw = fixture(f"{letter}_{name}")[:length]
        LAYOUTS[letter].recognises(raw)
        (found,) = items(LAYOUTS[letter], raw)
        # The one or the other, and a record only with the page's own id.
        if isinstance(found, SourceRecord):
            assert found.study["protocolSection"]["identificationModule"]["nctId"] == "NCT09000001"
        else:
            assert isinstance(found, Rejected)
            assert found.raw == raw


# Lines out of which a layout is made, so that Hypothesis finds its corners.
_WORDS = {
    letter: [
        *sorted(set(fixture(f"{letter}_full.txt").splitlines())),
        *(
            "ALL",
            "No",
            "OTHER",
            "-",
            "Other group",
            "Description:",
            "12 weeks",
            "A - -",
            "* x",
            "NCT09000091",
        ),
    ]
    for letter in LAYOUTS
}


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(LAYOUTS)))
def test_lines_in_any_order_give_a_record_or_are_set_aside(data: Any, letter: str) -> None:
    raw = "\n".join(data.draw(st.lists(st.sampled_from(_WORDS[letter]), max_size=40)))
    (found,) = items(LAYOUTS[letter], raw)
    assert isinstance(found, SourceRecord | Rejected)


# Hostile input


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        ("a", "Interventions\n" + "x\n" * 9000 + "Study Groups\n" + "x\n" * 9000),
        ("a", "Conditions\nExplore " + "study " * 200_000 + "\n"),
        ("a", "Primary Outcomes\nx\n" + "1 to " * 200_000 + "\n"),
        ("b", "Conditions\n" + "".join(f"c{n}\n" for n in range(15_000))),
        ("c", "- Primary Outcome Measures\n" + "1 week, " * 50_000 + "\n"),
        ("c", "- Interventions\n" + "a\n" * 5000 + "- Arm && Interventions\n" + "a a " * 50_000 + "\n"),
        ("c", "- Conditions\n" + "abcDef" * 200_000 + "\n"),
        ("a", "x\n" * 30_000),
    ],
)
def test_no_page_takes_long(letter: str, text: str) -> None:
    start = time.process_time()
    items(
        LAYOUTS[letter],
        fixture(f"{letter}_none.txt").replace("Data sourced from clinicaltrials.gov\n", "") + text,
    )
    assert time.process_time() - start < 20


def test_deep_markup_is_harmless() -> None:
    raw = "<html><body>" + "<div>" * 100_000 + "NCT ID: NCT09000001"
    assert isinstance(items(page_a, raw)[0], Rejected | SourceRecord)


def test_entities_are_not_fetched_or_unfolded() -> None:
    raw = '<!DOCTYPE html [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/hostname">]><html><p>&a;&b;</p></html>'
    assert "aaaa" not in "".join(lines(raw))


def test_too_many_lines_are_no_page() -> None:
    (found,) = items(page_a, fixture("a_none.txt") + "x\n" * 20_001)
    assert isinstance(found, Rejected)
    assert "20,000 lines" in found.reason


# The real pages

_FILES = {
    "NCT01539902": ("000_c014f135a40a8c7f.txt", page_a),
    "NCT03458156": ("001_ac33ebdd261dc460.txt", page_b),
    "NCT04318600": ("002_67a90ae59682766f.txt", page_c),
    "NCT05631717": ("003_ef204ca066a664c2.txt", page_b),
    "NCT00962923": ("004_dba071fd4c4ebb8b.txt", page_a),
}


def _real(nct_id: str) -> tuple[str, ModuleType]:
    name, layout = _FILES[nct_id]
    return (SHARED / "pages" / name).read_text("utf-8"), layout


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    """What a person reads from a page at a glance."""
    protocol = found["protocolSection"]
    arms = protocol["armsInterventionsModule"]
    inclusion, _, exclusion = (
        protocol["eligibilityModule"].get("eligibilityCriteria", "").partition("Exclusion Criteria:")
    )
    contacts = protocol.get("contactsLocationsModule", {})
    return {
        "id": protocol["identificationModule"]["nctId"],
        "org": protocol["identificationModule"].get("orgStudyIdInfo"),
        "title": protocol["identificationModule"]["briefTitle"],
        "status": protocol["statusModule"],
        "design": protocol["designModule"],
        "sponsor": protocol["sponsorCollaboratorsModule"]["leadSponsor"],
        "conditions": protocol.get("conditionsModule", {}).get("conditions", []),
        "arms": [
            (arm["label"], arm.get("type"), arm.get("interventionNames")) for arm in arms.get("armGroups", [])
        ],
        "interventions": [(one.get("type"), one["name"]) for one in arms["interventions"]],
        "sites": [
            (site["facility"][:15], site["city"], site["state"], site["country"])
            for site in contacts.get("locations", [])
        ],
        "contacts": len(contacts.get("centralContacts", [])),
        "ages": (
            protocol["eligibilityModule"].get("minimumAge"),
            protocol["eligibilityModule"].get("maximumAge"),
        ),
        "sex": protocol["eligibilityModule"]["sex"],
        "volunteers": protocol["eligibilityModule"].get("healthyVolunteers"),
        "criteria": (len(inclusion.strip().split("\n")) - 2, len(exclusion.strip().split("\n"))),
        "summary": "briefSummary" in protocol.get("descriptionModule", {}),
        "references": len(protocol.get("referencesModule", {}).get("references", [])),
        "results": found.get("hasResults"),
    }


@needs_shared
def test_the_umbilical_cord_trial_of_layout_a() -> None:
    raw, layout = _real("NCT01539902")
    assert _facts(study(layout, raw)) == {
        "id": "NCT01539902",
        "org": {"id": "CT 11-03"},
        "title": "Phase 2 Study of Human Umbilical Cord Derived Mesenchymal Stem Cell for the Treatment of"
        " Lupus Nephritis",
        "status": {
            "overallStatus": "UNKNOWN",
            "startDateStruct": {"date": "2012-02"},
            "completionDateStruct": {"date": "2013-05"},
            "lastUpdatePostDateStruct": {"date": "2012-03-06"},
        },
        "design": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "enrollmentInfo": {"count": 25},
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "PARALLEL",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "DOUBLE"},
            },
        },
        "sponsor": {"name": "CytoMed & Beike", "class": "OTHER"},
        "conditions": [],
        "arms": [
            ("Human Umbilical Cord derived MSCs", None, ["Human Umbilical Cord derived MSCs"]),
            ("Cyclophosphamide", None, ["Cyclophosphamide"]),
        ],
        "interventions": [(None, "Human Umbilical Cord derived MSCs"), (None, "Cyclophosphamide")],
        "sites": [("Second Affiliat", "Kunming", "Yunan", "China")],
        "contacts": 0,
        "ages": ("16 Years", "65 Years"),
        "sex": "ALL",
        "volunteers": False,
        # A heading and a blank line stand above the criteria, a blank line stands below them.
        "criteria": (3, 10),
        "summary": False,
        "references": 1,
        "results": False,
    }


@needs_shared
def test_the_sclerosis_trial_of_layout_a() -> None:
    raw, layout = _real("NCT00962923")
    found = study(layout, raw)
    assert _facts(found) == {
        "id": "NCT00962923",
        "org": {"id": "NJGLYY003"},
        "title": "Allogeneic Mesenchymal Stem Cells Transplantation for Systemic Sclerosis (SSc)",
        "status": {
            "overallStatus": "UNKNOWN",
            "startDateStruct": {"date": "2009-08"},
            "completionDateStruct": {"date": "2011-12"},
            "lastUpdatePostDateStruct": {"date": "2009-08-20"},
        },
        "design": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE1", "PHASE2"],
            "enrollmentInfo": {"count": 20},
            "designInfo": {
                "allocation": "NON_RANDOMIZED",
                "interventionModel": "SINGLE_GROUP",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "NONE"},
            },
        },
        "sponsor": {
            "name": "The Affiliated Nanjing Drum Tower Hospital of Nanjing University Medical School",
            "class": "OTHER",
        },
        "conditions": [],
        "arms": [],
        "interventions": [(None, "Allogeneic Mesenchymal Stem Cells (AlloMSC)")],
        "sites": [("the Affiliated ", "Nanjing", "Jiangsu", "China")],
        "contacts": 0,
        "ages": ("15 Years", "65 Years"),
        "sex": "ALL",
        "volunteers": False,
        "criteria": (4, 3),
        "summary": False,
        "references": 7,
        "results": False,
    }
    party = found["protocolSection"]["sponsorCollaboratorsModule"]["responsibleParty"]
    assert list(party) == ["oldOrganization"]
    assert (
        "10^6 cells" in found["protocolSection"]["armsInterventionsModule"]["interventions"][0]["description"]
    )
    assert ">25 mm" in found["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]


@needs_shared
def test_the_umbilical_cord_trial_of_layout_b() -> None:
    raw, layout = _real("NCT03458156")
    found = study(layout, raw)
    assert _facts(found) == {
        "id": "NCT03458156",
        "org": {"id": "DalianMU_JL_002"},
        "title": "Umbilical Cord Mesenchymal Stem Cell Transplantation for Lupus Nephritis",
        "status": {"overallStatus": "UNKNOWN"},
        "design": {
            "studyType": "INTERVENTIONAL",
            "enrollmentInfo": {"count": 30, "type": "ESTIMATED"},
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "PARALLEL",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "DOUBLE"},
            },
        },
        "sponsor": {"name": "The First Affiliated Hospital of Dalian Medical University", "class": "OTHER"},
        "conditions": ["Lupus Nephritis"],
        "arms": [
            ("SLE group", "EXPERIMENTAL", ["Biological: SLE group"]),
            ("LN group", "EXPERIMENTAL", ["Biological: LN group"]),
            ("the control group", "EXPERIMENTAL", ["Other: the control group"]),
        ],
        "interventions": [
            ("OTHER", "the control group"),
            ("BIOLOGICAL", "LN group"),
            ("BIOLOGICAL", "SLE group"),
        ],
        "sites": [],
        "contacts": 0,
        "ages": ("18 Years", "60 Years"),
        "sex": "ALL",
        "volunteers": False,
        "criteria": (7, 7),
        "summary": True,
        "references": 0,
        "results": None,
    }
    assert found["sourceSection"] == {"siteCount": 0}


@needs_shared
def test_the_interleukin_trial_of_layout_b() -> None:
    raw, layout = _real("NCT05631717")
    found = study(layout, raw)
    assert _facts(found) == {
        "id": "NCT05631717",
        "org": {"id": "2022-LCYJ-MS-38"},
        "title": "The Study of Comparing the Efficacy and Safety of Human Umbilical Cord MSCs and Low-dose"
        " IL-2 in the Treatment of LN",
        "status": {"overallStatus": "RECRUITING"},
        "design": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE3"],
            "enrollmentInfo": {"count": 40, "type": "ESTIMATED"},
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "PARALLEL",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "NONE"},
            },
        },
        "sponsor": {"name": "Nanjing University", "class": "OTHER"},
        "conditions": ["Lupus Nephritis", "Systemic Lupus Erythematosus"],
        "arms": [
            ("MSCs group", "EXPERIMENTAL", ["Biological: Human umbilical cord mesenchymal stem cells"]),
            ("IL-2 group", "EXPERIMENTAL", ["Drug: Interleukin-2"]),
        ],
        "interventions": [
            ("BIOLOGICAL", "Human umbilical cord mesenchymal stem cells"),
            ("DRUG", "Interleukin-2"),
        ],
        "sites": [],
        "contacts": 1,
        "ages": ("18 Years", "65 Years"),
        "sex": "ALL",
        "volunteers": False,
        # Each half has an introduction and a blank line before its 7 and 8 items.
        "criteria": (9, 10),
        "summary": True,
        "references": 0,
        "results": None,
    }
    assert found["sourceSection"] == {"siteCount": 1}


@needs_shared
def test_the_amniotic_trial_of_layout_c() -> None:
    raw, layout = _real("NCT04318600")
    found = study(layout, raw)
    facts = _facts(found)
    del facts["criteria"]
    assert facts == {
        "id": "NCT04318600",
        "org": None,
        "title": "Allogeneic Amniotic Mesenchymal Stem Cell Therapy for Lupus Nephritis",
        "status": {"overallStatus": "COMPLETED"},
        "design": {
            "studyType": "INTERVENTIONAL",
            "enrollmentInfo": {"count": 16},
            "designInfo": {"interventionModel": "PARALLEL"},
        },
        "sponsor": {"name": "Yan'an Affiliated Hospital of Kunming Medical University"},
        "conditions": ["Lupus Nephritis", "Mesenchymal Stem Cells"],
        "arms": [
            (
                "human amniotic mesenchymal stem cell treatment group",
                None,
                ["Drug: human amniotic mesenchymal stem cell"],
            )
        ],
        "interventions": [("DRUG", "human amniotic mesenchymal stem cell")],
        "sites": [],
        "contacts": 0,
        "ages": (None, None),
        "sex": "ALL",
        "volunteers": None,
        "summary": True,
        "references": 0,
        "results": None,
    }
    # "Not provided", twice, is no value.
    assert found["protocolSection"]["eligibilityModule"] == {"sex": "ALL"}
    outcomes = found["protocolSection"]["outcomesModule"]
    assert [(one["measure"], one["timeFrame"]) for one in outcomes["primaryOutcomes"]] == [
        ("Incidence of Adverse Events", "60 weeks")
    ]
    assert [(one["measure"], one["timeFrame"]) for one in outcomes["secondaryOutcomes"]] == [
        ("Changes in 24h urine protein quantification before and after treatment;", "60 weeks"),
        ("Changes in eGFR before and after treatment;", "60 weeks"),
        ("Changes in SLEDAI score before and after treatment;", "60 weeks"),
    ]
    assert outcomes["secondaryOutcomes"][2]["description"].startswith("changes in SLEDAI score from baseline")
    assert found["sourceSection"] == {"conditionsText": ["Lupus NephritisMesenchymal Stem Cells"]}


@needs_shared
@pytest.mark.parametrize("nct_id", _FILES)
def test_a_real_page_is_of_one_layout_and_wholly_understood(nct_id: str) -> None:
    raw, layout = _real(nct_id)
    assert [known for known in LAYOUTS.values() if known.recognises(raw[:65536])] == [layout]
    found = record(layout, raw)
    assert found.odd == ()
    assert found.format == layout.NAME
    assert "unread" not in found.study.get("sourceSection", {})


@needs_shared
@pytest.mark.parametrize(
    ("nct_id", "count", "words"),
    [
        ("NCT01539902", 5, ["Amniotic", "Vasculitis", "NCT04318600"]),
        ("NCT00962923", 5, ["Scleroderma", "ALS"]),
    ],
)
def test_related_trials_are_beside_the_study_only(nct_id: str, count: int, words: list[str]) -> None:
    raw, layout = _real(nct_id)
    found = study(layout, raw)
    others = found.pop("sourceSection")["relatedTrials"]
    assert len(others) == count
    for other in others:
        assert other["title"] not in str(found)
        assert other["nctId"] not in str(found)
    for word in words:
        assert word in raw
        assert word not in str(found)
