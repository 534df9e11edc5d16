"""The registry's own JSON: as it is, in each of its forms, and broken in each of the ways it breaks."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import FIXTURES, SHARED, needs_shared
from trialindex.formats import read_items
from trialindex.formats.ctgov_json import STATES, read, recognises
from trialindex.formats.files import SourceFile
from trialindex.formats.record import Item, Odd, Rejected, Skipped, SourceRecord
from trialindex.study_fields import by_path, values

EVERY: dict[str, Any] = json.loads((FIXTURES / "ctgov_json" / "every-field.json").read_text("utf-8"))
NO_STUDY = [Skipped("some.json", "JSON without a study of the registry's structure")]


def study(number: int, **more: Any) -> dict[str, Any]:
    return {"protocolSection": {"identificationModule": {"nctId": f"NCT{number:08d}"}}, **more}


def items(data: bytes | str, chunk: int = 1 << 16, longest: int = 1 << 20) -> list[Item]:
    held = data.encode() if isinstance(data, str) else data
    return list(read(SourceFile("some.json", lambda: io.BytesIO(held)), chunk, longest))


def studies(found: list[Item]) -> list[dict[str, Any]]:
    return [item.study for item in found if isinstance(item, SourceRecord)]


def rejected(found: list[Item]) -> list[tuple[int, str, str]]:
    return [(item.number, item.reason, item.raw) for item in found if isinstance(item, Rejected)]


ONE, TWO, THREE = study(1, hasResults=False), study(2, title="é \U0001f600"), study(3)
THREE_TIMES = [ONE, TWO, THREE]


def test_every_field_comes_through_as_it_is() -> None:
    (record,) = items(json.dumps(EVERY))
    assert record == SourceRecord(EVERY, "ctgov-json", "some.json", 1, ())
    assert STATES is None


def test_the_fixture_fills_every_field_of_the_table() -> None:
    leaves = [entry for entry in by_path().values() if not entry.search_only]
    assert [entry.piece for entry in leaves if not values(EVERY, entry.path)] == []


FORMS = {
    "array": json.dumps(THREE_TIMES),
    "pretty array": json.dumps(THREE_TIMES, indent=2, ensure_ascii=False),
    "page": json.dumps({"studies": THREE_TIMES, "nextPageToken": "a\\b"}),
    "pretty page": json.dumps({"totalCount": 3, "studies": THREE_TIMES}, indent=2),
    "page without a token": json.dumps({"nextPageToken": None, "studies": THREE_TIMES}),
    "lines": "\n".join(json.dumps(one) for one in THREE_TIMES),
    "pages a line": "\n".join(json.dumps({"studies": [one], "totalCount": 3}) for one in THREE_TIMES),
    "wrapped": json.dumps({"asked": "lupus", "studies": THREE_TIMES, "count": 3}),
    "sorted keys": "\r\n".join(json.dumps(one, sort_keys=True) for one in THREE_TIMES),
}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 50, 1 << 16])
@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_the_same_studies(form: str, chunk: int) -> None:
    found = items(FORMS[form], chunk)
    assert studies(found) == THREE_TIMES
    assert [item.number for item in found if not isinstance(item, Skipped)] == [1, 2, 3]
    assert recognises(FORMS[form][:60])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_encodings(encoding: str, chunk: int) -> None:
    assert studies(items(FORMS["pretty array"].encode(encoding), chunk)) == THREE_TIMES


def test_one_study_alone() -> None:
    assert studies(items(json.dumps(TWO))) == [TWO]


def test_bytes_that_are_no_utf8_are_noted_at_their_record() -> None:
    text = json.dumps([ONE, study(2, title="Sjögren")], ensure_ascii=False)
    first, second = items(text.encode("cp1252"))
    assert isinstance(first, SourceRecord) and isinstance(second, SourceRecord)
    assert first.odd == ()
    assert second.study["title"] == "Sjögren"
    assert second.odd == (Odd("encoding", "Sjögren", "not UTF-8: read as cp1252"),)


def test_half_a_surrogate_pair_can_be_written_later() -> None:
    (record,) = items(
        '{"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "acronym": "A\\uD800"}}}'
    )
    assert isinstance(record, SourceRecord)
    assert values(record.study, "protocolSection.identificationModule.acronym") == [
        "A\N{REPLACEMENT CHARACTER}"
    ]
    assert record.odd == (Odd("encoding", "A\N{REPLACEMENT CHARACTER}", "half a surrogate pair: replaced"),)
    json.dumps(record.study, ensure_ascii=False).encode()


def test_odd_values_and_an_odd_id_stay_and_are_noted() -> None:
    held = {
        "protocolSection": {
            "identificationModule": {"nctId": "NCT000001"},
            "statusModule": {"overallStatus": "Sleeping", "startDateStruct": {"date": "2012-02-30"}},
        }
    }
    (record,) = items(json.dumps(held))
    assert isinstance(record, SourceRecord)
    assert record.study == held
    assert record.odd == (
        Odd("NCTId", "NCT000001", "not NCT and eight digits"),
        Odd("OverallStatus", "Sleeping", "no code of Status"),
        Odd("StartDate", "2012-02-30", "not a date"),
    )


@pytest.mark.parametrize("nct_id", ['""', "null", "17", '" "', "[]"])
def test_a_study_without_an_id_is_set_aside_whole(nct_id: str) -> None:
    raw = f'{{"protocolSection":  {{"identificationModule": {{"nctId": {nct_id}}}}}}}'
    found = items(f"[{raw}, {json.dumps(TWO)}]")
    assert found[0] == Rejected("some.json", 1, "no nctId", raw, "NCTId")
    assert studies(found) == [TWO]


def test_elements_that_are_no_study() -> None:
    found = items(json.dumps([7, ONE, {"a": [1]}, "x", TWO]))
    reason = "no study: it has no protocolSection"
    assert rejected(found) == [(1, reason, "7"), (3, reason, '{"a": [1]}'), (4, reason, '"x"')]
    assert studies(found) == [ONE, TWO]
    assert [type(item).__name__ for item in found] == [
        "Rejected",
        "SourceRecord",
        "Rejected",
        "Rejected",
        "SourceRecord",
    ]


def test_many_values_before_the_first_study_cost_no_memory() -> None:
    found = items("[" + "7," * 1500 + json.dumps(ONE) + "]")
    assert len(rejected(found)) == 1001
    assert rejected(found)[-1] == (1001, "500 further values before the first study are no studies", "")
    assert studies(found) == [ONE]


BROKEN = {
    "a comma lost": '{"protocolSection": {"a": 1 "b": 2}}',
    "a quote lost": '{"protocolSection": {"a": "x, "b": "y"}}',
    "a bracket lost": '{"protocolSection": {"a": [1, 2}}',
    "a brace lost": '{"protocolSection": {"identificationModule": {"nctId": "NCT00000009"}}',
    "a line end in a text": '{"protocolSection": {"a": "x\ny"}}',
    "NaN": '{"protocolSection": {"a": NaN}}',
    "Infinity": '{"protocolSection": {"a": [-Infinity]}}',
    "a number without end": '{"protocolSection": {"a": ' + "9" * 5000 + "}}",
    "deep": '{"protocolSection": {"a": ' + "[" * 200_000 + "]" * 200_000 + "}}",
    "rather deep": '{"protocolSection": {"a": ' + "[" * 70 + "]" * 70 + "}}",
    "words": '{"protocolSection": {"a": maybe}}',
    "no object": '{"protocolSection": "gone"}',
}


@pytest.mark.parametrize("chunk", [61, 1 << 16])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_text_is_set_aside_whole_and_reading_goes_on(case: str, chunk: int) -> None:
    found = items(f"[{json.dumps(ONE)},\n{BROKEN[case]},\n{json.dumps(TWO)}, {json.dumps(THREE)}]", chunk)
    assert studies(found) == THREE_TIMES
    assert [(number, raw) for number, _, raw in rejected(found)] == [(2, BROKEN[case])]
    assert [item.number for item in found if isinstance(item, SourceRecord)] == [1, 3, 4]


def test_the_reason_says_where_and_what() -> None:
    cases = {"a comma lost": "at its character 29", "NaN": "NaN is no JSON number", "deep": "nested too deep"}
    for case, words in cases.items():
        ((_, reason, _),) = rejected(items(BROKEN[case]))
        assert words in reason
    ((_, reason, _),) = rejected(items(BROKEN["rather deep"]))
    assert reason == "nested over 60 deep"


def test_sixty_levels_are_not_too_deep() -> None:
    # The study itself is the first level, the innermost list the sixtieth.
    fits: Any = "x"
    for _ in range(59):
        fits = [fits]
    assert len(studies(items(json.dumps(study(1, a=fits))))) == 1
    assert studies(items(json.dumps(study(1, a=[fits])))) == []


def test_a_study_too_long_is_set_aside_in_pieces() -> None:
    long = json.dumps(study(9, a="x" * 50_000))
    found = items(f"[{json.dumps(ONE)},{long},{json.dumps(TWO)}]", chunk=1000, longest=10_000)
    assert studies(found) == [ONE, TWO]
    assert "".join(raw for _, _, raw in rejected(found)) == long


@pytest.mark.parametrize("form", ["array", "pretty page", "lines"])
def test_a_cut_at_every_byte_loses_nothing_that_was_whole(form: str) -> None:
    data = FORMS[form].encode()
    # Where each study's last brace stands: by its depth in the pretty form, by its text in the others.
    if form == "pretty page":
        ends = [place + len("\n    }") for place in range(len(data)) if data.startswith(b"\n    }", place)]
    else:
        ends = [data.index(json.dumps(one).encode()) + len(json.dumps(one)) for one in THREE_TIMES]
    assert len(ends) == 3
    list_end = data.find(b"]", ends[-1])
    for cut in range(len(data)):
        found = items(data[:cut], chunk=64)
        whole = sum(end <= cut for end in ends)
        assert studies(found) == THREE_TIMES[:whole]
        # A cut inside a list shows wherever it is, once a study shows what the list is of.
        if whole and cut <= list_end:
            assert len(rejected(found)) == 1, cut


def test_a_cut_between_studies_is_told() -> None:
    found = items(f"[{json.dumps(ONE)},")
    assert rejected(found) == [(2, "the file ends before its list does: it may be cut off", "")]
    assert rejected(items(json.dumps([ONE]))) == []


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"studies": []}', '{"a": 1}\n{"b": 2}', '[{"a": "cut', "[[[[[[", '["protocolSection"]'],
)
def test_json_of_something_else_is_skipped(text: str) -> None:
    assert items(text) == NO_STUDY


@pytest.mark.parametrize(
    "head", ["NCT Number,Title", "<xml>", "A page about [protocolSection]", "", "[1] Smith et al.", "{name}"]
)
def test_what_is_not_recognised(head: str) -> None:
    assert not recognises(head)


def test_a_file_that_starts_in_the_middle_of_a_study() -> None:
    text = f'odule": {{"nctId": "NCT00000007"}}}}, {json.dumps(ONE)}]'
    assert recognises(text)
    assert studies(items(text)) == [ONE]
    assert len(rejected(items(text))) == 1


_texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_keys = st.text('aé"\\{}[],:\n', max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=12,
)


def _zip(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


CONTAINERS = {
    "plain": lambda data: data,
    "gz": gzip.compress,
    "zip": lambda data: _zip("a.json", data),
    "zip in a zip": lambda data: _zip("inner.zip", _zip("deep/a.json", data)),
    "gz in a zip": lambda data: _zip("a.json.gz", gzip.compress(data)),
}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(json_values, min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(sorted(CONTAINERS)),
    st.booleans(),
    st.integers(1, 90),
)
def test_any_study_comes_through_any_container(
    parts: list[Any], pretty: bool, container: str, ascii_only: bool, chunk: int
) -> None:
    held = [study(number, extraSection=part) for number, part in enumerate(parts, 1)]
    text = json.dumps(held, indent=2 if pretty else None, ensure_ascii=ascii_only)
    assert studies(items(text, chunk)) == held
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "folder"
        folder.mkdir()
        (folder / "some.data").write_bytes(CONTAINERS[container](text.encode()))
        assert studies(list(read_items(folder))) == held
        assert studies(list(read_items(folder / "some.data"))) == held


@needs_shared
def test_the_real_downloads() -> None:
    found = list(read_items(SHARED / "ctgov-v2-downloads.zip"))
    assert rejected(found) == []
    assert len(studies(found)) == 438
    ids = {one["protocolSection"]["identificationModule"]["nctId"] for one in studies(found)}
    assert len(ids) == 438
    assert not any(item.odd for item in found if isinstance(item, SourceRecord))
