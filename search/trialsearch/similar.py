"""Trials like a given one: its most telling terms, asked as a query."""

from __future__ import annotations

import math

from trialindex.analysis import prepare, tokens
from trialindex.document import Document
from trialindex.storage import Snapshot
from trialsearch.query import Best, Nothing, Or, Query, Term, Way

__all__ = ["likeness"]

# The fields that say what a trial is about, and what a term in them is worth.
_TELLING = {
    "Condition": 1.0,
    "InterventionName": 1.0,
    "InterventionOtherName": 0.6,
    "ConditionMeshTerm": 0.8,
    "InterventionMeshTerm": 0.8,
    "BriefTitle": 0.7,
    "Keyword": 0.5,
    "OfficialTitle": 0.3,
}
_MOST_TERMS = 25


def likeness(snapshot: Snapshot, doc: int) -> Query:
    """Return the query for trials like a document: its terms in telling fields, each weighted by
    `field weight x ln(1 + N / df)`, the 25 weightiest of them, any of which may be met."""
    document = Document.of(snapshot.study(doc))
    worth: dict[str, float] = {}
    written: dict[str, str] = {}
    for field, weight in _TELLING.items():
        found: set[str] = set()
        for value in map(prepare, document.text.get(field, ())):
            for token in tokens(value):
                found.add(token.term)
                written.setdefault(token.term, value[token.start : token.end])
        for term in found:
            worth[term] = worth.get(term, 0.0) + weight
    for term in worth:
        frequency = max(snapshot.frequency(field, term) for field in _TELLING)
        # A term of one trial alone leads to no other.
        worth[term] *= math.log(1 + len(snapshot) / frequency) if frequency > 1 else 0.0
    best = sorted((term for term in worth if worth[term] > 0), key=lambda term: (-worth[term], term))[
        :_MOST_TERMS
    ]
    if not best:
        return Nothing("")
    top = worth[best[0]]
    parts: list[Query] = [
        Best(written[term], (Way("typed", written[term], Term(term), worth[term] / top),)) for term in best
    ]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))
