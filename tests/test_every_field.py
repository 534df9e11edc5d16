"""Every piece of the registry's table can be asked, on arrays: its value is found by its field alone.

The study is made from the table: each piece has a value of its type that no other has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small import make_index
from trialindex.codes import CODES
from trialindex.fields import FIELD_NUMBERS, FIELDS, PLACED
from trialindex.snapshot import Snapshot, open_snapshot
from trialindex.study_fields import StudyField, by_path, by_piece
from trialindex.verify import verify
from trialsearch.query import Code, Missing, Range
from trialsearch.selecting import SELECTED

_PIECES = by_piece()
_NUMBERS = {piece: number for number, piece in enumerate(_PIECES)}
_GIVEN = [piece for piece, entry in _PIECES.items() if not entry.search_only]
_CRITERIA = ("InclusionCriteria", "ExclusionCriteria", "OtherCriteria")
# What is no list in the registry's table, and how many there are in the study below.
_COUNTS = {"NumCollaboratorsPlusLead": 2, "NumOutcomes": 3, "NumEvents": 2}
# A text that means something to more than one field.
_FIXED = {"NCTId": "NCT00000001", "LocationCountry": "Chad"}


def word(piece: str) -> str:
    """Return a word that only this piece has; no ending of it is a plural."""
    high, low = divmod(_NUMBERS[piece], 26)
    return f"zq{chr(97 + high)}{chr(97 + low)}k"


def day(piece: str) -> date:
    return date(2001, 1, 1) + timedelta(days=400 * _NUMBERS[piece] % 9000)


def value(entry: StudyField) -> Any:
    """Return a value of a piece's type."""
    kind = FIELDS[entry.piece].kind
    if entry.piece in _FIXED:
        return _FIXED[entry.piece]
    if kind == "text":
        return word(entry.piece)
    if kind == "code":
        return CODES[entry.enum][0] if entry.enum else True
    if kind == "day":
        return day(entry.piece).isoformat()
    if kind == "point":
        return {"lat": 1.5, "lon": 2.5}
    number = 1000 + _NUMBERS[entry.piece]
    return f"{number} Days" if entry.type == "NormalizedTime" else number


def whole_study() -> dict[str, Any]:
    """Return a study with a value for each piece, one entry in each list."""
    made: dict[str, Any] = {}
    for piece in _GIVEN:
        entry = _PIECES[piece]
        if FIELDS[piece].kind == "structure":
            continue
        node, path = made, ""
        *above, last = entry.path.split(".")
        for step in above:
            path = f"{path}.{step}".lstrip(".")
            repeated = by_path()[path].repeated
            node = node.setdefault(step, [{}])[0] if repeated else node.setdefault(step, {})
        node[last] = [value(entry)] if entry.repeated else value(entry)
    return made


def bare_study(number: int) -> dict[str, Any]:
    return {"protocolSection": {"identificationModule": {"nctId": f"NCT0000000{number}"}}}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    folder = tmp_path_factory.mktemp("every") / "index"
    make_index(folder, [whole_study(), bare_study(2)])
    assert verify(folder) == []
    made = open_snapshot(folder)
    yield made
    made.close()


_ASKED_BY_ID = {"ProtocolSection", "IdentificationModule", "NCTId"}


@pytest.mark.parametrize("piece", list(_PIECES))
def test_presence_and_absence(snapshot: Snapshot, piece: str) -> None:
    expected = [True, piece in _ASKED_BY_ID]
    assert snapshot.having(piece).tolist() == expected
    assert SELECTED[Missing](snapshot, Missing(piece)).tolist() == [False, not expected[1]]


@pytest.mark.parametrize("piece", [piece for piece in _GIVEN if FIELDS[piece].kind == "text"])
def test_a_text_stands_in_its_field_alone(snapshot: Snapshot, piece: str) -> None:
    if piece in _FIXED:
        assert snapshot.frequency(_FIXED[piece].lower(), piece) == 1
        return
    fields = {PLACED[number] for number in snapshot.occurrences(word(piece)).fields.tolist()}
    assert fields <= {*_CRITERIA} if piece == "EligibilityCriteria" else fields == {piece}
    assert snapshot.postings(word(piece), piece).docs.tolist() == [0]
    assert snapshot.frequency(word("BriefTitle"), piece) == (piece == "BriefTitle")


@pytest.mark.parametrize("piece", [piece for piece in _PIECES if FIELDS[piece].kind == "code"])
def test_a_code_is_found_by_its_field(snapshot: Snapshot, piece: str) -> None:
    held = value(_PIECES[piece])
    code = "true" if held is True else held
    assert SELECTED[Code](snapshot, Code(piece, code)).tolist() == [True, False]
    assert SELECTED[Code](snapshot, Code(piece, "OTHER" if code != "OTHER" else "NA")).tolist() == [False] * 2
    # Its words have a place where an area asks them.
    assert (piece in FIELD_NUMBERS) == (piece in PLACED)


