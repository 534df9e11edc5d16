"""A file of arrays: what was put comes back, every damage is found, a write that fails leaves nothing."""

from __future__ import annotations

import errno
import gc
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segment_helpers import FailingDisk, failures, hurt, sealed
from trialindex.errors import IndexDamaged
from trialindex.segments import arrays as module
from trialindex.segments import disk
from trialindex.segments.arrays import ArrayFile, ArrayWriter, narrowest, spread, starts_of, wide
from trialindex.segments.disk import write_whole

DTYPES = ("<u1", "<u2", "<u4", "<u8", "<i4", "<i8", "<f4", "<f8")
repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def small(path: Path) -> Path:
    with ArrayWriter(path) as writer:
        writer.put("a", np.array([1, 2, 300], np.uint16))
        writer.put("none", np.empty(0, np.float32))
        writer.put("b", np.arange(20, dtype=np.int64))
        writer.meta["size"] = 3
    return path


def read_all(file: ArrayFile) -> dict[str, Any]:
    return {name: file.get(name).tolist() for name in file.names()}


@repeated
@given(
    held=st.dictionaries(
        st.text(max_size=8),
        st.sampled_from(DTYPES).flatmap(lambda d: arrays(d, st.integers(0, 40))),
        max_size=6,
    ),
    meta=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
)
def test_what_was_put_comes_back(tmp_path: Path, held: dict[str, Any], meta: dict[str, Any]) -> None:
    held = {name.encode("utf-8", "ignore").decode(): array for name, array in held.items()}
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.meta.update(meta)
        for name, array in held.items():
            writer.put(name, array)
    file = ArrayFile(tmp_path / "x.seg")
    assert file.names() == list(held)
    assert file.meta == meta
    assert file.check() == []
    assert file.size == (tmp_path / "x.seg").stat().st_size
    for name, array in held.items():
        assert file.get(name).dtype == array.dtype
        assert file.get(name).tobytes() == array.tobytes()


@repeated
@given(pieces=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 255), max_size=30)), max_size=20))
def test_streams_may_be_written_in_turns(tmp_path: Path, pieces: list[tuple[int, list[int]]]) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        streams = [writer.stream(f"s{number}", dtype) for number, dtype in enumerate(("<u1", "<i8", "<f4"))]
        for number, values in pieces:
            streams[number].append(values)
        streams[1].close()
        writer.put("after", np.array([7], np.uint8))
    file = ArrayFile(tmp_path / "x.seg")
    assert file.check() == []
    for number in range(3):
        expected = [value for of, values in pieces if of == number for value in values]
        assert file.get(f"s{number}").tolist() == expected
    assert file.get("after").tolist() == [7]


def test_streams_larger_than_memory_go_through_temporary_files(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        large, other = writer.stream("large", np.uint32), writer.stream("other", np.uint16)
        for number in range(5):
            large.append(np.full(200_000, number, np.uint32))
            other.append(np.full(200_000, number, np.uint16))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x.seg.0.part", "x.seg.1.part"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.seg"]
    file = ArrayFile(tmp_path / "x.seg")
    assert file.check() == []
    assert np.array_equal(file.get("large"), np.repeat(np.arange(5), 200_000))
    assert np.array_equal(file.get("other"), np.repeat(np.arange(5), 200_000))


def test_a_file_lies_as_it_is_described(tmp_path: Path) -> None:
    whole = small(tmp_path / "x.seg").read_bytes()
    offset, length, crc, magic = struct.unpack("<QQI8s", whole[-28:])
    assert (whole[:8], magic) == (b"TRIALSEG", b"TRIALSEG")
    assert whole[64:70] == b"\x01\x00\x02\x00\x2c\x01"
    assert whole[128:144] == bytes(8) + b"\x01" + bytes(7)
    directory = whole[offset : offset + length]
    assert zlib.crc32(directory) == crc
    assert directory.decode() == (
        '{"version":1,"meta":{"size":3},"arrays":{'
        f'"a":{{"dtype":"<u2","offset":64,"count":3,"crc32":{zlib.crc32(whole[64:70])}}},'
        '"none":{"dtype":"<f4","offset":128,"count":0,"crc32":0},'
        f'"b":{{"dtype":"<i8","offset":128,"count":20,"crc32":{zlib.crc32(whole[128:288])}}}}}}}'
    )
    assert ArrayFile(tmp_path / "x.seg").digest == crc


