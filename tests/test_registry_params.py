"""Parameters of the registry's API: what each means, what is none, and the answers of scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from small import ids, make_index, study
from trialindex.errors import QueryError
from trialsearch import TrialSearch
from trialsearch.registry_params import PARAMETERS, arguments


@pytest.mark.parametrize(
    ("parameters", "meant"),
    [
        ({"query.cond": "lung cancer"}, {"cond": "lung cancer"}),
        ({"query.term": "AREA[Phase]PHASE2"}, {"query": "AREA[Phase]PHASE2"}),
        ({"query.intr": "a"}, {"intr": "a"}),
        ({"query.titles": "a"}, {"title": "a"}),
        ({"query.outc": "a"}, {"outcome": "a"}),
        ({"query.spons": "a"}, {"sponsor": "a"}),
        ({"query.lead": "a"}, {"lead": "a"}),
        ({"query.id": "a"}, {"id": "a"}),
        ({"query.locn": "a"}, {"location": "a"}),
        ({"query.patient": "a"}, {"patient": "a"}),
        ({"filter.overallStatus": "RECRUITING, COMPLETED"}, {"status": ("RECRUITING", "COMPLETED")}),
        ({"filter.overallStatus": ["RECRUITING", "COMPLETED"]}, {"status": ("RECRUITING", "COMPLETED")}),
        ({"filter.geo": "distance(39.0035707, -77.1013313, 50mi)"},
         {"near": "39.0035707,-77.1013313", "within": "50mi"}),
        ({"filter.ids": "NCT00000001|NCT00000002"}, {"ids": ("NCT00000001", "NCT00000002")}),
        ({"filter.advanced": "AREA[StdAge]CHILD"}, {"filter": ("AREA[StdAge]CHILD",)}),
        ({"filter.advanced": "a", "postFilter.advanced": "b"}, {"filter": ("a", "b")}),
        ({"aggFilters": "phase:2"}, {"agg_filters": "phase:2"}),
        ({"sort": "@relevance,LastUpdatePostDate:desc"}, {"sort": "@relevance,LastUpdatePostDate:desc"}),
        ({"pageSize": 5, "pageToken": "10"}, {"limit": 5, "offset": 10}),
        ({"countTotal": "true", "format": "json", "fields": "NCTId|BriefTitle", "query.cond": None}, {}),
    ],
)  # fmt: skip
def test_each_parameter_means_an_argument(parameters: dict[str, Any], meant: dict[str, Any]) -> None:
    assert arguments(parameters) == meant


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"query.condition": "x"}, "no parameter 'query.condition'; did you mean query.cond?"),
        ({"filter.status": "x"}, "no parameter 'filter.status'; did you mean filter."),
        ({"zzz": "x"}, "no parameter 'zzz'; they are query.cond, query.term"),
        ({"filter.geo": "42,-71,50mi"}, "is no circle: write distance(42.36,-71.06,50mi)"),
        ({"filter.geo": "distance(Boston,x,50mi)"}, "latitude and longitude are degrees"),
        ({"filter.geo": "distance(" + " " * 100_000}, "is no circle"),
        ({"pageSize": "1001"}, "pageSize is at most 1,000"),
        ({"pageSize": "ten"}, "pageSize 'ten' is no number"),
        ({"pageToken": "NF0g5JGAk"}, "pageToken 'NF0g5JGAk' is no number"),
        ({"countTotal": "maybe"}, "countTotal 'maybe' is true or false"),
        ({"filter.ids": "NCT00000001", "postFilter.ids": "NCT00000002"}, "give one of them"),
    ],
)
def test_what_is_no_parameter_or_value_is_an_error(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError) as caught:
        arguments(parameters)
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    held: list[dict[str, Any]] = [
        {"Condition": ["gout"], "OverallStatus": "RECRUITING", "LeadSponsorName": "Zub", "Phase": ["PHASE2"]},
        {"Condition": ["gout"], "OverallStatus": "COMPLETED", "LeadSponsorName": "Zub", "StdAge": ["CHILD"]},
        {"Condition": ["asthma"], "OverallStatus": "RECRUITING", "NCTIdAlias": ["NCT00000099"]},
    ]
    folder: Path = tmp_path_factory.mktemp("parameters") / "index"
    studies = [study(f"NCT0000000{number}", **pieces) for number, pieces in enumerate(held, 1)]
    with TrialSearch.open(make_index(folder, studies)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"query.cond": "gout"}, [1, 2]),
        ({"query.cond": "gout", "filter.overallStatus": "RECRUITING"}, [1]),
        ({"query.lead": "zub", "filter.advanced": "AREA[StdAge]CHILD"}, [2]),
        ({"filter.ids": "NCT00000099,NCT00000001"}, [1, 3]),
        ({"aggFilters": "status:rec,phase:2"}, [1]),
        ({"query.term": "gout OR asthma", "sort": "NCTId"}, None),
        ({"query.term": "ALL", "sort": "OverallStatus"}, None),
        ({"filter.overallStatus": "OPEN"}, None),
        ({"query.term": "ALL", "pageSize": "2", "pageToken": "2"}, [3]),
    ],
)
def test_a_script_gets_its_trials_or_is_told(
    trials: TrialSearch, parameters: dict[str, Any], found: list[int] | None
) -> None:
    if found is None:
        with pytest.raises(QueryError, match=r"no (sort|status)"):
            trials.registry_search(parameters)
    else:
        assert ids(trials.registry_search(parameters)) == [f"NCT0000000{number}" for number in found]


def test_all_parameters_of_the_reference_are_known() -> None:
    stated = """query.cond query.term query.intr query.titles query.outc query.spons query.lead query.id
    query.locn query.patient filter.overallStatus filter.geo filter.ids filter.advanced aggFilters sort fields
    pageSize pageToken countTotal format"""
    assert set(stated.split()) <= set(PARAMETERS)
