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

from trialindex.study_fields import field, values
from trialindex.summary import has_results, text

if TYPE_CHECKING:
    from trialsearch.results import Hit

__all__ = ["COLUMNS", "as_site_csv", "row"]

Study = dict[str, Any]


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


def _one(piece: str) -> Callable[[Study], str]:
    return lambda study: next(iter(_texts(study, piece)), "")


def _many(*pieces: str, by: str = "|") -> Callable[[Study], str]:
    return lambda study: by.join(value for piece in pieces for value in _texts(study, piece))


def _texts(study: Study, piece: str) -> list[str]:
    found = (text(value) for value in values(study, field(piece).path))
    return [value for value in found if value is not None]


def _listed(piece: str, make: Callable[[Study], str]) -> Callable[[Study], str]:
    """Return what writes each object of a list, joined by bars."""

    def cell(study: Study) -> str:
        made = (make(one) for one in values(study, field(piece).path) if isinstance(one, dict))
        return "|".join(filter(None, made))

    return cell


def _parts(*keys: str) -> Callable[[Study], str]:
    """Return what writes some values of an object, parted by commas."""
    return lambda one: ", ".join(filter(None, (text(one.get(key)) for key in keys)))


def _intervention(one: Study) -> str:
    return ": ".join(filter(None, (text(one.get("type")), text(one.get("name")))))


def _url(study: Study) -> str:
    return next((url for value in values(study, "sourceSection.url") if (url := text(value))), "")


def _results(study: Study) -> str:
    if has_results(study):
        return "YES"
    return "NO" if study.get("hasResults") is False else ""


_DESIGN_PARTS = {
    "Allocation": "DesignAllocation",
    "Intervention Model": "DesignInterventionModel",
    "Observational Model": "DesignObservationalModel",
    "Time Perspective": "DesignTimePerspective",
    "Masking": "DesignMasking",
    "Primary Purpose": "DesignPrimaryPurpose",
}


def _design(study: Study) -> str:
    parts = []
    for name, piece in _DESIGN_PARTS.items():
        value = _one(piece)(study)
        who = _texts(study, "DesignWhoMasked") if name == "Masking" else []
        masked = f" ({', '.join(who)})" if who else ""
        if value:
            parts.append(f"{name}: {value}{masked}")
    return "|".join(parts)


_OUTCOME = _parts("measure", "description", "timeFrame")
COLUMNS: dict[str, Callable[[Study], str]] = {
    "NCT Number": _one("NCTId"),
    "Study Title": _one("BriefTitle"),
    "Study URL": _url,
    "Acronym": _one("Acronym"),
    "Study Status": _one("OverallStatus"),
    "Brief Summary": _one("BriefSummary"),
    "Study Results": _results,
    "Conditions": _many("Condition"),
    "Interventions": _listed("Intervention", _intervention),
    "Primary Outcome Measures": _listed("PrimaryOutcome", _OUTCOME),
    "Secondary Outcome Measures": _listed("SecondaryOutcome", _OUTCOME),
    "Other Outcome Measures": _listed("OtherOutcome", _OUTCOME),
    "Sponsor": _one("LeadSponsorName"),
    "Collaborators": _many("CollaboratorName"),
    "Sex": _one("Sex"),
    "Age": _many("StdAge", by=", "),
    "Phases": _many("Phase"),
    "Enrollment": _one("EnrollmentCount"),
    "Funder Type": _one("LeadSponsorClass"),
    "Study Type": _one("StudyType"),
    "Study Design": _design,
    "Other IDs": _many("OrgStudyId", "SecondaryId"),
    "Start Date": _one("StartDate"),
    "Primary Completion Date": _one("PrimaryCompletionDate"),
    "Completion Date": _one("CompletionDate"),
    "First Posted": _one("StudyFirstPostDate"),
    "Results First Posted": _one("ResultsFirstPostDate"),
    "Last Update Posted": _one("LastUpdatePostDate"),
    "Locations": _listed("Location", _parts("facility", "city", "state", "zip", "country")),
    "Study Documents": _listed("LargeDoc", _parts("label", "url")),
}
