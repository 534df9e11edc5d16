"""The registry's `aggFilters` strings: `results:with,status:rec not,phase:2 3`.

Filters are parted by commas or bars, each an id, a colon and keys parted by spaces; a trial needs any of the
keys of a filter, and all filters. On the service a wrong key (`phase:PHASE3`) finds no trial at all; here it
is an error. `sex:f` finds what a woman may join, trials for all too; `funderType` asks the lead sponsor and
the collaborators, as the registry's glossary has it, and its `other` is every class but NIH, FED and
INDUSTRY.

>>> for label, query in agg_queries("phase:2 3,results:without").items():
...     print(label, "=", query)
phase:2 3 = AREA[Phase]PHASE2 OR AREA[Phase]PHASE3
results:without = NOT AREA[HasResults]true
>>> agg_queries("phase:PHASE3")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: aggFilters: phase has no key 'PHASE3'; its keys are 0, 1, 2, 3, 4, na
>>> agg_queries("phases:3")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: aggFilters: no filter 'phases'; they are results, status, phase, ages, sex, \
studyType, funderType, healthy, docs
"""

from __future__ import annotations

import re

from trialindex import codes
from trialindex.errors import QueryError
from trialsearch.filters import class_query, sex_query
from trialsearch.lexing import shortened
from trialsearch.query import Code, Not, Query, any_of

__all__ = ["AGG_FILTERS", "agg_queries"]


def _coded(field: str, **keys: str) -> dict[str, Query]:
    return {key.lstrip("_"): Code(field, code) for key, code in keys.items()}


_ALONE = ("NIH", "FED", "INDUSTRY")
_OTHERS = tuple(code for code in codes.CODES["AgencyClass"] if code not in _ALONE)

# For each filter its keys, and what each means.
AGG_FILTERS: dict[str, dict[str, Query]] = {
    "results": {"with": Code("HasResults", "true"), "without": Not(Code("HasResults", "true"))},
    "status": {
        code[:3].lower(): Code("OverallStatus", code)
        for code in (
            "NOT_YET_RECRUITING", "RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING",
            "COMPLETED", "TERMINATED", "SUSPENDED", "WITHDRAWN", "UNKNOWN",
        )
    },
    "phase": _coded(
        "Phase", _0="EARLY_PHASE1", _1="PHASE1", _2="PHASE2", _3="PHASE3", _4="PHASE4", na="NA"
    ),
    "ages": _coded("StdAge", child="CHILD", adult="ADULT", older="OLDER_ADULT"),
    "sex": {"f": sex_query("FEMALE"), "m": sex_query("MALE"), "all": Code("Sex", "ALL")},
    "studyType": _coded("StudyType", int="INTERVENTIONAL", obs="OBSERVATIONAL", exp="EXPANDED_ACCESS"),
    "funderType": {
        **{code.lower(): class_query([code]) for code in _ALONE},
        "indiv": class_query(["INDIV"]),
        "network": class_query(["NETWORK"]),
        "other": class_query(_OTHERS),
    },
    "healthy": _coded("HealthyVolunteers", y="true", n="false"),
    "docs": {
        "prot": Code("LargeDocHasProtocol", "true"),
        "sap": Code("LargeDocHasSAP", "true"),
        "icf": Code("LargeDocHasICF", "true"),
    },
}  # fmt: skip


def agg_queries(text: str) -> dict[str, Query]:
    """Return the query of each filter of a string, by its text. Raises QueryError for an unknown
    id or key.
    """
    found: dict[str, Query] = {}
    for one in filter(None, (part.strip() for part in re.split(r"[,|]", text))):
        name, _, listed = (part.strip() for part in one.partition(":"))
        known = next((held for held in AGG_FILTERS if held.lower() == name.lower()), None)
        if known is None:
            raise QueryError(f"aggFilters: no filter {shortened(name)!r}; they are {', '.join(AGG_FILTERS)}")
        keys = listed.split()
        if not keys:
            raise QueryError(f"aggFilters: {known} needs a key: {', '.join(AGG_FILTERS[known])}")
        found[f"{known}:{' '.join(keys)}"] = any_of(_meant(known, key) for key in keys)
    if not found:
        raise QueryError(f"aggFilters is empty; its filters are {', '.join(AGG_FILTERS)}")
    return found


def _meant(name: str, key: str) -> Query:
    query = AGG_FILTERS[name].get(key.lower())
    if query is None:
        raise QueryError(
            f"aggFilters: {name} has no key {shortened(key)!r}; its keys are {', '.join(AGG_FILTERS[name])}"
        )
    return query
