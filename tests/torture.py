"""Long forms of tests of storage and language, about an hour: `make torture`. Each names its short form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from kernel_corpus import compiled_only
from small import study
from snapshot_helpers import STEPS, HastyDisk, key_of
from test_concurrency import beside
from test_crash import failing, hasten, killed, tiny  # noqa: F401
from test_hostile import Looker, crafted, flip, looker, make
from test_kernel_damage import Arrays, all_end_well, sound  # noqa: F401
from test_merging import steps_hold
from test_registry_oracle import agree
from test_registry_scripts import SCRIPTS, compared, same, studies
from trialindex.segments import disk
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify


@settings(max_examples=1500, deadline=None)
@given(STEPS, st.booleans(), st.sampled_from([1, 5_000, 1 << 20]))
def test_any_steps_of_a_writer(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], merge: bool, memory: int
) -> None:
    """test_merging"""
    steps_hold(tmp_path_factory.mktemp("steps") / "index", steps, merge, memory)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("tiny")
def test_killed_two_hundred_times(tmp_path: Path, seed: int) -> None:
    """test_crash"""
    killed(tmp_path, 50, seed)


@pytest.mark.usefixtures("tiny")
def test_a_disk_that_fails_at_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """test_crash"""
    hasten(monkeypatch)
    failing(tmp_path, monkeypatch, every=1)


@pytest.fixture(scope="module")
def searcher() -> Iterator[Looker]:
    with looker("search") as made:
        yield made


def test_every_byte_flipped(tmp_path: Path, searcher: Looker) -> None:
    """test_hostile"""
    flip(make(tmp_path / "sound"), tmp_path / "work", searcher, every=1)


def test_every_array_replaced(tmp_path: Path, searcher: Looker) -> None:
    """test_hostile"""
    crafted(make(tmp_path / "sound"), tmp_path / "work", searcher, keep=1)


@pytest.mark.usefixtures("tiny")
def test_a_minute_of_readers_beside_a_writer(tmp_path: Path) -> None:
    """test_concurrency"""
    assert beside(tmp_path, seconds=60, processes=2, threads=3) > 200


def test_a_segment_of_more_documents_than_two_bytes_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """test_merging patches the width instead."""
    monkeypatch.setattr(disk, "DISK", HastyDisk())
    index = tmp_path / "index"
    many = 70_000
    with Writer(index, merge=False) as writer:
        for number in range(many):
            title = "lupus" if number % 7 else "gout lupus"
            writer.put(key_of(number), study(key_of(number), BriefTitle=title))
            if number == many // 2:
                writer.commit()
    with Writer(index) as writer:
        assert len(writer.segments) == 2
        writer.delete(key_of(7))
        writer.merge()
        assert writer.segments == [(many - 1, many - 1)]
    snapshot = open_snapshot(index)
    numbers = np.delete(np.arange(many), 7)
    assert np.array_equal(snapshot.postings("gout", "BriefTitle").docs, np.flatnonzero(numbers % 7 == 0))
    assert len(snapshot.postings("lupus", "BasicSearch").docs) == many - 1
    some = np.array([0, 65_534, 65_535, 65_536, many - 2], np.uint32)
    assert snapshot.occurrences("lupus", some).docs.tolist() == some.tolist()
    assert snapshot.find(key_of(many - 1)) == many - 2
    snapshot.close()
    assert verify(index) == []


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 2**32))
def test_any_expression_finds_the_same(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """test_registry_oracle"""
    agree(tmp_path_factory.mktemp("random") / "index", seed)


@needs_shared
def test_scripts_over_all_real_records(tmp_path: Path) -> None:
    """test_registry_scripts"""
    records = studies(SHARED / name for name in ("ctgov-xml-6786.zip", "ctgov-v2-downloads.zip", "pages"))
    with compared(tmp_path / "index", records) as (trials, oracle):
        for expression in SCRIPTS:
            same(trials, oracle, expression)


@compiled_only
def test_every_number_that_the_kernel_reads_lies(sound: dict[tuple[int, bool], Arrays]) -> None:  # noqa: F811
    assert all_end_well(sound, 2, keep=1) > 10_000
