"""Which documents have a term, how often, in which fields and at which places.

For each term of the dictionary, in its order:

- postings: documents ascending, and in each the number of occurrences over all fields
- occurrences, ordered by document, field, position: field number and position within the field

Every search area can be answered from these. For the areas of `FOLDED`, and terms with many occurrences, the
weighted frequency of BM25F is folded into a list of its own at build time: documents, and sums of weights in
hundredths, raw, since lengths and document frequencies change with every commit. With each list goes what
pruning needs: upper bounds of the saturated frequency `tf / (tf + norm)`, of the list and of every block of
128, and its 64 best postings. The bounds hold for the mean length that the segment had when it was written;
`loosened` makes them hold for any other.

A segment is written from `Chunk`s, ascending stretches of the dictionary, so that no more than one of them is
in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.fields import FIELD_NUMBERS, area_weights
from trialindex.frozen import frozen
from trialindex.segments.arrays import ArrayFile, ArrayWriter, narrowest, patched, unpatched
from trialindex.segments.terms import Terms, TermWriter

__all__ = [
    "BLOCK", "FOLDED", "K1", "B", "Chunk", "Narrow", "NarrowReader", "Occurrences", "Postings",
    "PostingsReader", "PostingsWriter", "joined", "norms", "spread", "weight_table", "wide",
]  # fmt: skip

# The parameters of BM25: where frequency saturates, and how much length counts (Robertson and Zaragoza 2009,
# equation 3.15).
K1 = 1.2
B = 0.75

# The areas that most queries ask; the others are weighed when asked.
FOLDED = ("BasicSearch", "ConditionSearch", "InterventionSearch", "TitleSearch")
# Terms with fewer occurrences are weighed faster than their list is found.
FOLD_FROM = 256
BLOCK = 128
_LONG = 256
_BEST = 64
# Bounds are worked out in float32, each step of which may be off by 2^-24 of its result: far less than this
# altogether, so that a rounded bound is still a bound.
_ROUNDED = np.float32(1 + 2**-20)

_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


class Chunk(NamedTuple):
    """A stretch of the dictionary with its postings and occurrences.

    `terms`: ascending. `frequencies`: int64[t], postings of each, never 0. `docs`, `counts`: [p], of each
    posting. `fields`, `positions`: [m], of each occurrence.
    """

    terms: list[bytes]
    frequencies: I64
    docs: U32
    counts: U32
    fields: U8
    positions: U32


@frozen
class Postings:
    """The documents that have a term in an area.

    `docs`: uint32[n], ascending. `sums`: uint32[n], the weighted frequencies in hundredths. The others bound
    the saturated frequency s = tf / (tf + norm): `highest` over the list, `block_highest` float32[b] over the
    postings from `block_starts` int64[b] to the next start; `best` int64: the indexes of at least the 64
    postings with the greatest s, and `rest` bounds s of all others. For short lists these are None.
    """

    docs: U32
    sums: U32
    highest: float = 1.0
    block_starts: I64 | None = None
    block_highest: F32 | None = None
    best: I64 | None = None
    rest: float = 0.0


@frozen
class Occurrences:
    """Where a term stands: [m] each, ordered by document, field, position."""

    docs: U32
    fields: U8
    positions: U32


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


def norms(lengths: U32, mean: float) -> F32:
    """Return float32[n]: `k1 * (1 - b + b * length / mean)`, BM25's share of length, for weighted lengths."""
    if mean <= 0:
        return np.full(len(lengths), K1, np.float32)
    return (K1 * (1 - B) + (K1 * B / mean) * lengths).astype(np.float32)


def spread(starts: I64, sizes: I64) -> I64:
    """Return the indexes of several stretches, one after the other.

    >>> spread(np.array([10, 20]), np.array([2, 3])).tolist()
    [10, 11, 20, 21, 22]
    """
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - sizes), sizes) + np.arange(total, dtype=np.int64)


def _starts(sizes: npt.NDArray[np.integer]) -> I64:
    """Return int64[n + 1]: where each stretch starts, and where the last one ends."""
    found = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=found[1:])
    return found


