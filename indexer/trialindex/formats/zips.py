"""Zip archives, one member at a time: in bounded memory, and also when the archive is cut off.

The list of members stands at a zip's end. The standard library reads it whole (300 MB for the full registry's
600,000 files) and opens nothing when it is missing. Here the list is read as it goes, and where it is missing
or damaged, the header before each member leads on as far as the archive goes. Nothing is ever extracted by
name, so that a name like `../../x` is only a label.

>>> import io, zipfile
>>> whole = io.BytesIO()
>>> with zipfile.ZipFile(whole, "w") as made:
...     made.writestr("a.txt", "first")
...     made.writestr("b.txt", "second")
>>> [(member.name, b"".join(unpack(whole, member))) for member in members(whole)]
[('a.txt', b'first'), ('b.txt', b'second')]
>>> cut = io.BytesIO(whole.getvalue()[:45])
>>> for member in members(cut):
...     assert b"".join(unpack(cut, member)) == b"first"
Traceback (most recent call last):
    ...
trialindex.errors.SourceError: the zip is cut off or damaged: its list of files is missing

Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 (layout), 4.4.4 (flags), 4.5.3 (zip64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from trialindex.errors import SourceError

__all__ = ["ChecksumError", "Member", "members", "unpack"]

_CHUNK = 1 << 16
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_FULL = 0xFFFFFFFF
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1 | 0x40, 0x8, 0x800
_STORED, _DEFLATED = 0, 8


class ChecksumError(SourceError):
    """A file whose bytes all came but are not the ones that were packed."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip: where its header stands, and what the archive says of it.

    `packed`, `size` and `checksum` are None where the archive gives them only after the file's bytes.
    """

    name: str
    offset: int
    flags: int
    method: int
    packed: int | None
    size: int | None
    checksum: int | None


def members(archive: BinaryIO) -> Iterator[Member]:
    """Yield the members of a zip in the order of its list, folders left out.

    Raises SourceError, after all that can be read, when the list is missing or damaged.
    """
    end = archive.seek(0, 2)
    listed = _directory(archive, end)
    after = 0
    if listed is not None:
        start, count, shift = listed
        position = start
        for _ in range(count):
            found = _central(archive, position, shift)
            if found is None:
                break
            member, position = found
            after = max(after, member.offset + _LOCAL.size + (member.packed or 0))
            if not member.name.endswith("/"):
                yield member
        else:
            return
    for member in _local_members(archive, after, end):
        if not member.name.endswith("/"):
            yield member
    raise SourceError(
        "the zip is cut off or damaged: its list of files is missing"
        if listed is None
        else "the zip is damaged: its list of files breaks off"
    )


def unpack(
    archive: BinaryIO, member: Member, granted: Callable[[int, int], None] | None = None
) -> Generator[bytes, None, None]:
    """Yield the bytes of a member in pieces of at most 64 KB.

    `granted(packed, out)` is called with the bytes taken in and given out so far and may raise to stop.
    Raises SourceError, after all that can be read, for a member that is encrypted, cut off or damaged;
    ChecksumError for wrong bytes.
    """
    if member.flags & _ENCRYPTED:
        raise SourceError("encrypted: unpack it with its password first")
    if member.method not in (_STORED, _DEFLATED):
        raise SourceError(
            f"packed by method {member.method}, which is not read here: pack it anew with deflate"
        )
    if member.method == _STORED and member.packed is None:
        raise SourceError("the zip is cut off or damaged, and this file's length is lost")
    position = _data(archive, member.offset)
    left = member.packed
    checksum = taken = given = 0
    inflate = zlib.decompressobj(-15) if member.method == _DEFLATED else None
    while inflate is None or not inflate.eof:
        waiting = inflate.unconsumed_tail if inflate else b""
        if not waiting:
            archive.seek(position)
            waiting = archive.read(_CHUNK if left is None else min(_CHUNK, left))
            position += len(waiting)
            taken += len(waiting)
            if left is not None:
                left -= len(waiting)
            if not waiting:
                if inflate is None and not left:
                    break
                raise SourceError("the zip is cut off or damaged in the middle of this file")
        try:
            piece = inflate.decompress(waiting, _CHUNK) if inflate else waiting
        except zlib.error:
            raise SourceError("damaged: its packed bytes make no sense") from None
        checksum = zlib.crc32(piece, checksum)
        given += len(piece)
        if granted is not None:
            granted(taken, given)
        if piece:
            yield piece
    if member.checksum is not None and (checksum != member.checksum or given != member.size):
        raise ChecksumError("damaged: its checksum or length is wrong")


def _directory(archive: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Return where the list of members starts, its length and how far its offsets are off; None without."""
    tail_start = max(0, end - _END.size - 0xFFFF)
    archive.seek(tail_start)
    tail = archive.read()
    place = tail.rfind(b"PK\5\6")
    while place >= 0:
        if place + _END.size <= len(tail):
            found = _listed(archive, tail_start + place, tail[place : place + _END.size])
            if found is not None:
                return found
        place = tail.rfind(b"PK\5\6", 0, place)
    return None


