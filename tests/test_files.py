"""Files in all their wrappings: found, opened, decoded; and archives that are broken, hostile or odd."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest

from helpers import SHARED, needs_shared
from trialindex.errors import SourceError
from trialindex.formats import FORMATS, read_items, recognise, states
from trialindex.formats.files import Limits, SourceFile, TextStream, decode, repair, walk
from trialindex.formats.record import Item, Rejected, Skipped, SourceRecord
from trialindex.formats.zips import Member, members

SMALL = Limits(ratio=20, free=100_000)


def study(number: int) -> str:
    return json.dumps({"protocolSection": {"identificationModule": {"nctId": f"NCT{number:08d}"}}})


def zipped(entries: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def texts(path: Path, limits: Limits | None = None) -> list[tuple[str, str]]:
    """Every file that a walk finds, with its text; for one that is no file, what it is and why."""
    found = walk(path, limits) if limits else walk(path)
    return [
        (each.label, each.text())
        if isinstance(each, SourceFile)
        else (each.file, f"{type(each).__name__}: {each.reason}")
        for each in found
    ]


def ids(found: list[Item]) -> list[int]:
    modules = [
        item.study["protocolSection"]["identificationModule"]
        for item in found
        if isinstance(item, SourceRecord)
    ]
    return [int(module["nctId"][3:]) for module in modules]


def rejected(found: list[Item]) -> list[tuple[str, int, str]]:
    return [(item.file, item.number, item.reason) for item in found if isinstance(item, Rejected)]


# Finding


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    put(tmp_path, "top/b.txt", "2")
    put(tmp_path, "top/a/z.txt", "1")
    put(tmp_path, "top/c.zip", zipped({"y.txt": "3", "x/": "", "x/w.txt": "4"}))
    put(tmp_path, "top/d.gz", gzip.compress(b"5"))
    assert texts(tmp_path / "top") == [
        ("top/a/z.txt", "1"),
        ("top/b.txt", "2"),
        ("top/c.zip/y.txt", "3"),
        ("top/c.zip/x/w.txt", "4"),
        ("top/d.gz", "5"),
    ]


def test_hidden_files_are_passed_over_and_the_named_one_is_not(tmp_path: Path) -> None:
    data = zipped({"__MACOSX/a.txt": "no", ".hidden": "no", "x/.y/z.txt": "no", "seen.txt": "yes"})
    put(tmp_path, "top/.DS_Store", "no")
    put(tmp_path, "top/__MACOSX/._a.txt", "no")
    put(tmp_path, "top/data", data)
    assert texts(tmp_path / "top") == [("top/data/seen.txt", "yes")]
    assert texts(put(tmp_path, ".named", "yes")) == [(".named", "yes")]


def test_what_a_file_is_shows_in_its_bytes_and_not_in_its_name(tmp_path: Path) -> None:
    put(tmp_path, "top/a.txt", zipped({"in.txt": "1"}))
    put(tmp_path, "top/b.json", gzip.compress(b"2"))
    put(tmp_path, "top/c.zip", "3")
    assert texts(tmp_path / "top") == [("top/a.txt/in.txt", "1"), ("top/b.json", "2"), ("top/c.zip", "3")]


def test_archives_in_archives(tmp_path: Path) -> None:
    inner = zipped({"a.txt": "1", "b.gz": gzip.compress(gzip.compress(b"2"))})
    path = put(tmp_path, "o.zip", zipped({"i.zip": inner, "p.txt": "3"}, zipfile.ZIP_STORED))
    assert texts(path) == [("o.zip/i.zip/a.txt", "1"), ("o.zip/i.zip/b.gz", "2"), ("o.zip/p.txt", "3")]


def test_files_found_stay_good_after_the_walk(tmp_path: Path) -> None:
    inner = zipped({"a.txt": "1", "b.txt": "2"})
    path = put(tmp_path, "o.zip", zipped({"i.zip": inner, "p.txt": "3"}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [each for each in walk(path) if isinstance(each, SourceFile)]
        assert [each.text() for each in reversed(found)] == ["3", "2", "1"]
        assert [each.text() for each in found] == ["1", "2", "3"]
        del found


def test_two_streams_of_one_archive_do_not_disturb_each_other(tmp_path: Path) -> None:
    data = {"a": os.urandom(300_000), "b": os.urandom(300_000)}
    found = [
        each for each in walk(put(tmp_path, "o.zip", zipped(dict(data)))) if isinstance(each, SourceFile)
    ]
    with found[0].open() as first, found[1].open() as second:
        pairs = [(first.read(70_000), second.read(70_000)) for _ in range(5)]
    assert b"".join(a for a, _ in pairs) == data["a"]
    assert b"".join(b for _, b in pairs) == data["b"]


@pytest.mark.parametrize("source", [".", "..", "../top"])
def test_a_label_starts_with_the_name_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    put(tmp_path, "top/sub/a.txt", "1")
    monkeypatch.chdir(tmp_path / "top" / ("sub" if source == ".." else ""))
    assert texts(Path(source)) == [("top/sub/a.txt", "1")]


def test_links_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, "top/a.txt", "1")
    (tmp_path / "top" / "loop").symlink_to(tmp_path / "top")
    (tmp_path / "top" / "gone").symlink_to(tmp_path / "nothing")
    assert texts(tmp_path / "top") == [
        ("top/a.txt", "1"),
        ("top/gone", "Rejected: cannot be read: No such file or directory"),
    ]


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    os.mkfifo(tmp_path / "top" / "pipe")
    assert texts(tmp_path / "top") == [("top/pipe", "Skipped: not an ordinary file")]


def test_a_file_without_permission_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "top/a.txt", "1")
    put(tmp_path, "top/b.txt", "2")
    usual = Path.open

    def refuse(path: Path, *rest: str) -> object:
        if path.name == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return usual(path, *rest)

    monkeypatch.setattr(Path, "open", refuse)
    assert texts(tmp_path / "top") == [
        ("top/a.txt", "Rejected: cannot be read: Permission denied"),
        ("top/b.txt", "2"),
    ]


def test_a_path_that_is_not_there_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    for ask in (walk, read_items):
        with pytest.raises(SourceError, match=r"no file or folder 'nothing\.zip': check the path"):
            ask(tmp_path / "nothing.zip")


def test_empty_files_and_other_archives_are_skipped(tmp_path: Path) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.json"), io.BytesIO())
    put(tmp_path, "top/a.tar.gz", gzip.compress(tar.getvalue()))
    put(tmp_path, "top/b.xz", b"\xfd7zXZ\0rest")
    put(tmp_path, "top/c.txt", b"")
    put(tmp_path, "top/d.gz", gzip.compress(b""))
    put(tmp_path, "top/e.zip", zipped({}))
    assert texts(tmp_path / "top") == [
        ("top/a.tar.gz", "Skipped: a tar file, which is not read here: unpack it first"),
        ("top/b.xz", "Skipped: a xz file, which is not read here: unpack it first"),
        ("top/c.txt", "Skipped: empty"),
        ("top/d.gz", "Skipped: empty"),
        ("top/e.zip", "Skipped: an empty zip"),
    ]


def test_names_in_a_zip_are_only_labels(tmp_path: Path) -> None:
    path = put(tmp_path, "o.zip", zipped({"../../out.txt": "1", "/etc/x": "2", "a\x1b[2J.txt": "3"}))
    before = sorted(tmp_path.rglob("*"))
    assert texts(path) == [("o.zip/../../out.txt", "1"), ("o.zip//etc/x", "2"), ("o.zip/a�[2J.txt", "3")]
    assert sorted(tmp_path.rglob("*")) == before


# Zips


def test_a_zip_with_bytes_before_it_and_a_comment_after(tmp_path: Path) -> None:
    made = io.BytesIO(b"\0" * 100)
    made.seek(0, 2)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("é.txt", "1")
        archive.comment = b"PK\5\6 not the end" * 9
    handle = io.BytesIO(made.getvalue())
    assert [(member.name, member.offset) for member in members(handle)] == [("é.txt", 100)]


def test_a_wide_zip(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"1")
    assert texts(put(tmp_path, "o.zip", made.getvalue())) == [("o.zip/a.txt", "1")]
    # The same with the 64-bit end record, as more than 65,535 files need it.
    data = made.getvalue()
    end = data.rindex(b"PK\5\6")
    start = data.index(b"PK\1\2")
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, end - start, start)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    wide += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert texts(put(tmp_path, "w.zip", data[:end] + wide)) == [("w.zip/a.txt", "1")]


def test_more_files_than_sixteen_bits_count(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(65_600):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    assert sum(1 for _ in members(made)) == 65_600


class _Unseekable(io.RawIOBase):
    """A sink as a pipe is: the zip's lengths then stand behind each file."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += bytes(data)
        return len(data)


