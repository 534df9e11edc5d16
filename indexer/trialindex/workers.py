"""Several processes read for one index: each works through its share of all sources and makes segments.

    plan(paths, memory, workers) -> Plan          how many, and how much each may hold
    read(paths, writer, plan, report, ...)        the run itself

A worker reads its share (`formats.read_share`), merges each record with what the index held of its trial
before the run, and writes what is new as segment files into a folder of its own inside the index folder. The
parent is the only writer: it takes finished segments over, and commits after each. Where two segments hold
one trial, it joins the two stored studies (`merge.union`): a stored study is a function of its records, so
the index is the same with any number of workers.

Workers are plain interpreters that talk in lines of JSON: the parent's program is not run again in them, as
`multiprocessing` would, so a script needs no `if __name__ == "__main__"`; nothing is pickled. They hear no
Ctrl-C: the parent ends them. Their standard input is the sign that the parent lives; when it closes, they
end.

How `memory` becomes processes: a process takes about 140 MB beside the documents that it holds (Python, the
tables, the words it knows), and while it writes them two and a half times what they are. The parent, which
merges segments while others read, gets 300 MB; a worker at least 200 MB, so 1 GB is three workers. What is
left over is shared out evenly.

>>> plan([], memory=200 << 20, workers=8)
Plan(workers=0, run=25165824, own=25165824)
>>> plan([], memory=1 << 30, workers=3), plan([], memory=1 << 30, workers=64).workers
(Plan(workers=3, run=42502280, own=33554432), 3)
>>> plan([], memory=100 << 20)
Traceback (most recent call last):
    ...
trialindex.errors.TrialError: 100 MB of memory are too few: give at least 200 MB (--memory 200M)
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from trialindex import errors, merge
from trialindex.builder import (
    COLLECTOR,
    PROBLEMS,
    Change,
    Effect,
    Effects,
    Report,
    number,
    reject_line,
    stored_study,
)
from trialindex.document import Document
from trialindex.errors import TrialError
from trialindex.formats import read_share
from trialindex.formats.files import Share
from trialindex.formats.record import Rejected, SourceRecord
from trialindex.segments.run import Run
from trialindex.snapshot import open_snapshot, unpack
from trialindex.storage import Writer, pack, segment_keys
from trialindex.vocabulary.linking import Linker
from trialindex.vocabulary.mapped import Vocabulary

__all__ = ["Plan", "plan", "read", "sweep"]

_MB = 1 << 20
# What a process needs to be of use, and what it takes beside its documents.
_LEAST = 200 * _MB
_REST = 140 * _MB
# What the parent of workers takes: it merges what they made.
_PARENT = 300 * _MB
# What a process takes while it writes documents, for each byte of them (`Run.memory`).
_WRITING = 2.5
# The documents that the parent holds, while workers read.
_OWN = 32 * _MB
# Documents of a run of a worker: what is lost when it is stopped, and how soon the first can be searched.
_RUN_DOCUMENTS = 20_000
# Plain bytes of source that are worth a worker of their own; archives and gzip count five times.
_SOURCE = 2 * _MB
_PACKED = 5
# Seconds between two messages on how far a worker is, and that the parent waits at most at one time.
_TELL = 0.25
_WAIT = 0.2
_FOLDER = ".workers"
# What is counted while reading; what a record does to the index is known with its segment.
_COUNTS = ("records", "rejected", "skipped", "odd", "files")
_KINDS = (errors.IndexDamaged, errors.IndexMissing, errors.SourceError)

Place = tuple[int, int, int, int]
Progress = Callable[[Report, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run is done: `workers` processes beside this one (0: here), bytes of documents that each holds
    (`run`), and this one (`own`).
    """

    workers: int
    run: int
    own: int


