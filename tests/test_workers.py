"""Several processes for one index: the same index with any number of them, and nothing left of them after."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import FIXTURES, ROOT, SHARED, needs_shared
from small import study
from trialindex import workers
from trialindex.builder import Report, build
from trialindex.errors import IndexDamaged, SourceError, TrialError
from trialindex.formats import files, read_items, read_share
from trialindex.formats.files import Share
from trialindex.formats.record import Item, SourceRecord
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify
from trialindex.workers import Plan, plan
from trialsearch.progress import estimate

CORPUS = ROOT / "corpus"
FIGURES = ("records", "added", "changed", "unchanged", "rejected", "skipped", "odd", "files", "trials")


def dated(number: int, year: int, **pieces: Any) -> dict[str, Any]:
    made = study(f"NCT{number:08d}", **pieces)
    made["protocolSection"].setdefault("statusModule", {})["lastUpdatePostDateStruct"] = {"date": str(year)}
    return made


def put(path: Path, *studies: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(studies)), "utf-8")
    return path


def mixed(folder: Path) -> list[Path]:
    """Sources of all sorts: trials that come several times, in several formats, packed, broken, none."""
    rows = "\n".join(f"NCT{number:08d},Table {number},PHASE2,2019-01-0{number}" for number in range(1, 9))
    table = f"NCT Number,Study Title,Phases,Last Update Posted\n{rows}\nnobody,No id,PHASE1,2019-01-01\n"
    xml = (
        "<clinical_study><id_info><nct_id>NCT0000000{0}</nct_id></id_info><brief_title>X {0}</brief_title>"
        "<last_update_posted>May {0}, 2021</last_update_posted></clinical_study>"
    )
    put(folder / "a" / "one.json", *(dated(number, 2018, BriefTitle=f"A {number}") for number in range(1, 7)))
    put(
        folder / "a" / "two.json", *(dated(number, 2020, BriefTitle=f"B {number}") for number in range(4, 12))
    )
    put(
        folder / "a" / "odd.json", dated(20, 2020, StartDate="soon"), {"protocolSection": {}}, dated(20, 2020)
    )
    (folder / "a" / "notes.txt").write_text("Dear all, no trial here.")
    (folder / "a" / "empty.txt").write_text("")
    (folder / "a" / "table.csv").write_text(table, "utf-8")
    with gzip.open(folder / "a" / "packed.json.gz", "wt") as packed:
        json.dump([dated(number, 2022, BriefTitle=f"G {number}") for number in (2, 3, 30, 30)], packed)
    inner = folder / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.json", json.dumps([dated(40, 2020), dated(1, 2023)]))
        archive.writestr("y.json", json.dumps([dated(41, 2020)]))
    with zipfile.ZipFile(folder / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(1, 8):
            archive.writestr(f"NCT{number}.xml", xml.format(number))
        archive.writestr("wrapped.xml", f"<all>{''.join(xml.format(number) for number in range(3, 6))}</all>")
        archive.writestr("bad.xml", "<clinical_study><a></clinical_study>")
        archive.write(inner, "inner.zip")
        archive.write(folder / "a" / "packed.json.gz", "again.json.gz")
    whole = (folder / "many.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    inner.unlink()
    text = json.dumps([dated(50, 2020), dated(51, 2020), dated(52, 2020)])
    (folder / "broken.json").write_text(text[: len(text) // 2] + " oops " + text[len(text) // 2 :])
    return [folder / name for name in ("a", "many.zip", "cut.zip", "broken.json")]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [*mixed(tmp_path_factory.mktemp("sources")), CORPUS, FIXTURES / "ctgov_xml"]


def stored(index: Path) -> dict[str, dict[str, Any]]:
    snapshot = open_snapshot(index)
    try:
        return {snapshot.key(doc): snapshot.study(doc) for doc in snapshot.docs().tolist()}
    finally:
        snapshot.close()


def outcome(report: Report, index: Path) -> dict[str, Any]:
    """All that a run leaves: figures, what is told, what is set aside, what is stored."""
    rejects = index / "rejects.jsonl"
    return {
        **{name: getattr(report, name) for name in FIGURES},
        "kinds": dict(report.odd_kinds),
        "problems": report.problems,
        "rejects": rejects.read_text("utf-8").splitlines() if rejects.is_file() else [],
        "stored": stored(index),
    }


# Shares of a source.


def dealt(path: Path, of: int) -> list[Item]:
    """All shares of a source together, in the order of the source."""
    placed = [each for number in range(of) for each in read_share(path, Share(number, of))]
    places = [place for place, _ in placed]
    assert len(set(places)) == len(places)
    return [item for _, item in sorted(placed, key=lambda each: each[0])]


@pytest.mark.parametrize("large", [1, 300, 1000, 8 << 20])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_all_shares_are_all_items_each_once(
    sources: list[Path], monkeypatch: pytest.MonkeyPatch, large: int, of: int
) -> None:
    whole = [list(read_items(path)) for path in sources]
    monkeypatch.setattr(files, "_LARGE", large)
    assert [dealt(path, of) for path in sources] == whole
    assert sum(isinstance(item, SourceRecord) for item in whole[0]) == 6 + 8 + 2 + 8 + 4


def test_every_share_has_something_of_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.json", *(dated(number, 2020) for number in range(1, 10)))
    numbers = lambda number: [item.number for _, item in read_share(path, Share(number, 3))]  # noqa: E731
    assert sorted(len(numbers(number)) for number in range(3)) == [0, 0, 9], "a small file is one reader's"
    monkeypatch.setattr(files, "_LARGE", 100)
    assert [numbers(number) for number in range(3)] == [[3, 6, 9], [1, 4, 7], [2, 5, 8]]


def test_no_reader_opens_a_small_file_of_another(
    sources: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    unpack = files.zips.unpack

    def counted(archive: Any, member: Any, granted: Any = None) -> Iterator[bytes]:
        opened.append(member.name)
        return unpack(archive, member, granted)

    monkeypatch.setattr(files.zips, "unpack", counted)
    monkeypatch.setattr(files, "_LARGE", (sources[1]).stat().st_size)
    for number in range(4):
        list(read_share(sources[1], Share(number, 4)))
    # The two files of the archive inside are its own reader's.
    assert sorted(opened) == sorted(
        [f"NCT{n}.xml" for n in range(1, 8)]
        + ["wrapped.xml", "bad.xml", "inner.zip", "x.json", "y.json", "again.json.gz"]
    )


def test_files_that_come_while_readers_walk_move_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in range(20):
        put(folder / f"m{number}.json", dated(number + 1, 2020))
    first = [item.file for _, item in read_share(folder, Share(0, 2))]
    for number in range(3):
        put(folder / f"a{number}.json", dated(number + 90, 2020))
    again = [item.file for _, item in read_share(folder, Share(0, 2))]
    assert [name for name in again if "/m" in name] == first and 0 < len(first) < 20


# The outcome.


@pytest.fixture(scope="module")
def alone(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    index = tmp_path_factory.mktemp("alone") / "index"
    return outcome(build(sources, index, workers=1), index)


def test_one_process_counts_by_hand(tmp_path: Path) -> None:
    one = put(tmp_path / "one.json", dated(1, 2018, BriefTitle="A"), dated(2, 2018), dated(2, 2018))
    two = put(tmp_path / "two.json", dated(1, 2020, BriefTitle="B"), dated(1, 2017, BriefTitle="C"))
    for order in ([one, two], [two, one]):
        index = tmp_path / f"{order[0].stem}-first"
        report = build(order, index, workers=1)
        # Trial 1: one record adds it, two others say something else. Trial 2: added, and the same again.
        assert (report.added, report.changed, report.unchanged) == (2, 2, 1)
        again = build(order, index, workers=1)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 5)
    newer = put(tmp_path / "new.json", dated(1, 2021, BriefTitle="D"), dated(1, 2021, BriefTitle="D"))
    report = build([newer, one], index, workers=1)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 4)


@pytest.mark.parametrize("count", [2, 3])
def test_any_number_of_workers_makes_the_same_index(
    sources: list[Path], alone: dict[str, Any], tmp_path: Path, count: int
) -> None:
    index = tmp_path / "index"
    report = build(sources, index, workers=count)
    assert outcome(report, index) == alone
    assert report.records == report.added + report.changed + report.unchanged + report.rejected
    assert report.rejected > 2 and report.changed > 10 and report.odd > 0 and report.skipped > 1
    assert verify(index) == [] and not (index / ".workers").exists()
    before = {path.name: path.stat().st_mtime_ns for path in index.iterdir()}
    again = build(sources, index, workers=count)
    assert (again.added, again.changed) == (0, 0) and again.unchanged + again.rejected == report.records
    assert {path.name: path.stat().st_mtime_ns for path in index.iterdir()} == before


def test_segments_of_one_document_make_the_same_index(
    sources: list[Path], alone: dict[str, Any], tmp_path: Path
) -> None:
    index = tmp_path / "index"
    report = Report()
    aside: list[str] = []
    with Writer(index) as writer:
        workers.read(sources, writer, Plan(2, 1, 1), report, aside.append, None)
    assert stored(index) == alone["stored"] and sorted(aside) == sorted(set(aside) | set(alone["rejects"]))
    assert [getattr(report, name) for name in FIGURES[:-1]] == [alone[name] for name in FIGURES[:-1]]
    assert verify(index) == []


@pytest.mark.parametrize("count", [1, 3])
def test_an_update_of_what_was_there(
    sources: list[Path], alone: dict[str, Any], tmp_path: Path, count: int
) -> None:
    index = tmp_path / "index"
    first = build(sources[::-2], index, workers=count)
    held = len(stored(index))
    report = build(sources, index, workers=count)
    assert stored(index) == alone["stored"]
    assert report.added == alone["trials"] - held and first.trials == held
    assert report.unchanged >= first.records - first.rejected


def test_a_script_needs_no_guard_and_may_have_threads(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, threading, time\n"
        "print('started')\n"
        "threading.Thread(target=time.sleep, args=(1,)).start()\n"
        "from trialindex import build\n"
        "print(build([sys.argv[1]], sys.argv[2], workers=2).trials)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(CORPUS), str(tmp_path / "index")], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("started\n63\n", "")


def test_progress_goes_up_and_ends_with_all(sources: list[Path], tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []
    report = build(
        sources,
        tmp_path / "index",
        workers=2,
        progress=lambda so_far, file: told.append((so_far.records, file)),
    )
    records = [count for count, _ in told]
    assert records == sorted(records) and told[-1] == (report.records, "")
    assert all(file for _, file in told[:-1])


# Runs that are broken off.


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A source that takes workers a while: 4,999 trials in 11 MB, which all of them read."""
    texts = {number: f"w{number} " * 400 for number in range(1, 5000)}
    studies = (dated(number, 2020, BriefSummary=text) for number, text in texts.items())
    return put(tmp_path / "many.json", *studies)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that a run starts."""
    found: list[subprocess.Popen[bytes]] = []
    start = workers._Parent.start

    def kept(self: Any, process: Any) -> None:
        found.append(process._process)
        start(self, process)

    monkeypatch.setattr(workers._Parent, "start", kept)
    return found


def test_ctrl_c_ends_the_workers_at_once(
    many: Path, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    index = tmp_path / "index"
    build([put(tmp_path / "before.json", dated(99_999, 2020))], index)

    def stop(report: Report, _: str) -> None:
        if report.records:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([many], index, workers=3, progress=stop)
    assert len(started) == 3 and all(process.poll() is not None for process in started)
    assert list(stored(index)) == ["NCT00099999"] and verify(index) == []
    assert not (index / ".workers").exists()
    assert build([many], index, workers=2).added == 4999


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_worker_that_is_killed_is_an_error_of_one_line(
    many: Path, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    index = tmp_path / "index"

    def kill(report: Report, _: str) -> None:
        if report.records:
            started[1].kill()

    with pytest.raises(
        TrialError, match=r"signal 9\): what was committed stays; run the same command again"
    ) as told:
        build([many], index, workers=3, progress=kill)
    assert "\n" not in str(told.value)
    assert all(process.poll() is not None for process in started)
    assert not (index / ".workers").exists() and verify(index) == []
    assert build([many], index, workers=1).trials == 4999


def test_a_worker_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        workers, "_START", "import sys; sys.stdin.readline(); raise ValueError('no such thing')"
    )
    with pytest.raises(
        TrialError, match=r"exit code 1: ValueError: no such thing\): what was committed stays"
    ):
        build([CORPUS], tmp_path / "index", workers=2)
    assert not (tmp_path / "index" / ".workers").exists()


def test_errors_of_workers_are_the_parents() -> None:
    full = workers._error({"error": "No space left on device", "errno": 28, "file": "x.seg", "type": ""})
    assert isinstance(full, OSError) and (full.errno, full.filename) == (28, "x.seg")
    damaged = workers._error({"error": "it is damaged", "errno": 0, "type": "IndexDamaged"})
    assert type(damaged) is IndexDamaged and str(damaged) == "it is damaged"
    for name in ("", "SystemExit", "annotations"):
        assert type(workers._error({"error": "x", "errno": 0, "type": name})) is TrialError


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_no_worker_outlives_a_parent_that_is_killed(many: Path, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom trialindex import workers, build\nstart = workers._Parent.start\n"
        "def kept(self, process):\n print(process._process.pid, flush=True); start(self, process)\n"
        "workers._Parent.start = kept\n"
        "build([sys.argv[1]], sys.argv[2], workers=2, progress=lambda *_: print('read', flush=True))\n"
    )
    index = tmp_path / "index"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(many), str(index)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    lines = [parent.stdout.readline().strip() for _ in range(3)]
    assert lines[2] == "read"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    gone = [False, False]
    for _ in range(200):
        gone = [not _runs(int(pid)) for pid in lines[:2]]
        if all(gone):
            break
        time.sleep(0.05)
    assert all(gone)
    # What they left is swept away by the next run.
    assert build([many], index).trials == 4999
    assert not (index / ".workers").exists()


def _runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for somebody to ask does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_source_that_is_not_there_starts_nothing(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    with pytest.raises(SourceError, match="none"):
        build([CORPUS, tmp_path / "none"], tmp_path / "index", workers=2)
    assert started == [] and not (tmp_path / "index").exists()


# Memory and the number of processes.


def test_small_sources_stay_in_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_cores", lambda: 8)
    assert plan([CORPUS], 1 << 30).workers == 0
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(7 << 20)
    assert plan([large], 2 << 30).workers == 3, "one for two megabytes"
    packed = tmp_path / "large.gz"
    with gzip.open(packed, "wb", compresslevel=0) as stream:
        stream.write(bytes(2 << 20))
    assert plan([packed], 2 << 30).workers == 5, "packed bytes count five times"
    (tmp_path / ".hidden").mkdir()
    shutil.copy(large, tmp_path / ".hidden" / "more.json")
    assert plan([tmp_path], 4 << 30).workers == 8 and plan([tmp_path / "none"], 1 << 30).workers == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder / "a.json", dated(1, 2020))
    os.mkfifo(folder / "pipe")
    assert estimate([folder]) == 2
    for count in (None, 2):
        report = build([folder], tmp_path / f"index-{count}", workers=count)
        assert (report.added, report.skipped, report.files) == (1, 1, 2)


def test_memory_is_for_all_processes_together() -> None:
    for memory in (200, 300, 512, 600, 1024, 5000):
        for wanted in (0, 1, 2, 5, 64):
            found = plan([], memory << 20, wanted)
            assert found.workers <= wanted and found.workers != 1 and found.run > 0
            rest = 140 << 20
            each = (rest + 2.5 * found.run) * found.workers
            parent = 300 << 20 if found.workers else rest + 2.5 * found.own
            assert each + parent <= (memory << 20) + 1
    assert plan([], 700 << 20, 64).workers == 2 and plan([], 699 << 20, 64).workers == 0


def test_a_packed_program_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert plan([], 4 << 30, 8).workers == 0


def test_too_little_memory_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        TrialError, match=r"199 MB of memory are too few: give at least 200 MB \(--memory 200M\)"
    ):
        build([CORPUS], tmp_path / "index", memory=199 << 20)
    assert not (tmp_path / "index").exists()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trialsearch", "index", *words], capture_output=True, text=True
    )


def test_the_command_line_takes_sizes(tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    for size in ("1G", "300m", "524288K", "2GB", str(1 << 28)):
        done = command(str(CORPUS), "--index", index, "--memory", size, "--workers", "2", "--quiet")
        assert (done.returncode, done.stderr) == (0, ""), size
    for size in ("1.5G", "lots", "-1", "", "1T"):
        done = command(str(CORPUS), "--index", index, "--memory", size)
        assert done.returncode == 2 and "no amount of memory: write 500M, or 2G" in done.stderr, size
    done = command(str(CORPUS), "--index", index, "--memory", "100M")
    assert (done.returncode, done.stdout) == (2, "") and "give at least 200 MB" in done.stderr
    assert command(str(CORPUS), "--index", index, "--workers", "two").returncode == 2


@needs_shared
def test_real_records_with_one_and_with_two_workers(tmp_path: Path) -> None:
    sources = [SHARED / "ctgov-v2-downloads.zip", SHARED / "pages"]
    held = []
    for count in (1, 2):
        index = tmp_path / str(count)
        held.append(outcome(build(sources, index, workers=count), index))
    assert held[0] == held[1]
