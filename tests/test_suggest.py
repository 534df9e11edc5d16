"""Names that begin with what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_snapshot import PlainSnapshot
from small import concept, make_index, open_index, study
from trialindex.analysis import fold
from trialindex.errors import IndexDamaged
from trialindex.storage import Writer
from trialsearch import Suggestion, TrialSearch
from trialsearch.suggest import NameList

STUDIES = [
    study("NCT00000001", Condition=["Lupus Nephritis", "lupus nephritis", "Sjögren's Syndrome"]),
    study("NCT00000002", Condition=["Lupus nephritis"], InterventionName=["Cyclophosphamide"]),
    study("NCT00000003", Condition=["Lupus Nephritis", "sjogren's syndrome"]),
    study("NCT00000004", Condition=["Nephropathy"], InterventionOtherName=[["Cyclo-X"]]),
    study("NCT00000005", InterventionName=["Drug: 5-Fluorouracil", "cyclophosphamide"]),
    study("NCT00000006", Condition=["é" * 300]),
]


@pytest.fixture(scope="module", params=["learned", "nothing learned"])
def trials(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[TrialSearch]:
    vocabulary = () if request.param == "learned" else None
    folder = make_index(tmp_path_factory.mktemp("suggest") / "index", STUDIES, vocabulary)
    with TrialSearch.open(folder) as opened:
        yield opened


def test_a_name_answers_at_the_start_of_any_word_and_counts_each_trial_once(trials: TrialSearch) -> None:
    # Three trials, four spellings that differ in case: two of them in one trial.
    assert trials.suggest("neph") == [
        Suggestion("Lupus Nephritis", "condition", 3),
        Suggestion("Nephropathy", "condition", 1),
    ]
    assert [one.name for one in trials.suggest("lupus neph")] == ["Lupus Nephritis"]
    assert trials.suggest("LUPUS") == trials.suggest(" lupus ") == trials.suggest("lupus")
    assert trials.suggest("phritis") == trials.suggest("lup neph") == trials.suggest("nephritis lupus") == []


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
    assert trials.suggest("") == trials.suggest("  ") == trials.suggest("'") == []
    assert trials.suggest("zzz") == trials.suggest("\ud800") == trials.suggest("-") == []
    assert len(trials.suggest("l", limit=1)) == 1
    assert trials.suggest("l", limit=0) == trials.suggest("l", limit=-1) == []
    assert trials.suggest("lupus " * 100_000) == []


def test_a_very_long_name_still_has_a_name_and_its_trial(trials: TrialSearch) -> None:
    (found,) = trials.suggest("eee")
    assert found.trials == 1
    assert found.name.startswith("ééé")


def test_a_slip_is_forgiven_behind_what_begins_as_typed(trials: TrialSearch) -> None:
    nephritis = Suggestion("Lupus Nephritis", "condition", 3, corrected="lupus neph")
    assert trials.suggest("lupis neph") == trials.suggest("luppus neph") == [nephritis]
    assert [(one.name, one.corrected) for one in trials.suggest("lupus nehp")] == [
        ("Lupus Nephritis", "lupus nep")  # the first of what may be meant: nep, neph
    ]
    # One name begins as typed; what is one edit off comes after it, though more trials have it.
    assert [(one.name.lower(), one.corrected) for one in trials.suggest("cyclop")] == [
        ("cyclophosphamide", ""),
        ("cyclo-x", "cyclo"),
    ]


@pytest.mark.parametrize("typed", ["lpis neph", "mephr", "nehp lupus", "nexxr", "5-fluro 6", "luq"])
def test_two_slips_the_first_letter_and_short_words_are_not_forgiven(trials: TrialSearch, typed: str) -> None:
    assert trials.suggest(typed) == []


def test_where_enough_names_begin_as_typed_no_others_follow(tmp_path: Path) -> None:
    names = ["Lumbago", "Lumbago Acute", "Lumbago Chronic", "Lumbar Pain"]
    with open_index(tmp_path / "index", [study("NCT00000001", Condition=names)], ()) as trials:
        assert [one.name for one in trials.suggest("lumbag")] == names[:3]
        assert [one.name for one in trials.suggest("lumbago c")] == ["Lumbago Chronic"]
        assert [one.name for one in trials.suggest("lumbat")] == [names[0], *names[1:3], "Lumbar Pain"]


# Concepts


CONCEPTS = [
    concept("C1", "pembrolizumab", "Keytruda", "lambrolizumab", short="PEMB", kind="intervention"),
    concept("C2", "Hypertension", "High Blood Pressure", "susceptibility to gout", parents="C5"),
    concept("C3", "nivolumab", kind="intervention"),
    concept("C4", "Placebos", kind="intervention"),
    concept("C5", "Vascular Diseases"),
]
LINKED = [
    *(study(f"NCT1000000{number}", InterventionName=["Pembrolizumab", "placebo"]) for number in range(9)),
    *(study(f"NCT2000000{number}", InterventionName=["PEMBROLIZUMAB"]) for number in range(3)),
    study("NCT30000000", InterventionName=["KeyTruda"], Condition=["hypertension"]),
    study("NCT30000001", Condition=["Hypertension"]),
    study("NCT30000002", Condition=["High blood pressure"]),
    study("NCT30000003", Condition=["Gout"]),
]


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    return make_index(tmp_path / "linked", LINKED, CONCEPTS)


def test_a_brand_or_synonym_offers_what_it_means(linked: Path) -> None:
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("keytr") == [
            Suggestion("pembrolizumab", "intervention", 13, via="KeyTruda", concept="C1")
        ]
        # As the vocabulary has it, where no trial writes it; and behind a slip.
        assert trials.suggest("LAMB") == [
            Suggestion("pembrolizumab", "intervention", 13, via="lambrolizumab", concept="C1")
        ]
        assert trials.suggest("keytur") == [
            Suggestion("pembrolizumab", "intervention", 13, "KeyTruda", "keytr", "C1")
        ]


def test_a_name_and_its_concept_are_one(linked: Path) -> None:
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("pemb") == [Suggestion("Pembrolizumab", "intervention", 13, concept="C1")]
        # What trials write a tenth as often as the preferred name stands for itself; so does a singular.
        assert trials.suggest("high") == [Suggestion("High blood pressure", "condition", 3, concept="C2")]
        assert trials.suggest("plac") == [Suggestion("placebo", "intervention", 9, concept="C4")]


def test_a_concept_is_offered_where_trials_are_linked_to_it_or_to_a_narrower_one(linked: Path) -> None:
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("vasc") == [Suggestion("Vascular Diseases", "condition", 3, concept="C5")]
        assert trials.suggest("nivo") == []


def test_a_synonym_that_no_trial_writes_answers_at_its_beginning_only(linked: Path) -> None:
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("gout") == [Suggestion("Gout", "condition", 1)]
        assert trials.suggest("suscep") == [
            Suggestion("Hypertension", "condition", 3, via="susceptibility to gout", concept="C2")
        ]


# What came and went since


def test_deleted_trials_do_not_count(linked: Path) -> None:
    with Writer(linked) as writer:
        for key in ("NCT10000000", "NCT20000001", "NCT30000000", "NCT30000003"):
            assert writer.delete(key)
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("pemb") == [Suggestion("Pembrolizumab", "intervention", 10, concept="C1")]
        assert trials.suggest("keytr") == [
            Suggestion("pembrolizumab", "intervention", 10, via="Keytruda", concept="C1")
        ]
        assert trials.suggest("gout") == []
        assert trials.suggest("vasc") == [Suggestion("Vascular Diseases", "condition", 2, concept="C5")]


def test_a_name_that_came_since_answers_at_its_beginning(linked: Path) -> None:
    with Writer(linked) as writer:
        writer.put("NCT40000000", study("NCT40000000", Condition=["New Fever", "GOUT"]))
    with TrialSearch.open(linked) as trials:
        assert trials.suggest("new f") == [Suggestion("New Fever", "condition", 1)]
        assert trials.suggest("feve") == []
        assert [(one.name.lower(), one.trials) for one in trials.suggest("gout")] == [("gout", 2)]


def test_a_damaged_file_is_reported(linked: Path) -> None:
    (path,) = linked.glob("*.lrn")
    path.write_bytes(path.read_bytes()[:-1])
    with TrialSearch.open(linked) as trials, pytest.raises(IndexDamaged, match=path.name):
        trials.suggest("lup")


# Against a plain count


NAMES = st.lists(
    st.sampled_from(["Lupus", "lupus", "LUPUS nephritis", "Lupus Nephritis", "gout (acute)", "Goût", "IL-2"]),
    max_size=4,
)
PIECES = st.lists(st.fixed_dictionaries({"Condition": NAMES, "InterventionName": NAMES}), max_size=6)


def _expected(pieces: Sequence[dict[str, Any]], deleted: set[int], prefix: str) -> list[tuple[str, str, int]]:
    """Return (folded name, kind, trials) of all names that begin so, in order."""
    counts: dict[tuple[str, str], int] = {}
    for number, held in enumerate(pieces):
        if number not in deleted:
            for kind, piece in (("condition", "Condition"), ("intervention", "InterventionName")):
                for text in {fold(name) for name in held[piece]}:
                    counts[kind, text] = counts.get((kind, text), 0) + 1
    found = [
        (text, kind, trials)
        for (kind, text), trials in counts.items()
        if any(
            text[place:].startswith(prefix) for place in range(len(text)) if not text[:place][-1:].isalnum()
        )
    ]
    return sorted(found, key=lambda row: (-row[2], row[0], row[1]))


@settings(deadline=None)
@given(
    PIECES,
    st.sets(st.integers(0, 5)),
    st.sampled_from(["l", "lupus", "lupus n", "neph", "gou", "il-2", "ac"]),
)
def test_all_that_begin_so_are_counted_as_a_plain_count_does(
    pieces: list[dict[str, Any]], deleted: set[int], prefix: str
) -> None:
    studies = [study(f"NCT{number:08}", **held) for number, held in enumerate(pieces)]
    gone = {number for number in deleted if number < len(studies)}
    snapshot = PlainSnapshot(studies, deleted=gone)
    found = NameList(snapshot).suggest(prefix, 100)  # type: ignore[arg-type]
    begun = [(fold(one.name), one.kind, one.trials) for one in found if not one.corrected]
    assert begun == _expected(pieces, gone, prefix)
