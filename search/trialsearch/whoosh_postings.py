"""Postings as Whoosh reads them: the terms of each kind of field, and the matcher that walks one's documents.

`TERMS` says by the kind of a field (`whoosh_schema.kind_of`) what its terms are made from. Each gives

- `lexicon(prefix)`: the terms that begin with a prefix, as bytes, in order;
- `find(term)`: the postings of a term as a `TermList`, empty where there are none;
- `lengths()`, only where words are counted (text and codes): float64[size].

A number or a day is packed as Whoosh packs it. Deleted documents are in a `TermList`, and
`PostingsMatcher` leaves them out.

>>> held = TermList.once(np.array([0, 2, 5], np.uint32))
>>> live = np.array([True, True, True, True, True, False])
>>> walk = PostingsMatcher(("Country", b"peru"), held, None, live, None, None)
>>> list(walk.all_ids()), walk.weight()
([0, 2], 1.0)
>>> walk.positions()
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: Country has no positions
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh import matching
from whoosh.util.numeric import from_sortable, to_sortable

from trialindex.countries import same_country
from trialindex.errors import QueryError
from trialindex.fields import FIELD_NUMBERS, FIELDS, area_weights
from trialindex.snapshot import Snapshot
from trialsearch.lists import Docs, ranges
from trialsearch.query import Prefix
from trialsearch.whoosh_schema import DAY, is_code, schema
from trialsearch.widening import MEANT

__all__ = [
    "TERMS", "CodeTerms", "Floats", "KeyTerms", "NameTerms", "NumberTerms", "PostingsMatcher", "TermList",
    "WordTerms",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

# Postings of a block, of which the matcher knows the best.
_BLOCK = 128
# A date without month and day may mean any day of a year.
_LONGEST_SPAN = 366


@dataclass(frozen=True, slots=True)
class TermList:
    """The postings of a term in a field, deleted documents included.

    `docs`: uint32[n], ascending. `weights`: float64[n], occurrences (in an area: weighted). `places`: returns
    the documents and positions of all occurrences, uint32[m] and int64[m], by document and position; None
    where the field has no positions.
    """

    docs: Docs
    weights: Floats
    places: Callable[[], tuple[Docs, npt.NDArray[np.int64]]] | None = None

    @classmethod
    def once(cls, docs: Docs, *, placed: bool = False) -> TermList:
        """Return the list of a term that each document has once."""
        zeros = np.zeros(len(docs), np.int64)
        return cls(docs, np.ones(len(docs)), (lambda: (docs, zeros)) if placed else None)


class WordTerms:
    """The terms of a text field or an area."""

    def __init__(self, snapshot: Snapshot, area: str) -> None:
        self._snapshot = snapshot
        self._area = area
        numbers = [FIELD_NUMBERS[field] for field in area_weights(area)]
        self._held = np.zeros(256, np.bool_)
        self._held[numbers] = True
        # In an area the fields stand one after the other, so far apart that nothing spans two.
        self._shift = 32 if len(numbers) > 1 else 64

    def lexicon(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the terms that begin with a prefix, in order."""
        for term, _ in self._snapshot.terms(prefix.decode("utf-8", "replace")):
            if self._snapshot.frequency(term, self._area):
                yield term.encode()

    def find(self, term: bytes) -> TermList:
        """Return the postings of a term, empty where there are none."""
        text = term.decode("utf-8", "replace")
        held = self._snapshot.postings(text, self._area)
        return TermList(held.docs, held.sums / 100, lambda: self._places(text))

    def _places(self, term: str) -> tuple[Docs, npt.NDArray[np.int64]]:
        held = self._snapshot.occurrences(term)
        kept = self._held[held.fields]
        places = held.positions[kept].astype(np.int64)
        if self._shift < 64:
            places |= held.fields[kept].astype(np.int64) << self._shift
        return held.docs[kept], places

    def lengths(self) -> Floats:
        """Return the lengths of all documents in the field, float64[size]."""
        return self._snapshot.lengths(self._area) / 100

    def meant(self, prefix: str) -> Iterable[bytes]:
        """Return the terms that a prefix means, in order: terms are stems (see `trialsearch.widening`)."""
        found = MEANT[Prefix](self._snapshot, Prefix(prefix))
        held = {term.encode() for term in found if self._snapshot.frequency(term, self._area)}
        return sorted(held.union(self.lexicon(prefix.encode("utf-8", "replace"))))


