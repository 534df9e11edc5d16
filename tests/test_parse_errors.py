"""What is no query: each error with its place and its remedy, the limits, and hostile text."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.errors import QueryError, QuerySyntaxError
from trialsearch.lexing import syntax_error
from trialsearch.lines import columns
from trialsearch.parse import parse
from trialsearch.query import Query, Words, children

# (text, where the caret stands, what the message says)
GRAMMAR = [
    ("lupus AND", 9, "nothing follows AND"),
    ("lupus OR ", 8, "nothing follows OR"),
    ("lupus AND OR x", 10, "nothing follows AND"),
    ("AND lupus", 0, "an operand is missing here"),
    ("OR", 0, "an operand is missing here"),
    ("NOT", 3, "nothing follows NOT"),
    ("NOT AND a", 4, "nothing follows NOT"),
    ("(lupus", 0, "never closed: add )"),
    ("lupus (a (b)", 6, "never closed: add )"),
    ("lupus)", 5, "closes nothing: delete it"),
    ("a () b", 3, "an operand is missing here"),
    ("(a OR)", 5, "nothing follows OR"),
    ('a "b c', 2, 'never closed: add a second "'),
    ('a "b\\', 2, 'never closed: add a second "'),
    ('a "b\\"', 2, 'never closed: add a second "'),
    ("AREA[BriefTitle", 0, "the bracket of AREA is never closed: add ]"),
    ("a SEARCH[Location", 2, "the bracket of SEARCH is never closed: add ]"),
    ("AREA[StartDate]RANGE[2012", 15, "the bracket of RANGE is never closed: add ]"),
    ("AREA[BriefTitle]", 16, "nothing follows AREA[BriefTitle]"),
    ("AREA[BriefTitle] AND a", 17, "nothing follows AREA[BriefTitle]"),
    ("SEARCH[Location]", 16, "nothing follows SEARCH[Location]"),
    ("(EXPANSION[None])", 16, "nothing follows EXPANSION[None]"),
    ("COVERAGE[Contains]", 18, "nothing follows COVERAGE[Contains]"),
    ("TILT[StartDate]", 15, "nothing follows TILT[StartDate]"),
    ("AREA [Phase]PHASE2", 5, "no space stands before [: write AREA[...], or \\AREA for the word"),
    ("a AND SEARCH  [Location](x)", 14, "no space stands before [: write SEARCH[...]"),
    ("AREA[StartDate]RANGE [2012, MAX]", 21, "no space stands before [: write RANGE[...]"),
    ("area[Phase]PHASE2", 0, "in capitals: AREA[...]; for the text itself, area\\["),
    ("a Expansion[None]b", 2, "in capitals: EXPANSION[...]"),
    ("AREA[StartDate]RANGE[2012]", 15, "two bounds: RANGE[2012-01, MAX]"),
    ("RANGE[1, 2]", 0, "needs a field before it: AREA[StartDate]"),
    ("MISSING", 0, "needs a field before it: AREA[ResultsFirstPostDate]MISSING; for the word, \\MISSING"),
    ("data MISSING", 5, "needs a field before it"),
    ("AREA[TitleSearch]MISSING", 17, "TitleSearch is an area of several: AREA[Acronym]MISSING"),
    ("AREA[BriefTitle]a MISSING", 18, "needs a field before it"),
    ("DISTANCE[1,1,1mi]", 0, "AREA[LocationGeoPoint]DISTANCE["),
    ("AREA[LocationCity]DISTANCE[1,1,1mi]", 18, "DISTANCE needs AREA[LocationGeoPoint] before it"),
    ("lupus title:NOT", 15, "nothing follows NOT"),
    ("age:(3)", 0, "age:34"),
]

NAMES = [
    ("titel:lupus", 0, "'titel'; the nearest: title"),
    ("titel:lupus", 0, "(to search for the text itself: \\titel:...)"),
    ("a AREA[BreifTitle]lupus", 2, "'BreifTitle'; the nearest: BriefTitle"),
    ("xyzzy:lupus", 0, "'xyzzy'"),
    ("http://example.org", 0, "\\http:"),
    ("AREA[]a", 0, "no field or area ''"),
    ("SEARCH[Locatoin]a", 0, "no SEARCH 'Locatoin'; the nearest: Location; one of Location, Study"),
    ("a EXPANSION[Concpt]b", 2, "no EXPANSION 'Concpt'; the nearest: Concept; one of None, Term,"),
    ("EXPANSION[Wide]b", 0, "no EXPANSION 'Wide'; one of None, Term, Concept, Relaxation, Lossy"),
    ("COVERAGE[Full]a", 0, "the nearest: FullMatch; one of FullMatch, StartsWith, EndsWith, Contains"),
    ("TILT[StratDate]a", 0, "'StratDate'; the nearest: StartDate"),
    ("TILT[Phase]a", 0, "Phase has no order: TILT goes with dates and numbers, TILT[StudyFirstPostDate]"),
    ("TILT[BasicSearch]a", 0, "BasicSearch has no order"),
    ("TILT[LocationGeoPoint]a", 0, "LocationGeoPoint has no order"),
]

TOGETHER = [
    ("EXPANSION[Lossy]COVERAGE[Contains]a", 16, "Lossy goes with no COVERAGE"),
    ("COVERAGE[Contains]EXPANSION[Lossy]a", 18, "Lossy goes with no COVERAGE"),
    ("EXPANSION[Lossy](a OR COVERAGE[FullMatch]b)", 22, "Lossy goes with no COVERAGE"),
    (
        "COVERAGE[FullMatch]EXPANSION[Relaxation]a",
        19,
        "COVERAGE[FullMatch] goes with EXPANSION None, Term or",
    ),
    ('EXPANSION[Relaxation]COVERAGE[StartsWith]"a"', 21, "COVERAGE[StartsWith] goes with EXPANSION None"),
    ("COVERAGE[EndsWith](a OR EXPANSION[Relaxation]b)", 24, "COVERAGE[EndsWith] goes with EXPANSION None"),
    ("EXPANSION[Lossy]COVERAGE[FullMatch]AREA[Phase]PHASE2", 16, "Lossy goes with no COVERAGE"),
    ("EXPANSION[Lossy]COVERAGE[FullMatch]title:a", 16, "Lossy goes with no COVERAGE"),
    ("SEARCH[Location]AREA[BriefTitle]a", 16, "BriefTitle is no field of a site: SEARCH[Location] takes Loc"),
    ("SEARCH[Location](AREA[OverallStatus]Recruiting)", 17, "LocationStatus"),
    ("SEARCH[Location](Boston AND phase:2)", 28, "Phase is no field of a site"),
    ("SEARCH[Location](AREA[CentralContactName]x)", 17, "CentralContactName is no field of a site"),
    ("SEARCH[Location](age:34)", 17, "an age is no field of a site"),
    ("SEARCH[Location]TILT[StartDate]a", 16, "StartDate is no field of a site"),
    ("SEARCH[Location](a AND SEARCH[Study]b)", 23, "SEARCH[Study] cannot stand inside SEARCH[Location]"),
    ("SEARCH[Location]MISSING", 16, "LocationSearch is an area of several"),
]

VALUES = [
    ("asthma phase:5", 13, "no phase '5'; one of NA, EARLY_PHASE1, PHASE1, PHASE2, PHASE3, PHASE4"),
    ("AREA[Phase]PHASE5", 11, "no phase 'PHASE5'; one of NA"),
    ("AREA[Phase](PHASE2 OR asthma)", 22, "no phase 'asthma'"),
    ("AREA[Phase](PHASE2 asthma)", 19, "no phase 'asthma'"),
    ("phase:5*", 6, "no phase '5*'"),
    ("status:open", 7, "no status 'open'; one of NOT_YET_RECRUITING, RECRUITING"),
    ("status:recruiting,open", 7, "no status 'open'"),
    ("sex:x", 4, "no sex 'x'; one of FEMALE, MALE, ALL"),
    ("type:x", 5, "no type 'x'; one of INTERVENTIONAL"),
    ("results:maybe", 8, "no HasResults 'maybe'; one of yes, no"),
    ('AREA[StdAge]""', 12, "no age group ''; one of CHILD, ADULT, OLDER_ADULT"),
    ("start:soon", 6, "'soon' is no date: write 2012, 2012-02 or 2012-02-29"),
    ("start:2012-02-30", 6, "'2012-02-30' is no date"),
    ("AREA[StartDate]RANGE[2012, soon]", 15, "'soon' is no date"),
    ("AREA[StartDate]RANGE[2012, 2013, 2014]", 15, "'2013, 2014' is no date"),
    ("AREA[StartDate]RANGE[2013, 2012]", 15, "ends before it begins: turned round it is [2012, 2013]"),
    ("start:2012-07..2012-06", 6, "turned round it is [2012-06, 2012-07]"),
    ("AREA[MinimumAge]RANGE[1 year, 6 months]", 16, "turned round it is [6 Months, 1 Year]"),
    ("AREA[EnrollmentCount]RANGE[100, 9]", 21, "turned round it is [9, 100]"),
    ("AREA[StartDate]RANGE[MAX, 2012]", 15, "MIN is the open end below"),
    ("AREA[StartDate]RANGE[2012, min]", 15, "MAX the one above"),
    ("AREA[EnrollmentCount]RANGE[MAX, MIN]", 21, "MIN is the open end below"),
    ("enrollment:many", 11, "'many' is no number: write 100, 2.5 or -3"),
    ("AREA[EnrollmentCount]RANGE[1e3, MAX]", 21, "'1e3' is no number"),
    ("AREA[EnrollmentCount]RANGE[nan, MAX]", 21, "'nan' is no number"),
    ("MinimumAge:old", 11, "'old' is no age: write 16 years or 6 months"),
    ("AREA[MinimumAge]RANGE[16 parsecs, MAX]", 16, "'16 parsecs' is no age"),
    ("age:old", 4, "'old' is no age: write 34, or 6 months"),
    ("AREA[BriefTitle]RANGE[1, 2]", 16, "BriefTitle has no order"),
    ("AREA[TitleSearch]RANGE[1, 2]", 17, "TitleSearch has no order"),
    ("AREA[Phase]RANGE[1, 2]", 11, "Phase has no order"),
    ("AREA[LocationGeoPoint]RANGE[1, 2]", 22, "LocationGeoPoint has no order"),
    ("AREA[LocationGeoPoint]Boston", 22, "is a point: AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50mi]"),
    ("AREA[ResultsSection]a", 20, "it can only be MISSING (AREA[ResultsSection]MISSING)"),
    ('country:""', 8, "Country needs a name"),
    ("country:|", 8, "Country needs a name"),
    ("AREA[LocationGeoPoint]DISTANCE[42.36,50mi]", 22, "'42.36,50mi' is no circle: write latitude"),
    ("AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50]", 22, "50mi or 80km"),
    ("AREA[LocationGeoPoint]DISTANCE[91,0,50mi]", 22, "degrees go from -90 to 90"),
    ("AREA[LocationGeoPoint]DISTANCE[0,-180.1,50mi]", 22, "from -180 to 180"),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,501mi]", 22, "a radius is 1 to 500 miles"),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,0.9mi]", 22, "a radius is 1 to 500 miles"),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,805km]", 22, "a radius is 1 to 500 miles"),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,1.6km]", 22, "a radius is 1 to 500 miles"),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,-5mi]", 22, "a radius is 1 to 500 miles"),
]

EVERY = [*GRAMMAR, *NAMES, *TOGETHER, *VALUES]


@pytest.mark.parametrize(("text", "position", "message"), EVERY)
def test_an_error_names_the_place_and_the_remedy(text: str, position: int, message: str) -> None:
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


@pytest.mark.parametrize(
    "before", ["a\nb\t", "狼瘡 ", "e\u0301te\u0301 ", "\x1b[31m", "\u200b\u202e", "ｗ" * 90]
)
def test_the_caret_counts_columns(before: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(before + ") c")
    _, shown, caret = str(caught.value).split("\n")
    left, _, _ = shown.partition(")")
    assert columns(left) == caret.index("^")
    assert shown.endswith(") c") and "\x1b" not in shown and "\t" not in shown
    assert columns(shown) <= 104


def test_the_end_of_a_text_can_be_shown() -> None:
    assert str(syntax_error("x", "", 0)) == "x\n  \n  ^"
    assert str(syntax_error("x", "ab", 2)) == "x\n  ab\n    ^"


def test_long_values_are_shown_by_their_beginning() -> None:
    for text in ("phase:" + "x" * 3000, f"AREA[{'x' * 3000}]a", f"EXPANSION[{'x' * 3000}]a"):
        with pytest.raises(QuerySyntaxError) as caught:
            parse(text)
        assert len(str(caught.value)) < 1500


def test_limits() -> None:
    assert parse("a " * 2000) == Words(" ".join(["a"] * 2000))
    with pytest.raises(QueryError, match=r"4,001 characters; at most 4,000"):
        parse("a" * 4001)
    assert parse("(" * 63 + "a" + ")" * 63) == Words("a")
    for opening in (
        "(",
        "NOT ",
        "AREA[BriefTitle]",
        "EXPANSION[None]",
        "SEARCH[Study]",
        "TILT[start]",
        "title:(",
    ):
        with pytest.raises(QuerySyntaxError, match="more than 64 levels: ask in a simpler way") as caught:
            parse(opening * 70 + "a" + ")" * 70)
        assert caught.value.position <= len(opening) * 64
    # Side by side is no depth.
    assert len(parse('("a") ' * 500).parts) == 500  # type: ignore[union-attr]


# --- hostile text ---

PIECES = [
    '"', "\\", "\\\\", "(", ")", "((", "*", "**", "a*", "[", "]", ":", "a:", "a:a", "phase:", "phase:1/2 ",
    "phase:1,", "NOT ", "AND ", "OR ", "a OR ", "a NOT ", "AREA[", "AREA[x", "RANGE[", "AREA[Phase]", '"a',
    '\\"', '"\\', "\t", "\n", " ", "\x00", "ü", "é", "漢", "\u200b", "a", "1", "1,", "1 ", "..", "start:..",
    "country:a|", "status:recruiting,", "age:", 'age:"', "MISSING ", "ALL ", "\\ ", "-", "'", "\ud800",
    "SEARCH[Location]", "EXPANSION[None]", "COVERAGE[FullMatch]", "EXPANSION[Lossy]", "TILT[start]", "AREA ",
    "AREA [", "area[", "RANGE[1,2]", "DISTANCE[0,0,1mi]", "AREA[LocationGeoPoint]", "AREA[Phase](PHASE2 ",
    "AREA[StartDate](2012 ", "words ", "0", "9", ".", "SEARCH[Study](", "Active, not ", "PHASE2 ",
]  # fmt: skip


def _work(text: str) -> int:
    """Return how many calls, of Python and of C, parsing a text makes."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with contextlib.suppress(QueryError):
            parse(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("around", ["", "AREA[Phase](", "SEARCH[Location]("])
@pytest.mark.parametrize("piece", PIECES)
def test_the_work_grows_with_the_length_and_no_faster(piece: str, around: str) -> None:
    half, whole = ((around + piece * 4000)[:size] for size in (2000, 4000))
    # Tables are read and kept at their first use.
    _work(half[:200])
    large = _work(whole)
    # What is refused is shown, at a cost that does not depend on the length.
    assert large <= 2.2 * _work(half) + 4000
    assert large < 500 * 4000


def _depth(query: Query) -> int:
    return 1 + max(map(_depth, children(query)), default=0)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
        st.lists(
            st.sampled_from([*PIECES, "]", ")", ", ", "Location", "Phase", "BriefTitle"]), max_size=30
        ).map(" ".join),
        st.text(alphabet='aA01[](){}":*,.|/\\ \t\n-AREANOTOR', max_size=80),
        st.text(max_size=60),
    )
)
def test_any_text_is_a_tree_or_an_error_with_a_place(text: str) -> None:
    try:
        tree = parse(text)
    except QuerySyntaxError as error:
        assert error.query == text
        assert 0 <= error.position <= len(text)
        message, _, caret = str(error).split("\n")
        assert message
        assert caret.strip() == "^"
    else:
        # An operand, the And and the Or of what stands in a parenthesis: three nodes a level at the most.
        assert _depth(tree) <= 3 * 64
