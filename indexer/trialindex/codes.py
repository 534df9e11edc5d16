"""The registry's codes, and every source's spelling of them, as tables.

A spelling is compared without case, spaces and punctuation, so most need no row of their own:

>>> code("Status", "Active, not recruiting"), code("Phase", "Phase 2"), code("DesignMasking", "Open Label")
('ACTIVE_NOT_RECRUITING', 'PHASE2', 'NONE')
>>> code_list("Phase", "Phase 1/Phase 2")
['PHASE1', 'PHASE2']
>>> code("Status", "Unheard of") is None
True

Source: ClinicalTrials.gov API v2 enumerations; the legacy XML's and the sites' spellings as seen in their
records.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["CODES", "boolean", "code", "code_list", "words"]

_STATUS = """NOT_YET_RECRUITING RECRUITING ENROLLING_BY_INVITATION ACTIVE_NOT_RECRUITING SUSPENDED
TERMINATED COMPLETED
    WITHDRAWN UNKNOWN AVAILABLE NO_LONGER_AVAILABLE TEMPORARILY_NOT_AVAILABLE APPROVED_FOR_MARKETING
    WITHHELD"""
_AGENCIES = "NIH FED OTHER_GOV INDIV INDUSTRY NETWORK AMBIG OTHER UNKNOWN"
_OFFICIALS = "STUDY_CHAIR STUDY_DIRECTOR PRINCIPAL_INVESTIGATOR SUB_INVESTIGATOR"
_FUNDERS = "NIH FDA VA CDC AHRQ SAMHSA"

# The code lists by the registry's own type names (study_fields.tsv, `enum X`).
CODES: dict[str, tuple[str, ...]] = {
    name: tuple(codes.split())
    for name, codes in {
        "Status": _STATUS,
        "RecruitmentStatus": _STATUS,
        "ExpandedAccessStatus": _STATUS,
        "Phase": "NA EARLY_PHASE1 PHASE1 PHASE2 PHASE3 PHASE4",
        "StudyType": "INTERVENTIONAL OBSERVATIONAL EXPANDED_ACCESS",
        "Sex": "FEMALE MALE ALL",
        "StandardAge": "CHILD ADULT OLDER_ADULT",
        "InterventionType": """
            BEHAVIORAL BIOLOGICAL COMBINATION_PRODUCT DEVICE DIAGNOSTIC_TEST DIETARY_SUPPLEMENT DRUG
            GENETIC PROCEDURE RADIATION OTHER""",
        "ArmGroupType": """
            EXPERIMENTAL ACTIVE_COMPARATOR PLACEBO_COMPARATOR SHAM_COMPARATOR NO_INTERVENTION OTHER""",
        "PrimaryPurpose": """
            TREATMENT PREVENTION DIAGNOSTIC ECT SUPPORTIVE_CARE SCREENING HEALTH_SERVICES_RESEARCH
            BASIC_SCIENCE DEVICE_FEASIBILITY OTHER""",
        "DesignAllocation": "RANDOMIZED NON_RANDOMIZED NA",
        "InterventionalAssignment": "SINGLE_GROUP PARALLEL CROSSOVER FACTORIAL SEQUENTIAL",
        "DesignMasking": "NONE SINGLE DOUBLE TRIPLE QUADRUPLE",
        "WhoMasked": "PARTICIPANT CARE_PROVIDER INVESTIGATOR OUTCOMES_ASSESSOR",
        "ObservationalModel": """
            COHORT CASE_CONTROL CASE_ONLY CASE_CROSSOVER ECOLOGIC_OR_COMMUNITY FAMILY_BASED
            DEFINED_POPULATION NATURAL_HISTORY OTHER""",
        "DesignTimePerspective": "RETROSPECTIVE PROSPECTIVE CROSS_SECTIONAL OTHER",
        "BioSpecRetention": "NONE_RETAINED SAMPLES_WITH_DNA SAMPLES_WITHOUT_DNA",
        "AgencyClass": _AGENCIES,
        "ResponsiblePartyType": "SPONSOR PRINCIPAL_INVESTIGATOR SPONSOR_INVESTIGATOR",
        "OrgStudyIdType": _FUNDERS,
        "SecondaryIdType": _FUNDERS + " OTHER_GRANT EUDRACT_NUMBER CTIS REGISTRY OTHER",
        "DateType": "ACTUAL ESTIMATED",
        "EnrollmentType": "ACTUAL ESTIMATED",
        "SamplingMethod": "PROBABILITY_SAMPLE NON_PROBABILITY_SAMPLE",
        "ContactRole": _OFFICIALS + " CONTACT",
        "OfficialRole": _OFFICIALS,
        "ReferenceType": "BACKGROUND RESULT DERIVED",
        "IpdSharing": "YES NO UNDECIDED",
        "IpdSharingInfoType": "STUDY_PROTOCOL SAP ICF CSR ANALYTIC_CODE",
        "MeasureParam": """
            GEOMETRIC_MEAN GEOMETRIC_LEAST_SQUARES_MEAN LEAST_SQUARES_MEAN LOG_MEAN MEAN MEDIAN
            NUMBER COUNT_OF_PARTICIPANTS COUNT_OF_UNITS""",
        "MeasureDispersionType": """
            NA STANDARD_DEVIATION STANDARD_ERROR INTER_QUARTILE_RANGE FULL_RANGE CONFIDENCE_80
            CONFIDENCE_90 CONFIDENCE_95 CONFIDENCE_975 CONFIDENCE_99 CONFIDENCE_OTHER
            GEOMETRIC_COEFFICIENT""",
        "OutcomeMeasureType": "PRIMARY SECONDARY OTHER_PRE_SPECIFIED POST_HOC",
        "ReportingStatus": "NOT_POSTED POSTED",
        "AnalysisDispersionType": "STANDARD_DEVIATION STANDARD_ERROR_OF_MEAN",
        "ConfidenceIntervalNumSides": "ONE_SIDED TWO_SIDED",
        "NonInferiorityType": """
            SUPERIORITY NON_INFERIORITY EQUIVALENCE OTHER NON_INFERIORITY_OR_EQUIVALENCE
            SUPERIORITY_OR_OTHER NON_INFERIORITY_OR_EQUIVALENCE_LEGACY SUPERIORITY_OR_OTHER_LEGACY""",
        "EventAssessment": "NON_SYSTEMATIC_ASSESSMENT SYSTEMATIC_ASSESSMENT",
        "AgreementRestrictionType": "LTE60 GT60 OTHER",
        "UnpostedEventType": "RESET RELEASE UNRELEASE",
        "ViolationEventType": """
            VIOLATION_IDENTIFIED CORRECTION_CONFIRMED PENALTY_IMPOSED
            ISSUES_IN_LETTER_ADDRESSED_CONFIRMED""",
        "BrowseLeafRelevance": "LOW HIGH",
    }.items()
}

_STATUS_WORDS = {
    "Unknown status": "UNKNOWN",
    "Enrolling": "RECRUITING",
    "Invitation-only": "ENROLLING_BY_INVITATION",
    "Not yet enrolling": "NOT_YET_RECRUITING",
    "Active, no longer recruiting": "ACTIVE_NOT_RECRUITING",
    "Active, not enrolling": "ACTIVE_NOT_RECRUITING",
}
_DATE_WORDS = {"Anticipated": "ESTIMATED", "Estimate": "ESTIMATED"}

# Spellings that differ from the code by more than case and punctuation.
_SPELLINGS: dict[str, dict[str, str]] = {
    "Status": _STATUS_WORDS,
    "RecruitmentStatus": _STATUS_WORDS,
    "Phase": {"Not Applicable": "NA", "Phase 0": "EARLY_PHASE1", "Early Phase I": "EARLY_PHASE1"}
    | {f"Phase {roman}": f"PHASE{number}" for number, roman in enumerate(("I", "II", "III", "IV"), 1)}
    | {roman: f"PHASE{number}" for number, roman in enumerate(("I", "II", "III", "IV"), 1)}
    | {str(number): f"PHASE{number}" for number in range(1, 5)},
    "Sex": {"Both": "ALL"},
    "StudyType": {"Observational [Patient Registry]": "OBSERVATIONAL"},
    "StandardAge": {"Older Adult": "OLDER_ADULT"},
    "PrimaryPurpose": {"Educational/Counseling/Training": "ECT"},
    "DesignAllocation": {"Not Applicable": "NA"},
    "InterventionalAssignment": {
        f"{name.title().replace('_', ' ')} Assignment": name for name in CODES["InterventionalAssignment"]
    },
    "DesignMasking": {
        "Open Label": "NONE",
        "None (Open Label)": "NONE",
        "Single Blind": "SINGLE",
        "Double Blind": "DOUBLE",
        "Triple Blind": "TRIPLE",
        "Quadruple Blind": "QUADRUPLE",
    },
    "WhoMasked": {"Subject": "PARTICIPANT", "Caregiver": "CARE_PROVIDER"},
    "AgencyClass": {
        "U.S. Fed": "FED",
        "U.S. Federal": "FED",
        "Other Government": "OTHER_GOV",
        "Individual": "INDIV",
    },
    "DateType": _DATE_WORDS,
    "EnrollmentType": _DATE_WORDS,
    "IpdSharingInfoType": {
        "Statistical Analysis Plan (SAP)": "SAP",
        "Informed Consent Form (ICF)": "ICF",
        "Clinical Study Report (CSR)": "CSR",
    },
    "MeasureDispersionType": {
        "Not Applicable": "NA",
        "80% Confidence Interval": "CONFIDENCE_80",
        "90% Confidence Interval": "CONFIDENCE_90",
        "95% Confidence Interval": "CONFIDENCE_95",
        "97.5% Confidence Interval": "CONFIDENCE_975",
        "99% Confidence Interval": "CONFIDENCE_99",
        "Other Confidence Interval": "CONFIDENCE_OTHER",
        "Geometric Coefficient of Variation": "GEOMETRIC_COEFFICIENT",
    },
    "AnalysisDispersionType": {"Standard Error of the Mean": "STANDARD_ERROR_OF_MEAN"},
    "ConfidenceIntervalNumSides": {"1-Sided": "ONE_SIDED", "2-Sided": "TWO_SIDED"},
}

# Codes that do not read well with their underscores taken out.
_WORDS = {
    "NA": "Not applicable",
    "ACTIVE_NOT_RECRUITING": "Active, not recruiting",
    "ECT": "Education",
    "NIH": "NIH",
    "FED": "US federal",
    "OTHER_GOV": "Government",
    "INDIV": "Individual",
    "AMBIG": "Unclear",
}

_TRUE = {"yes", "true", "y", "acceptshealthyvolunteers", "accepted", "healthyvolunteers"}
_FALSE = {"no", "false", "n", "nohealthyvolunteers", "notaccepted"}


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@cache
def _table(enum: str) -> dict[str, str]:
    table = {_key(entry): entry for entry in CODES[enum]}
    return table | {_key(spelling): entry for spelling, entry in _SPELLINGS.get(enum, {}).items()}


def code(enum: str, text: str) -> str | None:
    """Return the code that a text spells in one of the registry's code lists, or None if it spells none.

    Raises KeyError for a code list that does not exist.
    """
    return _table(enum).get(_key(text))


def code_list(enum: str, text: str) -> list[str] | None:
    """Return the codes that a text spells, parted by `/`, `|`, `,` or `;`; None unless every part is a
    code.
    """
    whole = code(enum, text)
    if whole is not None:
        return [whole]
    parts = [code(enum, part) for part in re.split(r"[/|,;]", text)]
    known = [part for part in parts if part is not None]
    return list(dict.fromkeys(known)) if known and len(known) == len(parts) else None


def words(entry: str) -> str:
    """Return a code as a person reads it.

    >>> words("ACTIVE_NOT_RECRUITING"), words("PHASE2"), words("EARLY_PHASE1"), words("NA")
    ('Active, not recruiting', 'Phase 2', 'Early phase 1', 'Not applicable')
    """
    if entry in _WORDS:
        return _WORDS[entry]
    return re.sub(r"(?<=phase)(?=\d)", " ", entry.replace("_", " ").capitalize(), flags=re.IGNORECASE)


def boolean(text: str) -> bool | None:
    """Return what a yes-or-no text says, or None if it says neither."""
    key = _key(text)
    return True if key in _TRUE else False if key in _FALSE else None
