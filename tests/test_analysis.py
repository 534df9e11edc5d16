"""Text into terms: what meets, what stays apart, and that a query finds the text that it was cut from."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trialindex import analysis
from trialindex.analysis import (
    VALUE_GAP,
    fold,
    lone_words,
    normal_words,
    prepare,
    sequence,
    terms,
    tokens,
    units,
    value_tokens,
)


def places(*values: str) -> dict[str, set[int]]:
    """The index of one field, by brute force: term -> positions."""
    found: dict[str, set[int]] = {}
    for _, token in value_tokens(values):
        found.setdefault(token.term, set()).add(token.position)
    return found


def side_by_side(index: dict[str, set[int]], wanted: tuple[str, ...]) -> bool:
    """Whether terms stand one after the other; "" is any word."""
    held = [(offset, term) for offset, term in enumerate(wanted) if term]
    first, anchor = held[0]
    return any(
        all(start - first + offset in index.get(term, ()) for offset, term in held)
        for start in index.get(anchor, ())
    )


def finds(query: str, *values: str) -> bool:
    """Whether a query finds a field: each of its units in one of its ways."""
    index = places(*values)
    asked = units(query)
    return bool(asked) and all(any(side_by_side(index, way) for way in unit.alternatives) for unit in asked)


MEET = [
    "IL-2|IL 2|IL2|il-2|il2|IL‑2|IL–2",
    "β-blocker|beta blocker|beta-blockers|β blockers|Beta-Blocker|β‐Blockers",
    "MSC|MSCs|msc|MSC's",
    "PD-L1|PDL1|PD L1|pd-l1|pd l1|PDL-1",
    "COVID-19|COVID 19|covid19|Covid‐19",
    "type 2|type II|Type-2|type-II|Type2|type ii",
    "5 µg|5 ug|5 μg|5µg|5 mcg",
    "μ-opioid|mu opioid|mu-opioid|µ-opioid|µ opioid",
    "TNF-α|TNF alpha|TNF-alpha|TNFα|tnf α",
    "Sjögren's|Sjogrens|Sjögren’s|Sjogren|SJÖGREN",
    "Crohn's disease|Crohn disease|Crohns disease|CROHN’S DISEASE",
    "1,000|1000",
    "1,234,567.5 mg|1234567.5mg",
    "1.5 mg|1.5mg",
    "CO₂|CO2|CO-2|CO 2",
    "10⁶ cells|106 cells",
    "HER2|HER-2|HER 2|her2",
    "alfa-2a|alfa 2a|alfa2a|alpha-2a|alpha 2a|α-2a",
    "factor VIII|factor 8|factor-VIII|Factor viii",
    "phase II|phase 2|Phase-2|phase ii",
    "vitamin D3|vitamin D-3|vitamin D 3",
    "CD4+|CD4|CD-4|cd4",
    "18-65 years|18 - 65 years|18–65 years",
    "T-cell|T cell|T cells|T-cells",
    "ﬁbrosis|fibrosis|ﬁbroses",
    "meta-analysis|meta-analyses|meta analyses",
    "micro-metastases|micro-metastasis|micro metastasis",
    "5-FU|5FU|5 FU",
    "anti-PD-1|anti PD-1|anti-PD1|anti PD1",
    "SARS-CoV-2|SARS CoV 2|sars-cov-2|SARS-CoV2",
    "ARDS|ards",
    "PCOS|pcos",
    "TGF-β1|TGFβ1|TGF-beta1|TGF beta1|TGF beta 1",
    "ω-3|omega-3|omega 3|Omega III",
    "naïve|naive|nai\u0308ve",
    "Ménière|Meniere|MENIERE",
    "Straße|strasse",
    "anæmia|anaemia|anemia",
    "œdema|oedema|edema",
    "zero\u200bwidth|zerowidth|zero\u00adwidth",
]


@pytest.mark.parametrize("written", MEET)
def test_every_way_of_writing_finds_every_other(written: str) -> None:
    ways = written.split("|")
    missed = [(query, text) for query in ways for text in ways if not finds(query, f"with {text} or so")]
    assert missed == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("IL-2", "IL-12"),
        ("IL 2", "IL-12 and IL 21"),
        ("IL-12", "IL-2"),
        ("il2", "interleukin 12"),
        ("alfa-2a", "interferon alfa-2b"),
        ("alpha 2b", "alfa-2a"),
        ("type 2", "type 1 diabetes in 2 centers"),
        ("type II", "type III"),
        ("PD-L1", "PD-L2"),
        ("PD L1", "PD-1"),
        ("AIDS", "hearing aids"),
        ("ALL", "in all patients"),
        ("IT", "it is"),
        ("WHO", "those who come"),
        ("HER2", "her 3 children"),
        ("1000", "1,001"),
        ("1.5", "15"),
        ("5 µg", "50 µg"),
        ("COVID-19", "COVID-20"),
        ("prednisone", "prednisolone"),
        ("hyperthyroidism", "hypothyroidism"),
        ("grade 4", "grade 3"),
        ("MSC", "MSD"),
        ("hepatitis A", "a hepatitis B vaccine"),
        ("hepatitis-A", "hepatitis"),
        ("HLA-A", "HLA-B"),
        ("Aβ", "a beta-blocker"),
    ],
)
def test_these_stay_apart(query: str, text: str) -> None:
    assert finds(query, query)
    assert not finds(query, text)


def test_a_compound_is_found_by_its_parts() -> None:
    assert finds("HER2", "HER2-positive breast cancer")
    assert finds("IL-2", "IL-2-producing cells")
    assert finds("blocker", "beta-blockers")
    assert finds("grade 4", "grade 3/4 toxicity") and finds("phase II", "Phase I/II study")
    assert not finds("phase III", "Phase I/II study")


def test_a_word_that_counts_takes_no_number() -> None:
    assert finds("day 28", "28-day mortality") and finds("dose 50 mg", "50 mg dose")
    assert [unit.text for unit in units("day 28")] == ["day", "28"]
    assert [unit.text for unit in units("type 28")] == ["type 28"]


def test_acronyms_keep_their_capitals_only_where_capitals_say_something() -> None:
    assert terms("relapsed ALL") == ["relaps", "ALL"]
    assert terms("all") == []
    assert terms("A TRIAL OF ALL PATIENTS WHO ASKED FOR IT") == ["trial", "patient", "ask"]
    assert terms("WHO and WHO's") == ["WHO", "WHO"]
    assert terms("CANCER OF THE LUNG") == terms("cancer of the lung") == ["cancer", "lung"]


def test_an_all_capitals_title_is_read_as_words() -> None:
    title = "EFFICACY OF HEARING AIDS IN CHILDREN WITH COCHLEAR DAMAGE"
    assert finds("hearing aids", title) and finds("child", title) and finds("cochlear", title)
    assert finds("AIDS", "NUCLEOSIDE THERAPY FOR CHILDREN WITH AIDS AND ANAEMIA")


def test_lower_case_aids_asks_for_both() -> None:
    assert finds("aids", "patients with AIDS") and finds("aids", "hearing aid")


def test_no_phrase_spans_two_values() -> None:
    index = places("lupus", "nephritis")
    assert not side_by_side(index, sequence("lupus nephritis"))
    assert side_by_side(places("lupus nephritis"), sequence("lupus nephritis"))
    assert min(index["nephriti"]) - max(index["lupus"]) > VALUE_GAP


def test_a_value_without_words_still_parts_its_neighbours() -> None:
    assert not side_by_side(places("lupus", "--", "", "nephritis"), sequence("lupus nephritis"))


def test_function_words_hold_their_place_in_a_phrase() -> None:
    assert sequence("quality of life") == ("qualiti", "", "life")
    assert side_by_side(places("quality of life"), sequence("quality of life"))
    assert side_by_side(places("quality and life"), sequence("quality of life"))
    assert not side_by_side(places("quality life"), sequence("quality of life"))
    assert sequence("of the") == ()
    assert sequence("the patient of") == ("patient",)


def test_offsets_point_at_the_words_of_the_prepared_text() -> None:
    text = "5 µg of Ménie\u0300re\u00ad-drug"
    prepared = prepare(text)
    assert {token.term: prepared[token.start : token.end] for token in tokens(text)} == {
        "5": "5",
        "ug": "ug",
        "menier": "Ménière",
        "menieredrug": "Ménière-drug",
        "drug": "drug",
    }


def test_chinese_and_emoji() -> None:
    assert set(terms("狼疮 lupus 😀")) == {"狼", "疮", "狼疮", "lupus"}
    assert finds("狼疮", "系统性红斑狼疮") and not finds("狼疮", "疮 and 狼")
    assert units("😀 ❤️") == [] and terms("🧬") == []


def test_units_of_a_query() -> None:
    assert [unit.text for unit in units("IL-2 in lupus  nephritis, 5 mg")] == [
        "IL-2",
        "lupus",
        "nephritis",
        "5",
        "mg",
    ]
    assert units("") == [] and units("of the") == [] and units("--- ...") == []


def test_the_key_of_a_name() -> None:
    assert normal_words("Lupus Nephritis") == normal_words("lupus  nephritis") == ("lupus", "nephriti")
    assert normal_words("PCOS") == normal_words("pcos")
    assert normal_words("beta-blockers") == normal_words("β-Blocker")
    assert normal_words("IL-2") == normal_words("IL 2") != normal_words("IL-12")
    assert normal_words("ALL") == ("ALL",) != normal_words("all") == ()


def test_fold() -> None:
    assert [fold(word) for word in ("Łódź", "Ångström", "ÐØ", "İ", "ſ", "don’t")] == [
        "lodz",
        "angstrom",
        "do",
        "i",
        "s",
        "dont",
    ]


WORDS = """IL 2 - – / α β μ µ µg ALL all AIDS aids it IT HER type phase II ii V X follow up 1,000 1.5 's s ’ é
    ß 日 本 😀 ² ﬁ a A b 12 alfa 2a of the SARS ' Σ ς _ . , + % Ⅳ ½ ٣ Ａ K ſ ŉ İ ı ϐ Å ﷺ ① ά Ω PD
    L1 hepatitis"""
ODD = [" ", "  ", "\n", "\t", "e\u0301", "\u00ad", "\u200b", "\u03a2", "\u0345", "\u0301", "\ud800", "\0"]
PIECES = st.sampled_from([*WORDS.split(), *ODD])
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=10).map("".join))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("\u03a2")
@example("α\u200b\u0345μ")
@example("phase I/II/III")
@example("HER 2 a b")
def test_whatever_the_text_its_own_words_find_it(text: str) -> None:
    found = tokens(text)
    prepared = prepare(text)
    assert prepare(prepared) == prepared
    assert [token.position for token in found] == sorted(token.position for token in found)
    assert all(0 <= token.start < token.end <= len(prepared) for token in found)
    assert all(token.term and len(token.term) <= 64 for token in found)
    asked = units(text)
    assert bool(asked) == bool(found)
    assert not asked or finds(text, text)
    for unit in asked:
        assert unit.alternatives and all(any(way) for way in unit.alternatives)
        assert unit.text in prepared
    phrase = sequence(text)
    assert not phrase or side_by_side(places(text), phrase)


# What is read alone, what looks like it, and what is not.
CHUNKS = """lupus Lupus, (GOUT) GOUT. of THE the AIDS aids SARS sarses MSCs Crohn's women's x's x' II's
HER women WHO, who ALL all. oedema alfa mcg d. type hepatitis II i IL a A, 2 IL-2 L1""".split()
ALONE = st.lists(st.sampled_from([*CHUNKS, ""]), max_size=7).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(ALONE, TEXTS))
@example("SARS sarses")
@example("THE HISTORY OF LUPUS AND AIDS")
@example("the lupus of")
def test_words_read_alone_are_read_as_among_others(text: str) -> None:
    quick = units(text), sequence(text)
    with patch.object(analysis, "lone_words", return_value=None):
        assert quick == (units(text), sequence(text))


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("Crohn's disease, (chronic)", True),
        ("the lupus", True),
        ("SLE", True),
        ("of the", True),
        ("lupus type", True),
        ("type I", False),
        ("vitamin A", False),
        ("IL 2", False),
        ("IL-2", False),
        ("follow-up", False),
        ("and/or", False),
        ("Sjögren", False),
        ("β blocker", False),
        ("lupus  nephritis", False),
        ("LUPUS NEPHRITIS IN THE ELDERLY", False),
        ("", False),
    ],
)
def test_which_words_are_read_alone(text: str, alone: bool) -> None:
    assert (lone_words(text) is not None) is alone


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4), st.integers(0, 3))
def test_a_value_is_found_among_others(values: list[str], number: int) -> None:
    if number < len(values) and units(values[number]):
        assert finds(values[number], *values)


HOSTILE = {
    "digits": "1" * 100_000,
    "commas": "1," * 50_000,
    "thousands": "1" + ",111" * 50_000,
    "a letter": "a" * 100_000,
    "vowels": "y" * 100_000,
    "capitals": "A" * 100_000,
    "letters and digits": "a1" * 100_000,
    "hyphens": "-" * 100_000,
    "a run": "a-1-" * 50_000,
    "apostrophes": "a'" * 100_000,
    "blanks": " " * 100_000,
    "names with numbers": "IL 2 " * 40_000,
    "numerals": "type II/" * 25_000,
    "greek": "α" * 100_000,
    "micro": "µ" * 100_000,
    "ideographs": "日" * 100_000,
    "emoji": "😀" * 100_000,
    "marks": "e" + "\u0301" * 100_000,
    "ligatures": "ﷺ" * 100_000,
    "endings": "ization" * 28_000,
    "spellings": "oedemaemi" * 22_000,
    "sibilants": "sses" * 50_000,
    "nothing": "\0" * 100_000,
    "distinct words": " ".join(f"{number}x{number:x}" for number in range(18_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_takes_no_longer_than_other_text(kind: str) -> None:
    text = HOSTILE[kind]
    start = time.process_time()
    tokens(text)
    units(text)
    # Half a second here; a stemmer let loose on one word of this length takes minutes.
    assert time.process_time() - start < 5
