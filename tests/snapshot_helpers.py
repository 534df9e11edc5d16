"""What tests of the storage share: random small corpora, tiny limits, and one snapshot against another.

Every study bears a `serial` beside its sections, which the index stores and nothing else sees: so a test
knows which of the versions that it wrote a document is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from plain_snapshot import PlainSnapshot
from small import study
from trialindex import verify as verifying
from trialindex.fields import FIELDS
from trialindex.segments import arrays, bounds, disk, merging, run
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.storage import Writer

AREAS = (
    *bounds.BOUNDED, "Everywhere", "LocationSearch", "IdSearch", "BasicSearch/headline", "BriefTitle",
    "Condition", "Phase", "LocationCity",
)  # fmt: skip
NAMES = tuple(field.name for field in FIELDS.values() if field.kind == "name")
CODES = tuple(field.name for field in FIELDS.values() if field.kind == "code")
NUMERIC = tuple(field for field in FIELDS.values() if field.kind in {"day", "number"})
NUMBERS = (
    "RecordDigest",
    *(field.name for field in NUMERIC if not field.several),
    *(f"{field.name}Last" for field in NUMERIC if field.kind == "day" and not field.several),
)

_WORDS = (
    "lupus", "lupus", "asthma", "IL-2", "il2", "TNF-alpha", "type", "II", "2", "0.5", "mg", "the", "of", "é",
    "Ω-3", "日本", "\U0001f489", "x" * 40, "COVID-19", "a", "b", "nephritis", "-", "(drug)",
)  # fmt: skip
_TEXT = st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join)
_TEXTS = st.lists(_TEXT, max_size=3)
_DATES = st.sampled_from(["2012-02", "2020-02-29", "1999", "nonsense"])
_PIECES = {
    "BriefTitle": _TEXT,
    "OfficialTitle": _TEXT,
    "Acronym": _TEXT,
    "BriefSummary": _TEXT,
    "DetailedDescription": _TEXT,
    "EligibilityCriteria": st.sampled_from(
        ["Inclusion Criteria:\n\n* lupus\n\nExclusion Criteria:\n\n* asthma", "adults with lupus", ""]
    ),
    "Condition": _TEXTS,
    "Keyword": _TEXTS,
    "InterventionName": st.lists(_TEXT, max_size=2),
    "LocationCity": st.lists(st.sampled_from(["Paris", "Köln", "New York"]), max_size=3),
    "LocationCountry": st.lists(st.sampled_from(["France", "Germany", "Türkiye", ""]), max_size=3),
    "Phase": st.lists(st.sampled_from(["PHASE1", "PHASE2", "EARLY_PHASE1"]), max_size=2),
    "LocationStatus": st.lists(st.sampled_from(["RECRUITING", "COMPLETED", "odd", None]), max_size=3),
    "LargeDocDate": st.lists(_DATES, max_size=3),
    "LargeDocSize": st.lists(st.sampled_from([7, 300, -5, 2**40, "many"]), max_size=3),
    "LocationPoint": st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "lat": st.floats(-91, 91) | st.sampled_from([48.85341, -90, "odd"]),
                "lon": st.floats(-181, 181) | st.sampled_from([2.3488, 180, None]),
            },
        ),
        max_size=4,
    ),
    "OverallStatus": st.sampled_from(["RECRUITING", "COMPLETED", "odd"]),
    "StartDate": _DATES,
    "CompletionDate": _DATES,
    "EnrollmentCount": st.sampled_from([0, 7, 300, 99999999, "many"]),
    "ReferenceCitation": st.lists(_TEXT, max_size=2),
    "OversightHasDMC": st.booleans(),
    "MinimumAge": st.sampled_from(["6 Months", "18 Years", "N/A"]),
    "NCTIdAlias": st.lists(st.integers(0, 9).map("NCT{:08d}".format), max_size=2),
}


def key_of(number: int) -> str:
    return f"NCT{number:08d}"


def made(number: int, serial: int, pieces: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study with the pieces that are not empty, and its serial."""
    stated = {name: value for name, value in pieces.items() if value not in ("", [])}
    return {**study(key_of(number), **stated), "serial": serial}


PIECES = st.fixed_dictionaries({}, optional=_PIECES)
# What a writer does: a number and pieces: put; a number and None: delete; else its method of that name.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 7), PIECES),
        st.tuples(st.integers(0, 7), PIECES),
        st.tuples(st.integers(0, 7), st.none()),
        st.sampled_from(["commit", "commit", "merge"]),
    ),
    max_size=14,
)


