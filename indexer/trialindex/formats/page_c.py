"""Saved trial pages, layout C: `- label` lines, each followed by `- value` lines or plain ones.

The title is the first line. Saving as text takes the borders out of lists and tables, and this module puts
them back where it is sure of the place:

- Conditions are glued together and parted where a word's small letters meet a capital; the text as it
stands is kept beside the study (`conditionsText`). "mRNA", "McArdle" and "AutoSCT" are words.

>>> unglue("Lupus NephritisMesenchymal Stem Cells"), unglue("Diabetes (Type 1)McArdle DiseaseCOPD")
(['Lupus Nephritis', 'Mesenchymal Stem Cells'], ['Diabetes (Type 1)', 'McArdle Disease', 'COPD'])
>>> unglue("mRNA vaccine after AutoSCT with hA-MSC by a PhD")
['mRNA vaccine after AutoSCT with hA-MSC by a PhD']

- An outcome is a name, a time and a method in one line, parted at the time. A time that belongs to the name
is left there.

>>> outcome("Changes in 24h urine protein; 60 weeks 24-hour urine from baseline to 60 weeks")
('Changes in 24h urine protein;', '60 weeks', '24-hour urine from baseline to 60 weeks')
>>> outcome("Survival at 12 months Up to 2 years Deaths of any cause")
('Survival at 12 months', 'Up to 2 years', 'Deaths of any cause')
>>> outcome("Survival at 12 months with a graft") is None
True

- A group is a label, an intervention and a description in one line, parted at the name of a known
intervention.

>>> arm("Low dose Sunshine -", ["Sunshine"]), arm("Sunshine Sunshine Sunshine for 2 hours", ["Sunshine"])
(('Low dose', ['Sunshine'], ''), ('Sunshine', ['Sunshine'], 'Sunshine for 2 hours'))
>>> arm("Sunshine group with Sunshine in Sunshine City", ["Sunshine"]) is None
True

A row that is not parted is the name or label as a whole and is noted as odd. In saved HTML, and in text
with tabs, the cells are there and nothing of this is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex import codes, registry_ids
from trialindex.formats import page_values as v
from trialindex.formats.draft import Draft
from trialindex.formats.files import SourceFile
from trialindex.formats.page_lines import ITEM, Page, page, prose
from trialindex.formats.page_values import Reading, Row
from trialindex.formats.record import Item

__all__ = ["NAME", "STATES", "arm", "outcome", "read", "recognises", "unglue"]

NAME = "page-c"

_NOT_PROVIDED = "not provided"


def recognises(head: str) -> bool:
    """Whether the beginning of a file is a page of this layout."""
    top = head[:65536].lower()
    if "registration number" not in top and "target recruitment" not in top:
        return False
    block = page(head, cells=True).lines
    _, found = _sections(block)
    number = found.get("Registration Number", [""])[:1]
    numbered = any(registry_ids.is_nct_id(_bare(line)) for line in number)
    known = {
        "Registration Number",
        "Target Recruitment",
        "Recruitment & Eligibility",
        "Study & Design",
    } & set(found)
    dashed = any(line.casefold() == "- registration number" for line in block)
    return (numbered and dashed) or (bool(known) and len(found) > 3)


def read(file: SourceFile) -> Iterator[Item]:
    """Read the one trial of a page; Rejected where it has no id."""
    return v.read_page(file, NAME, _fill, cells=True)


def _fill(reading: Reading, shown: Page) -> str:
    preamble, sections = _sections(shown.lines)
    if preamble:
        title = shown.heading if shown.heading in preamble else preamble[0]
        preamble.remove(title)
        reading.put("title", title)
        reading.leave(preamble)
    found_id = ""
    for heading, row in _ROWS.items():
        block = [line for line in sections.get(heading, []) if line != "-"]
        if heading == "Target Recruitment":
            block = _unheaded_criteria(block, sections)
        if heading not in _TABLES:
            mark = "* " if heading in _CRITERIA else ""
            block = [_MARK.sub(mark, line) for line in block if _bare(line).casefold() != _NOT_PROVIDED]
        if not block:
            continue
        if heading == "Registration Number":
            found_id = block[0]
            for line in block[1:]:
                reading.item("secondary_ids", id=line)
        else:
            row.reader(reading, block)
    return found_id


_MARK = re.compile("^- ")


def _bare(line: str) -> str:
    return _MARK.sub("", line)


def _sections(block: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return what stands above the first label, and the lines under each.

    Where any label has a dash, a label is one only with it (headings of parts have none).
    """
    dashed = any(line.startswith("- ") and line[2:] in _ROWS for line in block)
    labels = [line[2:] if line.startswith(("- ", "* ")) else line for line in block]
    places = {
        place: heading
        for place, heading in v.find_headings([_COUNTED.sub("", label) for label in labels], _ROWS).items()
        if not dashed or heading in _PARTS or block[place].startswith("- ")
    }
    places = v.one_each(block, places, _ROWS)
    preamble: list[str] = []
    sections: dict[str, list[str]] = {}
    current = preamble
    for place, line in enumerate(block):
        heading = places.get(place)
        if heading is not None and heading not in sections:
            current = sections.setdefault(heading, [])
        elif "\t" in line and (label := _bare(line).split("\t", 1))[0] in _ROWS and label[0] not in sections:
            # A table of two columns, label and value.
            sections[label[0]] = label[1].split("\t")
        else:
            current.append(line)
    return preamble, sections


