"""Tokens by the million against `analysis.value_tokens`, which reads every text word by word."""

from __future__ import annotations

import gzip
import json
from itertools import islice

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from trialindex.analysis import VALUE_GAP, plain_term, value_tokens
from trialindex.document import Document
from trialindex.segments import tokens as module
from trialindex.segments.tokens import TERM, Tokeniser, Tokens

Placed = list[tuple[str, int]]


def expected(values: list[str]) -> tuple[Placed, list[int]]:
    """Terms with their positions, and where values start, by the slow way."""
    found: Placed = []
    starts = [0]
    last = [-1] * len(values)
    for number, token in value_tokens(values):
        found.append((token.term, token.position))
        last[number] = token.position
    for number in range(len(values)):
        starts.append(max(starts[number], last[number] + 1) + VALUE_GAP)
    return found, starts


def unpacked(tokeniser: Tokeniser, found: Tokens) -> list[tuple[Placed, list[int]]]:
    """What `expected` gives, for each call of `add`."""
    assert {array.dtype for array in found} == {np.dtype(np.uint32)}
    assert len(found.terms) == len(found.positions) == found.counts.sum()
    assert len(found.starts) == found.start_counts.sum()
    terms = [tokeniser.vocabulary[number] for number in found.terms.tolist()]
    placed = iter(zip(terms, found.positions.tolist(), strict=True))
    starts = iter(found.starts.tolist())
    return [
        (list(islice(placed, count)), list(islice(starts, start_count)))
        for count, start_count in zip(found.counts.tolist(), found.start_counts.tolist(), strict=True)
    ]


def check(calls: list[list[str]], tokeniser: Tokeniser | None = None) -> None:
    tokeniser = tokeniser or Tokeniser()
    for values in calls:
        tokeniser.add(values)
    assert unpacked(tokeniser, tokeniser.drain()) == [expected(values) for values in calls]


def test_a_text_worked_out_by_hand() -> None:
    tokeniser = Tokeniser()
    tokeniser.add(["IL 2 in the", "lungs"])
    tokeniser.add([])
    tokeniser.add(["", "type II"])
    found = tokeniser.drain()
    # Function words at the end of a value take no place: `lungs` stands 16 after the 2 and one.
    assert unpacked(tokeniser, found) == [
        ([("il", 0), ("il2", 0), ("2", 1), ("lung", 18)], [0, 18, 35]),
        ([], [0]),
        ([("type", 16), ("type2", 16), ("2", 17)], [0, 16, 34]),
    ]


def test_a_citation_is_read_part_by_part() -> None:
    tokeniser = Tokeniser()
    tokeniser.add(["Apr;44(4):1492-500.", "Sep 1;138(the)"])
    # Volume, issue and pages are numbers of their own; `Sep 1` is a name with its number, as elsewhere.
    first = [("apr", 0), ("44", 1), ("4", 2), ("1492", 3), ("500", 4)]
    second = [("sep", 21), ("sep1", 21), ("1", 22), ("138", 23)]
    assert unpacked(tokeniser, tokeniser.drain()) == [([*first, *second], [0, 21, 40])]


def test_nothing_added_nothing_found() -> None:
    tokeniser = Tokeniser()
    assert [len(array) for array in tokeniser.drain()] == [0, 0, 0, 0, 0]
    tokeniser.add([])
    tokeniser.add([""])
    assert [array.tolist() for array in tokeniser.drain()] == [[], [], [0, 0], [0, 0, 16], [1, 2]]
    assert [len(array) for array in tokeniser.drain()] == [0, 0, 0, 0, 0]


