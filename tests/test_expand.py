"""Words are widened by names and spellings, and only where that is sure."""

from __future__ import annotations

import pytest

from known import COMMON, known, taught
from trialindex.fields import concept_term
from trialindex.vocabulary.mapped import Vocabulary
from trialsearch.expand import Expansion, expand, says_nothing
from trialsearch.lexicon import IndexLexicon
from trialsearch.parse import parse
from trialsearch.query import (
    And,
    Best,
    In,
    Name,
    Near,
    Not,
    Nothing,
    Or,
    Query,
    Term,
    Unless,
    Way,
    children,
)

# Trials that have some names.
DRUGS = COMMON | {"cyclophosphamid": 100}
USED = taught({"MS = multiple sclerosis": 40, "MS = mitral stenosis": 2, "MS = morphine sulfate": 3})


def widen(
    text: str, lexicon: IndexLexicon | None = None, *, synonyms: bool = True, fuzzy: bool = True
) -> tuple[Query, Expansion]:
    expansion = Expansion(lexicon or known(), synonyms=synonyms, fuzzy=fuzzy)
    return expand(parse(text), expansion), expansion


def ways(query: Query) -> list[Way]:
    """Return all ways below a node."""
    own = list(query.ways) if isinstance(query, Best) else []
    return own + [way for part in children(query) for way in ways(part)]


def said(query: Query, how: str) -> list[str]:
    return [way.text for way in ways(query) if way.how == how]


@pytest.mark.parametrize(
    ("typed", "others", "linked"),
    [
        ("LN", ["lupus nephritis", "lupus glomerulonephritis"], "C01"),
        ("ln", ["lupus nephritis", "lupus glomerulonephritis"], "C01"),
        ("lupus nephritis", ["lupus glomerulonephritis", "LN"], "C01"),
        ("Lupus Glomerulonephritis", ["lupus nephritis", "LN"], "C01"),
        ("SSc", ["scleroderma", "systemic sclerosis"], "C03"),
        ("systemic sclerosis", ["scleroderma", "SSc"], "C03"),
        ("scleroderma", ["systemic sclerosis", "SSc"], "C03"),
        ("il2", ["aldesleukin"], "I03"),
        ("IL-2", ["aldesleukin"], "I03"),
        ("interleukin 2", ["aldesleukin"], "I03"),
        ("CYC", ["Cytoxan", "cyclophosphamide"], "I05"),
        # A name without another one still has its kinds.
        ("demyelinating diseases", [], "C05"),
        ("IL-12", [], ""),
        ("nephritis", [], ""),
        ("sclerosis", [], ""),
        ("nephritis lupus", [], ""),
    ],
)
def test_a_name_is_widened_to_the_other_names_both_ways_and_to_its_link(
    typed: str, others: list[str], linked: str
) -> None:
    query, expansion = widen(typed)
    # Whichever of the two was typed, the other is one more.
    assert [name for name in said(query, "synonym") if name not in {"interleukin-2", "IL-2"}] == others
    links = [way.part for way in ways(query) if way.how == "concept"]
    assert links == ([In("BasicSearch/concepts", Term(concept_term(linked)))] if linked else [])
    assert expansion.notes == []


def test_the_longest_name_wins() -> None:
    query, _ = widen("umbilical cord mesenchymal stem cell")
    assert said(query, "synonym") == ["UC-MSC"]


def test_names_inside_a_run_are_found_and_the_words_around_them_are_asked() -> None:
    query, _ = widen("children with LN")
    assert isinstance(query, And)
    asked = [part.text for part in query.parts if isinstance(part, Best)]
    assert asked == ["children", "LN"]
    assert said(query, "synonym") == ["lupus nephritis", "lupus glomerulonephritis"]


