"""Query to query: each run of words becomes the ways in which trials may write it.

Per unit of a run (a word, a name with its number): the terms it is analysed to, and, where the word is
unknown and a name is near, the name that was meant. Then the longest names in the run, of concepts and of
those that the trials themselves teach: beside the words as typed stand the other names, and the link that
building made between trials and concepts, which finds narrower diseases too. Every way says how it came
about, and is worth a little less than the words as typed.

What is known comes in by `Lexicon`, so that this stage needs no disk and tests can give it any knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialindex.analysis import Unit, fold, sequence, units
from trialindex.fields import area_fields, concept_area, concept_term
from trialindex.frozen import frozen
from trialindex.vocabulary.concepts import kinds_mask
from trialsearch.lexicon import Lexicon
from trialsearch.misspelt import meant
from trialsearch.names import form_query, forms, name_query, shortest
from trialsearch.parse import conjunction
from trialsearch.query import (
    And,
    Best,
    In,
    Name,
    Not,
    Nothing,
    Or,
    Phrase,
    Query,
    Term,
    Unless,
    Way,
    Words,
)
from trialsearch.senses import Choice, Meaning, choose, meanings, standing

__all__ = ["Expansion", "expand", "says_nothing"]

# What a way is worth against the words as typed.
_SYNONYM = 0.9
_ABBREVIATION = 0.75
_LINKED = 0.8
_SPELLING = 0.8
_APART = 0.3
# The same where an abbreviation was typed: it says less than the name that trials write for it, and the
# concept of that name is often a wider one.
_SHORT_TYPED = 0.7
_LONG_FORM = 1.0
_SHORT_SYNONYM = 0.4
_SHORT_LINKED = 0.5
# What the other names of a name are worth that was guessed from its misspelling, of what they are worth else;
# of an abbreviation whose meaning was guessed from several; and the trials that define it otherwise.
_MISSPELT = 0.3
_GUESSED = 0.7
_OTHERWISE = 0.2
# Of the trials that define an abbreviation, the share that must mean a name by it, for it to be asked too.
_LEAST_SHARE = 0.5
# Other words that may stand inside a name of several words: umbilical cord (derived) mesenchymal stem cell.
_NAME_SLOP = 1
# Words that a learned name has at most.
_LONGEST_LEARNED = 6
# Definitions of an abbreviation in another meaning that are looked at, the most frequent first.
_MOST_PAIRS = 20

# The kinds of concept that an area asks for; every other area asks for all.
_KINDS = {
    "ConditionSearch": frozenset({"condition", "other"}),
    "ObsoleteConditionSearch": frozenset({"condition", "other"}),
    "Condition": frozenset({"condition", "other"}),
    "InterventionSearch": frozenset({"intervention", "procedure", "other"}),
    "InterventionNameSearch": frozenset({"intervention", "procedure", "other"}),
    "InterventionName": frozenset({"intervention", "procedure", "other"}),
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
    """Return a phrase as typed: its units side by side, whatever stands before them."""
    ways = [form_query(form) for form in forms(text)]
    if not ways:
        return Nothing(text)
    return Best(f'"{text}"', (Way("typed", text, ways[0] if len(ways) == 1 else Or(tuple(ways))),))


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
    if not expansion.synonyms or area in _LITERAL:
        return conjunction([one.best for one in asked])
    keys = [one.key for one in asked]
    parts: list[Query] = []
    place = 0
    while place < len(asked):
        size, things = _things(asked, keys, place, area, expansion)
        segment = asked[place : place + size]
        parts.append(_widened(segment, things, area) if things else segment[0].best)
        place += size if things else 1
    return conjunction(parts)


def _ask(unit: Unit, area: str, expansion: Expansion) -> _Asked:
    ways = [Way("typed", unit.text, form_query(terms)) for terms in unit.alternatives]
    key = unit.key
    word = fold(unit.text)
    lexicon = expansion.lexicon
    # Words of several atoms carry numbers or hyphens: never bent.
    plain = word.isalpha() and len(unit.alternatives[0]) == 1 and area not in _LITERAL
    if plain and not lexicon.knows(word):
        spelling = meant(word, lexicon, kinds_mask(_KINDS.get(area))) if expansion.fuzzy else None
        if spelling is not None:
            (meant_unit,) = units(spelling.word)
            (term,) = meant_unit.alternatives[0]
            if term != key:
                ways.append(Way("spelling", spelling.word, Term(term), _SPELLING - 0.1 * spelling.distance))
                key = term
        elif not lexicon.frequency(word):
            expansion.unknown.append((word, area))
    return _Asked(unit, Best(unit.text, tuple(ways)), key)


@frozen
class _Short:
    """An abbreviation of a thing: which share of its definitions mean the thing, and the others."""

    text: str
    share: float
    others: tuple[str, ...]


@frozen
class _Thing:
    """What a part of a run stands for: a concept, or, with identifier "", what only the trials know.

    `names`: of the vocabulary; `taught`: by the trials; `short`: its abbreviations. Of what an abbreviation
    was taken for, `long`: what trials write for it, `others`: definitions that mean something else, and
    `worth`: less than 1 where it was guessed.
    """

    identifier: str
    name: str
    names: tuple[str, ...] = ()
    taught: tuple[str, ...] = ()
    short: tuple[_Short, ...] = ()
    long: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    worth: float = 1.0


def _things(
    asked: list[_Asked], keys: list[str], place: int, area: str, expansion: Expansion
) -> tuple[int, list[_Thing]]:
    """Return how many units from a place on are the longest name there, and what that name stands for."""
    lexicon = expansion.lexicon
    kinds = _KINDS.get(area)
    size, senses = lexicon.vocabulary.longest_match(keys, place)
    full = [
        sense.concept
        for sense in senses
        if not sense.abbreviation and (kinds is None or lexicon.vocabulary.kind(sense.concept) in kinds)
    ]
    taught = lexicon.learned_match(keys, place, _LONGEST_LEARNED)
    if full and size >= taught:
        return size, [_concept(number, lexicon) for number in full]
    if taught:
        return taught, [_learned(tuple(keys[place : place + taught]), lexicon)]
    choice = _chosen(asked, keys, place, area, expansion)
    return 1, [] if choice.taken is None else [_meant(choice, choice.taken, lexicon)]


def _chosen(asked: list[_Asked], keys: list[str], place: int, area: str, expansion: Expansion) -> Choice:
    """Return what a word stands for as an abbreviation, and tell the user."""
    text = asked[place].unit.text
    others = [key for at, key in enumerate(keys) if at != place]
    found = meanings(text, expansion.lexicon, _KINDS.get(area))
    choice = choose(text, found, others, expansion.lexicon, area)
    if choice.note:
        expansion.notes.append(choice.note)
    return choice


def _concept(number: int, lexicon: Lexicon) -> _Thing:
    concept = lexicon.vocabulary.concept(number)
    return _Thing(
        concept.id,
        concept.preferred,
        tuple(name.text for name in concept.names),
        lexicon.taught(concept),
        tuple(_Short(name.text, *standing(name.text, concept, lexicon)) for name in concept.abbreviations),
    )


def _learned(key: tuple[str, ...], lexicon: Lexicon) -> _Thing:
    """Return what a name stands for that the trials teach: the concept that they mean by it, if it is one."""
    names = lexicon.learned_names(key)
    number = lexicon.learned_concept(key)
    if number is None:
        return _Thing("", names[0], taught=names)
    thing = _concept(number, lexicon)
    taught = tuple(dict.fromkeys((*names, *thing.taught)))
    return _Thing(thing.identifier, thing.name, thing.names, taught, thing.short)


def _meant(choice: Choice, taken: Meaning, lexicon: Lexicon) -> _Thing:
    """Return what an abbreviation was taken for."""
    thing = _Thing("", taken.name) if taken.concept is None else _concept(taken.concept, lexicon)
    others = tuple(pair for other in choice.others for pair in other.pairs)
    return _Thing(
        thing.identifier,
        thing.name,
        thing.names,
        thing.taught,
        thing.short,
        # Where no trial tells, any of its names may be what they write: few write `Scleroderma, Systemic`.
        taken.long_forms if taken.pairs or not thing.names else thing.names,
        others,
        1.0 if choice.sure else _GUESSED,
    )


def _widened(segment: list[_Asked], things: list[_Thing], area: str) -> Query:
    """Return the segment as typed, and beside it the other names of what it stands for."""
    text = " ".join(one.unit.text for one in segment)
    seen = {tuple(one.key for one in segment), sequence(text)}
    ways = _typed_ways(segment, text, things)
    misspelt = any(one.best.ways[-1].how == "spelling" for one in segment)
    for thing in things:
        more = [*_name_ways(thing, segment, area, seen), *_linked_ways(thing, area)]
        worth = thing.worth * (_MISSPELT if misspelt else 1.0)
        ways += [Way(way.how, way.text, way.part, way.weight * worth) for way in more]
    return Best(text, tuple(ways))


def _typed_ways(segment: list[_Asked], text: str, things: list[_Thing]) -> list[Way]:
    if len(segment) > 1:
        return _together_or_apart(segment, text, And(tuple(one.best for one in segment)))
    ways = list(segment[0].best.ways)
    if any(thing.long for thing in things):
        ways = [Way(way.how, way.text, way.part, _SHORT_TYPED * way.weight) for way in ways]
    others = [pair for thing in things for pair in thing.others]
    if not others:
        return ways
    # Trials that say themselves that the letters stand for something else come last.
    right = [Way(way.how, way.text, _unless_defined(way.part, others), way.weight) for way in ways]
    return [*right, *(Way(way.how, way.text, way.part, _OTHERWISE * way.weight) for way in ways)]


def _unless_defined(part: Query, pairs: Sequence[str]) -> Query:
    """Return the part, but for trials that define an abbreviation by one of some pairs."""
    wrong = tuple(Name("Definition", pair) for pair in pairs[:_MOST_PAIRS])
    if not wrong:
        return part
    return Unless(part, wrong[0] if len(wrong) == 1 else Or(wrong))


def _name_ways(thing: _Thing, segment: list[_Asked], area: str, seen: set[tuple[str, ...]]) -> Iterator[Way]:
    """Yield the ways by names that were not `seen`, and note them there."""

    def unseen(name: str, slop: int) -> Query | None:
        found = forms(name)
        if not found or found[0] in seen:
            return None
        seen.update(found)
        return name_query(name, slop)

    for name in shortest(thing.long):
        if part := unseen(name, _NAME_SLOP):
            # The name's length counts in full: its letters stand for all of it.
            yield Way("synonym", name, part, _LONG_FORM)
    synonym = _SHORT_SYNONYM if thing.long else _SYNONYM
    for name in shortest(thing.names):
        if part := unseen(name, _NAME_SLOP):
            yield Way("synonym", name, part, synonym * _share(segment, name))
    for name in shortest(thing.taught):
        if part := unseen(name, _NAME_SLOP):
            yield Way("learned", name, part, synonym * _share(segment, name))
    headline = _headline(area)
    for short in thing.short if headline else ():
        # Letters by which most trials mean other things would find those.
        if short.share >= _LEAST_SHARE and (part := unseen(short.text, 0)):
            meant = In(headline, _unless_defined(part, short.others))
            yield Way("synonym", short.text, meant, _ABBREVIATION * short.share * _share(segment, short.text))


def _linked_ways(thing: _Thing, area: str) -> Iterator[Way]:
    where = concept_area(area)
    if thing.identifier and where:
        linked = In(where, Term(concept_term(thing.identifier)))
        yield Way("concept", thing.name, linked, _SHORT_LINKED if thing.long else _LINKED)


def _share(segment: list[_Asked], name: str) -> float:
    """Return what a way is worth for its length: the words of a phrase add up, and a name of three words is
    to be worth no more than the one word that was typed.
    """
    return min(1.0, len(segment) / sum(map(bool, forms(name)[0])))


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
