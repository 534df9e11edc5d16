"""The index on disk: create, open, write, read. The only module that knows Whoosh's storage.

A folder holds Whoosh's own files, `trialsearch.json` (what the index is: schema and analysis version),
`trialsearch.lock` (which a writer holds) and, where input could not be read, `rejects.jsonl`. A `Writer`
collects and commits; a `Snapshot` answers from the state that it opened, while writers commit beside it.

Whoosh's files are pickles: open only indexes that you, or somebody you trust, built.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from whoosh import scoring
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import clean_files
from whoosh.util.filelock import FileLock

from trialindex.document import Document
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing, TrialError
from trialindex.whoosh_fields import MISSING, schema

__all__ = ["SCHEMA_VERSION", "Snapshot", "Writer", "exists", "open_snapshot"]

# Raised whenever fields, analysis or the stored form change, so that an old index is rebuilt and never
# misread.
SCHEMA_VERSION = 1
_MANIFEST = "trialsearch.json"
_LOCK = "trialsearch.lock"
# Postings (not lists) that a snapshot keeps ready, whatever the size of the index.
_CACHED_POSTINGS = 4_000_000
# The same for lists of positions.
_CACHED_PLACES = 400_000


def pack(study: dict[str, Any]) -> bytes:
    """Return a study as it is stored: JSON, keys in their order, compressed."""
    text = json.dumps(study, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack(data: bytes) -> dict[str, Any]:
    """Return the study of a stored record. Raises IndexDamaged where the bytes are not one."""
    try:
        study = json.loads(zlib.decompress(data))
    except (zlib.error, ValueError, RecursionError) as error:
        raise IndexDamaged(f"a stored record cannot be read ({error}): rebuild the index") from error
    if not isinstance(study, dict):
        raise IndexDamaged("a stored record is no study: rebuild the index")
    return study


def exists(folder: Path) -> bool:
    """Whether a folder holds an index of ours."""
    return (folder / _MANIFEST).is_file()


def _check(folder: Path) -> None:
    if not exists(folder):
        if _has_commits(folder):
            raise IndexDamaged(
                f"{folder} holds the files of an index, but no {_MANIFEST}: move them away and build it again"
            )
        raise IndexMissing(
            f"no index in {folder}: build one with `trialsearch index SOURCE --index {folder}`"
        )
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        version = manifest["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{folder / _MANIFEST} cannot be read ({error}): `trialsearch index --rebuild --index {folder}` "
            "writes it anew"
        ) from error
    if version != SCHEMA_VERSION:
        raise IndexDamaged(
            f"{folder} was built by another version (schema {version}, this one reads {SCHEMA_VERSION}): "
            f"build it again from its sources, or `trialsearch index --rebuild --index {folder}`"
        )


def _made(folder: Path) -> tuple[int, int]:
    """Return what tells an index in a folder from another one there before it."""
    status = (folder / _MANIFEST).stat()
    return status.st_ino, status.st_mtime_ns


def _has_commits(folder: Path) -> bool:
    # Whoosh numbers its commits from 1; a 0 is left by a crash while the index was being created.
    return any(toc.name != "_MAIN_0.toc" for toc in folder.glob("_MAIN_*.toc"))


def _write_whole(path: Path, text: str) -> None:
    """Write a small file so that a crash leaves the old or the new one."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Turn what Whoosh raises over damaged files into IndexDamaged."""
    try:
        yield
    except TrialError:
        raise
    except Exception as error:
        # Whoosh has no error of its own for damage: it raises anything, a bare Exception too.
        raise IndexDamaged(
            f"the index in {folder} is damaged ({type(error).__name__}: {error}): build it again"
        ) from error


