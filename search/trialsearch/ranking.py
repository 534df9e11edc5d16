"""The formulas of relevance, pure, and the explanation that mirrors them.

A document's score for a term is BM25F: the frequencies of the term in the fields of an area are weighted and
added, and saturate once, against the length of the document (Robertson, Zaragoza, Taylor: Simple BM25
extension to multiple weighted fields, CIKM 2004):

    score = idf * (k1 + 1) * tf / (tf + k1 * (1 - b + b * length / mean length))

>>> tf = 1.0  # of a word that stands once in a document of mean length
>>> round(tf / (tf + norm(10, 10)), 4), GAIN * tf / (tf + norm(10, 10))
(0.4545, 1.0)
"""

from __future__ import annotations

import math

from trialindex.frozen import frozen
from trialindex.segments.postings import K1, B

__all__ = ["GAIN", "K1", "B", "Explanation", "idf", "nearness", "norm"]

GAIN = K1 + 1


def idf(documents: int, frequency: int) -> float:
    """Return how telling a term is that `frequency` of `documents` have: `ln(1 + (N - n + 0.5) / (n + 0.5))`.

    The weight of Robertson and Spärck Jones (1976) without relevance information, with 1 added inside the
    logarithm so that a word of more than half of all documents counts little and never against them.

    >>> idf(3, 1) == math.log(1 + 2.5 / 1.5), idf(3, 3) > 0
    (True, True)
    """
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


def norm(length: float, mean: float) -> float:
    """Return the weighted frequency that is half of saturation, for a document of this length: `k1 * (1 - b +
    b * length / mean)`. Where no document has a length, all have the mean one.
    """
    return K1 * (1 - B + B * (length / mean if mean > 0 else 1.0))


def nearness(term: str, other: str, edits: int) -> float:
    """Return what a term so many edits away is worth: `1 - edits / shorter length` (Lucene's fuzzy query).

    >>> nearness("lupus", "lupis", 1)
    0.8
    """
    return 1 - edits / min(len(term), len(other))


@frozen
class Explanation:
    """A score and the parts that it is made of."""

    text: str
    score: float
    parts: tuple[Explanation, ...] = ()

    def lines(self, depth: int = 0) -> list[str]:
        """Return the explanation as indented lines."""
        own = f"{'  ' * depth}{self.score:8.3f}  {self.text}"
        return [own, *(line for part in self.parts for line in part.lines(depth + 1))]
