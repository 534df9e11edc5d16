"""The command line: the one package with click, and the one place where an error becomes an exit code.

Data goes to stdout, everything else to stderr.

A search answers in about the time that Python takes to load click and numpy. So each command is a module of
its own, loaded when it is asked for, and imports nothing but click before it needs it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys

import click

from trialsearch.cli.look import Root
from trialsearch.cli.printing import write

__all__ = ["main"]

# Which module has a command, in the order of the help.
_MODULES = {
    "index": "trialsearch.cli.index",
    "search": "trialsearch.cli.search",
    "show": "trialsearch.cli.show",
    "similar": "trialsearch.cli.similar",
    "suggest": "trialsearch.cli.suggest",
    "saved": "trialsearch.cli.saved",
    "vocab": "trialsearch.cli.vocab",
    "fields": "trialsearch.cli.fields",
    "stats": "trialsearch.cli.upkeep",
    "delete": "trialsearch.cli.upkeep",
    "verify": "trialsearch.cli.upkeep",
}


def _print_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        from trialindex.kernel import described

        write([f"trialsearch {version('trialsearch')} ({described()})"])
        ctx.exit()


@click.group(
    cls=Root,
    modules=_MODULES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
    Shell completion: put the line of your shell into its start file.
      bash  eval "$(_TRIALSEARCH_COMPLETE=bash_source trialsearch)"
      zsh   eval "$(_TRIALSEARCH_COMPLETE=zsh_source trialsearch)"
      fish  _TRIALSEARCH_COMPLETE=fish_source trialsearch | source""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def _root() -> None:
    """Full-text search over clinical-trial records, on your own machine.

    \b
    trialsearch index downloads.zip        build or update an index
    trialsearch search umbilical cord MSC  ask it
    trialsearch show NCT01539902           read one trial

    Exit codes: 0 found, 1 nothing found, 2 wrong use or an error.
    """


# A search multiplies no matrices: threads that numpy's libraries start for that only cost time.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# Of what modules and tables make when they are loaded nothing is ever garbage: Python is to look for it less
# often than after every 700 objects.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run the command line."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        _root(prog_name="trialsearch")
    except SystemExit as end:
        _leave(end.code)
        raise


def _leave(code: object) -> None:
    """End the process at once where nothing is left to do: taking all modules down takes as long as a search.

    Where an index was written, or something cannot be flushed, it returns, and the process ends as usual.
    """
    if not isinstance(code, int) or "trialindex.builder" in sys.modules:
        return
    with contextlib.suppress(OSError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
