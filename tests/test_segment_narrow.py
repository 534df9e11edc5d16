"""Small numbers in a byte each, and sizes of stretches, against plain lists."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments import narrow as module
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.narrow import Narrow, NarrowWriter
from trialindex.segments.sizes import Sizes, SizeWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
EDGES = (0, 1, 254, 255, 256, 65_534, 65_535, 65_536, 2**32 - 1)
numbers = st.lists(st.sampled_from(EDGES) | st.integers(0, 300), max_size=60)


def written(path: Path, *pieces: list[int]) -> Narrow:
    with ArrayWriter(path) as writer:
        made = NarrowWriter(writer, "n")
        for piece in pieces:
            made.append(np.array(piece, np.uint64))
        made.finish()
    return Narrow(ArrayFile(path), "n")


@repeated
@given(held=numbers, cut=st.integers(0, 60), every=st.sampled_from([1, 2, 7, 1024]), data=st.data())
@example(held=[255] * 5, cut=3, every=4, data=None)
@example(held=[2**32 - 1] * 9, cut=9, every=4, data=None)
def test_any_slice_and_any_choice_come_back(
    tmp_path: Path, held: list[int], cut: int, every: int, data: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EVERY", every)
        narrow = written(tmp_path / "x.seg", held[:cut], held[cut:])
        assert len(narrow) == len(held) and narrow[0 : len(held)].tolist() == held
        start = data.draw(st.integers(0, len(held))) if data else 1
        stop = data.draw(st.integers(start, len(held))) if data else len(held)
        assert narrow[start:stop].tolist() == held[start:stop] == narrow.listed(start, stop)
        table = np.arange(1 << 16, dtype=np.uint32) * 3
        few = [number for number in held[start:stop] if number >= 1 << 16]
        if not few:
            found = narrow.mapped(start, stop, table)
            assert found.tolist() == [3 * number for number in held[start:stop]]
        places = st.sets(st.integers(0, stop - start - 1)).map(sorted) if start < stop else st.just([])
        chosen = data.draw(places) if data else [0, 2]
        found = narrow.take(start, stop, np.array(chosen, np.int64))
        assert found.tolist() == [held[start + place] for place in chosen]


def test_the_planes_are_as_described(tmp_path: Path) -> None:
    written(tmp_path / "x.seg", [7, 255], [70_000] * 2 + [1] * 1022 + [300])
    file = ArrayFile(tmp_path / "x.seg")
    assert file.get("n", np.uint8).tolist() == [7, 255, 255, 255] + [1] * 1022 + [255]
    assert file.get("n.16", np.uint16).tolist() == [255, 65_535, 65_535, 300]
    assert file.get("n.32", np.uint32).tolist() == [70_000, 70_000]
    assert (file.get("n.ranks").tolist(), file.get("n.16.ranks").tolist()) == ([0, 3, 4], [0, 2])
    written(tmp_path / "y.seg", [254])
    assert ArrayFile(tmp_path / "y.seg").names() == ["n"]


def test_small_numbers_are_not_copied(tmp_path: Path) -> None:
    narrow = written(tmp_path / "x.seg", [1, 2, 255])
    assert narrow[0:2].base is not None and narrow[0:2].dtype == np.uint8


def test_numbers_beyond_32_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        written(tmp_path / "x.seg", [1 << 32])
    assert list(tmp_path.iterdir()) == []


def forged(path: Path, **changed: Any) -> ArrayFile:
    """Write [7, 255, 70,000, 300] with some arrays changed (None: left out)."""
    arrays = {
        "n": np.array([7, 255, 255, 255], np.uint8),
        "n.16": np.array([255, 65_535, 300], np.uint16),
        "n.32": np.array([70_000], np.uint32),
        "n.ranks": np.array([0, 3], np.uint32),
        "n.16.ranks": np.array([0, 1], np.uint32),
    }
    with ArrayWriter(path) as writer:
        for name, array in (
            arrays | {name.replace("_", "."): held for name, held in changed.items()}
        ).items():
            if array is not None:
                writer.put(name, np.asarray(array))
    return ArrayFile(path)


def test_what_a_hand_writes_is_read(tmp_path: Path) -> None:
    assert Narrow(forged(tmp_path / "x.seg"), "n")[0:4].tolist() == [7, 255, 70_000, 300]


@pytest.mark.parametrize(
    "changed",
    [
        {"n": np.array([7, 255, 255, 255], np.uint16)},
        {"n": None},
        {"n_16": None},
        {"n_32": None},
        {"n_16": np.array([255, 65_535], np.uint16)},
        {"n_32": np.array([70_000, 1], np.uint32)},
        {"n_ranks": np.array([0, 9], np.uint32)},
        {"n_ranks": np.array([3], np.uint32)},
        {"n_ranks": np.array([0, 3], np.int64)},
        {"n_16_ranks": np.array([0, 0], np.uint32)},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(IndexDamaged, match=r"x\.seg is damaged"):
        Narrow(forged(tmp_path / "x.seg", **changed), "n")


@pytest.mark.parametrize(
    "changed",
    [
        {"n_ranks": np.array([1, 3], np.uint32)},
        {"n_ranks": np.array([1 << 63, 3], np.uint64)},
        {"n": np.array([255, 255, 255, 255], np.uint8)},
        {"n_16": np.array([65_535, 65_535, 300], np.uint16)},
        {"n_16_ranks": np.array([1, 1], np.uint32)},
    ],
    ids=str,
)
def test_ranks_that_lead_nowhere_are_reported(tmp_path: Path, changed: dict[str, Any]) -> None:
    narrow = Narrow(forged(tmp_path / "x.seg", **changed), "n")
    for read in (
        lambda: narrow[0:4],
        lambda: narrow.listed(0, 4),
        lambda: narrow.take(0, 4, np.array([1, 2, 3])),
        lambda: narrow.mapped(0, 4, np.zeros(100_000, np.uint8)),
    ):
        with pytest.raises((IndexDamaged, IndexError, OverflowError)):
            read()


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    written(tmp_path / "x.seg", [7, 255, 70_000, 300])

    def read(file: ArrayFile) -> None:
        narrow = Narrow(file, "n")
        _ = narrow[0:4], narrow.listed(0, 4), narrow.take(0, 4, np.array([1, 2]))

    hurt(tmp_path / "x.seg", read)


# Sizes of stretches.


def sized(path: Path, held: list[int], cut: int = 0) -> Sizes:
    with ArrayWriter(path) as writer:
        made = SizeWriter(writer, "s")
        made.append(np.array(held[:cut], np.int64))
        made.append(np.array(held[cut:], np.int64))
        made.finish()
    return Sizes(ArrayFile(path), "s", sum(held))


@repeated
@given(
    held=st.lists(st.sampled_from([0, 1, 2, 254, 255, 256, 70_000]), max_size=60),
    cut=st.integers(0, 60),
    size=st.integers(0, 200_000),
)
@example(held=[1] * 16, cut=16, size=4)
@example(held=[1] * 33, cut=16, size=17)
def test_stretches_are_where_they_are(tmp_path: Path, held: list[int], cut: int, size: int) -> None:
    sizes = sized(tmp_path / "x.seg", held, cut)
    offsets = [0, *accumulate(held)]
    assert [sizes[number] for number in range(len(sizes))] == held
    assert [sizes.stretch(number) for number in range(len(held))] == list(pairwise(offsets))
    assert [sizes.start(number) for number in range(len(held) + 1)] == offsets
    for low in range(0, len(held), 7):
        high = min(len(held), low + 1 + cut)
        assert sizes.offsets(low, high).tolist() == offsets[low : high + 1]
        assert sizes.sizes(low, high).tolist() == held[low:high]
        fitting = [number for number in range(low, len(held) + 1) if offsets[number] <= offsets[low] + size]
        assert sizes.reach(low, size) == max(low + 1, fitting[-1])


def test_stretches_that_are_not_there_are_refused(tmp_path: Path) -> None:
    sizes = sized(tmp_path / "x.seg", [3, 4])
    for number in (-1, 2):
        with pytest.raises(IndexError, match=f"no stretch {number} among 2"):
            sizes.stretch(number)
        with pytest.raises(IndexError, match=f"no stretch {number} among 2"):
            sizes[number]
    for low, high in ((-1, 1), (1, 3), (2, 1)):
        with pytest.raises(IndexError, match=f"no stretches {low} to {high} among 2"):
            sizes.offsets(low, high)


@pytest.mark.parametrize("starts", [[], [7], [0, 6], [0, 7, 7], [0, 1 << 63]], ids=str)
def test_starts_that_do_not_fit_are_refused(tmp_path: Path, starts: list[int]) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("s", np.array([3, 4], np.uint8))
        writer.put("s.starts", np.array(starts, np.uint64))
    with pytest.raises(IndexDamaged, match="the parts of 's' do not fit together"):
        Sizes(ArrayFile(tmp_path / "x.seg"), "s", 7)


@pytest.mark.parametrize(("held", "start"), [([3, 4], 5), ([200, 4], 0), ([3, 255], 0), ([3, 4], 1 << 63)])
def test_stretches_that_lead_nowhere_are_reported(tmp_path: Path, held: list[int], start: int) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("s", np.array(held, np.uint8))
        writer.put("s.starts", np.array([start, 7], np.uint64))
    sizes = Sizes(ArrayFile(tmp_path / "x.seg"), "s", 7)
    with pytest.raises(IndexDamaged, match="leads nowhere"):
        sizes.stretch(1)
    with pytest.raises((IndexDamaged, OverflowError)):
        sizes.offsets(0, 2)
    with pytest.raises((IndexDamaged, OverflowError)):
        assert 0 < sizes.reach(0, 7) <= 2
        sizes.stretch(1)
