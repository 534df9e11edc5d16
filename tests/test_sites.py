"""Conditions of one and the same site, sites near a point, and the sites of a trial in the order to show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from small import full, make_index, open_index
from trialindex.analysis import sequence
from trialindex.errors import IndexDamaged, QueryError
from trialindex.segments.sites import Sites
from trialindex.snapshot import Snapshot, open_snapshot
from trialsearch.evaluate import Evaluator
from trialsearch.query import (
    All,
    And,
    AtSite,
    Best,
    Boost,
    Code,
    Distance,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Or,
    Prefix,
    Query,
    Range,
    Term,
    Unless,
    Verified,
    Way,
    Within,
    Words,
)
from trialsearch.sites import nearest, sites_shown

BOSTON, PARIS = (42.36, -71.06), (48.86, 2.35)
KEYS = {
    "LocationFacility": "facility",
    "LocationCity": "city",
    "LocationState": "state",
    "LocationZip": "zip",
    "LocationCountry": "country",
}


def site(city: str = "", country: str = "", **more: Any) -> dict[str, Any]:
    """Return a location of a record; what is empty is left out."""
    held = {"city": city, "country": country, **more}
    return {key: value for key, value in held.items() if value}


def at(point: tuple[float, float]) -> dict[str, float]:
    return {"lat": point[0], "lon": point[1]}


def study(number: int, *sites: dict[str, Any], title: str = "A trial of gout") -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": f"NCT{number:08d}", "briefTitle": title},
            "contactsLocationsModule": {"locations": list(sites)},
        }
    }


def found(folder: Path, query: Query) -> list[int]:
    """Return the numbers of the trials that an evaluator finds."""
    snapshot = open_snapshot(folder)
    try:
        return [
            int(snapshot.key(doc)[3:]) for doc in Evaluator(snapshot).match(query, "BasicSearch").tolist()
        ]
    finally:
        snapshot.close()


def word(field: str, text: str) -> Query:
    terms = sequence(text)
    return In(field, Term(terms[0]) if len(terms) == 1 else Near(tuple(terms)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trials that differ in one thing each."""
    us, france = "United States", "France"
    hospital = {"facility": "General Hospital", "status": "RECRUITING"}
    return make_index(
        tmp_path_factory.mktemp("sites") / "index",
        [
            study(1, site("Portland", us, state="Maine", **hospital)),
            study(2, site("Portland", us, state="Oregon"), site("Bangor", us, state="Maine", **hospital)),
            study(3, site("Portland", us, **hospital), site("Lyon", france, status="COMPLETED")),
            study(4, site("Lyon", france, facility="Hospital General"), site("Nice", france, zip="06000")),
            study(5, site("Paris", us, state="Maine"), site("Portland", france)),
            study(6, site("Nowhere", "Korea, Republic of", geoPoint=at(BOSTON))),
            study(7, site("New York", us, state="New York", geoPoint=at(PARIS)), site()),
            study(8),
            study(9, site("", "", status="WITHDRAWN"), site("Lyon", france)),
        ],
    )


