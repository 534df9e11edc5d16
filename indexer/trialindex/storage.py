"""The index on disk: create, open, write, read.

A folder holds `trialsearch.json`, the table of contents; the segments that it names (`000001.seg`, and
`000004.live`, which documents of one are not deleted: see `trialindex.segments`); `trialsearch.lock`, which a
writer holds; and, where input could not be read, `rejects.jsonl`. All of it is JSON and plain arrays: opening
an index runs nothing that is in it.

The table of contents is replaced whole, by a rename: before it the index is what it was, after it what it is
now, and files that no table names are left over from a writer that was killed, and go when the next one
opens. A `Writer` collects and commits; a `Snapshot` answers from the state that it opened, while writers
commit beside it.
"""

from __future__ import annotations

import heapq
import json
import os
import re
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex import quick_json
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing, TrialError
from trialindex.frozen import frozen
from trialindex.segments import disk
from trialindex.segments.arrays import SPOOL_SUFFIX
from trialindex.segments.columns import CodeColumn, Sites, merge_codes
from trialindex.segments.postings import Occurrences, Postings, joined, norms
from trialindex.segments.segment import Segment, read_deleted, write_deleted

if TYPE_CHECKING:
    from trialindex.segments.run import Run

__all__ = ["SCHEMA_VERSION", "Snapshot", "Writer", "exists", "open_snapshot"]

# Raised whenever fields, analysis or the stored form change, so that an old index is rebuilt and never
# misread.
SCHEMA_VERSION = 4
CONTENTS = "trialsearch.json"
_LOCK = "trialsearch.lock"
_NAME = re.compile(r"([0-9]{6,12})\.(?:seg|live)")
# What a writer that was killed may leave besides: spools of arrays, and a table that was not yet renamed.
_UNFINISHED = re.compile(rf"{_NAME.pattern}\.[0-9]+{re.escape(SPOOL_SUFFIX)}|{re.escape(CONTENTS)}\.new")
# Bytes of postings that a snapshot keeps ready, whatever the size of the index.
_CACHED = 64 << 20
# Nanoseconds within which two commits may leave files that look the same from outside.
_TICK = 2_000_000_000
# Terms whose places in the dictionaries are kept.
_KEPT_PLACES = 1_000
# Areas whose norms are kept: a number a document each.
_CACHED_AREAS = 12
# Bytes of documents in memory above which a writer makes a segment of them.
_RUN = 256 << 20
# Segments that a writer holds open before it merges some, whether or not it commits: each takes one of the
# files that the system lets a process have open.
_MOST_OPEN = 200
# What reading damaged arrays may raise.
_DAMAGE = (
    IndexError, ValueError, OverflowError, TypeError, KeyError, MemoryError, ZeroDivisionError,
    FloatingPointError, EOFError, RecursionError, zlib.error,
)  # fmt: skip

U32 = npt.NDArray[np.uint32]


def pack(study: dict[str, Any]) -> bytes:
    """Return a study as it is stored: JSON, keys in their order."""
    return quick_json.dumps(study)


def unpack(data: bytes) -> dict[str, Any]:
    """Return the study of a stored record. Raises IndexDamaged where the bytes are not one."""
    try:
        study = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise IndexDamaged(f"a stored record cannot be read ({error}): rebuild the index") from error
    if not isinstance(study, dict):
        raise IndexDamaged("a stored record is no study: rebuild the index")
    return study


def study_of(segment: Segment, doc: int) -> dict[str, Any]:
    """Return the stored study of a document of a segment."""
    try:
        return unpack(segment.records[doc])
    except IndexDamaged as error:
        raise IndexDamaged(f"{segment.path.name}, document {doc}: {error}") from error


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
class Contents:
    """The table of contents. `generation` counts commits; `number` is that of the next file."""

    generation: int = 0
    number: int = 1
    segments: tuple[Entry, ...] = ()

    @property
    def files(self) -> set[str]:
        """The names of all files of the index but this one."""
        return {name for entry in self.segments for name in (entry.file, entry.deleted) if name}

    def text(self) -> str:
        """Return the table as its file has it: no byte of it can change unseen."""
        index = {
            "schema": SCHEMA_VERSION,
            "generation": self.generation,
            "next": self.number,
            "segments": [[one.file, one.digest, one.deleted, one.deleted_digest] for one in self.segments],
        }
        body = json.dumps(index, separators=(",", ":"))
        return f'{{"index":{body},"checksum":{zlib.crc32(body.encode())}}}\n'


