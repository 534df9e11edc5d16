"""The records that are measured on: where they are, and an even choice of some of them, still raw.

A corpus is a list of sources as a user has them: archives, folders, files. `subset` keeps the form of each
record (XML stays XML, a page stays a page), so that reading is measured on what people really have.

>>> [n for n in range(10) if chosen(n, 10, 4)]
[2, 4, 7, 9]
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Corpus", "chosen", "find", "subset"]

ROOT = Path(__file__).resolve().parents[1]
_REAL = ROOT.parent / "shared" / "data"
_REAL_SOURCES = ("pages", "ctgov-xml-6786.zip", "ctgov-v2-downloads.zip")
_SAMPLE = ROOT / "corpus"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sources, and what a reader of the table should call them."""

    name: str
    sources: tuple[Path, ...]


def find(paths: Iterable[Path], *, sample: bool = False) -> Corpus:
    """Return the corpus of the paths given, else the real records where they are, else the sample."""
    given = tuple(paths)
    if given:
        return Corpus(", ".join(path.name for path in given), given)
    real = tuple(_REAL / name for name in _REAL_SOURCES)
    if not sample and all(path.exists() for path in real):
        return Corpus("saved pages, legacy XML and API downloads", real)
    return Corpus("the sample in corpus/", (_SAMPLE,))


def chosen(number: int, total: int, wanted: int) -> bool:
    """Whether the 0-based item of a number is among `wanted` of `total` items, evenly spread."""
    return (number + 1) * wanted // total > number * wanted // total


def subset(corpus: Corpus, records: int, folder: Path) -> Corpus:
    """Return a corpus of at most so many records, evenly spread over the sources, written to a folder."""
    total = sum(1 for source in corpus.sources for _ in _raw(source))
    if total <= records:
        return corpus
    made = folder / "subset.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        units = (unit for source in corpus.sources for unit in _raw(source))
        for number, (suffix, data) in enumerate(units):
            if chosen(number, total, records):
                archive.writestr(f"{number // 1000:03}/{number:06}{suffix}", data)
    return Corpus(f"{corpus.name}, evenly chosen of {total:,}", (made,))


def _raw(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (file suffix, bytes) of every record of a source, in its own form."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            # The notes beside the records are no records.
            if path.is_file() and path.suffix != ".md":
                yield from _raw(path)
    elif source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield from _split(Path(name).suffix, archive.read(name))
    elif source.suffixes[-2:] == [".jsonl", ".gz"]:
        with gzip.open(source) as file:
            yield from ((".json", line) for line in file if line.strip())
    else:
        yield from _split(source.suffix, source.read_bytes())


def _split(suffix: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a file: of an array or a page of JSON each study, of JSON lines each line."""
    if suffix == ".jsonl":
        yield from ((".json", line) for line in data.splitlines() if line.strip())
        return
    held = json.loads(data) if suffix == ".json" else None
    studies = held.get("studies") if isinstance(held, dict) else held
    if isinstance(studies, list):
        yield from ((suffix, json.dumps(study, ensure_ascii=False).encode()) for study in studies)
    else:
        yield suffix, data
