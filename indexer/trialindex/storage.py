"""Writing to an index: trials are put, replaced and deleted, and a commit makes that visible, whole.

A `Writer` collects and commits; before a commit the index is what it was, after it what it is now
(`trialindex.contents`). Segments that grow many are merged (`trialindex.segments.merging`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex import quick_json
from trialindex.contents import (
    CONTENTS,
    Aside,
    Contents,
    Entry,
    exists,
    is_ours,
    open_segments,
    read_contents,
)
from trialindex.errors import IndexDamaged, IndexLocked, TrialError
from trialindex.fields import NAME_FIELDS
from trialindex.segments import disk
from trialindex.segments.segment import Segment, write_deleted
from trialindex.segments.tokens import TERM
from trialindex.snapshot import counted, segment_terms, study_of

if TYPE_CHECKING:
    from trialindex.segments.run import Run
    from trialindex.vocabulary.completions import Linked
    from trialindex.vocabulary.linking import Linker
    from trialindex.vocabulary.mapped import Vocabulary

__all__ = ["Writer", "locked", "pack", "segment_keys"]

_LOCK = "trialsearch.lock"
# Bytes of documents in memory above which a writer makes a segment of them.
_RUN = 256 << 20
# Segments that a writer holds open before it merges some, whether or not it commits: each takes one of the
# files that the system lets a process have open.
_MOST_OPEN = 200
# What the trials teach is worked out anew when one in so many came or went.
_LEARN_FROM = 100


def pack(study: dict[str, Any]) -> bytes:
    """Return a study as it is stored: JSON, keys in their order."""
    return quick_json.dumps(study)


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
        self._names: Vocabulary | None = None
        self._linker: Linker | None = None
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
        self._vocabulary = self._contents.vocabulary
        self._learned = self._contents.learned
        self._unlearned = self._contents.unlearned
        # Whether the table of contents is to name other files, though no trial came or went.
        self._changed = False
        self.uncommitted = 0

    def _release(self) -> None:
        for segment in self._segments:
            segment.close()
        self._forget_linker()
        self._lock.__exit__(None, None, None)

    def _sweep(self) -> None:
        """Remove what no table of contents names: what a killed writer left."""
        if read_contents(self.folder) != self._contents:
            return  # a commit failed after the table was renamed: it may hold, and names other files
        for path in self.folder.iterdir():
            if is_ours(path.name) and path.name not in self._contents.files:
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
        self._run.add(key, pack(study), Document.of(study, self._link()))
        self.uncommitted += 1
        if self._run.memory > self._memory:
            self._flush()
            # The words that it knows stay from run to run, unless they leave too little room.
            if self._run.memory > self._memory // 2:
                self._run = None

    @property
    def vocabulary(self) -> Path | None:
        """The file of the vocabulary that trials are linked with; None where they are not."""
        return self.folder / self._vocabulary.file if self._vocabulary.file else None

    def use_vocabulary(self, write: Callable[[Path], None]) -> None:
        """Link trials from now on with the vocabulary that `write` writes to a path (`vocabulary.mapped`).
        What is in the index stays linked as it is, until it is put again.

        Raises IndexDamaged where the file that was written is none.
        """
        from trialindex.vocabulary.mapped import Vocabulary

        path = self._next("voc")
        write(path)
        vocabulary = Vocabulary(path)
        self._vocabulary = Aside(path.name, vocabulary.digest)
        vocabulary.close()
        self._forget_linker()
        self._changed = True

    def _link(self) -> Linker | None:
        if self._linker is None and self._vocabulary.file:
            from trialindex.vocabulary.linking import Linker
            from trialindex.vocabulary.mapped import Vocabulary

            self._names = Vocabulary(self.folder / self._vocabulary.file)
            self._linker = Linker(self._names)
        return self._linker

    def _forget_linker(self) -> None:
        if self._linker is not None:
            self._linker = None
        if self._names is not None:
            self._names.close()
            self._names = None

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
        if self.uncommitted or self._changed:
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
            self._changed = True
        if self.uncommitted or self._changed:
            self._write_contents()

    def learn(self, *, anew: bool = False) -> None:
        """Work out what the trials teach (`trialindex.vocabulary.learned`), for the next commit to name:
        where enough of them came or went since it was last done, or whatever came (`anew`).
        """
        self._flush()
        self._drop_empty()
        trials = sum(segment.documents for segment in self._segments)
        unlearned = self._unlearned + self.uncommitted
        if not trials or not (anew or _LEARN_FROM * unlearned >= trials):
            return
        from trialindex.vocabulary.concepts import kinds_mask
        from trialindex.vocabulary.learned import Learned
        from trialindex.vocabulary.mapped import Vocabulary
        from trialindex.vocabulary.teaching import name_words, write_learned

        def names(field: str) -> Iterator[tuple[str, int]]:
            held = (segment.names(field) for segment in self._segments)
            return counted(one.prefix() for one in held if one is not None)

        path = self._next("lrn")
        vocabulary = None if self.vocabulary is None else Vocabulary(self.vocabulary)
        try:
            words = name_words(
                (name, trials, kinds_mask({kind}))
                for kind, field in NAME_FIELDS.items()
                for name, trials in names(field)
            )
            write_learned(
                path,
                names("Definition"),
                names("OtherName"),
                words,
                vocabulary,
                names={kind: names(field) for kind, field in NAME_FIELDS.items()},
                concepts=() if vocabulary is None else _linked(self._segments, vocabulary),
            )
        finally:
            if vocabulary is not None:
                vocabulary.close()
        learned = Learned(path)
        self._learned = Aside(path.name, learned.digest)
        learned.close()
        self._unlearned = -self.uncommitted
        self._changed = True

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
        self._unlearned += self.uncommitted
        contents = Contents(
            self._contents.generation + 1,
            self._number,
            tuple(self._entries),
            self._vocabulary,
            self._learned,
            self._unlearned,
        )
        disk.write_whole(self.folder / CONTENTS, contents.text().encode())
        self._contents = contents
        self.uncommitted = 0
        self._changed = False
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


def _linked(segments: list[Segment], vocabulary: Vocabulary) -> Iterator[Linked]:
    """Yield the concepts of a vocabulary that trials are linked to, or to a narrower one."""
    from trialindex.vocabulary.completions import Linked

    for term, trials in counted([segment_terms(segment, TERM.encode()) for segment in segments]):
        number = vocabulary.number_of(term.removeprefix(TERM))
        if number is not None:
            yield Linked.of(vocabulary.concept(number), trials)


def segment_keys(path: Path) -> list[str]:
    """Return the trial ids of a segment file, in the order of its documents."""
    segment = Segment(path)
    try:
        return [key.decode() for key in segment.keys.keys.tolist()]
    finally:
        segment.close()
