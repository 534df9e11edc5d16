"""Killed at any moment, or failed by the disk at any call: the index holds the old state or the new one."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crash_child import AREAS, limits, state_of, study_of
from helpers import ROOT
from plain_snapshot import PlainSnapshot
from segment_helpers import FailingDisk
from snapshot_helpers import key_of, same
from trialindex.contents import read_contents
from trialindex.errors import TrialError
from trialindex.segments import disk
from trialindex.segments.disk import Disk
from trialindex.snapshot import open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify

State = dict[int, int]


tiny = pytest.fixture(limits)
pytestmark = pytest.mark.usefixtures("tiny")


def check(index: Path, states: list[tuple[int, State]], *, searched: bool = False) -> State:
    """Assert that an index is whole and in one of these states (generation, number -> serial); return it.

    `searched`: that it answers as plain dictionaries do, too.
    """
    assert verify(index) == []
    snapshot = open_snapshot(index)
    try:
        studies = [snapshot.study(doc) for doc in range(snapshot.size)]
        live = snapshot.docs().tolist()
        numbers = [int(snapshot.key(doc)[3:]) for doc in range(snapshot.size)]
        state = {numbers[doc]: studies[doc]["serial"] for doc in live}
        assert (snapshot.generation, state) in states
        written = [study_of(number, one["serial"]) for number, one in zip(numbers, studies, strict=True)]
        assert studies == written
        if searched:
            same(snapshot, PlainSnapshot(written, deleted=set(range(snapshot.size)) - set(live)), AREAS)
    finally:
        snapshot.close()
    return state


def finish(index: Path, state: State) -> None:
    """Assert that a next run does its work, and leaves nothing of the one that failed."""
    with Writer(index) as writer:
        writer.put(key_of(99), study_of(99, 1))
    assert state_of(index) == {**state, 99: 1}
    with Writer(index) as writer:
        writer.delete(key_of(99))
    contents = read_contents(index)
    check(index, [(contents.generation, state)])
    names = {path.name for path in index.iterdir()} - {"trialsearch.lock", "trialsearch.json"}
    assert names == contents.files


def killed(folder: Path, times: int, seed: int = 5) -> None:
    """Kill a writing process so many times, at moments that a seed gives, and look each time."""
    index, log = folder / "index", folder / "log"
    chosen = random.Random(seed)
    with Writer(index):
        pass
    paths = os.pathsep.join(str(ROOT / name) for name in ("tests", "indexer", "search"))
    moments = 0
    while moments < times:
        before = (read_contents(index).generation, state_of(index))
        log.write_bytes(b"")
        child = subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "tests" / "crash_child.py"),
                index,
                log,
                str(chosen.randrange(1 << 30)),
            ],
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        try:
            while not log.stat().st_size and child.poll() is None:
                time.sleep(0.001)
            time.sleep(chosen.choice([0.002, 0.02, 0.3]) * chosen.random())
            assert child.poll() is None, "the writing process ended by itself"
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        told = [json.loads(line) for line in log.read_text().splitlines()]
        states = [before, *((made, {int(n): s for n, s in state.items()}) for made, state in told)]
        # The last one may not have been committed; the one before it was, before the last was told. A commit
        # of nothing makes no generation, and the next one is told by the same number.
        generations = sorted({generation for generation, _ in states})
        state = check(index, [one for one in states if one[0] in generations[-2:]], searched=True)
        finish(index, state)
        moments += 1


def test_killed_at_any_moment(tmp_path: Path) -> None:
    killed(tmp_path, 12)


# The disk fails at one call, whichever.


class Interrupting(FailingDisk):
    """Somebody presses Ctrl-C at a call."""

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.fails == len(self.calls) - 1:
            raise KeyboardInterrupt


class Full(FailingDisk):
    """No room is left from some call on, for anything that takes room."""

    def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.fails is not None and self.fails < len(self.calls) and call in {"create", "write"}:
            raise OSError(errno.ENOSPC, f"injected at call {len(self.calls)}, {call}")


def scenario(index: Path, states: list[tuple[int, State]], before: int = 0) -> None:
    """Create, commit, update, delete, merge; note each state before it is committed."""
    state: State = {}

    def put(writer: Writer, number: int, serial: int) -> None:
        state[number] = serial
        writer.put(key_of(number), study_of(number, serial))

    def note() -> None:
        states.append((states[-1][0] + 1, dict(state)))

    with Writer(index, memory=1, merge=False) as writer:
        put(writer, 1, 11)
        put(writer, 2, 12)
        note()
        writer.commit()
    with Writer(index) as writer:
        for number in range(2, 9):
            put(writer, number, 20 + number)
        note()
        writer.commit()
        writer.delete(key_of(3))
        del state[3]
        put(writer, 4, 34)
        note()
        writer.commit()
        note()
        writer.merge()
        writer.delete(key_of(5))
        del state[5]
        note()


def calls_of(work: Callable[[Path, list[Any]], None], folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Return the calls of the disk in a run that nothing disturbs."""
    counting = FailingDisk()
    patch.setattr(disk, "DISK", counting)
    work(folder / "undisturbed", [(0, {})])
    patch.setattr(disk, "DISK", Disk())
    return counting.calls


