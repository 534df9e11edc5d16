"""How far sites lie from a point, on a sphere of the earth's mean radius.

The haversine formula (R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68, 1984, page 159):
`a = sin²((lat2 - lat1) / 2) + cos(lat1) cos(lat2) sin²((lon2 - lon1) / 2)`, `distance = 2 R asin(√a)`. The
radius is the mean one of the International Union of Geodesy and Geophysics, R1 = (2a + b) / 3 (H. Moritz,
Geodetic Reference System 1980, Journal of Geodesy 74, 2000).

>>> boston, new_york = (42.3584, -71.0598), (40.7143, -74.006)
>>> round(float(great_circle(boston, *new_york)))
306
>>> math.isclose(great_circle((90, 0), -90, 123), math.pi * EARTH_RADIUS)
True
>>> math.isclose(great_circle((0, 179.5), 0, -179.5), math.radians(1) * EARTH_RADIUS)
True
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EARTH_RADIUS", "UNITS", "great_circle", "nearest", "within"]

EARTH_RADIUS = 6371.0088  # km
# The kilometres of a unit.
UNITS = {"km": 1.0, "mi": 1.609344}

Point = tuple[float, float]
F64 = npt.NDArray[np.float64]

# Sites worked on at a time: their numbers stay in the processor's cache.
_STRETCH = 1 << 14
# What rounding may add to a distance, of the earth's half circumference; a few micrometres.
_ROUNDING = 1e-12


def _haversine(point: Point, latitudes: Any, longitudes: Any, kind: type = np.float64) -> Any:
    """Return `a` of the formula, which grows with the distance, from 0 to 1, of a kind of float; NaN where a
    degree is.
    """
    half = math.pi / 360
    turned = longitudes - point[1]
    # Angles near a half turn have a sine of few digits; so does the cosine near the poles.
    turned -= 360.0 * np.rint(turned / 360.0)
    up = np.sin(((latitudes - point[0]) * half).astype(kind))
    across = np.sin((turned * half).astype(kind))
    north = np.sin(((90.0 - np.abs(latitudes)) * (2 * half)).astype(kind))
    return up * up + kind(math.cos(math.radians(point[0]))) * north * across * across


def great_circle(point: Point, latitudes: Any, longitudes: Any) -> Any:
    """Return the kilometres from a point (latitude, longitude) to others, float64 like these; all in degrees,
    north and east positive. NaN where a degree is.
    """
    found = _haversine(point, np.asarray(latitudes, np.float64), np.asarray(longitudes, np.float64))
    return _kilometres(found)


def _kilometres(found: Any) -> Any:
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(found, 0, 1)))


def within(point: Point, radius: float, latitudes: F64, longitudes: F64) -> npt.NDArray[np.bool_]:
    """Return which places lie within so many kilometres of a point, bool[n]; those at that very distance do.

    `point`: latitude and longitude; `latitudes`, `longitudes`: float64[n], degrees; NaN lies nowhere.
    """
    angle = math.degrees(radius / EARTH_RADIUS) + _ROUNDING * 180
    low, high = point[0] - angle, point[0] + angle
    inside = (latitudes >= low) & (latitudes <= high)
    if low > -90 and high < 90:
        # Where no pole lies within, a great circle from the point touches the circle around it at this angle.
        ratio = math.sin(math.radians(angle)) / math.cos(math.radians(point[0]))
        reach = math.degrees(math.asin(min(1.0, ratio))) + _ROUNDING * 180
        away = np.abs(longitudes - point[1])
        # Around the date line the two differ by nearly a whole turn.
        inside &= (away <= reach) | (away >= 360 - reach)
    at = np.flatnonzero(inside)
    inside[at] = great_circle(point, latitudes[at], longitudes[at]) <= radius * (1 + _ROUNDING)
    return inside


def nearest(point: Point, offsets: npt.NDArray[np.int64], latitudes: F64, longitudes: F64) -> F64:
    """Return the kilometres from a point to the nearest place of each document, float64[documents], right to
    a millionth; NaN for one without any.

    `offsets`: int64[documents + 1] into `latitudes` and `longitudes`, float64[n], degrees; NaN lies nowhere.
    """
    # Differences of degrees are taken in double precision: in single, the rest loses a ten-millionth.
    held = np.empty(len(latitudes), np.float32)
    for low in range(0, len(held), _STRETCH):
        here = slice(low, low + _STRETCH)
        held[here] = _haversine(point, latitudes[here], longitudes[here], np.float32)
    found = np.full(len(offsets) - 1, np.nan)
    some = np.flatnonzero(offsets[1:] > offsets[:-1])
    if len(some):
        # Between two documents that have places lie none but the first one's own; NaN loses to any number.
        found[some] = np.fmin.reduceat(held, offsets[:-1][some])
    return np.asarray(_kilometres(found))
