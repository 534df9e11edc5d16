"""The compiled loops of building (`_cutting.pyx`) against the arrays beside them, and when they are used."""

from __future__ import annotations

import re
import sys
from array import array
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers import ROOT
from test_tokens import BOUND, MARKED, TEXTS
from trialindex import kernel
from trialindex.segments import run, tokens
from trialindex.segments.tokens import TERM, Tokeniser, Tokens

compiled_only = pytest.mark.skipif(kernel.cutting() is None, reason="no compiled kernel is installed")

CALLS = st.lists(st.lists(st.one_of(TEXTS, st.sampled_from(BOUND), MARKED), max_size=4), max_size=4)


def drained(drains: list[list[list[str]]], *, arrays: bool) -> tuple[list[Tokens], list[str], int]:
    """What a tokeniser gives for the calls of several drains, its terms, and how much it holds of them."""
    with pytest.MonkeyPatch.context() as patch:
        if arrays:
            patch.setattr(tokens, "cutting", lambda: None)
        tokeniser = Tokeniser()
        found = []
        for calls in drains:
            for values in calls:
                tokeniser.add(values)
                tokeniser.add_terms([f"{TERM}{values[0].replace(' ', '')}.)"] if values else [])
            found.append(tokeniser.drain())
        return found, tokeniser.vocabulary, tokeniser.memory


@compiled_only
@settings(max_examples=400, deadline=None)
@given(st.lists(CALLS, max_size=3))
@example([[["type II 5", ""]], [["", "phase", "II"], []]])
@example([[["a" * 15, "a" * 16, "a" * 8, "a" * 7, "x" * 40 + " IL 2"]], [["a" * 15 + " " + "a" * 7]]])
def test_both_cut_alike(drains: list[list[list[str]]]) -> None:
    compiled, by_arrays = drained(drains, arrays=False), drained(drains, arrays=True)
    assert compiled[1:] == by_arrays[1:]
    for one, other in zip(compiled[0], by_arrays[0], strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert (mine.dtype, mine.tolist()) == (theirs.dtype, theirs.tolist())


@compiled_only
def test_chunks_by_the_thousand_are_told_apart() -> None:
    # More than there are places for recent ones: each is met again after others took its place.
    words = [f"w{number:x}" for number in range(150_000)]
    calls = [[" ".join(words)], [" ".join(reversed(words))]]
    compiled, by_arrays = drained([calls], arrays=False), drained([calls], arrays=True)
    assert compiled[1] == by_arrays[1]
    assert np.array_equal(compiled[0][0].terms, by_arrays[0][0].terms)


@compiled_only
@given(st.lists(st.integers(0, 6), max_size=50))
def test_both_order_alike(numbers: list[int]) -> None:
    terms = np.array(numbers, np.uint32)
    counts = np.bincount(terms, minlength=7)
    # The term of the highest number first, as an order that is not that of the numbers.
    begins = len(numbers) - np.cumsum(counts)
    compiled = run._ordered(terms, begins.copy())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "cutting", lambda: None)
        assert run._ordered(terms, begins.copy()).tolist() == compiled.tolist()
    assert compiled.tolist() == sorted(range(len(numbers)), key=lambda place: (-numbers[place], place))


@compiled_only
def test_what_does_not_fit_together_is_refused() -> None:
    compiled = kernel.cutting()
    assert compiled is not None
    for numbers, begins in (([2], [0, 0]), ([0, 0], [1]), ([0], [-1])):
        with pytest.raises(IndexError):
            compiled.ordered(np.array(numbers, np.uint32), np.array(begins, np.int64))
    rows, empty = array("I", (0, 0, 0, 0)), array("I")
    with pytest.raises(ValueError, match="not as many values"):
        compiled.tokens(np.zeros(2, np.uint32), np.array([1], np.int64), rows, empty, empty, 16)


def test_modules_of_another_version_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("trialindex._cutting")
    other.VERSION = kernel.CUTTING_VERSION + 1  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, other.__name__, other)
    assert kernel.cutting.__wrapped__() is None
    other.VERSION = kernel.CUTTING_VERSION  # type: ignore[attr-defined]
    monkeypatch.delenv("TRIALSEARCH_KERNEL", raising=False)
    assert kernel.cutting.__wrapped__() is other
    monkeypatch.setenv("TRIALSEARCH_KERNEL", "off")
    assert kernel.cutting.__wrapped__() is None


def test_both_sides_name_the_same_version() -> None:
    source = (ROOT / "indexer/trialindex/_cutting.pyx").read_text("utf-8")
    assert re.findall(r"^VERSION = (\d+)$", source, re.MULTILINE) == [str(kernel.CUTTING_VERSION)]
