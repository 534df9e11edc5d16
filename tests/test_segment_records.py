"""Stored records come back byte by byte, from blocks of their own or copied ones; damage is reported."""

from __future__ import annotations

import gzip
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments import records as module
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.records import Block, Packer, Records, RecordWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def packed(held: list[bytes]) -> list[Block]:
    packer = Packer()
    return [block for record in held for block in packer.add(record)] + packer.finish()


def written(path: Path, held: list[bytes]) -> Records:
    return copied(path, *packed(held))


def copied(path: Path, *blocks: Block) -> Records:
    with ArrayWriter(path) as writer:
        records = RecordWriter(writer)
        for block in blocks:
            records.append_block(block)
        records.finish()
    return Records(ArrayFile(path))


def whole(records: Records) -> list[bytes]:
    return [records[doc] for doc in range(len(records))]


@repeated
@given(
    sizes=st.lists(st.sampled_from([0, 1, 50, 4000, 30_000, 65_536, 65_537, 200_000]), max_size=60),
    asked=st.lists(st.integers(0, 59), max_size=60),
)
def test_records_come_back(tmp_path: Path, sizes: list[int], asked: list[int]) -> None:
    held = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    records = written(tmp_path / "x.seg", held)
    assert len(records) == len(held)
    assert whole(records) == held
    for doc in asked:
        if doc < len(held):
            assert records[doc] == held[doc]


def test_a_block_holds_sixteen_records_or_64_kilobytes(tmp_path: Path) -> None:
    assert blocks_of(written(tmp_path / "x.seg", [b"x"] * 40)) == [(0, 16), (16, 16), (32, 8)]
    assert blocks_of(written(tmp_path / "x.seg", [bytes(30_000)] * 5)) == [(0, 2), (2, 2), (4, 1)]
    assert blocks_of(written(tmp_path / "x.seg", [b"x", bytes(70_000), b"x"])) == [(0, 1), (1, 1), (2, 1)]
    assert blocks_of(written(tmp_path / "x.seg", [])) == []


def blocks_of(records: Records) -> list[tuple[int, int]]:
    return [(first, len(block.lengths)) for first, block in records.blocks()]


@pytest.mark.parametrize(
    ("held", "full"),
    [([b"x"] * 8, True), ([b"x"] * 7, False), ([bytes(32_768)], True), ([bytes(32_767)], False)],
)
def test_a_block_half_full_is_worth_copying(held: list[bytes], full: bool) -> None:
    assert [block.full for block in packed(held)] == [full]


def test_blocks_are_copied_as_they_lie(tmp_path: Path) -> None:
    held = [b"%d" % number * 9 for number in range(40)]
    source = written(tmp_path / "x.seg", held)
    blocks = [block for _, block in source.blocks()]
    records = copied(tmp_path / "y.seg", *packed([b"first"]), *blocks, *packed([b"last"]))
    assert whole(records) == [b"first", *held, b"last"]
    assert [block.frame for _, block in records.blocks()][1:-1] == [block.frame for block in blocks]


def test_documents_outside_are_refused(tmp_path: Path) -> None:
    records = written(tmp_path / "x.seg", [b"x"])
    for doc in (-1, 1):
        with pytest.raises(IndexError, match=f"no record {doc} among 1"):
            records[doc]


def test_a_record_larger_than_any_may_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RECORD", 100_000)
    assert whole(written(tmp_path / "x.seg", [bytes(100_000)])) == [bytes(100_000)]
    with pytest.raises(ValueError, match="a record of 100001 bytes; none may have more than 100000"):
        packed([bytes(100_001)])