def plan(paths: Iterable[Path], memory: int, workers: int | None = None) -> Plan:
    """Return how many workers read some sources within `memory` bytes of all processes together.

    `workers` asks for a number; without it there are as many as there are cores and as the size of the
    sources is worth: small ones are read sooner than a process starts. Raises TrialError for less memory than
    one process needs.
    """
    if memory < _LEAST:
        least = _LEAST // _MB
        raise TrialError(
            f"{memory // _MB} MB of memory are too few: give at least {least} MB (--memory {least}M)"
        )
    wanted = min(_cores(), _worth(paths)) if workers is None else workers
    # A program that is packed into one file has no interpreter to start.
    able = bool(sys.executable) and not getattr(sys, "frozen", False)
    count = min(wanted, (memory - _PARENT) // _LEAST) if able else 0
    # One worker and a parent that waits for it are slower than the parent alone.
    if count < 2:
        return Plan(0, _documents(memory), _documents(memory))
    return Plan(count, _documents((memory - _PARENT) // count), _OWN)


def _documents(memory: int) -> int:
    """Return how many bytes of documents a process may hold that may take some memory."""
    return int((memory - _REST) / _WRITING)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _worth(paths: Iterable[Path]) -> int:
    """Return how many workers sources of this size are worth."""
    most = _cores()
    size = 0
    for path in paths:
        # A pipe is no file to look into: nobody may ever write to it.
        for file in filter(Path.is_file, _files(path)):
            with contextlib.suppress(OSError):
                with file.open("rb") as stream:
                    packed = stream.read(2) in (b"PK", b"\x1f\x8b")
                size += file.stat().st_size * (_PACKED if packed else 1)
            if size >= _SOURCE * most:
                return most
    return size // _SOURCE


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, below, names in os.walk(path):
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (Path(folder, name) for name in names)


def sweep(folder: Path) -> None:
    """Remove what the workers of a run that was killed left in an index folder."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


# The parent's side.


def read(
    paths: list[Path],
    writer: Writer,
    plan: Plan,
    report: Report,
    reject: Callable[[str], None],
    progress: Progress | None,
) -> None:
    """Read sources with `plan.workers` processes into an index; `reject` takes each line to be set aside.

    Raises TrialError where a worker dies, and what a worker raises. What was committed stays; no worker and
    none of their files is left, however this ends.
    """
    folder = writer.folder / _FOLDER
    folder.mkdir()
    parent = _Parent(writer, plan.workers, report, progress)
    try:
        for one in range(plan.workers):
            task = {
                "index": os.fspath(writer.folder.resolve()),
                "folder": os.fspath(folder.resolve()),
                "sources": [os.fspath(path) for path in paths],
                "share": [one, plan.workers],
                "run": plan.run,
                "vocabulary": "" if writer.vocabulary is None else os.fspath(writer.vocabulary.resolve()),
            }
            parent.start(_Process(one, task, folder, parent.heard))
        parent.listen()
    finally:
        parent.stop()
        try:
            for line in _set_aside(folder):
                reject(line)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


# The first line that a worker reads is the parent's search path: it may run from a checkout or an archive.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from trialindex.workers import main; main()"
)


class _Process:
    """A worker as the parent sees it. What it says goes to a queue, with None when it has ended."""

    def __init__(self, one: int, task: dict[str, Any], folder: Path, heard: queue.SimpleQueue[Any]) -> None:
        self.number = one
        self._words = folder / f"{one}.txt"
        with self._words.open("wb") as words:
            # A group of its own: Ctrl-C on the terminal is for the parent.
            apart: dict[str, Any] = (
                {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
                if os.name == "nt"
                else {"start_new_session": True}
            )
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                **apart,
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps(path)}\n{json.dumps(task)}\n".encode())
            self._process.stdin.flush()
        self._thread = threading.Thread(target=self._listen, args=(self._process.stdout, heard), daemon=True)
        self._thread.start()

    def _listen(self, stream: IO[bytes], heard: queue.SimpleQueue[Any]) -> None:
        try:
            for line in stream:
                heard.put((self.number, json.loads(line)))
        except (ValueError, OSError):
            pass  # killed in the middle of a line
        heard.put((self.number, None))

    def death(self) -> str:
        """Return what is known of its end, in one line."""
        code = self._process.wait()
        last = ""
        with contextlib.suppress(OSError):
            last = self._words.read_text("utf-8", "replace").strip().rpartition("\n")[2]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}{f': {last[:200]}' if last else ''}"

    def stop(self) -> None:
        """End it at once, if it still runs."""
        self._process.kill()
        self._process.wait()
        self._thread.join(5)
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()


class _Parent:
    """Collects what workers say, and takes their segments over."""

    def __init__(self, writer: Writer, count: int, report: Report, progress: Progress | None) -> None:
        self.heard: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
        self._writer = writer
        self._report = report
        self._progress = progress
        self._effects = Effects(report)
        self._processes: list[_Process] = []
        self._counts = [dict.fromkeys(_COUNTS, 0) for _ in range(count)]
        self._problems: list[list[tuple[list[int], str]]] = []
        self._done: set[int] = set()
        # Segments wait until each worker has opened the index as it was before the run.
        self._starting = count
        self._segments: list[dict[str, Any]] = []

    def start(self, process: _Process) -> None:
        self._processes.append(process)

    def stop(self) -> None:
        for process in self._processes:
            process.stop()

    def listen(self) -> None:
        """Do what the workers say until all are done."""
        while len(self._done) < len(self._processes):
            with contextlib.suppress(queue.Empty):
                # Never for long: where a wait cannot be interrupted, Ctrl-C is heard between two.
                self._hear(*self.heard.get(timeout=_WAIT))
        room = PROBLEMS - len(self._report.problems)
        self._report.problems += [line for _, line in islice(heapq.merge(*self._problems), room)]

    def _hear(self, sender: int, message: dict[str, Any] | None) -> None:
        if message is None:
            if sender not in self._done:
                raise TrialError(
                    f"a process that read the sources ended ({self._processes[sender].death()}): what was "
                    "committed stays; run the same command again, with less --memory if memory ran out"
                )
            return
        if "error" in message:
            raise _error(message)
        if "ready" in message:
            self._starting -= 1
        if "counts" in message:
            self._count(sender, message)
        if "segment" in message:
            self._segments.append(message)
        if "problems" in message:
            self._done.add(sender)
            self._problems.append([(place, line) for place, line in message["problems"]])
            self._report.unchanged += message["unchanged"]
            for field, reason, count in message["odd_kinds"]:
                self._report.odd_kinds[field, reason] += count
        while self._segments and not self._starting:
            self._adopt(self._segments.pop(0))

    def _count(self, sender: int, message: dict[str, Any]) -> None:
        self._counts[sender] = message["counts"]
        for name in _COUNTS:
            setattr(self._report, name, sum(counts[name] for counts in self._counts))
        if self._progress is not None:
            self._progress(self._report, message["file"])

    def _adopt(self, message: dict[str, Any]) -> None:
        """Take a segment over, joining what it holds of trials that came before in this run."""
        path, more = Path(message["segment"]), Path(message["more"])
        known = [key for key in segment_keys(path) if self._effects.has(number(key.encode()))]
        for effect in message["effects"]:
            self._effects.take(Effect(*effect))
        earlier = open_snapshot(self._writer.folder) if known else None
        try:
            self._writer.adopt(path)
            if earlier is not None:
                for key in known:
                    self._join(key, stored_study(earlier, key))
        finally:
            if earlier is not None:
                earlier.close()
        if more.is_file():
            with more.open("rb") as lines:
                for line in lines:
                    study = unpack(line)
                    self._join(merge.trial_id(study), study)
            more.unlink()
        self._writer.commit()

    def _join(self, key: str, study: dict[str, Any] | None) -> None:
        held = self._writer.get(key)
        if study is not None:
            self._writer.put(key, study if held is None else merge.union(held, study))


def _error(message: dict[str, Any]) -> Exception:
    """Return the error that a worker met, for the parent to raise."""
    if message["errno"]:
        return OSError(message["errno"], message["error"], message["file"])
    kind = getattr(errors, message["type"], TrialError)
    return kind(message["error"]) if kind in _KINDS else TrialError(message["error"])


def _set_aside(folder: Path) -> Iterator[str]:
    """Yield what the workers set aside, in the order of the sources."""
    with contextlib.ExitStack() as opened:
        spools = [opened.enter_context(path.open("rb")) for path in folder.glob("*.rejects")]
        for _, line in heapq.merge(*map(_placed_lines, spools), key=lambda placed: placed[0]):
            yield line


def _placed_lines(spool: IO[bytes]) -> Iterator[tuple[list[int], str]]:
    for line in spool:
        place, _, text = line.decode("ascii").partition("\t")
        if text.endswith("\n"):  # else its worker was killed in the middle
            yield json.loads(place), text[:-1]


# The worker's side.


def main() -> None:
    """Work through one share; what to do comes as a line of standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task = json.loads(sys.stdin.readline())
    # What anything prints by accident does not get among the messages.
    out = os.dup(1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with COLLECTOR.at_rest():
            _Worker(task, out).run()
    except OSError as error:
        file = os.fspath(error.filename) if isinstance(error.filename, (str, os.PathLike)) else None
        _tell(out, error=error.strerror or str(error), type="", errno=error.errno or 0, file=file)
    except TrialError as error:
        _tell(out, error=str(error), type=type(error).__name__, errno=0)
    except MemoryError:
        _tell(out, error="out of memory: give less --memory, or fewer --workers", type="", errno=0)
    # Without the interpreter's tidying up: a thread still waits for the parent.
    os._exit(0)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def _tell(out: int, **message: Any) -> None:
    data = memoryview(json.dumps(message).encode() + b"\n")
    while data:
        data = data[os.write(out, data) :]


class _Worker:
    def __init__(self, task: dict[str, Any], out: int) -> None:
        self._sources = [Path(path) for path in task["sources"]]
        self._share = Share(*task["share"])
        self._most = task["run"]
        self._out = out
        self._folder = Path(task["folder"])
        self._before = open_snapshot(Path(task["index"]))
        self._linker = Linker(Vocabulary(Path(task["vocabulary"]))) if task["vocabulary"] else None
        self._run = Run()
        self._segments = 0
        self._more: IO[bytes] | None = None
        self._effects: list[Effect] = []
        self._report = Report()
        self._places: list[Place] = []  # of the problems

    def run(self) -> None:
        _tell(self._out, ready=True)
        with self._spool("rejects").open("w", encoding="ascii") as rejects:
            self._read(rejects)
        if len(self._run):
            self._write()
        report = self._report
        _tell(
            self._out,
            problems=list(zip(self._places, report.problems, strict=True)),
            unchanged=report.unchanged,
            odd_kinds=[(*kind, count) for kind, count in report.odd_kinds.items()],
        )

    def _spool(self, suffix: str) -> Path:
        return self._folder / f"{self._share.number}-{self._segments}.{suffix}"

    def _read(self, rejects: IO[str]) -> None:
        file = ""
        last: tuple[int, ...] = ()
        due = 0.0
        for ordinal, source in enumerate(self._sources):
            for within, item in read_share(source, self._share):
                place = (ordinal, *within)
                if item.file != file:
                    file = item.file
                    # Of the readers of a large file, the one that has its first record counts it.
                    self._report.files += place[3] == 0 or place[:3] == last
                last = place[:3]
                self._report.note(item)
                self._places += [place] * (len(self._report.problems) - len(self._places))
                if isinstance(item, SourceRecord):
                    self._take(item)
                elif isinstance(item, Rejected):
                    rejects.write(f"{json.dumps(place)}\t{reject_line(item)}\n")
                if (now := time.monotonic()) >= due:
                    due = now + _TELL
                    self._tell_counts(file)
        self._tell_counts(file)

    def _tell_counts(self, file: str) -> None:
        counts = {name: getattr(self._report, name) for name in _COUNTS}
        _tell(self._out, counts=counts, file=file)

    def _take(self, record: SourceRecord) -> None:
        change = Change.of(record, self._before)
        if change is None:
            self._report.unchanged += 1
            return
        key, study, effect = change
        self._effects.append(effect)
        if key in self._run:
            # One document a trial in a segment: the parent joins the others to it.
            if self._more is None:
                self._more = self._spool("more").open("wb")
            self._more.write(pack(study) + b"\n")
            return
        self._run.add(key, pack(study), Document.of(study, self._linker))
        if len(self._run) >= _RUN_DOCUMENTS or self._run.memory >= self._most:
            self._write()

    def _write(self) -> None:
        path, more = self._spool("seg"), self._spool("more")
        self._run.write(path)
        if self._run.memory > self._most // 2:
            self._run = Run()  # the words that it knows have become too many
        if self._more is not None:
            self._more.close()
            self._more = None
        _tell(self._out, segment=os.fspath(path), more=os.fspath(more), effects=self._effects)
        self._effects = []
        self._segments += 1
