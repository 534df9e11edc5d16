"""Where places lie: the coordinates of a site's city, and the places that a text may mean.

The table beside this module, `gazetteer.tsv`, is made by `tools/make_gazetteer.py` from GeoNames (CC BY 4.0):
larger places of the world, with other names of the largest. It is sorted by the bytes of its lines and is
searched where it lies on the disk, by bisection; no more of it is read than the lines on the way.

>>> locate("Boston", "Massachusetts", "United States")
(42.358, -71.06)
>>> locate("München", "", "Germany") == locate("Munich", "Bavaria", "Germany")
True
>>> locate("Boston", "Lincolnshire", "United Kingdom") == locate("Boston", "MA", "USA")
False
>>> print(locate("Nowhere", "", "France"))
None
>>> [str(place) for place in find("Paris, TX")], str(find("Paris")[0])
(['Paris, Texas, United States'], 'Paris, France')

Lines, by their first column:

- `boston US MA 650000 42.358 -71.060 Boston`: a place by the key of its name; country, state (where the table
  knows states), people to two digits, degrees to three decimals (50 m), its name ("" where that is the key
  with capitals).
- `munchen DE - munich`: another name; country, state, the key of the place.
- `=united states US`, `=us massachusetts MA`: the codes of a country and a state by name.
- `:us United States`, `:us ma Massachusetts`: the names of these codes.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from trialindex.analysis import fold
from trialindex.countries import same_country
from trialindex.errors import TrialError
from trialindex.frozen import frozen

__all__ = ["TABLE", "Place", "country_code", "find", "key", "locate", "similar", "site_point"]

TABLE = Path(__file__).with_name("gazetteer.tsv")

_WORD = r"[^\W_]+"
_SHORT = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount", "pt": "point"}
# Another name of a place counts as if a tenth of its people used it: Newcastle is Newcastle upon Tyne, which
# is fifty times as large as the next one, but Boston is no Boston of old.
_OTHER_NAME = 0.1
# Countries under whose name the registry may also put sites of these.
_BESIDE = {
    "US": ("PR", "GU", "VI", "AS", "MP"),
    "CN": ("HK", "MO", "TW"),
    "FR": ("RE", "GP", "MQ", "GF", "NC", "PF", "YT"),
    "GB": ("IM", "JE", "GG"),
    "DK": ("FO", "GL"),
    "NL": ("CW", "AW", "SX"),
}
# What is left out of a city's name; compiled when the first city is looked up, as few searches do.
_PARENTHESES = r"\([^)]*(?:\)|$)"
_PARTING = r"[,;/(]"
_AREA = r"(?i:\bc[eé]dex\b.*|[\w-]*\d[\w-]*|[.:])"
_ENDING = r"(?i:(?:\s+(?:\w|city|district|shi|ku|gu|si))+\s*$)"
_NAMED = 50  # names of the table that are compared with one that it does not have


@frozen
class Place:
    """A place of the table; `country` and `state`: names, `state` "" where the table knows none; degrees,
    north and east positive; `population` to two digits.
    """

    name: str
    state: str
    country: str
    latitude: float
    longitude: float
    population: int

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name, self.state, self.country)))


def key(text: str) -> str:
    """Return the name of a place as the table holds it: folded, without punctuation, `St.` written out.

    >>> key("St. John's"), key("Saint-Étienne"), key("WASHINGTON, D.C.")
    ('saint johns', 'saint etienne', 'washington d c')
    """
    # Twice: mathematical letters become plain ones, capitals too, only after their case is folded.
    return " ".join(_SHORT.get(word, word) for word in re.findall(_WORD, fold(fold(text))))


class _Damaged(TrialError):
    """The table is not as it was made."""


def _damaged(path: Path, why: object) -> _Damaged:
    return _Damaged(f"{path} is damaged ({why}): install trialsearch again")


class _Table:
    """The lines of the table, searched in the file. Raises TrialError where it is not as it was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
        head = re.match(rb"# (\d+) bytes\b", self._data[:100])
        if head is None or int(head[1]) != len(self._data):
            raise _damaged(path, f"{len(self._data)} bytes")

    def _first(self, wanted: bytes) -> int:
        """Return where the first line starts that is not less than some bytes."""
        data, low, high = self._data, 0, len(self._data)
        while low < high:
            start = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = data.find(b"\n", start, high) + 1 or high
            if data[start:end] < wanted:
                low = end
            else:
                high = start
        return low

    def lines(self, begin: str) -> Iterator[list[str]]:
        """Yield the columns of the lines that begin with some text, in order."""
        wanted = begin.encode("utf-8", "replace")
        start = self._first(wanted)
        while self._data[start : start + len(wanted)] == wanted:
            end = self._data.find(b"\n", start)
            if end < 0:
                raise _damaged(self._path, "its last line has no end")
            try:
                yield self._data[start:end].decode().split("\t")
            except UnicodeDecodeError as error:
                raise _damaged(self._path, error) from error
            start = end + 1

    def value(self, name: str) -> str:
        """Return the second column of a line with this first one; "" where there is none."""
        return next((line[1] for line in self.lines(f"{name}\t")), "")

    def places(self, name: str, country: str = "", state: str = "") -> list[tuple[float, Place]]:
        """Return the places of a name, by its key, and how much each is meant, the most first; in a country
        and a state, by their codes, if given.
        """
        found: dict[Place, float] = {}
        for line in self.lines(f"{name}\t{country}"):
            for worth, one in self._meant(line):
                if not state or one[2] == state:
                    place = self._place(one)
                    found[place] = max(worth * place.population, found.get(place, 0.0))
        return sorted(((meant, place) for place, meant in found.items()), key=lambda entry: -entry[0])

    def _meant(self, line: list[str]) -> Iterator[tuple[float, list[str]]]:
        if len(line) == 7:
            yield 1.0, line
        elif len(line) == 4:
            for one in self.lines(f"{line[3]}\t{line[1]}\t{line[2]}\t"):
                if len(one) == 7:
                    yield _OTHER_NAME, one
        else:
            raise _damaged(self._path, f"a line of {len(line)} columns")

    def _place(self, line: list[str]) -> Place:
        name, country, state, people, north, east, written = line
        try:
            latitude, longitude, population = float(north), float(east), int(people)
        except ValueError as error:
            raise _damaged(self._path, error) from error
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise _damaged(self._path, "a place lies nowhere on earth")
        return Place(
            written or name.title(),
            self.value(f":{country.lower()} {state.lower()}") if state != "-" else "",
            self.value(f":{country.lower()}"),
            latitude,
            longitude,
            population,
        )

    def names(self, begin: str) -> list[str]:
        """Return the keys that begin with some text."""
        return list(dict.fromkeys(line[0] for line in self.lines(begin)))


