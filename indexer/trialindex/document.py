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

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from trialindex import codes, worked_out
from trialindex.analysis import fold
from trialindex.dates import date_range, parse_age, parse_date
from trialindex.fields import CONCEPT_FIELDS, FIELD_NUMBERS, FIELDS, Field, concept_term
from trialindex.frozen import frozen
from trialindex.gazetteer import site_point
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
            name, kind, convert = plan.fields[number]
            if kind == "structure":
                if any(found):
                    structures.append(name)
            elif kind == "text":
                text[name] = list(map(str, found))
            elif kind == "code":
                stated = [value if type(value) is str else _code(value) for value in found]
                code[name] = list(dict.fromkeys(stated)) if len(stated) > 1 else stated
            elif kind == "several":
                if made := [pair for pair in map(convert, found) if pair is not None]:
                    ranges[name] = sorted(set(made))
            elif kind != "at site" and (pair := convert(found[0])):
                numbers[name] = pair[0]
                if kind == "day":
                    numbers[f"{name}Last"] = pair[1]
        _count(plan, values, numbers, ranges)
        sites = _at_sites(values[plan.locations], text) if plan.locations in values else []
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
        names = _names(plan, values) | _taught(plan, values)
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


# Texts, tidy and each once, as a name field holds them.
_Named = Callable[[list[str]], list[str]]


def _upper(texts: list[str]) -> list[str]:
    return [text.upper() for text in texts]


def _folded(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(map(fold, texts)))


def _shown(texts: list[str]) -> list[str]:
    """Return texts with how they are written behind them, so that facets and lists can show it."""
    return [f"{fold(text)}\t{text}" for text in texts]


# The name fields: how they hold a text, and the pieces whose whole values they hold.
_NAMES: dict[str, tuple[_Named, tuple[str, ...]]] = {
    "AnyId": (_upper, ("NCTId", "NCTIdAlias")),
    "Country": (_folded, ("LocationCountry",)),
    "ConditionName": (_shown, ("Condition", "ConditionMeshTerm")),
    "InterventionFullName": (
        _shown,
        ("InterventionName", "InterventionOtherName", "InterventionMeshTerm"),
    ),
    "SponsorName": (_shown, ("LeadSponsorName",)),
    "CityName": (_shown, ("LocationCity",)),
    "StateName": (_shown, ("LocationState",)),
}

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
# Of a site that lies nobody knows where: coordinates, and whether they were looked up.
_NOWHERE = (None, None, False)
_LONGEST_CODE = 100  # characters
_FAR = 1 << 30  # steps up a hierarchy: more than there are


# What a number or a date says: (low, high), None for what is none.
_Convert = Callable[[Any], tuple[float, float] | None]


class _Plan(NamedTuple):
    """All that a document takes of a study. Numbers are those of paths in `paths`.

    `fields`, by number: name, how its values are taken, how to read a number or day. `counts`, by the number
    of what is counted: name of the count, whether there may be several, the number of the structure around,
    the keys there. `names`: name field, how it holds a text, its numbers. `teaching`: the pieces that teach
    names, their numbers. `locations`, `countries`, `retractions`, `references`: one number each.
    """

    paths: Paths
    fields: list[tuple[str, str, _Convert]]
    counts: dict[int, list[tuple[str, bool, int, tuple[str, ...]]]]
    names: list[tuple[str, _Named, list[int]]]
    teaching: list[tuple[str, int]]
    locations: int
    countries: int
    retractions: int
    references: int


@cache
def _plan() -> _Plan:
    from trialindex.vocabulary.learning import PIECES  # costs a search from a fresh start, which needs it not

    pieces = by_piece()
    fields = [field for field in FIELDS.values() if field.path and not pieces[field.name].search_only]
    numbers = {path: number for number, path in enumerate(field.path for field in fields)}
    counts: dict[int, list[tuple[str, bool, int, tuple[str, ...]]]] = {}
    for name, keys in worked_out.COUNTED.items():
        around = pieces[name].path.rpartition(".")[0]
        count = name, FIELDS[name].several, numbers[around], keys
        for key in keys:
            counts.setdefault(numbers[f"{around}.{key}"], []).append(count)
    return _Plan(
        Paths(numbers),
        [(field.name, _kind(field), _converter(field)) for field in fields],
        counts,
        [
            (name, how, [numbers[pieces[piece].path] for piece in held])
            for name, (how, held) in _NAMES.items()
        ],
        [(piece, numbers[pieces[piece].path]) for piece in PIECES],
        numbers[pieces["Location"].path],
        numbers[pieces["LocationCountry"].path],
        numbers[pieces["Retraction"].path],
        numbers[pieces["Reference"].path],
    )