class CodeTerms(WordTerms):
    """The terms of a code field: words, and the codes themselves."""

    def __init__(self, snapshot: Snapshot, field: str) -> None:
        super().__init__(snapshot, field)
        self._column = snapshot.codes(field)

    def lexicon(self, prefix: bytes = b"") -> Iterator[bytes]:
        codes = {code for held in self._column.sets for code in held if is_code(code)}
        encoded = {code.encode("utf-8", "replace") for code in codes}
        yield from sorted({*super().lexicon(prefix), *(code for code in encoded if code.startswith(prefix))})

    def find(self, term: bytes) -> TermList:
        text = term.decode("utf-8", "replace")
        if not is_code(text):
            return super().find(term)
        wanted = np.array([text in codes for codes in self._column.sets], np.bool_)
        docs = np.flatnonzero(wanted[self._column.ordinals]).astype(np.uint32)
        return TermList.once(docs, placed=True)


class NameTerms:
    """The terms of a name field: folded names. A country is found by its other names too."""

    def __init__(self, snapshot: Snapshot, field: str) -> None:
        self._snapshot = snapshot
        self._field = field

    def lexicon(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the folded names that begin with a prefix, in order."""
        last = ""
        for name, _ in self._snapshot.names(self._field, prefix.decode("utf-8", "replace")):
            # How it is written stands behind a tab.
            folded = name.partition("\t")[0]
            if folded != last:
                yield folded.encode("utf-8", "replace")
            last = folded

    def find(self, term: bytes) -> TermList:
        """Return the documents of a folded name."""
        text = term.decode("utf-8", "replace")
        names = list(same_country(text)) if self._field == "Country" else [text]
        names += [name for name, _ in self._snapshot.names(self._field, f"{text}\t")]
        lists = [self._snapshot.named(self._field, name) for name in names]
        return TermList.once(np.unique(np.concatenate(lists)))


class KeyTerms:
    """The trial ids."""

    def __init__(self, snapshot: Snapshot, _field: str) -> None:
        self._snapshot = snapshot

    def lexicon(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the ids of live trials that begin with a prefix, in order."""
        keys = self._snapshot.keys(self._snapshot.docs()).tolist()
        yield from sorted(key for key in keys if key.startswith(prefix))

    def find(self, term: bytes) -> TermList:
        """Return the document of an id."""
        doc = self._snapshot.find_key(term.decode("utf-8", "replace"))
        return TermList.once(np.array([] if doc is None else [doc], np.uint32))


class NumberTerms:
    """The terms of a day or number field: its values, as Whoosh sorts and packs them."""

    def __init__(self, snapshot: Snapshot, field: str) -> None:
        self._type = schema()[field]
        values, docs = self._pairs(snapshot, field)
        order = np.argsort(values, kind="stable")
        self._docs = docs[order]
        self._values, starts = np.unique(values[order], return_index=True)
        self._starts = np.append(starts, len(values))

    @staticmethod
    def _pairs(snapshot: Snapshot, field: str) -> tuple[npt.NDArray[Any], Docs]:
        """Return values and documents, the documents ascending; a date has every day that it may mean."""
        column = snapshot.column(field)
        docs = np.flatnonzero(~np.isnan(column)).astype(np.uint32)
        if FIELDS[field].kind == "number":
            return column[docs], docs
        first = column[docs].astype(np.int64)
        spans = snapshot.column(f"{field}Last")[docs].astype(np.int64) - first + 1
        spans = np.clip(spans, 1, _LONGEST_SPAN)
        return (ranges(first, first + spans) - 1) * DAY, np.repeat(docs, spans)

    def _packed(self, value: float) -> bytes:
        number = to_sortable(self._type.numtype, self._type.bits, self._type.signed, value)
        packed: bytes = self._type.sortable_to_bytes(number)
        return packed

    def lexicon(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the values, packed, in order."""
        packed = map(self._packed, self._values.tolist())
        return (value for value in packed if value.startswith(prefix))

    def find(self, term: bytes) -> TermList:
        """Return the documents of a packed value."""
        try:
            (number,) = self._type._struct.unpack(term[1:])
        except Exception as error:
            raise QueryError(f"{term!r} is no packed number") from error
        value = from_sortable(self._type.numtype, self._type.bits, self._type.signed, number)
        place = int(np.searchsorted(self._values, value))
        if place == len(self._values) or self._values[place] != value:
            return TermList.once(self._docs[:0])
        return TermList.once(self._docs[self._starts[place] : self._starts[place + 1]])


TERMS: dict[str, Callable[[Snapshot, str], Any]] = {
    "text": WordTerms,
    "code": CodeTerms,
    "name": NameTerms,
    "day": NumberTerms,
    "number": NumberTerms,
    "Key": KeyTerms,
}


class PostingsMatcher(matching.mcore.LeafMatcher):  # type: ignore[misc]
    """Walks the live postings of a term. `lengths`: float64[corpus], of the field; None where it has none."""

    def __init__(
        self,
        term: tuple[str, bytes],
        held: TermList,
        lengths: Floats | None,
        live: npt.NDArray[np.bool_] | None,
        format_: Any,
        scorer: Any,
    ) -> None:
        kept = slice(None) if live is None else live[held.docs]
        self._docs = held.docs[kept]
        self._weights = held.weights[kept]
        self._ids: list[int] = self._docs.tolist()
        self._held = held
        self._lengths = lengths
        self._term = term
        self._i = 0
        self.format = format_
        self.scorer = scorer

    def is_active(self) -> bool:
        return self._i < len(self._ids)

    def reset(self) -> None:
        self._i = 0

    def copy(self) -> PostingsMatcher:
        made = PostingsMatcher.__new__(PostingsMatcher)
        made.__dict__.update(self.__dict__)
        return made

    def id(self) -> int:
        return self._ids[self._i]

    def all_ids(self) -> Iterator[int]:
        return iter(self._ids[self._i :])

    def next(self) -> bool:
        """Move on; whether a new block begins."""
        if not self.is_active():
            raise matching.ReadTooFar
        self._i += 1
        return self._i % _BLOCK == 0

    def skip_to(self, id: int) -> bool:
        if not self.is_active():
            raise matching.ReadTooFar
        before = self._i
        self._i = bisect_left(self._ids, id, before)
        return self._i // _BLOCK > before // _BLOCK

    def weight(self) -> float:
        return float(self._weights[self._i])

    def score(self) -> float:
        return self.weight() if self.scorer is None else float(self.scorer.score(self))

    # Quality

    @cached_property
    def _blocks(self) -> tuple[list[float], list[float]]:
        """The greatest weight and the least length of each block."""
        starts = np.arange(0, len(self._ids), _BLOCK)
        lengths = np.ones(len(self._ids)) if self._lengths is None else self._lengths[self._docs]
        return (
            np.maximum.reduceat(self._weights, starts).tolist(),
            np.minimum.reduceat(lengths, starts).tolist(),
        )

    def block_max_weight(self) -> float:
        return self._blocks[0][self._i // _BLOCK]

    def block_min_length(self) -> float:
        return self._blocks[1][self._i // _BLOCK]

    def block_quality(self) -> float:
        # Whoosh asks that of a list that it has just skipped to the end.
        return float(self.scorer.block_quality(self)) if self.is_active() else 0.0

    def skip_to_quality(self, minquality: float) -> int:
        skipped = 0
        while self.is_active() and self.block_quality() <= minquality:
            self._i = (self._i // _BLOCK + 1) * _BLOCK
            skipped += 1
        return skipped

    # Positions

    @cached_property
    def _places(self) -> tuple[Docs, npt.NDArray[np.int64]]:
        if self._held.places is None:
            raise QueryError(f"{self._term[0]} has no positions")
        return self._held.places()

    def positions(self) -> list[int]:
        """Return where the term stands in the current document, ascending."""
        docs, places = self._places
        low, high = np.searchsorted(docs, np.array([self.id(), self.id() + 1], docs.dtype))
        found: list[int] = places[low:high].tolist()
        return found

    def value_as(self, astype: str) -> Any:
        if astype == "positions":
            return self.positions()
        if astype in {"weight", "frequency"}:
            return self.weight() if astype == "weight" else round(self.weight())
        raise QueryError(f"postings of {self._term[0]} have no {astype}")

    def items_as(self, astype: str) -> Iterator[tuple[int, Any]]:
        while self.is_active():
            yield self.id(), self.value_as(astype)
            self.next()

    def value(self) -> bytes:
        packed: bytes = b"" if self._held.places is None else self.format.encode(self.positions())
        return packed
