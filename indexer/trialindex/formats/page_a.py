"""Saved trial pages, layout A: every section with a heading and a sentence of the site's own under it.

The page begins with the title, `NCT ID:` and `Last Updated:`. Values are bare lines, told apart by what
they are: a code by the list that has it, a date, `25 participants`. The sentence under a heading (`caption`
in the table, small changes of wording allowed) is no value. Trials that the page recommends are kept beside
the study, never in it.

>>> raw = '''A trial of sun
... NCT ID: NCT00000001
... Last Updated: 2012-03-06
... Basic Information
... PHASE1/PHASE2
... 25 participants
... 2012-02-29
... Sun'''
>>> recognises(raw), recognises("NCT ID: NCT00000001 is the trial that the news was about")
(True, False)
>>> from io import BytesIO
>>> (page,) = read(SourceFile("page.txt", lambda: BytesIO(raw.encode())))
>>> page.study["protocolSection"]["designModule"]
{'phases': ['PHASE1', 'PHASE2'], 'enrollmentInfo': {'count': 25}}
>>> page.study["protocolSection"]["statusModule"]["startDateStruct"], page.study["sourceSection"]
({'date': '2012-02'}, {'unread': ['Sun']})

Study groups and interventions have no marks between them. A line is an intervention of the current group
when it is the name of one and that one's description follows; after that the next line begins a group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex import codes, registry_ids
from trialindex.dates import parse_date
from trialindex.formats import page_values as v
from trialindex.formats.draft import Draft
from trialindex.formats.files import SourceFile
from trialindex.formats.page_lines import ITEM, Page, page, prose
from trialindex.formats.page_values import Reading, Row
from trialindex.formats.record import Item

__all__ = ["NAME", "STATES", "read", "recognises"]

NAME = "page-a"

_ID = re.compile(r"NCT ID: *(.*)", re.IGNORECASE)
_UPDATED = re.compile(r"Last Updated: *(.*)", re.IGNORECASE)
_NOT_PUBLISHED = (
    "The study team has not published outcome measurements, participant flow, or safety data for this trial"
    " yet. Check back later for updates."
)


def recognises(head: str) -> bool:
    """Whether the beginning of a file is a page of this layout."""
    if "nct id" not in head[:65536].lower():
        return False
    block = page(head).lines
    top = next((place for place, line in enumerate(block) if _ID.match(line)), None)
    if top is None:
        return False
    known = len(set(v.find_headings(block[top:], _ROWS).values()))
    dated = any(_UPDATED.match(line) for line in block[top : top + 4])
    return known > 1 or (dated and (known == 1 or len(block) <= top + 5))


def read(file: SourceFile) -> Iterator[Item]:
    """Read the one trial of a page; Rejected where it has no id."""
    return v.read_page(file, NAME, _fill)


def _fill(reading: Reading, shown: Page) -> str:
    preamble, sections = _sections(shown.lines)
    found_id = _head(reading, shown, preamble)
    # The table's order, not the page's: design codes want the study type, groups the interventions.
    for heading, row in _ROWS.items():
        if block := sections.get(heading):
            _read_section(reading, heading, row, block, sections)
    return found_id


def _head(reading: Reading, shown: Page, preamble: list[str]) -> str:
    """Read title, id and date; return the id."""
    found_id = ""
    left: list[str] = []
    lines = iter(preamble)
    for line in lines:
        if match := _ID.fullmatch(line):
            found_id = match[1] or next(lines, "")
            if left:
                title = shown.heading if shown.heading in left else left[-1]
                left.remove(title)
                reading.put("title", title)
        elif match := _UPDATED.fullmatch(line):
            reading.put("updated", match[1] or next(lines, ""))
        else:
            left.append(line)
    reading.leave(left)
    return found_id


def _sections(block: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return what stands above the first heading, and the lines under each.

    A free text may hold a line that reads like a heading. Where a heading's own sentence follows somewhere,
    only such places count; a heading without it counts but inside a free text of a page that has the
    sentences."""
    places = v.find_headings(block, _ROWS)
    following = dict(zip(range(len(block)), block[1:], strict=False))
    sure = {
        place for place, heading in places.items() if _is_caption(_ROWS[heading], following.get(place, ""))
    }
    confirmed = {places[place] for place in sure}
    preamble: list[str] = []
    sections: dict[str, list[str]] = {}
    current = preamble
    in_prose = False
    for place, line in enumerate(block):
        heading = places.get(place)
        if heading is not None and place not in sure:
            lacking = in_prose and bool(_ROWS[heading].caption) and len(confirmed) > 2
            if lacking or heading in confirmed or heading in sections:
                heading = None
        if heading is None:
            current.append(line)
        else:
            current = sections.setdefault(heading, [])
            in_prose = _ROWS[heading].prose
    return preamble, sections


