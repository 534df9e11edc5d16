"""Sources in, an index out: create, update, delete, rebuild, verify.

    report = build(["downloads.zip", "pages"], "index")

Records are read one at a time, merged with what the index holds of their trial (`merge`), and written only
where that changed something. What was committed stays: a run that is stopped can be started again and goes
on. Large sources are read by several processes (`workers`); what the index holds in the end is the same.
"""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trialindex import merge, quick_json
from trialindex.formats import read_items
from trialindex.formats.files import walk
from trialindex.formats.record import Item, Rejected, SourceRecord

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot
    from trialindex.storage import Writer
    from trialindex.trial import Trial
    from trialindex.vocabulary.adding import Added
    from trialindex.vocabulary.concepts import Concept

__all__ = ["Report", "add_vocabulary", "build", "delete", "read", "rebuild"]

REJECTS = "rejects.jsonl"

MEMORY = 1 << 30
# Trials held in memory before they are handed to the writer, and trials written between two commits.
_PENDING = 500
_COMMIT = 10_000
# Numbers that wait in a set before they go into the array.
_RECENT = 1 << 14
PROBLEMS = 1000
# Objects made and kept after which Python looks for cycles among them, while records are read.
_BETWEEN_COLLECTIONS = 100_000


@dataclass(slots=True)
class Report:
    """What a run did with the records that it read.

    Every record is counted once: `records == added + changed + unchanged + rejected`. A record is unchanged
    where it says nothing new to what the index held of its trial before the run. Of the others, those of one
    trial that say the same count once; the first of a trial that the index did not hold is `added`, the rest
    are `changed`. So the counts are the same in whatever order records are read.

    `files` counts the files read, `skipped` those that hold no trial, `odd` values that are not what their
    field should hold. `odd_kinds` counts these by field and reason. `problems` has the first thousand
    rejections and odd values, each a line with file, record, field and reason. `trials` is the number of
    trials in the index afterwards; `rejects` the file with what was set aside, if anything was.
    """

    records: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    odd: int = 0
    files: int = 0
    trials: int = 0
    rejects: Path | None = None
    odd_kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def note(self, item: Item) -> None:
        """Count an item, but for what its record does to the index."""
        if isinstance(item, SourceRecord):
            self.records += 1
            for odd in item.odd:
                self.odd += 1
                self.odd_kinds[odd.field, odd.reason] += 1
                place = f"{item.file}, record {item.number}, {odd.field}"
                self._problem(f"{place}: {odd.reason}: {odd.value[:80]!r}")
        elif isinstance(item, Rejected):
            self.records += 1
            self.rejected += 1
            place = f"{item.file}, record {item.number}{f', {item.field}' if item.field else ''}"
            self._problem(f"{place}: {item.reason}; set aside in {REJECTS}")
        else:
            self.skipped += 1

    def _problem(self, line: str) -> None:
        if len(self.problems) < PROBLEMS:
            self.problems.append(line)


def read(path: str | Path) -> Iterator[Trial]:
    """Iterate over the trials of a file, an archive or a folder, in its order, one at a time.

    What cannot be read is left out; `trialindex.formats.read_items` yields that too. Raises SourceError
    where the path does not exist.
    """
    from trialindex.trial import Trial

    for item in read_items(path):
        if isinstance(item, SourceRecord):
            yield Trial.from_study(merge.add(None, item))


