"""Layout B: a page with everything, one with nothing, and what is hard in between."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page_helpers import blocks, fixture, items, leaves, record, study
from trialindex.formats import page_b
from trialindex.formats.record import Odd, Rejected

FULL: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT09000001",
            "orgStudyIdInfo": {"id": "LAMP-7"},
            "secondaryIdInfos": [{"id": "2018-000001-11"}],
            "briefTitle": "Lamps Against Winter Fatigue",
        },
        "statusModule": {
            "overallStatus": "NOT_YET_RECRUITING",
            "startDateStruct": {"date": "2019-02-01"},
            "primaryCompletionDateStruct": {"date": "2021-03"},
            "completionDateStruct": {"date": "2021-06-17"},
            "lastUpdatePostDateStruct": {"date": "2021-04-15"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "Bright Things", "class": "INDUSTRY"},
            "collaborators": [{"name": "Office of Daylight"}],
        },
        "descriptionModule": {
            "briefSummary": "Lamps may wake the tired.\n\nSex\n\n"
            "This paragraph follows a word that is also a label.",
            "detailedDescription": "The aims are two:\n\n* wake within 10^2 minutes\n* stay awake >8 hours",
        },
        "conditionsModule": {
            "conditions": ["Winter Fatigue", "Daytime Sleepiness"],
            "keywords": ["bright light"],
        },
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2", "PHASE3"],
            "enrollmentInfo": {"count": 1250, "type": "ACTUAL"},
            "designInfo": {
                "allocation": "NON_RANDOMIZED",
                "interventionModel": "FACTORIAL",
                "primaryPurpose": "PREVENTION",
                "maskingInfo": {"masking": "TRIPLE"},
            },
        },
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": "Lamp and drops",
                    "type": "EXPERIMENTAL",
                    "description": "Both are given for a month.",
                    "interventionNames": ["Drug: Tired Drops", "Device: Morning lamp"],
                },
                {
                    "label": "Placebo group",
                    "type": "PLACEBO_COMPARATOR",
                    "interventionNames": ["Dietary Supplement: Noon: a tea"],
                },
                {"label": "Waiting list", "type": "NO_INTERVENTION", "description": "Nothing is given."},
            ],
            "interventions": [
                {"type": "DEVICE", "name": "Morning lamp", "armGroupLabels": ["Lamp and drops"]},
                {"type": "DRUG", "name": "Tired Drops", "armGroupLabels": ["Lamp and drops"]},
                {"type": "DIETARY_SUPPLEMENT", "name": "Noon: a tea", "armGroupLabels": ["Placebo group"]},
            ],
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\nAll of these must hold:\n\n"
            "* Tired in winter\n* Sleepiness score >10\n\nExclusion Criteria:\n\n* Owns a lamp",
            "minimumAge": "6 Months",
            "maximumAge": "17 Years",
            "stdAges": ["CHILD"],
            "sex": "FEMALE",
            "healthyVolunteers": True,
        },
        "contactsLocationsModule": {
            "centralContacts": [
                {"name": "Cleo Example; Dan Example", "phone": "+47 555 0100", "email": "cleo@example.org"}
            ],
            "locations": [
                {"facility": "Lamp House, Second Floor", "city": "Oslo", "zip": "0150", "country": "Norway"},
                {"facility": "Drop Clinic", "city": "Graz", "state": "Styria", "country": "Austria"},
            ],
        },
    },
    "sourceSection": {
        "siteCount": 2,
        "funderTypes": ["Industry", "U.S. Federal"],
        "documents": ["Lamp manual"],
    },
}

_P = "protocolSection."
_D = _P + "designModule."
_E = _P + "eligibilityModule."
FILLS = {
    "Status and phase": [_P + "statusModule.overallStatus", _D + "phases"],
    "Conditions": [_P + "conditionsModule.conditions"],
    "Keywords": [_P + "conditionsModule.keywords"],
    "Study type": [_D + "studyType"],
    "Funder types": [_P + "sponsorCollaboratorsModule.leadSponsor.class", "sourceSection.funderTypes"],
    "Full description": [_P + "descriptionModule.detailedDescription"],
    "Sex": [_E + "sex"],
    "Ages": [_E + "minimumAge", _E + "maximumAge", _E + "stdAges"],
    "Volunteers": [_E + "healthyVolunteers"],
    "Primary purpose": [_D + "designInfo.primaryPurpose"],
    "Allocation": [_D + "designInfo.allocation"],
    "Interventional model": [_D + "designInfo.interventionModel"],
    "Masking": [_D + "designInfo.maskingInfo"],
    "Trial documents": ["sourceSection.documents"],
    "Trial contacts and locations": [_P + "contactsLocationsModule.locations", "sourceSection.siteCount"],
    "Central trial contact": [_P + "contactsLocationsModule.centralContacts"],
    "Start date": [_P + "statusModule.startDateStruct"],
    "Primary completion": [_P + "statusModule.primaryCompletionDateStruct"],
    "End date": [_P + "statusModule.completionDateStruct"],
}
OTHERS = [
    "Treatments", "Identifiers", "Details and patient eligibility", "About", "Enrollment",
    "Inclusion criteria", "Exclusion criteria", "Trial design", "Timeline", "Today",
    "1,250 participants in 3 patient groups, including a placebo group",
]  # fmt: skip
FOOTER = "Data sourced from clinicaltrials.gov"
HEAD = "ClinicalTrials.Veeva\n\nMenu\n\nLamps\n\nB\n\nBright Things\n\nIdentifiers\n\nNCT09000001\n\n"


def _parts(raw: str) -> tuple[str, list[str], str]:
    page, mark, footer = raw.partition(FOOTER)
    return *blocks(page, [*FILLS, *OTHERS]), mark + footer


def test_every_section_filled() -> None:
    assert study(page_b, fixture("b_full.txt")) == FULL


def test_the_same_page_as_html() -> None:
    assert study(page_b, fixture("b_full.html")) == FULL


def test_no_section() -> None:
    assert study(page_b, fixture("b_none.txt")) == {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT09000001", "briefTitle": "Lamps Against Winter Fatigue"}
        }
    }


def test_every_section_empty_but_the_id() -> None:
    head, sections, footer = _parts(fixture("b_full.txt"))
    empty = [part.splitlines()[0] + "\n\n" for part in sections if "participants" not in part.splitlines()[0]]
    page = head + "".join(empty).replace("Identifiers\n", "Identifiers\n\nNCT09000001\n") + footer
    assert study(page_b, page) == {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT09000001", "briefTitle": "Lamps Against Winter Fatigue"},
            "sponsorCollaboratorsModule": {
                "leadSponsor": {"name": "Bright Things"},
                "collaborators": [{"name": "Office of Daylight"}],
            },
        }
    }


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_sections_in_any_order(random: Any) -> None:
    head, sections, footer = _parts(fixture("b_full.txt"))
    random.shuffle(sections)
    assert study(page_b, head + "".join(sections) + footer) == FULL


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FILLS))))
def test_without_a_section_only_its_fields_are_missing(removed: set[str]) -> None:
    head, sections, footer = _parts(fixture("b_full.txt"))
    kept = [section for section in sections if section.splitlines()[0] not in removed]
    expected = copy.deepcopy(FULL)
    for heading in removed:
        for path in FILLS[heading]:
            *above, last = path.split(".")
            node = expected
            for step in above:
                node = node[step]
            del node[last]
    assert study(page_b, head + "".join(kept) + footer) == _without_empty(expected)


def _without_empty(node: dict[str, Any]) -> dict[str, Any]:
    tidy = {key: _without_empty(below) if isinstance(below, dict) else below for key, below in node.items()}
    return {key: below for key, below in tidy.items() if below != {}}


def test_an_observational_study() -> None:
    # Its groups have no kind, so one may be called "Other group"; and the page promises one more than it has.
    found = record(page_b, fixture("b_observed.txt"))
    protocol = found.study["protocolSection"]
    assert protocol["designModule"]["designInfo"] == {
        "observationalModel": "CASE_CONTROL",
        "timePerspective": "RETROSPECTIVE",
    }
    assert protocol["designModule"]["enrollmentInfo"] == {"count": 90}
    assert protocol["armsInterventionsModule"]["armGroups"] == [
        {"label": "Owners", "description": "They have one.", "interventionNames": ["Other: Counting"]},
        {"label": "Other group", "description": "They have none."},
    ]
    assert protocol["eligibilityModule"] == {"minimumAge": "18 Years", "stdAges": ["ADULT", "OLDER_ADULT"]}
    assert "phases" not in protocol["designModule"]
    reason = "the page shows 2 of these groups"
    assert found.odd == (Odd("ArmGroup", "90 participants in 3 patient groups", reason),)


def test_states_are_what_the_labels_always_show() -> None:
    said = set(leaves(FULL))
    assert page_b.STATES - said == {
        _D + "designInfo.observationalModel",
        _D + "designInfo.timePerspective",
    }
    # Only some pages have a timeline.
    assert _P + "statusModule.startDateStruct.date" in said - page_b.STATES


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("18 to 60 years old", "18 Years", "60 Years"),
        ("1 to 6 months old", "1 Month", "6 Months"),
        ("18+ years old", "18 Years", None),
        ("65 years and older", "65 Years", None),
        ("Under 65 years old", None, "65 Years"),
        ("Up to 2 years old", None, "2 Years"),
        ("All", None, None),
    ],
)
def test_ages(said: str, low: str | None, high: str | None) -> None:
    eligibility = study(page_b, HEAD + f"Ages\n\n{said}\n")["protocolSection"]["eligibilityModule"]
    assert (eligibility.get("minimumAge"), eligibility.get("maximumAge")) == (low, high)
    assert eligibility["stdAges"]


def test_ages_that_are_none_are_kept() -> None:
    found = record(page_b, HEAD + "Ages\n\nOld enough\n")
    assert "eligibilityModule" not in found.study["protocolSection"]
    assert found.study["sourceSection"] == {"unread": ["Old enough"]}


@pytest.mark.parametrize(
    ("lines", "status", "phases"),
    [
        ("Enrolling\nPhase 3", "RECRUITING", ["PHASE3"]),
        ("Unknown\nEarly Phase 1", "UNKNOWN", ["EARLY_PHASE1"]),
        ("Active, not enrolling\nPhase 1/Phase 2", "ACTIVE_NOT_RECRUITING", ["PHASE1", "PHASE2"]),
        ("Invitation-only\nPhase 2 & 3", "ENROLLING_BY_INVITATION", ["PHASE2", "PHASE3"]),
        ("Not yet enrolling", "NOT_YET_RECRUITING", None),
    ],
)
def test_status_and_phase(lines: str, status: str, phases: list[str] | None) -> None:
    protocol = study(page_b, HEAD + f"Status and phase\n\n{lines}\n")["protocolSection"]
    assert protocol["statusModule"]["overallStatus"] == status
    assert protocol.get("designModule", {}).get("phases") == phases


def test_an_unknown_status_is_kept_and_odd() -> None:
    found = record(page_b, HEAD + "Status\n\nDreaming\n")
    assert found.study["protocolSection"]["statusModule"] == {"overallStatus": "Dreaming"}
    assert found.odd == (Odd("OverallStatus", "Dreaming", "no code of Status"),)


def test_estimated_patients() -> None:
    design = study(page_b, HEAD + "Enrollment\n\n30 estimated patients\n")["protocolSection"]["designModule"]
    assert design == {"enrollmentInfo": {"count": 30, "type": "ESTIMATED"}}


def test_no_id_sets_the_page_aside_whole() -> None:
    raw = "ClinicalTrials.Veeva\n\nMenu\n\nLamps\n\nAbout\n\nLamps like NCT09000009.\n\nSex\n\nAll\n"
    assert items(page_b, raw) == [Rejected("page", 1, "no trial id on the page", raw, "NCTId")]


def test_recognition() -> None:
    assert page_b.recognises(fixture("b_full.txt")[:600])
    assert page_b.recognises(fixture("b_full.html")[:1500])
    assert page_b.recognises(fixture("b_none.txt"))
    assert not page_b.recognises("ClinicalTrials.Veeva lists a trial.\nStatus\nfine\nConditions\nfair\n")
    assert not page_b.recognises("ClinicalTrials.Veeva\nAbout\nWe list trials.\n")
