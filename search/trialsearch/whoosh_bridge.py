"""The index as a Whoosh 2.7.4 index: what an app that speaks Whoosh imports.

`open_index` gives what such an app expects: a schema, readers and searchers; its parser, its queries, facets
and highlighter work on our arrays. It is read only, and none of Whoosh's own files (they are pickles) is
ever read. `from_whoosh` and `to_whoosh` turn queries, `search` answers a Whoosh query by our evaluator where
it can be turned, else by Whoosh's matchers.

    index = open_index("index")
    with index.searcher() as searcher:
        query = QueryParser("BasicSearch", index.schema).parse('lupus Phase:PHASE2 "stem cells"')
        for hit in searcher.search(query, groupedby="OverallStatus"):
            print(hit["Key"], hit.highlights("BriefTitle"))

| manual of | is in |
|---|---|
| the fields and their terms | `whoosh_schema` |
| readers and stored fields | `whoosh_reader` |
| `from_whoosh`, `to_whoosh` | `whoosh_queries` |
| `sound`: what Whoosh answers wrongly | `whoosh_sound` |

What Whoosh gives a constant score (codes, names, ranges, `Every`, `Not`) only selects here and scores 0, or
on Whoosh's side `TINY`. A function word is no term and keeps its place, so a quoted phrase around one needs
room for it: `"quality of life"~2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from whoosh import collectors, index, query, scoring, searching

from trialindex.contents import CONTENTS, read_contents
from trialindex.errors import QueryError, TrialError
from trialindex.frozen import frozen
from trialindex.snapshot import Snapshot, open_snapshot
from trialsearch import ranking
from trialsearch.engine import TrialSearch
from trialsearch.evaluate import Evaluator
from trialsearch.lists import Docs, best_first
from trialsearch.whoosh_queries import Untranslatable, from_whoosh, to_whoosh
from trialsearch.whoosh_reader import TrialReader
from trialsearch.whoosh_schema import schema
from trialsearch.whoosh_sound import TINY, sound

__all__ = [
    "TINY", "Answer", "TrialIndex", "TrialReader", "TrialSearcher", "Untranslatable", "Weighting",
    "from_whoosh", "open_index", "schema", "search", "sound", "to_whoosh",
]  # fmt: skip


class Weighting(scoring.BM25F):  # type: ignore[misc]
    """Whoosh's BM25 with the idf of `trialsearch.ranking`: Whoosh's own, `ln(N / (n + 1)) + 1`, never lets a
    word of all documents count less than about 1.
    """

    def __init__(self) -> None:
        super().__init__(B=ranking.B, K1=ranking.K1)

    def idf(self, searcher: Any, fieldname: str, text: str | bytes) -> float:
        parent = searcher.get_parent()
        return ranking.idf(parent.doc_count_all(), parent.doc_frequency(fieldname, text))


class TrialSearcher(searching.Searcher):  # type: ignore[misc]
    """Whoosh's searcher, exact: it asks `sound` queries, and scores every document that they find.

    Of the best documents of compound queries Whoosh 2.7.4 loses some (of one in a hundred random trees),
    over indexes of its own too: what it drops as hopeless while it searches is not always.
    """

    def collector(self, *args: Any, **options: Any) -> Any:
        made = super().collector(*args, **options)
        inner = made
        while isinstance(inner, collectors.WrappingCollector):
            inner = inner.child
        if isinstance(inner, collectors.TopCollector):
            inner.usequality, inner.replace = False, 0
        return made

    def search_with_collector(self, q: Any, *args: Any, **options: Any) -> Any:
        return super().search_with_collector(sound(q), *args, **options)

    def docs_for_query(self, q: Any, for_deletion: bool = False) -> Iterator[int]:
        found: Iterator[int] = super().docs_for_query(sound(q), for_deletion)
        return found


class TrialIndex(index.Index):  # type: ignore[misc]
    """An index of ours as a Whoosh index, to be read. Readers and searchers see the newest commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = schema()
        self._generation = self.latest_generation()

    def __repr__(self) -> str:
        return f"TrialIndex({str(self.folder)!r})"

    def latest_generation(self) -> int:
        return read_contents(self.folder).generation

    def up_to_date(self) -> bool:
        return self._generation == self.latest_generation()

    def refresh(self) -> TrialIndex:
        return self if self.up_to_date() else TrialIndex(self.folder)

    def last_modified(self) -> float:
        return (self.folder / CONTENTS).stat().st_mtime

    def is_empty(self) -> bool:
        return bool(self.doc_count_all() == 0)

    def reader(self, reuse: Any = None) -> TrialReader:
        """Return a reader of the newest commit: `reuse`, if that is its own, else `reuse` is closed."""
        if isinstance(reuse, TrialReader) and not reuse.is_closed:
            if reuse.snapshot.is_current():
                return reuse
            reuse.close()
        return TrialReader(open_snapshot(self.folder), owns=True)

    def searcher(self, **options: Any) -> Any:
        """Return a `TrialSearcher`; it scores as we do unless it is given another weighting."""
        return TrialSearcher(self.reader(), fromindex=self, **{"weighting": Weighting()} | options)

    def writer(self, **_: Any) -> NoReturn:
        """Raise TrialError: trials are added with `trialindex.builder`."""
        raise TrialError(
            f"the index in {self.folder} is read only through Whoosh: write with `trialsearch index` or "
            "trialindex.builder.build"
        )

    def optimize(self) -> NoReturn:
        """Raise TrialError, as writing does."""
        self.writer()


