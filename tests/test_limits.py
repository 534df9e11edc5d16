"""What is more than can be asked at once is refused, and what is cut short is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from small import concept, open_index, study
from trialindex.errors import QueryError
from trialsearch import TrialSearch

CONCEPTS = [concept("C01", "gout", *(f"gout kind{number:04}" for number in range(1100)))]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    words = " ".join(f"zub{number:04}" for number in range(1100))
    studies = [study("NCT00000001", BriefTitle="Gout", BriefSummary=words)]
    with open_index(tmp_path_factory.mktemp("limits") / "index", studies, CONCEPTS) as opened:
        yield opened


def _words(count: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz"
    return " ".join(first + second for first, second in list(product(letters, letters))[:count])


def test_more_than_1024_words_are_refused_and_as_many_are_not(trials: TrialSearch) -> None:
    several = " AND ".join(f"({_words(340)})" for _ in range(3))
    assert len(trials.search(several, synonyms=False, fuzzy=False)) == 0
    with pytest.raises(QueryError, match=r"widened to 1,\d+ words and names; at most 1,024 .* ask for fewer"):
        trials.search(several, cond=_words(340), synonyms=False, fuzzy=False)


def test_names_that_no_trial_has_do_not_count(trials: TrialSearch) -> None:
    assert len(trials.search("gout")) == 1


def test_a_prefix_of_more_words_than_are_asked_is_noted(trials: TrialSearch) -> None:
    (note,) = trials.search("zub*").notes
    assert note.startswith("zub* fits more than 1,024 words")
    assert trials.search("zub0*").notes == ()


def test_prefixes_that_mean_too_many_words_together_are_refused(trials: TrialSearch) -> None:
    with pytest.raises(QueryError, match=r"fit more than 1,024 words.*: write more letters"):
        trials.search("zub0* OR zub10*")
    assert len(trials.search("zub00* OR zub10*")) == 1
    assert len(trials.search("zub0* OR zub0*")) == 1
