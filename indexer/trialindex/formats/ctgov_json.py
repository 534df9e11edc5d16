r"""ClinicalTrials.gov API v2 JSON: one study, an array of studies, a page of the API, or a study a line.

A study comes through as it is, unknown keys included. The file is read in pieces and decoded study by study,
so that its size does not matter, and what stands around the studies (`[`, `,`, `{"studies": [`, line ends) is
only a separator. Where the text is broken, the whole broken stretch is set aside, and reading goes on at the
next `{"protocolSection"`.

>>> import io
>>> def items(text):
...     for item in read(SourceFile("some.json", lambda: io.BytesIO(text.encode()))):
...         shown = item.study if isinstance(item, SourceRecord) else (item.reason, item.raw)
...         print(f"{item.number}:", shown)
>>> items('[{"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}}]')
1: {'protocolSection': {'identificationModule': {'nctId': 'NCT00000001'}}}
>>> items('[{"protocolSection": {"identificationModule": {}}}, {"protocolSection": {"identif')
1: ('no nctId', '{"protocolSection": {"identificationModule": {}}}')
2: ('the file ends in the middle of it', '{"protocolSection": {"identif')

Source: the API's own structure page (study_fields.tsv) and the files that the site's download button gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from trialindex.formats.draft import check
from trialindex.formats.files import Share, SourceFile, TextStream, repair
from trialindex.formats.record import Item, Odd, Rejected, Skipped, SourceRecord
from trialindex.registry_ids import is_nct_id

__all__ = ["NAME", "STATES", "read", "recognises"]

NAME = "ctgov-json"
STATES: frozenset[str] | None = None

_CHUNK = 1 << 16
_LONGEST = 64 << 20
_DEEPEST = 60
_KEPT = 1000
_SPACE = " \t\r\n"

_OPENING = re.compile(r"\s*(?:\[\s*)*(?:\{\s*(?:[\"}]|$)|\]|$)")
_SEPARATORS = re.compile(r"[\s,\[\]}]*")
_STUDY = re.compile(
    r'\{\s*"(?:(?:protocol|derived|results|annotation|document|source)Section|hasResults)"\s*(?::|\Z)'
)
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|-?\d+|null|true|false)'
_PAGE_KEY = rf'"(?:totalCount|nextPageToken)"\s*:\s*{_SCALAR}'
_PAGE = re.compile(rf'\{{\s*(?:{_PAGE_KEY}\s*,\s*)*"studies"\s*:\s*\[')
_PAGE_END = re.compile(rf"{_PAGE_KEY}\s*(?=[,}}]|\Z)")
# How far ahead a page's opening is looked for.
_AHEAD = 1 << 12
# What is left of a word, a number or an escape when the text ends in it.
_CUT = re.compile(r"[\w+.\\-]*\s*\Z")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def recognises(head: str) -> bool:
    """Whether a text starts as JSON objects or arrays do, or holds the start of a study."""
    opening = _OPENING.match(head)
    return (opening is not None and opening[0].strip() != "") or _STUDY.search(head) is not None


def read(file: SourceFile, chunk: int = _CHUNK, longest: int = _LONGEST) -> Iterator[Item | None]:
    """Yield the studies of a file, None for those of other readers. Bytes are read by the `chunk`; a study
    may have `longest` characters.
    """
    with file.open() as stream:
        yield from _Reader(file.label, TextStream(stream, chunk), longest, file.share).items()


class _Broken(Exception):
    """An element that cannot be decoded. `ends`: because the text ends in it."""

    def __init__(self, reason: str, ends: bool = False) -> None:
        super().__init__(reason)
        self.ends = ends


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


_decode = json.JSONDecoder(parse_constant=_refuse).raw_decode


class _Reader:
    def __init__(self, label: str, text: TextStream, longest: int, share: Share) -> None:
        self._label = label
        self._share = share
        self._text = text
        self._longest = longest
        self._buffer = ""
        self._place = 0
        self._number = 0
        # Brackets opened and not closed: a file that ends inside a list was cut off between studies.
        self._open = 0
        self._lost = False
        # What is no study is only worth a word when the file holds studies.
        self._studies = False
        self._aside: list[Rejected] = []
        self._uncounted = 0

    def items(self) -> Iterator[Item | None]:
        broken_end = False
        while self._next():
            self._number += 1
            try:
                value, end = self._value()
            except _Broken as broken:
                broken_end = broken.ends
                yield from self._set_aside(str(broken))
                continue
            broken_end = False
            raw = self._buffer[self._place : end]
            self._place = end
            yield from self._element(value, raw)
        fault = self._text.fault
        if not broken_end and (fault or (self._studies and self._open > 0 and not self._lost)):
            reason = fault or "the file ends before its list does: it may be cut off"
            yield from self._reject(reason, "", self._number + 1, True)
        if not self._studies:
            yield Skipped(self._label, "JSON without a study of the registry's structure")

    def _fill(self) -> bool:
        """Read on; whether anything came."""
        rest = self._buffer[self._place :]
        self._buffer, self._place = self._text.extend(rest), 0
        return len(self._buffer) > len(rest)

    def _next(self) -> bool:
        """Move to the next element; whether there is one."""
        while True:
            end = self._match_end(_SEPARATORS)
            passed = self._buffer[self._place : end]
            self._open += passed.count("[") - passed.count("]")
            self._place = end
            if end == len(self._buffer):
                if not self._fill():
                    return False
                continue
            while len(self._buffer) - self._place < _AHEAD and self._fill():
                pass
            if (page := _PAGE.match(self._buffer, self._place)) is not None:
                self._place = page.end()
                self._open += 1
            elif (rest := _PAGE_END.match(self._buffer, self._place)) is not None:
                self._place = rest.end()
            else:
                return True

    def _match_end(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._buffer, self._place)
        return match.end() if match else self._place

    def _value(self) -> tuple[Any, int]:
        """Return the JSON value here and where it ends, reading on as far as it goes."""
        while True:
            reason = ""
            try:
                value, end = _decode(self._buffer, self._place)
                # A number or a word at the buffer's end may go on.
                if end < len(self._buffer) or self._text.ended or self._buffer[end - 1] in '}"':
                    return value, end
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or _CUT.match(self._buffer, error.pos) is not None
                if not cut or self._text.ended:
                    if cut:
                        raise _Broken(self._text.fault or "the file ends in the middle of it", True) from None
                    place = error.pos - self._place + 1
                    raise _Broken(f"not JSON: {error.msg}, at its character {place}") from None
            except RecursionError:
                reason = "nested too deep"
            except ValueError as error:
                reason = f"not JSON: {str(error).partition(':')[0]}"
            if reason:
                raise _Broken(reason)
            if len(self._buffer) - self._place > self._longest:
                raise _Broken(f"over {self._longest} characters, too long for a study")
            self._fill()

    def _set_aside(self, reason: str) -> Iterator[Item]:
        """Reject what stands from here to the next start of a study, in pieces no longer than a study."""
        searched = self._place + 1
        while True:
            start = _STUDY.search(self._buffer, searched)
            if start is not None:
                raw, self._place = self._buffer[self._place : start.start()], start.start()
                break
            if len(self._buffer) - self._place > self._longest:
                # A start of a study may lie across the end of what was read.
                keep = len(self._buffer) - _AHEAD
                raw, self._place = self._buffer[self._place : keep], keep
                break
            length = len(self._buffer) - self._place
            if not self._fill():
                raw, self._place = self._buffer, len(self._buffer)
                break
            searched = self._place + max(1, length - _AHEAD)
        # Closing brackets may be in the stretch: from here on they prove nothing.
        self._lost = True
        sure = _STUDY.match(raw) is not None or '"protocolSection"' in raw or self._text.fault != ""
        yield from self._reject(reason, raw.rstrip(_SPACE + ","), self._number, sure)

    def _reject(self, reason: str, raw: str, number: int, sure: bool, field: str = "") -> Iterator[Item]:
        """Yield a rejection, or keep it until a study shows that this is a file of studies."""
        rejected = Rejected(self._label, number, reason, repair(raw)[0], field)
        if sure:
            yield from self._sure()
        if self._studies:
            yield rejected
        elif len(self._aside) < _KEPT:
            self._aside.append(rejected)
        else:
            self._uncounted += 1

    def _sure(self) -> Iterator[Item]:
        """This is a file of studies: yield what was kept back."""
        self._studies = True
        yield from self._aside
        if self._uncounted:
            reason = f"{self._uncounted} further values before the first study are no studies"
            yield Rejected(self._label, self._aside[-1].number + 1, reason, "")
        self._aside, self._uncounted = [], 0

    def _element(self, value: Any, raw: str) -> Iterator[Item | None]:
        if (
            isinstance(value, dict)
            and "protocolSection" not in value
            and isinstance(value.get("studies"), list)
        ):
            # A page in a wrapper of somebody's own.
            self._number -= 1
            for study in value["studies"]:
                self._number += 1
                yield from self._element(study, json.dumps(study, ensure_ascii=False))
            return
        if not isinstance(value, dict) or not isinstance(value.get("protocolSection"), dict):
            looks = isinstance(value, dict) and "protocolSection" in value
            yield from self._reject("no study: it has no protocolSection", raw, self._number, looks)
            return
        if self._studies and not self._share.has(self._number):
            yield None
            return
        if _too_deep(value):
            yield from self._reject(f"nested over {_DEEPEST} deep", raw, self._number, True)
            return
        odd: list[Odd] = []
        if self._text.strays or _HALF.search(raw):
            value = _repaired(value, odd)
        module = value["protocolSection"].get("identificationModule")
        nct_id = module.get("nctId") if isinstance(module, dict) else None
        if not isinstance(nct_id, str) or not nct_id.strip():
            yield from self._reject("no nctId", raw, self._number, True, "NCTId")
            return
        if not is_nct_id(nct_id):
            odd.append(Odd("NCTId", nct_id, "not NCT and eight digits"))
        yield from self._sure()
        yield SourceRecord(value, NAME, self._label, self._number, (*odd, *check(value)))


def _too_deep(study: dict[str, Any]) -> bool:
    level: list[Any] = [study]
    for _ in range(_DEEPEST):
        below = []
        for node in level:
            for value in node.values() if type(node) is dict else node:
                if type(value) is dict or type(value) is list:
                    below.append(value)
        if not below:
            return False
        level = below
    return True


def _repaired(node: Any, odd: list[Odd]) -> Any:
    """Return a value whose texts can all be written, noting those that could not."""
    if isinstance(node, str):
        text, note = repair(node)
        if note:
            odd.append(Odd("encoding", text, note))
        return text
    if isinstance(node, dict):
        return {_repaired(key, odd): _repaired(below, odd) for key, below in node.items()}
    if isinstance(node, list):
        return [_repaired(below, odd) for below in node]
    return node
