"""`trialsearch index`: create or update an index."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialsearch.cli.look import FOUND, NOTHING, STOPPED, Command, Option
from trialsearch.cli.options import Number, index_option, memory_option, place_of, quiet_option
from trialsearch.cli.printing import print_lines, say, write

if TYPE_CHECKING:
    from trialindex.builder import Report

__all__ = ["index"]

_PROBLEMS = 10


@click.command("index", cls=Command, short_help="Create or update an index from files, archives and folders.")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="SOURCE...")
@index_option
@click.option(
    "--rebuild",
    is_flag=True,
    cls=Option,
    group="Index",
    help="First build the index anew from the records that it holds; needs no SOURCE.",
)
@memory_option(
    "What all processes together may take, 200M or more; 1G without it. More memory lets more of them read."
)
@click.option(
    "--workers",
    type=Number(),
    metavar="N",
    cls=Option,
    group="Speed",
    help="Processes that read. Without it one a core, as far as memory goes; 1 for small sources.",
)
@quiet_option
def index(
    sources: tuple[Path, ...],
    folder: Path | None,
    rebuild: bool,
    memory: int,
    workers: int | None,
    quiet: bool,
) -> int:
    """Create or update an index from files, archives and folders of trial records.

    A SOURCE is a registry download (JSON, XML, CSV), a saved trial page, a .gz or .zip of them, or a folder.
    A newer record of a trial takes the place of the older; the same input again changes nothing.

    \b
    trialsearch index downloads.zip pages/
    trialsearch index ctg-studies.csv --index lupus
    trialsearch index --rebuild
    """
    if not sources and not rebuild:
        raise click.UsageError("name a file, an archive or a folder: trialsearch index downloads.zip")
    place = place_of(folder)
    if rebuild:
        _rebuild(place, memory, quiet)
    return _build(sources, place, memory, workers, quiet) if sources else FOUND


def _rebuild(place: Path, memory: int, quiet: bool) -> None:
    from trialindex import builder

    if sys.stderr.isatty() and not quiet:
        say("building the index anew from its own records ...")
    trials = builder.rebuild(place, memory=memory)
    if not quiet:
        write([f"rebuilt from its own records: {trials:,} trials in {place}"])


def _build(sources: Sequence[Path], place: Path, memory: int, workers: int | None, quiet: bool) -> int:
    from trialindex import builder
    from trialindex.contents import exists
    from trialsearch import render

    try:
        if sys.stderr.isatty() and not quiet:
            from trialsearch.progress import Meter, estimate

            with Meter(estimate(sources), sys.stderr) as meter:
                report = builder.build(sources, place, progress=meter.update, memory=memory, workers=workers)
        else:
            report = builder.build(sources, place, memory=memory, workers=workers)
    except KeyboardInterrupt:
        held = builder.count(place) if exists(place) else 0
        say(
            f"stopped: what was committed stays ({render.counted(held, 'trial')} in the index); "
            "run the same command again to go on"
        )
        return STOPPED
    if not quiet:
        print_lines(render.report_lines(report, str(place)), styled=False)
        _say_problems(report)
    if report.rejected:
        say(f"{report.rejected:,} rejected, set aside whole in {report.rejects}")
    if report.records == report.rejected:
        say("trialsearch: no trial record in these sources")
        return NOTHING
    return FOUND


def _say_problems(report: Report) -> None:
    """Print the first problems with their places, and the kinds of odd values."""
    for line in report.problems[:_PROBLEMS]:
        say(f"  {line}")
    total = report.rejected + report.odd
    if total > _PROBLEMS and len(report.problems) > _PROBLEMS:
        say(f"  and {total - _PROBLEMS:,} more")
    if report.odd > _PROBLEMS:
        say("odd values, by kind:")
        for (field, reason), number in report.odd_kinds.most_common(_PROBLEMS):
            say(f"  {number:>7,}  {field}: {reason}")
