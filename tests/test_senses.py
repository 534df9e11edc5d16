"""What an abbreviation stands for: by the other words of the question, the area, and the trials."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from known import known, taught
from small import concept
from trialindex.vocabulary.mapped import Vocabulary
from trialsearch.lexicon import IndexLexicon
from trialsearch.senses import Choice, Meaning, choose, meanings, standing

CONDITIONS = frozenset({"condition", "other"})
VOCABULARY = Vocabulary.of(
    [
        concept("C01", "lupus nephritis", short="LN", parents="C02"),
        concept("C02", "systemic lupus erythematosus", "lupus"),
        concept("C03", "lymphatic node", short="LN", kind="other"),
        concept("C04", "multiple sclerosis", short="MS"),
        concept("C05", "mitral stenosis", short="MS", parents="C06"),
        concept("C06", "heart valve disease"),
        concept("I01", "morphine sulfate", short="MS", kind="intervention"),
        concept("I02", "leucovorin", short="LV", kind="intervention"),
    ]
)


def lexicon(
    definitions: Mapping[str, int] | None = None, links: Mapping[str, int] | None = None
) -> IndexLexicon:
    learned = None if definitions is None else taught(definitions, vocabulary=VOCABULARY)
    return known(vocabulary=VOCABULARY, learned=learned, links=links)


def chosen(text: str, beside: str = "", area: str = "BasicSearch", **of: Mapping[str, int]) -> Choice:
    """Return the choice among all meanings, `beside` the analysed words of the question."""
    held = lexicon(**of)
    kinds = CONDITIONS if area == "ConditionSearch" else None
    return choose(text, meanings(text, held, kinds), beside.split(), held, area)


def taken(choice: Choice) -> str:
    return "" if choice.taken is None else choice.taken.name


# --- meanings


def test_meanings_are_those_of_the_vocabulary_and_of_the_trials_the_most_used_first() -> None:
    held = lexicon({"MS = mitral stenosis": 2, "MS = multiple sclerosis": 7, "MS = mass spectrometry": 3})
    found = meanings("MS", held, None)
    assert [(one.name, one.trials, one.concept is None) for one in found] == [
        ("multiple sclerosis", 7, False),
        ("mass spectrometry", 3, True),
        ("mitral stenosis", 2, False),
        ("morphine sulfate", 0, False),
    ]
    assert found[0].pairs == ("MS\tmultiple sclerosis",)


def test_a_meaning_that_trials_spell_in_two_ways_is_one() -> None:
    held = lexicon({"MS = multiple sclerosis": 7, "MS = Multiple-Sclerosis": 2, "MS = multiple scleroses": 3})
    first = meanings("MS", held, None)[0]
    assert first.trials == 12
    assert set(first.long_forms) == {"multiple sclerosis", "Multiple-Sclerosis", "multiple scleroses"}
    assert Meaning("a name", None).long_forms == ("a name",)


def test_only_meanings_of_the_kinds_asked_and_those_of_no_known_kind() -> None:
    held = lexicon({"MS = mass spectrometry": 3})
    assert [one.name for one in meanings("MS", held, frozenset({"intervention"}))] == [
        "mass spectrometry",
        "morphine sulfate",
    ]
    assert "morphine sulfate" not in [one.name for one in meanings("MS", held, CONDITIONS)]


@pytest.mark.parametrize(("text", "size"), [("MS", 3), ("ms", 3), ("Ms", 0), ("mS", 0), ("MSS", 0), ("", 0)])
def test_small_letters_are_looked_up_in_capitals_and_mixed_ones_as_they_are(text: str, size: int) -> None:
    assert len(meanings(text, lexicon(), None)) == size
    assert len(meanings(text, lexicon({"MS = multiple sclerosis": 4}), None)) == size


# --- the choice


def test_nothing_means_nothing() -> None:
    assert chosen("XYZ") == Choice(None, True, (), "")


def test_the_only_meaning_is_taken_without_a_word() -> None:
    choice = chosen("LV")
    assert (taken(choice), choice.sure, choice.note, choice.others) == ("leucovorin", True, "", ())


@pytest.mark.parametrize(
    ("text", "beside", "meaning"),
    [
        # A word of its own name, and of what it is a kind of.
        ("LN", "nephriti biopsi", "lupus nephritis"),
        ("LN", "lupus", "lupus nephritis"),
        ("LN", "lymphat", "lymphatic node"),
        ("MS", "heart valv", "mitral stenosis"),
        ("MS", "morphin", "morphine sulfate"),
        # Words that speak for none, or for two alike.
        ("LN", "children", ""),
        ("LN", "lupus lymphat", ""),
    ],
)
def test_the_other_words_of_the_question_decide(text: str, beside: str, meaning: str) -> None:
    choice = chosen(text, beside)
    assert taken(choice) == meaning
    assert not choice.sure


def test_the_other_words_go_before_the_trials() -> None:
    used = {"MS = multiple sclerosis": 500, "MS = mitral stenosis": 2}
    assert taken(chosen("MS", "heart valv", definitions=used)) == "mitral stenosis"
    assert taken(chosen("MS", "walk", definitions=used)) == "multiple sclerosis"


@pytest.mark.parametrize(
    ("most", "other", "sure"), [(90, 10, True), (89, 10, False), (9, 1, True), (60, 40, False)]
)
def test_nine_of_ten_trials_make_it_sure(most: int, other: int, sure: bool) -> None:
    used = {"MS = multiple sclerosis": most, "MS = mitral stenosis": other}
    choice = chosen("MS", area="ConditionSearch", definitions=used)
    assert (taken(choice), choice.sure) == ("multiple sclerosis", sure)
    assert [one.name for one in choice.others] == ["mitral stenosis"]
    assert choice.note == (
        ""
        if sure
        else "MS taken as multiple sclerosis; it may also mean mitral stenosis: "
        "write the name of the one that you mean"
    )


def test_of_two_meanings_in_as_many_trials_none_is_taken() -> None:
    choice = chosen("MS", definitions={"MS = multiple sclerosis": 4, "MS = mitral stenosis": 4})
    assert choice.taken is None
    assert choice.note == (
        "MS may mean mitral stenosis or multiple sclerosis or morphine sulfate: "
        "add the name of the one that you mean"
    )


def test_where_no_trial_defines_it_the_trials_of_the_thing_count() -> None:
    choice = chosen("MS", area="ConditionSearch", links={"C04": 300, "C05": 20})
    assert (taken(choice), choice.sure) == ("multiple sclerosis", True)
    choice = chosen("MS", area="ConditionSearch", links={"C04": 60, "C05": 40})
    assert (taken(choice), choice.sure) == ("multiple sclerosis", False)
    # An area that has no links says nothing of them.
    assert chosen("MS", area="TitleSearch", links={"C04": 300}).taken is None


def test_a_trial_that_defines_it_counts_for_twenty_that_only_have_the_thing() -> None:
    used = {"MS = mitral stenosis": 4}
    assert taken(chosen("MS", definitions=used, links={"C04": 79})) == "mitral stenosis"
    assert taken(chosen("MS", definitions=used, links={"C04": 81})) == "multiple sclerosis"


def test_of_many_meanings_three_are_named() -> None:
    used = {f"QZ = qua{letter} zab{letter}": 10 + place for place, letter in enumerate("bcdfg")}
    choice = chosen("QZ", definitions=used)
    assert choice.note == (
        "QZ taken as quag zabg; it may also mean quaf zabf, quad zabd, quac zabc, 1 more: "
        "write the name of the one that you mean"
    )


def test_how_many_of_those_who_define_an_abbreviation_mean_a_concept_by_it() -> None:
    number = VOCABULARY.number_of("C05")
    assert number is not None
    stenosis = VOCABULARY.concept(number)
    assert standing("MS", stenosis, lexicon()) == (1.0, ())
    assert standing("MS", stenosis, lexicon({"XX = mitral stenosis": 3})) == (1.0, ())
    held = lexicon({"MS = multiple sclerosis": 12, "MS = mitral stenosis": 5, "MS = mass spectrometry": 3})
    assert standing("MS", stenosis, held) == (
        0.25, ("MS\tmultiple sclerosis", "MS\tmass spectrometry"),
    )  # fmt: skip
