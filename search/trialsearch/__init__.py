"""Full-text search over clinical-trial records, inside your process.

from trialsearch import TrialSearch
with TrialSearch.open("index") as trials:
    results = trials.search("lupus nephritis", intr="stem cells", phase=2)
    for hit in results:
        print(hit.id, hit.trial.title)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialindex.errors import IndexDamaged, IndexMissing, QueryError, QuerySyntaxError, TrialError

if TYPE_CHECKING:
    from trialsearch.engine import TrialSearch
    from trialsearch.results import Hit, Results
    from trialsearch.suggest import Suggestion

__all__ = [
    "Hit",
    "IndexDamaged",
    "IndexMissing",
    "QueryError",
    "QuerySyntaxError",
    "Results",
    "Suggestion",
    "TrialError",
    "TrialSearch",
]

_HOMES = {
    "TrialSearch": "trialsearch.engine",
    "Hit": "trialsearch.results",
    "Results": "trialsearch.results",
    "Suggestion": "trialsearch.suggest",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trialsearch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
