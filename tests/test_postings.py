"""Postings by hand: what is written, what is read back, bounds, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snapshot_helpers import check_bounds
from trialindex.errors import IndexDamaged
from trialindex.fields import FIELD_NUMBERS, area_weights
from trialindex.segments import bounds as module
from trialindex.segments import postings as reading
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.bounds import BOUNDED, Postings, joined, norms
from trialindex.segments.postings import Chunk, PostingsReader, PostingsWriter

TITLE, CITY, TEXT = (FIELD_NUMBERS[name] for name in ("BriefTitle", "LocationCity", "DetailedDescription"))
# term -> [(document, field number, position)]
Places = Mapping[bytes, list[tuple[int, int, int]]]


def chunk_of(places: Places) -> Chunk:
    docs = [sorted({doc for doc, _, _ in held}) for held in places.values()]
    counts = [
        [sum(doc == one for doc, _, _ in held) for one in own]
        for own, held in zip(docs, places.values(), strict=True)
    ]
    every = [place for held in places.values() for place in sorted(held)]
    return Chunk(
        list(places),
        np.array([len(own) for own in docs], np.int64),
        np.array([doc for own in docs for doc in own], np.uint32),
        np.array([count for own in counts for count in own], np.uint32),
        np.array([field for _, field, _ in every], np.uint8),
        np.array([position for _, _, position in every], np.uint32),
    )


def written(
    path: Path, *parts: Places, documents: int = 10, lengths: dict[str, list[int]] | None = None
) -> PostingsReader:
    given = lengths or {}
    with ArrayWriter(path) as writer:
        out = PostingsWriter(
            writer,
            documents,
            {area: np.array(given.get(area, [100] * documents), np.uint32) for area in BOUNDED},
        )
        for part in parts:
            out.append(chunk_of(part))
        out.finish()
    return PostingsReader(ArrayFile(path), documents)


@pytest.fixture(params=[1, 1000])
def bound_from(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every list bounded, and none."""
    monkeypatch.setattr(module, "BOUND_FROM", request.param)


@pytest.mark.usefixtures("bound_from")
def test_a_list_by_hand(tmp_path: Path) -> None:
    held = written(
        tmp_path / "one.seg",
        {b"gout": [(2, TITLE, 0)], b"lupus": [(0, TITLE, 0), (0, TITLE, 3), (3, TEXT, 7), (5, CITY, 1)]},
        {b"zoster": [(9, CITY, 0), (9, CITY, 2), (9, TITLE, 1)]},
    )
    title = area_weights("BasicSearch")["BriefTitle"]
    city = area_weights("BasicSearch")["LocationCity"]
    found = held.postings(1, "BasicSearch", 100.0)
    assert found.docs.tolist() == [0, 5] and found.sums.tolist() == [2 * title, city]
    assert held.postings(2, "BasicSearch", 100.0).sums.tolist() == [2 * city + title]
    assert held.postings(1, "DetailedDescription", 100.0).docs.tolist() == [3]
    assert held.postings(0, "LocationSearch", 100.0).docs.tolist() == []
    assert [held.frequency(ordinal) for ordinal in range(3)] == [1, 3, 1]
    assert [held.size(ordinal) for ordinal in range(3)] == [1, 4, 3]
    assert held.documents(1).tolist() == [0, 3, 5]
    places = held.occurrences(1)
    assert places.docs.tolist() == [0, 0, 3, 5] and places.positions.tolist() == [0, 3, 7, 1]
    assert places.fields.tolist() == [TITLE, TITLE, TEXT, CITY]
    some = held.occurrences(1, np.array([1, 3, 4, 5, 9], np.uint32))
    assert (some.docs.tolist(), some.positions.tolist()) == ([3, 5], [7, 1])
    assert [chunk.terms for chunk in held.chunks(4)] == [[b"gout"], [b"lupus"], [b"zoster"]]
    assert [chunk.terms for chunk in held.chunks(5)] == [[b"gout", b"lupus"], [b"zoster"]]


def test_occurrences_are_counted_up_to_every_64th_posting(tmp_path: Path) -> None:
    """One, two, three, one, two, three: six in each three postings."""
    parts: list[Places] = [
        {b"%d" % term: [(doc, TITLE, at) for doc in range(30) for at in range((30 * term + doc) % 3 + 1)]}
        for term in range(5)
    ]
    held = written(tmp_path / "one.seg", *parts, documents=30)
    sums = ArrayFile(tmp_path / "one.seg").get("postings.occurrences", np.uint32)
    assert sums.tolist() == [0, 21 * 6 + 1, 42 * 6 + 1 + 2, 50 * 6]
    assert sum(len(chunk.positions) for chunk in held.chunks(7)) == 300
    changed = {"postings.occurrences": u32(0, 127, 254, 300)}
    wrong = rewritten(tmp_path / "one.seg", documents=30, **changed)
    with pytest.raises(IndexDamaged, match="sums of occurrences are not those of its postings"):
        list(wrong.chunks(7))


