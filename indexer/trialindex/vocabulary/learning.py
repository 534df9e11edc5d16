"""What one trial teaches about names: the abbreviations that it defines, and the names it gives one thing.

Pure; knows no disk. What many trials teach together is worked out by `trialindex.vocabulary.learned`.

>>> trial = {"protocolSection": {
...     "identificationModule": {"briefTitle": "Pembrolizumab (MK-3475) in colorectal carcinoma (CRC)"},
...     "armsInterventionsModule": {"interventions": [{"name": "Pembrolizumab 2 mg/kg",
...         "otherNames": ["KEYTRUDA®"]}]}}}
>>> definitions(trial)
[('CRC', 'colorectal carcinoma')]
>>> other_names(trial)
[('keytruda', 'pembrolizumab'), ('pembrolizumab', 'MK-3475')]

A bracket that abbreviates nothing defines nothing, and a placebo has no other names:

>>> definitions({"protocolSection": {"descriptionModule": {"briefSummary": "nausea on treatment (CTCAE)"}}})
[]
>>> other_names({"protocolSection": {"armsInterventionsModule": {"interventions": [
...     {"name": "Placebo", "otherNames": ["Sugar pill"]}]}}})
[]

Abbreviations are found as by Schwartz and Hearst (A simple algorithm for identifying abbreviation definitions
in biomedical text, PSB 2003), with one change: among the stretches of words that a short form fits, they
take the shortest, which makes CRC a "carcinoma"; here a stretch counts by how many of its words begin with a
letter of the short form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from trialindex.study_fields import Paths, by_piece

__all__ = [
    "PIECES", "code_parts", "definitions", "loose", "other_names", "taught_names", "taught_short_forms",
]  # fmt: skip

# Where definitions are looked for, by the registry's pieces.
_TEXTS = (
    "BriefTitle OfficialTitle Acronym Condition Keyword InterventionName InterventionOtherName"
    " InterventionDescription ArmGroupLabel ArmGroupDescription BriefSummary DetailedDescription"
    " PrimaryOutcomeMeasure PrimaryOutcomeDescription SecondaryOutcomeMeasure SecondaryOutcomeDescription"
    " OtherOutcomeMeasure OtherOutcomeDescription EligibilityCriteria"
).split()
_TITLES = ("BriefTitle", "OfficialTitle")
# All that is read of a study.
PIECES = (*_TEXTS, "Intervention")
# What stands in a study, by piece.
_Held = Mapping[str, Sequence[Any]]

# Bounds of what is read of one trial: a hundred times what the longest real records have.
_MOST_TEXT = 1_000_000  # characters
_MOST_FOUND = 500  # definitions; names of one intervention, and pairs of a trial

# Between two values: no definition reaches over it.
_BETWEEN = "\x1e"

# -- Abbreviations ------------------------------------------------------------------------------------------

_SHORTEST, _LONGEST = 2, 10  # characters of a short form
_LONGEST_LONG = 120  # characters of a long form
_BRACKET = re.compile(rf"\(([^(){_BETWEEN}]{{2,160}})\)")
_SHORT = r"[^\W_](?:[\w/&+\-‐‑–]{0,11}[\w+])"
_SHORT_ONLY = re.compile(_SHORT)
_QUOTES = "\"'“”‘’"
# The short form at the beginning of a bracket: (SLE), (or SLE), ("SLE"; see below).
_OPENING = re.compile(
    rf"\s*(?:or |the |i\.e\.,? |abbreviated |hereafter )?[{_QUOTES}]?({_SHORT})[{_QUOTES}]?\s*(?![^,;:=])"
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# What no long form reaches over; inside a bracket, commas neither. The set of first characters comes first:
# so a search leaps from one of them to the next.
_MARK = rf";:=!?()\[\]•{_BETWEEN}"
_BREAKING = rf"(?:(?<=[{_MARK}])|(?<=\.)\s|(?<=\n)\s*[\n*•\-]|(?<=\s[-–—])\s)"
_BREAK = re.compile(rf"[{_MARK}.\n\-–—]{_BREAKING}")
_BREAK_INSIDE = re.compile(rf",|[{_MARK}.\n\-–—]{_BREAKING}")
_LEAD = re.compile(
    rf"\s*(?:(?:also )?(?:known|referred to|abbreviated) as |i\.e\.,? |or |the |an? |=\s*)?[{_QUOTES}]*"
)
# What may stand between a long form and its bracket.
_CLOSING = f" \n\r\t{_QUOTES}®™*"
# Words that a short form may pass over, at a small cost; and what it costs it to pass over another.
_PASSED = frozenset(
    "of and the in for to with by on a an or at from de la du der des und et as vs versus".split()
)
_PASSED_COST, _MISSED_COST, _TRAILING_COST = 0.1, 1.25, 0.5
_GREEK = str.maketrans("αβγδεζηθκλμπρστφχψωΑΒΓΔΩ", "abgdezhtklmprstfcpoabgdo")

_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})[A-Ca-c]?")
# No abbreviations of things: units, months, days, and words that open a bracket with a capital.
_NEVER = frozenset(
    """mL ML dL IU IUs Gy cGy mGy Hz kHz MHz GHz kDa Da mmHg cmH2O mCi uCi MBq GBq kBq kV mV mA mAs nM mM uM
    pM kJ MJ kW mW kPa Pa mEq mOsm Mo Wk Hr Hrs Yr Yrs Min Sec Kg KG Mg MG Cm MM CM
    Jan Feb Mar Apr May Jun Jul Aug Sep Sept Oct Nov Dec June July Mon Tue Wed Thu Fri Sat Sun
    The An In On At By To Of Or If No Yes All Any Not And For But Are Was Has One Two Ten Day Age See Per
    Use Non New Old Men Arm Fig Tab Ref Dr Mr Ms Mrs Pre Vs""".split()
)


def loose(name: str) -> str:
    """Return what small differences of writing leave the same: case, hyphens, the last word's plural.

    A stand-in for `normal_words` where millions of names are compared: it takes a fiftieth of the time.

    >>> loose("Mesenchymal Stem-Cells") == loose("mesenchymal stem cell")
    True
    >>> loose("sclerosis"), loose("stress")
    ('sclerosis', 'stress')
    """
    low = name.lower().replace("-", " ")
    return low[:-1] if low[-1:] == "s" and low[-2:-1] not in {"s", "i", "u"} else low


@cache
def _paths() -> Paths:
    pieces = by_piece()
    return Paths([pieces[piece].path for piece in PIECES])


def _held(study: Mapping[str, Any]) -> _Held:
    return dict(zip(PIECES, _paths().values(dict(study)), strict=True))


def definitions(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the abbreviations that a study's texts define: (short form, long form), as written, each once.

    Long forms that are `loose`ly the same are one. Short forms have 2 to 10 characters and a capital; plurals
    lose their s (MSCs is MSC); numbers, units, months and Roman numerals are none.

    >>> def text(summary): return {"protocolSection": {"descriptionModule": {"briefSummary": summary}}}
    >>> definitions(text("Low-density lipoproteins (LDLs) and QoL (quality of life) in COPD (phase II)"))
    [('LDL', 'Low-density lipoproteins'), ('QoL', 'quality of life')]
    """
    return taught_short_forms(_held(study))


