r"""Tables of one's own: a name, another name of the same thing, and perhaps its kind, parted by tabs; and the
text form of concepts (`concepts.read_concepts`).

Rows with the same first name are one thing. A name written as abbreviations are is taken for one. Lines that
begin with # are remarks.

>>> import io
>>> text = "name\tother name\tkind\nlupus nephritis\tLN\tcondition\nlupus nephritis\tlupus kidney disease\n"
>>> file = SourceFile("mine.tsv", lambda: io.BytesIO(text.encode()))
>>> [concept] = read_pairs(file, Counter())
>>> concept.id, concept.kind, [[name.text for name in names] for names in concept[2:4]]
('mine.tsv:lupus-nephritis', 'condition', [['lupus nephritis', 'lupus kidney disease'], ['LN']])
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from trialindex.analysis import fold
from trialindex.formats.files import SourceFile
from trialindex.vocabulary.concepts import KINDS, Concept, read_concepts
from trialindex.vocabulary.import_rows import Names, is_short, lines

__all__ = ["read_own", "read_pairs", "recognises_own", "recognises_pairs"]

# Where a row says no kind; such a thing joins others by its names, whatever kind these are of.
_NO_KIND = "other"
_HEAD_NAMES = frozenset(("name", "names", "term", "preferred", "preferred name"))
_OWN_COLUMNS = 5
# What no source and no id has in it.
_NO_SOURCE = re.compile(r"[:|\x00-\x20\x7f-\xa0]+")


def _first_row(head: str) -> list[str]:
    rows = (line for line in head.split("\n") if line.strip() and not line.startswith("#"))
    return next(rows, "").rstrip("\r").split("\t")


def recognises_pairs(head: str) -> bool:
    """Whether a file that starts so has two or three columns, parted by tabs."""
    cells = _first_row(head)
    return 2 <= len(cells) <= 3 and all(cell.strip() for cell in cells[:2])


def read_pairs(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of a table of names. Raises SourceError where it cannot be read to its end."""
    source = _NO_SOURCE.sub("-", file.label.rpartition("/")[2])
    found: dict[str, tuple[dict[str, None], Counter[str]]] = {}  # folded name -> names, kinds
    for number, (name, other, kind) in enumerate(_rows(file, odd)):
        if not number and name.casefold() in _HEAD_NAMES:
            continue
        names, kinds = found.setdefault(fold(name), ({}, Counter()))
        names.update({name: None, other: None})
        if kind in KINDS:
            kinds[kind] += 1
        elif kind:
            odd["an unknown kind"] += 1
    made = Names(source, odd)
    for folded, (names, kinds) in found.items():
        # A full name is shown rather than an abbreviation, where there is one.
        ordered = sorted(names, key=is_short)
        identifier = f"{source}:{_NO_SOURCE.sub('-', folded)}"
        concept = made.concept(identifier, next(iter(kinds), _NO_KIND), ordered)
        if concept is not None:
            yield concept


def _rows(file: SourceFile, odd: Counter[str]) -> Iterator[tuple[str, str, str]]:
    for _, line in lines(file):
        if not line.strip() or line.startswith("#"):
            continue
        name, other, kind, *more = (*(" ".join(cell.split()) for cell in line.split("\t")), "", "")
        if not name or not other or any(more):
            odd["a row that is no two names and a kind"] += 1
        else:
            yield name, other, kind.lower()


def recognises_own(head: str) -> bool:
    """Whether a file that starts so is the text form of concepts."""
    cells = _first_row(head)
    return len(cells) == _OWN_COLUMNS and cells[1] in KINDS


def read_own(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of their text form. Raises SourceError at the first line that is none."""
    yield from read_concepts(line for _, line in lines(file))
