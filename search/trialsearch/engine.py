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
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from trialindex.analysis import fold
from trialindex.contents import exists
from trialindex.errors import IndexMissing, QueryError
from trialindex.snapshot import Snapshot, open_snapshot
from trialsearch.asked import told
from trialsearch.evaluate import Evaluator, Top
from trialsearch.lexicon import IndexLexicon
from trialsearch.lists import Bools, Docs, Recent, at_places
from trialsearch.misspelt import offers
from trialsearch.partial import PartialHits
from trialsearch.plans import Plan, Question, make_plan
from trialsearch.query import And, Query
from trialsearch.results import Asked, Funnel, Results, Widening, hits_of
from trialsearch.sorting import RELEVANCE, SortKey, by_relevance, ordered, parse_sort

if TYPE_CHECKING:
    from trialindex.trial import Trial
    from trialsearch.facets import Facets
    from trialsearch.filters import FilterValues
    from trialsearch.suggest import NameList, Suggestion
    from trialsearch.vocab import Meanings
    from trialsearch.whole import Whole

__all__ = ["TrialSearch", "default_index"]

# Questions that a snapshot keeps parsed and widened.
_KEPT_PLANS = 500
# What filters together leave that is kept.
_KEPT_ALLOWED = 16
# Corrected texts that are shown, and of how many is tried whether they find anything.
_MOST_OFFERED = 5
_MOST_TRIED = 20
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
        self._state: _State | None = None

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
                self._state.snapshot.close()
            self._state = None

    def __enter__(self) -> TrialSearch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> _State:
        with self._lock:
            if self._state is None or not self._state.snapshot.is_current():
                self._state = _State(open_snapshot(self._folder))
            return self._state

    def __len__(self) -> int:
        return len(self._current().snapshot)

    def __contains__(self, identifier: object) -> bool:
        return (
            isinstance(identifier, str)
            and self._current().snapshot.find(identifier.strip().upper()) is not None
        )

    def __getitem__(self, identifier: str) -> Trial:
        """Return the trial of an id or a former id. Raises KeyError where the index does not hold it."""
        from trialindex.trial import Trial

        return Trial.from_study(self.study(identifier))

    def study(self, identifier: str) -> dict[str, Any]:
        """Return the stored record of an id or a former id, in the registry's own structure.

        Raises KeyError where the index does not hold it.
        """
        snapshot = self._current().snapshot
        return snapshot.study(self._document(snapshot, identifier))

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
        lead: str | None = None,
        location: str | None = None,
        id: str | None = None,
        patient: str | None = None,
        inclusion: str | None = None,
        exclusion: str | None = None,
        everywhere: bool = False,
        sort: str = "relevance",
        limit: int | None = 10,
        offset: int = 0,
        fuzzy: bool = True,
        synonyms: bool = True,
        **filters: Unpack[FilterValues],
    ) -> Results:
        """Search, and return a page of results.

        `query` is text in the query language (`trialsearch.parse`); plain words ask the area BasicSearch,
        with `everywhere` all text of a trial. `cond` to `exclusion` ask one area each, in the same
        language. `filters` leave trials out and do not touch the score; `trialsearch.filters.FilterValues`
        says which there are and what each takes: `status="recruiting"`, `phase=[1, "1/2"]`, `age=34`,
        `country="China"`, `near="Boston", within="50mi"`, `start="2012..2013-06"`,
        `filter="AREA[DesignMasking]DOUBLE"`.

        `sort` (`trialsearch.sorting`): relevance, or one or two keys such as `start:asc,enrollment`; missing
        values last, ties by id. `limit` None gives all. Trials that have only some of the words follow,
        marked partial, where room is left and the order is by relevance.

        Raises QueryError (QuerySyntaxError with the place) for a query, filter or sort that cannot be asked.
        """
        _check_counts(limit, offset)
        options = {
            "cond": cond,
            "intr": intr,
            "title": title,
            "outcome": outcome,
            "sponsor": sponsor,
            "lead": lead,
            "location": location,
            "id": id,
            "patient": patient,
            "inclusion": inclusion,
            "exclusion": exclusion,
        }
        base = "Everywhere" if everywhere else "BasicSearch"
        question = Question(query, tuple(options.items()), _settled(filters), base, fuzzy, synonyms)
        keys = parse_sort(sort)
        state = self._current()
        return _Answer(state, state.plan(question)).results(keys, limit, offset)

    def registry_search(self, parameters: Mapping[str, object]) -> Results:
        """Search by the parameters of the registry's own API: `{"query.cond": "lung cancer",
        "filter.overallStatus": "RECRUITING", "pageSize": 20}`. See `trialsearch.registry_params`.

        Raises QueryError for a parameter that there is not, naming the nearest, and as `search` does.
        """
        from trialsearch.registry_params import arguments

        return self.search(**arguments(parameters))

    def similar(self, identifier: str, *, limit: int = 10) -> Results:
        """Return the trials most like a trial: those that share its most telling words.

        Raises KeyError where the index does not hold the id.
        """
        from trialsearch.similar import likeness

        _check_counts(limit)
        state = self._current()
        evaluator = state.evaluator
        doc = self._document(state.snapshot, identifier)
        query = likeness(evaluator, doc)
        others = np.ones(evaluator.size, np.bool_)
        others[doc] = False
        asked = Asked(evaluator, query, "BasicSearch")
        top = evaluator.top(query, asked.area, limit, others)

        def whole() -> Whole:
            docs = evaluator.match(query, asked.area)
            return state.whole(docs[docs != doc], asked, query)

        return Results(
            hits_of(top.docs, top.scores, asked), query, effective=None, told=lambda: identifier,
            total=top.total, partial_total=lambda: 0, offset=0, notes=(), funnel=lambda: Funnel((), None),
            did_you_mean=lambda: (), elsewhere=lambda: 0, widened=lambda: (), whole=whole,
        )  # fmt: skip

    def meanings(self, term: str) -> Meanings:
        """Return what a term means: the things that it names, with their names and narrower things, and the
        number of trials that each finds.
        """
        from trialsearch.vocab import meanings

        state = self._current()
        return meanings(state.lexicon, state.evaluator, term)

    def suggest(self, prefix: str, *, limit: int = 10) -> list[Suggestion]:
        """Return the names of conditions and interventions that have a word beginning with a prefix, with
        trial counts, those of most trials first; behind them, where they are few, names that begin nearly so.
        """
        return self._current().names().suggest(prefix, limit)


