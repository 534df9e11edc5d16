"""tantivy: a field a field, `en_stem` with positions, nothing stored; boosts at query time.

A trial's id is a number in a fast column, which is the fastest way that the binding has to tell it. Each word
may stand in any field: a query is a boolean query over words (`all`: each has to match; `any`: some) of
boolean queries over fields of boosted terms, with the total not counted. Made so it is asked somewhat faster
than through the library's own parser, which makes the same query of the words.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from words import Answer, Ask, Fielded

from words import Settings

__all__ = ["HEAP", "asker", "build", "build_whole", "build_worn", "segments"]

# The binding's own default, for all threads together.
HEAP = 128_000_000
# Enough that one thread writes all of the corpora here into one segment (the library takes less than 4 GiB).
_WHOLE_HEAP = 4_000_000_000
# Its merge policy joins eight segments of about the same size, and the binding cannot change that.
_PARTS = 6


def _number(key: str) -> int:
    return int(key.removeprefix("NCT"))


def _create(folder: Path, settings: Settings) -> Any:
    import tantivy

    schema = tantivy.SchemaBuilder().add_integer_field("key", indexed=True, fast=True)
    for field in settings.weights:
        schema = schema.add_text_field(field, tokenizer_name="en_stem", index_option="position")
    return tantivy.Index(schema.build(), path=str(folder))


def _add(writer: Any, documents: Iterable[Fielded]) -> int:
    """Add documents to a writer; return how many."""
    import tantivy

    added = 0
    for key, texts in documents:
        writer.add_document(tantivy.Document(key=_number(key), **texts))
        added += 1
    return added


def build(
    documents: Iterable[Fielded], folder: Path, settings: Settings, *, threads: int = 1, heap: int = HEAP
) -> None:
    """Write an index with so many writer threads in a heap of so many bytes, and wait for its merges."""
    writer = _create(folder, settings).writer(heap_size=heap, num_threads=threads)
    _add(writer, documents)
    writer.commit()
    writer.wait_merging_threads()


def build_whole(documents: Iterable[Fielded], folder: Path, settings: Settings) -> None:
    """Write an index of one segment."""
    build(documents, folder, settings, heap=_WHOLE_HEAP)


def build_worn(documents: Iterable[Fielded], folder: Path, settings: Settings, size: int) -> None:
    """Write an index of so many documents in commits of equal size, then delete one in forty of them and
    write another one in forty anew.
    """
    writer = _create(folder, settings).writer(heap_size=_WHOLE_HEAP, num_threads=1)
    deleted: list[str] = []
    updated: list[Fielded] = []

    def noted() -> Iterable[Fielded]:
        for number, document in enumerate(documents):
            if number % 40 == 0:
                deleted.append(document[0])
            elif number % 40 == 20:
                updated.append(document)
            yield document

    stream = noted()
    part = -(-size // _PARTS)
    while _add(writer, islice(stream, part)):
        writer.commit()
    for key in deleted + [key for key, _texts in updated]:
        writer.delete_documents_by_term("key", _number(key))
    _add(writer, updated)
    writer.commit()
    writer.wait_merging_threads()


def segments(folder: Path) -> int:
    """Return the number of segments."""
    import tantivy

    return int(tantivy.Index.open(str(folder)).searcher().num_segments)


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query with the trials that have all its words, or any."""
    import tantivy

    settings = Settings.read(folder)
    index = tantivy.Index.open(str(folder))
    schema, searcher = index.schema, index.searcher()
    query_of, some = tantivy.Query, tantivy.Occur.Should
    wanted = tantivy.Occur.Must if mode == "all" else some
    tokenizer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(40),
        tantivy.Filter.lowercase(),
        tantivy.Filter.stemmer("english"),
    ):
        tokenizer = tokenizer.filter(step)
    analyzer = tokenizer.build()

    def anywhere(term: str) -> Any:
        """Return the query for a term in any field."""
        return query_of.boolean_query(
            [
                (some, query_of.boost_query(query_of.term_query(schema, field, term), weight))
                for field, weight in settings.weights.items()
            ]
        )

    def ask(query: str, limit: int | None) -> Answer:
        terms = analyzer.analyze(" ".join(settings.words(query)))
        if not terms:
            return []
        whole = query_of.boolean_query([(wanted, anywhere(term)) for term in terms])
        found = searcher.search(whole, searcher.num_docs if limit is None else limit, count=False).hits
        keys = searcher.fast_field_values("key", [place for _score, place in found])
        return [(f"NCT{key:08}", score) for key, (score, _place) in zip(keys, found, strict=True)]

    return ask
