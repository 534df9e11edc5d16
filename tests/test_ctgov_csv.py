"""The CSV of the download button: every column in its place, and tables as bad as they come."""

from __future__ import annotations

import io
from typing import Any

import pytest

from helpers import FIXTURES
from trialindex.formats.ctgov_csv import COLUMNS, STATES, read, recognises
from trialindex.formats.files import SourceFile
from trialindex.formats.record import Item, Odd, Rejected, Skipped, SourceRecord
from trialindex.study_fields import values

EVERY = (FIXTURES / "ctgov_csv" / "every-column.csv").read_bytes()


def items(data: bytes | str, chunk: int = 1 << 16, longest: int = 1 << 20) -> list[Item]:
    held = data.encode() if isinstance(data, str) else data
    return list(read(SourceFile("some.csv", lambda: io.BytesIO(held)), chunk, longest))


def only(data: bytes | str) -> SourceRecord:
    (item,) = items(data)
    assert isinstance(item, SourceRecord)
    return item


def cell(column: str, text: str) -> SourceRecord:
    quoted = text.replace('"', '""')
    return only(f'NCT Number,{column},Acronym\nNCT00000001,"{quoted}",\n')


STUDY: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT00000021",
            "briefTitle": 'A "Blue" Trial, in Short',
            "acronym": "BLUE",
            "orgStudyIdInfo": {"id": "ORG-7"},
            "secondaryIdInfos": [{"id": "2012-000123-45"}, {"id": "OTHER-9"}],
        },
        "statusModule": {
            "overallStatus": "ACTIVE_NOT_RECRUITING",
            "startDateStruct": {"date": "2012-02"},
            "primaryCompletionDateStruct": {"date": "2013-03-04"},
            "completionDateStruct": {"date": "2014-05-06"},
            "studyFirstPostDateStruct": {"date": "2011-01-02"},
            "resultsFirstPostDateStruct": {"date": "2015-07-08"},
            "lastUpdatePostDateStruct": {"date": "2016-09-10"},
        },
        "descriptionModule": {"briefSummary": "First line of the summary.\nSecond line, with a comma."},
        "conditionsModule": {"conditions": ["Lupus Nephritis", "Sjögren Syndrome"]},
        "armsInterventionsModule": {
            "interventions": [
                {"type": "DRUG", "name": "Alphamab"},
                {"type": "DIETARY_SUPPLEMENT", "name": "Betavit: forte"},
            ]
        },
        "outcomesModule": {
            "primaryOutcomes": [
                {"measure": "Complete remission, Protein under a gram a day", "timeFrame": "12 months"},
                {"measure": "Survival, alive at last visit"},
            ],
            "secondaryOutcomes": [{"measure": "Cost, Money spent", "timeFrame": "Up to 24 weeks"}],
            "otherOutcomes": [{"measure": "Mood"}],
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "University of Somewhere", "class": "INDUSTRY"},
            "collaborators": [{"name": "Gamma Trust"}, {"name": "Delta Ltd"}],
        },
        "eligibilityModule": {"sex": "FEMALE", "stdAges": ["ADULT", "OLDER_ADULT"]},
        "designModule": {
            "phases": ["PHASE2", "PHASE3"],
            "enrollmentInfo": {"count": 1234},
            "studyType": "INTERVENTIONAL",
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "CROSSOVER",
                "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
                "primaryPurpose": "PREVENTION",
            },
        },
        "contactsLocationsModule": {
            "locations": [
                {
                    "facility": "General Hospital, Site 3",
                    "city": "Boston",
                    "state": "Massachusetts",
                    "zip": "02114",
                    "country": "United States",
                },
                {"facility": "Charity Clinic", "city": "Berlin", "zip": "10117", "country": "Germany"},
                {"facility": "First Hospital, Ward, Nanjing", "zip": "210008", "country": "China"},
                {"facility": "City Hospital", "city": "Seoul", "country": "Korea, Republic of"},
            ]
        },
    },
    "hasResults": True,
    "documentSection": {
        "largeDocumentModule": {
            "largeDocs": [
                {"label": "Study Protocol", "url": "https://example.org/docs/Prot_000.pdf"},
                {"label": "Informed Consent Form", "url": "https://example.org/docs/ICF_001.pdf"},
            ]
        }
    },
    "sourceSection": {"url": "https://clinicaltrials.gov/study/NCT00000021"},
}


def test_every_column_lands_in_its_place() -> None:
    record = only(EVERY)
    assert record.study == STUDY
    assert record.odd == ()
    assert (record.format, record.file, record.number) == ("ctgov-csv", "some.csv", 1)


