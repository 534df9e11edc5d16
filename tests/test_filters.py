"""Every filter over records that differ in one thing each, every wrong value, and how a filter leaves the
order alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from small import ids, make_index, study
from trialindex.errors import QueryError, QuerySyntaxError
from trialsearch import TrialSearch
from trialsearch.filters import FILTERS, FilterValues, filter_parts

# What the first trial has, and all others but for one thing each.
HAS: dict[str, Any] = {
    "BriefTitle": "zab",
    "OverallStatus": "RECRUITING",
    "Phase": ["PHASE1", "PHASE2"],
    "StudyType": "INTERVENTIONAL",
    "DesignAllocation": "RANDOMIZED",
    "DesignMasking": "DOUBLE",
    "DesignPrimaryPurpose": "TREATMENT",
    "DesignInterventionModel": "PARALLEL",
    "LeadSponsorClass": "INDUSTRY",
    "Sex": "FEMALE",
    "MinimumAge": "18 Years",
    "MaximumAge": "65 Years",
    "StdAge": ["ADULT", "OLDER_ADULT"],
    "HealthyVolunteers": False,
    "HasResults": True,
    "StartDate": "2012-02",
    "PrimaryCompletionDate": "2013-05-06",
    "CompletionDate": "2014",
    "StudyFirstSubmitDate": "2011-01-02",
    "StudyFirstPostDate": "2011-01-05",
    "ResultsFirstSubmitDate": "2015-03-04",
    "ResultsFirstPostDate": "2015-04-05",
    "LastUpdateSubmitDate": "2016-06-07",
    "LastUpdatePostDate": "2016-06-09",
    "StatusVerifiedDate": "2016-05",
    "EnrollmentCount": 120,
    "OrgStudyId": "KOD-77",
    "NCTIdAlias": ["NCT09999999"],
}
LISTS: dict[str, Any] = {
    "interventions": [{"type": "DRUG", "name": "mofumab"}],
    "sites": [
        {"facility": "Zub Clinic", "city": "Portland", "state": "Maine", "country": "United States"},
        {"facility": "Wuk Hospital", "city": "Lyon", "country": "France"},
    ],
    "collaborators": [{"name": "Kad", "class": "OTHER"}],
}
DIFFER: dict[str, dict[str, Any]] = {
    "status": {"OverallStatus": "COMPLETED"},
    "phase": {"Phase": ["PHASE3"]},
    "phase not applicable": {"Phase": ["NA"]},
    "no phase": {"Phase": None},
    "type": {"StudyType": "OBSERVATIONAL"},
    "allocation": {"DesignAllocation": "NON_RANDOMIZED"},
    "masking": {"DesignMasking": "NONE"},
    "purpose": {"DesignPrimaryPurpose": "PREVENTION"},
    "model": {"DesignInterventionModel": "CROSSOVER"},
    "intervention type": {"interventions": [{"type": "DEVICE", "name": "mofumab"}]},
    "lead": {"LeadSponsorClass": "NIH"},
    "collaborator": {"LeadSponsorClass": "NIH", "collaborators": [{"name": "Kad", "class": "INDUSTRY"}]},
    "men": {"Sex": "MALE"},
    "all": {"Sex": "ALL"},
    "no sex": {"Sex": None},
    "older": {"MinimumAge": "40 Years"},
    "younger": {"MaximumAge": "30 Years"},
    "no ages": {"MinimumAge": None, "MaximumAge": None},
    "children": {"StdAge": ["CHILD"]},
    "healthy": {"HealthyVolunteers": True},
    "healthy not stated": {"HealthyVolunteers": None},
    "no results": {"HasResults": False},
    "start": {"StartDate": "2012-03"},
    "no start": {"StartDate": None},
    "primary completion": {"PrimaryCompletionDate": "2013-05-07"},
    "completion": {"CompletionDate": "2015"},
    "submitted": {"StudyFirstSubmitDate": "2011-01-03"},
    "posted": {"StudyFirstPostDate": "2011-01-06"},
    "results submitted": {"ResultsFirstSubmitDate": "2015-03-05"},
    "results posted": {"ResultsFirstPostDate": "2015-04-06"},
    "update submitted": {"LastUpdateSubmitDate": "2016-06-08"},
    "updated": {"LastUpdatePostDate": "2016-06-10"},
    "verified": {"StatusVerifiedDate": "2016-06"},
    "few": {"EnrollmentCount": 119},
    "placeholder": {"EnrollmentCount": 99999999},
    "no enrollment": {"EnrollmentCount": None},
    "id": {"OrgStudyId": "KOD-78", "NCTIdAlias": ["NCT09999998"]},
    "country": {"sites": [LISTS["sites"][0], {**LISTS["sites"][1], "country": "Spain"}]},
    "city": {"sites": [{**LISTS["sites"][0], "city": "Bangor"}, LISTS["sites"][1]]},
    # The same words, never on one and the same site.
    "apart": {
        "sites": [
            {"facility": "Zub Clinic", "city": "Portland", "country": "France"},
            {"facility": "Wuk Hospital", "city": "Lyon", "state": "Maine", "country": "United States"},
        ]
    },
    "no sites": {"sites": []},
}
NAMES = ["base", *DIFFER]


def record(nct_id: str, **pieces: Any) -> dict[str, Any]:
    held = {**HAS, **LISTS, **pieces}
    lists = {name: held.pop(name) for name in LISTS}
    made = study(nct_id, **{piece: value for piece, value in held.items() if value is not None})
    protocol = made["protocolSection"]
    protocol.setdefault("armsInterventionsModule", {})["interventions"] = lists["interventions"]
    protocol.setdefault("contactsLocationsModule", {})["locations"] = lists["sites"]
    protocol.setdefault("sponsorCollaboratorsModule", {})["collaborators"] = lists["collaborators"]
    return made


def _id(number: int) -> str:
    return f"NCT0000{number:04d}"


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [record(_id(0)), *(record(_id(1 + n), **differs) for n, differs in enumerate(DIFFER.values()))]
    with TrialSearch.open(make_index(tmp_path_factory.mktemp("filters") / "index", studies)) as opened:
        yield opened


def names(trials: TrialSearch, **filters: Any) -> set[str]:
    """Return the names of the records that filters leave."""
    results = trials.search(limit=None, **filters)
    assert results.total == len(results)
    return {NAMES[int(hit.id[-4:])] for hit in results}


@pytest.mark.parametrize(
    ("filters", "without"),
    [
        ({"status": "recruiting"}, {"status"}),
        ({"status": ["Recruiting", "withdrawn"]}, {"status"}),
        ({"phase": 1}, {"phase", "phase not applicable", "no phase"}),
        ({"phase": "2"}, {"phase", "phase not applicable", "no phase"}),
        ({"phase": "1/2"}, {"phase", "phase not applicable", "no phase"}),
        ({"phase": [1, 3]}, {"phase not applicable", "no phase"}),
        ({"phase": "2,na"}, {"phase", "no phase"}),
        ({"phase": ["1", "none"]}, {"phase", "phase not applicable"}),
        ({"type": "interventional"}, {"type"}),
        ({"allocation": "randomized"}, {"allocation"}),
        ({"masking": "double,triple"}, {"masking"}),
        ({"purpose": "treatment"}, {"purpose"}),
        ({"model": "Parallel Assignment"}, {"model"}),
        ({"intervention_type": "drug"}, {"intervention type"}),
        ({"funder": "industry"}, {"lead"}),
        ({"sex": "female"}, {"men", "no sex"}),
        ({"age": 34}, {"older", "younger"}),
        ({"age": "18 years"}, {"older"}),
        ({"age": 66}, {*NAMES} - {"no ages"}),
        ({"age_group": "adult"}, {"children"}),
        ({"age_group": ["child", "older"]}, set()),
        ({"healthy": "no"}, {"healthy", "healthy not stated"}),
        ({"healthy": False}, {"healthy", "healthy not stated"}),
        ({"with_results": True}, {"no results"}),
        ({"start": "2012-02"}, {"start", "no start"}),
        ({"start": "..2012-02-10"}, {"start", "no start"}),
        ({"start": "2012.."}, {"no start"}),
        ({"primary_completion": "2013-05-01..2013-05-06"}, {"primary completion"}),
        ({"completion": "2014"}, {"completion"}),
        ({"submitted": "2011-01-02"}, {"submitted"}),
        ({"posted": "..2011-01-05"}, {"posted"}),
        ({"results_submitted": "2015-03-04"}, {"results submitted"}),
        ({"results_posted": "2015-04-05"}, {"results posted"}),
        ({"update_submitted": "2016-06-07"}, {"update submitted"}),
        ({"updated": "2016-06-09"}, {"updated"}),
        ({"verified": "2016-05"}, {"verified"}),
        ({"enrollment": "120.."}, {"few", "placeholder", "no enrollment"}),
        ({"enrollment": 120}, {"few", "placeholder", "no enrollment"}),
        ({"enrollment": "..1000000"}, {"placeholder", "no enrollment"}),
        ({"ids": "kod-77"}, {"id"}),
        ({"country": "France"}, {"country", "no sites"}),
        ({"country": ["Spain", "france"]}, {"no sites"}),
        ({"country": "usa"}, {"no sites"}),
        ({"city": "portland"}, {"city", "no sites"}),
        ({"state": "Maine"}, {"no sites"}),
        ({"facility": "Zub Clinic"}, {"no sites"}),
        ({"city": "Portland", "state": "Maine"}, {"city", "apart", "no sites"}),
        ({"city": "Portland", "country": "USA"}, {"city", "apart", "no sites"}),
        (
            {"facility": "wuk", "city": "Lyon", "country": ["Peru", "France"]},
            {"country", "apart", "no sites"},
        ),
        ({"filter": "zab"}, set()),
        ({"filter": "AREA[OverallStatus]RECRUITING AND AREA[Sex]FEMALE"}, {"status", "men", "all", "no sex"}),
        ({"filter": ["phase:2", "masking:double"]}, {"phase", "phase not applicable", "no phase", "masking"}),
        ({"agg_filters": "status:rec,healthy:n"}, {"status", "healthy", "healthy not stated"}),
        ({"phase": None, "status": (), "country": []}, set()),
    ],
)
def test_a_filter_leaves_out_exactly_what_differs_in_it(
    trials: TrialSearch, filters: dict[str, Any], without: set[str]
) -> None:
    assert names(trials, **filters) == {*NAMES} - without


@pytest.mark.parametrize(
    ("filters", "only"),
    [
        ({"phase": "na"}, {"phase not applicable"}),
        ({"phase": "none"}, {"no phase"}),
        ({"funder": "nih"}, {"lead", "collaborator"}),
        ({"sex": "male"}, {"men", "all"}),
        ({"sex": "all"}, {"all"}),
        ({"sex": ["male", "all"]}, {"men", "all"}),
        ({"age_group": "child"}, {"children"}),
        ({"healthy": "yes"}, {"healthy"}),
        ({"with_results": False}, {"no results"}),
        ({"ids": ["NCT09999998"]}, {"id"}),
        ({"ids": [_id(0), _id(1)]}, {"base", "status"}),
        ({"city": "South Portland"}, set()),
        ({"country": "Peru"}, set()),
        ({"city": "Portland Lyon"}, set()),
        ({"filter": "NOT zab"}, set()),
        ({"status": "completed", "phase": 3}, set()),
    ],
)
def test_a_filter_finds_only_these(trials: TrialSearch, filters: dict[str, Any], only: set[str]) -> None:
    assert names(trials, **filters) == only


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"status": "open"}, "no status 'open'; one of NOT_YET_RECRUITING, RECRUITING, "),
        ({"status": "open"}, " and 7 more: trialsearch fields OverallStatus"),
        ({"status": "completd"}, "no status 'completd'; did you mean COMPLETED?"),
        ({"status": "active"}, "no status 'active'; did you mean ACTIVE_NOT_RECRUITING?"),
        ({"start": "2012-2013"}, "is no date: write 2012, 2012-02 or 2012-02-29; a range: FROM..TO, "),
        ({"phase": 5}, "no phase '5'; one of NA, EARLY_PHASE1, PHASE1, PHASE2, PHASE3, PHASE4, or none "),
        ({"phase": "none,5"}, "no phase '5'"),
        ({"type": "x"}, "no type 'x'; one of INTERVENTIONAL, OBSERVATIONAL, EXPANDED_ACCESS"),
        ({"allocation": "x"}, "no allocation 'x'; one of RANDOMIZED, NON_RANDOMIZED, NA"),
        ({"masking": "x"}, "no masking 'x'; one of NONE, SINGLE, DOUBLE, TRIPLE, QUADRUPLE"),
        ({"purpose": "x"}, "no purpose 'x'; one of TREATMENT, PREVENTION, "),
        ({"model": "x"}, "no model 'x'; one of SINGLE_GROUP, PARALLEL, CROSSOVER, FACTORIAL, SEQUENTIAL"),
        ({"intervention_type": "x"}, "no intervention type 'x'; one of BEHAVIORAL, "),
        ({"funder": "x"}, "no funder 'x'; one of NIH, FED, OTHER_GOV, INDIV, INDUSTRY, NETWORK, "),
        ({"sex": "x"}, "no sex 'x'; one of FEMALE, MALE, ALL"),
        ({"age": "old"}, "'old' is no age: write 34, or 6 months"),
        ({"age_group": "kid"}, "no age group 'kid'; one of CHILD, ADULT, OLDER_ADULT"),
        ({"healthy": "x"}, "no healthy volunteers 'x'; one of yes, no"),
        ({"with_results": "yes"}, "with results is True or False"),
        *(({name: "soon"}, f"{name.replace('_', ' ')}: 'soon' is no date: write 2012, ") for name in
          ("start", "primary_completion", "completion", "submitted", "posted", "results_submitted",
           "results_posted", "update_submitted", "updated", "verified")),
        ({"start": "2013..2012"}, "start: the range ends before it begins: turned round it is [2012, 2013]"),
        ({"start": " .. "}, "start needs a bound: FROM..TO, FROM.., ..TO or one value"),
        ({"enrollment": "many"}, "enrollment: 'many' is no number: write 100"),
        ({"country": ""}, "country needs a value"),
        ({"country": "Frannce"}, "no country 'Frannce'; the nearest that trials have: France; "),
        ({"country": ["USA", "x"]}, "no country 'x'; write its name, like France"),
        ({"country": "Narnia", "city": "Lyon"}, "no country 'Narnia'"),
        ({"state": " "}, "state needs a value"),
        ({"city": ["Portland", ""]}, "city needs a value"),
        ({"facility": ""}, "facility needs a value"),
        ({"near": "Bostn"}, "no place 'Bostn' is known; the nearest: Boston"),
        ({"near": "Boston", "within": "x"}, "'x' is no distance: write 50mi or 80km"),
        ({"near": "Boston", "within": "900mi"}, "a radius is 1 to 500 miles"),
        ({"within": "50mi"}, "within needs a place"),
        ({"ids": ","}, "ids takes 1 to 1,000 ids, and these are 0"),
        ({"ids": [f"X{number}" for number in range(1001)]}, "ids takes 1 to 1,000 ids, and these are 1,001"),
        ({"agg_filters": "phase:PHASE3"}, "aggFilters: phase has no key 'PHASE3'; its keys are 0, 1, "),
        ({"status": "recruiting," * 2_000}, "status takes at most 20,000 characters"),
        ({"phases": 2}, "no filter 'phases'; did you mean phase?"),
        ({"condi": "x"}, "no filter 'condi'; did you mean cond?"),
        ({"zzzzzz": 2}, "no filter 'zzzzzz'; one of status, type, "),
    ],
)  # fmt: skip
def test_a_wrong_value_names_the_right_ones(
    trials: TrialSearch, filters: dict[str, Any], message: str
) -> None:
    with pytest.raises(QueryError) as caught:
        trials.search(**filters)
    assert message in str(caught.value)


def test_a_filter_expression_that_is_wrong_shows_its_place(trials: TrialSearch) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        trials.search(filter="zab AND")
    assert str(caught.value).splitlines()[1:] == ["  zab AND", "         ^"]


def test_filters_are_documented_where_they_are_typed() -> None:
    assert set(FILTERS) == set(FilterValues.__annotations__)
    told = FilterValues.__doc__ or ""
    between = ("allocation", "masking", "purpose", "model", "intervention_type", "primary_completion",
               "completion", "submitted", "posted", "results_submitted", "results_posted",
               "update_submitted", "updated", "type")  # fmt: skip
    assert [name for name in FILTERS if f"`{name}`" not in told and name not in between] == []


def test_filters_leave_the_order_and_the_scores_alone(trials: TrialSearch) -> None:
    plain = trials.search("zab mofumab", limit=None)
    filters = {"filter": ['zab OR "mofumab"', "AREA[Phase]PHASE2 AND hospital"], "country": "France"}
    filtered = trials.search("zab mofumab", limit=None, **filters)  # type: ignore[arg-type]
    left = set(ids(filtered))
    assert 0 < len(left) < len(plain)
    assert [(hit.id, hit.score) for hit in filtered] == [
        (hit.id, hit.score) for hit in plain if hit.id in left
    ]


def test_places_that_are_given_apart_are_one_part() -> None:
    parts = filter_parts({"city": "Portland", "status": "recruiting", "country": ["USA", "France"]})
    assert [(part.label, str(part.query)) for part in parts] == [
        (
            "one site: city Portland, country USA or France",
            'SEARCH[Location](EXPANSION[Term]AREA[LocationCity]"Portland" AND '
            '(EXPANSION[Term]COVERAGE[FullMatch]AREA[LocationCountry]"united states" OR '
            'EXPANSION[Term]COVERAGE[FullMatch]AREA[LocationCountry]"france"))',
        ),
        ("status: recruiting", "AREA[OverallStatus]RECRUITING"),
    ]
