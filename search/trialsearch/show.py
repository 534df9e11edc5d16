r"""One trial as text, as a person would want to read it in a terminal. Pure: a study in, text out.

Sections come in a fixed order, and one without content is left out. Dates and codes are in words, long text
is wrapped with hanging indents, the registry's Markdown escapes are resolved, and control characters, which
could steer a terminal, become spaces. Phone numbers and mail addresses are not printed; the stored record has
them.

>>> study = {"protocolSection": {
...     "identificationModule": {"nctId": "NCT00000001", "briefTitle": "A trial of 5 \\> 3"},
...     "statusModule": {"overallStatus": "COMPLETED",
...         "startDateStruct": {"date": "2012-02", "type": "ACTUAL"}}}}
>>> print(show_text(study))
A trial of 5 > 3
NCT00000001
<BLANKLINE>
Status  Completed
Start   February 2012 (actual)
>>> show_text({})
Traceback (most recent call last):
    ...
trialindex.errors.InvalidTrialId: the study has no protocolSection.identificationModule.nctId
"""

from __future__ import annotations

import calendar
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from trialindex import codes
from trialindex.dates import Age
from trialindex.trial import EventGroup, Outcome, PartialDate, Site, Sponsor, Trial

__all__ = ["show_text"]

_ALL_SITES = 10  # so many sites are listed one by one; more are counted by country
_CITIES = 5  # so many cities a country
_LINE = 70, 110  # a line of so many characters was broken at a margin, not by its writer

_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!<>~^|&=$\-])")
# Control characters, marks that turn the direction of what follows, and halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CODE = re.compile(r"[A-Z][A-Z0-9_]+")
_ESCAPED_MARK = re.compile(r"^([ \t]*\w{0,3})\\([.)*•-])")
_ITEM = re.compile(r"[ \t]*(?:([-*•·◦▪○●–])[ \t]+|(\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)])[ \t]+)")


def show_text(study: dict[str, Any], width: int = 100, bold: Callable[[str], str] = str) -> str:
    """Return a study as readable text, in lines of at most `width` columns (never under 40).

    `bold` styles the title and the headings; without it the text is plain. Raises InvalidTrialId for a study
    without an id.
    """
    trial = Trial.from_study(study)
    page = _Page(max(width, 40), bold)
    _head(page, trial)
    for section in (_facts, _treatment, _texts, _eligibility, _outcomes, _people, _results, _terms, _origin):
        section(page, trial)
    return "\n".join(page.lines)


