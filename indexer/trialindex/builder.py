"""Sources in, an index out: create, update, delete, rebuild, verify.

    report = build(["downloads.zip", "pages"], "index")

Records are read one at a time, merged with what the index holds of their trial (`merge`), and written only
where that changed something. What was committed stays: a run that is stopped can be started again and goes
on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex import merge
from trialindex.errors import IndexMissing
from trialindex.formats import read_items
from trialindex.formats.record import Rejected, Skipped, SourceRecord

if TYPE_CHECKING:
    from trialindex.trial import Trial

__all__ = ["Report", "build", "delete", "read", "rebuild"]

REJECTS = "rejects.jsonl"

# Trials held in memory before they are handed to the writer, and trials written between two commits.
_PENDING = 500
_COMMIT = 2_000
_PROBLEMS = 1000


@dataclass(slots=True)
class Report:
    """What a run did with the records that it read.

    Every record is counted once: `records == added + changed + unchanged + rejected`. `skipped` counts
    files that hold no trial, `odd` values that are not what their field should hold. `odd_kinds` counts
    these by field and reason. `problems` has the first thousand rejections and odd values, each a line with
    file, record, field and reason. `trials` is the number of trials in the index afterwards; `rejects` the
    file with what was set aside, if anything was.
    """

    records: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    odd: int = 0
    trials: int = 0
    rejects: Path | None = None
    odd_kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def _problem(self, line: str) -> None:
        if len(self.problems) < _PROBLEMS:
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
) -> Report:
    """Create or update the index in a folder from files, archives and folders; return what was done.

    `progress` is called after every record with the report so far and the file being read. Raises
    SourceError where a source does not exist (before anything is read), IndexLocked while another process
    writes, IndexDamaged where the folder holds an index that cannot be read.
    """
    from trialindex.storage import Writer

    paths = [Path(source) for source in sources]
    streams = [read_items(path) for path in paths]
    folder = Path(index)
    report = Report()
    with Writer(folder) as writer, _Rejects(folder / REJECTS) as rejects:
        update = _Update(writer, report)
        for stream in streams:
            for item in stream:
                if isinstance(item, SourceRecord):
                    update.take(item)
                elif isinstance(item, Rejected):
                    report.records += 1
                    report.rejected += 1
                    place = f"{item.file}, record {item.number}{f', {item.field}' if item.field else ''}"
                    report._problem(f"{place}: {item.reason}; set aside in {REJECTS}")
                    rejects.write(item)
                elif isinstance(item, Skipped):
                    report.skipped += 1
                if progress is not None:
                    progress(report, item.file)
        update.flush()
    report.rejects = rejects.path if rejects.path.is_file() else None
    report.trials = count(folder)
    return report


class _Update:
    """Takes records to an index by way of a bounded number of pending trials."""

    def __init__(self, writer: Any, report: Report) -> None:
        self._writer = writer
        self._report = report
        self._pending: dict[str, dict[str, Any]] = {}

    def take(self, record: SourceRecord) -> None:
        report = self._report
        report.records += 1
        for odd in record.odd:
            report.odd += 1
            report.odd_kinds[odd.field, odd.reason] += 1
            report._problem(
                f"{record.file}, record {record.number}, {odd.field}: {odd.reason}: {odd.value[:80]!r}"
            )
        key = merge.trial_id(record.study)
        stored = self._pending.get(key)
        if stored is None:
            stored = self._writer.get(key)
        study = merge.add(stored, record)
        if stored is None:
            report.added += 1
        elif merge.split(stored)[0] == merge.split(study)[0]:
            report.unchanged += 1
        else:
            report.changed += 1
        if study != stored:
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

    def write(self, item: Rejected) -> None:
        if self._known is None:
            self._known = set()
            if self.path.is_file():
                with self.path.open("r+", encoding="utf-8", newline="\n") as file:
                    line = "\n"
                    for line in file:
                        self._known.add(_digest(line.rstrip("\n")))
                    if not line.endswith("\n"):
                        file.write("\n")  # a crash cut the last line
        entry = {
            "file": item.file,
            "record": item.number,
            "field": item.field,
            "reason": item.reason,
            "raw": item.raw,
        }
        line = json.dumps(entry, ensure_ascii=True)
        if _digest(line) not in self._known:
            self._known.add(_digest(line))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _digest(line: str) -> bytes:
    return hashlib.sha256(line.encode()).digest()


def count(index: str | Path) -> int:
    """Return the number of trials in an index."""
    from trialindex.storage import open_snapshot

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
    from trialindex.storage import Writer, open_snapshot

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


def rebuild(index: str | Path) -> int:
    """Build an index anew from its own stored records, and put it in the place of the old one; return the
    number of trials.

    Raises IndexMissing where there is none, IndexLocked while somebody writes to it. The old index stays as
    it was until the new one is complete.
    """
    from trialindex import storage

    folder = Path(index).resolve()
    if not storage.exists(folder):
        raise IndexMissing(
            f"no index in {folder}: build one with `trialsearch index SOURCE --index {folder}`"
        )
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with storage.locked(folder):
            with storage.Writer(made) as writer:
                for key, study in storage.stored_studies(folder):
                    writer.put(key, study)
            storage.replace(folder, made)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return count(folder)
