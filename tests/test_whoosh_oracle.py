"""The stock Whoosh searcher over the bridge against our evaluator: the same documents, order and scores.

Whoosh's matchers, unions, phrases and BM25 are its own; what both share is the postings (held against an
index that Whoosh wrote itself in `test_whoosh_bridge`) and the idf, which is ours (`Weighting`). Where Whoosh
2.7.4 is known to be wrong (`whoosh_sound.sound`) its classes are compared only where they are right.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh import query as theirs
from whoosh import searching

from helpers import SHARED, needs_shared
from small import study
from trialindex.formats import read_items
from trialindex.formats.record import SourceRecord
from trialindex.snapshot import Snapshot
from trialindex.storage import Writer
from trialsearch.evaluate import Evaluator
from trialsearch.query import (
    All,
    And,
    Best,
    Boost,
    Code,
    Fuzzy,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Optional,
    Or,
    Prefix,
    Query,
    Range,
    Term,
    Way,
    Wildcard,
    children,
)
from trialsearch.whoosh_bridge import (
    TINY,
    TrialReader,
    TrialSearcher,
    Weighting,
    from_whoosh,
    search,
    to_whoosh,
)

# Made-up words that no stemmer, plural, spelling or stop word touches.
MADE_UP = "zab zob zub kad kod kud mof muf vak vok wuk zabak".split()
TEXT = ("BriefTitle", "OfficialTitle", "BriefSummary", "Condition")
DATES = ("2010", "2010-03", "2010-03-15", "2011-12-31", "2012-02", "2012-02-29", "2013")
SLACK = 1e-5  # our norms are float32


def random_study(key: str, choose: random.Random) -> dict[str, Any]:
    """Return a study of made-up words; each piece may be missing."""
    pieces: dict[str, Any] = {}
    for piece in TEXT:
        if choose.random() < 0.7:
            values = [" ".join(choose.choices(MADE_UP, k=choose.randint(1, 8))) for _ in range(2)]
            pieces[piece] = values[: choose.randint(1, 2)] if piece == "Condition" else values[0]
    for piece, choices in {
        "Phase": (["PHASE1"], ["PHASE1", "PHASE2"], ["NA"]),
        "Sex": ("FEMALE", "MALE", "ALL"),
        "StartDate": DATES,
        "EnrollmentCount": (5, 50, 500),
        "LocationCountry": (["France"], ["Spain", "United States"]),
        "MinimumAge": ("6 Months", "18 Years"),
    }.items():
        if choose.random() < 0.6:
            pieces[piece] = choose.choice(choices)
    return study(key, **pieces)


def write(folder: Path, size: int, choose: random.Random, *, gone: bool) -> Path:
    """Write an index of random studies in several segments; with `gone`, some replaced and some deleted."""
    keys = [f"NCT{number:08}" for number in range(1, size + 1)]
    choose.shuffle(keys)
    with Writer(folder, merge=False) as writer:
        for number, key in enumerate(keys, 1):
            writer.put(key, random_study(key, choose))
            if number % max(2, size // 3) == 0:
                writer.commit()
        if gone:
            writer.commit()
            for key in keys[:: max(2, size // 8)]:
                writer.delete(key)
                if choose.random() < 0.5:
                    writer.put(key, random_study(key, choose))
    return folder


@dataclass
class Both:
    """Our evaluator and Whoosh's searcher over one snapshot."""

    evaluator: Evaluator
    searcher: Any

    @classmethod
    def over(cls, snapshot: Snapshot) -> Both:
        reader = TrialReader(snapshot)
        return cls(Evaluator(snapshot), searching.Searcher(reader, weighting=Weighting()))

    @property
    def snapshot(self) -> Snapshot:
        return self.evaluator.snapshot

    def ours(self, query: Query, k: int | None = None) -> list[tuple[str, float]]:
        """Return (id, score), the best first, by our evaluator."""
        top = self.evaluator.top(query, "BasicSearch", k)
        return list(zip(map(self.snapshot.key, top.docs.tolist()), top.scores.tolist(), strict=True))

    def theirs(self, query: Any, **options: Any) -> list[tuple[str, float]]:
        """Return (id, score), the best first, by Whoosh's searcher."""
        found = self.searcher.search(query, **{"limit": None} | options)
        return [(self.snapshot.key(doc), score) for score, doc in found.top_n]


