"""A run of documents becomes the segment that plain dictionaries say, whatever its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small import study
from snapshot_helpers import AREAS, PIECES, Model, key_of, made, tiny_limits
from trialindex.document import Document
from trialindex.segments import run as module
from trialindex.segments.run import Run
from trialindex.segments.segment import Segment
from trialindex.snapshot import unpack
from trialindex.storage import Writer, pack
from trialindex.verify import verify


def add(run: Run, number: int, **pieces: Any) -> dict[str, Any]:
    one = made(number, number, pieces)
    run.add(key_of(number), pack(one), Document.of(one))
    return one


@settings(max_examples=20, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9), st.sampled_from([1, 3, 50, 1 << 21]), st.integers(1, 9))
def test_a_run_is_what_plain_dictionaries_say(
    tmp_path_factory: pytest.TempPathFactory, studies: list[dict[str, Any]], chunk: int, drain: int
) -> None:
    index = tmp_path_factory.mktemp("run") / "index"
    model = Model()
    with tiny_limits(), pytest.MonkeyPatch.context() as patch, Writer(index) as writer:
        patch.setattr(module, "_CHUNK", chunk)
        patch.setattr(module, "_DRAIN", drain)
        for number, pieces in enumerate(studies):
            model.step(writer, (number, pieces))
        writer.commit()
        assert writer.segments == [(len(studies), len(studies))]
        model.check(index, AREAS)


def test_a_run_starts_over_after_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words may be kept or forgotten; its documents are gone."""
    for cache in (0, 1 << 30):
        monkeypatch.setattr(module, "_CACHE", cache)
        run = Run()
        for number, title in ((1, "lupus gout"), (2, "asthma lupus")):
            one = add(run, number, BriefTitle=title)
            assert key_of(number) in run and len(run) == 1
            path = tmp_path / f"{number}.{cache}.seg"
            run.write(path)
            assert key_of(number) not in run and len(run) == 0
            segment = Segment(path)
            assert segment.size == 1 and unpack(segment.records[0]) == one
            terms = [segment.postings.terms[ordinal] for ordinal in range(len(segment.postings.terms))]
            assert sorted(title.encode().split()) == [
                term for term in terms if term.isalpha() and len(term) > 3
            ]
            segment.close()


def test_memory_grows_with_what_is_added_and_is_given_back(tmp_path: Path) -> None:
    run = Run()
    start = run.memory
    last = start
    for number in range(400):
        add(run, number, BriefTitle=f"lupus {number} words{number} more{number}", Condition=["a b c"] * 9)
        assert run.memory >= last
        last = run.memory
    assert last > start + 400 * 9 * 3 * 40
    run.write(tmp_path / "one.seg")
    assert run.memory < last / 2


@pytest.mark.parametrize(
    "pieces", [{}, {"BriefTitle": ""}, {"BriefTitle": "the of -"}, {"Condition": ["", ""]}]
)
def test_documents_without_words(tmp_path: Path, pieces: dict[str, Any]) -> None:
    model = Model()
    with Writer(tmp_path / "index") as writer:
        model.step(writer, (1, pieces))
        model.versions[-1] = {**model.versions[-1]}
        writer.put(key_of(2), {**study("", **pieces), "serial": 1})
        model.versions.append({**study("", **pieces), "serial": 1})
        writer.delete(key_of(2))
    assert verify(tmp_path / "index") == []
    model.check(tmp_path / "index")


def test_an_id_that_cannot_be_stored_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    run = Run()
    one = add(run, 1, BriefTitle="lupus")
    for key in ("NCT\ud800", "NCT1\0"):
        with pytest.raises(ValueError):
            run.add(key, pack(one), Document.of(one))
        assert key not in run
    assert len(run) == 1
    run.write(tmp_path / "one.seg")
    segment = Segment(tmp_path / "one.seg")
    assert segment.keys.keys.tolist() == [key_of(1).encode()] and len(segment.records) == 1
    assert segment.lengths("BriefTitle").tolist() == [100] and segment.find("NCT\ud800") is None
    assert np.isnan(segment.numbers("StartDate")).all() and segment.names("Country") is None
    segment.close()
