"""The compiled kernel, as Python sees it; what each part does is said in `_kernel.pyx`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION: int

_Damaged = Callable[[str], Exception]
_U8 = npt.NDArray[np.uint8]
_U16 = npt.NDArray[np.uint16]
_U32 = npt.NDArray[np.uint32]
_I64 = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.unsignedinteger[Any]]
_Planes = list[tuple[_Numbers, _Numbers | None]]

def folded(fields: _U8, starts: _I64, table: _U32, add: bool) -> _U32: ...

class Terms:
    def __init__(
        self, damaged: _Damaged, data: _U8, planes: _Planes, starts: _Numbers, heads: _Numbers
    ) -> None: ...
    def place(self, term: bytes) -> tuple[int, bool]: ...

class Postings:
    def __init__(
        self,
        damaged: _Damaged,
        documents: int,
        width: int,
        paged: int,
        data: _U8,
        list_places: _Numbers,
        list_sizes: _Planes,
        list_starts: _Numbers,
        patterns: _Planes,
        pattern_sizes: _Numbers,
        pattern_starts: _I64,
        fields: _U8,
        positions: _Planes,
        occurrence_sizes: _Planes,
        occurrence_starts: _Numbers,
        sums: _Numbers,
    ) -> None: ...
    def entry(self, ordinal: int) -> tuple[int, _U32]: ...
    def weighted(self, ordinal: int, weights: _Numbers) -> tuple[_U32, _Numbers]: ...
    def phrase(
        self,
        lists: Sequence[tuple[int, _U32]],
        offsets: Sequence[int],
        slop: int,
        weights: _U32,
        masks: _U16,
        docs: _U32 | None = None,
        denied: tuple[int, _U32] | None = None,
    ) -> _I64: ...
