"""What a snapshot knows of words and names: how frequent they are, what they name, what is near them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

from trialindex.analysis import normal_words
from trialindex.fields import ANY_AREA, concept_area, concept_term
from trialsearch.lists import Recent

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot
    from trialindex.vocabulary.concepts import Concept
    from trialindex.vocabulary.learned import LearnedSense
    from trialindex.vocabulary.mapped import Vocabulary
    from trialsearch.query import Best

__all__ = ["IndexLexicon", "Lexicon"]

# Ways of names that are kept.
_KEPT_WAYS = 20_000
# Trials of a word that is known, wherever it stands in them.
_COMMON = 1000


class Lexicon(Protocol):
    """What expansion has to know of the index and of the world; it is a `misspelt.Known` too."""

    vocabulary: Vocabulary

    def frequency(self, word: str) -> int:
        """Return how many trials have the term of a folded word, in a field that an area asks."""

    def anywhere(self, term: str) -> int:
        """Return how many trials have a term, in any field."""

    def linked(self, concept: int | None, area: str) -> int:
        """Return how many trials are linked to a concept, or to a kind of it, in what an area asks."""

    def knows(self, word: str) -> bool:
        """Whether a folded word is part of a name of the vocabulary: no misspelling, then."""

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        """Return words of names that share most with a folded word, with their trials and kinds (a mask)."""

    def senses(self, text: str) -> Sequence[LearnedSense]:
        """Return what the trials of the index define an abbreviation as."""

    def short(self, text: str) -> tuple[int, ...]:
        """Return the concepts of the vocabulary that have an abbreviation."""

    def learned_match(self, keys: Sequence[str], start: int, longest: int) -> int:
        """Return how many words from a place on are the longest name that the trials give another name."""

    def learned_names(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the other names that the trials give a name."""

    def learned_concept(self, key: tuple[str, ...]) -> int | None:
        """Return the concept that the trials give a name, None where they give none, or several."""

    def taught(self, concept: Concept) -> tuple[str, ...]:
        """Return the other names that the trials give a concept."""


class IndexLexicon:
    """The lexicon of expansion over one snapshot: its vocabulary, and what its trials teach."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.anywhere = snapshot.anywhere
        self.vocabulary = snapshot.vocabulary or _nothing()
        self._learned = snapshot.learned
        # Names with their ways, as they were asked.
        self.known: Recent[Best] = Recent(_KEPT_WAYS)

    def frequency(self, word: str) -> int:
        """Return how many trials have the term of a folded word, in a field that an area asks; of a common
        word, in any field.
        """
        return max(map(self._term, normal_words(word)), default=0)

    def _term(self, term: str) -> int:
        anywhere = self._snapshot.anywhere(term)
        # Counting takes time, and nobody doubts a word of so many trials.
        return self._snapshot.frequency(term, ANY_AREA) if 0 < anywhere < _COMMON else anywhere

    def linked(self, concept: int | None, area: str) -> int:
        """Return how many trials are linked to a concept or to a kind of it, 0 in an area that has no
        links.
        """
        where = concept_area(area)
        if concept is None or not where:
            return 0
        return self._snapshot.frequency(concept_term(self.vocabulary.identifier(concept)), where)

    def knows(self, word: str) -> bool:
        """Whether a folded word is part of a name of the vocabulary."""
        return self.vocabulary.knows(word)

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        """Return words near a folded word, of the vocabulary's names and of those in the index."""
        found = {one[0]: one for one in self.vocabulary.words.candidates(word, kinds, limit)}
        if self._learned is not None:
            found |= {one[0]: one for one in self._learned.words.candidates(word, kinds, limit)}
        return list(found.values())

    def senses(self, text: str) -> Sequence[LearnedSense]:
        """Return what trials define an abbreviation as; one typed in small letters is taken in capitals."""
        if self._learned is None:
            return ()
        if not text.islower():
            return self._learned.senses(text)
        folded = self._learned.senses_folded(text)
        if found := tuple(sense for sense in folded if sense.short == text):
            return found
        # Whoever types small letters may mean any of several short forms: of one that has no rival it is
        # told.
        return folded if len({sense.short for sense in folded}) == 1 else ()

    def short(self, text: str) -> tuple[int, ...]:
        """Return the concepts of an abbreviation; one typed in small letters may be any of that spelling."""
        return self.vocabulary.short(text) or (
            tuple(sense.concept for sense in self.vocabulary.named(text) if sense.abbreviation)
            if text.islower()
            else ()
        )

    def learned_match(self, keys: Sequence[str], start: int, longest: int) -> int:
        """Return how many words from a place on are the longest name with a learned other name; 0 for
        none.
        """
        if self._learned is None:
            return 0
        found = 0
        for size in range(1, min(longest, len(keys) - start) + 1):
            words = tuple(keys[start : start + size])
            if not self._learned.starts(words):
                break
            if self._learned.names(words):
                found = size
        return found

    def learned_names(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the other names that trials give a name."""
        return () if self._learned is None else tuple(one.text for one in self._learned.names(key))

    def learned_concept(self, key: tuple[str, ...]) -> int | None:
        """Return the concept that trials give a name: of a research code, the drug."""
        found = () if self._learned is None else self._learned.names(key)
        concepts = {one.concept for one in found} - {""}
        return self.vocabulary.number_of(concepts.pop()) if len(concepts) == 1 else None

    def taught(self, concept: Concept) -> tuple[str, ...]:
        """Return the other names that trials give a concept, those of most trials first."""
        if self._learned is None:
            return ()
        found = self._learned.of_concept(concept.id)
        own = {name.text.casefold() for name in concept.names} if found else set()
        return tuple(one.text for one in found if one.text.casefold() not in own)


@cache
def _nothing() -> Vocabulary:
    from trialindex.vocabulary.mapped import Vocabulary

    return Vocabulary.of(())
