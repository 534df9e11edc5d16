"""What is left of a query when not all of it is met: its pieces, and the trials that have some of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from trialsearch.asked import Part
from trialsearch.evaluate import Evaluator
from trialsearch.query import And, Best, Close, In, Query

__all__ = ["PartialHits", "pieces"]


def pieces(parts: Sequence[Part], widened: Sequence[Query]) -> list[tuple[str, Query]]:
    """Return (label, query) for the pieces of what was asked that each must be met, down to single names.

    `widened`: the widened query of each part.
    """
    found: list[tuple[str, Query]] = []
    for part, query in zip(parts, widened, strict=True):
        found.extend([(part.label, query)] if part.selects else _required(query))
    return found


def _required(query: Query) -> list[tuple[str, Query]]:
    match query:
        case Close(part, _):
            return _required(part)
        case In(area, part):
            return [(f"{label} in {area}", In(area, piece)) for label, piece in _required(part)]
        case And(parts):
            return [entry for part in parts for entry in _required(part)]
        case Best(text, _):
            return [(text, query)]
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

    `full`: the documents that meet all of it. Nothing is worked out before it is looked at.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        parts: Sequence[Part],
        widened: Sequence[Query],
        base: str,
        full: dict[int, float],
    ) -> None:
        self._evaluator = evaluator
        self._loose = [query for part, query in zip(parts, widened, strict=True) if part.loose]
        self._strict = [query for part, query in zip(parts, widened, strict=True) if not part.loose]
        self._base = base
        self._full = full

    @cached_property
    def ranked(self) -> list[tuple[int, float]]:
        """(document, score), best first: the sum of what is met, times the share of the words met."""
        asked = [piece for query in self._loose for _, piece in _required(query)]
        counts: dict[int, float] = {}
        scores: dict[int, float] = {}
        for piece in asked:
            whole = self._evaluator.scores(piece, self._base)
            if len(asked) > 1:
                for doc, score in whole.items():
                    counts[doc] = counts.get(doc, 0.0) + 1
                    scores[doc] = scores.get(doc, 0.0) + score
            words = _words_of(piece)
            for word in words:
                for doc, score in self._evaluator.scores(word, self._base).items():
                    if doc not in whole:
                        counts[doc] = counts.get(doc, 0.0) + 1 / len(words)
                        scores[doc] = scores.get(doc, 0.0) + score / len(words)
        left = counts.keys() - self._full.keys()
        for query in self._strict:
            left &= self._evaluator.scores(query, self._base).keys()
        # A trial with more of the words is worth more than its score says: the rest is missing altogether.
        worth = [(doc, scores[doc] * counts[doc] / len(asked)) for doc in left]
        key = self._evaluator.snapshot.key
        return sorted(worth, key=lambda entry: (-entry[1], key(entry[0])))
