"""What trials teach together, against a plain count of the same pairs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialindex.analysis import fold, normal_words
from trialindex.errors import IndexDamaged
from trialindex.vocabulary.learned import Learned, LearnedName, LearnedSense
from trialindex.vocabulary.teaching import write_learned


class Held(NamedTuple):
    """A concept of the plain vocabulary."""

    identifier: str
    full: tuple[str, ...]
    short: tuple[str, ...] = ()

    class Text(NamedTuple):
        text: str

    @property
    def names(self) -> tuple[Text, ...]:
        return tuple(map(self.Text, self.full))


class Meaning(NamedTuple):
    concept: int
    abbreviation: bool


class Plain:
    """A vocabulary as a list, searched from end to end."""

    def __init__(self, *concepts: Held) -> None:
        self.concepts = concepts

    def named(self, name: str) -> list[Meaning]:
        key = normal_words(name)
        return [
            Meaning(number, abbreviation)
            for number, held in enumerate(self.concepts)
            for abbreviation, names in ((False, held.full), (True, held.short))
            if key in map(normal_words, names)
        ]

    def short(self, text: str) -> list[int]:
        return [number for number, held in enumerate(self.concepts) if text in held.short]

    def identifier(self, number: int) -> str:
        return self.concepts[number].identifier

    def concept(self, number: int) -> Held:
        return self.concepts[number]

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        held = [
            (fold(name), number)
            for number, concept in enumerate(self.concepts)
            for name in concept.full + concept.short
        ]
        yield from (one for one in sorted(held) if one[0].startswith(fold(prefix)))


VOCABULARY = Plain(
    Held("D1", ("Multiple sclerosis", "Disseminated sclerosis"), ("MS",)),
    Held("D2", ("Acute myeloid leukemia", "Acute myelogenous leukemia"), ("AML",)),
    Held("D3", ("Lupus nephritis",), ("LN",)),
    Held("D4", ("Sildenafil",)),
    Held("D5", ("Tadalafil",)),
    Held("D6", ("Pembrolizumab", "Lambrolizumab")),
    Held("D7", ("Oxaliplatin",)),
)


def learn(
    folder: Path,
    definitions: dict[str, int] | None = None,
    names: dict[str, int] | None = None,
    vocabulary: Plain | None = None,
    words: dict[str, tuple[int, int]] | None = None,
) -> Learned:
    path = folder / "learned.seg"
    write_learned(path, in_order(definitions), in_order(names), words or {}, vocabulary)
    return Learned(path)


def in_order(pairs: dict[str, int] | None) -> list[tuple[str, int]]:
    return sorted((pairs or {}).items(), key=lambda item: item[0].encode())


# -- Abbreviations ------------------------------------------------------------------------------------------


def test_senses_come_by_trials_with_their_spellings(tmp_path: Path) -> None:
    given = {
        "PD\tParkinson's disease": 33,
        "PD\tParkinson's Disease": 15,
        "PD\tperitoneal dialysis": 5,
        "PD\tpanic disorder": 1,
        "Pd\tpalladium": 2,
    }
    learned = learn(tmp_path, given)
    assert learned.senses("PD") == (
        LearnedSense(
            "PD", "Parkinson's disease", 48, "", ("PD\tParkinson's Disease", "PD\tParkinson's disease")
        ),
        LearnedSense("PD", "peritoneal dialysis", 5, "", ("PD\tperitoneal dialysis",)),
    )
    palladium = LearnedSense("Pd", "palladium", 2, "", ("Pd\tpalladium",))
    assert learned.senses("Pd") == (palladium,)
    assert learned.senses("pd") == learned.senses("P") == learned.senses("") == ()
    assert learned.senses_folded("pd") == (*learned.senses("PD"), palladium)
    assert learned.senses_folded("p") == ()


def test_two_spellings_of_one_trial_each_are_two_trials(tmp_path: Path) -> None:
    learned = learn(tmp_path, {"SC\tStem-Cells": 1, "SC\tstem cell": 1, "SC\tsickle cell": 1})
    assert [(sense.long, sense.trials) for sense in learned.senses("SC")] == [("Stem-Cells", 2)]


def test_a_single_trial_is_enough_where_the_vocabulary_has_both(tmp_path: Path) -> None:
    given = {
        "LN\tlupus nephritis": 1,
        "LN\tlymph nodes": 1,
        "MS\tlupus nephritis": 1,
        "XY\tmultiple sclerosis": 1,
    }
    learned = learn(tmp_path, given, vocabulary=VOCABULARY)
    assert learned.senses("LN") == (LearnedSense("LN", "lupus nephritis", 1, "D3", ("LN\tlupus nephritis",)),)
    assert learned.senses("MS") == learned.senses("XY") == ()
    assert learn(tmp_path, given).senses("LN") == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("acute myeloid leukemia", "acute myelogenous leukemia", True),  # one concept
        ("haemolytic anaemia", "hemolytic anemia", True),  # one key
        ("computed tomography", "computerized tomography", True),  # an ending
        ("adrenocorticotropic hormone", "adrenocorticotrophic hormone", True),  # a letter
        ("prostate cancer", "pancreatic cancer", False),
        ("hip abduction", "hip adduction", False),
        ("hypoglycemia", "hyperglycemia", False),
        ("hepatitis B virus", "hepatitis C virus", False),
        ("interleukin 12", "interleukin 13", False),
        ("multiple sclerosis", "multiple sclerosis scale", False),
    ],
)
def test_long_forms_of_one_sense(tmp_path: Path, one: str, other: str, same: bool) -> None:
    learned = learn(tmp_path, {f"XX\t{one}": 3, f"XX\t{other}": 2}, vocabulary=VOCABULARY)
    assert [sense.trials for sense in learned.senses("XX")] == ([5] if same else [3, 2])
    if same:
        assert set(learned.senses("XX")[0].pairs) == {f"XX\t{one}", f"XX\t{other}"}


def test_two_concepts_are_two_senses_however_alike(tmp_path: Path) -> None:
    alike = Plain(Held("A", ("Corticotropic hormone",)), Held("B", ("Corticotrophic hormone",)))
    given = {"CH\tcorticotropic hormone": 4, "CH\tcorticotrophic hormone": 2}
    learned = learn(tmp_path, given, vocabulary=alike)
    assert [(sense.concept, sense.trials) for sense in learned.senses("CH")] == [("A", 4), ("B", 2)]
    assert [sense.trials for sense in learn(tmp_path, given).senses("CH")] == [6]


# -- Other names --------------------------------------------------------------------------------------------


def texts(names: tuple[LearnedName, ...]) -> list[tuple[str, int, str]]:
    return [tuple(name) for name in names]  # type: ignore[misc]


def test_other_names_go_both_ways(tmp_path: Path) -> None:
    learned = learn(tmp_path, names={"pembrolizumab\tMK-3475": 38, "keytruda\tpembrolizumab": 40})
    assert texts(learned.names(("pembrolizumab",))) == [("keytruda", 40, ""), ("MK-3475", 38, "")]
    assert texts(learned.names(("mk3475",))) == [("pembrolizumab", 38, "")]
    assert texts(learned.names(normal_words("MK 3475"))) == [("pembrolizumab", 38, "")]
    assert learned.names(("mk3476",)) == learned.names(("mk",)) == learned.names(()) == ()


def test_whether_a_name_begins(tmp_path: Path) -> None:
    learned = learn(tmp_path, names={"growth factor beta\tlerdelimumab": 2, "pembrolizumab\tMK-3475": 2})
    for begun in (
        ("mk",),
        ("mk", "3475"),
        ("mk3475",),
        normal_words("growth"),
        normal_words("growth factor"),
    ):
        assert learned.starts(begun), begun
    for other in (
        ("m",),
        ("mk", "347"),
        ("3475",),
        ("growth", "x"),
        normal_words("factor"),
        ("mk", "3475", "a"),
    ):
        assert not learned.starts(other), other


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ({"a drug\tb drug": 1}, []),  # neither known, one trial
        ({"azuril\tbezuril": 2}, [("bezuril", 2, "")]),
        ({"azuril\tsildenafil": 1}, [("sildenafil", 1, "D4")]),  # one known
        # One name of two known things: of neither.
        ({"azuril\tsildenafil": 3, "azuril\ttadalafil": 3}, []),
        ({"azuril\tsildenafil": 30, "azuril\ttadalafil": 1}, [("sildenafil", 30, "D4")]),
    ],
)
def test_which_other_names_are_kept(
    tmp_path: Path, pairs: dict[str, int], kept: list[tuple[str, int, str]]
) -> None:
    learned = learn(tmp_path, names=pairs, vocabulary=VOCABULARY)
    assert texts(learned.names(normal_words("azuril"))) == kept


def test_known_things_are_kept_apart_unless_seen_together_often(tmp_path: Path) -> None:
    pairs = {"sildenafil\ttadalafil": 4, "oxaliplatin\tpembrolizumab": 5, "lambrolizumab\tpembrolizumab": 9}
    learned = learn(tmp_path, names=pairs, vocabulary=VOCABULARY)
    assert learned.names(("sildenafil",)) == ()
    assert [name.text for name in learned.names(("oxaliplatin",))] == ["pembrolizumab"]
    # The vocabulary has these as one thing: nothing is learned.
    assert learned.names(normal_words("lambrolizumab")) == ()


# -- All together -------------------------------------------------------------------------------------------

SHORTS = st.sampled_from(["MS", "Ms", "M-S", "LN", "IFN-α"])
LONGS = st.sampled_from(
    ["multiple sclerosis", "Multiple Sclerosis", "mitral stenosis", "Mitral-stenosis", "motor score", "Éa b"]
)
PAIRS = st.dictionaries(st.builds("{}\t{}".format, SHORTS, LONGS), st.integers(1, 4), max_size=12)
SOME = st.sampled_from(["azuril", "bezuril forte", "MK-3475", "mk3475", "cezuril", "Azurils"])
OTHERS = st.dictionaries(st.builds("{}\t{}".format, SOME, SOME), st.integers(1, 4), max_size=8)
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@QUICK
@given(PAIRS, OTHERS)
def test_as_a_plain_count_has_it(tmp_path: Path, pairs: dict[str, int], others: dict[str, int]) -> None:
    learned = learn(tmp_path, pairs, others)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair, trials in pairs.items():
        short, _, long = pair.partition("\t")
        counts[short][long.lower().replace("-", " ")] += trials
    for short, held in counts.items():
        found = learned.senses(short)
        assert {sense.long.lower().replace("-", " "): sense.trials for sense in found} == {
            long: trials for long, trials in held.items() if trials >= 2
        }
        assert [sense.trials for sense in found] == sorted((sense.trials for sense in found), reverse=True)
        assert {pair for sense in found for pair in sense.pairs} <= set(pairs)
        assert set(found) <= set(learned.senses_folded(short.lower()))
    beside: dict[tuple[str, ...], Counter[tuple[str, ...]]] = defaultdict(Counter)
    for pair, trials in others.items():
        one, _, other = pair.partition("\t")
        if trials >= 2 and normal_words(one) != normal_words(other):
            beside[normal_words(one)][normal_words(other)] += trials
            beside[normal_words(other)][normal_words(one)] += trials
    for key, answers in beside.items():
        assert {normal_words(name.text): name.trials for name in learned.names(key)} == answers
        assert learned.starts(key) and learned.starts(key[:1])
    if not beside:
        assert not learned.starts(normal_words("azuril"))


def test_an_empty_index_teaches_nothing(tmp_path: Path) -> None:
    learned = learn(tmp_path)
    assert learned.senses("MS") == learned.senses_folded("ms") == learned.names(("mk",)) == ()
    assert not learned.starts(("mk",)) and len(learned.words) == 0
    learned.close()


def test_the_words_of_names_are_kept(tmp_path: Path) -> None:
    learned = learn(tmp_path, words={"asthma": (7, 1), "aspirin": (9, 2)})
    assert learned.words.get("asthma") == (7, 1)
    assert [word for word, _, _ in learned.words.candidates("asprin")][:1] == ["aspirin"]
    assert learned.words.get("ataxia") is None


def test_pairs_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not in ascending order: 'AB' after 'MS'"):
        write_learned(tmp_path / "x.seg", [("MS\ta b", 2), ("AB\ta b", 2)], [], {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Learned(tmp_path / "learned.seg")


def look(learned: Learned) -> None:
    for short in ("MS", "LN", "M-S"):
        learned.senses(short), learned.senses_folded(short)
    for key in (("mk3475",), ("mk", "3475"), ("azuril",)):
        learned.names(key), learned.starts(key)
    learned.words.get("asthma")


@QUICK
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_file_gives_an_answer_or_one_clear_error(tmp_path: Path, place: int, flip: int) -> None:
    learn(tmp_path, {"MS\tmultiple sclerosis": 3, "LN\tlupus nephritis": 2}, {"azuril\tMK-3475": 2})
    path = tmp_path / "learned.seg"
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(bytes(data))
    try:
        look(Learned(path))
    except IndexDamaged as error:
        assert "learned.seg is damaged" in str(error) and "build the index again" in str(error)


@pytest.mark.parametrize("size", [0, 10, 500])
def test_a_cut_file_is_damaged(tmp_path: Path, size: int) -> None:
    learn(tmp_path, {"MS\tmultiple sclerosis": 3})
    path = tmp_path / "learned.seg"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(IndexDamaged, match=r"learned\.seg is damaged"):
        Learned(path)
