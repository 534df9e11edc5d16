"""CSV as the registry writes it: written here, read back by the reader of that format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from small import make_index, study
from trialindex import codes
from trialindex.formats import ctgov_csv
from trialindex.formats.files import SourceFile
from trialindex.formats.record import SourceRecord
from trialsearch import TrialSearch
from trialsearch.export import csv_row
from trialsearch.site_csv import COLUMNS, as_site_csv, row

FIXTURE = Path(__file__).with_name("fixtures") / "ctgov_csv" / "every-column.csv"


def read(text: str) -> list[dict[str, Any]]:
    found = list(ctgov_csv.read(SourceFile("some.csv", lambda: io.BytesIO(text.encode()))))
    assert all(isinstance(one, SourceRecord) for one in found)
    return [one.study for one in found if isinstance(one, SourceRecord)]


def test_the_columns_are_those_of_the_reader() -> None:
    assert list(COLUMNS) == list(ctgov_csv.COLUMNS)


def test_a_row_of_every_column_is_written_as_it_was_read() -> None:
    text = FIXTURE.read_text("utf-8")
    (once,) = read(text)
    written = "\n".join([csv_row(COLUMNS), csv_row(row(once).values())])
    assert read(written) == [once]
    header, _, rest = text.partition("\n")
    assert written.partition("\n")[0] == header
    # Cell for cell, but for what the reader could not part for sure.
    cells = row(once)
    for name in (
        "Interventions",
        "Study Design",
        "Other IDs",
        "Age",
        "Phases",
        "Study Documents",
        "Locations",
    ):
        assert cells[name] in rest.replace('""', '"'), name


def test_an_outcome_with_a_description_is_one_text_and_a_time() -> None:
    made = study("NCT00000001")
    made["protocolSection"]["outcomesModule"] = {
        "primaryOutcomes": [{"measure": "Death", "description": "any cause", "timeFrame": "12 months"}]
    }
    assert row(made)["Primary Outcome Measures"] == "Death, any cause, 12 months"


@pytest.mark.parametrize(("stated", "cell"), [(True, "YES"), (False, "NO"), (None, "")])
def test_results_are_yes_no_or_not_stated(stated: bool | None, cell: str) -> None:
    made = study("NCT00000001")
    if stated is not None:
        made["hasResults"] = stated
    assert row(made)["Study Results"] == cell


def test_an_answer_as_the_site_writes_it(tmp_path: Path) -> None:
    made = [
        study("NCT00000001", BriefTitle="Lupus one", BriefSummary="First.\nSecond.", Acronym="=X"),
        study("NCT00000002", BriefTitle="Lupus"),
    ]
    with TrialSearch.open(make_index(tmp_path, made)) as trials:
        results = trials.search("lupus one")
        assert [hit.partial for hit in results] == [False, True]
        text = "\n".join(as_site_csv(results))
    (only,) = read(text)
    assert only["protocolSection"]["descriptionModule"]["briefSummary"] == "First.\nSecond."
    assert only["protocolSection"]["identificationModule"]["acronym"] == "'=X"


PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
NAMES = st.lists(PLAIN, min_size=1, max_size=3, unique=True)


@given(
    NAMES,
    NAMES,
    st.sampled_from(codes.CODES["Status"]),
    st.lists(st.sampled_from(codes.CODES["Phase"]), min_size=1, unique=True),
    st.sampled_from(codes.CODES["DesignMasking"]),
    st.lists(st.sampled_from(codes.CODES["WhoMasked"]), unique=True),
    st.lists(st.sampled_from(codes.CODES["StandardAge"]), min_size=1, unique=True),
)
def test_what_is_written_reads_back(
    conditions: list[str],
    others: list[str],
    status: str,
    phases: list[str],
    masking: str,
    who: list[str],
    ages: list[str],
) -> None:
    made = study(
        "NCT00000001",
        BriefTitle=conditions[0],
        Condition=conditions,
        OverallStatus=status,
        Phase=phases,
        DesignMasking=masking,
        StdAge=ages,
        OrgStudyId=others[0],
        **({"SecondaryId": others[1:]} if others[1:] else {}),
        **({"DesignWhoMasked": who} if who else {}),
    )
    assert read("\n".join([csv_row(COLUMNS), csv_row(row(made).values())])) == [made]
