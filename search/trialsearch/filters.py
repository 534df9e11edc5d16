"""The filters of a search: which there are, what each takes, and which query it means.

A filter leaves trials out and does not touch the order of the others. Where one takes several values, a
trial needs any of them; a record without a value is not found, but for the ages, where a missing bound
excludes nobody. A value that is none is an error that names the right ones.

>>> for part in filter_parts({"phase": ["1/2", "none"], "start": "2012..2013-06", "sex": "female"}):
...     print(part.label, "=", part.query)
phase: 1/2, none = AREA[Phase]PHASE1 AND AREA[Phase]PHASE2 OR AREA[Phase]MISSING
start: 2012..2013-06 = AREA[StartDate]RANGE[2012, 2013-06]
sex: female = AREA[Sex]FEMALE OR AREA[Sex]ALL
>>> filter_parts({"masking": "twofold"})
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no masking 'twofold'; one of NONE, SINGLE, DOUBLE, TRIPLE, QUADRUPLE
>>> filter_parts({"phases": 2})
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no filter 'phases'; did you mean phase?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict

from trialindex.analysis import fold
from trialindex.countries import same_country
from trialindex.errors import QueryError
from trialindex.registry_ids import is_nct_id
from trialsearch.asked import AREA_OPTIONS, Part, conjuncts
from trialsearch.lexing import shortened
from trialsearch.parse import parse
from trialsearch.query import (
    AtSite,
    Code,
    Covered,
    Expanded,
    In,
    Missing,
    Name,
    Not,
    Or,
    Phrase,
    Query,
    any_of,
    conjunction,
)
from trialsearch.values import age_query, code_query, span_query

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = [
    "DATES",
    "FILTERS",
    "FilterValues",
    "OneOrMore",
    "check_countries",
    "class_query",
    "filter_parts",
    "settled",
    "sex_query",
]

OneOrMore = str | int | Iterable[str | int]


class FilterValues(TypedDict, total=False):
    """The filters of `TrialSearch.search`; None asks nothing.

    `status` to `funder` take one or several codes or their words (`"recruiting"`, `[1, "1/2"]`); `phase` also
    `none`, no phase at all, which NA is not; `sex` is that of a patient (female: trials for women and for
    all); `age` a patient's, in years or as `6 months`; `age_group` child, adult, older; `healthy` yes or no;
    `funder` the class of the lead sponsor or of a collaborator. `country` is a whole name, any that is in
    use; `state`, `city` and `facility` are words side by side; of these four, those that are given hold of
    one and the same site. `near` is a place or `LATITUDE,LONGITUDE`, `within` how far a site may lie from it
    (`50mi`, `80km`; 50 miles unless told). `with_results` is True or False; `start` to `verified` a date or
    `FROM..TO`, either end open (`2012..`); `enrollment` a number or a range of them. `ids`: any ids of
    trials, former ones too. `filter`: whole expressions of the query language, all of which must hold;
    `agg_filters`: the registry's own string (`trialsearch.aggfilters`).
    """

    status: OneOrMore | None
    phase: OneOrMore | None
    type: OneOrMore | None
    allocation: OneOrMore | None
    masking: OneOrMore | None
    purpose: OneOrMore | None
    model: OneOrMore | None
    intervention_type: OneOrMore | None
    funder: OneOrMore | None
    sex: str | None
    age: str | int | None
    age_group: OneOrMore | None
    healthy: str | bool | None
    country: OneOrMore | None
    state: OneOrMore | None
    city: OneOrMore | None
    facility: OneOrMore | None
    near: str | None
    within: str | None
    with_results: bool | None
    start: str | None
    primary_completion: str | None
    completion: str | None
    submitted: str | None
    posted: str | None
    results_submitted: str | None
    results_posted: str | None
    update_submitted: str | None
    updated: str | None
    verified: str | None
    enrollment: str | int | None
    ids: OneOrMore | None
    filter: OneOrMore | None
    agg_filters: str | None


# The filters that take codes of one field.
_CODES = {
    "status": "OverallStatus",
    "type": "StudyType",
    "allocation": "DesignAllocation",
    "masking": "DesignMasking",
    "purpose": "DesignPrimaryPurpose",
    "model": "DesignInterventionModel",
    "intervention_type": "InterventionType",
}
# The filters that take a date or a range of dates.
DATES = {
    "start": "StartDate",
    "primary_completion": "PrimaryCompletionDate",
    "completion": "CompletionDate",
    "submitted": "StudyFirstSubmitDate",
    "posted": "StudyFirstPostDate",
    "results_submitted": "ResultsFirstSubmitDate",
    "results_posted": "ResultsFirstPostDate",
    "update_submitted": "LastUpdateSubmitDate",
    "updated": "LastUpdatePostDate",
    "verified": "StatusVerifiedDate",
}
# The filters that hold of one and the same site, and where the words of each stand.
_PLACES = {
    "facility": "LocationFacility",
    "city": "LocationCity",
    "state": "LocationState",
    "country": "LocationCountry",
}
_AGE_GROUPS = {"children": "CHILD", "older": "OLDER_ADULT"}
# How far from a place the registry's own form looks when nobody says.
_WITHIN = "50mi"
_MOST_IDS = 1_000
_LONGEST = 20_000  # characters of all values of a filter: a thousand ids fit
# What a search takes besides filters and words in one place.
_OTHERS = ("everywhere", "sort", "limit", "offset", "fuzzy", "synonyms")


def settled(filters: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Return filters, without those that ask nothing, as a value that can be compared and kept.

    Raises QueryError for a name that is none.
    """
    found = []
    for name, value in filters.items():
        if name not in FILTERS:
            raise _unknown(name)
        if isinstance(value, Iterable) and not isinstance(value, str):
            value = tuple(str(item) for item in value)
        if value is not None and value != ():
            found.append((name, value))
    return tuple(found)