def same_documents(one: list[tuple[str, float]], other: list[tuple[str, float]]) -> None:
    assert sorted(key for key, _ in one) == sorted(key for key, _ in other)


def same(one: list[tuple[str, float]], other: list[tuple[str, float]]) -> None:
    """Assert the same documents, scores and order: only those of equal score may change places."""
    same_documents(one, other)
    assert dict(one) == pytest.approx(dict(other), rel=SLACK, abs=1e-9)
    assert [score for _, score in one] == pytest.approx([score for _, score in other], rel=SLACK, abs=1e-9)


# Trees

WORD = st.sampled_from([*MADE_UP, "qux"])
FIELD = st.sampled_from(TEXT)
AREA = st.sampled_from([*TEXT, "TitleSearch", "BasicSearch", "Everywhere"])
WEIGHT = st.sampled_from([0.25, 0.5, 1.0, 3.0])
DAY = st.none() | st.sampled_from([*DATES, "2009", "2014-01-01"])
NUMBER = st.none() | st.sampled_from(["0", "5", "49.5", "50", "500", "6574.5"])

WORDS = st.builds(In, AREA, st.builds(Term, WORD))
PHRASES = st.builds(In, AREA, st.builds(Near, st.tuples(WORD, WORD), st.integers(0, 5))) | st.builds(
    In, AREA, st.builds(Near, st.tuples(WORD, WORD, WORD), st.just(0))
)
SEVERAL = st.builds(
    In,
    AREA,
    st.one_of(
        st.builds(Prefix, st.sampled_from(["z", "za", "zab", "ko", "q"])),
        st.builds(Wildcard, st.sampled_from(["z*", "?ab", "*u*", "k?d", "zab?*", "q*"])),
        st.builds(Fuzzy, WORD, st.integers(0, 2), st.integers(0, 2)),
    ),
)
SELECT = st.one_of(
    st.just(All()),
    st.just(Nothing("")),
    st.builds(Code, st.just("Phase"), st.sampled_from(["PHASE1", "PHASE2", "PHASE3", "NA"])),
    st.builds(Code, st.just("Sex"), st.sampled_from(["ALL", "FEMALE"])),
    st.builds(Name, st.just("Country"), st.sampled_from(["France", "usa", "Nowhere"])),
    st.builds(Missing, st.sampled_from(["Phase", "StartDate", "BriefTitle", "EnrollmentCount", "Country"])),
    st.builds(Range, st.just("StartDate"), DAY, DAY),
    st.builds(Range, st.sampled_from(["EnrollmentCount", "MinimumAge"]), NUMBER, NUMBER),
)


def best(parts: list[tuple[Query, float]]) -> Best:
    return Best("made", tuple(Way("typed", str(part), part, weight) for part, weight in parts))


def trees(leaves: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    def above(below: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
        several = st.lists(below, min_size=2, max_size=4).map(tuple)
        return st.one_of(
            st.builds(And, several),
            st.builds(Or, several),
            st.builds(Not, below),
            st.builds(Boost, below, WEIGHT | st.just(0.0)),
            st.builds(Optional, below, below),
            st.lists(st.tuples(below, WEIGHT), min_size=1, max_size=3).map(best),
        )

    return st.recursive(leaves, above, max_leaves=8)


def has(query: Query, kind: type) -> bool:
    return isinstance(query, kind) or any(has(part, kind) for part in children(query))


def agree(both: Both, query: Query) -> None:
    """Assert that Whoosh's searcher answers the turned query as we answer the query."""
    turned = to_whoosh(query)
    ours, found = both.ours(query), both.theirs(turned)
    if has(query, Near):
        same_documents(ours, found)
    else:
        same(ours, found)
    # Turned back it may be another tree, but it is the same query.
    same(both.ours(from_whoosh(turned)), ours)
    answer = search(both.snapshot, turned, 5)
    assert (answer.by, answer.total) == ("evaluator", len(ours))
    assert [score for _, score in answer.hits] == pytest.approx([score for _, score in ours[:5]], rel=SLACK)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Both]]:
    """Random corpora: of one document, of several segments, with deletions, of lists of several blocks."""
    folder = tmp_path_factory.mktemp("corpora")
    made = []
    for seed, (size, gone) in enumerate(((1, False), (9, False), (40, False), (40, True), (500, True))):
        made.append(Snapshot(write(folder / str(seed), size, random.Random(seed), gone=gone)))
    yield [Both.over(snapshot) for snapshot in made]
    for snapshot in made:
        snapshot.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=trees(st.one_of(WORDS, WORDS, PHRASES, SEVERAL, SELECT)), number=st.integers(0, 4))
