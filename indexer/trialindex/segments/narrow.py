"""Whole numbers below 2^32, most of them small, in a byte each: those that do not fit stand beside them.

A plane of numbers in uint8: each number, or 255 where it is 255 or more. These stand in a second plane of
uint16, in their order, and there 65,535 stands for what is in a third one, of uint32. Which of the numbers in
the next plane belong to a slice is told by ranks: how many numbers before every 1024th are not in the plane.
So any slice of a list decodes as whole arrays.

| array | what it holds |
|---|---|
| `<name>` | uint8[n] |
| `<name>.16` | uint16[number of 255 in `<name>`] |
| `<name>.32` | uint32[number of 65,535 in `<name>.16`] |
| `<name>.ranks`, `<name>.16.ranks` | uint32 or uint64 [floor(n / 1024) + 2], ranks; last, how many in all |

A plane without any number is not written, nor are the ranks that would lead into it.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     write_narrow(writer, "positions", np.array([7, 255, 3, 70_000]))
>>> file = ArrayFile(path)
>>> narrow = Narrow(file, "positions")
>>> narrow[0:4], narrow[2:3]
(array([    7,   255,     3, 70000], dtype=uint32), array([3], dtype=uint8))
>>> narrow.take(1, 4, np.array([0, 2]))
array([  255, 70000], dtype=uint32)
>>> file.get("positions"), file.get("positions.16"), file.get("positions.32")
(array([  7, 255,   3, 255], dtype=uint8), array([  255, 65535], dtype=uint16), array([70000], dtype=uint32))
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter, starts_of, wide

__all__ = ["Narrow", "NarrowWriter", "write_narrow"]

# A plane's dtype, and what is added to the name for the plane of the numbers that it does not hold.
_PLANES: tuple[tuple[type[np.unsignedinteger[Any]], str], ...] = (
    (np.uint8, ".16"),
    (np.uint16, ".32"),
    (np.uint32, ""),
)
# Numbers from one rank to the next.
_EVERY = 1024

_BYTE = 255

Numbers = npt.NDArray[np.unsignedinteger[Any]]
_Several = TypeVar("_Several", Numbers, list[int])
I64 = npt.NDArray[np.int64]


class NarrowWriter:
    """Writes numbers 0..2^32-1, piece by piece."""

    def __init__(self, writer: ArrayWriter, name: str, plane: int = 0) -> None:
        self._writer, self._name, self._plane = writer, name, plane
        dtype, self._suffix = _PLANES[plane]
        self._stream = writer.stream(name, dtype)
        self._wider: NarrowWriter | None = None
        # Of each piece: the number of its first 1024, and how many in it and those that follow are wider.
        self._wide: list[tuple[int, I64]] = []

    def append(self, numbers: npt.NDArray[np.integer[Any]]) -> None:
        """Write numbers [n]. Raises ValueError where one does not fit into 32 bits."""
        dtype = self._stream.dtype
        if not self._suffix:
            self._stream.append(numbers)
            return
        top = np.iinfo(dtype).max
        at = np.flatnonzero(numbers >= top)
        if not len(at):
            self._stream.append(numbers.astype(dtype, copy=False))
            return
        first = self._stream.count // _EVERY
        self._wide.append((first, np.bincount((at + self._stream.count) // _EVERY - first)))
        self._stream.append(np.minimum(numbers, top).astype(dtype))
        if self._wider is None:
            self._wider = NarrowWriter(
                self._writer, self._name.removesuffix(".16") + self._suffix, self._plane + 1
            )
        self._wider.append(numbers[at])

    def finish(self) -> None:
        """Write what is known only at the end."""
        if self._wider is not None:
            counts = np.zeros(self._stream.count // _EVERY + 1, np.int64)
            for first, held in self._wide:
                counts[first : first + len(held)] += held
            ranks = starts_of(counts)
            self._writer.put(f"{self._name}.ranks", ranks.astype(wide(int(ranks[-1]))))
            self._wider.finish()
        self._stream.close()


def write_narrow(writer: ArrayWriter, name: str, numbers: npt.NDArray[np.integer[Any]]) -> None:
    """Write numbers [n], 0..2^32-1, at once."""
    made = NarrowWriter(writer, name)
    made.append(numbers)
    made.finish()


class Narrow:
    """Reads what `NarrowWriter` wrote. Raises IndexDamaged where its parts do not fit together."""

    def __init__(self, file: ArrayFile, name: str, plane: int = 0) -> None:
        dtype, suffix = _PLANES[plane]
        self._file, self._name = file, name
        self._top = np.iinfo(dtype).max
        self._plane: Numbers = file.get(name, dtype)
        # One value of a memoryview is a Python int, read four times as fast as a numpy scalar.
        self._bytes = self._plane.data
        self._wider: Narrow | None = None
        self._ranks: Numbers | None = None
        if file.has(f"{name}.ranks"):
            self._wider = Narrow(file, name.removesuffix(".16") + suffix, plane + 1)
            self._ranks = ranks = file.get(f"{name}.ranks", np.uint32, np.uint64)
            self._rank_bytes = ranks.data
            if len(ranks) != len(self._plane) // _EVERY + 2 or ranks[-1] != len(self._wider):
                raise file.damaged(f"the parts of {name!r} do not fit together")

    def __len__(self) -> int:
        return len(self._plane)

    def planes(self) -> list[tuple[Numbers, Numbers | None]]:
        """Return the planes as they lie, each with its ranks, None for the last."""
        return [(self._plane, self._ranks), *(self._wider.planes() if self._wider is not None else ())]

    def __getitem__(self, stretch: slice) -> Numbers:
        """Return the numbers of a slice from one index to another, in any unsigned dtype: widen it before
        sums.
        """
        held = self._plane[stretch]
        if self._wider is None:
            return held
        at = np.flatnonzero(held == self._top)
        if not len(at):
            return held
        wider = self._beyond(stretch.start, len(at))
        numbers = held.astype(wider.dtype)
        numbers[at] = wider
        return numbers

    def take(self, start: int, stop: int, indexes: I64) -> Numbers:
        """Return the numbers at some indexes (ascending, counted from `start`) of the slice start:stop, in
        any unsigned dtype.
        """
        held = self._plane[start:stop]
        found = held[indexes]
        if self._wider is None:
            return found
        odd = np.flatnonzero(found == self._top)
        if not len(odd):
            return found
        # None but those up to the last one that is asked for matter.
        at = np.flatnonzero(held[: int(indexes[odd[-1]]) + 1] == self._top)
        wider = self._beyond(start, len(at))[at.searchsorted(indexes[odd])]
        numbers = found.astype(wider.dtype)
        numbers[odd] = wider
        return numbers

    def mapped(self, start: int, stop: int, table: Numbers) -> Numbers:
        """Return what a table has for each number of a slice: `table[self[start:stop]]`, in fewer steps."""
        held = self._plane[start:stop]
        found: Numbers = table.take(held)
        if self._wider is not None:
            at = np.flatnonzero(held == self._top)
            if len(at):
                first = self._rank(start)
                found[at] = self._sound(self._wider.mapped(first, first + len(at), table), len(at))
        return found

    def one(self, index: int) -> int:
        """Return the number at an index."""
        number: int = self._bytes[index]
        return number if number < self._top or self._wider is None else self._wider.one(self._rank(index))

    def listed(self, low: int, high: int) -> list[int]:
        """Return a few numbers, those from one index to another."""
        held: list[int] = self._bytes[low:high].tolist()
        if self._wider is not None and self._top in held:
            places = [place for place, number in enumerate(held) if number == self._top]
            first = self._rank(low)
            wider = self._wider.listed(first, first + len(places))
            for place, number in zip(places, self._sound(wider, len(places)), strict=True):
                held[place] = number
        return held

    def _rank(self, index: int) -> int:
        """Return how many numbers before an index are in the next plane."""
        start = index - index % _EVERY
        first: int = self._rank_bytes[index // _EVERY]
        if self._top == _BYTE:
            return first + bytes(self._bytes[start:index]).count(_BYTE)
        return first + int(np.count_nonzero(self._plane[start:index] == self._top))

    def _beyond(self, start: int, size: int) -> Numbers:
        """Return so many of the wider numbers, from the first on that stands at an index or after it."""
        assert self._wider is not None
        first = self._rank(start)
        return self._sound(self._wider[first : first + size], size)

    def _sound(self, found: _Several, size: int) -> _Several:
        if len(found) != size:
            raise self._file.damaged(f"the ranks of {self._name!r} lead nowhere")
        return found
