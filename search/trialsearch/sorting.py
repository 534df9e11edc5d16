"""In which order do hits come? `start:desc,enrollment:asc`, two keys at most.

A key is `relevance` (or `@relevance`), `distance`, `id`, or a field of dates or numbers by its piece name or
a short form. Dates, numbers and relevance fall without a direction, distance and ids rise. A trial without a
value comes last in either direction; ties go by the next key, in the end by id. Of several values the
greatest counts where the order falls, the least where it rises; a partial date is its first day.

>>> parse_sort("start:asc, enrollment")
(SortKey(name='StartDate', falling=False), SortKey(name='EnrollmentCount', falling=True))
>>> parse_sort("starts")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no sort 'starts'; did you mean start?
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from trialindex.errors import QueryError
from trialindex.fields import FIELDS, SHORT_NAMES, resolve
from trialindex.frozen import frozen
from trialsearch.lexing import shortened
from trialsearch.lists import Docs, Scores, best_first, entries
from trialsearch.values import has_order

if TYPE_CHECKING:
    from trialsearch.evaluate import Evaluator
    from trialsearch.query import Distance

__all__ = ["RELEVANCE", "SORTS", "SortKey", "by_relevance", "ordered", "parse_sort"]

# What most people sort by, besides relevance.
SORTS = ("updated", "start", "completion", "posted", "enrollment", "id", "distance")
_OWN = ("relevance", "@relevance", "distance", "id")
_MOST_KEYS = 2


@frozen
class SortKey:
    """A key of an order: relevance, distance, id or a field; whether the greatest value comes first."""

    name: str
    falling: bool


RELEVANCE = (SortKey("relevance", True),)


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Return the keys that a text names. Raises QueryError, naming the possible ones, where it names none."""
    if text == "relevance":
        return RELEVANCE
    keys = [_key(part.strip(), text) for part in re.split(r"[,|]", text)]
    if len(keys) > _MOST_KEYS or len({key.name for key in keys}) < len(keys):
        raise _no_sort(text)
    return tuple(keys)


def _key(text: str, whole: str) -> SortKey:
    name, _, direction = text.partition(":")
    name = name.strip()
    if direction not in {"", "asc", "desc"} or not name:
        raise _no_sort(whole)
    if name.lower() in _OWN:
        own = name.lower().removeprefix("@")
        if own == "relevance" and direction == "asc":
            raise _no_sort(whole)  # the worst first: nobody means that
        return SortKey(own, direction == "desc" or (own == "relevance"))
    try:
        field = resolve(name)
    except QueryError:
        raise _no_sort(whole, name) from None
    if not has_order(field):
        raise _no_sort(whole)
    return SortKey(field, direction != "asc")


def _no_sort(text: str, name: str = "") -> QueryError:
    import difflib

    known = [
        *_OWN,
        *(short for short, field in SHORT_NAMES.items() if field in FIELDS and has_order(field)),
        *(field for field in FIELDS if has_order(field)),
    ]
    near = difflib.get_close_matches(name[:60], known, n=1, cutoff=0.7) if name else []
    if near:
        return QueryError(f"no sort {shortened(text)!r}; did you mean {near[0]}?")
    return QueryError(
        f"no sort {shortened(text)!r}; relevance, or one of {', '.join(SORTS)}, or any field of dates"
        " or numbers, each with :asc or :desc behind it; two at most, parted by a comma"
    )


def by_relevance(keys: tuple[SortKey, ...]) -> bool:
    """Whether the best come first, whatever orders those that are equal."""
    return keys[0] == RELEVANCE[0]


def ordered(
    evaluator: Evaluator,
    docs: Docs,
    scores: Scores,
    keys: tuple[SortKey, ...],
    end: int | None,
    near: Distance | None,
) -> tuple[Docs, Scores]:
    """Return the first `end` (None: all) of some documents (ascending) in an order, and their scores.

    `near`: where distances are taken from. Raises QueryError where the order is by distance and it is None.
    """
    first, *others = (_worth(evaluator, key, docs, scores, near) for key in keys)
    if not others:
        best, _ = best_first(docs, first, end, evaluator.keys)
    else:
        kept = np.arange(len(docs))
        if end is not None and 0 < end < len(docs):
            # All that are worth as much as the last that is wanted may be among the first.
            kept = np.flatnonzero(first >= np.partition(first, -end)[-end])
        order = np.lexsort((evaluator.keys(docs[kept]), *(-other[kept] for other in others), -first[kept]))
        best = docs[kept[order[:end]]]
    return best, scores[docs.searchsorted(best)]


def _worth(evaluator: Evaluator, key: SortKey, docs: Docs, scores: Scores, near: Distance | None) -> Scores:
    """Return what grows towards the first place, float64[len(docs)]; -inf where there is no value."""
    if key.name == "distance" and near is None:
        raise QueryError("sort by distance needs a place: near Boston, or near 42.36,-71.06")
    values = _values(evaluator, key, scores, near)(docs)
    return np.nan_to_num(values if key.falling else -values, nan=-np.inf)


def _values(
    evaluator: Evaluator, key: SortKey, scores: Scores, near: Distance | None
) -> Callable[[Docs], Scores]:
    """Return what gives the values of a key, NaN where there is none."""
    if key.name == "relevance":
        return lambda _: scores
    if key.name == "id":
        return lambda docs: evaluator.ranks()[docs].astype(np.float64)
    if key.name == "distance" and near is not None:
        from trialsearch.sites import nearest

        held = nearest(evaluator.snapshot, near.point)
        return lambda docs: held[docs]
    if FIELDS[key.name].several:
        return lambda docs: _outermost(evaluator, key, docs)
    return lambda docs: evaluator.snapshot.column(key.name)[docs]


def _outermost(evaluator: Evaluator, key: SortKey, docs: Docs) -> Scores:
    """Return the greatest value of each document, or, where the order rises, the least."""
    held = evaluator.snapshot.number_lists(key.name)
    at, sizes = entries(held.offsets, docs)
    found = np.full(len(docs), np.nan)
    some = sizes > 0
    if some.any():
        # Where the entries of each begin: a document without any does not count, as it has none of them.
        begins = (np.cumsum(sizes) - sizes)[some]
        found[some] = (np.maximum if key.falling else np.minimum).reduceat(held.low[at], begins)
    return found
