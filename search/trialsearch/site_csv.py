r"""CSV as the registry's download button writes it: its columns, its forms of values. Pure functions.

The columns are those that `formats.ctgov_csv` reads; what is written here reads back there, but for what the
form itself loses: the descriptions of outcomes become part of their measures, and where a place or a
measure has commas of its own the parts cannot be told apart again. Lists are joined by `|`, codes stand as
they are, a design is a list of its parts:

>>> design = {"allocation": "RANDOMIZED", "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT"]}}
>>> cells = row({"hasResults": True, "protocolSection": {
...     "identificationModule": {"nctId": "NCT00000001", "orgStudyIdInfo": {"id": "A-1"}},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "designInfo": design},
...     "outcomesModule": {"primaryOutcomes": [{"measure": "Death", "timeFrame": "1 year"}]}}})
>>> {name: cell for name, cell in cells.items() if cell}  # doctest: +NORMALIZE_WHITESPACE
{'NCT Number': 'NCT00000001', 'Study Results': 'YES', 'Primary Outcome Measures': 'Death, 1 year',
 'Phases': 'PHASE1|PHASE2', 'Study Design': 'Allocation: RANDOMIZED|Masking: DOUBLE (PARTICIPANT)',
 'Other IDs': 'A-1'}

A cell that a spreadsheet would run as a formula gets an apostrophe before it (`export.guarded`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trialindex.study_fields import values
from trialindex.summary import has_results, text

if TYPE_CHECKING:
    from trialsearch.results import Hit

__all__ = ["COLUMNS", "as_site_csv", "row"]

Study = dict[str, Any]

_P = "protocolSection."
_ID = _P + "identificationModule."
_STATUS = _P + "statusModule."
_SPONSOR = _P + "sponsorCollaboratorsModule."
_DESIGN = _P + "designModule."
_INFO = _DESIGN + "designInfo."
_OUTCOMES = _P + "outcomesModule."
_ELIGIBILITY = _P + "eligibilityModule."


def as_site_csv(results: Iterable[Hit]) -> Iterator[str]:
    """Yield a header and a row for each trial found, as lines of CSV; partial hits are left out."""
    from trialsearch.export import csv_row, guarded
    from trialsearch.lines import clean

    yield csv_row(COLUMNS)
    for hit in results:
        if not hit.partial:
            # A summary keeps its lines, as the site's do: a quoted cell may have several.
            yield csv_row(
                guarded("\n".join(map(clean, cell.splitlines()))) for cell in row(hit.study).values()
            )


def row(study: Study) -> dict[str, str]:
    """Return the cells of a study by the names of their columns; "" for what it does not state."""
    return {name: make(study) for name, make in COLUMNS.items()}


def _one(path: str) -> Callable[[Study], str]:
    return lambda study: next(iter(_texts(study, path)), "")


def _many(*paths: str, by: str = "|") -> Callable[[Study], str]:
    return lambda study: by.join(value for path in paths for value in _texts(study, path))


def _texts(study: Study, path: str) -> list[str]:
    return [read for value in values(study, path) if (read := text(value)) is not None]


def _listed(path: str, make: Callable[[Study], str]) -> Callable[[Study], str]:
    """Return what writes each object of a list, joined by bars."""

    def cell(study: Study) -> str:
        made = (make(one) for one in values(study, path) if isinstance(one, dict))
        return "|".join(filter(None, made))

    return cell


def _parts(*keys: str) -> Callable[[Study], str]:
    """Return what writes some values of an object, parted by commas."""
    return lambda one: ", ".join(filter(None, (text(one.get(key)) for key in keys)))


def _intervention(one: Study) -> str:
    return ": ".join(filter(None, (text(one.get("type")), text(one.get("name")))))


def _results(study: Study) -> str:
    if has_results(study):
        return "YES"
    return "NO" if study.get("hasResults") is False else ""


_DESIGN_PARTS = {
    "Allocation": _INFO + "allocation",
    "Intervention Model": _INFO + "interventionModel",
    "Observational Model": _INFO + "observationalModel",
    "Time Perspective": _INFO + "timePerspective",
    "Masking": _INFO + "maskingInfo.masking",
    "Primary Purpose": _INFO + "primaryPurpose",
}
_WHO = _INFO + "maskingInfo.whoMasked"


def _design(study: Study) -> str:
    parts = []
    for name, path in _DESIGN_PARTS.items():
        value = _one(path)(study)
        who = _texts(study, _WHO) if name == "Masking" else []
        masked = f" ({', '.join(who)})" if who else ""
        if value:
            parts.append(f"{name}: {value}{masked}")
    return "|".join(parts)


COLUMNS: dict[str, Callable[[Study], str]] = {
    "NCT Number": _one(_ID + "nctId"),
    "Study Title": _one(_ID + "briefTitle"),
    "Study URL": _one("sourceSection.url"),
    "Acronym": _one(_ID + "acronym"),
    "Study Status": _one(_STATUS + "overallStatus"),
    "Brief Summary": _one(_P + "descriptionModule.briefSummary"),
    "Study Results": _results,
    "Conditions": _many(_P + "conditionsModule.conditions"),
    "Interventions": _listed(_P + "armsInterventionsModule.interventions", _intervention),
    "Primary Outcome Measures": _listed(
        _OUTCOMES + "primaryOutcomes", _parts("measure", "description", "timeFrame")
    ),
    "Secondary Outcome Measures": _listed(
        _OUTCOMES + "secondaryOutcomes", _parts("measure", "description", "timeFrame")
    ),
    "Other Outcome Measures": _listed(
        _OUTCOMES + "otherOutcomes", _parts("measure", "description", "timeFrame")
    ),
    "Sponsor": _one(_SPONSOR + "leadSponsor.name"),
    "Collaborators": _many(_SPONSOR + "collaborators.name"),
    "Sex": _one(_ELIGIBILITY + "sex"),
    "Age": _many(_ELIGIBILITY + "stdAges", by=", "),
    "Phases": _many(_DESIGN + "phases"),
    "Enrollment": _one(_DESIGN + "enrollmentInfo.count"),
    "Funder Type": _one(_SPONSOR + "leadSponsor.class"),
    "Study Type": _one(_DESIGN + "studyType"),
    "Study Design": _design,
    "Other IDs": _many(_ID + "orgStudyIdInfo.id", _ID + "secondaryIdInfos.id"),
    "Start Date": _one(_STATUS + "startDateStruct.date"),
    "Primary Completion Date": _one(_STATUS + "primaryCompletionDateStruct.date"),
    "Completion Date": _one(_STATUS + "completionDateStruct.date"),
    "First Posted": _one(_STATUS + "studyFirstPostDateStruct.date"),
    "Results First Posted": _one(_STATUS + "resultsFirstPostDateStruct.date"),
    "Last Update Posted": _one(_STATUS + "lastUpdatePostDateStruct.date"),
    "Locations": _listed(
        _P + "contactsLocationsModule.locations", _parts("facility", "city", "state", "zip", "country")
    ),
    "Study Documents": _listed("documentSection.largeDocumentModule.largeDocs", _parts("label", "url")),
}