def build(
    sources: Iterable[str | Path],
    index: str | Path,
    *,
    progress: Callable[[Report, str], None] | None = None,
    memory: int = MEMORY,
    workers: int | None = None,
) -> Report:
    """Create or update the index in a folder from files, archives and folders; return what was done.

    `progress` is called with the report so far and the file being read: after every record, or a few times a
    second where several processes read; with "" when nothing is read any more and the index is put together.
    `memory`: bytes that all processes together may take, at least 200 MB. `workers`: processes that read;
    without it as many as there are cores, memory allows and the sources are worth (`workers.plan`).

    Raises SourceError where a source does not exist (before anything is read), IndexLocked while another
    process writes, IndexDamaged where the folder holds an index that cannot be read, TrialError where the
    memory is too little or a process was killed.
    """
    from trialindex import workers as processes
    from trialindex.storage import Writer

    paths = [Path(source) for source in sources]
    for path in paths:
        walk(path)  # raises SourceError
    plan = processes.plan(paths, memory, workers)
    folder = Path(index)
    report = Report()
    with (
        COLLECTOR.at_rest(),
        Writer(folder, memory=plan.own) as writer,
        _Rejects(folder / REJECTS) as rejects,
    ):
        processes.sweep(folder)
        if writer.vocabulary is None:
            from trialindex.vocabulary.shipped import write_shipped

            writer.use_vocabulary(write_shipped)
        if plan.workers:
            processes.read(paths, writer, plan, report, rejects.write, progress)
        else:
            _read_here(paths, writer, report, rejects, progress)
        if progress is not None and report.records:
            progress(report, "")
        # One segment is asked faster than several; but a small update must not cost a large rewrite.
        if 2 * (report.added + report.changed) > sum(live for live, _ in writer.segments):
            writer.merge()
        writer.learn()
    report.rejects = rejects.path if rejects.path.is_file() else None
    report.trials = count(folder)
    return report


class _Collector:
    """Python's collector of cycles, at rest while anybody builds.

    A record is thousands of small objects and no cycle; looking for one in them again and again takes a sixth
    of the time of a build. What does make a cycle (an exception and its frames) is still found, later.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resting = 0
        self._before = (0, 0, 0)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let it look seldom; when the last of several threads is done, as often as before."""
        with self._lock:
            if not self._resting:
                self._before = gc.get_threshold()
                # 0 is never, and stays so.
                rare = max(self._before[0], _BETWEEN_COLLECTIONS) if self._before[0] else 0
                gc.set_threshold(rare, *self._before[1:])
            self._resting += 1
        try:
            yield
        finally:
            with self._lock:
                self._resting -= 1
                if not self._resting:
                    gc.set_threshold(*self._before)


COLLECTOR = _Collector()


def _read_here(
    paths: list[Path],
    writer: Writer,
    report: Report,
    rejects: _Rejects,
    progress: Callable[[Report, str], None] | None,
) -> None:
    """Read sources in this process."""
    from trialindex.snapshot import open_snapshot

    snapshot = open_snapshot(writer.folder)
    try:
        update = _Update(writer, snapshot, report)
        last = ""
        for path in paths:
            for item in read_items(path):
                if item.file != last:
                    last = item.file
                    report.files += 1
                report.note(item)
                if isinstance(item, SourceRecord):
                    update.take(item)
                elif isinstance(item, Rejected):
                    rejects.write(reject_line(item))
                if progress is not None:
                    progress(report, item.file)
        update.flush()
    finally:
        snapshot.close()


def stored_study(snapshot: Snapshot, key: str) -> dict[str, Any] | None:
    """Return what an index holds of a trial, None where it holds nothing."""
    doc = snapshot.find_key(key)
    return None if doc is None else snapshot.study(doc)


class Effect(NamedTuple):
    """What a record says of its trial that the index did not know before the run, in two numbers: that of
    the trial, and that of all that the record says (0: nothing new). `new`: the index did not hold the trial.
    """

    trial: int
    content: int
    new: bool


class Change(NamedTuple):
    """What a record makes of what an index held of its trial before the run: `study`, to be stored under
    `key`.
    """

    key: str
    study: dict[str, Any]
    effect: Effect

    @classmethod
    def of(cls, record: SourceRecord, before: Snapshot) -> Change | None:
        """`before`: the index before the run. None where it holds the record already."""
        key = merge.trial_id(record.study)
        held = stored_study(before, key)
        study = merge.add(held, record)
        if study == held:
            return None
        trial = number(key.encode("utf-8", "surrogatepass"))
        same = held is not None and merge.split(held)[0] == merge.split(study)[0]
        content = 0 if same else number(quick_json.dumps(record.study))
        return cls(key, study, Effect(trial, content, held is None))


def number(data: bytes) -> int:
    """Return a number from 1 on that stands for some bytes. Of a million, two are the same once in 30
    million times.
    """
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") or 1


