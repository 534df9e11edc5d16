"""The words of `linking.tsv`, by what they do in a condition or an intervention string."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trialindex.analysis import normal_words

__all__ = ["Side", "Tables", "word_tables"]


# The roles of `linking.tsv` that differ by kind, in the order of Side's fields.
_ROLES = ("modifier", "salt", "adjective", "generic", "after")


class Side(NamedTuple):
    """How strings of one kind are read: the kinds of concepts that they may mean, likeliest first (`whole` of
    a whole string, `part` of a part, `span` of a span), and analysed words by what they do. `leaving`: all
    that leave a name what it is, whether modifiers, salts or units.
    """

    whole: tuple[str, ...]
    part: tuple[str, ...]
    span: tuple[str, ...]
    modifiers: frozenset[str]
    salts: frozenset[str]
    adjectives: frozenset[str]
    generic: frozenset[str]
    after: frozenset[str]
    leaving: frozenset[str]


class Tables(NamedTuple):
    condition: Side
    intervention: Side
    units: frozenset[str]
    numbered: frozenset[str]
    joins: frozenset[str]
    before: frozenset[str]
    before_of: frozenset[str]
    placebo: dict[str, str]
    joined: re.Pattern[str]
    denying: frozenset[str]


@cache
def word_tables() -> Tables:
    """Return the words of `linking.tsv`."""
    rows = [
        line.split("\t")
        for line in Path(__file__).with_name("linking.tsv").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]

    def words(role: str, *kinds: str) -> list[str]:
        return [word for row in rows if row[0] == role and row[1] in kinds for word in row[2].split()]

    def keys(role: str, *kinds: str) -> frozenset[str]:
        return frozenset(key for word in words(role, "both", *kinds) for key in _keys_of(word))

    def side(kind: str, whole: str, part: str, span: str) -> Side:
        modifiers, salts, adjectives, generic, after = (keys(role, kind) for role in _ROLES)
        kinds = tuple(whole.split()), tuple(part.split()), tuple(span.split())
        return Side(*kinds, modifiers, salts, adjectives, generic, after, modifiers | salts | units)

    units = keys("unit")
    denying = words("prefix", "both")
    together = "|".join([*denying, *words("together", "both")])
    return Tables(
        condition=side("condition", "condition procedure other", "condition", "condition"),
        intervention=side(
            "intervention",
            "intervention procedure other",
            "intervention procedure other",
            "intervention procedure",
        ),
        units=units,
        numbered=keys("numbered"),
        joins=keys("joins"),
        before=keys("before"),
        before_of=keys("before-of"),
        placebo={key: row[1] for row in rows if row[0] == "placebo" for key in _keys_of(row[2])},
        joined=re.compile(rf"\b({together})\s+(?=[^\W\d])", re.IGNORECASE),
        denying=frozenset(denying),
    )


def _keys_of(words: str) -> Iterator[str]:
    for word in words.split():
        yield from normal_words(word)