def _listed(archive: BinaryIO, place: int, record: bytes) -> tuple[int, int, int] | None:
    *_, count, size, offset, _ = _END.unpack(record)
    if 0xFFFF in (count, size & 0xFFFF) or _FULL in (size, offset):
        archive.seek(max(0, place - _END64_PLACE.size))
        pointer = archive.read(_END64_PLACE.size)
        if pointer[:4] == b"PK\6\7" and len(pointer) == _END64_PLACE.size:
            # Bytes before the zip shift its offsets, so that the wide record is looked for where it must
            # stand, too.
            for at in (place - _END64_PLACE.size - _END64.size, _END64_PLACE.unpack(pointer)[2]):
                if not 0 <= at < place:
                    continue
                archive.seek(at)
                wide = archive.read(_END64.size)
                if wide[:4] == b"PK\6\6" and len(wide) == _END64.size:
                    *_, count, size, offset = _END64.unpack(wide)
                    place = at
                    break
    start = place - size
    if start < 0:
        return None
    archive.seek(start)
    if count and archive.read(4) != b"PK\1\2":
        return None
    return start, count, start - offset


def _central(archive: BinaryIO, position: int, shift: int) -> tuple[Member, int] | None:
    archive.seek(position)
    record = archive.read(_CENTRAL.size)
    if len(record) < _CENTRAL.size or record[:4] != b"PK\1\2":
        return None
    (_, _, _, flags, method, _, _, checksum, packed, size, names, extras, comments, _, _, _, offset) = (
        _CENTRAL.unpack(record)
    )
    texts = archive.read(names + extras)
    if len(texts) < names + extras:
        return None
    size, packed, offset = _wide(texts[names:], size, packed, offset)
    if offset + shift < 0:
        return None
    member = Member(_name(texts[:names], flags), offset + shift, flags, method, packed, size, checksum)
    return member, position + _CENTRAL.size + names + extras + comments


def _wide(extra: bytes, *values: int) -> tuple[int, ...]:
    """Return the values with those that overflowed 32 bits taken from the zip64 extra field."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{min(length, len(extra) - place - 4) // 8}Q", extra, place + 4))
            return tuple(next(wide, value) if value == _FULL else value for value in values)
        place += 4 + length
    return values


def _name(data: bytes, flags: int) -> str:
    try:
        name = data.decode("utf-8")
    except UnicodeDecodeError:
        name = data.decode("utf-8", "replace") if flags & _UTF8 else data.decode("cp437")
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name.replace("\\", "/")
    )


def _data(archive: BinaryIO, offset: int) -> int:
    """Return where a member's bytes start, given its header."""
    archive.seek(offset)
    record = archive.read(_LOCAL.size)
    if len(record) < _LOCAL.size or record[:4] != b"PK\3\4":
        raise SourceError("the zip is damaged: no file where its list says there is one")
    *_, names, extras = _LOCAL.unpack(record)
    return offset + _LOCAL.size + int(names) + int(extras)


def _local_members(archive: BinaryIO, position: int, end: int) -> Iterator[Member]:
    """Yield members by the headers before them, from the first header at or after a position on."""
    while True:
        offset = _find_header(archive, position, end)
        if offset is None:
            return
        archive.seek(offset)
        record = archive.read(_LOCAL.size)
        if len(record) < _LOCAL.size:
            return
        (_, _, flags, method, _, _, checksum, packed, size, names, extras) = _LOCAL.unpack(record)
        texts = archive.read(names + extras)
        if len(texts) < names + extras:
            return
        size, packed = _wide(texts[names:], size, packed)
        name = _name(texts[:names], flags)
        start = offset + _LOCAL.size + names + extras
        if flags & _SIZES_FOLLOW:
            yield Member(name, offset, flags, method, None, None, None)
            # The packed bytes may hold what looks like a header, but hardly ever four right bytes: the next
            # one leads on.
            position = start
        else:
            yield Member(name, offset, flags, method, packed, size, checksum)
            position = start + packed


def _find_header(archive: BinaryIO, position: int, end: int) -> int | None:
    kept = b""
    while position < end:
        archive.seek(position)
        data = kept + archive.read(_CHUNK)
        place = data.find(b"PK\3\4")
        if place >= 0:
            return position - len(kept) + place
        position += len(data) - len(kept)
        kept = data[-3:]
    return None