def test_arrays_are_read_only_and_of_the_dtypes_asked(tmp_path: Path) -> None:
    file = ArrayFile(small(tmp_path / "x.seg"))
    with pytest.raises(ValueError, match="read-only"):
        file.get("a")[0] = 1
    assert file.get("a", np.uint8, np.uint16).tolist() == [1, 2, 300]
    with pytest.raises(
        IndexDamaged, match=r"^x\.seg is damaged \(its array 'a' is of uint16\): build the index"
    ):
        file.get("a", np.uint32)
    assert file.has("a") and not file.has("A")
    with pytest.raises(IndexDamaged, match="no array 'A'"):
        file.get("A")


@pytest.mark.parametrize(
    "array",
    [np.array([True]), np.array([1], ">u4"), np.array(["x"]), np.array([1], np.int16), np.array([None])],
)
def test_other_dtypes_are_refused(tmp_path: Path, array: Any) -> None:
    with (
        pytest.raises(ValueError, match="arrays are one of <u1, "),
        ArrayWriter(tmp_path / "x.seg") as writer,
    ):
        writer.put("a", array)
    with pytest.raises(ValueError, match="arrays are one of"), ArrayWriter(tmp_path / "x.seg") as writer:
        writer.stream("a", array.dtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("values", [[256], [-1], [0.5], [float("nan")], [[1, 2]], [2**40]])
def test_a_stream_refuses_values_that_its_dtype_does_not_hold(tmp_path: Path, values: list[Any]) -> None:
    with (
        pytest.raises(ValueError, match=r"does not hold|dimensions"),
        ArrayWriter(tmp_path / "x.seg") as writer,
    ):
        writer.stream("a", np.uint8).append(values)
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_given_once(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        stream = writer.stream("a", np.uint8)
        writer.put("b", np.zeros(1, np.uint8))
        for name in "ab":
            with pytest.raises(ValueError, match=f"two arrays '{name}'"):
                writer.put(name, np.zeros(1, np.uint8))
            with pytest.raises(ValueError, match=f"two arrays '{name}'"):
                writer.stream(name, np.uint8)
        stream.close()
        stream.close()
        with pytest.raises(ValueError, match="complete"):
            stream.append([1])
    assert read_all(ArrayFile(tmp_path / "x.seg")) == {"b": [0], "a": []}


@pytest.mark.parametrize(
    ("greatest", "dtype"),
    [(0, "u1"), (255, "u1"), (256, "u2"), (65535, "u2"), (65536, "u4"), (2**32 - 1, "u4"), (2**32, "u8")],
)
def test_the_narrowest_dtype(greatest: int, dtype: str) -> None:
    assert narrowest(greatest) == np.dtype(dtype)


def test_starts_and_stretches() -> None:
    assert starts_of(np.array([], np.uint8)).tolist() == [0]
    assert starts_of(np.array([200, 0, 100], np.uint8)).tolist() == [0, 200, 200, 300]
    assert spread(np.array([], np.int64), np.array([], np.int64)).tolist() == []
    assert spread(np.array([5, 9, 0]), np.array([2, 0, 1], np.uint8)).tolist() == [5, 6, 0]
    assert (wide((1 << 32) - 1), wide(1 << 32)) == (np.dtype("<u4"), np.dtype("<u8"))


@repeated
@given(
    pieces=st.lists(arrays("<u4", st.integers(0, 40)), max_size=6), chunk=st.sampled_from([7, 64, 1 << 20])
)
def test_what_waits_beside_the_file_comes_back_and_is_no_part_of_it(
    tmp_path: Path, pieces: list[Any], chunk: int
) -> None:
    """Pieces that are read back may end within a value."""
    with pytest.MonkeyPatch.context() as patch, ArrayWriter(tmp_path / "x.seg") as writer:
        patch.setattr(module, "_CHUNK", chunk)
        kept, forgotten = writer.scratch(np.uint32), writer.scratch(np.uint8)
        for piece in pieces:
            kept.append(piece)
        forgotten.append(np.zeros(100, np.uint8))
        read = [value for piece in kept.pieces() for value in piece.tolist()]
        assert read == [value for piece in pieces for value in piece.tolist()]
        writer.put("a", np.array([1]))
    assert [path.name for path in tmp_path.iterdir()] == ["x.seg"]
    assert ArrayFile(tmp_path / "x.seg").names() == ["a"]


def test_what_waits_beside_a_file_that_is_not_completed_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 8)
    with pytest.raises(KeyError), ArrayWriter(tmp_path / "x.seg") as writer:
        writer.scratch(np.uint32).append(np.arange(100, dtype=np.uint32))
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_every_flip_and_every_truncation_is_found(tmp_path: Path) -> None:
    hurt(small(tmp_path / "x.seg"), read_all)


def test_swapped_sections_are_found(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("a", np.arange(16, dtype=np.uint32))
        writer.put("b", np.arange(16, 32, dtype=np.uint32))
    whole = (tmp_path / "x.seg").read_bytes()
    (tmp_path / "y.seg").write_bytes(whole[:64] + whole[128:192] + whole[64:128] + whole[192:])
    assert ArrayFile(tmp_path / "y.seg").check() == [
        "y.seg: the checksum of the array 'a' is wrong", "y.seg: the checksum of the array 'b' is wrong"
    ]  # fmt: skip


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "<u1", "offset": 64, "count": 64, "crc32": zlib.crc32(bytes(64))} | changes


def directory(*entries: Any) -> dict[str, Any]:
    return {"version": 1, "meta": {}, "arrays": {str(number): entry for number, entry in enumerate(entries)}}


def test_a_file_sealed_by_hand_is_read(tmp_path: Path) -> None:
    file = ArrayFile(sealed(tmp_path / "x.seg", directory(entry()), bytes(64)))
    assert file.get("0").tolist() == [0] * 64
    assert file.check() == []


@pytest.mark.parametrize(
    "stated",
    [
        b"", b"{", b"\xff\xfe", b"null", b"[]", b"[" * 100_000, b'{"version":' + b"9" * 5000 + b"}",
        {}, {"version": 2, "meta": {}, "arrays": {}}, {"version": 1, "meta": {}},
        {"version": 1, "arrays": {}}, {"version": 1, "meta": [], "arrays": {}},
        {"version": 1, "meta": {}, "arrays": []}, directory(None), directory([]), directory({}),
        directory(entry(dtype="|O")), directory(entry(dtype=1)),
        directory(entry(dtype=["<u1"])), directory(entry(dtype="<u16")), directory(entry(offset=-64)),
        directory(entry(offset=65)), directory(entry(offset=0)), directory(entry(offset=128, count=1)),
        directory(entry(offset=64.0)), directory(entry(offset=10**30)), directory(entry(offset="64")),
        directory(entry(count=65)), directory(entry(count=-1)), directory(entry(count=2**63)),
        directory(entry(count=2**64, dtype="<u8")), directory(entry(count=True)),
        directory(entry(count=None)),
        directory(entry(dtype="<u8", count=9)), directory(entry(crc32=None)), directory(entry(crc32=-1)),
        b" " * ((1 << 24) + 1),
    ],
    ids=lambda stated: str(stated)[:60],
)  # fmt: skip
def test_a_hostile_directory_is_refused(tmp_path: Path, stated: Any) -> None:
    with pytest.raises(IndexDamaged, match=r"^x\.seg is damaged \(.*\): build the index again$"):
        ArrayFile(sealed(tmp_path / "x.seg", stated, bytes(64)))


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        ([entry(count=63, crc32=zlib.crc32(bytes(63)))], []),
        ([entry(crc32=1)], ["x.seg: the checksum of the array '0' is wrong"]),
        ([entry(), entry()], ["x.seg: bytes 128 to 64 are no padding between two arrays"]),
        ([], ["x.seg: bytes 8 to 128 are no padding between two arrays"]),
    ],
)
def test_bytes_that_no_array_holds_are_reported(tmp_path: Path, entries: list[Any], lines: list[str]) -> None:
    assert ArrayFile(sealed(tmp_path / "x.seg", directory(*entries), bytes(64))).check() == lines


