"""A condition or an intervention string, read word by word: what it names, denies, and leaves open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from trialindex.analysis import units
from trialindex.vocabulary.linking_lookup import CAPITALS, WORDS, Found, Link, Lookup, NameSense, once
from trialindex.vocabulary.linking_tables import Side, Tables

__all__ = [
    "GIVEN",
    "HARD",
    "MOST_TURNED",
    "MOST_WORDS",
    "NEAREST",
    "PUNCTUATION",
    "SHORTEST_ACRONYM",
    "SOFT",
    "Reading",
    "Word",
    "adjacent",
    "cut",
    "parts_placebo",
    "read_words",
]


MOST_WORDS = 40  # words of a string that the steps after the first three look at
MOST_TURNED = 6  # words of a name whose last words may be put first
_SHORTEST_SPAN = 5  # letters of a single word that is a name inside a longer string
SHORTEST_ACRONYM = 3  # letters of a short form inside a longer string
NEAREST = 4  # steps up and down the hierarchy that bind a short form to what stands beside it


class Word(NamedTuple):
    """A word of a string: its analysed form, where it stands, what stands before it, and whether that is in
    brackets. `apart`: its words if it is a compound, else empty.
    """

    key: str
    start: int
    end: int
    gap: str
    inside: bool
    apart: tuple[str, ...]


class Match(NamedTuple):
    """Words first..stop-1 are a name of these concepts. `candidates`: those of a short form that means
    several things; then there is no concept.
    """

    first: int
    stop: int
    concepts: tuple[int, ...]
    candidates: tuple[int, ...] = ()


HARD = re.compile(r"[;:()\[\]{}|•\n]|\s[-–—]+\s|[-–—]{2}|\.\s")
SOFT = re.compile(r"[,/+&]|\b(?:and|or|with)\b", re.IGNORECASE)
_AND = re.compile(r"[&/,]|\b(?:and|or)\b", re.IGNORECASE)
_OF = re.compile(r"\b(?:of|for|to)\b", re.IGNORECASE)
_RUNG = re.compile(r"[0-9ivx]{1,4}[a-d]?\d?|[a-d]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DOSE = re.compile(r"\d[\d.]*|(?:\d[\d.]*[a-z%]+)+")
_LETTERS = re.compile(r"[a-z]+")
_NUMERAL = re.compile(r"\d+|[a-z]")
_NUMBERED_KEY = re.compile(r"([a-z]+)\d+[a-d]?\d?")
# What says, after `placebo`, which drug it stands for.
GIVEN = re.compile(
    r"[\s(:,-]*(?:(?!(?:and|or|plus|with)\b)\w+\s+){0,2}?(?:for|to|of|match\w*|identical|resembl\w*|mimic\w*)\b",
    re.IGNORECASE,
)
PUNCTUATION = " \t\r\n.,;:*\"'"
_OPENING, _CLOSING = "([{", ")]}"


def read_words(text: str) -> list[Word]:
    """Return the words of a string, in order."""
    found: list[Word] = []
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
            Word(unit.alternatives[0][0], start, end, gap, depth > 0, apart if len(apart) > 1 else ())
        )
    return found


def cut(words: Sequence[Word], cuts: Sequence[bool]) -> list[Sequence[Word]]:
    """Return runs of words, cut between word i and i + 1 where cuts[i]."""
    places = [0, *(place for place, cut in enumerate(cuts, start=1) if cut), len(words)]
    return [words[start:stop] for start, stop in pairwise(places)]


def parts_placebo(before: Word, word: Word, names: Collection[str]) -> bool:
    """Whether another thing begins with a word, in a string about a placebo.

    Brackets hold what the placebo is for, and so does `A/B placebo`; `A/placebo` is either.
    """
    if "/" in word.gap:
        return before.key in names or word.key in names
    return ";" in word.gap or SOFT.search(word.gap) is not None


def adjacent(words: Sequence[Word]) -> bool:
    """Whether no words in brackets stand between these."""
    return not any(")" in word.gap or "]" in word.gap for word in words[1:])


class Reading:
    """One string that is no name as a whole: its words, and the names that begin at each of them."""

    def __init__(self, lookup: Lookup, tables: Tables, side: Side, text: str, words: Sequence[Word]) -> None:
        self._lookup = lookup
        self._tables = tables
        self._side = side
        self._text = text
        self._words = _joins_as_gaps(words[:MOST_WORDS], tables.joins)
        self._keys = [word.key for word in self._words]
        self._modifying = self._modifiers()
        self._denied = self._denials()
        self._begun: dict[int, Match | None] = {}

    def found(self) -> Found:
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
            return Found(tuple(Link(concept, "stripped") for concept in concepts))
        links: list[Link] = []
        still: list[tuple[tuple[int, ...], str]] = []
        for place in range(len(parts)):
            if self._is_short_for_another(parts, place):
                continue
            found = self._part(parts, place)
            links.extend(found.links)
            still.extend(found.open)
        return Found(once(links), tuple(still))

    def _naming(self, matches: Sequence[Match]) -> list[Match]:
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
        flags = [key in self._side.leaving for key in keys]
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
            if denying and (HARD.search(word.gap) or "," in word.gap):
                denying = False
            if opening and _OF.search(word.gap):
                denying = True
            flags.append(denying)
            denying = denying or word.key in self._tables.before
            opening = word.key in self._tables.before_of
        return flags

    def _is_denied(self, match: Match) -> bool:
        """Whether a name stands for something else than itself, by the words before and after it."""
        if any(self._denied[match.first : match.stop]):
            return True
        if match.stop >= len(self._keys) or HARD.search(gap := self._gap(match.stop)):
            return False
        return self._keys[match.stop] in self._side.after and not SOFT.search(gap)

    def _begins(self, first: int, limit: int) -> Match | None:
        """Return the longest name that begins at a word and ends before another."""
        kept = self._begun.get(first)
        if first in self._begun and (kept is None or kept.stop <= limit):
            return kept
        match = self._begin(first, limit)
        if limit == len(self._keys):
            self._begun[first] = match
        return match

    def _begin(self, first: int, limit: int) -> Match | None:
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
                return Match(first, stop, shorts if len(shorts) == 1 else (), shorts)
            if self._is_name(first, stop, raw, senses):
                # A name of another kind stands, without concepts: `hepatitis B vaccine` is no hepatitis B.
                return Match(first, stop, self._lookup.chosen(senses, self._side.part, raw))
            limit = stop - 1
        return None

    def _is_name(self, first: int, stop: int, raw: str, senses: Sequence[NameSense]) -> bool:
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
            if HARD.search(gap) or (stop - first < 3 and any(mark in gap for mark in ",+/")):
                return place
        return 0

    def _longest(self, start: int, stop: int) -> Iterator[Match]:
        """Yield the longest name between two words, then those of what is left before and after it."""
        begun = [match for first in range(start, stop) if (match := self._begins(first, stop))]
        if not begun:
            return
        longest = max(begun, key=lambda match: (match.stop - match.first, -match.first))
        yield longest
        yield from self._longest(start, longest.first)
        yield from self._longest(longest.stop, stop)

    def _bounds(self, matches: Iterable[Match]) -> list[int]:
        """Return the words at which parts begin, and the end; no part ends inside a name."""
        inside = {place for match in matches for place in range(match.first + 1, match.stop)}
        cuts = [
            place
            for place, word in enumerate(self._words)
            if place and place not in inside and (HARD.search(word.gap) or SOFT.search(word.gap))
        ]
        return [0, *cuts, len(self._words)]

    def _covers(self, match: Match, start: int, stop: int) -> bool:
        """Whether only modifiers stand beside a name."""
        return all(self._modifying[start : match.first]) and all(self._modifying[match.stop : stop])

    def _all_of(self, match: Match, how: str, kinds: Collection[str]) -> Found:
        """Return the links of a name to concepts of some kinds, or what its short form may mean."""
        if match.concepts:
            own = [concept for concept in match.concepts if self._lookup.kind(concept) in kinds]
            return Found(tuple(Link(concept, how) for concept in own))
        return Found((), ((match.candidates, how),))

    def _without_modifiers(self, start: int, stop: int) -> tuple[int, ...]:
        """Return the concepts of the words that are no modifiers, as they stand (`breast metastatic cancer`)
        or turned (`severe systemic lupus erythematosus`).
        """
        places = [place for place in range(start, stop) if not self._modifying[place]]
        if not places or any(self._denied[start:stop]):
            return ()
        if any(HARD.search(self._words[place].gap) for place in range(start + 1, stop)):
            return ()
        keys = [self._keys[place] for place in places]
        found = self._senses(keys) if len(keys) < stop - start else ()
        if found or len(keys) > MOST_TURNED:
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
        if not CAPITALS.fullmatch(raw):
            return False
        if word.inside and place and any(match.concepts for match in parts[place - 1].matches):
            return True
        return any(
            _abbreviates(raw, self._text[self._words[other.start].start : self._words[other.stop - 1].end])
            for other in parts[max(place - 1, 0) : place + 2]
            if other is not part
        )

    def _part(self, parts: Sequence[_Part], place: int) -> Found:
        part = parts[place]
        naming = self._naming(part.matches)
        if len(naming) == 1 and self._covers(naming[0], part.start, part.stop):
            if self._is_denied(naming[0]):
                return Found()
            return self._all_of(naming[0], "part", self._side.span)
        if not naming:
            concepts = () if part.matches else self._without_modifiers(part.start, part.stop)
            if concepts or (concepts := self._shared(parts, place)):
                return Found(tuple(Link(concept, "part") for concept in concepts))
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
        return _AND.search(gap) is not None and HARD.search(gap) is None

    def _spans(self, part: _Part, naming: Sequence[Match]) -> Found:
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
        return Found(tuple(links), tuple(still))

    def _says_enough(self, match: Match) -> bool:
        """Whether a name inside a longer string is likely to mean there what it means alone."""
        following = match.stop < len(self._keys) and not HARD.search(self._gap(match.stop))
        if following and not self._modifying[match.stop] and _NUMERAL.fullmatch(self._keys[match.stop]):
            # A number or letter makes another thing of it: `ataxia 3`.
            return False
        if match.stop - match.first > 1:
            return True
        word = self._words[match.first]
        raw = self._text[word.start : word.end]
        if match.candidates:
            # In brackets a short form is mostly one that the sponsor has made for this trial.
            return len(raw) >= SHORTEST_ACRONYM and not word.inside
        return len(raw) >= _SHORTEST_SPAN and word.key not in self._side.generic

    def _inside_compound(self, place: int) -> Iterator[Link]:
        """Yield the names in a compound that is none: `cancer-related`; not those that it denies."""
        word = self._words[place]
        apart = word.apart
        raws = WORDS.findall(self._text[word.start : word.end])
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
    matches: list[Match]


def _joins_as_gaps(words: Sequence[Word], joins: Collection[str]) -> list[Word]:
    """Return words without those that only join (`plus`, `followed`): the next has a plus before it."""
    found: list[Word] = []
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
