"""How an answer is printed in the form asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from trialsearch.cli.printing import on_terminal, print_lines, speaks_ascii, terminal_width, write

if TYPE_CHECKING:
    from trialsearch.facets import Facet
    from trialsearch.lines import Line
    from trialsearch.output_fields import OutputField
    from trialsearch.results import Hit, Results

__all__ = ["FORMATS", "FOR_PEOPLE", "check_form", "form_of", "listed", "print_fields", "print_results"]

FORMATS = ("table", "plain", "json", "jsonl", "csv", "csv-site", "ris", "ids")
FOR_PEOPLE = ("table", "plain")
_WITH_FACETS = (*FOR_PEOPLE, "json")
_WITH_FIELDS = (*FOR_PEOPLE, "json", "jsonl", "csv")


def form_of(form: str | None) -> str:
    """Return the form that is printed: where none is asked, a table on a terminal, plain text in a pipe."""
    return form or ("table" if on_terminal() else "plain")


def check_form(form: str | None, facets: bool, fields: bool) -> None:
    """Raise UsageError where a form cannot show the facets or the fields asked."""
    for wanted, option, forms in ((facets, "--facets", _WITH_FACETS), (fields, "--fields", _WITH_FIELDS)):
        if wanted and form_of(form) not in forms:
            raise click.UsageError(f"{option} has no place in --format {form}: use {', '.join(forms)}")


def print_results(
    results: Results,
    lines: Iterable[Line],
    form: str | None,
    limit: int | None,
    explain: bool,
    fields: tuple[OutputField, ...] | None = None,
    facets: Mapping[str, Facet] | None = None,
) -> None:
    """Print results: `lines` for a person, else in a form for programs; with `fields`, only these of each
    trial; behind the trials their `facets`.

    `form` None is a table on a terminal, plain text in a pipe.
    """
    form = form_of(form)
    if form in FOR_PEOPLE:
        _print_for_people(results, lines, form, fields, facets)
        return
    from trialsearch import export  # costs a search from a fresh start, which mostly needs it not

    ascii_only = speaks_ascii()
    if form == "json":
        text = export.as_json(
            results, limit=limit, explain=explain, ascii_only=ascii_only, fields=fields, facets=facets
        )
        write([text])
    elif form == "jsonl":
        write(export.as_jsonl(results, explain=explain, ascii_only=ascii_only, fields=fields))
    elif form == "csv":
        write(export.as_csv(results, fields))
    else:
        write(listed(results, form))


def listed(hits: Iterable[Hit], form: str) -> Iterable[str]:
    """Return hits in one of the forms that say of each trial what its record says: csv-site, ris, ids."""
    if form == "csv-site":
        from trialsearch.site_csv import as_site_csv

        return as_site_csv(hits)
    if form == "ris":
        from trialsearch.ris import as_ris

        return as_ris(hits)
    from trialsearch.export import as_ids

    return as_ids(hits)


def _print_for_people(
    results: Results,
    lines: Iterable[Line],
    form: str,
    fields: tuple[OutputField, ...] | None,
    facets: Mapping[str, Facet] | None,
) -> None:
    styled = form == "table"
    if fields is None:
        print_lines(lines, styled=styled)
    else:
        print_fields((hit for hit in results if not hit.partial), fields, styled)
    if facets is not None:
        print_lines(_behind(facets, terminal_width() if styled else None), styled=styled)


def print_fields(hits: Iterable[Hit], fields: tuple[OutputField, ...], styled: bool) -> None:
    """Print the chosen fields of hits: aligned for a terminal, parted by tabs for a pipe."""
    from trialsearch import field_table
    from trialsearch.output_fields import cells

    names = [field.name for field in fields]
    rows = [cells(hit, fields) for hit in hits]
    if styled:
        print_lines(field_table.aligned(rows, names, terminal_width(), speaks_ascii()), styled=True)
    else:
        write(field_table.tabbed(rows, names))


def _behind(facets: Mapping[str, Facet], width: int | None) -> Iterator[Line]:
    from trialsearch import facet_text
    from trialsearch.lines import Line

    yield Line()
    yield from facet_text.lines(facets, speaks_ascii(), width)
