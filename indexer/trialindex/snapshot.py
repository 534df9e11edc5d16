"""One committed state of an index, to be read: terms, postings, values, records.

A `Snapshot` answers from the state that it opened, while writers commit beside it (`trialindex.storage`).
"""

from __future__ import annotations

import heapq
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex.contents import Aside, Contents, Reading, open_segments, read_contents, stamp, status
from trialindex.errors import IndexDamaged
from trialindex.segments.columns import CodeColumn, merge_codes
from trialindex.segments.postings import BOUNDED, MOST_TERMS, Occurrences, Postings, joined, norms
from trialindex.segments.segment import Segment, Values
from trialindex.segments.tokens import TERM
from trialindex.vocabulary.learned import Learned
from trialindex.vocabulary.mapped import Vocabulary

if TYPE_CHECKING:
    from trialindex.segments.numbers import NumberLists
    from trialindex.segments.sites import Sites

__all__ = ["Snapshot", "counted", "open_snapshot", "segment_terms", "stored_studies", "study_of", "unpack"]

# Bytes of postings that a snapshot keeps ready, whatever the size of the index.
_CACHED = 64 << 20
# Nanoseconds within which two commits may leave files that look the same from outside.
_TICK = 2_000_000_000
# Terms whose places in the dictionaries are kept.
_KEPT_PLACES = 1_000
# Terms of which it is remembered how many documents have them.
_KEPT_FREQUENCIES = 20_000
# Areas whose norms are kept: a number a document each.
_CACHED_AREAS = 12

U32 = npt.NDArray[np.uint32]


def unpack(data: bytes) -> dict[str, Any]:
    """Return the study of a stored record. Raises IndexDamaged where the bytes are not one."""
    try:
        study = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise IndexDamaged(f"a stored record cannot be read ({error}): rebuild the index") from error
    if not isinstance(study, dict):
        raise IndexDamaged("a stored record is no study: rebuild the index")
    return study


def study_of(segment: Segment, doc: int) -> dict[str, Any]:
    """Return the stored study of a document of a segment."""
    try:
        return unpack(segment.records[doc])
    except IndexDamaged as error:
        raise IndexDamaged(f"{segment.path.name}, document {doc}: {error}") from error


