"""The typed view: every field once, each with a value of its own; and that no damage to a study stops it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import zipfile
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from helpers import FIXTURES, SHARED, needs_shared
from trialindex.dates import Age
from trialindex.errors import InvalidTrialId, TrialError
from trialindex.trial import (
    AdverseEvent,
    Arm,
    Contact,
    Document,
    EventGroup,
    FlowGroup,
    Intervention,
    Link,
    MeshTerm,
    Official,
    Outcome,
    PartialDate,
    Reference,
    ResponsibleParty,
    ResultOutcome,
    Results,
    SecondaryId,
    Site,
    Sponsor,
    Trial,
)


def the_study() -> dict[str, Any]:
    study: dict[str, Any] = json.loads((FIXTURES / "trial" / "study.json").read_text("utf-8"))
    return study


@pytest.fixture
def trial() -> Trial:
    return Trial.from_study(the_study())


def with_values(values: dict[str, Any]) -> Trial:
    """A study of an id and the values at dotted paths under protocolSection."""
    protocol: dict[str, Any] = {"identificationModule": {"nctId": "NCT00000001"}}
    for path, value in values.items():
        *above, last = path.split(".")
        node = protocol
        for step in above:
            node = node.setdefault(step, {})
        node[last] = value
    return Trial.from_study({"protocolSection": protocol})


def test_names_and_ids(trial: Trial) -> None:
    assert trial.nct_id == "NCT00000123"
    assert trial.aliases == ("NCT00000124", "NCT00000125")
    assert trial.org_study_id == "ORG-7"
    assert trial.secondary_ids == (
        SecondaryId(id="2011-000001-11", type="EUDRACT_NUMBER", domain="Europe"),
        SecondaryId(id="SEC-2", type="OTHER", domain="Second Office"),
    )
    assert trial.title == "Ruby Tablets in Blue Fever"
    assert (
        trial.official_title == "A Randomised Comparison of Ruby Tablets and Chalk in Adults With Blue Fever"
    )
    assert trial.acronym == "RUBLUE"
    assert trial.organization == "Harbour Institute"


def test_status_and_dates(trial: Trial) -> None:
    assert trial.status == "UNKNOWN"
    assert trial.last_known_status == "ACTIVE_NOT_RECRUITING"
    assert trial.why_stopped == "The chalk ran out"
    assert trial.verified == PartialDate(text="2016-05")
    assert trial.start == PartialDate(text="2012-02", type="ACTUAL")
    assert trial.primary_completion == PartialDate(text="2014", type="ESTIMATED")
    assert trial.completion == PartialDate(text="2015-03-09")
    assert trial.first_submitted == PartialDate(text="2011-11-02")
    assert trial.first_posted == PartialDate(text="2011-11-04", type="ESTIMATED")
    assert trial.last_update_submitted == PartialDate(text="2016-06-01")
    assert trial.last_updated == PartialDate(text="2016-06-03", type="ACTUAL")
    assert trial.results_first_posted == PartialDate(text="2016-01-20", type="ACTUAL")


def test_design(trial: Trial) -> None:
    assert (trial.enrollment, trial.enrollment_type) == (1240, "ESTIMATED")
    assert (trial.study_type, trial.phases) == ("INTERVENTIONAL", ("PHASE1", "PHASE2"))
    assert (trial.allocation, trial.intervention_model) == ("RANDOMIZED", "CROSSOVER")
    assert trial.primary_purpose == "PREVENTION"
    assert (trial.masking, trial.who_masked) == ("DOUBLE", ("PARTICIPANT", "CARE_PROVIDER"))
    assert (trial.observational_model, trial.time_perspective) == ("COHORT", "PROSPECTIVE")


def test_what_is_studied(trial: Trial) -> None:
    assert trial.conditions == ("Blue Fever", "Shivers")
    assert trial.keywords == ("ruby", "mineral")
    assert trial.arms == (
        Arm(
            label="Ruby arm",
            type="EXPERIMENTAL",
            description="Ruby every morning",
            interventions=("Drug: Ruby tablet", "Procedure: Cold bath"),
        ),
        Arm(label="Chalk arm", type="PLACEBO_COMPARATOR"),
    )
    assert trial.interventions == (
        Intervention(
            type="DRUG",
            name="Ruby tablet",
            description="Two tablets a day",
            other_names=("RB-12", "Corundol"),
            arm_labels=("Ruby arm",),
        ),
        Intervention(type="PROCEDURE", name="Cold bath", arm_labels=("Ruby arm", "Chalk arm")),
    )
    assert trial.primary_outcomes == (
        Outcome(measure="Fever days", description="Days above 38 degrees", time_frame="week 4"),
    )
    assert trial.secondary_outcomes == (
        Outcome(measure="Shivering score", description="Scale of 0 to 9", time_frame="week 8"),
    )
    assert trial.other_outcomes == (
        Outcome(measure="Ruby in blood", description="By spectroscopy", time_frame="day 2"),
    )
    assert trial.summary == "Ruby tablets are set against chalk."
    assert trial.description == "Each tablet holds \\> 3 mg of ruby.\n\nChalk holds none."


def test_eligibility(trial: Trial) -> None:
    who = trial.eligibility
    assert who.criteria is not None and who.criteria.startswith("By invitation.\n\nInclusion Criteria:")
    assert (who.inclusion, who.exclusion) == ("* Blue fever for \\> 2 days", "* Allergy to chalk")
    assert who.other == "By invitation."
    assert (who.minimum_age, who.maximum_age) == (Age(18, "month"), Age(64, "year"))
    assert who.minimum_age is not None and who.minimum_age.days == 18 * 30.4375
    assert (who.sex, who.age_groups) == ("FEMALE", ("CHILD", "ADULT"))
    assert who.healthy_volunteers is False
    assert (who.gender_based, who.gender_description) == (True, "Women only")
    assert (who.study_population, who.sampling_method) == ("People of the harbour", "PROBABILITY_SAMPLE")


def test_people_and_places(trial: Trial) -> None:
    assert trial.sponsor == Sponsor(name="Ruby Works", agency_class="INDUSTRY")
    assert trial.collaborators == (
        Sponsor(name="Fever Office", agency_class="OTHER_GOV"),
        Sponsor(name="Chalk Friends", agency_class="OTHER"),
    )
    assert trial.responsible_party == ResponsibleParty(
        type="PRINCIPAL_INVESTIGATOR",
        name="Ada Example",
        title="Head of Fevers",
        affiliation="Lake University",
    )
    assert trial.officials == (Official(name="Bo Sample", role="STUDY_CHAIR", affiliation="Harbour Clinic"),)
    assert trial.contacts == (
        Contact(name="Front Desk", role="CONTACT", phone="555-0100", phone_ext="9", email="desk@example.org"),
    )
    assert trial.sites == (
        Site(
            facility="Quay Hospital",
            status="RECRUITING",
            city="Port Town",
            state="Coast",
            zip="12345",
            country="Norway",
            latitude=60.25,
            longitude=-5.0,
            contacts=(
                Contact(
                    name="Night Desk", role="SUB_INVESTIGATOR", phone="555-0111", email="night@example.org"
                ),
            ),
        ),
        Site(facility="Hill Hospital", city="Hilltop", country="Chile"),
        Site(facility="Fjord Hospital", city="Fjordby", country="Norway"),
    )
    assert trial.countries == ("Norway", "Chile")


def test_terms_papers_and_sources(trial: Trial) -> None:
    assert trial.references == (
        Reference(pmid="1234567", type="BACKGROUND", citation="Example A. On rubies. 2010."),
    )
    assert trial.links == (Link(label="Trial page", url="https://example.org/rublue"),)
    assert trial.condition_mesh == (MeshTerm(id="D000001", term="Fever"),)
    assert trial.condition_ancestors == (MeshTerm(id="D000002", term="Body Temperature Changes"),)
    assert trial.intervention_mesh == (MeshTerm(id="D000003", term="Aluminum Oxide"),)
    assert trial.intervention_ancestors == (MeshTerm(id="D000004", term="Minerals"),)
    assert trial.documents == (
        Document(
            type="Prot_SAP", label="Protocol", date=PartialDate(text="2012-01-15"), filename="Prot_000.pdf"
        ),
    )
    assert trial.sources == [
        {"format": "ctgov-json", "file": "down.zip/one.json", "number": 4, "date": "2016-06-03"},
        {"format": "page", "file": "saved.txt", "number": 1, "date": ""},
    ]
    assert trial.odd == [{"field": "StartDate", "value": "2012-02-30", "reason": "not a date"}]


def test_results(trial: Trial) -> None:
    assert trial.has_results
    assert trial.results == Results(
        recruitment="In one harbour",
        flow_groups=(
            FlowGroup(id="FG000", title="Ruby first", description="Ruby, then chalk"),
            FlowGroup(id="FG001", title="Chalk first"),
        ),
        outcomes=(
            ResultOutcome(
                type="PRIMARY",
                title="Mean fever days",
                description="Counted by diary",
                time_frame="4 weeks",
                unit="days",
            ),
        ),
        event_groups=(
            EventGroup(
                title="Took ruby",
                description="Any ruby",
                deaths=0,
                deaths_at_risk=51,
                serious=2,
                serious_at_risk=52,
                other=13,
                other_at_risk=53,
            ),
        ),
        serious_events=(AdverseEvent(term="Fainting", organ_system="Nerves"),),
        other_events=(
            AdverseEvent(term="Red tongue", organ_system="Mouth"),
            AdverseEvent(term="Itch", organ_system="Skin"),
        ),
        limitations="Few took part",
    )


def test_the_fixture_fills_every_field(trial: Trial) -> None:
    def filled(node: Any) -> bool:
        return node not in (None, "", [])

    held = trial.to_dict()
    assert [name for name, value in held.items() if not filled(value)] == []
    # Of a list, the first item is the one that has everything.
    pieces = {name: value[0] if isinstance(value, list) else value for name, value in held.items()}
    empty = {
        f"{name}.{inner}"
        for name, piece in pieces.items()
        if isinstance(piece, dict)
        for inner, value in piece.items()
        if not filled(value)
    }
    # The registry gives these days without a type.
    assert empty == {
        f"{name}.type" for name in ("verified", "completion", "first_submitted", "last_update_submitted")
    }


def test_a_study_of_an_id_alone_has_nothing_else() -> None:
    trial = with_values({})
    held = trial.to_dict()
    assert held.pop("nct_id") == "NCT00000001"
    assert held.pop("has_results") is False
    assert held.pop("eligibility") == {
        "criteria": None, "sex": None, "minimum_age": None, "maximum_age": None, "age_groups": [],
        "healthy_volunteers": None, "gender_based": None, "gender_description": None,
        "study_population": None, "sampling_method": None, "inclusion": "", "exclusion": "", "other": "",
    }  # fmt: skip
    assert [value for value in held.values() if value not in (None, [])] == []
    assert (trial.sources, trial.odd, trial.results) == ([], [], None)


@pytest.mark.parametrize(
    "study",
    [
        {},
        {"protocolSection": None},
        {"protocolSection": {"identificationModule": {}}},
        {"protocolSection": {"identificationModule": {"nctId": ""}}},
        {"protocolSection": {"identificationModule": {"nctId": ["NCT00000001"]}}},
    ],
)
def test_without_an_id_it_is_no_trial(study: dict[str, Any]) -> None:
    with pytest.raises(InvalidTrialId, match=r"no protocolSection\.identificationModule\.nctId"):
        Trial.from_study(study)


@pytest.mark.parametrize(
    ("written", "text", "precision", "first", "last"),
    [
        ("2012", "2012", "year", date(2012, 1, 1), date(2012, 12, 31)),
        ("2012-02", "2012-02", "month", date(2012, 2, 1), date(2012, 2, 29)),
        ("2012-02-09", "2012-02-09", "day", date(2012, 2, 9), date(2012, 2, 9)),
        ("February 2011", "2011-02", "month", date(2011, 2, 1), date(2011, 2, 28)),
    ],
)
def test_a_partial_date_is_a_range(written: str, text: str, precision: str, first: date, last: date) -> None:
    start = with_values({"statusModule.startDateStruct.date": written}).start
    assert start is not None
    assert (str(start), start.precision, start.first, start.last) == (text, precision, first, last)


@pytest.mark.parametrize("written", ["2012-02-30", "soon", "", 2012, None, ["2012"], {"date": "2012"}])
def test_what_is_no_date_is_none(written: Any) -> None:
    assert with_values({"statusModule.startDateStruct.date": written}).start is None


def test_a_partial_date_cannot_be_made_of_other_text() -> None:
    with pytest.raises(ValidationError):
        PartialDate(text="soon")


def test_dates_order_by_their_first_day() -> None:
    year, month, day, later = (PartialDate(text=text) for text in ("2012", "2012-01", "2012-01-02", "2013"))
    assert sorted([later, day, year, month]) == [month, year, day, later]
    assert day > month
    assert month <= PartialDate(text="2012-01") and month >= PartialDate(text="2012-01")
    assert not later < year


@pytest.mark.parametrize(
    ("count", "enrollment"),
    [
        (0, 0),
        (12, 12),
        (99999998, 99999998),
        (99999999, None),
        (-1, None),
        (True, None),
        ("12", None),
        (1.5, None),
    ],
)
def test_enrollment_is_a_number_of_people(count: Any, enrollment: int | None) -> None:
    assert with_values({"designModule.enrollmentInfo.count": count}).enrollment == enrollment


@pytest.mark.parametrize(
    ("written", "phases"),
    [
        (["NA"], ("NA",)),
        (["PHASE2", "PHASE3"], ("PHASE2", "PHASE3")),
        (["Phase 9"], ("Phase 9",)),
        ("PHASE4", ("PHASE4",)),
        ([], ()),
        ([None, {}, "PHASE1"], ("PHASE1",)),
    ],
)
def test_phases_stay_as_they_are(written: Any, phases: tuple[str, ...]) -> None:
    assert with_values({"designModule.phases": written}).phases == phases


def test_a_number_where_text_belongs_is_text_and_all_else_is_left_out() -> None:
    trial = with_values(
        {
            "identificationModule.briefTitle": 42,
            "identificationModule.acronym": {"a": 1},
            "identificationModule.organization": "Institute",
            "eligibilityModule": {"healthyVolunteers": "yes", "minimumAge": 18, "maximumAge": "N/A"},
            "contactsLocationsModule.locations": [
                "Oslo",
                {"city": "Oslo", "geoPoint": {"lat": "60", "lon": float("nan")}},
            ],
            "armsInterventionsModule": ["no", "object"],
        }
    )
    assert (trial.title, trial.acronym, trial.organization) == ("42", None, None)
    who = trial.eligibility
    assert (who.healthy_volunteers, who.minimum_age, who.maximum_age) == (None, None, None)
    assert trial.sites == (Site(city="Oslo"),)
    assert (trial.arms, trial.interventions) == ((), ())


def test_an_older_responsible_party_has_its_name_too() -> None:
    party = {"oldNameTitle": "Cy Model, Director", "oldOrganization": "Old Works"}
    trial = with_values({"sponsorCollaboratorsModule.responsibleParty": party})
    assert trial.responsible_party == ResponsibleParty(name="Cy Model, Director", affiliation="Old Works")


def test_half_a_character_does_not_stop_the_way_to_json() -> None:
    trial = with_values({"identificationModule.briefTitle": "broken \ud800 é"})
    assert trial.title == "broken ? é"
    assert '"broken ? é"' in trial.model_dump_json()


def test_it_cannot_be_changed(trial: Trial) -> None:
    with pytest.raises(ValidationError):
        trial.title = "Another"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        trial.interventions[0].name = "Another"  # type: ignore[misc]


def test_equal_is_of_the_same_study(trial: Trial) -> None:
    same = Trial.from_study(the_study())
    assert trial.sites == same.sites  # one of the two has looked at more
    assert trial == same and hash(trial) == hash(same)
    other_study = the_study()
    other_study["unknown"] = 1
    other = Trial.from_study(other_study)
    assert trial != other and trial != "NCT00000123"
    assert {trial, same, other} == {trial, other}


def test_it_prints_short_and_keeps_the_study(trial: Trial) -> None:
    assert repr(trial) == "Trial(nct_id='NCT00000123', title='Ruby Tablets in Blue Fever')"
    study = the_study()
    assert Trial.from_study(study).study is study


def test_it_becomes_json(trial: Trial) -> None:
    held = json.loads(json.dumps(trial.to_dict()))
    assert held == json.loads(trial.model_dump_json())
    assert "study" not in held
    assert held["start"] == {
        "text": "2012-02",
        "type": "ACTUAL",
        "precision": "month",
        "first": "2012-02-01",
        "last": "2012-02-29",
    }
    assert held["eligibility"]["minimum_age"] == {"number": 18.0, "unit": "month", "days": 547.875}
    assert held["countries"] == ["Norway", "Chile"]
    assert held["results"]["serious_events"] == [{"term": "Fainting", "organ_system": "Nerves"}]


def test_pydantic_is_loaded_with_trial_alone() -> None:
    code = "import sys, trialindex, trialindex.criteria; print('pydantic' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


JSONISH = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2012-02", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a study, the id's own path left out."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    below = [place for key, value in items for place in places(value, (*path, key))]
    whole = ("protocolSection", "identificationModule", "nctId")
    return below if path == whole[: len(path)] else [path, *below]


PLACES = places(the_study())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSONISH), min_size=1, max_size=6))
def test_no_damage_to_a_study_stops_the_view(damages: list[tuple[tuple[Any, ...], Any]]) -> None:
    study = the_study()
    for path, value in damages:
        node: Any = study
        for step in path[:-1]:
            inside = isinstance(node, dict) and step in node
            inside = inside or (isinstance(node, list) and isinstance(step, int) and step < len(node))
            node = node[step] if inside else {}
        if isinstance(node, dict) or (
            isinstance(node, list) and isinstance(path[-1], int) and path[-1] < len(node)
        ):
            node[path[-1]] = copy.deepcopy(value)
    trial = Trial.from_study(study)
    assert trial.nct_id == "NCT00000123"
    json.dumps(trial.to_dict())
    trial.model_dump_json()
    assert isinstance(trial.sources, list) and isinstance(trial.odd, list)


@given(JSONISH)
def test_no_value_at_all_stops_it_otherwise_than_by_the_error_of_its_own(value: Any) -> None:
    with pytest.raises(TrialError):
        Trial.from_study(value if isinstance(value, dict) else {"protocolSection": value})


@needs_shared
def test_real_records() -> None:
    archive = SHARED / "ctgov-v2-downloads.zip"
    studies: list[dict[str, Any]] = []
    with zipfile.ZipFile(archive) as downloads:
        for name in downloads.namelist():
            if name.endswith(".json"):
                studies += json.loads(downloads.read(name))
    trials = {trial.nct_id: trial for trial in map(Trial.from_study, studies)}
    for trial in trials.values():
        json.dumps(trial.to_dict())
    assert len(studies) == 438

    # Read in the records.
    anxiety = trials["NCT04137081"]
    assert anxiety.title == "Unwinding Physician Anxiety"
    assert (anxiety.phases, anxiety.enrollment, anxiety.enrollment_type) == (("NA",), 57, "ACTUAL")
    assert anxiety.conditions == ("Anxiety", "Burnout, Professional")
    assert (str(anxiety.start), str(anxiety.completion)) == ("2018-04-03", "2018-08-28")
    assert [mesh.id for mesh in anxiety.condition_mesh] == ["D002055", "D000077062"]
    mood = trials["NCT05016050"]
    assert mood.sponsor == Sponsor(name="Happify Inc.", agency_class="INDUSTRY")
    assert [one.name for one in mood.interventions] == ["HPDT-DA-013"]
    assert (mood.eligibility.minimum_age, mood.eligibility.maximum_age) == (Age(22, "year"), None)
    assert mood.eligibility.age_groups == ("ADULT", "OLDER_ADULT")
    assert len(mood.eligibility.inclusion.splitlines()) == 4
    tinnitus = trials["NCT06889259"]
    assert (tinnitus.org_study_id, tinnitus.acronym) == ("2023GR0400", None)
    assert tinnitus.last_updated == PartialDate(text="2025-03-21", type="ACTUAL")
    assert tinnitus.condition_mesh == (MeshTerm(id="D014012", term="Tinnitus"),)
    assert tinnitus.condition_ancestors[-1].term == "Nervous System Diseases"
