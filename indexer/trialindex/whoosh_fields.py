"""How Whoosh holds our fields: the schema, made from the table FIELDS.

Text and codes are cut by our own analysis; Whoosh is given terms and positions, ready made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh import columns, fields, formats
from whoosh.analysis import IDAnalyzer

from trialindex.analysis import value_tokens
from trialindex.document import code_text
from trialindex.fields import FIELDS

__all__ = ["KINDS", "MISSING", "schema"]

# What stands in a column of numbers where a document has none.
MISSING = -1e300
_LONGEST_NAME = 512  # bytes of a whole value as a term


class Analysed(fields.FieldType):  # type: ignore[misc]
    """A field of text or codes; the value is the list of its values, positions counted on over them."""

    def __init__(self) -> None:
        super().__init__(analyzer=IDAnalyzer(), format=formats.Positions(), scorable=True)

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        places: dict[str, list[int]] = {}
        for _number, token in value_tokens(value):
            places.setdefault(token.term, []).append(token.position)
        for term, positions in places.items():
            yield term.encode(), len(positions), float(len(positions)), self.format.encode(positions)


class Codes(Analysed):
    """A field of codes: each code is a term in its own capitals, and its words are text."""

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        found = dict.fromkeys(_whole_term(code) for code in value)
        for term in found:
            yield term, 1, 1.0, self.format.encode([0])
        # An odd code may be one of its own words; a term comes once.
        for posting in super().index([text for code in value if (text := code_text(code))]):
            if posting[0] not in found:
                yield posting


class Names(fields.FieldType):  # type: ignore[misc]
    """A field of whole values, each one term, neither scored nor placed."""

    def __init__(self) -> None:
        super().__init__(analyzer=IDAnalyzer(), format=formats.Existence(), scorable=False)

    def index(self, value: list[str], **_: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        for term in dict.fromkeys(map(_whole_term, value)):
            yield term, 1, 1.0, b""


def _whole_term(value: str) -> bytes:
    # Cut at a whole character, or nobody finds the term again.
    return value.encode("utf-8", "replace")[:_LONGEST_NAME].decode("utf-8", "ignore").encode()


KINDS: dict[str, Any] = {"text": Analysed, "code": Codes, "name": Names}


def schema() -> Any:
    made: dict[str, Any] = {}
    for field in FIELDS.values():
        if field.kind in KINDS:
            made[field.name] = KINDS[field.kind]()
        else:
            made[field.name] = fields.COLUMN(columns.NumericColumn("d", default=MISSING))
            if field.kind == "day":
                made[f"{field.name}Last"] = fields.COLUMN(columns.NumericColumn("d", default=MISSING))
    return fields.Schema(Key=fields.ID(unique=True, sortable=True), Record=fields.STORED, **made)
