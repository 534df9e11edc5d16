"""One trial from several sources: the newer record wins, and the order in which they come changes nothing.

Each source format can state some paths of the study and not others (a page has no MeSH terms, a CSV no
criteria: `formats.states`). The newest record is the trial. From the next older one only what the newer
formats cannot state is added, also inside list items that are the same thing (the coordinates of a site,
the type of an intervention); where a newer format could have stated a value and did not, the value was
dropped and stays dropped.

The stored study keeps, in its `sourceSection`, every source that it came from, and the newest record of
each format (of a CSV, of each choice of columns) whole where there is more than one; so the stored study is
a function of the set of records, and a record that comes in a later run falls into its place.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from trialindex.analysis import fold
from trialindex.dates import parse_date
from trialindex.formats import states
from trialindex.formats.record import Odd, SourceRecord

__all__ = ["SECTION", "add", "split", "trial_id", "union"]

SECTION = "sourceSection"

# Between records of one date the format that states more goes first.
_RICHNESS = {"ctgov-json": 5, "ctgov-xml": 4, "page-a": 3, "page-b": 2, "page-c": 1, "ctgov-csv": 0}

# What makes two items of a list the same thing, by the first of these sets that the newer item has a value
# for.
_IDENTITIES = (
    ("facility", "city", "country"),
    ("measure",),
    ("label",),
    ("name",),
    ("term",),
    ("id",),
    ("pmid",),
    ("citation",),
    ("url",),
)


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of a trial; `study` is None where a newer record of the same kind took its place."""

    format: str
    file: str
    number: int
    date: str
    odd: tuple[Odd, ...]
    study: dict[str, Any] | None
    # The paths that this record could state, where its format leaves a choice.
    columns: frozenset[str] | None = None

    @property
    def kind(self) -> tuple[str, frozenset[str] | None]:
        """What the record could state; of two records of one kind the newer takes the place of the older."""
        return self.format, self.columns

    @property
    def stated(self) -> frozenset[str] | None:
        """The paths that the record could state; None is all."""
        return states(self.format) if self.columns is None else self.columns

    def listed(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "format": self.format,
            "file": self.file,
            "number": self.number,
            "date": self.date,
        }
        if self.odd:
            entry["odd"] = [
                {"field": odd.field, "value": odd.value, "reason": odd.reason} for odd in self.odd
            ]
        if self.columns is not None:
            entry["states"] = sorted(self.columns)
        return entry


def trial_id(study: dict[str, Any]) -> str:
    """Return the id of a study; "" where it has none."""
    found = _module(study, "identificationModule").get("nctId")
    return found.strip() if isinstance(found, str) else ""


def _module(study: dict[str, Any], name: str) -> dict[str, Any]:
    protocol = study.get("protocolSection")
    module = protocol.get(name) if isinstance(protocol, dict) else None
    return module if isinstance(module, dict) else {}


def add(stored: dict[str, Any] | None, record: SourceRecord) -> dict[str, Any]:
    """Return the stored study that results when a record comes to what is stored of its trial (None:
    nothing yet).

    Neither argument is changed. `add(add(None, a), b) == add(add(None, b), a)`, and adding a record again
    changes nothing.
    """
    sources = _sources(stored) if stored else []
    study = record.study
    sources.append(
        _Source(record.format, record.file, record.number, _updated(study), record.odd, study, record.states)
    )
    return _combined(sources)


def union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the stored study of all records that two stored studies of one trial were made from.

    `union(add(None, a), add(None, b)) == add(add(None, a), b)`; neither argument is changed.
    """
    return _combined(_sources(one) + _sources(other))


def split(stored: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a stored study without our section, and the section."""
    section = stored.get(SECTION)
    return {key: value for key, value in stored.items() if key != SECTION}, section if isinstance(
        section, dict
    ) else {}


def _updated(study: dict[str, Any]) -> str:
    """Return when the record was last updated, as the source says; "" if it does not, or in no date."""
    module = _module(study, "statusModule")
    posted = module.get("lastUpdatePostDateStruct")
    stated = (posted.get("date") if isinstance(posted, dict) else None, module.get("lastUpdateSubmitDate"))
    days = (parse_date(date) for date in stated if isinstance(date, str))
    return next((day for day in days if day), "")


def _canonical(study: dict[str, Any] | None) -> str:
    return json.dumps(study, sort_keys=True, ensure_ascii=False)


def _compare(one: _Source, other: _Source) -> int:
    """Return which of two sources is newer: above 0 the one, below 0 the other, 0 where they are the same."""
    first, second = ((source.date, _RICHNESS.get(source.format, -1)) for source in (one, other))
    if first != second:
        return 1 if first > second else -1
    # The text decides last, and after it the place, so that the order in which records come cannot.
    if one.study != other.study:
        return 1 if _canonical(one.study) > _canonical(other.study) else -1
    text, other_text = _canonical(one.listed()), _canonical(other.listed())
    return (text > other_text) - (text < other_text)


