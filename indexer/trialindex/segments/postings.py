"""Which documents have a term, how often, in which fields and at which places.

For each term of the dictionary, in its order:

- postings: documents ascending (`doc_ids`), and for each the fields of its occurrences, as the number of its
  pattern (`patterns`)
- occurrences, ordered by document, field, position: the position within the field (`narrow`)

Every search area can be answered from these: a posting's pattern tells its weighted frequency, a raw sum of
weights in hundredths, since lengths and document frequencies change with every commit. What pruning needs of
the areas that most queries ask, and of terms with many occurrences, is worked out beforehand (`bounds`).

| array | what it holds |
|---|---|
| `terms.*` | the dictionary (`terms`) |
| `postings.docs`, `.sizes`, `.places` | the documents of each term (`doc_ids`) |
| `postings.patterns`, `patterns.*` | the pattern of each posting (`patterns`) |
| `occurrences.positions` | of each occurrence (`narrow`) |
| `occurrences.sizes` | how many occurrences each term has (`sizes`) |
| `postings.occurrences` | uint32 or uint64, how many all postings before every 64th have, and all in all |
| `area.*` | bounds (`bounds`) |

A segment is written from `Chunk`s, ascending stretches of the dictionary, so that no more than one of them is
in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.analysis import VALUE_GAP
from trialindex.errors import IndexDamaged
from trialindex.frozen import frozen
from trialindex.kernel import KERNEL
from trialindex.segments import bounds
from trialindex.segments.arrays import ArrayFile, ArrayWriter, spread, starts_of
from trialindex.segments.bounds import BOUNDED, K1, B, BoundReader, BoundWriter, Postings, joined, norms
from trialindex.segments.doc_ids import Lists, ListWriter
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.patterns import Patterns, PatternWriter, weight_table
from trialindex.segments.sizes import Sizes, SizeWriter, StartWriter
from trialindex.segments.terms import Terms, TermWriter

if TYPE_CHECKING:
    from trialindex import _kernel

__all__ = [
    "BOUNDED", "K1", "MOST_TERMS", "B", "Chunk", "Occurrences", "Postings", "PostingsReader",
    "PostingsWriter", "joined", "norms", "phrase_room",
]  # fmt: skip

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.unsignedinteger[Any]]


# To look one document up in a list costs as much as marking it and passing over so many of the list.
_BISECTION = 16
# Postings from one sum of occurrences to the next: those of a phrase in few documents are counted from there.
_STRIDE = 64
# Terms of the longest phrase that the kernel takes.
MOST_TERMS = 256
# Postings of the lists that a reader keeps, each of 13 bytes or a few more.
_KEPT = 1 << 19


def phrase_room(offsets: Sequence[int], slop: int) -> int:
    """Return how many more words than a phrase has may stand between its terms, at most `slop`, if no two of
    them are to be so far apart that they stand in two values; below 0 where its own words are.

    >>> phrase_room([0, 1], 20), phrase_room([0, 10], 20), phrase_room([0, 10], 2), phrase_room([0, 17], 0)
    (15, 6, 2, -1)
    """
    widest = max((after - before for before, after in pairwise(offsets)), default=1)
    return min(slop, VALUE_GAP - widest)


class Chunk(NamedTuple):
    """A stretch of the dictionary with its postings and occurrences.

    `terms`: ascending. `frequencies`: int64[t], postings of each, never 0. `docs`, `counts`: [p], of each
    posting. `fields`, `positions`: [m], of each occurrence. Counts and positions are of any unsigned dtype.
    """

    terms: list[bytes]
    frequencies: I64
    docs: U32
    counts: Numbers
    fields: U8
    positions: Numbers


@frozen
class Occurrences:
    """Where a term stands: [m] each, ordered by document, field, position."""

    docs: U32
    fields: U8
    positions: U32


class PostingsWriter:
    """Writes the dictionary, postings and occurrences of a segment, chunk by chunk.

    `documents`: how many the segment has. `lengths`: the weighted length of each document in the areas of
    BOUNDED, uint32[documents], hundredths.
    """

    def __init__(self, writer: ArrayWriter, documents: int, lengths: Mapping[str, U32]) -> None:
        self._writer = writer
        self._terms = TermWriter(writer, "terms")
        self._docs = ListWriter(writer, "postings.docs", documents)
        self._patterns = PatternWriter(writer)
        self._positions = NarrowWriter(writer, "occurrences.positions")
        self._sizes = SizeWriter(writer, "occurrences.sizes")
        self._sums = StartWriter(writer, "postings.occurrences", _STRIDE)
        self._areas = [BoundWriter(writer, area, lengths[area]) for area in BOUNDED]
        self._bounded: list[I64] = [np.empty(0, np.int64)]
        self._count = 0

    def append(self, chunk: Chunk) -> None:
        """Write a stretch of the dictionary; every one after the last term of the one before."""
        if not chunk.terms:
            return
        self._terms.append(chunk.terms)
        self._docs.append(chunk.frequencies, chunk.docs)
        self._patterns.append(chunk.counts, chunk.fields)
        self._sums.append(chunk.counts)
        self._positions.append(chunk.positions)
        sizes = np.add.reduceat(chunk.counts.astype(np.int64), starts_of(chunk.frequencies)[:-1])
        self._sizes.append(sizes)
        chosen = sizes >= bounds.BOUND_FROM
        if chosen.any():
            postings = np.repeat(chosen, chunk.frequencies)
            docs, counts = chunk.docs[postings], chunk.counts[postings]
            fields = chunk.fields[np.repeat(postings, chunk.counts)]
            for area in self._areas:
                area.append(chunk.frequencies[chosen], docs, counts, fields)
            self._bounded.append(np.flatnonzero(chosen) + self._count)
        self._count += len(chunk.terms)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._terms.finish()
        self._docs.finish()
        self._patterns.finish()
        self._positions.finish()
        self._sizes.finish()
        self._sums.finish()
        for area in self._areas:
            area.finish()
        self._writer.put("area.terms", np.concatenate(self._bounded).astype(np.uint32))


class PostingsReader:
    """Reads the dictionary and the postings of a segment; every access stays within its arrays.

    Raises IndexDamaged where they are not as they were written, at the latest when a list is read.
    """

    def __init__(self, file: ArrayFile, documents: int) -> None:
        self._file = file
        self._documents = documents
        self.terms = Terms(file, "terms")
        self._docs = Lists(file, "postings.docs", documents)
        self._patterns = Patterns(file)
        self._positions = Narrow(file, "occurrences.positions")
        self._sizes = Sizes(file, "occurrences.sizes", len(self._positions))
        self._sums = file.get("postings.occurrences", np.uint32, np.uint64)
        self._areas: dict[str, BoundReader] = {}
        # Lists read of late, and where their occurrences begin: a query asks for a term in several ways.
        self._lists: dict[int, tuple[int, U32]] = {}
        self._places: dict[int, tuple[Numbers, I64, int, int]] = {}
        self._kept = 0
        postings = len(self._patterns.numbers)
        if (
            {len(self._docs), len(self._sizes)} != {len(self.terms)}
            or postings != self._docs.total
            or len(self._sums) != -(-postings // _STRIDE) + 1
            or self._sums[-1] != len(self._positions)
        ):
            raise file.damaged("the parts of its postings do not fit together")

    @cached_property
    def _bounded(self) -> U32:
        return self._file.get("area.terms", np.uint32)

    def _area(self, area: str) -> BoundReader:
        found = self._areas.get(area)
        if found is None:
            found = self._areas[area] = BoundReader(self._file, area, len(self._bounded))
        return found

    def _place(self, ordinal: int) -> int:
        """Return the place of a term among those with bounds, -1 where it has none."""
        bounded = self._bounded.data
        place = bisect_left(bounded, ordinal)
        return place if place < len(bounded) and bounded[place] == ordinal else -1

    def frequency(self, ordinal: int) -> int:
        """Return how many documents have a term anywhere."""
        return self._docs.sizes[ordinal]

    def size(self, ordinal: int) -> int:
        """Return how many occurrences a term has."""
        return self._sizes[ordinal]

    def documents(self, ordinal: int) -> U32:
        """Return the documents of a term, ascending."""
        return self._list(ordinal)[1]

    @cached_property
    def _compiled(self) -> _kernel.Postings | None:
        if KERNEL is None:
            return None
        width, paged, data, places = self._docs.parts()
        fields, starts = self._patterns.parts
        return KERNEL.Postings(
            self._file.damaged, self._documents, width, paged, data, places, *self._docs.sizes.parts(),
            self._patterns.numbers.planes(), self._patterns.sizes, starts, fields,
            self._positions.planes(), *self._sizes.parts(), self._sums,
        )  # fmt: skip

    def _list(self, ordinal: int) -> tuple[int, U32]:
        """Return how many postings all terms before one have, and its documents."""
        found = self._lists.get(ordinal)
        if found is None:
            held = self._docs if self._compiled is None else self._compiled
            found = held.entry(ordinal)
            self._kept += len(found[1])
            if self._kept > _KEPT:
                self._lists, self._places, self._kept = {}, {}, len(found[1])
            self._lists[ordinal] = found
        return found

    def _where(self, ordinal: int, low: int, size: int) -> tuple[Numbers, I64, int, int]:
        """Return the numbers of the patterns of a term's postings; where the occurrences of each posting
        begin among the term's own, int64[n + 1]; and where its own begin and end among all.

        `low`, `size`: how many postings all terms before it have, and it has.
        """
        found = self._places.get(ordinal)
        if found is None:
            patterns = self._patterns.numbers[low : low + size]
            starts = starts_of(self._patterns.sizes.take(patterns))
            first, last = self._sizes.stretch(ordinal)
            self._fit(int(starts[-1]), last - first)
            found = self._places[ordinal] = patterns, starts, first, last
        return found

    def area_frequency(self, ordinal: int, area: str) -> int | None:
        """Return how many documents have a term in an area where that is known beforehand, else None."""
        if area in BOUNDED and (place := self._place(ordinal)) >= 0:
            return self._area(area).frequency(place)
        return None

    def postings(self, ordinal: int, area: str, mean: float) -> Postings:
        """Return the postings of a term in an area; in one of BOUNDED with bounds, for a mean length."""
        place = self._place(ordinal) if area in BOUNDED else -1
        listed = self._area(area).listed(place) if place >= 0 else None
        docs, sums = listed or self.decoded(ordinal, area)
        if place >= 0:
            return self._area(area).bounded(place, docs, sums, mean)
        return Postings(docs, sums)

    def decoded(self, ordinal: int, area: str) -> tuple[U32, Numbers]:
        """Return the documents and sums of a term in an area, from its patterns."""
        if self._compiled is not None:
            return self._compiled.weighted(ordinal, self._patterns.weights(area))
        low, docs = self._list(ordinal)
        sums = self._patterns.numbers.mapped(low, low + len(docs), self._patterns.weights(area))
        if len(sums) != len(docs):
            raise self._file.damaged("a list has more documents than patterns")
        if len(sums) and not sums.min():
            held = sums > 0
            docs, sums = docs[held], sums[held]
        return docs, sums

    def bounded(self) -> list[int]:
        """Return the ordinals of the terms that have bounds in the areas of BOUNDED, ascending."""
        found: list[int] = self._bounded.tolist()
        return found

    def mean(self, area: str) -> float:
        """Return the mean length for which the bounds of an area of BOUNDED were worked out."""
        return self._area(area).mean

    def occurrences(self, ordinal: int, docs: U32 | None = None) -> Occurrences:
        """Return where a term stands, in all documents or in some (ascending; they need not have it)."""
        low, held = self._list(ordinal)
        patterns, starts, first, last = self._where(ordinal, low, len(held))
        if docs is None:
            counts = np.diff(starts)
            return Occurrences(
                np.repeat(held, counts),
                self._patterns.fields(patterns, counts),
                self._positions[first:last].astype(np.uint32, copy=False),
            )
        places = self._among(held, docs)
        begins = starts.take(places)
        sizes = starts.take(places + 1) - begins
        return Occurrences(
            np.repeat(held.take(places), sizes),
            self._patterns.fields(patterns.take(places), sizes),
            self._positions.take(first, last, spread(begins, sizes)).astype(np.uint32, copy=False),
        )

    @property
    def has_phrases(self) -> bool:
        """Whether `phrase` can be asked: only the kernel has it; `trialsearch.places` has the array form."""
        return self._compiled is not None

    def phrase(
        self,
        ordinals: Sequence[int],
        offsets: Sequence[int],
        slop: int,
        area: str,
        docs: U32 | None = None,
        denied: int = -1,
    ) -> I64:
        """Return where a phrase begins, ascending: document << 40 | field << 32 | position, int64[n].

        `ordinals`: its terms in order, up to MOST_TERMS; `offsets`: their places in it, ascending from 0;
        `slop`: how many more words may stand between them, as far as none can reach another value
        (`phrase_room`); `docs`: the documents to look in, ascending, None for all; `denied`: a term that may
        not stand right before the phrase, -1 for none.
        """
        assert self._compiled is not None
        lists = [(ordinal, self._list(ordinal)[1]) for ordinal in ordinals]
        before = (denied, self._list(denied)[1]) if denied >= 0 else None
        masks = self._patterns.masks(area)
        room = phrase_room(offsets, slop)
        return self._compiled.phrase(lists, offsets, room, weight_table(area), masks, docs, before)

    def _among(self, held: U32, docs: U32) -> I64:
        """Return where the documents of a list that are among others stand in it, ascending."""
        if _BISECTION * len(docs) < len(held):
            places: I64 = held.searchsorted(docs)
            places = places[places < len(held)]
            found: I64 = places[held[places] == docs[: len(places)]]
            return found
        marked = np.zeros(self._documents, np.bool_)
        marked[docs.astype(np.intp)] = True
        return np.flatnonzero(marked.take(held))

    def _fit(self, stated: int, size: int) -> None:
        if stated != size:
            raise IndexDamaged(f"{self._file.name} is damaged (occurrences): build the index again")

    def stretch(self, low: int, high: int) -> Chunk:
        """Return the terms from one ordinal up to another as a chunk."""
        frequencies, docs = self._docs.stretch(low, high)
        if len(frequencies) and not frequencies.min():
            raise self._file.damaged("a term has no documents")
        offsets = self._docs.sizes.offsets(low, high)
        begin, end = int(offsets[0]), int(offsets[-1])
        patterns = self._patterns.numbers[begin:end]
        counts = self._patterns.sizes.take(patterns)
        first, last = self._sizes.start(low), self._sizes.start(high)
        before = starts_of(counts)
        self._fit(int(before[-1]), last - first)
        sums = self._sums[-(-begin // _STRIDE) : -(-end // _STRIDE)]
        if not np.array_equal(sums, before[:-1][-begin % _STRIDE :: _STRIDE] + first):
            raise self._file.damaged("its sums of occurrences are not those of its postings")
        return Chunk(
            self.terms.slice(low, high),
            frequencies,
            docs,
            counts,
            self._patterns.fields(patterns, counts),
            self._positions[first:last],
        )

    def reach(self, low: int, size: int) -> int:
        """Return the ordinal up to which the terms from another on have so many occurrences."""
        return self._sizes.reach(low, size) if low < len(self.terms) else low

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the whole dictionary in chunks of about so many occurrences."""
        low = 0
        while low < len(self.terms):
            high = self.reach(low, size)
            yield self.stretch(low, high)
            low = high
