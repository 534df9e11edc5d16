"""A vocabulary, asked for what a condition or an intervention string may mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from trialindex.analysis import fold
from trialindex.spelling import american, singular

__all__ = ["CAPITALS", "WORDS", "Found", "Link", "Lookup", "NameSense", "Names", "once"]


_CALLED = 16_384  # concepts whose names are kept
_BASES = 16_384  # words of names without their endings


class Link(NamedTuple):
    """A concept, by its number in the vocabulary, and the step that found it."""

    concept: int
    how: str


class NameSense(Protocol):
    @property
    def concept(self) -> int: ...

    @property
    def abbreviation(self) -> bool: ...


class _Name(Protocol):
    @property
    def text(self) -> str: ...


class _Concept(Protocol):
    @property
    def names(self) -> Sequence[_Name]: ...


class Names(Protocol):
    """What a linker asks of a vocabulary (`mapped.Vocabulary` has it)."""

    def kind(self, number: int) -> str: ...

    def concept(self, number: int) -> _Concept: ...

    def senses(self, key: tuple[str, ...]) -> Sequence[NameSense]: ...

    def longest_match(self, keys: Sequence[str], start: int) -> tuple[int, Sequence[NameSense]]: ...

    def short(self, text: str) -> Sequence[int]: ...

    def identifier(self, number: int) -> str: ...

    def ancestors(self, number: int) -> Sequence[tuple[int, int]]: ...


class Found(NamedTuple):
    """Links, and the short forms that only the trial's other strings can decide."""

    links: tuple[Link, ...] = ()
    open: tuple[tuple[tuple[int, ...], str], ...] = ()


WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONGEST_ACRONYM = 8  # letters
CAPITALS = re.compile(r"(?=(?:.*[A-Z]){2})[A-Za-z0-9/-]{2,8}")


def once(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return links without those to a concept that an earlier one has."""
    first: dict[int, Link] = {}
    for link in links:
        first.setdefault(link.concept, link)
    return tuple(first.values())


class Lookup:
    """A vocabulary, asked for what a string may mean; safe to share between threads."""

    def __init__(self, vocabulary: Names) -> None:
        self.kind = vocabulary.kind
        self.senses = vocabulary.senses
        self.longest_match = vocabulary.longest_match
        self.ancestors = vocabulary.ancestors
        self._short = vocabulary.short
        self._concept = vocabulary.concept
        self._names = lru_cache(maxsize=_CALLED)(self._read_names)

    def chosen(self, senses: Iterable[NameSense], kinds: Sequence[str], raw: str = "") -> tuple[int, ...]:
        """Return the concepts that a full name means, of the first of these kinds that it has.

        Of several that share the name by its stems alone, those that are called so.
        """
        full = [sense.concept for sense in senses if not sense.abbreviation]
        if not full:
            return ()
        held = [self.kind(concept) for concept in full]
        kind = next((kind for kind in kinds if kind in held), None)
        fitting = [concept for concept, own in zip(full, held, strict=True) if own == kind]
        if len(fitting) > 1 and raw:
            return tuple([concept for concept in fitting if self.is_called(concept, raw)] or fitting)
        return tuple(fitting)

    def turned(self, keys: Sequence[str], starts: Iterable[int], kinds: Sequence[str]) -> tuple[int, ...]:
        """Return the concepts of words that are put behind the rest, those before one of some places."""
        round_about = [*keys, *keys]
        for start in starts:
            size, senses = self.longest_match(round_about[: start + len(keys)], start)
            if size == len(keys) and (concepts := self.chosen(senses, kinds)):
                return concepts
        return ()

    def short_forms(self, raw: str, kinds: Sequence[str]) -> tuple[int, ...]:
        """Return the concepts of some kinds that have this short form: its capitals count, its plural's s
        does not. Where one is above all others, that one.
        """
        if len(raw) > _LONGEST_ACRONYM or not CAPITALS.fullmatch(raw):
            return ()
        held = self._short(raw) or (self._short(raw[:-1]) if raw.endswith("s") else ())
        fitting = [concept for concept in held if self.kind(concept) in kinds]
        if len(fitting) > 1:
            above = [{one for one, _ in self.ancestors(concept)} for concept in fitting]
            for concept, own in zip(fitting, above, strict=True):
                if all(concept in others for others in above if others is not own):
                    return (concept,)
        return tuple(fitting)

    def is_called(self, concept: int, raw: str) -> bool:
        """Whether a concept has a name that is this text but for plurals, case and punctuation; stems are
        not enough: `laparoscopes` is no laparoscopy.
        """
        return _bases(raw) in self._names(concept)

    def _read_names(self, concept: int) -> frozenset[str]:
        return frozenset(_bases(name.text) for name in self._concept(concept).names)


def _bases(text: str) -> str:
    """Return the letters of a text without the endings of plurals, and nothing between its words.

    >>> _bases("Heart disease") == _bases("heart-diseases"), _bases("laparoscopy") == _bases("laparoscopes")
    (True, False)
    """
    return "".join(map(_base, WORDS.findall(text)))


@lru_cache(maxsize=_BASES)
def _base(word: str) -> str:
    return re.sub(r"(?:ies|y)$", "i", singular(american(fold(word)))).rstrip("es")
