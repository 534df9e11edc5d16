r"""Lines of styled text for a person, and how they are finished.

`plain` gives a line of text for each, without colour and unbroken, so that a pipe can grep it; `wrapped`
breaks them to a width for a terminal, and `painted` gives them their looks. What could steer a terminal is
replaced, wherever in a record it stands:

>>> list(plain([Line((("A title \x1b[31mwith a colour\x07in it", "title"),))]))
['A title with a colour in it']
>>> [painted(pieces) for pieces in wrapped([Line((("lupus", "found"), (" nephritis", "")), 2)], 12)]
['  \x1b[1;33mlupus\x1b[0m', '  nephritis']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from trialindex.frozen import frozen

__all__ = ["Line", "Piece", "clean", "columns", "cut", "labelled", "painted", "plain", "table", "wrapped"]

Piece = tuple[str, str]

# What a style looks like on a terminal: weight and colour, ECMA-48's numbers.
_STYLES = {
    "": ("", ""),
    "id": ("1", "36"),
    "title": ("1", ""),
    "found": ("1", "33"),
    "label": ("2", ""),
    "head": ("1", ""),
    "good": ("", "32"),
    "bad": ("", "31"),
    "hint": ("", "36"),
    "rule": ("2", ""),
}


@frozen
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
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,400}(?:\x07|\x1b\\|\x9c)"
)
# Control characters, marks that turn the direction of what follows, and halves of characters.
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def clean(text: str) -> str:
    r"""Return a text without what could steer a terminal: escape sequences go, control characters become
    spaces.

    >>> clean("a\tb \x1b]0;title\x07c \x9b2Jd \u202ee")
    'a b c d  e'
    """
    # Nothing of the kind is printable, and most texts are, all through.
    return text if text.isprintable() else re.sub(_CONTROL, " ", re.sub(_SEQUENCE, "", text))


def plain(lines: Iterable[Line]) -> Iterator[str]:
    """Yield each line as text, without colour and unbroken."""
    for line in lines:
        yield (" " * line.indent + "".join(clean(text) for text, _ in (*line.lead, *line.pieces))).rstrip()


def wrapped(lines: Iterable[Line], width: int) -> Iterator[list[Piece]]:
    """Yield lines of at most `width` columns, each as its pieces."""
    for line in lines:
        lead, body = _cleaned(line.lead), _cleaned(line.pieces)
        hang = min(max(line.hang, line.indent + _columns_of(lead)), width // 2)
        if line.fill:
            body.append((line.fill * (width - line.indent - _columns_of(body)), "rule"))
        start = [(" " * line.indent, ""), *lead]
        if lead:
            start.append((" " * (hang - _columns_of(start)), ""))
        for pieces in _broken(body, width - hang):
            yield [*start, *pieces]
            start = [(" " * hang, "")]


def painted(pieces: Iterable[Piece], colour: bool = True) -> str:
    """Return pieces as text that a terminal shows in their styles, without `colour` only in their weights."""
    shown = []
    for text, style in pieces:
        weight, hue = _STYLES[style]
        codes = ";".join(filter(None, (weight, hue if colour else "")))
        shown.append(f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text)
    return "".join(shown)


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    >>> columns("lupus"), columns("狼瘡"), columns("e\u0301")
    (5, 4, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    marks = sum(category(char) in {"Mn", "Me", "Cf"} for char in text)
    return len(text) - marks + sum(east_asian_width(char) in {"W", "F"} for char in text)


def _cleaned(pieces: Iterable[Piece]) -> list[Piece]:
    return [(clean(text), style) for text, style in pieces]


def _columns_of(pieces: Iterable[Piece]) -> int:
    return sum(columns(text) for text, _ in pieces)


def _broken(pieces: Sequence[Piece], width: int) -> Iterator[list[Piece]]:
    """Yield the pieces of each line of a text of at most `width` columns, without spaces at its end."""
    whole = "".join(text for text, _ in pieces)
    cuts = _cuts(whole, width)
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        end = start + len(whole[start:end].rstrip())
        line: list[Piece] = []
        place = 0
        for text, style in pieces:
            part = text[max(0, start - place) : max(0, end - place)]
            if part:
                line.append((part, style))
            place += len(text)
        yield line


def _cuts(text: str, width: int) -> list[int]:
    """Return the places where a text is cut: between words, and inside a word that is wider than a line."""
    found: list[int] = []
    used = 0
    for match in re.finditer(r"\s*\S+\s*", text):
        word = match[0].rstrip()
        size = columns(word)
        if used and used + size > width:
            found.append(match.start())
            used = 0
        if size <= width:
            used += columns(match[0])
            continue
        for place, char in enumerate(match[0], match.start()):
            if used + columns(char) > width and not char.isspace():
                found.append(place)
                used = 0
            used += columns(char)
    return found


def cut(text: str, most: int, ascii_only: bool = False) -> str:
    """Return a text of at most so many columns; where its end is left out, a mark says so.

    >>> cut("lupus nephritis", 8), cut("lupus nephritis", 9, ascii_only=True), cut("lupus", 5)
    ('lupus n…', 'lupus...', 'lupus')
    """
    if columns(text) <= most:
        return text
    mark = "..." if ascii_only else "…"
    kept = text[: most - len(mark)]
    while columns(kept) > most - len(mark):
        kept = kept[:-1]
    return kept.rstrip() + mark


def labelled(label: str, pieces: Iterable[Piece], indent: int = 4, column: int = 12) -> Line:
    """Return a line behind a label, which has so many columns."""
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
