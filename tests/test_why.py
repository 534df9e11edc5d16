"""Why a trial was found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from small import concept, open_index, study
from trialsearch import TrialSearch

CONCEPTS = [
    concept("C01", "lupus nephritis", short="LN", parents="C02"),
    concept("C02", "glomerulonephritis"),
    concept("C03", "liver nodule", short="LN"),
    concept("I01", "cyclophosphamide", "Cytoxan", kind="intervention"),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [
        study(
            "NCT00000001",
            BriefTitle="Lupus nephritis (LN) in adults",
            Condition=["Lupus Nephritis"],
            BriefSummary="The nephritis of lupus.",
            InterventionName=["cyclophosphamide"],
            InterventionOtherName=[["Cytoxan"]],
        ),
        study("NCT00000002", BriefTitle="Nephritis", BriefSummary="In lupus, among others."),
        study("NCT00000003", BriefTitle="Cytoxan in adults"),
        *(
            study(
                f"NCT0000000{number}", BriefTitle="Of the liver", BriefSummary="A liver nodule (LN) is none."
            )
            for number in (4, 5)
        ),
        study("NCT00000006", Condition=["Lupus nephritis"], BriefTitle="In kidneys"),
    ]
    with open_index(tmp_path_factory.mktemp("why") / "index", studies, CONCEPTS) as opened:
        yield opened


def why(trials: TrialSearch, nct_id: str, query: str, **options: str) -> list[str]:
    (hit,) = [hit for hit in trials.search(query, **options) if hit.id == nct_id]  # type: ignore[arg-type]
    return [str(match) for match in hit.why]


@pytest.mark.parametrize(
    ("nct_id", "query", "wanted"),
    [
        ("NCT00000003", "adults", ["adults: as typed (BriefTitle)"]),
        ("NCT00000003", '"in adults"', ['"in adults": as typed (BriefTitle)']),
        ("NCT00000003", "title:adults", ["adults: as typed (BriefTitle)"]),
        ("NCT00000003", "cyclophosphamide", ["cyclophosphamide: synonym Cytoxan (BriefTitle)"]),
        (
            "NCT00000003",
            "cyclofosfamide adults",
            ["cyclofosfamide: synonym Cytoxan (BriefTitle)", "adults: as typed (BriefTitle)"],
        ),
        (
            "NCT00000001",
            "cyclofosfamide",
            [
                "cyclofosfamide: spelling cyclophosphamide (InterventionName)",
                "cyclofosfamide: synonym Cytoxan (InterventionOtherName)",
            ],
        ),
        (
            "NCT00000001",
            "LN lupus",
            [
                "LN: as typed (BriefTitle)",
                "LN: synonym Lupus nephritis (BriefTitle, Condition)",
                "lupus: as typed (BriefTitle, Condition, BriefSummary)",
            ],
        ),
        # The letters stand for something else there: that trial has been met all the same.
        ("NCT00000004", "LN lupus", ["LN: as typed (BriefSummary)"]),
        # A kind of what was asked: told where no name is there.
        (
            "NCT00000006",
            "glomerulonephritis",
            ["glomerulonephritis: concept glomerulonephritis (ConditionParentConcept)"],
        ),
        # Its words apart are shown word by word.
        (
            "NCT00000002",
            "lupus nephritis",
            ["lupus: as typed (BriefSummary)", "nephritis: as typed (BriefTitle)"],
        ),
        ("NCT00000003", "adults NOT lupus", ["adults: as typed (BriefTitle)"]),
        ("NCT00000003", "adults OR gout", ["adults: as typed (BriefTitle)"]),
        ("NCT00000003", "cytox*", ["cytox*: as typed (BriefTitle)"]),
        ("NCT00000003", "ALL", []),
    ],
)
def test_what_was_met_how_and_where(trials: TrialSearch, nct_id: str, query: str, wanted: list[str]) -> None:
    assert why(trials, nct_id, query) == wanted


def test_the_whole_name_is_said_before_its_other_names(trials: TrialSearch) -> None:
    first = why(trials, "NCT00000001", "lupus nephritis")[0]
    assert first.startswith("lupus nephritis: as typed (BriefTitle, Condition")


def test_a_partial_hit_says_what_it_has(trials: TrialSearch) -> None:
    assert why(trials, "NCT00000003", "adults gout") == ["adults: as typed (BriefTitle)"]


def test_an_option_is_explained_in_its_own_area(trials: TrialSearch) -> None:
    assert why(trials, "NCT00000002", "", title="nephritis") == ["nephritis: as typed (BriefTitle)"]