_BOUND = """\
    IL 2|PD L1|PD  L1|type II|type I/II|phase 1/2|phase 1/2/3|phase 1 /2|phase 1.5/II|phase: 2/II
    hepatitis A|hepatitis A 5|a 5|(a 5|hepatitis (A 5|hepatitis A. 5|hepatitis A B 5|type a a a 3|type II 5
    type V V V|IL 2 IL 2 IL 2|2-IL 2-IL 2-IL 2-IL|alfa 2a-b|alfa 2a b|interferon alpha 2a|covid, 19|covid 19,
    vitamin D 3|vitamin D3 4|mg 5|day 28|CD4 5|β 1|β -1|mu 2|il 2000|il 2.5|il 12a4|grade 3/4 5/6|Aβ 42
    HLA A 2|HLA-A 2|in 5|ALL 5|it 5|A|AIDS 1|aids 1|type -II|type II.|type .II|(type II)|PD L1a|PD LL1|PD a1
    PDX L1|type ı|type ² 2|patient's 5|HER's 2|IT's 2|phase 2 I/II|phase 2/I/II|x 1,000|x 1,000,5|type 1,000
    HEPATITIS A VIRUS IN ALL WHO ASKED|PHASE II TRIAL OF IL 2|AIDS PATIENTS|GLUCOSE ALL|IT IS 5 OR IT 5 NOW
    phase\tII|phase\nII|phase \n2/II|IL\u00a02|IL \u00ad2|µ g|5 µ\u00adg|α\u200b\u0345μ|e \u0301|İL 2|ſ 2
"""
BOUND = [text for line in _BOUND.splitlines() for text in line.removeprefix("    ").split("|") if text]


@pytest.mark.parametrize("text", BOUND)
def test_words_bound_over_a_space(text: str) -> None:
    check([[text], [f"x {text} y"], [f"phase {text} 7"], [text.upper(), text], [f"{text}\n{text}  {text}"]])


WORDS = """IL 2 - – / , . α β μ µ µg ALL all AIDS aids it IT HER type phase hepatitis II ii V X I follow up
    1,000 1.5 's s ’ é ß 日 本 😀 ² ﬁ a A b 12 alfa 2a of the SARS ' Σ ς _ + % Ⅳ ½ ٣ Ａ K ſ ŉ İ ı ϐ Å ﷺ ①
    ά Ω PD L1 a1 ( ) [ ] ; : = < > " EFFICACY trials mg day 28 1/2 I/II · ®""".split()
ODD = ["  ", "\n", "\t", "\r", "e\u0301", "\u00ad", "\u200b", "\u03a2", "\u0345", "\u0301", "\ud800", "\0",
    "\1", "\2", "\x1f", "\u00a0", "\u2000"]  # fmt: skip
# A space is as likely as all others together: the seams between chunks are what may break.
PIECES = st.one_of(st.just(" "), st.sampled_from([*WORDS, *ODD]))
TEXTS = st.one_of(
    st.lists(PIECES, max_size=20).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    st.lists(PIECES, max_size=12).map("".join).map(str.upper),
    st.text(max_size=40),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.lists(TEXTS, max_size=4), max_size=4))
@example([["IL", "2"], ["2"]])
@example([["\0", "\1A \1B", "\0 \0"], ["A TRIAL OF ALL\0\1 THE PATIENTS"]])
@example([["A TRIAL OF ALL WHO ASKED", "a trial of ALL who asked"], ["ALL"]])
def test_the_tokens_are_those_of_the_slow_way(calls: list[list[str]]) -> None:
    check(calls)


MARKS = st.text(".,;:()[]\"'%*\r/-", max_size=3)
MARKED = st.tuples(MARKS, st.sampled_from(WORDS), MARKS).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(MARKED, max_size=8).map(" ".join), st.booleans())
@example("type (II", False)
@example("type), II", False)
@example("A TRIAL OF (ALL) WHO ASKED.", True)
def test_marks_left_out_before_and_behind_a_chunk_change_nothing(text: str, upper: bool) -> None:
    check([[text.upper() if upper else text], [text.replace("II", "2")]])


def test_a_term_keeps_the_marks_at_its_end() -> None:
    tokeniser = Tokeniser()
    tokeniser.add_terms([f"{TERM}a.)", f"{TERM}a"])
    tokeniser.drain()
    assert tokeniser.vocabulary == [f"{TERM}a.)", f"{TERM}a"]


@given(st.one_of(st.sampled_from(WORDS), st.text("aAIViv2-é", max_size=6), st.text(max_size=8)))
@example("Tumours")
@example("would")
def test_a_plain_term_is_all_that_is_read_of_its_word(text: str) -> None:
    term = plain_term(text)
    if term is not None:
        alone = [token.term for _, token in value_tokens([text])]
        assert alone == [term] * bool(term)
        # Nothing beside it is read with it.
        for before, after in (("type", "2"), ("IL", "II"), ("a", "5"), ("2", "a")):
            both = [token.term for _, token in value_tokens([f"{before} {text} {after}"])]
            parts = [token.term for _, token in value_tokens([before, text, after])]
            assert both == parts


