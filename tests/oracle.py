"""A second evaluator of queries, by brute force: it scans every trial for every node, by the formula.

It shares nothing with evaluation, expansion or storage but analysis, the tables of fields and areas (which
are the contract) and the nodes of the query. A term, a phrase, a window, a group scores BM25F (Robertson,
Zaragoza, Taylor 2004), k1 = 1.2, b = 0.75, with the idf ln(1 + (N - n + 0.5) / (n + 0.5)).
"""

from __future__ import annotations

import calendar
import fnmatch
import math
from collections import Counter
from collections.abc import Callable, Collection
from datetime import date
from functools import cache
from itertools import pairwise, product

from trialindex.analysis import tokens
from trialindex.fields import AREAS, FIELDS, HEADLINE, UNMEASURED
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Best,
    Boost,
    Code,
    Fuzzy,
    Group,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Optional,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Tiers,
    Tilted,
    Unless,
    Verified,
    Way,
    Wildcard,
    Within,
    Words,
)

__all__ = ["Oracle", "near"]

_K1, _B = 1.2, 0.75
_GAP = 16
_AGE_DAYS = {"Month": 30.4375, "Months": 30.4375, "Year": 365.25, "Years": 365.25, "Days": 1.0}

Scores = dict[str, float]
# trial -> field -> how often
Counts = dict[str, dict[str, int]]