CASES: list[tuple[Query, list[int]]] = [
    # The city and the state of one site, and of two.
    (And((word("LocationCity", "Portland"), word("LocationState", "Maine"))), [1]),
    (And((word("LocationCity", "Portland"), word("LocationCountry", "France"))), [5]),
    (Or((word("LocationState", "Oregon"), word("LocationCity", "Nice"))), [2, 4]),
    # Words without a field ask the place, facility and postal code of one site.
    (And((Term(sequence("portland")[0]), Term(sequence("hospital")[0]))), [1, 3]),
    (Term(sequence("06000")[0]), [4]),
    # A phrase stands in one value.
    (word("LocationFacility", "General Hospital"), [1, 2, 3]),
    (word("LocationFacility", "Hospital General"), [4]),
    (In("LocationSearch", Near(tuple(sequence("Portland Maine")))), []),
    (In("LocationFacility", Within(tuple(sequence("Hospital General")), 2)), [1, 2, 3, 4]),
    (In("LocationCity", Prefix("port")), [1, 2, 3, 5]),
    # What is not, is not of one and the same site.
    (And((word("LocationCountry", "France"), Not(word("LocationCity", "Lyon")))), [4, 5]),
    (And((word("LocationCity", "Portland"), Not(word("LocationState", "Maine")))), [2, 3, 5]),
    (Not(word("LocationCountry", "United States")), [3, 4, 5, 6, 7, 9]),
    (Not(Or((word("LocationCountry", "United States"), word("LocationCountry", "France")))), [6, 7, 9]),
    (Not(Not(word("LocationCity", "Nice"))), [4]),
    (Unless(word("LocationCity", "Portland"), word("LocationState", "Maine")), [2, 3, 5]),
    # Statuses.
    (Code("LocationStatus", "RECRUITING"), [1, 2, 3]),
    (And((Code("LocationStatus", "RECRUITING"), word("LocationCity", "Portland"))), [1, 3]),
    (And((Code("LocationStatus", "COMPLETED"), word("LocationCity", "Portland"))), []),
    (And((Missing("LocationStatus"), word("LocationCountry", "United States"))), [2, 5, 7]),
    (Code("LocationStatus", "SUSPENDED"), []),
    # What is missing, at one site.
    (And((Missing("LocationState"), word("LocationCity", "Portland"))), [3, 5]),
    (And((Missing("LocationCity"), Missing("LocationCountry"))), [7, 9]),
    (And((Missing("LocationZip"), word("LocationCountry", "France"))), [3, 4, 5, 9]),
    (And((Missing("LocationZip"), word("LocationCity", "Nice"))), []),
    (Missing("LocationGeoPoint"), [1, 2, 3, 4, 5, 7, 9]),
    (Not(Missing("LocationGeoPoint")), [6, 7]),
    # Whole names.
    (Name("Country", "USA"), [1, 2, 3, 5, 7]),
    (And((Name("Country", "France"), word("LocationCity", "Portland"))), [5]),
    (Name("Country", "South Korea"), [6]),
    (Name("Country", "Korea, Republic of"), [6]),
    (Name("Country", "United"), []),
    (Name("CityName", "new york"), [7]),
    (Name("CityName", "York"), []),
    # Near a point.
    (Distance(42.36, -71.06, 10, "mi"), [6]),
    (And((Distance(48.86, 2.35, 10, "km"), word("LocationCity", "New York"))), [7]),
    (And((Distance(48.86, 2.35, 10, "km"), word("LocationCity", "Lyon"))), []),
    # The rest.
    (All(), [1, 2, 3, 4, 5, 6, 7, 9]),
    (Nothing("the"), []),
    (Boost(word("LocationCity", "Nice"), 2.0), [4]),
    (Best("x", (Way("typed", "a", word("LocationCity", "Nice")), Way("typed", "b", Term("zzz")))), [4]),
    (Verified("Nice", "Contains", word("LocationCity", "Nice")), [4]),
    (Verified("nice", "Contains", word("LocationCity", "Nice")), []),
    (In("LocationCity", Verified("York", "Contains", word("LocationCity", "York"))), [7]),
    (In("LocationCity", Verified("York", "FullMatch", word("LocationCity", "York"))), []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "numbers"), CASES, ids=lambda value: str(value)[:60])
def test_one_and_the_same_site(folder: Path, query: Query, numbers: list[int]) -> None:
    assert found(folder, AtSite(query)) == numbers


def test_beside_other_conditions(folder: Path) -> None:
    portland = AtSite(And((word("LocationCity", "Portland"), word("LocationState", "Maine"))))
    assert found(folder, And((word("BriefTitle", "gout"), portland))) == [1]
    assert found(folder, Not(portland)) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert found(folder, Or((portland, AtSite(word("LocationCity", "Nice"))))) == [1, 4]


@pytest.mark.parametrize(
    "query",
    [
        Code("Phase", "PHASE1"),
        In("BriefTitle", Term("gout")),
        In("BasicSearch", Term("gout")),
        Not(Missing("Acronym")),
        Or((Name("ConditionName", "gout"), All())),
        Range("StartDate", "2012", None),
    ],
    ids=str,
)
def test_what_is_no_field_of_a_site(folder: Path, query: Query) -> None:
    with pytest.raises(QueryError, match=r"is no field of a site: SEARCH\[Location\] takes"):
        found(folder, AtSite(query))


def test_what_was_not_widened(folder: Path) -> None:
    with pytest.raises(QueryError):
        found(folder, AtSite(Words("Portland")))


def test_contacts_of_a_site(tmp_path: Path) -> None:
    """Who to call there: as many as there are, told apart by site from the records."""
    anna, boris = (
        {"name": "Anna Ash", "role": "CONTACT"},
        {"name": "Boris Birch", "role": "PRINCIPAL_INVESTIGATOR"},
    )
    folder = make_index(
        tmp_path / "index",
        [
            study(1, site("Lyon", contacts=[anna, boris]), site("Nice")),
            study(2, site("Nice", contacts=[anna]), site("Lyon", contacts=[{"role": "CONTACT"}, boris])),
            study(3, site("Lyon")),
        ],
    )
    lyon = word("LocationCity", "Lyon")
    for query, numbers in (
        (word("LocationContactName", "Ash"), [1]),
        (word("LocationContactName", "Birch"), [1, 2]),
        (Not(word("LocationContactName", "Ash")), [2, 3]),
        (Code("LocationContactRole", "CONTACT"), [1, 2]),
        (Missing("LocationContactName"), [3]),
        (Range("NumLocationContacts", "2", None), [1, 2]),
        (Range("NumLocationContacts", None, "1"), []),
    ):
        assert found(folder, AtSite(And((lyon, query)))) == numbers, query


