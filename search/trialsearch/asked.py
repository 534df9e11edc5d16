"""What a call of `search` asks, part by part: the words and each option, as queries; filters are parts too
(`trialsearch.filters`).

A part is *loose* where a trial may have some of its words and still be worth showing (plain words), it
*selects* where it has no words of its own (codes, ranges, names of countries), it *filters* where it leaves
the order alone; all other parts (an option, a phrase, a field) are met or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trialindex.frozen import frozen
from trialindex.registry_ids import is_nct_id
from trialsearch.parse import parse
from trialsearch.query import (
    And,
    AtSite,
    Covered,
    Expanded,
    In,
    Or,
    Query,
    Tilted,
    Words,
    any_of,
    conjunction,
    mapped,
)

__all__ = ["AREA_OPTIONS", "Part", "conjuncts", "effective", "option_parts", "query_parts", "told"]

# A search option asks one area.
AREA_OPTIONS = {
    "cond": "ConditionSearch",
    "intr": "InterventionSearch",
    "title": "TitleSearch",
    "outcome": "OutcomeSearch",
    "sponsor": "SponsorSearch",
    "lead": "LeadSponsorName",
    "location": "LocationSearch",
    "id": "IdSearch",
    "patient": "PatientSearch",
    "inclusion": "Inclusion",
    "exclusion": "Exclusion",
}


@frozen
class Part:
    """A part of what was asked: its text for a person, its query, what may be done with it, and what the
    user should know of how it was read.
    """

    label: str
    query: Query
    loose: bool = False
    selects: bool = False
    filters: bool = False
    notes: tuple[str, ...] = ()


def conjuncts(query: Query) -> tuple[Query, ...]:
    """Return the queries that must all be met."""
    return query.parts if isinstance(query, And) else (query,)


def query_parts(text: str) -> list[Part]:
    """Return the parts of a query text, one a conjunct; of a list of NCT ids any. Raises QueryError as
    `parse` does.
    """
    if not text.strip():
        return []
    listed = text.replace(",", " ").split()
    if len(listed) > 1 and all(is_nct_id(one.upper()) for one in listed):
        text = " OR ".join(dict.fromkeys(listed))  # no trial has two
    return [Part(str(part), part, isinstance(part, Words), _selects(part)) for part in conjuncts(parse(text))]


def option_parts(options: Mapping[str, str | None]) -> list[Part]:
    """Return a part for each option that was given: its text, a query, asked in the option's area."""
    return [
        Part(f"{option}: {text}", _asked_in(AREA_OPTIONS[option], text))
        for option, text in options.items()
        if text is not None and text.strip()
    ]


def effective(parts: Iterable[Part], area: str) -> Query:
    """Return all that was asked as one query that finds the same trials when it is asked alone; `area`: where
    words without one were asked.
    """
    asked = [part.query if area == "BasicSearch" else _inward(part.query, area) for part in parts]
    return conjunction(asked)


def told(parts: Iterable[Part], area: str) -> str:
    """Return what was asked for a person: the query, then options and filters by their labels; `area`: where
    words without one were asked.

    >>> told([*query_parts("lupus OR gout"), *option_parts({"intr": "gold"})], "Everywhere")
    'lupus OR gout; intr: gold; everywhere'
    """
    parts = tuple(parts)
    typed = [part.query for part in parts if part.label == str(part.query)]
    labels = [part.label for part in parts if part.label != str(part.query)]
    query = [str(conjunction(typed))] if typed else []
    return "; ".join([*query, *labels, *([area.lower()] if area != "BasicSearch" else [])])


def _selects(query: Query) -> bool:
    """Whether a query only selects: it has no words of its own."""
    match query:
        case Words() | In():
            return False
        case And(parts) | Or(parts):
            return all(_selects(part) for part in parts)
        case Expanded(_, part) | Covered(_, part) | Tilted(_, part):
            return _selects(part)
        case _:
            return not hasattr(query, "text")


def _asked_in(area: str, text: str) -> Query:
    """Return the query of an option: text in the query language, asked in an area.

    `--cond ALL` is a disease, and ids may be given in a list.
    """
    if text.strip() == "ALL":
        return In(area, Words("ALL"))
    listed = [part.strip() for part in text.split(",") if part.strip()]
    if all(is_nct_id(part.upper()) for part in text.split()):
        listed = text.split()
    if area == "IdSearch" and len(listed) > 1:
        return any_of(In(area, Words(part)) for part in listed)
    return _inward(parse(text), area)


def _inward(query: Query, area: str) -> Query:
    """Return a query whose words without an area are asked in one."""
    if isinstance(query, In | AtSite):
        return query
    if hasattr(query, "text"):
        return In(area, query)
    return mapped(query, lambda part: _inward(part, area))
