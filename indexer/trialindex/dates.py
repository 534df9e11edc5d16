"""Dates and ages as registries write them.

A partial date stays partial: `2012-02` is the month, a range of 29 days, never its first day. Ages are a
number and a unit; in days a month counts 30.4375 and a year 365.25, so that bounds of different units
compare.

>>> parse_date("February 29, 2012"), parse_date("February 2012"), parse_date("01/15/2015")
('2012-02-29', '2012-02', '2015-01-15')
>>> parse_date("February 30, 2012") is None
True
>>> date_range("2012-02")
(datetime.date(2012, 2, 1), datetime.date(2012, 2, 29))
>>> parse_age("6 Months").days, parse_age("N/A") is None
(182.625, True)
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from trialindex.frozen import frozen

__all__ = ["Age", "age_groups", "date_range", "parse_age", "parse_date"]

_MONTHS = """january february march april may june july august september october november december""".split()
_MONTH_NUMBERS = {name[:size]: number for number, name in enumerate(_MONTHS, 1) for size in (3, len(name))}
# Compiled when a date is first read in one of these spellings.
_ISO = r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ][\d:.Z+-]*)?)?)?"
_SLASHED = r"(\d{1,2})/(?:(\d{1,2})/)?(\d{4})"
_SPELLED = r"([A-Za-z]{3,9})\.? (?:(\d{1,2})(?:st|nd|rd|th)?,? )?(\d{4})"
_DAY_FIRST = r"(\d{1,2}) ([A-Za-z]{3,9})\.?,? (\d{4})"
_LONGEST_DATE = 40  # characters


def parse_date(text: str) -> str | None:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` for a date in one of the registry's spellings, or None if it
    is none.

    A time of day is dropped. A date that does not exist (30 February) is None.
    """
    # Days recur by the thousand; what is longer than any of them is no day and is not to be held.
    return _day(text) if len(text) <= _LONGEST_DATE else _day.__wrapped__(text)


@lru_cache(maxsize=1 << 15)
def _day(text: str) -> str | None:
    text = " ".join(text.split())
    year = month = day = None
    if match := re.fullmatch(_ISO, text, re.ASCII):
        year, month, day = match.groups()
    elif match := re.fullmatch(_SLASHED, text, re.ASCII):
        month, day, year = match.groups()
    elif match := re.fullmatch(_SPELLED, text, re.ASCII):
        name, day, year = match.groups()
        month = str(_MONTH_NUMBERS.get(name.lower(), 0))
    elif match := re.fullmatch(_DAY_FIRST, text, re.ASCII):
        day, name, year = match.groups()
        month = str(_MONTH_NUMBERS.get(name.lower(), 0))
    else:
        return None
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])


def date_range(partial: str) -> tuple[date, date]:
    """Return the first and the last day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.

    Raises ValueError for anything else.
    """
    parts = [int(part) for part in partial.split("-")]
    if len(parts) == 3:
        day = date(*parts)
        return day, day
    if len(parts) == 2:
        import calendar

        year, month = parts
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    (year,) = parts
    return date(year, 1, 1), date(year, 12, 31)


# Whole numbers, so that 60 minutes are exactly an hour.
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440, "week": 10_080, "month": 43_830, "year": 525_960}
_AGE = r"(\d{1,6}(?:\.\d{1,6})?)\s*([a-z]+)"


@frozen
class Age:
    """An age or a span of time: `number` of `unit` (minute, hour, day, week, month, year)."""

    number: float
    unit: str

    @property
    def days(self) -> float:
        """The span in days."""
        return self.number * _MINUTES[self.unit] / _MINUTES["day"]

    def __str__(self) -> str:
        number = int(self.number) if self.number == int(self.number) else self.number
        return f"{number} {self.unit.capitalize()}{'' if self.number == 1 else 's'}"


def parse_age(text: str) -> Age | None:
    """Return the age that a text like `16 Years` or `18 years old` states; None for `N/A` and all else."""
    match = re.match(_AGE, text.strip().lower(), re.ASCII)
    if match is None:
        return None
    unit = match[2].removesuffix("s")
    return Age(float(match[1]), unit) if unit in _MINUTES else None


def age_groups(minimum: str | None, maximum: str | None) -> list[str]:
    """Return the registry's age groups that two age bounds let in; a bound that is absent or `N/A` is open.

    CHILD is under 18 years, ADULT 18 to 64, OLDER_ADULT 65 and over. An upper bound lets its whole year in.

    >>> age_groups("18 Years", "64 Years"), age_groups("18 Years", "65 Years")
    (['ADULT'], ['ADULT', 'OLDER_ADULT'])
    >>> age_groups("6 Months", "17 Years"), age_groups("65 Years", "N/A"), age_groups(None, None)
    (['CHILD'], ['OLDER_ADULT'], ['CHILD', 'ADULT', 'OLDER_ADULT'])
    >>> age_groups("70 Years", "20 Years")
    []
    """
    low, high = parse_age(minimum or ""), parse_age(maximum or "")
    youngest = low.days if low else 0.0
    oldest = high.days if high else float("inf")
    year = Age(1.0, "year").days
    lets_in = {
        "CHILD": youngest < 18 * year,
        "ADULT": youngest < 65 * year and oldest >= 18 * year,
        "OLDER_ADULT": oldest >= 65 * year,
    }
    return [group for group, holds in lets_in.items() if holds and youngest <= oldest]
