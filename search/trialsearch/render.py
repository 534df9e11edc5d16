"""Results as a person reads them, as lines of styled text (`lines`). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trialindex import codes
from trialindex.analysis import prepare, tokens
from trialsearch.lines import Line, Piece, clean, labelled, table

if TYPE_CHECKING:
    from trialindex.builder import Report
    from trialindex.summary import Summary
    from trialsearch.results import Hit, Results, Step, Widening
    from trialsearch.suggest import Suggestion

__all__ = ["answer", "blocks", "footer", "likeness", "names", "report_lines"]

# Names of fields that their piece names, put apart, do not say well.
_LABELS = {
    "NCTId": "id",
    "NCTIdAlias": "former id",
    "OrgStudyId": "sponsor's id",
    "OrgStudyIdType": "sponsor's id",
    "SecondaryId": "other id",
    "SecondaryIdType": "other id",
    "BriefTitle": "title",
    "InterventionName": "intervention",
    "InterventionOtherName": "other name of intervention",
    "StdAge": "age group",
    "PrimaryOutcomeMeasure": "primary outcome",
    "SecondaryOutcomeMeasure": "secondary outcome",
    "OtherOutcomeMeasure": "other outcome",
    "BriefSummary": "summary",
    "DetailedDescription": "description",
    "ArmGroupLabel": "arm",
    "ArmGroupDescription": "arm description",
    "ArmGroupType": "arm type",
    "LeadSponsorName": "sponsor",
    "LeadSponsorClass": "sponsor class",
    "CollaboratorName": "collaborator",
    "OrgFullName": "organization",
    "LocationFacility": "site",
    "LocationCity": "city",
    "LocationState": "state",
    "LocationCountry": "country",
    "LocationStatus": "site status",
    "LocationZip": "postcode",
    "LocationContactName": "site contact",
    "BioSpecDescription": "specimens",
    "ResponsiblePartyInvestigatorFullName": "investigator",
    "ResponsiblePartyInvestigatorTitle": "investigator's title",
    "ResponsiblePartyInvestigatorAffiliation": "investigator's affiliation",
    "ResponsiblePartyOldNameTitle": "responsible party",
    "ResponsiblePartyOldOrganization": "responsible organization",
    "OverallOfficialName": "official",
    "OverallOfficialRole": "official's role",
    "OverallOfficialAffiliation": "official's affiliation",
    "CentralContactName": "contact",
    "ConditionMeshTerm": "MeSH term",
    "ConditionAncestorTerm": "broader MeSH term",
    "InterventionMeshTerm": "MeSH term",
    "InterventionAncestorTerm": "broader MeSH term",
    "DesignAllocation": "allocation",
    "DesignInterventionModel": "intervention model",
    "DesignInterventionModelDescription": "intervention model",
    "DesignMasking": "masking",
    "DesignMaskingDescription": "masking",
    "DesignWhoMasked": "who is masked",
    "DesignObservationalModel": "observational model",
    "DesignPrimaryPurpose": "purpose",
    "DesignTimePerspective": "time perspective",
    "OverallStatus": "status",
    "OutcomeMeasureTitle": "outcome in results",
    "OutcomeMeasureDescription": "outcome in results",
    "OutcomeMeasurePopulationDescription": "analysed population",
    "OutcomeGroupTitle": "group in results",
    "OutcomeGroupDescription": "group in results",
    "BaselineMeasureTitle": "baseline measure",
    "FlowGroupTitle": "group in results",
    "FlowGroupDescription": "group in results",
    "SeriousEventTerm": "serious adverse event",
    "OtherEventTerm": "other adverse event",
    "EligibilityCriteria": "criteria",
    "StudyPopulation": "population",
    "GenderDescription": "gender",
    "HasResults": "results",
}
# Parts of piece names that a person says otherwise.
_SAID = {
    "UnitOfMeasure": "Unit",
    "OutcomeMeasurements?": "ValueInResults",
    "OutcomeMeasures?": "OutcomeInResults",
    "BaselineMeasurement": "BaselineValue",
    "Abbrev": "Abbreviation",
    "Denom": "Denominator",
    "Num(?=[A-Z])": "NumberOf",
    "LargeDoc": "Document",
    "AvailIPD": "AvailableIPD",
    "Pct": "Percent",
    "Param": "Parameter",
    "NCTId": "NCTID",
    "EMail": "Email",
    "ArmGroup": "Arm",
    "BrowseLeaf|BrowseBranch": "Topic",
}
# What an area that a word was asked in is called.
_AREA_LABELS = {
    "ConditionSearch": "conditions",
    "InterventionSearch": "interventions",
    "TitleSearch": "titles",
    "OutcomeSearch": "outcomes",
    "SponsorSearch": "sponsors",
    "LeadSponsorName": "lead sponsors",
    "PatientSearch": "what describes patients",
    "LocationSearch": "locations",
    "IdSearch": "ids",
    "Inclusion": "inclusion criteria",
    "Exclusion": "exclusion criteria",
    "Everywhere": "all text",
}
_MOST_SITES = 3  # of a hit that are shown
# Characters of a query that are repeated above its answer; an expression of a thousand ids is longer.
_LONGEST_QUERY = 4_000
_GOOD = frozenset({"RECRUITING", "ENROLLING_BY_INVITATION", "AVAILABLE"})
_BAD = frozenset({"TERMINATED", "WITHDRAWN", "SUSPENDED", "NO_LONGER_AVAILABLE"})


def field_label(field: str) -> str:
    """Return what a person calls a field.

    >>> field_label("BriefTitle"), field_label("InclusionCriteria"), field_label("PrimaryOutcomeTimeFrame")
    ('title', 'inclusion criteria', 'primary outcome time frame')
    >>> field_label("OutcomeMeasureUnitOfMeasure"), field_label("OutcomeAnalysisCILowerLimit")
    ('outcome in results unit', 'outcome analysis ci lower limit')
    """
    if field in _LABELS:
        return _LABELS[field]
    for piece, said in _SAID.items():
        field = re.sub(piece, said, field)
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", field).lower()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "trial"), counted(1200, "trial")
    ('1 trial', '1,200 trials')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _words(code: str | None) -> str:
    """Return a code in words; any other text stays as it is."""
    return codes.words(code) if code and re.fullmatch(r"[A-Z][A-Z0-9_]+", code) else code or ""


def _listed(items: Sequence[str], most: int, joint: str = ", ") -> str:
    """Return the first items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return joint.join(items[:most]) + more


