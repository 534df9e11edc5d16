"""What every peer is asked by: the words of a query, and the settings that lie beside its index.

Nothing but the standard library, and little of that: it is on the way of every peer's cold start, and one
peer runs under another interpreter.

>>> cut("anti-PD-1 OR Crohn's disease", frozenset({"or"}))
['anti', 'pd', '1', 'crohn', 'disease']
>>> cut("To be, or not to be", frozenset({"to", "be", "or", "not"}))
['to', 'be', 'or', 'not', 'to', 'be']
>>> cut("--", frozenset())
[]
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Answer = list[tuple[str, float]]
    # A query and the number of trials wanted, None for all of them; ids and scores, best first.
    Ask = Callable[[str, int | None], Answer]
    # A trial's id and the text of its fields.
    Fielded = tuple[str, dict[str, str]]

__all__ = ["TOP", "Settings", "cut"]

TOP = 10
_FILE = "settings.json"


def cut(query: str, stop: Iterable[str]) -> list[str]:
    """Return the words of a query in small letters, so that none is an operator, without the possessive `s`
    and the function words (with these where it has no others).
    """
    words = re.findall(r"[^\W_]+", re.sub(r"['’]s\b", "", query.lower()))
    return [word for word in words if word not in stop] or words


class Settings:
    """The fields with their weights, and the function words that queries are asked without."""

    __slots__ = ("stop", "weights")

    def __init__(self, weights: dict[str, float], stop: Iterable[str]) -> None:
        self.weights = weights
        self.stop = frozenset(stop)

    def words(self, query: str) -> list[str]:
        """Return the words to ask for."""
        return cut(query, self.stop)

    def write(self, folder: Path) -> None:
        """Write them beside an index."""
        held = {"weights": self.weights, "stop": sorted(self.stop)}
        (folder / _FILE).write_text(json.dumps(held), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read what lies beside an index."""
        return cls(**json.loads((folder / _FILE).read_text("utf-8")))
