"""The query as frozen data: what was asked, and what it was widened to.

Parsing gives a tree of the nodes of the first part; `str` of it is an expression in the registry's language
that parses back to the same tree, where it is no longer and no deeper than a text may be. Expansion maps that
tree to one that also has the nodes of the second part, the ways in which each word may be met; its `str`
shows them.

>>> str(And((Words("lupus nephritis"), Not(In("TitleSearch", Words("children"))))))
'lupus nephritis AND NOT AREA[TitleSearch]children'
>>> str(Or((Phrase('say "ah"'), Words("NOT me"))))
'"say \\\\"ah\\\\"" OR \\\\NOT me'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from trialindex.dates import Age
from trialindex.frozen import frozen

__all__ = [
    "COVERAGES", "LEVELS", "OPERATORS", "AgeIs", "All", "And", "AtSite", "Best", "Boost", "Code", "Covered",
    "Distance", "Expanded", "Fuzzy", "Group", "In", "Missing", "Name", "Near", "Not", "Nothing", "Optional",
    "Or", "Phrase", "Prefix", "Query", "Range", "Term", "Tiers", "Tilted", "Unless", "Verified", "Way",
    "Wildcard", "Within", "Words", "any_of", "children", "conjunction", "disjunction", "mapped", "refused",
]  # fmt: skip

OPERATORS = frozenset("AND OR NOT ALL MISSING RANGE AREA SEARCH EXPANSION COVERAGE TILT DISTANCE".split())
# How far a term is widened, each level wider than the one before.
LEVELS = ("None", "Term", "Concept", "Relaxation", "Lossy")
# Where in a value a term may stand.
COVERAGES = ("FullMatch", "StartsWith", "EndsWith", "Contains")


def refused(level: str, coverage: str) -> str:
    """Return why a level and a coverage that were stated cannot go together; "" where they can."""
    if level == "Lossy" and coverage:
        return "Lossy goes with no COVERAGE: leave one out"
    if level == "Relaxation" and coverage not in {"", "Contains"}:
        return f"COVERAGE[{coverage}] goes with EXPANSION None, Term or Concept, not with Relaxation"
    return ""


@frozen
class All:
    """Every trial."""

    def __str__(self) -> str:
        return "ALL"


@frozen
class Nothing:
    """No trial: what is left of words that are all function words."""

    text: str

    def __str__(self) -> str:
        return str(Words(self.text))


@frozen
class Words:
    """A run of words, all of them asked, in any order and place of the area."""

    text: str

    def __str__(self) -> str:
        return " ".join(_escaped(word) for word in self.text.split())


@frozen
class Phrase:
    """Words side by side, in this order."""

    text: str

    def __str__(self) -> str:
        quoted = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'


@frozen
class Prefix:
    """Any word that begins with the text."""

    text: str

    def __str__(self) -> str:
        return f"{_escaped(self.text)}*"


@frozen
class And:
    """All of the parts; two or more, none of them an And."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " AND ".join(_inner(part, (Or, And)) for part in self.parts)


