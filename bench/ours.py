"""This engine through its public interface: with synonyms and misspelt names (`all`) or without (`plain`), or
with them and three filters besides (`filtered`).
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from words import Answer, Ask

__all__ = ["asker", "build", "build_plain", "build_worn", "merge", "prune", "segments", "stored"]

_PARTS = 7
# Three filters at a time: each query gets the same three whenever it is asked.
_FILTERS: tuple[dict[str, Any], ...] = (
    {"status": ["completed", "recruiting"], "type": "interventional", "start": "2003..2020"},
    {"phase": [2, 3], "sex": "female", "age": 40},
    {"country": "United States", "with_results": False, "updated": "2005.."},
)


def build(sources: list[Path], folder: Path, workers: int | None) -> None:
    """Make an index of raw sources, as a user does, with so many processes (None: as many as it wants)."""
    from trialindex import build as build_index

    build_index(sources, folder, workers=workers)


def build_plain(studies: Iterable[tuple[str, dict[str, Any]]], folder: Path) -> None:
    """Make an index of studies as peers do: without links to concepts, and with nothing learned from them."""
    from trialindex.storage import Writer

    with Writer(folder) as writer:
        for key, study in studies:
            writer.put(key, study)
        writer.merge()


def merge(folder: Path) -> None:
    """Make one segment of an index."""
    from trialindex.storage import Writer

    with Writer(folder) as writer:
        writer.merge()


def build_worn(studies: Iterable[tuple[str, dict[str, Any]]], folder: Path, size: int) -> None:
    """Write so many studies in commits of equal size that stay segments of their own, then delete one in
    forty of them and write another one in forty anew.
    """
    from trialindex.storage import Writer

    deleted: list[str] = []
    updated: list[tuple[str, dict[str, Any]]] = []
    part = -(-size // _PARTS)
    with Writer(folder, merge=False) as writer:
        for number, (key, study) in enumerate(studies):
            if number and number % part == 0:
                writer.commit()
            writer.put(key, study)
            if number % 40 == 0:
                deleted.append(key)
            elif number % 40 == 20:
                updated.append((key, study))
        writer.commit()
        for key in deleted:
            writer.delete(key)
        for key, study in updated:
            writer.put(key, study)
        writer.commit()


def _pruned(study: dict[str, Any], wanted: frozenset[str], path: str = "") -> dict[str, Any]:
    """Return a study with nothing but the values at these paths.

    >>> study = {"a": {"b": ["x"], "c": 1}, "d": [{"e": 2, "f": 3}, {"f": 4}]}
    >>> _pruned(study, frozenset({"a.b", "d.f"}))
    {'a': {'b': ['x']}, 'd': [{'f': 3}, {'f': 4}]}
    """
    made: dict[str, Any] = {}
    for name, value in study.items():
        at = f"{path}.{name}" if path else name
        if at in wanted:
            made[name] = value
        elif isinstance(value, dict):
            made[name] = _pruned(value, wanted, at)
        elif isinstance(value, list):
            made[name] = [_pruned(item, wanted, at) for item in value if isinstance(item, dict)]
    return {name: value for name, value in made.items() if value not in ({}, [])}


def prune(studies: Iterable[tuple[str, dict[str, Any]]], weights: Iterable[str], path: Path) -> None:
    """Write the studies with nothing but the values of these fields, as JSON lines."""
    from trialindex.fields import FIELDS

    wanted = frozenset(FIELDS[name].path for name in weights)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for _key, study in studies:
            file.write(json.dumps(_pruned(study, wanted), ensure_ascii=False) + "\n")


def _segment_files(folder: Path) -> Iterator[Any]:
    from trialindex.segments.arrays import ArrayFile

    for path in sorted(folder.rglob("*.seg")):
        yield ArrayFile(path)


def segments(folder: Path) -> int:
    """Return the number of segments."""
    return sum(1 for _ in folder.rglob("*.seg"))


def stored(folder: Path) -> int:
    """Return the bytes of the stored records."""
    return sum(
        int(file.get(name).nbytes)
        for file in _segment_files(folder)
        for name in file.names()
        if name.startswith("records.")
    )


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query with the trials that have all of it."""
    from trialsearch import TrialSearch

    trials = TrialSearch.open(folder)
    aided = mode != "plain"

    def ask(query: str, limit: int | None) -> Answer:
        filters = _FILTERS[crc32(query.encode()) % len(_FILTERS)] if mode == "filtered" else {}
        results = trials.search(query, limit=limit, synonyms=aided, fuzzy=aided, **filters)
        return [(hit.id, hit.score) for hit in results if not hit.partial]

    return ask