# "Locations (3)"
_COUNTED = re.compile(r" \(\d+\)$")


def _unheaded_criteria(block: list[str], sections: dict[str, list[str]]) -> list[str]:
    """Move the criteria, which follow the number of participants without headings, to sections of their own.

    "Not provided" stands for an empty half, so it tells which half the other lines are.
    """
    count, rest = block[:1], block[1:]
    if not rest:
        return count
    silent = [place for place, line in enumerate(rest) if _bare(line).casefold() == _NOT_PROVIDED]
    said = [line for place, line in enumerate(rest) if place not in silent]
    if said:
        half = "Exclusion Criteria" if silent[:1] == [0] else "Inclusion Criteria"
        heading = half if silent else _BOTH
        sections.setdefault(heading, []).extend(said)
    return count


_BOTH = "Criteria"

# Small letters, then the capital of a new value. A word of two capitals must follow a longer word that does
# not end like the first half of a compound ("ImmunoPET").
_SEAM = re.compile(r"(?<=[a-z]{3})(?=[A-Z][a-z])|(?<=[a-z]{4}[a-np-z])(?=[A-Z]{2})|(?<=\w\))(?=[A-Z])")


def unglue(glued: str) -> list[str]:
    """Return the values of a list that was saved without its borders."""
    return [part.strip() for part in _SEAM.split(glued) if part.strip()]


def _conditions(reading: Reading, block: list[str]) -> None:
    for line in block:
        parts = unglue(line.removeprefix("* "))
        if len(parts) > 1:
            reading.aside.setdefault("conditionsText", []).append(line)
        for part in parts:
            reading.put("conditions", part)


_KINDS = "|".join(
    sorted((codes.words(kind).title() for kind in codes.CODES["InterventionType"]), key=len, reverse=True)
)
_NEXT_KIND = re.compile(rf"(?<=\S)(?=(?:{_KINDS}): )")
_KIND = re.compile(rf"({_KINDS}): (.+)")


def _intervention(said: str) -> tuple[str | None, str]:
    match = _KIND.fullmatch(said)
    return (match[1], match[2]) if match else (None, said)


def _interventions(reading: Reading, block: list[str]) -> None:
    for line in block:
        for part in _NEXT_KIND.split(line.removeprefix("* ")):
            reading.intervention(*_intervention(part.strip()))


def _sponsor(reading: Reading, block: list[str]) -> None:
    reading.put("sponsor", block[0])
    reading.leave(block[1:])


def _collaborators(reading: Reading, block: list[str]) -> None:
    for line in block:
        reading.item("collaborators", name=line.removeprefix("* "))


def _recruitment(reading: Reading, block: list[str]) -> None:
    if not v.enrollment(reading, block[0]):
        reading.leave(block[:1])
    reading.leave(block[1:])


_HALF = re.compile(r"(?:\* )?(inclusion|exclusion) criteria:?", re.IGNORECASE)


