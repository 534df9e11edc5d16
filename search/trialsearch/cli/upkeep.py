"""`trialsearch stats`, `delete` and `verify`: look after an index."""

from __future__ import annotations

from pathlib import Path

import click

from trialsearch.cli.ids import known_id
from trialsearch.cli.look import ERROR, FOUND, NOTHING, Command
from trialsearch.cli.options import TEXT, index_option, json_option, opened, place_of
from trialsearch.cli.printing import on_terminal, print_lines, say, speaks_ascii, write

__all__ = ["delete", "stats", "verify"]


@click.command("stats", cls=Command, short_help="Count what an index holds.")
@json_option("Print the figures as JSON.")
@index_option
def stats(as_json: bool, folder: Path | None) -> int:
    """Count what an index holds: trials, sources, statuses, phases, types, years.

    \b
    trialsearch stats
    trialsearch stats --index lupus --json
    """
    from trialindex.snapshot import stored_studies
    from trialsearch import export, stats

    place = place_of(folder)
    with opened(place) as trials:
        held = len(trials)  # an index that is missing or of another version is told apart here
    figures = stats.gathered(stored_studies(place), place)
    if as_json:
        write([export.dumped(stats.as_dict(figures), indent=2, ascii_only=speaks_ascii())])
    else:
        print_lines(stats.lines(figures, str(place)), styled=on_terminal())
    return FOUND if held else NOTHING


@click.command("delete", cls=Command)
@click.argument("identifiers", nargs=-1, required=True, metavar="ID...", type=TEXT)
@index_option
def delete(identifiers: tuple[str, ...], folder: Path | None) -> int:
    """Delete trials from an index, by their ids or former ids. Exit code 1 if one was not there.

    \b
    trialsearch delete NCT01539902 NCT03458156
    """
    from trialindex import builder

    place = place_of(folder)
    deleted, missing = builder.delete([known_id(text) for text in identifiers], place)
    write(f"deleted {key}" for key in deleted)
    for name in missing:
        say(f"trialsearch: no trial {name} in the index {place}")
    return NOTHING if missing else FOUND


@click.command("verify", cls=Command, short_help="Check every byte of an index, and every trial.")
@index_option
def verify(folder: Path | None) -> int:
    """Compare every trial of an index with its stored record, and print what differs.

    Exit code 0 when all is well, 2 when something differs.

    \b
    trialsearch verify --index lupus
    """
    from trialindex import builder
    from trialindex import verify as verification
    from trialsearch import render
    from trialsearch.lines import clean

    place = place_of(folder)
    differing = verification.verify(place)
    if differing:
        write(clean(line) for line in differing)
        say(
            f"trialsearch: {render.counted(len(differing), 'difference')} in {place}: "
            f"build it again from its sources, or, where its records can still be read, with "
            f"`trialsearch index --rebuild --index {place}`"
        )
        return ERROR
    write([f"all is well: {render.counted(builder.count(place), 'trial')} in {place}"])
    return FOUND
