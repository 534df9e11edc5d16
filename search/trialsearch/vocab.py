"""What a name means to an index: the things that it names, what else trials call them, and how many trials
each name finds.

`meanings(state.lexicon, state.evaluator, "LN")` tells what a plain search for LN is widened to, and why:
which of its meanings was taken, by how many trials, which names the thing has and who says so, what is
broader and what narrower. All numbers of trials are of the area BasicSearch, and such as a search finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trialindex.analysis import fold, normal_words, units
from trialindex.fields import concept_area, concept_term
from trialindex.frozen import frozen
from trialindex.vocabulary.concepts import SOURCES
from trialsearch import senses
from trialsearch.expand import Expansion, expand
from trialsearch.misspelt import offers
from trialsearch.names import Form, forms, name_query
from trialsearch.query import And, Best, In, Query, Term, Words

if TYPE_CHECKING:
    from trialindex.vocabulary.concepts import Name
    from trialsearch.evaluate import Evaluator
    from trialsearch.lexicon import IndexLexicon

__all__ = ["Definition", "Meanings", "NameCount", "Related", "Taught", "Thing", "meanings", "things"]

AREA = "BasicSearch"
_HEADLINE = f"{AREA}/headline"
# As expansion asks: other words that may stand inside a name of several words.
_NAME_SLOP = 1
# Words of a text that are looked at for names; words that a learned name has at most.
_MOST_WORDS, _LONGEST_LEARNED = 30, 6
# The source of names that only trials know.
_TRIALS = "trials of this index"


@frozen
class NameCount:
    """A name of a thing, who gives it (`source`, in words), and the number of trials that have it."""

    name: str
    source: str
    trials: int


@frozen
class Taught:
    """Another name that trials give a thing: how many `say` so, and how many trials have the name."""

    name: str
    say: int
    trials: int


@frozen
class Definition:
    """An abbreviation as trials define it, and how many of them do."""

    short: str
    long: str
    trials: int


@frozen
class Related:
    """What is directly above or below a thing, and the number of trials that are about it or a kind of it."""

    name: str
    identifier: str
    trials: int


@frozen
class Thing:
    """One thing that a term names.

    `identifier` and `kind` are "" where only trials know it. `how` the term names it: name, abbreviation, or
    learned (by the trials). `taken`: whether a plain search for the term means this; `uses`: the trials that
    define the abbreviation so, and `share`: of all that define it. `trials` are about the thing or a kind of
    it. `names` and `narrower` have those with the most trials first, but for the preferred name.
    """

    name: str
    identifier: str
    kind: str
    how: str
    taken: bool
    uses: int = 0
    share: float = 0.0
    trials: int = 0
    names: tuple[NameCount, ...] = ()
    abbreviations: tuple[NameCount, ...] = ()
    learned: tuple[Taught, ...] = ()
    definitions: tuple[Definition, ...] = ()
    broader: tuple[Related, ...] = ()
    narrower: tuple[Related, ...] = ()


@frozen
class Meanings:
    """What a term means. `read_as`: the term, a misspelt name in it as it was taken. `trials`: how many a
    plain search for it finds. `notes`: what such a search says. `things`: those taken first. `near`: where it
    names nothing, names in it and words near it.
    """

    term: str
    read_as: str
    trials: int
    notes: tuple[str, ...]
    things: tuple[Thing, ...]
    near: tuple[str, ...]


def meanings(lexicon: IndexLexicon, evaluator: Evaluator, term: str) -> Meanings:
    """Return what a term means to an index."""
    text = " ".join(term.split())
    expansion = Expansion(lexicon)
    query = expand(Words(text), expansion, AREA)
    read_as = _read_as(query, text)
    found = things(lexicon, evaluator, read_as)
    near = () if found else tuple(dict.fromkeys(_near(lexicon, read_as)))
    return Meanings(
        text, read_as, evaluator.count(query, AREA), tuple(dict.fromkeys(expansion.notes)), found, near
    )


def _read_as(query: Query, text: str) -> str:
    """Return a term with its misspelt words as expansion took them."""
    asked = [part for part in (query.parts if isinstance(query, And) else (query,)) if isinstance(part, Best)]
    said = [next((way.text for way in part.ways if way.how == "spelling"), part.text) for part in asked]
    return text if said == [part.text for part in asked] else " ".join(said)


def _near(lexicon: IndexLexicon, text: str) -> Iterator[str]:
    """Yield the names in a text that is none, and what words in it may have been meant to be."""
    words = units(text)[:_MOST_WORDS]
    keys = [word.key for word in words]
    place = 0
    while place < len(words):
        size = max(
            lexicon.vocabulary.longest_match(keys, place)[0],
            lexicon.learned_match(keys, place, _LONGEST_LEARNED),
        )
        if size and len(words) > 1:
            yield " ".join(word.text for word in words[place : place + size])
        elif not size:
            yield from offers(fold(words[place].text), lexicon)
        place += size or 1


def things(lexicon: IndexLexicon, evaluator: Evaluator, term: str) -> tuple[Thing, ...]:
    """Return the things that a term names, all of it: those first that a plain search for it takes."""
    key = normal_words(term)
    make = _Maker(lexicon, evaluator)
    full = [sense.concept for sense in lexicon.vocabulary.senses(key) if not sense.abbreviation]
    found = [make.concept(number, "name", True) for number in full]
    taught = () if full else lexicon.learned_names(key)
    if taught:
        found.append(Thing(taught[0], "", "", "learned", True, learned=make.taught(key)))
    found += _abbreviated(make, term, set(full), not found)
    return tuple(sorted(found, key=lambda one: (not one.taken, -one.share, -one.trials)))


def _abbreviated(make: _Maker, term: str, known: set[int], asked: bool) -> Iterator[Thing]:
    """Yield what a term stands for as an abbreviation, but for `known` concepts; `asked`: whether a search
    asks for that at all: names of other things go before.
    """
    words = units(term)
    text = words[0].text if len(words) == 1 else term
    held = senses.meanings(text, make.lexicon, None)
    taken = senses.choose(text, held, (), make.lexicon, AREA).taken if asked and len(words) == 1 else None
    total = sum(meaning.trials for meaning in held)
    for meaning in held:
        if meaning.concept in known:
            continue
        share = meaning.trials / total if total else 0.0
        here = meaning is taken
        if meaning.concept is not None:
            yield make.concept(meaning.concept, "abbreviation", here, text, meaning.trials, share)
        else:
            defined = make.definitions(meaning.pairs)
            names = (NameCount(meaning.name, _TRIALS, make.found(meaning.name)),)
            yield Thing(
                meaning.name,
                "",
                "",
                "abbreviation",
                here,
                meaning.trials,
                share,
                names=names,
                definitions=defined,
            )


class _Maker:
    """Makes things of what an index knows, and counts their trials."""

    def __init__(self, lexicon: IndexLexicon, evaluator: Evaluator) -> None:
        self.lexicon = lexicon
        self._evaluator = evaluator
        self._snapshot = evaluator.snapshot

    def found(self, name: str, slop: int = _NAME_SLOP, area: str = AREA) -> int:
        """Return how many trials have a name; function words alone are none."""
        query = name_query(name, slop)
        return 0 if query is None else self._evaluator.count(query, area)

    def concept(
        self, number: int, how: str, taken: bool, asked: str = "", uses: int = 0, share: float = 0.0
    ) -> Thing:
        """Return a concept of the vocabulary; `asked`: the abbreviation that was typed for it."""
        vocabulary = self.lexicon.vocabulary
        concept = vocabulary.concept(number)
        first, *others = concept.names
        short = dict.fromkeys((asked, *(name.text for name in concept.abbreviations)))
        pairs = [
            pair
            for text in short
            for sense in self.lexicon.senses(text)
            if sense.concept == concept.id
            for pair in sense.pairs
        ]
        return Thing(
            concept.preferred,
            concept.id,
            concept.kind,
            how,
            taken,
            uses,
            share,
            self._linked(concept.id),
            (*self._named([first]), *self._named(others)),
            self._named(concept.abbreviations, 0, _HEADLINE),
            self.taught(normal_words(concept.preferred)),
            self.definitions(pairs),
            self._related(vocabulary.parents(number)),
            self._related(vocabulary.children(number)),
        )

    def _linked(self, identifier: str) -> int:
        return self._evaluator.count(In(concept_area(AREA), Term(concept_term(identifier))), AREA)

    def _named(
        self, names: Iterable[Name], slop: int = _NAME_SLOP, area: str = AREA
    ) -> tuple[NameCount, ...]:
        counts = (
            NameCount(name.text, _title(name.source), self.found(name.text, slop, area)) for name in names
        )
        return tuple(sorted(counts, key=lambda one: (-one.trials, one.name)))

    def _related(self, numbers: Iterable[int]) -> tuple[Related, ...]:
        vocabulary = self.lexicon.vocabulary
        pairs = ((vocabulary.preferred(number), vocabulary.identifier(number)) for number in numbers)
        found = (Related(name, identifier, self._linked(identifier)) for name, identifier in pairs)
        return tuple(sorted(found, key=lambda one: (-one.trials, one.name)))

    def taught(self, key: tuple[str, ...]) -> tuple[Taught, ...]:
        """Return the other names that trials give a name, by its analysed words."""
        learned = self._snapshot.learned
        names = () if learned is None else learned.names(key)
        found = (Taught(name.text, name.trials, self.found(name.text)) for name in names)
        return tuple(sorted(found, key=lambda one: (-one.say, one.name)))

    def definitions(self, pairs: Iterable[str]) -> tuple[Definition, ...]:
        """Return definitions, as the index has them: short form, tab, long form."""
        # Spellings of one long form are one, shown as most trials write it.
        same: dict[tuple[str, tuple[Form, ...]], list[tuple[int, str, set[int]]]] = {}
        for pair in dict.fromkeys(pairs):
            short, _, long = pair.partition("\t")
            docs = self._snapshot.named("Definition", pair)
            live = docs if self._snapshot.live is None else docs[self._snapshot.live[docs]]
            same.setdefault((short, forms(long)[:1]), []).append((-len(live), long, set(live.tolist())))
        found = [
            Definition(short, min(ways)[1], len(set().union(*(docs for _, _, docs in ways))))
            for (short, _), ways in same.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.trials, one.short, one.long)))


def _title(source: str) -> str:
    """Return what a person calls a source of names."""
    return SOURCES[source].title if source in SOURCES else source
