"""What the trials of an index teach together: abbreviations with their senses, and other names of things.

`trialindex.vocabulary.learning` says what one trial teaches; here its pairs come with the number of trials
that have them, and what enough of them say is kept (`trialindex.vocabulary.learned`).

- An abbreviation keeps a sense that two trials give, or one trial and the vocabulary. Long forms are one
  sense if they mean the same concept, have the same analysed words, or differ by a variant of one word.
- Another name is kept where two trials give it, or one trial and the vocabulary knows one of the two names.
  A pair that the vocabulary knows as two things has to be seen often; a new name that goes with several known
  things keeps the one that nearly all of its trials give, or none.

>>> from trialindex.vocabulary.learned import Learned
>>> import tempfile; path = Path(tempfile.mkdtemp()) / "learned.seg"
>>> given = [("MS\\tmetabolic syndrome", 2), ("MS\\tmitral stenosis", 1), ("MS\\tmultiple sclerosis", 25)]
>>> write_learned(path, given, [("pembrolizumab\\tMK-3475", 38), ("tadalafil\\ttamsulosin", 1)], {})
>>> learned = Learned(path)
>>> [(sense.long, sense.trials) for sense in learned.senses("MS")], learned.senses("ms")
([('multiple sclerosis', 25), ('metabolic syndrome', 2)], ())
>>> learned.names(("mk3475",)), learned.names(("tadalafil",))
((LearnedName(text='pembrolizumab', trials=38, concept=''),), ())
>>> learned.starts(("mk",)), learned.starts(("mk", "9999"))
(True, False)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from trialindex.analysis import fold, normal_words
from trialindex.segments.arrays import ArrayWriter
from trialindex.vocabulary.completions import Linked, write_completions
from trialindex.vocabulary.learned import (
    LearnedName,
    LearnedSense,
    concept_key,
    name_key,
    short_key,
    write_names,
    write_senses,
)
from trialindex.vocabulary.learning import code_parts, loose
from trialindex.vocabulary.near import write_near

__all__ = ["Names", "name_words", "write_learned"]

# Trials that teach something by themselves; those that outweigh a vocabulary which knows better.
_ENOUGH, _OFTEN = 2, 5
# The share of its trials that one known thing must have, of all that a new name goes with.
_NEARLY_ALL = 0.9
# Names that are looked up one by one; more take longer than reading all names.
_MOST_ASKED = 10_000
# Words of names that may be misspelt.
_WORD = re.compile(r"[^\W\d_]{4,}")
# Senses of one abbreviation that a further long form is compared with, the most common first.
_MOST_COMPARED = 50
# Words of which one is a variant of the other: they share that many letters, or begin with as many.
_LEAST_SHARED, _MOST_ADDED, _LEAST_BEGUN, _LEAST_ALIKE = 5, 4, 3, 6  # letters
_MOST_NAMES_CACHED = 1 << 16


class _Meaning(Protocol):
    @property
    def concept(self) -> int: ...
    @property
    def abbreviation(self) -> bool: ...


class _Text(Protocol):
    @property
    def text(self) -> str: ...


class _Concept(Protocol):
    @property
    def names(self) -> Sequence[_Text]: ...


class Names(Protocol):
    """What is asked of a vocabulary."""

    def named(self, name: str) -> Sequence[_Meaning]:
        """Return the concepts that a name means, each with whether the name abbreviates it."""

    def short(self, text: str) -> Sequence[int]:
        """Return the concepts that have an abbreviation, case counted."""

    def identifier(self, number: int) -> str:
        """Return the identifier of a concept."""

    def concept(self, number: int) -> _Concept:
        """Return a concept."""

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the folded names that begin with a prefix, in order, each with a concept."""


def write_learned(
    path: Path,
    definitions: Iterable[tuple[str, int]],
    other_names: Iterable[tuple[str, int]],
    words: Mapping[str, tuple[int, int]],
    vocabulary: Names | None = None,
    *,
    names: Mapping[str, Iterable[tuple[str, int]]] = MappingProxyType({}),
    concepts: Iterable[Linked] = (),
) -> None:
    """Write what pairs teach: (two texts parted by a tab, number of trials), in ascending order of pairs.

    `definitions`: short form and long form; `other_names`: two names; `words`: folded words of names with
    their trials and kinds, for `write_near`; `names` of each kind and linked `concepts`: for
    `write_completions`. What a single trial gives is held for one abbreviation, or one
    name, at a time: memory grows with what is kept. Raises ValueError where pairs are out of order.
    """
    senses = {
        short_key(short): found
        for short, run in _runs(definitions)
        if (found := _senses(short, run, vocabulary))
    }
    others = _names(other_names, vocabulary)
    with ArrayWriter(path) as writer:
        write_senses(writer, senses)
        write_names(writer, others | _by_concept(others))
        write_near(writer, "words", words)
        write_completions(writer, "completions", names, concepts)


