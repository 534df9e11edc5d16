"""Trial: the typed, frozen view of a study, with the short names that a person wants.

A view is built from a study in the registry's own structure and keeps that study reachable:

>>> study = {"protocolSection": {
...     "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
...     "statusModule": {"startDateStruct": {"date": "2012-02", "type": "ACTUAL"}},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 99999999}}}}
>>> trial = Trial.from_study(study)
>>> trial
Trial(nct_id='NCT00000001', title='A trial')
>>> trial.phases, trial.enrollment
(('PHASE1', 'PHASE2'), None)
>>> str(trial.start), trial.start.precision, trial.start.last
('2012-02', 'month', datetime.date(2012, 2, 29))
>>> trial.study is study
True

Codes are the registry's (`codes.CODES`; `codes.words` says them in words). A value of another type than its
field should hold never stops a view: a number where text belongs is shown as text, all else is left out, and
the study has it still. Only a study without an id is no trial:

>>> Trial.from_study({"protocolSection": {}})
Traceback (most recent call last):
    ...
trialindex.errors.InvalidTrialId: the study has no protocolSection.identificationModule.nctId

What is long in some records (sites, references, results, the split of the criteria) is built when it is
looked at. Importing this module loads pydantic, so whoever only searches does not import it.
"""


# mypy does not know that pydantic's computed_field may stand on a property.
# mypy: disable-error-code="prop-decorator"

from __future__ import annotations

import math
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, PlainSerializer, SkipValidation, computed_field

from trialindex.criteria import Criteria, split_criteria
from trialindex.dates import Age, date_range, parse_age
from trialindex.errors import InvalidTrialId
from trialindex.summary import (
    PLAIN_ROWS,
    Node,
    Rows,
    at,
    branch,
    count,
    countries,
    date_text,
    has_results,
    text,
    texts,
)

__all__ = [
    "AdverseEvent",
    "Arm",
    "Contact",
    "Document",
    "Eligibility",
    "EventGroup",
    "FlowGroup",
    "Intervention",
    "Link",
    "MeshTerm",
    "Official",
    "Outcome",
    "PartialDate",
    "Reference",
    "ResponsibleParty",
    "ResultOutcome",
    "Results",
    "SecondaryId",
    "Site",
    "Sponsor",
    "Trial",
]

