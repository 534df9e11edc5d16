"""Threads and processes that read while one writes: every answer is that of a committed state."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beside_child import Readers
from crash_child import TRIALS, limits, state_of, study_of, turn
from helpers import ROOT
from snapshot_helpers import key_of
from trialindex.contents import read_contents
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify

tiny = pytest.fixture(limits)
pytestmark = pytest.mark.usefixtures("tiny")


def beside(folder: Path, seconds: float, processes: int, threads: int, seed: int = 3) -> int:
    """Write for some seconds while others read; return how often they looked."""
    index, log = folder / "index", folder / "log"
    chosen = random.Random(seed)
    with Writer(index) as writer:
        for number in range(TRIALS):
            writer.put(key_of(number), study_of(number, number))
    state = state_of(index)

    def announce(after: dict[int, int]) -> None:
        line = json.dumps([read_contents(index).generation + 1, after]) + "\n"
        os.write(descriptor, line.encode())

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, (json.dumps([1, state]) + "\n").encode())
    paths = os.pathsep.join(str(ROOT / name) for name in ("tests", "indexer", "search"))
    children = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "beside_child.py"), index, log, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for number in range(processes)
    ]
    readers = Readers(index, log, 99, threads)
    try:
        end = time.monotonic() + seconds
        turns = 0
        while time.monotonic() < end or turns < 10 or readers.looked < 20:
            turn(index, state, chosen, announce)
            turns += 1
            assert not readers.errors, readers.errors[0]
    finally:
        told = [child.communicate() for child in children]
        readers.stop()
        os.close(descriptor)
    for child, (said, wrong) in zip(children, told, strict=True):
        assert child.returncode == 0 and int(said) > 0, wrong.decode()[-3000:]
    assert state_of(index) == state and verify(index) == []
    return readers.looked + sum(int(said) for said, _ in told)


def test_readers_beside_a_writer(tmp_path: Path) -> None:
    assert beside(tmp_path, seconds=3, processes=1, threads=2) > 20


def test_old_snapshots_outlive_the_files_they_came_from(tmp_path: Path) -> None:
    index = tmp_path / "index"
    chosen = random.Random(8)
    state: dict[int, int] = {}
    with Writer(index):
        pass
    held = []
    for _ in range(12):
        turn(index, state, chosen, lambda after: None)
        held.append((open_snapshot(index), dict(state)))
    with Writer(index) as writer:
        for number in list(state):
            writer.delete(key_of(number))
    assert not list(index.glob("*.seg"))
    for snapshot, then in held:
        assert not snapshot.is_current() and len(snapshot) == len(then)
        for doc in snapshot.docs().tolist():
            number = int(snapshot.key(doc)[3:])
            assert snapshot.study(doc) == study_of(number, then[number])
        assert {int(snapshot.key(doc)[3:]) for doc in snapshot.docs().tolist()} == set(then)
        snapshot.close()
    assert len(open_snapshot(index)) == 0
