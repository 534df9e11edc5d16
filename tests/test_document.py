"""A study as the index sees it, and that no study, however damaged, is an error."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import ROOT
from small import concept, study
from trialindex import criteria
from trialindex.document import AT_SITE, Document, Site, code_text
from trialindex.fields import AREAS, FIELDS, PLACED, area_weights, concept_term
from trialindex.snapshot import unpack
from trialindex.storage import pack
from trialindex.study_fields import Paths, by_piece, values
from trialindex.vocabulary.linking import Linker
from trialindex.vocabulary.mapped import Vocabulary
from trialindex.worked_out import COUNTED

CORPUS = sorted((ROOT / "corpus").glob("NCT*.json"))


def of(**pieces: Any) -> Document:
    return Document.of(study("NCT00000001", **pieces))


def test_an_empty_study_has_an_empty_document() -> None:
    assert Document.of({}) == Document({}, {}, {}, {}, {}, [], {}, [])
    held = ["ProtocolSection", "IdentificationModule"]
    names = {"AnyId": ["NCT00000001"]}
    assert of() == Document({"NCTId": ["NCT00000001"]}, {}, names, {}, {}, [], {}, held)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2012-02", date(2012, 2, 1), date(2012, 2, 29)),
        ("2012", date(2012, 1, 1), date(2012, 12, 31)),
        ("2012-02-07", date(2012, 2, 7), date(2012, 2, 7)),
    ],
)
def test_a_date_is_its_first_and_last_day(written: str, first: date, last: date) -> None:
    assert of(StartDate=written).numbers == {
        "StartDate": first.toordinal(),
        "StartDateLast": last.toordinal(),
    }


@pytest.mark.parametrize("written", ["soon", "2012-02-30", "", 2012, None, ["x"], {"a": 1}, True])
def test_what_is_no_date_is_left_out(written: Any) -> None:
    assert of(StartDate=written).numbers == {}


@pytest.mark.parametrize(
    ("count", "number"),
    [(0, 0), (40, 40), (99_999_998, 99_999_998)],
)
def test_enrolment(count: int, number: int) -> None:
    assert of(EnrollmentCount=count).numbers == {"EnrollmentCount": number}


@pytest.mark.parametrize("count", [99_999_999, 10**400, -1, True, "40", 4.5, None, [], {}])
def test_what_is_no_number_of_participants(count: Any) -> None:
    assert "EnrollmentCount" not in of(EnrollmentCount=count).numbers


def test_ages_in_days() -> None:
    assert of(MinimumAge="6 Months", MaximumAge="2 Years").numbers == {
        "MinimumAge": 182.625,
        "MaximumAge": 730.5,
    }
    assert of(MinimumAge="N/A", MaximumAge=18).numbers == {}


def test_codes_and_booleans() -> None:
    document = of(Phase=["PHASE1", "PHASE2", "PHASE1"], OverallStatus="RECRUITING", HealthyVolunteers=False)
    assert document.codes == {
        "Phase": ["PHASE1", "PHASE2"],
        "OverallStatus": ["RECRUITING"],
        "HealthyVolunteers": ["false"],
    }
    assert [code_text(code) for code in ("PHASE1", "true", "NA")] == ["Phase 1", "", "Not applicable"]


def test_values_stay_apart_and_in_order() -> None:
    document = of(Condition=["Lupus", "Gout"], InterventionName=["A", "B"], Keyword="one")
    assert document.text["Condition"] == ["Lupus", "Gout"]
    assert document.text["InterventionName"] == ["A", "B"] and document.text["Keyword"] == ["one"]


def test_names_are_folded_with_what_is_shown() -> None:
    document = of(
        Condition=["Sjögren's  Syndrome", "Sjögren's Syndrome"],
        LocationCountry=["Côte D'Ivoire", "France", "France"],
        InterventionName=["IL-2"],
        NCTIdAlias=["nct00000009"],
    )
    assert document.names == {
        "AnyId": ["NCT00000001", "NCT00000009"],
        "Country": ["cote divoire", "france"],
        "ConditionName": ["sjogrens syndrome\tSjögren's Syndrome"],
        "InterventionFullName": ["il-2\tIL-2"],
    }


def test_what_a_study_teaches_is_held_as_pairs() -> None:
    document = of(
        BriefTitle="Lupus nephritis (LN) in adults",
        BriefSummary="In lupus nephritis (LN), zabomol is given.",
        InterventionName=["zabomol", "rest"],
        InterventionOtherName=[["ZB-7701", "Zabex"], []],
    )
    assert document.names["Definition"] == ["LN\tLupus nephritis"]
    assert sorted(document.names["OtherName"]) == ["zabex\tzabomol", "zabomol\tZB-7701"]
    plain = of(BriefTitle="Lupus nephritis in adults (N = 20)", InterventionName=["zabomol"])
    assert not plain.names.keys() & {"Definition", "OtherName"}


CONCEPTS = [
    concept("C1", "lupus nephritis", "lupus glomerulonephritis", parents="C2 C3"),
    concept("C2", "glomerulonephritis", parents="C4"),
    concept("C3", "lupus", parents="C5"),
    concept("C4", "nephritis", parents="C5 C6"),
    concept("C5", "immune disease"),
    concept("C6", "kidney disease", parents="C5"),
    concept("C7", "gout"),
    concept("I1", "zabomol", kind="intervention", parents="I2"),
    concept("I2", "zabine", kind="intervention"),
]


def linked(**pieces: Any) -> dict[str, list[str]]:
    """Return the concepts of a study, those of each field in order."""
    document = Document.of(study("NCT00000001", **pieces), Linker(Vocabulary.of(CONCEPTS)))
    return {field: sorted(held) for field, held in document.concepts.items()}


def test_a_study_is_linked_to_what_its_strings_mean_and_to_what_that_is_a_kind_of() -> None:
    assert linked(Condition=["Lupus Nephritis"], InterventionName=["Zabomol 5 mg"]) == {
        "ConditionConcept": ["C1"],
        "ConditionParentConcept": ["C2", "C3"],
        "ConditionAncestorConcept": ["C4", "C5", "C6"],
        "InterventionConcept": ["I1"],
        "InterventionParentConcept": ["I2"],
    }
    # Without a linker there are none.
    assert of(Condition=["Lupus Nephritis"]).concepts == {}


def test_a_concept_stands_once_where_it_is_nearest() -> None:
    assert linked(Condition=["Lupus Nephritis", "lupus glomerulonephritis", "Lupus", "gout"]) == {
        "ConditionConcept": ["C1", "C3", "C7"],
        "ConditionParentConcept": ["C2", "C5"],
        "ConditionAncestorConcept": ["C4", "C6"],
    }


def test_mesh_terms_and_other_names_are_linked_too_and_titles_and_keywords_are_not() -> None:
    assert linked(
        ConditionMeshTerm=["Gout"], InterventionName=["x"], InterventionOtherName=[["zabomol"]]
    ) == {
        "ConditionConcept": ["C7"],
        "InterventionConcept": ["I1"],
        "InterventionParentConcept": ["I2"],
    }
    assert linked(BriefTitle="Gout", Keyword=["gout"], BriefSummary="gout", OfficialTitle="Zabomol") == {}
    # A condition is no intervention, and a drug no condition.
    assert linked(Condition=["zabomol"], InterventionName=["gout"]) == {}
    assert linked(Condition=["unheard", "", "without gout"]) == {}


def test_the_words_of_a_document_with_their_fields() -> None:
    document = Document.of(
        study("NCT00000001", Condition=["Gout", "x"], Phase=["PHASE1"]), Linker(Vocabulary.of(CONCEPTS))
    )
    placed = {PLACED[number]: (values, exact) for number, values, exact in document.placed()}
    assert placed == {
        "NCTId": (["NCT00000001"], False),
        "Condition": (["Gout", "x"], False),
        "Phase": (["Phase 1"], False),
        "ConditionConcept": ([concept_term("C7")], True),
    }
    numbers = [number for number, _, _ in document.placed()]
    assert numbers == sorted(numbers)


NOWHERE = Site(None, None, False, "")


def lying(*points: tuple[float, float] | None) -> list[Site]:
    return [NOWHERE if point is None else Site(*point, False, "") for point in points]


def test_there_is_a_site_for_each_location_in_their_order() -> None:
    points = [
        {"lat": 48.85341, "lon": 2.3488},
        {"lat": -33, "lon": -180},
        None,
        {"lon": 10.0},
        {"lat": 52.52437},
        {"lat": 90.0, "lon": 180, "more": "x"},
        {"lat": 48.85341, "lon": 2.3488},
        {"lat": 2.3488, "lon": 48.85341},
    ]
    document = of(LocationPoint=points, LocationCity=["Paris", "Sydney"])
    paris, far = (48.85341, 2.3488), (2.3488, 48.85341)
    assert document.sites == lying(paris, (-33.0, -180.0), None, None, None, (90.0, 180.0), paris, far)
    assert all(type(site.latitude) is float for site in document.sites if site.latitude is not None)
    # The k-th value is that of the k-th site, so those that state none have an empty one.
    assert document.text["LocationCity"] == ["Paris", "Sydney", *[""] * 6]
    assert "LocationState" not in document.text


def test_sites_have_seven_decimals() -> None:
    points = [
        {"lat": 1.23456784, "lon": 0.1},
        {"lat": 1.23456781, "lon": 0.1},
        {"lat": 1.2345679, "lon": 0.1},
    ]
    near = (1.2345678, 0.1)
    assert of(LocationPoint=points).sites == lying(near, near, (1.2345679, 0.1))


def test_a_site_without_coordinates_has_those_of_its_city() -> None:
    """Boston of the United States is at 42.4 north, 71.1 west; no table knows Nowhere."""
    document = of(
        LocationCity=["Boston", "Nowhere", "", "Boston"],
        LocationState=["Massachusetts", "", "Maine", "Massachusetts"],
        LocationCountry=["United States", "France", "United States", "United States"],
        LocationPoint=[{"lat": 95, "lon": 0}, {}, {}, {"lat": 1.5, "lon": 2.5}],
        LocationStatus=["RECRUITING", None, ["odd"], "COMPLETED"],
    )
    boston, nowhere, stateless, placed = document.sites
    assert boston.latitude == pytest.approx(42.36, abs=0.05)
    assert boston.longitude == pytest.approx(-71.06, abs=0.05)
    assert boston[2:] == (True, "RECRUITING")
    assert nowhere == NOWHERE == stateless
    assert placed == Site(1.5, 2.5, False, "COMPLETED")
    assert document.text["LocationCity"] == ["Boston", "Nowhere", "", "Boston"]
    assert document.text["LocationState"] == ["Massachusetts", "", "Maine", "Massachusetts"]
    assert document.text["LocationCountryCode"] == ["US", "FR", "US", "US"]
    assert document.numbers["NumLocations"] == 4 and document.numbers["NumUniqueLocationCountries"] == 2


@pytest.mark.parametrize("odd", [True, "1.5", None, [1.5], {}, math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_number_of_degrees(odd: Any) -> None:
    points = [{"lat": odd, "lon": 1.5}, {"lat": 1.5, "lon": odd}, odd]
    assert of(LocationPoint=[*points, {"lat": 0, "lon": 0}]).sites == lying(None, None, None, (0.0, 0.0))


@pytest.mark.parametrize(
    "point",
    [
        {"lat": 90.0000001, "lon": 0},
        {"lat": -91, "lon": 0},
        {"lat": 0, "lon": 180.0000001},
        {"lat": 0, "lon": -181},
    ],
)
def test_what_lies_nowhere_on_earth_is_left_out(point: Any) -> None:
    assert of(LocationPoint=[point]).sites == [NOWHERE]


def test_criteria_are_parted() -> None:
    document = of(EligibilityCriteria="Inclusion Criteria:\n\n* Adults\n\nExclusion Criteria:\n\n* Gout")
    assert document.text["InclusionCriteria"] == ["* Adults"] and document.text["ExclusionCriteria"] == [
        "* Gout"
    ]
    assert "InclusionCriteria" not in of(EligibilityCriteria="Adults of any age").text


def test_references_stand_in_their_own_field_alone() -> None:
    document = of(ReferenceCitation=["Somebody et al. A trial of unobtainium."])
    holding = [name for name, values in document.text.items() if "unobtainium" in " ".join(values)]
    assert holding == ["ReferenceCitation"] and "unobtainium" not in json.dumps(document.names)
    assert not any("ReferenceCitation" in area_weights(area) for area in AREAS)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**25), 10**25),
        st.floats(allow_nan=False),
        st.text(max_size=12),
        st.just("\ud800"),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.text(max_size=5), below, max_size=3)
    ),
    max_leaves=5,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a study, the study itself left out."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, value in below for found in ((*path, key), *places(value, (*path, key)))]


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


WHOLE = loaded(ROOT / "tests" / "fixtures" / "ctgov_json" / "every-field.json")
PLACES = places(WHOLE)


def replaced(source: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(source)
    node: Any = made
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return made


LINKER = Linker(Vocabulary.of(CONCEPTS))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_a_wrong_value_anywhere_is_no_error(path: tuple[Any, ...], value: Any) -> None:
    damaged = replaced(WHOLE, path, value)
    document = Document.of(damaged, LINKER)
    assert document.text.keys() <= FIELDS.keys() and document.codes.keys() <= FIELDS.keys()
    texts = [
        text
        for part in (document.text, document.codes, document.names)
        for held in part.values()
        for text in held
    ]
    assert all(isinstance(text, str) for text in texts)
    assert all(held for part in (document.text, document.codes, document.names) for held in part.values())
    assert all(isinstance(number, (int, float)) for number in document.numbers.values())
    assert {*document.numbers} - {*FIELDS} == {
        f"{name}Last" for name in document.numbers if FIELDS.get(name) and FIELDS[name].kind == "day"
    }
    assert {*document.ranges} | {*document.held} <= FIELDS.keys()
    assert all(low <= high for pairs in document.ranges.values() for low, high in pairs)
    assert all(sorted(set(pairs)) == pairs != [] for pairs in document.ranges.values())
    for site in document.sites:
        assert (site.latitude is None) == (site.longitude is None)
        assert -90 <= (site.latitude or 0) <= 90 and -180 <= (site.longitude or 0) <= 180
    sites = [document.text[field] for field in AT_SITE if field in document.text]
    assert all(len(values) == len(document.sites) for values in sites)
    held = [one for field in document.concepts.values() for one in field]
    assert len(set(held)) == len(held) and all(document.concepts.values())
    assert unpack(pack(damaged)) == damaged


ALL_PATHS = [entry.path for entry in by_piece().values()]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_one_walk_finds_what_each_path_finds_alone(path: tuple[Any, ...], value: Any) -> None:
    damaged = replaced(WHOLE, path, value)
    assert Paths(ALL_PATHS).values(damaged) == [values(damaged, path) for path in ALL_PATHS]


def each_piece_alone(study: dict[str, Any]) -> dict[str, Any]:
    """Return by piece what a document takes as it stands, and the counts, each read by its own path."""
    made: dict[str, Any] = {}
    for piece, entry in by_piece().items():
        kind, several = FIELDS[piece].kind, FIELDS[piece].several
        if piece in COUNTED:
            around = [node for node in values(study, entry.path.rpartition(".")[0]) if isinstance(node, dict)]
            totals = [sum(len(values(node, key)) for key in COUNTED[piece]) for node in around]
            if totals := [total for total in totals if total]:
                made[piece] = [(total, total) for total in sorted(set(totals))] if several else totals[0]
        elif not entry.search_only and piece not in AT_SITE and (found := values(study, entry.path)):
            if kind == "text":
                made[piece] = [str(value) for value in found]
            elif kind == "code":
                made[piece] = unique(
                    str(value).lower() if value in (True, False) else str(value) for value in found
                )
            elif kind in {"structure", "point"} and any(found):
                made[piece] = True
    return made


def unique(texts: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(texts)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JSON, st.sampled_from(PLACES), JSON)
def test_a_document_has_what_each_piece_has_alone(
    path: tuple[Any, ...], value: Any, other: tuple[Any, ...], beside: Any
) -> None:
    damaged = replaced(WHOLE, path, value)
    if other in places(damaged):
        damaged = replaced(damaged, other, beside)
    document = Document.of(damaged)
    numbers: dict[str, Any] = {**document.numbers, **document.ranges}
    found: dict[str, Any] = {**document.text, **document.codes, **dict.fromkeys(document.held, True)}
    found |= {piece: numbers[piece] for piece in COUNTED if piece in numbers}
    assert {piece: held for piece, held in found.items() if piece in by_piece() and piece not in AT_SITE} == (
        each_piece_alone(damaged)
    )


STEPS = st.sampled_from("abc")
NESTED = st.recursive(
    st.sampled_from([None, "", "x", 0, False]),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(STEPS, below, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(STEPS, NESTED),
    st.lists(st.lists(STEPS, min_size=1, max_size=4).map(".".join), unique=True, max_size=8),
)
def test_one_walk_of_any_study_over_any_paths(node: dict[str, Any], paths: list[str]) -> None:
    # By repr: 0 is not False here.
    assert repr(Paths(paths).values(node)) == repr([values(node, path) for path in paths])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*"aIıİsſ: ：", "Inclusion", "EXCLUSION", "eligİb", "cluſion"]), max_size=6))
def test_the_quick_look_for_a_heading_finds_what_the_pattern_finds(pieces: list[str]) -> None:
    line = "".join(pieces)
    assert criteria._may_head(line) == (criteria._CANDIDATE.search(line) is not None)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["protocolSection", "hasResults", "derivedSection", "x"]), JSON))
def test_any_object_is_no_error(node: dict[str, Any]) -> None:
    Document.of(node)


@pytest.mark.parametrize("path", CORPUS[:10], ids=lambda path: path.stem)
def test_the_sample_has_every_sort_of_value(path: Path) -> None:
    document = Document.of(loaded(path))
    assert document.names["AnyId"][0] == path.stem and document.text["BriefTitle"]
    assert (
        document.codes["OverallStatus"]
        and document.numbers["LastUpdatePostDate"] > date(1999, 1, 1).toordinal()
    )
