"""A slow, obvious evaluator of the registry's language: it asks every study, value by value.

It shares nothing with parsing, widening, evaluation or the index: the grammar is `registry_language`, words
are `registry_text`, studies `registry_records`. It knows documents, no scores.

>>> from registry_records import made
>>> records = [made({"NCTId": f"NCT0000000{n}", "BriefTitle": title, "Phase": phases}) for n, title, phases in
...     [(1, "Asthma in adults", ["PHASE1", "PHASE2"]), (2, "Asthma", ["NA"]), (3, "Gout", None)]]
>>> oracle = Oracle(records)
>>> sorted(oracle.ids("asthma AND AREA[Phase]PHASE2")), sorted(oracle.ids("AREA[Phase]MISSING"))
(['NCT00000001'], ['NCT00000003'])
>>> sorted(oracle.ids('AREA[BriefTitle]COVERAGE[FullMatch]"asthma"'))
['NCT00000002']
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from registry_language import Refused, Tree, parse
from registry_records import Record, areas, kind_of, name_of
from registry_text import exact, stands, text_of, units

__all__ = ["Named", "Oracle", "lets_in", "overlaps"]

_AGE_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25, "hour": 1 / 24, "minute": 1 / 1440}
_EARTH = 3958.7613  # the earth's mean radius
_ORDERED = {"day", "number", "age"}
# The codes of the fields that the tests ask; a field that is not here takes any code.
_CODES = {
    "Phase": "NA EARLY_PHASE1 PHASE1 PHASE2 PHASE3 PHASE4",
    "OverallStatus": """NOT_YET_RECRUITING RECRUITING ENROLLING_BY_INVITATION ACTIVE_NOT_RECRUITING SUSPENDED
        TERMINATED COMPLETED WITHDRAWN UNKNOWN""",
    "Sex": "FEMALE MALE ALL",
    "StdAge": "CHILD ADULT OLDER_ADULT",
    "HealthyVolunteers": "TRUE FALSE",
    "HasResults": "TRUE FALSE",
}
# The fields whose values mean concepts, and the areas that ask what they mean.
_MEANT = {"ConditionSearch": ("Condition", "ConditionMeshTerm"), "InterventionSearch": ("InterventionName",)}
_MEANT["BasicSearch"] = _MEANT["ConditionSearch"] + _MEANT["InterventionSearch"]


class Named(NamedTuple):
    """A thing: its names, and the first names of what it is a kind of."""

    names: tuple[str, ...]
    kind_of: tuple[str, ...] = ()


class _Asked(NamedTuple):
    """What stands around a part: the area, the level and the coverage, None where none is stated."""

    area: str
    level: str | None = None
    coverage: str | None = None


class Oracle:
    """Answers over studies in the registry's structure.

    `named`: the things that have several names. `places`: (city, state, country) -> (latitude, longitude),
    for sites that state none.
    """

    def __init__(
        self,
        studies: Iterable[dict[str, Any]],
        named: Iterable[Named] = (),
        places: Mapping[tuple[str, str, str], tuple[float, float]] | None = None,
    ) -> None:
        records = [Record(study) for study in studies]
        self.records = {record.values("NCTId")[0]: record for record in records}
        self.named = list(named)
        self._places = places or {}

    def ids(self, expression: str, area: str = "BasicSearch") -> set[str]:
        """Return the ids of the studies that an expression finds. Raises Refused."""
        tree = parse(expression)
        asked = _Asked(area)
        _check(tree, asked)
        return {nct for nct, record in self.records.items() if self._holds(tree, record, asked)}

    def _holds(self, tree: Tree, record: Record, asked: _Asked) -> bool:
        match tree:
            case ("and", *parts):
                return all(self._holds(part, record, asked) for part in parts)
            case ("or", *parts):
                return any(self._holds(part, record, asked) for part in parts)
            case ("not", part):
                return not self._holds(part, record, asked)
            case ("all",):
                return asked.area != "Sex" or record.values("Sex") == ["ALL"]
            case ("area", name, part):
                return self._in_area(part, record, asked, name_of(name))
            case ("group", part) | ("search", "Study", part) | ("tilt", _, part):
                return self._holds(part, record, asked)
            case ("search", _, part):
                at_site = asked._replace(area="LocationSearch")
                return any(self._holds(part, site, at_site) for site in record.sites())
            case ("expansion", level, part):
                return self._holds(part, record, asked._replace(level=level))
            case ("coverage", coverage, part):
                return self._holds(part, record, asked._replace(coverage=coverage))
            case ("missing",):
                return not record.values(asked.area)
            case ("range", low, high):
                return overlaps(record, asked.area, low, high)
            case ("distance", latitude, longitude, miles):
                points = [self.point(site) for site in record.sites()]
                return any(point and apart(point, (latitude, longitude)) <= miles for point in points)
            case ("age", text):
                return lets_in(record, text if " " in text or not text.isdigit() else f"{text} years")
            case (_, text):
                return self._said(tree[0], text, record, asked)
        raise AssertionError(tree)

    def _in_area(self, part: Tree, record: Record, asked: _Asked, area: str) -> bool:
        """A value of a field is as many words as make one; what follows is asked around it."""
        inner = asked._replace(area=area)
        if part[0] != "term" or kind_of(area) == "text":
            return self._holds(part, record, inner)
        value, rest = _leading_value(area, part[1])
        holds = _has_value(record, area, value)
        return holds and (not rest or self._said("term", rest, record, asked))

    def _said(self, kind: str, text: str, record: Record, asked: _Asked) -> bool:
        area = asked.area
        if kind_of(area) != "text":
            return _has_value(record, area, text)
        values = [value for piece in areas().get(area, [area]) for value in record.texts(piece)]
        if kind == "prefix":
            return any(
                word.startswith(text.lower())
                for value in values
                for edges in text_of(value)
                for word, _ in edges
            )
        level = asked.level or ("Relaxation" if asked.coverage in {None, "Contains"} else "Concept")
        if kind == "phrase" and level in {"Relaxation", "Lossy"}:
            level = "Concept"
        coverage = asked.coverage or "Contains"
        if level == "None":
            return any(exact(text, value, coverage) for value in values)
        places = [text_of(value) for value in values]
        if any(stands(text, place, coverage) for place in places):
            return True
        if level == "Term":
            return False
        if self._otherwise(text, record, asked, 0):
            return True
        if level == "Concept":
            return False
        parts = self._parts(text)
        said = {word: any(stands(word, place, "Contains") for place in places) for word in units(text)}
        holds = [
            all(said[word] for word in units(part)) or self._otherwise(part, record, asked, 1)
            for part in parts
        ]
        return any((*holds, *said.values())) if level == "Lossy" else bool(parts) and all(holds)

    def _parts(self, text: str) -> list[str]:
        """Cut a run into the longest names of things in it, and the words between them."""
        words, parts, place = units(text), [], 0
        while place < len(words):
            sizes = range(len(words) - place, 0, -1)
            runs = [" ".join(words[place : place + size]) for size in sizes]
            taken = next((run for run in runs if self._things(run)), words[place])
            parts.append(taken)
            place += len(taken.split())
        return parts

    def _things(self, text: str) -> list[Named]:
        asked = text_of(text)
        return [thing for thing in self.named if any(text_of(name) == asked for name in thing.names)]

    def _otherwise(self, text: str, record: Record, asked: _Asked, between: int) -> bool:
        """Whether a record has another name of what a text names, or is about it or a kind of it."""
        coverage = asked.coverage or "Contains"
        values = [text_of(v) for piece in areas().get(asked.area, [asked.area]) for v in record.texts(piece)]
        for thing in self._things(text):
            if any(stands(name, value, coverage, between) for name in thing.names for value in values):
                return True
            if coverage == "Contains" and any(
                stands(name, text_of(value), "FullMatch")
                for piece in _MEANT.get(asked.area, ())
                for value in record.texts(piece)
                for kind in self._kinds(thing)
                for name in kind.names
            ):
                return True
        return False

    def _kinds(self, thing: Named) -> list[Named]:
        """Return a thing and all things that are kinds of it."""
        found = [thing]
        for known in found:
            found += [one for one in self.named if known.names[0] in one.kind_of and one not in found]
        return found

    def point(self, site: Record) -> tuple[float, float] | None:
        for point in site.values("LocationGeoPoint"):
            return point["lat"], point["lon"]
        place = [
            (site.values(piece) or [""])[0] for piece in ("LocationCity", "LocationState", "LocationCountry")
        ]
        return self._places.get((place[0], place[1], place[2]))


def _check(tree: Tree, asked: _Asked) -> None:
    """Raise Refused where parts do not go together."""
    match tree:
        case ("area", name, part):
            _check(part, asked._replace(area=name_of(name)))
        case ("expansion", level, part):
            _check(part, asked._replace(level=level))
        case ("coverage", coverage, part):
            _check(part, asked._replace(coverage=coverage))
        case ("tilt", name, part):
            if kind_of(name_of(name)) not in _ORDERED:
                raise Refused(f"{name} has no order to tilt by")
            _check(part, asked)
        case ("search", kind, part):
            _check(part, asked if kind == "Study" else asked._replace(area="LocationSearch"))
        case ("and" | "or" | "not", *parts):
            for part in parts:
                _check(part, asked)
        case ("group", part):
            _check(part, asked)
        case ("prefix", text):
            _check_level(asked)
            if asked.level == "None" or asked.coverage not in {None, "Contains"}:
                raise Refused(f"{text}* is no term that stands somewhere")
        case _:
            _check_level(asked)
            _check_source(tree, asked.area)


def _check_level(asked: _Asked) -> None:
    """Raise Refused where the level and the coverage that stand before an operand do not go together."""
    if asked.level == "Lossy" and asked.coverage:
        raise Refused("Lossy goes with no COVERAGE")
    if asked.level == "Relaxation" and asked.coverage not in {None, "Contains"}:
        raise Refused(f"{asked.coverage} goes with None, Term and Concept")


def _check_source(tree: Tree, area: str) -> None:
    match tree:
        case ("missing",) if area in areas():
            raise Refused("MISSING goes with a field")
        case ("range", low, high):
            if kind_of(area) not in _ORDERED:
                raise Refused(f"{area} has no order")
            _bounds(area, low, high)
        case ("distance", *_) if area != "LocationGeoPoint":
            raise Refused("DISTANCE goes with LocationGeoPoint")
        case ("term" | "phrase", text):
            if kind_of(area) in {"structure", "point"}:
                raise Refused(f"{area} holds no value that can be asked so")
            if kind_of(area) != "text":
                _leading_value(area, text)


def overlaps(record: Record, piece: str, low: str, high: str) -> bool:
    spans = [span for value in record.values(piece) if (span := _span(piece, value))]
    least, most = _bounds(piece, low, high)
    return any(first <= most and last >= least for first, last in spans)


def _bounds(piece: str, low: str, high: str) -> tuple[float, float]:
    least = -math.inf if low in {"MIN", ""} else _bound(piece, low)[0]
    most = math.inf if high in {"MAX", ""} else _bound(piece, high)[1]
    if least > most:
        raise Refused(f"the range ends before it begins: {low}, {high}")
    return least, most


def _bound(piece: str, text: str) -> tuple[float, float]:
    span = _span(piece, text)
    if span is None:
        raise Refused(f"{text} is no value of {piece}")
    return span


def _span(piece: str, value: Any) -> tuple[float, float] | None:
    """Return the least and the greatest number that a value may mean; None for what is none."""
    kind = kind_of(piece)
    if kind == "day":
        return _days(str(value).partition("T")[0])
    if kind == "age":
        match = re.fullmatch(r"([\d.]+) *(minute|hour|day|week|month|year)s?", str(value).strip().lower())
        return (days := float(match[1]) * _AGE_DAYS[match[2]], days) if match else None
    return (float(value), float(value)) if re.fullmatch(r"-?\d+(\.\d+)?", str(value)) else None


def _days(text: str) -> tuple[float, float] | None:
    if match := re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})", text):
        text = f"{match[3]}-{int(match[1]):02}-{int(match[2]):02}"
    match = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    first = date(year, month or 1, day or 1)
    last_month = month or 12
    last = date(year, last_month, day or calendar.monthrange(year, last_month)[1])
    return first.toordinal(), last.toordinal()


def _codes(area: str, text: str) -> list[str]:
    """Return the codes that a text spells: in any case, several parted by commas, a phase by its number."""
    codes = [re.sub(r"[\W_]+", "_", part.strip()).upper() for part in text.split(",")]
    codes = [f"PHASE{code}" if area == "Phase" and code.isdigit() else code for code in codes]
    known = _CODES[area].split() if area in _CODES else codes
    for code in codes:
        if code not in known or not re.fullmatch(r"\w+", code):
            raise Refused(f"{code} is no code of {area}")
    return codes


def _leading_value(area: str, text: str) -> tuple[str, str]:
    """Cut a run behind as many words as are a value of a field."""
    words = text.split()
    for size in range(len(words), 0, -1):
        value = " ".join(words[:size])
        try:
            _check_value(area, value)
        except Refused:
            continue
        return value, " ".join(words[size:])
    raise Refused(f"{text} is no value of {area}")


def _check_value(area: str, text: str) -> None:
    """Raise Refused for what is no value of a field of codes, days, numbers or ages."""
    if kind_of(area) == "code":
        # One word is one code: `PHASE2 asthma` is a code and a term.
        if " " in text and area not in _CODES:
            raise Refused(f"{text} is no code of {area}")
        _codes(area, text)
        return
    low, dots, high = text.partition("..")
    for bound in (low, high) if dots else (text,):
        if bound:
            _bound(area, bound)


def _has_value(record: Record, area: str, text: str) -> bool:
    if kind_of(area) == "code":
        return bool(set(_codes(area, text)) & {str(value).upper() for value in record.values(area)})
    low, dots, high = text.partition("..")
    return overlaps(record, area, low, high if dots else low)


def lets_in(record: Record, age: str) -> bool:
    """Whether a patient of an age may join: a bound that is not there keeps nobody out."""
    (days, _) = _bound("MinimumAge", age)
    least = [span[0] for value in record.values("MinimumAge") if (span := _span("MinimumAge", value))]
    most = [span[0] for value in record.values("MaximumAge") if (span := _span("MaximumAge", value))]
    return all(bound <= days for bound in least) and all(bound >= days for bound in most)


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the miles between two points, by the spherical law of cosines."""
    (a, b), (c, d) = (map(math.radians, point) for point in (one, other))
    cosine = math.sin(a) * math.sin(c) + math.cos(a) * math.cos(c) * math.cos(b - d)
    return _EARTH * math.acos(max(-1.0, min(1.0, cosine)))
