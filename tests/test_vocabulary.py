"""Concepts are found by each of their names, in any case, and the longest name wins."""

from __future__ import annotations

import pytest

from trialindex.analysis import normal_words
from trialindex.vocabulary import Concept, Vocabulary, read_concepts, shipped


def concept(preferred: str, *names: str, short: tuple[str, ...] = (), kind: str = "condition") -> Concept:
    return Concept(kind, preferred, names, short, ())


SMALL = Vocabulary(
    [
        concept("lupus"),
        concept("lupus nephritis", "lupus glomerulonephritis", short=("LN",)),
        concept("multiple sclerosis", short=("MS",)),
        concept("mitral stenosis", short=("MS",)),
        concept("mesenchymal stem cells", short=("MSC",), kind="intervention"),
        concept("interleukin-2", short=("IL-2",), kind="intervention"),
        concept("polycystic ovary syndrome", short=("PCOS",)),
        concept("oesophageal tumour"),
    ]
)


@pytest.mark.parametrize(
    ("name", "preferred"),
    [
        ("Lupus  NEPHRITIS", ["lupus nephritis"]),
        ("lupus glomerulonephritis", ["lupus nephritis"]),
        ("LN", ["lupus nephritis"]),
        ("ln", ["lupus nephritis"]),
        ("MSCs", ["mesenchymal stem cells"]),
        ("mesenchymal stem cell", ["mesenchymal stem cells"]),
        ("IL 2", ["interleukin-2"]),
        ("il2", ["interleukin-2"]),
        ("interleukin 2", ["interleukin-2"]),
        ("pcos", ["polycystic ovary syndrome"]),
        ("esophageal tumors", ["oesophageal tumour"]),
        ("MS", ["multiple sclerosis", "mitral stenosis"]),
        ("IL-12", []),
        ("nephritis", []),
        ("lupus nephritis trial", []),
        ("", []),
        ("of the", []),
    ],
)
def test_names(name: str, preferred: list[str]) -> None:
    assert [one.preferred for one in SMALL.named(name)] == preferred


def test_the_longest_name_at_a_place() -> None:
    words = normal_words("active lupus nephritis and lupus, multiple sclerosis")
    assert words == ("activ", "lupus", "nephriti", "lupus", "multipl", "sclerosi")
    found = [SMALL.longest_match(words, start) for start in range(len(words))]
    assert [(size, [one.preferred for one in concepts]) for size, concepts in found] == [
        (0, []),
        (2, ["lupus nephritis"]),
        (0, []),
        (1, ["lupus"]),
        (2, ["multiple sclerosis"]),
        (0, []),
    ]
    assert SMALL.longest_match((), 0) == (0, ()) and SMALL.longest_match(("lupus",), 5) == (0, ())
    assert Vocabulary([]).longest_match(("lupus",), 0) == (0, ())


def test_ambiguous_names_and_abbreviations() -> None:
    assert SMALL.is_ambiguous("ms") and not SMALL.is_ambiguous("LN") and not SMALL.is_ambiguous("unheard of")
    (nephritis,) = SMALL.named("LN")
    assert SMALL.is_abbreviation(nephritis, "ln") and not SMALL.is_abbreviation(nephritis, "lupus nephritis")
    assert not SMALL.is_abbreviation(nephritis, "MS")


def test_words_of_names_are_known_in_any_number_and_spelling() -> None:
    for word in ("glomerulonephritis", "nephritis", "sclerosis", "scleroses", "pcos", "ln"):
        assert SMALL.knows(word)
    for word in ("sclerosing", "glomerulonephrits", "unheard", ""):
        assert not SMALL.knows(word)


def test_what_is_kept_by_first_letters_is_found_as_if_all_names_were_compared() -> None:
    vocabulary = shipped()
    every: dict[tuple[str, ...], set[Concept]] = {}
    for concept in vocabulary.concepts:
        for name in (*concept.full_names, *concept.abbreviations):
            every.setdefault(normal_words(name), set()).add(concept)
    assert len(every) > 2000
    for key, concepts in every.items():
        assert vocabulary.longest_match(key, 0)[0] == len(key)
        assert set(vocabulary.longest_match(key, 0)[1]) == concepts
    assert len(vocabulary.longest_match(("zab", "kad"), 0)[1]) == 0


def test_a_table_is_read_as_it_stands() -> None:
    head = "# a note\nkind\tpreferred\tnames\tabbreviations\tbroader\n"
    text = f"{head}condition\tgout\t\tG|GT\tarthritis\ncondition\tflu\n"
    assert read_concepts(text) == [
        Concept("condition", "gout", (), ("G", "GT"), ("arthritis",)),
        Concept("condition", "flu", (), (), ()),
    ]


def test_every_shipped_concept_is_found_by_each_of_its_names_in_any_case() -> None:
    vocabulary = shipped()
    assert len(vocabulary.concepts) > 700
    missed = [
        (one.preferred, name, written)
        for one in vocabulary.concepts
        for name in (*one.full_names, *one.abbreviations)
        for written in (name, name.upper(), name if name != name.lower() else name.capitalize())
        if one not in vocabulary.named(written)
    ]
    assert missed == []


# Written small, these are words of the language, or plurals of them: they have to come in capitals.
IN_CAPITALS = {"ALL", "AS"}


def test_abbreviations_in_small_letters() -> None:
    vocabulary = shipped()
    missed = {
        name
        for one in vocabulary.concepts
        for name in one.abbreviations
        if one not in vocabulary.named(name.lower())
    }
    assert missed <= IN_CAPITALS


def test_every_full_name_is_found_in_small_letters_and_in_a_longer_query() -> None:
    vocabulary = shipped()
    missed = []
    for one in vocabulary.concepts:
        for name in one.full_names:
            words = normal_words(f"refractory {name.lower()}")
            size, found = vocabulary.longest_match(words, 1)
            if size != len(words) - 1 or one not in found:
                missed.append((one.preferred, name))
    assert [row for row in missed if row[1].lower() == row[1]] == []


def test_no_broader_concept_is_unknown() -> None:
    vocabulary = shipped()
    assert [
        (one.preferred, above)
        for one in vocabulary.concepts
        for above in one.broader
        if not vocabulary.named(above)
    ] == []
