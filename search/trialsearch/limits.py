"""What is more than can be asked at once, and what is said of it.

>>> from trialsearch.query import And, Term
>>> check([And((Term("lupus"), Term("nephriti")))])
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

__all__ = ["MOST_LEAVES", "check", "cut_short"]

# Words and names that one query may be widened to.
MOST_LEAVES = 1_024


def check(widened: Iterable[Query]) -> None:
    """Raise QueryError where a query's parts, widened, have too many words and names to be asked."""
    count = sum(len(_leaves(query)) for query in widened)
    if count > MOST_LEAVES:
        raise QueryError(
            f"the query was widened to {count:,} words and names; at most {MOST_LEAVES:,} can be asked at"
            " once: ask for fewer words, or without synonyms"
        )


def _leaves(query: Query) -> list[Query]:
    """Return the nodes without parts. Every question comes here: the commonest nodes go first."""
    found: list[Query] = []
    waiting = [query]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Best):
            waiting += [way.part for way in node.ways]
        elif isinstance(node, Term | Near):
            found.append(node)
        elif below := [*children(node)]:
            waiting += below
        else:
            found.append(node)
    return found


def cut_short(evaluator: Evaluator, query: Query, area: str) -> Iterator[str]:
    """Yield what to tell the user of prefixes and the like that mean more words than are asked."""
    if any(type(leaf) in MEANT for leaf in _leaves(query)):
        yield from _cut_short(evaluator, query, area)


def _cut_short(evaluator: Evaluator, query: Query, area: str) -> Iterator[str]:
    match query:
        case Prefix() | Wildcard() | Fuzzy():
            if evaluator.cut_short(query, area):
                yield (
                    f"{query} fits more than {MOST_TERMS:,} words, and only those that most trials have are"
                    " asked: write more letters"
                )
        case In(inner, part):
            yield from _cut_short(evaluator, part, inner)
        case _:
            for part in children(query):
                yield from _cut_short(evaluator, part, area)
