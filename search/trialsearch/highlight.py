"""Where a trial's text has what was asked: short pieces of it, with the places of the words.

>>> piece = snippet("BriefSummary", "Cells were given. Lupus was treated.", frozenset({"lupus"}))
>>> piece.text[slice(*piece.spans[0])]
'Lupus'
>>> snippet("BriefSummary", "Cells were given.", frozenset({"lupus"})) is None
True
"""

from __future__ import annotations

import re

from trialindex.analysis import prepare, tokens
from trialindex.frozen import frozen

__all__ = ["Snippet", "mark", "snippet"]

_WIDTH = 180
_ESCAPES = re.compile(r"\\(?=[<>^~*_\[\]#&|`+.()-])")


@frozen
class Snippet:
    """A piece of a field's text; `spans` are the (start, end) of the words found, ascending, in `text`."""

    field: str
    text: str
    spans: tuple[tuple[int, int], ...]


def snippet(field: str, text: str, terms: frozenset[str]) -> Snippet | None:
    """Return the stretch of a value that has the most different terms, cut at word boundaries; None if
    it has none.
    """
    value = " ".join(prepare(_ESCAPES.sub("", text)).split())
    places = sorted({(token.start, token.end, token.term) for token in tokens(value) if token.term in terms})
    if not places:
        return None
    best = max(
        range(len(places)),
        key=lambda first: (
            len({term for start, end, term in places[first:] if end <= places[first][0] + _WIDTH}),
            -first,
        ),
    )
    start, end = _window(value, places[best][0])
    shown = [(a - start, b - start) for a, b, _ in places if a >= start and b <= end]
    lead, tail = "… " if start else "", " …" if end < len(value) else ""
    return Snippet(
        field,
        f"{lead}{value[start:end]}{tail}",
        tuple((a + len(lead), b + len(lead)) for a, b in _apart(shown)),
    )


def _window(value: str, place: int) -> tuple[int, int]:
    if len(value) <= _WIDTH:
        return 0, len(value)
    start = max(0, place - _WIDTH // 4)
    if start:
        start = value.find(" ", start, place) + 1 or place
    end = min(len(value), start + _WIDTH)
    if end < len(value):
        end = value.rfind(" ", place, end)
        end = end if end > place else min(len(value), start + _WIDTH)
    return start, end


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans without overlaps: a compound and its parts are one span."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def mark(text: str, spans: tuple[tuple[int, int], ...], before: str, after: str) -> str:
    """Return the text with something put before and after each span.

    >>> mark("lupus here", ((0, 5),), "<", ">")
    '<lupus> here'
    """
    for start, end in reversed(spans):
        text = f"{text[:start]}{before}{text[start:end]}{after}{text[end:]}"
    return text