def test_the_fixture_fills_every_path_but_the_observational_ones() -> None:
    assert STATES is not None
    empty = {path for path in STATES if not values(only(EVERY).study, path)}
    design = "protocolSection.designModule.designInfo."
    outcomes = "protocolSection.outcomesModule.otherOutcomes.timeFrame"
    assert empty == {design + "observationalModel", design + "timePerspective", outcomes}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_delimiters_line_ends_and_order_do_not_matter(delimiter: str, ending: str) -> None:
    rows = [["Acronym", "Phases", "NCT Number"], ["AB", "PHASE1", "NCT00000001"], ["CD", "NA", "NCT00000002"]]
    text = ending.join(delimiter.join(row) for row in rows)
    first, second = (item.study["protocolSection"] for item in items("\ufeff" + text))
    assert first == {
        "identificationModule": {"nctId": "NCT00000001", "acronym": "AB"},
        "designModule": {"phases": ["PHASE1"]},
    }
    assert second["designModule"] == {"phases": ["NA"]}
    assert second["identificationModule"] == {"nctId": "NCT00000002", "acronym": "CD"}


@pytest.mark.parametrize("chunk", [*range(1, 40), 1000])
def test_the_chunk_size_changes_nothing(chunk: int) -> None:
    text = 'NCT Number,Study Title\r\nNCT00000001,"a ""b""\r\nç"\r\nNCT00000002,é\r\n'
    titles = [
        item.study["protocolSection"]["identificationModule"]["briefTitle"] for item in items(text, chunk)
    ]
    assert titles == ['a "b"\r\nç', "é"]


def test_the_table_before_2023() -> None:
    header = (
        "Rank,NCT Number,Title,Status,Study Results,Conditions,Interventions,Sponsor/Collaborators,Gender,"
    )
    header += "Age,Phases,Funded Bys,Study Designs,Start Date,Last Update Posted,Locations,URL"
    row = "1,NCT00000005,Old One,Not yet recruiting,No Results Available,Gout|Pain,Drug: Epsilon|Other: Rest,"
    row += (
        'Main Ltd|Side Inc,All,"18 Years to 65 Years   (Adult, Older Adult)",Phase 1|Phase 2,Industry|Other,'
    )
    row += '"Allocation: Non-Randomized|Intervention Model: Parallel Assignment|'
    row += 'Masking: Single (Outcomes Assessor)|Primary Purpose: Treatment",January 2015,"March 3, 2020",'
    row += '"Some Site, Austin, Texas, United States",https://ClinicalTrials.gov/show/NCT00000005'
    record = only(f"{header}\n{row}\n")
    assert record.odd == ()
    study = record.study["protocolSection"]
    assert record.study["hasResults"] is False
    assert study["identificationModule"] == {"nctId": "NCT00000005", "briefTitle": "Old One"}
    assert study["statusModule"] == {
        "overallStatus": "NOT_YET_RECRUITING",
        "startDateStruct": {"date": "2015-01"},
        "lastUpdatePostDateStruct": {"date": "2020-03-03"},
    }
    assert study["sponsorCollaboratorsModule"] == {
        "leadSponsor": {"name": "Main Ltd"},
        "collaborators": [{"name": "Side Inc"}],
    }
    assert study["eligibilityModule"] == {
        "sex": "ALL",
        "minimumAge": "18 Years",
        "maximumAge": "65 Years",
        "stdAges": ["ADULT", "OLDER_ADULT"],
    }
    assert study["designModule"]["phases"] == ["PHASE1", "PHASE2"]
    assert study["designModule"]["designInfo"] == {
        "allocation": "NON_RANDOMIZED",
        "interventionModel": "PARALLEL",
        "maskingInfo": {"masking": "SINGLE", "whoMasked": ["OUTCOMES_ASSESSOR"]},
        "primaryPurpose": "TREATMENT",
    }
    assert study["armsInterventionsModule"]["interventions"][1] == {"type": "OTHER", "name": "Rest"}
    assert study["contactsLocationsModule"]["locations"] == [
        {"facility": "Some Site", "city": "Austin", "state": "Texas", "country": "United States"}
    ]
    # Whose classes the two are is not said.
    assert record.study["sourceSection"] == {
        "url": "https://ClinicalTrials.gov/show/NCT00000005",
        "columns": {"Rank": "1", "Funded Bys": "Industry|Other"},
    }


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        (
            "18 Years and older   (Adult, Older Adult)",
            {"minimumAge": "18 Years", "stdAges": ["ADULT", "OLDER_ADULT"]},
        ),
        ("up to 17 Years   (Child)", {"maximumAge": "17 Years", "stdAges": ["CHILD"]}),
        ("CHILD, ADULT", {"stdAges": ["CHILD", "ADULT"]}),
        ("Any", {"stdAges": ["Any"]}),
    ],
)
def test_ages(text: str, ages: dict[str, Any]) -> None:
    record = cell("Age", text)
    assert record.study["protocolSection"]["eligibilityModule"] == ages
    assert record.odd == ((Odd("StdAge", "Any", "no code of StandardAge"),) if text == "Any" else ())


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Anywhere", {"facility": "Anywhere"}),
        ("Lima, Peru", {"city": "Lima", "country": "Peru"}),
        ("A, Oslo, 0424, Norway", {"facility": "A", "city": "Oslo", "zip": "0424", "country": "Norway"}),
        ("A, Ulm, Ulm, Egypt", {"facility": "A", "city": "Ulm", "state": "Ulm", "country": "Egypt"}),
        ("A, B, C, France", {"facility": "A, B, C", "country": "France"}),
        ("A, York, NR4 7UY, Eire", {"facility": "A", "city": "York", "zip": "NR4 7UY", "country": "Eire"}),
        (
            "A, B, Iran, Islamic Republic of",
            {"facility": "A", "city": "B", "country": "Iran, Islamic Republic of"},
        ),
        (
            "A, B, C, Ontario, Canada",
            {"facility": "A, B", "city": "C", "state": "Ontario", "country": "Canada"},
        ),
        ("A, Building 5000, Hungary", {"facility": "A", "city": "Building 5000", "country": "Hungary"}),
    ],
)
def test_locations_are_read_from_the_end(text: str, site: dict[str, str]) -> None:
    assert cell("Locations", text).study["protocolSection"]["contactsLocationsModule"]["locations"] == [site]


