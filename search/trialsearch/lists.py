"""Lists of documents as arrays: scored posting lists, and how they are met, merged and ranked.

Documents are uint32[n], ascending; scores float64[n], 0 or more. Arrays as large as the corpus are reused, a
few for each thread, so that a small query costs no more on a large index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import spread

__all__ = [
    "Bools", "Docs", "Held", "Leaf", "Norms", "Recent", "Scores", "at_places", "best_first", "entries",
    "firsts", "highest", "in_union", "merged", "same", "union",
]  # fmt: skip

Docs = npt.NDArray[np.uint32]
Scores = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
# What a list holds of documents: sums, or scores.
Held = npt.NDArray[np.unsignedinteger] | Scores

# Looking one document up by bisection costs about as much as marking so many of a list; of so few documents
# less than marking any.
_BISECTION = 8
_FEW = 256
# A union of fewer documents than this share of the corpus is sorted, a greater one read off its marks.
_SPARSE = 32
# Bounds come as float32 from another computation of the same formula.
_SLACK = 1 + 1e-6
# Lists of so few postings are merged by sorting them, longer ones by marks over the corpus.
_SORTED = 4_000
# A list that has at least this share of the corpus is laid out over all of it when many documents are asked.
_COMMON = 32
# Weighted frequencies in hundredths mostly fit into 16 bits.
_NARROW = (1 << 16) - 1
# So many of the best postings of a list begin the ranking of a union.
_SEEDS = 64

_NO_NORMS: Scores = np.empty(0, np.float64)

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """A bounded memory of what was asked lately; safe to share between threads, and waits for none of them.

    Two dictionaries: what is asked goes to the young one; when that holds `limit` by weight, it becomes the
    old one, and what was in the old one and not asked again is forgotten.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[Hashable, tuple[_Value, int]] = {}
        self._old: dict[Hashable, tuple[_Value, int]] = {}
        self._weight = 0

    def get(self, key: Hashable) -> _Value | None:
        """Return what is remembered, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Hashable, value: _Value, weight: int = 1) -> None:
        """Remember a value; `weight` is its share of the limit."""
        self._young[key] = value, weight
        self._weight += weight
        if self._weight > self._limit:
            self._old, self._young, self._weight = self._young, {}, 0


def same(docs: Docs, others: Docs) -> bool:
    """Whether two lists of documents are equal."""
    return docs is others or (len(docs) == len(others) and not np.count_nonzero(docs != others))


def entries(offsets: Places, docs: Docs) -> tuple[Places, Places]:
    """Return where the entries of some documents stand, one document after the other, and how many each has.

    `offsets`: int64[documents + 1], where those of each document begin.

    >>> [found.tolist() for found in entries(np.array([0, 2, 2, 5]), np.array([0, 2], np.uint32))]
    [[0, 1, 2, 3, 4], [2, 3]]
    """
    begins = offsets[docs]
    sizes = offsets[docs.astype(np.int64) + 1] - begins
    return spread(begins, sizes), sizes


class _Scratch(threading.local):
    """One thread's arrays as large as the corpus.

    `places`: int64, any content. `sums`: float64, all 0 between uses. `marks`: bool, all False between uses.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Let go of the arrays: after an error their content is not known."""
        self.places = np.empty(0, np.int64)
        self.sums = np.empty(0, np.float64)
        self.marks = np.empty(0, np.bool_)

    def fit(self, size: int) -> None:
        """Make the arrays hold `size` documents."""
        if len(self.marks) < size:
            self.places = np.zeros(size, np.int64)
            self.sums = np.zeros(size, np.float64)
            self.marks = np.zeros(size, np.bool_)


_SCRATCH = _Scratch()
_COUNTED = np.arange(1 << 12)


def _counted(size: int) -> Places:
    """Return 0..size-1, shared: do not change it."""
    global _COUNTED
    if len(_COUNTED) < size:
        _COUNTED = np.arange(2 * size)
    return _COUNTED[:size]


def highest(scores: Scores) -> float:
    """Return the highest of some scores; 0 of none."""
    return float(scores[scores.argmax()]) if len(scores) else 0.0


def at_places(held: Docs, asked: Docs, size: int) -> tuple[Places, Bools]:
    """Return (places, found): where in a list the documents asked stand, and which of them it has.

    `places` of those that it has not mean nothing. `size`: documents of the corpus.
    """
    if not len(held):
        return np.zeros(len(asked), np.int64), np.zeros(len(asked), np.bool_)
    places: Places
    if len(asked) <= _FEW or len(asked) * _BISECTION < len(held):
        places = held.searchsorted(asked)
    else:
        # A sparse set (Briggs and Torczon 1993): what the array held before does not matter, since a place
        # counts only if the list has the document there.
        _SCRATCH.fit(size)
        _SCRATCH.places[_indexes(held)] = _counted(len(held))
        places = _SCRATCH.places.take(asked)
    return places, held.take(places, mode="clip") == asked


def _indexes(docs: Docs) -> Places:
    # NumPy takes indexes of its own type at three times the pace of others.
    return docs.astype(np.intp)


class Norms:
    """The norms of some documents, taken once for all lists of an area."""

    __slots__ = ("_taken", "_whole", "docs")

    def __init__(self, docs: Docs) -> None:
        self.docs = docs
        self._whole: Scores | None = None
        self._taken: Scores = _NO_NORMS

    def of(self, norms: Scores) -> Scores:
        """Return the documents' part of norms of the corpus, shared: do not change it."""
        if self._whole is not norms:
            self._whole, self._taken = norms, norms.take(self.docs)
        return self._taken


