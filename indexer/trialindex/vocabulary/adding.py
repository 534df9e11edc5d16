"""A vocabulary of one's own beside the shipped one: names of further files join it, and stay over a rebuild.

>>> def concept(identifier, *names, short=()):
...     return Concept(identifier, "condition", names, short, ())
>>> base = [concept("D1", Name("Lupus Nephritis", "mesh"), Name("lupus kidney", "ours.tsv"))]
>>> more = [concept("ours.tsv:1", Name("lupus nephritis", "ours.tsv"), Name("renal lupus", "ours.tsv"))]
>>> [one] = joined(base, more)
>>> [(name.text, name.source) for name in one.names]
[('Lupus Nephritis', 'mesh'), ('renal lupus', 'ours.tsv')]
>>> [mine] = own([one])
>>> mine.id, mine.names
('D1', (Name(text='renal lupus', source='ours.tsv'),))

A source that is added again takes the place of what it said before: so a wrong name is taken back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from trialindex.vocabulary.concepts import SOURCES, Concept, Name, shipped_concepts
from trialindex.vocabulary.imports import read_vocabulary_file
from trialindex.vocabulary.joining import merged
from trialindex.vocabulary.mapped import Vocabulary

__all__ = ["Added", "Imported", "elsewhere", "joined", "own", "read_import", "renewed"]

# What the name of a source may not have in it (`concepts`).
_NO_SOURCE = re.compile(r"[:|\x00-\x20\x7f-\xa0]+")


class Imported(NamedTuple):
    """A vocabulary file that was read: its formats, the number of its concepts, what was passed over (reason
    -> how often), and its names that are those of other things in the index, and stay so.
    """

    file: str
    formats: tuple[str, ...]
    concepts: int
    odd: Counter[str]
    elsewhere: list[str]


@dataclass(slots=True)
class Added:
    """What came of adding vocabulary files to an index.

    `files`: what was read; `things`: concepts that are new to the index; `names`: names and abbreviations
    that it did not have, `gone`: those that a file had given before and does not any more; `trials`: how many
    were linked anew, 0 where nothing changed.
    """

    files: list[Imported] = field(default_factory=list)
    things: int = 0
    names: int = 0
    gone: int = 0
    trials: int = 0

    @property
    def changed(self) -> bool:
        """Whether the vocabulary of the index is another one now."""
        return bool(self.things or self.names or self.gone)

    def compare(self, before: Iterable[Concept], after: Iterable[Concept]) -> None:
        """Count what two vocabularies have more and less."""
        old, new = {one.id: one for one in before}, {one.id: one for one in after}
        self.things = len(new.keys() - old.keys())
        for identifier in old.keys() | new.keys():
            was, now = _names(old.get(identifier)), _names(new.get(identifier))
            self.names += len(now - was)
            self.gone += len(was - now)


def _names(concept: Concept | None) -> set[Name]:
    return set() if concept is None else {*concept.names, *concept.abbreviations}


def read_import(path: Path) -> tuple[Imported, list[Concept]]:
    """Read a vocabulary file, an archive or a folder of them (`imports`).

    Names get a source that is none of the shipped ones: a descriptor file of MeSH gives names of
    `mesh-desc2025.xml`. Raises SourceError where it cannot be read, or is in no known format.
    """
    reading = read_vocabulary_file(path)
    concepts = [_marked(concept, path.name) for concept in reading]
    return Imported(path.name, tuple(reading.formats), len(concepts), reading.odd, []), concepts


def _marked(concept: Concept, file: str) -> Concept:
    if all(name.source not in SOURCES for name in (*concept.names, *concept.abbreviations)):
        return concept
    return concept._replace(
        names=_sourced(concept.names, file), abbreviations=_sourced(concept.abbreviations, file)
    )


def _sourced(names: Iterable[Name], file: str) -> tuple[Name, ...]:
    return tuple(
        Name(name.text, _NO_SOURCE.sub("-", f"{name.source}-{file}")) if name.source in SOURCES else name
        for name in names
    )


def joined(base: Iterable[Concept], *more: Sequence[Concept]) -> list[Concept]:
    """Return a vocabulary with the concepts of further sources, each in the place of what it said before."""
    again = {name.source for concepts in more for concept in concepts for name in _names(concept)}
    return merged(_of_sources(base, lambda source: source not in again), more)


def elsewhere(concepts: Iterable[Concept], vocabulary: Vocabulary) -> Iterator[str]:
    """Yield the names of some concepts that a vocabulary has for other things, and not for what the preferred
    name is.
    """
    for concept in concepts:
        first, *others = concept.names
        here = _meant(vocabulary, first.text)
        for name in others:
            there = _meant(vocabulary, name.text)
            if there and not here & there:
                yield name.text


def _meant(vocabulary: Vocabulary, name: str) -> set[int]:
    return {sense.concept for sense in vocabulary.named(name)}


def own(concepts: Iterable[Concept]) -> list[Concept]:
    """Return what of a vocabulary is a user's own: concepts with the names that no shipped source gave,
    perhaps none but abbreviations.
    """
    found = (_kept(concept, lambda source: source not in SOURCES) for concept in concepts)
    return [concept for concept in found if concept.names or concept.abbreviations]


def renewed(concepts: Iterable[Concept]) -> list[Concept] | None:
    """Return the shipped vocabulary with what is a user's own in another one; None where that is nothing."""
    held = {concept.id: concept for concept in concepts}
    mine = own(held.values())
    if not mine:
        return None
    shipped = list(shipped_concepts())
    known = {concept.id for concept in shipped}
    # Where a concept is shipped no more, its name says which one took its place.
    named = (one if one.id in known else _named(one, held[one.id].names[0]) for one in mine)
    return merged(shipped, [named])


def _named(concept: Concept, name: Name) -> Concept:
    return concept._replace(names=tuple(dict.fromkeys((name, *concept.names))))


def _of_sources(concepts: Iterable[Concept], wanted: Callable[[str], bool]) -> Iterable[Concept]:
    return (kept for concept in concepts if (kept := _kept(concept, wanted)).names)


def _kept(concept: Concept, wanted: Callable[[str], bool]) -> Concept:
    """Return a concept with the names of some sources."""
    names = tuple(name for name in concept.names if wanted(name.source))
    short = tuple(name for name in concept.abbreviations if wanted(name.source))
    return concept._replace(names=names, abbreviations=short)
