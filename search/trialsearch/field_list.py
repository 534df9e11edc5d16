"""What can be asked by name: the areas with what each covers, and every field with what it takes.

>>> from trialsearch.lines import plain
>>> print(*plain(lines("TitleSearch")), sep="\\n")
TitleSearch, an area of 3 fields; short: title, titles
  Asked by    words, "a phrase", neuro*, EXPANSION, COVERAGE
  Example     AREA[TitleSearch]lupus
  Covers, each with its weight
    0.99  Acronym        text  protocolSection.identificationModule.acronym
    0.95  BriefTitle     text  protocolSection.identificationModule.briefTitle
    0.8   OfficialTitle  text  protocolSection.identificationModule.officialTitle
>>> as_dict("sex")["fields"][0]["codes"]
['FEMALE', 'MALE', 'ALL']
>>> as_dict("titel")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no field or area 'titel'; the nearest: title
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialindex import codes
from trialindex.errors import QueryError
from trialindex.fields import AREAS, FIELDS, SHORT_NAMES, resolve
from trialindex.frozen import frozen
from trialindex.study_fields import by_piece
from trialsearch.lines import Line, labelled, table
from trialsearch.values import is_age

__all__ = ["as_dict", "lines"]


@frozen
class _Kind:
    """A kind of field: what a person calls it, what asks it, and an example, `{}` for the field's name."""

    called: str
    heading: str
    asked: str
    example: str


_AREA = _Kind("an area", "Areas", 'words, "a phrase", neuro*, EXPANSION, COVERAGE', "AREA[{}]lupus")
_KINDS = {
    "text": _Kind("text", "Text", 'words, "a phrase", neuro*, EXPANSION, COVERAGE; MISSING', "AREA[{}]lupus"),
    "code": _Kind("codes", "Codes", "a code or its label, several parted by commas; MISSING", "AREA[{}]{}"),
    "day": _Kind(
        "dates",
        "Dates",
        "RANGE or .. of days, months or years; TILT; MISSING",
        "AREA[{}]RANGE[2012, 2013-06-30]",
    ),
    "number": _Kind("numbers", "Numbers", "RANGE or ..; TILT; MISSING", "AREA[{}]RANGE[100, MAX]"),
    "age": _Kind(
        "ages",
        "Ages and spans of time",
        "RANGE with units; TILT; MISSING",
        "AREA[{}]RANGE[6 months, 16 years]",
    ),
    "name": _Kind("whole names", "Whole names", "a name, several parted by |; MISSING", 'AREA[{}]"{}"'),
    "concept": _Kind(
        "concepts",
        "Concepts",
        "the id of a concept, which finds its kinds too; MISSING",
        "AREA[{}]D008180",
    ),
    "point": _Kind(
        "places",
        "Places",
        "DISTANCE in mi or km, 1 to 500 mi; MISSING",
        "AREA[{}]DISTANCE[42.36,-71.06,50mi]",
    ),
    "structure": _Kind(
        "other fields", "What holds other fields", "MISSING and nothing else", "AREA[{}]MISSING"
    ),
}

# What the fields hold that no single place of a record has.
_OWN = {
    "InclusionCriteria": "the part of the eligibility criteria that lets people in",
    "ExclusionCriteria": "the part of the eligibility criteria that keeps people out",
    "OtherCriteria": "the part of the eligibility criteria that is neither",
    "RecordDigest": "a checksum of the stored record",
    "AnyId": "every id of the trial: its own, former ones, its sponsor's, other registries'",
    "Country": "the countries of the trial's sites, under any of their names",
    "ConditionName": "the names of its conditions",
    "InterventionFullName": "the names of its interventions",
    "SponsorName": "the names of its sponsor and collaborators",
    "CityName": "the cities of its sites",
    "StateName": "the states of its sites",
    "Definition": "abbreviations that the trial defines, each with what it stands for",
    "OtherName": "names that the trial gives as other names of one another",
    "ConditionConcept": "what its conditions are",
    "ConditionParentConcept": "what its conditions are a kind of, one step up",
    "ConditionAncestorConcept": "what its conditions are a kind of, further up",
    "InterventionConcept": "what its interventions are",
    "InterventionParentConcept": "what its interventions are a kind of, one step up",
    "InterventionAncestorConcept": "what its interventions are a kind of, further up",
}
# The field of an example for a kind, where the first of them is not the best known.
_SAMPLES = {
    "text": "BriefTitle",
    "code": "DesignAllocation",
    "day": "StartDate",
    "number": "EnrollmentCount",
    "age": "MinimumAge",
    "name": "Country",
    "structure": "ResultsSection",
}
_MOST_FIELDS = 9  # of an area that are listed beside others
# A name for an example.
_NAMES = {"Country": "United States", "AnyId": "NCT01539902"}


def lines(name: str = "") -> Iterator[Line]:
    """Yield all areas and fields; or, of a name, what it means, and the others that have it in their names.

    A name is an area's, a field's or a short form, in any case, or a part of one. Raises QueryError, with the
    nearest ones, where there is none.
    """
    if not name.strip():
        yield from _overview()
        return
    meant, others = _found(name)
    if meant:
        yield from _area_lines(meant) if meant in AREAS else _field_lines(meant)
    if others:
        if meant:
            yield Line()
        yield Line(((f"{'Others' if meant else 'Names'} with {name.strip()!r} in them", "head"),))
        yield from table([(other, _called(other), ", ".join(_short(other))) for other in others], 2)


