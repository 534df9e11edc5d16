"""All trials that a question finds, at once: their ids, their states, their facets; not a page of them.

Only trials that have all that was asked count, not partial ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from trialsearch.lists import Docs, best_first

if TYPE_CHECKING:
    from trialsearch.facets import Facet, Facets
    from trialsearch.query import Query
    from trialsearch.results import Asked, Hit

__all__ = ["Whole"]


class Whole:
    """All trials found. `docs`: uint32[n], their documents, ascending. `scored`: what of the query asked has
    words, and is no filter.
    """

    def __init__(self, docs: Docs, asked: Asked, scored: Query, facets: Facets) -> None:
        self.docs = docs
        self._asked = asked
        self._scored = scored
        self._facets = facets

    @cached_property
    def ids(self) -> npt.NDArray[np.bytes_]:
        """The trial ids of `docs`, as bytes of one width [n]."""
        return self._asked.evaluator.snapshot.keys(self.docs)

    @cached_property
    def digests(self) -> npt.NDArray[np.uint32]:
        """What tells the stored record of each of `docs` from a changed one, uint32[n]; 0 where the index
        does not know.
        """
        held = self._asked.evaluator.snapshot.column("RecordDigest")[self.docs]
        return np.nan_to_num(held).astype(np.uint32)

    def facets(self, names: Sequence[str], limit: int | None) -> dict[str, Facet]:
        """Return facets by the names asked; raises QueryError as `Facets.counted` does."""
        return self._facets.counted(self.docs, names, limit)

    def hits(self, places: npt.NDArray[np.integer]) -> list[Hit]:
        """Return the hits at some places of `docs`, best first."""
        from trialsearch.results import hits_of

        asked, docs = self._asked, np.sort(self.docs[places])
        scores = asked.evaluator.score(self._scored, asked.area, docs)
        return hits_of(*best_first(docs, scores, None, asked.evaluator.keys), asked)