def test_lengths_that_stand_behind_the_files(tmp_path: Path) -> None:
    sink = _Unseekable()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for number in (1, 2, 3):
            archive.writestr(f"{number}.json", study(number))
    assert ids(list(read_items(put(tmp_path, "o.zip", sink.data)))) == [1, 2, 3]
    third = sink.data.index(b"3.json")
    cut = list(read_items(put(tmp_path, "c.zip", sink.data[:third])))
    assert ids(cut) == [1, 2]
    assert rejected(cut) == [("c.zip", 0, "the zip is cut off or damaged: its list of files is missing")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_cut_at_every_byte(tmp_path: Path, method: int) -> None:
    data = zipped({f"{number}.json": study(number) for number in (1, 2, 3)}, method)
    headers = [match.start() for match in re.finditer(b"PK\3\4", data)]
    ends = [*headers[1:], data.index(b"PK\1\2")]
    for cut in range(1, len(data)):
        found = list(read_items(put(tmp_path, "o.zip", data[:cut])))
        # The last bits of a packed file may be missing and its text still be whole.
        whole = sum(end <= cut for end in ends)
        assert ids(found) in (list(range(1, 1 + whole)), list(range(1, 2 + whole))), cut
        # Less than four bytes are no zip to see.
        assert cut < 4 or rejected(found), cut


def test_a_zip_whose_list_is_damaged(tmp_path: Path) -> None:
    data = bytearray(zipped({f"{number}.json": study(number) for number in (1, 2, 3)}))
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    data[second] = 0
    found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
    assert ids(found) == [1, 2, 3]
    assert rejected(found) == [("o.zip", 0, "the zip is damaged: its list of files breaks off")]


def test_a_wrong_checksum_costs_one_file(tmp_path: Path) -> None:
    data = bytearray(zipped({f"{number}.json": study(number) for number in (1, 2, 3)}, zipfile.ZIP_STORED))
    place = data.index(b"NCT00000002")
    data[place + 10] = ord("9")
    found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
    assert ids(found) == [1, 3]
    (wrong,) = [item for item in found if isinstance(item, Rejected)]
    assert (wrong.file, wrong.reason) == ("o.zip/2.json", "damaged: its checksum or length is wrong")
    assert "NCT00000009" in wrong.raw


def test_damaged_packed_bytes_cost_one_file(tmp_path: Path) -> None:
    data = bytearray(zipped({f"{number}.json": study(number) for number in (1, 2, 3)}))
    place = data.index(b"2.json") + 6
    data[place : place + 20] = b"\xff" * 20
    found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
    assert ids(found) == [1, 3]
    assert rejected(found) == [("o.zip/2.json", 0, "damaged: its packed bytes make no sense")]


def test_encrypted_and_oddly_packed_files_are_rejected(tmp_path: Path) -> None:
    data = bytearray(zipped({f"{number}.json": study(number) for number in (1, 2, 3)}))
    entries = [match.start() for match in re.finditer(b"PK\1\2", data)]
    data[entries[0] + 8] |= 1
    data[entries[1] + 10] = 9
    found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
    assert ids(found) == [3]
    assert rejected(found) == [
        ("o.zip/1.json", 0, "encrypted: unpack it with its password first"),
        ("o.zip/2.json", 0, "packed by method 9, which is not read here: pack it anew with deflate"),
    ]


def test_a_list_that_points_beside_the_files(tmp_path: Path) -> None:
    data = bytearray(zipped({f"{number}.json": study(number) for number in (1, 2)}))
    entry = data.index(b"PK\1\2")
    data[entry + 42] = 7
    found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
    assert ids(found) == [2]
    assert rejected(found) == [
        ("o.zip/1.json", 0, "the zip is damaged: no file where its list says there is one")
    ]


def test_every_byte_of_a_zip_may_be_wrong(tmp_path: Path) -> None:
    whole = zipped({"1.json": study(1), "i.zip": zipped({"2.json": study(2)})})
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 0xFF
        found = list(read_items(put(tmp_path, "o.zip", bytes(data))))
        assert found and set(ids(found)) <= {1, 2}


# Gzip


def test_gzip_parts_and_padding(tmp_path: Path) -> None:
    data = gzip.compress(b"a" * 100_000) + gzip.compress(b"b")
    assert texts(put(tmp_path, "a.gz", data + b"\0" * 70_000)) == [("a.gz", "a" * 100_000 + "b")]
    (file,) = walk(put(tmp_path, "b.gz", data + b"rest"))
    assert isinstance(file, SourceFile)
    with pytest.raises(SourceError, match="goes on with bytes that are no gzip"):
        file.text()


def test_a_gzip_cut_at_every_byte_gives_the_records_before_the_cut(tmp_path: Path) -> None:
    # Stored, not deflated: so that the place of each study in the file is known.
    lines = "".join(study(number) + "\n" for number in (1, 2, 3)).encode()
    data = gzip.compress(lines, compresslevel=0)
    start = data.index(lines)
    ends = [start + place + 1 for place in range(len(lines)) if lines.startswith(b"}\n", place)]
    for cut in range(3, len(data)):
        found = list(read_items(put(tmp_path, "a.json.gz", data[:cut])))
        assert ids(found) == list(range(1, 1 + sum(end <= cut for end in ends))), cut
        ((file, _, reason),) = rejected(found)
        assert (file, reason) == ("a.json.gz", "the gzip file is cut off")


def test_a_large_gzip_cut_in_the_middle_gives_what_stood_before(tmp_path: Path) -> None:
    lines = [
        json.dumps({**json.loads(study(number)), "x": os.urandom(5000).hex()}) for number in range(1, 301)
    ]
    data = gzip.compress("\n".join(lines).encode(), 1)
    found = list(read_items(put(tmp_path, "a.gz", data[: len(data) // 2])))
    assert 120 < len(ids(found)) < 180
    assert ids(found) == list(range(1, len(ids(found)) + 1))
    assert rejected(found) == [("a.gz", len(ids(found)) + 1, "the gzip file is cut off")]
    assert isinstance(found[-1], Rejected)
    assert lines[len(ids(found))].startswith(found[-1].raw)


def test_a_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(study(1).encode(), compresslevel=0))
    data[data.index(b"NCT00000001") + 10] = ord("9")
    found = list(read_items(put(tmp_path, "a.gz", bytes(data))))
    assert rejected(found) == [("a.gz", 0, "the gzip file is damaged: its checksum or length is wrong")]
    assert ids(found) == []


# Bombs


def test_one_file_that_unfolds_too_far_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    bomb = study(1) + " " * 5_000_000 + study(2)
    entries: dict[str, bytes | str] = {
        "bomb.json": bomb,
        "ballast": os.urandom(400_000),
        "good.json": study(3),
    }
    found = list(read_items(put(tmp_path, "o.zip", zipped(entries)), SMALL))
    assert ids(found) == [1, 3]
    assert rejected(found) == [
        ("o.zip/bomb.json", 2, "unfolds to over 20 times its size: refused as a zip bomb")
    ]


def test_a_gzip_bomb(tmp_path: Path) -> None:
    data = gzip.compress((study(1) + " " * 3_000_000).encode())
    found = list(read_items(put(tmp_path, "a.gz", data), SMALL))
    assert rejected(found) == [("a.gz", 2, "unfolds to over 20 times its size: refused as a zip bomb")]
    assert list(read_items(put(tmp_path, "a.gz", data)))[1:] == []


def test_many_files_over_the_same_bytes(tmp_path: Path) -> None:
    """Each member is under the limit, all together are not: the list names one member again and again."""
    text = study(1) + " " * 90_000
    data = zipped({"a.json": text})
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[start:end]
    many = 2000
    head = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, len(entry) * many, start, 0)
    found = list(read_items(put(tmp_path, "o.zip", data[:start] + entry * many + head), SMALL))
    assert 1 < len(ids(found)) < many // 2
    assert rejected(found)[-1] == ("o.zip", 0, "a zip bomb: the rest of it was not read")


def test_archives_too_deep_in_each_other_are_refused(tmp_path: Path) -> None:
    data = zipped({"a.txt": "1"})
    for level in (3, 2, 1):
        data = zipped({f"{level}.zip": data})
    assert texts(put(tmp_path, "o.zip", data)) == [("o.zip/1.zip/2.zip/3.zip/a.txt", "1")]
    deeper = put(tmp_path, "p.zip", zipped({"o.zip": data}))
    refused = "Rejected: archives inside each other, over 4 deep: refused"
    assert texts(deeper) == [("p.zip/o.zip/1.zip/2.zip/3.zip", refused)]
    gzips = b"1"
    for _ in range(50):
        gzips = gzip.compress(gzips)
    assert texts(put(tmp_path, "a.gz", gzips)) == [("a.gz", refused)]


def test_an_archive_inside_another_has_a_limit(tmp_path: Path) -> None:
    path = put(tmp_path, "o.zip", zipped({"i.zip": zipped({"a": os.urandom(9000)}), "b.txt": "1"}))
    reason = "Rejected: an archive inside another with over 0 MB: unpack it first"
    assert texts(path, Limits(spool=8000)) == [("o.zip/i.zip", reason), ("o.zip/b.txt", "1")]


def test_a_whole_text_has_a_limit() -> None:
    file = SourceFile("a.xml", lambda: io.BytesIO(b"x" * (1 << 20)))
    assert len(file.decoded(limit=1 << 20)[0]) == 1 << 20
    with pytest.raises(SourceError, match="over 0 MB, too large for a file of this kind"):
        file.decoded(limit=(1 << 20) - 1)


# Decoding

XML_HEAD = '<?xml version="1.0" encoding="iso-8859-2"?>'


@pytest.mark.parametrize(
    ("data", "text", "note"),
    [
        ("Behçet".encode(), "Behçet", ""),
        ("Behçet".encode("utf-8-sig"), "Behçet", ""),
        ("Behçet".encode("utf-16"), "Behçet", ""),
        (b"\xfe\xff" + "Behçet".encode("utf-16-be"), "Behçet", ""),
        ("Behçet €".encode("cp1252"), "Behçet €", "not UTF-8: read as cp1252"),
        (b"\x81", "\N{REPLACEMENT CHARACTER}", "not UTF-8: read as cp1252"),
        # One bad byte does not spoil the characters that are right.
        (b"\xe7 " + "Sjögren".encode(), "ç Sjögren", "not UTF-8: read as cp1252"),
        (XML_HEAD.encode() + b"\xb9", XML_HEAD + "š", ""),
        (b"<meta charset=windows-1250>\xb9", "<meta charset=windows-1250>ą", ""),
        (
            b'<meta content="text/html; charset=koi8-r">\xc1',
            '<meta content="text/html; charset=koi8-r">а',
            "",
        ),
        # What the bytes are decides over what the file says of itself.
        ((XML_HEAD + "ç").encode(), XML_HEAD + "ç", ""),
        (b'<?xml encoding="rot13"?>\xe7', '<?xml encoding="rot13"?>ç', "not UTF-8: read as cp1252"),
        (b"\xff\xfeA\0B", "A\N{REPLACEMENT CHARACTER}", "not all utf-16-le: unreadable characters replaced"),
        (b"", "", ""),
    ],
)
def test_decoding(data: bytes, text: str, note: str) -> None:
    assert decode(data) == (text, note)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_pieces_is_the_text_of_the_whole(encoding: str, chunk: int) -> None:
    data = "Sjögren, Behçet €: α"[: 17 if encoding == "cp1252" else None].encode(encoding)
    stream = TextStream(io.BytesIO(data), chunk)
    pieces = []
    while piece := stream.read():
        pieces.append(piece)
    assert (repair("".join(pieces))[0], stream.strays) == (decode(data)[0], encoding == "cp1252")
    assert stream.ended and stream.fault == ""


# Formats


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('{"protocolSection": {', "ctgov-json"),
        ("\n [ {", "ctgov-json"),
        ('"NCT Number"\t"Title"', "ctgov-csv"),
        ("Title;NCT Number", "ctgov-csv"),
        ("Title,Author", None),
        ("<html><body><p>hello", None),
        ("<!DOCTYPE html><!-- clinical_study --><title>", None),
        ("", None),
    ],
)
def test_recognise(head: str, name: str | None) -> None:
    assert recognise(head) == name


def test_the_formats() -> None:
    assert list(FORMATS) == ["ctgov-json", "ctgov-csv", "ctgov-xml", "page-a", "page-b", "page-c"]
    assert [FORMATS[name].NAME for name in FORMATS] == list(FORMATS)
    assert states("ctgov-json") is None
    with pytest.raises(KeyError):
        states("ctgov-yaml")


def test_a_file_without_a_trial_is_skipped_and_a_failing_one_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "top/a.txt", "Dear all, nothing here.")
    put(tmp_path, "top/b.json", study(2))
    put(tmp_path, "top/c.json", study(3))
    usual = FORMATS["ctgov-json"].read

    def fail(file: SourceFile) -> object:
        if file.label == "top/b.json":
            raise RecursionError
        return usual(file)

    monkeypatch.setattr(FORMATS["ctgov-json"], "read", fail)
    found = list(read_items(tmp_path / "top"))
    assert found[0] == Skipped("top/a.txt", "holds no trial in a known form")
    assert found[1] == Rejected("top/b.json", 0, "nested too deep", study(2))
    assert ids(found) == [3]


