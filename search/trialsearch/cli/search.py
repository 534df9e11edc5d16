"""`trialsearch search`: ask an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialsearch.cli.answers import check_form, print_results
from trialsearch.cli.look import FOUND, NOTHING, Command
from trialsearch.cli.options import TEXT, index_option, opened, with_options
from trialsearch.cli.printing import write
from trialsearch.cli.search_options import SEARCH_OPTIONS

if TYPE_CHECKING:
    from trialsearch.output_fields import OutputField

__all__ = ["search"]


@click.command("search", cls=Command)
@click.argument("words", nargs=-1, type=TEXT)
@with_options(SEARCH_OPTIONS)
@index_option
def search(words: tuple[str, ...], folder: Path | None, **options: Any) -> int:
    """Find trials that have all the WORDS, or synonyms of them.

    Words, "phrases" (in quotes that the shell leaves: '"lupus nephritis"'), AND OR NOT and parentheses,
    field:word as in phase:2 or title:lupus. Options may stand alone, without words. ALL is every trial.

    \b
    trialsearch search umbilical cord MSC for LN
    trialsearch search lupus --intr 'stem cells' --phase 2 --status recruiting
    trialsearch search 'scleroderma AND (mesenchymal OR "stem cell")' --sort start
    trialsearch search --cond asthma --age 8 --format ids
    """
    from trialsearch import render

    text = " ".join(words).strip()
    shape = {name: options.pop(name) for name in _SHAPE}
    fuzzy = not (options.pop("no_fuzzy") or shape["exact"])
    synonyms = not (options.pop("no_synonyms") or shape["exact"])
    # An empty text is a value too: a filter that a script left empty must not let everything through.
    asked = {name: value for name, value in options.items() if value not in (None, ())}
    fields, facets = _shown(shape)
    if shape["new"] is not None:
        if text or _narrows(asked) or any(shape[name] for name in ("save", "facets", "count", "offset")):
            raise click.UsageError(
                "--new asks a saved search again, as it is: with --format, --fields, --limit, --explain, "
                "--peek and --index only"
            )
        from trialsearch.cli.saved import print_news

        return print_news(shape, fields, folder)
    if not text and not _narrows(asked):
        raise click.UsageError(
            "nothing to search for: give words (trialsearch search lupus), a filter (--phase 2), "
            "or ALL for every trial"
        )
    limit = 0 if shape["count"] else shape["limit"]
    with opened(folder) as trials:
        results = trials.search(
            text, **asked, limit=limit, offset=shape["offset"], fuzzy=fuzzy, synonyms=synonyms
        )
        counted = results.facets(*facets, limit=shape["facet_limit"]) if facets else None
        if shape["save"] is not None:
            from trialsearch.cli.saved import keep

            keep(shape["save"], text, {**asked, "fuzzy": fuzzy, "synonyms": synonyms}, results)
        if shape["count"]:
            write([str(results.total)])
        else:
            lines = render.answer(
                results, limit=limit, explain=shape["explain"], everywhere=options["everywhere"]
            )
            print_results(results, lines, shape["format_"], limit, shape["explain"], fields, counted)
        return FOUND if results.total else NOTHING


# Options that say what is done with an answer, not what is asked.
_SHAPE = (
    "limit", "offset", "count", "explain", "format_", "exact", "fields", "facets", "facet_limit", "save",
    "new", "peek",
)  # fmt: skip


def _shown(shape: dict[str, Any]) -> tuple[tuple[OutputField, ...] | None, list[str]]:
    """Return the fields and the names of the facets that are asked, once these are known to go together."""
    named = [name.strip() for name in (shape["facets"] or "").split(",") if name.strip()]
    check_form(shape["format_"], bool(named), shape["fields"] is not None)
    if shape["count"] and (named or shape["fields"] is not None):
        raise click.UsageError("--count prints a number alone: leave out --facets and --fields")
    if shape["facets"] is not None and not named:
        raise click.UsageError("name what to count: --facets status,phase")
    given = click.get_current_context().get_parameter_source("facet_limit")
    if shape["facets"] is None and given is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--facet-limit belongs to --facets NAMES")
    if shape["peek"] and shape["new"] is None:
        raise click.UsageError("--peek belongs to --new NAME")
    if shape["fields"] is None:
        return None, named
    from trialsearch.output_fields import chosen

    return chosen(shape["fields"]), named


def _narrows(asked: dict[str, Any]) -> bool:
    """Whether options alone are a query."""
    return any(
        value.strip() if isinstance(value, str) else True
        for name, value in asked.items()
        if name not in {"everywhere", "sort"}
    )
