"""The compiled kernel: when it is used (`trialindex.kernel`), and how it is built (`hatch_build.py`)."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers import ROOT
from trialindex import kernel

NAME = "trialindex._kernel"
SWITCH = "TRIALSEARCH_KERNEL"


@pytest.fixture(autouse=True)
def not_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)


# --- when it is used ---


def loaded(monkeypatch: pytest.MonkeyPatch, version: int | None) -> tuple[Any, str]:
    """Return KERNEL and its description where a module of a version is installed; None: none is."""
    module = None
    if version is not None:
        module = ModuleType(NAME)
        module.VERSION = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, NAME, module)
    found = runpy.run_path(kernel.__file__)
    return found["KERNEL"], found["described"]()


def test_a_kernel_of_the_version_asked_for_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, kernel.VERSION) == (sys.modules[NAME], "compiled kernel")


def test_a_kernel_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found, described = loaded(monkeypatch, kernel.VERSION + 1)
    versions = f"version {kernel.VERSION + 1}, not {kernel.VERSION}"
    assert found is None
    assert described == f"pure Python: the compiled kernel is of {versions}: install again"


def test_without_a_kernel_there_is_nothing_to_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, None) == (None, "pure Python")


def test_a_kernel_that_is_switched_off_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "off")
    assert loaded(monkeypatch, kernel.VERSION) == (None, "pure Python: TRIALSEARCH_KERNEL=off")


def test_a_kernel_for_another_byte_order_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "byteorder", "big")
    assert loaded(monkeypatch, kernel.VERSION)[0] is None


def test_a_kernel_that_cannot_be_loaded_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"_kernel{EXTENSION_SUFFIXES[0]}").write_bytes(b"no module")
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    monkeypatch.setattr(
        sys.modules["trialindex"], "__path__", [str(tmp_path), *sys.modules["trialindex"].__path__]
    )
    found = runpy.run_path(kernel.__file__)
    assert found["KERNEL"] is None
    assert found["described"]().startswith("pure Python: the compiled kernel cannot be loaded: ")


def test_the_version_says_which_of_the_two_answers() -> None:
    asked = [sys.executable, "-m", "trialsearch", "--version"]
    here = subprocess.run(asked, capture_output=True, text=True, check=True)
    # Not what this process says, which may be run with the kernel switched off.
    installed = runpy.run_path(kernel.__file__)["described"]()
    assert re.fullmatch(rf"trialsearch \S+ \({re.escape(installed)}\)\n", here.stdout)
    without = subprocess.run(
        asked, capture_output=True, text=True, check=True, env=os.environ | {SWITCH: "off"}
    )
    assert without.stdout.endswith(" (pure Python: TRIALSEARCH_KERNEL=off)\n")


def test_both_sides_name_the_same_version() -> None:
    source = (ROOT / "indexer/trialindex/_kernel.pyx").read_text("utf-8")
    assert re.findall(r"^VERSION = (\d+)$", source, re.MULTILINE) == [str(kernel.VERSION)]


# --- how it is built ---


@pytest.fixture
def build() -> ModuleType:
    pytest.importorskip("hatchling", reason="hatchling, which builds the package, is not installed here")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a small kernel."""
    package = tmp_path / "project/indexer/trialindex"
    package.mkdir(parents=True)
    (package / "_kernel.pyx").write_text("# cython: language_level=3\nVERSION = 7\n")
    return package.parents[1]


def initialized(build: ModuleType, project: Path, version: str) -> tuple[Any, dict[str, Any]]:
    """Return the hook and the build data as it leaves them for a version: standard or editable."""
    hook = build.KernelHook(str(project), {}, None, None, "", "wheel")
    data: dict[str, Any] = {"pure_python": True, "infer_tag": False, "force_include": {}}
    hook.initialize(version, data)
    return hook, data


PURE = {"pure_python": True, "infer_tag": False, "force_include": {}}