def test_what_is_no_file_of_arrays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ArrayFile(tmp_path / "x.seg")
    (tmp_path / "folder.seg").mkdir()
    with pytest.raises(IndexDamaged, match=r"folder\.seg"):
        ArrayFile(tmp_path / "folder.seg")
    (tmp_path / "text.seg").write_text("a text\n" * 100)
    with pytest.raises(IndexDamaged, match="does not begin as"):
        ArrayFile(tmp_path / "text.seg")


@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove files that are mapped")
def test_views_outlive_the_file_and_its_closing(tmp_path: Path) -> None:
    file = ArrayFile(small(tmp_path / "x.seg"))
    view = file.get("b")
    (tmp_path / "x.seg").unlink()
    assert file.get("a").tolist() == [1, 2, 300]
    file.close()
    file.close()
    gc.collect()
    assert view.tolist() == list(range(20))
    with pytest.raises(ValueError, match="closed"):
        file.get("a")


def test_a_new_file_never_changes_what_a_reader_mapped(tmp_path: Path) -> None:
    file = ArrayFile(small(tmp_path / "x.seg"))
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("b", np.zeros(20, np.int64))
    assert file.get("b").tolist() == list(range(20))
    assert ArrayFile(tmp_path / "x.seg").get("b").tolist() == [0] * 20


