"""Measuring: builds, questions and cold starts, each in a process of its own, seen from outside.

Memory comes from /proc, so those figures are there on Linux only: while building, the resident pages of the
whole process tree, summed every 20 ms (pages that processes share count in each); while asking, the most
resident pages of the one process, mapped files included, and what of them no file backs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

from contestants import CONTESTANTS, Contestant
from words import TOP

__all__ = ["Asked", "Query", "ask_all", "build", "cold_starts", "resident"]

HERE = Path(__file__).resolve().parent
_PROC = Path("/proc")
_EVERY = 0.02
# Queries that a contestant is asked before the next one's turn: few enough that what else the machine does
# hits all alike, many enough that nobody pays for the others' having emptied the processor's caches. So many
# questions, and their answers, fit into a pipe.
_TURN = 25


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the mix; `kind` is cond, intr, cond+intr or free."""

    qid: str
    kind: str
    text: str


@dataclass(slots=True)
class Asked:
    """What one contestant needed and found: seconds of each query's first time, and of each later one; its
    best trials, and all of them; bytes of memory, at most and without mapped files (absent off Linux).
    """

    opening: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    later: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, set[str]] = field(default_factory=dict)

    def again(self) -> dict[str, float]:
        """Return the median seconds of each query after its first time, by its id."""
        return {qid: statistics.median(times) for qid, times in self.later.items()}


def _status(process: int) -> dict[str, float]:
    """Return the memory of a process in bytes by the names that /proc has for it; {} where there is none."""
    try:
        lines = (_PROC / str(process) / "status").read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines if line.endswith(" kB"))
    return {name.removesuffix(":"): 1024 * float(value) for name, value, _unit in pairs}


def _children(process: int) -> list[int]:
    found: list[int] = []
    for listed in (_PROC / str(process) / "task").glob("*/children"):
        try:
            found += map(int, listed.read_text("utf-8").split())
        except OSError:
            continue
    return found


def resident(process: int) -> float:
    """Return the resident bytes of a process and all that it started; 0 where nothing can be seen."""
    return _status(process).get("VmRSS", 0.0) + sum(map(resident, _children(process)))


class _Watch:
    """Samples the memory of a process tree until it is told to stop."""

    def __init__(self, process: int) -> None:
        self.most = 0.0
        self._process, self._stop = process, Event()
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            self.most = max(self.most, resident(self._process))

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def build(job: str, folder: Path, sources: Iterable[Path]) -> dict[str, float]:
    """Run a job of `build.py`; return its seconds, processor seconds and most bytes of memory.

    Raises SystemExit, naming the job, where it fails: its own words are on standard error.
    """
    command = [sys.executable, str(HERE / "build.py"), job, str(folder), *map(str, sources)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child, _Watch(child.pid) as watch:
        said, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"building {job} failed")
    measured: dict[str, float] = json.loads(said)
    return measured | ({"memory": watch.most} if watch.most else {})


class Answerer:
    """A contestant in a process of its own, open for queries."""

    def __init__(self, contestant: Contestant, folder: Path) -> None:
        self._name = contestant.heading
        self._process = subprocess.Popen(
            contestant.command(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.asked = Asked(opening=self._line()["seconds"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        if not text:
            raise SystemExit(f"{self._name} ended before its answer")
        line: dict[str, Any] = json.loads(text)
        return line

    def _say(self, queries: Sequence[Query], limit: int | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.writelines(json.dumps([query.text, limit]) + "\n" for query in queries)
        self._process.stdin.flush()

    def ask(self, queries: Sequence[Query]) -> None:
        """Ask some queries one after the other and keep how long each took."""
        self._say(queries, TOP)
        for query in queries:
            said = self._line()
            if query.qid in self.asked.first:
                self.asked.later.setdefault(query.qid, []).append(said["seconds"])
            else:
                self.asked.first[query.qid] = said["seconds"]
                self.asked.answers[query.qid] = [key for key, _score in said["answer"]]

    def ask_whole(self, query: Query) -> None:
        """Ask for every trial that one query finds; not timed."""
        self._say([query], None)
        self.asked.found[query.qid] = {key for key, _score in self._line()["answer"]}

    def note_memory(self) -> None:
        """Keep how much memory the process has taken by now."""
        held = _status(self._process.pid)
        names = {"most": "VmHWM", "own": "RssAnon"}
        self.asked.memory = {name: held[of] for name, of in names.items() if of in held}

    def __enter__(self) -> Answerer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.wait()


def ask_all(
    folders: dict[str, Path], queries: Sequence[Query], rounds: int, every: int = 1
) -> dict[str, Asked]:
    """Ask every contestant every query, some queries at a turn: once, then so many times more; then each n-th
    for all that it finds, of those who want all words. `folders`: contestant -> index.
    """
    with ExitStack() as stack:
        answerers = {
            name: stack.enter_context(Answerer(CONTESTANTS[name], folder)) for name, folder in folders.items()
        }
        turns = [queries[start : start + _TURN] for start in range(0, len(queries), _TURN)]
        for _round in range(rounds + 1):
            for turn in turns:
                for answerer in answerers.values():
                    answerer.ask(turn)
        for answerer in answerers.values():
            answerer.note_memory()
        for query in queries[::every]:
            for name, answerer in answerers.items():
                if CONTESTANTS[name].strict:
                    answerer.ask_whole(query)
        return {name: answerer.asked for name, answerer in answerers.items()}


def cold_starts(folders: dict[str, Path], query: str, runs: int) -> dict[str, float]:
    """Return the median seconds that a fresh process needs to answer, by contestant; and those of `python`
    alone and of `imports`, python with click and numpy.

    Raises SystemExit, with what it said, where a process fails.
    """
    commands = {name: CONTESTANTS[name].command(folder, query) for name, folder in folders.items()}
    commands["python"] = [sys.executable, "-c", ""]
    commands["imports"] = [sys.executable, "-c", "import click, numpy"]
    times: dict[str, list[float]] = {name: [] for name in commands}
    # As installed: what is imported has been compiled before.
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _run in range(runs):
        for name, command in commands.items():
            start = perf_counter()
            done = subprocess.run(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=compiled
            )
            times[name].append(perf_counter() - start)
            # As with grep, 1 says that nothing was found.
            if done.returncode not in (0, 1):
                raise SystemExit(f"the cold start of {name} failed: {done.stderr.strip()}")
    return {name: statistics.median(held) for name, held in times.items()}
