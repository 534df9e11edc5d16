"""What a source format hands over: records, and what could not be read.

Every format module yields these three, in the file's order. Nothing is dropped on the way: what cannot
become a record travels on as `Rejected` with its raw text, what is no trial at all as `Skipped`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Item", "Odd", "Rejected", "Skipped", "SourceRecord"]


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that is not what its field should hold; the record keeps it as text.

    `field` is the piece name where there is one (`StartDate`), else the path or the source's own label.
    """

    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One trial as one source states it.

    `study` follows the registry's API v2 structure and is ours to keep. `format` names the source format
    (the key in `formats.FORMATS`), `file` the file as the user knows it (`download.zip/NCT01.json`),
    `number` the record's 1-based place in that file. `states`, where it is not None, is what this one file
    can state, in place of all that its format can (`formats.states`): a table has the columns that somebody
    chose.
    """

    study: dict[str, Any]
    format: str
    file: str
    number: int
    odd: tuple[Odd, ...] = ()
    states: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A piece of input that should have been a record and could not be read; `raw` is its whole text."""

    file: str
    number: int
    reason: str
    raw: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that holds no trial."""

    file: str
    reason: str


Item = SourceRecord | Rejected | Skipped