@cache
def _table(path: Path = TABLE) -> _Table:
    return _Table(path)


def country_code(name: str) -> str:
    """Return the ISO 3166 code of a country by any of its names; "" where none is known.

    >>> country_code("Korea, Republic of"), country_code("Türkiye"), country_code("Narnia")
    ('KR', 'TR', '')
    """
    table = _table()
    for tried in (name, *same_country(name)):
        code = table.value(f"={key(tried)}") if key(tried) else ""
        if code:
            return code
    return ""


def _state_code(country: str, state: str) -> str:
    return _table().value(f"={country.lower()} {key(state)}") if key(state) else ""


@lru_cache(maxsize=1 << 16)
def locate(city: str, state: str, country: str) -> tuple[float, float] | None:
    """Return the (latitude, longitude) of a site's city, in degrees; None where the table has it not.

    A city that the table has in another state only is none. What sources write around a city's name is left
    out: postal districts, a second name, a part of the town.

    >>> locate("75013 Paris Cedex 13", "", "France") == locate("Paris", "", "France")
    True
    >>> locate("Springfield", "IL", "United States") == locate("Springfield", "MO", "United States")
    False
    """
    code = country_code(country)
    if not code:
        return None
    table = _table()
    known = _state_code(code, state)
    if not known and country_code(state) in _BESIDE.get(code, ()):
        code = country_code(state)
    for tried in _writings(city):
        found = table.places(tried, code, known)
        if found:
            return found[0][1].latitude, found[0][1].longitude
    for other in _BESIDE.get(code, ()) if not known else ():
        for tried in _writings(city):
            found = table.places(tried, other)
            if found:
                return found[0][1].latitude, found[0][1].longitude
    return None


