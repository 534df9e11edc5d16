"""Where terms stand together: phrases and windows, matched on arrays of places.

A place is one number, int64: document, field and position in one, `document << 40 | field << 32 | position`,
with room for eight million documents. So one pass over ascending arrays matches all documents and fields at
once. Between two values of a field positions jump by VALUE_GAP, and no match reaches that far.

>>> zab, mof = np.array([5, 20]), np.array([6, 23])
>>> phrase([zab, mof], [0, 1], 0), phrase([zab, mof], [0, 1], 2)
(array([5]), array([ 5, 20]))
>>> window([mof, zab], 2)
array([5])
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trialindex.analysis import VALUE_GAP
from trialindex.segments.postings import phrase_room

__all__ = [
    "begin_values", "distinct_documents", "documents_of", "encoded", "end_values", "fields_of", "phrase",
    "window",
]  # fmt: skip

Places = npt.NDArray[np.int64]

_DOCUMENT = 40
_FIELD = 32
_FIELD_MASK = 0xFF
# Less than any place, even with all of a phrase taken off it.
_NOWHERE = -(1 << 62)


def encoded(
    docs: npt.NDArray[np.uint32], fields: npt.NDArray[np.uint8], positions: npt.NDArray[np.uint32]
) -> Places:
    """Return the places of occurrences, int64[n], ascending as they are."""
    places = docs.astype(np.int64)
    places <<= 8
    places |= fields
    places <<= _FIELD
    places |= positions
    return places


def documents_of(places: Places) -> npt.NDArray[np.uint32]:
    """Return the documents of places, uint32[n]."""
    return (places >> _DOCUMENT).astype(np.uint32)


def distinct_documents(places: Places) -> npt.NDArray[np.uint32]:
    """Return the documents of ascending places, uint32[n], each once.

    >>> distinct_documents(np.array([1 << 40, (1 << 40) + 7, 3 << 40])).tolist()
    [1, 3]
    """
    docs = documents_of(places)
    return docs[np.concatenate(([True], docs[1:] != docs[:-1]))] if len(docs) else docs


def fields_of(places: Places) -> npt.NDArray[np.int64]:
    """Return the field numbers of places."""
    return (places >> _FIELD) & _FIELD_MASK


def phrase(places: Sequence[Places], offsets: Sequence[int], slop: int) -> Places:
    """Return the places at which a phrase begins: its terms in order, with at most `slop` more words between
    them than the phrase itself has (`phrase_room`).

    `places`: of each term, ascending; `offsets`: the terms' places in the phrase, ascending from 0.
    """
    slop = phrase_room(offsets, slop)
    if slop < 0:
        return places[0][:0]
    if not slop:
        return _side_by_side(places, offsets)
    starts = reached = places[0]
    room = np.full(len(starts), slop)
    for number in range(1, len(places)):
        step = offsets[number] - offsets[number - 1]
        held = places[number]
        if not len(held):
            return held
        # The earliest place leaves the most room for the rest.
        following = held.take(held.searchsorted(reached + step), mode="clip")
        more = following - reached - step
        met = (more >= 0) & (more <= room)
        starts, reached, room = starts[met], following[met], room[met] - more[met]
    return starts


def _side_by_side(places: Sequence[Places], offsets: Sequence[int]) -> Places:
    """Return the places at which terms begin to stand at exactly their offsets."""
    order = sorted(range(len(places)), key=lambda number: len(places[number]))
    starts = places[order[0]] - offsets[order[0]]
    for number in order[1:]:
        held = places[number]
        if not len(held):
            return held
        wanted = starts + offsets[number]
        starts = starts[held.take(held.searchsorted(wanted), mode="clip") == wanted]
    return starts


def begin_values(places: Places, lead: int, bounds: Places) -> npt.NDArray[np.bool_]:
    """Return which places begin a value, or stand behind at most `lead` function words at its start.

    `bounds`: the places where the second and later values of each field of these documents start, and where
    one more would, ascending.

    >>> bounds = np.array([18, 35])  # a value of two words, and one of one
    >>> begin_values(np.array([0, 1, 18]), 0, bounds), begin_values(np.array([1]), 1, bounds)
    (array([ True, False,  True]), array([ True]))
    """
    first = places >> _FIELD << _FIELD
    # Where the bound before is one of another field, the value is the field's first.
    before = np.concatenate(([_NOWHERE], bounds))[bounds.searchsorted(places, side="right")]
    begun: npt.NDArray[np.bool_] = places - np.maximum(first, before) <= lead
    return begun


def end_values(places: Places, words: int, bounds: Places) -> npt.NDArray[np.bool_]:
    """Return at which places so many words end a value; `bounds` as in `begin_values`.

    Function words at the end of a value have no place in it, so that it ends before them.

    >>> end_values(np.array([0, 1, 18]), 1, np.array([18, 35]))
    array([False,  True,  True])
    """
    if not len(bounds):
        return np.zeros(len(places), np.bool_)
    following = bounds.take(bounds.searchsorted(places, side="right"), mode="clip")
    ended: npt.NDArray[np.bool_] = places + words == following - VALUE_GAP
    return ended


def window(places: Sequence[Places], words: int) -> Places:
    """Return the places at which the shortest windows that hold all terms, in any order, begin, of at most so
    many words; each place once.

    `places`: of each term, ascending. For each occurrence that may end a window, the window begins at the
    first of the terms' latest places before it.
    """
    if not all(map(len, places)):
        return np.empty(0, np.int64)
    ends = np.unique(np.concatenate(places))
    starts = ends
    for held in places:
        before = held.searchsorted(ends, side="right") - 1
        latest = np.where(before >= 0, held.take(before, mode="clip"), _NOWHERE)
        starts = np.minimum(starts, latest)
    return np.unique(starts[ends - starts < min(words, VALUE_GAP + 1)])
