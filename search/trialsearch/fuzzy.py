"""What a misspelt name was meant to be.

Candidates are the words of names: of interventions and conditions in the index, and of the vocabulary. A
word is bent only under guards, since a wrong drug is worse than none:

- a word that is part of a known name is never bent (prednisone is not prednisolone), but for a rare spelling
that sounds the same as a name twenty times as frequent: records hold misspellings too;
- short words, words with digits, abbreviations: never (IL-2 is not IL-12);
- prefixes that turn the meaning must agree (hypo- and hyper-, anti-, non-, pre- and post-);
- one edit, spellings of one sound (`ph` and `f`, `y` and `i`, doubled letters) counting as none: two edits
make nilotinib of erlotinib;
- the first sound must agree: names of one class end alike (citalopram, escitalopram).

>>> words = {"cyclophosphamide": 40, "rituximab": 9, "prednisone": 5, "prednisolone": 7, "hypertension": 9}
>>> meant("cyclofosfamide", words), meant("rituximb", words), meant("hypotension", words)
(Spelling(word='cyclophosphamide', distance=0), Spelling(word='rituximab', distance=1), None)
>>> nearest("prednison", words, limit=2)
['prednisone', 'prednisolone']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from trialindex.frozen import frozen

__all__ = ["NameWords", "Spelling", "meant", "near_words", "nearest", "sound"]

_SHORTEST = 5
# A name of which so many letters more cannot be heard is another one.
_MOST_LONGER = 4
_MORE_FREQUENT = 20
_TURNING = ("hypo", "hyper", "anti", "non", "pre", "post", "inter", "intra", "macro", "micro", "un", "de")

# Spellings of one sound, the first written as the second; order matters.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("rh", "r"), ("ch", "k"), ("ck", "k"), ("qu", "k"), ("x", "ks"), ("y", "i"),
    ("sce", "se"), ("sci", "si"), ("ce", "se"), ("ci", "si"), ("c", "k"), ("z", "s"), ("ae", "e"),
    ("oe", "e"),
)  # fmt: skip
_DOUBLED = re.compile(r"([a-z])\1")
# The first letters of words of a first sound, where it is not the sound's own letter alone.
_FIRST_LETTERS = {"e": "eao", "f": "fp", "i": "iy", "k": "kcqx", "s": "scz"}


@frozen
class Spelling:
    """The word that was meant, and how far the typed one is from it: edits that can be heard."""

    word: str
    distance: int


class NameWords(dict[str, int]):
    """Folded words of names -> number of trials, with what tells which of them are near a word: it is worked
    out a first letter at a time, when first asked, and kept. The words do not change after that.
    """

    def __init__(self, words: Mapping[str, int] | Iterable[tuple[str, int]] = ()) -> None:
        super().__init__(words)
        self._by_letter: dict[str, list[str]] | None = None
        self._begun: dict[str, dict[str, _Sounding]] = {}

    def sounding(self, first: str) -> Iterator[_Sounding]:
        """Yield the words, of at least five letters and letters only, that begin with a sound."""
        for letter in _FIRST_LETTERS.get(first, first):
            if letter not in self._begun:
                self._begun[letter] = self._heard(letter)
            if first in self._begun[letter]:
                yield self._begun[letter][first]

    def _heard(self, letter: str) -> dict[str, _Sounding]:
        """Return the words that begin with a letter, by their first sound."""
        if self._by_letter is None:
            table: dict[str, list[str]] = {}
            for word in self:
                if len(word) >= _SHORTEST and word.isalpha():
                    table.setdefault(word[0], []).append(word)
            self._by_letter = table
        found: dict[str, _Sounding] = {}
        words = self._by_letter.get(letter)
        if not words:
            return found
        # All at once: no spelling of a sound spans two lines.
        for word, heard in zip(words, _sound("\n".join(words)).split("\n"), strict=True):
            found.setdefault(heard[:1], _Sounding()).add(word, heard)
        return found


class _Sounding:
    """Words of one first sound: `written` by their lengths, `heard` by the lengths of their sounds."""

    def __init__(self) -> None:
        self.written: dict[int, list[str]] = {}
        self.heard: dict[int, tuple[list[str], list[str]]] = {}

    def add(self, word: str, heard: str) -> None:
        self.written.setdefault(len(word), []).append(word)
        words, sounds = self.heard.setdefault(len(heard), ([], []))
        words.append(word)
        sounds.append(heard)

    def near(self, word: str, heard: str) -> Iterator[str]:
        """Yield the words that are one edit from a word, as it is written or as it is heard, or none."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        for length in range(len(word) - 1, len(word) + 2):
            written = self.written.get(length, ())
            for near, _, _ in process.extract(word, written, scorer=OSA.distance, score_cutoff=1, limit=None):
                yield near
        for length in range(len(heard) - 1, len(heard) + 2):
            words, sounds = self.heard.get(length, ((), ()))
            for _, _, place in process.extract(
                heard, sounds, scorer=OSA.distance, score_cutoff=1, limit=None
            ):
                if abs(len(words[place]) - len(word)) <= _MOST_LONGER:
                    yield words[place]


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """Return a word with one spelling for each sound.

    >>> sound("cyclophosphamide") == sound("ciclofosfamide")
    True
    """
    return _sound(word)


