"""A place to search around: what `--near` and `--within` take.

>>> parse_near("42.36,-71.06")
NearPoint(latitude=42.36, longitude=-71.06, name='42.36,-71.06', notes=())
>>> parse_near("Boston, MA").name
'Boston, Massachusetts, United States'
>>> print(parse_near("Springfield").notes[0])
Springfield is taken as Springfield, Missouri, United States; there is also Springfield, Massachusetts, \
United States and Springfield, Illinois, United States: add the state or the country
>>> parse_near("Bostn")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no place 'Bostn' is known; the nearest: Boston, Massachusetts, United States, \
Lashkar Gāh, Afghanistan; or give LATITUDE,LONGITUDE, like 42.36,-71.06
>>> parse_within("50mi"), parse_within("80 kilometres"), parse_within("50")
((50.0, 'mi'), (80.0, 'km'), (50.0, 'mi'))
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from trialindex.errors import QueryError
from trialindex.frozen import frozen
from trialsearch.query import Distance

__all__ = ["NearPoint", "parse_near", "parse_within"]

_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,20})?)"
_POINT = re.compile(rf"\s*{_NUMBER}\s*[,;\s]\s*{_NUMBER}\s*", re.ASCII)
_RADIUS = re.compile(r"\s*(\d{1,4}(?:\.\d{1,20})?)\s*([a-z]*)\.?\s*", re.ASCII | re.IGNORECASE)
_SPELLED = {
    "": "mi",
    **dict.fromkeys(("mi", "mile", "miles"), "mi"),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
}
# The registry's bounds of a radius; 500 miles are as good as 805 km.
_FARTHEST = {"mi": 500.0, "km": 805.0}
_LONGEST = 200  # letters of a place's name
# Others that a note on an ambiguous name names.
_NAMED = 2


@frozen
class NearPoint:
    """A point to search around, degrees, north and east positive; `name`: the place, or the point as it was
    given; `notes`: what the user should know of how it was read.
    """

    latitude: float
    longitude: float
    name: str
    notes: tuple[str, ...] = ()

    @property
    def point(self) -> tuple[float, float]:
        """The latitude and the longitude."""
        return self.latitude, self.longitude

    def within(self, radius: float, unit: str) -> Distance:
        """Return the query for trials with a site so near."""
        return Distance(self.latitude, self.longitude, radius, unit)


def parse_near(text: str) -> NearPoint:
    """Return the point that a text means: `LATITUDE,LONGITUDE` in degrees, or a place, of several that it may
    mean the largest, with a note that names others.

    Raises QueryError for degrees that are none, and for a place that is not known, naming near ones.
    """
    degrees = _POINT.fullmatch(text)
    if degrees:
        latitude, longitude = (round(float(part), 7) + 0.0 for part in degrees.groups())
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise QueryError(
                f"{text.strip()} is no point: latitude (first) is -90 to 90, longitude -180 to 180 degrees"
            )
        return NearPoint(latitude, longitude, text.strip())
    return _place(" ".join(text.split()))


def _place(text: str) -> NearPoint:
    # The table of places is opened only where one is asked.
    from trialindex.gazetteer import find, similar

    example = "or give LATITUDE,LONGITUDE, like 42.36,-71.06"
    found = find(text) if 0 < len(text) <= _LONGEST else []
    if not found:
        near = ", ".join(similar(text)) if 0 < len(text) <= _LONGEST else ""
        shown = text if len(text) <= 60 else f"{text[:59]}…"
        raise QueryError(f"no place {shown!r} is known; {f'the nearest: {near}; ' if near else ''}{example}")
    taken, *others = found
    return NearPoint(taken.latitude, taken.longitude, str(taken), tuple(_ambiguous(text, taken, others)))


def _ambiguous(text: str, taken: object, others: Sequence[object]) -> list[str]:
    if not others:
        return []
    named = " and ".join(map(str, others[:_NAMED]))
    return [f"{text} is taken as {taken}; there is also {named}: add the state or the country"]


def parse_within(text: str) -> tuple[float, str]:
    """Return a radius and its unit, `mi` or `km`: `50mi`, `50 miles`, `80km`; miles where none is given, as
    in the registry's own form.

    Raises QueryError for any other text, and for a radius under 1 or over 500 miles (805 km).
    """
    match = _RADIUS.fullmatch(text)
    unit = _SPELLED.get(match[2].lower()) if match else None
    if match is None or unit is None:
        shown = text if len(text) <= 60 else f"{text[:59]}…"
        raise QueryError(f"{shown!r} is no distance: write 50mi or 80km")
    radius = float(match[1])
    if not 1 <= radius <= _FARTHEST[unit]:
        raise QueryError(f"{text.strip()}: a distance is 1 to 500 miles, or 1 to 805 km")
    return radius, unit
