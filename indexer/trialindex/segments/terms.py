"""A sorted dictionary of terms in a file of arrays: from a term to its ordinal, and back.

Terms are bytes (UTF-8), ascending bytewise, numbered from 0. Three arrays, under a prefix: `bytes` uint8, all
terms one after another; `offsets` uint32 or uint64 [terms + 1], where each begins; `heads` uint64
[ceil(terms / 16)], the first 8 bytes of every 16th term, big-endian and zero-padded, so that they sort as
their terms do: a search reads the heads, then a few terms.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     terms = TermWriter(writer, "terms")
...     terms.append([b"aspirin", b"asthma", b"ataxia"])
...     terms.finish()
>>> terms = Terms(ArrayFile(path), "terms")
>>> terms.find(b"asthma"), terms.find(b"asthm"), terms[2], terms.range(b"as")
(1, -1, b'ataxia', (0, 2))
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter

__all__ = ["TermWriter", "Terms", "stretches"]

_EVERY = 16  # terms from one head to the next
_HEAD = 8  # bytes of a head


def _head(term: bytes) -> int:
    return int.from_bytes(term[:_HEAD].ljust(_HEAD, b"\0"), "big")


class TermWriter:
    """Writes a dictionary; the terms come in order, in pieces of any size."""

    def __init__(self, writer: ArrayWriter, prefix: str) -> None:
        self._writer = writer
        self._prefix = prefix
        self._bytes = writer.stream(f"{prefix}.bytes", np.uint8)
        self._ends: list[npt.NDArray[np.uint64]] = []
        self._heads: list[int] = []
        self._count = 0
        self._last: bytes | None = None

    def append(self, terms: Sequence[bytes]) -> None:
        """Add terms. Raises ValueError where one does not come after the one before it."""
        if not terms:
            return
        if not (self._last is None or self._last < terms[0]) or not all(a < b for a, b in pairwise(terms)):
            raise ValueError(f"the terms of {self._prefix!r} are not in ascending order")
        lengths = np.fromiter(map(len, terms), np.uint64, len(terms))
        self._ends.append(np.cumsum(lengths, dtype=np.uint64) + np.uint64(self._bytes.count))
        self._bytes.append(np.frombuffer(b"".join(terms), np.uint8))
        self._heads += map(_head, terms[-self._count % _EVERY :: _EVERY])
        self._count += len(terms)
        self._last = terms[-1]

    def finish(self) -> None:
        """Complete the dictionary."""
        self._bytes.close()
        offsets = np.concatenate([np.zeros(1, np.uint64), *self._ends])
        if self._bytes.count <= np.iinfo(np.uint32).max:
            self._writer.put(f"{self._prefix}.offsets", offsets.astype(np.uint32))
        else:
            self._writer.put(f"{self._prefix}.offsets", offsets)
        self._writer.put(f"{self._prefix}.heads", np.array(self._heads, np.uint64))


class Terms:
    """A dictionary, to be read. Safe to share between threads.

    All methods raise IndexDamaged where what they meet is not what a writer wrote, and IndexError on ordinals
    outside of 0..len.
    """

    def __init__(self, file: ArrayFile, prefix: str) -> None:
        self._file = file
        self._prefix = prefix
        self._bytes = file.get(f"{prefix}.bytes", np.uint8)
        self._offsets = file.get(f"{prefix}.offsets", np.uint32, np.uint64)
        heads = file.get(f"{prefix}.heads", np.uint64)
        # One value of a memoryview is a Python int, read four times as fast as a numpy scalar.
        self._data, self._starts, self._heads = self._bytes.data, self._offsets.data, heads.data
        self._count = len(self._offsets) - 1
        if self._count < 0 or len(heads) != -(-self._count // _EVERY) or self._starts[-1] != len(self._bytes):
            raise file.damaged(f"the parts of its terms {prefix!r} do not fit together")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, ordinal: int) -> bytes:
        """Return the term of an ordinal."""
        if not 0 <= ordinal < self._count:
            raise IndexError(f"no term {ordinal} among {self._count}")
        start, stop = self._starts[ordinal], self._starts[ordinal + 1]
        if not start <= stop <= len(self._data):
            raise self._file.damaged(f"a term of {self._prefix!r} ends before it begins")
        return bytes(self._data[start:stop])

    def _place(self, term: bytes) -> int:
        """Return how many terms come before this one."""
        head = _head(term)
        # Many terms may share a head: the place is after the last lower one, before the first higher one.
        lower = bisect_left(self._heads, head)
        higher = bisect_right(self._heads, head, lower)
        low, high = max(lower - 1, 0) * _EVERY, min(higher * _EVERY, self._count)
        data, starts = self._data, self._starts
        while low < high:  # bisect_left over the terms, written out: half the time of calling back
            middle = (low + high) // 2
            if bytes(data[starts[middle] : starts[middle + 1]]) < term:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, term: bytes) -> int:
        """Return the ordinal of a term, or -1 where it is none of these."""
        place = self._place(term)
        return place if place < self._count and self[place] == term else -1

    def range(self, prefix: bytes) -> tuple[int, int]:
        """Return the first ordinal of the terms that begin with a prefix, and the one after their last."""
        low = self._place(prefix)
        shortened = prefix.rstrip(b"\xff")
        if not shortened:  # no bytes come after all that begin so
            return low, self._count
        high = self._place(shortened[:-1] + bytes([shortened[-1] + 1]))
        return low, max(low, high)

    def slice(self, low: int, high: int) -> list[bytes]:
        """Return the terms of the ordinals low..high-1."""
        if not 0 <= low <= high <= self._count:
            raise IndexError(f"no terms {low} to {high} among {self._count}")
        offsets = self._offsets[low : high + 1]
        if (offsets[1:] < offsets[:-1]).any() or offsets[-1] > len(self._bytes):
            raise self._file.damaged(f"a term of {self._prefix!r} ends before it begins")
        first = int(offsets[0])
        text = self._bytes[first : int(offsets[-1])].tobytes()
        places = (offsets - offsets[0]).tolist()
        return [text[start:stop] for start, stop in pairwise(places)]


def stretches(
    dictionaries: Sequence[Terms], reach: Callable[[int, int], int]
) -> Iterator[list[tuple[int, int]]]:
    """Walk several dictionaries side by side: yield, for each of them, the ordinals (low, high) of a stretch;
    together they have all terms from one term up to another.

    `reach(place, low)`: how far the stretch of a dictionary may go that begins at an ordinal, one term on at
    least.
    """
    lows = [0] * len(dictionaries)
    while any(low < len(terms) for low, terms in zip(lows, dictionaries, strict=True)):
        highs = [
            min(len(terms), reach(place, low))
            for place, (low, terms) in enumerate(zip(lows, dictionaries, strict=True))
        ]
        # Only terms up to the least of the last terms in reach: beyond it some dictionary may have others.
        lasts = [
            terms[high - 1]
            for terms, low, high in zip(dictionaries, lows, highs, strict=True)
            if low < high < len(terms)
        ]
        if lasts:
            last = min(lasts)
            highs = [
                bisect_right(terms, last, low, high)
                for terms, low, high in zip(dictionaries, lows, highs, strict=True)
            ]
        yield list(zip(lows, highs, strict=True))
        lows = highs
