"""Is every document of an index what its stored record says?"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from trialindex.document import Document
from trialindex.fields import FIELDS, Field
from trialindex.merge import trial_id
from trialindex.storage import Snapshot, open_snapshot
from trialindex.whoosh_fields import KINDS

__all__ = ["verify"]

# Sums are kept modulo this.
_SUMS = 1 << 64


def verify(folder: Path) -> list[str]:
    """Compare every document of an index with its stored record; return what differs, a line each, [] if
    nothing does.

    The terms and positions that a record should have are worked out anew and compared with those in the
    index, by a sum of checksums per document and field.
    """
    snapshot = open_snapshot(folder)
    try:
        return list(_differences(snapshot))
    finally:
        snapshot.close()


def _differences(snapshot: Snapshot) -> Iterator[str]:
    # One sum a document first, so that an index of any size is held against its records in little memory.
    held: dict[int, int] = {}
    for field in FIELDS.values():
        for doc, total in _sums_in_index(snapshot, field).items():
            held[doc] = (held.get(doc, 0) + total) % _SUMS
    unlike = []
    for doc in sorted(snapshot.docs()):
        study, name = snapshot.study(doc), snapshot.key(doc)
        document = Document.of(study)
        if trial_id(study) != name:
            yield f"{name}: the stored record has another id"
        if snapshot.find_key(name) != doc:
            yield f"{name}: stands more than once, or cannot be found by its id"
        if held.get(doc, 0) != sum(_sums(document).values()) % _SUMS:
            unlike.append(doc)
        for field in FIELDS.values():
            if field.kind in {"day", "number"}:
                for number in (field.name, f"{field.name}Last") if field.kind == "day" else (field.name,):
                    if snapshot.column(number)[doc] != document.numbers.get(number):
                        yield f"{name}: {number} is not that of the stored record"
    if unlike:
        wanted = {doc: _sums(Document.of(snapshot.study(doc))) for doc in unlike}
        for field in FIELDS.values():
            sums = _sums_in_index(snapshot, field)
            for doc in unlike:
                if sums.get(doc, 0) != wanted[doc].get(field.name, 0):
                    yield (
                        f"{snapshot.key(doc)}: the terms of {field.name} are not those of the stored record"
                    )


def _sums(document: Document) -> dict[str, int]:
    """Return field -> checksum of the postings that a document should have."""
    found: dict[str, int] = {}
    for name, values in {**document.text, **document.codes, **document.names}.items():
        kind = KINDS[FIELDS[name].kind]()
        placed = kind.format.supports("positions")
        found[name] = (
            sum(
                _checksum(name, term, kind.format.decode_positions(value) if placed else ())
                for term, _, _, value in kind.index(values)
            )
            % _SUMS
        )
    return found


def _sums_in_index(snapshot: Snapshot, field: Field) -> dict[int, int]:
    sums: dict[int, int] = {}
    if field.kind in KINDS:
        for term, doc, places in snapshot.occurrences(field.name, placed=field.kind != "name"):
            sums[doc] = (sums.get(doc, 0) + _checksum(field.name, term, places)) % _SUMS
    return sums


def _checksum(field: str, term: bytes, places: Iterable[int]) -> int:
    stated = b"\0".join((field.encode(), term, ",".join(map(str, places)).encode()))
    return zlib.crc32(stated) + (zlib.adler32(stated) << 32)
