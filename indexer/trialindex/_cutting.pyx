# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loops of cutting texts into tokens and of bringing these in order, compiled: what `segments.tokens`
and `segments.run` do with arrays.

What these modules say holds here too; they are the fallback, and the oracle of the tests. Nothing here comes
from a file: the arrays are those that the two modules have made themselves.
"""

from cpython.array cimport array
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

# Of what is offered here; the Python side asks for one.
VERSION = 1

cdef enum:
    PLACES = 17  # recent chunks: 2 to the power of so many
    SHORT = 16  # bytes of a chunk and one, that two numbers hold

cdef uint64_t SPREAD = 0x9E3779B97F4A7C15ULL
cdef uint64_t NO_CHUNK = 0xFFFFFFFFFFFFFFFFULL


cdef str piece_of(const uint8_t* data, int64_t start, int64_t stop):
    return PyUnicode_DecodeUTF8(<const char*>data + start, stop - start, "surrogatepass")


cdef struct Recent:
    uint64_t front  # of a chunk and its length, as `two_numbers` has them
    uint64_t back
    uint32_t row


cdef class Cutter:
    """Cuts texts as `tokens._rows` does, and knows recent chunks as `tokens._Recent` does.

    `marks`: bool[256], the bytes that are no part of a word at its ends; `term`: the byte that a term taken as
    it is begins with; `lone` and `number`: `analysis.LONE_A` and `NUMBER`.
    """

    cdef Recent recent[1 << PLACES]
    cdef uint8_t marks[256]
    cdef uint8_t term, lone, number

    def __init__(self, marks, int term, int lone, int number):
        cdef int place
        for place in range(1 << PLACES):
            self.recent[place] = Recent(NO_CHUNK, NO_CHUNK, 0)
        for place in range(256):
            self.marks[place] = marks[place]
        self.term, self.lone, self.number = term, lone, number

    def rows(self, bytes text, known):
        """Return uint32[n], the rows of the chunks of a text in UTF-8, each ended by a space; behind the text
        stand 16 zeros. `known`: `tokens._Chunks`.
        """
        cdef const uint8_t* data = <const uint8_t*>PyBytes_AS_STRING(text)
        cdef int64_t count = text.count(b" "), n = 0, start = 0, stop, low, high, first, kept = 0
        found = np.empty(count, np.uint32)
        where = np.empty((2, count), np.int64)
        bare = np.empty((2, count), np.uint8)
        cdef uint32_t[:] rows = found
        cdef int64_t[:, :] spans = where
        cdef uint8_t[:, :] stripped = bare
        cdef uint64_t front, back
        cdef uint8_t opened, closed, letter
        cdef Recent* entry
        if not count:
            return found
        while n < count:
            stop = start
            while data[stop] != 32:
                stop += 1
            low, high = start, stop
            letter = data[low]
            opened = self.marks[letter]
            low += opened
            closed = high > low and letter != self.term and self.marks[data[high - 1]]
            if closed:
                high -= 1
                if high > low and self.marks[data[high - 1]]:
                    high -= 1
            spans[0, n], spans[1, n] = low, high
            stripped[0, n], stripped[1, n] = opened, closed
            if high - low < SHORT:
                front, back = two_numbers(data + low, high - low)
                entry = self.recent + (((front ^ (back * SPREAD)) * SPREAD) >> (64 - PLACES))
                if entry.front != front or entry.back != back:
                    entry[0] = Recent(front, back, known[piece_of(data, low, high)])
                rows[n] = entry.row
            else:
                rows[n] = known[piece_of(data, low, high)]
            n += 1
            start = stop + 1
        if not self.bind(known, rows, stripped):
            return found
        # `stripped[0]` has become: whether a chunk is bound to the next.
        n = 0
        while n < count:
            first = n
            while stripped[0, n]:
                n += 1
            rows[kept] = rows[n] if first == n else known[piece_of(data, spans[0, first], spans[1, n])]
            kept += 1
            n += 1
        return found[:kept]

    cdef bint bind(self, known, uint32_t[:] rows, uint8_t[:, :] stripped):
        """Note in `stripped[0]` which chunks are bound to the next; whether any is."""
        cdef bytearray kept_heads = known.heads, kept_tails = known.tails
        cdef const uint8_t* heads = <const uint8_t*>PyByteArray_AS_STRING(kept_heads)
        cdef const uint8_t* tails = <const uint8_t*>PyByteArray_AS_STRING(kept_tails)
        cdef int64_t n, last = rows.shape[0] - 1
        cdef uint8_t tail, head
        cdef bint before = False, bound, any_bound = False
        for n in range(last):
            tail = 0 if stripped[1, n] else tails[rows[n]]
            head = 0 if stripped[0, n + 1] else heads[rows[n + 1]]
            bound = (tail & head) != 0
            stripped[0, n] = bound or (before and (tail & self.lone) and (head & self.number))
            before = bound
            any_bound |= bound
        stripped[0, last] = 0
        return any_bound


cdef inline (uint64_t, uint64_t) two_numbers(const uint8_t* data, int64_t size) noexcept nogil:
    """Return the bytes of a chunk of up to 15 as two numbers, its length as the last byte."""
    cdef uint64_t front, back
    memcpy(&front, data, 8)
    memcpy(&back, data + 8, 8)
    if size < 8:
        front &= (<uint64_t>1 << 8 * size) - 1
        back = 0
    else:
        back &= (<uint64_t>1 << 8 * (size - 8)) - 1
    return front, back | <uint64_t>size << 56


def tokens(
    const uint32_t[:] rows, const int64_t[:] sizes, array known_rows, array known_terms, array known_places, int gap
):
    """Return the arrays of `tokens.Tokens` for rows of the tables, values parted by row 0; `sizes` are values
    a call, `gap` the positions between two of them. Raises ValueError where these are not the same number.
    """
    cdef const uint32_t* table = known_rows.data.as_uints
    cdef const uint32_t* terms = known_terms.data.as_uints
    cdef const uint32_t* places = known_places.data.as_uints
    cdef int64_t calls = sizes.shape[0], call, value, i = 0, made = 0, started = 0, values = 0
    cdef int64_t base, place, extent, k
    cdef const uint32_t* row
    for k in range(rows.shape[0]):
        made += table[4 * rows[k] + 1]
        values += rows[k] == 0
    for call in range(calls):
        values -= sizes[call]
        started += sizes[call]
    if values:
        raise ValueError("there are not as many values as the calls have")
    values, started = started, 0
    out = (np.empty(made, np.uint32), np.empty(made, np.uint32), np.empty(calls, np.uint32),
           np.empty(values + calls, np.uint32), np.empty(calls, np.uint32))
    cdef uint32_t[:] of_terms = out[0], positions = out[1], counts = out[2], starts = out[3], start_counts = out[4]
    made = 0
    for call in range(calls):
        base = 0
        counts[call] = <uint32_t>made
        for value in range(sizes[call]):
            starts[started] = <uint32_t>base
            started += 1
            place = extent = 0
            while rows[i]:
                row = table + 4 * rows[i]
                for k in range(row[1]):
                    of_terms[made] = terms[row[2] + k]
                    positions[made] = <uint32_t>(base + place + places[row[2] + k])
                    made += 1
                # A value ends with its last token: function words after that take no place.
                if row[1]:
                    extent = place + row[3]
                place += row[0]
                i += 1
            i += 1
            base += extent + gap
        starts[started] = <uint32_t>base
        started += 1
        counts[call] = <uint32_t>(made - counts[call])
        start_counts[call] = <uint32_t>(sizes[call] + 1)
    return out


def ordered(const uint32_t[:] terms, int64_t[:] begins):
    """Return uint32[m], the places of all tokens, those of each term one after another, ascending.

    `terms`: the number of each token's term; `begins`: by the number of a term, where its places begin; is
    used up. Raises IndexError where a place is none.
    """
    found = np.empty(terms.shape[0], np.uint32)
    cdef uint32_t[:] places = found
    cdef int64_t i, place
    for i in range(terms.shape[0]):
        if terms[i] >= begins.shape[0]:
            raise IndexError("a token of no term")
        place = begins[terms[i]]
        if not 0 <= place < places.shape[0]:
            raise IndexError("a place outside of the places")
        places[place] = <uint32_t>i
        begins[terms[i]] = place + 1
    return found
