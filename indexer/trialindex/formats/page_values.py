"""What the three layouts of saved pages share: the paths that a page can fill, and how groups of its lines
are read.

A layout is a table of headings; each row names a reader, a function of (reading, lines), and the keys of
PATHS that it fills. `Reading` is one page on its way to a record. What no reader takes goes to
`sourceSection.unread` and is noted as odd, so nothing of a page is lost and nothing guessed.

>>> reading = Reading()
>>> reading.put("summary", "Sun for all.")
>>> reading.leave(["What is this?"])
>>> study = reading.study()
>>> study["protocolSection"], study["sourceSection"]
({'descriptionModule': {'briefSummary': 'Sun for all.'}}, {'unread': ['What is this?']})
>>> reading.draft.odd
[Odd(field='page', value='What is this?', reason='line not understood')]
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trialindex import codes, registry_ids
from trialindex.dates import age_groups, parse_age, parse_date
from trialindex.errors import InvalidTrialId
from trialindex.formats.draft import Draft
from trialindex.formats.files import SourceFile
from trialindex.formats.page_lines import Page, page, prose
from trialindex.formats.record import Item, Rejected, SourceRecord
from trialindex.study_fields import by_path

__all__ = [
    "DESIGN_KEYS",
    "PATHS",
    "TIME",
    "Reading",
    "Row",
    "aside",
    "contacts",
    "criteria",
    "design",
    "enrollment",
    "find_headings",
    "listed",
    "month_or_day",
    "one_each",
    "place",
    "places",
    "read_page",
    "references",
    "related",
    "states",
    "text",
    "value",
]

_ID = "protocolSection.identificationModule."
_STATUS = "protocolSection.statusModule."
_SPONSOR = "protocolSection.sponsorCollaboratorsModule."
_TEXT = "protocolSection.descriptionModule."
_CONDITIONS = "protocolSection.conditionsModule."
_DESIGN = "protocolSection.designModule."
_ARMS = "protocolSection.armsInterventionsModule."
_OUTCOMES = "protocolSection.outcomesModule."
_ELIGIBILITY = "protocolSection.eligibilityModule."
_CONTACTS = "protocolSection.contactsLocationsModule."
_REFERENCES = "protocolSection.referencesModule."

# Where the values of a page go; `list.piece` is a piece of the objects in a list.
PATHS: dict[str, str] = {
    "id": _ID + "nctId",
    "alias": _ID + "nctIdAliases",
    "title": _ID + "briefTitle",
    "official_title": _ID + "officialTitle",
    "acronym": _ID + "acronym",
    "org_id": _ID + "orgStudyIdInfo.id",
    "org_id_type": _ID + "orgStudyIdInfo.type",
    "secondary_ids.id": _ID + "secondaryIdInfos.id",
    "secondary_ids.type": _ID + "secondaryIdInfos.type",
    "secondary_ids.domain": _ID + "secondaryIdInfos.domain",
    "status": _STATUS + "overallStatus",
    "start": _STATUS + "startDateStruct.date",
    "primary_completion": _STATUS + "primaryCompletionDateStruct.date",
    "completion": _STATUS + "completionDateStruct.date",
    "first_posted": _STATUS + "studyFirstPostDateStruct.date",
    "results_posted": _STATUS + "resultsFirstPostDateStruct.date",
    "updated": _STATUS + "lastUpdatePostDateStruct.date",
    "has_results": "hasResults",
    "sponsor": _SPONSOR + "leadSponsor.name",
    "sponsor_class": _SPONSOR + "leadSponsor.class",
    "collaborators.name": _SPONSOR + "collaborators.name",
    "collaborators.class": _SPONSOR + "collaborators.class",
    "responsible_type": _SPONSOR + "responsibleParty.type",
    "responsible_name": _SPONSOR + "responsibleParty.investigatorFullName",
    "responsible_title": _SPONSOR + "responsibleParty.investigatorTitle",
    "responsible_affiliation": _SPONSOR + "responsibleParty.investigatorAffiliation",
    "responsible_organization": _SPONSOR + "responsibleParty.oldOrganization",
    "summary": _TEXT + "briefSummary",
    "description": _TEXT + "detailedDescription",
    "conditions": _CONDITIONS + "conditions",
    "keywords": _CONDITIONS + "keywords",
    "study_type": _DESIGN + "studyType",
    "phases": _DESIGN + "phases",
    "enrollment": _DESIGN + "enrollmentInfo.count",
    "enrollment_type": _DESIGN + "enrollmentInfo.type",
    "allocation": _DESIGN + "designInfo.allocation",
    "model": _DESIGN + "designInfo.interventionModel",
    "purpose": _DESIGN + "designInfo.primaryPurpose",
    "masking": _DESIGN + "designInfo.maskingInfo.masking",
    "who_masked": _DESIGN + "designInfo.maskingInfo.whoMasked",
    "observational_model": _DESIGN + "designInfo.observationalModel",
    "time_perspective": _DESIGN + "designInfo.timePerspective",
    "arms.label": _ARMS + "armGroups.label",
    "arms.type": _ARMS + "armGroups.type",
    "arms.description": _ARMS + "armGroups.description",
    "arms.interventionNames": _ARMS + "armGroups.interventionNames",
    "interventions.type": _ARMS + "interventions.type",
    "interventions.name": _ARMS + "interventions.name",
    "interventions.description": _ARMS + "interventions.description",
    "interventions.armGroupLabels": _ARMS + "interventions.armGroupLabels",
    "interventions.otherNames": _ARMS + "interventions.otherNames",
    **{
        f"{kind}_outcomes.{piece}": f"{_OUTCOMES}{kind}Outcomes.{piece}"
        for kind in ("primary", "secondary", "other")
        for piece in ("measure", "description", "timeFrame")
    },
    "criteria": _ELIGIBILITY + "eligibilityCriteria",
    "volunteers": _ELIGIBILITY + "healthyVolunteers",
    "sex": _ELIGIBILITY + "sex",
    "minimum_age": _ELIGIBILITY + "minimumAge",
    "maximum_age": _ELIGIBILITY + "maximumAge",
    "age_groups": _ELIGIBILITY + "stdAges",
    "population": _ELIGIBILITY + "studyPopulation",
    "sampling": _ELIGIBILITY + "samplingMethod",
    "central_contacts.name": _CONTACTS + "centralContacts.name",
    "central_contacts.role": _CONTACTS + "centralContacts.role",
    "central_contacts.phone": _CONTACTS + "centralContacts.phone",
    "central_contacts.email": _CONTACTS + "centralContacts.email",
    "officials.name": _CONTACTS + "overallOfficials.name",
    "officials.affiliation": _CONTACTS + "overallOfficials.affiliation",
    "officials.role": _CONTACTS + "overallOfficials.role",
    "locations.facility": _CONTACTS + "locations.facility",
    "locations.status": _CONTACTS + "locations.status",
    "locations.city": _CONTACTS + "locations.city",
    "locations.state": _CONTACTS + "locations.state",
    "locations.zip": _CONTACTS + "locations.zip",
    "locations.country": _CONTACTS + "locations.country",
    "references.citation": _REFERENCES + "references.citation",
    "references.pmid": _REFERENCES + "references.pmid",
    "links.url": _REFERENCES + "seeAlsoLinks.url",
}

# The registry demands these of every trial: where a page has none, the page lost it (the sites print them
# in a way that saving as text drops), not the record. So a page is not believed when it says nothing there.
_DEMANDED = {
    "summary", "conditions", "criteria", "sex", "age_groups", "status", "study_type", "title", "sponsor",
    "sponsor_class",
}  # fmt: skip


class Reading:
    """One page on its way to a record.

    Attributes: `draft`, the study in the making; `interventions`, its interventions by folded name;
    `described`, the lines that describe them; `aside`, what the page shows beside the trial's own fields.
    """

    def __init__(self) -> None:
        self.draft = Draft()
        self.interventions: dict[str, Draft] = {}
        self.described: dict[str, list[str]] = {}
        self.aside: dict[str, Any] = {}
        self._unread: list[str] = []
        self._held: set[str] = set()

    def put(self, key: str, text: str | None) -> None:
        """Set the value of a key of PATHS, converted to its type."""
        if text and text.strip():
            self._held.add(key)
            self.draft.put(PATHS[key], text)

    def has(self, key: str) -> bool:
        """Whether `put` set the key."""
        return key in self._held

    def item(self, which: str, /, **pieces: str | None) -> Draft:
        """Append an object to a list of PATHS, with these pieces."""
        some = next(path for key, path in PATHS.items() if key.startswith(which + "."))
        made = self.draft.item(some.rpartition(".")[0])
        for piece, text in pieces.items():
            made.put(piece, text)
        return made

    def intervention(self, kind: str | None, name: str, description: str | None = None) -> Draft:
        """Append an intervention, or return the one that is there under this name."""
        known = self.interventions.get(name.casefold())
        if known is None:
            known = self.item("interventions", type=kind, name=name, description=description)
            self.interventions[name.casefold()] = known
        return known

    def tie(self, arm: Draft, intervention: Draft) -> None:
        """Note that an arm gets an intervention, on both sides, as the registry does."""
        kind, name = intervention.study.get("type"), intervention.study["name"]
        arm.put("interventionNames", f"{codes.words(kind).title()}: {name}" if kind else name)
        intervention.put("armGroupLabels", arm.study["label"])

    def leave(self, block: Iterable[str]) -> None:
        """Keep lines that no rule takes."""
        self._unread.extend(block)

    def study(self) -> dict[str, Any]:
        """Return the study; the last step."""
        if self._unread:
            self.draft.note("page", self._unread[0], "line not understood")
            self.aside["unread"] = self._unread
        eligibility = self.draft.study.get("protocolSection", {}).get("eligibilityModule", {})
        bounds = eligibility.get("minimumAge"), eligibility.get("maximumAge")
        # The page tells no groups; they follow from the bounds, where it tells those.
        told = self.has("minimum_age") or self.has("maximum_age")
        if (
            told
            and all(bound is None or parse_age(bound) for bound in bounds)
            and (groups := age_groups(*bounds))
        ):
            self.draft.set(PATHS["age_groups"], groups)
        if self.aside:
            self.draft.set("sourceSection", self.aside)
        return self.draft.study


Reader = Callable[[Reading, list[str]], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One heading of a layout.

    `keys`: what of PATHS stands under it; `also`: what does so on some pages only. `always`: the site prints
    the heading even where it has no value, so that its silence on the `keys` is a statement. `caption`: the
    sentence that the site prints under it. `prose`: its values are free text.
    """

    reader: Reader
    keys: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    always: bool = True
    caption: str = ""
    prose: bool = False


