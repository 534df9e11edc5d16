"""Facets: counted by hand on a small index, and against a count trial by trial over random ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import make_index, study
from trialindex.analysis import fold
from trialindex.errors import QueryError
from trialsearch import TrialSearch, facet_text
from trialsearch.export import as_json
from trialsearch.facets import Facet, FacetValue, facet_field
from trialsearch.lines import plain

STUDIES = [
    study(
        "NCT00000001",
        BriefTitle="One lupus",
        Condition=["Lupus Nephritis", "LUPUS NEPHRITIS"],
        ConditionMeshTerm=["Lupus Nephritis"],
        Phase=["PHASE1", "PHASE2"],
        OverallStatus="RECRUITING",
        StartDate="2012-02",
        EnrollmentCount=49,
        LeadSponsorName="Acme",
        LeadSponsorClass="INDUSTRY",
        LocationCountry=["Turkey", "France", "France"],
        LocationCity=["Ankara", "Paris", "Paris"],
        StdAge=["CHILD", "ADULT"],
        HasResults=True,
    ),
    study(
        "NCT00000002",
        BriefTitle="Two lupus",
        Condition=["Lupus nephritis", "Asthma"],
        Phase=["PHASE2"],
        OverallStatus="RECRUITING",
        StartDate="2012-12-31",
        EnrollmentCount=50,
        LeadSponsorName="ACME",
        LeadSponsorClass="INDUSTRY",
        LocationCountry=["Turkey (Türkiye)"],
        HasResults=False,
    ),
    study(
        "NCT00000003",
        BriefTitle="Three lupus",
        Condition=["Lupus nephritis"],
        Phase=["NA"],
        OverallStatus="COMPLETED",
        StartDate="1999",
        EnrollmentCount=99999999,
        LeadSponsorName="Other",
    ),
    study("NCT00000004", BriefTitle="Four asthma", Condition=["Asthma"], Phase=["PHASE2"], StartDate="2013"),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> TrialSearch:
    return TrialSearch.open(make_index(tmp_path_factory.mktemp("facets"), STUDIES))


def counted(facet: Facet) -> list[tuple[str, str, int]]:
    return [(one.value, one.label, one.trials) for one in facet.values]


def test_codes_count_once_for_each_trial_that_has_them(trials: TrialSearch) -> None:
    facet = trials.search("lupus").facets("phase")["phase"]
    assert counted(facet) == [
        ("PHASE2", "Phase 2", 2),
        ("NA", "Not applicable", 1),
        ("PHASE1", "Phase 1", 1),
    ]
    assert (facet.field, facet.missing, facet.total, facet.others) == ("Phase", 0, 3, 0)


def test_all_hits_count_not_the_page(trials: TrialSearch) -> None:
    page = trials.search("lupus", limit=1, offset=1)
    assert len(page) == 1
    assert counted(page.facets("status")["status"]) == [
        ("RECRUITING", "Recruiting", 2),
        ("COMPLETED", "Completed", 1),
    ]


def test_a_filter_narrows_what_is_counted(trials: TrialSearch) -> None:
    assert counted(trials.search("ALL", phase=1).facets("phase")["phase"]) == [
        ("PHASE1", "Phase 1", 1),
        ("PHASE2", "Phase 2", 1),
    ]


def test_trials_without_a_value_are_missing(trials: TrialSearch) -> None:
    facets = trials.search("ALL").facets("status", "age group", "city", "has results", "enrolment", "state")
    assert {name: (facet.missing, facet.total) for name, facet in facets.items()} == {
        "status": (1, 4),
        "age group": (3, 4),
        "city": (3, 4),
        "has results": (2, 4),
        "enrolment": (2, 4),
        "state": (4, 4),
    }
    assert counted(facets["has results"]) == [
        ("true", "with results", 1),
        ("false", "without results", 1),
    ]
    assert counted(facets["city"]) == [("ankara", "Ankara", 1), ("paris", "Paris", 1)]
    assert counted(facets["state"]) == []


def test_names_are_one_whatever_their_case_and_a_trial_counts_once(trials: TrialSearch) -> None:
    facets = trials.search("ALL").facets("condition", "sponsor", "funder")
    # Written so by two trials, otherwise by one each.
    assert counted(facets["condition"]) == [
        ("lupus nephritis", "Lupus nephritis", 3),
        ("asthma", "Asthma", 2),
    ]
    assert counted(facets["sponsor"])[0][::2] == ("acme", 2)
    assert counted(facets["funder"]) == [("INDUSTRY", "Industry", 2)]


def test_names_of_one_country_are_one(trials: TrialSearch) -> None:
    facet = trials.search("ALL").facets("country")["country"]
    assert counted(facet) == [("turkey", "Turkey", 2), ("france", "France", 1)]
    assert facet.missing == 2


def test_dates_count_by_year_the_latest_first(trials: TrialSearch) -> None:
    facet = trials.search("ALL").facets("start", limit=2)["start"]
    assert counted(facet) == [("2013", "2013", 1), ("2012", "2012", 2)]
    assert facet.others == 1


def test_participants_count_in_bands_without_the_placeholder(trials: TrialSearch) -> None:
    facet = trials.search("ALL").facets("enrollment")["enrollment"]
    assert counted(facet) == [("10..49", "10 to 49", 1), ("50..99", "50 to 99", 1)]
    assert facet.missing == 2


def test_a_limit_leaves_out_values_and_says_how_many(trials: TrialSearch) -> None:
    results = trials.search("ALL")
    facet = results.facets("phase", limit=1)["phase"]
    assert (counted(facet), facet.others) == ([("PHASE2", "Phase 2", 3)], 2)
    assert results.facets("phase", limit=0)["phase"].others == 3
    assert len(results.facets("phase", limit=None)["phase"].values) == 3
    with pytest.raises(QueryError, match="0 or more"):
        results.facets("phase", limit=-1)


def test_nothing_found_has_facets_without_values(trials: TrialSearch) -> None:
    for name in ("phase", "condition", "start", "enrolment", "country"):
        facet = trials.search("zzzzzz", fuzzy=False).facets(name)[name]
        assert (facet.values, facet.missing, facet.total, facet.others) == ((), 0, 0, 0)


def test_deleted_and_replaced_trials_do_not_count(tmp_path: Path) -> None:
    make_index(tmp_path, STUDIES)
    make_index(tmp_path, [study("NCT00000004", BriefTitle="Four", Condition=["Gout"])])
    with TrialSearch.open(tmp_path) as trials:
        facet = trials.search("ALL").facets("condition")["condition"]
    assert counted(facet)[1:] == [("asthma", "Asthma", 1), ("gout", "Gout", 1)]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("StartDate", "StartDate"),
        ("Start", "StartDate"),
        ("overallstatus", "OverallStatus"),
        ("age_group", "StdAge"),
        ("has-results", "HasResults"),
        ("LocationCountry", "Country"),
        ("LeadSponsorName", "SponsorName"),
        ("masking", "DesignMasking"),
        ("enrolment", "EnrollmentCount"),
    ],
)
def test_names_of_facets(name: str, field: str) -> None:
    assert facet_field(name) == field


def test_an_unknown_facet_names_the_nearest(trials: TrialSearch) -> None:
    with pytest.raises(QueryError, match="no facet 'fase'"):
        facet_field("fase")
    with pytest.raises(QueryError, match="the nearest: country"):
        trials.search("ALL").facets("phase", "contry")
    with pytest.raises(QueryError, match="no code, date or name"):
        facet_field("BriefTitle")
    with pytest.raises(QueryError, match="no code, date or name"):
        facet_field("AnyId")


def test_as_json_has_an_object_of_facets_only_when_asked(trials: TrialSearch) -> None:
    results = trials.search("lupus", limit=0)
    facets = results.facets("status", limit=1)
    assert json.loads(as_json(results, facets=facets))["facets"] == {
        "status": {
            "field": "OverallStatus",
            "total": 3,
            "missing": 0,
            "others": 1,
            "values": [{"value": "RECRUITING", "label": "Recruiting", "count": 2}],
        }
    }
    assert "facets" not in json.loads(as_json(results))


def table(ascii_only: bool, *values: FacetValue) -> list[str]:
    facet = Facet("Country", values, 0, 8, 0)
    return list(plain(facet_text.lines({"country": facet}, ascii_only)))


def test_bars_are_as_long_as_the_counts() -> None:
    rows = table(False, FacetValue("a", "Aa", 8), FacetValue("b", "Bb", 3))
    assert rows == [
        "country              8 trials",
        "  Aa                 8 100.0%  " + "█" * 24,
        "  Bb                 3  37.5%  " + "█" * 9,
    ]


@pytest.mark.parametrize("width", [36, 40, 60, 80])
def test_a_line_is_as_wide_as_the_terminal(width: int) -> None:
    values = (FacetValue("a", "A" * 50, 8), FacetValue("b", "Bb", 3))
    shown = list(plain(facet_text.lines({"country": Facet("Country", values, 0, 8, 0)}, width=width)))
    assert [line.split()[0][:2] for line in shown] == ["co", "AA", "Bb"]
    assert max(map(len, shown)) <= width
    assert shown[1].endswith("█") and shown[2].count("█") <= shown[1].count("█")


def test_a_terminal_of_ascii_sees_ascii() -> None:
    rows = table(True, FacetValue("a", "A" * 50, 8), FacetValue("b", "B", 1))
    assert all(row.isascii() for row in rows)
    assert rows[1].split() == ["A" * 37 + "...", "8", "100.0%", "#" * 24]
    assert rows[2].split() == ["B", "1", "12.5%", "###"]


def test_what_could_steer_a_terminal_does_not() -> None:
    assert "\x1b" not in "".join(table(False, FacetValue("a", "A\x1b[31m", 8)))


PHASES = st.lists(st.sampled_from(["NA", "PHASE1", "PHASE2", "PHASE3"]), unique=True)
WORDS = st.lists(st.sampled_from(["Asthma", "ASTHMA", "Gout", "gout", "Lupus"]), max_size=4)
COUNTRIES = st.lists(st.sampled_from(["France", "Chad", "Peru"]), max_size=3)
DATES = st.sampled_from([None, "1999", "2012-01", "2012-12-31", "2013-01-01"])
MADE = st.lists(
    st.fixed_dictionaries(
        {
            "Phase": PHASES,
            "Condition": WORDS,
            "LocationCountry": COUNTRIES,
            "StartDate": DATES,
            "hit": st.booleans(),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(MADE)
@settings(max_examples=25, deadline=None)
def test_facets_are_what_a_count_trial_by_trial_gives(
    tmp_path_factory: pytest.TempPathFactory, made: list[dict[str, Any]]
) -> None:
    studies = [
        study(
            f"NCT{number:08}",
            BriefTitle="wanted" if one["hit"] else "other",
            **{key: value for key, value in one.items() if key != "hit" and value},
        )
        for number, one in enumerate(made)
    ]
    with TrialSearch.open(make_index(tmp_path_factory.mktemp("random"), studies)) as trials:
        facets = trials.search("title:wanted").facets("phase", "condition", "country", "start", limit=None)
    hits = [one for one in made if one["hit"]]
    expected = {
        "phase": [set(one["Phase"]) for one in hits],
        "condition": [{fold(name) for name in one["Condition"]} for one in hits],
        "country": [{name.lower() for name in one["LocationCountry"]} for one in hits],
        "start": [{one["StartDate"][:4]} if one["StartDate"] else set() for one in hits],
    }
    for name, sets in expected.items():
        facet = facets[name]
        assert {one.value: one.trials for one in facet.values} == Counter(x for held in sets for x in held)
        assert facet.missing == sum(not held for held in sets)
        assert facet.total == len(hits)


def test_of_several_dates_in_one_year_a_trial_counts_once(tmp_path: Path) -> None:
    def documents(number: int, *days: str) -> dict[str, Any]:
        held = {"largeDocs": [{"date": day} for day in days]}
        return study(f"NCT{number:08}") | {"documentSection": {"largeDocumentModule": held}}

    made = [documents(1, "2012-01-02", "2012-12-31", "2014-01-01"), documents(2, "2012-06-01"), documents(3)]
    with TrialSearch.open(make_index(tmp_path, made)) as trials:
        facet = trials.search("ALL").facets("LargeDocDate")["LargeDocDate"]
    assert counted(facet) == [("2014", "2014", 1), ("2012", "2012", 2)]
    assert facet.missing == 1
