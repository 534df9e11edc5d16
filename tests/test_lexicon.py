"""What an index knows of words and names, as expansion asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from known import known, taught
from small import concept, make_index, study
from trialindex.analysis import normal_words
from trialindex.snapshot import Snapshot
from trialindex.vocabulary.concepts import Concept, kinds_mask
from trialsearch.lexicon import IndexLexicon

CONDITION, INTERVENTION = kinds_mask({"condition"}), kinds_mask({"intervention"})
CONCEPTS = [
    concept("C01", "lupus nephritis", short="LN", parents="C02"),
    concept("C02", "nephritis"),
    concept("C03", "laryngeal node", short="LN"),
    concept("I01", "azynolimab", "Azynol", kind="intervention"),
]
STUDIES = [
    study(
        f"NCT0000000{number}",
        BriefTitle="Lupus Nephritis (LN) and more",
        Condition=["Lupus Nephritis"],
        InterventionName=["azynolimab"],
        InterventionOtherName=[["ZB-7701"]],
    )
    for number in (1, 2)
]


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexLexicon]:
    snapshot = Snapshot(make_index(tmp_path_factory.mktemp("lexicon") / "index", STUDIES, CONCEPTS))
    yield IndexLexicon(snapshot)
    snapshot.close()


def test_how_many_trials_have_a_word(lexicon: IndexLexicon) -> None:
    assert lexicon.frequency("nephritis") == lexicon.frequency("azynolimabs") == 2
    assert lexicon.frequency("gout") == lexicon.frequency("the") == lexicon.frequency("") == 0


def test_how_many_trials_are_linked_to_a_concept_or_a_kind_of_it(lexicon: IndexLexicon) -> None:
    nephritis, lupus, node = (lexicon.vocabulary.number_of(name) for name in ("C02", "C01", "C03"))
    for number in (nephritis, lupus):
        assert lexicon.linked(number, "BasicSearch") == lexicon.linked(number, "ConditionSearch") == 2
        # It is no intervention, and titles are not linked.
        assert lexicon.linked(number, "InterventionSearch") == lexicon.linked(number, "TitleSearch") == 0
    assert lexicon.linked(node, "BasicSearch") == lexicon.linked(None, "BasicSearch") == 0


def test_words_of_names_are_known_and_those_of_records_are_not(lexicon: IndexLexicon) -> None:
    assert lexicon.knows("azynolimabs")
    assert lexicon.knows("azynol")
    assert lexicon.knows("ln")
    assert not lexicon.knows("more")
    assert not lexicon.knows("azynolmab")


def test_words_near_one_are_of_the_vocabulary_and_of_names_in_the_index(lexicon: IndexLexicon) -> None:
    found = {word: (trials, kinds) for word, trials, kinds in lexicon.near("azynolimab", 255, 10)}
    # Its trials are those of the index; those of words that no name in it has are 0.
    assert found["azynolimab"] == (2, INTERVENTION)
    assert found["azynol"] == (0, INTERVENTION)
    assert "lupus" not in found
    assert "azynolimab" not in [word for word, _, _ in lexicon.near("azynolimab", CONDITION, 10)]
    # Words of titles are no names.
    assert lexicon.near("more", 255, 10) == []


def test_what_trials_define(lexicon: IndexLexicon) -> None:
    (sense,) = lexicon.senses("LN")
    assert (sense.long, sense.trials, sense.concept) == ("Lupus Nephritis", 2, "C01")
    assert list(lexicon.senses("ln")) == [sense]
    assert list(lexicon.senses("Ln")) == list(lexicon.senses("XX")) == []


def test_abbreviations_of_the_vocabulary(lexicon: IndexLexicon) -> None:
    both = tuple(lexicon.vocabulary.number_of(name) for name in ("C01", "C03"))
    assert lexicon.short("LN") == lexicon.short("ln") == both
    assert lexicon.short("Ln") == lexicon.short("nephritis") == ()


def test_the_longest_name_that_trials_give_another(lexicon: IndexLexicon) -> None:
    held = known(learned=taught(names={"zab cream = ZB-1": 3, "zab cream base = ZB-2": 3}))
    keys = normal_words("a new zab cream base zab")
    assert [held.learned_match(keys, place, 6) for place in range(len(keys))] == [0, 3, 0, 0, 0]
    assert held.learned_match(keys, 1, 2) == 2
    assert held.learned_match(keys, 1, 1) == held.learned_match(keys, 9, 6) == 0
    assert held.learned_names(normal_words("zab creams")) == ("ZB-1",)
    assert held.learned_names(("unheard",)) == ()
    assert lexicon.learned_match(normal_words("azynolimab"), 0, 6) == 1


def test_other_names_of_a_concept_by_any_of_its_own(lexicon: IndexLexicon) -> None:
    def drug() -> Concept:
        number = lexicon.vocabulary.number_of("I01")
        assert number is not None
        return lexicon.vocabulary.concept(number)

    assert lexicon.taught(drug()) == ("ZB-7701",)
    vocabulary = lexicon.vocabulary
    learned = taught(names={"Azynol = ZB-78": 3, "azynolimab = ZB-79": 5}, vocabulary=vocabulary)
    assert known(vocabulary=vocabulary, learned=learned).taught(drug()) == ("ZB-79", "ZB-78")
    assert lexicon.learned_concept(normal_words("ZB-7701")) == vocabulary.number_of("I01")
    assert lexicon.learned_concept(normal_words("ZB-7702")) is None
    learned = taught(names={"unheard = ZB-78": 3}, vocabulary=vocabulary)
    assert known(vocabulary=vocabulary, learned=learned).learned_concept(("unheard",)) is None
    assert known(vocabulary=vocabulary, learned=learned).taught(drug()) == ()


def test_of_an_index_without_a_vocabulary_words_alone_are_known(tmp_path: Path) -> None:
    snapshot = Snapshot(make_index(tmp_path / "index", STUDIES))
    lexicon = IndexLexicon(snapshot)
    assert len(lexicon.vocabulary) == 0
    assert lexicon.frequency("nephritis") == 2
    assert not lexicon.knows("nephritis")
    assert lexicon.near("nephritis", 255, 10) == []
    assert list(lexicon.senses("LN")) == list(lexicon.short("LN")) == []
    assert lexicon.learned_match(("lupus",), 0, 6) == 0
    assert lexicon.learned_names(("lupus",)) == lexicon.taught(CONCEPTS[0]) == ()
    snapshot.close()
