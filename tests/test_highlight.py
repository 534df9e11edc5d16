"""Snippets: the right stretch, the right spans, no markup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.analysis import terms, units
from trialsearch.highlight import mark, snippet


def shown(text: str, *words: str) -> str | None:
    """Return the snippet of a text with the words found in brackets."""
    asked = frozenset(
        term for word in words for unit in units(word) for way in unit.alternatives for term in way if term
    )
    piece = snippet("BriefSummary", text, asked)
    return None if piece is None else mark(piece.text, piece.spans, "[", "]")


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("Lupus was treated.", ["lupus"], "[Lupus] was treated."),
        ("Cells and a cell.", ["cell"], "[Cells] and a [cell]."),
        ("Given IL-2 twice, not IL-12.", ["il2"], "Given [IL-2] twice, not IL-12."),
        ("Sjögren’s syndrome", ["sjogren"], "[Sjögren’s] syndrome"),
        ("β-blockers were given", ["beta blocker"], "[β]-[blockers] were given"),
        ("Oedema\n  of   the leg", ["edema"], "[Oedema] of the leg"),
        ("dose \\>= 5 mg of zab", ["zab"], "dose >= 5 mg of [zab]"),
        # A mark that an invisible character parts from its letter must not move the spans after it.
        ("cafe\u200d\u0301 with lupus", ["lupus"], "café with [lupus]"),
        ("Nothing here", ["lupus"], None),
        ("", ["lupus"], None),
    ],
)
def test_what_is_marked(text: str, words: list[str], wanted: str | None) -> None:
    assert shown(text, *words) == wanted


def test_a_long_text_is_cut_at_words_around_the_most_different_terms() -> None:
    text = "filler " * 60 + "zab " + "filler " * 60 + "zab kad " + "filler " * 60
    piece = snippet("BriefSummary", text, frozenset({"zab", "kad"}))
    assert piece is not None
    assert [piece.text[start:end] for start, end in piece.spans] == ["zab", "kad"]
    assert piece.text.startswith("… filler ")
    assert piece.text.endswith(" filler …")
    assert len(piece.text) <= 190


def test_a_word_longer_than_the_window_is_cut_and_ends() -> None:
    piece = snippet("BriefSummary", "zab " + "x" * 500 + " kad", frozenset({"kad"}))
    assert piece is not None
    assert [piece.text[start:end] for start, end in piece.spans] == ["kad"]


@settings(deadline=None)
@given(
    st.text(alphabet="zabkd Il2-β.é\n\\<", max_size=300),
    st.sets(st.sampled_from(["zab", "kad", "il2", "il", "2", "beta"]), min_size=1),
)
def test_spans_lie_in_the_text_apart_and_in_order(text: str, asked: set[str]) -> None:
    piece = snippet("BriefSummary", text, frozenset(asked))
    if piece is not None:
        places = [place for span in piece.spans for place in span]
        assert places == sorted(places)
        assert piece.spans
        assert all(0 <= start < end <= len(piece.text) for start, end in piece.spans)
        assert all(asked & set(terms(piece.text[start:end])) for start, end in piece.spans)
