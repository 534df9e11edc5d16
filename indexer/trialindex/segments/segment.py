"""One segment: the documents of one run or merge, in one file of arrays, and which of them are deleted.

| arrays | what they hold |
|---|---|
| `terms.*`, `postings.*`, `patterns.*`, `occurrences.*`, `area.*` | dictionary and postings (`postings`) |
| `length.<Field>` | occurrences in the field, for each document |
| `values.*` | where the values of the fields of a document start (`Values`) |
| `number.*`, `code.*`, `keys*`, `names.*`, `sites.*` | values of each document (`columns`) |
| `records.*` | the stored studies (`records`) |

A segment file never changes. Which of its documents are deleted stands in another small file, written anew
with every commit that deletes some, and named by the table of contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.fields import PLACED, UNMEASURED, area_weights
from trialindex.frozen import frozen
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.columns import (
    CodeColumn,
    Keys,
    Names,
    Sites,
    kept_stretches,
    read_codes,
    read_numbers,
    read_sites,
    write_codes,
    write_keys,
    write_numbers,
    write_sites,
)
from trialindex.segments.narrow import Narrow, NarrowWriter, write_narrow
from trialindex.segments.postings import BOUNDED, Chunk, PostingsReader, PostingsWriter
from trialindex.segments.records import Block, Records, RecordWriter
from trialindex.segments.sizes import Sizes, SizeWriter

__all__ = ["Contents", "Segment", "Values", "area_lengths", "read_deleted", "write_deleted", "write_segment"]

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


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

    `keys`: the trial ids. The others are asked once, in the order of the fields here, so that no more than
    one array is needed at a time: `lengths` (field, occurrences in it: uint32[documents]), `numbers` (name,
    float64[documents]), `codes` (field, column), `values` and `sites`, of one stretch of the documents after
    the other.
    """

    keys: list[str]
    lengths: Iterable[tuple[str, U32]]
    numbers: Iterable[tuple[str, npt.NDArray[np.float64]]]
    codes: Iterable[tuple[str, CodeColumn]]
    values: Iterable[Values]
    sites: Iterable[Sites]


class _AreaLengths:
    """The weighted lengths of documents in an area, added up by field: `total` uint32[size], hundredths.

    Fields of UNMEASURED count nothing, unless the area has no others.
    """

    def __init__(self, area: str, size: int) -> None:
        weights = area_weights(area)
        measured = {field: weight for field, weight in weights.items() if field not in UNMEASURED}
        self._weights = measured or weights
        self.total = np.zeros(size, np.uint32)

    def add(self, field: str, lengths: npt.NDArray[np.unsignedinteger]) -> None:
        if field in self._weights:
            self.total += lengths.astype(np.uint32) * np.uint32(self._weights[field])


def area_lengths(area: str, lengths: Mapping[str, npt.NDArray[np.unsignedinteger]], size: int) -> U32:
    """Return uint32[size]: the weighted lengths of documents in an area, in hundredths, from their lengths in
    fields.
    """
    total = _AreaLengths(area, size)
    for field, held in lengths.items():
        total.add(field, held)
    return total.total


def write_segment(
    writer: ArrayWriter,
    contents: Contents,
    blocks: Iterable[Block],
    chunks: Iterable[Chunk],
) -> None:
    """Write a segment, all but its names. `blocks`: the packed records, in the order of the documents;
    `chunks`: the dictionary.
    """
    size = len(contents.keys)
    writer.meta["documents"] = size
    records = RecordWriter(writer)
    for block in blocks:
        records.append_block(block)
    records.finish()
    write_keys(writer, contents.keys)
    areas = {area: _AreaLengths(area, size) for area in BOUNDED}
    for name, held in contents.lengths:
        write_narrow(writer, f"length.{name}", held)
        for area in areas.values():
            area.add(name, held)
    for name, numbers in contents.numbers:
        write_numbers(writer, name, numbers)
    for name, column in contents.codes:
        write_codes(writer, name, column)
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

    def length(self, field: str) -> npt.NDArray[np.unsignedinteger] | None:
        """Return the number of occurrences in a field for each document; None where there are none."""
        name = f"length.{field}"
        return (
            self._per_document(name, Narrow(self.file, name)[0 : self.size]) if self.file.has(name) else None
        )

    def lengths(self, area: str) -> U32:
        """Return uint32[size]: the weighted lengths in an area, in hundredths."""
        if area in BOUNDED:
            name = f"area.{area}.lengths"
            held_lengths = self.file.get(name, np.uint8, np.uint16, np.uint32)
            return self._per_document(name, held_lengths).astype(np.uint32, copy=False)
        held = {field: found for field in area_weights(area) if (found := self.length(field)) is not None}
        return area_lengths(area, held, self.size)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return float64[size] of a day or number field, NaN where there is none."""
        return self._per_document(name, read_numbers(self.file, name, self.size))

    def codes(self, field: str) -> CodeColumn:
        """Return the codes of a field."""
        return read_codes(self.file, field, self.size)

    def sites(self) -> Sites:
        """Return the coordinates of the sites of all documents, read anew."""
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
