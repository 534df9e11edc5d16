"""Is every file of an index whole, and every document what its stored record says?"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trialindex.contents import Contents, Reading, open_segments, read_contents
from trialindex.document import Document
from trialindex.errors import IndexDamaged, IndexMissing
from trialindex.fields import FIELDS, PLACED
from trialindex.merge import trial_id
from trialindex.segments.arrays import ArrayFile, spread, starts_of
from trialindex.segments.columns import CodeColumn
from trialindex.segments.lengths import area_lengths
from trialindex.segments.numbers import NumberLists
from trialindex.segments.postings import BOUNDED, Chunk, Postings, norms
from trialindex.segments.segment import CODED, NUMERIC, STRUCTURES, Segment, Values, digest
from trialindex.segments.tokens import Tokeniser, Tokens
from trialindex.snapshot import study_of
from trialindex.vocabulary.linking import Linker
from trialindex.vocabulary.mapped import Vocabulary

__all__ = ["verify"]

# Documents that are worked out anew at a time, and occurrences that are read at a time.
_DOCUMENTS = 1000
_CHUNK = 1 << 20
_NAMES_AT_ONCE = 1 << 16
# How many words a field has of which a document has no value.
_NO_VALUE = -1
# Bytes of words that are kept from one thousand documents to the next.
_WORDS = 256 << 20

_NAMES = tuple(field.name for field in FIELDS.values() if field.kind == "name")

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]


def verify(folder: Path) -> list[str]:
    """Check an index; return what is wrong, a line each, [] if nothing is.

    First every byte of every file, by checksums. Where these hold, every document is compared with its stored
    record: the words and places that it should have are worked out anew, and compared with those in the index
    by a checksum; so are its lengths, the starts of its values, numbers, codes, names, structures and sites.
    Then the bounds of lists with what these have.
    Raises IndexMissing where there is no index.
    """
    while True:
        try:
            contents = read_contents(folder)
        except IndexMissing:
            raise
        except IndexDamaged as error:
            return [str(error)]
        found = _verify(folder, contents)
        # A writer that commits meanwhile removes what its commit replaces.
        if not found or _unchanged(folder, contents):
            return found


def _unchanged(folder: Path, contents: Contents) -> bool:
    try:
        return read_contents(folder) == contents
    except (IndexDamaged, IndexMissing):
        return True


def _verify(folder: Path, contents: Contents) -> list[str]:
    digests = {aside.file: aside.digest for aside in (contents.vocabulary, contents.learned)}
    found = [line for name in sorted(contents.files) for line in _file(folder / name, digests.get(name))]
    if found:
        return found
    try:
        segments = open_segments(folder, contents)
    except (IndexDamaged, FileNotFoundError) as error:
        return [str(error)]
    seen: dict[bytes, str] = {}
    try:
        with Reading(folder), _linker(folder, contents) as linker:
            for segment in segments:
                try:
                    with Reading(folder):
                        found += _segment(segment, seen, linker)
                except IndexDamaged as error:
                    found.append(str(error))
    except (IndexDamaged, FileNotFoundError) as error:
        found.append(str(error))
    finally:
        for segment in segments:
            segment.close()
    return found


@contextmanager
def _linker(folder: Path, contents: Contents) -> Iterator[Linker | None]:
    """Return what linked the trials of an index to concepts, None where nothing did."""
    if not contents.vocabulary.file:
        yield None
        return
    vocabulary = Vocabulary(folder / contents.vocabulary.file)
    try:
        yield Linker(vocabulary)
    finally:
        vocabulary.close()


def _file(path: Path, digest: int | None) -> list[str]:
    """Check a file; `digest`: of one that no segment is, the checksum that the index states."""
    try:
        file = ArrayFile(path)
    except FileNotFoundError:
        return [f"{path.name} is missing: build the index again"]
    except (IndexDamaged, OSError) as error:
        return [str(error)]
    try:
        if digest not in {None, file.digest}:
            return [f"{path.name} is not the file that the index names: build the index again"]
        return file.check()
    finally:
        file.close()


def _segment(segment: Segment, seen: dict[bytes, str], linker: Linker | None) -> Iterator[str]:
    live = np.arange(segment.size) if segment.live is None else np.flatnonzero(segment.live)
    keys = segment.keys.keys
    for doc, key in zip(live.tolist(), keys[live].tolist(), strict=True):
        name = key.decode("utf-8", "replace")
        if key in seen:
            yield f"{name}: stands in {seen[key]} and in {segment.path.name}"
        seen[key] = segment.path.name
        if segment.find(name) != doc:
            yield f"{name}: cannot be found by its id"
    yield from _order(segment)
    held, expected = _Held(segment), _Expected(linker)
    docs = iter(live.tolist())
    while chosen := list(islice(docs, _DOCUMENTS)):
        yield from _documents(segment, held, expected, np.array(chosen))
    yield from _lengths(segment)
    yield from _bounds(segment)


class _Held:
    """What a segment holds of its documents, read once for all of them."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self.numbers = {name: segment.number_lists(name) for name in NUMERIC}
        self.codes = {name: segment.codes(name) for name in CODED}
        self.lengths = {name: segment.words(name) for name in PLACED}
        self.structures = {name: segment.having(name) for name in STRUCTURES}
        self.digests = segment.digests
        self.sites = segment.sites()
        self.values = segment.values()

    @cached_property
    def sums(self) -> U64:
        """Return uint64[documents]: the sum of the checksums of the occurrences."""
        sums = np.zeros(self._segment.size, np.uint64)
        for chunk in self._segment.postings.chunks(_CHUNK):
            docs, mixed = _occurrences(chunk)
            np.add.at(sums, docs, mixed)
        return sums

    def sums_by_field(self, docs: I64) -> U64:
        """Return uint64[fields, documents], for some documents."""
        sums = np.zeros((len(PLACED), len(docs)), np.uint64)
        for chunk in self._segment.postings.chunks(_CHUNK):
            owners, mixed = _occurrences(chunk)
            here = np.isin(owners, docs)
            np.add.at(sums, (chunk.fields[here], np.searchsorted(docs, owners[here])), mixed[here])
        return sums

    @cached_property
    def names(self) -> dict[str, U64]:
        """Return of each name field uint64[documents], the sum of the checksums of the names."""
        found = {}
        for field in _NAMES:
            found[field] = np.zeros(self._segment.size, np.uint64)
            names = self._segment.names(field)
            if names is not None:
                for low in range(0, len(names.terms), _NAMES_AT_ONCE):
                    high = min(low + _NAMES_AT_ONCE, len(names.terms))
                    held, counts, docs = names.stretch(low, high)
                    np.add.at(found[field], docs, np.repeat(_hashes(held), counts))
        return found


