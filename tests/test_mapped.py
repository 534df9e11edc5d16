"""A mapped vocabulary answers as plain dicts do, whatever stands in it, and says so where it is damaged."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trialindex.analysis import fold, normal_words
from trialindex.errors import IndexDamaged
from trialindex.segments import disk
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.vocabulary.concepts import KINDS, Concept, Name
from trialindex.vocabulary.keys import NameKeys
from trialindex.vocabulary.mapped import Sense, Vocabulary, write_vocabulary

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
    deadline=None,
)
# Words that meet in one term, bind each other over a space, shout, mean nothing, or are of other letters.
parts = st.sampled_from(
    """lupus Lupus nephritis Oedema edema kidney IL IL-2 2 type II a of the ALL SLE MS aids AIDS β-blocker
    Sjögren's (acute) disease, 1/2 DISEASES 渡""".split()
)
texts = st.lists(parts, min_size=1, max_size=4).map(" ".join)
sources = st.sampled_from(["mesh", "mondo", "mine.tsv"])
identifiers = st.integers(0, 14).map("X:{}".format)


@st.composite
def vocabularies(draw: st.DrawFn) -> list[Concept]:
    held = draw(st.lists(identifiers, unique=True, max_size=10))
    names = st.builds(Name, texts, sources)
    return [
        Concept(
            identifier,
            draw(st.sampled_from(KINDS)),
            tuple(draw(st.lists(names, min_size=1, max_size=3))),
            tuple(draw(st.lists(names, max_size=2))),
            tuple(draw(st.lists(identifiers, max_size=3, unique=True))),
        )
        for identifier in held
    ]