def _words(line: str) -> set[str]:
    return set(re.findall(r"[a-z]+", line.lower()))


def _is_caption(row: Row, line: str) -> bool:
    ours, theirs = _words(row.caption), _words(line)
    return bool(ours) and len(ours & theirs) * 2 >= len(ours | theirs)


# How the site's own sentences begin, whatever their wording.
_STYLE = re.compile(
    r"(?:Additional|Browse|Check|Discover|Dive|Explore|Find|Get|Identify|Learn|Meet|Reach|Read|Review|See|Understand|View)"
    r"\b[^.]* (?:study|studies|trials?|participants|sponsors?|intervention|research|site)\b[^.]*\."
)


def _read_section(
    reading: Reading, heading: str, row: Row, block: list[str], sections: dict[str, list[str]]
) -> None:
    if _is_caption(row, block[0]):
        if block[0] != row.caption:
            reading.aside.setdefault("captions", []).append(block[0])
        block = block[1:]
    elif len(block[0]) < 400 and _STYLE.fullmatch(block[0]) and (not row.prose or len(block) > 1):
        # New wording of the site's sentence, most likely; kept, since it might be the trial's.
        reading.aside.setdefault("captions", []).append(block[0])
        reading.draft.note(heading, block[0], "taken for the site's own sentence")
        block = block[1:]
    if not block:
        return
    if heading == "Interventions":
        _interventions(reading, block, sections.get("Study Groups", []))
    else:
        row.reader(reading, block)


def _results(reading: Reading, block: list[str]) -> None:
    said = _words(" ".join(block))
    if _words(_NOT_PUBLISHED) <= said or re.search(
        r"\b(?:not (?:yet )?(?:been )?(?:published|posted|available)|no results)\b",
        " ".join(block),
        re.IGNORECASE,
    ):
        reading.put("has_results", "no")
        return
    reading.put("has_results", "yes")
    for line in block:
        date = re.sub(r"^results posted on:? *", "", line, flags=re.IGNORECASE)
        if parse_date(date):
            reading.put("results_posted", date)
        elif date:
            reading.aside.setdefault("results", []).append(line)


# Labels that some copies of the page keep before the bare values.
_LABELS = {
    "recruitment status": "status",
    "study phase": "phases",
    "clinical phase": "phases",
    "target enrollment": "enrollment",
    "total enrollment": "enrollment",
    "study type": "study_type",
    "study classification": "study_type",
    "start date": "start",
    "study start date": "start",
    "primary completion date": "primary_completion",
    "completion date": "completion",
    "study completion date": "completion",
    "results posted on": "results_posted",
}


def _basics(reading: Reading, block: list[str]) -> None:
    label = ""
    for line in block:
        folded = line.casefold().rstrip(":")
        if folded in _LABELS:
            label = _LABELS[folded]
        elif (key := _basic(reading, line, label)) is None:
            reading.leave([line])
            label = ""
        else:
            if key != "enrollment":
                reading.put(key, v.month_or_day(line) if key in _DATES else line)
            label = ""


_DATES = ("start", "completion", "primary_completion", "results_posted")
_DATE = re.compile(r"\d{4}(?:-\d{1,2}){0,2}")


def _basic(reading: Reading, line: str, label: str) -> str | None:
    """Return the key of a bare value; an enrolment is read at once."""
    if label in _DATES:
        return label
    if codes.code("StudyType", line) and not reading.has("study_type"):
        return "study_type"
    if codes.code("Status", line) and not reading.has("status") and label in {"", "status"}:
        return "status"
    if codes.code_list("Phase", line) and not line.isdigit() and not reading.has("phases"):
        return "phases"
    if (label == "enrollment" or not line.isdigit()) and v.enrollment(reading, line):
        return "enrollment"
    if _DATE.fullmatch(line) or parse_date(line):
        return next((key for key in _DATES[:2] if not reading.has(key)), None)
    return label or None


