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
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trialindex import vocabulary
from trialindex.analysis import fold
from trialindex.errors import IndexMissing, QueryError
from trialindex.storage import Snapshot, exists, open_snapshot
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand
from trialsearch.fuzzy import nearest
from trialsearch.lexicon import IndexLexicon
from trialsearch.parse import age_query, code_query, conjunction, parse, range_query
from trialsearch.query import AgeIs, All, And, Close, Code, In, Name, Not, Or, Query, Words
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
# A search option asks one area.
_AREA_OPTIONS = {
    "cond": "ConditionSearch",
    "intr": "InterventionSearch",
    "title": "TitleSearch",
    "outcome": "OutcomeSearch",
    "sponsor": "SponsorSearch",
    "location": "LocationSearch",
    "id": "IdSearch",
    "inclusion": "Inclusion",
    "exclusion": "Exclusion",
}


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


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what was asked: its text for a person, its parsed and its widened query, the area it is
    asked in.
    """

    label: str
    query: Query
    selects: bool


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
        areas = {
            "cond": cond, "intr": intr, "title": title, "outcome": outcome, "sponsor": sponsor, "location":
            location, "id": id, "inclusion": inclusion, "exclusion": exclusion,
        }  # fmt: skip
        base = "Everywhere" if everywhere else "BasicSearch"
        parts: list[_Part] = []
        if query.strip():
            parts += [_Part(str(part), part, _selects(part)) for part in _conjuncts(parse(query))]
        for option, text in areas.items():
            if text is not None and text.strip():
                asked = _asked_in(_AREA_OPTIONS[option], text)
                parts.append(_Part(f"{option}: {text}", asked, False))
        for label, chosen in _filters(status, phase, type, sex, age, country, start, updated, with_results):
            parts.append(_Part(label, chosen, True))
        return self._answer(parts, base, sort, limit, offset, fuzzy, synonyms)

    def _answer(
        self,
        parts: list[_Part],
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
        whole = conjunction(widened)
        evaluator = Evaluator(snapshot)
        scores = evaluator.scores(whole, base)
        order = _order(snapshot, scores, sort)
        end = None if limit is None else offset + limit
        asked = Asked(evaluator, whole, base)
        hits = [Hit(snapshot.key(doc), scores[doc], False, doc, asked) for doc in order[offset:end]]

        partial = _Partial(evaluator, widened, base, scores)
        if sort == "relevance" and (limit is None or len(hits) < limit):
            room = None if limit is None else limit - len(hits)
            skip = max(0, offset - len(order))
            for doc, score in partial.ranked()[skip : None if room is None else skip + room]:
                hits.append(Hit(snapshot.key(doc), score, True, doc, asked))

        def steps() -> tuple[Step, ...]:
            found: list[Step] = []
            left = set(snapshot.docs())
            for part, query in _pieces(parts, widened):
                docs = evaluator.scores(query, base).keys()
                left &= docs
                found.append(Step(part, len(docs), len(left)))
            return tuple(found)

        def elsewhere() -> int:
            if base == "Everywhere" or not any(not part.selects for part in parts):
                return 0
            there = evaluator.scores(whole, "Everywhere")
            return len(there.keys() - scores.keys())

        def did_you_mean() -> tuple[str, ...]:
            return _did_you_mean(parts, expansion, lexicon)

        return Results(
            hits,
            whole,
            total=len(scores),
            partial_total=lambda: len(partial.ranked()),
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
        snapshot, _ = self._current()
        doc = self._document(snapshot, identifier)
        query = likeness(snapshot, doc)
        evaluator = Evaluator(snapshot)
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


def _conjuncts(query: Query) -> tuple[Query, ...]:
    return query.parts if isinstance(query, And) else (query,)


def _selects(query: Query) -> bool:
    """Whether a query only selects: it has no words of its own."""
    match query:
        case Words() | In():
            return False
        case And(parts) | Or(parts):
            return all(_selects(part) for part in parts)
        case _:
            return not hasattr(query, "text")


def _asked_in(area: str, text: str) -> Query:
    """Return the query of an option: text in the query language, asked in an area.

    `--cond ALL` is a disease, and ids may be given in a list.
    """
    if text.strip() == "ALL":
        return In(area, Words("ALL"))
    if area == "IdSearch" and "," in text:
        ids = [In(area, Words(part.strip())) for part in text.split(",") if part.strip()]
        return ids[0] if len(ids) == 1 else Or(tuple(ids))
    return _inward(parse(text), area)


def _inward(query: Query, area: str) -> Query:
    match query:
        case And(parts):
            return And(tuple(_inward(part, area) for part in parts))
        case Or(parts):
            return Or(tuple(_inward(part, area) for part in parts))
        case Not(part):
            return Not(_inward(part, area))
        case In() | All():
            return query
        case _:
            return In(area, query) if hasattr(query, "text") else query


def _listed(value: str | int | Iterable[str | int]) -> list[str]:
    if isinstance(value, str | int):
        return [str(value)]
    return [str(item) for item in value]


def _filters(
    status: str | Iterable[str] | None,
    phase: str | int | Iterable[str | int] | None,
    study_type: str | Iterable[str] | None,
    sex: str | None,
    age: str | int | None,
    country: str | Iterable[str] | None,
    start: str | None,
    updated: str | None,
    with_results: bool | None,
) -> Iterable[tuple[str, Query]]:
    for label, field, value in (
        ("status", "OverallStatus", status),
        ("phase", "Phase", phase),
        ("type", "StudyType", study_type),
    ):
        if value is not None:
            listed = ",".join(_listed(value))
            yield f"{label}: {listed}", code_query(field, listed)
    if sex is not None:
        code = code_query("Sex", sex)
        # A woman may join trials for women and trials for all.
        both = code if code == Code("Sex", "ALL") else Or((code, Code("Sex", "ALL")))
        yield f"sex: {sex}", both
    if age is not None:
        yield f"age: {age}", age_query(str(age))
    if country is not None:
        names: list[Query] = [Name("Country", " ".join(name.split())) for name in _listed(country)]
        yield f"country: {', '.join(_listed(country))}", names[0] if len(names) == 1 else Or(tuple(names))
    for label, field, dates in (("start", "StartDate", start), ("updated", "LastUpdatePostDate", updated)):
        if dates is not None:
            low, dots, high = dates.partition("..")
            yield f"{label}: {dates}", range_query(field, low, high if dots else low)
    if with_results is not None:
        yield f"results: {'yes' if with_results else 'no'}", _results_query(with_results)


def _results_query(wanted: bool) -> Query:
    posted = Code("HasResults", "true")
    return posted if wanted else Not(posted)


def _order(snapshot: Snapshot, scores: dict[int, float], sort: str) -> list[int]:
    name, _, direction = sort.partition(":")
    if direction not in {"", "asc", "desc"} or (name != "relevance" and name not in SORTS):
        raise QueryError(
            f"no sort {sort!r}; one of relevance, {', '.join(SORTS)}, with :asc or :desc behind it"
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


def _pieces(parts: list[_Part], widened: list[Query]) -> list[tuple[str, Query]]:
    """Return the pieces of what was asked that each must be met, down to single words, with their labels."""
    found: list[tuple[str, Query]] = []
    for part, query in zip(parts, widened, strict=True):
        if part.selects:
            found.append((part.label, query))
            continue
        found.extend((label or part.label, piece) for label, piece in _required(query))
    return found


def _required(query: Query) -> list[tuple[str, Query]]:
    match query:
        case Close(part, _):
            return _required(part)
        case In(area, part):
            return [(f"{label} in {area}", In(area, piece)) for label, piece in _required(part)]
        case And(parts):
            return [entry for part in parts for entry in _required(part)]
        case _:
            return [(str(query), query)]


class _Partial:
    """The trials that have some of the words asked, not all, and pass every filter; worked out when asked."""

    def __init__(self, evaluator: Evaluator, widened: list[Query], base: str, full: dict[int, float]) -> None:
        self._evaluator = evaluator
        self._widened = widened
        self._base = base
        self._full = full
        self._ranked: list[tuple[int, float]] | None = None

    def ranked(self) -> list[tuple[int, float]]:
        """Return (document, score): most words first, then the best score, then the id."""
        if self._ranked is None:
            self._ranked = self._rank()
        return self._ranked

    def _rank(self) -> list[tuple[int, float]]:
        pieces = [piece for query in self._widened for _, piece in _required(query)]
        asked = [piece for piece in pieces if not _selects_widened(piece)]
        if len(asked) < 2:
            return []
        counts: dict[int, int] = {}
        scores: dict[int, float] = {}
        for piece in asked:
            for doc, score in self._evaluator.scores(piece, self._base).items():
                counts[doc] = counts.get(doc, 0) + 1
                scores[doc] = scores.get(doc, 0.0) + score
        for piece in pieces:
            if _selects_widened(piece):
                passed = self._evaluator.scores(piece, self._base).keys()
                counts = {doc: number for doc, number in counts.items() if doc in passed}
        found = [doc for doc in counts if doc not in self._full]
        key = self._evaluator.snapshot.key
        found.sort(key=lambda doc: (-counts[doc], -scores[doc], key(doc)))
        return [(doc, scores[doc]) for doc in found]


def _selects_widened(query: Query) -> bool:
    match query:
        case In(_, part):
            return _selects_widened(part)
        case Or(parts):
            return all(_selects_widened(part) for part in parts)
        case Not() | Code() | Name() | AgeIs() | All():
            return True
        case _:
            return hasattr(query, "field")


def _did_you_mean(parts: list[_Part], expansion: Expansion, lexicon: IndexLexicon) -> tuple[str, ...]:
    """Return the words asked with unknown ones replaced by the nearest names: at most five texts."""
    found: list[str] = []
    for word, _area in dict.fromkeys(expansion.unknown):
        for name in nearest(word, lexicon.name_words(None)):
            for part in parts:
                words = part.label.split()
                if any(fold(typed) == word for typed in words):
                    found.append(" ".join(name if fold(typed) == word else typed for typed in words))
    return tuple(dict.fromkeys(found))[:5]
