"""Filters, orders and the funnel as options of the command line: what they print, and the exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from small import make_index
from test_filters import DIFFER, NAMES, record
from trialsearch import cli
from trialsearch.filters import FILTERS

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    studies = [record(f"NCT0000{number:04d}", **held) for number, held in enumerate([{}, *DIFFER.values()])]
    return make_index(tmp_path_factory.mktemp("options") / "index", studies)


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `trialsearch search` in this process on an index of records that differ in one thing each."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str) -> Result:
        asked = ["search", *words, "--index", str(folder)]
        result = CliRunner().invoke(cli._root, asked, prog_name="trialsearch")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def found(result: Result) -> set[str]:
    return {NAMES[int(line[-4:])] for line in result.stdout.split()}


@pytest.mark.parametrize(
    ("words", "without"),
    [
        (["--status", "recruiting"], {"status"}),
        (["--phase", "1", "--phase", "2"], {"phase", "phase not applicable", "no phase"}),
        (["--phase", "1", "--phase", "none"], {"phase", "phase not applicable"}),
        (["--type", "interventional"], {"type"}),
        (["--allocation", "randomized"], {"allocation"}),
        (["--masking", "double"], {"masking"}),
        (["--purpose", "treatment"], {"purpose"}),
        (["--model", "parallel"], {"model"}),
        (["--intervention-type", "drug"], {"intervention type"}),
        (["--funder", "industry"], {"lead"}),
        (["--sex", "female"], {"men", "no sex"}),
        (["--age", "34"], {"older", "younger"}),
        (["--age-group", "adult"], {"children"}),
        (["--healthy", "no"], {"healthy", "healthy not stated"}),
        (["--country", "USA", "--city", "portland"], {"city", "apart", "no sites"}),
        (["--city", "Portland", "--city", "Bangor", "--state", "Maine"], {"apart", "no sites"}),
        (["--facility", "zub clinic"], {"no sites"}),
        (["--with-results"], {"no results"}),
        (["--start", "2012-02"], {"start", "no start"}),
        (["--primary-completion", "..2013-05-06"], {"primary completion"}),
        (["--completion", "2014"], {"completion"}),
        (["--submitted", "2011-01-02"], {"submitted"}),
        (["--posted", "2011-01-05"], {"posted"}),
        (["--results-submitted", "2015-03-04"], {"results submitted"}),
        (["--results-posted", "2015-04-05"], {"results posted"}),
        (["--update-submitted", "2016-06-07"], {"update submitted"}),
        (["--updated", "2016-06-09"], {"updated"}),
        (["--verified", "2016-05"], {"verified"}),
        (["--enrollment", "120.."], {"few", "placeholder", "no enrollment"}),
        (["--filter", "zab", "--filter", "NOT AREA[Sex]MALE"], {"men"}),
        (["--agg-filters", "results:with,sex:f"], {"no results", "men", "no sex"}),
    ],
)
def test_each_option_is_its_filter(run: Run, words: list[str], without: set[str]) -> None:
    result = run(*words, "-n", "all", "--format", "ids")
    assert result.exit_code == 0
    assert found(result) == {*NAMES} - without


def test_each_filter_has_an_option() -> None:
    text = CliRunner().invoke(cli._root, ["search", "--help"], prog_name="trialsearch").stdout
    options = set(re.findall(r"--([a-z-]+)", text))
    # Ids are asked with --id.
    assert {name.replace("_", "-") for name in FILTERS} - {"ids"} <= options
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--phase", "5"], "one of NA, EARLY_PHASE1, PHASE1, PHASE2, PHASE3, PHASE4, or none"),
        (["--masking", "x"], "one of NONE, SINGLE, DOUBLE, TRIPLE, QUADRUPLE"),
        (["--funder", "pharma"], "one of NIH, FED"),
        (["--age-group", "kid"], "one of CHILD, ADULT, OLDER_ADULT"),
        (["--healthy", "maybe"], "one of yes, no"),
        (["--posted", "soon"], "posted: 'soon' is no date"),
        (["--enrollment", "5..x"], "enrollment: 'x' is no number"),
        (["--near", "Bostn"], "the nearest: Boston"),
        (["--near", "Boston", "--within", "near"], "write 50mi or 80km"),
        (["--within", "50mi"], "within needs a place"),
        (["--filter", "lupus AND"], "nothing follows AND"),
        (["--agg-filters", "phase:PHASE3"], "its keys are 0, 1, 2, 3, 4, na"),
        (["zab", "--sort", "distance"], "sort by distance needs a place"),
        (["zab", "--sort", "start,id,enrollment"], "two at most"),
    ],
)
def test_a_wrong_value_is_exit_code_2_and_names_the_right_ones(
    run: Run, words: list[str], remedy: str
) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert remedy in result.stderr


def test_an_empty_answer_shows_the_funnel_and_what_to_drop(run: Run) -> None:
    result = run("zab", "--phase", "2", "--status", "withdrawn")
    assert result.exit_code == 1
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    every, both = len(NAMES), len(NAMES) - 3
    assert lines[0] == "No trial for zab; phase: 2; status: withdrawn"
    assert f"zab {every} {every} 0" in lines
    assert f"phase: 2 {both} {both} 0" in lines
    assert f"status: withdrawn 0 0 {both} <- no trial has this" in lines
    assert f"Without status: withdrawn there would be {both} trials." in lines
    empty = json.loads(run("zab", "--phase", "2", "--status", "withdrawn", "--format", "json").stdout)
    assert empty["effective"] == "zab AND AREA[Phase]PHASE2 AND AREA[OverallStatus]WITHDRAWN"
    assert empty["steps"][-1] == {"text": "status: withdrawn", "alone": 0, "left": 0, "without": both}
    # What --explain shows as the query finds the same trials when it is typed.
    shown = run("zab", "--phase", "3", "--explain").stdout.splitlines()
    assert shown[:2] == ["1 trial for zab; phase: 3", "  query: zab AND AREA[Phase]PHASE3"]
    again = run(shown[1].partition(": ")[2]).stdout.splitlines()[0]
    assert again == "1 trial for zab AND AREA[Phase]PHASE3"


def test_a_list_of_ids_asks_for_any_of_them(run: Run) -> None:
    listed = ["NCT00000001", "nct00000002"]
    for typed in (",".join(listed), " ".join(listed), f"{listed[0]},\n {listed[1]}"):
        assert sorted(run(typed, "--format", "ids").stdout.split()) == ["NCT00000001", "NCT00000002"]
    assert run("NCT00000001 NCT00000002 zab", "--format", "ids").stdout.split() == []


def test_two_keys_order_and_pages_follow_each_other(run: Run) -> None:
    words = ("zab", "--sort", "start:asc,enrollment:asc", "--format", "ids")
    whole = run(*words, "-n", "all").stdout.split()
    assert len(whole) == len(NAMES)
    # Of those that start first the one with the fewest comes first, and what has no start comes last.
    few, no_start = (f"NCT0000{NAMES.index(name):04d}" for name in ("few", "no start"))
    assert (whole[0], whole[-1]) == (few, no_start)
    pages = [run(*words, "-n", "7", "--offset", str(at)).stdout.split() for at in range(0, len(NAMES), 7)]
    assert [trial for page in pages for trial in page] == whole


@pytest.mark.parametrize(
    "option", ["--age", "--sex", "--start", "--near", "--healthy", "--enrollment", "--sort"]
)
def test_an_empty_value_is_wrong_use_and_lets_nothing_through(run: Run, option: str) -> None:
    answer = run("ALL", option, "")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.startswith("trialsearch: ")
