"""`trialsearch similar`: find the trials most like one trial."""

from __future__ import annotations

from pathlib import Path

import click

from trialsearch.cli.answers import print_results
from trialsearch.cli.ids import known_id, say_missing
from trialsearch.cli.look import FOLDER, FOUND, NOTHING, Command
from trialsearch.cli.options import TEXT, index_option, opened, with_options
from trialsearch.cli.search_options import chosen

__all__ = ["similar"]


@click.command("similar", cls=Command, short_help="Find the trials most like one trial.")
@click.argument("identifier", metavar="ID", type=TEXT)
@with_options(chosen("--limit", "--explain", "--format"))
@index_option
def similar(
    identifier: str, limit: int | None, explain: bool, format_: str | None, folder: Path | None
) -> int:
    """Find the trials most like one trial: those that share its most telling words.

    \b
    trialsearch similar NCT01539902 --limit 5
    """
    from trialindex.summary import Summary
    from trialsearch import render

    wanted = known_id(identifier)
    with opened(folder) as trials:
        try:
            like = Summary(trials.study(wanted))
            results = trials.similar(wanted, limit=len(trials) if limit is None else limit)
        except KeyError:
            say_missing(trials, wanted, click.get_current_context().meta[FOLDER])
            return NOTHING
        print_results(results, render.likeness(results, like, explain), format_, limit, explain)
        return FOUND if results.total else NOTHING
