"""A snapshot in memory, by plain dictionaries: what evaluation may rely on, and the oracle of the real one.

It shares analysis and the document of a study with the index, and nothing with its segments but the shape of
some answers. With `block` it fills in what pruning uses (bounds of blocks of so many postings, the best of
each list); without, it leaves them out, as the contract allows.
"""

from __future__ import annotations

import bisect
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.analysis import VALUE_GAP, tokens, value_tokens
from trialindex.document import Document, code_text
from trialindex.fields import FIELD_NUMBERS, FIELDS, UNMEASURED, area_weights
from trialindex.segments.numbers import NumberLists
from trialindex.segments.sites import Sites
from trialindex.storage import pack

__all__ = ["CodeColumn", "Occurrences", "PlainSnapshot", "Postings", "Values"]

Docs = npt.NDArray[np.uint32]
_K1, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class Postings:
    """See the contract of `trialindex.storage.Postings`."""

    docs: Docs
    sums: Docs
    highest: float
    block_starts: npt.NDArray[np.int64] | None
    block_highest: npt.NDArray[np.float32] | None
    best: npt.NDArray[np.int64] | None
    rest: float


@dataclass(frozen=True, slots=True)
class Occurrences:
    """See the contract of `trialindex.storage.Occurrences`."""

    docs: Docs
    fields: npt.NDArray[np.uint8]
    positions: Docs


@dataclass(frozen=True, slots=True)
class Values:
    """See the contract of `trialindex.segments.segment.Values`."""

    offsets: npt.NDArray[np.int64]
    fields: npt.NDArray[np.uint8]
    starts: Docs


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """`ordinals`: uint8[size]; `sets`: the codes of the documents of an ordinal, `sets[0]` none."""

    ordinals: npt.NDArray[np.uint8]
    sets: list[tuple[str, ...]]


