"""Words that share letters with another word: what a misspelt one may have been meant to be.

Each word is kept with the number of trials that have it and the kinds of names that it is part of, and is
listed under its trigrams: of the UTF-8 of the word with two marks (zero bytes) before it and after it, so
that the first and the last letters count as much as those between, and a word of five letters with two
letters swapped still shares three of its seven. Words of fewer than four letters, and of more than 64 bytes,
are left out.

Arrays, under a prefix: the dictionary `words` (see `segments.terms`); `trials` uint32 [words]; `kinds` uint8
[words], a bit for each kind; `sizes` uint8 [words], bytes of each; `grams` uint32 [trigrams], the three bytes
big-endian, ascending; `gram_offsets` uint32 or uint64 [trigrams + 1], where the list of each begins;
`gram_words` uint32, the ordinals of the words that have it, ascending.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     write_near(writer, "near", {"asthma": (7, 1), "ataxia": (2, 1), "aspirin": (9, 2)})
>>> near = NearWords(ArrayFile(path), "near")
>>> near.get("asthma"), near.get("asthme"), near.candidates("astma"), near.candidates("astma", kinds=2)
((7, 1), None, [('asthma', 7, 1), ('ataxia', 2, 1), ('aspirin', 9, 2)], [('aspirin', 9, 2)])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter, narrowest
from trialindex.segments.terms import Terms, TermWriter

__all__ = ["ALL_KINDS", "NearWords", "write_near"]

ALL_KINDS = 255
_SHORTEST = 4  # letters
_LONGEST = 64  # bytes
_MARKS = b"\0\0"
# Bytes by which a candidate may be longer or shorter.
_MOST_LONGER = 4
# Of the trigrams of a word, one of so many must be shared, and two at least: what two edits leave is more.
_SHARED = 4
# Entries of the lists that a look-up counts: beyond them, the lists of the commonest trigrams are left out.
_MOST_COUNTED = 80_000


def write_near(writer: ArrayWriter, name: str, words: Mapping[str, tuple[int, int]]) -> None:
    """Write folded words -> (trials, kinds), the kinds as a mask of bits. Raises ValueError on a number that
    does not fit.
    """
    held = {
        data: numbers
        for word, numbers in words.items()
        if len(word) >= _SHORTEST and len(data := word.encode()) <= _LONGEST
    }
    ordered = sorted(held)
    terms = TermWriter(writer, f"{name}.words")
    terms.append(ordered)
    terms.finish()
    for part, place, dtype in (("trials", 0, np.uint32), ("kinds", 1, np.uint8)):
        stream = writer.stream(f"{name}.{part}", dtype)
        stream.append(np.array([held[word][place] for word in ordered], np.int64))
        stream.close()
    writer.put(f"{name}.sizes", np.fromiter(map(len, ordered), np.uint8, len(ordered)))
    grams, numbers = _inverted(ordered)
    distinct, starts = np.unique(grams, return_index=True)
    offsets = np.append(starts, len(grams))
    writer.put(f"{name}.grams", distinct)
    writer.put(f"{name}.gram_offsets", offsets.astype(max(np.dtype(np.uint32), narrowest(len(grams)))))
    writer.put(f"{name}.gram_words", numbers)


def _inverted(words: list[bytes]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the pairs of a trigram and a word that has it, each once: (trigrams[n], word ordinals[n]),
    ascending.
    """
    data = np.frombuffer(_MARKS + b"".join(word + _MARKS for word in words), np.uint8)
    # The marks after a word are those before the next one: each place begins a trigram of one word.
    sizes = np.fromiter((len(word) + len(_MARKS) for word in words), np.int64, len(words))
    numbers = np.repeat(np.arange(len(words), dtype=np.uint64), sizes)
    wide = data.astype(np.uint64)
    codes = wide[:-2] << np.uint64(16) | wide[1:-1] << np.uint64(8) | wide[2:]
    pairs = np.sort(codes << np.uint64(32) | numbers)
    pairs = pairs[np.diff(pairs, prepend=~pairs[:1]) != 0]  # a word may have a trigram twice
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)


def _grams(word: bytes) -> set[int]:
    """Return the trigrams of a word as numbers, big-endian."""
    data = _MARKS + word + _MARKS
    return {int.from_bytes(data[place : place + 3], "big") for place in range(len(data) - 2)}


