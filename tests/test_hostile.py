"""An index whose bytes may be anything ends in an answer or in IndexDamaged, and `verify` sees each flip.

Another process looks (`hostile_child`), with a bound on its memory, so that nothing that happens to it passes
for an answer.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import ROOT
from segment_helpers import sealed
from small import study
from snapshot_helpers import tiny_limits
from trialindex.contents import Contents, Entry, read_contents
from trialindex.kernel import KERNEL
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.storage import Writer

# Seconds within which any one look must end: a hang, not a slow machine.
_PATIENCE = 120


class Looker:
    """A process that looks at one index after another."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        paths = os.pathsep.join(str(ROOT / name) for name in ("tests", "indexer", "search"))
        self._command = [sys.executable, str(ROOT / "tests" / "hostile_child.py"), *arguments]
        own = {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
        self._environment = {**os.environ, **own, **environment}
        self._start()

    def _start(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment
        )

    def look(self, folder: Path, what: str) -> dict[str, Any]:
        """Return what came of looking: see `hostile_child`. `what` was done to the index, for a failure."""
        out, put = self._process.stdout, self._process.stdin
        assert out is not None and put is not None and self._process.stderr is not None
        put.write(f"{folder}\n".encode())
        put.flush()
        ready, _, _ = select.select([out], [], [], _PATIENCE)
        assert ready, f"{what}: no answer after {_PATIENCE} seconds"
        line = out.readline()
        if not line:
            said = self._process.stderr.read().decode()
            self.close()
            self._start()
            raise AssertionError(f"{what}: {said[-3000:]}")
        found: dict[str, Any] = json.loads(line)
        names = [str(folder), "trialsearch.json", *(path.name for path in folder.glob("0*"))]
        assert found["asked"] == "answer" or any(name in found["asked"] for name in names), (what, found)
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def looker(*arguments: str, **environment: str) -> Iterator[Looker]:
    made = Looker(*arguments, **environment)
    try:
        yield made
    finally:
        made.close()


def make(folder: Path, words: str = "lupus gout nephritis") -> Path:
    """Make an index of two segments, one with a deletion."""
    with tiny_limits(), Writer(folder, merge=False) as writer:
        for number in range(1, 9):
            key = f"NCT0000000{number}"
            pieces = {
                "BriefTitle": f"{words} t{number} asthma" + " lupus" * number,
                "Condition": ["Lupus nephritis", "Gout"][: number % 3],
                "Phase": [["PHASE1"], ["PHASE1", "PHASE2"], []][number % 3],
                "LocationCountry": ["France", "Chad"][: number % 2],
                "StartDate": f"20{10 + number}-02",
                "LastUpdatePostDate": "2020-01-01",
                "EnrollmentCount": number * 10,
                "OverallStatus": "RECRUITING",
                "NCTIdAlias": [f"NCT0000009{number}"],
                "MinimumAge": f"{number} Months",
                "LargeDocSize": [number, 400 * number][: number % 3],
                "LocationCity": ["Paris", "Nowhere"][: number % 2],
                "LocationPoint": [{"lat": number, "lon": 2.5}][: number % 3],
                "LocationStatus": ["RECRUITING", "COMPLETED"][: number % 3],
                "ReferenceCitation": ["Somebody et al."][: number % 2],
            }
            writer.put(key, study(key, **pieces))
            if number == 5:
                writer.commit()
        writer.delete("NCT00000002")
    return folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("hostile") / "sound")


@pytest.fixture(scope="module")
def look() -> Iterator[Looker]:
    with looker("search") as made:
        yield made


@pytest.fixture(scope="module")
def without() -> Iterator[Looker]:
    """One without the compiled kernel."""
    if KERNEL is None:
        pytest.skip("no compiled kernel is installed: every process is without it")
    with looker("search", TRIALSEARCH_KERNEL="off") as made:
        yield made


@pytest.fixture(params=["look", "without"])
def either(request: pytest.FixtureRequest) -> Looker:
    found: Looker = request.getfixturevalue(request.param)
    return found


