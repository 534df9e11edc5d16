"""`trialsearch suggest`: list names that begin like this."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trialsearch.cli.look import FOUND, NOTHING, Command
from trialsearch.cli.options import TEXT, index_option, opened, with_options
from trialsearch.cli.printing import on_terminal, print_lines, say, write
from trialsearch.cli.search_options import chosen

__all__ = ["suggest"]


@click.command(
    "suggest", cls=Command, short_help="List names that have a word beginning with what you typed."
)
@click.argument("prefix", nargs=-1, required=True, type=TEXT)
@with_options(chosen("--limit"))
@index_option
def suggest(prefix: tuple[str, ...], limit: int | None, folder: Path | None) -> int:
    """List names of conditions and interventions that have a word beginning with PREFIX.

    Where few begin so, names follow that begin nearly so. In a pipe, parted by tabs: name, kind, number of
    trials, the name of the same thing that begins so where this one does not, and what was taken for PREFIX.

    \b
    trialsearch suggest cyclo
    trialsearch suggest 'lupus n'
    """
    from trialsearch import render
    from trialsearch.lines import clean

    text = " ".join(prefix)
    with opened(folder) as trials:
        found = trials.suggest(text, limit=sys.maxsize if limit is None else limit)
    if not found:
        say(f"trialsearch: no name of a condition or an intervention has a word that begins with {text!r}")
        return NOTHING
    if on_terminal():
        print_lines(render.names(found), styled=True)
    else:
        write(
            "\t".join(
                (clean(one.name), one.kind, str(one.trials), clean(one.via), clean(one.corrected))
            ).rstrip("\t")
            for one in found
        )
    return FOUND
