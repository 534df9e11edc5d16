"""The lists of a query's leaves: terms, phrases, windows, groups, and words that mean several terms.

Each has postings, a weighted frequency in every document, and so a score by BM25F (`trialsearch.ranking`).
Lists are kept between queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from trialindex.errors import QueryError
from trialindex.fields import FIELD_NUMBERS, PLACED, area_weights
from trialsearch import places as stand
from trialsearch.exact import asks_criteria, criteria_edges
from trialsearch.lists import Bools, Docs, Leaf, Recent, Scores, at_places, firsts, highest, merged, same
from trialsearch.query import (
    Best,
    Fuzzy,
    Group,
    In,
    Near,
    Or,
    Prefix,
    Query,
    Term,
    Unless,
    Way,
    Wildcard,
    Within,
)
from trialsearch.ranking import GAIN, idf
from trialsearch.widening import MEANT

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["LISTED", "MOST_TERMS", "Leaves"]

# A prefix, a wildcard and a misspelling are widened to the most frequent terms, no more; so many of all that
# fit are tried whether the area has them.
MOST_TERMS = 1_024
_MOST_TRIED = 5_000
# Postings of the lists that one snapshot keeps ready, each of 16 bytes or less: of terms, and of what takes
# longer to make (phrases, groups, prefixes).
_KEPT_TERMS = 4_000_000
_KEPT_MADE = 2_000_000
_KEPT_PARTLY = 500_000
# How telling terms are.
_KEPT_RARITIES = 20_000
# The letters of a word that its stem has in whatever compound.
_LETTERS = 3
# Documents are few against a list that is so many times as long.
_FEW_OF = 2

Weights = np.ndarray[Any, np.dtype[np.int64]]
# (term, what it is worth), the most frequent first.
_Meant = tuple[tuple[str, float], ...]

# The numbers of the fields that hold parts of the criteria.
_CRITERIA = [FIELD_NUMBERS[name] for name in ("InclusionCriteria", "ExclusionCriteria", "OtherCriteria")]

_NO_DOCS: Docs = np.empty(0, np.uint32)
_NO_PLACES = np.empty(0, np.int64)
_NO_SCORES: Scores = np.empty(0, np.float64)


class Leaves:
    """The lists of one snapshot, worked out when first asked. Safe to share between threads.

    `area`: an area, a field, or the headline of an area.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.size = snapshot.size
        self._terms: Recent[Leaf] = Recent(_KEPT_TERMS)
        self._made: Recent[Leaf] = Recent(_KEPT_MADE)
        # What few documents have of a phrase, with these documents.
        self._partly: Recent[tuple[Docs, Leaf]] = Recent(_KEPT_PARTLY)
        self._words: Recent[tuple[_Meant, bool]] = Recent(1000)
        self._rarities: Recent[float] = Recent(_KEPT_RARITIES)
        self._denied: Recent[bool] = Recent(1000)
        self._norms: Recent[Scores] = Recent(12)
        self._fields: Recent[Weights] = Recent(100)

    def leaf(self, query: Query, area: str, *, ready: bool = False) -> Leaf | None:
        """Return the list of a node that has one; None of one that has not, and, with `ready`, of a phrase or
        window whose list is not made yet.
        """
        if type(query) is In:
            return self.leaf(query.part, query.area, ready=ready)
        if type(query) is Best and len(query.ways) == 1 and query.ways[0].weight == 1.0:
            return self.leaf(query.ways[0].part, area, ready=ready)
        made = _MADE.get(type(query))
        if made is None:
            return None
        make, values = made
        # Not the node itself: its hash and its equality are Python's, and slow.
        key = (make, values(query), area)
        kept = self._terms if make is Leaves.term else self._made
        found = kept.get(key)
        if found is None and not (ready and type(query) in _STANDING):
            found = make(self, query, area)
            kept.put(key, found, found.weight(self.size))
        return found

    def leaf_of(self, query: Near | Within, area: str, docs: Docs) -> Leaf:
        """Return the list of a phrase or window; where it is not made yet and the documents are few, a list
        of what these have of it.

        Who asks once for a few documents does not pay for all; who asks for others does.
        """
        found = self.leaf(query, area, ready=True)
        if found is not None:
            return found
        key = (type(query), _MADE[type(query)][1](query), area)
        some = self._partly.get(key)
        if some is not None and same(some[0], docs):
            return some[1]
        if some is not None or _FEW_OF * len(docs) >= self.most(query):
            return cast("Leaf", self.leaf(query, area))
        leaf = self._standing(query, area, docs)
        self._partly.put(key, (docs, leaf), len(docs) + len(leaf.docs) + 64)
        return leaf

    def most(self, query: Near | Within) -> int:
        """Return no less than the number of documents that have a phrase or window."""
        return min([self.snapshot.anywhere(term) for term in query.terms if term], default=0)

    def norms(self, area: str) -> Scores:
        """Return the norms of an area in hundredths, float64[corpus]."""
        found = self._norms.get(area)
        if found is None:
            found = self.snapshot.norms(area).astype(np.float64) * 100
            self._norms.put(area, found)
        return found

    def idf(self, frequency: int) -> float:
        """Return how telling a term of so many documents is."""
        return idf(self.size, frequency)

    def worth(self, way: Way, area: str) -> float:
        """Return what the score of a way counts for: its weight, less where it tells more than it may."""
        if way.than is None:
            return way.weight
        own = self._telling(way.part, area)
        return way.weight * min(1.0, self._telling(way.than, area) / own) if own else way.weight

    def _telling(self, query: Query, area: str) -> float:
        """Return how telling words are: the idf of a term, of a phrase the sum, of several ways the most; 0
        for what is none of these.
        """
        if type(query) is Near:  # most are
            return sum([self._rarity(term, area) for term in query.terms if term])
        match query:
            case In(inner, part):
                return self._telling(part, inner)
            case Unless(part, _):
                return self._telling(part, area)
            case Or(parts):
                return max(self._telling(part, area) for part in parts)
            case Term(term):
                return self._rarity(term, area)
            case Within(terms, _):
                return sum([self._rarity(term, area) for term in terms if term])
        return 0.0

    def _rarity(self, term: str, area: str) -> float:
        """Return how telling a term is in an area."""
        found = self._rarities.get((term, area))
        if found is None:
            found = self.idf(self.snapshot.frequency(term, area))
            self._rarities.put((term, area), found)
        return found

    def _scored(self, docs: Docs, sums: np.ndarray[Any, Any], area: str, rarity: float) -> Leaf:
        return Leaf(docs, sums=sums, norms=self.norms(area), idf=rarity, factor=rarity * GAIN)

    def term(self, query: Term, area: str) -> Leaf:
        """Return the list of a term."""
        held = self.snapshot.postings(query.term, area)
        leaf = self._scored(held.docs, held.sums, area, self.idf(len(held.docs)))
        return leaf.bounded(held.highest, held.block_starts, held.block_highest, held.best, held.rest)

    def near(self, query: Near, area: str) -> Leaf:
        """Return the list of a phrase: as frequent as it stands in the fields, as telling as its terms."""
        return self._standing(query, area, None)

    def within(self, query: Within, area: str) -> Leaf:
        """Return the list of a window: as frequent as it begins in the fields, as telling as its terms."""
        return self._standing(query, area, None)

    def _standing(self, query: Near | Within, area: str, docs: Docs | None) -> Leaf:
        if isinstance(query, Near):
            starts = self.near_places(query, area, docs)
        else:
            starts = self.within_places(query, area, docs)
        docs, sums = _by_document(starts, self._weights(area))
        # What stands nowhere, as most names of a thing, tells nothing either.
        return _settled(self._scored(docs, sums, area, self._telling(query, area) if len(docs) else 0.0))

    def group(self, query: Group, area: str) -> Leaf:
        """Return the list of words that count as one."""
        held = [self.leaf(part, area) for part in query.parts]
        leaves = [leaf for leaf in held if leaf is not None and leaf.sums is not None]
        if len(leaves) < len(held):
            raise QueryError(f"a group is of terms, phrases and windows: {query}")
        parts = [(leaf.docs, leaf.sums.astype(np.float64)) for leaf in leaves if leaf.sums is not None]
        docs, sums = merged(parts, self.size, add=True) if parts else (_NO_DOCS, _NO_SCORES)
        return _settled(self._scored(docs, sums.astype(np.uint64), area, self.idf(len(docs))))

    def several(self, query: Prefix | Wildcard | Fuzzy, area: str) -> Leaf:
        """Return the list of any of several terms, the best of them giving the score."""
        parts = []
        for term, worth in self.terms_of(query, area):
            leaf = self._scored_term(term, area)
            parts.append((leaf.docs, leaf.scores() if worth == 1.0 else leaf.scores() * worth))
        docs, scores = merged(parts, self.size, add=False) if parts else (_NO_DOCS, _NO_SCORES)
        return Leaf(docs, scores=scores)

    def _scored_term(self, term: str, area: str) -> Leaf:
        # Not kept as a leaf: one prefix would push out what other queries ask.
        return self._terms.get((Leaves.term, term, area)) or self.term(Term(term), area)

    def terms_of(self, query: Prefix | Wildcard | Fuzzy, area: str) -> tuple[tuple[str, float], ...]:
        """Return the terms in an area that a node means, each with what it is worth, the most frequent
        first; at most 1,024 (see `cut_short`).
        """
        return self._terms_of(query, area)[0]

    def cut_short(self, query: Prefix | Wildcard | Fuzzy, area: str) -> bool:
        """Whether a node means more terms in an area than are asked."""
        return self._terms_of(query, area)[1]

    def _terms_of(self, query: Prefix | Wildcard | Fuzzy, area: str) -> tuple[_Meant, bool]:
        key = (query, area)
        found = self._words.get(key)
        if found is None:
            meant = MEANT[type(query)](self.snapshot, query)
            ranked = sorted(meant, key=lambda term: (-meant[term][0], term))
            held = (term for term in ranked[:_MOST_TRIED] if self.snapshot.frequency(term, area))
            terms = tuple((term, meant[term][1]) for term in islice(held, MOST_TERMS))
            more = next(held, None) is not None or len(ranked) > _MOST_TRIED
            found = terms, more
            self._words.put(key, found)
        return found

    # Places

    def _weights(self, area: str) -> Weights:
        """Return the weights of an area in hundredths by field number, int64[256]; 0 is not in the area."""
        found = self._fields.get(area)
        if found is None:
            found = np.zeros(256, np.int64)
            for field, weight in area_weights(area).items():
                found[FIELD_NUMBERS[field]] = weight
            self._fields.put(area, found)
        return found

    def term_places(self, term: str, docs: Docs | None, fields: Bools) -> stand.Places:
        """Return the places of a term in some documents (None: all); `fields`: bool[256] by field number."""
        held = self.snapshot.occurrences(term, docs)
        kept = fields[held.fields]
        if kept.all():
            return stand.encoded(held.docs, held.fields, held.positions)
        return stand.encoded(held.docs[kept], held.fields[kept], held.positions[kept])

    def _common(
        self, terms: Sequence[str], area: str, docs: Docs | None, fields: Bools
    ) -> list[stand.Places] | None:
        """Return the places of terms in fields of an area, of the documents that have all of them; None where
        none has.
        """
        frequencies = {term: self.snapshot.anywhere(term) for term in terms}
        if not all(frequencies.values()):
            return None
        # The rarest first; where they stand is read only of the documents that have them all.
        order = sorted(frequencies, key=lambda term: (frequencies[term], term))
        for term in order:
            held = self.snapshot.postings(term, area).docs
            docs = held if docs is None else docs[at_places(held, docs, self.size)[1]]
        if docs is None:
            return None
        places: dict[str, stand.Places] = {}
        for term in order:
            if not len(docs):
                return None
            places[term] = self.term_places(term, docs, fields)
            docs = stand.distinct_documents(places[term])
        return [places[term] for term in terms] if len(docs) else None

    def near_places(self, query: Near, area: str, docs: Docs | None = None) -> stand.Places:
        """Return the places at which a phrase begins in an area; of some documents only, if given."""
        held = [(offset, term) for offset, term in enumerate(query.terms) if term]
        if not held:
            return _NO_PLACES
        terms, offsets = [term for _, term in held], [offset - held[0][0] for offset, _ in held]
        denied = query.denied if self._is_denied(query.denied, terms[0]) else ""
        starts = self._begins(terms, offsets, query.slop, denied, area, docs)
        if len(starts) and (query.starts or query.ends):
            starts = self._anchored(query, starts, area)
        return starts

    def _begins(
        self, terms: list[str], offsets: list[int], slop: int, denied: str, area: str, docs: Docs | None
    ) -> stand.Places:
        """Return the places at which terms begin to stand at their offsets, or up to `slop` words further
        apart, and not right behind the denied one.
        """
        found = self.snapshot.phrase(terms, offsets, slop, area, docs, denied)
        if found is not None:
            return found
        fields = self._weights(area) > 0
        places = self._common(terms, area, docs, fields)
        if places is None:
            return _NO_PLACES
        starts = stand.phrase(places, offsets, slop)
        if denied and len(starts):
            before = self.term_places(denied, stand.distinct_documents(starts), fields)
            starts = starts[~np.isin(starts - 1, before)]
        return starts

    def _anchored(self, query: Near, places: stand.Places, area: str) -> stand.Places:
        """Return the places of a phrase at which it begins a value, or ends it, as the phrase says."""
        if query.ends and query.slop:
            raise QueryError(f"a phrase that ends a value has no room for other words: {query}")
        distinct = stand.distinct_documents(places)
        held = self.snapshot.values_of(distinct, self._weights(area) > 0)
        bounds = stand.encoded(np.repeat(distinct, np.diff(held.offsets)), held.fields, held.starts)
        offsets = [offset for offset, term in enumerate(query.terms) if term]
        if query.starts:
            places = places[stand.begin_values(places, offsets[0], bounds)]
        if query.ends:
            places = places[stand.end_values(places, offsets[-1] - offsets[0] + 1, bounds)]
        return self._at_edges(query, places) if asks_criteria(area) else places

    def _at_edges(self, query: Near, places: stand.Places) -> stand.Places:
        """Return the places but those in parts of the criteria that do not begin, or end, the whole text.

        The records of the trials with such places are read: the index has the parts alone.
        """
        kept = np.ones(len(places), np.bool_)
        fields, docs = stand.fields_of(places), stand.documents_of(places)
        edges: dict[int, dict[int, tuple[bool, bool]]] = {}
        for at in np.flatnonzero(np.isin(fields, _CRITERIA)).tolist():
            doc = int(docs[at])
            if doc not in edges:
                held = criteria_edges(self.snapshot.study(doc))
                edges[doc] = {FIELD_NUMBERS[name]: edge for name, edge in held.items()}
            begins, ends = edges[doc][int(fields[at])]
            kept[at] = (begins or not query.starts) and (ends or not query.ends)
        return places[kept]

    def _is_denied(self, denied: str, term: str) -> bool:
        """Whether any text may write the two with a hyphen, which makes one more term of both: no phrase
        whose first word never is denied has anything to look for.
        """
        if not denied:
            return False
        begin = denied + term[:_LETTERS]
        found = self._denied.get(begin)
        if found is None:
            found = self.snapshot.begins(begin)
            self._denied.put(begin, found)
        return found

    def within_places(self, query: Within, area: str, docs: Docs | None = None) -> stand.Places:
        """Return the places at which a window begins in an area; of some documents only, if given."""
        terms = [term for term in dict.fromkeys(query.terms) if term]
        places = self._common(terms, area, docs, self._weights(area) > 0) if terms else None
        return _NO_PLACES if places is None else stand.window(places, query.window)

    def frequencies(self, query: Query, doc: int, area: str) -> dict[str, int]:
        """Return how often a document has a node in each field of an area: a term, a phrase, a window or a
        group; {} where it has it not.
        """
        only = np.array([doc], np.uint32)
        match query:
            case In(inner, part):
                return self.frequencies(part, doc, inner)
            case Term(term):
                found = self.term_places(term, only, self._weights(area) > 0)
            case Near():
                found = self.near_places(query, area, only)
            case Within():
                found = self.within_places(query, area, only)
            case Group(parts):
                total: Counter[str] = Counter()
                for part in parts:
                    total.update(self.frequencies(part, doc, area))
                return dict(total)
            case _:
                return {}
        return dict(Counter(PLACED[number] for number in stand.fields_of(found).tolist()))


