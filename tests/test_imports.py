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
# Whoever else may import a library: by path under the source roots.
ALLOWED = {
    "click": {"trialsearch/cli.py"},
    "whoosh": {"trialindex/storage.py", "trialindex/whoosh_fields.py", "trialindex/analysis.py"},
    "pydantic": {"trialindex/trial.py"},
    "rapidfuzz": {"trialsearch/fuzzy.py"},
}
HEAVY = ("whoosh", "pydantic", "rich", "lxml", "rapidfuzz", "click", "platformdirs")


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
    assert "whoosh" in set(imported(ROOT / "indexer/trialindex/storage.py"))


def test_the_indexer_never_imports_the_search() -> None:
    assert [
        name(path) for path in SOURCES if "trialsearch" in imported(path) and "indexer" in path.parts
    ] == []


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_in_its_place_alone(library: str) -> None:
    assert {name(path) for path in SOURCES if library in imported(path)} <= ALLOWED[library]


def test_no_module_reads_pickles_or_evaluates_text() -> None:
    assert [name(path) for path in SOURCES if {"pickle", "marshal", "shelve"} & set(imported(path))] == []
    calls = [
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    ]
    assert calls == []


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
