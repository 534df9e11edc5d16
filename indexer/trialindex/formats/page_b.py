"""Saved trial pages, layout B ("ClinicalTrials.Veeva"): short labels, each followed by its values.

The title follows the line "Menu"; then a letter in place of a logo, and the sponsor. Groups are a label,
the kind of group, "Description:" and "Treatment:". The number under "Trial contacts and locations" counts
the sites and is kept beside the study, as the page names none of them; so are the funder types after the
first, which is the sponsor's.

>>> raw = '''ClinicalTrials.Veeva
... Menu
... A trial of sun
... S
... Sunshine Institute
... Status and phase
... Enrolling
... Phase 1/Phase 2
... Identifiers
... NCT00000001
... Ages
... 6 months to 17 years old
... Data sourced from clinicaltrials.gov'''
>>> recognises(raw), recognises("ClinicalTrials.Veeva was in the news")
(True, False)
>>> from io import BytesIO
>>> (found,) = read(SourceFile("page.txt", lambda: BytesIO(raw.encode())))
>>> found.study["protocolSection"]["identificationModule"]
{'briefTitle': 'A trial of sun', 'nctId': 'NCT00000001'}
>>> found.study["protocolSection"]["eligibilityModule"]
{'minimumAge': '6 Months', 'maximumAge': '17 Years', 'stdAges': ['CHILD']}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from trialindex import codes, registry_ids
from trialindex.formats import page_values as v
from trialindex.formats.draft import Draft
from trialindex.formats.files import SourceFile
from trialindex.formats.page_lines import Page, page, prose
from trialindex.formats.page_values import Reading, Row
from trialindex.formats.record import Item

__all__ = ["NAME", "STATES", "read", "recognises"]

NAME = "page-b"

_SITE = "clinicaltrials.veeva"
_FOOTER = "Data sourced from clinicaltrials.gov"


def recognises(head: str) -> bool:
    """Whether the beginning of a file is a page of this layout."""
    if _SITE not in head[:65536].lower():
        return False
    block = page(head).lines
    if not any(line.casefold().endswith(_SITE) for line in block):
        return False
    return len(set(v.find_headings(block, _ROWS).values())) > 1


def read(file: SourceFile) -> Iterator[Item]:
    """Read the one trial of a page; Rejected where it has no id."""
    return v.read_page(file, NAME, _fill)


def _fill(reading: Reading, shown: Page) -> str:
    preamble, sections = _sections(shown.lines)
    _head(reading, shown, preamble)
    found_id = ""
    for heading, row in _ROWS.items():
        block = sections.get(heading)
        if not block:
            continue
        if heading == "Identifiers":
            found_id = _identifiers(reading, block)
        else:
            row.reader(reading, block)
    return found_id


_COUNT = re.compile(r"([\d,]+) participants? in ([\d,]+) .*\bgroups?\b.*", re.IGNORECASE)
_GROUPS = "participants in groups"
_DATED = re.compile(r"Last updated: *(.+)", re.IGNORECASE)


def _sections(block: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return what stands above the first label, and the lines under each.

    A label counts once: the same words further down are a line of some text. After the footer nothing counts.
    """
    places = v.one_each(block, v.find_headings(block, _ROWS), _ROWS)
    preamble: list[str] = []
    sections: dict[str, list[str]] = {}
    current = preamble
    for place, line in enumerate(block):
        if line.casefold() == _FOOTER.casefold():
            break
        if _COUNT.fullmatch(line) and _GROUPS not in sections:
            current = sections.setdefault(_GROUPS, [line])
        elif (match := _DATED.fullmatch(line)) and "Last updated" not in sections:
            sections["Last updated"] = [match[1]]
        elif (heading := places.get(place)) is not None and heading not in sections:
            current = sections.setdefault(heading, [])
        else:
            current.append(line)
    return preamble, sections


