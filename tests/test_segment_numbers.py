"""Numbers, days, lengths and subsets of documents come back and take few bytes; what does not fit is
refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.lengths import Lengths, LengthWriter
from trialindex.segments.numbers import NumberLists, Numbers, NumberWriter
from trialindex.segments.subsets import Subsets, SubsetWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
Pairs = list[tuple[float, float]]

whole = st.integers(-(2**53), 2**53).map(float)
number = st.one_of(st.integers(-3, 400).map(float), whole, st.sampled_from([0.5, 30.4375, 6574.5, 2.0**70]))
numbers = st.lists(number, max_size=3, unique=True).map(lambda held: [(one, one) for one in sorted(held)])
day = st.integers(1, 3_652_059)
days = st.lists(
    st.tuples(day, st.sampled_from([0, 27, 364])).map(lambda pair: (float(pair[0]), float(sum(pair)))),
    max_size=3,
    unique=True,
).map(sorted)


def write(path: Path, fields: list[tuple[bool, list[Pairs]]]) -> Numbers:
    """Write fields of the same documents: whether it has days, and the pairs of each document."""
    size = len(fields[0][1])
    with ArrayWriter(path) as writer:
        made = NumberWriter(writer, size)
        for is_day, held in fields:
            made.append(NumberLists.of(held), days=is_day)
        made.finish()
    return Numbers(ArrayFile(path), [is_day for is_day, _ in fields], size)


def listed(lists: NumberLists) -> list[Pairs]:
    return [lists.of_document(doc) for doc in range(len(lists.offsets) - 1)]


@repeated
@given(held=st.lists(st.tuples(numbers, days, numbers, days), max_size=9))
@example(held=[([(2.0**53, 2.0**53)], [], [(0.5, 0.5)], []), ([(-(2.0**53), -(2.0**53))], [], [], [])])
def test_numbers_and_days_come_back(tmp_path: Path, held: list[tuple[Pairs, Pairs, Pairs, Pairs]]) -> None:
    fields = [(bool(place % 2), [one[place] for one in held]) for place in range(4)]
    read = write(tmp_path / "x.seg", fields)
    for place, (_, pairs) in enumerate(fields):
        lists = read.lists(place)
        assert listed(lists) == pairs
        assert [array.dtype for array in lists] == [np.int64, np.float64, np.float64]
        assert read.having.mask(place).tolist() == [bool(one) for one in pairs]
        assert lists.first().tolist() == pytest.approx(
            [one[0][0] if one else np.nan for one in pairs], nan_ok=True
        )
        if all(len(one) < 2 for one in pairs):
            low, high = read.ends(place)
            np.testing.assert_array_equal(low, lists.first())
            np.testing.assert_array_equal(high, lists.first(high=True))


@repeated
@given(parts=st.lists(st.lists(st.tuples(numbers, st.booleans()), max_size=5), max_size=3))
def test_joined_and_kept_lists_are_those_of_the_documents(parts: list[list[tuple[Pairs, bool]]]) -> None:
    made = [NumberLists.of([pairs for pairs, _ in part]) for part in parts]
    assert listed(NumberLists.joined(made)) == [pairs for part in parts for pairs, _ in part]
    for lists, part in zip(made, parts, strict=True):
        kept = lists.kept(np.array([keep for _, keep in part], np.bool_))
        assert listed(kept) == [pairs for pairs, keep in part if keep]


def test_small_numbers_take_a_byte_and_days_two(tmp_path: Path) -> None:
    counts: list[Pairs] = [[(float(1990 + place % 40),) * 2] for place in range(1000)]
    ages: list[Pairs] = [[(365.25 * (place % 50),) * 2] for place in range(1000)]
    dates: list[Pairs] = [[(738000.0 + place % 900, 738000.0 + place % 900)] for place in range(1000)]
    months: list[Pairs] = [[(738000.0, 738030.0)] if place % 500 == 0 else [] for place in range(1000)]
    file = write(tmp_path / "x.seg", [(False, counts), (False, ages), (True, dates), (True, months)])._file
    small, held = file.get("numbers.small"), file.get("numbers.days")
    assert (small.dtype, len(small)) == (np.uint8, 2000) and not file.has("numbers.small.16")
    assert (held.dtype, len(held)) == (np.uint16, 1002) and len(file.get("numbers.firsts")) == 901
    assert len(file.get("numbers.distinct")) == 50
    # Which documents: all, all, all, and two of two bytes.
    assert len(file.get("numbers")) == 4


def test_what_is_no_day_is_not_written(tmp_path: Path) -> None:
    for wrong in (0.5, -1.0, 2.0**31):
        with pytest.raises(ValueError, match="day"), ArrayWriter(tmp_path / "x.seg") as writer:
            NumberWriter(writer, 1).append(NumberLists.of([[(wrong, wrong)]]), days=True)


SOUND: list[tuple[bool, list[Pairs]]] = [
    (False, [[(3.0, 3.0), (300.0, 300.0)], [], [(7.0, 7.0)]]),
    (False, [[(0.5, 0.5)], [], [(0.25, 0.25)]]),
    (True, [[], [(738000.0, 738030.0)], []]),
]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("numbers.table", np.zeros(6, np.int64)),
        ("numbers.table", np.array([4, 3, 0, 2, 0, 2, 1, 0, 0], np.int64)),
        ("numbers.table", np.array([3, 3, 0, 2, 0, 3, 1, 0, 0], np.int64)),
        ("numbers.table", np.array([-3, 3, 0, 2, 0, 2, 1, 0, 0], np.int64)),
        ("numbers.table", np.array([3, 3, 0, 2, 0, 2, 2**62, 0, 0], np.int64)),
        ("numbers.more", np.array([2, 0], np.uint8)),
        ("numbers.more", np.array([1], np.uint8)),
        ("numbers.small", np.array([0, 9, 4, 1], np.uint8)),
        ("numbers.small", np.array([0, 9, 4, 1, 2], np.uint8)),
        ("numbers.small", np.array([0, 9, 4, 1, 0], np.int32)),
        ("numbers.days", np.array([1], np.uint16)),
        ("numbers.days", np.array([], np.uint16)),
        ("numbers.lasts", np.array([1, 2], np.int32)),
        ("numbers.firsts", np.array([], np.int32)),
        ("numbers.distinct", np.array([0.5])),
        ("numbers.counts", np.array([2, 2, 2], np.uint32)),
        ("numbers.counts", np.array([2, 2], np.uint32)),
        ("numbers.counts", np.array([4, 2, 1], np.uint32)),
        ("numbers.layouts", np.array([7, 0, 0], np.uint8)),
        ("numbers", np.array([255, 255, 255], np.uint8)),
        ("numbers", np.array([], np.uint8)),
    ],
)
def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, name: str, array: Any) -> None:
    file = write(tmp_path / "x.seg", SOUND)._file
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for other in file.names():
            writer.put(other, array if other == name else file.get(other))
    with pytest.raises(IndexDamaged, match=r"y\.seg is damaged"):
        read_all(ArrayFile(tmp_path / "y.seg"))


def read_all(file: ArrayFile) -> None:
    read = Numbers(file, [is_day for is_day, _ in SOUND], 3)
    for place in range(len(SOUND)):
        read.lists(place)
        read.having.docs(place)
    read.ends(1)


def test_every_flip_and_every_truncation_of_numbers_ends_well(tmp_path: Path) -> None:
    write(tmp_path / "x.seg", SOUND)
    hurt(tmp_path / "x.seg", read_all)


# Subsets.


def write_subsets(path: Path, size: int, held: list[list[int]]) -> Subsets:
    with ArrayWriter(path) as writer:
        made = SubsetWriter(writer, "held", size)
        for docs in held:
            made.append(np.array(docs, np.uint32))
        made.finish()
    return Subsets(ArrayFile(path), "held", size)


@repeated
@given(size=st.integers(0, 300), draws=st.data())
def test_subsets_come_back(tmp_path: Path, size: int, draws: st.DataObject) -> None:
    subset = st.sets(st.integers(0, max(size - 1, 0)), max_size=size).map(sorted) if size else st.just([])
    held = draws.draw(st.lists(subset, max_size=4))
    held += [list(range(size)), [], list(range(1, size)), list(range(0, size, 2))]
    read = write_subsets(tmp_path / "x.seg", size, held)
    assert len(read) == len(held) and read.counts.tolist() == [len(docs) for docs in held]
    for place, docs in enumerate(held):
        assert read.docs(place).tolist() == docs and read.docs(place).dtype == np.uint32
        assert np.flatnonzero(read.mask(place)).tolist() == docs and len(read.mask(place)) == size


def test_a_subset_takes_the_fewest_bytes(tmp_path: Path) -> None:
    """Of 80,000 documents each takes three bytes in a list, or 10,000 all together as bits."""
    size = 80_000
    sizes = {
        0: [],
        6: [5, 79_999],
        10_000: range(0, size, 2),
        3: [doc for doc in range(size) if doc != 70_000],
    }
    for expected, docs in sizes.items():
        read = write_subsets(tmp_path / f"{expected}.seg", size, [list(docs)])
        assert len(read._data) == expected and read.docs(0).tolist() == list(docs)
    assert len(write_subsets(tmp_path / "all.seg", size, [list(range(size))])._data) == 0


@pytest.mark.parametrize(
    ("layout", "count", "data"),
    [
        (0, 2, [3, 3]),
        (0, 2, [4, 3]),
        (0, 1, [9]),
        (0, 2, [3]),
        (0, 10, list(range(10))),
        (1, 7, [3, 3]),
        (1, 8, [9]),
        (2, 3, [0, 0]),
        (2, 3, [0xE0]),
        (3, 3, [0xE0, 0]),
    ],
)
def test_subsets_that_do_not_fit_are_refused(
    tmp_path: Path, layout: int, count: int, data: list[int]
) -> None:
    """Of nine documents, which a byte tells apart."""
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("held", np.array(data, np.uint8))
        writer.put("held.layouts", np.array([layout], np.uint8))
        writer.put("held.counts", np.array([count], np.uint32))
    for ask in (Subsets.docs, Subsets.mask):
        with pytest.raises(IndexDamaged, match=r"x\.seg is damaged \(the subsets 'held'"):
            ask(Subsets(ArrayFile(tmp_path / "x.seg"), "held", 9), 0)


# Lengths.


def test_a_value_without_a_word_is_a_value(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        made = LengthWriter(writer, 3)
        made.append(np.array([0, 2], np.uint32), np.array([0, 70_000], np.uint32))
        made.append(np.array([], np.uint32), np.array([], np.uint32))
        made.append(np.array([0, 1, 2], np.uint32), np.array([1, 2, 3], np.uint32))
        made.finish()
    read = Lengths(ArrayFile(tmp_path / "x.seg"), 3, 3)
    assert [read.of_field(place).tolist() for place in range(3)] == [[0, 0, 70_000], [0, 0, 0], [1, 2, 3]]
    assert read.having.mask(0).tolist() == [True, False, True] and read.words(1).tolist() == []
    with pytest.raises(IndexDamaged, match="the lengths of its documents do not fit"):
        Lengths(ArrayFile(tmp_path / "x.seg"), 2, 3)

    def ask(file: ArrayFile) -> None:
        lengths = Lengths(file, 3, 3)
        for place in range(3):
            lengths.of_field(place)

    hurt(tmp_path / "x.seg", ask)
