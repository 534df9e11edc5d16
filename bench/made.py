"""A corpus of any size, made of real records: the same every time, in shards that are made side by side.

    python bench/made.py 200000 FOLDER [BASE...]     shards of JSON lines (gz) into FOLDER

Record number i takes a random record of the base, drops a third of 15 % of the words of its texts and swaps
the others of these with words of other records, moves its dates by up to two years and its enrolment by up to
a half, and bears the id NCT8xxxxxxx. New words keep coming, as Heaps' law has it (V = K n^beta for n words of
running text; Heaps 1978, section 7.5), with K and beta of the base: each appears first in one record and may
come again, older ones more often. So neither postings nor the vocabulary are copies of the base's.

Memory: the base with its words, and one shard's lines at a time, in each process.

>>> new_word(0), new_word(1), new_word(123456)
('basazedu', 'vubepamu', 'tubixodu')
>>> len({new_word(number) for number in range(20_000)})
20000
>>> law = Heaps.of(tokens=[100, 400], words=[50, 100])
>>> law, round(law.words(1600))
(Heaps(factor=5.0, exponent=0.5), 200)
"""

from __future__ import annotations

import datetime
import gzip
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
from build import studies

__all__ = ["SHARD", "Heaps", "Maker", "make", "new_word"]

SEED = 20_240_229
SHARD = 5_000
_FIRST_ID = 80_000_000
_CHANGED = 0.15
_DROPPED = 1 / 3
# Of the swapped-in words: those that no record of the base has.
_NEW = 0.03
_POOL = 500_000
_DAYS = 730
# Texts that are names of a fixed list, ids or addresses stay as they are.
_FIXED = frozenset(
    """nctId nctIdAliases id meshes ancestors city state country zip facility version contacts phone email
    lat lon type class link url""".split()
)
_CONSONANTS, _VOWELS = "bdfgklmnprstvxz", "aeiou"
_SYLLABLES = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
# An odd number near the golden section of 2^24: neighbours in number are far apart in the alphabet.
_SCATTER = 10_368_889
_SCATTERED = 1 << 24


@dataclass(frozen=True, slots=True)
class Heaps:
    """The vocabulary of n words of running text: factor * n ** exponent."""

    factor: float
    exponent: float

    @classmethod
    def of(cls, tokens: Sequence[int], words: Sequence[int]) -> Heaps:
        """Return the law through two points: so many different words in so many running ones."""
        exponent = math.log(words[1] / words[0]) / math.log(tokens[1] / tokens[0])
        return cls(words[0] / tokens[0] ** exponent, exponent)

    def words(self, tokens: float) -> float:
        """Return how many different words there are."""
        return float(self.factor * tokens**self.exponent)


def new_word(number: int) -> str:
    """Return the word of a number below 2^24: syllables, three at least, and no two numbers alike."""
    left = (number * _SCATTER + 4_200_000) % _SCATTERED
    said: list[str] = []
    while left or len(said) < 3:
        left, syllable = divmod(left, len(_SYLLABLES))
        said.append(_SYLLABLES[syllable])
    return "".join(said)


@dataclass(slots=True)
class _Base:
    """A record taken apart: where its texts, dates and enrolment go, and the words of all texts in a row.

    `texts`: (container, key) of each text; `ends`: where its words end; `free`: places of words that may
    change, ascending, which the first word of a text may not, so that no text becomes empty. The study is
    taken over: its texts are emptied until a record is made of it.
    """

    study: dict[str, Any]
    texts: list[tuple[Any, Any]] = field(default_factory=list)
    dates: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    free: npt.NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        self._walk(self.study)
        first = {0, *self.ends}
        places = (place for place, word in enumerate(self.words) if word.isalpha() and place not in first)
        self.free = np.fromiter(places, np.int32)

    def _walk(self, node: Any) -> None:
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if key in _FIXED:
                continue
            if isinstance(value, dict | list):
                self._walk(value)
            elif not isinstance(value, str):
                continue
            elif key == "date" or (isinstance(key, str) and key.endswith("Date")):
                self.dates.append((node, key))
            elif not value.isupper() or " " in value:
                # What is written in capitals throughout is a code.
                self._add(node, key, value)

    def _add(self, node: Any, key: Any, text: str) -> None:
        self.words += map(sys.intern, text.split(" "))
        self.texts.append((node, key))
        node[key] = ""
        self.ends.append(len(self.words))


def _moved(date: str, days: int) -> str:
    """Return a date moved by days, as exact as it was; what is no date stays.

    >>> _moved("2012-02", 40), _moved("2012-02-29", -1), _moved("soon", 5)
    ('2012-03', '2012-02-28', 'soon')
    """
    try:
        day = datetime.date.fromisoformat(f"{date}-01" if len(date) == 7 else date)
        return (day + datetime.timedelta(days=days)).isoformat()[: len(date)]
    except (ValueError, OverflowError):
        return date


