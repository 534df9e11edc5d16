"""One segment: the documents of one run or merge, in one file of arrays, and which of them are deleted.

| arrays | what they hold |
|---|---|
| `terms.*`, `postings.*`, `patterns.*`, `occurrences.*`, `area.*` | dictionary and postings (`postings`) |
| `lengths*` | words of each document in each field (`lengths`) |
| `values.*` | where the values of the fields of a document start (`Values`) |
| `numbers*`, `sites.*` | numbers and days, sites (`numbers`, `sites`) |
| `codes*`, `keys*`, `names.*` | other values of each document (`columns`) |
| `held*` | which documents have something in each structure (`subsets`) |
| `digests` | uint32, a checksum of each stored study: 31 bits |
| `records.*` | the stored studies (`records`) |

A segment file never changes. Which of its documents are deleted stands in another small file, written anew
with every commit that deletes some, and named by the table of contents.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.fields import (
    FIELD_NUMBERS,
    FIELDS,
    PLACED,
    area_fields,
    area_weights,
)
from trialindex.frozen import frozen
from trialindex.segments.arrays import ArrayFile, ArrayWriter, spread, starts_of
from trialindex.segments.columns import (
    CodeColumn,
    Codes,
    CodeWriter,
    Keys,
    Names,
    kept_stretches,
    write_keys,
)
from trialindex.segments.lengths import AreaLengths, Lengths, LengthWriter
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.postings import BOUNDED, Chunk, PostingsReader, PostingsWriter
from trialindex.segments.records import Block, Records, RecordWriter
from trialindex.segments.sizes import Sizes, SizeWriter
from trialindex.segments.subsets import Subsets, SubsetWriter

# Numbers and sites are imported where they are read or written: plain words need neither, and every module
# counts at the start of a search.
if TYPE_CHECKING:
    from trialindex.segments.numbers import NumberLists, Numbers
    from trialindex.segments.sites import Sites

__all__ = [
    "CODED", "DIGEST", "NUMERIC", "STRUCTURES", "Contents", "Segment", "Values",
    "digest", "read_deleted", "write_deleted", "write_segment",
]  # fmt: skip

# The fields of each kind, in the order in which a segment has them.
NUMERIC = tuple(name for name, field in FIELDS.items() if field.kind in {"day", "number"})
CODED = tuple(name for name, field in FIELDS.items() if field.kind == "code")
STRUCTURES = tuple(name for name, field in FIELDS.items() if field.kind in {"structure", "point"})
# The column of checksums of stored studies: no field of a study.
DIGEST = "RecordDigest"
# As many bits of a checksum as are a signed number of four bytes too.
_DIGEST_BITS = (1 << 31) - 1
_DAYS = tuple(FIELDS[name].kind == "day" for name in NUMERIC)
_NUMERIC_NUMBERS = {name: number for number, name in enumerate(NUMERIC)}
_CODE_NUMBERS = {name: number for number, name in enumerate(CODED)}
_STRUCTURE_NUMBERS = {name: number for number, name in enumerate(STRUCTURES)}

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Fewer documents than this are looked up one by one: their stretches need not be added up from the first.
_FEW = 50


def _runs(offsets: I64, fields: U8) -> tuple[I64, I64]:
    """Return where the entries of each field of each document begin, int64[r], and how many these are.

    `offsets`: int64[documents + 1] into `fields`, uint8[v].
    """
    new = np.ones(len(fields), np.bool_)
    new[1:] = fields[1:] != fields[:-1]
    new[offsets[:-1][offsets[:-1] < offsets[1:]]] = True
    firsts = np.flatnonzero(new)
    return firsts, np.diff(firsts, append=len(fields))


@frozen
class Values:
    """Where the values of the fields of each document start.

    `offsets`: int64[documents + 1] into the other two. `fields`: uint8[v], ascending in each document.
    `starts`: uint32[v], the positions at which the second and later values of the field start, and last, for
    every field that has a value, where one more would start.
    """

    offsets: I64
    fields: U8
    starts: U32

    @classmethod
    def of(cls, size: int, call_docs: U32, call_fields: U8, starts: U32, start_counts: U32) -> Values:
        """Make the table from the calls of the tokeniser: `starts` has every value of a call, and one more
        entry.
        """
        first = np.zeros(len(starts), np.bool_)
        ends = np.cumsum(start_counts, dtype=np.int64)
        first[(ends - start_counts)[start_counts > 0]] = True
        calls = np.repeat(np.arange(len(call_docs)), start_counts)
        kept = ~first
        docs, fields = call_docs[calls[kept]], call_fields[calls[kept]]
        offsets = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(docs, minlength=size), out=offsets[1:])
        return cls(offsets, fields, starts[kept])

    def kept(self, keep: Mask) -> Values:
        """Return the table without the documents that a mask leaves out."""
        if keep.all():
            return self
        offsets, indexes = kept_stretches(self.offsets, keep)
        return Values(offsets, self.fields[indexes], self.starts[indexes])

    @classmethod
    def joined(cls, parts: Sequence[Values]) -> Values:
        """Make the table of the documents of one table after those of the other."""
        ends = np.cumsum([0, *(len(part.fields) for part in parts)])
        offsets = [part.offsets[:-1] + end for part, end in zip(parts, ends[:-1].tolist(), strict=True)]
        return cls(
            np.concatenate([*offsets, ends[-1:]]),
            np.concatenate([np.empty(0, np.uint8), *(part.fields for part in parts)]),
            np.concatenate([np.empty(0, np.uint32), *(part.starts for part in parts)]),
        )

    @classmethod
    def of_steps(cls, offsets: I64, fields: U8, steps: npt.NDArray[np.unsignedinteger]) -> Values:
        """Make the table from each start less the one before it in the same field of a document."""
        firsts, sizes = _runs(offsets, fields)
        sums = np.cumsum(steps, dtype=np.int64)
        sums -= np.repeat(sums[firsts] - steps[firsts], sizes)
        return cls(offsets, fields, sums.astype(np.uint32))

    def steps(self) -> U32:
        """Return uint32[v]: each start less the one before it in the same field of a document."""
        before = np.zeros(len(self.starts), np.uint32)
        before[1:] = self.starts[:-1]
        before[_runs(self.offsets, self.fields)[0]] = 0
        return self.starts - before

    def of_document(self, doc: int) -> dict[str, list[int]]:
        """Return field -> ascending positions at which its values start, and where one more would start."""
        low, high = int(self.offsets[doc]), int(self.offsets[doc + 1])
        if not 0 <= low <= high <= len(self.fields):
            raise IndexError("an offset leads nowhere")
        found: dict[str, list[int]] = {}
        for number, start in zip(self.fields[low:high].tolist(), self.starts[low:high].tolist(), strict=True):
            found.setdefault(PLACED[number], [0]).append(start)
        return found


@dataclass(slots=True)
class Contents:
    """What a segment holds of its documents besides words, names and records.

    `keys`: the trial ids. `digests`: a checksum of each stored study, 31 bits. The others are asked once, in
    the order of the fields here, so that no more than one array is needed at a time: `lengths`, of each field
    of PLACED the documents that have a value in it and how many words (uint32[n] both); `numbers`, of each
    of NUMERIC; `codes`, of each of CODED; `structures`, of each of STRUCTURES the documents that have it
    (uint32[n]); `values` and `sites`, of one stretch of the documents after the other.
    """

    keys: list[str]
    digests: U32
    lengths: Iterable[tuple[U32, U32]]
    numbers: Iterable[NumberLists]
    codes: Iterable[CodeColumn]
    structures: Iterable[U32]
    values: Iterable[Values]
    sites: Iterable[Sites]


def digest(record: bytes) -> int:
    """Return the checksum of a stored study that a segment keeps beside it, 31 bits: of what the registry
    states, not of the files that it was read from, so that the same record from another file is the same.

    >>> digest(b'{"a":1,"sourceSection":{"sources":[]}}') == digest(b'{"a":1}') != digest(b'{"a":2}')
    True
    """
    # It stands last, where `merge` put it; inside a text its quotes would be escaped.
    stated, found, _ = record.partition(b',"sourceSection":')
    return zlib.crc32(stated + b"}" if found else record) & _DIGEST_BITS


def write_segment(
    writer: ArrayWriter,
    contents: Contents,
    blocks: Iterable[Block],
    chunks: Iterable[Chunk],
) -> None:
    """Write a segment, all but its names. `blocks`: the packed records, in the order of the documents;
    `chunks`: the dictionary.
    """
    from trialindex.segments.numbers import NumberWriter
    from trialindex.segments.sites import write_sites

    size = len(contents.keys)
    writer.meta["documents"] = size
    records = RecordWriter(writer)
    for block in blocks:
        records.append_block(block)
    records.finish()
    write_keys(writer, contents.keys)
    writer.put("digests", contents.digests)
    areas = {area: AreaLengths(area, size) for area in BOUNDED}
    lengths = LengthWriter(writer, size)
    for name, (docs, words) in zip(PLACED, contents.lengths, strict=True):
        lengths.append(docs, words)
        for area in areas.values():
            area.add(name, words, docs)
    lengths.finish()
    numbers = NumberWriter(writer, size)
    for days, lists in zip(_DAYS, contents.numbers, strict=True):
        numbers.append(lists, days=days)
    numbers.finish()
    codes = CodeWriter(writer, size)
    for column in contents.codes:
        codes.append(column)
    codes.finish()
    structures = SubsetWriter(writer, "held", size)
    for docs in contents.structures:
        structures.append(docs)
    structures.finish()
    _write_values(writer, contents.values)
    write_sites(writer, contents.sites)
    postings = PostingsWriter(writer, size, {name: area.total for name, area in areas.items()})
    for chunk in chunks:
        postings.append(chunk)
    postings.finish()


def _write_values(writer: ArrayWriter, parts: Iterable[Values]) -> None:
    """Write `values.sizes`, how many entries each document has (`sizes`); `values.fields`; and
    `values.steps`, each start less the one before it in the same field of a document (`narrow`).
    """
    fields = writer.stream("values.fields", np.uint8)
    steps, sizes = NarrowWriter(writer, "values.steps"), SizeWriter(writer, "values.sizes")
    for values in parts:
        fields.append(values.fields)
        steps.append(values.steps())
        sizes.append(np.diff(values.offsets))
    steps.finish()
    sizes.finish()


class Segment:
    """A segment opened for reading. `live` is bool[size], or None where no document is deleted.

    Raises IndexDamaged where the file is not what it should be; what is inside is read, and its bounds are
    checked, when it is asked for.
    """

    def __init__(self, path: Path, live: Mask | None = None) -> None:
        self.path = path
        self.file = ArrayFile(path)
        try:
            size = self.file.meta.get("documents")
            if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 32:
                raise IndexDamaged(f"{path.name} is damaged (its size): build the index again")
            self.size = size
            self.keys = Keys(self.file, size)
        except BaseException:
            self.file.close()
            raise
        self.live = live
        self._names: dict[str, Names | None] = {}

    def close(self) -> None:
        """Give the file back."""
        self.file.close()

    @property
    def documents(self) -> int:
        """How many documents are not deleted."""
        return self.size if self.live is None else int(self.live.sum())

    @cached_property
    def postings(self) -> PostingsReader:
        return PostingsReader(self.file, self.size)

    @cached_property
    def records(self) -> Records:
        return Records(self.file)

    def _per_document(self, name: str, held: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if len(held) != self.size:
            raise IndexDamaged(f"{self.path.name} is damaged ({name}): build the index again")
        return held

    @cached_property
    def _lengths(self) -> Lengths:
        return Lengths(self.file, len(PLACED), self.size)

    @cached_property
    def _numbers(self) -> Numbers:
        from trialindex.segments.numbers import Numbers

        return Numbers(self.file, _DAYS, self.size)

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.file, len(CODED), self.size)

    @cached_property
    def _structures(self) -> Subsets:
        held = Subsets(self.file, "held", self.size)
        if len(held) != len(STRUCTURES):
            raise IndexDamaged(f"{self.path.name} is damaged (structures): build the index again")
        return held

    def length(self, field: str) -> npt.NDArray[np.unsignedinteger] | None:
        """Return the number of occurrences in a field for each document; None where there are none."""
        number = FIELD_NUMBERS[field]
        return self._lengths.of_field(number) if self._lengths.having.counts[number] else None

    def words(self, field: str) -> tuple[U32, npt.NDArray[np.unsignedinteger]]:
        """Return the documents that have a value in a field, ascending, and how many words each has there."""
        number = FIELD_NUMBERS[field]
        return self._lengths.having.docs(number), self._lengths.words(number)

    def having(self, field: str) -> Mask:
        """Return which documents have a value in a field, bool[size]."""
        if field in _STRUCTURE_NUMBERS:
            return self._structures.mask(_STRUCTURE_NUMBERS[field])
        if field in _NUMERIC_NUMBERS:
            return self._numbers.having.mask(_NUMERIC_NUMBERS[field])
        if field in _CODE_NUMBERS:
            return self._codes.having.mask(_CODE_NUMBERS[field])
        found = np.zeros(self.size, np.bool_)
        if FIELDS[field].kind == "name":
            names = self.names(field)
            if names is not None:
                found[names.stretch(0, len(names.terms))[2]] = True
            return found
        for part in area_fields(field):
            found |= self._lengths.having.mask(FIELD_NUMBERS[part])
        return found

    def lengths(self, area: str) -> U32:
        """Return uint32[size]: the weighted lengths in an area, in hundredths."""
        if area in BOUNDED:
            name = f"area.{area}.lengths"
            held_lengths = self.file.get(name, np.uint8, np.uint16, np.uint32)
            return self._per_document(name, held_lengths).astype(np.uint32, copy=False)
        total = AreaLengths(area, self.size)
        for field in area_weights(area):
            docs, words = self.words(field)
            total.add(field, words, docs)
        return total.total

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return float64[size] of a day or number field that has one value at the most, NaN where there is
        none; of the last days that dates may mean by `<Field>Last`; of checksums by DIGEST.
        """
        if name == DIGEST:
            return self.digests.astype(np.float64)
        number = _NUMERIC_NUMBERS.get(name)
        if number is None:
            return self._numbers.ends(_NUMERIC_NUMBERS[name.removesuffix("Last")])[1]
        return self._numbers.ends(number)[0]

    @property
    def digests(self) -> U32:
        """Return uint32[size]: a checksum of the stored study of each document, 31 bits."""
        return self._per_document(DIGEST, self.file.get("digests", np.uint32))

    def number_lists(self, field: str) -> NumberLists:
        """Return the numbers of a day or number field of all documents."""
        return self._numbers.lists(_NUMERIC_NUMBERS[field])

    def codes(self, field: str) -> CodeColumn:
        """Return the codes of a field."""
        return self._codes.column(_CODE_NUMBERS[field])

    def sites(self) -> Sites:
        """Return the coordinates of the sites of all documents, read anew."""
        from trialindex.segments.sites import read_sites

        return read_sites(self.file, self.size)

    def names(self, field: str) -> Names | None:
        """Return the names of a field; None where no document has one."""
        if field not in self._names:
            there = self.file.has(f"names.{field}.docs")
            self._names[field] = Names(self.file, field, self.size) if there else None
        return self._names[field]

    def find(self, key: str) -> int | None:
        """Return the live document of a trial id."""
        docs = self.keys.find(key)
        live = docs if self.live is None else docs[self.live[docs]]
        return int(live[0]) if len(live) else None

    def among(self, keys: npt.NDArray[np.bytes_]) -> npt.NDArray[np.int64]:
        """Return the live documents whose trial ids are among some others, ascending."""
        among = np.isin(self.keys.keys, keys)
        return np.flatnonzero(among if self.live is None else among & self.live)

    @cached_property
    def _values(self) -> tuple[U8, Narrow, Sizes]:
        fields = self.file.get("values.fields", np.uint8)
        steps, sizes = Narrow(self.file, "values.steps"), Sizes(self.file, "values.sizes", len(fields))
        if len(sizes) != self.size or len(steps) != len(fields):
            raise IndexDamaged(f"{self.path.name} is damaged (values): build the index again")
        return fields, steps, sizes

    def values(self, low: int = 0, high: int | None = None) -> Values:
        """Return where the values of the documents low..high-1 start, of all if none are given."""
        fields, steps, sizes = self._values
        offsets = sizes.offsets(low, self.size if high is None else high)
        first, last = int(offsets[0]), int(offsets[-1])
        return Values.of_steps(offsets - first, fields[first:last], steps[first:last])

    def values_of(self, docs: U32, wanted: Mask | None = None) -> Values:
        """Return where the values of some documents (ascending) start, of all fields, or of those wanted:
        bool[256] by field number; offsets int64[len(docs) + 1].
        """
        fields, steps, _ = self._values
        begins, ends = self._stretches(docs)
        if wanted is not None:
            # Bounds of the runs of numbers that are wanted: each run is one stretch of a document.
            edges = np.flatnonzero(np.diff(wanted, prepend=False, append=False)).tolist()
            bounds = [_bisected(fields, begins, ends, edge) for edge in edges]
            shape = (len(edges) // 2, len(docs))
            begins, ends = (np.array(bounds[one::2], np.int64).reshape(shape).T for one in (0, 1))
        sizes = ends - begins
        at = spread(begins.ravel(), sizes.ravel())
        offsets = starts_of(sizes if wanted is None else sizes.sum(axis=1, dtype=np.int64))
        return Values.of_steps(offsets, fields[at], steps.take(0, len(fields), at))

    def _stretches(self, docs: U32) -> tuple[I64, I64]:
        """Return where the entries of the values of some documents begin and end, int64[len(docs)] each."""
        sizes = self._values[2]
        if len(docs) < _FEW:
            found = np.array([sizes.stretch(doc) for doc in docs.tolist()], np.int64).reshape(-1, 2)
            return found[:, 0], found[:, 1]
        offsets = sizes.offsets(int(docs[0]), int(docs[-1]) + 1)
        return offsets[docs - docs[0]], offsets[docs - docs[0] + 1]


def _bisected(fields: U8, begins: I64, ends: I64, number: int) -> I64:
    """Return where in each of some stretches of ascending field numbers the first one begins that is no less
    than a number, int64[n].
    """
    low, high = begins.copy(), ends.copy()
    for _ in range(int((ends - begins).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        # In a stretch that is done, `middle` may be its end.
        less = (fields.take(middle, mode="clip") < number) & (middle < high)
        np.copyto(low, middle + 1, where=less)
        np.copyto(high, middle, where=~less)
    return low


def write_deleted(path: Path, live: Mask) -> int:
    """Write which documents of a segment are not deleted, bool[size]; return the checksum that tells this
    file from others.
    """
    with ArrayWriter(path) as writer:
        writer.meta["documents"] = len(live)
        writer.put("live", np.packbits(live))
    file = ArrayFile(path)
    try:
        return file.digest
    finally:
        file.close()


def read_deleted(path: Path, size: int, digest: int) -> Mask:
    """Return bool[size]: which documents of a segment are not deleted."""
    file = ArrayFile(path)
    try:
        held = file.get("live", np.uint8)
        if file.meta.get("documents") != size or len(held) != (size + 7) // 8 or file.digest != digest:
            raise file.damaged("it is not the file that the index names")
        return np.unpackbits(held, count=size).astype(np.bool_)
    finally:
        file.close()