class _State:
    """A snapshot, and what was made ready over it. Shared between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.lexicon = IndexLexicon(snapshot)
        self.evaluator = Evaluator(snapshot)
        self._plans: Recent[Plan] = Recent(_KEPT_PLANS)
        self._allowed: Recent[Bools] = Recent(_KEPT_ALLOWED)
        self._names: NameList | None = None
        self._facets: Facets | None = None

    def names(self) -> NameList:
        """Return the names for suggestions."""
        from trialsearch.suggest import NameList

        if self._names is None:
            self._names = NameList(self.snapshot)
        return self._names

    def whole(self, docs: Docs, asked: Asked, scored: Query) -> Whole:
        """Return all that is known of some documents at once, see `Whole`."""
        from trialsearch.facets import Facets
        from trialsearch.whole import Whole

        if self._facets is None:
            self._facets = Facets(self.snapshot)
        return Whole(docs, asked, scored, self._facets)

    def plan(self, question: Question) -> Plan:
        """Return what a question means; raises QueryError where it cannot be asked."""
        found = self._plans.get(question)
        if found is None:
            found = make_plan(question, self.lexicon, self.evaluator)
            self._plans.put(question, found)
        return found

    def allowed(self, plan: Plan) -> Bools | None:
        """Return the documents that the filters of a plan and deletions leave, bool[corpus]; None are all.
        Shared: do not change it.
        """
        live = self.snapshot.live
        if not plan.masks:
            return live
        found = self._allowed.get((plan.masks, plan.area))
        if found is None:
            mask = self.evaluator.mask(plan.masks[0] if len(plan.masks) == 1 else And(plan.masks), plan.area)
            found = mask if live is None else mask & live
            self._allowed.put((plan.masks, plan.area), found)
        return found


def _check_counts(limit: int | None, offset: int = 0) -> None:
    if (limit is not None and limit < 0) or offset < 0:
        raise QueryError("limit and offset are counts: 0 or more")


def _settled(filters: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    if not filters:
        return ()
    from trialsearch.filters import settled

    return settled(filters)


class _Answer:
    """What a plan finds on one state: a page of hits, and all else when it is looked at."""

    def __init__(self, state: _State, plan: Plan) -> None:
        self._state = state
        self._evaluator = state.evaluator
        self._plan = plan
        self._allowed = state.allowed(plan)
        self._asked = Asked(state.evaluator, plan.whole, plan.area, plan.near)

    def results(self, keys: tuple[SortKey, ...], limit: int | None, offset: int) -> Results:
        """Return a page of hits in an order."""
        plan = self._plan
        end = None if limit is None else offset + limit
        top = self._top(keys, end)
        docs, scores = top.docs[offset:], top.scores[offset:]
        met = len(docs)
        if by_relevance(keys) and (end is None or top.total < end) and self._partial.possible:
            # Partial hits are counted on from the full ones.
            skip = max(0, offset - top.total)
            more, worth = self._partial.top(None if end is None else end - top.total, np.sort(top.docs))
            docs, scores = np.concatenate((docs, more[skip:])), np.concatenate((scores, worth[skip:]))
        return Results(
            hits_of(docs, scores, self._asked, met),
            plan.whole,
            effective=plan.effective,
            told=lambda: told(plan.parts, plan.area),
            total=top.total,
            partial_total=self._partial_total,
            offset=offset,
            notes=plan.notes,
            funnel=self._funnel,
            did_you_mean=self._did_you_mean,
            elsewhere=self._elsewhere,
            widened=self._widened,
            whole=lambda: self._state.whole(self._full(plan.area), self._asked, plan.asked),
        )

    def _top(self, keys: tuple[SortKey, ...], end: int | None) -> Top:
        """Return the first documents in an order."""
        plan = self._plan
        if keys == RELEVANCE:
            fewest = 0 if plan.strict or end is None else end
            return self._evaluator.top(plan.asked, plan.area, end, self._allowed, fewest)
        docs, scores = self._evaluator.found(plan.asked, plan.area)
        if self._allowed is not None:
            kept = self._allowed[docs]
            docs, scores = docs[kept], scores[kept]
        return Top(*ordered(self._evaluator, docs, scores, keys, end, plan.near), len(docs))

    def _full(self, area: str) -> Docs:
        """Return the documents that have all that was asked, plain words in an area, ascending."""
        docs = self._evaluator.match(self._plan.asked, area)
        return docs if self._allowed is None else docs[self._allowed[docs]]

    @cached_property
    def _partial(self) -> PartialHits:
        plan = self._plan
        return PartialHits(self._evaluator, plan.loose, plan.strict, plan.area, self._allowed)

    def _partial_total(self) -> int:
        return self._partial.total(self._full(self._plan.area)) if self._partial.possible else 0

    def _funnel(self) -> Funnel:
        from trialsearch.funnel import funnel

        return funnel(self._evaluator, self._plan.parts, self._plan.widened, self._plan.area)

    def _did_you_mean(self) -> tuple[str, ...]:
        """Return the texts asked with unknown words replaced; where one stays, only what finds anything."""
        plan, lexicon = self._plan, self._state.lexicon
        unknown = dict.fromkeys(word for word, _ in plan.expansion.unknown)
        nearer = {
            word: [name for name in offers(word, lexicon) if lexicon.frequency(name)] for word in unknown
        }
        offered: Iterable[tuple[str, str]] = _corrected(plan.texts, nearer)
        if not all(nearer.values()):
            offered = (said for said in islice(offered, _MOST_TRIED) if self._finds(*said))
        return tuple(
            f"{option}: {said}" if option else said for option, said in islice(offered, _MOST_OFFERED)
        )

    def _finds(self, option: str, text: str) -> bool:
        """Whether a text finds anything by itself."""
        options = ((option, text),) if option else ()
        question = Question("" if option else text, options, area=self._plan.area, fuzzy=False)
        try:
            plan = self._state.plan(question)
        except QueryError:  # a name may be no word of the query language
            return False
        return self._evaluator.count(plan.whole, plan.area) > 0

    def _elsewhere(self) -> int:
        if self._plan.area == "Everywhere" or all(part.selects for part in self._plan.parts):
            return 0
        there = self._full("Everywhere")
        return len(there) - int(at_places(self._full(self._plan.area), there, self._evaluator.size)[1].sum())

    def _widened(self) -> tuple[Widening, ...]:
        from trialsearch.why import widenings

        return tuple(widenings(self._evaluator, self._plan.whole, self._plan.area))


def _corrected(texts: list[tuple[str, str]], nearer: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield (option, text) of the texts asked with words replaced by names near them, each once.

    `texts`: as yielded; the query itself has no option. `nearer`: of a folded word, the names to try, the
    nearest first. Every word is replaced by its nearest name first, then each by its next ones.
    """
    first = {word: found[0] for word, found in nearer.items() if found}
    tries = [first, *(first | {word: name} for word in first for name in nearer[word][1:])]
    for option, text in texts:
        seen = {text}
        for chosen in tries:
            said = _WORD.sub(lambda match, chosen=chosen: chosen.get(fold(match[0]), match[0]), text)  # type: ignore[misc]
            if said not in seen:
                seen.add(said)
                yield option, said
