"""Each expression of `conformance/expressions.tsv` finds what it must, by the index and by the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from registry_language import Refused
from registry_oracle import Named, Oracle
from registry_records import made
from small import concept, full, make_index
from trialindex.errors import QueryError
from trialsearch import TrialSearch

_FOLDER = Path(__file__).with_name("conformance")
_CORPUS = json.loads((_FOLDER / "corpus.json").read_text("utf-8"))
_VOCABULARY = json.loads((_FOLDER / "vocabulary.json").read_text("utf-8"))
_LABELS = {f"NCT{number:08}": record["label"] for number, record in enumerate(_CORPUS, 1)}
# Where the cities are that the corpus has without coordinates and the expressions ask for.
_PLACES = {("Boston", "Massachusetts", "United States"): (42.36, -71.06)}


def _studies() -> Iterator[dict[str, Any]]:
    for number, record in enumerate(_CORPUS, 1):
        pieces = {piece: value for piece, value in record.items() if piece != "label"}
        yield made({"NCTId": f"NCT{number:08}", **pieces})


def _rows(name: str) -> list[Any]:
    """Return the rows of a table as test cases, each named by its line."""
    rows = []
    for number, line in enumerate((_FOLDER / name).read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#") and not line.startswith("expression\t"):
            expression, wanted, _ = line.split("\t")
            rows.append(pytest.param(expression, wanted, id=f"line {number}"))
    return rows


_EXPRESSIONS = _rows("expressions.tsv")


def _wanted(text: str) -> set[str]:
    """Return the labels that a cell names."""
    if text == "(none)":
        return set()
    named: set[str] = set()
    for part in text.split():
        pattern = part.removeprefix("-")
        labels = {label for label in _LABELS.values() if fnmatch(label, pattern)}
        assert labels, f"no record has the label {pattern}"
        named = named - labels if part.startswith("-") else named | labels
    return named


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    names = {row["id"]: row["names"][0] for row in _VOCABULARY}
    named = [Named(tuple(row["names"]), tuple(names[one] for one in row["parents"])) for row in _VOCABULARY]
    return Oracle(_studies(), named, _PLACES)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    concepts = [
        concept(row["id"], *row["names"], kind=row["kind"], parents=" ".join(row["parents"]))
        for row in _VOCABULARY
    ]
    folder = make_index(tmp_path_factory.mktemp("conformance") / "index", _studies(), concepts)
    with TrialSearch.open(folder) as opened:
        yield opened


@pytest.mark.parametrize(("expression", "wanted"), _EXPRESSIONS)
def test_an_expression_finds_what_it_must(trials: TrialSearch, expression: str, wanted: str) -> None:
    if wanted.startswith("! "):
        with pytest.raises(QueryError, match=re.escape(wanted[2:])):
            trials.search(expression)
        return
    found = {_LABELS[nct] for nct in full(trials.search(expression, limit=None))}
    assert sorted(found) == sorted(_wanted(wanted))


@pytest.mark.parametrize(("expression", "wanted"), _EXPRESSIONS)
def test_so_does_the_oracle(oracle: Oracle, expression: str, wanted: str) -> None:
    if wanted.startswith("! "):
        with pytest.raises((Refused, ValueError)):
            oracle.ids(expression)
        return
    assert sorted(_LABELS[nct] for nct in oracle.ids(expression)) == sorted(_wanted(wanted))


@pytest.mark.parametrize(("expression", "order"), _rows("orders.tsv"))
def test_what_comes_first(trials: TrialSearch, expression: str, order: str) -> None:
    scores = {_LABELS[hit.id]: hit.score for hit in trials.search(expression, limit=None)}
    labels = order.split(" > ")
    found = sorted(labels, key=lambda label: -scores[label])
    assert found == labels
    assert len({scores[label] for label in labels}) == len(labels)


def test_every_operator_level_and_coverage_is_asked() -> None:
    asked = " ".join(row.values[0] for row in _EXPRESSIONS)
    levels = [f"EXPANSION[{level}]" for level in ("None", "Term", "Concept", "Relaxation", "Lossy")]
    coverages = [f"COVERAGE[{how}]" for how in ("FullMatch", "StartsWith", "EndsWith", "Contains")]
    operators = ["AND", "OR", "NOT", "ALL", "MISSING", "RANGE[", "DISTANCE[", "TILT[", "AREA[", "SEARCH["]
    assert [one for one in (*levels, *coverages, *operators) if one not in asked] == []
    assert len(_EXPRESSIONS) >= 350
