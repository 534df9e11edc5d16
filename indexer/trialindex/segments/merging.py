"""Several segments become one: arrays are joined, terms renumbered, deleted documents left out.

The dictionaries are walked side by side, in stretches of a bounded number of occurrences, so memory does not
grow with the segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trialindex.fields import FIELDS, PLACED
from trialindex.segments.arrays import ArrayWriter, spread
from trialindex.segments.columns import merge_codes, merge_names
from trialindex.segments.numbers import NumberLists
from trialindex.segments.postings import Chunk
from trialindex.segments.records import Block, Packer
from trialindex.segments.segment import CODED, NUMERIC, STRUCTURES, Contents, Segment, write_segment
from trialindex.segments.terms import stretches

__all__ = ["merge_segments", "policy"]

# Occurrences of all segments together that are joined at a time, and terms of one.
_CHUNK = 1 << 21
_TERMS = 1 << 15
# Blocks of records that are copied before their memory is given back.
_RELEASE = 500

# Segments of about one size, within this factor, are joined when there are so many of them.
_FANOUT = 8
# A segment is as good as this many documents, however small.
_SMALLEST = 1000
# The share of deleted documents above which a segment is written anew.
_DELETED = 0.25

U32 = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]


def policy(documents: Sequence[tuple[int, int]]) -> list[int]:
    """Return which segments to merge now, by their places; [] for none.

    `documents`: of each segment, live ones and all. Segments are sorted into tiers by size, each tier eight
    times the one below; a tier with eight segments becomes one of the next. So a document is written again
    once a tier, and an index of any size has few segments. Only in the lowest tier, of a thousand documents
    at most, eight segments may make one of the same tier. A segment a quarter of which is deleted is written
    anew.

    >>> policy([(200_000, 200_000), (100, 100)]), policy([(10, 10)] * 8), policy([(70, 100), (5_000, 5_000)])
    ([], [0, 1, 2, 3, 4, 5, 6, 7], [0])
    """
    tiers: dict[int, list[int]] = {}
    for place, (live, size) in enumerate(documents):
        if live < size * (1 - _DELETED):
            return [place]
        tiers.setdefault(_tier(live), []).append(place)
    full = [tier for tier, places in tiers.items() if len(places) >= _FANOUT]
    if not full:
        return []
    tier = min(full)
    chosen = tiers[tier]
    # What a full tier becomes may fill one above.
    while (above := _tier(sum(documents[place][0] for place in chosen))) > tier:
        if len(tiers.get(above, [])) + 1 < _FANOUT:
            break
        chosen += tiers[above]
        tier = above
    return sorted(chosen)


def _tier(live: int) -> int:
    tier = 0
    while live > _SMALLEST * _FANOUT**tier:
        tier += 1
    return tier


def merge_segments(segments: Sequence[Segment], path: Path) -> None:
    """Write the live documents of some segments, in their order, as one segment file."""
    keeps = [
        np.ones(segment.size, np.bool_) if segment.live is None else segment.live for segment in segments
    ]
    size = sum(int(keep.sum()) for keep in keeps)
    with ArrayWriter(path) as writer:
        write_segment(writer, _contents(segments, keeps), _blocks(segments, keeps), _chunks(segments, keeps))
        renumber = [np.where(keep, moved, -1) for keep, moved in zip(keeps, _moved(keeps), strict=True)]
        for name, field in FIELDS.items():
            held = [segment.names(name) for segment in segments]
            if field.kind == "name" and any(held):
                parts = zip(held, renumber, strict=True)
                kept = [(names, numbers) for names, numbers in parts if names is not None]
                merge_names(writer, name, kept, size)


def _contents(segments: Sequence[Segment], keeps: list[Mask]) -> Contents:
    both = list(zip(segments, keeps, strict=True))
    return Contents(
        keys=[key.decode() for segment, keep in both for key in segment.keys.keys[keep].tolist()],
        digests=np.concatenate([np.empty(0, np.uint32), *(one.digests[keep] for one, keep in both)]),
        lengths=_lengths(segments, keeps),
        numbers=(
            NumberLists.joined([segment.number_lists(name).kept(keep) for segment, keep in both])
            for name in NUMERIC
        ),
        codes=(merge_codes([(segment.codes(name), keep) for segment, keep in both]) for name in CODED),
        structures=(
            _documents(np.concatenate([segment.having(name)[keep] for segment, keep in both]))
            for name in STRUCTURES
        ),
        values=(segment.values().kept(keep) for segment, keep in both),
        sites=(segment.sites().kept(keep) for segment, keep in both),
    )


def _documents(mask: Mask) -> U32:
    return np.flatnonzero(mask).astype(np.uint32)


def _lengths(segments: Sequence[Segment], keeps: list[Mask]) -> Iterator[tuple[U32, U32]]:
    """Yield of each field whose words have a place the documents that have a value in it, and the number of
    their words.
    """
    maps = [moved.astype(np.uint32) for moved in _moved(keeps)]
    for name in PLACED:
        docs, words = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
        for segment, keep, moved in zip(segments, keeps, maps, strict=True):
            own, counts = segment.words(name)
            kept = keep[own]
            docs.append(moved[own[kept]])
            words.append(counts[kept].astype(np.uint32))
        yield np.concatenate(docs), np.concatenate(words)


def _moved(keeps: list[Mask]) -> list[npt.NDArray[np.int64]]:
    """Return the new numbers of the documents of each segment; of one that goes, the last before it."""
    found = []
    base = 0
    for keep in keeps:
        found.append(base + np.cumsum(keep) - 1)
        base += int(keep.sum())
    return found


def _blocks(segments: Sequence[Segment], keeps: list[Mask]) -> Iterator[Block]:
    """Yield packed records; full blocks of which nothing is deleted go over as they are where they can."""
    packer = Packer()
    for segment, keep in zip(segments, keeps, strict=True):
        for number, (first, block) in enumerate(segment.records.blocks(), 1):
            if number % _RELEASE == 0:
                segment.file.release()
            here = keep[first : first + len(block.lengths)]
            if not packer.waiting and block.full and here.all():
                yield block
            else:
                for place in np.flatnonzero(here).tolist():
                    yield from packer.add(segment.records[first + place])
    yield from packer.finish()


def _chunks(segments: Sequence[Segment], keeps: list[Mask]) -> Iterator[Chunk]:
    readers = [segment.postings for segment in segments]
    maps = [moved.astype(np.uint32) for moved in _moved(keeps)]
    budget = max(1, _CHUNK // max(1, len(readers)))
    walk = stretches(
        [reader.terms for reader in readers],
        lambda place, low: min(readers[place].reach(low, budget), low + _TERMS),
    )
    for stretch in walk:
        yield _joined(
            [
                _kept(reader.stretch(low, high), keep, moved)
                for reader, (low, high), keep, moved in zip(readers, stretch, keeps, maps, strict=True)
                if high > low
            ]
        )
        # What is read once need not stay in memory because there is room.
        for segment in segments:
            segment.file.release()


def _kept(chunk: Chunk, keep: Mask, moved: npt.NDArray[np.uint32]) -> Chunk:
    """Return a chunk without the postings of deleted documents, the others renumbered."""
    here = keep[chunk.docs]
    if here.all():
        return chunk._replace(docs=moved[chunk.docs])
    occurrences = np.repeat(here, chunk.counts)
    owners = np.repeat(np.arange(len(chunk.terms)), chunk.frequencies)[here]
    frequencies = np.bincount(owners, minlength=len(chunk.terms))
    left = frequencies > 0
    return Chunk(
        [term for term, there in zip(chunk.terms, left.tolist(), strict=True) if there],
        frequencies[left],
        moved[chunk.docs[here]],
        chunk.counts[here],
        chunk.fields[occurrences],
        chunk.positions[occurrences],
    )


def _joined(parts: list[Chunk]) -> Chunk:
    """Return one chunk of several over the same stretch, their documents in the order of the parts."""
    if len(parts) == 1:
        return parts[0]
    terms = sorted(set().union(*(part.terms for part in parts)))
    number = {term: place for place, term in enumerate(terms)}
    owners = np.concatenate(
        [
            np.repeat(np.array([number[term] for term in part.terms], np.uint32), part.frequencies)
            for part in parts
        ]
    )
    counts = np.concatenate([part.counts for part in parts])
    order = np.argsort(owners, kind="stable")
    starts = np.cumsum(counts, dtype=np.int64) - counts
    places = spread(starts[order], counts[order].astype(np.int64))
    return Chunk(
        terms,
        np.bincount(owners, minlength=len(terms)),
        np.concatenate([part.docs for part in parts])[order],
        counts[order],
        np.concatenate([part.fields for part in parts])[places],
        np.concatenate([part.positions for part in parts])[places],
    )
