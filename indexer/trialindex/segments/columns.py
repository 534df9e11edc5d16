"""Values by document in a file of arrays: codes, keys (trial ids) and names (whole values).

- Codes: `codes`, which documents have any in each field (`subsets`); `codes.ordinals`, the distinct set of
  codes of each of these, field after field (`narrow`); `codes.sets`, the sets of each field, in JSON;
  `codes.ends`, int64 [fields + 1], where these end.
- Keys: `keys`, bytes of one width, zero-padded; `keys.width`, that width; `keys.order`, documents by key, in
  the narrowest dtype that holds their numbers.
- Names: a dictionary `names.<field>` (`terms`); `names.<field>.docs`, the documents of each (`doc_ids`).

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     codes = CodeWriter(writer, 3)
...     codes.append(CodeColumn.of([("PHASE1", "PHASE2"), (), ("PHASE2",)]))
...     codes.finish()
...     names = GatheredNames()
...     for doc, name in (2, "France"), (0, "Chad"), (0, "France"):
...         names.add(doc, [name])
...     names.write(writer, "Country", 3)
>>> file = ArrayFile(path)
>>> Codes(file, 1, 3).column(0).counts()
{'PHASE1': 1, 'PHASE2': 2}
>>> Names(file, "Country", 3).docs("France"), list(Names(file, "Country", 3).prefix("C"))
(array([0, 2], dtype=uint32), [('Chad', 1)])
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter, narrowest, spread
from trialindex.segments.doc_ids import Lists, ListWriter
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.subsets import Subsets, SubsetWriter
from trialindex.segments.terms import Terms, TermWriter, stretches

__all__ = [
    "CodeColumn", "CodeWriter", "Codes", "GatheredCodes", "GatheredNames", "Keys", "Names", "check_key",
    "kept_stretches", "merge_codes", "merge_names", "write_keys",
]  # fmt: skip

_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)
# Names of all segments together that are merged at a time.
_STRETCH = 1 << 18
# Names read at a time: a reader who stops early has read few too many.
_PIECE = 1024

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def kept_stretches(offsets: I64, keep: Mask) -> tuple[I64, I64]:
    """Return (offsets int64[k + 1], indexes int64[n]) of the stretches that a mask keeps.

    `offsets`: int64[documents + 1], where the values of each document start in arrays of values; `keep`:
    bool[documents]. The indexes select from these arrays what the new offsets lead into.

    >>> kept_stretches(np.array([0, 2, 2, 5]), np.array([True, True, False]))
    (array([0, 2, 2]), array([0, 1]))
    """
    sizes = np.diff(offsets)[keep]
    kept = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=kept[1:])
    return kept, spread(offsets[:-1][keep], sizes)


def _sized(file: ArrayFile, name: str, size: int, *dtypes: npt.DTypeLike) -> npt.NDArray[Any]:
    held = file.get(name, *dtypes)
    if len(held) != size:
        raise file.damaged(f"its array {name!r} has {len(held)} values, not {size}")
    return held


@dataclass(frozen=True, slots=True, eq=False)
class CodeColumn:
    """The codes of each document.

    `ordinals`: uint8, uint16 or uint32 [documents], which of `sets` a document has. `sets`: distinct tuples
    of codes; `sets[0]` is the empty one.
    """

    ordinals: npt.NDArray[Any]
    sets: list[tuple[str, ...]]

    @classmethod
    def of(cls, values: Iterable[Sequence[str]]) -> CodeColumn:
        """Return the column of documents with these codes."""
        gathered = GatheredCodes()
        size = 0
        for doc, codes in enumerate(values):
            gathered.add(doc, codes)
            size = doc + 1
        return gathered.column(size)

    def holding(self, code: str) -> npt.NDArray[np.bool_]:
        """Return which documents have a code, bool[documents]."""
        return self._where([code in codes for codes in self.sets])

    def present(self) -> npt.NDArray[np.bool_]:
        """Return which documents have any code, bool[documents]."""
        return self._where([bool(codes) for codes in self.sets])

    def _where(self, flags: list[bool]) -> npt.NDArray[np.bool_]:
        return cast("npt.NDArray[np.bool_]", np.array(flags)[self.ordinals])

    def counts(self, docs: npt.NDArray[Any] | None = None) -> dict[str, int]:
        """Return how many documents (of these, or of all) have each code; a code of none is left out."""
        ordinals = self.ordinals if docs is None else self.ordinals[docs]
        totals: dict[str, int] = {}
        by_set = np.bincount(ordinals, minlength=len(self.sets)).tolist()
        for codes, count in zip(self.sets, by_set, strict=True):
            for code in dict.fromkeys(codes) if count else ():
                totals[code] = totals.get(code, 0) + count
        return totals


class GatheredCodes:
    """The codes of documents as they come, some bytes a document: no object is kept of each."""

    def __init__(self) -> None:
        self._sets: dict[tuple[str, ...], int] = {(): 0}
        self._docs = array("I")
        self._ordinals = array("I")

    def add(self, doc: int, codes: Iterable[str]) -> None:
        """Take the codes of a document."""
        sets = self._sets
        self._docs.append(doc)
        self._ordinals.append(sets.setdefault(tuple(codes), len(sets)))

    def column(self, size: int) -> CodeColumn:
        """Return the column of so many documents; those that did not come have no codes."""
        ordinals = np.zeros(size, narrowest(len(self._sets) - 1))
        ordinals[np.array(self._docs)] = np.array(self._ordinals)
        return CodeColumn(ordinals, list(self._sets))


def merge_codes(columns: Iterable[tuple[CodeColumn, npt.NDArray[np.bool_] | None]]) -> CodeColumn:
    """Return one column of the documents of several, one after another.

    With each comes a mask of the documents to keep, bool[documents], or None for all. Sets that no document
    has any more are left out.
    """
    sets: dict[tuple[str, ...], int] = {(): 0}
    parts: list[npt.NDArray[np.uint32]] = []
    for column, keep in columns:
        kept = column.ordinals if keep is None else column.ordinals[keep]
        held = np.bincount(kept, minlength=len(column.sets)).tolist()
        numbers = [
            sets.setdefault(codes, len(sets)) if count else 0
            for codes, count in zip(column.sets, held, strict=True)
        ]
        parts.append(np.array(numbers, np.uint32)[kept])
    merged = np.concatenate([np.empty(0, np.uint32), *parts])
    return CodeColumn(merged.astype(narrowest(len(sets) - 1)), list(sets))


class CodeWriter:
    """Writes the codes of so many documents, field after field."""

    def __init__(self, writer: ArrayWriter, documents: int) -> None:
        self._writer = writer
        self._having = SubsetWriter(writer, "codes", documents)
        self._ordinals = NarrowWriter(writer, "codes.ordinals")
        self._sets = writer.stream("codes.sets", np.uint8)
        self._ends: list[int] = [0]

    def append(self, column: CodeColumn) -> None:
        """Add a field."""
        docs = np.flatnonzero(column.ordinals)
        self._having.append(docs.astype(np.uint32))
        if len(docs):
            self._ordinals.append(column.ordinals[docs] - 1)
            self._sets.append(np.frombuffer(_json(column.sets[1:]), np.uint8))
        self._ends.append(self._sets.count)

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._having.finish()
        self._ordinals.finish()
        self._sets.close()
        self._writer.put("codes.ends", np.array(self._ends, np.int64))


def _json(held: Any) -> bytes:
    return json.dumps(held, separators=(",", ":")).encode()


class Codes:
    """Reads what `CodeWriter` wrote. Raises IndexDamaged where its parts do not fit together.

    Attribute `having`: which documents have any code of each field.
    """

    def __init__(self, file: ArrayFile, fields: int, documents: int) -> None:
        self._file, self._documents = file, documents
        self.having = Subsets(file, "codes", documents)
        self._ordinals = Narrow(file, "codes.ordinals")
        self._sets = file.get("codes.sets", np.uint8)
        self._ends = _sized(file, "codes.ends", fields + 1, np.int64)
        if len(self.having) != fields or self.having.starts[-1] != len(self._ordinals):
            raise file.damaged("the parts of its codes do not fit together")
        if self._ends[0] != 0 or self._ends[-1] != len(self._sets) or (np.diff(self._ends) < 0).any():
            raise file.damaged("the parts of its codes do not fit together")

    def column(self, number: int) -> CodeColumn:
        """Return the codes of a field."""
        low, high = self.having.starts[number : number + 2].tolist()
        if low == high:
            return CodeColumn(np.zeros(self._documents, np.uint8), [()])
        sets = self._read_sets(number)
        held = self._ordinals[low:high]
        if int(held.max()) >= len(sets):
            raise self._file.damaged("a document has none of the codes of its field")
        ordinals = np.zeros(self._documents, narrowest(len(sets)))
        ordinals[self.having.mask(number)] = held.astype(np.uint32) + 1
        return CodeColumn(ordinals, [(), *sets])

    def _read_sets(self, number: int) -> list[tuple[str, ...]]:
        start, end = self._ends[number : number + 2].tolist()
        try:
            held = json.loads(self._sets[start:end].tobytes())
        except (ValueError, RecursionError) as error:
            raise self._file.damaged(f"the codes of a field cannot be read: {error}") from error
        if not isinstance(held, list) or not all(_is_codes(codes) and codes for codes in held):
            raise self._file.damaged("the codes of a field are no list of codes")
        return [tuple(codes) for codes in held]


def _is_codes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(code, str) for code in value)


def check_key(key: bytes) -> None:
    """Raise ValueError where a trial id ends in a zero byte."""
    if key.endswith(b"\0"):
        raise ValueError("a trial id that ends in a zero byte")


def write_keys(writer: ArrayWriter, keys: Sequence[str] | npt.NDArray[np.bytes_]) -> None:
    """Write the trial ids of all documents, in their order. Raises ValueError on one that ends in a zero
    byte, which padding would hide.
    """
    given = keys.tolist() if isinstance(keys, np.ndarray) else [key.encode() for key in keys]
    for key in given:
        check_key(key)
    made = np.array(given, f"S{max(map(len, given), default=1) or 1}")
    writer.put("keys", made.view(np.uint8))
    writer.put("keys.width", np.array([made.itemsize], np.uint32))
    writer.put("keys.order", np.argsort(made, kind="stable").astype(narrowest(max(len(made) - 1, 0))))


class Keys:
    """The trial ids of all documents. Attribute `keys`: bytes of one width [documents]."""

    def __init__(self, file: ArrayFile, size: int) -> None:
        width = int(_sized(file, "keys.width", 1, np.uint32)[0])
        held = file.get("keys", np.uint8)
        if not width or len(held) != width * size:
            raise file.damaged(f"its keys are not {size} of {width} bytes")
        self.keys: npt.NDArray[np.bytes_] = held.view(f"S{width}")
        self._order = _sized(file, "keys.order", size, *_UNSIGNED[:3])
        self._bytes = held.data

    def find(self, key: str) -> npt.NDArray[np.uint32]:
        """Return the documents that have a key, ascending: those of a trial that was replaced, too."""
        wanted = key.encode("utf-8", "surrogatepass")
        width = self.keys.itemsize
        if len(wanted) > width or wanted.endswith(b"\0"):
            return np.empty(0, np.uint32)
        padded, order, data = wanted.ljust(width, b"\0"), self._order.data, self._bytes
        # Not searchsorted: it makes a copy of the order, of 8 bytes a document, for every search.
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            start = order[middle] * width
            if bytes(data[start : start + width]) < padded:
                low = middle + 1
            else:
                high = middle
        while high < len(order) and bytes(data[order[high] * width :][:width]) == padded:
            high += 1
        return self._order[low:high].astype(np.uint32)


class GatheredNames:
    """The names of documents as they come, in any order: each text is kept once, and some bytes of each of
    its documents.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._docs = array("I")
        self._names = array("I")

    def add(self, doc: int, names: Iterable[str]) -> None:
        """Take the names of a document; the same one counts once."""
        numbers, docs, own = self._numbers, self._docs, self._names
        for name in names:
            docs.append(doc)
            own.append(numbers.setdefault(name, len(numbers)))

    def write(self, writer: ArrayWriter, field: str, size: int) -> None:
        """Write the names of a field, of so many documents."""
        encoded = [name.encode("utf-8", "replace") for name in self._numbers]
        # Texts that cannot be encoded may have become one.
        names = sorted(set(encoded))
        place = {name: ordinal for ordinal, name in enumerate(names)}
        ordinals = np.fromiter(map(place.__getitem__, encoded), np.int64, len(encoded))
        written = _NameWriter(writer, field, size)
        written.append(names, ordinals[np.array(self._names)], np.array(self._docs, np.int64))
        written.finish()