def test_every_way_is_worth_less_than_the_words_as_typed() -> None:
    query, _ = widen("lupus nephritis")
    assert isinstance(query, Best)
    as_name, *others = query.ways
    assert (as_name.how, as_name.weight, as_name.part) == (
        "typed",
        1.0,
        Near(("lupus", "nephriti"), 1, "non"),
    )
    assert all(0 < way.weight < 1 for way in others)
    weight = {(way.how, way.text): way.weight for way in others}
    # Words apart are worth less than another name of the thing, and than a trial that is linked to it.
    apart = weight["typed", "lupus nephritis"]
    assert apart < weight["synonym", "LN"] < weight["synonym", "lupus glomerulonephritis"]
    assert apart < weight["concept", "lupus nephritis"] < weight["synonym", "lupus glomerulonephritis"]


def test_of_an_abbreviation_what_trials_write_for_it_is_worth_most() -> None:
    query, _ = widen("LN", known(learned=taught({"LN = lupus nephritis": 4})))
    assert isinstance(query, Best)
    assert [(way.how, way.text) for way in sorted(query.ways, key=lambda way: -way.weight)] == [
        ("synonym", "lupus nephritis"),
        ("typed", "LN"),
        ("concept", "lupus nephritis"),
        ("synonym", "lupus glomerulonephritis"),
    ]
    # Where no trial tells what it stands for, any of its names may be what they write.
    query, _ = widen("LN")
    assert [way.weight for way in ways(query) if way.how == "synonym"] == [1.0, 1.0]


def test_a_name_of_more_words_than_were_typed_is_worth_as_many() -> None:
    # The words of a phrase add up: two of them would be worth more than the one word that was typed.
    query, _ = widen("scleroderma")
    (name,) = [way for way in ways(query) if way.text == "systemic sclerosis" and way.how == "synonym"]
    assert name.weight == pytest.approx(0.9 / 2)


def test_a_short_abbreviation_is_looked_for_in_titles_and_names_alone() -> None:
    query, _ = widen("lupus nephritis")
    (short,) = [way.part for way in ways(query) if way.text == "LN"]
    assert short == In("BasicSearch/headline", Term("ln"))
    query, _ = widen("AREA[DetailedDescription](lupus nephritis)")
    assert "LN" not in said(query, "synonym")
    assert said(query, "concept") == []


def test_an_abbreviation_that_trials_use_otherwise_is_asked_with_care_or_not_at_all() -> None:
    def short(text: str, **used: int) -> list[Way]:
        definitions = {f"MS = {name.replace('_', ' ')}": trials for name, trials in used.items()}
        query, _ = widen(text, known(learned=taught(definitions)))
        return [way for way in ways(query) if way.text == "MS"]

    (plain,) = short("multiple sclerosis")
    assert plain.part == In("BasicSearch/headline", Term("ms"))
    (some,) = short("multiple sclerosis", multiple_sclerosis=6, mitral_stenosis=4)
    wrong = Name("Definition", "MS\tmitral stenosis")
    assert some.part == In("BasicSearch/headline", Unless(Term("ms"), wrong))
    assert some.weight == pytest.approx(0.6 * plain.weight)
    (most,) = short("multiple sclerosis", multiple_sclerosis=6)
    assert most == plain
    # Who asks for the other does not mean what most trials do.
    assert short("mitral stenosis", multiple_sclerosis=6, mitral_stenosis=4) == []
    assert len(short("mitral stenosis", multiple_sclerosis=4, mitral_stenosis=6)) == 1


def test_a_name_with_a_hyphen_is_also_met_as_one_word() -> None:
    query, _ = widen("NASH")
    (full,) = [way.part for way in ways(query) if way.how == "synonym"]
    assert isinstance(full, Or)
    assert [part.terms[0] for part in full.parts if isinstance(part, Near)] == ["non", "nonalcohol"]


