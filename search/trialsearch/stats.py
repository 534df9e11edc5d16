"""What an index holds, in figures: gathered in one pass over its stored records.

>>> study = {"protocolSection": {"statusModule": {"overallStatus": "COMPLETED",
...     "startDateStruct": {"date": "2012-02"}}, "designModule": {"phases": ["PHASE1", "PHASE2"]}}}
>>> figures = gathered([("NCT00000001", study), ("NCT00000002", {})], Path("no-such-folder"))
>>> figures.trials, dict(figures.statuses), dict(figures.phases), dict(figures.years)
(2, {'COMPLETED': 1, '': 1}, {'PHASE1': 1, 'PHASE2': 1, '': 1}, {'2012': 1})
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialindex import codes
from trialindex.builder import REJECTS
from trialindex.study_fields import by_piece, values
from trialsearch.lines import Line, table

__all__ = ["Stats", "as_dict", "gathered", "lines"]


@dataclass(slots=True)
class Stats:
    """Figures of an index. Counts are by code, "" for trials that do not state it; a trial of two phases
    counts under both. `sources` counts records by source format, `years` trials by the year of their start;
    `updated` is the first and the last date of an update, `size` bytes on disk, `rejects` records set aside.
    """

    trials: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    updated: tuple[str, str] | None = None
    with_results: int = 0
    size: int = 0
    rejects: int = 0


def gathered(studies: Iterable[tuple[str, dict[str, Any]]], folder: Path) -> Stats:
    """Return the figures of the stored studies (id, study) of the index in a folder."""
    pieces = by_piece()
    figures = Stats()
    for _, study in studies:
        figures.trials += 1

        def stated(piece: str, study: dict[str, Any] = study) -> list[str]:
            return [value for value in values(study, pieces[piece].path) if isinstance(value, str)]

        for counter, piece in (
            (figures.statuses, "OverallStatus"),
            (figures.phases, "Phase"),
            (figures.types, "StudyType"),
        ):
            counter.update(list(dict.fromkeys(stated(piece))) or [""])
        figures.years.update(day[:4] for day in stated("StartDate")[:1] if re.match(r"\d{4}", day))
        figures.with_results += study.get("hasResults") is True
        figures.sources.update(_formats(study))
        for day in stated("LastUpdatePostDate")[:1]:
            first, last = figures.updated or (day, day)
            figures.updated = min(first, day), max(last, day)
    if folder.is_dir():
        figures.size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        rejects = folder / REJECTS
        if rejects.is_file():
            with rejects.open("rb") as file:
                figures.rejects = sum(1 for _ in file)
    return figures


def _formats(study: dict[str, Any]) -> list[str]:
    listed = values(study, "sourceSection.sources.format")
    return [name for name in listed if isinstance(name, str)]


def as_dict(figures: Stats) -> dict[str, Any]:
    """Return the figures as plain data that JSON can hold."""
    return {
        "trials": figures.trials,
        "records_by_source": dict(sorted(figures.sources.items())),
        "status": dict(figures.statuses.most_common()),
        "phase": dict(sorted(figures.phases.items())),
        "type": dict(figures.types.most_common()),
        "start_year": dict(sorted(figures.years.items())),
        "updated": list(figures.updated) if figures.updated else None,
        "with_results": figures.with_results,
        "bytes": figures.size,
        "rejects": figures.rejects,
    }


def lines(figures: Stats, folder: str) -> list[Line]:
    """Return the figures as small tables."""
    phases = [code for code in (*codes.CODES["Phase"], "") if code in figures.phases]
    phases += sorted(figures.phases.keys() - set(phases))
    general = [
        ("trials", f"{figures.trials:,}"),
        ("with results", f"{figures.with_results:,}"),
        ("records set aside", f"{figures.rejects:,}"),
        ("size on disk", _size(figures.size)),
    ]
    if figures.years:
        general.append(("started", f"{min(figures.years)} to {max(figures.years)}"))
    if figures.updated:
        general.append(("last updated", " to ".join(figures.updated)))
    found = [Line(((f"The index in {folder}", "head"),)), *table(general, 2)]
    for heading, rows in (
        ("Records by source", [(name, number) for name, number in figures.sources.most_common()]),
        ("Status", [(_words(code), number) for code, number in figures.statuses.most_common()]),
        ("Phase", [(_words(code), figures.phases[code]) for code in phases]),
        ("Type", [(_words(code), number) for code, number in figures.types.most_common()]),
        ("Start", _decades(figures.years)),
    ):
        if rows:
            found += [Line(), Line(((heading, "head"),)), *_counts(rows)]
    return found


def _counts(rows: Sequence[tuple[str, int]]) -> list[Line]:
    return table([(name, f"{number:,}") for name, number in rows], 2)


def _words(code: str) -> str:
    return codes.words(code) if re.fullmatch(r"[A-Z][A-Z0-9_]+", code) else code or "not stated"


def _decades(years: Counter[str]) -> list[tuple[str, int]]:
    """Return the number of trials by five years of start."""
    spans: Counter[int] = Counter()
    for year, number in years.items():
        spans[int(year) // 5 * 5] += number
    return [(f"{first} to {first + 4}", spans[first]) for first in sorted(spans)]


def _size(size: int) -> str:
    """Return a size in words.

    >>> _size(900), _size(2_400_000)
    ('900 bytes', '2.4 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
