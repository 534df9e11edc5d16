"""The index on disk: create, open, write, read. The only module that knows Whoosh's storage.

A folder holds Whoosh's own files, `trialsearch.json` (what the index is: schema and analysis version) and,
where input could not be read, `rejects.jsonl`. A `Writer` collects and commits; a `Snapshot` answers from
the state that it opened, while writers commit beside it.

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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whoosh import columns, fields, formats, scoring
from whoosh.analysis import IDAnalyzer
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import LockError

from trialindex.analysis import value_tokens
from trialindex.document import Document, code_text
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing, TrialError
from trialindex.fields import FIELDS

__all__ = ["SCHEMA_VERSION", "Snapshot", "Writer", "exists", "open_snapshot"]

# Raised whenever fields, analysis or the stored form change, so that an old index is rebuilt and never
# misread.
SCHEMA_VERSION = 1
_MANIFEST = "trialsearch.json"
_MISSING = -1e300
# Postings (not lists) that a snapshot keeps ready, whatever the size of the index.
_CACHED_POSTINGS = 4_000_000


class _Analysed(fields.FieldType):  # type: ignore[misc]
    """A field of text or codes; the value is the list of its values, positions counted on over them."""

    def __init__(self) -> None:
        super().__init__(analyzer=IDAnalyzer(), format=formats.Positions(), scorable=True)

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        places: dict[str, list[int]] = {}
        for _number, token in value_tokens(value):
            places.setdefault(token.term, []).append(token.position)
        for term, positions in places.items():
            yield term.encode(), len(positions), float(len(positions)), self.format.encode(positions)


class _Codes(_Analysed):
    """A field of codes: each code is a term in its own capitals, and its words are text."""

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for code in dict.fromkeys(value):
            yield code.encode(), 1, 1.0, self.format.encode([0])
        yield from super().index([text for code in value if (text := code_text(code))])


class _Names(fields.FieldType):  # type: ignore[misc]
    """A field of whole values, each one term, neither scored nor placed."""

    def __init__(self) -> None:
        super().__init__(analyzer=IDAnalyzer(), format=formats.Existence(), scorable=False)

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for name in dict.fromkeys(value):
            yield name.encode()[:512], 1, 1.0, b""


def _schema() -> Any:
    kinds = {"text": _Analysed, "code": _Codes, "name": _Names}
    made: dict[str, Any] = {}
    for field in FIELDS.values():
        if field.kind in kinds:
            made[field.name] = kinds[field.kind]()
        else:
            made[field.name] = fields.COLUMN(columns.NumericColumn("d", default=_MISSING))
            if field.kind == "day":
                made[f"{field.name}Last"] = fields.COLUMN(columns.NumericColumn("d", default=_MISSING))
    return fields.Schema(Key=fields.ID(unique=True), Record=fields.STORED, **made)


def pack(study: dict[str, Any]) -> bytes:
    """Return a study as it is stored: JSON, keys in their order, compressed."""
    return zlib.compress(json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode(), 6)


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
        raise IndexMissing(
            f"no index in {folder}: build one with `trialsearch index SOURCE --index {folder}`"
        )
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        version = manifest["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(f"{folder / _MANIFEST} cannot be read ({error}): build the index again") from error
    if version != SCHEMA_VERSION:
        raise IndexDamaged(
            f"{folder} was built by another version (schema {version}, this one reads {SCHEMA_VERSION}): "
            f"build it again from its sources, or `trialsearch index --rebuild --index {folder}`"
        )


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


class Writer:
    """Adds, replaces and deletes trials; what was committed stays, whatever happens after.

    Use as a context: leaving it normally commits, leaving it by an exception drops what was not yet
    committed. Only one writer at a time: a second one raises IndexLocked at once.
    """

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        if not exists(folder):
            if not create:
                _check(folder)
            folder.mkdir(parents=True, exist_ok=True)
            FileStorage(str(folder)).create_index(_schema())
            _write_whole(folder / _MANIFEST, json.dumps({"schema": SCHEMA_VERSION}) + "\n")
        self.folder = folder
        self._index = _open(folder)
        self._writer: Any = None
        self._reader: Snapshot | None = None
        self._fresh: set[str] = set()
        self._start()

    def _start(self) -> None:
        try:
            # Postings as they are: packing each short list costs more time than it saves room.
            self._writer = self._index.writer(limitmb=256, codec=W3Codec(compression=0))
        except LockError as error:
            raise IndexLocked(
                f"another process is writing to {self.folder}: wait for it to end, then try again"
            ) from error

    @property
    def uncommitted(self) -> int:
        """How many trials were put since the last commit."""
        return len(self._fresh)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the stored study of an id, what was put a moment ago included, or None."""
        if key in self._fresh:
            # Whoosh shows nothing of an open writer; a commit does, and is seldom needed for this.
            self.commit()
        if self._reader is None:
            self._reader = Snapshot(self.folder, self._index)
        doc = self._reader.find_key(key)
        return None if doc is None else self._reader.study(doc)

    def put(self, key: str, study: dict[str, Any]) -> None:
        """Store a study under its id, in place of any earlier one."""
        if key in self._fresh:
            self.commit()
        document = Document.of(study)
        values: dict[str, Any] = {**document.text, **document.codes, **document.names, **document.numbers}
        if self._reader is not None and self._reader.find_key(key) is not None:
            self._writer.delete_by_term("Key", key)
        self._writer.add_document(Key=key, Record=pack(study), **values)
        self._fresh.add(key)

    def delete(self, key: str) -> bool:
        """Delete the trial of an id; whether there was one."""
        if key in self._fresh:
            self.commit()
        return bool(self._writer.delete_by_term("Key", key))

    def commit(self) -> None:
        """Make all that was put and deleted permanent and visible to new snapshots."""
        self._close_reader()
        self._writer.commit()
        self._fresh.clear()
        self._start()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._close_reader()
        if kind is None:
            self._writer.commit()
        else:
            self._writer.cancel()
        self._index.close()


