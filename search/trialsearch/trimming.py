"""A widened query without what no trial can meet: most names of a thing are written nowhere.

>>> from trialsearch.query import Way
>>> typed, other = Way("typed", "gout", Term("gout")), Way("synonym", "podagra", Term("podagra"))
>>> print(trimmed(Best("gout", (typed, other)), {"gout"}.__contains__))
gout
"""

from __future__ import annotations

from collections.abc import Callable

from trialsearch.query import Best, In, Near, Or, Query, Term, Unless, mapped

__all__ = ["trimmed"]

# Ways that stay, whatever they find.
_AS_ASKED = frozenset({"typed", "spelling"})


def trimmed(query: Query, has: Callable[[str], object]) -> Query:
    """Return a query without ways by names that have a word which no trial has; `has`: of a term, something
    true where any has it. Ways as typed and by spelling stay, whatever they find: they are what was asked.
    """
    if type(query) is Best:
        met = [way for way in query.ways if way.how in _AS_ASKED or _is_met(way.part, has)]
        return query if len(met) == len(query.ways) else Best(query.text, tuple(met))
    return mapped(query, lambda part: trimmed(part, has))


def _is_met(part: Query, has: Callable[[str], object]) -> bool:
    if type(part) is Near:  # most are
        return all(map(has, filter(None, part.terms)))
    match part:
        case Term(term):
            return bool(has(term))
        case In(_, inner) | Unless(inner, _):
            return _is_met(inner, has)
        case Or(parts):
            return any(_is_met(one, has) for one in parts)
        case _:
            return True
