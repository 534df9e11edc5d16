"""One module of a stored study, cut out of its bytes: as the whole study has it, whatever the study holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.errors import IndexDamaged
from trialindex.modules import Modules
from trialindex.quick_json import loader
from trialindex.storage import pack

SECTIONS = ["protocolSection", "resultsSection", "derivedSection", "sourceSection", "annotationSection"]
MODULES = ["identificationModule", "statusModule", "designModule", "moreInfoModule"]
TEXTS = st.sampled_from(["Gout", '"statusModule":{"a":1}', 'Section":', "Sjögren", "\ud83d", "}}", "\\"])
PLAIN = st.dictionaries(st.sampled_from(["title", "phases", "}"]), TEXTS | st.lists(TEXTS, max_size=2))
# Modules in their place, and keys that look like theirs anywhere else.
ODD = st.dictionaries(st.sampled_from([*MODULES, *SECTIONS, "title"]), PLAIN | TEXTS, max_size=2)
STUDIES = st.dictionaries(
    st.sampled_from([*SECTIONS, "hasResults", "odd"]),
    st.dictionaries(st.sampled_from([*MODULES, "title"]), PLAIN | ODD, max_size=3) | st.booleans(),
)


@given(STUDIES, st.sampled_from([json.loads, loader(1_000)]))
def test_a_module_is_that_of_the_whole_study(study: dict[str, Any], loads: Any) -> None:
    cut = Modules(pack(study), loads)
    for section in SECTIONS:
        for module in MODULES:
            held = study.get(section)
            if isinstance(held, dict) and isinstance(held.get(module), dict):
                assert cut.parsed(section, module) == held[module]
                assert ("Gout" in str(held[module])) <= (b"Gout" in cut.raw(section, module))
            raw = cut.raw(section, module)
            assert raw == pack(study) or not raw or raw in pack(study)


def test_a_module_of_its_own_bytes() -> None:
    study = {
        "protocolSection": {"statusModule": {"a": 1}, "designModule": {"b": {"c": "é"}}},
        "resultsSection": {"moreInfoModule": {}},
        "hasResults": True,
        "derivedSection": {"miscInfoModule": {"d": 2}},
        "sourceSection": {"sources": [{"file": "a"}]},
    }
    cut = Modules(pack(study), json.loads)
    assert cut.raw("protocolSection", "statusModule") == b'{"a":1}'
    assert cut.raw("protocolSection", "designModule") == '{"b":{"c":"é"}}'.encode()
    assert cut.raw("resultsSection", "moreInfoModule") == b"{}"
    assert cut.raw("derivedSection", "miscInfoModule") == b'{"d":2}'
    assert cut.raw("derivedSection", "statusModule") == b""


def test_a_record_that_is_no_study() -> None:
    with pytest.raises(IndexDamaged, match="cannot be read"):
        Modules(b'{"protocolSection":{"statusModule":{"a":]}}', json.loads).parsed(
            "protocolSection", "statusModule"
        )