@pytest.mark.parametrize(
    ("text", "measure", "time"),
    [
        ("Pain, Score from 0 to 10, Baseline", "Pain, Score from 0 to 10", "Baseline"),
        ("Pain, Week 12", "Pain", "Week 12"),
        ("Pain, 1-2 years after transplantation", "Pain", "1-2 years after transplantation"),
        ("Pain, day 1 to day 28", "Pain", "day 1 to day 28"),
        ("Pain, score of a week that was bad", "Pain, score of a week that was bad", None),
        ("2 years", "2 years", None),
    ],
)
def test_only_a_plain_time_is_a_time_frame(text: str, measure: str, time: str | None) -> None:
    outcomes = cell("Primary Outcome Measures", text).study["protocolSection"]["outcomesModule"]
    expected = {"measure": measure} | ({"timeFrame": time} if time else {})
    assert outcomes == {"primaryOutcomes": [expected]}


def test_an_observational_design_and_one_that_is_not_known() -> None:
    record = cell(
        "Study Design", "Observational Model: CASE_CONTROL|Time Perspective: RETROSPECTIVE|Colour: red"
    )
    assert record.study["protocolSection"]["designModule"]["designInfo"] == {
        "observationalModel": "CASE_CONTROL",
        "timePerspective": "RETROSPECTIVE",
    }
    assert record.study["sourceSection"] == {"columns": {"Study Design": "Colour: red"}}
    assert record.odd == (Odd("Study Design", "Colour: red", "no part of a design"),)
    masking = cell("Study Design", "Masking: None (Open Label)").study["protocolSection"]["designModule"]
    assert masking == {"designInfo": {"maskingInfo": {"masking": "NONE"}}}


def test_odd_values_are_kept_as_text_and_noted() -> None:
    record = only("NCT Number,Study Status,Start Date,Enrollment\nNCT1,Sleeping,2012-02-30,many\n")
    study = record.study["protocolSection"]
    assert study["statusModule"] == {"overallStatus": "Sleeping", "startDateStruct": {"date": "2012-02-30"}}
    assert study["designModule"] == {"enrollmentInfo": {"count": "many"}}
    assert set(record.odd) == {
        Odd("NCTId", "NCT1", "not NCT and eight digits"),
        Odd("OverallStatus", "Sleeping", "no code of Status"),
        Odd("StartDate", "2012-02-30", "not a date"),
        Odd("EnrollmentCount", "many", "not a number"),
    }


def test_a_table_states_only_its_own_columns() -> None:
    record = only("NCT Number,Conditions,Colour\nNCT00000001,Gout,red\n")
    module = "protocolSection."
    assert record.states == {module + "identificationModule.nctId", module + "conditionsModule.conditions"}
    assert only(EVERY).states == STATES


