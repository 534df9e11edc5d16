"""Phrases of an index are found alike with the compiled kernel and without, by one thread and by eight."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernel_corpus import without
from small import make_index, study
from snapshot_helpers import HastyDisk
from trialindex.segments import disk
from trialindex.segments.postings import MOST_TERMS
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.storage import Writer
from trialsearch.leaves import Leaves
from trialsearch.query import Near

# None of them is a function word or has another stem.
VOCABULARY = ("zab", "mof", "gix", "dor", "pel")


def title(choose: random.Random) -> str:
    words = [*VOCABULARY, "of", "the", "zab-mof"]
    return " ".join(choose.choices(words, k=choose.randint(1, 30)))


@contextmanager
def both(index: Path) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Open an index with what is installed, and with arrays alone."""
    first, second = open_snapshot(index), open_snapshot(index)
    for segment in second._segments:
        without(segment.postings)
    yield first, second
    first.close()
    second.close()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments, one of one document, with deletions."""
    choose, folder = random.Random(9), tmp_path_factory.mktemp("kernel") / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "DISK", HastyDisk())
        with Writer(folder, merge=False) as writer:
            for number in range(60):
                key = f"NCT{number:08}"
                pieces = {"Condition": [title(choose), title(choose)], "BriefSummary": title(choose)}
                writer.put(key, study(key, BriefTitle=title(choose), **pieces))
                if number in (30, 31):
                    writer.commit()
            writer.delete("NCT00000003")
    return folder


AREA_OF = st.sampled_from(["BasicSearch", "TitleSearch", "Condition", "LocationSearch"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from([*VOCABULARY, "", "", "nothere"]), max_size=5),
    slop=st.sampled_from([0, 0, 1, 4, 100]),
    denied=st.sampled_from(["", "zab", "mof"]),
    starts=st.booleans(),
    ends=st.booleans(),
    area=AREA_OF,
    some=st.none() | st.sets(st.integers(0, 59)).map(sorted),
)
@example(
    words=["zab"] + 17 * [""] + ["mof"],
    slop=3,
    denied="",
    starts=False,
    ends=False,
    area="BasicSearch",
    some=None,
)
@example(
    words=["zab", "mof"], slop=0, denied="zab", starts=False, ends=False, area="BasicSearch", some=[31, 32]
)
def test_leaves_answer_the_same_with_and_without_a_kernel(
    index: Path, words: list[str], slop: int, denied: str, starts: bool, ends: bool, area: str,
    some: list[int] | None,
) -> None:  # fmt: skip
    docs = None if some is None else np.array(some, np.uint32)
    near = Near(tuple(words), slop, denied, starts, ends and not slop)
    with both(index) as snapshots:
        found, expected = (Leaves(held).near_places(near, area, docs).tolist() for held in snapshots)
    assert found == expected


def test_phrases_of_an_index_are_those_of_its_texts(index: Path) -> None:
    """Deleted trials have their places still; the first word of a compound stands for itself too."""
    with both(index) as snapshots:
        texts = [
            snapshots[0].study(doc)["protocolSection"]["identificationModule"]["briefTitle"].split()
            for doc in range(60)
        ]
        expected = [
            (doc, place)
            for doc, words in enumerate(texts)
            for place in range(len(words) - 1)
            if words[place : place + 2] == ["gix", "dor"]
        ]
        assert len(expected) > 9
        for held in snapshots:
            found = Leaves(held).near_places(Near(("gix", "dor")), "BriefTitle")
            assert sorted({place >> 40 for place in found.tolist()}) == sorted({doc for doc, _ in expected})
            assert len(found) == len(expected)


@pytest.mark.parametrize("count", [MOST_TERMS, MOST_TERMS + 1, 300])
def test_a_phrase_of_more_terms_than_the_kernel_takes(tmp_path: Path, count: int) -> None:
    words = [f"{first}o{second}uk" for first in "bdfghjklmnpqrstvwz" for second in "bdfghjklmnpqrstvwz"][:300]
    titles = [" ".join(words), " ".join(words[:299]), " ".join([*words[:5], "zab", *words[5:]])]
    make_index(
        tmp_path / "index", [study(f"NCT0000000{n}", BriefTitle=text) for n, text in enumerate(titles)]
    )
    with both(tmp_path / "index") as snapshots:
        for leaves in map(Leaves, snapshots):
            found = leaves.near_places(Near(tuple(words[:count])), "BriefTitle")
            assert [place >> 40 for place in found.tolist()] == ([0] if count == 300 else [0, 1])
            apart = leaves.near_places(Near(tuple(words[:count]), 1), "BriefTitle")
            assert [place >> 40 for place in apart.tolist()] == ([0, 2] if count == 300 else [0, 1, 2])
            assert not len(leaves.near_places(Near((*words[1:count], words[0])), "BriefTitle"))


def test_a_prefix_that_any_term_begins_with(index: Path) -> None:
    with both(index) as snapshots:
        for held in snapshots:
            assert [held.begins(prefix) for prefix in ("", "zab", "zabm", "zabz", "\U0010ffff", "zzz")] == [
                True, True, True, False, False, False
            ]  # fmt: skip


def test_eight_threads_ask_one_snapshot(index: Path) -> None:
    asks = [
        (Near((first, second), slop, denied), area)
        for first in VOCABULARY
        for second in VOCABULARY
        for slop, denied in ((0, ""), (2, "zab"))
        for area in ("BasicSearch", "Condition")
    ]
    with both(index) as (held, arrays):
        expected = [Leaves(arrays).near_places(*ask).tolist() for ask in asks]

        def ask_all(seed: int) -> list[list[int]]:
            order = random.Random(seed).sample(range(len(asks)), len(asks))
            leaves = Leaves(held)
            found = {number: leaves.near_places(*asks[number]).tolist() for number in order}
            return [found[number] for number in range(len(asks))]

        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(ask_all, range(16)))
