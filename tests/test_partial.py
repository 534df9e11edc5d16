"""Trials that have some of the words: the pieces of a query, and the best of them without scoring all."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plain_snapshot import PlainSnapshot
from small import study
from trialsearch.asked import query_parts
from trialsearch.evaluate import Evaluator
from trialsearch.expand import Expansion, expand
from trialsearch.lexicon import IndexLexicon
from trialsearch.partial import PartialHits, pieces
from trialsearch.query import And, Best, Query, Term, Way

MADE_UP = "zab zob kad kod mof vak".split()


@pytest.fixture(scope="module")
def evaluators() -> list[Evaluator]:
    choose = random.Random(7)
    titles = [" ".join(choose.choices(MADE_UP, k=choose.randint(1, 4))) for _ in range(60)]
    studies = [study(f"NCT{number:08}", BriefTitle=title) for number, title in enumerate(titles, 1)]
    return [
        Evaluator(PlainSnapshot(studies, block=block, deleted=gone))  # type: ignore[arg-type]
        for block, gone in ((None, ()), (2, ()), (2, (3, 4, 20)))
    ]


def _name(*words: str) -> Best:
    """Return a name of several words: as a whole, or its words apart."""
    best = [Best(word, (Way("typed", word, Term(word)),)) for word in words]
    return Best(" ".join(words), (Way("typed", " ".join(words), And(tuple(best)), 0.3),))


WORD = st.sampled_from([*MADE_UP, "qux"])
PIECE = st.one_of(
    WORD.map(lambda word: Best(word, (Way("typed", word, Term(word)),))),
    st.tuples(WORD, WORD).map(lambda words: _name(*words)),
)


def _brute(
    evaluator: Evaluator, asked: list[Best], strict: list[Query]
) -> tuple[list[int], dict[int, float]]:
    """Return the documents that have all, and what those are worth that have some."""
    whole = [dict(zip(*map(list, evaluator.found(piece)), strict=True)) for piece in asked]
    held = {doc for query in strict for doc in evaluator.match(query).tolist()}
    worth: dict[int, float] = {}
    full = []
    for doc in evaluator.snapshot.docs().tolist():
        if strict and doc not in held:
            continue
        if all(doc in scores for scores in whole):
            full.append(doc)
            continue
        total = share = 0.0
        for piece, scores in zip(asked, whole, strict=True):
            if doc in scores:
                total, share = total + scores[doc], share + 1
            elif isinstance(piece.ways[0].part, And):
                words = piece.ways[0].part.parts
                met = [word for word in words if evaluator.finds(word, doc)]
                total += sum(evaluator.score_of(word, doc) for word in met) / len(words)
                share += len(met) / len(words)
        if share:
            worth[doc] = total * share / len(asked)
    return full, worth


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(PIECE, min_size=1, max_size=4),
    which=st.integers(0, 2),
    k=st.integers(0, 30),
    strict=st.sampled_from([[], [Term("kod")]]),
)
def test_the_best_partial_hits_are_those_of_a_scan(
    evaluators: list[Evaluator], asked: list[Best], which: int, k: int, strict: list[Query]
) -> None:
    evaluator = evaluators[which]
    full, worth = _brute(evaluator, asked, strict)
    loose: Query = asked[0] if len(asked) == 1 else And(tuple(asked))
    partial = PartialHits(evaluator, [loose], strict, "BasicSearch", evaluator.snapshot.live)
    every = sorted(worth, key=lambda doc: (-worth[doc], doc))
    met = np.array(full, np.uint32)
    assert partial.total(met) == len(worth)
    docs, scores = partial.top(None, met)
    assert dict(zip(docs.tolist(), scores.tolist(), strict=True)) == pytest.approx(worth)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("trialsearch.partial.EXHAUSTIVE", 0)
        first, best = partial.top(k, met)
    # Sums made in another order may tell ties apart: the scores are what counts.
    assert best.tolist() == scores.tolist()[:k]
    assert first.tolist() == docs.tolist()[:k]
    assert best.tolist() == pytest.approx([worth[doc] for doc in every[:k]])


def test_one_word_cannot_be_met_in_part(evaluators: list[Evaluator]) -> None:
    assert not PartialHits(evaluators[0], [Term("zab")], [], "BasicSearch", None).possible
    assert not PartialHits(evaluators[0], [], [Term("zab")], "BasicSearch", None).possible
    assert PartialHits(evaluators[0], [_name("zab", "kad")], [], "BasicSearch", None).possible


def test_pieces_that_nothing_has_end_the_search_too(evaluators: list[Evaluator]) -> None:
    asked = And((Term("qux"), Term("quux")))
    docs, _ = PartialHits(evaluators[0], [asked], [], "BasicSearch", None).top(5, np.empty(0, np.uint32))
    assert docs.tolist() == []


def test_pieces_are_named_as_they_were_asked(evaluators: list[Evaluator]) -> None:
    lexicon = IndexLexicon(evaluators[0].snapshot)
    parts = query_parts('zab kod title:mof phase:2 "kad vak"')
    widened = [expand(part.query, Expansion(lexicon)) for part in parts]
    labels = [label for label, _ in pieces(parts, widened)]
    assert labels == ["zab", "kod", "mof in TitleSearch", "AREA[Phase]PHASE2", '"kad vak"']
