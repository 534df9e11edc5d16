"""TrialSearch: an index, opened and asked.

    from trialsearch import TrialSearch
    with TrialSearch.open("index") as trials:
        for hit in trials.search("lupus nephritis", intr="stem cells", phase=2):
            print(hit.id, hit.trial.title)

Opening reads nothing but the index's manifest. One object may be shared between threads, and sees a new
commit on its next search; results go on answering from the state that they came from.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from trialindex import vocabulary
from trialindex.analysis import fold
from trialindex.errors import IndexMissing, QueryError
from trialindex.storage import Snapshot, exists, open_snapshot
from trialsearch.asked import Filters, Part, filter_parts, option_parts, query_parts
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand, says_nothing
from trialsearch.fuzzy import nearest
from trialsearch.lexicon import IndexLexicon
from trialsearch.parse import conjunction
from trialsearch.partial import PartialHits, pieces
from trialsearch.results import Asked, Hit, Results, Step
from trialsearch.similar import likeness
from trialsearch.suggest import NameList, Suggestion

if TYPE_CHECKING:
    from trialindex.trial import Trial

__all__ = ["SORTS", "TrialSearch", "default_index"]

# What `sort` takes besides relevance, and whether the greatest value comes first.
SORTS = {
    "updated": ("LastUpdatePostDate", True),
    "start": ("StartDate", True),
    "completion": ("CompletionDate", True),
    "posted": ("StudyFirstPostDate", True),
    "enrollment": ("EnrollmentCount", True),
    "id": ("", False),
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def default_index() -> Path:
    """Return where the index is when nobody says.

    $TRIALSEARCH_INDEX, else ./index where that folder exists, else the user's data folder.
    """
    named = os.environ.get("TRIALSEARCH_INDEX")
    if named:
        return Path(named)
    if Path("index").is_dir():
        return Path("index")
    from platformdirs import user_data_path

    return user_data_path("trialsearch", appauthor=False) / "index"


class TrialSearch:
    """An index of clinical trials, opened for asking. Make one with `TrialSearch.open`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._state: tuple[Snapshot, IndexLexicon] | None = None
        self._names: tuple[Snapshot, NameList] | None = None

    @classmethod
    def open(cls, index: str | Path | None = None) -> TrialSearch:
        """Open the index in a folder; None is the default place (`default_index`).

        Raises IndexMissing where there is no index.
        """
        folder = default_index() if index is None else Path(index)
        if not exists(folder):
            raise IndexMissing(
                f"no index in {folder}: build one with `trialsearch index SOURCE --index {folder}`"
            )
        return cls(folder)

    def close(self) -> None:
        """Give the files back. Results that were not looked at can no longer be."""
        with self._lock:
            if self._state is not None:
                self._state[0].close()
            self._state = self._names = None

    def __enter__(self) -> TrialSearch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> tuple[Snapshot, IndexLexicon]:
        with self._lock:
            if self._state is None or not self._state[0].is_current():
                snapshot = open_snapshot(self._folder)
                self._state = snapshot, IndexLexicon(snapshot, vocabulary.shipped())
            return self._state

    def __len__(self) -> int:
        return len(self._current()[0])

    def __contains__(self, identifier: object) -> bool:
        return isinstance(identifier, str) and self._current()[0].find(identifier.strip().upper()) is not None

    def __getitem__(self, identifier: str) -> Trial:
        """Return the trial of an id or a former id. Raises KeyError where the index does not hold it."""
        from trialindex.trial import Trial

        snapshot, _ = self._current()
        return Trial.from_study(snapshot.study(self._document(snapshot, identifier)))

    def _document(self, snapshot: Snapshot, identifier: str) -> int:
        doc = snapshot.find(identifier.strip().upper())
        if doc is None:
            raise KeyError(identifier)
        return doc

    def search(
        self,
        query: str = "",
        *,
        cond: str | None = None,
        intr: str | None = None,
        title: str | None = None,
        outcome: str | None = None,
        sponsor: str | None = None,
        location: str | None = None,
        id: str | None = None,
        inclusion: str | None = None,
        exclusion: str | None = None,
        everywhere: bool = False,
        status: str | Iterable[str] | None = None,
        phase: str | int | Iterable[str | int] | None = None,
        type: str | Iterable[str] | None = None,
        sex: str | None = None,
        age: str | int | None = None,
        country: str | Iterable[str] | None = None,
        start: str | None = None,
        updated: str | None = None,
        with_results: bool | None = None,
        sort: str = "relevance",
        limit: int | None = 10,
        offset: int = 0,
        fuzzy: bool = True,
        synonyms: bool = True,
    ) -> Results:
        """Search, and return a page of results.

        `query` is text in the query language (`trialsearch.parse`); plain words ask the area BasicSearch,
        with `everywhere` all text of a trial. `cond` to `exclusion` ask one area each, in the same
        language. The others are filters, and do not touch the score: `status`, `phase`, `type` take one or
        several codes or their words, `sex` is that of a patient (female: trials for women and for all),
        `age` a patient's in years or as `6 months`, `country` one or several, `start` and `updated` a date
        or `FROM..TO`, `with_results` True or False.

        `sort`: relevance, or one of SORTS with `:asc` or `:desc` behind it; missing values last, ties by
        id. `limit` None gives all. Trials that have only some of the words follow, marked partial, where
        room is left and the order is by relevance.

        Raises QueryError (QuerySyntaxError with the place) for a query, filter or sort that cannot be asked.
        """
        if (limit is not None and limit < 0) or offset < 0:
            raise QueryError("limit and offset are counts: 0 or more")
        options = {
            "cond": cond,
            "intr": intr,
            "title": title,
            "outcome": outcome,
            "sponsor": sponsor,
            "location": location,
            "id": id,
            "inclusion": inclusion,
            "exclusion": exclusion,
        }
        filters = Filters(status, phase, type, sex, age, country, start, updated, with_results)
        parts = [*query_parts(query), *option_parts(options), *filter_parts(filters)]
        texts = [("", query), *((option, text) for option, text in options.items() if text)]
        base = "Everywhere" if everywhere else "BasicSearch"
        return self._answer(parts, texts, base, sort, limit, offset, fuzzy, synonyms)

    def _answer(
        self,
        parts: list[Part],
        texts: list[tuple[str, str]],
        base: str,
        sort: str,
        limit: int | None,
        offset: int,
        fuzzy: bool,
        synonyms: bool,
    ) -> Results:
        snapshot, lexicon = self._current()
        expansion = Expansion(lexicon, synonyms=synonyms, fuzzy=fuzzy)
        widened = [expand(part.query, expansion, base) for part in parts]
        telling = [number for number, part in enumerate(widened) if not says_nothing(part)]
        if telling:
            parts = [parts[number] for number in telling]
            widened = [widened[number] for number in telling]
        whole = conjunction(widened)
        evaluator = Evaluator(snapshot)
        scores = evaluator.scores(whole, base)
        order = _order(snapshot, scores, sort)
        end = None if limit is None else offset + limit
        asked = Asked(evaluator, whole, base)
        hits = [Hit(snapshot.key(doc), scores[doc], False, doc, asked) for doc in order[offset:end]]

        partial = PartialHits(evaluator, parts, widened, base, scores)
        if sort == "relevance" and (limit is None or len(hits) < limit):
            room = None if limit is None else limit - len(hits)
            skip = max(0, offset - len(order))
            for doc, score in partial.ranked[skip : None if room is None else skip + room]:
                hits.append(Hit(snapshot.key(doc), score, True, doc, asked))

        def steps() -> tuple[Step, ...]:
            found: list[Step] = []
            left = set(snapshot.docs())
            for part, query in pieces(parts, widened):
                docs = evaluator.scores(query, base).keys()
                left &= docs
                found.append(Step(part, len(docs), len(left)))
            return tuple(found)

        def elsewhere() -> int:
            if base == "Everywhere" or all(part.selects for part in parts):
                return 0
            there = evaluator.scores(whole, "Everywhere")
            return len(there.keys() - scores.keys())

        def did_you_mean() -> tuple[str, ...]:
            return tuple(_did_you_mean(texts, expansion, lexicon))

        return Results(
            hits,
            whole,
            total=len(scores),
            partial_total=lambda: len(partial.ranked),
            offset=offset,
            notes=tuple(dict.fromkeys(expansion.notes)),
            steps=steps,
            did_you_mean=did_you_mean,
            elsewhere=elsewhere,
        )

    def similar(self, identifier: str, *, limit: int = 10) -> Results:
        """Return the trials most like a trial: those that share its most telling words.

        Raises KeyError where the index does not hold the id.
        """
        snapshot, lexicon = self._current()
        doc = self._document(snapshot, identifier)
        evaluator = Evaluator(snapshot)
        query = likeness(evaluator, doc, lexicon.vocabulary)
        scores = {other: score for other, score in evaluator.scores(query).items() if other != doc}
        asked = Asked(evaluator, query, "BasicSearch")
        hits = [
            Hit(snapshot.key(other), scores[other], False, other, asked)
            for other in _order(snapshot, scores, "relevance")[:limit]
        ]
        return Results(
            hits, query, total=len(scores), partial_total=lambda: 0, offset=0, notes=(), steps=lambda: (),
            did_you_mean=lambda: (), elsewhere=lambda: 0,
        )  # fmt: skip

    def suggest(self, prefix: str, *, limit: int = 10) -> list[Suggestion]:
        """Return the names of conditions and interventions that have a word beginning with a prefix,
        with trial counts.
        """
        snapshot, _ = self._current()
        with self._lock:
            if self._names is None or self._names[0] is not snapshot:
                self._names = snapshot, NameList(snapshot)
            names = self._names[1]
        return names.suggest(prefix, limit)