def test_too_many_and_too_few_cells() -> None:
    few, many, last = items(
        "NCT Number,Acronym,Sex\nNCT00000001,A\nNCT00000002,B,MALE,x,,y\nNCT00000003,C,ALL\n"
    )
    assert isinstance(few, SourceRecord) and isinstance(many, SourceRecord) and isinstance(last, SourceRecord)
    assert few.odd == (Odd("cells", "2", "the header names 3"),)
    assert many.odd == (Odd("cells", "6", "the header names 3"),)
    assert many.study["sourceSection"] == {"columns": {"cell 4": "x", "cell 6": "y"}}
    assert last.odd == ()


def test_a_row_without_an_id_is_set_aside_whole() -> None:
    found = items('NCT Number,Study Title\n,"No, id"\n\n , \nNCT00000002,Two\n')
    assert found[0] == Rejected("some.csv", 1, "no NCT Number", ',"No, id"', "NCTId")
    # Rows without a letter in them are no rows.
    assert isinstance(found[1], SourceRecord) and found[1].number == 2
    assert len(found) == 2


def test_a_quote_that_does_not_close_costs_one_row() -> None:
    text = 'NCT Number,Study Title,Sex\nNCT00000001,"Open,ALL\n'
    text += 'NCT00000002,"Two, too",MALE\nNCT00000003,Three,ALL\n'
    broken, two, three = items(text)
    assert broken == Rejected("some.csv", 1, "a quote that does not close", 'NCT00000001,"Open,ALL')
    assert isinstance(two, SourceRecord) and isinstance(three, SourceRecord)
    assert two.study["protocolSection"]["identificationModule"]["briefTitle"] == "Two, too"
    assert (two.number, three.number) == (2, 3)


def test_an_open_quote_at_the_end_is_set_aside() -> None:
    one, broken = items('NCT Number,Study Title\nNCT00000001,One\nNCT00000002,"Two')
    assert isinstance(one, SourceRecord)
    assert broken == Rejected("some.csv", 2, "the file ends inside a quoted cell", 'NCT00000002,"Two')


def test_a_row_too_long_is_set_aside_and_the_next_is_read() -> None:
    text = (
        "NCT Number,Study Title,Sex\n"
        + f'NCT00000001,"{"x" * 300_000}\nNCT00000002,Two,ALL\n'
        + "y\n" * 50_000
    )
    found = items(text, longest=1000)
    assert isinstance(found[0], Rejected) and found[0].raw.startswith('NCT00000001,"xxx')
    (two,) = [item for item in found if isinstance(item, SourceRecord)]
    assert two.study["protocolSection"]["identificationModule"] == {
        "nctId": "NCT00000002",
        "briefTitle": "Two",
    }
    assert "".join(item.raw for item in found if isinstance(item, Rejected)).count("x") == 300_000


def test_a_row_that_the_end_cuts_is_no_record() -> None:
    one, cut = items("NCT Number,Study Title,Sex\nNCT00000001,One,ALL\nNCT0000")
    assert isinstance(one, SourceRecord)
    assert cut == Rejected("some.csv", 2, "the file ends in the middle of it", "NCT0000")


def test_every_cut_keeps_the_rows_before_it() -> None:
    data = 'NCT Number,Study Title,Sex\nNCT00000001,"One\n, é",ALL\nNCT00000002,Two,MALE\n'.encode()
    ends = [
        place + 1 for place in range(len(data)) if data[place:].startswith(b"\n") and place not in (26, 43)
    ]
    assert [data[:end].count(b"NCT0000") for end in ends] == [1, 2]
    for cut in range(len(data)):
        whole = [item for item in items(data[:cut]) if isinstance(item, SourceRecord) and not item.odd]
        # The last cell may be cut without a sign, so that the row before the cut may count as well.
        assert len(whole) >= sum(end <= cut for end in ends)


def test_bad_bytes_and_nul() -> None:
    record = only(b"NCT Number,Study Title,Acronym\nNCT00000001,Sj\xf6gren,A\0B\n")
    assert record.study["protocolSection"]["identificationModule"] == {
        "nctId": "NCT00000001",
        "briefTitle": "Sjögren",
        "acronym": "AB",
    }
    assert record.odd == (
        Odd("encoding", "Sjögren", "not UTF-8: read as cp1252"),
        Odd("Acronym", "AB", "holds NUL characters: left out"),
    )


@pytest.mark.parametrize(
    "text", ["", "NCT Number", "Name,Age\nA,1\n", '[{"protocolSection": 1}]', "NCT Number Sex"]
)
def test_what_is_no_table_of_studies(text: str) -> None:
    assert not recognises(text)
    assert items(text) == [Skipped("some.csv", "a table without the column NCT Number")]


def test_a_table_without_rows() -> None:
    header = ",".join(COLUMNS)
    assert recognises(header)
    assert items(header) == [Skipped("some.csv", "a table without rows")]
