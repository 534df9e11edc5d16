"""A study as the index sees it: field -> values. Pure; knows no disk.

>>> study = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 99999999}},
...     "statusModule": {"startDateStruct": {"date": "2012-02"}}}}
>>> document = Document.of(study)
>>> document.text["BriefTitle"], document.codes["Phase"]
(['A trial'], ['PHASE1', 'PHASE2'])
>>> document.numbers["StartDate"], document.numbers["StartDateLast"], "EnrollmentCount" in document.numbers
(734534, 734562, False)

There is a site for each of its locations. One without coordinates has those of its city, if that is known:

>>> points = [{"lat": 48.85341, "lon": 2.3488}, {"lat": 91, "lon": 0}, {}]
>>> locations = [{"city": "Somewhere", "geoPoint": point} for point in points]
>>> locations[2] = {"city": "Boston", "state": "Massachusetts", "country": "United States"}
>>> places = {"protocolSection": {"contactsLocationsModule": {"locations": locations}}}
>>> [site[:3] for site in Document.of(places).sites]
[(48.85341, 2.3488, False), (None, None, False), (42.358, -71.06, True)]
>>> Document.of(places).text["LocationState"]
['', '', 'Massachusetts']

With a linker, its conditions and interventions are linked to concepts, and to what these are kinds of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from trialindex import codes, worked_out
from trialindex.analysis import fold
from trialindex.dates import date_range, parse_age, parse_date
from trialindex.fields import CONCEPT_FIELDS, FIELD_NUMBERS, FIELDS, Field, concept_term
from trialindex.frozen import frozen
from trialindex.gazetteer import locate
from trialindex.study_fields import Paths, by_piece, values

if TYPE_CHECKING:
    from trialindex.vocabulary.linking import Linker

__all__ = ["AT_SITE", "NO_NUMBER_OF_PARTICIPANTS", "Document", "Site", "field_text"]

# The registry's placeholder for an enrolment that nobody stated.
NO_NUMBER_OF_PARTICIPANTS = 99999999
# Whole numbers up to here are told apart as floats.
_GREATEST = 1 << 53


class Site(NamedTuple):
    """Where a location of a trial lies, in degrees to seven decimals (a centimetre), None where nobody knows;
    whether it was looked up by the name of its city; its own recruitment status, "" where it has none.
    """

    latitude: float | None
    longitude: float | None
    looked_up: bool
    status: str


@frozen
class Document:
    """The values of one trial by field name; fields without a value are absent.

    `text`: values as written; those of `AT_SITE` are one a location, "" where it has none, so that the k-th
    is of the k-th site. `codes`: the registry's codes; booleans as `true` and `false`. `names`: whole
    values with their display form after a tab where the two differ. `numbers`: days as proleptic ordinals
    (`X` the first and `XLast` the last day that a date may mean), ages in days, counts. `ranges`: those of
    fields that may have several (`Field.several`), each once, ascending: (first, last) day, or a number
    twice. `sites`: of each location, in their order. `concepts`: the ids of concepts by the fields of
    `fields.CONCEPT_FIELDS`. `held`: the structures and points that are there, and hold something.
    """

    text: dict[str, list[str]]
    codes: dict[str, list[str]]
    names: dict[str, list[str]]
    numbers: dict[str, float]
    ranges: dict[str, list[tuple[float, float]]]
    sites: list[Site]
    concepts: dict[str, list[str]]
    held: list[str]

    @classmethod
    def of(cls, study: dict[str, Any], linker: Linker | None = None) -> Document:
        """Work out the document of a study in the registry's structure; odd values are left out, never
        an error. `linker` links it to concepts; without one it has none.
        """
        text: dict[str, list[str]] = {}
        code: dict[str, list[str]] = {}
        numbers: dict[str, float] = {}
        ranges: dict[str, list[tuple[float, float]]] = {}
        structures: list[str] = []
        plan = _plan()
        values = plan.paths.held(study)
        for number, found in values.items():
            name, kind, several, convert = plan.fields[number]
            if kind == "text":
                text[name] = list(map(str, found))
            elif kind == "code":
                code[name] = list(dict.fromkeys(map(_code, found)))
            elif kind == "structure":
                if any(found):
                    structures.append(name)
            elif kind == "at site":
                continue
            elif several:
                if made := [pair for pair in map(convert, found) if pair is not None]:
                    ranges[name] = sorted(set(made))
            elif pair := convert(found[0]):
                numbers[name] = pair[0]
                if kind == "day":
                    numbers[f"{name}Last"] = pair[1]
        _count(plan, values, numbers, ranges)
        sites = _at_sites(values.get(plan.locations, ()), text)
        from trialindex.criteria import (
            split_criteria,  # costs a search from a fresh start, which needs it not
        )

        criteria = split_criteria("\n\n".join(text.get("EligibilityCriteria", ())))
        if criteria.inclusion.strip():
            text["InclusionCriteria"] = [criteria.inclusion]
        if criteria.exclusion.strip():
            text["ExclusionCriteria"] = [criteria.exclusion]
        if criteria.other.strip():
            text["OtherCriteria"] = [criteria.other]
        found_names = ([values.get(number, ()) for number in group] for group in plan.names)
        names = _names(list(chain.from_iterable(held)) for held in found_names)
        names |= _taught(study)
        concepts = {} if linker is None else _linked(text, linker)
        return cls(text, code, names, numbers, ranges, sites, concepts, structures)

    def placed(self) -> Iterator[tuple[int, list[str], bool]]:
        """Yield the number of each field whose words have a place (`fields.PLACED`), its values, and whether
        these are terms as they are.
        """
        # Most of the fields are in no document: those that are in this one are put in order.
        numbers = FIELD_NUMBERS
        found = [name for held in (self.text, self.codes, self.concepts) for name in held if name in numbers]
        for number, name in sorted((numbers[name], name) for name in found):
            if name in self.text:
                yield number, self.text[name], False
            elif name in self.codes:
                yield number, [text for code in self.codes[name] if (text := code_text(code))], False
            else:
                yield number, [concept_term(one) for one in self.concepts[name]], True


def field_text(study: dict[str, Any], name: str) -> list[str]:
    """Return what `Document.of(study).text` has of one field; [] for a field without a value.

    >>> field_text({"protocolSection": {"conditionsModule": {"conditions": ["Gout", "Lupus"]}}}, "Condition")
    ['Gout', 'Lupus']
    >>> places = {"contactsLocationsModule": {"locations": [{}, {"city": "Paris"}]}}
    >>> field_text({"protocolSection": places}, "LocationCity")
    ['', 'Paris']
    """
    if name in AT_SITE:
        text: dict[str, list[str]] = {}
        _at_sites(values(study, FIELDS["Location"].path), text)
        return text.get(name, [])
    path = FIELDS[name].path
    if path:
        return [str(value) for value in values(study, path)]
    return Document.of(study).text.get(name, [])


# The name fields, and the pieces whose whole values they hold.
_NAMES = {
    "AnyId": ("NCTId", "NCTIdAlias"),
    "Country": ("LocationCountry",),
    "ConditionName": ("Condition", "ConditionMeshTerm"),
    "InterventionFullName": ("InterventionName", "InterventionOtherName", "InterventionMeshTerm"),
    "SponsorName": ("LeadSponsorName",),
    "CityName": ("LocationCity",),
    "StateName": ("LocationState",),
}
# Those of them that stand with how they are written behind them, so that facets and lists can show it.
_WITH_FORM = ("ConditionName", "InterventionFullName", "SponsorName", "CityName", "StateName")

# The fields whose values are linked to concepts; the strings that sponsors wrote come first.
_LINKED = {
    "condition": ("Condition", "ConditionMeshTerm"),
    "intervention": ("InterventionName", "InterventionMeshTerm", "InterventionOtherName"),
}

# The fields that have a value a location, and its key there.
AT_SITE = {
    "LocationFacility": "facility",
    "LocationCity": "city",
    "LocationState": "state",
    "LocationZip": "zip",
    "LocationCountry": "country",
    "LocationCountryCode": "countryCode",
}
_MOST_LATITUDE, _MOST_LONGITUDE = 90, 180
# Decimals of a degree that are kept: as many as a segment stores (`segments.columns`).
_DECIMALS = 7
_LONGEST_CODE = 100  # characters


# What a number or a date says: (low, high), None for what is none.
_Convert = Callable[[Any], tuple[float, float] | None]


class _Plan(NamedTuple):
    """All that a document takes of a study. Numbers are those of paths in `paths`.

    `fields`, by number: name, kind, whether there may be several, how to read a number or day. `counts`, by
    the number of the structure that holds what is counted: name, whether there may be several, the keys.
    `names`: the numbers of each name field. `locations`, `countries`, `references`: one number each.
    """

    paths: Paths
    fields: list[tuple[str, str, bool, _Convert]]
    counts: dict[int, list[tuple[str, bool, tuple[str, ...]]]]
    names: list[list[int]]
    locations: int
    countries: int
    references: int


@cache
def _plan() -> _Plan:
    pieces = by_piece()
    fields = [field for field in FIELDS.values() if field.path and not pieces[field.name].search_only]
    numbers = {path: number for number, path in enumerate(field.path for field in fields)}
    counts: dict[int, list[tuple[str, bool, tuple[str, ...]]]] = {}
    for name, keys in worked_out.COUNTED.items():
        parent = numbers[pieces[name].path.rpartition(".")[0]]
        counts.setdefault(parent, []).append((name, FIELDS[name].several, keys))
    return _Plan(
        Paths(numbers),
        [(field.name, _kind(field), field.several, _converter(field)) for field in fields],
        counts,
        [[numbers[pieces[piece].path] for piece in held] for held in _NAMES.values()],
        numbers[pieces["Location"].path],
        numbers[pieces["LocationCountry"].path],
        numbers[pieces["Reference"].path],
    )


def _kind(field: Field) -> str:
    """Return how the values of a field are taken over."""
    if field.name in AT_SITE:
        return "at site"
    return "structure" if field.kind == "point" else field.kind


def _converter(field: Field) -> _Convert:
    if field.kind == "day":
        return _days
    if by_piece()[field.name].type == "NormalizedTime":
        return _age
    return _participants if field.name == "EnrollmentCount" else _whole


def _count(
    plan: _Plan,
    values: dict[int, list[Any]],
    numbers: dict[str, float],
    ranges: dict[str, list[tuple[float, float]]],
) -> None:
    """Add what the registry works out of a study: counts and years."""
    for parent in values.keys() & plan.counts.keys():
        for name, several, keys in plan.counts[parent]:
            found = worked_out.counts(values[parent], keys)
            if found and several:
                ranges[name] = [(count, count) for count in sorted(set(found))]
            elif found:
                numbers[name] = found[0]
    for name, day in worked_out.YEARS.items():
        if day in numbers:
            numbers[name] = date.fromordinal(int(numbers[day])).year
    if countries := worked_out.countries(values.get(plan.countries, ())):
        numbers["NumUniqueLocationCountries"] = countries
    if retractions := worked_out.retractions(values.get(plan.references, ())):
        numbers["NumRetractionsAllRefs"] = retractions


def _taught(study: dict[str, Any]) -> dict[str, list[str]]:
    """Return what a study teaches of names: pairs, parted by a tab."""
    from trialindex.vocabulary.learning import definitions, other_names

    found = {"Definition": definitions(study), "OtherName": other_names(study)}
    return {field: ["\t".join(pair) for pair in pairs] for field, pairs in found.items() if pairs}


def _linked(text: dict[str, list[str]], linker: Linker) -> dict[str, list[str]]:
    """Return the concepts of a trial: those that its strings mean, those one step above, those further up;
    each once, where it is nearest.
    """
    found: dict[str, list[str]] = {}
    for kind, fields in _LINKED.items():
        read = linker.condition if kind == "condition" else linker.intervention
        strings = [value for field in fields for value in text.get(field, ())]
        links = {value: read(value) for value in strings}
        concepts = {link.concept for some in links.values() for link in some}
        # What else the trial names decides which meaning of an abbreviation is its own.
        beside = tuple(concepts)
        concepts.update(link.concept for value in links if not links[value] for link in read(value, beside))
        nearest: dict[str, int] = {}
        for concept in sorted(concepts):
            for identifier, distance in linker.lineage(concept):
                nearest[identifier] = min(nearest.get(identifier, distance), distance)
        levels = CONCEPT_FIELDS[kind]
        for identifier, distance in nearest.items():
            found.setdefault(levels[min(distance, len(levels) - 1)], []).append(identifier)
    return found


def _code(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _days(value: Any) -> tuple[float, float] | None:
    """Return the first and the last day that a date may mean, as ordinals."""
    return _ordinals(value) if isinstance(value, str) and len(value) <= _LONGEST_CODE else None


@lru_cache(maxsize=1 << 14)
def _ordinals(text: str) -> tuple[int, int] | None:
    day = parse_date(text)
    if day is None:
        return None
    first, last = date_range(day)
    return first.toordinal(), last.toordinal()


def _whole(value: Any) -> tuple[float, float] | None:
    # By its very type, as `True` is an int too.
    return (value, value) if type(value) is int and -_GREATEST <= value <= _GREATEST else None


def _participants(value: Any) -> tuple[float, float] | None:
    found = _whole(value)
    return found if found and 0 <= found[0] < NO_NUMBER_OF_PARTICIPANTS else None


def _age(value: Any) -> tuple[float, float] | None:
    age = parse_age(value) if isinstance(value, str) else None
    return (age.days, age.days) if age else None


def _at_sites(locations: Sequence[Any], text: dict[str, list[str]]) -> list[Site]:
    """Return the sites of a trial, and add what its locations say of them to its text."""
    places = [location for location in locations if isinstance(location, dict)]
    columns = {name: [_text(place.get(key)) for place in places] for name, key in AT_SITE.items()}
    columns["LocationCountryCode"] = list(map(worked_out.country_code, columns["LocationCountry"]))
    text.update((name, column) for name, column in columns.items() if any(column))
    where = zip(
        *(columns[name] for name in ("LocationCity", "LocationState", "LocationCountry")), strict=True
    )
    return [_site(place, *named) for place, named in zip(places, where, strict=True)]


def _text(value: Any) -> str:
    """Return what stands at a key of a location as text; "" for what is no single value."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _site(place: dict[str, Any], city: str, state: str, country: str) -> Site:
    given = place.get("status")
    status = given if isinstance(given, str) else ""
    point = place.get("geoPoint")
    if isinstance(point, dict):
        latitude = _degrees(point.get("lat"), _MOST_LATITUDE)
        longitude = _degrees(point.get("lon"), _MOST_LONGITUDE)
        if latitude is not None and longitude is not None:
            return Site(latitude, longitude, False, status)
    found = locate(city, state, country) if city else None
    return Site(found[0], found[1], True, status) if found else Site(None, None, False, status)


