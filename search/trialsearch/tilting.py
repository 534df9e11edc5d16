"""How much the value of a field tilts a score: TILT.

The factor is 0.5 for the lowest (oldest) value and for none, 1 for the highest, and between them grows with
the share of the trials that have a lower value; so it is the same for days, ages and counts, however they are
spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.fields import FIELDS
from trialsearch.lists import Docs, Scores

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["LEAST", "Tilt", "tilt"]

# The factor of the lowest value.
LEAST = 0.5


class Tilt(NamedTuple):
    """`ranks`: uint32[corpus], how many live documents have a lower value; 0 for none. `highest`: of them."""

    ranks: npt.NDArray[np.uint32]
    highest: int

    def factors(self, docs: Docs) -> Scores:
        """Return what the scores of some documents are multiplied by, float64[len(docs)]."""
        return LEAST + (1 - LEAST) * self.ranks[docs] / max(1, self.highest)


def tilt(snapshot: Snapshot, field: str) -> Tilt:
    """Return how much the values of a day or number field tilt the scores of their documents."""
    values = _values(snapshot, field)
    live = values if snapshot.live is None else values[snapshot.live]
    ordered = np.sort(live[~np.isnan(live)])
    if not len(ordered):
        return Tilt(np.zeros(snapshot.size, np.uint32), 0)
    ranks = ordered.searchsorted(values).astype(np.uint32)
    highest = int(ordered.searchsorted(ordered[-1]))
    if not highest:
        # Where all have the same value, it is the highest, not the lowest.
        ranks[:], highest = 1, 1
    ranks = np.minimum(ranks, np.uint32(highest))
    ranks[np.isnan(values)] = 0
    return Tilt(ranks, highest)


def _values(snapshot: Snapshot, field: str) -> Scores:
    """Return the value of each document, float64[corpus], the greatest of several; of a day that may be any
    of some the last; NaN for none.
    """
    if FIELDS[field].several:
        held = snapshot.number_lists(field)
        found = np.full(snapshot.size, np.nan)
        some = held.offsets[1:] > held.offsets[:-1]
        if some.any():
            found[some] = np.maximum.reduceat(held.high, held.offsets[:-1][some])
        return found
    return snapshot.column(f"{field}Last" if FIELDS[field].kind == "day" else field)