class Maker:
    """Makes records by number out of a base. Every shard has a random generator of its own."""

    def __init__(self, bases: Iterable[dict[str, Any]]) -> None:
        self._bases = [_Base(study) for study in bases]
        self._law, self._mean = self._measure()
        chosen = np.random.default_rng(SEED)
        words = [word for base in self._bases for word in base.words if word.isalpha()]
        self._pool = [words[place] for place in chosen.integers(len(words), size=_POOL).tolist()]

    def _measure(self) -> tuple[Heaps, float]:
        """Return the base's law of growth and the mean number of words of a record. What has a digit or
        a sign in it is no word here: it would make the law steeper than the growth of the vocabulary.
        """
        seen: set[str] = set()
        tokens, words, total = [], [], 0
        middle = len(self._bases) // 2
        for number, base in enumerate(self._bases, 1):
            plain = [word.lower() for word in base.words if word.isalpha()]
            seen.update(plain)
            total += len(plain)
            if number in (middle, len(self._bases)):
                tokens.append(total)
                words.append(len(seen))
        return Heaps.of(tokens, words), total / len(self._bases)

    def _new(self, number: int) -> int:
        """Return how many new words the records before this number have: those that the law wants beyond
        the base.
        """
        whole = len(self._bases)
        grown = self._law.words(max(number, whole) * self._mean) - self._law.words(whole * self._mean)
        return round(grown)

    def shard(self, shard: int, total: int) -> Iterator[bytes]:
        """Yield the lines of a shard of a corpus of so many records."""
        chosen = np.random.default_rng([SEED, shard])
        for number in range(shard * SHARD, min((shard + 1) * SHARD, total)):
            yield self._line(number, chosen)

    def _line(self, number: int, chosen: np.random.Generator) -> bytes:
        base = self._bases[int(chosen.integers(len(self._bases)))]
        words, ends = self._changed(base, number, chosen)
        start = 0
        for (node, key), end in zip(base.texts, ends, strict=True):
            node[key] = " ".join([word for word in words[start:end] if word is not None])
            start = end
        return self._finish(base, number, chosen)

    def _changed(
        self, base: _Base, number: int, chosen: np.random.Generator
    ) -> tuple[list[str | None], list[int]]:
        """Return a record's words with some swapped and some dropped (None), and where its texts end."""
        words: list[str | None] = list(base.words)
        count = min(len(base.free), round(_CHANGED * len(words)))
        places = chosen.choice(base.free, count, replace=False).tolist() if count else []
        drops = int(count * _DROPPED)
        for place in places[:drops]:
            words[place] = None
        before, after = self._new(number), self._new(number + 1)
        others = chosen.integers(_POOL, size=count).tolist()
        for place, other in zip(places[drops:], others, strict=False):
            words[place] = self._pool[other]
        fresh = [new_word(each) for each in range(before, after)]
        if before:
            # By Zipf's law (exponent 1): the logarithm of the rank is even.
            again = before ** chosen.random(chosen.binomial(count - drops, _NEW))
            fresh += [new_word(min(int(rank), before - 1)) for rank in again.tolist()]
        for place, word in zip(places[drops:], fresh, strict=False):
            words[place] = word
        return words, base.ends

    def _finish(self, base: _Base, number: int, chosen: np.random.Generator) -> bytes:
        """Return the record's line, with an id, dates and an enrolment of its own."""
        study = base.study
        section = study["protocolSection"]
        section["identificationModule"]["nctId"] = f"NCT{_FIRST_ID + number}"
        days = int(chosen.integers(-_DAYS, _DAYS))
        held = [node[key] for node, key in base.dates]
        for node, key in base.dates:
            node[key] = _moved(node[key], days)
        info = section.get("designModule", {}).get("enrollmentInfo", {})
        count = info.get("count")
        if isinstance(count, int):
            info["count"] = int(count * chosen.uniform(0.5, 1.5))
        line = json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        # The next record made of this one starts from the same dates and enrolment.
        for (node, key), date in zip(base.dates, held, strict=True):
            node[key] = date
        if isinstance(count, int):
            info["count"] = count
        return line


def _write(maker: Maker, folder: Path, total: int, shard: int) -> None:
    path = folder / f"part-{shard:05}.jsonl.gz"
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as file:
        file.writelines(maker.shard(shard, total))
    unfinished.rename(path)


# What a forked child has of its parent: the base is read once, and shared.
_maker: list[Maker] = []


def _write_here(folder: Path, total: int, shard: int) -> None:
    _write(_maker[0], folder, total, shard)


def make(total: int, folder: Path, sources: Iterable[Path], processes: int | None = None) -> None:
    """Write a corpus of so many records as shards into a folder; shards that are there already stay.

    Raises ValueError where the sources hold fewer than two trials.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [n for n in range(-(-total // SHARD)) if not (folder / f"part-{n:05}.jsonl.gz").exists()]
    if not shards:
        return
    bases = [study for _key, study in studies(sources)]
    if len(bases) < 2:
        raise ValueError("a made corpus needs two trials or more to be made of")
    _maker[:] = [Maker(bases)]
    work = partial(_write_here, folder, total)
    wanted = min(len(shards), processes or os.cpu_count() or 1)
    if wanted > 1 and sys.platform == "linux":
        with ProcessPoolExecutor(wanted, mp_context=get_context("fork")) as pool:
            list(pool.map(work, shards))
    else:
        for shard in shards:
            work(shard)
    _maker.clear()


def main(total: str, folder: str, *sources: str) -> None:
    """Make a corpus, and say how fast on standard error."""
    from corpora import base

    start = perf_counter()
    make(int(total), Path(folder), [Path(source) for source in sources] or base())
    seconds = perf_counter() - start
    print(f"{total} records in {seconds:.1f} s: {int(total) / seconds:,.0f} records/s", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
