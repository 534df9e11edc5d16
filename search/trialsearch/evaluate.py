"""A widened query over a snapshot: which documents, with what score.

A term, a phrase and a window score BM25F in the area that they are asked in (`trialsearch.ranking`); what
only selects (codes, ranges, names, `Not`) scores 0. `And` and `Or` add, `Best` takes the best of its ways,
each at its weight, `Tiers` the first of its parts that has the document. How each node is answered says
`trialsearch.nodes`; what has a list of its own (`trialsearch.leaves`) is kept between queries. Deleted
documents are dropped last.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from trialsearch.exact import Exact
from trialsearch.leaves import Leaves
from trialsearch.lists import Bools, Docs, Leaf, Recent, Scores, same
from trialsearch.nodes import Found, Run, Top
from trialsearch.query import And, AtSite, Best, In, Not, Or, Query, Tiers
from trialsearch.selecting import SELECTED, SELECTING

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot
    from trialsearch.tilting import Tilt

__all__ = ["Evaluator", "Found", "Top"]

# Masks of what only selects that are kept.
_KEPT_MASKS = 48
# Fields by which scores are tilted that are kept ready.
_KEPT_TILTS = 6
# Postings of names with all their ways that are kept as one list, and of what few documents have of names.
_KEPT_NAMES = 1_000_000
_KEPT_NAMES_AT = 1_000_000
# Postings of the lists of the ways of names.
_KEPT_LISTS = 1_000_000
# More ids than this are compared by their ranks, which are worked out once.
_FEW_KEYS = 500


class Evaluator(Leaves):
    """Evaluates queries over one snapshot; keeps the lists that it worked out. Safe to share between threads.

    `query` is widened (`trialsearch.expand`), `area` an area, a field, or the headline of an area.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._masks: Recent[Bools] = Recent(_KEPT_MASKS)
        # By identity, as plans are kept: each with its node, so that no other one takes its place.
        self._names: Recent[tuple[Best | Tiers, Leaf]] = Recent(_KEPT_NAMES)
        self._names_at: Recent[tuple[Best, Docs, Bools, Scores]] = Recent(_KEPT_NAMES_AT)
        self._lists: Recent[tuple[Best, list[tuple[Leaf, float]]]] = Recent(_KEPT_LISTS)
        self._tilts: Recent[Tilt] = Recent(_KEPT_TILTS)
        # What the texts of records were seen to hold.
        self.exact = Exact(snapshot)
        self._key_ranks: np.ndarray[Any, np.dtype[np.uint32]] | None = None

    def match(self, query: Query, area: str = "BasicSearch") -> Docs:
        """Return the live documents that a query finds, ascending."""
        return self.found(query, area).docs

    def found(self, query: Query, area: str = "BasicSearch") -> Found:
        """Return the live documents that a query finds, ascending, and their scores."""
        with self.snapshot.reading():
            return self._living(Run(self).full(query, area))

    def listed(self, queries: Iterable[Query], area: str) -> list[Leaf]:
        """Return the list of all that each query finds, deleted documents included."""
        with self.snapshot.reading():
            run = Run(self)
            return [run.as_leaf(query, area) for query in queries]

    def met(self, query: Query, area: str, docs: Docs) -> Bools:
        """Return which of some documents (ascending) a query finds."""
        with self.snapshot.reading():
            return Run(self).at(query, area, docs)[0]

    def count(self, query: Query, area: str = "BasicSearch") -> int:
        """Return how many live documents a query finds."""
        return len(self.match(query, area))

    def score(self, query: Query, area: str, docs: Docs) -> Scores:
        """Return the scores of documents (ascending), float64[len(docs)]; 0 where the query does not find
        one.
        """
        with self.snapshot.reading():
            return Run(self).at(query, area, docs)[1]

    def finds(self, query: Query, doc: int, area: str = "BasicSearch") -> bool:
        """Whether a query finds a document."""
        return bool(self.met(query, area, np.array([doc], np.uint32))[0])

    def score_of(self, query: Query, doc: int, area: str = "BasicSearch") -> float:
        """Return the score of a document; 0 where the query does not find it."""
        return float(self.score(query, area, np.array([doc], np.uint32))[0])

    def top(
        self,
        query: Query,
        area: str = "BasicSearch",
        k: int | None = None,
        allowed: Bools | None = None,
        fewest: int = 0,
    ) -> Top:
        """Return the `k` best documents (None: all), the highest score first, of equal ones the least trial
        id; and how many there are.

        `allowed`: bool[corpus], the documents that may be found; None are all. Deleted ones never are.
        `fewest`: whoever finds fewer asks for trials with some of the words next; the answer is the same.
        """
        with self.snapshot.reading():
            return Run(self, fewest).top(query, area, k, self._allowed(allowed))

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

    def mask(self, query: Query, area: str = "BasicSearch") -> Bools:
        """Return which documents a query finds, deleted ones too, bool[corpus], shared: do not change it.

        Kept, so that a filter that is asked again costs nothing.
        """
        # What only selects asks no area.
        key = query if type(query) in SELECTING else (query, area)
        found = self._masks.get(key)
        if found is None:
            with self.snapshot.reading():
                found = self._mask(query, area)
            found.setflags(write=False)
            self._masks.put(key, found)
        return found

    def _mask(self, query: Query, area: str) -> Bools:
        match query:
            case And(parts):
                return reduce(np.logical_and, (self.mask(part, area) for part in parts))
            case Or(parts):
                return reduce(np.logical_or, (self.mask(part, area) for part in parts))
            case Not(part):
                return ~self.mask(part, area)
            case In(inner, part):
                return self.mask(part, inner)
            case AtSite():
                from trialsearch.sites import at_site  # few queries ask of sites

                return at_site(self, query)
        found: Bools
        if type(query) in SELECTED:
            found = SELECTED[type(query)](self.snapshot, query)
        else:
            found = np.zeros(self.size, np.bool_)
            found[Run(self).full(query, area).docs] = True
        return found

    def tilt(self, field: str) -> Tilt:
        """Return how much the value of a field in each document tilts a score."""
        from trialsearch.tilting import tilt  # few queries ask for it

        found = self._tilts.get(field)
        if found is None:
            with self.snapshot.reading():
                found = tilt(self.snapshot, field)
            self._tilts.put(field, found)
        return found

    def name(self, query: Best | Tiers, area: str) -> Leaf | None:
        """Return the list of a name with all its ways, if it is kept."""
        found = self._names.get((id(query), area))
        return found[1] if found is not None and found[0] is query else None

    def keep_name(self, query: Best | Tiers, area: str, leaf: Leaf) -> None:
        """Keep the list of a name with all its ways."""
        self._names.put((id(query), area), (query, leaf), leaf.weight(self.size))

    def lists(self, query: Best, area: str) -> list[tuple[Leaf, float]] | None:
        """Return the lists of the ways of a name, each with its weight, if they are kept: do not change
        them.
        """
        found = self._lists.get((id(query), area))
        return found[1] if found is not None and found[0] is query else None

    def keep_lists(self, query: Best, area: str, lists: list[tuple[Leaf, float]]) -> None:
        """Keep the lists of the ways of a name: with another filter or order the same ones are asked."""
        self._lists.put((id(query), area), (query, lists), sum([leaf.weight(self.size) for leaf, _ in lists]))

    def name_at(self, query: Best, area: str, docs: Docs) -> tuple[Bools, Scores] | None:
        """Return what is kept of a name at these documents: which it has, and their scores."""
        found = self._names_at.get((id(query), area))
        if found is None or found[0] is not query or not same(found[1], docs):
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
