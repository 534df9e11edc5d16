"""Which terms of an index a prefix, a wildcard or a misspelling means.

>>> [word for word in ("lupus", "lupinus", "tumour", "tumor") if fitting("lup*us")(word)]
['lupus', 'lupinus']
>>> fitting("tum??r")("tumour"), fitting("tum??r")("tumor"), fitting("*")("")
(True, False, True)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trialindex.analysis import fold, units
from trialindex.spelling import american
from trialsearch.misspelt import near_words
from trialsearch.query import Fuzzy, Prefix, Wildcard
from trialsearch.ranking import nearness

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["MEANT", "Meant", "fitting"]

# term -> (documents that have it in any field, what it is worth against the word meant)
Meant = dict[str, tuple[int, float]]

# What stemming takes off a word: a prefix may have begun it.
_ENDINGS = tuple(
    """al ally ation ations ational ative ed edly es s ies ied ically ical ic ing ings ingly ion ions ional
    ism ist ists istic ity ive ized izing ization izer ies y ly ment ments ness ous ously able ability e er
    ers ence ances ance ant ents ent""".split()
)
_LONGEST_ENDING = max(map(len, _ENDINGS))
_SHORTEST_STEM = 4
_NO_HYPHENS = dict.fromkeys(map(ord, "-‐‑‒–−"))
_MOST_EDITS = 2


def fitting(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a whole text fits a pattern: `*` is any letters, none too, `?` exactly one.

    The pieces between stars are found from left to right, each at its first place: if any places fit, these
    do. So nothing is tried twice, and the time is at most the text's length times the pattern's.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return lambda text: len(text) == len(first) and _piece(first).match(text) is not None
    *middle, last = rest
    beginning, between, end = _piece(first), [_piece(piece) for piece in middle if piece], _piece(last)
    shortest = len(pattern) - len(rest)

    def fits(text: str) -> bool:
        if len(text) < shortest or not beginning.match(text):
            return False
        place, until = len(first), len(text) - len(last)
        for piece in between:
            found = piece.search(text, place, until)
            if found is None:
                return False
            place = found.end()
        return place <= until and end.match(text, until) is not None

    return fits


def _piece(text: str) -> re.Pattern[str]:
    # Of a fixed length: nothing in it can backtrack.
    return re.compile("".join("." if letter == "?" else re.escape(letter) for letter in text), re.DOTALL)


def _prefix(snapshot: Snapshot, query: Prefix) -> Meant:
    """Return the terms that a prefix means.

    Terms are stems: `mesenchymal*` is longer than the term of mesenchymal, and `oedem*` is written
    otherwise. So the spellings of the prefix are taken, and stems whose ending it has begun.
    """
    folded = fold(query.text).translate(_NO_HYPHENS)
    beginnings = {folded, american(folded)} - {""}
    stems = {
        folded[:cut]
        for cut in range(max(_SHORTEST_STEM, len(folded) - _LONGEST_ENDING), len(folded))
        if any(ending.startswith(folded[cut:]) for ending in _ENDINGS)
    }
    stems.update(way[0] for unit in units(query.text) for way in unit.alternatives if len(way) == 1)
    found = {
        term: (frequency, 1.0) for beginning in beginnings for term, frequency in snapshot.terms(beginning)
    }
    for stem in stems - found.keys():
        if frequency := snapshot.anywhere(stem):
            found[stem] = frequency, 1.0
    return found


def _wildcard(snapshot: Snapshot, query: Wildcard) -> Meant:
    """Return the terms that a pattern fits, as the index holds them: stems."""
    pattern = fold(query.text)
    fits = fitting(pattern)
    beginning = re.split(r"[*?]", pattern, maxsplit=1)[0]
    return {term: (frequency, 1.0) for term, frequency in snapshot.terms(beginning) if fits(term)}


def _fuzzy(snapshot: Snapshot, query: Fuzzy) -> Meant:
    """Return the terms near a term, each worth its `ranking.nearness`."""
    if not query.term:
        return {}
    edits = max(0, min(query.edits, _MOST_EDITS))
    held = {
        term: frequency
        for term, frequency in snapshot.terms(query.term[: max(0, query.prefix)])
        if abs(len(term) - len(query.term)) <= edits
    }
    near = near_words(query.term, held, edits)
    worth = {term: nearness(query.term, term, distance) for term, distance in near.items()}
    # A word of which its edits leave nothing is no misspelling.
    return {term: (held[term], share) for term, share in worth.items() if share > 0}


MEANT: dict[type, Callable[[Any, Any], Meant]] = {
    Prefix: _prefix,
    Wildcard: _wildcard,
    Fuzzy: _fuzzy,
}
