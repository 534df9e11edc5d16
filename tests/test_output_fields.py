"""Fields chosen for an answer: by our names, by pieces, by groups; in JSON and CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest

from small import make_index, study
from trialindex.errors import QueryError
from trialindex.study_fields import by_piece
from trialsearch import TrialSearch, export, field_table, render
from trialsearch.lines import plain
from trialsearch.output_fields import GROUPS, OWN, chosen
from trialsearch.results import Results


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> TrialSearch:
    return TrialSearch.open(
        make_index(
            tmp_path_factory.mktemp("fields"),
            [
                study(
                    "NCT00000001",
                    BriefTitle="Lupus, one",
                    Condition=["Lupus", "Nephritis"],
                    Phase=["PHASE1", "PHASE2"],
                    EnrollmentCount=12,
                    HealthyVolunteers=False,
                    OverallStatus="COMPLETED",
                    LocationCity=["Boston", "Paris"],
                    LocationPoint=[{"lat": 42.36, "lon": -71.06}],
                    LeadSponsorName="=Acme",
                ),
                study("NCT00000002", BriefTitle="Lupus, two"),
            ],
        )
    )


def rows(trials: TrialSearch, names: str, query: str = "lupus") -> list[dict[str, str]]:
    lines = "\n".join(export.as_csv(trials.search(query, sort="id"), chosen(names)))
    return list(csv.DictReader(io.StringIO(lines)))


def test_pieces_stand_in_the_order_asked_each_once(trials: TrialSearch) -> None:
    assert rows(trials, "Phase,id,LocationCity,Phase") == [
        {"Phase": "PHASE1|PHASE2", "id": "NCT00000001", "LocationCity": "Boston|Paris"},
        {"Phase": "", "id": "NCT00000002", "LocationCity": ""},
    ]


def test_values_of_every_kind_in_a_cell(trials: TrialSearch) -> None:
    names = "EnrollmentCount,HealthyVolunteers,LocationGeoPoint,LeadSponsorName,title"
    assert rows(trials, names)[0] == {
        "EnrollmentCount": "12",
        "HealthyVolunteers": "no",
        "LocationGeoPoint": "42.36,-71.06",
        "LeadSponsorName": "'=Acme",
        "title": "Lupus, one",
    }


def test_json_has_lists_where_a_trial_may_have_several_and_null_for_nothing(trials: TrialSearch) -> None:
    results = trials.search("lupus", sort="id")
    fields = chosen("id,Condition,OverallStatus,LocationCity")
    expected = [
        {
            "id": "NCT00000001",
            "Condition": ["Lupus", "Nephritis"],
            "OverallStatus": "COMPLETED",
            "LocationCity": ["Boston", "Paris"],
        },
        {"id": "NCT00000002", "Condition": [], "OverallStatus": None, "LocationCity": []},
    ]
    assert [json.loads(line) for line in export.as_jsonl(results, fields=fields)] == expected
    assert json.loads(export.as_json(results, fields=fields))["hits"] == expected


def test_many_fields_on_a_narrow_terminal_are_a_block_for_each_trial() -> None:
    names = ["id", "BriefTitle", "StartDate", "Phase"]
    held = [
        {"id": "NCT00000001", "BriefTitle": "Lupus " * 9, "StartDate": "2012-02", "Phase": ["PHASE1"]},
        {"id": "NCT00000002", "BriefTitle": "Gout", "StartDate": None, "Phase": []},
    ]
    assert list(plain(field_table.aligned(held, names, 50))) == [
        # 50 columns, less three gaps of 2, an id of 11, a day of 9 and a phase of 6, leave 18.
        "id           BriefTitle          StartDate  Phase",
        "NCT00000001  Lupus Lupus Lupus…  2012-02    PHASE1",
        "NCT00000002  Gout",
    ]
    assert list(plain(field_table.aligned(held, names, 40))) == [
        "id          NCT00000001",
        f"BriefTitle  {'Lupus ' * 8}Lupus",
        "StartDate   2012-02",
        "Phase       PHASE1",
        "",
        "id          NCT00000002",
        "BriefTitle  Gout",
    ]


def test_partial_hits_are_left_out_where_fields_are_chosen(trials: TrialSearch) -> None:
    results = trials.search("lupus two")
    assert [hit.partial for hit in results] == [False, True]
    assert len(list(export.as_jsonl(results, fields=chosen("id")))) == 1
    assert len(list(export.as_jsonl(results))) == 2


def test_a_name_of_ours_goes_before_a_group() -> None:
    assert [field.name for field in chosen("status")] == ["status"]
    assert {"OverallStatus", "StartDate", "WhyStopped"} <= {field.name for field in chosen("statusmodule")}
    assert [field.name for field in chosen("phase")] == ["phases"]
    assert [field.name for field in chosen("Phase")] == ["Phase"]


def test_a_group_is_all_pieces_of_its_module_that_hold_values() -> None:
    assert [field.name for field in chosen("conditionsmodule")] == ["Condition", "Keyword"]
    assert {"ArmGroupLabel", "InterventionName"} <= {field.name for field in chosen("arms")}
    # A structure, and what only a search knows, hold no values to show.
    identification = {field.name for field in chosen("identification")}
    assert "OrgStudyId" in identification
    assert not identification & {"OrgStudyIdInfo", "NumSecondaryIds"}


def test_every_group_and_every_piece_in_a_download_can_be_chosen() -> None:
    for name in (*OWN, *GROUPS):
        assert chosen(name)
    for piece, entry in by_piece().items():
        if not entry.search_only:
            assert chosen(piece), piece


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("tittle", "the nearest: title"),
        ("id,LocationCitty", "LocationCity"),
        ("qqqqqq", "one of id, score"),
        (" , ", "name the fields"),
        ("NumSecondaryIds", "no field 'NumSecondaryIds'"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(asked: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        chosen(asked)


def near(trials: TrialSearch) -> Results:
    return trials.search("lupus", near="42.36,-71.06", within="1mi")


def test_where_a_place_was_asked_distance_and_sites_are_told(trials: TrialSearch) -> None:
    (hit,) = json.loads(export.as_json(near(trials)))["hits"]
    assert (hit["distance"], hit["distance_unit"]) == (0.0, "mi")
    assert next((site["city"], site["distance"], site["looked_up"]) for site in hit["sites"]) == (
        "Boston",
        0.0,
        False,
    )
    assert not {"distance", "sites"} & json.loads(next(export.as_jsonl(trials.search("lupus")))).keys()
    (row,) = csv.DictReader(io.StringIO("\n".join(export.as_csv(near(trials)))))
    assert (row["distance"], row["distance_unit"]) == ("0.0", "mi")
    assert row["sites"].split("|")[0] == "0.0 mi  Boston"
    header = next(export.as_csv(trials.search("lupus")))
    assert "distance" not in header


def test_sites_are_a_field_to_choose(trials: TrialSearch) -> None:
    lines = list(export.as_csv(near(trials), chosen("id,distance")))
    assert lines == ["id,distance", "NCT00000001,0.0"]
    far = list(export.as_csv(trials.search("lupus", sort="id"), chosen("id,distance,sites")))
    assert far == ["id,distance,sites", "NCT00000001,,Boston|Paris", "NCT00000002,,"]


def test_a_reader_sees_the_nearest_site_first(trials: TrialSearch) -> None:
    lines = list(plain(render.answer(near(trials))))
    assert "    nearest     0.0 mi  Boston" in lines
    assert not any("nearest" in line for line in plain(render.answer(trials.search("lupus"))))
