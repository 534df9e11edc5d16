"""Links: the concepts that a trial's condition and intervention strings mean.

Registries take these strings as sponsors write them: `Stage IV Lupus Nephritis (LN)`, `Placebo for Drug A`,
`Drug A 500 mg tablets + Drug B`. A string is read in steps, each looser than the one before; the first that
finds something ends it, and every link says by which it came (`Link.how`):

| how | what was compared |
|---|---|
| exact | the whole string, by analysed words; a short form with its capitals |
| inverted | the parts around a comma exchanged, words at the end put first: `Lupus Erythematosus, Systemic` |
| bracket | what stands outside the brackets; then what stands in them |
| spelling | compounds apart or together: `non small cell`, `non-small cell` |
| stripped | without stage, course and age; without dose, form, route, schedule and salt |
| part | a part between `and`, `or`, `with`, `,`, `/`, `+`, whole or stripped |
| span | the longest names inside a part, then the longest in what is left |

What a string denies is no link: `without X`, `X negative`, `non-X`, `risk of X`, `X placebo`, `X antagonist`.
The words that do so, and those that are stripped, are rows of `linking.tsv`.

>>> from trialindex.vocabulary.concepts import Concept, Name
>>> from trialindex.vocabulary.mapped import Vocabulary
>>> pain = Concept("D010146", "condition", (Name("Pain", "mesh"),), (), ())
>>> linker = Linker(Vocabulary.of([pain]))
>>> linker.condition("Severe Pain"), linker.condition("pain and nausea"), linker.condition("risk of pain")
((Link(concept=0, how='stripped'),), (Link(concept=0, how='part'),), ())
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

from trialindex.analysis import fold, normal_words, prepare, units
from trialindex.spelling import american, singular

__all__ = ["Link", "Linker", "Names"]

_LONGEST_TEXT = 400  # characters read of a string
_LONGEST_CACHED = 200  # characters
_MOST_WORDS = 40  # words of a string that the steps after the first three look at
_CACHED = 32_768  # strings a kind
_CALLED = 16_384  # concepts whose names are kept
_MOST_TURNED = 6  # words of a name whose last words may be put first
_SHORTEST_SPAN = 5  # letters of a single word that is a name inside a longer string
_SHORTEST_ACRONYM = 3  # letters of a short form inside a longer string
_NEAREST = 4  # steps up and down the hierarchy that bind a short form to what stands beside it


class Link(NamedTuple):
    """A concept, by its number in the vocabulary, and the step that found it."""

    concept: int
    how: str


class _Sense(Protocol):
    @property
    def concept(self) -> int: ...

    @property
    def abbreviation(self) -> bool: ...


class _Name(Protocol):
    @property
    def text(self) -> str: ...


class _Concept(Protocol):
    @property
    def names(self) -> Sequence[_Name]: ...


class Names(Protocol):
    """What a linker asks of a vocabulary (`mapped.Vocabulary` has it)."""

    def kind(self, number: int) -> str: ...

    def concept(self, number: int) -> _Concept: ...

    def senses(self, key: tuple[str, ...]) -> Sequence[_Sense]: ...

    def longest_match(self, keys: Sequence[str], start: int) -> tuple[int, Sequence[_Sense]]: ...

    def short(self, text: str) -> Sequence[int]: ...

    def identifier(self, number: int) -> str: ...

    def ancestors(self, number: int) -> Sequence[tuple[int, int]]: ...


# The roles of `linking.tsv` that differ by kind, in the order of _Side's fields.
_ROLES = ("modifier", "salt", "adjective", "generic", "after")


class _Side(NamedTuple):
    """How strings of one kind are read: the kinds of concepts that they may mean, likeliest first (`whole` of
    a whole string, `part` of a part, `span` of a span), and analysed words by what they do.
    """

    whole: tuple[str, ...]
    part: tuple[str, ...]
    span: tuple[str, ...]
    modifiers: frozenset[str]
    salts: frozenset[str]
    adjectives: frozenset[str]
    generic: frozenset[str]
    after: frozenset[str]


class _Tables(NamedTuple):
    condition: _Side
    intervention: _Side
    units: frozenset[str]
    numbered: frozenset[str]
    joins: frozenset[str]
    before: frozenset[str]
    before_of: frozenset[str]
    placebo: dict[str, str]
    joined: re.Pattern[str]
    denying: frozenset[str]


@cache
def _tables() -> _Tables:
    """Return the words of `linking.tsv`."""
    rows = [
        line.split("\t")
        for line in Path(__file__).with_name("linking.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]

    def words(role: str, *kinds: str) -> list[str]:
        return [word for row in rows if row[0] == role and row[1] in kinds for word in row[2].split()]

    def keys(role: str, *kinds: str) -> frozenset[str]:
        return frozenset(key for word in words(role, "both", *kinds) for key in _keys_of(word))

    def side(kind: str, whole: str, part: str, span: str) -> _Side:
        modifiers, salts, adjectives, generic, after = (keys(role, kind) for role in _ROLES)
        kinds = tuple(whole.split()), tuple(part.split()), tuple(span.split())
        return _Side(*kinds, modifiers, salts, adjectives, generic, after)

    denying = words("prefix", "both")
    together = "|".join([*denying, *words("together", "both")])
    return _Tables(
        condition=side("condition", "condition procedure other", "condition", "condition"),
        intervention=side(
            "intervention",
            "intervention procedure other",
            "intervention procedure other",
            "intervention procedure",
        ),
        units=keys("unit"),
        numbered=keys("numbered"),
        joins=keys("joins"),
        before=keys("before"),
        before_of=keys("before-of"),
        placebo={key: row[1] for row in rows if row[0] == "placebo" for key in _keys_of(row[2])},
        joined=re.compile(rf"\b({together})\s+(?=[^\W\d])", re.IGNORECASE),
        denying=frozenset(denying),
    )


def _keys_of(words: str) -> Iterator[str]:
    for word in words.split():
        yield from normal_words(word)


class _Word(NamedTuple):
    """A word of a string: its analysed form, where it stands, what stands before it, and whether that is in
    brackets. `apart`: its words if it is a compound, else empty.
    """

    key: str
    start: int
    end: int
    gap: str
    inside: bool
    apart: tuple[str, ...]


class _Match(NamedTuple):
    """Words first..stop-1 are a name of these concepts. `candidates`: those of a short form that means
    several things; then there is no concept.
    """

    first: int
    stop: int
    concepts: tuple[int, ...]
    candidates: tuple[int, ...] = ()


class _Found(NamedTuple):
    """Links, and the short forms that only the trial's other strings can decide."""

    links: tuple[Link, ...] = ()
    open: tuple[tuple[tuple[int, ...], str], ...] = ()


