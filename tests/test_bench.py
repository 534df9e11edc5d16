"""The bench runs through, its tables are whole, and its peers are asked what they should be; nothing about
how fast anything is.
"""

from __future__ import annotations

import csv
import doctest
import gzip
import importlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import ROOT

BENCH = ROOT / "bench"
BUILDING = [
    "records/s, one process or writer thread",
    "records/s, on all cores",
    "records/s of the 57 fields alone",
    "processor ms a record",
    "processor ms a record, without reading",
    "most memory while building, MB",
    "most memory while building on all cores, MB",
    "index, MB",
    "index without stored records, MB",
    "index of the 57 fields alone, MB",
    "segments",
    "opening and a first answer, ms",
    "cold start, a search in a fresh process, ms",
    "most memory while asking, MB",
    "memory after asking, without mapped files, MB",
]
TIMES = [
    f"{when}, {what}"
    for when in ("again", "first time")
    for what in (
        *(
            f"{kind}, {figure}"
            for kind in ("all", "cond", "intr", "cond+intr", "free")
            for figure in ("median", "95th percentile")
        ),
        "all, slowest",
    )
]
COMPARED = [
    "records/s, one process or writer thread",
    "records/s, on all cores",
    "records/s of the 57 fields alone",
    "processor ms a record, without reading",
    "most memory while building, MB",
    "index without stored records, MB",
    "index of the 57 fields alone, MB",
    "cold start, a search in a fresh process, ms",
    "most memory while asking, MB",
    "again, all, median",
    "again, all, 95th percentile",
    "first time, all, median",
    "first time, all, 95th percentile",
]
OWN = ("trialsearch", "without help")
TABLES = {
    "Building, starting, memory": BUILDING,
    "Times of queries, ms": TIMES,
    "This engine beside each": [f"{figure}: {name}" for figure in COMPARED for name in OWN],
    "With filters": [figure for figure in COMPARED if figure.startswith(("again", "first"))],
}
FILTERED = "three filters"
# Figures of an index stand under the first contestant that asks it, and some engines or systems have none.
BOTH = set(TIMES) | set(BUILDING[10:])

Tables = dict[str, tuple[list[str], list[list[str]]]]


@pytest.fixture(autouse=True)
def _bench_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)


def _load(name: str) -> Any:
    return importlib.import_module(name)


