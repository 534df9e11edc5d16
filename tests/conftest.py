"""What tests of the whole path share: an index of the sample corpus, built once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import ROOT


@pytest.fixture(scope="session")
def corpus_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of `corpus/`. It is shared: a test that changes it copies it first."""
    from trialindex.builder import build

    folder = tmp_path_factory.mktemp("corpus") / "index"
    build([ROOT / "corpus"], folder)
    return folder
