"""The index on disk: what snapshots answer, what writers promise, locks, leftovers, the table of contents."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import make_index, study
from snapshot_helpers import Model, tiny_limits
from trialindex import snapshot as snapshots
from trialindex import storage
from trialindex.analysis import VALUE_GAP
from trialindex.contents import SCHEMA_VERSION
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing
from trialindex.fields import FIELD_NUMBERS
from trialindex.snapshot import Snapshot, open_snapshot, stored_studies, unpack
from trialindex.storage import Writer, pack
from trialindex.verify import verify

ONE, TWO, THREE = (f"NCT0000000{number}" for number in (1, 2, 3))


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return make_index(
        tmp_path / "index",
        [
            study(
                ONE,
                BriefTitle="lupus drug",
                Condition=["Lupus", "Gout of lupus"],
                Phase=["PHASE1", "PHASE2"],
                StartDate="2012-02",
                EnrollmentCount=7,
                NCTIdAlias=["NCT00000091", TWO],
            ),
            study(TWO, BriefTitle="lupus lupus device trial", OverallStatus="RECRUITING"),
            study(THREE, BriefTitle="asthma", MinimumAge="6 Months"),
        ],
    )


def files(folder: Path) -> set[str]:
    """Return the names of an index's files, without its lock, which may stay or go."""
    return {path.name for path in folder.iterdir()} - {"trialsearch.lock"}


def titles(folder: Path) -> dict[str, str]:
    return {
        key: node["protocolSection"]["identificationModule"].get("briefTitle", "")
        for key, node in stored_studies(folder)
    }


# What a snapshot answers, by hand; by the thousand and against plain dictionaries: test_merging.


def test_weighted_frequencies_and_lengths_are_the_formula(three: Path) -> None:
    snapshot = open_snapshot(three)
    found = snapshot.postings("lupus", "TitleSearch")
    assert found.docs.tolist() == [0, 1] and found.sums.tolist() == [95, 2 * 95]
    assert snapshot.lengths("TitleSearch").tolist() == [2 * 95, 4 * 95, 95]
    assert snapshot.norms("TitleSearch") == pytest.approx(
        [1.2 * (0.25 + 0.75 * length / (7 / 3)) for length in (2, 4, 1)]
    )
    assert snapshot.frequency("lupus", "BriefTitle") == 2 and snapshot.frequency("gout", "BriefTitle") == 0
    assert snapshot.frequency("gout", "ConditionSearch") == snapshot.anywhere("gout") == 1
    assert snapshot.postings("nothing", "BasicSearch").docs.tolist() == []
    snapshot.close()


def test_places_are_those_of_the_words_with_a_gap_between_values(three: Path) -> None:
    snapshot = open_snapshot(three)
    title, condition = FIELD_NUMBERS["BriefTitle"], FIELD_NUMBERS["Condition"]
    found = snapshot.occurrences("lupus")
    places = sorted(zip(found.docs.tolist(), found.fields.tolist(), found.positions.tolist(), strict=True))
    assert places == sorted(
        [(0, title, 0), (0, condition, 0), (0, condition, 1 + VALUE_GAP + 2), (1, title, 0), (1, title, 1)]
    )
    assert snapshot.occurrences("devic", np.array([1, 2], np.uint32)).positions.tolist() == [2]
    assert snapshot.occurrences("devic", np.array([0, 2], np.uint32)).docs.tolist() == []
    starts = snapshot.starts(0)
    assert starts["BriefTitle"] == [0, 2 + VALUE_GAP]
    assert starts["Condition"] == [0, 1 + VALUE_GAP, 1 + VALUE_GAP + 3 + VALUE_GAP]
    assert "BriefTitle" in snapshot.starts(2) and "Condition" not in snapshot.starts(2)
    snapshot.close()


