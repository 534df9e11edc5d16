"""The records that are measured on: where they are, and an even choice of some of them, still raw.

A corpus is a list of sources as a user has them: archives, folders, files. `subset` keeps the form of each
record (XML stays XML, a page stays a page), so that reading is measured on what people really have.

>>> [n for n in range(10) if chosen(n, 10, 4)]
[2, 4, 7, 9]
>>> find("sample", Path("cache")).key, find("made:12", Path("cache"))
('sample', Corpus(key='made-12', name='12 made records', sources=(PosixPath('cache/made-12'),), made=12))
>>> find("mad:12", Path("cache"))
Traceback (most recent call last):
    ...
ValueError: no corpus 'mad:12': real, xml, sample, made:N, or a file or folder
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Corpus", "base", "chosen", "find", "subset"]

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
_SAMPLE = ROOT / "corpus"
# Key -> what a reader of the table should call it, and where it is.
_KNOWN = {
    "real": ("real records as JSON lines", SHARED / "eval" / "records.jsonl.gz"),
    "xml": ("real records as legacy XML in a zip", SHARED / "ctgov-xml-6786.zip"),
    "sample": ("the sample in corpus/", _SAMPLE),
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sources, a key for file names, and a name for readers. `made`: records that are still to be made."""

    key: str
    name: str
    sources: tuple[Path, ...]
    made: int = 0


def find(wanted: str, folder: Path) -> Corpus:
    """Return a corpus by its key (the sample where the real records are not), by the number of records to
    make in a folder, or by its path. Raises ValueError where it is none of these.
    """
    kind, _, number = wanted.partition(":")
    if kind == "made" and number.isdecimal() and int(number):
        made = int(number)
        return Corpus(f"made-{made}", f"{made:,} made records", (folder / f"made-{made}",), made)
    if wanted in _KNOWN:
        key = wanted if _KNOWN[wanted][1].exists() else "sample"
        name, path = _KNOWN[key]
        return Corpus(key, name, (path,))
    path = Path(wanted)
    if not path.exists():
        raise ValueError(f"no corpus {wanted!r}: real, xml, sample, made:N, or a file or folder")
    return Corpus(path.name.partition(".")[0], path.name, (path,))


def base() -> tuple[Path, ...]:
    """Return the records that others are made of: the real ones, or the sample."""
    return find("real", Path()).sources


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
    return Corpus(f"{corpus.key}-{records}", f"{corpus.name}, evenly chosen of {total:,}", (made,))


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
