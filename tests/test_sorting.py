"""Orders: two keys, missing values last in both directions, ties by id, distances, several values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import ids, make_index, study
from trialindex.errors import QueryError
from trialindex.fields import FIELDS
from trialsearch import TrialSearch
from trialsearch.sorting import parse_sort

# Trial: words of the title, start, enrollment, latitude of its site on the meridian of Greenwich.
TRIALS: dict[str, tuple[str, str | None, int | None, float | None]] = {
    "NCT00000001": ("zab", "2012-03", 10, 10.0),
    "NCT00000002": ("zab zab", None, 10, None),
    "NCT00000003": ("zab", "2010", None, 1.0),
    "NCT00000004": ("zab zab", "2012-03", 30, 3.0),
    "NCT00000005": ("zab", "2012-03", 10, 3.0),
    "NCT00000006": ("zab", None, None, 2.0),
    "NCT00000007": ("zab", "2015-01-01", 99999999, 4.0),
}
ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN = TRIALS


def _study(nct_id: str, title: str, start: str | None, count: int | None, north: float | None) -> Any:
    pieces: dict[str, Any] = {"BriefTitle": title, "StartDate": start, "EnrollmentCount": count}
    made = study(nct_id, **{piece: value for piece, value in pieces.items() if value is not None})
    if north is not None:
        made["protocolSection"]["contactsLocationsModule"] = {
            "locations": [{"city": "Zub", "geoPoint": {"lat": north, "lon": 0.0}}]
        }
    return made


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [_study(nct_id, *held) for nct_id, held in reversed(TRIALS.items())]
    with TrialSearch.open(make_index(tmp_path_factory.mktemp("sorting") / "index", studies)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("start", [SEVEN, ONE, FOUR, FIVE, THREE, TWO, SIX]),
        ("StartDate:desc", [SEVEN, ONE, FOUR, FIVE, THREE, TWO, SIX]),
        ("start:asc", [THREE, ONE, FOUR, FIVE, SEVEN, TWO, SIX]),
        # The placeholder is no number.
        ("enrollment", [FOUR, ONE, TWO, FIVE, THREE, SIX, SEVEN]),
        ("enrollmentcount:asc", [ONE, TWO, FIVE, FOUR, THREE, SIX, SEVEN]),
        ("start,enrollment", [SEVEN, FOUR, ONE, FIVE, THREE, TWO, SIX]),
        ("start:desc,enrollment:asc", [SEVEN, ONE, FIVE, FOUR, THREE, TWO, SIX]),
        ("enrollment:asc|start:asc", [ONE, FIVE, TWO, FOUR, THREE, SEVEN, SIX]),
        ("start, id:desc", [SEVEN, FIVE, FOUR, ONE, THREE, SIX, TWO]),
        ("id", [ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN]),
        ("id:desc", [SEVEN, SIX, FIVE, FOUR, THREE, TWO, ONE]),
        ("relevance", [TWO, FOUR, ONE, THREE, FIVE, SIX, SEVEN]),
        ("@relevance:desc", [TWO, FOUR, ONE, THREE, FIVE, SIX, SEVEN]),
        ("relevance,start", [FOUR, TWO, SEVEN, ONE, FIVE, THREE, SIX]),
        ("enrollment,@relevance", [FOUR, TWO, ONE, FIVE, THREE, SIX, SEVEN]),
    ],
)
def test_orders_by_hand(trials: TrialSearch, sort: str, order: list[str]) -> None:
    assert ids(trials.search("zab", sort=sort)) == order


def test_distance_sorts_the_nearest_first_and_what_is_not_known_last(trials: TrialSearch) -> None:
    # 500 miles are more than 7 degrees of latitude (60 nautical miles each): the first lies 9 away from 1.0.
    near: Any = {"near": "1,0", "within": "500mi"}
    assert ids(trials.search(sort="distance", **near)) == [THREE, SIX, FOUR, FIVE, SEVEN]
    assert ids(trials.search(sort="distance:desc", **near)) == [SEVEN, FOUR, FIVE, SIX, THREE]
    assert ids(trials.search(sort="distance,start", **near)) == [THREE, SIX, FOUR, FIVE, SEVEN]
    # A place in the expression itself is taken too; trials without coordinates come last.
    asked = "AREA[LocationGeoPoint]DISTANCE[1,0,500mi] OR AREA[LocationGeoPoint]MISSING"
    assert ids(trials.search(asked, sort="distance")) == [THREE, SIX, FOUR, FIVE, SEVEN, TWO]
    assert ids(trials.search(asked, sort="distance:desc")) == [SEVEN, FOUR, FIVE, SIX, THREE, TWO]


def test_of_several_values_the_outermost_counts(tmp_path: Any) -> None:
    assert FIELDS["LargeDocDate"].several
    made = []
    for nct_id, dates in ((ONE, ["2012", "2020-05"]), (TWO, ["2015-01"]), (THREE, [])):
        one = study(nct_id)
        one["documentSection"] = {"largeDocumentModule": {"largeDocs": [{"date": date} for date in dates]}}
        made.append(one)
    with TrialSearch.open(make_index(tmp_path / "index", made)) as trials:
        assert ids(trials.search("ALL", sort="LargeDocDate")) == [ONE, TWO, THREE]
        assert ids(trials.search("ALL", sort="LargeDocDate:asc")) == [ONE, TWO, THREE]
        assert ids(trials.search("ALL", sort="LargeDocDate:asc,id:desc", limit=1)) == [ONE]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size", "no sort 'size'; relevance, or one of updated, start, completion, posted, enrollment, id,"),
        ("starts", "no sort 'starts'; did you mean start?"),
        ("start:up", "no sort 'start:up'"),
        ("start,enrollment,id", "two at most"),
        ("start,StartDate", "no sort"),
        ("", "no sort ''"),
        ("start,", "no sort"),
        ("relevance:asc", "no sort 'relevance:asc'"),
        ("phase", "any field of dates or numbers"),
        ("cond", "any field of dates or numbers"),
        ("BriefTitle", "no sort 'BriefTitle'"),
    ],
)
def test_what_is_no_order_is_an_error_that_names_the_possible_ones(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_sort(text)
    assert message in str(caught.value)


def test_distance_needs_a_place(trials: TrialSearch) -> None:
    with pytest.raises(QueryError, match="sort by distance needs a place: near Boston"):
        trials.search("zab", sort="distance")


_KEYS = ("start", "enrollment", "id", "relevance", "distance")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 4))
def test_pages_give_every_hit_once_in_the_order_of_the_whole(
    trials: TrialSearch, data: st.DataObject, size: int
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=2, unique=True))
    directions = [
        "" if key == "relevance" else data.draw(st.sampled_from(["", ":asc", ":desc"])) for key in chosen
    ]
    sort = ",".join(map("".join, zip(chosen, directions, strict=True)))
    asked = "zab AND (AREA[LocationGeoPoint]DISTANCE[1,0,500mi] OR ALL)"
    whole = ids(trials.search(asked, sort=sort, limit=None))
    assert sorted(whole) == sorted(TRIALS)
    pages = (trials.search(asked, sort=sort, limit=size, offset=at) for at in itertools.count(0, size))
    paged = list(itertools.takewhile(len, pages))
    assert [hit.id for page in paged for hit in page] == whole
    assert {page.total for page in paged} == {7}
