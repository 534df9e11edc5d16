"""Does the correction of names leave alone what is spelt right?

    python bench/relevance/unchanged.py --cache DIR [--queries FILE]...

Asks queries that nobody misspelt with fuzzy names and without, and prints how many of them find other trials,
or in another order, among the first hundred; then each of these with the words that were taken for others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":
    # The bench's modules are a folder up, and one of them is called `run` too.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from measure import Query
from run import read_queries
from tables import markdown

from relevance.asking import existing, index_options, opened, plain, rankings
from trialsearch import TrialSearch
from trialsearch.query import Best, children
from trialsearch.query import Query as Tree

__all__ = ["changed", "corrections", "main"]

_FIRST = 100
_WELL_SPELT = ("knownitem/queries.tsv", "speed_mix.tsv")


def changed(trials: TrialSearch, queries: Sequence[Query]) -> list[Query]:
    """Return the queries whose first hundred trials are others, or stand otherwise, without fuzzy names."""
    fuzzy = rankings(trials, queries, True, True, _FIRST)
    exact = rankings(trials, queries, True, False, _FIRST)
    return [query for query in queries if fuzzy[query.qid] != exact[query.qid]]


def corrections(query: Tree) -> Iterator[tuple[str, str]]:
    """Yield (typed, taken for) of the spellings that a query was widened by."""
    if isinstance(query, Best):
        yield from ((query.text, way.text) for way in query.ways if way.how == "spelling")
    for part in children(query):
        yield from corrections(part)


def main(given: Sequence[str] | None = None) -> None:
    """Ask, compare and print."""
    parser = argparse.ArgumentParser(description="Count the well-spelt queries that fuzzy names change.")
    parser.add_argument("--queries", type=existing, action="append", metavar="FILE",
        help=f"columns qid, kind, query; may be repeated ({', '.join(_WELL_SPELT)} of --data)")  # fmt: skip
    index_options(parser)
    wanted = parser.parse_args(given)
    files = wanted.queries or [wanted.data / name for name in _WELL_SPELT]
    with opened(wanted) as (trials, _folder):
        queries = [query for file in files for query in read_queries(file)]
        found = changed(trials, queries)
        rows = [
            [query.qid, query.kind, query.text, "; ".join(f"{typed} → {meant}" for typed, meant in taken)]
            for query in found
            for taken in [dict.fromkeys(corrections(trials.search(plain(query.text)).query))]
        ]
    print(f"{len(found)} of {len(queries)} well-spelt queries find other trials with fuzzy names.")
    if rows:
        print("\n" + markdown(["qid", "kind", "query", "taken for"], rows))


if __name__ == "__main__":
    main()
