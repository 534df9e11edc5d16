"""Names that a reader of trials knows, in the shipped vocabulary as it is mapped: one thing, or two.

Every pair was written by hand: those that a person would call the same thing, and look-alikes that must stay
apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from trialindex.vocabulary.mapped import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(whole_vocabulary: Path) -> Iterator[Vocabulary]:
    opened = Vocabulary(whole_vocabulary)
    yield opened
    opened.close()


def concepts_of(vocabulary: Vocabulary, text: str) -> set[int]:
    return {sense.concept for sense in vocabulary.named(text)} | set(vocabulary.short(text))


SAME = """
lupus nephritis = LN
scleroderma = SSc
systemic lupus erythematosus = SLE
heart attack = myocardial infarction
cerebrovascular accident = stroke
high blood pressure = HTN
congestive heart failure = HF
type 2 diabetes mellitus = T2DM
non-insulin-dependent diabetes mellitus = T2D
juvenile diabetes = T1DM
nonalcoholic steatohepatitis = MASH
NAFLD = MASLD
acute myelogenous leukemia = AML
acute lymphocytic leukemia = ALL
plasma cell myeloma = MM
hepatoma = HCC
stomach cancer = gastric neoplasm
Lou Gehrig's disease = ALS
shingles = herpes zoster
chronic renal insufficiency = CKD
acute renal failure = AKI
chronic obstructive lung disease = COPD
Wegener granulomatosis = granulomatosis with polyangiitis
SARS-CoV-2 infection = COVID-19
human immunodeficiency virus = HIV
acquired immune deficiency syndrome = AIDS
Stein-Leventhal syndrome = PCOS
Berger disease = IgAN
glucocerebrosidase deficiency = Gaucher disease
mucoviscidosis = CF
factor VIII deficiency = hemophilia A
impotence = ED
mesenchymal stromal cell = MSC
human umbilical cord-derived mesenchymal stem cell = UC-MSC
human amniotic mesenchymal stem cell = hA-MSC
hematopoietic cell transplantation = HSCT
CAR T-cell therapy = CAR-T
Cytoxan = cyclophosphamide
Endoxan = CTX
CellCept = MMF
MabThera = Rituxan
paracetamol = acetaminophen
albuterol = salbutamol
aciclovir = Zovirax
adrenaline = epinephrine
FK506 = Prograf
ciclosporin = CsA
MK-3475 = Keytruda
BMS-936558 = Opdivo
aldesleukin = IL-2
azidothymidine = AZT
rifampicin = rifampin
glibenclamide = glyburide
folinic acid = leucovorin
vitamin C = ascorbic acid
STI571 = Gleevec
Bactrim = TMP-SMX
5-fluorouracil = 5-FU
transcatheter aortic valve replacement = TAVI
coronary artery bypass surgery = CABG
stereotactic ablative radiotherapy = SBRT
cognitive behavior therapy = CBT
radiation therapy = radiotherapy
"""

APART = """
hydralazine / hydroxyzine
prednisone / prednisolone
IL-2 / IL-12
interferon alfa-2a / interferon alfa-2b
interferon beta-1a / interferon beta-1b
interferon alfa / interferon gamma
vincristine / vinblastine
vinblastine / vinorelbine
cisplatin / carboplatin
doxorubicin / daunorubicin
doxorubicin / liposomal doxorubicin
paclitaxel / docetaxel
trastuzumab / trastuzumab emtansine
trastuzumab emtansine / trastuzumab deruxtecan
infliximab / rituximab
azathioprine / azithromycin
metformin / metronidazole
lamivudine / lamotrigine
zidovudine / stavudine
rifampin / rifabutin
fluoxetine / duloxetine
omeprazole / esomeprazole
leucovorin / levoleucovorin
epinephrine / norepinephrine
cefotaxime / ceftriaxone
sildenafil / tadalafil
hydroxychloroquine / hydroxyurea
filgrastim / sargramostim
mycophenolate mofetil / mycophenolic acid
UC-MSC / hA-MSC
umbilical cord mesenchymal stem cell / umbilical cord blood transplantation
naloxone / naltrexone
hypothyroidism / hyperthyroidism
hypotension / hypertension
hypoglycemia / hyperglycemia
hypokalemia / hyperkalemia
osteoporosis / osteoarthritis
osteoporosis / osteopenia
hepatitis B / hepatitis C
HIV infection / AIDS
HIV / HPV
type 1 diabetes / type 2 diabetes
multiple myeloma / multiple sclerosis
Hodgkin lymphoma / non-Hodgkin lymphoma
non-small cell lung cancer / small cell lung cancer
ulcerative colitis / Crohn disease
lupus nephritis / systemic lupus erythematosus
dermatomyositis / polymyositis
pulmonary hypertension / hypertension
hemophilia A / hemophilia B
hemodialysis / peritoneal dialysis
TMS / tDCS
"""


def pairs(text: str, sign: str) -> list[tuple[str, str]]:
    found = [tuple(line.split(sign)) for line in text.strip().splitlines()]
    assert all(len(pair) == 2 for pair in found)
    return [(first, second) for first, second in found]


def test_there_are_enough_pairs() -> None:
    assert len(set(pairs(SAME, " = "))) >= 60
    assert len(set(pairs(APART, " / "))) >= 40


@pytest.mark.parametrize(("first", "second"), pairs(SAME, " = "))
def test_names_of_one_thing_meet(vocabulary: Vocabulary, first: str, second: str) -> None:
    assert concepts_of(vocabulary, first) & concepts_of(vocabulary, second)


@pytest.mark.parametrize(("first", "second"), pairs(APART, " / "))
def test_look_alikes_stay_apart(vocabulary: Vocabulary, first: str, second: str) -> None:
    one, other = concepts_of(vocabulary, first), concepts_of(vocabulary, second)
    assert one and other, "an unknown name would stay apart from everything"
    assert not one & other


def test_brands_of_different_drugs_stay_apart(vocabulary: Vocabulary) -> None:
    brands = "Celebrex Zyprexa Lipitor Diovan Plaquenil Humira Enbrel Remicade Viagra".split()
    for first, second in combinations(brands, 2):
        one, other = concepts_of(vocabulary, first), concepts_of(vocabulary, second)
        assert one and other and not one & other, (first, second)


@pytest.mark.parametrize(
    ("narrow", "broad"),
    [
        ("lupus nephritis", "systemic lupus erythematosus"),
        ("lupus nephritis", "glomerulonephritis"),
        ("umbilical cord mesenchymal stem cell", "mesenchymal stem cell"),
        ("non-small cell lung cancer", "lung cancer"),
        ("interferon beta-1a", "interferon beta"),
    ],
)
def test_what_is_a_kind_of_what(vocabulary: Vocabulary, narrow: str, broad: str) -> None:
    kinds, wide = concepts_of(vocabulary, narrow), concepts_of(vocabulary, broad)
    above = {number for one in kinds for number, _ in vocabulary.ancestors(one)}
    assert wide & above
    assert not {number for one in wide for number, _ in vocabulary.ancestors(one)} & kinds


def test_concepts_are_found_by_each_of_their_names_in_capitals_and_as_written(vocabulary: Vocabulary) -> None:
    choose = random.Random(5)
    for number in choose.sample(range(len(vocabulary)), 500):
        concept = vocabulary.concept(number)
        for name in concept.names:
            for written in (name.text, name.text.upper()):
                assert number in concepts_of(vocabulary, written), (number, written)
        for name in concept.abbreviations:
            assert number in vocabulary.short(name.text)
