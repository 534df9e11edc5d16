"""`trialsearch vocab`: what a name means to an index, and names of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trialsearch.cli.look import FOUND, NOTHING, Command, Group
from trialsearch.cli.options import (
    TEXT,
    index_option,
    json_option,
    memory_option,
    opened,
    place_of,
    quiet_option,
)
from trialsearch.cli.printing import on_terminal, print_lines, say, speaks_ascii, write

__all__ = ["vocab"]

vocab = Group(
    "vocab",
    modules=dict.fromkeys(("show", "add"), __name__),
    help="""See what a name means to an index, and add names of your own.

    \b
    trialsearch vocab show LN
    trialsearch vocab add names.tsv
    """,
    instead="to see what it means: trialsearch vocab show",
)


@click.command("show", cls=Command)
@click.argument("term", nargs=-1, required=True, type=TEXT)
@json_option("Print all of it as JSON.")
@index_option
def show(term: tuple[str, ...], as_json: bool, folder: Path | None) -> int:
    """Tell what TERM means, and what a search for it looks for.

    Its other names, each with its source and the number of trials that have it; what trials define and call
    so; broader and narrower things. Exit code 1 where TERM names nothing.

    \b
    trialsearch vocab show LN
    trialsearch vocab show lupus nephritis --json
    """
    from trialsearch import export, vocab_text

    text = " ".join(term).strip()
    if not text:
        raise click.UsageError("name something: trialsearch vocab show LN")
    with opened(folder) as trials:
        found = trials.meanings(text)
    if as_json:
        write([export.dumped(vocab_text.as_dict(found), indent=2, ascii_only=speaks_ascii())])
    elif found.things:
        print_lines(vocab_text.lines(found), styled=on_terminal())
    if not found.things:
        say(vocab_text.unknown(found))
        return NOTHING
    return FOUND


@click.command("add", cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@index_option
@memory_option("What linking may take beside the names themselves, 200M or more; 1G without it.")
@quiet_option
def add(files: tuple[Path, ...], folder: Path | None, memory: int, quiet: bool) -> int:
    """Add the names of vocabulary files to an index, and link its trials with them.

    A FILE is MeSH descriptors (desc2025.xml), an ontology in OBO or OBO JSON (MONDO, DOID, HPO), RxNorm's
    RXNCONSO.RRF, DrugBank's open vocabulary CSV, Drugs@FDA's Products.txt, or a table of your own: a name, a
    tab, another name of the same thing, and perhaps a tab and its kind (condition, intervention, procedure).
    It may be gzipped or in a zip. A file that is added again takes the place of what it said before; a
    rebuild keeps the names.

    \b
    trialsearch vocab add names.tsv
    trialsearch vocab add RXNCONSO.RRF 'drugbank vocabulary.csv' --index lupus
    """
    from trialindex import builder
    from trialsearch import vocab_text

    place = place_of(folder)
    if sys.stderr.isatty() and not quiet:
        from trialsearch.progress import Linking

        with Linking(sys.stderr) as line:
            report = builder.add_vocabulary(files, place, memory=memory, progress=line.update)
    else:
        report = builder.add_vocabulary(files, place, memory=memory)
    if not quiet:
        print_lines(vocab_text.added_lines(report, str(place)), styled=False)
    for row in vocab_text.odd_rows(report):
        say(row)
    return FOUND
