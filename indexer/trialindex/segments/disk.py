"""Every change to files that an index makes goes through DISK, so that a test can make any of them fail.

A test replaces `disk.DISK` by a `Disk` of its own whose methods raise (no room left, an input or output
error) or write less than they were given; whoever changes files therefore calls `disk.DISK.write(...)`
and never keeps a reference to DISK or its methods.

All methods raise OSError.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["DISK", "Disk", "write_all", "write_whole"]

# Windows opens files as text unless told; elsewhere there is no such flag.
_BINARY = getattr(os, "O_BINARY", 0)


class Disk:
    """The operating system's calls, one a method, without buffers of our own."""

    def create(self, path: Path) -> int:
        """Open a new file for writing and reading back; return its descriptor.

        A file that is there already is removed first and never written over: a reader may have it mapped,
        and keeps what it mapped.
        """
        with suppress(FileNotFoundError):
            self.remove(path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)

    def write(self, descriptor: int, data: bytes | bytearray | memoryview) -> int:
        """Write at the descriptor's place; return how many bytes were, which may be fewer than given."""
        return os.write(descriptor, data)

    def read(self, descriptor: int, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from an offset of a file that was created here."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)

    def fsync(self, descriptor: int) -> None:
        """Return when the file's bytes are on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Give a descriptor back."""
        os.close(descriptor)

    def replace(self, old: Path, new: Path) -> None:
        """Rename a file, over any that bears the new name."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """Return when the entries of a folder (files made, renamed, removed) are on the disk."""
        if os.name == "nt":  # which cannot open folders, and keeps their entries in a journal
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DISK = Disk()


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all bytes, however few the system takes at a time."""
    rest = memoryview(data).cast("B")
    while rest:
        written = DISK.write(descriptor, rest)
        if written <= 0:
            raise OSError(f"a write of {len(rest)} bytes wrote none")
        rest = rest[written:]


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that a crash or an error leaves the old one or the new one, whole."""
    temporary = path.with_name(path.name + ".new")
    try:
        descriptor = DISK.create(temporary)
        try:
            write_all(descriptor, data)
            DISK.fsync(descriptor)
        finally:
            DISK.close(descriptor)
        DISK.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            DISK.remove(temporary)
        raise
    DISK.sync_folder(path.parent)
