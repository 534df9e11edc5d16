"""Answers: hits, and what there is to know about them, worked out when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from trialindex.fields import FIELDS, area_fields
from trialindex.frozen import frozen
from trialsearch.query import Distance, Query

if TYPE_CHECKING:
    from trialindex.summary import Summary
    from trialindex.trial import Trial
    from trialsearch.evaluate import Evaluator
    from trialsearch.facets import Facet
    from trialsearch.highlight import Snippet
    from trialsearch.lists import Docs, Scores
    from trialsearch.ranking import Explanation
    from trialsearch.sites import SiteShown
    from trialsearch.whole import Whole
    from trialsearch.why import Match

__all__ = ["Asked", "Funnel", "Hit", "Results", "Step", "Widening", "hits_of"]

_MOST_SNIPPETS = 3


@dataclass(frozen=True, init=False)
class Hit:
    """One trial found. `partial`: it has some of the words asked, not all.

    Everything but `id`, `score` and `partial` is read from the index when first looked at, and kept.
    """

    id: str
    score: float
    partial: bool = False
    _doc: int = field(default=-1, repr=False, compare=False)
    _asked: Asked | None = field(default=None, repr=False, compare=False)

    def __init__(
        self, id: str, score: float, partial: bool = False, _doc: int = -1, _asked: Asked | None = None
    ) -> None:
        # Past what refuses assignment, and quicker: every answer makes ten of these.
        held = vars(self)
        held["id"] = id
        held["score"] = score
        held["partial"] = partial
        held["_doc"] = _doc
        held["_asked"] = _asked

    @property
    def _context(self) -> Asked:
        if self._asked is None:
            raise ValueError("this hit was made by hand and has no index behind it")
        return self._asked

    @cached_property
    def study(self) -> dict[str, Any]:
        """The stored record, in the registry's own structure."""
        return self._context.evaluator.snapshot.study(self._doc)

    @cached_property
    def summary(self) -> Summary:
        """What a list shows of the record."""
        from trialindex.summary import Summary

        return Summary(self.study)

    @cached_property
    def trial(self) -> Trial:
        """The typed view of the record."""
        from trialindex.trial import Trial

        return Trial.from_study(self.study)

    @cached_property
    def why(self) -> tuple[Match, ...]:
        """Which of the words asked the trial meets, how, and in which fields."""
        from trialsearch.why import matches

        asked = self._context
        return matches(asked.evaluator, asked.query, self._doc, asked.area, partly=self.partial)

    @cached_property
    def snippets(self) -> tuple[Snippet, ...]:
        """Pieces of the trial's text with the words found: at most three, from the heaviest fields."""
        from trialsearch.highlight import snippet

        # A word is marked where it was found: the first word of a name is nothing without the rest of it.
        terms: dict[str, set[str]] = {}
        for match in self.why:
            for name in match.fields:
                if FIELDS[name].kind == "text":
                    terms.setdefault(name, set()).update(match.terms)
        weights = area_fields(self._context.area)
        found: list[Snippet] = []
        for name in sorted(terms, key=lambda name: (name in _SHOWN_ANYWAY, -weights.get(name, 1.0))):
            pieces = (snippet(name, value, frozenset(terms[name])) for value in _texts(self.study, name))
            best = max((piece for piece in pieces if piece), key=lambda piece: len(piece.spans), default=None)
            if best is not None:
                found.append(best)
            if len(found) == _MOST_SNIPPETS:
                break
        return tuple(found)

    @cached_property
    def distance(self) -> float | None:
        """How far the nearest site lies from the place that was asked (`distance_unit`); None where no place
        was asked, or where no site has coordinates or a known city.
        """
        from trialsearch.distance import UNITS
        from trialsearch.sites import nearest

        asked = self._context
        if asked.near is None:
            return None
        held = nearest(asked.evaluator.snapshot, asked.near.point)
        away = float(held[self._doc]) / UNITS[asked.near.unit]
        return None if away != away else away

    @property
    def distance_unit(self) -> str:
        """The unit of `distance`: mi or km; "" where no place was asked."""
        near = self._context.near
        return "" if near is None else near.unit

    @cached_property
    def sites(self) -> tuple[SiteShown, ...]:
        """The sites, those that recruit first, then the nearest to the place that was asked, if one was."""
        from trialsearch.sites import sites_shown

        near = self._context.near
        if near is None:
            return tuple(sites_shown(self.study))
        return tuple(sites_shown(self.study, near.point, near.unit))

    @cached_property
    def explanation(self) -> Explanation | None:
        """The score and its parts; None for a partial hit, which the whole query does not find."""
        from trialsearch.explain import explain

        asked = self._context
        return explain(asked.evaluator, asked.query, self._doc, asked.area)


def hits_of(docs: Docs, scores: Scores, asked: Asked, full: int | None = None) -> list[Hit]:
    """Return the hits of documents; those behind the first `full` are partial, with None none is."""
    if not len(docs):
        return []
    ids = asked.evaluator.snapshot.keys(docs).tolist()
    met = len(docs) if full is None else full
    return [
        Hit(key.decode("utf-8", "surrogatepass"), score, place >= met, doc, asked)
        for place, (key, score, doc) in enumerate(zip(ids, scores.tolist(), docs.tolist(), strict=True))
    ]


