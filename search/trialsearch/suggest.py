"""Names of conditions and interventions that begin with what was typed, with the number of their trials.

A name answers at the start of any of its words. Spellings that differ in case or accents are one name,
shown as most records write it.
"""

from __future__ import annotations

import bisect
import re

import numpy as np

from trialindex.analysis import fold
from trialindex.frozen import frozen
from trialindex.storage import Snapshot

__all__ = ["NameList", "Suggestion"]

_FIELDS = {"condition": "ConditionName", "intervention": "InterventionFullName"}
_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
# Of the names that a short prefix has, only the most frequent are counted exactly.
_COUNTED = 200


@frozen
class Suggestion:
    """A name, its kind (condition or intervention), and the number of trials that have it."""

    name: str
    kind: str
    trials: int


class NameList:
    """The names of one snapshot, ready for prefixes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        # (kind, folded name) -> names of the index, the most frequent first
        self._names: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for kind, field in _FIELDS.items():
            for name, frequency in snapshot.names(field):
                self._names.setdefault((kind, name.partition("\t")[0]), []).append((-frequency, name))
        self._starts = sorted(
            (folded[match.start() :], kind, folded)
            for kind, folded in self._names
            for match in _WORD_START.finditer(folded)
        )

    def suggest(self, prefix: str, limit: int = 10) -> list[Suggestion]:
        """Return at most `limit` names, those with the most trials first; [] for an empty prefix."""
        wanted = fold(" ".join(prefix.split()))
        if not wanted:
            return []
        found: set[tuple[str, str]] = set()
        place = bisect.bisect_left(self._starts, (wanted,))
        while place < len(self._starts) and self._starts[place][0].startswith(wanted):
            found.add(self._starts[place][1:])
            place += 1
        rough = sorted(found, key=lambda key: (sum(entry[0] for entry in self._names[key]), key))[:_COUNTED]
        counted = [self._suggestion(key) for key in rough]
        counted.sort(key=lambda one: (-one.trials, fold(one.name), one.kind))
        return counted[:limit]

    def _suggestion(self, key: tuple[str, str]) -> Suggestion:
        names = sorted(self._names[key])
        held = np.concatenate([self._snapshot.named(_FIELDS[key[0]], name) for _, name in names])
        live = self._snapshot.live
        docs = np.unique(held if live is None else held[live[held]])
        # A name too long for the index is cut, and may have lost how it is written.
        return Suggestion(names[0][1].partition("\t")[2] or key[1], key[0], len(docs))
