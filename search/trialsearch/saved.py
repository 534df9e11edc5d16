"""Saved searches: a question by name, and what it found when it was last asked.

    question = Question("lupus nephritis", {"phase": 2})
    Store().write(taken("lupus", question, trials.search("lupus nephritis", phase=2).whole, index))
    ...
    saved = Store().read("lupus")
    whole = ask(trials, saved).whole
    change = compared(saved.found, whole.ids, whole.digests)

Each is one JSON file, `NAME.json`, in the user's data folder or in $TRIALSEARCH_SAVED. It holds the question
as `TrialSearch.search` takes it, and of each trial found its id and a digest of its record: nothing of the
index, so that any index with the same trials can be asked what is new. A trial is new where its id was not
among those found, changed where its record has another digest, gone where it is found no more.

A file is written whole, or not at all: of two processes that save at once, the later one stays. What is read
is checked and bounded: whoever edits one by hand gets a clear error.

>>> first = Found.of(np.array([b"NCT2", b"NCT1"]), np.array([7, 8], np.uint32))
>>> compared(first, np.array([b"NCT3", b"NCT1"]), np.array([1, 9], np.uint32))
Change(new=array([0]), changed=array([1]), gone=('NCT2',))
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.errors import TrialError
from trialindex.frozen import frozen
from trialsearch.lexing import shortened

if TYPE_CHECKING:
    from trialsearch.engine import TrialSearch
    from trialsearch.results import Results
    from trialsearch.whole import Whole

__all__ = [
    "Change", "Found", "Question", "Saved", "SavedError", "Store", "ask", "checked_name", "compared", "taken",
]  # fmt: skip

_KIND = "trialsearch saved search 1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Names that are devices on Windows, whatever follows their first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_FILE = 64 << 20  # bytes
_MOST_TRIALS = 5_000_000
_LONGEST_ID = 100  # bytes
_LONGEST_TEXT = 20_000  # characters of a query, of a value: a thousand ids fit
_MOST_VALUES = 1_000  # of an option

_WITHOUT = {"--with-results": "--without-results"}

Ids = npt.NDArray[np.bytes_]
Digests = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]


class SavedError(TrialError):
    """A saved search that is not there, or that cannot be read."""


class Found(NamedTuple):
    """The trials that a question found: `ids`, bytes of one width [n], ascending; `digests` uint32[n] of
    their records, 0 where an index knew none.
    """

    ids: Ids
    digests: Digests

    @classmethod
    def of(cls, ids: Ids, digests: Digests) -> Found:
        """Return trials given in any order."""
        order = ids.argsort(kind="stable")
        return cls(ids[order], digests[order])


class Change(NamedTuple):
    """What differs between two answers: places in the later one (int64[n]) of the trials that are new and of
    those that changed; the ids of those that are gone, ascending.
    """

    new: Places
    changed: Places
    gone: tuple[str, ...]


@frozen
class Question:
    """What a saved search asks: a query, and options as `TrialSearch.search` takes them."""

    query: str
    options: dict[str, Any]

    def __str__(self) -> str:
        """Return it as it would be typed after `trialsearch search`.

        >>> str(Question("lupus nephritis", {"phase": [2, "3"], "everywhere": True, "fuzzy": False}))
        'lupus nephritis --phase 2 --phase 3 --everywhere --no-fuzzy'
        """
        return " ".join(filter(None, (self.query, *self._options())))

    def _options(self) -> Iterator[str]:
        for name, value in self.options.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                yield option
            elif value is False:
                yield _WITHOUT.get(option) or option.replace("--", "--no-", 1)
            else:
                for one in value if isinstance(value, list) else [value]:
                    text = str(one)
                    yield f"{option} {text}" if re.fullmatch(r"[\w.:,/+-]+", text) else f"{option} '{text}'"


@frozen
class Saved:
    """A saved search. `index`: the folder of the index that was asked; `asked`: when, in UTC, as
    `2026-11-22T13:05:00Z`.
    """

    name: str
    question: Question
    index: str
    asked: str
    found: Found


def checked_name(name: str) -> str:
    """Return a name that may be that of a saved search. Raises SavedError for any other.

    >>> checked_name("lupus-2.new")
    'lupus-2.new'
    >>> checked_name("../lupus")
    Traceback (most recent call last):
        ...
    trialsearch.saved.SavedError: '../lupus' is no name for a saved search: letters, digits, - _ and ., \
