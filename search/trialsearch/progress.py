"""How far a run of `index` is: a line on the terminal with records, rate, time gone, where it can be told
time left, and the file being read; when all is read, that the index is put together.

How many records a source holds is not known before it is read; how many files it holds often is, and costs
little: the list at the end of a zip, the names in a folder. So the bar counts files. For a single file there
is nothing to count, and no time left is shown.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> for name in ("one.json", "two.json", ".hidden"):
...     _ = (Path(folder.name) / name).write_text("{}")
>>> estimate([Path(folder.name)])
2
>>> estimate([Path(folder.name) / "one.json"]) is None
True
>>> folder.cleanup()
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from trialindex.errors import SourceError
from trialindex.formats import zips
from trialsearch.lines import clean

if TYPE_CHECKING:
    from trialindex.builder import Report

__all__ = ["Linking", "Meter", "estimate"]

_WIDTH = 24
_LAST = "putting it together"


def estimate(sources: Iterable[Path]) -> int | None:
    """Return about how many files some sources hold, or None where that says nothing of the time it takes."""
    known = [_files(source) for source in sources]
    total = sum(known)
    return total if total > 1 else None


def _files(source: Path) -> int:
    if not source.is_dir():
        return _members(source)
    found = 0
    for folder, below, names in os.walk(source):
        below[:] = [name for name in below if not name.startswith(".")]
        found += sum(_members(Path(folder, name)) for name in names if not name.startswith("."))
    return found


def _members(path: Path) -> int:
    """Return the number of files in a zip; of any other file, 1."""
    if not path.is_file():
        return 1
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\3\4":
                return 1
            return sum(not member.name.endswith("/") for member in zips.members(file))
    except (OSError, SourceError):
        # What is wrong with it is said when it is read.
        return 1


class Meter:
    """The line on the terminal. Use as a context, and hand `update` to `trialindex.build`."""

    def __init__(self, total: int | None, terminal: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns: list[ProgressColumn] = [
            TextColumn("{task.fields[records]:>9,} records"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[rate]:>7,.0f}/s"),
            TimeElapsedColumn(),
        ]
        if total is not None:
            columns += [TimeRemainingColumn(), TextColumn("left")]
        # What a file is called is not to be taken for rich's markup.
        columns += [TextColumn("{task.description}", markup=False)]
        self._progress = Progress(*columns, console=Console(file=terminal), transient=True)
        self._task = self._progress.add_task("", total=total, records=0, rate=0.0)
        self._total = total
        self._rate = 0.0

    def __enter__(self) -> Meter:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, report: Report, file: str) -> None:
        """Show the state of a report; `file` is the file being read, "" when all is read."""
        if self._total is not None and report.files > self._total:
            # Archives inside archives hold more than their list could say: the end is not known any more.
            self._total = self._progress.tasks[0].total = None
        elapsed = self._progress.tasks[0].elapsed or 0.0
        if file:
            self._rate = report.records / elapsed if elapsed else 0.0
        self._progress.update(
            self._task,
            completed=report.files,
            records=report.records,
            description=_short(file) if file else _LAST,
            rate=self._rate,
            refresh=not file,
        )


class Linking:
    """The line on the terminal while trials are linked anew. Use as a context, and hand `update` to
    `trialindex.builder.add_vocabulary`.
    """

    def __init__(self, terminal: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.completed:>9,} trials"),
            BarColumn(bar_width=None),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(file=terminal),
            transient=True,
        )
        self._task = self._progress.add_task("reading names", total=None)

    def __enter__(self) -> Linking:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, done: int, total: int) -> None:
        """Show how many of all trials were linked; when all are, the index is put together."""
        last = done == total
        self._progress.update(
            self._task,
            completed=done,
            total=total,
            description=_LAST if last else "linking trials",
            refresh=last,
        )


def _short(file: str) -> str:
    r"""Return the end of a file's name as it fits the line.

    >>> _short("download.zip/a/NCT00000001.json"), _short("a\x1b[31mb.csv"), _short("a" * 30 + ".csv")
    ('NCT00000001.json', 'ab.csv', '...aaaaaaaaaaaaaaaaa.csv')
    """
    name = clean(file.rpartition("/")[2])
    return name if len(name) <= _WIDTH else f"...{name[3 - _WIDTH :]}"
