"""What a call of `search` asks, part by part: the words, each option, each filter, as queries.

A part is *loose* where a trial may have some of its words and still be worth showing (plain words), it
*selects* where it has no words of its own (codes, ranges, names of countries); all other parts (an option, a
phrase, a field) are met or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trialindex.frozen import frozen
from trialindex.registry_ids import is_nct_id
from trialsearch.parse import age_query, code_query, parse, range_query
from trialsearch.query import All, And, Code, In, Name, Not, Or, Query, Words

__all__ = ["AREA_OPTIONS", "Filters", "Part", "filter_parts", "option_parts", "query_parts"]

# A search option asks one area.
AREA_OPTIONS = {
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


OneOrMore = str | int | Iterable[str | int]


@frozen
class Part:
    """A part of what was asked: its text for a person, its query, and what may be done with it."""

    label: str
    query: Query
    loose: bool = False
    selects: bool = False


@frozen
class Filters:
    """The filters of a search; None asks nothing. See `TrialSearch.search` for what each takes."""

    status: OneOrMore | None = None
    phase: OneOrMore | None = None
    type: OneOrMore | None = None
    sex: str | None = None
    age: str | int | None = None
    country: OneOrMore | None = None
    start: str | None = None
    updated: str | None = None
    with_results: bool | None = None


def query_parts(text: str) -> list[Part]:
    """Return the parts of a query text, one a conjunct. Raises QueryError as `parse` does."""
    if not text.strip():
        return []
    query = parse(text)
    conjuncts = query.parts if isinstance(query, And) else (query,)
    return [Part(str(part), part, isinstance(part, Words), _selects(part)) for part in conjuncts]


def option_parts(options: Mapping[str, str | None]) -> list[Part]:
    """Return a part for each option that was given: its text, a query, asked in the option's area."""
    return [
        Part(f"{option}: {text}", _asked_in(AREA_OPTIONS[option], text))
        for option, text in options.items()
        if text is not None and text.strip()
    ]


def filter_parts(filters: Filters) -> list[Part]:
    """Return a part for each filter that was given. Raises QueryError for a value that is none."""
    return [Part(label, query, selects=True) for label, query in _filters(filters)]


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
    listed = [part.strip() for part in text.split(",") if part.strip()]
    if all(is_nct_id(part.upper()) for part in text.split()):
        listed = text.split()
    if area == "IdSearch" and len(listed) > 1:
        return Or(tuple(In(area, Words(part)) for part in dict.fromkeys(listed)))
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


def _listed(value: OneOrMore) -> list[str]:
    if isinstance(value, str | int):
        return [str(value)]
    return [str(item) for item in value]


def _filters(filters: Filters) -> Iterable[tuple[str, Query]]:
    for label, field, value in (
        ("status", "OverallStatus", filters.status),
        ("phase", "Phase", filters.phase),
        ("type", "StudyType", filters.type),
    ):
        if value is not None and (codes := _listed(value)):
            yield f"{label}: {','.join(codes)}", code_query(field, ",".join(codes))
    if filters.sex is not None:
        yield f"sex: {filters.sex}", _for_patients_of(filters.sex)
    if filters.age is not None:
        yield f"age: {filters.age}", age_query(str(filters.age))
    if filters.country is not None and (countries := _listed(filters.country)):
        names = tuple(Name("Country", " ".join(name.split())) for name in countries)
        yield f"country: {', '.join(countries)}", names[0] if len(names) == 1 else Or(names)
    for label, field, dates in (
        ("start", "StartDate", filters.start),
        ("updated", "LastUpdatePostDate", filters.updated),
    ):
        if dates is not None:
            low, dots, high = dates.partition("..")
            yield f"{label}: {dates}", range_query(field, low, high if dots else low)
    if filters.with_results is not None:
        posted = Code("HasResults", "true")
        yield (
            f"results: {'yes' if filters.with_results else 'no'}",
            posted if filters.with_results else Not(posted),
        )


def _for_patients_of(sex: str) -> Query:
    """Return the query for trials that a patient of a sex may join: those for that sex, and those for all."""
    asked = code_query("Sex", sex)
    codes = asked.parts if isinstance(asked, Or) else (asked,)
    both = tuple(dict.fromkeys((*codes, Code("Sex", "ALL"))))
    return both[0] if len(both) == 1 else Or(both)
