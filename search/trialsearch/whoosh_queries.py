"""Queries from Whoosh's tree to ours, and from ours to Whoosh's.

A query and what it is turned into ask for the same documents. What only selects (codes, names, ranges,
`Every`, `Not`) scores 0 on our side and `whoosh_sound.TINY` on Whoosh's. Where one tree has no node for a
query of the other, Untranslatable names it.

>>> asked = query.And([query.Term("BriefTitle", "lupus"), query.Not(query.Term("Phase", "PHASE1"))])
>>> print(from_whoosh(asked))
AREA[BriefTitle]lupus AND NOT AREA[Phase]PHASE1
>>> from_whoosh(query.Regex("BriefTitle", "lup.s"))
Traceback (most recent call last):
    ...
trialsearch.whoosh_queries.Untranslatable: no query of ours does what Whoosh's Regex does

>>> to_whoosh(ours.Near(("stem", "cell")), "BriefTitle")
Phrase('BriefTitle', ['stem', 'cell'], slop=1, boost=1.000000)
>>> to_whoosh(ours.Near(("stem", "cell", "lupus"), 3))
Traceback (most recent call last):
    ...
trialsearch.whoosh_queries.Untranslatable: Whoosh has no phrase with 3 more words in all: "stem cell lupus"
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from whoosh import query
from whoosh.lang.morph_en import variations

from trialindex.analysis import fold
from trialindex.dates import date_range, parse_age
from trialindex.errors import QueryError
from trialindex.fields import FIELDS
from trialsearch import query as ours
from trialsearch.whoosh_schema import DAY, Days, is_code, kind_of, schema
from trialsearch.whoosh_sound import TINY, AnyBest, Meant, Selecting, Weighted, Wished, Without

__all__ = ["Untranslatable", "from_whoosh", "to_whoosh"]

_LAST_DAY = date.max.toordinal()


class Untranslatable(QueryError):
    """A query of one tree that the other has no node for."""


# Queries from Whoosh's tree to ours


def from_whoosh(asked: Any) -> ours.Query:
    """Return a Whoosh query as one of ours, to be asked in any area: each part names its field.

    Terms are taken as they are (a Whoosh parser has analysed them). Prefixes, wildcards and misspellings
    score by the best of their terms, where Whoosh adds them up or gives all a constant, by the size of the
    index. Raises Untranslatable, naming the class, where there is no node for one; QueryError for a field
    that the index has not.
    """
    try:
        return _turned(asked)
    except RecursionError as error:
        raise QueryError("the query is nested too deeply") from error


def _turned(asked: Any) -> ours.Query:
    turn = _FROM.get(type(asked))
    if turn is None:
        raise Untranslatable(f"no query of ours does what Whoosh's {type(asked).__name__} does")
    return turn(asked)


def _boosted(part: ours.Query, boost: float) -> ours.Query:
    if boost == 1.0:
        return part
    if not 0 <= boost < math.inf:
        raise Untranslatable(f"a boost is 0 or more, not {boost}")
    return ours.Boost(part, float(boost))


def _several(make: type[ours.And] | type[ours.Or], parts: Iterable[ours.Query]) -> ours.Query:
    """Return the parts together, those of the same kind taken apart."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, make) else (part,))]
    if not flat:
        return ours.Nothing("")
    return flat[0] if len(flat) == 1 else make(tuple(flat))


def _from_term(asked: Any) -> ours.Query:
    name, kind = asked.fieldname, kind_of(asked.fieldname)
    if kind in {"day", "number"}:
        value = schema()[name].from_bytes(schema()[name].to_bytes(asked.text))
        return _boosted(_from_bounds(name, value, value, False, False), asked.boost)
    text = asked.text.decode("utf-8", "replace") if isinstance(asked.text, bytes) else str(asked.text)
    part: ours.Query
    if kind == "name":
        part = ours.Name(name, text)
    elif kind == "code" and is_code(text):
        part = ours.Code(name, text)
    elif kind in {"text", "code"}:
        part = ours.In(name, ours.Term(text))
    else:
        raise Untranslatable(f"no query of ours asks {name}")
    return _boosted(part, asked.boost)


def _placed(asked: Any) -> str:
    """Return the field of a query of words. Raises Untranslatable where its terms are no words."""
    name: str = asked.fieldname
    if kind_of(name) not in {"text", "code"}:
        raise Untranslatable(f"no query of ours is a {type(asked).__name__} in {name}")
    return name


def _from_phrase(asked: Any) -> ours.Query:
    name = _placed(asked)
    words = tuple(str(word) for word in asked.words if word is not None)
    if len(words) < 2:
        return _boosted(ours.In(name, ours.Term(words[0])), asked.boost) if words else ours.Nothing("")
    # Whoosh lets words stand apart at each place, we in all of the phrase.
    if asked.slop != 1 and (len(words) > 2 or not 1 < asked.slop <= 16):
        raise Untranslatable(f"no query of ours is a Phrase of {len(words)} words with slop {asked.slop}")
    return _boosted(ours.In(name, ours.Near(words, asked.slop - 1)), asked.boost)


