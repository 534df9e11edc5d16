"""Lists of documents, ascending: those of each term, those of each name.

A list of n documents out of a segment of N is stored in one of two layouts, which n and N tell, so that it is
not stated:

- direct, w * n bytes: each document in w = 1, 2, 3 or 4 bytes, as N needs
- pages, where that takes fewer bytes, 2 * ceil(N / 65,535) + 2 * n: how many documents of the list each page
  of 65,535 documents has, uint16; then the place of each document in its page, uint16

A page has one document less than two bytes could tell apart, so that the count of a full page fits. All
numbers are little-endian. The arrays: `<name>` uint8, the lists one after the other; `<name>.sizes`, how
many documents each has (`sizes`); `<name>.places` uint32 or uint64 [ceil(lists / 16) + 1], the byte at which
every 16th list begins, and at which the last one ends.

>>> layout = Layout(200_000)
>>> layout.encode(np.array([3, 199_999]), np.array([2])).tolist(), layout.size(8), layout.size(9)
([3, 0, 0, 63, 13, 3], 24, 26)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter, starts_of, wide
from trialindex.segments.sizes import EVERY, Sizes, SizeWriter

__all__ = ["Layout", "ListWriter", "Lists"]

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer[Any]]
Numbers = npt.NDArray[np.unsignedinteger[Any]]

_WIDTHS: dict[int, np.dtype[np.unsignedinteger[Any]]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
}
# Documents of a page.
_PAGE = np.iinfo(np.uint16).max


class Layout:
    """How lists of documents out of a segment of so many are stored.

    `width`: bytes of a document in a direct list; `paged`: the size of the smallest list in pages.
    """

    def __init__(self, documents: int) -> None:
        self.documents = documents
        self.width = next(width for width in range(1, 5) if documents <= 1 << 8 * width)
        # The first document of each page.
        self._bases = np.arange(0, documents, _PAGE, dtype=np.uint32)
        self.paged = 1 << 32
        if self.width > 2:
            self.paged = 2 * len(self._bases) // (self.width - 2) + 1

    def size(self, count: int) -> int:
        """Return the number of bytes of a list of so many documents."""
        return self.width * count if count < self.paged else 2 * (len(self._bases) + count)

    def sizes(self, counts: Integers) -> I64:
        """Return the number of bytes of each of several lists."""
        given = counts.astype(np.int64)
        return np.where(given < self.paged, self.width * given, 2 * (len(self._bases) + given))

    def encode(self, docs: U32, counts: Integers) -> U8:
        """Return the bytes of lists one after the other; `counts`: how many of the documents each has."""
        direct = counts < self.paged
        if direct.all():
            return self._direct(docs)
        sizes = self.sizes(counts)
        data = np.empty(int(sizes.sum()), np.uint8)
        data[np.repeat(direct, sizes)] = self._direct(docs[np.repeat(direct, counts)])
        starts, places = starts_of(counts), starts_of(sizes)
        for number in np.flatnonzero(~direct).tolist():
            pages, within = np.divmod(docs[starts[number] : starts[number + 1]], np.uint32(_PAGE))
            held = np.bincount(pages, minlength=len(self._bases))
            made = np.concatenate([held, within]).astype("<u2").view(np.uint8)
            data[places[number] : places[number + 1]] = made
        return data

    def _direct(self, docs: U32) -> U8:
        return docs.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : self.width].ravel()

    def decode(self, data: U8, counts: Integers) -> U32:
        """Return the documents of lists one after the other.

        Raises ValueError where the bytes are not those of lists of so many, or a document is none of the
        segment.
        """
        direct = counts < self.paged
        if direct.all():
            return self._sound(self._undirect(data))
        sizes = self.sizes(counts)
        docs = np.empty(int(counts.sum(dtype=np.int64)), np.uint32)
        docs[np.repeat(direct, counts)] = self._undirect(data[np.repeat(direct, sizes)])
        starts, places = starts_of(counts), starts_of(sizes)
        for number in np.flatnonzero(~direct).tolist():
            held = data[places[number] : places[number + 1]]
            docs[starts[number] : starts[number + 1]] = self._unpaged(held)
        return self._sound(docs)

    def decode_one(self, data: U8, count: int) -> U32:
        """Return the documents of one list; raises ValueError as `decode` does."""
        return self._sound(self._undirect(data) if count < self.paged else self._unpaged(data))

    def _undirect(self, data: U8) -> U32:
        if self.width == 3:
            docs = np.zeros((len(data) // 3, 4), np.uint8)
            docs[:, :3] = data.reshape(-1, 3)
            return docs.view("<u4").ravel()
        return data.view(_WIDTHS[self.width]).astype(np.uint32)

    def _unpaged(self, data: U8) -> U32:
        held = data.view("<u2")
        counts, within = held[: len(self._bases)], held[len(self._bases) :]
        docs = np.repeat(self._bases, counts)
        if len(docs) != len(within):
            raise ValueError("its pages have others than it states")
        docs += within
        return docs

    def _sound(self, docs: U32) -> U32:
        if len(docs) and int(docs.max()) >= self.documents:
            raise ValueError("one has documents that are not there")
        return docs


@lru_cache(maxsize=64)
def _layout(documents: int) -> Layout:
    """Return the layout of lists of a segment of so many documents; shared, as it does not change."""
    return Layout(documents)


class ListWriter:
    """Writes lists out of so many documents, some at a time."""

    def __init__(self, writer: ArrayWriter, name: str, documents: int) -> None:
        self._writer, self._name = writer, name
        self._layout = _layout(documents)
        self._data = writer.stream(name, np.uint8)
        self._sizes = SizeWriter(writer, f"{name}.sizes")
        self._places: list[I64] = []
        self._count = 0

    def append(self, counts: Integers, docs: U32) -> None:
        """Add lists; `counts`: how many documents each has; `docs`: these, list after list."""
        places = starts_of(self._layout.sizes(counts)) + self._data.count
        self._places.append(places[:-1][-self._count % EVERY :: EVERY])
        self._sizes.append(counts)
        self._data.append(self._layout.encode(docs, counts))
        self._count += len(counts)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._sizes.finish()
        places = np.concatenate([*self._places, np.array([self._data.count])])
        self._writer.put(f"{self._name}.places", places.astype(wide(self._data.count)))


class Lists:
    """Reads what `ListWriter` wrote. Raises IndexDamaged where a list is none of so many documents, and
    IndexError on lists that are not there.

    Attributes: `sizes`, how many documents each list has, and how many all lists before it have.
    """

    def __init__(self, file: ArrayFile, name: str, documents: int, total: int | None = None) -> None:
        """`total`: how many documents all lists have, where that is known."""
        self._file, self._name = file, name
        self._layout = _layout(documents)
        self._data = file.get(name, np.uint8)
        starts = file.get(f"{name}.sizes.starts", np.uint32, np.uint64)
        self.total = int(starts[-1]) if total is None and len(starts) else total or 0
        self.sizes = Sizes(file, f"{name}.sizes", self.total)
        places = file.get(f"{name}.places", np.uint32, np.uint64)
        if len(places) != -(-len(self.sizes) // EVERY) + 1 or places[-1] != len(self._data):
            raise self._damaged("its parts do not fit together")
        self._places = places.data
        self._place_numbers = places

    def parts(self) -> tuple[int, int, U8, Numbers]:
        """Return the bytes of a document, the size of the smallest list in pages, all lists, and the byte at
        which every 16th begins.
        """
        return self._layout.width, self._layout.paged, self._data, self._place_numbers

    def __len__(self) -> int:
        return len(self.sizes)

    def _damaged(self, why: str) -> Exception:
        return self._file.damaged(f"the lists {self._name!r}: {why}")

    def _place(self, number: int, before: list[int]) -> int:
        """Return the byte at which a list begins; `before`: the sizes of the lists before it in its block."""
        place: int = self._places[number // EVERY]
        return place + sum(map(self._layout.size, before))

    def __getitem__(self, number: int) -> U32:
        """Return the documents of a list."""
        return self.entry(number)[1]

    def entry(self, number: int) -> tuple[int, U32]:
        """Return how many documents all lists before one have, and its own."""
        if not 0 <= number < len(self):
            raise IndexError(f"no list {number} among {len(self)}")
        block = number // EVERY
        sizes = self.sizes.listed(block * EVERY, number + 1)
        count = sizes.pop()
        docs = self._checked(
            self._layout.decode_one, self._place(number, sizes), self._layout.size(count), count
        )
        return self.sizes.begin(block) + sum(sizes), docs

    def stretch(self, low: int, high: int) -> tuple[I64, U32]:
        """Return (sizes int64[high - low], documents) of the lists low..high-1."""
        counts = self.sizes.sizes(low, high).astype(np.int64)
        if low == high:
            return counts, np.empty(0, np.uint32)
        size = int(self._layout.sizes(counts).sum())
        return counts, self._checked(
            self._layout.decode, self._place(low, self.sizes.listed(low - low % EVERY, low)), size, counts
        )

    def _checked(self, decode: Callable[[U8, Any], U32], place: int, size: int, counts: Any) -> U32:
        data = self._data[place : place + size]
        if len(data) != size:
            raise self._damaged("one ends after all of them")
        try:
            return decode(data, counts)
        except ValueError as error:
            raise self._damaged(str(error)) from error