def _head(reading: Reading, shown: Page, preamble: list[str]) -> None:
    """Read title, sponsor and collaborators; a letter stands in for the logo of each."""
    start = next((place + 1 for place, line in enumerate(preamble) if line == "Menu"), None)
    if start is None:
        start = next((place + 1 for place, line in enumerate(preamble) if line.casefold() == _SITE), 0)
    if shown.heading in preamble and shown.heading.casefold() != _SITE:
        start = preamble.index(shown.heading)
    before = [line for line in preamble[:start] if line != "Menu" and not line.casefold().endswith(_SITE)]
    title, *rest = preamble[start:] or [""]
    reading.put("title", title)
    logo = False
    for line in rest:
        if len(line) == 1:
            logo = True
        elif not reading.has("sponsor"):
            reading.put("sponsor", line)
            logo = False
        elif logo:
            reading.item("collaborators", name=line)
            logo = False
        else:
            before.append(line)
    reading.leave(before)


def _status(reading: Reading, block: list[str]) -> None:
    for line in block:
        phases = re.sub(r" *(?:&|\band\b) *", "/", line)
        if line.casefold().startswith("begins enroll"):
            reading.put("status", "Not yet recruiting")
        elif codes.code("Status", line) and not reading.has("status"):
            reading.put("status", line)
        elif codes.code_list("Phase", phases):
            reading.put("phases", phases)
        elif not reading.has("status"):
            # The first line is the status, also when it is a new word for one.
            reading.put("status", line)
        else:
            reading.leave([line])


_TREATMENT = re.compile(r"([A-Z][A-Za-z ]+): *(.+)")


def _treatment(line: str) -> tuple[str | None, str]:
    """Return type and name of `Drug: Interleukin-2`; no type where the word before the colon is none."""
    match = _TREATMENT.fullmatch(line)
    kind = codes.code("InterventionType", match[1]) if match else None
    return (kind, match[2]) if match and kind else (None, line)


def _treatments(reading: Reading, block: list[str]) -> None:
    for line in block:
        reading.intervention(*_treatment(line.removeprefix("* ")))


def _funders(reading: Reading, block: list[str]) -> None:
    reading.put("sponsor_class", block[0].removeprefix("* "))
    if block[1:]:
        reading.aside["funderTypes"] = [line.removeprefix("* ") for line in block]


def _collaborators(reading: Reading, block: list[str]) -> None:
    for line in block:
        reading.item("collaborators", name=line.removeprefix("* "))


def _identifiers(reading: Reading, block: list[str]) -> str:
    """Read the ids: the registry's, the sponsor's, then others; return the first."""
    found_id = ""
    for line in block:
        bare = line.removeprefix("* ")
        if not found_id and (registry_ids.find(bare) or bare.upper().startswith("NCT")):
            found_id = bare
        elif registry_ids.is_nct_id(bare):
            reading.put("alias", bare)
        elif not reading.has("org_id"):
            reading.put("org_id", bare)
        else:
            reading.item("secondary_ids", id=bare)
    return found_id


def _patients(reading: Reading, block: list[str]) -> None:
    for line in block:
        if reading.has("enrollment") or not v.enrollment(reading, line, unmarked="ACTUAL"):
            reading.leave([line])


_SPAN = r"(\d+(?:\.\d+)?) *(minute|hour|day|week|month|year)?s?"
_FROM_TO = re.compile(rf"{_SPAN} *(?:to|-|–) *{_SPAN}(?: old| of age)?", re.IGNORECASE)
_FROM = re.compile(
    rf"{_SPAN} *\+ *(minute|hour|day|week|month|year)?s?(?: old)?|(?:over|from) {_SPAN}(?: old)?"
    rf"|{_SPAN}(?: old)? (?:and|or) (?:older|over)",
    re.IGNORECASE,
)
_UP_TO = re.compile(
    rf"(?:under|up to|younger than) {_SPAN}(?: old)?|{_SPAN}(?: old)? (?:and|or) (?:younger|under)",
    re.IGNORECASE,
)
_ANY = {"any", "all", "all ages", "any age", "no age limit", "n/a"}