def put(path: Path, data: bytes) -> None:
    """Write a file anew: what was there may still be mapped."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def files_of(index: Path) -> list[Path]:
    return [index / name for name in ("trialsearch.json", *sorted(read_contents(index).files))]


def places(path: Path, every: int) -> list[int]:
    """Return where to flip: all of head and foot, some of the directory, one in so many of the arrays."""
    data = path.read_bytes()
    if path.suffix == ".json" or every == 1:
        return list(range(len(data)))
    file = ArrayFile(path)
    found = {*range(8), *range(len(data) - 28, len(data)), *range(file._end, len(data), 10 * every)}
    sections = sorted((held.offset, held.end) for held in file._sections.values())
    for number, (start, end) in enumerate(sections[:: max(1, every // 20)]):
        if start < end:
            found.add(start + number % (end - start))
    return sorted(found)


def flip(sound: Path, work: Path, look: Looker, every: int) -> None:
    """Flip bytes, one at a time."""
    shutil.copytree(sound, work)
    for path in files_of(work):
        whole = path.read_bytes()
        for place in places(path, every):
            put(path, whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
            what = f"byte {place} of {path.name}"
            assert look.look(work, what)["verified"], f"{what} was not seen"
        put(path, whole)
    assert look.look(work, "nothing") == {"asked": "answer", "verified": 0}


def test_any_byte_flipped(sound: Path, tmp_path: Path, look: Looker) -> None:
    flip(sound, tmp_path / "work", look, every=80)


def test_files_cut_and_lengthened(sound: Path, tmp_path: Path, either: Looker) -> None:
    work = tmp_path / "work"
    shutil.copytree(sound, work)
    for path in files_of(work):
        whole = path.read_bytes()
        for size in (0, 1, 8, 63, 64, 92, len(whole) // 2, len(whole) - 28, len(whole) - 1):
            put(path, whole[: min(size, len(whole) - 1)])
            assert either.look(work, f"{path.name} cut to {size}")["asked"] != "answer"
            assert either.look(work, f"{path.name} cut to {size}")["verified"]
        for more in (b"\0", b"\0" * 100, whole, whole[-28:]):
            put(path, whole + more)
            assert either.look(work, f"{path.name} with {len(more)} more bytes")["verified"]
        put(path, whole)


def test_files_in_the_places_of_others(sound: Path, tmp_path: Path, either: Looker) -> None:
    other = make(tmp_path / "other", "asthma lupus zoster")
    work = tmp_path / "work"
    shutil.copytree(sound, work)
    for path in files_of(work):
        whole = path.read_bytes()
        sources = [*files_of(sound), *files_of(other)]
        for source in sources:
            data = source.read_bytes()
            if data == whole:
                continue
            put(path, data)
            assert either.look(work, f"{path.name} is {source}")["asked"] != "answer"
            assert either.look(work, f"{path.name} is {source}")["verified"]
        put(path, whole)
    assert either.look(work, "nothing")["asked"] == "answer"


def test_names_that_lead_out_of_the_folder(sound: Path, tmp_path: Path, either: Looker) -> None:
    work = tmp_path / "work"
    shutil.copytree(sound, work)
    contents = read_contents(work)
    shutil.copy(work / contents.segments[1].file, tmp_path / "x.seg")
    for name in ("../x.seg", str(tmp_path / "x.seg"), "./000002.seg", "", "..", "trialsearch.json"):
        entry = Entry(name, contents.segments[1].digest)
        (work / "trialsearch.json").write_text(Contents(2, 9, (entry,)).text())
        found = either.look(work, name)
        assert "trialsearch.json is damaged" in found["asked"] and found["verified"] == 1


# Files that are wrong inside, and whose checksums are right.


def replanted(work: Path, arrays: dict[str, Any], meta: dict[str, Any]) -> None:
    """Make an index of one segment of these arrays."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with ArrayWriter(work / "000001.seg") as writer:
        writer.meta.update(meta)
        for name, array in arrays.items():
            writer.put(name, array)
    table(work)


def table(work: Path) -> None:
    digest = int.from_bytes((work / "000001.seg").read_bytes()[-12:-8], "little")
    (work / "trialsearch.json").write_text(Contents(1, 9, (Entry("000001.seg", digest),)).text())


