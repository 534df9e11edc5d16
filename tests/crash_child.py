"""A process that writes to an index until it is killed: `python crash_child.py INDEX LOG SEED`.

Before each commit it adds a line to the log: the generation that the commit will make, and the state after
it, trial -> serial (see `snapshot_helpers`). What a trial holds follows from its number and serial.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snapshot_helpers import key_of, made
from trialindex.contents import read_contents
from trialindex.segments import arrays, bounds
from trialindex.snapshot import stored_studies
from trialindex.storage import Writer

TRIALS = 40
AREAS = ("BasicSearch", "BriefTitle", "LocationSearch")
_WORDS = ("lupus", "asthma", "gout", "drug", "il2")


def limits() -> Iterator[None]:
    """Make lists fold and streams leave memory with few documents, until it goes on.

    Whoever reads an index does so with the limits with which it was written.
    """
    held = [(bounds, name, 4) for name in ("BOUND_FROM", "BLOCK", "_BEST")]
    held += [(bounds, "LISTED_FROM", 1), (bounds, "_LONG", 8), (arrays, "_CHUNK", 150)]
    before = [getattr(module, name) for module, name, _ in held]
    for module, name, limit in held:
        setattr(module, name, limit)
    yield
    for (module, name, _), limit in zip(held, before, strict=True):
        setattr(module, name, limit)


def pieces_of(serial: int) -> dict[str, Any]:
    """Return what a study of this serial says."""
    chosen = random.Random(serial)
    return {
        "BriefTitle": " ".join(chosen.choices(_WORDS, k=chosen.randrange(1, 6))),
        "Condition": chosen.choices(_WORDS, k=2),
        "LocationCountry": ["France"] * chosen.randrange(2),
        "Phase": [f"PHASE{chosen.randrange(1, 4)}"],
    }


def study_of(number: int, serial: int) -> dict[str, Any]:
    return made(number, serial, pieces_of(serial))


def state_of(index: Path) -> dict[int, int]:
    """Return number -> serial of the trials that an index holds."""
    return {int(key[3:]): study["serial"] for key, study in stored_studies(index)}


def turn(index: Path, state: dict[int, int], chosen: random.Random, announce: Any) -> None:
    """Open a writer, commit a few times; `state` follows, and `announce` is called before each commit."""
    with Writer(index, memory=chosen.choice([1, 20_000, 1 << 20]), merge=chosen.random() < 0.7) as writer:
        for _ in range(chosen.randrange(1, 5)):
            for _ in range(chosen.randrange(1, 9)):
                number, serial = chosen.randrange(TRIALS), chosen.randrange(1 << 30)
                if chosen.random() < 0.3:
                    assert writer.delete(key_of(number)) is (state.pop(number, None) is not None)
                else:
                    writer.put(key_of(number), study_of(number, serial))
                    state[number] = serial
            announce(dict(state))
            if chosen.random() < 0.2:
                writer.merge()
            else:
                writer.commit()


def main() -> None:
    index, log, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    next(limits())  # for the life of the process
    chosen = random.Random(seed)
    with Writer(index):
        pass
    state = state_of(index)

    def announce(after: dict[int, int]) -> None:
        line = json.dumps([read_contents(index).generation + 1, after]) + "\n"
        os.write(descriptor, line.encode())

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        turn(index, state, chosen, announce)


if __name__ == "__main__":
    main()
