"""Names that begin with what was typed, with the number of their trials: for a search box.

A name of conditions or interventions answers at the start of any of its words (`lupus neph`, `neph`), those
of most trials first. Spellings that differ in case or accents are one name, shown as most records write it.

A name that means a concept stands for it: its trials are those that write the name or those that are linked
to the concept, whichever are more, and of the names of one concept only one is offered. That is the one that
trials write, if they do so at least a tenth as often as they write the preferred name; else the preferred
name, with the one that begins so beside it.

Where fewer than `_FEW` names begin so, those follow that begin with what one edit makes of it. The trials
of what is offered are counted exactly, and deleted ones left out; which names are looked at is told by what
the trials of the index taught last (`trialindex.vocabulary.completions`). Names that came since then, and
those that too few trials have to be kept, answer at the beginning of the whole name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from trialindex.analysis import fold
from trialindex.fields import NAME_FIELDS, concept_term
from trialindex.frozen import frozen
from trialindex.snapshot import Snapshot
from trialindex.vocabulary.completions import Completion, Completions
from trialindex.vocabulary.concepts import Concept

__all__ = ["NameList", "Suggestion"]

# Names looked at beyond those asked for: of several names of one concept, one is offered.
_SPARE = 8
# Names below which others are offered, and of the index itself so many are looked at.
_FEW = 3
_LOOKED_AT = 50
# How much rarer than its concept's preferred name a name is that still stands for itself.
_RARER = 10
# Names whose counts are kept.
_KEPT = 5_000
# Characters of what is typed that are looked at.
_LONGEST = 256


@frozen
class Suggestion:
    """A name to search for.

    `name`; its `kind`, condition or intervention; the number of `trials`. `via`: the name that begins as
    typed, where `name` is the preferred one of its concept and does not; else "". `corrected`: what was taken
    for the text typed, where the name does not begin so; else "". `concept`: the id of the concept that the
    name means, or "".
    """

    name: str
    kind: str
    trials: int
    via: str = ""
    corrected: str = ""
    concept: str = ""


class _Shown(NamedTuple):
    """A name as it is shown, the name of the same concept that was found, the concept, and the trials."""

    name: str
    via: str
    concept: str
    trials: int


class NameList:
    """The names of one snapshot, ready for prefixes. Safe to share between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        if snapshot.learned is not None:
            self._completions = snapshot.learned.completions
        else:
            self._completions = Completions.of(
                {kind: snapshot.names(field) for kind, field in NAME_FIELDS.items()}
            )
        self._shown: dict[Completion, _Shown | None] = {}

    def suggest(self, prefix: str, limit: int = 10) -> list[Suggestion]:
        """Return at most `limit` names, those that begin as typed before others, those of most trials first;
        [] for an empty prefix.
        """
        wanted = fold(" ".join(prefix[:_LONGEST].split()))
        if not wanted or limit <= 0:
            return []
        found = [one for _, one in self._beginning([wanted], limit)]
        if len(found) < limit:
            found = _sorted([*found, *self._rest(wanted)])[:limit]
        if len(found) < min(_FEW, limit):
            found += self._nearly(wanted, limit - len(found), found)
        return found

    def _beginning(self, prefixes: Sequence[str], limit: int) -> list[tuple[str, Suggestion]]:
        """Return the best of the names that begin with one of some folded texts, each with the name found,
        folded; of several names of one concept only the first.
        """
        ranges = [self._completions.range(prefix) for prefix in prefixes]
        looked_at = limit + _SPARE
        while True:
            numbers = self._completions.best(ranges, looked_at)
            found: list[tuple[str, Suggestion]] = []
            taken: set[str | tuple[str, str]] = set()
            for number in numbers:
                entry = self._completions[number]
                shown = self._show(entry)
                if shown is None or not taken.isdisjoint(keys := _keys(shown, entry.kind)):
                    continue
                taken.update(keys)
                one = Suggestion(shown.name, entry.kind, shown.trials, shown.via, "", shown.concept)
                found.append((entry.text, one))
                if len(found) == limit:
                    break
            if len(found) == limit or len(numbers) < looked_at:
                return sorted(found, key=lambda item: _order(item[1]))
            looked_at *= 2

    def _nearly(self, wanted: str, limit: int, besides: Sequence[Suggestion]) -> list[Suggestion]:
        """Return names that begin with what a folded text may have been meant to be."""
        near = self._completions.corrected(wanted)
        taken = {(one.name, one.kind) for one in besides}
        found = [
            Suggestion(one.name, one.kind, one.trials, one.via, _begun(text, near), one.concept)
            for text, one in self._beginning(near, limit + len(taken))
            if (one.name, one.kind) not in taken
        ]
        return found[:limit]

    def _rest(self, wanted: str) -> Iterator[Suggestion]:
        """Yield names of the index that begin with a folded text and are none of those that are kept."""
        for kind, field in NAME_FIELDS.items():
            names = islice(self._snapshot.names(field, wanted), _LOOKED_AT)
            for text in dict.fromkeys(name.partition("\t")[0] for name, _ in names):
                if not self._completions.knows(text, kind):
                    shown = self._show(Completion(text, kind, 0, "", 0))
                    if shown is not None:
                        yield Suggestion(shown.name, kind, shown.trials)

    def _show(self, entry: Completion) -> _Shown | None:
        try:
            return self._shown[entry]
        except KeyError:
            pass
        made = self._shown_anew(entry)
        if len(self._shown) >= _KEPT:
            self._shown.clear()
        self._shown[entry] = made
        return made

    def _shown_anew(self, entry: Completion) -> _Shown | None:
        # A name that no trial wrote, or that mostly means another concept, counts for nothing itself.
        own = entry.trials or not entry.concept
        name, trials = self._written(entry) if own else ("", 0)
        number = None
        vocabulary = self._snapshot.vocabulary
        if entry.concept and vocabulary is not None:
            number = vocabulary.number_of(entry.concept)
        if number is None or vocabulary is None:
            return _Shown(name, "", "", trials) if trials else None
        trials = max(trials, self._linked(entry.concept))
        if not trials:
            return None
        if entry.trials and name and _RARER * entry.trials >= entry.preferred:
            return _Shown(name, "", entry.concept, trials)
        preferred = vocabulary.preferred(number)
        if _folded(preferred) == entry.text:
            return _Shown(preferred, "", entry.concept, trials)
        via = name or _spelled(vocabulary.concept(number), entry.text)
        return _Shown(preferred, via, entry.concept, trials)

    def _written(self, entry: Completion) -> tuple[str, int]:
        """Return a name as most records write it, and how many live trials do: ("", 0) where none does."""
        field = NAME_FIELDS[entry.kind]
        # A name too long for the index is cut, and may have lost how it is written.
        names = [*self._snapshot.names(field, f"{entry.text}\t"), (entry.text, 0)]
        held = [self._snapshot.named(field, name) for name, _ in names]
        docs = held[0] if len(held) == 2 and not len(held[1]) else np.unique(np.concatenate(held))
        live = self._snapshot.live
        trials = len(docs) if live is None else int(live[docs].sum())
        if not trials:
            return "", 0
        shown, _ = max(names, key=lambda one: one[1])
        return shown.partition("\t")[2] or entry.text, trials

    def _linked(self, concept: str) -> int:
        """Return how many live trials are linked to a concept, or to a narrower one."""
        term, live = concept_term(concept), self._snapshot.live
        if live is None:
            return self._snapshot.anywhere(term)
        return int(live[self._snapshot.postings(term, "BasicSearch/concepts").docs].sum())