def name_words(names: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Return the folded words of names with the trials that have them and the kinds of names, for
    `write_learned`; `names`: each with its trials and the mask of its kind.

    >>> name_words([("lupus nephritis", 3, 1), ("lupus", 4, 1), ("anti-lupus il2", 1, 2)])
    {'lupus': (8, 3), 'nephritis': (3, 1), 'anti': (1, 2)}
    """
    found: dict[str, tuple[int, int]] = {}
    for name, trials, kind in names:
        for word in _WORD.findall(name.partition("\t")[0]):
            held, kinds = found.get(word, (0, 0))
            found[word] = held + trials, kinds | kind
    return found


def _runs(pairs: Iterable[tuple[str, int]]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield each first text with the second ones and their trials."""
    current, held = "", list[tuple[str, int]]()
    for pair, trials in pairs:
        first, _, second = pair.partition("\t")
        if first != current:
            if first < current:
                raise ValueError(f"the pairs are not in ascending order: {first!r} after {current!r}")
            if held:
                yield current, held
            current, held = first, []
        held.append((second, trials))
    if held:
        yield current, held


class _Sense:
    """A sense in the making: its spellings with their trials."""

    def __init__(self, key: tuple[str, ...], concept: int | None) -> None:
        self.key = key
        self.concept = concept
        self.spellings: Counter[str] = Counter()

    @property
    def trials(self) -> int:
        return self.spellings.total()

    def is_of(self, key: tuple[str, ...], concept: int | None) -> bool:
        """Whether a long form of this key, which means a concept or none that is known, has this sense."""
        if concept is not None and self.concept is not None:
            return concept == self.concept
        return key == self.key or _differ_by_variant(key, self.key)


def _senses(short: str, run: list[tuple[str, int]], vocabulary: Names | None) -> list[LearnedSense]:
    """Return the senses of a short form, those of most trials first."""
    known = _known_long_forms(vocabulary, short) if vocabulary else frozenset()
    if not known and len(run) == 1 and run[0][1] < _ENOUGH:  # most of all short forms
        return []
    forms = [loose(long) for long, _ in run]
    totals: dict[str, int] = {}
    for form, (_, trials) in zip(forms, run, strict=True):
        totals[form] = totals.get(form, 0) + trials
    kept = {form: Counter[str]() for form, total in totals.items() if total >= _ENOUGH or form in known}
    if not kept:
        return []
    for form, (long, trials) in zip(forms, run, strict=True):
        if form in kept:
            kept[form][long] = trials
    groups = sorted(kept.values(), key=Counter.total, reverse=True)
    found: list[_Sense] = []
    for spellings in groups:
        long = _commonest(spellings)
        key, concept = normal_words(long), _only_concept(vocabulary, long, short)
        compared = (sense for sense in found[:_MOST_COMPARED] if sense.is_of(key, concept))
        sense = next(compared, None)
        if sense is None:
            sense = _Sense(key, concept)
            found.append(sense)
        elif sense.concept is None:
            sense.concept = concept
        sense.spellings.update(spellings)
    found.sort(key=lambda sense: sense.trials, reverse=True)
    return [_finished(short, sense, vocabulary) for sense in found]


def _finished(short: str, sense: _Sense, vocabulary: Names | None) -> LearnedSense:
    identifier = ""
    if vocabulary is not None and sense.concept is not None:
        identifier = vocabulary.identifier(sense.concept)
    pairs = tuple(f"{short}\t{long}" for long in sorted(sense.spellings))
    return LearnedSense(short, _commonest(sense.spellings), sense.trials, identifier, pairs)


def _commonest(spellings: Counter[str]) -> str:
    """Return the spelling of most trials; of several, the first in order."""
    return min(spellings, key=lambda text: (-spellings[text], text))


def _known_long_forms(vocabulary: Names, short: str) -> frozenset[str]:
    """Return the names, loosely, of the concepts that have an abbreviation."""
    concepts = vocabulary.short(short)
    return frozenset(loose(name.text) for number in concepts for name in vocabulary.concept(number).names)


def _concepts(vocabulary: Names | None, name: str) -> frozenset[int]:
    """Return the concepts that have a name, not as an abbreviation."""
    if vocabulary is None:
        return frozenset()
    return frozenset(sense.concept for sense in vocabulary.named(name) if not sense.abbreviation)


def _only_concept(vocabulary: Names | None, long: str, short: str) -> int | None:
    """Return the concept of a long form: of several, the one that has the abbreviation; None in doubt."""
    concepts = _concepts(vocabulary, long)
    if len(concepts) > 1 and vocabulary is not None:
        concepts = concepts.intersection(vocabulary.short(short))
    return next(iter(concepts)) if len(concepts) == 1 else None


def _differ_by_variant(key: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two keys differ by one word, and that by an ending or a slip.

    >>> _differ_by_variant(("comput", "tomographi"), ("computer", "tomographi"))
    True
    >>> _differ_by_variant(("prostat", "cancer"), ("pancreat", "cancer"))
    False
    >>> _differ_by_variant(("hip", "abduct"), ("hip", "adduct"))
    False
    """
    if len(key) != len(other):
        return False
    differing = [pair for pair in zip(key, other, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    short, long = sorted(differing[0], key=len)
    if len(short) >= _LEAST_SHARED and long.startswith(short):
        return len(long) - len(short) <= _MOST_ADDED
    begun = short[:_LEAST_BEGUN] == long[:_LEAST_BEGUN] and len(short) >= _LEAST_ALIKE
    return begun and short.isalpha() and _one_slip(short, long)


def _one_slip(short: str, long: str) -> bool:
    """Whether two words, the shorter first, differ by one letter changed, added or left out.

    >>> _one_slip("tropic", "trophic"), _one_slip("myelod", "myelic"), _one_slip("abc", "abcde")
    (True, False, False)
    """
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    if len(short) == len(long):
        return short[same + 1 :] == long[same + 1 :]
    return len(long) - len(short) == 1 and short[same:] == long[same + 1 :]


class _Pair(NamedTuple):
    """Two names that trials give one thing; `concept`: what the vocabulary knows one of them as, or None."""

    name: str
    other: str
    trials: int
    new: str  # the name that the vocabulary does not know, where it knows the other
    concept: int | None


def _names(pairs: Iterable[tuple[str, int]], vocabulary: Names | None) -> dict[str, list[LearnedName]]:
    """Return analysed words, joined -> other names, those of most trials first."""
    kept = list(_pairs(pairs, vocabulary))
    going: dict[str, Counter[int]] = {}
    for pair in kept:
        if pair.concept is not None:
            going.setdefault(loose(pair.new), Counter())[pair.concept] += pair.trials
    found: dict[str, dict[tuple[str, ...], Counter[str]]] = {}
    concepts: dict[tuple[str, tuple[str, ...]], str] = {}
    for pair in kept:
        identifier = ""
        if pair.concept is not None and vocabulary is not None:
            known = going[loose(pair.new)]
            if known[pair.concept] < _NEARLY_ALL * known.total():
                continue
            identifier = vocabulary.identifier(pair.concept)
        for asked, answer in ((pair.name, pair.other), (pair.other, pair.name)):
            key = normal_words(answer)
            for way in _ways(asked):
                if way and key and key != way:
                    joined = name_key(way)
                    found.setdefault(joined, {}).setdefault(key, Counter())[answer] += pair.trials
                    if identifier:
                        concepts[joined, key] = identifier
    return {
        joined: sorted(
            (
                LearnedName(_commonest(written), written.total(), concepts.get((joined, key), ""))
                for key, written in answers.items()
            ),
            key=lambda name: (-name.trials, name.text),
        )
        for joined, answers in found.items()
    }


class _Held:
    """The names of a vocabulary, folded, for the many names that are looked up once and are not there.

    They are looked up one by one at first, as a small index has few, and then all read.
    """

    def __init__(self, vocabulary: Names | None) -> None:
        self._vocabulary = vocabulary
        self._left = _MOST_ASKED
        self._all: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        if self._vocabulary is None:
            return False
        folded = fold(name)
        if self._left:
            self._left -= 1
            first, _ = next(self._vocabulary.names(folded), ("", 0))
            return first == folded
        if not self._all:
            self._all = frozenset(held for held, _ in self._vocabulary.names(""))
        return folded in self._all


def _pairs(pairs: Iterable[tuple[str, int]], vocabulary: Names | None) -> Iterator[_Pair]:
    """Yield the pairs that are seen often enough for what the vocabulary knows of them."""
    held = _Held(vocabulary)

    @lru_cache(maxsize=_MOST_NAMES_CACHED)
    def concepts(name: str) -> frozenset[int]:
        return _concepts(vocabulary, name)

    for name, run in _runs(pairs):
        for other, trials in run:
            if trials < _ENOUGH and name not in held and other not in held:
                continue
            ours, theirs = concepts(name), concepts(other)
            if ours & theirs:  # nothing new
                continue
            if ours and theirs:
                if trials >= _OFTEN:
                    yield _Pair(name, other, trials, "", None)
            elif len(ours | theirs) == 1:
                yield _Pair(name, other, trials, other if ours else name, next(iter(ours | theirs)))
            elif trials >= _ENOUGH:
                yield _Pair(name, other, trials, "", None)


def _by_concept(names: Mapping[str, list[LearnedName]]) -> dict[str, list[LearnedName]]:
    """Return the names of each concept, by its key, those of most trials first."""
    found: dict[str, dict[str, LearnedName]] = {}
    for held in names.values():
        for name in held:
            if name.concept:
                known = found.setdefault(concept_key(name.concept), {})
                if name.text not in known or known[name.text].trials < name.trials:
                    known[name.text] = name
    return {
        key: sorted(held.values(), key=lambda one: (-one.trials, one.text)) for key, held in found.items()
    }


def _ways(name: str) -> set[tuple[str, ...]]:
    """Return the analysed words by which a name may be asked: of a research code, parted too."""
    parts = code_parts(name)
    return {normal_words(name), normal_words(" ".join(parts))} if parts else {normal_words(name)}