class HastyDisk(disk.Disk):
    """A disk that is not waited for: tests of what is written, and not of crashes, are over sooner."""

    def fsync(self, descriptor: int) -> None:
        pass

    def sync_folder(self, folder: Path) -> None:
        pass


@contextmanager
def tiny_limits() -> Iterator[None]:
    """Make lists fold, blocks fill and stretches end after a few entries; do not wait for the disk."""
    limits: list[tuple[Any, str, Any]] = [
        (bounds, "BOUND_FROM", 2), (bounds, "BLOCK", 2), (bounds, "_LONG", 3), (bounds, "_BEST", 2),
        (bounds, "LISTED_FROM", 1), (run, "_CHUNK", 3), (run, "_DRAIN", 2),
        (merging, "_CHUNK", 8), (merging, "_TERMS", 3),
        (arrays, "_CHUNK", 64), (disk, "DISK", HastyDisk()),
        (verifying, "_CHUNK", 5), (verifying, "_DOCUMENTS", 2),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in limits:
            patch.setattr(module, name, value)
        yield


class Model:
    """What an index should hold: the live versions by number, and all versions by serial."""

    def __init__(self) -> None:
        self.live: dict[int, int] = {}
        self.versions: list[dict[str, Any]] = []

    def step(self, writer: Writer, step: Any) -> None:
        """Do one of STEPS, to the writer and here."""
        if isinstance(step, str):
            getattr(writer, step)()
            return
        number, pieces = step
        if pieces is None:
            assert writer.delete(key_of(number)) is (number in self.live)
            self.live.pop(number, None)
            return
        self.live[number] = len(self.versions)
        self.versions.append(made(number, len(self.versions), pieces))
        writer.put(key_of(number), self.versions[-1])

    def check(self, folder: Path, areas: tuple[str, ...] = AREAS) -> None:
        """Assert that an index holds just this, and answers as plain dictionaries do."""
        snapshot = open_snapshot(folder)
        try:
            serials = [snapshot.study(doc)["serial"] for doc in range(snapshot.size)]
            live = {serials[doc] for doc in snapshot.docs().tolist()}
            assert live == set(self.live.values()) and len(live) == len(snapshot)
            deleted = set(range(snapshot.size)) - set(snapshot.docs().tolist())
            same(
                snapshot, PlainSnapshot([self.versions[serial] for serial in serials], deleted=deleted), areas
            )
        finally:
            snapshot.close()


def _equal(one: Any, other: Any, what: str) -> None:
    assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), (what, one, other)


def same(real: Snapshot, plain: PlainSnapshot, areas: tuple[str, ...] = AREAS) -> None:
    """Assert that two snapshots answer the same to all that the contract names."""
    assert (real.size, len(real)) == (plain.size, len(plain))
    assert (real.live is None) == (plain.live is None)
    if real.live is not None and plain.live is not None:
        _equal(real.live, plain.live, "live")
    _equal(real.docs(), plain.docs(), "docs")
    _same_documents(real, plain)
    _same_columns(real, plain)
    for area in areas:
        assert real.lengths(area).dtype == np.uint32 and real.norms(area).dtype == np.float32
        _equal(real.lengths(area), plain.lengths(area), f"lengths in {area}")
        np.testing.assert_allclose(real.norms(area), plain.norms(area), rtol=1e-6)
    terms = list(plain.terms())
    assert list(real.terms()) == terms
    for term, frequency in terms:
        assert real.anywhere(term) == frequency
        _same_places(real, plain, term)
        for area in areas:
            same_postings(real, plain, term, area)
    for prefix in {term[:length] for term, _ in terms for length in (1, 2)} | {"zzz", "\U0010ffff"}:
        assert list(real.terms(prefix)) == list(plain.terms(prefix))
    for term in ("", "zzz", "\ud800"):
        assert real.anywhere(term) == 0 == len(real.occurrences(term).docs)
        assert len(real.postings(term, "BasicSearch").docs) == 0 == real.frequency(term, "BriefTitle")


