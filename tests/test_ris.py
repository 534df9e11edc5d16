"""RIS, read back by a small reader of its own."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from small import study
from trialsearch.ris import record

Fields = dict[str, list[str]]


def read(text: str) -> list[Fields]:
    """Read RIS: lines end in CR LF, two letters are a tag, ER ends a record."""
    found: list[Fields] = []
    held: Fields = {}
    for line in text.split("\r\n"):
        if not line:
            continue
        match = re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line)
        assert match, line
        tag, value = match.groups()
        assert held or tag == "TY", "a record begins with its type"
        if tag == "ER":
            found.append(held)
            held = {}
        else:
            held.setdefault(tag, []).append(value)
    assert not held, "a record without an end"
    return found


FULL = study(
    "NCT00000001",
    BriefTitle="A short\ntitle",
    OfficialTitle="An official title",
    BriefSummary="First line.\r\n\r\nSecond  line.\nTY  - JOUR",
    StudyFirstPostDate="2011-03-04",
    StartDate="2012-02",
    CompletionDate="2014",
    Condition=["Lupus", "Gout"],
    Keyword=["Gout", "kidney"],
    ConditionMeshTerm=["Lupus Erythematosus"],
    Phase=["PHASE1", "PHASE2"],
    OverallStatus="ACTIVE_NOT_RECRUITING",
    StudyType="INTERVENTIONAL",
    LeadSponsorName="Acme, Inc.",
    InterventionName=["Aspirin"],
    EnrollmentCount=12,
)


def test_a_record_of_every_tag() -> None:
    full = {**FULL, "sourceSection": {"url": "https://example.org/1"}, "hasResults": True}
    full["protocolSection"]["contactsLocationsModule"] = {
        "overallOfficials": [{"name": "Ann B. Doe, MD"}, {"name": "Li"}]
    }
    assert read(record(full)) == [
        {
            "TY": ["RPRT"],
            "AN": ["NCT00000001"],
            "ID": ["NCT00000001"],
            "TI": ["A short title"],
            "AU": ["Doe, Ann B., MD", "Li"],
            "PY": ["2011"],
            "DA": ["2011/03/04/"],
            "PB": ["Acme, Inc."],
            "AB": ["First line. Second line. TY - JOUR"],
            "KW": ["Lupus", "Gout", "kidney", "Lupus Erythematosus"],
            "N1": [
                "Official title: An official title",
                "Status: Active, not recruiting",
                "Phase: Phase 1/Phase 2",
                "Study type: Interventional",
                "Interventions: Aspirin",
                "Start: 2012-02",
                "Completion: 2014",
                "Enrollment: 12",
                "Results: posted",
            ],
            "UR": ["https://example.org/1"],
            "M3": ["Clinical trial registration"],
        }
    ]


def test_without_officials_the_sponsor_is_the_author_and_without_a_posting_the_start_counts() -> None:
    (found,) = read(
        record(study("NCT00000002", LeadSponsorName="Acme", StartDate="2012-02", OfficialTitle="T"))
    )
    assert (found["AU"], found["PY"], found["DA"], found["TI"]) == (["Acme,"], ["2012"], ["2012/02//"], ["T"])
    assert "UR" not in found and "AB" not in found


def test_an_empty_study_is_a_record_still() -> None:
    assert read(record({})) == [{"TY": ["RPRT"], "M3": ["Clinical trial registration"]}]


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_breaks_a_record(text: str, names: list[str]) -> None:
    made = study("NCT00000001", BriefTitle=text, BriefSummary=text, Condition=names, LeadSponsorName=text)
    made["protocolSection"]["contactsLocationsModule"] = {
        "overallOfficials": [{"name": name} for name in names]
    }
    two = read(record(made) + record(FULL))
    assert [one["AN"] for one in two] == [["NCT00000001"], ["NCT00000001"]]
