"""The errors of both packages: one root, a type for each thing that a caller may want to tell apart.

A message names the place and the remedy in one line; code branches on the type, never on the text.

>>> raise IndexMissing("no index in ./index: build one with `trialsearch index SOURCE`")
Traceback (most recent call last):
    ...
trialindex.errors.IndexMissing: no index in ./index: build one with `trialsearch index SOURCE`
"""

from __future__ import annotations

__all__ = [
    "IndexDamaged",
    "IndexLocked",
    "IndexMissing",
    "InvalidTrialId",
    "QueryError",
    "QuerySyntaxError",
    "SourceError",
    "TrialError",
]


class TrialError(Exception):
    """The root of all errors that trialindex and trialsearch raise on purpose."""


class SourceError(TrialError):
    """A source (file, folder, archive) that cannot be read at all."""


class IndexMissing(TrialError):
    """There is no index where one was asked for."""


class IndexLocked(TrialError):
    """Another process is writing to the index."""


class IndexDamaged(TrialError):
    """The files of an index do not hold what they should."""


class InvalidTrialId(TrialError):
    """A text that is no trial id."""


class QueryError(TrialError):
    """A query or a filter that cannot be asked: an unknown field, a wrong value, too large."""


class QuerySyntaxError(QueryError):
    """A query that does not follow the grammar.

    Attributes: `query`, the text; `position`, the 0-based place in it where reading stopped.
    """

    def __init__(self, message: str, query: str, position: int) -> None:
        super().__init__(message)
        self.query = query
        self.position = position
