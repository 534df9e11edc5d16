"""Rankings scored against judgements, condensed.

Most trials were never judged for most queries. A ranking is therefore condensed before it is scored: what
has no known relevance is taken out, and what is left moves up (Sakai 2007, "Alternatives to Bpref"). The
measures are those of ir_measures: the gain of nDCG is the grade itself, discounted by log2(rank + 1); a
query that finds nothing counts as 0.

>>> condensed(["a", "b", "c", "d"], {"a": 0, "c": 2, "d": -1}, None)
['a', 'c']
>>> condensed(["a", "b", "c", "d"], {"c": 2, "d": -1}, frozenset("abd"))
['a', 'b']
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relevance.sets import QuerySet

__all__ = ["condensed", "mean", "scores"]


def condensed(
    ranking: Iterable[str], grades: Mapping[str, int], universe: frozenset[str] | None
) -> list[str]:
    """Return a ranking without the trials whose relevance is not known, and those that are to be ignored.

    Known are those of the universe, or, without one, those that have a grade; grade -1 is to be ignored.
    """
    known = grades.keys() if universe is None else universe
    return [trial for trial in ranking if trial in known and grades.get(trial, 0) >= 0]


def scores(
    judged: QuerySet, rankings: Mapping[str, Sequence[str]], measures: Sequence[str], condense: bool
) -> dict[str, dict[str, float]]:
    """Return measure -> query id -> score, of rankings by query id; every query that has a relevant trial has
    a score.
    """
    import ir_measures

    run = [
        # Scores that only tell the order: tools of TREC sort by score, and break ties their own way.
        ir_measures.ScoredDoc(qid, trial, float(len(ranking) - place))
        for qid, whole in rankings.items()
        for ranking in [condensed(whole, judged.grades[qid], judged.universe) if condense else whole]
        for place, trial in enumerate(ranking)
    ]
    grades = [
        ir_measures.Qrel(qid, trial, grade)
        for qid, held in judged.grades.items()
        for trial, grade in held.items()
        if grade >= 0
    ]
    names = {ir_measures.parse_measure(name): name for name in measures}
    answered = {qid for qid, held in judged.grades.items() if any(grade > 0 for grade in held.values())}
    found = {name: dict.fromkeys(sorted(answered), 0.0) for name in measures}
    for metric in ir_measures.iter_calc(list(names), grades, run):
        if metric.query_id in answered:
            found[names[metric.measure]][metric.query_id] = metric.value
    return found


def mean(of: Mapping[str, float], qids: Iterable[str]) -> float | None:
    """Return the mean score of those of the queries that have one; None where none has."""
    held = [of[qid] for qid in qids if qid in of]
    return statistics.mean(held) if held else None
