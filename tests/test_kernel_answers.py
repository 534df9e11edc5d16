"""What the compiled kernel answers is what going through a plain dictionary of the corpus finds, and what
arrays answer where there is none. Segments are written by the writers; `test_kernel_damage` has other ones.
"""

from __future__ import annotations

import gc
import random
import weakref
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, combinations_with_replacement, islice
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernel_corpus import (
    AREAS,
    CITY,
    EVERYWHERE,
    MOST_PLACED,
    SIZES,
    SUMMARY,
    TITLE,
    Corpus,
    Phrase,
    any_docs,
    any_phrase,
    asked,
    begins_by_hand,
    compiled_only,
    crowded,
    read,
    weights_by_hand,
    written,
)
from snapshot_helpers import HastyDisk
from trialindex.analysis import VALUE_GAP
from trialindex.errors import IndexDamaged
from trialindex.fields import FIELD_NUMBERS
from trialindex.kernel import KERNEL
from trialindex.segments import bounds, disk
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.postings import PostingsReader
from trialindex.segments.terms import Terms, TermWriter

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@pytest.fixture(autouse=True)
def sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bounds a segment takes no more room than its postings, however many documents it has."""
    monkeypatch.setattr(bounds, "BOUND_FROM", 1 << 60)
    monkeypatch.setattr(disk, "DISK", HastyDisk())


# --- a dictionary of terms ---


def dictionary(path: Path, terms: Sequence[bytes]) -> Terms:
    with ArrayWriter(path) as writer:
        made = TermWriter(writer, "t")
        made.append(terms)
        made.finish()
    return Terms(ArrayFile(path), "t")


# Many share their first eight bytes, some only in part; zeros stand where a head has its padding.
WORDS = st.lists(
    st.sampled_from([b"a", b"\0", b"\xff", b"carcino", b"carcinoma", "µ".encode(), b"x" * 300]), max_size=5
).map(b"".join)


@repeated
@given(held=st.sets(WORDS, max_size=150).map(sorted), asked=st.lists(WORDS, max_size=20))
@example(held=[], asked=[b"", b"a"])
@example(held=[b""], asked=[b"", b"\0"])
@example(held=[b"carcinoma" + bytes([n]) for n in range(100)], asked=[b"carcinom", b"carcinomz"])
def test_a_term_has_as_many_before_it_as_sorting_says(
    tmp_path: Path, held: list[bytes], asked: list[bytes]
) -> None:
    terms = dictionary(tmp_path / "x.seg", held)
    for term in [*asked, *held, *(term + b"\0" for term in held), *(term[:-1] for term in held)]:
        expected = bisect_left(held, term), term in held
        assert terms.place(term) == expected
        assert terms._placed(term) == expected


@compiled_only
def test_only_bytes_are_terms(tmp_path: Path) -> None:
    asked: Any
    for asked in ("a", None, bytearray(b"a")):
        with pytest.raises(TypeError):
            dictionary(tmp_path / "x.seg", [b"a"]).place(asked)


# --- lists ---


def lists_agree(reader: PostingsReader, corpus: Corpus) -> None:
    for ordinal, term in enumerate(sorted(corpus)):
        assert reader.documents(ordinal).dtype == np.uint32
        assert reader.documents(ordinal).tolist() == sorted(corpus[term])
        for area in AREAS:
            docs, sums = reader.decoded(ordinal, area)
            assert len(docs) == len(sums)
            found = dict(zip(docs.tolist(), sums.tolist(), strict=True))
            assert found == weights_by_hand(corpus[term], area) and list(found) == sorted(found)


@repeated
@given(st.sampled_from(SIZES), st.integers(0, 50), st.integers(0, 1 << 32))
@example(documents=0, terms=0, seed=0)
@example(documents=200_000, terms=17, seed=1)
def test_lists_are_those_of_the_corpus(tmp_path: Path, documents: int, terms: int, seed: int) -> None:
    choose = random.Random(seed)
    fields = [TITLE, SUMMARY, CITY] if choose.random() < 0.5 else list(FIELD_NUMBERS.values())
    corpus = {
        b"t%d" % number: {
            doc: {choose.choice(fields): range(choose.randint(1, 3)), choose.choice(fields): [7]}
            for doc in any_docs(choose, documents)
        }
        for number in range(terms)
    }
    path = written(tmp_path / "x.seg", corpus, documents)
    for by_arrays in (False, True):
        lists_agree(read(path, documents, by_arrays), corpus)


@compiled_only
def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    reader = read(written(tmp_path / "x.seg", {b"a": {0: {TITLE: [0]}}}, 1), 1)
    for ordinal in (-1, 1, 1 << 62):
        with pytest.raises(IndexError, match=f"no list {ordinal} among 1"):
            reader.documents(ordinal)


# --- patterns ---


@compiled_only
@repeated
@given(
    patterns=st.lists(st.lists(st.integers(0, 255), min_size=1, max_size=6), max_size=40),
    table=st.lists(st.integers(0, 65_535), min_size=256, max_size=256),
)
def test_patterns_are_folded(patterns: list[list[int]], table: list[int]) -> None:
    assert KERNEL is not None
    fields = np.array([field for pattern in patterns for field in pattern], np.uint8)
    starts = np.array([0, *accumulate(map(len, patterns))], np.int64)
    sums, bits = (KERNEL.folded(fields, starts, np.array(table, np.uint32), add) for add in (True, False))
    assert sums.dtype == bits.dtype == np.uint32
    assert sums.tolist() == [sum(table[field] for field in pattern) for pattern in patterns]
    assert bits.tolist() == [reduce(or_, (table[field] for field in pattern)) for pattern in patterns]


@compiled_only
@pytest.mark.parametrize(
    ("starts", "size"),
    [([0, 2], 256), ([0, 4], 256), ([1, 3], 256), ([-1, 3], 256), ([0, 3], 255), ([0, 9, 3], 256)],
)
def test_patterns_that_do_not_fit_their_fields(starts: list[int], size: int) -> None:
    assert KERNEL is not None
    fields, where = np.zeros(3, np.uint8), np.array(starts, np.int64)
    for add in (True, False):
        with pytest.raises(ValueError, match="patterns whose fields do not fit them"):
            KERNEL.folded(fields, where, np.zeros(size, np.uint32), add)


# --- phrases ---


@compiled_only
@repeated
@given(st.sampled_from([size for size in SIZES if size < MOST_PLACED]), st.integers(0, 1 << 32))
def test_phrases_stand_where_they_do_in_the_corpus(tmp_path: Path, documents: int, seed: int) -> None:
    choose = random.Random(seed)
    fields = choose.choice(
        [[TITLE], [TITLE, CITY], [TITLE, SUMMARY, CITY, 241], choose.sample(EVERYWHERE, 30)]
    )
    corpus = crowded(choose, documents, fields, choose.choice([2, 3, 3, 20]))
    reader = read(written(tmp_path / "x.seg", corpus, documents), documents)
    every = sorted(set().union(*corpus.values()))
    for _ in range(12):
        phrase = any_phrase(choose, [b"t0", b"t1", sorted(corpus)[-1]])
        some: list[list[int] | None] = [
            None, [], every, [0], sorted(choose.sample(every, len(every) // 2)), any_docs(choose, documents)
        ]  # fmt: skip
        docs, area = choose.choice([None, *some]), choose.choice(AREAS)
        assert asked(reader, corpus, phrase, area, docs) == begins_by_hand(corpus, phrase, area, docs)


SMALL: Corpus = {
    b"aux": {0: {TITLE: [1, 4, 20]}, 1: {TITLE: [0, 1, 2]}, 5: {CITY: [3]}},
    b"bel": {0: {TITLE: [2, 9, 38], CITY: [0]}, 1: {TITLE: [3]}, 6: {CITY: [4]}},
    b"cum": {0: {TITLE: [3]}, 1: {TITLE: [254, 255, 70_000]}, 5: {CITY: [4]}},
    b"dis": {1: {TITLE: [253, 256, 70_001]}},
}


@compiled_only
@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (Phrase((b"aux", b"bel"), (0, 1)), [(0, TITLE, 1), (1, TITLE, 2)]),
        (Phrase((b"bel", b"aux"), (0, 1)), []),
        (Phrase((b"aux", b"bel"), (0, 1), denied=b"aux"), [(0, TITLE, 1)]),
        (Phrase((b"aux", b"bel", b"cum"), (0, 1, 2)), [(0, TITLE, 1)]),
        (Phrase((b"aux", b"cum"), (0, 2)), [(0, TITLE, 1)]),
        (Phrase((b"aux", b"aux"), (0, 1)), [(1, TITLE, 0), (1, TITLE, 1)]),
        (Phrase((b"aux", b"aux", b"aux"), (0, 1, 2)), [(1, TITLE, 0)]),
        (Phrase((b"aux", b"bel"), (0, 1), 2), [(0, TITLE, 1), (1, TITLE, 0), (1, TITLE, 1), (1, TITLE, 2)]),
        # A value of its own begins further on than any slop reaches.
        (Phrase((b"aux", b"bel"), (0, 1), 15, b"aux"), [(0, TITLE, 1), (0, TITLE, 4), (1, TITLE, 0)]),
        (Phrase((b"aux", b"bel"), (0, VALUE_GAP)), []),
        (Phrase((b"aux", b"aux"), (0, VALUE_GAP)), [(0, TITLE, 4)]),
        (Phrase((b"cum", b"dis"), (0, 1)), [(1, TITLE, 255), (1, TITLE, 70_000)]),
        (Phrase((b"dis", b"cum"), (0, 1)), [(1, TITLE, 253)]),
        (Phrase((b"dis", b"cum", b"cum", b"dis"), (0, 1, 2, 3)), [(1, TITLE, 253)]),
        (Phrase((b"cum",), (0,)), [(0, TITLE, 3), (1, TITLE, 254), (1, TITLE, 255), (1, TITLE, 70_000)]),
    ],
    ids=str,
)  # fmt: skip
def test_phrases_by_hand(tmp_path: Path, phrase: Phrase, expected: list[tuple[int, int, int]]) -> None:
    reader = read(written(tmp_path / "x.seg", SMALL, 10), 10)
    assert asked(reader, SMALL, phrase, "BriefTitle") == expected
    assert begins_by_hand(SMALL, phrase, "BriefTitle") == expected
    assert asked(reader, SMALL, phrase, "BriefTitle", [1, 5, 7]) == [at for at in expected if at[0] == 1]
    assert asked(reader, SMALL, phrase, "BriefTitle", []) == []
    assert asked(reader, SMALL, Phrase((b"cum",), (0,), 0, b"aux"), "LocationSearch") == []
    assert asked(reader, SMALL, Phrase((b"cum",), (0,), 0, b"bel"), "LocationSearch") == [(5, CITY, 4)]


@dataclass(frozen=True)
class Case:
    path: Path
    corpus: Corpus
    documents: int

    def holds(self, choose: random.Random, phrases: int) -> None:
        reader = read(self.path, self.documents)
        lists_agree(reader, self.corpus)
        terms = sorted(self.corpus)
        for _ in range(phrases):
            phrase, docs = any_phrase(choose, terms), choose.choice([None, any_docs(choose, self.documents)])
            expected = begins_by_hand(self.corpus, phrase, "Everywhere", docs)
            assert asked(reader, self.corpus, phrase, "Everywhere", docs) == expected


@pytest.fixture(scope="module")
def many_patterns(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Three terms whose postings have more than 65,536 patterns: numbers in all three planes."""
    choose = random.Random(5)
    kinds = islice(combinations_with_replacement(EVERYWHERE, 3), 67_000)
    corpus: dict[bytes, dict[int, dict[int, list[int]]]] = {b"a": {}, b"b": {}, b"c": {}}
    for number, kind in enumerate(kinds):
        doc = 2 * number
        held: dict[int, list[int]] = {}
        for field in kind:
            held.setdefault(field, []).append(choose.choice([0, 3, 254, 65_534]) + len(held.get(field, ())))
        corpus[b"a"][doc] = held
        if number % 3 == 0:
            corpus[b"b"][doc] = {field: [at + 1 for at in own] for field, own in held.items()}
        if number % 500 == 0:
            corpus[b"c"][doc] = {kind[0]: [held[kind[0]][0] + 2, 300_000]}
    for own in (at for term in corpus.values() for held in term.values() for at in held.values()):
        own.sort()
    path = tmp_path_factory.mktemp("many") / "x.seg"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "BOUND_FROM", 1 << 60)
        return Case(written(path, corpus, 134_000), corpus, 134_000)