def _sound(text: str) -> str:
    for old, new in _SOUNDS:
        text = text.replace(old, new)
    return _DOUBLED.sub(r"\1", text)


def _turned(one: str, other: str) -> bool:
    """Whether the two words differ by a prefix that turns the meaning."""

    def prefix(word: str) -> str:
        return next((start for start in _TURNING if word.startswith(start)), "")

    first, second = prefix(one), prefix(other)
    return first != second and (one.removeprefix(first)[-4:] == other.removeprefix(second)[-4:])


def meant(word: str, words: Mapping[str, int]) -> Spelling | None:
    """Return the one word that a folded, unknown word was meant to be, or None where that is not sure.

    `words`: folded words of names -> number of trials. Of words equally near the far more frequent one is
    taken; where none is, the meaning is not sure.
    """
    from rapidfuzz.distance import OSA

    if len(word) < _SHORTEST or not word.isalpha():
        return None
    names = words if isinstance(words, NameWords) else NameWords(words)
    own = words.get(word)
    heard = sound(word)
    near: list[tuple[int, int, str]] = []
    for candidate in {one for some in names.sounding(heard[0]) for one in some.near(word, heard)}:
        if candidate == word or _turned(word, candidate):
            continue
        heard_edits = OSA.distance(heard, sound(candidate), score_cutoff=2)
        if own is not None and (heard_edits or words[candidate] < _MORE_FREQUENT * max(own, 1)):
            continue
        edits = OSA.distance(word, candidate, score_cutoff=2)
        near.append((min(heard_edits, edits), -words[candidate], candidate))
    if not near:
        return None
    near.sort()
    distance, _, best = near[0]
    # The records hold misspellings too: a rare word that sounds like the best one is no rival of it.
    rivals = [entry for entry in near[1:] if entry[0] == distance and sound(entry[2]) != sound(best)]
    if any(-frequency * 5 > words[best] for _, frequency, _ in rivals):
        return None
    return Spelling(best, distance)


def nearest(word: str, words: Mapping[str, int], limit: int = 5) -> list[str]:
    """Return the nearest known words, for "did you mean": at most `limit`, the nearest and most frequent
    first.
    """
    from rapidfuzz.distance import JaroWinkler

    found = [
        (round(JaroWinkler.similarity(sound(word), sound(candidate)), 2), words[candidate], candidate)
        for candidate in _candidates(word, words, 40)
        if candidate != word
    ]
    found.sort(key=lambda entry: (-entry[0], -entry[1], entry[2]))
    return [candidate for similarity, _, candidate in found if similarity >= 0.84][:limit]


def near_words(word: str, words: Iterable[str], edits: int) -> dict[str, int]:
    """Return the words at most so many edits from one, and how many; swapped neighbours are one edit.

    >>> near_words("lupus", ["lupus", "lupsu", "lupine"], 1)
    {'lupus': 0, 'lupsu': 1}
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, list(words), scorer=OSA.distance, score_cutoff=edits, limit=None)
    return {near: int(distance) for near, distance, _ in found}


def _candidates(word: str, words: Mapping[str, int], limit: int) -> list[str]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    by_letters = process.extract(
        word, list(words), scorer=OSA.normalized_similarity, limit=limit, score_cutoff=0.6
    )
    heard = {
        candidate: sound(candidate) for candidate in words if abs(len(candidate) - len(word)) <= _MOST_LONGER
    }
    by_sound = process.extract(
        sound(word), heard, scorer=OSA.normalized_similarity, limit=limit, score_cutoff=0.7
    )
    return list(dict.fromkeys([entry[0] for entry in by_letters] + [str(entry[2]) for entry in by_sound]))
