"""Text into a query tree. Knows the language and the names of fields, but no index.

    expression := conjunct (OR conjunct)*
    conjunct   := operand ([AND] operand)*            side by side means AND
    operand    := NOT operand | AREA[name] operand | name:operand | ( expression )
                | "phrase" | word* | ALL | MISSING | RANGE[low, high] | word+

Operators are written in capitals; a backslash takes the next word or character as it stands. A run of words
is one node; an area is carried inward to the runs and phrases that are asked in it. `name` is a field, an
area or a short form (`fields.resolve`); on a field of codes, days or numbers the operand is a value of it:
`phase:2`, `status:recruiting,completed`, `start:2012..2013-06`, `age:34`.

>>> print(parse("lupus nephritis title:(children OR adolescents) phase:2"))
lupus nephritis AND (AREA[TitleSearch]children OR AREA[TitleSearch]adolescents) AND AREA[Phase]PHASE2
>>> parse("lupus AND")
Traceback (most recent call last):
    ...
trialindex.errors.QuerySyntaxError: nothing follows AND
  lupus AND
           ^
>>> parse("phase:5")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no phase '5'; one of NA, EARLY_PHASE1, PHASE1, PHASE2, PHASE3, PHASE4
"""

from __future__ import annotations

import re

from trialindex import codes
from trialindex.dates import Age, parse_age, parse_date
from trialindex.errors import QueryError, QuerySyntaxError
from trialindex.fields import AREAS, FIELDS, resolve
from trialindex.frozen import frozen
from trialindex.study_fields import by_piece
from trialsearch.query import (
    AgeIs,
    All,
    And,
    Code,
    In,
    Missing,
    Name,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Words,
)

__all__ = ["age_query", "code_query", "conjunction", "parse", "range_query"]

_LONGEST = 4000
_DEEPEST = 64

