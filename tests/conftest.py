"""What tests of the whole path share: a small vocabulary, and an index of the sample corpus, built once a
session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from helpers import ROOT
from trialindex.vocabulary.concepts import Concept

# How long a machine takes is no property of what is tested.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def small_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put a part of the shipped vocabulary where its copies are kept, for this process and those that it
    starts.

    All of it takes seconds to write, and tens of megabytes for every index: the concepts that the project's
    own table names, and what is above them, are enough for most tests. `whole_vocabulary` is for the others.
    """
    from trialindex.vocabulary.concepts import shipped_concepts
    from trialindex.vocabulary.mapped import write_vocabulary
    from trialindex.vocabulary.shipped import cached

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        path = cached()
        path.parent.mkdir(parents=True)
        write_vocabulary(_part(list(shipped_concepts())), path)
        yield path


def _part(concepts: Iterable[Concept]) -> list[Concept]:
    held = {concept.id: concept for concept in concepts}
    chosen: dict[str, Concept] = {}
    waiting = [one for one in held.values() if any(name.source == "curated" for name in one.names)]
    while waiting:
        concept = waiting.pop()
        if concept.id not in chosen:
            chosen[concept.id] = concept
            waiting += [held[parent] for parent in concept.parents if parent in held]
    return list(chosen.values())


@pytest.fixture(scope="session")
def whole_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the shipped vocabulary, all of it."""
    from trialindex.vocabulary.concepts import shipped_concepts
    from trialindex.vocabulary.mapped import write_vocabulary

    path = tmp_path_factory.mktemp("vocabulary") / "whole.voc"
    write_vocabulary(shipped_concepts(), path)
    return path


@pytest.fixture(scope="session")
def corpus_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of `corpus/`. It is shared: a test that changes it copies it first."""
    from trialindex.builder import build

    folder = tmp_path_factory.mktemp("corpus") / "index"
    build([ROOT / "corpus"], folder)
    return folder
