"""A name as a query: the ways in which an index may hold it.

>>> forms("Lupus Nephritis"), forms("IL-2"), forms("quality of life")
((('lupus', 'nephriti'),), (('il2',),), (('qualiti', '', 'life'),))
>>> forms("non-alcoholic steatohepatitis")
(('non', 'alcohol', 'steatohepat'), ('nonalcohol', 'steatohepat'))
>>> print(name_query("lupus nephritis"), name_query("of the"))
"lupus nephriti" None
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from trialindex.analysis import sequence, units
from trialsearch.query import Near, Or, Query, Term

__all__ = ["Form", "form_query", "forms", "name_query", "shortest"]

# The terms of a name in order; "" holds the place of a function word.
Form = tuple[str, ...]
# The word that makes of a name that of something else.
_DENIAL = "non"


@lru_cache(1 << 15)
def forms(name: str) -> tuple[Form, ...]:
    """Return the ways in which an index may hold a name; () where it has no word."""
    found = units(name)
    if len(found) <= 1:
        # A name and its number are one term, however they are written.
        return found[0].alternatives if found else ()
    apart = sequence(name)
    # Others write the hyphenated words as one: non-alcoholic, nonalcoholic.
    together = sequence(name.replace("-", "")) if "-" in name else apart
    return (apart,) if together == apart else (apart, together)


def form_query(form: Form, slop: int = 0, denied: str = "") -> Query:
    """Return the query for one way to hold a name; `slop` and `denied` as in `Near`."""
    return Term(form[0]) if len(form) == 1 else Near(form, slop, denied)


def name_query(name: str, slop: int = 0) -> Query | None:
    """Return the query for a name: its terms in order, side by side but for `slop` words; None where it has
    none.

    A name of several words is not met where it is denied: non-small cell lung cancer.
    """
    ways = [form_query(form, slop, _DENIAL) for form in forms(name)]
    if not ways:
        return None
    return ways[0] if len(ways) == 1 else Or(tuple(ways))


def shortest(names: Iterable[str]) -> Iterator[str]:
    """Yield names, short ones first, without those that contain another of them: who finds that one finds
    these.

    >>> list(shortest(["human breast cancer", "breast cancer", "breast carcinoma", "cancers, breast"]))
    ['breast cancer', 'cancers, breast', 'breast carcinoma']
    """
    held: set[Form] = set()
    longest = 0
    for name in sorted(names, key=len):
        found = forms(name)
        if found and not _contains(found[0], held, longest):
            held.add(found[0])
            longest = max(longest, len(found[0]))
            yield name


def _contains(form: Form, held: set[Form], longest: int) -> bool:
    return any(
        form[start:stop] in held
        for start in range(len(form))
        for stop in range(start + 1, min(len(form), start + longest) + 1)
    )