class Oracle:
    """Answers over trials given as {id: {piece: values}} in plain text.

    `deleted`: ids of trials that still count in frequencies and mean lengths, and are never found.
    """

    def __init__(self, trials: dict[str, dict[str, list[str]]], deleted: Collection[str] = ()) -> None:
        self.trials = trials
        self.deleted = deleted
        # trial -> field -> [(position, term)]
        self._held = {
            trial: {field: _places(values) for field, values in held.items() if FIELDS[field].kind == "text"}
            for trial, held in trials.items()
        }

    def answer(self, query: Query, area: str = "BasicSearch") -> Scores:
        """Return id -> score of the trials that a query finds."""
        found = self._answer(query, area)
        return {trial: score for trial, score in found.items() if trial not in self.deleted}

    def ranked(self, query: Query, area: str = "BasicSearch") -> list[tuple[str, float]]:
        """Return (id, score), the highest score first, of equal ones the least id."""
        return sorted(self.answer(query, area).items(), key=lambda entry: (-entry[1], entry[0]))

    def _answer(self, query: Query, area: str) -> Scores:
        match query:
            case Nothing():
                return {}
            case Words(text):
                return self._all([self._scored(Term(word), area) for word in text.split()])
            case Phrase(text):
                return self._scored(Near(tuple(text.split())), area)
            case Term() | Near() | Within() | Group():
                return self._scored(query, area)
            case Prefix() | Wildcard() | Fuzzy():
                return self._best([(self._scored(Term(t), area), w) for t, w in self._meant(query).items()])
            case In(inner, part):
                return self._answer(part, inner)
            case And(parts):
                return self._all([self._answer(part, area) for part in parts])
            case Or(parts):
                return self._sum([self._answer(part, area) for part in parts])
            case Best(_, ways):
                return self._best([(self._answer(way.part, area), self._worth(way, area)) for way in ways])
            case Tilted(field, part):
                return {t: score * self._tilt(t, field) for t, score in self._answer(part, area).items()}
            case Verified(text, how, part):
                found = self._answer(part, area)
                return {t: score for t, score in found.items() if self._has(t, text, how, area)}
            case Tiers(_, parts):
                return self._tiers([self._answer(part, area) for part in parts])
            case Boost(part, weight):
                return {trial: weight * score for trial, score in self._answer(part, area).items()}
            case Unless(part, wrong):
                out = self._answer(wrong, area)
                return {t: score for t, score in self._answer(part, area).items() if t not in out}
            case Optional(part, wish):
                more = self._answer(wish, area)
                return {t: score + more.get(t, 0.0) for t, score in self._answer(part, area).items()}
        return dict.fromkeys(self._selected(query, area), 0.0)

    def _selected(self, query: Query, area: str) -> list[str]:
        match query:
            case All():
                return list(self.trials)
            case Not(part):
                out = self._answer(part, area)
                return [trial for trial in self.trials if trial not in out]
            case Code(field, code):
                return self._where(lambda held: code in held.get(field, []))
            case Name(field, name):
                return self._where(lambda held: name in held.get(field, []))
            case Missing(field):
                return self._where(lambda held: not held.get(field))
            case Range(field, low, high):
                return self._where(lambda held: _within(held.get(field, []), low, high))
            case AgeIs(age):
                days = age.number * _AGE_DAYS[f"{age.unit.capitalize()}s"]
                return self._where(
                    lambda held: (
                        all(_days(text) <= days for text in held.get("MinimumAge", []))
                        and all(_days(text) >= days for text in held.get("MaximumAge", []))
                    )
                )
        raise TypeError(f"the oracle does not know {query!r}")

    def _where(self, holds: Callable[[dict[str, list[str]]], bool]) -> list[str]:
        return [trial for trial, held in self.trials.items() if holds(held)]

    def _all(self, answers: list[Scores]) -> Scores:
        return {
            trial: sum(answer[trial] for answer in answers)
            for trial in self.trials
            if all(trial in answer for answer in answers)
        }

    def _sum(self, answers: list[Scores]) -> Scores:
        found: Scores = {}
        for answer in answers:
            for trial, score in answer.items():
                found[trial] = found.get(trial, 0.0) + score
        return found

    def _best(self, answers: list[tuple[Scores, float]]) -> Scores:
        found: Scores = {}
        for answer, weight in answers:
            for trial, score in answer.items():
                found[trial] = max(weight * score, found.get(trial, 0.0))
        return found

    def _worth(self, way: Way, area: str) -> float:
        if way.than is None:
            return way.weight
        return way.weight * min(1.0, self._rarity(way.than, area) / self._rarity(way.part, area))

    def _tiers(self, answers: list[Scores]) -> Scores:
        found: Scores = {}
        least = math.inf
        for answer in answers:
            new = {trial: score for trial, score in answer.items() if trial not in found}
            share = min(1.0, 0.99 * least / max(new.values(), default=0.0)) if any(new.values()) else 1.0
            new = {trial: score * share for trial, score in new.items()}
            found |= new
            least = min(new.values(), default=least)
        return found

    def _tilt(self, trial: str, field: str) -> float:
        values = {
            one: _highest(held[field][0])
            for one, held in self.trials.items()
            if one not in self.deleted and held.get(field)
        }
        if not self.trials[trial].get(field):
            return 0.5
        own = _highest(self.trials[trial][field][0])
        lower = sum(value < own for value in values.values())
        most = sum(value < max(values.values()) for value in values.values()) if values else 0
        return 0.5 + 0.5 * min(1.0, lower / most if most else 1.0)

    def _has(self, trial: str, text: str, how: str, area: str) -> bool:
        for field in _weights(area):
            for value in self.trials[trial].get(field, []):
                # All words here are of letters, parted by one space: a text is some of them in a row.
                held, asked = f" {value} ", f" {text} "
                if how in {"FullMatch", "StartsWith"} and not held.startswith(asked):
                    continue
                if how in {"FullMatch", "EndsWith"} and not held.endswith(asked):
                    continue
                if asked in held and (how != "FullMatch" or held == asked):
                    return True
        return False

    # What has a frequency

    def _scored(self, query: Query, area: str) -> Scores:
        weights = _weights(area)
        found = {}
        rarity = self._rarity(query, area)
        for trial, counts in self._counts(query, area).items():
            tf = sum(weights[field] * count for field, count in counts.items())
            found[trial] = self.bm25f(rarity, tf, trial, area)
        return found

    def bm25f(self, idf: float, tf: float, trial: str, area: str) -> float:
        mean = self._mean(area)
        share = self._length(trial, area) / mean if mean else 1.0
        return idf * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * share))

    @cache  # noqa: B019  an oracle lives as long as its tests
    def _mean(self, area: str) -> float:
        return sum(self._length(trial, area) for trial in self.trials) / len(self.trials)

    def _length(self, trial: str, area: str) -> float:
        weights = _weights(area)
        measured = {field: weight for field, weight in weights.items() if field not in UNMEASURED} or weights
        return sum(weight * len(self._held[trial].get(field, [])) for field, weight in measured.items())

    def _rarity(self, query: Query, area: str) -> float:
        if isinstance(query, Near | Within):
            return sum(self._idf(len(self._counts(Term(term), area))) for term in query.terms if term)
        return self._idf(len(self._counts(query, area)))

    def _idf(self, n: int) -> float:
        return math.log(1 + (len(self.trials) - n + 0.5) / (n + 0.5))

    def _counts(self, query: Query, area: str) -> Counts:
        if isinstance(query, In):
            return self._counts(query.part, query.area)
        if isinstance(query, Near) and query.denied and not self._is_denied(query):
            query = Near(query.terms, query.slop)
        found: Counts = {}
        for trial, held in self._held.items():
            if isinstance(query, Group):
                total: Counter[str] = Counter()
                for part in query.parts:
                    total.update(self._counts(part, area).get(trial, {}))
                counts = dict(total)
            else:
                counts = {
                    field: count
                    for field in _weights(area)
                    if (
                        count := _count(query, held.get(field, []), _spans(self.trials[trial].get(field, [])))
                    )
                }
            if counts:
                found[trial] = counts
        return found

    def _is_denied(self, query: Near) -> bool:
        """Whether any trial writes the denial and the first term of a phrase as one word."""
        first = next((term for term in query.terms if term), "")
        known = {term for held in self._held.values() for places in held.values() for _, term in places}
        return any(term.startswith(query.denied + first[:3]) for term in known)

    def _meant(self, query: Prefix | Wildcard | Fuzzy) -> dict[str, float]:
        known = {term for held in self._held.values() for places in held.values() for _, term in places}
        match query:
            case Prefix(text):
                return {term: 1.0 for term in known if term.startswith(text)}
            case Wildcard(text):
                return {term: 1.0 for term in known if fnmatch.fnmatchcase(term, text)}
            case Fuzzy(word, edits, prefix):
                near = {term: osa(word, term) for term in known if term[:prefix] == word[:prefix]}
                worth = {t: 1 - e / min(len(t), len(word)) for t, e in near.items() if e <= min(edits, 2)}
                return {term: share for term, share in worth.items() if share > 0}


