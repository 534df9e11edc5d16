"""Files as people have them: plain, gzipped, in zips, in folders, nested; each one stream of its bytes.

`walk` finds the files, by content and not by name, and opens them one at a time: a zip of 600,000 files costs
no more memory than a zip of one. A label starts with the name of the source and goes on with the names inside
it. What cannot be opened comes as `Rejected`, what is no file to read as `Skipped`; both carry the label, and
the walk goes on.

>>> import tempfile, gzip
>>> folder = tempfile.TemporaryDirectory()
>>> source = Path(folder.name) / "downloads"
>>> source.mkdir()
>>> _ = (source / "one.json").write_bytes(b"{}")
>>> _ = (source / "two.gz").write_bytes(gzip.compress(b"[]"))
>>> _ = (source / "empty.txt").write_bytes(b"")
>>> for found in walk(source):
...     print(found.label + ": " + found.text() if isinstance(found, SourceFile) else found)
Skipped(file='downloads/empty.txt', reason='empty')
downloads/one.json: {}
downloads/two.gz: []
>>> walk(source / "three.json")
Traceback (most recent call last):
    ...
trialindex.errors.SourceError: no file or folder 'three.json': check the path
>>> folder.cleanup()

Text is decoded by `decode`, which never fails and says how it went.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
import tempfile
import weakref
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from trialindex.errors import SourceError
from trialindex.formats import zips
from trialindex.formats.record import Rejected, Skipped

__all__ = [
    "LIMITS", "WHOLE", "Limits", "Place", "Share", "SourceFile", "TextStream", "decode", "os_reason",
    "repair", "walk", "walk_share",
]  # fmt: skip

_CHUNK = 1 << 16
_MB = 1 << 20
# Files up to this size are read when they are looked at, and not opened a second time.
_AT_ONCE = 4 * _CHUNK
# Files from this size on (packed, as the folder or the archive says) are read by all readers of a source.
_LARGE = 8 * _MB


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may cost, so that hostile input stays harmless.

    A packed file may unfold to `ratio` times its size once it is over `free` bytes; archives may lie `depth`
    deep in each other; an archive inside another may have `spool` bytes; a file read as one text may have
    `text` bytes.
    """

    ratio: int = 200
    free: int = 64 * _MB
    depth: int = 4
    spool: int = 8192 * _MB
    text: int = 64 * _MB


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Share:
    """The part of reader `number` (0 to `of` - 1) where `of` readers read one source together."""

    number: int = 0
    of: int = 1

    def has(self, place: int) -> bool:
        """Whether the file or the record at a place in the order is this reader's."""
        return place % self.of == self.number


WHOLE = Share()


@dataclass(frozen=True)
class SourceFile:
    """One file that may hold trials. `label` is its name as the user knows it: `download.zip/NCT01.json`.

    `open()` starts a fresh stream of its unpacked bytes. The stream first gives all that can be read; what is
    wrong with the file it raises (SourceError, OSError) only then. `share`: the records of a large file are
    dealt out among its readers, by number.
    """

    label: str
    open: Callable[[], BinaryIO]
    share: Share = WHOLE

    def decoded(self, limit: int = LIMITS.text) -> tuple[str, str]:
        """Return the whole text and a note on decoding, "" when clean (an `Odd` of the field "encoding").

        Raises SourceError for a file over the limit (64 MB).
        """
        with self.open() as stream:
            pieces = []
            left = limit + 1
            while left and (piece := stream.read(left)):
                pieces.append(piece)
                left -= len(piece)
        if not left:
            raise SourceError(f"over {limit // _MB} MB, too large for a file of this kind")
        return decode(b"".join(pieces))

    def text(self) -> str:
        """Return the whole text. See `decoded`."""
        return self.decoded()[0]


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<(?:\?xml|meta)\b[^>]{0,200}?\b(?:encoding|charset)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.I
)
# Only plain character sets: a file may not choose among all of Python's codecs, some of which are slow or no
# charsets.
_CHARSETS = re.compile(
    r"(iso-?8859-?\d+|latin-?\d+|windows-?125\d|cp125\d|koi8-[ru]|shift_jis|gb(k|2312|18030)|big5|euc-(jp|kr))",
    re.I,
)
_STRAY = re.compile("[\udc80-\udcff]")
_LONE = re.compile("[\ud800-\udfff]")
_NOTE = "not UTF-8: read as cp1252"