class Snapshot:
    """One committed state of an index, to be read. Safe to share between threads.

    Documents are numbered from 0 to `size`, segment after segment, deleted ones included; the numbers hold
    for this snapshot only. `live`: bool[size], None where nothing is deleted. Arrays are shared: do not
    change them. Terms and names are text; areas are those of `trialindex.fields.area_fields`. `vocabulary`:
    what the trials were linked with; `learned`: what they teach; None where the index has none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for attempt in range(10):
            self._made = stamp(folder)
            self._seen, self._sure = (0, 0, 0), False
            contents = read_contents(folder)
            try:
                self._segments = open_segments(folder, contents)
                self._open_names(contents)
                break
            except FileNotFoundError as error:
                # A writer may have committed, and removed the segment, since the table was read.
                if attempt == 9 or stamp(folder) == self._made:
                    raise IndexDamaged(
                        f"{Path(str(error.filename)).name} is missing from {folder}: build the index again"
                    ) from error
        self.generation = contents.generation
        sizes = [segment.size for segment in self._segments]
        self._bases = [sum(sizes[:place]) for place in range(len(sizes))]
        self.size = sum(sizes)
        self.live = self._live()
        self._count = self.size if self.live is None else int(self.live.sum())
        self._lock = threading.Lock()
        self._postings: OrderedDict[tuple[str, str], Postings] = OrderedDict()
        self._cached = 0
        self._norms: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self._means: dict[str, float] = {}
        self._columns: dict[str, npt.NDArray[np.float64]] = {}
        self._number_lists: dict[str, NumberLists] = {}
        self._codes: dict[str, CodeColumn] = {}
        self._sites: Sites | None = None
        self._all_keys: npt.NDArray[np.bytes_] | None = None
        self._places: dict[str, list[tuple[int, Segment, int]]] = {}
        self._frequencies: dict[str, int] = {}
        self._reading = Reading(folder)

    def _open_names(self, contents: Contents) -> None:
        """Open the files beside the segments, at once: a writer may remove them once it replaced them."""
        self.vocabulary: Vocabulary | None = None
        self.learned: Learned | None = None
        try:
            if contents.vocabulary.file:
                self.vocabulary = Vocabulary(self.folder / contents.vocabulary.file)
                _check(self.vocabulary, contents.vocabulary)
            if contents.learned.file:
                self.learned = Learned(self.folder / contents.learned.file)
                _check(self.learned, contents.learned)
        except BaseException:
            self.close()
            raise

    def _live(self) -> npt.NDArray[np.bool_] | None:
        if all(segment.live is None for segment in self._segments):
            return None
        return np.concatenate(
            [
                np.ones(segment.size, np.bool_) if segment.live is None else segment.live
                for segment in self._segments
            ]
        )

    def reading(self) -> Reading:
        """Return a context that turns what reading damaged arrays raises into IndexDamaged."""
        return self._reading

    def close(self) -> None:
        """Give the files back."""
        for segment in self._segments:
            segment.close()
        for names in (self.vocabulary, self.learned):
            if names is not None:
                names.close()

    def is_current(self) -> bool:
        """Whether no newer state was committed."""
        seen = status(self.folder)
        if self._sure and seen == self._seen:
            return True
        if stamp(self.folder) != self._made:
            return False
        # A file that was old when it was read has another time or number when it is replaced.
        self._seen, self._sure = seen, time.time_ns() - seen[1] > _TICK
        return True

    def __len__(self) -> int:
        return self._count

    def docs(self) -> U32:
        """Return uint32[n]: the live documents, ascending."""
        if self.live is None:
            return np.arange(self.size, dtype=np.uint32)
        return np.flatnonzero(self.live).astype(np.uint32)

    def _parts(self) -> Iterator[tuple[int, Segment]]:
        return zip(self._bases, self._segments, strict=True)

    def _ordinals(self, term: str) -> list[tuple[int, Segment, int]]:
        """Return (first document, segment, number of the term in it) for the segments that have a term."""
        found = self._places.get(term)
        if found is None:
            data = term.encode("utf-8", "replace")
            found = [
                (base, segment, ordinal)
                for base, segment in self._parts()
                if (ordinal := segment.postings.terms.find(data)) >= 0
            ]
            # Queries ask for a word several times in a row: its frequency, its postings, its places.
            if len(self._places) >= _KEPT_PLACES:
                self._places.clear()
            self._places[term] = found
        return found

    def mean_length(self, area: str) -> float:
        """Return the mean weighted length of a document in an area, in hundredths."""
        found = self._means.get(area)
        return self._mean(area, self.lengths(area)) if found is None else found

    def _mean(self, area: str, lengths: U32) -> float:
        found = self._means[area] = int(lengths.sum(dtype=np.uint64)) / self.size if self.size else 0.0
        return found

    def lengths(self, area: str) -> U32:
        """Return uint32[size]: the weighted lengths of the documents in an area, in hundredths."""
        with self._reading:
            parts = [segment.lengths(area) for segment in self._segments]
        return np.concatenate(parts) if parts else np.empty(0, np.uint32)

    def norms(self, area: str) -> npt.NDArray[np.float32]:
        """Return float32[size]: `k1 * (1 - b + b * length / mean length)` of each document in an area."""
        found = self._norms.get(area)
        if found is None:
            lengths = self.lengths(area)
            with self._reading:
                found = norms(lengths, self._mean(area, lengths))
            found.setflags(write=False)
            with self._lock:
                self._norms[area] = found
                while len(self._norms) > _CACHED_AREAS:
                    self._norms.popitem(last=False)
        return found

    def postings(self, term: str, area: str) -> Postings:
        """Return the documents of a term in an area with their weighted frequencies; empty arrays where there
        are none.
        """
        key = (area, term)
        found = self._postings.get(key)
        if found is not None:
            with suppress(KeyError):  # another thread may have dropped it since
                self._postings.move_to_end(key)
            return found
        # Only lists with bounds ask how long documents are, which is worked out from all of them.
        mean = self.mean_length(area) if area in BOUNDED else 0.0
        with self._reading:
            parts = [
                (base, segment.postings.postings(ordinal, area, mean))
                for base, segment, ordinal in self._ordinals(term)
            ]
            # Of a list that is empty here, no bound is known; it would loosen that of the others.
            parts = [part for part in parts if len(part[1].docs)]
            found = joined(parts) if parts else Postings(_NONE, _NONE, 0.0)
            if len(found.docs) and int(found.docs[-1]) >= self.size:
                raise IndexDamaged(f"the index in {self.folder} is damaged (documents): build it again")
        found.docs.setflags(write=False)
        found.sums.setflags(write=False)
        with self._lock:
            if key not in self._postings:
                self._postings[key] = found
                self._cached += _size(found)
                while self._cached > _CACHED and len(self._postings) > 1:
                    self._cached -= _size(self._postings.popitem(last=False)[1])
        return found

    def frequency(self, term: str, area: str) -> int:
        """Return how many documents have a term in an area, deleted ones included."""
        total = 0
        with self._reading:
            for _, segment, ordinal in self._ordinals(term):
                folded = segment.postings.area_frequency(ordinal, area)
                if folded is None:
                    return len(self.postings(term, area).docs)
                total += folded
        return total

    def anywhere(self, term: str) -> int:
        """Return how many documents have a term in any field, deleted ones included."""
        found = self._frequencies.get(term)
        if found is None:
            with self._reading:
                parts = self._ordinals(term)
                found = sum(segment.postings.frequency(ordinal) for _, segment, ordinal in parts)
            if len(self._frequencies) >= _KEPT_FREQUENCIES:
                self._frequencies.clear()
            self._frequencies[term] = found
        return found

    def occurrences(self, term: str, docs: U32 | None = None) -> Occurrences:
        """Return where a term stands, in all documents or in those given (ascending)."""
        with self._reading:
            parts = []
            for base, segment, ordinal in self._ordinals(term):
                wanted = self._within(docs, base, segment.size)
                if wanted is not None and not len(wanted):
                    continue
                found = segment.postings.occurrences(ordinal, wanted)
                parts.append((base, found))
        if len(parts) == 1 and not parts[0][0]:
            return parts[0][1]
        if not parts:
            return Occurrences(_NONE, np.empty(0, np.uint8), _NONE)
        return Occurrences(
            np.concatenate([part.docs + np.uint32(base) for base, part in parts]),
            np.concatenate([part.fields for _, part in parts]),
            np.concatenate([part.positions for _, part in parts]).astype(np.uint32, copy=False),
        )

    def phrase(
        self,
        terms: Sequence[str],
        offsets: Sequence[int],
        slop: int,
        area: str,
        docs: U32 | None = None,
        denied: str = "",
    ) -> npt.NDArray[np.int64] | None:
        """Return where a phrase begins (`PostingsReader.phrase`); None where that is not compiled here, or
        not for so many terms.
        """
        if len(terms) > MOST_TERMS:
            return None
        parts: list[npt.NDArray[np.int64]] = []
        with self._reading:
            found = [self._ordinals(term) for term in terms]
            before = {base: ordinal for base, _, ordinal in self._ordinals(denied)} if denied else {}
            for base, segment in self._parts():
                ordinals = [ordinal for held in found for first, _, ordinal in held if first == base]
                if not segment.postings.has_phrases:
                    return None
                wanted = self._within(docs, base, segment.size)
                if len(ordinals) == len(terms) and (wanted is None or len(wanted)):
                    places = segment.postings.phrase(
                        ordinals, offsets, slop, area, wanted, before.get(base, -1)
                    )
                    parts.append(places + (base << 40) if base else places)
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])

    def _within(self, docs: U32 | None, base: int, size: int) -> U32 | None:
        """Return those of some documents that are in a segment, counted from its first; None for all."""
        if docs is None or len(self._segments) == 1:
            return docs
        low, high = np.searchsorted(docs, np.array([base, base + size], np.uint32))
        return docs[low:high] - np.uint32(base)

    def terms(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (term, documents that have it anywhere) of the words that begin with a prefix, in order: not
        of the terms that stand for concepts.
        """
        data = prefix.encode("utf-8", "replace")
        with self._reading:
            for term, frequency in counted([segment_terms(segment, data) for segment in self._segments]):
                if not term.startswith(TERM):
                    yield term, frequency

    def begins(self, prefix: str) -> bool:
        """Whether any term begins with a prefix."""
        data = prefix.encode("utf-8", "replace")
        with self._reading:
            return any(
                low < high for low, high in (part.postings.terms.range(data) for part in self._segments)
            )

    def names(self, field: str, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (name, document frequency) of a field's names that begin with a prefix, in order."""
        with self._reading:
            readers = [reader for segment in self._segments if (reader := segment.names(field)) is not None]
            yield from counted([reader.prefix(prefix) for reader in readers])

    def named(self, field: str, name: str) -> U32:
        """Return uint32[n]: the documents that have exactly this name in a field, ascending."""
        with self._reading:
            parts = [
                reader.docs(name) + np.uint32(base)
                for base, segment in self._parts()
                if (reader := segment.names(field)) is not None
            ]
        return np.concatenate(parts) if parts else _NONE

    def name_lists(self, field: str) -> Iterator[tuple[list[str], npt.NDArray[np.int64], U32]]:
        """Yield, segment by segment, a field's names, how many documents each has (int64[names]), and these,
        name after name, deleted ones included (uint32[n]). A name comes once a segment that has it.
        """
        with self._reading:
            for base, segment in self._parts():
                reader = segment.names(field)
                if reader is not None:
                    names, counts, docs = reader.stretch(0, len(reader.terms))
                    yield [name.decode("utf-8", "replace") for name in names], counts, docs + np.uint32(base)

    def column(self, field: str) -> npt.NDArray[np.float64]:
        """Return float64[size]: a field's number for every document, NaN where there is none.

        Of a day, the first that its date may mean; the last one by `<Field>Last`. `RecordDigest`: a checksum
        of the stored study. A field that may have several numbers has lists (`number_lists`).
        """
        found = self._columns.get(field)
        if found is None:
            with self._reading:
                parts = [segment.numbers(field) for segment in self._segments]
                found = np.concatenate(parts) if parts else np.empty(0)
            found.setflags(write=False)
            self._columns[field] = found
        return found

    def number_lists(self, field: str) -> NumberLists:
        """Return the numbers or days of a field for every document, several where there are."""
        found = self._number_lists.get(field)
        if found is None:
            with self._reading:
                from trialindex.segments.numbers import NumberLists

                found = NumberLists.joined([segment.number_lists(field) for segment in self._segments])
            for array in found:
                array.setflags(write=False)
            self._number_lists[field] = found
        return found

    def having(self, field: str) -> npt.NDArray[np.bool_]:
        """Return bool[size]: which documents have a value in a field, or anything in a structure."""
        with self._reading:
            parts = [segment.having(field) for segment in self._segments]
            return np.concatenate([np.empty(0, np.bool_), *parts])

    def codes(self, field: str) -> CodeColumn:
        """Return the codes of a field for every document."""
        found = self._codes.get(field)
        if found is None:
            with self._reading:
                found = merge_codes([(segment.codes(field), None) for segment in self._segments])
            self._codes[field] = found
        return found

    def sites(self) -> Sites:
        """Return the sites of every document, deleted ones included: one for each location of its record, in
        the record's order, so that the k-th is that of the k-th value of its location fields.

        Those of document d are offsets[d]..offsets[d + 1]-1; it has none where the two are the same. Read
        once, and kept.
        """
        found = self._sites
        if found is None:
            with self._reading:
                from trialindex.segments.sites import Sites

                found = Sites.joined([segment.sites() for segment in self._segments])
            for array in found[:-1]:
                array.setflags(write=False)
            self._sites = found
        return found

    def starts(self, doc: int) -> dict[str, list[int]]:
        """Return field -> positions at which its values start in a document, and where one more would."""
        with self._reading:
            base, segment = self._at(doc)
            return segment.values(doc - base, doc - base + 1).of_document(0)

    def values_of(self, docs: U32, wanted: npt.NDArray[np.bool_] | None = None) -> Values:
        """Return where values of some documents (ascending) start: see `Segment.values_of`."""
        with self._reading:
            parts = []
            for base, segment in self._parts():
                low, high = np.searchsorted(docs, np.array([base, base + segment.size], np.uint32))
                if low < high:
                    parts.append(segment.values_of(docs[low:high] - np.uint32(base), wanted))
            return Values.joined(parts)

    def _at(self, doc: int) -> tuple[int, Segment]:
        for base, segment in self._parts():
            if base <= doc < base + segment.size:
                return base, segment
        raise IndexError(f"no document {doc}")

    def key(self, doc: int) -> str:
        """Return the trial id of a document."""
        with self._reading:
            base, segment = self._at(doc)
            key: bytes = segment.keys.keys[doc - base]
            return key.decode()

    def keys(self, docs: U32) -> npt.NDArray[np.bytes_]:
        """Return the trial ids of documents."""
        with self._reading:
            if self._all_keys is None:
                parts = [segment.keys.keys for segment in self._segments]
                self._all_keys = parts[0] if len(parts) == 1 else np.concatenate(parts or [_NO_KEYS])
            return self._all_keys[docs]

    def find_key(self, key: str) -> int | None:
        """Return the document of a trial's own id."""
        with self._reading:
            for base, segment in self._parts():
                doc = segment.find(key)
                if doc is not None:
                    return base + doc
        return None

    def find(self, identifier: str) -> int | None:
        """Return the document of a trial id or one of its former ids (aliases); the own id goes first."""
        found = self.find_key(identifier)
        if found is not None:
            return found
        docs = self.named("AnyId", identifier)
        live = docs if self.live is None else docs[self.live[docs]]
        return int(live[0]) if len(live) else None

    def record(self, doc: int) -> bytes:
        """Return the stored study of a document as it is stored: JSON in UTF-8."""
        with self._reading:
            base, segment = self._at(doc)
            return segment.records[doc - base]

    def study(self, doc: int) -> dict[str, Any]:
        """Return the stored study of a document."""
        with self._reading:
            base, segment = self._at(doc)
            return study_of(segment, doc - base)


_NONE: U32 = np.empty(0, np.uint32)
_NO_KEYS: npt.NDArray[np.bytes_] = np.empty(0, "S1")


def _check(names: Vocabulary | Learned, stated: Aside) -> None:
    if names.digest != stated.digest:
        raise IndexDamaged(f"{stated.file} is not the file that the index names: build the index again")


def _size(postings: Postings) -> int:
    return 200 + postings.docs.nbytes + postings.sums.nbytes


def segment_terms(segment: Segment, prefix: bytes) -> Iterator[tuple[str, int]]:
    """Yield (term, documents that have it anywhere) of the terms of a segment that begin with a prefix."""
    terms = segment.postings.terms
    low, high = terms.range(prefix)
    while low < high:
        end = min(high, low + 4096)
        for ordinal, term in enumerate(terms.slice(low, end), low):
            yield term.decode(), segment.postings.frequency(ordinal)
        low = end


def counted(parts: Iterable[Iterator[tuple[str, int]]]) -> Iterator[tuple[str, int]]:
    """Yield each text once with the sum of its counts, over sorted lists."""
    held, total = "", 0
    for text, count in heapq.merge(*parts):
        if text == held:
            total += count
        else:
            if total:
                yield held, total
            held, total = text, count
    if total:
        yield held, total


def open_snapshot(folder: Path) -> Snapshot:
    """Open the newest committed state of the index in a folder.

    Raises IndexMissing where there is none, IndexDamaged where it cannot be read.
    """
    return Snapshot(folder)


def stored_studies(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, stored study) of every trial."""
    snapshot = open_snapshot(folder)
    try:
        for doc in snapshot.docs().tolist():
            yield snapshot.key(doc), snapshot.study(doc)
    finally:
        snapshot.close()
