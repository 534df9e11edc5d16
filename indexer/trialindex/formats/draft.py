"""A study in the making: values go in by path, typed by the registry's own table of fields.

XML, CSV and pages are mapped by tables of (place in the source, path in the study). The path says what the
value must be (study_fields.tsv), so no mapping names a conversion: a code is looked up, a date read, a
number taken out of its commas. What does not fit is kept as it stands and noted as odd.

>>> draft = Draft()
>>> draft.put("protocolSection.statusModule.overallStatus", "Active, not recruiting")
>>> draft.put("protocolSection.designModule.phases", "Phase 1/Phase 2")
>>> draft.put("protocolSection.statusModule.startDateStruct.date", "February 30, 2012")
>>> arm = draft.item("protocolSection.armsInterventionsModule.armGroups")
>>> arm.put("label", "Placebo")
>>> draft.study["protocolSection"]["designModule"]
{'phases': ['PHASE1', 'PHASE2']}
>>> draft.study["protocolSection"]["armsInterventionsModule"]
{'armGroups': [{'label': 'Placebo'}]}
>>> draft.odd
[Odd(field='StartDate', value='February 30, 2012', reason='not a date')]
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from trialindex import codes
from trialindex.dates import parse_age, parse_date
from trialindex.formats.record import Odd
from trialindex.study_fields import StudyField, by_path

__all__ = ["Draft", "check", "convert"]

_NUMBERS = {"integer", "number", "long", "short"}
_DATES = {"PartialDate", "NormalizedDate", "DateTimeMinutes"}
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Draft:
    """A study being filled; `study` is the result, `odd` what did not fit.

    Attributes: `study`, the nested dict; `odd`, the list of Odd, shared with all items made from this draft.
    """

    def __init__(self) -> None:
        self.study: dict[str, Any] = {}
        self.odd: list[Odd] = []
        self._prefix = ""

    def put(self, path: str, text: str | None) -> None:
        """Set the value at a path, converted to the type that the table gives the path.

        Empty text and None set nothing. Under a list-valued path (`text[]`, `enum X[]`) the value is
        appended. A path that the table does not know takes the text as it stands.
        """
        if text is None or not (text := text.strip()):
            return
        entry = by_path().get(self._prefix + path)
        value, reason = convert(text, entry)
        if reason:
            self.note(entry.piece if entry else path, text, reason)
        if value is None:
            return
        *above, last = path.split(".")
        node = self._walk(above)
        if entry is not None and entry.repeated:
            held = node.setdefault(last, [])
            held.extend(part for part in (value if isinstance(value, list) else [value]) if part not in held)
        else:
            node[last] = value

    def set(self, path: str, value: Any) -> None:
        """Set a value that needs no conversion (a number, a bool, a list, a dict) at a path."""
        *above, last = path.split(".")
        self._walk(above)[last] = value

    def item(self, path: str) -> Draft:
        """Append an empty object to the list at a path and return a draft for it; its paths start there."""
        *above, last = path.split(".")
        made = Draft()
        made.odd = self.odd
        made._prefix = f"{self._prefix}{path}."
        self._walk(above).setdefault(last, []).append(made.study)
        return made

    def note(self, field: str, value: str, reason: str) -> None:
        """Note an odd value."""
        self.odd.append(Odd(field, value, reason))

    def _walk(self, steps: list[str]) -> dict[str, Any]:
        node = self.study
        for step in steps:
            node = node.setdefault(step, {})
        return node


def convert(text: str, entry: StudyField | None) -> tuple[Any, str]:
    """Return the value for a text and, where the text does not fit its field, the reason (the value is
    then the text).
    """
    if entry is None:
        return text, ""
    kind = entry.type
    if entry.enum:
        if entry.repeated:
            listed = codes.code_list(entry.enum, text)
            return (listed, "") if listed else ([text], f"no code of {entry.enum}")
        found = codes.code(entry.enum, text)
        return (found, "") if found else (text, f"no code of {entry.enum}")
    if kind == "boolean":
        said = codes.boolean(text)
        return (said, "") if said is not None else (text, "neither yes nor no")
    if kind in _NUMBERS:
        digits = text.replace(",", "").removesuffix(".0")
        return (int(digits), "") if _WHOLE.fullmatch(digits) else (text, "not a number")
    if kind in _DATES:
        day = parse_date(text)
        return (day, "") if day else (text, "not a date")
    if kind == "NormalizedTime":
        if text.upper() in {"N/A", "NA", "NONE", "NO LIMIT"}:
            return None, ""
        age = parse_age(text)
        return (str(age), "") if age else (text, "not an age")
    return text, ""


def check(study: dict[str, Any]) -> list[Odd]:
    """Return what is odd in a study that came in the registry's own structure: codes, dates, numbers, yes
    and no.

    The study itself is left as it is. Unknown keys are no oddity.
    """
    found: list[Odd] = []
    _check(study, _known(), found)
    return found


class _Known:
    """A place of the study's structure: the field that stands there, if one does, and what stands below.

    `free`: any text will do.
    """

    __slots__ = ("below", "field", "free")

    def __init__(self) -> None:
        self.below: dict[str, _Known] = {}
        self.field: StudyField | None = None
        self.free = True


@cache
def _known() -> _Known:
    """Return the root of the table of fields, as a tree."""
    root = _Known()
    for path, entry in by_path().items():
        place = root
        for step in path.split("."):
            place = place.below.setdefault(step, _Known())
        place.field = entry
        place.free = not _fault("", entry)
    return root


def _check(node: Any, place: _Known, found: list[Odd]) -> None:
    """Note the odd values of an object, or of a list of objects and values."""
    kind = type(node)
    if kind is dict:
        below = place.below
        for key, value in node.items():
            at = below.get(key)
            # Most values are texts where any text will do.
            if at is not None and not (at.free and type(value) is str):
                _check(value, at, found)
    elif kind is list:
        for value in node:
            _check(value, place, found)
    elif node is not None and place.field is not None and (reason := _fault(node, place.field)):
        found.append(Odd(place.field.piece, str(node), reason))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fault(value: Any, entry: StudyField) -> str:
    kind = entry.type
    if entry.enum:
        known = codes.CODES[entry.enum]
        return "" if value in known else f"no code of {entry.enum}"
    if kind == "boolean":
        return "" if isinstance(value, bool) else "neither yes nor no"
    if kind in _NUMBERS:
        return "" if _is_whole(value) else "not a number"
    if kind in _DATES:
        return "" if isinstance(value, str) and parse_date(value) else "not a date"
    if kind == "NormalizedTime":
        return "" if isinstance(value, str) and parse_age(value) else "not an age"
    return "" if kind not in {"text", "markup", "text[]"} or isinstance(value, str) else "not a text"