def decode(data: bytes) -> tuple[str, str]:
    r"""Return the text of some bytes and a note on how decoding went, "" when clean.

    A byte-order mark decides, then UTF-8, then the encoding that an XML or HTML head declares. Failing all,
    each byte that is not UTF-8 is read as cp1252, so that one bad byte does not spoil the rest.

    >>> decode("Behçet".encode())
    ('Behçet', '')
    >>> decode(b'\xff\xfeA\x00'), decode(b'<?xml version="1.0" encoding="ISO-8859-2"?><a>\xb9</a>')[0][-6:]
    (('A', ''), '>š</a>')
    >>> decode("Sjögren".encode("latin-1"))
    ('Sjögren', 'not UTF-8: read as cp1252')
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark) and encoding != "utf-8":
            return _lenient(data[len(mark) :], encoding)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    declared = _DECLARED.search(data[:2048])
    if declared and _CHARSETS.fullmatch(name := declared[1].decode("ascii")):
        try:
            return data.decode(name), ""
        except (LookupError, UnicodeDecodeError):
            pass
    return repair(data.decode("utf-8", "surrogateescape"))[0], _NOTE


def _lenient(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        return data.decode(encoding), ""
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), f"not all {encoding}: unreadable characters replaced"


def repair(text: str) -> tuple[str, str]:
    r"""Return a text without characters that cannot be written, and a note on what was wrong ("": nothing).

    Bytes that were no UTF-8 (as `surrogateescape` leaves them) become the characters of cp1252; halves of
    surrogate pairs become U+FFFD.

    >>> repair("Sj\udcf6gren"), repair("a\ud800b")
    (('Sjögren', 'not UTF-8: read as cp1252'), ('a�b', 'half a surrogate pair: replaced'))
    >>> repair("Sjögren")
    ('Sjögren', '')
    """
    note = ""
    if _STRAY.search(text):
        text = _STRAY.sub(lambda match: bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace"), text)
        note = _NOTE
    if _LONE.search(text):
        text = _LONE.sub("\N{REPLACEMENT CHARACTER}", text)
        note = note or "half a surrogate pair: replaced"
    return text, note


class TextStream:
    """A file's text in pieces, for files of any size.

    Bytes that are no UTF-8 come as lone surrogates, as `surrogateescape` leaves them: `repair` the part that
    a record is made of, and the record knows of its own bad bytes. Attributes: `strays`, whether any came;
    `ended`, whether all was given out; `fault`, what was wrong with the file ("" so far): the text before the
    fault is given out first, then the stream ends.
    """

    def __init__(self, stream: BinaryIO, chunk: int = _CHUNK) -> None:
        self._stream = stream
        self._chunk = chunk
        self._decoder: codecs.IncrementalDecoder | None = None
        self.ended = False
        self.strays = False
        self.fault = ""

    def read(self) -> str:
        """Return the next piece of text, "" at the end."""
        while not self.ended:
            data = self._read(self._chunk)
            if self._decoder is None:
                while data and len(data) < 4 and (more := self._read(4 - len(data))):
                    data += more
                mark, encoding = next(((m, e) for m, e in _BOMS if data.startswith(m)), (b"", "utf-8"))
                self._decoder = codecs.getincrementaldecoder(encoding)("strict")
                data = data[len(mark) :]
                if not data and mark:
                    continue
            self.ended = not data
            text = self._decode(self._decoder, data)
            if text:
                return text
        return ""

    def extend(self, rest: str) -> str:
        """Return a text with what follows it, at least as much again, so that work stays linear."""
        pieces = [rest]
        wanted = max(len(rest), 1)
        while wanted > 0 and (piece := self.read()):
            wanted -= len(piece)
            pieces.append(piece)
        return "".join(pieces)

    def _read(self, size: int) -> bytes:
        if self.fault:
            return b""
        try:
            return self._stream.read(size)
        except SourceError as error:
            self.fault = str(error)
        except OSError as error:
            self.fault = os_reason(error)
        return b""

    def _decode(self, decoder: codecs.IncrementalDecoder, data: bytes) -> str:
        before = decoder.getstate()
        try:
            return decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            self.strays = True
            decoder.setstate(before)
            decoder.errors = "surrogateescape" if error.encoding == "utf-8" else "replace"
            text = decoder.decode(data, final=not data)
            decoder.errors = "strict"
            return text


class _Stream(io.BufferedIOBase):
    """A readable stream over pieces of bytes. A fault that they end in is raised after the last byte."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces = pieces
        self._held = b""
        self._fault: SourceError | OSError | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._pieces.close()
        super().close()

    def read(self, size: int | None = -1) -> bytes:
        wanted = None if size is None or size < 0 else size
        parts = [self._held]
        have = len(self._held)
        while self._fault is None and (wanted is None or have < wanted):
            try:
                piece = next(self._pieces, b"")
            except (SourceError, OSError) as error:
                self._fault = error
                break
            if not piece:
                break
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts)
        if not data and wanted != 0 and self._fault is not None:
            raise self._fault
        self._held = b"" if wanted is None else data[wanted:]
        return data if wanted is None else data[:wanted]

    def read1(self, size: int = -1) -> bytes:
        return self.read(_CHUNK if size < 0 else size)


