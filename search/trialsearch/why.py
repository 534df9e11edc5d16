"""Why a trial was found: which of the ways to meet each word it meets, and in which fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from trialindex.fields import area_fields
from trialindex.frozen import frozen
from trialsearch.evaluate import Evaluator
from trialsearch.query import (
    And,
    Best,
    Boost,
    Fuzzy,
    Group,
    In,
    Near,
    Not,
    Optional,
    Or,
    Prefix,
    Query,
    Term,
    Tiers,
    Tilted,
    Unless,
    Verified,
    Way,
    Wildcard,
    Within,
    children,
)  # fmt: skip
from trialsearch.results import Widening

__all__ = ["Match", "matches", "widenings"]

_MOST_WAYS = 3
# Ways to meet what was asked that need no name.
_PLAINLY = {"typed": "as typed", "exact": "exactly so"}


@frozen
class Match:
    """What was asked, how it was met (as `query.Way` says, or exact: by the very text), by which words, in
    which fields (heaviest first).
    """

    asked: str
    how: str
    found: str
    fields: tuple[str, ...]
    terms: frozenset[str]

    def __str__(self) -> str:
        how = _PLAINLY.get(self.how) or f"{self.how} {self.found}"
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
        case Boost(part, _) | Unless(part, _) | Tilted(_, part):
            _collect(evaluator, part, doc, area, found, partly)
        case Verified(text, how, part) if evaluator.finds(query, doc, area):
            weights = area_fields(area)
            fields = sorted(
                evaluator.exact.fields(text, how, area, doc), key=lambda field: -weights.get(field, 0.0)
            )
            found.append(Match(text, "exact", text, tuple(fields), frozenset(_terms(part))))
        case Tiers(_, parts):
            first = next((part for part in parts if evaluator.finds(part, doc, area)), None)
            if first is not None:
                _collect(evaluator, first, doc, area, found, partly)
        case Optional(part, wish):
            _collect(evaluator, part, doc, area, found, partly)
            if evaluator.finds(wish, doc, area):
                _collect(evaluator, wish, doc, area, found, partly)
        case And(parts) | Or(parts):
            for part in parts:
                if not isinstance(part, Not):
                    _collect(evaluator, part, doc, area, found, partly)
        case Prefix(text) | Wildcard(text) | Fuzzy(text, _, _):
            words = [Term(term) for term, _ in evaluator.terms_of(query, area)]
            met = Or(tuple(word for word in words if evaluator.finds(word, doc, area)))
            if met.parts:
                there = _fields(evaluator, met, doc, area)
                found.append(Match(str(query), "typed", text, there, frozenset(_terms(met))))
        case Best():
            _collect_ways(evaluator, query, doc, area, found, partly)


def _collect_ways(
    evaluator: Evaluator, query: Best, doc: int, area: str, found: list[Match], partly: bool
) -> None:
    held = [way for way in query.ways if evaluator.finds(way.part, doc, area)]
    # A link says no more than the name that it comes from; it counts where no name does.
    held = [way for way in held if way.how != "concept"] or held
    typed = [way for way in held if way.how == "typed"]
    for way in typed or (query.ways if partly and not held else ()):
        if isinstance(way.part, And):
            _collect(evaluator, way.part, doc, area, found, partly)
        elif typed:
            found.append(_match(evaluator, query.text, way, doc, area))
            break

    def last(way: Way) -> tuple[bool, float]:
        return way.how != "spelling", -way.weight * evaluator.score_of(way.part, doc, area)

    others = sorted((way for way in held if way.how != "typed"), key=last)
    shown = others[: _MOST_WAYS - len(typed[:1])]
    found.extend(_match(evaluator, query.text, way, doc, area) for way in shown)


def widenings(evaluator: Evaluator, query: Query, area: str) -> Iterator[Widening]:
    """Yield what else each thing asked was looked for as; nothing for what was taken as typed."""
    seen: set[str] = set()
    for best, where in _bests(query, area):
        if best.text in seen:
            continue
        seen.add(best.text)
        trials: dict[str, Counter[str]] = {}
        for way in best.ways:
            trials.setdefault(way.how, Counter())[way.text] += evaluator.count(way.part, where)
        names = trials.get("synonym", Counter()) + trials.get("learned", Counter())
        found = Widening(
            best.text, tuple(trials.get("spelling", ())), tuple(names.most_common()),
            trials.get("concept", Counter()).total(),
        )  # fmt: skip
        if found.read or found.names or found.linked:
            yield found


def _bests(query: Query, area: str) -> Iterator[tuple[Best, str]]:
    """Yield what was asked by a name, each with the area that it is asked in."""
    if isinstance(query, In):
        area = query.area
    if isinstance(query, Best):
        yield query, area
    for part in children(query):
        yield from _bests(part, area)


def _match(evaluator: Evaluator, text: str, way: Way, doc: int, area: str) -> Match:
    return Match(
        text, way.how, way.text, _fields(evaluator, way.part, doc, area), frozenset(_terms(way.part))
    )


def _fields(evaluator: Evaluator, part: Query, doc: int, area: str) -> tuple[str, ...]:
    """Return the fields in which a document has a part, the heaviest first."""
    match part:
        case In(inner, below):
            return _fields(evaluator, below, doc, inner)
        case Unless(below, _):
            return _fields(evaluator, below, doc, area)
        case Or(parts):
            return tuple(
                dict.fromkeys(field for one in parts for field in _fields(evaluator, one, doc, area))
            )
        case _:
            weights = area_fields(area)
            held = evaluator.frequencies(part, doc, area)
            return tuple(sorted(held, key=lambda field: -weights[field]))


def _terms(part: Query) -> tuple[str, ...]:
    match part:
        case In(_, below) | Unless(below, _):
            return _terms(below)
        case Term(term):
            return (term,)
        case Near(terms) | Within(terms, _):
            return tuple(term for term in terms if term)
        case Or(parts) | Group(parts):
            return tuple(term for one in parts for term in _terms(one))
        case _:
            return ()
