"""What was promised, on real records: the sample corpus, and a few hundred of the registry where at hand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import SHARED, needs_shared
from small import full, ids
from trialindex import build
from trialindex.fields import FIELDS
from trialindex.vocabulary.mapped import Vocabulary
from trialsearch import QueryError, TrialSearch

CORD = {"NCT01539902", "NCT03458156", "NCT05631717"}
AMNIOTIC = "NCT04318600"
SCLEROSIS = "NCT00962923"
CYCLOPHOSPHAMIDE = "NCT01539902"
INTERLEUKIN_2 = "NCT05631717"


@pytest.fixture(
    params=["corpus", pytest.param("shared", marks=needs_shared)],
    scope="module",
)
def trials(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    if request.param == "corpus":
        with TrialSearch.open(request.getfixturevalue("corpus_index")) as opened:
            yield opened
        return
    folder = tmp_path_factory.mktemp("shared") / "index"
    report = build([SHARED / "pages", SHARED / "ctgov-v2-downloads.zip"], folder)
    assert (report.rejected, report.trials) == (0, 443)
    with TrialSearch.open(Path(folder)) as opened:
        yield opened


def test_the_promised_answers(trials: TrialSearch) -> None:
    # One test, so that the index is built once.
    cord = ids(trials.search("umbilical cord MSC for LN", limit=None))
    assert set(cord[:3]) == CORD
    assert AMNIOTIC in cord[3:]
    assert set(full(trials.search("umbilical cord MSC for LN"))) == CORD

    assert SCLEROSIS in full(trials.search("scleroderma mesenchymal"))
    assert SCLEROSIS not in full(trials.search("scleroderma mesenchymal", synonyms=False))

    assert CYCLOPHOSPHAMIDE in full(trials.search("cyclofosfamide lupus"))
    assert CYCLOPHOSPHAMIDE not in full(trials.search("cyclofosfamide lupus", fuzzy=False))

    for typed in ("il2 lupus", "IL-2 lupus", "il 2 lupus", "interleukin-2 lupus"):
        assert INTERLEUKIN_2 in full(trials.search(typed, limit=None)), typed
    assert INTERLEUKIN_2 not in full(trials.search("il-12 lupus", limit=None))

    # It keeps patients on rituximab out, and does not give it.
    assert INTERLEUKIN_2 not in full(trials.search("rituximab lupus", limit=None))
    assert INTERLEUKIN_2 in full(trials.search("lupus", exclusion="rituximab", limit=None))
    assert trials.search("rituximab lupus").elsewhere >= 1
    assert INTERLEUKIN_2 in full(trials.search("rituximab lupus", everywhere=True, limit=None))

    short = set(full(trials.search("SSc", limit=None)))
    assert SCLEROSIS in short
    assert set(full(trials.search("scleroderma", limit=None))) == short
    # The name of two words is also met by its words apart, after all that have the name.
    name = full(trials.search("systemic sclerosis", limit=None))
    assert set(name[: len(short)]) == short

    for typed in ("mesenchimal stem cell", "mesenchymal stem cell", "MSC", "MSCs"):
        assert CORD | {AMNIOTIC, SCLEROSIS} <= set(full(trials.search(typed, limit=None))), typed
    # The same trials; what only other names of the drug lead to counts less for a name that was guessed.
    rituximab = [set(full(trials.search(typed, limit=None))) for typed in ("rituximb", "rituximab")]
    assert rituximab[0] == rituximab[1]
    assert full(trials.search("rituximab", limit=None)) != []


@pytest.fixture(scope="module")
def corpus(corpus_index: Path) -> Iterator[TrialSearch]:
    with TrialSearch.open(corpus_index) as opened:
        yield opened


def test_every_trial_answers_to_its_id(corpus: TrialSearch) -> None:
    everything = ids(corpus.search("ALL", limit=None))
    assert len(everything) == len(corpus) == len(set(everything))
    for nct_id in everything:
        assert ids(corpus.search(nct_id)) == [nct_id]
        assert corpus[nct_id].nct_id == nct_id


def test_every_hit_of_many_queries_can_say_all_it_knows(corpus: TrialSearch) -> None:
    for query in ("lupus nephritis", "SSc", "stem cell*", '"stem cell"', "cancer OR gout", "cyclofosfamide"):
        results = corpus.search(query)
        assert results.total > 0
        for hit in results:
            assert hit.why
            assert hit.trial.nct_id == hit.id
            assert hit.partial or (hit.explanation and hit.explanation.score == pytest.approx(hit.score))
            for piece in hit.snippets:
                assert piece.spans
                assert all(start < end <= len(piece.text) for start, end in piece.spans)


def _random_query(choose: random.Random, words: list[str]) -> str:
    """Return a query of one to four words of titles and names, some misspelt, starred, quoted, negated."""
    parts: list[str] = []
    for _ in range(choose.randint(1, 4)):
        word = re.sub(r'["()\[\]:\\]', "", choose.choice(words)) or "lupus"
        if choose.random() < 0.3 and len(word) > 5:
            place = choose.randrange(1, len(word) - 1)
            word = word[:place] + choose.choice(["", word[place] * 2]) + word[place + 1 :]
        form = choose.choice(["{}"] * 6 + ['"{}"', "{}*", "title:{}", "NOT {}", "OR {}"])
        parts.append(form.format(word))
    return " ".join(parts)


def test_whatever_is_asked_the_parts_of_an_answer_agree(corpus: TrialSearch, small_vocabulary: Path) -> None:
    words = [word for hit in corpus.search("ALL", limit=None) for word in hit.trial.title.split()]
    vocabulary = Vocabulary(small_vocabulary)
    concepts = map(vocabulary.concept, range(len(vocabulary)))
    words += [name.text for concept in concepts for name in (*concept.names, *concept.abbreviations)]
    vocabulary.close()
    choose = random.Random(11)
    asked = 0
    for _ in range(250):
        text = _random_query(choose, words)
        try:
            results = corpus.search(text, limit=5)
        except QueryError:
            continue
        asked += 1
        assert results.steps[-1].left == results.total, text
        for hit in results:
            assert all(match.fields for match in hit.why), text
            assert hit.why or hit.score == 0, text
            if not hit.partial:
                assert hit.explanation is not None
                assert hit.explanation.score == pytest.approx(hit.score), text
            if any(match.terms and FIELDS[name].kind == "text" for match in hit.why for name in match.fields):
                assert hit.snippets, text
    assert asked > 200
