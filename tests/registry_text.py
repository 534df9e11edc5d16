"""A simple idea of text, for the oracle: what is one word, what stands side by side, where in a value.

A text is a path of words; words joined by a hyphen or by nothing may also be taken as one.

>>> value = text_of("An IL-2 trial of tumours")
>>> [stands(asked, value, "Contains") for asked in ("il 2", "il2", "Tumor", "2 il", "il-12")]
[True, True, True, False, False]
>>> stands("an IL2", value, "StartsWith"), stands("trial", value, "EndsWith")
(True, False)
>>> exact("Sjögren", "about  Sjögren's", "Contains"), exact("sjögren", "Sjögren", "Contains")
(True, False)
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["Text", "exact", "stands", "text_of", "units"]

# Words that no run of words asks for, as far as the corpora have them.
_FUNCTION_WORDS = frozenset("a an and as at by for from in is it of on or that the this to was with".split())
_BRITISH = (("our", "or"), ("haem", "hem"), ("oed", "ed"), ("paed", "ped"), ("randomis", "randomiz"))
# A compound is written with a hyphen or without anything between its parts.
_GLUE = re.compile(r"[-‐‑–]?")

# From a place to (word, next place), for each place of a text.
Text = tuple[tuple[tuple[str, int], ...], ...]


def _fold(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char)).replace("’", "'")


@lru_cache(maxsize=1 << 16)
def _normal(word: str) -> str:
    """Return a folded word without its possessive and plural, in American spelling."""
    word = word.removesuffix("'s").replace("'", "")
    for british, american in _BRITISH:
        word = word.replace(british, american) if len(word) > 4 else word
    if word.isalpha() and len(word) > 3:
        if word.endswith("ies"):
            return word[:-3] + "y"
        if word.endswith(("sses", "xes", "ches", "shes")):
            return word[:-2]
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            return word[:-1]
    return word


@lru_cache(maxsize=1 << 17)
def text_of(value: str) -> Text:
    """Return a value as the words that stand at each of its places."""
    found = list(re.finditer(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)?", folded := _fold(value)))
    edges: list[list[tuple[str, int]]] = [
        [(_normal(match[0]), place + 1)] for place, match in enumerate(found)
    ]
    for first in range(len(found)):
        joined = found[first][0]
        for last in range(first + 1, min(first + 4, len(found))):
            if not _GLUE.fullmatch(folded[found[last - 1].end() : found[last].start()]):
                break
            edges[first].append((_normal(joined + found[last][0]), last + 1))
            joined += found[last][0]
    return tuple(map(tuple, edges))


def units(text: str) -> list[str]:
    """Return the words of a run that are asked, each as typed."""
    return [word for word in text.split() if _fold(word) not in _FUNCTION_WORDS and text_of(word)]


def stands(asked: str, value: Text, coverage: str, between: int = 0) -> bool:
    """Whether words stand side by side in a value, where a coverage says; `between`: other words that may
    stand among them.
    """
    wanted = text_of(asked)
    if not wanted:
        return False
    starts = [0] if coverage in {"FullMatch", "StartsWith"} else range(len(value))
    ends = {len(value)} if coverage in {"FullMatch", "EndsWith"} else set(range(len(value) + 1))
    return any(bool(_ends(wanted, 0, value, start, between) & ends) for start in starts)


def _ends(wanted: Text, at: int, value: Text, place: int, between: int) -> set[int]:
    """Return the places of a value behind all ways to read the wanted words from a place on."""
    if at == len(wanted):
        return {place}
    if place >= len(value):
        return set()
    found: set[int] = set()
    for word, after in wanted[at]:
        for held, following in value[place]:
            # The index does not know which function word stood there.
            if word == held or (word in _FUNCTION_WORDS and following == place + 1):
                found |= _ends(wanted, after, value, following, between)
    if at and between:
        found |= _ends(wanted, at, value, place + 1, between - 1)
    return found


def exact(asked: str, value: str, coverage: str) -> bool:
    """Whether a value has exactly this text, as whole words, where a coverage says."""
    asked, value = " ".join(asked.split()), " ".join(value.split())
    for match in re.finditer(re.escape(asked), value):
        before, after = value[: match.start()], value[match.end() :]
        if before[-1:].isalnum() or after[:1].isalnum():
            continue
        if (coverage in {"FullMatch", "StartsWith"} and before) or (
            coverage in {"FullMatch", "EndsWith"} and after
        ):
            continue
        return True
    return False