def taught_short_forms(held: _Held) -> list[tuple[str, str]]:
    """Return `definitions` of a study, of which the values of `PIECES` are `held`; absent ones are empty."""
    texts = dict.fromkeys(
        [
            value
            for piece in _TEXTS
            for value in held.get(piece, ())
            if isinstance(value, str) and "(" in value
        ]
    )
    found: dict[tuple[str, str], tuple[str, str]] = {}
    named = _named_short(held.get("Intervention", ()))
    for pairs in (_defined(_BETWEEN.join(texts)[:_MOST_TEXT]), named):
        for short, long in pairs:
            found.setdefault((short, loose(long)), (short, long))
            if len(found) == _MOST_FOUND:
                return list(found.values())
    return list(found.values())


def _defined(text: str) -> Iterator[tuple[str, str]]:
    """Yield what the brackets of a text define."""
    for bracket in _BRACKET.finditer(text):
        inside, start = bracket[1], bracket.start()
        opening = _OPENING.match(inside)
        # Without a capital there is no short form.
        if opening and not opening[1].islower():
            short, letters = _short_form(opening[1])
            if letters and (long := _long_before(text, start, short, letters)):
                yield short, long
                continue
        if len(inside) <= _SHORTEST + 2:
            continue
        beside = text[max(0, start - _LONGEST - 3) : start].split()
        if beside and not beside[-1].islower():
            short, letters = _short_form(beside[-1].strip(_QUOTES))
            if letters and (long := _long_inside(inside, short, letters)):
                yield short, long


