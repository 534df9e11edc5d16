"""The engine asked as a person asks who types nothing but words.

The queries of the sets are words, and some of them the query language would read otherwise: `ALL` is every
trial there, parentheses group. `plain` puts backslashes before these, as the page of the query language tells
who means the word itself; a person would also write `ALL leukemia`, `cond:ALL` or leave the parentheses off.

>>> plain("ALL"), plain("leukemia (CLL) HER2"), plain("and so on")
('\\\\ALL', 'leukemia \\\\(CLL\\\\) HER2', 'and so on')
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import ours
from measure import Query

from relevance.sets import DATA
from trialindex.contents import exists
from trialsearch import TrialSearch
from trialsearch.query import Words

__all__ = ["LIMIT", "VARIANTS", "existing", "index_options", "opened", "plain", "rankings", "write_run"]

LIMIT = 1000
# How it is asked -> whether with synonyms, whether with fuzzy names.
VARIANTS: dict[str, tuple[bool, bool]] = {
    "as it is": (True, True),
    "synonyms off": (False, True),
    "fuzzy off": (True, False),
    "both off": (False, False),
}
_RECORDS = "records.jsonl.gz"


def plain(text: str) -> str:
    """Return the words of a text as a query in which none of them is an operator."""
    return str(Words(text))


def rankings(
    trials: TrialSearch, queries: Iterable[Query], synonyms: bool, fuzzy: bool, limit: int = LIMIT
) -> dict[str, list[str]]:
    """Return query id -> trial ids, best first, trials that have only some of the words last."""
    return {
        query.qid: [
            hit.id for hit in trials.search(plain(query.text), limit=limit, synonyms=synonyms, fuzzy=fuzzy)
        ]
        for query in queries
    }


def write_run(path: Path, name: str, held: Mapping[str, Sequence[str]]) -> None:
    """Write rankings in TREC's form: query id, Q0, trial, rank, score, name of the run.

    The scores only tell the order, so that every tool reads the ranking that a person would see.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        f"{qid} Q0 {trial} {place} {len(ranking) - place + 1} {name}\n"
        for qid, ranking in held.items()
        for place, trial in enumerate(ranking, 1)
    )
    path.write_text("".join(lines), "utf-8")


def existing(text: str) -> Path:
    """Return the path of a file; for `argparse`, which tells the user where there is none."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no file {text}")
    return path


def index_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is asked: `--data`, `--cache`, `--rebuild`."""
    add = parser.add_argument
    add("--data", type=Path, default=DATA, metavar="DIR", help=f"{_RECORDS} and the folders of the sets")
    add("--cache", type=Path, metavar="DIR", help="keep the index here, and ask the one that is there")
    add("--rebuild", action="store_true", help="index anew what the cache has: after a change to indexing")


@contextmanager
def opened(wanted: argparse.Namespace) -> Iterator[tuple[TrialSearch, Path]]:
    """Give the engine over the records, and the folder of its index, which is built where there is none.

    Ends the process where the records are not there.
    """
    records = wanted.data / _RECORDS
    if not records.exists():
        raise SystemExit(f"no records to ask: {_RECORDS} and the query sets are looked for in --data")
    with tempfile.TemporaryDirectory(prefix="trialsearch-relevance-") as temporary:
        folder = (wanted.cache or Path(temporary)) / "index"
        if wanted.rebuild:
            shutil.rmtree(folder, ignore_errors=True)
        if not exists(folder):
            print("indexing ...", file=sys.stderr)
            ours.build([records], folder, None)
        with TrialSearch.open(folder) as trials:
            yield trials, folder
