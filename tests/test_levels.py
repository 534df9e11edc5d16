"""EXPANSION and COVERAGE: what each level and each coverage finds, and in which order.

The trials of the first index differ from "Heart attack care" in one thing each.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from known import known
from plain_snapshot import PlainSnapshot
from small import concept, make_index, study
from trialindex.errors import QueryError
from trialindex.snapshot import Snapshot
from trialindex.vocabulary.mapped import Vocabulary
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand
from trialsearch.explain import explain
from trialsearch.lexicon import IndexLexicon
from trialsearch.query import (
    COVERAGES,
    LEVELS,
    And,
    Best,
    Covered,
    Expanded,
    In,
    Near,
    Not,
    Phrase,
    Prefix,
    Query,
    Term,
    Tiers,
    Tilted,
    Verified,
    Words,
)
from trialsearch.why import matches

CONCEPTS = [concept("C01", "heart attack", "myocardial infarction", short="MI")]
TITLES = {
    "exact": "Heart attack care",
    "spaces": "Heart \n attack care",
    "case": "heart attack care",
    "plural": "Heart attacks care",
    "possessive": "Heart attack's care",
    "hyphen": "Heart-attack care",
    "accent": "Heart áttack care",
    "glued": "Heart attackers care",
    "synonym": "Myocardial infarction care",
    "apart": "Heart before attack care",
    "turned": "Attack heart care",
    "missing": "Heart care",
    "other": "Lung care",
}
BY_LEVEL = [
    ("None", {"exact", "spaces", "possessive"}),
    ("Term", {"case", "plural", "hyphen", "accent", "glued"}),
    ("Concept", {"synonym"}),
    ("Relaxation", {"apart", "turned"}),
    ("Lossy", {"missing"}),
]


class _Trials:
    """Trials by what they are called, and the answers of their index."""

    def __init__(self, folder: Any, **pieces: dict[str, Any]) -> None:
        names = dict.fromkeys(name for held in pieces.values() for name in held)
        self.names = {f"NCT{number:08}": name for number, name in enumerate(names, 1)}
        studies = [
            study(nct_id, **{piece: held[name] for piece, held in pieces.items() if name in held})
            for nct_id, name in self.names.items()
        ]
        self.snapshot = Snapshot(make_index(folder / "index", studies, CONCEPTS))
        self.evaluator = Evaluator(self.snapshot)

    def widened(self, query: Query, *, synonyms: bool = True) -> Query:
        return expand(query, Expansion(IndexLexicon(self.snapshot), synonyms))

    def scores(self, query: Query, *, synonyms: bool = True) -> dict[str, float]:
        found = self.evaluator.found(self.widened(query, synonyms=synonyms))
        keys = [self.snapshot.key(doc) for doc in found.docs.tolist()]
        return {self.names[key]: score for key, score in zip(keys, found.scores.tolist(), strict=True)}

    def found(self, query: Query, *, synonyms: bool = True) -> set[str]:
        return set(self.scores(query, synonyms=synonyms))


@pytest.fixture(scope="module")
def titles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Trials]:
    trials = _Trials(tmp_path_factory.mktemp("titles"), BriefTitle=TITLES)
    yield trials
    trials.snapshot.close()


def _up_to(level: str) -> set[str]:
    last = LEVELS.index(level)
    return {name for _, names in BY_LEVEL[: last + 1] for name in names}


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_of_words_finds_what_it_adds_and_nothing_more(titles: _Trials, level: str) -> None:
    assert titles.found(Expanded(level, Words("Heart attack"))) == _up_to(level)


@pytest.mark.parametrize("level", LEVELS)
def test_a_phrase_goes_as_far_as_concept(titles: _Trials, level: str) -> None:
    widest = level if LEVELS.index(level) < LEVELS.index("Concept") else "Concept"
    assert titles.found(Expanded(level, Phrase("Heart attack"))) == _up_to(widest)


def test_words_are_relaxed_and_phrases_mean_concepts_where_nothing_is_said(titles: _Trials) -> None:
    assert titles.scores(Words("Heart attack")) == titles.scores(
        Expanded("Relaxation", Words("Heart attack"))
    )
    assert titles.scores(Phrase("Heart attack")) == titles.scores(Expanded("Concept", Phrase("Heart attack")))


def test_without_synonyms_a_phrase_is_its_words_and_relaxed_words_are_words(titles: _Trials) -> None:
    assert titles.found(Phrase("Heart attack"), synonyms=False) == _up_to("Term")
    found = titles.found(Expanded("Concept", Words("Heart attack")), synonyms=False)
    assert found == _up_to("Term")
    assert titles.found(Words("Heart attack"), synonyms=False) == _up_to("Relaxation") - {"synonym"}


def test_the_inner_level_counts(titles: _Trials) -> None:
    inner = Expanded("None", Words("Heart attack"))
    assert titles.found(Expanded("Lossy", inner)) == _up_to("None")
    both = Expanded("Term", And((Words("Heart attack"), Expanded("None", Words("care")))))
    assert titles.found(both) == _up_to("Term")


def test_who_has_the_words_as_typed_comes_before_who_has_another_name(titles: _Trials) -> None:
    # However rare the other name is: one trial has it, and eight have the words.
    for asked in (Phrase("Heart attack"), Expanded("Concept", Words("Heart attack"))):
        scores = titles.scores(asked)
        assert scores["synonym"] == pytest.approx(0.9 * scores["exact"], rel=0.2)
        assert scores["exact"] > scores["synonym"]


def test_so_it_is_where_nothing_is_said_however_rare_the_other_name_is(tmp_path: Any) -> None:
    held = {f"typed{number}": "Heart attack care" for number in range(20)}
    held |= {"synonym": "Myocardial infarction care"} | {f"other{number}": "Gout" for number in range(10)}
    scores = _Trials(tmp_path, BriefTitle=held).scores(Words("heart attack"))
    assert set(scores) == {name for name in held if not name.startswith("other")}
    assert all(scores["synonym"] < score for name, score in scores.items() if name != "synonym")


def test_the_whole_comes_before_its_words_and_these_before_some_of_them(titles: _Trials) -> None:
    scores = titles.scores(Expanded("Lossy", Words("Heart attack")))
    whole, relaxed, some = _up_to("Concept"), {"apart", "turned"}, {"missing"}
    assert min(scores[name] for name in whole) > max(scores[name] for name in relaxed)
    assert min(scores[name] for name in relaxed) > max(scores[name] for name in some)
    assert scores["missing"] > 0


def test_some_of_the_words_come_last_however_often_they_stand_there(tmp_path: Any) -> None:
    texts = {
        "whole": "Care " * 30 + "heart attack",
        "apart": "Heart " + "care " * 300 + "attack",
        "some": "Heart heart heart heart",
    }
    trials = _Trials(tmp_path, BriefSummary={"whole": texts["whole"], "apart": texts["apart"]},
                     BriefTitle={"some": texts["some"]})  # fmt: skip
    scores = trials.scores(Expanded("Lossy", Words("heart attack")))
    assert sorted(scores, key=lambda name: -scores[name]) == ["whole", "apart", "some"]
    # As each would score alone, some of the words would go first.
    assert trials.scores(Words("heart"))["some"] > trials.scores(Words("heart attack"))["apart"]
    trials.snapshot.close()


# Where in a value

CONDITIONS = {
    "full": ["Asthma", "Heart attack"],
    "first": ["Heart attack", "Asthma"],
    "starts": ["Asthma", "Heart attack of adults"],
    "ends": ["Old heart attack", "Asthma"],
    "inside": ["Old heart attack of adults"],
    "between": ["Old heart", "attack of adults"],
    "article": ["A heart attack"],
    "trailing": ["Heart attack and"],
    "synonym full": ["Myocardial infarction"],
    "synonym starts": ["Myocardial infarction of adults"],
    "synonym ends": ["Old myocardial infarction"],
    "synonym inside": ["Old myocardial infarction of adults"],
}
BY_COVERAGE = {
    "FullMatch": {"full", "first", "trailing"},
    "StartsWith": {"full", "first", "trailing", "starts"},
    "EndsWith": {"full", "first", "trailing", "ends", "article"},
    "Contains": {"full", "first", "trailing", "starts", "ends", "article", "inside"},
}


@pytest.fixture(scope="module")
def conditions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Trials]:
    trials = _Trials(tmp_path_factory.mktemp("conditions"), Condition=CONDITIONS)
    yield trials
    trials.snapshot.close()


def _synonyms(how: str) -> set[str]:
    return {f"synonym {name}" for name in BY_COVERAGE[how] & {"full", "starts", "ends", "inside"}}


@pytest.mark.parametrize("how", COVERAGES)
@pytest.mark.parametrize("asked", [Words("heart attack"), Phrase("heart attack")])
def test_a_term_stands_where_its_coverage_says(conditions: _Trials, how: str, asked: Query) -> None:
    term = In("Condition", Covered(how, Expanded("Term", asked)))
    assert conditions.found(term) == BY_COVERAGE[how]


@pytest.mark.parametrize("how", COVERAGES)
def test_other_names_stand_there_too_and_are_asked_where_no_level_is_said(
    conditions: _Trials, how: str
) -> None:
    wanted = BY_COVERAGE[how] | _synonyms(how)
    for asked in (Expanded("Concept", Words("heart attack")), Phrase("heart attack")):
        assert conditions.found(Covered(how, In("Condition", asked))) == wanted
    if how != "Contains":
        assert conditions.found(Covered(how, In("Condition", Words("heart attack")))) == wanted


@pytest.mark.parametrize("how", COVERAGES)
def test_an_exact_text_stands_there_too(conditions: _Trials, how: str) -> None:
    exact = Covered(how, Expanded("None", Words("Heart attack")))
    # The words that the index has no place for are part of the text.
    capital = {"full", "first", "starts", "trailing"} & BY_COVERAGE[how]
    wanted = capital - {"trailing"} if how in {"FullMatch", "EndsWith"} else capital
    assert conditions.found(In("Condition", exact)) == wanted


def test_a_link_does_not_stand_anywhere(conditions: _Trials) -> None:
    every = set(CONDITIONS) - {"between"}
    assert conditions.found(In("ConditionSearch", Phrase("heart attack"))) == every
    full = In("ConditionSearch", Covered("FullMatch", Phrase("heart attack")))
    # `Old heart attack` is linked to what `Heart attack` is.
    assert conditions.found(full) == BY_COVERAGE["FullMatch"] | _synonyms("FullMatch")


@pytest.mark.parametrize(
    ("text", "how", "value", "stands"),
    [
        ("lupus", "FullMatch", "Lupus", True),
        ("lupus", "FullMatch", "Lupus nephritis", False),
        ("lupus", "StartsWith", "Lupus nephritis", True),
        ("nephritis", "StartsWith", "Lupus nephritis", False),
        ("nephritis", "EndsWith", "Lupus nephritis", True),
        ("lupus", "EndsWith", "Lupus nephritis", False),
        # Function words that are typed may be missing; others may not stand before.
        ("the lupus", "StartsWith", "The lupus trial", True),
        ("the lupus", "StartsWith", "Lupus trial", True),
        ("lupus", "StartsWith", "The lupus trial", False),
        ("the lupus", "FullMatch", "The new lupus", False),
        # A name and its number are one term, of two words.
        ("IL-2", "FullMatch", "IL 2", True),
        ("IL-2", "FullMatch", "IL2", True),
        ("IL-2", "EndsWith", "High IL-2", True),
        ("IL-2", "FullMatch", "IL-2 therapy", False),
        ("IL-2 therapy", "FullMatch", "IL2 therapies", True),
        ("PDL1", "FullMatch", "PD-L1", True),
        ("PD-L1", "FullMatch", "PDL1", True),
        ("PDL1", "FullMatch", "PD-L1 tests", False),
        ("follow-up", "FullMatch", "Followup", True),
        ("follow-up", "FullMatch", "Follow up", True),
        ("followup", "FullMatch", "Follow-up", True),
        ("followup", "FullMatch", "Follow-up visit", False),
        ("followup", "EndsWith", "One follow-up", True),
        ("18-65", "FullMatch", "18-65", True),
        ("so-called cure", "FullMatch", "A so-called cure", False),
        ("so-called cure", "FullMatch", "So-called cures", True),
        ("the in-in cure", "StartsWith", "The in-in cure", True),
        ("in-in", "EndsWith", "Of an in-in", True),
        ("18-65 years", "Contains", "1865 years", False),
    ],
)
def test_words_at_the_edges_of_a_value(text: str, how: str, value: str, stands: bool) -> None:
    snapshot: Any = PlainSnapshot(
        [study("NCT00000001", Condition=["Asthma", value]), study("NCT00000002", Condition=["up", "1", "l1"])]
    )
    widened = expand(
        In("Condition", Covered(how, Expanded("Term", Phrase(text)))), Expansion(IndexLexicon(snapshot))
    )
    assert (0 in Evaluator(snapshot).match(widened)) is stands


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Covered("FullMatch", Expanded("Lossy", Words("a b"))), "Lossy"),
        (Covered("Contains", Expanded("Lossy", Phrase("lupus"))), "Lossy"),
        (Expanded("Relaxation", Covered("EndsWith", Words("lupus"))), "Relaxation"),
        (Covered("StartsWith", Expanded("Relaxation", Phrase("lupus"))), "Relaxation"),
        (Covered("StartsWith", Prefix("lup")), r"lup\*"),
        (Expanded("None", Prefix("lup")), r"lup\*"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: Query, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        expand(asked, Expansion(known()))


def test_where_values_start_is_read_of_some_documents_of_several_segments(tmp_path: Any) -> None:
    for first in (1, 4):
        make_index(
            tmp_path / "index",
            [
                study(f"NCT{number:08}", Condition=["lupus"] * number, BriefTitle="gout " * number)
                for number in range(first, first + 3)
            ],
        )
    snapshot = Snapshot(tmp_path / "index")
    for docs in ([0, 2, 3, 5], [1], [4, 5], [], [0, 1, 2, 3, 4, 5]):
        held = snapshot.values_of(np.array(docs, np.uint32))
        found = [{field: starts[1:] for field, starts in snapshot.starts(doc).items()} for doc in docs]
        assert [
            {field: starts[1:] for field, starts in held.of_document(at).items()} for at in range(len(docs))
        ] == found
        assert len(held.offsets) == len(docs) + 1
    snapshot.close()


def test_function_words_alone_find_nothing_and_it_is_said() -> None:
    for level in LEVELS:
        expansion = Expansion(known())
        found = expand(Expanded(level, Words("of the")), expansion)
        assert str(found) == "of the"
        assert expansion.notes == ["of the: nothing but function words, which are in every trial"]


def test_what_a_term_becomes() -> None:
    def widened(query: Query) -> Query:
        return expand(query, Expansion(known()))

    exact = widened(Covered("EndsWith", Expanded("None", Words("Lupus nephritis"))))
    assert exact == Verified("Lupus nephritis", "EndsWith", Near(("lupus", "nephriti"), ends=True))
    term = widened(Expanded("Term", Words("lupus")))
    assert isinstance(term, Best)
    assert [(way.how, way.part, way.weight) for way in term.ways] == [("typed", Term("lupus"), 1.0)]
    lossy = widened(Expanded("Lossy", Words("lupus children")))
    assert isinstance(lossy, Tiers)
    assert len(lossy.parts) == 3
    # One word has no parts to miss.
    assert widened(Expanded("Lossy", Words("lupus"))) == widened(Words("lupus"))
    # What is denied has other names, and no guessed spellings.
    denied = widened(Not(Expanded("Relaxation", Words("cyclofosfamide"))))
    assert isinstance(denied, Not)
    assert isinstance(denied.part, Best)
    assert {way.how for way in denied.part.ways} == {"typed"}


def test_names_of_parts_of_a_phrase_are_not_asked(titles: _Trials) -> None:
    assert titles.found(Phrase("Myocardial infarction care")) == {"synonym"}
    assert "exact" not in titles.found(Expanded("Concept", Words("Myocardial infarction care")))
    assert "exact" in titles.found(Words("Myocardial infarction care"))


# The very text


@pytest.mark.parametrize(
    ("text", "value", "has"),
    [
        ("HIV", "HIV infection", True),
        ("HIV", "hiv infection", False),
        ("HIV", "HIV-1 infection", True),
        ("HIV", "HIVs", False),
        ("HIV", "HIV1", False),
        ("IL-2", "An IL-2 study", True),
        ("IL-2", "An IL 2 study", False),
        ("Sjögren", "Sjögren syndrome", True),
        ("Sjögren", "Sjo\u0308gren syndrome", True),
        ("Sjögren", "Sjogren syndrome", False),
        ("heart  attack", "heart\n\tattack", True),
        ("heart attack", "heart-attack", False),
        ("lupus (SLE)", "Of lupus (SLE), old", True),
        ("lupus (SLE)", "Of lupus SLE, old", False),
    ],
)
def test_an_exact_text(text: str, value: str, has: bool) -> None:
    snapshot: Any = PlainSnapshot([study("NCT00000001", BriefTitle=value)])
    widened = expand(Expanded("None", Words(text)), Expansion(IndexLexicon(snapshot)))
    assert len(Evaluator(snapshot).match(widened)) == has


def test_an_exact_text_is_found_in_parts_of_the_criteria_in_codes_and_in_fields_of_the_area_only(
    tmp_path: Any,
) -> None:
    text = "Inclusion Criteria:\n\n* Adults with Gout\n\nExclusion Criteria:\n\n* gout of the knee"
    criteria = study("NCT00000001", EligibilityCriteria=text, Phase=["PHASE2"], BriefTitle="gout")
    snapshot = Snapshot(make_index(tmp_path / "index", [criteria]))
    evaluator = Evaluator(snapshot)

    def found(area: str, text: str) -> bool:
        exact = In(area, Expanded("None", Words(text)))
        return bool(len(evaluator.match(expand(exact, Expansion(IndexLexicon(snapshot))))))

    assert found("EligibilityCriteria", "Gout")
    assert found("EligibilityCriteria", "gout of the knee")
    assert found("Inclusion", "with Gout")
    assert not found("Inclusion", "gout of the knee")
    assert not found("BriefTitle", "Gout")
    assert found("Phase", "Phase 2")
    assert not found("Phase", "phase 2")
    snapshot.close()


@pytest.mark.parametrize(
    ("area", "how", "text", "stands"),
    [
        # Of the whole text the heading is the beginning; of its part the first line is.
        ("EligibilityCriteria", "StartsWith", "adults with gout", False),
        ("Inclusion", "StartsWith", "adults with gout", True),
        ("EligibilityCriteria", "EndsWith", "of the knee", True),
        ("EligibilityCriteria", "EndsWith", "adults with gout", False),
        ("Inclusion", "EndsWith", "adults with gout", True),
    ],
)
def test_criteria_are_one_value_where_they_are_asked_as_one(
    tmp_path: Any, area: str, how: str, text: str, stands: bool
) -> None:
    criteria = "Inclusion Criteria:\n\n* Adults with Gout\n\nExclusion Criteria:\n\n* Gout of the knee"
    snapshot = Snapshot(make_index(tmp_path / "index", [study("NCT00000001", EligibilityCriteria=criteria)]))
    widened = expand(In(area, Covered(how, Phrase(text))), Expansion(IndexLexicon(snapshot)))
    assert bool(len(Evaluator(snapshot).match(widened))) is stands
    snapshot.close()


def test_why_tells_the_level(titles: _Trials) -> None:
    def why(name: str, query: Query) -> list[str]:
        doc = list(TITLES).index(name)
        return [str(one) for one in matches(titles.evaluator, titles.widened(query), doc, "BasicSearch")]

    exact = Expanded("None", Words("Heart attack"))
    assert why("exact", exact) == ["Heart attack: exactly so (BriefTitle)"]
    assert why("case", exact) == []
    assert why("synonym", Phrase("heart attack")) == [
        '"heart attack": synonym myocardial infarction (BriefTitle)'
    ]
    lossy = Expanded("Lossy", Words("heart attack"))
    assert why("missing", lossy) == [
        "Heart: as typed (BriefTitle)".lower().replace("brieftitle", "BriefTitle")
    ]
    assert why("exact", Tilted("StartDate", Words("care"))) == ["care: as typed (BriefTitle)"]


# The slope

DATES = {"old": "2001", "new": "2020-05", "newer": "2020-05-02", "middle": "2010-03", "same": "2010-03-31"}


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Trials]:
    names = [*DATES, "never"]
    trials = _Trials(
        tmp_path_factory.mktemp("dated"), BriefTitle=dict.fromkeys(names, "Gout"), StartDate=DATES
    )
    yield trials
    trials.snapshot.close()


def test_a_tilt_falls_with_the_value_and_halves_what_has_none(dated: _Trials) -> None:
    plain, tilted = dated.scores(Words("gout")), dated.scores(Tilted("StartDate", Words("gout")))
    factors = {name: tilted[name] / plain[name] for name in plain}
    # By their last days: 2020-05 is 2020-05-31, 2010-03 is 2010-03-31. Of five values, so many are lower.
    lower = {"old": 0, "middle": 1, "same": 1, "newer": 3, "new": 4}
    assert factors == pytest.approx({name: 0.5 + 0.5 * n / 4 for name, n in lower.items()} | {"never": 0.5})


def test_a_tilt_finds_what_its_part_finds_and_its_explanation_adds_up(dated: _Trials) -> None:
    query = dated.widened(Tilted("StartDate", Words("gout")))
    top = dated.evaluator.top(query, "BasicSearch", 2)
    assert top.total == 6
    assert [dated.names[dated.snapshot.key(doc)] for doc in top.docs.tolist()] == ["new", "newer"]
    explanation = explain(dated.evaluator, query, 0)
    assert explanation is not None
    assert explanation.text == "tilted by StartDate: score x 0.5"
    (below,) = explanation.parts
    assert explanation.score == pytest.approx(0.5 * below.score)


def test_a_tilt_where_all_have_one_value_takes_nothing_off(tmp_path: Any) -> None:
    trials = _Trials(tmp_path, BriefTitle={"a": "Gout", "b": "Gout"}, StartDate={"a": "2001"})
    plain, tilted = trials.scores(Words("gout")), trials.scores(Tilted("StartDate", Words("gout")))
    assert tilted == pytest.approx({"a": plain["a"], "b": plain["b"] / 2})
    trials.snapshot.close()


def test_of_several_values_the_greatest_tilts(tmp_path: Any) -> None:
    dates = {"NCT00000001": ["2001-01-01", "2020-01-01"], "NCT00000002": ["2010-01-01"], "NCT00000003": []}
    studies = [
        study(nct_id, BriefTitle="Gout")
        | {"documentSection": {"largeDocumentModule": {"largeDocs": [{"date": day} for day in held]}}}
        for nct_id, held in dates.items()
    ]
    snapshot = Snapshot(make_index(tmp_path / "index", studies))
    tilt = Evaluator(snapshot).tilt("LargeDocDate")
    assert tilt.factors(snapshot.docs()).tolist() == [1.0, 0.5, 0.5]
    snapshot.close()


def test_any_query_is_a_filter(titles: _Trials) -> None:
    for query in (Words("heart attack"), Not(Phrase("heart attack")), In("BriefTitle", Words("lung"))):
        widened = titles.widened(query)
        mask = titles.evaluator.mask(widened, "BasicSearch")
        assert mask.nonzero()[0].tolist() == titles.evaluator.match(widened).tolist()
        assert titles.evaluator.mask(widened, "BasicSearch") is mask or isinstance(query, In)


# All of it, on random trials

SOME = """heart Heart hearts attack attacks the of IL-2 IL 2 il follow-up followup follow up myocardial
infarction MI Sjögren sjogren care lung""".split()
VALUE = st.lists(st.sampled_from(SOME), min_size=1, max_size=5).map(" ".join)
TRIAL = st.tuples(st.none() | VALUE, st.lists(VALUE, max_size=3))
TERM = st.lists(st.sampled_from(SOME), min_size=1, max_size=3).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    trials=st.lists(TRIAL, min_size=1, max_size=8),
    text=TERM | st.just("heart attack") | st.just("MI"),
    area=st.sampled_from(["BasicSearch", "Condition", "BriefTitle"]),
    quoted=st.booleans(),
)
def test_each_level_finds_more_and_each_coverage_less(
    trials: list[tuple[str | None, list[str]]], text: str, area: str, quoted: bool
) -> None:
    studies = [
        study(f"NCT{number:08}", **({"BriefTitle": title} if title else {}), Condition=values)
        for number, (title, values) in enumerate(trials, 1)
    ]
    snapshot: Any = PlainSnapshot(studies)
    snapshot.vocabulary = Vocabulary.of(CONCEPTS)
    evaluator = Evaluator(snapshot)
    term: Query = Phrase(text) if quoted else Words(text)

    def found(query: Query) -> dict[int, float]:
        widened = expand(In(area, query), Expansion(IndexLexicon(snapshot)))
        return dict(zip(*map(list, evaluator.found(widened)), strict=True))

    by_level = [found(Expanded(level, term)) for level in LEVELS]
    for narrower, wider in pairwise(by_level):
        assert narrower.keys() <= wider.keys()
    for level in LEVELS[:3]:
        full, starts, ends, anywhere = (
            found(Covered(how, Expanded(level, term))).keys()
            for how in ("FullMatch", "StartsWith", "EndsWith", "Contains")
        )
        assert full <= starts & ends
        assert starts | ends <= anywhere
    for how in COVERAGES:
        by_level = [found(Covered(how, Expanded(level, term))) for level in LEVELS[:3]]
        for narrower, wider in pairwise(by_level):
            assert narrower.keys() <= wider.keys()
    lossy = found(Expanded("Lossy", term))
    tiers = [found(Expanded(level, term)).keys() for level in ("Concept", "Relaxation", "Lossy")]
    if len(text.split()) > 1 and not quoted:
        for upper, lower in pairwise(tiers):
            better = [lossy[doc] for doc in upper]
            worse = [lossy[doc] for doc in lower - upper]
            assert min(better, default=1e9) >= max(worse, default=0.0)
