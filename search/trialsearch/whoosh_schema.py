"""Our fields as the fields of a Whoosh schema.

| in the schema | as | terms |
|---|---|---|
| text fields, and areas by their names | text with positions | those of `trialindex.analysis` |
| codes | text with positions, a column | the words of a code, and the code itself in its capitals |
| names | id | the folded name; of `AnyId` in capitals |
| days | datetime, a column (the first day) | every day that the date may mean |
| numbers, ages in days | float, a column | the number |
| `Key`, `Record` | unique id; stored only | the trial id |

Dates and numbers of which a trial may have several, points and structures are left out.

A field analyses a query as the index its text, so Whoosh's parsers make the terms that there are:

>>> [token.text for token in schema()["BriefTitle"].analyzer("IL-2 in Oedema", mode="query")]
['il', '2', 'edema']
>>> [token.text for token in schema()["Phase"].analyzer("PHASE2", mode="query")]
['PHASE2']
>>> kind_of("BasicSearch"), kind_of("StartDate"), kind_of("Key")
('text', 'day', 'Key')
>>> kind_of("Colour")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no field 'Colour' in the index; its schema lists them
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from whoosh import analysis, columns, fields, formats
from whoosh.util.times import long_to_datetime

from trialindex.analysis import fold, tokens
from trialindex.codes import CODES
from trialindex.errors import QueryError
from trialindex.fields import AREAS, FIELDS, Field
from trialindex.study_fields import by_piece

__all__ = [
    "DAY", "Analyzer", "Codes", "Days", "Key", "NameAnalyzer", "Names", "Numbers", "Text", "is_code",
    "kind_of", "schema",
]  # fmt: skip

DAY = 86_400_000_000  # microseconds, Whoosh's unit of time


class Analyzer(analysis.Analyzer):  # type: ignore[misc]
    """Our analysis as Whoosh's: all terms of a text; of a query, one term an atom, so that a word of several
    atoms is asked as the phrase that it is (`IL-2`: il, 2). `codes` of the field stay as they are in a query.
    """

    def __init__(self, codes: frozenset[str] = frozenset()) -> None:
        self._codes = codes

    def __call__(self, value: str, **options: Any) -> Iterator[Any]:
        asked = options.get("mode") == "query"
        whole = (asked and value in self._codes) or not options.get("tokenize", True)
        if whole:
            text = value if value in self._codes else fold(value)
            yield _token(text, 0, 0, len(value), options)
            return
        last = -1
        for token in tokens(value):
            if not asked or token.position > last:
                last = token.position
                yield _token(token.term, last, token.start, token.end, options)


class NameAnalyzer(analysis.Analyzer):  # type: ignore[misc]
    """The whole value, one token."""

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form

    def __call__(self, value: str, **options: Any) -> Iterator[Any]:
        yield _token(self._form(value), 0, 0, len(value), options)


def _token(text: str, place: int, start: int, end: int, options: Mapping[str, Any]) -> Any:
    made = analysis.Token(**options)
    made.text = made.original = text
    made.pos, made.startchar, made.endchar = place, start, end
    return made


class _ColumnType(columns.Column):  # type: ignore[misc]
    """Says how a column behaves; its values come from the snapshot."""

    def __init__(self, *, reversible: bool = False, lists: bool = False) -> None:
        self.reversible = reversible
        self._lists = lists

    def stores_lists(self) -> bool:
        return self._lists


class Text(fields.FieldType):  # type: ignore[misc]
    """A text field or an area."""

    def __init__(self, *, stored: bool) -> None:
        super().__init__(
            formats.Positions(), Analyzer(), scorable=True, stored=stored, multitoken_query="phrase"
        )


class Codes(fields.FieldType):  # type: ignore[misc]
    """A field of codes: their words are text, and each code is a term in its own capitals."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__(
            formats.Positions(), Analyzer(known), scorable=True, multitoken_query="phrase",
            sortable=_ColumnType(lists=True),
        )  # fmt: skip

    def from_column_value(self, value: str | tuple[str, ...]) -> str | None:
        """Return the codes of a document in one text; None where there are none."""
        return (value if isinstance(value, str) else ", ".join(value)) or None


class Names(fields.FieldType):  # type: ignore[misc]
    """A field of whole names. `form` makes of a name its term."""

    def __init__(self, form: Callable[[str], str]) -> None:
        super().__init__(formats.Existence(), NameAnalyzer(form))
        self._form = form

    def to_bytes(self, value: str | bytes) -> bytes:
        return value if isinstance(value, bytes) else self._form(value).encode("utf-8", "replace")


class Key(Names):
    """The trial id."""

    def __init__(self) -> None:
        super().__init__(lambda text: text.strip().upper())
        self.stored = self.unique = True
        self.column_type = _ColumnType()


class Days(fields.DATETIME):  # type: ignore[misc]
    """A date: found by every day that it may mean, sorted by the first; without one, last."""

    def __init__(self) -> None:
        super().__init__(sortable=True)
        self.shift_step = 0  # our terms have one resolution
        self.column_type = _ColumnType(reversible=True)

    def from_column_value(self, value: float) -> datetime | None:
        return None if math.isinf(value) else long_to_datetime(int(value))


class Numbers(fields.NUMERIC):  # type: ignore[misc]
    """A number; without one, sorted last."""

    def __init__(self) -> None:
        super().__init__(float, sortable=True)
        self.shift_step = 0
        self.column_type = _ColumnType(reversible=True)

    def from_column_value(self, value: float) -> float | None:
        return None if math.isinf(value) else value


def _folded(name: str) -> str:
    return fold(" ".join(name.split()))


def _field_type(name: str, kind: str) -> Any:
    if kind == "code":
        enum = by_piece()[name].enum
        return Codes(frozenset(CODES[enum] if enum else ("true", "false")))
    if kind == "name":
        return Names(str.upper if name == "AnyId" else _folded)
    return {"text": lambda: Text(stored=True), "day": Days, "number": Numbers}[kind]()


def _has_type(field: Field) -> bool:
    """Whether Whoosh has a type for a field: its columns hold one number or date a document."""
    return field.kind in {"text", "code", "name"} or (field.kind in {"day", "number"} and not field.several)


@cache
def schema() -> Any:
    """Return the `whoosh.fields.Schema` of every index: our fields, the areas, `Key` and `Record`."""
    made = {area: Text(stored=False) for area in AREAS if area not in FIELDS}
    made |= {field.name: _field_type(field.name, field.kind) for field in FIELDS.values() if _has_type(field)}
    return fields.Schema(Key=Key(), Record=fields.STORED(), **made)


def kind_of(name: str) -> str:
    """Return the kind of a field of the schema; an area is text. Raises QueryError where there is none."""
    if name in FIELDS and _has_type(FIELDS[name]):
        return FIELDS[name].kind
    if name in AREAS:
        return "text"
    if name in {"Key", "Record"}:
        return name
    raise QueryError(f"no field {name!r} in the index; its schema lists them")


def is_code(text: str) -> bool:
    """Whether a term of a code field is a code itself, not one of the words: those have no capitals."""
    return text in {"true", "false"} or text != text.lower()