def test_random_trees(corpora: list[Both], query: Query, number: int) -> None:
    agree(corpora[number], query)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 12),
    gone=st.booleans(),
    queries=st.lists(trees(st.one_of(WORDS, PHRASES, SEVERAL, SELECT)), min_size=1, max_size=6),
)
def test_random_trees_over_random_corpora(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, gone: bool, queries: list[Query]
) -> None:
    folder = write(tmp_path_factory.mktemp("random"), size, random.Random(seed), gone=gone)
    snapshot = Snapshot(folder)
    for query in queries:
        agree(Both.over(snapshot), query)
    snapshot.close()


# Whoosh's own classes, nothing of the bridge in the query


def stock(query: Query, area: str = "") -> Any:
    """Return a query in Whoosh's own classes; what only selects scores `TINY`."""
    match query:
        case In(inner, part):
            return stock(part, inner)
        case Term(term):
            return theirs.Term(area, term)
        case Boost(In(inner, Term(term)), weight):
            return theirs.Term(inner, term, boost=weight)
        case Boost(Or(parts), weight):
            return theirs.Or([stock(part, area) for part in parts], boost=weight)
        case Boost(And(parts), weight):
            return theirs.And([stock(part, area) for part in parts], boost=weight)
        case And(parts):
            return theirs.And([stock(part, area) for part in parts])
        case Or(parts):
            return theirs.Or([stock(part, area) for part in parts])
        case Best(_, ways):
            return theirs.DisjunctionMax([stock(way.part, area) for way in ways])
        case Not(part):
            return theirs.ConstantScoreQuery(theirs.Not(stock(part, area)), TINY)
        case Code(field, code):
            return theirs.ConstantScoreQuery(theirs.Term(field, code), TINY)
        case All():
            return theirs.Every(boost=TINY)
    raise TypeError(query)


def sums(below: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(below, min_size=2, max_size=4).map(tuple)
    sum_ = st.builds(And, several) | st.builds(Or, several)
    return sum_ | st.builds(Boost, sum_, WEIGHT)


SCORED = st.recursive(WORDS | st.builds(Boost, WORDS, WEIGHT), sums, max_leaves=8)
SELECTED = st.builds(Code, st.just("Sex"), st.sampled_from(["ALL", "FEMALE"])) | st.just(All())
WITH_SELECTED = st.recursive(WORDS | SELECTED | st.builds(Not, WORDS), sums, max_leaves=8)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=SCORED, number=st.integers(0, 4))
def test_terms_and_or_and_boosts_of_whoosh_itself(corpora: list[Both], query: Query, number: int) -> None:
    both = corpora[number]
    turned = stock(query)
    same(both.ours(query), both.theirs(turned))
    same(both.ours(from_whoosh(turned)), both.ours(query))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=WITH_SELECTED, number=st.integers(0, 2))
def test_not_every_and_constant_scores_of_whoosh_itself(
    corpora: list[Both], query: Query, number: int
) -> None:
    both = corpora[number]
    same(both.ours(query), both.theirs(stock(query)))
    same(both.ours(from_whoosh(stock(query))), both.ours(query))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=SCORED, wish=SCORED, number=st.integers(0, 4))
def test_and_maybe_of_whoosh_itself(corpora: list[Both], part: Query, wish: Query, number: int) -> None:
    both = corpora[number]
    turned = theirs.AndMaybe(stock(part), stock(wish))
    assert from_whoosh(turned) == Optional(from_whoosh(stock(part)), from_whoosh(stock(wish)))
    same(both.ours(Optional(part, wish)), both.theirs(turned))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(SCORED, min_size=1, max_size=4), number=st.integers(0, 4))
