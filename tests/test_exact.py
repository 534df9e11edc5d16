"""Which stored records have a text exactly so: what spares their parsing leaves none out."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small import make_index, study
from trialindex.fields import FIELD_NUMBERS
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.storage import pack
from trialsearch.exact import Exact, Sought

KELVIN = "\u212a"
BOLD = "Inclusion Criteria:\n\n* adults\n\nExclusion Criteria: **B**one pain"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_snapshot(
        make_index(
            tmp_path_factory.mktemp("exact") / "index",
            [
                study("NCT00000001", BriefTitle=f"Vitamin {KELVIN}1", Phase=["PHASE2"]),
                study("NCT00000002", BriefTitle=unicodedata.normalize("NFD", "Sjögren"), Phase=["PHASE3"]),
                study("NCT00000003", BriefTitle='Say "gout"\tnow', EligibilityCriteria=BOLD),
                study("NCT00000004", OfficialTitle="Phase 2 of gout", LocationCity=["Paris", "Rome"]),
            ],
        )
    )


@pytest.mark.parametrize(
    ("text", "area", "found"),
    [
        ("Vitamin K1", "BriefTitle", [0]),
        ("vitamin K1", "BriefTitle", []),
        ("Sjögren", "BriefTitle", [1]),
        ('"gout" now', "BriefTitle", [2]),
        ("gout", "BriefTitle", [2]),
        ("gout", "BasicSearch", [2, 3]),
        # What a code says is in no record.
        ("Phase 2", "BasicSearch", [0, 3]),
        ("Phase 2", "OfficialTitle", [3]),
        # A heading loses its marks of bold letters.
        ("Bone pain", "ExclusionCriteria", [2]),
        ("Bone pain", "InclusionCriteria", []),
    ],
)
def test_exact_text(snapshot: Snapshot, text: str, area: str, found: list[int]) -> None:
    docs = np.arange(4, dtype=np.uint32)
    assert docs[Exact(snapshot).holds(text, "Contains", area, docs)].tolist() == found


LETTERS = st.text(st.sampled_from(f'aKk1é\u0308o"\\\n -{KELVIN}Å\u212b'), min_size=1, max_size=8)


@given(LETTERS, LETTERS)
def test_a_record_with_the_text_is_never_passed_over(text: str, around: str) -> None:
    sought = Sought(text, "Contains")
    for value in (text, f"{around} {text} {around}", unicodedata.normalize("NFD", text)):
        if sought.is_in(value):
            assert sought.may_be_in(pack({"title": value}))


def test_starts_of_the_fields_that_are_wanted(snapshot: Snapshot) -> None:
    docs = np.array([0, 3], np.uint32)
    wanted = np.zeros(256, np.bool_)
    wanted[[FIELD_NUMBERS["OfficialTitle"], FIELD_NUMBERS["LocationCity"]]] = True
    every, some = snapshot.values_of(docs), snapshot.values_of(docs, wanted)
    kept = wanted[every.fields]
    assert some.fields.tolist() == every.fields[kept].tolist()
    assert some.starts.tolist() == every.starts[kept].tolist()
    # Of the second trial alone: where a second title would start; two cities.
    assert some.offsets.tolist() == [0, 0, 3]
    assert snapshot.values_of(docs, np.zeros(256, np.bool_)).offsets.tolist() == [0, 0, 0]
