"""The process that a contestant builds in.

    python bench/build.py NAME FOLDER SOURCE...      what NAME means: BUILDS

All contestants get what this engine's readers read of the sources; peers get the text of the fields of the
area BasicSearch, codes in words. Of a trial in two sources they take the first: merging is none of their
business.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from words import Settings

if TYPE_CHECKING:
    from words import Fielded

__all__ = ["BUILDS", "Job", "documents", "main", "settings", "studies"]

Study = dict[str, Any]


def settings() -> Settings:
    """Return the fields and weights that all are asked with, and the words that none is asked for."""
    from trialindex.analysis import STOP_WORDS
    from trialindex.fields import area_weights

    return Settings({name: weight / 100 for name, weight in area_weights("BasicSearch").items()}, STOP_WORDS)


def studies(sources: Iterable[Path]) -> Iterator[tuple[str, Study]]:
    """Yield (id, study) of every trial of raw sources, once."""
    from trialindex import merge
    from trialindex.formats import read_items
    from trialindex.formats.record import SourceRecord

    seen: set[str] = set()
    for source in sources:
        for item in read_items(source):
            if isinstance(item, SourceRecord):
                key = merge.trial_id(item.study)
                if key not in seen:
                    seen.add(key)
                    yield key, item.study


def documents(sources: Iterable[Path], names: Iterable[str]) -> Iterator[Fielded]:
    """Yield (id, {field: text}) of every trial: values joined by line ends, codes in words; none is empty."""
    from trialindex.document import code_text
    from trialindex.fields import FIELDS
    from trialindex.study_fields import Paths

    fields = [FIELDS[name] for name in names]
    paths = Paths([held.path for held in fields])
    for key, study in studies(sources):
        texts: dict[str, str] = {}
        for held, values in zip(fields, paths.values(study), strict=True):
            said = map(code_text, values) if held.kind == "code" else map(str, values)
            if text := "\n".join(said).strip():
                texts[held.name] = text
        yield key, texts


@dataclass(frozen=True, slots=True)
class Job:
    """What there is to build: from which raw sources, in which empty folder, with which fields."""

    sources: list[Path]
    folder: Path
    settings: Settings
    filled: set[str] = field(default_factory=set)

    def documents(self) -> Iterator[Fielded]:
        """Yield what peers index, and note which fields were filled."""
        for key, texts in documents(self.sources, self.settings.weights):
            self.filled.update(texts)
            yield key, texts

    def size(self) -> int:
        """Return the number of trials."""
        return sum(1 for _ in studies(self.sources))


def _read(job: Job) -> dict[str, float]:
    return {"records": sum(1 for _ in job.documents())}


def _peer(name: str) -> Callable[[Job], dict[str, float] | None]:
    return lambda job: import_module(f"peer_{name}").build(job.documents(), job.folder, job.settings)


def _tantivy_cores(job: Job) -> None:
    import peer_tantivy

    peer_tantivy.build(job.documents(), job.folder, job.settings, threads=os.cpu_count() or 1)


def _tantivy_whole(job: Job) -> None:
    import peer_tantivy

    peer_tantivy.build_whole(job.documents(), job.folder, job.settings)


def _tantivy_worn(job: Job) -> None:
    import peer_tantivy

    peer_tantivy.build_worn(job.documents(), job.folder, job.settings, job.size())


def _ours(job: Job) -> None:
    import ours

    ours.build(job.sources, job.folder, workers=1)


def _ours_cores(job: Job) -> None:
    import ours

    ours.build(job.sources, job.folder, workers=None)


def _ours_plain(job: Job) -> None:
    import ours

    ours.build_plain(studies(job.sources), job.folder)


def _ours_merge(job: Job) -> None:
    import ours

    ours.merge(job.folder)


def _ours_worn(job: Job) -> None:
    import ours

    ours.build_worn(studies(job.sources), job.folder, job.size())


def _prune(job: Job) -> None:
    import ours

    ours.prune(studies(job.sources), job.settings.weights, job.folder / "pruned.jsonl.gz")


BUILDS: dict[str, Callable[[Job], dict[str, float] | None]] = {
    "read": _read,
    "prune": _prune,
    "ours": _ours,
    "ours-cores": _ours_cores,
    "ours-plain": _ours_plain,
    "ours-merge": _ours_merge,
    "ours-worn": _ours_worn,
    "tantivy": _peer("tantivy"),
    "tantivy-cores": _tantivy_cores,
    "tantivy-whole": _tantivy_whole,
    "tantivy-worn": _tantivy_worn,
    "fts5": _peer("fts5"),
    "whoosh": _peer("whoosh"),
    "bm25s": _peer("bm25s"),
    "xapian": _peer("xapian"),
}


def _processor() -> float:
    """Return the processor seconds of this process and of those that it waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main(name: str, folder: str, *sources: str) -> None:
    """Do one of BUILDS; print its seconds, of the clock and of the processor, and what it tells, as JSON."""
    job = Job([Path(source) for source in sources], Path(folder), settings())
    start, busy = perf_counter(), _processor()
    known = BUILDS[name](job) or {}
    measured = {"seconds": perf_counter() - start, "processor": _processor() - busy}
    print(json.dumps(measured | known))
    if job.filled:
        # No peer is asked for words in fields that no trial fills.
        weights = {name: weight for name, weight in job.settings.weights.items() if name in job.filled}
        Settings(weights, job.settings.stop).write(job.folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
