"""Sites come back to the last decimal, in the order of the record; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segment_helpers import hurt
from trialindex.errors import IndexDamaged
from trialindex.segments.arrays import ArrayFile, ArrayWriter
from trialindex.segments.sites import Sites, read_sites, write_sites

repeated = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
Held = tuple[float | None, float | None, bool, str]

# Degrees as a document has them: to seven decimals.
latitudes = st.floats(-90, 90).map(lambda degrees: round(degrees, 7))
longitudes = st.floats(-180, 180).map(lambda degrees: round(degrees, 7))
statuses = st.sampled_from(["", "RECRUITING", "COMPLETED", "\ud800"])
site = st.tuples(latitudes, longitudes, st.booleans(), statuses) | st.tuples(
    st.none(), st.none(), st.just(False), statuses
)
documents = st.lists(st.lists(site, max_size=3), max_size=6)


def listed(sites: Sites) -> list[list[Held]]:
    return [sites.of_document(doc) for doc in range(len(sites.offsets) - 1)]


def at(latitude: float, longitude: float) -> Held:
    return latitude, longitude, False, ""


@repeated
@given(parts=st.lists(documents, max_size=3))
@example(parts=[[[at(90.0, 180.0), at(-90.0, -180.0)], [], [at(48.85341, 2.3488), at(1e-7, -1e-7)]]])
@example(parts=[[[]], [[(None, None, False, "COMPLETED")]], [[(1.5, 2.5, True, "RECRUITING")]]])
def test_sites_come_back_to_the_last_decimal(tmp_path: Path, parts: list[list[list[Held]]]) -> None:
    held = [sites for part in parts for sites in part]
    with ArrayWriter(tmp_path / "x.seg") as writer:
        write_sites(writer, map(Sites.of, parts))
    file = ArrayFile(tmp_path / "x.seg")
    found = read_sites(file, len(held))
    assert listed(found) == held == listed(Sites.joined([Sites.of(part) for part in parts]))
    dtypes = [np.int64, np.float64, np.float64, np.bool_, np.uint8]
    assert [array.dtype for array in found[:-1]] == dtypes
    assert found.status_codes[0] == "" and (any(held) or file.names() == [])


def test_places_are_ten_millionths_of_a_degree_and_stand_once(tmp_path: Path) -> None:
    paris, looked_up = at(48.85341, 2.3488), (48.85341, 2.3488, True, "")
    nowhere = (None, None, False, "COMPLETED")
    with ArrayWriter(tmp_path / "x.seg") as writer:
        write_sites(writer, [Sites.of([[], [paris, nowhere, paris], [at(0.00000014, -180.0), looked_up]])])
    file = ArrayFile(tmp_path / "x.seg")
    assert file.get("sites.sizes").tolist() == [0, 3, 2]
    assert file.get("sites.spots").tolist() == [1, 0, 1, 2, 3]
    assert file.get("sites.latitudes").tolist() == [488_534_100, 1, 488_534_100]
    assert file.get("sites.longitudes").tolist() == [23_488_000, -1_800_000_000, 23_488_000]
    assert file.get("sites.looked_up").tolist() == [0, 0, 1]
    assert file.get("sites.statuses").tolist() == [0, 1, 0, 0, 0]
    assert file.get("sites.codes").tobytes() == b'["","COMPLETED"]'


def test_a_status_too_many_is_none() -> None:
    held = [[(None, None, False, f"S{number}") for number in range(300)]]
    sites = Sites.of(held)
    assert [site[3] for site in sites.of_document(0)] == [
        *(f"S{number}" for number in range(255)), *[""] * 45
    ]  # fmt: skip


@repeated
@given(held=st.lists(st.tuples(st.lists(site, max_size=3), st.booleans()), max_size=8))
def test_kept_sites_are_those_of_the_kept_documents(held: list[tuple[list[Held], bool]]) -> None:
    sites = Sites.of([held for held, _ in held])
    kept = sites.kept(np.array([keep for _, keep in held], np.bool_))
    assert listed(kept) == [sites for sites, keep in held if keep]


def written(path: Path) -> ArrayFile:
    """Write three sites of two documents."""
    held: list[list[Held]] = [[(1.5, 2.5, False, "COMPLETED"), (None, None, False, "")], [at(3.5, 4.5)]]
    with ArrayWriter(path) as writer:
        write_sites(writer, [Sites.of(held)])
    return ArrayFile(path)


@pytest.mark.parametrize(
    ("name", "array", "why"),
    [
        ("sites.sizes", np.array([2], np.uint8), "sites of a document are not there"),
        ("sites.sizes", np.array([2, 1, 0], np.uint8), "sites of a document are not there"),
        ("sites.sizes", np.array([2, 2], np.uint8), "sites of a document are not there"),
        ("sites.sizes", np.array([2, 1], np.uint16), "is of uint16"),
        ("sites.spots", np.array([1, 0], np.uint8), "sites of a document are not there"),
        ("sites.spots", np.array([1, 0, 3], np.uint8), "places of its sites do not fit"),
        ("sites.latitudes", np.array([1], np.int32), "places of its sites do not fit"),
        ("sites.latitudes", np.array([1, 900_000_001], np.int32), "nowhere on earth"),
        ("sites.latitudes", np.array([-(2**31), 1], np.int32), "nowhere on earth"),
        ("sites.longitudes", np.array([1_800_000_001, 1], np.int32), "nowhere on earth"),
        ("sites.longitudes", np.array([1, -1_800_000_001], np.int32), "nowhere on earth"),
        ("sites.looked_up", np.array([0], np.uint8), "places of its sites do not fit"),
        ("sites.statuses", np.array([0, 0], np.uint8), "statuses of its sites do not fit"),
        ("sites.statuses", np.array([0, 0, 2], np.uint8), "statuses of its sites do not fit"),
        ("sites.codes", np.frombuffer(b"[", np.uint8), "cannot be read"),
        ("sites.codes", np.frombuffer(b'["COMPLETED"]', np.uint8), "are no codes"),
        ("sites.codes", np.frombuffer(b'["",1]', np.uint8), "are no codes"),
        ("sites.codes", np.frombuffer(b"{}", np.uint8), "are no codes"),
        ("sites.codes", np.frombuffer(b"[" * 99_999, np.uint8), "cannot be read"),
        ("sites.codes", None, "no array 'sites.codes'"),
        ("sites.spots", None, "no array 'sites.spots'"),
        ("sites.longitudes", None, "no array 'sites.longitudes'"),
    ],
)
def test_sites_that_do_not_fit_are_refused(tmp_path: Path, name: str, array: Any, why: str) -> None:
    file = written(tmp_path / "x.seg")
    with ArrayWriter(tmp_path / "y.seg") as writer:
        for other in file.names():
            if other != name:
                writer.put(other, file.get(other))
            elif array is not None:
                writer.put(other, array)
    with pytest.raises(IndexDamaged, match=rf"y\.seg is damaged \(.*{why}"):
        read_sites(ArrayFile(tmp_path / "y.seg"), 2)


def test_every_flip_and_every_truncation_ends_well(tmp_path: Path) -> None:
    written(tmp_path / "x.seg")
    hurt(tmp_path / "x.seg", lambda file: listed(read_sites(file, 2)))