def _also(widened: Widening) -> str:
    """Return what else a name is looked for as, in words."""
    said = []
    if widened.read:
        said.append(f"read as {', '.join(widened.read)}")
    if widened.names:
        said.append(f"also {_listed([name for name, _ in widened.names], 4)}")
    if widened.linked:
        verb = "is" if widened.linked == 1 else "are"
        said.append(f"{counted(widened.linked, 'trial')} {verb} linked to it or a kind of it")
    return "; ".join(said)


def answer(
    results: Results, *, limit: int | None = None, explain: bool = False, everywhere: bool = False
) -> Iterator[Line]:
    """Yield an answer as lines: what was understood, the hits, and what to do next."""
    full = [hit for hit in results if not hit.partial]
    partial = [hit for hit in results if hit.partial]
    yield from _heading(results, explain)
    if not results.total:
        yield from _emptied(results)
    yield from blocks(full, results.offset + 1, explain)
    if results.total and not results and results.offset and limit != 0:
        last = max(0, results.total - (limit or results.total))
        yield Line()
        yield Line((("Nothing that far down; the last ones: ", ""), (f"--offset {last}", "hint")))
    if partial:
        more = f"{results.partial_total:,}{' more' if results.total else ''}"
        verb = "has" if results.partial_total == 1 else "have"
        yield Line()
        yield Line(((f"── {more} {verb} only some of the words ", "rule"),), fill="─")
        yield from blocks(partial, results.offset + len(full) + 1, explain)
    yield from footer(results, limit, everywhere)


