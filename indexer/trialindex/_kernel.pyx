# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loops of reading postings, compiled: what `segments.postings` and `segments.terms` do with arrays.

What these modules say of the file holds here too; they are the fallback, and the oracle of the tests. Nothing
that was read from a file is trusted: every offset is checked against its array before it is used.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

import numpy as np

# Of what is offered here; the Python side asks for one.
VERSION = 4

cdef enum:
    EVERY = 16  # stretches from one start to the next (`sizes`)
    STRIDE = 64  # postings from one sum of occurrences to the next (`postings`)
    RANKED = 1024  # numbers from one rank to the next (`narrow`)
    PAGE = 65535  # documents of a page (`doc_ids`)
    MOST_TERMS = 256  # of a phrase
    HEAD = 8  # bytes of a head (`terms`)
    SMALL = 255  # patterns whose sizes are at hand

# Beyond the end of any file, with room to add to it.
cdef int64_t NOWHERE = 1LL << 62


# Numbers in planes (`narrow`)

cdef struct Plane:
    const uint8_t* data
    int64_t size
    int width  # bytes of a number
    const uint8_t* ranks  # how many numbers before every 1024th are in the next plane; NULL: none are
    int rank_width


cdef inline uint64_t load(const uint8_t* data, int64_t index, int width) noexcept nogil:
    """Return a little-endian number of 1, 2, 4 or 8 bytes; other machines do not use the module."""
    cdef uint16_t two
    cdef uint32_t four
    cdef uint64_t eight
    if width == 1:
        return data[index]
    if width == 2:
        memcpy(&two, data + 2 * index, 2)
        return two
    if width == 4:
        memcpy(&four, data + 4 * index, 4)
        return four
    memcpy(&eight, data + 8 * index, 8)
    return eight


cdef inline int64_t offset(const uint8_t* data, int64_t index, int width) noexcept nogil:
    """Return a number as `load` does, NOWHERE instead of a greater one."""
    cdef uint64_t held = load(data, index, width)
    return <int64_t>held if held < <uint64_t>NOWHERE else NOWHERE


cdef int64_t rank(const Plane* plane, int64_t index) noexcept nogil:
    """Return how many numbers before an index of a plane are in the next one."""
    cdef int64_t block = index // RANKED, place = block * RANKED
    cdef int64_t count = offset(plane.ranks, block, plane.rank_width)
    cdef int64_t more = 0
    if plane.width == 1:
        while place < index:
            more += plane.data[place] == 255
            place += 1
    else:
        while place < index:
            more += load(plane.data, place, 2) == 65535
            place += 1
    return count + more


cdef int64_t value_at(const Plane* planes, int64_t index) noexcept nogil:
    """Return the number at an index; -1 where that leads nowhere."""
    cdef uint64_t held
    while True:
        if index < 0 or index >= planes.size:
            return -1
        held = load(planes.data, index, planes.width)
        if planes.ranks == NULL or held != (255 if planes.width == 1 else 65535):
            return <int64_t>held
        index = rank(planes, index)
        planes += 1


cdef struct Sequence:
    # Numbers read one after the other: where the next one of each plane is; -1: not known yet.
    const Plane* planes
    int64_t places[3]


cdef void begin(Sequence* sequence, const Plane* planes, int64_t index) noexcept nogil:
    sequence.planes = planes
    sequence.places[0] = index
    sequence.places[1] = sequence.places[2] = -1


cdef void skip_to(Sequence* sequence, int64_t index) noexcept nogil:
    """Go on to a later index of the first plane."""
    cdef int64_t place = sequence.places[0], more = 0
    cdef const uint8_t* data = sequence.planes.data
    if sequence.places[1] >= 0:
        if index - place >= RANKED:
            sequence.places[1] = sequence.places[2] = -1
        else:
            while place < index:
                more += data[place] == 255
                place += 1
            if more:
                sequence.places[1] += more
                sequence.places[2] = -1
    sequence.places[0] = index


