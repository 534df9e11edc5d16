"""The compiled loops of building, as Python sees them; what each does is said in `_cutting.pyx`."""

from array import array
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

VERSION: int

_U32 = npt.NDArray[np.uint32]
_I64 = npt.NDArray[np.int64]

class _Known(Protocol):
    heads: bytearray
    tails: bytearray

    def __getitem__(self, chunk: str, /) -> int: ...

class Cutter:
    def __init__(
        self, marks: Sequence[bool] | npt.NDArray[np.bool_], term: int, lone: int, number: int
    ) -> None: ...
    def rows(self, text: bytes, known: _Known) -> _U32: ...

def tokens(
    rows: _U32,
    sizes: _I64,
    known_rows: array[int],
    known_terms: array[int],
    known_places: array[int],
    gap: int,
) -> tuple[_U32, _U32, _U32, _U32, _U32]: ...
def ordered(terms: _U32, begins: _I64) -> _U32: ...