class _Page:
    """Lines of text under construction."""

    def __init__(self, width: int, bold: Callable[[str], str]) -> None:
        self.width = width
        self.bold = bold
        self.lines: list[str] = []

    def heading(self, text: str) -> None:
        """Start a section."""
        if self.lines:
            self.lines.append("")
        self.lines.append(self.bold(_clean(text)))

    def wrap(self, text: str, first: str = "", rest: str | None = None, styled: bool = False) -> None:
        """Add a paragraph; `first` and `rest` stand before its first and its other lines."""
        rest = first if rest is None else rest
        wrapped = textwrap.wrap(
            _clean(text),
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.lines += [self.bold(line) for line in wrapped] if styled else wrapped

    def item(self, text: str, indent: str = "  ") -> None:
        """Add a paragraph as an item of a list."""
        self.wrap(text, f"{indent}- ", f"{indent}  ")

    def items(self, heading: str, texts: Iterable[str]) -> None:
        """Add a section that is a list, unless the list is empty."""
        if kept := [text for text in texts if text.strip()]:
            self.heading(heading)
            for text in kept:
                self.item(text)

    def prose(self, text: str, indent: str = "  ", spaced: bool = False) -> None:
        """Add a text with its paragraphs and lists; `spaced` parts its paragraphs by a blank line."""
        for number, (mark, depth, paragraph) in enumerate(_paragraphs(text)):
            if spaced and number and not mark:
                self.lines.append("")
            first = indent + "  " * depth + (f"{mark} " if mark else "")
            self.wrap(paragraph, first, " " * len(first))

    def table(self, rows: Iterable[tuple[str, str | None]]) -> None:
        """Add rows of a label and a value, values aligned; rows without a value are left out."""
        kept = [(label, value) for label, value in rows if value and value.strip()]
        column = max((len(label) for label, _ in kept), default=0) + 2
        for label, value in kept:
            self.wrap(value, label.ljust(column), " " * column)


# --- words ---


def _clean(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", _ESCAPE.sub(r"\1", text)).split())


def _words(code: str | None) -> str:
    """Return a code in words; any other text stays as it is."""
    if not code:
        return ""
    return codes.words(code) if _CODE.fullmatch(code) else code


def _lower(text: str) -> str:
    """Return a text in small letters unless it begins with an acronym."""
    return text if text[:2].isupper() else text.lower()


def _typed(text: str, kind: str | None) -> str:
    return f"{text} ({_words(kind).lower()})" if kind else text


def _day(day: PartialDate | None) -> str | None:
    """Return a date in words: `29 February 2012 (actual)`."""
    if day is None:
        return None
    first = day.first
    parts = {
        "day": f"{first.day} {calendar.month_name[first.month]} {first.year}",
        "month": f"{calendar.month_name[first.month]} {first.year}",
        "year": f"{first.year}",
    }
    return _typed(parts[day.precision], day.type)


def _ages(youngest: Age | None, oldest: Age | None) -> str | None:
    """Return a range of ages in words."""
    low, high = (str(age).lower() if age else "" for age in (youngest, oldest))
    if youngest and oldest and youngest.unit == oldest.unit:
        low = low.split()[0]
    if low and high:
        return f"{low} to {high}"
    return f"{low} and older" if low else f"up to {high}" if high else None


def _named(sponsor: Sponsor | None) -> str:
    if sponsor is None or not sponsor.name:
        return ""
    kind = "" if sponsor.agency_class in ("OTHER", "UNKNOWN") else _lower(_words(sponsor.agency_class))
    return f"{sponsor.name} ({kind})" if kind else sponsor.name


def _joined(*parts: str | None, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _paragraphs(text: str) -> list[tuple[str, int, str]]:
    """Return the paragraphs and list items of a text as (mark, depth, text).

    Older records break lines at a margin: such a line goes on in the next one, unless that one opens an item.
    """
    found: list[tuple[str, int, str]] = []
    indents: list[int] = []
    previous = 0
    for line in text.splitlines():
        line = _ESCAPED_MARK.sub(r"\1\2", line.expandtabs(4))
        mark = _ITEM.match(line)
        if not line.strip():
            previous = 0
            continue
        if mark:
            indent = len(line) - len(line.lstrip())
            indents = [*(known for known in indents if known < indent), indent]
            found.append((mark[2] or "-", min(len(indents) - 1, 4), line[mark.end() :]))
        elif found and _LINE[0] <= previous <= _LINE[1]:
            above = found.pop()
            found.append((above[0], above[1], f"{above[2]} {line.strip()}"))
        else:
            found.append(("", 0, line))
        previous = len(line)
    return [entry for entry in found if entry[2].strip()]


# --- the sections, in their order ---


def _head(page: _Page, trial: Trial) -> None:
    page.wrap(trial.title or trial.official_title or trial.acronym or trial.nct_id, styled=True)
    aliases = f"also {', '.join(trial.aliases)}" if trial.aliases else None
    page.wrap(_joined(trial.nct_id, aliases, trial.acronym, by=" · "))
    if trial.official_title and trial.title and trial.official_title != trial.title:
        page.wrap(trial.official_title)


def _facts(page: _Page, trial: Trial) -> None:
    known = f" (last known: {_words(trial.last_known_status).lower()})" if trial.last_known_status else ""
    party = trial.responsible_party
    enrollment = (
        _typed(f"{trial.enrollment:,} participants", trial.enrollment_type)
        if trial.enrollment is not None
        else None
    )
    rows = (
        ("Status", f"{_words(trial.status)}{known}"),
        ("Why stopped", trial.why_stopped),
        ("Type", _words(trial.study_type)),
        ("Phase", " / ".join(_words(phase) for phase in trial.phases)),
        ("Start", _day(trial.start)),
        ("Primary completion", _day(trial.primary_completion)),
        ("Completion", _day(trial.completion)),
        ("Enrolment", enrollment),
        ("Sponsor", _named(trial.sponsor)),
        ("Collaborators", "; ".join(filter(None, map(_named, trial.collaborators)))),
        ("Responsible", _joined(party.name, party.title, party.affiliation) if party else None),
        (
            "Organization",
            trial.organization if not trial.sponsor or trial.organization != trial.sponsor.name else None,
        ),
        ("First posted", _day(trial.first_posted)),
        ("Last updated", _day(trial.last_updated)),
        ("Verified", _day(trial.verified)),
        ("Results posted", _day(trial.results_first_posted)),
        (
            "Other ids",
            _joined(
                trial.org_study_id, *(_other_id(other.id, other.domain) for other in trial.secondary_ids)
            ),
        ),
    )
    if any(value and value.strip() for _, value in rows):
        page.lines.append("")
        page.table(rows)


def _other_id(text: str | None, domain: str | None) -> str:
    return f"{text} ({domain})" if text and domain else text or ""


def _treatment(page: _Page, trial: Trial) -> None:
    page.items("Conditions", trial.conditions)
    page.items("Keywords", ["; ".join(trial.keywords)])
    if trial.interventions:
        page.heading("Interventions")
    for intervention in trial.interventions:
        others = f" (also: {'; '.join(intervention.other_names)})" if intervention.other_names else ""
        page.item(_joined(_words(intervention.type), f"{intervention.name or 'unnamed'}{others}", by=": "))
        page.prose(intervention.description or "", "    ")
    if trial.arms:
        page.heading("Arms")
    for arm in trial.arms:
        page.item(_typed(arm.label or "unnamed", arm.type))
        page.prose(arm.description or "", "    ")
        if arm.interventions:
            page.wrap("; ".join(arm.interventions), "    Gets: ", "      ")
    who = f" ({', '.join(_words(party).lower() for party in trial.who_masked)})" if trial.who_masked else ""
    design = (
        ("Allocation", _words(trial.allocation)),
        ("Intervention model", _words(trial.intervention_model)),
        ("Primary purpose", _words(trial.primary_purpose)),
        ("Masking", f"{_words(trial.masking)}{who}"),
        ("Observational model", _words(trial.observational_model)),
        ("Time perspective", _words(trial.time_perspective)),
    )
    page.items("Design", (f"{label}: {value}" for label, value in design if value))


def _texts(page: _Page, trial: Trial) -> None:
    for heading, text in (("Summary", trial.summary), ("Description", trial.description)):
        if text and text.strip():
            page.heading(heading)
            page.prose(text, spaced=True)


def _eligibility(page: _Page, trial: Trial) -> None:
    who = trial.eligibility
    healthy = {True: "accepted", False: "not accepted", None: None}[who.healthy_volunteers]
    rows = (
        ("Ages", _ages(who.minimum_age, who.maximum_age)),
        ("Age groups", ", ".join(_words(group).lower() for group in who.age_groups)),
        ("Sex", _words(who.sex)),
        ("Gender", who.gender_description),
        ("Healthy volunteers", healthy),
        ("Population", who.study_population),
        ("Sampling", _words(who.sampling_method)),
    )
    parts = (("Inclusion", who.inclusion), ("Exclusion", who.exclusion), ("Criteria", who.other))
    if not any(value and value.strip() for _, value in (*rows, *parts)):
        return
    page.heading("Eligibility")
    for label, value in rows:
        if value:
            page.item(f"{label}: {value}")
    for heading, text in parts:
        if text.strip():
            page.lines.append(f"  {page.bold(heading)}")
            page.prose(text, "    ")


def _outcomes(page: _Page, trial: Trial) -> None:
    for heading, outcomes in (
        ("Primary outcomes", trial.primary_outcomes),
        ("Secondary outcomes", trial.secondary_outcomes),
        ("Other outcomes", trial.other_outcomes),
    ):
        if outcomes:
            page.heading(heading)
        for outcome in outcomes:
            _outcome(page, outcome)


def _outcome(page: _Page, outcome: Outcome) -> None:
    frame = f" [{outcome.time_frame}]" if outcome.time_frame else ""
    page.item(f"{outcome.measure or 'unnamed'}{frame}")
    page.prose(outcome.description or "", "    ")


def _people(page: _Page, trial: Trial) -> None:
    if trial.sites:
        page.heading(
            _counted(len(trial.sites), "site") + (f" in {_countries(trial)}" if trial.countries else "")
        )
    if len(trial.sites) <= _ALL_SITES:
        for site in trial.sites:
            place = _joined(site.facility, site.city, site.state, site.country)
            page.item(_typed(place or "unnamed", site.status))
    else:
        by_country: dict[str, list[Site]] = {}
        for site in trial.sites:
            by_country.setdefault(site.country or "no country named", []).append(site)
        for country, sites in by_country.items():
            page.item(f"{country} ({len(sites)}): {_cities(sites)}")
    page.items(
        "Officials", (_joined(who.name, _words(who.role).lower(), who.affiliation) for who in trial.officials)
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _countries(trial: Trial) -> str:
    return trial.countries[0] if len(trial.countries) == 1 else f"{len(trial.countries)} countries"


def _cities(sites: list[Site]) -> str:
    cities = list(dict.fromkeys(site.city for site in sites if site.city))
    more = f" and {len(cities) - _CITIES} more" if len(cities) > _CITIES else ""
    return ", ".join(cities[:_CITIES]) + more


def _results(page: _Page, trial: Trial) -> None:
    results = trial.results
    if not trial.has_results:
        return
    page.heading("Results")
    if results is None:
        page.item("posted at the registry; not in this record")
        return
    if results.flow_groups:
        page.item("Groups: " + "; ".join(group.title or "unnamed" for group in results.flow_groups))
    for outcome in results.outcomes:
        frame = f" [{outcome.time_frame}]" if outcome.time_frame else ""
        page.item(_joined(_words(outcome.type), f"{outcome.title or 'unnamed'}{frame}", by=": "))
    for group in results.event_groups:
        if events := _events(group):
            page.item(f"Adverse events, {group.title or 'unnamed'}: {events}")
    kinds = _joined(
        _counted(len(results.serious_events), "serious kind") if results.serious_events else None,
        _counted(len(results.other_events), "other kind") if results.other_events else None,
    )
    if kinds:
        page.item(f"Adverse events reported: {kinds}")
    if results.limitations:
        page.item(f"Limitations: {results.limitations}")


def _events(group: EventGroup) -> str:
    counts = (
        ("deaths", group.deaths, group.deaths_at_risk),
        ("serious", group.serious, group.serious_at_risk),
        ("other", group.other, group.other_at_risk),
    )
    return _joined(
        *(
            f"{name} {number}" + (f" of {at_risk}" if at_risk is not None else "")
            for name, number, at_risk in counts
            if number is not None
        )
    )


def _terms(page: _Page, trial: Trial) -> None:
    page.items("MeSH terms, conditions", ["; ".join(mesh.term for mesh in trial.condition_mesh if mesh.term)])
    page.items(
        "MeSH terms, interventions", ["; ".join(mesh.term for mesh in trial.intervention_mesh if mesh.term)]
    )
    page.items("References", (_reference(ref.citation, ref.pmid, ref.type) for ref in trial.references))
    page.items("Links", (_joined(link.label, link.url, by=": ") for link in trial.links))
    page.items(
        "Documents", (_joined(paper.label, paper.filename, _day(paper.date)) for paper in trial.documents)
    )


def _reference(citation: str | None, pmid: str | None, kind: str | None) -> str:
    text = _joined(citation, f"PMID {pmid}" if pmid else None, by=" ")
    return _typed(text, kind) if text else ""


def _origin(page: _Page, trial: Trial) -> None:
    page.items("Read from", (_source(source) for source in trial.sources))
    page.items("Odd values", (_odd(entry) for entry in trial.odd))


def _source(source: dict[str, Any]) -> str:
    number = source.get("number")
    return _joined(
        _plain(source.get("format")),
        _plain(source.get("file")),
        f"record {_plain(number)}" if number is not None else None,
        _plain(source.get("date")),
    )


def _odd(entry: dict[str, Any]) -> str:
    value = _plain(entry.get("value"))
    return _joined(_plain(entry.get("field")), f"{value!r}", by=": ") + f" ({_plain(entry.get('reason'))})"


def _plain(value: Any) -> str:
    if isinstance(value, int) and abs(value) < 10**15:
        return str(value)
    return value if isinstance(value, str) else ""
