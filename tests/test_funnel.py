"""Which part of a question leaves how many trials: numbers counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from small import make_index, study
from trialindex.storage import Writer
from trialsearch import TrialSearch
from trialsearch.results import Step

# Words, phase, city and country of the sites.
TRIALS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("zab kod", "PHASE1", [("Portland", "France")]),
    ("zab kod", "PHASE2", [("Portland", "Spain"), ("Lyon", "France")]),
    ("zab", "PHASE2", [("Lyon", "France")]),
    ("zab mof", "PHASE2", []),
    ("kod mof", "PHASE3", [("Lyon", "Spain")]),
    ("kod", "PHASE3", []),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    studies = []
    for number, (title, phase, sites) in enumerate(TRIALS, 1):
        pieces: dict[str, Any] = {"BriefTitle": title, "Phase": [phase]}
        if sites:
            pieces |= {"LocationCity": [city for city, _ in sites], "LocationCountry": [c for _, c in sites]}
        studies.append(study(f"NCT0000000{number}", **pieces))
    # One that has everything, deleted: it must count nowhere.
    studies.append(study("NCT00000009", BriefTitle="zab kod mof", Phase=["PHASE1", "PHASE2", "PHASE3"]))
    folder = make_index(tmp_path_factory.mktemp("funnel") / "index", studies)
    with Writer(folder) as writer:
        writer.delete("NCT00000009")
    with TrialSearch.open(folder) as opened:
        yield opened


def test_each_part_alone_with_those_before_it_and_if_it_alone_is_dropped(trials: TrialSearch) -> None:
    results = trials.search("zab kod", phase=3)
    assert results.total == 0
    assert results.steps == (
        Step("zab", 4, 4, 2),  # without it: kod and phase 3, the last two
        Step("kod", 4, 2, 0),
        Step("phase: 3", 2, 0, 2),
    )
    # Of two that leave as many, the one that is no word: words are what is looked for.
    assert results.best_dropped == Step("phase: 3", 2, 0, 2)
    # A word, where no filter is to blame.
    assert trials.search("zab mof", phase=3, country="Spain").best_dropped == Step("zab", 4, 4, 1)


def test_where_no_single_part_is_to_blame_none_is_named(trials: TrialSearch) -> None:
    results = trials.search("zab wuk", phase=3)
    assert results.steps == (Step("zab", 4, 4, 0), Step("wuk", 0, 0, 0), Step("phase: 3", 2, 0, 0))
    assert results.best_dropped is None
    # Dropping the only part would leave nothing asked.
    assert trials.search("wuk").steps == (Step("wuk", 0, 0, 6),)
    assert trials.search("wuk").best_dropped is None


def test_the_conditions_on_one_site_are_counted_each(trials: TrialSearch) -> None:
    results = trials.search("mof", city="Lyon", country="Spain", phase=2)
    assert results.steps == (
        Step("mof", 2, 2, 0),
        Step(
            "one site: city Lyon, country Spain", 1, 1, 1,
            (Step('AREA[LocationCity]"Lyon"', 3, 1, 0), Step('AREA[LocationCountry]"spain"', 2, 1, 0)),
        ),
        Step("phase: 2", 3, 0, 1),
    )  # fmt: skip
    results = trials.search(
        "zab AND SEARCH[Location](AREA[LocationCity]Portland AND AREA[LocationCountry]Peru)"
    )
    (_, site) = results.steps
    assert [(step.text, step.alone, step.left, step.without) for step in site.inside] == [
        ("AREA[LocationCity]Portland", 2, 2, 0),
        ("AREA[LocationCountry]Peru", 0, 0, 2),
    ]
    # The whole site condition may be dropped, or the country alone; the first leaves more.
    assert results.best_dropped == site


def test_the_branches_of_an_or_and_their_conditions_are_counted_each(trials: TrialSearch) -> None:
    asked = "(zab AND AREA[Phase]PHASE3) OR (mof AND AREA[Phase]PHASE1) OR wuk"
    results = trials.search(asked)
    assert results.total == 0
    (whole,) = results.steps
    assert (whole.alone, whole.left, whole.without) == (0, 0, 6)
    first, second, third = whole.inside
    assert first == Step(
        "zab AND AREA[Phase]PHASE3", 0, 0, None, (Step("zab", 4, 4, 2), Step("AREA[Phase]PHASE3", 2, 2, 4))
    )
    assert second == Step(
        "mof AND AREA[Phase]PHASE1", 0, 0, None, (Step("mof", 2, 2, 1), Step("AREA[Phase]PHASE1", 1, 1, 2))
    )
    assert third == Step("wuk", 0, 0, None)
    assert results.best_dropped == Step("AREA[Phase]PHASE3", 2, 2, 4)


def test_each_conjunct_of_a_filter_expression_is_a_step(trials: TrialSearch) -> None:
    results = trials.search("zab", filter="kod AND AREA[Phase]PHASE3", agg_filters="phase:1 3")
    assert results.steps == (
        Step("zab", 4, 4, 2),
        Step("filter: kod", 4, 2, 0),
        Step("filter: AREA[Phase]PHASE3", 2, 0, 1),
        Step("phase:1 3", 3, 0, 0),
    )


def test_an_or_in_an_area_keeps_its_area(trials: TrialSearch) -> None:
    results = trials.search(title="(zab AND wuk) OR (kod AND wuk)")
    (whole,) = results.steps
    assert [step.text for step in whole.inside] == [
        "AREA[TitleSearch]zab AND AREA[TitleSearch]wuk",
        "AREA[TitleSearch]kod AND AREA[TitleSearch]wuk",
    ]
    assert [step.without for step in whole.inside[0].inside] == [0, 4]


def test_much_inside_is_cut_and_stays_quick(trials: TrialSearch) -> None:
    asked = " OR ".join(f"(zab AND wuk{number})" for number in range(60))
    (whole,) = trials.search(asked).steps
    assert 0 < len(whole.inside) <= 60