class _Expected:
    """What the stored records of some documents say that the index should hold of their words."""

    def __init__(self, linker: Linker | None) -> None:
        self.linker = linker
        self._tokeniser = Tokeniser()
        self._hashes = np.empty(0, np.uint64)

    def read(self, documents: Sequence[Document]) -> _Words:
        """Return the words of documents."""
        if self._tokeniser.memory > _WORDS:
            self._tokeniser.forget()
            self._hashes = self._hashes[:0]
        docs, fields = [], []
        for doc, document in enumerate(documents):
            for number, values, exact in document.placed():
                (self._tokeniser.add_terms if exact else self._tokeniser.add)(values)
                docs.append(doc)
                fields.append(number)
        tokens = self._tokeniser.drain()
        more = self._tokeniser.vocabulary[len(self._hashes) :]
        self._hashes = np.concatenate([self._hashes, _hashes([_bytes(term) for term in more])])
        return _Words(
            len(documents),
            np.array(docs, np.uint32),
            np.array(fields, np.uint8),
            tokens,
            self._hashes[tokens.terms],
        )


class _Words:
    """The words of some documents, by the calls of the tokeniser: [calls] each; `hashes`: [tokens]."""

    def __init__(
        self,
        size: int,
        docs: npt.NDArray[np.uint32],
        fields: npt.NDArray[np.uint8],
        tokens: Tokens,
        hashes: U64,
    ) -> None:
        self._size, self._docs, self._fields = size, docs, fields
        self._tokens = tokens
        self._calls = np.repeat(np.arange(len(docs)), tokens.counts)
        self._mixed = _mixed(hashes, fields[self._calls], tokens.positions)

    def sums(self) -> U64:
        sums = np.zeros(self._size, np.uint64)
        np.add.at(sums, self._docs[self._calls], self._mixed)
        return sums

    def sums_by_field(self) -> U64:
        sums = np.zeros((len(PLACED), self._size), np.uint64)
        np.add.at(sums, (self._fields[self._calls], self._docs[self._calls]), self._mixed)
        return sums

    def lengths(self) -> I64:
        """Return int64[fields, documents]: the number of words, -1 where there is no value."""
        found = np.full((len(PLACED), self._size), _NO_VALUE)
        # Besides its values, a call has where one more would start.
        some = self._tokens.start_counts > 1
        found[self._fields[some], self._docs[some]] = self._tokens.counts[some]
        return found

    def values(self) -> Values:
        return Values.of(self._size, self._docs, self._fields, self._tokens.starts, self._tokens.start_counts)


