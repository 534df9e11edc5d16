"""Where the sites of each document lie: one entry a location of the record, in its order.

| array | what it holds |
|---|---|
| `sites.sizes` | how many sites each document has (`narrow`) |
| `sites.spots` | of each site, the number of its spot, 0 for one that is not known (`narrow`) |
| `sites.latitudes`, `sites.longitudes` | int32, of the spots from number 1 on, units of 1e-7 degrees |
| `sites.looked_up` | uint8, of the same spots: 1 where coordinates were looked up by the name of a city |
| `sites.statuses` | uint8, of each site, which of the codes; not there where none has one |
| `sites.codes` | uint8, the codes of recruitment, in JSON |

Nothing is written where no document has a site.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> with ArrayWriter(path) as writer:
...     held = [(48.85341, 2.3488, False, "COMPLETED"), (None, None, False, "")]
...     write_sites(writer, [Sites.of([held, []])])
>>> sites = read_sites(ArrayFile(path), 2)
>>> sites.of_document(0), sites.of_document(1), sites.status_codes
([(48.85341, 2.3488, False, 'COMPLETED'), (None, None, False, '')], [], ('', 'COMPLETED'))
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex.segments.arrays import ArrayFile, ArrayWriter, spread, starts_of
from trialindex.segments.narrow import Narrow, NarrowWriter

__all__ = ["Sites", "read_sites", "write_sites"]

# Units in a degree, and the most of them that a latitude and a longitude have.
_UNITS = 10**7
_MOST_LATITUDE, _MOST_LONGITUDE = 90 * _UNITS, 180 * _UNITS
# Codes that are told apart: the registry has nine.
_MOST_CODES = 256

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# Latitude and longitude (None for unknown), whether these were looked up, and the status.
_Site = tuple[float | None, float | None, bool, str]


class Sites(NamedTuple):
    """The sites of each document.

    `offsets`: int64[documents + 1] into the next four: the sites of a document are those from its offset to
    the next one. `latitudes`, `longitudes`: float64[sites], degrees, north and east positive, whole multiples
    of 1e-7, NaN where nobody knows. `looked_up`: bool[sites], whether these are those of the site's city.
    `statuses`: uint8[sites], which of `status_codes` a site has; `status_codes[0]` is "", for none.
    """

    offsets: I64
    latitudes: F64
    longitudes: F64
    looked_up: Mask
    statuses: npt.NDArray[np.uint8]
    status_codes: tuple[str, ...]

    @classmethod
    def of(cls, documents: Sequence[Sequence[_Site]]) -> Sites:
        """Return the sites of documents from (latitude, longitude, looked up, status) of each."""
        sites = [site for held in documents for site in held]
        codes = _Codes()
        return cls(
            starts_of(np.fromiter(map(len, documents), np.int64, len(documents))),
            np.array([site[0] for site in sites], np.float64),
            np.array([site[1] for site in sites], np.float64),
            np.array([site[2] for site in sites], np.bool_),
            np.array([codes.number(site[3]) for site in sites], np.uint8),
            codes.codes,
        )

    @classmethod
    def joined(cls, parts: Sequence[Sites]) -> Sites:
        """Return the sites of the documents of several, one after another."""
        if len(parts) == 1:
            return parts[0]
        codes = _Codes()
        statuses = [codes.renumbered(part) for part in parts]
        return cls(
            starts_of(np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in parts)])),
            np.concatenate([np.empty(0), *(part.latitudes for part in parts)]),
            np.concatenate([np.empty(0), *(part.longitudes for part in parts)]),
            np.concatenate([np.empty(0, np.bool_), *(part.looked_up for part in parts)]),
            np.concatenate([np.empty(0, np.uint8), *statuses]),
            codes.codes,
        )

    def kept(self, keep: Mask) -> Sites:
        """Return the sites of the documents that a mask, bool[documents], keeps."""
        if keep.all():
            return self
        sizes = np.diff(self.offsets)[keep]
        chosen = spread(self.offsets[:-1][keep], sizes)
        return Sites(
            starts_of(sizes),
            self.latitudes[chosen],
            self.longitudes[chosen],
            self.looked_up[chosen],
            self.statuses[chosen],
            self.status_codes,
        )

    def of_document(self, doc: int) -> list[_Site]:
        """Return (latitude, longitude, looked up, status) of each site of a document."""
        here = slice(int(self.offsets[doc]), int(self.offsets[doc + 1]))
        return [
            (
                None if latitude != latitude else latitude,
                None if longitude != longitude else longitude,
                looked_up,
                self.status_codes[status],
            )
            for latitude, longitude, looked_up, status in zip(
                self.latitudes[here].tolist(),
                self.longitudes[here].tolist(),
                self.looked_up[here].tolist(),
                self.statuses[here].tolist(),
                strict=True,
            )
        ]


class _Codes:
    """Numbers for codes, in the order in which they are met; what is met when all numbers are taken is
    none.
    """

    def __init__(self) -> None:
        self._numbers = {"": 0}

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._numbers)

    def number(self, code: str) -> int:
        if code not in self._numbers and len(self._numbers) == _MOST_CODES:
            return 0
        return self._numbers.setdefault(code, len(self._numbers))

    def renumbered(self, sites: Sites) -> npt.NDArray[np.uint8]:
        """Return uint8[sites], the statuses by these numbers."""
        held = np.bincount(sites.statuses, minlength=len(sites.status_codes)).tolist()
        both = zip(sites.status_codes, held, strict=True)
        numbers = [self.number(code) if count else 0 for code, count in both]
        return np.array(numbers, np.uint8)[sites.statuses]


def write_sites(writer: ArrayWriter, parts: Iterable[Sites]) -> None:
    """Write the sites of all documents, of one stretch of them after the other."""
    written: _SiteWriter | None = None
    waiting = 0
    for sites in parts:
        if written is None and len(sites.latitudes):
            written = _SiteWriter(writer, waiting)
        if written is None:
            waiting += len(sites.offsets) - 1
        else:
            written.append(sites)
    if written is not None:
        written.finish()


class _SiteWriter:
    def __init__(self, writer: ArrayWriter, before: int) -> None:
        """`before`: documents without a site before all others."""
        self._writer = writer
        self._sizes = NarrowWriter(writer, "sites.sizes")
        self._sizes.append(np.zeros(before, np.uint8))
        self._numbers = NarrowWriter(writer, "sites.spots")
        self._statuses: list[npt.NDArray[np.uint8]] = []
        self._codes = _Codes()
        self._spots: dict[tuple[int, int, bool], int] = {}

    def append(self, sites: Sites) -> None:
        self._sizes.append(np.diff(sites.offsets))
        known = ~(np.isnan(sites.latitudes) | np.isnan(sites.longitudes))
        numbers = np.zeros(len(known), np.uint32)
        spots = zip(
            _units(sites.latitudes[known]),
            _units(sites.longitudes[known]),
            sites.looked_up[known].tolist(),
            strict=True,
        )
        numbers[known] = [self._spots.setdefault(spot, len(self._spots) + 1) for spot in spots]
        self._numbers.append(numbers)
        self._statuses.append(self._codes.renumbered(sites))

    def finish(self) -> None:
        self._sizes.finish()
        self._numbers.finish()
        spots = np.array([*self._spots], np.int64).reshape(-1, 3)
        self._writer.put("sites.latitudes", spots[:, 0].astype(np.int32))
        self._writer.put("sites.longitudes", spots[:, 1].astype(np.int32))
        self._writer.put("sites.looked_up", spots[:, 2].astype(np.uint8))
        if len(self._codes.codes) > 1:
            self._writer.put("sites.statuses", np.concatenate(self._statuses))
        codes = json.dumps(self._codes.codes, separators=(",", ":")).encode()
        self._writer.put("sites.codes", np.frombuffer(codes, np.uint8))


def _units(degrees: F64) -> list[int]:
    found: list[int] = np.rint(degrees * _UNITS).astype(np.int64).tolist()
    return found


def read_sites(file: ArrayFile, size: int) -> Sites:
    """Return the sites of so many documents; none has any if they were not written.

    Raises IndexDamaged where they are none that `write_sites` wrote.
    """
    if not file.has("sites.sizes"):
        return Sites.of([()] * size)
    sizes, numbers = Narrow(file, "sites.sizes"), Narrow(file, "sites.spots")
    offsets = starts_of(sizes[0 : len(sizes)])
    if len(sizes) != size or offsets[-1] != len(numbers):
        raise file.damaged("the sites of a document are not there")
    latitudes = _degrees(file, "sites.latitudes", _MOST_LATITUDE)
    longitudes = _degrees(file, "sites.longitudes", _MOST_LONGITUDE)
    looked_up = file.get("sites.looked_up", np.uint8)
    spots = numbers[0 : len(numbers)]
    if not len(latitudes) == len(longitudes) == len(looked_up) + 1 or (
        len(spots) and int(spots.max()) >= len(latitudes)
    ):
        raise file.damaged("the places of its sites do not fit together")
    codes = _read_codes(file)
    statuses = np.zeros(len(spots), np.uint8)
    if file.has("sites.statuses"):
        statuses = file.get("sites.statuses", np.uint8)
    if len(statuses) != len(spots) or (len(spots) and int(statuses.max()) >= len(codes)):
        raise file.damaged("the statuses of its sites do not fit together")
    flags = np.concatenate([np.zeros(1, np.bool_), looked_up != 0])
    return Sites(offsets, latitudes[spots], longitudes[spots], flags[spots], statuses, codes)


def _degrees(file: ArrayFile, name: str, most: int) -> F64:
    """Return the degrees of all spots, float64[spots + 1]; NaN for that of number 0."""
    units = file.get(name, np.int32)
    if len(units) and not -most <= int(units.min()) <= int(units.max()) <= most:
        raise file.damaged("a site lies nowhere on earth")
    # A division, not a product with 1e-7: so each is the float64 nearest to its decimal number.
    return np.concatenate([np.full(1, np.nan), units / _UNITS])


def _read_codes(file: ArrayFile) -> tuple[str, ...]:
    try:
        held: Any = json.loads(file.get("sites.codes", np.uint8).tobytes())
    except (ValueError, RecursionError) as error:
        raise file.damaged(f"the statuses of its sites cannot be read: {error}") from error
    sound = isinstance(held, list) and len(held) <= _MOST_CODES and held[:1] == [""]
    if not sound or not all(isinstance(code, str) for code in held):
        raise file.damaged("the statuses of its sites are no codes")
    return tuple(held)