# --- readers that no Summary needs: a value of any type -> a value of the field's type, or None ---


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _degrees(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -360 <= value <= 360:
        return None
    return float(value)


def _age(value: Any) -> Age | None:
    age = parse_age(value) if isinstance(value, str) and len(value) < 100 else None
    return age if age is not None and math.isfinite(age.days) else None


def _date(value: Any) -> PartialDate | None:
    """Read a date, or an object of a date and its type."""
    day = date_text(value)
    return None if day is None else PartialDate(text=day, type=text(branch(value).get("type")))


# --- the pieces ---


class _Part(BaseModel):
    """A piece of a trial. `rows` says where in the study's object each field stands and how it is read."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    rows: ClassVar[Rows]

    @classmethod
    def read(cls, node: Node) -> Self:
        """Build the piece from the study's object for it."""
        return cls(**{name: reader(node[key]) for name, key, reader in cls.rows if key in node})

    @classmethod
    def read_all(cls, value: Any) -> tuple[Self, ...]:
        """Build a piece from each object of a list."""
        return tuple([cls.read(node) for node in value if type(node) is dict]) if type(value) is list else ()

    @classmethod
    def read_one(cls, value: Any) -> Self | None:
        """Build the piece, or return None where there is no object or an empty one."""
        return cls.read(value) if type(value) is dict and value else None


class PartialDate(BaseModel):
    """A day, a month or a year, as written; never filled up to its first day.

    `type` is ACTUAL, ESTIMATED or None. Dates order by their first day, then by their last.

    >>> PartialDate(text="2012-02") < PartialDate(text="2012-02-14")
    True
    >>> print(PartialDate(text="2012", type="ESTIMATED"))
    2012
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    text: str = Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")
    type: str | None = None

    @computed_field
    @property
    def precision(self) -> str:
        """`day`, `month` or `year`."""
        return ("year", "month", "day")[self.text.count("-")]

    @computed_field
    @property
    def first(self) -> date:
        """The first day that the date may mean."""
        return date_range(self.text)[0]

    @computed_field
    @property
    def last(self) -> date:
        """The last day that the date may mean."""
        return date_range(self.text)[1]

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: PartialDate) -> bool:
        return date_range(self.text) < date_range(other.text)

    def __gt__(self, other: PartialDate) -> bool:
        return date_range(self.text) > date_range(other.text)

    def __le__(self, other: PartialDate) -> bool:
        return date_range(self.text) <= date_range(other.text)

    def __ge__(self, other: PartialDate) -> bool:
        return date_range(self.text) >= date_range(other.text)


class SecondaryId(_Part):
    """An id that others gave the trial."""

    id: str | None = None
    type: str | None = None
    domain: str | None = None
    rows: ClassVar[Rows] = (("id", "id", text), ("type", "type", text), ("domain", "domain", text))


class Sponsor(_Part):
    """A sponsor or collaborator; `agency_class` is a code (INDUSTRY, NIH, ...)."""

    name: str | None = None
    agency_class: str | None = None
    rows: ClassVar[Rows] = (("name", "name", text), ("agency_class", "class", text))


class ResponsibleParty(_Part):
    """Who answers for the record; an older record's name with title stands in `name`."""

    type: str | None = None
    name: str | None = None
    title: str | None = None
    affiliation: str | None = None
    rows: ClassVar[Rows] = (
        ("type", "type", text),
        ("name", "oldNameTitle", text),
        ("affiliation", "oldOrganization", text),
        ("name", "investigatorFullName", text),
        ("title", "investigatorTitle", text),
        ("affiliation", "investigatorAffiliation", text),
    )


class Arm(_Part):
    """A group of participants and what they get."""

    label: str | None = None
    type: str | None = None
    description: str | None = None
    interventions: tuple[str, ...] = ()
    rows: ClassVar[Rows] = (
        ("label", "label", text),
        ("type", "type", text),
        ("description", "description", text),
        ("interventions", "interventionNames", texts),
    )


class Intervention(_Part):
    """What is given or done."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    other_names: tuple[str, ...] = ()
    arm_labels: tuple[str, ...] = ()
    rows: ClassVar[Rows] = (
        ("type", "type", text),
        ("name", "name", text),
        ("description", "description", text),
        ("other_names", "otherNames", texts),
        ("arm_labels", "armGroupLabels", texts),
    )


class Outcome(_Part):
    """What the trial sets out to measure."""

    measure: str | None = None
    description: str | None = None
    time_frame: str | None = None
    rows: ClassVar[Rows] = (
        ("measure", "measure", text),
        ("description", "description", text),
        ("time_frame", "timeFrame", text),
    )


_AgeField = Annotated[
    InstanceOf[Age] | None,
    PlainSerializer(lambda age: age and {"number": age.number, "unit": age.unit, "days": age.days}),
]


class Eligibility(_Part):
    """Who may take part: `criteria` as written, and its parts `inclusion`, `exclusion` and `other`."""

    criteria: str | None = None
    sex: str | None = None
    minimum_age: _AgeField = None
    maximum_age: _AgeField = None
    age_groups: tuple[str, ...] = ()
    healthy_volunteers: bool | None = None
    gender_based: bool | None = None
    gender_description: str | None = None
    study_population: str | None = None
    sampling_method: str | None = None
    rows: ClassVar[Rows] = (
        ("criteria", "eligibilityCriteria", text),
        ("sex", "sex", text),
        ("minimum_age", "minimumAge", _age),
        ("maximum_age", "maximumAge", _age),
        ("age_groups", "stdAges", texts),
        ("healthy_volunteers", "healthyVolunteers", _flag),
        ("gender_based", "genderBased", _flag),
        ("gender_description", "genderDescription", text),
        ("study_population", "studyPopulation", text),
        ("sampling_method", "samplingMethod", text),
    )

    @cached_property
    def _parts(self) -> Criteria:
        return split_criteria(self.criteria or "")

    @computed_field
    @property
    def inclusion(self) -> str:
        """The criteria that let a person in."""
        return self._parts.inclusion

    @computed_field
    @property
    def exclusion(self) -> str:
        """The criteria that keep a person out."""
        return self._parts.exclusion

    @computed_field
    @property
    def other(self) -> str:
        """The criteria under no heading of either kind."""
        return self._parts.other


class Contact(_Part):
    """Whom to ask."""

    name: str | None = None
    role: str | None = None
    phone: str | None = None
    phone_ext: str | None = None
    email: str | None = None
    rows: ClassVar[Rows] = (
        ("name", "name", text),
        ("role", "role", text),
        ("phone", "phone", text),
        ("phone_ext", "phoneExt", text),
        ("email", "email", text),
    )


class Official(_Part):
    """Who leads the trial."""

    name: str | None = None
    role: str | None = None
    affiliation: str | None = None
    rows: ClassVar[Rows] = (
        ("name", "name", text),
        ("role", "role", text),
        ("affiliation", "affiliation", text),
    )


class Site(_Part):
    """A place where the trial takes in participants; coordinates in degrees."""

    facility: str | None = None
    status: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    contacts: tuple[Contact, ...] = ()
    rows: ClassVar[Rows] = (
        ("facility", "facility", text),
        ("status", "status", text),
        ("city", "city", text),
        ("state", "state", text),
        ("zip", "zip", text),
        ("country", "country", text),
        ("latitude", "geoPoint", lambda point: _degrees(branch(point).get("lat"))),
        ("longitude", "geoPoint", lambda point: _degrees(branch(point).get("lon"))),
        ("contacts", "contacts", Contact.read_all),
    )


class Reference(_Part):
    """A publication; `type` is BACKGROUND, RESULT or DERIVED."""

    pmid: str | None = None
    type: str | None = None
    citation: str | None = None
    rows: ClassVar[Rows] = (("pmid", "pmid", text), ("type", "type", text), ("citation", "citation", text))


class Link(_Part):
    """A page about the trial."""

    label: str | None = None
    url: str | None = None
    rows: ClassVar[Rows] = (("label", "label", text), ("url", "url", text))


class MeshTerm(_Part):
    """A MeSH heading: id (D008180) and term."""

    id: str | None = None
    term: str | None = None
    rows: ClassVar[Rows] = (("id", "id", text), ("term", "term", text))


class Document(_Part):
    """A document that was uploaded to the registry; `type` is its abbreviation (Prot_SAP)."""

    type: str | None = None
    label: str | None = None
    date: PartialDate | None = None
    filename: str | None = None
    rows: ClassVar[Rows] = (
        ("type", "typeAbbrev", text),
        ("label", "label", text),
        ("date", "date", _date),
        ("filename", "filename", text),
    )


class FlowGroup(_Part):
    """A group in the participant flow."""

    id: str | None = None
    title: str | None = None
    description: str | None = None
    rows: ClassVar[Rows] = (
        ("id", "id", text),
        ("title", "title", text),
        ("description", "description", text),
    )


class ResultOutcome(_Part):
    """An outcome with results; the numbers themselves are in the study."""

    type: str | None = None
    title: str | None = None
    description: str | None = None
    time_frame: str | None = None
    unit: str | None = None
    rows: ClassVar[Rows] = (
        ("type", "type", text),
        ("title", "title", text),
        ("description", "description", text),
        ("time_frame", "timeFrame", text),
        ("unit", "unitOfMeasure", text),
    )


class EventGroup(_Part):
    """A group's adverse events: how many participants had any, of how many at risk."""

    title: str | None = None
    description: str | None = None
    deaths: int | None = None
    deaths_at_risk: int | None = None
    serious: int | None = None
    serious_at_risk: int | None = None
    other: int | None = None
    other_at_risk: int | None = None
    rows: ClassVar[Rows] = (
        ("title", "title", text),
        ("description", "description", text),
        ("deaths", "deathsNumAffected", count),
        ("deaths_at_risk", "deathsNumAtRisk", count),
        ("serious", "seriousNumAffected", count),
        ("serious_at_risk", "seriousNumAtRisk", count),
        ("other", "otherNumAffected", count),
        ("other_at_risk", "otherNumAtRisk", count),
    )


class AdverseEvent(_Part):
    """A kind of adverse event that was reported."""

    term: str | None = None
    organ_system: str | None = None
    rows: ClassVar[Rows] = (("term", "term", text), ("organ_system", "organSystem", text))


class Results(_Part):
    """What the posted results tell about: groups, outcomes and adverse events by name."""

    recruitment: str | None = None
    flow_groups: tuple[FlowGroup, ...] = ()
    outcomes: tuple[ResultOutcome, ...] = ()
    event_groups: tuple[EventGroup, ...] = ()
    serious_events: tuple[AdverseEvent, ...] = ()
    other_events: tuple[AdverseEvent, ...] = ()
    limitations: str | None = None

    @classmethod
    def of(cls, section: Node) -> Results | None:
        """Build the view of a results section; None where it is empty."""
        if not section:
            return None
        flow, events = at(section, "participantFlowModule"), at(section, "adverseEventsModule")
        return cls(
            recruitment=text(flow.get("recruitmentDetails")),
            flow_groups=FlowGroup.read_all(flow.get("groups")),
            outcomes=ResultOutcome.read_all(at(section, "outcomeMeasuresModule").get("outcomeMeasures")),
            event_groups=EventGroup.read_all(events.get("eventGroups")),
            serious_events=AdverseEvent.read_all(events.get("seriousEvents")),
            other_events=AdverseEvent.read_all(events.get("otherEvents")),
            limitations=text(at(section, "moreInfoModule.limitationsAndCaveats").get("description")),
        )


# --- the trial ---

# Where the fields of a Trial stand that a Summary has not, or has otherwise.
_TRIAL_ROWS: dict[str, Rows] = {
    "protocolSection.identificationModule": (
        ("aliases", "nctIdAliases", texts),
        ("org_study_id", "orgStudyIdInfo", lambda info: text(branch(info).get("id"))),
        ("secondary_ids", "secondaryIdInfos", SecondaryId.read_all),
        ("acronym", "acronym", text),
        ("organization", "organization", lambda node: text(branch(node).get("fullName"))),
    ),
    "protocolSection.statusModule": (
        ("last_known_status", "lastKnownStatus", text),
        ("why_stopped", "whyStopped", text),
        ("verified", "statusVerifiedDate", _date),
        ("start", "startDateStruct", _date),
        ("primary_completion", "primaryCompletionDateStruct", _date),
        ("completion", "completionDateStruct", _date),
        ("first_submitted", "studyFirstSubmitDate", _date),
        ("first_posted", "studyFirstPostDateStruct", _date),
        ("last_update_submitted", "lastUpdateSubmitDate", _date),
        ("last_updated", "lastUpdatePostDateStruct", _date),
        ("results_first_posted", "resultsFirstPostDateStruct", _date),
    ),
    "protocolSection.designModule": (),
    "protocolSection.designModule.enrollmentInfo": (("enrollment_type", "type", text),),
    "protocolSection.designModule.designInfo": (
        ("allocation", "allocation", text),
        ("intervention_model", "interventionModel", text),
        ("primary_purpose", "primaryPurpose", text),
        ("observational_model", "observationalModel", text),
        ("time_perspective", "timePerspective", text),
    ),
    "protocolSection.designModule.designInfo.maskingInfo": (
        ("masking", "masking", text),
        ("who_masked", "whoMasked", texts),
    ),
    "protocolSection.conditionsModule": (("keywords", "keywords", texts),),
    "protocolSection.armsInterventionsModule": (
        ("arms", "armGroups", Arm.read_all),
        ("interventions", "interventions", Intervention.read_all),
    ),
    "protocolSection.outcomesModule": (
        ("primary_outcomes", "primaryOutcomes", Outcome.read_all),
        ("secondary_outcomes", "secondaryOutcomes", Outcome.read_all),
        ("other_outcomes", "otherOutcomes", Outcome.read_all),
    ),
    "protocolSection": (("eligibility", "eligibilityModule", lambda node: Eligibility.read(branch(node))),),
    "protocolSection.sponsorCollaboratorsModule": (
        ("sponsor", "leadSponsor", Sponsor.read_one),
        ("collaborators", "collaborators", Sponsor.read_all),
        ("responsible_party", "responsibleParty", ResponsibleParty.read_one),
    ),
    "protocolSection.contactsLocationsModule": (
        ("officials", "overallOfficials", Official.read_all),
        ("contacts", "centralContacts", Contact.read_all),
    ),
    "protocolSection.descriptionModule": (
        ("summary", "briefSummary", text),
        ("description", "detailedDescription", text),
    ),
    "derivedSection.conditionBrowseModule": (
        ("condition_mesh", "meshes", MeshTerm.read_all),
        ("condition_ancestors", "ancestors", MeshTerm.read_all),
    ),
    "derivedSection.interventionBrowseModule": (
        ("intervention_mesh", "meshes", MeshTerm.read_all),
        ("intervention_ancestors", "ancestors", MeshTerm.read_all),
    ),
    "documentSection.largeDocumentModule": (("documents", "largeDocs", Document.read_all),),
}
_STEPS = tuple(
    (tuple(path.split(".")), PLAIN_ROWS.get(path, ()) + rows) for path, rows in _TRIAL_ROWS.items()
)


class Trial(BaseModel):
    """One trial. Build it with `Trial.from_study`; equal to another of the same study, hashed by its id."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    study: SkipValidation[dict[str, Any]] = Field(exclude=True, repr=False)

    nct_id: str
    aliases: tuple[str, ...] = ()
    org_study_id: str | None = None
    secondary_ids: tuple[SecondaryId, ...] = ()
    title: str | None = None
    official_title: str | None = None
    acronym: str | None = None
    organization: str | None = None

    status: str | None = None
    last_known_status: str | None = None
    why_stopped: str | None = None
    verified: PartialDate | None = None
    start: PartialDate | None = None
    primary_completion: PartialDate | None = None
    completion: PartialDate | None = None
    first_submitted: PartialDate | None = None
    first_posted: PartialDate | None = None
    last_update_submitted: PartialDate | None = None
    last_updated: PartialDate | None = None
    results_first_posted: PartialDate | None = None

    enrollment: int | None = None
    enrollment_type: str | None = None
    study_type: str | None = None
    phases: tuple[str, ...] = ()
    allocation: str | None = None
    intervention_model: str | None = None
    primary_purpose: str | None = None
    masking: str | None = None
    who_masked: tuple[str, ...] = ()
    observational_model: str | None = None
    time_perspective: str | None = None

    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    arms: tuple[Arm, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    primary_outcomes: tuple[Outcome, ...] = ()
    secondary_outcomes: tuple[Outcome, ...] = ()
    other_outcomes: tuple[Outcome, ...] = ()
    eligibility: Eligibility = Eligibility()

    sponsor: Sponsor | None = None
    collaborators: tuple[Sponsor, ...] = ()
    responsible_party: ResponsibleParty | None = None
    officials: tuple[Official, ...] = ()
    contacts: tuple[Contact, ...] = ()

    summary: str | None = None
    description: str | None = None

    condition_mesh: tuple[MeshTerm, ...] = ()
    condition_ancestors: tuple[MeshTerm, ...] = ()
    intervention_mesh: tuple[MeshTerm, ...] = ()
    intervention_ancestors: tuple[MeshTerm, ...] = ()
    documents: tuple[Document, ...] = ()

    @classmethod
    def from_study(cls, study: dict[str, Any]) -> Self:
        """Build the view of a study in the registry's structure.

        Raises InvalidTrialId for a study without an id; nothing else in a study is an error.
        """
        found: dict[str, Any] = {"study": study}
        for steps, rows in _STEPS:
            node: Any = study
            for step in steps:
                node = node.get(step) if type(node) is dict else None
            if type(node) is dict:
                for name, key, reader in rows:
                    if key in node:
                        found[name] = reader(node[key])
        if not found.get("nct_id"):
            raise InvalidTrialId("the study has no protocolSection.identificationModule.nctId")
        return cls(**found)

    @computed_field
    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The places of the trial."""
        return Site.read_all(at(self.study, "protocolSection.contactsLocationsModule").get("locations"))

    @computed_field
    @property
    def countries(self) -> tuple[str, ...]:
        """The countries of the sites, each once, in their order."""
        return countries(self.study)

    @computed_field
    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Publications."""
        return Reference.read_all(at(self.study, "protocolSection.referencesModule").get("references"))

    @computed_field
    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Pages about the trial."""
        return Link.read_all(at(self.study, "protocolSection.referencesModule").get("seeAlsoLinks"))

    @computed_field
    @property
    def has_results(self) -> bool:
        """Whether the registry says that results are posted, or the study holds them."""
        return has_results(self.study)

    @computed_field
    @cached_property
    def results(self) -> Results | None:
        """The view of the posted results, or None."""
        return Results.of(at(self.study, "resultsSection"))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Where the record came from: objects with `format`, `file`, `number` and `date`."""
        keys = ("format", "file", "number", "date")
        return [{key: source[key] for key in keys if key in source} for source in self._sources()]

    @property
    def odd(self) -> list[dict[str, Any]]:
        """What was odd in the sources: objects with `field`, `value` and `reason`."""
        lists = [source.get("odd") for source in self._sources()]
        return [entry for listed in lists if type(listed) is list for entry in listed if type(entry) is dict]

    def _sources(self) -> list[Node]:
        listed = at(self.study, "sourceSection").get("sources")
        return [source for source in listed if type(source) is dict] if type(listed) is list else []

    def to_dict(self) -> dict[str, Any]:
        """Return the view as plain data that JSON can hold; the study and its sources are not in it."""
        return self.model_dump(mode="json")

    def __eq__(self, other: object) -> bool:
        return self.study == other.study if isinstance(other, Trial) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.nct_id)

    def __repr__(self) -> str:
        return f"Trial(nct_id={self.nct_id!r}, title={self.title!r})"

    __str__ = __repr__
