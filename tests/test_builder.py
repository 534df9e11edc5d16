"""Sources in, an index out: reports that add up, runs that can be broken off, one index in the end."""

from __future__ import annotations

import gc
import gzip
import json
import os
import random
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

from helpers import ROOT, SHARED, needs_shared
from small import study
from trialindex import builder, read
from trialindex.builder import Report, build, delete, rebuild
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing, SourceError, TrialError
from trialindex.merge import SECTION, split
from trialindex.segments.disk import Disk
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify

CORPUS = ROOT / "corpus"


def dated(number: int, date: str | None, **pieces: Any) -> dict[str, Any]:
    made = study(f"NCT{number:08d}", **pieces)
    if date:
        made["protocolSection"].setdefault("statusModule", {})["lastUpdatePostDateStruct"] = {"date": date}
    return made


def source(folder: Path, name: str, *studies: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(list(studies)), "utf-8")
    return path


def stored(index: Path) -> dict[str, dict[str, Any]]:
    """What an index holds: id -> stored study."""
    snapshot = open_snapshot(index)
    try:
        return {snapshot.key(doc): snapshot.study(doc) for doc in snapshot.docs().tolist()}
    finally:
        snapshot.close()


def state(index: Path) -> dict[str, Any]:
    """What an index answers, whatever the numbers of its documents: places, names and columns by id."""
    snapshot = open_snapshot(index)
    try:
        keys = {doc: snapshot.key(doc) for doc in snapshot.docs().tolist()}
        found: dict[str, Any] = {"studies": {keys[doc]: snapshot.study(doc) for doc in keys}}
        for prefix in "rstuv1":
            for term, _ in snapshot.terms(prefix):
                held = snapshot.occurrences(term)
                places = zip(held.docs.tolist(), held.fields.tolist(), held.positions.tolist(), strict=True)
                live = sorted((keys[doc], *place) for doc, *place in places if doc in keys)
                if live:
                    found[term] = live
        for field in ("ConditionName", "AnyId"):
            for name, _ in snapshot.names(field):
                docs = snapshot.named(field, name).tolist()
                if held_by := sorted(keys[doc] for doc in docs if doc in keys):
                    found[f"{field}: {name}"] = held_by
        dates, phases = snapshot.column("StartDate"), snapshot.codes("Phase")
        found["StartDate"] = {keys[doc]: str(dates[doc]) for doc in keys}
        found["Phase"] = {keys[doc]: phases.sets[phases.ordinals[doc]] for doc in keys}
        return found
    finally:
        snapshot.close()


def files(index: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in index.iterdir()}


def left_over(index: Path) -> list[str]:
    """Files of an index folder that the index does not name."""
    contents = (index / "trialsearch.json").read_text("utf-8")
    names = [path.name for path in index.iterdir() if path.suffix in {".seg", ".live", ".part", ".new"}]
    return [name for name in (*names, *(path.name for path in index.glob(".w*"))) if name not in contents]


def figures(report: Report) -> tuple[int, ...]:
    assert report.records == report.added + report.changed + report.unchanged + report.rejected
    return report.added, report.changed, report.unchanged, report.rejected, report.skipped, report.odd


def test_every_record_is_counted_once(tmp_path: Path) -> None:
    source(
        tmp_path / "in",
        "a.json",
        dated(1, "2020-01-01"),
        dated(2, None, StartDate="soon"),
        {"protocolSection": {}},
    )
    (tmp_path / "in" / "notes.txt").write_text("Dear all, no trial here.")
    (tmp_path / "in" / "b.json").write_text('{"protocolSection": {"identificationModule": {"nctId": "NCT0000')
    with gzip.open(tmp_path / "in" / "c.json.gz", "wt") as file:
        json.dump(dated(1, "2021-01-01", BriefTitle="Newer"), file)
    report = build([tmp_path / "in"], tmp_path / "index")
    assert figures(report) == (2, 1, 0, 2, 1, 1)
    assert report.trials == 2 and report.rejects == tmp_path / "index" / "rejects.jsonl"
    assert report.odd_kinds == {("StartDate", "not a date"): 1}
    assert len(report.problems) == 3 and all("in/" in line for line in report.problems)
    assert any("a.json, record 3" in line and "rejects.jsonl" in line for line in report.problems)
    assert any("a.json, record 2, StartDate: not a date: 'soon'" in line for line in report.problems)
    assert verify(tmp_path / "index") == []


