"""One trial from several sources: newest wins, only what its format cannot state is added, in any order."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex import merge
from trialindex.document import Document
from trialindex.formats import FORMATS, states
from trialindex.formats.record import Odd, SourceRecord

ID = "NCT00000001"


def record(
    format_: str, date: str | None = None, *, file: str = "", number: int = 1, **modules: Any
) -> SourceRecord:
    """Return a record of a format; `modules` are the protocol section's, `derivedSection` its sibling."""
    study: dict[str, Any] = {"protocolSection": {"identificationModule": {"nctId": ID}}}
    derived = modules.pop("derivedSection", None)
    for name, module in modules.items():
        held = study["protocolSection"].get(name, {})
        study["protocolSection"][name] = {**held, **module} if isinstance(module, dict) else module
    study = copy.deepcopy(study)
    if derived:
        study["derivedSection"] = copy.deepcopy(derived)
    if date is not None:
        status = study["protocolSection"].setdefault("statusModule", {})
        status["lastUpdatePostDateStruct"] = {"date": date}
    return SourceRecord(study, format_, file or f"{format_}.file", number)


def merged(*records: SourceRecord) -> dict[str, Any]:
    stored: dict[str, Any] | None = None
    for one in records:
        stored = merge.add(stored, one)
    assert stored is not None
    # As after a commit and a new run: nothing that JSON does not keep.
    loaded: dict[str, Any] = json.loads(json.dumps(stored))
    assert loaded == stored
    return loaded


def study(*records: SourceRecord) -> dict[str, Any]:
    return merge.split(merged(*records))[0]["protocolSection"] | {
        "derived": merge.split(merged(*records))[0].get("derivedSection")
    }


def listed(stored: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["format"], entry["file"]) for entry in merge.split(stored)[1]["sources"]]


TITLE = "identificationModule"
MESH = {"conditionBrowseModule": {"meshes": [{"id": "D008180", "term": "Lupus"}]}}


def test_a_record_alone_is_the_trial_with_its_source() -> None:
    one = record(
        "ctgov-json", "2020-01-01", identificationModule={"briefTitle": "A"}, unknownModule={"x": [1]}
    )
    stored = merged(one)
    assert merge.split(stored) == (
        one.study,
        {
            "sources": [
                {
                    "format": "ctgov-json",
                    "file": "ctgov-json.file",
                    "number": 1,
                    "date": "2020-01-01",
                    "whole": True,
                }
            ]
        },
    )
    assert merge.trial_id(stored) == ID


def test_the_newer_record_wins_and_what_it_dropped_stays_dropped() -> None:
    old = record("ctgov-xml", "2019-05-01", identificationModule={"briefTitle": "Old", "acronym": "GONE"})
    new = record("ctgov-json", "2020-01-01", identificationModule={"briefTitle": "New"})
    assert study(old, new)[TITLE] == study(new, old)[TITLE] == {"nctId": ID, "briefTitle": "New"}


def test_an_older_json_gives_a_newer_xml_only_what_xml_cannot_state() -> None:
    sites = [{"facility": "One Clinic", "city": "Ghent", "country": "Belgium", "status": "RECRUITING"}]
    point = {"lat": 51.05, "lon": 3.72}
    old = record(
        "ctgov-json",
        "2019-01-01",
        identificationModule={"acronym": "GONE"},
        contactsLocationsModule={
            "locations": [
                {
                    "facility": "Two Clinic",
                    "city": "Ghent",
                    "country": "Belgium",
                    "geoPoint": {"lat": 1.0, "lon": 2.0},
                },
                {**sites[0], "status": "COMPLETED", "zip": "9000", "geoPoint": point},
            ]
        },
    )
    new = record("ctgov-xml", "2020-01-01", contactsLocationsModule={"locations": sites})
    found = study(old, new)
    assert found["contactsLocationsModule"] == {"locations": [{**sites[0], "geoPoint": point}]}
    assert "acronym" not in found[TITLE]