class Effects:
    """Counts what the records of a run did, as `Report` says, in whatever order they come."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._trials = _Numbers()
        self._contents = _Numbers()

    def has(self, trial: int) -> bool:
        """Whether a trial of that number came in this run."""
        return trial in self._trials

    def take(self, effect: Effect) -> None:
        """Count a record."""
        first = self._trials.add(effect.trial)
        if not effect.content or not self._contents.add(effect.content):
            self._report.unchanged += 1
        elif first and effect.new:
            self._report.added += 1
        else:
            self._report.changed += 1


class _Numbers:
    """A growing set of 64-bit numbers, about 8 bytes each."""

    def __init__(self) -> None:
        self._held = array("Q")
        self._recent: set[int] = set()

    def __contains__(self, number: int) -> bool:
        if number in self._recent:
            return True
        place = bisect_left(self._held, number)
        return place < len(self._held) and self._held[place] == number

    def add(self, number: int) -> bool:
        """Add a number; whether it was not there."""
        if number in self:
            return False
        self._recent.add(number)
        if len(self._recent) > max(_RECENT, len(self._held) // 4):
            self._held = array("Q", sorted([*self._held, *self._recent]))
            self._recent.clear()
        return True


class _Update:
    """Takes records to an index by way of a bounded number of pending trials."""

    def __init__(self, writer: Writer, before: Snapshot, report: Report) -> None:
        self._writer = writer
        self._before = before
        self._report = report
        self._effects = Effects(report)
        self._pending: dict[str, dict[str, Any]] = {}

    def take(self, record: SourceRecord) -> None:
        change = Change.of(record, self._before)
        if change is None:
            self._report.unchanged += 1
            return
        key, study, effect = change
        if self._effects.has(effect.trial):
            now = self._pending.get(key) or self._writer.get(key)
            study = study if now is None else merge.union(now, study)
            if study == now:
                self._effects.take(effect)
                return
        self._effects.take(effect)
        self._pending[key] = study
        if len(self._pending) >= _PENDING:
            self.flush()

    def flush(self) -> None:
        for key, study in self._pending.items():
            self._writer.put(key, study)
        self._pending.clear()
        if self._writer.uncommitted >= _COMMIT:
            self._writer.commit()


class _Rejects:
    """The file of what was set aside, one JSON line each; what it already holds is not written again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: set[bytes] | None = None

    def __enter__(self) -> _Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        self._known = None

    def write(self, line: str) -> None:
        if self._known is None:
            self._known = set()
            if self.path.is_file():
                with self.path.open("r+", encoding="utf-8", newline="\n") as file:
                    last = "\n"
                    for last in file:
                        self._known.add(_digest(last.rstrip("\n")))
                    if not last.endswith("\n"):
                        file.write("\n")  # a crash cut the last line
        if _digest(line) not in self._known:
            self._known.add(_digest(line))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _digest(line: str) -> bytes:
    return hashlib.sha256(line.encode()).digest()


def reject_line(item: Rejected) -> str:
    """Return the line of the rejects file that keeps what could not be read."""
    entry = {
        "file": item.file,
        "record": item.number,
        "field": item.field,
        "reason": item.reason,
        "raw": item.raw,
    }
    return json.dumps(entry, ensure_ascii=True)


def count(index: str | Path) -> int:
    """Return the number of trials in an index."""
    from trialindex.snapshot import open_snapshot

    snapshot = open_snapshot(Path(index))
    try:
        return len(snapshot)
    finally:
        snapshot.close()


def delete(identifiers: Iterable[str], index: str | Path) -> tuple[list[str], list[str]]:
    """Delete trials by id or former id; return the ids that were deleted and those that the index does not
    hold.

    Raises IndexMissing where there is no index.
    """
    from trialindex.snapshot import open_snapshot
    from trialindex.storage import Writer

    folder = Path(index)
    snapshot = open_snapshot(folder)
    try:
        found = {name: snapshot.find(name.strip().upper()) for name in identifiers}
        keys = {name: snapshot.key(doc) for name, doc in found.items() if doc is not None}
    finally:
        snapshot.close()
    if keys:
        with Writer(folder, create=False) as writer:
            for key in dict.fromkeys(keys.values()):
                writer.delete(key)
    return list(dict.fromkeys(keys.values())), [name for name in found if name not in keys]