def test_threads_share_a_file(tmp_path: Path) -> None:
    file = ArrayFile(small(tmp_path / "x.seg"))
    seen: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: seen.append(read_all(file))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{"a": [1, 2, 300], "none": [], "b": list(range(20))}] * 8


def write_much(path: Path) -> None:
    with ArrayWriter(path) as writer:
        streams = [writer.stream(str(number), np.uint32) for number in range(2)]
        for _ in range(2):
            for stream in streams:
                stream.append(np.zeros(200_000, np.uint32))
        writer.put("b", np.zeros(400_000, np.uint32))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_write_that_fails_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    met = set()

    def work() -> None:
        for path in tmp_path.iterdir():
            path.unlink()
        write_much(tmp_path / "x.seg")

    for call in failures(monkeypatch, work, code):
        met.add(call)
        assert list(tmp_path.iterdir()) == [], call
    assert met == {"create", "write", "read", "remove", "fsync", "close", "sync_folder"}


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "DISK", FailingDisk(short=7))
    small(tmp_path / "x.seg")
    assert ArrayFile(tmp_path / "x.seg").check() == []
    monkeypatch.setattr(disk, "DISK", FailingDisk(short=0))
    with pytest.raises(OSError, match="wrote none"):
        small(tmp_path / "y.seg")
    assert [path.name for path in tmp_path.iterdir()] == ["x.seg"]


def test_leaving_by_an_exception_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ArrayWriter(tmp_path / "x.seg") as writer:
        writer.stream("a", np.uint8).append(np.zeros(3 << 20, np.uint8))
        writer.put("b", np.zeros(3 << 20, np.uint8))
        raise KeyError("b")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError), ArrayWriter(tmp_path / "x.seg") as writer:
        writer.meta["size"] = {1, 2}
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "toc.json"

    def work() -> None:
        path.write_bytes(b"old")
        write_whole(path, b"new")

    for call in failures(monkeypatch, work):
        assert [held.name for held in tmp_path.iterdir()] == ["toc.json"], call
        assert path.read_bytes() == (b"new" if call == "sync_folder" else b"old"), call