def states(rows: Iterable[Row], *more: str) -> frozenset[str]:
    """Return the paths that a layout with these headings can state; `more` are keys that stand under no
    heading."""
    keys = {key for row in rows if row.always for key in row.keys} | set(more)
    return frozenset(PATHS[key] for key in keys - _DEMANDED)


# More lines than any trial has; what is longer is no page, and could be made to be slow.
_MOST_LINES = 20_000


def read_page(
    file: SourceFile, name: str, fill: Callable[[Reading, Page], str], cells: bool = False
) -> Iterator[Item]:
    """Read a page by `fill`, which fills a Reading and returns the page's id; Rejected where it has none."""
    raw, note = file.decoded()
    shown = page(raw, cells)
    if len(shown.lines) > _MOST_LINES:
        yield Rejected(file.label, 1, f"over {_MOST_LINES:,} lines, too long for the page of a trial", raw)
        return
    reading = Reading()
    if note:
        reading.draft.note("encoding", "", note)
    found = fill(reading, shown)
    try:
        nct_id = registry_ids.canonical(found)
    except InvalidTrialId as error:
        yield Rejected(file.label, 1, str(error) if found else "no trial id on the page", raw, "NCTId")
        return
    reading.put("id", nct_id)
    yield SourceRecord(reading.study(), name, file.label, 1, tuple(reading.draft.odd))