class Narrow:
    """A stream of values in a narrow dtype, those that do not fit stated beside it."""

    def __init__(self, writer: ArrayWriter, name: str, dtype: npt.DTypeLike) -> None:
        self._writer, self._name, self._dtype = writer, name, np.dtype(dtype)
        self._stream = writer.stream(name, self._dtype)
        self._at: list[npt.NDArray[np.uint64]] = []
        self._more: list[npt.NDArray[np.uint32]] = []
        self._size = 0

    def append(self, values: U32) -> None:
        narrow, at, more = patched(values, self._dtype)
        self._stream.append(narrow)
        if len(at):
            self._at.append(at + np.uint64(self._size))
            self._more.append(more.astype(np.uint32))
        self._size += len(values)

    def finish(self) -> None:
        if self._at:
            self._writer.put(f"{self._name}.at", np.concatenate(self._at))
            self._writer.put(f"{self._name}.more", np.concatenate(self._more))


class NarrowReader:
    """Reads what `Narrow` wrote: uint values, of any unsigned dtype."""

    def __init__(self, file: ArrayFile, name: str) -> None:
        self._values = file.get(name, *_UNSIGNED)
        patches = file.has(f"{name}.at")
        self._at = file.get(f"{name}.at", np.uint64) if patches else np.empty(0, np.uint64)
        self._more = file.get(f"{name}.more", np.uint32) if patches else np.empty(0, np.uint32)
        if len(self._at) != len(self._more):
            raise IndexDamaged(f"{file.path.name} is damaged ({name}): build the index again")

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, stretch: slice) -> U32:
        held = self._values[stretch]
        return unpatched(held, stretch.start, self._at, self._more)

    def take(self, indexes: I64) -> U32:
        held: U32 = self._values[indexes].astype(np.uint32)
        if len(self._at):
            places = np.minimum(np.searchsorted(self._at, indexes.astype(np.uint64)), len(self._at) - 1)
            odd = self._at[places] == indexes
            held[odd] = self._more[places[odd]]
        return held


class _AreaWriter:
    """The folded lists of one area."""

    def __init__(self, writer: ArrayWriter, area: str, lengths: U32, docs: str) -> None:
        self._writer, self._area = writer, area
        self._weights = weight_table(area)
        mean = float(lengths.mean()) if len(lengths) else 0.0
        # In hundredths, as the sums.
        self._norms = norms(lengths, mean) * np.float32(100)
        writer.meta[f"area.{area}.mean"] = mean
        writer.put(f"area.{area}.lengths", lengths.astype("<u4"))
        self._docs = writer.stream(f"area.{area}.docs", docs)
        self._sums = Narrow(writer, f"area.{area}.sums", "<u2")
        self._terms: list[npt.NDArray[np.integer]] = []
        self._sizes: list[I64] = []
        self._highest: list[F32] = []
        self._rest: list[float] = []
        self._blocks: list[F32] = []
        self._block_sizes: list[int] = []
        self._best: list[U32] = []
        self._best_sizes: list[int] = []

    def append(self, terms: I64, frequencies: I64, docs: U32, counts: U32, fields: U8) -> None:
        """Fold some terms: their ordinals, postings of each, and those postings and occurrences."""
        sums = np.add.reduceat(self._weights[fields], _starts(counts)[:-1])
        held = sums > 0
        owner = np.repeat(np.arange(len(terms)), frequencies)[held]
        docs, sums = docs[held], sums[held].astype(np.uint32)
        sizes = np.bincount(owner, minlength=len(terms))
        tf = sums.astype(np.float32)
        saturated: F32 = (tf / (tf + self._norms[docs]) * _ROUNDED).astype(np.float32, copy=False)
        highest = np.zeros(len(terms), np.float32)
        filled = sizes > 0
        starts = _starts(sizes)
        highest[filled] = np.maximum.reduceat(saturated, starts[:-1][filled]) if len(saturated) else 0
        for start, size in zip(starts[:-1].tolist(), sizes.tolist(), strict=True):
            self._bound(saturated[start : start + size])
        self._terms.append(terms)
        self._sizes.append(sizes)
        self._highest.append(highest)
        self._docs.append(docs.astype(self._docs.dtype))
        self._sums.append(sums)

    def _bound(self, saturated: F32) -> None:
        size = len(saturated)
        if size <= _LONG:
            self._block_sizes.append(0)
            self._best_sizes.append(0)
            self._rest.append(0.0)
            return
        blocks = np.maximum.reduceat(saturated, np.arange(0, size, BLOCK))
        order = np.argpartition(saturated, size - _BEST - 1)
        best = np.sort(order[size - _BEST :]).astype(np.uint32)
        self._blocks.append(blocks)
        self._block_sizes.append(len(blocks))
        self._best.append(best)
        self._best_sizes.append(len(best))
        self._rest.append(float(saturated[order[size - _BEST - 1]]))

    def finish(self) -> None:
        put, name = self._writer.put, f"area.{self._area}"
        self._sums.finish()
        sizes = np.concatenate([np.empty(0, np.int64), *self._sizes])
        for part, held in (
            ("offsets", sizes),
            ("block_offsets", np.array(self._block_sizes, np.int64)),
            ("best_offsets", np.array(self._best_sizes, np.int64)),
        ):
            offsets = _starts(held)
            put(f"{name}.{part}", offsets.astype(wide(int(offsets[-1]))))
        put(f"{name}.terms", np.concatenate([np.empty(0, "<u4"), *self._terms]).astype("<u4"))
        put(f"{name}.highest", np.concatenate([np.empty(0, "<f4"), *self._highest]).astype("<f4"))
        put(f"{name}.rest", (np.array(self._rest, "<f4") * _ROUNDED).astype("<f4"))
        put(f"{name}.blocks", np.concatenate([np.empty(0, "<f4"), *self._blocks]).astype("<f4"))
        put(f"{name}.best", np.concatenate([np.empty(0, "<u4"), *self._best]).astype("<u4"))