beginning with a letter or a digit, at most 64
    """
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise SavedError(
            f"{name[:100]!r} is no name for a saved search: letters, digits, - _ and ., "
            "beginning with a letter or a digit, at most 64"
        )
    return name


def compared(before: Found, ids: Ids, digests: Digests) -> Change:
    """Return what is new, changed and gone in an answer, `ids` and `digests` [n] in any order, since another.

    A digest of 0 is unknown: such a trial counts as unchanged.
    """
    places = np.minimum(before.ids.searchsorted(ids), max(len(before.ids) - 1, 0))
    known = before.ids[places] == ids if len(before.ids) else np.zeros(len(ids), np.bool_)
    changed = known.copy()
    was, is_now = before.digests[places[known]], digests[known]
    changed[known] = (was != is_now) & (was != 0) & (is_now != 0)
    gone = np.ones(len(before.ids), np.bool_)
    gone[places[known]] = False
    names = (key.decode("utf-8", "replace") for key in before.ids[gone].tolist())
    return Change(np.flatnonzero(~known), np.flatnonzero(changed), tuple(names))


def ask(trials: TrialSearch, saved: Saved) -> Results:
    """Ask a saved search again, as it was asked. No page of hits comes with the answer, but `Results.whole`.

    Raises SavedError where its options are none of `TrialSearch.search`, QueryError as that does.
    """
    from trialsearch.filters import FilterValues

    search = type(trials).search
    known = {name: search.__annotations__[name] for name in search.__kwdefaults__ or {}}
    known |= FilterValues.__annotations__
    for name, value in saved.question.options.items():
        if name not in known or name in {"limit", "offset"}:
            wrong = f"an option that there is not: {shortened(name)}"
        elif not _fits(value, str(known[name])):
            wrong = f"a value that is none of {name}: {shortened(repr(value))}"
        else:
            continue
        raise SavedError(f"the saved search {saved.name!r} has {wrong}")
    return trials.search(saved.question.query, **saved.question.options, limit=0)


def _fits(value: Any, annotation: str) -> bool:
    """Whether a value of JSON is of a type that an argument takes.

    >>> _fits(["a"], "str | Iterable[str] | None"), _fits(True, "bool | None"), _fits(True, "int | None")
    (True, True, False)
    """
    types = set(re.findall(r"\w+", annotation))
    if "OneOrMore" in types:
        types |= {"str", "int", "Iterable"}
    return ("Iterable" if isinstance(value, list) else type(value).__name__) in types


def taken(name: str, question: Question, whole: Whole, index: Path) -> Saved:
    """Return a question as it is saved now, with all trials that it found."""
    import time

    asked = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    found = Found.of(whole.ids, whole.digests)
    return Saved(checked_name(name), question, str(index.resolve()), asked, found)


def default_folder() -> Path:
    """Return where saved searches are: $TRIALSEARCH_SAVED, else in the user's data folder."""
    named = os.environ.get("TRIALSEARCH_SAVED")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("trialsearch", appauthor=False) / "saved"


