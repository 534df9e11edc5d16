"""The shipped concepts hold what a reader of trials knows, and their text form loses nothing."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.analysis import normal_words
from trialindex.errors import SourceError
from trialindex.vocabulary.concepts import (
    KINDS,
    SHIPPED,
    SOURCES,
    Concept,
    Name,
    read_concepts,
    shipped_concepts,
    write_concepts,
)


@cache
def shipped() -> tuple[Concept, ...]:
    return tuple(shipped_concepts())


@cache
def by_name() -> dict[tuple[str, ...], list[Concept]]:
    found: dict[tuple[str, ...], list[Concept]] = defaultdict(list)
    for concept in shipped():
        for name in concept.names:
            found[normal_words(name.text)].append(concept)
    return found


@cache
def by_short() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for concept in shipped():
        for name in concept.abbreviations:
            found[name.text].add(concept.id)
    return found


def one(name: str, kind: str) -> Concept:
    """The one concept of a kind that has a full name."""
    [concept] = [concept for concept in by_name()[normal_words(name)] if concept.kind == kind]
    return concept


# --- the file as a whole


def test_ids_are_unique_and_ascend() -> None:
    ids = [concept.id for concept in shipped()]
    assert ids == sorted(set(ids))


def test_counts_and_size_are_in_range() -> None:
    kinds = Counter(concept.kind for concept in shipped())
    assert 40_000 <= len(shipped()) <= 60_000
    assert 20_000 <= kinds["condition"] <= 32_000
    assert 15_000 <= kinds["intervention"] <= 26_000
    assert 2_000 <= kinds["procedure"] <= 5_000
    assert 2_000 <= kinds["other"] <= 7_000
    assert 150_000 <= sum(len(concept.names) for concept in shipped()) <= 300_000
    assert SHIPPED.stat().st_size <= 3_000_000


def test_the_file_carries_neither_time_nor_name() -> None:
    head = SHIPPED.read_bytes()[:10]
    assert head[3:8] == b"\x00" * 5  # no flags, so no file name; the time is 0


def test_the_head_names_every_source_with_version_and_licence() -> None:
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        head = [line for line, _ in zip(lines, range(len(SOURCES) + 1), strict=False)]
    assert head[1:] == [f"# {s.letter}: {s.title}, {s.version} ({s.licence})\n" for s in SOURCES.values()]


def test_every_parent_is_a_concept_of_the_same_kind() -> None:
    kinds = {concept.id: concept.kind for concept in shipped()}
    wrong = [c.id for c in shipped() if any(kinds.get(parent) != c.kind for parent in c.parents)]
    assert wrong == []


def test_nothing_is_its_own_ancestor() -> None:
    left = {concept.id: set(concept.parents) for concept in shipped()}
    # Whoever has no parents left is taken away, until nobody is left or a cycle is.
    while roots := {identifier for identifier, parents in left.items() if not parents}:
        left = {
            identifier: parents - roots for identifier, parents in left.items() if identifier not in roots
        }
    assert left == {}


def test_a_full_name_belongs_to_one_concept_of_a_kind() -> None:
    twice = [
        (name, concepts[0].id, concepts[1].id)
        for name, concepts in by_name().items()
        if len({(c.kind, c.id) for c in concepts}) != len({c.kind for c in concepts})
    ]
    assert twice == []


def test_names_have_words_and_known_sources() -> None:
    assert () not in by_name()
    assert {n.source for c in shipped() for n in (*c.names, *c.abbreviations)} == set(SOURCES)


# --- what a reader of trials knows


@pytest.mark.parametrize(
    ("one_name", "other_name", "kind"),
    [
        ("Keytruda", "pembrolizumab", "intervention"),
        ("Nucala", "mepolizumab", "intervention"),
        ("Cytoxan", "cyclophosphamide", "intervention"),
        ("paracetamol", "acetaminophen", "intervention"),
        ("salbutamol", "albuterol", "intervention"),
        ("ciclosporin", "cyclosporine", "intervention"),
        ("abiraterone acetate", "abiraterone", "intervention"),
        (
            "umbilical cord mesenchymal stromal cells",
            "human umbilical cord mesenchymal stem cell",
            "intervention",
        ),
        ("mFOLFOX6", "FOLFOX", "intervention"),
        ("Lou Gehrig's disease", "amyotrophic lateral sclerosis", "condition"),
        ("Siemerling-Creutzfeldt disease", "adrenoleukodystrophy", "condition"),
        ("breast cancer", "Breast Neoplasms", "condition"),
        ("carcinoma of the breast", "malignant breast tumour", "condition"),
        ("heart attack", "myocardial infarction", "condition"),
        ("lupus nephritis", "lupus glomerulonephritis", "condition"),
        ("scleroderma", "systemic sclerosis", "condition"),
        ("mechanical ventilation", "artificial respiration", "procedure"),
        ("CT scan", "computed tomography", "procedure"),
        ("treatment as usual", "standard of care", "procedure"),
    ],
)
def test_two_names_of_one_thing(one_name: str, other_name: str, kind: str) -> None:
    assert one(one_name, kind).id == one(other_name, kind).id


@pytest.mark.parametrize(
    ("one_name", "other_name", "kind"),
    [
        ("prednisone", "prednisolone", "intervention"),
        ("azathioprine", "azacitidine", "intervention"),
        ("hydroxychloroquine", "chloroquine", "intervention"),
        ("systemic sclerosis", "multiple sclerosis", "condition"),
        ("branch retinal vein occlusion", "central retinal vein occlusion", "condition"),
        ("schizoaffective disorder", "psychotic disorders", "condition"),
        ("type 1 diabetes", "type 2 diabetes", "condition"),
        ("diabetes insipidus", "diabetes mellitus", "condition"),
        ("brain metastases", "brain neoplasms", "condition"),
        ("usual care", "no intervention", "procedure"),
    ],
)
def test_two_things(one_name: str, other_name: str, kind: str) -> None:
    assert one(one_name, kind).id != one(other_name, kind).id


def test_breast_cancer_is_the_concept_of_mesh() -> None:
    assert one("breast cancer", "condition").id == "D001943"
    assert one("breast carcinoma", "condition").id == "D001943"


@pytest.mark.parametrize(
    "name",
    ["pain", "obesity", "pregnancy", "aging", "depression", "anxiety", "smoking", "healthy volunteers"],
)
def test_what_trials_give_as_a_condition_is_one(name: str) -> None:
    assert one(name, "condition")


@pytest.mark.parametrize(
    "name", ["disease", "syndrome", "patients", "treatment", "drug", "water", "the syndrome"]
)
def test_generic_words_are_no_names(name: str) -> None:
    assert normal_words(name) not in by_name()


def test_a_brand_that_looks_like_a_disease_is_left_out() -> None:
    # Diabetal is carbutamide, and analysis makes it diabetes.
    assert {c.kind for c in by_name()[normal_words("diabetes")]} == {"condition"}


@pytest.mark.parametrize(
    ("short", "names"),
    [
        ("SLE", ["systemic lupus erythematosus"]),
        ("MS", ["multiple sclerosis", "mitral stenosis"]),
        ("CTX", ["cyclophosphamide"]),
        ("AZA", ["azathioprine", "azacitidine"]),
        ("HFrEF", ["heart failure with reduced ejection fraction"]),
        ("PE", ["pulmonary embolism", "preeclampsia"]),
        ("LN", ["lupus nephritis"]),
        ("rTMS", ["repetitive transcranial magnetic stimulation"]),
        ("MSC", ["mesenchymal stem cells"]),
        ("MMF", ["mycophenolate mofetil"]),
    ],
)
def test_short_forms_have_all_their_senses(short: str, names: list[str]) -> None:
    wanted = {c.id for name in names for c in by_name()[normal_words(name)]}
    assert wanted & by_short()[short]
    assert all({c.id for c in by_name()[normal_words(name)]} & by_short()[short] for name in names)


def test_short_forms_of_ontologies_are_long_and_spelt_out() -> None:
    short = [n.text for c in shipped() for n in c.abbreviations if n.source in {"mondo", "doid"}]
    assert short
    assert [text for text in short if len(text) < 4] == []


@pytest.mark.parametrize(
    ("short", "wrong"),
    [("MMF", "MMF deficiency"), ("TACE", "TNF alpha convertase"), ("CTX", "cerebrotendinous xanthomatosis")],
)
def test_wrong_senses_of_short_forms_are_absent(short: str, wrong: str) -> None:
    assert not {c.id for c in by_name()[normal_words(wrong)]} & by_short()[short]


def test_no_drug_hangs_under_a_pharmacological_action() -> None:
    # Adrenergic beta-Antagonists are a class of effects; propranolol hangs under its structure alone, and
    # under what the curated table says.
    assert one("propranolol", "intervention").parents
    assert one("Aspirin", "intervention").id == "D001241"
    assert "D000894" not in one("Aspirin", "intervention").parents


# --- the text form

_texts = st.text(st.characters(exclude_characters="\t\n\r|", exclude_categories=["Cs"]), min_size=1)
_own = st.text("abcdefghijklmnopqrstuvwxyz.-_", min_size=2)
_names = st.builds(Name, _texts, st.sampled_from(sorted(SOURCES)) | _own)
_ids = _texts.filter(lambda text: not text.startswith("#"))
_concepts = st.builds(
    Concept,
    _ids,
    st.sampled_from(KINDS),
    st.lists(_names, min_size=1).map(tuple),
    st.lists(_names).map(tuple),
    st.lists(_texts).map(tuple),
)


@given(st.lists(_concepts))
def test_text_form_round_trips(concepts: list[Concept]) -> None:
    assert list(read_concepts(write_concepts(concepts))) == concepts


def test_remarks_and_empty_lines_are_passed_over() -> None:
    assert list(read_concepts(["# m: MeSH\n", "\n", "X1\tother\tm:a name\t\t\n"])) == [
        Concept("X1", "other", (Name("a name", "mesh"),), (), ())
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X1\tother\tm:a", "3 columns, not 5"),
        ("X1\tthing\tm:a\t\t", "kind 'thing' is none of"),
        ("X1\tother\t\t\t", "an id and a name are needed"),
        ("\tother\tm:a\t\t", "an id and a name are needed"),
        ("X1\tother\ta name\t\t", "'a name' is no name"),
        ("X1\tother\tm:\t\t", "'m:' is no name"),
    ],
)
def test_a_bad_line_is_named(line: str, message: str) -> None:
    with pytest.raises(SourceError, match="line 2: ") as caught:
        list(read_concepts(["# remark", line]))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "concept",
    [
        Concept("X1", "other", (Name("a|b", "mesh"),), (), ()),
        Concept("X1", "other", (Name("a\tb", "mesh"),), (), ()),
        Concept("X1", "other", (Name("", "mesh"),), (), ()),
        Concept("X1", "other", (), (), ()),
        Concept("X1", "thing", (Name("a", "mesh"),), (), ()),
        Concept("#X1", "other", (Name("a", "mesh"),), (), ()),
        Concept("X1", "other", (Name("a", "m"),), (), ()),
        Concept("X1", "other", (Name("a", "my:file"),), (), ()),
        Concept("X1", "other", (Name("a", "mesh"),), (), ("",)),
    ],
)
def test_what_the_form_cannot_hold_is_refused(concept: Concept) -> None:
    with pytest.raises(ValueError, match=r"cannot stand|needs an id"):
        list(write_concepts([concept]))


def test_notice_names_every_source() -> None:
    root = Path(__file__).resolve().parent.parent
    notice = (root / "NOTICE").read_text("utf-8")
    for source in SOURCES.values():
        assert source.title.removesuffix(" of this project") in notice
    assert "Attribution 4.0" in notice