def _texts(study: dict[str, Any], field: str) -> list[str]:
    """Return the texts of a field of a study."""
    path = FIELDS[field].path
    if path:
        from trialindex.study_fields import values

        return [str(value) for value in values(study, path)]
    # Few fields are made of a whole study, and a search from a fresh start waits for what makes them.
    from trialindex.document import field_text

    return field_text(study, field)


# What every answer shows of a trial: a snippet of it says the least.
_SHOWN_ANYWAY = frozenset({"BriefTitle", "NCTId", "Acronym"})


class Asked(NamedTuple):
    """The widened query that hits come from, what evaluates it, and the place that
    distances are taken from.
    """

    evaluator: Evaluator
    query: Query
    area: str
    near: Distance | None = None


@frozen
class Step:
    """A part of a query or a filter: how many trials it finds alone, how many are left of it and the parts
    before it, and how many would be if it alone were dropped.

    `inside`: the parts that it has itself, the branches of an OR or the conditions on one site, counted in
    the same way; of a branch `without` is None: dropping it leaves no more trials.
    """

    text: str
    alone: int
    left: int
    without: int | None = None
    inside: tuple[Step, ...] = ()


@frozen
class Funnel:
    """What the parts of a question leave, and the one to drop, see `Results.best_dropped`."""

    steps: tuple[Step, ...]
    best: Step | None


@frozen
class Widening:
    """What else a word or a name was looked for as.

    `read`: the spellings that were taken for it; `names`: other names that trials have, with how many have
    each, most first; `linked`: how many trials are linked to what it means, or to a kind of that.
    """

    asked: str
    read: tuple[str, ...]
    names: tuple[tuple[str, int], ...]
    linked: int


class Results(Sequence[Hit]):
    """The hits of one page, best first: a sequence of frozen `Hit`.

    Attributes: `query`, the query as understood (its `str` shows what it was widened to); `total`, how many
    trials have all of it; `notes`, what the user should know about it; `offset`, the number of hits before
    this page.
    """

    def __init__(
        self,
        hits: Sequence[Hit],
        query: Query,
        *,
        effective: Query | None,
        told: Callable[[], str],
        total: int,
        partial_total: Callable[[], int],
        offset: int,
        notes: Sequence[str],
        funnel: Callable[[], Funnel],
        did_you_mean: Callable[[], tuple[str, ...]],
        elsewhere: Callable[[], int],
        widened: Callable[[], tuple[Widening, ...]],
        whole: Callable[[], Whole],
    ) -> None:
        self._hits = tuple(hits)
        self.query = query
        self._effective = effective
        self._told = told
        self.total = total
        self.offset = offset
        self.notes = tuple(notes)
        self._partial_total = partial_total
        self._count_funnel = funnel
        self._did_you_mean = did_you_mean
        self._elsewhere = elsewhere
        self._widened = widened
        self._whole = whole

    @cached_property
    def partial_total(self) -> int:
        """How many trials have some of the words, not all; they are not in `total`."""
        return self._partial_total()

    @cached_property
    def _funnel(self) -> Funnel:
        return self._count_funnel()

    @property
    def steps(self) -> tuple[Step, ...]:
        """How many trials each part of the query and each filter finds alone, and how many are left
        after it.
        """
        return self._funnel.steps

    @cached_property
    def effective(self) -> str:
        """All that was asked, filters too, as one text in the query language: asked alone, with synonyms and
        spellings taken as they were, it finds the same trials. "" where a trial was asked, and no text.
        """
        return "" if self._effective is None else str(self._effective)

    @cached_property
    def asked(self) -> str:
        """All that was asked, for a person: the query in its own language, then options and filters as they
        were given: `lupus; phase: 2; near: 50 mi around Paris, France`.
        """
        return self._told()

    @property
    def best_dropped(self) -> Step | None:
        """The step without which most trials are left, words last: they are what is looked for. None where
        dropping a single one leaves no more trials, or leaves nothing asked.
        """
        return self._funnel.best

    @cached_property
    def did_you_mean(self) -> tuple[str, ...]:
        """Other spellings of the query, for words that nothing knows; at most five."""
        return self._did_you_mean()

    @cached_property
    def elsewhere(self) -> int:
        """How many more trials have the words only in criteria, descriptions and results, which plain
        words do not ask.
        """
        return self._elsewhere()

    @cached_property
    def widened(self) -> tuple[Widening, ...]:
        """What else the words and names asked were looked for as."""
        return self._widened()

    @cached_property
    def whole(self) -> Whole:
        """All trials found, not this page of them: their ids, states and facets."""
        return self._whole()

    def facets(self, *names: str, limit: int | None = 20) -> dict[str, Facet]:
        """Return how all trials found spread over the values of fields, by the names asked
        (`trialsearch.facets`); of each field at most `limit` values, None for all.

        Raises QueryError, naming the nearest, for a name that is none.
        """
        return self.whole.facets(names, limit)

    @overload
    def __getitem__(self, place: int) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Hit]: ...

    def __getitem__(self, place: int | slice) -> Hit | Sequence[Hit]:
        return self._hits[place]

    def __len__(self) -> int:
        return len(self._hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self._hits)

    def __repr__(self) -> str:
        return f"<Results {len(self)} of {self.total} for {self.query}>"
