"""What only selects: codes, names, ranges, ages. Each node becomes one mask over the corpus.

The masks are bool[corpus]; deleted documents are not left out of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex.analysis import fold
from trialindex.countries import same_country
from trialindex.dates import date_range, parse_age
from trialindex.fields import CONCEPT_FIELDS, FIELDS, concept_term
from trialsearch.query import (
    AgeIs,
    All,
    And,
    AtSite,
    Code,
    Distance,
    Missing,
    Name,
    Not,
    Nothing,
    Or,
    Query,
    Range,
    children,
)  # fmt: skip

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["SELECTED", "SELECTING", "only_selects"]

Mask = npt.NDArray[np.bool_]

# Names that are two, parted by a tab, and mean something only as they are.
_PAIRS = frozenset({"Definition", "OtherName"})


def only_selects(query: Query) -> bool:
    """Whether a query has no words, so that one mask answers it.

    >>> from trialsearch.query import Term
    >>> only_selects(Or((Code("Phase", "PHASE1"), Not(All())))), only_selects(Not(Term("lupus")))
    (True, False)
    """
    return type(query) in SELECTING or (
        isinstance(query, And | Or | Not) and all(map(only_selects, children(query)))
    )


def _coded(snapshot: Snapshot, field: str, holds: Callable[[tuple[str, ...]], bool]) -> Mask:
    column = snapshot.codes(field)
    wanted = np.array([holds(codes) for codes in column.sets], np.bool_)
    found: Mask = wanted[column.ordinals]
    return found


def _named(snapshot: Snapshot, field: str, names: list[str]) -> Mask:
    found = np.zeros(snapshot.size, np.bool_)
    for name in names:
        found[snapshot.named(field, name)] = True
    return found


def _code(snapshot: Snapshot, query: Code) -> Mask:
    if FIELDS[query.field].kind == "concept":
        return _concept(snapshot, query)
    return _coded(snapshot, query.field, lambda codes: query.code in codes)


def _concept(snapshot: Snapshot, query: Code) -> Mask:
    """Return which documents are linked to a concept, or to a kind of it."""
    found = np.zeros(snapshot.size, np.bool_)
    for fields in CONCEPT_FIELDS.values():
        for field in fields if query.field == fields[0] else {query.field} & {*fields}:
            found[snapshot.postings(concept_term(query.code), field).docs] = True
    return found


def _name(snapshot: Snapshot, query: Name) -> Mask:
    if query.field == "Country":
        return _named(snapshot, query.field, list(same_country(query.name)))
    if query.field in _PAIRS:
        return _named(snapshot, query.field, [query.name])
    folded = fold(query.name)
    if query.field == "AnyId":
        return _named(snapshot, query.field, [folded, query.name.upper()])
    # A name stands with how it is written, after a tab.
    held = [name for name, _ in snapshot.names(query.field, f"{folded}\t")]
    return _named(snapshot, query.field, [folded, *held])


def _range(snapshot: Snapshot, query: Range) -> Mask:
    field = FIELDS[query.field]
    lowest, highest = _bounds(query)
    if field.several:
        lists = snapshot.number_lists(query.field)
        inside = (lists.high >= lowest) & (lists.low <= highest)
        owners = np.repeat(np.arange(snapshot.size), np.diff(lists.offsets))
        several: Mask = np.bincount(owners[inside], minlength=snapshot.size) > 0
        return several
    first = snapshot.column(query.field)
    last = snapshot.column(f"{query.field}Last") if field.kind == "day" else first
    # No number lies within nothing: comparisons with NaN are false.
    found: Mask = (last >= lowest) & (first <= highest)
    return found


def _bounds(query: Range) -> tuple[float, float]:
    """Return the least and the greatest number that a range admits."""

    def value(text: str, which: int) -> float:
        if FIELDS[query.field].kind == "day":
            return float(date_range(text)[which].toordinal())
        age = parse_age(text)
        return age.days if age else float(text)

    return (
        value(query.low, 0) if query.low is not None else float("-inf"),
        value(query.high, 1) if query.high is not None else float("inf"),
    )


def _age(snapshot: Snapshot, query: AgeIs) -> Mask:
    low, high = snapshot.column("MinimumAge"), snapshot.column("MaximumAge")
    # A bound that is not stated is NaN, and excludes nobody.
    found: Mask = ~(low > query.age.days) & ~(high < query.age.days)
    return found


def _missing(snapshot: Snapshot, query: Missing) -> Mask:
    return ~snapshot.having(query.field)


def _distance(snapshot: Snapshot, query: Distance) -> Mask:
    from trialsearch.sites import within

    return within(snapshot, query)


def _all(snapshot: Snapshot, query: All) -> Mask:
    return np.ones(snapshot.size, np.bool_)


def _nothing(snapshot: Snapshot, query: Nothing) -> Mask:
    return np.zeros(snapshot.size, np.bool_)


SELECTED: dict[type, Callable[[Any, Any], Mask]] = {
    All: _all,
    Nothing: _nothing,
    Code: _code,
    Name: _name,
    Range: _range,
    Missing: _missing,
    AgeIs: _age,
    Distance: _distance,
}
# What only selects, whatever its parts are; what stands at a site asks an evaluator (`sites.at_site`).
SELECTING: frozenset[type] = frozenset({*SELECTED, AtSite})
