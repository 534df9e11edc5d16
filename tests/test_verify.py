"""What `verify` finds: each kind of thing that is not what the stored record says, planted by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import ROOT
from small import make_index, study
from trialindex import document as documents
from trialindex import merge, storage
from trialindex import verify as verifying
from trialindex.contents import Contents, Entry, read_contents
from trialindex.document import Document, Site
from trialindex.errors import IndexDamaged, IndexMissing
from trialindex.formats import read_items
from trialindex.formats.record import SourceRecord
from trialindex.segments import bounds
from trialindex.segments import segment as segments
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.storage import Writer, pack
from trialindex.verify import verify
from trialindex.vocabulary.linking import Linker

ONE, TWO, THREE = (f"NCT0000000{number}" for number in (1, 2, 3))


def altered(index: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Document], Any]) -> list[str]:
    """Write a second trial with a document that is not its record's, and return what verify says."""
    make_index(index, [study(ONE, BriefTitle="sound")])
    right = Document.of

    def of(node: dict[str, Any], linker: Linker | None = None) -> Document:
        document = right(node, linker)
        change(document)
        return document

    with monkeypatch.context() as patched:
        patched.setattr(documents.Document, "of", staticmethod(of))
        with Writer(index) as writer:
            writer.put(
                TWO,
                study(
                    TWO,
                    BriefTitle="lupus nephritis",
                    Phase=["PHASE1"],
                    Condition=["Gout", "Lupus"],
                    StartDate="2012-02",
                    LocationPoint=[{"lat": 48.85341, "lon": 2.3488}, {"lat": -33, "lon": 151}],
                ),
            )
    return verify(index)


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        (["BriefTitle"], lambda held: held.text.update(BriefTitle=["nephritis lupus"])),
        (["BriefTitle"], lambda held: held.text.update(BriefTitle=["lupus asthma"])),
        (["BriefTitle"] * 3, lambda held: held.text.update(BriefTitle=["lupus nephritis x"])),
        (["BriefTitle"] * 3, lambda held: held.text.pop("BriefTitle")),
        (["BriefTitle"] * 2, lambda held: held.text.update(BriefTitle=["lupus", "nephritis"])),
        (["Acronym"] * 3, lambda held: held.text.update(Acronym=["MADEUP"])),
        (["Condition", "Keyword"] * 3, lambda held: held.text.update(Keyword=held.text.pop("Condition"))),
        (["Phase"] * 2, lambda held: held.codes.update(Phase=["PHASE2"])),
        (["Sex"] * 4, lambda held: held.codes.update(Sex=["FEMALE"])),
        (["ConditionName"], lambda held: held.names.update(ConditionName=["asthma\tAsthma"])),
        (["ConditionName"], lambda held: held.names["ConditionName"].append("asthma\tAsthma")),
        (["ConditionName"], lambda held: held.names["ConditionName"].pop()),
        (["Country"], lambda held: held.names.update(Country=["chad"])),
        (["StartDate"], lambda held: held.numbers.update(StartDate=1.0)),
        (["StartDate"], lambda held: held.numbers.update(StartDateLast=734565.0)),
        (["EnrollmentCount"], lambda held: held.numbers.update(EnrollmentCount=3)),
        (["LargeDocSize"], lambda held: held.ranges.update(LargeDocSize=[(3.0, 3.0)])),
        (["LargeDocDate"], lambda held: held.ranges.update(LargeDocDate=[(3.0, 4.0), (9.0, 9.0)])),
        (["Retraction"], lambda held: held.held.append("Retraction")),
        (["LocationGeoPoint"], lambda held: held.held.remove("LocationGeoPoint")),
        (["list of sites"], lambda held: held.sites.append(Site(1.5, 2.5, False, ""))),
        (["list of sites"], lambda held: held.sites.append(Site(None, None, False, ""))),
        (["list of sites"], lambda held: held.sites.pop()),
        (["list of sites"], lambda held: held.sites.reverse()),
        (["list of sites"], lambda held: held.sites.__setitem__(0, Site(48.8534101, 2.3488, False, ""))),
        (["list of sites"], lambda held: held.sites.__setitem__(0, Site(48.85341, 2.3488, True, ""))),
        (["list of sites"], lambda held: held.sites.__setitem__(0, Site(48.85341, 2.3488, False, "x"))),
        ([], lambda held: held.sites.__setitem__(0, Site(48.85341000001, 2.3488, False, ""))),
        ([], lambda held: held.codes.update(Sex=[])),
    ],
)
def test_what_is_not_the_records_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: list[str], change: Callable[[Document], Any]
) -> None:
    lines = altered(tmp_path / "index", monkeypatch, change)
    assert all(line.startswith(f"{TWO}: ") for line in lines)
    assert {field for field in fields if any(field in line for line in lines)} == set(fields)
    if not fields:
        assert lines == []
    elif len(fields) == 1:
        assert len(lines) == 1
    assert all(any(field in line for field in fields) or "where values start" in line for line in lines)


