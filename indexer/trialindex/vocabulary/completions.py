"""Names that begin with what was typed, those of most trials first: a section of a file of arrays.

An entry is a name of conditions or of interventions, folded: as trials write it, as a concept has it that
trials are linked to, or both. Spellings that differ in case or accents only are one entry; a name that
several concepts have is one for each. Entries are numbered by rank: by the trials that write the name or are
linked to its concept, whichever are more (of one that trials seldom write, a part of them: see `_rank`), then
by those that write it, then the shorter name first. So the best of a range of word starts are its least
numbers, found without a look at anything else. At most `MOST` are kept.

An entry answers at the start of each of its words; one that no trial writes and no concept prefers, of which
vocabularies have many (`susceptibility to lupus`), at its beginning only.

>>> with_lupus = Linked("D008180", "condition", 70, ("systemic lupus", "lupus"))
>>> written = [("lupus nephritis\\tLupus Nephritis", 9), ("lupus\\tLUPUS", 4), ("lupus\\tLupus", 30)]
>>> made = Completions.of({"condition": written}, [with_lupus])
>>> [made[number].text for number in made.best([made.range("lup")], 10)]
['lupus', 'lupus nephritis', 'systemic lupus']
>>> made[0]
Completion(text='lupus', kind='condition', trials=34, concept='D008180', preferred=0)
>>> made.best([made.range("upus")], 10), made.corrected("lupsu neph"), made.corrected("upus")
([], ['lupus neph'], [])

Arrays, under a prefix: `texts` uint8, the UTF-8 of each entry and a line feed, which comes before whatever a
word may go on with; `offsets` uint32 [entries + 1], where each begins; `kinds` uint8 [entries], places in
`fields.NAME_FIELDS`; `trials` uint32 [entries], those that write the name (one with two spellings counts
twice); `concepts` uint32 [entries], the place of its concept in the dictionary `ids` (see `segments.terms`) +
1, or 0; `preferred` uint32 [ids], the trials that write the preferred name of each concept. `starts` uint32,
where words begin in `texts`, in the order of what stands there, and `owners` uint32, the entries of these.
`words` uint8, 24 for each distinct word of four letters or more, zero-padded, ascending: what a misspelt one
is compared with.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.analysis import fold
from trialindex.fields import NAME_FIELDS
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.terms import Terms, TermWriter
from trialindex.vocabulary.concepts import Concept

__all__ = ["MOST", "Completion", "Completions", "Linked", "write_completions"]

# Entries that are kept; some 20 MB of file.
MOST = 300_000
# Concepts of one name that are entries, those of most trials first.
_MOST_SENSES = 3
# The part of a concept's trials that a name of it counts which no trial writes; how many of them come with
# each trial that writes it.
_SELDOM = 10
# How many times as many trials as are linked to a concept may write a name of it: where more do, it means
# another thing to them.
_MORE_WRITTEN = 4
# Words of one name at whose start it answers.
_MOST_STARTS = 64
# Letters of the words that may be misspelt, and bytes that are kept of one.
_SHORTEST, _LONGEST, _WIDTH = 4, 22, 24
# Corrections that are looked up.
_MOST_CORRECTED = 64

_NO_SENSES = ((0, 0),)

_KINDS = tuple(NAME_FIELDS)
# The kind under which the names of a concept are offered; of another one, what trials write tells.
_OFFERED = {"condition": "condition", "intervention": "intervention", "procedure": "intervention"}
_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_END = b"\n"

U32 = npt.NDArray[np.uint32]


class Linked(NamedTuple):
    """A concept that trials are linked to: its id; one of the kinds of `fields.NAME_FIELDS`, or "" where its
    names tell; the trials; its names, folded, the preferred one first.
    """

    identifier: str
    kind: str
    trials: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, concept: Concept, trials: int) -> Linked:
        """Return a concept that so many trials are linked to."""
        texts = (fold(name.text) for held in (concept.names, concept.abbreviations) for name in held)
        names = tuple([" ".join(text.split()) for text in texts])
        return cls(concept.id, _OFFERED.get(concept.kind, ""), trials, names)


class Completion(NamedTuple):
    """An entry. `trials`: those that write the name; `concept`: the id of the concept that it means, or "";
    `preferred`: the trials that write the preferred name of that.
    """

    text: str
    kind: str
    trials: int
    concept: str
    preferred: int


class _Entry(NamedTuple):
    """An entry on its way into a file; they sort as they are numbered.

    `rank` and `trials` are negative; `concept` is the place of its concept + 1, or 0; `inside`: whether the
    entry answers at each of its words.
    """

    rank: int
    trials: int
    size: int
    text: str
    kind: int
    concept: int
    inside: bool


# Writing


def write_completions(
    writer: ArrayWriter,
    name: str,
    names: Mapping[str, Iterable[tuple[str, int]]],
    concepts: Iterable[Linked] = (),
) -> None:
    """Write the names of each kind, (folded, or folded, tab and as written; trials) in ascending order, and
    those of concepts.

    Memory grows with `MOST` and the concepts: of further names, those of fewest trials are forgotten on the
    way.
    """
    written = [_counted(names.get(kind, ())) for kind in _KINDS]
    held = sorted(concepts)
    kinds = [_kind(one, written) for one in held]
    entries = _entries(written, held, kinds)
    entries.sort()
    del entries[MOST:]
    preferred = [written[kind].get(one.names[0], 0) for one, kind in zip(held, kinds, strict=True)]
    _write_entries(writer, name, entries)
    _write_starts(writer, name, entries)
    ids = TermWriter(writer, f"{name}.ids")
    ids.append([one.identifier.encode() for one in held])
    ids.finish()
    writer.put(f"{name}.preferred", np.array(preferred, np.uint32))


def _counted(names: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return folded name -> trials that write it; of more than `MOST` names, those of most trials."""
    found: dict[str, int] = {}
    for name, trials in names:
        text = name.partition("\t")[0]
        if text in found:
            found[text] += trials
        else:
            # All spellings of a name come one after another: no part of this one is forgotten.
            if len(found) >= 2 * MOST:
                found = _most(found)
            found[text] = trials
    return _most(found)


