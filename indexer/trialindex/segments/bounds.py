"""What the pruning of a search needs of the lists of terms: how much a posting can score at the most.

For the areas of `BOUNDED`, and terms with many occurrences: upper bounds of the saturated frequency `tf /
(tf + norm)` of BM25F, tf the weighted frequency in the area, of the list and of every block of 128 postings,
and its 64 best postings; only the first where the list is short. They hold for the mean length that the
segment had when it was written, and are loosened to hold for any other.

A large segment has the long lists of `LISTED` too, as they are used: those of many queries no longer fit in
what is kept, and to map one takes no time.

| array | what it holds |
|---|---|
| `area.terms` | uint32[t], the ordinals of the terms that have bounds, ascending |
| `area.<Area>.lengths` | the weighted length of each document in hundredths, uint8, 16 or 32 |
| `area.<Area>.frequencies` | uint32[t], in how many documents a term stands in the area |
| `area.<Area>.highest` | float32[t], bounds of all postings of a term |
| `area.<Area>.rest` | float32[t], bounds of those that are not among the best |
| `area.<Area>.blocks` | float32, bounds of the blocks of all terms |
| `area.<Area>.best` | uint8, 16 or 32, as the documents need, the best postings of each term, ascending |
| `area.<Area>.blocks.offsets`, `.best.offsets` | uint32 or uint64 [t + 1], where those of each term begin |
| `area.<Area>.docs`, `.sums` | uint32, uint16, the lists of terms in many documents, but for greater sums |
| `area.<Area>.docs.offsets` | uint32 or uint64 [t + 1], where those of each term begin |

Postings are counted among those of the area. `meta` has `area.<Area>.mean`, the mean length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.frozen import frozen
from trialindex.segments.arrays import ArrayFile, ArrayStream, ArrayWriter, narrowest, starts_of, wide
from trialindex.segments.patterns import weight_table

__all__ = [
    "BLOCK", "BOUNDED", "BOUND_FROM", "K1", "LISTED", "LISTED_FROM", "LISTED_SHARE", "B", "BoundReader",
    "BoundWriter", "Postings", "joined", "norms",
]  # fmt: skip

# The parameters of BM25: where frequency saturates, and how much length counts (Robertson and Zaragoza 2009,
# equation 3.15).
K1 = 1.2
B = 0.75

# The areas that most queries ask.
BOUNDED = ("BasicSearch", "ConditionSearch", "InterventionSearch", "TitleSearch")
# The area whose long lists are kept, in segments of so many documents or more; and of how many documents a
# list has one at least: six bytes a posting are half as much as all else that an index has of it.
LISTED = "BasicSearch"
LISTED_FROM = 1 << 16
LISTED_SHARE = 20
_GREATEST_SUM = (1 << 16) - 1
# Terms with fewer occurrences are scored faster than anything of them is left out.
BOUND_FROM = 256
BLOCK = 128
_LONG = 256
_BEST = 64
# Bounds are worked out in float32, each step of which may be off by 2^-24 of its result: far less than this
# altogether, so that a rounded bound is still a bound.
_ROUNDED = np.float32(1 + 2**-20)

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.unsignedinteger[Any]]


@frozen
class Postings:
    """The documents that have a term in an area.

    `docs`: uint32[n], ascending. `sums`: uint16 or uint32 [n], the weighted frequencies in hundredths. The
    others bound the saturated frequency s = tf / (tf + norm): `highest` over the list, `block_highest`
    float32[b] over the postings from `block_starts` int64[b] to the next start; `best` int64: the indexes of
    at least the 64 postings with the greatest s, and `rest` bounds s of all others. For short lists these are
    None.
    """

    docs: U32
    sums: Numbers
    highest: float = 1.0
    block_starts: I64 | None = None
    block_highest: F32 | None = None
    best: I64 | None = None
    rest: float = 0.0


def norms(lengths: U32, mean: float) -> F32:
    """Return float32[n]: `k1 * (1 - b + b * length / mean)`, BM25's share of length, for weighted lengths."""
    if mean <= 0:
        return np.full(len(lengths), K1, np.float32)
    return (K1 * (1 - B) + (K1 * B / mean) * lengths).astype(np.float32)