def _ages(reading: Reading, block: list[str]) -> None:
    line = block[0]
    if line.casefold() in _ANY:
        low = high = "N/A"
    elif match := _FROM_TO.fullmatch(line):
        low = f"{match[1]} {match[2] or match[4] or 'year'}"
        high = f"{match[3]} {match[4] or 'year'}"
    elif match := _FROM.fullmatch(line):
        low, high = _age(match.groups()), "N/A"
    elif match := _UP_TO.fullmatch(line):
        low, high = "N/A", _age(match.groups())
    else:
        reading.leave(block)
        return
    reading.put("minimum_age", low)
    reading.put("maximum_age", high)
    reading.leave(block[1:])


def _age(groups: tuple[str | None, ...]) -> str:
    number, *unit = [group for group in groups if group]
    return f"{number} {unit[0] if unit else 'year'}"


def _criteria(which: str) -> v.Reader:
    """Read one half of the criteria; the halves meet in one text, inclusion first."""

    def read(reading: Reading, block: list[str]) -> None:
        halves = reading.draft.study.get("protocolSection", {}).get("eligibilityModule", {})
        above = [halves["eligibilityCriteria"]] if "eligibilityCriteria" in halves else []
        reading.put("criteria", "\n\n".join([*above, v.criteria([(f"{which} Criteria:", block)])]))

    return read


_KIND = re.compile(r"(.+) group", re.IGNORECASE)
_MARKS = {"description:": "description", "treatment:": "treatment", "treatments:": "treatment"}


def _kind(line: str) -> str | None:
    match = _KIND.fullmatch(line)
    return codes.code("ArmGroupType", match[1]) if match else None


def _groups(reading: Reading, block: list[str]) -> None:
    """Read the count, then (label [kind of group] [Description: ...] [Treatment: ...])*."""
    match = _COUNT.fullmatch(block[0])
    if match and not reading.has("enrollment"):
        reading.put("enrollment", match[1])
    design = reading.draft.study.get("protocolSection", {}).get("designModule", {})
    # Groups of an observational study have no kind, but may well be called "Other group".
    kind = _kind if design.get("studyType") != "OBSERVATIONAL" else lambda line: None
    rows = block[1:]
    made = place = 0
    while place < len(rows):
        arm = reading.item("arms", label=rows[place])
        made += 1
        place += 1
        if place < len(rows) and (said := kind(rows[place])):
            arm.put("type", said)
            place += 1
        place = _group(reading, arm, rows, place, kind)
    if match and int(match[2].replace(",", "")) != made:
        reading.draft.note("ArmGroup", block[0], f"the page shows {made} of these groups")


def _group(
    reading: Reading, arm: Draft, rows: list[str], place: int, kind: Callable[[str], str | None]
) -> int:
    """Read what stands under the label of a group; return where the next one begins."""
    part = ""
    described: list[str] = []
    while place < len(rows):
        line = rows[place]
        following = rows[place + 1] if place + 1 < len(rows) else ""
        if line.casefold() in _MARKS:
            part = _MARKS[line.casefold()]
        elif kind(following) or (following.casefold() in _MARKS and _begins(following, part)):
            break
        elif part == "treatment":
            typed, name = _treatment(line.removeprefix("* "))
            if typed is None and name.casefold() not in reading.interventions:
                break
            reading.tie(arm, reading.intervention(typed, name))
        elif part == "description":
            described.append(line)
        else:
            break
        place += 1
    arm.put("description", prose(described))
    return place


def _begins(mark: str, part: str) -> bool:
    """Whether a mark below a line makes that line the label of a group without a kind.

    "Description:" does; "Treatment:" only after a treatment, since after a description it goes on with the
    same group."""
    return _MARKS[mark.casefold()] == "description" or part == "treatment"


def _sites(reading: Reading, block: list[str]) -> None:
    rest = [line for line in block if line.rstrip(".…").casefold() != "loading"]
    if rest and rest[0].replace(",", "").isdigit():
        reading.aside["siteCount"] = int(rest.pop(0).replace(",", ""))
    v.places(reading, rest)


def _date(key: str) -> v.Reader:
    def read(reading: Reading, block: list[str]) -> None:
        # "Apr 1, 2021 • 3 years ago"
        reading.put(key, re.split(r" *[•*·] *", block[0])[0])
        reading.leave(line for line in block[1:] if not re.search(r"\b(?:ago|in \d+ \w+)$", line))

    return read