def _gunzip(stream: BinaryIO, granted: Callable[[int, int], None]) -> Generator[bytes, None, None]:
    """Yield the bytes of a gzip file, of all its parts, in pieces of at most 64 KB."""
    taken = given = 0
    with stream:
        waiting = stream.read(_CHUNK)
        taken += len(waiting)
        while waiting:
            inflate = zlib.decompressobj(31)
            while not inflate.eof:
                if not waiting:
                    waiting = stream.read(_CHUNK)
                    taken += len(waiting)
                    if not waiting:
                        raise SourceError("the gzip file is cut off")
                try:
                    piece = inflate.decompress(waiting, _CHUNK)
                except zlib.error as error:
                    wrong = (
                        "its checksum or length is wrong"
                        if "check" in str(error)
                        else "its packed bytes make no sense"
                    )
                    kind = zips.ChecksumError if "check" in str(error) else SourceError
                    raise kind(f"the gzip file is damaged: {wrong}") from None
                waiting = inflate.unconsumed_tail or (inflate.unused_data if inflate.eof else b"")
                given += len(piece)
                granted(taken, given)
                if piece:
                    yield piece
            # Padding with zero bytes after the last part is allowed.
            waiting = (waiting or stream.read(_CHUNK)).lstrip(b"\0")
            while not waiting and (more := stream.read(_CHUNK)):
                waiting = more.lstrip(b"\0")
            if waiting and not waiting.startswith(b"\x1f"):
                raise SourceError("the gzip file is damaged: it goes on with bytes that are no gzip")