def test_a_page_gets_mesh_terms_and_the_types_of_its_interventions() -> None:
    old = record(
        "ctgov-json",
        "2019-01-01",
        derivedSection=MESH,
        armsInterventionsModule={
            "interventions": [
                {"name": "Drug B", "type": "DRUG", "otherNames": ["Bee"]},
                {"name": "drug  a", "type": "BIOLOGICAL"},
            ]
        },
    )
    new = record("page-a", "2020-01-01", armsInterventionsModule={"interventions": [{"name": "Drug A"}]})
    found = study(new, old)
    assert found["derived"] == MESH
    assert found["armsInterventionsModule"] == {"interventions": [{"name": "Drug A", "type": "BIOLOGICAL"}]}


def test_a_csv_gets_criteria_but_no_phase_that_it_dropped() -> None:
    old = record(
        "ctgov-xml",
        "2019-01-01",
        eligibilityModule={"eligibilityCriteria": "Adults", "sex": "FEMALE"},
        designModule={"phases": ["PHASE1"]},
    )
    new = record("ctgov-csv", "2020-01-01", identificationModule={"briefTitle": "T"})
    found = study(old, new)
    assert found["eligibilityModule"] == {"eligibilityCriteria": "Adults"}
    assert "phases" not in found.get("designModule", {})


def test_a_csv_of_chosen_columns_states_only_these() -> None:
    old = record(
        "ctgov-xml", "2019-01-01", designModule={"phases": ["PHASE1"]}, identificationModule={"acronym": "A"}
    )
    new = record("ctgov-csv", "2020-01-01")
    chosen = SourceRecord(
        new.study, new.format, new.file, 1, states=frozenset({"protocolSection.identificationModule.acronym"})
    )
    for order in ((old, chosen), (chosen, old)):
        found = study(*order)
        assert found["designModule"] == {"phases": ["PHASE1"]} and "acronym" not in found[TITLE]
    assert "designModule" not in study(old, new)


def test_a_newer_csv_of_few_columns_keeps_what_an_older_full_one_states() -> None:
    # Seen: the older CSV was dropped whole, as another record of the same format.
    old = record(
        "ctgov-csv", "2019-01-01", designModule={"phases": ["PHASE1"]}, identificationModule={"acronym": "A"}
    )
    new = record("ctgov-csv", "2020-01-01", file="few.csv")
    few = SourceRecord(
        new.study, new.format, new.file, 1, states=frozenset({"protocolSection.identificationModule.acronym"})
    )
    for order in ((old, few), (few, old)):
        found = study(*order)
        assert found["designModule"] == {"phases": ["PHASE1"]}
        assert "acronym" not in found[TITLE]


def test_what_a_third_older_source_adds_is_bounded_by_both_newer_ones() -> None:
    page = record("page-c", None, descriptionModule={"briefSummary": "From the page"})
    csv = record("ctgov-csv", "2021-01-01", identificationModule={"briefTitle": "From the table"})
    xml = record("ctgov-xml", "2020-01-01", eligibilityModule={"eligibilityCriteria": "From the XML"})
    json_ = record(
        "ctgov-json",
        "2019-01-01",
        derivedSection=MESH,
        eligibilityModule={"eligibilityCriteria": "old"},
        contactsLocationsModule={"locations": [{"city": "Ghent"}]},
        annotationSection={"only": "json"},
    )
    found = study(page, json_, csv, xml)
    assert found[TITLE]["briefTitle"] == "From the table"
    assert found["eligibilityModule"] == {"eligibilityCriteria": "From the XML"}
    # XML states MeSH terms and sites, and had none.
    assert "contactsLocationsModule" not in found and found["derived"] is None
    assert found["annotationSection"] == {"only": "json"}


def test_an_undated_record_is_older_than_any_dated_one() -> None:
    undated = record("ctgov-json", None, identificationModule={"briefTitle": "Undated"})
    dated = record("page-a", "1999", identificationModule={"briefTitle": "Dated"})
    assert study(undated, dated)[TITLE]["briefTitle"] == "Dated"


def test_a_date_that_is_none_does_not_win() -> None:
    odd = record("ctgov-json", "soon", identificationModule={"briefTitle": "Odd"})
    dated = record("ctgov-xml", "2020-01-01", identificationModule={"briefTitle": "Dated"})
    assert study(odd, dated)[TITLE]["briefTitle"] == study(dated, odd)[TITLE]["briefTitle"] == "Dated"


