"""Columns of codes, keys and names hold what was written, and refuse what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.columns import (
    CodeColumn,
    Codes,
    CodeWriter,
    GatheredNames,
    Keys,
    Names,
    merge_codes,
    merge_names,
    write_keys,
)

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
codes = st.lists(st.sampled_from(["PHASE1", "PHASE2", "NA", "\ud800", ""]), max_size=3, unique=True).map(
    tuple
)
names = st.sampled_from(["France", "Franconia", "Chad", "Côte d’Ivoire", "", "\0"])


def write_codes(path: Path, *columns: CodeColumn) -> Codes:
    """Write columns of codes of the same documents, and return their reader."""
    size = len(columns[0].ordinals)
    with ArrayWriter(path) as writer:
        codes = CodeWriter(writer, size)
        for column in columns:
            codes.append(column)
        codes.finish()
    return Codes(ArrayFile(path), len(columns), size)


def held(column: CodeColumn) -> list[tuple[str, ...]]:
    return [column.sets[ordinal] for ordinal in column.ordinals]


@repeated
@given(values=st.lists(codes, max_size=30), docs=st.lists(st.integers(0, 29), unique=True))
def test_codes_come_back_and_are_counted(
    tmp_path: Path, values: list[tuple[str, ...]], docs: list[int]
) -> None:
    others = CodeColumn.of([("NA",)] * len(values))
    read = write_codes(tmp_path / "x.seg", others, CodeColumn.of(values), CodeColumn.of([()] * len(values)))
    column = read.column(1)
    assert held(read.column(0)) == [("NA",)] * len(values) and held(read.column(2)) == [()] * len(values)
    assert read.having.mask(1).tolist() == [bool(value) for value in values]
    assert held(column) == values
    assert column.sets[0] == ()
    assert column.present().tolist() == [bool(value) for value in values]
    for code in ("PHASE1", "NA", "unknown"):
        assert column.holding(code).tolist() == [code in value for value in values]
    docs = sorted(doc for doc in docs if doc < len(values))
    for chosen, among in ((None, values), (np.array(docs, np.uint32), [values[doc] for doc in docs])):
        expected = {code for value in among for code in value}
        assert column.counts(chosen) == {code: sum(code in value for value in among) for code in expected}


def test_more_sets_take_wider_ordinals(tmp_path: Path) -> None:
    values = [(str(number),) for number in range(300)]
    column = CodeColumn.of(values)
    assert column.ordinals.dtype == np.uint16
    assert CodeColumn.of(values[:255]).ordinals.dtype == np.uint8
    read = write_codes(tmp_path / "x.seg", column).column(0)
    assert held(read) == values and read.ordinals.dtype == np.uint16


def test_codes_that_no_document_or_every_document_has_take_few_bytes(tmp_path: Path) -> None:
    columns = [CodeColumn.of([()] * 9000), CodeColumn.of([("NA",)] * 9000)]
    file = write_codes(tmp_path / "x.seg", *columns)._file
    assert len(file.get("codes")) == 0 and len(file.get("codes.ordinals")) == 9000
    assert file.get("codes.sets").tobytes() == b'[["NA"]]'


@repeated
@given(
    parts=st.lists(st.lists(st.tuples(codes, st.booleans()), max_size=12), max_size=4), masked=st.booleans()
)
def test_merged_codes_are_those_of_the_kept_documents(
    parts: list[list[tuple[tuple[str, ...], bool]]], masked: bool
) -> None:
    merged = merge_codes(
        (
            CodeColumn.of(value for value, _ in part),
            np.array([keep for _, keep in part], np.bool_) if masked else None,
        )
        for part in parts
    )
    expected = [value for part in parts for value, keep in part if keep or not masked]
    assert held(merged) == expected
    assert set(merged.sets) == {(), *expected}
    assert merged.sets[0] == ()


@pytest.mark.parametrize("sets", [None, {}, [], ["NA"], [[1]], [None], [[]], "[" * 99_999, "\udcff", "["])
def test_hostile_codes_are_refused(tmp_path: Path, sets: Any) -> None:
    text = sets.encode("utf-8", "surrogateescape") if isinstance(sets, str) else json.dumps(sets).encode()
    file = write_codes(tmp_path / "x.seg", CodeColumn.of([("NA",), ()]))._file
    with ArrayWriter(tmp_path / "y.seg") as writer:
        changed = {"codes.sets": np.frombuffer(text, np.uint8), "codes.ends": np.array([0, len(text)])}
        for name in file.names():
            writer.put(name, changed.get(name, file.get(name)))
    with pytest.raises(IndexDamaged, match=r"y\.seg is damaged \(.*codes of"):
        Codes(ArrayFile(tmp_path / "y.seg"), 1, 2).column(0)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("codes.ends", np.array([0], np.int64)),
        ("codes.ends", np.array([0, 2**40], np.int64)),
        ("codes.ends", np.array([-8, 8], np.int64)),
        ("codes.ordinals", np.array([0, 0], np.uint8)),
        ("codes.ordinals", np.array([7], np.uint8)),
        ("codes.counts", np.array([2], np.uint32)),
        ("codes.counts", np.array([1, 1], np.uint32)),
        ("codes.layouts", np.array([9], np.uint8)),
        ("codes", np.array([9], np.uint8)),
    ],
)
def test_codes_that_do_not_fit_are_refused(tmp_path: Path, name: str, array: Any) -> None:
    file = write_codes(tmp_path / "x.seg", CodeColumn.of([("NA",), (), ()]))._file
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for other in file.names():
            writer.put(other, array if other == name else file.get(other))
    with pytest.raises(IndexDamaged, match=r"y\.seg is damaged"):
        Codes(ArrayFile(tmp_path / "y.seg"), 1, 3).column(0)


@repeated
@given(keys=st.lists(st.sampled_from(["NCT1", "NCT2", "NCT10", "ISRCTN3", "", "NCT", "é"]), max_size=20))
def test_keys_are_found(tmp_path: Path, keys: list[str]) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        write_keys(writer, keys)
    column = Keys(ArrayFile(tmp_path / "x.seg"), len(keys))
    assert [key.decode() for key in column.keys.tolist()] == keys
    for key in (*keys, "NCT", "NCT1\0", "NCT11", "A", "z", "NCT1234567890", "\ud800"):
        assert column.find(key).tolist() == [doc for doc, other in enumerate(keys) if other == key]
    with ArrayWriter(tmp_path / "y.seg") as writer:
        write_keys(writer, column.keys)
    assert (tmp_path / "y.seg").read_bytes() == (tmp_path / "x.seg").read_bytes()


def test_a_key_that_padding_would_hide_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zero byte"), ArrayWriter(tmp_path / "x.seg") as writer:
        write_keys(writer, ["NCT1\0"])


@pytest.mark.parametrize(
    ("keys", "width", "order"),
    [(b"abcd", [2], [0]), (b"abc", [2], [0, 1]), (b"abcd", [0], [0, 1]), (b"abcd", [], [0, 1]),
     (b"abcd", [4], [0, 1]), (b"abcd", [1], [0, 1])],
)  # fmt: skip
def test_keys_that_do_not_fit_are_refused(
    tmp_path: Path, keys: bytes, width: list[int], order: list[int]
) -> None:
    with pytest.raises(IndexDamaged, match=r"x\.seg is damaged"):
        Keys(forged_keys(tmp_path / "x.seg", keys, width, order), 2)


def forged_keys(path: Path, keys: bytes, width: list[int], order: list[int]) -> ArrayFile:
    with ArrayWriter(path) as writer:
        writer.put("keys", np.frombuffer(keys, np.uint8))
        writer.put("keys.width", np.array(width, np.uint32))
        writer.put("keys.order", np.array(order, np.uint32))
    return ArrayFile(path)


@pytest.mark.parametrize("order", [[2, 2], [0, 2**32 - 1], [1, 1]])
def test_a_key_is_not_found_by_an_order_that_goes_astray(tmp_path: Path, order: list[int]) -> None:
    column = Keys(forged_keys(tmp_path / "x.seg", b"abcd", [2], order), 2)
    assert column.find("zz").tolist() == []
    assert set(column.find("ab").tolist()) <= {0}


pairs_of = st.lists(st.tuples(names, st.integers(0, 9)), max_size=40)


def names_of(path: Path, pairs: list[tuple[str, int]]) -> Names:
    with ArrayWriter(path) as writer:
        gathered = GatheredNames()
        for name, doc in pairs:
            gathered.add(doc, [name])
        gathered.write(writer, "Country", 10)
    return Names(ArrayFile(path), "Country", 10)


def documents(pairs: list[tuple[str, int]]) -> dict[str, list[int]]:
    return {
        name: sorted({doc for other, doc in pairs if other == name}) for name in {name for name, _ in pairs}
    }


@repeated
@given(pairs=pairs_of, prefix=st.sampled_from(["", "Fr", "France", "C", "x", "\ud800"]))
def test_names_come_back(tmp_path: Path, pairs: list[tuple[str, int]], prefix: str) -> None:
    column = names_of(tmp_path / "x.seg", pairs)
    expected = documents(pairs)
    for name in (*expected, "Fran", "nowhere", "\ud800"):
        assert column.docs(name).tolist() == expected.get(name, [])
    assert list(column.prefix(prefix)) == [
        (name, len(expected[name])) for name in sorted(expected) if name.startswith(prefix)
    ]


def test_names_that_cannot_be_written_become_one(tmp_path: Path) -> None:
    column = names_of(tmp_path / "x.seg", [("a\ud800", 3), ("b", 2), ("a\udfff", 1), ("a\ud800", 3)])
    assert list(column.prefix()) == [("a?", 2), ("b", 1)]
    assert column.docs("a?").tolist() == [1, 3]


def test_more_names_than_are_read_at_a_time(tmp_path: Path) -> None:
    column = names_of(tmp_path / "x.seg", [(f"{number:05}", number % 10) for number in range(3000)])
    assert list(column.prefix("0")) == [(f"{number:05}", 1) for number in range(3000)]


@repeated
@given(first=pairs_of, second=pairs_of, kept=st.sets(st.integers(0, 19)))
def test_merged_names_are_those_of_the_kept_documents(
    tmp_path: Path, first: list[tuple[str, int]], second: list[tuple[str, int]], kept: set[int]
) -> None:
    numbers = {doc: number for number, doc in enumerate(sorted(kept))}
    renumber = np.array([numbers.get(doc, -1) for doc in range(20)], np.int64)
    parts = [names_of(tmp_path / "1.seg", first), names_of(tmp_path / "2.seg", second)]
    with ArrayWriter(tmp_path / "x.seg") as writer:
        both = zip(parts, (renumber[:10], renumber[10:]), strict=True)
        merge_names(writer, "Country", both, len(kept))
    merged = Names(ArrayFile(tmp_path / "x.seg"), "Country", len(kept))
    pairs = first + [(name, doc + 10) for name, doc in second]
    expected = documents([(name, numbers[doc]) for name, doc in pairs if doc in kept])
    assert list(merged.prefix()) == [(name, len(expected[name])) for name in sorted(expected)]
    assert {name: merged.docs(name).tolist() for name in expected} == expected


def test_ordinals_of_no_name_are_refused(tmp_path: Path) -> None:
    column = names_of(tmp_path / "x.seg", [("Chad", 1)])
    assert column.docs_of(0).tolist() == [1]
    for ordinal in (-1, 1):
        with pytest.raises(IndexError, match=f"no list {ordinal} among 1"):
            column.docs_of(ordinal)


@pytest.mark.parametrize(
    ("sizes", "docs"), [([2, 0], [1, 2]), ([0, 2], [1, 2]), ([2, 9], [1, 2]), ([1, 1], [99, 99])]
)
def test_names_whose_documents_are_not_there_are_reported(
    tmp_path: Path, sizes: list[int], docs: list[int]
) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        writer.put("names.C.bytes", np.frombuffer(b"ab", np.uint8))
        writer.put("names.C.sizes", np.array([1, 1], np.uint8))
        writer.put("names.C.sizes.starts", np.array([0, 2], np.uint32))
        writer.put("names.C.heads", np.array([ord("a") << 56], np.uint64))
        writer.put("names.C.docs.sizes", np.array(sizes, np.uint8))
        writer.put("names.C.docs.sizes.starts", np.array([0, 2], np.uint32))
        writer.put("names.C.docs.places", np.array([0, 2], np.uint32))
        writer.put("names.C.docs", np.array(docs, np.uint8))
    column = Names(ArrayFile(tmp_path / "x.seg"), "C", 10)
    with pytest.raises(IndexDamaged, match=r"names\.C\.docs|the documents of a name of 'C' are not there"):
        column.stretch(0, 2)
    with pytest.raises(IndexDamaged, match=r"names\.C\.docs|the documents of a name of 'C' are not there"):
        _ = column.docs("a"), column.docs("b")


def test_names_without_lists_are_refused(tmp_path: Path) -> None:
    names_of(tmp_path / "x.seg", [("Chad", 1), ("France", 2)])
    file = ArrayFile(tmp_path / "x.seg")
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for name in file.names():
            writer.put(name, file.get(name)[:1] if name.endswith("docs.sizes") else file.get(name))
    with pytest.raises(IndexDamaged, match=r"the documents of a name of 'Country' are not there"):
        Names(ArrayFile(tmp_path / "y.seg"), "Country", 10)


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    with ArrayWriter(tmp_path / "x.seg") as writer:
        codes = CodeWriter(writer, 3)
        codes.append(CodeColumn.of([("NA",), (), ("PHASE1", "PHASE2")]))
        codes.finish()
        write_keys(writer, ["NCT3", "NCT1", "NCT2"])
        countries = GatheredNames()
        for doc, name in enumerate(("Chad", "France", "France")):
            countries.add(doc, [name])
        countries.write(writer, "Country", 3)

    def read(file: ArrayFile) -> None:
        column = Codes(file, 1, 3).column(0)
        column.counts()
        column.holding("NA")
        Keys(file, 3).find("NCT2")
        countries = Names(file, "Country", 3)
        list(countries.prefix())
        countries.docs("France")
        countries.stretch(0, len(countries.terms))

    hurt(tmp_path / "x.seg", read)
