"""Lists of documents come back from every layout, and what no writer writes is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.doc_ids import Layout, Lists, ListWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
# Around the widths of the direct layout, and the sizes of pages.
SIZES = (1, 2, 254, 255, 256, 257, 510, 511, 5_000, 65_535, 65_536, 65_537, 131_070, 131_071, 200_000)


def array(docs: list[int]) -> Any:
    return np.array(docs, np.uint32)


def written(path: Path, documents: int, *pieces: list[list[int]]) -> Lists:
    with ArrayWriter(path) as writer:
        made = ListWriter(writer, "d", documents)
        for lists in pieces:
            every = [doc for docs in lists for doc in docs]
            made.append(np.array([len(docs) for docs in lists], np.int64), array(every))
        made.finish()
    return Lists(ArrayFile(path), "d", documents)


@st.composite
def collections(draw: st.DrawFn) -> tuple[int, list[list[int]]]:
    """Lists out of so many documents: few, some, in one page only, with pages between them empty, all."""
    documents = draw(st.sampled_from(SIZES))
    random = np.random.default_rng(draw(st.integers(0, 1000)))

    def docs(kind: str) -> list[int]:
        if kind == "all":
            return list(range(documents))
        if kind == "ends":
            return sorted({0, documents - 1})
        if kind == "page":
            start = int(random.integers(0, documents))
            return list(range(start, min(documents, start + 300)))
        if kind == "pages":
            return [doc for doc in range(documents) if doc // 65_535 % 2 == 0][:4000]
        size = int(random.integers(0, min(documents, 3000 if kind == "some" else 9) + 1))
        return sorted(random.choice(documents, size, replace=False).tolist())

    kinds = draw(
        st.lists(st.sampled_from(["few", "few", "some", "all", "ends", "page", "pages"]), max_size=20)
    )
    return documents, [docs(kind) for kind in kinds]


@repeated
@given(held=collections(), cut=st.integers(0, 20))
@example(held=(65_536, [list(range(65_536))]), cut=0)
@example(held=(65_535, [[0, 65_534], list(range(65_535))]), cut=1)
@example(held=(3 * 65_535, [list(range(65_535, 131_070)), [0, 196_604]]), cut=1)
def test_lists_come_back(tmp_path: Path, held: tuple[int, list[list[int]]], cut: int) -> None:
    documents, lists = held
    found = written(tmp_path / "x.seg", documents, lists[:cut], lists[cut:])
    assert len(found) == len(lists) and found.total == sum(map(len, lists))
    before = 0
    for number, docs in enumerate(lists):
        at, own = found.entry(number)
        assert at == before and own.dtype == np.uint32 and own.tolist() == docs
        before += len(docs)
    for low, high in ((0, len(lists)), (min(cut, len(lists)), len(lists)), (0, min(cut, len(lists)))):
        counts, docs = found.stretch(low, high)
        assert counts.tolist() == [len(one) for one in lists[low:high]]
        assert docs.tolist() == [doc for one in lists[low:high] for doc in one]


@repeated
@given(documents=st.sampled_from([0, *SIZES, 1 << 24, (1 << 24) + 1]), count=st.integers(0, 300_000))
def test_a_list_takes_the_fewest_bytes(documents: int, count: int) -> None:
    width = next(width for width in (1, 2, 3, 4) if documents <= 256**width)
    expected = min(width * count, 2 * -(-documents // 65_535) + 2 * count)
    layout = Layout(documents)
    assert layout.size(count) == layout.sizes(np.array([count]))[0] == expected


def test_the_bytes_are_as_described() -> None:
    assert Layout(600).encode(array([5, 599]), np.array([2])).tolist() == [5, 0, 599 - 512, 2]
    # 200,000 documents, four pages: direct in three bytes each, up to eight documents.
    layout, nine = Layout(200_000), [0, 1, 2, 3, 4, 5, 6, 65_535, 196_606]
    assert layout.encode(array([199_999]), np.array([1])).tolist() == [0x3F, 0x0D, 0x03]
    data = layout.encode(array(nine), np.array([9])).view("<u2").tolist()
    assert data == [7, 1, 0, 1, 0, 1, 2, 3, 4, 5, 6, 0, 196_606 - 3 * 65_535]


def test_lists_that_are_not_there_are_refused(tmp_path: Path) -> None:
    lists = written(tmp_path / "x.seg", 10, [[1], [2, 3]])
    for number in (-1, 2):
        with pytest.raises(IndexError, match=f"no list {number} among 2"):
            lists[number]
    with pytest.raises(IndexError, match="no stretches 1 to 3 among 2"):
        lists.stretch(1, 3)


TWO, NINE = [5, 199_999], [0, 1, 2, 3, 4, 5, 6, 65_535, 196_606]
BYTES = [5, 0, 0, 0x3F, 0x0D, 0x03]
COUNTS, WITHIN = [7, 1, 0, 1], [0, 1, 2, 3, 4, 5, 6, 0, 1]


def data_of(counts: list[int] = COUNTS, within: list[int] = WITHIN, direct: list[int] = BYTES) -> Any:
    return np.concatenate([np.array(direct, np.uint8), np.array(counts + within, "<u2").view(np.uint8)])


def forged(path: Path, **changed: Any) -> ArrayFile:
    """Write two lists out of 200,000 documents, two in 6 bytes and nine in pages, some arrays changed."""
    arrays = {
        "d": data_of(),
        "d.sizes": np.array([2, 9], np.uint8),
        "d.sizes.starts": np.array([0, 11], np.uint32),
        "d.places": np.array([0, 32], np.uint32),
    }
    with ArrayWriter(path) as writer:
        for name, held in (arrays | {key.replace("_", "."): value for key, value in changed.items()}).items():
            if held is not None:
                writer.put(name, np.asarray(held))
    return ArrayFile(path)


def test_what_a_hand_writes_is_read(tmp_path: Path) -> None:
    lists = Lists(forged(tmp_path / "x.seg"), "d", 200_000)
    assert [lists[0].tolist(), lists[1].tolist()] == [TWO, NINE]


@pytest.mark.parametrize(
    "changed",
    [
        {"d": None},
        {"d": np.zeros(32, np.uint16)},
        {"d": np.zeros(31, np.uint8)},
        {"d_sizes": None},
        {"d_sizes": np.zeros(20, np.uint8)},
        {"d_sizes_starts": np.array([], np.uint32)},
        {"d_places": np.array([0, 33], np.uint32)},
        {"d_places": np.array([32], np.uint32)},
        {"d_places": np.array([0, 32], np.int32)},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(IndexDamaged, match=r"x\.seg is damaged"):
        Lists(forged(tmp_path / "x.seg", **changed), "d", 200_000)


@pytest.mark.parametrize(
    "changed",
    [
        # Counts of pages that make more and fewer than the list has.
        {"d": data_of(counts=[7, 1, 1, 1])},
        {"d": data_of(counts=[7, 1, 0, 0])},
        {"d": data_of(counts=[65_535] * 4)},
        # Documents beyond the last one.
        {"d": data_of(within=[0, 1, 2, 3, 4, 5, 6, 0, 65_534])},
        {"d": data_of(direct=[5, 0, 0, 0x40, 0x0D, 0x03])},
        # Lists that begin after all of them, and that have more than there is.
        {"d_places": np.array([29, 32], np.uint32)},
        {"d_places": np.array([1 << 63, 32], np.uint64)},
        {"d_sizes": np.array([250, 250], np.uint8)},
    ],
    ids=str,
)
def test_lists_that_no_writer_writes_are_reported(tmp_path: Path, changed: dict[str, Any]) -> None:
    lists = Lists(forged(tmp_path / "x.seg", **changed), "d", 200_000)
    with pytest.raises(IndexDamaged, match=r"x\.seg is damaged \(the lists 'd'"):
        _ = lists[0], lists[1]
    with pytest.raises((IndexDamaged, OverflowError)):
        lists.stretch(0, 2)


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    written(tmp_path / "x.seg", 200_000, [TWO, NINE, [7]])

    def read(file: ArrayFile) -> None:
        lists = Lists(file, "d", 200_000)
        for number in range(len(lists)):
            assert all(doc < 200_000 for doc in lists[number].tolist())
        lists.stretch(0, len(lists))

    hurt(tmp_path / "x.seg", read)
