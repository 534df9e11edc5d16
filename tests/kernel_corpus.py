"""What tests of the compiled kernel share: a corpus as a plain dictionary, a segment of it, and what going
through the dictionary finds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trialindex.analysis import VALUE_GAP
from trialindex.fields import FIELD_NUMBERS, area_weights
from trialindex.kernel import KERNEL
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.bounds import BOUNDED
from trialindex.segments.postings import Chunk, PostingsReader, PostingsWriter

compiled_only = pytest.mark.skipif(KERNEL is None, reason="no compiled kernel is installed")

# Term -> document -> field number -> positions, ascending.
Corpus = Mapping[bytes, Mapping[int, Mapping[int, Sequence[int]]]]

TITLE, SUMMARY, CITY = (FIELD_NUMBERS[name] for name in ("BriefTitle", "BriefSummary", "LocationCity"))
# Of many fields, of more than half of them, of one, and of others.
AREAS = ("Everywhere", "BasicSearch", "BriefTitle", "LocationSearch")
WEIGHTS = {
    area: {FIELD_NUMBERS[name]: weight for name, weight in area_weights(area).items()} for area in AREAS
}
EVERYWHERE = sorted(WEIGHTS["Everywhere"])
# As many documents as bytes tell apart, and as pages hold.
SIZES = (1, 256, 257, 65_535, 65_536, 65_537, 200_000, 1 << 24, (1 << 24) + 1)
# A place, int64, has room for so many documents.
MOST_PLACED = 1 << 23


def chunk_of(corpus: Corpus) -> Chunk:
    """Return a corpus as the writers take it."""
    terms = sorted(corpus)
    places = [
        (doc, [(field, position) for field in sorted(held) for position in held[field]])
        for term in terms
        for doc, held in sorted(corpus[term].items())
    ]
    every = [place for _, own in places for place in own]
    return Chunk(
        terms,
        np.array([len(corpus[term]) for term in terms], np.int64),
        np.array([doc for doc, _ in places], np.uint32),
        np.array([len(own) for _, own in places], np.uint32),
        np.array([field for field, _ in every], np.uint8),
        np.array([position for _, position in every], np.uint32),
    )


def written(path: Path, corpus: Corpus, documents: int) -> Path:
    with ArrayWriter(path) as writer:
        out = PostingsWriter(writer, documents, {area: np.empty(0, np.uint32) for area in BOUNDED})
        out.append(chunk_of(corpus))
        out.finish()
    return path


def read(path: Path, documents: int, by_arrays: bool = False) -> PostingsReader:
    reader = PostingsReader(ArrayFile(path), documents)
    if by_arrays:
        without(reader)
    return reader


def without(reader: PostingsReader) -> None:
    """Make a reader one of an installation without a kernel."""
    vars(reader)["_compiled"] = None
    vars(reader.terms)["_compiled"] = None


def weights_by_hand(held: Mapping[int, Mapping[int, Sequence[int]]], area: str) -> dict[int, int]:
    """Return the weighted frequency of a term in each document that has it in an area, in hundredths."""
    sums = {
        doc: sum(WEIGHTS[area].get(field, 0) * len(positions) for field, positions in fields.items())
        for doc, fields in sorted(held.items())
    }
    return {doc: total for doc, total in sums.items() if total}


def any_docs(choose: random.Random, documents: int) -> list[int]:
    """Return documents of a term: few, many, in one page only, the first and the last, all."""
    kind = choose.choice(["few", "few", "some", "page", "ends", "all"])
    if kind == "ends":
        return sorted({0, documents - 1})
    if kind == "page":
        start = choose.randrange(documents)
        return list(range(start, min(documents, start + 300)))
    if kind == "all" and documents < 300:
        return list(range(documents))
    return sorted({choose.randrange(documents) for _ in range(400 if kind == "some" else 5)})


@dataclass(frozen=True)
class Phrase:
    """What is asked. `denied`: b"" for no term."""

    terms: tuple[bytes, ...]
    offsets: tuple[int, ...]
    slop: int = 0
    denied: bytes = b""


def begins_by_hand(
    corpus: Corpus, phrase: Phrase, area: str, docs: Sequence[int] | None = None
) -> list[tuple[int, int, int]]:
    """Return where a phrase begins in an area, (document, field, position), trying every occurrence of its
    first term with every one of the others.
    """
    found = []
    lists = [corpus.get(term, {}) for term in phrase.terms]
    denied = corpus.get(phrase.denied, {})
    some = set(lists[0]).intersection(*lists[1:])
    for doc in sorted(some if docs is None else some & set(docs)):
        for field in sorted(set(WEIGHTS[area]) & set(lists[0][doc])):
            # Behind the last place of each term there is nowhere.
            own = [sorted(held[doc].get(field, ())) for held in lists]
            found += [
                (doc, field, start)
                for start in own[0]
                if _stands(own, phrase, start) and start - 1 not in denied.get(doc, {}).get(field, ())
            ]
    return found


def _stands(places: list[list[int]], phrase: Phrase, start: int) -> bool:
    steps = [after - before for before, after in pairwise(phrase.offsets)]
    room = min(phrase.slop, VALUE_GAP - max(steps, default=1))
    # The words that stand between the terms so far, by where the last of them stands.
    reached = {start: 0} if room >= 0 else {}
    for own, step in zip(places[1:], steps, strict=True):
        reached = {
            place: more + place - last - step
            for place in own
            for last, more in reached.items()
            if 0 <= place - last - step <= room - more
        }
    return bool(reached)


def asked(
    reader: PostingsReader, corpus: Corpus, phrase: Phrase, area: str, docs: Sequence[int] | None = None
) -> list[tuple[int, int, int]]:
    """Return what the kernel answers."""
    terms = sorted(corpus)
    found = reader.phrase(
        [terms.index(term) for term in phrase.terms],
        phrase.offsets,
        phrase.slop,
        area,
        None if docs is None else np.array(docs, np.uint32),
        terms.index(phrase.denied) if phrase.denied else -1,
    )
    assert found.dtype == np.int64
    return [(place >> 40, place >> 32 & 255, place & 0xFFFFFFFF) for place in found.tolist()]


def any_phrase(choose: random.Random, terms: Sequence[bytes]) -> Phrase:
    count = choose.choice([1, 2, 2, 2, 3, 4])
    steps = [choose.choice([1, 1, 1, 1, 2, 3, 9, VALUE_GAP]) for _ in range(count - 1)]
    return Phrase(
        tuple(choose.choice(terms) for _ in range(count)),
        (0, *accumulate(steps)),
        choose.choice([0, 0, 0, 1, 3, VALUE_GAP - 1]),
        choose.choice([b"", b"", *terms]),
    )


def crowded(choose: random.Random, documents: int, fields: Sequence[int], terms: int) -> dict[bytes, Any]:
    """Return a corpus whose few terms stand close to each other in most documents."""
    shared = any_docs(choose, documents)
    base = choose.choice([0, 250, 65_530, 70_000])
    corpus: dict[bytes, Any] = {}
    for number in range(terms):
        docs = {doc for doc in shared if choose.random() < 0.8}.union(any_docs(choose, documents)[:9])
        corpus[b"t%d" % number] = {
            doc: {
                field: sorted({base + choose.randrange(40) for _ in range(choose.randint(1, 9))})
                for field in choose.sample(fields, choose.randint(1, len(fields)))
            }
            for doc in docs or [0]
        }
    return corpus