def disturbed(
    folder: Path, patch: pytest.MonkeyPatch, make: Callable[[int], Disk], every: int
) -> Iterator[tuple[str, BaseException | None, Path, list[tuple[int, State]]]]:
    """Do the scenario again and again, a call of the disk failing: each that renames a file or makes sure of
    a folder, and every so many of the others. Yield the call, what came of it, where, and the states.
    """
    calls = calls_of(scenario, folder, patch)
    assert {"create", "write", "read", "fsync", "close", "replace", "remove", "sync_folder"} <= set(calls)
    for number, call in enumerate(calls):
        if number % every and call not in {"replace", "sync_folder"}:
            continue
        index = folder / str(number)
        states: list[tuple[int, State]] = [(0, {})]
        caught: BaseException | None = None
        patch.setattr(disk, "DISK", make(number))
        try:
            scenario(index, states)
        except (OSError, KeyboardInterrupt) as error:
            caught = error
        finally:
            patch.setattr(disk, "DISK", Disk())
        yield call, caught, index, states
        shutil.rmtree(index)


def look(index: Path, states: list[tuple[int, State]]) -> None:
    """Assert that an index whose writer failed holds the old state or the new one, and goes on from it."""
    try:
        state = check(index, states[-2:])
    except TrialError:
        # It failed before there was an index.
        assert len(states) <= 2 and not (index / "trialsearch.json").exists()
        state = {}
    finish(index, state)


def hasten(patch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: these processes live on."""
    patch.setattr(Disk, "fsync", lambda self, descriptor: None)
    patch.setattr(Disk, "sync_folder", lambda self, folder: None)


def failing(folder: Path, patch: pytest.MonkeyPatch, every: int) -> None:
    for call, caught, index, states in disturbed(folder / "failing", patch, FailingDisk, every):
        # What is left over may stay for the next run.
        assert (isinstance(caught, OSError) and caught.errno == errno.EIO) or call == "remove"
        look(index, states)
    for _, caught, index, states in disturbed(folder / "full", patch, Full, every):
        assert caught is None or (isinstance(caught, OSError) and caught.errno == errno.ENOSPC)
        look(index, states)
    for _, caught, index, states in disturbed(folder / "interrupted", patch, Interrupting, every):
        assert isinstance(caught, KeyboardInterrupt)
        look(index, states)


def test_a_disk_that_fails_at_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)
    failing(tmp_path, monkeypatch, every=100)


def test_a_disk_that_writes_a_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "DISK", FailingDisk(short=100))
    states: list[tuple[int, State]] = [(0, {})]
    scenario(tmp_path / "index", states)
    check(tmp_path / "index", states[-1:])


@pytest.mark.parametrize("start", range(0, 7, 3))
def test_a_failed_commit_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    """By the same writer, without anything of what it holds being lost."""
    hasten(monkeypatch)
    for number in range(start, 1000, 7):
        index = tmp_path / str(number)
        with Writer(index) as writer:
            for one in range(4):
                writer.put(key_of(one), study_of(one, one))
            writer.commit()
            writer.put(key_of(1), study_of(1, 7))
            writer.put(key_of(9), study_of(9, 9))
            failing = FailingDisk(number)
            monkeypatch.setattr(disk, "DISK", failing)
            failed = False
            try:
                writer.commit()
            except OSError:
                failed = True
            monkeypatch.setattr(disk, "DISK", Disk())
            if failed:
                writer.commit()
        state = {0: 0, 1: 7, 2: 2, 3: 3, 9: 9}
        check(index, [(read_contents(index).generation, state)])
        finish(index, state)
        if not failed and len(failing.calls) <= number:
            break
    assert 50 < number < 990