KEPT = Tokeniser()


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_what_was_read_before_changes_nothing(values: list[str]) -> None:
    check([values], KEPT)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000, "1" * 100_000, "a1-" * 30_000, "2-IL " * 20_000, " " * 100_000,
        "e" + "\u0301" * 50_000, "日" * 20_000, "A" * 50_000 + " ALL", "\n" * 50_000,
        "'" * 50_000, ("x" * 3_000 + " ") * 30,
    ],
    ids=range(11),
)  # fmt: skip
def test_long_texts(text: str) -> None:
    check([[text], ["type", text, "II"]])


def test_cut_in_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [[f"type {number}", "", "II"][: number % 4] for number in range(40)]
    monkeypatch.setattr(module, "_BATCH", 10)
    check(calls)


def test_terms_keep_their_numbers_until_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    tokeniser = Tokeniser()
    check([["lupus nephritis", "--- ... +++ *** /// (lupus)"]], tokeniser)
    before = list(tokeniser.vocabulary)
    held = tokeniser.memory
    monkeypatch.setattr(module, "_MOST_CHUNKS", 0)
    check([["nephritis of lupus"]], tokeniser)
    assert tokeniser.vocabulary == before == ["lupus", "nephriti"]
    assert tokeniser.memory < held
    check([["IL 2, lupus"]], tokeniser)
    tokeniser.forget()
    assert tokeniser.vocabulary == []
    check([["IL 2, lupus"]], tokeniser)


def test_forget_drops_what_was_not_drained() -> None:
    tokeniser = Tokeniser()
    tokeniser.add(["lupus"])
    tokeniser.forget()
    assert [len(array) for array in tokeniser.drain()] == [0, 0, 0, 0, 0]


def test_memory_grows_with_what_is_new() -> None:
    tokeniser = Tokeniser()
    empty = tokeniser.memory
    check([[" ".join(f"word{number}" for number in range(1000))]], tokeniser)
    grown = tokeniser.memory
    assert grown - empty > 1000 * 100
    check([["word1 word2"]], tokeniser)
    assert tokeniser.memory - grown < 1000


@needs_shared
def test_real_records() -> None:
    tokeniser = Tokeniser()
    with gzip.open(SHARED / "eval" / "records.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, 300):
            check(list(Document.of(json.loads(line)).text.values()), tokeniser)


@pytest.mark.parametrize("size", range(1, 20))
def test_chunks_that_differ_in_their_last_letter_or_length_alone_are_told_apart(size: int) -> None:
    word = "abcdefghijklmnopqrst"[:size]
    # A letter of two bytes may lie across the fifteenth.
    words = [word, word[:-1] + "z", word + "z", word[:-1] + "é", "é" + word[1:], word[:-1] + "\0", word[:-1]]
    # Twice: the second time they are recent.
    check([[" ".join(words)], [" ".join(reversed(words))]] * 2)


def test_recent_chunks_that_take_the_place_of_each_other_keep_their_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PLACES", 1)
    tokeniser = Tokeniser()
    for _ in range(3):
        check([["lupus nephritis of the kidney, lupus", "IL 2 (lupus)"], ["", "kidney\nlupus"]], tokeniser)


def test_chunks_of_one_word_share_its_tokens() -> None:
    tokeniser = Tokeniser()
    tokeniser.add(["lupus (lupus) lupus. phase (phase phase) 2"])
    found = tokeniser.drain()
    assert tokeniser.vocabulary == ["lupus", "phase", "2"]
    assert found.terms.tolist() == [0, 0, 0, 1, 1, 1, 2]


def test_terms_are_taken_as_they_are_however_many_and_however_written() -> None:
    """Ids of concepts are all capitals: many of them look like a text that shouts."""
    for size in (1, 2, 10, 100):
        ids = [f"{TERM}D{number:06}" for number in range(size)]
        tokeniser = Tokeniser()
        tokeniser.add_terms(ids)
        tokeniser.add(["D000001 AND D000002 ARE WRITTEN IN THIS TEXT, WHICH SHOUTS"])
        tokeniser.add_terms(ids[:1])
        found = tokeniser.drain()
        written = [tokeniser.vocabulary[term] for term in found.terms.tolist()]
        assert written[:size] == ids
        assert written[-1] == ids[0]
        assert not any(term.startswith(TERM) for term in written[size:-1])
        assert found.positions.tolist()[:size] == list(range(size))
        assert found.counts.tolist()[0] == size