def _tables(markdown: str) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield title, headings and rows of every table that stands under a title in bold."""
    for title, block in re.findall(r"^\*\*(.+)\*\*\n\n((?:\|.*\n?)+)", markdown, re.MULTILINE):
        heads, _, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines())
        yield title, heads, rows


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *arguments], capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def printed() -> str:
    done = _run("--quick")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def quick(printed: str) -> Tables:
    return {title: (heads, rows) for title, heads, rows in _tables(printed)}


def _number(cell: str) -> float:
    return float(cell.replace(",", "") or 0)


def _expected(title: str, labels: list[str]) -> list[str]:
    if title != "This engine beside each":
        return labels
    # Of an index, not of how it is asked, there is one figure.
    return [label for label in labels if label.endswith(OWN[0]) or label.rpartition(":")[0] in BOTH]


def test_quick_run_prints_every_figure(quick: Tables) -> None:
    assert list(quick) == [*TABLES, "Agreement"]
    for title, labels in TABLES.items():
        assert [row[0] for row in quick[title][1]] == _expected(title, labels)


def test_quick_run_has_a_column_for_each_contestant_that_is_here(quick: Tables) -> None:
    contestants = _load("contestants")
    there = [one.heading for one in contestants.CONTESTANTS.values() if not contestants.left_out(one.index)]
    assert set(there) >= {*OWN, "SQLite FTS5"}
    assert quick["Times of queries, ms"][0] == ["figure", *there]
    peers = [name for name in there if name not in {*OWN, FILTERED}]
    assert quick["This engine beside each"][0][1:] == peers
    alike = [name for name in there if name != FILTERED]
    assert quick["Agreement"][0][1:] == [row[0] for row in quick["Agreement"][1]] == alike


def test_quick_run_measures_the_sample_corpus(printed: str) -> None:
    trials = len(list((ROOT / "corpus").glob("NCT*.json")))
    assert f"Corpus: the sample in corpus/, {trials} trials; fresh indexes.\n" in printed
    assert "\n12 queries; rounds after the first: 1.\n" in printed


def test_every_contestant_has_every_time_and_it_is_positive(quick: Tables) -> None:
    for label, *cells in quick["Times of queries, ms"][1]:
        assert all(_number(cell) > 0 for cell in cells), label


def test_ratios_divide_ours_by_the_peer_and_the_other_way_round(quick: Tables) -> None:
    heads, rows = quick["Times of queries, ms"]
    times = {
        (label, head): _number(cell)
        for label, *cells in rows
        for head, cell in zip(heads[1:], cells, strict=True)
    }
    heads, rows = quick["This engine beside each"]
    for label, *cells in rows:
        figure, _, name = label.rpartition(": ")
        for peer, cell in zip(heads[1:], cells, strict=True):
            if figure in TIMES:
                ratio, inverse = map(_number, cell.removesuffix(")").split(" ("))
                # Cells are rounded to two figures, so a ratio is within 16 % of that of the printed values.
                assert ratio == pytest.approx(times[figure, name] / times[figure, peer], rel=0.16)
                assert ratio * inverse == pytest.approx(1, rel=0.12)


def test_engines_agree_on_what_is_found(quick: Tables) -> None:
    # Without synonyms and spellings all take the trials that have all the words, so nearly all of them are
    # the same. A peer fed with the wrong fields or other trials would fall far below.
    heads, rows = quick["Agreement"]
    (plain,) = [row for row in rows if row[0] == "without help"]
    for peer, cell in zip(heads[1:], plain[1:], strict=True):
        if peer not in OWN and "any word" not in peer:
            assert 0.8 < float(cell.partition(" / ")[2]) <= 1, peer


def test_no_machine_path_is_printed(printed: str) -> None:
    assert str(ROOT) not in printed and str(Path.home()) not in printed.replace("/", " /")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--records", "0"], "0 is no count: 1 or more"),
        (["--engines", "fts5,lucene"], "no engine lucene: ours, tantivy, fts5, xapian, whoosh, bm25s"),
        (["--engines", "fts5", "--variant", "worn"], "left out: fts5: no worn index"),
        (["--skip-build"], "--skip-build needs the --cache that the indexes are in"),
        (["--corpus", "made:many"], "no corpus 'made:many': real, xml, sample, made:N, or a file or folder"),
    ],
)
def test_wrong_use_is_refused(arguments: list[str], said: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""


def test_indexes_in_the_cache_are_asked_again_without_building(tmp_path: Path) -> None:
    common = ["--corpus", "sample", "--engines", "fts5", "--cold", "1", "--rounds", "1",
              "--queries", str(BENCH / "queries.tsv"), "--cache", str(tmp_path)]  # fmt: skip
    first = _run(*common)
    base = tmp_path / "indexes" / "sample-fresh" / "fts5" / "fts5.db"
    built = base.stat().st_mtime_ns
    second = _run(*common, "--skip-build")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert base.stat().st_mtime_ns == built
    assert "building fts5" in first.stderr and "building" not in second.stderr
    tables = [{title: rows for title, _heads, rows in _tables(done.stdout)} for done in (first, second)]
    # What was measured when it was built is told again.
    assert tables[0]["Building, starting, memory"][:6] == tables[1]["Building, starting, memory"][:6]


def test_readme_has_the_tables_that_the_bench_prints() -> None:
    tables = list(_tables((BENCH / "README.md").read_text("utf-8")))
    assert {title for title, _heads, _rows in tables} >= {
        "Building, starting, memory",
        "Times of queries, ms",
    }
    for title, _heads, rows in tables:
        labels = [row[0] for row in rows]
        if title == "Agreement":
            contestants = _load("contestants").CONTESTANTS.values()
            assert set(labels) <= {one.heading for one in contestants}
        else:
            # A run of a few engines leaves out the rows that only others have.
            wanted = _expected(title, TABLES[title])
            assert labels == [label for label in wanted if label in labels]
            assert set(labels) >= {label for label in wanted if label.partition(": ")[0] in TIMES}


@pytest.mark.parametrize("name", ["contestants", "corpora", "made", "ours", "tables", "words"])
def test_examples_in_the_docstrings(name: str) -> None:
    tried = doctest.testmod(_load(name))
    assert tried.attempted > 0 and tried.failed == 0


def test_query_mix_has_the_shares_that_the_readme_states() -> None:
    text = (BENCH / "queries.tsv").read_text("utf-8")
    assert text.splitlines()[0] == "qid\tkind\tquery"
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert Counter(row["kind"] for row in rows) == {"cond": 24, "intr": 18, "cond+intr": 12, "free": 6}
    assert len({row["qid"] for row in rows}) == len({row["query"].lower() for row in rows}) == 60
    assert all(row["query"] == " ".join(row["query"].split()) != "" for row in rows)


# The corpora.


def _write_sources(folder: Path) -> tuple[Path, ...]:
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
    return archive, array, lines, pages


def test_subset_is_even_and_keeps_each_form(tmp_path: Path) -> None:
    corpora = _load("corpora")
    corpus = corpora.Corpus("four", "four forms", _write_sources(tmp_path))
    made = corpora.subset(corpus, 5, tmp_path)
    assert (made.key, made.name) == ("four-5", "four forms, evenly chosen of 10")
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
    corpus = corpora.Corpus("four", "four forms", _write_sources(tmp_path))
    assert corpora.subset(corpus, 10, tmp_path) is corpus
    assert not (tmp_path / "subset.zip").exists()


def test_a_path_is_a_corpus(tmp_path: Path) -> None:
    corpora = _load("corpora")
    (tmp_path / "some.jsonl.gz").touch()
    assert corpora.find(str(tmp_path / "some.jsonl.gz"), tmp_path) == corpora.Corpus(
        "some", "some.jsonl.gz", (tmp_path / "some.jsonl.gz",)
    )


def _bases() -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "corpus").glob("NCT*.json"))]


def _summary(study: dict[str, Any]) -> list[str]:
    text: str = study["protocolSection"]["descriptionModule"]["briefSummary"]
    return text.split()


def test_made_records_are_the_same_every_time_and_have_ids_of_their_own(tmp_path: Path) -> None:
    made = _load("made")
    for name in ("one", "other"):
        made.make(made.SHARD + 40, tmp_path / name, [ROOT / "corpus"])
    one, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "other")
    )
    assert one == other and len(one) == 2
    studies = [json.loads(line) for data in one for line in gzip.decompress(data).splitlines()]
    keys = [study["protocolSection"]["identificationModule"]["nctId"] for study in studies]
    assert keys == [f"NCT{80_000_000 + number}" for number in range(made.SHARD + 40)]


def test_made_records_have_fifteen_in_a_hundred_words_dropped_or_swapped() -> None:
    made = _load("made")
    bases = {
        study["protocolSection"]["identificationModule"]["officialTitle"].split(" ")[0]: study
        for study in _bases()
        if study["protocolSection"]["identificationModule"].get("officialTitle")
    }
    kept = dropped = total = 0
    maker = made.Maker(list(json.loads(json.dumps(list(bases.values())))))
    for line in maker.shard(0, 400):
        study = json.loads(line)
        # The first word of a text is never touched, so it tells which record this one was made of.
        base = bases[study["protocolSection"]["identificationModule"]["officialTitle"].split(" ")[0]]
        before, after = _summary(base), _summary(study)
        assert after
        kept += sum((Counter(before) & Counter(after)).values())
        dropped += len(before) - len(after)
        total += len(before)
    # A third of 15 % is dropped; a word that is swapped in may be the one that stood there.
    assert 0.03 < dropped / total < 0.07
    assert 0.80 < kept / total < 0.90


def test_vocabulary_of_made_records_grows_as_the_law_has_it() -> None:
    made = _load("made")
    maker = made.Maker(_bases())
    sizes = [maker._new(number) for number in (10, 63, 1_000, 2_000, 4_000)]
    assert sizes[:2] == [0, 0]
    # Each doubling brings more new words, and less than twice as many.
    assert sizes[2] < sizes[3] < sizes[4] < 2 * sizes[3]
    seen: set[str] = set()
    for line in maker.shard(0, 2_000):
        seen.update(line.decode().replace('"', " ").split())
    new = {made.new_word(number) for number in range(sizes[3])}
    # A record too short for its new words goes without.
    assert len(new & seen) > 0.9 * len(new)
    assert not {made.new_word(number) for number in range(sizes[3], sizes[4])} & seen


def test_dates_and_enrolment_of_made_records_do_not_drift() -> None:
    made = _load("made")
    study = {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT00000001", "briefTitle": "one two three"},
            "statusModule": {"startDateStruct": {"date": "2010-06"}, "overallStatus": "COMPLETED"},
            "designModule": {"enrollmentInfo": {"count": 100}},
            "contactsLocationsModule": {"locations": [{"city": "One Two Three Four", "country": "France"}]},
        }
    }
    maker = made.Maker([json.loads(json.dumps(study)), json.loads(json.dumps(study))])
    for line in maker.shard(0, 300):
        section = json.loads(line)["protocolSection"]
        assert re.fullmatch(r"20(08|09|10|11|12)-\d\d", section["statusModule"]["startDateStruct"]["date"])
        assert 50 <= section["designModule"]["enrollmentInfo"]["count"] <= 150
        assert section["statusModule"]["overallStatus"] == "COMPLETED"
        assert section["contactsLocationsModule"] == study["protocolSection"]["contactsLocationsModule"]


def test_nothing_can_be_made_of_one_record(tmp_path: Path) -> None:
    path = sorted((ROOT / "corpus").glob("NCT*.json"))[0]
    with pytest.raises(ValueError, match="two trials or more"):
        _load("made").make(10, tmp_path / "made", [path])


# What is built, and what is asked.


def _study(key: str, title: str, summary: str) -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": key, "briefTitle": title},
            "descriptionModule": {"briefSummary": summary, "detailedDescription": "zebra"},
            "designModule": {"phases": ["PHASE2"]},
        }
    }


STUDIES = [
    _study("NCT00000001", "A trial of something else", "lupus and aspirin"),
    _study("NCT00000002", "Lupus treated", "aspirin and something else"),
    _study("NCT00000003", "Lupus treated", "heparin and something else"),
    _study("NCT00000004", "The heart matters", "kidney pain"),
    _study("NCT00000005", "The kidney matters", "heart pain"),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "studies.json"
    again = _study("NCT00000003", "The same trial", "from another source")
    path.write_text(json.dumps([*STUDIES, again]), "utf-8")
    return path


def test_peers_get_the_fields_of_the_area_codes_in_words_and_each_trial_once(source: Path) -> None:
    build = _load("build")
    held = dict(build.documents([source], build.settings().weights))
    assert list(held) == [f"NCT0000000{number}" for number in (1, 2, 3, 4, 5)]
    assert held["NCT00000003"] == {
        "NCTId": "NCT00000003",
        "BriefTitle": "Lupus treated",
        "BriefSummary": "heparin and something else",
        "Phase": "Phase 2",
    }


def _peer(name: str, job: str, source: Path, folder: Path) -> Any:
    """Build an index by the bench's own process, and open it; skip where the engine is not here."""
    contestants = _load("contestants")
    if reason := contestants.left_out(name):
        pytest.skip(reason)
    folder.mkdir()
    _load("measure").build(job, folder, [source])
    return contestants


