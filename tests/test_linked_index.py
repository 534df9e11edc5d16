"""An index that is linked: what trials are kinds of, what they teach, and files that may be damaged."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from small import concept, full, ids, make_index, study
from trialindex import build
from trialindex.builder import delete, rebuild
from trialindex.contents import read_contents
from trialindex.document import Document
from trialindex.errors import IndexDamaged
from trialindex.fields import concept_term
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.storage import Writer
from trialindex.verify import verify
from trialindex.vocabulary.linking import Linker
from trialindex.vocabulary.mapped import write_vocabulary
from trialsearch import TrialSearch

ONE, TWO, THREE, FOUR, FIVE, SIX = (f"NCT0000000{number}" for number in range(1, 7))
CONCEPTS = [
    concept("C1", "lupus nephritis", short="LN", parents="C2"),
    concept("C2", "glomerulonephritis", parents="C3"),
    concept("C3", "kidney disease"),
    concept("C4", "gout"),
    concept("I1", "azynolimab", "Azynol", kind="intervention", parents="I2"),
    concept("I2", "azynol antibody", kind="intervention"),
    concept("X1", "resting", kind="other"),
]
STUDIES = [
    study(ONE, BriefTitle="In adults", Condition=["Lupus Nephritis"], InterventionName=["Azynol"]),
    study(TWO, BriefTitle="Glomerulonephritis", Condition=["Glomerulonephritis"]),
    study(THREE, BriefTitle="In children", Condition=["Gout"], InterventionName=["azynolimab"]),
    study(FOUR, BriefTitle="Of kidney disease", Condition=["kidney disease"], InterventionName=["resting"]),
    study(FIVE, BriefTitle="At home", Condition=["resting"]),
]
write: Callable[[Path], None] = partial(write_vocabulary, CONCEPTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("linked") / "index", STUDIES, CONCEPTS)


@pytest.fixture(scope="module")
def trials(folder: Path) -> Iterator[TrialSearch]:
    with TrialSearch.open(folder) as opened:
        yield opened


def linked(folder: Path, identifier: str, field: str = "ConditionConcept") -> list[str]:
    """Return the ids of the live trials that have a concept in a field of concepts."""
    snapshot = open_snapshot(folder)
    try:
        docs = snapshot.postings(concept_term(identifier), field).docs
        return sorted(
            snapshot.key(doc) for doc in docs.tolist() if snapshot.live is None or snapshot.live[doc]
        )
    finally:
        snapshot.close()


def sources(folder: Path, studies: Iterable[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for one in studies:
        key = one["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{key}.json").write_text(json.dumps(one), "utf-8")
    return folder


# --- what is found


def test_a_built_index_is_linked_by_the_shipped_vocabulary(tmp_path: Path) -> None:
    studies = [
        study(ONE, BriefTitle="Of kidneys", Condition=["Lupus Nephritis"]),
        study(TWO, BriefTitle="Of kidneys", Condition=["Glomerulonephritis"]),
        study(THREE, BriefTitle="Of kidneys", Condition=["Gout"]),
    ]
    index = tmp_path / "index"
    assert build([sources(tmp_path / "in", studies)], index).added == 3
    assert verify(index) == []
    with TrialSearch.open(index) as trials:
        for options in ({"query": "glomerulonephritis"}, {"cond": "glomerulonephritis"}):
            results = trials.search(**options)
            assert full(results) == [TWO, ONE]
            assert results[0].score > results[1].score
            assert [match.how for match in results[1].why] == ["concept"]
        assert full(trials.search("glomerulonephritis", synonyms=False)) == [TWO]
        # Upwards only: who asks for a kind does not mean all.
        assert full(trials.search("lupus nephritis")) == [ONE]
    assert rebuild(index) == 3
    assert verify(index) == []


def test_the_nearer_the_better_and_a_trial_that_says_it_first(trials: TrialSearch) -> None:
    results = trials.search("kidney disease")
    # Its own words, one step up, two steps up.
    assert full(results) == [FOUR, TWO, ONE]
    assert [hit.why[0].how for hit in results] == ["typed", "concept", "concept"]
    assert results[0].score > 2 * results[1].score
    assert results[1].score > results[2].score


def test_no_trial_comes_first_for_what_its_conditions_are_kinds_of(tmp_path: Path) -> None:
    # Each of the many says it, and one is three times a kind of it.
    studies = [
        study(f"NCT{number:08}", BriefTitle="Kidney disease", BriefSummary="one of many")
        for number in range(11, 25)
    ]
    studies += [
        study(
            ONE, BriefTitle="Of kidneys", Condition=["Lupus nephritis", "Nephritis, Lupus", "lupus nephritis"]
        ),
        study(TWO, BriefTitle="A walk", Condition=["Kidney disease"]),
    ]
    with TrialSearch.open(make_index(tmp_path / "index", studies, CONCEPTS)) as trials:
        results = trials.search("kidney disease", limit=None)
        assert results[0].id == TWO
        assert len(full(results)) == 16
        assert results[0].score > 2 * next(hit.score for hit in results if hit.id == ONE)


def test_an_option_asks_the_concepts_of_its_own_kind_alone(trials: TrialSearch) -> None:
    assert full(trials.search("resting")) == [FIVE, FOUR]
    assert full(trials.search(cond="resting")) == [FIVE]
    assert full(trials.search(intr="resting")) == [FOUR]
    assert full(trials.search(cond="azynol antibody")) == []
    assert sorted(full(trials.search(intr="azynol antibody"))) == [ONE, THREE]
    assert full(trials.search(title="azynol antibody")) == []
    # Everywhere has the concepts of both.
    assert sorted(full(trials.search("azynol antibody", everywhere=True))) == [ONE, THREE]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("AREA[ConditionConcept]C1", [ONE]),
        # A concept, and all kinds of it.
        ("AREA[ConditionConcept]C3", [ONE, TWO, FOUR]),
        ("AREA[ConditionParentConcept]C3", [TWO]),
        ("AREA[ConditionAncestorConcept]C3", [ONE]),
        ("AREA[InterventionConcept]I2", [ONE, THREE]),
        ("AREA[InterventionConcept]I2 AND NOT AREA[ConditionConcept]C4", [ONE]),
        ("AREA[InterventionConcept]C3", []),
        ("AREA[ConditionConcept]C9", []),
        ("AREA[ConditionConcept]X1", [FIVE]),
        ("AREA[InterventionConcept]MISSING", [TWO, FIVE]),
        ("AREA[ConditionConcept]C3 AND azynol", [ONE]),
    ],
)
def test_concepts_are_asked_by_id(trials: TrialSearch, query: str, found: list[str]) -> None:
    assert sorted(full(trials.search(query))) == found
    assert all(hit.why or hit.score == 0 for hit in trials.search(query))


def test_the_letters_of_a_concept_in_a_record_are_no_link(tmp_path: Path) -> None:
    term = concept_term("C1")
    odd = ["C1", term, f"{term} ", f"\x03{term}", f"x\n{term}\n", f"\x01{term}", f"\x00{term}"]
    studies = [
        study(
            f"NCT{number:08}",
            BriefTitle=text,
            OfficialTitle=f"{text} {text}",
            Condition=[text, f"{text},{text}"],
            InterventionName=[text],
            Keyword=[text],
            Phase=[text],
            LocationCity=[text],
        )
        for number, text in enumerate(odd, 11)
    ]
    index = make_index(tmp_path / "index", [*STUDIES, *studies], CONCEPTS)
    snapshot = Snapshot(index)
    real = snapshot.find_key(ONE)
    for area in (
        "ConditionConcept",
        "BasicSearch",
        "BasicSearch/concepts",
        "ConditionSearch/concepts",
        "Everywhere",
    ):
        assert snapshot.postings(term, area).docs.tolist() in ([real], [])
    assert snapshot.occurrences(term).docs.tolist() == [real]
    # Nor are concepts words that a prefix may mean.
    assert [one for one, _ in snapshot.terms("")] == [one for one, _ in snapshot.terms() if "\x03" not in one]
    assert list(snapshot.terms("\x03")) == []
    snapshot.close()
    with TrialSearch.open(index) as trials:
        assert full(trials.search("AREA[ConditionConcept]C1")) == [ONE]
        assert set(full(trials.search("C1", limit=None))) == {f"NCT{number:08}" for number in range(11, 18)}
        # What is asked is no term either, however it is written.
        for query in (term, f'"{term}"', f"{term[:2]}*", f"AREA[ConditionConcept]{term}"):
            assert ONE not in ids(trials.search(query, limit=None)), query
    assert verify(index) == []


# --- writing


def test_links_follow_updates_deletions_and_merges(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    assert linked(index, "C1") == [ONE]
    make_index(index, [study(ONE, Condition=["Gout"]), study(TWO, Condition=["lupus nephritis"])])
    assert linked(index, "C1") == [TWO]
    assert linked(index, "C4") == [ONE, THREE]
    assert linked(index, "C2", "ConditionParentConcept") == [TWO]
    assert verify(index) == []
    delete([TWO], index)
    assert linked(index, "C1") == []
    assert verify(index) == []
    make_index(index, [study(SIX, Condition=["lupus nephritis"])])
    with Writer(index) as writer:
        writer.merge()
        assert len(writer.segments) == 1
    assert linked(index, "C1") == [SIX]
    assert linked(index, "C3", "ConditionAncestorConcept") == [SIX]
    assert verify(index) == []
    with TrialSearch.open(index) as trials:
        assert full(trials.search("glomerulonephritis")) == [SIX]


def test_an_update_by_building_keeps_the_vocabulary_of_the_index(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    before = read_contents(index).vocabulary
    build([sources(tmp_path / "in", [study(SIX, BriefTitle="x", Condition=["Lupus nephritis"])])], index)
    assert read_contents(index).vocabulary == before
    assert linked(index, "C1") == [ONE, SIX]
    assert verify(index) == []


def test_an_index_without_a_vocabulary_works(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES)
    assert verify(index) == []
    assert read_contents(index).vocabulary.file == read_contents(index).learned.file == ""
    assert linked(index, "C1") == []
    with TrialSearch.open(index) as trials:
        assert full(trials.search("glomerulonephritis")) == [TWO]
        assert full(trials.search("glomerulonephritos")) == []
        assert full(trials.search("AREA[ConditionConcept]C1")) == []
        assert len(full(trials.search("AREA[ConditionConcept]MISSING"))) == 5
        assert trials.search("LN").notes == ()
        assert ids(trials.similar(FOUR)) == [FIVE]


def test_an_index_of_nothing_has_a_vocabulary_all_the_same(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [], CONCEPTS)
    assert verify(index) == []
    with TrialSearch.open(index) as trials:
        assert list(trials.search("lupus nephritis")) == []
        assert trials.search("LN").notes == ()


# --- what trials teach


def teaching(number: int, short: str = "QZ", drug: str = "zabomol", other: str = "Zabex") -> dict[str, Any]:
    return study(
        f"NCT{number:08}",
        BriefTitle=f"Quazer zobulosis ({short}) in adults",
        InterventionName=[drug],
        InterventionOtherName=[[other]],
    )


def senses(folder: Path, short: str) -> list[tuple[str, int]]:
    snapshot = open_snapshot(folder)
    try:
        assert snapshot.learned is not None
        return [(sense.long, sense.trials) for sense in snapshot.learned.senses(short)]
    finally:
        snapshot.close()


def test_what_two_trials_say_is_learned_and_what_one_says_is_not(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", [teaching(1), study(TWO, BriefTitle="Zabex")], CONCEPTS)
    assert senses(index, "QZ") == []
    with TrialSearch.open(index) as trials:
        assert full(trials.search("zabomol")) == [ONE]
        make_index(index, [teaching(3)])
        assert senses(index, "QZ") == [("Quazer zobulosis", 2)]
        results = trials.search("zabomol")
        assert sorted(full(results)) == [ONE, TWO, THREE]
        assert results[2].id == TWO
        assert [str(match) for match in results[2].why] == ["zabomol: learned zabex (BriefTitle)"]
        assert full(trials.search("zabomol", synonyms=False)) == [ONE, THREE]
        assert full(trials.search("QZ")) == [ONE, THREE]
    # What a trial that is gone taught is forgotten with it.
    delete([THREE], index)
    with Writer(index) as writer:
        writer.merge()
        writer.learn(anew=True)
    assert senses(index, "QZ") == []
    assert verify(index) == []


def test_it_is_worked_out_anew_when_one_trial_in_a_hundred_came_or_went(tmp_path: Path) -> None:
    index = tmp_path / "index"

    def write_some(studies: Iterable[dict[str, Any]], gone: Iterable[str] = ()) -> str:
        with Writer(index) as writer:
            for one in studies:
                writer.put(one["protocolSection"]["identificationModule"]["nctId"], one)
            for key in gone:
                writer.delete(key)
            writer.learn()
        return read_contents(index).learned.file

    first = write_some(study(f"NCT{number:08}", BriefTitle="x") for number in range(1, 301))
    assert first
    assert write_some([teaching(301)]) == first
    # Nothing came: nothing is written.
    assert write_some([]) == first
    assert write_some([teaching(302)]) == first
    assert senses(index, "QZ") == []
    second = write_some([], gone=[f"NCT{number:08}" for number in (1, 2)])
    assert second > first
    assert senses(index, "QZ") == [("Quazer zobulosis", 2)]
    assert not (index / first).exists()
    # It counts from there on.
    assert write_some([teaching(303)]) == second
    assert verify(index) == []


# --- damage


def test_a_document_that_another_vocabulary_linked_is_reported(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", STUDIES, CONCEPTS)
    other = [one for one in CONCEPTS if one.id != "C4"] + [concept("C5", "gout", parents="C3")]
    with Writer(index) as writer:
        writer.use_vocabulary(partial(write_vocabulary, other))
    found = verify(index)
    assert f"{THREE}: the terms of ConditionConcept are not those of the stored record" in found
    assert f"{THREE}: the terms of ConditionParentConcept are not those of the stored record" in found
    assert all(line.startswith(THREE) for line in found)
    # Put again, it is linked as the others.
    make_index(index, [STUDIES[2]])
    assert verify(index) == []
    assert linked(index, "C5") == [THREE]


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "index"))


def aside(folder: Path, which: str) -> Path:
    contents = read_contents(folder)
    return folder / {"vocabulary": contents.vocabulary, "learned": contents.learned}[which].file


def check_damaged(folder: Path, name: str) -> None:
    """Assert that opening and verifying an index both name a file."""
    with pytest.raises(IndexDamaged, match=name):
        open_snapshot(folder)
    with TrialSearch.open(folder) as trials, pytest.raises(IndexDamaged, match=name):
        trials.search("lupus")
    assert any(name in line for line in verify(folder))


@pytest.mark.parametrize("which", ["vocabulary", "learned"])
def test_a_missing_file_is_named(copied: Path, which: str) -> None:
    path = aside(copied, which)
    path.unlink()
    check_damaged(copied, path.name)


@pytest.mark.parametrize("which", ["vocabulary", "learned"])
def test_a_file_of_another_index_is_named(copied: Path, tmp_path: Path, which: str) -> None:
    others = [*CONCEPTS[:-1], concept("X1", "resting much", kind="other")]
    other = make_index(tmp_path / "other", [*STUDIES, teaching(8), teaching(9)], others)
    path = aside(copied, which)
    shutil.copyfile(aside(other, which), path)
    check_damaged(copied, path.name)


@pytest.mark.parametrize("which", ["vocabulary", "learned"])
def test_the_one_file_in_place_of_the_other_is_named(copied: Path, which: str) -> None:
    path = aside(copied, which)
    shutil.copyfile(aside(copied, "learned" if which == "vocabulary" else "vocabulary"), path)
    check_damaged(copied, path.name)


@pytest.mark.parametrize("which", ["vocabulary", "learned"])
def test_a_file_that_was_cut_or_is_empty_is_named(copied: Path, which: str) -> None:
    path = aside(copied, which)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 100, 7, 0):
        path.write_bytes(whole[:size])
        check_damaged(copied, path.name)


@pytest.mark.parametrize("which", ["vocabulary", "learned"])
def test_whatever_byte_is_flipped_there_is_an_answer_or_the_damage_is_said(copied: Path, which: str) -> None:
    path = aside(copied, which)
    whole = path.read_bytes()
    choose = random.Random(3)
    damaged = 0
    for place in sorted(choose.sample(range(len(whole)), 60)):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << choose.randrange(8)]) + whole[place + 1 :]
        )
        assert any(path.name in line for line in verify(copied)), place
        try:
            with TrialSearch.open(copied) as trials:
                for query in ("lupus nephritis", "LN", "cond:LN", "azynol", "azinolimab", "kidney disease"):
                    for hit in trials.search(query):
                        str(hit.why)
                str(trials.search("qqqlupus").did_you_mean)
                trials.suggest("az")
                list(trials.similar(ONE))
        except IndexDamaged:
            damaged += 1
    path.write_bytes(whole)
    assert verify(copied) == []
    assert damaged


def test_a_table_of_contents_that_names_no_vocabulary_any_more_is_noticed(copied: Path) -> None:
    # Without its links the index would still answer, and find less.
    path = copied / "trialsearch.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace(aside(copied, "vocabulary").name, "000000.voc"), "utf-8")
    with pytest.raises(IndexDamaged):
        open_snapshot(copied)
    assert verify(copied)


def test_every_link_of_every_trial_is_in_the_index(corpus_index: Path) -> None:
    """Of trials with many concepts, ids in capitals were once read as a text that shouts, and lost."""
    snapshot = Snapshot(corpus_index)
    vocabulary = snapshot.vocabulary
    assert vocabulary is not None
    linker = Linker(vocabulary)
    most = 0
    for doc in snapshot.docs().tolist():
        for field, concepts in Document.of(snapshot.study(doc), linker).concepts.items():
            most = max(most, len(concepts))
            for identifier in concepts:
                held = snapshot.postings(concept_term(identifier), field).docs
                assert doc in held, (snapshot.key(doc), field, identifier)
    assert most > 10
    snapshot.close()
