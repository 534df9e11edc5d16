"""The shipped concepts: well formed, free of contradictions, and right where a reader can tell.

Only the data file is read here, by a reader of its own, so that a mistake in the loader cannot hide one in
the data. Every pair below was written by hand: those that a person would call the same thing, and look-alikes
that must stay apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

import pytest

from helpers import ROOT

FILE = ROOT / "indexer" / "trialindex" / "vocabulary" / "concepts.tsv"
HEADER = ["kind", "preferred", "names", "abbreviations", "broader"]
KINDS = {"condition", "intervention", "procedure"}
# Written so for thirty years: the small letters are part of the abbreviation, and DDI means something else.
MIXED_CASE = {"ddI", "ddC"}


class Row(NamedTuple):
    kind: str
    preferred: str
    names: list[str]
    abbreviations: list[str]
    broader: list[str]

    @property
    def full_names(self) -> list[str]:
        return [self.preferred, *self.names]


def fold(name: str) -> str:
    return re.sub(r"[-\s]+", "", name.casefold())


LINES = FILE.read_text(encoding="utf-8").split("\n")
BODY = [line.split("\t") for line in LINES if line and not line.startswith("#")]
ROWS = [
    Row(cells[0], cells[1], *([part for part in cell.split("|") if part] for cell in cells[2:5]))
    for cells in BODY[1:]
]
KEYS = {(row.kind, row.preferred) for row in ROWS}


def concepts_of(text: str) -> set[tuple[str, str]]:
    """Concepts that bear the text as a name (folded) or as an abbreviation (as written)."""
    return {
        (row.kind, row.preferred)
        for row in ROWS
        if text in row.abbreviations or fold(text) in map(fold, row.full_names)
    }


def row_of(preferred: str) -> Row:
    (found,) = (row for row in ROWS if row.preferred == preferred)
    return found


# --- form


def test_file_opens_with_comments_and_the_header() -> None:
    comments = [line for line in LINES if line.startswith("#")]
    assert LINES[: len(comments)] == comments, "comments come first"
    assert "MIT" in " ".join(comments) and re.search(r"\b20\d\d-\d\d-\d\d\b", " ".join(comments))
    assert BODY[0] == HEADER


def test_every_row_has_five_clean_cells() -> None:
    for cells in BODY[1:]:
        assert len(cells) == len(HEADER), cells
        assert cells[0] in KINDS and cells[1], cells
        for cell in cells[1:]:
            parts = cell.split("|")
            assert all(part == " ".join(part.split()) for part in parts), cells
            assert len(parts) == 1 or all(parts), f"empty part between bars: {cells}"
    assert "|" not in "".join(row.preferred for row in ROWS)


def test_rows_are_sorted_and_preferred_names_are_unique() -> None:
    order = [(row.kind, row.preferred.casefold()) for row in ROWS]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_number_of_concepts() -> None:
    assert 400 <= len(ROWS) <= 800
    assert {row.kind for row in ROWS} == KINDS


def test_a_name_belongs_to_one_concept_of_its_kind_and_is_listed_once() -> None:
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in ROWS:
        for name in row.full_names:
            owners[row.kind, fold(name)].append(row.preferred)
    assert {name: who for name, who in owners.items() if len(who) > 1} == {}


def test_abbreviations_look_like_abbreviations() -> None:
    for row in ROWS:
        assert len(set(row.abbreviations)) == len(row.abbreviations), row
        for abbreviation in set(row.abbreviations) - MIXED_CASE:
            assert 2 <= len(abbreviation) <= 8, row
            assert len(re.findall(r"[A-Z0-9]", abbreviation)) >= 2, row


def test_no_name_is_the_abbreviation_of_another_concept() -> None:
    abbreviated: dict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        for abbreviation in row.abbreviations:
            abbreviated[fold(abbreviation)].add(row.preferred)
    for row in ROWS:
        for name in row.full_names:
            assert abbreviated[fold(name)] <= {row.preferred}, f"{name} of {row.preferred}"


def test_no_name_is_too_short_or_too_general_to_be_sought() -> None:
    general = {"placebo", "stem cell", "tumor", "disease", "syndrome", "infection", "inflammation", "control"}
    for row in ROWS:
        assert all(len(fold(name)) >= 3 for name in row.full_names), row
        assert not general & {name.casefold().removesuffix("s") for name in row.full_names}, row


# --- hierarchy


def test_broader_concepts_exist_and_are_not_repeated() -> None:
    for row in ROWS:
        assert len(set(row.broader)) == len(row.broader), row
        assert {(row.kind, name) for name in row.broader} <= KEYS, row


def test_hierarchy_has_no_cycle() -> None:
    broader = {(row.kind, row.preferred): {(row.kind, name) for name in row.broader} for row in ROWS}
    while broader:
        tops = {key for key, above in broader.items() if not above & broader.keys()}
        assert tops, f"cycle among {sorted(broader)}"
        broader = {key: above for key, above in broader.items() if key not in tops}


@pytest.mark.parametrize(
    ("narrow", "broad"),
    [
        ("lupus nephritis", "systemic lupus erythematosus"),
        ("umbilical cord mesenchymal stem cell", "mesenchymal stem cell"),
        ("amniotic mesenchymal stem cell", "mesenchymal stem cell"),
        ("filgrastim", "granulocyte colony-stimulating factor"),
        ("AIDS", "HIV infection"),
        ("non-small cell lung cancer", "lung cancer"),
        ("hemodialysis", "dialysis"),
        ("interferon beta-1a", "interferon beta"),
    ],
)
def test_direct_places_in_the_hierarchy(narrow: str, broad: str) -> None:
    assert broad in row_of(narrow).broader
    assert narrow not in row_of(broad).broader


def test_one_source_of_cells_is_not_another() -> None:
    assert "amniotic mesenchymal stem cell" not in row_of("umbilical cord mesenchymal stem cell").broader
    assert "pulmonary hypertension" not in {
        name for row in ROWS if row.preferred == "hypertension" for name in row.broader
    }
    assert "hypertension" not in row_of("pulmonary hypertension").broader


# --- facts


def test_ambiguous_abbreviations_keep_their_meanings() -> None:
    meanings = {
        "MS": {"multiple sclerosis", "mitral stenosis"},
        "PE": {"pulmonary embolism", "preeclampsia"},
        "CTX": {"cyclophosphamide", "cefotaxime"},
        "AD": {"Alzheimer disease", "atopic dermatitis"},
        "PD": {"Parkinson disease", "peritoneal dialysis"},
        "TBI": {"traumatic brain injury", "total body irradiation"},
    }
    for abbreviation, expected in meanings.items():
        assert {preferred for _, preferred in concepts_of(abbreviation)} == expected


def test_lupus_nephritis_and_systemic_sclerosis() -> None:
    assert row_of("lupus nephritis").abbreviations == ["LN"]
    assert "lupus glomerulonephritis" in row_of("lupus nephritis").names
    assert "SSc" in row_of("systemic sclerosis").abbreviations
    assert {"scleroderma", "systemic scleroderma"} <= set(row_of("systemic sclerosis").names)


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
eczema = atopic dermatitis
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
def test_names_of_one_thing_meet(first: str, second: str) -> None:
    assert concepts_of(first) & concepts_of(second)


@pytest.mark.parametrize(("first", "second"), pairs(APART, " / "))
def test_look_alikes_stay_apart(first: str, second: str) -> None:
    one, other = concepts_of(first), concepts_of(second)
    assert one and other, "an unknown name would stay apart from everything"
    assert not one & other


def test_brands_of_different_drugs_stay_apart() -> None:
    brands = [
        "Celebrex",
        "Zyprexa",
        "Lipitor",
        "Diovan",
        "Plaquenil",
        "Humira",
        "Enbrel",
        "Remicade",
        "Viagra",
    ]
    for first, second in combinations(brands, 2):
        assert concepts_of(first) and concepts_of(second)
        assert not concepts_of(first) & concepts_of(second), (first, second)
