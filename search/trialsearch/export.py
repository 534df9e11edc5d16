r"""Results for a program: JSON, JSON lines, CSV, ids. Pure functions.

`as_json` and `as_jsonl` keep characters that could steer a terminal, written as `\u001b`.

In `as_csv` a list is joined by `|`, and a text that a spreadsheet would run as a formula (it begins with
`=`, `+`, `-` or `@` and is no number) gets an apostrophe before it, which spreadsheets take for "this is
text". Ids, codes, dates and numbers do not begin so, and stay as they are.

>>> guarded("=HYPERLINK(1)"), guarded("-5.2"), guarded("IL-2"), guarded("+/- surgery")
("'=HYPERLINK(1)", '-5.2', 'IL-2', "'+/- surgery")
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trialsearch.lines import clean
from trialsearch.output_fields import DEFAULT, NEAR, OutputField, cells, row

if TYPE_CHECKING:
    from trialsearch.facets import Facet
    from trialsearch.results import Hit, Results, Step

__all__ = ["as_csv", "as_ids", "as_json", "as_jsonl", "cell_text", "csv_row", "dumped", "guarded"]

Fields = tuple[OutputField, ...]


def dumped(value: Any, indent: int | None = None, ascii_only: bool = False) -> str:
    r"""Return a value as JSON in which no character can steer a terminal.

    >>> print(dumped({"title": "β \x1b[31m \x9b"}))
    {"title": "β \u001b[31m \u009b"}
    """
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    if text.isascii():
        return text.replace("\x7f", r"\u007f")  # JSON escapes all other control characters of ASCII itself
    # Such characters stand only in strings, where an escape means the same.
    return re.sub(
        r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        text,
    )


def _entry(hit: Hit, explain: bool) -> dict[str, Any]:
    entry = row(hit, (*DEFAULT, *NEAR) if hit.distance_unit else DEFAULT)
    entry["why"] = [
        {"asked": match.asked, "how": match.how, "found": match.found, "fields": list(match.fields)}
        for match in hit.why
    ]
    entry["snippets"] = [
        {"field": piece.field, "text": piece.text, "spans": [list(span) for span in piece.spans]}
        for piece in hit.snippets
    ]
    if explain:
        entry["explanation"] = hit.explanation.lines() if hit.explanation else []
    return entry


def _step(step: Step) -> dict[str, Any]:
    counted = {"text": step.text, "alone": step.alone, "left": step.left, "without": step.without}
    return counted | ({"inside": [_step(part) for part in step.inside]} if step.inside else {})


def as_json(
    results: Results,
    *,
    limit: int | None = None,
    explain: bool = False,
    ascii_only: bool = False,
    fields: Fields | None = None,
    facets: Mapping[str, Facet] | None = None,
) -> str:
    """Return an answer as one JSON object.

    `elsewhere` is null where the page is full and it was not counted; `steps` and `did_you_mean` are filled
    where nothing was found. With `fields` a hit has only these, and partial hits, which could not say what
    they are, are left out. With `facets` there is one object more.
    """
    empty = not results.total
    short = limit is None or results.total < limit
    whole = {
        "query": str(results.query),
        "effective": results.effective,
        "total": results.total,
        "partial_total": results.partial_total,
        "offset": results.offset,
        "notes": list(results.notes),
        "elsewhere": results.elsewhere if short else None,
        "steps": [_step(step) for step in results.steps] if empty else [],
        "did_you_mean": list(results.did_you_mean) if empty else [],
    }
    if facets is not None:
        from trialsearch import facet_text

        whole["facets"] = facet_text.as_dict(facets)
    whole["hits"] = list(entries(results, explain, fields))
    return dumped(whole, indent=2, ascii_only=ascii_only)


def as_jsonl(
    results: Iterable[Hit], *, explain: bool = False, ascii_only: bool = False, fields: Fields | None = None
) -> Iterator[str]:
    """Yield each hit as one line of JSON; with `fields` as in `as_json`."""
    return (dumped(entry, ascii_only=ascii_only) for entry in entries(results, explain, fields))


def entries(hits: Iterable[Hit], explain: bool, fields: Fields | None) -> Iterator[dict[str, Any]]:
    if fields is None:
        return (_entry(hit, explain) for hit in hits)
    return (row(hit, fields) for hit in hits if not hit.partial)


def as_ids(results: Iterable[Hit]) -> Iterator[str]:
    """Yield the id of each trial found; a bare id cannot say that it is partial, so those are left out."""
    return (clean(hit.id) for hit in results if not hit.partial)


CSV_COLUMNS = (
    "id", "title", "status", "phases", "study_type", "start", "completion", "enrollment", "conditions",
    "interventions", "sponsor", "countries", "has_results", "score",
)  # fmt: skip


def as_csv(results: Iterable[Hit], fields: Fields | None = None) -> Iterator[str]:
    """Yield a header and a row for each trial found, as lines of CSV; partial hits are left out.

    Where a place was asked, three columns more say how far the sites are.
    """
    hits = [hit for hit in results if not hit.partial]
    shown = fields
    if shown is None:
        near = NEAR if any(hit.distance_unit for hit in hits[:1]) else ()
        shown = (*map(OutputField, CSV_COLUMNS), *near)
    yield csv_row(field.name for field in shown)
    for hit in hits:
        yield csv_row(guarded(cell_text(value)) for value in cells(hit, shown).values())


def cell_text(value: Any) -> str:
    """Return a value as the text of one cell: lists joined by bars, yes and no, coordinates with a comma.

    >>> cell_text(["a", "b"]), cell_text(True), cell_text(None), cell_text({"lat": 42.36, "lon": -71})
    ('a|b', 'yes', '', '42.36,-71')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "|".join(map(cell_text, value))
    if isinstance(value, dict):
        point = [value.get("lat"), value.get("lon")]
        return ",".join(map(str, point)) if None not in point else dumped(value)
    return clean(value) if isinstance(value, str) else str(value)


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    formula = text.lstrip()[:1] in {"=", "+", "-", "@"}
    return f"'{text}" if formula and not re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else text


def csv_row(cells: Iterable[str]) -> str:
    """Return cells as one line of CSV."""
    import csv

    out = io.StringIO()
    # What the line end has is quoted in a cell.
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")