class Plain:
    """What a vocabulary should answer, by dicts and loops."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = sorted(concepts, key=lambda concept: concept.id)

    def senses(self, key: tuple[str, ...]) -> tuple[Sense, ...]:
        found = []
        for number, concept in enumerate(self.concepts):
            if key in {normal_words(name.text) for name in concept.names}:
                found.append(Sense(number, False))
            elif key in {normal_words(name.text) for name in concept.abbreviations}:
                found.append(Sense(number, True))
        return tuple(sorted(found, key=lambda sense: (sense.abbreviation, sense.concept))) if key else ()

    def longest_match(self, keys: Sequence[str], start: int) -> tuple[int, tuple[Sense, ...]]:
        for stop in range(len(keys), start, -1):
            if found := self.senses(tuple(keys[start:stop])):
                return stop - start, found
        return 0, ()

    def knows(self, word: str) -> bool:
        names = [name.text for one in self.concepts for name in (*one.names, *one.abbreviations)]
        folded = {word for name in names for word in "".join(
            char if char.isalnum() else " " for char in fold(name)
        ).split()}  # fmt: skip
        analysed = {word for name in names for word in normal_words(name)}
        return word in folded or (len(normal_words(word)) == 1 and normal_words(word)[0] in analysed)

    def names(self, prefix: str) -> list[tuple[str, int]]:
        held = {
            (" ".join(fold(name.text).split()), number)
            for number, one in enumerate(self.concepts)
            for name in (*one.names, *one.abbreviations)
        }
        return sorted(pair for pair in held if pair[0].startswith(prefix))

    def above(self) -> list[set[int]]:
        """The parents of each, as stated, of those that are there."""
        numbers = {concept.id: number for number, concept in enumerate(self.concepts)}
        return [{numbers[parent] for parent in one.parents if parent in numbers} for one in self.concepts]


def walked(number: int, near: Sequence[Iterable[int]]) -> dict[int, int]:
    """What can be reached from a place, with the steps there; itself only over a circle."""
    found: dict[int, int] = {}
    waiting = deque((one, 1) for one in near[number])
    while waiting:
        place, steps = waiting.popleft()
        if place not in found:
            found[place] = steps
            waiting.extend((one, steps + 1) for one in near[place])
    return found


def one(identifier: str, *names: str, short: Sequence[str] = (), parents: Sequence[str] = ()) -> Concept:
    return Concept(
        identifier,
        "condition",
        tuple(Name(name, "mesh") for name in names),
        tuple(Name(name, "mesh") for name in short),
        tuple(parents),
    )


LUPUS = [
    one("D3", "Lupus Nephritis", "Nephritis, Lupus", short=("LN",), parents=("D2", "D1")),
    one("D2", "Lupus", "Systemic Lupus Erythematosus", short=("SLE",), parents=("D1", "D0")),
    one("D1", "Disease", short=("D",), parents=("no such",)),
    one("D4", "Lymph Node", short=("LN", "ln")),
    one("D5", "SLE Scale"),
]


@repeated
@given(vocabularies(), st.lists(texts, max_size=5), st.integers(0, 3))
@example([], ["lupus"], 0)
@example([one("X:1", "of the")], ["of the"], 0)
def test_names_are_found_as_in_a_dict(concepts: list[Concept], asked: list[str], start: int) -> None:
    plain, made = Plain(concepts), Vocabulary.of(concepts)
    assert len(made) == len(concepts)
    for text in (*asked, *(name.text for one in concepts for name in (*one.names, *one.abbreviations))):
        key = normal_words(text)
        assert made.named(text) == made.senses(key) == plain.senses(key), text
        for word in (*fold(text).split(), *key, text):
            assert made.knows(word) == plain.knows(word), word
        run = [*normal_words(" ".join(asked)), *key]
        assert made.longest_match(run, start) == plain.longest_match(run, start), run
    for prefix in ("", "l", "lupus ", "x", *(fold(text)[:3] for text in asked)):
        assert list(made.names(prefix)) == plain.names(prefix)
    for number, concept in enumerate(plain.concepts):
        for name in concept.abbreviations:
            assert number in made.short(name.text)


@repeated
@given(vocabularies())
def test_concepts_come_back_as_they_were(concepts: list[Concept]) -> None:
    plain, made = Plain(concepts), Vocabulary.of(concepts)
    known = {concept.id for concept in concepts}
    for number, concept in enumerate(plain.concepts):
        found = made.concept(number)
        assert found._replace(parents=()) == concept._replace(parents=())
        assert set(found.parents) <= known & set(concept.parents)
        assert (made.preferred(number), made.kind(number)) == (concept.preferred, concept.kind)
        assert made.identifier(number) == concept.id
        assert made.number_of(concept.id) == number
    assert made.number_of("X:99") is None
    for number in (-1, len(concepts)):
        for method in (
            made.concept,
            made.preferred,
            made.kind,
            made.identifier,
            made.parents,
            made.ancestors,
        ):
            with pytest.raises(IndexError):
                method(number)


@repeated
@given(vocabularies())
def test_the_hierarchy_is_as_stated_but_for_circles(concepts: list[Concept]) -> None:
    plain, made = Plain(concepts), Vocabulary.of(concepts)
    stated = plain.above()
    parents = [made.parents(number) for number in range(len(made))]
    for number, held in enumerate(parents):
        assert list(held) == sorted(set(held))
        assert set(held) <= stated[number]
        for cut in stated[number] - set(held):
            assert cut == number or number in walked(cut, stated)
        ancestors = walked(number, parents)
        assert number not in ancestors
        assert dict(made.ancestors(number)) == ancestors
        assert [steps for _, steps in made.ancestors(number)] == sorted(ancestors.values())
    children = [[low for low in range(len(made)) if number in parents[low]] for number in range(len(made))]
    for number, held in enumerate(children):
        assert list(made.children(number)) == held


def test_a_small_vocabulary_by_hand() -> None:
    made = Vocabulary.of(LUPUS)
    assert [made.identifier(number) for number in range(5)] == ["D1", "D2", "D3", "D4", "D5"]
    assert made.concept(2) == LUPUS[0]._replace(parents=("D1", "D2"))
    assert made.concept(0).parents == ()
    assert made.named("LN") == (Sense(2, True), Sense(3, True))
    assert (made.short("LN"), made.short("ln"), made.short("Ln")) == ((2, 3), (3,), ())
    assert made.named("sle") == (Sense(1, True),)
    assert made.named("SLE scales") == (Sense(4, False),)
    run = list(normal_words("systemic lupus erythematosus or lupus nephritis, SLE"))
    assert made.longest_match(run, 0) == (3, (Sense(1, False),))
    assert made.longest_match(run, 1) == (1, (Sense(1, False),))
    assert made.longest_match(run, 3) == (2, (Sense(2, False),))
    assert made.longest_match(run, 4) == (0, ())
    assert made.longest_match(run, 5) == (1, (Sense(1, True),))
    assert made.longest_match(run, 6) == (0, ())
    assert made.ancestors(2) == ((0, 1), (1, 1))
    assert list(made.names("lupus")) == [("lupus", 1), ("lupus nephritis", 2)]
    assert made.knows("nodes") and made.knows("sle") and not made.knows("lupuss") and not made.knows("")


def test_a_name_that_is_one_thing_and_short_for_another_means_both() -> None:
    made = Vocabulary.of([one("A", "Acute Leukemia", short=("AIDS",)), one("B", "AIDS", short=("AIDS",))])
    assert made.named("AIDS") == (Sense(1, False), Sense(0, True))
    assert made.short("AIDS") == (0, 1)


def test_words_of_full_names_are_near_words_with_their_kinds() -> None:
    concepts = [
        one("A", "Kidney Failure", short=("RENAL",)),
        one("B", "Kidneys, Artificial")._replace(kind="intervention"),
    ]
    words = Vocabulary.of(concepts).words
    assert words.get("kidney") == (0, 1)
    assert words.get("kidneys") == (0, 2)
    assert words.get("failure") == (0, 1)
    assert words.get("renal") is None
    assert words.candidates("kidnee")[0][0] == "kidney"


@pytest.mark.parametrize(
    ("concepts", "message"),
    [
        ([one("A", "Lupus"), one("A", "Gout")], "two concepts have the id A"),
        ([one("A", "Lupus")._replace(kind="drug")], "A is of the kind 'drug'"),
        ([one("A")], "A has no name"),
        ([one("A", "half \ud800")], "surrogates"),
    ],
)
def test_what_is_no_vocabulary_is_refused_and_leaves_no_file(
    tmp_path: Path, concepts: list[Concept], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_vocabulary(concepts, tmp_path / "x.voc")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_not_found() -> None:
    made = Vocabulary.of(LUPUS)
    assert made.named("half \ud800") == made.short("\ud800") == ()
    assert made.number_of("\ud800") is None
    assert not made.knows("\ud800")
    assert list(made.names("\ud800")) == []


def test_a_writer_replaces_what_readers_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.voc"
    write_vocabulary(LUPUS, path)
    old = Vocabulary(path)
    write_vocabulary([one("A", "Gout")], path)
    assert old.named("lupus") == (Sense(1, False),)
    assert Vocabulary(path).named("lupus") == ()

    class Full(disk.Disk):
        def fsync(self, descriptor: int) -> None:
            raise OSError("no room")

    monkeypatch.setattr(disk, "DISK", Full())
    with pytest.raises(OSError, match="no room"):
        write_vocabulary(LUPUS, path)
    assert Vocabulary(path).named("gout") == (Sense(0, False),)
    assert [file.name for file in tmp_path.iterdir()] == ["x.voc"]


def test_closing_forgets(tmp_path: Path) -> None:
    write_vocabulary(LUPUS, tmp_path / "x.voc")
    made = Vocabulary(tmp_path / "x.voc")
    assert made.named("lupus")
    made.close()
    made.close()


def every_answer(path: Path) -> None:
    """Ask all that can be asked."""
    made = Vocabulary(path)
    for number in range(len(made)):
        made.concept(number), made.preferred(number), made.kind(number)
        made.parents(number), made.children(number), made.ancestors(number)
        made.number_of(made.identifier(number))
    for text in ("lupus", "LN", "sle scale", "systemic lupus erythematosus", "zz"):
        made.named(text), made.short(text), made.knows(text), made.longest_match(normal_words(text), 0)
        made.words.candidates(text)
    list(made.names(""))


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    good = tmp_path / "good.voc"
    write_vocabulary(LUPUS, good)
    every_answer(good)
    data = good.read_bytes()
    chance = random.Random(20)
    path = tmp_path / "bad.voc"
    for place in chance.sample(range(len(data)), 500):
        path.write_bytes(data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :])
        try:
            every_answer(path)
        except IndexDamaged as error:
            assert str(error).startswith("bad.voc is damaged")
    for size in chance.sample(range(len(data)), 30):
        path.write_bytes(data[:size])
        with pytest.raises(IndexDamaged, match=r"bad\.voc"):
            every_answer(path)


def changed(path: Path, changes: dict[str, Any]) -> None:
    """Write a vocabulary anew with some arrays, and parts of its head, replaced: all checksums are right."""
    file = ArrayFile(path)
    with ArrayWriter(path.with_name("changed.voc")) as writer:
        writer.meta.update(file.meta | changes.get("meta", {}))
        for name in file.names():
            held = file.get(name).copy()
            if name in changes:
                held[:] = changes[name]
            writer.put(name, held)


@pytest.mark.parametrize(
    "changes",
    [
        {"meta": {"vocabulary": 2}},
        {"meta": {"sources": "mesh"}},
        {"meta": {"sources": [1]}},
        {"meta": {"sources": []}},
        {"kinds": 9},
        {"abbreviations": 1},
        {"names.starts": 0},
        {"texts.starts": 0},
        {"texts": 0xFF},
        {"parents": 99},
        {"children": 99},
        {"senses": 99},
        {"short.concepts": 99},
        {"folded.concepts": 99},
        {"senses.starts": 0},
    ],
    ids=str,
)
def test_what_does_not_fit_is_damage(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_vocabulary(LUPUS, tmp_path / "x.voc")
    changed(tmp_path / "x.voc", {})
    every_answer(tmp_path / "changed.voc")
    changed(tmp_path / "x.voc", changes)
    with pytest.raises(IndexDamaged, match=r"changed\.voc is damaged"):
        every_answer(tmp_path / "changed.voc")


def test_circles_in_a_damaged_file_end(tmp_path: Path) -> None:
    write_vocabulary(
        [one("A", "Gout", parents=("B",)), one("B", "Lupus", parents=("A",))], tmp_path / "x.voc"
    )
    made = Vocabulary(tmp_path / "x.voc")
    assert (made.parents(0), made.parents(1)) == ((1,), ())
    changed(tmp_path / "x.voc", {"parents.starts": [0, 0, 1], "parents": 1})  # B above B
    assert Vocabulary(tmp_path / "changed.voc").ancestors(1) == ()


def test_other_files_are_no_vocabularies(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Vocabulary(tmp_path / "none.voc")
    (tmp_path / "x.voc").write_bytes(b"")
    with pytest.raises(IndexDamaged, match=r"x\.voc"):
        Vocabulary(tmp_path / "x.voc")
    with ArrayWriter(tmp_path / "y.voc"):
        pass
    with pytest.raises(IndexDamaged, match="no vocabulary"):
        Vocabulary(tmp_path / "y.voc")


characters = st.text(st.sampled_from("aA bBIVL12-/.,()'’βéµgα\u00ad\n\t\u00a0渡Ⅳ"), max_size=25)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(texts, characters, st.text(max_size=12)), min_size=1, max_size=6))
@example(["type a 2", "hepatitis a a 2", "LONGWORD", "a LONGWORD b", "PD L1", "phase 1/2", "IL, 2"])
def test_keys_are_those_of_the_analysis(names: list[str]) -> None:
    keys = NameKeys()
    for name in names:
        assert keys.words(name) == normal_words(name), name
        assert keys.joined(name) == " ".join(normal_words(name))
