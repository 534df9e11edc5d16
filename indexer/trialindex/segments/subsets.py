"""Which documents have something: many subsets of the documents of a segment, each in few bytes.

A subset is stored in the shortest of three layouts: its documents listed (`doc_ids`), all others listed, or a
bit a document. So what no document has, and what all have, takes no bytes.

| array | what it holds |
|---|---|
| `<name>` | uint8, the subsets one after the other |
| `<name>.layouts` | uint8 [subsets], 0 for listed, 1 for others listed, 2 for bits |
| `<name>.counts` | uint32 [subsets], documents in each |

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     subsets = SubsetWriter(writer, "held", 1000)
...     for docs in ([3, 999], range(1, 1000), range(0, 1000, 2)):
...         subsets.append(np.array(docs, np.uint32))
...     subsets.finish()
>>> file = ArrayFile(path)
>>> subsets = Subsets(file, "held", 1000)
>>> subsets.docs(0), subsets.docs(1)[:2], subsets.mask(2)[:3], subsets.counts.tolist()
(array([  3, 999], dtype=uint32), array([1, 2], dtype=uint32), array([ True, False,  True]), [2, 999, 500])
>>> file.get("held.layouts").tolist(), len(file.get("held"))
([0, 1, 2], 131)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter, starts_of
from trialindex.segments.doc_ids import Layout

__all__ = ["SubsetWriter", "Subsets"]

_LISTED, _OTHERS, _BITS = range(3)

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class SubsetWriter:
    """Writes subsets of so many documents, one by one."""

    def __init__(self, writer: ArrayWriter, name: str, documents: int) -> None:
        self._writer, self._name, self._documents = writer, name, documents
        self._layout = Layout(documents)
        self._data = writer.stream(name, np.uint8)
        self._layouts: list[int] = []
        self._counts: list[int] = []

    def append(self, docs: U32) -> None:
        """Add a subset by its documents, ascending."""
        sizes = _sizes(self._layout, len(docs))
        layout = sizes.index(min(sizes))
        if layout == _BITS:
            self._data.append(np.packbits(_mask(docs, self._documents)))
        else:
            listed = docs if layout == _LISTED else _others(docs, self._documents)
            self._data.append(self._layout.encode(listed, np.array([len(listed)])))
        self._layouts.append(layout)
        self._counts.append(len(docs))

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._data.close()
        self._writer.put(f"{self._name}.layouts", np.array(self._layouts, np.uint8))
        self._writer.put(f"{self._name}.counts", np.array(self._counts, np.uint32))


def _sizes(layout: Layout, count: int) -> list[int]:
    """Return the bytes that a subset of so many documents takes in each of the layouts."""
    others = layout.documents - count
    return [
        layout.size(count) if count else 0,
        layout.size(others) if others else 0,
        _bytes(layout.documents),
    ]


def _bytes(bits: int) -> int:
    return -(-bits // 8)


def _mask(docs: U32, documents: int) -> Mask:
    found = np.zeros(documents, np.bool_)
    found[docs] = True
    return found


def _others(docs: U32, documents: int) -> U32:
    return np.flatnonzero(~_mask(docs, documents)).astype(np.uint32)


class Subsets:
    """Reads what `SubsetWriter` wrote. Raises IndexDamaged where a subset is none of so many documents, and
    IndexError on subsets that are not there.

    Attributes: `counts`, uint32 [subsets], documents in each; `starts`, int64 [subsets + 1], documents in all
    before it.
    """

    def __init__(self, file: ArrayFile, name: str, documents: int) -> None:
        self._file, self._name = file, name
        self._layout = Layout(documents)
        self._data = file.get(name, np.uint8)
        self._layouts = file.get(f"{name}.layouts", np.uint8)
        self.counts: U32 = file.get(f"{name}.counts", np.uint32)
        if len(self.counts) != len(self._layouts) or (
            len(self.counts) and (int(self.counts.max()) > documents or int(self._layouts.max()) > _BITS)
        ):
            raise self._damaged()
        self.starts: I64 = starts_of(self.counts)
        both = zip(self._layouts.tolist(), self.counts.tolist(), strict=True)
        self._places: I64 = starts_of(
            np.array([_sizes(self._layout, count)[layout] for layout, count in both], np.int64)
        )
        if self._places[-1] != len(self._data):
            raise self._damaged()

    def __len__(self) -> int:
        return len(self.counts)

    def _damaged(self) -> IndexDamaged:
        return self._file.damaged(f"the subsets {self._name!r} do not fit the documents")

    def docs(self, number: int) -> U32:
        """Return the documents of a subset, ascending."""
        if self._layouts[number] == _LISTED:
            return self._listed(number, int(self.counts[number]))
        return np.flatnonzero(self.mask(number)).astype(np.uint32)

    def mask(self, number: int) -> Mask:
        """Return which documents are in a subset, bool[documents]."""
        documents, count = self._layout.documents, int(self.counts[number])
        layout = int(self._layouts[number])
        if layout == _LISTED:
            return _mask(self._listed(number, count), documents)
        if layout == _OTHERS:
            found = ~_mask(self._listed(number, documents - count), documents)
        else:
            found = np.unpackbits(self._stretch(number), count=documents).view(np.bool_)
            if int(found.sum()) != count:
                raise self._damaged()
        return found

    def _stretch(self, number: int) -> npt.NDArray[np.uint8]:
        return self._data[self._places[number] : self._places[number + 1]]

    def _listed(self, number: int, count: int) -> U32:
        """Return the documents that are listed for a subset."""
        if not count:
            return np.empty(0, np.uint32)
        try:
            docs = self._layout.decode_one(self._stretch(number), count)
        except ValueError as error:
            raise self._damaged() from error
        if len(docs) != count or (docs[1:] <= docs[:-1]).any():
            raise self._damaged()
        return docs
