"""Plain Whoosh 2.7.4: a TEXT field a field, StemmingAnalyzer, stock writer and searcher, BM25 as it comes.

The writer runs in one process with its default of 128 MB. Each word has to be in some field, which is what
MultifieldParser makes of words side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from words import Answer, Ask, Fielded

from words import Settings

__all__ = ["asker", "build"]


def build(documents: Iterable[Fielded], folder: Path, settings: Settings) -> None:
    """Write the index and merge it into one segment."""
    from whoosh.analysis import StemmingAnalyzer
    from whoosh.fields import ID, TEXT, Schema
    from whoosh.index import create_in

    analyzer = StemmingAnalyzer()
    schema = Schema(key=ID(stored=True), **{field: TEXT(analyzer=analyzer) for field in settings.weights})
    writer = create_in(str(folder), schema).writer(limitmb=128, procs=1)
    for key, texts in documents:
        writer.add_document(key=key, **texts)
    writer.commit(optimize=True)


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query with the trials that have all its words."""
    from whoosh.index import open_dir
    from whoosh.qparser import MultifieldParser, WhitespacePlugin

    settings = Settings.read(folder)
    index = open_dir(str(folder), readonly=True)
    searcher = index.searcher()
    parser = MultifieldParser(
        list(settings.weights), index.schema, fieldboosts=settings.weights, plugins=[WhitespacePlugin()]
    )

    def ask(query: str, limit: int | None) -> Answer:
        found = searcher.search(parser.parse(" ".join(settings.words(query))), limit=limit)
        return [(hit["key"], hit.score) for hit in found]

    return ask
