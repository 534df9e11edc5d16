"""The query as frozen data: what was asked, and what it was widened to.

Parsing gives a tree of the nodes of the first part; `str` of it is an expression in the registry's language
that parses back to the same tree. Expansion maps that tree to one that also has the nodes of the second
part, the ways in which each word may be met; its `str` shows them.

>>> str(And((Words("lupus nephritis"), Not(In("TitleSearch", Words("children"))))))
'lupus nephritis AND NOT AREA[TitleSearch]children'
>>> str(Or((Phrase('say "ah"'), Words("NOT me"))))
'"say \\\\"ah\\\\"" OR \\\\NOT me'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trialindex.dates import Age

__all__ = [
    "OPERATORS", "AgeIs", "All", "And", "Best", "Close", "Code", "In", "Missing", "Name", "Near", "Not",
    "Nothing", "Or", "Phrase", "Prefix", "Query", "Range", "Term", "Way", "Words", "children",
]  # fmt: skip

OPERATORS = frozenset({"AND", "OR", "NOT", "ALL", "MISSING", "RANGE", "AREA"})


@dataclass(frozen=True, slots=True)
class All:
    """Every trial."""

    def __str__(self) -> str:
        return "ALL"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No trial: what is left of words that are all function words."""

    text: str

    def __str__(self) -> str:
        return Words(self.text).__str__()


@dataclass(frozen=True, slots=True)
class Words:
    """A run of words, all of them asked, in any order and place of the area."""

    text: str

    def __str__(self) -> str:
        return " ".join(_escaped(word) for word in self.text.split())


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side, in this order."""

    text: str

    def __str__(self) -> str:
        quoted = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins with the text."""

    text: str

    def __str__(self) -> str:
        return f"{_escaped(self.text)}*"


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts; two or more, none of them an And."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " AND ".join(_inner(part, (Or, And)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts; two or more, none of them an Or."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " OR ".join(_inner(part, (Or,)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """Every trial that the part does not find."""

    part: Query

    def __str__(self) -> str:
        return f"NOT {_inner(self.part, (And, Or))}"


@dataclass(frozen=True, slots=True)
class In:
    """The part, asked in an area or a text field."""

    area: str
    part: Query

    def __str__(self) -> str:
        several = isinstance(self.part, Words | Best) and " " in str(self.part).strip()
        return f"AREA[{self.area}]" + (f"({self.part})" if several else _inner(self.part, (And, Or)))


@dataclass(frozen=True, slots=True)
class Code:
    """A code field that holds a code: `AREA[Phase]PHASE2`."""

    field: str
    code: str

    def __str__(self) -> str:
        return f"AREA[{self.field}]{self.code}"


@dataclass(frozen=True, slots=True)
class Name:
    """A field of whole names that holds a name: `AREA[Country]"United States"`."""

    field: str
    name: str

    def __str__(self) -> str:
        return f"AREA[{self.field}]{Phrase(self.name)}"


@dataclass(frozen=True, slots=True)
class Range:
    """A day or number field between two bounds, both included; None is open.

    Days are `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; a partial date is a range itself, and matches where the two
    overlap.
    """

    field: str
    low: str | None
    high: str | None

    def __str__(self) -> str:
        return f"AREA[{self.field}]RANGE[{self.low or 'MIN'}, {self.high or 'MAX'}]"


@dataclass(frozen=True, slots=True)
class Missing:
    """Trials without a value in the field."""

    field: str

    def __str__(self) -> str:
        return f"AREA[{self.field}]MISSING"


@dataclass(frozen=True, slots=True)
class AgeIs:
    """Trials that a patient of this age may join; a bound that the record does not state does not exclude."""

    age: Age

    def __str__(self) -> str:
        return f'age:"{self.age}"'


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the index."""

    term: str

    def __str__(self) -> str:
        return self.term


@dataclass(frozen=True, slots=True)
class Near:
    """Terms of the index in this order, side by side but for `slop` more words; "" is any one word."""

    terms: tuple[str, ...]
    slop: int = 0

    def __str__(self) -> str:
        return '"' + " ".join(term or "…" for term in self.terms) + '"'


@dataclass(frozen=True, slots=True)
class Way:
    """One way to meet what was asked.

    `how`: typed, synonym or spelling. `text`: the words of this way, for a person. `weight`: what its score
    is worth against the words as typed.
    """

    how: str
    text: str
    part: Query
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Best:
    """What was typed (`text`) and the ways to meet it; the best way gives the score."""

    text: str
    ways: tuple[Way, ...]

    def __str__(self) -> str:
        marks = {"typed": "", "synonym": "=", "spelling": "~"}
        others = [f"{marks[way.how]}{way.text}" for way in self.ways if way.how != "typed"]
        return f"{self.text} [{'; '.join(others)}]" if others else self.text


@dataclass(frozen=True, slots=True)
class Close:
    """The part; trials that have the terms close together in heavy fields score more."""

    part: Query
    terms: tuple[str, ...]

    def __str__(self) -> str:
        return str(self.part)


Query = (
    All | Nothing | Words | Phrase | Prefix | And | Or | Not | In | Code | Name | Range | Missing | AgeIs |
    Term | Near | Best | Close
)  # fmt: skip


def children(query: Query) -> Iterator[Query]:
    """Yield the parts of a node, ways included."""
    match query:
        case And(parts) | Or(parts):
            yield from parts
        case Not(part) | In(_, part) | Close(part, _):
            yield part
        case Best(_, ways):
            yield from (way.part for way in ways)


def _escaped(word: str) -> str:
    """Return a word so that parsing takes it literally."""
    word = re.sub(r'([\\"()\[\]*\s])', r"\\\1", word)
    if word in OPERATORS or re.match(r"[A-Za-z]+:", word):
        return "\\" + word
    return word


def _inner(part: Query, wrapped: tuple[type, ...]) -> str:
    if isinstance(part, Close):
        part = part.part
    return f"({part})" if isinstance(part, wrapped) else str(part)
