"""Lists of documents as arrays, against sets; places against all choices of them."""

from __future__ import annotations

import threading
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import near
from trialsearch import lists, places
from trialsearch.lists import Leaf, Recent, at_places, best_first, in_union, merged, union
from trialsearch.pruning import best_of_any

SIZE = 40
DOCS = st.sets(st.integers(0, SIZE - 1), max_size=SIZE).map(lambda docs: np.array(sorted(docs), np.uint32))
# A corpus in which a union is sparse, and one in which it is dense.
SIZES = st.sampled_from([SIZE, 100 * SIZE])


@settings(deadline=None)
@given(held=DOCS, asked=DOCS, size=SIZES, few=st.sampled_from([0, SIZE]))
def test_documents_are_found_where_they_stand(
    held: lists.Docs, asked: lists.Docs, size: int, few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "_FEW", few)  # by bisection, or by marks
        at, found = at_places(held, asked, size)
    assert found.tolist() == [doc in held for doc in asked]
    assert held[at[found]].tolist() == asked[found].tolist()


def test_what_another_list_left_behind_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_FEW", 0)
    at_places(np.arange(30, dtype=np.uint32), np.arange(30, dtype=np.uint32), SIZE)
    _, found = at_places(np.array([3, 5], np.uint32), np.array([2, 3, 29], np.uint32), SIZE)
    assert found.tolist() == [False, True, False]


@settings(deadline=None)
@given(held=st.lists(DOCS, max_size=4), size=SIZES, allowed=st.none() | st.integers(0, 2**SIZE))
def test_a_union_is_that_of_sets(held: list[lists.Docs], size: int, allowed: int | None) -> None:
    wanted = sorted({doc for docs in held for doc in docs.tolist()})
    assert union(held, size).tolist() == wanted
    mask = None if allowed is None else np.array([bool(allowed >> doc & 1) for doc in range(size)])
    if held:
        assert in_union(held, size, mask) == sum(mask is None or mask[doc] for doc in wanted)


@settings(deadline=None)
@given(
    held=st.lists(DOCS, min_size=1, max_size=4), size=SIZES, add=st.booleans(), few=st.sampled_from([0, 400])
)
def test_scores_of_a_union_are_added_or_the_best_taken(
    held: list[lists.Docs], size: int, add: bool, few: int
) -> None:
    parts = [(docs, docs + 0.5 + number) for number, docs in enumerate(held)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "_SORTED", few)  # by sorting, or by marks
        docs, scores = merged(parts, size, add=add)
    combine = sum if add else max
    wanted = {doc: combine(doc + 0.5 + n for n, some in enumerate(held) if doc in some) for doc in docs}
    assert dict(zip(docs, scores, strict=True)) == wanted
    assert docs.tolist() == union(held, size).tolist()


def test_sums_of_short_lists_are_those_of_long_ones_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(7)
    held = [np.flatnonzero(random.random(200) < 0.4).astype(np.uint32) for _ in range(12)]
    scored = [(docs, random.random(len(docs))) for docs in held]
    short = merged(scored, 200, add=True)
    monkeypatch.setattr(lists, "_SORTED", 0)
    long = merged(scored, 200, add=True)
    assert [part.tolist() for part in short] == [part.tolist() for part in long]


def test_an_error_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_SORTED", 0)
    bad = np.array([1, 10**6], np.uint32)
    with pytest.raises(IndexError):
        union([bad, np.arange(9, dtype=np.uint32)], 20)
    with pytest.raises(IndexError):
        merged([(bad, np.ones(2)), (np.arange(9, dtype=np.uint32), np.ones(9))], 20, add=True)
    good = np.array([3], np.uint32), np.array([2.0])
    assert [part.tolist() for part in merged([good, good], 20, add=True)] == [[3], [4.0]]


def test_threads_do_not_meet() -> None:
    wrong: list[int] = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(200):
            one, other = (np.unique(random.integers(0, 2000, 300)).astype(np.uint32) for _ in range(2))
            if union([one, other], 2000).tolist() != sorted({*one.tolist(), *other.tolist()}):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(deadline=None)
@given(scores=st.lists(st.integers(0, 5), max_size=60), k=st.none() | st.integers(0, 70))
def test_the_best_come_first_and_of_equal_ones_the_least_key(scores: list[int], k: int | None) -> None:
    names = np.array([f"{(7 * doc) % 61:03}".encode() for doc in range(len(scores))], "S3")
    docs = np.arange(len(scores), dtype=np.uint32)
    found, best = best_first(docs, np.array(scores, np.float64), k, lambda some: names[some])
    wanted = sorted(range(len(scores)), key=lambda doc: (-scores[doc], names[doc]))[:k]
    assert found.tolist() == wanted
    assert best.tolist() == [scores[doc] for doc in wanted]


