"""A widened query over a snapshot: which documents, with what score.

Every node gives a dict of document -> score; what only selects (codes, ranges, names) scores 0. A term's
score in an area is the weighted sum, over the area's fields, of its BM25 in each. `And` and `Or` add,
`Best` takes the best of its ways, each at its weight, `Close` adds for words that stand together in heavy
fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from trialindex.analysis import fold, units
from trialindex.countries import same_country
from trialindex.dates import date_range, parse_age
from trialindex.fields import AREAS, FIELDS
from trialindex.spelling import american
from trialindex.storage import Snapshot
from trialsearch.expand import HEADLINE
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Best,
    Close,
    Code,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Or,
    Prefix,
    Query,
    Range,
    Term,
)

__all__ = ["Evaluator", "Explanation", "area_fields"]

Scores = dict[int, float]

# A prefix is widened to its most frequent words, no more.
_PREFIX_WORDS = 200
# What stemming takes off a word: a prefix may have begun it.
_ENDINGS = tuple(
    """al ally ation ations ational ative ed edly es s ies ied ically ical ic ing ings ingly ion ions ional
    ism ist ists istic ity ive ized izing ization izer ies y ly ment ments ness ous ously able ability e er
    ers ence ances ance ant ents ent""".split()
)
_LONGEST_ENDING = max(map(len, _ENDINGS))
_SHORTEST_STEM = 4
_NO_HYPHENS = dict.fromkeys(map(ord, "-‐‑‒–−"))
# Words that stand together: how far apart they may be, what it is worth, where it counts, and for how many
# trials.
_CLOSE_SLOP = 3
_CLOSE_WEIGHT = 0.5
_CLOSE_FIELDS = {
    "BriefTitle": 1.0,
    "OfficialTitle": 0.6,
    "Condition": 0.8,
    "InterventionName": 0.8,
    "Keyword": 0.4,
    "BriefSummary": 0.4,
}
_CLOSE_TRIALS = 500


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score and the parts that it is made of."""

    text: str
    score: float
    parts: tuple[Explanation, ...] = ()

    def lines(self, depth: int = 0) -> list[str]:
        """Return the explanation as indented lines."""
        own = f"{'  ' * depth}{self.score:8.3f}  {self.text}"
        return [own, *(line for part in self.parts for line in part.lines(depth + 1))]


def area_fields(area: str) -> dict[str, float]:
    """Return the fields of an area, or the one field itself, with their weights.

    `X/headline` is the part of area X that holds titles and names.
    """
    base, _, part = area.partition("/")
    fields = AREAS.get(base, {base: 1.0})
    return {field: weight for field, weight in fields.items() if field in HEADLINE} if part else fields