def replace(old: Path, new: Path) -> None:
    """Put a freshly built index in the place of an old one; the old one's rejects come along."""
    rejects = old / "rejects.jsonl"
    if rejects.is_file():
        shutil.copy2(rejects, new / rejects.name)
    aside = old.with_name(old.name + ".old")
    old.rename(aside)
    new.rename(old)
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
        with _reading(folder):
            self._searcher = self._index.searcher(weighting=scoring.BM25F())
            self._reader = self._searcher.reader()
        self._postings: OrderedDict[tuple[str, str], dict[int, float]] = OrderedDict()
        self._cached = 0
        self._columns: dict[str, list[float | None]] = {}
        self._docs: frozenset[int] | None = None

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
            return bool(self._index.latest_generation() == self.generation)

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
        """Return document -> ascending positions of a term in a field, for the documents asked."""
        found: dict[int, list[int]] = {}
        with self._files():
            for searcher, offset in self._searcher.leaf_searchers():
                if (field, term.encode()) not in searcher.reader():
                    continue
                matcher = searcher.postings(field, term.encode())
                for doc in sorted(doc - offset for doc in within if doc >= offset):
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
        with self._files():
            found = [
                (bytes(term).decode("utf-8", "replace"), int(self._reader.doc_frequency(field, bytes(term))))
                for term in self._reader.expand_prefix(field, prefix.encode())
            ]
        yield from found

    def column(self, field: str) -> list[float | None]:
        """Return a field's number for every document, by document number; None where there is none."""
        with self._files():
            if field not in self._columns:
                size = self._reader.doc_count_all()
                if self._reader.has_column(field):
                    held = self._reader.column_reader(field)
                    self._columns[field] = [
                        None if (v := held[doc]) == _MISSING else float(v) for doc in range(size)
                    ]
                else:
                    self._columns[field] = [None] * size
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
        with self._files():
            if not hasattr(self, "_keys"):
                keys: dict[int, str] = {}
                for term in self._reader.lexicon("Key"):
                    matcher = self._reader.postings("Key", term)
                    while matcher.is_active():
                        keys[matcher.id()] = bytes(term).decode()
                        matcher.next()
                self._keys = keys
            return self._keys[doc]


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


def verify(folder: Path) -> list[str]:
    """Compare every document of an index with its stored record; return what differs, a line each, [] if
    nothing does.

    The terms and positions that a record should have are worked out anew and compared with those in the
    index, by a sum of checksums per document and field.
    """
    snapshot = Snapshot(folder)
    try:
        with _reading(folder):
            return list(_differences(snapshot))
    finally:
        snapshot.close()


def _differences(snapshot: Snapshot) -> Iterator[str]:
    reader = snapshot._reader
    schema = _schema()
    studies = {doc: snapshot.study(doc) for doc in snapshot.docs()}
    documents = {doc: Document.of(study) for doc, study in studies.items()}
    names = {doc: snapshot.key(doc) for doc in studies}
    for doc, study in studies.items():
        if (
            study.get("protocolSection", {}).get("identificationModule", {}).get("nctId", "").strip()
            != names[doc]
        ):
            yield f"{names[doc]}: the stored record has another id"
    for field in FIELDS.values():
        if field.kind in {"text", "code", "name"}:
            held = _sums_in_index(reader, field.name)
            for doc, document in documents.items():
                values = getattr(
                    document, {"text": "text", "code": "codes", "name": "names"}[field.kind]
                ).get(field.name)
                wanted = 0
                for term, _, _, value in schema[field.name].index(values) if values else ():
                    wanted += _checksum(term, value, schema[field.name].format)
                if held.get(doc, 0) != wanted % (1 << 64):
                    yield f"{names[doc]}: the terms of {field.name} are not those of the stored record"
        else:
            for name in (field.name, f"{field.name}Last") if field.kind == "day" else (field.name,):
                column = snapshot.column(name)
                for doc, document in documents.items():
                    if column[doc] != document.numbers.get(name):
                        yield f"{names[doc]}: {name} is not that of the stored record"


def _checksum(term: bytes, value: bytes, format_: Any) -> int:
    places = format_.decode_positions(value) if format_.supports("positions") else ()
    return zlib.crc32(term + b"\0" + ",".join(map(str, places)).encode()) + (zlib.adler32(term) << 32)


def _sums_in_index(reader: Any, field: str) -> dict[int, int]:
    sums: dict[int, int] = {}
    placed = FIELDS[field].kind != "name"
    for term in reader.lexicon(field):
        matcher = reader.postings(field, bytes(term))
        while matcher.is_active():
            places = matcher.value_as("positions") if placed else ()
            key = zlib.crc32(bytes(term) + b"\0" + ",".join(map(str, places)).encode()) + (
                zlib.adler32(bytes(term)) << 32
            )
            sums[matcher.id()] = (sums.get(matcher.id(), 0) + key) % (1 << 64)
            matcher.next()
    return sums