def _open(folder: Path) -> Any:
    _check(folder)
    with _reading(folder):
        return FileStorage(str(folder)).open_index()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the right to write to an index. Raises IndexLocked at once where somebody else holds it.

    The lock is the operating system's: a process that is killed leaves none.
    """
    lock = FileLock(str(folder / _LOCK))
    if not lock.acquire():
        raise IndexLocked(f"another process is writing to {folder}: wait for it to end, then try again")
    try:
        yield
    finally:
        lock.release()


class Writer:
    """Adds, replaces and deletes trials; what was committed stays, whatever happens after.

    Use as a context: leaving it normally commits, leaving it by an exception drops what was not yet
    committed. Only one writer at a time: a second one raises IndexLocked at once.
    """

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        if not create:
            _check(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._reader: Snapshot | None = None
        self._writer: Any = None  # Whoosh's; there is one only while something is to be written
        self._touched: set[str] = set()  # keys put or deleted since the last commit
        with ExitStack() as held:
            # Held from commit to commit too, which Whoosh's own lock is not.
            held.enter_context(locked(folder))
            if not exists(folder):
                if _has_commits(folder):
                    _check(folder)
                FileStorage(str(folder)).create_index(schema())
                _write_whole(folder / _MANIFEST, json.dumps({"schema": SCHEMA_VERSION}) + "\n")
            self._index = _open(folder)
            self._held = held.pop_all()

    def _open_writer(self) -> Any:
        if self._writer is None:
            # Packed lightly: more saves little room and costs time at every commit and query.
            self._writer = self._index.writer(limitmb=64, codec=W3Codec(compression=1))
        return self._writer

    def _committed(self) -> Snapshot:
        if self._reader is None:
            self._reader = Snapshot(self.folder, self._index)
        return self._reader

    def _settle(self, key: str) -> None:
        # Whoosh shows nothing of an open writer; a commit does, and is seldom needed for this.
        if key in self._touched:
            self.commit()

    @property
    def uncommitted(self) -> int:
        """How many trials were put or deleted since the last commit."""
        return len(self._touched)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the stored study of an id, what was put a moment ago included, or None."""
        self._settle(key)
        reader = self._committed()
        doc = reader.find_key(key)
        return None if doc is None else reader.study(doc)

    def put(self, key: str, study: dict[str, Any]) -> None:
        """Store a study under its id, in place of any earlier one."""
        self._settle(key)
        document = Document.of(study)
        values: dict[str, Any] = {**document.text, **document.codes, **document.names, **document.numbers}
        replaces = self._committed().find_key(key) is not None
        writer = self._open_writer()
        self._touched.add(key)
        if replaces:
            writer.delete_by_term("Key", key)
        writer.add_document(Key=key, Record=pack(study), **values)

    def delete(self, key: str) -> bool:
        """Delete the trial of an id; whether there was one."""
        self._settle(key)
        if self._committed().find_key(key) is None:
            return False
        self._touched.add(key)
        self._open_writer().delete_by_term("Key", key)
        return True

    def commit(self) -> None:
        """Make all that was put and deleted permanent and visible to new snapshots; where that is nothing,
        the files stay as they are.
        """
        self._close_reader()
        if self._writer is not None:
            try:
                self._writer.commit()
            except BaseException:
                self._drop()
                raise
            self._writer = None
        self._touched.clear()

    def _drop(self) -> None:
        """Forget what was not committed, and its files."""
        writer, self._writer = self._writer, None
        self._touched.clear()
        if writer is None or writer.is_closed:
            return
        try:
            writer.cancel()
        finally:
            if writer.writelock.fd is not None:
                writer.writelock.release()
            committed = self._index._read_toc()
            clean_files(self._index.storage, self._index.indexname, committed.generation, committed.segments)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        with self._held:
            if kind is None:
                self.commit()
            else:
                self._close_reader()
                self._drop()
            self._index.close()


def replace(old: Path, new: Path) -> None:
    """Put a freshly built index in the place of an old one; the old one's rejects come along."""
    rejects = old / "rejects.jsonl"
    if rejects.is_file():
        shutil.copy2(rejects, new / rejects.name)
    shutil.copymode(old, new)
    aside = new.with_name(new.name + ".old")
    old.rename(aside)
    try:
        new.rename(old)
    except BaseException:
        aside.rename(old)
        raise
    shutil.rmtree(aside)