def _named_short(interventions: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield other names of interventions that abbreviate their names."""
    for intervention in interventions:
        name = intervention.get("name") if isinstance(intervention, dict) else None
        if isinstance(name, str) and "(" not in name:
            for other in _others(intervention):
                for written, long in ((other, name), (name, other)):
                    if len(written) <= _LONGEST + 1 and len(long) <= _LONGEST_LONG:
                        short, letters = _short_form(written)
                        if letters and _long_inside(long, short, letters) == " ".join(long.split()):
                            yield short, " ".join(long.split())


@lru_cache(maxsize=20_000)
def _short_form(written: str) -> tuple[str, str]:
    """Return a short form without its plural s, and its letters and digits, small; ("", "") for what is none.

    >>> _short_form("MSCs"), _short_form("IFN-α"), _short_form("Aspirin"), _short_form("IV")
    (('MSC', 'msc'), ('IFN-α', 'ifna'), ('', ''), ('', ''))
    """
    short = written
    if len(short) > _SHORTEST and short[-1] == "s" and short[-2].isupper():
        short = short[:-1]
    if not _SHORT_ONLY.fullmatch(short):
        return "", ""
    capitals = sum(map(str.isupper, short))
    # One capital alone makes a word of its own ("Aspirin"), unless it is as short as "Hb" or has a digit.
    sure = capitals > 1 or (capitals == 1 and (len(short) <= 3 or any(map(str.isdigit, short))))
    barred = short in _NEVER or written in _NEVER or _ROMAN.fullmatch(short)
    if not sure or barred or not _SHORTEST <= len(short) <= _LONGEST:
        return "", ""
    letters = "".join(filter(str.isalnum, short.lower().translate(_GREEK)))
    named = sum(map(str.isalpha, letters))
    return (short, letters) if len(letters) >= _SHORTEST and 2 * named >= len(letters) else ("", "")


def _most_words(letters: str) -> int:
    """Return how many words a long form may have (Schwartz and Hearst 2003, section 3)."""
    return min(len(letters) + 5, 2 * len(letters))


def _small(text: str) -> str:
    """Return a text of the same length in small letters, Greek ones as those that their names begin with."""
    if text.isascii():
        return text.lower()
    low = text.lower()  # a dotted capital I becomes two characters
    return (low if len(low) == len(text) else text).translate(_GREEK)


def _long_before(text: str, end: int, short: str, letters: str) -> str:
    """Return the long form that ends at a place in a text; "" where the words before it are none."""
    most = _most_words(letters)
    start = max(0, end - 14 * most - 10)
    stretch = text[start:end]
    cut = 0
    for found in _BREAK.finditer(stretch):
        cut = found.end()
    spans = [word.span() for word in _WORD.finditer(stretch, cut)]
    # A word that the beginning of the stretch may have cut.
    if start and spans and spans[0][0] == 0:
        del spans[0]
    if not spans or stretch[spans[-1][1] :].strip(_CLOSING):
        return ""
    del spans[:-most]
    small = _small(stretch)
    words = [small[low:high] for low, high in spans]
    first = _first_word(words, letters)
    if first < 0 or letters in words[first:]:
        return ""
    return _long_form(stretch[spans[first][0] : spans[-1][1]], short)


def _long_inside(inside: str, short: str, letters: str) -> str:
    """Return the long form that a bracket begins with; "" where its words are none."""
    lead = _LEAD.match(inside)
    start = lead.end() if lead else 0
    tail = _BREAK_INSIDE.search(inside, start)
    spans = [word.span() for word in _WORD.finditer(inside, start, tail.start() if tail else len(inside))]
    if not 0 < len(spans) <= _most_words(letters):
        return ""
    small = _small(inside)
    words = [small[low:high] for low, high in spans]
    if letters in words or _first_word(words, letters, only_all=True) < 0:
        return ""
    return _long_form(inside[spans[0][0] : spans[-1][1]], short)


def _long_form(written: str, short: str) -> str:
    """Return a long form in one line; "" where it is too long, or no longer than what it stands for."""
    long = " ".join(written.replace("\\", "").split())
    return long if len(short) < len(long) <= _LONGEST_LONG else ""


def _first_word(words: list[str], letters: str, only_all: bool = False) -> int:
    """Return where the long form begins that ends with the last of these words; -1 where there is none.

    `only_all`: nothing but all the words will do. By initials where those fit, all words counted or the
    small ones left out; otherwise the stretch whose words, by `_score`, best fit the letters, the shortest of
    those.
    """
    every = "".join([word[0] for word in words])
    if every == letters or (not only_all and every.endswith(letters)):
        return len(words) - len(letters)
    content = [place for place, word in enumerate(words) if word not in _PASSED]
    initials = "".join([every[place] for place in content])
    if initials == letters if only_all else initials.endswith(letters):
        first = content[-len(letters)]
        return first if first == 0 or not only_all else -1
    if not _in_order(letters, " ".join(words)):
        return -1
    known: dict[tuple[int, int], float] = {}
    best, first = (1 if len(letters) <= 4 else 2) - 0.01, -1
    for place in range(1 if only_all else len(words)):
        if every[place] == letters[0]:
            score = _score(words, letters, place, 0, known)
            # Half of the letters begin words, unless all are of a single word.
            if score >= best and (place == len(words) - 1 or 2 * score >= len(letters)):
                best, first = score, place
    return first


def _in_order(letters: str, text: str) -> bool:
    """Whether letters occur in a text in their order."""
    place = -1
    for letter in letters:
        place = text.find(letter, place + 1)
        if place < 0:
            return False
    return True


_NO_FIT = float("-inf")


def _score(
    words: list[str], letters: str, word: int, letter: int, known: dict[tuple[int, int], float]
) -> float:
    """Return how well the letters from one on fit the words from one on that begins with it.

    Each letter begins a word, or stands further on in a word that the letters before it began. The score is
    the number of words begun, less the costs of those passed over; the last word may be passed over after a
    digit only ("volume in 1 second"). `known`: (word, letter) -> score, of what was worked out before.
    """
    if (word, letter) in known:
        return known[word, letter]
    state = word, letter
    best, place, text = _NO_FIT, 1, words[word]
    letter += 1
    while True:
        if letter == len(letters):
            rest = len(words) - 1 - word
            if rest == 0:
                best = max(best, 0)
            elif rest == 1 and letters[-1].isdigit():
                best = max(best, -_TRAILING_COST)
            break
        cost = 0.0
        for later in range(word + 1, len(words)):
            if words[later][0] == letters[letter]:
                best = max(best, _score(words, letters, later, letter, known) - cost)
            cost += _PASSED_COST if words[later] in _PASSED else _MISSED_COST
            if cost >= 2 * _MISSED_COST:
                break
        place = text.find(letters[letter], place) + 1
        if place == 0:
            break
        letter += 1
    known[state] = best + 1
    return best + 1


# -- Other names --------------------------------------------------------------------------------------------

_LONGEST_NAME = 60  # characters
_MOST_READ = 500  # characters of a name with all that stands beside it
_MOST_WORDS = 6
_MARKS = re.compile(r"[®™©*\\]|\((?:R|TM|r|tm|C)\)|(?<=[a-z])TM\b")
_KIND = re.compile(
    r"(?:drug|biological|device|procedure|behaviou?ral|other|dietary supplement|radiation|genetic"
    r"|diagnostic test|combination product)\s*:\s*",
    re.IGNORECASE,
)
_DOSE = re.compile(
    r"(?<![\w\-])[<>≥≤~]?\d+(?:[.,]\d+)*\s?-?\s?(?:mg|mcg|[uµμ]g|ng|g|kg|ml|mls?|l|iu|i\.u\.|units?|mmol|meq|mci"
    r"|mbq|gy|cgy|ppm|%|percent)(?:\s?(?:/|per)\s?(?:\d+\s?)?(?:kg|m2|m\^2|m²|day|d|ml|l|dose|h|hr|hour|min"
    r"|week|tablet|g|actuation))*(?![\w])",
    re.IGNORECASE,
)
# Forms and ways of giving, which are no part of a name at its end; the last few, at its beginning.
_FORMS = frozenset(
    """tablet tablets tab tabs capsule capsules cap caps injection injections infusion cream gel ointment
    solution suspension pill pills patch patches spray drops syrup lozenge powder oral intravenous iv im sc po
    subcutaneous topical intramuscular injectable daily bid tid qd once twice film-coated coated for
    administration hcl""".split()
)
_WAYS = frozenset("oral intravenous iv subcutaneous topical intramuscular injectable generic".split())
_MUDDLED = re.compile(
    r"[+;,&:=|?<>#\"\[\]{}]|\.\s|\s/|/\s|\b(?:and|or|with|plus|versus|vs|followed|combined|combination|combo|then"
    r"|without|either|alone|is|are|was|will|be|to|who|that|which|than|not|see|including|e\.g|i\.e|etc)\b",
    re.IGNORECASE,
)
# Names of no one thing, whole.
_CLASSES = frozenset(
    """drug drugs surgery chemotherapy radiotherapy radiation vaccine vaccines vaccination antibiotic
    antibiotics steroid steroids corticosteroid corticosteroids insulin statin statins antidepressant nsaid
    nsaids ssri ssris antipsychotic antiviral antiretroviral diuretic opioid opioids exercise intervention
    interventions observation education counseling counselling psychotherapy rehabilitation training
    questionnaire questionnaires survey interview biopsy imaging ultrasound mri medication medications
    therapy immunotherapy procedure device supplement diet nutrition vitamin vitamins mineral minerals
    anesthesia anaesthesia anesthetic analgesia analgesic antioxidant probiotic probiotics herb herbal chinese
    human rabbit
    recombinant autologous allogeneic monotherapy no none other others unknown na n/a test active experimental
    comparator control study trial standard usual formulation contraceptive contraceptives hormone hormones
    antibody antibodies inhibitor inhibitors agonist antagonist blocker peptide protein gene cells transplant
    transplantation water sugar glucose dextrose saline lactose starch oxygen air ethanol alcohol tobacco
    caffeine adult adults children pediatric paediatric infant women men high low medium new old conventional
    immediate delayed early late intensive screening assessment laboratory pharmacokinetics pharmacogenomics
    eeg ecg ct pet x-ray blood serum plasma urine sample samples liposomal liposome topical intranasal inhaled
    nasal female male alpha beta gamma biosimilar biosimilars activated pegylated micronized lyophilized
    liquid purified inactivated attenuated conjugate subunit trivalent quadrivalent monovalent
    extended-release sustained-release immediate-release combination comparison placebo-controlled open-label
    pharmacodynamics safety efficacy sandoz novartis pfizer bayer merck roche teva mylan sanofi lilly amgen
    abbott abbvie astrazeneca genentech glaxosmithkline gsk takeda adjuvant neoadjuvant bovine porcine murine
    equine psychology psychological""".split()
) | frozenset(
    (
        "radiation therapy", "biological therapy", "physical therapy", "physiotherapy program",
        "immunosuppressive therapy", "hormone therapy", "hormonal therapy", "gene therapy", "stem cells",
        "normal saline", "sodium chloride", "distilled water", "monoclonal antibody", "dietary supplement",
        "conventional surgery", "therapeutic conventional surgery", "antiretroviral therapy", "brand name",
        "oral contraceptives", "herbal medicine", "health education", "laboratory biomarker analysis",
        "questionnaire administration", "blood sampling", "blood draw", "anti-cancer drug",
    )
)  # fmt: skip
# Words of names that stand for an arm, a dose or a comparison, not for a thing.
_NO_THING = re.compile(
    r"\b(?:placebos?|sham|dummy|vehicle|controls?|comparators?|arms?|groups?|cohorts?|levels?|parts?|periods?"
    r"|regimens?|schedules?|standard|usual|routine|care|doses?|dosage|dosing|days?|weeks?|months?|years?"
    r"|hours?|minutes?|times?|treatments?|treated|patients?|participants?|subjects?|study|trial|active"
    r"|inactive|experimental|investigational|matching|matched|reference|formulations?|products?|brand|generic"
    r"|medical|management|program(?:me)?s?|intervention(?:al)?|assessments?|analysis|evaluation|class|agents?"
    r"|high|low|no|nothing|none|phase|stage|step|model|method|approach|strategy|other|comparison|visits?|plc|pbo|(?:un)?blinded|masked|approximately"
    r"|pharma(?:ceuticals?)?|laborator(?:y|ies)|company|corporation|inc|ltd|gmbh"
    r"|(?:inhibitor|agonist|antagonist|blocker|diuretic|analog(?:ue)?|drug|medication|questionnaire|test|injection)s?\Z)\b",
    re.IGNORECASE,
)
# Research codes: a maker's letters, a number. Three digits at least (an IL-17 has fewer).
_CODE = re.compile(
    r"(?<![\w./\-])([A-Z]{2,5}|Org|Ro)([- ]?)(\d{2}-\d{4}|\d{2,3},\d{3}|\d{3,8})([A-Z]?)(?![\w/]|[.,]\d)"
)
_DIGITS = re.compile(r"\d{3}")
# Letters before a number that name no drug: registries, trial groups, antigens, measures.
_NO_MAKERS = frozenset(
    """NCT CD CA ICD SARS COVID COV ISRCTN CTRI DRKS JPRN ACTRN CHICTR EUDRA SWOG RTOG CALGB ECOG EORTC NSABP
    GOG NRG ACTG PACTG IMPAACT HPTN HVTN MTN ANRS ACOSOG NCCTG COG POG CCG CCSG HOVON GBG IBCSG UKALL NCIC
    PBTC DAY WEEK PHASE STUDY TRIAL PART ARM AGE YEAR GROUP DOSE AND THE FOR IN OF TO AT ISO FDA IRB GCP HIV
    HPV HCV HBV CMV EBV HLA CYP TNF IFN IGF TGF IL PD IND SPF BMI MIN MAX USA GMT FEV EQ SF FY ID NO NR
    VOL HZ KHZ GY MG ML KG MM CM IV SC IM PO""".split()
)
_YEAR = re.compile(r"(?:19[89]|20[0-3])\d\Z")
_LONGEST_TITLE = 2000  # characters
# What stands between a name and its code; a slash or a hyphen stands between two drugs given together.
_BESIDE = " (),®™"
# Kinds of interventions that a research code may stand for.
_DRUGS = frozenset(("DRUG", "BIOLOGICAL", "GENETIC", "COMBINATION_PRODUCT", "DIETARY_SUPPLEMENT", ""))


def code_parts(name: str) -> tuple[str, str] | None:
    """Return the letters and the number of a research code; None for other names.

    >>> code_parts("MK-3475"), code_parts("LY2439821"), code_parts("AMG 145"), code_parts("BAY 59-7939")
    (('MK', '3475'), ('LY', '2439821'), ('AMG', '145'), ('BAY', '59-7939'))
    >>> code_parts("IL-17"), code_parts("CD-123"), code_parts("aspirin"), code_parts("MK-3475 high")
    (None, None, None, None)
    """
    found = _CODE.fullmatch(name)
    return (found[1], found[3].replace(",", "") + found[4]) if found and found[1] not in _NO_MAKERS else None


def _code(letters: str, joint: str, number: str, suffix: str) -> str:
    return f"{letters}{'-' if joint else ''}{number.replace(',', '')}{suffix}"


def _codes(text: str) -> list[str]:
    """Return the research codes in a text, with a hyphen for a space, each once."""
    # A code has three digits in a row, most titles have not.
    found = _CODE.findall(text) if _DIGITS.search(text) else []
    return list(dict.fromkeys(_code(*parts) for parts in found if parts[0] not in _NO_MAKERS))


def _others(intervention: Mapping[str, Any]) -> list[str]:
    others = intervention.get("otherNames")
    return (
        [other for other in others if isinstance(other, str)][:_MOST_FOUND]
        if isinstance(others, list)
        else []
    )


def other_names(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names that a study gives one intervention: pairs, each once.

    Names are without dose, form and brand mark, and in small letters, research codes as codes; of a pair, the
    code comes second, otherwise the names stand in order of their letters. So two studies that give the same
    names give the same pair. Left out: what names no one thing (placebo, arms, classes), names that list
    several things, sentences, names that are interventions of their own, and abbreviations (`definitions`).

    >>> def trial(*names): return {"protocolSection": {"armsInterventionsModule": {"interventions": [
    ...     {"name": name, "otherNames": others} for name, *others in names]}}}
    >>> other_names(trial(["Sildenafil 100 mg tablets", "VIAGRA", "UK 92,480", "Revatio®"]))
    [('sildenafil', 'viagra'), ('sildenafil', 'UK-92480'), ('revatio', 'sildenafil')]
    >>> other_names(trial(["Sildenafil and exercise", "Viagra"], ["Chemotherapy", "Taxol"]))
    []
    """
    return taught_names(_held(study))


def taught_names(held: _Held) -> list[tuple[str, str]]:
    """Return `other_names` of a study, of which the values of `PIECES` are `held`; absent ones are empty."""
    interventions = [
        one
        for one in held.get("Intervention", ())[:_MOST_FOUND]
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
    if not interventions:
        return []
    named = [(_name_in(one["name"][:_MOST_READ]), one) for one in interventions]
    own = {loose(name) for name, _ in named if name}
    muddled = _is_muddled(named)
    found: dict[tuple[str, str], None] = {}
    for name, intervention in named:
        if name:
            for other in _names_of(intervention, with_others=not muddled):
                if loose(other) not in own:
                    found[_pair(name, other)] = None
    own_names = [loose(str(acronym)) for acronym in held.get("Acronym", ())]
    titles = [title for piece in _TITLES for title in held.get(piece, ()) if isinstance(title, str)]
    for pair in _title_codes([title[:_LONGEST_TITLE] for title in titles], own_names, named):
        found[pair] = None
    return list(found)[:_MOST_FOUND]


def _pair(name: str, other: str) -> tuple[str, str]:
    first = (code_parts(name) is not None, name)
    second = (code_parts(other) is not None, other)
    return (name, other) if first < second else (other, name)


def _is_muddled(named: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Whether the other names may belong to any of several interventions: flat sources leave all with the
    last.

    >>> pembrolizumab, radiation = {"name": "Pembrolizumab"}, {"name": "Surgery", "otherNames": ["Keytruda"]}
    >>> _is_muddled([("pembrolizumab", pembrolizumab), ("", radiation)]), _is_muddled([("", radiation)])
    (True, False)
    """
    if not any(_others(one) for _, one in named):  # as in most
        return False
    others = [bool(_others(one)) for name, one in named if name or not _NO_THING.search(one["name"])]
    return len(others) > 1 and others[-1] and sum(others) == 1


def _names_of(intervention: Mapping[str, Any], with_others: bool) -> Iterator[str]:
    """Yield the names of an intervention besides its own: other names, and what its name has in brackets."""
    name = intervention["name"][:_MOST_READ]
    others = _others(intervention) if with_others else []
    # Several other names of a name with a slash may be those of its parts.
    if "/" in name and len(others) > 1:
        others = []
    for other in others:
        other = other[:_MOST_READ]
        if found := _name_in(other):
            yield found
        for bracket in _BRACKET.findall(other) if "(" in other else ():
            yield from filter(None, map(_bracketed, bracket.split(",")))
    for bracket in _BRACKET.findall(_MARKS.sub("", name)) if "(" in name else ():
        yield from filter(None, map(_bracketed, re.split("[,;]", bracket)))


def _bracketed(part: str) -> str:
    """Return the name that a bracket in a name gives; "" for a remark, as most of more than two words are."""
    name = _name_in(part.strip())
    return name if len(name.split()) <= 2 and (code_parts(name) or len(name) >= 5) else ""


@lru_cache(maxsize=20_000)
def _name_in(written: str) -> str:
    """Return the name of one thing that is written so, of `_MOST_READ` characters at the most; "" where there
    is none.
    """
    return _name(_plain(written))


def _plain(name: str) -> str:
    """Return a name without brackets, brand marks, doses and forms."""
    text = _MARKS.sub(" ", name)
    text = _BRACKET.sub(" ", text)
    text = _KIND.sub("", text, count=1) if ":" in text else text
    text = _DOSE.sub(" ", text)
    words = text.strip(" .\n\t").split()
    while len(words) > 1 and words[-1].lower().strip(".") in _FORMS:
        words.pop()
    while len(words) > 1 and words[0].lower() in _WAYS:
        del words[0]
    return " ".join(words).strip(" .-/")


def _name(text: str) -> str:
    """Return a plain name as names are compared between trials; "" where it is no name of one thing."""
    codes = _CODE.fullmatch(text)
    if codes:
        return _code(*codes.groups()) if codes[1] not in _NO_MAKERS else ""
    if not 3 < len(text) <= _LONGEST_NAME or "(" in text or ")" in text:
        return ""
    low = text.lower()
    barred = low in _CLASSES or loose(text) in _CLASSES or _NO_THING.search(text) or _MUDDLED.search(text)
    if barred or text.count(" ") >= _MOST_WORDS or sum(map(str.isalpha, low)) < 4:
        return ""
    # An abbreviation means several things; in small letters, it cannot be told from a word.
    return "" if len(text) <= 5 and _short_form(text)[0] and text.upper() == text else low


def _title_codes(
    titles: Sequence[str], acronyms: Sequence[str], named: Sequence[tuple[str, Mapping[str, Any]]]
) -> Iterator[tuple[str, str]]:
    """Yield drugs with the research codes that titles give them: beside the name, or instead of it where the
    trial has one drug and its titles one code that is none of its `loose` acronyms.
    """
    codes = list(dict.fromkeys(written for title in titles for written in _codes(title)))
    if not codes:
        return
    drugs = dict.fromkeys(name for name, one in named if name and str(one.get("type") or "") in _DRUGS)
    for name in drugs:
        if code_parts(name):
            continue
        for title in titles:
            yield from ((name, code) for code in _codes(title) if _is_beside(title, name, code))
        alone = len(drugs) == len(codes) == 1 and not any(name in title.lower() for title in titles)
        # The year of a study, or its own short name, is written like a code.
        if alone and not _YEAR.search(codes[0]) and not any(loose(codes[0]) in own for own in acronyms):
            yield name, codes[0]


def _is_beside(title: str, name: str, code: str) -> bool:
    """Whether a title has a name and a code with a bracket, or little more, between them.

    >>> _is_beside("Pembrolizumab (MK-3475) in melanoma", "pembrolizumab", "MK-3475")
    True
    >>> _is_beside("MK-3475 against ipilimumab", "ipilimumab", "MK-3475")
    False
    """
    low = title.lower()
    for found in _CODE.finditer(title):
        if _code(*found.groups()) == code:
            before, after = low[: found.start()].rstrip(_BESIDE), low[found.end() :].lstrip(_BESIDE)
            if before.endswith(name) or after.startswith(name):
                return True
    return False
