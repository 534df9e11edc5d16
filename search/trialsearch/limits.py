"""What is more than can be asked at once, and what is said of it.

>>> from trialsearch.query import And, Term
>>> check([And((Term("lupus"), Term("nephriti")))]), check([Prefix("lup")])
(False, True)
>>> check([And(tuple(map(Term, map(str, range(1025)))))])
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: the query was widened to 1,025 words and names; at most 1,024 can be asked at \
once: ask for fewer words, or without synonyms
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trialindex.errors import QueryError
from trialsearch.leaves import MOST_TERMS
from trialsearch.query import Best, Fuzzy, In, Near, Prefix, Query, Term, Wildcard, children
from trialsearch.widening import MEANT

if TYPE_CHECKING:
    from trialsearch.evaluate import Evaluator

__all__ = ["check", "check_together", "cut_short"]

# What means words of the index.
_Broad = Prefix | Wildcard | Fuzzy
# The commonest nodes without parts.
_COMMON = frozenset({Term, Near})
# Words and names that one query may be widened to.
_MOST_LEAVES = 1_024


def check(widened: Iterable[Query]) -> bool:
    """Return whether a query's parts, widened, have prefixes and the like, which `check_together` and
    `cut_short` look at. Raises QueryError where they have too many words and names to be asked.
    """
    leaves = [leaf for query in widened for leaf in _leaves(query)]
    if (count := len(leaves)) > _MOST_LEAVES:
        raise QueryError(
            f"the query was widened to {count:,} words and names; at most {_MOST_LEAVES:,} can be asked at"
            " once: ask for fewer words, or without synonyms"
        )
    return not MEANT.keys().isdisjoint(map(type, leaves))


def _leaves(query: Query) -> list[Query]:
    """Return the nodes without parts. Every question comes here: the commonest nodes go first."""
    found: list[Query] = []
    waiting = [query]
    while waiting:
        node = waiting.pop()
        if type(node) is Best:
            for way in node.ways:
                part = way.part
                (found if type(part) in _COMMON else waiting).append(part)
        elif type(node) in _COMMON:
            found.append(node)
        elif below := [*children(node)]:
            waiting += below
        else:
            found.append(node)
    return found


def check_together(evaluator: Evaluator, query: Query, area: str) -> None:
    """Raise QueryError where several prefixes and the like mean more words than can be asked at once; one
    alone is cut short instead.
    """
    asked = dict.fromkeys(_broad(query, area))
    count = 0
    for broad, where in asked if len(asked) > 1 else ():
        count += len(evaluator.terms_of(broad, where))
        if count > _MOST_LEAVES:
            raise QueryError(
                f"the beginnings of words together fit more than {_MOST_LEAVES:,} words, as many as can be"
                " asked at once: write more letters, or fewer beginnings"
            )


def cut_short(evaluator: Evaluator, query: Query, area: str) -> Iterator[str]:
    """Yield what to tell the user of prefixes and the like that mean more words than are asked."""
    for broad, where in _broad(query, area):
        if evaluator.cut_short(broad, where):
            yield (
                f"{broad} fits more than {MOST_TERMS:,} words, and only those that most trials have are"
                " asked: write more letters"
            )


def _broad(query: Query, area: str) -> Iterator[tuple[_Broad, str]]:
    """Yield the prefixes and the like, each with the area that it is asked in."""
    match query:
        case Prefix() | Wildcard() | Fuzzy():
            yield query, area
        case In(inner, part):
            yield from _broad(part, inner)
        case _:
            for part in children(query):
                yield from _broad(part, area)