def wide(highest: int) -> np.dtype[np.unsignedinteger]:
    """Return the dtype of offsets up to a highest one: four bytes, or eight where these do not hold it.

    Never below four: offsets of a small segment need no saving, and one width is one code path.
    """
    return np.dtype("<u4") if highest < 1 << 32 else np.dtype("<u8")


class PostingsWriter:
    """Writes the dictionary, postings and occurrences of a segment, chunk by chunk.

    `documents`: how many the segment has. `lengths`: the weighted length of each document in the areas of
    FOLDED, uint32[documents], hundredths.
    """

    def __init__(self, writer: ArrayWriter, documents: int, lengths: Mapping[str, U32]) -> None:
        self._writer = writer
        docs = narrowest(max(documents - 1, 0))
        self._doc_type = np.dtype("<u2") if docs.itemsize < 2 else docs
        self._terms = TermWriter(writer, "terms")
        self._count = 0
        self._docs = writer.stream("postings.docs", self._doc_type)
        self._counts = Narrow(writer, "postings.counts", "<u1")
        self._fields = writer.stream("occurrences.fields", "<u1")
        self._positions = Narrow(writer, "occurrences.positions", "<u2")
        self._frequencies: list[I64] = []
        self._sizes: list[I64] = []
        self._areas = [_AreaWriter(writer, area, lengths[area], self._doc_type.str) for area in FOLDED]

    def append(self, chunk: Chunk) -> None:
        """Write a stretch of the dictionary; every one after the last term of the one before."""
        if not chunk.terms:
            return
        self._terms.append(chunk.terms)
        self._docs.append(chunk.docs.astype(self._doc_type))
        self._counts.append(chunk.counts)
        self._fields.append(chunk.fields)
        self._positions.append(chunk.positions)
        sizes = np.add.reduceat(chunk.counts.astype(np.int64), _starts(chunk.frequencies)[:-1])
        self._frequencies.append(chunk.frequencies.astype(np.int64))
        self._sizes.append(sizes)
        chosen = sizes >= FOLD_FROM
        if chosen.any():
            postings = np.repeat(chosen, chunk.frequencies)
            docs, counts = chunk.docs[postings], chunk.counts[postings]
            fields = chunk.fields[np.repeat(postings, chunk.counts)]
            ordinals = np.flatnonzero(chosen) + self._count
            for area in self._areas:
                area.append(ordinals, chunk.frequencies[chosen], docs, counts, fields)
        self._count += len(chunk.terms)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._terms.finish()
        self._counts.finish()
        self._positions.finish()
        for name, sizes in (("postings", self._frequencies), ("occurrences", self._sizes)):
            offsets = _starts(np.concatenate([np.empty(0, np.int64), *sizes]))
            self._writer.put(f"{name}.offsets", offsets.astype(wide(int(offsets[-1]))))
        for area in self._areas:
            area.finish()


