"""FIELDS and AREAS hold what the registry says they hold, and names resolve."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from helpers import ROOT
from trialindex.errors import QueryError
from trialindex.fields import (
    AREAS,
    CONCEPT_FIELDS,
    FIELDS,
    PLACED,
    SHORT_NAMES,
    UNMEASURED,
    area_weights,
    concept_area,
    concept_term,
    resolve,
)
from trialindex.study_fields import by_piece

REGISTRY = ROOT / "indexer" / "trialindex" / "areas.tsv"
OURS = {"Everywhere", "Inclusion", "Exclusion"}
KINDS = {"text", "code", "concept", "name", "day", "number", "point", "structure"}


def rows() -> list[list[str]]:
    lines = REGISTRY.read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")][1:]


def test_the_registrys_nineteen_areas_and_three_of_our_own() -> None:
    assert len(AREAS) - len(OURS) == 19 and set(AREAS) >= OURS
    sizes = {"BasicSearch": 57, "ConditionSearch": 7, "InterventionSearch": 12, "PatientSearch": 47}
    assert {area: len(AREAS[area]) for area in sizes} == sizes


def test_every_weight_is_the_tables() -> None:
    table = {(area, piece): float(weight) for area, _, _, piece, weight in rows()}
    assert len(table) == len(rows()), "a field stands twice in an area"
    held = {
        (area, piece): weight
        for area, fields in AREAS.items()
        if area != "Everywhere"
        for piece, weight in fields.items()
    }
    assert held == table
    assert all(0 < weight <= 1 for fields in AREAS.values() for weight in fields.values())
    assert AREAS["BasicSearch"]["BriefTitle"] == 0.89 and AREAS["ConditionSearch"]["Condition"] == 0.95


def test_plain_words_reach_neither_criteria_nor_the_description() -> None:
    parts = {"InclusionCriteria", "ExclusionCriteria", "OtherCriteria"}
    assert ({"EligibilityCriteria", "DetailedDescription"} | parts).isdisjoint(AREAS["BasicSearch"])
    assert {"DetailedDescription"} | parts < AREAS["Everywhere"].keys()
    assert AREAS["BasicSearch"].items() <= AREAS["Everywhere"].items()


def test_text_of_others_is_in_no_area_of_ours_and_not_in_plain_words() -> None:
    others = [piece for piece in by_piece() if "referencesModule" in by_piece()[piece].path]
    assert "ReferenceCitation" in others
    for area in (*OURS, "BasicSearch", "TitleSearch", "ConditionSearch", "InterventionSearch"):
        assert not set(others) & AREAS[area].keys(), area
    assert not any("ReferenceCitation" in fields for fields in AREAS.values())


def test_every_field_has_a_kind_and_a_path_that_the_registry_knows() -> None:
    for name, field in FIELDS.items():
        assert field.name == name and field.kind in KINDS
        assert field.path == (by_piece()[name].path if field.path else "")
    assert all(piece in FIELDS for fields in AREAS.values() for piece in fields)
    assert {name for name, field in FIELDS.items() if not field.path} == {
        "InclusionCriteria",
        "ExclusionCriteria",
        "OtherCriteria",
        "AnyId",
        "Country",
        "ConditionName",
        "InterventionFullName",
        "SponsorName",
        "CityName",
        "StateName",
        "Definition",
        "OtherName",
        *(field for fields in CONCEPT_FIELDS.values() for field in fields),
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BriefTitle", "text"),
        ("Phase", "code"),
        ("HasResults", "code"),
        ("HealthyVolunteers", "code"),
        ("OverallStatus", "code"),
        ("StartDate", "day"),
        ("MinimumAge", "number"),
        ("EnrollmentCount", "number"),
        ("Country", "name"),
        ("NCTId", "text"),
        ("Definition", "name"),
        ("ConditionConcept", "concept"),
        ("ReferenceCitation", "text"),
        ("BriefSummary", "text"),
        ("LocationCountryCode", "text"),
        ("OversightHasDMC", "code"),
        ("LocationStatus", "code"),
        ("LargeDocUploadDate", "day"),
        ("StudyFirstPostYear", "number"),
        ("TargetDuration", "number"),
        ("LargeDocSize", "number"),
        ("LocationGeoPoint", "point"),
        ("Location", "structure"),
        ("ResultsSection", "structure"),
        ("StartDateStruct", "structure"),
    ],
)
def test_kinds(name: str, kind: str) -> None:
    assert FIELDS[name].kind == kind


def test_every_piece_is_a_field_and_every_text_has_a_place() -> None:
    """The table's own counts, added up by hand: 83 codes, 29 dates, 95 numbers, 211 texts, a point."""
    kinds = Counter(FIELDS[piece].kind for piece in by_piece())
    assert kinds == {"text": 211, "structure": 112, "number": 95, "code": 83, "day": 29, "point": 1}
    texts = {name for name, field in FIELDS.items() if field.kind == "text"}
    assert texts - set(PLACED) == {"EligibilityCriteria"} and len(PLACED) < 256
    # The numbers of fields on the disk stay: new ones come behind the others.
    assert PLACED[0] == "NCTId" and PLACED.index("InterventionAncestorConcept") == 93


