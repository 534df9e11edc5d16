"""Concepts: the names of one thing, so that a query by one name finds trials that write another.

A concept has a kind (condition, intervention, procedure), a preferred name, other names, abbreviations, and
broader concepts. Names are compared by their analysed words, so case, hyphens, plurals and spellings do not
count.

>>> vocabulary = shipped()
>>> [concept.preferred for concept in vocabulary.named("SSc")]
['systemic sclerosis']
>>> vocabulary.named("scleroderma") == vocabulary.named("systemic sclerosis")
True
>>> vocabulary.named("no such thing")
()
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from trialindex.analysis import STOP_WORDS, fold, normal_words
from trialindex.spelling import american

__all__ = ["Concept", "Vocabulary", "shipped"]


_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[^\W_]+(?:[-‐‑‒–−][^\W_]+)*")


def _initial(name: str) -> str:
    """Return the letters that the first analysed word of a name begins with.

    Two of them, or one where the word has no more or begins with a number, which may stand apart; "" where
    only analysis can tell.

    >>> _initial("Oesophageal cancer"), _initial("T cell lymphoma"), _initial("β-thalassemia")
    ('es', 't', '')
    """
    for run in _RUN.findall(american(fold(name))):
        plain = "".join(_WORD.findall(run))
        if plain not in STOP_WORDS:
            size = 1 if plain[0].isdigit() else 2
            return plain[:size] if plain[:size].isascii() else ""
    return ""


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing with names. `broader` holds the preferred names of the concepts directly above it."""

    kind: str
    preferred: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]
    broader: tuple[str, ...]

    @property
    def full_names(self) -> tuple[str, ...]:
        """The preferred name and all others that are no abbreviations."""
        return (self.preferred, *self.names)


class Vocabulary:
    """Concepts, found by name.

    Names are kept by their first two letters and analysed when a word that begins so is first looked up: a
    search from a fresh start pays for a few names, not for all.
    """

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = tuple(concepts)
        self._read: dict[str, dict[tuple[str, ...], tuple[Concept, ...]]] = {}

    @cached_property
    def _names(self) -> dict[str, list[tuple[str, Concept]]]:
        names: dict[str, list[tuple[str, Concept]]] = {}
        for concept in self.concepts:
            for name in (*concept.full_names, *concept.abbreviations):
                names.setdefault(_initial(name), []).append((name, concept))
        return names

    @cached_property
    def _longest(self) -> int:
        """No name has more units than this."""
        return max((len(_WORD.findall(name)) for held in self._names.values() for name, _ in held), default=0)

    def _keys(self, initial: str) -> dict[tuple[str, ...], tuple[Concept, ...]]:
        """Return key -> concepts for the names that begin with an initial."""
        found = self._read.get(initial)
        if found is None:
            table: dict[tuple[str, ...], list[Concept]] = {}
            for name, concept in self._names.get(initial, ()):
                key = normal_words(name)
                if key and concept not in table.setdefault(key, []):
                    table[key].append(concept)
            found = self._read[initial] = {key: tuple(concepts) for key, concepts in table.items()}
        return found

    def _concepts(self, key: tuple[str, ...]) -> tuple[Concept, ...]:
        tried = dict.fromkeys((fold(key[0])[:2], fold(key[0])[:1], ""))
        held = (concept for initial in tried for concept in self._keys(initial).get(key, ()))
        return tuple(dict.fromkeys(held))

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        """First two letters -> the folded words of all names that begin with them."""
        words: dict[str, set[str]] = {}
        for held in self._names.values():
            for name, _ in held:
                for word in _WORD.findall(fold(name)):
                    words.setdefault(word[:2], set()).add(word)
        return words

    def knows(self, word: str) -> bool:
        """Whether a folded word is a word of some name, in any number or spelling: no misspelling, then."""
        term = next(iter(normal_words(word)), word)
        return any(
            word == held or term in normal_words(held)
            for initial in {word[:2], term[:2]}
            for held in self._words.get(initial, ())
        )

    def named(self, name: str) -> tuple[Concept, ...]:
        """Return the concepts that a name means: several where it is ambiguous, () where it is unknown."""
        key = normal_words(name)
        return self._concepts(key) if key else ()

    def longest_match(self, words: Sequence[str], start: int) -> tuple[int, tuple[Concept, ...]]:
        """Return the length and the concepts of the longest name that begins at a place in a sequence of
        analysed words.

        (0, ()) where none does.
        """
        for size in range(min(self._longest, len(words) - start), 0, -1):
            found = self._concepts(tuple(words[start : start + size]))
            if found:
                return size, found
        return 0, ()

    def is_abbreviation(self, concept: Concept, name: str) -> bool:
        """Whether a name is one of a concept's abbreviations and none of its full names."""
        key = normal_words(name)
        return key in {normal_words(short) for short in concept.abbreviations} and key not in {
            normal_words(full) for full in concept.full_names
        }

    def is_ambiguous(self, name: str) -> bool:
        """Whether a name means several concepts."""
        return len(self.named(name)) > 1


def read_concepts(text: str) -> list[Concept]:
    """Return the concepts of a table: kind, preferred, names, abbreviations, broader, parted by tabs;
    lists by bars.
    """
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [
        Concept(
            row[0],
            row[1],
            *(tuple(part for part in cell.split("|") if part) for cell in [*row, "", "", ""][2:5]),
        )
        for row in rows[1:]
    ]


@cache
def shipped() -> Vocabulary:
    """Return the vocabulary that comes with the package (`concepts.tsv`)."""
    return Vocabulary(
        read_concepts(files("trialindex.vocabulary").joinpath("concepts.tsv").read_text("utf-8"))
    )
