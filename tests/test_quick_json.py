"""JSON by orjson against the standard library's, at the edges where the two differ too."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trialindex.quick_json import dumps

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters())  # halves of surrogate pairs too
)
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below) | st.dictionaries(st.text(st.characters()), below), max_leaves=20
)


def loads(data: bytes) -> Any:
    return json.loads(data.decode("utf-8", "surrogatepass"))


def typed(value: Any) -> str:
    """A value by the types of its numbers, which `==` does not tell apart."""
    return ascii(value)


@given(VALUES)
@example({"count": 2**64, "low": -(2**63) - 1})
@example([1.0, 1, -0.0, 1e16, 1e22, 1e-7, 5e-324, 1.7976931348623157e308])
@example(["\ud83d", "\ud83d\ude00", "\x7f\x00\u2028", ":null", "[null"])
@example([math.inf, -math.inf, None, "null"])
def test_what_is_written_is_what_the_standard_library_reads(value: Any) -> None:
    assert typed(loads(dumps(value))) == typed(json.loads(json.dumps(value, ensure_ascii=False)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 2**64}, '{"a":18446744073709551616}'),
        ({"a": "\ud83d"}, '{"a":"\ud83d"}'),
        ({"\udc00": 1}, '{"\udc00":1}'),
        ([math.inf, -math.inf, None], "[Infinity,-Infinity,null]"),
        ({"a": math.nan}, '{"a":NaN}'),
        ({1: True}, '{"1":true}'),
        ({"a": "said null, twice:null"}, '{"a":"said null, twice:null"}'),
    ],
)
def test_what_one_refuses_or_changes_the_other_writes(value: Any, text: str) -> None:
    assert dumps(value) == text.encode("utf-8", "surrogatepass")


def test_what_lies_deep_is_written() -> None:
    value: Any = "leaf"
    for _ in range(400):
        value = [value]
    assert loads(dumps(value)) == value


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"a": {1, 2}})
