r"""Lines of styled text for a person, and how they are finished.

`plain` gives a line of text for each, without colour and unbroken, so that a pipe can grep it; `wrapped`
breaks them to a width for a terminal. Both replace what could steer a terminal, wherever in a record it
stands:

>>> list(plain([Line((("A title \x1b[31mwith a colour\x07in it", "title"),))]))
['A title with a colour in it']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Line", "Piece", "clean", "labelled", "plain", "table", "wrapped"]

Piece = tuple[str, str]

# What a style looks like on a terminal (rich's words for it).
_STYLES = {
    "": "",
    "id": "bold cyan",
    "title": "bold",
    "found": "bold yellow",
    "label": "dim",
    "head": "bold",
    "good": "green",
    "bad": "red",
    "hint": "cyan",
    "rule": "dim",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of pieces (text, style), `indent` columns in, after a `lead` that stands on the first line only.

    Where a terminal breaks it, it goes on under what follows the lead, or `hang` columns in. `fill` is a
    character that fills the rest of a terminal's line.
    """

    pieces: tuple[Piece, ...] = ()
    indent: int = 0
    hang: int = 0
    lead: tuple[Piece, ...] = ()
    fill: str = ""


# ECMA-48: control sequences, and strings (titles, links) up to their end.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,400}(?:\x07|\x1b\\|\x9c)"
)
# Control characters, marks that turn the direction of what follows, and halves of characters.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    r"""Return a text without what could steer a terminal: escape sequences go, control characters become
    spaces.

    >>> clean("a\tb \x1b]0;title\x07c \x9b2Jd \u202ee")
    'a b c d  e'
    """
    return _CONTROL.sub(" ", _SEQUENCE.sub("", text))


def plain(lines: Iterable[Line]) -> Iterator[str]:
    """Yield each line as text, without colour and unbroken."""
    for line in lines:
        yield (" " * line.indent + "".join(clean(text) for text, _ in (*line.lead, *line.pieces))).rstrip()


def wrapped(lines: Iterable[Line], width: int) -> Iterator[Text]:
    """Yield lines as rich texts of at most `width` columns."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width)
    for line in lines:
        lead, body = _text(line.lead), _text(line.pieces)
        hang = min(max(line.hang, line.indent + lead.cell_len), width // 2)
        if line.fill:
            body.append(line.fill * (width - line.indent - body.cell_len), _STYLES["rule"])
        start = Text(" " * line.indent) + lead
        start.pad_right(hang - start.cell_len if line.lead else 0)
        for piece in body.wrap(console, width - hang):
            piece.rstrip()
            yield start + piece
            start = Text(" " * hang)


def _text(pieces: Iterable[Piece]) -> Text:
    from rich.text import Text

    return Text.assemble(*((clean(text), _STYLES[style]) for text, style in pieces))


def labelled(label: str, pieces: Iterable[Piece], indent: int = 4, column: int = 12) -> Line:
    return Line(tuple(pieces), indent, lead=((label.ljust(column), "label"),))


def table(rows: Sequence[Sequence[str]], indent: int = 0) -> list[Line]:
    """Return rows as aligned columns; a column of numbers stands to the right.

    >>> list(plain(table([("lupus", "5"), ("asthma", "1,200")])))
    ['lupus       5', 'asthma  1,200']
    """
    columns = [[clean(cell) for cell in column] for column in zip(*rows, strict=True)]
    shown = []
    for column in columns:
        width = max(map(len, column))
        numbers = all(re.fullmatch(r"[\d,]+", cell) for cell in column)
        shown.append([cell.rjust(width) if numbers else cell.ljust(width) for cell in column])
    return [Line((("  ".join(row).rstrip(), ""),), indent) for row in zip(*shown, strict=True)]