def _kind(field: Field) -> str:
    """Return how the values of a field are taken."""
    if field.name in AT_SITE:
        return "at site"
    if field.kind in {"number", "day"} and field.several:
        return "several"
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
    for number in plan.counts.keys() & values.keys():
        for name, several, around, keys in plan.counts[number]:
            structures = values[around]
            if len(structures) == len(keys) == 1:  # as most: all that was found is in it
                found = [len(values[number])]
            else:
                found = worked_out.counts(structures, keys)
            if found and several:
                ranges[name] = [(count, count) for count in sorted(set(found))]
            elif found:
                numbers[name] = found[0]
    for name, day in worked_out.YEARS.items():
        if day in numbers:
            numbers[name] = date.fromordinal(int(numbers[day])).year
    if plan.countries in values and (countries := worked_out.countries(values[plan.countries])):
        numbers["NumUniqueLocationCountries"] = countries
    if plan.retractions in values:
        numbers["NumRetractionsAllRefs"] = worked_out.retractions(values[plan.references])


def _taught(plan: _Plan, values: dict[int, list[Any]]) -> dict[str, list[str]]:
    """Return what a study teaches of names: pairs, parted by a tab."""
    from trialindex.vocabulary.learning import taught_names, taught_short_forms

    held = {piece: values[number] for piece, number in plan.teaching if number in values}
    found = {"Definition": taught_short_forms(held), "OtherName": taught_names(held)}
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
                if distance < nearest.get(identifier, _FAR):
                    nearest[identifier] = distance
        levels = CONCEPT_FIELDS[kind]
        last = len(levels) - 1
        for identifier, distance in nearest.items():
            found.setdefault(levels[distance if distance < last else last], []).append(identifier)
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
    if not isinstance(value, str):
        return None
    # What is longer than any age is not to be held.
    age = _short_age(value) if len(value) <= _LONGEST_CODE else parse_age(value)
    return (age.days, age.days) if age else None


_short_age = lru_cache(maxsize=1 << 10)(parse_age)


def _at_sites(locations: Iterable[Any], text: dict[str, list[str]]) -> list[Site]:
    """Return the sites of a trial, and add what its locations say of them to its text."""
    places = [location for location in locations if isinstance(location, dict)]
    columns = {name: _texts([place.get(key, "") for place in places]) for name, key in AT_SITE.items()}
    columns["LocationCountryCode"] = list(map(worked_out.country_code, columns["LocationCountry"]))
    text.update((name, column) for name, column in columns.items() if any(column))
    return list(map(_site, places))


def _texts(column: list[Any]) -> list[str]:
    """Return what stands at a key of each location as text; "" for what is no single value."""
    return [value if type(value) is str else _text(value) for value in column]


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _site(place: dict[str, Any]) -> Site:
    status = place.get("status")
    latitude, longitude, looked_up = site_point(place) or _NOWHERE
    return Site(latitude, longitude, looked_up, status if isinstance(status, str) else "")


def _names(plan: _Plan, values: dict[int, list[Any]]) -> dict[str, list[str]]:
    found = {}
    for name, how, numbers in plan.names:
        held = [value for number in numbers if number in values for value in values[number]]
        if held and (tidy := _tidy(held)):
            found[name] = how(tidy)
    return found


def _tidy(values: list[Any]) -> list[str]:
    """Return the texts among some values, each once, their white space single."""
    texts = dict.fromkeys([value for value in values if isinstance(value, str)])
    tidy = dict.fromkeys([" ".join(text.split()) for text in texts])
    tidy.pop("", None)
    return list(tidy)


def code_text(code: str) -> str:
    """Return what a code says as text, so that its words can be searched; "" for yes and no."""
    # The registry has some hundred; what is longer than any of them is none, and not to be held.
    return _said(code) if len(code) <= _LONGEST_CODE else codes.words(code)


@lru_cache(maxsize=1 << 10)
def _said(code: str) -> str:
    return "" if code in {"true", "false"} else codes.words(code)
