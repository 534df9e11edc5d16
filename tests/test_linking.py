"""Links of condition and intervention strings: tables of strings by rule, with what must not be linked."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.vocabulary.concepts import Concept, Name, shipped_concepts
from trialindex.vocabulary.linking import Link, Linker
from trialindex.vocabulary.mapped import Vocabulary

# kind, preferred, other names, short forms, the preferred name above
ROWS = [
    ("condition", "Neoplasms", ["cancer", "tumor"], [], ""),
    ("condition", "Lung Neoplasms", ["lung cancer", "cancer of the lung"], [], "Neoplasms"),
    ("condition", "Breast Neoplasms", ["breast cancer"], [], "Neoplasms"),
    ("condition", "Ovarian Neoplasms", ["ovarian cancer"], [], "Neoplasms"),
    ("condition", "Head and Neck Neoplasms", ["head and neck cancer"], [], "Neoplasms"),
    ("condition", "Small Cell Lung Carcinoma", ["small cell lung cancer"], ["SCLC"], "Lung Neoplasms"),
    (
        "condition",
        "Non-Small-Cell Lung Carcinoma",
        ["non-small cell lung cancer"],
        ["NSCLC"],
        "Lung Neoplasms",
    ),
    ("condition", "Lymphoma", [], [], "Neoplasms"),
    ("condition", "Hodgkin Disease", ["Hodgkin lymphoma"], [], "Lymphoma"),
    ("condition", "Non-Hodgkin Lymphoma", [], ["NHL"], "Lymphoma"),
    ("condition", "Lupus Erythematosus, Systemic", [], ["SLE"], ""),
    ("condition", "Pulmonary Disease, Chronic Obstructive", [], ["COPD"], ""),
    ("condition", "Multiple Sclerosis", [], ["MS"], "Nervous System Diseases"),
    ("condition", "Mitral Valve Stenosis", ["mitral stenosis"], ["MS"], "Heart Diseases"),
    ("condition", "Optic Neuritis", [], [], "Nervous System Diseases"),
    ("condition", "Heart Diseases", [], [], ""),
    ("condition", "Nervous System Diseases", [], [], ""),
    ("condition", "Asthma", [], [], ""),
    ("condition", "Pain", [], [], ""),
    ("condition", "Anxiety", [], [], ""),
    ("condition", "Stroke", [], [], ""),
    ("condition", "Accidental Falls", ["falls"], [], ""),
    ("condition", "Edema", [], [], ""),
    ("condition", "Iron Deficiency Anemia", [], ["IDA"], "Anemia"),
    ("condition", "Anemia", [], [], ""),
    ("condition", "Skin Melanoma", [], [], "Melanoma"),
    ("condition", "Melanoma", [], [], "Neoplasms"),
    ("condition", "Diabetes Mellitus", ["diabetes"], [], ""),
    ("condition", "Diabetes Mellitus, Type 2", ["type 2 diabetes"], [], "Diabetes Mellitus"),
    ("condition", "Diabetes Mellitus, Type 1", ["type 1 diabetes"], [], "Diabetes Mellitus"),
    ("condition", "Diabetic Foot", ["diabetic foot ulcer"], [], "Diabetes Mellitus"),
    ("condition", "Eclampsia", [], [], ""),
    ("condition", "Hepatitis", [], [], ""),
    ("condition", "Hepatitis B", [], [], "Hepatitis"),
    ("condition", "Hepatitis C", [], [], "Hepatitis"),
    ("condition", "Atrial Fibrillation", [], ["AF"], "Heart Diseases"),
    ("condition", "Atrial Flutter", [], [], "Heart Diseases"),
    ("condition", "Dilated Cardiomyopathy", [], ["DCM"], "Heart Diseases"),
    ("condition", "Ataxia", [], [], ""),
    ("condition", "Postoperative Pain", [], [], "Pain"),
    ("condition", "HIV Infections", ["HIV infection"], [], ""),
    ("condition", "Prostatitis", [], [], ""),
    ("condition", "Infections", ["infection"], [], ""),
    ("procedure", "Cataract Extraction", ["cataract surgery"], [], ""),
    ("procedure", "Acupuncture", [], [], ""),
    ("procedure", "Laparoscopes", [], [], ""),
    ("procedure", "Positive Pressure Respiration", [], ["CPAP"], ""),
    ("other", "Pregnancy", [], [], ""),
    ("other", "Questionnaires", ["questionnaire"], [], ""),
    ("intervention", "Placebos", ["placebo", "sham treatment"], [], ""),
    ("intervention", "Metformin", [], [], ""),
    ("intervention", "Aspirin", [], ["ASA"], ""),
    ("intervention", "Carboplatin", [], [], ""),
    ("intervention", "Paclitaxel", ["Taxol"], [], ""),
    ("intervention", "Lopinavir", [], [], ""),
    ("intervention", "Ritonavir", [], [], ""),
    ("intervention", "Hydroxychloroquine", [], ["HCQ"], ""),
    ("intervention", "Leucovorin", [], [], ""),
    ("intervention", "Calcium", [], [], ""),
    ("intervention", "Sodium Chloride", [], [], ""),
    ("intervention", "Interleukin-2", ["IL-2"], [], ""),
    ("intervention", "Interleukin-12", ["IL-12"], [], ""),
    ("intervention", "Interferon Alfa-2a", [], [], ""),
    ("intervention", "Interferon Alfa-2b", [], [], ""),
    ("intervention", "Hepatitis B Vaccines", ["hepatitis B vaccine"], [], ""),
    ("intervention", "Tumor Necrosis Factors", ["tumor necrosis factor"], ["TNF"], ""),
    ("intervention", "Vitamin K", [], [], ""),
    ("intervention", "Glutens", ["gluten"], [], ""),
    ("intervention", "Insulin", [], [], ""),
    ("intervention", "Cyproterone", [], ["CPA"], ""),
    ("intervention", "Cyclophosphamide", [], [], ""),
    ("intervention", "Retinaldehyde", ["retinal"], [], ""),
]


def made(rows: Iterable[tuple[str, str, list[str], list[str], str]]) -> Vocabulary:
    held = list(rows)
    ids = {row[1]: f"T{place:03}" for place, row in enumerate(held)}
    return Vocabulary.of(
        Concept(
            ids[preferred],
            kind,
            tuple(Name(text, "curated") for text in (preferred, *names)),
            tuple(Name(text, "curated") for text in shorts),
            (ids[above],) if above else (),
        )
        for kind, preferred, names, shorts, above in held
    )


VOCABULARY = made(ROWS)
LINKER = Linker(VOCABULARY)


def number(preferred: str) -> int:
    (sense,) = VOCABULARY.named(preferred)
    return sense.concept


def told(links: tuple[Link, ...]) -> list[tuple[str, str]]:
    return [(VOCABULARY.preferred(link.concept), link.how) for link in links]


CONDITIONS = [
    # exact: the whole string, capitals and plurals aside
    ("asthma", [("Asthma", "exact")]),
    ("LUNG CANCERS", [("Lung Neoplasms", "exact")]),
    ("Cancer of the Lung", [("Lung Neoplasms", "exact")]),
    ("diabetic foot ulcer", [("Diabetic Foot", "exact")]),
    ("asthmatiform", []),
    # other kinds only as the whole
    ("Cataract Surgery", [("Cataract Extraction", "exact")]),
    ("Pregnancy", [("Pregnancy", "exact")]),
    ("Pregnancy and asthma", [("Asthma", "part")]),
    ("Metformin", []),
    # a short form has its capitals, and one meaning
    ("COPD", [("Pulmonary Disease, Chronic Obstructive", "exact")]),
    ("copd", []),
    ("Copd", [("Pulmonary Disease, Chronic Obstructive", "spelling")]),
    ("MS", []),
    ("TNF", []),
    # inverted
    ("Systemic Lupus Erythematosus", [("Lupus Erythematosus, Systemic", "inverted")]),
    ("chronic obstructive pulmonary disease", [("Pulmonary Disease, Chronic Obstructive", "inverted")]),
    ("Neoplasms, Lung", [("Lung Neoplasms", "inverted")]),
    ("Stroke, asthma", [("Stroke", "part"), ("Asthma", "part")]),
    # brackets
    ("Systemic Lupus Erythematosus (SLE)", [("Lupus Erythematosus, Systemic", "inverted")]),
    ("Severe Systemic Lupus Erythematosus", [("Lupus Erythematosus, Systemic", "stripped")]),
    ("Hodgkin lymphoma (NHL)", [("Hodgkin Disease", "bracket")]),
    ("Optic neuritis (MS)", [("Optic Neuritis", "bracket")]),
    ("Anemia (Iron Deficiency)", [("Iron Deficiency Anemia", "inverted")]),
    ("Melanoma (Skin)", [("Skin Melanoma", "inverted")]),
    ("Stroke (asthma)", [("Stroke", "bracket"), ("Asthma", "bracket")]),
    ("DCM - Dilated Cardiomyopathy", [("Dilated Cardiomyopathy", "part")]),
    # spelling
    ("Oedema", [("Edema", "exact")]),
    ("non small cell lung cancer", [("Non-Small-Cell Lung Carcinoma", "spelling")]),
    ("Post Operative Pain", [("Postoperative Pain", "spelling")]),
    # stripped: stage, course, age; not what makes another thing
    ("Stage IIIB Breast Cancer AJCC v7", [("Breast Neoplasms", "stripped")]),
    ("Recurrent Head and Neck Cancer", [("Head and Neck Neoplasms", "stripped")]),
    ("Childhood Asthma, Severe", [("Asthma", "stripped")]),
    ("Breast metastatic cancer", [("Breast Neoplasms", "stripped")]),
    ("Advanced NSCLC", [("Non-Small-Cell Lung Carcinoma", "stripped")]),
    ("Recurrent", []),
    ("High grade", []),
    ("plus plus", []),
    # parts
    ("asthma and pain", [("Asthma", "part"), ("Pain", "part")]),
    ("Stroke; Asthma", [("Stroke", "part"), ("Asthma", "part")]),
    ("Breast and Ovarian Cancer", [("Breast Neoplasms", "part"), ("Ovarian Neoplasms", "part")]),
    ("Atrial Fibrillation and Flutter", [("Atrial Fibrillation", "part"), ("Atrial Flutter", "part")]),
    ("lung cancer patients with anxiety", [("Lung Neoplasms", "part"), ("Anxiety", "part")]),
    ("Flutter and wow", []),
    # spans: the longest, then what is left; no generic word, no stem of another word
    ("COPD exacerbation", [("Pulmonary Disease, Chronic Obstructive", "span")]),
    ("Stroke rehabilitation in lung cancer", [("Stroke", "span"), ("Lung Neoplasms", "span")]),
    ("anthracycline-related lung cancer", [("Lung Neoplasms", "span")]),
    ("asthma-related fatigue", [("Asthma", "span")]),
    ("Wound infection", []),
    ("Prostate biopsy", []),
    ("Ataxia 3", []),
    # what is denied
    ("Non-Hodgkin's Lymphoma", [("Non-Hodgkin Lymphoma", "exact")]),
    ("non Hodgkin lymphoma", [("Non-Hodgkin Lymphoma", "spelling")]),
    ("pre-eclampsia", []),
    ("pre eclampsia", []),
    ("non-asthmatic", []),
    ("stroke without pain", [("Stroke", "span")]),
    ("history of breast cancer", []),
    ("risk of stroke", []),
    ("Stroke risk", []),
    ("risk of falls, stroke", [("Stroke", "part")]),
    ("Asthma negative", []),
    ("Healthy volunteers", []),
    # numbers and letters count
    ("Type 2 Diabetes", [("Diabetes Mellitus, Type 2", "exact")]),
    ("Type 1 diabetes mellitus", [("Diabetes Mellitus, Type 1", "inverted")]),
    ("Hepatitis C", [("Hepatitis C", "exact")]),
    ("hepatitis B vaccine", []),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_conditions(text: str, expected: list[tuple[str, str]]) -> None:
    assert told(LINKER.condition(text)) == expected


INTERVENTIONS = [
    ("metformin", [("Metformin", "exact")]),
    ("Asthma", []),
    ("Questionnaire", [("Questionnaires", "exact")]),
    ("Hepatitis B vaccine", [("Hepatitis B Vaccines", "exact")]),
    ("Hepatitis B immunoglobulin", []),
    # dose, form, route, salt, schedule
    ("Metformin XR 500 mg tablets twice daily", [("Metformin", "stripped")]),
    ("Hydroxychloroquine Sulfate 200 MG Oral Tablet", [("Hydroxychloroquine", "stripped")]),
    ("Drug: aspirin 81 mg/day", [("Aspirin", "stripped")]),
    ("10-20 mg aspirin", [("Aspirin", "stripped")]),
    ("leucovorin calcium", [("Leucovorin", "stripped")]),
    ("Calcium 500 mg", [("Calcium", "stripped")]),
    ("Sodium chloride 0.9%", [("Sodium Chloride", "stripped")]),
    ("500 mg tablets", []),
    # several
    ("carboplatin + paclitaxel", [("Carboplatin", "part"), ("Paclitaxel", "part")]),
    ("Lopinavir/Ritonavir", [("Lopinavir", "part"), ("Ritonavir", "part")]),
    ("Carboplatin followed by Taxol", [("Carboplatin", "part"), ("Paclitaxel", "part")]),
    ("AC followed by T", []),
    ("metformin plus lifestyle aspirin advice", [("Metformin", "part"), ("Aspirin", "span")]),
    # the short form after a name adds nothing wrong
    ("Cyclophosphamide (CPA)", [("Cyclophosphamide", "bracket")]),
    ("Paclitaxel (Taxol)", [("Paclitaxel", "bracket")]),
    # numbers
    ("interleukin 2", [("Interleukin-2", "exact")]),
    ("IL-12", [("Interleukin-12", "exact")]),
    ("interleukin-7", []),
    ("Interferon alfa-2b, 3 MIU", [("Interferon Alfa-2b", "stripped")]),
    ("interferon alpha 2a", [("Interferon Alfa-2a", "exact")]),
    # placebo
    ("Placebo", [("Placebos", "exact")]),
    ("placebo for metformin", [("Placebos", "part")]),
    ("metformin placebo", [("Placebos", "part")]),
    ("matching placebo to metformin and aspirin", [("Placebos", "part")]),
    ("Placebo (metformin)", [("Placebos", "part")]),
    ("Lopinavir/Ritonavir placebo", [("Placebos", "part")]),
    ("aspirin and matching placebo", [("Aspirin", "part"), ("Placebos", "part")]),
    ("Placebo + metformin 500 mg", [("Placebos", "part"), ("Metformin", "part")]),
    ("Sham acupuncture", [("Placebos", "part")]),
    # what is denied, or only aimed at
    ("no treatment", []),
    ("no aspirin", []),
    ("stopped aspirin prophylaxis", []),
    ("hydroxychloroquine trial name (brand HCQ)", [("Hydroxychloroquine", "span")]),
    ("aspirin without metformin", [("Aspirin", "span")]),
    ("anti-TNF", []),
    ("anti TNF", []),
    ("vitamin K antagonist", []),
    ("tumor necrosis factor inhibitor XYZ", []),
    ("gluten-free diet", []),
    ("insulin level", []),
    ("insulin pump", [("Insulin", "span")]),
    # stems are not enough
    ("Laparoscopic suturing", []),
    ("retina stimulation", []),
    ("retinal stimulation", [("Retinaldehyde", "span")]),
    ("CPAP", [("Positive Pressure Respiration", "exact")]),
]


@pytest.mark.parametrize(("text", "expected"), INTERVENTIONS)
def test_interventions(text: str, expected: list[tuple[str, str]]) -> None:
    assert told(LINKER.intervention(text)) == expected


def test_the_other_strings_of_a_trial_decide_a_short_form() -> None:
    nerves, heart = number("Optic Neuritis"), number("Atrial Fibrillation")
    assert told(LINKER.condition("MS", [nerves])) == [("Multiple Sclerosis", "exact")]
    assert told(LINKER.condition("MS", [heart])) == [("Mitral Valve Stenosis", "exact")]
    assert told(LINKER.condition("MS", [number("Multiple Sclerosis")])) == [("Multiple Sclerosis", "exact")]
    assert told(LINKER.condition("Advanced MS", [nerves])) == [("Multiple Sclerosis", "stripped")]
    # Both are as close, or none is.
    assert LINKER.condition("MS", [nerves, heart]) == ()
    assert LINKER.condition("MS", [number("Asthma")]) == ()
    assert LINKER.condition("MS") == ()
    # What stands in the same string decides too.
    assert told(LINKER.condition("MS with optic neuritis")) == [
        ("Optic Neuritis", "part"),
        ("Multiple Sclerosis", "part"),
    ]


def test_of_two_with_a_short_form_the_broader_is_meant() -> None:
    rows = [
        ("intervention", "Colony-Stimulating Factor", [], ["CSF"], ""),
        ("intervention", "Filgrastim", [], ["CSF"], "Colony-Stimulating Factor"),
    ]
    broader, unrelated = made(rows), made([(*row[:4], "") for row in rows])
    assert [broader.preferred(link.concept) for link in Linker(broader).intervention("CSF")] == [rows[0][1]]
    assert Linker(unrelated).intervention("CSF") == ()


def test_a_part_shares_its_last_word_even_if_it_names_something_else() -> None:
    vocabulary = made([*ROWS, ("other", "Breast", [], [], "")])
    links = Linker(vocabulary).condition("Breast and Ovarian Cancer")
    assert [vocabulary.preferred(link.concept) for link in links] == ["Breast Neoplasms", "Ovarian Neoplasms"]
    assert (
        Linker(vocabulary).condition("Breast and asthma")[0].concept == vocabulary.named("asthma")[0].concept
    )


def test_a_name_by_its_own_spelling_wins_over_one_of_the_same_stem() -> None:
    vocabulary = made(
        [
            ("procedure", "Laparoscopes", [], [], ""),
            ("procedure", "Laparoscopy", [], [], ""),
            ("condition", "Depression", ["low mood"], [], ""),
            ("condition", "Dysthymia", ["low mood"], [], ""),
        ]
    )
    linker = Linker(vocabulary)
    assert [vocabulary.preferred(link.concept) for link in linker.intervention("laparoscopy")] == [
        "Laparoscopy"
    ]
    assert len(linker.condition("low mood")) == 2


@pytest.mark.parametrize(
    "text", ["", " ", "...", "of the", "(", ")(", "a" * 10_000, "(" * 10_000, "\x00", "🙂"]
)
def test_strings_without_names(text: str) -> None:
    assert LINKER.condition(text) == LINKER.intervention(text) == ()


def test_a_long_string_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    longest_match = VOCABULARY.longest_match

    def counted(keys: list[str], start: int) -> object:
        nonlocal asked
        asked += 1
        return longest_match(keys, start)

    monkeypatch.setattr(VOCABULARY, "longest_match", counted)
    linker = Linker(VOCABULARY)
    for text in ("cancer and " * 5000, "asthma " * 5000, "placebo/" * 5000, "non " * 5000):
        linker.condition(text)
        linker.intervention(text)
    assert asked < 8 * 2000


WORDS = sorted({word for row in ROWS for name in (row[1], *row[2], *row[3]) for word in name.split()})
AROUND = [
    "and",
    "or",
    "with",
    "/",
    "+",
    ",",
    "(",
    ")",
    ";",
    "without",
    "placebo",
    "stage",
    "IV",
    "500",
    "mg",
    "non",
]
strings = st.lists(st.sampled_from([*WORDS, *AROUND]), max_size=12).map(" ".join) | st.text(max_size=80)


@given(strings)
def test_any_string_has_links_once_and_always_the_same(text: str) -> None:
    fresh = Linker(VOCABULARY)
    for kinds, of, again in (
        ({"condition", "procedure", "other"}, LINKER.condition, fresh.condition),
        ({"intervention", "procedure", "other"}, LINKER.intervention, fresh.intervention),
    ):
        links = of(text)
        assert links == again(text) == of(text)
        assert len({link.concept for link in links}) == len(links)
        assert {VOCABULARY.kind(link.concept) for link in links} <= kinds


FULL = [(row[0], row[1], name) for row in ROWS for name in (row[1], *row[2])]


@pytest.mark.parametrize(("kind", "preferred", "name"), FULL)
def test_every_name_in_any_case_is_its_concept(kind: str, preferred: str, name: str) -> None:
    of = LINKER.intervention if kind == "intervention" else LINKER.condition
    for text in (name, name.lower(), name.upper(), f"  {name}. "):
        assert told(of(text)) == [(preferred, "exact")]


@given(st.sampled_from([name for kind, _, name in FULL if kind == "condition"]))
def test_a_condition_is_never_an_intervention(name: str) -> None:
    kinds = {VOCABULARY.kind(link.concept) for link in LINKER.intervention(f"{name} treatment, {name}")}
    assert "condition" not in kinds


@pytest.fixture(scope="module")
def some_concepts() -> list[Concept]:
    return list(shipped_concepts())[::40]


def test_every_shipped_name_is_its_concept(some_concepts: list[Concept]) -> None:
    vocabulary = Vocabulary.of(some_concepts)
    linker = Linker(vocabulary)
    missed = []
    for concept in some_concepts:
        place = vocabulary.number_of(concept.id)
        of = linker.intervention if concept.kind == "intervention" else linker.condition
        for name in concept.names:
            kinds = {vocabulary.kind(sense.concept) for sense in vocabulary.named(name.text)}
            # Of a name of two kinds the likelier one is meant, and a short form has its own rule.
            if kinds == {concept.kind} and not vocabulary.short(name.text):
                links = of(name.text)
                called = [vocabulary.concept(link.concept) for link in links]
                same = any(name.text.casefold() == own.text.casefold() for one in called for own in one.names)
                if Link(place, "exact") not in links and not same:
                    missed.append(name.text)
    assert missed == []
