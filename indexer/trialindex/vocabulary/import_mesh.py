"""Medical Subject Headings: the descriptors as XML (`desc2024.xml`), and as a table without a head line.

The table's columns are id, name, entry terms (by bars) and tree numbers (by bars). All entry terms of a
descriptor are its names, those of its narrower concepts too, as in the registry's own index. What is above a
descriptor are those whose tree number is the one before the last dot of one of its own.

A document type is read past, as the files have one, but not where it defines something: that is the way to
entities. Nothing is fetched.

>>> import io
>>> file = SourceFile("mesh.tsv", lambda: io.BytesIO(
...     b"D001\\tDisease\\tIllness\\tC01\\nD002\\tLupus\\tSLE|Lupuses\\tC01.100|C17.300\\n"))
>>> for concept in read_table(file, Counter()):
...     print(concept.id, concept.kind, [name.text for name in concept.names], concept.parents)
D001 condition ['Disease', 'Illness'] ()
D002 condition ['Lupus', 'Lupuses'] ('D001',)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from lxml import etree

from trialindex.errors import SourceError
from trialindex.formats.files import SourceFile
from trialindex.vocabulary.concepts import Concept
from trialindex.vocabulary.import_rows import Names, lines

__all__ = ["read_table", "read_xml", "recognises_table", "recognises_xml"]

# The branches of the tree, as tree numbers begin, and the kind of what stands there. The first that any tree
# number of a descriptor begins with counts.
_BRANCHES = (
    ("C", "condition"), ("F03", "condition"), ("D", "intervention"), ("E", "procedure"),
    ("F04.754", "procedure"),
)  # fmt: skip
_ROOT = re.compile(r"<DescriptorRecordSet[\s>]")
_IDENTIFIER = re.compile(r"D\d{3,}")
_TREE_NUMBER = re.compile(r"[A-Z]\d\d(?:\.\d+)*")
# Bytes in which a descriptor ends; the longest has a tenth of a megabyte.
_LONGEST = 16 << 20
# How the lexicon of the Library marks abbreviations and acronyms.
_SHORT_TAGS = frozenset(("ABB", "ABX", "ACR", "ACX"))


class _Descriptor(NamedTuple):
    identifier: str
    names: list[str]
    short: list[str]
    trees: list[str]


def _kind(trees: list[str]) -> str:
    return next((kind for start, kind in _BRANCHES if any(tree.startswith(start) for tree in trees)), "other")


def _concepts(descriptors: list[_Descriptor], odd: Counter[str]) -> Iterator[Concept]:
    at = {tree: descriptor.identifier for descriptor in descriptors for tree in descriptor.trees}
    names = Names("mesh", odd)
    for descriptor in descriptors:
        above = (at.get(tree.rpartition(".")[0]) for tree in descriptor.trees)
        concept = names.concept(
            descriptor.identifier,
            _kind(descriptor.trees),
            descriptor.names,
            descriptor.short,
            [parent for parent in above if parent and parent != descriptor.identifier],
        )
        if concept is not None:
            yield concept


def recognises_xml(head: str) -> bool:
    """Whether a file that starts so holds descriptors as XML."""
    return head.lstrip("\ufeff \r\n\t").startswith("<") and _ROOT.search(head) is not None


def read_xml(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of descriptors as XML, read in a stream. Raises SourceError where the file is not
    well-formed, defines entities, or cannot be read to its end.
    """
    yield from _concepts(list(_records(file, odd)), odd)


class _Watched:
    """A stream of which no long stretch may pass without a descriptor: all of that would be in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.passed = 0  # bytes since the last descriptor

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.passed += len(data)
        if self.passed > _LONGEST:
            raise SourceError(f"over {_LONGEST >> 20} MB without a descriptor: check what the file is")
        return data


def _records(file: SourceFile, odd: Counter[str]) -> Iterator[_Descriptor]:
    with file.open() as stream:
        watched = _Watched(stream)
        try:
            read = etree.iterparse(
                watched,
                events=("end",),
                tag="DescriptorRecord",
                load_dtd=False,
                no_network=True,
                resolve_entities=False,
                remove_comments=True,
                remove_pis=True,
            )
            for number, (_, record) in enumerate(read):
                watched.passed = 0
                if not number:
                    _check_document_type(record, file.label)
                found = _descriptor(record)
                if found is None:
                    odd["a descriptor without an id"] += 1
                else:
                    yield found
                record.clear()
                while record.getprevious() is not None:  # what was read stays in memory otherwise
                    del record.getparent()[0]
        except etree.XMLSyntaxError as error:
            why = " ".join((error.msg or "").split())
            raise SourceError(
                f"{file.label}, line {error.lineno}: not well-formed XML ({why}): fetch the file again"
            ) from None


def _check_document_type(record: etree._Element, label: str) -> None:
    described: Any = record.getroottree().docinfo.internalDTD
    if described is not None and described.entities():
        raise SourceError(f"{label}: its document type defines entities, which are not read: remove them")


def _descriptor(record: etree._Element) -> _Descriptor | None:
    def texts(path: str) -> list[str]:
        return [element.text or "" for element in record.iterfind(path)]

    identifier = next(iter(texts("DescriptorUI")), "").strip()
    if not identifier:
        return None
    found = _Descriptor(identifier, texts("DescriptorName/String"), [], texts("TreeNumberList/TreeNumber"))
    for term in record.iterfind("ConceptList/Concept/TermList/Term"):
        marked = term.get("LexicalTag") in _SHORT_TAGS
        (found.short if marked else found.names).append(term.findtext("String") or "")
    return found


def recognises_table(head: str) -> bool:
    """Whether a file that starts so is a table of descriptors."""
    cells = head.partition("\n")[0].rstrip("\r").split("\t")
    return (
        len(cells) in (4, 5)
        and _IDENTIFIER.fullmatch(cells[0]) is not None
        and all(_TREE_NUMBER.fullmatch(tree) for tree in cells[3].split("|") if tree)
    )


def read_table(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of a table of descriptors. Raises SourceError where the file cannot be read to its
    end.
    """
    found: list[_Descriptor] = []
    for _, line in lines(file):
        cells = line.split("\t")
        if len(cells) < 4 or not _IDENTIFIER.fullmatch(cells[0]):
            odd["a row that is no descriptor"] += bool(line.strip())
            continue
        identifier, name, terms, trees = cells[:4]
        found.append(
            _Descriptor(
                identifier, [name, *terms.split("|")], [], [tree for tree in trees.split("|") if tree]
            )
        )
    yield from _concepts(found, odd)
