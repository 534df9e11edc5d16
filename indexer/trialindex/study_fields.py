"""The fields of the registry's study structure: piece name -> path and type, as a table.

The table is `study_fields.tsv` beside this module (ClinicalTrials.gov API v2, 531 rows). A path walks down
the study with dots and steps silently through lists, so one path may lead to many values:

>>> interventions = [{"name": "A"}, {"name": "B"}]
>>> study = {"protocolSection": {"armsInterventionsModule": {"interventions": interventions}}}
>>> values(study, field("InterventionName").path)
['A', 'B']
>>> field("Phase").enum, field("Phase").repeated
('Phase', True)
>>> field("BriefTittle")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no study field 'BriefTittle'; the nearest: BriefTitle
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from trialindex.errors import QueryError

__all__ = ["Paths", "StudyField", "by_path", "by_piece", "field", "values"]


class StudyField(NamedTuple):
    """One row of the table.

    `type` is the registry's own word: text, markup, PartialDate, integer, `enum Phase[]`, or the name of a
    structure. `synonyms`: the registry widens the field by synonyms. `search_only`: it can be asked but is
    in no download.
    """

    piece: str
    path: str
    type: str
    synonyms: bool
    search_only: bool

    @property
    def enum(self) -> str | None:
        """The name of the field's code list, or None where the field holds no code."""
        return self.type[5:].removesuffix("[]") if self.type.startswith("enum ") else None

    @property
    def repeated(self) -> bool:
        """Whether the last step of the path holds a list."""
        return self.type.endswith("[]")


@cache
def by_piece() -> dict[str, StudyField]:
    """All fields by piece name, in the table's order."""
    text = Path(__file__).with_name("study_fields.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: StudyField(row[0], row[1], row[2], row[3] == "yes", row[4] == "yes") for row in rows[1:]}


@cache
def by_path() -> dict[str, StudyField]:
    """All fields by path."""
    return {entry.path: entry for entry in by_piece().values()}


def field(piece: str) -> StudyField:
    """Return the field of a piece name.

    Raises QueryError, naming the nearest known pieces, when there is none.
    """
    found = by_piece().get(piece)
    if found is None:
        import difflib

        near = difflib.get_close_matches(piece, by_piece(), n=3) or ["see `trialsearch fields`"]
        raise QueryError(f"no study field {piece!r}; the nearest: {', '.join(near)}")
    return found


def values(study: dict[str, Any], path: str) -> list[Any]:
    """Return what stands at a dotted path of a study, lists flattened, in the study's order; [] where
    nothing does.
    """
    found: list[Any] = [study]
    for step in path.split("."):
        below = [node[step] for node in found if isinstance(node, dict) and step in node]
        found = [item for node in below for item in (node if isinstance(node, list) else (node,))]
    return [value for value in found if value is not None and value != ""]


# The number under which a walk keeps what it meets where no path ends.
_NO_PATH = -1
# A step of the walk: the number of the path that ends here, and the steps that go on from here.
_Steps = dict[str, tuple[int, "_Steps"]]


class Paths:
    """Many paths of a study, read in one walk: the walk follows the study, and leaves what no path enters.

    >>> paths = Paths(["a.b", "a.c.d", "e"])
    >>> paths.values({"a": [{"b": 1, "c": {"d": ["x", None]}}, {"b": [2, 3]}], "f": 4})
    [[1, 2, 3], ['x'], []]
    >>> paths.held({"a": [{"b": 1}]}), paths.held({"a": "b"})
    ({0: [1]}, {})
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._steps: _Steps = {}
        self._count = 0
        for number, path in enumerate(paths):
            *above, last = path.split(".")
            steps = self._steps
            for step in above:
                steps = steps.setdefault(step, (_NO_PATH, {}))[1]
            steps[last] = (number, steps[last][1] if last in steps else {})
            self._count = number + 1

    def values(self, study: dict[str, Any]) -> list[list[Any]]:
        """Return for each path, in their order, what `values` returns for it."""
        found = self.held(study)
        return [found.get(number, []) for number in range(self._count)]

    def held(self, study: dict[str, Any]) -> dict[int, list[Any]]:
        """Return, by the number of a path, what `values` returns for it; paths that nothing stands at are
        left out.
        """
        found: defaultdict[int, list[Any]] = defaultdict(list)
        _collect(study, self._steps, found)
        found.pop(_NO_PATH, None)
        return dict(found)


def _collect(node: dict[str, Any], steps: _Steps, found: defaultdict[int, list[Any]]) -> None:
    for key, value in node.items():
        step = steps.get(key)
        if step is None:
            continue
        number, below = step
        if isinstance(value, list):
            # No list inside a list: a path steps through one level of them, as in `values`.
            for item in value:
                if item is not None and item != "":
                    found[number].append(item)
                    if below and isinstance(item, dict):
                        _collect(item, below, found)
        elif value is not None and value != "":
            found[number].append(value)
            if below and isinstance(value, dict):
                _collect(value, below, found)
