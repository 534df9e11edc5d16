"""Measure this engine beside a peer, in one run: the same documents, fields, weights and queries.

    make bench                                           everything, on the real records or else the sample
    python bench/run.py --records 800                    a short run
    python bench/run.py --index DIR                      queries on an index that is there already
    python bench/run.py --corpus FILE... --queries FILE  other records, other queries
    python bench/run.py --quick                          does it run at all

Each contestant (`engines.py`) builds and answers in a process of its own; queries go to them in turns, so
that what else the machine does hits all of them alike. Prints Markdown, ready for README.md: absolute times
depend on the machine and its other load, the ratios much less.

>>> percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5), percentile([float(n) for n in range(1, 61)], 0.95)
(3.0, 57.0)
>>> [amount(value) for value in (0.1234, 2.345, 45.67, 1234.5)]
['0.12', '2.3', '46', '1,234']
>>> overlap(["a", "b", "c"], ["c", "a"]), overlap([], ["a"]), overlap([], [])
(0.6666666666666666, 0.0, None)
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import math
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import corpora
from engines import ENGINES, TOP

__all__ = ["amount", "main", "overlap", "percentile"]

HERE = Path(__file__).resolve().parent
QUERIES = HERE / "queries.tsv"
KINDS = ("cond", "intr", "cond+intr", "free")
COLD_QUERY = "lupus nephritis"
MB = 1e6
# The columns of the table: contestant -> heading. The last one is what the others are divided by.
COLUMNS = {"trialsearch": "trialsearch", "plain": "without help", "fts5": "SQLite FTS5"}
PEER = "fts5"
# Which contestants build an index of their own; the other one asks the first one's.
BUILT = {"trialsearch": "trialsearch", "plain": "trialsearch", "fts5": "fts5"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the mix; `kind` is cond, intr, cond+intr or free."""

    qid: str
    kind: str
    text: str


@dataclass(slots=True)
class Asked:
    """What one contestant needed and found: seconds of each query's first time, and of each later one; its
    best trials, and all of them.
    """

    opening: float = 0.0
    memory: float = 0.0
    first: dict[str, float] = field(default_factory=dict)
    warm: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, set[str]] = field(default_factory=dict)

    def warm_times(self) -> dict[str, float]:
        """Return the median seconds of each query, by its id."""
        return {qid: statistics.median(times) for qid, times in self.warm.items()}


@dataclass(slots=True)
class Row:
    """A row of the table: what, the unit, and the value of each contestant that has one."""

    label: str
    values: dict[str, float]


def read_queries(path: Path) -> list[Query]:
    """Read a mix: tab-separated columns qid, kind and query, others left alone."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Query(row["qid"], row["kind"], row["query"]) for row in rows]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def amount(value: float) -> str:
    """Return a number with two figures that count, or whole."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def overlap(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Return the share of trials in both of two top lists, by the longer one; None where both are empty."""
    longest = max(len(one), len(other))
    return len(set(one) & set(other)) / longest if longest else None


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(HERE / "engines.py"), *map(str, arguments)]


