"""Evaluation against a brute-force oracle, and what each node finds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import Oracle
from plain_snapshot import PlainSnapshot
from small import check_sums, make_index, study
from trialindex.dates import Age
from trialindex.errors import QueryError
from trialindex.snapshot import Snapshot
from trialsearch import leaves, nodes, pruning
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand
from trialsearch.explain import explain
from trialsearch.lexicon import IndexLexicon
from trialsearch.limits import cut_short
from trialsearch.lists import Leaf, best_first
from trialsearch.parse import parse
from trialsearch.query import (
    COVERAGES,
    AgeIs,
    All,
    And,
    Best,
    Boost,
    Code,
    Covered,
    Expanded,
    Fuzzy,
    Group,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Optional,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Tiers,
    Tilted,
    Unless,
    Verified,
    Way,
    Wildcard,
    Within,
    Words,
)

# Made-up words that no stemmer, plural, spelling or stop word touches.
# Two are others joined: whoever writes `zab kad` may mean what others write `zabkad`.
MADE_UP = "zab zob zub kad kod kud mof muf vak vok wuk zabkad kodzob".split()
TEXT = ["BriefTitle", "OfficialTitle", "Condition", "BriefSummary", "InterventionName", "Keyword"]
LISTED = {"Condition", "Keyword", "InterventionName", "LocationCity"}
DATES = ["2010", "2010-03", "2010-03-15", "2011-12-31", "2012-02", "2012-02-29", "2013"]
AGES = ["6 Months", "1 Year", "18 Years", "34 Years", "65 Years"]


def _random_trial(choose: random.Random) -> dict[str, list[str]]:
    trial: dict[str, list[str]] = {}
    for piece in [*TEXT, "LocationCity"]:
        if choose.random() < 0.7:
            values = choose.randint(1, 2) if piece in LISTED else 1
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


def _study(nct_id: str, trial: dict[str, list[str]]) -> dict[str, Any]:
    pieces: dict[str, object] = {}
    for piece, values in trial.items():
        one = piece not in LISTED | {"Phase", "LocationCountry"}
        pieces[piece] = int(values[0]) if piece == "EnrollmentCount" else values[0] if one else values
    return study(nct_id, **pieces)


def _oracle(trials: dict[str, dict[str, list[str]]], deleted: list[str]) -> Oracle:
    """Return the oracle of trials as the index sees them: with their ids and countries as fields."""
    seen = {
        name: trial
        | {"NCTId": [name]}
        | ({"Country": trial["LocationCountry"]} if "LocationCountry" in trial else {})
        for name, trial in trials.items()
    }
    return Oracle(seen, deleted)


Corpus = tuple[Oracle, list[Evaluator]]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Corpus]]:
    """Random corpora, the last with deleted trials: each by snapshots without and with bounds of blocks, and,
    where nothing is deleted, by an index on disk.
    """
    made = []
    for seed, (size, gone) in enumerate(((1, 0), (7, 0), (40, 0), (40, 9))):
        choose = random.Random(seed)
        # Trials of equal text have equal scores: ties are decided by id, which is not the order of documents.
        texts = [_random_trial(choose) for _ in range(max(1, size * 3 // 4))]
        names = [f"NCT{number:08}" for number in range(1, size + 1)]
        choose.shuffle(names)
        trials = {name: choose.choice(texts) for name in names}
        studies = [_study(name, trial) for name, trial in trials.items()]
        deleted = choose.sample(range(size), gone)
        snapshots: list[Any] = [
            PlainSnapshot(studies, deleted=deleted),
            PlainSnapshot(studies, deleted=deleted, block=2, best=3),
        ]
        if not deleted:
            snapshots.append(Snapshot(make_index(tmp_path_factory.mktemp("random") / "index", studies)))
        oracle = _oracle(trials, [names[doc] for doc in deleted])
        made.append((oracle, [Evaluator(snapshot) for snapshot in snapshots]))
    yield made
    for _, evaluators in made:
        for evaluator in evaluators:
            evaluator.snapshot.close()


WORD = st.sampled_from([*MADE_UP, "qux"])
PLACED = st.sampled_from([*MADE_UP, "qux", ""])
SEQUENCE = st.tuples(WORD, PLACED, WORD) | st.tuples(WORD, WORD) | st.tuples(WORD)
FREQUENT = st.one_of(
    WORD.map(Term),
    st.builds(Near, SEQUENCE, st.integers(0, 3) | st.just(99)),
    st.builds(Near, SEQUENCE, st.integers(0, 3), st.sampled_from(["zab", "kod", "wuk"])),
    st.builds(Near, SEQUENCE, st.just(0), st.just(""), st.booleans(), st.booleans()),
    st.builds(Near, SEQUENCE.map(lambda words: ("", *words)), st.just(0), st.just(""), st.booleans()),
    st.builds(Within, st.lists(WORD, min_size=1, max_size=3).map(tuple), st.integers(1, 6) | st.just(99)),
)
TEXT_NODES = st.one_of(
    FREQUENT,
    FREQUENT,
    st.lists(FREQUENT, min_size=1, max_size=3).map(lambda parts: Group(tuple(parts))),
    st.sampled_from(["z", "zo", "k", "q"]).map(Prefix),
    st.sampled_from(["z?b", "*", "?u*", "mof", "*f", "k*d", "q*"]).map(Wildcard),
    st.builds(Fuzzy, st.sampled_from(["zab", "kado", "vok", "quux"]), st.integers(0, 3), st.integers(0, 2)),
)
VALUES = st.one_of(
    st.builds(Code, st.just("Phase"), st.sampled_from(["PHASE1", "PHASE2", "NA", "PHASE4"])),
    st.builds(Code, st.just("Sex"), st.sampled_from(["FEMALE", "ALL"])),
    st.builds(Name, st.just("Country"), st.sampled_from(["france", "spain", "peru"])),
    st.builds(
        Missing,
        st.sampled_from(["Phase", "StartDate", "BriefTitle", "Country", "EnrollmentCount", "LocationCity"]),
    ),
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
    st.sampled_from([All(), Nothing("the")]),
)
AREA = st.sampled_from(
    [
        "TitleSearch",
        "Condition",
        "InterventionName",
        "ConditionSearch",
        "LocationCity",
        "BasicSearch/headline",
    ]
)
WEIGHT = st.sampled_from([1.0, 0.9, 0.5, 0.25])


def _best(ways: list[tuple[Query, float]]) -> Best:
    return Best("asked", tuple(Way("typed", "asked", part, weight) for part, weight in ways))


SELECTING = st.recursive(
    VALUES,
    lambda below: st.one_of(
        st.lists(below, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(below, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        below.map(Not),
    ),
    max_leaves=3,
)
TELLING = WORD.map(Term) | st.builds(Near, SEQUENCE, st.integers(0, 3))


def _held_back(part: Query, typed: Query, weight: float) -> Best:
    return Best("asked", (Way("typed", "asked", typed), Way("synonym", "other", part, weight, typed)))


EXACT = st.lists(WORD, min_size=1, max_size=2).map(" ".join)
TREES = st.recursive(
    st.one_of(TEXT_NODES, TEXT_NODES, st.builds(In, AREA, TEXT_NODES), VALUES),
    lambda below: st.one_of(
        st.lists(below, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(below, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        st.lists(st.tuples(below, WEIGHT), min_size=1, max_size=3).map(_best),
        st.builds(_held_back, TELLING, TELLING, WEIGHT),
        below.map(Not),
        st.builds(In, AREA, below),
        st.builds(Boost, below, WEIGHT),
        st.builds(Optional, below, below),
        st.builds(Unless, below, SELECTING),
        st.builds(Tilted, st.sampled_from(["StartDate", "EnrollmentCount", "MinimumAge"]), below),
        st.builds(Verified, EXACT, st.sampled_from(COVERAGES), below),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: Tiers("asked", tuple(parts))),
    ),
    max_leaves=8,
)


def _by_id(evaluator: Evaluator, docs: Any, scores: Any) -> dict[str, float]:
    keys = [evaluator.snapshot.key(doc) for doc in docs.tolist()]
    return dict(zip(keys, scores.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(tree=TREES, which=st.integers(0, 3))
def test_documents_and_scores_are_those_of_the_oracle(corpora: list[Corpus], tree: Query, which: int) -> None:
    oracle, evaluators = corpora[which]
    wanted = oracle.answer(tree)
    for evaluator in evaluators:
        found = evaluator.found(tree)
        assert np.all(found.docs[1:] > found.docs[:-1])
        assert found.docs.dtype == np.uint32
        assert _by_id(evaluator, *found) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(tree=TREES, which=st.integers(0, 3), asked=st.integers(0, 2**40))
def test_some_documents_are_scored_as_all_are(
    corpora: list[Corpus], tree: Query, which: int, asked: int
) -> None:
    _, evaluators = corpora[which]
    for evaluator in evaluators:
        docs = np.array([doc for doc in range(evaluator.size) if asked >> doc & 1], np.uint32)
        (found,) = evaluator.listed([tree], "BasicSearch")
        scores = dict(zip(found.docs.tolist(), found.scores().tolist(), strict=True))
        assert evaluator.met(tree, "BasicSearch", docs).tolist() == [doc in scores for doc in docs.tolist()]
        wanted = [scores.get(doc, 0.0) for doc in docs.tolist()]
        assert evaluator.score(tree, "BasicSearch", docs).tolist() == wanted


@settings(max_examples=80, deadline=None)
@given(tree=TREES, which=st.integers(0, 3), asked=st.lists(st.integers(0, 2**40), min_size=1, max_size=3))
def test_who_asks_for_a_few_documents_gets_what_who_asks_for_all_gets(
    corpora: list[Corpus], tree: Query, which: int, asked: list[int]
) -> None:
    _, evaluators = corpora[which]
    for evaluator in evaluators:
        scores = dict(zip(*map(list, evaluator.found(tree)), strict=True))
        with pytest.MonkeyPatch.context() as patched:
            # However many they are, they are few against any phrase; the lists of phrases are not made yet.
            patched.setattr(leaves, "_FEW_OF", 0)
            fresh = Evaluator(evaluator.snapshot)
            for chosen in [asked[0], *asked]:
                every = [doc for doc in range(evaluator.size) if chosen >> doc & 1]
                docs = np.intersect1d(every, evaluator.snapshot.docs()).astype(np.uint32)
                assert fresh.met(tree, "BasicSearch", docs).tolist() == [doc in scores for doc in docs]
                wanted = [scores.get(doc, 0.0) for doc in docs]
                assert fresh.score(tree, "BasicSearch", docs).tolist() == pytest.approx(wanted)


UNIONS = st.one_of(
    TEXT_NODES,
    st.lists(TEXT_NODES, min_size=2, max_size=5).map(lambda parts: Or(tuple(parts))),
    st.lists(st.tuples(TEXT_NODES, WEIGHT), min_size=1, max_size=4).map(_best),
    st.lists(TREES, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
)


@settings(max_examples=300, deadline=None)
@given(
    tree=st.one_of(TREES, UNIONS, st.builds(In, AREA, UNIONS)),
    which=st.integers(0, 3),
    k=st.integers(0, 20),
    mask=st.none() | st.integers(0, 2**40),
    fewest=st.sampled_from([0, 3, 40]),
)
def test_the_best_are_the_first_of_all_scored_exhaustively(
    corpora: list[Corpus], tree: Query, which: int, k: int, mask: int | None, fewest: int
) -> None:
    _, evaluators = corpora[which]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pruning, "EXHAUSTIVE", 0)
        for evaluator in evaluators:
            allowed = None
            if mask is not None:
                allowed = np.array([bool(mask >> doc & 1) for doc in range(evaluator.size)])
            docs, scores = evaluator.found(tree)
            if allowed is not None:
                docs, scores = docs[allowed[docs]], scores[allowed[docs]]
            every = [(-score, evaluator.snapshot.key(doc)) for doc, score in zip(docs, scores, strict=True)]
            top = evaluator.top(tree, "BasicSearch", k, allowed, fewest)
            found = [(-s, evaluator.snapshot.key(d)) for d, s in zip(top.docs, top.scores, strict=True)]
            assert found == sorted(every)[:k]
            assert top.total == len(every)


@settings(max_examples=100, deadline=None)
@given(tree=TREES, which=st.integers(0, 3))
def test_an_explanation_adds_up_to_the_score(corpora: list[Corpus], tree: Query, which: int) -> None:
    _, evaluators = corpora[which]
    evaluator = evaluators[0]
    found = evaluator.found(tree)
    for doc, score in zip(found.docs[:5].tolist(), found.scores[:5].tolist(), strict=True):
        explanation = explain(evaluator, tree, doc)
        assert explanation is not None
        assert explanation.score == pytest.approx(score)
        check_sums(explanation)


@settings(max_examples=60, deadline=None)
@given(tree=TREES)
def test_of_no_trials_none_is_found(tree: Query) -> None:
    evaluator = Evaluator(PlainSnapshot([]))  # type: ignore[arg-type]
    assert evaluator.match(tree).tolist() == []
    assert evaluator.top(tree, "BasicSearch", 5).total == 0


def test_every_node_that_evaluation_may_meet_is_evaluated_on_arrays() -> None:
    parsed_only = {Words, Phrase, Expanded, Covered}
    made = set(get_args(Query)) - parsed_only
    assert made == (nodes.FULL.keys() & nodes.AT.keys()) | leaves.LISTED


def test_scores_by_hand() -> None:
    """Three trials, asked in titles: acronym 0.99, brief title 0.95, official title 0.8."""
    snapshot = PlainSnapshot(
        [
            study("NCT00000001", BriefTitle="zab kad", OfficialTitle="zab zab mof"),
            study("NCT00000002", BriefTitle="kad"),
            study("NCT00000003", OfficialTitle="mof kad vak vok"),
        ]
    )
    evaluator = Evaluator(snapshot)  # type: ignore[arg-type]
    lengths = [2 * 0.95 + 3 * 0.8, 0.95, 4 * 0.8]
    mean = (4.3 + 0.95 + 3.2) / 3
    zab = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    kad = math.log(1 + (3 - 3 + 0.5) / (3 + 0.5))
    mof = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))

    def bm25f(idf: float, tf: float, doc: int) -> float:
        return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * lengths[doc] / mean))

    def scores(query: Query) -> list[float]:
        return evaluator.found(query, "TitleSearch").scores.tolist()  # type: ignore[no-any-return]

    assert scores(Term("zab")) == pytest.approx([bm25f(zab, 0.95 + 2 * 0.8, 0)])
    assert scores(Term("kad")) == pytest.approx(
        [bm25f(kad, 0.95, 0), bm25f(kad, 0.95, 1), bm25f(kad, 0.8, 2)]
    )
    # A phrase is as frequent as it stands there, and as telling as its words.
    assert scores(Near(("zab", "mof"))) == pytest.approx([bm25f(zab + mof, 0.8, 0)])
    # A group is one word that two of three trials have, in the first of them 0.95 + 0.8 x 2 + 0.8 times.
    both = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert scores(Group((Term("zab"), Term("mof")))) == pytest.approx(
        [bm25f(both, 0.95 + 0.8 * 3, 0), bm25f(both, 0.8, 2)]
    )
    assert scores(And((Term("mof"), Term("kad")))) == pytest.approx(
        [bm25f(mof, 0.8, 0) + bm25f(kad, 0.95, 0), bm25f(mof, 0.8, 2) + bm25f(kad, 0.8, 2)]
    )


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluator]:
    studies = [
        study("NCT00000001", BriefTitle="zab kad mof"),
        study("NCT00000002", BriefTitle="zab vak mof"),
        study("NCT00000003", BriefTitle="mof zab"),
        study("NCT00000004", BriefTitle="zab", OfficialTitle="mof"),
        study("NCT00000005", Condition=["kad zab", "mof wuk"]),
        study("NCT00000006", BriefTitle="zab vak vok mof"),
    ]
    snapshot = Snapshot(make_index(tmp_path_factory.mktemp("words") / "index", studies))
    yield Evaluator(snapshot)
    snapshot.close()


def _found(evaluator: Evaluator, query: Query, area: str = "BasicSearch") -> list[str]:
    return sorted(evaluator.snapshot.key(doc)[-1] for doc in evaluator.match(query, area).tolist())


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
        (Near(("",)), []),
        # No phrase and no window spans two values of a field.
        (Near(("zab", "mof"), 50), ["1", "2", "6"]),
        (Near(("zab", *[""] * 16, "mof")), []),
        (Near(("zab", *[""] * 17, "mof")), []),
        (Within(("mof", "zab"), 50), ["1", "2", "3", "6"]),
        (Within(("mof", "zab"), 2), ["3"]),
        (Within(("mof", "zab"), 3), ["1", "2", "3"]),
        (Within(("mof", "zab"), 0), []),
        (Within((), 5), []),
        (Near(("kad", "zab")), ["5"]),
        (Nothing("the"), []),
        (Not(Term("zab")), []),
        (And((Not(Term("vak")), Not(Term("kad")))), ["3", "4"]),
        (Group(()), []),
        (Wildcard("v?k"), ["2", "6"]),
        (Wildcard("VO*"), ["6"]),
        (Wildcard("v"), []),
        (Fuzzy("vek"), ["2", "6"]),
        (Fuzzy("vek", 0), []),
        (Fuzzy("sak", 1, 0), ["2", "6"]),
        (Fuzzy("sak", 1, 1), []),
        (Fuzzy("", 2, 0), []),
        (Optional(Term("vok"), Term("kad")), ["6"]),
        (Boost(Term("vok"), 0.0), ["6"]),
    ],
)
def test_what_a_node_finds(words: Evaluator, query: Query, found: list[str]) -> None:
    assert _found(words, query) == found


@pytest.fixture(scope="module")
def lungs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluator]:
    titles = [
        "Small cell lung cancer",
        "Non-small cell lung cancer",
        "Nonsmall cell lung cancer",
        "Non small-cell lung cancer",
        "Small cell lung cancer, not non-small cell lung cancer",
        "A non-smoker with small cell lung cancer",
    ]
    studies = [study(f"NCT0000000{number}", BriefTitle=title) for number, title in enumerate(titles, 1)]
    studies.append(
        study("NCT00000007", BriefTitle="Non-small cell lung cancer", Condition=["Small cell lung cancer"])
    )
    # No value denies the next one.
    studies.append(study("NCT00000008", Keyword=["non", "small cell lung cancer"]))
    snapshot = Snapshot(make_index(tmp_path_factory.mktemp("lungs") / "index", studies))
    yield Evaluator(snapshot)
    snapshot.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Near(("small", "cell", "lung", "cancer"), 0, "non"), ["1", "5", "6", "7", "8"]),
        (Near(("small", "cell", "lung", "cancer"), 1, "non"), ["1", "5", "6", "7", "8"]),
        (Near(("small", "cell", "lung", "cancer")), ["1", "2", "4", "5", "6", "7", "8"]),
        (Near(("small", "cell", "lung", "cancer"), 0, "xyz"), ["1", "2", "4", "5", "6", "7", "8"]),
        (Near(("", "small", "cell"), 0, "non"), ["1", "5", "6", "7", "8"]),
        (Near(("nonsmal", "cell", "lung"), 0, "non"), ["3"]),
        # The word before it, not the one before that; and only the first word of a name is denied.
        (Near(("cell", "lung", "cancer"), 0, "small"), ["3"]),
        (Near(("cell", "lung", "cancer"), 0, "non"), ["1", "2", "3", "4", "5", "6", "7", "8"]),
    ],
)
def test_a_phrase_is_not_met_where_it_is_denied(lungs: Evaluator, query: Near, found: list[str]) -> None:
    assert _found(lungs, query) == found
    # Nor counted there, wherever it is asked.
    for doc, key in enumerate("12345678"):
        assert lungs.finds(query, doc) is (key in found)
        assert bool(lungs.frequencies(query, doc, "BasicSearch")) is (key in found)


def test_how_often_a_phrase_that_is_denied_elsewhere_stands_somewhere(lungs: Evaluator) -> None:
    asked, plain = (Near(("small", "cell", "lung", "cancer"), 0, denied) for denied in ("non", ""))
    assert lungs.frequencies(asked, 4, "BriefTitle") == {"BriefTitle": 1}
    assert lungs.frequencies(plain, 4, "BriefTitle") == {"BriefTitle": 2}
    assert lungs.frequencies(asked, 6, "BasicSearch") == {"Condition": 1}
    # The two are different lists, also between queries.
    assert lungs.score_of(asked, 4) < lungs.score_of(plain, 4)
    assert lungs.score_of(asked, 0) == lungs.score_of(plain, 0)
    explanation = explain(lungs, asked, 4)
    assert explanation is not None
    check_sums(explanation)


def test_unless_leaves_trials_out_and_scores_the_others_as_its_part() -> None:
    studies = [
        study("NCT00000001", BriefTitle="zab zab", Phase=["PHASE1"]),
        study("NCT00000002", BriefTitle="zab", Phase=["PHASE2"]),
        study("NCT00000003", BriefTitle="kad", Phase=["PHASE2"]),
        study("NCT00000004", BriefTitle="zab kad mof"),
    ]
    evaluator = Evaluator(PlainSnapshot(studies))  # type: ignore[arg-type]
    whole = _by_id(evaluator, *evaluator.found(Term("zab")))
    left = Unless(Term("zab"), Code("Phase", "PHASE2"))
    assert _by_id(evaluator, *evaluator.found(left)) == {
        trial: score for trial, score in whole.items() if trial != "NCT00000002"
    }
    assert _found(evaluator, Unless(Term("zab"), Nothing(""))) == ["1", "2", "4"]
    assert _found(evaluator, Unless(Term("zab"), All())) == []
    assert _found(evaluator, Unless(Term("zab"), Or((Code("Phase", "PHASE2"), Missing("Phase"))))) == ["1"]
    assert evaluator.top(left, "BasicSearch", 1).total == 2
    assert explain(evaluator, left, 1) is None
    assert explain(evaluator, left, 0) == explain(evaluator, Term("zab"), 0)


def test_the_best_way_gives_the_score(words: Evaluator) -> None:
    typed = _by_id(words, *words.found(Term("vok")))
    other = _by_id(words, *words.found(Term("zab")))
    best = Best("vok", (Way("typed", "vok", Term("vok")), Way("synonym", "zab", Term("zab"), 0.5)))
    found = _by_id(words, *words.found(best))
    assert found == {trial: max(typed.get(trial, 0.0), 0.5 * other[trial]) for trial in other}


@pytest.mark.parametrize("query", [Words("zab"), Not(Phrase("zab")), Group((And((Term("a"), Term("b"))),))])
def test_what_is_not_expanded_or_has_no_frequency_is_refused(words: Evaluator, query: Query) -> None:
    with pytest.raises(QueryError):
        words.found(query)


def test_an_explanation_mirrors_the_formula(words: Evaluator) -> None:
    (doc,) = words.match(Term("vok")).tolist()
    assert explain(words, Term("kad"), doc) is None
    explanation = explain(words, Term("vok"), doc, "TitleSearch")
    assert explanation is not None
    rarity, tf, norm = explanation.parts
    assert rarity.score == math.log(1 + (6 - 1 + 0.5) / (1 + 0.5))
    assert (tf.score, [part.text for part in tf.parts]) == (0.95, ["BriefTitle: 0.95 x 1"])
    mean = 0.95 * (3 + 3 + 2 + 1 + 0 + 4) / 6 + 0.8 / 6
    assert norm.score == pytest.approx(1.2 * (0.25 + 0.75 * 4 * 0.95 / mean))
    assert explanation.score == pytest.approx(rarity.score * 2.2 * tf.score / (tf.score + norm.score))
    assert explanation.lines()[0].split()[0] == f"{explanation.score:.3f}"


def test_of_more_terms_than_a_prefix_may_mean_the_most_frequent_are_taken() -> None:
    # The registry's ids are words too, so `n` would be enough; these are made up.
    titles = [f"zub{number:04} wuk zubb" for number in range(1100)]
    snapshot = PlainSnapshot([study(f"NCT{n:08}", BriefTitle=title) for n, title in enumerate(titles, 1)])
    evaluator = Evaluator(snapshot)  # type: ignore[arg-type]
    for query in (Prefix("zub"), Wildcard("zub*")):
        meant = [term for term, _ in evaluator.terms_of(query, "BasicSearch")]
        assert len(meant) == 1024
        assert meant[0] == "zub"
        assert [*cut_short(evaluator, query, "BasicSearch")] == [
            f"{query} fits more than 1,024 words, and only those that most trials have are asked: write more"
            " letters"
        ]
    assert not evaluator.cut_short(Prefix("zub00"), "BasicSearch")


def test_ties_go_by_id_also_among_many() -> None:
    keys = np.array([f"NCT{number:08}".encode() for number in range(1000, 0, -1)], "S11")
    docs, scores = np.arange(1000, dtype=np.uint32), np.ones(1000)
    scores[7] = 2.0
    first, _ = best_first(docs, scores, 3, lambda some: keys[some])
    assert first.tolist() == [7, 999, 998]
    assert best_first(docs, scores, 0, lambda some: keys[some])[0].tolist() == []


def test_blocks_that_cannot_reach_a_threshold_are_left_out() -> None:
    sums = np.array([1, 1, 900, 1, 1, 1, 1, 1], np.uint32)
    norms = np.full(8, 100.0)
    leaf = Leaf(np.arange(8, dtype=np.uint32), sums=sums, norms=norms, idf=1.0, factor=2.2)
    saturated = sums / (sums + norms)
    blocks = np.maximum.reduceat(saturated, [0, 2, 4, 6]).astype(np.float32)
    leaf.bounded(float(saturated.max()), np.array([0, 2, 4, 6]), blocks, np.array([2]), float(saturated[0]))
    docs, scores = leaf.hopeful(1.0)
    assert docs.tolist() == [2]
    assert scores.tolist() == [2.2 * 900 / 1000]
    assert leaf._scores is None
    assert leaf.hopeful(5.0)[0].tolist() == []


@pytest.fixture(scope="module")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluator]:
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
    yield Evaluator(snapshot)
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
    stems: Evaluator, prefix: str, found: list[str]
) -> None:
    assert _found(stems, Prefix(prefix)) == found


def test_a_prefix_explains_itself(stems: Evaluator) -> None:
    for doc, score in zip(*stems.found(parse("mes*")), strict=True):
        explanation = explain(stems, Prefix("mes"), int(doc))
        assert explanation is not None
        assert explanation.score == score == explanation.parts[0].score


@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORD, min_size=2, max_size=3), which=st.integers(0, 3))
def test_a_run_of_words_finds_and_scores_what_all_of_them_do(
    corpora: list[Corpus], words: list[str], which: int
) -> None:
    oracle, (evaluator, *_) = corpora[which]
    lexicon = IndexLexicon(evaluator.snapshot)
    plain = Expansion(lexicon, synonyms=False, fuzzy=False)
    wanted = oracle.answer(Words(" ".join(words)))
    found = _by_id(evaluator, *evaluator.found(expand(Words(" ".join(words)), plain)))
    assert found == pytest.approx(wanted, abs=1e-6)
