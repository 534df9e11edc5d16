"""Whatever is asked of an index of several segments, with trials replaced and deleted, is answered as if it
had been built of the trials that are left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from small import full, ids, make_index, study
from trialindex.contents import read_contents
from trialindex.snapshot import Snapshot
from trialindex.storage import Writer
from trialsearch import Results, TrialSearch
from trialsearch.evaluate import Evaluator

LYON, NICE = {"lat": 45.75, "lon": 4.85}, {"lat": 43.70, "lon": 7.25}


def trial(number: int, title: str, dates: Sequence[str] = (), **pieces: Any) -> dict[str, Any]:
    """Return a trial with documents of some dates."""
    held = {"largeDocs": [{"date": day} for day in dates]} if dates else {}
    made = study(f"NCT{number:08}", BriefTitle=title, **pieces)
    return made | {"documentSection": {"largeDocumentModule": held}}


def site(city: str, status: str, point: dict[str, float]) -> dict[str, list[Any]]:
    return {
        "LocationCity": [city],
        "LocationCountry": ["France"],
        "LocationStatus": [status],
        "LocationPoint": [point],
    }


IN_LYON, CLOSED = site("Lyon", "RECRUITING", LYON), site("Lyon", "COMPLETED", LYON)
IN_NICE = site("Nice", "RECRUITING", NICE)
ONE = trial(1, "Gout and IL-2", ["2011-05-01"], Condition=["Gout"], StartDate="2010-01-01", Phase=["PHASE1"])
OLD_TWO = trial(2, "Gout and IL-2", Condition=["Gout"], StartDate="2001-01-01", **IN_LYON)
GONE_FIVE = trial(5, "Gout and IL-2", ["2031-05-01"], Condition=["Lupus"], StartDate="2030-01-01", **IN_LYON)
TWO = trial(2, "Gout and il-2", Condition=["Asthma"], StartDate="2020-01-01", **IN_NICE)
THREE = trial(3, "Gout and IL-2", Condition=["gout"], **CLOSED)
FOUR = trial(
    4, "Gout and IL-2", ["2009-05-01", "2013-05-01"], Condition=["Gout"], StartDate="2015", **IN_LYON
)
LEFT = [ONE, TWO, THREE, FOUR]


def write(folder: Path, *studies: dict[str, Any], delete: str = "") -> None:
    """Make one segment more."""
    with Writer(folder, merge=False) as writer:
        for one in studies:
            writer.put(one["protocolSection"]["identificationModule"]["nctId"], one)
        if delete:
            writer.delete(delete)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("several") / "index"
    write(made, ONE, OLD_TWO, GONE_FIVE)
    write(made, TWO, THREE, delete="NCT00000005")
    write(made, FOUR)
    assert len(read_contents(made).segments) == 3
    return made


@pytest.fixture
def trials(folder: Path) -> Iterator[TrialSearch]:
    with TrialSearch.open(folder) as opened:
        yield opened


def numbers(results: Results) -> list[int]:
    return [int(name[3:]) for name in full(results)]


def test_facets(trials: TrialSearch) -> None:
    facets = trials.search("gout").facets("condition", "city", "start", "phase", "LargeDocDate")
    told = {
        name: ([(one.label, one.trials) for one in facet.values], facet.missing)
        for name, facet in facets.items()
    }
    assert told == {
        "condition": ([("Gout", 3), ("Asthma", 1)], 0),
        "city": ([("Lyon", 2), ("Nice", 1)], 1),
        "start": ([("2020", 1), ("2015", 1), ("2010", 1)], 1),
        "phase": ([("Phase 1", 1)], 3),
        "LargeDocDate": ([("2013", 1), ("2011", 1), ("2009", 1)], 2),
    }


ASKED: dict[str, list[int]] = {
    "SEARCH[Location](Lyon)": [3, 4],
    "SEARCH[Location](AREA[LocationCity]Lyon AND AREA[LocationStatus]RECRUITING)": [4],
    "SEARCH[Location](NOT Lyon)": [2],
    "AREA[LocationGeoPoint]DISTANCE[45.75,4.85,10mi]": [3, 4],
    'EXPANSION[None]"IL-2"': [1, 3, 4],
    'COVERAGE[StartsWith]"gout and"': [1, 2, 3, 4],
    'COVERAGE[FullMatch]AREA[Condition]"asthma"': [2],
    "AREA[StartDate]RANGE[2010, 2015]": [1, 4],
    "AREA[StartDate]MISSING": [3],
    "AREA[LargeDocDate]RANGE[2010, 2012]": [1],
    "AREA[LargeDoc]MISSING": [2, 3],
    "AREA[LocationStatus]RECRUITING": [2, 4],
    'AREA[Country]"France"': [2, 3, 4],
    "EXPANSION[Lossy](gout asthma)": [1, 2, 3, 4],
    "ALL": [1, 2, 3, 4],
}


@pytest.mark.parametrize(("text", "found"), ASKED.items())
def test_what_is_asked(trials: TrialSearch, text: str, found: list[int]) -> None:
    assert sorted(numbers(trials.search(text))) == found
    if text != "ALL":
        assert sorted(numbers(trials.search(f"NOT ({text})"))) == sorted({1, 2, 3, 4} - set(found))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("start", [2, 4, 1, 3]),
        ("start:asc", [1, 4, 2, 3]),
        ("LargeDocDate", [4, 1, 2, 3]),
        ("LargeDocDate:asc", [4, 1, 2, 3]),
        ("id:desc", [4, 3, 2, 1]),
    ],
)
def test_orders(trials: TrialSearch, sort: str, order: list[int]) -> None:
    assert numbers(trials.search("gout", sort=sort)) == order


def test_near_a_place(trials: TrialSearch) -> None:
    found = trials.search("gout", near="43.70,7.25", within="300mi", sort="distance")
    assert numbers(found) == [2, 3, 4]
    # Lyon is 2.05 degrees north of Nice and 2.40 west, where a degree is 0.71 of one at the equator.
    away = 111.2 / 1.609 * math.hypot(2.05, 0.71 * 2.40)
    assert [hit.distance for hit in found] == pytest.approx([0, away, away], rel=0.01)


def test_a_tilt_counts_no_deleted_trial(folder: Path) -> None:
    """The deleted one of 2030 is not the highest, and the replaced one of 2001 not the lowest."""
    snapshot = Snapshot(folder)
    factors = Evaluator(snapshot).tilt("StartDate").factors(snapshot.docs())
    told = {snapshot.key(doc): factor for doc, factor in zip(snapshot.docs().tolist(), factors, strict=True)}
    snapshot.close()
    assert told == {"NCT00000001": 0.5, "NCT00000002": 1.0, "NCT00000003": 0.5, "NCT00000004": 0.75}


def test_digests_are_those_of_the_records_that_are_left(trials: TrialSearch, tmp_path: Path) -> None:
    with TrialSearch.open(make_index(tmp_path / "anew", LEFT)) as anew:
        told = {}
        for name, index in (("several", trials), ("anew", anew)):
            whole = index.search("ALL", limit=0).whole
            told[name] = dict(zip(whole.ids.tolist(), whole.digests.tolist(), strict=True))
    assert told["several"] == told["anew"]
    assert len(told["several"]) == 4 and 0 not in told["several"].values()


def test_similar_trials(trials: TrialSearch) -> None:
    results = trials.similar("NCT00000001", limit=1)
    assert results.total == len(results.whole.docs) == 3
    assert sorted(results.whole.ids.tolist()) == [b"NCT00000002", b"NCT00000003", b"NCT00000004"]


def answers(trials: TrialSearch, text: str) -> tuple[Any, ...]:
    results = trials.search(text, sort="start,LargeDocDate")
    facet = results.facets("condition", "city")
    return ids(results), results.total, facet, results.whole.ids.tolist(), [hit.why for hit in results]


def test_many_threads_share_one(folder: Path, trials: TrialSearch) -> None:
    texts = [text for text in ASKED for _ in range(4)]

    def told(text: str) -> tuple[Any, ...]:
        return answers(trials, text)

    with ThreadPoolExecutor(8) as threads:
        together = [*threads.map(told, texts)]
    with TrialSearch.open(folder) as alone:
        assert together == [answers(alone, text) for text in texts]


def test_a_commit_between_two_questions(tmp_path: Path) -> None:
    write(tmp_path / "index", ONE, OLD_TWO)
    with TrialSearch.open(tmp_path / "index") as trials:
        before = [trials.search(text) for text in ASKED]
        cities = before[0].facets("city")["city"].values
        write(tmp_path / "index", TWO, THREE)
        write(tmp_path / "index", FOUR)
        for text, found in ASKED.items():
            assert sorted(numbers(trials.search(text))) == found
        # An answer goes on speaking of the state that it came from.
        assert before[0].facets("city")["city"].values == cities
        assert [len(results.whole.docs) for results in before] == [results.total for results in before]
