"""One file of named arrays, written once, then read by mapping it.

The file: MAGIC; the sections, one an array, each from a multiple of 64 bytes on; a directory, UTF-8 JSON
`{"version": 1, "meta": {...}, "arrays": {name: {"dtype": "<u4", "offset": 64, "count": 3, "crc32": 1}}}`; a
footer of 28 bytes: the directory's offset and length (u64 each), its CRC-32 (u32), MAGIC again. All numbers
are little-endian, bytes between sections zero.

>>> import tempfile; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     writer.put("docs", np.array([3, 5, 8], np.uint32))
...     writer.meta["size"] = 9
>>> file = ArrayFile(path)
>>> file.get("docs"), file.meta, file.check()
(array([3, 5, 8], dtype=uint32), {'size': 9}, [])
>>> file.get("terms")
Traceback (most recent call last):
    ...
trialindex.errors.IndexDamaged: example.seg is damaged (it has no array 'terms'): build the index again
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.frozen import frozen
from trialindex.segments import disk

__all__ = [
    "SPOOL_SUFFIX", "ArrayFile", "ArrayStream", "ArrayWriter", "Scratch", "narrowest", "spread", "starts_of",
    "wide",
]  # fmt: skip

Array = npt.NDArray[Any]

MAGIC = b"TRIALSEG"
VERSION = 1
ALIGNMENT = 64
# What a stream that outgrew memory writes to, beside the target; a killed process leaves such files.
SPOOL_SUFFIX = ".part"
_FOOTER = struct.Struct("<QQI8s")
_DTYPES = {name: np.dtype(name) for name in ("<u1", "<u2", "<u4", "<u8", "<i4", "<i8", "<f4", "<f8")}
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
# Bytes that a stream keeps in memory, and that a file is read and written by.
_CHUNK = 1 << 20
# Bytes of the greatest directory: some hundred times what an index of all registered trials has.
_MOST_DIRECTORY = 1 << 24


def narrowest(greatest: int) -> np.dtype[Any]:
    """Return the narrowest unsigned dtype that holds the numbers 0..greatest.

    >>> narrowest(255), narrowest(256), narrowest(1 << 32)
    (dtype('uint8'), dtype('uint16'), dtype('uint64'))
    """
    widths = map(_DTYPES.__getitem__, ("<u1", "<u2", "<u4", "<u8"))
    return next(dtype for dtype in widths if greatest <= np.iinfo(dtype).max)


def wide(highest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the dtype of offsets up to a highest one: four bytes, or eight where these do not hold it.

    Never below four: few offsets are written, and one width is one code path.
    """
    return np.dtype("<u4") if highest < 1 << 32 else np.dtype("<u8")


