"""Query to query: each term becomes the ways in which trials may write it.

Beside the words as typed stand the other names of what they name, the link that building made between trials
and concepts, and, where a word is unknown and a name is near, the name that was meant (`trialsearch.named`);
as far as its level says, and where in a value its coverage says (`trialsearch.levels`). Every way says how it
came about, and is worth a little less than the words as typed.

What is known comes in by `Lexicon`, so that this stage needs no disk and tests can give it any knowledge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialindex.errors import QueryError
from trialsearch.levels import Context, phrase, words
from trialsearch.lexicon import Lexicon
from trialsearch.query import (
    And,
    AtSite,
    Best,
    Covered,
    Expanded,
    In,
    Not,
    Nothing,
    Or,
    Phrase,
    Prefix,
    Query,
    Tilted,
    Words,
    conjunction,
)

if TYPE_CHECKING:
    from trialsearch.lists import Recent

__all__ = ["Expansion", "expand", "says_nothing"]

_NOTHING_SAID = Context()


class Expansion:
    """How to expand, and what came of it.

    `notes`: what the user should know (which sense was taken, what is ambiguous). `doubted`: folded words
    that the vocabulary does not know, and that were not bent, with the area they were asked in. `all_names`:
    whether names are asked too that have a word which no trial has (`trialsearch.trimming` takes them away).
    `known`: names with their ways that other questions asked on the same index; they are asked as the same
    nodes again, so that their lists are kept too.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        synonyms: bool = True,
        fuzzy: bool = True,
        notes: list[str] | None = None,
        all_names: bool = True,
        known: Recent[Best] | None = None,
    ) -> None:
        self.lexicon = lexicon
        self.synonyms = synonyms
        self.fuzzy = fuzzy
        self.notes = [] if notes is None else notes
        self.all_names = all_names
        self.known = known
        self.doubted: list[tuple[str, str]] = []

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """The doubted words that the index does not know either: counted when they are looked at."""
        return [(word, area) for word, area in self.doubted if not self.lexicon.frequency(word)]

    def plain(self, notes: list[str] | None = None) -> Expansion:
        """Return one that guesses no spellings, and notes what it finds in `notes`."""
        return Expansion(self.lexicon, self.synonyms, False, notes, self.all_names)


def expand(
    query: Query, expansion: Expansion, area: str = "BasicSearch", context: Context | None = None
) -> Query:
    """Return the query with its terms widened; the rest of the tree as it is.

    `context`: the level and the coverage that hold where the query says none itself. Raises QueryError where
    the two cannot go together, or not with a prefix.
    """
    context = context or _NOTHING_SAID
    match query:
        case Words(text):
            return words(text, area, context, expansion)
        case Phrase(text):
            return phrase(text, area, context, expansion)
        case Prefix():
            return _prefix(query, context)
        case In(inner, part):
            return In(inner, expand(part, expansion, inner, context))
        case Expanded(level, part):
            return expand(part, expansion, area, Context(level, context.coverage))
        case Covered(how, part):
            return expand(part, expansion, area, Context(context.level, how))
        case Tilted(field, part):
            return Tilted(field, expand(part, expansion, area, context))
        case AtSite(part):
            return AtSite(expand(part, expansion, "LocationSearch", context))
        case And(parts):
            return _all_of([expand(part, expansion, area, context) for part in parts])
        case Or(parts):
            return Or(tuple(expand(part, expansion, area, context) for part in parts))
        case Not(part):
            # What is to be left out is taken at its word: a guessed spelling must not remove trials.
            return Not(expand(part, expansion.plain(expansion.notes), area, context))
        case _:
            return query


def says_nothing(query: Query) -> bool:
    """Whether a widened query has function words only: beside others it is left out (`"a b" and "c d"`)."""
    return isinstance(query, Nothing) or (isinstance(query, In | Tilted) and says_nothing(query.part))


def _all_of(parts: list[Query]) -> Query:
    telling = [part for part in parts if not says_nothing(part)]
    return conjunction(telling) if telling else parts[0]


def _prefix(query: Prefix, context: Context) -> Query:
    if context.level == "None" or context.how != "Contains":
        said = "EXPANSION[None]" if context.level == "None" else f"COVERAGE[{context.how}]"
        raise QueryError(f"{query} is any word that begins so, and goes not with {said}: leave one out")
    return query
