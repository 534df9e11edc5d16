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
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from trialindex.analysis import STOP_WORDS, fold, normal_words
from trialindex.spelling import american, singular

__all__ = ["Concept", "Vocabulary", "shipped"]


_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[^\W_]+(?:[-‐‑‒–−][^\W_]+)*")
# Stems keep two letters of a short word (Ewing's is `ewe`), and three of a longer one.
_SHORT, _INITIAL = 6, 3  # letters
# The first letters that another spelling has for `e`.
_BENT = ("ae", "oe")


def _letter(name: str) -> str:
    """Return the letter that a name and its initial begin with; "" where it takes more to tell.

    >>> _letter("Lupus nephritis"), _letter("In vitro fertilization"), _letter("5-FU"), _letter("Oedema")
    ('l', '', '', '')
    """
    word = name.partition(" ")[0].lower()
    plain = word.isascii() and word[:1].isalpha() and word.replace("-", "").isalnum()
    return word[0] if plain and word not in STOP_WORDS and not word.startswith(_BENT) else ""


def _initial(name: str) -> str:
    """Return the letters that the first analysed word of a name begins with.

    Three of them, two of a short word, one where it begins with a number, which may stand apart; "" where
    only analysis can tell.

    >>> _initial("Oesophageal cancer"), _initial("T cell leukemia"), _initial("IL-2"), _initial("β-blocker")
    ('eso', 't', 'il', '')
    """
    for run in _RUN.findall(american(fold(name))):
        plain = "".join(_WORD.findall(run))
        if plain not in STOP_WORDS:
            found = plain[:1] if plain[0].isdigit() else _begin(plain)
            return found if found.isascii() else ""
    return ""


def _begin(word: str) -> str:
    return singular(word)[: _INITIAL if len(word) >= _SHORT else 2]


class Concept(NamedTuple):
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


# The concepts of the names that have a key (`normal_words`).
Keys = dict[tuple[str, ...], tuple[Concept, ...]]


class Vocabulary:
    """Concepts, found by name.

    Names are kept by their first letters and analysed when a word that begins so is first looked up: a search
    from a fresh start pays for a few names, not for all.
    """

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = tuple(concepts)
        self._begun: dict[str, dict[str, list[tuple[str, Concept]]]] = {}
        self._read: dict[str, Keys] = {}

    @cached_property
    def _names(self) -> dict[str, list[tuple[str, Concept]]]:
        """Letter -> names with their concepts."""
        names: dict[str, list[tuple[str, Concept]]] = {}
        for concept in self.concepts:
            for name in (concept.preferred, *concept.names, *concept.abbreviations):
                names.setdefault(_letter(name), []).append((name, concept))
        return names

    def _initials(self, letter: str) -> dict[str, list[tuple[str, Concept]]]:
        """Initial -> names with their concepts, of those that begin with a letter."""
        if letter not in self._begun:
            found: dict[str, list[tuple[str, Concept]]] = {}
            for name, concept in self._names.get(letter, ()):
                found.setdefault(_initial(name), []).append((name, concept))
            self._begun[letter] = found
        return self._begun[letter]

    def _keys(self, initial: str) -> Keys:
        """Return key -> concepts for the names that begin with an initial."""
        found = self._read.get(initial)
        if found is None:
            table: dict[tuple[str, ...], list[Concept]] = {}
            for letter in dict.fromkeys((initial[:1], "")):
                for name, concept in self._initials(letter).get(initial, ()):
                    key = normal_words(name)
                    if key and concept not in table.setdefault(key, []):
                        table[key].append(concept)
            found = self._read[initial] = {key: tuple(concepts) for key, concepts in table.items()}
        return found

    def _tables(self, word: str) -> list[Keys]:
        """Return the tables that may have a key of which this is the first word."""
        begin = fold(word)[:_INITIAL]
        return [self._keys(begin[:size]) for size in range(len(begin), -1, -1)]

    def _concepts(self, key: tuple[str, ...]) -> tuple[Concept, ...]:
        held = (concept for table in self._tables(key[0]) for concept in table.get(key, ()))
        return tuple(dict.fromkeys(held))

    @cached_property
    def _folded(self) -> str:
        """All names, folded, a line each."""
        return "\n".join(fold(name) for held in self._names.values() for name, _ in held)

    def knows(self, word: str) -> bool:
        """Whether a folded word is a word of some name, in any number or spelling: no misspelling, then."""
        term = next(iter(normal_words(word)), word)
        held: set[str] = set()
        for begin in {word[:2], term[:2]}:
            # The letters go first: so the expression leaps from one place that has them to the next.
            letters = re.escape(begin)
            held.update(re.findall(rf"{letters}(?<![^\W_]{letters})[^\W_]*", self._folded))
        return word in held or any(term in normal_words(one) for one in held)

    def named(self, name: str) -> tuple[Concept, ...]:
        """Return the concepts that a name means: several where it is ambiguous, () where it is unknown."""
        key = normal_words(name)
        return self._concepts(key) if key else ()

    def longest_match(self, words: Sequence[str], start: int) -> tuple[int, tuple[Concept, ...]]:
        """Return the length and the concepts of the longest name that begins at a place in a sequence of
        analysed words.

        (0, ()) where none does.
        """
        tables = self._tables(words[start]) if start < len(words) else []
        longest = max((len(key) for table in tables for key in table), default=0)
        for size in range(min(longest, len(words) - start), 0, -1):
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
    return [Concept(row[0], row[1], *map(_listed, [*row, "", "", ""][2:5])) for row in rows[1:]]


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split("|"))) if cell else ()


@cache
def shipped() -> Vocabulary:
    """Return the vocabulary that comes with the package (`concepts.tsv`)."""
    return Vocabulary(read_concepts(Path(__file__).with_name("concepts.tsv").read_text("utf-8")))