def merge_names(
    writer: ArrayWriter, field: str, parts: Iterable[tuple[Names, npt.NDArray[np.int64]]], size: int
) -> None:
    """Write the names of several segments as those of one of so many documents, a stretch of them at a time.

    With each comes the new number of each of its documents, int64[documents]; -1 where one is left out.
    """
    held = list(parts)
    dictionaries = [part.terms for part, _ in held]
    written = _NameWriter(writer, field, size)
    each = max(1, _STRETCH // max(1, len(dictionaries)))
    for stretch in stretches(dictionaries, lambda _, low: low + each):
        found = [part.stretch(low, high) for (part, _), (low, high) in zip(held, stretch, strict=True)]
        names = sorted({name for terms, *_ in found for name in terms})
        number = {name: ordinal for ordinal, name in enumerate(names)}
        ordinals, docs = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for (terms, counts, own), (_, renumber) in zip(found, held, strict=True):
            places = np.fromiter(map(number.__getitem__, terms), np.int64, len(terms))
            moved = renumber[own]
            kept = moved >= 0
            ordinals.append(np.repeat(places, counts)[kept])
            docs.append(moved[kept])
        written.append(names, np.concatenate(ordinals), np.concatenate(docs))
    written.finish()


class _NameWriter:
    """Writes the names of a field, in ascending stretches."""

    def __init__(self, writer: ArrayWriter, field: str, size: int) -> None:
        self._terms = TermWriter(writer, f"names.{field}")
        self._docs = ListWriter(writer, f"names.{field}.docs", size)

    def append(
        self, names: list[bytes], ordinals: npt.NDArray[np.int64], docs: npt.NDArray[np.int64]
    ) -> None:
        """Add sorted names, and the pairs (ordinal of a name, document) of them in any order; names without a
        document are left out.
        """
        order = np.lexsort((docs, ordinals))
        ordinals, docs = ordinals[order], docs[order]
        first = np.ones(len(docs), np.bool_)
        first[1:] = (ordinals[1:] != ordinals[:-1]) | (docs[1:] != docs[:-1])
        counts = np.bincount(ordinals[first], minlength=len(names))
        self._terms.append([name for name, count in zip(names, counts.tolist(), strict=True) if count])
        self._docs.append(counts[counts > 0], docs[first].astype(np.uint32))

    def finish(self) -> None:
        """Write what is known only at the end."""
        self._terms.finish()
        self._docs.finish()


class Names:
    """The names of a field, to be read. Raises IndexDamaged where they are not as they were written."""

    def __init__(self, file: ArrayFile, field: str, size: int) -> None:
        self._file = file
        self._field = field
        self.terms = Terms(file, f"names.{field}")
        self._docs = Lists(file, f"names.{field}.docs", size)
        if len(self._docs) != len(self.terms):
            raise self._broken()

    def docs(self, name: str) -> npt.NDArray[np.uint32]:
        """Return the documents that have exactly this name, ascending."""
        ordinal = self.terms.find(name.encode("utf-8", "replace"))
        return np.empty(0, np.uint32) if ordinal < 0 else self.docs_of(ordinal)

    def docs_of(self, ordinal: int) -> npt.NDArray[np.uint32]:
        """Return the documents of a name, ascending. Raises IndexError on an ordinal of none."""
        docs = self._docs[ordinal]
        if not len(docs):
            raise self._broken()
        return docs

    def _broken(self) -> IndexDamaged:
        return self._file.damaged(f"the documents of a name of {self._field!r} are not there")

    def stretch(
        self, low: int, high: int
    ) -> tuple[list[bytes], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Return the names low..high-1, how many documents each has, and these, name after name."""
        counts, docs = self._docs.stretch(low, high)
        if not counts.all():
            raise self._broken()
        return self.terms.slice(low, high), counts, docs

    def prefix(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (name, document frequency) of the names that begin with a prefix, in order."""
        low, high = self.terms.range(prefix.encode("utf-8", "replace"))
        for start in range(low, high, _PIECE):
            stop = min(start + _PIECE, high)
            counts = self._docs.sizes.listed(start, stop)
            if not all(counts):
                raise self._broken()
            for name, count in zip(self.terms.slice(start, stop), counts, strict=True):
                yield name.decode("utf-8", "replace"), count
