"""A place to search around: what `--near` and `--within` take.

>>> parse_near("42.36,-71.06")
NearPoint(latitude=42.36, longitude=-71.06, name='42.36,-71.06', notes=())
>>> parse_near("Boston, MA").name
'Boston, Massachusetts, United States'
>>> print(parse_near("Springfield").notes[0])
Springfield is taken as Springfield, Missouri, United States; there are also Springfield, Massachusetts, \
United States and Springfield, Illinois, United States: add the state or the country
>>> parse_near("Boston").notes
()
>>> parse_near("Bostn")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no place 'Bostn' is known; the nearest: Boston, Massachusetts, United States; \
Lashkar Gāh, Afghanistan; or give LATITUDE,LONGITUDE, like 42.36,-71.06
>>> parse_within("50mi"), parse_within("80 kilometres"), parse_within("50")
((50.0, 'mi'), (80.0, 'km'), (50.0, 'mi'))
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trialindex.errors import QueryError
from trialindex.frozen import frozen
from trialsearch.lexing import shortened
from trialsearch.query import Distance
from trialsearch.values import degrees, radius_of

if TYPE_CHECKING:
    from trialindex.gazetteer import Place

__all__ = ["NearPoint", "parse_near", "parse_within"]

_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,20})?)"
_POINT = re.compile(rf"\s*{_NUMBER}\s*[,;\s]\s*{_NUMBER}\s*", re.ASCII)
_RADIUS = re.compile(r"\s*(\d{1,4}(?:\.\d{1,20})?)\s*([a-z]*)\.?\s*", re.ASCII | re.IGNORECASE)
_SPELLED = {
    "": "mi",
    **dict.fromkeys(("mi", "mile", "miles"), "mi"),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
}
_LONGEST = 200  # letters of a place's name
# Others that a note on an ambiguous name names.
_NAMED = 2
# Who means one with fewer people than a tenth of the largest says so.
_FAR_LARGER = 10


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
    mean the largest, with a note that names others which are not far smaller.

    Raises QueryError for degrees that are none, and for a place that is not known, naming near ones.
    """
    text = " ".join(text.split())
    stated = _POINT.fullmatch(text)
    if stated:
        return NearPoint(*degrees(stated[1], stated[2]), text)
    return _place(text)


def _place(text: str) -> NearPoint:
    # The table of places is opened only where one is asked.
    from trialindex.gazetteer import country_code, find, similar

    example = "or give LATITUDE,LONGITUDE, like 42.36,-71.06"
    asked = 0 < len(text) <= _LONGEST
    found = find(text) if asked else []
    if not found:
        if asked and country_code(text):
            raise QueryError(f"{text} is a country: ask country for it, or name a city; {example}")
        near = "; ".join(similar(text)) if asked else ""
        nearest = f"the nearest: {near}; " if near else ""
        raise QueryError(f"no place {shortened(text)!r} is known; {nearest}{example}")
    taken, *others = found
    return NearPoint(taken.latitude, taken.longitude, str(taken), tuple(_ambiguous(text, taken, others)))


def _ambiguous(text: str, taken: Place, others: Iterable[Place]) -> list[str]:
    """Return a note on other places that may have been meant: those that are not far smaller."""
    meant = [str(place) for place in others if place.population * _FAR_LARGER >= taken.population][:_NAMED]
    if not meant:
        return []
    there = "there is also" if len(meant) == 1 else "there are also"
    return [f"{text} is taken as {taken}; {there} {' and '.join(meant)}: add the state or the country"]


def parse_within(text: str) -> tuple[float, str]:
    """Return a radius and its unit, `mi` or `km`: `50mi`, `50 miles`, `80km`; miles where none is given, as
    in the registry's own form.

    Raises QueryError for any other text, and for a radius under 1 or over 500 miles.
    """
    text = " ".join(text.split())
    match = _RADIUS.fullmatch(text)
    unit = _SPELLED.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise QueryError(f"{shortened(text)!r} is no distance: write 50mi or 80km")
    return radius_of(match[1], unit), unit
