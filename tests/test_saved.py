"""Saved searches: kept, asked again, compared; and files that are none."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from small import make_index, study
from trialindex import builder
from trialindex.storage import Writer
from trialsearch import TrialSearch
from trialsearch.cli import _root
from trialsearch.saved import (
    Found,
    Question,
    Saved,
    SavedError,
    Store,
    _read,
    _text,
    ask,
    checked_name,
    compared,
    taken,
)

ASKED = "2026-11-22T13:05:00Z"


def found(**digests: int) -> Found:
    ids = np.array([key.encode() for key in digests], "S11")
    return Found.of(ids, np.array(list(digests.values()), np.uint32))


def saved(name: str = "lupus", held: Found | None = None, **options: Any) -> Saved:
    return Saved(name, Question("lupus", options), "/some/index", ASKED, found(A=1) if held is None else held)


# --- comparing ---


def test_what_is_new_changed_and_gone() -> None:
    before = found(A=1, B=2, C=3, D=4)
    change = compared(before, np.array([b"E", b"C", b"A", b"B"]), np.array([9, 3, 1, 5], np.uint32))
    assert change.new.tolist() == [0]
    assert change.changed.tolist() == [3]
    assert change.gone == ("D",)


def test_an_unknown_digest_changes_nothing() -> None:
    change = compared(found(A=0, B=2), np.array([b"A", b"B"]), np.array([5, 0], np.uint32))
    assert change.changed.tolist() == []


def test_nothing_before_and_nothing_after() -> None:
    empty = Found.of(np.empty(0, "S11"), np.empty(0, np.uint32))
    assert compared(empty, np.array([b"A"]), np.array([1], np.uint32)).new.tolist() == [0]
    assert compared(found(A=1), *empty).gone == ("A",)
    assert [part.tolist() for part in compared(empty, *empty)[:2]] == [[], []]


TRIALS = st.dictionaries(st.sampled_from([f"NCT{n}" for n in range(30)]), st.integers(1, 3))


@given(TRIALS, TRIALS)
def test_comparing_is_what_sets_say(before: dict[str, int], after: dict[str, int]) -> None:
    ids = np.array([key.encode() for key in after], "S11")
    change = compared(found(**before), ids, np.array(list(after.values()), np.uint32))
    names = list(after)
    assert {names[place] for place in change.new} == after.keys() - before.keys()
    assert {names[place] for place in change.changed} == {
        key for key in after.keys() & before.keys() if after[key] != before[key]
    }
    assert set(change.gone) == before.keys() - after.keys()


# --- files ---


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "down")
    kept = saved(held=found(NCT2=2**31 - 1, NCT1=7), phase=["1", 2], everywhere=True, fuzzy=False)
    store.write(kept)
    back = store.read("lupus")
    assert (back.name, back.question, back.index, back.asked) == (
        kept.name,
        kept.question,
        kept.index,
        kept.asked,
    )
    assert back.found.ids.tolist() == [b"NCT1", b"NCT2"]
    assert back.found.digests.tolist() == [7, 2**31 - 1]


@pytest.mark.parametrize(
    ("query", "options", "said"),
    [
        ("x" * 20_001, {}, "its query"),
        ("lupus", {"ids": "x" * 20_001}, "ids is no number"),
        ("lupus", {"ids": ["NCT1"] * 1_001}, "ids has more than 1,000 values"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, query: str, options: dict[str, Any], said: str
) -> None:
    one = Saved("lupus", Question(query, options), "index", "2026-11-22T13:05:00Z", found(NCT1=1))
    with pytest.raises(SavedError, match=f"cannot be saved as 'lupus': {said}"):
        Store(tmp_path).write(one)
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_ids_are_saved_and_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = ",".join(f"NCT{number:08}" for number in range(1_000))
    store.write(saved(ids=ids))
    assert store.read("lupus").question.options == {"ids": ids}


def test_a_search_that_found_nothing_is_kept_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(saved(held=Found.of(np.empty(0, "S11"), np.empty(0, np.uint32))))
    assert store.read("lupus").found.ids.tolist() == []


def test_names_are_listed_in_order_and_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.names() == []
    for name in ("b", "a.2", "A_-1"):
        store.write(saved(name))
    (tmp_path / "notes.txt").write_text("no saved search")
    assert store.names() == ["A_-1", "a.2", "b"]
    store.delete("b")
    assert store.names() == ["A_-1", "a.2"]
    with pytest.raises(SavedError, match="no saved search 'b'"):
        store.delete("b")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "x" * 65, "a b", "ä", "a\n", "con", "NUL.x"],
)
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(SavedError, match="no name for a saved search"):
        checked_name(name)
    with pytest.raises(SavedError):
        Store(tmp_path).read(name)


def test_a_missing_one_is_told_with_the_nearest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(SavedError, match="none is saved yet"):
        store.read("lupus")
    store.write(saved("lupus"))
    with pytest.raises(SavedError, match="the nearest: lupus"):
        store.read("lupis")


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "other"},
        {"query": 5},
        {"query": "x" * 20_001},
        {"asked": "yesterday"},
        {"index": None},
        {"options": []},
        {"options": {"phase": {}}},
        {"options": {"phase": [["2"]]}},
        {"options": {"cond": None}},
        {"trials": -1},
        {"trials": True},
        {"trials": 10**12},
        {"trials": 2},
        {"id_bytes": 0},
        {"id_bytes": 10**9},
        {"ids": None},
        {"ids": "%%%"},
        {"ids": packed(b"")},
        {"ids": packed(b"A" * 10_000_000)},
        {"ids": "QUJD"},
        {"digests": packed(b"12345")},
        {"trials": 2, "ids": packed(b"BA"), "digests": packed(b"12345678"), "id_bytes": 1},
        {"trials": 2, "ids": packed(b"AA"), "digests": packed(b"12345678"), "id_bytes": 1},
    ],
)
def test_a_file_that_was_changed_is_told_by_its_name(tmp_path: Path, changes: dict[str, Any]) -> None:
    store = Store(tmp_path)
    store.write(saved())
    path = tmp_path / "lupus.json"
    held = json.loads(path.read_text())
    path.write_text(json.dumps(held | changes))
    with pytest.raises(SavedError, match=r"lupus\.json is no saved search"):
        store.read("lupus")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b"null", b'{"kind"'])
def test_a_file_that_is_no_json_is_told_by_its_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "lupus.json").write_bytes(data)
    with pytest.raises(SavedError, match=r"lupus\.json is no saved search"):
        Store(tmp_path).read("lupus")


def test_of_those_that_save_at_once_one_stays_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    sizes = (1, 2_000)
    kept = [
        saved(held=Found.of(np.array([b"NCT%08d" % n for n in range(size)]), np.ones(size, np.uint32)))
        for size in sizes
    ]
    store.write(kept[0])

    def save(one: Saved) -> None:
        for _ in range(20):
            store.write(one)

    threads = [threading.Thread(target=save, args=(one,)) for one in kept]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(store.read("lupus").found.ids) in sizes
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["lupus.json"]


def test_a_disk_without_room_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex.segments import disk

    class Full(disk.Disk):
        def write(self, descriptor: int, data: bytes | bytearray | memoryview) -> int:
            raise OSError(28, "no space left on device")

    store = Store(tmp_path)
    store.write(saved())
    monkeypatch.setattr(disk, "DISK", Full())
    with pytest.raises(OSError, match="no space"):
        store.write(saved(held=found(B=1, C=2)))
    assert [path.name for path in tmp_path.iterdir()] == ["lupus.json"]
    assert store.read("lupus").found.ids.tolist() == [b"A"]


# --- asking again ---

ONE = study("NCT00000001", BriefTitle="Lupus one", Phase=["PHASE1"])
TWO = study("NCT00000002", BriefTitle="Lupus two", Phase=["PHASE2"])
THREE = study("NCT00000003", BriefTitle="Lupus three", Phase=["PHASE2"])
ASTHMA = study("NCT00000009", BriefTitle="Asthma", Phase=["PHASE2"])


def names(trials: TrialSearch, before: Saved) -> tuple[list[str], list[str], list[str]]:
    whole = ask(trials, before).whole
    change = compared(before.found, whole.ids, whole.digests)
    new, changed = ([hit.id for hit in whole.hits(places)] for places in change[:2])
    return new, changed, list(change.gone)


def test_asked_again_after_changes(tmp_path: Path) -> None:
    folder = make_index(tmp_path, [ONE, TWO, ASTHMA])
    with TrialSearch.open(folder) as trials:
        before = taken("x", Question("lupus", {}), trials.search("lupus", limit=1).whole, folder)
        assert before.found.ids.tolist() == [b"NCT00000001", b"NCT00000002"]
        assert names(trials, before) == ([], [], [])
        changed = study("NCT00000001", BriefTitle="Lupus one", Phase=["PHASE1"], Acronym="NEW")
        make_index(folder, [changed, THREE])
        assert names(trials, before) == (["NCT00000003"], ["NCT00000001"], [])
        with Writer(folder) as writer:
            writer.delete("NCT00000002")
        assert names(trials, before) == (["NCT00000003"], ["NCT00000001"], ["NCT00000002"])


def test_another_index_with_the_same_trials_has_nothing_new(tmp_path: Path) -> None:
    one = make_index(tmp_path / "one", [ONE, TWO])
    other = make_index(tmp_path / "other", [ASTHMA])
    make_index(other, [TWO, ONE])
    with TrialSearch.open(one) as trials:
        before = taken("x", Question("lupus", {"phase": [1, "2"]}), trials.search("lupus").whole, one)
    with TrialSearch.open(other) as trials:
        assert names(trials, before) == ([], [], [])


def test_trials_that_have_some_of_the_words_do_not_count(tmp_path: Path) -> None:
    folder = make_index(tmp_path, [ONE, TWO])
    with TrialSearch.open(folder) as trials:
        results = trials.search("lupus two")
        assert [hit.partial for hit in results] == [False, True]
        assert results.whole.ids.tolist() == [b"NCT00000002"]


@pytest.mark.parametrize(
    "options",
    [
        {"limit": 5},
        {"offset": 1},
        {"colour": "red"},
        {"self": 1},
        {"cond": 5},
        {"everywhere": "yes"},
        {"cond": ["a"]},
    ],
)
def test_options_that_are_none_of_a_search(tmp_path: Path, options: dict[str, Any]) -> None:
    with TrialSearch.open(make_index(tmp_path, [ONE])) as trials, pytest.raises(SavedError, match="'lupus'"):
        ask(trials, saved(**options))


# --- the command line ---


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TRIALSEARCH_SAVED", str(tmp_path / "saved"))
    monkeypatch.setenv("TRIALSEARCH_INDEX", str(make_index(tmp_path / "index", [ONE, TWO, ASTHMA])))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(_root, list(arguments))

    yield call


def test_the_life_of_a_saved_search(run: Any, tmp_path: Path) -> None:
    made = run("search", "lupus", "--phase", "1,2", "--save", "mine", "--format", "ids")
    assert made.exit_code == 0
    assert sorted(made.stdout.split()) == ["NCT00000001", "NCT00000002"]
    assert "saved as mine" in made.stderr

    listed = run("saved")
    assert listed.exit_code == 0
    assert "lupus --phase 1,2" in listed.stdout
    (entry,) = json.loads(run("saved", "--json").stdout)
    assert (entry["name"], entry["query"], entry["options"], entry["trials"]) == (
        "mine",
        "lupus",
        {"phase": ["1,2"]},
        2,
    )

    nothing = run("search", "--new", "mine")
    assert nothing.exit_code == 1
    assert nothing.stdout.startswith("Nothing new for mine since ")

    changed = study("NCT00000001", BriefTitle="Lupus one", Phase=["PHASE1"], Acronym="NEW")
    make_index(tmp_path / "index", [changed, THREE])
    with Writer(tmp_path / "index") as writer:
        writer.delete("NCT00000002")

    peeked = run("search", "--new", "mine", "--peek", "--format", "json")
    assert peeked.exit_code == 0
    told = json.loads(peeked.stdout)
    assert [one["id"] for one in told["new"]] == ["NCT00000003"]
    assert [one["id"] for one in told["changed"]] == ["NCT00000001"]
    assert told["gone"] == ["NCT00000002"]
    assert (told["total"], told["new_total"], told["changed_total"]) == (2, 1, 1)

    left_out = run("search", "--new", "mine", "--limit", "1", "--format", "ids")
    assert left_out.stdout.split() == ["NCT00000003"]
    assert "not marked" in left_out.stderr

    table = run("search", "--new", "mine")
    assert table.stdout.startswith("1 new, 1 changed, 1 gone for mine since ")
    assert "NCT00000003" in table.stdout and "Gone: NCT00000002" in table.stdout
    assert run("search", "--new", "mine").exit_code == 1

    assert run("saved", "--delete", "mine").exit_code == 0
    none = run("saved")
    assert (none.exit_code, none.stdout) == (1, "")
    assert "no search is saved yet" in none.stderr
    assert run("search", "--new", "mine").exit_code == 2


def test_news_as_rows_and_lines(run: Any, tmp_path: Path) -> None:
    run("search", "lupus", "--save", "mine")
    make_index(tmp_path / "index", [THREE])
    with Writer(tmp_path / "index") as writer:
        writer.delete("NCT00000001")
    rows = run("search", "--new", "mine", "--peek", "--format", "csv", "--fields", "id,Phase")
    assert rows.stdout.splitlines() == ["change,id,Phase", "new,NCT00000003,PHASE2"]
    lines = run("search", "--new", "mine", "--peek", "--format", "jsonl", "--fields", "id")
    assert [json.loads(line) for line in lines.stdout.splitlines()] == [
        {"change": "new", "id": "NCT00000003"},
        {"change": "gone", "id": "NCT00000001"},
    ]
    tabs = run("search", "--new", "mine", "--peek", "--fields", "id,title")
    assert tabs.stdout == "id\ttitle\nNCT00000003\tLupus three\n"
    assert run("search", "--new", "mine", "--peek", "--format", "ris").stdout.startswith("TY  - RPRT")


def test_a_rebuilt_index_has_nothing_new(run: Any, tmp_path: Path) -> None:
    run("search", "lupus", "--save", "mine")
    builder.rebuild(tmp_path / "index")
    assert run("search", "--new", "mine").exit_code == 1


def test_the_same_records_from_another_file_are_nothing_new(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "built"
    options = ("--index", str(folder))

    def build(name: str, *studies: dict[str, Any]) -> None:
        (tmp_path / name).write_text(json.dumps(studies))
        builder.build([tmp_path / name], folder)

    build("first.json", ONE, TWO)
    run("search", "lupus", "--save", "mine", *options)
    build("second.json", TWO, ONE)
    assert run("search", "--new", "mine", *options).exit_code == 1
    build("third.json", study("NCT00000002", BriefTitle="Lupus two", Phase=["PHASE3"]), ONE)
    assert run("search", "--new", "mine", *options, "--format", "ids").stdout.split() == ["NCT00000002"]


def test_a_damaged_file_does_not_hide_the_others(run: Any, tmp_path: Path) -> None:
    run("search", "lupus", "--save", "mine")
    (tmp_path / "saved" / "bad.json").write_text("{}")
    listed = run("saved")
    assert listed.exit_code == 0
    assert "mine" in listed.stdout and "bad.json is no saved search" in listed.stderr
    assert run("saved", "--show", "bad").exit_code == 2
    assert "mine" in run("saved", "--show", "mine").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("lupus", "--new", "mine"),
        ("--phase", "1", "--new", "mine"),
        ("--new", "mine", "--save", "other"),
        ("--new", "mine", "--count"),
        ("--new", "../mine"),
        ("lupus", "--peek"),
        ("lupus", "--save", "a/b"),
        ("lupus", "--facets", "phase", "--format", "csv"),
        ("lupus", "--facets", "fase"),
        ("lupus", "--facets", ","),
        ("lupus", "--facets", "phase", "--count"),
        ("lupus", "--fields", "id", "--format", "ris"),
        ("lupus", "--fields", "colour"),
    ],
)
def test_what_does_not_go_together(run: Any, arguments: tuple[str, ...]) -> None:
    run("search", "lupus", "--save", "mine")
    assert run("search", *arguments).exit_code == 2


def test_facets_and_fields_of_an_answer(run: Any) -> None:
    told = json.loads(run("search", "ALL", "--facets", "phase", "--limit", "0", "--format", "json").stdout)
    assert [(one["value"], one["count"]) for one in told["facets"]["phase"]["values"]] == [
        ("PHASE2", 2),
        ("PHASE1", 1),
    ]
    plain = run("search", "lupus", "--facets", "phase", "--facet-limit", "1", "--limit", "0").stdout
    assert "Phase 1" in plain and "1 more value" in plain
    tabs = run("search", "lupus", "--fields", "id,Phase", "--sort", "id").stdout
    assert tabs == "id\tPhase\nNCT00000001\tPHASE1\nNCT00000002\tPHASE2\n"


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_file_with_one_other_byte_reads_or_is_told(place: int, byte: int) -> None:
    path = Path("lupus.json")
    data = bytearray(_text(saved(held=found(A=1, B=2))).encode())
    data[place % len(data)] = byte
    try:
        assert isinstance(_read(bytes(data), "lupus", path), Saved)
    except SavedError as error:
        assert str(path) in str(error)
