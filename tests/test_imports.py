"""Which module may import what, read from the sources, and what an import of the packages loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import ROOT

SOURCES = sorted(
    path for folder in ("indexer/trialindex", "search/trialsearch") for path in (ROOT / folder).rglob("*.py")
)
# Whoever else may import a library: by path under the source roots; a folder ends in a slash.
ALLOWED = {
    "click": {"trialsearch/cli/"},
    "numpy": {
        "trialindex/segments/",
        "trialindex/snapshot.py",
        "trialindex/storage.py",
        "trialindex/verify.py",
        "trialindex/vocabulary/completions.py",
        "trialindex/vocabulary/learned.py",
        "trialindex/vocabulary/mapped.py",
        "trialindex/vocabulary/near.py",
        "trialsearch/distance.py",
        "trialsearch/engine.py",
        "trialsearch/evaluate.py",
        "trialsearch/leaves.py",
        "trialsearch/explain.py",
        "trialsearch/funnel.py",
        "trialsearch/exact.py",
        "trialsearch/facets.py",
        "trialsearch/highlight.py",
        "trialsearch/lexicon.py",
        "trialsearch/lists.py",
        "trialsearch/nodes.py",
        "trialsearch/partial.py",
        "trialsearch/places.py",
        "trialsearch/pruning.py",
        "trialsearch/ranking.py",
        "trialsearch/saved.py",
        "trialsearch/selecting.py",
        "trialsearch/similar.py",
        "trialsearch/sites.py",
        "trialsearch/sorting.py",
        "trialsearch/suggest.py",
        "trialsearch/tilting.py",
        "trialsearch/whoosh_bridge.py",
        "trialsearch/whoosh_postings.py",
        "trialsearch/whoosh_reader.py",
        "trialsearch/whole.py",
        "trialsearch/why.py",
    },
    "whoosh": {
        "trialsearch/whoosh_bridge.py",
        "trialsearch/whoosh_postings.py",
        "trialsearch/whoosh_queries.py",
        "trialsearch/whoosh_reader.py",
        "trialsearch/whoosh_schema.py",
        "trialsearch/whoosh_sound.py",
    },
    "orjson": {"trialindex/quick_json.py"},
    "pydantic": {"trialindex/trial.py"},
    "rapidfuzz": {"trialindex/gazetteer.py", "trialsearch/misspelt.py", "trialsearch/widening.py"},
}
HEAVY = (
    "whoosh",
    "pydantic",
    "rich",
    "lxml",
    "rapidfuzz",
    "click",
    "platformdirs",
    "numpy",
    "orjson",
    "zstandard",
)
# What a plain search does without: each costs as much as the search itself, or more.
NEVER_IN_A_SEARCH = (
    "whoosh", "pydantic", "rich", "lxml", "orjson", "rapidfuzz", "platformdirs", "filelock", "asyncio",
    "concurrent", "multiprocessing", "subprocess", "shutil", "tempfile", "zipfile", "difflib", "csv",
    "importlib.metadata", "importlib.resources", "click.shell_completion", "trialindex.builder",
    "trialindex.criteria", "trialindex.document", "trialindex.formats", "trialindex.gazetteer",
    "trialindex.trial", "trialsearch.distance", "trialsearch.facets", "trialsearch.field_list",
    "trialsearch.filters", "trialsearch.funnel", "trialsearch.near", "trialsearch.saved",
    "trialsearch.similar", "trialsearch.sites", "trialsearch.suggest", "trialsearch.tilting",
    "trialsearch.whole",
)  # fmt: skip


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().split("/", 1)[1]


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: a relative import"
            yield (node.module or "").split(".")[0]


def test_there_are_sources_to_read() -> None:
    assert {"trialindex/storage.py", "trialsearch/parse.py", "trialindex/formats/files.py"} <= set(
        map(name, SOURCES)
    )
    assert "numpy" in set(imported(ROOT / "indexer/trialindex/storage.py"))


def test_the_indexer_never_imports_the_search() -> None:
    assert [
        name(path) for path in SOURCES if "trialsearch" in imported(path) and "indexer" in path.parts
    ] == []


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_in_its_place_alone(library: str) -> None:
    places = tuple(ALLOWED[library])
    assert [
        name(path) for path in SOURCES if library in imported(path) and not name(path).startswith(places)
    ] == []


def test_no_module_reads_pickles_or_evaluates_text() -> None:
    assert [name(path) for path in SOURCES if {"pickle", "marshal", "shelve"} & set(imported(path))] == []
    calls = [
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    ]
    assert calls == []


@pytest.mark.parametrize("form", ["table", "plain", "json", "jsonl", "ids", "csv"])
def test_a_plain_search_loads_nothing_that_costs_more_than_it(corpus_index: Path, form: str) -> None:
    searching = ["search", "lupus nephritis", "--index", str(corpus_index), "--format", form]
    loaded = _loaded_by(searching)
    assert "trialsearch.engine" in loaded
    assert loaded & set(NEVER_IN_A_SEARCH) == ({"csv"} if form == "csv" else set())
    for_programs = {"trialsearch.export", "trialsearch.output_fields"}
    assert loaded & for_programs == (set() if form in {"table", "plain"} else for_programs)


def test_help_loads_no_more_than_click() -> None:
    heavy = {*HEAVY, "trialsearch.engine", "trialindex.builder"}
    for asked in (["--help"], ["search", "--help"], ["index", "-h"]):
        assert _loaded_by(asked) & heavy == {"click"}, asked
    # Whether there is a compiled kernel shows when it is loaded, and it takes numpy along.
    assert _loaded_by(["--version"]) & heavy <= {"click", "numpy"}


def _loaded_by(words: list[str]) -> set[str]:
    """Return the modules that are loaded when a fresh process has run a command."""
    code = (
        "import sys\nfrom trialsearch.cli import main\n"
        # The last thing that the command line does, if nothing is left to do.
        "import os\nos._exit = lambda code: None\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("package", ["trialsearch", "trialindex"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("package", ["trialsearch", "trialindex"])
def test_every_public_name_of_a_package_is_there(package: str) -> None:
    module = __import__(package)
    assert all(getattr(module, public) is not None for public in module.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = module.nothing_such
