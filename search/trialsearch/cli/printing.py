"""How the command line prints: data, what is no data, and lines for a person."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trialsearch.lines import Line

__all__ = [
    "bold",
    "has_styles",
    "on_terminal",
    "print_lines",
    "print_plainer_letters",
    "say",
    "speaks_ascii",
    "terminal_width",
    "write",
]

_WIDTH, _NARROWEST = 80, 20
# What stands for signs that are no letters where a terminal cannot show them.
_PLAINER = {
    "·": "-",
    "─": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "≥": ">=",
    "≤": "<=",
}


def print_plainer_letters() -> None:
    """Have stdout and stderr print what they cannot encode as plainer letters, else as question marks: never
    end in a traceback.
    """
    codecs.register_error("trialsearch.plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="trialsearch.plainer")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from unicodedata import normalize

    text = error.object[error.start : error.end]
    letters = (
        _PLAINER.get(char) or normalize("NFKD", char).encode("ascii", "ignore").decode() for char in text
    )
    return "".join(letter or "?" for letter in letters), error.end


def say(text: str) -> None:
    """Print something that is not data."""
    from trialsearch.lines import clean

    with contextlib.suppress(BrokenPipeError):
        for line in text.split("\n"):
            print(clean(line), file=sys.stderr)


def write(lines: Iterable[str]) -> None:
    """Print data."""
    for line in lines:
        sys.stdout.write(line + "\n")


def on_terminal() -> bool:
    """Whether people look at stdout: it is a terminal, or FORCE_COLOR says so."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def has_styles() -> bool:
    """Whether the terminal shows bold text and the like."""
    if os.environ.get("TERM", "").lower() in {"dumb", "unknown"}:
        return False
    # Of Windows' consoles, those that understand escape sequences say so in one of these.
    return os.name != "nt" or bool({"WT_SESSION", "TERM"} & os.environ.keys())


def terminal_width() -> int:
    """Return the columns of the terminal, by COLUMNS or by what it says itself; 80 where neither tells."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(int(os.environ["COLUMNS"]), 1)
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.get_terminal_size(stream).columns or _WIDTH
    return _WIDTH


def print_lines(lines: Iterable[Line], styled: bool) -> None:
    """Print lines for a person: broken to the width and styled, or plain."""
    from trialsearch.lines import painted, plain, wrapped

    if not styled:
        write(plain(lines))
        return
    styled_too, colour = has_styles(), not os.environ.get("NO_COLOR")
    for pieces in wrapped(lines, max(terminal_width(), _NARROWEST)):
        write([painted(pieces, colour) if styled_too else "".join(text for text, _ in pieces)])


def bold(text: str) -> str:
    return click.style(text, bold=True)


def speaks_ascii() -> bool:
    return not (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
