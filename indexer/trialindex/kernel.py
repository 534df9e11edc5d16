"""The compiled kernel, where this installation has one: the hot loops of a search, in machine code.

`KERNEL` is the module `trialindex._kernel`, or None. What it does the modules that ask for it do with arrays
too: they are its fallback and its oracle, and an answer never hangs on which of them gave it.

There is none where it was not built (`hatch_build.py` says when), where TRIALSEARCH_KERNEL=off is set, where
the machine's numbers are not as in the file, and where it cannot be loaded or is of another version than
this module asks for: a checkout may go on while what was compiled in it stays behind. Loading is quiet;
`trialsearch --version` says which it is, and why.

`cutting()` is the same for what is hot while an index is built, the module `trialindex._cutting`; a search
does not load it.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from trialindex import _cutting, _kernel
    from trialindex._kernel import _I64, _U8, _U32

__all__ = ["CUTTING_VERSION", "KERNEL", "VERSION", "Cutting", "Kernel", "cutting", "described"]

# Of what the kernel offers: raised here and in `_kernel.pyx` with every change of either side.
VERSION = 4
_NAME = "trialindex._kernel"
# The same of `_cutting.pyx`.
CUTTING_VERSION = 1


class Kernel(Protocol):
    """What the compiled module offers, as its stub `_kernel.pyi` describes it."""

    Terms: type[_kernel.Terms]
    Postings: type[_kernel.Postings]
    folded: Callable[[_U8, _I64, _U32, bool], _U32]


class Cutting(Protocol):
    """What the compiled module of building offers, as its stub `_cutting.pyi` describes it."""

    Cutter: type[_cutting.Cutter]
    tokens: Callable[
        [_U32, _I64, array[int], array[int], array[int], int], tuple[_U32, _U32, _U32, _U32, _U32]
    ]
    ordered: Callable[[_U32, _I64], _U32]


def _loaded(name: str, version: int) -> tuple[Any, str]:
    """Return a compiled module, or None and why it is not used: "" where there is simply none."""
    if os.environ.get("TRIALSEARCH_KERNEL") == "off":
        return None, "TRIALSEARCH_KERNEL=off"
    if sys.byteorder != "little":
        return None, "no kernel for this machine's byte order"
    try:
        module: Any = import_module(name)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name
        return None, "" if absent else f"the compiled kernel cannot be loaded: {error}"
    found = getattr(module, "VERSION", None)
    if found != version:
        return None, f"the compiled kernel is of version {found}, not {version}: install again"
    return module, ""


KERNEL: Kernel | None
KERNEL, _why_not = _loaded(_NAME, VERSION)


@cache
def cutting() -> Cutting | None:
    """Return the compiled module of building, or None."""
    found: Cutting | None = _loaded("trialindex._cutting", CUTTING_VERSION)[0]
    return found


def described() -> str:
    """Return in words which of the two answers: the compiled kernel or Python alone, and why."""
    if KERNEL is not None:
        return "compiled kernel"
    return f"pure Python: {_why_not}" if _why_not else "pure Python"
