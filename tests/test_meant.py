"""What people mean, on small indexes: abbreviations, and names that they misspell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from small import concept, full, ids, make_index, study
from trialsearch import TrialSearch
from trialsearch.results import Results

CONCEPTS = [
    concept("C1", "multiple sclerosis", short="MS"),
    concept("C2", "mitral stenosis", short="MS", parents="C3"),
    concept("C3", "heart valve disease"),
    concept("C4", "lupus nephritis", short="LN", parents="C5"),
    concept("C5", "systemic lupus erythematosus", "lupus"),
    concept("C6", "lymph node", short="LN", kind="other"),
    concept("I1", "morphine sulfate", short="MS", kind="intervention"),
    concept("I2", "cyclophosphamide", "Cytoxan", short="CYC", kind="intervention"),
    concept("I3", "prednisone", kind="intervention"),
    concept("I4", "prednisolone", kind="intervention"),
]
SCLEROSIS = [f"NCT000001{number:02}" for number in range(10)]
SHORT, STENOSIS, MORPHINE, NEPHRITIS, NODE, SPECTRA, PAPERS = (f"NCT0000020{number}" for number in range(7))
STUDIES = [
    *(
        study(key, BriefTitle="Walking with Multiple Sclerosis (MS)", Condition=["Multiple Sclerosis"])
        for key in SCLEROSIS
    ),
    study(SHORT, BriefTitle="Fatigue in MS", Condition=["Fatigue"]),
    study(STENOSIS, BriefTitle="Mitral stenosis (MS) and MS", Condition=["Mitral Stenosis"]),
    study(MORPHINE, BriefTitle="After surgery", InterventionName=["Morphine Sulfate"]),
    study(NEPHRITIS, BriefTitle="Lupus nephritis (LN)", Condition=["Lupus Nephritis"]),
    study(NODE, BriefTitle="Sentinel lymph node (LN) of the breast", Condition=["Breast Cancer"]),
    study(SPECTRA, BriefTitle="Proteins by mass spectrometry", Condition=["Healthy"]),
    study(PAPERS, BriefTitle="Of multiple papers", BriefSummary="sclerosis"),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    with TrialSearch.open(
        make_index(tmp_path_factory.mktemp("meant") / "index", STUDIES, CONCEPTS)
    ) as opened:
        yield opened


def test_ms_among_conditions_is_multiple_sclerosis(trials: TrialSearch) -> None:
    results = trials.search(cond="MS", limit=None)
    found = full(results)
    assert set(found[: len(SCLEROSIS)]) == set(SCLEROSIS)
    assert SHORT in found
    # Ten of eleven trials that say what it is say this: nobody need be told.
    assert results.notes == ()
    # It is met by its letters, and comes after all that mean what is meant.
    assert found[-1] == STENOSIS
    assert not {MORPHINE, SPECTRA, PAPERS, NODE} & set(found)
    worth = {hit.id: hit.score for hit in results}
    assert worth[STENOSIS] < worth[SHORT] / 2
    assert worth[STENOSIS] < min(worth[key] for key in SCLEROSIS) / 2


def test_ms_among_interventions_is_a_drug(trials: TrialSearch) -> None:
    found = full(trials.search(intr="MS", limit=None))
    assert found[0] == MORPHINE
    assert trials.search(intr="MS").notes == ()
    assert MORPHINE not in full(trials.search(title="MS", limit=None))


def test_the_other_meaning_is_forced_by_a_word_of_it(trials: TrialSearch) -> None:
    results = trials.search("MS mitral", limit=None)
    assert full(results) == [STENOSIS]
    assert results.notes[0].startswith("MS taken as Mitral stenosis; it may also mean ")
    assert "Multiple Sclerosis" in results.notes[0]
    results = trials.search("mitral stenosis", limit=None)
    assert full(results) == [STENOSIS]
    assert results.notes == ()
    # In quotes letters are letters.
    assert set(full(trials.search('"MS"', limit=None))) == {*SCLEROSIS, SHORT, STENOSIS}
    assert trials.search('"MS"').notes == ()
    assert set(full(trials.search("MS", synonyms=False, limit=None))) == {*SCLEROSIS, SHORT, STENOSIS}


def test_ln_beside_lupus_is_lupus_nephritis(trials: TrialSearch) -> None:
    results = trials.search("LN lupus", limit=None)
    assert full(results) == [NEPHRITIS]
    assert results.notes[0].startswith("LN taken as Lupus nephritis; it may also mean ")
    assert "lymph node" in results.notes[0]
    results = trials.search("LN breast", limit=None)
    assert NODE in full(results)
    assert NEPHRITIS not in full(results)


def test_a_meaning_that_is_not_sure_is_told_with_how_to_ask_for_another(trials: TrialSearch) -> None:
    # One trial each says what LN is.
    results = trials.search("LN", limit=None)
    assert set(full(results)) == {NEPHRITIS, NODE}
    (note,) = results.notes
    assert note.startswith("LN may mean ")
    assert note.endswith(": add the name of the one that you mean")
    # Of conditions the one is left that is one.
    results = trials.search(cond="LN", limit=None)
    assert full(results)[0] == NEPHRITIS


@pytest.mark.parametrize(("times", "told"), [(4, True), (9, False)])
def test_from_nine_of_ten_trials_on_a_meaning_is_taken_in_silence(
    tmp_path: Path, times: int, told: bool
) -> None:
    studies = [
        study(f"NCT{number:08}", BriefTitle="Quazer zobulosis (QZ)", Condition=["x"])
        for number in range(1, 2 * times + 1)
    ]
    studies += [study(f"NCT{number:08}", BriefTitle="Quibble zabulation (QZ)") for number in (50, 51)]
    studies += [
        study("NCT00000060", BriefTitle="Of quazer zobulosis"),
        study("NCT00000061", BriefTitle="Zabulation"),
    ]
    with TrialSearch.open(make_index(tmp_path / "index", studies, CONCEPTS)) as trials:
        results = trials.search("QZ", limit=None)
        found = full(results)
        assert set(found[-2:]) == {"NCT00000050", "NCT00000051"}
        assert "NCT00000060" in found
        assert "NCT00000061" not in found
        assert bool(results.notes) is told
        if told:
            assert results.notes[0] == (
                "QZ taken as Quazer zobulosis; it may also mean Quibble zabulation: "
                "write the name of the one that you mean"
            )


# --- misspelt


CYC, BRAND, MISSPELT, PREDNISONE, PREDNISOLONE, SICK = (f"NCT0000030{number}" for number in range(6))
MISSPELLING = "cyclofosfamide"


@pytest.fixture(scope="module")
def drugs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    more = [f"NCT000004{number:02}" for number in range(25)]
    studies = [
        study(CYC, BriefTitle="In adults", InterventionName=["cyclophosphamide"]),
        study(BRAND, BriefTitle="In adults", InterventionDescription=["Cytoxan is given"]),
        study(MISSPELT, BriefTitle="In adults", InterventionName=[MISSPELLING]),
        study(PREDNISONE, BriefTitle="In adults", InterventionName=["prednisone"]),
        study(PREDNISOLONE, BriefTitle="In adults", InterventionName=["prednisolone"]),
        study(SICK, BriefTitle="In cyclic vomiting", Condition=["vomiting"]),
        *(study(key, BriefTitle="Of children", InterventionName=["cyclophosphamide"]) for key in more),
        *(study(key.replace("4", "5"), BriefTitle="Of prednisolone") for key in more),
    ]
    with TrialSearch.open(
        make_index(tmp_path_factory.mktemp("drugs") / "index", studies, CONCEPTS)
    ) as opened:
        yield opened


def hows(results: Results, key: str) -> list[tuple[str, str]]:
    (hit,) = [hit for hit in results if hit.id == key]
    return [(match.how, match.found) for match in hit.why]


def test_the_typed_word_and_the_meant_one_are_searched(drugs: TrialSearch) -> None:
    results = drugs.search(MISSPELLING, limit=None)
    found = full(results)
    assert {CYC, BRAND, MISSPELT} <= set(found)
    assert not {PREDNISONE, PREDNISOLONE, SICK} & set(found)
    assert found[0] == MISSPELT
    assert hows(results, MISSPELT)[0] == ("typed", MISSPELLING)
    assert hows(results, CYC)[0] == ("spelling", "cyclophosphamide")
    assert hows(results, BRAND) == [("synonym", "Cytoxan")]
    # Nobody who wrote so is asked what was meant.
    assert results.did_you_mean == ()


def test_what_only_other_names_of_the_guess_lead_to_is_worth_little(drugs: TrialSearch) -> None:
    worth = {
        typed: {hit.id: hit.score for hit in drugs.search(typed, limit=None)}
        for typed in (MISSPELLING, "cyclophosphamide")
    }
    assert worth[MISSPELLING][BRAND] < worth["cyclophosphamide"][BRAND] / 2
    assert worth[MISSPELLING][CYC] < worth["cyclophosphamide"][CYC]


def test_without_fuzzy_words_are_as_typed(drugs: TrialSearch) -> None:
    assert full(drugs.search(MISSPELLING, fuzzy=False)) == [MISSPELT]
    results = drugs.search("cyclophosphomide", fuzzy=False)
    assert full(results) == []
    # The nearest first; what one record has may be what was meant, too.
    assert results.did_you_mean == ("cyclophosphamide", MISSPELLING)
    assert CYC in full(drugs.search("cyclophosphomide", limit=None))


def test_a_known_word_is_never_bent(drugs: TrialSearch) -> None:
    # Prednisolone is 26 times as frequent, and a letter or two away.
    assert full(drugs.search("prednisone", limit=None)) == [PREDNISONE]
    # Cytoxan stands in one trial alone.
    results = drugs.search("cytoxan", synonyms=False)
    assert full(results) == [BRAND]
    assert results.did_you_mean == ()


@pytest.mark.parametrize(
    "query", [f'"{MISSPELLING}"', f"id:{MISSPELLING}", f"cond:{MISSPELLING}", "cyclophos"]
)
def test_what_is_not_bent(drugs: TrialSearch, query: str) -> None:
    assert CYC not in ids(drugs.search(query, limit=None))
