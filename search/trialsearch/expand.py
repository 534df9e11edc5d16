"""Query to query: each run of words becomes the ways in which trials may write it.

Per unit of a run (a word, a name with its number): the terms it is analysed to, and, where the word is
unknown and a name is near, the name that was meant. Then the longest names of concepts in the run: beside
the words as typed stand the concept's other names, each as a phrase. Every way says how it came about, and
is worth a little less than the words as typed.

What is known comes in by `Lexicon`, so that this stage needs no disk and tests can give it any knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from trialindex.analysis import Unit, fold, sequence, units
from trialindex.fields import area_fields
from trialindex.frozen import frozen
from trialindex.vocabulary import Concept, Vocabulary
from trialsearch.fuzzy import meant
from trialsearch.parse import conjunction
from trialsearch.query import And, Best, In, Near, Not, Nothing, Or, Phrase, Query, Term, Way, Words

__all__ = ["Expansion", "Lexicon", "expand", "name_query", "says_nothing"]

# What a way is worth against the words as typed.
_SYNONYM = 0.9
_ABBREVIATION = 0.75
_SPELLING = 0.8
_APART = 0.3
# A word of more trials than this is no misspelling.
_RARE = 5
# Other words that may stand inside a name of several words: umbilical cord (derived) mesenchymal stem cell.
_NAME_SLOP = 1

# The kinds of concept that an area asks for; every other area asks for all.
_KINDS = {
    "ConditionSearch": frozenset({"condition"}),
    "ObsoleteConditionSearch": frozenset({"condition"}),
    "Condition": frozenset({"condition"}),
    "InterventionSearch": frozenset({"intervention", "procedure"}),
    "InterventionNameSearch": frozenset({"intervention", "procedure"}),
    "InterventionName": frozenset({"intervention", "procedure"}),
}
# Ids, places and people have no synonyms, and a name of a place is no misspelt drug.
_LITERAL = frozenset(
    """IdSearch NCTIdSearch ExternalIdsSearch LocationSearch SponsorSearch ContactSearch
    ResponsiblePartySearch LeadSponsorName LocationCity LocationState LocationFacility LocationCountry NCTId
    OrgStudyId SecondaryId""".split()
)


# What is said to a user who writes an operator in small letters.
_SMALL_OPERATORS = {
    "or": "'or' is taken as a plain word and left out: write OR for either of two",
    "not": "'not' is taken as a plain word that trials must have: write NOT to leave trials out",
}


class Lexicon(Protocol):
    """What expansion has to know of the index and of the world."""

    vocabulary: Vocabulary

    def frequency(self, term: str) -> int:
        """Return about how many trials have an analysed term, in any field."""

    def name_words(self, kinds: frozenset[str] | None) -> Mapping[str, int]:
        """Return the folded words of names of some kinds (None: all) with their number of trials."""


class Expansion:
    """How to expand, and what came of it.

    `notes`: what the user should know (which sense was taken, what is ambiguous). `unknown`: folded words
    that neither the index nor the vocabulary knows, with the area they were asked in.
    """

    def __init__(
        self, lexicon: Lexicon, synonyms: bool = True, fuzzy: bool = True, notes: list[str] | None = None
    ) -> None:
        self.lexicon = lexicon
        self.synonyms = synonyms
        self.fuzzy = fuzzy
        self.notes = [] if notes is None else notes
        self.unknown: list[tuple[str, str]] = []


def expand(query: Query, expansion: Expansion, area: str = "BasicSearch") -> Query:
    """Return the query with its words widened; the rest of the tree as it is."""
    match query:
        case Words(text):
            return _run(text, area, expansion)
        case Phrase(text):
            return _phrase(text)
        case In(inner, part):
            return In(inner, expand(part, expansion, inner))
        case And(parts):
            return _all_of([expand(part, expansion, area) for part in parts])
        case Or(parts):
            return Or(tuple(expand(part, expansion, area) for part in parts))
        case Not(part):
            # What is to be left out is taken at its word: a guessed spelling must not remove trials.
            plain = Expansion(expansion.lexicon, expansion.synonyms, False, expansion.notes)
            return Not(expand(part, plain, area))
        case _:
            return query


def says_nothing(query: Query) -> bool:
    """Whether a widened query has function words only: beside others it is left out (`"a b" and "c d"`)."""
    return isinstance(query, Nothing) or (isinstance(query, In) and says_nothing(query.part))


def _all_of(parts: list[Query]) -> Query:
    telling = [part for part in parts if not says_nothing(part)]
    return conjunction(telling) if telling else parts[0]


def _phrase(text: str) -> Query:
    """Return a phrase as typed: its units side by side."""
    part = name_query(text, 0)
    if part is None:
        return Nothing(text)
    return Best(f'"{text}"', (Way("typed", text, part),))


@frozen
class _Asked:
    """A unit of the run with its ways; `key` is the word by which names are looked up, a meant word in
    its place.
    """

    unit: Unit
    best: Best
    key: str


def _run(text: str, area: str, expansion: Expansion) -> Query:
    expansion.notes += [note for word, note in _SMALL_OPERATORS.items() if word in text.split()]
    asked = [_ask(unit, area, expansion) for unit in units(text)]
    if not asked:
        expansion.notes.append(f"{text}: nothing but function words, which are in every trial")
        return Nothing(text)
    parts: list[Query] = []
    place = 0
    keys = [one.key for one in asked]
    vocabulary = expansion.lexicon.vocabulary
    while place < len(asked):
        size = 0
        concepts: tuple[Concept, ...] = ()
        if expansion.synonyms and area not in _LITERAL:
            size, concepts = vocabulary.longest_match(keys, place)
        kinds = _KINDS.get(area)
        fitting = tuple(concept for concept in concepts if kinds is None or concept.kind in kinds)
        if not fitting:
            parts.append(asked[place].best)
            place += 1
            continue
        segment = asked[place : place + size]
        taken = _sense(segment, fitting, keys, expansion)
        parts.append(_widened(segment, taken, area, expansion))
        place += size
    return conjunction(parts)


def _alternative(terms: tuple[str, ...]) -> Query:
    return Term(terms[0]) if len(terms) == 1 else Near(terms)


def _ask(unit: Unit, area: str, expansion: Expansion) -> _Asked:
    ways = [Way("typed", unit.text, _alternative(terms)) for terms in unit.alternatives]
    first = unit.alternatives[0]
    key = unit.key
    word = fold(unit.text)
    lexicon = expansion.lexicon
    # Words of several atoms carry numbers or hyphens: never bent.
    plain = word.isalpha() and len(first) == 1 and area not in _LITERAL
    frequency = lexicon.frequency(key) if plain else 0
    if plain and frequency <= _RARE and not lexicon.vocabulary.knows(word):
        spelling = None
        if expansion.fuzzy:
            names = lexicon.name_words(_KINDS.get(area))
            spelling = meant(word, names)
            # The records hold misspellings themselves: a rare word gives way only to a name many times as
            # frequent.
            if spelling and (frequency == 0 or names[spelling.word] >= 20 * frequency):
                (meant_unit,) = units(spelling.word)
                (term,) = meant_unit.alternatives[0]
                if term != key:
                    ways.append(
                        Way("spelling", spelling.word, Term(term), _SPELLING - 0.1 * spelling.distance)
                    )
                    key = term
        if frequency == 0 and spelling is None:
            expansion.unknown.append((word, area))
    return _Asked(unit, Best(unit.text, tuple(ways)), key)


def _sense(
    segment: list[_Asked], concepts: tuple[Concept, ...], keys: list[str], expansion: Expansion
) -> tuple[Concept, ...]:
    """Return the concepts to widen by: all of one meaning, the sense that the rest of the query names,
    or none.
    """
    if len(concepts) == 1:
        return concepts
    text = " ".join(one.unit.text for one in segment)
    own = {one.key for one in segment}
    others = [key for key in keys if key not in own]
    vocabulary = expansion.lexicon.vocabulary

    def shared(concept: Concept) -> int:
        related = (*concept.full_names, *(name for broad in concept.broader for name in (broad,)))
        held = {key for name in related for unit in units(name) for key in unit.alternatives[0]}
        return sum(key in held for key in others)

    scores = [shared(concept) for concept in concepts]
    if max(scores) > 0 and scores.count(max(scores)) == 1:
        taken = concepts[scores.index(max(scores))]
        expansion.notes.append(f"{text} taken as {taken.preferred.lower()}")
        return (taken,)
    full = tuple(concept for concept in concepts if not vocabulary.is_abbreviation(concept, text))
    if len(full) == 1:
        return full
    meanings = " or ".join(concept.preferred.lower() for concept in concepts)
    expansion.notes.append(f"{text} may mean {meanings}: add the name of the one that you mean")
    return ()


def _widened(segment: list[_Asked], concepts: tuple[Concept, ...], area: str, expansion: Expansion) -> Query:
    """Return the segment as typed, and beside it the other names of its concepts."""
    typed: Query = segment[0].best if len(segment) == 1 else And(tuple(one.best for one in segment))
    if not concepts:
        return typed
    text = " ".join(one.unit.text for one in segment)
    vocabulary = expansion.lexicon.vocabulary
    seen = {tuple(one.key for one in segment), sequence(text)}
    ways = list(typed.ways) if isinstance(typed, Best) else _together_or_apart(segment, text, typed)
    for concept in concepts:
        # An abbreviation says less than the name that it stands for: there the name's length counts in full.
        short = vocabulary.is_abbreviation(concept, text)
        for name in concept.full_names:
            part = name_query(name, _NAME_SLOP)
            if part is not None and _sequence(part) not in seen:
                seen.add(_sequence(part))
                ways.append(Way("synonym", name, part, _SYNONYM * (1.0 if short else _share(segment, part))))
        for name in concept.abbreviations:
            part = name_query(name, 0)
            if part is None or _sequence(part) in seen:
                continue
            seen.add(_sequence(part))
            worth = _ABBREVIATION * _share(segment, part)
            if len(name) < 4 or vocabulary.is_ambiguous(name):
                narrowed = _headline(area)
                if not narrowed:
                    continue
                part = In(narrowed, part)
            ways.append(Way("synonym", name, part, worth))
    return Best(text, tuple(ways))


def _share(segment: list[_Asked], part: Query) -> float:
    """Return what a way is worth for its length: the words of a phrase add up, and a name of three words is
    to be worth no more than the one word that was typed.
    """
    return min(1.0, len(segment) / max(1, sum(1 for term in _sequence(part) if term)))


def _together_or_apart(segment: list[_Asked], text: str, apart: Query) -> list[Way]:
    """Return the ways to meet a name of several words as typed: as a name, and, worth far less, its words
    wherever they stand.

    Otherwise multiple sclerosis in a trial of systemic drugs would outrank systemic sclerosis.
    """
    last = [one.best.ways[-1] for one in segment]
    spelled = any(way.how == "spelling" for way in last)
    name = " ".join(way.text for way in last) if spelled else text
    whole = name_query(name, _NAME_SLOP)
    ways = (
        [Way("spelling", name, whole, _SPELLING) if spelled else Way("typed", name, whole)] if whole else []
    )
    return [*ways, Way("typed", text, apart, _APART)]


def _headline(area: str) -> str:
    """Return the name of the area that asks the titles and names among the fields of an area; "" where
    it has none.
    """
    headline = f"{area}/headline"
    return headline if area_fields(headline) else ""


def _sequence(part: Query) -> tuple[str, ...]:
    match part:
        case Near(terms, _):
            return terms
        case Term(term):
            return (term,)
        case Or(parts):
            return _sequence(parts[0])
        case _:
            return ()


def name_query(name: str, slop: int) -> Query | None:
    """Return the query for a name: its terms in order, side by side but for `slop` words."""
    found = units(name)
    if not found:
        return None
    if len(found) == 1:
        # A name and its number are one term, however they are written.
        ways = [_alternative(way) for way in found[0].alternatives]
        return ways[0] if len(ways) == 1 else Or(tuple(ways))
    apart = Near(sequence(name), slop)
    if "-" not in name:
        return apart
    # Others write the hyphenated words as one: non-alcoholic, nonalcoholic.
    return Or((apart, Near(sequence(name.replace("-", "")), slop)))