def test_of_one_date_the_format_that_says_more_wins() -> None:
    records = [
        record(name, "2020-01-01", identificationModule={"briefTitle": name})
        for name in ("ctgov-csv", "page-a", "ctgov-xml", "ctgov-json")
    ]
    for count in range(1, 5):
        assert study(*records[:count])[TITLE]["briefTitle"] == records[count - 1].format


def test_a_record_that_changed_in_its_place_without_a_new_date() -> None:
    one = record("ctgov-json", "2020-01-01", identificationModule={"briefTitle": "One"})
    other = record("ctgov-json", "2020-01-01", identificationModule={"briefTitle": "Other"})
    assert merged(one, other) == merged(other, one) == merged(one, other, one)
    assert len(listed(merged(one, other))) == 1


def test_every_source_is_listed_and_the_newest_of_a_format_is_kept_whole() -> None:
    old = record("ctgov-json", "2018-01-01", file="a.json", identificationModule={"briefTitle": "Old"})
    new = record("ctgov-json", "2020-01-01", file="b.json", identificationModule={"briefTitle": "New"})
    page = record("page-a", None, file="p.html")
    stored = merged(old, page, new)
    assert listed(stored) == [("ctgov-json", "a.json"), ("ctgov-json", "b.json"), ("page-a", "p.html")]
    held = {entry["file"]: entry.get("study") for entry in merge.split(stored)[1]["sources"]}
    assert held == {"a.json": None, "b.json": new.study, "p.html": page.study}


def test_odd_values_are_listed_with_their_source() -> None:
    one = record("ctgov-json", "2020-01-01")
    odd = SourceRecord(one.study, one.format, one.file, 7, (Odd("StartDate", "soon", "not a date"),))
    (entry,) = merge.split(merged(odd))[1]["sources"]
    assert entry["odd"] == [{"field": "StartDate", "value": "soon", "reason": "not a date"}]
    assert entry["number"] == 7
    assert merged(odd, record("page-a", None))[merge.SECTION]["sources"][0]["odd"] == entry["odd"]


def test_a_section_of_our_name_in_a_source_is_kept_with_the_source_and_believed_nowhere() -> None:
    one = record("ctgov-json", "2020-01-01")
    one.study[merge.SECTION] = {"sources": "forged"}
    stored = merged(one, one)
    assert listed(stored) == [("ctgov-json", "ctgov-json.file")]
    assert stored == merged(one) and "forged" in json.dumps(stored)


@pytest.mark.parametrize(
    "damage", [None, [], "x", 3, {"statusModule": []}, {"statusModule": {"lastUpdatePostDateStruct": 1}}]
)
def test_a_damaged_study_merges_without_error(damage: Any) -> None:
    broken = SourceRecord({"protocolSection": damage}, "ctgov-json", "x", 1)
    sound = record("ctgov-xml", "2020-01-01", identificationModule={"briefTitle": "T"})
    assert merged(broken, sound) == merged(sound, broken)
    assert merge.trial_id({"protocolSection": damage}) == ""


# Any records of any formats, of few values, so that they collide.
WORD = st.sampled_from(["a", "b", "A ", "é"])
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "name": WORD,
        "type": st.sampled_from(["DRUG", "DEVICE"]),
        "facility": WORD,
        "city": WORD,
        "geoPoint": st.fixed_dictionaries({"lat": st.integers(0, 2)}),
        "otherNames": st.lists(WORD, max_size=2),
    },
)
ITEMS = st.lists(ITEM, max_size=3)
MODULES = st.fixed_dictionaries(
    {},
    optional={
        "identificationModule": st.fixed_dictionaries({}, optional={"briefTitle": WORD, "acronym": WORD}),
        "eligibilityModule": st.fixed_dictionaries({}, optional={"eligibilityCriteria": WORD, "sex": WORD}),
        "designModule": st.one_of(WORD, st.fixed_dictionaries({"phases": st.lists(WORD, max_size=2)})),
        "armsInterventionsModule": st.fixed_dictionaries({"interventions": st.one_of(ITEMS, WORD)}),
        "contactsLocationsModule": st.fixed_dictionaries({"locations": ITEMS}),
        "derivedSection": st.fixed_dictionaries({"conditionBrowseModule": ITEM}),
        "unknownModule": ITEM,
    },
)
COLUMNS = st.one_of(
    st.none(),
    st.frozensets(
        st.sampled_from(
            [
                "protocolSection.identificationModule.acronym",
                "protocolSection.designModule.phases",
                "protocolSection.contactsLocationsModule.locations.city",
            ]
        ),
        max_size=2,
    ),
)


