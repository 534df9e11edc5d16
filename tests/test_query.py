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
    AtSite,
    Best,
    Boost,
    Code,
    Covered,
    Distance,
    Expanded,
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
    Tilted,
    Way,
    Words,
    children,
    conjunction,
    disjunction,
)

NASTY = st.one_of(
    st.sampled_from(
        """AND OR NOT ALL MISSING RANGE AREA and or RANGE[1,2] AREA[x] AREA[BriefTitle]y phase:2 title:x x: :
        :x
        http://x ( ) (( "q" " \\ \\\\ a\\ \\NOT * ** a* a\\* [ ] ] NOT( SEARCH[Location] EXPANSION[None] TILT
        area[x] DISTANCE[0,0,1mi] SEARCH [x β-blocker ü
        2..3 -x 1/2 | , ; ' ’ 漢字 \u200b \x00 AGE: age:34""".split()
    ),
    st.text(alphabet='aZ"\\()[]*:| é\t\nß', min_size=1, max_size=8).filter(lambda text: text.split() != []),
    st.text(min_size=1, max_size=6).filter(lambda text: text.split() != []),
)
TEXTS = st.lists(NASTY, min_size=1, max_size=3).map(lambda words: " ".join(" ".join(words).split()))
WORDS = TEXTS.filter(lambda text: text != "").map(Words)
TEXT_LEAVES = st.one_of(WORDS, TEXTS.map(Phrase), NASTY.map(Prefix))
AREA_LEAVES = st.builds(In, st.sampled_from(["TitleSearch", "BriefTitle", "Exclusion"]), TEXT_LEAVES)
NAMES = TEXTS.map(lambda text: " ".join(text.replace("|", " ").split())).filter(bool)
DEGREES = st.integers(-900_000_000, 900_000_000).map(lambda number: number / 1e7)


def _ordered(bounds: list[str], low_open: bool, high_open: bool) -> tuple[str | None, str | None]:
    """Return two of some bounds, which ascend, as the ends of a range."""
    return None if low_open else bounds[0], None if high_open else bounds[-1]


def _ranges(field: str, ascending: list[str]) -> st.SearchStrategy[Range]:
    places = st.lists(st.integers(0, len(ascending) - 1), min_size=2, max_size=2).map(sorted)
    ends = st.builds(
        _ordered, places.map(lambda two: [ascending[at] for at in two]), st.booleans(), st.booleans()
    )
    return ends.map(lambda two: Range(field, *two))


SELECTING = st.one_of(
    st.just(All()),
    st.sampled_from(
        [
            Code("Phase", "PHASE2"),
            Code("Phase", "NA"),
            Code("Sex", "ALL"),
            Code("HasResults", "true"),
            Code("OverallStatus", "UNKNOWN"),
            Code("ConditionConcept", "MESH:D008180"),
            Code("ConditionConcept", "NOT"),
            Code("ConditionConcept", "ALL"),
            Missing("StartDate"),
            Missing("Phase"),
            Missing("BriefTitle"),
            Missing("LocationGeoPoint"),
            Missing("ResultsSection"),
            AgeIs(Age(34.0, "year")),
            AgeIs(Age(6.0, "month")),
            AgeIs(Age(1.5, "week")),
        ]
    ),
    st.builds(Name, st.just("Country"), NAMES),
    st.builds(Code, st.just("ConditionConcept"), NAMES.map(str.upper)),
    _ranges("StartDate", ["2012", "2012-02", "2012-02-29", "2012-12", "2013"]),
    _ranges("MinimumAge", ["1 Day", "6 Months", "12 Months", "1 Year", "1.5 Years", "16 Years"]),
    _ranges("EnrollmentCount", ["-12", "-0.5", "0", "0.25", "7", "100", "99999999"]),
    st.builds(
        Distance,
        DEGREES,
        DEGREES,
        st.integers(17, 5000).map(lambda tenths: tenths / 10),
        st.sampled_from(["mi", "km"]),
    ),
)
# What one site can be asked.
SITE_LEAVES = st.one_of(
    st.builds(In, st.sampled_from(["LocationSearch", "LocationCity", "LocationCountry"]), TEXT_LEAVES),
    st.sampled_from([All(), Code("LocationStatus", "RECRUITING"), Missing("LocationZip")]),
    st.builds(Distance, DEGREES, DEGREES, st.just(50.0), st.just("km")),
)


