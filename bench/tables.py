"""What was measured, as Markdown tables: rows with a value for each contestant that has one.

>>> percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5), percentile([float(n) for n in range(1, 61)], 0.95)
(3.0, 57.0)
>>> [amount(value) for value in (0.1234, 2.345, 45.67, 1234.5, 8.0)]
['0.12', '2.3', '46', '1,234', '8']
>>> overlap(["a", "b", "c"], ["c", "a"]), overlap([], ["a"]), overlap([], [])
(0.6666666666666666, 0.0, None)
>>> shared({"a", "b"}, {"b", "c"}), shared(set(), set())
(0.3333333333333333, None)
>>> print(table([Row("size, MB", {"fts5": 2.5})], ["fts5", "xapian"]))
| figure | SQLite FTS5 | Xapian |
|---|---:|---:|
| size, MB | 2.5 |  |
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contestants import CONTESTANTS, OURS
from measure import Asked, Query
from words import TOP

__all__ = [
    "Row", "agreement", "amount", "filters", "markdown", "overlap", "percentile", "query_rows", "ratios",
    "shared", "table",
]  # fmt: skip

KINDS = ("cond", "intr", "cond+intr", "free")
_FIGURES = {"median": 0.5, "95th percentile": 0.95}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: what, with its unit, and the value of each contestant that has one."""

    label: str
    values: dict[str, float]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def amount(value: float) -> str:
    """Return a number with two figures that count, or whole."""
    if value >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def overlap(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Return the share of trials in both of two top lists, by the longer one; None where both are empty."""
    longest = max(len(one), len(other))
    return len(set(one) & set(other)) / longest if longest else None


def shared(one: set[str], other: set[str]) -> float | None:
    """Return the share of trials in both of two sets, by those in either; None where both are empty."""
    return len(one & other) / len(one | other) if one or other else None


def query_rows(asked: dict[str, Asked], queries: Sequence[Query]) -> list[Row]:
    """Return the rows of query times: all and by kind, again and for the first time."""
    kinds = {query.qid: query.kind for query in queries}
    there = [kind for kind in dict.fromkeys((*KINDS, *kinds.values())) if kind in kinds.values()]
    rows: list[Row] = []
    for when, times in (
        ("again", {name: one.again() for name, one in asked.items()}),
        ("first time", {name: one.first for name, one in asked.items()}),
    ):
        for kind in ("all", *there):
            for figure, share in _FIGURES.items():
                values = {
                    name: 1000
                    * percentile([t for qid, t in held.items() if kind in ("all", kinds[qid])], share)
                    for name, held in times.items()
                }
                rows.append(Row(f"{when}, {kind}, {figure}", values))
        slowest = {name: 1000 * max(held.values()) for name, held in times.items()}
        rows.append(Row(f"{when}, all, slowest", slowest))
    return rows


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: the first column to the left, the others to the right."""
    return "\n".join([_line(heads), "|---" + "|---:" * (len(heads) - 1) + "|", *map(_line, rows)])


def table(rows: Iterable[Row], names: Sequence[str]) -> str:
    """Return rows as a table with a column for each contestant."""
    return markdown(
        ["figure", *(CONTESTANTS[name].heading for name in names)],
        [
            [row.label, *(amount(row.values[name]) if name in row.values else "" for name in names)]
            for row in rows
        ],
    )


def ratios(rows: Iterable[Row], names: Sequence[str]) -> str:
    """Return a table of what each of ours has divided by what each peer has, the inverse in parentheses.

    The peer of what is asked with filters is what is asked without.
    """
    own = [name for name in names if CONTESTANTS[name].index == OURS and not CONTESTANTS[name].filtered]
    peers = [name for name in names if CONTESTANTS[name].index != OURS]

    def cell(ours: float | None, theirs: float | None) -> str:
        return f"{amount(ours / theirs)} ({amount(theirs / ours)})" if ours and theirs else ""

    return markdown(
        ["ours / the peer's (the peer's / ours)", *(CONTESTANTS[name].heading for name in peers)],
        [
            [
                f"{row.label}: {CONTESTANTS[name].heading}",
                *(cell(row.values.get(name), row.values.get(peer)) for peer in peers),
            ]
            for row in rows
            for name in own
            if name in row.values
        ],
    )


def filters(rows: Iterable[Row]) -> str:
    """Return a table of what times with filters are, divided by those without."""
    return markdown(
        ["with three filters / without any", ""],
        [[row.label, amount(row.values["filtered"] / row.values["trialsearch"])] for row in rows],
    )


def _mean(values: Iterable[float | None]) -> float | None:
    held = [value for value in values if value is not None]
    return statistics.mean(held) if held else None


def agreement(asked: dict[str, Asked]) -> str:
    """Return a table of how far any two answer alike, each the mean over the queries that find something:
    the share of the ten best, and, where both want all words, of all trials found.
    """

    def cell(one: Asked, other: Asked) -> str:
        tops = _mean(overlap(answer, other.answers[qid]) for qid, answer in one.answers.items())
        sets = _mean(
            shared(found, other.found[qid]) for qid, found in one.found.items() if qid in other.found
        )
        return " / ".join(f"{share:.2f}" for share in (tops, sets) if share is not None)

    asked = {name: one for name, one in asked.items() if not CONTESTANTS[name].filtered}
    rows = [
        [CONTESTANTS[name].heading, *("" if name == other else cell(one, asked[other]) for other in asked)]
        for name, one in asked.items()
    ]
    heads = [f"overlap@{TOP} / of all found by either", *(CONTESTANTS[name].heading for name in asked)]
    return markdown(heads, rows)
