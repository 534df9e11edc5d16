"""The best of a union of scored lists, without scoring all of it: MaxScore on arrays.

No document scores more than the bounds of the lists that have it. Some documents that are likely to be good
are scored first; the score of the k-th of them is a threshold. Lists whose bounds together stay below it
bring no document of their own, they are only asked what they add to others; of the rest, blocks and postings
that cannot reach it are left out (Turtle and Flood 1995; Ding and Suel 2011). What is found, with its scores
and in its order, is what scoring everything finds: sums are made in the order of the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from trialsearch.lists import Bools, Docs, Leaf, Norms, Scores, best_first, in_union, merged, union

__all__ = ["best_of_any"]

Keys = Callable[[Docs], npt.NDArray[np.bytes_]]
Weighted = Sequence[tuple[Leaf, float]]

# So few postings are scored at once faster than any of them is left out.
EXHAUSTIVE = 3_000
# Sums of bounds are rounded otherwise than sums of scores.
_SLACK = 1 + 1e-9


def best_of_any(
    lists: Weighted, k: int, size: int, keys: Keys, *, allowed: Bools | None, add: bool
) -> tuple[Docs, Scores, int]:
    """Return the `k` best documents of a union, their scores, and how many documents it has.

    `lists`: each with its weight. `add`: a document's score is the sum over the lists, else the best of them.
    `allowed`: bool[size], the documents that may be found; None are all.
    """
    filled = [(leaf, weight) for leaf, weight in lists if len(leaf.docs)]
    kept = _hopeful(filled, k, size, keys, allowed, add)
    if kept is None:
        parts = [(leaf.docs, _weighted(leaf.scores(), weight)) for leaf, weight in filled]
        docs, scores = merged(parts, size, add=add) if parts else (np.empty(0, np.uint32), np.empty(0))
    else:
        docs, scores = kept, _scored(filled, kept, size, add)
    if allowed is not None:
        living = allowed[docs]
        docs, scores = docs[living], scores[living]
    total = len(docs) if kept is None else in_union([leaf.docs for leaf, _ in filled], size, allowed)
    return *best_first(docs, scores, k, keys), total


def _weighted(scores: Scores, weight: float) -> Scores:
    return scores if weight == 1.0 else scores * weight


def _scored(lists: Weighted, docs: Docs, size: int, add: bool) -> Scores:
    """Return the whole scores of documents, ascending."""
    scores, norms = np.zeros(len(docs)), Norms(docs)
    for leaf, weight in lists:
        found = _weighted(leaf.at(docs, size, norms)[1], weight)
        (np.add if add else np.maximum)(scores, found, out=scores)
    return scores


def _hopeful(lists: Weighted, k: int, size: int, keys: Keys, allowed: Bools | None, add: bool) -> Docs | None:
    """Return documents among which the `k` best are, ascending; None where all are to be scored."""
    postings = sum([len(leaf.docs) for leaf, _ in lists])
    if not k or postings <= max(k, EXHAUSTIVE):
        return None
    seeds = union([leaf.seeds() for leaf, _ in lists], size)
    if allowed is not None:
        seeds = seeds[allowed[seeds]]
    if len(seeds) < k:
        return None
    scores = _scored(lists, seeds, size, add)
    threshold = float(np.partition(scores, len(scores) - k)[len(scores) - k])
    if threshold <= 0:
        return None
    if len(lists) == 1 and lists[0][0].rest_bound * lists[0][1] < threshold:
        return seeds
    bounds = [leaf.bound * weight * _SLACK for leaf, weight in lists]
    return _reaching(lists, bounds, threshold, size, add)


def _reaching(lists: Weighted, bounds: list[float], threshold: float, size: int, add: bool) -> Docs:
    """Return documents among which all are that score at least a threshold, ascending."""
    order = sorted(range(len(lists)), key=lambda number: bounds[number])
    total = sum(bounds)
    below = 0.0
    found: list[Docs] = []
    for number in order:
        leaf, weight = lists[number]
        below = below + bounds[number] if add else bounds[number]
        if below < threshold or not weight:
            continue
        others = total - bounds[number] if add else 0.0
        found.append(leaf.hopeful((threshold - others) / weight / _SLACK)[0])
    return union(found, size)
