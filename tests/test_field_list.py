"""`trialsearch fields`: every area and field is told, and what is told of it is so."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from trialindex.errors import QueryError
from trialindex.fields import AREAS, FIELDS
from trialsearch.field_list import as_dict, lines
from trialsearch.lines import plain
from trialsearch.parse import parse
from trialsearch.query import Code, Distance, Missing, Range


def _text(name: str = "") -> list[str]:
    return list(plain(lines(name)))


def test_a_field_of_codes_is_told_in_full() -> None:
    assert _text("Sex")[:9] == [
        "Sex, a field of codes; short: sex, gender",
        "  Holds       protocolSection.eligibilityModule.sex",
        "  Values      a trial has one at the most",
        "  Asked by    a code or its label, several parted by commas; MISSING",
        "  Example     AREA[Sex]FEMALE",
        "  Codes",
        "    FEMALE  Female",
        "    MALE    Male",
        "    ALL     All",
    ]


def test_an_area_is_told_with_the_weight_of_each_field() -> None:
    told = _text("locationsearch")
    assert told[0] == "LocationSearch, an area of 5 fields; short: location, locn"
    assert [tuple(line.split()[:2]) for line in told[4:9]] == [
        ("0.95", "LocationCity"),
        ("0.95", "LocationState"),
        ("0.95", "LocationCountry"),
        ("0.95", "LocationFacility"),
        ("0.35", "LocationZip"),
    ]


def test_a_name_is_found_by_its_short_form_and_by_a_part() -> None:
    told = _text("lead")
    assert told[0] == "LeadSponsorName, a field of text; short: lead"
    others = told[told.index("Others with 'lead' in them") + 1 :]
    assert [line.split()[0] for line in others] == [
        "LeadSponsorClass",
        "LeadSponsor",
        "NumCollaboratorsPlusLead",
    ]
    assert _text("Geo")[0] == "Names with 'Geo' in them"
    assert [field["name"] for field in as_dict("GEOPO")["fields"]] == ["LocationGeoPoint"]


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    for ask in (as_dict, _text):
        with pytest.raises(QueryError, match="no field or area 'Phasse'; the nearest: "):
            ask("Phasse")
        with pytest.raises(QueryError, match="no field or area 'qwxz'; trialsearch fields lists them all"):
            ask("qwxz")


def test_all_areas_and_fields_are_listed() -> None:
    held = as_dict()
    assert [area["name"] for area in held["areas"]] == list(AREAS)
    assert [field["name"] for field in held["fields"]] == list(FIELDS)
    assert held["areas"][list(AREAS).index("TitleSearch")]["weights"] == {
        "Acronym": 0.99,
        "BriefTitle": 0.95,
        "OfficialTitle": 0.8,
    }
    told = "\n".join(_text()).replace(",", " ").split()
    assert {*AREAS, *FIELDS} <= {word.removesuffix(":") for word in told}
    for heading in ("Text", "Codes", "Dates", "Numbers", "Ages and spans of time", "Whole names", "Concepts"):
        assert heading in _text()


def test_of_each_field_it_says_what_it_holds() -> None:
    assert all(field["holds"] for field in as_dict()["fields"])


@pytest.mark.parametrize(
    "entry", [*as_dict()["areas"], *as_dict()["fields"]], ids=lambda entry: entry["name"]
)
def test_each_example_is_a_query_that_asks_the_field(entry: dict[str, object]) -> None:
    tree = parse(str(entry["example"]))
    kinds = {
        "day": Range,
        "number": Range,
        "age": Range,
        "structure": Missing,
        "point": Distance,
        "code": Code,
        "concept": Code,
    }
    if entry.get("kind") in kinds:
        assert isinstance(tree, kinds[str(entry["kind"])])
    assert f"AREA[{entry['name']}]" in str(tree)
    for code in entry.get("codes", ()):  # type: ignore[attr-defined]
        assert parse(f"AREA[{entry['name']}]{code}") == Code(str(entry["name"]), code)


def test_the_command_prints_lines_and_json() -> None:
    from trialsearch.cli.fields import fields

    shown = CliRunner().invoke(fields, ["Sex"])
    assert (shown.exit_code, shown.output.splitlines()) == (0, _text("Sex"))
    data = CliRunner().invoke(fields, ["Sex", "--json"])
    assert json.loads(data.output) == as_dict("Sex")
