"""Measure this engine beside others, in one run: the same documents, fields, weights and queries.

    make bench                                              everything that is installed, on the real records
    python bench/run.py --corpus xml --records 800          real XML, a short run
    python bench/run.py --corpus made:200000 --cache DIR    many records; they and the indexes are kept in DIR
    python bench/run.py --cache DIR --skip-build            ask the indexes that are there
    python bench/run.py --variant worn --engines ours,tantivy
    python bench/run.py --quick                             seconds: does it run at all

Each contestant (`contestants.py`) builds and answers in a process of its own; queries go to them in turns of
25, so that what else the machine does hits all of them alike. Prints Markdown, ready for README.md: absolute
times depend on the machine and its other load, the ratios much less.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import corpora
import made
from contestants import CONTESTANTS, INDEXES, OURS, chosen, left_out
from measure import Asked, Query, ask_all, build, cold_starts
from tables import Row, agreement, amount, filters, query_rows, ratios, table

__all__ = ["main", "read_queries"]

HERE = Path(__file__).resolve().parent
QUERIES = HERE / "queries.tsv"
COLD_QUERY = "lupus nephritis"
MB = 1e6
# The figures whose ratios are printed.
COMPARED = (
    "records/s, one process or writer thread",
    "records/s, on all cores",
    "records/s of the 57 fields alone",
    "processor ms a record, without reading",
    "most memory while building, MB",
    "index without stored records, MB",
    "index of the 57 fields alone, MB",
    "cold start, a search in a fresh process, ms",
    "most memory while asking, MB",
    *(f"{when}, all, {what}" for when in ("again", "first time") for what in ("median", "95th percentile")),
)
# Larger corpora are asked for all trials of every n-th query only: so many answers take their time.
_WHOLE_ANSWERS = 20_000


@dataclass(slots=True)
class Built:
    """An index, and what building it took: by job (`tantivy`, `tantivy-cores`) what `measure.build` tells.
    `sizes`: bytes of the whole, of stored records, of an index of the peers' fields alone; `segments`: 0
    where the engine has none to tell.
    """

    folder: str
    jobs: dict[str, dict[str, float]] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    segments: int = 0

    def measured(self, kind: str = "") -> dict[str, float]:
        """Return what the first job told, or that of this kind; {} where there was none."""
        return self.jobs.get(next(iter(self.jobs)) + kind, {})


def read_queries(path: Path) -> list[Query]:
    """Read a mix: tab-separated columns qid, kind and query, others left alone."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Query(row["qid"], row["kind"], row["query"]) for row in rows]


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Builder:
    """Builds the indexes of one corpus in one variant, and keeps beside each what it measured."""

    def __init__(self, place: Path, corpus: corpora.Corpus, variant: str, skip: bool) -> None:
        self._place = place / f"{corpus.key}-{variant}"
        self._corpus, self._variant, self._skip = corpus, variant, skip

    def get(self, name: str) -> Built:
        """Return an index: the one that is there, where building is to be skipped, else a new one."""
        note = self._place / f"{name}.json"
        if self._skip and note.exists():
            made = Built(**json.loads(note.read_text("utf-8")))
            # The cache may have been moved, or named from another folder.
            made.folder = str(self._place / Path(made.folder).name)
            return made
        made = self._make(name)
        note.write_text(json.dumps(asdict(made)), "utf-8")
        return made

    def _empty(self, name: str) -> Path:
        folder = self._place / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _run(self, job: str) -> tuple[Path, dict[str, float]]:
        folder = self._empty(job)
        return folder, build(job, folder, self._corpus.sources)

    def _try(self, job: str) -> dict[str, float]:
        """Run a job for its figures alone."""
        folder, measured = self._run(job)
        shutil.rmtree(folder)
        return measured

    def _make(self, name: str) -> Built:
        print(f"building {name} ...", file=sys.stderr)
        job = INDEXES[name].jobs.get(self._variant, name)
        folder, measured = self._run(job)
        # A worn index is read for twice and committed often: what that takes is no figure of anything.
        made = Built(str(folder), {job: measured if self._variant == "fresh" else {}})
        made.sizes["whole"] = size(folder)
        if name in _FINISH:
            _FINISH[name](self, made)
        return made

    def finish_ours(self, made: Built) -> None:
        """Note what is inside an index of ours, and how large it is with nothing but the peers' fields."""
        import ours

        if self._variant == "fresh":
            made.jobs["ours-cores"] = self._try("ours-cores")
            if ours.segments(Path(made.folder)) > 1:
                made.jobs["ours-merge"] = build("ours-merge", Path(made.folder), [])
                made.sizes["whole"] = size(Path(made.folder))
        made.segments = ours.segments(Path(made.folder))
        made.sizes["records"] = ours.stored(Path(made.folder))
        if self._variant == "fresh":
            source, _ = self._run("prune")
            folder = self._empty("ours-pruned")
            made.jobs["ours-pruned"] = build("ours-plain", folder, [source / "pruned.jsonl.gz"])
            made.sizes["pruned"] = size(folder) - ours.stored(folder)
            shutil.rmtree(source)
            shutil.rmtree(folder)

    def finish_tantivy(self, made: Built) -> None:
        """Build once more with all cores, and once more where the first has several segments, for asking."""
        import peer_tantivy

        if self._variant == "fresh":
            made.jobs["tantivy-cores"] = self._try("tantivy-cores")
            if peer_tantivy.segments(Path(made.folder)) > 1:
                shutil.rmtree(made.folder)
                folder, _ = self._run("tantivy-whole")
                made.folder, made.sizes["whole"] = str(folder), size(folder)
        made.segments = peer_tantivy.segments(Path(made.folder))

    def reading(self) -> dict[str, float]:
        """Return what reading alone takes: the records and the fields that peers get."""
        note = self._place / "read.json"
        if self._skip and note.exists():
            return dict(json.loads(note.read_text("utf-8")))
        measured = self._try("read")
        note.write_text(json.dumps(measured), "utf-8")
        return measured


