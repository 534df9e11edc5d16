"""How often is an unknown drug silently taken for another one?

    python bench/relevance/takeout.py --cache DIR [--names N] [--seed N]
    python bench/relevance/takeout.py --cache DIR --words FILE      the names of a file, a line each

A drug that neither the vocabulary nor any record has looks like a misspelling. Names of real drugs are
therefore taken out of the vocabulary and of the index, one at a time, and asked: whatever they are widened to
is a mistake, unless it is another name of the same drug. Words that only records write are told apart: some
are misspellings of the drug itself, some are not, and the lists below the table show which. Names are chosen
from the vocabulary: compare two vocabularies by the names of one, in a file.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    # The bench's modules are a folder up, and one of them is called `run` too.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from tables import markdown

from relevance.asking import existing, index_options, opened
from trialindex.analysis import fold, normal_words
from trialindex.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from trialsearch.misspelt import Known

__all__ = ["OUTCOMES", "Knowledge", "drugs", "knowledge", "main", "outcome", "take_out"]

OUTCOMES = ("left alone", "another name of it", "another name or a word of one", "a word of records only")
_ONE_WORD = re.compile(r"[^\W\d_]{5,}")
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the engine knows of names.

    `widened`: of a word, and words that nobody is to know, the word that it is widened to. `meanings`: the
    concepts that a name means. `is_drug`: whether one of them is an intervention. `is_word`: whether a word
    is part of a name in the vocabulary.
    """

    widened: Callable[[str, frozenset[str]], str | None]
    meanings: Callable[[str], frozenset[str]]
    is_drug: Callable[[str], bool]
    is_word: Callable[[str], bool]


class _Without:
    """What is known of words, but for some that nobody is to know."""

    def __init__(self, known: Known, hidden: frozenset[str]) -> None:
        self._known = known
        self._hidden = hidden

    def knows(self, word: str) -> bool:
        return word not in self._hidden and self._known.knows(word)

    def frequency(self, word: str) -> int:
        return 0 if word in self._hidden else self._known.frequency(word)

    def near(self, word: str, kinds: int, limit: int) -> list[tuple[str, int, int]]:
        return [one for one in self._known.near(word, kinds, limit) if one[0] not in self._hidden]


def knowledge(snapshot: Snapshot) -> Knowledge:
    """Return what a search of plain words knows over a snapshot."""
    from trialsearch.lexicon import IndexLexicon
    from trialsearch.misspelt import meant

    lexicon = IndexLexicon(snapshot)
    vocabulary = lexicon.vocabulary

    def widened(word: str, without: frozenset[str]) -> str | None:
        spelling = meant(word, _Without(lexicon, without))
        return spelling.word if spelling else None

    def meanings(name: str) -> frozenset[str]:
        return frozenset(vocabulary.identifier(sense.concept) for sense in vocabulary.named(name))

    def is_drug(name: str) -> bool:
        return any(vocabulary.kind(sense.concept) == "intervention" for sense in vocabulary.named(name))

    return Knowledge(widened, meanings, is_drug, vocabulary.knows)


def drugs(names: Iterable[tuple[str, int]], is_drug: Callable[[str], bool]) -> list[str]:
    """Return the folded names of one word that are names of drugs and stand in three trials or more, in
    order; `names`: whole names with their number of trials, in any spelling.
    """
    trials: Counter[str] = Counter()
    for name, number in names:
        word = fold(name)
        if _ONE_WORD.fullmatch(word):
            trials[word] += number
    return sorted(word for word, number in trials.items() if number >= _FEWEST and is_drug(word))


def outcome(word: str, taken_for: str | None, known: Knowledge) -> str:
    """Return the outcome of a word that was taken for another, by the concepts that the two mean."""
    if taken_for is None:
        return "left alone"
    # Another number or spelling of the word is the word itself for the index.
    same = normal_words(word) == normal_words(taken_for)
    if same or known.meanings(word) & known.meanings(taken_for):
        return "another name of it"
    return "another name or a word of one" if known.is_word(taken_for) else "a word of records only"


def take_out(words: Iterable[str], known: Knowledge) -> dict[str, tuple[str, str | None]]:
    """Return word -> (outcome, what it was taken for), each word taken out alone."""
    found: dict[str, tuple[str, str | None]] = {}
    for word in words:
        taken_for = known.widened(word, frozenset({word}))
        found[word] = outcome(word, taken_for, known), taken_for
    return found


def _table(found: Mapping[str, tuple[str, str | None]]) -> str:
    counts = Counter(came for came, _ in found.values())
    return markdown(
        ["outcome", "names", "share"],
        [[came, str(counts[came]), f"{counts[came] / len(found):.1%}"] for came in OUTCOMES],
    )


def main(given: Sequence[str] | None = None) -> None:
    """Choose names, take them out, and print what came of it."""
    parser = argparse.ArgumentParser(description="Count the unknown drugs that are taken for other ones.")
    parser.add_argument("--names", type=int, default=300, metavar="N", help="so many names (300)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another choice of names (1)")
    parser.add_argument("--words", type=existing, metavar="FILE", help="these names instead, a line each")
    index_options(parser)
    wanted = parser.parse_args(given)
    if wanted.names < 1:
        parser.error(f"{wanted.names} is no count: 1 or more")
    with opened(wanted) as (_trials, folder):
        snapshot = open_snapshot(folder)
        known = knowledge(snapshot)
        if wanted.words:
            chosen = held = [fold(line) for line in wanted.words.read_text("utf-8").splitlines() if line]
        else:
            names = snapshot.names("InterventionFullName")
            held = drugs(((name.partition("\t")[0], trials) for name, trials in names), known.is_drug)
            chosen = sorted(random.Random(wanted.seed).sample(held, min(wanted.names, len(held))))
        if not chosen:
            raise SystemExit("no intervention of these records is a drug of the vocabulary")
        found = take_out(chosen, known)
        snapshot.close()
    print(f"{len(chosen)} of {len(held)} names of drugs, taken out one at a time.\n\n{_table(found)}")
    for came in OUTCOMES[1:]:
        pairs = [f"{word} → {other}" for word, (one, other) in found.items() if one == came]
        if pairs:
            print(f"\n{came.capitalize()}: {', '.join(pairs)}.")


if __name__ == "__main__":
    main()