def _pattern(asked: Any, special: str) -> str:
    """Return the text of a pattern that both take for the same."""
    if asked.text != fold(asked.text) or set(special) & set(asked.text):
        raise Untranslatable(f"no query of ours is the {type(asked).__name__} {asked.text!r}")
    return str(asked.text)


def _from_prefix(asked: Any) -> ours.Query:
    if asked.text == "":
        return _boosted(_having(asked.fieldname), asked.boost)
    name = _placed(asked)
    return _boosted(ours.In(name, ours.Prefix(_pattern(asked, "-‐‑‒–−"))), asked.boost)


def _from_wildcard(asked: Any) -> ours.Query:
    if asked.text == "*":
        return _boosted(_having(asked.fieldname), asked.boost)
    name = _placed(asked)
    return _boosted(ours.In(name, ours.Wildcard(_pattern(asked, "[]"))), asked.boost)


def _from_fuzzy(asked: Any) -> ours.Query:
    name = _placed(asked)
    if not 0 <= asked.maxdist <= 2:
        raise Untranslatable(f"no query of ours is a FuzzyTerm of {asked.maxdist} edits: at most 2")
    node = ours.Fuzzy(str(asked.text), int(asked.maxdist), max(0, asked.prefixlength))
    return _boosted(ours.In(name, node), asked.boost)


def _from_variations(asked: Any) -> ours.Query:
    name = _placed(asked)
    words = sorted(variations(asked.text))
    return _boosted(_several(ours.Or, (ours.In(name, ours.Term(word)) for word in words)), asked.boost)


def _having(name: str | None) -> ours.Query:
    if name is None:
        return ours.All()
    if kind_of(name) == "Key":
        return ours.All()
    if name not in FIELDS:
        raise Untranslatable(f"no query of ours asks whether a trial has anything in {name}")
    return ours.Not(ours.Missing(name))


def _from_range(asked: Any) -> ours.Query:
    name, kind = asked.fieldname, kind_of(asked.fieldname)
    if kind not in {"day", "number"}:
        raise Untranslatable(
            f"no query of ours is a {type(asked).__name__} in {name}: only in days and numbers"
        )
    part = _from_bounds(name, asked.start, asked.end, asked.startexcl, asked.endexcl)
    return _boosted(part, asked.boost)