_HARD = re.compile(r"[;:()\[\]{}|•\n]|\s[-–—]+\s|[-–—]{2}|\.\s")
_SOFT = re.compile(r"[,/+&]|\b(?:and|or|with)\b", re.IGNORECASE)
_AND = re.compile(r"[&/,]|\b(?:and|or)\b", re.IGNORECASE)
_OF = re.compile(r"\b(?:of|for|to)\b", re.IGNORECASE)
_RUNG = re.compile(r"[0-9ivx]{1,4}[a-d]?\d?|[a-d]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DOSE = re.compile(r"\d[\d.]*|(?:\d[\d.]*[a-z%]+)+")
_LETTERS = re.compile(r"[a-z]+")
_NUMERAL = re.compile(r"\d+|[a-z]")
_NUMBERED_KEY = re.compile(r"([a-z]+)\d+[a-d]?\d?")
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# What says, after `placebo`, which drug it stands for.
_GIVEN = re.compile(
    r"[\s(:,-]*(?:(?!(?:and|or|plus|with)\b)\w+\s+){0,2}?(?:for|to|of|match\w*|identical|resembl\w*|mimic\w*)\b",
    re.IGNORECASE,
)
_LONGEST_ACRONYM = 8  # letters
_CAPITALS = re.compile(r"(?=(?:.*[A-Z]){2})[A-Za-z0-9/-]{2,8}")
_PUNCTUATION = " \t\r\n.,;:*\"'"
_OPENING, _CLOSING = "([{", ")]}"


def _read(text: str) -> list[_Word]:
    """Return the words of a string, in order."""
    found: list[_Word] = []
    end = depth = 0
    for unit in units(text):
        start = text.find(unit.text, end)
        # A function word in between may have the same letters: `and D`.
        while start > 0 and text[start - 1].isalnum():
            start = text.find(unit.text, start + 1)
        if start < 0:
            start = text.find(unit.text, end)
        gap = text[end:start]
        if gap != " ":
            for mark in gap:
                if mark in _OPENING:
                    depth += 1
                elif mark in _CLOSING and depth:
                    depth -= 1
        end = start + len(unit.text)
        apart = unit.alternatives[1] if len(unit.alternatives) > 1 else ()
        found.append(
            _Word(unit.alternatives[0][0], start, end, gap, depth > 0, apart if len(apart) > 1 else ())
        )
    return found


class Linker:
    """Links strings to the concepts of a vocabulary.

    The answers for short strings are kept, the latest of each kind; safe to share between threads. A string
    of any length costs a bounded amount of work: of a long one only the beginning is read.
    """

    def __init__(self, vocabulary: Names) -> None:
        self.vocabulary = vocabulary
        self._lookup = _Lookup(vocabulary)
        self._tables = tables = _tables()
        self._lineage = lru_cache(_CACHED)(
            lambda concept: tuple(
                (vocabulary.identifier(one), distance)
                for one, distance in ((concept, 0), *vocabulary.ancestors(concept))
            )
        )
        self._of_condition = _cached(lambda text: self._link(text, tables.condition))
        self._of_intervention = _cached(lambda text: self._link(text, tables.intervention))

    def lineage(self, concept: int) -> tuple[tuple[str, int], ...]:
        """Return the ids of a concept and of all above it, each with its distance, nearest first."""
        return self._lineage(concept)

    def condition(self, text: str, beside: Collection[int] = ()) -> tuple[Link, ...]:
        """Return what a condition string means, each concept once; () where nothing is known by it.

        `beside`: the concepts of the trial's other strings. A short form that means several things is the one
        that is among them and what else the string means, or the only one close to one of them in the
        hierarchy; without such a one it is no link.
        """
        return self._decided(self._of_condition(text), beside)

    def intervention(self, text: str, beside: Collection[int] = ()) -> tuple[Link, ...]:
        """Return what an intervention string means: interventions, procedures, other things; no condition."""
        return self._decided(self._of_intervention(text), beside)

    def _decided(self, found: _Found, beside: Collection[int]) -> tuple[Link, ...]:
        if not found.open:
            return found.links
        links = list(found.links)
        known = {*beside, *(link.concept for link in links)}
        for candidates, how in found.open:
            nearest = self._nearest(candidates, known)
            if nearest is not None:
                links.append(Link(nearest, how))
        return _once(links)

    def _nearest(self, candidates: Sequence[int], beside: Collection[int]) -> int | None:
        """Return the candidate closest to a concept in a set, by steps up to a shared ancestor and down
        again; None where two are equally close, or none is close.
        """
        heights = [{one: 0, **dict(self._lookup.ancestors(one))} for one in sorted(beside)[:_MOST_WORDS]]
        ranked: list[tuple[int, int]] = []
        for candidate in candidates:
            own = {candidate: 0, **dict(self._lookup.ancestors(candidate))}
            ways = [own[one] + other[one] for other in heights for one in own.keys() & other.keys()]
            if ways and min(ways) <= _NEAREST:
                ranked.append((min(ways), candidate))
        ranked.sort()
        if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return ranked[0][1]

    def _link(self, text: str, side: _Side) -> _Found:
        text = prepare(text[:_LONGEST_TEXT]).strip(_PUNCTUATION)
        words = _read(text)
        if not words:
            return _Found()
        found = self._whole(text, words, side, side.whole, "exact")
        if found is None and side is self._tables.intervention:
            found = self._placebo(text, words, side)
        if found is None:
            found = self._inverted(words, side) or self._bracketed(text, words, side)
        if found is None:
            joined = self._tables.joined.sub(r"\1-", text)
            found = self._spelt(text, joined, words, side)
        if found is None:
            words = words if joined == text else _read(joined)
            found = _Reading(self._lookup, self._tables, side, joined, words).found()
        return found

    def _whole(
        self, text: str, words: Sequence[_Word], side: _Side, kinds: tuple[str, ...], how: str
    ) -> _Found | None:
        """Return what words are as one name: a short form with its capitals, or a full name."""
        if not words:
            return None
        raw = text[words[0].start : words[-1].end]
        shorts = self._lookup.short_forms(raw, side.part)
        if len(shorts) == 1:
            return _Found((Link(shorts[0], how),))
        if concepts := self._named(tuple(word.key for word in words), kinds, raw):
            return _Found(tuple(Link(concept, how) for concept in concepts))
        return _Found((), ((shorts, how),)) if shorts else None

    def _named(self, key: tuple[str, ...], kinds: tuple[str, ...], raw: str = "") -> tuple[int, ...]:
        return self._lookup.chosen(self._lookup.senses(key), kinds, raw)

    def _inverted(self, words: Sequence[_Word], side: _Side) -> _Found | None:
        """Return what a string means whose parts around commas are exchanged."""
        keys = [word.key for word in words]
        size = len(keys)
        if size < 2 or size > _MOST_WORDS or any(_HARD.search(word.gap) for word in words):
            return None
        commas = [place for place, word in enumerate(words) if "," in word.gap]
        if 1 < len(commas) < 4:
            bounds = [0, *commas, size]
            parts = [keys[start:stop] for start, stop in pairwise(bounds)]
            return self._first([[key for part in reversed(parts) for key in part]], side, "inverted")
        if (
            len(commas) > 1
            or (not commas and size > _MOST_TURNED)
            or any(_SOFT.search(word.gap) for word in words if "," not in word.gap)
        ):
            return None
        concepts = self._lookup.turned(keys, commas or range(1, size), side.part)
        return _Found(tuple(Link(concept, "inverted") for concept in concepts)) if concepts else None

    def _first(self, orders: Iterable[Sequence[str]], side: _Side, how: str) -> _Found | None:
        for order in orders:
            if concepts := self._named(tuple(order), side.part):
                return _Found(tuple(Link(concept, how) for concept in concepts))
        return None

    def _bracketed(self, text: str, words: Sequence[_Word], side: _Side) -> _Found | None:
        """Return what stands outside the brackets, and what full name in them says more."""
        outside = [word for word in words if not word.inside]
        inside = [word for word in words if word.inside]
        if not outside or not inside:
            return None
        turned = [word.key for word in (*inside, *outside)]
        if found := self._first([turned], side, "inverted"):
            return found
        found = self._whole(text, outside, side, side.part, "bracket") if _adjacent(outside) else None
        found = found or self._first([[word.key for word in outside]], side, "bracket")
        found = found or self._inverted(outside, side)
        if found is None or not found.links:
            return found
        if _CAPITALS.fullmatch(text[inside[0].start : inside[-1].end]):
            return found
        more = self._first([[word.key for word in inside]], side, "bracket")
        return _Found(_once((*found.links, *more.links)), found.open) if more else found

    def _spelt(self, text: str, joined: str, words: Sequence[_Word], side: _Side) -> _Found | None:
        """Return what a string means whose compounds are written together, or apart; a short form with a
        name's capitals: `Ptsd`.
        """
        if len(words) == 1 and text.istitle():
            shorts = self._lookup.short_forms(text.upper(), side.part)
            if len(shorts) == 1 and len(text) >= _SHORTEST_ACRONYM:
                return _Found((Link(shorts[0], "spelling"),))
        orders: list[Sequence[str]] = []
        if any(word.apart for word in words):
            orders.append([key for word in words for key in word.apart or (word.key,)])
        if joined != text:
            orders.append(normal_words(joined))
            orders.append(normal_words(self._tables.joined.sub(r"\1", text)))
        return self._first(orders, side, "spelling")

    def _placebo(self, text: str, words: Sequence[_Word], side: _Side) -> _Found | None:
        """Return the placebo that a string names, and what else is given beside it; None without one."""
        names = self._tables.placebo
        if not any(word.key in names for word in words):
            return None
        links: list[Link] = []
        still: list[tuple[tuple[int, ...], str]] = []
        for part in _cut(words, [_parts_placebo(before, word, names) for before, word in pairwise(words)]):
            at = next((place for place, word in enumerate(part) if word.key in names), None)
            if at is None:
                raw = text[part[0].start : part[-1].end]
                found = self._link(raw, side)
                links.extend(Link(link.concept, "part") for link in found.links)
                still.extend((candidates, "part") for candidates, _ in found.open)
                continue
            concepts = self._named(normal_words(names[part[at].key]), side.whole)
            links.extend(Link(concept, "part") for concept in concepts)
            if _GIVEN.match(text, part[at].end):
                # `placebo for A and B`: all that follows is what it stands for.
                break
        return _Found(_once(links), tuple(still))


def _cached(answer: Callable[[str], _Found]) -> Callable[[str], _Found]:
    """Return a function that keeps its latest answers; those on long strings, which do not come twice, it
    does not keep.
    """
    kept = lru_cache(maxsize=_CACHED)(answer)
    return lambda text: kept(text) if len(text) <= _LONGEST_CACHED else answer(text)


def _once(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return links without those to a concept that an earlier one has."""
    first: dict[int, Link] = {}
    for link in links:
        first.setdefault(link.concept, link)
    return tuple(first.values())


class _Lookup:
    """A vocabulary, asked for what a string may mean; safe to share between threads."""

    def __init__(self, vocabulary: Names) -> None:
        self.kind = vocabulary.kind
        self.senses = vocabulary.senses
        self.longest_match = vocabulary.longest_match
        self.ancestors = vocabulary.ancestors
        self._short = vocabulary.short
        self._concept = vocabulary.concept
        self._names = lru_cache(maxsize=_CALLED)(self._read_names)

    def chosen(self, senses: Iterable[_Sense], kinds: Sequence[str], raw: str = "") -> tuple[int, ...]:
        """Return the concepts that a full name means, of the first of these kinds that it has.

        Of several that share the name by its stems alone, those that are called so.
        """
        full = [sense.concept for sense in senses if not sense.abbreviation]
        if not full:
            return ()
        held = [self.kind(concept) for concept in full]
        kind = next((kind for kind in kinds if kind in held), None)
        fitting = [concept for concept, own in zip(full, held, strict=True) if own == kind]
        if len(fitting) > 1 and raw:
            return tuple([concept for concept in fitting if self.is_called(concept, raw)] or fitting)
        return tuple(fitting)

    def turned(self, keys: Sequence[str], starts: Iterable[int], kinds: Sequence[str]) -> tuple[int, ...]:
        """Return the concepts of words that are put behind the rest, those before one of some places."""
        round_about = [*keys, *keys]
        for start in starts:
            size, senses = self.longest_match(round_about[: start + len(keys)], start)
            if size == len(keys) and (concepts := self.chosen(senses, kinds)):
                return concepts
        return ()

    def short_forms(self, raw: str, kinds: Sequence[str]) -> tuple[int, ...]:
        """Return the concepts of some kinds that have this short form: its capitals count, its plural's s
        does not. Where one is above all others, that one.
        """
        if len(raw) > _LONGEST_ACRONYM or not _CAPITALS.fullmatch(raw):
            return ()
        held = self._short(raw) or (self._short(raw[:-1]) if raw.endswith("s") else ())
        fitting = [concept for concept in held if self.kind(concept) in kinds]
        if len(fitting) > 1:
            above = [{one for one, _ in self.ancestors(concept)} for concept in fitting]
            for concept, own in zip(fitting, above, strict=True):
                if all(concept in others for others in above if others is not own):
                    return (concept,)
        return tuple(fitting)

    def is_called(self, concept: int, raw: str) -> bool:
        """Whether a concept has a name that is this text but for plurals, case and punctuation; stems are
        not enough: `laparoscopes` is no laparoscopy.
        """
        return _bases(raw) in self._names(concept)

    def _read_names(self, concept: int) -> frozenset[str]:
        return frozenset(_bases(name.text) for name in self._concept(concept).names)


def _bases(text: str) -> str:
    """Return the letters of a text without the endings of plurals, and nothing between its words.

    >>> _bases("Heart disease") == _bases("heart-diseases"), _bases("laparoscopy") == _bases("laparoscopes")
    (True, False)
    """
    words = (singular(american(fold(word))) for word in _WORDS.findall(text))
    return "".join(re.sub(r"(?:ies|y)$", "i", word).rstrip("es") for word in words)


def _cut(words: Sequence[_Word], cuts: Sequence[bool]) -> list[Sequence[_Word]]:
    """Return runs of words, cut between word i and i + 1 where cuts[i]."""
    places = [0, *(place for place, cut in enumerate(cuts, start=1) if cut), len(words)]
    return [words[start:stop] for start, stop in pairwise(places)]


def _parts_placebo(before: _Word, word: _Word, names: Collection[str]) -> bool:
    """Whether another thing begins with a word, in a string about a placebo.

    Brackets hold what the placebo is for, and so does `A/B placebo`; `A/placebo` is either.
    """
    if "/" in word.gap:
        return before.key in names or word.key in names
    return ";" in word.gap or _SOFT.search(word.gap) is not None


def _adjacent(words: Sequence[_Word]) -> bool:
    """Whether no words in brackets stand between these."""
    return not any(")" in word.gap or "]" in word.gap for word in words[1:])


class _Reading:
    """One string that is no name as a whole: its words, and the names that begin at each of them."""

    def __init__(
        self, lookup: _Lookup, tables: _Tables, side: _Side, text: str, words: Sequence[_Word]
    ) -> None:
        self._lookup = lookup
        self._tables = tables
        self._side = side
        self._text = text
        self._words = _joins_as_gaps(words[:_MOST_WORDS], tables.joins)
        self._keys = [word.key for word in self._words]
        self._modifying = self._modifiers()
        self._denied = self._denials()
        self._begun: dict[int, _Match | None] = {}

    def found(self) -> _Found:
        """Return the links of a string whose steps up to `spelling` found nothing."""
        size = len(self._words)
        matches = sorted(self._longest(0, size))
        bounds = self._bounds(matches)
        parts = [
            _Part(start, stop, [match for match in matches if start <= match.first < stop])
            for start, stop in pairwise(bounds)
        ]
        naming = self._naming(matches)
        if len(naming) == 1 and self._covers(naming[0], 0, size) and not self._is_denied(naming[0]):
            return self._all_of(naming[0], "stripped", self._side.part)
        plain = not any(match.stop - match.first > 1 or self._is_denied(match) for match in naming)
        if plain and (concepts := self._without_modifiers(0, size)):
            return _Found(tuple(Link(concept, "stripped") for concept in concepts))
        links: list[Link] = []
        still: list[tuple[tuple[int, ...], str]] = []
        for place in range(len(parts)):
            if self._is_short_for_another(parts, place):
                continue
            found = self._part(parts, place)
            links.extend(found.links)
            still.extend(found.open)
        return _Found(_once(links), tuple(still))

    def _naming(self, matches: Sequence[_Match]) -> list[_Match]:
        """Return the names that have concepts; of salts beside another name, that other alone."""
        naming = [match for match in matches if match.concepts or match.candidates]
        salts = [
            match
            for match in naming
            if match.stop - match.first == 1 and self._keys[match.first] in self._side.salts
        ]
        return naming if len(salts) == len(naming) else [match for match in naming if match not in salts]

    def _modifiers(self) -> list[bool]:
        """Return for each word whether it is one that leaves a name what it is."""
        tables, keys = self._tables, self._keys
        leaving = self._side.modifiers | self._side.salts | tables.units
        flags = [key in leaving for key in keys]
        for place, key in enumerate(keys):
            if key[-1].isalpha() and key[0].isalpha() and not (place and flags[place - 1]):
                continue
            if numbered := _NUMBERED_KEY.fullmatch(key):
                flags[place] |= numbered[1] in tables.numbered or numbered[1] in self._side.modifiers
            if place and flags[place - 1] and _RUNG.fullmatch(key):
                before = keys[place - 1]
                numbered = _NUMBERED_KEY.fullmatch(before)
                ladder = numbered[1] if numbered else before
                flags[place] |= ladder in tables.numbered or _RUNG.fullmatch(before) is not None
        for place in range(len(keys) - 1, -1, -1):
            # From the end: in `10-20 mg` the second number is a dose by its unit, the first by the second.
            if keys[place][0].isdigit() and _DOSE.fullmatch(keys[place]) and self._is_dose(place, flags):
                flags[place] = True
        return flags

    def _is_dose(self, place: int, flags: Sequence[bool]) -> bool:
        key = self._keys[place]
        if not _NUMBER.fullmatch(key):
            return all(unit in self._tables.units for unit in _LETTERS.findall(key))
        after = self._gap(place + 1)
        if "%" in after[:2]:
            return True
        following = place + 1 < len(self._keys) and self._keys[place + 1]
        return bool(following) and (
            following in self._tables.units or (bool(_DOSE.fullmatch(str(following))) and flags[place + 1])
        )

    def _gap(self, place: int) -> str:
        """Return what stands before a word, or after the last."""
        return self._words[place].gap if place < len(self._words) else self._text[self._words[-1].end :]

    def _denials(self) -> list[bool]:
        """Return for each word whether the string says that it is not had: `without pain`."""
        flags: list[bool] = []
        denying = opening = False
        for word in self._words:
            if denying and (_HARD.search(word.gap) or "," in word.gap):
                denying = False
            if opening and _OF.search(word.gap):
                denying = True
            flags.append(denying)
            denying = denying or word.key in self._tables.before
            opening = word.key in self._tables.before_of
        return flags

    def _is_denied(self, match: _Match) -> bool:
        """Whether a name stands for something else than itself, by the words before and after it."""
        if any(self._denied[match.first : match.stop]):
            return True
        if match.stop >= len(self._keys) or _HARD.search(gap := self._gap(match.stop)):
            return False
        return self._keys[match.stop] in self._side.after and not _SOFT.search(gap)

    def _begins(self, first: int, limit: int) -> _Match | None:
        """Return the longest name that begins at a word and ends before another."""
        kept = self._begun.get(first)
        if first in self._begun and (kept is None or kept.stop <= limit):
            return kept
        match = self._begin(first, limit)
        if limit == len(self._keys):
            self._begun[first] = match
        return match

    def _begin(self, first: int, limit: int) -> _Match | None:
        while limit > first:
            size, senses = self._lookup.longest_match(self._keys[:limit], first)
            if not size:
                return None
            stop = first + size
            broken = self._break(first, stop)
            if broken:
                limit = broken
                continue
            raw = self._text[self._words[first].start : self._words[stop - 1].end]
            if shorts := self._lookup.short_forms(raw, self._side.part):
                return _Match(first, stop, shorts if len(shorts) == 1 else (), shorts)
            if self._is_name(first, stop, raw, senses):
                # A name of another kind stands, without concepts: `hepatitis B vaccine` is no hepatitis B.
                return _Match(first, stop, self._lookup.chosen(senses, self._side.part, raw))
            limit = stop - 1
        return None

    def _is_name(self, first: int, stop: int, raw: str, senses: Sequence[_Sense]) -> bool:
        """Whether words are a full name here: not modifiers alone (`high grade`), and no single word that
        has only its stem in common with the name.
        """
        full = [sense.concept for sense in senses if not sense.abbreviation]
        keys = self._keys[first:stop]
        if not full or all(key in self._side.modifiers for key in keys):
            return False
        return (
            len(keys) > 1
            or keys[0] in self._side.adjectives
            or any(self._lookup.is_called(concept, raw) for concept in full)
        )

    def _break(self, first: int, stop: int) -> int:
        """Return the word before which a name must end, 0 for none: no name goes through brackets, and one
        of two words through no comma.
        """
        for place in range(first + 1, stop):
            gap = self._words[place].gap
            if _HARD.search(gap) or (stop - first < 3 and any(mark in gap for mark in ",+/")):
                return place
        return 0

    def _longest(self, start: int, stop: int) -> Iterator[_Match]:
        """Yield the longest name between two words, then those of what is left before and after it."""
        begun = [match for first in range(start, stop) if (match := self._begins(first, stop))]
        if not begun:
            return
        longest = max(begun, key=lambda match: (match.stop - match.first, -match.first))
        yield longest
        yield from self._longest(start, longest.first)
        yield from self._longest(longest.stop, stop)

    def _bounds(self, matches: Iterable[_Match]) -> list[int]:
        """Return the words at which parts begin, and the end; no part ends inside a name."""
        inside = {place for match in matches for place in range(match.first + 1, match.stop)}
        cuts = [
            place
            for place, word in enumerate(self._words)
            if place and place not in inside and (_HARD.search(word.gap) or _SOFT.search(word.gap))
        ]
        return [0, *cuts, len(self._words)]

    def _covers(self, match: _Match, start: int, stop: int) -> bool:
        """Whether only modifiers stand beside a name."""
        return all(self._modifying[start : match.first]) and all(self._modifying[match.stop : stop])

    def _all_of(self, match: _Match, how: str, kinds: Collection[str]) -> _Found:
        """Return the links of a name to concepts of some kinds, or what its short form may mean."""
        if match.concepts:
            own = [concept for concept in match.concepts if self._lookup.kind(concept) in kinds]
            return _Found(tuple(Link(concept, how) for concept in own))
        return _Found((), ((match.candidates, how),))

    def _without_modifiers(self, start: int, stop: int) -> tuple[int, ...]:
        """Return the concepts of the words that are no modifiers, as they stand (`breast metastatic cancer`)
        or turned (`severe systemic lupus erythematosus`).
        """
        places = [place for place in range(start, stop) if not self._modifying[place]]
        if not places or any(self._denied[start:stop]):
            return ()
        if any(_HARD.search(self._words[place].gap) for place in range(start + 1, stop)):
            return ()
        keys = [self._keys[place] for place in places]
        found = self._senses(keys) if len(keys) < stop - start else ()
        if found or len(keys) > _MOST_TURNED:
            return found
        return self._lookup.turned(keys, range(1, len(keys)), self._side.part)

    def _senses(self, keys: Sequence[str]) -> tuple[int, ...]:
        return self._lookup.chosen(self._lookup.senses(tuple(keys)), self._side.part)

    def _is_short_for_another(self, parts: Sequence[_Part], place: int) -> bool:
        """Whether a part is the short form of a name beside it, which says the same or nothing."""
        part = parts[place]
        if part.stop - part.start != 1:
            return False
        word = self._words[part.start]
        raw = self._text[word.start : word.end]
        if not _CAPITALS.fullmatch(raw):
            return False
        if word.inside and place and any(match.concepts for match in parts[place - 1].matches):
            return True
        return any(
            _abbreviates(raw, self._text[self._words[other.start].start : self._words[other.stop - 1].end])
            for other in parts[max(place - 1, 0) : place + 2]
            if other is not part
        )

    def _part(self, parts: Sequence[_Part], place: int) -> _Found:
        part = parts[place]
        naming = self._naming(part.matches)
        if len(naming) == 1 and self._covers(naming[0], part.start, part.stop):
            if self._is_denied(naming[0]):
                return _Found()
            return self._all_of(naming[0], "part", self._side.span)
        if not naming:
            concepts = () if part.matches else self._without_modifiers(part.start, part.stop)
            if concepts or (concepts := self._shared(parts, place)):
                return _Found(tuple(Link(concept, "part") for concept in concepts))
        return self._spans(part, naming)

    def _shared(self, parts: Sequence[_Part], place: int) -> tuple[int, ...]:
        """Return what a part means with the word that it shares with one beside it: `breast and ovarian
        cancer`, `atrial fibrillation and flutter`.
        """
        part = parts[place]
        places = [at for at in range(part.start, part.stop) if not self._modifying[at]]
        if not 0 < len(places) < 3 or any(self._denied[part.start : part.stop]):
            return ()
        own = [self._keys[at] for at in places]
        for other in parts[place + 1 : place + 4]:
            if not self._goes_on(other.start):
                break
            if other.matches:
                return self._senses([*own, self._keys[other.matches[-1].stop - 1]])
        if place and parts[place - 1].matches and self._goes_on(part.start):
            return self._senses([self._keys[parts[place - 1].matches[0].first], *own])
        return ()

    def _goes_on(self, place: int) -> bool:
        """Whether a word begins one more of several things: after `and`, `or`, a comma."""
        gap = self._gap(place)
        return _AND.search(gap) is not None and _HARD.search(gap) is None

    def _spans(self, part: _Part, naming: Sequence[_Match]) -> _Found:
        links: list[Link] = []
        still: list[tuple[tuple[int, ...], str]] = []
        for match in naming:
            if not self._is_denied(match) and self._says_enough(match):
                found = self._all_of(match, "span", self._side.span)
                links.extend(found.links)
                still.extend(found.open)
        covered = {place for match in part.matches for place in range(match.first, match.stop)}
        for place in range(part.start, part.stop):
            if place not in covered and self._words[place].apart and not self._denied[place]:
                links.extend(self._inside_compound(place))
        return _Found(tuple(links), tuple(still))

    def _says_enough(self, match: _Match) -> bool:
        """Whether a name inside a longer string is likely to mean there what it means alone."""
        following = match.stop < len(self._keys) and not _HARD.search(self._gap(match.stop))
        if following and not self._modifying[match.stop] and _NUMERAL.fullmatch(self._keys[match.stop]):
            # A number or letter makes another thing of it: `ataxia 3`.
            return False
        if match.stop - match.first > 1:
            return True
        word = self._words[match.first]
        raw = self._text[word.start : word.end]
        if match.candidates:
            # In brackets a short form is mostly one that the sponsor has made for this trial.
            return len(raw) >= _SHORTEST_ACRONYM and not word.inside
        return len(raw) >= _SHORTEST_SPAN and word.key not in self._side.generic

    def _inside_compound(self, place: int) -> Iterator[Link]:
        """Yield the names in a compound that is none: `cancer-related`; not those that it denies."""
        word = self._words[place]
        apart = word.apart
        raws = _WORDS.findall(self._text[word.start : word.end])
        if apart[0] in self._tables.denying or len(raws) != len(apart):
            return
        first = 0
        while first < len(apart):
            size, senses = self._lookup.longest_match(apart, first)
            stop = first + max(size, 1)
            raw = "-".join(raws[first:stop])
            if size and not (stop < len(apart) and apart[stop] in self._side.after):
                empty = self._side.generic | self._side.modifiers
                long = len(raw) >= _SHORTEST_SPAN and apart[first] not in empty
                for concept in self._lookup.chosen(senses, self._side.span, raw):
                    if size > 1 or (long and self._lookup.is_called(concept, raw)):
                        yield Link(concept, "span")
            first = stop


class _Part(NamedTuple):
    """Words start..stop-1 of a string, between two connectives, and the names in them, in order."""

    start: int
    stop: int
    matches: list[_Match]


def _joins_as_gaps(words: Sequence[_Word], joins: Collection[str]) -> list[_Word]:
    """Return words without those that only join (`plus`, `followed`): the next has a plus before it."""
    found: list[_Word] = []
    pending = ""
    for word in words:
        if word.key in joins:
            pending += word.gap + "+"
        else:
            found.append(word._replace(gap=pending + word.gap) if pending else word)
            pending = ""
    return found


def _abbreviates(short: str, name: str) -> bool:
    """Whether the letters of a short form begin words of a name, in order.

    >>> _abbreviates("DCM", "dilated cardiomyopathy"), _abbreviates("MS", "asthma")
    (True, False)
    """
    letters = iter(re.sub(r"[\W_]", "", name.casefold()))
    return (
        len(name) > len(short) + 2
        and name[:1].casefold() == short[:1].casefold()
        and all(letter in letters for letter in short.casefold() if letter.isalnum())
    )