@pytest.mark.parametrize(
    ("name", "several"),
    [
        ("Condition", True),
        ("Phase", True),
        ("BriefTitle", False),
        ("StartDate", False),
        ("MinimumAge", False),
        ("NumConditions", False),
        ("NumArmGroupInterventionNames", True),
        ("LargeDocDate", True),
        ("LocationCity", True),
        ("OutcomeMeasureTitle", True),
        ("LocationGeoPoint", True),
        ("Country", True),
        ("InclusionCriteria", False),
    ],
)
def test_which_fields_may_have_several_values(name: str, several: bool) -> None:
    assert FIELDS[name].several is several


def test_the_registrys_areas_are_the_published_ones() -> None:
    """Every area, field and weight of the registry's own description; parts of several pieces are of each."""
    path = ROOT.parent / "shared" / "reference" / "search-areas.json"
    if not path.exists():
        pytest.skip("the registry's description of its areas is not beside the checkout")
    published: dict[str, dict[str, float]] = {}
    for kind in json.loads(path.read_text("utf-8")):
        for area in kind["areas"]:
            weights = {piece: part["weight"] for part in area["parts"] for piece in part["pieces"]}
            published.setdefault(area["name"], weights)
    assert {area: fields for area, fields in AREAS.items() if area not in OURS} == published


@pytest.mark.parametrize(
    ("area", "fields"),
    [
        ("FunderTypeSearch", {"LeadSponsorClass", "CollaboratorClass"}),
        ("ExternalIdTypesSearch", {"OrgStudyIdType", "SecondaryIdType"}),
    ],
)
def test_areas_of_codes_ask_their_words(area: str, fields: set[str]) -> None:
    assert AREAS[area].keys() == fields == area_weights(area).keys()


@pytest.mark.parametrize("name", [*AREAS, *FIELDS, *SHORT_NAMES])
def test_every_name_resolves_in_any_case(name: str) -> None:
    meant = SHORT_NAMES.get(name, name)
    assert resolve(name) == meant
    assert resolve(name.lower()) == resolve(name.upper()) == SHORT_NAMES.get(name.lower(), name)
    assert meant in AREAS or meant in FIELDS


def test_an_expression_pasted_from_the_site_means_the_field() -> None:
    assert (resolve("Condition"), resolve("condition")) == ("Condition", "ConditionSearch")


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("titel", "title"), ("Phaze", "phase"), ("condtion", "condition")]
)
def test_an_unknown_name_is_answered_with_near_ones(wrong: str, nearest: str) -> None:
    with pytest.raises(QueryError, match=nearest):
        resolve(wrong)


def test_what_is_near_nothing_is_told_where_all_are_listed() -> None:
    with pytest.raises(QueryError, match="no field or area 'qqqqqq'; trialsearch fields lists them all"):
        resolve("qqqqqq")
    with pytest.raises(QueryError):
        resolve("")


def test_whoever_asks_the_criteria_asks_all_their_parts_and_nothing_else() -> None:
    parts = {"InclusionCriteria": 95, "ExclusionCriteria": 95, "OtherCriteria": 95}
    assert area_weights("EligibilitySearch") == {**parts, "StudyPopulation": 80}
    assert area_weights("EligibilityCriteria") == dict.fromkeys(parts, 100)
    assert area_weights("Exclusion").keys() == {"ExclusionCriteria"}
    # The words of the criteria stand once in the index.
    assert "EligibilityCriteria" not in PLACED and parts.keys() < set(PLACED)


def test_an_area_asks_the_concepts_of_what_it_asks() -> None:
    own, parent, ancestor = CONCEPT_FIELDS["condition"]
    assert area_weights("ConditionSearch/concepts") == {own: 100, parent: 50, ancestor: 25}
    assert area_weights("BasicSearch/concepts").keys() == {
        field for fields in CONCEPT_FIELDS.values() for field in fields
    }
    assert concept_area("InterventionSearch") == "InterventionSearch/concepts"
    assert concept_area("TitleSearch") == concept_area("ConditionConcept") == concept_area("") == ""
    # Words ask no concepts: their ids are not text.
    assert not area_weights("Everywhere").keys() & area_weights("BasicSearch/concepts").keys()
    # A deep hierarchy makes no trial long-winded.
    assert area_weights("BasicSearch/concepts").keys() <= UNMEASURED
    assert concept_term("D008180") != "D008180"