def _plain(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as handle:
        while piece := handle.read(_CHUNK):
            yield piece


class _Budget:
    """What one source on the disk has unfolded to in all, over all archives in it."""

    def __init__(self, packed: int, limits: Limits) -> None:
        self.packed = packed
        self.limits = limits
        self.given = 0
        self.spent = False

    def account(self) -> Callable[[int, int], None]:
        """Return a check for one packed file: called with the bytes taken and given so far, it may raise."""
        highest = 0

        def granted(taken: int, given: int) -> None:
            nonlocal highest
            limits = self.limits
            if given > limits.free and given > limits.ratio * taken:
                raise SourceError(f"unfolds to over {limits.ratio} times its size: refused as a zip bomb")
            # Reading a file a second time is no growth.
            self.given += max(0, given - highest)
            highest = max(highest, given)
            if self.given > limits.free and self.given > limits.ratio * self.packed:
                self.spent = True
                raise SourceError(
                    f"all that was unpacked is over {limits.ratio} times the source: refused as a zip bomb"
                )

        return granted


# Containers that are not read: better named than taken for a text without trials.
_OTHER_PACKED = (
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


def _kind(head: bytes) -> str:
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08PK\3\4")):
        return "zip"
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head[257:262] == b"ustar":
        return "tar"
    return next((name for magic, name in _OTHER_PACKED if head.startswith(magic)), "")


Found = SourceFile | Rejected | Skipped
# Where something stands in the order of a source: the file on the disk, and the place in it if it is an
# archive.
Place = tuple[int, int]


def walk(path: Path, limits: Limits = LIMITS) -> Iterator[Found]:
    """Return an iterator over the files of a file, an archive or a folder, in order of name or archive.

    Hidden files and `__MACOSX` are passed over. Raises SourceError at once for a path that does not exist.
    """
    return (found for _, found in walk_share(path, WHOLE, limits))


def walk_share(path: Path, share: Share, limits: Limits = LIMITS) -> Iterator[tuple[Place, Found]]:
    """Return an iterator over one reader's share of what `walk` finds, each with its place in the order.

    Files of other readers are not opened. A large file (8 MB, packed) goes to every reader, with its `share`
    of the records in it; a large archive is opened by every reader, and its files are dealt out. What is
    refused as a zip bomb depends on what a reader has unpacked: each refuses it for itself.
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(f"no file or folder {path.name!r}: check the path")
    name = path.name if path.name not in ("", "..") else path.resolve().name
    return _on_disk(path, name or "/", limits, set(), _Deal(share))


class _Deal:
    """Who reads what: the place of the walk, and whether what stands there is this reader's.

    A file on the disk goes by its label: what comes and goes while the readers walk moves no other file from
    one reader to the next. Files in an archive that all readers open go round; an archive that one reader
    opens alone is one place.
    """

    def __init__(self, share: Share) -> None:
        self.share = share
        self.place: Place = (-1, 0)
        self.alone = share == WHOLE
        self._number = 0

    def next_on_disk(self, label: str) -> None:
        self.place = self.place[0] + 1, 0
        self._number = zlib.crc32(label.encode("utf-8", "surrogatepass"))

    def next_inside(self) -> None:
        if not self.alone or self.share == WHOLE:
            self.place = self.place[0], self.place[1] + 1

    def mine(self) -> bool:
        return self.alone or self.share.has(self._number + self.place[1])


Placed = tuple[Place, Found]


def os_reason(error: OSError) -> str:
    """Return why a file cannot be read, without the path on the user's machine."""
    return f"cannot be read: {error.strerror or error}"


def _on_disk(
    path: Path, label: str, limits: Limits, seen: set[tuple[int, int]], deal: _Deal
) -> Iterator[Placed]:
    try:
        status = path.stat()
        names = sorted(os.listdir(path)) if stat.S_ISDIR(status.st_mode) else None  # noqa: PTH208 (names are enough)
    except OSError as error:
        deal.next_on_disk(label)
        if deal.mine():
            yield deal.place, Rejected(label, 0, os_reason(error), "")
        return
    if names is not None:
        # A folder that links lead to twice is read once; a link to a folder above would never end.
        identity = (status.st_dev, status.st_ino)
        if identity not in seen:
            seen.add(identity)
            for name in names:
                if not _hidden(name):
                    yield from _on_disk(path / name, f"{label}/{name}", limits, seen, deal)
        return
    deal.next_on_disk(label)
    if not stat.S_ISREG(status.st_mode):
        if deal.mine():
            yield deal.place, Skipped(label, "not an ordinary file")
        return
    file = SourceFile(label, lambda: cast(BinaryIO, _Stream(_plain(path))))
    budget = _Budget(status.st_size, limits)
    yield from _dealt(file, status.st_size, budget, 0, deal, lambda: path.open("rb"))


def _hidden(name: str) -> bool:
    return any(part == "__MACOSX" or (part.startswith(".") and part.strip(".")) for part in name.split("/"))


def _dealt(
    file: SourceFile,
    size: int,
    budget: _Budget,
    depth: int,
    deal: _Deal,
    seekable: Callable[[], IO[bytes]] | None = None,
) -> Iterator[Placed]:
    """Yield what this reader reads of a file of `size` bytes, packed if it is so."""
    if deal.alone or size >= _LARGE:
        yield from _unpacked(file, budget, depth, deal, seekable)
    elif deal.mine():
        deal.alone = True
        try:
            yield from _unpacked(file, budget, depth, deal, seekable)
        finally:
            deal.alone = False


def _unpacked(
    file: SourceFile,
    budget: _Budget,
    depth: int,
    deal: _Deal,
    seekable: Callable[[], IO[bytes]] | None = None,
) -> Iterator[Placed]:
    """Yield a file, or what is in it if it is an archive. `depth` archives are open around it."""
    own: Found | None = None
    try:
        with file.open() as stream:
            head, whole = _head(stream)
        if whole:
            file = SourceFile(file.label, lambda: io.BytesIO(head))
        kind = _kind(head)
        if not head:
            own = Skipped(file.label, "empty")
        elif kind in ("zip", "gzip") and depth >= budget.limits.depth:
            reason = f"archives inside each other, over {budget.limits.depth} deep: refused"
            own = Rejected(file.label, 0, reason, "")
        elif kind == "zip":
            archive = seekable() if seekable else _spooled(file, budget.limits)
            yield from _members(file.label, archive, budget, depth, deal)
        elif kind == "gzip":
            account = budget.account()
            inner = SourceFile(file.label, lambda: cast(BinaryIO, _Stream(_gunzip(file.open(), account))))
            yield from _unpacked(inner, budget, depth + 1, deal)
        elif kind:
            own = Skipped(file.label, f"a {kind} file, which is not read here: unpack it first")
        else:
            yield deal.place, file if deal.alone else SourceFile(file.label, file.open, deal.share)
    except SourceError as error:
        own = Rejected(file.label, 0, str(error), "")
    except OSError as error:
        own = Rejected(file.label, 0, os_reason(error), "")
    if own is not None and deal.mine():
        yield deal.place, own


def _head(stream: BinaryIO) -> tuple[bytes, bool]:
    """Return the start of a file, and whether that is all of it, and sound."""
    head = stream.read(_AT_ONCE)
    try:
        return head, not stream.read(1)
    except (SourceError, OSError):
        return head, False


def _spooled(file: SourceFile, limits: Limits) -> IO[bytes]:
    """Return an archive inside another as a file to move about in: in memory when small, else on disk."""
    spool = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=16 * _MB))  # noqa: SIM115 (closed with its archive)
    try:
        with file.open() as stream:
            left = limits.spool
            while piece := stream.read(_CHUNK):
                left -= len(piece)
                if left < 0:
                    raise SourceError(
                        f"an archive inside another with over {limits.spool // _MB} MB: unpack it first"
                    )
                spool.write(piece)
    except BaseException:
        spool.close()
        raise
    return spool


