"""Trials like a given one: its most telling words and the things that they name, asked as a query."""

from __future__ import annotations

import math

from trialindex.analysis import prepare, tokens, units
from trialindex.document import Document
from trialindex.vocabulary import Concept, Vocabulary
from trialsearch.evaluate import Evaluator
from trialsearch.expand import name_query
from trialsearch.query import Best, Near, Nothing, Or, Query, Term, Way

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
# Where the others are looked for.
_AREA = "BasicSearch"
_MOST_TERMS = 25
_MOST_CONCEPTS = 8


def likeness(evaluator: Evaluator, doc: int, vocabulary: Vocabulary) -> Query:
    """Return the query for trials like a document: any of its most telling terms and concepts.

    Terms are those of telling fields, each worth `field weight x ln(1 + N / df)`, the 25 weightiest of them;
    concepts are worth the same by the trials that have one of their names, the 8 weightiest, so that a trial
    of scleroderma is like one of systemic sclerosis. What one trial alone has leads to no other.
    """
    document = Document.of(evaluator.snapshot.study(doc))
    found = _terms(evaluator, document) + _concepts(evaluator, document, vocabulary)
    if not found:
        return Nothing("")
    top = max(worth for worth, _, _ in found)
    parts: list[Query] = [
        Best(text, tuple(Way(way.how, way.text, way.part, way.weight * worth / top) for way in ways))
        for worth, text, ways in found
    ]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


_Found = list[tuple[float, str, list[Way]]]


def _terms(evaluator: Evaluator, document: Document) -> _Found:
    snapshot = evaluator.snapshot
    worth: dict[str, float] = {}
    written: dict[str, str] = {}
    for field, weight in _TELLING.items():
        held: set[str] = set()
        for value in map(prepare, document.text.get(field, ())):
            for token in tokens(value):
                held.add(token.term)
                written.setdefault(token.term, value[token.start : token.end])
        for term in held:
            worth[term] = worth.get(term, 0.0) + weight
    for term in worth:
        worth[term] *= _rarity(snapshot.size, snapshot.frequency(term, _AREA))
    best = sorted((term for term in worth if worth[term] > 0), key=lambda term: (-worth[term], term))
    return [
        (worth[term], written[term], [Way("typed", written[term], Term(term))]) for term in best[:_MOST_TERMS]
    ]


def _concepts(evaluator: Evaluator, document: Document, vocabulary: Vocabulary) -> _Found:
    weights: dict[Concept, float] = {}
    for field, weight in _TELLING.items():
        for concept in {one for value in document.text.get(field, ()) for one in _named(value, vocabulary)}:
            weights[concept] = weights.get(concept, 0.0) + weight
    found: _Found = []
    for concept in sorted(weights, key=lambda one: (-weights[one], one.preferred))[:_MOST_CONCEPTS]:
        parts = {name: part for name in concept.full_names if (part := name_query(name, 1))}
        # A name of several words is worth as much as one word.
        ways = [
            Way("synonym", name, part, 1 / len(part.terms) if isinstance(part, Near) else 1.0)
            for name, part in parts.items()
        ]
        trials = evaluator.count(Best(concept.preferred, tuple(ways)), _AREA)
        worth = weights[concept] * _rarity(evaluator.size, trials)
        if worth > 0:
            found.append((worth, concept.preferred, ways))
    return found


def _named(text: str, vocabulary: Vocabulary) -> list[Concept]:
    """Return the concepts that a text names without doubt, longest names first come."""
    keys = [unit.key for unit in units(text)]
    found: list[Concept] = []
    place = 0
    while place < len(keys):
        size, concepts = vocabulary.longest_match(keys, place)
        if len(concepts) == 1:
            found.extend(concepts)
        place += max(size, 1)
    return found


def _rarity(trials: int, frequency: int) -> float:
    return math.log(1 + trials / frequency) if frequency > 1 else 0.0