class _AreaReader:
    def __init__(self, file: ArrayFile, area: str) -> None:
        name = f"area.{area}"
        self._file = file
        self._terms = file.get(f"{name}.terms", np.uint32)
        self._offsets = file.get(f"{name}.offsets", *_UNSIGNED)
        self._docs = file.get(f"{name}.docs", *_UNSIGNED)
        self._sums = NarrowReader(file, f"{name}.sums")
        self._highest = file.get(f"{name}.highest", np.float32)
        self._rest = file.get(f"{name}.rest", np.float32)
        self._blocks = file.get(f"{name}.blocks", np.float32)
        self._block_offsets = file.get(f"{name}.block_offsets", *_UNSIGNED)
        self._best = file.get(f"{name}.best", np.uint32)
        self._best_offsets = file.get(f"{name}.best_offsets", *_UNSIGNED)
        mean = file.meta.get(f"{name}.mean")
        starts = (self._offsets, self._block_offsets, self._best_offsets)
        if (
            not isinstance(mean, float)
            or {len(held) - 1 for held in starts} | {len(self._highest), len(self._rest)}
            != {len(self._terms)}
            or len(self._sums) != len(self._docs)
        ):
            raise file.damaged(f"the parts of the lists of {area} do not fit together")
        self.mean = mean

    @property
    def ordinals(self) -> list[int]:
        found: list[int] = self._terms.tolist()
        return found

    def index(self, ordinal: int) -> int:
        """Return the place of a term among the folded ones, -1 where it is not."""
        place = int(self._terms.searchsorted(ordinal))
        return place if place < len(self._terms) and self._terms[place] == ordinal else -1

    def frequency(self, place: int) -> int:
        low, high = _stretch(self._file, self._offsets, place, len(self._docs))
        return high - low

    def postings(self, place: int, loosen: float) -> Postings:
        """Return a list, its bounds times `loosen`."""
        low, high = _stretch(self._file, self._offsets, place, len(self._docs))
        docs = self._docs[low:high].astype(np.uint32, copy=False)
        sums = self._sums[low:high]
        highest = min(1.0, float(self._highest[place]) * loosen)
        first, last = _stretch(self._file, self._block_offsets, place, len(self._blocks))
        if first == last:
            return Postings(docs, sums, highest)
        blocks = np.minimum(self._blocks[first:last] * np.float32(loosen), np.float32(1))
        one, end = _stretch(self._file, self._best_offsets, place, len(self._best))
        best = self._best[one:end].astype(np.int64)
        if last - first != -(-len(docs) // BLOCK) or (len(best) and int(best.max()) >= len(docs)):
            raise self._file.damaged("the blocks of a list do not fit it")
        return Postings(
            docs,
            sums,
            highest,
            np.arange(last - first, dtype=np.int64) * BLOCK,
            blocks,
            best,
            min(1.0, float(self._rest[place]) * loosen),
        )


def _stretch(file: ArrayFile, offsets: npt.NDArray[np.integer], place: int, size: int) -> tuple[int, int]:
    low, high = int(offsets[place]), int(offsets[place + 1])
    if not 0 <= low <= high <= size:
        raise IndexDamaged(f"{file.path.name} is damaged (an offset leads nowhere): build the index again")
    return low, high


def _loosening(old: float, mean: float) -> float:
    """Return by how much s = tf / (tf + norm) may be greater for a mean length than for an old one.

    norm(mean) / norm(old) >= old / mean, and s grows by no more than the inverse. Where the old mean is 0, so
    are all lengths: norm was k1, and is k1 * (1 - b) for any mean.
    """
    if old >= mean:
        return 1.0
    return mean / old if old > 0 else 1 / (1 - B)


class PostingsReader:
    """Reads the dictionary and the postings of a segment; every access stays within its arrays."""

    def __init__(self, file: ArrayFile, documents: int) -> None:
        self._file = file
        self._documents = documents
        self.terms = Terms(file, "terms")
        self._offsets = file.get("postings.offsets", *_UNSIGNED)
        self._docs = file.get("postings.docs", *_UNSIGNED)
        self._counts = NarrowReader(file, "postings.counts")
        self._places = file.get("occurrences.offsets", *_UNSIGNED)
        self._fields = file.get("occurrences.fields", np.uint8)
        self._positions = NarrowReader(file, "occurrences.positions")
        self._areas: dict[str, _AreaReader] = {}
        if (
            {len(self._offsets), len(self._places)} != {len(self.terms) + 1}
            or len(self._counts) != len(self._docs)
            or len(self._positions) != len(self._fields)
        ):
            raise IndexDamaged(f"{file.path.name} is damaged (its dictionary): build the index again")

    def _area(self, area: str) -> _AreaReader:
        found = self._areas.get(area)
        if found is None:
            found = self._areas[area] = _AreaReader(self._file, area)
        return found

    def frequency(self, ordinal: int) -> int:
        """Return how many documents have a term anywhere."""
        low, high = _stretch(self._file, self._offsets, ordinal, len(self._docs))
        return high - low

    def size(self, ordinal: int) -> int:
        """Return how many occurrences a term has."""
        low, high = _stretch(self._file, self._places, ordinal, len(self._fields))
        return high - low

    def documents(self, ordinal: int) -> U32:
        """Return the documents of a term, ascending."""
        low, high = _stretch(self._file, self._offsets, ordinal, len(self._docs))
        return self._docs[low:high].astype(np.uint32, copy=False)

    def area_frequency(self, ordinal: int, area: str) -> int | None:
        """Return how many documents have a term in an area where that is folded, else None."""
        if area in FOLDED and (place := self._area(area).index(ordinal)) >= 0:
            return self._area(area).frequency(place)
        return None

    def postings(self, ordinal: int, area: str, mean: float) -> Postings:
        """Return the postings of a term in an area, with bounds for the mean length given."""
        if area in FOLDED:
            folded = self._area(area)
            place = folded.index(ordinal)
            if place >= 0:
                return folded.postings(place, _loosening(folded.mean, mean))
        return self.weighed(ordinal, area)

    def folded(self, area: str) -> list[int]:
        """Return the ordinals of the terms whose lists are folded in an area of FOLDED, ascending."""
        return self._area(area).ordinals

    def mean(self, area: str) -> float:
        """Return the mean length for which the bounds of an area of FOLDED were worked out."""
        return self._area(area).mean

    def weighed(self, ordinal: int, area: str) -> Postings:
        """Return the postings of a term in an area from its occurrences."""
        low, high = _stretch(self._file, self._offsets, ordinal, len(self._docs))
        first, last = _stretch(self._file, self._places, ordinal, len(self._fields))
        counts = self._counts[low:high]
        starts = self._within(counts, last - first)
        weights = weight_table(area)[self._fields[first:last]]
        sums = np.add.reduceat(weights, starts[:-1]) if high > low else np.empty(0, np.uint32)
        held = sums > 0
        return Postings(self._docs[low:high][held].astype(np.uint32), sums[held].astype(np.uint32))

    def _within(self, counts: U32, size: int) -> I64:
        starts = _starts(counts)
        if starts[-1] != size or (len(counts) and not counts.min()):
            raise IndexDamaged(f"{self._file.path.name} is damaged (counts): build the index again")
        return starts

    def occurrences(self, ordinal: int, docs: U32 | None = None) -> Occurrences:
        """Return where a term stands, in all documents or in some (ascending; they need not have it)."""
        low, high = _stretch(self._file, self._offsets, ordinal, len(self._docs))
        first, last = _stretch(self._file, self._places, ordinal, len(self._fields))
        held, counts = self._docs[low:high], self._counts[low:high]
        starts = self._within(counts, last - first)
        if docs is None:
            owners = np.repeat(held.astype(np.uint32, copy=False), counts)
            positions = self._positions[first:last].astype(np.uint32, copy=False)
            return Occurrences(owners, self._fields[first:last], positions)
        wanted = docs.astype(held.dtype)
        places = held.searchsorted(wanted)
        there = places < len(held)
        there[there] = held[places[there]] == wanted[there]
        places = places[there]
        sizes = counts[places].astype(np.int64)
        indexes = spread(first + starts[places], sizes)
        return Occurrences(
            np.repeat(docs[there].astype(np.uint32, copy=False), sizes),
            self._fields[indexes],
            self._positions.take(indexes),
        )

    def stretch(self, low: int, high: int) -> Chunk:
        """Return the terms from one ordinal up to another as a chunk."""
        start, end = int(self._offsets[low]), int(self._offsets[high])
        first, last = int(self._places[low]), int(self._places[high])
        offsets: I64 = self._offsets[low : high + 1].astype(np.int64)
        frequencies = offsets[1:] - offsets[:-1]
        sound = (
            0 <= start <= end <= len(self._docs)
            and 0 <= first <= last <= len(self._fields)
            and (not len(frequencies) or frequencies.min() > 0)
        )
        counts = self._counts[start:end] if sound else np.empty(0, np.uint32)
        if not sound or int(counts.sum(dtype=np.int64)) != last - first:
            raise IndexDamaged(f"{self._file.path.name} is damaged (postings): build the index again")
        docs = self._docs[start:end].astype(np.uint32)
        if len(docs) and int(docs.max()) >= self._documents:
            raise IndexDamaged(f"{self._file.path.name} is damaged (documents): build the index again")
        return Chunk(
            self.terms.slice(low, high),
            frequencies,
            docs,
            counts,
            self._fields[first:last],
            self._positions[first:last],
        )

    def reach(self, low: int, size: int) -> int:
        """Return the ordinal up to which the terms from another on have so many occurrences."""
        if low >= len(self.terms):
            return low
        limit = int(self._places[low]) + size
        return max(low + 1, min(len(self.terms), int(self._places.searchsorted(limit, "right")) - 1))

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the whole dictionary in chunks of about so many occurrences."""
        low = 0
        while low < len(self.terms):
            high = self.reach(low, size)
            yield self.stretch(low, high)
            low = high


def joined(parts: list[tuple[int, Postings]]) -> Postings:
    """Return the lists of several segments as one; each with the number of its segment's first document."""
    if len(parts) == 1:
        base, only = parts[0]
        return only if not base else _moved(only, base)
    docs = np.concatenate([part.docs + np.uint32(base) for base, part in parts])
    sums = np.concatenate([part.sums for _, part in parts])
    highest = max(part.highest for _, part in parts)
    if all(part.block_starts is None for _, part in parts):
        return Postings(docs, sums, highest)
    starts, blocks, best = [], [], []
    rest = 0.0
    at = 0
    for _, part in parts:
        size = len(part.docs)
        if part.block_starts is None or part.block_highest is None or part.best is None:
            # A short list is one block, and all of it is among the best.
            starts.append(np.zeros(min(size, 1), np.int64) + at)
            blocks.append(np.full(min(size, 1), part.highest, np.float32))
            best.append(np.arange(at, at + size))
        else:
            starts.append(part.block_starts + at)
            blocks.append(part.block_highest)
            best.append(part.best + at)
            rest = max(rest, part.rest)
        at += size
    return Postings(
        docs, sums, highest, np.concatenate(starts), np.concatenate(blocks), np.concatenate(best), rest
    )


def _moved(part: Postings, base: int) -> Postings:
    return Postings(
        part.docs + np.uint32(base),
        part.sums,
        part.highest,
        part.block_starts,
        part.block_highest,
        part.best,
        part.rest,
    )
