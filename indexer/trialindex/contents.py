"""The table of contents of an index: which files make one committed state of it.

A folder holds `trialsearch.json`, this table; the segments that it names (`000001.seg`, and `000004.live`,
which documents of one are not deleted: see `trialindex.segments`); the vocabulary that its trials were
linked with (`000002.voc`: `trialindex.vocabulary.mapped`) and what they teach themselves (`000005.lrn`:
`trialindex.vocabulary.learned`); `trialsearch.lock`, which a writer holds; and, where input could not be
read, `rejects.jsonl`. All of it is JSON and plain arrays: opening an index runs nothing that is in it.

The table is replaced whole, by a rename: before it the index is what it was, after it what it is now, and
files that no table names are left over from a writer that was killed, and go when the next one opens.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path
from types import TracebackType

from trialindex.errors import IndexDamaged, IndexMissing, TrialError
from trialindex.frozen import frozen
from trialindex.segments.arrays import SPOOL_SUFFIX
from trialindex.segments.segment import Segment, read_deleted

__all__ = [
    "CONTENTS", "SCHEMA_VERSION", "Aside", "Contents", "Entry", "Reading", "exists", "is_ours",
    "open_segments", "read_contents", "stamp", "status",
]  # fmt: skip

# Raised whenever fields, analysis or the stored form change, so that an old index is rebuilt and never
# misread.
SCHEMA_VERSION = 7
CONTENTS = "trialsearch.json"
_NAME = re.compile(r"([0-9]{6,12})\.(?:seg|live|voc|lrn)")
# What a writer that was killed may leave besides: spools of arrays, and a table that was not yet renamed.
_UNFINISHED = re.compile(rf"{_NAME.pattern}\.[0-9]+{re.escape(SPOOL_SUFFIX)}|{re.escape(CONTENTS)}\.new")
# What reading damaged arrays may raise.
_DAMAGE = (
    IndexError, ValueError, OverflowError, TypeError, KeyError, MemoryError, ZeroDivisionError,
    FloatingPointError, EOFError, RecursionError, zlib.error,
)  # fmt: skip


def exists(folder: Path) -> bool:
    """Whether a folder holds an index of ours."""
    return (folder / CONTENTS).is_file()


@frozen
class Entry:
    """A segment in the table of contents: its file and the checksum of that file's directory; the file of its
    deletions ("" for none) and its checksum.
    """

    file: str
    digest: int
    deleted: str = ""
    deleted_digest: int = 0


@frozen
class Aside:
    """A file beside the segments: its name ("" for none), and the checksum of its directory."""

    file: str = ""
    digest: int = 0


@frozen
class Contents:
    """The table of contents. `generation` counts commits; `number` is that of the next file. `vocabulary`:
    what the trials were linked with; `learned`: what they teach, and `unlearned`, how many came or went since
    that was worked out.
    """

    generation: int = 0
    number: int = 1
    segments: tuple[Entry, ...] = ()
    vocabulary: Aside = Aside()
    learned: Aside = Aside()
    unlearned: int = 0

    @property
    def files(self) -> set[str]:
        """The names of all files of the index but this one."""
        held = {name for entry in self.segments for name in (entry.file, entry.deleted)}
        return (held | {self.vocabulary.file, self.learned.file}) - {""}

    def text(self) -> str:
        """Return the table as its file has it: no byte of it can change unseen."""
        index = {
            "schema": SCHEMA_VERSION,
            "generation": self.generation,
            "next": self.number,
            "segments": [[one.file, one.digest, one.deleted, one.deleted_digest] for one in self.segments],
            "vocabulary": [self.vocabulary.file, self.vocabulary.digest],
            "learned": [self.learned.file, self.learned.digest],
            "unlearned": self.unlearned,
        }
        body = json.dumps(index, separators=(",", ":"))
        return f'{{"index":{body},"checksum":{zlib.crc32(body.encode())}}}\n'


def is_ours(name: str) -> bool:
    """Whether a file of this name in an index folder is one that a table of contents may name, or a rest of
    one.
    """
    return bool(_NAME.fullmatch(name) or _UNFINISHED.fullmatch(name))


def read_contents(folder: Path) -> Contents:
    """Return the table of contents of an index.

    Raises IndexMissing where there is none, IndexDamaged where it cannot be read or is of another version.
    """
    path = folder / CONTENTS
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise IndexMissing(
            f"no index in {folder}: build one with `trialsearch index SOURCE --index {folder}`"
        ) from None
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{path} cannot be read ({error}): build the index again") from error
    damaged = IndexDamaged(f"{path} is damaged: move the folder away and build the index again")
    try:
        held = json.loads(text)
        version = held["schema"] if "schema" in held else held["index"]["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if version != SCHEMA_VERSION:
        raise IndexDamaged(
            f"{folder} was built by another version (schema {version}, this one reads {SCHEMA_VERSION}): "
            "move it away and build it again from its sources"
        )
    try:
        index = held["index"]
        entries = tuple(Entry(*entry) for entry in index["segments"])
        found = Contents(
            index["generation"],
            index["next"],
            entries,
            Aside(*index["vocabulary"]),
            Aside(*index["learned"]),
            index["unlearned"],
        )
        sound = found.text() == text and _sound(found)
    except (KeyError, TypeError, ValueError):
        raise damaged from None
    if not sound:
        raise damaged
    return found


def _sound(contents: Contents) -> bool:
    """Whether a table's numbers are numbers, its files in the folder, and the next one's name not taken."""
    names = [entry.file for entry in contents.segments]
    names += [entry.deleted for entry in contents.segments if entry.deleted]
    names += [aside.file for aside in (contents.vocabulary, contents.learned) if aside.file]
    numbers = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
    return (
        type(contents.generation) is int
        and type(contents.number) is int
        and type(contents.unlearned) is int
        and len(set(names)) == len(names) == len(numbers)
        and max(numbers, default=0) < contents.number < 10**12
    )


def _open_segment(folder: Path, entry: Entry) -> Segment:
    with Reading(folder):
        segment = Segment(folder / entry.file)
    try:
        if segment.file.digest != entry.digest:
            raise IndexDamaged(f"{entry.file} is not the file that the index names: build the index again")
        if entry.deleted:
            with Reading(folder):
                segment.live = read_deleted(folder / entry.deleted, segment.size, entry.deleted_digest)
    except BaseException:
        segment.close()
        raise
    return segment


def open_segments(folder: Path, contents: Contents) -> list[Segment]:
    """Open the segments that a table of contents names, as it names them.

    Raises FileNotFoundError where one is gone, IndexDamaged where one is not what it was.
    """
    opened: list[Segment] = []
    try:
        for entry in contents.segments:
            opened.append(_open_segment(folder, entry))
    except BaseException:
        for segment in opened:
            segment.close()
        raise
    return opened


def stamp(folder: Path) -> bytes:
    """Return what tells one state of an index from the next: its table of contents, which counts commits.

    Not the file's time and number: of two commits within a tick of the clock both may be the same.
    """
    try:
        return (folder / CONTENTS).read_bytes()
    except OSError:
        return b""


def status(folder: Path) -> tuple[int, int, int]:
    """Return number, time and size of the table of contents: cheaper than reading it."""
    try:
        # Every search asks, and making a Path costs as much again.
        status = os.stat(f"{folder}/{CONTENTS}")  # noqa: PTH116
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_mtime_ns, status.st_size


class Reading:
    """Turns what reading damaged arrays raises into IndexDamaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, _DAMAGE) and not isinstance(error, TrialError):
            raise IndexDamaged(
                f"the index in {self._folder} is damaged ({type(error).__name__}: {error}): build it again"
            ) from error