def filter_parts(filters: Mapping[str, object]) -> list[Part]:
    """Return a part for each filter that was given. Raises QueryError for a name or a value that is none."""
    given = dict(settled(filters))
    if "within" in given and "near" not in given:
        raise QueryError("within needs a place: near Boston, or near 42.36,-71.06")
    parts: list[Part] = []
    for name in given:
        made = FILTERS[name](name, given)
        parts.extend([made] if isinstance(made, Part) else made)
    return parts


def _unknown(name: str) -> QueryError:
    import difflib

    near = difflib.get_close_matches(name, [*FILTERS, *AREA_OPTIONS, *_OTHERS], n=1)
    return QueryError(
        f"no filter {name!r}; {f'did you mean {near[0]}?' if near else 'one of ' + ', '.join(FILTERS)}"
    )


def _part(name: str, shown: object, query: Query) -> Part:
    return Part(f"{name.replace('_', ' ')}: {shown}", query, selects=True, filters=True)


def _listed(given: Mapping[str, object], name: str) -> list[str]:
    """Return the values of a filter as texts; raises QueryError where one is empty or too long."""
    value = given[name]
    texts = [str(item) for item in value] if isinstance(value, tuple) else [str(value)]
    if not all(text.strip() for text in texts):
        raise QueryError(f"{name.replace('_', ' ')} needs a value: this one is empty")
    if sum(map(len, texts)) > _LONGEST:
        raise QueryError(f"{name.replace('_', ' ')} takes at most {_LONGEST:,} characters")
    return texts


def _codes(name: str, given: Mapping[str, object]) -> Part:
    texts = _listed(given, name)
    return _part(name, ", ".join(texts), any_of(code_query(_CODES[name], text) for text in texts))


def _phase(name: str, given: Mapping[str, object]) -> Part:
    texts = _listed(given, name)
    return _part(name, ", ".join(texts), any_of(map(_one_phase, ",".join(texts).split(","))))


