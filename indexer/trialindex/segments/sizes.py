"""How long the stretches of a list of lists are, and where each begins: a byte or so each.

`<name>`: their sizes (`narrow`); `<name>.starts`: uint32 or uint64 [ceil(n / 16) + 1], where every 16th
stretch begins, and where the last one ends. Where another begins is added up.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     sizes = SizeWriter(writer, "docs.sizes")
...     sizes.append(np.array([3, 0, 300]))
...     sizes.finish()
>>> sizes = Sizes(ArrayFile(path), "docs.sizes", 303)
>>> sizes[2], sizes.stretch(2), sizes.offsets(0, 3)
(300, (3, 303), array([  0,   3,   3, 303]))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter, starts_of, wide
from trialindex.segments.narrow import Narrow, NarrowWriter

__all__ = ["EVERY", "SizeWriter", "Sizes", "StartWriter"]

# Stretches from one start that is written to the next.
EVERY = 16

I64 = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.unsignedinteger[Any]]


class StartWriter:
    """Writes where every n-th of some stretches begins, and where the last one ends, given their sizes piece
    by piece: uint32 or uint64.
    """

    def __init__(self, writer: ArrayWriter, name: str, every: int) -> None:
        self._writer, self._name, self._every = writer, name, every
        self._starts: list[I64] = []
        self._count = 0
        self._total = 0

    def append(self, sizes: npt.NDArray[np.integer[Any]]) -> None:
        """Add the sizes of stretches [n]."""
        offsets = starts_of(sizes) + self._total
        # A copy, so that the others need not stay in memory.
        self._starts.append(offsets[:-1][-self._count % self._every :: self._every].copy())
        self._count += len(sizes)
        self._total = int(offsets[-1])

    def finish(self) -> None:
        """Write what is known only at the end."""
        starts = np.concatenate([*self._starts, np.array([self._total])])
        self._writer.put(self._name, starts.astype(wide(self._total)))


class SizeWriter:
    """Writes sizes, piece by piece."""

    def __init__(self, writer: ArrayWriter, name: str) -> None:
        self._sizes = NarrowWriter(writer, name)
        self._starts = StartWriter(writer, f"{name}.starts", EVERY)

    def append(self, sizes: npt.NDArray[np.integer[Any]]) -> None:
        """Add sizes [n]."""
        self._sizes.append(sizes)
        self._starts.append(sizes)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._sizes.finish()
        self._starts.finish()


class Sizes:
    """Reads what `SizeWriter` wrote: the stretches of an array of `total` values.

    What is returned leads into that array. Raises IndexDamaged where it would not, and IndexError on
    stretches that are not there.
    """

    def __init__(self, file: ArrayFile, name: str, total: int) -> None:
        self._file, self._name, self._total = file, name, total
        self._sizes = Narrow(file, name)
        starts = file.get(f"{name}.starts", np.uint32, np.uint64)
        self._count = len(self._sizes)
        if len(starts) != -(-self._count // EVERY) + 1 or starts[-1] != total:
            raise file.damaged(f"the parts of {name!r} do not fit together")
        self._starts = starts
        # One value of a memoryview is a Python int, read four times as fast as a numpy scalar.
        self._begins = starts.data

    def __len__(self) -> int:
        return self._count

    def parts(self) -> tuple[list[tuple[Numbers, Numbers | None]], Numbers]:
        """Return the planes of the sizes (`Narrow.planes`), and where every 16th stretch begins."""
        return self._sizes.planes(), self._starts

    def __getitem__(self, number: int) -> int:
        """Return the size of a stretch."""
        if not 0 <= number < self._count:
            raise IndexError(f"no stretch {number} among {self._count}")
        return self._sizes.one(number)

    def listed(self, low: int, high: int) -> list[int]:
        """Return the sizes of the stretches low..high-1, which are few."""
        return self._sizes.listed(low, high)

    def begin(self, block: int) -> int:
        """Return where the 16 stretches of a block begin."""
        found: int = self._begins[block]
        return found

    def stretch(self, number: int) -> tuple[int, int]:
        """Return where a stretch begins and where it ends."""
        if not 0 <= number < self._count:
            raise IndexError(f"no stretch {number} among {self._count}")
        block = number // EVERY
        sizes = self.listed(block * EVERY, number + 1)
        end = self._begins[block] + sum(sizes)
        self._within(end)
        return end - sizes[-1], end

    def _within(self, end: int) -> None:
        if end > self._total:
            raise self._file.damaged(f"a stretch of {self._name!r} leads nowhere")

    def sizes(self, low: int, high: int) -> Numbers:
        """Return the sizes of the stretches low..high-1, in any unsigned dtype."""
        if not 0 <= low <= high <= self._count:
            raise IndexError(f"no stretches {low} to {high} among {self._count}")
        return self._sizes[low:high]

    def start(self, number: int) -> int:
        """Return where a stretch begins, or the last one ends."""
        return self._total if number == self._count else self.stretch(number)[0]

    def offsets(self, low: int, high: int) -> I64:
        """Return int64[high - low + 1]: where the stretches low..high-1 begin, and the last one ends."""
        offsets = starts_of(self.sizes(low, high))
        offsets += self.start(low)
        self._within(int(offsets[-1]))
        return offsets

    def reach(self, low: int, size: int) -> int:
        """Return how far stretches go from one on that are of a size together, or less; one on at least."""
        limit = self.start(low) + size
        block = max(int(self._starts.searchsorted(limit, "right")) - 1, low // EVERY)
        first = max(block * EVERY, low)
        last = min((block + 1) * EVERY, self._count)
        if first >= last:
            return self._count
        return max(low + 1, first + int(self.offsets(first, last).searchsorted(limit, "right")) - 1)
