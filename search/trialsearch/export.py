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
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trialsearch.lines import clean

if TYPE_CHECKING:
    from trialsearch.results import Hit, Results, Step

__all__ = ["as_csv", "as_ids", "as_json", "as_jsonl", "dumped", "guarded"]


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


def _fields(hit: Hit) -> dict[str, Any]:
    found = hit.summary
    return {
        "id": hit.id,
        "score": round(hit.score, 6),
        "partial": hit.partial,
        "title": found.title,
        "status": found.status,
        "phases": list(found.phases),
        "study_type": found.study_type,
        "start": found.start,
        "completion": found.completion,
        "enrollment": found.enrollment,
        "conditions": list(found.conditions),
        "interventions": list(found.interventions),
        "sponsor": found.sponsor,
        "countries": list(found.countries),
        "has_results": found.has_results,
    }


def _entry(hit: Hit, explain: bool) -> dict[str, Any]:
    entry = _fields(hit)
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
    return {"text": step.text, "alone": step.alone, "left": step.left}


def as_json(
    results: Results, *, limit: int | None = None, explain: bool = False, ascii_only: bool = False
) -> str:
    """Return an answer as one JSON object.

    `elsewhere` is null where the page is full and it was not counted; `steps` and `did_you_mean` are filled
    where nothing was found.
    """
    empty = not results.total
    short = limit is None or results.total < limit
    whole = {
        "query": str(results.query),
        "total": results.total,
        "partial_total": results.partial_total,
        "offset": results.offset,
        "notes": list(results.notes),
        "elsewhere": results.elsewhere if short else None,
        "steps": [_step(step) for step in results.steps] if empty else [],
        "did_you_mean": list(results.did_you_mean) if empty else [],
        "hits": [_entry(hit, explain) for hit in results],
    }
    return dumped(whole, indent=2, ascii_only=ascii_only)


def as_jsonl(results: Results, *, explain: bool = False, ascii_only: bool = False) -> Iterator[str]:
    """Yield each hit as one line of JSON."""
    return (dumped(_entry(hit, explain), ascii_only=ascii_only) for hit in results)


def as_ids(results: Results) -> Iterator[str]:
    """Yield the id of each trial found; a bare id cannot say that it is partial, so those are left out."""
    return (clean(hit.id) for hit in results if not hit.partial)


CSV_COLUMNS = (
    "id", "title", "status", "phases", "study_type", "start", "completion", "enrollment", "conditions",
    "interventions", "sponsor", "countries", "has_results", "score",
)  # fmt: skip


def as_csv(results: Results) -> Iterator[str]:
    """Yield a header and a row for each trial found, as lines of CSV; partial hits are left out."""
    yield _row(CSV_COLUMNS)
    for hit in (hit for hit in results if not hit.partial):
        fields = _fields(hit)
        yield _row([_cell(fields[column]) for column in CSV_COLUMNS])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = "|".join(value)
    return guarded(clean(value)) if isinstance(value, str) else str(value)


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    formula = text.lstrip()[:1] in {"=", "+", "-", "@"}
    return f"'{text}" if formula and not re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else text


def _row(cells: Iterable[str]) -> str:
    import csv

    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
