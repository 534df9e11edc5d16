r"""Query text into tokens, each with its place; and the error that shows a place.

A token is a parenthesis, a quoted phrase, an operator with its bracket, a short form (`title:`) or a word. A
backslash takes the next character as it stands, so an operator behind one is a word.

>>> [(token.kind, token.text) for token in tokens('AREA[Phase]PHASE2 title:"kidney"')]
[('operator', 'AREA'), ('word', 'PHASE2'), ('field', 'title'), ('quoted', '"kidney"')]
>>> list(tokens("lupus AREA [Phase]PHASE2"))
Traceback (most recent call last):
    ...
trialindex.errors.QuerySyntaxError: no space stands before [: write AREA[...], or \AREA for the word
  lupus AREA [Phase]PHASE2
             ^
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.errors import QuerySyntaxError
from trialindex.frozen import frozen
from trialsearch.lines import columns

__all__ = ["Token", "shortened", "starred", "syntax_error", "tokens", "unescaped"]

# The operators that take a parameter in brackets.
_BRACKETED = ("AREA", "SEARCH", "EXPANSION", "COVERAGE", "TILT", "RANGE", "DISTANCE")
# How the registry's classic site spelled two of them: its expressions are still about.
_CLASSIC = {"EXPAND": "EXPANSION", "COVER": "COVERAGE"}

_NAMES = "|".join((*_BRACKETED, *_CLASSIC))
_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*(?:(?P<endquote>")|\\?$))'
    rf"|(?P<operator>(?:{_NAMES})\s*\[|(?i:{_NAMES})\[)(?P<parameter>[^\]]*)(?P<endbracket>\]|$)"
    r"|(?P<field>[A-Za-z]+):(?=[^\s)])"
    r'|(?P<word>(?:\\.|[^\s()"\\])+\\?|\\))',
    re.DOTALL,
)

# What is shown of a query around a place, in columns.
_SHOWN = 100
_BEFORE = 60
_NEAR = 200  # characters: marks have no column of their own
_LONGEST = 60  # characters of a name or a value in a message


@frozen
class Token:
    """A piece of a query text: its kind (open, close, quoted, operator, field, word), the text, of an
    operator also what stands in its bracket, and the 0-based place where it starts.
    """

    kind: str
    text: str
    start: int
    parameter: str = ""


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, in its order.

    Raises QuerySyntaxError for a quote or a bracket that is never closed, and for an operator that is
    written in small letters or apart from its bracket.
    """
    place = 0
    while match := _TOKEN.match(text, place):
        kind = "operator" if match["operator"] else str(match.lastgroup)
        start = match.start(kind)
        if kind == "operator":
            yield Token(kind, _operator(match, text), start, match["parameter"].strip())
        elif kind == "quoted" and match["endquote"] is None:
            unclosed = 'the quote is never closed: add a second " or put a backslash before it'
            raise syntax_error(unclosed, text, start)
        else:
            yield Token(kind, match[kind], start)
        place = match.end()


def _operator(match: re.Match[str], text: str) -> str:
    """Return the name of an operator that is written as it must be."""
    written = match["operator"][:-1]
    name = written.strip()
    if name != name.upper():
        raise syntax_error(
            f"operators are written in capitals: {name.upper()}[...]; for the text itself, {name}\\[",
            text,
            match.start("operator"),
        )
    if name != written:
        raise syntax_error(
            f"no space stands before [: write {name}[...], or \\{name} for the word",
            text,
            match.end("operator") - 1,
        )
    if not match["endbracket"]:
        raise syntax_error(f"the bracket of {name} is never closed: add ]", text, match.start("operator"))
    return _CLASSIC.get(name, name)


def unescaped(word: str) -> str:
    """Return a text without its backslashes, but for those that a backslash takes as they stand."""
    return re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL)


def starred(word: str) -> bool:
    r"""Whether a word ends with a star that is no literal one.

    >>> starred("neuro*"), starred("neuro\\*"), starred("*")
    (True, False, False)
    """
    return len(word) > 1 and re.search(r"(?<!\\)(?:\\\\)*\*$", word) is not None


def shortened(text: str) -> str:
    """Return a name or a value as a message shows it: whole, or its beginning."""
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def syntax_error(message: str, text: str, position: int) -> QuerySyntaxError:
    """Return the error that shows the text around a place, with a caret under it.

    Of a long text it shows what stands near the place. The caret counts columns: a wide character has two.
    """
    first = max(0, position - _NEAR)
    near = text[first : position + _NEAR]
    shown = "".join(" " if char.isspace() else char if char.isprintable() else "\ufffd" for char in near)
    place = start = end = position - first
    while start > 0 and columns(shown[start - 1 : place]) <= _BEFORE:
        start -= 1
    while end < len(shown) and columns(shown[start : end + 1]) <= _SHOWN:
        end += 1
    caret = " " * columns(shown[start:place]) + "^"
    return QuerySyntaxError(f"{message}\n  {shown[start:end]}\n  {caret}", text, position)