cdef inline int64_t following(Sequence* sequence) noexcept nogil:
    """Return the next number, which the first plane must have; -1 where that leads nowhere."""
    cdef const Plane* planes = sequence.planes
    cdef uint64_t held = planes.data[sequence.places[0]]
    sequence.places[0] += 1
    if held != 255 or planes.ranks == NULL:
        return <int64_t>held
    if sequence.places[1] < 0:
        sequence.places[1] = rank(planes, sequence.places[0] - 1)
    planes += 1
    if not 0 <= sequence.places[1] < planes.size:
        return -1
    held = load(planes.data, sequence.places[1], 2)
    sequence.places[1] += 1
    if held != 65535 or planes.ranks == NULL:
        return <int64_t>held
    if sequence.places[2] < 0:
        sequence.places[2] = rank(planes, sequence.places[1] - 1)
    planes += 1
    if not 0 <= sequence.places[2] < planes.size:
        return -1
    held = load(planes.data, sequence.places[2], 4)
    sequence.places[2] += 1
    return <int64_t>held


cdef class _Planes:
    """The planes of a `Narrow`, as [(numbers, ranks or None), ...], and what keeps them alive."""

    cdef Plane planes[3]
    cdef object owners

    def __cinit__(self, parts):
        cdef const uint8_t[::1] data, ranks
        cdef int level = 0
        self.owners = []
        if not 1 <= len(parts) <= 3:
            raise ValueError("numbers lie in one, two or three planes")
        for plane, ranked in parts:
            data = plane.view(np.uint8)
            self.owners.append(data)
            self.planes[level].data = &data[0] if len(data) else NULL
            self.planes[level].size = len(plane)
            self.planes[level].width = plane.itemsize
            self.planes[level].ranks = NULL
            if (ranked is None) != (level + 1 == len(parts)) or plane.itemsize != 1 << level:
                raise ValueError("planes follow each other by their ranks")
            if ranked is not None:
                if len(ranked) != len(plane) // RANKED + 2 or ranked.itemsize not in (4, 8):
                    raise ValueError("the ranks of a plane do not fit it")
                ranks = ranked.view(np.uint8)
                self.owners.append(ranks)
                self.planes[level].ranks = &ranks[0]
                self.planes[level].rank_width = ranked.itemsize
            level += 1


# Stretches (`sizes`)

cdef class _Sizes:
    """How long stretches are, and where every 16th begins."""

    cdef _Planes sizes
    cdef const uint8_t[::1] starts
    cdef int width
    cdef int64_t count

    def __cinit__(self, planes, starts):
        self.sizes = _Planes(planes)
        self.count = self.sizes.planes[0].size
        if len(starts) != (self.count + EVERY - 1) // EVERY + 1 or starts.itemsize not in (4, 8):
            raise ValueError("the starts of stretches do not fit their sizes")
        self.starts = starts.view(np.uint8)
        self.width = starts.itemsize

    cdef int64_t begin(self, int64_t block) noexcept:
        """Return where the 16 stretches of a block begin."""
        return offset(&self.starts[0], block, self.width)

    cdef int64_t size(self, int64_t index) noexcept:
        return value_at(self.sizes.planes, index)