def site_point(site: Mapping[str, Any]) -> tuple[float, float, bool] | None:
    """Return (latitude, longitude, whether they were looked up) of a site in the registry's structure: its
    own coordinates, else those of its city; None where neither is known.

    >>> site_point({"city": "Boston", "country": "United States", "geoPoint": {"lat": 42.3, "lon": -71}})
    (42.3, -71.0, False)
    >>> site_point({"city": "Paris", "country": "France", "geoPoint": {"lat": 91, "lon": 0}})
    (48.853, 2.349, True)
    """
    point = site.get("geoPoint")
    if isinstance(point, dict):
        latitude, longitude = _degrees(point.get("lat"), 90), _degrees(point.get("lon"), 180)
        if latitude is not None and longitude is not None:
            return latitude, longitude, False
    found = locate(_text(site.get("city")), _text(site.get("state")), _text(site.get("country")))
    return None if found is None else (*found, True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# Decimals of a degree that are kept: as many as a segment stores (`segments.columns`).
_DECIMALS = 7


def _degrees(value: Any, most: int) -> float | None:
    """Return a number of degrees from -most to most; None for anything else."""
    # By its very type, as `True` is an int too; what is not a number (NaN) lies within no bounds.
    number = type(value) is float or type(value) is int
    return round(float(value), _DECIMALS) if number and -most <= value <= most else None


def _writings(city: str) -> list[str]:
    """Return the keys under which the table may have a city, the likeliest first.

    >>> _writings("Praha 4 - Krc"), _writings("Kawasaki-shi")
    (['praha 4 krc', 'praha krc', 'praha'], ['kawasaki shi', 'kawasaki'])
    """
    whole = re.sub(_PARENTHESES, " ", city)
    first = re.split(_PARTING, re.sub(_AREA, " ", whole).strip(" ,;/"))[0]
    tried = (city, whole, first, re.sub(_ENDING, "", first), *_hyphened(first))
    return list(dict.fromkeys(filter(None, map(key, tried))))


def _hyphened(city: str) -> list[str]:
    """Return the part of a name before its first dash; before a hyphen, if it is more than a `Saint`."""
    spaced, _, _ = re.sub("[–—]", "-", city).partition(" - ")
    first, hyphen, _ = spaced.partition("-")
    return [spaced, first] if hyphen and len(first.strip()) > len("Saint") else [spaced]


def find(text: str) -> list[Place]:
    """Return the places that a text may mean, the likeliest (of most people) first; [] where none is known.

    A country or a state may follow the name: `Boston, MA`, `Paris, France`, `Boston Massachusetts`.
    """
    name, *rest = [part for part in text.split(",") if key(part)] or [""]
    if rest:
        return _qualified(key(name), rest) or [place for _, place in _table().places(key(text))]
    found = _table().places(key(name)) if key(name) else []
    words = name.split()
    for size in range(len(words) - 1, 0, -1):
        if found:
            break
        found = [(0.0, place) for place in _qualified(key(" ".join(words[:size])), [" ".join(words[size:])])]
    return [place for _, place in found]


def _qualified(name: str, parts: list[str]) -> list[Place]:
    """Return the places of a name in a state or a country, or in a state of a country."""
    table = _table()
    if not name:
        return []
    country = _code(parts[-1])
    if country:
        state = _state_code(country, parts[0]) if len(parts) > 1 else ""
        found = table.places(name, country, state)
        if found or len(parts) > 1:
            return [place for _, place in found]
    held = [
        entry
        for country in _STATED
        if (state := _state_code(country, parts[0]))
        for entry in table.places(name, country, state)
    ]
    return [place for _, place in sorted(held, key=lambda entry: -entry[0])]


# Countries whose states the table knows.
_STATED = ("US", "CA", "AU")


def _code(name: str) -> str:
    """Return the code of a country by a name or the code itself."""
    found = country_code(name)
    if found or len(name.strip()) != 2:
        return found
    return name.strip().upper() if _table().value(f":{name.strip().lower()}") else ""


def similar(text: str) -> list[str]:
    """Return names of places that are near a text which is none, the nearest and largest first; at most
    three.

    >>> "Boston, Massachusetts, United States" in similar("Bostn")
    True
    """
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    wanted = key(text.partition(",")[0])
    names = _table().names(wanted[:1]) if wanted[:1].isalnum() else []
    near = extract(wanted, names, scorer=OSA.normalized_similarity, score_cutoff=0.7, limit=_NAMED)
    held = [
        (-round(likeness * 20), -meant, str(place))
        for name, likeness, _ in near
        for meant, place in _table().places(name)[:1]
    ]
    return list(dict.fromkeys(name for *_, name in sorted(held)))[:3]
