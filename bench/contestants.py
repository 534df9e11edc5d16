"""Who takes part: the indexes that are built, and the contestants that ask them.

An index has a name, which `--engines` takes, and the jobs of `build.py` that make its variants. A contestant
is a module with `asker(folder, mode)` and a mode in which it is asked; several may ask one index.

>>> [name for name, one in CONTESTANTS.items() if one.index == "tantivy"]
['tantivy', 'tantivy-any']
>>> chosen("fts5,ours"), left_out("lucene")
(['ours', 'fts5'], 'lucene: no such engine')
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import peer_xapian

__all__ = ["CONTESTANTS", "INDEXES", "OURS", "Contestant", "Index", "chosen", "left_out"]

OURS = "ours"
HERE = Path(__file__).resolve().parent


def _installed(*modules: str) -> Callable[[], str]:
    def missing() -> str:
        held = [module for module in modules if find_spec(module) is None]
        return f"{', '.join(held)} not installed" if held else ""

    return missing


def _missing_xapian() -> str:
    try:
        command = [peer_xapian.INTERPRETER, "-c", "import xapian"]
        found = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        found = False
    return "" if found else "Debian's python3-xapian is not installed"


@dataclass(frozen=True, slots=True)
class Index:
    """An index to build: a job for each variant that it has; `missing` says what it lacks here, or ""."""

    jobs: dict[str, str]
    missing: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who asks an index. `mode`: `all` and `plain` find trials with all words, `any` those with some,
    `filtered` of those with all only what filters leave.
    """

    heading: str
    index: str
    module: str
    mode: str

    @property
    def strict(self) -> bool:
        """Whether it finds the trials that have all the words, so that what it finds can be compared."""
        return self.mode not in {"any", "filtered"}

    @property
    def filtered(self) -> bool:
        """Whether it answers another question than the peers do."""
        return self.mode == "filtered"

    def command(self, folder: Path, *query: str) -> list[str]:
        """Return the command that answers queries; with a query, one that answers it and ends."""
        interpreter = peer_xapian.INTERPRETER if self.module == "peer_xapian" else sys.executable
        if query and self.index == OURS:
            more = _OPTIONS.get(self.mode, [])
            said = ["search", *query, "--index", str(folder), "--limit", "3", *more]
            return [interpreter, "-m", "trialsearch", *said]
        return [interpreter, str(HERE / "ask.py"), self.module, self.mode, str(folder), *query]


# What the command line says for a mode.
_OPTIONS = {
    "plain": ["--no-synonyms", "--no-fuzzy"],
    "filtered": ["--phase", "2", "--sex", "female", "--age", "40"],
}
INDEXES: dict[str, Index] = {
    OURS: Index({"fresh": "ours", "worn": "ours-worn"}, _installed("trialsearch")),
    "tantivy": Index({"fresh": "tantivy", "worn": "tantivy-worn"}, _installed("tantivy")),
    "fts5": Index({"fresh": "fts5"}, _installed("sqlite3")),
    "xapian": Index({"fresh": "xapian"}, _missing_xapian),
    "whoosh": Index({"fresh": "whoosh"}, _installed("whoosh")),
    "bm25s": Index({"fresh": "bm25s"}, _installed("bm25s", "Stemmer")),
}
CONTESTANTS: dict[str, Contestant] = {
    "trialsearch": Contestant("trialsearch", OURS, "ours", "all"),
    "plain": Contestant("without help", OURS, "ours", "plain"),
    "filtered": Contestant("three filters", OURS, "ours", "filtered"),
    "tantivy": Contestant("tantivy", "tantivy", "peer_tantivy", "all"),
    "fts5": Contestant("SQLite FTS5", "fts5", "peer_fts5", "all"),
    "xapian": Contestant("Xapian", "xapian", "peer_xapian", "all"),
    "whoosh": Contestant("Whoosh", "whoosh", "peer_whoosh", "all"),
    "tantivy-any": Contestant("tantivy, any word", "tantivy", "peer_tantivy", "any"),
    "bm25s": Contestant("bm25s, any word", "bm25s", "peer_bm25s", "any"),
}


def left_out(name: str, variant: str = "fresh") -> str:
    """Return why an engine cannot take part, or ""."""
    if name not in INDEXES:
        return f"{name}: no such engine"
    if variant not in INDEXES[name].jobs:
        return f"{name}: no {variant} index"
    missing = INDEXES[name].missing()
    return f"{name}: {missing}" if missing else ""


def chosen(names: str) -> list[str]:
    """Return the engines named, in the order of the tables, unknown ones last."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    return [name for name in INDEXES if name in wanted] + [name for name in wanted if name not in INDEXES]
