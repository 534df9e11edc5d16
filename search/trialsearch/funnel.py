"""Which part of what was asked leaves how many trials: alone, after those before it, and if it is dropped.

The pieces that must all be met are counted, names and filters each alone; inside a piece that holds others
(the branches of an OR, the conditions on one site) these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from trialsearch.asked import Part
from trialsearch.lists import at_places
from trialsearch.partial import pieces
from trialsearch.query import (
    And,
    AtSite,
    Best,
    In,
    Or,
    Query,
    Term,
    Tiers,
    Words,
    conjunction,
    disjunction,
    mapped,
)
from trialsearch.results import Funnel, Step

if TYPE_CHECKING:
    from trialsearch.evaluate import Evaluator
    from trialsearch.lists import Docs

__all__ = ["as_typed", "funnel"]

# Steps below other steps that are counted: whoever reads them wants to see which to drop, not a list.
_MOST_INSIDE = 60


def as_typed(query: Query) -> Query:
    """Return a widened query as it was typed.

    >>> from trialsearch.query import Way
    >>> print(as_typed(In("TitleSearch", Best("gout", (Way("synonym", "podagra", Term("podagra")),)))))
    AREA[TitleSearch]gout
    """
    match query:
        case Best(text, _):
            return Term(text) if text.startswith('"') else Words(text)
        case Tiers(text, _):
            return Words(text)
        case _:
            return mapped(query, as_typed)


def funnel(evaluator: Evaluator, parts: Sequence[Part], widened: Sequence[Query], area: str) -> Funnel:
    """Return a step for each piece of what was asked, in its order, and the one to drop.

    `widened`: the widened query of each part.
    """
    asked = [
        (part.selects or part.filters, label, query)
        for part, whole in zip(parts, widened, strict=True)
        for label, query in pieces([part], [whole])
    ]
    found = [evaluator.match(query, area) for _, _, query in asked]
    # How many of the pieces each trial meets: who lacks one alone would be left without that one.
    met = np.zeros(evaluator.size, np.int32)
    for docs in found:
        met[docs] += 1
    every = np.flatnonzero(met == len(found)).astype(np.uint32)
    nearly = np.flatnonzero(met == len(found) - 1).astype(np.uint32)
    if evaluator.snapshot.live is not None:
        nearly = nearly[evaluator.snapshot.live[nearly]]
    inside = _Inside(evaluator, area)
    steps: list[Step] = []
    left = evaluator.snapshot.docs()
    for (_, label, query), docs in zip(asked, found, strict=True):
        rest = np.union1d(every, nearly[~at_places(docs, nearly, evaluator.size)[1]])
        within = inside.steps(query, left, rest)
        left = left[at_places(docs, left, evaluator.size)[1]]
        steps.append(Step(label, len(docs), len(left), len(rest), within))
    return Funnel(tuple(steps), _best([filters for filters, _, _ in asked], steps, len(left)))


def _best(filters: Sequence[bool], steps: Sequence[Step], total: int) -> Step | None:
    """Return the step to drop; `filters`: which steps are no words, `total`: what all steps leave."""
    ranked: list[tuple[bool, int, Step]] = []
    for no_words, step in zip(filters, steps, strict=True):
        waiting = [step] if len(steps) > 1 else [*step.inside]
        while waiting:
            one = waiting.pop(0)
            waiting += one.inside
            if one.without is not None and one.without > total:
                ranked.append((no_words, one.without, one))
    return max(ranked, key=lambda entry: entry[:2], default=(False, 0, None))[2]


# What puts a query back in the place of the part that it was taken from.
_Around = Callable[[Query], Query]


class _Inside:
    """Counts the parts inside the pieces of one question."""

    def __init__(self, evaluator: Evaluator, area: str) -> None:
        self._evaluator = evaluator
        self._area = area
        self._room = _MOST_INSIDE

    def steps(self, query: Query, before: Docs, rest: Docs) -> tuple[Step, ...]:
        """Return the steps inside a piece; `before`: the trials that the pieces before leave, `rest`: those
        that all other pieces leave.
        """
        return tuple(self._parts(query, lambda part: part, lambda part: part, before, rest))

    def _parts(
        self, query: Query, alone: _Around, around: _Around, before: Docs, rest: Docs
    ) -> Iterator[Step]:
        """Yield the steps inside a query. `alone`: makes of a part what can be asked alone, `around`: of the
        query, or what is left of it, the whole piece.
        """
        match query:
            case In(area, part):
                yield from self._parts(
                    part,
                    lambda one: alone(In(area, one)),
                    lambda one: around(In(area, one)),
                    before,
                    rest,
                )
            case AtSite(And() as part):
                yield from self._conditions(
                    part, lambda one: alone(AtSite(one)), lambda one: around(AtSite(one)), before, rest
                )
            case Or(parts) if any(isinstance(part, And | AtSite) for part in parts):
                for number, part in enumerate(parts):
                    others = [*parts[:number], *parts[number + 1 :]]

                    def beside(one: Query, others: list[Query] = others) -> Query:
                        return around(disjunction([one, *others]))

                    if isinstance(part, And):
                        within = tuple(self._conditions(part, alone, beside, before, rest))
                    else:
                        within = tuple(self._parts(part, alone, beside, before, rest))
                    yield from self._step(part, alone(part), None, before, rest, within)

    def _conditions(
        self, query: And, alone: _Around, around: _Around, before: Docs, rest: Docs
    ) -> Iterator[Step]:
        for number, part in enumerate(query.parts):
            others = conjunction([*query.parts[:number], *query.parts[number + 1 :]])
            yield from self._step(part, alone(part), around(others), before, rest)

    def _step(
        self,
        part: Query,
        alone: Query,
        dropped: Query | None,
        before: Docs,
        rest: Docs,
        within: tuple[Step, ...] = (),
    ) -> Iterator[Step]:
        """Yield the step of a part: `dropped` is its piece without it. None where enough were counted."""
        if self._room:
            self._room -= 1
            found = self._evaluator.match(alone, self._area)
            left = None if dropped is None else self._evaluator.match(dropped, self._area)
            yield Step(
                str(as_typed(part)),
                len(found),
                self._common(found, before),
                None if left is None else self._common(left, rest),
                within,
            )

    def _common(self, some: Docs, others: Docs) -> int:
        return int(at_places(some, others, self._evaluator.size)[1].sum())