def _criteria(which: str) -> v.Reader:
    """Read the criteria under a heading, or under none; headings inside of them are kept as such."""

    def read(reading: Reading, block: list[str]) -> None:
        eligibility = reading.draft.study.get("protocolSection", {}).get("eligibilityModule", {})
        above = [eligibility["eligibilityCriteria"]] if "eligibilityCriteria" in eligibility else []
        parts: list[tuple[str, list[str]]] = [(f"{which} Criteria:" if which else "", [])]
        for line in block:
            if match := _HALF.fullmatch(line):
                parts.append((f"{match[1].capitalize()} Criteria:", []))
            else:
                parts[-1][1].append(line)
        if not which and len(parts) == 1:
            reading.draft.note("EligibilityCriteria", block[0], "no line parts inclusion from exclusion")
        reading.put("criteria", "\n\n".join([*above, v.criteria(parts)]))

    return read


_ARM_HEAD = re.compile(r"Group[ \t]+Interventions?[ \t]+Description\b\s*", re.IGNORECASE)
_OUTCOME_HEAD = re.compile(r"Name[ \t]+Time[ \t]+Method\b\s*", re.IGNORECASE)


def _rows(block: list[str], head: re.Pattern[str]) -> list[str]:
    """Return a table's rows without its head, which may be glued to the first of them."""
    rows = [head.sub("", line, count=1) if head.match(line) else line for line in block]
    return [row for row in rows if row]


# Characters times names: far above any real row, far below what takes a second.
_MOST_WORK = 2_000_000


def arm(row: str, names: list[str]) -> tuple[str, list[str], str] | None:
    """Part a row into label, interventions and description; None when the place is not sure."""
    known = sorted((name for name in names if name), key=len, reverse=True)
    if len(row) * len(known) > _MOST_WORK:
        return None
    if row.endswith(" - -"):
        return row[:-4], [], ""
    places = _name_places(row, known)
    for name in known:
        # A group is often called as its intervention is.
        if row.startswith(f"{name} {name} ") or row == f"{name} {name}":
            places = [(len(name) + 1, len(name) * 2 + 1)]
    if row.endswith(" -"):
        # The description is empty, so the intervention is the last before it.
        places = [(start, end) for start, end in places if end == len(row) - 2]
    if len(places) == 1:
        start, end = places[0]
        found = [row[start:end]]
        while (more := re.match(r"(?:, ?|; ?| )", row[end:])) and (
            name := next((name for name in known if _stands(row, name, end + more.end())), "")
        ):
            if more[0] == " ":
                break
            found.append(name)
            end += more.end() + len(name)
        return row[:start].strip(), found, row[end:].strip().removesuffix("-").strip()
    label, dash, description = row.partition(" - ")
    if not places and dash and " - " not in description:
        return label, [], description
    return None


def _name_places(row: str, known: list[str]) -> list[tuple[int, int]]:
    """Return where a known name stands after a label, the longest name at each place."""
    found: list[tuple[int, int]] = []
    for space in re.finditer(" ", row):
        start = space.end()
        name = next((name for name in known if _stands(row, name, start)), None)
        if name is not None and not (found and start < found[-1][1]) and not _joined(row, found, start):
            found.append((start, start + len(name)))
    return found


def _stands(row: str, name: str, start: int) -> bool:
    end = start + len(name)
    return row.startswith(name, start) and not row[end : end + 1].isalnum() and row[end : end + 1] != "-"


def _joined(row: str, found: list[tuple[int, int]], start: int) -> bool:
    """Whether a name goes on the list that a name before it began: "A, B"."""
    return bool(found) and row[found[-1][1] : start].strip() in {",", ";"}


def _arms(reading: Reading, block: list[str]) -> None:
    names = [str(one.study["name"]) for one in reading.interventions.values()]
    made: dict[str, Draft] = {}
    # One row an intervention, so a group may come again; its description is kept once.
    described: dict[str, dict[str, None]] = {}
    label = ""
    for row in _rows(block, _ARM_HEAD):
        cells = row.split("\t")
        if ITEM.match(row) and label and len(cells) == 1:
            # Items below a row go on with its description.
            described[label][row] = None
            continue
        if len(cells) > 1:
            parts = (_cell(cells, 0), _names(_cell(cells, 1), names), _cell(cells, 2))
        else:
            parts = arm(row, names) or (row, [], "")
            if parts[0] == row:
                reading.draft.note("ArmGroup", row, "a row that could not be parted into its cells")
        label, interventions, description = parts
        if label not in made:
            made[label], described[label] = reading.item("arms", label=label), {}
        if description:
            described[label][description] = None
        for name in interventions:
            reading.tie(made[label], reading.intervention(*_intervention(name)))
    for label, group in made.items():
        group.put("description", prose(list(described[label])))


