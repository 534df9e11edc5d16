"""The nearest words by trigrams are those that counting by hand finds, and damage is reported."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import sealed
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.vocabulary import near as near_module
from trialindex.vocabulary.near import ALL_KINDS, NearWords, write_near

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
LETTERS = st.text("abcé", max_size=9)
NUMBERS = st.tuples(st.integers(0, 5), st.integers(0, 15))


def written(path: Path, words: Mapping[str, tuple[int, int]]) -> NearWords:
    with ArrayWriter(path) as writer:
        write_near(writer, "near", words)
    file = ArrayFile(path)
    assert file.check() == []
    return NearWords(file, "near")


def trigrams(word: str) -> set[bytes]:
    data = b"\0\0" + word.encode() + b"\0\0"
    return {data[place : place + 3] for place in range(len(data) - 2)}


def by_comparing_all(
    word: str, words: Mapping[str, tuple[int, int]], kinds: int, limit: int
) -> list[tuple[str, int, int]]:
    """Return the candidates by sets: shared trigrams over the trigrams of one and the length of the other."""
    own, length = trigrams(word), len(word.encode())
    if len(word) < 4:
        return []
    every = set().union(*map(trigrams, words)) if words else set()
    least = max(2, len(own & every) // 4)
    found = []
    for other, (trials, mask) in words.items():
        size, shared = len(other.encode()), len(own & trigrams(other))
        fits = abs(size - length) <= 4 and (kinds == ALL_KINDS or mask & kinds)
        if shared >= least and fits:
            found.append((-shared / (len(own) + 2 + size), -trials, other.encode()))
    ordered = [other.decode() for _, _, other in sorted(found)][:limit]
    return [(other, *words[other]) for other in ordered]


@repeated
@given(
    words=st.dictionaries(LETTERS.filter(lambda word: len(word) >= 4), NUMBERS, max_size=60),
    asked=LETTERS,
    kinds=st.sampled_from([ALL_KINDS, 1, 6]),
    limit=st.integers(1, 20),
)
@example(words={}, asked="lupus", kinds=ALL_KINDS, limit=5)
@example(words={"abab": (0, 0), "aaaa": (0, 1)}, asked="aaaaaaaa", kinds=ALL_KINDS, limit=40)
def test_candidates_are_those_that_comparing_with_all_finds(
    tmp_path: Path, words: dict[str, tuple[int, int]], asked: str, kinds: int, limit: int
) -> None:
    near = written(tmp_path / "x.seg", words)
    assert len(near) == len(words)
    assert {word: near.get(word) for word in words} == words
    assert near.get(asked) == words.get(asked)
    assert near.candidates(asked, kinds, limit) == by_comparing_all(asked, words, kinds, limit)


def test_the_words_of_a_misspelt_one_by_hand(tmp_path: Path) -> None:
    words = {"asthma": (7, 1), "ataxia": (2, 1), "aspirin": (9, 2), "plasma": (3, 8), "lupus": (5, 1)}
    near = written(tmp_path / "x.seg", words)
    # Of the seven trigrams of "astma" (..a .as ast stm tma ma. a..) these have five, two, two, two, none;
    # sizes with marks 8, 8, 9, 8.
    assert near.candidates("astma") == [
        ("asthma", 7, 1), ("plasma", 3, 8), ("ataxia", 2, 1), ("aspirin", 9, 2)
    ]  # fmt: skip
    assert near.candidates("astma", kinds=2) == [("aspirin", 9, 2)]
    assert near.candidates("astma", kinds=4) == []
    assert near.candidates("astma", limit=1) == [("asthma", 7, 1)]
    assert near.candidates("astma", limit=0) == []
    assert near.candidates("lupus") == [("lupus", 5, 1)]
    assert near.candidates("zzzzz") == []


@pytest.mark.parametrize("asked", ["", "abc", "x" * 65, "é" * 33, "\udcff" * 8, "\0" * 8])
def test_what_is_too_short_too_long_or_no_text_has_none(tmp_path: Path, asked: str) -> None:
    near = written(tmp_path / "x.seg", {"abcd": (1, 1), "xxxxxxxx": (1, 1)})
    assert near.candidates(asked) == []
    assert near.get(asked) is None


def test_words_too_short_or_too_long_are_left_out(tmp_path: Path) -> None:
    near = written(tmp_path / "x.seg", {"abc": (1, 1), "a" * 65: (1, 1), "abcd": (2, 3)})
    assert len(near) == 1
    assert (near.get("abc"), near.get("abcd")) == (None, (2, 3))


@pytest.mark.parametrize("numbers", [(-1, 0), (1 << 32, 0), (0, 256), (0, -1)])
def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        written(tmp_path / "x.seg", {"lupus": numbers})


def test_of_equals_the_more_frequent_then_the_lower_comes_first(tmp_path: Path) -> None:
    words = {"nasalin": (1, 2), "naxalin": (1, 2), "nabalin": (9, 2)}
    near = written(tmp_path / "x.seg", words)
    assert [word for word, _, _ in near.candidates("nafalin")] == ["nabalin", "nasalin", "naxalin"]


def edited(word: str, choose: random.Random) -> str:
    """Return a word with a letter left out, replaced, put in, or swapped with the next."""
    place = choose.randrange(len(word) - 1)
    letter = choose.choice("abcdefghijklmnopqrstuvwxyz")
    return choose.choice(
        [
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        ]
    )


def test_a_word_with_one_edit_has_its_own_among_its_candidates(tmp_path: Path) -> None:
    choose = random.Random(4)
    parts = "ro si ta ni mab tinib statin pril azol cillin ci me the lu ve".split()
    words = {"".join(choose.choices(parts, k=choose.randint(2, 5))): (1, 2) for _ in range(3000)}
    near = written(tmp_path / "x.seg", words)
    held = [word for word in words if len(word) >= 6]
    assert all(word in {other for other, _, _ in near.candidates(edited(word, choose))} for word in held)


def test_the_commonest_trigrams_are_left_out_where_lists_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {f"{first}{second}tinib": (1, 2) for first in "abcdefghij" for second in "abcdefghij"}
    near = written(tmp_path / "x.seg", {**words, "rituximab": (5, 2)})
    assert len(near.candidates("abtinib", limit=200)) == 100
    # Lists of one, ten and ten words, and no longer ones.
    monkeypatch.setattr(near_module, "_MOST_COUNTED", 25)
    counted = near.candidates("abtinib", limit=200)
    assert counted[0] == ("abtinib", 1, 2)
    assert len(counted) < 100
    # The first list counts however long it is.
    monkeypatch.setattr(near_module, "_MOST_COUNTED", 0)
    assert near.candidates("abtinib") == []


FORGED: list[tuple[str, Callable[[dict[str, list[int]]], None], str]] = [
    ("a list beyond the end", lambda held: held["gram_offsets"].__setitem__(1, 99), "ends before it begins"),
    ("a list backwards", lambda held: held["gram_offsets"].__setitem__(2, 0), "ends before it begins"),
    ("a word beyond the last", lambda held: held["gram_words"].__setitem__(0, 7), "names a word"),
    ("a number too few", lambda held: held["trials"].pop(), "do not fit together"),
    ("kinds too many", lambda held: held["kinds"].append(1), "do not fit together"),
    ("a trigram too many", lambda held: held["grams"].append(1), "do not fit together"),
    ("an entry too many", lambda held: held["gram_words"].append(0), "do not fit together"),
    ("no text", lambda held: held["words.bytes"].__setitem__(1, 255), "is no text"),
]


@pytest.mark.parametrize(("forge", "said"), [entry[1:] for entry in FORGED], ids=[row[0] for row in FORGED])
def test_parts_that_do_not_fit_are_reported(
    tmp_path: Path, forge: Callable[[dict[str, list[int]]], None], said: str
) -> None:
    written(tmp_path / "x.seg", {"lupus": (1, 1)})
    file = ArrayFile(tmp_path / "x.seg")
    dtypes = {name.removeprefix("near."): file.get(name).dtype for name in file.names()}
    held = {name: file.get(f"near.{name}").tolist() for name in dtypes}
    forge(held)
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for name, values in held.items():
            writer.put(f"near.{name}", np.array(values, dtypes[name]))
    with pytest.raises(IndexDamaged, match=rf"y\.seg is damaged \(.*{said}"):
        NearWords(ArrayFile(tmp_path / "y.seg"), "near").candidates("lupus")


def test_a_file_without_it_is_reported(tmp_path: Path) -> None:
    path = sealed(tmp_path / "x.seg", {"version": 1, "meta": {}, "arrays": {}})
    with pytest.raises(IndexDamaged, match=r"it has no array 'near\.words\.bytes'"):
        NearWords(ArrayFile(path), "near")


def test_no_flip_of_a_byte_does_worse_than_being_reported(tmp_path: Path) -> None:
    words = {"lupus": (3, 1), "lupine": (0, 2), "rituximab": (9, 2), "nephritis": (4, 1)}
    written(tmp_path / "x.seg", words)
    whole = (tmp_path / "x.seg").read_bytes()
    choose = random.Random(8)
    copy = tmp_path / "hurt.seg"
    for place in choose.sample(range(len(whole)), 500):
        copy.unlink(missing_ok=True)  # the last copy may still be mapped
        flipped = whole[place] ^ (1 << choose.randrange(8))
        copy.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        try:
            file = ArrayFile(copy)
            assert file.check()
            near = NearWords(file, "near")
            for word in ("lupsu", "rituximb", "nephritis"):
                near.candidates(word)
                near.get(word)
        except (IndexDamaged, IndexError):
            continue
