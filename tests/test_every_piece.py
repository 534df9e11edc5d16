"""Every piece of the study structure that can be downloaded can be asked: its value finds the one study that
has it, and so does not being MISSING, of the piece and of each structure around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry_oracle import Oracle
from small import full, make_index
from trialindex.codes import CODES
from trialindex.study_fields import StudyField, by_path, by_piece
from trialsearch import TrialSearch

# What stands in a piece of each type, and how it is asked.
_VALUES: dict[str, tuple[Any, str]] = {
    "text": ("Wombat", "wombat"),
    "text[]": (["Wombat"], "wombat"),
    "markup": ("A wombat", "wombat"),
    "boolean": (True, "true"),
    "NormalizedDate": ("2015-03-04", "2015-03-04"),
    "PartialDate": ("2015-03", "RANGE[2015-03-31, 2015-04-30]"),
    "DateTimeMinutes": ("2015-03-04T10:20", "2015-03-04"),
    "NormalizedTime": ("6 Months", "RANGE[5 months, 7 months]"),
    "integer": (42, "42"),
    "short": (42, "RANGE[42, 42]"),
    "long": (42, "42"),
    "number": (42, "42"),
    "GeoPoint": ({"lat": 10.0, "lon": 20.0}, "DISTANCE[10,20,1mi]"),
}
# An id is not free to be a word.
_IDS = {"NCTId": ("NCT10000000", "NCT10000000")}


def _value(entry: StudyField) -> tuple[Any, str] | None:
    """Return what stands in a piece and how it is asked; None of a structure."""
    if entry.enum is not None:
        code = CODES[entry.enum][0]
        return ([code] if entry.repeated else code), f"\\{code}" if code == "ALL" else code
    return _IDS.get(entry.piece) or _VALUES.get(entry.type)


def _study(number: int, entry: StudyField, value: Any) -> dict[str, Any]:
    """Return a study that has an id and one piece, in as many lists as lead to it."""
    study: dict[str, Any] = {"protocolSection": {"identificationModule": {"nctId": f"NCT{number:08}"}}}
    place, steps = study, entry.path.split(".")
    for depth, step in enumerate(steps[:-1], 1):
        above = by_path().get(".".join(steps[:depth]))
        if above is not None and above.repeated:
            place = place.setdefault(step, [{}])[0]
        else:
            place = place.setdefault(step, {})
    place[steps[-1]] = value
    return study


_ASKED = {entry.piece: _value(entry) for entry in by_piece().values() if not entry.search_only}
_VALUED = [piece for piece, value in _ASKED.items() if value is not None]
_STRUCTURES = [piece for piece, value in _ASKED.items() if value is None]
_ID_OF = {piece: f"NCT{number:08}" for number, piece in enumerate(_VALUED, 1)} | {"NCTId": "NCT10000000"}


def _studies() -> Iterator[dict[str, Any]]:
    for number, piece in enumerate(_VALUED, 1):
        value = _ASKED[piece]
        assert value is not None
        yield _study(number, by_piece()[piece], value[0])


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(_studies())


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialSearch]:
    with TrialSearch.open(make_index(tmp_path_factory.mktemp("pieces") / "index", _studies())) as opened:
        yield opened


@pytest.mark.parametrize("piece", _VALUED)
def test_a_value_finds_the_study_that_has_it(trials: TrialSearch, oracle: Oracle, piece: str) -> None:
    value = _ASKED[piece]
    assert value is not None
    expression = f"AREA[{piece}]{value[1]}"
    assert oracle.ids(expression) == {_ID_OF[piece]}
    assert full(trials.search(expression, limit=None)) == [_ID_OF[piece]]


@pytest.mark.parametrize("piece", [*_VALUED, *_STRUCTURES])
def test_missing_leaves_out_who_has_it(trials: TrialSearch, oracle: Oracle, piece: str) -> None:
    expression = f"NOT AREA[{piece}]MISSING"
    wanted = oracle.ids(expression)
    assert piece not in _ID_OF or _ID_OF[piece] in wanted
    assert sorted(full(trials.search(expression, limit=None))) == sorted(wanted)


def test_there_are_all_pieces() -> None:
    assert (len(_VALUED), len(_STRUCTURES)) == (342, 112)
    assert {by_piece()[piece].type.removesuffix("[]") for piece in _STRUCTURES}.isdisjoint(_VALUES)
