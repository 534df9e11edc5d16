"""How is each node of a widened query answered, whole and at documents given?

Whole (`FULL`): its documents and their scores. At documents given (`AT`): which of them it has, and their
scores; so that an intersection begins at its rarest part and asks the others at what is left. What has a list
of its own (`trialsearch.leaves`) needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trialindex.errors import QueryError
from trialsearch.lists import Bools, Docs, Held, Leaf, Norms, Places, Scores, best_first, merged
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
    Tiers,
    Tilted,
    Unless,
    Verified,
    Within,
)
from trialsearch.selecting import SELECTING

if TYPE_CHECKING:
    from trialsearch.evaluate import Evaluator

__all__ = ["AT", "FULL", "Found", "Run", "Top", "operation"]

# The lowest score of a tier is more than any below it by this factor.
_BELOW = 0.99


class Found(NamedTuple):
    """Documents uint32[n] and their scores float64[n], shared: do not change them."""

    docs: Docs
    scores: Scores


class Top(NamedTuple):
    """The best documents of a query, the best first, with their scores; `total`: how many it finds."""

    docs: Docs
    scores: Scores
    total: int


_Part = tuple[int, Query, Leaf | None]


class Run:
    """One evaluation of one query: remembers what its nodes found.

    `area`: an area, a field, or the headline of an area. Documents are ascending. `fewest`: where fewer
    documents are left, names are asked whole: whoever wants as many asks for their lists next.
    """

    __slots__ = ("_evaluator", "_fewest", "_known", "_leaves", "_norms", "_size")

    def __init__(self, evaluator: Evaluator, fewest: int = 0) -> None:
        self._evaluator = evaluator
        self._fewest = fewest
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
        return self._evaluator.name(query, area) if type(query) is Best or type(query) is Tiers else None

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
            found = self._known[key] = operation(FULL, query)(self, query, area)
        return found

    def at(self, query: Query, area: str, docs: Docs) -> tuple[Bools, Scores]:
        """Return which of some documents (ascending) a node has, and their scores, 0 for the others."""
        leaf = self.ready(query, area)
        if leaf is None:
            found: tuple[Bools, Scores] = operation(AT, query)(self, query, area, docs)
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
            case Tilted(_, part) | Verified(_, _, part):
                return self.estimate(part, area)
            case Tiers(_, parts):
                return sum(self.estimate(part, area) for part in parts)
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
            if np.count_nonzero(met) < len(met):
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
            return [(self.as_leaf(part, area), 1.0) for part in query.parts]
        lists = self._evaluator.lists(query, area)
        if lists is None:
            leaves = [self.as_leaf(way.part, area) for way in query.ways]
            # What finds nothing needs no weight.
            lists = [
                (leaf, self._evaluator.worth(way, area) if len(leaf.docs) else way.weight)
                for leaf, way in zip(leaves, query.ways, strict=True)
            ]
            self._evaluator.keep_lists(query, area, lists)
        return lists

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
            return met, _weighted(scores, self._evaluator.worth(query.ways[0], area))
        if len(docs) < self._fewest:
            return self.as_leaf(query, area).at(docs, self._size, self._norms_of(docs))
        kept = self._evaluator.name_at(query, area, docs)
        if kept is not None:
            return kept
        met, scores = np.zeros(len(docs), np.bool_), np.zeros(len(docs))
        for way in query.ways:
            found, more = self.at(way.part, area, docs)
            if np.count_nonzero(found):
                met |= found
                np.maximum(scores, _weighted(more, self._evaluator.worth(way, area)), out=scores)
        self._evaluator.keep_name_at(query, area, docs, met, scores)
        return met, scores

    # The others

    def standing_at(self, query: Near | Within, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return self._evaluator.leaf_of(query, area, docs).at(docs, self._size, self._norms_of(docs))

    def mask_full(self, query: Query, area: str) -> Found:
        docs = np.flatnonzero(self._evaluator.mask(query, area)).astype(np.uint32)
        return Found(docs, np.zeros(len(docs)))

    def mask_at(self, query: Query, area: str, docs: Docs) -> tuple[Bools, Scores]:
        return self._evaluator.mask(query, area)[docs], np.zeros(len(docs))

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
        kept = ~self._evaluator.mask(query.wrong, area)[docs]
        return Found(docs[kept], scores[kept])

    def unless_at(self, query: Unless, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        met = met & ~self._evaluator.mask(query.wrong, area)[docs]
        return met, np.where(met, scores, 0.0)

    def tilted_full(self, query: Tilted, area: str) -> Found:
        docs, scores = self.full(query.part, area)
        return Found(docs, scores * self._evaluator.tilt(query.field).factors(docs))

    def tilted_at(self, query: Tilted, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        return met, scores * self._evaluator.tilt(query.field).factors(docs)

    def verified_full(self, query: Verified, area: str) -> Found:
        docs, scores = self.full(query.part, area)
        kept = self._evaluator.exact.holds(query.text, query.how, area, docs)
        return Found(docs[kept], scores[kept])

    def verified_at(self, query: Verified, area: str, docs: Docs) -> tuple[Bools, Scores]:
        met, scores = self.at(query.part, area, docs)
        met = met.copy()
        met[met] = self._evaluator.exact.holds(query.text, query.how, area, docs[met])
        return met, np.where(met, scores, 0.0)

    def tiers_full(self, query: Tiers, area: str) -> Found:
        kept, worth = np.empty(0, np.uint32), np.empty(0)
        least: float | None = None
        for part in query.parts:
            docs, scores = self.full(part, area)
            new = np.isin(docs, kept, assume_unique=True, invert=True)
            docs, scores = docs[new], scores[new]
            if least is not None and len(docs) and (highest := float(scores.max())) > least * _BELOW:
                scores = scores * (least * _BELOW / highest)
            if len(docs):
                least = float(scores.min())
            kept, worth = np.concatenate((kept, docs)), np.concatenate((worth, scores))
        order = kept.argsort()
        found = Found(kept[order], worth[order])
        self._evaluator.keep_name(query, area, Leaf(found.docs, scores=found.scores))
        return found

    def tiers_at(self, query: Tiers, area: str, docs: Docs) -> tuple[Bools, Scores]:
        # What a tier is worth depends on the whole of those before it.
        return self.as_leaf(query, area).at(docs, self._size, self._norms_of(docs))

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


def operation(table: Mapping[type, Callable[..., Any]], query: Query) -> Callable[..., Any]:
    """Return what a table has for a node; raises QueryError where it has nothing."""
    found = table.get(type(query))
    if found is None:
        raise QueryError(f"{type(query).__name__} has to be expanded before it is evaluated: {query}")
    return found


def _weighted(scores: Scores, weight: float) -> Scores:
    return scores if weight == 1.0 else scores * weight


# What adds nothing to the score.
_SELECTING = frozenset({*SELECTING, Not})
FULL: dict[type, Callable[..., Found]] = {
    **dict.fromkeys(SELECTING, Run.mask_full),
    And: Run.and_full,
    Or: Run.union_full,
    Best: Run.union_full,
    Not: Run.not_full,
    In: Run.in_full,
    Boost: Run.boost_full,
    Optional: Run.optional_full,
    Unless: Run.unless_full,
    Tilted: Run.tilted_full,
    Verified: Run.verified_full,
    Tiers: Run.tiers_full,
}
AT: dict[type, Callable[..., tuple[Bools, Scores]]] = {
    **dict.fromkeys(SELECTING, Run.mask_at),
    And: Run.and_at,
    **dict.fromkeys((Near, Within), Run.standing_at),
    Or: Run.or_at,
    Best: Run.best_at,
    Not: Run.not_at,
    In: Run.in_at,
    Boost: Run.boost_at,
    Optional: Run.optional_at,
    Unless: Run.unless_at,
    Tilted: Run.tilted_at,
    Verified: Run.verified_at,
    Tiers: Run.tiers_at,
}