def test_a_name_is_not_met_where_it_is_denied() -> None:
    query, _ = widen("small cell lung cancer")
    names = [way.part for way in ways(query) if isinstance(way.part, Near)]
    assert names == [
        Near(("small", "cell", "lung", "cancer"), 1, "non"),
        Near(("oat", "cell", "carcinoma"), 1, "non"),
    ]
    # Who writes quotes wants these words, whatever stands before them, or another name of the same thing.
    query, _ = widen('"small cell lung cancer"')
    assert [way.part for way in ways(query) if way.how != "concept"] == [
        Near(("small", "cell", "lung", "cancer")),
        Near(("oat", "cell", "carcinoma"), 1, "non"),
    ]


def test_the_area_decides_the_kind() -> None:
    query, expansion = widen("intr:MS")
    assert said(query, "synonym") == ["morphine sulfate"]
    assert expansion.notes == []
    query, _ = widen("intr:SSc")
    assert said(query, "synonym") == []
    query, _ = widen("cond:MSC")
    assert said(query, "synonym") == []
    query, _ = widen("cond:LN")
    (link,) = [way.part for way in ways(query) if way.how == "concept"]
    assert link == In("ConditionSearch/concepts", Term(concept_term("C01")))
    # Titles are not linked.
    query, _ = widen("title:LN")
    assert said(query, "synonym") == ["lupus nephritis", "lupus glomerulonephritis"]
    assert said(query, "concept") == []


def test_an_abbreviation_that_nothing_decides_is_not_widened_but_noted() -> None:
    query, expansion = widen("MS")
    assert said(query, "synonym") == said(query, "concept") == []
    (note,) = expansion.notes
    assert note.startswith("MS may mean ")
    assert all(name in note for name in ("multiple sclerosis", "mitral stenosis", "morphine sulfate"))


def test_a_name_that_was_asked_before_is_the_same_node_and_only_where_it_means_the_same() -> None:
    lexicon = known(learned=USED)

    def asked(text: str, *, area: str = "BasicSearch", fuzzy: bool = True) -> Query:
        found = expand(parse(text), Expansion(lexicon, fuzzy=fuzzy, known=lexicon.known), area)
        assert found == expand(parse(text), Expansion(lexicon, fuzzy=fuzzy), area)
        return found

    first, again = asked("lupus nephritis zab"), asked("mof lupus nephritis")
    assert isinstance(first, And)
    assert isinstance(again, And)
    assert first.parts[0] is again.parts[1]
    assert asked("lupus nephritis") is first.parts[0]
    assert asked("lupus nephritis", area="ConditionSearch") is not first.parts[0]
    assert asked("Lupus nephritis") is not first.parts[0]  # as it was typed
    asked("lupus nephritsi")
    asked("lupus nephritsi", fuzzy=False)
    # What letters mean hangs on the other words.
    for text in ("MS", "MS heart valve", "MS", "SSc", "scleroderma", "SSc"):
        asked(text)


def test_the_rest_of_the_query_decides_an_ambiguous_abbreviation() -> None:
    # What mitral stenosis is a kind of has the words.
    query, expansion = widen("MS heart valve")
    assert said(query, "synonym") == ["mitral stenosis"]
    (note,) = expansion.notes
    assert note.startswith("MS taken as mitral stenosis; it may also mean ")
    assert "multiple sclerosis" in note


def test_the_trials_decide_an_ambiguous_abbreviation() -> None:
    lexicon = known(learned=USED)
    query, expansion = widen("MS", lexicon)
    assert said(query, "synonym") == ["multiple sclerosis"]
    (note,) = expansion.notes
    assert note == (
        "MS taken as multiple sclerosis; it may also mean morphine sulfate, mitral stenosis: "
        "write the name of the one that you mean"
    )
    # Of conditions it is the one that 90 % of the trials mean: nobody need be told.
    query, expansion = widen("cond:MS", lexicon)
    assert said(query, "synonym") == ["multiple sclerosis"]
    assert expansion.notes == []
    query, expansion = widen("intr:MS", lexicon)
    assert said(query, "synonym") == ["morphine sulfate"]
    assert expansion.notes == []