def variants(array: Any) -> dict[str, Any]:
    """Return what an array might be instead."""
    top = np.iinfo(array.dtype).max if array.dtype.kind in "iu" else np.nan
    return {
        "gone": None,
        "empty": array[:0],
        "shorter": array[:-1],
        "longer": np.concatenate([array, array]),
        "greatest": np.full_like(array, top),
        "zero": np.zeros_like(array),
        "reversed": array[::-1].copy(),
        "last greatest": np.append(array[:-1], np.array(top, array.dtype)),
        "numbered": np.arange(len(array)).astype(array.dtype),
        "signed": np.full(len(array), -1, np.int64),
        "fractions": np.full(len(array), np.inf),
        "wide": np.full(len(array), 1 << 63, np.uint64),
    }


METAS: list[dict[str, Any]] = [
    {"documents": value} for value in (0, -1, 4, (1 << 32) - 1, 1 << 32, 1 << 70, 1.5, "5", None, True, [5])
] + [
    {f"area.{area}.mean": value}
    for area in ("BasicSearch", "TitleSearch")
    for value in (0.0, -1.0, 1e300, float("nan"), float("inf"), "1", None, 7, [])
]


def crafted(sound: Path, work: Path, look: Looker, keep: float, parts: tuple[str, ...] = ("",)) -> None:
    """Change an array of a segment or what its directory states, a share of all ways; `parts`: how the names
    of these arrays begin.
    """
    file = ArrayFile(sound / read_contents(sound).segments[0].file)
    arrays, meta = {name: file.get(name) for name in file.names()}, file.meta
    chosen = random.Random(3)
    for changed in METAS:
        replanted(work, arrays, meta | changed)
        look.look(work, str(changed))
    for name, array in arrays.items():
        if not name.startswith(parts):
            continue
        for kind, other in variants(array).items():
            if chosen.random() < keep:
                changed = {**arrays, name: other}
                if other is None:
                    del changed[name]
                replanted(work, changed, meta)
                look.look(work, f"{name}: {kind}")
    replanted(work, arrays, meta)
    assert look.look(work, "nothing") == {"asked": "answer", "verified": 0}


def test_arrays_that_no_writer_writes(sound: Path, tmp_path: Path, look: Looker) -> None:
    crafted(sound, tmp_path / "work", look, keep=0.08)


def test_arrays_of_words_that_no_writer_writes_without_a_kernel(
    sound: Path, tmp_path: Path, without: Looker
) -> None:
    parts = ("terms.", "postings.", "patterns.", "occurrences.")
    crafted(sound, tmp_path / "work", without, keep=0.12, parts=parts)


@pytest.mark.parametrize("key", ["offset", "count", "dtype", "crc32"])
def test_directories_that_no_writer_writes(sound: Path, tmp_path: Path, look: Looker, key: str) -> None:
    """Counts and offsets of any size, the checksum of the directory right."""
    whole = (sound / read_contents(sound).segments[0].file).read_bytes()
    start, length = (int.from_bytes(whole[-28 + at : -20 + at], "little") for at in (0, 8))
    directory = json.loads(whole[start : start + length])
    values = [
        0,
        1,
        64,
        -64,
        1 << 31,
        1 << 62,
        1 << 63,
        1 << 64,
        1 << 200,
        1.5,
        None,
        "<u4",
        "<f8",
        "O",
        [],
        {},
    ]
    work = tmp_path / "work"
    for name in ("keys", "postings.docs", "records.blocks", "area.BasicSearch.best"):
        for value in values:
            entry = directory["arrays"][name] | {key: value}
            changed = directory | {"arrays": directory["arrays"] | {name: entry}}
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            sealed(work / "000001.seg", changed, whole[64:start])
            table(work)
            look.look(work, f"{key} of {name} is {value}")


def test_a_table_of_many_segments_and_a_deep_one(sound: Path, tmp_path: Path, look: Looker) -> None:
    work = tmp_path / "work"
    shutil.copytree(sound, work)
    entry = read_contents(work).segments[0]
    many = tuple(Entry(f"{number:06}.seg", entry.digest) for number in range(10_000))
    for text in (
        Contents(1, 10**6, many).text(),
        '{"index":' * 100_000,
        '{"index":{"schema":2,"segments":' + "[" * 100_000,
        "9" * 10_000_000,
    ):
        put(work / "trialsearch.json", text.encode())
        assert look.look(work, text[:50])["asked"] != "answer"
