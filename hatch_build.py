"""Builds the compiled kernel when the package is installed, where that can be done; see `trialindex.kernel`.

It has two modules, `_kernel` for searches and `_cutting` for building; there are both or none. It is
optional: without a compiler, without Python's headers, or where the compiler fails for whatever reason, one
line says so and the package is installed without it. TRIALSEARCH_KERNEL=off builds none, and fetches nothing
for it; TRIALSEARCH_KERNEL=require makes a failure an error.

An editable install gets the modules beside their sources. A wheel has them inside and bears the tag of its
platform, or is one for all where there is none.

As a script it translates and compiles, in the folder that it is run in. That is a process of its own, so that
nothing that goes wrong there is more than a process that failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "TRIALSEARCH_KERNEL"
PACKAGE = "indexer/trialindex"
NEEDS = ["cython>=3.1,<4", "setuptools>=77,<90"]
# No -march: a wheel may be taken to another machine. Debugging symbols are most of a module that has them.
FLAGS = [] if os.name == "nt" else ["-O3", "-g0"]


class NotBuilt(Exception):
    """There is no kernel, and why, in a line; `output` is all that the tools said."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


class KernelHook(BuildHookInterface[Any]):
    """Gives a wheel its kernel."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """Return what is to be fetched for a build."""
        return [] if switch() == "off" else NEEDS

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the kernel before the wheel is written, and have it put where it belongs."""
        package = Path(self.root, PACKAGE)
        wanted = switch()
        try:
            if version == "editable":
                # One that does not fit its source any more must not stay, whatever follows.
                remove_built(package)
            if wanted == "off":
                return
            self._folder = tempfile.TemporaryDirectory(prefix="trialsearch-kernel-")
            modules = all_built(package, Path(self._folder.name))
            if version == "editable":
                for module in modules:
                    put(module, package)
                return
        except (NotBuilt, OSError) as error:
            output = getattr(error, "output", "")
            if wanted == "require":
                raise RuntimeError(f"{output}\nthe compiled kernel cannot be built: {error}") from None
            self.app.display_warning(f"installing without the compiled kernel, as pure Python: {error}")
            return
        for module in modules:
            build_data["force_include"][str(module)] = f"trialindex/{module.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what the wheel was made from."""
        if self._folder is not None:
            self._folder.cleanup()


def switch() -> str:
    """Return what the environment asks for: "off", "require", or "" for a kernel where one can be built."""
    value = os.environ.get(SWITCH, "")
    if value not in {"", "off", "require"}:
        raise ValueError(f"{SWITCH}={value}: it may be off, require, or not set")
    return value


def all_built(package: Path, folder: Path) -> list[Path]:
    """Build the modules of a package in an empty folder; return their files. Raises NotBuilt and OSError."""
    found = []
    for source in sorted(package.glob("*.pyx")):
        own = folder / source.stem
        own.mkdir()
        found.append(built(source, own))
    return found


def built(source: Path, folder: Path) -> Path:
    """Build one module in an empty folder, and return its file. Raises NotBuilt and OSError."""
    package = folder / "trialindex"
    package.mkdir()
    shutil.copyfile(source, package / source.name)
    done = subprocess.run(
        # -P: what is in the project must not be taken for a library.
        [sys.executable, "-P", str(Path(__file__).resolve())],
        cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
    )  # fmt: skip
    modules = list((folder / "built").glob(f"trialindex/{source.stem}.*"))
    if done.returncode or len(modules) != 1:
        output = done.stdout + done.stderr
        raise NotBuilt(reason(output), output)
    return modules[0]


def reason(output: str) -> str:
    """Return the line of the tools' output that says what went wrong: the first error, else the last line.

    >>> reason("k.c:28:10: fatal error: Python.h: No such file or directory\\ncompilation terminated.\\n")
    'k.c:28:10: fatal error: Python.h: No such file or directory'
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no module was made"]
    errors = (line for line in lines if re.search(r"(?i)\b(?:error|\w+error): ", line))
    return next(errors, lines[-1])


def remove_built(package: Path) -> None:
    """Remove the compiled modules that this Python would load from a package."""
    from importlib.machinery import EXTENSION_SUFFIXES

    for source in package.glob("*.pyx"):
        for suffix in EXTENSION_SUFFIXES:
            source.with_name(f"{source.stem}{suffix}").unlink(missing_ok=True)


def put(module: Path, package: Path) -> None:
    """Put a module into a package; whoever loads it meanwhile sees none or all of it."""
    part = package / f"{module.name}.part"
    try:
        shutil.copyfile(module, part)
        part.replace(package / module.name)
    finally:
        part.unlink(missing_ok=True)


def compile_here() -> None:
    """Translate and compile the module that is in `trialindex` of this folder into `built/`."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    (source,) = Path("trialindex").glob("*.pyx")
    extension = Extension(f"trialindex.{source.stem}", [str(source)], extra_compile_args=FLAGS)
    command = build_ext(Distribution({"ext_modules": cythonize([extension], quiet=True)}))
    command.build_lib, command.build_temp = "built", "objects"
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    compile_here()
