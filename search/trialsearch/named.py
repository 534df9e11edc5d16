"""What words stand for, and what else trials call it.

The longest names in a run of words, of concepts and of what the trials themselves teach: their other names,
and the link that building made between trials and concepts, which finds narrower diseases too. Every way says
how it came about, and what it is worth against the words as typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from trialindex.analysis import Unit, fold, units
from trialindex.fields import area_fields, concept_area, concept_term
from trialindex.frozen import frozen
from trialindex.vocabulary.concepts import kinds_mask
from trialsearch.lexicon import Lexicon
from trialsearch.misspelt import meant
from trialsearch.names import Form, form_query, forms, name_query, shortest, typed_query
from trialsearch.query import Best, In, Name, Or, Query, Term, Unless, Way
from trialsearch.senses import Choice, Meaning, choose, meanings, standing

if TYPE_CHECKING:
    from trialindex.vocabulary.concepts import Concept
    from trialsearch.expand import Expansion

__all__ = [
    "LITERAL",
    "MISSPELT",
    "NAME_SLOP",
    "SPELLING",
    "Asked",
    "Thing",
    "ask",
    "linked_ways",
    "name_ways",
    "share",
    "things",
    "unless_defined",
]

# What a way is worth against the words as typed.
_SYNONYM = 0.9
_ABBREVIATION = 0.75
_LINKED = 0.8
SPELLING = 0.8
# The same where an abbreviation was typed: it says less than the name that trials write for it, and the
# concept of that name is often a wider one.
_LONG_FORM = 1.0
_SHORT_SYNONYM = 0.4
_SHORT_LINKED = 0.5
# What the other names of a name are worth that was guessed from its misspelling, of what they are worth else,
# and of an abbreviation whose meaning was guessed from several.
MISSPELT = 0.3
_GUESSED = 0.7
# Of the trials that define an abbreviation, the share that must mean a name by it, for it to be asked too.
_LEAST_SHARE = 0.5
# Other words that may stand inside a name of several words: umbilical cord (derived) mesenchymal stem cell.
NAME_SLOP = 1
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
LITERAL = frozenset(
    """IdSearch NCTIdSearch ExternalIdsSearch LocationSearch SponsorSearch ContactSearch
    ResponsiblePartySearch LeadSponsorName LocationCity LocationState LocationFacility LocationCountry NCTId
    OrgStudyId SecondaryId NCTIdAlias OrgFullName CollaboratorName LocationZip LocationContactName
    CentralContactName OverallOfficialName OverallOfficialAffiliation PointOfContactTitle
    PointOfContactOrganization ResponsiblePartyInvestigatorFullName ResponsiblePartyInvestigatorAffiliation
    ResponsiblePartyOldNameTitle ResponsiblePartyOldOrganization""".split()
)


@frozen
class Asked:
    """A unit of the run with its ways; `key` is the word by which names are looked up, a meant word in
    its place.
    """

    unit: Unit
    best: Best
    key: str


def ask(unit: Unit, area: str, expansion: Expansion) -> Asked:
    """Return a unit with its ways: as typed, and as the name that was meant where it is unknown."""
    ways = [Way("typed", unit.text, form_query(terms)) for terms in unit.alternatives]
    key = unit.key
    word = fold(unit.text)
    lexicon = expansion.lexicon
    # Words of several atoms carry numbers or hyphens: never bent.
    plain = word.isalpha() and len(unit.alternatives[0]) == 1 and area not in LITERAL
    if plain and not lexicon.knows(word):
        spelling = meant(word, lexicon, kinds_mask(_KINDS.get(area))) if expansion.fuzzy else None
        if spelling is not None:
            (meant_unit,) = units(spelling.word)
            (term,) = meant_unit.alternatives[0]
            if term != key:
                ways.append(Way("spelling", spelling.word, Term(term), SPELLING - 0.1 * spelling.distance))
                key = term
        else:
            expansion.doubted.append((word, area))
    return Asked(unit, Best(unit.text, tuple(ways)), key)


@frozen
class Thing:
    """What a part of a run stands for: a concept, or, with identifier "", what only the trials know.

    `names`: of the vocabulary; `taught`: by the trials; `short`: its abbreviations; `concept`: None where the
    vocabulary knows none. Of what an abbreviation was taken for, `long`: what trials write for it, `others`:
    definitions that mean something else, and `worth`: less than 1 where it was guessed.
    """

    identifier: str
    name: str
    names: tuple[str, ...] = ()
    taught: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    concept: Concept | None = None
    long: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    worth: float = 1.0


def things(
    asked: list[Asked], keys: list[str], place: int, area: str, expansion: Expansion
) -> tuple[int, list[Thing]]:
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


def _chosen(asked: list[Asked], keys: list[str], place: int, area: str, expansion: Expansion) -> Choice:
    """Return what a word stands for as an abbreviation, and tell the user."""
    text = asked[place].unit.text
    others = [key for at, key in enumerate(keys) if at != place]
    found = meanings(text, expansion.lexicon, _KINDS.get(area))
    choice = choose(text, found, others, expansion.lexicon, area)
    if choice.note:
        expansion.notes.append(choice.note)
    return choice


def _concept(number: int, lexicon: Lexicon) -> Thing:
    concept = lexicon.vocabulary.concept(number)
    return Thing(
        concept.id,
        concept.preferred,
        tuple(name.text for name in concept.names),
        lexicon.taught(concept),
        tuple(name.text for name in concept.abbreviations),
        concept,
    )


def _learned(key: tuple[str, ...], lexicon: Lexicon) -> Thing:
    """Return what a name stands for that the trials teach: the concept that they mean by it, if it is one."""
    names = lexicon.learned_names(key)
    number = lexicon.learned_concept(key)
    if number is None:
        return Thing("", names[0], taught=names)
    thing = _concept(number, lexicon)
    taught = tuple(dict.fromkeys((*names, *thing.taught)))
    return Thing(thing.identifier, thing.name, thing.names, taught, thing.short, thing.concept)


def _meant(choice: Choice, taken: Meaning, lexicon: Lexicon) -> Thing:
    """Return what an abbreviation was taken for."""
    thing = Thing("", taken.name) if taken.concept is None else _concept(taken.concept, lexicon)
    others = tuple(pair for other in choice.others for pair in other.pairs)
    return Thing(
        thing.identifier,
        thing.name,
        thing.names,
        thing.taught,
        thing.short,
        thing.concept,
        # Where no trial tells, any of its names may be what they write: few write `Scleroderma, Systemic`.
        taken.long_forms if taken.pairs or not thing.names else thing.names,
        others,
        1.0 if choice.sure else _GUESSED,
    )


def unless_defined(part: Query, pairs: Sequence[str]) -> Query:
    """Return the part, but for trials that define an abbreviation by one of some pairs."""
    wrong = tuple(Name("Definition", pair) for pair in pairs[:_MOST_PAIRS])
    if not wrong:
        return part
    return Unless(part, wrong[0] if len(wrong) == 1 else Or(wrong))


def _met(form: Form, lexicon: Lexicon) -> bool:
    """Whether trials have the words of a name in this form."""
    return all(map(lexicon.anywhere, filter(None, form)))


def name_ways(
    thing: Thing,
    segment: list[Asked],
    area: str,
    seen: set[tuple[str, ...]],
    expansion: Expansion,
    *,
    starts: bool = False,
    ends: bool = False,
    worth: float = 1.0,
    than: Query | None = None,
) -> Iterator[Way]:
    """Yield the ways by names that were not `seen`, and note them there. `starts`, `ends`: whether a value
    must begin with the name, and end; `worth`: what they are worth of what they are worth else; `than` as in
    `Way`.
    """
    all_names = starts or ends or expansion.all_names
    lexicon = expansion.lexicon

    def unseen(name: str, slop: int) -> Query | None:
        found = forms(name)
        if not found or found[0] in seen:
            return None
        seen.update(found)
        if not (all_names or any(_met(form, lexicon) for form in found)):
            return None
        return typed_query(name, starts=starts, ends=ends) if starts or ends else name_query(name, slop)

    for name in shortest(thing.long):
        if part := unseen(name, NAME_SLOP):
            # The name's length counts in full: its letters stand for all of it.
            yield Way("synonym", name, part, _LONG_FORM * worth, than)
    synonym = _SHORT_SYNONYM if thing.long else _SYNONYM
    for name in shortest(thing.names):
        if part := unseen(name, NAME_SLOP):
            yield Way("synonym", name, part, synonym * share(segment, name) * worth, than)
    for name in shortest(thing.taught):
        if part := unseen(name, NAME_SLOP):
            yield Way("learned", name, part, synonym * share(segment, name) * worth, than)
    headline = _headline(area)
    for short in thing.short if headline else ():
        if thing.concept is None or seen.issuperset(forms(short)[:1]):
            continue  # what trials define it as need not be read
        right, others = standing(short, thing.concept, lexicon)
        # Letters by which most trials mean other things would find those.
        if right >= _LEAST_SHARE and (part := unseen(short, 0)):
            meant = In(headline, unless_defined(part, others))
            yield Way("synonym", short, meant, _ABBREVIATION * right * share(segment, short) * worth, than)


def linked_ways(thing: Thing, area: str, worth: float = 1.0, than: Query | None = None) -> Iterator[Way]:
    """Yield the way by the link between trials and a thing, where an area has one; `worth` and `than` as for
    `name_ways`.
    """
    where = concept_area(area)
    if thing.identifier and where:
        linked = In(where, Term(concept_term(thing.identifier)))
        yield Way("concept", thing.name, linked, (_SHORT_LINKED if thing.long else _LINKED) * worth, than)


def share(segment: list[Asked], name: str) -> float:
    """Return what a way is worth for its length: the words of a phrase add up, and a name of three words is
    to be worth no more than the one word that was typed.
    """
    return min(1.0, len(segment) / sum(map(bool, forms(name)[0])))


@lru_cache(maxsize=1 << 8)
def _headline(area: str) -> str:
    """Return the name of the area that asks the titles and names among the fields of an area; "" where
    it has none.
    """
    headline = f"{area}/headline"
    return headline if area_fields(headline) else ""