def _heading(results: Results, explain: bool) -> Iterator[Line]:
    count = counted(results.total, "trial") if results.total else "No trial"
    yield Line(((count, "head"), (f" for {_short(results.asked)}", "")), hang=2)
    if explain:
        yield Line(((_short(results.effective), ""),), 2, lead=(("query: ", "label"),))
        yield Line(((_short(str(results.query)), ""),), 2, lead=(("widened: ", "label"),))
    else:
        for widened in results.widened:
            yield Line(((f"{widened.asked}: ", "label"), (_also(widened), "")), 2, 4)
    for note in results.notes:
        yield Line(((note, ""),), 2, lead=(("note: ", "label"),))


def _short(query: str) -> str:
    return query if len(query) <= _LONGEST_QUERY else f"{query[: _LONGEST_QUERY - 1]}…"


def _emptied(results: Results) -> Iterator[Line]:
    """Yield which part of a query emptied its answer, and what else could be meant."""
    steps = results.steps
    if steps:
        emptied = next((step for step in steps if not step.left), None)
        rows = [*_rows(steps)]
        texts = [text for text, _ in rows]
        width = min(max(map(len, [*texts, "asked"])), 44)
        heads = f"{'asked'.ljust(width)}  {'alone':>8}  {'together':>8}  {'without':>8}"
        yield Line()
        yield Line(((heads, "label"),), 2, 4)
        for text, step in rows:
            shown = text if len(text) <= width else text[: width - 1] + "…"
            without = "" if step.without is None else f"{step.without:,}"
            numbers = f"{shown.ljust(width)}  {step.alone:>8,}  {step.left:>8,}  {without:>8}".rstrip()
            if step is emptied:
                reason = "no trial has this" if not step.alone else "none of those above has this"
                yield Line(((numbers, ""), (f"  <- {reason}", "bad")), 2, 4)
            else:
                yield Line(((numbers, ""),), 2, 4)
        best = results.best_dropped
        if best is not None:
            found = counted(best.without or 0, "trial")
            said = f"Without {_step_label(best.text)} there would be "
            yield Line(((said, ""), (found, "hint"), (".", "")), 2, 4)
    for number, text in enumerate(results.did_you_mean):
        if not number:
            yield Line()
        yield Line(((text, "hint"),), lead=(("Did you mean: " if not number else " " * 14, ""),))


def _rows(steps: Iterable[Step], depth: int = 0) -> Iterator[tuple[str, Step]]:
    """Yield (label, step) for steps and, further in, what they have inside."""
    for step in steps:
        yield "  " * depth + _step_label(step.text), step
        yield from _rows(step.inside, depth + 1)


def _step_label(text: str) -> str:
    """Return what was asked, with a plain name of its area.

    >>> _step_label("LN in ConditionSearch")
    'LN in conditions'
    """
    match = re.fullmatch(r"(.*) in (\w+)", text, re.DOTALL)
    return f"{match[1]} in {_AREA_LABELS[match[2]]}" if match and match[2] in _AREA_LABELS else text


def footer(results: Results, limit: int | None, everywhere: bool) -> Iterator[Line]:
    """Yield what to do next: how to see more hits, and where else the words stand."""
    hints: list[tuple[Piece, ...]] = []
    shown = len(results)
    there = results.total + (results.partial_total if shown and results[-1].partial else 0)
    if shown and results.offset + shown < there:
        first = results.offset + 1
        hints.append(
            (
                (f"Shown: {first:,} to {results.offset + shown:,} of {there:,}. More: ", ""),
                (f"--offset {results.offset + shown}", "hint"),
            )
        )
    if not everywhere and (limit is None or results.total < limit) and results.elsewhere:
        count, more = results.elsewhere, " more" if results.total else ""
        hints.append(
            (
                (f"{count:,}{more} mention{'s' if count == 1 else ''} ", ""),
                ("these words only in criteria, descriptions or results: add ", ""),
                ("--everywhere", "hint"),
            )
        )
    if hints:
        yield Line()
    for pieces in hints:
        yield Line(pieces, hang=2)


def blocks(hits: Iterable[Hit], first: int, explain: bool = False) -> Iterator[Line]:
    """Yield hits, each a block of lines after an empty one, numbered from `first` on."""
    for rank, hit in enumerate(hits, first):
        yield Line()
        yield from _block(rank, hit, explain)


