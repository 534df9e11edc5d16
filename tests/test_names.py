"""A name as a query: how an index may hold it, and of several names which to ask."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trialindex import analysis
from trialsearch import names as names_module
from trialsearch.names import Form, form_query, forms, name_query, shortest, typed_forms
from trialsearch.query import Near, Or, Query, Term


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("Lupus", [("lupus",)]),
        ("Lupus Nephritis", [("lupus", "nephriti")]),
        ("IL 2", [("il2",)]),
        ("Interleukin 2", [("interleukin2",)]),
        ("quality of life", [("qualiti", "", "life")]),
        ("non-small cell", [("non", "small", "cell"), ("nonsmal", "cell")]),
        ("anti-inflammatory drug", [("anti", "inflammatori", "drug"), ("antiinflammatori", "drug")]),
        # At its ends a function word holds no place.
        ("the lupus nephritis", [("lupus", "nephriti")]),
        ("of the", []),
        ("", []),
        ("-", []),
    ],
)
def test_how_an_index_may_hold_a_name(name: str, held: list[Form]) -> None:
    assert list(forms(name)) == held


@pytest.mark.parametrize(
    ("name", "slop", "query"),
    [
        ("Lupus", 1, Term("lupus")),
        ("Lupus Nephritis", 1, Near(("lupus", "nephriti"), 1, "non")),
        ("Lupus Nephritis", 0, Near(("lupus", "nephriti"), 0, "non")),
        (
            "non-small cell",
            0,
            Or((Near(("non", "small", "cell"), 0, "non"), Near(("nonsmal", "cell"), 0, "non"))),
        ),
        ("of the", 1, None),
    ],
)
def test_the_query_of_a_name(name: str, slop: int, query: Query | None) -> None:
    assert name_query(name, slop) == query


def test_the_words_of_one_form_as_typed() -> None:
    assert form_query(("lupus", "nephriti")) == Near(("lupus", "nephriti"))
    assert form_query(("lupus",), 3, "non") == Term("lupus")


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["lupus nephritis", "lupus"], ["lupus"]),
        (["nephritis", "lupus"], ["lupus", "nephritis"]),
        (["nephritis of lupus", "lupus nephritis"], ["lupus nephritis", "nephritis of lupus"]),
        # A part of a word is no part of a name.
        (["lupuslike", "lupus"], ["lupus", "lupuslike"]),
        (["lupus nephritis", "Lupus  Nephritis", "LUPUS NEPHRITIS"], ["lupus nephritis"]),
        (["of the", "", "-"], []),
        ([], []),
    ],
)
def test_names_that_contain_another_are_left_out(names: list[str], kept: list[str]) -> None:
    assert list(shortest(names)) == kept


WORDS = st.lists(st.sampled_from("zab zob kad kod".split()), min_size=1, max_size=4).map(" ".join)


@given(st.lists(WORDS, max_size=8))
def test_every_name_left_out_contains_one_that_is_kept(names: list[str]) -> None:
    kept = list(shortest(names))

    def contains(name: str, other: str) -> bool:
        return f" {other} " in f" {name} "

    assert set(kept) <= set(names)
    assert all(any(contains(name, one) for one in kept) for name in names)
    assert not any(one is not other and contains(one, other) for one in kept for other in kept)


CHUNKS = st.sampled_from("lupus (GOUT) of the SARS sarses aids Crohn's follow-up IL-2 IL 2 a II".split())


@given(st.lists(CHUNKS, max_size=5).map(" ".join))
@example("SARS sarses")
@example("the aids")
@example("of lupus of")
def test_words_that_are_read_alone_have_the_forms_that_all_text_has(text: str) -> None:
    quick = forms(text), typed_forms(text)
    with (
        patch.object(analysis, "lone_words", return_value=None),
        patch.object(names_module, "lone_words", return_value=None),
    ):
        assert quick == (forms.__wrapped__(text), typed_forms.__wrapped__(text))
