r"""ClinicalTrials.gov CSV: the table that the site's download button gives, a study a row.

A column's name leads to its place in the study (COLUMNS). Columns come in any order and number; comma, tab or
semicolon parts the cells. The spellings of the site before 2023 (`Title`, `Status`, `Gender`, `Funded Bys`)
are read as well. What has no place of its own is kept under a key of ours, `sourceSection`: the study's
address, and all other columns as they stand.

>>> import io
>>> text = 'NCT Number,Study Title,Phases,Colour\nNCT00000001,"One, two",PHASE1|PHASE2,red\n,Three,NA,blue\n'
>>> record, rejected = read(SourceFile("some.csv", lambda: io.BytesIO(text.encode())))
>>> record.study["protocolSection"]["designModule"], record.study["sourceSection"]
({'phases': ['PHASE1', 'PHASE2']}, {'columns': {'Colour': 'red'}})
>>> rejected
Rejected(file='some.csv', number=2, reason='no NCT Number', raw=',Three,NA,blue', field='NCTId')

Two columns join with commas what they do not quote, so that they cannot be parted surely:

- An outcome is `measure, description, time frame`. A last part that is plainly a time becomes the time frame;
all else stays
  together as the measure.
- A location is `facility, city, state, zip, country`, with any of them left out. It is read from the end.
Where a part may
  be a city as well as a state, or a facility may have a comma of its own, all but country and zip stay
  together as the facility.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from trialindex import codes
from trialindex.formats.draft import Draft
from trialindex.formats.files import Share, SourceFile, TextStream, repair
from trialindex.formats.record import Item, Rejected, Skipped, SourceRecord
from trialindex.registry_ids import is_nct_id
from trialindex.study_fields import values

__all__ = ["COLUMNS", "NAME", "STATES", "Column", "read", "recognises"]

NAME = "ctgov-csv"

_CHUNK = 1 << 16
_LONGEST = 16 << 20
_DELIMITERS = ",\t;"

_P = "protocolSection."
_ID = _P + "identificationModule."
_STATUS = _P + "statusModule."
_SPONSOR = _P + "sponsorCollaboratorsModule."
_DESIGN = _P + "designModule."
_INFO = _DESIGN + "designInfo."
_INTERVENTIONS = _P + "armsInterventionsModule.interventions"
_OUTCOMES = _P + "outcomesModule."
_ELIGIBILITY = _P + "eligibilityModule."
_LOCATIONS = _P + "contactsLocationsModule.locations"
_DOCUMENTS = "documentSection.largeDocumentModule.largeDocs"


@dataclass(frozen=True, slots=True)
class Column:
    """What becomes of a column: the study paths that it states, and how a cell is put there."""

    paths: tuple[str, ...]
    put: Callable[[Draft, str], None]


def _one(path: str) -> Column:
    return Column((path,), lambda draft, cell: draft.put(path, cell))


def _many(path: str) -> Column:
    def put(draft: Draft, cell: str) -> None:
        for part in cell.split("|"):
            draft.put(path, part)

    return Column((path,), put)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _interventions(draft: Draft, cell: str) -> None:
    for part in _parts(cell):
        made = draft.item(_INTERVENTIONS)
        kind, colon, name = part.partition(":")
        if colon and codes.code("InterventionType", kind):
            made.put("type", kind)
            made.put("name", name)
        else:
            made.put("name", part)


_UNITS = r"(?:second|minute|hour|day|week|month|year|cycle|visit)s?"
_SPAN = rf"\d+(?:\.\d+)?(?:\s?(?:-|–|to|and)\s?\d+(?:\.\d+)?)?[\s-]?{_UNITS}"
_TIME = re.compile(
    rf"(?:(?:up to|at|within|for|over|after|every|approximately|through|from)\s+)*"
    rf"(?:{_SPAN}|{_UNITS}\s\d+(?:\s?(?:-|–|to|and)\s?\d+)?|baseline|study completion)"
    rf"(?:\s(?:after|from|post|following|of|to|until|and|before)\b[^.]{{0,80}})?",
    re.IGNORECASE,
)


def _outcomes(kind: str) -> Column:
    path = _OUTCOMES + kind

    def put(draft: Draft, cell: str) -> None:
        for part in _parts(cell):
            made = draft.item(path)
            measure, _, time = part.rpartition(", ")
            clear = bool(measure) and _TIME.fullmatch(time.strip()) is not None
            made.put("measure", measure if clear else part)
            made.put("timeFrame", time if clear else "")

    return Column((f"{path}.measure", f"{path}.timeFrame"), put)


def _collaborators(draft: Draft, cell: str) -> None:
    for part in _parts(cell):
        draft.item(_SPONSOR + "collaborators").put("name", part)


def _sponsors(draft: Draft, cell: str) -> None:
    lead, _, others = cell.partition("|")
    draft.put(_SPONSOR + "leadSponsor.name", lead)
    _collaborators(draft, others)


_AGES = re.compile(r"(?P<ages>[^()]*?)\s*\((?P<groups>[^()]*)\)")
_YEARS = r"\d+ (?:Minute|Hour|Day|Week|Month|Year)s?"
_BOUNDS = re.compile(
    rf"(?:(?P<from>{_YEARS}) (?:to (?P<to>{_YEARS})|and older)|up to (?P<upto>{_YEARS}))", re.IGNORECASE
)


def _age(draft: Draft, cell: str) -> None:
    """Put an age: groups alone, or the older `18 Years to 65 Years   (Adult, Older Adult)`."""
    written = _AGES.fullmatch(cell.strip())
    bounds = _BOUNDS.fullmatch(written["ages"]) if written else None
    if written is None or (bounds is None and written["ages"]):
        draft.put(_ELIGIBILITY + "stdAges", cell)
        return
    if bounds is not None:
        draft.put(_ELIGIBILITY + "minimumAge", bounds["from"])
        draft.put(_ELIGIBILITY + "maximumAge", bounds["to"] or bounds["upto"])
    draft.put(_ELIGIBILITY + "stdAges", written["groups"])


_RESULTS = {"hasresults": "yes", "noresultsavailable": "no"}


def _results(draft: Draft, cell: str) -> None:
    draft.put("hasResults", _RESULTS.get(_key(cell), cell))


_DESIGN_PARTS = {
    "allocation": _INFO + "allocation",
    "interventionmodel": _INFO + "interventionModel",
    "primarypurpose": _INFO + "primaryPurpose",
    "observationalmodel": _INFO + "observationalModel",
    "timeperspective": _INFO + "timePerspective",
    "masking": _INFO + "maskingInfo.masking",
}
_WHO = _INFO + "maskingInfo.whoMasked"
_MASKING = re.compile(r"(?P<masking>[^()]*?)\s*\((?P<who>[^()]*)\)")


def _design(draft: Draft, cell: str) -> None:
    for part in _parts(cell):
        name, _, value = part.partition(":")
        path = _DESIGN_PARTS.get(_key(name))
        if path is None:
            draft.note("Study Design", part, "no part of a design")
            _keep(draft, "Study Design", part)
            continue
        masked = _MASKING.fullmatch(value.strip())
        if masked and path.endswith("masking") and codes.code("DesignMasking", value) is None:
            draft.put(_WHO, masked["who"])
            value = masked["masking"]
        draft.put(path, value)


def _other_ids(draft: Draft, cell: str) -> None:
    first, *others = _parts(cell) or [""]
    draft.put(_ID + "orgStudyIdInfo.id", first)
    for other in others:
        draft.item(_ID + "secondaryIdInfos").put("id", other)


def _documents(draft: Draft, cell: str) -> None:
    for part in _parts(cell):
        made = draft.item(_DOCUMENTS)
        label, _, url = part.rpartition(", ")
        if url.startswith(("http://", "https://")):
            made.put("label", label.strip('"'))
            made.put("url", url)
        else:
            made.put("label", part)


def _funders(draft: Draft, cell: str) -> None:
    """Put the sponsor's class. The older table names several classes without saying whose."""
    if len(_parts(cell)) == 1:
        draft.put(_SPONSOR + "leadSponsor.class", cell)
    else:
        _keep(draft, "Funded Bys", cell)


