"""Misspelt names are found; names are never bent into their look-alikes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from helpers import SHARED, needs_shared
from trialindex.analysis import normal_words
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.vocabulary.near import NearWords, write_near
from trialsearch.misspelt import (
    ALL_KINDS,
    Spelling,
    Words,
    agree,
    apart,
    meant,
    near_words,
    offers,
    parted,
    sound,
)

LOOK_ALIKES = [
    tuple(line.split("\t")[1:])
    for line in (Path(__file__).parent / "lookalikes.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
# One edit apart in eight letters, or more, or a slip of the ear: only that both are known keeps these apart.
TOLD_APART_BY_KNOWING = {"arthritis arteritis", "dysphagia dysphasia", "ileitis iliitis"}

MISSPELT = [
    tuple(line.split())
    for line in """
    cyclofosfamide cyclophosphamide
    ciclophosphamide cyclophosphamide
    cyclophosphamid cyclophosphamide
    cyclophosphomide cyclophosphamide
    cylophosphamide cyclophosphamide
    mesenchimal mesenchymal
    mesanchymal mesenchymal
    mesenchymall mesenchymal
    rituximb rituximab
    rituxmab rituximab
    rituximabb rituximab
    ritiximab rituximab
    rtiuximab rituximab
    methotrexat methotrexate
    metotrexate methotrexate
    methotrexhate methotrexate
    methotraxate methotrexate
    azathioprin azathioprine
    azatioprine azathioprine
    azothioprine azathioprine
    micophenolate mycophenolate
    mycofenolate mycophenolate
    mycophenolat mycophenolate
    tacrolimuss tacrolimus
    tacrolimos tacrolimus
    hydroxychloroquin hydroxychloroquine
    hidroxychloroquine hydroxychloroquine
    hydroxycloroquine hydroxychloroquine
    hydroxychlorquine hydroxychloroquine
    ciprofloxacine ciprofloxacin
    ciproflaxacin ciprofloxacin
    ibuprophen ibuprofen
    ibuprofin ibuprofen
    acetominophen acetaminophen
    acetaminofen acetaminophen
    omaprazole omeprazole
    atorvastatine atorvastatin
    atorvastattin atorvastatin
    adalimunab adalimumab
    adalimumb adalimumab
    infliximap infliximab
    inflixmab infliximab
    trastuzimab trastuzumab
    bevacizumb bevacizumab
    belimumap belimumab
    dexamethason dexamethasone
    dexametasone dexamethasone
    doxorubicine doxorubicin
    gemcitibine gemcitabine
    sclerodema scleroderma
    """.split("\n")
    if line.strip()
]
# Two slips each: fingers, ears, or both.
TWICE_MISSPELT = [
    ("rtiuximba", "rituximab"),
    ("methotrxeat", "methotrexate"),
    ("cyclophophomide", "cyclophosphamide"),
    ("azathioprne", "azathioprine"),
    ("hydroxychlorkine", "hydroxychloroquine"),
    ("gemcitsbyne", "gemcitabine"),
    ("infliimb", "infliximab"),
    ("scleordema", "scleroderma"),
]
KNOWN = {name for _, name in MISSPELT} | {"placebo", "lupus", "nephritis", "stem", "cells", "transplantation"}
WORDS = Words(dict.fromkeys(sorted(KNOWN), 10))
TURNED = [
    ("hypotension", "hypertension"),
    ("hypertension", "hypotension"),
    ("hyperglycemia", "hypoglycemia"),
    ("prenatal", "postnatal"),
    ("intravenous", "intervenous"),
    ("macrovascular", "microvascular"),
    ("nonspecific", "specific"),
    ("antiinflammatory", "inflammatory"),
    ("dichloroacetate", "trichloroacetate"),
    ("lactase", "lactose"),
    ("dermatitis", "dermatosis"),
    ("prednisone", "prednisolone"),
]


class Records(Words):
    """Words of records, of which some are of known names, and some stand only in the text."""

    def __init__(self, named: Mapping[str, int], others: Mapping[str, int], text: Mapping[str, int]) -> None:
        super().__init__({**named, **others})
        self._named = named
        self._text = text

    def knows(self, word: str) -> bool:
        return word in self._named

    def frequency(self, word: str) -> int:
        return self._text.get(word, super().frequency(word))


def test_the_lists_are_as_long_as_they_should_be() -> None:
    assert len(LOOK_ALIKES) >= 200
    assert len({frozenset(pair) for pair in LOOK_ALIKES}) == len(LOOK_ALIKES)
    assert all(len(set(pair)) == 2 for pair in LOOK_ALIKES)
    assert len(MISSPELT) >= 40


@pytest.mark.parametrize(("rare", "frequent"), [(1, 1), (1, 5000), (0, 5000)])
def test_a_known_name_is_never_bent_into_another(rare: int, frequent: int) -> None:
    for one, other in LOOK_ALIKES:
        assert meant(one, Words({one: rare, other: frequent})) is None
        assert meant(other, Words({one: frequent, other: rare})) is None


def test_a_name_that_nothing_knows_is_not_taken_for_its_look_alike() -> None:
    # Seen: nilotinib, which no record and no concept had, found the trials of erlotinib.
    both = [*LOOK_ALIKES, *((other, one) for one, other in LOOK_ALIKES)]
    bent = {" ".join(sorted(pair)) for pair in both if meant(pair[0], Words({pair[1]: 1000}))}
    assert bent == {" ".join(sorted(pair.split())) for pair in TOLD_APART_BY_KNOWING}


@pytest.mark.parametrize(("typed", "name"), MISSPELT)
def test_a_misspelt_name_is_found_among_others(typed: str, name: str) -> None:
    found = meant(typed, WORDS)
    assert found is not None
    assert found.word == name
    assert found.distance in {0, 1}


@pytest.mark.parametrize(("typed", "name"), TWICE_MISSPELT)
def test_two_slips_are_found_too(typed: str, name: str) -> None:
    found = meant(typed, WORDS)
    assert found is not None
    assert found.word == name


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        *TURNED,
        ("lups", "lupus"),
        ("asma", "asthma"),
        ("il12", "il2a"),
        ("interleukin2", "interleukin12"),
        ("alfa2a", "alfa2b"),
        ("interferonx", "interferon2"),
        # Neither edit is a slip; both are, but side by side; both are, but of a name of six letters.
        ("nilotinib", "erlotinib"),
        ("fampridine", "famotidine"),
        ("eoetyn", "epoetin"),
        # One edit of a short name that is no slip; a name is cut short, or has another first letter.
        ("sutent", "stent"),
        ("tilade", "tirade"),
        ("ultram", "ultra"),
        ("urapidil", "trapidil"),
        ("genotropin", "menotropin"),
        ("sclerosis", "fibrosis"),
        ("", "lupus"),
        ("xxxxxxx", "lupus"),
    ],
)
def test_what_is_not_bent(typed: str, known: str) -> None:
    assert meant(typed, Words({known: 1000})) is None


@settings(deadline=None)
@given(st.text(alphabet="abcdefghij0123456789-", max_size=12).filter(lambda word: not word.isalpha()))
def test_words_with_digits_or_hyphens_are_never_bent(word: str) -> None:
    letters = "".join(char for char in word if char.isalpha()) or "abcdefgh"
    known = Words({letters: 1000, word + "a": 1000})
    assert meant(word, known) is None
    assert offers(word, known) == []


@settings(deadline=None)
@given(st.text(alphabet="abcdefghij", max_size=4))
def test_short_words_are_never_bent(word: str) -> None:
    known = Words({word + "a": 1000, word[:-1] + "xyzz": 10})
    assert meant(word, known) is None
    assert offers(word, known) == []


SYLLABLES = st.lists(
    st.sampled_from("pre post hypo hyper anti non ab ti ro xi mab ol one ine y phe ka ce su".split()),
    min_size=1,
    max_size=6,
).map("".join)
EDITS = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["", *"aeiykcszbt2"])), max_size=2)


def changed(word: str, edits: list[tuple[int, str]]) -> str:
    for place, letter in edits:
        word = word[:place] + letter + word[place + 1 :]
    return word


@settings(deadline=None, max_examples=400)
@given(
    words=st.dictionaries(SYLLABLES, st.integers(0, 300), min_size=1, max_size=8),
    texts=st.dictionaries(SYLLABLES, st.integers(0, 30), max_size=3),
    pick=st.integers(0, 7),
    edits=EDITS,
)
def test_what_is_meant_is_within_the_guards(
    words: dict[str, int], texts: dict[str, int], pick: int, edits: list[tuple[int, str]]
) -> None:
    typed = changed(sorted(words)[pick % len(words)], edits)
    others = {word: count for word, count in texts.items() if word not in words}
    known = Records(words, others, texts if typed in texts and typed not in words else {})
    found = meant(typed, known)
    assert meant(typed, known) == found
    if found is None:
        return
    assert typed not in words
    assert typed.isalpha() and len(typed) >= 5 and found.word.isalpha() and len(found.word) >= 5
    assert found.word in words or found.word in others
    assert found.distance == apart(typed, found.word) <= 2
    assert agree(typed, found.word)
    swapped = typed[:2] == found.word[1::-1]
    assert typed[0] == found.word[0] or sound(typed)[0] == sound(found.word)[0] or swapped
    if found.distance == 2:
        assert max(len(typed), len(found.word)) >= 8
        assert found.word in words and known.frequency(found.word) > 0
    if own := known.frequency(typed):
        assert len(typed) >= 8 and found.distance <= 1
        assert found.word in words and known.frequency(found.word) >= 20 * own


@given(one=SYLLABLES, other=SYLLABLES)
def test_how_far_apart_and_how_far_agreed_is_the_same_from_both_sides(one: str, other: str) -> None:
    assert apart(one, other) == apart(other, one) <= OSA.distance(one, other)
    assert agree(one, other) == agree(other, one)
    assert apart(one, one) == 0 and agree(one, one)


@given(prefix=st.sampled_from(["non", "anti", "hypo", "hyper", "post"]), word=SYLLABLES)
def test_a_prefix_that_turns_the_meaning_never_comes_or_goes(prefix: str, word: str) -> None:
    turned = prefix + word
    assert meant(turned, Words({word: 1000})) is None or sound(turned) == sound(word)
    assert meant(word, Words({turned: 1000})) is None or sound(turned) == sound(word)


@pytest.mark.parametrize(("one", "other"), TURNED)
def test_what_turns_the_meaning_does_not_agree(one: str, other: str) -> None:
    assert not agree(one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("alfa-2a", "alpha-2a", True),
        ("alfa-2a", "alfa-2b", False),
        ("her2", "her3", False),
        ("hepatitis b", "hepatitis c", False),
        ("hepatitis b", "hepatitus b", True),
        ("diabetes type 1", "diabetes type 2", False),
        ("vitamin b12", "vitamin b6", False),
        ("severe hypotension", "severe hypertension", False),
        ("hipertension", "hypertension", True),
        ("imfliximab", "infliximab", True),
        ("denosumab", "dnosumab", True),
        ("verapamol", "verapamil", True),
        ("cholesteryl", "cholesterol", False),
    ],
)
def test_what_agrees(one: str, other: str, same: bool) -> None:
    assert agree(one, other) is same


def test_of_two_names_equally_near_none_is_taken() -> None:
    assert meant("nafalin", Words({"nadalin": 10, "nagalin": 10})) is None
    assert meant("nafalin", Words({"nadalin": 10, "nagalin": 1})) == Spelling("nadalin", 1)
    # Five times as frequent is not more than five times.
    assert meant("nafalin", Words({"nadalin": 10, "nagalin": 2})) == Spelling("nadalin", 1)
    assert meant("nafalin", Words({"nadalin": 10, "nagalin": 3})) is None
    assert meant("nafalin", Words({"nadalin": 0, "nagalin": 0})) is None
    assert meant("nafalin", Words({})) is None
    assert offers("nafalin", Words({"nadalin": 10, "nagalin": 10})) == ["nadalin", "nagalin"]


def test_a_twin_with_another_prefix_makes_the_meaning_unsure() -> None:
    # A letter short of hypertension, a letter other than hypotension.
    assert meant("hyprtension", Words({"hypertension": 900, "hypotension": 100})) is None
    assert meant("hyprtension", Words({"hypertension": 2000, "hypotension": 100})) is not None
    assert meant("hyprtension", Words({"hypertension": 900})) == Spelling("hypertension", 1)
    # A twin that is further away is none.
    twins = Words({"prednisolone": 9, "prednisone": 9})
    assert meant("prednisalone", twins) == Spelling("prednisolone", 1)
    assert meant("prednisolne", twins) is None
    assert set(offers("hyprtension", Words({"hypertension": 900, "hypotension": 100}))) == {
        "hypertension",
        "hypotension",
    }


def test_spellings_of_one_name_are_no_rivals() -> None:
    assert meant("pyridoxien", Words({"pyridoxine": 5, "pyridoxin": 5})) is not None
    assert normal_words("pyridoxine") == normal_words("pyridoxin")


def test_a_rare_misspelling_that_the_records_hold_themselves_gives_way() -> None:
    def records(rare: int, frequent: int) -> Records:
        return Records({"cyclophosphamide": frequent}, {"cyclofosfamide": rare}, {})

    assert meant("cyclofosfamide", records(2, 40)) == Spelling("cyclophosphamide", 0)
    assert meant("cyclofosfamide", records(2, 39)) is None
    # The other spelling is no known name, so nothing gives way to it.
    assert meant("cyclophosphamide", Records({}, {"cyclophosphamide": 1, "cyclofosfamide": 900}, {})) is None


def test_a_word_of_the_records_that_is_of_a_family_of_known_words_gives_way_to_none_of_another() -> None:
    families = {"absorptive": 900, "adsorption": 3}
    assert meant("adsorptive", Records(families, {}, {"adsorptive": 2})) is None
    # Without the family it is a slip like any other, and so is one that no family has.
    assert meant("adsorptive", Records({"absorptive": 900}, {}, {"adsorptive": 2})) == Spelling(
        "absorptive", 1
    )
    assert meant("absorbtive", Records(families, {}, {"absorbtive": 2})) is not None


@pytest.mark.parametrize(
    ("typed", "own", "name", "trials", "gives_way"),
    [
        ("fluvestrant", 3, "fulvestrant", 141, True),  # swapped
        ("tadalfil", 6, "tadalafil", 139, True),  # left out
        ("tadalfil", 7, "tadalafil", 139, False),
        ("cyclosphosphamide", 3, "cyclophosphamide", 600, True),  # put in: no slip, 200 times as frequent
        ("cyclosphosphamide", 3, "cyclophosphamide", 599, False),
        ("evacuation", 51, "evaluation", 9241, False),
        ("femora", 1, "femara", 1000, False),  # six letters
        ("methotrxeat", 1, "methotrexate", 1000, False),  # two edits
    ],
)
def test_a_word_that_only_records_have(typed: str, own: int, name: str, trials: int, gives_way: bool) -> None:
    found = meant(typed, Records({name: trials}, {typed: own}, {}))
    assert (found is not None and found.word == name) is gives_way
    # Of a word of the text alone the same holds.
    assert (meant(typed, Records({name: trials}, {}, {typed: own})) is not None) is gives_way


def test_a_name_that_records_misspell_is_passed_over_for_the_known_one() -> None:
    words = {"sildenafil": 180}
    assert meant("sildenefill", Records(words, {"sildenefil": 1}, {})) == Spelling("sildenafil", 1)
    # But a name of its own is not.
    assert meant("zanidatamb", Records(words, {"zanidatamab": 4}, {})) == Spelling("zanidatamab", 1)


def test_a_name_that_no_trial_has_is_no_more_than_a_slip_away() -> None:
    assert meant("asparaginase", Words({"asparaginame": 1})) == Spelling("asparaginame", 1)
    assert meant("asparaginase", Words({"asparaginame": 0})) is None
    assert meant("asparaginsae", Words({"asparaginase": 0})) == Spelling("asparaginase", 1)
    assert meant("asparagnsae", Words({"asparaginase": 1})) == Spelling("asparaginase", 2)
    assert meant("asparagnsae", Words({"asparaginase": 0})) is None
    assert meant("asparagnsae", Records({}, {"asparaginase": 9}, {})) is None


def test_a_name_that_trials_have_is_meant_rather_than_one_that_none_has() -> None:
    assert meant("phetolamin", Words({"fentolamin": 0, "phentolamine": 10})) == Spelling("phentolamine", 2)
    assert meant("phetolamin", Words({"fentolamin": 0})) == Spelling("fentolamin", 1)
    # Heard alike, but that no trial has; an edit further, and far more frequent: neither is sure.
    assert meant("enaalprila", Words({"enalaprila": 0, "enalapril": 23, "enalaprilat": 5})) is None
    # Known alone is not enough to be meant in place of what records have.
    assert meant("phetolamin", Records({}, {"phentolamine": 10, "fentolamin": 3}, {})) == Spelling(
        "fentolamin", 1
    )


def test_the_first_two_letters_may_be_swapped_in_a_long_name() -> None:
    assert meant("irtuximab", Words({"rituximab": 9})) == Spelling("rituximab", 1)
    assert meant("ilver", Words({"liver": 900})) is None
    # With another edit beside it is another name.
    assert meant("abrocitinib", Words({"baricitinib": 9})) is None


def test_function_words_are_not_bent() -> None:
    assert meant("there", Words({"three": 100})) is None


def test_words_near_a_short_one_that_records_have_are_not_looked_for() -> None:
    class Held(Words):
        def knows(self, word: str) -> bool:
            return word != "strok" and super().knows(word)

        def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
            raise AssertionError(word)

    assert meant("strok", Held({"strok": 1, "stroke": 900})) is None


def test_only_names_of_the_kinds_asked_for_are_meant() -> None:
    class Kinds(Words):
        def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
            return [found for found in super().near(word, kinds, limit) if kinds & 2]

    known = Kinds({"rituximab": 9})
    assert meant("rituximb", known, kinds=2) == meant("rituximb", known) == Spelling("rituximab", 1)
    assert meant("rituximb", known, kinds=1) is None
    assert (offers("rituximb", known, kinds=2), offers("rituximb", known, kinds=1)) == (["rituximab"], [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cyclophosphamide", "ciclofosfamide"),
        ("mesenchymal", "mesenchimal"),
        ("rhythm", "ritm"),
        ("oestrogen", "estrogen"),
        ("ketamine", "cetamine"),
    ],
)
def test_what_sounds_alike(one: str, other: str) -> None:
    same = sound(one) == sound(other)
    # Before an e, c is heard as s: cetamine is another sound.
    assert same is (other != "cetamine")


def test_offers_are_the_likeliest_first_and_never_the_word_itself() -> None:
    known = Words({"prednisone": 5, "prednisolone": 7, "methotrexate": 100})
    assert offers("prednison", known) == ["prednisone", "prednisolone"]
    assert offers("prednisone", known) == ["prednisolone"]
    assert offers("prednison", known, limit=1) == ["prednisone"]
    assert offers("prednison", known, limit=0) == []
    assert offers("qqqqqqq", known) == []
    # Of words as much alike the more frequent one.
    assert offers("nafalin", Words({"nabalin": 1, "nagalin": 90})) == ["nagalin", "nabalin"]


def test_five_words_are_offered_at_most() -> None:
    known = Words({f"na{letter}alin": 1 for letter in "bcdgklmp"})
    assert len(offers("nafalin", known)) == 5
    assert len(offers("nafalin", known, limit=7)) == 7


def test_words_run_together_are_offered_apart() -> None:
    known = Words({"breast": 90, "cancer": 99, "breastcancers": 0, "cell": 5, "stem": 7})
    assert parted("breastcancer", known) == ("breast", "cancer")
    assert offers("breastcancer", known)[0] == "breast cancer"
    assert meant("breastcancer", Words({"breast": 90, "cancer": 99})) is None
    assert parted("stemcell", known) == ("stem", "cell")
    assert parted("cancer", known) is None
    assert parted("brea5tcancer", known) is None
    assert parted("canceran", Words({"cancer": 9, "an": 999})) is None
    assert parted("x" * 10_000, known) is None


def test_words_so_many_edits_away() -> None:
    words = ["lupus", "lupsu", "lupine", "pulsu"]
    assert near_words("lupus", words, 0) == {"lupus": 0}
    assert near_words("lupus", words, 1) == {"lupus": 0, "lupsu": 1}
    assert near_words("", words, 1) == {}


class Mapped(Words):
    """Words with candidates from their trigrams."""

    def __init__(self, words: Mapping[str, int], path: Path) -> None:
        super().__init__(words)
        with ArrayWriter(path) as writer:
            write_near(writer, "near", {word: (count, 2) for word, count in words.items()})
        self._near = NearWords(ArrayFile(path), "near")

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        return self._near.candidates(word, kinds, limit)


def test_candidates_of_trigrams_answer_as_comparing_with_all(tmp_path: Path) -> None:
    names = {name: 10 for pair in LOOK_ALIKES for name in pair}
    compared, mapped = Words(names), Mapped(names, tmp_path / "x.seg")
    choose = random.Random(2)
    typed = [
        changed(name, [(choose.randrange(len(name)), choose.choice(["", *"aeiouyklmnrst"]))])
        for name in sorted(names)
        for _ in range(3)
    ]
    answers = [meant(word, mapped) for word in typed]
    assert answers == [meant(word, compared) for word in typed]
    assert sum(answer is not None for answer in answers) > len(typed) / 2
    assert mapped.near("rituximb", ALL_KINDS, 1) == [("rituximab", 10, 2)]


@needs_shared
def test_drug_names_misspelt_by_others_are_found_among_each_other(tmp_path: Path) -> None:
    rows = (SHARED / "eval" / "typos" / "queries.tsv").read_text("utf-8").splitlines()[1:]
    asked = [
        (kind, query.lower(), note.partition("true=")[2].partition(";")[0])
        for _, kind, query, note in (row.split("\t") for row in rows)
    ]
    known = Mapped({name: 10 for _, _, name in asked}, tmp_path / "x.seg")
    found = Counter(kind for kind, query, name in asked if meant(query, known) in _rightly(query, name))
    every = Counter(kind for kind, _, _ in asked)
    assert found["edit1"] >= 0.98 * every["edit1"]
    assert found["edit2"] >= 0.93 * every["edit2"]
    assert found["real"] >= 0.75 * every["real"]
    # What is not found is offered, and nothing is taken for another.
    missed = [(query, name) for _, query, name in asked if meant(query, known) is None]
    assert all(offers(query, known)[:1] == [name] for query, name in missed)
    assert sum(found.values()) + len(missed) == len(asked)


def _rightly(query: str, name: str) -> list[Spelling]:
    return [Spelling(name, apart(query, name))]
