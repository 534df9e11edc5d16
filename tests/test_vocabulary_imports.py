"""Each format's file, written by hand with every field different, gives the concepts that it states."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from trialindex.errors import SourceError
from trialindex.formats.files import Limits
from trialindex.vocabulary.concepts import Concept, Name, write_concepts
from trialindex.vocabulary.imports import FORMATS, Reading, read_vocabulary_file


def concept(
    source: str,
    identifier: str,
    kind: str,
    names: list[str],
    short: list[str] | None = None,
    parents: list[str] | None = None,
) -> Concept:
    return Concept(
        identifier,
        kind,
        tuple(Name(name, source) for name in names),
        tuple(Name(name, source) for name in short or ()),
        tuple(parents or ()),
    )


MESH_XML = """<?xml version="1.0"?>
<!DOCTYPE DescriptorRecordSet SYSTEM "https://example.org/no-such-file.dtd">
<DescriptorRecordSet LanguageCode="eng">
<DescriptorRecord DescriptorClass="1">
  <DescriptorUI>D100</DescriptorUI>
  <DescriptorName><String>Hill Diseases</String></DescriptorName>
  <DateCreated><Year>1999</Year></DateCreated>
  <AllowableQualifiersList><AllowableQualifier><QualifierReferredTo><QualifierUI>Q000</QualifierUI>
    <QualifierName><String>blood</String></QualifierName></QualifierReferredTo></AllowableQualifier>
  </AllowableQualifiersList>
  <TreeNumberList><TreeNumber>C90</TreeNumber></TreeNumberList>
  <ConceptList><Concept PreferredConceptYN="Y"><ConceptUI>M1</ConceptUI>
    <ConceptName><String>Hill Diseases</String></ConceptName>
    <TermList><Term LexicalTag="NON"><TermUI>T1</TermUI><String>Hill Diseases</String></Term></TermList>
  </Concept></ConceptList>
</DescriptorRecord>
<!-- a remark -->
<DescriptorRecord>
  <DescriptorUI>D200</DescriptorUI>
  <DescriptorName><String>Valley Fever &amp; Cough</String></DescriptorName>
  <TreeNumberList><TreeNumber>C90.5</TreeNumber><TreeNumber>C91.7</TreeNumber></TreeNumberList>
  <ConceptList>
    <Concept PreferredConceptYN="Y"><TermList>
      <Term LexicalTag="NON"><String>Valley Fever &amp; Cough</String></Term>
      <Term LexicalTag="ABB"><String>Valf</String></Term>
    </TermList></Concept>
    <Concept PreferredConceptYN="N"><TermList>
      <Term LexicalTag="NON"><String>Meadow Fever</String></Term>
      <Term LexicalTag="NON"><String>VFC</String></Term>
    </TermList></Concept>
  </ConceptList>
</DescriptorRecord>
<DescriptorRecord>
  <DescriptorUI>D300</DescriptorUI>
  <DescriptorName><String>Hillin</String></DescriptorName>
  <TreeNumberList><TreeNumber>D02.1</TreeNumber></TreeNumberList>
</DescriptorRecord>
<DescriptorRecord><DescriptorName><String>Nameless</String></DescriptorName></DescriptorRecord>
<DescriptorRecord>
  <DescriptorUI>D400</DescriptorUI><DescriptorName><String>Seasons</String></DescriptorName>
</DescriptorRecord>
</DescriptorRecordSet>
"""
MESH = [
    concept("mesh", "D100", "condition", ["Hill Diseases"]),
    concept("mesh", "D200", "condition", ["Valley Fever & Cough", "Meadow Fever"], ["VFC", "Valf"], ["D100"]),
    concept("mesh", "D300", "intervention", ["Hillin"]),
    concept("mesh", "D400", "other", ["Seasons"]),
]
MESH_TABLE = """D100\tHill Diseases\t\tC90\t
D200\tValley Fever & Cough\tMeadow Fever|VFC\tC90.5|C91.7\t
M300\tno descriptor\t\tC1\t
D300\tHillin\t\tD02.1\t
D400\tSeasons\t\t\tx
D500\tHill Surgery\t\tE04.2|Z01\t
"""

OBO = r"""format-version: 1.2
data-version: 2024-01-01
ontology: mondo