class Store:
    """The saved searches of a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = default_folder() if folder is None else folder

    def names(self) -> list[str]:
        """Return the names of all saved searches, in order."""
        if not self.folder.is_dir():
            return []
        stems = (path.name.removesuffix(".json") for path in self.folder.glob("*.json"))
        return sorted(stem for stem in stems if _NAME.fullmatch(stem))

    def has(self, name: str) -> bool:
        """Whether there is a saved search of a name."""
        return self._path(name).is_file()

    def read(self, name: str) -> Saved:
        """Return a saved search. Raises SavedError where there is none, or its file is not one."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                data = file.read(_LONGEST_FILE + 1)
        except FileNotFoundError:
            raise self._unknown(name) from None
        if len(data) > _LONGEST_FILE:
            raise _damaged(path, f"more than {_LONGEST_FILE >> 20} MB")
        return _read(data, name, path)

    def write(self, saved: Saved) -> None:
        """Write a saved search, over any of the same name.

        Raises SavedError where it asks too much to be read again, OSError where it cannot be written.
        """
        from trialindex.segments import disk

        path = self._path(saved.name)
        try:
            _checked(saved.question.query, saved.question.options)
        except ValueError as error:
            raise SavedError(f"the search cannot be saved as {saved.name!r}: {error}") from None
        self.folder.mkdir(parents=True, exist_ok=True)
        # Under a name of its own first: processes that save at the same time do not meet.
        aside = path.with_name(f"{saved.name}.{os.getpid()}-{os.urandom(4).hex()}")
        disk.write_whole(aside, _text(saved).encode())
        try:
            disk.DISK.replace(aside, path)
        except OSError:
            disk.DISK.remove(aside)
            raise
        disk.DISK.sync_folder(self.folder)

    def delete(self, name: str) -> None:
        """Delete a saved search. Raises SavedError where there is none."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise self._unknown(name) from None

    def _path(self, name: str) -> Path:
        return self.folder / f"{checked_name(name)}.json"

    def _unknown(self, name: str) -> SavedError:
        import difflib

        names = self.names()
        near = difflib.get_close_matches(name, names, n=3)
        remedy = f"the nearest: {', '.join(near)}" if near else "`trialsearch saved` lists them"
        if not names:
            remedy = f"none is saved yet: trialsearch search lupus --save {name}"
        return SavedError(f"no saved search {name!r}; {remedy}")


def _damaged(path: Path, reason: str) -> SavedError:
    return SavedError(f"{path} is no saved search ({reason}): delete it, and save the search again")


def _text(saved: Saved) -> str:
    import json

    ids, digests = saved.found
    held = {
        "kind": _KIND,
        "query": saved.question.query,
        "options": saved.question.options,
        "index": saved.index,
        "asked": saved.asked,
        "trials": len(ids),
        "id_bytes": ids.itemsize,
        "ids": _packed(ids.tobytes()),
        "digests": _packed(digests.astype("<u4").tobytes()),
    }
    return json.dumps(held, indent=1)


def _packed(data: bytes) -> str:
    import base64
    import zlib

    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def _read(data: bytes, name: str, path: Path) -> Saved:
    import json

    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        raise _damaged(path, "no JSON") from None
    if not isinstance(held, dict) or held.get("kind") != _KIND:
        raise _damaged(path, f"not marked {_KIND!r}")
    index, asked = held.get("index"), held.get("asked")
    if not isinstance(index, str) or not isinstance(asked, str):
        raise _damaged(path, "its index or date is no text")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", asked, re.ASCII):
        raise _damaged(path, "its date is none")
    trials, width = held.get("trials"), held.get("id_bytes")
    if type(trials) is not int or not 0 <= trials <= _MOST_TRIALS:
        raise _damaged(path, "its number of trials is none")
    if type(width) is not int or not 1 <= width <= _LONGEST_ID:
        raise _damaged(path, "its ids have no length")
    try:
        question = _checked(held.get("query"), held.get("options"))
        ids = np.frombuffer(_unpacked(held.get("ids"), trials * width), f"S{width}")
        digests = np.frombuffer(_unpacked(held.get("digests"), trials * 4), "<u4").astype(np.uint32)
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    if not (ids[1:] > ids[:-1]).all():
        raise _damaged(path, "its ids are not in order")
    return Saved(name, question, index, asked, Found(ids, digests))


def _checked(query: Any, options: Any) -> Question:
    """Return a question that may be saved. Raises ValueError, saying why, where it may not."""
    if not isinstance(query, str) or len(query) > _LONGEST_TEXT:
        raise ValueError(f"its query is no text of {_LONGEST_TEXT:,} characters or fewer")
    if not isinstance(options, dict):
        raise ValueError("it has no options")
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        if len(values) > _MOST_VALUES:
            raise ValueError(f"{shortened(name)} has more than {_MOST_VALUES:,} values")
        if not all(map(_is_value, values)):
            raise ValueError(f"{shortened(name)} is no number, and no text of {_LONGEST_TEXT:,} characters")
    return Question(query, options)


def _is_value(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and len(value) <= _LONGEST_TEXT)


def _unpacked(text: Any, size: int) -> bytes:
    """Return packed bytes of a known size. Raises ValueError where they are not so many, before there are
    more.
    """
    import base64
    import zlib

    if not isinstance(text, str):
        raise ValueError("its trials are no text")
    try:
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(text, validate=True), size + 1)
    except (ValueError, zlib.error):
        raise ValueError("its trials cannot be read") from None
    if len(data) != size or not reader.eof:
        raise ValueError(f"its trials are not the {size} bytes that they should be")
    return data