def _interventions(reading: Reading, block: list[str], groups: list[str]) -> None:
    """Read (name [type] [description])*.

    The study groups repeat each name with its description, which tells the two apart.
    """
    where: dict[str, list[int]] = {}
    for place, said in enumerate(groups):
        where.setdefault(said, []).append(place)
    found: list[tuple[str, list[str], list[str]]] = []
    for line in block:
        bare = line.removeprefix("* ")
        kind = codes.code("InterventionType", _TYPE_LABEL.sub("", bare))
        if found and kind and not any(found[-1][1:]):
            found[-1][1].append(kind)
        elif found and (
            _is_sentence(line) or (not found[-1][2] and _follows(groups, where, found[-1][0], line))
        ):
            found[-1][2].append(line)
        else:
            found.append((bare, [], []))
    for name, kinds, described in found:
        if name.casefold() in reading.interventions:
            reading.draft.note("InterventionName", name, "named twice")
            reading.leave(described)
            continue
        reading.intervention(kinds[0] if kinds else None, name, prose(described))
        reading.described[name.casefold()] = described


_TYPE_LABEL = re.compile(r"^(?:intervention |group )?type: *", re.IGNORECASE)


def _is_sentence(line: str) -> bool:
    """Whether a line can only be a description: too long for a name, a full sentence, an item."""
    words = len(line.split())
    return words > 20 or (words > 3 and line[-1] in ".;:") or ITEM.match(line) is not None


def _follows(groups: list[str], where: dict[str, list[int]], name: str, line: str) -> bool:
    """Whether, wherever the groups show this line, the name stands above it; so too when they do not show it.

    A type may stand between the two.
    """
    return all(name in groups[max(0, place - 2) : place] for place in where.get(line, [])[:100])


def _groups(reading: Reading, block: list[str]) -> None:
    """Read (label [type] [description] (intervention [its description])*)*."""
    typed = any(_arm_type(line) for line in block)
    place = 0
    while place < len(block):
        arm = reading.item("arms", label=block[place].removeprefix("* "))
        place += 1
        if place < len(block) and (kind := _arm_type(block[place])):
            arm.put("type", kind)
            place += 1
        described: list[str] = []
        tied = False
        while place < len(block):
            if (found := _intervention_at(reading, block, place, arm)) is not None:
                intervention, place = found
                reading.tie(arm, intervention)
                tied = True
            elif tied or (typed and place + 1 < len(block) and _arm_type(block[place + 1])):
                break
            else:
                described.append(block[place])
                place += 1
        arm.put("description", prose(described))
        if not (typed or tied) and len(described) > 1:
            reading.draft.note("ArmGroup", str(arm.study["label"]), "where the next group begins is not sure")


def _arm_type(line: str) -> str | None:
    return codes.code("ArmGroupType", _TYPE_LABEL.sub("", line))


def _intervention_at(reading: Reading, block: list[str], place: int, arm: Draft) -> tuple[Draft, int] | None:
    """Return the known intervention that these lines show, and the place after it."""
    name = block[place].removeprefix("* ").casefold()
    known = reading.interventions.get(name)
    if known is None or arm.study["label"] in known.study.get("armGroupLabels", ()):
        return None
    after = place + 1
    if after < len(block) and "type" in known.study:
        after += codes.code("InterventionType", _TYPE_LABEL.sub("", block[after])) == known.study["type"]
    described = reading.described[name]
    if described:
        end = after + len(described)
        shown = block[after : after + 1] == described[:1] and block[after:end] == described
        return (known, end) if shown else None
    # A label may be spelled like an intervention: then its type or the intervention itself comes next.
    label = after < len(block) and (_arm_type(block[after]) or block[after] == block[place])
    return None if label else (known, after)


def _other_names(reading: Reading, block: list[str]) -> None:
    """Read other names: under the name of their intervention, or of the only one there is."""
    only = list(reading.interventions.values())
    current = only[0] if len(only) == 1 else None
    for line in block:
        bare = line.removeprefix("* ")
        if (known := reading.interventions.get(bare.casefold())) is not None:
            current = known
        elif current is not None:
            current.put("otherNames", bare)
        else:
            reading.aside.setdefault("otherInterventionNames", []).append(bare)
            reading.draft.note("InterventionOtherName", bare, "which intervention it names is not said")


_TIME_LABEL = re.compile(r"time ?frame:? *(.*)", re.IGNORECASE)


