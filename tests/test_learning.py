"""What one trial teaches: every way of writing that is read, and beside it one that must not be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.document import Document
from trialindex.vocabulary.learning import code_parts, definitions, loose, other_names


def said(text: str, field: str = "briefSummary") -> dict[str, Any]:
    return {"protocolSection": {"descriptionModule": {field: text}}}


def treated(*interventions: dict[str, Any] | str, title: str = "", acronym: str = "") -> dict[str, Any]:
    held = [{"name": one} if isinstance(one, str) else one for one in interventions]
    return {
        "protocolSection": {
            "identificationModule": {"briefTitle": title, "acronym": acronym},
            "armsInterventionsModule": {"interventions": held},
        }
    }


def drug(name: str, *others: str, **fields: str) -> dict[str, Any]:
    return {"name": name, "otherNames": list(others), **fields}


# -- Abbreviations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("adults with multiple sclerosis (MS)", "MS", "multiple sclerosis"),
        # The shortest stretch that fits would be "carcinoma".
        ("advanced colorectal carcinoma (CRC)", "CRC", "colorectal carcinoma"),
        ("better quality of life (QoL)", "QoL", "quality of life"),
        ("better quality of life (QL)", "QL", "quality of life"),
        ("mesenchymal stem cells (MSCs) of", "MSC", "mesenchymal stem cells"),
        ("SLE (systemic lupus erythematosus)", "SLE", "systemic lupus erythematosus"),
        ("CF (also known as cystic fibrosis, a rare disease)", "CF", "cystic fibrosis"),
        ("in Parkinson's disease (PD)", "PD", "Parkinson's disease"),
        ("low-density lipoprotein (LDL)", "LDL", "low-density lipoprotein"),
        ("given interferon alpha (IFN-α)", "IFN-α", "interferon alpha"),
        ("insulin-like growth factor (IGF)", "IGF", "insulin-like growth factor"),
        ("active tuberculosis (TB)", "TB", "tuberculosis"),
        ("serum adrenocorticotropic hormone (ACTH)", "ACTH", "adrenocorticotropic hormone"),
        ("forced expiratory volume in 1 second (FEV1)", "FEV1", "forced expiratory volume in 1 second"),
        ("type 2 diabetes mellitus (T2DM)", "T2DM", "type 2 diabetes mellitus"),
        ('chronic kidney disease ("CKD")', "CKD", "chronic kidney disease"),
        ("chronic kidney disease (CKD; stage 3)", "CKD", "chronic kidney disease"),
        ("chronic kidney disease (or CKD)", "CKD", "chronic kidney disease"),
        ("hard chronic\r\nkidney  disease (CKD)", "CKD", "chronic kidney disease"),
        ("CHRONIC OBSTRUCTIVE PULMONARY DISEASE (COPD)", "COPD", "CHRONIC OBSTRUCTIVE PULMONARY DISEASE"),
    ],
)
def test_a_definition_is_found(text: str, short: str, long: str) -> None:
    assert definitions(said(text)) == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "multiple sclerosis (SM)",  # letters in another order
        "multiple sclerosis treated early (MS)",  # words between
        "patients have multiple. Sclerosis (MS)",  # over the end of a sentence
        "* multiple\n* sclerosis (MS)",  # over two items of a list
        "multiple sclerosis MS",  # no bracket
        "the stem cells (msc)",  # no capital
        "Pembrolizumab (Pembro)",  # one capital makes a word
        "a first phase in adults (II)",  # a numeral
        "phase one to five (IV)",
        "given by the millilitre (mL)",  # a unit
        "the next (Nov)",  # a month
        "done in the year (2012)",
        "very low (LV) and below",
        "acute bowel disease (AD)",  # passes over a word for two letters
        "multiple sclerosis (a disease of the nerves)",
        "MS (a disease of the nerves)",
        "the protein X chain (Xx9Yz8Wv7Ut)",  # too long
        "MS disease MS (MS)",
    ],
)
def test_what_defines_nothing(text: str) -> None:
    assert definitions(said(text)) == []


def test_definitions_are_read_in_all_texts_of_a_study_and_across_none() -> None:
    study = {
        "protocolSection": {
            "identificationModule": {"briefTitle": "Alpha beta (AB)", "officialTitle": "Beta gamma (BG)"},
            "conditionsModule": {
                "conditions": ["Delta epsilon (DE)", "Multiple"],
                "keywords": ["Sclerosis (MS)"],
            },
            "armsInterventionsModule": {
                "armGroups": [{"label": "Zeta eta (ZE)", "description": "Theta iota (TI)"}],
                "interventions": [{"name": "Kappa lambda (KL)", "description": "Mu nu (MN)"}],
            },
            "outcomesModule": {
                "primaryOutcomes": [{"measure": "Omicron pi (OP)"}],
                "secondaryOutcomes": [{"description": "Rho sigma (RS)"}],
            },
            "eligibilityModule": {"eligibilityCriteria": "Tau upsilon (TU)"},
        }
    }
    found = {short for short, _ in definitions(study)}
    assert found == {"AB", "BG", "DE", "ZE", "TI", "KL", "MN", "OP", "RS", "TU"}


def test_one_trial_defines_a_thing_once() -> None:
    text = "Stem cells (SC). stem-cell (SC). STEM CELLS (SC). Sickle cells (SC)."
    assert definitions(said(text)) == [("SC", "Stem cells"), ("SC", "Sickle cells")]


def test_an_other_name_that_abbreviates_the_name_defines_it() -> None:
    study = treated(drug("Cognitive behavioral therapy", "CBT", "Coping"), drug("Talking", "XYZ"))
    assert definitions(study) == [("CBT", "Cognitive behavioral therapy")]


def test_loose() -> None:
    assert loose("Stem-Cells") == loose("stem cell")
    assert loose("stem cell") != loose("steam cell")


@pytest.mark.parametrize(
    "study", [{}, {"protocolSection": None}, {"protocolSection": {"descriptionModule": []}}]
)
def test_odd_studies_teach_nothing(study: dict[str, Any]) -> None:
    assert definitions(study) == [] and other_names(study) == []


def test_hostile_texts_end() -> None:
    for text in (
        "(" * 200_000,
        "(A" * 100_000,
        "a (AB) " * 50_000,
        "A(" * 50_000 + ")" * 50_000,
        "\n" * 200_000,
    ):
        assert len(definitions(said(text))) <= 500
    distinct = " ".join(f"a{n} b{n} (AB{n})" for n in range(100, 900))
    assert len(definitions(said(distinct))) <= 500


WORDS = st.lists(
    st.sampled_from(
        "acute of lymph node stem-cell CELLS β T2 the Parkinson's 6 x İstanbul , . ; - \n".split(" ")
    ),
    max_size=8,
).map(" ".join)
SHORTS = st.text("ABCabcLN12-αβ s", min_size=1, max_size=8)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.tuples(WORDS, SHORTS), max_size=4).map(lambda held: " ".join(f"{a} ({b})" for a, b in held)),
    st.lists(st.tuples(SHORTS, WORDS), max_size=4).map(lambda held: " ".join(f"{a} ({b})" for a, b in held)),
)
FOLDED = str.maketrans("αβγδ", "abgd")


@given(TEXTS)
def test_every_definition_holds(text: str) -> None:
    for short, long in definitions(said(text)):
        assert 2 <= len(short) <= 10 and any(char.isupper() for char in short) and len(long) > len(short)
        rest = iter(long.lower().translate(FOLDED))
        letters = [char for char in short.lower().translate(FOLDED) if char.isalnum()]
        assert all(letter in rest for letter in letters)
        assert definitions(said(f"{long} ({short})")) == [(short, long)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("name otherNames type label briefTitle".split()), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_nothing_raises(interventions: Any, names: Any, text: Any) -> None:
    study = {
        "protocolSection": {
            "armsInterventionsModule": {"interventions": interventions},
            "identificationModule": names,
            "descriptionModule": {"briefSummary": text},
        }
    }
    taught = {"Definition": definitions(study), "OtherName": other_names(study)}
    names = Document.of(study).names
    for field, pairs in taught.items():  # read there in a walk over all fields
        assert names.get(field, []) == ["\t".join(pair) for pair in pairs]


# -- Other names --------------------------------------------------------------------------------------------


def test_names_are_cleaned_and_in_order() -> None:
    study = treated(drug("Sildenafil 100 mg tablets", "VIAGRA®", "Revatio (TM)", "UK 92,480", "Viagra"))
    assert other_names(study) == [
        ("sildenafil", "viagra"),
        ("revatio", "sildenafil"),
        ("sildenafil", "UK-92480"),
    ]


@pytest.mark.parametrize(
    ("intervention", "expected"),
    [
        (drug("Drug: Tadalafil 5 mg/day", "Cialis"), [("cialis", "tadalafil")]),
        (drug("oral Ketamine HCl", "Ketalar"), [("ketalar", "ketamine")]),
        (drug("Lopinavir/ritonavir", "Kaletra"), [("kaletra", "lopinavir/ritonavir")]),
        (drug("Levitra (Vardenafil, BAY38-9456)"), [("levitra", "vardenafil"), ("levitra", "BAY38-9456")]),
        (drug("BAY 59-7939", "Rivaroxaban"), [("rivaroxaban", "BAY-59-7939")]),
        # Whichever of the two a study writes first, the pair is one.
        (drug("Cialis", "Tadalafil"), [("cialis", "tadalafil")]),
    ],
)
def test_other_names_are_found(intervention: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert other_names(treated(intervention)) == expected


@pytest.mark.parametrize(
    "intervention",
    [
        drug("Placebo", "Sugar pill"),
        drug("Sham stimulation", "Magstim"),
        drug("Chemotherapy", "Taxol"),
        drug("Paclitaxel", "chemotherapy"),
        drug("Paclitaxel, carboplatin and bevacizumab", "Taxol"),
        drug("Paclitaxel + carboplatin", "Taxol"),
        drug("Paclitaxel", "Taxol; Paraplatin"),
        drug("Paclitaxel", "given by vein over three hours on the first day"),
        drug("Lopinavir/ritonavir", "Kaletra", "Norvir"),  # of which of the two?
        drug("Paclitaxel", "PTX"),  # an abbreviation
        drug("Paclitaxel", "Paclitaxel 80 mg"),
        drug("Paclitaxel (high dose)"),
        drug("Aspirin (Group A)"),
        drug("Tadalafil", "PDE5 inhibitor"),
        drug("Tadalafil", "ABT 2012,5"),
    ],
)
def test_what_is_no_other_name(intervention: dict[str, Any]) -> None:
    assert other_names(treated(intervention)) == []


def test_an_other_name_that_is_an_intervention_of_its_own_is_none() -> None:
    assert other_names(treated(drug("Gemcitabine", "Taxotere"), drug("Taxotere", "Docetaxel"))) == [
        ("docetaxel", "taxotere")
    ]


def test_names_that_a_flat_source_gave_the_last_intervention_are_left_out() -> None:
    assert other_names(treated("Pembrolizumab", drug("Surgery of the lung", "Keytruda"))) == []
    assert other_names(treated("Placebo", drug("Pembrolizumab", "Keytruda"))) == [
        ("keytruda", "pembrolizumab")
    ]
    first = treated(drug("Pembrolizumab", "Keytruda"), "Lobectomy")
    assert other_names(first) == [("keytruda", "pembrolizumab")]


@pytest.mark.parametrize(
    ("title", "names", "expected"),
    [
        (
            "Pembrolizumab (MK-3475) or ipilimumab",
            ["Pembrolizumab", "Ipilimumab"],
            [("pembrolizumab", "MK-3475")],
        ),
        (
            "MK-3475 (pembrolizumab) or ipilimumab",
            ["Pembrolizumab", "Ipilimumab"],
            [("pembrolizumab", "MK-3475")],
        ),
        ("Study of AMG 145 in adults", ["Evolocumab 140 mg", "Placebo"], [("evolocumab", "AMG-145")]),
        ("Study of MK-3475-001 in adults", ["Pembrolizumab"], [("pembrolizumab", "MK-3475")]),
        # Of which of two drugs?
        ("Study of MK-3475 in adults", ["Pembrolizumab", "Ipilimumab"], []),
        # Beside the drug, not instead of it.
        ("BAY60-4552 added to vardenafil", ["Vardenafil"], []),
        ("BAY60-4552/vardenafil in men", ["Vardenafil"], []),
        ("Study of MK-3475 and MK-1308", ["Pembrolizumab"], []),
        ("Study SWOG 9921 in adults", ["Mitoxantrone"], []),
        ("CD-123 in leukaemia, COVID-19", ["Flotetuzumab"], []),
        ("TESTO-2002 study", ["Testosterone"], []),
        ("Study of MK-3475", ["MK-3475"], []),
    ],
)
def test_codes_in_titles(title: str, names: list[str], expected: list[tuple[str, str]]) -> None:
    assert other_names(treated(*names, title=title)) == expected


def test_the_acronym_of_a_trial_and_what_is_no_drug_have_no_code() -> None:
    assert other_names(treated("Colchicine", title="The COL-305 trial", acronym="COL-305")) == []
    assert other_names(treated("Colchicine", title="The COL-305 trial")) == [("colchicine", "COL-305")]
    walking = {"name": "Walking", "type": "BEHAVIORAL"}
    assert other_names(treated(walking, title="Study of MK-3475")) == []


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("MK-3475", ("MK", "3475")),
        ("BMS-936558", ("BMS", "936558")),
        ("LY2439821", ("LY", "2439821")),
        ("AMG 145", ("AMG", "145")),
        ("GW353162X", ("GW", "353162X")),
        ("IL-17", None),
        ("COVID-2019", None),
        ("NCT01234567", None),
        ("mk-3475", None),
        ("MK-3475 10 mg", None),
    ],
)
def test_code_parts(name: str, parts: tuple[str, str] | None) -> None:
    assert code_parts(name) == parts


NAMES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "Taxol®",
            "Paclitaxel 80 mg/m2",
            "MK-3475",
            "Drug: Placebo",
            "A + B",
            "(Taxol)",
            "Taxol (Paclitaxel)",
        ]
    ),
)


@given(st.lists(st.builds(drug, NAMES, NAMES, NAMES), max_size=3), st.text(max_size=60) | NAMES)
def test_other_names_are_stable(interventions: list[dict[str, Any]], title: str) -> None:
    for name, other in other_names(treated(*interventions, title=title)):
        assert name != other and "\t" not in name + other and loose(name) != loose(other)
        # A pair is what a trial with just these two names gives.
        assert other_names(treated(drug(name, other))) == [(name, other)]
