"""In which fields the occurrences of a posting stand: a number a posting, of its pattern.

The field numbers of the occurrences of a term in a document, ascending, are its pattern: twice in the title,
once among the conditions. Few patterns make up nearly all postings, so each is stated once, the commonest
first, and a posting has the number of its own: a byte for nineteen of twenty. How many occurrences a posting
has and how much it weighs in any area are looked up by that number.

| array | what it holds |
|---|---|
| `postings.patterns` | of each posting, the number of its pattern (`narrow`) |
| `patterns.sizes` | occurrences of each pattern, 1 or more (`narrow`) |
| `patterns.fields` | uint8, their fields, pattern after pattern |
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.fields import FIELD_NUMBERS, area_weights
from trialindex.kernel import KERNEL
from trialindex.segments.arrays import ArrayFile, ArrayWriter, spread, starts_of
from trialindex.segments.narrow import Narrow, NarrowWriter, write_narrow

__all__ = ["PatternWriter", "Patterns", "weight_table"]

# Slots of the table in which patterns are looked up first.
_SLOTS = 18
# Bytes of patterns, each with what it takes besides its fields, that a writer keeps to know them again; one
# that is met after that is written once more in every stretch of postings in which it stands.
_KEPT = 32 << 20
_PATTERN_BYTES = 40
# Areas whose weights are kept, a number a pattern each.
_AREAS = 12

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.unsignedinteger[Any]]


@lru_cache(maxsize=200)
def weight_table(area: str) -> U32:
    """Return uint32[256]: the weight in hundredths of each field number in an area, 0 outside; shared, and
    read-only.
    """
    table = np.zeros(256, np.uint32)
    for field, weight in area_weights(area).items():
        table[FIELD_NUMBERS[field]] = weight
    table.setflags(write=False)
    return table


class PatternWriter:
    """Writes the patterns of postings.

    Patterns are told apart by sums of 64-bit numbers drawn anew for each writer, one for each field number:
    that two of a million have the same sum is less likely than 1 in 10^7, and no input can be made for it.
    They are numbered as they are met; which are the commonest is known at the end, so the numbers wait
    beside the file.
    """

    def __init__(self, writer: ArrayWriter) -> None:
        self._writer = writer
        self._random = np.random.default_rng().integers(1, 1 << 64, 256, np.uint64)
        self._ids = writer.scratch(np.uint32)
        # The sums of known patterns, ascending, and the number of each.
        self._known: U64 = np.empty(0, np.uint64)
        self._numbers: U32 = np.empty(0, np.uint32)
        # The sum and the number of one of the patterns whose sums begin with the same bits; no sum is 0.
        self._slots: U64 = np.zeros(1 << _SLOTS, np.uint64)
        self._slot_numbers: U32 = np.zeros(1 << _SLOTS, np.uint32)
        # How often each known pattern was met, by number; those met after these are not counted.
        self._counts: I64 = np.zeros(0, np.int64)
        self._fields = bytearray()
        self._sizes: list[U32] = []
        self._more_fields = writer.scratch(np.uint8)
        self._more_sizes: list[U32] = []
        self._count = 0
        self._full = False

    def append(self, counts: Numbers, fields: U8) -> None:
        """Add postings: how many occurrences each has, 1 or more; and the fields of these."""
        if not len(counts):
            return
        starts = starts_of(counts)
        sums = np.add.reduceat(self._random[fields], starts[:-1])
        sums |= np.uint64(1)
        slots = (sums >> np.uint64(64 - _SLOTS)).astype(np.int64)
        ids = self._slot_numbers[slots]
        missed = np.flatnonzero(self._slots[slots] != sums)
        if len(missed):
            ids[missed] = self._looked_up(sums[missed], missed, starts, fields)
            self._slots[slots[missed]] = sums[missed]
            self._slot_numbers[slots[missed]] = ids[missed]
        self._ids.append(ids)
        known = len(self._counts)
        self._counts += np.bincount(ids[ids < known] if self._full else ids, minlength=known)

    def _looked_up(self, sums: U64, postings: I64, starts: I64, fields: U8) -> U32:
        """Return the numbers of some postings by their sums; patterns not met before get new ones."""
        distinct, first, inverse = np.unique(sums, return_index=True, return_inverse=True)
        places = self._known.searchsorted(distinct)
        found = np.zeros(len(distinct), np.uint32)
        there = places < len(self._known)
        there[there] = self._known[places[there]] == distinct[there]
        found[there] = self._numbers[places[there]]
        new = np.flatnonzero(~there)
        # In the order in which they are met, whatever their sums.
        new = new[first[new].argsort()]
        found[new] = self._count + np.arange(len(new), dtype=np.uint32)
        chosen = postings[first[new]]
        self._learn(distinct[new], found[new], (starts[chosen + 1] - starts[chosen]).astype(np.uint32),
                    fields[spread(starts[chosen], starts[chosen + 1] - starts[chosen])])  # fmt: skip
        return found[inverse]

    def _learn(self, sums: U64, numbers: U32, sizes: U32, fields: U8) -> None:
        self._count += len(sums)
        if self._full:
            self._more_fields.append(fields)
            self._more_sizes.append(sizes)
            return
        self._fields += fields.tobytes()
        self._sizes.append(sizes)
        self._counts = np.concatenate([self._counts, np.zeros(len(sums), np.int64)])
        known, held = np.concatenate([self._known, sums]), np.concatenate([self._numbers, numbers])
        order = known.argsort(kind="stable")
        self._known, self._numbers = known[order], held[order]
        self._full = len(self._fields) + _PATTERN_BYTES * self._count > _KEPT

    def finish(self) -> None:
        """Write what is known only at the end."""
        order = np.argsort(-self._counts, kind="stable")
        ranks = np.empty(len(order), np.uint32)
        ranks[order] = np.arange(len(order), dtype=np.uint32)
        numbers = NarrowWriter(self._writer, "postings.patterns")
        for ids in self._ids.pieces():
            known = ids < len(ranks)
            numbers.append(np.where(known, ranks.take(ids, mode="clip"), ids) if len(ranks) else ids)
        numbers.finish()
        sizes = np.concatenate([np.empty(0, np.uint32), *self._sizes])
        starts = starts_of(sizes)
        all_sizes = np.concatenate([sizes[order], *self._more_sizes])
        write_narrow(self._writer, "patterns.sizes", all_sizes)
        fields = self._writer.stream("patterns.fields", np.uint8)
        fields.append(np.frombuffer(self._fields, np.uint8)[spread(starts[:-1][order], sizes[order])])
        for piece in self._more_fields.pieces():
            fields.append(piece)
        fields.close()


def _folded(fold: np.ufunc, table: U32, fields: U8, starts: I64) -> U32:
    """Return what `np.add` or `np.bitwise_or` makes of what a table has for the fields of each pattern."""
    if KERNEL is not None:
        return KERNEL.folded(fields, starts, table, fold is np.add)
    made: U32 = fold.reduceat(table[fields], starts[:-1]) if len(fields) else np.empty(0, np.uint32)
    return made


class Patterns:
    """Reads what `PatternWriter` wrote. Safe to share between threads.

    `numbers`: of each posting, the number of its pattern. Raises IndexDamaged where the patterns are not as
    they were written; numpy raises IndexError where a posting has a pattern that is not there.
    """

    def __init__(self, file: ArrayFile) -> None:
        self._file = file
        self.numbers = Narrow(file, "postings.patterns")
        self._weights: OrderedDict[str, Numbers] = OrderedDict()
        self._masks: OrderedDict[str, U16] = OrderedDict()

    @cached_property
    def sizes(self) -> Numbers:
        """How many occurrences a posting has, by the number of its pattern."""
        held = Narrow(self._file, "patterns.sizes")
        sizes = held[0 : len(held)]
        if len(sizes) and not sizes.min():
            raise self._file.damaged("a pattern has no occurrences")
        return sizes

    @cached_property
    def parts(self) -> tuple[U8, I64]:
        """The fields of all patterns, and where those of each begin and the last ones end."""
        fields = self._file.get("patterns.fields", np.uint8)
        starts = starts_of(self.sizes)
        if starts[-1] != len(fields):
            raise self._file.damaged("the parts of its patterns do not fit together")
        return fields, starts

    def weights(self, area: str) -> Numbers:
        """Return how much a posting weighs in an area, in hundredths, by the number of its pattern: uint16,
        or uint32 where need be.
        """
        found = self._weights.get(area)
        if found is None:
            sums = _folded(np.add, weight_table(area), *self.parts)
            small = int(sums.max(initial=0)) <= np.iinfo(np.uint16).max
            found = self._weights[area] = sums.astype(np.uint16 if small else np.uint32)
            while len(self._weights) > _AREAS:
                self._weights.popitem(last=False)
        return found

    def masks(self, area: str) -> U16:
        """Return uint16 by the number of a pattern: patterns that share a field of an area share a bit."""
        found = self._masks.get(area)
        if found is None:
            table = np.zeros(256, np.uint32)
            held = np.flatnonzero(weight_table(area))
            table[held] = np.left_shift(1, np.arange(len(held)) % 16)
            found = _folded(np.bitwise_or, table, *self.parts).astype(np.uint16)
            self._masks[area] = found
            while len(self._masks) > _AREAS:
                self._masks.popitem(last=False)
        return found

    def fields(self, numbers: Numbers, counts: npt.NDArray[np.integer[Any]]) -> U8:
        """Return the fields of the occurrences of postings, by the numbers of their patterns; `counts`: how
        many each has.
        """
        fields, starts = self.parts
        return fields.take(spread(starts.take(numbers), counts))