@st.composite
def record_sets(draw: st.DrawFn) -> list[SourceRecord]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        name = draw(st.sampled_from(sorted(FORMATS)))
        date = draw(st.sampled_from([None, "2019", "2019-01", "2020-01-01", "never"]))
        one = record(name, date, file=draw(st.sampled_from("xy")), number=number, **draw(MODULES))
        columns = draw(COLUMNS) if name == "ctgov-csv" else None
        made.append(SourceRecord(one.study, name, one.file, number, (), columns))
    return made


@settings(max_examples=300, deadline=None)
@given(record_sets(), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_trial(records: list[SourceRecord], random: Any) -> None:
    before = copy.deepcopy([one.study for one in records])
    stored = merged(*records)
    shuffled = list(records)
    random.shuffle(shuffled)
    assert merged(*shuffled) == stored
    # Coming again, alone or all, they change nothing, and nothing of theirs was changed.
    again = copy.deepcopy(stored)
    for one in shuffled:
        assert merge.add(stored, one) == again
    assert merged(*records, *shuffled) == again == stored
    assert [one.study for one in records] == before
    assert len(merge.split(stored)[1]["sources"]) == len(records)
    # What follows from it follows again.
    assert Document.of(stored) == Document.of(merged(*shuffled))


@settings(max_examples=300, deadline=None)
@given(record_sets(), record_sets(), record_sets())
def test_two_stored_studies_join_to_that_of_all_their_records(
    one: list[SourceRecord], other: list[SourceRecord], both: list[SourceRecord]
) -> None:
    # What was stored before the run went into both.
    left, right = merged(*both, *one), merged(*both, *other)
    before = copy.deepcopy((left, right))
    joined = merge.union(left, right)
    assert joined == merge.union(right, left) == merged(*both, *one, *other) == merged(*other, *one, *both)
    assert merge.union(joined, left) == merge.union(left, joined) == joined
    assert (left, right) == before


def test_the_oddities_of_one_place_do_not_depend_on_the_order() -> None:
    # Two files of one name: of what stands at one place, the entry that stays is always the same.
    study = record("ctgov-json", "2019-01-01").study
    first, second = (
        SourceRecord(study, "ctgov-json", "a.json", 1, (Odd("StartDate", value, "not a date"),))
        for value in ("soon", "later")
    )
    newest = record("ctgov-json", "2020-01-01", file="b.json")
    assert merged(newest, first, second) == merged(newest, second, first) == merged(second, newest, first)


@settings(max_examples=150, deadline=None)
@given(record_sets())
def test_nothing_is_added_that_the_winner_could_state(records: list[SourceRecord]) -> None:
    stored, section = merge.split(merged(*records))
    everything = [entry for entry in section["sources"] if "study" in entry]
    if not everything:
        return
    dates = {entry["date"] for entry in everything}
    newest = [entry for entry in everything if entry["date"] == max(dates)]
    if len(newest) > 1:
        return
    (winner,) = newest
    stated = states(winner["format"]) if "states" not in winner else frozenset(winner["states"])
    if stated is None:
        assert stored == winner["study"]
        return
    for path in ("identificationModule.acronym", "eligibilityModule.sex"):
        if f"protocolSection.{path}" in stated:
            module, key = path.split(".")

            def at(node: dict[str, Any], module: str = module, key: str = key) -> Any:
                held = node["protocolSection"].get(module)
                return held.get(key) if isinstance(held, dict) else None

            assert at(stored) == at(winner["study"])