def _ours(name: str) -> bool:
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
        found = Contents(index["generation"], index["next"], entries)
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
    numbers = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
    return (
        type(contents.generation) is int
        and type(contents.number) is int
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


def _stamp(folder: Path) -> bytes:
    """Return what tells one state of an index from the next: its table of contents, which counts commits.

    Not the file's time and number: of two commits within a tick of the clock both may be the same.
    """
    try:
        return (folder / CONTENTS).read_bytes()
    except OSError:
        return b""


def _status(folder: Path) -> tuple[int, int, int]:
    """Return number, time and size of the table of contents: cheaper than reading it."""
    try:
        # Every search asks, and making a Path costs as much again.
        status = os.stat(f"{folder}/{CONTENTS}")  # noqa: PTH116
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the right to write to an index. Raises IndexLocked at once where somebody else holds it.

    The lock is the operating system's: a process that is killed leaves none.
    """
    from filelock import FileLock, Timeout

    # Whoever ends the writing may be another thread than began it.
    lock = FileLock(str(folder / _LOCK), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise IndexLocked(
            f"another process is writing to {folder}: wait for it to end, then try again"
        ) from None
    try:
        yield
    finally:
        lock.release()


class Writer:
    """Adds, replaces and deletes trials; what was committed stays, whatever happens after.

    Use as a context: leaving it normally commits, leaving it by an exception drops what was not yet
    committed. Only one writer at a time: a second one raises IndexLocked at once. `memory`: bytes of
    documents that are held before they become a segment. `merge` False leaves segments as they come.
    """

    def __init__(self, folder: Path, *, create: bool = True, memory: int = _RUN, merge: bool = True) -> None:
        if not create:
            read_contents(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._memory = memory
        self._merge = merge
        self._lock = locked(folder)
        self._lock.__enter__()
        self._segments: list[Segment] = []
        self._run: Run | None = None
        try:
            if not exists(folder):
                if any(folder.glob("*.seg")):
                    raise IndexDamaged(
                        f"{folder} holds the files of an index, but no {CONTENTS}: move them away and build "
                        "it again"
                    )
                disk.write_whole(folder / CONTENTS, Contents().text().encode())
            self._contents = read_contents(folder)
            self._segments = open_segments(folder, self._contents)
            # The table may have been renamed by a writer that could not make sure of it. Whichever one the
            # disk holds after a crash, the files that it names must be there.
            disk.DISK.sync_folder(folder)
            self._sweep()
        except FileNotFoundError as error:
            self._release()
            raise IndexDamaged(
                f"{Path(str(error.filename)).name} is missing from {folder}: build the index again"
            ) from error
        except BaseException:
            self._release()
            raise
        # By place, as the next table will have them; "" where a file of deletions no longer holds.
        self._entries = list(self._contents.segments)
        self._number = self._contents.number
        self.uncommitted = 0

    def _release(self) -> None:
        for segment in self._segments:
            segment.close()
        self._lock.__exit__(None, None, None)

    def _sweep(self) -> None:
        """Remove what no table of contents names: what a killed writer left."""
        if read_contents(self.folder) != self._contents:
            return  # a commit failed after the table was renamed: it may hold, and names other files
        for path in self.folder.iterdir():
            if _ours(path.name) and path.name not in self._contents.files:
                # A reader on a system that does not remove open files: the next writer tries again.
                with suppress(OSError):
                    disk.DISK.remove(path)

    def _next(self, suffix: str) -> Path:
        path = self.folder / f"{self._number:06}.{suffix}"
        self._number += 1
        return path

    def _find(self, key: str) -> tuple[Segment, int] | None:
        for segment in reversed(self._segments):
            doc = segment.find(key)
            if doc is not None:
                return segment, doc
        return None

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the stored study of an id, what was put a moment ago included, or None."""
        if self._run is not None and key in self._run:
            self._flush()
        found = self._find(key)
        return None if found is None else study_of(*found)

    def put(self, key: str, study: dict[str, Any]) -> None:
        """Store a study under its id, in place of any earlier one. Raises ValueError where the id or the size
        of the study is none that can be stored.
        """
        from trialindex.document import Document
        from trialindex.segments.run import Run

        if self._run is None:
            self._run = Run()
        elif key in self._run:
            self._flush()
        self._run.add(key, pack(study), Document.of(study))
        self.uncommitted += 1
        if self._run.memory > self._memory:
            self._flush()
            # The words that it knows stay from run to run, unless they leave too little room.
            if self._run.memory > self._memory // 2:
                self._run = None

    def delete(self, key: str) -> bool:
        """Delete the trial of an id; whether there was one."""
        if self._run is not None and key in self._run:
            self._flush()
        found = self._find(key)
        if found is None:
            return False
        segment, doc = found
        self._bury(segment, np.array([doc]))
        self.uncommitted += 1
        return True

    def _bury(self, segment: Segment, docs: npt.NDArray[np.integer]) -> None:
        place = self._segments.index(segment)
        # Never in place: somebody may hold the mask.
        live = np.ones(segment.size, np.bool_) if segment.live is None else segment.live.copy()
        live[docs] = False
        segment.live = live
        self._entries[place] = Entry(self._entries[place].file, segment.file.digest)

    def adopt(self, path: Path) -> None:
        """Take a finished segment file over, moving it into the index; its trials take the place of those
        with the same id.
        """
        self._flush()
        target = self._next("seg")
        disk.DISK.replace(path, target)
        disk.DISK.sync_folder(self.folder)
        self._take(target)
        self.uncommitted += self._segments[-1].size

    def _take(self, path: Path) -> None:
        segment = Segment(path)
        for other in self._segments:
            docs = other.among(segment.keys.keys)
            if len(docs):
                self._bury(other, docs)
        self._segments.append(segment)
        self._entries.append(Entry(path.name, segment.file.digest))
        if self._merge and len(self._segments) >= _MOST_OPEN:
            self._drop_empty()
            self._settle()

    def _flush(self) -> None:
        if self._run is not None and len(self._run):
            path = self._next("seg")
            self._run.write(path)
            # The trials of the run take the place of earlier ones all at once.
            self._take(path)

    def commit(self) -> None:
        """Make all that was put, adopted and deleted permanent and visible to new snapshots; where that is
        nothing, the files stay as they are.
        """
        self._flush()
        if self.uncommitted:
            self._drop_empty()
            if self._merge:
                self._settle()
            self._write_contents()

    def merge(self) -> None:
        """Make one segment of all, and commit."""
        self._flush()
        self._drop_empty()
        if len(self._segments) > 1 or any(segment.live is not None for segment in self._segments):
            self._join(list(range(len(self._segments))))
            self.uncommitted += 1
        if self.uncommitted:
            self._write_contents()

    @property
    def segments(self) -> list[tuple[int, int]]:
        """Live and all documents of each segment, in order; what is still in memory is none yet."""
        return [(segment.documents, segment.size) for segment in self._segments]

    def _drop_empty(self) -> None:
        for place in reversed(range(len(self._segments))):
            if not self._segments[place].documents:
                self._segments.pop(place).close()
                self._entries.pop(place)

    def _settle(self) -> None:
        """Merge what the policy says, until it says nothing."""
        from trialindex.segments.merging import policy

        while chosen := policy(self.segments):
            self._join(chosen)

    def _join(self, chosen: list[int]) -> None:
        from trialindex.segments.merging import merge_segments

        parts = [self._segments[place] for place in chosen]
        path = self._next("seg")
        merge_segments(parts, path)
        segment = Segment(path)
        for place in reversed(chosen):
            self._segments.pop(place).close()
            self._entries.pop(place)
        self._segments.insert(chosen[0], segment)
        self._entries.insert(chosen[0], Entry(path.name, segment.file.digest))

    def _write_contents(self) -> None:
        for place, segment in enumerate(self._segments):
            entry = self._entries[place]
            if segment.live is not None and not entry.deleted:
                path = self._next("live")
                digest = write_deleted(path, segment.live)
                self._entries[place] = Entry(entry.file, entry.digest, path.name, digest)
        contents = Contents(self._contents.generation + 1, self._number, tuple(self._entries))
        disk.write_whole(self.folder / CONTENTS, contents.text().encode())
        self._contents = contents
        self.uncommitted = 0
        # What was committed stays so, whether or not what it replaced can be removed.
        with suppress(OSError):
            self._sweep()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            try:
                # What was not committed is no longer named by anything; the next writer tries again.
                with suppress(OSError, TrialError):
                    self._sweep()
            finally:
                self._release()


def segment_keys(path: Path) -> list[str]:
    """Return the trial ids of a segment file, in the order of its documents."""
    segment = Segment(path)
    try:
        return [key.decode() for key in segment.keys.keys.tolist()]
    finally:
        segment.close()


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


class Snapshot:
    """One committed state of an index, to be read. Safe to share between threads.

    Documents are numbered from 0 to `size`, segment after segment, deleted ones included; the numbers hold
    for this snapshot only. `live`: bool[size], None where nothing is deleted. Arrays are shared: do not
    change them. Terms and names are text; areas are those of `trialindex.fields.area_fields`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for attempt in range(10):
            self._made = _stamp(folder)
            self._seen, self._sure = (0, 0, 0), False
            contents = read_contents(folder)
            try:
                self._segments = open_segments(folder, contents)
                break
            except FileNotFoundError as error:
                # A writer may have committed, and removed the segment, since the table was read.
                if attempt == 9 or _stamp(folder) == self._made:
                    raise IndexDamaged(
                        f"{Path(str(error.filename)).name} is missing from {folder}: build the index again"
                    ) from error
        self.generation = contents.generation
        sizes = [segment.size for segment in self._segments]
        self._bases = [sum(sizes[:place]) for place in range(len(sizes))]
        self.size = sum(sizes)
        self.live = self._live()
        self._count = self.size if self.live is None else int(self.live.sum())
        self._lock = threading.Lock()
        self._postings: OrderedDict[tuple[str, str], Postings] = OrderedDict()
        self._cached = 0
        self._norms: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self._means: dict[str, float] = {}
        self._columns: dict[str, npt.NDArray[np.float64]] = {}
        self._codes: dict[str, CodeColumn] = {}
        self._sites: Sites | None = None
        self._all_keys: npt.NDArray[np.bytes_] | None = None
        self._places: dict[str, list[tuple[int, Segment, int]]] = {}
        self._reading = Reading(folder)

    def _live(self) -> npt.NDArray[np.bool_] | None:
        if all(segment.live is None for segment in self._segments):
            return None
        return np.concatenate(
            [
                np.ones(segment.size, np.bool_) if segment.live is None else segment.live
                for segment in self._segments
            ]
        )

    def reading(self) -> Reading:
        """Return a context that turns what reading damaged arrays raises into IndexDamaged."""
        return self._reading

    def close(self) -> None:
        """Give the files back."""
        for segment in self._segments:
            segment.close()

    def is_current(self) -> bool:
        """Whether no newer state was committed."""
        seen = _status(self.folder)
        if self._sure and seen == self._seen:
            return True
        if _stamp(self.folder) != self._made:
            return False
        # A file that was old when it was read has another time or number when it is replaced.
        self._seen, self._sure = seen, time.time_ns() - seen[1] > _TICK
        return True

    def __len__(self) -> int:
        return self._count

    def docs(self) -> U32:
        """Return uint32[n]: the live documents, ascending."""
        if self.live is None:
            return np.arange(self.size, dtype=np.uint32)
        return np.flatnonzero(self.live).astype(np.uint32)

    def _parts(self) -> Iterator[tuple[int, Segment]]:
        return zip(self._bases, self._segments, strict=True)

    def _ordinals(self, term: str) -> list[tuple[int, Segment, int]]:
        """Return (first document, segment, number of the term in it) for the segments that have a term."""
        found = self._places.get(term)
        if found is None:
            data = term.encode("utf-8", "replace")
            found = [
                (base, segment, ordinal)
                for base, segment in self._parts()
                if (ordinal := segment.postings.terms.find(data)) >= 0
            ]
            # Queries ask for a word several times in a row: its frequency, its postings, its places.
            if len(self._places) >= _KEPT_PLACES:
                self._places.clear()
            self._places[term] = found
        return found

    def mean_length(self, area: str) -> float:
        """Return the mean weighted length of a document in an area, in hundredths."""
        found = self._means.get(area)
        if found is None:
            with self._reading:
                total = sum(int(segment.lengths(area).sum(dtype=np.uint64)) for segment in self._segments)
            found = self._means[area] = total / self.size if self.size else 0.0
        return found

    def lengths(self, area: str) -> U32:
        """Return uint32[size]: the weighted lengths of the documents in an area, in hundredths."""
        with self._reading:
            parts = [segment.lengths(area) for segment in self._segments]
        return np.concatenate(parts) if parts else np.empty(0, np.uint32)

    def norms(self, area: str) -> npt.NDArray[np.float32]:
        """Return float32[size]: `k1 * (1 - b + b * length / mean length)` of each document in an area."""
        found = self._norms.get(area)
        if found is None:
            with self._reading:
                found = norms(self.lengths(area), self.mean_length(area))
            found.setflags(write=False)
            with self._lock:
                self._norms[area] = found
                while len(self._norms) > _CACHED_AREAS:
                    self._norms.popitem(last=False)
        return found

    def postings(self, term: str, area: str) -> Postings:
        """Return the documents of a term in an area with their weighted frequencies; empty arrays where there
        are none.
        """
        key = (area, term)
        found = self._postings.get(key)
        if found is not None:
            with suppress(KeyError):  # another thread may have dropped it since
                self._postings.move_to_end(key)
            return found
        with self._reading:
            parts = [
                (base, segment.postings.postings(ordinal, area, self.mean_length(area)))
                for base, segment, ordinal in self._ordinals(term)
            ]
            # Of a list that is empty here, no bound is known; it would loosen that of the others.
            parts = [part for part in parts if len(part[1].docs)]
            found = joined(parts) if parts else Postings(_NONE, _NONE, 0.0)
            if len(found.docs) and int(found.docs[-1]) >= self.size:
                raise IndexDamaged(f"the index in {self.folder} is damaged (documents): build it again")
        found.docs.setflags(write=False)
        found.sums.setflags(write=False)
        with self._lock:
            if key not in self._postings:
                self._postings[key] = found
                self._cached += _size(found)
                while self._cached > _CACHED and len(self._postings) > 1:
                    self._cached -= _size(self._postings.popitem(last=False)[1])
        return found

    def frequency(self, term: str, area: str) -> int:
        """Return how many documents have a term in an area, deleted ones included."""
        total = 0
        with self._reading:
            for _, segment, ordinal in self._ordinals(term):
                folded = segment.postings.area_frequency(ordinal, area)
                if folded is None:
                    return len(self.postings(term, area).docs)
                total += folded
        return total

    def anywhere(self, term: str) -> int:
        """Return how many documents have a term in any field, deleted ones included."""
        with self._reading:
            return sum(segment.postings.frequency(ordinal) for _, segment, ordinal in self._ordinals(term))

    def occurrences(self, term: str, docs: U32 | None = None) -> Occurrences:
        """Return where a term stands, in all documents or in those given (ascending)."""
        with self._reading:
            parts = []
            for base, segment, ordinal in self._ordinals(term):
                wanted = docs
                if docs is not None and len(self._segments) > 1:
                    low, high = np.searchsorted(docs, np.array([base, base + segment.size], np.uint32))
                    if low == high:
                        continue
                    wanted = docs[low:high] - np.uint32(base)
                found = segment.postings.occurrences(ordinal, wanted)
                parts.append((base, found))
        if len(parts) == 1 and not parts[0][0]:
            return parts[0][1]
        if not parts:
            return Occurrences(_NONE, np.empty(0, np.uint8), _NONE)
        return Occurrences(
            np.concatenate([part.docs + np.uint32(base) for base, part in parts]),
            np.concatenate([part.fields for _, part in parts]),
            np.concatenate([part.positions for _, part in parts]).astype(np.uint32, copy=False),
        )

    def terms(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (term, documents that have it anywhere) of the terms that begin with a prefix, in order."""
        data = prefix.encode("utf-8", "replace")
        with self._reading:
            yield from _counted([_segment_terms(segment, data) for segment in self._segments])

    def names(self, field: str, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (name, document frequency) of a field's names that begin with a prefix, in order."""
        with self._reading:
            readers = [reader for segment in self._segments if (reader := segment.names(field)) is not None]
            yield from _counted([reader.prefix(prefix) for reader in readers])

    def named(self, field: str, name: str) -> U32:
        """Return uint32[n]: the documents that have exactly this name in a field, ascending."""
        with self._reading:
            parts = [
                reader.docs(name) + np.uint32(base)
                for base, segment in self._parts()
                if (reader := segment.names(field)) is not None
            ]
        return np.concatenate(parts) if parts else _NONE

    def column(self, field: str) -> npt.NDArray[np.float64]:
        """Return float64[size]: a field's number for every document, NaN where there is none."""
        found = self._columns.get(field)
        if found is None:
            with self._reading:
                parts = [segment.numbers(field) for segment in self._segments]
                found = np.concatenate(parts) if parts else np.empty(0)
            found.setflags(write=False)
            self._columns[field] = found
        return found

    def codes(self, field: str) -> CodeColumn:
        """Return the codes of a field for every document."""
        found = self._codes.get(field)
        if found is None:
            with self._reading:
                found = merge_codes([(segment.codes(field), None) for segment in self._segments])
            self._codes[field] = found
        return found

    def sites(self) -> Sites:
        """Return the coordinates of the sites of every document, deleted ones included.

        `offsets`: int64[size + 1]; `latitudes`, `longitudes`: float64[n], degrees. Those of document d are
        offsets[d]..offsets[d + 1]-1; it has none where the two are the same. Read once, and kept.
        """
        found = self._sites
        if found is None:
            with self._reading:
                found = Sites.joined([segment.sites() for segment in self._segments])
            for array in found:
                array.setflags(write=False)
            self._sites = found
        return found

    def starts(self, doc: int) -> dict[str, list[int]]:
        """Return field -> positions at which its values start in a document, and where one more would."""
        with self._reading:
            base, segment = self._at(doc)
            return segment.values(doc - base, doc - base + 1).of_document(0)

    def _at(self, doc: int) -> tuple[int, Segment]:
        for base, segment in self._parts():
            if base <= doc < base + segment.size:
                return base, segment
        raise IndexError(f"no document {doc}")

    def key(self, doc: int) -> str:
        """Return the trial id of a document."""
        with self._reading:
            base, segment = self._at(doc)
            key: bytes = segment.keys.keys[doc - base]
            return key.decode()

    def keys(self, docs: U32) -> npt.NDArray[np.bytes_]:
        """Return the trial ids of documents."""
        with self._reading:
            if self._all_keys is None:
                parts = [segment.keys.keys for segment in self._segments]
                self._all_keys = parts[0] if len(parts) == 1 else np.concatenate(parts or [_NO_KEYS])
            return self._all_keys[docs]

    def find_key(self, key: str) -> int | None:
        """Return the document of a trial's own id."""
        with self._reading:
            for base, segment in self._parts():
                doc = segment.find(key)
                if doc is not None:
                    return base + doc
        return None

    def find(self, identifier: str) -> int | None:
        """Return the document of a trial id or one of its former ids (aliases); the own id goes first."""
        found = self.find_key(identifier)
        if found is not None:
            return found
        docs = self.named("AnyId", identifier)
        live = docs if self.live is None else docs[self.live[docs]]
        return int(live[0]) if len(live) else None

    def study(self, doc: int) -> dict[str, Any]:
        """Return the stored study of a document."""
        with self._reading:
            base, segment = self._at(doc)
            return study_of(segment, doc - base)


_NONE: U32 = np.empty(0, np.uint32)
_NO_KEYS: npt.NDArray[np.bytes_] = np.empty(0, "S1")


def _size(postings: Postings) -> int:
    return 200 + postings.docs.nbytes + postings.sums.nbytes


def _segment_terms(segment: Segment, prefix: bytes) -> Iterator[tuple[str, int]]:
    terms = segment.postings.terms
    low, high = terms.range(prefix)
    while low < high:
        end = min(high, low + 4096)
        for ordinal, term in enumerate(terms.slice(low, end), low):
            yield term.decode(), segment.postings.frequency(ordinal)
        low = end


def _counted(parts: Iterable[Iterator[tuple[str, int]]]) -> Iterator[tuple[str, int]]:
    """Yield each text once with the sum of its counts, over sorted lists."""
    held, total = "", 0
    for text, count in heapq.merge(*parts):
        if text == held:
            total += count
        else:
            if total:
                yield held, total
            held, total = text, count
    if total:
        yield held, total


def open_snapshot(folder: Path) -> Snapshot:
    """Open the newest committed state of the index in a folder.

    Raises IndexMissing where there is none, IndexDamaged where it cannot be read.
    """
    return Snapshot(folder)


def stored_studies(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, stored study) of every trial."""
    snapshot = open_snapshot(folder)
    try:
        for doc in snapshot.docs().tolist():
            yield snapshot.key(doc), snapshot.study(doc)
    finally:
        snapshot.close()