class Leaf:
    """A list of documents with their scores: of a term, a phrase, or whatever is remembered whole.

    `docs`: uint32[n]. `bound`: no score is higher. `idf`: what the terms are worth, 0 where the list is none
    of terms. Scores are worked out where they are asked: `factor * sums / (sums + norms)`, `sums` in any
    unsigned dtype [n], `norms` float64[corpus], both in hundredths; or they are given.

    `look` finds what the list holds of some documents (sums, or scores that were given), `worth` makes scores
    of that: what else drops out of an intersection is never scored.
    """

    __slots__ = (
        "_looked", "_norms", "_scores", "_seeds", "_spread", "best", "block_bounds", "block_starts", "bound",
        "docs", "factor", "idf", "rest_bound", "sums",
    )  # fmt: skip

    def __init__(
        self,
        docs: Docs,
        *,
        sums: npt.NDArray[np.unsignedinteger] | None = None,
        norms: Scores | None = None,
        idf: float = 0.0,
        factor: float = 0.0,
        scores: Scores | None = None,
    ) -> None:
        self.docs = docs
        self.sums = sums
        self._norms = norms
        self.idf = idf
        self.factor = factor
        self._scores = scores
        self._spread: npt.NDArray[np.unsignedinteger] | None = None
        self._looked = False
        self._seeds: Docs | None = None
        self.bound = factor * _SLACK if scores is None else highest(scores)
        self.block_starts: Places | None = None
        self.block_bounds: Scores | None = None
        self.best: Places | None = None
        self.rest_bound = self.bound

    def bounded(
        self,
        highest: float,
        block_starts: Places | None,
        block_highest: npt.NDArray[np.float32] | None,
        best: Places | None,
        rest: float,
    ) -> Leaf:
        """Take over what is known of the saturated frequencies: see `trialindex.storage.Postings`."""
        self.bound = self.factor * highest * _SLACK
        if block_starts is not None and block_highest is not None:
            self.block_starts = block_starts
            self.block_bounds = self.factor * _SLACK * block_highest.astype(np.float64)
        if best is not None:
            self.best = best
            self.rest_bound = self.factor * rest * _SLACK
        return self

    def scores(self) -> Scores:
        """Return the scores of all documents, float64[n], shared: do not change it."""
        if self._scores is None:
            self._scores = self._worked_out(self.docs, cast("npt.NDArray[np.unsignedinteger]", self.sums))
        return self._scores

    def scores_at(self, places: Places) -> Scores:
        """Return the scores at places of the list (one beyond its end is its end), float64[len(places)]."""
        if self._scores is not None:
            return self._scores.take(places, mode="clip")
        if 4 * len(places) > len(self.docs):
            return self.scores().take(places, mode="clip")
        sums = cast("npt.NDArray[np.unsignedinteger]", self.sums)
        return self._worked_out(self.docs.take(places, mode="clip"), sums.take(places, mode="clip"))

    def weight(self, size: int) -> int:
        """Return about how many postings take as much memory as the list may come to take."""
        return len(self.docs) + 64 + (size // 8 if self._is_common(size) else 0)

    def _is_common(self, size: int) -> bool:
        return self.sums is not None and _COMMON * len(self.docs) > size

    def held(self) -> Held:
        """Return what the list holds of its own documents: sums, or scores that were given."""
        return cast("Held", self._scores if self.sums is None else self.sums)

    def look(self, docs: Docs, size: int) -> tuple[Bools, Held]:
        """Return which of some documents (ascending) the list has, and what it holds of them for `worth`; of
        the others anything.

        `size`: documents of the corpus.
        """
        if self._spread is None and self._is_common(size):
            if self._looked or len(docs) * _BISECTION >= len(self.docs):
                self._spread = self._laid_out(size)
            self._looked = True
        if self._spread is not None:
            sums = self._spread.take(docs)
            return sums > 0, sums
        places, met = at_places(self.docs, docs, size)
        held = self.held()
        if not len(held):
            return met, np.zeros(len(docs))
        return met, held.take(places, mode="clip")

    def _laid_out(self, size: int) -> npt.NDArray[np.unsignedinteger]:
        """Return the sums of all documents of the corpus, 0 where the list has none."""
        sums = cast("npt.NDArray[np.unsignedinteger]", self.sums)
        narrow = len(sums) and int(sums.max()) <= _NARROW
        spread = np.zeros(size, np.uint16 if narrow else sums.dtype)
        spread[_indexes(self.docs)] = sums
        return spread

    def worth(self, held: Held, docs: Docs, norms: Norms) -> Scores:
        """Return the scores of documents that the list has, float64[len(docs)], from what `look` gave of
        them. `norms`: of these documents.
        """
        if self.sums is None:
            return cast("Scores", held)
        return self._saturated(held, norms.of(cast("Scores", self._norms)))

    def at(self, docs: Docs, size: int, norms: Norms | None = None) -> tuple[Bools, Scores]:
        """Return which of some documents (ascending) the list has, and their scores, 0 for the others.

        `size`: documents of the corpus. `norms`: of these documents, where others ask for them too.
        """
        met, held = self.look(docs, size)
        scores = self.worth(held, docs, norms or Norms(docs))
        if self._spread is not None and self.sums is not None:
            return met, scores  # where it has none the sums are 0, and so are the scores
        # Of a document that it has not, the score of any other, times 0: cheaper than to pick those it has.
        return met, scores * met

    def _worked_out(self, docs: Docs, sums: npt.NDArray[np.unsignedinteger]) -> Scores:
        return self._saturated(sums, cast("Scores", self._norms).take(docs))

    def _saturated(self, sums: Held, norms: Scores) -> Scores:
        frequencies = sums.astype(np.float64)
        frequencies /= norms + frequencies
        frequencies *= self.factor
        return frequencies

    def seeds(self) -> Docs:
        """Return some of the best documents, ascending: at least 64, or all; no other scores more than
        `rest_bound`.
        """
        if self._seeds is None:
            if self.best is None and len(self.docs) > _SEEDS:
                scores = self.scores()
                best = np.argpartition(scores, -_SEEDS)[-_SEEDS:]
                self._seeds = np.sort(self.docs[best])
                self.rest_bound = float(scores[best].min())
            else:
                self._seeds = self.docs if self.best is None else np.sort(self.docs[self.best])
        return self._seeds

    def hopeful(self, threshold: float) -> tuple[Docs, Scores]:
        """Return the documents that score at least a threshold, and their scores; blocks that do not reach it
        are not looked at.
        """
        if self.bound < threshold:
            return self.docs[:0], np.empty(0)
        if self._scores is None and self.block_starts is not None and self.block_bounds is not None:
            blocks = np.flatnonzero(self.block_bounds >= threshold)
            if 2 * len(blocks) < len(self.block_starts):
                starts = self.block_starts
                ends = np.append(starts[1:], len(self.docs))
                places = ranges(starts[blocks], ends[blocks])
                scores = self.scores_at(places)
                kept = scores >= threshold
                return self.docs[places[kept]], scores[kept]
        scores = self.scores()
        kept = scores >= threshold
        return self.docs[kept], scores[kept]


def ranges(starts: Places, ends: Places) -> Places:
    """Return the whole numbers of each stretch from start to before end, one stretch after the other.

    >>> ranges(np.array([2, 7]), np.array([4, 8]))
    array([2, 3, 7])
    """
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def in_union(lists: Sequence[Docs], size: int, allowed: Bools | None = None) -> int:
    """Return how many documents are in any of the lists (and allowed: bool[size])."""
    if len(lists) == 1:
        return len(lists[0]) if allowed is None else int(np.count_nonzero(allowed.take(lists[0])))
    if _SPARSE * sum(map(len, lists)) < size:
        docs = union(lists, size)
        return len(docs) if allowed is None else int(np.count_nonzero(allowed.take(docs)))
    with _Marked(lists, size) as marks:
        if allowed is not None:
            marks &= allowed
        return int(np.count_nonzero(marks))


def union(lists: Sequence[Docs], size: int, allowed: Bools | None = None) -> Docs:
    """Return the documents that are in any of the lists, ascending; `allowed`: bool[size], only these."""
    filled = [docs for docs in lists if len(docs)]
    if len(filled) > 1 and _SPARSE * sum(map(len, filled)) >= size:
        with _Marked(filled, size) as marks:
            if allowed is not None:
                marks &= allowed
            return marks.nonzero()[0].astype(np.uint32)
    if len(filled) > 1:
        together = np.concatenate(filled)
        together.sort()
        docs = together[firsts(together)]
    else:
        docs = filled[0] if filled else np.empty(0, np.uint32)
    return docs if allowed is None else docs[allowed.take(docs)]


class _Marked:
    """A context that gives the marks of documents, bool[size], those of the lists set."""

    def __init__(self, lists: Sequence[Docs], size: int) -> None:
        _SCRATCH.fit(size)
        self._marks = _SCRATCH.marks[:size]
        self._lists = lists

    def __enter__(self) -> Bools:
        try:
            for docs in self._lists:
                self._marks[_indexes(docs)] = True
        except BaseException:
            _SCRATCH.forget()
            raise
        return self._marks

    def __exit__(self, *_: object) -> None:
        self._marks.fill(False)


def merged(parts: Sequence[tuple[Docs, Scores]], size: int, *, add: bool) -> tuple[Docs, Scores]:
    """Return the union of scored lists: a document's scores added in the order of the parts, or the best."""
    if len(parts) == 1:
        return parts[0]
    if sum([len(part[0]) for part in parts]) <= _SORTED:
        return _merged_few(parts, add=add)
    docs = union([part[0] for part in parts], size)
    _SCRATCH.fit(size)
    sums = _SCRATCH.sums
    combine: Callable[[Scores, Scores], Scores] = np.add if add else np.maximum
    try:
        for held, scores in parts:
            at = _indexes(held)
            sums[at] = combine(sums.take(at), scores)
        found = sums.take(docs)
        sums[_indexes(docs)] = 0.0
    except BaseException:
        _SCRATCH.forget()
        raise
    return docs, found


def _merged_few(parts: Sequence[tuple[Docs, Scores]], *, add: bool) -> tuple[Docs, Scores]:
    """Return what `merged` does, without arrays as large as the corpus: a sort is quicker where lists are
    short.
    """
    docs, scores = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    if not len(docs):
        return docs, scores
    # Stable: those of one document stay in the order of the parts, on which sums of floats depend.
    order = docs.argsort(kind="stable")
    docs, scores = docs[order], scores[order]
    first = firsts(docs)
    if add:
        return docs[first], cast("Scores", np.bincount(first.cumsum() - 1, scores))
    at = first.nonzero()[0]
    return docs[at], np.maximum.reduceat(scores, at)


def firsts(docs: Docs) -> Bools:
    """Return where each document of an ascending list, not empty, stands first."""
    first = np.empty(len(docs), np.bool_)
    first[0] = True
    np.not_equal(docs[1:], docs[:-1], out=first[1:])
    return first


def best_first(
    docs: Docs, scores: Scores, k: int | None, keys: Callable[[Docs], npt.NDArray[Any]]
) -> tuple[Docs, Scores]:
    """Return the `k` best (None: all) of some documents, given in any order, the highest score first, of
    equal ones the least key.

    `keys(docs)`: what sorts documents as their trial ids do.
    """
    if k is not None and len(docs) > k:
        kept = _best(docs, scores, k, keys)
        docs, scores = docs[kept], scores[kept]
    order = (-scores).argsort(kind="stable")
    ranked = scores[order]
    if len(ranked) > 1 and np.count_nonzero(ranked[1:] == ranked[:-1]):
        order = np.lexsort((keys(docs), -scores))
        ranked = scores[order]
    return docs[order], ranked


def _best(docs: Docs, scores: Scores, k: int, keys: Callable[[Docs], npt.NDArray[Any]]) -> Places:
    """Return where the `k` best of more documents stand, in any order."""
    if not k:
        return np.empty(0, np.int64)
    ascending = scores.copy()
    ascending.partition(len(scores) - k)
    least = ascending[len(scores) - k]
    kept: Places = (scores >= least).nonzero()[0]
    if len(kept) == k:
        return kept
    above = (scores > least).nonzero()[0]
    equal = (scores == least).nonzero()[0]
    return np.concatenate((above, equal[keys(docs[equal]).argsort(kind="stable")[: k - len(above)]]))