def test_codes_are_a_column_and_their_words_are_text(three: Path) -> None:
    snapshot = open_snapshot(three)
    phases = snapshot.codes("Phase")
    assert [phases.sets[one] for one in phases.ordinals.tolist()] == [("PHASE1", "PHASE2"), (), ()]
    assert phases.holding("PHASE2").tolist() == [True, False, False]
    assert not phases.holding("PHASE3").any() and not snapshot.codes("Sex").present().any()
    assert snapshot.anywhere("PHASE1") == 0 and snapshot.frequency("phase", "Phase") == 1
    assert snapshot.postings("recruit", "OverallStatus").docs.tolist() == [1]
    snapshot.close()


def test_columns_have_none_where_nothing_is_stated(three: Path) -> None:
    snapshot = open_snapshot(three)
    nan = float("nan")
    for field, expected in {
        "StartDate": [734534.0, nan, nan],
        "StartDateLast": [734562.0, nan, nan],
        "EnrollmentCount": [7.0, nan, nan],
        "MinimumAge": [nan, nan, 182.625],
        "CompletionDate": [nan, nan, nan],
    }.items():
        assert np.array_equal(snapshot.column(field), expected, equal_nan=True), field
    snapshot.close()


def test_finding_by_id_by_alias_and_the_own_id_first(three: Path) -> None:
    snapshot = open_snapshot(three)
    found = [snapshot.find(name) for name in (ONE, "NCT00000091", TWO, "NCT00000404", "")]
    assert found == [0, 0, 1, None, None]
    assert snapshot.find_key("NCT00000091") is None
    snapshot.close()


def test_terms_and_names_by_prefix_in_order(three: Path) -> None:
    snapshot = open_snapshot(three)
    assert list(snapshot.terms("d")) == [("devic", 1), ("drug", 1)] and list(snapshot.terms("zz")) == []
    assert list(snapshot.terms("lup")) == [("lupus", 2)]
    assert list(snapshot.names("ConditionName", "gout")) == [("gout of lupus\tGout of lupus", 1)]
    assert snapshot.named("ConditionName", "lupus\tLupus").tolist() == [0]
    assert list(snapshot.names("Country")) == [] and snapshot.named("Country", "chad").tolist() == []
    snapshot.close()


def test_shared_arrays_cannot_be_changed(three: Path) -> None:
    snapshot = open_snapshot(three)
    found = snapshot.postings("lupus", "TitleSearch")
    for array in (found.docs, found.sums, snapshot.norms("TitleSearch"), snapshot.column("StartDate")):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert snapshot.postings("lupus", "TitleSearch") is found
    snapshot.close()


