"""What the trials of an index teach, in one file that is opened by mapping it: abbreviations with their
senses, and other names of things.

What is kept of all that trials say is told in `trialindex.vocabulary.teaching`.

Arrays: dictionaries (`segments.terms`) `shorts`, small letters, a tab, the short form, and `keys`, the
analysed words of a name, parted by unit separators, or a record separator and the id of a concept, whose
names these are; `shorts.starts` and `keys.starts` uint32 [terms + 1],
where the senses or names of each begin; `senses.trials` and `names.trials` uint32; `senses.pairs` uint32
[senses + 1], where the long forms of each begin; texts, `bytes` uint8 and `offsets` uint32 or uint64
[texts + 1]: `senses.long`, `senses.concept`, `senses.written` (long forms as in the pairs), `names.text`,
`names.concept`; the words of names (`vocabulary.near`): `words`; names to go on with what was typed
(`vocabulary.completions`): `completions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from trialindex.analysis import fold
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.terms import Terms, TermWriter
from trialindex.vocabulary.near import NearWords

if TYPE_CHECKING:
    from trialindex.vocabulary.completions import Completions

__all__ = [
    "Learned", "LearnedName", "LearnedSense", "concept_key", "name_key", "short_key", "write_names",
    "write_senses",
]  # fmt: skip

T = TypeVar("T")

# Sorts before whatever a word may have, so that names that go on come just after those that end.
_PARTED = "\x1f"
# What no word begins with.
_CONCEPT = "\x1e"


class LearnedSense(NamedTuple):
    """A sense of an abbreviation.

    `short`: with its case; `long`: its commonest spelling; `trials`: how many define it so (one with two
    spellings may count twice); `concept`: the identifier of the concept that the vocabulary has for it, or
    ""; `pairs`: the definitions of this sense, as the index has them (short form, tab, long form).
    """

    short: str
    long: str
    trials: int
    concept: str
    pairs: tuple[str, ...]


class LearnedName(NamedTuple):
    """Another name of a thing. `concept`: the identifier of what the vocabulary knows it, or the name that it
    was asked by, as; or "".
    """

    text: str
    trials: int
    concept: str


def _folded(short: str) -> str:
    """Return a short form as whoever does not look at capitals and hyphens types it."""
    return "".join(filter(str.isalnum, fold(short)))


def short_key(short: str) -> str:
    """Return the key of a short form: all that differ by case and hyphens at most stand together."""
    return f"{_folded(short)}\t{short}"


def concept_key(identifier: str) -> str:
    """Return the key under which all names of a concept stand."""
    return f"{_CONCEPT}{identifier}"


def name_key(words: Sequence[str]) -> str:
    """Return the key of a name by its analysed words."""
    return _PARTED.join(words)


def write_senses(writer: ArrayWriter, senses: Mapping[str, list[LearnedSense]]) -> None:
    """Write the senses of short forms, by `short_key`."""
    listed = _write_lists(writer, "shorts", senses)
    writer.put("senses.trials", np.array([sense.trials for sense in listed], np.uint32))
    writer.put("senses.pairs", _offsets(len(sense.pairs) for sense in listed).astype(np.uint32))
    _write_texts(writer, "senses.long", (sense.long for sense in listed))
    _write_texts(writer, "senses.concept", (sense.concept for sense in listed))
    written = (pair.partition("\t")[2] for sense in listed for pair in sense.pairs)
    _write_texts(writer, "senses.written", written)


def write_names(writer: ArrayWriter, names: Mapping[str, list[LearnedName]]) -> None:
    """Write the other names of names, by `name_key`."""
    listed = _write_lists(writer, "keys", names)
    writer.put("names.trials", np.array([name.trials for name in listed], np.uint32))
    _write_texts(writer, "names.text", (name.text for name in listed))
    _write_texts(writer, "names.concept", (name.concept for name in listed))


def _write_lists(writer: ArrayWriter, prefix: str, lists: Mapping[str, list[T]]) -> list[T]:
    """Write the dictionary of some lists, and where they begin; return them joined, in its order."""
    terms = sorted((text.encode(), text) for text in lists)
    dictionary = TermWriter(writer, prefix)
    dictionary.append([term for term, _ in terms])
    dictionary.finish()
    writer.put(f"{prefix}.starts", _offsets(len(lists[text]) for _, text in terms).astype(np.uint32))
    return [item for _, text in terms for item in lists[text]]


def _offsets(sizes: Iterable[int]) -> npt.NDArray[np.uint64]:
    return np.cumsum([0, *sizes], dtype=np.uint64)


def _write_texts(writer: ArrayWriter, prefix: str, texts: Iterable[str]) -> None:
    held = [text.encode() for text in texts]
    writer.put(f"{prefix}.bytes", np.frombuffer(b"".join(held), np.uint8))
    offsets = _offsets(map(len, held))
    narrow = np.uint32 if offsets[-1] <= np.iinfo(np.uint32).max else np.uint64
    writer.put(f"{prefix}.offsets", offsets.astype(narrow))


class _Texts:
    """Texts by number."""

    def __init__(self, file: ArrayFile, prefix: str, count: int) -> None:
        # One value of a memoryview is a Python int, read several times as fast as a numpy scalar.
        self._data = file.get(f"{prefix}.bytes", np.uint8).data
        self._offsets = file.get(f"{prefix}.offsets", np.uint32, np.uint64).data
        if len(self._offsets) != count + 1 or self._offsets[-1] != len(self._data):
            raise file.damaged(f"the parts of its texts {prefix!r} do not fit together")

    def __getitem__(self, number: int) -> str:
        return str(self._data[self._offsets[number] : self._offsets[number + 1]], "utf-8")


class Learned:
    """What the trials of an index teach, to be read. Safe to share between threads.

    Raises IndexDamaged, at any time, where the file is not one that `write_learned` wrote, and
    FileNotFoundError where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._file = file = ArrayFile(path)
        self.digest = file.digest
        self._shorts, self._keys = Terms(file, "shorts"), Terms(file, "keys")
        self._sense_trials = file.get("senses.trials", np.uint32).data
        self._name_trials = file.get("names.trials", np.uint32).data
        senses, names = len(self._sense_trials), len(self._name_trials)
        self._sense_starts = self._starts("shorts.starts", len(self._shorts), senses)
        self._name_starts = self._starts("keys.starts", len(self._keys), names)
        written = file.get("senses.written.offsets", np.uint32, np.uint64)
        self._pairs = self._starts("senses.pairs", senses, len(written) - 1)
        self._long = _Texts(file, "senses.long", senses)
        self._sense_concept = _Texts(file, "senses.concept", senses)
        self._written = _Texts(file, "senses.written", len(written) - 1)
        self._text = _Texts(file, "names.text", names)
        self._name_concept = _Texts(file, "names.concept", names)

    def _starts(self, name: str, lists: int, items: int) -> memoryview:
        starts = self._file.get(name, np.uint32).data
        if len(starts) != lists + 1 or starts[-1] != items:
            raise self._file.damaged(f"its array {name!r} does not fit the others")
        return starts

    @cached_property
    def words(self) -> NearWords:
        """The words of names, with their trials and kinds."""
        return NearWords(self._file, "words")

    @cached_property
    def completions(self) -> Completions:
        """The names, to go on with what was typed."""
        from trialindex.vocabulary.completions import Completions

        return Completions(self._file, "completions")

    def senses(self, short: str) -> tuple[LearnedSense, ...]:
        """Return the senses of an abbreviation, its case counted, those of most trials first."""
        place = self._shorts.find(short_key(short).encode())
        return self._read(lambda: self._senses(place)) if place >= 0 else ()

    def senses_folded(self, short: str) -> tuple[LearnedSense, ...]:
        """Return the senses of all abbreviations that differ from this by case and hyphens at most, those of
        most trials first.
        """
        low, high = self._shorts.range(f"{_folded(short)}\t".encode())
        found = self._read(
            lambda: tuple(sense for place in range(low, high) for sense in self._senses(place))
        )
        return tuple(sorted(found, key=lambda sense: -sense.trials))

    def names(self, key: tuple[str, ...]) -> tuple[LearnedName, ...]:
        """Return the other names of a name, given by its analysed words, those of most trials first."""
        place = self._keys.find(name_key(key).encode())
        return self._read(lambda: self._names(place)) if place >= 0 else ()

    def of_concept(self, identifier: str) -> tuple[LearnedName, ...]:
        """Return the names that trials give a concept, its own among them, those of most trials first."""
        place = self._keys.find(concept_key(identifier).encode())
        return self._read(lambda: self._names(place)) if place >= 0 else ()

    def starts(self, words: Sequence[str]) -> bool:
        """Whether a name that has other names begins with these analysed words, or is them."""
        joined = name_key(words).encode()
        # No key has a letter before the separator: what goes on comes right where the words alone would.
        place, there = self._keys.place(joined)
        return there or (place < len(self._keys) and self._keys[place].startswith(joined + _PARTED.encode()))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _read(self, asked: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
        try:
            return asked()
        except (IndexError, ValueError) as error:  # ValueError: of text that is no UTF-8, too
            raise self._file.damaged(str(error)) from error

    def _senses(self, place: int) -> tuple[LearnedSense, ...]:
        short = self._shorts[place].decode().partition("\t")[2]
        return tuple(
            LearnedSense(
                short,
                self._long[number],
                self._sense_trials[number],
                self._sense_concept[number],
                tuple(f"{short}\t{self._written[at]}" for at in range(*self._pairs[number : number + 2])),
            )
            for number in range(*self._sense_starts[place : place + 2])
        )

    def _names(self, place: int) -> tuple[LearnedName, ...]:
        return tuple(
            LearnedName(self._text[number], self._name_trials[number], self._name_concept[number])
            for number in range(*self._name_starts[place : place + 2])
        )
