"""What the text of a value means in its field: codes and their labels, dates, numbers, ages, names, places.

Each gives a node of the query, or an error that names the right values.

>>> print(value_query("OverallStatus", "Active, not recruiting|completed"))
AREA[OverallStatus]ACTIVE_NOT_RECRUITING OR AREA[OverallStatus]COMPLETED
>>> print(range_query("MinimumAge", "6 months", "1 year"))
AREA[MinimumAge]RANGE[6 Months, 1 Year]
>>> print(distance_query("42.36, -71.06, 80 km"))
AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,80km]
>>> range_query("StartDate", "2013", "2012-06")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: the range ends before it begins: turned round it is [2012-06, 2013]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from trialindex import codes
from trialindex.dates import Age, date_range, parse_age, parse_date
from trialindex.errors import QueryError
from trialindex.fields import AREAS, FIELDS
from trialindex.study_fields import by_piece
from trialsearch.lexing import shortened
from trialsearch.query import (
    AgeIs,
    Code,
    Distance,
    In,
    Name,
    Phrase,
    Query,
    Range,
    Words,
    any_of,
    conjunction,
)

__all__ = [
    "age_query",
    "code_query",
    "degrees",
    "distance_query",
    "has_order",
    "is_age",
    "kind_of",
    "leading_value",
    "of_site",
    "radius_of",
    "range_query",
    "span_query",
    "takes_values",
    "text_query",
    "value_query",
]

# Fields of a site: what stands below this place of a record, the area of places, and whole names.
_BELOW_SITES = "protocolSection.contactsLocationsModule.locations."
_OF_SITES = frozenset({"LocationSearch", "Country", "CityName", "StateName"})
# Kinds of field whose values are not words of a text.
_VALUES = frozenset({"code", "day", "number", "concept", "point", "structure"})
_FARTHEST = 500.0  # miles
_LONGEST_LIST = 120  # characters of a field's name and its codes in a message
_LONGEST_CODE = 40  # characters of what may be meant as one
# What fields are called in messages, where not by their names.
_LABELS = {
    "OverallStatus": "status",
    "StudyType": "type",
    "Phase": "phase",
    "Sex": "sex",
    "StdAge": "age group",
    "HealthyVolunteers": "healthy volunteers",
    "DesignAllocation": "allocation",
    "DesignMasking": "masking",
    "DesignPrimaryPurpose": "purpose",
    "DesignInterventionModel": "model",
    "InterventionType": "intervention type",
    "LeadSponsorClass": "funder",
}


def kind_of(area: str) -> str:
    """Return the kind of a field; of an area, which is asked as text, `text`."""
    return "text" if area in AREAS else FIELDS[area].kind


def has_order(area: str) -> bool:
    """Whether the values of a field have an order: days, numbers, ages."""
    return kind_of(area) in {"day", "number"}


def is_age(field: str) -> bool:
    """Whether the numbers of a field are ages or other spans of time, in days."""
    return field in by_piece() and by_piece()[field].type == "NormalizedTime"


def of_site(area: str) -> bool:
    """Whether an area or field is asked of a site alone: what stands below a site of a record, the area of
    places, and whole names of them.
    """
    return area in _OF_SITES or (area in FIELDS and FIELDS[area].path.startswith(_BELOW_SITES))


def takes_values(area: str | None) -> bool:
    """Whether what is asked in an area or field is a value, cut from the words after it, and no text."""
    return area is not None and kind_of(area) in _VALUES


def text_query(text: str) -> Query:
    """Return the node of a run of words; of one that is all spaces, the empty phrase."""
    text = " ".join(text.split())
    return Words(text) if text else Phrase("")


def value_query(area: str, text: str, plain: Query | None = None) -> Query:
    """Return what a text asks in an area or field; `plain`: its node where that takes text, else its words.

    Raises QueryError, saying what the field takes, where the text is no value of it.
    """
    match kind_of(area):
        case "text":
            return In(area, text_query(text) if plain is None else plain)
        case "code":
            return code_query(area, text)
        case "concept":
            return Code(area, text.strip().upper())
        case "name":
            names = [" ".join(name.split()) for name in text.split("|")]
            if not any(names):
                raise QueryError(f"{area} needs a name")
            return any_of(Name(area, name) for name in names if name)
        case "point":
            raise QueryError(f"{area} is a point: AREA[{area}]DISTANCE[42.36,-71.06,50mi] asks around one")
        case "structure":
            raise QueryError(
                f"{area} holds other fields and no value: it can only be MISSING (AREA[{area}]MISSING)"
            )
        case _:
            return span_query(area, text)


def leading_value(area: str, words: list[str]) -> tuple[int, Query]:
    """Return how many of some words are a value of a field, as many as can be, and what they ask.

    Raises QueryError where not even the first is one.

    >>> leading_value("Phase", ["Phase", "2", "asthma"])
    (2, Code(field='Phase', code='PHASE2'))
    """
    refused: QueryError | None = None
    for size in range(1 if kind_of(area) == "concept" else len(words), 0, -1):
        try:
            return size, value_query(area, " ".join(words[:size]))
        except QueryError as error:
            refused = refused or error
    raise refused or QueryError(f"{area} needs a value")


def _spelled(enum: str | None, text: str) -> list[str] | None:
    """Return the codes that a text spells: one, or the halves of `1/2`; None where it spells none."""
    if enum is None:
        said = codes.boolean(text)
        return None if said is None else [str(said).lower()]
    whole = codes.code(enum, text)
    return [whole] if whole else None if re.search("[,|;]", text) else codes.code_list(enum, text)


def code_query(field: str, text: str) -> Query:
    """Return the query for a value of a code field: one code or label, several parted by commas or bars,
    `1/2` for both halves.

    Raises QueryError, naming the field's codes, for a value that is none of them.
    """
    enum = by_piece()[field].enum
    wanted: list[Query] = []
    pieces = re.split(r"[,|]", text)
    place = 0
    while place < len(pieces):
        # A label may have a comma itself (`Active, not recruiting`), never two.
        for size in (2, 1):
            part = ",".join(pieces[place : place + size])
            spelled = _spelled(enum, part)
            if spelled:
                break
        place += size
        if not spelled:
            raise _no_code(field, part)
        both: list[Query] = [Code(field, code) for code in spelled]
        wanted.append(conjunction(both))
    return any_of(wanted)


def _no_code(field: str, text: str) -> QueryError:
    label = _LABELS.get(field, field)
    enum = by_piece()[field].enum
    known = ("yes", "no") if enum is None else codes.CODES[enum]
    room = _LONGEST_LIST - len(label)
    listed = next(size for size in range(len(known), 0, -1) if len(", ".join(known[:size])) <= room)
    rest = len(known) - listed
    if rest and (near := _near(known, text)):
        return QueryError(f"no {label} {shortened(text)!r}; did you mean {' or '.join(near)}?")
    more = f" and {rest} more: trialsearch fields {field}" if rest else ""
    return QueryError(f"no {label} {shortened(text)!r}; one of {', '.join(known[:listed])}{more}")


def _near(known: Sequence[str], text: str) -> list[str]:
    """Return the codes that begin with a text or are spelt nearly so, at most three."""
    import difflib

    written = re.sub(r"\W+", "_", text.strip()).upper()
    if not 0 < len(written) <= _LONGEST_CODE:
        return []
    begun = [code for code in known if code.startswith(written)]
    return begun[:3] or difflib.get_close_matches(written, known, n=3, cutoff=0.75)


def range_query(field: str, low: str, high: str) -> Query:
    """Return the query for a range of a day or number field; `MIN`, `MAX`, `*` and nothing are open ends.

    Raises QueryError where the field has no order, a bound is not of its kind, or the lower is the greater.
    """
    if not has_order(field):
        raise QueryError(f"{field} has no order: RANGE goes with dates, numbers and ages")
    low, high = low.strip(), high.strip()
    if low.upper() == "MAX" or high.upper() == "MIN":
        raise QueryError("MIN is the open end below, MAX the one above: [MIN, 2012] or [2012, MAX]")
    least, most = _bound(field, low), _bound(field, high)
    if least is not None and most is not None and _least(field, least) > _most(field, most):
        raise QueryError(f"the range ends before it begins: turned round it is [{most}, {least}]")
    return Range(field, least, most)


def span_query(field: str, text: str) -> Query:
    """Return the query for one value of a day or number field, or for `FROM..TO`, either end open.

    Raises QueryError as `range_query` does.

    >>> print(span_query("StartDate", "2012.."), span_query("StartDate", "2012"), sep=", ")
    AREA[StartDate]RANGE[2012, MAX], AREA[StartDate]RANGE[2012, 2012]
    """
    low, dots, high = text.partition("..")
    return range_query(field, low, high if dots else low)


def _bound(field: str, text: str) -> str | None:
    """Return a bound as the tree holds it; None where it is open."""
    if text.upper() in {"", "MIN", "MAX", "*"}:
        return None
    if kind_of(field) == "day":
        day = parse_date(text)
        if day is None:
            raise QueryError(f"{shortened(text)!r} is no date: write 2012, 2012-02 or 2012-02-29")
        return day
    if is_age(field):
        age = _age(text)
        if age is None:
            raise QueryError(f"{shortened(text)!r} is no age: write 16 years or 6 months")
        return str(age)
    number = re.fullmatch(r"(-?)0*(\d{1,12})(?:\.(\d{1,6}?)0*)?", text, re.ASCII)
    if number is None:
        raise QueryError(f"{shortened(text)!r} is no number: write 100, 2.5 or -3")
    sign, whole, decimals = number.groups()
    written = f"{whole}.{decimals}".rstrip("0").rstrip(".") if decimals else whole
    return written if written == "0" else sign + written


def _least(field: str, bound: str) -> float:
    return float(date_range(bound)[0].toordinal()) if kind_of(field) == "day" else _number(bound)


def _most(field: str, bound: str) -> float:
    return float(date_range(bound)[1].toordinal()) if kind_of(field) == "day" else _number(bound)


def _number(bound: str) -> float:
    age = parse_age(bound)
    return age.days if age else float(bound)


def _age(text: str) -> Age | None:
    """Return the age that the whole of a text states."""
    stated = re.fullmatch(r"\s*[\d.]+\s*[A-Za-z]+(?:\s+old)?\s*", text, re.ASCII)
    return parse_age(text) if stated else None


def age_query(text: str) -> Query:
    """Return the query for trials that a patient of an age may join: `34` (years), `6 months`.

    Raises QueryError for any other text.
    """
    age = Age(float(text), "year") if re.fullmatch(r"\s*\d{1,3}\s*", text, re.ASCII) else _age(text)
    if age is None:
        raise QueryError(f"{shortened(text)!r} is no age: write 34, or 6 months")
    return AgeIs(age)


def distance_query(text: str) -> Query:
    """Return the query for trials with a site near a point: `LATITUDE,LONGITUDE,RADIUSmi` (or `km`).

    Raises QueryError for any other text, for degrees that are none, and for a radius under 1 mile or over
    500.
    """
    number = r"\s*([+-]?\d{1,4}(?:\.\d{1,20})?)\s*"
    match = re.fullmatch(f"{number},{number},{number}(mi|km)\\s*", text, re.ASCII | re.IGNORECASE)
    if match is None:
        raise QueryError(
            f"{shortened(text)!r} is no circle: write latitude, longitude, radius: 42.36,-71.06,50mi or 80km"
        )
    latitude, longitude = degrees(match[1], match[2])
    unit = match[4].lower()
    return Distance(latitude, longitude, radius_of(match[3], unit), unit)


def degrees(latitude: str, longitude: str) -> tuple[float, float]:
    """Return the point that two numbers name, kept to 7 decimals of a degree, a centimetre.

    Raises QueryError for degrees that are none.
    """
    point = _rounded(latitude), _rounded(longitude)
    if abs(point[0]) > 90 or abs(point[1]) > 180:
        raise QueryError("degrees go from -90 to 90 (latitude, the first) and from -180 to 180 (longitude)")
    return point


def radius_of(number: str, unit: str) -> float:
    """Return a radius in its unit, `mi` or `km`. Raises QueryError for one under 1 mile or over 500."""
    from trialsearch.distance import UNITS

    radius = _rounded(number)
    if not UNITS["mi"] <= radius * UNITS[unit] <= _FARTHEST * UNITS["mi"]:
        raise QueryError("a radius is 1 to 500 miles (1.61 to 804 km)")
    return radius


def _rounded(number: str) -> float:
    return round(float(number), 7) + 0.0  # which turns minus zero into zero
