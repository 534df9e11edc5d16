"""What a clinical trial is, what an index of trials is, and how one is built.

    from trialindex import build, read
    report = build(["downloads.zip"], "index")
    for trial in read("downloads.zip"):
        print(trial.nct_id, trial.title)

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialindex.builder import Report, build, read
    from trialindex.trial import Trial

__all__ = ["Report", "Trial", "build", "read"]

_HOMES = {
    "Report": "trialindex.builder",
    "build": "trialindex.builder",
    "read": "trialindex.builder",
    "Trial": "trialindex.trial",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trialindex' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