# Countries whose names have a comma, by what stands after it.
_COUNTRY_ENDS = {
    "republic of",
    "islamic republic of",
    "the former yugoslav republic of",
    "the democratic republic of the",
    "former",
    "occupied",
    "democratic people's republic of",
    "province of china",
    "british",
    "u.s.",
}
# Only where the registry always writes the state is a part known to be one.
_STATES_OF = {
    country: {state.strip() for state in states.split(",")}
    for country, states in {
        "United States": """Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware,
            District of Columbia, Florida, Georgia, Hawaii, Idaho, Illinois, Indiana, Iowa, Kansas, Kentucky,
            Louisiana, Maine, Maryland, Massachusetts, Michigan, Minnesota, Mississippi, Missouri, Montana,
            Nebraska, Nevada, New Hampshire, New Jersey, New Mexico, New York, North Carolina, North Dakota,
            Ohio, Oklahoma, Oregon, Pennsylvania, Rhode Island, South Carolina, South Dakota, Tennessee,
            Texas, Utah, Vermont, Virginia, Washington, West Virginia, Wisconsin, Wyoming""",
        "Canada": """Alberta, British Columbia, Manitoba, New Brunswick, Newfoundland and Labrador, Northwest
        Territories,
            Nova Scotia, Nunavut, Ontario, Prince Edward Island, Quebec, Saskatchewan, Yukon""",
        "Australia": """Australian Capital Territory, New South Wales, Northern Territory, Queensland, South
        Australia,
            Tasmania, Victoria, Western Australia""",
    }.items()
}
_ZIP = re.compile(r"(?=.*\d)(?!.*[A-Za-z]{4})[A-Z0-9][A-Za-z0-9 .-]{1,11}")