def _most(counts: dict[str, int]) -> dict[str, int]:
    """Return the `MOST` names of most trials, the shorter ones of equals."""
    if len(counts) <= MOST:
        return counts
    return dict(compress(counts.items(), _best(list(counts), counts.values())))


def _best(texts: Sequence[str], counts: Iterable[int]) -> list[bool]:
    """Return for each of some names whether it is one of the `MOST` of most trials, the shorter of equals."""
    trials = np.fromiter(counts, np.int64, len(texts))
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    kept = np.zeros(len(texts), np.bool_)
    kept[np.lexsort((sizes, -trials))[:MOST]] = True
    return kept.tolist()


def _kind(concept: Linked, written: Sequence[Mapping[str, int]]) -> int:
    """Return the kind of a concept, as a place: where unknown, as what trials write its names most."""
    if concept.kind:
        return _KINDS.index(concept.kind)
    trials = [sum(held.get(text, 0) for text in concept.names) for held in written]
    return trials.index(max(trials))


def _entries(
    written: Sequence[Mapping[str, int]], concepts: Sequence[Linked], kinds: Sequence[int]
) -> list[_Entry]:
    """Return an entry for each name, and for each of the concepts that it may mean, in any order."""
    meant: list[dict[str, list[tuple[int, int]]]] = [{} for _ in _KINDS]
    for place, (concept, kind) in enumerate(zip(concepts, kinds, strict=True), 1):
        for text in dict.fromkeys(concept.names):
            if text and written[kind].get(text, 0) <= _MORE_WRITTEN * concept.trials:
                meant[kind].setdefault(text, []).append((-concept.trials, place))
    found: list[_Entry] = []
    for kind, held in enumerate(meant):
        for text, senses in held.items():
            for number, (linked, place) in enumerate(sorted(senses)[:_MOST_SENSES]):
                # As trials write it, a name has the first meaning.
                own = 0 if number else written[kind].get(text, 0)
                inside = own > 0 or text == concepts[place - 1].names[0]
                found.append(_Entry(-_rank(own, -linked), -own, len(text), text, kind, place, inside))
    plain: list[tuple[str, int, int]] = []
    for kind, names in enumerate(written):
        for text, trials in names.items():
            if text and text not in meant[kind]:
                linked, place = min(meant[kind].get(_other_number(text), _NO_SENSES))
                if trials <= _MORE_WRITTEN * -linked:
                    found.append(_Entry(-_rank(trials, -linked), -trials, len(text), text, kind, place, True))
                else:
                    plain.append((text, trials, kind))
    best = _best([text for text, _, _ in plain], (trials for _, trials, _ in plain))
    found += [
        _Entry(-trials, -trials, len(text), text, kind, 0, True)
        for text, trials, kind in compress(plain, best)
    ]
    return found


