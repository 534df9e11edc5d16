"""The text of a query tree parses back to the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.dates import Age
from trialindex.errors import QueryError
from trialsearch.parse import parse
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Best,
    Boost,
    Code,
    In,
    Missing,
    Name,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Way,
    Words,
    children,
)

NASTY = st.one_of(
    st.sampled_from(
        """AND OR NOT ALL MISSING RANGE AREA and or RANGE[1,2] AREA[x] AREA[BriefTitle]y phase:2 title:x x: :
        :x
        http://x ( ) (( "q" " \\ \\\\ a\\ \\NOT * ** a* a\\* [ ] ] NOT( SEARCH[Location] β-blocker ü 2..3 -x
        1/2 | , ; ' ’ 漢字 \u200b \x00 AGE: age:34""".split()
    ),
    st.text(alphabet='aZ"\\()[]*:| é\t\nß', min_size=1, max_size=8).filter(lambda text: text.split() != []),
    st.text(min_size=1, max_size=6).filter(lambda text: text.split() != []),
)
TEXTS = st.lists(NASTY, min_size=1, max_size=3).map(lambda words: " ".join(" ".join(words).split()))
WORDS = TEXTS.filter(lambda text: text != "").map(Words)
TEXT_LEAVES = st.one_of(WORDS, TEXTS.map(Phrase), NASTY.map(Prefix))
AREA_LEAVES = st.builds(In, st.sampled_from(["TitleSearch", "BriefTitle", "Exclusion"]), TEXT_LEAVES)
DAYS = st.one_of(st.none(), st.sampled_from(["2012", "2012-02", "2012-02-29"]))
VALUE_LEAVES = st.one_of(
    st.just(All()),
    st.sampled_from(
        [
            Code("Phase", "PHASE2"),
            Code("Phase", "NA"),
            Code("Sex", "ALL"),
            Code("HasResults", "true"),
            Code("OverallStatus", "UNKNOWN"),
            Missing("StartDate"),
            Missing("Phase"),
            Missing("BriefTitle"),
            AgeIs(Age(34.0, "year")),
            AgeIs(Age(6.0, "month")),
            AgeIs(Age(1.5, "week")),
            Range("MinimumAge", "16 Years", None),
            Range("EnrollmentCount", None, "100"),
        ]
    ),
    st.builds(Name, st.just("Country"), TEXTS.map(lambda t: t.replace("|", "")).filter(str.strip)).map(
        lambda name: Name(name.field, " ".join(name.name.split()))
    ),
    st.builds(Range, st.just("StartDate"), DAYS, DAYS),
)
LEAVES = st.one_of(TEXT_LEAVES, AREA_LEAVES, VALUE_LEAVES)


def _flat(kind: type[And] | type[Or], parts: list[Query]) -> Query:
    """Join parts as the parser does: no And in an And, no Or in an Or."""
    joined = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    return kind(tuple(joined))


TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, min_size=2, max_size=3).map(lambda parts: _flat(And, parts)),
        st.lists(below, min_size=2, max_size=3).map(lambda parts: _flat(Or, parts)),
        below.map(Not),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(TREES)
def test_the_text_of_a_tree_parses_to_the_tree(tree: Query) -> None:
    assert parse(str(tree)) == tree


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(NASTY, max_size=8).map(" ".join), st.text(max_size=40)))
def test_any_text_parses_or_is_refused_and_what_parses_prints_to_itself(text: str) -> None:
    try:
        tree = parse(text)
    except QueryError:
        return
    assert parse(str(tree)) == tree


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Words("lupus nephritis"), "lupus nephritis"),
        (Words("ALL"), "\\ALL"),
        (Words("title:x"), "\\title:x"),
        (Phrase('a "b"'), '"a \\"b\\""'),
        (Prefix("neph"), "neph*"),
        (Words("neph*"), "neph\\*"),
        (And((Words("a"), Or((Words("b"), Words("c"))))), "a AND (b OR c)"),
        (Or((And((Words("a"), Words("b"))), Words("c"))), "a AND b OR c"),
        (Not(Or((Words("a"), Words("b")))), "NOT (a OR b)"),
        (In("BriefTitle", Words("a b")), "AREA[BriefTitle](a b)"),
        (Name("Country", "United States"), 'AREA[Country]"United States"'),
        (Range("StartDate", None, "2012"), "AREA[StartDate]RANGE[MIN, 2012]"),
        (AgeIs(Age(6.0, "month")), 'age:"6 Months"'),
    ],
)
def test_how_nodes_are_written(tree: Query, text: str) -> None:
    assert str(tree) == text


def test_what_was_widened_shows_its_ways() -> None:
    best = Best(
        "LN",
        (
            Way("typed", "LN", Term("ln")),
            Way("synonym", "lupus nephritis", Near(("lupus", "nephriti")), 0.9),
            Way("spelling", "LNN", Term("lnn"), 0.7),
        ),
    )
    assert str(best) == "LN [=lupus nephritis; ~LNN]"
    assert str(Near(("qualiti", "", "life"))) == '"qualiti … life"'


def test_nodes_are_frozen_and_hashed_by_value() -> None:
    assert len({Words("a"), Words("a"), Words("b")}) == 2
    with pytest.raises(AttributeError):
        Words("a").text = "b"  # type: ignore[misc]


def test_children_are_the_parts_and_the_ways() -> None:
    a, b = Term("a"), Term("b")
    assert list(children(And((a, b)))) == [a, b]
    assert list(children(Or((a, b)))) == [a, b]
    assert list(children(Not(a))) == [a]
    assert list(children(In("BriefTitle", a))) == [a]
    assert list(children(Boost(a, 2.0))) == [a]
    assert list(children(Best("a", (Way("typed", "a", a), Way("synonym", "b", b))))) == [a, b]
    assert list(children(Words("a"))) == []