def _answers(
    contestants: Any, name: str, folder: Path, queries: list[str], limit: int | None
) -> list[list[str]]:
    """Ask in a process of its own, as the bench does: one peer runs under another interpreter."""
    lines = "".join(json.dumps([query, limit]) + "\n" for query in queries)
    done = subprocess.run(
        contestants.CONTESTANTS[name].command(folder), input=lines, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    _opening, *answers = map(json.loads, done.stdout.splitlines())
    return [[key for key, _score in answer["answer"]] for answer in answers]


@pytest.mark.parametrize("name", ["tantivy", "fts5", "xapian", "whoosh"])
def test_peer_finds_all_words_in_any_field_and_weighs_the_title(
    name: str, source: Path, tmp_path: Path
) -> None:
    folder = tmp_path / name
    contestants = _peer(name, name, source, folder)
    queries = ["treating lupus", "lupus aspirin", "What is the lupus?", "phase 2 heparin", "aspirin's"]
    one, two, three = (f"NCT0000000{number}" for number in (1, 2, 3))
    found = _answers(contestants, name, folder, queries, None)
    assert [sorted(answer) for answer in found] == [
        [two, three],
        [one, two],
        [one, two, three],
        [three],
        [one, two],
    ]
    # In the title a word counts more than in the summary.
    four, five = "NCT00000004", "NCT00000005"
    assert _answers(contestants, name, folder, ["heart", "kidneys"], 10) == [[four, five], [five, four]]
    assert _answers(contestants, name, folder, ["heart", "kidneys"], 1) == [[four], [five]]
    none = ["zebra", "lupus NOT heparin aspirin", "--", "lupus unheard", "OR"]
    assert _answers(contestants, name, folder, none, None) == [[]] * 5


@pytest.mark.parametrize(("name", "index"), [("tantivy-any", "tantivy"), ("bm25s", "bm25s")])
def test_any_word_is_enough_where_that_is_asked(name: str, index: str, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / index
    contestants = _peer(index, index, source, folder)
    found = _answers(contestants, name, folder, ["unheard aspirin", "unheard", "zebra"], None)
    assert [sorted(answer) for answer in found] == [["NCT00000001", "NCT00000002"], [], []]


def _many(folder: Path) -> Path:
    path = folder / "many.json"
    made = [_study(f"NCT{number:08}", f"Trial {number}", "aspirin") for number in range(200)]
    path.write_text(json.dumps(made), "utf-8")
    return path


def test_worn_tantivy_has_segments_and_lacks_what_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "worn"
    contestants = _peer("tantivy", "tantivy-worn", _many(tmp_path), folder)
    assert _load("peer_tantivy").segments(folder) == 7
    (found,) = _answers(contestants, "tantivy", folder, ["aspirin"], None)
    assert sorted(found) == [f"NCT{number:08}" for number in range(200) if number % 40]


def test_worn_index_of_ours_has_eight_segments_and_lacks_what_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "worn"
    contestants = _peer("ours", "ours-worn", _many(tmp_path), folder)
    assert _load("ours").segments(folder) == 8
    (found,) = _answers(contestants, "plain", folder, ["aspirin"], None)
    assert sorted(found) == [f"NCT{number:08}" for number in range(200) if number % 40]


def test_stored_records_of_ours_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    _peer("ours", "ours", _many(tmp_path), folder)
    stored = _load("ours").stored(folder)
    assert 0 < stored < _load("run").size(folder)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_counts_the_children_of_a_process() -> None:
    resident = _load("measure").resident
    before = resident(os.getpid())
    code = "held = bytearray(50_000_000); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert resident(os.getpid()) - before > 50_000_000
        child.communicate("\n")
    assert resident(child.pid) == 0
