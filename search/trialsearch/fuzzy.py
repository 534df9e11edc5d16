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
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Spelling", "meant", "nearest", "sound"]

_SHORTEST = 5
_MORE_FREQUENT = 20
_TURNING = ("hypo", "hyper", "anti", "non", "pre", "post", "inter", "intra", "macro", "micro", "un", "de")

# Spellings of one sound, the first written as the second; order matters.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("rh", "r"), ("ch", "k"), ("ck", "k"), ("qu", "k"), ("x", "ks"), ("y", "i"),
    ("sce", "se"), ("sci", "si"), ("ce", "se"), ("ci", "si"), ("c", "k"), ("z", "s"), ("ae", "e"),
    ("oe", "e"),
)  # fmt: skip
_DOUBLED = re.compile(r"([a-z])\1")


@dataclass(frozen=True, slots=True)
class Spelling:
    """The word that was meant, and how far the typed one is from it: edits that can be heard."""

    word: str
    distance: int


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """Return a word with one spelling for each sound.

    >>> sound("cyclophosphamide") == sound("ciclofosfamide")
    True
    """
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    return _DOUBLED.sub(r"\1", word)


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
    own = words.get(word)
    heard = sound(word)
    near: list[tuple[int, int, str]] = []
    for candidate in _candidates(word, words, 40):
        if (
            candidate == word
            or len(candidate) < _SHORTEST
            or not candidate.isalpha()
            or _turned(word, candidate)
        ):
            continue
        edits = OSA.distance(word, candidate, score_cutoff=4)
        heard_edits = OSA.distance(heard, sound(candidate), score_cutoff=2)
        if own is not None and (heard_edits or words[candidate] < _MORE_FREQUENT * max(own, 1)):
            continue
        if min(edits, heard_edits) <= 1 and heard[0] == sound(candidate)[0]:
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


def _candidates(word: str, words: Mapping[str, int], limit: int) -> list[str]:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    by_letters = process.extract(
        word, list(words), scorer=OSA.normalized_similarity, limit=limit, score_cutoff=0.6
    )
    heard = {candidate: sound(candidate) for candidate in words if abs(len(candidate) - len(word)) <= 4}
    by_sound = process.extract(
        sound(word), heard, scorer=OSA.normalized_similarity, limit=limit, score_cutoff=0.7
    )
    return list(dict.fromkeys([entry[0] for entry in by_letters] + [str(entry[2]) for entry in by_sound]))