def test_disjunction_max_of_whoosh_itself_finds_the_same(
    corpora: list[Both], parts: list[Query], number: int
) -> None:
    both = corpora[number]
    query = best([(part, 1.0) for part in parts])
    same_documents(both.ours(query), both.theirs(stock(query)))
    same(both.ours(from_whoosh(stock(query))), both.ours(query))
    # The score of a document is the best of what Whoosh gives it for the parts.
    scores: dict[str, float] = {}
    for part in parts:
        for key, score in both.theirs(stock(part)):
            scores[key] = max(score, scores.get(key, 0.0))
    assert dict(both.ours(query)) == pytest.approx(scores, rel=SLACK)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.one_of(
        st.builds(theirs.Prefix, FIELD, st.sampled_from(["z", "za", "zab", "ko", "q", ""])),
        st.builds(theirs.Wildcard, AREA, st.sampled_from(["z*", "?ab", "*u*", "k?d", "zab?*", "q*"])),
        st.builds(
            theirs.FuzzyTerm, AREA, WORD, maxdist=st.integers(1, 2), prefixlength=st.integers(0, 2)
        ),
        st.builds(theirs.Phrase, AREA, st.tuples(WORD, WORD).map(list), slop=st.integers(1, 6)),
        st.builds(theirs.Phrase, AREA, st.lists(WORD, min_size=3, max_size=4)),
        st.builds(theirs.Every, st.sampled_from(["BriefTitle", "Phase", "Country", "StartDate", None])),
        st.builds(
            theirs.NumericRange, st.just("EnrollmentCount"), st.sampled_from([None, 5, 50.0]),
            st.sampled_from([None, 50, 499.5]), st.booleans(), st.booleans(),
        ),
        st.builds(
            theirs.TermRange, st.just("StartDate"), st.sampled_from(["2010", "2010-03-02", "2012-02-10"]),
            st.sampled_from(["2011", "2010-03-15", "2012-02-29", "2014"]), st.booleans(), st.booleans(),
        ),
    ),
    number=st.integers(0, 4),
)  # fmt: skip
def test_whoosh_finds_what_we_do_by_its_own_expansion(corpora: list[Both], asked: Any, number: int) -> None:
    both = corpora[number]
    same_documents(both.ours(from_whoosh(asked)), both.theirs(asked))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=WORDS, k=st.integers(1, 12), number=st.integers(0, 4))
def test_the_best_with_blocks_left_out(corpora: list[Both], query: Query, k: int, number: int) -> None:
    """Whoosh skips blocks by their quality: bounds that are too low would lose documents."""
    both = corpora[number]
    found = both.theirs(stock(query), limit=k)
    assert [score for _, score in found] == pytest.approx(
        [score for _, score in both.ours(query, k)], rel=SLACK
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=SCORED, k=st.integers(1, 12), number=st.integers(0, 4))
def test_the_best_of_compound_queries(corpora: list[Both], query: Query, k: int, number: int) -> None:
    """The stock searcher loses some of them; ours over Whoosh's matchers must not."""
    both = corpora[number]
    searcher = TrialSearcher(both.searcher.reader(), weighting=Weighting())
    found = searcher.search(stock(query), limit=k)
    assert [score for score, _ in found.top_n] == pytest.approx(
        [score for _, score in both.ours(query, k)], rel=SLACK
    )
    assert len(found) == len(both.ours(query))


# Phrases


@pytest.mark.parametrize("words", [("zab", "kad"), ("zab", "zab"), ("mof", "vak", "zob")])
def test_a_phrase_scores_by_its_own_frequency_where_whoosh_adds_up_its_words(
    corpora: list[Both], words: tuple[str, ...]
) -> None:
    both = corpora[-1]
    snapshot = both.snapshot
    texts = {}
    for doc in snapshot.docs().tolist():
        title = snapshot.study(doc)["protocolSection"]["identificationModule"].get("briefTitle", "")
        texts[snapshot.key(doc)] = title.split()
    # Frequencies and lengths count deleted documents too, until their segment is merged away.
    size = snapshot.size
    mean = float(snapshot.lengths("BriefTitle").sum()) / 100 / size

    def idf(word: str) -> float:
        n = snapshot.frequency(word, "BriefTitle")
        return math.log(1 + (size - n + 0.5) / (n + 0.5))

    def bm25(frequency: int, length: int) -> float:
        return frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / mean))

    starts = {
        key: sum(tuple(text[at : at + len(words)]) == words for at in range(len(text)))
        for key, text in texts.items()
    }
    held = {key for key, count in starts.items() if count}
    assert held, "the corpus has no such phrase"
    rarity = sum(map(idf, words))
    assert dict(both.ours(In("BriefTitle", Near(words)))) == pytest.approx(
        {key: rarity * bm25(starts[key], len(texts[key])) for key in held}, rel=SLACK
    )
    assert dict(both.theirs(theirs.Phrase("BriefTitle", list(words)))) == pytest.approx(
        {
            key: sum(idf(word) * bm25(texts[key].count(word), len(texts[key])) for word in words)
            for key in held
        },
        rel=SLACK,
    )


