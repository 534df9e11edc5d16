"""What an abbreviation stands for, here: of its meanings the one that the question and the trials speak for.

Meanings come from the trials of the index, which define their abbreviations, and from the vocabulary. In
order of say: the other words of the question (`LN` beside lupus is lupus nephritis), the area that is asked
(a condition is no drug), the number of trials that use it so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from trialindex.analysis import normal_words
from trialindex.frozen import frozen

if TYPE_CHECKING:
    from trialindex.vocabulary.concepts import Concept
    from trialsearch.lexicon import Lexicon

__all__ = ["Choice", "Meaning", "choose", "meanings", "standing"]

# A meaning that so large a share of the trials use is taken without a word.
_SURE = 0.9
# Meanings that are named when one of them was taken.
_NAMED = 3


@frozen
class Meaning:
    """One thing that an abbreviation stands for.

    `name`: its name; `concept`: its number in the vocabulary, None where only trials know it; `trials`: how
    many define the abbreviation so, by the definitions `pairs` (names of the index field Definition).
    """

    name: str
    concept: int | None
    trials: int = 0
    pairs: tuple[str, ...] = ()

    @property
    def long_forms(self) -> tuple[str, ...]:
        """What trials write for the abbreviation; its name where none does."""
        return tuple(dict.fromkeys(pair.partition("\t")[2] for pair in self.pairs)) or (self.name,)


@frozen
class Choice:
    """The meaning that was taken, None where nothing speaks for one; whether that is sure; the others; and
    what to tell the user, "" for nothing.
    """

    taken: Meaning | None
    sure: bool
    others: tuple[Meaning, ...]
    note: str


def meanings(text: str, lexicon: Lexicon, kinds: Collection[str] | None) -> tuple[Meaning, ...]:
    """Return what a word may stand for as an abbreviation, the meaning of the most trials first.

    A word typed in small letters is looked up in capitals too. `kinds`: of concept that the area asks for,
    None for all; a meaning that the vocabulary does not know may be of any.
    """
    found: dict[object, Meaning] = {}
    for sense in lexicon.senses(text):
        number = lexicon.vocabulary.number_of(sense.concept) if sense.concept else None
        _add(found, Meaning(sense.long, number, sense.trials, sense.pairs))
    for number in lexicon.short(text):
        _add(found, Meaning(lexicon.vocabulary.preferred(number), number))
    fitting = [
        one
        for one in found.values()
        if kinds is None or one.concept is None or lexicon.vocabulary.kind(one.concept) in kinds
    ]
    return tuple(sorted(fitting, key=lambda one: (-one.trials, one.concept is None, one.name)))


def _add(found: dict[object, Meaning], more: Meaning) -> None:
    key: object = more.concept if more.concept is not None else normal_words(more.name)
    held = found.get(key)
    if held is None:
        found[key] = more
    else:
        found[key] = Meaning(held.name, held.concept, held.trials + more.trials, held.pairs + more.pairs)


def standing(text: str, concept: Concept, lexicon: Lexicon) -> tuple[float, tuple[str, ...]]:
    """Return which share of the trials that define an abbreviation of a concept mean the concept by it, 1
    where none defines it; and the definitions of something else.
    """
    own, total = 0, 0
    others: list[str] = []
    for sense in lexicon.senses(text):
        total += sense.trials
        if sense.concept == concept.id or _names(sense.long, concept, lexicon):
            own += sense.trials
        else:
            others += sense.pairs
    return (own / total if total else 1.0), tuple(others)


def _names(text: str, concept: Concept, lexicon: Lexicon) -> bool:
    """Whether a text is a full name of a concept."""
    vocabulary = lexicon.vocabulary
    return any(
        not sense.abbreviation and vocabulary.identifier(sense.concept) == concept.id
        for sense in vocabulary.named(text)
    )


def choose(text: str, found: Sequence[Meaning], others: Sequence[str], lexicon: Lexicon, area: str) -> Choice:
    """Return which meaning to take; `others`: the analysed words that stand beside the abbreviation."""
    if not found:
        return Choice(None, True, (), "")
    if len(found) == 1:
        return Choice(found[0], True, (), "")
    by_words = [_shared(one, others, lexicon) for one in found]
    best = max(by_words)
    if best and by_words.count(best) == 1:
        taken = found[by_words.index(best)]
        return _taken(text, taken, found, sure=False)
    uses = [one.trials or lexicon.linked(one.concept, area) / _COUNTED_LESS for one in found]
    total = sum(uses)
    first = max(range(len(found)), key=lambda place: (uses[place], -place))
    if not total or uses.count(uses[first]) > 1:
        names = " or ".join(one.name for one in found[:_NAMED])
        note = f"{text} may mean {names}: add the name of the one that you mean"
        return Choice(None, False, tuple(found), note)
    return _taken(text, found[first], found, sure=uses[first] >= _SURE * total)


# A meaning that no trial defines counts by the trials of its concept, each for so much less.
_COUNTED_LESS = 20


def _taken(text: str, taken: Meaning, found: Iterable[Meaning], *, sure: bool) -> Choice:
    others = tuple(one for one in found if one is not taken)
    note = ""
    if not sure:
        named = ", ".join(one.name for one in others[:_NAMED])
        more = f", {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        note = (
            f"{text} taken as {taken.name}; it may also mean {named}{more}: "
            "write the name of the one that you mean"
        )
    return Choice(taken, sure, others, note)


def _shared(meaning: Meaning, others: Sequence[str], lexicon: Lexicon) -> int:
    """Return how many of some words are words of a meaning's names, or of what it is a kind of."""
    if not others:
        return 0
    wanted = set(others)
    held = wanted.intersection(normal_words(meaning.name))
    if meaning.concept is not None:
        vocabulary = lexicon.vocabulary
        for number in (meaning.concept, *vocabulary.parents(meaning.concept)):
            for name in vocabulary.concept(number).names:
                if len(held) == len(wanted):
                    break
                held |= wanted.intersection(normal_words(name.text))
    return sum(word in held for word in others)