class Snapshot:
    """One committed state of an index, to be read. Safe to share between threads.

    Documents are numbered from 0; the numbers hold for this snapshot only.
    """

    def __init__(self, folder: Path, opened: Any = None) -> None:
        self.folder = folder
        self._index = opened if opened is not None else _open(folder)
        self._lock = threading.RLock()  # Whoosh's readers share one file position
        # Asked before the reader opens: a commit in between only makes this snapshot look older than it is.
        self.generation = int(self._index.latest_generation())
        self._made = _made(folder)
        with _reading(folder):
            self._searcher = self._index.searcher(weighting=scoring.BM25F())
            self._reader = self._searcher.reader()
        self._postings: OrderedDict[tuple[str, str], dict[int, float]] = OrderedDict()
        self._cached = 0
        self._columns: dict[str, list[float | None]] = {}
        self._docs: frozenset[int] | None = None
        self._key_column: Any = None
        self._keys: dict[int, str] = {}
        self._positions: OrderedDict[tuple[str, str], dict[int, list[int]]] = OrderedDict()
        self._placed = 0

    @contextmanager
    def _files(self) -> Iterator[None]:
        with self._lock, _reading(self.folder):
            yield

    def close(self) -> None:
        """Give the files back."""
        with self._files():
            self._searcher.close()

    def is_current(self) -> bool:
        """Whether no newer state was committed."""
        with self._files():
            # An index that was rebuilt counts its generations from 1 again.
            made = _made(self.folder)
            return bool(self._index.latest_generation() == self.generation and made == self._made)

    def __len__(self) -> int:
        return int(self._reader.doc_count())

    def docs(self) -> frozenset[int]:
        """Return the numbers of all documents."""
        with self._files():
            if self._docs is None:
                self._docs = frozenset(self._reader.all_doc_ids())
            return self._docs

    def postings(self, field: str, term: str) -> dict[int, float]:
        """Return document -> score (BM25 of the term in the field, unweighted) of a term; {} where it does
        not occur.

        Score: `idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length))`, b = 0.75, k1 = 1.2, the
        idf that of the field (Whoosh's BM25F weighting). The dict is shared: do not change it.
        """
        key = (field, term)
        with self._files():
            if (known := self._postings.get(key)) is not None:
                self._postings.move_to_end(key)
                return known
            found: dict[int, float] = {}
            if (field, term.encode()) in self._reader:
                for searcher, offset in self._searcher.leaf_searchers():
                    if (field, term.encode()) not in searcher.reader():
                        continue
                    matcher = searcher.postings(field, term.encode())
                    while matcher.is_active():
                        found[matcher.id() + offset] = matcher.score()
                        matcher.next()
            self._postings[key] = found
            self._cached += len(found) + 1
            while self._cached > _CACHED_POSTINGS and len(self._postings) > 1:
                self._cached -= len(self._postings.popitem(last=False)[1]) + 1
            return found

    def positions(self, field: str, term: str, within: frozenset[int] | set[int]) -> dict[int, list[int]]:
        """Return document -> ascending positions of a term in a field, for at least the documents asked.

        The dict is shared: do not change it.
        """
        key = (field, term)
        with self._files():
            known = self._positions.setdefault(key, {})
            self._positions.move_to_end(key)
            missing = within - known.keys()
            if missing:
                found = self._read_positions(field, term, missing)
                known.update(found)
                self._placed += len(found)
                while self._placed > _CACHED_PLACES and len(self._positions) > 1:
                    self._placed -= len(self._positions.popitem(last=False)[1])
            return known

    def _read_positions(self, field: str, term: str, docs: frozenset[int] | set[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for searcher, offset in self._searcher.leaf_searchers():
            if (field, term.encode()) not in searcher.reader():
                continue
            matcher = searcher.postings(field, term.encode())
            for doc in sorted(doc - offset for doc in docs if doc >= offset):
                if not matcher.is_active():
                    break
                matcher.skip_to(doc)
                if matcher.is_active() and matcher.id() == doc:
                    found[doc + offset] = matcher.value_as("positions")
        return found

    def frequency(self, field: str, term: str) -> int:
        """Return how many documents have the term in the field."""
        with self._files():
            return int(self._reader.doc_frequency(field, term.encode()))

    def terms(self, field: str, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (term, document frequency) of a field's terms that begin with a prefix, in order."""
        # Segment by segment: over all of them at once Whoosh looks up every term in every segment again.
        found: dict[bytes, int] = {}
        with self._files():
            for searcher, _ in self._searcher.leaf_searchers():
                reader = searcher.reader()
                if field in reader.indexed_field_names():
                    for term, info in reader.iter_prefix(field, prefix.encode()):
                        found[bytes(term)] = found.get(bytes(term), 0) + int(info.doc_frequency())
        for term in sorted(found):
            yield term.decode("utf-8", "replace"), found[term]

    def occurrences(self, field: str, *, placed: bool) -> Iterator[tuple[bytes, int, list[int]]]:
        """Yield (term, document, positions) for all that a field holds; positions where it is `placed`."""
        with self._files():
            for term in map(bytes, self._reader.lexicon(field)):
                matcher = self._reader.postings(field, term)
                while matcher.is_active():
                    yield term, matcher.id(), matcher.value_as("positions") if placed else []
                    matcher.next()

    def column(self, field: str) -> list[float | None]:
        """Return a field's number for every document, by document number; None where there is none."""
        with self._files():
            if field not in self._columns:
                found: list[float | None] = [None] * self._reader.doc_count_all()
                # Segment by segment: over all of them Whoosh takes the values of one that has none from the
                # next one.
                for reader, offset in self._reader.leaf_readers():
                    if reader.has_column(field):
                        held = reader.column_reader(field)
                        for doc in range(reader.doc_count_all()):
                            if (value := held[doc]) != MISSING:
                                found[offset + doc] = float(value)
                self._columns[field] = found
            return self._columns[field]

    def find_key(self, key: str) -> int | None:
        """Return the document of a trial's own id."""
        return self._first("Key", key)

    def find(self, identifier: str) -> int | None:
        """Return the document of a trial id or one of its former ids (aliases); the own id goes first."""
        found = self.find_key(identifier)
        return self._first("AnyId", identifier) if found is None else found

    def _first(self, field: str, term: str) -> int | None:
        with self._files():
            if (field, term.encode()) not in self._reader:
                return None
            matcher = self._reader.postings(field, term.encode())
            return int(matcher.id()) if matcher.is_active() else None

    def study(self, doc: int) -> dict[str, Any]:
        """Return the stored study of a document."""
        with self._files():
            data = self._reader.stored_fields(doc).get("Record")
        if not isinstance(data, bytes):
            raise IndexDamaged(f"document {doc} has no stored record: rebuild the index")
        return unpack(data)

    def key(self, doc: int) -> str:
        """Return the trial id of a document."""
        known = self._keys.get(doc)
        if known is None:
            with self._files():
                if self._key_column is None:
                    self._key_column = self._reader.column_reader("Key")
                known = self._keys[doc] = str(self._key_column[doc])
        return known


def open_snapshot(folder: Path) -> Snapshot:
    """Open the newest committed state of the index in a folder.

    Raises IndexMissing where there is none, IndexDamaged where it cannot be read.
    """
    return Snapshot(folder)


def stored_studies(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, stored study) of every trial, whatever schema version the index has."""
    with _reading(folder), FileStorage(str(folder)).open_index().reader() as reader:
        for _doc, held in reader.iter_docs():
            study = unpack(held["Record"])
            yield study["protocolSection"]["identificationModule"]["nctId"].strip(), study
