"""`trialsearch fields`: what can be asked by name."""

from __future__ import annotations

import click

from trialsearch.cli.look import FOUND, Command
from trialsearch.cli.options import TEXT, json_option
from trialsearch.cli.printing import on_terminal, print_lines, speaks_ascii, write

__all__ = ["fields"]


@click.command("fields", cls=Command, short_help="List what can be asked by name: areas and fields.")
@click.argument("name", nargs=-1, type=TEXT)
@json_option("Print it as JSON.")
def fields(name: tuple[str, ...], as_json: bool) -> int:
    """List what can be asked by name: areas, with the fields that each covers and their weights, and fields.

    NAME is an area, a field, a short form or a part of a name: what it holds, how it is asked, its codes, and
    the others that have NAME in theirs.

    \b
    trialsearch fields
    trialsearch fields Phase
    trialsearch fields lead --json
    """
    from trialsearch import field_list

    asked = " ".join(name)
    if as_json:
        from trialsearch import export

        write([export.dumped(field_list.as_dict(asked), indent=2, ascii_only=speaks_ascii())])
    else:
        print_lines(field_list.lines(asked), styled=on_terminal())
    return FOUND
