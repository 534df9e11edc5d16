"""Distances on the sphere, against known ones and against a formula written otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trialsearch.distance import EARTH_RADIUS, UNITS, great_circle, nearest, within

HALF = math.pi * EARTH_RADIUS  # from pole to pole

LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, 0.0, 90.0, 89.999])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0, 179.999, -179.999])
POINTS = st.tuples(LATITUDES, LONGITUDES)


def slow(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the kilometres between two points by the angle between their vectors."""

    def vector(point: tuple[float, float]) -> tuple[float, float, float]:
        north, east = map(math.radians, point)
        return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)

    (a, b, c), (d, e, f) = vector(one), vector(other)
    cross = math.hypot(b * f - c * e, c * d - a * f, a * e - b * d)
    return EARTH_RADIUS * math.atan2(cross, a * d + b * e + c * f)


def arrays(points: list[tuple[float, float]]) -> tuple[Any, Any]:
    held = np.array(points, np.float64).reshape(-1, 2)
    return held[:, 0].copy(), held[:, 1].copy()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((42.3584, -71.0598), (40.7143, -74.0060), 306),  # Boston, New York
        ((51.5085, -0.1257), (48.8534, 2.3488), 344),  # London, Paris
        ((-33.8679, 151.2073), (-37.814, 144.9633), 713),  # Sydney, Melbourne
        ((0, 0), (0, 180), HALF),
        ((37.5, -71), (-37.5, 109), HALF),
        ((90, 12), (-90, -77), HALF),
        ((90, 12), (90, -77), 0),
        ((0, 179.5), (0, -179.5), HALF / 180),
        ((0, 0), (0, 1), HALF / 180),
        ((60, 0), (60, 0), 0),
    ],
)
def test_known_distances(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert great_circle(one, *other) == pytest.approx(expected, rel=0.01, abs=1e-6)
    assert great_circle(other, *one) == pytest.approx(float(great_circle(one, *other)), abs=1e-6)


@given(POINTS, POINTS)
def test_the_haversine_is_the_angle_between_vectors(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    # At the far side of the earth the haversine loses half of its digits: 10 centimetres.
    assert float(great_circle(one, *other)) == pytest.approx(slow(one, other), rel=1e-9, abs=2e-4)


@given(POINTS, st.floats(1, 900), st.lists(POINTS, max_size=12))
@example((90.0, 0.0), 100.0, [(89.5, 180.0), (89.5, -3.0), (89.0, 0.0)])
@example((0.0, 179.9), 50.0, [(0.0, -179.9), (0.0, 179.0), (0.0, 0.0)])
@example((89.8, 10.0), 60.0, [(89.8, -170.0), (89.2, 10.0)])
def test_within_is_what_lies_within(
    point: tuple[float, float], radius: float, places: list[tuple[float, float]]
) -> None:
    found = within(point, radius, *arrays(places)).tolist()
    for place, inside in zip(places, found, strict=True):
        away = slow(point, place)
        if abs(away - radius) > 1e-3:
            assert inside == (away < radius), (place, away)


@given(POINTS, st.integers(0, 359), st.floats(1, 900))
def test_what_lies_at_the_very_distance_is_within(
    point: tuple[float, float], bearing: int, radius: float
) -> None:
    """The place so far away in a direction, by the direct formula; its own distance is the radius asked."""
    north, east, angle = *map(math.radians, point), radius / EARTH_RADIUS
    turn = math.radians(bearing)
    up = math.asin(
        max(
            -1.0,
            min(1.0, math.sin(north) * math.cos(angle) + math.cos(north) * math.sin(angle) * math.cos(turn)),
        )
    )
    side = math.atan2(
        math.sin(turn) * math.sin(angle) * math.cos(north), math.cos(angle) - math.sin(north) * math.sin(up)
    )
    longitude = (math.degrees(east + side) + 180) % 360 - 180
    place = arrays([(math.degrees(up), longitude)])
    away = float(great_circle(point, *place)[0])
    assert within(point, away, *place).tolist() == [True]
    assert within(point, away * 0.999 - 1e-4, *place).tolist() == [False]


@given(POINTS, st.lists(st.lists(POINTS | st.just((math.nan, math.nan)), max_size=4), max_size=6))
def test_the_nearest_place_of_each(
    point: tuple[float, float], documents: list[list[tuple[float, float]]]
) -> None:
    offsets = np.cumsum([0, *map(len, documents)])
    found = nearest(point, offsets, *arrays([place for held in documents for place in held]))
    for held, away in zip(documents, found.tolist(), strict=True):
        known = [slow(point, place) for place in held if not math.isnan(place[0])]
        if known:
            # Single precision: a millionth, and what the haversine loses on the far side.
            assert away == pytest.approx(min(known), rel=2e-6, abs=1e-3) or min(known) > 0.95 * HALF
        else:
            assert math.isnan(away)


def test_many_places_in_several_stretches() -> None:
    """More places than are worked on at a time, the nearest one of each document in another stretch."""
    size = 40_000
    latitudes, longitudes = np.full(size, 50.0), np.zeros(size)
    latitudes[[5, 17_000, 39_999]] = [10.0, 20.0, 30.0]
    found = nearest((10, 0), np.array([0, 16_000, 33_000, 33_000, size]), latitudes, longitudes)
    assert found[[0, 1, 3]] == pytest.approx([0, HALF / 18, HALF / 9], rel=1e-6, abs=1e-6)
    assert math.isnan(found[2])


def test_nowhere_is_not_within() -> None:
    nan = math.nan
    places = arrays([(nan, nan), (89.9, nan), (nan, 0.0), (89.9, 0.0)])
    assert within((90, 0), 100, *places).tolist() == [False, False, False, True]
    assert within((0, 0), 100, *arrays([])).tolist() == []


def test_a_mile_is_a_mile() -> None:
    assert UNITS["mi"] == pytest.approx(1.609344)
    # A nautical mile is a minute of a great circle.
    assert pytest.approx(1.852, rel=1e-3) == HALF / 180 / 60