def _joined(below: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    """Return what the parser can make around parts: no And in an And, no Or in an Or."""
    several = st.lists(below, min_size=2, max_size=3)
    return st.one_of(
        several.map(conjunction),
        several.map(disjunction),
        below.map(Not),
        # COVERAGE[Contains] goes with all of these, and none of these with Lossy.
        st.builds(Expanded, st.sampled_from(["None", "Term", "Concept", "Relaxation"]), below),
        st.builds(Covered, st.just("Contains"), below),
    )


SITES = st.recursive(SITE_LEAVES, _joined, max_leaves=4).map(AtSite)
BELOW = st.recursive(
    st.one_of(TEXT_LEAVES, AREA_LEAVES, SELECTING, SITES),
    lambda below: st.one_of(
        _joined(below),
        st.builds(Tilted, st.sampled_from(["StudyFirstPostDate", "EnrollmentCount", "MinimumAge"]), below),
    ),
    max_leaves=8,
)
# Operators that some others cannot stand beside, at the outside or alone.
TREES = st.one_of(
    BELOW,
    st.builds(
        lambda level, how, part: Expanded(level, Covered(how, part)),
        st.sampled_from(["None", "Term", "Concept"]),
        st.sampled_from(["FullMatch", "StartsWith", "EndsWith"]),
        TEXT_LEAVES,
    ),
    st.builds(Expanded, st.just("Lossy"), st.one_of(TEXT_LEAVES, AREA_LEAVES, SELECTING)),
)


@settings(max_examples=600, deadline=None)
@given(TREES)
def test_the_text_of_a_tree_parses_to_the_tree(tree: Query) -> None:
    text = str(tree)
    # What a text may be is limited: see test_parse_errors.
    if len(text) <= 4000:
        assert parse(text) == tree


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
        (Code("ConditionConcept", "D008181"), "AREA[ConditionConcept]D008181"),
        (Code("ConditionConcept", "MONDO:1"), 'AREA[ConditionConcept]"MONDO:1"'),
        (Expanded("None", Words("a")), "EXPANSION[None]a"),
        (Expanded("Term", Words("a b")), "EXPANSION[Term](a b)"),
        (Expanded("Term", Phrase("a b")), 'EXPANSION[Term]"a b"'),
        (Expanded("Term", And((Words("a"), Words("b")))), "EXPANSION[Term](a AND b)"),
        (Expanded("Term", Not(Words("a b"))), "EXPANSION[Term]NOT a b"),
        (Covered("FullMatch", In("BriefTitle", Words("a b"))), "COVERAGE[FullMatch]AREA[BriefTitle](a b)"),
        (Tilted("StartDate", Or((Words("a"), Words("b")))), "TILT[StartDate](a OR b)"),
        (AtSite(In("LocationCity", Words("a"))), "SEARCH[Location](AREA[LocationCity]a)"),
        (Distance(42.36, -71.0, 50.0, "mi"), "AREA[LocationGeoPoint]DISTANCE[42.36,-71,50mi]"),
        (Distance(0.0, 100.0, 1.5, "km"), "AREA[LocationGeoPoint]DISTANCE[0,100,1.5km]"),
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
    for around in (Expanded("None", a), Covered("Contains", a), Tilted("StartDate", a), AtSite(a)):
        assert list(children(around)) == [a]
    assert list(children(Words("a"))) == []


def test_and_and_or_are_flat() -> None:
    a, b, c = Term("a"), Term("b"), Term("c")
    assert conjunction([]) == All()
    assert conjunction([a]) == a
    assert conjunction([And((a, b)), c]) == And((a, b, c))
    assert conjunction([Or((a, b)), c]) == And((Or((a, b)), c))
    assert disjunction([a]) == a
    assert disjunction([Or((a, b)), c]) == Or((a, b, c))
    assert disjunction([And((a, b)), c]) == Or((And((a, b)), c))