[Term]
id: MONDO:1 {source="x"}
name: hill disease
def: "A disease of hills." [PMID:1]
comment: name: no name
synonym: "hills \"disease\", the" EXACT [DOID:9]
synonym: "HD" EXACT ABBREVIATION []
synonym: "HSD" EXACT []
synonym: "wide hill disease" BROAD []
synonym: "narrow hill disease" NARROW [X:1]
synonym: "like hill disease" RELATED []
synonym: broken
xref: DOID:9

[Term]
id: MONDO:2
name: valley fever
is_a: MONDO:1 {source="MONDO:r"} ! hill disease
is_a: MONDO:3 ! gone
relationship: has_part MONDO:1 ! hill disease

[Term]
id: MONDO:3
name: gone
is_obsolete: true

[Term]
id: UBERON:7
name: hill

[Term]
name: no id

[Typedef]
id: MONDO:99
name: has part
"""
ONTOLOGY = [
    concept("mondo", "MONDO:1", "condition", ["hill disease", 'hills "disease", the'], ["HSD", "HD"]),
    concept("mondo", "MONDO:2", "condition", ["valley fever"], [], ["MONDO:1", "MONDO:3"]),
]


def uri(identifier: str) -> str:
    return f"http://purl.obolibrary.org/obo/{identifier}"


def synonym(pred: str, text: str, **more: str) -> dict[str, str]:
    return {"pred": pred, "val": text} | more


GRAPHS: dict[str, Any] = {
    "meta": {"version": "1"},
    "graphs": [
        {
            "id": uri("mondo.json"),
            "nodes": [
                {
                    "id": uri("MONDO_1"),
                    "lbl": "hill disease",
                    "type": "CLASS",
                    "meta": {
                        "definition": {"val": "A disease of hills."},
                        "synonyms": [
                            synonym("hasExactSynonym", 'hills "disease", the', xrefs="DOID:9"),
                            synonym("hasExactSynonym", "HD", synonymType=uri("mondo#ABBREVIATION")),
                            synonym("hasExactSynonym", "HSD"),
                            synonym("hasBroadSynonym", "wide hill disease"),
                            synonym("hasRelatedSynonym", "like hill disease"),
                            "broken",
                        ],
                    },
                },
                {"id": uri("MONDO_2"), "lbl": "valley fever"},
                {"id": uri("MONDO_3"), "lbl": "gone", "meta": {"deprecated": True}},
                {"id": uri("MONDO_4"), "type": "CLASS"},
                {"id": uri("UBERON_7"), "lbl": "hill", "type": "CLASS"},
                {"id": uri("RO_1"), "lbl": "has part", "type": "PROPERTY"},
                {"lbl": "no id", "type": "CLASS"},
                7,
            ],
            "edges": [
                {"sub": uri("MONDO_2"), "pred": "is_a", "obj": uri("MONDO_1")},
                {"sub": uri("MONDO_2"), "pred": "is_a", "obj": uri("MONDO_3")},
                {"sub": uri("MONDO_1"), "pred": uri("RO_1"), "obj": uri("MONDO_2")},
            ],
        }
    ],
}
TERMS = [
    {
        "id": "1",
        "name": "hill disease",
        "namespace": "mondo",
        "synonyms": ['hills "disease", the', "HSD"],
        "relations": {"has_part": ["2"]},
        "xrefs": [{"id": "9", "namespace": "DOID"}],
    },
    {"id": "MONDO:2", "name": "valley fever", "namespace": "mondo", "relations": {"is_a": ["1", "MONDO:3"]}},
    {"name": "no id", "namespace": "mondo"},
    {"id": "5", "name": " ", "namespace": "mondo"},
    7,
]


def rrf(number: str, source: str, kind: str, text: str, language: str = "ENG", suppressed: str = "N") -> str:
    cells = [number, language, "", "", "", "", "", "A1", "", "", "", source, kind, "C1", text, "", suppressed]
    return "|".join([*cells, "4096", ""])


RXNORM = "\n".join(
    [
        rrf("10", "RXNORM", "IN", "hillin"),
        rrf("10", "MTHSPL", "SU", "HILLIN BASE"),
        rrf("10", "DRUGBANK", "SY", "Hillinum", language="LAT"),
        rrf("10", "USP", "PT", "old hillin", suppressed="O"),
        rrf("10", "VANDF", "CD", "HILLIN 5MG CODE"),
        rrf("11", "RXNORM", "PIN", "hillin hydrochloride"),
        rrf("20", "RXNORM", "IN", "valleyx"),
        rrf("30", "RXNORM", "MIN", "hillin / valleyx"),
        rrf("40", "RXNORM", "BN", "Hillbrand"),
        rrf("50", "RXNORM", "BN", "Duobrand"),
        rrf("60", "RXNORM", "BN", "Lonely"),
        rrf("70", "RXNORM", "SBDC", "hillin hydrochloride 500 MG [Hillbrand]"),
        rrf("71", "RXNORM", "SBDC", "hillin hydrochloride 1,000 MG [Hillbrand]"),
        rrf("72", "RXNORM", "SBDC", "hillin 0.5 MG/ML / valleyx 20 UNT/ML [Duobrand]"),
        rrf("80", "RXNORM", "SCD", "hillin 500 MG Oral Tablet"),
        "81|ENG|too few|",
        "",
    ]
)
DRUGS = [
    concept("rxnorm", "RXNORM:10", "intervention", ["hillin", "HILLIN BASE", "Hillbrand"]),
    concept("rxnorm", "RXNORM:11", "intervention", ["hillin hydrochloride"], [], ["RXNORM:10"]),
    concept("rxnorm", "RXNORM:20", "intervention", ["valleyx"]),
    concept("rxnorm", "RXNORM:30", "intervention", ["hillin / valleyx"], [], ["RXNORM:10", "RXNORM:20"]),
    concept("rxnorm", "RXNORM:50", "intervention", ["Duobrand"], [], ["RXNORM:10", "RXNORM:20"]),
    concept("rxnorm", "RXNORM:60", "intervention", ["Lonely"]),
]

DRUGBANK = """\ufeffDrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key
DB1,BIO1 | BT1,Hillin,100-00-1,UNII1,"Hillinum | [Leu1, Thr2]-hillin | HLN | hillin",KEY1
DB2,,Valleyx,,,,
,BIO3,no id,,,,
DB4,too few
DB5,,"   ",,,,
"""
PRODUCTS = (
    "ApplNo\tProductNo\tForm\tStrength\tReferenceDrug\tDrugName\tActiveIngredient\tReferenceStandard\r\n"
    "1\t001\tTABLET;ORAL\t500MG\t0\tHILLBRAND XR\tHILLIN HYDROCHLORIDE\t0\r\n"
    "2\t001\tTABLET;ORAL\t5MG\t0\tHILLIN\tHILLIN\t0\r\n"
    "3\t001\tTABLET;ORAL\t5MG\t0\tDUOBRAND\tVALLEYX SODIUM PHOSPHATE; HILLIN HYDROCHLORIDE\t0\r\n"
    "4\t001\tTABLET;ORAL\t5MG\t0\tVALLEYX\tHILLIN;VALLEYX\t0\r\n"
    "5\t001\tPOWDER\t1G\t0\tSALTINE\tSODIUM CHLORIDE\t0\r\n"
    "6\t001\tPOWDER\t1G\t0\tNOTHING\t;\t0\r\n"
    "7\ttoo few\r\n"
)
FDA = [
    concept("drugs-at-fda", "FDA:hillin", "intervention", ["hillin", "hillin hydrochloride", "Hillbrand XR"]),
    concept("drugs-at-fda", "FDA:valleyx", "intervention", ["valleyx", "valleyx sodium phosphate"]),
    concept("drugs-at-fda", "FDA:sodium-chloride", "intervention", ["sodium chloride", "Saltine"]),
    concept(
        "drugs-at-fda",
        "FDA:hillin/valleyx",
        "intervention",
        ["hillin / valleyx", "Duobrand"],
        [],
        ["FDA:hillin", "FDA:valleyx"],
    ),
]
PAIRS = """# of our own
Name\tOther name\tKind