def lengths(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.array(values, np.uint32)


def frame(data: bytes, *, size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=size).compress(data)


@pytest.mark.parametrize(
    "block",
    [
        Block(b"", lengths(1)),
        Block(b"no frame", lengths(1)),
        Block(frame(b"xyz"), lengths(2)),  # larger than stated
        Block(frame(b"xyz"), lengths(4)),
        Block(frame(b"xyz"), lengths(2**32 - 1)),
        Block(frame(b"xyz", size=False), lengths(3)),
        Block(frame(b"xyz") + b"more", lengths(3)),
        Block(frame(b"xyz")[:-1], lengths(3)),
        Block(frame(bytes(1 << 20)), lengths(1 << 19, 1 << 19)),  # more than a block of two may hold
        Block(frame(b"xyz").replace(b"xyz", b"xy"), lengths(3)),
    ],
)
def test_a_hostile_block_is_reported(tmp_path: Path, block: Block) -> None:
    good = Block(frame(b"abc"), lengths(1, 2))
    records = copied(tmp_path / "x.seg", good, block)
    assert [records[0], records[1]] == [b"a", b"bc"]
    with pytest.raises(IndexDamaged, match=r"^x\.seg is damaged \(block 1 of its stored records cannot be"):
        records[2]


def test_a_frame_that_unfolds_without_end_costs_no_memory(tmp_path: Path) -> None:
    block = Block(frame(bytes(1 << 29)), lengths(1 << 29))
    assert len(block.frame) < 1 << 16
    with pytest.raises(IndexDamaged, match="block 0"):
        copied(tmp_path / "x.seg", block)[0]


@pytest.mark.parametrize(
    ("offsets", "firsts"),
    [([], []), ([0], [0, 3]), ([0, 1], [0, 3]), ([0, 9], [0, 2]), ([9], [0])],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, offsets: list[int], firsts: list[int]) -> None:
    with pytest.raises(IndexDamaged, match="the parts of its stored records do not fit"):
        forged(tmp_path / "x.seg", offsets, firsts)


def forged(path: Path, offsets: list[int], firsts: list[int]) -> Records:
    with ArrayWriter(path) as writer:
        writer.put("records.blocks", np.zeros(9, np.uint8))
        writer.put("records.offsets", np.array(offsets, np.uint64))
        writer.put("records.firsts", np.array(firsts, np.uint32))
        writer.put("records.lengths", np.array([1, 1, 1], np.uint32))
    return Records(ArrayFile(path))


@pytest.mark.parametrize(
    ("offsets", "firsts"),
    [
        ([0, 5, 9], [0, 9, 3]),
        ([0, 5, 9], [2, 1, 3]),
        ([0, 2**63, 9], [0, 2, 3]),
        ([0, 4, 9], [3, 3, 3]),
        ([9], [3]),
    ],
)
def test_blocks_that_go_astray_are_reported(tmp_path: Path, offsets: list[int], firsts: list[int]) -> None:
    records = forged(tmp_path / "x.seg", offsets, firsts)
    for doc in range(3):
        with pytest.raises(IndexDamaged, match=r"x\.seg is damaged"):
            records[doc]


def test_threads_share_the_records(tmp_path: Path) -> None:
    held = [b"%d" % number * 99 for number in range(400)]
    records = written(tmp_path / "x.seg", held)
    seen: list[bool] = []

    def read(step: int) -> None:
        seen.append(all(records[doc] == held[doc] for doc in range(0, 400, step)))

    threads = [threading.Thread(target=read, args=(step,)) for step in (1, 3, 7, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    held = [b'{"phase":%d}' % number for number in range(20)]
    written(tmp_path / "x.seg", held)

    def read(file: ArrayFile) -> None:
        records = Records(file)
        for doc in range(20):
            records[doc]

    hurt(tmp_path / "x.seg", read)


@needs_shared
def test_real_records_take_a_third_of_their_size(tmp_path: Path) -> None:
    with gzip.open(SHARED / "eval" / "records.jsonl.gz") as file:
        held = [line.rstrip(b"\n") for line in itertools.islice(file, 2000)]
    records = written(tmp_path / "x.seg", held)
    assert whole(records) == held
    assert (tmp_path / "x.seg").stat().st_size < sum(map(len, held)) / 3
