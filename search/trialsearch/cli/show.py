"""`trialsearch show`: read one trial."""

from __future__ import annotations

from pathlib import Path

import click

from trialsearch.cli.ids import known_id, say_missing
from trialsearch.cli.look import FOLDER, FOUND, NOTHING, Command
from trialsearch.cli.options import TEXT, index_option, json_option, opened
from trialsearch.cli.printing import bold, has_styles, on_terminal, speaks_ascii, terminal_width, write

__all__ = ["show"]

_PAGE_WIDTH = 100


@click.command("show", cls=Command)
@click.argument("identifier", metavar="ID", type=TEXT)
@json_option("Print the stored record: the registry's structure, and where it came from.")
@index_option
def show(identifier: str, as_json: bool, folder: Path | None) -> int:
    """Print one trial, by its id or a former id.

    \b
    trialsearch show NCT01539902
    trialsearch show nct01539902 --json
    """
    from trialsearch import export

    wanted = known_id(identifier)
    with opened(folder) as trials:
        try:
            study = trials.study(wanted)
        except KeyError:
            say_missing(trials, wanted, click.get_current_context().meta[FOLDER])
            return NOTHING
    if as_json:
        write([export.dumped(study, indent=2, ascii_only=speaks_ascii())])
        return FOUND
    from trialsearch.show import show_text

    if not on_terminal():
        write([show_text(study, _PAGE_WIDTH)])
        return FOUND
    write([show_text(study, min(terminal_width(), _PAGE_WIDTH + 10), bold if has_styles() else str)])
    return FOUND