cdef class Terms:
    """A dictionary, to be asked for places: see `segments.terms.Terms`.

    `damaged`: what makes an error of why.
    """

    cdef object damaged
    cdef const uint8_t[::1] data
    cdef const uint64_t[::1] heads
    cdef _Sizes sizes

    def __init__(self, damaged, data, planes, starts, heads):
        self.damaged = damaged
        self.data = data
        self.sizes = _Sizes(planes, starts)
        self.heads = heads
        if len(heads) != (self.sizes.count + EVERY - 1) // EVERY:
            raise self.damaged("the heads of terms do not fit them")

    cdef int64_t compared(self, int64_t start, int64_t size, const uint8_t* term, int64_t length) except? -2:
        """Return how a term held compares to another: below 0, 0 or above."""
        cdef int64_t shared = min(size, length)
        cdef int found
        if size < 0 or start > len(self.data) - size:
            raise self.damaged("a stretch leads nowhere")
        found = memcmp(&self.data[start], term, shared) if shared else 0
        if found:
            return -1 if found < 0 else 1
        return -1 if size < length else size > length

    def place(self, bytes term not None):
        """Return how many terms come before this one, and whether it is the next."""
        cdef const uint8_t* wanted = term
        cdef int64_t length = len(term), blocks = len(self.heads), low = 0, high, middle, bound, start, size
        cdef int64_t place, end, found
        cdef uint64_t head = 0
        cdef int shift
        for shift in range(HEAD):
            head = head << 8 | (wanted[shift] if shift < length else 0)
        # Many terms may share a head: the place is after the last lower one, before the first higher one.
        high = blocks
        while low < high:
            middle = (low + high) // 2
            if self.heads[middle] < head:
                low = middle + 1
            else:
                high = middle
        bound, high = low, blocks
        while bound < high:
            middle = (bound + high) // 2
            if self.heads[middle] <= head:
                bound = middle + 1
            else:
                high = middle
        low, high = max(low - 1, 0), max(bound - 1, 0)
        while low < high:  # the last block whose first term does not come after this one
            middle = (low + high + 1) // 2
            if self.compared(self.sizes.begin(middle), self.sizes.size(middle * EVERY), wanted, length) <= 0:
                low = middle
            else:
                high = middle - 1
        place, end = low * EVERY, min(low * EVERY + EVERY, self.sizes.count)
        if place < end:
            start = self.sizes.begin(low)
        while place < end:
            size = self.sizes.size(place)
            found = self.compared(start, size, wanted, length)
            if found >= 0:
                return place, found == 0
            start += size
            place += 1
        return place, False


# Patterns (`patterns`)

def folded(
    const uint8_t[::1] fields not None, const int64_t[::1] starts not None, const uint32_t[::1] table not None,
    bint add,
):
    """Return, of what a table has for the fields of each pattern, the sums, or all the bits, uint32[n].

    `starts`: int64[n + 1], ascending, where the fields of each begin and the last ones end; `table`:
    uint32[256]; `add`: sums, else bits.
    """
    cdef int64_t count = len(starts) - 1, pattern, place = 0
    cdef uint32_t total, held
    cdef uint32_t[::1] totals
    found = np.empty(max(count, 0), np.uint32)
    if count <= 0:
        return found
    if starts[0] != 0 or starts[count] != len(fields) or len(table) != 256:
        raise ValueError("patterns whose fields do not fit them")
    totals = found
    for pattern in range(count):
        total = 0
        if starts[pattern + 1] > len(fields):
            raise ValueError("patterns whose fields do not fit them")
        while place < starts[pattern + 1]:
            held = table[fields[place]]
            total = total + held if add else total | held
            place += 1
        totals[pattern] = total
    return found


# Places in memory that grows

cdef struct Places:
    int64_t* held
    int64_t count
    int64_t room


cdef int push(Places* places, int64_t place) except -1:
    cdef int64_t* held
    if places.count == places.room:
        held = <int64_t*>PyMem_Realloc(places.held, 8 * (2 * places.room + 64))
        if held == NULL:
            raise MemoryError
        places.held = held
        places.room = 2 * places.room + 64
    places.held[places.count] = place
    places.count += 1
    return 0


cdef struct Cursor:
    # A term of a phrase, on its way through its documents.
    const uint32_t* docs
    int64_t size
    int64_t at  # the posting it stands at
    int64_t low  # how many postings all terms before it have
    int64_t first, last  # of its occurrences among all
    int64_t before  # how many occurrences the postings have that `patterns` has passed
    int64_t pattern  # of the last of these
    Sequence patterns, positions
    Places places  # of the document at hand


cdef int exact(Cursor* cursors, int64_t* steps, int64_t count, Places* found) except -1:
    """Add the places at which terms begin to stand at exactly their offsets."""
    cdef int64_t number, fewest = 0, index, start
    cdef int64_t at[MOST_TERMS]
    cdef Places* held
    cdef bint met
    for number in range(count):
        at[number] = 0
        if cursors[number].places.count < cursors[fewest].places.count:
            fewest = number
    for index in range(cursors[fewest].places.count):
        start = cursors[fewest].places.held[index] - steps[fewest]
        met = True
        for number in range(count):
            if number == fewest:
                continue
            held = &cursors[number].places
            while at[number] < held.count and held.held[at[number]] < start + steps[number]:
                at[number] += 1
            if at[number] == held.count:
                return 0
            if held.held[at[number]] != start + steps[number]:
                met = False
                break
        if met:
            push(found, start)
    return 0