class BoundWriter:
    """Writes the bounds in one area. `lengths`: the weighted length of each document, uint32[documents], in
    hundredths.
    """

    def __init__(self, writer: ArrayWriter, area: str, lengths: U32) -> None:
        name = f"area.{area}"
        self._writer, self._name = writer, name
        self._weights = weight_table(area)
        mean = float(lengths.mean()) if len(lengths) else 0.0
        # In hundredths, as the sums.
        self._norms = norms(lengths, mean) * np.float32(100)
        writer.meta[f"{name}.mean"] = mean
        writer.put(f"{name}.lengths", lengths.astype(narrowest(int(lengths.max(initial=0)))))
        self._frequencies = writer.stream(f"{name}.frequencies", "<u4")
        self._highest = writer.stream(f"{name}.highest", "<f4")
        self._rest = writer.stream(f"{name}.rest", "<f4")
        self._blocks = writer.stream(f"{name}.blocks", "<f4")
        self._block_sizes: list[I64] = []
        self._best = writer.stream(f"{name}.best", narrowest(max(len(lengths) - 1, 0)))
        self._best_sizes: list[I64] = []
        self._documents = len(lengths)
        self._lists: tuple[ArrayStream, ArrayStream] | None = None
        self._list_sizes: list[I64] = []
        if area == LISTED and len(lengths) >= LISTED_FROM:
            self._lists = writer.stream(f"{name}.docs", "<u4"), writer.stream(f"{name}.sums", "<u2")

    def append(self, frequencies: I64, docs: U32, counts: Numbers, fields: U8) -> None:
        """Add terms: how many postings each has, and those postings and occurrences."""
        sums = np.add.reduceat(self._weights[fields], starts_of(counts)[:-1])
        held = sums > 0
        owner = np.repeat(np.arange(len(frequencies)), frequencies)[held]
        tf = sums[held].astype(np.float32)
        saturated: F32 = (tf / (tf + self._norms[docs[held]]) * _ROUNDED).astype(np.float32, copy=False)
        sizes = np.bincount(owner, minlength=len(frequencies))
        highest = np.zeros(len(sizes), np.float32)
        starts = starts_of(sizes)
        if len(saturated):
            highest[sizes > 0] = np.maximum.reduceat(saturated, starts[:-1][sizes > 0])
        self._frequencies.append(sizes)
        self._highest.append(highest)
        rest = np.zeros(len(sizes), np.float32)
        long = sizes > _LONG
        for number in np.flatnonzero(long).tolist():
            rest[number] = self._bound(saturated[starts[number] : starts[number + 1]])
        self._rest.append(rest * _ROUNDED)
        self._block_sizes.append(np.where(long, -(-sizes // BLOCK), 0))
        self._best_sizes.append(np.where(long, _BEST, 0))
        if self._lists is not None:
            self._list(self._lists, docs[held], sums[held], sizes)

    def _list(self, streams: tuple[ArrayStream, ArrayStream], docs: U32, sums: U32, sizes: I64) -> None:
        """Write the lists of terms, one after the other."""
        kept = sizes * LISTED_SHARE >= self._documents
        kept[np.repeat(np.arange(len(sizes)), sizes)[sums > _GREATEST_SUM]] = False
        of_kept = np.repeat(kept, sizes)
        streams[0].append(docs[of_kept])
        streams[1].append(sums[of_kept].astype(np.uint16))
        self._list_sizes.append(np.where(kept, sizes, 0))

    def _bound(self, saturated: F32) -> float:
        """Write the blocks and the best of a long list; return what bounds the others."""
        size = len(saturated)
        self._blocks.append(np.maximum.reduceat(saturated, np.arange(0, size, BLOCK)))
        order = np.argpartition(saturated, size - _BEST - 1)
        self._best.append(np.sort(order[size - _BEST :]))
        return float(saturated[order[size - _BEST - 1]])

    def finish(self) -> None:
        """Write what is known only at the end."""
        written = [("blocks", self._block_sizes), ("best", self._best_sizes)]
        if self._lists is not None:
            written.append(("docs", self._list_sizes))
        for name, sizes in written:
            offsets = starts_of(np.concatenate([np.empty(0, np.int64), *sizes]))
            self._writer.put(f"{self._name}.{name}.offsets", offsets.astype(wide(int(offsets[-1]))))


class BoundReader:
    """Reads the bounds in one area, of so many terms. Raises IndexDamaged where they are not as they were
    written.

    Attribute `mean`: the mean length for which they were worked out.
    """

    def __init__(self, file: ArrayFile, area: str, terms: int) -> None:
        name = f"area.{area}"
        self._file, self._area = file, area
        self._frequencies = file.get(f"{name}.frequencies", np.uint32)
        self._highest = file.get(f"{name}.highest", np.float32)
        self._rest = file.get(f"{name}.rest", np.float32)
        self._blocks = file.get(f"{name}.blocks", np.float32)
        self._block_offsets = file.get(f"{name}.blocks.offsets", np.uint32, np.uint64)
        self._best = file.get(f"{name}.best", np.uint8, np.uint16, np.uint32)
        self._best_offsets = file.get(f"{name}.best.offsets", np.uint32, np.uint64)
        mean = file.meta.get(f"{name}.mean")
        held = (self._frequencies, self._highest, self._rest, self._block_offsets[1:], self._best_offsets[1:])
        if (
            not isinstance(mean, float)
            or {len(part) for part in held} != {terms}
            or self._block_offsets[-1] != len(self._blocks)
            or self._best_offsets[-1] != len(self._best)
        ):
            raise file.damaged(f"the parts of the bounds in {area} do not fit together")
        self.mean = mean
        self._lists: tuple[U32, Numbers, Numbers] | None = None
        if file.has(f"{name}.docs"):
            docs, sums = file.get(f"{name}.docs", np.uint32), file.get(f"{name}.sums", np.uint16)
            offsets = file.get(f"{name}.docs.offsets", np.uint32, np.uint64)
            if len(offsets) != terms + 1 or offsets[-1] != len(docs) or len(docs) != len(sums):
                raise file.damaged(f"the parts of the lists in {area} do not fit together")
            self._lists = docs, sums, offsets

    def frequency(self, place: int) -> int:
        """Return how many documents have a term in the area."""
        return int(self._frequencies[place])

    def _stretch(self, offsets: Numbers, place: int, size: int) -> tuple[int, int]:
        low, high = int(offsets[place]), int(offsets[place + 1])
        if not low <= high <= size:
            raise self._file.damaged(f"a bound in {self._area} leads nowhere")
        return low, high

    def listed(self, place: int) -> tuple[U32, Numbers] | None:
        """Return the documents and sums of a term, as they are mapped; None where they are not kept."""
        if self._lists is None:
            return None
        docs, sums, offsets = self._lists
        low, high = self._stretch(offsets, place, len(docs))
        return (docs[low:high], sums[low:high]) if low < high else None

    def bounded(self, place: int, docs: U32, sums: Numbers, mean: float) -> Postings:
        """Return the postings of a term, which have no bounds yet, with those for a mean length."""
        if len(docs) != self.frequency(place):
            raise self._file.damaged(f"a list in {self._area} has others than it states")
        loosen = _loosening(self.mean, mean)
        highest = min(1.0, float(self._highest[place]) * loosen)
        first, last = self._stretch(self._block_offsets, place, len(self._blocks))
        if first == last:
            return Postings(docs, sums, highest)
        blocks = self._blocks[first:last]
        if loosen > 1:
            blocks = np.minimum(blocks * np.float32(loosen), np.float32(1))
        one, end = self._stretch(self._best_offsets, place, len(self._best))
        best = self._best[one:end].astype(np.int64)
        if last - first != -(-len(docs) // BLOCK) or (len(best) and int(best.max()) >= len(docs)):
            raise self._file.damaged("the blocks of a list do not fit it")
        return Postings(
            docs,
            sums,
            highest,
            np.arange(0, (last - first) * BLOCK, BLOCK, dtype=np.int64),
            blocks,
            best,
            min(1.0, float(self._rest[place]) * loosen),
        )


def _loosening(old: float, mean: float) -> float:
    """Return by how much s = tf / (tf + norm) may be greater for a mean length than for an old one.

    norm(mean) / norm(old) >= old / mean, and s grows by no more than the inverse. Where the old mean is 0, so
    are all lengths: norm was k1, and is k1 * (1 - b) for any mean.
    """
    if old >= mean:
        return 1.0
    return mean / old if old > 0 else 1 / (1 - B)


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
