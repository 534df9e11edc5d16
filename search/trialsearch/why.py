"""Why a trial was found: which of the ways to meet each word it meets, and in which fields."""

from __future__ import annotations

from dataclasses import dataclass

from trialindex.fields import FIELDS
from trialsearch.evaluate import Evaluator, area_fields
from trialsearch.query import And, Best, Close, In, Near, Not, Or, Prefix, Query, Term, Way

__all__ = ["Match", "matches"]

_MOST_WAYS = 3


@dataclass(frozen=True, slots=True)
class Match:
    """What was asked, how it was met (typed, synonym, spelling), by which words, in which fields
    (heaviest first).
    """

    asked: str
    how: str
    found: str
    fields: tuple[str, ...]
    terms: frozenset[str]

    def __str__(self) -> str:
        how = {"typed": "as typed", "synonym": f"synonym {self.found}", "spelling": f"spelling {self.found}"}[
            self.how
        ]
        return f"{self.asked}: {how} ({', '.join(self.fields)})"


def matches(
    evaluator: Evaluator, query: Query, doc: int, area: str, *, partly: bool = False
) -> tuple[Match, ...]:
    """Return, for each thing asked, the ways by which a document meets it: as typed first, then as it was
    meant, then the strongest others. `partly`: of a name that it has not, the words that it has.
    """
    found: list[Match] = []
    _collect(evaluator, query, doc, area, found, partly)
    return tuple(dict.fromkeys(found))


def _collect(
    evaluator: Evaluator, query: Query, doc: int, area: str, found: list[Match], partly: bool
) -> None:
    match query:
        case In(inner, part):
            _collect(evaluator, part, doc, inner, found, partly)
        case Close(part, _):
            _collect(evaluator, part, doc, area, found, partly)
        case And(parts) | Or(parts):
            for part in parts:
                if not isinstance(part, Not):
                    _collect(evaluator, part, doc, area, found, partly)
        case Prefix(text):
            begun = [
                term
                for term in evaluator.prefix_terms(text, area)
                if doc in evaluator.scores(Term(term), area)
            ]
            if begun:
                fields = _fields(evaluator, Or(tuple(Term(term) for term in begun)), doc, area)
                found.append(Match(f"{text}*", "typed", text, fields, frozenset(begun)))
        case Best(text, ways):
            met = [way for way in ways if doc in evaluator.scores(way.part, area)]
            if not met and partly:
                for way in ways:
                    if isinstance(way.part, And):
                        _collect(evaluator, way.part, doc, area, found, partly)
            others = sorted(
                (way for way in met if way.how != "typed"),
                key=lambda way: (
                    way.how != "spelling",
                    -way.weight * evaluator.scores(way.part, area)[doc],
                ),
            )
            typed = [way for way in met if way.how == "typed"]
            for way in typed:
                if isinstance(way.part, And):
                    _collect(evaluator, way.part, doc, area, found, partly)
                else:
                    found.append(_match(evaluator, text, way, doc, area))
                    break
            found.extend(
                _match(evaluator, text, way, doc, area) for way in others[: _MOST_WAYS - len(typed[:1])]
            )


def _match(evaluator: Evaluator, text: str, way: Way, doc: int, area: str) -> Match:
    return Match(
        text, way.how, way.text, _fields(evaluator, way.part, doc, area), frozenset(_terms(way.part))
    )


def _fields(evaluator: Evaluator, part: Query, doc: int, area: str) -> tuple[str, ...]:
    match part:
        case In(inner, below):
            return _fields(evaluator, below, doc, inner)
        case Term(term):
            weights = area_fields(area)
            held = [field for field in weights if doc in evaluator.snapshot.postings(field, term)]
            return tuple(sorted(held, key=lambda field: -weights[field]))
        case Or(parts):
            return tuple(
                dict.fromkeys(field for one in parts for field in _fields(evaluator, one, doc, area))
            )
        case Near(terms, slop):
            weights = area_fields(area)
            held = [
                field
                for field in weights
                if FIELDS[field].kind in {"text", "code"} and doc in evaluator.near_in(field, terms, slop)
            ]
            return tuple(sorted(held, key=lambda field: -weights[field]))
        case _:
            return ()


def _terms(part: Query) -> tuple[str, ...]:
    match part:
        case In(_, below):
            return _terms(below)
        case Term(term):
            return (term,)
        case Near(terms, _):
            return tuple(term for term in terms if term)
        case Or(parts):
            return tuple(term for one in parts for term in _terms(one))
        case _:
            return ()