def test_the_postings_kept_ready_are_bounded(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_CACHED", 500)
    monkeypatch.setattr(snapshots, "_CACHED_AREAS", 1)
    snapshot = open_snapshot(three)
    for area in ("TitleSearch", "BriefTitle", "Condition"):
        for term in ("lupus", "asthma", "nothing", "drug"):
            snapshot.postings(term, area)
            snapshot.norms(area)
    assert len(snapshot._postings) <= 2 and len(snapshot._norms) == 1
    assert snapshot.postings("lupus", "TitleSearch").docs.tolist() == [0, 1]
    snapshot.close()


# Writers.


def test_what_was_put_a_moment_ago_is_got_replaced_and_deleted(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Writer(index) as writer:
        assert writer.get(ONE) is None and writer.delete(ONE) is False and writer.uncommitted == 0
        for title in ("a", "b", "c"):
            writer.put(ONE, study(ONE, BriefTitle=title))
        writer.put(TWO, study(TWO))
        assert writer.get(ONE) == study(ONE, BriefTitle="c")
        assert writer.delete(TWO) is True and writer.get(TWO) is None and writer.delete(TWO) is False
        writer.put(TWO, study(TWO, BriefTitle="again"))
        assert len(open_snapshot(index)) == 0
    assert titles(index) == {ONE: "c", TWO: "again"}
    assert verify(index) == []


def test_a_trial_put_twice_is_one_document_with_others_between(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [study(ONE), study(TWO)])
    with Writer(index) as writer:
        writer.put(THREE, study(THREE))
        writer.put(THREE, study(THREE, BriefTitle="x"))
        writer.put(ONE, study(ONE, BriefTitle="new"))
    assert titles(index) == {ONE: "new", TWO: "", THREE: "x"}
    assert verify(index) == []


def test_a_trial_put_again_and_again_takes_few_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_MOST_OPEN", 10)
    model = Model()
    with tiny_limits():
        with Writer(tmp_path / "index") as writer:
            for number in range(60):
                model.step(writer, (number % 2 + 5 * (number % 7), {"BriefTitle": f"lupus t{number}"}))
                assert writer.get("NCT00000000") is None or len(writer.segments) <= 10
            writer.commit()
            model.step(writer, (0, {"BriefTitle": "gout"}))
            assert len(writer.segments) <= 10
        model.check(tmp_path / "index", ("BriefTitle",))


@pytest.mark.parametrize("key", ["NCT00000001\0", "NCT\ud800"])
def test_what_cannot_be_stored_costs_nothing_that_is(tmp_path: Path, key: str) -> None:
    index = make_index(tmp_path / "index", [study(ONE, BriefTitle="old")])
    with Writer(index) as writer:
        writer.put(TWO, study(TWO))
        with pytest.raises(ValueError):
            writer.put(key, study(key))
        with pytest.raises((TypeError, ValueError)):
            writer.put(ONE, {"protocolSection": {"identificationModule": {"nctId": ONE, "x": {1}}}})
    assert titles(index) == {ONE: "old", TWO: ""}
    assert verify(index) == []


def test_a_record_too_large_costs_nothing_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex.segments import records

    index = make_index(tmp_path / "index", [study(ONE, BriefTitle="old")])
    monkeypatch.setattr(records, "_MOST_RECORD", 500)
    with Writer(index) as writer:
        with pytest.raises(ValueError, match="500"):
            writer.put(ONE, study(ONE, BriefTitle="x" * 500))
        writer.put(TWO, study(TWO))
    assert titles(index) == {ONE: "old", TWO: ""}
    assert verify(index) == []


@pytest.mark.parametrize("text", ["\ud800 lupus \udfff", "lupus\0gout", "\ufeff\u2028", "a\x01b"])
def test_odd_characters_are_stored_and_searched(tmp_path: Path, text: str) -> None:
    odd = study(ONE, BriefTitle=text, Condition=[text, text + "\ud801"], Phase=[text], StartDate=text)
    index = make_index(tmp_path / "index", [odd, study(TWO, Condition=["\ud802"])])
    assert dict(stored_studies(index))[ONE] == odd
    assert verify(index) == []


def test_an_error_inside_drops_what_was_not_committed_and_its_files(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [study(ONE, BriefTitle="old")])
    before = files(index)
    for memory in (1, 1 << 20):
        with pytest.raises(ZeroDivisionError), Writer(index, memory=memory) as writer:
            writer.put(TWO, study(TWO))
            writer.put(ONE, study(ONE, BriefTitle="new"))
            raise ZeroDivisionError
        assert files(index) == before and titles(index) == {ONE: "old"}
    with Writer(index) as writer:
        writer.put(TWO, study(TWO))
    assert titles(index) == {ONE: "old", TWO: ""}


def test_nothing_changes_where_nothing_is_committed(three: Path) -> None:
    with Writer(three) as writer:
        writer.delete(TWO)
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in three.iterdir()}
    with Writer(three) as writer:
        assert writer.get(TWO) is None and writer.delete(TWO) is False and writer.get(ONE) is not None
        writer.commit()
        writer.commit()
    after = {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in three.iterdir()}
    before.pop("trialsearch.lock", None), after.pop("trialsearch.lock", None)
    assert after == before


def test_a_deletion_writes_the_small_file_only(tmp_path: Path) -> None:
    index, model = tmp_path / "index", Model()
    with Writer(index) as writer:
        for number in range(8):
            model.step(writer, (number, {"BriefTitle": "lupus"}))
    before = files(index)
    with Writer(index) as writer:
        model.step(writer, (3, None))
    assert sorted(files(index) - before) == ["000002.live"] and before <= files(index)
    with Writer(index) as writer:
        model.step(writer, (9, {"BriefTitle": "gout"}))
    assert sorted(files(index) - before) == ["000002.live", "000003.seg"]
    with Writer(index) as writer:
        model.step(writer, (4, None))
    assert sorted(files(index) - before) == ["000003.seg", "000004.live"]
    model.check(index)


def test_two_writers(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Writer(index) as writer:
        writer.put(ONE, study(ONE))
        for _ in range(2):
            with pytest.raises(IndexLocked, match="wait"):
                Writer(index)
        writer.commit()
        with pytest.raises(IndexLocked):
            Writer(index)
        writer.put(TWO, study(TWO))
    assert len(open_snapshot(index)) == 2
    with Writer(index):
        pass


def test_a_writer_may_end_in_another_thread(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "index").__enter__()
    writer.put(ONE, study(ONE))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(writer.__exit__, None, None, None).result()
    with Writer(tmp_path / "index") as writer:
        assert writer.get(ONE) == study(ONE)


def _hold(folder: str, told: Any) -> None:
    writer = Writer(Path(folder), memory=1)
    writer.put(TWO, study(TWO))
    told.send("held")
    threading.Event().wait()


def test_the_lock_of_another_process_goes_when_it_is_killed(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [study(ONE)])
    before = files(index)
    context = multiprocessing.get_context("spawn")
    told, tells = context.Pipe(duplex=False)
    child = context.Process(target=_hold, args=(str(index), tells))
    child.start()
    tells.close()  # the child's end is the only one: if it dies, this fails and does not wait
    try:
        assert told.recv() == "held"
        with pytest.raises(IndexLocked, match="another process"):
            Writer(index)
        assert files(index) > before
    finally:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    with Writer(index) as writer:
        assert files(index) == before
        writer.put(THREE, study(THREE))
    assert set(titles(index)) == {ONE, THREE}


def test_no_writer_where_no_index_is_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        Writer(tmp_path / "none", create=False)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_are_swept_and_nothing_else(three: Path) -> None:
    before = files(three)
    left = ["000009.seg", "000008.live", "000009.seg.3.part", "trialsearch.json.new"]
    kept = ["download.part", "thesis.new", "rejects.jsonl", "000009.txt", "seg"]
    for name in (*left, *kept):
        (three / name).write_text("x")
    (three / "folder.part").mkdir()
    with Writer(three):
        pass
    assert files(three) == before | set(kept) | {"folder.part"}


def test_segments_without_a_table_are_left_alone(three: Path) -> None:
    (three / "trialsearch.json").unlink()
    before = files(three)
    with pytest.raises(IndexDamaged, match=r"trialsearch\.json.*move them away"):
        Writer(three)
    assert files(three) == before
    with pytest.raises(IndexMissing):
        open_snapshot(three)


def test_adopting_what_is_no_segment(three: Path, tmp_path: Path) -> None:
    (tmp_path / "made.seg").write_bytes(b"nonsense")
    before = files(three)
    with pytest.raises(IndexDamaged), Writer(three) as writer:
        writer.adopt(tmp_path / "made.seg")
    with pytest.raises(FileNotFoundError), Writer(three) as writer:
        writer.adopt(tmp_path / "none.seg")
    assert files(three) == before and len(open_snapshot(three)) == 3


# Snapshots beside writers.


def test_a_snapshot_answers_from_its_state_while_writers_commit(three: Path) -> None:
    old = open_snapshot(three)
    lupus = old.postings("lupus", "BriefTitle")
    assert old.is_current() and old.generation == 1
    with Writer(three) as writer:
        writer.delete(ONE)
        for number in range(20, 60):
            key = f"NCT{number:08d}"
            writer.put(key, study(key, BriefTitle="lupus many", StartDate="2020-01-01"))
            if number % 10 == 0:
                writer.commit()
                assert not old.is_current() and len(old) == 3
        writer.merge()
        assert len(list(three.glob("*.seg"))) == 1
    # What it had not read yet is there too.
    assert old.postings("devic", "BriefTitle").docs.tolist() == [1]
    assert old.anywhere("many") == 0 and old.postings("lupus", "BriefTitle") is lupus
    assert old.find(ONE) == 0 and old.column("StartDate")[0] == 734534.0
    assert old.study(0)["protocolSection"]["identificationModule"]["briefTitle"] == "lupus drug"
    new = open_snapshot(three)
    assert len(new) == 42 and new.find(ONE) is None and new.is_current() and new.generation > 1
    old.close()
    new.close()
    shutil.rmtree(three)
    assert not new.is_current()


def test_two_commits_within_a_tick_of_the_clock_are_two_states(three: Path) -> None:
    """A file may get the number and the time of one that was removed a moment before."""
    old = open_snapshot(three)
    status = (three / "trialsearch.json").stat()
    with Writer(three) as writer:
        writer.delete(ONE)
    os.utime(three / "trialsearch.json", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not old.is_current()
    old.close()


def test_a_snapshot_that_opens_while_a_writer_removes(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table names what is gone by now: it reads the new one."""
    right = snapshots.open_segments
    turns = iter(range(3))

    def late(folder: Path, contents: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(snapshots, "open_segments", right)
            for turn in turns:
                with Writer(three) as writer:
                    writer.put(ONE, study(ONE, BriefTitle=f"turn {turn}"))
                    writer.merge()
                break
        return right(folder, contents)

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "open_segments", late)
        snapshot = open_snapshot(three)
    assert next(turns, None) is None
    assert snapshot.is_current() and len(snapshot) == 3
    snapshot.close()


@pytest.fixture
def tiny() -> Iterator[None]:
    with tiny_limits():
        yield


@pytest.mark.usefixtures("tiny")
def test_eight_threads_on_one_snapshot(tmp_path: Path) -> None:
    words = ["lupus", "asthma", "gout", "drug", "device"]
    wanted = {f"NCT{n:08d}": f"{words[n % 5]} {words[n % 3]} t{n}" for n in range(120)}
    with Writer(tmp_path / "index", merge=False) as writer:
        for number, (key, title) in enumerate(wanted.items()):
            writer.put(key, study(key, BriefTitle=title))
            if number % 50 == 49:
                writer.commit()
    snapshot = open_snapshot(tmp_path / "index")
    start = threading.Barrier(8)

    def ask(seed: int) -> list[str]:
        start.wait()
        wrong = []
        for turn in range(60):
            word = words[(seed + turn) % 5]
            term = {"device": "devic"}.get(word, word)
            docs = snapshot.postings(term, ("BriefTitle", "TitleSearch")[turn % 2]).docs
            if {snapshot.key(doc) for doc in docs.tolist()} != {
                key for key, title in wanted.items() if word in title.split()
            }:
                wrong.append(word)
            found = snapshot.occurrences(term)
            for doc, place in zip(found.docs.tolist(), found.positions.tolist(), strict=True):
                if wanted[snapshot.key(doc)].split()[place] != word:
                    wrong.append(f"{word} at {place}")
            number = (seed * 37 + turn) % 120
            key = f"NCT{number:08d}"
            held = snapshot.find(key)
            if held is None or snapshot.study(held) != study(key, BriefTitle=wanted[key]):
                wrong.append(f"record {number}")
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert [wrong for found in pool.map(ask, range(8)) for wrong in found] == []
    snapshot.close()


# The table of contents.


def test_no_index(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(IndexMissing, match="trialsearch index"):
            open_snapshot(folder)


ATTEMPTS: tuple[Callable[[Path], Any], ...] = (open_snapshot, Writer)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', "\udc80", "null", "[" * 100_000, '"schema"']
)
def test_a_damaged_table_names_the_remedy(three: Path, text: str) -> None:
    (three / "trialsearch.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    before = files(three)
    for attempt in ATTEMPTS:
        with pytest.raises(IndexDamaged, match=r"trialsearch\.json.*build the index again"):
            attempt(three)
    assert len(verify(three)) == 1 and files(three) == before


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, SCHEMA_VERSION - 1, 1, 0, None, "1"])
def test_another_schema_version_is_never_misread(three: Path, version: Any) -> None:
    for table in ({"schema": version}, {"index": {"schema": version}, "checksum": 0}):
        (three / "trialsearch.json").write_text(json.dumps(table))
        for attempt in ATTEMPTS:
            with pytest.raises(IndexDamaged, match=r"another version.*build it again"):
                attempt(three)
        assert len(verify(three)) == 1


def sealed_table(folder: Path, **changed: Any) -> None:
    """Write a table of contents with other entries and the right checksum."""
    index = json.loads((folder / "trialsearch.json").read_text())["index"] | changed
    body = json.dumps(index, separators=(",", ":"))
    text = f'{{"index":{body},"checksum":{zlib.crc32(body.encode())}}}\n'
    (folder / "trialsearch.json").write_text(text)


@pytest.mark.parametrize(
    "changed",
    [
        {"segments": [["../x.seg", 1, "", 0]]},
        {"segments": [["/etc/passwd", 1, "", 0]]},
        {"segments": [["000001.seg\n", 1, "", 0]]},
        {"segments": [["٠٠٠٠٠١.seg", 1, "", 0]]},
        {"segments": [["000001.seg", 1, "../000002.live", 0]]},
        {"segments": [["000001.seg", 1, 7, 0]]},
        {"segments": [[7, 1, "", 0]]},
        {"segments": [["000001.seg"], 7]},
        {"segments": [["000001.seg", 1, "", 0, 0]]},
        {"segments": 7},
        {"segments": {"000001.seg": 1}},
        {"segments": [["000001.seg", 1, "", 0]] * 2},
        {"next": 1},
        {"next": -1},
        {"next": "9"},
        {"next": 1.5},
        {"next": 10**12},
        {"generation": "1"},
        {"generation": True},
        {"more": 1},
    ],
)
def test_a_table_that_says_what_none_says_is_refused(three: Path, changed: dict[str, Any]) -> None:
    sealed_table(three, **changed)
    for attempt in ATTEMPTS:
        with pytest.raises(IndexDamaged):
            attempt(three)
    assert len(verify(three)) == 1


def test_the_same_table_is_accepted_and_any_other_byte_is_not(three: Path) -> None:
    table = three / "trialsearch.json"
    sealed_table(three)
    text = table.read_bytes()
    assert len(open_snapshot(three)) == 3
    for place in range(len(text)):
        for flip in (1, 32, 128):
            table.write_bytes(text[:place] + bytes([text[place] ^ flip]) + text[place + 1 :])
            with pytest.raises(IndexDamaged):
                open_snapshot(three)
        table.write_bytes(text[:place])
        with pytest.raises(IndexDamaged):
            open_snapshot(three)


@pytest.mark.parametrize("suffix", ["seg", "live"])
def test_a_lost_file_is_named(three: Path, suffix: str) -> None:
    with Writer(three) as writer:
        for number in range(10, 20):
            writer.put(f"NCT{number:08}", study(f"NCT{number:08}"))
        writer.merge()
        writer.delete(ONE)
    (path,) = list(three.glob(f"*.{suffix}"))[:1]
    path.unlink()
    for attempt in ATTEMPTS:
        with pytest.raises(IndexDamaged, match=rf"{path.name} is missing.*build the index again"):
            attempt(three)
    assert verify(three) == [f"{path.name} is missing: build the index again"]


# Stored records.


def test_a_stored_record_that_cannot_be_read() -> None:
    for data in (b"", b"{", b"[1]", b"\xff", b"[" * 100_000):
        with pytest.raises(IndexDamaged, match="rebuild"):
            unpack(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_record_comes_back_as_it_was(node: dict[str, Any]) -> None:
    found = unpack(pack(node))
    assert found == node and list(found) == list(node)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_odd_studies_are_stored_and_verified(
    tmp_path_factory: pytest.TempPathFactory, node: dict[str, Any]
) -> None:
    index = tmp_path_factory.mktemp("odd") / "index"
    with tiny_limits():
        odd = {**node, **study(ONE, BriefTitle="lupus")}
        make_index(index, [odd])
        snapshot: Snapshot = open_snapshot(index)
        assert snapshot.study(0) == odd
        snapshot.close()
        assert verify(index) == []
