"""Studies by the pieces of the registry's structure, for the oracle: what stands where, of what kind.

Of the project it reads two tables as plain text, which fields there are and which make an area.

>>> study = made({"NCTId": "NCT00000001", "Location": [{"LocationCity": "Lyon"}, {"LocationState": "Maine"}]})
>>> record = Record(study)
>>> record.values("LocationCity"), [site.values("LocationCity") for site in record.sites()]
(['Lyon'], [['Lyon'], []])
>>> record.values("NumLocations"), kind_of("MinimumAge"), kind_of("TitleSearch"), kind_of("Location")
([2], 'age', 'text', 'structure')
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from helpers import ROOT
from registry_language import Refused

__all__ = ["Record", "areas", "kind_of", "made", "name_of"]

_TABLES = ROOT / "indexer" / "trialindex"
_NUMBER_TYPES = {"short", "integer", "long", "number"}
_DAY_TYPES = {"NormalizedDate", "PartialDate", "DateTimeMinutes"}
_TEXT_TYPES = {"text", "text[]", "markup", "keyword"}
_NO_NUMBER = 99999999
_SITES = "protocolSection.contactsLocationsModule.locations"
# What the registry counts and cuts out of other pieces, as far as the tests ask it.
_COUNTED = {
    "NumConditions": "Condition",
    "NumPhases": "Phase",
    "NumLocations": "Location",
    "NumArmGroups": "ArmGroup",
    "NumKeywords": "Keyword",
    "NumCollaborators": "CollaboratorName",
    "NumSecondaryOutcomes": "SecondaryOutcomeMeasure",
}
_YEARS = {f"{name}Year": f"{name}Date" for name in ("StudyFirstPost", "ResultsFirstPost", "LastUpdatePost")}
_COUNTRY_CODES = {"United States": "US", "France": "FR", "Canada": "CA", "Germany": "DE"}


class _Piece(NamedTuple):
    path: str
    type: str

    @property
    def kind(self) -> str:
        if self.type.startswith("enum ") or self.type == "boolean":
            return "code"
        if self.type == "NormalizedTime":
            return "age"
        if self.type == "GeoPoint":
            return "point"
        for kind, types in (("number", _NUMBER_TYPES), ("day", _DAY_TYPES), ("text", _TEXT_TYPES)):
            if self.type in types:
                return kind
        return "structure"


@cache
def _pieces() -> dict[str, _Piece]:
    return {row[0]: _Piece(row[1], row[2]) for row in _rows("study_fields.tsv")}


@cache
def areas() -> dict[str, list[str]]:
    areas: dict[str, list[str]] = {}
    for row in _rows("areas.tsv"):
        areas.setdefault(row[0], []).append(row[3])
    return areas


def _rows(name: str) -> list[list[str]]:
    lines = (_TABLES / name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")][1:]


@cache
def name_of(name: str) -> str:
    """Return the piece or area of a name in any case."""
    for known in (*areas(), *_pieces()):
        if known.lower() == name.lower():
            return known
    raise Refused(f"no field or area {name}")


def made(pieces: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study in the registry's structure from pieces by name; a list of mappings is a list of
    structures, each of pieces in turn. None is no value.
    """
    study: dict[str, Any] = {}
    _fill(study, pieces, "")
    return study


def _fill(place: dict[str, Any], pieces: Mapping[str, Any], above: str) -> None:
    for name, value in pieces.items():
        path = _pieces()[name].path
        assert path.startswith(above), f"{name} does not stand in {above}"
        *steps, last = path[len(above) :].split(".")
        inner = place
        for step in steps:
            inner = inner.setdefault(step, {})
        if (
            isinstance(value, list)
            and value
            and isinstance(value[0], dict)
            and value[0].keys() <= _pieces().keys()
        ):
            inner[last] = [{} for _ in value]
            for entry, below in zip(inner[last], value, strict=True):
                _fill(entry, below, path + ".")
        elif value is not None:
            inner[last] = value


class Record:
    """A study, or one of its sites, by piece."""

    def __init__(self, study: dict[str, Any], above: str = "") -> None:
        self._study = study
        self._above = above
        self._held: dict[str, list[Any]] = {}
        self._texts: dict[str, list[str]] = {}

    def values(self, piece: str) -> list[Any]:
        """Return the values of a piece, lists flat; the codes as the registry writes them."""
        if piece not in self._held:
            self._held[piece] = self._read(piece)
        return self._held[piece]

    def _read(self, piece: str) -> list[Any]:
        if piece in _COUNTED:
            count = len(self.values(_COUNTED[piece]))
            return [count] if count else []
        if piece in _YEARS:
            return [int(value[:4]) for value in self.values(_YEARS[piece])]
        if piece == "NumUniqueLocationCountries":
            countries = set(self.values("LocationCountry"))
            return [len(countries)] if countries else []
        if piece == "LocationCountryCode":
            return [_COUNTRY_CODES[name] for name in self.values("LocationCountry") if name in _COUNTRY_CODES]
        path = _pieces()[piece].path
        if not path.startswith(self._above):
            raise Refused(f"{piece} is no part of a site")
        found: list[Any] = [self._study]
        for step in path[len(self._above) :].split("."):
            below = [node[step] for node in found if isinstance(node, dict) and step in node]
            found = [item for node in below for item in (node if isinstance(node, list) else [node])]
        found = [value for value in found if value not in (None, "", {}, []) or value is False]
        return [value for value in found if not (piece == "EnrollmentCount" and value == _NO_NUMBER)]

    def sites(self) -> Iterator[Record]:
        """Yield the sites of a study; of a site, itself."""
        if self._above:
            yield self
            return
        for site in self.values("Location"):
            yield Record(site, _SITES + ".")

    def texts(self, piece: str) -> list[str]:
        """Return the values of a piece as text: a code as the words that it says."""
        if piece not in self._texts:
            self._texts[piece] = self._say(piece)
        return self._texts[piece]

    def _say(self, piece: str) -> list[str]:
        if _pieces()[piece].kind != "code":
            return [str(value) for value in self.values(piece)]
        codes = [value for value in self.values(piece) if not isinstance(value, bool)]
        return [re.sub(r"(?<=[A-Z])(?=\d)", " ", code).replace("_", " ").lower() for code in codes]


def kind_of(area: str) -> str:
    return "text" if area in areas() else _pieces()[area].kind