def held(project: Path) -> list[str]:
    return sorted(path.name for path in (project / "indexer/trialindex").iterdir())


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_where_the_compiler_fails_the_package_is_pure_python(
    build: ModuleType, project: Path, version: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CC", "no-such-compiler")
    (project / "indexer/trialindex" / f"_kernel{EXTENSION_SUFFIXES[0]}").write_bytes(b"an older one")
    hook, data = initialized(build, project, version)
    hook.finalize(version, data, "")
    assert data == PURE
    warning = capsys.readouterr().err
    assert warning.startswith("installing without the compiled kernel, as pure Python: ")
    assert len(warning.splitlines()) == 1
    if version == "editable":  # what is there no longer fits its source
        assert held(project) == ["_kernel.pyx"]


def test_a_failure_is_an_error_where_a_kernel_is_required(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv(SWITCH, "require")
    with pytest.raises(RuntimeError, match="the compiled kernel cannot be built: "):
        initialized(build, project, "standard")


def test_off_builds_and_fetches_nothing(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "built", None)  # would raise if it were called
    monkeypatch.setenv(SWITCH, "off")
    (project / "indexer/trialindex" / f"_kernel{EXTENSION_SUFFIXES[0]}").write_bytes(b"an older one")
    for version in ("standard", "editable"):
        hook, data = initialized(build, project, version)
        assert (data, hook.dependencies()) == (PURE, [])
    assert held(project) == ["_kernel.pyx"]
    assert capsys.readouterr().err == ""


def test_a_wrong_switch_is_an_error(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "on")
    with pytest.raises(ValueError, match="TRIALSEARCH_KERNEL=on: it may be off, require, or not set"):
        initialized(build, project, "standard")


def test_there_are_all_modules_or_none(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = project / "indexer/trialindex"
    (package / "_other.pyx").write_text("VERSION = 1\n")
    monkeypatch.setattr(build, "built", fake_built)
    _, data = initialized(build, project, "standard")
    assert sorted(data["force_include"].values()) == [
        f"trialindex/{name}{EXTENSION_SUFFIXES[0]}" for name in ("_kernel", "_other")
    ]
    initialized(build, project, "editable")
    assert len(held(project)) == 4

    def one_fails(source: Path, folder: Path) -> Path:
        if source.stem == "_other":
            raise build.NotBuilt("no luck")
        return fake_built(source, folder)

    monkeypatch.setattr(build, "built", one_fails)
    assert initialized(build, project, "editable")[1] == PURE
    assert held(project) == ["_kernel.pyx", "_other.pyx"]
    assert capsys.readouterr().err.endswith("as pure Python: no luck\n")


def fake_built(source: Path, folder: Path) -> Path:
    module = folder / f"{source.stem}{EXTENSION_SUFFIXES[0]}"
    module.write_bytes(b"compiled")
    return module


def test_a_wheel_with_a_kernel_is_one_of_its_platform(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "built", fake_built)
    hook, data = initialized(build, project, "standard")
    assert list(data["force_include"].values()) == [f"trialindex/_kernel{EXTENSION_SUFFIXES[0]}"]
    module = Path(next(iter(data["force_include"])))
    assert module.read_bytes() == b"compiled" and not module.is_relative_to(project)
    assert (data["pure_python"], data["infer_tag"]) == (False, True)
    hook.finalize("standard", data, "")
    assert not module.parent.exists()
    assert held(project) == ["_kernel.pyx"]


def test_an_editable_install_has_the_kernel_beside_its_source(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "built", fake_built)
    _, data = initialized(build, project, "editable")
    assert data == PURE
    assert held(project) == sorted([f"_kernel{EXTENSION_SUFFIXES[0]}", "_kernel.pyx"])


def test_a_kernel_is_translated_and_compiled(build: ModuleType, project: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    try:
        module = build.built(project / "indexer/trialindex/_kernel.pyx", tmp_path / "made")
    except build.NotBuilt as error:
        pytest.skip(f"nothing can be compiled here: {error}")
    spec = importlib.util.spec_from_file_location(NAME, module)
    assert spec and spec.loader
    compiled = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compiled)
    assert compiled.VERSION == 7


def test_a_pure_wheel_holds_no_machine_code(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hatchling.builders.wheel import WheelBuilder

    monkeypatch.setenv(SWITCH, "off")
    (made,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert made.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(made) as wheel:
        names = wheel.namelist()
    assert "trialindex/kernel.py" in names and "trialsearch/cli/__init__.py" in names
    assert [name for name in names if name.endswith((".so", ".pyd", ".pyx", ".c"))] == []
