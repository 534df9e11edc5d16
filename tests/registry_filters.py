"""What the filters of a search leave, one plain function each, for the oracle.

>>> from registry_records import made
>>> record = Record(made({"NCTId": "NCT00000001", "Phase": ["PHASE1", "PHASE2"], "MaximumAge": "17 Years"}))
>>> passes(record, {"phase": "2", "age": 12}), passes(record, {"age": 18}), passes(record, {"phase": "none"})
(True, False, False)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from registry_oracle import lets_in, overlaps
from registry_records import Record

__all__ = ["passes"]

_DATES = {"start": "StartDate", "posted": "StudyFirstPostDate", "results_posted": "ResultsFirstPostDate"}
_SEXES = {"female": "FEMALE", "male": "MALE", "f": "FEMALE", "m": "MALE"}
_AGES = {"child": "CHILD", "adult": "ADULT", "older": "OLDER_ADULT"}
_TYPES = {"int": "INTERVENTIONAL", "obs": "OBSERVATIONAL", "exp": "EXPANDED_ACCESS"}
_STATUSES = {
    "rec": "RECRUITING",
    "not": "NOT_YET_RECRUITING",
    "act": "ACTIVE_NOT_RECRUITING",
    "com": "COMPLETED",
    "ter": "TERMINATED",
    "unk": "UNKNOWN",
}


def passes(record: Record, filters: Mapping[str, Any]) -> bool:
    """Whether a record passes all filters of a search, by the names that `TrialSearch.search` gives them."""
    return all(_FILTERS[name](record, value) for name, value in filters.items())


def _status(record: Record, statuses: list[str]) -> bool:
    return any(status in statuses for status in record.values("OverallStatus"))


def _phase(record: Record, phase: str) -> bool:
    """Phase 1/2 belongs to both; no phase at all is not NA."""
    held = record.values("Phase")
    return not held if phase == "none" else (phase if phase == "NA" else f"PHASE{phase}") in held


def _sex(record: Record, sex: str) -> bool:
    return any(held in {_SEXES[sex], "ALL"} for held in record.values("Sex"))


def _age(record: Record, age: int) -> bool:
    return lets_in(record, f"{age} years")


def _funder(record: Record, code: str) -> bool:
    return code in record.values("LeadSponsorClass") + record.values("CollaboratorClass")


def _country(record: Record, country: str) -> bool:
    return country in record.values("LocationCountry")


def _results(record: Record, posted: bool) -> bool:
    return (record.values("HasResults") == [True]) == posted


def _range_of(piece: str) -> Callable[[Record, str], bool]:
    def within(record: Record, text: str) -> bool:
        low, dots, high = text.partition("..")
        return overlaps(record, piece, low, high if dots else low)

    return within


def _healthy(record: Record, healthy: str) -> bool:
    return record.values("HealthyVolunteers") == [healthy == "yes"]


def _aggregated(record: Record, text: str) -> bool:
    """Any key of each filter, and all filters."""
    parts = (one.split(":") for one in text.split(","))
    return all(any(_KEYS[name](record, key) for key in keys.split()) for name, keys in parts)


def _agg_phase(record: Record, key: str) -> bool:
    return ("EARLY_PHASE1" if key == "0" else f"PHASE{key}") in record.values("Phase")


_FILTERS: dict[str, Callable[[Record, Any], bool]] = {
    "status": _status,
    "phase": _phase,
    "sex": _sex,
    "age": _age,
    "funder": _funder,
    "country": _country,
    "with_results": _results,
    "healthy": _healthy,
    "enrollment": _range_of("EnrollmentCount"),
    "agg_filters": _aggregated,
    **{name: _range_of(piece) for name, piece in _DATES.items()},
}
_KEYS: dict[str, Callable[[Record, str], bool]] = {
    "results": lambda record, key: _results(record, key == "with"),
    "status": lambda record, key: _status(record, [_STATUSES[key]]),
    "phase": _agg_phase,
    "ages": lambda record, key: _AGES[key] in record.values("StdAge"),
    "sex": lambda record, key: record.values("Sex") == ["ALL"] if key == "all" else _sex(record, key),
    "studyType": lambda record, key: record.values("StudyType") == [_TYPES[key]],
    "healthy": lambda record, key: _healthy(record, {"y": "yes", "n": "no"}[key]),
}