def find_headings(block: list[str], table: Mapping[str, Any]) -> dict[int, str]:
    """Return the places of a table's headings among lines. A heading counts in its own case before any other.

    >>> find_headings(["status", "Status", "x", "STATUS"], {"Status": 1, "X": 2})
    {1: 'Status', 2: 'X'}
    """
    exact = {place: line for place, line in enumerate(block) if line in table}
    seen = set(exact.values())
    folded = {heading.casefold(): heading for heading in table if heading not in seen}
    other = {place: folded[line.casefold()] for place, line in enumerate(block) if line.casefold() in folded}
    return dict(sorted((exact | other).items()))


def one_each(block: list[str], places: Mapping[int, str], rows: Mapping[str, Row]) -> dict[int, str]:
    """Return one place for each heading: the first, or the first with a code below it where it wants a code.

    A free text may hold a line that reads like a heading; a sentence below it shows that it is none.

    >>> rows = {"Sex": Row(value("sex"), ("sex",))}
    >>> one_each(["Sex", "All", "Sex"], {0: "Sex", 2: "Sex"}, rows)
    {0: 'Sex'}
    >>> page_lines = ["Sex", "This is but a line of a text that goes on.", "Sex", "All"]
    >>> one_each(page_lines, {0: "Sex", 2: "Sex"}, rows), one_each(page_lines, {0: "Sex"}, rows)
    ({2: 'Sex'}, {})
    """
    fitting: dict[str, int] = {}
    first: dict[str, int] = {}
    for place, heading in places.items():
        below = _MARK.sub("", block[place + 1]) if place + 1 < len(block) else ""
        entry = by_path().get(PATHS[rows[heading].keys[0]]) if rows[heading].keys else None
        if entry is None or not entry.enum or place + 1 in places or codes.code_list(entry.enum, below):
            fitting.setdefault(heading, place)
        elif len(below.split()) <= 8:
            first.setdefault(heading, place)
    chosen = first | fitting
    return {place: heading for place, heading in places.items() if chosen.get(heading) == place}