def _documents(segment: Segment, held: _Held, expected: _Expected, docs: I64) -> Iterator[str]:
    """Compare some documents with their records."""
    studies = [study_of(segment, doc) for doc in docs.tolist()]
    documents = [Document.of(study, expected.linker) for study in studies]
    keys = [key.decode("utf-8", "replace") for key in segment.keys.keys[docs].tolist()]
    for key, study in zip(keys, studies, strict=True):
        if trial_id(study) != key:
            yield f"{key}: the stored record has another id"
    for place, doc in enumerate(docs.tolist()):
        if digest(segment.records[doc]) != held.digests[doc]:
            yield f"{keys[place]}: the checksum is not that of the stored record"
    words = expected.read(documents)
    for place, field in chain(
        _other_values(held, documents, docs),
        _other_lengths(held, words, docs),
        _other_starts(held.values, words, docs),
    ):
        yield f"{keys[place]}: {field} is not that of the stored record"
    wrong = held.sums[docs] != words.sums()
    if wrong.any():
        differ = held.sums_by_field(docs) != words.sums_by_field()
        for number, place in np.argwhere(differ).tolist():
            yield f"{keys[place]}: the terms of {PLACED[number]} are not those of the stored record"


def _other_values(held: _Held, documents: list[Document], docs: I64) -> Iterator[tuple[int, str]]:
    """Yield (place among the documents, field) where numbers, codes, names or sites are not those of a
    document.
    """
    for name, lists in held.numbers.items():
        stated = NumberLists.of([_pairs(document, name) for document in documents])
        sizes = np.diff(lists.offsets)[docs]
        own = spread(lists.offsets[:-1][docs], sizes)
        same = (
            np.array_equal(stated.offsets, starts_of(sizes))
            and np.array_equal(stated.low, lists.low[own])
            and np.array_equal(stated.high, lists.high[own])
        )
        for place, doc in enumerate([] if same else docs.tolist()):
            if stated.of_document(place) != lists.of_document(doc):
                yield place, name
    for name, mask in held.structures.items():
        there = np.fromiter((name in document.held for document in documents), np.bool_, len(documents))
        for place in np.flatnonzero(mask[docs] != there).tolist():
            yield place, name
    for name, codes in held.codes.items():
        stated_codes = [tuple(document.codes.get(name, ())) for document in documents]
        own_codes = _sets(codes, docs)
        if own_codes != stated_codes:
            for place, (one, other) in enumerate(zip(own_codes, stated_codes, strict=True)):
                if one != other:
                    yield place, name
    for name, sums in held.names.items():
        for place, (document, own_sum) in enumerate(zip(documents, sums[docs].tolist(), strict=True)):
            names = {_bytes(value) for value in document.names.get(name, ())}
            if sum(map(_hash, names)) % (1 << 64) != own_sum:
                yield place, name
    for place, (document, doc) in enumerate(zip(documents, docs.tolist(), strict=True)):
        if held.sites.of_document(doc) != document.sites:
            yield place, "the list of sites"


def _pairs(document: Document, name: str) -> list[tuple[float, float]]:
    """Return the (low, high) pairs of a field of numbers or days of a document."""
    if name in document.numbers:
        low = document.numbers[name]
        return [(low, document.numbers.get(f"{name}Last", low))]
    return document.ranges.get(name, [])


def _sets(codes: CodeColumn, docs: I64) -> list[tuple[str, ...]]:
    return [codes.sets[ordinal] for ordinal in codes.ordinals[docs].tolist()]


def _other_lengths(held: _Held, words: _Words, docs: I64) -> Iterator[tuple[int, str]]:
    """Yield (place among the documents, what) where a field has more or fewer words, or a value too many."""
    for (field, (own, counts)), stated in zip(held.lengths.items(), words.lengths(), strict=True):
        places = np.searchsorted(own, docs)
        there = places < len(own)
        there[there] = own[places[there]] == docs[there]
        found = np.full(len(docs), _NO_VALUE)
        found[there] = counts[places[there]]
        for place in np.flatnonzero(found != stated).tolist():
            yield place, f"the length of {field}"


def _other_starts(values: Values, words: _Words, docs: I64) -> Iterator[tuple[int, str]]:
    stated = words.values()
    sizes = np.diff(values.offsets)[docs]
    own = spread(values.offsets[:-1][docs], sizes)
    same = (
        np.array_equal(sizes, np.diff(stated.offsets))
        and np.array_equal(values.fields[own], stated.fields)
        and np.array_equal(values.starts[own], stated.starts)
    )
    for place, doc in enumerate([] if same else docs.tolist()):
        if values.of_document(doc) != stated.of_document(place):
            yield place, "where values start"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _hash(term: bytes) -> int:
    return zlib.crc32(term) + (zlib.adler32(term) << 32)