def _block(rank: int, hit: Hit, explain: bool, alike: bool = False) -> Iterator[Line]:
    found = hit.summary
    terms = _terms_by_field(hit)
    yield _title(rank, hit.id, found.title or found.official_title or "(no title)", terms)
    facts = _facts(found)
    if facts.pieces:
        yield facts
    if not alike and hit.distance_unit:
        yield from _sites(hit)
    named = (
        ("conditions", "Condition", found.conditions),
        ("treatments", "InterventionName", found.interventions),
    )
    shown = {"BriefTitle": found.title or ""}
    for label, field, values in named:
        if values:
            shown[field] = _listed(list(dict.fromkeys(values)), 6, "; ")
            yield labelled(label, _marked(shown[field], terms.get(field, frozenset())))
    snippets = hit.snippets
    if alike:
        words = dict.fromkeys(
            piece.text[start:end].lower() for piece in snippets for start, end in piece.spans
        )
        yield labelled("in common", [(_listed(list(words), 12), "")])
        return
    for number, text in enumerate(_why(hit)):
        yield labelled("found by" if not number else "", [(text, "")])
    told = {_bare(text) for text in shown.values()}
    for piece in snippets:
        if any(_bare(piece.text) in text for text in told):
            continue  # it stands above already
        told.add(_bare(piece.text))
        yield _snippet(field_label(piece.field), _spanned(piece.text, piece.spans))
    if explain and hit.explanation is not None:
        for line in hit.explanation.lines():
            yield Line(((line, "label"),), 4, 16)


def _sites(hit: Hit) -> Iterator[Line]:
    """Yield the sites of a hit to show where a place was asked: the nearest, and those that recruit."""
    from trialsearch.site_text import nearest_first, site_words

    shown = nearest_first(hit.sites, _MOST_SITES)
    for number, site in enumerate(shown):
        words = site_words(site, hit.distance_unit)
        more = len(hit.sites) - len(shown) if number == len(shown) - 1 else 0
        told = f"{words}; {counted(more, 'more site')}" if more else words
        yield labelled("nearest" if not number else "", [(told, "")])


def _title(rank: int, trial: str, title: str, terms: Mapping[str, frozenset[str]]) -> Line:
    pieces = _marked(title, terms.get("BriefTitle", frozenset()), "title")
    return Line(((f"{trial}  ", "id"), *pieces), lead=((f"{rank:>3} ", "label"),))


def _facts(found: Summary) -> Line:
    style = "good" if found.status in _GOOD else "bad" if found.status in _BAD else ""
    dates = " to ".join(day for day in (found.start, found.completion) if day)
    countries = found.countries
    rest = (
        " / ".join(map(_words, found.phases)) if found.phases != ("NA",) else "",
        _words(found.study_type),
        dates if found.start else f"until {dates}" if dates else "",
        counted(found.enrollment, "participant") if found.enrollment is not None else "",
        _listed(countries, 2) if len(countries) <= 2 else f"{len(countries)} countries",
        "has results" if found.has_results else "",
        found.sponsor or "",
    )
    pieces: list[Piece] = []
    for text, kind in ((_words(found.status), style), *((text, "") for text in rest)):
        if text:
            pieces += [(" · ", "label"), (text, kind)] if pieces else [(text, kind)]
    return Line(tuple(pieces), 4, 4)


def _terms_by_field(hit: Hit) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for match in hit.why:
        for field in match.fields:
            found[field] = found.get(field, frozenset()) | match.terms
    return found


def _marked(text: str, terms: frozenset[str], style: str = "") -> list[Piece]:
    """Return a text in pieces, the words that have one of the terms in a style of their own."""
    value = " ".join(prepare(clean(text)).split())
    if not terms:
        return [(value, style)] if value else []
    spans: list[tuple[int, int]] = []
    for start, end in sorted({(token.start, token.end) for token in tokens(value) if token.term in terms}):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return _spanned(value, tuple(spans), style)


