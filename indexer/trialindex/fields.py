"""What an index holds of a trial: FIELDS, and the weighted sets of them that queries ask: AREAS.

Both are tables, and the schema, the documents and all weights come from them. Fields bear the registry's
piece names, all of them, and some are our own; areas are the registry's 19 (`areas.tsv`) and three of our
own: Inclusion, Exclusion, and Everywhere, which is all text of the trial itself: never its references, nor
other trials that a page shows beside it.

>>> FIELDS["BriefTitle"].kind, FIELDS["Phase"].kind, FIELDS["StartDate"].kind
('text', 'code', 'day')
>>> FIELDS["NumConditions"].kind, FIELDS["LocationGeoPoint"].kind, FIELDS["ResultsSection"].kind
('number', 'point', 'structure')
>>> FIELDS["StartDate"].several, FIELDS["LargeDocDate"].several
(False, True)
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
    "ANY_AREA", "AREAS", "CONCEPT_FIELDS", "FIELDS", "FIELD_NUMBERS", "HEADLINE", "NAME_FIELDS", "PLACED",
    "SHORT_NAMES", "UNMEASURED", "Field", "area_fields", "area_weights", "concept_area", "concept_term",
    "resolve",
]  # fmt: skip


class Field(NamedTuple):
    """A field of the index.

    `kind`: text (analysed, with positions), code (the code itself; of PLACED ones also its words as text),
    name (whole values, for suggestions and exact filters), concept (what the trial's conditions or
    interventions are: `concept_term`), day (first and last day of a date, as ordinals), number (a number, or
    days of an age), point (coordinates), structure (what holds other fields, and no value itself). `path`:
    where in the study the values stand, or, of what the registry works out of a study and we do
    (`document`), would; "" for fields of our own. `several`: a trial may have more than one value.
    """

    name: str
    kind: str
    path: str
    several: bool


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

# Codes that no area asks, and whose words can be searched nevertheless.
_CODES = ("OverallStatus", "LastKnownStatus", "Sex", "HasResults", "HealthyVolunteers", "ReferenceType")
# Fields that no single path of the study holds.
_OWN = {
    "InclusionCriteria": "text",
    "ExclusionCriteria": "text",
    "OtherCriteria": "text",
    "AnyId": "name",
    "Country": "name",
    "ConditionName": "name",
    "InterventionFullName": "name",
    "SponsorName": "name",
    "CityName": "name",
    "StateName": "name",
    "Definition": "name",
    "OtherName": "name",
    "ConditionConcept": "concept",
    "ConditionParentConcept": "concept",
    "ConditionAncestorConcept": "concept",
    "InterventionConcept": "concept",
    "InterventionParentConcept": "concept",
    "InterventionAncestorConcept": "concept",
}


# The kinds of the registry's own types; enums and booleans are codes, all others structures.
_KINDS = {
    "text": "text",
    "markup": "text",
    "keyword": "text",
    "type": "text",
    "NormalizedDate": "day",
    "PartialDate": "day",
    "DateTimeMinutes": "day",
    "integer": "number",
    "short": "number",
    "long": "number",
    "number": "number",
    "NormalizedTime": "number",
    "GeoPoint": "point",
    "boolean": "code",
}


def _make_fields() -> dict[str, Field]:
    pieces = by_piece()
    # Fields whose words have a place come first, in the order in which they got their numbers.
    asked = dict.fromkeys([piece for area in AREAS.values() for piece in area] + [*_CODES])
    lists: set[str] = set()
    made: dict[str, Field] = {}
    for name, path, type_, *_ in pieces.values():
        if type_.endswith("[]"):
            lists.add(path)
        # What holds a field stands before it in the table.
        above = path.rpartition(".")[0]
        if above in lists:
            lists.add(path)
        kind = "code" if type_.startswith("enum ") else _KINDS.get(type_.removesuffix("[]"), "structure")
        made[name] = Field(name, kind, path, path in lists)
    own = {name: Field(name, kind, "", kind in {"name", "concept"}) for name, kind in _OWN.items()}
    return {name: made[name] for name in asked if name in made} | own | made


FIELDS: dict[str, Field] = _make_fields()

# Fields that are indexed part by part, each word once: whoever asks one asks all its parts.
_PARTS = {"EligibilityCriteria": ("InclusionCriteria", "ExclusionCriteria", "OtherCriteria")}


def _make_placed() -> tuple[str, ...]:
    asked = {piece for area in AREAS.values() for piece in area} | {*_CODES}
    return tuple(
        field.name
        for field in FIELDS.values()
        if (field.kind in {"text", "concept"} or (field.kind == "code" and field.name in asked))
        and field.name not in _PARTS
    )


# The fields whose words have a place: text, codes that areas ask, concepts; in the order of their numbers on
# the disk.
PLACED: tuple[str, ...] = _make_placed()
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


# What stands for all areas together: the fields whose words count as known. What trials cite, and what their
# results call groups and categories, can be asked by name, and says nothing of how a word is spelt.
ANY_AREA = "any area"


def area_fields(area: str) -> dict[str, float]:
    """Return the fields of an area, or the one field itself, with their weights.

    `X/headline` is the part of area X that holds titles and names, `X/concepts` the concepts of what it asks;
    ANY_AREA is all that any area asks.
    """
    if area == ANY_AREA:
        return dict.fromkeys((field for one in (*AREAS, *_CODES) for field in area_fields(one)), 1.0)
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
    "model": "DesignInterventionModel",
    "funder": "LeadSponsorClass",
    "collaborator": "CollaboratorName",
    "stdage": "StdAge",
    "minage": "MinimumAge",
    "maxage": "MaximumAge",
    "zip": "LocationZip",
    "sitestatus": "LocationStatus",
    "verified": "StatusVerifiedDate",
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
        remedy = f"the nearest: {', '.join(spelled)}" if near else "trialsearch fields lists them all"
        raise QueryError(f"no field or area {name[:60]!r}; {remedy}")
    return found
