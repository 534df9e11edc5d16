"""The index on disk: scores by the formula, positions, columns, snapshots, locks, damage, and `verify`."""

from __future__ import annotations

import json
import math
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import make_index, study
from trialindex import storage
from trialindex.analysis import VALUE_GAP
from trialindex.document import Document
from trialindex.errors import IndexDamaged, IndexLocked, IndexMissing, TrialError
from trialindex.storage import SCHEMA_VERSION, Snapshot, Writer, open_snapshot, pack, unpack
from trialindex.verify import verify

ONE, TWO, THREE = (f"NCT0000000{number}" for number in (1, 2, 3))


def keyed(snapshot: Snapshot, found: dict[int, Any]) -> dict[str, Any]:
    return {snapshot.key(doc): value for doc, value in found.items()}


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


def test_scores_are_the_formula(three: Path) -> None:
    snapshot = open_snapshot(three)
    k1, b = 1.2, 0.75
    lengths = {ONE: 2, TWO: 4, THREE: 1}
    mean = sum(lengths.values()) / 3
    idf = math.log(3 / (2 + 1)) + 1
    expected = {
        key: idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * lengths[key] / mean))
        for key, tf in ((ONE, 1), (TWO, 2))
    }
    found = keyed(snapshot, snapshot.postings("BriefTitle", "lupus"))
    assert found == pytest.approx(expected)
    rare = math.log(3 / (1 + 1)) + 1
    assert keyed(snapshot, snapshot.postings("BriefTitle", "asthma")) == pytest.approx(
        {THREE: rare * (k1 + 1) / (1 + k1 * (1 - b + b * 1 / mean))}
    )
    assert snapshot.postings("BriefTitle", "nothing") == {}
    assert snapshot.frequency("BriefTitle", "lupus") == 2 and snapshot.frequency("BriefTitle", "gout") == 0
    snapshot.close()


def test_positions_are_those_of_the_words_with_a_gap_between_values(three: Path) -> None:
    snapshot = open_snapshot(three)
    every = snapshot.docs()
    assert keyed(snapshot, snapshot.positions("BriefTitle", "lupus", every)) == {ONE: [0], TWO: [0, 1]}
    assert keyed(snapshot, snapshot.positions("Condition", "lupus", every)) == {ONE: [0, 1 + VALUE_GAP + 2]}
    asked = frozenset(doc for doc in every if snapshot.key(doc) == TWO)
    assert keyed(snapshot, snapshot.positions("BriefTitle", "devic", asked)) == {TWO: [2]}
    assert snapshot.positions("BriefTitle", "nothing", every) == {}
    snapshot.close()


def test_codes_are_terms_in_their_capitals_and_their_words_are_text(three: Path) -> None:
    snapshot = open_snapshot(three)
    for term in ("PHASE1", "PHASE2", "phase1", "phase2", "phase"):
        assert set(keyed(snapshot, snapshot.postings("Phase", term))) == {ONE}, term
    assert snapshot.postings("Phase", "PHASE3") == {}
    assert set(keyed(snapshot, snapshot.postings("OverallStatus", "recruit"))) == {TWO}
    snapshot.close()


def test_an_odd_code_that_is_its_own_word_is_one_term(tmp_path: Path) -> None:
    odd = study(ONE, OverallStatus="recruit", Phase=["phase2", "x" * 5000, "é" * 400])
    index = make_index(tmp_path / "index", [odd])
    snapshot = open_snapshot(index)
    assert list(snapshot.terms("OverallStatus")) == [("recruit", 1)]
    assert snapshot.frequency("Phase", "phase2") == 1
    assert len(snapshot.postings("Phase", "phase2")) == 1 and len(snapshot.postings("Phase", "x" * 512)) == 1
    assert len(snapshot.postings("Phase", "é" * 256)) == 1
    snapshot.close()
    assert verify(index) == []


def test_columns_have_none_where_nothing_is_stated(three: Path) -> None:
    snapshot = open_snapshot(three)

    def column(field: str) -> dict[str, float | None]:
        held = snapshot.column(field)
        return {snapshot.key(doc): held[doc] for doc in snapshot.docs()}

    assert column("StartDate") == {ONE: 734534.0, TWO: None, THREE: None}
    assert column("StartDateLast") == {ONE: 734562.0, TWO: None, THREE: None}
    assert column("EnrollmentCount") == {ONE: 7.0, TWO: None, THREE: None}
    assert column("MinimumAge") == {ONE: None, TWO: None, THREE: 182.625}
    assert column("CompletionDate") == {ONE: None, TWO: None, THREE: None}
    snapshot.close()


