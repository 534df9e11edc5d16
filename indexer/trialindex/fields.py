"""What an index holds of a trial: FIELDS, and the weighted sets of them that queries ask: AREAS.

Both are tables, and the schema, the documents and all weights come from them. Fields bear the registry's
piece names; areas are the registry's 19 (`areas.tsv`) and three of our own: Inclusion, Exclusion, and
Everywhere, which is all text of the trial itself: never its references, nor other trials that a page shows
beside it.

>>> FIELDS["BriefTitle"].kind, FIELDS["Phase"].kind, FIELDS["StartDate"].kind
('text', 'code', 'day')
>>> [(piece, weight) for piece, weight in AREAS["TitleSearch"].items()]
[('Acronym', 0.99), ('BriefTitle', 0.95), ('OfficialTitle', 0.8)]
>>> resolve("title"), resolve("brieftitle"), resolve("COND")
('TitleSearch', 'BriefTitle', 'ConditionSearch')
>>> resolve("titel")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no field or area 'titel'; the nearest: title
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from trialindex.errors import QueryError
from trialindex.study_fields import by_piece

__all__ = [
    "AREAS", "CONCEPT_FIELDS", "FIELDS", "FIELD_NUMBERS", "HEADLINE", "NAME_FIELDS", "PLACED", "SHORT_NAMES",
    "UNMEASURED", "Field", "area_fields", "area_weights", "concept_area", "concept_term", "resolve",
]  # fmt: skip


class Field(NamedTuple):
    """A field of the index.

    `kind`: text (analysed, with positions), code (the code itself, and its words as text), name (whole
    values, for suggestions and exact filters), concept (what the trial's conditions or interventions are:
    `concept_term`), day (first and last day of a date, as ordinals), number (a
    number, or days of an age). `path`: where in the study the values stand; "" where `document` works them
    out.
    """

    name: str
    kind: str
    path: str


def _read_areas() -> dict[str, dict[str, float]]:
    areas: dict[str, dict[str, float]] = {}
    text = Path(__file__).with_name("areas.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    for area, _, _, piece, weight in rows[1:]:
        areas.setdefault(area, {})[piece] = float(weight)
    return areas


# Text that only Everywhere reaches, with its weight there.
_ELSEWHERE = {
    "DetailedDescription": 0.3,
    "InclusionCriteria": 0.3,
    "ExclusionCriteria": 0.15,
    "OtherCriteria": 0.2,
    "StudyPopulation": 0.3,
    "WhyStopped": 0.3,
    "DesignInterventionModelDescription": 0.2,
    "DesignMaskingDescription": 0.2,
    "PrimaryOutcomeTimeFrame": 0.1,
    "SecondaryOutcomeTimeFrame": 0.1,
    "OutcomeMeasurePopulationDescription": 0.1,
    "OutcomeGroupTitle": 0.1,
    "OutcomeGroupDescription": 0.1,
    "BaselineMeasureTitle": 0.1,
    "FlowGroupTitle": 0.1,
    "FlowGroupDescription": 0.1,
    "SeriousEventTerm": 0.1,
    "OtherEventTerm": 0.1,
    "GenderDescription": 0.1,
    "OrgFullName": 0.3,
    "LocationZip": 0.1,
}
AREAS: dict[str, dict[str, float]] = _read_areas()
AREAS["Everywhere"] = AREAS["BasicSearch"] | _ELSEWHERE

_CODES = ("OverallStatus", "LastKnownStatus", "Sex", "HasResults", "HealthyVolunteers", "ReferenceType")
_DAYS = (
    "StartDate",
    "PrimaryCompletionDate",
    "CompletionDate",
    "StudyFirstPostDate",
    "LastUpdatePostDate",
    "ResultsFirstPostDate",
)
_NUMBERS = ("EnrollmentCount", "MinimumAge", "MaximumAge")
# Fields that no single path of the study holds.
_OWN = {
    "InclusionCriteria": "text",
    "ExclusionCriteria": "text",
    "OtherCriteria": "text",
    "AnyId": "name",
    "Country": "name",
    "ConditionName": "name",
    "InterventionFullName": "name",
    "Definition": "name",
    "OtherName": "name",
    "ConditionConcept": "concept",
    "ConditionParentConcept": "concept",
    "ConditionAncestorConcept": "concept",
    "InterventionConcept": "concept",
    "InterventionParentConcept": "concept",
    "InterventionAncestorConcept": "concept",
}


def _make_fields() -> dict[str, Field]:
    pieces = by_piece()
    made: dict[str, Field] = {}
    asked = [piece for area in AREAS.values() for piece in area]
    for name in (*asked, *_CODES, *_DAYS, *_NUMBERS):
        if name in _OWN:
            continue
        entry = pieces[name]
        code = entry.enum is not None or entry.type == "boolean"
        kind = "day" if name in _DAYS else "number" if name in _NUMBERS else "code" if code else "text"
        made[name] = Field(name, kind, entry.path)
    return made | {name: Field(name, kind, "") for name, kind in _OWN.items()}


FIELDS: dict[str, Field] = _make_fields()

# Fields that are indexed part by part, each word once: whoever asks one asks all its parts.
_PARTS = {"EligibilityCriteria": ("InclusionCriteria", "ExclusionCriteria", "OtherCriteria")}
# The fields whose words have a place, text and codes, in the order of their numbers on the disk.
PLACED: tuple[str, ...] = tuple(
    field.name
    for field in FIELDS.values()
    if field.kind in {"text", "code", "concept"} and field.name not in _PARTS
)
FIELD_NUMBERS: dict[str, int] = {name: number for number, name in enumerate(PLACED)}

# Titles and names: where short and ambiguous abbreviations mean something. In a summary, `MS` is a
# millisecond as often as a disease.
HEADLINE = frozenset(
    """Acronym BriefTitle OfficialTitle Condition Keyword InterventionName InterventionOtherName ArmGroupLabel
    ConditionMeshTerm InterventionMeshTerm""".split()
)

# Lists that grow with a trial's size and say nothing of how long-winded it is: they count no length. A trial
# of a thousand sites is as much about its disease as one of a single site.
UNMEASURED = frozenset(
    """LocationFacility LocationCity LocationState LocationCountry LocationStatus LocationZip NCTId NCTIdAlias
    OrgStudyId SecondaryId OverallOfficialAffiliation OverallOfficialRole OverallOfficialName Phase StdAge
    InterventionType ArmGroupType ConditionConcept ConditionParentConcept ConditionAncestorConcept
    InterventionConcept InterventionParentConcept InterventionAncestorConcept""".split()
)

# The name field that holds the names of each kind of thing.
NAME_FIELDS = {"condition": "ConditionName", "intervention": "InterventionFullName"}

# The concepts that the conditions and the interventions of a trial are linked to, then what is one step above
# these in the hierarchy, then all that is further up.
CONCEPT_FIELDS = {
    "condition": ("ConditionConcept", "ConditionParentConcept", "ConditionAncestorConcept"),
    "intervention": ("InterventionConcept", "InterventionParentConcept", "InterventionAncestorConcept"),
}
# What a concept is worth that a trial names, that it names a kind of, that is further off.
_CONCEPT_WEIGHTS = (1.0, 0.5, 0.25)
# The concepts that an area asks.
_CONCEPTS_OF = {
    "BasicSearch": ("condition", "intervention"),
    "Everywhere": ("condition", "intervention"),
    "ConditionSearch": ("condition",),
    "InterventionSearch": ("intervention",),
}


def area_fields(area: str) -> dict[str, float]:
    """Return the fields of an area, or the one field itself, with their weights.

    `X/headline` is the part of area X that holds titles and names, `X/concepts` the concepts of what it asks.
    """
    base, _, part = area.partition("/")
    if part == "concepts":
        weighted = (zip(CONCEPT_FIELDS[kind], _CONCEPT_WEIGHTS, strict=True) for kind in _CONCEPTS_OF[base])
        return {field: weight for held in weighted for field, weight in held}
    asked = AREAS.get(base, {base: 1.0})
    fields = {name: weight for field, weight in asked.items() for name in _PARTS.get(field, (field,))}
    return {field: weight for field, weight in fields.items() if field in HEADLINE} if part else fields


def area_weights(area: str) -> dict[str, int]:
    """Return the fields of an area whose words have a place, with their weights in whole hundredths.

    >>> area_weights("TitleSearch"), area_weights("BriefTitle")
    ({'Acronym': 99, 'BriefTitle': 95, 'OfficialTitle': 80}, {'BriefTitle': 100})
    """
    return {
        field: round(100 * weight) for field, weight in area_fields(area).items() if field in FIELD_NUMBERS
    }


def concept_area(area: str) -> str:
    """Return the area that asks the concepts of what an area asks; "" where it has none.

    >>> concept_area("ConditionSearch"), concept_area("SponsorSearch")
    ('ConditionSearch/concepts', '')
    """
    return f"{area}/concepts" if area in _CONCEPTS_OF else ""


def concept_term(identifier: str) -> str:
    """Return the term under which the index holds a concept: no word of a text begins so
    (`segments.tokens`).
    """
    return f"\3{identifier}"


# The short forms of fields and areas in a query: `title:lupus`.
SHORT_NAMES = {
    "term": "BasicSearch",
    "cond": "ConditionSearch",
    "condition": "ConditionSearch",
    "intr": "InterventionSearch",
    "intervention": "InterventionSearch",
    "drug": "InterventionSearch",
    "title": "TitleSearch",
    "titles": "TitleSearch",
    "outcome": "OutcomeSearch",
    "outc": "OutcomeSearch",
    "sponsor": "SponsorSearch",
    "spons": "SponsorSearch",
    "lead": "LeadSponsorName",
    "location": "LocationSearch",
    "locn": "LocationSearch",
    "city": "LocationCity",
    "state": "LocationState",
    "facility": "LocationFacility",
    "id": "IdSearch",
    "patient": "PatientSearch",
    "eligibility": "EligibilitySearch",
    "contact": "ContactSearch",
    "inclusion": "Inclusion",
    "exclusion": "Exclusion",
    "everywhere": "Everywhere",
    "keyword": "Keyword",
    "summary": "BriefSummary",
    "description": "DetailedDescription",
    "acronym": "Acronym",
    "arm": "ArmGroupLabel",
    "mesh": "ConditionMeshTerm",
    "status": "OverallStatus",
    "phase": "Phase",
    "type": "StudyType",
    "sex": "Sex",
    "gender": "Sex",
    "results": "HasResults",
    "healthy": "HealthyVolunteers",
    "country": "Country",
    "start": "StartDate",
    "completion": "CompletionDate",
    "primarycompletion": "PrimaryCompletionDate",
    "posted": "StudyFirstPostDate",
    "updated": "LastUpdatePostDate",
    "resultsposted": "ResultsFirstPostDate",
    "enrollment": "EnrollmentCount",
    "enrolment": "EnrollmentCount",
    "allocation": "DesignAllocation",
    "masking": "DesignMasking",
    "purpose": "DesignPrimaryPurpose",
}


@cache
def _known() -> dict[str, str]:
    names = {name.lower(): name for name in (*AREAS, *FIELDS)}
    return names | SHORT_NAMES


def resolve(name: str) -> str:
    """Return the area or field that a name in a query means: a piece name, an area name or a short form, in
    any case. A name as the registry writes it is that field or area: `Condition` the field, `condition` the
    short form.

    Raises QueryError, naming the nearest known ones, when there is none.
    """
    if name in AREAS or name in FIELDS:
        return name
    found = _known().get(name.lower())
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), _known(), n=3, cutoff=0.75)
        spelled = [_known()[key] if key not in SHORT_NAMES else key for key in near]
        raise QueryError(
            f"no field or area {name!r}; the nearest: {', '.join(spelled) or ', '.join(sorted(SHORT_NAMES))}"
        )
    return found
