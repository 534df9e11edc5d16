"""What tests of the files of arrays share: a disk that fails, hostile copies, files sealed by hand."""

from __future__ import annotations

import errno
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trialindex.errors import IndexDamaged
from trialindex.segments import disk
from trialindex.segments.arrays import ArrayFile
from trialindex.segments.disk import Disk


class FailingDisk(Disk):
    """Counts the calls that change files; the one of a number raises the error of `code` (None: none does).

    With `short`, every write takes at most so many bytes.
    """

    def __init__(self, fails: int | None = None, code: int = errno.EIO, short: int | None = None) -> None:
        self.calls: list[str] = []
        self.fails = fails
        self.code = code
        self.short = short

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.fails == len(self.calls) - 1:
            raise OSError(self.code, f"injected at call {self.fails}, {call}")

    def create(self, path: Path) -> int:
        self._count("create")
        return super().create(path)

    def write(self, descriptor: int, data: bytes | bytearray | memoryview) -> int:
        self._count("write")
        return super().write(descriptor, memoryview(data)[: self.short])

    def read(self, descriptor: int, offset: int, size: int) -> bytes:
        self._count("read")
        return super().read(descriptor, offset, size)

    def fsync(self, descriptor: int) -> None:
        self._count("fsync")
        super().fsync(descriptor)

    def close(self, descriptor: int) -> None:
        # As the system's own: the descriptor is gone even where closing fails.
        super().close(descriptor)
        self._count("close")

    def replace(self, old: Path, new: Path) -> None:
        self._count("replace")
        super().replace(old, new)

    def remove(self, path: Path) -> None:
        self._count("remove")
        super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        self._count("sync_folder")
        super().sync_folder(folder)


def failures(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], object], code: int = errno.EIO
) -> Iterator[str]:
    """Do a piece of work again and again, another of its calls to the disk failing each time.

    Yields the call that failed, each time that the work raised over it; the work must raise.
    """
    whole = FailingDisk()
    monkeypatch.setattr(disk, "DISK", whole)
    work()
    for number, call in enumerate(whole.calls):
        monkeypatch.setattr(disk, "DISK", FailingDisk(number, code))
        try:
            work()
        except OSError as error:
            assert error.errno == code
        else:
            raise AssertionError(f"nothing was raised where {call} failed")
        yield call
    monkeypatch.setattr(disk, "DISK", Disk())


def sealed(path: Path, directory: Any, sections: bytes = b"") -> Path:
    """Write a file of arrays by hand: any directory (bytes, or what JSON makes of it), checksums right."""
    data = directory if isinstance(directory, bytes) else json.dumps(directory).encode()
    body = b"TRIALSEG" + bytes(56) + sections
    body += bytes(-len(body) % 64)
    footer = struct.pack("<QQI8s", len(body), len(data), zlib.crc32(data), b"TRIALSEG")
    path.write_bytes(body + data + footer)
    return path


def hurt(path: Path, read: Callable[[ArrayFile], object]) -> None:
    """Assert that each flip of a byte and each truncation of a file is reported, and that `read` of such a
    file ends in a value or in IndexDamaged, IndexError or ValueError (which a snapshot turns into it).
    """
    whole = path.read_bytes()
    copy = path.with_name("hurt.seg")
    for place in range(len(whole)):
        copy.unlink(missing_ok=True)  # the last copy may still be mapped
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            file = ArrayFile(copy)
        except IndexDamaged:
            continue
        assert file.check(), f"the flip of byte {place} was not reported"
        try:
            read(file)
        except (IndexDamaged, IndexError, ValueError):
            continue
    for length in range(len(whole)):
        copy.unlink()
        copy.write_bytes(whole[:length])
        with pytest.raises(IndexDamaged, match=r"hurt\.seg"):
            ArrayFile(copy)
