r"""The grammar of the registry's expressions, once more: a plain recursive descent, for the oracle.

It shares no code with `trialsearch.parse`. A tree is a tuple whose first entry says what it is.

>>> parse('heart attack AND NOT AREA[Phase]"PHASE3"')
('and', ('term', 'heart attack'), ('not', ('area', 'Phase', ('phrase', 'PHASE3'))))
>>> parse("AREA[Phase](PHASE2 OR PHASE3)")
('area', 'Phase', ('group', ('or', ('term', 'PHASE2'), ('term', 'PHASE3'))))
>>> parse(r"\ALL OR ALL")
('or', ('term', 'ALL'), ('all',))
>>> parse("asthma OR")  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
    ...
Refused: nothing stands here: ''
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["SHORT", "Refused", "Tree", "parse"]

Tree = tuple[Any, ...]

_BRACKETED = ("AREA", "SEARCH", "EXPANSION", "COVERAGE", "TILT", "RANGE", "DISTANCE")
_LEVELS = ("None", "Term", "Concept", "Relaxation", "Lossy")
_COVERAGES = ("FullMatch", "StartsWith", "EndsWith", "Contains")
# The short forms that the tests ask.
SHORT = {
    "cond": "ConditionSearch",
    "intr": "InterventionSearch",
    "title": "TitleSearch",
    "city": "LocationCity",
    "status": "OverallStatus",
    "phase": "Phase",
    "sex": "Sex",
    "start": "StartDate",
    "enrollment": "EnrollmentCount",
    "results": "HasResults",
}


class Refused(Exception):
    """An expression that the language does not have."""


def parse(text: str) -> Tree:
    """Return the tree of an expression. Raises Refused."""
    reader = _Reader(_tokens(text))
    tree = reader.either()
    if reader.left:
        raise Refused(f"closes nothing: {reader.left[0]}")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    """Cut a text into (kind, text): `(`, `)`, `quoted`, `word` (as typed), or an operator with what stands in
    its brackets.
    """
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        char = text[place]
        if char.isspace():
            place += 1
        elif char in "()":
            found.append((char, char))
            place += 1
        elif char == '"':
            end = place + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise Refused("the quote is never closed")
            found.append(("quoted", _plain(text[place + 1 : end])))
            place = end + 1
        elif operator := next((name for name in _BRACKETED if text.startswith(name + "[", place)), ""):
            end = text.find("]", place)
            if end < 0:
                raise Refused("the bracket is never closed")
            found.append((operator, text[place + len(operator) + 1 : end].strip()))
            place = end + 1
        else:
            end = place
            while end < len(text) and not text[end].isspace() and text[end] not in '()"':
                end += 2 if text[end] == "\\" else 1
            found += _word(text[place:end])
            place = end
    return found


def _word(word: str) -> list[tuple[str, str]]:
    """Return the tokens of a word: `phase:2` is two; of `cond:(a b)` this is the first part."""
    name, colon, rest = word.partition(":")
    if colon and (name in SHORT or name == "age"):
        return [("short", name), *([("word", rest)] if rest else [])]
    return [("word", word)]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens

    def _next_is(self, *words: str) -> bool:
        return bool(self.left) and self.left[0][0] == "word" and self.left[0][1] in words

    def either(self) -> Tree:
        parts = [self.all_of()]
        while self._next_is("OR"):
            self.left.pop(0)
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else ("or", *parts)

    def all_of(self) -> Tree:
        parts = [self.operand()]
        while self.left and self.left[0][0] != ")" and not self._next_is("OR"):
            if self._next_is("AND"):
                self.left.pop(0)
            parts.append(self.operand())
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def operand(self) -> Tree:
        if not self.left or self.left[0][0] == ")" or self._next_is("AND", "OR"):
            raise Refused(f"nothing stands here: {self.left[0][1] if self.left else ''!r}")
        if self._next_is("NOT"):
            self.left.pop(0)
            return ("not", self.operand())
        kind, text = self.left.pop(0)
        match kind:
            case "(":
                tree = self.either()
                if not self.left:
                    raise Refused("the parenthesis is never closed")
                self.left.pop(0)
                return ("group", tree)
            case "quoted":
                return ("phrase", text)
            case "AREA":
                return ("area", text, self.operand())
            case "SEARCH":
                if text not in {"Study", "Location"}:
                    raise Refused(f"no SEARCH[{text}]")
                return ("search", text, self.operand())
            case "EXPANSION":
                if text not in _LEVELS:
                    raise Refused(f"no EXPANSION[{text}]")
                return ("expansion", text, self.operand())
            case "COVERAGE":
                if text not in _COVERAGES:
                    raise Refused(f"no COVERAGE[{text}]")
                return ("coverage", text, self.operand())
            case "TILT":
                return ("tilt", text, self.operand())
            case "RANGE":
                low, comma, high = text.partition(",")
                if not comma:
                    raise Refused("RANGE takes two bounds")
                return ("range", low.strip(), high.strip())
            case "DISTANCE":
                return ("distance", *_circle(text))
            case "short":
                return self._short(text)
            case _:
                return self._run(text)

    def _short(self, name: str) -> Tree:
        if name == "age":
            return ("age", self.left.pop(0)[1])
        # A short form takes the next word alone.
        one = self.left and self.left[0][0] == "word"
        part = ("term", _plain(self.left.pop(0)[1])) if one else self.operand()
        return ("area", SHORT[name], part)

    def _run(self, first: str) -> Tree:
        if first == "MISSING":
            return ("missing",)
        words = [first]
        while self.left and self.left[0][0] == "word" and not self._next_is("AND", "OR", "NOT", "MISSING"):
            words.append(self.left.pop(0)[1])
        # Within a run it is a word: relapsed ALL is a disease.
        if words == ["ALL"]:
            return ("all",)
        if len(words) == 1 and re.fullmatch(r"\w+\*", first):
            return ("prefix", first[:-1])
        return ("term", _plain(" ".join(words)))


def _circle(text: str) -> tuple[float, float, float]:
    """Return latitude, longitude and the radius in miles."""
    match = re.fullmatch(r"([-+.\d]+)\s*,\s*([-+.\d]+)\s*,\s*([.\d]+)\s*(mi|km)", text.strip())
    if match is None:
        raise Refused(f"no circle: {text}")
    latitude, longitude, radius = float(match[1]), float(match[2]), float(match[3])
    miles = radius if match[4] == "mi" else radius / 1.609344
    if not 1 <= miles <= 500 or abs(latitude) > 90 or abs(longitude) > 180:
        raise Refused(f"no circle that can be asked: {text}")
    return latitude, longitude, miles