class PlainSnapshot:
    """Studies, numbered in the order given; `deleted` are the numbers of those that no longer live.

    `block`: postings a block; None leaves blocks and best postings out. `best`: how many of the best
    postings are stated, of lists longer than that.
    """

    generation = 1
    # It is linked with nothing, and teaches nothing.
    vocabulary = learned = None

    def __init__(
        self,
        studies: Iterable[dict[str, Any]],
        *,
        deleted: Iterable[int] = (),
        block: int | None = None,
        best: int = 3,
    ) -> None:
        self.folder = Path("in-memory")
        self._studies = list(studies)
        self.size = len(self._studies)
        self._documents = [Document.of(study) for study in self._studies]
        self._deleted = set(deleted)
        self.live: npt.NDArray[np.bool_] | None = None
        if self._deleted:
            self.live = np.array([doc not in self._deleted for doc in range(self.size)])
        self._block, self._best = block, best
        # term -> [(document, field number, position)]
        self._places: dict[str, list[tuple[int, int, int]]] = {}
        self._lengths: list[Counter[str]] = []  # tokens by field
        for doc, document in enumerate(self._documents):
            lengths: Counter[str] = Counter()
            for name, number in FIELD_NUMBERS.items():
                for position, term in _tokens(document, name, FIELDS[name].kind):
                    lengths[name] += 1
                    self._places.setdefault(term, []).append((doc, number, position))
            self._lengths.append(lengths)
        for places in self._places.values():
            places.sort()
        self._terms = sorted(self._places, key=str.encode)
        self._norms: dict[str, npt.NDArray[np.float32]] = {}
        self._postings: dict[tuple[str, str], Postings] = {}

    def __len__(self) -> int:
        return self.size - len(self._deleted)

    def docs(self) -> Docs:
        return np.array([doc for doc in range(self.size) if doc not in self._deleted], np.uint32)

    def lengths(self, area: str) -> Docs:
        weights = area_weights(area)
        # An area of nothing but lists has their length.
        if weights.keys() - UNMEASURED:
            weights = {field: weight for field, weight in weights.items() if field not in UNMEASURED}
        found = [sum(weights.get(f, 0) * n for f, n in lengths.items()) for lengths in self._lengths]
        return np.array(found, np.uint32)

    def norms(self, area: str) -> npt.NDArray[np.float32]:
        if area not in self._norms:
            self._norms[area] = self._make_norms(area)
        return self._norms[area]

    def _make_norms(self, area: str) -> npt.NDArray[np.float32]:
        lengths = [float(length) for length in self.lengths(area)]
        mean = sum(lengths) / len(lengths) if lengths else 0.0
        if mean == 0:
            return np.full(self.size, _K1, np.float32)
        return np.array([_K1 * (1 - _B + _B * length / mean) for length in lengths], np.float32)

    def postings(self, term: str, area: str) -> Postings:
        key = term, area
        if key not in self._postings:
            self._postings[key] = self._make_postings(term, area)
        return self._postings[key]

    def _make_postings(self, term: str, area: str) -> Postings:
        weights = {FIELD_NUMBERS[field]: weight for field, weight in area_weights(area).items()}
        sums: Counter[int] = Counter()
        for doc, field, _ in self._places.get(term, ()):
            if field in weights:
                sums[doc] += weights[field]
        docs = sorted(sums)
        lists = np.array(docs, np.uint32), np.array([sums[doc] for doc in docs], np.uint32)
        if self._block is None or not docs:
            return Postings(*lists, 1.0, None, None, None, 0.0)
        norms = self.norms(area)
        worth = [sums[doc] / 100 / (sums[doc] / 100 + float(norms[doc])) for doc in docs]
        starts = list(range(0, len(docs), self._block))
        highest = [
            np.nextafter(np.float32(max(worth[at : at + self._block])), np.float32(2)) for at in starts
        ]
        ranked = sorted(range(len(docs)), key=lambda place: -worth[place])
        best = ranked[: self._best] if len(docs) > self._best else None
        return Postings(
            *lists,
            max(worth),
            np.array(starts, np.int64),
            np.array(highest, np.float32),
            None if best is None else np.array(best, np.int64),
            0.0 if best is None else worth[ranked[self._best]],
        )

    def frequency(self, term: str, area: str) -> int:
        return len(self.postings(term, area).docs)

    def anywhere(self, term: str) -> int:
        return len({doc for doc, _, _ in self._places.get(term, ())})

    def begins(self, prefix: str) -> bool:
        return any(term.startswith(prefix) for term in self._terms)

    def phrase(self, *asked: object) -> None:
        """Nothing is compiled here: who asks matches arrays."""

    def occurrences(self, term: str, docs: Docs | None = None) -> Occurrences:
        asked = None if docs is None else set(docs.tolist())
        found = [place for place in self._places.get(term, ()) if asked is None or place[0] in asked]
        table = np.array(found, np.int64).reshape(-1, 3)
        return Occurrences(
            table[:, 0].astype(np.uint32), table[:, 1].astype(np.uint8), table[:, 2].astype(np.uint32)
        )

    def values_of(self, docs: Docs, wanted: npt.NDArray[np.bool_] | None = None) -> Values:
        offsets, fields, starts = [0], [], []
        for doc in docs.tolist():
            for name, number in FIELD_NUMBERS.items():
                if wanted is not None and not wanted[number]:
                    continue
                ends = _ends(_values(self._documents[doc], name, FIELDS[name].kind))
                fields += [number] * len(ends)
                starts += ends
            offsets.append(len(starts))
        return Values(np.array(offsets), np.array(fields, np.uint8), np.array(starts, np.uint32))

    def terms(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        start = bisect.bisect_left(self._terms, prefix.encode(), key=str.encode)
        for term in self._terms[start:]:
            if not term.startswith(prefix):
                break
            yield term, self.anywhere(term)

    def column(self, field: str) -> npt.NDArray[np.float64]:
        if field == "RecordDigest":
            stated = [{key: one[key] for key in one if key != "sourceSection"} for one in self._studies]
            return np.array([zlib.crc32(pack(one)) % (1 << 31) for one in stated], np.float64)
        return np.array([document.numbers.get(field, np.nan) for document in self._documents], np.float64)

    def codes(self, field: str) -> CodeColumn:
        sets: list[tuple[str, ...]] = [()]
        ordinals = []
        for document in self._documents:
            held = tuple(document.codes.get(field, ()))
            if held not in sets:
                sets.append(held)
            ordinals.append(sets.index(held))
        return CodeColumn(np.array(ordinals, np.uint8), sets)

    def number_lists(self, field: str) -> NumberLists:
        held = [_pairs(document, field) for document in self._documents]
        low, high = ([pair[end] for pairs in held for pair in pairs] for end in (0, 1))
        return NumberLists(_offsets(held), np.array(low, np.float64), np.array(high, np.float64))

    def having(self, field: str) -> npt.NDArray[np.bool_]:
        return np.array([_has(document, field) for document in self._documents], np.bool_)

    def sites(self) -> Sites:
        sites = [site for document in self._documents for site in document.sites]
        codes = ["", *sorted({site.status for site in sites} - {""})]
        return Sites(
            _offsets([document.sites for document in self._documents]),
            np.array([math.nan if site.latitude is None else site.latitude for site in sites], np.float64),
            np.array([math.nan if site.longitude is None else site.longitude for site in sites], np.float64),
            np.array([site.looked_up for site in sites], np.bool_),
            np.array([codes.index(site.status) for site in sites], np.uint8),
            tuple(codes),
        )

    def names(self, field: str, prefix: str = "") -> Iterator[tuple[str, int]]:
        held = Counter(name for document in self._documents for name in set(document.names.get(field, ())))
        for name in sorted(held, key=str.encode):
            if name.startswith(prefix):
                yield name, held[name]

    def named(self, field: str, name: str) -> Docs:
        held = enumerate(self._documents)
        return np.array([doc for doc, one in held if name in one.names.get(field, ())], np.uint32)

    def key(self, doc: int) -> str:
        return str(self._studies[doc]["protocolSection"]["identificationModule"]["nctId"])

    def keys(self, docs: npt.NDArray[Any]) -> npt.NDArray[np.bytes_]:
        return np.array([self.key(doc).encode() for doc in docs.tolist()], np.bytes_)

    def find_key(self, key: str) -> int | None:
        return next((int(doc) for doc in self.docs() if self.key(int(doc)) == key), None)

    def find(self, identifier: str) -> int | None:
        found = self.find_key(identifier)
        if found is not None:
            return found
        held = (int(doc) for doc in self.named("AnyId", identifier) if doc not in self._deleted)
        return next(held, None)

    def record(self, doc: int) -> bytes:
        return pack(self._studies[doc])

    def study(self, doc: int) -> dict[str, Any]:
        return self._studies[doc]

    def is_current(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()


def _offsets(held: Sequence[Sequence[Any]]) -> npt.NDArray[np.int64]:
    return np.array([sum(map(len, held[:place])) for place in range(len(held) + 1)], np.int64)


def _pairs(document: Document, field: str) -> list[tuple[float, float]]:
    if field in document.numbers:
        return [(document.numbers[field], document.numbers.get(f"{field}Last", document.numbers[field]))]
    return document.ranges.get(field, [])


def _has(document: Document, field: str) -> bool:
    parts = ("InclusionCriteria", "ExclusionCriteria", "OtherCriteria")
    if field == "EligibilityCriteria":
        return any(part in document.text for part in parts)
    held = (document.text, document.codes, document.names, document.numbers, document.ranges, document.held)
    return any(field in one for one in held) or field in document.concepts


def _tokens(document: Document, field: str, kind: str) -> Iterator[tuple[int, str]]:
    """Yield (position, term) of what a text or code field holds."""
    for _, token in value_tokens(_values(document, field, kind)):
        yield token.position, token.term


def _values(document: Document, field: str, kind: str) -> list[str]:
    """Return the values of a text or code field whose words can be searched."""
    if kind == "text":
        return document.text.get(field, [])
    if kind == "code":
        # What a code says can be searched as words.
        return [words for code in document.codes.get(field, []) if (words := code_text(code))]
    return []


def _ends(values: list[str]) -> list[int]:
    """Return where the second and later values of a field start, and where one more would."""
    found: list[int] = []
    for value in values:
        held = tokens(value)
        words = held[-1].position + 1 if held else 0
        found.append((found[-1] if found else 0) + words + VALUE_GAP)
    return found