def as_dict(name: str = "") -> dict[str, Any]:
    """Return what `lines` tells as plain data that JSON can hold: `areas` and `fields`, what a name means the
    first of them.

    Raises QueryError as `lines` does.
    """
    meant, others = _found(name) if name.strip() else ("", [*AREAS, *FIELDS])
    listed = [meant, *others] if meant else others
    return {
        "areas": [_area_dict(area) for area in listed if area in AREAS],
        "fields": [_field_dict(field) for field in listed if field not in AREAS],
    }


def _found(name: str) -> tuple[str, list[str]]:
    """Return the area or field that a name means, "" where it is only a part of names, and the others that
    have it in their names.
    """
    name = name.strip()
    part = name.lower()
    held = [
        known
        for known in (*AREAS, *FIELDS)
        if part in known.lower() or any(part in short for short in _short(known))
    ]
    try:
        meant = resolve(name)
    except QueryError:
        if not held:
            raise
        return "", held
    return meant, [known for known in held if known != meant]


def _short(name: str) -> list[str]:
    """Return the short forms of an area or field."""
    return [short for short, meant in SHORT_NAMES.items() if meant == name]


def _kind(field: str) -> str:
    """Return the kind of a field, ages apart from other numbers."""
    return "age" if is_age(field) else FIELDS[field].kind


def _called(name: str) -> str:
    return _AREA.called if name in AREAS else _KINDS[_kind(name)].called


def _codes(field: str) -> tuple[str, ...]:
    enum = by_piece()[field].enum
    return ("true", "false") if enum is None else codes.CODES[enum]


def _example(field: str) -> str:
    kind = _kind(field)
    value = _codes(field)[0] if kind == "code" else _NAMES.get(field, "lupus nephritis")
    return _KINDS[kind].example.format(field, value)


def _areas_of(field: str) -> dict[str, float]:
    """Return the areas that cover a field, with its weight in each."""
    return {area: weights[field] for area, weights in AREAS.items() if field in weights}


def _covers(field: str) -> str:
    return FIELDS[field].path or _OWN[field]


def _weighted(weights: dict[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())


def _overview() -> Iterator[Line]:
    yield Line((("Areas: several fields at once, each with its weight", "head"),))
    yield labelled("Asked by", [(_AREA.asked, "")], 2)
    yield labelled("Example", [(_AREA.example.format("TitleSearch"), "")], 2)
    for area, weights in AREAS.items():
        first = dict([*weights.items()][:_MOST_FIELDS])
        more = f" and {len(weights) - len(first)} more" if len(weights) > len(first) else ""
        yield Line((*_named(area), (f": {_weighted(first)}{more}", "")), 2, hang=4)
    for kind, told in _KINDS.items():
        fields = [field for field in FIELDS if _kind(field) == kind]
        yield Line()
        yield Line(((told.heading, "head"),))
        yield labelled("Asked by", [(told.asked, "")], 2)
        yield labelled("Example", [(_example(_SAMPLES.get(kind, fields[0])), "")], 2)
        parts = [piece for field in fields for piece in ((", ", ""), *_named(field))]
        yield Line(tuple(parts[1:]), 2, hang=2)
    yield Line()
    yield Line((("More of one, or those with a word in their names: trialsearch fields NAME", "hint"),))


def _named(name: str) -> tuple[tuple[str, str], ...]:
    """Return a name and its short forms as pieces of a line."""
    short = _short(name)
    return ((name, "title"), *(((f" ({', '.join(short)})", ""),) if short else ()))


def _head(name: str, what: str) -> Line:
    short = ", ".join(_short(name))
    return Line(((name, "title"), (f", {what}{f'; short: {short}' if short else ''}", "")))


def _area_lines(area: str) -> Iterator[Line]:
    weights = AREAS[area]
    size = len(weights)
    yield _head(area, f"an area of {size} {'field' if size == 1 else 'fields'}")
    yield labelled("Asked by", [(_AREA.asked, "")], 2)
    yield labelled("Example", [(_AREA.example.format(area), "")], 2)
    yield Line((("Covers, each with its weight", "label"),), 2)
    yield from table(
        [(f"{weight:g}", field, _called(field), _covers(field)) for field, weight in weights.items()], 4
    )


def _field_lines(field: str) -> Iterator[Line]:
    kind = _kind(field)
    yield _head(field, f"a field of {_KINDS[kind].called}")
    yield labelled("Holds", [(_covers(field), "")], 2)
    several = "a trial may have several" if FIELDS[field].several else "a trial has one at the most"
    yield labelled("Values", [(several, "")], 2)
    yield labelled("Asked by", [(_KINDS[kind].asked, "")], 2)
    yield labelled("Example", [(_example(field), "")], 2)
    if areas := _areas_of(field):
        yield labelled("In areas", [(_weighted(areas), "")], 2)
    if kind == "code":
        yield Line((("Codes", "label"),), 2)
        yield from table([(code, codes.words(code)) for code in _codes(field)], 4)


def _area_dict(area: str) -> dict[str, Any]:
    return {
        "name": area,
        "short": _short(area),
        "asked": _AREA.asked,
        "example": _AREA.example.format(area),
        "weights": dict(AREAS[area]),
    }


def _field_dict(field: str) -> dict[str, Any]:
    kind = _kind(field)
    return {
        "name": field,
        "short": _short(field),
        "kind": kind,
        "holds": _covers(field),
        "several": FIELDS[field].several,
        "asked": _KINDS[kind].asked,
        "example": _example(field),
        "areas": _areas_of(field),
        **({"codes": list(_codes(field))} if kind == "code" else {}),
    }