HD\thill disease\tcondition
hd\tdisease of  hills\tillness
hillin\tHillbrand\tIntervention
valley fever\tmeadow fever
one alone
a\tb\tcondition\tand more
\tno name
"""
OWN = [
    concept("mine.tsv", "mine.tsv:hd", "condition", ["hill disease", "disease of hills"], ["HD"]),
    concept("mine.tsv", "mine.tsv:hillin", "intervention", ["hillin", "Hillbrand"]),
    concept("mine.tsv", "mine.tsv:valley-fever", "other", ["valley fever", "meadow fever"]),
]

# format -> name of the file, text, concepts, what is odd
CASES: dict[str, tuple[str, str, list[Concept], dict[str, int]]] = {
    "mesh": ("desc.xml", MESH_XML, MESH, {"a descriptor without an id": 1}),
    "mesh-table": (
        "mesh.tsv",
        MESH_TABLE,
        [
            MESH[0],
            MESH[1]._replace(abbreviations=MESH[1].abbreviations[:1]),
            *MESH[2:],
            concept("mesh", "D500", "procedure", ["Hill Surgery"]),
        ],
        {"a row that is no descriptor": 1},
    ),
    "obo": ("mondo.obo", OBO, ONTOLOGY, {"a synonym that is none": 1, "a term without an id": 1}),
    "obo-json": (
        "mondo.json",
        json.dumps(GRAPHS),
        ONTOLOGY,
        {"a term without an id": 1, "an element that is no object": 1},
    ),
    "terms-json": (
        "mondo.json",
        json.dumps(TERMS, indent=1),
        [ONTOLOGY[0]._replace(abbreviations=ONTOLOGY[0].abbreviations[:1]), ONTOLOGY[1]],
        {"a term without an id": 1, "an element that is no object": 1, "no name": 1},
    ),
    "rxnorm": ("RXNCONSO.RRF", RXNORM, DRUGS, {"a row of other columns": 1}),
    "drugbank": (
        "drugbank vocabulary.csv",
        DRUGBANK,
        [
            concept(
                "drugbank", "DB1", "intervention", ["Hillin", "Hillinum", "[Leu1, Thr2]-hillin"], ["HLN"]
            ),
            concept("drugbank", "DB2", "intervention", ["Valleyx"]),
        ],
        {"a row of other columns": 2, "no name": 1},
    ),
    "drugs-at-fda": ("Products.txt", PRODUCTS, FDA, {"a row of other columns": 1, "no ingredient": 1}),
    "concepts": ("own.tsv", "# a head\n" + "\n".join(write_concepts(ONTOLOGY)) + "\n", ONTOLOGY, {}),
    "names": ("mine.tsv", PAIRS, OWN, {"a row that is no two names and a kind": 3, "an unknown kind": 1}),
}
every_format = pytest.mark.parametrize("name", CASES)


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def put(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_every_format_has_a_case() -> None:
    assert CASES.keys() == FORMATS.keys()


@every_format
def test_a_file_gives_what_it_states(tmp_path: Path, name: str) -> None:
    file, text, concepts, odd = CASES[name]
    reading = read_vocabulary_file(put(tmp_path / file, text))
    assert isinstance(reading, Reading)
    assert list(reading) == concepts
    assert reading.formats == [name]
    assert dict(reading.odd) == odd


@every_format
def test_the_name_of_a_file_says_nothing(tmp_path: Path, name: str) -> None:
    _, text, concepts, _ = CASES[name]
    found = list(read_vocabulary_file(put(tmp_path / "download.bin", text)))
    assert [one.parents for one in found] == [one.parents for one in concepts]
    assert [one.preferred for one in found] == [one.preferred for one in concepts]


@every_format
def test_a_file_may_be_packed(tmp_path: Path, name: str) -> None:
    file, text, concepts, _ = CASES[name]
    packed = put(tmp_path / f"{file}.gz", gzip.compress(text.encode()))
    assert [one.names[0].text for one in read_vocabulary_file(packed)] == [one.preferred for one in concepts]
    packed = put(tmp_path / "a.zip", zipped(**{"README.txt": "Please read.", f"data/{file}": text}))
    reading = read_vocabulary_file(packed)
    assert list(reading) == concepts
    assert reading.formats == [name]


@every_format
def test_a_gzip_that_is_cut_off_is_said_to_be(tmp_path: Path, name: str) -> None:
    file, text, _, _ = CASES[name]
    whole = gzip.compress(text.encode(), compresslevel=0)
    with pytest.raises(SourceError, match=rf"{file}\.gz.*(cut off|not well-formed)"):
        list(read_vocabulary_file(put(tmp_path / f"{file}.gz", whole[:-30])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.data())
def test_a_damaged_file_ends_in_concepts_or_a_source_error(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    whole = CASES[name][1].encode()
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 40)))
    middle = data.draw(st.binary(max_size=6))
    path = put(tmp_path / "some.file", whole[:start] + middle + whole[stop:])
    try:
        reading = read_vocabulary_file(path)
        for one in reading:
            assert one.names[0].text
            list(write_concepts([one]))
    except SourceError as error:
        assert "some.file" in str(error) or str(error).startswith("concepts, line")
        assert "\n" not in str(error)
    except ValueError:  # the text form takes what it is given; the others give only what it can hold
        assert reading.formats == ["concepts"]


def test_of_an_archive_the_tables_beside_a_vocabulary_are_left_out(tmp_path: Path) -> None:
    archive = zipped(
        **{
            "Applications.txt": "Type\tName\nA\tB\n",
            "Products.txt": PRODUCTS,
            "prescribe/rrf/RXNCONSO.RRF": rrf("1", "RXNORM", "IN", "part of it"),
            "rrf/RXNCONSO.RRF": RXNORM,
        }
    )
    reading = read_vocabulary_file(put(tmp_path / "all.zip", archive))
    assert list(reading) == FDA + DRUGS
    assert reading.formats == ["drugs-at-fda", "rxnorm"]


def test_a_brand_with_different_contents_has_what_they_share(tmp_path: Path) -> None:
    rows = [
        rrf("1", "RXNORM", "IN", "hillin"),
        rrf("2", "RXNORM", "IN", "valleyx"),
        rrf("3", "RXNORM", "BN", "Mixed"),
        rrf("4", "RXNORM", "SBDC", "hillin 5 MG [Mixed]"),
        rrf("5", "RXNORM", "SBDC", "hillin 5 MG / valleyx 1 MG [Mixed]"),
        rrf("6", "RXNORM", "BN", "Other"),
        rrf("7", "RXNORM", "SBDC", "hillin 5 MG [Other]"),
        rrf("8", "RXNORM", "SBDC", "valleyx 5 MG [Other]"),
    ]
    found = {one.id: one for one in read_vocabulary_file(put(tmp_path / "x.rrf", "\n".join(rows)))}
    assert found["RXNORM:3"].parents == ("RXNORM:1",)
    assert found["RXNORM:6"].parents == ()


ENTITIES = '<!DOCTYPE DescriptorRecordSet [<!ENTITY a "Hill"><!ENTITY b SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.file: empty"),
        ("Dear all", "bad.file, line 1: no vocabulary in a known format: give MeSH XML"),
        ("{}", "no vocabulary in a known format"),
        ("<html><body>DescriptorRecordSet</body></html>", "no vocabulary in a known format"),
        ("BZh91AY", "a bzip2 file, which is not read here: unpack it first"),
        (ENTITIES + MESH_XML.partition(".dtd\">")[2], "bad.file: its document type defines entities"),
        (MESH_XML[:900], "bad.file, line 1[0-9]: not well-formed XML"),
        (MESH_XML.replace("</ConceptList>", "", 1), "bad.file, line 16: not well-formed .*fetch the file"),
        ("<DescriptorRecordSet></DescriptorRecordSet>", "bad.file: no concept in this mesh file"),
        (json.dumps(GRAPHS, indent=1).rpartition("]\n  }")[0], "line [0-9]+: the file ends in a list"),
        (json.dumps(GRAPHS).replace('"lbl": "gone"', '\n\n"lbl": gone'), "line 1: Expecting value: fetch"),
        ('{"graphs": []}', "no concept in this obo-json file"),
        ('[{"id": "1", "name": ' + "[" * 100_000, "nested too deep|Expecting"),
        ("format-version: 1.2\n", "no concept in this obo file"),
        ("format-version: 1.2\n[Term]\nid: X:1\n", r"no concept in this obo file \(no name\)"),
        (RXNORM.replace("|RXNORM|", "|OTHER|"), "no concept in this rxnorm file"),
        (DRUGBANK.partition("\n")[0], "no concept in this drugbank file"),
        (DRUGBANK + '"' + "x" * 200_000, "line [67]: no CSV .*field larger"),
        (PRODUCTS.partition("\n")[0], "no concept in this drugs-at-fda file"),
        ("a\tb\n" + "x" * 3_000_000, "bad.file, line 2: over 1048576 characters"),
        ("name\tother\n", "no concept in this names file"),
        ("X:1\tcondition\tmesh:Gout\t\t\nX:2\tcondition\n", "bad.file: concepts, line 2: 2 columns"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        list(read_vocabulary_file(put(tmp_path / "bad.file", text)))


def test_what_is_not_there_or_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file or folder 'none\.obo': check the path"):
        read_vocabulary_file(tmp_path / "none.obo")
    bomb = put(tmp_path / "bomb.gz", gzip.compress(b"a\tb\n" * 1_000_000))
    with pytest.raises(SourceError, match=r"bomb\.gz.* zip bomb"):
        list(read_vocabulary_file(bomb, Limits(ratio=20, free=1000)))
    with pytest.raises(SourceError, match="empty zip"):
        read_vocabulary_file(put(tmp_path / "x.zip", zipped()))


def test_xml_without_descriptors_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trialindex.vocabulary.import_mesh._LONGEST", 1 << 20)
    head, _, rest = MESH_XML.partition("<!-- a remark -->")
    path = put(tmp_path / "bad.xml", head + "<Other>x</Other>" * 100_000 + rest)
    with pytest.raises(SourceError, match=r"bad\.xml: over 1 MB without a descriptor"):
        list(read_vocabulary_file(path))
    path = put(tmp_path / "good.xml", head + "<Other>x</Other>" * 10_000 + rest)
    assert list(read_vocabulary_file(path)) == MESH


def test_ids_and_sources_can_be_written(tmp_path: Path) -> None:
    terms = "id: m:1\nname: gout\nis_a: #x\n\n[Term]\nid: m:2|3\nname: lupus\n"
    reading = read_vocabulary_file(put(tmp_path / "m", "format-version: 1.2\n\n[Term]\n" + terms))
    assert list(reading) == [concept("source-m", "m:1", "other", ["gout"])]
    assert dict(reading.odd) == {"an id that cannot be written": 1}


def test_names_are_bounded_and_clean(tmp_path: Path) -> None:
    rows = f"hill\x01disease\thill | disease\nhill disease\t{'x' * 201}\nhill disease\tSj\xf6gren\n"
    reading = read_vocabulary_file(put(tmp_path / "mine.tsv", rows.encode("latin-1")))
    [one, other] = reading
    assert [name.text for name in one.names] == ["hill disease"]
    assert [name.text for name in other.names] == ["hill disease", "Sjögren"]
    assert dict(reading.odd) == {"a name of over 200 characters": 1}


@needs_shared
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("mesh-descriptors.tsv.gz", 30_764),
        ("disease-ontology.json.gz", 11_454),
        ("mondo.json.gz", 23_964),
    ],
)
def test_real_files_come_whole(file: str, count: int) -> None:
    found = list(read_vocabulary_file(SHARED / "vocab" / file))
    assert len(found) == len({one.id for one in found}) == count
