"""Expressions of the kind that scripts send to the registry find as many trials as the oracle counts.

Here over the sample records; over all real records in `torture`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers import ROOT
from registry_oracle import Named, Oracle
from small import concept, full, make_index
from trialindex import merge
from trialindex.formats import read_items
from trialindex.formats.record import SourceRecord
from trialindex.gazetteer import locate
from trialsearch import TrialSearch

__all__ = ["SCRIPTS", "compared", "same", "studies"]

# Both sides know one thing that has several names; what else the shipped vocabulary would widen is left out.
_HEART_ATTACK = ("heart attack", "myocardial infarction", "cardiac infarction")
SCRIPTS = (
    "AREA[OverallStatus]RECRUITING AND AREA[Phase](PHASE2 OR PHASE3)",
    "heart attack AND SEARCH[Location](AREA[LocationCity]Boston AND AREA[LocationCountry]United States)",
    "AREA[MinimumAge]RANGE[MIN, 16 years] AND AREA[MaximumAge]RANGE[16 years, MAX]",
    "AREA[StartDate]RANGE[2005-01, 2006-06]",
    "AREA[ResultsFirstPostDate]MISSING",
    'AREA[LeadSponsorName]COVERAGE[FullMatch]"Pfizer"',
    'EXPANSION[None]"HIV"',
    'EXPANSION[Concept]"heart attack" AND NOT AREA[InterventionType]DEVICE',
    "AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50mi]",
    # The trials teach what COPD stands for, and the oracle learns nothing: the words alone are compared.
    "TILT[StudyFirstPostDate]EXPANSION[Term](asthma OR COPD)",
    "AREA[ConditionSearch](lung cancer) AND AREA[EnrollmentCount]RANGE[100, MAX]",
    "(AREA[DesignAllocation]RANDOMIZED OR AREA[DesignMasking]DOUBLE) AND AREA[StdAge]CHILD",
    # The same at other levels, and with other values.
    'EXPANSION[Term]"heart attack"',
    'EXPANSION[Lossy]"heart attack"',
    "EXPANSION[None]hiv",
    "EXPANSION[Term]HIV",
    'AREA[LeadSponsorName]COVERAGE[StartsWith]"University of"',
    'AREA[Condition]COVERAGE[FullMatch]"asthma"',
    'AREA[Condition]COVERAGE[StartsWith]EXPANSION[Term]"lung cancer"',
    'AREA[Condition]COVERAGE[EndsWith]EXPANSION[None]"Cancer"',
    "SEARCH[Location](AREA[LocationCountry]United States AND AREA[LocationStatus]RECRUITING)",
    "AREA[LocationCountry]United States AND AREA[LocationStatus]RECRUITING",
    "AREA[ResultsSection]MISSING AND AREA[OverallStatus]COMPLETED",
    "AREA[NumConditions]RANGE[5, MAX]",
    "AREA[NumLocations]RANGE[100, MAX]",
    "AREA[StudyFirstPostDate]RANGE[MIN, 12/31/1999]",
    "age:16",
    "AREA[Phase]NA",
    "AREA[Phase]MISSING",
)


def studies(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the studies of some sources, in the registry's structure, each once."""
    held: dict[str, dict[str, Any]] = {}
    for path in paths:
        for item in read_items(path):
            if isinstance(item, SourceRecord):
                key = merge.trial_id(item.study)
                held[key] = merge.add(held.get(key), item)
    return list(held.values())


def _places(records: list[dict[str, Any]]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return where the gazetteer has the cities of sites: what it knows is for its own tests to say."""
    found = {}
    for record in records:
        for site in record["protocolSection"].get("contactsLocationsModule", {}).get("locations", ()):
            place = (site.get("city", ""), site.get("state", ""), site.get("country", ""))
            if point := locate(*place):
                found[place] = point
    return found


@contextmanager
def compared(folder: Path, records: list[dict[str, Any]]) -> Iterator[tuple[TrialSearch, Oracle]]:
    """Yield an index of some studies and an oracle, both of which know what `_HEART_ATTACK` names."""
    oracle = Oracle(records, [Named(_HEART_ATTACK)], _places(records))
    with TrialSearch.open(make_index(folder, records, [concept("C1", *_HEART_ATTACK)])) as trials:
        yield trials, oracle


def same(trials: TrialSearch, oracle: Oracle, expression: str) -> int:
    """Assert that an expression finds the same trials in both, and return how many."""
    wanted = oracle.ids(expression)
    found = set(full(trials.search(expression, limit=None)))
    assert (expression, sorted(found ^ wanted)) == (expression, [])
    return len(found)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrialSearch, Oracle]]:
    records = studies([ROOT / "corpus"])
    with compared(tmp_path_factory.mktemp("samples") / "index", records) as both:
        yield both


@pytest.mark.parametrize("expression", SCRIPTS)
def test_scripts_over_the_sample_records(samples: tuple[TrialSearch, Oracle], expression: str) -> None:
    same(*samples, expression)
