"""Text to tree: the language, its errors with their places, and hostile input."""

from __future__ import annotations

import contextlib
import time

import pytest

from trialindex.dates import Age
from trialindex.errors import QueryError, QuerySyntaxError
from trialsearch.parse import age_query, code_query, conjunction, parse, range_query
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Code,
    In,
    Missing,
    Name,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Words,
)

A, B, C = Words("a"), Words("b"), Words("c")
PHASE1, PHASE2 = Code("Phase", "PHASE1"), Code("Phase", "PHASE2")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", All()),
        ("   ", All()),
        ("ALL", All()),
        ("lupus  nephritis ", Words("lupus nephritis")),
        ("relapsed ALL", Words("relapsed ALL")),
        ("ALL relapsed", Words("ALL relapsed")),
        ("a AND b OR c", Or((And((A, B)), C))),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("(a OR b) AND c", And((Or((A, B)), C))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a (b c)", And((A, Words("b c")))),
        ("a AND (b AND c)", And((A, B, C))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND NOT b", And((A, Not(B)))),
        ("NOT NOT a", Not(Not(A))),
        ("NOT a b", Not(Words("a b"))),
        ("a and b or c not d", Words("a and b or c not d")),
        ("\\AND", Words("AND")),
        ("\\(a\\)", Words("(a)")),
        ('"a  b" c', And((Phrase("a b"), C))),
        ('"AND"', Phrase("AND")),
        ('"a \\"b\\""', Phrase('a "b"')),
        ("neph*", Prefix("neph")),
        ("a neph* b", And((A, Prefix("neph"), B))),
        ("neph\\*", Words("neph*")),
        ("*", Words("*")),
        ("10:30", Words("10:30")),
        ("title:a b", And((In("TitleSearch", A), B))),
        ("TITLE:a", In("TitleSearch", A)),
        ("brieftitle:a", In("BriefTitle", A)),
        ("title:(a OR b)", Or((In("TitleSearch", A), In("TitleSearch", B)))),
        ("title:(a b)", In("TitleSearch", Words("a b"))),
        ('title:"a b"', In("TitleSearch", Phrase("a b"))),
        ("title:neph*", In("TitleSearch", Prefix("neph"))),
        ("title:ALL", In("TitleSearch", Words("ALL"))),
        ("NOT title:a", Not(In("TitleSearch", A))),
        ("title:(a OR cond:b)", Or((In("TitleSearch", A), In("ConditionSearch", B)))),
        ("AREA[BriefTitle]a b", In("BriefTitle", Words("a b"))),
        ("AREA[BriefTitle] a", In("BriefTitle", A)),
        ("AREA[BriefTitle](NOT a)", Not(In("BriefTitle", A))),
        ("AREA[StartDate]RANGE[2012, MAX]", Range("StartDate", "2012", None)),
        ("AREA[StartDate]RANGE[01/15/2015, 2016-02]", Range("StartDate", "2015-01-15", "2016-02")),
        ("AREA[MinimumAge]RANGE[6 months, 1 year]", Range("MinimumAge", "6 Months", "1 Year")),
        ("AREA[EnrollmentCount]RANGE[MIN, 100]", Range("EnrollmentCount", None, "100")),
        ("AREA[ResultsFirstPostDate]MISSING", Missing("ResultsFirstPostDate")),
        ("NOT AREA[Phase]MISSING", Not(Missing("Phase"))),
        ("AREA[Sex]ALL", Code("Sex", "ALL")),
        ("sex:ALL", Code("Sex", "ALL")),
        ("AREA[Phase](PHASE1 OR PHASE2)", Or((PHASE1, PHASE2))),
        ("phase:2 asthma", And((PHASE2, Words("asthma")))),
        ("phase:1/2", And((PHASE1, PHASE2))),
        ("phase:1,2", Or((PHASE1, PHASE2))),
        ("phase:II", PHASE2),
        ('phase:"Phase 2"', PHASE2),
        (
            "status:recruiting,completed",
            Or((Code("OverallStatus", "RECRUITING"), Code("OverallStatus", "COMPLETED"))),
        ),
        (
            "status:recruiting|completed",
            Or((Code("OverallStatus", "RECRUITING"), Code("OverallStatus", "COMPLETED"))),
        ),
        ('status:"Active, not recruiting"', Code("OverallStatus", "ACTIVE_NOT_RECRUITING")),
        (
            'status:"completed, Active, not recruiting"',
            Or((Code("OverallStatus", "COMPLETED"), Code("OverallStatus", "ACTIVE_NOT_RECRUITING"))),
        ),
        ("start:2012..2013-06", Range("StartDate", "2012", "2013-06")),
        ("start:..2012", Range("StartDate", None, "2012")),
        ("start:2012..", Range("StartDate", "2012", None)),
        ("start:2012-02", Range("StartDate", "2012-02", "2012-02")),
        ("enrollment:10..20", Range("EnrollmentCount", "10", "20")),
        ("age:34", AgeIs(Age(34.0, "year"))),
        ('AGE:"6 months"', AgeIs(Age(6.0, "month"))),
        ("results:yes", Code("HasResults", "true")),
        ("results:no", Code("HasResults", "false")),
        ("country:France", Name("Country", "France")),
        ('country:"United  States"', Name("Country", "United States")),
        ("country:France|Spain", Or((Name("Country", "France"), Name("Country", "Spain")))),
        ("type:interventional", Code("StudyType", "INTERVENTIONAL")),
    ],
)
def test_what_a_text_asks(text: str, tree: Query) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("lupus AND", 9, "nothing follows AND"),
        ("lupus OR ", 8, "nothing follows OR"),
        ("lupus AND OR x", 10, "nothing follows AND"),
        ("AND lupus", 0, "an operand is missing here"),
        ("NOT", 3, "nothing follows NOT"),
        ("(lupus", 0, "never closed: add )"),
        ("lupus (a (b)", 6, "never closed: add )"),
        ("lupus)", 5, "closes nothing: delete it"),
        ("a () b", 3, "an operand is missing here"),
        ('a "b c', 2, 'never closed: add a second "'),
        ('a "b\\', 2, 'never closed: add a second "'),
        ('a "b\\"', 2, 'never closed: add a second "'),
        ("AREA[BriefTitle", 0, "never closed: add ]"),
        ("AREA[BriefTitle]", 16, "nothing follows AREA[BriefTitle]"),
        ("AREA[StartDate]RANGE[2012", 15, "never closed: add ]"),
        ("AREA[StartDate]RANGE[2012]", 15, "two bounds: RANGE[2012-01, MAX]"),
        ("RANGE[1, 2]", 0, "needs a field before it: AREA[StartDate]"),
        ("MISSING", 0, "needs a field before it: AREA["),
        ("AREA[TitleSearch]MISSING", 17, "needs a field before it"),
        ("lupus title:NOT", 15, "nothing follows NOT"),
        ("age:(3)", 0, "age:34"),
        ("a SEARCH[Location](x)", 2, "SEARCH[...] cannot be asked here: leave it out"),
        ("EXPANSION[None]x", 0, "EXPANSION[...] cannot be asked here"),
    ],
)
def test_a_syntax_error_names_the_place_and_the_remedy(text: str, position: int, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    first, shown, caret = str(caught.value).split("\n")
    assert message in first
    assert (caught.value.query, caught.value.position) == (text, position)
    assert shown == "  " + text
    assert caret.index("^") == position + 2


def test_the_caret_of_a_long_query_stands_under_the_place() -> None:
    text = "word " * 100 + ") tail " + "word " * 100
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    _, shown, caret = str(caught.value).split("\n")
    assert text[caught.value.position] == ")" == shown[caret.index("^")]
    assert len(shown) <= 102


def test_a_line_break_does_not_break_the_caret() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse("a\nb\t) c")
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^")] == ")"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("titel:lupus", ["'titel'", "title", "\\titel:"]),
        ("AREA[BreifTitle]lupus", ["'BreifTitle'", "BriefTitle"]),
        ("xyzzy:lupus", ["'xyzzy'", "title", "phase"]),
        ("http://example.org", ["'http'", "\\http:"]),
        ("phase:5", ["no phase '5'", "PHASE1", "PHASE4", "EARLY_PHASE1"]),
        ("status:open", ["no status 'open'", "RECRUITING", "COMPLETED"]),
        ("sex:x", ["no sex 'x'", "FEMALE, MALE, ALL"]),
        ("type:x", ["no type 'x'", "INTERVENTIONAL"]),
        ("results:maybe", ["'maybe'", "yes, no"]),
        ("status:recruiting,open", ["no status", "open", "COMPLETED"]),
        ("start:soon", ["'soon' is no date", "2012-02"]),
        ("start:2012-02-30", ["'2012-02-30' is no date"]),
        ("enrollment:many", ["'many' is no number"]),
        ("enrollment:-5", ["'-5' is no number"]),
        ("MinimumAge:old", ["'old' is no age", "16 years"]),
        ("age:old", ["'old' is no age", "34, or 6 months"]),
        ("AREA[BriefTitle]RANGE[1, 2]", ["BriefTitle has no order"]),
        ("AREA[TitleSearch]RANGE[1, 2]", ["TitleSearch has no order"]),
        ("AREA[Phase]RANGE[1, 2]", ["Phase has no order"]),
        ('country:""', ["Country needs a name"]),
        ("country:|", ["Country needs a name"]),
        ("phase:5*", ["no phase"]),
    ],
)
def test_a_wrong_name_or_value_is_refused_with_the_right_ones(text: str, parts: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    for part in parts:
        assert part in str(caught.value)


def test_limits() -> None:
    assert parse("a " * 2000) == Words(" ".join(["a"] * 2000))
    with pytest.raises(QueryError, match=r"4,001 characters; at most 4,000"):
        parse("a" * 4001)
    assert parse("(" * 60 + "a" + ")" * 60) == A
    with pytest.raises(QuerySyntaxError, match="more than 64 levels"):
        parse("(" * 70 + "a" + ")" * 70)
    with pytest.raises(QuerySyntaxError, match="more than 64 levels"):
        parse("NOT " * 70 + "a")
    # Side by side is no depth.
    assert len(parse('("a") ' * 500).parts) == 500  # type: ignore[union-attr]


PIECES = [
    '"', "\\", "\\\\", "(", ")", "((", "*", "**", "a*", "[", "]", ":", "a:", "a:a", "phase:", "phase:1/2 ",
    "phase:1,", "NOT ", "AND ", "OR ", "a OR ", "a NOT ", "AREA[", "AREA[x", "RANGE[", "AREA[Phase]", '"a',
    '\\"', '"\\', "\t", "\n", " ", "\x00", "ü", "é", "漢", "\u200b", "a", "1", "1,", "1 ", "..", "start:..",
    "country:a|", "status:recruiting,", "age:", 'age:"', "MISSING ", "ALL ", "\\ ", "-", "'", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_repetition_is_parsed_or_refused_in_linear_time(piece: str) -> None:
    text = (piece * 4000)[:4000]
    started = time.process_time()
    with contextlib.suppress(QueryError):
        parse(text)
    # Work that grows with the square of the length takes far longer; the bound is no measure of speed.
    assert time.process_time() - started < 3


def test_values_by_themselves() -> None:
    assert code_query("Phase", "Phase 1/Phase 2") == And((PHASE1, PHASE2))
    assert code_query("Phase", "1,1") == PHASE1
    assert range_query("StartDate", "MIN", "*") == Range("StartDate", None, None)
    assert age_query(" 34 ") == AgeIs(Age(34.0, "year"))
    assert conjunction([]) == All()
    assert conjunction([A]) == A
    assert conjunction([And((A, B)), C]) == And((A, B, C))
    with pytest.raises(QueryError):
        code_query("Phase", "")
    with pytest.raises(QueryError):
        age_query("-3")
