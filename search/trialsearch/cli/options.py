"""Which options and kinds of values do several commands share?"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialsearch.cli.look import FOLDER, Option

if TYPE_CHECKING:
    from trialsearch.engine import TrialSearch

__all__ = [
    "TEXT",
    "Choices",
    "Memory",
    "Number",
    "index_option",
    "json_option",
    "memory_option",
    "opened",
    "place_of",
    "quiet_option",
    "with_options",
]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
# Options as a table has them: names, heading in the help, what click should know.
Choices = Iterable[tuple[tuple[str, ...], str, dict[str, Any]]]


class Text(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Text that can be written: UTF-8 also where Python took the command line for ASCII; bytes of it that
    are no text become question marks.
    """

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            told = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        except UnicodeEncodeError:
            told = str(value).encode("utf-8", "replace").decode("utf-8")
        return told.replace("\ufffd", "?")


class Number(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number, 0 or more; where it is a limit, also `all`, which is None."""

    name = "number"

    def __init__(self, all_too: bool = False) -> None:
        self.all_too = all_too

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip().lower()
        if self.all_too and text == "all":
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text):
            self.fail(f"{value!r} is no number: write 20{', or all' if self.all_too else ''}", param, ctx)
        return int(text)


class Memory(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """An amount of memory, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]{1,15})([KMG]?)B?", str(value).strip().upper())
        if found is None:
            self.fail(f"{value!r} is no amount of memory: write 500M, or 2G", param, ctx)
        return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2]]


TEXT = Text()


def index_option(command: Decorated) -> Decorated:
    return click.option(
        "--index",
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        cls=Option,
        group="Index",
        help="Where the index is. Without it: $TRIALSEARCH_INDEX, else ./index where that folder exists, "
        "else your data folder.",
    )(command)


def json_option(help: str) -> Callable[[Decorated], Decorated]:
    return click.option("--json", "as_json", is_flag=True, cls=Option, group="Output", help=help)


def memory_option(help: str) -> Callable[[Decorated], Decorated]:
    return click.option(
        "--memory", type=Memory(), default="1G", metavar="SIZE", cls=Option, group="Speed", help=help
    )


def quiet_option(command: Decorated) -> Decorated:
    return click.option("--quiet", "-q", is_flag=True, cls=Option, group="Output", help="Print errors only.")(
        command
    )


def place_of(folder: Path | None) -> Path:
    """Return the folder of the index, and remember it for error messages."""
    from trialsearch.engine import default_index

    chosen = default_index() if folder is None else folder
    click.get_current_context().meta[FOLDER] = str(chosen)
    return chosen


@contextlib.contextmanager
def opened(folder: Path | None) -> Iterator[TrialSearch]:
    from trialsearch.engine import TrialSearch

    with TrialSearch.open(place_of(folder)) as trials:
        yield trials


def with_options(options: Choices) -> Callable[[Decorated], Decorated]:
    """Return a decorator that adds options."""

    def add(command: Decorated) -> Decorated:
        for names, group, settings in reversed(tuple(options)):
            plain = not {"type", "is_flag", "default"} & settings.keys()
            typed = {"type": TEXT, **settings} if plain else settings
            command = click.option(*names, cls=Option, group=group, **typed)(command)
        return command

    return add