def rebuild(index: str | Path, *, memory: int = MEMORY) -> int:
    """Build an index anew from its own stored records; return the number of trials.

    They are linked with the vocabulary of this version, and with the names that were added to the index
    (`add_vocabulary`). `memory`: bytes that it may take. Raises IndexMissing where there is none, IndexLocked
    while somebody writes to it, TrialError for less memory than 200 MB. One commit replaces all: until then
    the index is what it was.
    """
    from trialindex.storage import Writer
    from trialindex.workers import plan

    own = plan([], memory).own
    with COLLECTOR.at_rest(), Writer(Path(index), create=False, memory=own) as writer:
        _renew_vocabulary(writer)
        return _put_again(writer, None)


def add_vocabulary(
    files: Iterable[str | Path],
    index: str | Path,
    *,
    memory: int = MEMORY,
    progress: Callable[[int, int], None] | None = None,
) -> Added:
    """Add the names of vocabulary files to an index, and link its trials with them; return what came of it.

    Files are of the formats of `vocabulary.imports`. A file that is added again takes the place of what it
    said before. `memory`: bytes that linking may take, beside the vocabularies themselves. `progress` is
    called with the number of trials that were linked, and of all.

    One commit replaces all: until then the index is what it was, and where no name is new it stays so. Raises
    SourceError where a file cannot be read or is in no known format, IndexMissing, IndexLocked and TrialError
    as `rebuild` does.
    """
    from trialindex.storage import Writer
    from trialindex.vocabulary.adding import Added, read_import
    from trialindex.workers import plan

    own = plan([], memory).own
    report = Added()
    with COLLECTOR.at_rest(), Writer(Path(index), create=False, memory=own) as writer:
        read = [read_import(Path(file)) for file in files]
        report.files = [one for one, _ in read]
        _join_vocabulary(writer, [concepts for _, concepts in read], report)
        del read  # linking needs the room
        if report.changed:
            report.trials = _put_again(writer, progress)
    return report


def _put_again(writer: Writer, progress: Callable[[int, int], None] | None) -> int:
    """Put every trial of an index again, work out anew what they teach, and commit; return their number."""
    from trialindex.snapshot import stored_studies

    total = sum(live for live, _ in writer.segments)
    for done, (key, study) in enumerate(stored_studies(writer.folder), start=1):
        writer.put(key, study)
        if progress is not None:
            progress(done, total)
    writer.learn(anew=True)
    writer.merge()
    return total


def _renew_vocabulary(writer: Writer) -> None:
    from trialindex.vocabulary.adding import renewed
    from trialindex.vocabulary.mapped import write_vocabulary
    from trialindex.vocabulary.shipped import write_shipped

    concepts = renewed(_concepts(writer))
    if concepts is None:
        writer.use_vocabulary(write_shipped)
    else:
        writer.use_vocabulary(partial(write_vocabulary, concepts))


def _join_vocabulary(writer: Writer, more: list[list[Concept]], report: Added) -> None:
    from trialindex.vocabulary.adding import elsewhere, joined
    from trialindex.vocabulary.concepts import shipped_concepts
    from trialindex.vocabulary.mapped import Vocabulary, write_vocabulary

    held = list(_concepts(writer))
    concepts = joined(held or shipped_concepts(), *more)
    report.compare(held, concepts)
    if report.changed:
        writer.use_vocabulary(partial(write_vocabulary, concepts))
    if writer.vocabulary is not None:
        vocabulary = Vocabulary(writer.vocabulary)
        for read, said in zip(report.files, more, strict=True):
            read.elsewhere.extend(elsewhere(said, vocabulary))
        vocabulary.close()


def _concepts(writer: Writer) -> Iterator[Concept]:
    """Yield the concepts that the trials of an index are linked with."""
    from trialindex.vocabulary.mapped import Vocabulary

    if writer.vocabulary is None:
        return
    vocabulary = Vocabulary(writer.vocabulary)
    try:
        for number in range(len(vocabulary)):
            yield vocabulary.concept(number)
    finally:
        vocabulary.close()
