"""One module of a stored study without the others: for who asks for texts of many studies.

A study is sections of modules (`protocolSection.identificationModule`). A module is found by its key, whose
quotes would be escaped inside a text. Where a study has anything else between its modules, what is cut out is
no JSON, and the whole study is parsed.

>>> import json
>>> record = b'{"protocolSection":{"statusModule":{"a":1},"designModule":{"b":2}},"hasResults":false}'
>>> study = Modules(record, json.loads)
>>> study.raw("protocolSection", "designModule"), study.parsed("protocolSection", "designModule")
(b'{"b":2}', {'b': 2})
>>> study.raw("derivedSection", "miscInfoModule"), study.parsed("derivedSection", "miscInfoModule")
(b'', None)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trialindex.snapshot import unpack

__all__ = ["Modules"]

# The ends of the keys of all sections and modules: looking for each key would read the record as often.
_SECTION, _MODULE = b'Section":', b'Module":'
# The one entry between the sections that is none.
_FLAGS = (b',"hasResults":false', b',"hasResults":true')


class Modules:
    """The modules of a stored study, each parsed when it is asked for. `loads`: what parses JSON."""

    def __init__(self, record: bytes, loads: Callable[[bytes], Any]) -> None:
        self._record, self._loads = record, loads
        self._held = _cut(record)

    def raw(self, section: str, module: str) -> bytes:
        """Return the bytes that a module is in: its own, the whole record where it cannot be told, none where
        there is no such module.
        """
        found = self._own(section, module)
        return self._record if found is None else found

    def parsed(self, section: str, module: str) -> Any:
        """Return a module; None where there is none. Raises IndexDamaged where the record is no study."""
        found = self._own(section, module)
        if found is not None:
            try:
                return self._loads(found) if found else None
            except (ValueError, RecursionError):
                pass
        held = unpack(self._record).get(section)
        return held.get(module) if isinstance(held, dict) else None

    def _own(self, section: str, module: str) -> bytes | None:
        """Return a module's own bytes, none where there is no such module; None where it cannot be told."""
        if self._held is None:
            return None
        found = self._held.get((section, module), b"")
        return found if _is_whole(found) else None


def _cut(record: bytes) -> dict[tuple[str, str], bytes] | None:
    """Return the modules of a stored study by section and name; None where keys stand as in no study."""
    found: dict[tuple[str, str], bytes] = {}
    section, module, known = "", "", 0
    pieces = record.split(_MODULE)
    pieces[-1], beyond = _before_section(pieces[-1][:-1])
    for number, piece in enumerate(pieces):
        # Behind the value of a module stands the key of the next, without its end.
        key = piece.rfind(b'"') if number + 1 < len(pieces) else len(piece)
        value = piece[: key - 1]
        following = section
        if piece[key - 1 : key] == b"{":
            start = value.rfind(b'"', 0, len(value) - len(_SECTION))
            if not value.endswith(_SECTION) or start < 0:
                return None
            following = _text(value[start + 1 : -2])
            known += 1
            value = _unflagged(value[: start - 1])[:-1]  # the bracket that ends the section
        if number:
            if (section, module) in found or not section or not value:
                return None
            found[section, module] = value
        section, module = following, _text(piece[key + 1 :]) + "Module"
    return found if record.count(_SECTION) == known + beyond else None


def _is_whole(value: bytes) -> bool:
    """Whether bytes look like one object: not like a part of one that has a key of a module in it."""
    return not value or (value[:1] + value[-1:] == b"{}" and value.count(b"{") == value.count(b"}"))


def _before_section(value: bytes) -> tuple[bytes, int]:
    """Return the value of the last module and the bracket that ends its section, and how many sections
    without modules follow.
    """
    key = value.find(_SECTION)
    if key < 0:
        return _unflagged(value), 0
    return _unflagged(value[: max(0, value.rfind(b'"', 0, key) - 1)]), value.count(_SECTION)


def _unflagged(value: bytes) -> bytes:
    for flag in _FLAGS:
        value = value.removesuffix(flag)
    return value


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")
