"""What `--near` and `--within` take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.errors import QueryError
from trialsearch.near import NearPoint, parse_near, parse_within
from trialsearch.query import Distance


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("42.36,-71.06", (42.36, -71.06)),
        (" 42.36 , -71.06 ", (42.36, -71.06)),
        ("42.36 -71.06", (42.36, -71.06)),
        ("+90,180", (90.0, 180.0)),
        ("-90,-180", (-90.0, -180.0)),
        ("-0,0", (0.0, 0.0)),
    ],
)
def test_a_point(text: str, point: tuple[float, float]) -> None:
    found = parse_near(text)
    assert found.point == point
    assert (found.name, found.notes) == (text.strip(), ())


@pytest.mark.parametrize("text", ["91,0", "0,181", "-90.1,0", "300,300"])
def test_no_point_on_earth(text: str) -> None:
    with pytest.raises(QueryError, match="latitude"):
        parse_near(text)


def test_a_place_that_is_one_of_several_is_said_to_be() -> None:
    found = parse_near("Springfield")
    assert found.name == "Springfield, Missouri, United States"
    assert found.point == pytest.approx((37.2, -93.3), abs=0.2)
    [note] = found.notes
    assert "Springfield, Massachusetts, United States and Springfield, Illinois, United States" in note


def test_others_that_are_far_smaller_need_no_note() -> None:
    # Boston in Lincolnshire has less than a tenth of the people of Boston in Massachusetts.
    assert parse_near("Boston").notes == ()
    # Cambridge in Ontario and in Massachusetts are as large as the one in England.
    [note] = parse_near("Cambridge").notes
    assert "there are also Cambridge, Ontario, Canada and Cambridge, Massachusetts, United States" in note


def test_a_country_is_no_place_to_be_near() -> None:
    with pytest.raises(QueryError, match="Germany is a country: ask country for it, or name a city"):
        parse_near("Germany")


def test_a_place_that_is_told_apart_needs_no_note() -> None:
    found = parse_near("Springfield,  Illinois")
    assert found == NearPoint(found.latitude, found.longitude, "Springfield, Illinois, United States")
    assert found.point == pytest.approx((39.8, -89.6), abs=0.2)


@pytest.mark.parametrize(
    ("text", "named"),
    [("Bostn", "Boston, Massachusetts"), ("Qqqqqqqq", "LATITUDE,LONGITUDE"), ("", "LATITUDE,LONGITUDE")],
)
def test_a_place_that_is_not_known(text: str, named: str) -> None:
    with pytest.raises(QueryError, match=f"no place {text!r} is known.*{named}"):
        parse_near(text)


def test_a_run_of_spaces_takes_no_time() -> None:
    for parse in (parse_near, parse_within):
        with pytest.raises(QueryError):
            parse("50" + " " * 200_000 + "!")


def test_a_long_text_is_no_place() -> None:
    with pytest.raises(QueryError) as error:
        parse_near("Boston " * 1000)
    assert len(str(error.value)) < 200


@given(st.text())
def test_any_text_is_a_place_or_an_error(text: str) -> None:
    for parse in (parse_near, parse_within):
        try:
            parse(text)
        except QueryError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "radius"),
    [
        ("50mi", (50.0, "mi")),
        ("50 miles", (50.0, "mi")),
        ("1 mile", (1.0, "mi")),
        ("50", (50.0, "mi")),
        ("500MI", (500.0, "mi")),
        ("80km", (80.0, "km")),
        ("12.5 km", (12.5, "km")),
        ("804 kilometres", (804.0, "km")),
        ("2kilometer", (2.0, "km")),
    ],
)
def test_a_radius(text: str, radius: tuple[float, str]) -> None:
    assert parse_within(text) == radius


@pytest.mark.parametrize("text", ["0mi", "0.9mi", "1.6 km", "501mi", "805km", "9999mi"])
def test_a_radius_that_is_too_small_or_too_large(text: str) -> None:
    with pytest.raises(QueryError, match="a radius is 1 to 500 miles"):
        parse_within(text)


@pytest.mark.parametrize("text", ["", "mi", "50 m", "fifty miles", "-5mi", "50mi 3", "5e2km", "٥mi"])
def test_no_radius(text: str) -> None:
    with pytest.raises(QueryError, match="is no distance: write 50mi or 80km"):
        parse_within(text)


def test_a_point_and_a_radius_are_a_query() -> None:
    assert parse_near("42.36,-71.06").within(50.0, "mi") == Distance(42.36, -71.06, 50.0, "mi")
