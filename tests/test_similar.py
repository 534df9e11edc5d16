"""Trials like a given one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from small import concept, ids, make_index, open_index, study
from trialindex.errors import QueryError
from trialindex.snapshot import Snapshot
from trialsearch import TrialSearch
from trialsearch.evaluate import Evaluator
from trialsearch.query import Nothing
from trialsearch.similar import likeness

CONCEPTS = [
    concept("C1", "lupus nephritis", parents="C2"),
    concept("C2", "lupus", parents="C3"),
    concept("C3", "autoimmune disease"),
    concept("C4", "systemic sclerosis", "scleroderma", parents="C3"),
    concept("C5", "gout"),
    concept("I1", "zabomol", "Zabex", kind="intervention"),
]
LUPUS, NEAR, FAR, OTHER, COMMON = (f"NCT0000000{number}" for number in range(1, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    studies = [
        study(
            LUPUS,
            BriefTitle="A trial of mesenchymal cells",
            Condition=["Lupus Nephritis"],
            InterventionName=["zabomol"],
        ),
        study(
            NEAR, BriefTitle="A trial of drugs", Condition=["Lupus Nephritis"], InterventionName=["zabomol"]
        ),
        study(FAR, BriefTitle="A trial of drugs", Condition=["Lupus"]),
        study(OTHER, BriefTitle="Ankles", Condition=["Gout"], BriefSummary="not lupus, it says"),
        study(COMMON, BriefTitle="A trial", Condition=["unheard"]),
    ]
    return make_index(tmp_path_factory.mktemp("similar") / "index", studies, CONCEPTS)


@pytest.fixture(scope="module")
def trials(folder: Path) -> Iterator[TrialSearch]:
    with TrialSearch.open(folder) as opened:
        yield opened


def test_the_trial_that_shares_most_comes_first_and_the_trial_itself_never(trials: TrialSearch) -> None:
    found = ids(trials.similar(LUPUS))
    assert found[:2] == [NEAR, FAR]
    assert LUPUS not in found
    # The commonest word of all is worth the least.
    assert found.index(COMMON) > found.index(FAR)


def test_the_words_that_lead_there_are_shown_as_written(trials: TrialSearch) -> None:
    first = trials.similar(LUPUS)[0]
    assert {match.asked for match in first.why} >= {"Lupus", "Nephritis", "zabomol"}
    assert first.snippets
    assert first.explanation is not None
    assert first.explanation.score == pytest.approx(first.score)


def test_limit_and_total(trials: TrialSearch) -> None:
    whole = trials.similar(LUPUS, limit=100)
    assert len(whole) == whole.total
    assert ids(trials.similar(LUPUS, limit=1)) == [NEAR]
    assert trials.similar(LUPUS, limit=1).total == whole.total


def test_a_trial_that_shares_nothing_is_like_no_other(tmp_path: Path) -> None:
    studies = [study(LUPUS, BriefTitle="zab"), study(NEAR, BriefTitle="kad"), study(FAR)]
    folder = make_index(tmp_path / "index", studies)
    snapshot = Snapshot(folder)
    found = likeness(Evaluator(snapshot), snapshot.find(FAR) or 0)
    assert found == Nothing("")
    snapshot.close()
    with TrialSearch.open(folder) as trials:
        assert list(trials.similar(LUPUS)) == []
        assert list(trials.similar(FAR)) == []


def test_another_name_of_the_same_disease_is_the_same_disease(tmp_path: Path) -> None:
    studies = [
        study(LUPUS, BriefTitle="Of skin", Condition=["scleroderma"]),
        study(NEAR, BriefTitle="In adults", Condition=["systemic sclerosis"]),
        study(FAR, BriefTitle="On walks", Condition=["multiple sclerosis"]),
        study(OTHER, BriefTitle="At home", Condition=["gout"]),
    ]
    with open_index(tmp_path / "index", studies, CONCEPTS) as trials:
        (hit,) = trials.similar(LUPUS)
        assert hit.id == NEAR
        assert [(match.asked, match.how, match.fields) for match in hit.why] == [
            ("systemic sclerosis", "concept", ("ConditionConcept",)),
            ("autoimmune disease", "concept", ("ConditionParentConcept",)),
        ]
        assert hit.explanation is not None
        assert hit.explanation.score == pytest.approx(hit.score)


def test_a_kind_of_the_same_disease_comes_behind_the_disease_itself(tmp_path: Path) -> None:
    studies = [
        study(LUPUS, BriefTitle="a", Condition=["lupus nephritis"], InterventionName=["Zabex"]),
        study(NEAR, BriefTitle="b", Condition=["Nephritis, Lupus"], InterventionName=["x"]),
        study(FAR, BriefTitle="c", Condition=["Lupus"]),
        study(OTHER, BriefTitle="d", Condition=["scleroderma"]),
        study(COMMON, BriefTitle="e", InterventionName=["zabomol"]),
    ]
    with open_index(tmp_path / "index", studies, CONCEPTS) as trials:
        found = ids(trials.similar(LUPUS))
        assert found.index(NEAR) < found.index(FAR)
        assert COMMON in found
        # What is two steps up says little: any immune disease would be alike.
        assert OTHER not in found


def test_a_limit_is_a_count(trials: TrialSearch) -> None:
    assert list(trials.similar(LUPUS, limit=0)) == []
    with pytest.raises(QueryError, match="0 or more"):
        trials.similar(LUPUS, limit=-1)


def test_a_former_id_will_do(tmp_path: Path) -> None:
    studies = [study(LUPUS, BriefTitle="zab", NCTIdAlias=["NCT00000999"]), study(NEAR, BriefTitle="zab")]
    with open_index(tmp_path / "index", studies) as trials:
        assert ids(trials.similar("nct00000999")) == [NEAR]
