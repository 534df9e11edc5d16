"""Text to tree, by hand: what each expression means by the registry's description, and what each short form
is sugar for.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.dates import Age
from trialindex.errors import QueryError
from trialsearch.parse import parse
from trialsearch.query import (
    AgeIs,
    All,
    And,
    AtSite,
    Code,
    Covered,
    Distance,
    Expanded,
    In,
    Missing,
    Name,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Tilted,
    Words,
)
from trialsearch.values import age_query, code_query, distance_query, range_query

A, B, C, D = Words("a"), Words("b"), Words("c"), Words("d")
PHASE1, PHASE2, PHASE3 = (Code("Phase", f"PHASE{number}") for number in (1, 2, 3))
RECRUITING, COMPLETED = Code("OverallStatus", "RECRUITING"), Code("OverallStatus", "COMPLETED")
ACTIVE = Code("OverallStatus", "ACTIVE_NOT_RECRUITING")
AT_OPEN_SITE = Code("LocationStatus", "RECRUITING")
BOSTON = In("LocationCity", Words("Boston"))
STATES = In("LocationCountry", Words("United States"))


def _title(part: Query) -> In:
    return In("BriefTitle", part)


def _place(text: str) -> In:
    return In("LocationSearch", Words(text))


TERMS = [
    ("", All()),
    ("   ", All()),
    ("\t\n", All()),
    ("lupus", Words("lupus")),
    ("lupus  nephritis ", Words("lupus nephritis")),
    ("lupus\tnephritis\nSLE", Words("lupus nephritis SLE")),
    ("a and b or c not d", Words("a and b or c not d")),
    ("And Or Not", Words("And Or Not")),
    ("10:30", Words("10:30")),
    ("a: b", Words("a: b")),
    ("*", Words("*")),
    ("neph*", Prefix("neph")),
    ("a neph* b", And((A, Prefix("neph"), B))),
    ("neph* a", And((Prefix("neph"), A))),
    ("a b neph*", And((Words("a b"), Prefix("neph")))),
    ("neph\\*", Words("neph*")),
    ("neph\\\\*", Prefix("neph\\")),
    ("[18F]FDG", Words("[18F]FDG")),
    ("AREA under curve", Words("AREA under curve")),
    ("dose RANGE", Words("dose RANGE")),
    ("β-blocker 漢字", Words("β-blocker 漢字")),
]  # fmt: skip

QUOTES = [
    ('"a  b"', Phrase("a b")),
    ('"a  b" c', And((Phrase("a b"), C))),
    ('c "a b"', And((C, Phrase("a b")))),
    ('"a" "b"', And((Phrase("a"), Phrase("b")))),
    ('""', Phrase("")),
    ('"AND"', Phrase("AND")),
    ('"a OR (b) AREA[Phase]"', Phrase("a OR (b) AREA[Phase]")),
    ('"a \\"b\\""', Phrase('a "b"')),
    ('"a \\\\"', Phrase("a \\")),
    ('"neph*"', Phrase("neph*")),
]

ESCAPES = [
    ("\\AND", Words("AND")),
    ("a \\AND b", Words("a AND b")),
    ("\\MISSING", Words("MISSING")),
    ("data \\MISSING at random", Words("data MISSING at random")),
    ("\\ALL", Words("ALL")),
    ("\\NOT a", Words("NOT a")),
    ("\\(a\\)", Words("(a)")),
    ("\\title:a", Words("title:a")),
    ("\\AREA[x]", Words("AREA[x]")),
    ("AREA\\[x]", Words("AREA[x]")),
    ("\\area[x]", Words("area[x]")),
    ('\\"a', Words('"a')),
    ("a\\ b", Words("a b")),
    ("a\\", Words("a\\")),
    ("a\\\\b", Words("a\\b")),
]

JOINED = [
    ("a AND b", And((A, B))),
    ("a AND b AND c", And((A, B, C))),
    ("a OR b OR c", Or((A, B, C))),
    ("a AND b OR c", Or((And((A, B)), C))),
    ("a OR b AND c", Or((A, And((B, C))))),
    ("a AND b OR c AND d", Or((And((A, B)), And((C, D))))),
    ("(a OR b) AND c", And((Or((A, B)), C))),
    ("(a OR b) c", And((Or((A, B)), C))),
    ("a (b OR c)", And((A, Or((B, C))))),
    ("(a)(b)", And((A, B))),
    ("a (b c)", And((A, Words("b c")))),
    ("a AND (b AND c)", And((A, B, C))),
    ("a OR (b OR c)", Or((A, B, C))),
    ("((a))", A),
    ("heart attack AND stroke", And((Words("heart attack"), Words("stroke")))),
    ("heart attack OR stroke c", Or((Words("heart attack"), Words("stroke c")))),
    ("NOT a", Not(A)),
    ("NOT NOT a", Not(Not(A))),
    ("NOT a b", Not(Words("a b"))),
    ("NOT a AND b", And((Not(A), B))),
    ("NOT a OR b", Or((Not(A), B))),
    ("NOT (a AND b)", Not(And((A, B)))),
    ("a NOT b", And((A, Not(B)))),
    ("a NOT b OR c", Or((And((A, Not(B))), C))),
    ("a AND NOT b", And((A, Not(B)))),
    ("a OR NOT b", Or((A, Not(B)))),
    ("NOT a NOT b", And((Not(A), Not(B)))),
    ("ALL", All()),
    ("ALL NOT a", And((All(), Not(A)))),
    ("ALL AND a", And((All(), A))),
    ("NOT ALL", Not(All())),
    ("relapsed ALL", Words("relapsed ALL")),
    ("ALL relapsed", Words("ALL relapsed")),
]

AREAS = [
    ("AREA[BriefTitle]a", _title(A)),
    ("AREA[BriefTitle] a", _title(A)),
    ("AREA[ BriefTitle ]a", _title(A)),
    ("AREA[brieftitle]a", _title(A)),
    ("AREA[BRIEFTITLE]a", _title(A)),
    ("AREA[basicsearch]a", In("BasicSearch", A)),
    ("AREA[BriefTitle]a b", _title(Words("a b"))),
    ("AREA[BriefTitle]a AND b", And((_title(A), B))),
    ("AREA[BriefTitle]a OR b", Or((_title(A), B))),
    ('AREA[BriefTitle]"a b"', _title(Phrase("a b"))),
    ('AREA[BriefTitle]"a" b', And((_title(Phrase("a")), B))),
    ("AREA[BriefTitle](a AND b)", And((_title(A), _title(B)))),
    ("AREA[BriefTitle](a OR b)", Or((_title(A), _title(B)))),
    ("AREA[BriefTitle](NOT a)", Not(_title(A))),
    ("AREA[BriefTitle]NOT a", Not(_title(A))),
    ("NOT AREA[BriefTitle]a", Not(_title(A))),
    ("AREA[BriefTitle](a OR AREA[Acronym]b)", Or((_title(A), In("Acronym", B)))),
    ("AREA[Acronym]AREA[BriefTitle]a", _title(A)),
    ("AREA[BriefTitle]neph*", _title(Prefix("neph"))),
    ("AREA[BriefTitle]a neph*", And((_title(A), _title(Prefix("neph"))))),
    ("AREA[BriefTitle]ALL", All()),
    ("AREA[BriefTitle]\\ALL", _title(Words("ALL"))),
    ("AREA[BriefTitle]a ALL", _title(Words("a ALL"))),
    ("a AREA[BriefTitle]b", And((A, _title(B)))),
    ("AREA[Condition]a", In("Condition", A)),
    ("AREA[condition]a", In("ConditionSearch", A)),
    ("AREA[ConditionSearch](lung cancer)", In("ConditionSearch", Words("lung cancer"))),
    ("AREA[LocationCountry]United States", STATES),
    ("AREA[BasicSearch]PHASE2", In("BasicSearch", Words("PHASE2"))),
    ("AREA[PatientSearch]a", In("PatientSearch", A)),
]

CODES = [
    ("AREA[Phase]PHASE2", PHASE2),
    ("AREA[phase]phase2", PHASE2),
    ("AREA[Phase]Phase 2", PHASE2),
    ("AREA[Phase](PHASE2 OR PHASE3)", Or((PHASE2, PHASE3))),
    ("AREA[Phase]PHASE2 asthma", And((PHASE2, Words("asthma")))),
    ("AREA[Phase]Phase 2 severe asthma", And((PHASE2, Words("severe asthma")))),
    ("NOT AREA[Phase]PHASE2 asthma", And((Not(PHASE2), Words("asthma")))),
    ("AREA[Phase]NOT PHASE2", Not(PHASE2)),
    ("AREA[Phase]NA", Code("Phase", "NA")),
    ("AREA[Phase]ALL", All()),
    ("AREA[Phase]ALL asthma", And((All(), Words("asthma")))),
    ("AREA[OverallStatus]RECRUITING", RECRUITING),
    ("AREA[OverallStatus]Recruiting", RECRUITING),
    ("AREA[OverallStatus]RECRUITING AND AREA[Phase](PHASE2 OR PHASE3)",
     And((RECRUITING, Or((PHASE2, PHASE3))))),
    ("AREA[OverallStatus]Active, not recruiting", ACTIVE),
    ("AREA[OverallStatus]Active, not recruiting asthma", And((ACTIVE, Words("asthma")))),
    ('AREA[OverallStatus]"Active, not recruiting"', ACTIVE),
    ("AREA[OverallStatus]RECRUITING, COMPLETED", Or((RECRUITING, COMPLETED))),
    ("AREA[LocationStatus]Recruiting", AT_OPEN_SITE),
    ("AREA[Sex]ALL", Code("Sex", "ALL")),
    ("AREA[Sex](ALL OR FEMALE)", Or((Code("Sex", "ALL"), Code("Sex", "FEMALE")))),
    ("AREA[StdAge]CHILD", Code("StdAge", "CHILD")),
    ("AREA[StdAge]Older Adult", Code("StdAge", "OLDER_ADULT")),
    ("AREA[InterventionType]DEVICE", Code("InterventionType", "DEVICE")),
    ("AREA[DesignMasking]Double Blind", Code("DesignMasking", "DOUBLE")),
    ("AREA[HealthyVolunteers]true", Code("HealthyVolunteers", "true")),
    ("AREA[HealthyVolunteers]No", Code("HealthyVolunteers", "false")),
    ("AREA[ConditionConcept]d008180 a", And((Code("ConditionConcept", "D008180"), A))),
    ('AREA[ConditionConcept]"mondo:1" a', And((Code("ConditionConcept", "MONDO:1"), A))),
]  # fmt: skip

VALUES = [
    ("AREA[StartDate]RANGE[2012, MAX]", Range("StartDate", "2012", None)),
    ("AREA[StartDate] RANGE[2012,MAX]", Range("StartDate", "2012", None)),
    ("AREA[StartDate]RANGE[MIN, 2012]", Range("StartDate", None, "2012")),
    ("AREA[StartDate]RANGE[min, max]", Range("StartDate", None, None)),
    ("AREA[StartDate]RANGE[01/15/2015, 2016-02]", Range("StartDate", "2015-01-15", "2016-02")),
    ("AREA[StartDate]RANGE[2005-01, 2006-06]", Range("StartDate", "2005-01", "2006-06")),
    ("AREA[StartDate]RANGE[2015-1-5, 2015-1-5]", Range("StartDate", "2015-01-05", "2015-01-05")),
    ("AREA[StartDate]RANGE[February 2012, MAX]", Range("StartDate", "2012-02", None)),
    ("AREA[StartDate]RANGE[2012-06, 2012]", Range("StartDate", "2012-06", "2012")),
    ("AREA[StartDate]RANGE[2012, 2012-06]", Range("StartDate", "2012", "2012-06")),
    ("AREA[StartDate]2012", Range("StartDate", "2012", "2012")),
    ("AREA[StartDate]2012 asthma", And((Range("StartDate", "2012", "2012"), Words("asthma")))),
    ("AREA[StartDate]February 2012 asthma", And((Range("StartDate", "2012-02", "2012-02"), Words("asthma")))),
    ("AREA[StartDate](RANGE[2012, MAX] OR MISSING)",
     Or((Range("StartDate", "2012", None), Missing("StartDate")))),
    ("AREA[StartDate]RANGE[2012, MAX] a", And((Range("StartDate", "2012", None), A))),
    ("AREA[MinimumAge]RANGE[6 months, 1 year]", Range("MinimumAge", "6 Months", "1 Year")),
    ("AREA[MinimumAge]RANGE[12 months, 1 year]", Range("MinimumAge", "12 Months", "1 Year")),
    ("AREA[MinimumAge]RANGE[MIN, 16 years] AND AREA[MaximumAge]RANGE[16 years, MAX]",
     And((Range("MinimumAge", None, "16 Years"), Range("MaximumAge", "16 Years", None)))),
    ("AREA[MinimumAge]18 years asthma", And((Range("MinimumAge", "18 Years", "18 Years"), Words("asthma")))),
    ("AREA[EnrollmentCount]RANGE[MIN, 100]", Range("EnrollmentCount", None, "100")),
    ("AREA[EnrollmentCount]RANGE[-5, 100.50]", Range("EnrollmentCount", "-5", "100.5")),
    ("AREA[EnrollmentCount]RANGE[-0, 007]", Range("EnrollmentCount", "0", "7")),
    ("AREA[EnrollmentCount]RANGE[-0.5, 10.0]", Range("EnrollmentCount", "-0.5", "10")),
    ("AREA[EnrollmentCount]100", Range("EnrollmentCount", "100", "100")),
    ("AREA[ResultsFirstPostDate]MISSING", Missing("ResultsFirstPostDate")),
    ("AREA[ResultsFirstPostDate]MISSING a", And((Missing("ResultsFirstPostDate"), A))),
    ("NOT AREA[Phase]MISSING", Not(Missing("Phase"))),
    ("AREA[Phase]NOT MISSING", Not(Missing("Phase"))),
    ("AREA[BriefTitle](a OR MISSING)", Or((_title(A), Missing("BriefTitle")))),
    ("AREA[ResultsSection]MISSING", Missing("ResultsSection")),
    ("AREA[LocationGeoPoint]MISSING", Missing("LocationGeoPoint")),
]  # fmt: skip

NEAR_BETHESDA = Distance(39.0019296, -77.1044561, 25.0, "mi")
DISTANCES = [
    ("AREA[LocationGeoPoint]DISTANCE[39.0019296,-77.1044561,25mi]", NEAR_BETHESDA),
    ("AREA[locationgeopoint] DISTANCE[39.0019296, -77.1044561, 25 MI]", NEAR_BETHESDA),
    ("AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,80km]", Distance(42.36, -71.06, 80.0, "km")),
    ("AREA[LocationGeoPoint]DISTANCE[-90,180,1mi]", Distance(-90.0, 180.0, 1.0, "mi")),
    ("AREA[LocationGeoPoint]DISTANCE[+0,-0,500mi]", Distance(0.0, 0.0, 500.0, "mi")),
    ("AREA[LocationGeoPoint]DISTANCE[0,0,804km]", Distance(0.0, 0.0, 804.0, "km")),
    ("NOT AREA[LocationGeoPoint]DISTANCE[0,0,2.5mi]", Not(Distance(0.0, 0.0, 2.5, "mi"))),
    ("AREA[LocationGeoPoint](DISTANCE[0,0,1mi] OR DISTANCE[1,1,1mi])",
     Or((Distance(0.0, 0.0, 1.0, "mi"), Distance(1.0, 1.0, 1.0, "mi")))),
]  # fmt: skip

SITES = [
    ("SEARCH[Location]Boston", AtSite(_place("Boston"))),
    ("SEARCH[location](Boston)", AtSite(_place("Boston"))),
    ("SEARCH[Location](Boston OR Paris)", AtSite(Or((_place("Boston"), _place("Paris"))))),
    ("SEARCH[Location](AREA[LocationCity]Boston AND AREA[LocationCountry]United States)",
     AtSite(And((BOSTON, STATES)))),
    ("heart attack AND SEARCH[Location](AREA[LocationCity]Boston AND AREA[LocationCountry]United States)",
     And((Words("heart attack"), AtSite(And((BOSTON, STATES)))))),
    ("SEARCH[Location](AREA[LocationCountry]United States AND AREA[LocationStatus]Recruiting)",
     AtSite(And((STATES, AT_OPEN_SITE)))),
    ("SEARCH[Location](AREA[LocationCity]Boston AREA[LocationStatus]Recruiting)",
     AtSite(And((BOSTON, AT_OPEN_SITE)))),
    ("SEARCH[Location](city:Boston status:recruiting)", AtSite(And((BOSTON, AT_OPEN_SITE)))),
    ('SEARCH[Location]country:"United States"', AtSite(Name("Country", "United States"))),
    ("SEARCH[Location]AREA[LocationContactName]Doe", AtSite(In("LocationContactName", Words("Doe")))),
    ("AREA[LocationCity]SEARCH[Location]Boston", AtSite(BOSTON)),
    ("AREA[BriefTitle]SEARCH[Location]Boston", AtSite(_place("Boston"))),
    ("SEARCH[Location]NOT AREA[LocationCity]Boston", AtSite(Not(BOSTON))),
    ("NOT SEARCH[Location]AREA[LocationCity]Boston", Not(AtSite(BOSTON))),
    ("SEARCH[Location]ALL", AtSite(All())),
    ("SEARCH[Location](AREA[LocationZip]MISSING)", AtSite(Missing("LocationZip"))),
    ("SEARCH[Location](AREA[LocationCity]Boston AND SEARCH[Location]AREA[LocationStatus]Recruiting)",
     AtSite(And((BOSTON, AT_OPEN_SITE)))),
    ("SEARCH[Location](AREA[LocationStatus]Recruiting AREA[LocationGeoPoint]DISTANCE[0,0,1mi])",
     AtSite(And((AT_OPEN_SITE, Distance(0.0, 0.0, 1.0, "mi"))))),
    ('SEARCH[Location]EXPANSION[None]"Boston"',
     AtSite(Expanded("None", In("LocationSearch", Phrase("Boston"))))),
    ("SEARCH[Study]a", A),
    ("SEARCH[study](a OR b) c", And((Or((A, B)), C))),
    ("SEARCH[Study](a AND SEARCH[Location]Boston)", And((A, AtSite(_place("Boston"))))),
    ("SEARCH[Location]Boston Maine OR a", Or((AtSite(_place("Boston Maine")), A))),
]  # fmt: skip

CONTEXTS = [
    ("EXPANSION[None]a", Expanded("None", A)),
    ("EXPANSION[Term]a", Expanded("Term", A)),
    ("EXPANSION[Concept]a", Expanded("Concept", A)),
    ("EXPANSION[Relaxation]a", Expanded("Relaxation", A)),
    ("EXPANSION[Lossy]a", Expanded("Lossy", A)),
    ("EXPANSION[none]a", Expanded("None", A)),
    ("EXPANSION[ LOSSY ] a", Expanded("Lossy", A)),
    ('AREA[BriefTitle] EXPAND[Term] COVER[FullMatch] "a"',
     Expanded("Term", Covered("FullMatch", _title(Phrase("a"))))),
    ("EXPANSION[None]a b", Expanded("None", Words("a b"))),
    ('EXPANSION[None]"HIV"', Expanded("None", Phrase("HIV"))),
    ('EXPANSION[None]"a" b', And((Expanded("None", Phrase("a")), B))),
    ("EXPANSION[None]a AND b", And((Expanded("None", A), B))),
    ("EXPANSION[None]a OR b", Or((Expanded("None", A), B))),
    ("EXPANSION[None](a AND b)", Expanded("None", And((A, B)))),
    ("EXPANSION[None]NOT a", Expanded("None", Not(A))),
    ("NOT EXPANSION[None]a", Not(Expanded("None", A))),
    ('EXPANSION[Concept]"heart attack" AND NOT AREA[InterventionType]DEVICE',
     And((Expanded("Concept", Phrase("heart attack")), Not(Code("InterventionType", "DEVICE"))))),
    ("EXPANSION[None](a OR EXPANSION[Lossy]b)", Expanded("None", Or((A, Expanded("Lossy", B))))),
    ("EXPANSION[Term]EXPANSION[None]a", Expanded("Term", Expanded("None", A))),
    ("COVERAGE[FullMatch]a", Covered("FullMatch", A)),
    ("COVERAGE[startswith]a", Covered("StartsWith", A)),
    ("COVERAGE[EndsWith]a", Covered("EndsWith", A)),
    ("COVERAGE[Contains]a", Covered("Contains", A)),
    ('AREA[LeadSponsorName]COVERAGE[FullMatch]"Pfizer"',
     Covered("FullMatch", In("LeadSponsorName", Phrase("Pfizer")))),
    ('COVERAGE[FullMatch]AREA[LeadSponsorName]"Pfizer"',
     Covered("FullMatch", In("LeadSponsorName", Phrase("Pfizer")))),
    ("EXPANSION[Term]COVERAGE[FullMatch]AREA[BriefTitle]a",
     Expanded("Term", Covered("FullMatch", _title(A)))),
    ("AREA[BriefTitle]COVERAGE[FullMatch]EXPANSION[Term]a",
     Covered("FullMatch", Expanded("Term", _title(A)))),
    ("EXPANSION[None]COVERAGE[StartsWith]a", Expanded("None", Covered("StartsWith", A))),
    ("EXPANSION[Concept]COVERAGE[EndsWith]a", Expanded("Concept", Covered("EndsWith", A))),
    ("EXPANSION[Relaxation]COVERAGE[Contains]a", Expanded("Relaxation", Covered("Contains", A))),
    # The innermost of a kind holds: the term has None.
    ("EXPANSION[Lossy](a OR EXPANSION[None]COVERAGE[FullMatch]b)",
     Expanded("Lossy", Or((A, Expanded("None", Covered("FullMatch", B)))))),
    ("EXPANSION[Lossy]COVERAGE[FullMatch](EXPANSION[None]a)",
     Expanded("Lossy", Covered("FullMatch", Expanded("None", A)))),
    ("EXPANSION[None]neph* b", Expanded("None", And((Prefix("neph"), B)))),
    ("EXPANSION[None]AREA[Phase]PHASE2 asthma", And((Expanded("None", PHASE2), Words("asthma")))),
    ("EXPANSION[None]title:a b", And((Expanded("None", In("TitleSearch", A)), B))),
    ("title:EXPANSION[None]a", Expanded("None", In("TitleSearch", A))),
    ("TILT[StudyFirstPostDate]a", Tilted("StudyFirstPostDate", A)),
    ('TILT[StudyFirstPostDate]"heart attack"', Tilted("StudyFirstPostDate", Phrase("heart attack"))),
    ("TILT[studyfirstpostdate](asthma OR COPD)",
     Tilted("StudyFirstPostDate", Or((Words("asthma"), Words("COPD"))))),
    ("TILT[EnrollmentCount]a AND b", And((Tilted("EnrollmentCount", A), B))),
    ("TILT[start]AREA[BriefTitle]a", Tilted("StartDate", _title(A))),
    ("TILT[StartDate]EXPANSION[None]NOT a", Tilted("StartDate", Expanded("None", Not(A)))),
]  # fmt: skip

SHORT_FORMS = [
    ("title:a b", And((In("TitleSearch", A), B))),
    ("TITLE:a", In("TitleSearch", A)),
    ("brieftitle:a", _title(A)),
    ("title:(a OR b)", Or((In("TitleSearch", A), In("TitleSearch", B)))),
    ("title:(a b)", In("TitleSearch", Words("a b"))),
    ('title:"a b"', In("TitleSearch", Phrase("a b"))),
    ('cond:"heart failure"', In("ConditionSearch", Phrase("heart failure"))),
    ("title:neph*", In("TitleSearch", Prefix("neph"))),
    ("title:ALL", In("TitleSearch", Words("ALL"))),
    ("NOT title:a", Not(In("TitleSearch", A))),
    ("title:NOT a", Not(In("TitleSearch", A))),
    ("title:(a OR cond:b)", Or((In("TitleSearch", A), In("ConditionSearch", B)))),
    ("title:cond:a", In("ConditionSearch", A)),
    ("sex:ALL", Code("Sex", "ALL")),
    ("phase:2", PHASE2),
    ("phase:2 asthma", And((PHASE2, Words("asthma")))),
    ("phase:(1 OR 2)", Or((PHASE1, PHASE2))),
    ("phase:1/2", And((PHASE1, PHASE2))),
    ("phase:1,2", Or((PHASE1, PHASE2))),
    ("phase:1,1", PHASE1),
    ("phase:II", PHASE2),
    ('phase:"Phase 2"', PHASE2),
    ("phase:MISSING", Missing("Phase")),
    ("status:recruiting,completed", Or((RECRUITING, COMPLETED))),
    ("status:recruiting|completed", Or((RECRUITING, COMPLETED))),
    ('status:"Active, not recruiting"', ACTIVE),
    ('status:"completed, Active, not recruiting"', Or((COMPLETED, ACTIVE))),
    ("start:2012..2013-06", Range("StartDate", "2012", "2013-06")),
    ("start:..2012", Range("StartDate", None, "2012")),
    ("start:2012..", Range("StartDate", "2012", None)),
    ("start:2012-02", Range("StartDate", "2012-02", "2012-02")),
    ("start:RANGE[2012, MAX]", Range("StartDate", "2012", None)),
    ("enrollment:10..20", Range("EnrollmentCount", "10", "20")),
    ("age:34", AgeIs(Age(34.0, "year"))),
    ("age:34 a", And((AgeIs(Age(34.0, "year")), A))),
    ('AGE:"6 months"', AgeIs(Age(6.0, "month"))),
    ("results:yes", Code("HasResults", "true")),
    ("results:no", Code("HasResults", "false")),
    ("country:France", Name("Country", "France")),
    ("country:France a", And((Name("Country", "France"), A))),
    ('country:"United  States"', Name("Country", "United States")),
    ("country:France|Spain", Or((Name("Country", "France"), Name("Country", "Spain")))),
    ("AREA[Country]United States", Name("Country", "United States")),
    ("type:interventional", Code("StudyType", "INTERVENTIONAL")),
]

EVERY = [
    *TERMS, *QUOTES, *ESCAPES, *JOINED, *AREAS, *CODES, *VALUES, *DISTANCES, *SITES, *CONTEXTS, *SHORT_FORMS,
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), EVERY, ids=[text for text, _ in EVERY])
def test_what_a_text_asks(text: str, tree: Query) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("text", [text for text, _ in EVERY])
def test_what_is_asked_prints_to_what_asks_the_same(text: str) -> None:
    assert parse(str(parse(text))) == parse(text)


def test_values_by_themselves() -> None:
    assert code_query("Phase", "Phase 1/Phase 2") == And((PHASE1, PHASE2))
    assert code_query("Phase", "1,1") == PHASE1
    assert range_query("StartDate", "MIN", "*") == Range("StartDate", None, None)
    assert age_query(" 34 ") == AgeIs(Age(34.0, "year"))
    assert distance_query("42.36, -71.06, 50mi") == Distance(42.36, -71.06, 50.0, "mi")
    for function, *wrong in (
        (code_query, "Phase", ""),
        (age_query, "-3"),
        (age_query, "34 years of hope"),
        (range_query, "StartDate", "2013", "2012"),
        (distance_query, ""),
    ):
        with pytest.raises(QueryError):
            function(*wrong)  # type: ignore[operator]


RUNS = "lupus ALL AND OR NOT MISSING or not RANGE alfa-2a x' 5,6 phase and/or é \u3000 \x1f ~ ^".split(" ")


@given(st.lists(st.sampled_from([*RUNS, " ", "\n"]), min_size=1, max_size=6).map(" ".join))
def test_a_run_of_words_is_the_same_alone_and_in_parentheses(text: str) -> None:
    def read(written: str) -> Query | None:
        try:
            return parse(written)
        except QueryError:
            return None

    assert not text.strip() or read(text) == read(f"({text})")
