"""A process that reads an index while another writes it: `python beside_child.py INDEX LOG SEED`.

The log has a line for each state, before it is committed: its generation, and trial -> serial (see
`crash_child`). Until its standard input closes, the process opens snapshots and compares their answers with
the state of their generation; it ends with 0 where all were the same, and prints how many it looked at.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from pathlib import Path
from typing import Any

from crash_child import limits, study_of
from trialindex.snapshot import Snapshot, open_snapshot
from trialsearch import TrialSearch

_WORDS = ("lupus", "asthma", "gout", "drug")


def states_of(log: Path) -> dict[int, dict[str, int]]:
    """Return generation -> state; the last line may not be whole yet."""
    lines = log.read_text().split("\n")[:-1]
    return dict(map(json.loads, lines))


def words_of(state: dict[str, int], word: str) -> set[str]:
    """Return the ids of the trials of a state that have a word in their title."""
    held = ((number, study_of(int(number), serial)) for number, serial in state.items())
    return {
        f"NCT{int(number):08}"
        for number, study in held
        if word in study["protocolSection"]["identificationModule"]["briefTitle"].split()
    }


def check(snapshot: Snapshot, states: dict[int, dict[str, int]], chosen: random.Random) -> None:
    """Assert that a snapshot answers as the state of its generation."""
    state = states[snapshot.generation]
    docs = snapshot.docs().tolist()
    assert len(snapshot) == len(docs) == len(state)
    for doc in chosen.sample(docs, min(3, len(docs))):
        key = snapshot.key(doc)
        assert snapshot.study(doc) == study_of(int(key[3:]), state[str(int(key[3:]))])
        assert snapshot.find(key) == doc
    word = chosen.choice(_WORDS)
    live = set(docs)
    for area in ("BriefTitle", "TitleSearch"):
        found = snapshot.postings(word, area).docs.tolist()
        assert {snapshot.key(doc) for doc in found if doc in live} == words_of(state, word), (word, area)
    found = set(snapshot.occurrences(word).docs.tolist()) & live
    assert words_of(state, word) <= {snapshot.key(doc) for doc in found}


class Readers:
    """Threads that look until they are told to stop; each keeps old snapshots, and looks at these again."""

    def __init__(self, index: Path, log: Path, seed: int, threads: int) -> None:
        self.index, self.log = index, log
        self.looked = 0
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._trials = TrialSearch.open(index)
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 100 + number),))
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, chosen: random.Random) -> None:
        kept: list[Snapshot] = []
        try:
            while not self._stop.is_set():
                if chosen.random() < 0.5 or not kept:
                    kept.append(open_snapshot(self.index))
                snapshot = chosen.choice(kept)
                states = states_of(self.log)
                check(snapshot, states, chosen)
                newest = max(states)
                if snapshot.generation < newest - 1:
                    assert not snapshot.is_current()
                if len(kept) > 6:
                    kept.pop(chosen.randrange(len(kept))).close()
                self._search(chosen)
                self.looked += 1
        except BaseException as error:  # noqa: BLE001
            import traceback

            self.errors.append(f"{error!r}\n{traceback.format_exc()}")

    def _search(self, chosen: random.Random) -> None:
        """Assert that one object, shared, answers as one of the states since it was asked."""
        word = chosen.choice(_WORDS)
        first = max(states_of(self.log)) - 1
        found: Any = {hit.id for hit in self._trials.search(f"BriefTitle:{word}", limit=100)}
        states = states_of(self.log)
        possible = [words_of(state, word) for generation, state in states.items() if generation >= first]
        assert found in possible, (word, sorted(found), possible)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._trials.close()
        assert not self.errors, self.errors[0]


def main() -> None:
    next(limits())  # for the life of the process
    readers = Readers(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), 2)
    sys.stdin.read()
    readers.stop()
    print(readers.looked)


if __name__ == "__main__":
    main()