def test_another_record_and_a_trial_that_stands_twice(
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
        patched.setattr(segments.Segment, "among", lambda self, keys: np.array([], np.int64))
        with Writer(twice) as writer:
            writer.put(ONE, study(ONE))
    assert verify(twice) == [f"{ONE}: stands in 000001.seg and in 000002.seg"]


def test_a_record_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(storage, "pack", lambda node: b"[")
        make_index(tmp_path / "index", [study(ONE, BriefTitle="sound")])
    assert [line for line in verify(tmp_path / "index") if "stored record cannot be read" in line]


# Arrays changed, all checksums right.


def replant(index: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """Write the one segment of an index again, its arrays and meta changed, and its table."""
    (entry,) = read_contents(index).segments
    file = ArrayFile(index / entry.file)
    arrays, meta = {name: file.get(name).copy() for name in file.names()}, dict(file.meta)
    file.close()
    change(arrays, meta)
    with ArrayWriter(index / "000009.seg") as writer:
        writer.meta.update(meta)
        for name, array in arrays.items():
            writer.put(name, array)
    digest = ArrayFile(index / "000009.seg").digest
    table = Contents(1, 10, (Entry("000009.seg", digest),)).text()
    (index / "trialsearch.json").write_text(table)


@pytest.fixture
def one_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six trials, every list bounded and in blocks of two."""
    for name, value in {"BOUND_FROM": 2, "BLOCK": 2, "_LONG": 3, "_BEST": 1, "LISTED_FROM": 1}.items():
        monkeypatch.setattr(bounds, name, value)
    monkeypatch.setattr(verifying, "_DOCUMENTS", 4)
    monkeypatch.setattr(verifying, "_CHUNK", 20)
    index = make_index(
        tmp_path / "index",
        [
            study(
                f"NCT0000000{n}",
                BriefTitle="lupus " * n + f"w{n}",
                Condition=["Gout"],
                Phase=["PHASE1"],
                LocationPoint=[{"lat": n, "lon": n + site} for site in range(n - 1)],
            )
            for n in range(1, 7)
        ],
    )
    replant(index, lambda arrays, meta: None)
    assert verify(index) == []
    return index


def swap(array: Any, one: int, other: int) -> None:
    array[[one, other]] = array[[other, one]]


def turn(array: Any) -> None:
    array[:] = array[::-1].copy()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda held, _: swap(held["keys.order"], 0, 5), r"NCT\d+: cannot be found by its id"),
        (lambda held, _: turn(held["occurrences.positions"]), "places of 'lupus' are not in order"),
        (lambda held, _: turn(held["postings.docs"]), "documents of .* are not in order"),
        (
            lambda held, _: held["patterns.fields"].__setitem__(0, 254),
            "000009.seg is damaged \\(fields\\)",
        ),
        (
            lambda held, _: held["terms.bytes"].__setitem__(0, 122),
            "terms from .* are not in order|the terms of",
        ),
        (
            # The words of six ids, then those of six titles.
            lambda held, _: held["lengths.words"].__setitem__(8, 9),
            "NCT00000003: the length of BriefTitle",
        ),
        (lambda held, _: held["lengths.words"].fill(0), "NCT00000001: the length of Condition"),
        (lambda held, _: held["lengths.counts"].fill(6), "is damaged \\(the subsets 'lengths'"),
        (
            lambda held, _: held["area.TitleSearch.lengths"].__setitem__(2, 9),
            "000009.seg: the lengths in TitleSearch are not",
        ),
        (
            lambda _, meta: meta.update({"area.BasicSearch.mean": 7.5}),
            "000009.seg: the lengths in BasicSearch are not",
        ),
        (lambda held, _: held["values.steps"].__setitem__(3, 200), "where values start is not"),
        (lambda held, _: turn(held["patterns.fields"]), "NCT00000001: the terms of .* are not those"),
        (lambda held, _: turn(held["postings.patterns"]), "is damaged \\(occurrences\\)"),
        (
            lambda held, _: held["area.BasicSearch.frequencies"].__setitem__(0, 5),
            "is damaged \\(a list in Basic",
        ),
        (lambda held, _: held["area.BasicSearch.highest"].fill(0.01), "the bound of .* in BasicSearch"),
        (lambda held, _: held["area.BasicSearch.docs"].fill(0), "the list of .* in BasicSearch"),
        (lambda held, _: held["area.BasicSearch.sums"].fill(1), "the list of .* in BasicSearch"),
        (lambda held, _: held["area.BasicSearch.blocks"].fill(0.01), "the bound of .* in BasicSearch"),
        (lambda held, _: held["area.BasicSearch.rest"].fill(0.01), "the bound of .* in BasicSearch"),
        (lambda held, _: held["codes.sets"].__setitem__(8, ord("2")), "NCT00000004: Phase is not"),
        (lambda held, _: held["codes.ordinals"].__setitem__(3, 1), "is damaged \\(a document has none"),
        (lambda held, _: held["numbers.small"].fill(7), "NCT00000001: NumConditions is not"),
        (lambda held, _: held["numbers.small"].fill(7), "NCT00000006: NumLocations is not"),
        (lambda held, _: held["numbers.table"].fill(7), "000009.seg is damaged \\(the parts of its numbers"),
        # The first trial alone has no site.
        (lambda held, _: held["held"].fill(1), "NCT00000001: Location is not"),
        (lambda held, _: held["digests"].__setitem__(2, 7), "NCT00000003: the checksum is not"),
        (lambda held, _: swap(held["names.AnyId.docs"], 1, 2), "NCT00000002: AnyId is not"),
        # The first trial has no site, the second one, the third the next two.
        (lambda held, _: held["sites.latitudes"].__setitem__(2, 0), "NCT00000003: the list of sites is not"),
        (lambda held, _: swap(held["sites.longitudes"], 1, 2), "NCT00000003: the list of sites is not"),
        (lambda held, _: swap(held["sites.sizes"], 0, 1), "NCT00000001: the list of sites is not"),
        (lambda held, _: held["sites.sizes"].__setitem__(1, 9), "000009.seg is damaged \\(the sites of"),
        (lambda held, _: held["sites.spots"].__setitem__(0, 0), "NCT00000002: the list of sites is not"),
        (lambda held, _: held["sites.looked_up"].fill(1), "NCT00000002: the list of sites is not"),
        (lambda held, _: held["sites.longitudes"].fill(1 << 30), "NCT00000002: the list of sites is not"),
        (lambda held, _: held["sites.latitudes"].fill(1 << 30), "000009.seg is damaged \\(a site lies"),
        (lambda held, _: held.pop("sites.sizes"), "NCT00000006: the list of sites is not"),
        (lambda held, _: held.pop("sites.latitudes"), "000009.seg is damaged"),
        (lambda _, meta: meta.update({"area.TitleSearch.mean": "x"}), "000009.seg is damaged"),
        (lambda _, meta: meta.update({"documents": 5}), "000009.seg is damaged"),
        (lambda held, _: held.pop("records.blocks"), "000009.seg is damaged"),
        (lambda held, _: held.pop("terms.heads"), "000009.seg is damaged"),
    ],
    ids=range(41),
)
def test_what_no_writer_writes_is_found(
    one_segment: Path, change: Callable[[dict[str, Any], dict[str, Any]], object], line: str
) -> None:
    replant(one_segment, change)
    lines = verify(one_segment)
    assert any(re.search(line, found) for found in lines), lines


# Sound indexes, lost files, writers beside it.


def test_a_sound_index_of_the_sample_corpus(tmp_path: Path) -> None:
    with Writer(tmp_path / "index", memory=1 << 17, merge=False) as writer:
        for item in read_items(ROOT / "corpus"):
            if isinstance(item, SourceRecord):
                node = merge.add(None, item)
                writer.put(merge.trial_id(node), node)
    assert verify(tmp_path / "index") == []
    with Writer(tmp_path / "index") as writer:
        assert len(writer.segments) > 1
        for key in ("NCT00000420", "NCT05914155"):
            assert writer.delete(key)
        writer.merge()
    assert verify(tmp_path / "index") == []


def test_no_index_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="trialsearch index"):
        verify(tmp_path)
    with Writer(tmp_path / "index"):
        pass
    assert verify(tmp_path / "index") == []


def test_every_damaged_file_is_named_once(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [study(ONE), study(TWO)])
    with Writer(index, merge=False) as writer:
        writer.put(THREE, study(THREE))
    (index / "000001.seg").write_bytes(b"x" * 200)
    data = bytearray((index / "000002.seg").read_bytes())
    data[64] ^= 1
    (index / "000002.seg").write_bytes(data)
    lines = verify(index)
    assert len(lines) == 2 and lines[0].startswith("000001.seg is damaged")
    assert lines[1] == "000002.seg: the checksum of the array 'records.blocks' is wrong"


def test_a_file_removed_by_a_commit_beside_it_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path / "index", [study(ONE)])
    right = verifying.read_contents
    turns = iter(range(3))

    def late(folder: Path) -> Contents:
        contents = right(folder)
        for turn in turns:
            with Writer(index) as writer:
                writer.put(TWO, study(TWO, BriefTitle=f"turn {turn}"))
                writer.merge()
            break
        return contents

    monkeypatch.setattr(verifying, "read_contents", late)
    assert verify(index) == [] and next(turns, None) is None
    (index / "trialsearch.json").write_text("{}")
    assert len(verify(index)) == 1
    with pytest.raises(IndexDamaged):
        read_contents(index)