_MARK = re.compile(r"[*-] ")

# Readers of one kind of value.


def text(key: str) -> Reader:
    """Read lines as one text."""
    return lambda reading, block: reading.put(key, prose(block))


def value(key: str) -> Reader:
    """Read one line as one value; a second one is not understood."""

    def read(reading: Reading, block: list[str]) -> None:
        reading.put(key, _bare(block[0]))
        reading.leave(block[1:])

    return read


def listed(key: str) -> Reader:
    """Read each line as one value of a list."""

    def read(reading: Reading, block: list[str]) -> None:
        for line in block:
            reading.put(key, _bare(line))

    return read


def aside(key: str) -> Reader:
    """Keep lines beside the trial's own fields."""

    def read(reading: Reading, block: list[str]) -> None:
        reading.aside.setdefault(key, []).extend(block)

    return read


def _bare(line: str) -> str:
    return line.removeprefix("* ")


def related(reading: Reading, block: list[str]) -> None:
    """Read other trials that the page recommends, as title and id in turn; they are no text of this trial."""
    title = ""
    for line in block:
        bare = _bare(line)
        if registry_ids.is_nct_id(bare) or not title:
            pair = {"title": title, "nctId": bare} if registry_ids.is_nct_id(bare) else None
            title = "" if pair else bare
        else:
            pair, title = {"title": title}, bare
        if pair:
            reading.aside.setdefault("relatedTrials", []).append(pair)
    if title:
        reading.aside.setdefault("relatedTrials", []).append({"title": title})


_ENROLLMENT = re.compile(
    r"([\d,]+) *(estimated|anticipated|actual)? *(?:participants?|patients?|subjects?|people)?\.?",
    re.IGNORECASE,
)


def enrollment(reading: Reading, line: str, unmarked: str | None = None) -> bool:
    """Read `25 participants`, `30 estimated patients`; `unmarked` is the type of a number that names none."""
    match = _ENROLLMENT.fullmatch(_bare(line))
    if match is None:
        return False
    reading.put("enrollment", match[1])
    reading.put("enrollment_type", match[2] or unmarked)
    return True


def criteria(parts: Iterable[tuple[str, list[str]]]) -> str:
    """Return criteria as the registry writes them: a heading, a blank line, its lines; nothing for an empty
    part.

    >>> criteria([("Inclusion Criteria:", ["* Adult"]), ("Exclusion Criteria:", [])])
    'Inclusion Criteria:\\n\\n* Adult'
    """
    return "\n\n".join("\n\n".join(filter(None, (head, prose(block)))) for head, block in parts if block)