@frozen
class Or:
    """Any of the parts; two or more, none of them an Or."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " OR ".join(_inner(part, (Or,)) for part in self.parts)


@frozen
class Not:
    """Every trial that the part does not find."""

    part: Query

    def __str__(self) -> str:
        return f"NOT {_inner(self.part, (And, Or))}"


@frozen
class In:
    """The part, asked in an area or a text field."""

    area: str
    part: Query

    def __str__(self) -> str:
        several = isinstance(self.part, Words | Best) and " " in str(self.part).strip()
        return f"AREA[{self.area}]" + (f"({self.part})" if several else _inner(self.part, (And, Or)))


@frozen
class Expanded:
    """The part, its terms widened as far as a level of LEVELS says, but for what states another inside."""

    level: str
    part: Query

    def __str__(self) -> str:
        return f"EXPANSION[{self.level}]{_operand(self.part)}"


@frozen
class Covered:
    """The part, its terms standing in values as one of COVERAGES says, but for what states another inside."""

    how: str
    part: Query

    def __str__(self) -> str:
        return f"COVERAGE[{self.how}]{_operand(self.part)}"


@frozen
class Tilted:
    """The part, scoring the less the lower (older) the value of a day or number field is."""

    field: str
    part: Query

    def __str__(self) -> str:
        return f"TILT[{self.field}]{_operand(self.part)}"


@frozen
class AtSite:
    """Trials of which one and the same site meets all of the part."""

    part: Query

    def __str__(self) -> str:
        return f"SEARCH[Location]({self.part})"


@frozen
class Distance:
    """Trials with a site within a distance of a point; degrees, north and east positive; `unit`: mi or km."""

    latitude: float
    longitude: float
    radius: float
    unit: str

    @property
    def point(self) -> tuple[float, float]:
        """The latitude and the longitude."""
        return self.latitude, self.longitude

    def __str__(self) -> str:
        place = f"{_decimal(self.latitude)},{_decimal(self.longitude)}"
        return f"AREA[LocationGeoPoint]DISTANCE[{place},{_decimal(self.radius)}{self.unit}]"


@frozen
class Code:
    """A code field that holds a code: `AREA[Phase]PHASE2`."""

    field: str
    code: str

    def __str__(self) -> str:
        # A code is one word; the identifier of a concept may be anything.
        simple = re.fullmatch(r"\w+", self.code) and self.code not in {"AND", "OR", "NOT", "MISSING"}
        return f"AREA[{self.field}]{self.code if simple else Phrase(self.code)}"


@frozen
class Name:
    """A field of whole names that holds a name: `AREA[Country]"United States"`."""

    field: str
    name: str

    def __str__(self) -> str:
        return f"AREA[{self.field}]{Phrase(self.name)}"


@frozen
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


@frozen
class Missing:
    """Trials without a value in the field."""

    field: str

    def __str__(self) -> str:
        return f"AREA[{self.field}]MISSING"


@frozen
class AgeIs:
    """Trials that a patient of this age may join; a bound that the record does not state does not exclude."""

    age: Age

    def __str__(self) -> str:
        return f'age:"{self.age}"'


@frozen
class Term:
    """One term of the index."""

    term: str

    def __str__(self) -> str:
        return self.term


@frozen
class Near:
    """Terms of the index in this order, side by side but for `slop` more words; "" is any one word. `denied`:
    a term that must not stand right before them, "" for none: non-small cell lung cancer is no small cell
    one. `starts`, `ends`: whether a value must begin with them, and end.
    """

    terms: tuple[str, ...]
    slop: int = 0
    denied: str = ""
    starts: bool = False
    ends: bool = False

    def __str__(self) -> str:
        return '"' + " ".join(term or "…" for term in self.terms) + '"'


@frozen
class Unless:
    """The part, in trials that `wrong`, which only selects, does not find; scored as the part."""

    part: Query
    wrong: Query

    def __str__(self) -> str:
        return f"{_inner(self.part, (And, Or))} AND NOT {_inner(self.wrong, (And, Or))}"


@frozen
class Verified:
    """The part, in trials that have a text exactly so (case and accents count, runs of spaces are one) in a
    value of the area; `how` as in COVERAGES.
    """

    text: str
    how: str
    part: Query

    def __str__(self) -> str:
        return f"EXPANSION[None]COVERAGE[{self.how}]{Phrase(self.text)}"


@frozen
class Way:
    """One way to meet what was asked.

    `how`: typed; synonym, a name of the vocabulary; learned, one that the trials teach; concept, a link of
    the trial to what was asked or to a kind of it; spelling. `text`: the words of this way, for a person.
    `weight`: what its score is worth against the words as typed; `than`: what it counts as no more telling
    than, None for nothing: a rare synonym is worth no more than a common word as typed.
    """

    how: str
    text: str
    part: Query
    weight: float = 1.0
    than: Query | None = None


@frozen
class Best:
    """What was typed (`text`) and the ways to meet it; the best way gives the score."""

    text: str
    ways: tuple[Way, ...]

    def __str__(self) -> str:
        marks = {"synonym": "=", "learned": "=", "concept": "^", "spelling": "~"}
        others = [f"{marks[way.how]}{way.text}" for way in self.ways if way.how != "typed"]
        return f"{self.text} [{'; '.join(others)}]" if others else self.text


@frozen
class Tiers:
    """Any of the parts; a trial of an earlier part scores more than any that only later ones find. `text`:
    what was typed.
    """

    text: str
    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return f"EXPANSION[Lossy]{_operand(Words(self.text))}"


@frozen
class Group:
    """Words that count as one: their frequencies add up, and together they are as rare as all of them.

    The parts have a frequency themselves: terms, phrases, windows and groups of these.
    """

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return "{" + "; ".join(map(str, self.parts)) + "}"


@frozen
class Optional:
    """The part; trials that the wish finds too score more by it."""

    part: Query
    wish: Query

    def __str__(self) -> str:
        return f"{_inner(self.part, (And, Or))} +?{_inner(self.wish, (And, Or))}"


@frozen
class Boost:
    """The part, its score times a weight, 0 or more."""

    part: Query
    weight: float

    def __str__(self) -> str:
        return f"{_inner(self.part, (And, Or))}^{self.weight:g}"


@frozen
class Wildcard:
    """Any term of the index that fits: `*` is any letters, none too, `?` is one."""

    text: str

    def __str__(self) -> str:
        return self.text


@frozen
class Fuzzy:
    """Any term of the index that is at most so many edits (0 to 2) from one, and begins with the same
    `prefix` letters.
    """

    term: str
    edits: int = 1
    prefix: int = 1

    def __str__(self) -> str:
        return f"{self.term}~{self.edits}"


@frozen
class Within:
    """Terms of the index in any order, all of them inside a window of so many words of one value."""

    terms: tuple[str, ...]
    window: int

    def __str__(self) -> str:
        return Near(self.terms).__str__() + f"~{self.window}"


Query = (
    All | Nothing | Words | Phrase | Prefix | And | Or | Not | In | Code | Name | Range | Missing | AgeIs |
    Term | Near | Best | Group | Unless | Optional | Boost | Wildcard | Fuzzy | Within |
    Expanded | Covered | Tilted | AtSite | Distance | Verified | Tiers
)  # fmt: skip


def conjunction(parts: list[Query]) -> Query:
    """Return the And of some queries, flat; of one, itself; of none, `ALL`."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return All() if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(parts: list[Query]) -> Query:
    """Return the Or of one or more queries, flat; of one, itself."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def any_of(parts: Iterable[Query]) -> Query:
    """Return the Or of one or more queries, each once."""
    return disjunction(list(dict.fromkeys(parts)))


def children(query: Query) -> Iterator[Query]:
    """Yield the parts of a node, ways included."""
    match query:
        case And(parts) | Or(parts) | Group(parts) | Tiers(_, parts):
            yield from parts
        case Not(part) | In(_, part) | Boost(part, _) | AtSite(part) | Expanded(_, part):
            yield part
        case Covered(_, part) | Tilted(_, part) | Verified(_, _, part):
            yield part
        case Unless(part, other) | Optional(part, other):
            yield from (part, other)
        case Best(_, ways):
            yield from (way.part for way in ways)


def mapped(query: Query, change: Callable[[Query], Query]) -> Query:
    """Return a node of what parsing gives or of tiers with each of its parts changed; any other as it is.

    >>> print(mapped(Or((Words("gout"), Words("lupus"))), Not))
    NOT gout OR NOT lupus
    """
    match query:
        case And(parts) | Or(parts):
            return type(query)(tuple(map(change, parts)))
        case Tiers(text, parts):
            return Tiers(text, tuple(map(change, parts)))
        case Not(part) | AtSite(part):
            return type(query)(change(part))
        case In(said, part) | Expanded(said, part) | Covered(said, part) | Tilted(said, part):
            return type(query)(said, change(part))
        case _:
            return query


def _escaped(word: str) -> str:
    """Return a word so that parsing takes it literally."""
    if not word.isalnum():
        word = re.sub(r'([\\"()\[\]*\s])', r"\\\1", word)
    return "\\" + word if word in OPERATORS or (":" in word and re.match("[A-Za-z]+:", word)) else word


def _operand(part: Query) -> str:
    """Return a part as what a context operator takes: one word, or in parentheses."""
    several = isinstance(part, And | Or) or (isinstance(part, Words | Best) and " " in str(part).strip())
    return f"({part})" if several else str(part)


def _decimal(number: float) -> str:
    return f"{number:.7f}".rstrip("0").rstrip(".")


def _inner(part: Query, wrapped: tuple[type, ...]) -> str:
    return f"({part})" if isinstance(part, wrapped) else str(part)
