"""Trials like a given one: its most telling words and the things that they name, asked as a query."""

from __future__ import annotations

import math

from trialindex.analysis import prepare, tokens
from trialindex.document import Document
from trialindex.fields import CONCEPT_FIELDS, concept_area, concept_term
from trialindex.vocabulary.linking import Linker
from trialsearch.evaluate import Evaluator
from trialsearch.query import Best, In, Nothing, Or, Query, Term, Way

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
# What a concept is worth that the trial names, and one that it names a kind of; what is further up says
# little.
_CONCEPTS = (2.0, 0.5)


def likeness(evaluator: Evaluator, doc: int) -> Query:
    """Return the query for trials like a document: any of its most telling terms and concepts.

    Terms are those of telling fields, each worth `field weight x ln(1 + N / df)`, the 25 weightiest of them;
    concepts are worth the same by the trials that are linked to them, the 8 weightiest, so that a trial of
    scleroderma is like one of systemic sclerosis. What one trial alone has leads to no other.
    """
    vocabulary = evaluator.snapshot.vocabulary
    linker = None if vocabulary is None else Linker(vocabulary)
    document = Document.of(evaluator.snapshot.study(doc), linker)
    found = _terms(evaluator, document) + _concepts(evaluator, document)
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


def _concepts(evaluator: Evaluator, document: Document) -> _Found:
    snapshot = evaluator.snapshot
    vocabulary = snapshot.vocabulary
    if vocabulary is None:
        return []
    where = concept_area(_AREA)
    found: _Found = []
    for fields in CONCEPT_FIELDS.values():
        for field, weight in zip(fields, _CONCEPTS, strict=False):
            for identifier in document.concepts.get(field, ()):
                term = concept_term(identifier)
                worth = weight * _rarity(snapshot.size, snapshot.frequency(term, where))
                number = vocabulary.number_of(identifier)
                if worth > 0 and number is not None:
                    name = vocabulary.preferred(number)
                    found.append((worth, name, [Way("concept", name, In(where, Term(term)))]))
    found.sort(key=lambda one: (-one[0], one[1]))
    return found[:_MOST_CONCEPTS]


def _rarity(trials: int, frequency: int) -> float:
    return math.log(1 + trials / frequency) if frequency > 1 else 0.0
