"""Text into tokens by the million: those of `analysis.value_tokens`, as arrays of numbers.

>>> tokeniser = Tokeniser()
>>> tokeniser.add(["IL-2 in lupus", "lupus"])
>>> found = tokeniser.drain()
>>> [tokeniser.vocabulary[term] for term in found.terms.tolist()], found.positions.tolist()
(['il', 'il2', '2', 'lupus', 'lupus'], [0, 0, 1, 3, 20])
>>> found.counts.tolist(), found.starts.tolist(), found.start_counts.tolist()
([5], [0, 20, 37], [3])

How: a text is cut at its spaces into chunks, and a chunk that was seen before is looked up, not read again:
a text of a million words has few distinct ones. Chunks bound to each other over a space (`IL 2`, `type II`)
are looked up as one. Whatever can be done for all chunks at once is done by numpy: also the looking up of
short and recent ones, whose bytes are two numbers.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trialindex.analysis import (
    LONE_A,
    NO_TERM,
    NUMBER,
    VALUE_GAP,
    Piece,
    piece,
    plain_term,
    prepare,
    shouts,
)
from trialindex.kernel import cutting

__all__ = ["TERM", "Tokeniser", "Tokens"]

# Characters that are cut up in one go: enough for numpy, few enough to stay in the processor's cache.
_BATCH = 1 << 18
# Bytes of chunks beyond which all are forgotten at the next drain: some 2 million distinct ones.
_MOST_CHUNKS = 1 << 29
# A chunk of its own after each value; and what a chunk begins with where its value shouts, because the same
# letters then make other terms. Neither is part of a word; where they stand in a text, another control
# character takes their place.
_VALUE_END = "\0"
_SHOUTED = "\1"
_CONTROL = "\2"
# What a term begins with that is no word of a text, and is taken as it is.
TERM = "\3"
# A line break is a chunk of its own: it parts its neighbours, and does not make one chunk of them.
_LINE_BREAK = " \n "
# Characters that a text needs to shout (`analysis.shouts`): a group or a unit, `BG000`, is not looked at.
_SHORTEST_SHOUT = 7
# No part of a word or number, at either end of it.
_PUNCTUATION = "\r\t\v\f\u00a0.,;:()[]{}<>\"'!?*/=+%#&|~^`$@_\\•·–-≥≤®™“”…"
# The same by byte, of those that are one byte: bool[256].
_IS_PUNCTUATION = np.isin(np.arange(256), [ord(mark) for mark in _PUNCTUATION if mark.isascii()])
# What no word goes on over, inside a chunk: `Apr;44(4):1492-500` is read as four.
_PARTING = re.compile(r"[;:()\[\]=<>+]+")
# Bytes of an entry of a dict, its number included, and of a row of the tables, roughly.
_ENTRY = 64
_ROW = 18

# Bytes of a word of the processor. Two hold a chunk of 15 and its length; the masks are, by the length, what
# of each is the chunk's. Zeros stand behind a text, so that the last chunk can be read as others.
_WORD = 8
_BEHIND = bytes(2 * _WORD)
_FRONT = np.array([(1 << 8 * min(size, _WORD)) - 1 for size in range(2 * _WORD)], np.uint64)
_BACK = np.array([(1 << 8 * max(size - _WORD, 0)) - 1 for size in range(2 * _WORD)], np.uint64)
# Recent chunks: 2 to the power of so many, what none begins with, and what spreads them over their places
# (Knuth, The Art of Computer Programming 3, 6.4: 2**64 over the golden ratio).
_PLACES = 17
_NO_CHUNK = 2**64 - 1
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Tokens(NamedTuple):
    """The tokens of the calls of `Tokeniser.add` since the last drain, one call after the other.

    `terms`: uint32[m], number of each token's term, in the order of `value_tokens`.
    `positions`: uint32[m], its position in the field, values counted on with VALUE_GAP.
    `counts`: uint32[calls], tokens of each call.
    `starts`: uint32[v], the position at which each value starts, and after the last value of each call where
    one more would start.
    `start_counts`: uint32[calls], entries of `starts` of each call: its values and one.
    """

    terms: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    counts: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    start_counts: NDArray[np.uint32]


class _Cut:
    """The chunks of a text in UTF-8, each ended by a space and `_BEHIND` after the last, and what the recent
    ones are known by.

    A mark before a chunk and two behind it are left out, as `(IL-2).` has the tokens of `IL-2`; `opened` and
    `closed`: bool[n], whether there were any. `starts` and `ends`: int64[n], offsets of bytes in the text's
    UTF-8. `front` and `back`: uint64[n], the bytes of a chunk of up to 15, zeros behind them, and as the last
    its length: no two such chunks have the same. `short`: bool[n], whether a chunk is one of these.
    """

    def __init__(self, text: bytes) -> None:
        self._data = text
        padded = np.frombuffer(text, np.uint8)
        self.ends = np.flatnonzero(padded == ord(" "))
        self.starts = _before(self.ends + 1, total=False)
        self.opened, self.closed = self._strip(padded)
        sizes = self.ends - self.starts
        self.short = sizes < 2 * _WORD
        np.minimum(sizes, 2 * _WORD - 1, out=sizes)
        # The eight bytes from each place on, as one number.
        words: NDArray[np.uint64] = np.ndarray((len(text) - _WORD,), "<u8", padded.data, strides=(1,))
        self.front = words[self.starts] & _FRONT[sizes]
        self.back = words[self.starts + _WORD] & _BACK[sizes]
        self.back |= sizes.astype(np.uint64) << np.uint64(56)

    def _strip(self, data: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Leave marks out; return which chunks had one before them, and which behind them."""
        first = data[self.starts]
        opened = _IS_PUNCTUATION[first]
        self.starts += opened
        # A term is taken as it is.
        closed = _IS_PUNCTUATION[data[self.ends - 1]] & (self.ends > self.starts) & (first != ord(TERM))
        self.ends -= closed
        self.ends -= _IS_PUNCTUATION[data[self.ends - 1]] & (self.ends > self.starts) & closed
        return opened, closed

    def texts(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> list[str]:
        """Return what stands from each of some chunks to another, both included."""
        data = self._data
        return [
            data[start:end].decode("utf-8", "surrogatepass")
            for start, end in zip(self.starts[first].tolist(), self.ends[last].tolist(), strict=True)
        ]


class _Recent:
    """The rows of recent chunks, found by numpy for many chunks at once: nine in ten are among them.

    Each chunk has one place, which the next chunk of that place takes.
    """

    def __init__(self) -> None:
        self._fronts = np.full(1 << _PLACES, _NO_CHUNK, np.uint64)
        self._backs = np.full(1 << _PLACES, _NO_CHUNK, np.uint64)
        self._rows = np.zeros(1 << _PLACES, np.uint32)

    def rows(self, chunks: _Cut, known: _Chunks) -> NDArray[np.uint32]:
        """Return uint32[n], the row of each chunk; `known` has those that are not among the recent ones."""
        front, back = chunks.front, chunks.back
        places = (((front ^ (back * _SPREAD)) * _SPREAD) >> np.uint64(64 - _PLACES)).astype(np.int64)
        found = (self._fronts.take(places) == front) & (self._backs.take(places) == back) & chunks.short
        rows: NDArray[np.uint32] = self._rows.take(places)
        others = np.flatnonzero(~found)
        rows[others] = list(map(known.__getitem__, chunks.texts(others, others)))
        others = others[chunks.short[others]]
        taken = places[others]
        # Of several chunks of one place, numpy keeps the last: the same in all three.
        self._fronts[taken] = front[others]
        self._backs[taken] = back[others]
        self._rows[taken] = rows[others]
        return rows


class _Cutter:
    """Cuts texts into rows of the tables, by arrays: what the compiled one does chunk by chunk."""

    def __init__(self) -> None:
        self._recent = _Recent()

    def rows(self, text: bytes, known: _Chunks) -> NDArray[np.uint32]:
        """Return the row of each chunk of a text (as `_joined` makes it, `_BEHIND` after it), chunks that are
        bound to each other as one.

        What binds them is explained at `analysis.Piece`.
        """
        chunks = _Cut(text)
        rows = self._recent.rows(chunks, known)
        # The tables grow in place, so that no view of them may outlive its line.
        heads = np.frombuffer(known.heads, np.uint8).take(rows)
        tails = np.frombuffer(known.tails, np.uint8).take(rows)
        # What is bound to a neighbour ends at the space.
        heads[chunks.opened] = 0
        tails[chunks.closed] = 0
        bound = (tails[:-1] & heads[1:]) != 0
        bound[1:] |= bound[:-1] & ((tails[1:-1] & LONE_A) != 0) & ((heads[2:] & NUMBER) != 0)
        if not bound.any():
            return rows
        edges = np.diff(bound.astype(np.int8), prepend=0, append=0)
        first = np.flatnonzero(edges == 1)
        last = np.flatnonzero(edges == -1)
        rows[first] = list(map(known.__getitem__, chunks.texts(first, last)))
        alone = np.ones(len(rows), np.bool_)
        alone[1:] = ~bound
        return rows[alone]


class _Chunks(dict[str, int]):
    """Chunk -> row of the tables, which a chunk not met before is read into; chunks of the same tokens that
    bind their neighbours alike share one.

    `rows`: uint32[4] a row: atoms, tokens, where its tokens begin in `terms` and `places`, and one more
    than the place of its last token. `heads` and `tails`: a byte a row, as in `analysis.Piece`. `terms`
    and `places`: uint32 a token. `cutter`: what cuts texts into rows, and knows recent chunks.
    """

    __slots__ = ("_alone", "_text_size", "cutter", "heads", "numbers", "places", "rows", "tails", "terms")

    def __init__(self, numbers: _Numbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.rows = array("I")
        self.heads = bytearray()
        self.tails = bytearray()
        self.terms = array("I")
        self.places = array("I")
        compiled = cutting()
        self.cutter = (
            _Cutter() if compiled is None else compiled.Cutter(_IS_PUNCTUATION, ord(TERM), LONE_A, NUMBER)
        )
        self._text_size = 0
        self._alone: dict[str, int] = {}
        # Row 0 stands for the end of a value; no place holds it but its own.
        self[_VALUE_END] = 0
        self._enter((0, 0, 0, 0), 0, 0)

    @property
    def size(self) -> int:
        """About how many bytes all of it takes."""
        entries = len(self) + len(self._alone)
        return self._text_size + _ENTRY * entries + _ROW * len(self.heads) + 8 * len(self.terms)

    def __missing__(self, chunk: str) -> int:
        shouting = chunk[:1] == _SHOUTED
        text = chunk.replace(_SHOUTED, "") if shouting else chunk
        term = chunk if chunk[:1] == TERM else plain_term(chunk)
        if term is not None:
            number = self._alone.get(term) or self._plain(term)
        elif text.isalnum() or not (core := text.strip(_PUNCTUATION)):
            number = self._store(piece(text, shouting))
        elif len(parts := _PARTING.split(core)) > 1 or core != text:
            number = self._inside(text, core, [_shouted(part) for part in parts] if shouting else parts)
        else:
            number = self._store(piece(text, shouting))
        self[chunk] = number
        self._text_size += getsizeof(chunk)
        return number

    def _inside(self, text: str, core: str, parts: list[str]) -> int:
        """Return the row of a chunk whose tokens are those of the parts of its core, one behind the other."""
        rows = [self[part] for part in parts]
        first, last = rows[0], rows[-1]
        # What is bound to a neighbour ends at the space.
        head = self.heads[first] if text[0] == core[0] else 0
        tail = self.tails[last] if text[-1] == core[-1] else 0
        if len(rows) > 1:
            return self._enter(self._composed(rows), head, tail)
        if (head, tail) == (self.heads[first], self.tails[first]):
            return first
        return self._enter(self.rows[4 * first : 4 * first + 4], head, tail)

    def _composed(self, rows: Iterable[int]) -> tuple[int, int, int, int]:
        """Keep the tokens of these rows, one behind the other, as those of one; return what its row holds."""
        begin, atoms, extent = len(self.terms), 0, 0
        for row in rows:
            size, count, first, span = self.rows[4 * row : 4 * row + 4]
            if count:
                self.terms.extend(self.terms[first : first + count])
                self.places.extend([atoms + place for place in self.places[first : first + count]])
                extent = atoms + span
            atoms += size
        return atoms, len(self.terms) - begin, begin, extent

    def _plain(self, term: str) -> int:
        """Keep a term that stands alone, and binds no neighbour; "" is a function word. Return its row."""
        number = self._alone[term] = self._store(Piece(1, (term,), (0,), 0, 0) if term else NO_TERM)
        return number

    def _store(self, found: Piece) -> int:
        """Keep the tokens of a chunk, and return its row."""
        first, size, terms = len(self.terms), found.size, found.terms
        if size == len(terms) == 1:  # as of most, at its place 0
            self.terms.append(self.numbers[terms[0]])
            self.places.append(0)
            return self._enter((1, 1, first, 1), found.head, found.tail)
        self.terms.extend([self.numbers[term] for term in terms])
        self.places.extend(found.places)
        extent = found.places[-1] + 1 if terms else 0
        return self._enter((size, len(terms), first, extent), found.head, found.tail)

    def _enter(self, row: Iterable[int], head: int, tail: int) -> int:
        """Add a row, and return its number."""
        number = len(self.heads)
        self.rows.extend(row)
        self.heads.append(head)
        self.tails.append(tail)
        return number


class _Numbers(dict[str, int]):
    """Term -> its number: its place in `vocabulary`."""

    __slots__ = ("_text_size", "vocabulary")

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary: list[str] = []
        self._text_size = 0

    @property
    def size(self) -> int:
        """About how many bytes all of it takes."""
        return self._text_size + _ENTRY * len(self)

    def __missing__(self, term: str) -> int:
        number = self[term] = len(self.vocabulary)
        self.vocabulary.append(term)
        self._text_size += getsizeof(term)
        return number


class Tokeniser:
    """Cuts the values of fields into tokens; what it has read of chunks and terms it keeps until `forget`.

    Chunks are bounded here (some 500 MB at the most, and what one drain adds). Terms are not, as their
    numbers are given away: whoever adds without end looks at `memory` after a drain and forgets.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start over: no chunk, no term, and nothing of what was added and not drained."""
        self._numbers = _Numbers()
        self._chunks = _Chunks(self._numbers)
        self._empty()

    def _empty(self) -> None:
        self._calls = array("I")
        self._waiting: list[str] = []
        self._waiting_size = 0
        self._cut: list[NDArray[np.uint32]] = []
        self._cut_size = 0

    @property
    def vocabulary(self) -> list[str]:
        """The terms by number; it grows, and numbers stay until `forget`."""
        return self._numbers.vocabulary

    @property
    def memory(self) -> int:
        """About how many bytes are held: chunks, terms, and what was added and not drained."""
        return self._chunks.size + self._numbers.size + self._cut_size + self._waiting_size

    def add(self, values: Sequence[str]) -> None:
        """Take in the values of one field of one document."""
        whole = "".join(values)
        if TERM in whole:
            values = [value.replace(TERM, _CONTROL) for value in values]
        self._add(values, len(whole))

    def add_terms(self, terms: Iterable[str]) -> None:
        """Take in terms as they are, in place of one value of a field: each begins with TERM, and has no
        space.
        """
        whole = " ".join(terms)
        self._add([whole], len(whole))

    def _add(self, values: Sequence[str], size: int) -> None:
        """Take in values of so many characters."""
        self._calls.append(len(values))
        self._waiting.extend(values)
        self._waiting_size += size
        if self._waiting_size > _BATCH:
            self._cut_waiting()

    def drain(self) -> Tokens:
        """Return the tokens of all that was added since the last drain."""
        self._cut_waiting()
        rows = np.concatenate([*self._cut, np.empty(0, np.uint32)])
        sizes = np.array(self._calls, np.int64)
        found = _tokens(rows, sizes, self._chunks)
        self._empty()
        if self._chunks.size > _MOST_CHUNKS:
            self._chunks = _Chunks(self._numbers)
        return found

    def _cut_waiting(self) -> None:
        """Turn the waiting values into rows of the tables, a value's end after each."""
        if self._waiting:
            text = _joined(self._waiting).encode("utf-8", "surrogatepass") + _BEHIND
            rows = self._chunks.cutter.rows(text, self._chunks)
            self._cut.append(rows)
            self._cut_size += rows.nbytes
        self._waiting.clear()
        self._waiting_size = 0


def _joined(values: list[str]) -> str:
    """Return the chunks of all values, after each value its end, and a space after every chunk."""
    whole = "".join(values)
    if _VALUE_END in whole or _SHOUTED in whole:
        values = [value.replace(_VALUE_END, _CONTROL).replace(_SHOUTED, _CONTROL) for value in values]
    texts = [
        value
        if (value.isascii() and (len(value) < _SHORTEST_SHOUT or not value.isupper())) or value[:1] == TERM
        else _readied(value)
        for value in values
    ]
    texts.append("")
    return f" {_VALUE_END} ".join(texts).replace("\n", _LINE_BREAK)


def _readied(value: str) -> str:
    prepared = prepare(value)
    return _shouted(prepared.replace("\n", _LINE_BREAK)) if shouts(prepared) else prepared


def _shouted(text: str) -> str:
    """Return a text with the sign of shouting before each chunk."""
    return _SHOUTED + text.replace(" ", " " + _SHOUTED)


def _tokens(rows: NDArray[np.uint32], sizes: NDArray[np.int64], known: _Chunks) -> Tokens:
    """Return the tokens of these rows of the tables, values parted by row 0; `sizes` are values a call."""
    if (compiled := cutting()) is not None:
        return Tokens(*compiled.tokens(rows, sizes, known.rows, known.terms, known.places, VALUE_GAP))
    table = np.frombuffer(known.rows, np.uint32).reshape(-1, 4).take(rows, axis=0)
    atoms, counts, offsets, spans = (table[:, column].astype(np.int64) for column in range(4))
    ends = np.flatnonzero(rows == 0)
    firsts = _before(ends + 1, total=False)

    # Places within a value: each chunk's atoms go on where those before it end. A value ends with its last
    # token: function words after that take no place.
    begins = _before(np.cumsum(atoms), total=False)
    begins -= np.repeat(begins[firsts], ends + 1 - firsts)
    extents = np.maximum.reduceat(np.where(counts > 0, begins + spans, 0), firsts) if len(ends) else ends

    # Values within a call: each starts a gap after the one before.
    totals = _before(np.cumsum(extents + VALUE_GAP))
    last_values = np.cumsum(sizes)
    bases = totals[last_values - sizes]
    value_starts = totals[:-1] - np.repeat(bases, sizes)
    starts = np.empty(len(ends) + len(sizes), np.uint32)
    closing = last_values + np.arange(len(sizes))
    opening = np.ones(len(starts), np.bool_)
    opening[closing] = False
    starts[opening] = value_starts
    starts[closing] = totals[last_values] - bases

    # Tokens: those of each row, one row after the other.
    begins += np.repeat(value_starts, ends + 1 - firsts)
    made = _before(np.cumsum(counts))
    places = np.arange(made[-1]) + np.repeat(offsets - made[:-1], counts)
    by_value = _before(made[ends + 1])
    return Tokens(
        np.frombuffer(known.terms, np.uint32).take(places),
        (np.frombuffer(known.places, np.uint32).take(places) + np.repeat(begins, counts)).astype(np.uint32),
        np.diff(by_value[_before(last_values)]).astype(np.uint32),
        starts,
        (sizes + 1).astype(np.uint32),
    )


def _before(sums: NDArray[np.int64], *, total: bool = True) -> NDArray[np.int64]:
    """Return running sums counted before each entry, from 0; with `total`, the last one at the end."""
    return np.concatenate([[0], sums if total else sums[:-1]])[: len(sums) + total]
