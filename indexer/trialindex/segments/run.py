"""Documents in memory, to become one segment: tokens to numbers, and one sort that inverts them.

A `Run` takes documents one by one. Their texts become term numbers at once (`tokens`); where a token stands
is worked out for all of them together when the run is written: the number of its term in the order of the
dictionary and its own number, packed into one 64-bit key a token, are sorted once, and since tokens were
numbered by document, field and position, each term's postings come out in that order.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trialindex.document import Document, Site
from trialindex.fields import FIELDS, PLACED
from trialindex.kernel import cutting
from trialindex.segments.arrays import ArrayWriter
from trialindex.segments.columns import GatheredCodes, GatheredNames, check_key
from trialindex.segments.numbers import NumberLists
from trialindex.segments.postings import Chunk
from trialindex.segments.records import Block, Packer
from trialindex.segments.segment import CODED, NUMERIC, STRUCTURES, Contents, Values, digest, write_segment
from trialindex.segments.sites import Sites
from trialindex.segments.tokens import Tokeniser, Tokens

__all__ = ["Run"]

# Documents whose words wait as Python objects before they become arrays.
_DRAIN = 200
# Occurrences that are brought into order together when a run is written.
_CHUNK = 1 << 21
# Bytes that a token costs while a run is inverted: what is kept (9), the keys and the sorted places (24).
_TOKEN_BYTES = 40
# Bytes that a site costs: a tuple of four.
_SITE_BYTES = 144

# Bytes of known words that are kept from one run to the next.
_CACHE = 64 << 20


def _lists() -> defaultdict[str, list[int]]:
    return defaultdict(list)


def _numbers_of_fields() -> defaultdict[str, array[float]]:
    return defaultdict(lambda: array("d"))


@dataclass(slots=True)
class _Columns:
    """Everything of the documents of a run but their words."""

    keys: dict[str, int] = field(default_factory=dict)
    digests: list[int] = field(default_factory=list)
    # By field, one after another: document and number; document, first and last.
    numbers: defaultdict[str, array[float]] = field(default_factory=_numbers_of_fields)
    ranges: defaultdict[str, array[float]] = field(default_factory=_numbers_of_fields)
    codes: defaultdict[str, GatheredCodes] = field(default_factory=lambda: defaultdict(GatheredCodes))
    names: defaultdict[str, GatheredNames] = field(default_factory=lambda: defaultdict(GatheredNames))
    sites: list[list[Site]] = field(default_factory=list)
    structures: defaultdict[str, list[int]] = field(default_factory=_lists)
    # Of each call of the tokeniser: whose words, of which field.
    call_docs: list[int] = field(default_factory=list)
    call_fields: list[int] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


class Run:
    """Documents in memory, to become one segment. `memory`: about how many bytes it holds."""

    def __init__(self) -> None:
        self._tokeniser = Tokeniser()
        self._start()

    def _start(self) -> None:
        self._held = _Columns()
        self._packer = Packer()
        self._tokens: list[Tokens] = []
        self._count = 0
        self._waiting = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held.keys)

    def __contains__(self, key: str) -> bool:
        return key in self._held.keys

    @property
    def memory(self) -> int:
        return self._bytes + _TOKEN_BYTES * self._count + self._tokeniser.memory

    def add(self, key: str, record: bytes, document: Document) -> None:
        """Add a document under the id of its trial, which must be new to the run; `record` is its study as
        stored (`storage.pack`).

        Raises ValueError, and adds nothing, where the id or the size of the record is none that a segment
        takes.
        """
        held = self._held
        check_key(key.encode())
        self._keep(self._packer.add(record))
        doc = len(held.keys)
        held.keys[key] = doc
        held.digests.append(digest(record))
        for field_number, values, exact in document.placed():
            held.call_docs.append(doc)
            held.call_fields.append(field_number)
            (self._tokeniser.add_terms if exact else self._tokeniser.add)(values)
        for name, number in document.numbers.items():
            held.numbers[name].extend((doc, number))
        for name, pairs in document.ranges.items():
            for pair in pairs:
                held.ranges[name].extend((doc, *pair))
            self._bytes += 120 * len(pairs)
        for name, codes in document.codes.items():
            held.codes[name].add(doc, codes)
        for name, named in document.names.items():
            held.names[name].add(doc, named)
            self._bytes += sum(map(len, named)) + 100 * len(named)
        held.sites.append(document.sites)
        self._bytes += _SITE_BYTES * len(document.sites)
        for name in document.held:
            held.structures[name].append(doc)
        # The columns of a document, as Python objects.
        self._bytes += 100 * (len(document.numbers) + len(document.codes)) + 10 * len(document.held) + 500
        self._waiting += 1
        if self._waiting >= _DRAIN:
            self._drain()

    def _keep(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._held.blocks.append(block)
            self._bytes += len(block.frame)

    def _drain(self) -> None:
        found = self._tokeniser.drain()
        self._tokens.append(found)
        self._count += len(found.terms)
        self._bytes += 4 * len(found.starts) + 8 * len(found.counts)
        self._waiting = 0

    def write(self, path: Path) -> None:
        """Write what the run holds as one segment file, and start over."""
        self._keep(self._packer.finish())
        self._drain()
        held = self._held
        size = len(held.keys)
        tokens = [np.concatenate(parts) for parts in zip(*self._tokens, strict=True)]
        terms, positions, counts, starts, start_counts = tokens
        call_docs = np.array(held.call_docs, np.uint32)
        call_fields = np.array(held.call_fields, np.uint8)
        # As one, which frees the parts; kept, so that a write that fails can be tried again.
        self._tokens = [Tokens(*tokens)]
        contents = Contents(
            keys=list(held.keys),
            digests=np.array(held.digests, np.uint32),
            lengths=_lengths(call_docs, call_fields, counts, start_counts),
            numbers=(_numbers(held, name, size) for name in NUMERIC),
            codes=(held.codes[name].column(size) for name in CODED),
            structures=(np.array(held.structures.get(name, []), np.uint32) for name in STRUCTURES),
            values=[Values.of(size, call_docs, call_fields, starts, start_counts)],
            sites=[Sites.of(held.sites)],
        )
        calls = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
        chunks = _inverted(terms, call_docs[calls], call_fields[calls], positions, self._tokeniser.vocabulary)
        with ArrayWriter(path) as writer:
            write_segment(writer, contents, held.blocks, chunks)
            for name, names in held.names.items():
                names.write(writer, name, size)
        if self._tokeniser.memory > _CACHE:
            self._tokeniser.forget()
        self._start()


def _lengths(
    docs: npt.NDArray[np.uint32],
    fields: npt.NDArray[np.uint8],
    counts: npt.NDArray[np.uint32],
    start_counts: npt.NDArray[np.uint32],
) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]]:
    """Yield of each field whose words have a place the documents that have a value in it, and the number of
    their words.
    """
    # Besides its values, a call has where one more would start.
    calls = np.flatnonzero(start_counts > 1)
    calls = calls[np.argsort(fields[calls], kind="stable")]
    ends = np.searchsorted(fields[calls], np.arange(len(PLACED)), side="right").tolist()
    for low, high in zip([0, *ends], ends, strict=False):
        yield docs[calls[low:high]], counts[calls[low:high]]


def _numbers(held: _Columns, name: str, size: int) -> NumberLists:
    if FIELDS[name].several:
        triples = np.array(held.ranges[name]).reshape(-1, 3)
        return NumberLists.sparse(triples[:, 0].astype(np.int64), triples[:, 1], triples[:, 2], size)
    pairs = np.array(held.numbers[name]).reshape(-1, 2)
    docs, low = pairs[:, 0].astype(np.int64), pairs[:, 1]
    if FIELDS[name].kind == "number":
        return NumberLists.sparse(docs, low, low, size)
    return NumberLists.sparse(docs, low, np.array(held.numbers[f"{name}Last"]).reshape(-1, 2)[:, 1], size)


def _inverted(
    terms: npt.NDArray[np.uint32],
    docs: npt.NDArray[np.uint32],
    fields: npt.NDArray[np.uint8],
    positions: npt.NDArray[np.uint32],
    vocabulary: list[str],
) -> Iterator[Chunk]:
    """Yield the dictionary in chunks; all arrays [m], one entry a token, by document, field, position."""
    counts = np.bincount(terms, minlength=len(vocabulary))
    # Python orders text by code points, as UTF-8 orders bytes.
    order = sorted(np.flatnonzero(counts).tolist(), key=vocabulary.__getitem__)
    counts = counts[order]
    ends = np.cumsum(counts)
    begins = np.zeros(len(vocabulary), np.int64)
    begins[order] = ends - counts
    places = _ordered(terms, begins)
    low = 0
    while low < len(order):
        start = int(ends[low - 1]) if low else 0
        high = max(low + 1, int(np.searchsorted(ends, start + _CHUNK, side="right")))
        end = int(ends[high - 1])
        chosen = places[start:end]
        own = np.repeat(np.arange(high - low, dtype=np.uint32), counts[low:high])
        of_docs = docs[chosen]
        new = np.ones(end - start, np.bool_)
        new[1:] = (own[1:] != own[:-1]) | (of_docs[1:] != of_docs[:-1])
        first = np.flatnonzero(new)
        yield Chunk(
            [vocabulary[number].encode("utf-8", "replace") for number in order[low:high]],
            np.bincount(own[first], minlength=high - low),
            of_docs[first],
            np.diff(first, append=end - start).astype(np.uint32),
            fields[chosen],
            positions[chosen],
        )
        low = high


def _ordered(terms: npt.NDArray[np.uint32], begins: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Return uint32[m], the numbers of all tokens, those of each term one after another, ascending.

    `terms`: of each token; `begins`: by the number of a term, where its tokens begin, which is not kept.
    """
    if (compiled := cutting()) is not None:
        return compiled.ordered(terms, begins)
    keys = begins[terms].astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(terms), dtype=np.uint64)
    keys.sort()
    return keys.astype(np.uint32)  # the lower half