@compiled_only
def test_more_patterns_than_two_bytes_number(many_patterns: Case) -> None:
    held = ArrayFile(many_patterns.path)
    assert len(held.get("postings.patterns.32")) and len(held.get("occurrences.positions.32"))
    assert len(held.get("postings.patterns.ranks")) > 60
    many_patterns.holds(random.Random(6), 6)


@compiled_only
def test_postings_at_the_edges_of_ranks(many_patterns: Case) -> None:
    """One document at a time, around every 1,024th posting, so that each is found by its rank."""
    reader = read(many_patterns.path, many_patterns.documents)
    phrase = Phrase((b"a", b"b"), (0, 1))
    docs = sorted(many_patterns.corpus[b"a"])
    for number in range(1024, len(docs), 8 * 1024):
        for doc in docs[number - 2 : number + 2]:
            expected = begins_by_hand(many_patterns.corpus, phrase, "Everywhere", [doc])
            assert asked(reader, many_patterns.corpus, phrase, "Everywhere", [doc]) == expected


@compiled_only
def test_postings_far_apart(many_patterns: Case) -> None:
    """Documents from each of which another 64 postings or more are counted on, and near such edges."""
    reader = read(many_patterns.path, many_patterns.documents)
    docs = sorted(many_patterns.corpus[b"a"])
    for first, step in ((0, 63), (1, 64), (62, 65), (63, 640), (66_000, 128)):
        some = sorted({doc for at in range(first, len(docs), step) for doc in docs[at : at + 2]})[:400]
        for words in ((b"a", b"b"), (b"a", b"c")):
            phrase = Phrase(words, (0, len(words)))
            expected = begins_by_hand(many_patterns.corpus, phrase, "Everywhere", some)
            assert asked(reader, many_patterns.corpus, phrase, "Everywhere", some) == expected