def test_columns_over_segments_of_which_some_have_no_values(tmp_path: Path) -> None:
    """Whoosh took the dates of a segment without any from the bytes before the next segment's."""
    index = tmp_path / "index"
    dates = [None, "2012-02-01", None, None, "2013-03-01", None]
    with Writer(index) as writer:
        for number, day in enumerate(dates):
            writer.put(f"NCT{number:08d}", study(f"NCT{number:08d}", **({"StartDate": day} if day else {})))
            writer.commit()
    snapshot = open_snapshot(index)
    held = snapshot.column("StartDate")
    found = {snapshot.key(doc): held[doc] for doc in snapshot.docs()}
    assert {key for key, value in found.items() if value is not None} == {"NCT00000001", "NCT00000004"}
    assert verify(index) == []
    snapshot.close()


def test_finding_by_id_by_alias_and_the_own_id_first(three: Path) -> None:
    snapshot = open_snapshot(three)

    def find(identifier: str) -> str | None:
        doc = snapshot.find(identifier)
        return None if doc is None else snapshot.key(doc)

    assert [find(name) for name in (ONE, "NCT00000091", TWO, "NCT00000404", "")] == [
        ONE,
        ONE,
        TWO,
        None,
        None,
    ]
    assert snapshot.find_key("NCT00000091") is None
    snapshot.close()


def test_terms_by_prefix_in_order(three: Path) -> None:
    snapshot = open_snapshot(three)
    assert list(snapshot.terms("BriefTitle", "d")) == [("devic", 1), ("drug", 1)]
    assert [term for term, _ in snapshot.terms("BriefTitle")] == ["asthma", "devic", "drug", "lupus", "trial"]
    assert list(snapshot.terms("BriefTitle", "zz")) == []
    assert list(snapshot.terms("ConditionName", "gout")) == [("gout of lupus\tGout of lupus", 1)]
    snapshot.close()


TITLES = st.lists(st.sampled_from(["lupus", "lupus drug", "asthma", "a drug", "", "IL-2"]), max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(TITLES, min_size=1, max_size=4), st.sets(st.integers(0, 4)))
def test_any_series_of_commits_answers_like_a_list(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[str]], dropped: set[int]
) -> None:
    index = tmp_path_factory.mktemp("series") / "index"
    wanted: dict[str, str] = {}
    with Writer(index) as writer:
        for titles in rounds:
            for number, title in enumerate(titles):
                key = f"NCT{number:08d}"
                writer.put(key, study(key, BriefTitle=title))
                wanted[key] = title
            writer.commit()
        for number in dropped:
            key = f"NCT{number:08d}"
            assert writer.delete(key) is (wanted.pop(key, None) is not None)
    snapshot = open_snapshot(index)
    assert {snapshot.key(doc) for doc in snapshot.docs()} == set(wanted) and len(snapshot) == len(wanted)
    for term in ("lupus", "drug", "asthma", "il2"):
        expected = {key for key, title in wanted.items() if term in title.lower().replace("-", "").split()}
        assert set(keyed(snapshot, snapshot.postings("BriefTitle", term))) == expected
    snapshot.close()
    assert verify(index) == []


# Writers.


def test_what_was_put_a_moment_ago_is_got_replaced_and_deleted(tmp_path: Path) -> None:
    with Writer(tmp_path / "index") as writer:
        assert writer.get(ONE) is None and writer.delete(ONE) is False and writer.uncommitted == 0
        for title in ("a", "b", "c"):
            writer.put(ONE, study(ONE, BriefTitle=title))
        writer.put(TWO, study(TWO))
        assert writer.get(ONE) == study(ONE, BriefTitle="c")
        assert writer.delete(TWO) is True and writer.get(TWO) is None
        writer.put(TWO, study(TWO, BriefTitle="again"))
    snapshot = open_snapshot(tmp_path / "index")
    assert sorted(snapshot.key(doc) for doc in snapshot.docs()) == [ONE, TWO]
    snapshot.close()
    assert verify(tmp_path / "index") == []


def test_a_trial_put_twice_is_one_document_with_others_between(tmp_path: Path) -> None:
    """A commit in the middle closed the reader that knew what had to be replaced."""
    index = make_index(tmp_path / "index", [study(ONE), study(TWO)])
    with Writer(index) as writer:
        writer.put(THREE, study(THREE))
        writer.put(THREE, study(THREE, BriefTitle="x"))
        writer.put(ONE, study(ONE, BriefTitle="new"))
    snapshot = open_snapshot(index)
    assert len(snapshot) == 3
    snapshot.close()
    assert verify(index) == []