# Real records


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """1,000 real records: all of the JSON, the rest of the XML; three segments."""
    folder = tmp_path_factory.mktemp("real") / "index"
    items = chain.from_iterable(
        read_items(SHARED / name) for name in ("ctgov-v2-downloads.zip", "ctgov-xml-6786.zip")
    )
    records = (item for item in items if isinstance(item, SourceRecord))
    with Writer(folder, merge=False) as writer:
        for number, record in enumerate(islice(records, 1000), 1):
            writer.put(record.study["protocolSection"]["identificationModule"]["nctId"], record.study)
            if number % 400 == 0:
                writer.commit()
    snapshot = Snapshot(folder)
    yield Both.over(snapshot)
    snapshot.close()


AREAS = ("BriefTitle", "BriefSummary", "Condition", "DetailedDescription", "TitleSearch", "BasicSearch")


def real_tree(choose: random.Random, words: list[str], depth: int) -> Query:
    """Return a random tree of words that the corpus has."""
    area = choose.choice(AREAS)
    if not depth or choose.random() < 0.3:
        word = choose.choice(words)
        leaves: list[Query] = [
            In(area, Term(word)),
            In(area, Term(word)),
            In(area, Term(word)),
            In(area, Fuzzy(word, 1, 2)),
            In(area, Wildcard(word[:2] + "*" + word[-1])),
            In(area, Prefix(word[:4])),
            Code("Phase", choose.choice(["PHASE1", "PHASE2"])),
            Range("StartDate", str(choose.randint(1995, 2010)), None),
            Range("EnrollmentCount", None, str(choose.randint(10, 500))),
        ]
        return choose.choice(leaves)
    parts = tuple(real_tree(choose, words, depth - 1) for _ in range(choose.randint(2, 4)))
    return choose.choice(
        [
            And(parts[:2]),
            Or(parts),
            Or(parts),
            And((parts[0], Not(parts[1]))),
            Optional(parts[0], parts[1]),
            Boost(parts[0], choose.choice([0.5, 2.0])),
            best([(part, 1.0) for part in parts]),
        ]
    )


@needs_shared
def test_random_trees_over_real_records(real: Both) -> None:
    choose = random.Random(11)
    terms = [(term, count) for term, count in real.snapshot.terms() if term.isalpha() and len(term) > 3]
    words = [term for term, count in terms if count > 40]
    found = 0
    for _ in range(120):
        query = real_tree(choose, words, 3)
        agree(real, query)
        found += bool(real.ours(query, 1))
    # Trees that nothing meets prove little.
    assert found > 60


@needs_shared
def test_phrases_over_real_records(real: Both) -> None:
    choose = random.Random(12)
    matched = 0
    for _ in range(150):
        doc = choose.choice(real.snapshot.docs().tolist())
        title = real.searcher.reader().stored_fields(doc)["BriefTitle"]
        asked = [token.text for token in real.searcher.schema["BriefTitle"].analyzer(title, mode="query")]
        start = choose.randrange(len(asked))
        size = choose.randint(2, 3)
        words, slop = asked[start : start + size], choose.randint(1, 4) if size == 2 else 1
        if len(words) < 2:
            continue
        phrase = theirs.Phrase(choose.choice(AREAS), words, slop=slop)
        ours = real.ours(from_whoosh(phrase))
        same_documents(ours, real.theirs(phrase))
        matched += bool(ours)
    assert matched > 60
