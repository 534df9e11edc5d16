"""How commands look and end: help with headings, near names of commands, errors as exit codes.

Exit codes are grep's: 0 found, 1 nothing found, 2 wrong use or an error; 130 after Ctrl-C, and 141 when the
reader of a pipe has gone.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from trialindex.errors import TrialError
from trialsearch.cli.printing import print_plainer_letters, say

__all__ = ["ERROR", "FOLDER", "FOUND", "NOTHING", "STOPPED", "Command", "Group", "Option", "Root"]

FOUND, NOTHING, ERROR, STOPPED, _NO_READER = 0, 1, 2, 130, 141
# Where a command keeps the folder of its index, for error messages.
FOLDER = "trialsearch.index"
_NAMES_WIDTH = 21


class Option(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class _Helped(click.Command):
    """A command that explains `--help` in plain words: click looks for translations, of which it has none."""

    _help_option: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        names = self.get_help_option_names(ctx)
        if self._help_option is None and names:
            self._help_option = Option(
                names,
                group="Help",
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_help,
                help="Show this message and exit.",
            )
        return self._help_option


def _print_help(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class Command(_Helped):
    """A command whose help lists its options under their headings, in the order of definition."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                # One width for all groups, so that the explanations stand under each other.
                name, text = record[0].ljust(_NAMES_WIDTH), record[1]
                groups.setdefault(getattr(param, "group", "Help"), []).append((name, text))
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=_NAMES_WIDTH)


class Group(_Helped, click.Group):
    """A command of commands: keeps their order, and loads the module of one when it is asked for.

    `modules`: for each command the module that has it, under the command's name (`-` is `_` there).
    `instead`: what to do with words that are no command of it.
    """

    command_class = Command

    def __init__(
        self,
        *args: Any,
        modules: Mapping[str, str],
        instead: str = "to search for it: trialsearch search",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules
        self._instead = instead

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        command = getattr(importlib.import_module(self._modules[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name.lower(), self.list_commands(ctx), n=1)
            meant = f"did you mean {near[0]}?" if near else f"{self._instead} {' '.join(args)[:200]}"
            ctx.fail(f"no command {name!r}: {meant}")
        return super().resolve_command(ctx, args)


class Root(Group):
    """The root command: turns errors into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        print_plainer_letters()
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except TrialError as error:
            say(f"trialsearch: {error}")
            ctx.exit(ERROR)
        except BrokenPipeError:
            # Whatever is still waiting to be written goes nowhere, without a complaint at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_NO_READER)
        except OSError as error:
            say(f"trialsearch: {_reason(error, ctx)}")
            ctx.exit(ERROR)
        except KeyboardInterrupt:
            say("trialsearch: stopped")
            ctx.exit(STOPPED)
        ctx.exit(code if isinstance(code, int) else FOUND)


def _reason(error: OSError, ctx: click.Context) -> str:
    place = error.filename or ctx.meta.get(FOLDER) or ""
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    remedies = {
        errno.ENOSPC: "free some space and run the same command again; what was committed stays",
        errno.EACCES: "check the permissions, or name another place with --index",
        errno.EROFS: "name another place with --index",
    }
    what = (error.strerror or str(error) or type(error).__name__).lower()
    remedy = remedies.get(error.errno or 0)
    return f"{what}{f': {place}' if place else ''}{f' ({remedy})' if remedy else ''}"