def _same_documents(real: Snapshot, plain: PlainSnapshot) -> None:
    every = np.arange(real.size, dtype=np.uint32)
    _equal(real.keys(every), plain.keys(every), "keys")
    _equal(real.keys(every[::-2]), plain.keys(every[::-2]), "some keys")
    for doc in range(real.size):
        assert real.key(doc) == plain.key(doc)
        assert real.study(doc) == plain.study(doc)
    for identifier in [*map(key_of, range(10)), "", "NCT", "\ud800", key_of(0) + "\0", key_of(1) + "x"]:
        assert real.find_key(identifier) == plain.find_key(identifier), identifier
        found, expected = real.find(identifier), plain.find(identifier)
        assert found == expected, identifier


def _same_columns(real: Snapshot, plain: PlainSnapshot) -> None:
    for field in NUMBERS:
        _equal(real.column(field), plain.column(field), field)
    for field in CODES:
        codes, expected = real.codes(field), plain.codes(field)
        assert codes.sets[0] == () and len(codes.ordinals) == real.size
        held = [codes.sets[ordinal] for ordinal in codes.ordinals.tolist()]
        assert held == [expected.sets[ordinal] for ordinal in expected.ordinals.tolist()], field
    for one in NUMERIC:
        lists = real.number_lists(one.name)
        for array, expected_array in zip(lists, plain.number_lists(one.name), strict=True):
            assert array.dtype == expected_array.dtype and not array.flags.writeable
            _equal(array, expected_array, one.name)
    for field in FIELDS:
        _equal(real.having(field), plain.having(field), f"having {field}")
    sites, expected_sites = real.sites(), plain.sites()
    for doc in range(real.size):
        assert sites.of_document(doc) == expected_sites.of_document(doc)
    for array, expected_array in zip(sites[:-1], expected_sites[:-1], strict=True):
        assert array.dtype == expected_array.dtype and not array.flags.writeable
    for field in NAMES:
        names = list(plain.names(field))
        assert list(real.names(field)) == names
        for name, _ in names:
            _equal(real.named(field, name), plain.named(field, name), name)
            assert list(real.names(field, name[:2])) == list(plain.names(field, name[:2]))
        assert len(real.named(field, "zzz")) == 0 and list(real.names(field, "zzz")) == []


def _same_places(real: Snapshot, plain: PlainSnapshot, term: str) -> None:
    every = np.arange(real.size, dtype=np.uint32)
    for docs in (None, every, every[:0], every[::2], every[1::3], every[-1:]):
        found, expected = real.occurrences(term, docs), plain.occurrences(term, docs)
        assert (found.docs.dtype, found.fields.dtype, found.positions.dtype) == (
            np.uint32, np.uint8, np.uint32,
        )  # fmt: skip
        _equal(found.docs, expected.docs, f"documents of {term}")
        _equal(found.fields, expected.fields, f"fields of {term}")
        _equal(found.positions, expected.positions, f"positions of {term}")


def same_postings(real: Snapshot, plain: PlainSnapshot, term: str, area: str) -> None:
    """Assert that two snapshots have the same list, and that the bounds of the real one's are bounds."""
    found, expected = real.postings(term, area), plain.postings(term, area)
    assert found.docs.dtype == np.uint32 and found.sums.dtype.kind == "u"
    _equal(found.docs, expected.docs, f"documents of {term} in {area}")
    _equal(found.sums, expected.sums, f"sums of {term} in {area}")
    assert real.frequency(term, area) == len(expected.docs)
    tf = found.sums / 100
    saturated = tf / (tf + real.norms(area)[found.docs].astype(np.float64))
    check_bounds(saturated, found)


def check_bounds(saturated: Any, found: Any) -> None:
    """Assert that what a list states of its saturated frequencies, float64[n], holds."""
    size = len(saturated)
    assert not size or found.highest >= saturated.max()
    if found.block_starts is None:
        assert found.block_highest is None and found.best is None
        return
    starts = found.block_starts.tolist()
    assert starts[0] == 0 and starts == sorted(set(starts)) and starts[-1] < size
    assert len(found.block_highest) == len(starts)
    for start, end, highest in zip(starts, [*starts[1:], size], found.block_highest.tolist(), strict=True):
        assert highest >= saturated[start:end].max()
    best = set(found.best.tolist())
    assert len(best) == len(found.best) and best <= set(range(size))
    others = [saturated[place] for place in range(size) if place not in best]
    assert len(best) >= min(size, bounds._BEST)
    assert not others or found.rest >= max(others)