def _location(made: Draft, text: str) -> None:
    rest = text.split(", ")
    if len(rest) > 2 and rest[-1].lower() in _COUNTRY_ENDS:
        rest[-2:] = [", ".join(rest[-2:])]
    if len(rest) < 2:
        made.put("facility", text)
        return
    country = rest.pop()
    made.put("country", country)
    if len(rest) > 1 and _ZIP.fullmatch(rest[-1]):
        made.put("zip", rest.pop())
    known = rest[-1] in _STATES_OF.get(country, ())
    # `Beijing, Beijing` is a city and the state of the same name.
    if len(rest) > 1 and (known or (len(rest) > 2 and rest[-1] == rest[-2])):
        made.put("state", rest.pop())
    elif len(rest) > 2:
        made.put("facility", ", ".join(rest))
        return
    made.put("city", rest.pop())
    made.put("facility", ", ".join(rest))


def _locations(draft: Draft, cell: str) -> None:
    for part in _parts(cell):
        _location(draft.item(_LOCATIONS), part)


def _keep(draft: Draft, column: str, cell: str) -> None:
    """Keep a cell that has no place in a study."""
    if cell.strip():
        kept = draft.study.setdefault("sourceSection", {}).setdefault("columns", {})
        kept[column] = f"{kept[column]}|{cell}" if column in kept else cell