def _rank(own: int, linked: int) -> int:
    """Return what a name counts that `own` trials write, of a concept that others are linked to.

    >>> _rank(500, 2900), _rank(3, 150), _rank(0, 1600), _rank(9, 0)
    (2900, 45, 160, 9)
    """
    return max(own, min(linked, linked // _SELDOM + _SELDOM * own))


def _other_number(text: str) -> str:
    """Return the plural of a name, or the singular of one: vocabularies seldom have both."""
    return text[:-1] if text.endswith("s") else text + "s"


def _write_entries(writer: ArrayWriter, name: str, entries: Sequence[_Entry]) -> None:
    data = [_encoded(entry.text) + _END for entry in entries]
    offsets = np.cumsum([0, *map(len, data)])
    writer.put(f"{name}.texts", np.frombuffer(b"".join(data), np.uint8))
    writer.put(f"{name}.offsets", offsets.astype(np.uint32))
    writer.put(f"{name}.kinds", np.array([entry.kind for entry in entries], np.uint8))
    writer.put(f"{name}.trials", np.array([-entry.trials for entry in entries], np.uint32))
    writer.put(f"{name}.concepts", np.array([entry.concept for entry in entries], np.uint32))


def _write_starts(writer: ArrayWriter, name: str, entries: Sequence[_Entry]) -> None:
    starts, owners = array("I"), array("I")
    suffixes: list[bytes] = []
    words: set[str] = set()
    offset = 0
    for number, entry in enumerate(entries):
        text = entry.text
        data = _encoded(text) + _END
        most = _MOST_STARTS if entry.inside else 1
        places = [match.start() for match in islice(_WORD_START.finditer(text), most)]
        if not text.isascii():
            places = [len(_encoded(text[:place])) for place in places]
        for place in places:
            starts.append(offset + place)
            owners.append(number)
            suffixes.append(data[place:])
        words.update(_WORD.findall(text))
        offset += len(data)
    order = sorted(range(len(starts)), key=suffixes.__getitem__)
    del suffixes
    chosen = np.array(order, np.intp)
    writer.put(f"{name}.starts", np.array(starts, np.uint32)[chosen])
    writer.put(f"{name}.owners", np.array(owners, np.uint32)[chosen])
    cut = {_encoded(word)[:_WIDTH] for word in words if len(word) >= _SHORTEST}
    padded = b"".join(word.ljust(_WIDTH, b"\0") for word in sorted(cut))
    writer.put(f"{name}.words", np.frombuffer(padded, np.uint8))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


# Reading


class Completions:
    """The entries, to be read. Safe to share between threads.

    All methods raise IndexDamaged where what they meet is not what a writer wrote.
    """

    def __init__(self, file: ArrayFile, name: str) -> None:
        self._file = file
        self._name = name
        # One value of a memoryview is a Python int, read several times as fast as a numpy scalar.
        self._texts = file.get(f"{name}.texts", np.uint8).data
        self._offsets = file.get(f"{name}.offsets", np.uint32).data
        self._kinds = file.get(f"{name}.kinds", np.uint8).data
        self._trials = file.get(f"{name}.trials", np.uint32).data
        self._concepts = file.get(f"{name}.concepts", np.uint32).data
        self._starts = file.get(f"{name}.starts", np.uint32).data
        self._owners: U32 = file.get(f"{name}.owners", np.uint32)
        self._ids = Terms(file, f"{name}.ids")
        self._preferred = file.get(f"{name}.preferred", np.uint32).data
        words = file.get(f"{name}.words", np.uint8)
        if (
            not len(self._kinds) == len(self._trials) == len(self._concepts) == len(self._offsets) - 1
            or self._offsets[-1] != len(self._texts)
            or len(self._owners) != len(self._starts)
            or len(self._preferred) != len(self._ids)
            or len(words) % _WIDTH
        ):
            raise file.damaged(f"the parts of its completions {name!r} do not fit together")
        self._words: npt.NDArray[np.bytes_] = words.view(f"S{_WIDTH}")

    @classmethod
    def of(
        cls, names: Mapping[str, Iterable[tuple[str, int]]], concepts: Iterable[Linked] = ()
    ) -> Completions:
        """Return completions of these, through a temporary file: where an index has none of its own."""
        import tempfile  # which an index that has completions does without

        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "completions.seg"
            with ArrayWriter(path) as writer:
                write_completions(writer, "completions", names, concepts)
            return cls(ArrayFile(path), "completions")

    def __len__(self) -> int:
        return len(self._kinds)

    def __getitem__(self, number: int) -> Completion:
        """Return the entry of a number. Raises IndexError outside of 0..len."""
        if not 0 <= number < len(self):
            raise IndexError(f"no entry {number} among {len(self)}")
        start, end = self._offsets[number], self._offsets[number + 1] - 1
        kind, concept = self._kinds[number], self._concepts[number]
        if not start <= end < len(self._texts) or kind >= len(_KINDS) or concept > len(self._ids):
            raise self._file.damaged(f"an entry of {self._name!r} is not as it was written")
        try:
            text = str(self._texts[start:end], "utf-8")
            identifier = self._ids[concept - 1].decode() if concept else ""
        except UnicodeDecodeError as error:
            raise self._file.damaged(f"an entry of {self._name!r} is no text") from error
        preferred = self._preferred[concept - 1] if concept else 0
        return Completion(text, _KINDS[kind], self._trials[number], identifier, preferred)

    def range(self, prefix: str) -> tuple[int, int]:
        """Return the places (low, high) of the word starts at which a name goes on with a folded prefix."""
        return self._range(_encoded(prefix))

    def _range(self, data: bytes) -> tuple[int, int]:
        size = len(data)
        texts, starts = self._texts, self._starts
        low, high = 0, len(starts)
        end = high
        while low < high:
            middle = (low + high) // 2
            start = starts[middle]
            found = bytes(texts[start : start + size])
            if found < data:
                low = middle + 1
            else:
                high = middle
                if found > data:
                    end = middle
        first = low
        while low < end:
            middle = (low + end) // 2
            start = starts[middle]
            if bytes(texts[start : start + size]) > data:
                end = middle
            else:
                low = middle + 1
        return first, low

    def best(self, ranges: Iterable[tuple[int, int]], limit: int) -> list[int]:
        """Return the numbers of the entries of ranges, each once, the best first: at most `limit`."""
        parts = [self._owners[low:high] for low, high in ranges if low < high]
        if not parts or limit <= 0:
            return []
        owners = parts[0] if len(parts) == 1 else np.concatenate(parts)
        # A name that has two words of the same beginning is there twice.
        taken = 2 * limit
        while True:
            some = owners if taken >= len(owners) else np.partition(owners, taken)[:taken]
            found = np.unique(some)
            if len(found) >= limit or taken >= len(owners):
                break
            taken *= 4
        if int(found[-1]) >= len(self):
            raise self._file.damaged(f"a word of {self._name!r} is of an entry that is not there")
        best: list[int] = found[:limit].tolist()
        return best

    def knows(self, text: str, kind: str) -> bool:
        """Whether a folded name of a kind is an entry."""
        low, high = self._range(_encoded(text) + _END)
        places = zip(self._starts[low:high].tolist(), self._owners[low:high].tolist(), strict=True)
        for start, owner in places:
            if owner >= len(self):
                raise self._file.damaged(f"a word of {self._name!r} is of an entry that is not there")
            if self._offsets[owner] == start and self._kinds[owner] == _KINDS.index(kind):
                return True
        return False

    def corrected(self, prefix: str) -> list[str]:
        """Return what a folded prefix may have been meant to be, so that names begin so: a letter of one of
        its words put in, left out, replaced, or swapped with the next; in ascending order.

        The first letter of a word is never another, and words of less than four letters, or with digits, are
        as they are. All words but the last are compared with whole words, the last one with beginnings.
        """
        found: set[str] = set()
        for match in _WORD.finditer(prefix):
            word, before, after = match[0], prefix[: match.start()], prefix[match.end() :]
            if not _SHORTEST <= len(word) <= _LONGEST or _joined(before[-1:]) or _joined(after[:1]):
                continue
            near = self._near(word, whole=bool(after))
            found.update(before + other + after for other in near)
            if len(found) > _MOST_CORRECTED:
                break
        return [text for text in sorted(found)[:_MOST_CORRECTED] if self._is_begun(text)]

    def _is_begun(self, prefix: str) -> bool:
        low, high = self.range(prefix)
        return low < high

    def _near(self, word: str, *, whole: bool) -> Iterator[str]:
        """Yield the words, or beginnings of words, that are one edit from a word."""
        others = sorted(_edited(word, whole=whole))
        data = [_encoded(other) for other in others]
        lows = np.searchsorted(self._words, np.array(data, f"S{_WIDTH}"))
        if whole:
            held = np.append(self._words, np.zeros(1, f"S{_WIDTH}"))[lows].tolist()
            yield from (other for other, one, found in zip(others, data, held, strict=True) if one == found)
            return
        highs = np.searchsorted(self._words, np.array([one + b"\xff" for one in data], f"S{_WIDTH}"))
        yield from (others[place] for place in np.flatnonzero(lows < highs).tolist())


def _joined(char: str) -> bool:
    return char.isdigit() or char == "_"


def _edited(word: str, *, whole: bool) -> set[str]:
    """Return what is one edit from a word, its first letter kept; of a beginning, without what goes on.

    >>> sorted(one for one in _edited("lpus", whole=True) if set(one) <= set("lupus"))[:3]
    ['llpus', 'llus', 'lpls']
    """
    found = set()
    for place in range(1, len(word)):
        before, after = word[:place], word[place:]
        found.add(before + after[1:])
        found.add(before + after[1:2] + after[:1] + after[2:])
        for letter in _LETTERS:
            found.add(before + letter + after[1:])
            found.add(before + letter + after)
    if whole:
        found.update(word + letter for letter in _LETTERS)
        found.discard(word)
        return found
    return {other for other in found if not other.startswith(word)}
