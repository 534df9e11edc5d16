"""The documents are held to the code.

README's commands are run, paths in ARCHITECTURE exist, modules are all named.
`UPDATE_DOCS=1 pytest tests/test_docs.py` writes the commands' present output into the README, to be read
before it is committed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT

README = ROOT / "README.md"
_BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
_PYTHON = re.compile(r"(?<=```python\n)(.*?)(?=```)", re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, whole_vocabulary: Path) -> Path:
    """A folder like a fresh checkout: the corpus, and an index built from it, with the whole vocabulary."""
    from trialindex.vocabulary.shipped import cached

    place = tmp_path_factory.mktemp("readme")
    (place / "cache" / "trialsearch").mkdir(parents=True)
    shutil.copyfile(whole_vocabulary, place / "cache" / "trialsearch" / cached().name)
    shutil.copytree(ROOT / "corpus", place / "corpus")
    (place / "index").mkdir()
    _run("trialsearch index corpus", place)
    return place


def _run(command: str, place: Path) -> str:
    """Run a line of the README as a user would in a pipe 100 columns wide; return what it prints."""
    words = shlex.split(command.removeprefix("$ "), comments=True)
    assert words[0] == "trialsearch", command
    environment = {key: value for key, value in os.environ.items() if key != "TRIALSEARCH_INDEX"}
    environment |= {"COLUMNS": "100", "NO_COLOR": "1", "XDG_CACHE_HOME": str(place / "cache")}
    environment["TRIALSEARCH_SAVED"] = str(place / "saved")
    done = subprocess.run(
        [sys.executable, "-m", "trialsearch", *words[1:]],
        cwd=place, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def _examples(block: str) -> list[tuple[str, str]]:
    """Return the (command, output) pairs of a console block."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line, ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def _shown(block: str) -> list[tuple[str, str]]:
    return [(command, output) for command, output in _examples(block) if command.startswith("$ trialsearch")]


def _matches(shown: str, printed: str) -> bool:
    """Whether what is shown is what was printed; a line `[...]` in the README stands for any lines."""
    pattern = "(?:.*\n)*?".join(re.escape(part) for part in (shown.rstrip() + "\n").split("[...]\n"))
    return re.fullmatch(pattern, printed.rstrip() + "\n") is not None


def test_readme_commands_print_what_the_readme_shows(workplace: Path) -> None:
    text = README.read_text("utf-8")
    blocks = _BLOCK.findall(text)
    assert sum(len(_shown(block)) for block in blocks) >= 12
    wrong = []
    for block in blocks:
        for command, shown in _shown(block):
            printed = _run(command, workplace)
            if not _matches(shown, printed):
                wrong.append(f"{command}\n{printed}")
                if "[...]" not in shown:
                    text = text.replace(f"{command}\n{shown}", f"{command}\n{printed.rstrip()}\n")
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(text, "utf-8")
        return
    assert not wrong, "the README shows something else than:\n" + "\n".join(wrong)


def test_readme_python_runs(workplace: Path) -> None:
    blocks = _PYTHON.findall(README.read_text("utf-8"))
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=workplace, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr


def test_matching_can_fail() -> None:
    assert _matches("a\n[...]\nd\n", "a\nb\nc\nd\n")
    assert not _matches("a\n[...]\nd\n", "a\nb\nc\n")
    assert not _matches("a\n", "a\nb\n")
    assert _matches("\n", "") and not _matches("\n", "a\n")


def test_readme_names_both_commands_and_the_ways_to_install() -> None:
    text = README.read_text("utf-8")
    for needed in ("make demo", "make test", "pip install .", "pipx install ."):
        assert needed in text


def test_paths_in_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    paths = re.findall(r"`((?:search|indexer|tests|bench|corpus|index)/[\w./]*)`", text)
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_is_named_in_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    modules = [*(ROOT / "search").rglob("*.py"), *(ROOT / "indexer").rglob("*.py")]
    unnamed = [
        str(module.relative_to(ROOT))
        for module in modules
        if module.name not in {"__init__.py", "__main__.py"} and module.name not in text
    ]
    assert unnamed == []


def test_no_machine_paths_in_tracked_text() -> None:
    suspicious = re.compile(r"/(?:home|root|Users)/|C:\\\\Users")
    held = [
        path for path in ROOT.rglob("*") if path.suffix in {".py", ".md", ".toml", ".tsv"} and path.is_file()
    ]
    tracked = [path for path in held if not {".venv", ".git", ".hypothesis"} & set(path.parts)]
    assert len(tracked) > 50
    own = Path(__file__).name
    assert [
        str(path) for path in tracked if path.name != own and suspicious.search(path.read_text("utf-8"))
    ] == []
