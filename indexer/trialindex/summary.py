"""What a list shows of a study, and how a value of any type is read as that of its field.

`Summary` has the few fields of a study that a line of an answer needs. It is made in microseconds and loads
nothing; `trial.Trial`, which has them all, checked, takes the readers and the tables of this module.

>>> one = Summary({"hasResults": True, "protocolSection": {
...     "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial"},
...     "statusModule": {"startDateStruct": {"date": "February 2012", "type": "ACTUAL"}},
...     "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 99999999}},
...     "contactsLocationsModule": {"locations": [{"country": "Japan"}, {"country": "Japan"}, {}]}}})
>>> one.title, one.phases, one.enrollment, one.start, one.countries, one.has_results
('A trial', ('PHASE1', 'PHASE2'), None, '2012-02', ('Japan',), True)

A value of another type than its field's is left out, but for a number where text belongs:

>>> odd = Summary({"protocolSection": {"identificationModule": {"briefTitle": 5}, "designModule": ["x"]}})
>>> odd.title, odd.phases, odd.sponsor, odd.interventions
('5', (), None, ())
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trialindex.dates import parse_date

__all__ = [
    "PLAIN_ROWS", "Node", "Rows", "Summary", "at", "branch", "count", "countries", "date_text", "enrollment",
    "has_results", "text", "texts",
]  # fmt: skip

_NO_NUMBER = 99999999  # what the registry writes when nobody stated the enrolment

Node = dict[str, Any]
# Field, key in the study's object, how its value is read.
Rows = tuple[tuple[str, str, Callable[[Any], Any]], ...]


def text(value: Any) -> str | None:
    """Return a value as text that can be printed and written; None for what is neither text nor a number."""
    if type(value) is not str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        # Python refuses to print an integer of more than 4300 digits.
        return str(value) if isinstance(value, float) or abs(value) < 10**100 else None
    if value.isascii():
        return value or None
    # A lone surrogate (a broken \\u escape in JSON) can be neither printed nor written: a question mark can.
    return value.encode("utf-8", "replace").decode("utf-8")


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, or the one text that stands in its place."""
    if type(value) is list:
        return tuple([read for item in value if (read := text(item)) is not None])
    one = text(value)
    return () if one is None else (one,)


def count(value: Any) -> int | None:
    """Return a whole number from 0 to 2**63 - 1; None for all else."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**63 else None


def enrollment(value: Any) -> int | None:
    """Return a number of participants; None where nobody stated it."""
    number = count(value)
    return None if number == _NO_NUMBER else number


def date_text(value: Any) -> str | None:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` for a date, or for an object of a date and its type."""
    if type(value) is dict:
        value = value.get("date")
    return parse_date(value) if isinstance(value, str) and len(value) < 100 else None


def branch(value: Any) -> Node:
    """Return a value that is an object; an empty object for all else."""
    return value if type(value) is dict else {}


def at(study: Node, path: str) -> Node:
    """Return the object at a dotted path; an empty one where there is none."""
    place: Any = study
    for step in path.split("."):
        place = branch(place).get(step)
    return branch(place)


# The fields that are alike in a Summary and a Trial, by the module that they stand in.
PLAIN_ROWS: dict[str, Rows] = {
    "protocolSection.identificationModule": (
        ("nct_id", "nctId", text),
        ("title", "briefTitle", text),
        ("official_title", "officialTitle", text),
    ),
    "protocolSection.statusModule": (("status", "overallStatus", text),),
    "protocolSection.designModule": (("study_type", "studyType", text), ("phases", "phases", texts)),
    "protocolSection.designModule.enrollmentInfo": (("enrollment", "count", enrollment),),
    "protocolSection.conditionsModule": (("conditions", "conditions", texts),),
}


def _objects(study: Node, path: str, key: str) -> list[Node]:
    listed = at(study, path).get(key)
    return [one for one in listed if type(one) is dict] if type(listed) is list else []


def countries(study: Node) -> tuple[str, ...]:
    """Return the countries of the sites, each once, in their order."""
    sites = _objects(study, "protocolSection.contactsLocationsModule", "locations")
    found = (text(site.get("country")) for site in sites)
    return tuple(dict.fromkeys(country for country in found if country))


def has_results(study: Node) -> bool:
    """Whether the registry says that results are posted, or the study holds them."""
    return study.get("hasResults") is True or bool(at(study, "resultsSection"))


class Summary:
    """The fields of a study that a list shows. `interventions` and `sponsor` are names, dates partial dates
    as text; what the study does not state is None or ().
    """

    nct_id: str | None = None
    title: str | None = None
    official_title: str | None = None
    status: str | None = None
    study_type: str | None = None
    phases: tuple[str, ...] = ()
    enrollment: int | None = None
    conditions: tuple[str, ...] = ()

    def __init__(self, study: Node) -> None:
        for path, rows in PLAIN_ROWS.items():
            held = at(study, path)
            for name, key, read in rows:
                if key in held:
                    setattr(self, name, read(held[key]))
        status = at(study, "protocolSection.statusModule")
        self.start = date_text(status.get("startDateStruct"))
        self.completion = date_text(status.get("completionDateStruct"))
        given = _objects(study, "protocolSection.armsInterventionsModule", "interventions")
        names = (text(one.get("name")) for one in given)
        self.interventions = tuple(name for name in names if name)
        sponsor = at(study, "protocolSection.sponsorCollaboratorsModule.leadSponsor")
        self.sponsor = text(sponsor.get("name"))
        self.countries = countries(study)
        self.has_results = has_results(study)