_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*(?:(?P<end>")|\\?$))'
    r"|(?P<area>AREA\[(?P<areaname>[^\]]*)(?P<areaend>\]|$))"
    r"|(?P<range>RANGE\[(?P<bounds>[^\]]*)(?P<rangeend>\]|$))"
    r"|(?P<field>(?P<fieldname>[A-Za-z]+):(?=[^\s)]))"
    r'|(?P<word>(?:\\.|[^\s()"\\])+\\?|\\))',
    re.DOTALL,
)


@frozen
class _Token:
    kind: str
    text: str
    start: int


def parse(text: str) -> Query:
    """Return the tree of a query; of an empty one, `ALL`.

    Raises QuerySyntaxError, with the place, where the text does not follow the grammar, and QueryError
    where a field or a value does not exist or the query is too long (4,000 characters) or too deep (64
    levels).
    """
    if len(text) > _LONGEST:
        raise QueryError(f"the query has {len(text):,} characters; at most {_LONGEST:,} can be asked at once")
    if not text.strip():
        return All()
    return _Parser(text).whole()


def conjunction(parts: list[Query]) -> Query:
    """Return the And of some queries, flat; of one, itself; of none, `ALL`."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return All() if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            break
        kind = next(
            name
            for name in ("open", "close", "quoted", "area", "range", "field", "word")
            if match[name] is not None
        )
        start = match.start(kind)
        if kind == "quoted" and not match["end"]:
            raise _error(
                'the quote is never closed: add a second " or put a backslash before it', text, start
            )
        if kind in {"area", "range"} and not match[f"{kind}end"]:
            raise _error(f"the bracket of {kind.upper()} is never closed: add ]", text, start)
        held = {"area": "areaname", "range": "bounds", "field": "fieldname"}.get(kind, kind)
        found.append(_Token(kind, match[held], start))
        place = match.end()
    return found


def _error(message: str, text: str, position: int) -> QuerySyntaxError:
    shown = re.sub(r"\s", " ", text)
    window = max(0, position - 60)
    line = shown[window : window + 100]
    return QuerySyntaxError(f"{message}\n  {line}\n  {' ' * (position - window)}^", text, position)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._place = 0
        self._depth = 0

    def whole(self) -> Query:
        query = self._expression(None)
        token = self._peek()
        if token is not None:
            raise _error("this ) closes nothing: delete it, or open it with (", self._text, token.start)
        return query

    def _peek(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _is(self, word: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "word" and token.text == word

    def _end_error(self, message: str) -> QuerySyntaxError:
        token = self._peek()
        return _error(message, self._text, token.start if token else len(self._text.rstrip()))

    def _expression(self, area: str | None) -> Query:
        parts = [self._conjunct(area)]
        while self._is("OR"):
            self._place += 1
            parts.append(self._conjunct(area, after="OR"))
        flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
        return flat[0] if len(flat) == 1 else Or(tuple(flat))

    def _conjunct(self, area: str | None, after: str = "") -> Query:
        parts = [self._operand(area, after)]
        while True:
            token = self._peek()
            if token is None or token.kind == "close" or self._is("OR"):
                return conjunction(parts)
            after = ""
            if self._is("AND"):
                self._place += 1
                after = "AND"
            parts.append(self._operand(area, after))

    def _operand(self, area: str | None, after: str = "") -> Query:
        token = self._peek()
        if token is None or token.kind == "close" or self._is("AND") or self._is("OR"):
            place = f"nothing follows {after}" if after else "an operand is missing here"
            raise self._end_error(place)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._end_error(f"more than {_DEEPEST} levels: ask in a simpler way")
        try:
            return self._one(token, area)
        finally:
            self._depth -= 1

    def _one(self, token: _Token, area: str | None) -> Query:
        self._place += 1
        match token.kind:
            case "open":
                inner = self._expression(area)
                closing = self._peek()
                if closing is None:
                    raise _error("this ( is never closed: add )", self._text, token.start)
                self._place += 1
                return inner
            case "area" | "field":
                return self._within(token)
            case "quoted":
                body = re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
                return _value(area, body, Phrase(" ".join(body.split())))
            case "range":
                if area is None:
                    raise _error(
                        "RANGE needs a field before it: AREA[StartDate]RANGE[2012, MAX]",
                        self._text,
                        token.start,
                    )
                low, comma, high = token.text.partition(",")
                if not comma:
                    raise _error("RANGE takes two bounds: RANGE[2012-01, MAX]", self._text, token.start)
                return range_query(area, low.strip(), high.strip())
            case _:
                return self._words(token, area)

    def _within(self, token: _Token) -> Query:
        if token.kind == "field" and token.text.lower() == "age":
            value = self._peek()
            if value is None or value.kind not in {"word", "quoted"}:
                raise _error('age: takes an age: age:34, age:"6 months"', self._text, token.start)
            self._place += 1
            return age_query(value.text.strip('"'))
        try:
            name = resolve(token.text.strip())
        except QueryError as error:
            if token.kind == "area":
                raise
            raise QueryError(f"{error} (to search for the text itself: \\{token.text}:...)") from None
        if token.kind == "field":
            # `phase:2 asthma`: a short form takes the next word alone.
            value = self._peek()
            if value is not None and value.kind == "word" and value.text not in _OPERATORS:
                self._refuse_unknown(value)
                self._place += 1
                return _value(name, _unescaped(value.text), _word(value.text))
        return self._operand(name, f"{token.text}:" if token.kind == "field" else f"AREA[{token.text}]")

    def _refuse_unknown(self, token: _Token) -> None:
        unknown = _LATER.match(token.text)
        if unknown:
            raise _error(f"{unknown[1]}[...] cannot be asked here: leave it out", self._text, token.start)

    def _words(self, first: _Token, area: str | None) -> Query:
        self._refuse_unknown(first)
        if first.text == "NOT":
            return Not(self._operand(area, "NOT"))
        if first.text == "MISSING":
            if area is None or area in AREAS:
                raise _error(
                    "MISSING needs a field before it: AREA[ResultsFirstPostDate]MISSING",
                    self._text,
                    first.start,
                )
            return Missing(area)
        run = [first]
        while (
            (token := self._peek()) is not None
            and token.kind == "word"
            and token.text not in {"AND", "OR", "NOT"}
        ):
            self._refuse_unknown(token)
            run.append(token)
            self._place += 1
        if len(run) == 1 and first.text == "ALL" and not _is_code(area, "ALL"):
            return All()
        starred = [token for token in run if _starred(token.text)]
        if not starred or (area in FIELDS and FIELDS[area].kind != "text"):
            text = " ".join(_unescaped(token.text) for token in run)
            return _value(area, text, _plain(text))
        parts: list[Query] = []
        plain: list[str] = []
        for token in [*run, None]:
            if token is not None and not _starred(token.text):
                plain.append(_unescaped(token.text))
                continue
            if plain:
                parts.append(_value(area, " ".join(plain), _plain(" ".join(plain))))
                plain = []
            if token is not None:
                parts.append(_value(area, "", _word(token.text)))
        return conjunction(parts)


# `title:ALL` is the disease: an operator after a short form is only what cannot be a word of the field.
_OPERATORS = frozenset({"AND", "OR", "NOT", "MISSING"})
# Operators of the registry's language that this one does not have: said so, never asked as words.
_LATER = re.compile(r"(SEARCH|EXPANSION|COVERAGE|TILT|DISTANCE)\[")


def _is_code(area: str | None, text: str) -> bool:
    if area is None or area in AREAS or FIELDS[area].kind != "code":
        return False
    enum = by_piece()[area].enum
    return enum is not None and text in codes.CODES[enum]


def _starred(word: str) -> bool:
    # A star after an even number of backslashes is no literal one.
    return len(word) > 1 and re.search(r"(?<!\\)(?:\\\\)*\*$", word) is not None


def _unescaped(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL)


def _word(word: str) -> Query:
    return Prefix(_unescaped(word[:-1])) if _starred(word) else _plain(_unescaped(word))


def _plain(text: str) -> Query:
    """Return the node of a run of words; of one that is all escaped spaces, the empty phrase."""
    text = " ".join(text.split())
    return Words(text) if text else Phrase("")


def _value(area: str | None, text: str, plain: Query) -> Query:
    """Return what a text asks in an area or field: a text node there, or a value of a field of codes,
    days, numbers.
    """
    if area is None:
        return plain
    kind = "text" if area in AREAS else FIELDS[area].kind
    if kind == "text":
        return In(area, plain)
    if kind == "code":
        return code_query(area, text)
    if kind == "concept":
        return Code(area, text.strip().upper())
    if kind == "name":
        names = [" ".join(name.split()) for name in text.split("|")]
        if not any(names):
            raise QueryError(f"{area} needs a name")
        return _any([Name(area, name) for name in names if name])
    low, dots, high = text.partition("..")
    return range_query(area, low, high) if dots else range_query(area, text, text)


def _any(parts: list[Query]) -> Query:
    unique = tuple(dict.fromkeys(parts))
    return unique[0] if len(unique) == 1 else Or(unique)


def _spelled(enum: str | None, text: str) -> list[str] | None:
    """Return the codes that a text spells: one, or the halves of `1/2`; None where it spells none."""
    if enum is None:
        said = codes.boolean(text)
        return None if said is None else [str(said).lower()]
    whole = codes.code(enum, text)
    return [whole] if whole else None if re.search("[,|;]", text) else codes.code_list(enum, text)


def code_query(field: str, text: str) -> Query:
    """Return the query for a value of a code field: one code, several parted by commas or bars, `1/2` for
    both halves.

    Raises QueryError, naming the field's codes, for a value that is none of them.
    """
    enum = by_piece()[field].enum
    known = ("true", "false") if enum is None else codes.CODES[enum]
    wanted: list[Query] = []
    left = re.split(r"[,|]", text)
    while left:
        # A label may have a comma itself (`Active, not recruiting`), never two.
        for size in (2, 1):
            part = ",".join(left[:size])
            spelled = _spelled(enum, part)
            if spelled:
                break
        left = left[size:]
        if not spelled:
            label = {"OverallStatus": "status", "StudyType": "type"}.get(
                field, field.lower() if field in {"Phase", "Sex"} else field
            )
            shown = ("yes", "no") if enum is None else known
            raise QueryError(f"no {label} {part.strip()!r}; one of {', '.join(shown)}")
        both: list[Query] = [Code(field, code) for code in spelled]
        wanted.append(conjunction(both))
    return _any(wanted)


def range_query(field: str, low: str, high: str) -> Query:
    """Return the query for a range of a day or number field; `MIN`, `MAX`, `*` and nothing are open ends.

    Raises QueryError where the field has no order or a bound is not of its kind.
    """
    if field in AREAS or FIELDS[field].kind not in {"day", "number"}:
        raise QueryError(f"{field} has no order: RANGE goes with dates, numbers and ages")
    bounds = [_bound(field, text.strip()) for text in (low, high)]
    return Range(field, bounds[0], bounds[1])


def _bound(field: str, text: str) -> str | None:
    if text.upper() in {"", "MIN", "MAX", "*"}:
        return None
    if FIELDS[field].kind == "day":
        day = parse_date(text)
        if day is None:
            raise QueryError(f"{text!r} is no date: write 2012, 2012-02 or 2012-02-29")
        return day
    if field.endswith("Age"):
        age = parse_age(text)
        if age is None:
            raise QueryError(f"{text!r} is no age: write 16 years or 6 months")
        return str(age)
    if not re.fullmatch(r"\d{1,12}", text):
        raise QueryError(f"{text!r} is no number")
    return str(int(text))


def age_query(text: str) -> Query:
    """Return the query for trials that a patient of an age may join: `34` (years), `6 months`.

    Raises QueryError for any other text.
    """
    age = Age(float(text), "year") if re.fullmatch(r"\d{1,3}", text.strip()) else parse_age(text)
    if age is None:
        raise QueryError(f"{text!r} is no age: write 34, or 6 months")
    return AgeIs(age)