def starts_of(sizes: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return int64[n + 1]: where each of n stretches starts, and where the last one ends.

    >>> starts_of(np.array([2, 0, 3], np.uint8))
    array([0, 2, 2, 5])
    """
    found = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=found[1:])
    return found


def spread(starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Return the indexes of several stretches, one after the other.

    >>> spread(np.array([10, 20]), np.array([2, 3])).tolist()
    [10, 11, 20, 21, 22]
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - sizes), sizes) + np.arange(total, dtype=np.int64)


def _same(array: npt.ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return an array [n] in a dtype, every value the same. Raises ValueError where one would change."""
    given = np.asarray(array)
    if given.ndim != 1:
        raise ValueError(f"an array of {given.ndim} dimensions; only those of one are written")
    if given.dtype == dtype:
        return np.ascontiguousarray(given)
    with np.errstate(invalid="ignore"):  # NaN as a whole number: found by the comparison
        made = given.astype(dtype)
    if not np.array_equal(made, given, equal_nan=given.dtype.kind == made.dtype.kind == "f"):
        raise ValueError(f"values of {given.dtype} that {dtype} does not hold")
    return made


class _Output:
    """Bytes on their way to a file of their own; the file is made when they outgrow memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._waiting = bytearray()
        self._descriptor: int | None = None
        self._made = False

    def write(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        if len(self._waiting) + len(data) <= _CHUNK:
            self._waiting += data
            return
        self.flush()
        disk.write_all(self._open(), data)

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = disk.DISK.create(self.path)
            self._made = True
        return self._descriptor

    def flush(self) -> None:
        disk.write_all(self._open(), self._waiting)
        self._waiting = bytearray()

    def read_back(self) -> Iterator[bytes]:
        """Yield all that was written, in pieces."""
        if self._descriptor is not None:
            self.flush()
            done = 0
            while done < self.size:
                piece = disk.DISK.read(self._descriptor, done, _CHUNK)
                if not piece:
                    raise OSError(f"{self.path.name} ends before what was written to it")
                done += len(piece)
                yield piece
        else:
            yield bytes(self._waiting)

    def finish(self) -> None:
        """Leave the file complete and on the disk."""
        self.flush()
        disk.DISK.fsync(self._open())
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            disk.DISK.close(descriptor)

    def discard(self) -> None:
        """Remove the file, if one was made and is still there."""
        self._waiting = bytearray()  # not cleared: an error on its way may still refer to a view of it
        try:
            self._close()
        finally:
            if self._made:
                disk.DISK.remove(self.path)
                self._made = False


class ArrayStream:
    """An array that is written piece by piece; `ArrayWriter.stream` makes it."""

    def __init__(self, writer: ArrayWriter, name: str, dtype: np.dtype[Any], path: Path) -> None:
        self.name = name
        self.dtype = dtype
        self.count = 0  # values appended so far
        self._writer = writer
        self._spool = _Output(path)
        self._crc = 0
        self._closed = False

    def append(self, array: npt.ArrayLike) -> None:
        """Add values [n]. Raises ValueError where the stream's dtype does not hold one of them."""
        if self._closed:
            raise ValueError(f"the array {self.name!r} is complete")
        values = _same(array, self.dtype)
        if not len(values):
            return
        data = values.view(np.uint8).data
        self._crc = zlib.crc32(data, self._crc)
        self._spool.write(data)
        self.count += len(values)

    def close(self) -> None:
        """Complete the array: copy it into the file. Closing it twice is no error."""
        if not self._closed:
            self._closed = True
            self._writer._add(self.name, self.dtype, self.count, self._crc, self._spool.read_back())
            self.discard()

    def discard(self) -> None:
        """Forget what waits in memory, and the temporary file."""
        self._closed = True
        self._spool.discard()


class Scratch:
    """An array that is written piece by piece and read back once, and is no part of the file;
    `ArrayWriter.scratch` makes it.
    """

    def __init__(self, dtype: np.dtype[Any], path: Path) -> None:
        self.dtype = dtype
        self._spool = _Output(path)

    def append(self, array: npt.ArrayLike) -> None:
        """Add values [n]. Raises ValueError where the dtype does not hold one of them."""
        self._spool.write(_same(array, self.dtype).view(np.uint8).data)

    def pieces(self) -> Iterator[Array]:
        """Yield all values, in pieces, and forget them."""
        left = b""
        for piece in self._spool.read_back():
            data = left + piece
            whole = len(data) - len(data) % self.dtype.itemsize
            yield np.frombuffer(data[:whole], self.dtype)
            left = data[whole:]
        self.discard()

    def discard(self) -> None:
        """Forget what waits in memory, and the temporary file."""
        self._spool.discard()


class ArrayWriter:
    """Writes a file of arrays. Use as a context.

    Leaving it normally completes the file and its folder's entry on the disk (streams still open are closed
    first); leaving it by an exception, or failing to complete, removes the file and all temporary ones.

    Attributes: `meta`, JSON values that the file states besides its arrays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.meta: dict[str, Any] = {}
        self._output = _Output(path)
        self._output.write(MAGIC)
        self._directory: dict[str, dict[str, Any]] = {}
        self._streams: dict[str, ArrayStream] = {}
        self._scratches: list[Scratch] = []

    def put(self, name: str, array: Array) -> None:
        """Write an array [n] as it is. Raises ValueError on a dtype or a shape that is not written, and on a
        name given before.
        """
        if array.dtype not in _DTYPE_NAMES:
            raise ValueError(f"{name!r} is {array.dtype}; arrays are one of {', '.join(_DTYPES)}")
        self._claim(name)
        data = _same(array, array.dtype).view(np.uint8).data
        self._add(name, array.dtype, len(array), zlib.crc32(data), iter([data]))

    def stream(self, name: str, dtype: npt.DTypeLike) -> ArrayStream:
        """Return an array to be written piece by piece; several may be open at once."""
        made = np.dtype(dtype)
        if made not in _DTYPE_NAMES:
            raise ValueError(f"{name!r} is {made}; arrays are one of {', '.join(_DTYPES)}")
        self._claim(name)
        self._streams[name] = ArrayStream(self, name, made, self._spool())
        return self._streams[name]

    def scratch(self, dtype: npt.DTypeLike) -> Scratch:
        """Return an array that is read back before the file is complete, and does not become part of it."""
        made = Scratch(np.dtype(dtype), self._spool())
        self._scratches.append(made)
        return made

    def _spool(self) -> Path:
        number = len(self._streams) + len(self._scratches)
        return self.path.with_name(f"{self.path.name}.{number}{SPOOL_SUFFIX}")

    def _claim(self, name: str) -> None:
        if name in self._directory or name in self._streams:
            raise ValueError(f"two arrays {name!r}")

    def _add(
        self, name: str, dtype: np.dtype[Any], count: int, crc: int, pieces: Iterator[bytes | memoryview]
    ) -> None:
        offset = self._pad()
        for piece in pieces:
            self._output.write(piece)
        self._directory[name] = {
            "dtype": _DTYPE_NAMES[dtype], "offset": offset, "count": count, "crc32": crc
        }  # fmt: skip

    def _pad(self) -> int:
        self._output.write(bytes(-self._output.size % ALIGNMENT))
        return self._output.size

    def _finish(self) -> None:
        for stream in self._streams.values():
            stream.close()
        for scratch in self._scratches:
            scratch.discard()
        directory = {"version": VERSION, "meta": self.meta, "arrays": self._directory}
        data = json.dumps(directory, ensure_ascii=False, separators=(",", ":")).encode()
        if len(data) > _MOST_DIRECTORY:
            raise ValueError(f"{self.path.name} would have a directory of {len(data)} bytes")
        offset = self._pad()
        self._output.write(data)
        self._output.write(_FOOTER.pack(offset, len(data), zlib.crc32(data), MAGIC))
        self._output.finish()
        disk.DISK.sync_folder(self.path.parent)

    def _discard(self) -> None:
        outputs: list[ArrayStream | Scratch | _Output] = [
            *self._streams.values(), *self._scratches, self._output
        ]  # fmt: skip
        for output in outputs:
            with suppress(OSError):  # the error that brought us here is the one to tell
                output.discard()

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise


@frozen
class _Section:
    """Where an array lies: `count` values of `dtype` from byte `offset` on, and the CRC-32 of its bytes."""

    dtype: np.dtype[Any]
    offset: int
    count: int
    crc: int

    @property
    def end(self) -> int:
        return self.offset + self.count * self.dtype.itemsize


def _section(entry: Any, room: int) -> _Section:
    """Return the section of a directory's entry; raises ValueError where it is none within `room` bytes."""
    if not isinstance(entry, dict):
        raise ValueError("an entry of its directory is no object")
    held = [number for key in ("offset", "count", "crc32") if type(number := entry.get(key)) is int]
    dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry.get("dtype"), str) else None
    if dtype is None or len(held) != 3 or min(held) < 0:
        raise ValueError("an entry of its directory lacks a dtype, offset, count or checksum")
    offset, count, crc = held
    section = _Section(dtype, offset, count, crc)
    if offset < ALIGNMENT or offset % ALIGNMENT or section.end > room:
        raise ValueError("an array of its directory lies outside of it")
    return section