def _settled(leaf: Leaf) -> Leaf:
    """Return a list with its scores worked out, its bound the highest of them."""
    leaf.bound = highest(leaf.scores())
    leaf.rest_bound = leaf.bound
    return leaf


def _by_document(starts: stand.Places, weights: Any) -> tuple[Docs, Any]:
    """Return (documents, sums of the weights of the fields) of places."""
    if not len(starts):
        return _NO_DOCS, np.empty(0, np.uint32)
    docs = stand.documents_of(starts)
    first = firsts(docs).nonzero()[0]
    return docs[first], np.add.reduceat(weights[stand.fields_of(starts)], first).astype(np.uint32)


# What makes the list of a node, and what tells it from others of its type.
_MADE: dict[type, tuple[Callable[[Leaves, Any, str], Leaf], Callable[[Any], Hashable]]] = {
    Term: (Leaves.term, attrgetter("term")),
    Near: (Leaves.near, attrgetter("terms", "slop", "denied", "starts", "ends")),
    Within: (Leaves.within, attrgetter("terms", "window")),
    Group: (Leaves.group, attrgetter("parts")),
    **dict.fromkeys(MEANT, (Leaves.several, lambda query: query)),
}
LISTED = frozenset(_MADE)
_STANDING = frozenset({Near, Within})
