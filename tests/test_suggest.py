"""Names that begin with what was typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from small import open_index, study
from trialsearch import Suggestion, TrialSearch


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = [
        study("NCT00000001", Condition=["Lupus Nephritis", "lupus nephritis", "Sjögren's Syndrome"]),
        study("NCT00000002", Condition=["Lupus nephritis"], InterventionName=["Cyclophosphamide"]),
        study("NCT00000003", Condition=["Lupus Nephritis", "sjogren's syndrome"]),
        study("NCT00000004", Condition=["Nephropathy"], InterventionOtherName=[["Cyclo-X"]]),
        study("NCT00000005", InterventionName=["Drug: 5-Fluorouracil", "cyclophosphamide"]),
        study("NCT00000006", Condition=["é" * 300]),
    ]
    with open_index(tmp_path_factory.mktemp("suggest") / "index", studies) as opened:
        yield opened


def test_a_name_answers_at_the_start_of_any_word_and_counts_each_trial_once(trials: TrialSearch) -> None:
    # Three trials, four spellings that differ in case: two of them in one trial.
    assert trials.suggest("neph") == [
        Suggestion("Lupus Nephritis", "condition", 3),
        Suggestion("Nephropathy", "condition", 1),
    ]
    assert [one.name for one in trials.suggest("lupus neph")] == ["Lupus Nephritis"]
    assert trials.suggest("LUPUS") == trials.suggest(" lupus ") == trials.suggest("lupus")
    assert trials.suggest("phritis") == []


def test_case_and_accents_make_no_difference(trials: TrialSearch) -> None:
    for prefix in ("sjo", "Sjö", "SJÖGREN'S"):
        (found,) = trials.suggest(prefix)
        assert (found.kind, found.trials) == ("condition", 2)
        assert found.name.lower().replace("ö", "o") == "sjogren's syndrome"


def test_kinds_hyphens_and_numbers(trials: TrialSearch) -> None:
    assert [(one.name.lower(), one.kind, one.trials) for one in trials.suggest("cyclo")] == [
        ("cyclophosphamide", "intervention", 2),
        ("cyclo-x", "intervention", 1),
    ]
    assert [one.name for one in trials.suggest("5-fluoro")] == ["Drug: 5-Fluorouracil"]
    assert [one.name for one in trials.suggest("fluoro")] == ["Drug: 5-Fluorouracil"]


def test_nothing_typed_and_limits(trials: TrialSearch) -> None:
    assert trials.suggest("") == trials.suggest("  ") == []
    assert trials.suggest("zzz") == []
    assert len(trials.suggest("l", limit=1)) == 1
    assert trials.suggest("l", limit=0) == []


def test_a_very_long_name_still_has_a_name_and_its_trial(trials: TrialSearch) -> None:
    (found,) = trials.suggest("eee")
    assert found.trials == 1
    assert found.name.startswith("ééé")
