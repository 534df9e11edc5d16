r"""Trials for a reference manager: RIS, one record a trial. Pure functions.

A trial registration is a report (`RPRT`) of the kind `Clinical trial registration`: the type as which
reference managers keep one that they find on the web. `AN` and `ID` are the trial's id, `PB` is the
sponsor, `AU` the officials, or the sponsor where none is named; `DA` and `PY` are the day on which the trial
was first posted, or its start; `KW` conditions, keywords and MeSH terms; `N1` what a list of trials
shows besides; `UR` stands only where the record came with an address.

>>> one = {"protocolSection": {
...     "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A\ntrial"},
...     "statusModule": {"studyFirstPostDateStruct": {"date": "2012-02-03"}},
...     "contactsLocationsModule": {"overallOfficials": [{"name": "Ann B. Doe, MD"}]}}}
>>> print(record(one).replace("\r\n", "\n").strip())
TY  - RPRT
AN  - NCT00000001
ID  - NCT00000001
TI  - A trial
AU  - Doe, Ann B., MD
PY  - 2012
DA  - 2012/02/03/
M3  - Clinical trial registration
ER  -

Source: the RIS format specification of Research Information Systems (tags of two letters, two spaces, a
hyphen and a space; CR LF; `YYYY/MM/DD/` for days, `Last, First, Suffix` for people).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trialindex import codes
from trialindex.study_fields import field, values
from trialindex.summary import Summary, date_text
from trialsearch.lines import clean

if TYPE_CHECKING:
    from trialsearch.results import Hit

__all__ = ["as_ris", "record"]

_END = "\r\n"


def as_ris(results: Iterable[Hit]) -> Iterator[str]:
    """Yield a record for each trial found, the line end of its last line left out; partial hits are left
    out.
    """
    return (record(hit.study).removesuffix("\n") for hit in results if not hit.partial)


def record(study: dict[str, Any]) -> str:
    """Return a study as one RIS record, an empty line behind it."""
    rows = [("TY", "RPRT"), *_rows(study), ("M3", "Clinical trial registration")]
    lines = [f"{tag}  - {text}" for tag, value in rows if (text := _line(value))]
    return _END.join([*lines, "ER  - ", "", ""])


def _line(value: str) -> str:
    """Return a value as it stands on one line: RIS knows no other break than the next tag."""
    return " ".join(clean(value).split())


def _rows(study: dict[str, Any]) -> Iterator[tuple[str, str]]:
    found = Summary(study)
    yield from (("AN", found.nct_id or ""), ("ID", found.nct_id or ""))
    yield "TI", found.title or found.official_title or ""
    officials = [_person(name) for name in _texts(study, "OverallOfficialName")]
    # A comma at the end says that this is no person, whose first name would follow it.
    yield from (("AU", name) for name in officials or ([f"{found.sponsor},"] if found.sponsor else []))
    posted = _texts(study, "StudyFirstPostDate") or _texts(study, "StartDate")
    day = date_text(posted[0]) if posted else None
    if day:
        yield from (("PY", day[:4]), ("DA", _day(day)))
    yield "PB", found.sponsor or ""
    yield from (("AB", text) for text in _texts(study, "BriefSummary")[:1])
    words = [text for piece in _KEYWORDS for text in _texts(study, piece)]
    yield from (("KW", word) for word in dict.fromkeys(words))
    yield from (("N1", note) for note in _notes(study, found))
    yield from (("UR", url) for url in values(study, "sourceSection.url")[:1] if isinstance(url, str))


_KEYWORDS = ("Condition", "Keyword", "ConditionMeshTerm", "InterventionMeshTerm")


def _texts(study: dict[str, Any], piece: str) -> list[str]:
    return [value for value in values(study, field(piece).path) if isinstance(value, str)]


def _day(day: str) -> str:
    """Return a partial date as RIS has it.

    >>> _day("2012"), _day("2012-02")
    ('2012///', '2012/02//')
    """
    year, month, number = (*day.split("-"), "", "")[:3]
    return f"{year}/{month}/{number}/"


def _person(name: str) -> str:
    """Return a name with the family name first; what follows a comma (degrees) stays behind it.

    >>> _person("Ann B. Doe, MD, PhD"), _person("Doe"), _person(" ")
    ('Doe, Ann B., MD PhD', 'Doe', '')
    """
    plain, *titles = (part.strip() for part in name.split(","))
    *first, last = plain.split() or [""]
    suffix = " ".join(filter(None, titles))
    return ", ".join(filter(None, (last, " ".join(first), suffix)))


def _notes(study: dict[str, Any], found: Summary) -> Iterator[str]:
    phases = "/".join(codes.words(phase) for phase in found.phases if phase != "NA")
    for label, value in (
        ("Official title", found.official_title if found.title and found.official_title else ""),
        ("Status", codes.words(found.status) if found.status else ""),
        ("Phase", phases),
        ("Study type", codes.words(found.study_type) if found.study_type else ""),
        ("Interventions", "; ".join(dict.fromkeys(found.interventions))),
        ("Start", found.start or ""),
        ("Completion", found.completion or ""),
        ("Enrollment", "" if found.enrollment is None else str(found.enrollment)),
        ("Results", "posted" if found.has_results else ""),
    ):
        if value:
            yield f"{label}: {value}"