_FINISH: dict[str, Callable[[Builder, Built], None]] = {
    OURS: Builder.finish_ours,
    "tantivy": Builder.finish_tantivy,
}


def _of(built: dict[str, Built], value: Callable[[Built], float | None]) -> dict[str, float]:
    """Return a value of each index under the name of the first contestant that asks it, where it has one."""
    first = {one.index: name for name, one in reversed(CONTESTANTS.items())}
    values = {first[name]: value(made) for name, made in built.items()}
    return {name: held for name, held in values.items() if held}


def build_rows(built: dict[str, Built], reading: dict[str, float]) -> list[Row]:
    """Return the rows of building and of sizes on disk."""
    records = reading["records"]

    def rate(measured: dict[str, float]) -> float | None:
        return records / measured["seconds"] if measured else None

    def busy(made: Built) -> float:
        return 1000 * made.measured().get("processor", 0.0) / records

    def peers_fields(made: Built) -> float | None:
        peer = "records" not in made.sizes
        return made.sizes.get("pruned", made.sizes["whole"] if peer else 0.0) / MB

    def peers_rate(made: Built) -> float | None:
        ours = "records" in made.sizes
        return rate(made.jobs.get("ours-pruned", {}) if ours else made.measured())

    def alone(made: Built) -> float | None:
        left = busy(made) - 1000 * reading["processor"] / records
        # A corpus of a few records: what is left is less than the noise.
        return left if left > 0 else None

    # A row of each: how it is called, and its value for an index.
    wanted: dict[str, Callable[[Built], float | None]] = {
        "records/s, one process or writer thread": lambda it: rate(it.measured()),
        "records/s, on all cores": lambda it: rate(it.measured("-cores")),
        "records/s of the 57 fields alone": peers_rate,
        "processor ms a record": busy,
        "processor ms a record, without reading": alone,
        "most memory while building, MB": lambda it: it.measured().get("memory", 0) / MB,
        "most memory while building on all cores, MB": lambda it: it.measured("-cores").get("memory", 0) / MB,
        "index, MB": lambda it: it.sizes["whole"] / MB,
        "index without stored records, MB": lambda it: (it.sizes["whole"] - it.sizes.get("records", 0)) / MB,
        "index of the 57 fields alone, MB": peers_fields,
        "segments": lambda it: it.segments or None,
    }
    return [Row(label, _of(built, value)) for label, value in wanted.items()]


def memory_rows(asked: dict[str, Asked], starts: dict[str, float]) -> list[Row]:
    """Return the rows of starting, and of memory while asking."""
    return [
        Row("opening and a first answer, ms", {name: 1000 * one.opening for name, one in asked.items()}),
        Row("cold start, a search in a fresh process, ms", {n: 1000 * starts[n] for n in asked}),
        *(
            Row(label, {n: one.memory[key] / MB for n, one in asked.items() if key in one.memory})
            for label, key in (
                ("most memory while asking, MB", "most"),
                ("memory after asking, without mapped files, MB", "own"),
            )
        ),
    ]


