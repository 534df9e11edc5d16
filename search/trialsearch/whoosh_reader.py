"""A snapshot as a Whoosh reader: its terms, lengths, stored fields and columns.

    reader = TrialReader(snapshot)
    reader.doc_frequency("BriefTitle", "lupus")
    reader.stored_fields(0)["BriefTitle"]

Documents have the numbers of the snapshot, deleted ones included, and all of it is one segment to Whoosh.
Which terms a field has is in the manual of `whoosh_schema`; `whoosh_postings` finds them. Nothing is written,
and there are no term vectors and no word graphs. What reads the snapshot after `close` raises Whoosh's
ReaderClosed; a field that is not indexed raises its TermNotFound, and one without a column QueryError.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import dropwhile
from typing import Any, NoReturn

import numpy as np
from whoosh import columns, reading
from whoosh.support.levenshtein import distance

from trialindex.analysis import prepare
from trialindex.document import Document
from trialindex.errors import QueryError
from trialindex.fields import FIELDS
from trialindex.snapshot import Snapshot
from trialsearch.evaluate import Evaluator
from trialsearch.lists import Recent
from trialsearch.whoosh_postings import TERMS, Floats, PostingsMatcher, TermList, WordTerms
from trialsearch.whoosh_schema import DAY, kind_of, schema

__all__ = ["StoredFields", "TrialReader"]

# Lists that a reader keeps ready, by postings.
_KEPT = 1_000_000


class _Column(columns.ColumnReader):  # type: ignore[misc]
    """A column of values, one a document; `missing` sorts last either way."""

    def __init__(self, values: list[Any], missing: Any) -> None:
        self._values = values
        self._missing = missing
        self._reverse = False

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, docnum: int) -> Any:
        return self._values[docnum]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def sort_key(self, docnum: int) -> Any:
        value = self._values[docnum]
        if isinstance(value, tuple):
            return ", ".join(value)
        return -value if self._reverse and value != self._missing else value

    def set_reverse(self) -> None:
        self._reverse = True


class StoredFields(Mapping[str, Any]):
    """The stored fields of a document, read from its record when first asked: `Key`, `Record` (the study),
    and the text fields that have a value, the values of one field on lines of their own.
    """

    def __init__(self, snapshot: Snapshot, doc: int) -> None:
        self._snapshot = snapshot
        self._doc = doc

    @cached_property
    def _fields(self) -> dict[str, Any]:
        study = self._snapshot.study(self._doc)
        # Offsets of tokens refer to the prepared text.
        text = {name: "\n".join(map(prepare, held)) for name, held in Document.of(study).text.items()}
        return {"Key": self._snapshot.key(self._doc), "Record": study} | text

    def __getitem__(self, name: str) -> Any:
        return self._snapshot.key(self._doc) if name == "Key" else self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class TrialReader(reading.IndexReader):  # type: ignore[misc]
    """A Whoosh reader over a snapshot, one segment to Whoosh. Closing it closes the snapshot if it `owns` it.

    Terms are read from the postings of all fields: `lexicon` of a text field looks at every term of the
    index, and `all_terms` does so for each field; postings are as fast as ever.
    """

    def __init__(self, snapshot: Snapshot, *, owns: bool = False) -> None:
        self.schema = schema()
        self.is_closed = False
        self._held = snapshot
        self._owns = owns
        self._terms: dict[str, Any] = {}
        self._lengths: dict[str, Floats] = {}
        self._lists: Recent[TermList] = Recent(_KEPT)

    @property
    def snapshot(self) -> Snapshot:
        """The state that is read. Raises Whoosh's ReaderClosed after closing."""
        if self.is_closed:
            raise reading.ReaderClosed
        return self._held

    @cached_property
    def evaluator(self) -> Evaluator:
        """Our evaluator over the same state."""
        return Evaluator(self.snapshot)

    def close(self) -> None:
        if self._owns and not self.is_closed:
            self._held.close()
        self.is_closed = True

    def generation(self) -> int:
        return self.snapshot.generation

    # Terms

    def _of(self, fieldname: str) -> Any:
        """Return the terms of a field."""
        snapshot = self.snapshot
        if fieldname not in self._terms:
            make = TERMS.get(kind_of(fieldname)) if fieldname in self.schema else None
            if make is None:
                raise reading.TermNotFound(f"no indexed field {fieldname!r}")
            with snapshot.reading():
                self._terms[fieldname] = make(snapshot, fieldname)
        return self._terms[fieldname]

    def _list(self, fieldname: str, text: str | bytes) -> TermList:
        snapshot = self.snapshot
        term = (fieldname, self._text_to_bytes(fieldname, text))
        found = self._lists.get(term)
        if found is None:
            with snapshot.reading():
                found = self._of(fieldname).find(term[1])
            self._lists.put(term, found, len(found.docs) + 64)
        return found

    def __contains__(self, term: tuple[str, str | bytes]) -> bool:
        return term[0] in self.schema and kind_of(term[0]) in TERMS and len(self._list(*term).docs) > 0

    def indexed_field_names(self) -> list[str]:
        """Return the names of the fields, areas left out: they hold the terms of the fields again."""
        return sorted(name for name in (*FIELDS, "Key") if name in self.schema)

    def all_terms(self) -> Iterator[tuple[str, bytes]]:
        for name in self.indexed_field_names():
            yield from ((name, term) for term in self.lexicon(name))

    def terms_from(self, fieldname: str, prefix: str | bytes) -> Iterator[tuple[str, bytes]]:
        """Yield the terms of this field, no other, from a text on."""
        start = self._text_to_bytes(fieldname, prefix)
        return ((fieldname, term) for term in dropwhile(lambda term: term < start, self.lexicon(fieldname)))

    def lexicon(self, fieldname: str) -> Iterator[bytes]:
        found: Iterator[bytes] = self._of(fieldname).lexicon()
        return found

    def expand_prefix(self, fieldname: str, prefix: str | bytes) -> Iterable[bytes]:
        """Return the terms that a prefix means, in order; in text, whose terms are stems, those of the words
        that it begins.
        """
        held = self._of(fieldname)
        start = prefix if isinstance(prefix, bytes) else prefix.encode("utf-8", "replace")
        found: Iterable[bytes] = held.lexicon(start)
        if start and isinstance(held, WordTerms):
            found = sorted({*found, *held.meant(start.decode("utf-8", "replace"))})
        return found

    def iter_prefix(self, fieldname: str, prefix: str | bytes) -> Iterator[tuple[bytes, Any]]:
        start = prefix if isinstance(prefix, bytes) else prefix.encode("utf-8", "replace")
        for term in self._of(fieldname).lexicon(start):
            yield term, self.term_info(fieldname, term)

    def terms_within(self, fieldname: str, text: str, maxdist: int, prefix: int = 0) -> Iterator[str]:
        start = text[:prefix].encode("utf-8", "replace")
        for term in self._of(fieldname).lexicon(start):
            word = term.decode("utf-8", "replace")
            near = abs(len(word) - len(text)) <= maxdist
            if near and distance(word, text, limit=maxdist) <= maxdist:
                yield word

    def term_info(self, fieldname: str, text: str | bytes) -> Any:
        held = self._list(fieldname, text)
        if not len(held.docs):
            raise reading.TermNotFound(f"{fieldname}:{text!r}")
        lengths = self._field_lengths(fieldname)
        found = np.ones(1) if lengths is None else lengths[held.docs]
        return reading.TermInfo(
            float(held.weights.sum()), len(held.docs), float(found.min()), float(found.max()),
            float(held.weights.max()), int(held.docs[0]), int(held.docs[-1]),
        )  # fmt: skip

    def frequency(self, fieldname: str, text: str | bytes) -> float:
        return float(self._list(fieldname, text).weights.sum())

    def doc_frequency(self, fieldname: str, text: str | bytes) -> int:
        return len(self._list(fieldname, text).docs)

    def postings(self, fieldname: str, text: str | bytes, scorer: Any = None) -> PostingsMatcher:
        held = self._list(fieldname, text)
        if not len(held.docs):
            raise reading.TermNotFound(f"{fieldname}:{text!r}")
        term = (fieldname, self._text_to_bytes(fieldname, text))
        lengths = self._field_lengths(fieldname)
        format_ = self.schema[fieldname].format
        return PostingsMatcher(term, held, lengths, self.snapshot.live, format_, scorer)

    # Lengths

    def _field_lengths(self, fieldname: str) -> Floats | None:
        if not self.schema[fieldname].scorable:
            return None
        if fieldname not in self._lengths:
            self._lengths[fieldname] = self._of(fieldname).lengths()
        return self._lengths[fieldname]

    def _held_lengths(self, fieldname: str) -> Floats:
        lengths = self._field_lengths(fieldname)
        return np.zeros(0) if lengths is None else lengths[lengths > 0]

    def field_length(self, fieldname: str) -> float:
        return float(self._held_lengths(fieldname).sum())

    def min_field_length(self, fieldname: str) -> float:
        return (
            float(self._held_lengths(fieldname).min(initial=np.inf)) if self.field_length(fieldname) else 0.0
        )

    def max_field_length(self, fieldname: str) -> float:
        return float(self._held_lengths(fieldname).max(initial=0.0))

    def doc_field_length(self, docnum: int, fieldname: str, default: float = 0) -> float:
        lengths = self._field_lengths(fieldname)
        return default if lengths is None else float(lengths[docnum])

    # Documents

    def has_deletions(self) -> bool:
        return self.snapshot.live is not None

    def is_deleted(self, docnum: int) -> bool:
        live = self.snapshot.live
        # Whoosh asks one past the last.
        return live is not None and docnum < len(live) and not live[docnum]

    def all_doc_ids(self) -> Iterator[int]:
        return iter(self.snapshot.docs().tolist())

    def doc_count(self) -> int:
        return len(self.snapshot)

    def doc_count_all(self) -> int:
        return self.snapshot.size

    def stored_fields(self, docnum: int) -> StoredFields:
        return StoredFields(self.snapshot, docnum)

    def has_vector(self, docnum: int, fieldname: str) -> bool:
        return False

    def vector(self, docnum: int, fieldname: str, format_: Any = None) -> NoReturn:
        raise KeyError(f"no term vectors for {fieldname!r}: use the stored text")

    def has_word_graph(self, fieldname: str) -> bool:
        return False

    # Columns

    def has_column(self, fieldname: str) -> bool:
        return fieldname in self.schema and self.schema[fieldname].column_type is not None

    def column_reader(
        self, fieldname: str, column: Any = None, reverse: bool = False, translate: bool = True
    ) -> Any:
        if not self.has_column(fieldname):
            raise QueryError(f"{fieldname!r} has no column: sort and group by codes, days, numbers or Key")
        found = self._column(fieldname)
        if reverse:
            found.set_reverse()
        return (
            columns.TranslatingColumnReader(found, self.schema[fieldname].from_column_value)
            if translate
            else found
        )

    def _column(self, fieldname: str) -> _Column:
        snapshot, kind = self.snapshot, kind_of(fieldname)
        if kind == "Key":
            return _Column(snapshot.keys(np.arange(snapshot.size, dtype=np.uint32)).tolist(), b"")
        if kind == "code":
            held = snapshot.codes(fieldname)
            return _Column([held.sets[ordinal] for ordinal in held.ordinals.tolist()], ())
        values = snapshot.column(fieldname)
        if kind == "day":
            values = (values - 1) * DAY
        return _Column(np.where(np.isnan(values), np.inf, values).tolist(), math.inf)
