"""The contestants, and the process that each is measured in.

A contestant builds from the raw sources, takes studies that another index holds (`feed`), and answers a
query with ids and scores, best first. All of them hold the same fields with the same weights: those of the
area BasicSearch, which plain words ask.

    python bench/engines.py read SOURCE...                     what reading alone takes
    python bench/engines.py build ENGINE FOLDER SOURCE...      raw sources to a searchable index
    python bench/engines.py feed ENGINE FOLDER INDEX           the trials of an index of ours
    python bench/engines.py stored INDEX                       how large the stored records are
    python bench/engines.py ask ENGINE FOLDER                  lines of JSON [query, limit] on standard input

Every command prints JSON: what took how many seconds, and the most memory that this process held.
"""

from __future__ import annotations

import json
import re
import resource
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

__all__ = ["ENGINES", "Engine", "match_expression"]

Answer = list[tuple[str, float]]
Study = dict[str, Any]
# A query and the number of trials wanted, None for all of them.
Ask = Callable[[str, int | None], Answer]

TOP = 10
# Asked once before the clock starts, so that what an engine loads on its first query is not a query's time.
OPENING = "asthma"
# The unit of ru_maxrss.
_MAXRSS = 1 if sys.platform == "darwin" else 1024


class Engine(Protocol):
    """A contestant."""

    def build(self, sources: list[Path], folder: Path) -> float | None:
        """Make a searchable index of raw sources in an empty folder; return how many seconds of it went
        into reading the files, if that can be told from inside.
        """

    def feed(self, studies: Iterable[tuple[str, Study]], folder: Path) -> None:
        """Make a searchable index of (id, study) in an empty folder."""

    def open(self, folder: Path) -> Ask:
        """Return what answers a query with its best trials, of those that have all its words."""

    def cold(self, folder: Path, query: str) -> list[str]:
        """Return a command that starts, answers a query with three trials, and ends."""


@dataclass(frozen=True, slots=True)
class Ours:
    """This engine through its public interface, with synonyms and fuzzy names or without."""

    help: bool

    def build(self, sources: list[Path], folder: Path) -> None:
        from trialindex import build

        build(sources, folder)  # reads and writes in one: the time of reading is not seen from here

    def feed(self, studies: Iterable[tuple[str, Study]], folder: Path) -> None:
        from trialindex.storage import Writer

        with Writer(folder) as writer:
            for key, study in studies:
                writer.put(key, study)

    def open(self, folder: Path) -> Ask:
        from trialsearch import TrialSearch

        trials = TrialSearch.open(folder)

        def ask(query: str, limit: int | None) -> Answer:
            results = trials.search(query, limit=limit, synonyms=self.help, fuzzy=self.help)
            return [(hit.id, hit.score) for hit in results if not hit.partial]

        return ask

    def cold(self, folder: Path, query: str) -> list[str]:
        off = [] if self.help else ["--no-synonyms", "--no-fuzzy"]
        return [
            sys.executable, "-m", "trialsearch", "search", query, "--index", str(folder), "--limit", "3", *off
        ]  # fmt: skip


# SQLite counts a rank from 0 downwards: the best is the least.
_TOP = "SELECT rowid, rank FROM trial WHERE trial MATCH ? ORDER BY rank LIMIT ?"
_COLD = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
for (key,) in base.execute("SELECT key FROM (SELECT rowid AS n, rank AS r FROM trial WHERE trial MATCH ? "
                           "ORDER BY rank LIMIT 3) JOIN ids ON ids.rowid = n ORDER BY r", sys.argv[2:]):
    print(key)