def _items(path: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{path}.{name}" for name in names)


COLUMNS: dict[str, Column] = {
    "NCT Number": _one(_ID + "nctId"),
    "Study Title": _one(_ID + "briefTitle"),
    "Study URL": Column(("sourceSection.url",), lambda draft, cell: draft.put("sourceSection.url", cell)),
    "Acronym": _one(_ID + "acronym"),
    "Study Status": _one(_STATUS + "overallStatus"),
    "Brief Summary": _one(_P + "descriptionModule.briefSummary"),
    "Study Results": Column(("hasResults",), _results),
    "Conditions": _many(_P + "conditionsModule.conditions"),
    "Interventions": Column(_items(_INTERVENTIONS, "type", "name"), _interventions),
    "Primary Outcome Measures": _outcomes("primaryOutcomes"),
    "Secondary Outcome Measures": _outcomes("secondaryOutcomes"),
    "Other Outcome Measures": _outcomes("otherOutcomes"),
    "Sponsor": _one(_SPONSOR + "leadSponsor.name"),
    "Collaborators": Column((_SPONSOR + "collaborators.name",), _collaborators),
    "Sex": _one(_ELIGIBILITY + "sex"),
    "Age": Column(_items(_ELIGIBILITY[:-1], "stdAges"), _age),
    "Phases": _one(_DESIGN + "phases"),
    "Enrollment": _one(_DESIGN + "enrollmentInfo.count"),
    "Funder Type": _one(_SPONSOR + "leadSponsor.class"),
    "Study Type": _one(_DESIGN + "studyType"),
    "Study Design": Column((*_DESIGN_PARTS.values(), _WHO), _design),
    "Other IDs": Column((_ID + "orgStudyIdInfo.id", _ID + "secondaryIdInfos.id"), _other_ids),
    "Start Date": _one(_STATUS + "startDateStruct.date"),
    "Primary Completion Date": _one(_STATUS + "primaryCompletionDateStruct.date"),
    "Completion Date": _one(_STATUS + "completionDateStruct.date"),
    "First Posted": _one(_STATUS + "studyFirstPostDateStruct.date"),
    "Results First Posted": _one(_STATUS + "resultsFirstPostDateStruct.date"),
    "Last Update Posted": _one(_STATUS + "lastUpdatePostDateStruct.date"),
    "Locations": Column(_items(_LOCATIONS, "facility", "city", "state", "zip", "country"), _locations),
    "Study Documents": Column(_items(_DOCUMENTS, "label", "url"), _documents),
}
STATES: frozenset[str] | None = frozenset(path for column in COLUMNS.values() for path in column.paths)

# The names before 2023, where they differ by more than a plural.
_OLDER: dict[str, Column] = {
    "Title": COLUMNS["Study Title"],
    "Status": COLUMNS["Study Status"],
    "URL": COLUMNS["Study URL"],
    "Gender": COLUMNS["Sex"],
    "Study Designs": COLUMNS["Study Design"],
    "Sponsor/Collaborators": Column(
        _items(_SPONSOR[:-1], "leadSponsor.name", "collaborators.name"), _sponsors
    ),
    "Funded Bys": Column((_SPONSOR + "leadSponsor.class",), _funders),
}


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_BY_KEY = {_key(name): column for name, column in (COLUMNS | _OLDER).items()}


def _columns(header: list[str]) -> list[Column | None] | None:
    """Return the columns of a header row, None for each unknown one; None altogether for no header."""
    found = [_BY_KEY.get(_key(cell)) for cell in header]
    known = sum(column is not None for column in found)
    return found if known > 1 and COLUMNS["NCT Number"] in found else None


# A row of broken text has words where the id should be; an unusual id is still an id.
_SOME_ID = re.compile(r"(?=.*\d)[A-Za-z]+[\w/.-]{1,40}")


class _Cut(Exception):
    """The buffer ends inside a row."""


@cache
def _cell_patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    plain = rf"[^{delimiter}\r\n]*"
    return re.compile(rf'"([^"]*(?:""[^"]*)*)"({plain})'), re.compile(rf"({plain})")


def _row(text: str, place: int, delimiter: str, last: bool) -> tuple[list[str], int]:
    """Return the cells of the row at a place of a text, and where the next row starts.

    `last`: no text follows. Raises _Cut when the text ends before the row does; at the end that is an open
    quote.
    """
    quoted, plain = _cell_patterns(delimiter)
    cells = []
    while True:
        if text.startswith('"', place):
            match = quoted.match(text, place)
            if match is None:
                raise _Cut
            cells.append(match[1].replace('""', '"') + match[2])
        else:
            match = plain.match(text, place)
            if match is None:
                raise _Cut
            cells.append(match[1])
        place = match.end()
        # A quote or a line end at the buffer's end may be the first of a pair.
        if place + 1 >= len(text) and not last:
            raise _Cut
        if text.startswith(delimiter, place):
            place += 1
        elif text.startswith("\r\n", place):
            return cells, place + 2
        else:
            return cells, min(place + 1, len(text))


def _header(text: str, last: bool) -> tuple[str, list[str], list[Column | None], int] | None:
    """Return delimiter, names, columns and end of the header row that a text starts with, or None."""
    start = len(text) - len(text.lstrip("\ufeff\r\n "))
    for delimiter in _DELIMITERS:
        try:
            names, end = _row(text, start, delimiter, last)
        except _Cut:
            continue
        columns = _columns(names)
        if columns is not None:
            return delimiter, [name.strip() for name in names], columns, end
    return None


def recognises(head: str) -> bool:
    """Whether a text starts with a row of the site's column names, NCT Number and at least one more."""
    return _header(head, True) is not None


def read(file: SourceFile, chunk: int = _CHUNK, longest: int = _LONGEST) -> Iterator[Item | None]:
    """Yield the studies of a file, None for those of other readers. Bytes are read by the `chunk`; a row may
    have `longest` characters.
    """
    with file.open() as stream:
        yield from _Table(file.label, TextStream(stream, chunk), longest, file.share).items()


class _Table:
    def __init__(self, label: str, text: TextStream, longest: int, share: Share) -> None:
        self._label = label
        self._share = share
        self._text = text
        self._longest = longest
        self._buffer = ""
        self._place = 0
        self._delimiter = ","
        self._names: list[str] = []
        self._columns: list[Column | None] = []
        self._states: frozenset[str] = frozenset()

    def items(self) -> Iterator[Item | None]:
        # The header has the first 64 KB to show itself, as in `recognises`.
        while len(self._buffer) < _CHUNK and self._fill():
            pass
        header = _header(self._buffer, self._text.ended)
        if header is None:
            if self._text.fault:
                yield Rejected(self._label, 0, self._text.fault, repair(self._buffer)[0])
            else:
                yield Skipped(self._label, "a table without the column NCT Number")
            return
        self._delimiter, self._names, self._columns, self._place = header
        self._states = frozenset(path for column in self._columns if column for path in column.paths)
        number = 0
        reason = ""
        while self._place < len(self._buffer) or self._fill():
            cells, raw, reason = self._row()
            if not raw.strip(f"\r\n {self._delimiter}\0"):
                continue
            number += 1
            if reason:
                yield Rejected(self._label, number, reason, repair(raw)[0])
            else:
                yield self._record(cells, raw, number) if self._share.has(number) else None
        if not number:
            reason = self._text.fault
            yield (
                Rejected(self._label, 0, reason, "")
                if reason
                else Skipped(self._label, "a table without rows")
            )
        elif self._text.fault and not reason:
            yield Rejected(self._label, number + 1, self._text.fault, "")

    def _fill(self) -> bool:
        rest = self._buffer[self._place :]
        self._buffer, self._place = self._text.extend(rest), 0
        return len(self._buffer) > len(rest)

    def _row(self) -> tuple[list[str], str, str]:
        """Return the next row's cells and text, and why it is no row ("" if it is), and move on."""
        cells: list[str] = []
        reason = ""
        while True:
            try:
                cells, end = _row(self._buffer, self._place, self._delimiter, self._text.ended)
                break
            except _Cut:
                end = len(self._buffer)
                if self._text.ended:
                    reason = self._text.fault or "the file ends inside a quoted cell"
                    break
                if end - self._place > self._longest:
                    reason = f"over {self._longest} characters, too long for a row"
                    break
                self._fill()
        raw = self._buffer[self._place : end]
        whole = len(cells) == len(self._names)
        if not whole and (match := self._swallowed().search(raw)) is not None:
            end = self._place + match.end()
            raw, reason = raw[: match.start()], "a quote that does not close"
        elif not reason and self._text.ended and end == len(self._buffer) and not raw.endswith(("\r", "\n")):
            short = "the file ends in the middle of it" if len(cells) < len(self._names) else ""
            reason = self._text.fault or short
        self._place = end
        return cells, raw.rstrip("\r\n"), reason

    def _swallowed(self) -> re.Pattern[str]:
        """The start of a row that a lost quote has swallowed: a line with an id first, as ids are."""
        first = self._columns[0] is COLUMNS["NCT Number"]
        return re.compile(rf'[\r\n]+(?="?NCT\d{{8}}"?{self._delimiter})' if first else r"(?!)")

    def _record(self, cells: list[str], raw: str, number: int) -> Item:
        draft = Draft()
        for index, cell in enumerate(cells):
            name = self._names[index] if index < len(self._names) else ""
            column = self._columns[index] if index < len(self._names) else None
            cell, note = repair(cell)
            if note:
                draft.note("encoding", cell, note)
            if "\0" in cell:
                cell = cell.replace("\0", "")
                draft.note(name, cell, "holds NUL characters: left out")
            if column is None:
                _keep(draft, name or f"cell {index + 1}", cell)
            elif cell.strip():
                column.put(draft, cell)
        if len(cells) != len(self._names):
            draft.note("cells", str(len(cells)), f"the header names {len(self._names)}")
        found = values(draft.study, _ID + "nctId")
        if not found or not _SOME_ID.fullmatch(found[0]):
            return Rejected(self._label, number, "no NCT Number", repair(raw)[0], "NCTId")
        if not is_nct_id(found[0]):
            draft.note("NCTId", found[0], "not NCT and eight digits")
        return SourceRecord(draft.study, NAME, self._label, number, tuple(draft.odd), self._states)
