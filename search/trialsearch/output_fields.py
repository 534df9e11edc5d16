"""The fields that an answer is to show, chosen by name: `--fields id,title,LocationCity,eligibility`.

A name is one of ours (`OWN`), a piece of the registry's study structure, or a structure of it, which stands
for all its pieces: `EligibilityModule`, or for short `eligibility` (`GROUPS`). Case does not count.

>>> [field.name for field in chosen("id, LeadSponsor, briefsummary")]
['id', 'LeadSponsorName', 'LeadSponsorClass', 'BriefSummary']

A name of ours goes before a group: `status` is the status of the trial, `StatusModule` all about it.

>>> [field.name for field in chosen("status")], len(chosen("StatusModule")) > 20
(['status'], True)
>>> chosen("id,tittle")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no field 'tittle' to show; the nearest: title
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from trialindex.errors import QueryError
from trialindex.study_fields import by_path, by_piece, values
from trialsearch.lexing import shortened
from trialsearch.site_text import as_dict, site_words

if TYPE_CHECKING:
    from trialsearch.results import Hit

__all__ = ["DEFAULT", "GROUPS", "NEAR", "OWN", "OutputField", "cells", "chosen", "row"]

OWN: dict[str, Callable[[Hit], Any]] = {
    "id": lambda hit: hit.id,
    "score": lambda hit: round(hit.score, 6),
    "partial": lambda hit: hit.partial,
    "title": lambda hit: hit.summary.title,
    "status": lambda hit: hit.summary.status,
    "phases": lambda hit: list(hit.summary.phases),
    "study_type": lambda hit: hit.summary.study_type,
    "start": lambda hit: hit.summary.start,
    "completion": lambda hit: hit.summary.completion,
    "enrollment": lambda hit: hit.summary.enrollment,
    "conditions": lambda hit: list(hit.summary.conditions),
    "interventions": lambda hit: list(hit.summary.interventions),
    "sponsor": lambda hit: hit.summary.sponsor,
    "countries": lambda hit: list(hit.summary.countries),
    "has_results": lambda hit: hit.summary.has_results,
    "distance": lambda hit: None if hit.distance is None else round(hit.distance, 2),
    "distance_unit": lambda hit: hit.distance_unit,
    "sites": lambda hit: [as_dict(site) for site in hit.sites],
}
# Other names of these.
_ALSO = {"phase": "phases", "type": "study_type", "country": "countries", "enrolment": "enrollment"}
GROUPS = {
    "identification": "IdentificationModule",
    "sponsors": "SponsorCollaboratorsModule",
    "oversight": "OversightModule",
    "description": "DescriptionModule",
    "design": "DesignModule",
    "arms": "ArmsInterventionsModule",
    "outcomes": "OutcomesModule",
    "eligibility": "EligibilityModule",
    "contacts": "ContactsLocationsModule",
    "references": "ReferencesModule",
    "results": "ResultsSection",
    "documents": "DocumentSection",
}


class OutputField(NamedTuple):
    """A field to show. `path`: where in the study it stands; "" for one of ours. `several`: a trial may have
    more than one value, so that its values are a list.
    """

    name: str
    path: str = ""
    several: bool = False

    def of(self, hit: Hit) -> Any:
        """Return what a hit has of the field: a value, None where there is none, or a list."""
        if not self.path:
            return OWN[self.name](hit)
        found = values(hit.study, self.path)
        if self.several:
            return found
        return found[0] if found else None


_OF_PLACES = ("distance", "distance_unit", "sites")
# What a hit shows where nobody chose; and what besides where a place was asked.
DEFAULT = tuple(OutputField(name) for name in OWN if name not in _OF_PLACES)
NEAR = tuple(map(OutputField, _OF_PLACES))


def chosen(text: str) -> tuple[OutputField, ...]:
    """Return the fields of names parted by commas, each once, in their order.

    Raises QueryError, naming the nearest, for a name that is none, and for no name at all.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise QueryError("name the fields to show: --fields id,title,LocationCity")
    return tuple(dict.fromkeys(field for name in names for field in _named(name)))


def row(hit: Hit, fields: tuple[OutputField, ...]) -> dict[str, Any]:
    """Return what a hit has of some fields, by their names, as JSON has it."""
    return {field.name: field.of(hit) for field in fields}


def cells(hit: Hit, fields: tuple[OutputField, ...]) -> dict[str, Any]:
    """Return what a hit has of some fields, by their names, as a table has it: sites in words."""
    made = row(hit, fields)
    if "sites" in made:
        made["sites"] = [site_words(site, hit.distance_unit) for site in hit.sites]
    return made


def _named(name: str) -> list[OutputField]:
    key = name.lower()
    own = _ALSO.get(key, key)
    # `Phase` as the registry writes it is its own field; `phase` is ours.
    if own in OWN and name not in by_piece():
        return [OutputField(own)]
    piece = GROUPS.get(key) or _pieces().get(key)
    if piece is None:
        raise _unknown(name)
    return list(_below(piece))


@cache
def _pieces() -> dict[str, str]:
    return {piece.lower(): piece for piece, entry in by_piece().items() if not entry.search_only}


@cache
def _below(piece: str) -> tuple[OutputField, ...]:
    """Return a piece, or all pieces below it where it is a structure."""
    path = by_piece()[piece].path
    held = [
        entry
        for entry in by_piece().values()
        if not entry.search_only and entry.path.startswith(f"{path}.") and not _is_structure(entry.path)
    ]
    if held:
        return tuple(OutputField(entry.piece, entry.path, _several(entry.path)) for entry in held)
    return (OutputField(piece, path, _several(path)),)


@cache
def _structures() -> frozenset[str]:
    return frozenset(path.rpartition(".")[0] for path in by_path())


def _is_structure(path: str) -> bool:
    return path in _structures()


def _several(path: str) -> bool:
    """Whether a list stands on the way to a path, or at it."""
    return any(step in by_path() and by_path()[step].repeated for step in _steps(path))


def _steps(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))


def _unknown(name: str) -> QueryError:
    import difflib

    known = [*OWN, *_ALSO, *GROUPS, *_pieces()]
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.75)
    told = [_pieces().get(one, one) if one not in OWN else one for one in near]
    return QueryError(
        f"no field {shortened(name)!r} to show; the nearest: {', '.join(told)}"
        if told
        else f"no field {shortened(name)!r} to show: one of {', '.join((*OWN, *GROUPS))}, "
        f"or a piece as `trialsearch fields` lists them"
    )