def _sources(stored: dict[str, Any]) -> list[_Source]:
    """Return the sources that a stored study was made from."""
    study, section = split(stored)
    found = []
    for entry in section["sources"]:
        odd = tuple(Odd(item["field"], item["value"], item["reason"]) for item in entry.get("odd", ()))
        columns = frozenset(entry["states"]) if "states" in entry else None
        held = entry.get("study")
        if held is None and entry.get("whole"):
            held = study | ({SECTION: entry["own"]} if "own" in entry else {})
        found.append(
            _Source(entry["format"], entry["file"], entry["number"], entry["date"], odd, held, columns)
        )
    return found


def _combined(sources: list[_Source]) -> dict[str, Any]:
    # A newer CSV of two columns must not drop what an older, full one states: each choice is a kind.
    newest: dict[tuple[str, frozenset[str] | None], _Source] = {}
    for source in sources:
        held = newest.get(source.kind)
        if source.study is not None and (held is None or _compare(source, held) > 0):
            newest[source.kind] = source
    records = sorted(newest.values(), key=cmp_to_key(_compare), reverse=True)
    merged = _merged(records)

    entries: dict[tuple[str, str, int, str, bool, tuple[str, ...]], dict[str, Any]] = {}
    for source in sources:
        chosen = source.columns is not None, tuple(sorted(source.columns or ()))
        place = (source.format, source.file, source.number, source.date, *chosen)
        entry = source.listed()
        if newest.get(source.kind) is source:
            own = source.study or {}
            if len(records) == 1:
                entry["whole"] = True
                if own.get(SECTION):
                    entry["own"] = own[SECTION]
            else:
                entry["study"] = own
        # A record read twice from one place is one source; the entry that holds the study stays.
        other = entries.get(place)
        if other is None or _precedence(entry) > _precedence(other):
            entries[place] = entry
    return merged | {SECTION: {"sources": [entries[place] for place in sorted(entries)]}}


def _precedence(entry: dict[str, Any]) -> tuple[bool, str]:
    """Which of two entries of one place stays: the greater, in whatever order they come."""
    return "study" in entry or "whole" in entry, _canonical(entry)


def _merged(records: list[_Source]) -> dict[str, Any]:
    """Merge records, newest first, one of each kind."""
    first, *older = records
    merged = {key: value for key, value in (first.study or {}).items() if key != SECTION}
    if older:
        merged = copy.deepcopy(merged)
    stated = first.stated
    for source in older:
        if stated is None:
            break
        paths = _Paths(stated)
        _fill(
            merged, {key: value for key, value in (source.study or {}).items() if key != SECTION}, "", paths
        )
        more = source.stated
        stated = None if more is None else stated | more
    return merged


class _Paths:
    """The paths that some formats can state: whole (`covers`) or in part (`enters`)."""

    def __init__(self, stated: Iterable[str]) -> None:
        self._whole = set(stated)
        self._above = {
            ".".join(steps[:depth])
            for path in self._whole
            for steps in [path.split(".")]
            for depth in range(1, len(steps))
        }

    def covers(self, path: str) -> bool:
        return path in self._whole and path not in self._above

    def enters(self, path: str) -> bool:
        return path in self._above


def _fill(newer: dict[str, Any], older: dict[str, Any], path: str, stated: _Paths) -> None:
    """Add to `newer` what `older` has and the newer formats cannot state."""
    for key, value in older.items():
        place = f"{path}.{key}" if path else key
        if stated.covers(place):
            continue
        if not stated.enters(place):
            newer.setdefault(key, copy.deepcopy(value))
        elif isinstance(value, dict):
            below = newer.get(key, {})
            if isinstance(below, dict):
                _fill(below, value, place, stated)
                if below:
                    newer[key] = below
        elif isinstance(value, list) and isinstance(newer.get(key), list):
            _fill_items(newer[key], value, place, stated)


def _fill_items(newer: list[Any], older: list[Any], path: str, stated: _Paths) -> None:
    """Fill the items of a list from the older items that are the same thing."""
    for item in newer:
        if not isinstance(item, dict):
            continue
        names = next((names for names in _IDENTITIES if any(item.get(name) for name in names)), ())
        same = _identity(item, names)
        for other in older:
            if isinstance(other, dict) and same and _identity(other, names) == same:
                _fill(item, other, path, stated)
                break


def _identity(item: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fold(" ".join(str(item.get(name) or "").split())) for name in names)