@compiled_only
def test_many_lists_some_of_them_long(tmp_path: Path) -> None:
    """Sizes of two bytes among more than 1,024 lists, and occurrences of more."""
    choose = random.Random(7)
    corpus: dict[bytes, Any] = {
        b"%04d" % number: {doc: {TITLE: [doc % 5]} for doc in range(300 if number % 97 == 96 else 1)}
        for number in range(2100)
    }
    corpus[b"0500"] = {doc: {TITLE: range(400 + doc)} for doc in range(3, 5)}
    Case(written(tmp_path / "x.seg", corpus, 300), corpus, 300).holds(choose, 3)
    reader = read(tmp_path / "x.seg", 300)
    for words in ((b"0096", b"0500"), (b"0500", b"2036"), (b"1163", b"2036", b"0500")):
        phrase = Phrase(words, tuple(range(len(words))))
        assert asked(reader, corpus, phrase, "BriefTitle") == begins_by_hand(corpus, phrase, "BriefTitle")


def patterns_of(path: Path) -> int:
    return len(ArrayFile(path).get("patterns.sizes"))


@compiled_only
def test_what_is_no_phrase_is_refused(tmp_path: Path) -> None:
    held = read(written(tmp_path / "x.seg", SMALL, 10), 10)._compiled
    assert held is not None
    docs, twice = np.array([0, 1, 5], np.uint32), np.arange(512, dtype=np.uint32)
    right: dict[str, Any] = {
        "lists": [(0, docs)], "offsets": [0], "slop": 0, "weights": twice[:256],
        "masks": np.full(patterns_of(tmp_path / "x.seg"), 1, np.uint16), "docs": docs, "denied": (0, docs),
    }  # fmt: skip
    assert len(held.phrase(**right))
    wrong: list[dict[str, Any]] = [
        {"lists": [], "offsets": []},
        {"offsets": [0, 1]},
        {"lists": 257 * [(0, docs)], "offsets": range(257)},
        {"lists": [(0, docs.astype(np.int64))]},
        {"lists": [(0, twice[:6:2])]},
        {"weights": twice[:255]},
        {"weights": twice[::2]},
        {"weights": twice[:256].astype(np.int32)},
        {"masks": right["masks"][1:]},
        {"masks": right["masks"].astype(np.int16)},
        {"docs": docs.astype(np.uint64)},
        {"docs": twice[:6:2]},
        {"denied": (0, docs.astype(np.int32))},
    ]
    for changed in wrong:
        with pytest.raises(ValueError, match=r"."):
            held.phrase(**right | changed)
    for changed in ({"lists": [(0, docs[:2])]}, {"denied": (1, docs[:1])}):
        with pytest.raises(IndexDamaged, match=r"x\.seg is damaged \(a list has others than it states\)"):
            held.phrase(**right | changed)
    with pytest.raises(IndexError, match="no list 9 among 4"):
        held.phrase(**right | {"lists": [(9, docs)]})
    for weighed in (np.ones(9, np.uint64), np.ones(9, np.uint8)):
        with pytest.raises(ValueError, match="weights are of two bytes or four"):
            held.weighted(0, weighed)


def test_what_a_segment_held_is_given_back_when_it_is_let_go(tmp_path: Path) -> None:
    """At once, and not when garbage is looked for: a file stays mapped as long."""
    written(tmp_path / "x.seg", SMALL, 10)
    gc.disable()
    try:
        reader = read(tmp_path / "x.seg", 10)
        assert reader.terms.find(b"bel") == 1 and reader.documents(1).tolist() == [0, 1, 6]
        held = weakref.ref(reader), weakref.ref(reader.terms), weakref.ref(reader._file)
        del reader
        assert [one() for one in held] == [None, None, None]
    finally:
        gc.enable()