def test_an_error_inside_drops_what_was_not_committed_and_its_files(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [study(ONE)])
    before = {path.name for path in index.iterdir()}
    with pytest.raises(ZeroDivisionError), Writer(index) as writer:
        writer.put(TWO, study(TWO))
        raise ZeroDivisionError
    assert {path.name for path in index.iterdir()} <= before | {"MAIN_WRITELOCK"}
    assert len(open_snapshot(index)) == 1
    with Writer(index) as writer:
        writer.put(TWO, study(TWO))
    assert len(open_snapshot(index)) == 2


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


def test_no_writer_where_no_index_is_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        Writer(tmp_path / "none", create=False)
    assert list(tmp_path.iterdir()) == []


# Snapshots beside writers.


def test_a_snapshot_answers_from_its_state_while_writers_commit(three: Path) -> None:
    old = open_snapshot(three)
    scores = dict(old.postings("BriefTitle", "lupus"))
    assert old.is_current()
    with Writer(three) as writer:
        writer.delete(ONE)
        for number in range(20, 60):
            key = f"NCT{number:08d}"
            writer.put(key, study(key, BriefTitle="lupus many", StartDate="2020-01-01"))
            if number % 10 == 0:
                writer.commit()
                assert not old.is_current() and len(old) == 3
    # What it had not read yet is there too.
    assert set(keyed(old, old.postings("BriefTitle", "devic"))) == {TWO}
    assert old.postings("BriefTitle", "many") == {} and dict(old.postings("BriefTitle", "lupus")) == scores
    doc = old.find(ONE)
    assert (
        doc is not None
        and old.study(doc)["protocolSection"]["identificationModule"]["briefTitle"] == "lupus drug"
    )
    assert old.column("StartDate")[doc] == 734534.0
    new = open_snapshot(three)
    assert len(new) == 42 and new.find(ONE) is None and new.is_current()
    old.close()
    new.close()


def test_eight_threads_on_one_snapshot(tmp_path: Path) -> None:
    words = ["lupus", "asthma", "gout", "drug", "device"]
    titles = {
        f"NCT{number:08d}": f"{words[number % 5]} {words[number % 3]} t{number}" for number in range(120)
    }
    index = make_index(tmp_path / "index", [study(key, BriefTitle=title) for key, title in titles.items()])
    snapshot = open_snapshot(index)
    stems = {"device": "devic"}
    start = threading.Barrier(8)

    def ask(seed: int) -> list[str]:
        start.wait()
        wrong = []
        for turn in range(60):
            word = words[(seed + turn) % 5]
            term = stems.get(word, word)
            docs = snapshot.postings("BriefTitle", term)
            expected = {key for key, title in titles.items() if word in title.split()}
            if set(keyed(snapshot, docs)) != expected:
                wrong.append(word)
            for doc, places in list(snapshot.positions("BriefTitle", term, frozenset(docs)).items()):
                title = titles[snapshot.key(doc)].split()
                if [title[place] for place in places] != [word] * len(places):
                    wrong.append(f"{word} at {places}")
            number = (seed * 37 + turn) % 120
            doc = snapshot.find(f"NCT{number:08d}")
            if (
                doc is None
                or snapshot.study(doc)["protocolSection"]["identificationModule"]["briefTitle"]
                != titles[f"NCT{number:08d}"]
            ):
                wrong.append(f"record {number}")
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert [wrong for found in pool.map(ask, range(8)) for wrong in found] == []
    snapshot.close()


# What verify finds.