"""


class Fts5:
    """SQLite's full-text index: a column a field, bm25 with the area's weights, stemmed by Porter.

    The text itself is not kept (a contentless table), nor are the records.
    """

    def build(self, sources: list[Path], folder: Path) -> float:
        seen: set[str] = set()
        reading = 0.0

        def studies() -> Iterator[tuple[str, Study]]:
            nonlocal reading
            start = perf_counter()
            for key, study in read_studies(sources):
                reading += perf_counter() - start
                # Of a trial in several sources the first is taken: merging them is none of SQLite's business.
                if key not in seen:
                    seen.add(key)
                    yield key, study
                start = perf_counter()
            reading += perf_counter() - start

        self.feed(studies(), folder)
        return reading

    def feed(self, studies: Iterable[tuple[str, Study]], folder: Path) -> None:
        from trialindex.document import Document, code_text
        from trialindex.fields import AREAS

        weights = AREAS["BasicSearch"]
        base = sqlite3.connect(folder / "fts5.db")
        base.execute("CREATE TABLE ids (key TEXT)")
        base.execute(
            f"CREATE VIRTUAL TABLE trial USING fts5({', '.join(weights)}, content='', "
            "tokenize='porter unicode61 remove_diacritics 2')"
        )
        ranked = f"bm25({', '.join(str(weight) for weight in weights.values())})"
        base.execute("INSERT INTO trial(trial, rank) VALUES ('rank', ?)", (ranked,))
        insert = f"INSERT INTO trial(rowid, {', '.join(weights)}) VALUES (?{', ?' * len(weights)})"
        for number, (key, study) in enumerate(studies, 1):
            document = Document.of(study)
            said = {name: [code_text(code) for code in held] for name, held in document.codes.items()}
            values = document.text | said
            base.execute("INSERT INTO ids(rowid, key) VALUES (?, ?)", (number, key))
            base.execute(insert, (number, *("\n".join(values.get(name, ())) for name in weights)))
        base.execute("INSERT INTO trial(trial) VALUES ('optimize')")
        base.commit()
        base.execute("VACUUM")
        base.close()

    def open(self, folder: Path) -> Ask:
        base = sqlite3.connect(folder / "fts5.db")

        def ask(query: str, limit: int | None) -> Answer:
            expression = match_expression(query)
            if not expression:
                return []
            found = base.execute(_TOP, (expression, -1 if limit is None else limit)).fetchall()
            return [
                (base.execute("SELECT key FROM ids WHERE rowid = ?", (row,)).fetchone()[0], -rank)
                for row, rank in found
            ]

        return ask

    def cold(self, folder: Path, query: str) -> list[str]:
        return [sys.executable, "-c", _COLD, str(folder / "fts5.db"), match_expression(query)]


def match_expression(query: str) -> str:
    """Return a query's words as SQLite's AND of them, each quoted, so that none is an operator.

    >>> match_expression("anti-PD-1 OR placebo")
    '"anti" "PD" "1" "OR" "placebo"'
    >>> match_expression("--")
    ''
    """
    return " ".join(f'"{word}"' for word in re.findall(r"[^\W_]+", query))


ENGINES: dict[str, Engine] = {"trialsearch": Ours(True), "plain": Ours(False), "fts5": Fts5()}


def read_studies(sources: Iterable[Path]) -> Iterator[tuple[str, Study]]:
    """Yield (id, study) of every record of raw sources."""
    from trialindex import merge
    from trialindex.formats import read_items
    from trialindex.formats.record import SourceRecord

    for source in sources:
        for item in read_items(source):
            if isinstance(item, SourceRecord):
                yield merge.trial_id(item.study), item.study


def _memory() -> int:
    """Return the most memory that this process held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS


def _read(*sources: str) -> dict[str, float]:
    start = perf_counter()
    records = sum(1 for _ in read_studies(map(Path, sources)))
    return {"seconds": perf_counter() - start, "records": records}


def _build(name: str, folder: str, *sources: str) -> dict[str, float]:
    start = perf_counter()
    reading = ENGINES[name].build([Path(source) for source in sources], Path(folder))
    measured = {"seconds": perf_counter() - start}
    return measured if reading is None else measured | {"reading": reading}


def _feed(name: str, folder: str, index: str) -> dict[str, float]:
    from trialindex.storage import stored_studies

    start = perf_counter()
    ENGINES[name].feed(stored_studies(Path(index)), Path(folder))
    return {"seconds": perf_counter() - start}


def _stored(index: str) -> dict[str, float]:
    from trialindex.storage import pack, stored_studies

    trials = packed = plain = 0
    for _key, study in stored_studies(Path(index)):
        trials += 1
        packed += len(pack(study))
        plain += len(json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode())
    return {"trials": trials, "packed": packed, "plain": plain}


def _ask(name: str, folder: str) -> dict[str, float]:
    start = perf_counter()
    ask = ENGINES[name].open(Path(folder))
    ask(OPENING, TOP)
    print(json.dumps({"seconds": perf_counter() - start}), flush=True)
    for line in sys.stdin:
        query, limit = json.loads(line)
        start = perf_counter()
        answer = ask(query, limit)
        seconds = perf_counter() - start
        print(json.dumps({"seconds": seconds, "memory": _memory(), "answer": answer}), flush=True)
    return {}


_COMMANDS: dict[str, Callable[..., dict[str, float]]] = {
    "read": _read,
    "build": _build,
    "feed": _feed,
    "stored": _stored,
    "ask": _ask,
}

if __name__ == "__main__":
    print(json.dumps(_COMMANDS[sys.argv[1]](*sys.argv[2:]) | {"memory": _memory()}))