def _one_phase(text: str) -> Query:
    if text.strip().lower() == "none":
        return Missing("Phase")
    try:
        return code_query("Phase", text)
    except QueryError as error:
        raise QueryError(f"{error}, or none for no phase at all") from None


def _funder(name: str, given: Mapping[str, object]) -> Part:
    texts = _listed(given, name)
    asked = any_of(code_query("LeadSponsorClass", text) for text in texts)
    codes = [
        part.code for part in (asked.parts if isinstance(asked, Or) else (asked,)) if isinstance(part, Code)
    ]
    return _part(name, ", ".join(texts), class_query(codes))


def class_query(codes: Iterable[str]) -> Query:
    """Return the query for trials of which the lead sponsor or a collaborator is of one of some classes."""
    return any_of(Code(field, code) for code in codes for field in ("LeadSponsorClass", "CollaboratorClass"))


def _sex(name: str, given: Mapping[str, object]) -> Part:
    texts = _listed(given, name)
    return _part(name, ", ".join(texts), any_of(map(sex_query, texts)))


def sex_query(sex: str) -> Query:
    """Return the query for trials that a patient of a sex may join: those for that sex, and those for all.

    Raises QueryError for a text that is no sex.
    """
    asked = code_query("Sex", sex)
    codes = asked.parts if isinstance(asked, Or) else (asked,)
    return any_of((*codes, Code("Sex", "ALL")))


def _age(name: str, given: Mapping[str, object]) -> Part:
    return _part(name, given[name], age_query(str(given[name])))


def _age_group(name: str, given: Mapping[str, object]) -> Part:
    texts = _listed(given, name)
    groups = [group.strip() for text in texts for group in text.split(",")]
    codes = [_AGE_GROUPS.get(group.lower(), group) for group in groups]
    return _part(name, ", ".join(texts), any_of(code_query("StdAge", code) for code in codes))


def _healthy(name: str, given: Mapping[str, object]) -> Part:
    text = {True: "yes", False: "no"}.get(given[name], given[name])  # type: ignore[call-overload]
    return _part("healthy volunteers", text, code_query("HealthyVolunteers", str(text)))


def _results(name: str, given: Mapping[str, object]) -> Part:
    if not isinstance(given[name], bool):
        raise QueryError("with results is True or False")
    posted = Code("HasResults", "true")
    return _part("results", "yes" if given[name] else "no", posted if given[name] else Not(posted))


def _place(name: str, given: Mapping[str, object]) -> list[Part]:
    """Return the part of all places that are given, at the first of them."""
    asked = [held for held in _PLACES if held in given]
    if next(held for held in given if held in _PLACES) != name:
        return []
    if len(asked) > 1:
        shown = ", ".join(f"{held} {' or '.join(_listed(given, held))}" for held in asked)
        return [_part("one site", shown, AtSite(conjunction([_of_sites(held, given) for held in asked])))]
    texts = _listed(given, name)
    if name == "country":
        return [_part(name, ", ".join(texts), any_of(Name("Country", _tidy(text)) for text in texts))]
    return [_part(name, ", ".join(texts), _of_sites(name, given))]


def _of_sites(name: str, given: Mapping[str, object]) -> Query:
    """Return the query for the value of a site; a country is its whole value, in any of its names."""
    field = _PLACES[name]
    texts = _listed(given, name)
    if name != "country":
        return any_of(Expanded("Term", In(field, Phrase(_tidy(text)))) for text in texts)
    names = [known for text in texts for known in same_country(text)]
    return any_of(Expanded("Term", Covered("FullMatch", In(field, Phrase(known)))) for known in names)


def check_countries(filters: Mapping[str, object], snapshot: Snapshot) -> None:
    """Raise QueryError, naming the nearest, where a country that is asked is none: no trial has it, and no
    table of places knows it.
    """
    for text in _listed(filters, "country") if "country" in filters else ():
        if any(len(snapshot.named("Country", name)) for name in same_country(text)):
            continue
        from trialindex.gazetteer import country_code

        if not country_code(text):
            raise _no_country(text, snapshot)


