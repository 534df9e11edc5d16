"""British and American spellings, and plurals that no stemmer knows, as tables.

Both sides meet in one form; which of the two does not matter, only that index and query agree.

>>> american("haemorrhage"), american("oedema"), american("randomised"), american("labelled")
('hemorrhage', 'edema', 'randomized', 'labeled')
>>> american("exercise"), american("promised"), american("leucovorin")
('exercise', 'promised', 'leucovorin')
>>> singular("metastases"), singular("diseases"), singular("vertebrae")
('metastasis', 'diseases', 'vertebra')
"""

from __future__ import annotations

import re

__all__ = ["american", "singular"]

# (British, American), applied anywhere in a word.
_INSIDE = (
    ("haem", "hem"), ("aemi", "emi"), ("oede", "ede"), ("oesoph", "esoph"), ("oestr", "estr"), ("paed",
    "ped"), ("gynaec", "gynec"), ("anaes", "anes"), ("caec", "cec"), ("coelia", "celia"), ("rrhoe", "rrhe"),
    ("foet", "fet"), ("faec", "fec"), ("leucocyt", "leukocyt"), ("leucopen", "leukopen"), ("sulph", "sulf"),
    ("tumour", "tumor"), ("colour", "color"), ("behaviour", "behavior"), ("favour", "favor"), ("labour",
    "labor"), ("odour", "odor"), ("vapour", "vapor"), ("humour", "humor"), ("programme", "program"),
    ("aluminium", "aluminum"), ("caesar", "cesar"), ("aetiolog", "etiolog"), ("enrolment", "enrollment"),
    ("defence", "defense"), ("licence", "license"), ("mould", "mold"), ("ageing", "aging"), ("orthopaed",
    "orthoped"), ("uraemi", "uremi"), ("dyspnoe", "dyspne"), ("apnoe", "apne"), ("palaeo", "paleo"),
    ("archae", "arche"), ("naev", "nev"), ("opaeni", "openi"), ("leucod", "leukod"), ("leucoe", "leukoe"),
    ("leucop", "leukop"), ("leucos", "leukos"), ("leucot", "leukot"), ("phaeo", "pheo"), ("amoeb", "ameb"),
    ("homoeo", "homeo"), ("manoeuv", "maneuv"), ("caesium", "cesium"), ("chimaer", "chimer"), ("spirochaet",
    "spirochet"), ("flavour", "flavor"), ("neighbour", "neighbor"), ("honour", "honor"), ("rigour", "rigor"),
    ("vigour", "vigor"), ("harbour", "harbor"), ("endeavour", "endeavor"), ("tranquilli", "tranquili"),
    ("skilful", "skillful"), ("judgement", "judgment"), ("sceptic", "skeptic"), ("practis", "practic"),
)  # fmt: skip
_INSIDE_TABLE = dict(_INSIDE)
# One branch a first letter: most places of a word are passed over at their letter.
_INSIDE_PATTERN = re.compile(
    "|".join(
        f"{letter}(?:{'|'.join(old[1:] for old, _ in _INSIDE if old[0] == letter)})"
        for letter in sorted({old[0] for old, _ in _INSIDE})
    )
)
# How a word may be spelt anew at its end: what it must end in, by which few words are tried; the pattern,
# compiled when a word first needs it; and what takes its place.
_RE_ENDING = r"(cent|fib|lit|met|tit|goit|calib|spect|theat|maneuv)re(s?)$"
_DOUBLED = r"(lab|mod|couns|trav|canc|chann|tunn|sign)ell(ed|ing|ings|er|ers|or|ors)$"
_LYSE = r"(ana|para|dia|hydro|cata)lys(e|ed|er|ers|ing)$"
_ISE = (
    r"(\w{2,}(?:al|an|ar|at|er|et|ib|ic|id|il|im|om|on|or|un|ur|yt"
    r"|en|ot|ag|as|es|gn|in|it|ll|og|ol|rd|th|ul|ym)|\bion)is(e|ed|es|er|ers|ing|ation|ations)$"
)
_ISE_ENDS = ("ise", "ised", "ises", "iser", "isers", "ising", "isation", "isations")
_NEVER_IZE = (
    r"^(com)?promis|^premis|^surmis|^anis|^paradis|^merchandis|^improvis|^televis|^supervis|^memoris$"
)
_ENDS = (
    (("re", "res"), _RE_ENDING, r"\1er\2"),
    (("elled", "elling", "ellings", "eller", "ellers", "ellor", "ellors"), _DOUBLED, r"\1el\2"),
    (("lyse", "lysed", "lyser", "lysers", "lysing"), _LYSE, r"\1lyz\2"),
)
_ANY_END = (*(end for ends, _, _ in _ENDS for end in ends), *_ISE_ENDS)

