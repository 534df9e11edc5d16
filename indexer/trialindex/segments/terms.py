"""A sorted dictionary of terms in a file of arrays: from a term to its ordinal, and back.

Terms are bytes (UTF-8), ascending bytewise, numbered from 0. Under a prefix: `bytes` uint8, all terms one
after another; `sizes`, how many bytes each has (`sizes`); `heads` uint64 [ceil(terms / 16)], the first 8
bytes of every 16th term, big-endian and zero-padded, so that they sort as their terms do: a search reads the
heads, then a few terms.

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
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from trialindex.errors import IndexDamaged
from trialindex.kernel import KERNEL
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.sizes import EVERY, Sizes, SizeWriter

if TYPE_CHECKING:
    from trialindex import _kernel

__all__ = ["TermWriter", "Terms", "stretches"]

_HEAD = 8  # bytes of a head


def _head(term: bytes) -> int:
    return int.from_bytes(term[:_HEAD].ljust(_HEAD, b"\0"), "big")


class TermWriter:
    """Writes a dictionary; the terms come in order, in pieces of any size."""

    def __init__(self, writer: ArrayWriter, prefix: str) -> None:
        self._writer = writer
        self._prefix = prefix
        self._bytes = writer.stream(f"{prefix}.bytes", np.uint8)
        self._sizes = SizeWriter(writer, f"{prefix}.sizes")
        self._heads: list[int] = []
        self._count = 0
        self._last: bytes | None = None

    def append(self, terms: Sequence[bytes]) -> None:
        """Add terms. Raises ValueError where one does not come after the one before it."""
        if not terms:
            return
        if not (self._last is None or self._last < terms[0]) or not all(a < b for a, b in pairwise(terms)):
            raise ValueError(f"the terms of {self._prefix!r} are not in ascending order")
        self._sizes.append(np.fromiter(map(len, terms), np.int64, len(terms)))
        self._bytes.append(np.frombuffer(b"".join(terms), np.uint8))
        self._heads += map(_head, terms[-self._count % EVERY :: EVERY])
        self._count += len(terms)
        self._last = terms[-1]

    def finish(self) -> None:
        """Complete the dictionary."""
        self._bytes.close()
        self._sizes.finish()
        self._writer.put(f"{self._prefix}.heads", np.array(self._heads, np.uint64))


def _damaged(file: ArrayFile, prefix: str, why: str) -> IndexDamaged:
    return file.damaged(f"the terms {prefix!r}: {why}")


class Terms:
    """A dictionary, to be read. Safe to share between threads.

    All methods raise IndexDamaged where what they meet is not what a writer wrote, and IndexError on ordinals
    outside of 0..len.
    """

    def __init__(self, file: ArrayFile, prefix: str) -> None:
        self._file = file
        self._prefix = prefix
        self._bytes = file.get(f"{prefix}.bytes", np.uint8)
        self._sizes = Sizes(file, f"{prefix}.sizes", len(self._bytes))
        heads = file.get(f"{prefix}.heads", np.uint64)
        # One value of a memoryview is a Python int, read four times as fast as a numpy scalar.
        self._data, self._heads = self._bytes.data, heads.data
        self._head_numbers = heads
        self._count = len(self._sizes)
        if len(heads) != -(-self._count // EVERY):
            raise file.damaged(f"the parts of its terms {prefix!r} do not fit together")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, ordinal: int) -> bytes:
        """Return the term of an ordinal."""
        if not 0 <= ordinal < self._count:
            raise IndexError(f"no term {ordinal} among {self._count}")
        start, stop = self._sizes.stretch(ordinal)
        return bytes(self._data[start:stop])

    @cached_property
    def _compiled(self) -> _kernel.Terms | None:
        if KERNEL is None:
            return None
        # None of this dictionary's own methods: neither would be let go before garbage is looked for.
        damaged = partial(_damaged, self._file, self._prefix)
        return KERNEL.Terms(damaged, self._bytes, *self._sizes.parts(), self._head_numbers)

    def place(self, term: bytes) -> tuple[int, bool]:
        """Return how many terms come before this one, and whether it is the next."""
        return self._placed(term) if self._compiled is None else self._compiled.place(term)

    def _placed(self, term: bytes) -> tuple[int, bool]:
        head = _head(term)
        # Many terms may share a head: the place is after the last lower one, before the first higher one.
        lower = bisect_left(self._heads, head)
        higher = bisect_right(self._heads, head, lower)
        low, high = max(lower - 1, 0), max(higher - 1, 0)
        while low < high:  # the last block whose first term does not come after this one
            middle = (low + high + 1) // 2
            if self[middle * EVERY] <= term:
                low = middle
            else:
                high = middle - 1
        first = low * EVERY
        sizes = self._sizes.listed(first, first + EVERY)
        start, data = self._sizes.begin(low), self._data
        for place, size in enumerate(sizes, first):
            held = bytes(data[start : start + size])
            if held >= term:
                return place, held == term
            start += size
        return first + len(sizes), False

    def find(self, term: bytes) -> int:
        """Return the ordinal of a term, or -1 where it is none of these."""
        place, there = self.place(term)
        return place if there else -1

    def range(self, prefix: bytes) -> tuple[int, int]:
        """Return the first ordinal of the terms that begin with a prefix, and the one after their last."""
        low, _ = self.place(prefix)
        shortened = prefix.rstrip(b"\xff")
        if not shortened:  # no bytes come after all that begin so
            return low, self._count
        high, _ = self.place(shortened[:-1] + bytes([shortened[-1] + 1]))
        return low, max(low, high)

    def slice(self, low: int, high: int) -> list[bytes]:
        """Return the terms of the ordinals low..high-1."""
        if not 0 <= low <= high <= self._count:
            raise IndexError(f"no terms {low} to {high} among {self._count}")
        offsets = self._sizes.offsets(low, high).tolist()
        first = offsets[0]
        text = self._bytes[first : offsets[-1]].tobytes()
        return [text[start - first : stop - first] for start, stop in pairwise(offsets)]


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