def _cell(cells: list[str], place: int) -> str:
    text = cells[place] if place < len(cells) else ""
    return "" if text == "-" else text


def _names(said: str, known: list[str]) -> list[str]:
    """Return the interventions of a cell: a known name, several of them, or a name that stands nowhere
    else.
    """
    if not said or said in known:
        return [said] if said else []
    parts = [part.strip() for part in re.split(r"[,;] ?", said)]
    return parts if all(part in known for part in parts) else [said]


# What ties a time to the words before it, and to those after it.
_BINDS = set(
    """at of over in within from to for by after before during until through the first last a an every per
    each than and or between about until since next""".split()
)
_BOUND = re.compile(
    r" ?(?:(?:of|after|post|following|before|prior|from|to|and|or|with)\b|[,;])", re.IGNORECASE
)
_OPEN = {"up", "through", "baseline", "day", "week", "month", "year", "days", "weeks", "months", "years"}


def outcome(row: str) -> tuple[str, str, str] | None:
    """Part a row into name, time and method; None when the place is not sure."""
    if len(row) > _MOST_WORK:
        return None
    found = [match for match in v.TIME.finditer(row) if match.start() and row[match.start() - 1] == " "]
    found = [match for match in found if not _attributive(row, match)]
    strong = [match for match in found if _begins_cell(row, match)]
    clean = [match for match in strong if _ends_cell(row, match.end())]
    if not strong:
        # "survival up to 2 years Deaths": a time in small letters will do if it is the only one.
        clean = [
            match for match in found if match[0].split()[0].lower() in _OPEN and _ends_cell(row, match.end())
        ]
        clean = clean if len(clean) == 1 else []
    elif not clean and len(strong) == 1 and not _BOUND.match(row, strong[0].end()):
        clean = strong
    if not clean:
        return None
    time = clean[0]
    # Two times with hardly a word between them: either may be the cell.
    if len(clean) > 1 and len(row[time.end() : clean[1].start()].split()) < 4:
        return None
    return row[: time.start()].strip(), time[0], row[time.end() :].strip().removesuffix("-").strip()