def month_or_day(day: str) -> str:
    """Return the month for its last day, which is how the sites fill in a month; other dates as they are.

    >>> month_or_day("2012-02-29"), month_or_day("2013-02-27"), month_or_day("2013-02-30")
    ('2012-02', '2013-02-27', '2013-02-30')
    """
    parsed = parse_date(day)
    if parsed is None or len(parsed) != 10:
        return day
    year, month, last = (int(part) for part in parsed.split("-"))
    return parsed[:7] if calendar.monthrange(year, month)[1] == last else parsed


_INTERVENTIONAL = {
    "allocation": "DesignAllocation",
    "model": "InterventionalAssignment",
    "purpose": "PrimaryPurpose",
    "masking": "DesignMasking",
}
_OBSERVATIONAL = {"observational_model": "ObservationalModel", "time_perspective": "DesignTimePerspective"}
_MASKED = {
    "participant": "PARTICIPANT",
    "participants": "PARTICIPANT",
    "subject": "PARTICIPANT",
    "caregiver": "CARE_PROVIDER",
    "caregivers": "CARE_PROVIDER",
    "care provider": "CARE_PROVIDER",
    "care_provider": "CARE_PROVIDER",
    "investigator": "INVESTIGATOR",
    "investigators": "INVESTIGATOR",
    "outcomes assessor": "OUTCOMES_ASSESSOR",
    "outcomes_assessor": "OUTCOMES_ASSESSOR",
    "outcome assessors": "OUTCOMES_ASSESSOR",
}
DESIGN_KEYS = (*_INTERVENTIONAL, *_OBSERVATIONAL)


def design(reading: Reading, block: list[str]) -> None:
    """Read bare design codes: each goes to the first open field whose code list has it.

    Only OTHER is in several lists; the study type says which come first.
    """
    kind = reading.draft.study.get("protocolSection", {}).get("designModule", {}).get("studyType")
    slots = _OBSERVATIONAL | _INTERVENTIONAL if kind == "OBSERVATIONAL" else _INTERVENTIONAL | _OBSERVATIONAL
    for line in block:
        bare = _bare(line)
        # Codes of one line are taken together or not at all.
        parts = (
            [bare] if _slot(reading, slots, bare) else [part.strip() for part in re.split(r"[/|,;]", bare)]
        )
        if not all(_slot(reading, slots, part) for part in parts):
            reading.leave([line])
            continue
        for part in parts:
            key = _slot(reading, slots, part)
            if key:
                reading.put(key, _MASKED.get(part.casefold(), part))


def _slot(reading: Reading, slots: dict[str, str], said: str) -> str | None:
    if said.casefold() in _MASKED:
        return "who_masked"
    return next((key for key, enum in slots.items() if not reading.has(key) and codes.code(enum, said)), None)


# A country whose name has a comma: the registry's older spelling, "Korea, Republic of".
_REPUBLIC = re.compile(r"(?:[\w' ]+ )?of(?: the)?|the|occupied|federated states of", re.IGNORECASE)
_ZIP = re.compile(r"[A-Z]{0,3}-?\d[\dA-Z -]{2,9}|[A-Z]\d[A-Z] ?\d[A-Z]\d", re.IGNORECASE)
_FLAG = re.compile("^[\U0001f1e6-\U0001f1ff]{2}\\s*")


def place(line: str) -> dict[str, str]:
    """Return the pieces of `City, State, Country`.

    >>> place("Kunming, Yunan, China")
    {'city': 'Kunming', 'state': 'Yunan', 'country': 'China'}
    >>> place("Seoul, 03080, Korea, Republic of"), place("France")
    ({'city': 'Seoul', 'zip': '03080', 'country': 'Korea, Republic of'}, {'country': 'France'})
    """
    parts = [part.strip() for part in _FLAG.sub("", line).split(",") if part.strip()]
    country = parts.pop() if parts else ""
    if parts and _REPUBLIC.fullmatch(country):
        country = f"{parts.pop()}, {country}"
    found = {"city": parts.pop(0)} if parts else {}
    codes_found = [part for part in parts if _ZIP.fullmatch(part)]
    if state := ", ".join(part for part in parts if part not in codes_found):
        found["state"] = state
    if codes_found:
        found["zip"] = codes_found[0]
    return found | ({"country": country} if country else {})