class Evaluator:
    """Evaluates queries over one snapshot; remembers the results of the nodes of one query."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._known: dict[tuple[Query, str], Scores] = {}
        self._begun: dict[tuple[str, str], tuple[str, ...]] = {}

    def scores(self, query: Query, area: str = "BasicSearch") -> Scores:
        """Return document -> score of a query asked in an area. The dict is shared: do not change it."""
        key = (query, area)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._evaluate(query, area)
        return found

    def _evaluate(self, query: Query, area: str) -> Scores:
        match query:
            case All():
                return dict.fromkeys(self.snapshot.docs(), 0.0)
            case Nothing():
                return {}
            case Term(term):
                return self._term(term, area)
            case Near(terms, slop):
                return self._near(terms, slop, area)
            case Prefix(text):
                return self._prefix(text, area)
            case In(inner, part):
                return self.scores(part, inner)
            case And(parts):
                return self._and(parts, area)
            case Or(parts):
                return _sum(self.scores(part, area) for part in parts)
            case Not(part):
                return dict.fromkeys(self.snapshot.docs() - self.scores(part, area).keys(), 0.0)
            case Best(_, ways):
                best: Scores = {}
                for way in ways:
                    for doc, score in self.scores(way.part, area).items():
                        worth = score * way.weight
                        if worth > best.get(doc, -1.0):
                            best[doc] = worth
                return best
            case Close(part, terms):
                return self._close(self.scores(part, area), terms, area)
            case Code(field, code):
                return dict.fromkeys(self.snapshot.postings(field, code), 0.0)
            case Name(field, name):
                return self._name(field, name)
            case Range(field, low, high):
                return self._range(field, low, high)
            case Missing(field):
                return dict.fromkeys(self.snapshot.docs() - self.having(field), 0.0)
            case AgeIs(age):
                return self._age(age.days)
            case _:
                raise TypeError(f"{type(query).__name__} has to be expanded before it is evaluated")

    def having(self, field: str) -> set[int]:
        """Return the documents that have a value in a field."""
        if FIELDS[field].kind in {"day", "number"}:
            docs = self.snapshot.docs()
            return {
                doc
                for doc, value in enumerate(self.snapshot.column(field))
                if value is not None and doc in docs
            }
        return {doc for term, _ in self.snapshot.terms(field) for doc in self.snapshot.postings(field, term)}

    def _term(self, term: str, area: str) -> Scores:
        found: Scores = {}
        for field, weight in area_fields(area).items():
            for doc, score in self.snapshot.postings(field, term).items():
                found[doc] = found.get(doc, 0.0) + weight * score
        return found

    def near_in(self, field: str, terms: tuple[str, ...], slop: int) -> Scores:
        """Return document -> score where the terms stand together in one field: the sum of the terms'
        scores.
        """
        held = [(offset, term) for offset, term in enumerate(terms) if term]
        lists = [self.snapshot.postings(field, term) for _, term in held]
        if not all(lists):
            return {}
        docs = set.intersection(*(set(postings) for postings in sorted(lists, key=len)))
        if not docs:
            return {}
        places = [self.snapshot.positions(field, term, docs) for _, term in held]
        offsets = [offset for offset, _ in held]
        return {
            doc: sum(postings[doc] for postings in lists)
            for doc in docs
            if _together([place[doc] for place in places], offsets, slop)
        }

    def _near(self, terms: tuple[str, ...], slop: int, area: str) -> Scores:
        found: Scores = {}
        for field, weight in area_fields(area).items():
            if FIELDS[field].kind in {"text", "code"}:
                for doc, score in self.near_in(field, terms, slop).items():
                    found[doc] = found.get(doc, 0.0) + weight * score
        return found

    def prefix_terms(self, text: str, area: str) -> tuple[str, ...]:
        """Return the terms in an area that a prefix means, the most frequent first; at most 200.

        Terms are stems: `mesenchymal*` is longer than the term of mesenchymal, and `oedem*` is written
        otherwise. So the spellings of the prefix are taken, and stems whose ending it has begun.
        """
        key = (text, area)
        if key not in self._begun:
            self._begun[key] = self._prefix_terms(text, area)
        return self._begun[key]

    def _prefix_terms(self, text: str, area: str) -> tuple[str, ...]:
        folded = fold(text).translate(_NO_HYPHENS)
        beginnings = {folded, american(folded)}
        stems = {
            folded[:cut]
            for cut in range(max(_SHORTEST_STEM, len(folded) - _LONGEST_ENDING), len(folded))
            if any(ending.startswith(folded[cut:]) for ending in _ENDINGS)
        }
        stems.update(way[0] for unit in units(text) for way in unit.alternatives if len(way) == 1)
        frequencies: dict[str, int] = {}
        for field in area_fields(area):
            for beginning in beginnings - {""}:
                for term, frequency in self.snapshot.terms(field, beginning):
                    frequencies[term] = frequencies.get(term, 0) + frequency
            for stem in stems:
                if not stem.startswith(tuple(beginnings)) and (
                    frequency := self.snapshot.frequency(field, stem)
                ):
                    frequencies[stem] = frequencies.get(stem, 0) + frequency
        return tuple(sorted(frequencies, key=lambda term: (-frequencies[term], term))[:_PREFIX_WORDS])

    def _prefix(self, text: str, area: str) -> Scores:
        best: Scores = {}
        for word in self.prefix_terms(text, area):
            for doc, score in self.scores(Term(word), area).items():
                best[doc] = max(score, best.get(doc, 0.0))
        return best

    def _and(self, parts: tuple[Query, ...], area: str) -> Scores:
        wanted = sorted((self.scores(part, area) for part in parts if not isinstance(part, Not)), key=len)
        left = set(wanted[0]) if wanted else set(self.snapshot.docs())
        for scores in wanted[1:]:
            left &= scores.keys()
        for part in parts:
            if isinstance(part, Not):
                left -= self.scores(part.part, area).keys()
        return {doc: sum(scores[doc] for scores in wanted) for doc in left}

    def _close(self, scores: Scores, terms: tuple[str, ...], area: str) -> Scores:
        if not scores:
            return scores
        first = sorted(scores, key=lambda doc: -scores[doc])[:_CLOSE_TRIALS]
        docs = set(first)
        added = dict(scores)
        fields = area_fields(area).keys() & _CLOSE_FIELDS.keys()
        for pair in pairwise(terms):
            for field in sorted(fields):
                for doc, score in self.near_in_docs(field, pair, docs).items():
                    added[doc] += _CLOSE_WEIGHT * _CLOSE_FIELDS[field] * score
        return added

    def near_in_docs(self, field: str, pair: tuple[str, ...], docs: set[int]) -> Scores:
        """Return, of some documents, those with two terms close together in a field, in either order,
        and their score.
        """
        one, other = (self.snapshot.postings(field, term) for term in pair)
        both = docs & one.keys() & other.keys()
        if not both:
            return {}
        first, second = (self.snapshot.positions(field, term, both) for term in pair)
        return {
            doc: one[doc] + other[doc]
            for doc in both
            if any(0 < abs(a - b) <= _CLOSE_SLOP for a in first[doc] for b in second[doc])
        }

    def _name(self, field: str, name: str) -> Scores:
        wanted = same_country(name) if field == "Country" else (fold(name),)
        docs: set[int] = set()
        for key in wanted:
            docs.update(self.snapshot.postings(field, key))
            if field not in {"Country", "AnyId"}:
                for term, _ in self.snapshot.terms(field, f"{key}\t"):
                    docs.update(self.snapshot.postings(field, term))
        if field == "AnyId":
            docs.update(self.snapshot.postings(field, name.upper()))
        return dict.fromkeys(docs, 0.0)

    def _range(self, field: str, low: str | None, high: str | None) -> Scores:
        first = self.snapshot.column(field)
        last = self.snapshot.column(f"{field}Last") if FIELDS[field].kind == "day" else first
        lowest, highest = _bounds(field, low, high)
        return {
            doc: 0.0
            for doc in self.snapshot.docs()
            if (start := first[doc]) is not None
            and (end := last[doc]) is not None
            and end >= lowest
            and start <= highest
        }

    def _age(self, days: float) -> Scores:
        low, high = self.snapshot.column("MinimumAge"), self.snapshot.column("MaximumAge")
        return {
            doc: 0.0
            for doc in self.snapshot.docs()
            if ((least := low[doc]) is None or least <= days)
            and ((most := high[doc]) is None or most >= days)
        }

    def explain(self, query: Query, doc: int, area: str = "BasicSearch") -> Explanation | None:
        """Return how the score of a document came about; None where the query does not find it."""
        score = self.scores(query, area).get(doc)
        if score is None:
            return None
        match query:
            case Term(term):
                parts = tuple(
                    Explanation(f"{field}: {weight:g} x BM25 {self.snapshot.postings(field, term)[doc]:.3f}",
                                weight * self.snapshot.postings(field, term)[doc])
                    for field, weight in area_fields(area).items()
                    if doc in self.snapshot.postings(field, term)
                )  # fmt: skip
                return Explanation(f"term {term} in {area}, sum over its fields", score, parts)
            case Near(terms, slop):
                parts = tuple(
                    Explanation(f"{field}: {weight:g} x sum of BM25 {found[doc]:.3f}", weight * found[doc])
                    for field, weight in area_fields(area).items()
                    if FIELDS[field].kind in {"text", "code"}
                    and doc in (found := self.near_in(field, terms, slop))
                )
                return Explanation(f"phrase {query} in {area}, sum over its fields", score, parts)
            case In(inner, part):
                return self.explain(part, doc, inner)
            case Prefix(text):
                words = [
                    word for word in self.prefix_terms(text, area) if doc in self.scores(Term(word), area)
                ]
                top = max(words, key=lambda word: self.scores(Term(word), area)[doc])
                below = self.explain(Term(top), doc, area)
                return Explanation(f"{query}: the best of its words", score, (below,) if below else ())
            case And(inner_parts) | Or(inner_parts):
                found_parts = [self.explain(part, doc, area) for part in inner_parts]
                kind = "all of" if isinstance(query, And) else "any of"
                return Explanation(f"{kind}, sum", score, tuple(part for part in found_parts if part))
            case Best(text, ways):
                worth = {way: self.scores(way.part, area).get(doc, -1.0) * way.weight for way in ways}
                best = max(ways, key=lambda way: worth[way])
                inner_explanation = self.explain(best.part, doc, area)
                how = "as typed" if best.how == "typed" else f"by {best.how} {best.text!r}"
                return Explanation(
                    f"{text}: {how}, x {best.weight:g}",
                    score,
                    (inner_explanation,) if inner_explanation else (),
                )
            case Close(part, _):
                below = self.explain(part, doc, area)
                if below is None:
                    return None
                bonus = Explanation("words close together in heavy fields", score - below.score)
                return Explanation(
                    "score with closeness, sum", score, (below, bonus) if bonus.score else (below,)
                )
            case _:
                return Explanation(f"{query} selects, and adds nothing to the score", score)


def _sum(all_scores: Iterable[Scores]) -> Scores:
    found: Scores = {}
    for scores in all_scores:
        for doc, score in scores.items():
            found[doc] = found.get(doc, 0.0) + score
    return found


def _together(places: list[list[int]], offsets: list[int], slop: int) -> bool:
    """Whether the terms stand in order with at most `slop` more words between them than the phrase itself
    has.

    `places`: ascending positions of each term; `offsets`: their places in the phrase.
    """
    for start in places[0]:
        reached, room = start, slop
        for number in range(1, len(places)):
            step = offsets[number] - offsets[number - 1]
            following = next(
                (place for place in places[number] if reached + step <= place <= reached + step + room), None
            )
            if following is None:
                break
            room -= following - reached - step
            reached = following
        else:
            return True
    return False


def _bounds(field: str, low: str | None, high: str | None) -> tuple[float, float]:
    def value(text: str, which: int) -> float:
        if FIELDS[field].kind == "day":
            return float(date_range(text)[which].toordinal())
        age = parse_age(text) if field.endswith("Age") else None
        return age.days if age else float(text)

    return (
        value(low, 0) if low is not None else float("-inf"),
        value(high, 1) if high is not None else float("inf"),
    )
