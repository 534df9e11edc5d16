"""The registry's codes: every code spells itself, every source's spelling finds its code, nothing else."""

from __future__ import annotations

import pytest

from trialindex.codes import CODES, boolean, code, code_list, words
from trialindex.study_fields import by_piece

ALL = [(enum, entry) for enum, entries in CODES.items() for entry in entries]


@pytest.mark.parametrize(("enum", "entry"), ALL)
def test_a_code_spells_itself_and_so_do_its_words(enum: str, entry: str) -> None:
    assert (
        code(enum, entry) == code(enum, entry.lower()) == code(enum, entry.replace("_", " ").title()) == entry
    )
    assert code_list(enum, entry) == [entry]
    assert words(entry) and "_" not in words(entry)


@pytest.mark.parametrize(
    ("enum", "text", "entry"),
    [
        ("Status", "Active, not recruiting", "ACTIVE_NOT_RECRUITING"),
        ("Status", "Unknown status", "UNKNOWN"),
        ("Status", "Enrolling by invitation", "ENROLLING_BY_INVITATION"),
        ("Status", "No longer available", "NO_LONGER_AVAILABLE"),
        ("Phase", "Phase 0", "EARLY_PHASE1"),
        ("Phase", "Early Phase 1", "EARLY_PHASE1"),
        ("Phase", "Phase III", "PHASE3"),
        ("Phase", "3", "PHASE3"),
        ("Phase", "N/A", "NA"),
        ("Phase", "Not Applicable", "NA"),
        ("Sex", "Both", "ALL"),
        ("Sex", "female", "FEMALE"),
        ("StudyType", "Observational [Patient Registry]", "OBSERVATIONAL"),
        ("InterventionType", "Dietary Supplement", "DIETARY_SUPPLEMENT"),
        ("InterventionType", "Combination Product", "COMBINATION_PRODUCT"),
        ("DesignAllocation", "Non-Randomized", "NON_RANDOMIZED"),
        ("InterventionalAssignment", "Crossover Assignment", "CROSSOVER"),
        ("DesignMasking", "Double Blind", "DOUBLE"),
        ("DesignMasking", "None (Open Label)", "NONE"),
        ("WhoMasked", "Outcomes Assessor", "OUTCOMES_ASSESSOR"),
        ("AgencyClass", "U.S. Fed", "FED"),
        ("DateType", "Anticipated", "ESTIMATED"),
        ("ArmGroupType", "Placebo Comparator", "PLACEBO_COMPARATOR"),
    ],
)
def test_spellings(enum: str, text: str, entry: str) -> None:
    assert code(enum, text) == entry


@pytest.mark.parametrize(
    ("enum", "text"),
    [
        ("Phase", "5"),
        ("Phase", ""),
        ("Phase", "Phase"),
        ("Status", "recruit"),
        ("Sex", "any"),
        ("Sex", "MALEFEMALE"),
    ],
)
def test_no_codes(enum: str, text: str) -> None:
    assert code(enum, text) is None
    assert code_list(enum, text) is None


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("Phase 1/Phase 2", ["PHASE1", "PHASE2"]),
        ("PHASE2|PHASE3", ["PHASE2", "PHASE3"]),
        ("Phase 2, Phase 2", ["PHASE2"]),
        ("1/2", ["PHASE1", "PHASE2"]),
        ("N/A", ["NA"]),
        ("Phase 1/Phase 9", None),
        ("/", None),
    ],
)
def test_lists(text: str, listed: list[str] | None) -> None:
    assert code_list("Phase", text) == listed


def test_an_unknown_list_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        code("Phases", "PHASE1")


def test_every_list_that_the_study_structure_names_is_here() -> None:
    assert {field.enum for field in by_piece().values() if field.enum} <= CODES.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes", True),
        ("TRUE", True),
        ("y", True),
        ("No", False),
        ("Accepts Healthy Volunteers", True),
        ("maybe", None),
        ("", None),
    ],
)
def test_yes_and_no(text: str, said: bool | None) -> None:
    assert boolean(text) is said
