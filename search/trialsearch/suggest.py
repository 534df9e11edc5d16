"""Names of conditions and interventions that begin with what was typed, with the number of their trials.

A name answers at the start of any of its words. Spellings that differ in case or accents are one name,
shown as most records write it.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

from trialindex.analysis import fold
from trialindex.storage import Snapshot

__all__ = ["NameList", "Suggestion"]

_FIELDS = {"condition": "ConditionName", "intervention": "InterventionFullName"}
_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
# Of the names that a short prefix has, only the most frequent are counted exactly.
_COUNTED = 200


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A name, its kind (condition or intervention), and the number of trials that have it."""

    name: str
    kind: str
    trials: int


class NameList:
    """The names of one snapshot, ready for prefixes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        # (kind, folded name) -> terms of the index, the most frequent first
        self._terms: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for kind, field in _FIELDS.items():
            for term, frequency in snapshot.terms(field):
                self._terms.setdefault((kind, term.partition("\t")[0]), []).append((-frequency, term))
        self._starts = sorted(
            (folded[match.start() :], kind, folded)
            for kind, folded in self._terms
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
        rough = sorted(found, key=lambda key: (sum(entry[0] for entry in self._terms[key]), key))[:_COUNTED]
        counted = [self._suggestion(key) for key in rough]
        counted.sort(key=lambda one: (-one.trials, fold(one.name), one.kind))
        return counted[:limit]

    def _suggestion(self, key: tuple[str, str]) -> Suggestion:
        terms = sorted(self._terms[key])
        docs = {doc for _, term in terms for doc in self._snapshot.postings(_FIELDS[key[0]], term)}
        # A name too long for a term of the index is cut, and may have lost how it is written.
        return Suggestion(terms[0][1].partition("\t")[2] or key[1], key[0], len(docs))
