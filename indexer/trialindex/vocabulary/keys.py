"""The keys of many names, fast: what `analysis.normal_words` returns, for hundreds of thousands of them.

>>> keys = NameKeys()
>>> keys.words("Lupus Erythematosus, Systemic"), keys.words("interleukin 2 inhibitors")
(('lupus', 'erythematosus', 'system'), ('interleukin2', 'inhibitor'))
>>> keys.joined("Lupus Nephritis"), keys.joined("of the")
('lupus nephriti', '')

How: a name is cut at its spaces, and a chunk that was met before is looked up; vocabularies of millions of
words have few distinct ones. Chunks that are bound to each other over a space (`analysis.Piece`) are analysed
as one. Where capitals may count for nothing (`analysis.shouts`), the whole name is analysed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from trialindex.analysis import LONE_A, NUMBER, normal_words, piece, prepare, shouts

__all__ = ["NameKeys"]

# No part of a word, at either end of it, and nothing that binds it to what stands beside it.
_PUNCTUATION = ",.;:()[]{}"
# Chunks that are kept; the vocabularies of the largest sources together have half as many.
_MOST_CHUNKS = 400_000


class _Chunk(NamedTuple):
    """What a part of a name gives. `words`: its key, None where only the whole name can tell. `head` and
    `tail`: what binds it to its neighbours, as in `analysis.Piece`.
    """

    words: tuple[str, ...] | None
    head: int
    tail: int


class _Chunks(dict[str, _Chunk]):
    """Chunk -> what it gives, read when it is first met."""

    def __missing__(self, text: str) -> _Chunk:
        if len(self) >= _MOST_CHUNKS:
            self.clear()
        made = self[text] = self._read(text)
        return made

    def _read(self, text: str) -> _Chunk:
        core = text.strip(_PUNCTUATION)
        if core and core != text:
            like = self[core]
            head = like.head if text[0] == core[0] else 0
            tail = like.tail if text[-1] == core[-1] else 0
            return like._replace(head=head, tail=tail)
        found = piece(text, False)
        if shouts(text):
            words = None
        elif text.isascii() and text.isalpha():  # one word: its first way of writing
            words = found.terms[:1]
        else:
            words = normal_words(text)
        return _Chunk(words, found.head, found.tail)


class NameKeys:
    """Keys of names; keeps what it has read of their parts. For one thread."""

    def __init__(self) -> None:
        self._chunks = _Chunks()

    def words(self, name: str) -> tuple[str, ...]:
        """Return the analysed words of a name: `normal_words(name)`."""
        prepared = name if name.isascii() else prepare(name)
        if prepared.isupper() and shouts(prepared):
            return normal_words(prepared)
        chunks = prepared.split(" ")
        found = [self._chunks[chunk] for chunk in chunks]
        if len(found) > 1:
            found = self._bound(chunks, found)
        words: list[str] = []
        for one in found:
            if one.words is None:
                return normal_words(prepared)
            words += one.words
        return tuple(words)

    def joined(self, name: str) -> str:
        """Return the analysed words of a name, parted by one space; "" for a name that has none."""
        return " ".join(self.words(name))

    def _bound(self, chunks: list[str], found: list[_Chunk]) -> list[_Chunk]:
        """Return what the chunks give, those bound to each other over a space read as one."""
        pairs = [before.tail & after.head != 0 for before, after in pairwise(found)]
        if True not in pairs:
            return found
        # An `a` is a name only between a word that takes numbers and a number: it binds what follows, too.
        bound = [
            pair
            or (
                place > 0
                and pairs[place - 1]
                and bool(found[place].tail & LONE_A and found[place + 1].head & NUMBER)
            )
            for place, pair in enumerate(pairs)
        ]
        groups: list[_Chunk] = []
        start = 0
        for stop in range(1, len(chunks) + 1):
            if stop == len(chunks) or not bound[stop - 1]:
                whole = stop - start == 1
                groups.append(found[start] if whole else self._chunks[" ".join(chunks[start:stop])])
                start = stop
        return groups
