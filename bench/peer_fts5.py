"""SQLite FTS5: a column a field, `bm25()` with the area's weights, stemmed by Porter, all words wanted.

The text is not kept (a contentless table), and the index is merged into one piece (`optimize`, VACUUM).
"""

from __future__ import annotations

import sqlite3

from words import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from words import Answer, Ask, Fielded

__all__ = ["asker", "build"]

_FILE = "fts5.db"
# SQLite counts a rank from 0 downwards: the best is the least.
_TOP = "SELECT rowid, rank FROM trial WHERE trial MATCH ? ORDER BY rank LIMIT ?"


def build(documents: Iterable[Fielded], folder: Path, settings: Settings) -> None:
    """Write the index in one transaction."""
    fields = list(settings.weights)
    base = sqlite3.connect(folder / _FILE)
    base.execute("CREATE TABLE ids (key TEXT)")
    base.execute(
        f"CREATE VIRTUAL TABLE trial USING fts5({', '.join(fields)}, content='', "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    ranked = f"bm25({', '.join(map(str, settings.weights.values()))})"
    base.execute("INSERT INTO trial(trial, rank) VALUES ('rank', ?)", (ranked,))
    insert = f"INSERT INTO trial(rowid, {', '.join(fields)}) VALUES (?{', ?' * len(fields)})"
    for number, (key, texts) in enumerate(documents, 1):
        base.execute("INSERT INTO ids(rowid, key) VALUES (?, ?)", (number, key))
        base.execute(insert, (number, *(texts.get(field, "") for field in fields)))
    base.execute("INSERT INTO trial(trial) VALUES ('optimize')")
    base.commit()
    base.execute("VACUUM")
    base.close()


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query: its words, each quoted, side by side, which is FTS5's AND."""
    base = sqlite3.connect(folder / _FILE)
    settings = Settings.read(folder)

    def ask(query: str, limit: int | None) -> Answer:
        expression = " ".join(f'"{word}"' for word in settings.words(query))
        if not expression:
            return []
        found = base.execute(_TOP, (expression, -1 if limit is None else limit)).fetchall()
        return [
            (base.execute("SELECT key FROM ids WHERE rowid = ?", (row,)).fetchone()[0], -rank)
            for row, rank in found
        ]

    return ask
