"""A second evaluator of parsed queries, by brute force: it scans every study for every node.

It shares nothing with evaluation, expansion or storage but the tables of fields and areas (which are the
contract) and the nodes of the query. Its tokenizer is plain (lower case, split at spaces), so it is right
only for texts of made-up words that no stemmer, synonym or stop word touches. Its score is BM25 as Robertson
and Zaragoza (2009) write it, k1 = 1.2, b = 0.75, with Whoosh's idf: ln(N / (n + 1)) + 1, summed over the
fields of an area by weight. Whoosh keeps a field's length in one byte, exact up to ten words.
"""

from __future__ import annotations

import calendar
import math
from datetime import date
from itertools import product
from typing import Any

from trialindex.fields import AREAS, FIELDS
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Code,
    In,
    Missing,
    Name,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Words,
)

__all__ = ["Oracle"]

_K1, _B = 1.2, 0.75
_GAP = 100
_AGE_DAYS = {"Month": 30.4375, "Months": 30.4375, "Year": 365.25, "Years": 365.25, "Days": 1.0}


class Oracle:
    """Answers over studies given as {id: {piece: values}} in plain text."""

    def __init__(self, trials: dict[str, dict[str, list[str]]]) -> None:
        self.trials = trials

    def answer(self, query: Query, area: str = "BasicSearch") -> dict[str, float]:
        """Return id -> score of the trials that a parsed query finds."""
        match query:
            case All():
                return dict.fromkeys(self.trials, 0.0)
            case Words(text):
                return self._all([self._word(word, area) for word in text.split()])
            case Prefix(text):
                held = {
                    word
                    for field in _weights(area)
                    for trial in self.trials
                    for _, word in self._tokens(trial, field)
                    if word.startswith(text)
                }
                best: dict[str, float] = {}
                for word in held:
                    for trial, score in self._word(word, area).items():
                        best[trial] = max(score, best.get(trial, 0.0))
                return best
            case Phrase(text):
                return self._phrase(text.split(), area)
            case In(inner, part):
                return self.answer(part, inner)
            case And(parts):
                return self._all([self.answer(part, area) for part in parts])
            case Or(parts):
                found: dict[str, float] = {}
                for part in parts:
                    for trial, score in self.answer(part, area).items():
                        found[trial] = found.get(trial, 0.0) + score
                return found
            case Not(part):
                out = self.answer(part, area)
                return {trial: 0.0 for trial in self.trials if trial not in out}
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

    def _where(self, holds: Any) -> dict[str, float]:
        return {trial: 0.0 for trial, held in self.trials.items() if holds(held)}

    def _all(self, answers: list[dict[str, float]]) -> dict[str, float]:
        return {
            trial: sum(answer[trial] for answer in answers)
            for trial in self.trials
            if all(trial in answer for answer in answers)
        }

    def _tokens(self, trial: str, field: str) -> list[tuple[int, str]]:
        place, found = 0, []
        for value in self.trials[trial].get(field, []):
            for word in value.split():
                found.append((place, word))
                place += 1
            place += _GAP
        return found

    def _bm25(self, word: str, field: str) -> dict[str, float]:
        held = {trial: [token for _, token in self._tokens(trial, field)] for trial in self.trials}
        count = {trial: tokens.count(word) for trial, tokens in held.items()}
        n = sum(1 for number in count.values() if number)
        idf = math.log(len(self.trials) / (n + 1)) + 1
        mean = sum(map(len, held.values())) / len(held)
        return {
            trial: idf * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * len(held[trial]) / mean))
            for trial, tf in count.items()
            if tf
        }

    def _word(self, word: str, area: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for field, weight in _weights(area).items():
            for trial, score in self._bm25(word, field).items():
                found[trial] = found.get(trial, 0.0) + weight * score
        return found

    def _phrase(self, words: list[str], area: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for field, weight in _weights(area).items():
            scores = [self._bm25(word, field) for word in words]
            for trial in self.trials:
                held = dict(self._tokens(trial, field))
                if any(
                    all(held.get(start + step) == word for step, word in enumerate(words)) for start in held
                ):
                    found[trial] = found.get(trial, 0.0) + weight * sum(score[trial] for score in scores)
        return found


def near(places: list[list[int]], slop: int) -> bool:
    """Whether one place of each list, in order, stand together but for `slop` more words: all choices
    tried.
    """
    return any(
        all(chosen[i] < chosen[i + 1] for i in range(len(chosen) - 1))
        and chosen[-1] - chosen[0] - (len(chosen) - 1) <= slop
        for chosen in product(*places)
    )


def _weights(area: str) -> dict[str, float]:
    fields = AREAS.get(area, {area: 1.0})
    return {field: weight for field, weight in fields.items() if FIELDS[field].kind == "text"}


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


def _within(held: list[str], low: str | None, high: str | None) -> bool:
    if not held:
        return False
    if held[0].isdigit() and len(held[0]) != 4:
        number = int(held[0])
        return (low is None or number >= int(low)) and (high is None or number <= int(high))
    first, last = _span(held[0])
    return (low is None or last >= _span(low)[0]) and (high is None or first <= _span(high)[1])
