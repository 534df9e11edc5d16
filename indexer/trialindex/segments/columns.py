"""Values by document in a file of arrays: numbers, codes, keys (trial ids), names (whole values) and sites.

- Numbers: `number.<name>` [documents], int32 where all values are whole and fit (the smallest int32: none),
  float64 otherwise (NaN: none). A column without any value is not written.
- Codes: `code.<field>` [documents], ordinals of the distinct sets of codes; `code.<field>.sets`, these, in
  JSON. A column without any code is not written.
- Keys: `keys`, bytes of one width, zero-padded; `keys.width`, that width; `keys.order`, documents by key, in
  the narrowest dtype that holds their numbers.
- Names: a dictionary `names.<field>` (`terms`); `names.<field>.docs`, the documents of each (`doc_ids`).
- Sites: `sites.latitudes` and `sites.longitudes` [sites], int32, in units of 1e-7 degrees, document after
  document; `sites.offsets` [documents + 1] into them, uint32 (uint64 where they are more). Not written where
  no document has a site.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     write_codes(writer, "Phase", CodeColumn.of([("PHASE1", "PHASE2"), (), ("PHASE2",)]))
...     write_names(writer, "Country", [(b"France", 2), (b"Chad", 0), (b"France", 0)], 3)
>>> file = ArrayFile(path)
>>> read_codes(file, "Phase", 3).counts()
{'PHASE1': 1, 'PHASE2': 2}
>>> Names(file, "Country", 3).docs("France"), list(Names(file, "Country", 3).prefix("C"))
(array([0, 2], dtype=uint32), [('Chad', 1)])
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayStream, ArrayWriter, narrowest, spread, wide
from trialindex.segments.doc_ids import Lists, ListWriter
from trialindex.segments.terms import Terms, TermWriter, stretches

__all__ = [
    "CodeColumn", "Keys", "Names", "Sites", "check_key", "kept_stretches", "merge_codes", "merge_names",
    "read_codes", "read_numbers", "read_sites", "write_codes", "write_keys", "write_names",
    "write_numbers", "write_sites",
]  # fmt: skip

_MISSING = np.iinfo(np.int32).min
_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)
# Names of all segments together that are merged at a time.
_STRETCH = 1 << 18
# Names read at a time: a reader who stops early has read few too many.
_PIECE = 1024
# Units in a degree, and the most of them that a latitude and a longitude have.
_UNITS = 10**7
_MOST_LATITUDE, _MOST_LONGITUDE = 90 * _UNITS, 180 * _UNITS

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
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


def write_numbers(writer: ArrayWriter, name: str, values: npt.NDArray[np.float64]) -> None:
    """Write a column of numbers [documents]; NaN where a document has none."""
    stated = ~np.isnan(values)
    given = values[stated]
    if not len(given):
        return
    if (np.abs(given) < -_MISSING).all() and (given == np.trunc(given)).all():
        whole = np.full(len(values), _MISSING, np.int32)
        whole[stated] = given
        writer.put(f"number.{name}", whole)
    else:
        writer.put(f"number.{name}", values)


def read_numbers(file: ArrayFile, name: str, size: int) -> npt.NDArray[np.float64]:
    """Return a column of numbers, float64[size]; NaN where a document has none, everywhere if there is no
    such column. Raises IndexDamaged where it has another length.
    """
    if not file.has(f"number.{name}"):
        return np.full(size, np.nan)
    held = _sized(file, f"number.{name}", size, np.int32, np.float64)
    values = held.astype(np.float64)
    if held.dtype == np.int32:
        values[held == _MISSING] = np.nan
    return values


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
        sets: dict[tuple[str, ...], int] = {(): 0}
        ordinals = [sets.setdefault(tuple(codes), len(sets)) for codes in values]
        return cls(np.array(ordinals, narrowest(len(sets) - 1)), list(sets))

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


def write_codes(writer: ArrayWriter, field: str, column: CodeColumn) -> None:
    """Write a column of codes."""
    if len(column.sets) == 1:
        return
    writer.put(f"code.{field}", column.ordinals)
    sets = json.dumps(column.sets, separators=(",", ":")).encode()
    writer.put(f"code.{field}.sets", np.frombuffer(sets, np.uint8))


def read_codes(file: ArrayFile, field: str, size: int) -> CodeColumn:
    """Return a column of codes of so many documents; none has any if there is no such column.

    Raises IndexDamaged where it is none that `write_codes` wrote.
    """
    name = f"code.{field}"
    if not file.has(name):
        return CodeColumn(np.zeros(size, np.uint8), [()])
    ordinals = _sized(file, name, size, *_UNSIGNED[:3])
    try:
        held = json.loads(file.get(f"{name}.sets", np.uint8).tobytes())
    except (ValueError, RecursionError) as error:
        raise file.damaged(f"the codes of {field!r} cannot be read: {error}") from error
    if not isinstance(held, list) or not all(_is_codes(codes) for codes in held) or held[:1] != [[]]:
        raise file.damaged(f"the codes of {field!r} are no list of codes")
    if size and int(ordinals.max()) >= len(held):
        raise file.damaged(f"a document has none of the codes of {field!r}")
    return CodeColumn(ordinals, [tuple(codes) for codes in held])


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


def write_names(writer: ArrayWriter, field: str, pairs: Iterable[tuple[bytes, int]], size: int) -> None:
    """Write the names of a field from (name, document) pairs in any order, documents out of so many; the same
    pair counts once.
    """
    held = list(pairs)
    names = sorted({name for name, _ in held})
    number = {name: ordinal for ordinal, name in enumerate(names)}
    ordinals = np.fromiter((number[name] for name, _ in held), np.int64, len(held))
    docs = np.fromiter((doc for _, doc in held), np.int64, len(held))
    written = _NameWriter(writer, field, size)
    written.append(names, ordinals, docs)
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


class Sites(NamedTuple):
    """The coordinates of the sites of each document.

    `offsets`: int64[documents + 1] into the other two: the sites of a document are those from its offset to
    the next one. `latitudes`, `longitudes`: float64[sites], degrees, north and east positive, whole multiples
    of 1e-7.
    """

    offsets: I64
    latitudes: F64
    longitudes: F64

    @classmethod
    def of(cls, documents: Sequence[Sequence[tuple[float, float]]]) -> Sites:
        """Return the sites of documents from the (latitude, longitude) pairs of each."""
        offsets = np.zeros(len(documents) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, documents), np.int64, len(documents)), out=offsets[1:])
        pairs = np.array([pair for held in documents for pair in held], np.float64).reshape(-1, 2)
        return cls(offsets, pairs[:, 0].copy(), pairs[:, 1].copy())

    @classmethod
    def joined(cls, parts: Sequence[Sites]) -> Sites:
        """Return the sites of the documents of several, one after another."""
        sizes = [np.diff(part.offsets) for part in parts]
        return cls(
            np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes])),
            np.concatenate([np.empty(0), *(part.latitudes for part in parts)]),
            np.concatenate([np.empty(0), *(part.longitudes for part in parts)]),
        )

    def kept(self, keep: Mask) -> Sites:
        """Return the sites of the documents that a mask, bool[documents], keeps."""
        if keep.all():
            return self
        offsets, indexes = kept_stretches(self.offsets, keep)
        return Sites(offsets, self.latitudes[indexes], self.longitudes[indexes])

    def of_document(self, doc: int) -> list[tuple[float, float]]:
        """Return the (latitude, longitude) pairs of a document."""
        here = slice(int(self.offsets[doc]), int(self.offsets[doc + 1]))
        return list(zip(self.latitudes[here].tolist(), self.longitudes[here].tolist(), strict=True))


def write_sites(writer: ArrayWriter, parts: Iterable[Sites]) -> None:
    """Write the sites of all documents, of one stretch of them after the other."""
    sizes = [np.zeros(1, np.int64)]
    streams: tuple[ArrayStream, ArrayStream] | None = None
    for sites in parts:
        sizes.append(np.diff(sites.offsets))
        if len(sites.latitudes):
            if streams is None:
                streams = (
                    writer.stream("sites.latitudes", np.int32),
                    writer.stream("sites.longitudes", np.int32),
                )
            streams[0].append(_units(sites.latitudes))
            streams[1].append(_units(sites.longitudes))
    if streams is not None:
        offsets = np.cumsum(np.concatenate(sizes))
        writer.put("sites.offsets", offsets.astype(wide(int(offsets[-1]))))


def _units(degrees: F64) -> npt.NDArray[np.int32]:
    return np.rint(degrees * _UNITS).astype(np.int32)


def read_sites(file: ArrayFile, size: int) -> Sites:
    """Return the sites of so many documents; none has any if there is no such column.

    Raises IndexDamaged where it is none that `write_sites` wrote.
    """
    if not file.has("sites.offsets"):
        return Sites(np.zeros(size + 1, np.int64), np.empty(0), np.empty(0))
    offsets = _sized(file, "sites.offsets", size + 1, *_UNSIGNED[2:])
    latitudes = file.get("sites.latitudes", np.int32)
    longitudes = _sized(file, "sites.longitudes", len(latitudes), np.int32)
    if offsets[0] != 0 or offsets[-1] != len(latitudes) or (offsets[1:] < offsets[:-1]).any():
        raise file.damaged("the sites of a document are not there")
    # A division, not a product with 1e-7: so each is the float64 nearest to its decimal number.
    return Sites(
        offsets.astype(np.int64),
        _within(file, latitudes, _MOST_LATITUDE) / _UNITS,
        _within(file, longitudes, _MOST_LONGITUDE) / _UNITS,
    )


def _within(file: ArrayFile, units: npt.NDArray[np.int32], most: int) -> npt.NDArray[np.int32]:
    if len(units) and not -most <= int(units.min()) <= int(units.max()) <= most:
        raise file.damaged("a site lies nowhere on earth")
    return units