def test_deleted_trials_are_not_found(tmp_path: Path) -> None:
    folder = make_index(tmp_path / "index", [study(1, site("Lyon")), study(2, site("Lyon"))])
    make_index(folder, [study(1, site("Nice")), study(3, site("Paris"), site("Lyon"))])
    assert found(folder, AtSite(word("LocationCity", "Lyon"))) == [2, 3]
    assert found(folder, AtSite(word("LocationCity", "Nice"))) == [1]


def test_sites_that_do_not_fit_their_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_index(tmp_path / "index", [study(1, site("Lyon"), site("Nice", status="COMPLETED"))])
    one_more = Sites.of([[(None, None, False, "")] * 3])
    monkeypatch.setattr(Snapshot, "sites", lambda self: one_more)
    for query in (word("LocationCity", "Lyon"), Code("LocationContactRole", "CONTACT")):
        with pytest.raises(IndexDamaged, match="build the index again"):
            found(folder, AtSite(query))


def test_in_the_registrys_words(tmp_path: Path) -> None:
    """The whole way from the text."""
    us = "United States"
    trials = open_index(
        tmp_path / "index",
        [
            study(1, site("Boston", us, status="RECRUITING")),
            study(2, site("Boston", "United Kingdom"), site("Austin", us, status="RECRUITING")),
        ],
        [],
    )
    for text, numbers in (
        ("SEARCH[Location](AREA[LocationCity]Boston AND AREA[LocationCountry]United States)", [1]),
        ("AREA[LocationCity]Boston AND AREA[LocationCountry]United States", [1, 2]),
        ("SEARCH[Location](AREA[LocationCountry]United States AND AREA[LocationStatus]Recruiting)", [1, 2]),
        ("SEARCH[Location](Boston AND NOT AREA[LocationStatus]RECRUITING)", [2]),
        ("SEARCH[Location](Boston United Kingdom)", [2]),
        ('SEARCH[Location]("Boston United")', []),
        ("gout AND SEARCH[Location]Austin", [2]),
        ("SEARCH[Location](AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50mi])", [1]),
        ("AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50mi]", [1]),
    ):
        assert sorted(full(trials.search(text))) == [f"NCT{number:08d}" for number in numbers], text


def test_the_nearest_site_of_each_trial(folder: Path) -> None:
    snapshot = open_snapshot(folder)
    away = nearest(snapshot, BOSTON)
    by_number = {int(snapshot.key(doc)[3:]): float(away[doc]) for doc in range(snapshot.size)}
    # From general knowledge: Boston lies 160 km from Portland, Maine, and 5,530 km from Paris.
    assert by_number[1] == pytest.approx(160, rel=0.03)
    assert by_number[6] == pytest.approx(0, abs=0.1)
    assert by_number[7] == pytest.approx(5530, rel=0.02)
    assert math.isnan(by_number[8])
    assert nearest(snapshot, BOSTON) is away
    assert not away.flags.writeable
    snapshot.close()


def test_the_sites_of_a_trial_in_order() -> None:
    us = "United States"
    record = study(
        1,
        site("Nowhere at all", us),
        site("Paris", "France"),
        site("Boston", us, state="Massachusetts"),
        site("New York", us, state="New York", status="RECRUITING", geoPoint=at((40.71, -74.01))),
        site("Elsewhere", us, status="RECRUITING"),
        site("Boston", us, geoPoint=at((42.36, -71.06)), status="COMPLETED"),
    )
    shown = sites_shown(record, BOSTON, "mi")
    # Those that recruit first, then by distance, and at the end what lies nobody knows where.
    assert [(one.number, one.looked_up) for one in shown] == [
        (3, False), (4, False), (5, False), (2, True), (1, True), (0, False),
    ]  # fmt: skip
    assert [one.distance is None for one in shown] == [False, True, False, False, False, True]
    assert shown[0].distance == pytest.approx(190, rel=0.02)
    assert shown[0].location["city"] == "New York"
    in_kilometres = sites_shown(record, BOSTON, "km")[0].distance
    assert in_kilometres == pytest.approx(306, rel=0.02)
    assert [one.number for one in sites_shown(record)] == [3, 4, 0, 1, 2, 5]
    assert sites_shown({"protocolSection": {}}, BOSTON) == []


# Brute force: random trials, random conditions, plain Python.

