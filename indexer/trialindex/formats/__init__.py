"""The source formats: which there are, which one a file is in, and all records of a source.

A format is a module in this folder with `NAME`, `STATES`, `recognises(head)` and `read(file)`. It is
recognised by what stands in the file, never by the file's name, and imported when it is first needed.

>>> recognise('[{"protocolSection": {}}]'), recognise("NCT Number,Study Title,Study URL")
('ctgov-json', 'ctgov-csv')
>>> recognise("Dear all, please find the list attached.") is None
True
>>> states("ctgov-json") is None, "protocolSection.designModule.phases" in states("ctgov-csv")
(True, True)
>>> read_items("no-such-folder")
Traceback (most recent call last):
    ...
trialindex.errors.SourceError: no file or folder 'no-such-folder': check the path
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from trialindex.errors import SourceError
from trialindex.formats.files import (
    LIMITS,
    WHOLE,
    Found,
    Limits,
    Place,
    Share,
    SourceFile,
    decode,
    os_reason,
    walk_share,
)
from trialindex.formats.record import Item, Rejected, Skipped
from trialindex.formats.zips import ChecksumError

__all__ = ["FORMATS", "Format", "read_items", "read_share", "recognise", "states"]


class Format(Protocol):
    """What a format's module has: its key, the study paths it can state (None: all), two functions."""

    NAME: str
    STATES: frozenset[str] | None

    def recognises(self, head: str) -> bool:
        """Whether a file that starts with this text is in the format."""

    def read(self, file: SourceFile) -> Iterator[Item | None]:
        """Yield the file's records, and what could not be read of it; None for a record that is another
        reader's (`file.share`), where building it would take time.
        """


_PAGES = {"page-a": "page_a", "page-b": "page_b", "page-c": "page_c"}
_MODULES = {"ctgov-json": "ctgov_json", "ctgov-csv": "ctgov_csv", "ctgov-xml": "ctgov_xml"} | _PAGES
# Which formats a file's first sign leaves possible, in the order of trying.
_TEXT = ("ctgov-json", "ctgov-csv", *_PAGES)
_MARKUP = ("ctgov-xml", *_PAGES)
_HTML = re.compile(
    r"(?:<\?xml[^>]*>|<!--(?:(?!-->).)*-->|\s)*<(?:!DOCTYPE\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 1 << 16
_SMALL = 1 << 20


class _Formats(Mapping[str, Format]):
    """The formats by key, each imported when it is first asked for: most sources need no XML library."""

    def __getitem__(self, name: str) -> Format:
        return cast(Format, import_module(f"{__name__}.{_MODULES[name]}"))

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


FORMATS: Mapping[str, Format] = _Formats()


def states(name: str) -> frozenset[str] | None:
    """Return the study paths that a format can state, None for all. Raises KeyError for an unknown format."""
    return FORMATS[name].STATES


def recognise(head: str) -> str | None:
    """Return the key of the format that a text starting like this is in, or None."""
    markup = tuple(_PAGES) if _HTML.match(head) else _MARKUP
    possible = markup if head.lstrip().startswith("<") else _TEXT
    return next((name for name in possible if FORMATS[name].recognises(head)), None)


def read_items(path: Path | str, limits: Limits = LIMITS) -> Iterator[Item]:
    """Return an iterator over all records of a file, an archive or a folder, and over all that is none.

    A file that fails is one `Rejected` more, and reading goes on. Raises SourceError at once for a path that
    does not exist.
    """
    return (item for _, item in read_share(path, WHOLE, limits))


def read_share(
    path: Path | str, share: Share, limits: Limits = LIMITS
) -> Iterator[tuple[tuple[int, int, int], Item]]:
    """Return an iterator over one reader's share of what `read_items` gives, each item with its place: file
    on the disk, file in that file, record.

    All shares together are all items, each once, and sorted by place they stand in the order of `read_items`.
    Files of other readers are not opened; the records of a large file are dealt out by number, and what
    another reader builds is not built here. Zip bombs are the exception (`files.walk_share`).
    """
    return _placed(walk_share(Path(path), share, limits))


def _placed(walked: Iterator[tuple[Place, Found]]) -> Iterator[tuple[tuple[int, int, int], Item]]:
    last: Place | None = None
    number = 0
    for place, found in walked:
        if place != last:
            last, number = place, 0
        for item in _items(found) if isinstance(found, SourceFile) else (found,):
            if item is not None:
                yield (*place, number), item
            number += 1


def _items(file: SourceFile) -> Iterator[Item | None]:
    """Yield the items of a file, None for each that is another reader's."""
    count = 0
    own: Item
    try:
        start, whole = _peek(file)
        name = recognise(decode(start[:_HEAD])[0])
        if name is not None:
            # A small file is not opened and unpacked a second time.
            seen = SourceFile(file.label, lambda: io.BytesIO(start), file.share) if whole else file
            for item in FORMATS[name].read(seen):
                count += 1
                yield item if item is None or file.share.has(getattr(item, "number", 0)) else None
            if count:
                return
        own = Skipped(file.label, "holds no trial" if name else "holds no trial in a known form")
    except (SourceError, UnicodeError) as error:
        own = Rejected(file.label, count, str(error), "" if count else _readable(file))
    except OSError as error:
        own = Rejected(file.label, count, os_reason(error), "" if count else _readable(file))
    except RecursionError:
        own = Rejected(file.label, count, "nested too deep", "" if count else _readable(file))
    yield own if file.share.has(0) else None


def _peek(file: SourceFile) -> tuple[bytes, bool]:
    """Return a file's first megabyte, and whether that is all of it.

    Raises ChecksumError for a small file of wrong bytes, so that it is refused before any record of it is
    believed.
    """
    with file.open() as stream:
        start = stream.read(_SMALL)
        try:
            return start, not stream.read(1)
        except ChecksumError:
            raise
        except (SourceError, OSError):
            if not start:
                raise
            return start, False


def _readable(file: SourceFile) -> str:
    """Return as much of a file's text as can be read."""
    pieces = []
    left = LIMITS.text
    try:
        with file.open() as stream:
            while left > 0 and (piece := stream.read(min(left, _SMALL))):
                pieces.append(piece)
                left -= len(piece)
    except (SourceError, OSError):
        pass
    return decode(b"".join(pieces))[0]
