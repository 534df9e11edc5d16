"""What a misspelt name was meant to be.

Candidates are words of names that share trigrams with the typed word: of the vocabulary, and of interventions
and conditions in the index. What is near enough is searched beside the typed word (`meant`), what is a little
further is only named (`offers`). A wrong drug is worse than none, so a word gives way only under guards:

- a word of a known name never does (prednisone is not prednisolone). One of eight letters or more that only
records have gives way to a known name that is twenty times as frequent, and a slip away: records hold
misspellings too;
- words of four letters or less, words with digits, abbreviations: never (IL-2 is not IL-12);
- digits, lone letters, and the prefixes and endings that turn the meaning must agree (HER2 and HER3, alfa-2a
and -2b, hypo- and hyper-, anti-, non-, pre- and post-, -ose and -ase, -itis and -osis), and the first letter
or sound, but for the first two swapped in a long name: names of one class end alike;
- two spellings of one sound (`ph` and `f`, `y` and `i`, doubled letters) are no edit apart. One edit may be
any where the typed or the meant word has eight letters, and must be a slip where neither has. Two need eight
letters, a known name that trials have, and must leave the consonants as they sound, or both be slips: what
fingers and ears do, a letter left out, doubled, swapped with the next, taken from a neighbouring key, or
heard so (a vowel for a vowel, `c` for `k`, `s` for `z`). Nilotinib and erlotinib are two edits apart, and
neither is a slip;
- of two words equally near, one must be five times as frequent as the other, and twenty times as a twin with
another prefix or ending.

The consonants that are left of `sound` stand for double metaphone, which says the same of 58 of 60 misspelt
drug names, and would be one more compiled dependency.

>>> known = Words({"cyclophosphamide": 40, "rituximab": 9, "prednisone": 5, "prednisolone": 7,
...     "hypertension": 9, "erlotinib": 45})
>>> meant("cyclofosfamide", known), meant("rituximb", known), meant("rliuxymab", known)
(Spelling(word='cyclophosphamide', distance=0), Spelling(word='rituximab', distance=1), None)
>>> meant("prednisone", known), meant("hypotension", known), meant("nilotinib", known)
(None, None, None)
>>> offers("prednisoln", known), offers("nilotinib", known), offers("prednisone hypertension", known)
(['prednisolone', 'prednisone'], ['erlotinib'], [])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import log10
from typing import Protocol

from trialindex.analysis import normal_words
from trialindex.frozen import frozen

__all__ = [
    "ALL_KINDS",
    "Known",
    "Spelling",
    "Words",
    "agree",
    "apart",
    "meant",
    "near_words",
    "offers",
    "parted",
    "sound",
]

# Every kind of name: a mask with a bit for each of `trialindex.vocabulary.concepts.KINDS`.
ALL_KINDS = 255
_SHORTEST = 5
# Letters in which words of one family may end differently.
_ENDING = 3
# Letters from which on two edits may be meant, and one of any sort.
_LONG = 8
# Edits beyond which nothing is meant, and nothing is offered.
_MOST_EDITS = 2
_MOST_OFFERED = 3
# Of the words that share trigrams, so many are compared.
_CANDIDATES = 40
# A name of which so many letters more cannot be heard is another one.
_MOST_LONGER = 4
# How surely a word is meant by another: not at all, by one edit of any sort, by slips only.
_NOT, _EDIT, _SLIPS = 0, 1, 2
# How many times as frequent a name must be: as a word that records have, and as another that is equally near.
_GIVES_WAY = {_EDIT: 200, _SLIPS: 20}
_OUTDOES = 5
# What an offer must have of Jaro and Winkler's similarity, as heard, and what ten times the trials are worth.
_ALIKE_ENOUGH = 0.84
_FREQUENT = 0.01
_MOST_OFFERS = 5
# Letters of the longest word that is taken apart.
_MOST_PARTED = 64

# Prefixes, as they are heard, that make a word mean something else: one for another, and one more or less.
_OPPOSED = (
    ("hipo", "hiper"), ("pre", "post"), ("inter", "intra"), ("makro", "mikro"), ("dihidro", "dehidro"),
    ("mono", "di"), ("di", "tri"), ("mono", "tri"),
)  # fmt: skip
_ADDED = (
    "hiper", "hipo", "post", "anti", "levo", "mono", "deks", "des", "epi", "iso", "non", "nor", "pre", "tri",
    "de", "di", "es", "im", "in", "un", "a",
)  # fmt: skip
_TURNS = frozenset(
    [*_OPPOSED, *((two, one) for one, two in _OPPOSED)]
    + [pair for prefix in _ADDED for pair in ((prefix, ""), ("", prefix))]
)
_PREFIXES = tuple(sorted({prefix for pair in _TURNS for prefix in pair}))

# Endings by which one substance, or disease, is told from another of the same stem, as they are written.
_ENDINGS = (
    ("ase", "ose", "ate", "ite"), ("olone", "ane", "ene", "ine", "one"), ("ol", "yl"), ("itis", "osis")
)  # fmt: skip

# Spellings of one sound, the first written as the second; order matters.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("rh", "r"), ("ch", "k"), ("ck", "k"), ("qu", "k"), ("x", "ks"), ("y", "i"),
    ("sce", "se"), ("sci", "si"), ("ce", "se"), ("ci", "si"), ("c", "k"), ("z", "s"), ("ae", "e"),
    ("oe", "e"),
)  # fmt: skip
_DOUBLED = re.compile(r"([a-z])\1")
_VOWELS = re.compile("[aeiou]")
_FIXED = re.compile(r"\d+|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")

# Each key with those beside it (US layout).
_KEYS = {
    "a": "qwsz", "b": "vghn", "c": "xdfv", "d": "erfcxs", "e": "wsdr", "f": "rtgvcd", "g": "tyhbvf",
    "h": "yujnbg", "i": "ujko", "j": "uikmnh", "k": "iolmj", "l": "opk", "m": "njk", "n": "bhjm",
    "o": "iklp", "p": "ol", "q": "wa", "r": "edft", "s": "wedxza", "t": "rfgy", "u": "yhji", "v": "cfgb",
    "w": "qase", "x": "zsdc", "y": "tghu", "z": "asx",
}  # fmt: skip
# Letters that are heard for one another, and, by letter, what may be typed for it, and heard for it.
_HEARD = ("aeiouy", "ckq", "csz", "ks", "gj")
_HEARD_AS = {letter: "".join(group for group in _HEARD if letter in group) for letter in _KEYS}
_TYPED_AS = {letter: keys + _HEARD_AS[letter] for letter, keys in _KEYS.items()}


class Known(Protocol):
    """What has to be known of words; all are folded."""

    def knows(self, word: str) -> bool:
        """Return whether a word is part of a known name, or an abbreviation."""

    def frequency(self, word: str) -> int:
        """Return how many trials have the term of a word."""

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        """Return words of names of some kinds that share most with a word: (word, trials, kinds)."""


class Words:
    """A small table of words as something known: all of them are of known names."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = words

    def knows(self, word: str) -> bool:
        return word in self._words

    def frequency(self, word: str) -> int:
        return self._words.get(word, 0)

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        """Return the nearest words, by comparing with all."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extract(word, list(self._words), scorer=OSA.normalized_similarity, limit=limit)
        return [(near, self._words[near], kinds) for near, _, _ in found]


@frozen
class Spelling:
    """The word that was meant, and how many edits the typed one is from it, as written or as heard."""

    word: str
    distance: int


@lru_cache(maxsize=10_000)
def sound(word: str) -> str:
    """Return a word with one spelling for each sound.

    >>> sound("cyclophosphamide") == sound("ciclofosfamide")
    True
    """
    return _DOUBLED.sub(r"\1", _respelt(word))


def _respelt(word: str) -> str:
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    return word


def apart(word: str, other: str) -> int:
    """Return how many edits two words are apart, as written or as heard, whichever is less: letters put in,
    left out, replaced, or swapped with the next (optimal string alignment).

    >>> apart("cyclofosfamide", "cyclophosphamide"), apart("rituxmiab", "rituximab"), apart("lung", "lunge")
    (0, 1, 1)
    """
    from rapidfuzz.distance import OSA

    return min(OSA.distance(word, other), OSA.distance(sound(word), sound(other)))


def agree(word: str, other: str) -> bool:
    """Return whether two words or names agree in what no misspelling changes: digits, lone letters, and
    prefixes that turn the meaning.

    >>> agree("alfa-2a", "alpha-2a"), agree("alfa-2a", "alfa-2b"), agree("her2", "her3")
    (True, False, False)
    >>> agree("hipertension", "hypertension"), agree("hypotension", "hypertension")
    (True, False)
    """
    if _FIXED.findall(word) != _FIXED.findall(other):
        return False
    words, others = word.split(), other.split()
    return len(words) != len(others) or not any(map(_turned, words, others))


def _turned(word: str, other: str) -> bool:
    """Return whether one word is the other with another prefix or ending that turns the meaning, or without
    that prefix.
    """
    from rapidfuzz.distance import OSA

    one, two = _parts(word), _parts(other)
    return _ends_otherwise(word, other) or any(
        (first, second) in _TURNS and rest[:1] == left[:1] and OSA.distance(rest, left, score_cutoff=1) <= 1
        for first, rest in one
        for second, left in two
    )


def _ends_otherwise(word: str, other: str) -> bool:
    ends = ((_ending(word, group), _ending(other, group)) for group in _ENDINGS)
    return any(
        one != two and one and two and sound(word.removesuffix(one)) == sound(other.removesuffix(two))
        for one, two in ends
    )


def _ending(word: str, group: tuple[str, ...]) -> str:
    return next((ending for ending in group if word.endswith(ending)), "")


def _parts(word: str) -> list[tuple[str, str]]:
    """Return each prefix that a word begins with, as heard, none among them, with the rest."""
    heard = _respelt(word)  # in antiinflammatory both letters count
    parts = [(prefix, heard[len(prefix) :]) for prefix in _PREFIXES if heard.startswith(prefix)]
    return [(prefix, _DOUBLED.sub(r"\1", rest)) for prefix, rest in parts]


@frozen
class _Near:
    """A known word beside a typed one: so many edits apart as written, and as `apart` says; in the names of
    so many trials; how surely it is meant.
    """

    word: str
    written: int
    distance: int
    named: int
    grade: int
    known: Known

    @property
    def trials(self) -> int:
        """How many trials have it: counting takes time, and few of the words are looked at so closely."""
        return self.known.frequency(self.word)


def meant(word: str, known: Known, kinds: int = ALL_KINDS) -> Spelling | None:
    """Return the one word that a folded word was meant to be, or None where it is known, or nothing is sure.

    `kinds`: names of one of these are meant.
    """
    if not _bends(word) or known.knows(word) or not normal_words(word):
        return None  # the last are function words, which are in every trial
    if len(word) < _LONG and known.frequency(word):
        return None  # most short words that records have are words of their own
    near = _compared(word, known, kinds)
    likely = [one for one in near if one.grade > _NOT]
    if not likely:
        return None
    likely.sort(key=lambda one: (one.distance, -one.trials, -one.named))
    own = known.frequency(word)
    best = next((one for one in likely if _passes(own, one, known)), None)
    if best is None or (own and _is_of_a_family(word, best.word, known, kinds)):
        return None
    if not (best.trials and known.knows(best.word)):
        # What the records have may be misspelt itself, and a name that none of them has is not often meant.
        best = next((one for one in likely if _corrects(one, best, known)), best)
    if any(_rivals(one, best) for one in near if one is not best):
        return None
    return Spelling(best.word, best.distance)


def _bends(word: str) -> bool:
    """Return whether a word is long enough, and of letters only."""
    return len(word) >= _SHORTEST and word.isalpha()


def _passes(own: int, one: _Near, known: Known) -> bool:
    """Return whether a word that `own` trials have may be taken for another, whatever else is near; it has
    eight letters where any have it.
    """
    if not own:
        if one.distance > 1:
            return one.grade == _SLIPS and one.trials > 0 and known.knows(one.word)
        # Trials that lack a name have its concept's other names.
        return one.grade >= (_EDIT if one.trials else _SLIPS)
    # Most that are two edits apart are words of their own.
    near = one.written == 1 or not one.distance
    return near and one.grade > _NOT and one.trials >= _GIVES_WAY[one.grade] * own and known.knows(one.word)


def _is_of_a_family(word: str, other: str, known: Known, kinds: int) -> bool:
    """Return whether a word is one of known words that differ in their ends, where the other is not:
    adsorptive of adsorption, not absorptive.
    """
    from rapidfuzz.distance import Prefix

    stem = word[: max(Prefix.similarity(word, other) + 1, len(word) - _ENDING)]
    held = (near for near, _, _ in known.near(word, kinds, _CANDIDATES))
    return any(near.startswith(stem) and near != word and known.knows(near) for near in held)


def _corrects(one: _Near, best: _Near, known: Known) -> bool:
    """Return whether a known name is meant rather than the best word, though it may be an edit further."""
    near = one.grade > _NOT and one.distance <= best.distance + 1 and known.knows(one.word)
    if not best.trials:
        return near and one.trials > 0
    return near and apart(one.word, best.word) <= 1 and one.trials >= _GIVES_WAY[_SLIPS] * best.trials


def _rivals(one: _Near, best: _Near) -> bool:
    """Return whether a word makes it unsure that the best was meant."""
    if one.distance > best.distance:
        return False
    if _turned(one.word, best.word):
        # A letter short of hypertension may be a letter other than hypotension.
        return one.trials * _GIVES_WAY[_SLIPS] > best.trials
    if one.grade == _NOT and best.distance > 1:
        return False  # of words two edits away, those that slips explain are far likelier
    if sound(one.word) == sound(best.word) or normal_words(one.word) == normal_words(best.word):
        return False  # the records hold misspellings, and names have spellings
    return one.trials * _OUTDOES > best.trials or one.trials == best.trials


def _compared(word: str, known: Known, kinds: int) -> list[_Near]:
    """Return the other words at most two edits from a word that agree with it, nearest trigrams first."""
    from rapidfuzz.distance import OSA

    found = []
    for other, named, _ in known.near(word, kinds, _CANDIDATES):
        if other == word or not _bends(other) or abs(len(other) - len(word)) > _MOST_LONGER:
            continue
        written, heard = OSA.distance(word, other), OSA.distance(sound(word), sound(other))
        distance = min(written, heard)
        if distance <= _MOST_EDITS and agree(word, other):
            grade = _grade(word, other, written, heard)
            found.append(_Near(other, written, distance, named, grade, known))
    return found


def _grade(word: str, other: str, written: int, heard: int) -> int:
    """Return how surely one word is meant by another that is so many edits from it; see the guards above."""
    one, two = sound(word), sound(other)
    if one == two:
        return _SLIPS
    long = max(len(word), len(other)) >= _LONG
    swapped = written == 1 and long and word[:2] == other[1::-1]
    if word[0] != other[0] and one[0] != two[0] and not swapped:
        return _NOT
    if written > _MOST_EDITS:
        return _SLIPS if heard == 1 and len(word) >= _LONG and _slipped(one, two, 1, _HEARD_AS) else _NOT
    if not long:
        slips = written == 1 and (_slipped(word, other, 1, _TYPED_AS) or _slipped(one, two, heard, _HEARD_AS))
        return _SLIPS if slips else _NOT
    # Of a name of eight letters that has lost one, another is not sure to be lost, but for its end.
    most = 2 if len(word) >= _LONG else 1
    slips = (
        other.startswith(word)
        or _skeleton(one) == _skeleton(two)
        or (written <= most and _slipped(word, other, written, _TYPED_AS))
        or (heard <= most and _slipped(one, two, heard, _HEARD_AS))
    )
    if slips:
        return _SLIPS
    return _EDIT if written == 1 else _NOT


def _skeleton(heard: str) -> str:
    """Return the first letter of a word as heard, and its other consonants, of equal neighbours one."""
    return _DOUBLED.sub(r"\1", heard[:1] + _VOWELS.sub("", heard[1:]))


def _slipped(
    typed: str, meant: str, slips: int, taken: Mapping[str, str], before: str = "", last: str = ""
) -> bool:
    """Return whether a word may have come to be typed by at most so many slips.

    Two letters side by side are not both taken for others, nor one and the next left out: look-alikes differ
    by a syllable. `taken`: letter -> the letters for which it may stand; `before`: the letter typed before
    the word; `last`: which of these slips was made just before it.
    """
    same = 0
    while same < min(len(typed), len(meant)) and typed[same] == meant[same]:
        same += 1
    if same:
        before, typed, meant, last = typed[same - 1], typed[same:], meant[same:], ""
    if not typed and not meant:
        return True
    if not slips:
        return False
    ways = []  # what is left of both words after a slip, the letter before, and the slip
    if meant and last != "taken":
        ways.append((typed, meant[1:], before, "left out"))
    if typed and meant and not last and meant[0] in taken.get(typed[0], ""):
        ways.append((typed[1:], meant[1:], typed[0], "taken"))
    if typed and typed[0] in {before, typed[1:2]}:
        ways.append((typed[1:], meant, typed[0], ""))  # doubled
    if len(typed) > 1 and typed[:2] == meant[1::-1]:
        ways.append((typed[2:], meant[2:], typed[1], ""))  # swapped
    return any(_slipped(typed, meant, slips - 1, taken, before, last) for typed, meant, before, last in ways)


def offers(word: str, known: Known, kinds: int = ALL_KINDS, limit: int = _MOST_OFFERS) -> list[str]:
    """Return what else a folded word may have been meant to be, for "did you mean": at most `limit` known
    words, the likeliest first. Nothing of it is sure.

    A word that runs two known ones together is offered with its parts apart.
    """
    from rapidfuzz.distance import JaroWinkler

    if not _bends(word):
        return []
    heard = sound(word)
    likely: list[tuple[float, str]] = []
    for other, _, _ in known.near(word, kinds, _CANDIDATES):
        if other == word or not _bends(other):
            continue
        alike = JaroWinkler.similarity(heard, sound(other))
        edits = apart(word, other)
        if edits <= _MOST_EDITS or (edits <= _MOST_OFFERED and alike >= _ALIKE_ENOUGH):
            likely.append((alike + _FREQUENT * log10(1 + known.frequency(other)), other))
    likely.sort(key=lambda entry: (-entry[0], entry[1]))
    pair = parted(word, known)
    return [*([" ".join(pair)] if pair else []), *(other for _, other in likely)][: max(limit, 0)]


def parted(word: str, known: Known) -> tuple[str, str] | None:
    """Return the two known words that a folded word runs together, or None where there are none.

    Of several ways the one whose rarer word is most frequent. Words of less than four letters are parts of
    many words.

    >>> parted("breastcancer", Words({"breast": 9, "cancer": 20})), parted("breastbone", Words({"breast": 9}))
    (('breast', 'cancer'), None)
    """
    if not word.isalpha() or known.knows(word):
        return None
    ways = [
        (min(known.frequency(first), known.frequency(second)), first, second)
        for place in range(_SHORTEST - 1, min(len(word), _MOST_PARTED) - _SHORTEST + 2)
        if known.knows(first := word[:place]) and known.knows(second := word[place:])
    ]
    return max(ways)[1:] if ways else None


def near_words(word: str, words: Iterable[str], edits: int) -> dict[str, int]:
    """Return the words at most so many edits from one, and how many; swapped neighbours are one edit.

    >>> near_words("lupus", ["lupus", "lupsu", "lupine"], 1)
    {'lupus': 0, 'lupsu': 1}
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, list(words), scorer=OSA.distance, score_cutoff=edits, limit=None)
    return {near: int(distance) for near, distance, _ in found}