def test_what_is_set_aside_is_whole_and_is_set_aside_once(tmp_path: Path) -> None:
    nobody = {"protocolSection": {"identificationModule": {"briefTitle": "Ohne Id, größer"}}}
    path = source(tmp_path / "in", "a.json", nobody, dated(1, None))
    for _ in range(3):
        report = build([path], tmp_path / "index")
    lines = (tmp_path / "index" / "rejects.jsonl").read_text("utf-8").splitlines()
    assert report.rejected == 1 and len(lines) == 1
    entry = json.loads(lines[0])
    assert json.loads(entry["raw"]) == nobody
    assert (entry["file"], entry["record"], entry["field"]) == ("a.json", 1, "NCTId") and entry["reason"]


def test_a_line_that_a_crash_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = source(
        tmp_path / "in", "a.json", {"protocolSection": {"identificationModule": {"briefTitle": "x"}}}
    )
    index = tmp_path / "index"
    build([path], index)
    whole = (index / "rejects.jsonl").read_text("utf-8")
    (index / "rejects.jsonl").write_text(whole[: len(whole) // 2], "utf-8")
    build([path], index)
    assert (index / "rejects.jsonl").read_text("utf-8") == whole[: len(whole) // 2] + "\n" + whole


def test_again_on_the_same_input_changes_no_byte(tmp_path: Path) -> None:
    index = tmp_path / "index"
    first = build([CORPUS], index)
    before, said = files(index), state(index)
    again = build([CORPUS], index)
    assert figures(first)[:4] == (first.trials, 0, 0, 0)
    assert figures(again)[:4] == (0, 0, first.trials, 0) and again.trials == first.trials
    assert files(index) == before and state(index) == said


def test_a_newer_record_replaces_and_an_older_does_not(tmp_path: Path) -> None:
    index = tmp_path / "index"
    for name, date, expected in (
        ("b", "2020-05-01", (1, 0, 0)),
        ("a", "2019-01-01", (0, 0, 1)),
        ("c", "2021-01-01", (0, 1, 0)),
    ):
        report = build([source(tmp_path, f"{name}.json", dated(1, date, BriefTitle=name))], index)
        assert figures(report)[:3] == expected, name
    (found,) = stored(index).values()
    assert found["protocolSection"]["identificationModule"]["briefTitle"] == "c"
    assert [entry["file"] for entry in split(found)[1]["sources"]] == ["a.json", "b.json", "c.json"]
    snapshot = open_snapshot(index)
    live = set(snapshot.docs().tolist())
    found_by = [live.intersection(snapshot.postings(name, "BriefTitle").docs.tolist()) for name in "bc"]
    assert [len(docs) for docs in found_by] == [0, 1]
    snapshot.close()


def test_the_order_of_sources_and_runs_is_nothing(tmp_path: Path) -> None:
    paths = [
        source(tmp_path, "a.json", dated(1, "2019", BriefTitle="a"), dated(2, None, BriefTitle="a")),
        source(tmp_path, "b.json", dated(1, "2020", BriefTitle="b"), dated(1, "2018", BriefTitle="older")),
        source(tmp_path, "c.json", dated(2, None, BriefTitle="c"), dated(3, None)),
    ]
    build(paths, tmp_path / "one")
    build(reversed(paths), tmp_path / "other")
    for path in (paths[1], paths[2], paths[0], paths[1]):
        build([path], tmp_path / "runs")
    assert state(tmp_path / "one") == state(tmp_path / "other") == state(tmp_path / "runs")


def test_a_trial_that_comes_many_times_in_one_run_is_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "_PENDING", 2)
    monkeypatch.setattr(builder, "_COMMIT", 3)
    rows = [
        dated(number % 4, f"20{year:02d}", BriefTitle=f"t{year}")
        for year in range(10, 22)
        for number in range(4)
    ]
    report = build([source(tmp_path, "a.json", *rows)], tmp_path / "index")
    assert figures(report)[:4] == (4, 44, 0, 0) and report.trials == 4
    assert verify(tmp_path / "index") == []
    titles = {
        key: one["protocolSection"]["identificationModule"]["briefTitle"]
        for key, one in stored(tmp_path / "index").items()
    }
    assert titles == {f"NCT{number:08d}": "t21" for number in range(4)}


def test_few_trials_are_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "_PENDING", 5)
    seen: list[int] = []
    take = builder._Update.take

    def counted(self: Any, record: Any) -> None:
        take(self, record)
        seen.append(len(self._pending))

    monkeypatch.setattr(builder._Update, "take", counted)
    build([source(tmp_path, "a.json", *(dated(number, None) for number in range(23)))], tmp_path / "index")
    assert len(seen) == 23 and max(seen) < 5


def test_progress_is_told_after_every_record(tmp_path: Path) -> None:
    path = source(tmp_path, "a.json", dated(1, None), dated(2, None), {"protocolSection": {}})
    told: list[tuple[int, str]] = []
    build([path], tmp_path / "index", progress=lambda report, file: told.append((report.records, file)))
    assert told == [(1, "a.json"), (2, "a.json"), (3, "a.json"), (3, "")]


def test_a_source_that_is_not_there_is_known_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none"):
        build([CORPUS, tmp_path / "none"], tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_no_sources_make_an_empty_index(tmp_path: Path) -> None:
    assert figures(build([], tmp_path / "index")) == (0,) * 6
    assert stored(tmp_path / "index") == {} and verify(tmp_path / "index") == []


def test_an_index_among_its_own_sources_is_no_source(tmp_path: Path) -> None:
    source(tmp_path, "a.json", dated(1, None), {"protocolSection": {}})
    for _ in range(3):
        report = build([tmp_path], tmp_path / "index")
    assert (report.trials, report.rejected, report.added) == (1, 1, 0)


def test_read_yields_trials_one_at_a_time(tmp_path: Path) -> None:
    path = source(tmp_path, "a.json", dated(1, None, BriefTitle="A"), {"protocolSection": {}}, dated(2, None))
    found = read(path)
    assert isinstance(found, Iterator)
    assert [trial.nct_id for trial in found] == ["NCT00000001", "NCT00000002"]
    with pytest.raises(SourceError):
        list(read(tmp_path / "none"))


# Runs that are broken off.


def interrupted(after: int) -> Any:
    def progress(report: Report, _: str) -> None:
        if report.records == after:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("after", [1, 25, 26, 60])
def test_a_run_that_is_stopped_keeps_what_was_committed_and_the_next_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus_index: Path, after: int
) -> None:
    monkeypatch.setattr(builder, "_PENDING", 5)
    monkeypatch.setattr(builder, "_COMMIT", 10)
    index = tmp_path / "index"
    with pytest.raises(KeyboardInterrupt):
        build([CORPUS], index, progress=interrupted(after))
    held = stored(index)
    # Batches of 5, a commit after every second batch.
    assert len(held) == after // 10 * 10
    assert verify(index) == []
    report = build([CORPUS], index)
    assert (report.added, report.unchanged) == (report.trials - len(held), len(held))
    assert state(index) == state(corpus_index)


def test_a_stopped_update_leaves_the_old_answers(tmp_path: Path, corpus_index: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(corpus_index, index)
    before = state(index)
    newer = [json.loads(path.read_text("utf-8")) for path in sorted(CORPUS.glob("NCT*.json"))[:20]]
    for one in newer:
        one["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": "2999-01-01"}
        one["protocolSection"]["identificationModule"]["briefTitle"] = "Renamed"
    path = source(tmp_path, "newer.json", *newer)
    with pytest.raises(KeyboardInterrupt):
        build([path], index, progress=interrupted(15))
    assert state(index) == before
    assert build([path], index).changed == 20


def test_a_full_disk_is_an_error_and_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus_index: Path
) -> None:
    index = tmp_path / "index"
    shutil.copytree(corpus_index, index)
    before = state(index)
    path = source(
        tmp_path, "more.json", *(dated(number, None, BriefTitle="more " * 50) for number in range(200))
    )
    for point in ("create", "write", "fsync", "replace"):
        with monkeypatch.context() as patched:

            def full(*_: Any, **__: Any) -> Any:
                raise OSError(28, "No space left on device")

            patched.setattr(Disk, point, full)
            with pytest.raises(OSError, match="No space"):
                build([path], index)
        assert state(index) == before, point
        assert verify(index) == []
    # Room again: the next run needs no repair, and no dead files are left.
    assert build([path], index).added == 200
    assert left_over(index) == []


KILLED = """
import sys
from trialindex import builder
builder._PENDING, builder._COMMIT = 4, 8
print("go", flush=True)
builder.build(sys.argv[2:], sys.argv[1], progress=lambda report, file: print(report.records, flush=True))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("seed", range(5))
def test_a_run_that_is_killed_leaves_an_index_that_opens_and_can_go_on(
    tmp_path: Path, corpus_index: Path, seed: int
) -> None:
    index = tmp_path / "index"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(index), str(CORPUS)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    # The moment: a record of the run, and a little more.
    wanted = random.Random(seed).randint(1, 62)
    for line in child.stdout:
        if line.strip() == str(wanted):
            break
    time.sleep(random.Random(seed).random() * 0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    try:
        held = stored(index)
    except IndexMissing:
        held = {}
    assert held.items() <= stored(corpus_index).items()
    report = build([CORPUS], index)
    assert report.trials == 63 and report.unchanged == len(held)
    assert verify(index) == [] and state(index) == state(corpus_index)
    assert left_over(index) == []


def test_a_second_writer_is_refused_at_once_and_the_first_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "_PENDING", 1)
    monkeypatch.setattr(builder, "_COMMIT", 1)
    index = tmp_path / "index"
    path = source(tmp_path, "a.json", *(dated(number, None) for number in range(6)))
    refused: list[str] = []

    def meddle(report: Report, _: str) -> None:
        # Between two commits too, where Whoosh itself holds no lock.
        for attempt in (
            lambda: build([path], index),
            lambda: rebuild(index),
            lambda: delete(["NCT00000000"], index),
        ):
            if report.records == 1 and "delete" in attempt.__code__.co_names:
                continue
            started = time.monotonic()
            with pytest.raises(IndexLocked, match="another process"):
                attempt()
            assert time.monotonic() - started < 5
            refused.append("yes")

    report = build([path], index, progress=meddle)
    assert len(refused) >= 12
    assert report.trials == 6 and verify(index) == []
    assert build([path], index).unchanged == 6


def test_a_lock_of_another_process_counts(tmp_path: Path) -> None:
    index = tmp_path / "index"
    code = (
        "import sys; from pathlib import Path; from trialindex.storage import Writer\n"
        "with Writer(Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(index)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "held"
    with pytest.raises(IndexLocked):
        build([], index)
    child.communicate("")
    assert build([], index).trials == 0


# Deleting and rebuilding.


def test_delete_by_id_by_former_id_and_by_none(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(
        [
            source(
                tmp_path, "a.json", dated(1, None, NCTIdAlias=["NCT00000091"]), dated(2, None), dated(3, None)
            )
        ],
        index,
    )
    before = files(index)
    assert delete(["NCT00000404", "lupus", ""], index) == ([], ["NCT00000404", "lupus", ""])
    assert files(index) == before
    assert delete([" nct00000091 ", "NCT00000002", "NCT00000404", "NCT00000001"], index) == (
        ["NCT00000001", "NCT00000002"],
        ["NCT00000404"],
    )
    assert set(stored(index)) == {"NCT00000003"} and verify(index) == []
    assert delete(["NCT00000001"], index) == ([], ["NCT00000001"])
    with pytest.raises(IndexMissing):
        delete(["NCT00000001"], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_deleted_trial_can_come_again(tmp_path: Path) -> None:
    index, path = tmp_path / "index", source(tmp_path, "a.json", dated(1, None), dated(2, None))
    build([path], index)
    before = state(index)
    delete(["NCT00000001"], index)
    assert figures(build([path], index))[:3] == (1, 0, 1)
    assert state(index) == before


def test_rebuild_gives_the_same_answers_and_keeps_what_was_set_aside(tmp_path: Path) -> None:
    index = tmp_path / "index"
    path = source(tmp_path, "a.json", {"protocolSection": {}})
    build([CORPUS, path], index)
    delete(["NCT01539902"], index)
    index.chmod(0o755)
    before, aside = state(index), (index / "rejects.jsonl").read_bytes()
    assert rebuild(index) == 62
    assert state(index) == before and verify(index) == []
    assert (index / "rejects.jsonl").read_bytes() == aside
    assert index.stat().st_mode & 0o777 == 0o755, "others can no longer read it"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "index"]
    assert build([CORPUS], index).added == 1


def test_a_snapshot_knows_that_the_index_was_rebuilt_and_went_on(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([source(tmp_path, "a.json", dated(1, None))], index)
    build([source(tmp_path, "b.json", dated(2, None))], index)
    old = open_snapshot(index)
    held = {old.key(doc): old.study(doc) for doc in old.docs().tolist()}
    rebuild(index)
    assert not old.is_current()
    build([source(tmp_path, "c.json", dated(3, None))], index)
    new = open_snapshot(index)
    assert new.generation > old.generation and new.is_current() and len(new) == 3
    assert {old.key(doc): old.study(doc) for doc in old.docs().tolist()} == held
    old.close()
    new.close()


def test_a_rebuild_without_the_memory_for_it_leaves_all_as_it_was(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([source(tmp_path, "a.json", dated(1, None))], index)
    before = files(index)
    with pytest.raises(TrialError, match="give at least 200 MB"):
        rebuild(index, memory=100 << 20)
    assert files(index) == before and rebuild(index, memory=200 << 20) == 1


def test_rebuild_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        rebuild(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_rebuild_that_fails_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    build([source(tmp_path / "in", "a.json", *(dated(number, None) for number in range(5)))], index)
    before = state(index)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    for target in ("put", "commit"):
        with monkeypatch.context() as patched:
            patched.setattr(Writer, target, stop)
            with pytest.raises(KeyboardInterrupt):
                rebuild(index)
        assert state(index) == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "index"]
    assert rebuild(index) == 5


def test_a_table_of_contents_that_cannot_be_read_is_an_error_and_nothing_is_overwritten(
    tmp_path: Path,
) -> None:
    index = tmp_path / "index"
    build([source(tmp_path, "a.json", dated(1, None))], index)
    before, text = state(index), (index / "trialsearch.json").read_text()
    for damaged, reason in (('{"schema": 0}', "another version"), ("{", "damaged"), ("", "damaged")):
        (index / "trialsearch.json").write_text(damaged)
        held = files(index)
        for attempt in (lambda: build([tmp_path / "a.json"], index), lambda: rebuild(index)):
            with pytest.raises(IndexDamaged, match=reason):
                attempt()
        assert files(index) == held
    (index / "trialsearch.json").write_text(text)
    assert state(index) == before


def test_a_folder_that_lost_its_table_of_contents_is_not_overwritten(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build([source(tmp_path, "a.json", dated(1, None))], index)
    before = state(index)
    text = (index / "trialsearch.json").read_text()
    (index / "trialsearch.json").unlink()
    with pytest.raises(IndexDamaged, match=r"no trialsearch\.json"):
        build([tmp_path / "a.json"], index)
    with pytest.raises(IndexMissing):
        open_snapshot(index)
    (index / "trialsearch.json").write_text(text)
    assert state(index) == before


# Real records.


@needs_shared
def test_real_records_of_three_formats_in_any_order(tmp_path: Path) -> None:
    """The pages, the downloads, some legacy XML: nothing rejected, counts add up, order is nothing."""
    legacy = tmp_path / "xml.zip"
    with zipfile.ZipFile(SHARED / "ctgov-xml-6786.zip") as whole, zipfile.ZipFile(legacy, "w") as part:
        names = [name for name in whole.namelist() if name.endswith(".xml")]
        for name in names[:: max(1, len(names) // 150)][:150]:
            part.writestr(name, whole.read(name))
    sources = [SHARED / "pages", SHARED / "ctgov-v2-downloads.zip", legacy]
    report = build(sources, tmp_path / "one")
    assert figures(report)[3] == 0
    assert report.records == 5 + 438 + 150 and report.added == report.trials
    other = build(reversed(sources), tmp_path / "other")
    assert (other.records, other.trials) == (report.records, report.trials)
    assert stored(tmp_path / "one") == stored(tmp_path / "other")
    before = files(tmp_path / "one")
    assert figures(build(sources[::2], tmp_path / "one"))[:4] == (0, 0, 155, 0)
    assert files(tmp_path / "one") == before
    assert all(one[SECTION]["sources"] for one in stored(tmp_path / "one").values())


def test_a_rejected_row_is_told_with_file_record_field_and_reason(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("NCT Number,Study Title\nNCT00000001,one\n,none\n", "utf-8")
    report = build([tmp_path / "rows.csv"], tmp_path / "index")
    assert (report.added, report.rejected) == (1, 1)
    assert report.problems == ["rows.csv, record 2, NCTId: no NCT Number; set aside in rejects.jsonl"]


def test_a_second_download_with_fewer_columns_takes_nothing_away(tmp_path: Path) -> None:
    full = (
        "NCT Number,Study Title,Conditions,Phases,Last Update Posted\n"
        "NCT00000001,one,Gout,PHASE2,2019-01-01\n"
    )
    few = "NCT Number,Study Title,Last Update Posted\nNCT00000001,another,2020-01-01\n"
    for name, text in (("full.csv", full), ("few.csv", few)):
        (tmp_path / name).write_text(text, "utf-8")
    for order in (["full.csv", "few.csv"], ["few.csv", "full.csv"]):
        index = tmp_path / "-".join(order)
        for name in order:
            build([tmp_path / name], index)
        (held,) = stored(index).values()
        protocol = held["protocolSection"]
        assert protocol["identificationModule"]["briefTitle"] == "another"
        assert protocol["conditionsModule"]["conditions"] == ["Gout"]
        assert protocol["designModule"]["phases"] == ["PHASE2"]
        assert [source["file"] for source in held["sourceSection"]["sources"]] == ["few.csv", "full.csv"]


def edge(number: int, value: str) -> str:
    """The text of a study that states some JSON under a key that the registry does not know."""
    made = study(f"NCT{number:08d}")
    return json.dumps(made)[:-1] + f', "edge": {value}}}'


EDGES = [
    "18446744073709551616",  # beyond 64 bits
    "-9223372036854775809",
    "[1.0, 1, -0.0, 1e22, 0.0001]",
    "1e400",  # infinity
    '{"a": 1, "b": 2, "a": 3}',  # the last one counts
    '[null, "null"]',
    "[" * 50 + "]" * 50,
]


def test_values_at_the_edge_of_json_are_stored_as_they_were_read(tmp_path: Path) -> None:
    path = tmp_path / "edges.jsonl"
    path.write_text("\n".join(edge(number, value) for number, value in enumerate(EDGES)), "utf-8")
    report = build([path], tmp_path / "index", workers=1)
    assert (report.added, report.rejected) == (len(EDGES), 0)
    held = [one["edge"] for _, one in sorted(stored(tmp_path / "index").items())]
    assert [repr(value) for value in held] == [repr(json.loads(value)) for value in EDGES]
    assert verify(tmp_path / "index") == []
    assert build([path], tmp_path / "index", workers=1).unchanged == len(EDGES)


def test_half_a_surrogate_pair_is_replaced_and_what_is_no_json_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "edges.jsonl"
    lines = [edge(1, r'"\ud83d"'), edge(2, "NaN"), edge(3, "[" * 80 + "]" * 80)]
    path.write_text("\n".join(lines), "utf-8")
    report = build([path], tmp_path / "index", workers=1)
    assert (report.added, report.rejected, report.odd) == (1, 2, 1)
    assert stored(tmp_path / "index")["NCT00000001"]["edge"] == "\N{REPLACEMENT CHARACTER}"
    assert "NaN is no JSON number" in report.problems[1] and "nested over 60 deep" in report.problems[2]


def test_a_build_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    before = gc.get_threshold()
    seen: list[tuple[int, int, int]] = []
    path = source(tmp_path, "a.json", dated(1, None))

    def noted(report: Report, _: str) -> None:
        seen.append(gc.get_threshold())
        if len(seen) == 3:
            build([path], tmp_path / "inner")  # in the middle of another one
            seen.append(gc.get_threshold())
            raise KeyboardInterrupt

    try:
        gc.set_threshold(500, 7, 9)
        build([path], tmp_path / "index", progress=noted)
        assert gc.get_threshold() == (500, 7, 9)
        assert seen == [(100_000, 7, 9)] * 2
        with pytest.raises(KeyboardInterrupt):
            build([path], tmp_path / "index", progress=noted)
        assert gc.get_threshold() == (500, 7, 9)
        assert seen == [(100_000, 7, 9)] * 4
        gc.set_threshold(0, 7, 9)  # whoever lets it never look wants that
        build([path], tmp_path / "index", progress=noted)
        assert seen[4:] == [(0, 7, 9)] * 2 and gc.get_threshold() == (0, 7, 9)
    finally:
        gc.set_threshold(*before)
