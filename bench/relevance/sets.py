"""The query sets: their queries and judgements, how each is scored, and what others reach on it.

A set is a folder: `queries.tsv` (qid, kind, query), `qrels.tsv` (qid, nct_id, grade) and, where the trials
whose relevance is known are more than those judged for a query, `universe.txt`. Grades: 1 or more is
relevant, 0 is not, -1 leaves the trial out of the ranking.

>>> [name for name, one in SETS.items() if not one.condensed]
['knownitem']
>>> half("ct21_12"), half("synco007")
('even', 'odd')
>>> half("s")
Traceback (most recent call last):
    ...
ValueError: the query id 's' ends with no number
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import corpora
from measure import Query
from run import read_queries

__all__ = ["DATA", "SETS", "Kind", "QuerySet", "half", "read_set"]

DATA = corpora.SHARED / "eval"
_NUMBER = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a set is scored, and the known figures.

    `condensed`: what has no known relevance is taken out of a ranking before it is scored. Known items are
    looked for among all trials. `peers`, `ceiling`: by measure, the best of five engines, and one of them
    asked with the query that was meant.
    """

    measures: tuple[str, ...] = ("nDCG@10", "R@100")
    condensed: bool = True
    peers: Mapping[str, float] = field(default_factory=dict)
    ceiling: Mapping[str, float] = field(default_factory=dict)


# The figures of peers and ceilings are those of the README of the sets; it has no others.
SETS: dict[str, Kind] = {
    "trec21kw": Kind(peers={"nDCG@10": 0.69}),
    "trec22kw": Kind(peers={"nDCG@10": 0.65}),
    "syncond": Kind(peers={"nDCG@10": 0.22, "R@100": 0.22}, ceiling={"nDCG@10": 0.85, "R@100": 0.92}),
    "synintr": Kind(peers={"nDCG@10": 0.26, "R@100": 0.18}, ceiling={"nDCG@10": 0.95, "R@100": 0.94}),
    "abbrev": Kind(peers={"nDCG@10": 0.73}, ceiling={"nDCG@10": 0.80}),
    "abbrevhard": Kind(peers={"R@100": 0.00}, ceiling={"R@100": 0.83}),
    "typos": Kind(peers={"nDCG@10": 0.96}, ceiling={"nDCG@10": 0.98}),
    "knownitem": Kind(("RR@10",), condensed=False, peers={"RR@10": 0.93}),
}


@dataclass(frozen=True, slots=True)
class QuerySet:
    """A set as read: query id -> trial -> grade; `universe` None where each query has its own."""

    name: str
    queries: Sequence[Query]
    grades: Mapping[str, Mapping[str, int]]
    universe: frozenset[str] | None

    def parts(self) -> Iterator[tuple[str, list[str]]]:
        """Yield (name, query ids) of the whole, its halves, and its kinds where it has several."""
        yield "all", [query.qid for query in self.queries]
        for name in ("even", "odd"):
            yield name, [query.qid for query in self.queries if half(query.qid) == name]
        kinds = dict.fromkeys(query.kind for query in self.queries)
        if len(kinds) > 1:
            for kind in kinds:
                yield kind, [query.qid for query in self.queries if query.kind == kind]


def half(qid: str) -> str:
    """Return the half of its set that a query is in, by the number at the end of its id."""
    number = _NUMBER.search(qid)
    if number is None:
        raise ValueError(f"the query id {qid!r} ends with no number")
    return "odd" if int(number[0]) % 2 else "even"


def read_set(folder: Path) -> QuerySet:
    """Read a set. Raises OSError where a file is missing, ValueError where a grade is no number."""
    grades: dict[str, dict[str, int]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            grades.setdefault(row["qid"], {})[row["nct_id"]] = int(row["grade"])
    listed = folder / "universe.txt"
    universe = frozenset(listed.read_text("utf-8").split()) if listed.exists() else None
    return QuerySet(folder.name, read_queries(folder / "queries.tsv"), grades, universe)
