"""The numbers and the days of each document, of all fields of a segment together.

A field has for each document the numbers that it may be, as pairs (low, high): of a day the first and the
last that a date may mean, of a number itself twice. Few documents have most of the fields, most numbers are
small, and the same days come again and again:

| array | what it holds |
|---|---|
| `numbers`, `numbers.*` | which documents have a value in each field (`subsets`) |
| `numbers.table` | int64, three a field: how many values; the least of them; how many distinct ones |
| `numbers.more` | how many values those documents have besides the first, where any has (`narrow`) |
| `numbers.small` | of fields of numbers, the values: each less the least of the field (`narrow`) |
| `numbers.distinct` | float64, of those that are not all whole: the distinct ones, and in `numbers.small` \
stands which |
| `numbers.days` | of fields of days, which one of these (`narrow`, from two bytes on) |
| `numbers.firsts`, `numbers.lasts` | int32, the distinct days of all fields, as ordinals |

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> ages = NumberLists.of([[(6574.5, 6574.5)], [], [(30.4375, 30.4375), (6574.5, 6574.5)]])
>>> dates = NumberLists.of([[], [(734534, 734562)], []])
>>> with ArrayWriter(path) as writer:
...     numbers = NumberWriter(writer, 3)
...     numbers.append(ages, days=False)
...     numbers.append(dates, days=True)
...     numbers.finish()
>>> numbers = Numbers(ArrayFile(path), (False, True), 3)
>>> numbers.lists(0).of_document(2), numbers.lists(1).of_document(1)
([(30.4375, 30.4375), (6574.5, 6574.5)], [(734534.0, 734562.0)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter, spread, starts_of
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.subsets import Subsets, SubsetWriter

__all__ = ["NumberLists", "NumberWriter", "Numbers"]

# The plane of `narrow` that days begin with: there are more than a byte tells apart.
_TWO_BYTES = 1
# Whole numbers up to here are the same as float64.
_GREATEST = 1 << 53
_ROW = 3

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class NumberLists(NamedTuple):
    """The numbers of a field that may have several in a document, each once, ascending.

    `offsets`: int64[documents + 1] into the other two. `low`, `high`: float64[n]: of days, the first and the
    last one that a date may mean, as ordinals; of numbers, the same.
    """

    offsets: I64
    low: F64
    high: F64

    @classmethod
    def of(cls, documents: Iterable[Sequence[tuple[float, float]]]) -> NumberLists:
        """Return the lists of documents from the (low, high) pairs of each."""
        held = list(documents)
        sizes = np.fromiter(map(len, held), np.int64, len(held))
        pairs = np.array([pair for pairs in held for pair in pairs], np.float64).reshape(-1, 2)
        return cls(starts_of(sizes), pairs[:, 0].copy(), pairs[:, 1].copy())

    @classmethod
    def sparse(cls, docs: I64, low: F64, high: F64, size: int) -> NumberLists:
        """Return the lists of so many documents from a value of some of them, [n] each; `docs` ascending."""
        return cls(starts_of(np.bincount(docs, minlength=size)), low, high)

    @classmethod
    def joined(cls, parts: Sequence[NumberLists]) -> NumberLists:
        """Return the lists of the documents of several, one after another."""
        sizes = [np.diff(part.offsets) for part in parts]
        return cls(
            starts_of(np.concatenate([np.empty(0, np.int64), *sizes])),
            np.concatenate([np.empty(0), *(part.low for part in parts)]),
            np.concatenate([np.empty(0), *(part.high for part in parts)]),
        )

    def kept(self, keep: Mask) -> NumberLists:
        """Return the lists of the documents that a mask, bool[documents], keeps."""
        if keep.all():
            return self
        sizes = np.diff(self.offsets)[keep]
        indexes = spread(self.offsets[:-1][keep], sizes)
        return NumberLists(starts_of(sizes), self.low[indexes], self.high[indexes])

    def first(self, high: bool = False) -> F64:
        """Return float64[documents]: the low (or high) end of the first number of each; NaN for none."""
        found = np.full(len(self.offsets) - 1, np.nan)
        there = self.offsets[1:] > self.offsets[:-1]
        found[there] = (self.high if high else self.low)[self.offsets[:-1][there]]
        return found

    def of_document(self, doc: int) -> list[tuple[float, float]]:
        """Return the (low, high) pairs of a document."""
        here = slice(int(self.offsets[doc]), int(self.offsets[doc + 1]))
        return list(zip(self.low[here].tolist(), self.high[here].tolist(), strict=True))


class NumberWriter:
    """Writes the numbers of so many documents, field after field."""

    def __init__(self, writer: ArrayWriter, documents: int) -> None:
        self._writer = writer
        self._having = SubsetWriter(writer, "numbers", documents)
        self._more = NarrowWriter(writer, "numbers.more")
        self._small = NarrowWriter(writer, "numbers.small")
        self._distinct = writer.stream("numbers.distinct", np.float64)
        self._days = NarrowWriter(writer, "numbers.days", _TWO_BYTES)
        # The days so far, first and last in one number, and the number of each.
        self._known: dict[int, int] = {}
        self._table: list[tuple[int, int, int]] = []

    def append(self, lists: NumberLists, *, days: bool) -> None:
        """Add a field. Raises ValueError on days that are no whole numbers of 0 to 2^31 - 1."""
        sizes = np.diff(lists.offsets)
        docs = np.flatnonzero(sizes)
        self._having.append(docs.astype(np.uint32))
        if len(docs) < len(lists.low):
            self._more.append(sizes[docs] - 1)
        least = distinct = 0
        if days:
            self._append_days(lists)
        elif len(lists.low):
            least, distinct = self._append_numbers(lists.low)
        self._table.append((len(lists.low), least, distinct))

    def _append_days(self, lists: NumberLists) -> None:
        low, high = lists.low.astype(np.int64), lists.high.astype(np.int64)
        if (low != lists.low).any() or (high != lists.high).any() or ((low | high) >> 31).any():
            raise ValueError("a day that is none")
        days, places = np.unique((low << 32) | high, return_inverse=True)
        numbers = [self._known.setdefault(day, len(self._known)) for day in days.tolist()]
        self._days.append(np.array(numbers, np.uint32)[places])

    def _append_numbers(self, values: F64) -> tuple[int, int]:
        least = float(values.min())
        whole = (values == np.trunc(values)).all() and (np.abs(values) <= _GREATEST).all()
        if whole and float(values.max()) - least < 1 << 32:
            self._small.append((values - least).astype(np.uint32))
            return int(least), 0
        found, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        # The commonest first, so that nearly all take a byte.
        order = np.argsort(-counts, kind="stable")
        rank = np.empty(len(order), np.uint32)
        rank[order] = np.arange(len(order), dtype=np.uint32)
        self._distinct.append(found[order])
        self._small.append(rank[places])
        return 0, len(found)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._having.finish()
        for made in (self._more, self._small, self._days):
            made.finish()
        self._distinct.close()
        days = np.fromiter(self._known, np.int64, len(self._known))
        self._writer.put("numbers.firsts", (days >> 32).astype(np.int32))
        self._writer.put("numbers.lasts", (days & 0xFFFFFFFF).astype(np.int32))
        self._writer.put("numbers.table", np.array(self._table, np.int64).ravel())


class Numbers:
    """Reads what `NumberWriter` wrote. Raises IndexDamaged where its parts do not fit together."""

    def __init__(self, file: ArrayFile, days: Sequence[bool], documents: int) -> None:
        """`days`: of each field, whether it has days."""
        self._file, self._documents = file, documents
        self.having = Subsets(file, "numbers", documents)
        table = file.get("numbers.table", np.int64)
        if len(self.having) != len(days) or len(table) != _ROW * len(days):
            raise self._damaged()
        self._is_day = days
        values, self._least, distinct = table.reshape(-1, _ROW).T
        self._sizes: I64 = values
        some = values > self.having.counts
        is_day = np.array(days, np.bool_)
        if (values < 0).any() or (distinct < 0).any() or (values < self.having.counts).any():
            raise self._damaged()
        # Where the values of each field begin in the arrays that hold them.
        self._more_starts = starts_of(np.where(some, self.having.counts, 0))
        self._day_starts = starts_of(np.where(is_day, values, 0))
        self._small_starts = starts_of(np.where(is_day, 0, values))
        self._distinct_starts = starts_of(distinct)
        self._more = Narrow(file, "numbers.more")
        self._days = Narrow(file, "numbers.days", _TWO_BYTES)
        self._small = Narrow(file, "numbers.small")
        self._distinct: F64 = file.get("numbers.distinct", np.float64)
        self._firsts = file.get("numbers.firsts", np.int32)
        self._lasts = file.get("numbers.lasts", np.int32)
        stated = (self._more_starts, self._day_starts, self._small_starts, self._distinct_starts)
        held = [len(self._more), len(self._days), len(self._small), len(self._distinct)]
        if [int(starts[-1]) for starts in stated] != held or len(self._firsts) != len(self._lasts):
            raise self._damaged()

    def _damaged(self) -> IndexDamaged:
        return self._file.damaged("the parts of its numbers do not fit together")

    def lists(self, number: int) -> NumberLists:
        """Return the numbers of a field."""
        docs = self.having.docs(number)
        sizes = np.zeros(self._documents, np.int64)
        sizes[docs] = 1
        size = int(self._sizes[number])
        low, high = self._more_starts[number : number + 2].tolist()
        if high > low:
            sizes[docs] += self._more[low:high]
        offsets = starts_of(sizes)
        if offsets[-1] != size:
            raise self._damaged()
        return NumberLists(offsets, *self._values(number))

    def ends(self, number: int) -> tuple[F64, F64]:
        """Return float64[documents] twice: the low and the high end of the one number of each document, NaN
        where it has none.
        """
        low, high = self._values(number)
        if len(low) != int(self.having.counts[number]):
            raise self._damaged()
        mask = self.having.mask(number)
        found = np.full(self._documents, np.nan)
        found[mask] = low
        if high is low:
            return found, found
        other = np.full(self._documents, np.nan)
        other[mask] = high
        return found, other

    def _values(self, number: int) -> tuple[F64, F64]:
        if self._is_day[number]:
            low, high = self._day_starts[number : number + 2].tolist()
            ordinals = self._days[low:high]
            return self._looked_up(self._firsts, ordinals), self._looked_up(self._lasts, ordinals)
        low, high = self._small_starts[number : number + 2].tolist()
        small = self._small[low:high]
        start, end = self._distinct_starts[number : number + 2].tolist()
        if end > start:
            found = self._looked_up(self._distinct[start:end], small)
        else:
            found = small.astype(np.float64) + float(self._least[number])
        return found, found

    def _looked_up(self, table: npt.NDArray[Any], ordinals: npt.NDArray[Any]) -> F64:
        try:
            found: F64 = table[ordinals].astype(np.float64)
        except IndexError as error:
            raise self._damaged() from error
        return found
