"""Xapian: stemmed terms without a prefix, their frequencies weighted by the field, positions, BM25.

The binding is Debian's `python3-xapian`, which serves the system's interpreter alone: this module runs there,
with nothing of the project, and is fed through a pipe.

    python3 bench/peer_xapian.py FOLDER WEIGHTS     index lines of JSON [id, {field: text}]; WEIGHTS in JSON
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from words import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from words import Answer, Ask, Fielded

__all__ = ["INTERPRETER", "asker", "build"]

INTERPRETER = "/usr/bin/python3"
_BASE = "xapian"
# Positions between two fields.
_GAP = 100


def build(documents: Iterable[Fielded], folder: Path, settings: Settings) -> None:
    """Feed documents to the interpreter that has the binding. Raises CalledProcessError where that fails."""
    command = [INTERPRETER, __file__, str(folder), json.dumps(settings.weights)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        for document in documents:
            child.stdin.write(json.dumps(document) + "\n")
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command[:2])


def _stemmer() -> Any:
    import xapian

    return xapian.Stem("english")


def _index(lines: Iterable[str], folder: Path, weights: dict[str, float]) -> None:
    """Write the index, then compact it: what a weight of 0.89 counts nine times counts 0.9."""
    import xapian

    loose = folder / "loose"
    base = xapian.WritableDatabase(str(loose), xapian.DB_CREATE)
    generator = xapian.TermGenerator()
    generator.set_stemmer(_stemmer())
    generator.set_stemming_strategy(xapian.TermGenerator.STEM_ALL)
    for line in lines:
        key, texts = json.loads(line)
        document = xapian.Document()
        document.set_data(key)
        generator.set_document(document)
        generator.set_termpos(0)
        for field, text in texts.items():
            generator.index_text(text, max(1, round(10 * weights[field])))
            generator.increase_termpos(_GAP)
        base.add_document(document)
    base.commit()
    base.compact(str(folder / _BASE))
    base.close()
    shutil.rmtree(loose)


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query with the trials that have all its words."""
    import xapian

    base = xapian.Database(str(folder / _BASE))
    settings = Settings.read(folder)
    enquire = xapian.Enquire(base)
    stem = _stemmer()

    def ask(query: str, limit: int | None) -> Answer:
        terms = [stem(word).decode() for word in settings.words(query)]
        if not terms:
            return []
        enquire.set_query(xapian.Query(xapian.Query.OP_AND, terms))
        found = enquire.get_mset(0, base.get_doccount() if limit is None else limit)
        return [(match.document.get_data().decode(), match.weight) for match in found]

    return ask


if __name__ == "__main__":
    _index(sys.stdin, Path(sys.argv[1]), json.loads(sys.argv[2]))
