"""Tiny studies and tiny indexes for tests: a study is written as the few pieces that a test is about.

>>> study("NCT00000001", BriefTitle="A trial", Phase=["PHASE1", "PHASE2"])["protocolSection"]["designModule"]
{'phases': ['PHASE1', 'PHASE2']}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from trialindex.storage import Writer
from trialindex.study_fields import by_piece
from trialindex.vocabulary.concepts import Concept, Name
from trialindex.vocabulary.mapped import write_vocabulary
from trialindex.vocabulary.shipped import write_shipped
from trialsearch import TrialSearch
from trialsearch.ranking import Explanation

# Pieces that stand in lists of objects: list under protocolSection -> key in each object.
_LISTED = {
    "InterventionName": ("armsInterventionsModule", "interventions", "name"),
    "InterventionOtherName": ("armsInterventionsModule", "interventions", "otherNames"),
    "InterventionDescription": ("armsInterventionsModule", "interventions", "description"),
    "PrimaryOutcomeMeasure": ("outcomesModule", "primaryOutcomes", "measure"),
    "LocationCity": ("contactsLocationsModule", "locations", "city"),
    "LocationCountry": ("contactsLocationsModule", "locations", "country"),
    "LocationFacility": ("contactsLocationsModule", "locations", "facility"),
    "LocationPoint": ("contactsLocationsModule", "locations", "geoPoint"),
    "LocationState": ("contactsLocationsModule", "locations", "state"),
    "LocationStatus": ("contactsLocationsModule", "locations", "status"),
    "LocationZip": ("contactsLocationsModule", "locations", "zip"),
    "ReferenceCitation": ("referencesModule", "references", "citation"),
    "SecondaryId": ("identificationModule", "secondaryIdInfos", "id"),
}


def study(nct_id: str, **pieces: Any) -> dict[str, Any]:
    """Return a study with an id and pieces by the registry's names; a listed piece takes a list."""
    made: dict[str, Any] = {"protocolSection": {"identificationModule": {"nctId": nct_id}}}
    for piece, value in pieces.items():
        if piece in _LISTED:
            module, items, key = _LISTED[piece]
            held = made["protocolSection"].setdefault(module, {}).setdefault(items, [])
            for number, entry in enumerate(value):
                if number == len(held):
                    held.append({})
                held[number][key] = entry
            continue
        path = by_piece()[piece].path.replace("[]", "").split(".")
        place = made
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return made


def make_index(
    folder: Path,
    studies: Iterable[dict[str, Any]],
    vocabulary: Iterable[Concept] | Callable[[Path], None] | None = None,
) -> Path:
    """Write an index of studies into a folder, straight to storage, and return the folder.

    `vocabulary`: concepts to link the studies with, or what writes them; then what they teach is worked out
    too. An index that has a vocabulary keeps it.
    """
    with Writer(folder) as writer:
        if vocabulary is not None and writer.vocabulary is None:
            writer.use_vocabulary(
                vocabulary if callable(vocabulary) else partial(write_vocabulary, [*vocabulary])
            )
        for one in studies:
            writer.put(one["protocolSection"]["identificationModule"]["nctId"], one)
        if writer.vocabulary is not None:
            writer.learn(anew=True)
    return folder


def open_index(
    folder: Path,
    studies: Iterable[dict[str, Any]],
    vocabulary: Iterable[Concept] | Callable[[Path], None] = write_shipped,
) -> TrialSearch:
    """Write an index of studies, linked by the shipped vocabulary or another one, and open it."""
    return TrialSearch.open(make_index(folder, studies, vocabulary))


def concept(
    identifier: str, *names: str, short: str = "", kind: str = "condition", parents: str = ""
) -> Concept:
    """Return a concept; `short` and `parents`: abbreviations and ids, by spaces.

    >>> concept("C1", "lupus nephritis", short="LN", parents="C2").abbreviations
    (Name(text='LN', source='test'),)
    """

    def named(texts: Iterable[str]) -> tuple[Name, ...]:
        return tuple(Name(text, "test") for text in texts)

    return Concept(identifier, kind, named(names), named(short.split()), tuple(parents.split()))


def ids(hits: Iterable[Any]) -> list[str]:
    """Return the ids of hits, in order."""
    return [hit.id for hit in hits]


def full(hits: Iterable[Any]) -> list[str]:
    """Return the ids of the hits that are not partial, in order."""
    return [hit.id for hit in hits if not hit.partial]


def check_sums(explanation: Explanation) -> None:
    """Assert that every sum in an explanation is that of its parts."""
    if explanation.parts and " x " not in explanation.text.partition(": ")[2]:
        assert sum(part.score for part in explanation.parts) == pytest.approx(explanation.score)
    for part in explanation.parts:
        check_sums(part)