def _degrees(value: Any, most: int) -> float | None:
    """Return a number of degrees from -most to most; None for anything else."""
    # By its very type, as `True` is an int too; what is not a number (NaN) lies within no bounds.
    number = type(value) is float or type(value) is int
    return round(float(value), _DECIMALS) if number and -most <= value <= most else None


def _names(found: Iterable[list[Any]]) -> dict[str, list[str]]:
    held = dict(zip(_NAMES, map(_tidy, found), strict=True))
    made = {
        "AnyId": [value.upper() for value in held["AnyId"]],
        "Country": list(dict.fromkeys(map(fold, held["Country"]))),
    }
    made |= {name: [f"{fold(value)}\t{value}" for value in held[name]] for name in _WITH_FORM}
    return {name: values for name, values in made.items() if values}


def _tidy(values: list[Any]) -> list[str]:
    """Return the texts among some values, each once, their white space single."""
    tidy = dict.fromkeys(" ".join(value.split()) for value in values if isinstance(value, str))
    tidy.pop("", None)
    return list(tidy)


def code_text(code: str) -> str:
    """Return what a code says as text, so that its words can be searched; "" for yes and no."""
    # The registry has some hundred; what is longer than any of them is none, and not to be held.
    return _said(code) if len(code) <= _LONGEST_CODE else codes.words(code)


@lru_cache(maxsize=1 << 10)
def _said(code: str) -> str:
    return "" if code in {"true", "false"} else codes.words(code)
