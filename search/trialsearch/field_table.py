"""Fields that the user chose, a row for each trial: aligned for a terminal, parted by tabs for a pipe.

>>> from trialsearch.lines import plain
>>> rows = [{"id": "NCT00000001", "phases": ["PHASE1"]}, {"id": "NCT00000002", "phases": []}]
>>> list(plain(aligned(rows, ["id", "phases"])))
['id           phases', 'NCT00000001  PHASE1', 'NCT00000002']
>>> list(tabbed(rows, ["id", "phases"]))
['id\\tphases', 'NCT00000001\\tPHASE1', 'NCT00000002\\t']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trialsearch.export import cell_text
from trialsearch.lines import Line, columns

__all__ = ["aligned", "tabbed"]

_WIDEST, _NARROWEST = 60, 8  # columns of a cell that is aligned


def aligned(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], width: int = 80, ascii_only: bool = False
) -> Iterator[Line]:
    """Yield a heading and a line for each row; long cells are cut, so that a line has `width` columns."""
    cells = [list(names), *([_flat(row[name]) for name in names] for row in rows)]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    room = width - 2 * (len(names) - 1)
    # The widest columns give way first.
    fitting = (most for most in range(_WIDEST, _NARROWEST, -1) if sum(min(w, most) for w in widths) <= room)
    most = next(fitting, _NARROWEST)
    for number, texts in enumerate(cells):
        cut = [_cut(text, most, ascii_only) for text in texts]
        padded = (
            text + " " * (min(wide, most) - columns(text)) for text, wide in zip(cut, widths, strict=True)
        )
        yield Line((("  ".join(padded).rstrip(), "" if number else "head"),))


def tabbed(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """Yield a heading and a line for each row, whole cells parted by tabs."""
    yield "\t".join(names)
    for row in rows:
        yield "\t".join(_flat(row[name]) for name in names)


def _flat(value: Any) -> str:
    """Return a value as the text of one cell on one line."""
    return " ".join(cell_text(value).split())


def _cut(text: str, most: int, ascii_only: bool) -> str:
    if columns(text) <= most:
        return text
    mark = "..." if ascii_only else "…"
    while columns(text) > most - len(mark):
        text = text[: min(most - len(mark), len(text) - 1)]
    return text.rstrip() + mark
