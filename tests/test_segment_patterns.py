"""The fields of postings come back from their patterns, as do their counts and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialindex.errors import IndexDamaged
from trialindex.fields import FIELD_NUMBERS, area_weights
from trialindex.segments import patterns as module
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.patterns import Patterns, PatternWriter, weight_table

TITLE, CITY = FIELD_NUMBERS["BriefTitle"], FIELD_NUMBERS["LocationCity"]
repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
postings = st.lists(
    st.lists(st.sampled_from([0, 1, TITLE, CITY]), min_size=1, max_size=5).map(sorted), max_size=40
)


def written(path: Path, *pieces: list[list[int]]) -> Patterns:
    with ArrayWriter(path) as writer:
        made = PatternWriter(writer)
        for piece in pieces:
            fields = np.array([field for posting in piece for field in posting], np.uint8)
            made.append(np.array([len(posting) for posting in piece], np.uint32), fields)
        made.finish()
    return Patterns(ArrayFile(path))


def read(patterns: Patterns) -> list[list[int]]:
    """Return the fields of every posting."""
    numbers = patterns.numbers[0 : len(patterns.numbers)]
    counts = patterns.sizes[numbers].tolist()
    fields = iter(patterns.fields(numbers, patterns.sizes[numbers]).tolist())
    return [[next(fields) for _ in range(count)] for count in counts]


@repeated
@given(
    held=postings,
    cut=st.integers(0, 40),
    kept=st.sampled_from([0, 100, 32 << 20]),
    slots=st.sampled_from([1, 18]),
)
def test_fields_and_weights_come_back(
    tmp_path: Path, held: list[list[int]], cut: int, kept: int, slots: int
) -> None:
    """However few patterns are kept to know them again, and looked up first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_KEPT", kept)
        patch.setattr(module, "_SLOTS", slots)
        patterns = written(tmp_path / "x.seg", held[:cut], held[cut:])
    assert read(patterns) == held
    weights = area_weights("BasicSearch")
    found = patterns.weights("BasicSearch")[patterns.numbers[0 : len(held)]]
    by_number = {FIELD_NUMBERS[field]: weight for field, weight in weights.items()}
    assert found.tolist() == [sum(by_number.get(field, 0) for field in posting) for posting in held]


def test_the_commonest_come_first_and_each_once(tmp_path: Path) -> None:
    patterns = written(tmp_path / "x.seg", [[TITLE, TITLE], [CITY]], [[CITY], [0, CITY], [CITY], [0, CITY]])
    file = ArrayFile(tmp_path / "x.seg")
    assert patterns.numbers[0:6].tolist() == [2, 0, 0, 1, 0, 1]
    assert file.get("patterns.sizes", np.uint8).tolist() == [1, 2, 2]
    assert file.get("patterns.fields", np.uint8).tolist() == [CITY, 0, CITY, TITLE, TITLE]


def test_more_patterns_than_a_byte_tells(tmp_path: Path) -> None:
    held = [[0] * number for number in range(1, 300)] * 2 + [[1]] * 3
    patterns = written(tmp_path / "x.seg", held)
    assert read(patterns) == held
    numbers = patterns.numbers[0 : len(held)]
    assert numbers[-3:].tolist() == [0, 0, 0] and numbers.max() == 299


def test_sums_that_do_not_fit_into_two_bytes(tmp_path: Path) -> None:
    patterns = written(tmp_path / "x.seg", [[TITLE] * 1000, [TITLE]])
    title = area_weights("BriefTitle")["BriefTitle"]
    found = patterns.weights("BriefTitle")[patterns.numbers[0:2]]
    assert title == 100 and found.tolist() == [100_000, 100] and found.dtype == np.uint32


def test_few_areas_are_kept(tmp_path: Path) -> None:
    patterns = written(tmp_path / "x.seg", [[TITLE]])
    for field in list(FIELD_NUMBERS)[:40]:
        patterns.weights(field)
    assert len(patterns._weights) == 12
    assert patterns.weights("BriefTitle").tolist() == [100]


def test_weights_by_field_number() -> None:
    table = weight_table("TitleSearch")
    assert table.sum() == 99 + 95 + 80 and table[TITLE] == 95 and table[CITY] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"patterns.sizes": np.array([1, 0], np.uint8)},
        {"patterns.sizes": np.array([1, 9], np.uint8)},
        {"patterns.sizes": np.array([1], np.uint8)},
        {"patterns.fields": np.array([1, 2, 3, 4], np.uint8)},
        {"patterns.fields": np.array([1, 2, 3], np.uint16)},
        {"patterns.fields": None},
        {"postings.patterns": np.array([0, 2], np.uint8)},
        {"postings.patterns": np.array([0, 255], np.uint8)},
    ],
    ids=str,
)
def test_what_no_writer_writes_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    written(tmp_path / "x.seg", [[CITY], [TITLE, TITLE]])
    file = ArrayFile(tmp_path / "x.seg")
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for name in file.names():
            if (array := changed.get(name, file.get(name))) is not None:
                writer.put(name, array)
    with pytest.raises((IndexDamaged, IndexError)):
        patterns = Patterns(ArrayFile(tmp_path / "y.seg"))
        read(patterns)
        patterns.weights("BasicSearch")