cdef int near(
    Cursor* cursors, int64_t* steps, int64_t count, int64_t slop, Places* found
) except -1:
    """Add the places at which terms begin to stand in order, with at most `slop` more words between them.

    The earliest place of a term leaves the most room for the rest.
    """
    cdef int64_t number, index, reached, room, step, more
    cdef int64_t at[MOST_TERMS]
    cdef Places* held
    cdef bint met
    for number in range(count):
        at[number] = 0
    for index in range(cursors[0].places.count):
        reached = cursors[0].places.held[index]
        room = slop
        met = True
        for number in range(1, count):
            held = &cursors[number].places
            step = steps[number] - steps[number - 1]
            # Of a later start no term is reached earlier.
            while at[number] < held.count and held.held[at[number]] < reached + step:
                at[number] += 1
            if at[number] == held.count:
                return 0
            more = held.held[at[number]] - reached - step
            if more > room:
                met = False
                break
            reached = held.held[at[number]]
            room -= more
        if met:
            push(found, cursors[0].places.held[index])
    return 0


cdef void deny(const Places* before, int64_t start, Places* found) noexcept:
    """Drop the places from one on that stand right behind one of the others."""
    cdef int64_t index, kept = start, at = 0, place
    for index in range(start, found.count):
        place = found.held[index]
        while at < before.count and before.held[at] < place - 1:
            at += 1
        if at == before.count or before.held[at] != place - 1:
            found.held[kept] = place
            kept += 1
    found.count = kept


