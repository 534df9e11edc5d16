"""The bench of relevance scores as it says, by numbers worked out by hand, and its programs run through."""

from __future__ import annotations

import doctest
import gzip
import importlib
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import ROOT
from trialsearch.parse import parse
from trialsearch.query import OPERATORS, And, Best, Term, Way, Words

BENCH = ROOT / "bench"
needs_measures = pytest.mark.skipif(
    find_spec("ir_measures") is None, reason="the extra `bench` is not installed"
)


@pytest.fixture(autouse=True)
def _bench_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)


def _load(name: str) -> Any:
    return importlib.import_module(f"relevance.{name}")


@pytest.mark.parametrize("name", ["asking", "scoring", "sets"])
def test_examples_in_the_docstrings(name: str) -> None:
    tried = doctest.testmod(_load(name))
    assert tried.attempted > 0 and tried.failed == 0


# Scores.


def _judged(grades: Mapping[str, Mapping[str, int]], universe: frozenset[str] | None = None) -> Any:
    query = importlib.import_module("measure").Query
    queries = [query(qid, "kind", qid) for qid in grades]
    return _load("sets").QuerySet("made", queries, grades, universe)


GRADES = {"q1": {"a": 0, "c": 2, "d": 1, "e": -1, "f": 1}, "q2": {"a": 1}, "q3": {"b": 0}}
RANKINGS = {"q1": ["b", "a", "e", "c", "d"], "q2": [], "q3": ["b"]}
IDEAL = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)


@needs_measures
def test_without_a_universe_what_is_judged_for_the_query_is_scored() -> None:
    # a, c, d are left of q1: b has no judgement, e is to be ignored; f is relevant and not found.
    found = _load("scoring").scores(_judged(GRADES), RANKINGS, ["nDCG@10", "R@100", "RR@10"], True)
    # q2 finds nothing, q3 has nothing to find.
    assert found == {
        "nDCG@10": {"q1": pytest.approx((2 / math.log2(3) + 1 / math.log2(4)) / IDEAL), "q2": 0.0},
        "R@100": {"q1": pytest.approx(2 / 3), "q2": 0.0},
        "RR@10": {"q1": pytest.approx(1 / 2), "q2": 0.0},
    }


@needs_measures
def test_in_a_universe_what_has_no_judgement_is_not_relevant() -> None:
    judged = _judged(GRADES, frozenset("abcdef"))
    found = _load("scoring").scores(judged, RANKINGS, ["nDCG@10", "RR@10"], True)
    # b, a, c, d: the ignored one is out all the same.
    assert found["nDCG@10"]["q1"] == pytest.approx((2 / math.log2(4) + 1 / math.log2(5)) / IDEAL)
    assert found["RR@10"]["q1"] == pytest.approx(1 / 3)


@needs_measures
def test_known_items_are_scored_among_all_trials_and_not_below_the_tenth() -> None:
    judged = _judged({"q1": {"x": 1}, "q2": {"x": 1}, "q3": {"x": 1}})
    # In this order whatever the ids: nobody sorts them again.
    others = [f"y{number}" for number in range(20, 0, -1)]
    rankings = {qid: [*others[:at], "x", *others[at:]] for qid, at in (("q1", 3), ("q2", 9), ("q3", 10))}
    found = _load("scoring").scores(judged, rankings, ["RR@10"], False)
    assert found["RR@10"] == {"q1": pytest.approx(1 / 4), "q2": pytest.approx(1 / 10), "q3": 0.0}


@needs_measures
def test_recall_counts_a_hundred_of_the_condensed_ranking() -> None:
    grades = {"q1": {**{f"n{number}": 0 for number in range(99)}, "x": 1, "y": 2}}
    unknown = [f"u{number}" for number in range(300)]
    ranking = [*unknown, *(f"n{number}" for number in range(99)), "x", "y"]
    found = _load("scoring").scores(_judged(grades), {"q1": ranking}, ["R@100"], True)
    assert found["R@100"] == {"q1": pytest.approx(1 / 2)}


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(-1, 2)),
    st.none() | st.frozensets(st.sampled_from("abcdef")),
)
def test_condensing_keeps_the_order_and_has_nothing_left_to_do(
    ranking: list[str], grades: dict[str, int], universe: frozenset[str] | None
) -> None:
    condensed = _load("scoring").condensed
    left = condensed(ranking, grades, universe)
    assert left == sorted(left, key=ranking.index)
    assert condensed(left, grades, universe) == left
    assert all(grades.get(trial) != -1 for trial in left)


