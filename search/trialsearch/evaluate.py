"""A widened query over a snapshot: which documents, with what score.

A term, a phrase and a window score BM25F in the area that they are asked in (`trialsearch.ranking`); what
only selects (codes, ranges, names, `Not`) scores 0. `And` and `Or` add, `Best` takes the best of its ways,
each at its weight.

Every node is answered in two ways, whole (`_FULL`: its documents and their scores) and at documents given
(`_AT`: which of them it has, and their scores), so that an intersection begins at its rarest part and asks
the others at what is left. What has a list of its own (`trialsearch.leaves`) is kept between queries.
Deleted documents are dropped last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trialindex.errors import QueryError
from trialsearch.leaves import Leaves
from trialsearch.lists import (
    Bools,
    Docs,
    Held,
    Leaf,
    Norms,
    Places,
    Recent,
    Scores,
    best_first,
    merged,
)
from trialsearch.pruning import best_of_any
from trialsearch.query import (
    And,
    Best,
    Boost,
    In,
    Near,
    Not,
    Optional,
    Or,
    Query,
    Unless,
    Within,
)
from trialsearch.selecting import SELECTED

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["Evaluator", "Found", "Top"]

# Masks of what only selects that are kept.
_KEPT_MASKS = 48
# Postings of names with all their ways that are kept as one list, and of what few documents have of names.
_KEPT_NAMES = 1_000_000
_KEPT_NAMES_AT = 1_000_000
# More ids than this are compared by their ranks, which are worked out once.
_FEW_KEYS = 500


class Found(NamedTuple):
    """Documents uint32[n] and their scores float64[n], shared: do not change them."""

    docs: Docs
    scores: Scores


class Top(NamedTuple):
    """The best documents of a query, the best first, with their scores; `total`: how many it finds."""

    docs: Docs
    scores: Scores
    total: int


class Evaluator(Leaves):
    """Evaluates queries over one snapshot; keeps the lists that it worked out. Safe to share between threads.

    `query` is widened (`trialsearch.expand`), `area` an area, a field, or the headline of an area.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._masks: Recent[Bools] = Recent(_KEPT_MASKS)
        # By identity, as plans are kept: each with its node, so that no other one takes its place.
        self._names: Recent[tuple[Best, Leaf]] = Recent(_KEPT_NAMES)
        self._names_at: Recent[tuple[Best, Docs, Bools, Scores]] = Recent(_KEPT_NAMES_AT)
        self._key_ranks: np.ndarray[Any, np.dtype[np.uint32]] | None = None

    def match(self, query: Query, area: str = "BasicSearch") -> Docs:
        """Return the live documents that a query finds, ascending."""
        return self.found(query, area).docs

    def found(self, query: Query, area: str = "BasicSearch") -> Found:
        """Return the live documents that a query finds, ascending, and their scores."""
        with self.snapshot.reading():
            return self._living(_Run(self).full(query, area))

    def listed(self, queries: Iterable[Query], area: str) -> list[Leaf]:
        """Return the list of all that each query finds, deleted documents included."""
        with self.snapshot.reading():
            run = _Run(self)
            return [run.as_leaf(query, area) for query in queries]

    def met(self, query: Query, area: str, docs: Docs) -> Bools:
        """Return which of some documents (ascending) a query finds."""
        with self.snapshot.reading():
            return _Run(self).at(query, area, docs)[0]

    def count(self, query: Query, area: str = "BasicSearch") -> int:
        """Return how many live documents a query finds."""
        return len(self.match(query, area))

    def score(self, query: Query, area: str, docs: Docs) -> Scores:
        """Return the scores of documents (ascending), float64[len(docs)]; 0 where the query does not find
        one.
        """
        with self.snapshot.reading():
            return _Run(self).at(query, area, docs)[1]

    def finds(self, query: Query, doc: int, area: str = "BasicSearch") -> bool:
        """Whether a query finds a document."""
        return bool(self.met(query, area, np.array([doc], np.uint32))[0])

    def score_of(self, query: Query, doc: int, area: str = "BasicSearch") -> float:
        """Return the score of a document; 0 where the query does not find it."""
        return float(self.score(query, area, np.array([doc], np.uint32))[0])

    def top(
        self, query: Query, area: str = "BasicSearch", k: int | None = None, allowed: Bools | None = None
    ) -> Top:
        """Return the `k` best documents (None: all), the highest score first, of equal ones the least trial
        id; and how many there are.

        `allowed`: bool[corpus], the documents that may be found; None are all. Deleted ones never are.
        """
        with self.snapshot.reading():
            return _Run(self).top(query, area, k, self._allowed(allowed))

    def _allowed(self, allowed: Bools | None) -> Bools | None:
        live = self.snapshot.live
        if allowed is None or allowed is live:
            return live
        return allowed if live is None else allowed & live

    def _living(self, found: Found) -> Found:
        live = self.snapshot.live
        if live is None:
            return found
        kept = live[found.docs]
        return found if kept.all() else Found(found.docs[kept], found.scores[kept])

    def mask(self, query: Query) -> Bools:
        """Return which documents a node that only selects holds, bool[corpus], shared: do not change it."""
        found = self._masks.get(query)
        if found is None:
            with self.snapshot.reading():
                found = self._mask(query)
            self._masks.put(query, found)
        return found

    def _mask(self, query: Query) -> Bools:
        match query:
            case And(parts):
                return reduce(np.logical_and, map(self.mask, parts))
            case Or(parts):
                return reduce(np.logical_or, map(self.mask, parts))
            case Not(part):
                return ~self.mask(part)
        found: Bools = _operation(SELECTED, query)(self.snapshot, query)
        return found

    def name(self, query: Best, area: str) -> Leaf | None:
        """Return the list of a name with all its ways, if it is kept."""
        found = self._names.get((id(query), area))
        return found[1] if found is not None and found[0] is query else None

    def keep_name(self, query: Best, area: str, leaf: Leaf) -> None:
        """Keep the list of a name with all its ways."""
        self._names.put((id(query), area), (query, leaf), leaf.weight(self.size))

    def name_at(self, query: Best, area: str, docs: Docs) -> tuple[Bools, Scores] | None:
        """Return what is kept of a name at these documents: which it has, and their scores."""
        found = self._names_at.get((id(query), area))
        if found is None or found[0] is not query or not np.array_equal(found[1], docs):
            return None
        return found[2], found[3]

    def keep_name_at(self, query: Best, area: str, docs: Docs, met: Bools, scores: Scores) -> None:
        """Keep what a name has of some documents: the same question comes to the same ones again."""
        for held in (met, scores):
            held.setflags(write=False)  # others get them too
        self._names_at.put((id(query), area), (query, docs, met, scores), 2 * len(docs) + 64)

    def keys(self, docs: Docs) -> np.ndarray[Any, Any]:
        """Return what sorts documents as their trial ids do."""
        if len(docs) < _FEW_KEYS:
            return self.snapshot.keys(docs)
        return self.ranks()[docs]

    def ranks(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """Return the place of each document in the order of trial ids, uint32[corpus]."""
        if self._key_ranks is None:
            every = np.arange(self.size, dtype=np.uint32)
            ranks = np.empty(self.size, np.uint32)
            ranks[np.argsort(self.snapshot.keys(every), kind="stable")] = every
            self._key_ranks = ranks
        return self._key_ranks


_Part = tuple[int, Query, Leaf | None]


class _Run:
    """One evaluation of one query: remembers what its nodes found."""

    __slots__ = ("_evaluator", "_known", "_leaves", "_norms", "_size")

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._size = evaluator.size
        # By identity: hashing a tree costs more than most of its nodes do. The tree outlives the run.
        self._known: dict[tuple[int, str], Found] = {}
        self._leaves: dict[tuple[int, str], Leaf | None] = {}
        self._norms: Norms | None = None

    def leaf(self, query: Query, area: str) -> Leaf | None:
        """Return the list of a node that has one; None of one that has not."""
        key = (id(query), area)
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = self._evaluator.leaf(query, area) or self._named(query, area)
        return found

    def _named(self, query: Query, area: str) -> Leaf | None:
        return self._evaluator.name(query, area) if type(query) is Best else None

    def ready(self, query: Query, area: str) -> Leaf | None:
        """Return the list of a node that has one, but none of a phrase or window that is not made yet."""
        key = (id(query), area)
        if key not in self._leaves:
            found = self._evaluator.leaf(query, area, ready=True)
            self._leaves[key] = found or self._named(query, area)
        return self._leaves[key]

    def full(self, query: Query, area: str) -> Found:
        """Return all documents of a node, deleted ones too, with their scores."""
        leaf = self.leaf(query, area)
        if leaf is not None:
            return Found(leaf.docs, leaf.scores())
        key = (id(query), area)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _operation(_FULL, query)(self, query, area)
        return found

    def at(self, query: Query, area: str, docs: Docs) -> tuple[Bools, Scores]:
        """Return which of some documents (ascending) a node has, and their scores, 0 for the others."""
        leaf = self.ready(query, area)
        if leaf is None:
            found: tuple[Bools, Scores] = _operation(_AT, query)(self, query, area, docs)
            return found
        return leaf.at(docs, self._size, self._norms_of(docs))

    def _norms_of(self, docs: Docs) -> Norms:
        if self._norms is None or self._norms.docs is not docs:
            self._norms = Norms(docs)
        return self._norms

    def estimate(self, query: Query, area: str) -> int:
        """Return no less than the number of documents that a node finds, without evaluating it."""
        match query:
            case In(inner, part):
                return self.estimate(part, inner)
            case And(parts):
                return min(self.estimate(part, area) for part in parts)
            case Or(parts):
                return sum(self.estimate(part, area) for part in parts)
            case Best(_, ways):
                return sum(self.estimate(way.part, area) for way in ways)
            case Optional(part, _) | Boost(part, _) | Unless(part, _):
                return self.estimate(part, area)
            case Near() | Within() if self.ready(query, area) is None:
                return self._evaluator.most(query)
        leaf = self.leaf(query, area)
        return self._size if leaf is None else len(leaf.docs)

    # And

    def and_full(self, query: And, area: str) -> Found:
        parts = self._rarest_first(query, area)
        number, first, leaf = parts[0]
        if leaf is not None:
            docs = leaf.docs
        elif isinstance(first, Not):
            docs = np.arange(self._size, dtype=np.uint32)
        else:
            found = self.full(first, area)
            docs = found.docs
            parts[0] = number, first, Leaf(docs, scores=found.scores)
        docs, scores, _ = self._narrowed(parts, area, docs)
        return Found(docs, scores)

    def and_at(self, query: And, area: str, docs: Docs) -> tuple[Bools, Scores]:
        _, scores, kept = self._narrowed(self._rarest_first(query, area), area, docs)
        if kept is None:
            return np.ones(len(docs), np.bool_), scores
        met = np.zeros(len(docs), np.bool_)
        met[kept] = True
        spread = np.zeros(len(docs))
        spread[kept] = scores
        return met, spread

    def _rarest_first(self, query: And, area: str) -> list[_Part]:
        """Return (number in the query, part, its list), the parts that leave the least first."""
        parts = [(number, part, self.ready(part, area)) for number, part in enumerate(query.parts)]

        def size(entry: _Part) -> int:
            _, part, leaf = entry
            if leaf is not None:
                return len(leaf.docs)
            return self._size + 1 if isinstance(part, Not) else self.estimate(part, area)

        parts.sort(key=size)
        return parts

    def _narrowed(self, parts: list[_Part], area: str, docs: Docs) -> tuple[Docs, Scores, Places | None]:
        """Return, of some documents, those that all parts have, their scores, and their places among the
        documents given; None where all are left.
        """
        kept: Places | None = None
        held: dict[int, Held] = {}  # number of a part -> what its list holds of what is left, or its scores
        for number, part, leaf in parts:
            if leaf is None:
                met, held[number] = self.at(part, area, docs)
            elif leaf.docs is docs:
                held[number] = leaf.held()
                continue
            else:
                met, held[number] = leaf.look(docs, self._size)
            if not met.all():
                at = met.nonzero()[0]
                docs = docs[at]
                kept = at if kept is None else kept[at]
                held = {one: some[at] for one, some in held.items()}
        scores = np.zeros(len(docs))
        norms = self._norms_of(docs)
        # In the order of the query: sums of floats depend on it.
        for number, part, leaf in sorted(parts, key=itemgetter(0)):
            some = held[number]
            if leaf is not None:
                scores += leaf.scores() if some is leaf.held() else leaf.worth(some, docs, norms)
            elif type(part) not in _SELECTING:
                scores += some
        return docs, scores, kept

    # Or, Best

    def _lists(self, query: Or | Best, area: str) -> list[tuple[Leaf, float]]:
        """Return the lists of the parts of a union, each with its weight."""
        if isinstance(query, Or):
            weighted = [(part, 1.0) for part in query.parts]
        else:
            weighted = [(way.part, way.weight) for way in query.ways]
        return [(self.as_leaf(part, area), weight) for part, weight in weighted]

    def as_leaf(self, query: Query, area: str) -> Leaf:
        """Return the list of a node; of one that has none, a list of all that it finds."""
        leaf = self.leaf(query, area)
        if leaf is None:
            found = self.full(query, area)
            leaf = Leaf(found.docs, scores=found.scores)
        return leaf

    def union_full(self, query: Or | Best, area: str) -> Found:
        lists = self._lists(query, area)
        parts = [(leaf.docs, _weighted(leaf.scores(), weight)) for leaf, weight in lists]
        found = Found(*merged(parts, self._size, add=isinstance(query, Or)))
        if isinstance(query, Best):
            self._evaluator.keep_name(query, area, Leaf(found.docs, scores=found.scores))
        return found

    def or_at(self, query: Or, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = np.zeros(len(docs), np.bool_), np.zeros(len(docs))
        for part in query.parts:
            found, more = self.at(part, area, docs)
            met |= found
            scores += more
        return met, scores

    def best_at(self, query: Best, area: str, docs: Docs) -> tuple[Bools, Scores]:
        if len(query.ways) == 1:
            met, scores = self.at(query.ways[0].part, area, docs)
            return met, _weighted(scores, query.ways[0].weight)
        kept = self._evaluator.name_at(query, area, docs)
        if kept is not None:
            return kept
        met, scores = np.zeros(len(docs), np.bool_), np.zeros(len(docs))
        for way in query.ways:
            found, more = self.at(way.part, area, docs)
            met |= found
            np.maximum(scores, _weighted(more, way.weight), out=scores)
        self._evaluator.keep_name_at(query, area, docs, met, scores)
        return met, scores

    # The others

    def standing_at(self, query: Near | Within, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return self._evaluator.leaf_of(query, area, docs).at(docs, self._size, self._norms_of(docs))

    def mask_full(self, query: Query, area: str) -> Found:
        docs = np.flatnonzero(self._evaluator.mask(query)).astype(np.uint32)
        return Found(docs, np.zeros(len(docs)))

    def mask_at(self, query: Query, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return self._evaluator.mask(query)[docs], np.zeros(len(docs))

    def not_full(self, query: Not, area: str) -> Found:
        left = np.ones(self._size, np.bool_)
        left[self.full(query.part, area).docs] = False
        docs = np.flatnonzero(left).astype(np.uint32)
        return Found(docs, np.zeros(len(docs)))

    def not_at(self, query: Not, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return ~self.at(query.part, area, docs)[0], np.zeros(len(docs))

    def in_full(self, query: In, area: str) -> Found:
        return self.full(query.part, query.area)

    def in_at(self, query: In, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return self.at(query.part, query.area, docs)

    def boost_full(self, query: Boost, area: str) -> Found:
        docs, scores = self.full(query.part, area)
        return Found(docs, scores * query.weight)

    def boost_at(self, query: Boost, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        return met, scores * query.weight

    def optional_full(self, query: Optional, area: str) -> Found:
        docs, scores = self.full(query.part, area)
        return Found(docs, scores + self.at(query.wish, area, docs)[1])

    def optional_at(self, query: Optional, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        return met, np.where(met, scores + self.at(query.wish, area, docs)[1], 0.0)

    def unless_full(self, query: Unless, area: str) -> Found:
        docs, scores = self.full(query.part, area)
        kept = ~self._evaluator.mask(query.wrong)[docs]
        return Found(docs[kept], scores[kept])

    def unless_at(self, query: Unless, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        met = met & ~self._evaluator.mask(query.wrong)[docs]
        return met, np.where(met, scores, 0.0)

    # The best

    def top(self, query: Query, area: str, k: int | None, allowed: Bools | None) -> Top:
        """See `Evaluator.top`; `allowed` leaves deleted documents out."""
        if type(query) is In:
            return self.top(query.part, query.area, k, allowed)
        keys = self._evaluator.keys
        if k is not None:
            lists = self._as_union(query, area)
            if lists is not None:
                add = isinstance(query, Or)
                return Top(*best_of_any(lists, k, self._size, keys, allowed=allowed, add=add))
        docs, scores = self.full(query, area)
        if allowed is not None:
            kept = allowed[docs]
            docs, scores = docs[kept], scores[kept]
        return Top(*best_first(docs, scores, k, keys), len(docs))

    def _as_union(self, query: Query, area: str) -> list[tuple[Leaf, float]] | None:
        leaf = self.leaf(query, area)
        if leaf is not None:
            return [(leaf, 1.0)]
        return self._lists(query, area) if isinstance(query, Or | Best) else None


def _operation(table: Mapping[type, Callable[..., Any]], query: Query) -> Callable[..., Any]:
    found = table.get(type(query))
    if found is None:
        raise QueryError(f"{type(query).__name__} has to be expanded before it is evaluated: {query}")
    return found


def _weighted(scores: Scores, weight: float) -> Scores:
    return scores if weight == 1.0 else scores * weight


# What adds nothing to the score.
_SELECTING = frozenset({*SELECTED, Not})
_FULL: dict[type, Callable[..., Found]] = {
    **dict.fromkeys(SELECTED, _Run.mask_full),
    And: _Run.and_full,
    Or: _Run.union_full,
    Best: _Run.union_full,
    Not: _Run.not_full,
    In: _Run.in_full,
    Boost: _Run.boost_full,
    Optional: _Run.optional_full,
    Unless: _Run.unless_full,
}
_AT: dict[type, Callable[..., tuple[Bools, Scores]]] = {
    **dict.fromkeys(SELECTED, _Run.mask_at),
    And: _Run.and_at,
    **dict.fromkeys((Near, Within), _Run.standing_at),
    Or: _Run.or_at,
    Best: _Run.best_at,
    Not: _Run.not_at,
    In: _Run.in_at,
    Boost: _Run.boost_at,
    Optional: _Run.optional_at,
    Unless: _Run.unless_at,
}
