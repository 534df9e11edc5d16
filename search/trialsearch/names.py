"""A name as a query: the ways in which an index may hold it.

>>> forms("Lupus Nephritis"), forms("IL-2"), forms("quality of life")
((('lupus', 'nephriti'),), (('il2',),), (('qualiti', '', 'life'),))
>>> forms("non-alcoholic steatohepatitis")
(('non', 'alcohol', 'steatohepat'), ('nonalcohol', 'steatohepat'))
>>> print(name_query("lupus nephritis"), name_query("of the"))
"lupus nephriti" None

What was typed keeps the function words that it begins with, and a name and its number are the one term that
they make:

>>> typed_forms("the quality of life"), typed_forms("IL-2 therapy"), typed_forms("of the")
((('', 'qualiti', '', 'life'),), (('il2', '2', 'therapi'),), ())
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from trialindex.analysis import Unit, fold, lone_words, normal_words, sequence, tokens, units
from trialsearch.query import Near, Or, Query, Term

__all__ = ["Form", "form_query", "forms", "name_query", "shortest", "typed_forms", "typed_query"]

# The terms of a name in order; "" holds the place of a function word.
Form = tuple[str, ...]
# The word that makes of a name that of something else.
_DENIAL = "non"
_HYPHEN = re.compile(r"(?<!\d)-|-(?!\d)")


@lru_cache(1 << 15)
def forms(name: str) -> tuple[Form, ...]:
    """Return the ways in which an index may hold a name; () where it has no word."""
    lone = lone_words(name)
    found = units(name) if lone is None else [unit for unit in lone if unit.alternatives]
    if len(found) <= 1:
        # A name and its number are one term, however they are written.
        return found[0].alternatives if found else ()
    if lone is not None:
        return (_stripped(_terms(lone)),)
    apart = sequence(name)
    together = sequence(_unhyphenated(name)) if "-" in name else apart
    return (apart,) if together == apart else (apart, together)


def _unhyphenated(name: str) -> str:
    """Return a name as others write it, hyphenated words as one: non-alcoholic, nonalcoholic; not 18-65."""
    return _HYPHEN.sub("", name)


@lru_cache(1 << 12)
def typed_forms(text: str) -> tuple[Form, ...]:
    """Return the ways in which an index may hold what was typed, "" for function words, those before it too;
    () where it has no word.

    Whatever has one of them has each of the text's units.
    """
    lone = lone_words(text)
    found = units(text) if lone is None else [unit for unit in lone if unit.alternatives]
    if not found:
        return ()
    if lone is not None and all(len(unit.alternatives) == 1 for unit in found):
        return (_terms(lone),)
    apart = _with_compounds(text)
    if len(found) == 1 and (len(found[0].alternatives) > 1 or sum(map(bool, apart)) == 1):
        lead = ("",) * tokens(text)[0].position
        return tuple(lead + form for form in found[0].alternatives)
    together = _with_compounds(_unhyphenated(text))
    return (apart,) if together == apart else (apart, together)


def _terms(lone: list[Unit]) -> Form:
    """Return the first term of each of some words (`lone_words`), up to the last that has one."""
    terms = [unit.alternatives[0][0] if unit.alternatives else "" for unit in lone]
    while not terms[-1]:
        terms.pop()
    return tuple(terms)


def _with_compounds(text: str) -> Form:
    """Return the terms of a text in order; where several make one term for certain (IL-2, so-called), it
    stands in the first one's place.
    """
    held, apart = tokens(text), sequence(text)
    form = [""] * (held[-1].position + 1)
    if apart:
        first = next(token.position for token in held if token.term == apart[0])
        form[first : first + len(apart)] = apart
    sure = {unit.key for unit in units(text) if len(unit.alternatives) == len(unit.alternatives[0]) == 1}
    for token in held:
        if token.term in sure:
            form[token.position] = token.term
    return tuple(form)


def form_query(form: Form, slop: int = 0, denied: str = "") -> Query:
    """Return the query for one way to hold a name; `slop` and `denied` as in `Near`."""
    return Term(form[0]) if len(form) == 1 else Near(form, slop, denied)


def typed_query(
    text: str, *, starts: bool = False, ends: bool = False, has: Callable[[str], object] | None = None
) -> Query | None:
    """Return the query for what was typed, its terms side by side, at the start of a value, at its end, or
    both; None where it has no word.

    `has`: of a word, something true where any trial has it; then a last word that others write with a hyphen
    (follow-up) ends a value too.
    """
    if starts or ends:
        standing = dict.fromkeys([*typed_forms(text), *(_split(text, has) if ends and has else ())])
        ways = (form if starts else _stripped(form) for form in standing)
        return _any([Near(form, starts=starts, ends=ends) for form in ways])
    held = list(forms(text)) if len(units(text)) == 1 else [_stripped(form) for form in typed_forms(text)]
    return _any([form_query(form) for form in held])


def _split(text: str, has: Callable[[str], object]) -> Iterator[Form]:
    """Yield the ways to hold a text whose last word others write in parts: the term of the whole where they
    begin, and that of the last part where the value ends.
    """
    last = units(text)[-1:]
    word = fold(last[0].text).replace("-", "") if last else ""
    endings: dict[Form, None] = {}
    for ending in _endings(word):
        if has(ending):
            # Of two parts, or of three, where others write the rest as two words.
            three = _is_two(word.removesuffix(ending), has)
            endings |= {
                (*gap, term): None
                for term in normal_words(ending)
                for gap in (((), ("",)) if three else ((),))
            }
    for form in typed_forms(text) if endings else ():
        if last[0].key in form:
            begun = form[: form.index(last[0].key) + 1]
            yield from ((*begun, *ending) for ending in endings)


def _is_two(word: str, has: Callable[[str], object]) -> bool:
    return any(has(word[:place]) and has(word[place:]) for place in range(1, len(word)))


def _endings(word: str) -> list[str]:
    """Return what may be the last part of a word of several parts."""
    if not word.isalnum():
        return []
    number = re.search(r"\d+$", word)
    return [number[0]] if number else [word[-size:] for size in range(2, len(word) - 1)]


def _stripped(form: Form) -> Form:
    """Return the terms of a form without the function words before them."""
    if form[0]:
        return form
    first = next(place for place, term in enumerate(form) if term)
    return form[first:]


def _any(ways: list[Query]) -> Query | None:
    if not ways:
        return None
    return ways[0] if len(ways) == 1 else Or(tuple(ways))


def name_query(name: str, slop: int = 0) -> Query | None:
    """Return the query for a name: its terms in order, side by side but for `slop` words; None where it has
    none.

    A name of several words is not met where it is denied: non-small cell lung cancer.
    """
    return _any([form_query(form, slop, _DENIAL) for form in forms(name)])


def shortest(names: Iterable[str]) -> Iterator[str]:
    """Yield names, short ones first, without those that contain another of them: who finds that one finds
    these.

    >>> list(shortest(["human breast cancer", "breast cancer", "breast carcinoma", "cancers, breast"]))
    ['breast cancer', 'cancers, breast', 'breast carcinoma']
    """
    held: dict[str, list[Form]] = {}  # those that begin with a term
    for name in sorted(names, key=len):
        found = forms(name)
        if found and not _contains(found[0], held):
            held.setdefault(found[0][0], []).append(found[0])
            yield name


def _contains(form: Form, held: dict[str, list[Form]]) -> bool:
    for start, term in enumerate(form):
        for other in held.get(term, ()):
            if form[start : start + len(other)] == other:
                return True
    return False
