"""Score the answers to query sets with judgements; print one Markdown table.

    make relevance                                          all sets
    python bench/relevance/run.py --cache DIR               keep the index, and ask it again the next time
    python bench/relevance/run.py --cache DIR --rebuild     after a change to indexing
    python bench/relevance/run.py --sets typos,abbrev --write-runs DIR

Every set is asked as the engine is, without synonyms, without fuzzy names, and without both; each half (even
and odd numbers) and each kind of its queries has rows of its own. A figure that one half alone gains is luck.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

if __name__ == "__main__":
    # The bench's modules are a folder up, and one of them is called `run` too.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from tables import markdown

from relevance.asking import VARIANTS, index_options, opened, rankings, write_run
from relevance.scoring import mean, scores
from relevance.sets import SETS, QuerySet, read_set
from trialsearch import TrialSearch

__all__ = ["main"]

_HEADS = ["set", "part", "queries", "measure", *VARIANTS, "best peer", "perfect rewriting"]
# What readers of tables call the measures of ir_measures.
_NAMES = {"R@100": "recall@100", "RR@10": "MRR@10"}


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _rows(trials: TrialSearch, judged: QuerySet, runs: Path | None) -> Iterator[list[str]]:
    """Ask one set in every way; yield its rows."""
    kind = SETS[judged.name]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for variant, (synonyms, fuzzy) in VARIANTS.items():
        held = rankings(trials, judged.queries, synonyms, fuzzy)
        if runs is not None:
            name = variant.replace(" ", "-")
            write_run(runs / f"{judged.name}.{name}.run", name, held)
        found[variant] = scores(judged, held, kind.measures, kind.condensed)
    for part, qids in judged.parts():
        for measure in kind.measures:
            known = [kind.peers, kind.ceiling] if part == "all" else [{}, {}]
            yield [
                judged.name,
                part,
                str(len(qids)),
                _NAMES.get(measure, measure),
                *(_figure(mean(found[variant][measure], qids)) for variant in VARIANTS),
                *(f"{one[measure]:.2f}" if measure in one else "" for one in known),
            ]


def main(given: Sequence[str] | None = None) -> None:
    """Ask, score and print."""
    parser = argparse.ArgumentParser(description="Score the answers to query sets; print a Markdown table.")
    parser.add_argument("--sets", default=",".join(SETS), help=f"some of {','.join(SETS)} (all)")
    parser.add_argument("--write-runs", type=Path, metavar="DIR", help="write the rankings, in TREC's form")
    index_options(parser)
    wanted = parser.parse_args(given)
    names = [name for name in wanted.sets.split(",") if name]
    if unknown := [name for name in names if name not in SETS]:
        parser.error(f"no set {', '.join(unknown)}: {', '.join(SETS)}")
    if missing := [name for name in names if not (wanted.data / name).is_dir()]:
        parser.error(f"--data has no folder {', '.join(missing)}")
    if find_spec("ir_measures") is None:
        parser.error('ir_measures is not installed: pip install -e ".[bench]"')
    with opened(wanted) as (trials, _folder):
        rows = [
            row for name in names for row in _rows(trials, read_set(wanted.data / name), wanted.write_runs)
        ]
    print(markdown(_HEADS, rows))


if __name__ == "__main__":
    main()