def _outcomes(kind: str) -> v.Reader:
    """Read (measure [description] time frame)*; under a common heading a line says of which kind they are."""

    def read(reading: Reading, block: list[str]) -> None:
        which = kind
        rows: list[tuple[str, list[str]]] = []
        lines = iter(block)
        open_row = False
        for line in lines:
            said = _OUTCOMES.sub("", line.casefold())
            match = _TIME_LABEL.fullmatch(line)
            if kind == "other" and said in {"primary", "secondary", "other"} and said != line.casefold():
                which, open_row = said, False
            elif not open_row:
                rows.append((which, [line.removeprefix("* "), ""]))
                open_row = True
            elif match or v.TIME.fullmatch(line):
                rows[-1][1][1] = (match[1] or next(lines, "")) if match else line
                open_row = False
            else:
                rows[-1][1].append(line)
        for which, (measure, time, *described) in rows:
            reading.item(f"{which}_outcomes", measure=measure, timeFrame=time, description=prose(described))

    return read


_OUTCOMES = re.compile(r" outcomes?(?: measures?)?:?$")
_CRITERIA = re.compile(r"(inclusion|exclusion) criteria:?", re.IGNORECASE)
_ELIGIBILITY_LABELS = {
    "minimum eligible age", "maximum eligible age", "eligible sex", "accepts healthy volunteers",
    "minimum age", "maximum age", "sex", "healthy volunteers",
}  # fmt: skip
_AGE = re.compile(r"\d+ (?:minute|hour|day|week|month|year)s?|N/?A", re.IGNORECASE)


def _eligibility(reading: Reading, block: list[str]) -> None:
    """Read the criteria, then youngest and oldest age, sex, and whether healthy volunteers may come."""
    rest = [line for line in block if line.casefold() not in _ELIGIBILITY_LABELS]
    if rest and codes.boolean(rest[-1]) is not None:
        reading.put("volunteers", rest.pop())
    if rest and codes.code("Sex", rest[-1]):
        reading.put("sex", rest.pop())
    ages: list[str] = []
    while rest and len(ages) < 2 and _AGE.fullmatch(rest[-1]):
        ages.insert(0, rest.pop())
    for key, age in zip(("minimum_age", "maximum_age"), ages, strict=False):
        reading.put(key, "N/A" if age.upper() == "NA" else age)
    if len(ages) == 1 and ages[0].upper() not in {"N/A", "NA"}:
        reading.draft.note("MinimumAge", ages[0], "the only age on the page, taken for the youngest")
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in rest:
        if match := _CRITERIA.fullmatch(line):
            parts.append((f"{match[1].capitalize()} Criteria:", []))
        else:
            parts[-1][1].append(line)
    reading.put("criteria", v.criteria(parts))


def _sponsors(reading: Reading, block: list[str]) -> None:
    """Read (name [class] [role])*; the first is the lead but where a role says so."""
    found: list[dict[str, str]] = []
    for line in block:
        bare = line.removeprefix("* ")
        role = re.sub(r"^(?:sponsor )?role: *", "", bare, flags=re.IGNORECASE).casefold()
        if found and "role" not in found[-1] and role in {"lead", "collaborator", "lead_sponsor"}:
            found[-1]["role"] = role
        elif found and "class" not in found[-1] and codes.code("AgencyClass", bare):
            found[-1]["class"] = bare
        else:
            found.append({"name": bare})
    lead = next((one for one in found if one.get("role", "").startswith("lead")), found[0])
    for one in found:
        if one is lead:
            reading.put("sponsor", one["name"])
            reading.put("sponsor_class", one.get("class"))
        else:
            reading.item("collaborators", name=one["name"]).put("class", one.get("class"))


_ORGANIZATION = re.compile(
    r"\b(?:universit|hospital|institut|cent(?:er|re)\b|college|clinic|school|foundation|ministry|department|compan"
    r"|inc\b|ltd\b|llc\b|gmbh\b|corp|pharma|group|laborator|agency|council|association|society|network)",
    re.IGNORECASE,
)


