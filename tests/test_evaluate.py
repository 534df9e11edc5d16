"""Evaluation against a brute-force oracle, and what each node finds."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import Oracle, near
from small import check_sums, make_index, study
from trialindex.dates import Age
from trialindex.storage import Snapshot
from trialindex.vocabulary import Vocabulary
from trialsearch.evaluate import Evaluator, _together, area_fields
from trialsearch.expand import Expansion, expand
from trialsearch.lexicon import IndexLexicon
from trialsearch.parse import parse
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Best,
    Close,
    Code,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Way,
    Words,
)

# Made-up words that no stemmer, plural, spelling or stop word touches.
MADE_UP = "zab zob zub kad kod kud mof muf vak vok wuk".split()
TEXT = ["BriefTitle", "OfficialTitle", "Condition", "BriefSummary", "InterventionName", "Keyword"]
LISTED = {"Condition", "Keyword", "InterventionName"}
DATES = ["2010", "2010-03", "2010-03-15", "2011-12-31", "2012-02", "2012-02-29", "2013"]
AGES = ["6 Months", "1 Year", "18 Years", "34 Years", "65 Years"]


def _random_trial(choose: random.Random) -> dict[str, list[str]]:
    trial: dict[str, list[str]] = {}
    for piece in TEXT:
        if choose.random() < 0.7:
            values = choose.randint(1, 2) if piece in LISTED else 1
            # At most ten words a field: above that Whoosh keeps lengths in steps.
            trial[piece] = [" ".join(choose.choices(MADE_UP, k=choose.randint(1, 5))) for _ in range(values)]
    for piece, choices in {
        "Phase": ["PHASE1", "PHASE2", "NA"],
        "Sex": ["FEMALE", "MALE", "ALL"],
        "StartDate": DATES,
        "MinimumAge": AGES,
        "MaximumAge": AGES,
        "EnrollmentCount": ["5", "50", "500"],
        "LocationCountry": ["france", "spain"],
    }.items():
        if choose.random() < 0.6:
            trial[piece] = choose.sample(choices, 2 if piece == "Phase" and choose.random() < 0.3 else 1)
    return trial


def _study(nct_id: str, trial: dict[str, list[str]]) -> dict[str, object]:
    pieces: dict[str, object] = {}
    for piece, values in trial.items():
        one = piece not in LISTED | {"Phase", "LocationCountry"}
        pieces[piece] = int(values[0]) if piece == "EnrollmentCount" else values[0] if one else values
    return study(nct_id, **pieces)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Oracle, Snapshot]]]:
    made = []
    for seed, size in enumerate((1, 7, 25)):
        choose = random.Random(seed)
        trials = {f"NCT{number:08}": _random_trial(choose) for number in range(1, size + 1)}
        folder = make_index(
            tmp_path_factory.mktemp("random") / "index",
            [_study(name, trial) for name, trial in trials.items()],
        )
        oracle = Oracle(
            {
                name: trial | ({"Country": trial["LocationCountry"]} if "LocationCountry" in trial else {})
                for name, trial in trials.items()
            }
        )
        made.append((oracle, Snapshot(folder)))
    yield made
    for _, snapshot in made:
        snapshot.close()


WORD = st.sampled_from([*MADE_UP, "qux"])
TEXT_NODES = st.one_of(
    WORD.map(Words),
    # A run of several words is compared as an And of them: closeness is a matter of its own.
    st.lists(WORD, min_size=2, max_size=3).map(lambda words: Phrase(" ".join(words))),
    st.sampled_from(["z", "zo", "k", "q"]).map(Prefix),
)
VALUES = st.one_of(
    st.builds(Code, st.just("Phase"), st.sampled_from(["PHASE1", "PHASE2", "NA", "PHASE4"])),
    st.builds(Code, st.just("Sex"), st.sampled_from(["FEMALE", "ALL"])),
    st.builds(Name, st.just("Country"), st.sampled_from(["france", "spain", "peru"])),
    st.builds(Missing, st.sampled_from(["Phase", "StartDate", "BriefTitle", "Country", "EnrollmentCount"])),
    st.builds(
        Range,
        st.just("StartDate"),
        st.one_of(st.none(), st.sampled_from(DATES)),
        st.one_of(st.none(), st.sampled_from(DATES)),
    ),
    st.builds(
        Range,
        st.just("EnrollmentCount"),
        st.sampled_from([None, "5", "6", "50"]),
        st.sampled_from([None, "49", "50", "500"]),
    ),
    st.sampled_from([Age(3.0, "month"), Age(17.0, "year"), Age(18.0, "year"), Age(70.0, "year")]).map(AgeIs),
    st.just(All()),
)
AREA = st.sampled_from(["TitleSearch", "Condition", "InterventionName", "ConditionSearch", "BasicSearch"])
TREES = st.recursive(
    st.one_of(TEXT_NODES, st.builds(In, AREA, TEXT_NODES), VALUES),
    lambda below: st.one_of(
        st.lists(below, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(below, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        below.map(Not),
        st.builds(In, AREA, below),
    ),
    max_leaves=7,
)


def _answer(snapshot: Snapshot, tree: Query) -> dict[str, float]:
    plain = Expansion(IndexLexicon(snapshot, Vocabulary([])), synonyms=False, fuzzy=False)
    scores = Evaluator(snapshot).scores(expand(tree, plain))
    return {snapshot.key(doc): score for doc, score in scores.items()}


@settings(max_examples=200, deadline=None)
@given(tree=TREES, which=st.integers(0, 2))
def test_documents_and_scores_are_those_of_the_oracle(
    corpora: list[tuple[Oracle, Snapshot]], tree: Query, which: int
) -> None:
    oracle, snapshot = corpora[which]
    wanted = oracle.answer(tree)
    assert _answer(snapshot, tree) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORD, min_size=2, max_size=3), which=st.integers(0, 2))
def test_a_run_of_words_finds_what_all_of_them_find_and_scores_no_less(
    corpora: list[tuple[Oracle, Snapshot]], words: list[str], which: int
) -> None:
    oracle, snapshot = corpora[which]
    wanted = oracle.answer(Words(" ".join(words)))
    found = _answer(snapshot, Words(" ".join(words)))
    assert found.keys() == wanted.keys()
    assert all(found[trial] >= wanted[trial] - 1e-9 for trial in found)


@settings(max_examples=60, deadline=None)
@given(tree=TREES, which=st.integers(0, 2))
def test_an_explanation_adds_up_to_the_score(
    corpora: list[tuple[Oracle, Snapshot]], tree: Query, which: int
) -> None:
    _, snapshot = corpora[which]
    plain = Expansion(IndexLexicon(snapshot, Vocabulary([])), synonyms=False, fuzzy=False)
    query = expand(tree, plain)
    evaluator = Evaluator(snapshot)
    for doc, score in evaluator.scores(query).items():
        explanation = evaluator.explain(query, doc)
        assert explanation is not None
        assert explanation.score == pytest.approx(score)
        check_sums(explanation)


PLACES = st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True).map(sorted)


@settings(deadline=None)
@given(places=st.lists(PLACES, min_size=2, max_size=4), slop=st.integers(0, 3))
def test_terms_stand_together_exactly_where_some_choice_of_places_does(
    places: list[list[int]], slop: int
) -> None:
    assert _together(places, list(range(len(places))), slop) == near(places, slop)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    studies = [
        study("NCT00000001", BriefTitle="zab kad mof"),
        study("NCT00000002", BriefTitle="zab vak mof"),
        study("NCT00000003", BriefTitle="mof zab"),
        study("NCT00000004", BriefTitle="zab", OfficialTitle="mof"),
        study("NCT00000005", Condition=["kad zab", "mof wuk"]),
        study("NCT00000006", BriefTitle="zab vak vok mof"),
    ]
    snapshot = Snapshot(make_index(tmp_path_factory.mktemp("words") / "index", studies))
    yield snapshot
    snapshot.close()


def _found(snapshot: Snapshot, query: Query, area: str = "BasicSearch") -> list[str]:
    return sorted(snapshot.key(doc)[-1] for doc in Evaluator(snapshot).scores(query, area))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Near(("zab", "mof")), []),
        (Near(("zab", "mof"), 1), ["1", "2"]),
        (Near(("zab", "mof"), 2), ["1", "2", "6"]),
        (Near(("zab", "", "mof")), ["1", "2"]),
        (Near(("zab", "", "", "mof")), ["6"]),
        (Near(("zab", "", "mof"), 1), ["1", "2", "6"]),
        (Near(("mof", "zab")), ["3"]),
        (Near(("mof", "zab"), 3), ["3"]),
        (Near(("zab", "zab")), []),
        (Near(("zab",)), ["1", "2", "3", "4", "5", "6"]),
        # No phrase spans two values of a field.
        (Near(("zab", "mof"), 50), ["1", "2", "6"]),
        (Near(("kad", "zab")), ["5"]),
        (Nothing("the"), []),
        (Not(Term("zab")), []),
        (And((Not(Term("vak")), Not(Term("kad")))), ["3", "4"]),
    ],
)
def test_what_a_node_finds(words: Snapshot, query: Query, found: list[str]) -> None:
    assert _found(words, query) == found


def test_the_best_way_gives_the_score(words: Snapshot) -> None:
    evaluator = Evaluator(words)
    typed, other = evaluator.scores(Term("vok")), evaluator.scores(Term("zab"))
    best = evaluator.scores(
        Best("vok", (Way("typed", "vok", Term("vok")), Way("synonym", "zab", Term("zab"), 0.5)))
    )
    assert best.keys() == other.keys()
    for doc, score in best.items():
        assert score == max(typed.get(doc, 0.0), 0.5 * other[doc])


def test_words_close_together_score_more_and_change_no_documents(words: Snapshot) -> None:
    evaluator = Evaluator(words)
    both = And((Term("zab"), Term("mof")))
    plain, close = evaluator.scores(both), evaluator.scores(Close(both, ("zab", "mof")))
    assert plain.keys() == close.keys()
    more = {words.key(doc)[-1] for doc in plain if close[doc] > plain[doc]}
    # 4 has them in two fields, 5 in two values.
    assert more == {"1", "2", "3", "6"}


def test_a_headline_is_the_part_of_an_area_that_holds_titles_and_names() -> None:
    assert "BriefSummary" in area_fields("BasicSearch")
    assert "BriefSummary" not in area_fields("BasicSearch/headline")
    assert area_fields("BasicSearch/headline")["BriefTitle"] == area_fields("BasicSearch")["BriefTitle"]
    assert area_fields("BriefTitle") == {"BriefTitle": 1.0}


def test_what_is_not_expanded_is_refused(words: Snapshot) -> None:
    with pytest.raises(TypeError, match="expanded"):
        Evaluator(words).scores(Words("zab"))


def test_an_explanation_of_what_is_not_found_is_none(words: Snapshot) -> None:
    evaluator = Evaluator(words)
    (doc,) = evaluator.scores(Term("vok"))
    assert evaluator.explain(Term("kad"), doc) is None
    explanation = evaluator.explain(Term("vok"), doc)
    assert explanation is not None
    assert [line.strip().split()[0] for line in explanation.lines()] == [f"{explanation.score:.3f}"] * 2


@pytest.fixture(scope="module")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    titles = [
        "Mesenchymal cells",
        "Nephritis therapies",
        "Oedema of the leg",
        "Cardiology clinic",
        "IL-2 given",
        "Mesh for hernias",
    ]
    studies = [study(f"NCT0000000{number}", BriefTitle=title) for number, title in enumerate(titles, 1)]
    snapshot = Snapshot(make_index(tmp_path_factory.mktemp("stems") / "index", studies))
    yield snapshot
    snapshot.close()


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("mes", ["1", "6"]),
        ("mesen", ["1"]),
        ("mesenchyma", ["1"]),
        ("mesenchymal", ["1"]),
        ("MESENCHYMAL", ["1"]),
        ("mesenchymata", []),
        ("nephritis", ["2"]),
        ("therapies", ["2"]),
        ("therapy", ["2"]),
        ("oedem", ["3"]),
        ("edem", ["3"]),
        ("cardiol", ["4"]),
        ("cardiova", []),
        ("IL-", ["5"]),
        ("il-2", ["5"]),
        ("il-12", []),
        ("hernial", ["6"]),
        ("zzz", []),
    ],
)
def test_a_prefix_meets_the_word_as_written_though_the_index_holds_stems(
    stems: Snapshot, prefix: str, found: list[str]
) -> None:
    assert _found(stems, Prefix(prefix)) == found


def test_a_prefix_explains_itself(stems: Snapshot) -> None:
    evaluator = Evaluator(stems)
    for doc, score in evaluator.scores(parse("mes*")).items():
        explanation = evaluator.explain(Prefix("mes"), doc)
        assert explanation is not None
        assert explanation.score == score == explanation.parts[0].score