def _places(values: list[str]) -> list[tuple[int, str]]:
    """Return (position, term) of the values of a field."""
    base, found = 0, []
    for value in values:
        held = tokens(value)
        found += [(base + token.position, token.term) for token in held]
        base += (held[-1].position + 1 if held else 0) + _GAP
    return found


def _spans(values: list[str]) -> list[tuple[int, int]]:
    """Return where each value of a field starts, and where it ends."""
    base, found = 0, []
    for value in values:
        held = tokens(value)
        found.append((base, base + (held[-1].position + 1 if held else 0)))
        base = found[-1][1] + _GAP
    return found


def _count(query: Query, places: list[tuple[int, str]], spans: list[tuple[int, int]]) -> int:
    """Return how often a term, a phrase or a window is in the places of one field, whose values stand at
    these spans.
    """
    held: dict[str, list[int]] = {}
    for place, term in places:
        held.setdefault(term, []).append(place)
    match query:
        case Term(term):
            return len(held.get(term, []))
        case Near(terms, slop, denied, begins, ends):
            asked = [(offset, term) for offset, term in enumerate(terms) if term]
            out = {place + 1 for place in held.get(denied, [])}
            steps = [after[0] - before[0] for before, after in pairwise(asked)]
            choices = product(*(held.get(term, []) for _, term in asked))
            starts = {
                chosen[0]
                for chosen in choices
                if all(
                    after - before >= step
                    for (before, after), step in zip(pairwise(chosen), steps, strict=True)
                )
                and chosen[-1] - chosen[0] - sum(steps) <= min(slop, _GAP - max(steps, default=1))
                and chosen[0] not in out
                and (not begins or any(chosen[0] - asked[0][0] <= a <= chosen[0] < b for a, b in spans))
                and (not ends or any(chosen[-1] + 1 == b for _, b in spans))
            }
            return len(starts) if asked else 0
        case Within(terms, window):
            wanted, window = {term for term in terms if term}, min(window, _GAP + 1)
            if not wanted or not wanted <= held.keys():
                return 0
            starts = set()
            for end in {place for term in wanted for place in held[term]}:
                latest = [max((p for p in held[term] if p <= end), default=None) for term in wanted]
                if None not in latest and end - min(latest) < window:  # type: ignore[type-var, operator]
                    starts.add(min(latest))  # type: ignore[type-var]
            return len(starts)
    raise TypeError(f"{query!r} has no frequency")


def near(places: list[list[int]], slop: int) -> bool:
    """Whether one place of each list, in order, stand together but for `slop` more words: all choices
    tried.
    """
    return any(
        all(before < after for before, after in pairwise(chosen))
        and chosen[-1] - chosen[0] - (len(chosen) - 1) <= slop
        for chosen in product(*places)
    )


def osa(one: str, other: str) -> int:
    """Return the edits between two words, swapped neighbours being one, by the textbook's table."""
    rows = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            least = min(
                rows[i - 1, j] + 1, rows[i, j - 1] + 1, rows[i - 1, j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                least = min(least, rows[i - 2, j - 2] + 1)
            rows[i, j] = least
    return rows[len(one), len(other)]


def _weights(area: str) -> dict[str, float]:
    base, _, part = area.partition("/")
    fields = AREAS.get(base, {base: 1.0})
    return {
        field: weight
        for field, weight in fields.items()
        if FIELDS[field].kind == "text" and (not part or field in HEADLINE)
    }


def _days(text: str) -> float:
    number, unit = text.split()
    return float(number) * _AGE_DAYS[unit]


def _span(text: str) -> tuple[date, date]:
    """Return the first and last day of a date that may lack day and month."""
    year, *rest = (int(part) for part in text.split("-"))
    if not rest:
        return date(year, 1, 1), date(year, 12, 31)
    if len(rest) == 1:
        return date(year, rest[0], 1), date(year, rest[0], calendar.monthrange(year, rest[0])[1])
    return date(year, *rest), date(year, *rest)


def _highest(text: str) -> float:
    """Return the number that a value is ordered by: of a date its last day."""
    if " " in text:
        return _days(text)
    return float(text) if text.isdigit() and len(text) != 4 else float(_span(text)[1].toordinal())


def _within(held: list[str], low: str | None, high: str | None) -> bool:
    if not held:
        return False
    if held[0].isdigit() and len(held[0]) != 4:
        number = int(held[0])
        return (low is None or number >= int(low)) and (high is None or number <= int(high))
    first, last = _span(held[0])
    return (low is None or last >= _span(low)[0]) and (high is None or first <= _span(high)[1])
