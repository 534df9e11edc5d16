"""A study as the index sees it: field -> values. Pure; knows no disk.

>>> study = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 99999999}},
...     "statusModule": {"startDateStruct": {"date": "2012-02"}}}}
>>> document = Document.of(study)
>>> document.text["BriefTitle"], document.codes["Phase"]
(['A trial'], ['PHASE1', 'PHASE2'])
>>> document.numbers["StartDate"], document.numbers["StartDateLast"], "EnrollmentCount" in document.numbers
(734534, 734562, False)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialindex import codes
from trialindex.analysis import fold
from trialindex.criteria import split_criteria
from trialindex.dates import date_range, parse_age, parse_date
from trialindex.fields import FIELDS
from trialindex.study_fields import by_piece, values

__all__ = ["NO_NUMBER_OF_PARTICIPANTS", "Document"]

# The registry's placeholder for an enrolment that nobody stated.
NO_NUMBER_OF_PARTICIPANTS = 99999999


@dataclass(frozen=True, slots=True)
class Document:
    """The values of one trial by field name; fields without a value are absent.

    `text`: values as written. `codes`: the registry's codes; booleans as `true` and `false`. `names`: whole
    values with their display form after a tab where the two differ. `numbers`: days as proleptic ordinals
    (`X` the first and `XLast` the last day that a date may mean), ages in days, counts.
    """

    text: dict[str, list[str]]
    codes: dict[str, list[str]]
    names: dict[str, list[str]]
    numbers: dict[str, float]

    @classmethod
    def of(cls, study: dict[str, Any]) -> Document:
        """Work out the document of a study in the registry's structure; odd values are left out, never
        an error.
        """
        text: dict[str, list[str]] = {}
        code: dict[str, list[str]] = {}
        numbers: dict[str, float] = {}
        for field in FIELDS.values():
            if not field.path:
                continue
            found = values(study, field.path)
            if not found:
                continue
            if field.kind == "text":
                text[field.name] = [str(value) for value in found]
            elif field.kind == "code":
                code[field.name] = list(dict.fromkeys(_code(value) for value in found))
            elif field.kind == "day":
                numbers |= _days(field.name, found[0])
            else:
                numbers |= _number(field.name, found[0])
        criteria = split_criteria("\n\n".join(text.get("EligibilityCriteria", [])))
        for name, part in (
            ("InclusionCriteria", criteria.inclusion),
            ("ExclusionCriteria", criteria.exclusion),
        ):
            if part.strip():
                text[name] = [part]
        return cls(text, code, _names(study), numbers)


def _code(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _days(name: str, value: Any) -> dict[str, float]:
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        return {}
    first, last = date_range(day)
    return {name: first.toordinal(), f"{name}Last": last.toordinal()}


def _number(name: str, value: Any) -> dict[str, float]:
    if name == "EnrollmentCount":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return {name: value} if whole and 0 <= value < NO_NUMBER_OF_PARTICIPANTS else {}
    age = parse_age(value) if isinstance(value, str) else None
    return {name: age.days} if age else {}


def _names(study: dict[str, Any]) -> dict[str, list[str]]:
    def found(*pieces: str) -> list[str]:
        table = by_piece()
        held = [value for piece in pieces for value in values(study, table[piece].path)]
        tidy = [" ".join(value.split()) for value in held if isinstance(value, str)]
        return list(dict.fromkeys(value for value in tidy if value))

    conditions = found("Condition", "ConditionMeshTerm")
    interventions = found("InterventionName", "InterventionOtherName", "InterventionMeshTerm")
    made = {
        "AnyId": [value.upper() for value in found("NCTId", "NCTIdAlias")],
        "Country": list(dict.fromkeys(fold(value) for value in found("LocationCountry"))),
        "ConditionName": [f"{fold(value)}\t{value}" for value in conditions],
        "InterventionFullName": [f"{fold(value)}\t{value}" for value in interventions],
    }
    return {name: held for name, held in made.items() if held}


def code_text(code: str) -> str:
    """Return what a code says as text, so that its words can be searched; "" for yes and no."""
    return "" if code in {"true", "false"} else codes.words(code)
