"""The effective query of an answer, asked alone, finds the same trials; distances and sites of hits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import ids, make_index, study
from trialsearch import TrialSearch

_CITIES = [
    ("Boston", "Massachusetts", "United States", (42.36, -71.06)),
    ("Lyon", None, "France", None),
    ("Portland", "Maine", "United States", None),
    ("Tokyo", None, "Japan", (35.68, 139.69)),
]
_WORDS = ["zab", "kod", "mof", "zab kod", "wuk"]


def _made(number: int) -> dict[str, Any]:
    pieces: dict[str, Any] = {
        "BriefTitle": _WORDS[number % 5],
        "DetailedDescription": _WORDS[number % 3],
        "OverallStatus": ["RECRUITING", "COMPLETED", "TERMINATED"][number % 3],
        "Sex": ["ALL", "FEMALE", "MALE"][number % 4 % 3],
        "StartDate": f"201{number % 7}-0{1 + number % 9}",
        "StdAge": [["CHILD"], ["ADULT"], ["CHILD", "ADULT"]][number % 3],
        "EnrollmentCount": number * 10,
        "LeadSponsorClass": ["INDUSTRY", "NIH", "OTHER"][number % 3],
    }
    if number % 4:
        pieces["Phase"] = [["PHASE1"], ["PHASE2"], ["PHASE1", "PHASE2"], ["NA"]][number % 5 % 4]
    if number % 3:
        pieces["MinimumAge"] = f"{number} Years"
    made = study(f"NCT000000{number:02d}", **pieces)
    sites = []
    for city, state, country, point in (_CITIES[number % 4], _CITIES[number // 4 % 4]):
        site: dict[str, Any] = {"city": city, "country": country, "status": "COMPLETED"}
        site |= {"state": state} if state else {}
        site |= {"geoPoint": {"lat": point[0], "lon": point[1]}} if point else {}
        sites.append(site)
    made["protocolSection"]["contactsLocationsModule"] = {"locations": sites}
    return made


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [_made(number) for number in range(40)]
    with TrialSearch.open(make_index(tmp_path_factory.mktemp("effective") / "index", studies)) as opened:
        yield opened


_QUERIES = [
    "", "zab", "zab kod", '"zab kod"', "zab OR kod", "NOT mof", "zab NOT kod", "title:(zab OR mof)", "the of",
    "EXPANSION[Lossy](zab kod)", "COVERAGE[FullMatch]zab", "TILT[StartDate](zab OR kod)", "wu*",
    "SEARCH[Location](city:Boston OR AREA[LocationCountry]France)",
    "(zab AND phase:2) OR (kod AND NOT phase:1)",
]  # fmt: skip
_FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "cond": st.sampled_from(["zab OR kod", "ALL"]),
    "title": st.sampled_from(["zab", '"zab kod" OR mof']),
    "id": st.sampled_from(["NCT00000001", "NCT00000001,NCT00000007"]),
    "everywhere": st.booleans(),
    "status": st.sampled_from(["recruiting", ["completed", "TERMINATED"]]),
    "phase": st.sampled_from([1, "1/2", ["none", 2], "na"]),
    "sex": st.sampled_from(["female", "male", "all"]),
    "age": st.sampled_from([5, "18 months", 34]),
    "age_group": st.sampled_from(["child", "adult,older"]),
    "funder": st.sampled_from(["industry", ["nih", "other"]]),
    "country": st.sampled_from(["USA", ["France", "Japan"]]),
    "state": st.sampled_from(["Maine", "Massachusetts"]),
    "city": st.sampled_from(["Boston", ["Lyon", "Tokyo"], 'Say "ah" (x)']),
    "near": st.sampled_from(["Boston, MA", "48.85,2.35"]),
    "within": st.sampled_from(["1mi", "2 km", "80km", "500 miles", "804km"]),
    "start": st.sampled_from(["2012..2015-06", "2013", "..2014"]),
    "enrollment": st.sampled_from(["50..", "..300", "70"]),
    "with_results": st.booleans(),
    "ids": st.sampled_from([["nct00000001", "NCT00000002"], "NCT00000011"]),
    "filter": st.sampled_from(["zab OR mof", ["NOT kod", "AREA[StdAge]CHILD OR wuk"], '"zab kod"']),
    "agg_filters": st.sampled_from(["status:rec com", "sex:f,phase:1 2", "results:without"]),
}


@settings(max_examples=150, deadline=None)
@given(query=st.sampled_from(_QUERIES), asked=st.fixed_dictionaries({}, optional=_FILTERS))
def test_the_effective_query_finds_the_same_trials(
    trials: TrialSearch, query: str, asked: dict[str, Any]
) -> None:
    if query == "the of" or asked.get("cond") == "ALL":
        # Words that say nothing are left out beside others, and ask nothing alone.
        asked = asked | {"status": "recruiting"}
    if "near" not in asked:
        asked.pop("within", None)
    results = trials.search(query, limit=None, **asked)
    again = trials.search(results.effective, limit=None)
    assert {hit.id for hit in again if not hit.partial} == {hit.id for hit in results if not hit.partial}
    assert (again.total, again.effective) == (results.total, results.effective)


@pytest.mark.parametrize(
    ("asked", "effective"),
    [
        ({"query": "zab kod", "phase": 2}, "zab kod AND AREA[Phase]PHASE2"),
        ({"query": "zab OR kod", "status": "recruiting"}, "(zab OR kod) AND AREA[OverallStatus]RECRUITING"),
        ({"query": "zab", "everywhere": True}, "AREA[Everywhere]zab"),
        ({"title": "zab"}, "AREA[TitleSearch]zab"),
        ({"near": "10,20", "within": "80km"}, "AREA[LocationGeoPoint]DISTANCE[10,20,80km]"),
        ({"start": "2012.."}, "AREA[StartDate]RANGE[2012, MAX]"),
        ({}, "ALL"),
    ],
)
def test_the_effective_query_reads_as_the_language(
    trials: TrialSearch, asked: dict[str, Any], effective: str
) -> None:
    assert trials.search(**asked).effective == effective


def test_hits_say_how_far_the_nearest_site_is_and_show_it_first(tmp_path: Any) -> None:
    made = study("NCT00000001")
    made["protocolSection"]["contactsLocationsModule"] = {
        "locations": [
            {"city": "Tokyo", "country": "Japan", "status": "RECRUITING",
             "geoPoint": {"lat": 35.68, "lon": 139.69}},
            {"city": "Cambridge", "country": "United States", "status": "RECRUITING",
             "geoPoint": {"lat": 43.36, "lon": -71.06}},
            {"city": "Boston", "state": "Massachusetts", "country": "United States", "status": "COMPLETED",
             "geoPoint": {"lat": 42.36, "lon": -71.06}},
        ]
    }  # fmt: skip
    bare = study("NCT00000002")
    with TrialSearch.open(make_index(tmp_path / "index", [made, bare])) as trials:
        (hit,) = trials.search(near="42.36,-71.06", within="50mi")
        assert (hit.distance, hit.distance_unit) == (0.0, "mi")
        # One degree of a great circle is 111.2 km on a sphere of 6,371 km.
        assert [site.location["city"] for site in hit.sites] == ["Cambridge", "Tokyo", "Boston"]
        assert hit.sites[0].distance == pytest.approx(111.195 / 1.609344, rel=1e-4)
        (hit,) = trials.search(near="43.36,-71.06", within="80km")
        assert hit.distance == pytest.approx(0.0, abs=1e-3)
        assert trials.search(near="44,-71.06", within="60km").total == 0
        plain = {hit.id: hit for hit in trials.search("ALL")}
        assert (plain["NCT00000001"].distance, plain["NCT00000001"].distance_unit) == (None, "")
        assert [site.location["city"] for site in plain["NCT00000001"].sites][:2] == ["Tokyo", "Cambridge"]
        asked = "AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50km] OR AREA[LocationGeoPoint]MISSING"
        assert [(hit.id, hit.distance) for hit in trials.search(asked)] == [
            ("NCT00000001", 0.0),
            ("NCT00000002", None),
        ]


def test_notes_say_which_place_was_taken(trials: TrialSearch) -> None:
    notes = trials.search(near="Boston, MA", limit=1).notes
    assert notes[-1].startswith("distances are from Boston, Massachusetts, United States (42.3")
    assert notes[-1].endswith("within 50 mi")
    assert any(
        note.startswith("Portland is taken as Portland, ") for note in trials.search(near="Portland").notes
    )
    assert ids(trials.search(near="Lyon", within="5km", sort="id"))[:1] == ["NCT00000001"]
