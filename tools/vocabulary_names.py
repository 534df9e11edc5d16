"""Which texts are names, which are short forms, and when two names are one.

>>> uninverted("Lupus Erythematosus, Systemic"), uninverted("Lymphoma, T-Cell, Cutaneous")
('Systemic Lupus Erythematosus', 'Cutaneous T-Cell Lymphoma')
>>> uninverted("abacavir, dolutegravir, and lamivudine")
'abacavir, dolutegravir, and lamivudine'
>>> [is_short(name) for name in ("SLE", "HFrEF", "T2DM", "5-FU", "rTMS", "Ebola", "gout", "SARS-CoV-2")]
[True, True, True, True, True, False, False, False]
>>> joining_key("Cancer of the Breast") == joining_key("breast neoplasms") == joining_key("Breast carcinoma")
True
>>> joining_key("benign breast tumour") == joining_key("breast cancer")
False
"""

from __future__ import annotations

import re
from functools import cache

from trialindex.analysis import STOP_WORDS, fold, normal_words

__all__ = [
    "clean",
    "expands",
    "is_chemical",
    "is_short",
    "joining_key",
    "name_key",
    "uninverted",
]

LONGEST = 80  # characters of a name; longer ones are definitions or formulas
_SHORT = 6  # characters of a short form

# Words that name nothing by themselves: they stand in every second trial.
GENERIC = frozenset(
    """disease diseases disorder disorders syndrome syndromes patient patients human humans animal animals
    treatment treatments therapy therapies therapeutics drug drugs medication medications medicine medicines
    agent agents water condition conditions disability symptom symptoms sign signs finding findings
    device devices equipment supplies test tests control controls study studies trial trials research
    health healthy volunteers care procedure procedures operation operations method methods technique
    techniques intervention interventions other others unknown none normal abnormal abnormalities adult
    child children infant male female men women person people group groups risk time age aging-related
    role attention time-factors solution solutions tablet tablets capsule capsules cream gel injection
    injections oral topical dose doses dosage liquid powder spray air gas gases oil oils chemical chemicals
    compound compounds element elements substance substances product products protein proteins peptide
    peptides antibody antibodies antigen antigens cell cells tissue tissues blood plasma serum gene genes
    enzyme enzymes receptor receptors ligand ligands family life love work play learning association
    thinking knowledge culture set movement program programs system systems
    primary secondary acute chronic severe mild lesion lesions tumor-associated injury-related complication
    complications recurrence relapse diagnosis prognosis evaluation assessment screening monitoring
    observation follow-up placebo-effect response efficacy safety quality support education training
    programme service services activity activities task tasks behavior behaviors function functions
    process processes event events status level levels growth development exposure rest history
    food foods diet-related formula light sound heat cold pressure temperature phase stage type form forms
    base bases acid acids salt salts ion ions base metals metal polymer polymers mixture mixtures extract
    extracts combination combined complex material materials common genetic inherited familial hereditary
    congenital infectious allergic dependence strain lead half affect understanding respect goals power hope
    sex efficiency absorption mothers parents fathers randomization survival pulse pancreas rare single double
    early late local general standard free open total partial mixed isolated multiple simple""".split()
)

# What comes to one when concepts join: registries and ontologies differ in it for one and the same disease.
_NEOPLASM = frozenset(
    key for word in ("cancer", "carcinoma", "tumor", "tumour", "neoplasm") for key in normal_words(word)
)
_MALIGNANT = normal_words("malignant")[0]

_BRACKET = re.compile(
    r" \((?:disorder|disease|finding|diagnosis|morphologic abnormality|substance|product|medication"
    r"|[A-Za-z0-9-]{2,6})\)(?=$| of )"
)
# A short form that explains itself: the explanation is a name of its own.
_EXPLAINED = re.compile(r"^\S{2,6}(?: \S{2,4})? \(.*\)$")
# Words of gene catalogues and staging manuals that no trial writes.
_CATALOGUE = re.compile(r"caused by mutation|\bAJCC\b", re.IGNORECASE)
_LEADING_SHORT = re.compile(r"^[A-Za-z0-9]{2,6} - ")
_NOS = re.compile(r",? \(?(?:NOS|nos)\)?$")
_FORMULA = re.compile(r"\d,\d|\d['’]|[\[\]{}]|\)-|-\(|yl\)|\d-[a-z(][^ ]*-\d|[αβγ]")
_SPLIT = re.compile(r"[^\w]+|_")