def _nothing(reading: Reading, block: list[str]) -> None:
    """Headings of groups of sections, and what is no value."""
    reading.leave(block)


_TODAY = Row(lambda reading, block: reading.leave(block[1:]), always=False)
_LOCATION_KEYS = (
    "locations.facility",
    "locations.city",
    "locations.state",
    "locations.zip",
    "locations.country",
)

# The labels in the order in which they are read: the count of groups tells the enrolment where nothing else
# does, and groups want the treatments.
_ROWS: dict[str, Row] = {
    "Status": Row(_status, ("status", "phases")),
    "Status and phase": Row(_status, ("status", "phases")),
    "Phase": Row(v.value("phases"), ("phases",), always=False),
    "Conditions": Row(v.listed("conditions"), ("conditions",)),
    "Keywords": Row(v.listed("keywords"), ("keywords",), always=False),
    "Treatments": Row(_treatments, ("interventions.type", "interventions.name")),
    "Study type": Row(v.value("study_type"), ("study_type",)),
    "Funder types": Row(_funders, ("sponsor_class",)),
    "Collaborators": Row(
        _collaborators,
        ("collaborators.name",),
        always=False,
    ),
    "Identifiers": Row(_nothing, ("id", "org_id", "secondary_ids.id"), ("alias",)),
    "Details and patient eligibility": Row(_nothing),
    "About": Row(v.text("summary"), ("summary",)),
    "Full description": Row(v.text("description"), ("description",)),
    "Enrollment": Row(_patients, ("enrollment", "enrollment_type")),
    "Sex": Row(v.value("sex"), ("sex",)),
    "Ages": Row(_ages, ("minimum_age", "maximum_age", "age_groups")),
    "Volunteers": Row(v.value("volunteers"), ("volunteers",)),
    "Study population": Row(v.text("population"), ("population",), always=False),
    "Sampling method": Row(v.value("sampling"), ("sampling",), always=False),
    "Inclusion criteria": Row(_criteria("Inclusion"), ("criteria",)),
    "Exclusion criteria": Row(_criteria("Exclusion"), ("criteria",)),
    "Trial design": Row(_nothing),
    "Primary purpose": Row(v.value("purpose"), ("purpose",)),
    "Allocation": Row(v.value("allocation"), ("allocation",)),
    "Interventional model": Row(v.value("model"), ("model",)),
    "Intervention model": Row(v.value("model"), ("model",), always=False),
    "Masking": Row(v.value("masking"), ("masking",)),
    "Observational model": Row(v.value("observational_model"), ("observational_model",)),
    "Time perspective": Row(v.value("time_perspective"), ("time_perspective",)),
    _GROUPS: Row(
        _groups,
        (
            "arms.label",
            "arms.type",
            "arms.description",
            "arms.interventionNames",
            "interventions.armGroupLabels",
        ),
    ),
    "Primary outcome": Row(v.aside("outcomes"), always=False),
    "Trial documents": Row(v.aside("documents"), always=False),
    "Results": Row(v.aside("results"), always=False),
    "Trial contacts and locations": Row(_sites, _LOCATION_KEYS, always=False),
    "Central trial contact": Row(
        v.contacts,
        ("central_contacts.name", "central_contacts.phone", "central_contacts.email"),
        always=False,
    ),
    "Central trial contacts": Row(v.contacts, always=False),
    "Timeline": Row(_nothing, always=False),
    "Start date": Row(_date("start"), ("start",), always=False),
    "Primary completion": Row(_date("primary_completion"), ("primary_completion",), always=False),
    "Primary completion date": Row(_date("primary_completion"), ("primary_completion",), always=False),
    "Completion date": Row(_date("completion"), ("completion",), always=False),
    "End date": Row(_date("completion"), ("completion",), always=False),
    "First posted": Row(_date("first_posted"), ("first_posted",), always=False),
    "Last updated": Row(_date("updated"), ("updated",), always=False),
    "Today": _TODAY,
    _FOOTER: Row(_nothing),
}

STATES = v.states(_ROWS.values(), "title", "sponsor")
