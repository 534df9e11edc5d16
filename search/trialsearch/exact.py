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
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trialindex.fields import AREAS, FIELDS, area_weights
from trialindex.study_fields import Paths, values
from trialsearch.lists import Bools, Docs, Recent

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["Exact", "Sought", "asks_criteria", "criteria_edges", "pattern", "values_in"]

# Texts of which it is kept which documents have them: a byte a document each.
_KEPT = 16
_UNKNOWN, _HAS, _HAS_NOT = 0, 1, 2
# Words by which a text is known again at the start and the end of another.
_EDGE = 8
# The fields that hold parts of the criteria, and the field that these are parts of.
_CRITERIA = "EligibilityCriteria"
_PARTS = {"InclusionCriteria": "inclusion", "ExclusionCriteria": "exclusion", "OtherCriteria": "other"}

# Letters that stand in a stored record as in a value: JSON escapes none of them, and none is made of another
# where letters and accents are composed, but for K, which the sign of the kelvin becomes.
_PLAIN = re.compile(r"[A-JL-Za-z0-9]+")
# What is no text, and written in another way as one than as JSON.
_WRITTEN_OTHERWISE = frozenset({"True", "False", "None", "inf", "nan"})


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


class Sought:
    """A text to be found exactly, as `pattern` says, in a value; and first, at little cost, where it may be.

    >>> sought = Sought("IL-2  therapy", "Contains")
    >>> sought.is_in("of IL-2 therapy."), sought.may_be_in(b'{"title":"IL-2 Therapy"}')
    (True, False)
    """

    def __init__(self, text: str, how: str) -> None:
        words = _composed(text).split()
        self._pattern = pattern(text, how)
        self._word = max(words, key=len, default="")
        plain = (max(_PLAIN.findall(word), key=len, default="") for word in words)
        self._plain = [letters.encode() for letters in {*plain} - _WRITTEN_OTHERWISE if letters]

    def is_in(self, value: str) -> bool:
        """Whether a value has the text."""
        composed = _composed(value)
        # A plain search spares nearly all values the pattern.
        return self._word in composed and self._pattern.search(composed) is not None

    def may_be_in(self, record: bytes) -> bool:
        """Whether any value in a stored record, or in a part of one, may have the text."""
        return all(letters in record for letters in self._plain)


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


class _Plan:
    """What is read of a study for some fields of an area; `parts`: the parts of the criteria among these."""

    def __init__(self, names: list[str], parts: Iterable[str] = ()) -> None:
        self.names = names
        self.parts = sorted(parts)
        self._paths = Paths([FIELDS[name].path for name in names])

    def values(self, study: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (field, value) of a study, codes as the words that they say."""
        from trialindex.document import code_text

        for name, held in zip(self.names, self._paths.values(study), strict=True):
            if name == _CRITERIA:
                yield from self._criteria("\n\n".join(map(str, held)))
            elif FIELDS[name].kind == "code":
                yield from ((name, code_text(str(value))) for value in held if not isinstance(value, bool))
            else:
                yield from ((name, str(value)) for value in held)

    def _criteria(self, whole: str) -> Iterator[tuple[str, str]]:
        from trialindex.criteria import split_criteria

        if self.parts:
            criteria = split_criteria(whole)
            yield from ((part, getattr(criteria, _PARTS[part])) for part in self.parts)
        else:
            yield _CRITERIA, whole


@cache
def _plan(area: str) -> _Plan:
    """Return what is read for the texts and codes of an area."""
    return _planned(area, [field for field in area_weights(area) if FIELDS[field].kind in {"text", "code"}])


def _planned(area: str, fields: list[str]) -> _Plan:
    whole = asks_criteria(area)
    parts = set() if whole else set(fields) & _PARTS.keys()
    names = [field for field in fields if FIELDS[field].path]
    return _Plan(names + ([_CRITERIA] if whole or parts else []), parts)


@cache
def _steps(area: str) -> list[tuple[str, str, _Plan]]:
    """Return (section, module, what is read of it) for the texts of an area: those first that tell most of a
    trial.
    """
    weights = area_weights(area)
    every = _planned(area, [field for field in weights if FIELDS[field].kind == "text"])
    modules: dict[tuple[str, str], list[str]] = {}
    for name in sorted(every.names, key=lambda name: -weights.get(name, 0.0)):
        section, module, *_ = FIELDS[name].path.split(".")
        modules.setdefault((section, module), []).append(name)
    return [
        (*module, _Plan(names, every.parts if _CRITERIA in names else ()))
        for module, names in modules.items()
    ]


def values_in(study: dict[str, Any], area: str) -> Iterator[tuple[str, str]]:
    """Yield (field, value) of the texts that an area asks of a study, codes as the words that they say."""
    return _plan(area).values(study)


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
        asked = docs[known[docs] == _UNKNOWN]
        if len(asked):
            sought = Sought(text, how)
            coded = self._coded(sought, area)[asked]
            known[asked[coded]] = _HAS
            known[asked[~coded]] = self._read(sought, area, asked[~coded])
        found: Bools = known[docs] == _HAS
        return found

    def _coded(self, sought: Sought, area: str) -> Bools:
        """Return which documents have a text in what a code of an area says, bool[corpus]."""
        from trialindex.document import code_text

        found = np.zeros(self._snapshot.size, np.bool_)
        for field in area_weights(area):
            if FIELDS[field].kind == "code":
                column = self._snapshot.codes(field)
                has = [any(sought.is_in(code_text(code)) for code in codes) for codes in column.sets]
                if any(has):
                    found |= np.array(has)[column.ordinals]
        return found

    def _read(self, sought: Sought, area: str, docs: Docs) -> list[int]:
        """Return of each of some documents whether a text of its record has what is sought."""
        from trialindex.quick_json import loader

        loads = loader(len(docs))
        return [
            _HAS if _has(self._snapshot.record(doc), sought, area, loads) else _HAS_NOT
            for doc in docs.tolist()
        ]

    def fields(self, text: str, how: str, area: str, doc: int) -> list[str]:
        """Return the fields of an area in which a document has a text, each once."""
        sought = Sought(text, how)
        held = values_in(self._snapshot.study(doc), area)
        return list(dict.fromkeys(name for name, value in held if sought.is_in(value)))


def _has(record: bytes, sought: Sought, area: str, loads: Callable[[bytes], Any]) -> bool:
    """Whether a text of an area in a stored record has what is sought."""
    from trialindex.modules import Modules

    # Where parts of the criteria are asked, headings have lost their marks of bold letters inside words.
    unsure = bool(_plan(area).parts) and (b"**" in record or b"__" in record)
    if not (unsure or sought.may_be_in(record)):
        return False
    held = Modules(record, loads)
    for section, module, plan in _steps(area):
        if unsure or sought.may_be_in(held.raw(section, module)):
            study = {section: {module: held.parsed(section, module)}}
            if any(sought.is_in(value) for _, value in plan.values(study)):
                return True
    return False
