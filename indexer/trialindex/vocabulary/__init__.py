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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from trialindex.analysis import fold, normal_words

__all__ = ["Concept", "Vocabulary", "shipped"]


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
    """Concepts, found by name."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = tuple(concepts)

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], tuple[Concept, ...]]:
        table: dict[tuple[str, ...], list[Concept]] = {}
        for concept in self.concepts:
            for name in (*concept.full_names, *concept.abbreviations):
                key = normal_words(name)
                if key and concept not in table.setdefault(key, []):
                    table[key].append(concept)
        return {key: tuple(found) for key, found in table.items()}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._by_key), default=0)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of all names, folded as written and as analysed: none of them is a misspelling."""
        found: set[str] = set()
        for concept in self.concepts:
            for name in (*concept.full_names, *concept.abbreviations):
                found.update(normal_words(name))
                found.update(fold(word) for word in name.replace("-", " ").split())
        return frozenset(found)

    def named(self, name: str) -> tuple[Concept, ...]:
        """Return the concepts that a name means: several where it is ambiguous, () where it is unknown."""
        return self._by_key.get(normal_words(name), ())

    def longest_match(self, words: Sequence[str], start: int) -> tuple[int, tuple[Concept, ...]]:
        """Return the length and the concepts of the longest name that begins at a place in a sequence of
        analysed words.

        (0, ()) where none does.
        """
        for size in range(min(self._longest, len(words) - start), 0, -1):
            found = self._by_key.get(tuple(words[start : start + size]))
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