_SINGULAR = {
    plural: single
    for single, plurals in {
        "metastasis": "metastases", "stenosis": "stenoses", "thrombosis": "thromboses", "diagnosis":
        "diagnoses", "prognosis": "prognoses", "prosthesis": "prostheses", "anastomosis": "anastomoses",
        "analysis": "analyses", "psychosis": "psychoses", "neurosis": "neuroses", "sclerosis": "scleroses",
        "fibrosis": "fibroses", "necrosis": "necroses", "cirrhosis": "cirrhoses", "synthesis": "syntheses",
        "hypothesis": "hypotheses", "basis": "bases", "crisis": "crises", "exacerbation": "exacerbations",
        "carcinoma": "carcinomata", "sarcoma": "sarcomata", "vertebra": "vertebrae", "criterion":
        "criteria", "bacterium": "bacteria", "child": "children", "woman": "women", "man": "men", "person":
        "people", "foot": "feet", "tooth": "teeth", "mouse": "mice", "ovum": "ova", "larva": "larvae",
        "fistula": "fistulae", "fungus": "fungi", "embolus": "emboli", "thrombus": "thrombi", "bronchus":
        "bronchi", "nucleus": "nuclei", "focus": "foci", "stimulus": "stimuli", "calculus": "calculi",
        "ganglion": "ganglia", "mitochondrion": "mitochondria", "lens": "lenses", "biopsy": "biopsies",
        "cortex": "cortices", "matrix": "matrices", "appendix": "appendices", "index": "indices", "helix":
        "helices", "cervix": "cervices", "phalanx": "phalanges", "iris": "irides", "testis": "testes",
        "pelvis": "pelves", "paralysis": "paralyses", "dialysis": "dialyses", "enterocolitis":
        "enterocolitides", "arthritis": "arthritides", "vasculitis": "vasculitides", "psoriasis":
        "psoriases", "mycosis": "mycoses", "dermatosis": "dermatoses", "phenomenon": "phenomena", "medium":
        "media", "serum": "sera", "datum": "data", "leiomyoma": "leiomyomata", "naris": "nares",
        "keratosis": "keratoses", "osteonecrosis": "osteonecroses", "tuberculosis": "tuberculoses",
        "nevus": "nevi",
    }.items()
    for plural in plurals.split()
}  # fmt: skip


def american(word: str) -> str:
    """Return the American spelling of a lower-case word; the word itself where the two agree."""
    word = _INSIDE_PATTERN.sub(lambda match: _INSIDE_TABLE[match[0]], word)
    if not word.endswith(_ANY_END):
        return word
    for ends, pattern, instead in _ENDS:
        if word.endswith(ends):
            word = re.sub(pattern, instead, word)
    if word.endswith(_ISE_ENDS) and not re.match(_NEVER_IZE, word):
        word = re.sub(_ISE, r"\1iz\2", word)
    return word


def singular(word: str) -> str:
    """Return the singular of an irregular plural; any other word as it is."""
    return _SINGULAR.get(word, word)