def _no_country(text: str, snapshot: Snapshot) -> QueryError:
    import difflib

    near = difflib.get_close_matches(fold(text)[:60], [name for name, _ in snapshot.names("Country")], n=3)
    meant = f"the nearest that trials have: {', '.join(map(str.title, near))}; " if near else ""
    return QueryError(f"no country {shortened(text)!r}; {meant}write its name, like France")


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _near(name: str, given: Mapping[str, object]) -> Part:
    from trialsearch.near import parse_near, parse_within

    place = parse_near(str(given["near"]))
    radius, unit = parse_within(str(given.get("within", _WITHIN)))
    taken = f"{place.latitude:g},{place.longitude:g}"
    shown = f"{place.name} ({taken})" if place.name != str(given["near"]).strip() else place.name
    notes = (*place.notes, f"distances are from {shown}, within {radius:g} {unit}")
    query = place.within(radius, unit)
    return Part(
        f"near: {radius:g} {unit} around {place.name}", query, selects=True, filters=True, notes=notes
    )


def _within(name: str, given: Mapping[str, object]) -> list[Part]:
    return []  # a part of near


def _dates(name: str, given: Mapping[str, object]) -> Part:
    return _range(name, DATES[name], str(given[name]))


def _enrollment(name: str, given: Mapping[str, object]) -> Part:
    return _range(name, "EnrollmentCount", str(given[name]))


def _range(name: str, field: str, text: str) -> Part:
    if not text.replace("..", "").strip():
        raise QueryError(f"{name.replace('_', ' ')} needs a bound: FROM..TO, FROM.., ..TO or one value")
    try:
        return _part(name, text, span_query(field, text))
    except QueryError as error:
        ranges = "" if ".." in text else "; a range: FROM..TO, FROM.., ..TO"
        raise QueryError(f"{name.replace('_', ' ')}: {error}{ranges}") from None


def _ids(name: str, given: Mapping[str, object]) -> Part:
    texts = [part.strip() for text in _listed(given, name) for part in text.replace("|", ",").split(",")]
    found = [text for text in texts if text]
    if not 0 < len(found) <= _MOST_IDS:
        raise QueryError(f"ids takes 1 to {_MOST_IDS:,} ids, and these are {len(found):,}")
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5:,} more" if len(found) > 5 else "")
    return _part(name, shown, any_of(map(_one_id, found)))


def _one_id(text: str) -> Query:
    """Return the query for an id: the registry's own, former ones too, is a whole name."""
    if is_nct_id(text.upper()):
        return Name("AnyId", text.upper())
    return Expanded("Term", In("IdSearch", Phrase(_tidy(text))))


def _expressions(name: str, given: Mapping[str, object]) -> Iterator[Part]:
    for text in _listed(given, name):
        for query in conjuncts(parse(text)):
            yield Part(f"filter: {query}", query, filters=True)


def _aggregated(name: str, given: Mapping[str, object]) -> list[Part]:
    from trialsearch.aggfilters import agg_queries

    return [
        Part(label, query, selects=True, filters=True)
        for label, query in agg_queries(str(given[name])).items()
    ]


# What makes the parts of each filter, given its name and all filters that were given.
FILTERS: dict[str, Callable[[str, Mapping[str, object]], Part | Iterable[Part]]] = {
    **dict.fromkeys(_CODES, _codes),
    "phase": _phase,
    "funder": _funder,
    "sex": _sex,
    "age": _age,
    "age_group": _age_group,
    "healthy": _healthy,
    **dict.fromkeys(_PLACES, _place),
    "near": _near,
    "within": _within,
    "with_results": _results,
    **dict.fromkeys(DATES, _dates),
    "enrollment": _enrollment,
    "ids": _ids,
    "filter": _expressions,
    "agg_filters": _aggregated,
}
