"""Fields that the user chose, a row for each trial: aligned for a terminal, where many do not fit a block for
each trial; parted by tabs for a pipe.

>>> from trialsearch.lines import plain
>>> rows = [{"id": "NCT00000001", "phases": ["PHASE1"]}, {"id": "NCT00000002", "phases": []}]
>>> list(plain(aligned(rows, ["id", "phases"])))
['id           phases', 'NCT00000001  PHASE1', 'NCT00000002']
>>> list(plain(aligned(rows, ["id", "phases"], 16)))
['id      NCT00000001', 'phases  PHASE1', '', 'id      NCT00000002']
>>> list(tabbed(rows, ["id", "phases"]))
['id\\tphases', 'NCT00000001\\tPHASE1', 'NCT00000002\\t']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trialsearch.export import cell_text
from trialsearch.lines import Line, columns, cut

__all__ = ["aligned", "tabbed"]

_WIDEST, _SHORT = 60, 12  # columns of a cell that is aligned; ids and the like are not cut


def aligned(
    rows: Iterable[Mapping[str, Any]], names: Sequence[str], width: int = 80, ascii_only: bool = False
) -> Iterator[Line]:
    """Yield a heading and a line for each row; long cells are cut, so that a line has `width` columns. Where
    that would cut even short ones, a block for each row: a line for each field that has a value.
    """
    cells = [list(names), *([_flat(row[name]) for name in names] for row in rows)]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    room = width - 2 * (len(names) - 1)
    if sum(min(wide, _SHORT) for wide in widths) > room:
        yield from _blocks(cells[1:], names)
        return
    # The widest columns give way first.
    most = next(most for most in range(_WIDEST, 0, -1) if sum(min(wide, most) for wide in widths) <= room)
    for number, texts in enumerate(cells):
        shown = [cut(text, most, ascii_only) for text in texts]
        padded = (
            text + " " * (min(wide, most) - columns(text)) for text, wide in zip(shown, widths, strict=True)
        )
        yield Line((("  ".join(padded).rstrip(), "" if number else "head"),))


def _blocks(rows: Iterable[Sequence[str]], names: Sequence[str]) -> Iterator[Line]:
    wide = max(map(columns, names)) + 2
    for number, texts in enumerate(rows):
        if number:
            yield Line()
        for name, text in zip(names, texts, strict=True):
            if text:
                yield Line(((text, ""),), lead=((name.ljust(wide), "label"),))


def tabbed(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """Yield a heading and a line for each row, whole cells parted by tabs."""
    yield "\t".join(names)
    for row in rows:
        yield "\t".join(_flat(row[name]) for name in names)


def _flat(value: Any) -> str:
    """Return a value as the text of one cell on one line."""
    return " ".join(cell_text(value).split())