cdef class Postings:
    """The postings of a segment, to be asked for lists and phrases: see `segments.postings`.

    `damaged`: what makes an error of why. `documents`: how many the segment has. `width`, `paged`: of
    `doc_ids.Layout`, the bytes of a document and the size of the smallest list in pages. `pattern_sizes`:
    [patterns], of any unsigned dtype; `pattern_starts`: int64[patterns + 1], their sums. `sums`: how many
    occurrences the postings before every 64th have.
    """

    cdef object damaged
    cdef int64_t documents, paged, pages
    cdef int width
    cdef const uint8_t[::1] data, list_places, fields
    cdef int list_width
    cdef _Sizes lists, occurrences
    cdef _Planes patterns, positions
    cdef const uint8_t[::1] pattern_sizes
    cdef int size_width, sum_width
    cdef const uint8_t[::1] sums
    cdef const int64_t[::1] pattern_starts
    cdef int64_t small[SMALL]  # occurrences of the first patterns, -1 of none

    def __init__(
        self, damaged, documents, width, paged, data, list_places, list_sizes, list_starts, patterns,
        pattern_sizes, pattern_starts, fields, positions, occurrence_sizes, occurrence_starts, sums,
    ):
        self.damaged = damaged
        self.documents, self.width, self.paged = documents, width, paged
        self.pages = (self.documents + PAGE - 1) // PAGE
        self.data = data
        self.list_places = list_places.view(np.uint8)
        self.list_width = list_places.itemsize
        self.lists = _Sizes(list_sizes, list_starts)
        self.patterns = _Planes(patterns)
        self.pattern_sizes, self.size_width = pattern_sizes.view(np.uint8), pattern_sizes.itemsize
        self.pattern_starts = pattern_starts
        self.fields = fields
        self.positions = _Planes(positions)
        self.occurrences = _Sizes(occurrence_sizes, occurrence_starts)
        self.sums, self.sum_width = sums.view(np.uint8), sums.itemsize
        if (
            not 1 <= width <= 4
            or len(list_places) != len(list_starts)
            or self.list_width not in (4, 8)
            or self.occurrences.count != self.lists.count
            or len(pattern_starts) != len(pattern_sizes) + 1
            or self.size_width not in (1, 2, 4)
            or len(sums) != (self.patterns.planes[0].size + STRIDE - 1) // STRIDE + 1
            or self.sum_width not in (4, 8)
            or pattern_starts[len(pattern_starts) - 1] != len(fields)
        ):
            raise self.damaged("the parts of its postings do not fit together")
        for pattern in range(SMALL):
            self.small[pattern] = pattern_sizes[pattern] if pattern < len(pattern_sizes) else -1

    cdef int64_t bytes_of(self, int64_t count) noexcept:
        """Return the number of bytes of a list of so many documents."""
        return self.width * count if count < self.paged else 2 * (self.pages + count)

    cdef int locate(self, int64_t ordinal, int64_t* low, int64_t* count, int64_t* place) except -1:
        """Find a list: how many documents all before it have, its own, and the byte at which it begins."""
        cdef int64_t block = ordinal // EVERY, index = block * EVERY, size
        if not 0 <= ordinal < self.lists.count:
            raise IndexError(f"no list {ordinal} among {self.lists.count}")
        low[0] = self.lists.begin(block)
        place[0] = offset(&self.list_places[0], block, self.list_width)
        while index < ordinal:
            size = self.lists.size(index)
            if size < 0:
                raise self.damaged("a list has no size")
            low[0] += size
            place[0] += self.bytes_of(size)
            index += 1
        count[0] = self.lists.size(ordinal)
        if count[0] < 0 or place[0] > len(self.data) - self.bytes_of(count[0]):
            raise self.damaged("a list ends after all of them")
        if low[0] > self.patterns.planes[0].size - count[0]:
            raise self.damaged("a list has more documents than patterns")
        return 0

    cdef int decode(self, const uint8_t* data, int64_t count, uint32_t* docs) except -1:
        """Read the documents of a list."""
        cdef int64_t index, page, size, at = 0
        cdef uint32_t highest = 0, base, doc
        cdef uint16_t two
        if count >= self.paged:
            for page in range(self.pages):
                size = <int64_t>load(data, page, 2)
                base = <uint32_t>(page * PAGE)
                if at > count - size:
                    raise self.damaged("the pages of a list have others than it states")
                for index in range(at, at + size):
                    memcpy(&two, data + 2 * (self.pages + index), 2)
                    docs[index] = base + two
                at += size
            if at != count:
                raise self.damaged("the pages of a list have others than it states")
        elif self.width == 1:
            for index in range(count):
                docs[index] = data[index]
        elif self.width == 2:
            for index in range(count):
                memcpy(&two, data + 2 * index, 2)
                docs[index] = two
        elif self.width == 3:
            for index in range(count):
                docs[index] = data[3 * index] | data[3 * index + 1] << 8 | <uint32_t>data[3 * index + 2] << 16
        else:
            memcpy(docs, data, 4 * count)
        for index in range(count):
            doc = docs[index]
            highest = doc if doc > highest else highest
        if count and highest >= self.documents:
            raise self.damaged("a list has documents that are not there")
        return 0

    def entry(self, int64_t ordinal):
        """Return how many postings all terms before one have, and its documents, uint32[n]."""
        cdef int64_t low, count, place
        cdef uint32_t[::1] docs
        self.locate(ordinal, &low, &count, &place)
        found = np.empty(count, np.uint32)
        if count:
            docs = found
            self.decode(&self.data[place], count, &docs[0])
        return low, found

    def weighted(self, int64_t ordinal, weights):
        """Return the documents of a term that weigh something, uint32[n], and what they weigh, by the weights
        of patterns (uint16 or uint32 [patterns], and of that dtype).
        """
        cdef int64_t low, count, place, index, kept = 0, patterns = len(weights), pattern
        cdef uint32_t[::1] docs
        cdef uint8_t[::1] sums
        cdef const uint8_t[::1] table = weights.view(np.uint8)
        cdef int width = weights.itemsize
        cdef uint32_t weight
        cdef Sequence sequence
        if width != 2 and width != 4:
            raise ValueError("weights are of two bytes or four")
        self.locate(ordinal, &low, &count, &place)
        found, weighed = np.empty(count, np.uint32), np.empty(count, weights.dtype)
        if not count:
            return found, weighed
        docs, sums = found, weighed.view(np.uint8)
        self.decode(&self.data[place], count, &docs[0])
        begin(&sequence, self.patterns.planes, low)
        for index in range(count):
            pattern = following(&sequence)
            if not 0 <= pattern < patterns:
                raise self.damaged("a posting has a pattern that is not there")
            weight = <uint32_t>load(&table[0], pattern, width)
            docs[kept] = docs[index]
            memcpy(&sums[width * kept], &weight, width)
            kept += weight != 0
        return (found, weighed) if kept == count else (found[:kept].copy(), weighed[:kept].copy())

    # Phrases

    cdef int start(self, Cursor* cursor, int64_t ordinal, const uint32_t[::1] docs) except -1:
        """Set a cursor to the first of a term's documents, which the caller keeps alive."""
        cdef int64_t block = ordinal // EVERY, index = block * EVERY, size, place, count, low
        self.locate(ordinal, &low, &count, &place)
        cursor.size = len(docs)
        cursor.docs = &docs[0] if len(docs) else NULL
        if count != cursor.size:
            raise self.damaged("a list has others than it states")
        cursor.first = self.occurrences.begin(block)
        while index < ordinal:
            size = self.occurrences.size(index)
            if size < 0:
                raise self.damaged("a term has no occurrences")
            cursor.first += size
            index += 1
        size = self.occurrences.size(ordinal)
        if size < 0 or cursor.first > self.positions.planes[0].size - size:
            raise self.damaged("a stretch of occurrences leads nowhere")
        cursor.last = cursor.first + size
        cursor.at = cursor.pattern = 0
        cursor.low, cursor.before = low, cursor.first
        begin(&cursor.patterns, self.patterns.planes, low)
        begin(&cursor.positions, self.positions.planes, cursor.first)
        return 0

    cdef inline uint16_t likely(self, const Cursor* cursor, const uint16_t* masks) noexcept:
        """Return the mask of the pattern of the posting at which a cursor stands; of a pattern that is not
        among the commonest, all bits.
        """
        cdef uint8_t pattern = self.patterns.planes[0].data[cursor.low + cursor.at]
        return masks[pattern] if pattern < SMALL and self.small[pattern] >= 0 else 0xFFFF

    cdef int64_t walk(self, Cursor* cursor) except -1:
        """Count the occurrences of postings up to the one at which a cursor stands, from the nearest sum on,
        and return the pattern of that one.
        """
        cdef int64_t patterns = len(self.pattern_starts) - 1, found = cursor.pattern
        cdef int64_t last = cursor.low + cursor.at, block = last // STRIDE
        cdef int64_t place = cursor.patterns.places[0], before = cursor.before, size, wrong = 0
        cdef const uint8_t* sizes = &self.pattern_sizes[0]
        cdef const uint8_t* data = self.patterns.planes[0].data
        cdef int width = self.size_width
        if block * STRIDE > place:
            place = block * STRIDE
            before = offset(&self.sums[0], block, self.sum_width)
            skip_to(&cursor.patterns, place)
        while place <= last:
            found = data[place]
            if found < SMALL:
                size = self.small[found]
                place += 1
            else:
                cursor.patterns.places[0] = place
                found = following(&cursor.patterns)
                size = <int64_t>load(sizes, found, width) if 0 <= found < patterns else -1
                place += 1
            before += size
            wrong |= size
        if wrong < 0:
            raise self.damaged("a posting has a pattern that is not there")
        cursor.patterns.places[0] = place
        cursor.before, cursor.pattern = before, found
        return found

    cdef bint reach(self, Cursor* cursor, uint32_t doc) noexcept:
        """Go to the first posting of a document or one after it; return whether it is that document's."""
        cdef const uint32_t* docs = cursor.docs
        cdef int64_t low = cursor.at, high, step = 1, middle
        while low + step < cursor.size and docs[low + step] < doc:
            step *= 2
        high = min(low + step, cursor.size)
        low += step // 2
        while low < high:
            middle = (low + high) // 2
            if docs[middle] < doc:
                low = middle + 1
            else:
                high = middle
        cursor.at = low
        return low < cursor.size and docs[low] == doc

    cdef int collect(self, Cursor* cursor, uint32_t doc, const uint32_t* weights) except -1:
        """Take the places of a term in the document to which its cursor walked, of fields with a weight."""
        cdef int64_t low = self.pattern_starts[cursor.pattern], high = self.pattern_starts[cursor.pattern + 1]
        cdef int64_t position, index = cursor.before - (high - low)
        cdef uint8_t field
        if index < cursor.positions.places[0] or cursor.before > cursor.last:
            raise self.damaged("a posting has other occurrences than its term")
        skip_to(&cursor.positions, index)
        cursor.places.count = 0
        while low < high:
            field = self.fields[low]
            position = following(&cursor.positions)
            if weights[field]:
                if position < 0:
                    raise self.damaged("a position leads nowhere")
                push(&cursor.places, <int64_t>(<uint64_t>doc << 40) | <int64_t>field << 32 | position)
            low += 1
        return 0

    def phrase(self, lists, offsets, int64_t slop, weights, masks, docs=None, denied=None):
        """Return where a phrase begins, ascending: document << 40 | field << 32 | position, int64[n].

        `lists`: of its terms in order, (ordinal, documents uint32[n]); `offsets`: their places in it,
        ascending from 0; `slop`: how many more words may stand between them, below 0 where nothing can be
        found; `weights`: uint32[256] by field number, 0 where not to look; `masks`: uint16[patterns], bits of
        which two patterns have one in common if they share such a field; `docs`: uint32[n], the documents to
        look in, ascending, None for all; `denied`: (ordinal, documents) of a term that may not stand right
        before it.
        """
        cdef int64_t count = len(lists), number, rarest = 0, index, begun
        cdef int64_t steps[MOST_TERMS]
        cdef Cursor cursors[MOST_TERMS + 1]
        cdef Cursor* rare
        cdef Cursor* before
        cdef Places found
        cdef const uint32_t[::1] held
        cdef const uint32_t* wanted
        cdef int64_t most, looked
        cdef const uint32_t[::1] weighing = weights
        cdef const uint16_t[::1] masking = masks
        cdef uint16_t shared
        cdef uint32_t doc
        cdef int64_t[::1] places
        if (
            not 1 <= count <= MOST_TERMS
            or len(offsets) != count
            or len(weighing) != 256
            or len(masking) != len(self.pattern_starts) - 1
        ):
            raise ValueError("no phrase that can be looked for")
        before = &cursors[count]
        found.held = NULL
        found.count = found.room = 0
        for number in range(count + 1):
            cursors[number].places = found
        try:
            if denied is not None:
                self.start(before, denied[0], denied[1])
            for number in range(count):
                self.start(&cursors[number], lists[number][0], lists[number][1])
                steps[number] = offsets[number]
                if cursors[number].size < cursors[rarest].size:
                    rarest = number
            rare = &cursors[rarest]
            wanted, most = rare.docs, rare.size
            if docs is not None:
                held = docs
                wanted, most = (&held[0] if len(held) else NULL), len(held)
            for looked in range(most):
                doc = wanted[looked]
                if wanted == rare.docs:
                    rare.at = looked
                elif not self.reach(rare, doc):
                    continue
                # Most documents go before anything is counted: no field has all terms.
                shared = self.likely(rare, &masking[0])
                for number in range(count):
                    if not shared:
                        break
                    if number != rarest:
                        if not self.reach(&cursors[number], doc):
                            shared = 0
                        else:
                            shared &= self.likely(&cursors[number], &masking[0])
                if not shared:
                    continue
                shared = 0xFFFF
                for number in range(count):
                    shared &= masking[self.walk(&cursors[number])]
                    if not shared:
                        break
                else:
                    for number in range(count):
                        self.collect(&cursors[number], doc, &weighing[0])
                    begun = found.count
                    if slop:
                        near(cursors, steps, count, slop, &found)
                    else:
                        exact(cursors, steps, count, &found)
                    if denied is not None and found.count > begun and self.reach(before, doc):
                        self.walk(before)
                        self.collect(before, doc, &weighing[0])
                        deny(&before.places, begun, &found)
            result = np.empty(found.count, np.int64)
            if found.count:
                places = result
                for index in range(found.count):
                    places[index] = found.held[index]
            return result
        finally:
            PyMem_Free(found.held)
            for number in range(count + 1):
                PyMem_Free(cursors[number].places.held)