def run_child(*arguments: str | Path) -> dict[str, float]:
    """Run one command of `engines.py` in a process of its own, and return what it measured."""
    done = subprocess.run(_command(*arguments), stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


class Answerer:
    """A contestant in a process of its own, open for queries."""

    def __init__(self, name: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            _command("ask", name, folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.asked = Asked(opening=self._line()["seconds"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def _say(self, query: Query, limit: int | None) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([query.text, limit]) + "\n")
        self._process.stdin.flush()
        return self._line()

    def ask(self, query: Query) -> None:
        """Ask one query and keep how long it took."""
        said = self._say(query, TOP)
        self.asked.memory = said["memory"]
        if query.qid in self.asked.first:
            self.asked.warm.setdefault(query.qid, []).append(said["seconds"])
        else:
            self.asked.first[query.qid] = said["seconds"]
            self.asked.answers[query.qid] = [key for key, _score in said["answer"]]

    def ask_all(self, query: Query) -> None:
        """Ask for every trial that one query finds; not timed."""
        self.asked.found[query.qid] = {key for key, _score in self._say(query, None)["answer"]}

    def __enter__(self) -> Answerer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.wait()


def ask_all(folders: dict[str, Path], queries: list[Query], rounds: int) -> dict[str, Asked]:
    """Ask every contestant every query in turns: once, then so many times more, then for all it finds."""
    with ExitStack() as stack:
        answerers = {name: stack.enter_context(Answerer(name, folders[BUILT[name]])) for name in COLUMNS}
        for _round in range(rounds + 1):
            for query in queries:
                for answerer in answerers.values():
                    answerer.ask(query)
        for query in queries:
            for answerer in answerers.values():
                answerer.ask_all(query)
    return {name: answerer.asked for name, answerer in answerers.items()}


def cold_starts(folders: dict[str, Path], runs: int) -> dict[str, float]:
    """Return the median seconds that a fresh process needs to answer, by contestant, and bare python's."""
    commands = {name: ENGINES[name].cold(folders[BUILT[name]], COLD_QUERY) for name in COLUMNS}
    commands["python"] = [sys.executable, "-c", ""]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _run in range(runs):
        for name, command in commands.items():
            start = perf_counter()
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            times[name].append(perf_counter() - start)
            # As with grep, 1 says that nothing was found.
            if done.returncode not in (0, 1):
                raise SystemExit(f"{' '.join(command[1:5])}: {done.stderr.strip()}")
    return {name: statistics.median(held) for name, held in times.items() if held}


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def build_all(corpus: corpora.Corpus, folders: dict[str, Path]) -> tuple[int, list[Row]]:
    """Build every index from the raw sources; return the number of records and the rows of it."""
    reading = run_child("read", *corpus.sources)
    built = {name: run_child("build", name, folder, *corpus.sources) for name, folder in folders.items()}
    records = int(reading["records"])

    def of(work: Any) -> dict[str, float]:
        return {name: work(measured) for name, measured in built.items()}

    return records, [
        Row("records/s, raw files to a searchable index", of(lambda it: records / it["seconds"])),
        Row(
            "records/s, without reading the files",
            # A clock stood inside where it could; else reading is taken to cost what it cost on its own.
            of(lambda it: records / max(it["seconds"] - it.get("reading", reading["seconds"]), 1e-3)),
        ),
        Row("most memory while building, MB", of(lambda it: it["memory"] / MB)),
        Row("records/s, reading alone", {"trialsearch": records / reading["seconds"]}),
    ]


def query_rows(asked: dict[str, Asked]) -> list[Row]:
    """Return the rows of query times and memory."""
    rows: list[Row] = []
    for label, times in (
        ("query again", {name: list(one.warm_times().values()) for name, one in asked.items()}),
        ("query for the first time", {name: list(one.first.values()) for name, one in asked.items()}),
    ):
        for figure, share in (("median", 0.5), ("95th percentile", 0.95), ("slowest", 1.0)):
            values = {name: 1000 * percentile(held, share) for name, held in times.items()}
            rows.append(Row(f"{label}, {figure}, ms", values))
    rows.append(
        Row("opening and a first answer, ms", {name: 1000 * one.opening for name, one in asked.items()})
    )
    rows.append(Row("most memory while asking, MB", {name: one.memory / MB for name, one in asked.items()}))
    return rows


def kind_rows(asked: dict[str, Asked], queries: list[Query]) -> list[Row]:
    """Return a row of median times for each kind of query."""
    kinds = {query.qid: query.kind for query in queries}
    return [
        Row(
            f"query again, {kind}, median, ms",
            {
                name: 1000 * percentile([t for qid, t in one.warm_times().items() if kinds[qid] == kind], 0.5)
                for name, one in asked.items()
            },
        )
        for kind in dict.fromkeys((*KINDS, *kinds.values()))
        if kind in kinds.values()
    ]


def size_rows(folders: dict[str, Path]) -> tuple[int, list[Row]]:
    """Return the number of trials and the rows of sizes on disk."""
    ours = folders["trialsearch"]
    stored = run_child("stored", ours)
    without = {"trialsearch": (size(ours) - stored["packed"]) / MB, PEER: size(folders[PEER]) / MB}
    return int(stored["trials"]), [
        Row("index without the stored records, MB", without),
        Row("stored records, MB", {"trialsearch": stored["packed"] / MB}),
        Row("the same as JSON, MB", {"trialsearch": stored["plain"] / MB}),
    ]


def agreement(asked: dict[str, Asked]) -> list[Row]:
    """Return how far each contestant finds what the peer finds: mean over the queries that find something."""
    peer = asked[PEER]
    top: dict[str, float] = {}
    whole: dict[str, float] = {}
    for name in COLUMNS:
        if name == PEER:
            continue
        one = asked[name]
        tops = [overlap(answer, peer.answers[qid]) for qid, answer in one.answers.items()]
        both = [
            len(found & peer.found[qid]) / len(found | peer.found[qid])
            for qid, found in one.found.items()
            if found | peer.found[qid]
        ]
        top[name] = statistics.mean(share for share in tops if share is not None)
        whole[name] = statistics.mean(both)
    return [
        Row(f"overlap@{TOP} with the peer's answers", top),
        Row("of the trials that either finds, found by both", whole),
    ]


def table(rows: Iterable[Row]) -> str:
    """Return rows as a Markdown table, with each contestant's value divided by the peer's."""
    own = [name for name in COLUMNS if name != PEER]
    heads = ["figure", *COLUMNS.values(), *(f"{COLUMNS[name]} / {COLUMNS[PEER]}" for name in own)]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in rows:
        cells = [amount(row.values[name]) if name in row.values else "" for name in COLUMNS]
        peer = row.values.get(PEER)
        ratios = [amount(row.values[name] / peer) if peer and name in row.values else "" for name in own]
        lines.append("| " + " | ".join([row.label, *cells, *ratios]) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Return what the run ran on, in a line; no names and no paths."""
    model = platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        named = [line for line in listed.read_text("utf-8").splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    return (
        f"{datetime.datetime.now(tz=datetime.UTC).date()}; {model}, {os.cpu_count()} cores, "
        f"{os.getloadavg()[0]:.1f} of them busy at the start; Python {platform.python_version()}, "
        f"Whoosh {version('whoosh')}, SQLite {sqlite3.sqlite_version}"
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no count: 1 or more")
    return number


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure trialsearch beside SQLite FTS5; print Markdown.")
    add = parser.add_argument
    add("--corpus", nargs="+", type=Path, default=[], metavar="SOURCE", help="records to build from")
    add("--records", type=_count, metavar="N", help="so many records of the corpus, evenly chosen")
    add("--index", type=Path, metavar="DIR", help="ask this index of ours; the peer gets its trials")
    add("--queries", type=Path, default=QUERIES, metavar="FILE", help="columns qid, kind, query")
    add("--rounds", type=_count, default=3, help="times that each query is asked again (3)")
    add("--cold", type=_count, default=5, metavar="N", help="fresh processes for the cold start (5)")
    add("--quick", action="store_true", help="the sample corpus, every fifth query, once: does it run")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    wanted = _arguments(given)
    queries = read_queries(wanted.queries)
    rounds, cold = wanted.rounds, wanted.cold
    if wanted.quick:
        queries, rounds, cold = queries[::5], 1, 1
    on = machine()
    with tempfile.TemporaryDirectory(prefix="trialsearch-bench-") as made:
        place = Path(made)
        folders = {name: place / name for name in dict.fromkeys(BUILT.values())}
        for folder in folders.values():
            folder.mkdir()
        corpus = corpora.find(wanted.corpus, sample=wanted.quick)
        if wanted.records:
            corpus = corpora.subset(corpus, wanted.records, place)
        records, build = build_all(corpus, folders)
        built = f"{corpus.name} ({records:,} records)"
        if wanted.index:
            folders = {"trialsearch": wanted.index, PEER: place / "fed"}
            folders[PEER].mkdir()
            run_child("feed", PEER, folders[PEER], wanted.index)
        trials, sizes = size_rows(folders)
        asked = ask_all(folders, queries, rounds)
        starts = cold_starts(folders, cold)

    python = 1000 * starts.pop("python")
    rows = [
        *build,
        *sizes,
        *query_rows(asked),
        *kind_rows(asked, queries),
        Row(f"cold start, a search in a fresh process, ms (bare python: {amount(python)})",
            {name: 1000 * seconds for name, seconds in starts.items()}),
        *agreement(asked),
    ]  # fmt: skip
    print(f"Measured {on}.")
    print(f"Built: {built}.")
    print(f"Asked: {trials:,} trials, {len(queries)} queries; rounds after the first: {rounds}.\n")
    print(table(rows))


if __name__ == "__main__":
    main()