def _from_bounds(name: str, low: Any, high: Any, above: bool, below: bool) -> ours.Query:
    """Return a range between bounds as Whoosh has them; `above` and `below`: the bound itself is left out."""
    day = kind_of(name) == "day"
    lowest, highest = _number(name, low), _number(name, high)
    if day:
        first = 1 if lowest is None else -(-lowest // DAY) + 1 + (above and lowest % DAY == 0)
        last = _LAST_DAY if highest is None else highest // DAY + 1 - (below and highest % DAY == 0)
        first, last = max(first, 1), min(last, _LAST_DAY)
        if first > last:
            return ours.Nothing("")
        return ours.Range(
            name,
            None if lowest is None else date.fromordinal(int(first)).isoformat(),
            None if highest is None else date.fromordinal(int(last)).isoformat(),
        )
    if above and lowest is not None:
        lowest = math.nextafter(lowest, math.inf)
    if below and highest is not None:
        highest = math.nextafter(highest, -math.inf)
    return ours.Range(
        name, None if lowest is None else repr(lowest), None if highest is None else repr(highest)
    )


def _number(name: str, bound: Any) -> Any:
    """Return a bound as a number: a day in microseconds, as Whoosh counts them; None where it is open."""
    held = schema()[name]
    if bound is None or bound == "":
        return None
    try:
        if isinstance(bound, bytes):
            bound = held.from_bytes(bound)
        if isinstance(held, Days):
            return bound if isinstance(bound, int) else held.prepare_datetime(bound)
        return held.prepare_number(bound)
    except Exception as error:
        raise QueryError(f"{bound!r} is no bound of {name}: {error}") from error


def _from_and_not(asked: Any) -> ours.Query:
    return _several(ours.And, (_turned(asked.a), ours.Not(_turned(asked.b))))


def _from_require(asked: Any) -> ours.Query:
    return _several(ours.And, (_turned(asked.a), ours.Boost(_turned(asked.b), 0.0)))


def _from_or(asked: Any) -> ours.Query:
    if asked.scale:
        raise Untranslatable("no query of ours is an Or with a scale")
    return _boosted(_several(ours.Or, map(_turned, asked.subqueries)), asked.boost)


def _from_best(asked: Any) -> ours.Query:
    # Whoosh takes a tiebreak and never uses it.
    parts = [_turned(part) for part in asked.subqueries]
    if not parts:
        return ours.Nothing("")
    ways = tuple(ours.Way("typed", str(part), part) for part in parts)
    return _boosted(ours.Best(" | ".join(way.text for way in ways), ways), asked.boost)


_FROM: dict[type, Callable[[Any], ours.Query]] = {
    query.Term: _from_term,
    query.Phrase: _from_phrase,
    query.Prefix: _from_prefix,
    query.Wildcard: _from_wildcard,
    query.FuzzyTerm: _from_fuzzy,
    query.Variations: _from_variations,
    Meant: lambda asked: ours.In(asked.fieldname, asked.node),
    query.TermRange: _from_range,
    query.NumericRange: _from_range,
    query.DateRange: _from_range,
    query.Every: lambda asked: _boosted(_having(asked.fieldname), asked.boost),
    type(query.NullQuery): lambda asked: ours.Nothing(""),
    query.And: lambda asked: _boosted(_several(ours.And, map(_turned, asked.subqueries)), asked.boost),
    query.Or: _from_or,
    query.Not: lambda asked: ours.Not(_turned(asked.query)),
    Without: lambda asked: ours.Not(_turned(asked.query)),
    query.AndNot: _from_and_not,
    query.AndMaybe: lambda asked: ours.Optional(_turned(asked.a), _turned(asked.b)),
    Wished: lambda asked: ours.Optional(_turned(asked.a), _turned(asked.b)),
    query.Require: _from_require,
    query.DisjunctionMax: _from_best,
    AnyBest: _from_best,
    query.ConstantScoreQuery: lambda asked: ours.Boost(_turned(asked.child), 0.0),
    Selecting: lambda asked: ours.Boost(_turned(asked.child), 0.0),
    Weighted: lambda asked: _boosted(_turned(asked.child), asked.boost),
}


# Queries from our tree to Whoosh's


def to_whoosh(asked: ours.Query, area: str = "BasicSearch") -> Any:
    """Return a query of ours, asked in an area, as one of Whoosh's that finds the same documents with the
    same scores over a `TrialReader` with `Weighting`; only a phrase scores as its words do apart.

    Raises Untranslatable, naming the node, where Whoosh has nothing for it.
    """
    if area not in schema():
        raise Untranslatable(f"Whoosh's schema has no area {area!r}")
    turn = _TO.get(type(asked))
    if turn is None:
        raise Untranslatable(f"Whoosh has no query for {type(asked).__name__}: {asked}")
    return turn(asked, area)


def _parts(asked: ours.And | ours.Or, area: str) -> list[Any]:
    return [to_whoosh(part, area) for part in asked.parts]


def _to_weighted(part: Any, weight: float) -> Any:
    return part if weight == 1.0 else Weighted(part, max(weight, TINY))


def _to_phrase(asked: ours.Near, area: str) -> Any:
    if asked.starts or asked.ends:
        raise Untranslatable(f"Whoosh has no phrase at the edge of a value: {asked}")
    if "" in asked.terms or (asked.slop and len(asked.terms) > 2) or asked.slop > 15:
        raise Untranslatable(f"Whoosh has no phrase with {asked.slop} more words in all: {asked}")
    if len(asked.terms) == 1:
        return query.Term(area, asked.terms[0])
    return query.Phrase(area, list(asked.terms), slop=asked.slop + 1)


def _to_range(asked: ours.Range, _area: str) -> Any:
    low, high = asked.low, asked.high
    if FIELDS[asked.field].kind == "day":
        days = [
            None if text is None else datetime.combine(date_range(text)[which], datetime.min.time())
            for which, text in enumerate((low, high))
        ]
        return Selecting(query.DateRange(asked.field, *days))
    numbers = [None if text is None else _value(asked.field, text) for text in (low, high)]
    return Selecting(query.NumericRange(asked.field, *numbers))


def _value(field: str, text: str) -> float:
    age = parse_age(text) if field.endswith("Age") else None
    return age.days if age else float(text)


def _to_best(asked: ours.Best, area: str) -> Any:
    if any(way.than for way in asked.ways):
        raise Untranslatable(f"Whoosh has no query for names no more telling than others: {asked}")
    return AnyBest([_to_weighted(to_whoosh(way.part, area), way.weight) for way in asked.ways])


def _to_meant(asked: ours.Prefix | ours.Wildcard | ours.Fuzzy, area: str) -> Any:
    return Meant(area, asked)


_TO: dict[type, Callable[[Any, str], Any]] = {
    ours.All: lambda asked, area: Selecting(query.Every()),
    ours.Nothing: lambda asked, area: query.NullQuery,
    ours.And: lambda asked, area: query.And(_parts(asked, area)),
    ours.Or: lambda asked, area: query.Or(_parts(asked, area)),
    ours.Not: lambda asked, area: Without(to_whoosh(asked.part, area)),
    ours.In: lambda asked, area: to_whoosh(asked.part, asked.area),
    ours.Code: lambda asked, area: Selecting(query.Term(asked.field, asked.code)),
    ours.Name: lambda asked, area: Selecting(query.Term(asked.field, asked.name)),
    ours.Missing: lambda asked, area: Without(query.Every(asked.field)),
    ours.Range: _to_range,
    ours.Term: lambda asked, area: query.Term(area, asked.term),
    ours.Near: _to_phrase,
    ours.Best: _to_best,
    ours.Optional: lambda asked, area: Wished(to_whoosh(asked.part, area), to_whoosh(asked.wish, area)),
    ours.Boost: lambda asked, area: _to_weighted(to_whoosh(asked.part, area), asked.weight),
    ours.Prefix: _to_meant,
    ours.Wildcard: _to_meant,
    ours.Fuzzy: _to_meant,
}