def _hashes(terms: Sequence[bytes]) -> U64:
    return np.fromiter(map(_hash, terms), np.uint64, len(terms))


def _mixed(terms: U64, fields: npt.NDArray[np.uint8], positions: npt.NDArray[np.unsignedinteger]) -> U64:
    """Return a checksum of each occurrence, so that terms that changed places are told apart."""
    places = (positions.astype(np.uint64) << np.uint64(8)) + fields
    return (terms ^ np.uint64(0x9E3779B97F4A7C15)) * (places * np.uint64(2) + np.uint64(3))


def _occurrences(chunk: Chunk) -> tuple[npt.NDArray[np.uint32], U64]:
    """Return the document and the checksum of each occurrence."""
    owners = np.repeat(np.arange(len(chunk.terms)), chunk.frequencies)
    each = np.repeat(_hashes(chunk.terms)[owners], chunk.counts)
    return np.repeat(chunk.docs, chunk.counts), _mixed(each, chunk.fields, chunk.positions)


def _order(segment: Segment) -> Iterator[str]:
    """Check that terms, the documents of each, and the places in each are in order: searches rely on it."""
    last = b""
    name = segment.path.name
    for chunk in segment.postings.chunks(_CHUNK):
        if int(chunk.fields.max()) >= len(PLACED):
            raise IndexDamaged(f"{name} is damaged (fields): build the index again")
        if any(one >= other for one, other in pairwise([last, *chunk.terms])):
            yield f"{name}: the terms from {last.decode('utf-8', 'replace')!r} on are not in order"
        last = chunk.terms[-1]
        owners = np.repeat(np.arange(len(chunk.terms), dtype=np.uint64), chunk.frequencies)
        postings = (owners << np.uint64(32)) + chunk.docs
        wrong = np.flatnonzero(postings[1:] <= postings[:-1])
        places = (chunk.fields.astype(np.uint64) << np.uint64(32)) + chunk.positions
        each = np.repeat(np.arange(len(chunk.docs)), chunk.counts)
        fallen = np.flatnonzero((places[1:] < places[:-1]) & (each[1:] == each[:-1]))
        for kind, ordinals in (("documents", owners[wrong]), ("places", owners[each[fallen]])):
            for ordinal in np.unique(ordinals).tolist():
                term = chunk.terms[ordinal].decode("utf-8", "replace")
                yield f"{name}: the {kind} of {term!r} are not in order"


def _lengths(segment: Segment) -> Iterator[str]:
    """Compare the lengths in the areas that have bounds with those of their fields."""
    fields = {field: length for field in PLACED if (length := segment.length(field)) is not None}
    for area in BOUNDED:
        lengths = area_lengths(area, fields, segment.size)
        mean = float(lengths.mean()) if segment.size else 0.0
        if not np.array_equal(lengths, segment.lengths(area)) or not np.isclose(
            mean, segment.postings.mean(area)
        ):
            yield f"{segment.path.name}: the lengths in {area} are not those of its fields"


def _bounds(segment: Segment) -> Iterator[str]:
    """Compare the bounds of lists in areas, and the lists that are kept, with what these lists have."""
    for area in BOUNDED:
        mean = segment.postings.mean(area)
        shares = norms(segment.lengths(area), mean)
        for ordinal in segment.postings.bounded():
            own = segment.postings.postings(ordinal, area, mean)
            docs, sums = segment.postings.decoded(ordinal, area)
            same = np.array_equal(own.docs, docs) and np.array_equal(own.sums, sums)
            if not same or (len(own.docs) and not _bounded(own, shares)):
                term = segment.postings.terms[ordinal].decode("utf-8", "replace")
                what = "bound" if same else "list"
                yield f"{segment.path.name}: the {what} of {term!r} in {area} is not what its occurrences say"


def _bounded(own: Postings, shares: npt.NDArray[np.float32]) -> bool:
    """Whether what a list states of its saturated frequencies holds; `shares`: the norm of each document."""
    tf = own.sums / 100
    saturated = tf / (tf + shares[own.docs])
    if own.block_starts is None or own.block_highest is None or own.best is None:
        return bool(saturated.max() <= own.highest)
    blocks = np.maximum.reduceat(saturated, own.block_starts)
    others = np.delete(saturated, own.best)
    return bool(
        saturated.max() <= own.highest
        and (blocks <= own.block_highest).all()
        and (not len(others) or others.max() <= own.rest)
    )