def _spanned(text: str, spans: Iterable[tuple[int, int]], style: str = "") -> list[Piece]:
    pieces: list[Piece] = []
    place = 0
    for start, end in spans:
        if pieces and text[place:start] in {" ", "-"}:
            pieces[-1] = pieces[-1][0] + text[place:end], "found"  # words side by side are marked as one
        else:
            pieces += [(text[place:start], style), (text[start:end], "found")]
        place = end
    return [(piece, kind) for piece, kind in (*pieces, (text[place:], style)) if piece]


def _bare(text: str) -> str:
    return text.removeprefix("… ").removesuffix(" …").casefold()


# Labels short enough to stand before a snippet.
_SHORT = {
    "official title": "full title",
    "intervention": "treatment",
    "intervention description": "treatment",
    "arm description": "arm",
    "primary outcome": "outcome",
    "secondary outcome": "outcome",
    "inclusion criteria": "inclusion",
    "exclusion criteria": "exclusion",
}


def _snippet(label: str, pieces: list[Piece]) -> Line:
    label = _SHORT.get(label, label)
    if len(label) < 12:
        return labelled(label, pieces)
    return labelled("", [(f"{label}: ", "label"), *pieces])


def _why(hit: Hit) -> list[str]:
    """Return in plain words how the trial meets what was asked, a line for each thing."""
    met: dict[tuple[str, str], tuple[list[str], dict[str, None]]] = {}
    for match in hit.why:
        found, labels = met.setdefault((match.asked, match.how), ([], {}))
        found.append(match.found)
        labels.update(dict.fromkeys(map(field_label, match.fields)))
    merged: dict[tuple[str, str], list[str]] = {}
    for (asked, how), (found, labels) in met.items():
        by = {
            "typed": "as typed",
            "exact": "exactly so",
            "synonym": f"as synonym {_listed(list(dict.fromkeys(found)), 3)}",
            "learned": f"as {_listed(list(dict.fromkeys(found)), 3)}, learned from the trials",
            "concept": f"as a kind of {_listed(list(dict.fromkeys(found)), 3)}",
            "spelling": f"spelt {_listed(list(dict.fromkeys(found)), 3)}",
        }[how]
        # The links of a trial stand in no field that it shows.
        place = f", in {_listed(list(labels), 4)}" if labels and how != "concept" else ""
        merged.setdefault((by, place), []).append(asked)
    return [f"{', '.join(dict.fromkeys(asked))}: {by}{place}" for (by, place), asked in merged.items()]


def likeness(results: Results, like: Summary, explain: bool = False) -> Iterator[Line]:
    """Yield the trials that are most like a trial, as lines."""
    title = f" {like.title}" if like.title else ""
    if not results:
        yield Line((("No trial", "head"), (f" shares telling words with {like.nct_id}{title}", "")), hang=2)
        return
    count = "The trial" if len(results) == 1 else f"The {len(results):,} trials"
    yield Line(((f"{count} most like", "head"), (f" {like.nct_id}{title}", "")), hang=2)
    for rank, hit in enumerate(results, results.offset + 1):
        yield Line()
        yield from _block(rank, hit, explain, alike=True)


def names(found: Sequence[Suggestion]) -> list[Line]:
    """Return suggested names as a table."""
    return table(
        [
            (f"{one.name} ({one.via})" if one.via else one.name, one.kind, f"{one.trials:,}", _taken(one))
            for one in found
        ]
    )


def _taken(one: Suggestion) -> str:
    return f"begins with {one.corrected}" if one.corrected else ""


def report_lines(report: Report, index: str) -> list[Line]:
    """Return the report of a run as aligned lines."""
    rows = (
        ("records read", report.records),
        ("  added", report.added),
        ("  changed", report.changed),
        ("  unchanged", report.unchanged),
        ("  rejected", report.rejected),
        ("files without a trial", report.skipped),
        ("odd values", report.odd),
        ("trials in the index", report.trials),
    )
    width = max(len(label) for label, _ in rows)
    figures = max(len(f"{number:,}") for _, number in rows)
    lines = [Line(((f"{label.ljust(width)}  {number:>{figures},}", ""),)) for label, number in rows]
    lines[-1] = Line((*lines[-1].pieces, (f"  in {index}", "")))
    if not (report.added or report.changed):
        lines.append(Line((("nothing changed", "head"),)))
    return lines
