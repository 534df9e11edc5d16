"""A study as the index sees it: field -> values. Pure; knows no disk.

>>> study = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 99999999}},
...     "statusModule": {"startDateStruct": {"date": "2012-02"}}}}
>>> document = Document.of(study)
>>> document.text["BriefTitle"], document.codes["Phase"]
(['A trial'], ['PHASE1', 'PHASE2'])
>>> document.numbers["StartDate"], document.numbers["StartDateLast"], "EnrollmentCount" in document.numbers
(734534, 734562, False)

The coordinates of its sites are those of the places that have both:

>>> points = [{"lat": 48.85341, "lon": 2.3488}, {"lat": 91, "lon": 0}, {"lat": 52.52437}]
>>> places = {"locations": [{"city": "Somewhere", "geoPoint": point} for point in points]}
>>> Document.of({"protocolSection": {"contactsLocationsModule": places}}).sites
[(48.85341, 2.3488)]

With a linker, its conditions and interventions are linked to concepts, and to what these are kinds of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from trialindex import codes
from trialindex.analysis import fold
from trialindex.dates import date_range, parse_age, parse_date
from trialindex.fields import CONCEPT_FIELDS, FIELDS, PLACED, concept_term
from trialindex.frozen import frozen
from trialindex.study_fields import Paths, by_piece, values

if TYPE_CHECKING:
    from trialindex.vocabulary.linking import Linker

__all__ = ["NO_NUMBER_OF_PARTICIPANTS", "Document", "field_text"]

# The registry's placeholder for an enrolment that nobody stated.
NO_NUMBER_OF_PARTICIPANTS = 99999999


@frozen
class Document:
    """The values of one trial by field name; fields without a value are absent.

    `text`: values as written. `codes`: the registry's codes; booleans as `true` and `false`. `names`: whole
    values with their display form after a tab where the two differ. `numbers`: days as proleptic ordinals
    (`X` the first and `XLast` the last day that a date may mean), ages in days, counts. `sites`: latitude and
    longitude of each place of the trial, in degrees to seven decimals (a centimetre), each pair once.
    `concepts`: the ids of concepts by the fields of `fields.CONCEPT_FIELDS`.
    """

    text: dict[str, list[str]]
    codes: dict[str, list[str]]
    names: dict[str, list[str]]
    numbers: dict[str, float]
    sites: list[tuple[float, float]]
    concepts: dict[str, list[str]]

    @classmethod
    def of(cls, study: dict[str, Any], linker: Linker | None = None) -> Document:
        """Work out the document of a study in the registry's structure; odd values are left out, never
        an error. `linker` links it to concepts; without one it has none.
        """
        text: dict[str, list[str]] = {}
        code: dict[str, list[str]] = {}
        numbers: dict[str, float] = {}
        paths, fields, lists, points = _plan()
        held = paths.values(study)
        for name, kind, number in fields:
            found = held[number]
            if not found:
                continue
            if kind == "text":
                text[name] = [str(value) for value in found]
            elif kind == "code":
                code[name] = list(dict.fromkeys(_code(value) for value in found))
            elif kind == "day":
                numbers |= _days(name, found[0])
            else:
                numbers |= _number(name, found[0])
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
        names = _names([value for number in group for value in held[number]] for group in lists)
        names |= _taught(study)
        concepts = {} if linker is None else _linked(text, linker)
        return cls(text, code, names, numbers, _sites(held[points]), concepts)

    def placed(self) -> Iterator[tuple[int, list[str], bool]]:
        """Yield the number of each field whose words have a place (`fields.PLACED`), its values, and whether
        these are terms as they are.
        """
        for number, name in enumerate(PLACED):
            if name in self.text:
                yield number, self.text[name], False
            elif name in self.codes:
                yield number, [text for code in self.codes[name] if (text := code_text(code))], False
            elif name in self.concepts:
                yield number, [concept_term(one) for one in self.concepts[name]], True


def field_text(study: dict[str, Any], name: str) -> list[str]:
    """Return what `Document.of(study).text` has of one field; [] for a field without a value.

    >>> field_text({"protocolSection": {"conditionsModule": {"conditions": ["Gout", "Lupus"]}}}, "Condition")
    ['Gout', 'Lupus']
    """
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
}

# The fields whose values are linked to concepts; the strings that sponsors wrote come first.
_LINKED = {
    "condition": ("Condition", "ConditionMeshTerm"),
    "intervention": ("InterventionName", "InterventionMeshTerm", "InterventionOtherName"),
}

# The piece that holds the coordinates of a place: latitude and longitude together, as either may be missing.
_POINT = "LocationGeoPoint"
_MOST_LATITUDE, _MOST_LONGITUDE = 90, 180
# Decimals of a degree that are kept: as many as a segment stores (`segments.columns`).
_DECIMALS = 7
_LONGEST_CODE = 100  # characters


@cache
def _plan() -> tuple[Paths, list[tuple[str, str, int]], list[list[int]], int]:
    """Return all paths that a document takes values from; name, kind and path number of each field that
    stands at one; the path numbers of each name field; and that of the coordinates.
    """
    pieces = by_piece()
    fields = [field for field in FIELDS.values() if field.path]
    asked = [field.path for field in fields]
    asked += [pieces[piece].path for held in _NAMES.values() for piece in held]
    asked.append(pieces[_POINT].path)
    numbers = {path: number for number, path in enumerate(dict.fromkeys(asked))}
    lists = [[numbers[pieces[piece].path] for piece in held] for held in _NAMES.values()]
    placed = [(field.name, field.kind, numbers[field.path]) for field in fields]
    return Paths(numbers), placed, lists, numbers[pieces[_POINT].path]


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


def _days(name: str, value: Any) -> dict[str, float]:
    days = _ordinals(value) if isinstance(value, str) else None
    return {name: days[0], f"{name}Last": days[1]} if days else {}


def _ordinals(text: str) -> tuple[int, int] | None:
    """Return the first and the last day that a date may mean; None for what is no date."""
    day = parse_date(text)
    if day is None:
        return None
    first, last = date_range(day)
    return first.toordinal(), last.toordinal()


def _number(name: str, value: Any) -> dict[str, float]:
    if name == "EnrollmentCount":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return {name: value} if whole and 0 <= value < NO_NUMBER_OF_PARTICIPANTS else {}
    age = parse_age(value) if isinstance(value, str) else None
    return {name: age.days} if age else {}


def _sites(points: list[Any]) -> list[tuple[float, float]]:
    """Return the coordinates among what stands for them, each pair once, in their order."""
    found: dict[tuple[float, float], None] = {}
    for point in points:
        if isinstance(point, dict):
            latitude = _degrees(point.get("lat"), _MOST_LATITUDE)
            longitude = _degrees(point.get("lon"), _MOST_LONGITUDE)
            if latitude is not None and longitude is not None:
                found[latitude, longitude] = None
    return list(found)


def _degrees(value: Any, most: int) -> float | None:
    """Return a number of degrees from -most to most; None for anything else."""
    # By its very type, as `True` is an int too; what is not a number (NaN) lies within no bounds.
    number = type(value) is float or type(value) is int
    return round(float(value), _DECIMALS) if number and -most <= value <= most else None


def _names(found: Iterable[list[Any]]) -> dict[str, list[str]]:
    ids, countries, conditions, interventions = map(_tidy, found)
    made = {
        "AnyId": [value.upper() for value in ids],
        "Country": list(dict.fromkeys(map(fold, countries))),
        "ConditionName": [f"{fold(value)}\t{value}" for value in conditions],
        "InterventionFullName": [f"{fold(value)}\t{value}" for value in interventions],
    }
    return {name: held for name, held in made.items() if held}


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
