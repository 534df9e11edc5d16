"""A process that looks at indexes that may hold anything: `python hostile_child.py` reads folders from its
standard input, a line each, and answers each with a line of JSON.

`asked`: "answer", or the message of IndexDamaged; `verified`: how many lines `verify` said. Anything else
ends the process. It may not use much memory, and not run anything.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trialindex.errors import IndexDamaged
from trialindex.fields import FIELDS
from trialindex.segments import bounds
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.verify import verify

# Bytes of address space beyond what the process has at its start. Files are mapped, so they count.
_ROOM = 512 << 20
_QUERIES = ("lupus", "lupus gout", '"lupus nephritis"', "lupsu", "title:gout OR asthma", "-gout lupus")
AREAS = (*bounds.BOUNDED, "LocationSearch", "BriefTitle")


def ask_all(snapshot: Snapshot) -> None:
    """Ask a snapshot for everything that the contract names."""
    docs = snapshot.docs()
    snapshot.column("RecordDigest")
    sites = snapshot.sites()
    for doc in docs.tolist():
        sites.of_document(doc)
    for name, field in FIELDS.items():
        assert len(snapshot.having(name)) == snapshot.size
        if field.kind in {"day", "number"}:
            lists = snapshot.number_lists(name)
            assert lists.offsets[-1] == len(lists.low) == len(lists.high)
            if not field.several:
                snapshot.column(name)
                snapshot.column(f"{name}Last")
        elif field.kind == "code":
            with snapshot.reading():
                snapshot.codes(name).counts(docs)
        elif field.kind == "name":
            for held, _ in list(snapshot.names(name)):
                snapshot.named(name, held)
    for area in AREAS:
        snapshot.norms(area)
    for term, _ in list(snapshot.terms()):
        snapshot.anywhere(term)
        for area in AREAS:
            snapshot.frequency(term, area)
            _weigh(snapshot, term, area)
        snapshot.occurrences(term)
        snapshot.occurrences(term, docs)
        snapshot.begins(term)
        _stand(snapshot, term, docs)
    with snapshot.reading():
        snapshot.keys(docs)
    for doc in docs.tolist():
        snapshot.find(snapshot.key(doc))
        snapshot.study(doc)
        snapshot.starts(doc)


def _stand(snapshot: Snapshot, term: str, docs: npt.NDArray[np.uint32]) -> None:
    """Ask for phrases: None of a snapshot without the compiled kernel."""
    asks: list[tuple[list[str], int, npt.NDArray[np.uint32] | None, str]] = [
        ([term, "asthma"], 0, None, ""),
        (["nephriti", term], 2, docs, "gout"),
        ([term], 0, docs[:3], "lupus"),
    ]
    for terms, slop, some, denied in asks:
        found = snapshot.phrase(terms, range(len(terms)), slop, "BasicSearch", some, denied)
        if found is not None:
            assert (found >= 0).all() and (found >> 40 < snapshot.size).all()


def _weigh(snapshot: Snapshot, term: str, area: str) -> None:
    found = snapshot.postings(term, area)
    with snapshot.reading():
        assert found.sums.shape == found.docs.shape
        (found.sums / (found.sums + snapshot.norms(area)[found.docs])).sum()
        if found.block_starts is not None and found.block_highest is not None and found.best is not None:
            np.repeat(found.block_highest, np.diff(found.block_starts, append=len(found.docs)))
            found.docs[found.best]


def search_all(folder: Path) -> None:
    """Search, show and explain as a user does."""
    from trialsearch import TrialSearch

    with TrialSearch.open(folder) as trials:
        len(trials)
        for query in _QUERIES:
            for hit in trials.search(query):
                str(hit.trial.title)
        for hit in trials.search("lupus", phase=1, country="France"):
            with suppress(KeyError):  # the id itself may have changed
                trials[hit.id]
        list(trials.search("", sort="updated"))
        trials.suggest("lup")
        for hit in trials.search("lupus", limit=1):
            with suppress(KeyError):
                list(trials.similar(hit.id))
                trials.study(hit.id)


def looked_at(folder: Path, searching: bool) -> dict[str, Any]:
    """Return what came of looking at an index."""
    try:
        snapshot = open_snapshot(folder)
        try:
            ask_all(snapshot)
        finally:
            snapshot.close()
        if searching:
            search_all(folder)
        asked = "answer"
    except IndexDamaged as error:
        asked = str(error)
    return {"asked": asked, "verified": len(verify(folder))}


def _limit() -> None:
    import resource

    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            size = int(line.split()[1]) * 1024 + _ROOM
            resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main() -> None:
    bounds.BOUND_FROM, bounds.BLOCK, bounds._LONG, bounds._BEST = 2, 2, 3, 2  # type: ignore[misc]
    bounds.LISTED_FROM = 1  # type: ignore[misc]
    searching = "search" in sys.argv
    _limit()
    for line in sys.stdin:
        print(json.dumps(looked_at(Path(line.rstrip("\n")), searching)), flush=True)


if __name__ == "__main__":
    main()