class _Archive:
    """A zip's file handle, closed with the last file of it: a SourceFile stays good after the walk."""

    def __init__(self, handle: IO[bytes]) -> None:
        self.handle = cast(BinaryIO, handle)
        weakref.finalize(self, handle.close)

    def file(self, label: str, member: zips.Member, budget: _Budget) -> SourceFile:
        account = budget.account()

        # The closure holds this archive, and so its handle open, as long as the SourceFile lives.
        def start() -> BinaryIO:
            return cast(BinaryIO, _Stream(zips.unpack(self.handle, member, account)))

        return SourceFile(label, start)


def _members(label: str, handle: IO[bytes], budget: _Budget, depth: int, deal: _Deal) -> Iterator[Placed]:
    archive = _Archive(handle)
    empty = True
    for member in zips.members(archive.handle):
        empty = False
        if _hidden(member.name):
            continue
        deal.next_inside()
        file = archive.file(f"{label}/{member.name}", member, budget)
        # Where the archive does not say a size, one reader takes the file: all can count on that.
        yield from _dealt(file, member.size or 0, budget, depth + 1, deal)
        if budget.spent:
            yield deal.place, Rejected(label, 0, "a zip bomb: the rest of it was not read", "")
            return
    if empty and deal.mine():
        yield deal.place, Skipped(label, "an empty zip")
