"""Segments against plain dictionaries: runs, deletions and merges in any order, and the policy of merging."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshot_helpers import PIECES, STEPS, Model, key_of, made, tiny_limits
from trialindex.segments import bounds, doc_ids, merging
from trialindex.segments.arrays import ArrayFile
from trialindex.segments.doc_ids import Layout
from trialindex.segments.merging import policy
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify


@settings(max_examples=40, deadline=None)
@given(STEPS, st.booleans(), st.sampled_from([1, 5_000, 1 << 20]))
def test_any_steps_of_a_writer_answer_as_plain_dictionaries_do(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], merge: bool, memory: int
) -> None:
    steps_hold(tmp_path_factory.mktemp("steps") / "index", steps, merge, memory)


def steps_hold(index: Path, steps: list[Any], merge: bool, memory: int) -> None:
    """Do steps, and assert that the index is as plain dictionaries are; then merge all, and look again."""
    model = Model()
    with tiny_limits():
        with Writer(index, memory=memory, merge=merge) as writer:
            for step in steps:
                model.step(writer, step)
        model.check(index)
        assert verify(index) == []
        with Writer(index) as writer:
            writer.merge()
        model.check(index)
        assert verify(index) == []


def test_merging_by_hand(tmp_path: Path) -> None:
    """Documents keep their order, the deleted ones go, and nothing but the merged segment is left."""
    index, model = tmp_path / "index", Model()
    with Writer(index, merge=False) as writer:
        for number in range(6):
            model.step(writer, (number, {"BriefTitle": f"lupus t{number}", "Condition": ["a", "b"]}))
            if number % 2:
                model.step(writer, "commit")
        model.step(writer, (1, None))
        model.step(writer, (4, {"BriefTitle": "lupus again"}))
        assert writer.segments == [(1, 2), (2, 2), (2, 2)]
        model.step(writer, "commit")
        assert writer.segments == [(1, 2), (2, 2), (1, 2), (1, 1)]
        model.check(index)
        model.step(writer, "merge")
        assert writer.segments == [(5, 5)]
    model.check(index)
    assert sorted(path.suffix for path in index.iterdir() if path.suffix not in {".lock", ".json"}) == [
        ".seg"
    ]


def test_a_merged_segment_is_what_one_run_writes(tmp_path: Path) -> None:
    """Array by array; the parts have patterns in another order, and terms of their own."""
    texts = ["lupus gout", "gout gout asthma", "lupus", "asthma il-2 lupus lupus", "zoster", "lupus gout"]
    with tiny_limits():
        for name, parts in (("one", 6), ("two", 3), ("three", 1)):
            with Writer(tmp_path / name, merge=False) as writer:
                for number, text in enumerate(texts):
                    pieces = {"BriefTitle": text, "Condition": text.split(), "LocationCountry": ["France"]}
                    writer.put(key_of(number), made(number, number, pieces))
                    if number % parts == parts - 1:
                        writer.commit()
            with Writer(tmp_path / name) as writer:
                writer.merge()
        one, two, three = (
            ArrayFile(next((tmp_path / name).glob("*.seg"))) for name in ("one", "two", "three")
        )
        for other in (two, three):
            assert other.names() == one.names() and other.meta == one.meta
            assert [name for name in one.names() if other.get(name).tolist() != one.get(name).tolist()] == []


def test_sites_of_merged_segments_are_those_of_the_kept_documents(tmp_path: Path) -> None:
    """Segments of documents with sites, without any, and of which all sites are deleted."""
    index = tmp_path / "index"
    points = [[(1.5, 2.5), (3.0, 4.0)], [], [(5.0, 6.0)], [(-7.0, -8.0)], [], [], [(9.0, 10.0)], [(0.0, 0.1)]]
    with Writer(index, merge=False) as writer:
        for number, held in enumerate(points):
            places = [{"lat": latitude, "lon": longitude} for latitude, longitude in held]
            writer.put(key_of(number), made(number, number, {"LocationPoint": places}))
            if number % 2:
                writer.commit()
        for number in (0, 6, 7):
            writer.delete(key_of(number))
    with tiny_limits():
        before = sites_of(index)
        with Writer(index) as writer:
            writer.merge()
        assert before == ([0, 2, 2, 3, 4, 4, 4], [1.5, 3.0, 5.0, -7.0], [2.5, 4.0, 6.0, -8.0])
        assert sites_of(index) == ([0, 0, 1, 2, 2, 2], [5.0, -7.0], [6.0, -8.0])
        with Writer(index) as writer:
            for number in (2, 3):
                writer.delete(key_of(number))
            writer.merge()
        assert sites_of(index) == ([0, 0, 0, 0], [], [])
        assert verify(index) == []
    (segment,) = index.glob("*.seg")
    assert not [name for name in ArrayFile(segment).names() if name.startswith("sites")]


def sites_of(index: Path) -> tuple[list[Any], ...]:
    """Return what a snapshot says of sites, as lists."""
    snapshot = open_snapshot(index)
    try:
        assert snapshot.sites() is snapshot.sites()
        return tuple(array.tolist() for array in snapshot.sites()[:3])
    finally:
        snapshot.close()


def test_all_deleted_leaves_no_segment(tmp_path: Path) -> None:
    index, model = tmp_path / "index", Model()
    with Writer(index) as writer:
        for step in [(1, {"BriefTitle": "lupus"}), "commit", (1, None), "commit"]:
            model.step(writer, step)
        assert writer.segments == []
    model.check(index)
    assert verify(index) == []
    with Writer(index) as writer:
        writer.merge()
        model.step(writer, (2, {"BriefTitle": "lupus"}))
    model.check(index)


# The policy.

SIZES = st.lists(st.integers(1, 100_000).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))))


@given(SIZES)
def test_what_is_merged_is_there_once_and_merging_ends(documents: list[tuple[int, int]]) -> None:
    rounds = 0
    while chosen := policy(documents):
        assert chosen == sorted(set(chosen)) and set(chosen) <= set(range(len(documents)))
        live, size = documents[chosen[0]]
        assert len(chosen) >= 8 or (len(chosen) == 1 and live < 0.75 * size)
        merged = sum(documents[place][0] for place in chosen)
        documents = [one for place, one in enumerate(documents) if place not in chosen] + [(merged, merged)]
        rounds += 1
    assert rounds <= len(documents) + len(chosen) + 200
    tiers = [next(tier for tier in range(9) if live <= 1000 * 8**tier) for live, _ in documents]
    assert all(tiers.count(tier) < 8 for tier in tiers)
    assert all(live >= 0.75 * size for live, size in documents)


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=400))
def test_a_document_is_written_again_once_a_tier(sizes: list[int]) -> None:
    """By adding segments one by one: what a commit costs stays small, and segments few."""
    # Of each segment: how often each stretch of its documents was written, and how many they are.
    held: list[list[tuple[int, int]]] = []
    for size in sizes:
        held.append([(0, size)])
        while chosen := policy([(sum(n for _, n in one),) * 2 for one in held]):
            parts = [held[place] for place in chosen]
            held = [one for place, one in enumerate(held) if place not in chosen]
            low = sum(n for part in parts for _, n in part) <= 1000
            # In the lowest tier a segment may be written again: it is cheap.
            held.insert(chosen[0], [(times + (not low), n) for part in parts for times, n in part])
        total = sum(n for one in held for _, n in one)
        tiers = next(tier for tier in range(9) if total <= 1000 * 8**tier) + 1
        assert len(held) <= 7 * tiers
        assert max(times for one in held for times, _ in one) <= tiers


def test_what_a_full_tier_becomes_may_fill_the_next() -> None:
    small, large = (1000, 1000), (8000, 8000)
    assert policy([large] * 7 + [small] * 8) == list(range(15))
    assert policy([large] * 7 + [(999, 999)] * 8) == list(range(15))
    assert policy([large] * 7 + [(1000, 1000)] * 7 + [(1000, 1400)]) == [14]
    assert policy([(64_000, 64_000)] * 7 + [large] * 7 + [small] * 8) == list(range(22))
    # Eight tiny ones are no reason to write seven large ones again.
    assert policy([large] * 7 + [(10, 10)] * 8) == list(range(7, 15))
    assert policy([]) == [] and policy([(0, 0)] * 7) == []


def test_many_small_commits_never_write_the_large_segment_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_SMALLEST", 50)
    index, model = tmp_path / "index", Model()
    with tiny_limits():
        with Writer(index) as writer:
            for number in range(60):
                model.step(writer, (number, {"Acronym": "a"}))
        large = [path.name for path in index.glob("*.seg")]
        with Writer(index) as writer:
            for number in range(2000, 2100):
                model.step(writer, (number, {"Acronym": "b"}))
                model.step(writer, "commit")
                assert len(writer.segments) <= 10
        assert set(large) < {path.name for path in index.glob("*.seg")}
        model.check(index, ("Acronym",))


# What does not fit into the narrow arrays, and bounds over segments of other lengths.


@pytest.mark.parametrize("documents", [4, 100_000, 1 << 24, 1 << 25])
def test_counts_positions_and_sums_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, documents: int
) -> None:
    """More than 255 occurrences in a document, positions beyond 65,535, sums beyond 65,535; documents as
    segments of so many have them.
    """
    layout = Layout(documents)
    monkeypatch.setattr(doc_ids, "_layout", lambda documents: layout)
    index, model = tmp_path / "index", Model()
    title = " ".join(["lupus", *["asthma"] * 700, "lupus"])
    long = " ".join(["gout"] * 65_534 + ["lupus", "asthma", "lupus", "b"])
    with Writer(index, merge=False) as writer:
        for number, pieces in enumerate(
            [
                {"BriefTitle": title, "Condition": ["asthma " * 254, "asthma"]},
                {"DetailedDescription": long, "BriefTitle": "lupus"},
                {"BriefTitle": "asthma " * 255},
                {"BriefTitle": "asthma " * 256, "BriefSummary": "asthma " * 655},
            ]
        ):
            model.step(writer, (number, pieces))
            if number != 1:
                model.step(writer, "commit")
    areas = (*bounds.BOUNDED, "Everywhere", "BriefTitle", "DetailedDescription")
    model.check(index, areas)
    assert verify(index) == []
    with Writer(index) as writer:
        writer.merge()
    model.check(index, areas)
    assert verify(index) == []


@pytest.mark.parametrize("lengths", [(1, 40), (40, 1), (0, 5), (5, 0), (0, 0), (3, 30, 300)])
def test_bounds_hold_over_segments_of_other_lengths(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """Length 0: the only words stand in lists, which count none."""
    index, model = tmp_path / "index", Model()
    with tiny_limits():
        with Writer(index, merge=False) as writer:
            for part, length in enumerate(lengths):
                for number in range(40):
                    words = {"LocationCity": ["lupus"] * (1 + number % 4)}
                    if length:
                        words["BriefTitle"] = "lupus " * (1 + number % 3) + "b " * (length * (number % 7))
                    model.step(writer, (100 * part + number, words))
                model.step(writer, "commit")
        model.check(index, ("BasicSearch", "TitleSearch", "LocationSearch"))
        with Writer(index) as writer:
            writer.merge()
        model.check(index, ("BasicSearch", "TitleSearch", "LocationSearch"))


def test_bounds_of_the_lists_of_random_corpora(tmp_path: Path) -> None:
    """Long lists with the limits that hold outside of tests, over three segments."""
    index, model = tmp_path / "index", Model()
    random = np.random.default_rng(7)
    with Writer(index, merge=False) as writer:
        for number in range(900):
            counts = random.integers(0, 5, 3) * (random.random(3) < 0.8)
            words = " ".join(["lupus"] * counts[0] + ["b"] * counts[1] * (1 + number // 300))
            model.step(writer, (number, {"BriefTitle": words, "BriefSummary": "lupus b " * counts[2]}))
            if number % 300 == 299:
                model.step(writer, "commit")
    model.check(index, ("BasicSearch", "TitleSearch"))


@settings(max_examples=15, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6), st.lists(PIECES, max_size=6))
def test_a_finished_segment_is_adopted(
    tmp_path_factory: pytest.TempPathFactory, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    """Its trials take the place of those with the same id, those in memory included."""
    folder = tmp_path_factory.mktemp("adopted")
    model = Model()
    with tiny_limits():
        with Writer(folder / "aside") as aside, Writer(folder / "index") as writer:
            for number, pieces in enumerate(second):
                model.step(writer, (number, pieces))
            for number, pieces in enumerate(first):
                model.step(aside, (number, pieces))
            aside.commit()
            (made,) = (folder / "aside").glob("*.seg")
            writer.adopt(made)
            assert not made.exists() and writer.uncommitted
        model.check(folder / "index")
        assert verify(folder / "index") == []
