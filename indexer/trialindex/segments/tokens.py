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
are looked up as one. Whatever can be done for all chunks at once is done by numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from sys import getsizeof
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trialindex.analysis import LONE_A, NUMBER, VALUE_GAP, Piece, piece, prepare, shouts

__all__ = ["Tokeniser", "Tokens"]

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
# A line break is a chunk of its own: it parts its neighbours, and does not make one chunk of them.
_LINE_BREAK = " \n "
# No part of a word or number, at either end of it.
_PUNCTUATION = "\r\t\v\f\u00a0.,;:()[]{}<>\"'!?*/=+%#&|~^`$@_\\•·–-≥≤®™“”…"
# Bytes of a row of the tables and of an entry of a dict, roughly.
_ROW = 64


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


class _Chunks(dict[str, int]):
    """Chunk -> row of the tables, which a chunk not met before is read into.

    `rows`: uint32[4] a chunk: atoms, tokens, where its tokens begin in `terms` and `places`, and one more
    than the place of its last token. `heads` and `tails`: a byte a chunk, as in `analysis.Piece`. `terms`
    and `places`: uint32 a token. `size`: bytes, roughly.
    """

    __slots__ = ("heads", "numbers", "places", "rows", "size", "tails", "terms")

    def __init__(self, numbers: _Numbers) -> None:
        super().__init__()
        self.numbers = numbers
        self.rows = array("I")
        self.heads = bytearray()
        self.tails = bytearray()
        self.terms = array("I")
        self.places = array("I")
        self.size = 0
        # Row 0 stands for the end of a value; no place holds it but its own.
        self[_VALUE_END] = 0
        self._enter((0, 0, 0, 0), 0, 0)

    def __missing__(self, chunk: str) -> int:
        shouting = chunk[:1] == _SHOUTED
        text = chunk.replace(_SHOUTED, "") if shouting else chunk
        core = text.strip(_PUNCTUATION)
        if core and core != text:
            # Its tokens are those of the word inside. What is bound to a neighbour ends at the space.
            like = self[_shouted(core) if shouting else core]
            row: Sequence[int] = self.rows[4 * like : 4 * like + 4]
            head = self.heads[like] if text[0] == core[0] else 0
            tail = self.tails[like] if text[-1] == core[-1] else 0
        else:
            found = piece(text, shouting)
            row = self._store(found)
            head, tail = found.head, found.tail
        number = self[chunk] = len(self.heads)
        self.size += getsizeof(chunk) + _ROW
        self._enter(row, head, tail)
        return number

    def _store(self, found: Piece) -> tuple[int, int, int, int]:
        first = len(self.terms)
        for term in found.terms:
            self.terms.append(self.numbers[term])
        self.places.extend(found.places)
        self.size += 8 * len(found.terms)
        return found.size, len(found.terms), first, found.places[-1] + 1 if found.places else 0

    def _enter(self, row: Sequence[int], head: int, tail: int) -> None:
        self.rows.extend(row)
        self.heads.append(head)
        self.tails.append(tail)


class _Numbers(dict[str, int]):
    """Term -> its number: its place in `vocabulary`. `size`: bytes, roughly."""

    __slots__ = ("size", "vocabulary")

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary: list[str] = []
        self.size = 0

    def __missing__(self, term: str) -> int:
        number = self[term] = len(self.vocabulary)
        self.vocabulary.append(term)
        self.size += getsizeof(term) + _ROW
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
        self._calls.append(len(values))
        self._waiting.extend(values)
        self._waiting_size += sum(map(len, values))
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
            rows = _rows(_chunks(self._waiting), self._chunks)
            self._cut.append(rows)
            self._cut_size += rows.nbytes
        self._waiting.clear()
        self._waiting_size = 0


def _chunks(values: list[str]) -> list[str]:
    """Return the chunks of all values, and after each value its end."""
    whole = "".join(values)
    if _VALUE_END in whole or _SHOUTED in whole:
        values = [value.replace(_VALUE_END, _CONTROL).replace(_SHOUTED, _CONTROL) for value in values]
    texts = [value if value.isascii() and not value.isupper() else _readied(value) for value in values]
    texts.append("")
    return f" {_VALUE_END} ".join(texts).replace("\n", _LINE_BREAK).split(" ")[:-1]


def _readied(value: str) -> str:
    prepared = prepare(value)
    return _shouted(prepared.replace("\n", _LINE_BREAK)) if shouts(prepared) else prepared


def _shouted(text: str) -> str:
    """Return a text with the sign of shouting before each chunk."""
    return _SHOUTED + text.replace(" ", " " + _SHOUTED)


def _rows(chunks: list[str], known: _Chunks) -> NDArray[np.uint32]:
    """Return the row of each chunk, chunks that are bound to each other as one.

    What binds them is explained at `analysis.Piece`.
    """
    rows: NDArray[np.uint32] = np.fromiter(map(known.__getitem__, chunks), np.uint32, len(chunks))
    # The tables grow in place, so that no view of them may outlive its line.
    heads = np.frombuffer(known.heads, np.uint8)[rows]
    tails = np.frombuffer(known.tails, np.uint8)[rows]
    bound = (tails[:-1] & heads[1:]) != 0
    bound[1:] |= bound[:-1] & ((tails[1:-1] & LONE_A) != 0) & ((heads[2:] & NUMBER) != 0)
    if not bound.any():
        return rows
    edges = np.diff(bound.astype(np.int8), prepend=0, append=0)
    first = np.flatnonzero(edges == 1)
    last = np.flatnonzero(edges == -1)
    joined = [
        " ".join(chunks[start : end + 1]) for start, end in zip(first.tolist(), last.tolist(), strict=True)
    ]
    rows[first] = list(map(known.__getitem__, joined))
    alone = np.ones(len(rows), np.bool_)
    alone[1:] = ~bound
    return rows[alone]


def _tokens(rows: NDArray[np.uint32], sizes: NDArray[np.int64], known: _Chunks) -> Tokens:
    """Return the tokens of these rows of the tables, values parted by row 0; `sizes` are values a call."""
    table = np.frombuffer(known.rows, np.uint32).reshape(-1, 4)[rows]
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
        np.frombuffer(known.terms, np.uint32)[places],
        (np.frombuffer(known.places, np.uint32)[places] + np.repeat(begins, counts)).astype(np.uint32),
        np.diff(by_value[_before(last_values)]).astype(np.uint32),
        starts,
        (sizes + 1).astype(np.uint32),
    )


def _before(sums: NDArray[np.int64], *, total: bool = True) -> NDArray[np.int64]:
    """Return running sums counted before each entry, from 0; with `total`, the last one at the end."""
    return np.concatenate([[0], sums if total else sums[:-1]])[: len(sums) + total]