def test_json_and_csv_need_no_xml_library(tmp_path: Path) -> None:
    put(tmp_path, "top/a.json", study(1))
    put(tmp_path, "top/b.csv", "NCT Number,Sex\nNCT00000002,ALL\n")
    code = (
        "import sys; from trialindex.formats import read_items;"
        f"print(len(list(read_items({str(tmp_path / 'top')!r}))), 'lxml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"


def test_a_large_zip_costs_no_memory(tmp_path: Path) -> None:
    """Only the member in hand is held: 20,000 files found one by one leave nothing behind."""
    path = tmp_path / "o.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(zipfile.ZipInfo(f"{number:030d}.json"), b"{}")
    tracemalloc.start()
    try:
        assert sum(isinstance(each, SourceFile) for each in walk(path)) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@needs_shared
def test_the_real_archives_are_walked() -> None:
    found = list(walk(SHARED / "ctgov-xml-6786.zip"))
    assert len(found) == 6786
    assert all(
        isinstance(each, SourceFile) and each.label.startswith("ctgov-xml-6786.zip/") for each in found
    )


def test_a_member_is_plain_data() -> None:
    (member,) = members(io.BytesIO(zipped({"a.txt": "12"}, zipfile.ZIP_STORED)))
    assert member == Member("a.txt", 0, 0, 0, 2, 2, 0x4F5344CD)
