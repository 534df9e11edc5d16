"""How far is a term widened, and where in a value may it stand: EXPANSION and COVERAGE.

A term is a run of words or a quoted phrase. Each level finds what the one before it finds, and more:

| level | what it adds | what it is worth |
|---|---|---|
| None | the very text, found among what Term finds | as Term |
| Term | the words side by side, as analysis sees them | 1 |
| Concept | the other names of what the whole term names, its link | a little less |
| Relaxation | the words wherever they stand, names in parts of the run, misspellings | far less |
| Lossy | any of the words | less than anything above |

A quoted phrase goes as far as Concept, and no further. Words that nothing is said of go as far as Relaxation;
but where a coverage other than Contains is asked, as far as Concept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialindex.analysis import sequence, units
from trialindex.errors import QueryError
from trialindex.frozen import frozen
from trialsearch.named import (
    LITERAL,
    MISSPELT,
    NAME_SLOP,
    SPELLING,
    Asked,
    Thing,
    ask,
    linked_ways,
    name_ways,
    share,
    things,
    unless_defined,
)
from trialsearch.names import name_query, typed_query
from trialsearch.query import And, Best, Nothing, Or, Query, Tiers, Verified, Way, conjunction, refused

if TYPE_CHECKING:
    from trialsearch.expand import Expansion

__all__ = ["Context", "phrase", "words"]

# What the words of a name are worth apart, against the name; and an abbreviation as typed where trials write
# other names for it: it says less than they do.
_APART = 0.3
_SHORT_TYPED = 0.7
# The trials that define an abbreviation otherwise.
_OTHERWISE = 0.2
# What any other name is worth at the most, at the level Concept.
_OTHER_NAME = 0.9

# What is said to a user who writes an operator in small letters.
_SMALL_OPERATORS = {
    "or": "'or' is taken as a plain word and left out: write OR for either of two",
    "not": "'not' is taken as a plain word that trials must have: write NOT to leave trials out",
}


@frozen
class Context:
    """What is said of the terms inside: a level and a coverage, "" where nothing is."""

    level: str = ""
    coverage: str = ""

    @property
    def how(self) -> str:
        """The coverage, Contains where nothing is said."""
        return self.coverage or "Contains"

    @property
    def starts(self) -> bool:
        """Whether a value must begin with the term."""
        return self.how in {"FullMatch", "StartsWith"}

    @property
    def ends(self) -> bool:
        """Whether a value must end with the term."""
        return self.how in {"FullMatch", "EndsWith"}

    def settled(self, default: str) -> str:
        """Return the level that counts. Raises QueryError where it does not go with the coverage."""
        level = self.level or (default if self.how == "Contains" else "Concept")
        if wrong := refused(level, self.coverage):
            raise QueryError(wrong)
        return level


def words(text: str, area: str, context: Context, expansion: Expansion) -> Query:
    """Return a run of words, widened as its context says."""
    level = context.settled("Relaxation")
    if level in {"Relaxation", "Lossy"}:
        typed = text.split()
        expansion.notes += [note for word, note in _SMALL_OPERATORS.items() if word in typed]
        return _relaxed(text, area, expansion, lossy=level == "Lossy")
    return _together(text, text, area, level, context, expansion)


def phrase(text: str, area: str, context: Context, expansion: Expansion) -> Query:
    """Return a quoted phrase, widened as its context says."""
    level = context.settled("Concept")
    return _together(text, f'"{text}"', area, level, context, expansion)


def _nothing(text: str, expansion: Expansion) -> Query:
    expansion.notes.append(
        f"{text}: nothing but function words, which are in every trial" if text else "no word in the phrase"
    )
    return Nothing(text)


# Side by side: None, Term, Concept


def _together(text: str, label: str, area: str, level: str, context: Context, expansion: Expansion) -> Query:
    """Return a term that is met as a whole: by its very text, its words side by side, or another name."""
    typed = typed_query(text, starts=context.starts, ends=context.ends, has=expansion.lexicon.frequency)
    if typed is None:
        return _nothing(text, expansion)
    if level == "None":
        return Verified(text, context.how, typed)
    others = [] if level == "Term" else _other_names(text, typed, area, context, expansion)
    return Best(label, (Way("typed", text, typed), *others))


def _other_names(text: str, typed: Query, area: str, context: Context, expansion: Expansion) -> list[Way]:
    """Return the ways by the other names of what a whole term names, and by its link: worth a little less
    than `typed`, however rare they are.
    """
    if not expansion.synonyms or area in LITERAL:
        return []
    plain = expansion.plain()
    asked = [ask(unit, area, plain) for unit in units(text)]
    keys = [one.key for one in asked]
    size, found = things(asked, keys, 0, area, plain)
    if size < len(asked):
        return []
    expansion.notes += plain.notes
    seen = {tuple(keys), sequence(text)}
    ways: list[Way] = []
    for thing in found:
        for way in name_ways(thing, asked, area, seen, expansion, starts=context.starts, ends=context.ends):
            # Letters count for less than their long form elsewhere; here what was typed comes first. What
            # names count for their length goes by how telling they are.
            weight = _OTHER_NAME if thing.long else way.weight / share(asked, way.text)
            ways.append(Way(way.how, way.text, way.part, weight * thing.worth, typed))
        if context.how == "Contains":
            ways += linked_ways(thing, area, thing.worth, typed)
    return ways


# Words apart: Relaxation, Lossy


def _relaxed(text: str, area: str, expansion: Expansion, *, lossy: bool) -> Query:
    """Return a run of words all of which must be there, in any place, names among them by other names too;
    `lossy`: or any of them.
    """
    asked = [ask(unit, area, expansion) for unit in units(text)]
    if not asked:
        return _nothing(text, expansion)
    parts = _segments(asked, area, expansion)
    all_of = conjunction(parts)
    if not lossy or len(asked) == 1:
        return all_of
    whole = _together(text, text, area, "Concept", Context(), expansion)
    alone = [one.best for one in asked if one.best not in parts]
    return Tiers(text, (whole, all_of, Or((*parts, *alone))))


def _segments(asked: list[Asked], area: str, expansion: Expansion) -> list[Query]:
    """Return the names and the other words of a run, each with its ways."""
    if not expansion.synonyms or area in LITERAL:
        return [one.best for one in asked]
    keys = [one.key for one in asked]
    parts: list[Query] = []
    place = 0
    while place < len(asked):
        size, found = things(asked, keys, place, area, expansion)
        segment = asked[place : place + size]
        parts.append(_known(segment, found, area, expansion) if found else segment[0].best)
        place += size if found else 1
    return parts


def _known(segment: list[Asked], found: list[Thing], area: str, expansion: Expansion) -> Best:
    """Return what `_widened` does: the same node for the same words, where these were asked before."""
    if expansion.known is None or any(thing.long for thing in found):
        return _widened(segment, found, area, expansion)
    # All that a segment's ways and what it stands for hang on, but the index.
    key = (
        area,
        expansion.fuzzy,
        expansion.all_names,
        tuple([(one.unit.text, one.unit.alternatives, one.key) for one in segment]),
        tuple([(thing.identifier, thing.name, thing.taught, thing.worth, thing.others) for thing in found]),
    )
    known = expansion.known.get(key)
    if known is None:
        known = _widened(segment, found, area, expansion)
        expansion.known.put(key, known, len(known.ways))
    return known


def _widened(segment: list[Asked], found: list[Thing], area: str, expansion: Expansion) -> Best:
    """Return the segment as typed, and beside it the other names of what it stands for."""
    text = " ".join(one.unit.text for one in segment)
    seen = {tuple(one.key for one in segment), sequence(text)}
    ways = _typed_ways(segment, text, found)
    misspelt = any(one.best.ways[-1].how == "spelling" for one in segment)
    # What was typed comes first, however rare its other names are; but letters say less than what they mean.
    meant = " ".join(one.best.ways[-1].text for one in segment)
    typed = None if any(thing.long for thing in found) else typed_query(meant)
    for thing in found:
        worth = thing.worth * (MISSPELT if misspelt else 1.0)
        ways += name_ways(thing, segment, area, seen, expansion, worth=worth, than=typed)
        ways += linked_ways(thing, area, worth, typed)
    return Best(text, tuple(ways))


def _typed_ways(segment: list[Asked], text: str, found: list[Thing]) -> list[Way]:
    if len(segment) > 1:
        return _together_or_apart(segment, text, And(tuple(one.best for one in segment)))
    ways = list(segment[0].best.ways)
    if any(thing.long for thing in found):
        ways = [Way(way.how, way.text, way.part, _SHORT_TYPED * way.weight) for way in ways]
    others = [pair for thing in found for pair in thing.others]
    if not others:
        return ways
    # Trials that say themselves that the letters stand for something else come last.
    right = [Way(way.how, way.text, unless_defined(way.part, others), way.weight) for way in ways]
    return [*right, *(Way(way.how, way.text, way.part, _OTHERWISE * way.weight) for way in ways)]


def _together_or_apart(segment: list[Asked], text: str, apart: Query) -> list[Way]:
    """Return the ways to meet a name of several words as typed: as a name, and, worth far less, its words
    wherever they stand.

    Otherwise multiple sclerosis in a trial of systemic drugs would outrank systemic sclerosis.
    """
    last = [one.best.ways[-1] for one in segment]
    spelled = any(way.how == "spelling" for way in last)
    name = " ".join(way.text for way in last) if spelled else text
    whole = name_query(name, NAME_SLOP)
    ways = [Way("spelling", name, whole, SPELLING) if spelled else Way("typed", name, whole)] if whole else []
    return [*ways, Way("typed", text, apart, _APART)]