def _responsible(reading: Reading, block: list[str]) -> None:
    """Read the type where it is said, then a person with title and affiliation, or an organisation."""
    sponsor = (
        reading.draft.study.get("protocolSection", {})
        .get("sponsorCollaboratorsModule", {})
        .get("leadSponsor", {})
    )
    for line in block:
        bare = re.sub(
            r"^(?:role|type|responsible party(?: type)?): *", "", line.removeprefix("* "), flags=re.IGNORECASE
        )
        organization = _ORGANIZATION.search(bare) or bare.casefold() == sponsor.get("name", "").casefold()
        if codes.code("ResponsiblePartyType", bare) and not reading.has("responsible_type"):
            key = "responsible_type"
        elif organization:
            key = "responsible_affiliation" if reading.has("responsible_name") else "responsible_organization"
        else:
            key = "responsible_title" if reading.has("responsible_name") else "responsible_name"
        if reading.has(key):
            reading.leave([line])
        else:
            reading.put(key, bare)


def _countries(reading: Reading, block: list[str]) -> None:
    contacts = reading.draft.study.get("protocolSection", {}).get("contactsLocationsModule", {})
    sited = {site.get("country", "").casefold() for site in contacts.get("locations", [])}
    for line in block:
        country = line.removeprefix("* ")
        if country.casefold() not in sited:
            reading.item("locations", country=country)


def _officials(reading: Reading, block: list[str]) -> None:
    """Read (name, role, affiliation)*."""
    current: Draft | None = None
    for line in block:
        role = codes.code("OfficialRole", re.sub(r"^role: *", "", line, flags=re.IGNORECASE))
        if role and current is not None and "role" not in current.study:
            current.put("role", role)
        elif current is not None and "affiliation" not in current.study and _ORGANIZATION.search(line):
            current.put("affiliation", line)
        else:
            current = reading.item("officials", name=line)


_SOURCES = {"org_study_id": "org_id", "nct_alias": "alias"}
_SECONDARY = {"", "-", "secondary_id", "secondary"}
_ID_PIECE = re.compile(r"identifier (type|source): *(.*)", re.IGNORECASE)


def _identifiers(reading: Reading, block: list[str]) -> None:
    """Read (id, `Identifier Type:`, `Identifier Source:`)*."""
    found: list[dict[str, str]] = []
    for line in block:
        if (match := _ID_PIECE.fullmatch(line)) is None:
            found.append({"id": line.removeprefix("* ")})
        elif found:
            found[-1][match[1].lower()] = match[2].removeprefix("-")
        else:
            reading.leave([line])
    for one in found:
        source = one.get("source", "")
        key = _SOURCES.get(source.casefold())
        if key and not (key == "org_id" and reading.has(key)):
            reading.put(key, one["id"])
            if key == "org_id":
                reading.put("org_id_type", one.get("type"))
        elif registry_ids.is_nct_id(one["id"]):
            reading.put("alias", one["id"])
        else:
            domain = None if source.casefold() in _SECONDARY else source
            reading.item("secondary_ids", id=one["id"], type=one.get("type"), domain=domain)


def _outcome_keys(*kinds: str) -> tuple[str, ...]:
    return tuple(
        f"{kind}_outcomes.{piece}" for kind in kinds for piece in ("measure", "description", "timeFrame")
    )


