"""A vocabulary as it is used: concepts in one file of arrays, mapped, found by any of their names.

>>> from trialindex.vocabulary.concepts import Concept, Name
>>> def names(*texts):
...     return tuple(Name(text, "mesh") for text in texts)
>>> lupus = Concept("D008180", "condition", names("Lupus", "Systemic Lupus"), names("SLE"), ("D001327",))
>>> above = Concept("D001327", "condition", names("Autoimmune Diseases"), (), ())
>>> vocabulary = Vocabulary.of([lupus, above])
>>> vocabulary.named("systemic LUPUS"), vocabulary.named("SLE"), vocabulary.named("no such thing")
((Sense(concept=1, abbreviation=False),), (Sense(concept=1, abbreviation=True),), ())
>>> vocabulary.longest_match(["early", "system", "lupus", "in"], 1)
(2, (Sense(concept=1, abbreviation=False),))
>>> vocabulary.concept(1) == lupus, vocabulary.ancestors(1), vocabulary.knows("lupus")
(True, ((0, 1),), True)

A name is known by its analysed words (`analysis.normal_words`), so case, hyphens, plurals and spellings do
not count. A concept's number is its place in the order of ids.

The file has the dictionaries (see `segments.terms`) `ids`; `keys`, analysed words joined by one space;
`short`, abbreviations as written; `folded`, names without case and accents; `known`, words: those of names,
folded, and the analysed ones. Lists lie one after another with the places where each begins, so the arrays
`X.starts` uint32 [lists + 1] and `X`:

| lists | of | entries |
|---|---|---|
| `names` | a concept | `names.starts` only: its names, by place in `texts` (UTF-8, with `texts.starts`) |
| `parents`, `children` | a concept | concepts, ascending |
| `senses` | a key | concept << 1, + 1 where the key is only an abbreviation of it |
| `short.concepts`, `folded.concepts` | an abbreviation, a folded name | concepts, ascending |

Beside them: `kinds` uint8 [concepts], places in `concepts.KINDS`; `sources` [names], places in the list of
sources that the file states; `abbreviations` uint8 [names], whether it is one; `known.how` uint8 [words], the
bits `_FOLDED` and `_ANALYSED`; `words`, as `near.write_near` writes them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.analysis import fold, normal_words
from trialindex.segments import disk
from trialindex.segments.arrays import ArrayFile, ArrayWriter, narrowest
from trialindex.segments.terms import Terms, TermWriter
from trialindex.vocabulary.concepts import KINDS, Concept, Name
from trialindex.vocabulary.near import NearWords, write_near

if TYPE_CHECKING:
    from trialindex.vocabulary.keys import NameKeys

__all__ = ["Sense", "Vocabulary", "write_vocabulary"]

VERSION = 1
# How a word is known: as it stands in a name, folded; as an analysed word.
_FOLDED, _ANALYSED = 1, 2
# Look-ups that are kept: of runs of words and of single words; of concepts, and what is above them.
_RUNS, _CONCEPTS = 1 << 14, 1 << 10
# Names that are read at a time.
_SLICE = 256
# Terms that are written at a time.
_PIECE = 1 << 14
_WORD = re.compile(r"[^\W_]+")
# Each name is folded once: a cache would hold them all for nothing.
_fold_name = fold.__wrapped__


class Sense(NamedTuple):
    """What a name may mean: the number of a concept, and whether the name is only an abbreviation of it."""

    concept: int
    abbreviation: bool


# Writing


def write_vocabulary(concepts: Iterable[Concept], path: Path) -> None:
    """Write a vocabulary, over any that is at the path; readers of that one keep it.

    Concepts may come in any order. Parents that are no concepts are left out, and of each circle of parents
    one link is. Raises ValueError for two concepts of one id, an unknown kind, a concept without a name, and
    for text that has no UTF-8 (half a surrogate pair).
    """
    held = sorted(concepts, key=attrgetter("id"))
    _check(held)
    temporary = path.with_name(path.name + ".new")
    try:
        with ArrayWriter(temporary) as writer:
            writer.meta["vocabulary"] = VERSION
            _Names(writer, held).write()
            _write_hierarchy(writer, held)
            writer.put("kinds", np.array([KINDS.index(concept.kind) for concept in held], np.uint8))
            _write_terms(writer, "ids", [concept.id for concept in held])
        disk.DISK.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            disk.DISK.remove(temporary)
        raise
    disk.DISK.sync_folder(path.parent)


def _check(concepts: Sequence[Concept]) -> None:
    for concept in concepts:
        if concept.kind not in KINDS:
            raise ValueError(f"{concept.id} is of the kind {concept.kind!r}; kinds are {', '.join(KINDS)}")
        if not concept.names:
            raise ValueError(f"{concept.id} has no name")
    for before, after in pairwise(concepts):
        if before.id == after.id:
            raise ValueError(f"two concepts have the id {after.id}")


def _write_terms(writer: ArrayWriter, name: str, terms: Sequence[str]) -> None:
    made = TermWriter(writer, name)
    # In pieces, so that not all are there as bytes at once. Texts sort as their UTF-8 does.
    for first in range(0, len(terms), _PIECE):
        made.append([term.encode() for term in terms[first : first + _PIECE]])
    made.finish()


def _starts(counts: Iterable[int]) -> npt.NDArray[np.uint32]:
    """Return where lists of these sizes begin, and where the last one ends: uint32[lists + 1]."""
    return np.cumsum([0, *counts]).astype(np.uint32)


def _write_lists(writer: ArrayWriter, name: str, lists: Sequence[Sequence[int]]) -> None:
    writer.put(f"{name}.starts", _starts(map(len, lists)))
    writer.put(name, np.array([value for one in lists for value in one], np.uint32))


class _Names:
    """The names of all concepts on their way into a file."""

    def __init__(self, writer: ArrayWriter, concepts: Sequence[Concept]) -> None:
        self._writer = writer
        self._concepts = concepts
        self._analysed: set[str] = set()  # words of names
        self._folded: dict[str, set[str]] = {kind: set() for kind in KINDS}  # those of full names

    def write(self) -> None:
        """Write all that is made of names. What each part collects is gone when the next one begins."""
        self._write_texts()
        self._write_senses()
        self._write_folded()
        self._write_found("short", *_placed(map(_short, self._concepts)))
        self._write_words()

    def _write_texts(self) -> None:
        sources: dict[str, int] = {}
        numbers: list[int] = []
        flags = bytearray()
        sizes: list[int] = []
        stream = self._writer.stream("texts", np.uint8)
        for concept in self._concepts:
            names = (*concept.names, *concept.abbreviations)
            data = [name.text.encode() for name in names]
            stream.append(np.frombuffer(b"".join(data), np.uint8))
            sizes += map(len, data)
            flags += bytes(len(concept.names)) + b"\1" * len(concept.abbreviations)
            numbers += [sources.setdefault(name.source, len(sources)) for name in names]
        stream.close()
        self._writer.put("texts.starts", _starts(sizes))
        counts = (len(concept.names) + len(concept.abbreviations) for concept in self._concepts)
        self._writer.put("names.starts", _starts(counts))
        self._writer.put("abbreviations", np.frombuffer(bytes(flags), np.uint8))
        self._writer.put("sources", np.array(numbers, narrowest(len(sources))))
        self._writer.meta["sources"] = list(sources)

    def _write_senses(self) -> None:
        from trialindex.vocabulary.keys import NameKeys  # no search needs it

        keys = NameKeys()
        found: list[str] = []
        senses = array("L")
        shorter: list[str] = []
        abbreviated = array("L")
        for number, concept in enumerate(self._concepts):
            full = self._keyed(keys, concept.names)
            found += full
            senses.extend([number << 1] * len(full))
            short = self._keyed(keys, concept.abbreviations) - full
            shorter += short
            abbreviated.extend([number << 1 | 1] * len(short))
        # Those of one key keep this order: full names come before abbreviations.
        self._write_grouped("keys", "senses", found + shorter, senses + abbreviated)

    def _keyed(self, keys: NameKeys, names: Iterable[Name]) -> set[str]:
        """Return the keys of names, and note their words."""
        found: set[str] = set()
        for name in names:
            words = keys.words(name.text)
            self._analysed.update(words)
            found.add(" ".join(words))
        found.discard("")
        return found

    def _write_folded(self) -> None:
        self._write_found("folded", *_placed(map(self._fold, self._concepts)))

    def _fold(self, concept: Concept) -> set[str]:
        full = [_fold_name(name.text) for name in concept.names]
        self._folded[concept.kind].update(*map(_WORD.findall, full))
        return {_spaced(text) for text in (*full, *(_fold_name(name.text) for name in concept.abbreviations))}

    def _write_words(self) -> None:
        entries = [(0, mask) for mask in range(1 << len(KINDS))]
        words: dict[str, tuple[int, int]] = {}
        for bit, kind in enumerate(KINDS):
            for word in self._folded.pop(kind):
                words[word] = entries[words.get(word, entries[0])[1] | 1 << bit]
        write_near(self._writer, "words", words)
        short = (_fold_name(name.text) for concept in self._concepts for name in concept.abbreviations)
        folded = words.keys() | {word for text in short for word in _WORD.findall(text)}
        known = sorted(self._analysed | folded)
        _write_terms(self._writer, "known", known)
        how = [_ANALYSED * (word in self._analysed) | _FOLDED * (word in folded) for word in known]
        self._writer.put("known.how", np.array(how, np.uint8))

    def _write_found(self, name: str, texts: list[str], numbers: array[int]) -> None:
        self._write_grouped(name, f"{name}.concepts", texts, numbers)

    def _write_grouped(self, terms: str, lists: str, texts: list[str], values: array[int]) -> None:
        """Write a dictionary of texts, each once, and the values of each in their order."""
        order = sorted(range(len(texts)), key=texts.__getitem__)
        grouped = [(text, sum(1 for _ in held)) for text, held in groupby(map(texts.__getitem__, order))]
        _write_terms(self._writer, terms, [text for text, _ in grouped])
        self._writer.put(f"{lists}.starts", _starts(count for _, count in grouped))
        self._writer.put(lists, np.frombuffer(values, np.dtype("L"))[order].astype(np.uint32))


def _placed(texts: Iterable[Collection[str]]) -> tuple[list[str], array[int]]:
    """Return the texts of all concepts, and the number of the concept beside each; no empty ones."""
    found: list[str] = []
    numbers = array("L")
    for number, held in enumerate(texts):
        kept = [text for text in held if text]
        found += kept
        numbers.extend([number] * len(kept))
    return found, numbers


def _short(concept: Concept) -> set[str]:
    return {_spaced(name.text) for name in concept.abbreviations}


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _write_hierarchy(writer: ArrayWriter, concepts: Sequence[Concept]) -> None:
    numbers = {concept.id: number for number, concept in enumerate(concepts)}
    parents = [
        sorted({numbers[parent] for parent in concept.parents if parent in numbers} - {number})
        for number, concept in enumerate(concepts)
    ]
    _cut_circles(parents)
    children: list[list[int]] = [[] for _ in concepts]
    for number, held in enumerate(parents):
        for parent in held:
            children[parent].append(number)
    _write_lists(writer, "parents", parents)
    _write_lists(writer, "children", children)


def _cut_circles(parents: list[list[int]]) -> None:
    """Remove the links that close a circle: those that lead back to a concept on the way to them, all walks
    beginning at the lowest concept not met before.
    """
    begun, done = 1, 2
    states = bytearray(len(parents))
    for start in range(len(parents)):
        if states[start]:
            continue
        states[start] = begun
        way = [(start, iter(tuple(parents[start])))]
        while way:
            number, rest = way[-1]
            parent = next(rest, None)
            if parent is None:
                states[number] = done
                way.pop()
            elif states[parent] == begun:
                parents[number].remove(parent)
            elif not states[parent]:
                states[parent] = begun
                way.append((parent, iter(tuple(parents[parent]))))


# Reading


class _Lists:
    """Lists of numbers below `limit` that lie one after another in a file."""

    def __init__(self, file: ArrayFile, name: str, size: int, limit: int) -> None:
        self._file = file
        self._name = name
        self._limit = limit
        starts, values = file.get(f"{name}.starts", np.uint32), file.get(name, np.uint32)
        # One value of a memoryview is a Python int, read four times as fast as a numpy scalar.
        self._starts, self._values = starts.data, values.data
        if len(starts) != size + 1 or starts[-1] != len(values):
            raise file.damaged(f"the lists {name!r} do not fit together")

    def __getitem__(self, place: int) -> list[int]:
        start, stop = self._starts[place], self._starts[place + 1]
        found: list[int] = self._values[start:stop].tolist()
        if start > stop or len(found) != stop - start or (found and max(found) >= self._limit):
            raise self._file.damaged(f"a list of {self._name!r} is not as it was written")
        return found


class Vocabulary:
    """The concepts of a file that `write_vocabulary` wrote. Safe to share between threads.

    Opening reads what says how the file is laid out; the rest is read as it is asked for. Raises
    IndexDamaged, at once or by any method, where the file is not as it was written, and FileNotFoundError
    where there is none. Numbers outside of 0..len raise IndexError.
    """

    def __init__(self, path: Path) -> None:
        file = self._file = ArrayFile(path)
        sources = file.meta.get("sources")
        if file.meta.get("vocabulary") != VERSION or not isinstance(sources, list):
            raise file.damaged(f"it is no vocabulary of version {VERSION}")
        if not all(isinstance(source, str) for source in sources):
            raise file.damaged("a source of its names is no text")
        self._sources: list[str] = sources
        self._ids = Terms(file, "ids")
        size = self._size = len(self._ids)
        self._kinds = file.get("kinds", np.uint8).data
        self._texts, self._text_starts = (
            file.get("texts", np.uint8).data,
            file.get("texts.starts", np.uint32).data,
        )
        self._name_starts = file.get("names.starts", np.uint32).data
        self._name_sources = file.get("sources", np.uint8, np.uint16, np.uint32).data
        self._abbreviations = file.get("abbreviations", np.uint8).data
        self._keys, self._short, self._folded = (
            Terms(file, "keys"),
            Terms(file, "short"),
            Terms(file, "folded"),
        )
        self._senses = _Lists(file, "senses", len(self._keys), size << 1)
        self._short_concepts = _Lists(file, "short.concepts", len(self._short), size)
        self._folded_concepts = _Lists(file, "folded.concepts", len(self._folded), size)
        self._known, self._how = Terms(file, "known"), file.get("known.how", np.uint8).data
        self._parents, self._children = (_Lists(file, name, size, size) for name in ("parents", "children"))
        names = len(self._name_sources)
        if (
            not size + 1 == len(self._kinds) + 1 == len(self._name_starts)
            or self._name_starts[-1] != names
            or not names + 1 == len(self._abbreviations) + 1 == len(self._text_starts)
            or self._text_starts[-1] != len(self._texts)
            or len(self._how) != len(self._known)
        ):
            raise file.damaged("its arrays do not fit together")
        # What was looked up last, a bounded number of answers.
        self._run = lru_cache(_RUNS)(self._read_run)
        self._known_word = lru_cache(_RUNS)(self._find_word)
        self._read_concept = lru_cache(_CONCEPTS)(self._make_concept)
        self._above = lru_cache(_CONCEPTS)(lambda number: self._walk(number, self._parents))

    @classmethod
    def of(cls, concepts: Iterable[Concept]) -> Vocabulary:
        """Return a vocabulary of these concepts, through a temporary file: for small tables."""
        import tempfile

        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "concepts.vocabulary"
            write_vocabulary(concepts, path)
            return cls(path)

    @property
    def digest(self) -> int:
        """The checksum of the file's directory, which tells the file from others."""
        return self._file.digest

    def __len__(self) -> int:
        return self._size

    def close(self) -> None:
        """Let go of the file, and of what was looked up."""
        for cache in (self._run, self._known_word, self._read_concept, self._above):
            cache.cache_clear()
        self._file.close()

    # One concept

    def concept(self, number: int) -> Concept:
        """Return a concept as it was written, its parents those that are concepts here."""
        return self._read_concept(self._number(number))

    def preferred(self, number: int) -> str:
        """Return the name to show."""
        return self._texts_at(self._name_places(self._number(number))[:1])[0]

    def kind(self, number: int) -> str:
        """Return the kind, one of `concepts.KINDS`."""
        kind = self._kinds[self._number(number)]
        if kind >= len(KINDS):
            raise self._file.damaged("a concept is of no known kind")
        return KINDS[kind]

    def identifier(self, number: int) -> str:
        """Return the id."""
        return self._decoded(self._ids[number])

    def number_of(self, identifier: str) -> int | None:
        """Return the number of the concept that has an id."""
        place = self._ids.find(_encoded(identifier))
        return None if place < 0 else place

    def _make_concept(self, number: int) -> Concept:
        places = self._name_places(number)
        names = self._names(places)
        flags = self._abbreviations[places.start : places.stop].tolist()
        full = tuple([name for name, flag in zip(names, flags, strict=True) if not flag])
        if not full:
            raise self._file.damaged("a concept has no full name")
        return Concept(
            self.identifier(number),
            self.kind(number),
            full,
            tuple([name for name, flag in zip(names, flags, strict=True) if flag]),
            tuple(map(self.identifier, self._parents[number])),
        )

    def _number(self, number: int) -> int:
        if not 0 <= number < self._size:
            raise IndexError(f"no concept {number} among {self._size}")
        return number

    def _name_places(self, number: int) -> range:
        start, stop = self._name_starts[number], self._name_starts[number + 1]
        if not start < stop <= len(self._name_sources):
            raise self._file.damaged("the names of a concept end before they begin")
        return range(start, stop)

    def _names(self, places: range) -> list[Name]:
        texts = self._texts_at(places)
        try:
            sources = [self._sources[source] for source in self._name_sources[places.start : places.stop]]
        except IndexError:
            raise self._file.damaged("a name is of no known source") from None
        return list(map(Name, texts, sources))

    def _texts_at(self, places: range) -> list[str]:
        """Return the names at these places, which follow each other."""
        starts = self._text_starts[places.start : places.stop + 1].tolist()
        if starts != sorted(starts) or starts[-1] > len(self._texts):
            raise self._file.damaged("a name ends before it begins")
        first = starts[0]
        data = bytes(self._texts[first : starts[-1]])
        try:
            return [data[start - first : stop - first].decode() for start, stop in pairwise(starts)]
        except UnicodeDecodeError as error:
            raise self._file.damaged("a name is no text") from error

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self._file.damaged("a name is no text") from error

    # By name

    def senses(self, key: tuple[str, ...]) -> tuple[Sense, ...]:
        """Return what a name with these analysed words may mean: full names first, then by concept."""
        return self._run(" ".join(key))[0]

    def named(self, name: str) -> tuple[Sense, ...]:
        """Return what a name may mean: several senses where it is ambiguous, () where it is unknown."""
        return self.senses(normal_words(name))

    def short(self, text: str) -> tuple[int, ...]:
        """Return the concepts that have exactly this abbreviation, case counted."""
        return self._found(self._short, self._short_concepts, _spaced(text))

    def longest_match(self, keys: Sequence[str], start: int) -> tuple[int, tuple[Sense, ...]]:
        """Return the length and the senses of the longest name that begins at a place in a sequence of
        analysed words; (0, ()) where none does.
        """
        best: tuple[int, tuple[Sense, ...]] = 0, ()
        words = ""
        for place in range(start, len(keys)):
            words = f"{words} {keys[place]}" if words else keys[place]
            senses, goes_on = self._run(words)
            if senses:
                best = place + 1 - start, senses
            if not goes_on:
                break
        return best

    def knows(self, word: str) -> bool:
        """Whether a folded word is one of some name, in any number or spelling: never misspelt, then."""
        return self._known_word(word)

    @cached_property
    def words(self) -> NearWords:
        """The words of full names, folded, with the kinds of their concepts (bits in the order of
        `concepts.KINDS`) and 0 for trials.
        """
        return NearWords(self._file, "words")

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the names, abbreviations too, that begin with a prefix: folded, with each concept that has
        it, in order.
        """
        low, high = self._folded.range(_encoded(fold(prefix)))
        for first in range(low, high, _SLICE):
            for place, name in enumerate(self._folded.slice(first, min(first + _SLICE, high)), first):
                for concept in self._folded_concepts[place]:
                    yield self._decoded(name), concept

    def _read_run(self, words: str) -> tuple[tuple[Sense, ...], bool]:
        """Return what analysed words, joined by one space, may mean, and whether longer names begin so."""
        data = _encoded(words)
        # A space comes before all that words are made of: what goes on comes right after the words alone.
        place, there = self._keys.place(data)
        senses: tuple[Sense, ...] = ()
        if data and there:
            senses = tuple([Sense(sense >> 1, bool(sense & 1)) for sense in self._senses[place]])
            place += 1
        return senses, place < len(self._keys) and self._keys[place].startswith(data + b" ")

    def _found(self, terms: Terms, lists: _Lists, text: str) -> tuple[int, ...]:
        place = terms.find(_encoded(text))
        return () if place < 0 else tuple(lists[place])

    def _find_word(self, word: str) -> bool:
        if self._how_known(word) & _FOLDED:
            return True
        analysed = normal_words(word)
        return len(analysed) == 1 and self._how_known(analysed[0]) & _ANALYSED != 0

    def _how_known(self, word: str) -> int:
        place = self._known.find(_encoded(word))
        return 0 if place < 0 else self._how[place]

    # The hierarchy

    def parents(self, number: int) -> tuple[int, ...]:
        """Return the concepts directly above one, ascending."""
        return tuple(self._parents[self._number(number)])

    def children(self, number: int) -> tuple[int, ...]:
        """Return the concepts directly below one, ascending."""
        return tuple(self._children[self._number(number)])

    def ancestors(self, number: int) -> tuple[tuple[int, int], ...]:
        """Return all concepts above one, (concept, steps by the shortest way), nearest first."""
        return self._above(self._number(number))

    def _walk(self, number: int, lists: _Lists) -> tuple[tuple[int, int], ...]:
        # Whoever was met is not walked again: a damaged file may go in circles.
        found = {number: 0}
        level = [number]
        while level:
            steps = found[level[0]] + 1
            level = sorted({near for one in level for near in lists[one]} - found.keys())
            found.update(dict.fromkeys(level, steps))
        del found[number]
        return tuple(found.items())


def _encoded(text: str) -> bytes:
    # What cannot be written is in no dictionary: whatever stands for it need not be found.
    return text.encode("utf-8", "replace")