def test_mean_leaves_out_queries_without_a_score() -> None:
    mean = _load("scoring").mean
    assert mean({"q1": 0.5, "q2": 1.0, "q9": 0.0}, ["q1", "q2", "q3"]) == 0.75
    assert mean({"q1": 0.5}, ["q3"]) is None


# Sets.


def _write_set(
    folder: Path, queries: list[tuple[str, str, str]], qrels: list[tuple[str, str, int]], universe: str = ""
) -> None:
    folder.mkdir(parents=True)
    lines = ["qid\tkind\tquery\tnote", *("\t".join((*row, 'a "note"')) for row in queries)]
    (folder / "queries.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    lines = ["qid\tnct_id\tgrade", *(f"{qid}\t{trial}\t{grade}" for qid, trial, grade in qrels)]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    if universe:
        (folder / "universe.txt").write_text("\n".join(universe.split()) + "\n", "utf-8")


def test_set_is_read_and_has_halves_and_kinds(tmp_path: Path) -> None:
    queries = [("t001", "one", 'the 5" rule'), ("t002", "two", "b"), ("t010", "one", "c")]
    _write_set(tmp_path / "typos", queries, [("t001", "NCT1", 2), ("t001", "NCT2", -1), ("t010", "NCT1", 0)])
    judged = _load("sets").read_set(tmp_path / "typos")
    assert judged.name == "typos" and judged.universe is None
    assert [query.text for query in judged.queries] == ['the 5" rule', "b", "c"]
    assert judged.grades == {"t001": {"NCT1": 2, "NCT2": -1}, "t010": {"NCT1": 0}}
    assert list(judged.parts()) == [
        ("all", ["t001", "t002", "t010"]),
        ("even", ["t002", "t010"]),
        ("odd", ["t001"]),
        ("one", ["t001", "t010"]),
        ("two", ["t002"]),
    ]


def test_universe_is_read_and_one_kind_has_no_rows_of_its_own(tmp_path: Path) -> None:
    _write_set(tmp_path / "abbrev", [("a1", "one", "A")], [("a1", "NCT1", 1)], "NCT1 NCT2")
    judged = _load("sets").read_set(tmp_path / "abbrev")
    assert judged.universe == {"NCT1", "NCT2"}
    assert [name for name, _ in judged.parts()] == ["all", "even", "odd"]


# Asking.


@pytest.mark.parametrize("word", sorted(OPERATORS))
def test_an_operator_is_asked_as_a_word(word: str) -> None:
    plain = _load("asking").plain
    assert parse(plain(word)) == Words(word)
    assert parse(plain(f"a {word} b")) == Words(f"a {word} b")


@pytest.mark.parametrize(
    "text",
    ["leukemia (CLL) cells", 'the "best"', "phase:2 lupus", "AREA[Phase]PHASE2", "mab* 5*", "a\\b", ")"],
)
def test_what_the_language_would_read_is_asked_as_words(text: str) -> None:
    assert parse(_load("asking").plain(text)) == Words(text)


def test_words_stay_as_they_are() -> None:
    text = "Sjogren's syndrome, HER2-positive; HCV/HBV and 5-aza-2'-deoxycytidine or not"
    assert _load("asking").plain(text) == text


def test_run_is_written_in_the_order_of_the_ranking(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "made.run"
    _load("asking").write_run(path, "as-it-is", {"q1": ["b", "a"], "q2": []})
    assert path.read_text("utf-8") == "q1 Q0 b 1 2 as-it-is\nq1 Q0 a 2 1 as-it-is\n"


def test_corrections_are_the_spellings_of_every_word() -> None:
    one = Best("lupsu", (Way("typed", "lupsu", Term("lupsu")), Way("spelling", "lupus", Term("lupu"))))
    two = Best("ra", (Way("typed", "ra", Term("ra")), Way("synonym", "arthritis", Term("arthriti"))))
    assert list(_load("unchanged").corrections(And((one, two)))) == [("lupsu", "lupus")]


# Names taken out.

MEANINGS = {"filgrastim": "D1", "neupogen": "D1", "pegfilgrastim": "D2", "heart failure": "D3"}
WORDS = frozenset("filgrastim neupogen pegfilgrastim heart failure".split())


def _meanings(name: str) -> frozenset[str]:
    return frozenset({MEANINGS[name]} if name in MEANINGS else ())


def test_drugs_are_names_of_one_word_in_enough_trials() -> None:
    names = [
        ("filgrastim", 2), ("Filgrastim", 1), ("pegfilgrastim", 2), ("filgrastim 5 mg", 9), ("il2", 9),
        ("heart", 9), ("placebo", 9),
    ]  # fmt: skip
    known = {"filgrastim", "pegfilgrastim", "filgrastim 5 mg", "il2", "heart"}
    assert _load("takeout").drugs(names, known.__contains__) == ["filgrastim", "heart"]


@pytest.mark.parametrize(
    ("taken_for", "came"),
    [
        (None, "left alone"),
        ("neupogen", "another name of it"),
        ("filgrastims", "another name of it"),
        ("pegfilgrastim", "another name or a word of one"),
        ("heart", "another name or a word of one"),
        ("filgrastimo", "a word of records only"),
    ],
)
def test_outcomes_are_told_apart(taken_for: str | None, came: str) -> None:
    asked: list[tuple[str, frozenset[str]]] = []

    def widened(word: str, without: frozenset[str]) -> str | None:
        asked.append((word, without))
        return taken_for

    takeout = _load("takeout")
    known = takeout.Knowledge(widened, _meanings, MEANINGS.__contains__, WORDS.__contains__)
    found = takeout.take_out(["filgrastim"], known)
    assert found == {"filgrastim": (came, taken_for)}
    assert asked == [("filgrastim", frozenset({"filgrastim"}))]
    assert came in takeout.OUTCOMES


# The programs.


def _study(key: str, title: str, *drugs: str) -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": key, "briefTitle": title},
            "armsInterventionsModule": {"interventions": [{"type": "DRUG", "name": drug} for drug in drugs]},
        }
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    studies = [
        *(
            _study(f"NCT0000000{number}", f"Study {number} of cyclophosphamide", "Cyclophosphamide")
            for number in (1, 2, 3)
        ),
        _study("NCT00000004", "Walking among tall trees", "Walking"),
    ]
    folder.mkdir()
    with gzip.open(folder / "records.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(study) + "\n" for study in studies)
    # The speller has both trials of the misspelt drug; the third is outside of the universe.
    _write_set(
        folder / "typos",
        [("typo001", "edit1", "cyclofosphamide"), ("typo002", "real", "cyclofosfamide")],
        [(qid, f"NCT0000000{number}", 1) for qid in ("typo001", "typo002") for number in (1, 2)],
        "NCT00000001 NCT00000002 NCT00000004",
    )
    _write_set(
        folder / "knownitem", [("kitem001", "k3", "trees tall among")], [("kitem001", "NCT00000004", 1)]
    )
    (folder / "speed_mix.tsv").write_text(
        "qid\tkind\tquery\ns001\tfree\tcyclophosphamide (NOT ALL\n", "utf-8"
    )
    return folder


def _run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / "relevance" / program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@needs_measures
def test_table_has_every_part_and_every_way_of_asking(data: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = _run("run.py", "--data", data, "--sets", "typos,knownitem", "--write-runs", runs)
    assert done.returncode == 0, done.stderr
    heads, _, *rows = (
        [cell.strip() for cell in line.strip("|\n").split("|")] for line in done.stdout.splitlines()
    )
    assert heads == [
        "set", "part", "queries", "measure", "as it is", "synonyms off", "fuzzy off", "both off", "best peer",
        "perfect rewriting",
    ]  # fmt: skip
    whole = ["1.000", "1.000", "0.000", "0.000"]
    parts = [("all", "2"), ("even", "1"), ("odd", "1"), ("edit1", "1"), ("real", "1")]
    assert [row for row in rows if row[0] == "typos"] == [
        ["typos", part, number, measure, *whole, *known]
        for part, number in parts
        for measure, known in (
            ("nDCG@10", ["0.96", "0.98"] if part == "all" else ["", ""]),
            ("recall@100", ["", ""]),
        )
    ]
    assert [row[1:] for row in rows if row[0] == "knownitem"] == [
        ["all", "1", "MRR@10", *["1.000"] * 4, "0.93", ""],
        ["even", "0", "MRR@10", *[""] * 6],
        ["odd", "1", "MRR@10", *["1.000"] * 4, "", ""],
    ]
    assert len(list(runs.iterdir())) == 8
    assert (runs / "typos.both-off.run").read_text("utf-8") == ""
    assert (runs / "knownitem.as-it-is.run").read_text("utf-8") == "kitem001 Q0 NCT00000004 1 1 as-it-is\n"


def test_well_spelt_queries_are_told_from_others(data: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    done = _run("unchanged.py", "--data", data, "--cache", cache)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 of 2 well-spelt queries find other trials with fuzzy names.\n"
    misspelt = _run(
        "unchanged.py", "--data", data, "--cache", cache, "--queries", data / "typos" / "queries.tsv"
    )
    assert misspelt.returncode == 0, misspelt.stderr
    first, *_, row, _last = misspelt.stdout.splitlines()
    assert first == "2 of 2 well-spelt queries find other trials with fuzzy names."
    assert row == "| typo001 | edit1 | cyclofosphamide | cyclofosphamide → cyclophosphamide |"
    # The index was kept, and not built again.
    assert "indexing" in done.stderr and "indexing" not in misspelt.stderr
    again = _run("unchanged.py", "--data", data, "--cache", cache, "--rebuild")
    assert again.stdout == done.stdout and "indexing" in again.stderr


def test_names_are_taken_out_one_at_a_time(data: Path, tmp_path: Path) -> None:
    listed = tmp_path / "names"
    listed.write_text("Walkin\nxylophone\n", "utf-8")
    cache = tmp_path / "cache"
    done = _run("takeout.py", "--data", data, "--cache", cache, "--words", listed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 of 2 names of drugs, taken out one at a time.\n\n| outcome |")
    assert "| left alone | 1 | 50.0% |" in done.stdout
    assert "walkin → walking" in done.stdout
    chosen = _run("takeout.py", "--data", data, "--cache", cache, "--names", "5")
    assert chosen.returncode == 0, chosen.stderr
    # The one drug of these records that the vocabulary has; nobody knows its neighbours.
    assert chosen.stdout.startswith("1 of 1 names of drugs")


@pytest.mark.parametrize(
    ("program", "arguments", "said"),
    [
        ("run.py", ["--sets", "typos,trec"], "no set trec: trec21kw, trec22kw,"),
        ("run.py", ["--sets", "abbrev"], "--data has no folder abbrev"),
        ("unchanged.py", ["--data", "nowhere"], "no records to ask: records.jsonl.gz"),
        ("unchanged.py", ["--queries", "nowhere.tsv"], "no file nowhere.tsv"),
        ("takeout.py", ["--names", "0"], "0 is no count: 1 or more"),
    ],
)
def test_wrong_use_is_refused(data: Path, program: str, arguments: list[str], said: str) -> None:
    done = _run(program, "--data", data, *arguments)
    assert done.returncode != 0 and said in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(find_spec("ir_measures") is not None, reason="the extra `bench` is installed")
def test_what_scoring_needs_is_named(data: Path) -> None:
    done = _run("run.py", "--data", data, "--sets", "typos")
    assert done.returncode == 2 and 'pip install -e ".[bench]"' in done.stderr
