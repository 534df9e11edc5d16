"""Whether a trial has a text exactly so: EXPANSION[None].

Case and accents count, runs of white space are one space, and the text stands at the borders of words: no
letter or digit is right before it or after it.

>>> exactly = pattern("IL-2  therapy", "Contains")
>>> [bool(exactly.search(text)) for text in ("of IL-2\\ntherapy.", "il-2 therapy", "IL-2 therapys")]
[True, False, False]
>>> whole = pattern("Pfizer", "FullMatch")
>>> bool(whole.search("Pfizer")), bool(whole.search("Pfizer Ltd"))
(True, False)

The index has no texts, so the stored records are read, each once for as long as a text is remembered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex.fields import AREAS, FIELDS, area_weights
from trialindex.study_fields import Paths, values
from trialsearch.lists import Bools, Docs, Recent

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["Exact", "asks_criteria", "criteria_edges", "pattern", "values_in"]

# Texts of which it is kept which documents have them: a byte a document each.
_KEPT = 16
_UNKNOWN, _HAS, _HAS_NOT = 0, 1, 2
# Words by which a text is known again at the start and the end of another.
_EDGE = 8
# The fields that hold parts of the criteria, and the field that these are parts of.
_CRITERIA = "EligibilityCriteria"
_PARTS = {"InclusionCriteria": "inclusion", "ExclusionCriteria": "exclusion", "OtherCriteria": "other"}


def pattern(text: str, how: str) -> re.Pattern[str]:
    """Return what finds a text in a value; `how`: where, one of `query.COVERAGES`."""
    words = r"\s+".join(map(re.escape, _composed(text).split()))
    # An underscore is neither letter nor digit.
    body = rf"(?<![^\W_]){words}(?![^\W_])"
    before = r"\A\s*" if how in {"FullMatch", "StartsWith"} else ""
    after = r"\s*\Z" if how in {"FullMatch", "EndsWith"} else ""
    return re.compile(before + body + after)


def _composed(text: str) -> str:
    """Return a text with each accented letter as one character, however it was written."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def asks_criteria(area: str) -> bool:
    """Whether an area asks the criteria as one text, which the index holds in parts."""
    return _CRITERIA in AREAS.get(area, (area,))


def criteria_edges(study: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Return for each part of the criteria of a study whether it begins the whole text, and ends it.

    >>> text = "Adults.\\n\\nExclusion Criteria:\\n\\n* gout"
    >>> study = {"protocolSection": {"eligibilityModule": {"eligibilityCriteria": text}}}
    >>> criteria_edges(study)["InclusionCriteria"], criteria_edges(study)["ExclusionCriteria"]
    ((True, False), (False, True))
    """
    from trialindex.criteria import split_criteria

    whole = "\n\n".join(map(str, values(study, FIELDS[_CRITERIA].path)))
    words, criteria = whole.split(), split_criteria(whole)
    found: dict[str, tuple[bool, bool]] = {}
    for name, part in _PARTS.items():
        held = getattr(criteria, part).split()
        begins, ends = (
            held[:_EDGE] == words[: len(held[:_EDGE])],
            held[-_EDGE:] == words[-len(held[-_EDGE:]) :],
        )
        found[name] = bool(held) and begins, bool(held) and ends
    return found


@cache
def _plan(area: str) -> tuple[Paths, tuple[str, ...], frozenset[str]]:
    """Return the paths of the fields of an area, their names, and the parts of the criteria among them."""
    fields = [field for field in area_weights(area) if FIELDS[field].kind in {"text", "code"}]
    whole = asks_criteria(area)
    parts = frozenset() if whole else frozenset(fields) & _PARTS.keys()
    names = [field for field in fields if FIELDS[field].path] + ([_CRITERIA] if whole or parts else [])
    return Paths([FIELDS[name].path for name in names]), tuple(names), parts


def values_in(study: dict[str, Any], area: str) -> Iterator[tuple[str, str]]:
    """Yield (field, value) of the texts that an area asks of a study, codes as the words that they say."""
    from trialindex.criteria import split_criteria
    from trialindex.document import code_text

    paths, names, parts = _plan(area)
    for name, held in zip(names, paths.values(study), strict=True):
        if name == _CRITERIA:
            whole = "\n\n".join(map(str, held))
            if parts:
                criteria = split_criteria(whole)
                yield from ((part, getattr(criteria, _PARTS[part])) for part in sorted(parts))
            else:
                yield name, whole
        elif FIELDS[name].kind == "code":
            yield from ((name, code_text(str(value))) for value in held if not isinstance(value, bool))
        else:
            yield from ((name, str(value)) for value in held)


class Exact:
    """Which documents of a snapshot have texts exactly so; remembers what it read. Safe to share between
    threads.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        # uint8[corpus] each
        self._known: Recent[npt.NDArray[np.uint8]] = Recent(_KEPT)

    def holds(self, text: str, how: str, area: str, docs: Docs) -> Bools:
        """Return which of some documents (ascending) have a text in a value of an area, bool[len(docs)].

        Every document that was not looked at before is read, however many they are, block by block as the
        records are stored.
        """
        key = (" ".join(text.split()), how, area)
        known = self._known.get(key)
        if known is None:
            known = np.zeros(self._snapshot.size, np.uint8)
            self._known.put(key, known)
        wanted = pattern(text, how)
        for doc in docs[known[docs] == _UNKNOWN].tolist():
            study = self._snapshot.study(doc)
            has = any(wanted.search(_composed(value)) for _, value in values_in(study, area))
            known[doc] = _HAS if has else _HAS_NOT
        found: Bools = known[docs] == _HAS
        return found

    def fields(self, text: str, how: str, area: str, doc: int) -> list[str]:
        """Return the fields of an area in which a document has a text, each once."""
        wanted = pattern(text, how)
        held = values_in(self._snapshot.study(doc), area)
        return list(dict.fromkeys(name for name, value in held if wanted.search(_composed(value))))