def clean(text: str) -> str:
    """Return a name without what sources hang onto it; "" where it can be none.

    >>> clean("Familial Alzheimer disease  (FAD)"), clean("ALS - Amyotrophic lateral sclerosis")
    ('Familial Alzheimer disease', 'Amyotrophic lateral sclerosis')
    >>> clean("Abscess, NOS"), clean("a|b"), clean("17")
    ('Abscess', '', '')
    """
    name = " ".join(text.replace("’", "'").split())
    name = _LEADING_SHORT.sub("", _NOS.sub("", _BRACKET.sub("", name))).strip(" ,;")
    letters = sum(char.isalpha() for char in name)
    if letters < 2 or len(name) < 3 or len(name) > LONGEST or "|" in name:
        return ""
    if _EXPLAINED.match(name) or _CATALOGUE.search(name):
        return ""
    words = [word for word in name.lower().split() if word not in STOP_WORDS]
    return "" if not words or (len(words) == 1 and words[0] in GENERIC) else name


def is_chemical(name: str) -> bool:
    """Whether a name is a formula in words that no trial would write. Headings keep theirs: people ask by
    them.

    >>> is_chemical("1,4-pregnadiene-17,21-diol-3,11,20-trione"), is_chemical("2',3'-dideoxycytidine")
    (True, False)
    """
    return len(name) > 24 and _FORMULA.search(name) is not None


@cache
def name_key(name: str) -> tuple[str, ...]:
    """Return the analysed words by which the package knows a name; () where it has none."""
    key = normal_words(name)
    return () if all(word.isdigit() for word in key) else key


@cache
def joining_key(name: str) -> tuple[str, ...]:
    """Return what two names of one condition share: its words in any order, cancers as neoplasms."""
    key = name_key(name)
    folded = {_NEOPLASM_WORD if word in _NEOPLASM else word for word in key}
    if _NEOPLASM_WORD in folded:
        folded.discard(_MALIGNANT)
    return tuple(sorted(folded))


_NEOPLASM_WORD = normal_words("neoplasm")[0]


def is_short(name: str) -> bool:
    """Whether a name is a short form: six characters at most, mostly capitals and digits."""
    if len(name) > _SHORT or " " in name:
        return False
    letters = [char for char in name if char.isalnum()]
    capitals = sum(char.isupper() for char in letters)
    digits = sum(char.isdigit() for char in letters)
    return (capitals >= 2 and 2 * (capitals + digits) >= len(letters)) or (capitals >= 1 and digits >= 1)


def expands(short: str, name: str) -> bool:
    """Whether the letters of a short form are the first letters of a name's words.

    >>> expands("COPD", "chronic obstructive pulmonary disease"), expands("TACE", "TNF convertase")
    (True, False)
    """
    letters = "".join(char for char in fold(short) if char.isalnum())
    words = [fold(word) for word in _SPLIT.split(name) if word]
    plain = "".join(word[:1] for word in words)
    content = "".join(word[:1] for word in words if word not in STOP_WORDS)
    return letters in {plain, content}


def uninverted(name: str) -> str:
    """Return a name in the order in which one says it; a list and a numbered kind stay as they are.

    >>> uninverted("Diabetes Mellitus, Type 2"), uninverted("deafness, autosomal recessive, 12")
    ('Type 2 Diabetes Mellitus', 'deafness, autosomal recessive, 12')
    """
    parts = name.split(", ")
    if parts[-1].isdigit() or "nuclear type" in parts[-1] or not all(parts):
        return name
    last = parts[-1].split(" ")
    if len(parts) > 4 or {"and", "or", "with", "without"} & {*last, *parts[0].split(" ")}:
        return name
    return " ".join(reversed(parts))
