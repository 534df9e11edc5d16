"""A dictionary of terms answers as a sorted list of them does, and says so where it is damaged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.terms import Terms, TermWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
# Few letters, so that many terms share their first eight bytes, zeros and the greatest byte among them.
words = st.lists(st.sampled_from([b"a", b"b", b"\0", b"\xff", b"interleukin", "µ".encode()]), max_size=6).map(
    b"".join
)


def written(path: Path, *pieces: Sequence[bytes]) -> ArrayFile:
    with ArrayWriter(path) as writer:
        terms = TermWriter(writer, "t")
        for piece in pieces:
            terms.append(piece)
        terms.finish()
    return ArrayFile(path)


def every(terms: Terms) -> list[bytes]:
    return [terms[ordinal] for ordinal in range(len(terms))]


@repeated
@given(
    held=st.sets(words, max_size=120).map(sorted),
    asked=st.lists(words, max_size=10),
    cut=st.integers(0, 120),
)
@example(held=[], asked=[b"", b"a"], cut=0)
@example(held=[b""], asked=[b"", b"\0"], cut=1)
@example(held=sorted(b"interleukin%d" % number for number in range(70)), asked=[b"interleukin7"], cut=17)
def test_it_answers_as_a_sorted_list(tmp_path: Path, held: list[bytes], asked: list[bytes], cut: int) -> None:
    file = written(tmp_path / "x.seg", held[:cut], held[cut:])
    terms = Terms(file, "t")
    assert file.check() == []
    assert len(terms) == len(held)
    assert every(terms) == held
    assert [terms.find(term) for term in held] == list(range(len(held)))
    assert terms.slice(0, len(held)) == held
    low, high = sorted((min(cut, len(held)), len(held) // 2))
    assert terms.slice(low, high) == held[low:high]
    for term in asked:
        place = bisect_left(held, term)
        assert terms.find(term) == (held.index(term) if term in held else -1)
        beginning = [ordinal for ordinal, other in enumerate(held) if other.startswith(term)]
        assert list(range(*terms.range(term))) == beginning
        assert terms.range(term)[0] == place


@pytest.mark.parametrize("pieces", [[[b"b", b"a"]], [[b"a", b"a"]], [[b"a"], [b"a"]], [[b"b"], [b"a", b"c"]]])
def test_terms_out_of_order_are_refused(tmp_path: Path, pieces: list[list[bytes]]) -> None:
    with pytest.raises(ValueError, match="the terms of 't' are not in ascending order"):
        written(tmp_path / "x.seg", *pieces)
    assert list(tmp_path.iterdir()) == []


def test_ordinals_outside_are_refused(tmp_path: Path) -> None:
    terms = Terms(written(tmp_path / "x.seg", [b"a", b"b"]), "t")
    for ordinal in (-1, 2):
        with pytest.raises(IndexError, match=f"no term {ordinal} among 2"):
            terms[ordinal]
    for low, high in ((-1, 1), (1, 3), (2, 1)):
        with pytest.raises(IndexError, match=f"no terms {low} to {high} among 2"):
            terms.slice(low, high)


def test_the_arrays_are_as_described(tmp_path: Path) -> None:
    file = written(tmp_path / "x.seg", [b"%02d" % number for number in range(17)])
    assert file.get("t.sizes", np.uint8).tolist() == [2] * 17
    assert file.get("t.sizes.starts", np.uint32).tolist() == [0, 32, 34]
    assert file.get("t.heads", np.uint64).tolist() == [0x3030 << 48, 0x3136 << 48]
    assert file.get("t.bytes", np.uint8)[:4].tobytes() == b"0001"


def test_terms_of_more_bytes_than_a_byte_tells(tmp_path: Path) -> None:
    held = [b"a" * size for size in (1, 254, 255, 256, 70_000)]
    terms = Terms(written(tmp_path / "x.seg", held), "t")
    assert every(terms) == held == terms.slice(0, 5)
    assert [terms.find(term) for term in held] == [0, 1, 2, 3, 4]
    assert terms.find(b"a" * 257) == -1 and terms.range(b"a" * 255) == (2, 5)


@pytest.mark.parametrize(
    ("sizes", "starts", "heads"),
    [
        ([], [], []),
        ([], [0], []),
        ([1], [0, 1], [0]),
        ([3], [0, 3], []),
        ([3], [0, 3], [0, 0]),
        ([3], [3], [0]),
        ([3], [0, 0, 3], [0]),
        ([1, 1, 1], [0, 4], [0]),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, sizes: list[int], starts: list[int], heads: list[int]
) -> None:
    with pytest.raises(IndexDamaged, match=r"x\.seg is damaged \(the parts of .* do not fit together"):
        Terms(forged(tmp_path / "x.seg", sizes, starts, heads), "t")


def forged(path: Path, sizes: list[int], starts: list[int], heads: list[int]) -> ArrayFile:
    with ArrayWriter(path) as writer:
        writer.put("t.bytes", np.frombuffer(b"abc", np.uint8))
        writer.put("t.sizes", np.array(sizes, np.uint8))
        writer.put("t.sizes.starts", np.array(starts, np.uint64))
        writer.put("t.heads", np.array(heads, np.uint64))
    return ArrayFile(path)


@pytest.mark.parametrize(
    ("sizes", "start"), [([1, 200, 1], 0), ([255, 0, 0], 0), ([1, 1, 1], 9), ([1, 1, 1], 2**63)]
)
def test_sizes_that_lead_astray_are_reported(tmp_path: Path, sizes: list[int], start: int) -> None:
    terms = Terms(forged(tmp_path / "x.seg", sizes, [start, 3], [0]), "t")
    with pytest.raises(IndexDamaged, match="leads nowhere"):
        every(terms)
    with pytest.raises((IndexDamaged, OverflowError)):
        terms.slice(0, 3)
    for term in (b"", b"a", b"b", b"zz"):
        with suppress(IndexDamaged):
            found, (low, high) = terms.find(term), terms.range(term)
            assert -1 <= found < 3 and 0 <= low <= high <= 3


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    held = [b"interleukin%02d" % number for number in range(40)]

    def read(file: ArrayFile) -> None:
        terms = Terms(file, "t")
        for term in (b"", b"interleukin", held[20], b"z"):
            terms.find(term)
            terms.range(term)
        terms.slice(0, len(terms))
        every(terms)

    written(tmp_path / "x.seg", held)
    hurt(tmp_path / "x.seg", read)