def _attributive(row: str, match: re.Match[str]) -> bool:
    """Whether a time only describes the word after it: "6 minute walk", "24-hour urine"."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:minute|hour|day|week|month|year)", match[0], re.IGNORECASE)
    return row[match.end() : match.end() + 1] == "-" or (number is not None and number[1] != "1")


def _begins_cell(row: str, match: re.Match[str]) -> bool:
    before = re.findall(r"\w+", row[max(0, match.start() - 40) : match.start()])
    return not match[0][0].islower() and not (before and before[-1] in _BINDS)


def _ends_cell(row: str, end: int) -> bool:
    rest = row[end:].strip()
    return not rest or rest == "-" or not (rest[0].islower() or rest[0] in ",;.)")


def _outcomes(kind: str) -> v.Reader:
    """Read the rows of a table of outcomes."""

    def read(reading: Reading, block: list[str]) -> None:
        rows: list[tuple[tuple[str, str, str], list[str]]] = []
        for row in _rows(block, _OUTCOME_HEAD):
            cells = row.split("\t")
            if ITEM.match(row) and rows and len(cells) == 1:
                rows[-1][1].append(row)
                continue
            if len(cells) > 1:
                parts = (_cell(cells, 0), _cell(cells, 1), _cell(cells, 2))
            else:
                parts = outcome(row) or (row, "", "")
                if parts[0] == row:
                    reading.draft.note(
                        f"{kind.capitalize()}Outcome", row, "a row that could not be parted into its cells"
                    )
            rows.append((parts, []))
        for (measure, time, method), more in rows:
            said = prose([line for line in (method, *more) if line])
            reading.item(f"{kind}_outcomes", measure=measure, timeFrame=time, description=said)

    return read


def _nothing(reading: Reading, block: list[str]) -> None:
    """Headings of parts of the page: what stands directly under them is not known."""
    reading.leave(block)


def _outcome_row(kind: str, always: bool = True) -> Row:
    pieces = ("measure", "description", "timeFrame")
    return Row(_outcomes(kind), tuple(f"{kind}_outcomes.{piece}" for piece in pieces), always=always)


# Headings that stand without a dash, above several labels or above lines.
_PARTS = {
    "Recruitment & Eligibility", "Study & Design", "Inclusion Criteria", "Exclusion Criteria",
    "Trial Locations", "Related Trials", "Related News", "News", "Publications", "Outcomes",
}  # fmt: skip
_TABLES = {
    "Arm && Interventions", "Arms & Interventions", "Primary Outcome Measures", "Secondary Outcome Measures",
    "Other Outcome Measures",
}  # fmt: skip
_CRITERIA = {"Inclusion Criteria", "Exclusion Criteria", _BOTH}
_ARM_KEYS = ("arms.label", "arms.description", "arms.interventionNames", "interventions.armGroupLabels")
_LOCATIONS = Row(
    v.places,
    ("locations.facility", "locations.city", "locations.state", "locations.zip", "locations.country"),
    always=False,
)

# The labels in the order in which they are read.
_ROWS: dict[str, Row] = {
    "Conditions": Row(_conditions, ("conditions",)),
    "Interventions": Row(_interventions, ("interventions.type", "interventions.name")),
    "Registration Number": Row(_nothing, ("id",)),
    "Other IDs": Row(v.aside("identifiers"), always=False),
    "Lead Sponsor": Row(_sponsor, ("sponsor",)),
    "Collaborators": Row(_collaborators, ("collaborators.name",), always=False),
    "Brief Summary": Row(v.text("summary"), ("summary",)),
    "Detailed Description": Row(v.text("description"), ("description",)),
    "Official Title": Row(v.text("official_title"), ("official_title",), always=False),
    "Keywords": Row(v.listed("keywords"), ("keywords",), always=False),
    "Recruitment & Eligibility": Row(_nothing),
    "Status": Row(v.value("status"), ("status",)),
    "Sex": Row(v.value("sex"), ("sex",)),
    "Minimum Age": Row(v.value("minimum_age"), ("minimum_age", "age_groups"), always=False),
    "Maximum Age": Row(v.value("maximum_age"), ("maximum_age", "age_groups"), always=False),
    "Healthy Volunteers": Row(v.value("volunteers"), ("volunteers",), always=False),
    "Target Recruitment": Row(_recruitment, ("enrollment",)),
    "Target Recruit Count": Row(_recruitment, ("enrollment",), always=False),
    _BOTH: Row(_criteria(""), ("criteria",), always=False),
    "Inclusion Criteria": Row(_criteria("Inclusion"), ("criteria",)),
    "Exclusion Criteria": Row(_criteria("Exclusion"), ("criteria",)),
    "Study & Design": Row(_nothing),
    "Study Type": Row(v.value("study_type"), ("study_type",)),
    "Study Design": Row(v.design, v.DESIGN_KEYS, ("who_masked",), always=False),
    "Phase": Row(v.value("phases"), ("phases",), always=False),
    "Arm && Interventions": Row(_arms, _ARM_KEYS),
    "Arms & Interventions": Row(_arms, _ARM_KEYS, always=False),
    "Outcomes": Row(_nothing, always=False),
    "Primary Outcome Measures": _outcome_row("primary"),
    "Secondary Outcome Measures": _outcome_row("secondary"),
    "Other Outcome Measures": _outcome_row("other", always=False),
    "First Posted Date": Row(v.value("first_posted"), ("first_posted",), always=False),
    "Study Start Date": Row(v.value("start"), ("start",), always=False),
    "Start Date": Row(v.value("start"), ("start",), always=False),
    "Primary Completion Date": Row(v.value("primary_completion"), ("primary_completion",), always=False),
    "Study Completion Date": Row(v.value("completion"), ("completion",), always=False),
    "Completion Date": Row(v.value("completion"), ("completion",), always=False),
    "Last Posted Date": Row(v.value("updated"), ("updated",), always=False),
    "Last Update Posted": Row(v.value("updated"), ("updated",), always=False),
    "Last Updated": Row(v.value("updated"), ("updated",), always=False),
    "Trial Locations": _LOCATIONS,
    "Locations": _LOCATIONS,
    "Contacts": Row(
        v.contacts,
        ("central_contacts.name", "central_contacts.phone", "central_contacts.email"),
        always=False,
    ),
    "Related Trials": Row(v.related, always=False),
    "Related News": Row(v.aside("news"), always=False),
    "News": Row(v.aside("news"), always=False),
    "Publications": Row(v.aside("publications"), always=False),
}

STATES = v.states(_ROWS.values(), "title")