@pytest.mark.parametrize("piece", [piece for piece in _PIECES if FIELDS[piece].kind == "day"])
def test_a_day_is_found_by_its_field(snapshot: Snapshot, piece: str) -> None:
    own = day(piece)
    before, after = own - timedelta(days=1), own + timedelta(days=1)
    for low, high, found in (
        (own, own, True),
        (before, after, True),
        (after, None, False),
        (None, before, False),
    ):
        query = Range(piece, low and low.isoformat(), high and high.isoformat())
        assert SELECTED[Range](snapshot, query).tolist() == [found, False]
    lists = snapshot.number_lists(piece)
    assert lists.offsets.tolist() == [0, 1, 1] and lists.low.tolist() == [own.toordinal()]


def stated(piece: str) -> int:
    """Return the number of a piece: its own, or what the registry works out of the study."""
    if not _PIECES[piece].search_only:
        return 1000 + _NUMBERS[piece]
    if piece.endswith("Year"):
        return day(piece.replace("Year", "Date")).year
    return _COUNTS.get(piece, 1)


@pytest.mark.parametrize("piece", [piece for piece in _PIECES if FIELDS[piece].kind == "number"])
def test_a_number_is_found_by_its_field(snapshot: Snapshot, piece: str) -> None:
    number = stated(piece)
    ranges = [(number, number), (number - 1, None), (None, number), (number + 1, None), (None, number - 1)]
    for (low, high), found in zip(ranges, [True, True, True, False, False], strict=True):
        ends = [
            None if end is None else f"{end} days" if piece.endswith("Age") else str(end)
            for end in (low, high)
        ]
        assert SELECTED[Range](snapshot, Range(piece, *ends)).tolist() == [found, False]
    lists = snapshot.number_lists(piece)
    assert lists.low.tolist() == lists.high.tolist() == [number] and lists.offsets.tolist() == [0, 1, 1]
    if not FIELDS[piece].several:
        np.testing.assert_array_equal(snapshot.column(piece), [number, np.nan])


def test_the_code_of_a_country_is_that_of_its_site(snapshot: Snapshot) -> None:
    assert snapshot.frequency("td", "LocationCountryCode") == 1  # ISO 3166: Chad
    sites = snapshot.sites()
    assert sites.of_document(0) == [(1.5, 2.5, False, CODES["RecruitmentStatus"][0])]
    assert sites.of_document(1) == []


def test_several_numbers_and_days_are_met_where_any_is_inside(tmp_path: Path) -> None:
    """A trial with documents of 10 and 300 bytes of 2012 and May 2020 is in neither gap between them."""
    documents = [{"size": 300, "date": "2020-05"}, {"size": 10, "date": "2012"}, {"size": 10}]
    one = bare_study(1) | {"documentSection": {"largeDocumentModule": {"largeDocs": documents}}}
    index = make_index(tmp_path / "index", [bare_study(2), one])
    snapshot = open_snapshot(index)
    for low, high, found in (
        ("10", "10", True), ("200", "400", True), ("11", "299", False), (None, "9.5", False),
        ("9.5", "10.5", True), ("-20", "20", True), ("301", None, False),
    ):  # fmt: skip
        assert SELECTED[Range](snapshot, Range("LargeDocSize", low, high)).tolist() == [False, found]
    for low, high, found in (
        ("2012-07", "2012-07", True), ("2013", "2020-04-30", False), ("2020-05-31", None, True),
        ("2020-06", None, False), (None, "2011-12-31", False), (None, "2012-01-01", True),
    ):  # fmt: skip
        assert SELECTED[Range](snapshot, Range("LargeDocDate", low, high)).tolist() == [False, found]
    lists = snapshot.number_lists("LargeDocSize")
    assert lists.offsets.tolist() == [0, 0, 2] and lists.low.tolist() == [10, 300]
    snapshot.close()


def test_an_empty_list_and_an_empty_structure_hold_nothing(tmp_path: Path) -> None:
    study = bare_study(1) | {
        "resultsSection": {},
        "documentSection": {"largeDocumentModule": {"largeDocs": []}},
    }
    study["protocolSection"]["conditionsModule"] = {"conditions": [], "keywords": [" "]}
    snapshot = open_snapshot(make_index(tmp_path / "index", [study]))
    held = [piece for piece in _PIECES if snapshot.having(piece)[0]]
    snapshot.close()
    assert held == [
        "ProtocolSection", "IdentificationModule", "NCTId", "ConditionsModule", "Keyword", "NumKeywords",
        "DocumentSection", "LargeDocumentModule",
    ]  # fmt: skip


def test_a_word_of_citations_is_not_a_known_word(tmp_path: Path) -> None:
    from trialsearch.lexicon import IndexLexicon

    snapshot = open_snapshot(make_index(tmp_path / "index", [whole_study()]))
    lexicon = IndexLexicon(snapshot)
    for piece, known in (
        ("BriefTitle", 1), ("LocationContactName", 1), ("DetailedDescription", 1), ("ReferenceCitation", 0),
        ("OutcomeMeasurementValue", 0), ("EventGroupId", 0),
    ):  # fmt: skip
        assert lexicon.frequency(word(piece)) == known, piece
    snapshot.close()
