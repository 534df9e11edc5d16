"""Dates and ages: every spelling of a source, partial ones partial, impossible ones none."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.dates import Age, age_groups, date_range, parse_age, parse_date


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2012-02-29", "2012-02-29"),
        ("2012-2-9", "2012-02-09"),
        ("2012-02", "2012-02"),
        ("2012", "2012"),
        ("2012-02-29T10:15:00.5Z", "2012-02-29"),
        ("2012-02-29 10:15", "2012-02-29"),
        (" February   29,\n2012 ", "2012-02-29"),
        ("February 29 2012", "2012-02-29"),
        ("Feb. 29th, 2012", "2012-02-29"),
        ("february 2012", "2012-02"),
        ("29 February 2012", "2012-02-29"),
        ("3 Sep 2014", "2014-09-03"),
        ("02/29/2012", "2012-02-29"),
        ("2/2012", "2012-02"),
        ("May 1, 1999", "1999-05-01"),
    ],
)
def test_spellings(text: str, day: str) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    """2011-02-29|February 30, 2012|2012-13|2012-00|0000|13/13/2012|31/01/2012|N/A||soon|Februar 2012|20120229
|2012-|12|2012-02-29x|May|２０１２|2012-02-00|May 32, 2012|-2012|2012/02/29""".replace("\n", "").split("|"),
)
def test_no_dates(text: str) -> None:
    assert parse_date(text) is None


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_is_its_own_range_in_every_spelling(day: date) -> None:
    for text in (day.isoformat(), f"{day:%B} {day.day}, {day.year}", f"{day.month}/{day.day}/{day.year}"):
        assert parse_date(text) == day.isoformat()
    assert date_range(day.isoformat()) == (day, day)


def test_a_part_of_a_date_is_all_its_days() -> None:
    assert date_range("2012") == (date(2012, 1, 1), date(2012, 12, 31))
    assert date_range("2011-02") == (date(2011, 2, 1), date(2011, 2, 28))
    assert date_range("9999-12") == (date(9999, 12, 1), date(9999, 12, 31))
    with pytest.raises(ValueError, match="soon"):
        date_range("soon")


@given(st.text(max_size=30))
def test_any_text_is_a_date_with_a_range_or_none(text: str) -> None:
    day = parse_date(text)
    if day is not None:
        first, last = date_range(day)
        assert first <= last and parse_date(day) == day
    age = parse_age(text)
    assert age is None or age.days >= 0


@pytest.mark.parametrize(
    ("text", "days", "shown"),
    [
        ("16 Years", 16 * 365.25, "16 Years"),
        ("1 Year", 365.25, "1 Year"),
        ("6 Months", 182.625, "6 Months"),
        ("2 weeks", 14.0, "2 Weeks"),
        ("30 Days", 30.0, "30 Days"),
        ("12 Hours", 0.5, "12 Hours"),
        ("90 Minutes", 0.0625, "90 Minutes"),
        ("1.5 years", 1.5 * 365.25, "1.5 Years"),
        ("18years old", 18 * 365.25, "18 Years"),
        ("0 Days", 0.0, "0 Days"),
    ],
)
def test_ages(text: str, days: float, shown: str) -> None:
    age = parse_age(text)
    assert age is not None and (age.days, str(age)) == (days, shown)


@pytest.mark.parametrize(
    "text", ["N/A", "", "adult", "16", "16 lightyears", "-3 Years", "９ Years", "1e3 Years"]
)
def test_no_ages(text: str) -> None:
    assert parse_age(text) is None


@pytest.mark.parametrize(
    ("low", "high", "groups"),
    [
        ("18 Years", None, ["ADULT", "OLDER_ADULT"]),
        (None, "17 Years", ["CHILD"]),
        ("17 Years", "18 Years", ["CHILD", "ADULT"]),
        ("66 Years", "80 Years", ["OLDER_ADULT"]),
        ("216 Months", "N/A", ["ADULT", "OLDER_ADULT"]),
    ],
)
def test_age_groups(low: str | None, high: str | None, groups: list[str]) -> None:
    assert age_groups(low, high) == groups


def test_ages_compare_as_values() -> None:
    assert Age(6, "month") == Age(6.0, "month") != Age(6, "week")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("60 Minutes", "1 Hour"),
        ("420 Minutes", "7 Hours"),
        ("72 Hours", "3 Days"),
        ("168 Hours", "1 Week"),
        ("12 Months", "1 Year"),
        ("90 Minutes", "1.5 Hours"),
    ],
)
def test_one_age_in_two_units_is_as_many_days(one: str, other: str) -> None:
    ages = parse_age(one), parse_age(other)
    assert ages[0] is not None and ages[1] is not None and ages[0].days == ages[1].days