class ArrayFile:
    """A file of arrays, mapped: opening it reads its directory only, arrays are read as they are touched.

    Safe to share between threads. Views stay valid after `close` and after the file is removed.

    Raises IndexDamaged where the file cannot be read or is not one that `ArrayWriter` completed, and
    FileNotFoundError where there is none (a writer may have just replaced it by a newer one).

    Attributes: `path`; `name`, the file's; `size` in bytes; `meta`, what the writer stated; `digest`, the
    CRC-32 of the directory, which changes with any array's contents.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._views: dict[str, Array] = {}
        try:
            with path.open("rb") as file:
                self._map: mmap.mmap | None = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._read_directory(self._map)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, RecursionError) as error:  # ValueError also of an empty file
            raise self.damaged(str(error)) from error

    def damaged(self, why: str) -> IndexDamaged:
        """Return the error that says why this file cannot be used, and what to do."""
        return IndexDamaged(f"{self.name} is damaged ({why}): build the index again")

    def _read_directory(self, held: mmap.mmap) -> None:
        """Set what the directory states. Raises ValueError where it is not as this version writes it."""
        self.size = len(held)
        if self.size < ALIGNMENT + _FOOTER.size or held[: len(MAGIC)] != MAGIC:
            raise ValueError("it does not begin as a file of arrays does")
        offset, length, crc, magic = _FOOTER.unpack(held[-_FOOTER.size :])
        if magic != MAGIC or offset + length + _FOOTER.size != self.size:
            raise ValueError("it does not end as a file of arrays does")
        if length > _MOST_DIRECTORY:
            raise ValueError(f"its directory has {length} bytes, more than any is written with")
        data = held[offset : offset + length]
        if zlib.crc32(data) != crc:
            raise ValueError("the checksum of its directory is wrong")
        directory = json.loads(data.decode())
        if not isinstance(directory, dict) or directory.get("version") != VERSION:
            raise ValueError(f"its directory is not of version {VERSION}")
        meta, arrays = directory.get("meta"), directory.get("arrays")
        if not isinstance(meta, dict) or not isinstance(arrays, dict):
            raise ValueError("its directory lacks its parts")
        self.digest: int = crc
        self.meta: dict[str, Any] = meta
        self._end: int = offset  # of the sections
        self._sections = {name: _section(entry, offset) for name, entry in arrays.items()}

    def has(self, name: str) -> bool:
        """Whether there is an array of this name."""
        return name in self._sections

    def names(self) -> list[str]:
        """Return the names of all arrays, in the order of writing."""
        return list(self._sections)

    def get(self, name: str, *dtypes: npt.DTypeLike) -> Array:
        """Return an array [n], read-only.

        Raises IndexDamaged where there is none of this name, or where its dtype is none of those given.
        """
        view = self._views.get(name)
        if view is None:
            section = self._sections.get(name)
            if section is None:
                raise self.damaged(f"it has no array {name!r}")
            view = np.frombuffer(self._mapped(), section.dtype, section.count, section.offset)
            self._views[name] = view
        if dtypes and view.dtype not in dtypes:
            raise self.damaged(f"its array {name!r} is of {view.dtype}")
        return view

    def _mapped(self) -> mmap.mmap:
        held = self._map
        if held is None:
            raise ValueError(f"{self.name} is closed")
        return held

    def check(self) -> list[str]:
        """Read every byte; return a line for each array, and each stretch between them, that is not as it
        was written.
        """
        whole = memoryview(self._mapped())
        found = [
            f"{self.name}: the checksum of the array {name!r} is wrong"
            for name, section in self._sections.items()
            if zlib.crc32(whole[section.offset : section.end]) != section.crc
        ]
        end = len(MAGIC)
        for offset, until in sorted((section.offset, section.end) for section in self._sections.values()):
            found += self._check_between(whole, end, offset)
            end = max(end, until)
        return found + self._check_between(whole, end, self._end)

    def _check_between(self, whole: memoryview, end: int, offset: int) -> list[str]:
        """Return a line if the bytes from one section to the next are not the few zeros that align it."""
        if 0 <= offset - end < ALIGNMENT and not any(whole[end:offset]):
            return []
        return [f"{self.name}: bytes {end} to {offset} are no padding between two arrays"]

    def release(self) -> None:
        """Let the system take back the memory of what was read; it comes from the disk again when asked."""
        if self._map is not None and hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the file; it is unmapped when the last view of it is gone."""
        self._map = None
        self._views = {}