def test_which_lists_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND_FROM", 3)
    held = written(
        tmp_path / "one.seg",
        {b"few": [(1, TITLE, 0), (1, TITLE, 1)], b"some": [(1, TEXT, 0), (2, TEXT, 0), (3, CITY, 0)]},
    )
    assert held.bounded() == [1] and held.area_frequency(0, "BasicSearch") is None
    # In an area in which it does not stand, too: an empty list is an answer.
    assert held.area_frequency(1, "BasicSearch") == 1 and held.area_frequency(1, "TitleSearch") == 0
    assert held.area_frequency(1, "LocationSearch") is None
    assert len(held.postings(1, "TitleSearch", 1.0).docs) == 0


def test_long_lists_are_kept_as_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND_FROM", 1)
    monkeypatch.setattr(module, "LISTED_FROM", 10)
    monkeypatch.setattr(module, "LISTED_SHARE", 5)
    weights = area_weights("BasicSearch")
    title, city = weights["BriefTitle"], weights["LocationCity"]
    often = [(4, TITLE, place) for place in range((1 << 16) // title + 1)]
    held = written(
        tmp_path / "one.seg",
        {
            b"gout": [(2, TITLE, 0)],
            b"lupus": [(0, TITLE, 0), (0, TITLE, 4), (3, CITY, 7), (5, TEXT, 1)],
            b"often": [*often, (5, CITY, 0)],
        },
    )
    # Of ten documents a fifth has `lupus` in the area; `gout` is in fewer, and a sum of `often` is too great.
    assert ArrayFile(tmp_path / "one.seg").get("area.BasicSearch.docs", np.uint32).tolist() == [0, 3]
    found = held.postings(1, "BasicSearch", held.mean("BasicSearch"))
    assert (found.docs.tolist(), found.sums.tolist()) == ([0, 3], [2 * title, city])
    assert held.postings(0, "BasicSearch", 1.0).docs.tolist() == [2]
    assert held.postings(2, "BasicSearch", 1.0).sums.tolist() == [len(often) * title, city]
    # Other areas have no lists of their own.
    assert held.postings(1, "TitleSearch", 1.0).docs.tolist() == [0]
    written(tmp_path / "small.seg", {b"lupus": [(0, TITLE, 0), (3, CITY, 7)]}, documents=9)
    assert not ArrayFile(tmp_path / "small.seg").has("area.BasicSearch.docs")


@pytest.mark.parametrize("kept", [0, 2, 1000])
def test_lists_are_the_same_however_many_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(reading, "_KEPT", kept)
    held = written(
        tmp_path / "one.seg",
        {b"gout": [(2, TITLE, 0), (2, TITLE, 9)], b"lupus": [(0, TITLE, 4), (3, CITY, 7), (5, TITLE, 1)]},
    )
    for _ in range(2):
        assert held.postings(0, "BriefTitle", 1.0).docs.tolist() == [2]
        assert held.postings(1, "BriefTitle", 1.0).docs.tolist() == [0, 5]
        assert held.occurrences(0).positions.tolist() == [0, 9]
        assert held.occurrences(1, u32(3, 4, 5)).positions.tolist() == [7, 1]
        assert held.occurrences(1, u32(0)).fields.tolist() == [TITLE]
    assert sum(len(docs) for _, docs in held._lists.values()) <= max(kept, 3)


def test_no_terms_at_all(tmp_path: Path) -> None:
    held = written(tmp_path / "none.seg", {}, documents=0)
    assert len(held.terms) == 0 and list(held.chunks(5)) == [] and held.bounded() == []
    assert held.reach(0, 5) == 0


def test_terms_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="order"):
        written(tmp_path / "one.seg", {b"b": [(1, TITLE, 0)]}, {b"a": [(1, TITLE, 0)]})
    assert list(tmp_path.iterdir()) == []


def test_what_bm25f_says_of_length() -> None:
    """k1 * (1 - b + b * length / mean), with k1 = 1.2 and b = 0.75."""
    found = norms(np.array([0, 100, 400], np.uint32), 200.0)
    assert found == pytest.approx([1.2 * 0.25, 1.2 * (0.25 + 0.75 / 2), 1.2 * (0.25 + 0.75 * 2)])
    assert norms(np.array([0, 0], np.uint32), 0.0).tolist() == [np.float32(1.2)] * 2


def long_list(path: Path, lengths: list[int], counts: list[int]) -> PostingsReader:
    """One term, so often in the title of each document."""
    places = {b"lupus": [(doc, TITLE, at) for doc, count in enumerate(counts) for at in range(count)]}
    return written(
        path,
        places,
        documents=len(counts),
        lengths={area: [100 * one for one in lengths] for area in BOUNDED},
    )


@pytest.mark.parametrize("mean", [0.0, 1.0, 300.0, 700.0, 5000.0])
def test_bounds_hold_for_any_mean_length(tmp_path: Path, mean: float) -> None:
    random = np.random.default_rng(3)
    lengths = random.integers(0, 15, 1000).tolist()
    counts = random.integers(1, 4, 1000).tolist()
    held = long_list(tmp_path / "one.seg", lengths, counts)
    found = held.postings(0, "TitleSearch", mean)
    assert found.block_starts is not None and len(found.block_starts) == -(-1000 // 128)
    assert found.best is not None and len(found.best) == 64
    tf = found.sums / 100
    saturated = tf / (tf + norms(np.array(lengths, np.uint32) * np.uint32(100), mean).astype(np.float64))
    check_bounds(saturated, found)


def test_the_best_are_the_best(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    lengths = random.permutation(1000).tolist()
    held = long_list(tmp_path / "one.seg", lengths, [1] * 1000)
    found = held.postings(0, "TitleSearch", held.mean("TitleSearch"))
    assert found.best is not None
    # Of documents with the same frequency, the shortest.
    assert sorted(lengths[place] for place in found.best.tolist()) == list(range(64))
    tf, norm = 0.95, 1.2 * (0.25 + 0.75 * 64 / (999 / 2))
    assert found.rest == pytest.approx(tf / (tf + norm), rel=1e-5)
    assert found.highest == pytest.approx(tf / (tf + 1.2 * 0.25), rel=1e-5)


def test_bounds_of_lists_whose_documents_have_no_length(tmp_path: Path) -> None:
    """Beside a segment with lengths, what counted as average counts as short."""
    held = long_list(tmp_path / "one.seg", [0] * 300, [1] * 300)
    for mean in (0.0, 500.0):
        found = held.postings(0, "TitleSearch", mean)
        norm = 1.2 if mean == 0 else 1.2 * 0.25
        check_bounds(np.full(300, 0.95 / (0.95 + norm)), found)


def listed(docs: list[int], **bounds: Any) -> Postings:
    return Postings(np.array(docs, np.uint32), np.array([100] * len(docs), np.uint32), **bounds)


def test_lists_of_several_segments_joined() -> None:
    long = listed(
        [0, 2, 4],
        highest=0.7,
        block_starts=np.array([0, 2]),
        block_highest=np.array([0.7, 0.5], np.float32),
        best=np.array([0]),
        rest=0.6,
    )
    short = listed([1], highest=0.8)
    none = listed([])
    assert joined([(0, short)]) is short and joined([(7, short)]).docs.tolist() == [8]
    plain = joined([(0, short), (5, short)])
    assert plain.docs.tolist() == [1, 6] and plain.block_starts is None and plain.highest == 0.8
    found = joined([(0, short), (10, none), (20, long), (30, short)])
    assert found.docs.tolist() == [1, 20, 22, 24, 31] and found.highest == 1.0  # nothing is known of none
    assert found.block_starts is not None and found.block_starts.tolist() == [0, 1, 3, 4]
    assert found.block_highest is not None and found.best is not None
    assert found.block_highest.tolist() == pytest.approx([0.8, 0.7, 0.5, 0.8])
    assert found.best.tolist() == [0, 1, 4] and found.rest == 0.6


# What no writer writes: directories by hand, all checksums right.


def rewritten(path: Path, documents: int = 10, **changed: Any) -> PostingsReader:
    """Write a file again with some arrays changed (None: left out), and open it."""
    file = ArrayFile(path)
    with ArrayWriter(path.with_name("changed.seg")) as writer:
        writer.meta.update(file.meta)
        writer.meta.update(changed.pop("meta", {}))
        for name in file.names():
            array = changed.get(name, file.get(name))
            if array is not None:
                writer.put(name, np.asarray(array))
    return PostingsReader(ArrayFile(path.with_name("changed.seg")), documents)


def u32(*values: int) -> Any:
    return np.array(values, np.uint32)


@pytest.mark.parametrize(
    "changed",
    [
        {"postings.docs.sizes": np.array([1, 9], np.uint8)},
        {"postings.docs.sizes": np.array([0, 3], np.uint8)},
        {"postings.docs.sizes": np.array([3], np.uint8)},
        {"postings.docs.sizes": np.array([1.0, 2.0])},
        {"postings.docs.sizes.starts": u32(1, 3)},
        {"postings.docs.places": u32(1, 3)},
        {"postings.docs": None},
        {"postings.docs": np.array([0, 1, 2], np.int32)},
        {"postings.docs": np.array([0, 1, 99], np.uint8)},
        {"postings.patterns": np.array([0, 0, 0], np.uint8)},
        {"postings.patterns": np.array([0, 0, 9], np.uint8)},
        {"postings.patterns": np.array([0, 0], np.uint8)},
        {"patterns.sizes": np.array([0, 3], np.uint8)},
        {"patterns.fields": np.array([1, 2, 3], np.uint16)},
        {"occurrences.sizes": np.array([1, 255], np.uint8)},
        {"occurrences.sizes": np.array([2, 2], np.uint8)},
        {"occurrences.sizes.starts": u32(0, 1 << 31)},
        {"postings.occurrences": None},
        {"postings.occurrences": u32(0)},
        {"postings.occurrences": u32(0, 5)},
        {"postings.occurrences": u32(1, 4)},
        {"postings.occurrences": u32(0, 0, 4)},
        {"postings.occurrences": np.array([0, 4], np.uint16)},
        {"occurrences.positions": np.array([1.0, 2.0, 3.0, 4.0])},
        {"occurrences.positions": np.array([1, 2, 3], np.uint8)},
        {"terms.sizes": np.array([9, 3], np.uint8)},
        {"area.terms": None},
        {"area.terms": u32(0)},
        {"area.terms": u32(0, 1, 5)},
        {"area.BasicSearch.frequencies": u32(1, 9)},
        {"area.BasicSearch.blocks.offsets": u32(0, 9, 9)},
        {"area.BasicSearch.best.offsets": u32(0, 9, 9)},
        {"area.BasicSearch.highest": np.array([1.0, 1.0])},
        {"area.BasicSearch.docs": u32(1, 1)},
        {"area.BasicSearch.docs": np.array([1, 1, 2], np.uint16)},
        {"area.BasicSearch.sums": np.array([1, 1], np.uint16)},
        {"area.BasicSearch.docs.offsets": u32(0, 1)},
        {"area.BasicSearch.docs.offsets": u32(0, 9, 3)},
        {"area.BasicSearch.docs.offsets": u32(0, 3, 3)},
        {"meta": {"area.BasicSearch.mean": "much"}},
        {"meta": {"area.BasicSearch.mean": None}},
    ],
    ids=str,
)
def test_what_no_writer_writes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, "BOUND_FROM", 1)
    monkeypatch.setattr(module, "LISTED_FROM", 1)
    path = tmp_path / "one.seg"
    written(path, {b"gout": [(1, TITLE, 0)], b"lupus": [(1, TITLE, 1), (2, TITLE, 0), (2, TEXT, 5)]})
    with pytest.raises((IndexDamaged, IndexError, ValueError, TypeError)):
        held = rewritten(path, **changed)
        for ordinal in range(2):
            held.occurrences(ordinal)
            held.occurrences(ordinal, u32(1, 2))
            held.postings(ordinal, "LocationSearch", 10.0)
            held.postings(ordinal, "BasicSearch", 10.0)
        for _ in held.chunks(2):
            pass


def test_a_list_has_a_pattern_for_each_document(tmp_path: Path) -> None:
    path = tmp_path / "one.seg"
    written(path, {b"gout": [(1, TITLE, 0)], b"lupus": [(1, TITLE, 1), (2, TITLE, 0)]})
    # The second list would begin where the patterns end.
    held = rewritten(path, **{"postings.docs.sizes.starts": u32(2, 3)})
    with pytest.raises(IndexDamaged):
        held.postings(1, "BriefTitle", 1.0)


@pytest.mark.parametrize("name", ["postings.patterns", "occurrences.positions", "occurrences.sizes"])
def test_wider_numbers_that_are_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "BOUND_FROM", 1)
    written(tmp_path / "one.seg", {b"lupus": [(1, TITLE, 1), (2, TEXT, 0)]})
    file = ArrayFile(tmp_path / "one.seg")
    with ArrayWriter(tmp_path / "more.seg") as writer:
        writer.meta.update(file.meta)
        for held in file.names():
            writer.put(held, file.get(held))
        writer.put(f"{name}.16", np.array([], np.uint16))
        writer.put(f"{name}.ranks", np.array([0, 1], np.uint32))
    with pytest.raises(IndexDamaged, match=name):
        PostingsReader(ArrayFile(tmp_path / "more.seg"), 10).postings(0, "BasicSearch", 1.0)
