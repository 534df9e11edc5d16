r"""Text into a query tree. Knows the language and the names of fields, but no index.

    expression := conjunct (OR conjunct)*
    conjunct   := operand ([AND] operand)*            side by side means AND
    operand    := (NOT | AREA[x] | SEARCH[x] | EXPANSION[x] | COVERAGE[x] | TILT[x] | name:)* source
    source     := word+ | word* | "phrase" | ( expression ) | ALL | MISSING | RANGE[low, high]
                | DISTANCE[latitude, longitude, 50mi]

Operators are written in capitals, a bracket right behind them; a backslash takes the next word or character
as it stands. A run of words is one node. An area is carried inward to what is asked in it; the other context
operators stay around their operand, a source, and the innermost of a kind holds. `name` is a field, an area
or a short form (`fields.resolve`). A field of codes, days, numbers or concepts takes a value, and the words
after that are asked anywhere: `AREA[Phase]PHASE2 asthma`. A short form takes the next word alone: `phase:2`,
`status:recruiting,completed`, `start:2012..2013-06`, `age:34`.

>>> print(parse("lupus nephritis title:(children OR adolescents) phase:2"))
lupus nephritis AND (AREA[TitleSearch]children OR AREA[TitleSearch]adolescents) AND AREA[Phase]PHASE2
>>> print(parse('EXPANSION[concept]"heart attack" SEARCH[Location](city:Portland)'))
EXPANSION[Concept]"heart attack" AND SEARCH[Location](AREA[LocationCity]Portland)
>>> parse("lupus AND")
Traceback (most recent call last):
    ...
trialindex.errors.QuerySyntaxError: nothing follows AND
  lupus AND
           ^
>>> parse("asthma phase:5")
Traceback (most recent call last):
    ...
trialindex.errors.QuerySyntaxError: no phase '5'; one of NA, EARLY_PHASE1, PHASE1, PHASE2, PHASE3, PHASE4
  asthma phase:5
               ^

What the registry's description leaves open: ALL inside a run of words is a word (relapsed ALL). MISSING asks
one field, never an area of several. Inside SEARCH[Location] words without an AREA ask LocationSearch, and
only what a site has can be asked. COVERAGE other than Contains goes with no EXPANSION wider than Concept, and
Lossy with no COVERAGE.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from trialindex import codes
from trialindex.errors import QueryError, QuerySyntaxError
from trialindex.fields import AREAS, resolve
from trialindex.frozen import frozen
from trialindex.study_fields import by_piece
from trialsearch.lexing import Token, shortened, starred, syntax_error, tokens, unescaped
from trialsearch.query import (
    COVERAGES,
    LEVELS,
    All,
    AtSite,
    Covered,
    Expanded,
    Missing,
    Not,
    Phrase,
    Prefix,
    Query,
    Tilted,
    Words,
    conjunction,
    disjunction,
    refused,
)
from trialsearch.values import (
    age_query,
    distance_query,
    has_order,
    kind_of,
    leading_value,
    of_site,
    range_query,
    takes_values,
    text_query,
    value_query,
)

__all__ = ["parse"]

T = TypeVar("T")

_LONGEST = 4000  # characters
_DEEPEST = 64  # operands, one in the other
_LONGEST_VALUE = 8  # words

# What a text has that is more than a run of words, but for operators.
_SYNTAX = re.compile(r'[()\[\]"\\*:]')

# What short forms mean at a site, where they mean something else there.
_AT_SITE = {"status": "LocationStatus"}


@frozen
class _Around:
    """What stands around an operand: the area that is asked (None: the default one), whether one and the same
    site must meet it, the EXPANSION and the COVERAGE that were stated, and the place of the inner of these.
    """

    area: str | None = None
    site: bool = False
    level: str = ""
    how: str = ""
    place: int = 0


def parse(text: str) -> Query:
    """Return the tree of a query; of an empty one, `ALL`.

    Raises QuerySyntaxError, with the place, where the text does not follow the grammar, where a name or a
    value does not exist, and where it is too deep (64 levels); QueryError where it is too long (4,000
    characters).
    """
    if len(text) > _LONGEST:
        raise QueryError(f"the query has {len(text):,} characters; at most {_LONGEST:,} can be asked at once")
    if not text.strip():
        return All()
    if not _SYNTAX.search(text):
        words = text.split()
        if _OPERATORS.isdisjoint(words) and "ALL" not in words:
            return Words(" ".join(words))  # as most are asked: what follows would say the same
    return _Parser(text).whole()


class _Parser:
    """One pass over the tokens of a text: each method reads what it is called after, and leaves the rest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._place = 0
        self._depth = 0

    def whole(self) -> Query:
        query = self._expression(_Around())
        token = self._peek()
        if token is not None:
            raise self._error("this ) closes nothing: delete it, or open it with (", token)
        return query

    def _peek(self) -> Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _is(self, word: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "word" and token.text == word

    def _error(self, message: str, token: Token | None) -> QuerySyntaxError:
        """Return the error that shows a token, or the end of the text."""
        return syntax_error(message, self._text, token.start if token else len(self._text.rstrip()))

    def _value(self, token: Token, meaning: Callable[..., T], *given: object) -> T:
        """Return what a value means; what is wrong with it is shown at a token."""
        try:
            return meaning(*given)
        except QueryError as error:
            raise self._error(str(error), token) from None

    # --- AND, OR and what they join ---

    def _expression(self, around: _Around) -> Query:
        parts = [self._conjunct(around)]
        while self._is("OR"):
            self._place += 1
            parts.append(self._conjunct(around, after="OR"))
        return disjunction(parts)

    def _conjunct(self, around: _Around, after: str = "") -> Query:
        parts = [self._operand(around, after)]
        while True:
            token = self._peek()
            if token is None or token.kind == "close" or self._is("OR"):
                return conjunction(parts)
            after = ""
            if self._is("AND"):
                self._place += 1
                after = "AND"
            parts.append(self._operand(around, after))

    def _operand(self, around: _Around, after: str = "") -> Query:
        token = self._peek()
        if token is None or token.kind == "close" or self._is("AND") or self._is("OR"):
            raise self._error(f"nothing follows {after}" if after else "an operand is missing here", token)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"more than {_DEEPEST} levels: ask in a simpler way", token)
        self._place += 1
        query = self._one(token, around)
        self._depth -= 1
        return query

    def _one(self, token: Token, around: _Around) -> Query:
        match token.kind:
            case "open":
                return self._parenthesis(token, around)
            case "operator":
                return self._operator(token, around)
            case "field":
                return self._short_form(token, around)
            case "quoted":
                self._check(around)
                body = unescaped(token.text[1:-1])
                return self._asked(token, around, body, Phrase(" ".join(body.split())))
            case _:
                return (
                    Not(self._operand(around, "NOT")) if token.text == "NOT" else self._words(token, around)
                )

    def _parenthesis(self, opening: Token, around: _Around) -> Query:
        inner = self._expression(around)
        if self._peek() is None:
            raise self._error("this ( is never closed: add )", opening)
        self._place += 1
        return inner

    # --- operators with a bracket, and short forms ---

    def _operator(self, token: Token, around: _Around) -> Query:
        after = f"{token.text}[{token.parameter}]"
        match token.text:
            case "RANGE" | "DISTANCE":
                self._check(around)
                return (self._range if token.text == "RANGE" else self._distance)(token, around)
            case "AREA":
                return self._operand(self._within(self._field(token), token, around), after)
            case "SEARCH":
                return self._search(token, around, after)
            case "TILT":
                return Tilted(self._tilt(token, around), self._operand(around, after))
            case "EXPANSION":
                level = self._one_of(LEVELS, token)
                inner = _Around(around.area, around.site, level, around.how, token.start)
                return Expanded(level, self._operand(inner, after))
            case _:
                how = self._one_of(COVERAGES, token)
                inner = _Around(around.area, around.site, around.level, how, token.start)
                return Covered(how, self._operand(inner, after))

    def _one_of(self, known: tuple[str, ...], token: Token) -> str:
        """Return the parameter of an operator as it is spelled in a list of names."""
        wanted = token.parameter.lower()
        for name in known:
            if name.lower() == wanted:
                return name
        import difflib

        near = difflib.get_close_matches(shortened(wanted), [name.lower() for name in known], n=1)
        nearest = "".join(f" the nearest: {name};" for name in known if name.lower() in near)
        raise self._error(
            f"no {token.text} {shortened(token.parameter)!r};{nearest} one of {', '.join(known)}", token
        )

    def _field(self, token: Token) -> str:
        return self._value(token, resolve, shortened(token.parameter))

    def _within(self, area: str, token: Token, around: _Around) -> _Around:
        """Return what stands around what an area or field is asked."""
        if around.site and not of_site(area):
            raise self._error(
                f"{area} is no field of a site: SEARCH[Location] takes LocationCity, LocationStatus and such",
                token,
            )
        return _Around(area, around.site, around.level, around.how, around.place)

    def _search(self, token: Token, around: _Around, after: str) -> Query:
        if self._one_of(("Location", "Study"), token) == "Study":
            if around.site:
                raise self._error("SEARCH[Study] cannot stand inside SEARCH[Location]: put it outside", token)
            return self._operand(around, after)
        if around.site:
            return self._operand(around, after)
        # Words ask a site there, whatever is asked around it: a condition has no city.
        area = around.area if around.area is not None and of_site(around.area) else "LocationSearch"
        inner = _Around(area, True, around.level, around.how, around.place)
        return AtSite(self._operand(inner, after))

    def _tilt(self, token: Token, around: _Around) -> str:
        field = self._within(self._field(token), token, around).area
        if field is None or not has_order(field):
            raise self._error(
                f"{field} has no order: TILT goes with dates and numbers, TILT[StudyFirstPostDate]", token
            )
        return field

    def _short_form(self, token: Token, around: _Around) -> Query:
        name = token.text.lower()
        if name == "age":
            return self._age(token, around)
        if around.site and name in _AT_SITE:
            area = _AT_SITE[name]
        else:
            try:
                area = resolve(shortened(token.text))
            except QueryError as error:
                literal = f"{error} (to search for the text itself: \\{shortened(token.text)}:...)"
                raise self._error(literal, token) from None
        inner = self._within(area, token, around)
        value = self._peek()
        if value is None or value.kind != "word" or value.text in _OPERATORS:
            return self._operand(inner, f"{token.text}:")
        # `phase:2 asthma`: a short form takes the next word alone.
        self._check(inner)
        self._place += 1
        return self._asked(value, inner, unescaped(value.text), _word(value.text))

    def _age(self, token: Token, around: _Around) -> Query:
        value = self._peek()
        if value is None or value.kind not in {"word", "quoted"}:
            raise self._error('age: takes an age: age:34, age:"6 months"', token)
        if around.site:
            raise self._error("an age is no field of a site: put it outside of SEARCH[Location]", token)
        self._place += 1
        return self._value(value, age_query, value.text.strip('"'))

    # --- sources ---

    def _range(self, token: Token, around: _Around) -> Query:
        if around.area is None:
            raise self._error("RANGE needs a field before it: AREA[StartDate]RANGE[2012, MAX]", token)
        low, comma, high = token.parameter.partition(",")
        if not comma:
            raise self._error("RANGE takes two bounds: RANGE[2012-01, MAX]", token)
        return self._value(token, range_query, around.area, low, high)

    def _distance(self, token: Token, around: _Around) -> Query:
        if around.area != "LocationGeoPoint":
            raise self._error(
                "DISTANCE needs AREA[LocationGeoPoint] before it: "
                "AREA[LocationGeoPoint]DISTANCE[42.36,-71.06,50mi]",
                token,
            )
        return self._value(token, distance_query, token.parameter)

    def _missing(self, token: Token, around: _Around) -> Query:
        if around.area is None:
            raise self._error(
                "MISSING needs a field before it: AREA[ResultsFirstPostDate]MISSING; for the word, \\MISSING",
                token,
            )
        if around.area in AREAS:
            raise self._error(
                f"MISSING asks one field, and {around.area} is an area of several: "
                f"AREA[{next(iter(AREAS[around.area]))}]MISSING",
                token,
            )
        return Missing(around.area)

    def _words(self, first: Token, around: _Around) -> Query:
        self._check(around)
        if first.text == "MISSING":
            return self._missing(first, around)
        all_trials = first.text == "ALL" and not _is_code(around.area, "ALL")
        if around.area is not None and takes_values(around.area):
            if all_trials:
                return All()
            words = [unescaped(token.text) for token in self._run(first, _LONGEST_VALUE)]
            size, query = self._value(first, leading_value, around.area, words)
            self._place -= len(words) - size
            return query
        run = self._run(first)
        return All() if all_trials and len(run) == 1 else self._terms(run, around)

    def _run(self, first: Token, longest: int = _LONGEST) -> list[Token]:
        """Return a word and those after it, up to the next operator or so many words."""
        run = [first]
        while (
            (token := self._peek()) is not None
            and token.kind == "word"
            and token.text not in _OPERATORS
            and len(run) < longest
        ):
            run.append(token)
            self._place += 1
        return run

    def _terms(self, run: list[Token], around: _Around) -> Query:
        """Return the node of a run of words; where it has words with a star, the And of what these part."""
        parts: list[Query] = []
        plain: list[str] = []
        for token in [*run, None]:
            # A name is one value, stars or not.
            if token is not None and (not starred(token.text) or _is_name(around.area)):
                plain.append(unescaped(token.text))
                continue
            if plain:
                text = " ".join(plain)
                parts.append(self._asked(run[0], around, text, text_query(text)))
                plain = []
            if token is not None:
                parts.append(self._asked(token, around, "", _word(token.text)))
        return conjunction(parts)

    def _asked(self, token: Token, around: _Around, text: str, plain: Query) -> Query:
        """Return a value of the field that is asked, or, where that takes text or none is, its node."""
        return plain if around.area is None else self._value(token, value_query, around.area, text, plain)

    def _check(self, around: _Around) -> None:
        """Raise where the EXPANSION and the COVERAGE of a source cannot go together."""
        if wrong := refused(around.level, around.how):
            raise syntax_error(wrong, self._text, around.place)


# Words that end a run of words. `title:ALL` is the disease.
_OPERATORS = frozenset({"AND", "OR", "NOT", "MISSING"})


def _is_code(area: str | None, text: str) -> bool:
    """Whether a text that is an operator too is a value of the field that is asked."""
    if area is None or kind_of(area) not in {"code", "concept"}:
        return False
    enum = by_piece()[area].enum if area in by_piece() else None
    return kind_of(area) == "concept" or (enum is not None and text in codes.CODES[enum])


def _is_name(area: str | None) -> bool:
    return area is not None and kind_of(area) == "name"


def _word(word: str) -> Query:
    return Prefix(unescaped(word[:-1])) if starred(word) else text_query(unescaped(word))
