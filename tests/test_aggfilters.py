"""The registry's aggFilters strings: every key of the table by hand, and what is none of them."""

from __future__ import annotations

import pytest

from trialindex.errors import QueryError
from trialsearch.aggfilters import AGG_FILTERS, agg_queries

# Each key as the registry has it, and the query that it means.
TABLE = {
    "results:with": "AREA[HasResults]true",
    "results:without": "NOT AREA[HasResults]true",
    "status:not": "AREA[OverallStatus]NOT_YET_RECRUITING",
    "status:rec": "AREA[OverallStatus]RECRUITING",
    "status:enr": "AREA[OverallStatus]ENROLLING_BY_INVITATION",
    "status:act": "AREA[OverallStatus]ACTIVE_NOT_RECRUITING",
    "status:com": "AREA[OverallStatus]COMPLETED",
    "status:ter": "AREA[OverallStatus]TERMINATED",
    "status:sus": "AREA[OverallStatus]SUSPENDED",
    "status:wit": "AREA[OverallStatus]WITHDRAWN",
    "status:unk": "AREA[OverallStatus]UNKNOWN",
    "phase:0": "AREA[Phase]EARLY_PHASE1",
    "phase:1": "AREA[Phase]PHASE1",
    "phase:2": "AREA[Phase]PHASE2",
    "phase:3": "AREA[Phase]PHASE3",
    "phase:4": "AREA[Phase]PHASE4",
    "phase:na": "AREA[Phase]NA",
    "ages:child": "AREA[StdAge]CHILD",
    "ages:adult": "AREA[StdAge]ADULT",
    "ages:older": "AREA[StdAge]OLDER_ADULT",
    "sex:f": "AREA[Sex]FEMALE OR AREA[Sex]ALL",
    "sex:m": "AREA[Sex]MALE OR AREA[Sex]ALL",
    "sex:all": "AREA[Sex]ALL",
    "studyType:int": "AREA[StudyType]INTERVENTIONAL",
    "studyType:obs": "AREA[StudyType]OBSERVATIONAL",
    "studyType:exp": "AREA[StudyType]EXPANDED_ACCESS",
    "funderType:nih": "AREA[LeadSponsorClass]NIH OR AREA[CollaboratorClass]NIH",
    "funderType:fed": "AREA[LeadSponsorClass]FED OR AREA[CollaboratorClass]FED",
    "funderType:industry": "AREA[LeadSponsorClass]INDUSTRY OR AREA[CollaboratorClass]INDUSTRY",
    "funderType:indiv": "AREA[LeadSponsorClass]INDIV OR AREA[CollaboratorClass]INDIV",
    "funderType:network": "AREA[LeadSponsorClass]NETWORK OR AREA[CollaboratorClass]NETWORK",
    "funderType:other": " OR ".join(
        f"AREA[LeadSponsorClass]{code} OR AREA[CollaboratorClass]{code}"
        for code in ("OTHER_GOV", "INDIV", "NETWORK", "AMBIG", "OTHER", "UNKNOWN")
    ),
    "healthy:y": "AREA[HealthyVolunteers]true",
    "healthy:n": "AREA[HealthyVolunteers]false",
    "docs:prot": "AREA[LargeDocHasProtocol]true",
    "docs:sap": "AREA[LargeDocHasSAP]true",
    "docs:icf": "AREA[LargeDocHasICF]true",
}


def test_the_table_has_these_keys_and_no_others() -> None:
    assert {f"{name}:{key}" for name, keys in AGG_FILTERS.items() for key in keys} == set(TABLE)


@pytest.mark.parametrize("text", TABLE)
def test_each_key_means_its_query(text: str) -> None:
    assert {label: str(query) for label, query in agg_queries(text).items()} == {text: TABLE[text]}


def test_filters_are_joined_by_commas_or_bars_and_keys_by_spaces() -> None:
    asked = "results:with,status:rec not|phase:2  3 2, studytype:INT"
    assert {label: str(query) for label, query in agg_queries(asked).items()} == {
        "results:with": "AREA[HasResults]true",
        "status:rec not": "AREA[OverallStatus]RECRUITING OR AREA[OverallStatus]NOT_YET_RECRUITING",
        "phase:2 3 2": "AREA[Phase]PHASE2 OR AREA[Phase]PHASE3",
        "studyType:INT": "AREA[StudyType]INTERVENTIONAL",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phase:PHASE3", "phase has no key 'PHASE3'; its keys are 0, 1, 2, 3, 4, na"),
        ("status:rec,ages:kid", "ages has no key 'kid'; its keys are child, adult, older"),
        ("phases:3", "no filter 'phases'; they are results, status, phase, ages, sex, studyType,"),
        ("phase", "phase needs a key: 0, 1, 2, 3, 4, na"),
        ("phase:", "phase needs a key"),
        ("recruiting", "no filter 'recruiting'"),
        (" , ", "aggFilters is empty"),
    ],
)
def test_what_is_no_filter_or_key_is_an_error_that_names_them(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        agg_queries(text)
    assert message in str(caught.value)
