"""How many words does each document have in each field, and which have a value there at all?

Most fields are in few documents: what is stored of one is which documents have a value in it, and how many
words each of these.

| array | what it holds |
|---|---|
| `lengths`, `lengths.*` | which documents have a value in each field (`subsets`) |
| `lengths.words` | their words in the field, field after field (`narrow`) |

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     lengths = LengthWriter(writer, 4)
...     lengths.append(np.array([1, 3], np.uint32), np.array([300, 0], np.uint32))
...     lengths.finish()
>>> lengths = Lengths(ArrayFile(path), 1, 4)
>>> lengths.of_field(0).tolist(), lengths.having.docs(0).tolist()
([0, 300, 0, 0], [1, 3])
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trialindex.fields import UNMEASURED, area_weights
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.subsets import Subsets, SubsetWriter

__all__ = ["AreaLengths", "LengthWriter", "Lengths", "area_lengths"]

U32 = npt.NDArray[np.uint32]


class LengthWriter:
    """Writes the lengths of so many documents, field after field."""

    def __init__(self, writer: ArrayWriter, documents: int) -> None:
        self._having = SubsetWriter(writer, "lengths", documents)
        self._words = NarrowWriter(writer, "lengths.words")

    def append(self, docs: U32, words: U32) -> None:
        """Add a field: the documents that have a value in it, ascending, and how many words each has."""
        self._having.append(docs)
        self._words.append(words)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._having.finish()
        self._words.finish()


class Lengths:
    """Reads what `LengthWriter` wrote. Raises IndexDamaged where its parts do not fit together.

    Attribute `having`: which documents have a value in each field.
    """

    def __init__(self, file: ArrayFile, fields: int, documents: int) -> None:
        self._documents = documents
        self.having = Subsets(file, "lengths", documents)
        self._words = Narrow(file, "lengths.words")
        if len(self.having) != fields or self.having.starts[-1] != len(self._words):
            raise file.damaged("the lengths of its documents do not fit together")

    def of_field(self, number: int) -> npt.NDArray[np.unsignedinteger]:
        """Return the number of words of each document in a field, [documents]."""
        words = self.words(number)
        if len(words) == self._documents:
            return words
        found = np.zeros(self._documents, words.dtype)
        found[self.having.docs(number)] = words
        return found

    def words(self, number: int) -> npt.NDArray[np.unsignedinteger]:
        """Return the number of words of those that have a value in a field, in the order of
        `having.docs(number)`.
        """
        low, high = self.having.starts[number : number + 2].tolist()
        return self._words[low:high]


class AreaLengths:
    """The weighted lengths of documents in an area, added up by field: `total` uint32[size], hundredths.

    Fields of UNMEASURED count nothing, unless the area has no others.
    """

    def __init__(self, area: str, size: int) -> None:
        weights = area_weights(area)
        measured = {field: weight for field, weight in weights.items() if field not in UNMEASURED}
        self._weights = measured or weights
        self.total = np.zeros(size, np.uint32)

    def add(self, field: str, lengths: npt.NDArray[np.unsignedinteger], docs: U32 | None = None) -> None:
        """Add the lengths in a field, of all documents or of those given."""
        if field in self._weights:
            weighted = lengths.astype(np.uint32) * np.uint32(self._weights[field])
            if docs is None:
                self.total += weighted
            else:
                self.total[docs] += weighted


def area_lengths(area: str, lengths: Mapping[str, npt.NDArray[np.unsignedinteger]], size: int) -> U32:
    """Return uint32[size]: the weighted lengths of documents in an area, in hundredths, from their lengths in
    fields.
    """
    total = AreaLengths(area, size)
    for field, held in lengths.items():
        total.add(field, held)
    return total.total
