"""What the readers of vocabulary files share: bounded lines, clean names, and a count of what was odd.

>>> odd = Counter()
>>> names = Names("rxnorm", odd)
>>> names.concept("RXNORM:1", "intervention", ["Aspirin ", "aspirin", "ASA", "x" * 300])
... # doctest: +NORMALIZE_WHITESPACE
Concept(id='RXNORM:1', kind='intervention', names=(Name(text='Aspirin', source='rxnorm'),),
        abbreviations=(Name(text='ASA', source='rxnorm'),), parents=())
>>> names.concept("RXNORM:2", "intervention", [" "]) is None, odd
(True, Counter({'a name of over 200 characters': 1, 'no name': 1}))
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from trialindex.analysis import fold
from trialindex.errors import SourceError
from trialindex.formats.files import SourceFile, TextStream, repair
from trialindex.vocabulary.concepts import Concept, Name

__all__ = ["Names", "is_short", "lines"]

LONGEST_NAME = 200
# Characters of the longest line that is read.
_LONGEST_LINE = 1 << 20
_SHORT = re.compile(r"(?=.{2,8}\Z)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)?")
# What the text form of concepts parts by, and all that is no text.
_UNWRITABLE = re.compile(r"[|\x00-\x20\x7f-\xa0]+")


def lines(file: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, from 1, without line ends.

    Bytes that are no text come as `formats.files.repair` reads them. Raises SourceError for a line that is
    too long, and, after the last whole line, for a file that cannot be read to its end.
    """
    with file.open() as stream:
        text = TextStream(stream)
        number, rest = 0, ""
        while piece := text.read():
            *whole, rest = (rest + piece).split("\n")
            for line in whole:
                number += 1
                yield number, repair(line.removesuffix("\r"))[0]
            if len(rest) > _LONGEST_LINE:
                raise SourceError(
                    f"{file.label}, line {number + 1}: over {_LONGEST_LINE} characters, no line of a"
                    " vocabulary: check what the file is"
                )
        if text.fault:  # the last line may have been cut
            raise SourceError(f"{file.label}, line {number + 1}: {text.fault}: fetch the file again")
        if rest:
            yield number + 1, repair(rest)[0]


def _is_identifier(text: str) -> bool:
    return bool(text) and not text.startswith("#") and not _UNWRITABLE.search(text)


def is_short(name: str) -> bool:
    """Whether a name is written as abbreviations are: no more than eight characters, at least two capitals,
    more of them than of other letters, two digits at the most.

    >>> list(filter(is_short, ("SLE", "SSc", "T2D", "COPD", "5-FU", "AZD1222", "Lupus", "NaCl", "B")))
    ['SLE', 'SSc', 'T2D', 'COPD', '5-FU']
    """
    if not _SHORT.fullmatch(name):
        return False
    capitals = sum(map(str.isupper, name))
    return capitals >= 2 and capitals > sum(map(str.islower, name)) and sum(map(str.isdigit, name)) <= 2


class Names:
    """Makes concepts of what a source says, and counts what cannot be used.

    `source`: the key by which its names are known; one letter gets `source-` before it. `odd`: what was
    passed over, and how often.
    """

    def __init__(self, source: str, odd: Counter[str]) -> None:
        # The text form has letters of its own for some sources.
        self.source = source if len(source) > 1 else f"source-{source}"
        self.odd = odd

    def concept(
        self,
        identifier: str,
        kind: str,
        names: Iterable[str],
        short: Iterable[str] = (),
        parents: Iterable[str] = (),
    ) -> Concept | None:
        """Return a concept, or None (and count that) where its id or all of its names cannot be written.

        The first name is preferred; others that are written as abbreviations are taken for these, besides
        those that the source calls so (`short`). Names that differ only in case or accents are one.
        """
        if not _is_identifier(identifier):
            self.odd["an id that cannot be written"] += 1
            return None
        full = self._clean(names)
        if not full:
            self.odd["no name"] += 1
            return None
        abbreviations = [name for name in full[1:] if is_short(name)] + self._clean(short)
        known = set(map(fold, abbreviations))
        distinct: dict[str, str] = {}
        for name in (full[0], *(name for name in full[1:] if fold(name) not in known)):
            distinct.setdefault(fold(name), name)
        return Concept(
            identifier,
            kind,
            self._named(distinct.values()),
            self._named(dict.fromkeys(abbreviations)),
            tuple(dict.fromkeys(filter(_is_identifier, parents))),
        )

    def _named(self, texts: Iterable[str]) -> tuple[Name, ...]:
        return tuple(Name(text, self.source) for text in texts)

    def _clean(self, names: Iterable[str]) -> list[str]:
        found = []
        for name in names:
            text = _UNWRITABLE.sub(" ", name).strip()
            if len(text) > LONGEST_NAME:
                self.odd[f"a name of over {LONGEST_NAME} characters"] += 1
            elif text:
                found.append(text)
        return found
