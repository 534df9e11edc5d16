"""Words are widened by names and spellings, and only where that is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from trialindex.vocabulary import Concept, Vocabulary
from trialsearch.expand import Expansion, expand, says_nothing
from trialsearch.parse import parse
from trialsearch.query import And, Best, In, Near, Not, Nothing, Or, Query, Term, Way, children

VOCABULARY = Vocabulary(
    [
        Concept(
            "condition",
            "lupus nephritis",
            ("lupus glomerulonephritis",),
            ("LN",),
            ("systemic lupus erythematosus",),
        ),
        Concept("condition", "systemic sclerosis", ("scleroderma",), ("SSc",), ()),
        Concept("condition", "multiple sclerosis", (), ("MS",), ("demyelinating disease",)),
        Concept("condition", "mitral stenosis", (), ("MS",), ("heart valve disease",)),
        Concept("condition", "non-alcoholic steatohepatitis", (), ("NASH",), ()),
        Concept("intervention", "mesenchymal stem cell", ("mesenchymal stromal cell",), ("MSC",), ()),
        Concept("intervention", "umbilical cord mesenchymal stem cell", (), ("UC-MSC",), ()),
        Concept("intervention", "interleukin-2", ("aldesleukin",), ("IL-2",), ()),
        Concept("intervention", "morphine", (), ("MS",), ()),
        Concept("intervention", "cyclophosphamide", ("Cytoxan",), ("CYC",), ()),
    ]
)


@dataclass
class Known:
    """A lexicon of given words."""

    frequencies: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    vocabulary: Vocabulary = VOCABULARY

    def frequency(self, term: str) -> int:
        return self.frequencies.get(term, 0)

    def name_words(self, kinds: frozenset[str] | None) -> Mapping[str, int]:
        return self.names


COMMON = dict.fromkeys("lupus nephriti stem cell cord umbil heart valv mesenchym ms children".split(), 50)


def widen(text: str, **known: object) -> tuple[Query, Expansion]:
    options = {name: known.pop(name) for name in ("synonyms", "fuzzy") if name in known}
    expansion = Expansion(Known(**({"frequencies": COMMON} | known)), **options)  # type: ignore[arg-type]
    return expand(parse(text), expansion), expansion


def ways(query: Query) -> list[Way]:
    """Return all ways below a node."""
    own = list(query.ways) if isinstance(query, Best) else []
    return own + [way for part in children(query) for way in ways(part)]


def said(query: Query, how: str) -> list[str]:
    return [way.text for way in ways(query) if way.how == how]


@pytest.mark.parametrize(
    ("typed", "others"),
    [
        ("LN", ["lupus nephritis", "lupus glomerulonephritis"]),
        ("lupus nephritis", ["lupus glomerulonephritis", "LN"]),
        ("Lupus Glomerulonephritis", ["lupus nephritis", "LN"]),
        ("SSc", ["systemic sclerosis", "scleroderma"]),
        ("systemic sclerosis", ["scleroderma", "SSc"]),
        ("scleroderma", ["systemic sclerosis", "SSc"]),
        ("il2", ["aldesleukin"]),
        ("IL-2", ["aldesleukin"]),
        ("interleukin 2", ["aldesleukin"]),
        ("CYC", ["cyclophosphamide", "Cytoxan"]),
        ("IL-12", []),
        ("nephritis", []),
        ("sclerosis", []),
    ],
)
def test_a_name_is_widened_to_the_other_names_both_ways(typed: str, others: list[str]) -> None:
    query, _ = widen(typed)
    assert [name for name in said(query, "synonym") if name not in {"interleukin-2", "IL-2"}] == others


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
    assert (as_name.how, as_name.weight, as_name.part) == ("typed", 1.0, Near(("lupus", "nephriti"), 1))
    assert all(0 < way.weight < 1 for way in others)
    weight = {way.text: way.weight for way in others}
    # Words apart are worth less than another name of the thing.
    assert weight["lupus nephritis"] < weight["LN"] < weight["lupus glomerulonephritis"]


def test_a_short_abbreviation_is_looked_for_in_titles_and_names_alone() -> None:
    query, _ = widen("lupus nephritis")
    (short,) = [way.part for way in ways(query) if way.text == "LN"]
    assert short == In("BasicSearch/headline", Term("ln"))
    query, _ = widen("AREA[DetailedDescription](lupus nephritis)")
    assert "LN" not in said(query, "synonym")


def test_a_name_with_a_hyphen_is_also_met_as_one_word() -> None:
    query, _ = widen("NASH")
    (full,) = [way.part for way in ways(query) if way.how == "synonym"]
    assert isinstance(full, Or)
    assert len(full.parts) == 2
    spelled = [part.terms[0] for part in full.parts if isinstance(part, Near)]
    assert spelled[0] == "non"
    assert spelled[1].startswith("nonalcohol")


def test_the_area_decides_the_kind() -> None:
    query, expansion = widen("intr:MS")
    assert said(query, "synonym") == ["morphine"]
    assert expansion.notes == []
    query, _ = widen("intr:SSc")
    assert said(query, "synonym") == []
    query, _ = widen("cond:MSC")
    assert said(query, "synonym") == []


def test_an_ambiguous_abbreviation_is_not_widened_but_noted() -> None:
    query, expansion = widen("MS")
    assert said(query, "synonym") == []
    (note,) = expansion.notes
    assert note.startswith("MS may mean ")
    assert all(name in note for name in ("multiple sclerosis", "mitral stenosis", "morphine"))


def test_the_rest_of_the_query_decides_an_ambiguous_abbreviation() -> None:
    query, expansion = widen("MS heart valve")
    assert said(query, "synonym") == ["mitral stenosis"]
    assert expansion.notes == ["MS taken as mitral stenosis"]


@pytest.mark.parametrize(
    "text",
    [
        "id:LN",
        "location:LN",
        "sponsor:LN",
        'city:"LN"',
        '"LN"',
        "AREA[LocationCity]cyclofosfamide",
        "id:cyclofosfamide",
        '"cyclofosfamide"',
    ],
)
def test_ids_places_people_and_quotes_are_taken_as_they_are(text: str) -> None:
    query, _ = widen(text, names={"cyclophosphamide": 100})
    assert said(query, "synonym") == []
    assert said(query, "spelling") == []


def test_a_misspelt_name_is_met_and_its_other_names_too() -> None:
    query, expansion = widen("cyclofosfamide", names={"cyclophosphamide": 100})
    assert said(query, "spelling") == ["cyclophosphamide"]
    assert said(query, "synonym") == ["Cytoxan", "CYC"]
    assert expansion.unknown == []
    (spelled,) = [way for way in ways(query) if way.how == "spelling"]
    assert 0 < spelled.weight < 1


def test_a_misspelt_word_of_a_name_of_several_words() -> None:
    query, _ = widen("mesenchimal stem cell", names={"mesenchymal": 100})
    assert "mesenchymal stem cell" in said(query, "spelling")
    assert said(query, "synonym") == ["mesenchymal stromal cell", "MSC"]


def test_nothing_is_bent_inside_not() -> None:
    query, expansion = widen("lupus NOT cyclofosfamide", names={"cyclophosphamide": 100})
    assert said(query, "spelling") == []
    assert isinstance(query, And)
    assert isinstance(query.parts[1], Not)
    # A word that is to be left out and that nothing has needs no other spelling.
    assert expansion.unknown == []


def test_what_a_negated_abbreviation_means_is_noted_all_the_same() -> None:
    _, expansion = widen("lupus NOT MS")
    assert len(expansion.notes) == 1


def test_options_switch_the_help_off() -> None:
    query, _ = widen("LN", synonyms=False)
    assert said(query, "synonym") == []
    query, expansion = widen("cyclofosfamide", names={"cyclophosphamide": 100}, fuzzy=False)
    assert said(query, "spelling") == []
    assert expansion.unknown == [("cyclofosfamide", "BasicSearch")]


def test_a_word_that_the_index_has_is_not_bent() -> None:
    names = {"cyclophosphamide": 100}
    query, _ = widen("cyclofosfamide", names=names, frequencies={"cyclofosfamid": 6})
    assert said(query, "spelling") == []
    # A rare one gives way to a name many times as frequent, and is still asked itself.
    query, _ = widen("cyclofosfamide", names=names, frequencies={"cyclofosfamid": 5})
    assert said(query, "spelling") == ["cyclophosphamide"]
    assert said(query, "typed") == ["cyclofosfamide"]
    query, _ = widen("cyclofosfamide", names={"cyclophosphamide": 99}, frequencies={"cyclofosfamid": 5})
    assert said(query, "spelling") == []


def test_a_word_of_the_vocabulary_is_not_bent() -> None:
    query, _ = widen("aldesleukin", names={"aldesleukine": 1000})
    assert said(query, "spelling") == []


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
    assert query.ways == (Way("typed", "cell of the cord", Near(("cell", "", "", "cord"), 0)),)


def test_the_rest_of_the_tree_stays_as_it_is() -> None:
    tree = parse("phase:2 AND start:2012.. AND NOT ALL AND neph* AND age:34")
    query, _ = widen("phase:2 AND start:2012.. AND NOT ALL AND neph* AND age:34")
    assert query == tree
