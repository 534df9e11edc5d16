"""What is left of a query when not all of it is met: its pieces, and the trials that have some of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trialsearch.asked import Part
from trialsearch.evaluate import Evaluator
from trialsearch.lists import Bools, Docs, Leaf, Norms, Scores, at_places, best_first, union
from trialsearch.pruning import EXHAUSTIVE
from trialsearch.query import And, Best, In, Query, Tilted

__all__ = ["PartialHits", "pieces"]

# Bounds are added up otherwise than scores.
_SLACK = 1 + 1e-9


def pieces(parts: Sequence[Part], widened: Sequence[Query]) -> list[tuple[str, Query]]:
    """Return (label, query) for the pieces of what was asked that each must be met, down to single names.

    `widened`: the widened query of each part.
    """
    found: list[tuple[str, Query]] = []
    for part, query in zip(parts, widened, strict=True):
        found.extend([(part.label, query)] if part.selects or part.filters else _required(query))
    return found


def _required(query: Query) -> list[tuple[str, Query]]:
    match query:
        case In(area, part):
            return [(f"{label} in {area}", In(area, piece)) for label, piece in _required(part)]
        case And(parts):
            return [entry for part in parts for entry in _required(part)]
        case Best(text, _):
            return [(text, query)]
        case Tilted(field, part):
            return [(label, Tilted(field, piece)) for label, piece in _required(part)]
        case _:
            return [(str(query), query)]


def _words_of(piece: Query) -> list[Query]:
    """Return the words of a name of several words, any of which a trial may have; [] for all else."""
    match piece:
        case Best(_, ways):
            return [word for way in ways if isinstance(way.part, And) for word in way.part.parts]
        case _:
            return []


class PartialHits:
    """The trials that have some of the plain words asked, not all, and meet everything else that was asked.

    `loose`: the widened queries of plain words, `strict` those that must be met. `allowed`: bool[corpus], the
    documents that filters and deletions leave; None are all.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        loose: Sequence[Query],
        strict: Sequence[Query],
        area: str,
        allowed: Bools | None,
    ) -> None:
        self._evaluator = evaluator
        self._pieces = [piece for query in loose for _, piece in _required(query)]
        self._strict = strict
        self._area = area
        self._allowed = allowed

    @property
    def possible(self) -> bool:
        """Whether there is any part of what was asked that a trial may have alone."""
        return len(self._pieces) > 1 or any(map(_words_of, self._pieces))

    def top(self, k: int | None, full: Docs) -> tuple[Docs, Scores]:
        """Return the `k` best documents (None: all), best first, and their scores: the sum of what is met,
        times the share of the words met. `full`: the documents that meet all of it, ascending.

        The best of each piece are scored first: the k-th of them gives a threshold, and only documents that
        may reach it are looked at then (`trialsearch.pruning` does so for unions).
        """
        least = 0.0
        if k and sum([len(leaf.docs) for leaf in self._leaves]) > max(k, EXHAUSTIVE):
            seeds = self._shown([leaf.seeds() for leaf in self._leaves])
            least = _least(self._worth(self._left(seeds, full)), k)
        docs = self._left(self._reaching(least) if least else self._any(), full)
        return best_first(docs, self._worth(docs), k, self._evaluator.keys)

    def _reaching(self, least: float) -> Docs:
        """Return documents among which all are that are worth at least so much, ascending."""
        pieces = sorted(self._lists, key=_Piece.bound, reverse=True)
        bounds = [piece.bound() for piece in pieces]
        found: list[Docs] = []
        for number, piece in enumerate(pieces):
            # A document that has none of the weightier pieces has this share of them, and this much more.
            share, rest = (len(pieces) - number) / len(pieces), sum(bounds[number + 1 :])
            needed = least / share / _SLACK - rest
            found += [leaf.hopeful(needed)[0] for leaf in piece.leaves]
        return self._shown(found)

    def total(self, full: Docs) -> int:
        """Return how many documents have some of it; `full` as for `top`."""
        return len(self._left(self._any(), full))

    @cached_property
    def _lists(self) -> list[_Piece]:
        words = [_words_of(piece) for piece in self._pieces]
        held = iter(
            self._evaluator.listed([*self._pieces, *(one for some in words for one in some)], self._area)
        )
        wholes = [next(held) for _ in self._pieces]
        return [_Piece(whole, [next(held) for _ in some]) for whole, some in zip(wholes, words, strict=True)]

    @cached_property
    def _leaves(self) -> list[Leaf]:
        return [leaf for piece in self._lists for leaf in piece.leaves]

    def _any(self) -> Docs:
        """Return the documents that are in any of the lists, ascending."""
        return self._shown([leaf.docs for leaf in self._leaves])

    def _shown(self, lists: list[Docs]) -> Docs:
        """Return the documents of any of the lists that filters and deletions leave, ascending."""
        return union(lists, self._evaluator.size, self._allowed)

    def _left(self, docs: Docs, full: Docs) -> Docs:
        """Return those of some documents that do not have all, and meet what must be met."""
        if len(full):
            docs = docs[~at_places(full, docs, self._evaluator.size)[1]]
        for query in self._strict:
            docs = docs[self._evaluator.met(query, self._area, docs)]
        return docs

    def _worth(self, docs: Docs) -> Scores:
        """Return the scores of documents, ascending."""
        size, norms = self._evaluator.size, Norms(docs)
        sums, shares = np.zeros(len(docs)), np.zeros(len(docs))
        for piece in self._lists:
            met, scores = piece.whole.at(docs, size, norms)
            shares += met
            sums += scores
            for word in piece.words:
                has, scores = word.at(docs, size, norms)
                apart = (has & ~met) / len(piece.words)
                shares += apart
                sums += apart * scores
        # A trial with more of the words is worth more than its score says: the rest is missing altogether.
        return sums * shares / len(self._pieces)


def _least(scores: Scores, k: int | None) -> float:
    """Return the k-th highest of some scores; 0 where there are fewer."""
    return float(np.partition(scores, -k)[-k]) if k and k <= len(scores) else 0.0


class _Piece(NamedTuple):
    """The list of what has a piece as a whole, and those of its words."""

    whole: Leaf
    words: list[Leaf]

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The lists of which a document has one if it has any of the piece."""
        return (self.whole, *self.words)

    def bound(self) -> float:
        """Return what the piece adds to the sum at most."""
        apart = sum(word.bound for word in self.words) / max(1, len(self.words))
        return max(self.whole.bound, apart)