# The headings in the order in which they are read. The captions are the site's.
_ROWS: dict[str, Row] = {
    "Study Results": Row(_results, ("has_results",), ("results_posted",)),
    "Official Title": Row(v.text("official_title"), ("official_title",), always=False),
    "Basic Information": Row(
        _basics,
        ("status", "phases", "enrollment", "study_type", "start", "completion"),
        ("primary_completion", "results_posted"),
        caption="Get a concise snapshot of the trial, including recruitment status, study phase, "
        "enrollment targets, and key timeline milestones.",
    ),
    "Brief Summary": Row(
        v.text("summary"),
        ("summary",),
        caption="Review the sponsor-provided synopsis that highlights what the study is about and why it "
        "is being conducted.",
        prose=True,
    ),
    "Detailed Description": Row(
        v.text("description"),
        ("description",),
        caption="Dive into the extended narrative that explains the scientific background, objectives, "
        "and procedures in greater depth.",
        prose=True,
    ),
    "Conditions": Row(
        v.listed("conditions"),
        ("conditions",),
        caption="See the medical conditions and disease areas that this research is targeting or "
        "investigating.",
    ),
    "Keywords": Row(
        v.listed("keywords"),
        ("keywords",),
        always=False,
        caption="Explore important study keywords that can help with search, categorization, and topic "
        "discovery.",
    ),
    "Study Design": Row(
        v.design,
        v.DESIGN_KEYS,
        ("who_masked",),
        caption="Understand how the trial is structured, including allocation methods, masking "
        "strategies, primary purpose, and other design elements.",
    ),
    "Interventions": Row(
        v.aside("interventions"),
        ("interventions.name", "interventions.description"),
        ("interventions.type",),
        caption="Learn about the drugs, procedures, or behavioral strategies being tested and how they "
        "are applied within this trial.",
    ),
    "Other Intervention Names": Row(
        _other_names,
        ("interventions.otherNames",),
        always=False,
        caption="Discover alternative or legacy names that may be used to describe the listed "
        "interventions across different sources.",
    ),
    "Study Groups": Row(
        _groups,
        ("arms.label", "arms.interventionNames", "interventions.armGroupLabels"),
        ("arms.type", "arms.description"),
        caption="Review each arm or cohort in the study, along with the interventions and objectives "
        "associated with them.",
    ),
    "Primary Outcomes": Row(_outcomes("primary"), _outcome_keys("primary"), always=False),
    "Primary Outcome Measures": Row(_outcomes("primary"), _outcome_keys("primary"), always=False),
    "Secondary Outcomes": Row(_outcomes("secondary"), _outcome_keys("secondary"), always=False),
    "Secondary Outcome Measures": Row(_outcomes("secondary"), _outcome_keys("secondary"), always=False),
    "Other Outcomes": Row(_outcomes("other"), _outcome_keys("other"), always=False),
    "Outcome Measures": Row(_outcomes("other"), _outcome_keys("primary", "secondary", "other"), always=False),
    "Eligibility Criteria": Row(
        _eligibility,
        ("criteria", "minimum_age", "maximum_age", "age_groups", "sex", "volunteers"),
        caption="Check the participation requirements, including inclusion and exclusion rules, age "
        "limits, and whether healthy volunteers are accepted.",
        prose=True,
    ),
    "Sponsors": Row(
        _sponsors,
        ("sponsor", "sponsor_class", "collaborators.name", "collaborators.class"),
        caption="Meet the organizations funding or collaborating on the study and learn about their roles.",
    ),
    "Responsible Party": Row(
        _responsible,
        (
            "responsible_type", "responsible_name", "responsible_title", "responsible_affiliation",
            "responsible_organization",
        ),
        always=False,
        caption="Identify the individual or organization who holds primary responsibility for the study "
        "information submitted to regulators.",
    ),
    "Principal Investigators": Row(
        _officials,
        ("officials.name", "officials.role", "officials.affiliation"),
        always=False,
        caption="Learn about the lead researchers overseeing the trial and their institutional "
        "affiliations.",
    ),
    "Locations": Row(
        v.places,
        ("locations.facility", "locations.city", "locations.state", "locations.country"),
        ("locations.zip", "locations.status"),
        caption="Explore where the study is taking place and check the recruitment status at each "
        "participating site.",
    ),
    "Countries": Row(
        _countries,
        ("locations.country",),
        caption="Review the countries where the study has at least one active or historical site.",
    ),
    "Central Contacts": Row(
        v.contacts,
        (
            "central_contacts.name", "central_contacts.role", "central_contacts.phone",
            "central_contacts.email",
        ),
        always=False,
        caption="Reach out to these primary contacts for questions about participation or study logistics.",
    ),
    "Facility Contacts": Row(
        v.aside("facilityContacts"),
        always=False,
        caption="Find local site contact details for specific facilities participating in the trial.",
    ),
    "References": Row(
        v.references,
        ("references.citation",),
        ("references.pmid", "links.url"),
        caption="Explore related publications, articles, or registry entries linked to this study.",
    ),
    "Other Identifiers": Row(
        _identifiers,
        ("org_id", "secondary_ids.id"),
        ("org_id_type", "alias", "secondary_ids.type", "secondary_ids.domain"),
        caption="Review additional registry numbers or institutional identifiers associated with this "
        "trial.",
    ),
    "Provided Documents": Row(
        v.aside("documents"),
        always=False,
        caption="Download supplemental materials such as informed consent forms, protocols, or "
        "participant manuals.",
    ),
    "Related Clinical Trials": Row(
        v.related,
        caption="Explore similar clinical trials based on study characteristics and research focus.",
    ),
    "More Related Trials": Row(
        v.related,
        caption="Additional clinical trials that may be relevant based on similarity analysis.",
    ),
}  # fmt: skip

STATES = v.states(_ROWS.values(), "id", "title", "updated")
