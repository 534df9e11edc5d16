"""Facets for a person, as small tables with bars, and for a program, as plain data.

>>> from trialsearch.facets import FacetValue
>>> values = (FacetValue("PHASE2", "Phase 2", 1200), FacetValue("NA", "Not applicable", 300))
>>> phases = Facet("Phase", values, missing=500, total=2000, others=3)
>>> from trialsearch.lines import plain
>>> for line in plain(lines({"phase": phases}, ascii_only=True)): print(line)
phase             2,000 trials
  Phase 2         1,200  60.0%  ########################
  Not applicable    300  15.0%  ######
  (none)            500  25.0%  ##########
  3 more values
>>> as_dict({"phase": phases})["phase"]["values"][0]
{'value': 'PHASE2', 'label': 'Phase 2', 'count': 1200}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialsearch.facets import Facet
from trialsearch.lines import Line, clean, columns, cut

__all__ = ["as_dict", "lines"]

_BAR, _SHORTEST_BAR = 24, 4  # columns of the longest bar
_WIDEST, _NARROWEST = 40, 13  # columns of a label
_EIGHTHS = " ▏▎▍▌▋▊▉"


def lines(facets: Mapping[str, Facet], ascii_only: bool = False, width: int | None = None) -> Iterator[Line]:
    """Yield facets as tables: each value with its trials, their share of all, and a bar; what is without a
    value comes last. In ASCII where the terminal shows nothing else; in `width` columns labels and bars are
    as short as they must be.
    """
    room = 1_000 if width is None else width
    for number, (name, facet) in enumerate(facets.items()):
        if number:
            yield Line()
        figures = max(len(f"{facet.total:,}"), 5)
        beside = 2 + 2 + figures + 1 + 6 + 2  # columns of all but label and bar
        widest = max(_NARROWEST, min(_WIDEST, room - beside - _SHORTEST_BAR))
        rows = [(cut(clean(one.label), widest, ascii_only), one.trials) for one in facet.values]
        rows += [("(none)", facet.missing)] if facet.missing else []
        more = f"{facet.others:,} more value{'' if facet.others == 1 else 's'}" if facet.others else ""
        wide = max(_NARROWEST, columns(name) - 2, *(columns(label) for label, _ in rows), 0)
        bar = max(0, min(_BAR, room - beside - wide))
        title = name + " " * (wide + 2 - columns(name))
        total = f"{facet.total:>{figures},} trial{'' if facet.total == 1 else 's'}"
        yield Line(((title, "head"), (f"  {total}", "label")), hang=2)
        most = max((count for _, count in rows), default=0)
        for label, count in rows:
            share = f"{count / facet.total:>6.1%}"
            pad = " " * (wide - columns(label))
            told = f"{label}{pad}  {count:>{figures},} {share}  "
            yield Line(((told, ""), (_bar(count / most, ascii_only, bar), "good")), 2, 2)
        if more:
            yield Line(((more, "label"),), 2, 4)


def _bar(share: float, ascii_only: bool, longest: int = _BAR) -> str:
    """Return a bar of a share of the longest one; what is not nothing shows.

    >>> _bar(1 / 24, False), _bar(1 / 48, False), _bar(0.0001, False), _bar(0.0001, True), _bar(0.0, True)
    ('█', '▌', '▏', '#', '')
    """
    if ascii_only:
        return "#" * min(longest, max(round(share * longest), share > 0))
    whole, eighths = divmod(min(longest * 8, max(round(share * longest * 8), share > 0)), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def as_dict(facets: Mapping[str, Facet]) -> dict[str, Any]:
    """Return facets as plain data that JSON can hold, by the names asked."""
    return {
        name: {
            "field": facet.field,
            "total": facet.total,
            "missing": facet.missing,
            "others": facet.others,
            "values": [{"value": one.value, "label": one.label, "count": one.trials} for one in facet.values],
        }
        for name, facet in facets.items()
    }
