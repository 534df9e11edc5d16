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

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from trialindex.errors import QueryError

__all__ = ["StudyField", "by_path", "by_piece", "field", "values"]


@dataclass(frozen=True, slots=True)
class StudyField:
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
    text = files("trialindex").joinpath("study_fields.tsv").read_text("utf-8")
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
