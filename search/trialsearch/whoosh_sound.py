"""Whoosh queries answered right where Whoosh 2.7.4 answers them wrongly, and those that it has not.

`sound` puts them in place of Whoosh's own. What Whoosh gives a constant score (codes, names, ranges, `Every`,
`Not`) only selects, and scores `TINY` here, since Whoosh's unions take a score of 0 for no match.

| of Whoosh | is wrong | here |
|---|---|---|
| AndNot | drops documents and invents others | And with `Without` |
| Require | finds what it should leave out | And with `Selecting` |
| Not | may find deleted documents | `Without` |
| DisjunctionMax | compares the scores of two documents | `AnyBest` |
| AndMaybe | loses the score of its wish when it skips | `Wished` |

`Weighted` (a score times a weight) and `Meant` (the terms that a prefix, wildcard or misspelling of ours
means) are what `whoosh_queries.to_whoosh` needs beside them.

>>> sound(query.Not(query.Term("BriefTitle", "gout")))
Without(Term('BriefTitle', 'gout'))
>>> sound(query.Term("BriefTitle", "gout"))
Term('BriefTitle', 'gout')
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from whoosh import matching, query

from trialsearch.query import Fuzzy, Prefix, Wildcard

if TYPE_CHECKING:
    from trialsearch.whoosh_reader import TrialReader

__all__ = ["TINY", "AnyBest", "Meant", "Selecting", "Weighted", "Wished", "Without", "sound"]

# The score of what only selects: too small to be seen beside any other.
TINY = 1e-100


class _BestMatcher(matching.UnionMatcher):  # type: ignore[misc]
    """The union, each document with the best score: Whoosh's own compares the scores of two documents."""

    def score(self) -> float:
        held = [m.score() for m in (self.a, self.b) if m.is_active() and m.id() == self.id()]
        return float(max(held))

    def replace(self, minquality: float = 0) -> Any:
        return super().replace(0)

    def supports_block_quality(self) -> bool:
        return False

    def max_quality(self) -> float:
        return float(max((m.max_quality() for m in (self.a, self.b) if m.is_active()), default=0.0))


class _WishMatcher(matching.AndMaybeMatcher):  # type: ignore[misc]
    """The first, with the score of the second added: Whoosh's own loses the second when it skips."""

    def skip_to(self, id: int) -> Any:
        moved = self.a.skip_to(id)
        if self.a.is_active() and self.b.is_active():
            self.b.skip_to(self.a.id())
        return moved

    def replace(self, minquality: float = 0) -> Any:
        if not self.a.is_active():
            return matching.NullMatcher()
        return self if self.b.is_active() else self.a.replace(0)

    def supports_block_quality(self) -> bool:
        return False


class AnyBest(query.DisjunctionMax):  # type: ignore[misc]
    """Any of the parts, the best giving the score."""

    def _matcher(self, subs: Any, searcher: Any, context: Any) -> Any:
        return self._tree_matcher(subs, _BestMatcher, searcher, context, None)


class Wished(query.AndMaybe):  # type: ignore[misc]
    """The first part, scoring more by the second."""

    matcherclass = _WishMatcher


class Selecting(query.ConstantScoreQuery):  # type: ignore[misc]
    """The documents of a query, each scoring `TINY`, in any context."""

    def __init__(self, child: Any, score: float = TINY) -> None:
        super().__init__(child, score)

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        ids = array("I", self.child.matcher(searcher, searcher.boolean_context()).all_ids())
        return matching.ListMatcher(ids, all_weights=self.score)


class Without(query.Not):  # type: ignore[misc]
    """Every live document that the part does not find, each scoring `TINY`: Whoosh's own may find deleted
    ones.
    """

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        out = set(self.query.matcher(searcher, searcher.boolean_context()).all_ids())
        ids = array("I", (doc for doc in searcher.reader().all_doc_ids() if doc not in out))
        return matching.ListMatcher(ids, all_weights=TINY)


class Weighted(query.WrappingQuery):  # type: ignore[misc]
    """A query, its score times a weight above 0."""

    def __init__(self, child: Any, boost: float) -> None:
        super().__init__(child)
        self.boost = boost

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Weighted) and (self.child, self.boost) == (other.child, other.boost)

    def __hash__(self) -> int:
        return hash(("Weighted", self.child, self.boost))

    def _rewrap(self, child: Any) -> Weighted:
        return Weighted(child, self.boost)

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        return matching.WrappingMatcher(self.child.matcher(searcher, context), self.boost)


class Meant(query.MultiTerm):  # type: ignore[misc]
    """Any of the terms that a prefix, wildcard or misspelling of ours means, the best giving the score."""

    boost = 1.0

    def __init__(self, fieldname: str, node: Prefix | Wildcard | Fuzzy) -> None:
        self.fieldname = fieldname
        self.node = node
        self.text = str(node)

    def __repr__(self) -> str:
        return f"Meant({self.fieldname!r}, {self.node!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Meant) and (self.fieldname, self.node) == (other.fieldname, other.node)

    def __hash__(self) -> int:
        return hash((self.fieldname, self.node))

    def _btexts(self, ixreader: TrialReader) -> Iterator[bytes]:
        return (term.encode() for term, _ in ixreader.evaluator.terms_of(self.node, self.fieldname))

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        held = searcher.reader().evaluator.terms_of(self.node, self.fieldname)
        terms = [query.Term(self.fieldname, term, boost=worth) for term, worth in held]
        return AnyBest(terms).matcher(searcher, context)


def sound(asked: Any) -> Any:
    """Return a Whoosh query with the classes that Whoosh 2.7.4 answers wrongly replaced by right ones.

    AndNot drops and invents documents, Require finds what it should leave out, DisjunctionMax and AndMaybe
    take wrong scores, Not may find deleted documents. What a Not finds scores `TINY`, not 1.
    """
    match asked:
        case query.AndNot():
            return query.And([sound(asked.a), Without(sound(asked.b))])
        case query.Require():
            return query.And([sound(asked.a), Selecting(sound(asked.b))])
        case query.AndMaybe():
            return Wished(sound(asked.a), sound(asked.b))
        case query.Not():
            return Without(sound(asked.query))
        case query.DisjunctionMax():
            return AnyBest([sound(part) for part in asked.subqueries], boost=asked.boost)
        case query.And():
            return query.And([sound(part) for part in asked.subqueries], boost=asked.boost)
        case query.Or():
            parts = [sound(part) for part in asked.subqueries]
            return query.Or(parts, boost=asked.boost, minmatch=asked.minmatch, scale=asked.scale)
        case _:
            return asked