@settings(deadline=None)
@given(
    held=DOCS,
    asked=st.lists(DOCS, min_size=1, max_size=3),
    # A corpus of which the list is a good part, and one in which it is nothing; sums of two widths.
    size=st.sampled_from([SIZE, 100 * SIZE]),
    most=st.sampled_from([2**9, 2**17]),
)
def test_a_list_says_what_it_has_of_some_documents(
    held: lists.Docs, asked: list[lists.Docs], size: int, most: int
) -> None:
    sums = np.array([most - int(doc) for doc in held], np.uint32)
    norms = np.arange(1.0, size + 1)
    scored = Leaf(held, sums=sums, norms=norms, idf=1.0, factor=2.0)
    given_scores = Leaf(held, scores=sums / 2)
    for docs in asked:
        met, scores = scored.at(docs, size)
        assert met.tolist() == [doc in held for doc in docs]
        wanted = [
            2.0 * ((most - doc) / (doc + 1.0 + most - doc)) if doc in held else 0.0 for doc in docs.tolist()
        ]
        assert scores.tolist() == pytest.approx(wanted)
        met, scores = given_scores.at(docs, size)
        assert met.tolist() == [doc in held for doc in docs]
        assert scores.tolist() == [(most - doc) / 2 if doc in held else 0.0 for doc in docs.tolist()]


@pytest.mark.parametrize("size", [10, 64, 300])
def test_seeds_are_the_best_of_a_list_and_no_other_is_better_than_its_bound(size: int) -> None:
    scores = np.random.default_rng(5).random(size)
    leaf = Leaf(np.arange(0, 2 * size, 2, dtype=np.uint32), scores=scores)
    seeds = leaf.seeds()
    assert len(seeds) == min(size, 64)
    assert seeds.tolist() == sorted((2 * np.argsort(-scores)[:64]).tolist())
    assert all(scores[doc // 2] <= leaf.rest_bound for doc in range(0, 2 * size, 2) if doc not in seeds)


def _leaf(choose: np.random.Generator, size: int) -> Leaf:
    docs = np.unique(choose.integers(0, size, choose.integers(1, size))).astype(np.uint32)
    sums = choose.geometric(0.2, len(docs)).astype(np.uint32) * 10
    norms = np.full(size, 120.0)
    saturated = sums / (sums + 120.0)
    leaf = Leaf(docs, sums=sums, norms=norms, idf=1.0, factor=float(choose.random()) + 0.1)
    starts = np.arange(0, len(docs), 8)
    order = np.argsort(-saturated)
    return leaf.bounded(
        float(saturated.max()),
        starts,
        np.nextafter(np.maximum.reduceat(saturated, starts).astype(np.float32), np.float32(2)),
        order[:12] if len(docs) > 12 else None,
        float(saturated[order[12]]) if len(docs) > 12 else 0.0,
    )


@pytest.mark.parametrize("seed", range(60))
def test_pruning_finds_what_scoring_everything_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = np.random.default_rng(seed)
    size = int(choose.integers(50, 3000))
    held = [(_leaf(choose, size), [1.0, 0.5][seed % 2]) for _ in range(choose.integers(1, 6))]
    allowed = None if seed % 3 else choose.random(size) < 0.5
    names = np.argsort(choose.random(size))
    for add in (True, False):
        for k in (1, 3, 10):
            found = []
            for exhaustive in (10**9, 0):
                monkeypatch.setattr("trialsearch.pruning.EXHAUSTIVE", exhaustive)
                docs, scores, total = best_of_any(
                    held, k, size, lambda some: names[some], allowed=allowed, add=add
                )
                found.append((docs.tolist(), scores.tolist(), total))
            assert found[0] == found[1]


def test_what_was_asked_lately_is_remembered_and_the_rest_forgotten() -> None:
    recent: Recent[str] = Recent(3)
    for number in range(20):
        recent.put(number, str(number))
        assert recent.get(0) == "0"
    assert recent.get(1) is None
    assert recent.get(19) == "19"
    recent.put("great", "x", weight=100)
    assert recent.get("great") == "x"
    # What is asked again weighs what it weighed.
    assert recent.get("great") == "x"
    assert recent.get(19) is None


PLACES = st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True).map(sorted)


@settings(deadline=None)
@given(held=st.lists(PLACES, min_size=2, max_size=4), slop=st.integers(0, 3))
def test_terms_stand_together_exactly_where_some_choice_of_places_does(
    held: list[list[int]], slop: int
) -> None:
    arrays = [np.array(some) for some in held]
    found = places.phrase(arrays, list(range(len(held))), slop)
    assert bool(len(found)) == near(held, slop)
    assert set(found.tolist()) == {start for start in held[0] if near([[start], *held[1:]], slop)}


@settings(deadline=None)
@given(held=st.lists(PLACES, min_size=1, max_size=4), words=st.integers(0, 8))
def test_a_window_is_found_exactly_where_some_choice_of_places_fits(
    held: list[list[int]], words: int
) -> None:
    found = places.window([np.array(some) for some in held], words)
    fits = any(max(chosen) - min(chosen) < words for chosen in product(*held))
    assert bool(len(found)) == fits


def test_places_hold_document_field_and_position() -> None:
    docs = np.array([0, 3, 3, 2**23 - 1], np.uint32)
    fields = np.array([7, 0, 255, 9], np.uint8)
    held = places.encoded(docs, fields, np.array([2**32 - 1, 0, 5, 6], np.uint32))
    assert places.documents_of(held).tolist() == docs.tolist()
    assert places.fields_of(held).tolist() == fields.tolist()
    assert held.tolist() == sorted(held.tolist())