def altered(index: Path, monkeypatch: pytest.MonkeyPatch, alter: Callable[[Document], Document]) -> list[str]:
    """Write a second trial with a document that is not its record's, and return what verify says."""
    make_index(index, [study(ONE, BriefTitle="sound")])
    right = Document.of
    with monkeypatch.context() as patched:
        patched.setattr(storage.Document, "of", staticmethod(lambda node: alter(right(node))))
        with Writer(index) as writer:
            writer.put(
                TWO,
                study(
                    TWO,
                    BriefTitle="lupus nephritis",
                    Phase=["PHASE1"],
                    Condition=["Gout"],
                    StartDate="2012-02",
                ),
            )
    return verify(index)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("BriefTitle", lambda document: document.text.update(BriefTitle=["nephritis lupus"])),
        ("BriefTitle", lambda document: document.text.update(BriefTitle=["lupus nephritis x"])),
        ("BriefTitle", lambda document: document.text.pop("BriefTitle")),
        ("Acronym", lambda document: document.text.update(Acronym=["MADEUP"])),
        ("Phase", lambda document: document.codes.update(Phase=["PHASE2"])),
        ("ConditionName", lambda document: document.names.update(ConditionName=["asthma\tAsthma"])),
        ("StartDate", lambda document: document.numbers.update(StartDate=1.0)),
        ("StartDateLast", lambda document: document.numbers.pop("StartDateLast")),
        ("EnrollmentCount", lambda document: document.numbers.update(EnrollmentCount=3)),
    ],
)
def test_verify_finds_what_is_not_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, change: Callable[[Document], Any]
) -> None:
    def alter(document: Document) -> Document:
        change(document)
        return document

    lines = altered(tmp_path / "index", monkeypatch, alter)
    assert len(lines) == 1 and lines[0].startswith(f"{TWO}: ") and f"{field} " in lines[0]


def test_verify_finds_a_wrong_record_and_a_trial_that_stands_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path / "index", [study(ONE, BriefTitle="sound")])
    with monkeypatch.context() as patched:
        patched.setattr(storage, "pack", lambda node: pack(study(THREE, BriefTitle="other")))
        with Writer(index) as writer:
            writer.put(TWO, study(TWO, BriefTitle="lupus"))
    lines = verify(index)
    assert f"{TWO}: the stored record has another id" in lines
    assert any("BriefTitle" in line for line in lines) and all(line.startswith(TWO) for line in lines)
    twice = make_index(tmp_path / "twice", [study(ONE)])
    with monkeypatch.context() as patched:
        patched.setattr(Snapshot, "find_key", lambda self, key: None)
        with Writer(twice) as writer:
            writer.put(ONE, study(ONE))
    assert [line for line in verify(twice) if "more than once" in line]


def test_verify_of_a_sound_index(three: Path, corpus_index: Path) -> None:
    assert verify(three) == [] and verify(corpus_index) == []


# Damage.


def test_no_index(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(IndexMissing, match="trialsearch index"):
            open_snapshot(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', "\udc80", "null"])
def test_a_damaged_manifest_names_the_remedy(three: Path, text: str) -> None:
    (three / "trialsearch.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(IndexDamaged, match="--rebuild"):
        open_snapshot(three)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, None, "1"])
def test_another_schema_version_is_never_misread(three: Path, version: Any) -> None:
    (three / "trialsearch.json").write_text(json.dumps({"schema": version}))
    for attempt in (open_snapshot, Writer, verify):
        with pytest.raises(IndexDamaged, match=r"another version.*--rebuild"):
            attempt(three)


def ask_all(index: Path) -> None:
    snapshot = open_snapshot(index)
    try:
        for doc in snapshot.docs():
            snapshot.study(doc)
            snapshot.key(doc)
        for term, _ in snapshot.terms("BriefTitle"):
            snapshot.positions("BriefTitle", term, frozenset(snapshot.postings("BriefTitle", term)))
        snapshot.column("StartDate")
    finally:
        snapshot.close()


@pytest.mark.parametrize("suffix", [".seg", ".toc"])
def test_a_cut_or_lost_file_is_named_as_damage(three: Path, tmp_path: Path, suffix: str) -> None:
    (name,) = (path.name for path in three.iterdir() if path.suffix == suffix)
    whole = (three / name).read_bytes()
    for size in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        damaged = tmp_path / f"cut{size}"
        shutil.copytree(three, damaged)
        (damaged / name).write_bytes(whole[:size])
        try:
            ask_all(damaged)
        except TrialError as error:
            assert isinstance(error, IndexDamaged) and str(damaged) in str(error)
        else:
            assert size > 8, "an empty file passed for an index"
    (three / name).unlink()
    with pytest.raises(IndexDamaged):
        ask_all(three)


def test_a_stored_record_that_cannot_be_read() -> None:
    for data in (b"", b"x", pack(study(ONE))[:-3], pack([]), b"\0" * 50):  # type: ignore[arg-type]
        with pytest.raises(IndexDamaged, match="rebuild"):
            unpack(data)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec=None), max_size=5),
        st.recursive(
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters())
            ),
            lambda below: st.lists(below, max_size=3),
            max_leaves=4,
        ),
        max_size=4,
    )
)
def test_a_record_comes_back_as_it_was(node: dict[str, Any]) -> None:
    assert unpack(pack(node)) == node
    assert list(unpack(pack(node))) == list(node)