def test_what_was_guessed_is_worth_less() -> None:
    lexicon = known(learned=USED)
    sure, _ = widen("cond:MS", lexicon)
    guessed, _ = widen("MS", lexicon)
    weights = [
        next(way.weight for way in ways(query) if way.text == "multiple sclerosis")
        for query in (sure, guessed)
    ]
    assert weights[1] < weights[0]


def test_trials_that_define_the_letters_otherwise_come_last() -> None:
    query, _ = widen("cond:MS", known(learned=USED))
    assert isinstance(query, In)
    assert isinstance(query.part, Best)
    right, wrong, *_ = query.part.ways
    assert right.part == Unless(Term("ms"), Name("Definition", "MS\tmitral stenosis"))
    assert wrong.part == Term("ms")
    assert right.how == wrong.how == "typed"
    assert wrong.weight < right.weight / 3
    # No trial has another meaning: nothing to tell apart.
    query, _ = widen("LN", known(learned=taught({"LN = lupus nephritis": 4})))
    assert not any(isinstance(way.part, Unless) for way in ways(query))


def test_what_the_trials_write_for_an_abbreviation_is_asked_as_they_write_it() -> None:
    learned = taught({"LN = lupus nephritis": 9, "LN = lupus nephritides": 3, "AZY = azynol yellow": 5})
    query, _ = widen("AZY", known(learned=learned))
    assert said(query, "synonym") == ["azynol yellow"]
    # What only trials know is no concept.
    assert said(query, "concept") == []
    # One trial alone teaches nothing.
    query, _ = widen("AZY", known(learned=taught({"AZY = azynol yellow": 1})))
    assert said(query, "synonym") == []


def test_names_that_the_trials_teach() -> None:
    learned = taught(names={"pembrolizumab = MK-3475": 9, "zab antibody = ZB-77": 4, "zob = ZB-78": 1})
    query, _ = widen("pembrolizumab", known(learned=learned))
    assert said(query, "learned") == ["MK-3475"]
    assert said(query, "concept") == ["pembrolizumab"]
    # The code is one of the drug: all names of that are meant.
    query, _ = widen("MK 3475", known(learned=learned))
    assert "pembrolizumab" in said(query, "synonym") + said(query, "learned")
    (link,) = [way.part for way in ways(query) if way.how == "concept"]
    assert link == In("BasicSearch/concepts", Term(concept_term("I06")))
    # Names that the vocabulary does not know, of several words too.
    query, _ = widen("zab antibody", known(learned=learned))
    assert said(query, "learned") == ["ZB-77"]
    assert said(query, "concept") == said(query, "synonym") == []
    query, _ = widen("ZB-77", known(learned=learned))
    assert said(query, "learned") == ["zab antibody"]
    for text in ("zob", "antibody", "ZB-78", "MK-3476", "antibody zab"):
        query, _ = widen(text, known(learned=learned))
        assert said(query, "learned") == [], text


def test_of_a_known_name_and_a_taught_one_the_longer_wins() -> None:
    learned = taught(names={"scleroderma cream = SC-9": 4})
    query, _ = widen("scleroderma cream", known(learned=learned))
    assert said(query, "learned") == ["SC-9"]
    assert said(query, "synonym") == []
    query, _ = widen("scleroderma drops", known(learned=learned))
    assert "systemic sclerosis" in said(query, "synonym")
    assert said(query, "learned") == []


@pytest.mark.parametrize(
    "text",
    [
        "id:LN",
        "location:LN",
        "sponsor:LN",
        'city:"LN"',
        "AREA[LocationCity]cyclofosfamide",
        "id:cyclofosfamide",
        "AREA[OverallOfficialName]LN",
        '"cyclofosfamide"',
        '"LN in children"',
    ],
)
def test_ids_places_people_and_what_is_quoted_and_no_name_are_taken_as_they_are(text: str) -> None:
    query, expansion = widen(text, known(frequencies=DRUGS, learned=USED))
    assert {way.how for way in ways(query)} == {"typed"}
    assert expansion.notes == []


