"""Names that begin so: a section of a file of arrays, against plain lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.vocabulary import completions
from trialindex.vocabulary.completions import Completion, Completions, Linked, write_completions

Names = Mapping[str, Sequence[tuple[str, int]]]

# Names of two spellings of a word, of one that stands for two, in two scripts; and what is no word.
WORDS = (
    "lungs",
    "lupus",
    "lupsu",
    "lump",
    "neph",
    "nephritis",
    "il",
    "2",
    "il-2",
    "(lung)",
    "étale",
    "日本",
    "a_b",
    "lung",
)
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
SHOWN = ("", "\tAs Written", "\tas written")


@st.composite
def names(draw: st.DrawFn) -> Names:
    made = {}
    for kind in ("condition", "intervention"):
        texts = draw(st.sets(st.tuples(TEXTS, st.sampled_from(SHOWN)).map("".join), max_size=12))
        made[kind] = [(text, draw(st.integers(1, 9))) for text in sorted(texts)]
    return made


KINDS = st.sampled_from(["condition", "intervention", ""])
CONCEPTS = st.lists(
    st.tuples(KINDS, st.integers(1, 30), st.lists(TEXTS, min_size=1, max_size=3).map(tuple)), max_size=4
).map(lambda rows: [Linked(f"D{place}", *row) for place, row in enumerate(rows)])


def oracle(names: Names, concepts: Sequence[Linked]) -> list[tuple[Completion, bool]]:
    """Return all entries in their order, worked out one by one, each with whether it answers at all words."""
    written: dict[tuple[str, str], int] = {}
    for kind, held in names.items():
        for name, trials in held:
            key = kind, name.split("\t")[0]
            written[key] = written.get(key, 0) + trials
    meant: dict[tuple[str, str], list[Linked]] = {}
    kinds = {}
    for one in concepts:
        counts = {
            kind: sum(written.get((kind, text), 0) for text in one.names)
            for kind in ("condition", "intervention")
        }
        kinds[one.identifier] = one.kind or (
            "intervention" if counts["intervention"] > counts["condition"] else "condition"
        )
        for text in set(one.names):
            key = kinds[one.identifier], text
            if written.get(key, 0) <= 4 * one.trials:
                meant.setdefault(key, []).append(one)
    found = []
    for key in written.keys() | meant.keys():
        kind, text = key
        other = text[:-1] if text[-1] == "s" else text + "s"
        senses = [(one, written.get(key, 0)) for one in meant.get(key, [])]
        if not senses:
            named = [(one, written[key]) for one in meant.get((kind, other), [])]
            senses = [one for one in sorted(named, key=_first)[:1] if written[key] <= 4 * one[0].trials]
        if not senses:
            found.append((written[key], 0, Completion(text, kind, written[key], "", 0), True))
        for place, (one, own) in enumerate(sorted(senses, key=_first)[:3]):
            own = 0 if place else own
            rank = max(own, min(one.trials, one.trials // 10 + 10 * own))
            preferred = written.get((kinds[one.identifier], one.names[0]), 0)
            entry = Completion(text, kind, own, one.identifier, preferred)
            found.append((rank, int(one.identifier[1:]) + 1, entry, own > 0 or text == one.names[0]))
    found.sort(
        key=lambda item: (-item[0], -item[2].trials, len(item[2].text), item[2].text, item[2].kind, item[1])
    )
    return [(entry, inside) for _, _, entry, inside in found]


def _first(sense: tuple[Linked, int]) -> tuple[int, str]:
    return -sense[0].trials, sense[0].identifier


def begins(text: str, prefix: str, *, inside: bool = True) -> bool:
    """Whether a text goes on with a prefix where one of its words begins, or its first one does."""
    places = [
        place
        for place, char in enumerate(text)
        if char.isalnum() and (place == 0 or not text[place - 1].isalnum())
    ]
    return any(text.startswith(prefix, place) for place in (places if inside else places[:1]))


def made(path: Path, names: Names, concepts: Sequence[Linked] = ()) -> Completions:
    with ArrayWriter(path) as writer:
        write_completions(writer, "c", names, concepts)
    return Completions(ArrayFile(path), "c")


@given(names(), CONCEPTS, TEXTS, st.integers(1, 8), st.integers(0, 5))
def test_it_answers_as_a_plain_list_does(
    tmp_path_factory: pytest.TempPathFactory,
    names: Names,
    concepts: list[Linked],
    text: str,
    size: int,
    limit: int,
) -> None:
    found = made(tmp_path_factory.mktemp("c") / "c.seg", names, concepts)
    entries = oracle(names, concepts)
    assert [found[number] for number in range(len(found))] == [entry for entry, _ in entries]
    for prefix in (text, text[:size], text[1:]):
        expected = [
            number
            for number, (entry, inside) in enumerate(entries)
            if begins(entry.text, prefix, inside=inside)
        ]
        if prefix:
            assert found.best([found.range(prefix)], len(entries) + 1) == expected
            assert found.best([found.range(prefix), found.range(prefix)], limit) == expected[:limit]
    for kind in ("condition", "intervention"):
        known = any((entry.text, entry.kind) == (text, kind) and text[0].isalnum() for entry, _ in entries)
        assert found.knows(text, kind) is known


def corrected(texts: Sequence[str], prefix: str) -> set[str]:
    """Return what a prefix may have been meant to be, by comparing it with all words."""
    words = {word for text in texts for word in re.findall(r"[^\W\d_]{4,}", text)}
    found = set()
    for match in re.finditer(r"[a-z]{4,}", prefix):
        word, before, after = match[0], prefix[: match.start()], prefix[match.end() :]
        if re.search(r"[\d_]$", before) or re.match(r"[\d_]", after):
            continue
        beginnings = words if after else {one[:size] for one in words for size in range(3, len(one) + 1)}
        found |= {
            before + other + after
            for other in beginnings
            if other[0] == word[0]
            and OSA.distance(other, word) == 1
            and (after or not other.startswith(word))
        }
    return {one for one in found if any(begins(text, one) for text in texts)}


PLAIN = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=2).map(" ".join)


@given(st.lists(PLAIN, min_size=1, max_size=8, unique=True), PLAIN)
def test_corrections_are_those_of_comparing_all_words(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], prefix: str
) -> None:
    given = {"condition": [(text, 1) for text in sorted(texts)]}
    found = made(tmp_path_factory.mktemp("c") / "c.seg", given)
    assert found.corrected(prefix) == sorted(corrected(texts, prefix))


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Completions:
    texts = ["cyclophosphamide", "il-2 receptor", "lupus nephritis", "pembrolizumab", "placebo", "rituximab"]
    return made(tmp_path_factory.mktemp("c") / "c.seg", {"intervention": [(text, 1) for text in texts]})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pembrlo", ["pembro", "pembrol"]),  # a letter too many, or two swapped
        ("pemrol", ["pembrol"]),  # left out
        ("pembbrol", ["pembrol"]),  # put in
        ("pembtol", ["pembrol"]),  # replaced
        ("lupis neph", ["lupus neph"]),
        ("lupus nepr", ["lupus nep", "lupus neph", "lupus nephr"]),
        ("luus", ["lupus"]),
        ("il-2 recetp", ["il-2 recep", "il-2 recept"]),
    ],
)
def test_one_edit_is_forgiven(some: Completions, typed: str, meant: list[str]) -> None:
    assert some.corrected(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "tembrol",  # another first letter
        "pebmolr",  # two edits
        "lup neph",  # a word before the last is a whole one
        "il-3", "il3 receptor", "li-2",  # digits, and words of less than four letters
        "lupus2",  # a word with a digit
        "zzzz", "", " ", "-", "\ud800abcd", "y" * 300,
    ],
)  # fmt: skip
def test_what_is_further_off_is_not(some: Completions, typed: str) -> None:
    assert some.corrected(typed) == []


def test_a_range_of_nothing_and_an_entry_that_is_not_there(some: Completions, tmp_path: Path) -> None:
    assert some.best([some.range("zzz")], 9) == some.best([], 9) == some.best([some.range("l")], 0) == []
    assert not some.knows("lupus", "intervention") and not some.knows("lupus nephritis", "condition")
    with pytest.raises(IndexError):
        some[len(some)]
    none = made(tmp_path / "c.seg", {})
    assert (len(none), none.range("a"), none.corrected("lupus")) == (0, (0, 0), [])


def test_of_many_names_those_of_most_trials_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "MOST", 3)
    given = {
        "condition": [(f"n{number:02}", 1 + number % 5) for number in range(40)],
        "intervention": [("zz", 9)],
    }
    found = made(tmp_path / "c.seg", given, [Linked("D1", "condition", 70, ("of a concept",))])
    assert [found[number].text for number in range(len(found))] == ["zz", "of a concept", "n04"]


def test_damage_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "c.seg"
    given = {"condition": [("lupus nephritis\tLupus", 4), ("étale", 1)]}
    made(path, given, [Linked("D1", "condition", 9, ("lupus", "lupus nephritis"))])

    def read(file: ArrayFile) -> None:
        found = Completions(file, "c")
        for prefix in ("lupus", "n", "lupis", "é"):
            for number in found.best([found.range(text) for text in (prefix, *found.corrected(prefix))], 9):
                found[number]
        found.knows("lupus", "condition")
        for number in range(len(found)):
            found[number]

    hurt(path, read)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("owners", np.array([9, 9, 9], np.uint32)),
        ("owners", np.array([0], np.uint32)),
        ("offsets", np.array([0, 900, 16], np.uint32)),
        ("offsets", np.array([0, 16], np.uint32)),
        ("kinds", np.array([7, 7], np.uint8)),
        ("concepts", np.array([5, 5], np.uint32)),
        ("trials", np.array([1], np.uint32)),
        ("preferred", np.array([1], np.uint32)),
        ("words", np.zeros(23, np.uint8)),
        ("texts", np.full(14, 255, np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_damage(
    tmp_path: Path, name: str, values: np.ndarray[tuple[int], np.dtype[np.generic]]
) -> None:
    path = tmp_path / "whole.seg"
    made(path, {"condition": [("lupus b", 2), ("gout", 1)]})
    whole = ArrayFile(path)
    with ArrayWriter(tmp_path / "c.seg") as writer:
        for held in whole.names():
            writer.put(held, values if held == f"c.{name}" else whole.get(held))
    with pytest.raises(IndexDamaged, match=r"c\.seg"):
        found = Completions(ArrayFile(tmp_path / "c.seg"), "c")
        found.knows("gout", "condition")
        for number in found.best([(0, 3)], 9):
            found[number]
