"""Layout A: a page with everything, one with nothing, and what is hard in between."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from page_helpers import blocks, fixture, items, leaves, record, study
from trialindex.formats import page_a
from trialindex.formats.record import Odd, Rejected

FULL: dict[str, Any] = {
    "hasResults": False,
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT09000001",
            "nctIdAliases": ["NCT09000002"],
            "orgStudyIdInfo": {"id": "LAMP-7"},
            "secondaryIdInfos": [
                {"id": "2018-000001-11", "type": "EUDRACT_NUMBER"},
                {"id": "L 99", "type": "OTHER", "domain": "Lamp Council"},
            ],
            "briefTitle": "Lamps Against Winter Fatigue",
            "officialTitle": "A Factorial Trial of Lamps and Drops in Winter Fatigue",
        },
        "statusModule": {
            "overallStatus": "SUSPENDED",
            "startDateStruct": {"date": "2019-02"},
            "completionDateStruct": {"date": "2021-06-17"},
            "lastUpdatePostDateStruct": {"date": "2021-04-15"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "Bright Things", "class": "INDUSTRY"},
            "collaborators": [{"name": "Office of Daylight", "class": "FED"}, {"name": "Friends of Noon"}],
            "responsibleParty": {
                "type": "PRINCIPAL_INVESTIGATOR",
                "investigatorFullName": "Ada Example",
                "investigatorTitle": "Head of Lamps",
                "investigatorAffiliation": "Noon University",
            },
        },
        "descriptionModule": {
            "briefSummary": "Lamps may wake the tired.\n\nLocations\n\n"
            "This line stands after a word that is also a heading.",
            "detailedDescription": "The aims are two:\n\n* wake within 10^2 minutes\n* stay awake >8 hours",
        },
        "conditionsModule": {
            "conditions": ["Winter Fatigue", "Daytime Sleepiness"],
            "keywords": ["bright light", "drops"],
        },
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2", "PHASE3"],
            "enrollmentInfo": {"count": 99999999},
            "designInfo": {
                "allocation": "NON_RANDOMIZED",
                "interventionModel": "FACTORIAL",
                "primaryPurpose": "PREVENTION",
                "maskingInfo": {"masking": "TRIPLE", "whoMasked": ["PARTICIPANT", "OUTCOMES_ASSESSOR"]},
            },
        },
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": "Lamp and drops",
                    "type": "EXPERIMENTAL",
                    "description": "Both are given for a month.",
                    "interventionNames": ["Device: Morning lamp", "Tired Drops"],
                },
                {"label": "Empty lamp", "type": "SHAM_COMPARATOR", "interventionNames": ["Dark lamp"]},
                {"label": "Waiting list", "type": "NO_INTERVENTION", "description": "Nothing is given."},
            ],
            "interventions": [
                {
                    "type": "DEVICE",
                    "name": "Morning lamp",
                    "description": "A lamp of 10,000 lux on the desk",
                    "armGroupLabels": ["Lamp and drops"],
                },
                {
                    "name": "Tired Drops",
                    "description": "Five drops at breakfast.\n\n* never at night",
                    "otherNames": ["TD-1", "Wakefulness drops"],
                    "armGroupLabels": ["Lamp and drops"],
                },
                {"name": "Dark lamp", "armGroupLabels": ["Empty lamp"]},
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [
                {
                    "measure": "Sleepiness scale",
                    "description": "The scale runs from 0 to 24.",
                    "timeFrame": "12 weeks",
                },
                {"measure": "Hours awake", "timeFrame": "Baseline to week 6"},
            ],
            "secondaryOutcomes": [{"measure": "Mood", "timeFrame": "any day"}],
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Tired in winter\n* Sleepiness score >10\n\n"
            "Exclusion Criteria:\n\n1. Owns a lamp",
            "minimumAge": "6 Months",
            "stdAges": ["CHILD", "ADULT", "OLDER_ADULT"],
            "sex": "FEMALE",
            "healthyVolunteers": True,
        },
        "contactsLocationsModule": {
            "overallOfficials": [
                {"name": "Ben Example", "role": "STUDY_CHAIR", "affiliation": "Midnight Hospital"}
            ],
            "centralContacts": [
                {
                    "name": "Cleo Example",
                    "role": "CONTACT",
                    "phone": "+47 555 0100",
                    "email": "cleo@example.org",
                }
            ],
            "locations": [
                {
                    "facility": "Lamp House, Second Floor",
                    "status": "RECRUITING",
                    "city": "Oslo",
                    "zip": "0150",
                    "country": "Norway",
                },
                {"facility": "Drop Clinic", "city": "Graz", "state": "Styria", "country": "Austria"},
                {"country": "Iceland"},
            ],
        },
        "referencesModule": {
            "references": [
                {"citation": "Example A. Lamps in scleroderma. J Lamps. 2001;1:1-2.", "pmid": "11111111"}
            ],
            "seeAlsoLinks": [{"url": "https://example.org/lamps"}],
        },
    },
    "sourceSection": {
        "facilityContacts": ["Dan Example, Drop Clinic"],
        "documents": ["Lamp manual"],
        "relatedTrials": [
            {"title": "Moon Watching in Insomnia", "nctId": "NCT09000091"},
            {"title": "Stars in Jet Lag", "nctId": "NCT09000092"},
        ],
    },
}

# What each section of the full page fills, as places in FULL. A section may share an object with another.
_P = "protocolSection."
FILLS = {
    "Study Results": ["hasResults"],
    "Official Title": [_P + "identificationModule.officialTitle"],
    "Basic Information": [
        _P + "statusModule.overallStatus",
        _P + "statusModule.startDateStruct",
        _P + "statusModule.completionDateStruct",
        _P + "designModule.studyType",
        _P + "designModule.phases",
        _P + "designModule.enrollmentInfo",
    ],
    "Detailed Description": [_P + "descriptionModule.detailedDescription"],
    "Conditions": [_P + "conditionsModule.conditions"],
    "Keywords": [_P + "conditionsModule.keywords"],
    "Study Design": [_P + "designModule.designInfo"],
    "Primary Outcomes": [_P + "outcomesModule.primaryOutcomes"],
    "Secondary Outcomes": [_P + "outcomesModule.secondaryOutcomes"],
    "Eligibility Criteria": [_P + "eligibilityModule"],
    "Sponsors": [
        _P + "sponsorCollaboratorsModule.leadSponsor",
        _P + "sponsorCollaboratorsModule.collaborators",
    ],
    "Responsible Party": [_P + "sponsorCollaboratorsModule.responsibleParty"],
    "Principal Investigators": [_P + "contactsLocationsModule.overallOfficials"],
    "Central Contacts": [_P + "contactsLocationsModule.centralContacts"],
    "Facility Contacts": ["sourceSection.facilityContacts"],
    "References": [_P + "referencesModule"],
    "Other Identifiers": [
        _P + "identificationModule.nctIdAliases",
        _P + "identificationModule.orgStudyIdInfo",
        _P + "identificationModule.secondaryIdInfos",
    ],
    "Provided Documents": ["sourceSection.documents"],
}
OTHERS = [
    "Brief Summary", "Related Clinical Trials", "Study Groups", "Interventions", "Other Intervention Names",
    "Locations", "Countries", "More Related Trials",
]  # fmt: skip
HEAD = "Lamps Against Winter Fatigue\nNCT ID: NCT09000001\nLast Updated: 2021-04-15\n"


def test_every_section_filled() -> None:
    assert study(page_a, fixture("a_full.txt")) == FULL


def test_the_same_page_as_html() -> None:
    assert study(page_a, fixture("a_full.html")) == FULL


def test_no_section() -> None:
    assert study(page_a, fixture("a_none.txt")) == {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT09000001", "briefTitle": "Lamps Against Winter Fatigue"},
            "statusModule": {"lastUpdatePostDateStruct": {"date": "2021-04-15"}},
        }
    }


def test_every_section_empty() -> None:
    head, sections = blocks(fixture("a_full.txt"), [*FILLS, *OTHERS])
    captions = {row.caption for row in page_a._ROWS.values()}
    empty = [
        "".join(
            line
            for number, line in enumerate(section.splitlines(keepends=True))
            if number == 0 or line.strip() in captions
        )
        for section in sections
    ]
    assert study(page_a, head + "".join(empty)) == study(page_a, fixture("a_none.txt"))


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_sections_in_any_order(random: Any) -> None:
    head, sections = blocks(fixture("a_full.txt"), [*FILLS, *OTHERS])
    random.shuffle(sections)
    assert study(page_a, head + "".join(sections)) == FULL


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FILLS))))
def test_without_a_section_only_its_fields_are_missing(removed: set[str]) -> None:
    head, sections = blocks(fixture("a_full.txt"), [*FILLS, *OTHERS])
    kept = [section for section in sections if section.splitlines()[0] not in removed]
    expected = copy.deepcopy(FULL)
    for heading in removed:
        for path in FILLS[heading]:
            *above, last = path.split(".")
            node = expected
            for step in above:
                node = node[step]
            del node[last]
    assert study(page_a, head + "".join(kept)) == _without_empty(expected)


def _without_empty(node: dict[str, Any]) -> dict[str, Any]:
    tidy = {key: _without_empty(below) if isinstance(below, dict) else below for key, below in node.items()}
    return {key: below for key, below in tidy.items() if below != {}}


def test_states_are_what_the_sections_always_show() -> None:
    said = set(leaves(FULL))
    # The registry demands a summary of every trial: a page without one has lost it, and is not believed. The
    # types of arms stand on few pages.
    for path in ("descriptionModule.briefSummary", "armsInterventionsModule.armGroups.type"):
        assert _P + path in said - page_a.STATES
    # The full page is of an interventional study and has no oldest age.
    assert page_a.STATES - said == {
        _P + "eligibilityModule.maximumAge",
        _P + "designModule.designInfo.observationalModel",
        _P + "designModule.designInfo.timePerspective",
    }


def test_no_id_sets_the_page_aside_whole() -> None:
    raw = "Lamps\nLast Updated: 2021-04-15\nBrief Summary\nLamps.\n"
    assert items(page_a, raw) == [Rejected("page", 1, "no trial id on the page", raw, "NCTId")]
    (found,) = items(page_a, "Lamps\nNCT ID: NCT0900\nLast Updated: 2021-04-15\n")
    assert isinstance(found, Rejected)
    assert "'NCT0900' is not an NCT id" in found.reason


def test_an_id_of_a_related_trial_is_not_the_pages() -> None:
    (found,) = items(page_a, "Lamps\nMore Related Trials\nStars\nNCT09000092\n")
    assert isinstance(found, Rejected)


def test_what_is_not_understood_is_kept() -> None:
    found = record(page_a, HEAD + "Basic Information\nCOMPLETED\nSun and moon\nStudy Design\nUPSIDE_DOWN\n")
    assert found.study["sourceSection"] == {"unread": ["Sun and moon", "UPSIDE_DOWN"]}
    assert found.odd == (Odd("page", "Sun and moon", "line not understood"),)


@pytest.mark.parametrize(
    ("lines", "start", "completion"),
    [
        (["2012-02-29", "2013-02-27"], "2012-02", "2013-02-27"),
        (["2011-02-28"], "2011-02", None),
        (["2012-02-28"], "2012-02-28", None),
        (["2012-05"], "2012-05", None),
    ],
)
def test_a_months_last_day_is_the_month(lines: list[str], start: str, completion: str | None) -> None:
    page = HEAD + "\n".join(["Basic Information", *lines])
    status = study(page_a, page)["protocolSection"]["statusModule"]
    assert status["startDateStruct"] == {"date": start}
    assert status.get("completionDateStruct") == ({"date": completion} if completion else None)


def test_a_date_that_does_not_exist_is_kept_and_odd() -> None:
    found = record(page_a, HEAD + "Basic Information\n2012-02-30\n")
    assert found.study["protocolSection"]["statusModule"]["startDateStruct"] == {"date": "2012-02-30"}
    assert found.odd == (Odd("StartDate", "2012-02-30", "not a date"),)


def test_no_phase_and_labels_before_the_values() -> None:
    page = HEAD + (
        "Basic Information\nRecruitment Status\nCOMPLETED\nStudy phase\nNA\n"
        "Target enrollment\n113 participants\nCompletion date\n2013-05-31\n"
    )
    protocol = study(page_a, page)["protocolSection"]
    assert protocol["designModule"] == {"phases": ["NA"], "enrollmentInfo": {"count": 113}}
    assert protocol["statusModule"]["completionDateStruct"] == {"date": "2013-05"}
    assert "startDateStruct" not in protocol["statusModule"]


def test_a_new_wording_of_a_caption_is_no_value() -> None:
    page = HEAD + (
        "Brief Summary\nReview the synopsis by the sponsor that highlights what the study is about and why it"
        " is conducted.\nLamps may wake the tired.\n"
        "Conditions\nBrowse all diseases that this trial is about.\nWinter Fatigue\n"
    )
    found = record(page_a, page)
    protocol = found.study["protocolSection"]
    assert protocol["descriptionModule"]["briefSummary"] == "Lamps may wake the tired."
    assert protocol["conditionsModule"]["conditions"] == ["Winter Fatigue"]
    # Neither sentence is lost, and the one that nothing but its style gave away is noted.
    assert len(found.study["sourceSection"]["captions"]) == 2
    assert [odd.field for odd in found.odd] == ["Conditions"]


@pytest.mark.parametrize(
    "summary", ["Explore the effect of lamps.", "Learn whether lamps work in this trial."]
)
def test_a_summary_of_one_sentence_is_a_value_even_in_the_style_of_the_site(summary: str) -> None:
    found = study(page_a, HEAD + f"Brief Summary\n{summary}\n")
    assert found["protocolSection"]["descriptionModule"]["briefSummary"] == summary


def test_results_that_are_there() -> None:
    found = study(page_a, HEAD + "Study Results\nResults posted on\n2020-05-13\nSee the tables.\n")
    assert found["hasResults"] is True
    assert found["protocolSection"]["statusModule"]["resultsFirstPostDateStruct"] == {"date": "2020-05-13"}
    assert found["sourceSection"] == {"results": ["See the tables."]}


def test_groups_whose_labels_are_spelled_like_their_interventions() -> None:
    page = HEAD + (
        "Study Groups\nLamp\nLamp\nA lamp on the desk\nDrops\nDrops\nFive drops\nLamp\nA lamp on the desk\n"
        "Interventions\nLamp\nA lamp on the desk\nDrops\nFive drops\n"
    )
    module = study(page_a, page)["protocolSection"]["armsInterventionsModule"]
    assert module == {
        "armGroups": [
            {"label": "Lamp", "interventionNames": ["Lamp"]},
            {"label": "Drops", "interventionNames": ["Drops", "Lamp"]},
        ],
        "interventions": [
            {"name": "Lamp", "description": "A lamp on the desk", "armGroupLabels": ["Lamp", "Drops"]},
            {"name": "Drops", "description": "Five drops", "armGroupLabels": ["Drops"]},
        ],
    }


def test_an_intervention_without_description_is_not_the_description_of_another() -> None:
    # In the second group the dark lamp does not stand under the bright one, so it does not describe it.
    page = (
        HEAD
        + "Study Groups\nOne\nBright lamp\nDark lamp\nTwo\nDark lamp\nInterventions\nBright lamp\nDark lamp\n"
    )
    found = study(page_a, page)["protocolSection"]["armsInterventionsModule"]
    assert [one["name"] for one in found["interventions"]] == ["Bright lamp", "Dark lamp"]


def test_other_names_of_which_intervention_is_not_said() -> None:
    page = (
        HEAD + "Interventions\nLamp\nIt shines all day.\nDrops\nFive a day.\nOther Intervention Names\nTD-1\n"
    )
    found = record(page_a, page)
    assert found.study["sourceSection"] == {"otherInterventionNames": ["TD-1"]}
    assert [odd.field for odd in found.odd] == ["InterventionOtherName"]


def test_codes_of_an_observational_study() -> None:
    page = HEAD + "Study Design\nOTHER\nPROSPECTIVE\nBasic Information\nOBSERVATIONAL\n"
    design = study(page_a, page)["protocolSection"]["designModule"]
    assert design["designInfo"] == {"observationalModel": "OTHER", "timePerspective": "PROSPECTIVE"}
    page = HEAD + "Study Design\nOTHER\nBasic Information\nINTERVENTIONAL\n"
    design = study(page_a, page)["protocolSection"]["designModule"]
    assert design["designInfo"] == {"primaryPurpose": "OTHER"}


def test_one_age_alone_is_noted() -> None:
    found = record(page_a, HEAD + "Eligibility Criteria\nInclusion Criteria\nTired\n18 Years\nALL\nNo\n")
    assert found.study["protocolSection"]["eligibilityModule"]["minimumAge"] == "18 Years"
    assert [odd.field for odd in found.odd] == ["MinimumAge"]


def test_a_criterion_that_is_a_word_of_the_site() -> None:
    # "No" and "ALL" are values only at the end.
    page = HEAD + "Eligibility Criteria\nInclusion Criteria\nALL\nNo\nTired\n"
    eligibility = study(page_a, page)["protocolSection"]["eligibilityModule"]
    assert eligibility == {"eligibilityCriteria": "Inclusion Criteria:\n\nALL\n\nNo\n\nTired"}


def test_related_trials_are_nowhere_in_the_study() -> None:
    found = study(page_a, fixture("a_full.txt"))
    del found["sourceSection"]
    assert "Moon" not in str(found)
    assert "NCT0900009" not in str(found)


def test_recognition() -> None:
    assert page_a.recognises(fixture("a_full.txt")[:2000])
    assert page_a.recognises(fixture("a_full.html")[:3000])
    assert page_a.recognises(fixture("a_none.txt"))
    # The page of results of the same site is another layout.
    head = "Findings\nNCT ID: NCT09000001\nLast Updated: 2021-04-15\n"
    assert not page_a.recognises(head + "Results Overview\nx\nParticipant Flow\ny\nz\n")
    assert not page_a.recognises("A list\nNCT ID: NCT09000001\nNCT ID: NCT09000002\nConditions\n")