def _spelled(concept: Concept, folded: str) -> str:
    """Return a name of a concept as the vocabulary writes it."""
    names = (one.text for one in (*concept.names, *concept.abbreviations))
    return next((text for text in names if _folded(text) == folded), folded)


def _folded(text: str) -> str:
    return " ".join(fold(text).split())


def _keys(shown: _Shown, kind: str) -> set[str | tuple[str, str]]:
    """Return what no other name that is offered may have."""
    return {shown.concept or (shown.name, kind), (shown.name, kind)}


def _begun(text: str, prefixes: Sequence[str]) -> str:
    """Return the one of some prefixes with which a folded name goes on where a word of it begins.

    >>> _begun("il-2 lupus", ["lup", "upus"]), _begun("il-2 lupus", ["upus", "2 l"])
    ('lup', '2 l')
    """
    for prefix in prefixes:
        place = text.find(prefix)
        while place >= 0:
            if not place or not text[place - 1].isalnum():
                return prefix
            place = text.find(prefix, place + 1)
    raise ValueError(f"{text!r} does not begin with any of {prefixes}")


def _order(one: Suggestion) -> tuple[int, str, str]:
    return -one.trials, fold(one.name), one.kind


def _sorted(found: Iterable[Suggestion]) -> list[Suggestion]:
    return sorted(found, key=_order)