def open_index(folder: str | Path) -> TrialIndex:
    """Open the index in a folder as a Whoosh index.

    Raises IndexMissing where there is none, IndexDamaged where it cannot be read.
    """
    return TrialIndex(Path(folder))


@frozen
class Answer:
    """The best trials of a Whoosh query: (id, score), the best first; how many there are; and what found
    them, `evaluator` (ours) or `matchers` (Whoosh's).
    """

    hits: tuple[tuple[str, float], ...]
    total: int
    by: str


def search(trials: TrialSearch | Snapshot, asked: Any, limit: int | None = 10) -> Answer:
    """Answer a Whoosh query: by our evaluator where `from_whoosh` can turn it, else by Whoosh's matchers.

    `limit` None gives all. Raises QueryError for what cannot be asked.
    """
    if limit is not None and limit < 1:
        raise QueryError(f"limit is a count of trials, 1 or more, or None for all: not {limit}")
    evaluator = trials._current().evaluator if isinstance(trials, TrialSearch) else Evaluator(trials)
    try:
        turned = from_whoosh(asked)
    except Untranslatable:
        return _by_matchers(evaluator.snapshot, asked, limit)
    top = evaluator.top(turned, "BasicSearch", limit)
    return Answer(_named(evaluator.snapshot, top.docs, top.scores.tolist()), top.total, "evaluator")


def _by_matchers(snapshot: Snapshot, asked: Any, limit: int | None) -> Answer:
    if not isinstance(asked, query.Query):
        raise QueryError(f"{asked!r} is no Whoosh query")
    searcher = TrialSearcher(TrialReader(snapshot), weighting=Weighting())
    try:
        # All of them: among those of equal score we take the least ids.
        found = searcher.search(asked, limit=None).top_n
    except query.QueryError as error:
        raise QueryError(f"Whoosh cannot ask {asked}: {error}") from error
    docs = np.array([doc for _, doc in found], np.uint32)
    scores = np.array([score for score, _ in found], np.float64)
    best, worth = best_first(docs, scores, limit, snapshot.keys)
    return Answer(_named(snapshot, best, worth.tolist()), len(found), "matchers")


def _named(snapshot: Snapshot, docs: Docs, scores: Iterable[float]) -> tuple[tuple[str, float], ...]:
    keys = [key.decode() for key in snapshot.keys(docs).tolist()]
    return tuple(zip(keys, scores, strict=True))
