"""Layout C: a page with everything, one with nothing, and the places where saving glued values together."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page_helpers import blocks, fixture, items, leaves, record, study
from trialindex.formats import page_c
from trialindex.formats.record import Odd, Rejected

FULL: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT09000001",
            "briefTitle": "Lamps Against Winter Fatigue",
            "officialTitle": "A Factorial Trial of Lamps and Drops in Winter Fatigue",
        },
        "statusModule": {
            "overallStatus": "SUSPENDED",
            "startDateStruct": {"date": "2019-02-01"},
            "primaryCompletionDateStruct": {"date": "2021-03"},
            "completionDateStruct": {"date": "2021-06-17"},
            "studyFirstPostDateStruct": {"date": "2019-01-10"},
            "lastUpdatePostDateStruct": {"date": "2021-04-15"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "Bright Things"},
            "collaborators": [{"name": "Office of Daylight"}],
        },
        "descriptionModule": {
            "briefSummary": "Lamps may wake the tired.\n\nStatus\n\n"
            "This line stands after a word that is also a label.",
            "detailedDescription": "The aims are two:\n\n* wake within 10^2 minutes\n* stay awake >8 hours",
        },
        "conditionsModule": {
            "conditions": ["Winter Fatigue", "Daytime Sleepiness (Severe)", "AIDS"],
            "keywords": ["bright light", "drops"],
        },
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2", "PHASE3"],
            "enrollmentInfo": {"count": 1250},
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
                    "description": "Both are given for a month.",
                    "interventionNames": ["Device: Morning lamp", "Drug: Tired Drops"],
                },
                {
                    "label": "Dark lamp",
                    "description": "Nothing shines.",
                    "interventionNames": ["Other: Dark lamp"],
                },
                {"label": "Waiting list"},
            ],
            "interventions": [
                {"type": "DEVICE", "name": "Morning lamp", "armGroupLabels": ["Lamp and drops"]},
                {"type": "DRUG", "name": "Tired Drops", "armGroupLabels": ["Lamp and drops"]},
                {"type": "OTHER", "name": "Dark lamp", "armGroupLabels": ["Dark lamp"]},
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [
                {
                    "measure": "Sleepiness scale",
                    "timeFrame": "12 weeks",
                    "description": "The scale runs from 0 to 24.",
                },
                {
                    "measure": "6 minute walk at 12 weeks",
                    "timeFrame": "Baseline to week 24",
                    "description": "Metres walked.",
                },
            ],
            "secondaryOutcomes": [
                {"measure": "Mood", "timeFrame": "up to 2 years", "description": "Asked by phone."}
            ],
            "otherOutcomes": [{"measure": "Lamps broken", "timeFrame": "Day 28"}],
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Tired in winter\n* Sleepiness score >10\n\n"
            "Exclusion Criteria:\n\n* Owns a lamp",
            "minimumAge": "6 Months",
            "maximumAge": "17 Years",
            "stdAges": ["CHILD"],
            "sex": "FEMALE",
            "healthyVolunteers": True,
        },
        "contactsLocationsModule": {
            "centralContacts": [
                {"name": "Cleo Example", "phone": "+47 555 0100", "email": "cleo@example.org"}
            ],
            "locations": [
                {"facility": "Lamp House, Second Floor", "city": "Oslo", "zip": "0150", "country": "Norway"},
                {"facility": "Drop Clinic", "city": "Graz", "state": "Styria", "country": "Austria"},
            ],
        },
    },
    "sourceSection": {
        "conditionsText": ["Winter FatigueDaytime Sleepiness (Severe)AIDS"],
        "relatedTrials": [{"title": "Moon Watching in Insomnia", "nctId": "NCT09000091"}],
        "news": ["Lamps cure scleroderma, says lamp maker"],
        "publications": ["Example A. Lamps in scleroderma. J Lamps. 2001;1:1-2."],
    },
}

_P = "protocolSection."
_D = _P + "designModule."
_E = _P + "eligibilityModule."
FILLS = {
    "- Conditions": [_P + "conditionsModule.conditions", "sourceSection.conditionsText"],
    "- Lead Sponsor": [_P + "sponsorCollaboratorsModule.leadSponsor"],
    "- Collaborators": [_P + "sponsorCollaboratorsModule.collaborators"],
    "- Detailed Description": [_P + "descriptionModule.detailedDescription"],
    "- Official Title": [_P + "identificationModule.officialTitle"],
    "- Keywords": [_P + "conditionsModule.keywords"],
    "- Sex": [_E + "sex"],
    "- Healthy Volunteers": [_E + "healthyVolunteers"],
    "- Target Recruitment": [_D + "enrollmentInfo"],
    "- Study Type": [_D + "studyType"],
    "- Study Design": [_D + "designInfo"],
    "- Phase": [_D + "phases"],
    "- Primary Outcome Measures": [_P + "outcomesModule.primaryOutcomes"],
    "- Secondary Outcome Measures": [_P + "outcomesModule.secondaryOutcomes"],
    "- Other Outcome Measures": [_P + "outcomesModule.otherOutcomes"],
    "- First Posted Date": [_P + "statusModule.studyFirstPostDateStruct"],
    "- Study Start Date": [_P + "statusModule.startDateStruct"],
    "- Primary Completion Date": [_P + "statusModule.primaryCompletionDateStruct"],
    "- Study Completion Date": [_P + "statusModule.completionDateStruct"],
    "- Last Updated": [_P + "statusModule.lastUpdatePostDateStruct"],
    "- Contacts": [_P + "contactsLocationsModule.centralContacts"],
    "Related Trials": ["sourceSection.relatedTrials"],
    "Related News": ["sourceSection.news"],
    "Publications": ["sourceSection.publications"],
}
OTHERS = [
    "- Interventions", "- Registration Number", "- Brief Summary", "Recruitment & Eligibility", "- Status",
    "- Minimum Age", "- Maximum Age", "Inclusion Criteria", "Exclusion Criteria", "Study & Design",
    "- Arm && Interventions", "Trial Locations", "- Locations (2)",
]  # fmt: skip
HEAD = "Lamps\n- Registration Number\n- NCT09000001\n"


def test_every_section_filled() -> None:
    assert study(page_c, fixture("c_full.txt")) == FULL


def test_the_same_page_as_html_has_no_glued_text() -> None:
    expected = copy.deepcopy(FULL)
    del expected["sourceSection"]["conditionsText"]
    assert study(page_c, fixture("c_full.html")) == expected


def test_text_with_tabs_between_cells_needs_no_guess() -> None:
    page = HEAD + (
        "- Interventions\n- Drug: Tired Drops\n"
        "- Arm && Interventions\nGroup\tIntervention\tDescription\n"
        "Drops at 12 weeks\tTired Drops\tTired Drops\n"
        "Waiting list\t\t-\n"
        "- Primary Outcome Measures\nName\tTime\tMethod\nHours awake\tnever\tSurvival at 12 months\n"
    )
    protocol = study(page_c, page)["protocolSection"]
    assert protocol["armsInterventionsModule"]["armGroups"] == [
        {
            "label": "Drops at 12 weeks",
            "interventionNames": ["Drug: Tired Drops"],
            "description": "Tired Drops",
        },
        {"label": "Waiting list"},
    ]
    assert protocol["outcomesModule"]["primaryOutcomes"] == [
        {"measure": "Hours awake", "timeFrame": "never", "description": "Survival at 12 months"}
    ]


def test_no_section() -> None:
    assert study(page_c, fixture("c_none.txt")) == {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT09000001", "briefTitle": "Lamps Against Winter Fatigue"}
        }
    }


def test_every_section_empty_but_the_id() -> None:
    head, sections = blocks(fixture("c_full.txt"), [*FILLS, *OTHERS])
    empty = "".join(section.splitlines()[0] + "\n" for section in sections)
    page = head + empty.replace("Registration Number\n", "Registration Number\n- NCT09000001\n")
    assert study(page_c, page) == study(page_c, fixture("c_none.txt"))


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_sections_in_any_order(random: Any) -> None:
    head, sections = blocks(fixture("c_full.txt"), [*FILLS, *OTHERS])
    random.shuffle(sections)
    assert study(page_c, head + "".join(sections)) == FULL


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FILLS))))
def test_without_a_section_only_its_fields_are_missing(removed: set[str]) -> None:
    head, sections = blocks(fixture("c_full.txt"), [*FILLS, *OTHERS])
    kept = [section for section in sections if section.splitlines()[0] not in removed]
    expected = copy.deepcopy(FULL)
    for heading in removed:
        for path in FILLS[heading]:
            *above, last = path.split(".")
            node = expected
            for step in above:
                node = node[step]
            del node[last]
    assert study(page_c, head + "".join(kept)) == _without_empty(expected)


def _without_empty(node: dict[str, Any]) -> dict[str, Any]:
    tidy = {key: _without_empty(below) if isinstance(below, dict) else below for key, below in node.items()}
    return {key: below for key, below in tidy.items() if below != {}}


def test_states_are_what_the_labels_always_show() -> None:
    said = set(leaves(FULL))
    assert said >= page_c.STATES
    assert _P + "outcomesModule.primaryOutcomes.timeFrame" in page_c.STATES
    assert _E + "minimumAge" in said - page_c.STATES


@pytest.mark.parametrize(
    ("glued", "parts"),
    [
        ("Lupus NephritisMesenchymal Stem Cells", ["Lupus Nephritis", "Mesenchymal Stem Cells"]),
        ("Stroke (Acute)Aphasia", ["Stroke (Acute)", "Aphasia"]),
        ("AsthmaCOPD", ["Asthma", "COPD"]),
        ("mRNA Vaccine", ["mRNA Vaccine"]),
        ("McArdle Disease", ["McArdle Disease"]),
        ("hA-MSC", ["hA-MSC"]),
        ("PhD Students", ["PhD Students"]),
        ("AutoSCT", ["AutoSCT"]),
        ("ImmunoPET Imaging", ["ImmunoPET Imaging"]),
        ("(R)Evolution", ["(R)", "Evolution"]),
        ("Pain", ["Pain"]),
    ],
)
def test_unglue(glued: str, parts: list[str]) -> None:
    assert page_c.unglue(glued) == parts


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("Deaths 60 weeks The number of deaths.", ("Deaths", "60 weeks", "The number of deaths.")),
        ("Deaths 60 weeks change from day 1 to day 9", ("Deaths", "60 weeks", "change from day 1 to day 9")),
        ("24h urine protein 12 months Grams.", ("24h urine protein", "12 months", "Grams.")),
        ("Survival at 12 months 2 years Deaths.", ("Survival at 12 months", "2 years", "Deaths.")),
        ("Pain Baseline, 12 weeks, 24 weeks -", ("Pain", "Baseline, 12 weeks, 24 weeks", "")),
        ("Pain Day 1 to Day 28", ("Pain", "Day 1 to Day 28", "")),
        ("Relapse through study completion, an average of 1 year Any relapse.",
         ("Relapse", "through study completion, an average of 1 year", "Any relapse.")),
    ],
)  # fmt: skip
def test_outcome_row(row: str, parts: tuple[str, str, str]) -> None:
    assert page_c.outcome(row) == parts


@pytest.mark.parametrize(
    "row",
    [
        "Survival at 12 months Deaths",  # the time is the name's, and there is no other
        "Change in pain Week 24 Baseline Pain scale",  # either may be the time
        "Deaths 60 weeks after surgery and later",  # where the time ends is not said
        "Quality of life",
        "12 weeks",
    ],
)
def test_outcome_row_that_is_not_parted(row: str) -> None:
    assert page_c.outcome(row) is None
    found = record(page_c, HEAD + f"- Primary Outcome Measures\nName Time Method {row}\n")
    assert found.study["protocolSection"]["outcomesModule"]["primaryOutcomes"] == [{"measure": row}]
    assert found.odd == (Odd("PrimaryOutcome", row, "a row that could not be parted into its cells"),)


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("Low dose Lamp Half an hour.", ("Low dose", ["Lamp"], "Half an hour.")),
        ("Lamp group Lamp -", ("Lamp group", ["Lamp"], "")),
        ("Lamp Lamp Lamp in the morning", ("Lamp", ["Lamp"], "Lamp in the morning")),
        ("Both Lamp, Lamp oil Together.", ("Both", ["Lamp", "Lamp oil"], "Together.")),
        ("Oil only Lamp oil A drop.", ("Oil only", ["Lamp oil"], "A drop.")),
        ("No treatment - They wait.", ("No treatment", [], "They wait.")),
        ("No treatment - -", ("No treatment", [], "")),
    ],
)
def test_arm_row(row: str, parts: tuple[str, list[str], str]) -> None:
    assert page_c.arm(row, ["Lamp", "Lamp oil"]) == parts


@pytest.mark.parametrize(
    "row", ["Early Lamp on the desk Lamp on", "Sun group", "A - b - c", "Lampshade users"]
)
def test_arm_row_that_is_not_parted(row: str) -> None:
    assert page_c.arm(row, ["Lamp"]) is None
    found = record(page_c, HEAD + f"- Interventions\n- Device: Lamp\n- Arm && Interventions\n{row}\n")
    assert found.study["protocolSection"]["armsInterventionsModule"]["armGroups"] == [{"label": row}]
    assert found.odd == (Odd("ArmGroup", row, "a row that could not be parted into its cells"),)


@pytest.mark.parametrize(
    ("lines", "criteria"),
    [
        (["Not provided", "Not provided"], None),
        (["* Tired", "Not provided"], "Inclusion Criteria:\n\n* Tired"),
        (["Not provided", "* Lamps"], "Exclusion Criteria:\n\n* Lamps"),
        (
            ["Inclusion Criteria:", "* Tired", "Exclusion Criteria:", "* Lamps"],
            "Inclusion Criteria:\n\n* Tired\n\nExclusion Criteria:\n\n* Lamps",
        ),
    ],
)
def test_criteria_without_headings(lines: list[str], criteria: str | None) -> None:
    page = HEAD + "\n".join(
        ["- Target Recruitment", "- 16", *lines, "Study & Design", "- Phase", "- PHASE1", ""]
    )
    protocol = study(page_c, page)["protocolSection"]
    assert protocol.get("eligibilityModule", {}).get("eligibilityCriteria") == criteria
    assert protocol["designModule"] == {"enrollmentInfo": {"count": 16}, "phases": ["PHASE1"]}


def test_criteria_that_nothing_parts_are_kept_and_odd() -> None:
    found = record(page_c, HEAD + "- Target Recruitment\n- 16\n* Tired\n* No lamps\n")
    eligibility = found.study["protocolSection"]["eligibilityModule"]
    assert eligibility == {"eligibilityCriteria": "* Tired\n* No lamps"}
    assert [odd.field for odd in found.odd] == ["EligibilityCriteria"]


def test_no_id_sets_the_page_aside_whole() -> None:
    raw = "Lamps\n- Lead Sponsor\n- Bright Things\n- Target Recruitment\n- 16\n"
    assert items(page_c, raw) == [Rejected("page", 1, "no trial id on the page", raw, "NCTId")]


def test_recognition() -> None:
    assert page_c.recognises(fixture("c_full.txt")[:700])
    assert page_c.recognises(fixture("c_full.html")[:1500])
    assert page_c.recognises(fixture("c_none.txt"))
    assert not page_c.recognises("Our shop\n- Registration Number\n- DE 123456789\n- Status\n- open\n")
    assert not page_c.recognises("Registration Number\nNCT09000001\n")
