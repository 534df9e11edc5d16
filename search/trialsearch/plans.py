"""What does a question mean on one snapshot: its parts, widened, and what only leaves trials out."""

from __future__ import annotations

from typing import NamedTuple

from trialindex.frozen import frozen
from trialsearch.asked import Part, effective, option_parts, query_parts
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand, says_nothing
from trialsearch.lexicon import IndexLexicon
from trialsearch.limits import check, check_together, cut_short
from trialsearch.query import Distance, Query, children, conjunction
from trialsearch.selecting import only_selects
from trialsearch.trimming import trimmed

__all__ = ["Plan", "Question", "make_plan"]


@frozen
class Question:
    """What a call asks: the query text, (option, text) of what asks one area, (filter, value), the area of
    plain words, and how words are taken. Can be compared, so that its plan can be kept.
    """

    text: str
    options: tuple[tuple[str, str | None], ...] = ()
    filters: tuple[tuple[str, object], ...] = ()
    area: str = "BasicSearch"
    fuzzy: bool = True
    synonyms: bool = True


class Plan(NamedTuple):
    """What a question means on one snapshot.

    `parts` and their `widened` queries; `whole`, all of them; `asked`, without what only selects or is a
    filter, which is `masks`; of `asked` the `loose` and the `strict` queries; `area`, where plain words are
    asked; `effective`, all parts as typed; `near`, the place that distances are taken from; `texts`, (option,
    text) of what was typed; what `expansion` found out.
    """

    parts: list[Part]
    widened: list[Query]
    whole: Query
    asked: Query
    masks: tuple[Query, ...]
    loose: list[Query]
    strict: list[Query]
    area: str
    effective: Query
    near: Distance | None
    texts: list[tuple[str, str]]
    expansion: Expansion
    notes: tuple[str, ...]


def make_plan(question: Question, lexicon: IndexLexicon, evaluator: Evaluator) -> Plan:
    """Return what a question means; raises QueryError where it cannot be asked."""
    area = question.area
    filters = dict(question.filters)
    parts = [*query_parts(question.text), *option_parts(dict(question.options))]
    if filters:
        from trialsearch.filters import check_countries, filter_parts

        parts += filter_parts(filters)
        check_countries(filters, evaluator.snapshot)
    expansion = Expansion(
        lexicon, synonyms=question.synonyms, fuzzy=question.fuzzy, all_names=False, known=lexicon.known
    )
    widened = [trimmed(expand(part.query, expansion, area), lexicon.anywhere) for part in parts]
    broad = check(widened)
    telling = [number for number, part in enumerate(widened) if not says_nothing(part)]
    if telling:
        parts = [parts[number] for number in telling]
        widened = [widened[number] for number in telling]
    masks = [part.filters or only_selects(query) for part, query in zip(parts, widened, strict=True)]
    scored = [(part, query) for part, query, masked in zip(parts, widened, masks, strict=True) if not masked]
    whole = conjunction(widened)
    if broad:
        check_together(evaluator, whole, area)
    said = [*expansion.notes, *(note for part in parts for note in part.notes)]
    return Plan(
        parts,
        widened,
        whole,
        conjunction([query for _, query in scored]) if any(masks) else whole,
        tuple(query for query, masked in zip(widened, masks, strict=True) if masked),
        [query for part, query in scored if part.loose],
        [query for part, query in scored if not part.loose],
        area,
        effective(parts, area),
        next((place for part in parts for place in _places(part.query)), None),
        [("", question.text), *((option, text) for option, text in question.options if text)],
        expansion,
        tuple(dict.fromkeys([*said, *(cut_short(evaluator, whole, area) if broad else ())])),
    )


def _places(query: Query) -> list[Distance]:
    """Return the places around which a query asks."""
    if isinstance(query, Distance):
        return [query]
    return [place for part in children(query) for place in _places(part)]