CITIES = ["Lyon", "Lyon Nord", "Nord", "Basel Nord Lyon", ""]
COUNTRIES = ["France", "Switzerland", ""]
STATUSES = ["RECRUITING", "COMPLETED", ""]
PLACES = [(10.0, 179.99), (10.0, -179.99), (-89.99, 0.0), (10.5, 179.99), None]

SITES = st.builds(
    lambda city, country, state, status, place: site(
        city, country, state=state, status=status, geoPoint=at(place) if place else None
    ),
    st.sampled_from(CITIES),
    st.sampled_from(COUNTRIES),
    st.sampled_from(["Nord", ""]),
    st.sampled_from(STATUSES),
    st.sampled_from(PLACES),
)

Holds = Callable[[dict[str, Any]], bool]


def _words(one: dict[str, Any], field: str) -> list[str]:
    return str(one.get(KEYS[field], "")).split()


def _in_order(words: list[str], wanted: list[str]) -> bool:
    size = len(wanted)
    return any(words[start : start + size] == wanted for start in range(len(words) - size + 1))


def _has(text: str, field: str) -> tuple[Query, Holds]:
    fields = list(KEYS) if field == "LocationSearch" else [field]
    return word(field, text), lambda one: any(_in_order(_words(one, name), text.split()) for name in fields)


def _named(name: str, field: str) -> tuple[Query, Holds]:
    key = "city" if field == "CityName" else "country"
    return Name(field, name), lambda one: one.get(key) == name


def _status(code: str) -> tuple[Query, Holds]:
    return Code("LocationStatus", code), lambda one: one.get("status") == code


def _missing(field: str) -> tuple[Query, Holds]:
    key = KEYS.get(field, {"LocationStatus": "status", "LocationGeoPoint": "geoPoint"}.get(field, ""))
    return Missing(field), lambda one: not one.get(key)


def _near(place: tuple[float, float], radius: float) -> tuple[Query, Holds]:
    def angle(one: dict[str, float]) -> float:
        north, south = math.radians(place[0]), math.radians(one["lat"])
        turn = math.radians(place[1] - one["lon"])
        held = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(turn)
        return math.acos(max(-1.0, min(1.0, held)))

    return Distance(*place, radius, "km"), lambda one: bool(
        one.get("geoPoint") and 6371.0 * angle(one["geoPoint"]) <= radius
    )


LEAVES = (
    st.builds(_has, st.sampled_from(["Lyon", "Nord", "Lyon Nord"]), st.sampled_from(
        ["LocationCity", "LocationState", "LocationSearch"]))
    | st.builds(_named, st.sampled_from(["Lyon", "Lyon Nord"]), st.just("CityName"))
    | st.builds(_named, st.sampled_from(["France", "Switzerland"]), st.just("Country"))
    | st.builds(_status, st.sampled_from(["RECRUITING", "COMPLETED", "UNKNOWN"]))
    | st.builds(_missing, st.sampled_from(
        "LocationCity LocationCountry LocationState LocationStatus LocationGeoPoint LocationZip".split()))
    | st.builds(_near, st.sampled_from([(10.0, 180.0), (-90.0, 55.0)]), st.sampled_from([5.0, 30.0, 100.0]))
)  # fmt: skip


def _not(part: tuple[Query, Holds]) -> tuple[Query, Holds]:
    return Not(part[0]), lambda one: not part[1](one)


def _of(kind: type[And | Or], parts: list[tuple[Query, Holds]]) -> tuple[Query, Holds]:
    queries, tests = zip(*parts, strict=True)
    decide = all if kind is And else any
    return kind(queries), lambda one: decide(test(one) for test in tests)


TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(_not, inner)
        | st.builds(_of, st.sampled_from([And, Or]), st.lists(inner, min_size=2, max_size=3))
    ),
    max_leaves=6,
)
TRIALS = st.lists(st.lists(SITES, max_size=4), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(trials=TRIALS, trees=st.lists(TREES, min_size=1, max_size=12))
@example(
    trials=[[site("Lyon", "France"), site("Nord", "")], [site("Nord", "France")]],
    trees=[_of(And, [_has("Lyon", "LocationCity"), _not(_named("France", "Country"))])],
)
def test_brute_force(trials: list[list[dict[str, Any]]], trees: list[tuple[Query, Holds]]) -> None:
    with TemporaryDirectory() as folder:
        path = make_index(
            Path(folder) / "index", [study(number, *sites) for number, sites in enumerate(trials, start=1)]
        )
        for query, holds in trees:
            expected = [number for number, sites in enumerate(trials, start=1) if any(map(holds, sites))]
            assert found(path, AtSite(query)) == expected, str(query)


@pytest.fixture(autouse=True)
def _no_look_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Random sites lie only where they say."""
    if request.node.originalname == "test_brute_force":
        monkeypatch.setattr("trialindex.gazetteer.locate", lambda *_: None)
    yield