def places(reading: Reading, block: list[str]) -> None:
    """Read sites: the facility, then city, state and country; a recruitment status may stand with them."""
    facility: str | None = None
    site: Draft | None = None
    for line in block:
        bare = _bare(line)
        status = codes.code("RecruitmentStatus", bare.removeprefix("Site Status:").strip())
        if status:
            if site is None:
                reading.leave([line])
            else:
                site.put("status", status)
        elif _FLAG.fullmatch(bare + " "):
            continue
        elif facility is None and not _FLAG.match(bare):
            facility = bare
        else:
            site = reading.item("locations", facility=facility, **place(bare))
            facility = None
    if facility is not None:
        reading.item("locations", facility=facility)
        reading.draft.note("Location", facility, "a site without its city and country")


_EMAIL = re.compile(r"(?:e-?mail:? *)?([^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,})", re.IGNORECASE)
_PHONE = re.compile(r"(?:(?:tele)?phone|tel|contact)?\.?:? *(\+?[\d(][\d() ./x+-]{5,}\d)", re.IGNORECASE)


def _contact_piece(line: str) -> tuple[str, str]:
    for piece, pattern in (("email", _EMAIL), ("phone", _PHONE)):
        if match := pattern.fullmatch(line):
            return piece, match[1]
    role = codes.code("ContactRole", re.sub(r"^role:\s*", "", line, flags=re.IGNORECASE))
    return ("role", role) if role else ("name", line)


def contacts(reading: Reading, block: list[str], name: str = "central_contacts") -> None:
    """Read people: a name, then role, phone and e-mail where there are any."""
    person: Draft | None = None
    for line in block:
        bare = _bare(line)
        piece, said = _contact_piece(bare)
        if piece == "name":
            person = reading.item(name, name=bare)
        elif person is None or piece in person.study:
            reading.leave([line])
        else:
            person.put(piece, said)


_PMID = re.compile(r"(?:PMID:? *)(\d{1,9})", re.IGNORECASE)
_URL = re.compile(r"https?://\S+")


def references(reading: Reading, block: list[str]) -> None:
    """Read citations, a line each; a PMID on a line of its own belongs to the citation above it."""
    above: Draft | None = None
    for line in block:
        bare = _bare(line)
        if _URL.fullmatch(bare):
            reading.item("links", url=bare)
        elif (match := _PMID.fullmatch(bare)) and above is not None:
            above.put("pmid", match[1])
        else:
            above = reading.item("references", citation=bare)


_UNIT = r"(?:second|minute|hour|day|week|month|year)s?"
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?(?: ?(?:-|–|to) ?\d{1,9}(?:\.\d{1,9})?)?"
_POINT = (
    rf"(?:(?:day|week|month|year|visit)s? -?{_NUMBER}|{_NUMBER} {_UNIT}|baseline|screening|enroll?ment"
    r"|randomi[sz]ation|(?:study|treatment) completion|discharge"
    r"|end of (?:the )?(?:study|treatment|follow-up))\b"
)
_BEFORE = (
    r"(?:up to|at|from|within|over|through|throughout|during|until|after|before|between|approximately|about"
    r"|an average of|a maximum of|every|the|first|last|day of)"
)
# When an outcome is measured: "60 weeks", "Baseline to week 24", "up to 2 years", "Day 1, 7 and 28". Repeats
# are bounded, so that no line makes the search slow.
TIME = re.compile(
    rf"\b(?:{_BEFORE} ){{0,6}}{_POINT}"
    r"(?:(?: ?(?:,|;|/|-|–|to\b|and\b|or\b|through\b|until\b)){1,4}"
    rf" ?(?:{_BEFORE} ){{0,6}}(?:{_POINT}|\d{{1,9}}\b))*",
    re.IGNORECASE,
)