class NearWords:
    """The words, to be read. Safe to share between threads.

    All methods raise IndexDamaged where what they meet is not what a writer wrote.
    """

    def __init__(self, file: ArrayFile, name: str) -> None:
        self._file = file
        self._name = name
        self._words = Terms(file, f"{name}.words")
        self._trials = file.get(f"{name}.trials", np.uint32)
        self._kinds = file.get(f"{name}.kinds", np.uint8)
        self._sizes = file.get(f"{name}.sizes", np.uint8)
        self._grams = file.get(f"{name}.grams", np.uint32)
        self._starts = file.get(f"{name}.gram_offsets", np.uint32, np.uint64)
        self._lists = file.get(f"{name}.gram_words", np.uint32)
        if (
            not len(self._trials) == len(self._kinds) == len(self._sizes) == len(self._words)
            or len(self._starts) != len(self._grams) + 1
            or self._starts[-1] != len(self._lists)
        ):
            raise file.damaged(f"the parts of its near words {name!r} do not fit together")

    def __len__(self) -> int:
        return len(self._words)

    def get(self, word: str) -> tuple[int, int] | None:
        """Return the trials and the kinds of a folded word, or None where it is none of these."""
        place = self._words.find(word.encode(errors="replace"))
        return None if place < 0 else (self._trials.data[place], self._kinds.data[place])

    def candidates(self, word: str, kinds: int = ALL_KINDS, limit: int = 40) -> list[tuple[str, int, int]]:
        """Return the words that share most with a folded word: (word, trials, kinds), at most `limit`.

        Most is by Dice's coefficient of the trigrams; of equals the one of more trials, then the lower one
        comes first. `kinds`: only words of one of these. The word itself is among them if it is known. A
        word of fewer than four letters, or of more than 64 bytes, has none.
        """
        data = word.encode(errors="replace")
        if len(word) < _SHORTEST or len(data) > _LONGEST or limit <= 0:
            return []
        grams = sorted(_grams(data))
        numbers, shared = self._sharing(grams)
        sizes = self._sizes[numbers].astype(np.int64)
        fits = abs(sizes - len(data)) <= _MOST_LONGER
        if kinds != ALL_KINDS:
            fits &= (self._kinds[numbers] & kinds) != 0
        numbers = numbers[fits]
        alike = shared[fits] / (len(grams) + len(_MARKS) + sizes[fits])
        if len(alike) > limit:
            best = alike >= np.partition(alike, len(alike) - limit)[len(alike) - limit]
            numbers, alike = numbers[best], alike[best]
        order = np.lexsort((numbers, -self._trials[numbers].astype(np.int64), -alike))[:limit]
        return [self._entry(number) for number in numbers[order].tolist()]

    def _entry(self, number: int) -> tuple[str, int, int]:
        try:
            word = self._words[number].decode()
        except UnicodeDecodeError as error:
            raise self._file.damaged(f"a word of {self._name!r} is no text") from error
        return word, self._trials.data[number], self._kinds.data[number]

    def _sharing(self, grams: list[int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the ordinals of words that share enough of these trigrams, ascending, and how many each:
        (ordinals[n], shared[n]). The commonest trigrams are left out where the lists are long.
        """
        lists: list[npt.NDArray[np.uint32]] = []
        counted = 0
        for size, start in sorted(self._stretches(grams)):
            counted += size
            if lists and counted > _MOST_COUNTED:
                break
            if size <= 0 or start + size > len(self._lists):
                raise self._file.damaged(f"a list of {self._name!r} ends before it begins")
            lists.append(self._lists[start : start + size])
        if not lists:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        joined = np.concatenate(lists)
        if int(joined.max()) >= len(self._words):
            raise self._file.damaged(f"a list of {self._name!r} names a word that is not there")
        shared = np.bincount(joined)
        numbers = np.flatnonzero(shared >= max(2, len(lists) // _SHARED))
        return numbers, shared[numbers]

    def _stretches(self, grams: list[int]) -> Iterator[tuple[int, int]]:
        """Yield the length of the list of each trigram that any word has, and where it begins."""
        places = np.searchsorted(self._grams, np.array(grams, np.uint32)).tolist()
        held, starts = self._grams.data, self._starts.data
        for place, gram in zip(places, grams, strict=True):
            if place < len(held) and held[place] == gram:
                yield starts[place + 1] - starts[place], starts[place]