def _order(snapshot: Snapshot, scores: dict[int, float], sort: str) -> list[int]:
    name, _, direction = sort.partition(":")
    if direction not in ({""} if name == "relevance" else {"", "asc", "desc"}) or (
        name != "relevance" and name not in SORTS
    ):
        raise QueryError(
            f"no sort {sort!r}; relevance, or one of {', '.join(SORTS)}, with :asc or :desc behind it"
        )
    if name == "relevance":
        return sorted(scores, key=lambda doc: (-scores[doc], snapshot.key(doc)))
    field, falling = SORTS[name]
    falling = falling if not direction else direction == "desc"
    if not field:
        return sorted(scores, key=snapshot.key, reverse=falling)
    column = snapshot.column(field)
    sign = -1.0 if falling else 1.0
    valued = [doc for doc in scores if column[doc] is not None]
    missing = [doc for doc in scores if column[doc] is None]
    valued.sort(key=lambda doc: (sign * (column[doc] or 0.0), snapshot.key(doc)))
    return valued + sorted(missing, key=snapshot.key)


def _did_you_mean(texts: list[tuple[str, str]], expansion: Expansion, lexicon: IndexLexicon) -> list[str]:
    """Return the texts asked, unknown words in them replaced by the nearest names that the index has: at
    most five.

    `texts`: (option, text); the query itself has no option. Every unknown word is replaced by its nearest
    name first, then each by its next ones.
    """
    names = lexicon.name_words(None)
    nearer = {
        word: [name for name in nearest(word, names) if names[name] > 0]
        for word in dict.fromkeys(word for word, _ in expansion.unknown)
    }
    first = {word: found[0] for word, found in nearer.items() if found}
    tries = [first, *(first | {word: name} for word in first for name in nearer[word][1:])]
    found: list[str] = []
    for option, text in texts:
        for chosen in tries:
            said = _WORD.sub(lambda match, chosen=chosen: chosen.get(fold(match[0]), match[0]), text)  # type: ignore[misc]
            if said != text:
                found.append(f"{option}: {said}" if option else said)
    return list(dict.fromkeys(found))[:5]