def test_a_quoted_name_is_met_by_its_other_names_too() -> None:
    query, expansion = widen('"LN"', known(frequencies=DRUGS, learned=taught({"LN = lupus nephritis": 4})))
    assert [(way.how, way.text) for way in ways(query)] == [
        ("typed", "LN"),
        ("synonym", "lupus nephritis"),
        ("synonym", "lupus glomerulonephritis"),
        ("concept", "lupus nephritis"),
    ]
    assert [way.weight for way in ways(query)] == [1.0, 0.9, 0.9, 0.5]
    assert expansion.notes == []
    query, _ = widen('"LN"', synonyms=False)
    assert [way.how for way in ways(query)] == ["typed"]


def test_a_misspelt_name_is_met_and_its_other_names_too() -> None:
    lexicon = known(frequencies=DRUGS)
    query, expansion = widen("cyclofosfamide", lexicon)
    assert said(query, "typed") == ["cyclofosfamide"]
    assert said(query, "spelling") == ["cyclophosphamide"]
    assert said(query, "synonym") == ["Cytoxan", "CYC"]
    assert expansion.unknown == []
    # What only the guess leads to is worth much less than the guess, and than it is of a name spelt right.
    right, _ = widen("cyclophosphamide", lexicon)
    worth = {(way.how, way.text): way.weight for way in ways(query)}
    meant = {(way.how, way.text): way.weight for way in ways(right) if way.how != "typed"}
    assert len(meant) == 3
    assert all(worth[way] < 0.5 * weight for way, weight in meant.items())
    spelled = worth["spelling", "cyclophosphamide"]
    assert max(worth[way] for way in meant) < spelled < worth["typed", "cyclofosfamide"] == 1.0


def test_a_name_an_edit_further_is_worth_less() -> None:
    lexicon = known(frequencies=DRUGS)
    as_heard, _ = widen("cyclofosfamide", lexicon)
    edited, _ = widen("cyclophosphomide", lexicon)
    weights = [next(way.weight for way in ways(q) if way.how == "spelling") for q in (as_heard, edited)]
    assert weights == pytest.approx([0.8, 0.7])


def test_a_misspelt_word_of_a_name_of_several_words() -> None:
    query, _ = widen("mesenchimal stem cell")
    assert "mesenchymal stem cell" in said(query, "spelling")
    assert said(query, "synonym") == ["mesenchymal stromal cell", "MSC"]
    # A drug is no disease: the area asks for names of its own kind.
    query, _ = widen("cond:cyclofosfamide", known(frequencies=DRUGS))
    assert said(query, "spelling") == []


def test_words_of_names_that_the_index_alone_has_are_meant_too() -> None:
    lexicon = known(frequencies={"azynolimab": 30}, learned=taught(words={"azynolimab": (30, 2)}))
    query, _ = widen("azinolimab", lexicon)
    assert said(query, "spelling") == ["azynolimab"]
    query, _ = widen("cond:azinolimab", lexicon)
    assert said(query, "spelling") == []


def test_nothing_is_bent_inside_not() -> None:
    query, expansion = widen("lupus NOT cyclofosfamide", known(frequencies=DRUGS))
    assert said(query, "spelling") == []
    assert isinstance(query, And)
    assert isinstance(query.parts[1], Not)
    # A word that is to be left out and that nothing has needs no other spelling.
    assert expansion.unknown == []


def test_what_a_negated_abbreviation_means_is_noted_all_the_same() -> None:
    _, expansion = widen("lupus NOT MS")
    assert len(expansion.notes) == 1


def test_options_switch_the_help_off() -> None:
    query, expansion = widen("LN MS", known(learned=USED), synonyms=False)
    assert {way.how for way in ways(query)} == {"typed"}
    assert expansion.notes == []
    query, expansion = widen("cyclofosfamide", known(frequencies=DRUGS), fuzzy=False)
    assert said(query, "spelling") == said(query, "synonym") == []
    assert expansion.unknown == [("cyclofosfamide", "BasicSearch")]


