"""Links: the concepts that a trial's condition and intervention strings mean.

Registries take these strings as sponsors write them: `Stage IV Lupus Nephritis (LN)`, `Placebo for Drug A`,
`Drug A 500 mg tablets + Drug B`. A string is read in steps, each looser than the one before; the first that
finds something ends it, and every link says by which it came (`Link.how`):

| how | what was compared |
|---|---|
| exact | the whole string, by analysed words; a short form with its capitals |
| inverted | the parts around a comma exchanged, words at the end put first: `Lupus Erythematosus, Systemic` |
| bracket | what stands outside the brackets; then what stands in them |
| spelling | compounds apart or together: `non small cell`, `non-small cell` |
| stripped | without stage, course and age; without dose, form, route, schedule and salt |
| part | a part between `and`, `or`, `with`, `,`, `/`, `+`, whole or stripped |
| span | the longest names inside a part, then the longest in what is left |

What a string denies is no link: `without X`, `X negative`, `non-X`, `risk of X`, `X placebo`, `X antagonist`.
The words that do so, and those that are stripped, are rows of `linking.tsv`.

>>> from trialindex.vocabulary.concepts import Concept, Name
>>> from trialindex.vocabulary.mapped import Vocabulary
>>> pain = Concept("D010146", "condition", (Name("Pain", "mesh"),), (), ())
>>> linker = Linker(Vocabulary.of([pain]))
>>> linker.condition("Severe Pain"), linker.condition("pain and nausea"), linker.condition("risk of pain")
((Link(concept=0, how='stripped'),), (Link(concept=0, how='part'),), ())
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from trialindex.analysis import normal_words, prepare
from trialindex.vocabulary.linking_lookup import CAPITALS, Found, Link, Lookup, Names, once
from trialindex.vocabulary.linking_reading import (
    GIVEN,
    HARD,
    MOST_TURNED,
    MOST_WORDS,
    NEAREST,
    PUNCTUATION,
    SHORTEST_ACRONYM,
    SOFT,
    Reading,
    Word,
    adjacent,
    cut,
    parts_placebo,
    read_words,
)
from trialindex.vocabulary.linking_tables import Side, word_tables

__all__ = ["Link", "Linker", "Names"]


_LONGEST_TEXT = 400  # characters read of a string
_LONGEST_CACHED = 200  # characters
_CACHED = 32_768  # strings a kind


class Linker:
    """Links strings to the concepts of a vocabulary.

    The answers for short strings are kept, the latest of each kind; safe to share between threads. A string
    of any length costs a bounded amount of work: of a long one only the beginning is read.
    """

    def __init__(self, vocabulary: Names) -> None:
        self.vocabulary = vocabulary
        self._lookup = Lookup(vocabulary)
        self._tables = tables = word_tables()
        identifier = lru_cache(_CACHED)(vocabulary.identifier)
        self._lineage = lru_cache(_CACHED)(
            lambda concept: tuple(
                [(identifier(one), steps) for one, steps in ((concept, 0), *vocabulary.ancestors(concept))]
            )
        )
        self._of_condition = _cached(lambda text: self._link(text, tables.condition))
        self._of_intervention = _cached(lambda text: self._link(text, tables.intervention))

    def lineage(self, concept: int) -> tuple[tuple[str, int], ...]:
        """Return the ids of a concept and of all above it, each with its distance, nearest first."""
        return self._lineage(concept)

    def condition(self, text: str, beside: Collection[int] = ()) -> tuple[Link, ...]:
        """Return what a condition string means, each concept once; () where nothing is known by it.

        `beside`: the concepts of the trial's other strings. A short form that means several things is the one
        that is among them and what else the string means, or the only one close to one of them in the
        hierarchy; without such a one it is no link.
        """
        return self._decided(self._of_condition(text), beside)

    def intervention(self, text: str, beside: Collection[int] = ()) -> tuple[Link, ...]:
        """Return what an intervention string means: interventions, procedures, other things; no condition."""
        return self._decided(self._of_intervention(text), beside)

    def _decided(self, found: Found, beside: Collection[int]) -> tuple[Link, ...]:
        if not found.open:
            return found.links
        links = list(found.links)
        known = {*beside, *(link.concept for link in links)}
        for candidates, how in found.open:
            nearest = self._nearest(candidates, known)
            if nearest is not None:
                links.append(Link(nearest, how))
        return once(links)

    def _nearest(self, candidates: Sequence[int], beside: Collection[int]) -> int | None:
        """Return the candidate closest to a concept in a set, by steps up to a shared ancestor and down
        again; None where two are equally close, or none is close.
        """
        heights = [{one: 0, **dict(self._lookup.ancestors(one))} for one in sorted(beside)[:MOST_WORDS]]
        ranked: list[tuple[int, int]] = []
        for candidate in candidates:
            own = {candidate: 0, **dict(self._lookup.ancestors(candidate))}
            ways = [own[one] + other[one] for other in heights for one in own.keys() & other.keys()]
            if ways and min(ways) <= NEAREST:
                ranked.append((min(ways), candidate))
        ranked.sort()
        if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return ranked[0][1]

    def _link(self, text: str, side: Side) -> Found:
        text = prepare(text[:_LONGEST_TEXT]).strip(PUNCTUATION)
        words = read_words(text)
        if not words:
            return Found()
        found = self._whole(text, words, side, side.whole, "exact")
        if found is None and side is self._tables.intervention:
            found = self._placebo(text, words, side)
        if found is None:
            found = self._inverted(words, side) or self._bracketed(text, words, side)
        if found is None:
            joined = self._tables.joined.sub(r"\1-", text)
            found = self._spelt(text, joined, words, side)
        if found is None:
            words = words if joined == text else read_words(joined)
            found = Reading(self._lookup, self._tables, side, joined, words).found()
        return found

    def _whole(
        self, text: str, words: Sequence[Word], side: Side, kinds: tuple[str, ...], how: str
    ) -> Found | None:
        """Return what words are as one name: a short form with its capitals, or a full name."""
        if not words:
            return None
        raw = text[words[0].start : words[-1].end]
        shorts = self._lookup.short_forms(raw, side.part)
        if len(shorts) == 1:
            return Found((Link(shorts[0], how),))
        if concepts := self._named(tuple(word.key for word in words), kinds, raw):
            return Found(tuple(Link(concept, how) for concept in concepts))
        return Found((), ((shorts, how),)) if shorts else None

    def _named(self, key: tuple[str, ...], kinds: tuple[str, ...], raw: str = "") -> tuple[int, ...]:
        return self._lookup.chosen(self._lookup.senses(key), kinds, raw)

    def _inverted(self, words: Sequence[Word], side: Side) -> Found | None:
        """Return what a string means whose parts around commas are exchanged."""
        keys = [word.key for word in words]
        size = len(keys)
        if size < 2 or size > MOST_WORDS or any(HARD.search(word.gap) for word in words):
            return None
        commas = [place for place, word in enumerate(words) if "," in word.gap]
        if 1 < len(commas) < 4:
            bounds = [0, *commas, size]
            parts = [keys[start:stop] for start, stop in pairwise(bounds)]
            return self._first([[key for part in reversed(parts) for key in part]], side, "inverted")
        if (
            len(commas) > 1
            or (not commas and size > MOST_TURNED)
            or any(SOFT.search(word.gap) for word in words if "," not in word.gap)
        ):
            return None
        concepts = self._lookup.turned(keys, commas or range(1, size), side.part)
        return Found(tuple(Link(concept, "inverted") for concept in concepts)) if concepts else None

    def _first(self, orders: Iterable[Sequence[str]], side: Side, how: str) -> Found | None:
        for order in orders:
            if concepts := self._named(tuple(order), side.part):
                return Found(tuple(Link(concept, how) for concept in concepts))
        return None

    def _bracketed(self, text: str, words: Sequence[Word], side: Side) -> Found | None:
        """Return what stands outside the brackets, and what full name in them says more."""
        outside = [word for word in words if not word.inside]
        inside = [word for word in words if word.inside]
        if not outside or not inside:
            return None
        turned = [word.key for word in (*inside, *outside)]
        if found := self._first([turned], side, "inverted"):
            return found
        found = self._whole(text, outside, side, side.part, "bracket") if adjacent(outside) else None
        found = found or self._first([[word.key for word in outside]], side, "bracket")
        found = found or self._inverted(outside, side)
        if found is None or not found.links:
            return found
        if CAPITALS.fullmatch(text[inside[0].start : inside[-1].end]):
            return found
        more = self._first([[word.key for word in inside]], side, "bracket")
        return Found(once((*found.links, *more.links)), found.open) if more else found

    def _spelt(self, text: str, joined: str, words: Sequence[Word], side: Side) -> Found | None:
        """Return what a string means whose compounds are written together, or apart; a short form with a
        name's capitals: `Ptsd`.
        """
        if len(words) == 1 and text.istitle():
            shorts = self._lookup.short_forms(text.upper(), side.part)
            if len(shorts) == 1 and len(text) >= SHORTEST_ACRONYM:
                return Found((Link(shorts[0], "spelling"),))
        orders: list[Sequence[str]] = []
        if any(word.apart for word in words):
            orders.append([key for word in words for key in word.apart or (word.key,)])
        if joined != text:
            orders.append(normal_words(joined))
            orders.append(normal_words(self._tables.joined.sub(r"\1", text)))
        return self._first(orders, side, "spelling")

    def _placebo(self, text: str, words: Sequence[Word], side: Side) -> Found | None:
        """Return the placebo that a string names, and what else is given beside it; None without one."""
        names = self._tables.placebo
        if not any(word.key in names for word in words):
            return None
        links: list[Link] = []
        still: list[tuple[tuple[int, ...], str]] = []
        for part in cut(words, [parts_placebo(before, word, names) for before, word in pairwise(words)]):
            at = next((place for place, word in enumerate(part) if word.key in names), None)
            if at is None:
                raw = text[part[0].start : part[-1].end]
                found = self._link(raw, side)
                links.extend(Link(link.concept, "part") for link in found.links)
                still.extend((candidates, "part") for candidates, _ in found.open)
                continue
            concepts = self._named(normal_words(names[part[at].key]), side.whole)
            links.extend(Link(concept, "part") for concept in concepts)
            if GIVEN.match(text, part[at].end):
                # `placebo for A and B`: all that follows is what it stands for.
                break
        return Found(once(links), tuple(still))


def _cached(answer: Callable[[str], Found]) -> Callable[[str], Found]:
    """Return a function that keeps its latest answers; those on long strings, which do not come twice, it
    does not keep.
    """
    kept = lru_cache(maxsize=_CACHED)(answer)
    return lambda text: kept(text) if len(text) <= _LONGEST_CACHED else answer(text)
