"""The bench runs through and its table is whole; nothing about how fast anything is."""

from __future__ import annotations

import csv
import doctest
import importlib.util
import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from helpers import ROOT

BENCH = ROOT / "bench"
FIGURES = [
    "records/s, raw files to a searchable index",
    "records/s, without reading the files",
    "most memory while building, MB",
    "records/s, reading alone",
    "index without the stored records, MB",
    "stored records, MB",
    "the same as JSON, MB",
    "query again, median, ms",
    "query again, 95th percentile, ms",
    "query again, slowest, ms",
    "query for the first time, median, ms",
    "query for the first time, 95th percentile, ms",
    "query for the first time, slowest, ms",
    "opening and a first answer, ms",
    "most memory while asking, MB",
    "query again, cond, median, ms",
    "query again, intr, median, ms",
    "query again, cond+intr, median, ms",
    "query again, free, median, ms",
    "cold start, a search in a fresh process, ms",
    "overlap@10 with the peer's answers",
    "of the trials that either finds, found by both",
]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _tables(markdown: str) -> list[list[list[str]]]:
    """Return the rows of cells of every table of a text, without its heading."""
    found: list[list[list[str]]] = []
    for block in markdown.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        if lines:
            found.append([[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]])
    return found


def _rows(markdown: str) -> list[list[str]]:
    (rows,) = _tables(markdown)
    return rows


def _label(cell: str) -> str:
    return cell.partition(" (")[0]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *arguments], capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def quick() -> str:
    done = _run("--quick")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_quick_run_prints_every_figure(quick: str) -> None:
    assert [_label(row[0]) for row in _rows(quick)] == FIGURES


def test_quick_run_measures_the_sample_corpus(quick: str) -> None:
    trials = len(list((ROOT / "corpus").glob("NCT*.json")))
    assert f"Built: the sample in corpus/ ({trials} records)." in quick
    assert f"Asked: {trials} trials, 12 queries;" in quick


def test_figures_are_positive_and_ratios_divide_by_the_peer(quick: str) -> None:
    for label, *cells in _rows(quick):
        ours, plain, peer, ratio, plain_ratio = (float(cell.replace(",", "") or 0) for cell in cells)
        assert ours > 0, label
        # Cells are rounded to two figures, so the printed ratio is within 16 % of that of the printed values.
        for value, shown in ((ours, ratio), (plain, plain_ratio)):
            assert (shown > 0) == (value > 0 and peer > 0), label
            if shown:
                assert shown == pytest.approx(value / peer, rel=0.16), label


def test_engines_agree_on_what_is_found(quick: str) -> None:
    # Without synonyms and spellings both take the trials that have all the words, so nearly all of them are
    # the same. A peer fed with the wrong fields or other trials would fall far below.
    (both,) = [row for row in _rows(quick) if row[0].startswith("of the trials")]
    assert 0.8 < float(both[2]) <= 1


def test_no_machine_path_is_printed(quick: str) -> None:
    assert str(ROOT) not in quick and str(Path.home()) not in quick.replace("/", " /")


def test_wrong_use_is_refused() -> None:
    done = _run("--records", "0")
    assert done.returncode == 2 and "0 is no count: 1 or more" in done.stderr


def test_readme_has_the_tables_that_the_bench_prints() -> None:
    tables = _tables((BENCH / "README.md").read_text("utf-8"))
    assert tables and [[_label(row[0]) for row in rows] for rows in tables] == [FIGURES] * len(tables)


@pytest.mark.parametrize("name", ["corpora", "engines", "run"])
def test_examples_in_the_docstrings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    tried = doctest.testmod(_load(name))
    assert tried.attempted > 0 and tried.failed == 0


def test_query_mix_has_the_shares_that_the_readme_states() -> None:
    text = (BENCH / "queries.tsv").read_text("utf-8")
    assert text.splitlines()[0] == "qid\tkind\tquery"
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert Counter(row["kind"] for row in rows) == {"cond": 24, "intr": 18, "cond+intr": 12, "free": 6}
    assert len({row["qid"] for row in rows}) == len({row["query"].lower() for row in rows}) == 60
    assert all(row["query"] == " ".join(row["query"].split()) != "" for row in rows)


def _write_sources(folder: Path) -> list[Path]:
    """Ten records in four forms: 3 XML in a zip, 4 in a JSON array, 2 lines, 1 page."""
    archive = folder / "xml.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for number in range(3):
            made.writestr(f"part/x{number}.xml", f"<clinical_study>{number}</clinical_study>")
    array = folder / "studies.json"
    array.write_text(json.dumps([{"n": number} for number in range(4)]), "utf-8")
    lines = folder / "lines.jsonl"
    lines.write_text('{"n": 4}\n{"n": 5}\n', "utf-8")
    pages = folder / "pages"
    pages.mkdir()
    (pages / "one.txt").write_text("a page", "utf-8")
    (pages / "README.md").write_text("no record", "utf-8")
    return [archive, array, lines, pages]


def test_subset_is_even_and_keeps_each_form(tmp_path: Path) -> None:
    corpora = _load("corpora")
    corpus = corpora.Corpus("four forms", tuple(_write_sources(tmp_path)))
    made = corpora.subset(corpus, 5, tmp_path)
    assert made.name == "four forms, evenly chosen of 10"
    with zipfile.ZipFile(made.sources[0]) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    # Every second of x0 x1 x2 | 0 1 2 3 | 4 5 | page.
    assert held == {
        "000/000001.xml": b"<clinical_study>1</clinical_study>",
        "000/000003.json": b'{"n": 0}',
        "000/000005.json": b'{"n": 2}',
        "000/000007.json": b'{"n": 4}',
        "000/000009.txt": b"a page",
    }


def test_subset_of_more_than_there_is_changes_nothing(tmp_path: Path) -> None:
    corpora = _load("corpora")
    corpus = corpora.Corpus("four forms", tuple(_write_sources(tmp_path)))
    assert corpora.subset(corpus, 10, tmp_path) is corpus
    assert not (tmp_path / "subset.zip").exists()


def test_peer_finds_all_words_in_any_field_and_weighs_the_title(tmp_path: Path) -> None:
    def study(title: str, summary: str) -> dict[str, object]:
        return {
            "protocolSection": {
                "identificationModule": {"briefTitle": title},
                "descriptionModule": {"briefSummary": summary, "detailedDescription": "zebra"},
                "designModule": {"phases": ["PHASE2"]},
            }
        }

    peer = _load("engines").Fts5()
    studies = {
        "NCT00000001": study("A trial of something else", "lupus and aspirin"),
        "NCT00000002": study("Lupus treated", "aspirin and something else"),
        "NCT00000003": study("Lupus treated", "heparin and something else"),
    }
    peer.feed(studies.items(), tmp_path)
    ask = peer.open(tmp_path)

    def found(query: str) -> list[str]:
        return [key for key, _score in ask(query, None)]

    assert found("treating lupus") == ["NCT00000002", "NCT00000003"]
    assert found("lupus aspirin") == ["NCT00000002", "NCT00000001"]
    assert [key for key, _score in ask("lupus aspirin", 1)] == ["NCT00000002"]
    assert found("phase 2 heparin") == ["NCT00000003"]
    assert found("zebra") == found("lupus NOT heparin") == found("--") == []