def test_a_word_that_the_index_has_is_not_bent_unless_a_name_is_far_commoner() -> None:
    query, _ = widen("cyclofosfamide", known(frequencies=DRUGS | {"cyclofosfamid": 6}))
    assert said(query, "spelling") == []
    # A rare one gives way to a name many times as frequent, and is still asked itself.
    query, _ = widen("cyclofosfamide", known(frequencies=DRUGS | {"cyclofosfamid": 5}))
    assert said(query, "spelling") == ["cyclophosphamide"]
    assert said(query, "typed") == ["cyclofosfamide"]


@pytest.mark.parametrize("word", ["aldesleukin", "scleroderma", "stenosis", "stenoses", "demyelinating"])
def test_a_word_of_the_vocabulary_is_not_bent(word: str) -> None:
    learned = taught(words={f"{word}e": (1000, 255), word[:-1]: (1000, 255)})
    frequencies = {f"{word}e": 1000, word[:-1]: 1000}
    query, expansion = widen(word, known(frequencies=frequencies, learned=learned))
    assert said(query, "spelling") == []
    assert expansion.unknown == []


def test_an_unknown_word_is_kept_for_did_you_mean() -> None:
    _, expansion = widen("title:xyzzyplum lupus")
    assert expansion.unknown == [("xyzzyplum", "TitleSearch")]


def test_function_words_alone_ask_nothing_and_beside_others_are_left_out() -> None:
    query, expansion = widen("the")
    assert query == Nothing("the")
    assert says_nothing(query)
    assert "the" in expansion.notes[0]
    # Seen: a small `and` between two phrases emptied the answer.
    query, _ = widen('"lupus" and "cell"')
    assert isinstance(query, And)
    assert [part.text for part in query.parts if isinstance(part, Best)] == ['"lupus"', '"cell"']
    query, _ = widen("title:the lupus")
    assert isinstance(query, Best)
    query, _ = widen('"lupus" or "cell"')
    assert isinstance(query, And)


@pytest.mark.parametrize("operator", ["or", "not"])
def test_an_operator_in_small_letters_is_pointed_out(operator: str) -> None:
    _, expansion = widen(f"lupus {operator} stem")
    assert any(f"write {operator.upper()}" in note for note in expansion.notes)
    _, expansion = widen(f"lupus {operator.upper()} stem")
    assert expansion.notes == []


def test_a_phrase_keeps_the_place_of_its_function_words() -> None:
    query, _ = widen('"cell of the cord"')
    assert isinstance(query, Best)
    (way,) = query.ways
    assert (way.how, way.text, way.weight) == ("typed", "cell of the cord", 1.0)
    assert isinstance(way.part, Near)
    assert (way.part.terms, way.part.slop) == (("cell", "", "", "cord"), 0)


def test_without_a_vocabulary_words_are_words() -> None:
    for lexicon in (known(vocabulary=None), known(vocabulary=Vocabulary.of([]))):
        for text in ("lupus nephritis", "MS", "cyclophosphamide"):
            query, expansion = widen(text, lexicon)
            assert {way.how for way in ways(query)} == {"typed"}, text
            assert expansion.notes == []


def test_the_rest_of_the_tree_stays_as_it_is() -> None:
    tree = parse("phase:2 AND start:2012.. AND NOT ALL AND neph* AND age:34")
    query, _ = widen("phase:2 AND start:2012.. AND NOT ALL AND neph* AND age:34")
    assert query == tree


def test_a_query_shows_how_it_was_widened() -> None:
    query, _ = widen("scleroderma", known(learned=taught(names={"scleroderma = SD-5": 3})))
    assert str(query) == "scleroderma [=systemic sclerosis; =SD-5; =SSc; ^systemic sclerosis]"
