"""bm25s: sparse score matrices; one field, so all text of a trial joined, and trials with any of the words.

Stemmed by PyStemmer, its English function words left out; the index is mapped from disk when it is asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from words import Answer, Ask, Fielded

from words import Settings

__all__ = ["asker", "build"]

_KEYS = "keys.json"


def _tokenizer() -> Any:
    import Stemmer
    from bm25s.tokenization import Tokenizer

    return Tokenizer(stopwords="english", stemmer=Stemmer.Stemmer("english"))


def build(documents: Iterable[Fielded], folder: Path, settings: Settings) -> None:
    """Write the index; the texts go by one at a time, their numbers stay in memory."""
    import bm25s

    keys: list[str] = []
    tokenizer = _tokenizer()

    def texts() -> Iterator[str]:
        for key, held in documents:
            keys.append(key)
            yield "\n".join(held.values())

    numbers = list(tokenizer.streaming_tokenize(texts()))
    index = bm25s.BM25()
    index.index((numbers, tokenizer.get_vocab_dict()), show_progress=False)
    index.save(folder, show_progress=False)
    tokenizer.save_vocab(folder)
    (folder / _KEYS).write_text(json.dumps(keys), "utf-8")


def asker(folder: Path, mode: str) -> Ask:
    """Return what answers a query with the trials that have any of its words."""
    import bm25s

    index = bm25s.BM25.load(folder, mmap=True, show_progress=False)
    settings = Settings.read(folder)
    keys = json.loads((folder / _KEYS).read_text("utf-8"))
    tokenizer = _tokenizer()
    tokenizer.load_vocab(folder)

    def ask(query: str, limit: int | None) -> Answer:
        words = tokenizer.tokenize(
            [" ".join(settings.words(query))], update_vocab=False, return_as="ids", show_progress=False
        )
        if not words[0]:
            return []
        wanted = len(keys) if limit is None else min(limit, len(keys))
        found, scores = index.retrieve(words, k=wanted, show_progress=False)
        return [
            (keys[number], float(score)) for number, score in zip(found[0], scores[0], strict=True) if score
        ]

    return ask