def machine(names: Iterable[str]) -> str:
    """Return what the run ran on and the versions of the engines, in a line; no names and no paths."""
    model = platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        named = [line for line in listed.read_text("utf-8").splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    from trialindex.kernel import described

    said = [f"Python {platform.python_version()}"]
    for name in names:
        if name == OURS:
            said.append(f"trialsearch with {described()}")
            continue
        try:
            said.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            said += [f"SQLite {sqlite3.sqlite_version}"] if name == "fts5" else []
    return (
        f"{datetime.datetime.now(tz=datetime.UTC).date()}; {model}, {os.cpu_count()} cores, "
        f"{os.getloadavg()[0]:.1f} of them busy at the start; {', '.join(said)}"
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no count: 1 or more")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure trialsearch beside other engines; print Markdown.")
    add = parser.add_argument
    mix = corpora.SHARED / "eval" / "speed_mix.tsv"
    add("--corpus", default="real", help="real, xml, sample, made:N, or a file or folder (real)")
    add("--records", type=_count, metavar="N", help="so many records of the corpus, evenly chosen")
    add("--engines", default=",".join(INDEXES), help=f"some of {','.join(INDEXES)} (all that are installed)")
    add("--queries", type=Path, default=mix if mix.exists() else QUERIES, metavar="FILE",
        help="columns qid, kind, query")  # fmt: skip
    add("--rounds", type=_count, default=3, help="times that each query is asked again (3)")
    add("--cold", type=_count, default=5, metavar="N", help="fresh processes for the cold start (5)")
    add("--variant", choices=("fresh", "worn"), default="fresh", help="worn: segments, deletions, updates")
    add("--cache", type=Path, metavar="DIR", help="keep made records and indexes here")
    add("--skip-build", action="store_true", help="ask the indexes in the cache that are there")
    add("--quick", action="store_true", help="the sample corpus, every fifth query, once: does it run")
    return parser


def _taking_part(parser: argparse.ArgumentParser, wanted: argparse.Namespace) -> list[str]:
    """Return the engines to measure; say of the others why not."""
    names = chosen(wanted.engines)
    if unknown := [name for name in names if name not in INDEXES]:
        parser.error(f"no engine {', '.join(unknown)}: {', '.join(INDEXES)}")
    reasons = {name: left_out(name, wanted.variant) for name in names}
    for reason in filter(None, reasons.values()):
        print(f"left out: {reason}", file=sys.stderr)
    there = [name for name, reason in reasons.items() if not reason]
    if not there:
        parser.error("none of these engines is here")
    return there


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = _parser()
    wanted = parser.parse_args(given)
    if wanted.quick:
        wanted.corpus, wanted.queries, wanted.rounds, wanted.cold = "sample", QUERIES, 1, 1
    if wanted.skip_build and not wanted.cache:
        parser.error("--skip-build needs the --cache that the indexes are in")
    engines = _taking_part(parser, wanted)
    queries = read_queries(wanted.queries)[:: 5 if wanted.quick else 1]
    on = machine(engines)
    with tempfile.TemporaryDirectory(prefix="trialsearch-bench-") as temporary:
        place = wanted.cache or Path(temporary)
        try:
            corpus = corpora.find(wanted.corpus, place / "corpora")
        except ValueError as error:
            parser.error(str(error))
        if corpus.made:
            made.make(corpus.made, corpus.sources[0], corpora.base())
        if wanted.records:
            corpus = corpora.subset(corpus, wanted.records, place)
        builder = Builder(place / "indexes", corpus, wanted.variant, wanted.skip_build)
        _measure(wanted, builder, engines, queries, f"Measured {on}.\nCorpus: {corpus.name}")


def _measure(
    wanted: argparse.Namespace, builder: Builder, engines: Sequence[str], queries: Sequence[Query], head: str
) -> None:
    """Build, ask, and print, from a first line and the name of the corpus on."""
    reading = builder.reading()
    records = int(reading["records"])
    built = {name: builder.get(name) for name in engines}
    folders = {name: Path(built[one.index].folder) for name, one in CONTESTANTS.items() if one.index in built}
    every = max(1, records // _WHOLE_ANSWERS)
    asked = ask_all(folders, queries, wanted.rounds, every)
    starts = cold_starts(folders, COLD_QUERY, wanted.cold)
    rows = [*build_rows(built, reading), *memory_rows(asked, starts)]
    times = query_rows(asked, queries)
    whole = f" Asked for all trials: every {every}th query." if every > 1 else ""
    print(
        f"{head}, {records:,} trials; {wanted.variant} indexes.\n"
        f"Reading alone: {records / reading['seconds']:,.0f} records/s, "
        f"{1000 * reading['processor'] / records:.2f} processor ms a record.\n"
        f"{len(queries)} queries; rounds after the first: {wanted.rounds}.{whole}\n"
        f"Bare python starts and ends in {amount(1000 * starts['python'])} ms, "
        f"with click and numpy imported in {amount(1000 * starts['imports'])} ms."
    )
    names = list(asked)
    _print("Building, starting, memory", table([row for row in rows if row.values], names))
    _print("Times of queries, ms", table(times, names))
    if OURS in built and len(built) > 1:
        compared = [row for row in (*rows, *times) if row.label in COMPARED]
        _print("This engine beside each", ratios(compared, names))
    if "filtered" in asked:
        _print("With filters", filters([row for row in times if row.label in COMPARED]))
    if len(names) > 1:
        _print("Agreement", agreement(asked))


def _print(title: str, text: str) -> None:
    print(f"\n**{title}**\n\n{text}")


if __name__ == "__main__":
    main()
