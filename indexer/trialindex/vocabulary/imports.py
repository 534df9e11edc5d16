"""Vocabulary files that others publish, as concepts, whatever the format.

| format | what | where it is found |
|---|---|---|
| `mesh` | descriptors as XML, desc2024.xml | National Library of Medicine |
| `mesh-table` | descriptors as a table: id, name, terms, tree numbers | |
| `obo`, `obo-json` | MONDO, DOID, HPO and others in OBO, as OBO graphs | OBO Foundry |
| `terms-json` | an ontology as a JSON list of terms | |
| `rxnorm` | RXNCONSO.RRF | National Library of Medicine, with a licence |
| `drugbank` | drugbank vocabulary.csv | DrugBank, open data |
| `drugs-at-fda` | Products.txt | Food and Drug Administration |
| `concepts` | the text form of concepts | this project |
| `names` | a table of one's own: name, other name, and perhaps a kind | |

A file is recognised by what stands in it. It may be plain, gzipped or in a zip; of the files of an archive or
a folder those are read that are in one of these formats, tables of one's own only where there is no other.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> path = Path(folder.name) / "mine.tsv"
>>> _ = path.write_text("lupus nephritis\\tLN\\ntoo few\\n")
>>> reading = read_vocabulary_file(path)
>>> [concept.preferred for concept in reading], reading.formats, dict(reading.odd)
(['lupus nephritis'], ['names'], {'a row that is no two names and a kind': 1})
>>> _ = path.write_text("Dear all, please find the list attached.")
>>> read_vocabulary_file(path)
Traceback (most recent call last):
    ...
trialindex.errors.SourceError: mine.tsv, line 1: no vocabulary in a known format: give MeSH XML, OBO, OBO \
graphs, RXNCONSO.RRF, DrugBank's CSV, Products.txt, or a table of name, tab, other name
>>> folder.cleanup()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, cast

from trialindex.errors import SourceError
from trialindex.formats.files import LIMITS, Limits, SourceFile, decode, os_reason, walk
from trialindex.formats.record import Rejected
from trialindex.vocabulary.concepts import Concept

__all__ = ["FORMATS", "Reading", "read_vocabulary_file"]

# Format -> its module, and what its functions there are called after `recognises_` and `read_`. In the order
# of trying: what may be anything comes last.
FORMATS = {
    "mesh": ("import_mesh", "xml"),
    "obo-json": ("import_ontologies", "graphs"),
    "terms-json": ("import_ontologies", "terms"),
    "obo": ("import_ontologies", "obo"),
    "rxnorm": ("import_drugs", "rxnorm"),
    "drugbank": ("import_drugs", "drugbank"),
    "drugs-at-fda": ("import_drugs", "products"),
    "mesh-table": ("import_mesh", "table"),
    "concepts": ("import_tables", "own"),
    "names": ("import_tables", "pairs"),
}
# A format that the notes beside a vocabulary may look like.
_ANYTHING = "names"
_HEAD = 1 << 16
_REMEDY = (
    "give MeSH XML, OBO, OBO graphs, RXNCONSO.RRF, DrugBank's CSV, Products.txt, or a table of name, tab,"
    " other name"
)


class _Known(NamedTuple):
    """A file and the format that it is in."""

    file: SourceFile
    format: str


class Reading(Iterator[Concept]):
    """The concepts of a vocabulary file, read as they are asked for.

    Attributes: `formats`, those of the files that are read; `odd`, what was passed over so far: reason ->
    how often.
    """

    def __init__(self, files: list[_Known]) -> None:
        self.formats = list(dict.fromkeys(known.format for known in files))
        self.odd: Counter[str] = Counter()
        self._concepts = self._read(files)

    def __next__(self) -> Concept:
        return next(self._concepts)

    def _read(self, files: list[_Known]) -> Iterator[Concept]:
        for file, name in files:
            count = 0
            try:
                for concept in _reader(name)(file, self.odd):
                    count += 1
                    yield concept
            except SourceError as error:
                where = "" if str(error).startswith(file.label) else f"{file.label}: "
                raise SourceError(f"{where}{error}") from None
            except OSError as error:
                raise SourceError(f"{file.label}: {os_reason(error)}: check the file") from None
            if not count:
                why = ", ".join(self.odd) or "it has a head and no rows"
                raise SourceError(f"{file.label}: no concept in this {name} file ({why}): fetch it again")


def read_vocabulary_file(path: Path, limits: Limits = LIMITS) -> Reading:
    """Return the concepts of a vocabulary file, an archive or a folder; what cannot be used is counted.

    Raises SourceError at once for a path that does not exist, cannot be unpacked, or holds no vocabulary in a
    known format, and while reading for a file that is broken.
    """
    found: list[_Known] = []
    faults: list[str] = []
    for file in walk(Path(path), limits):
        if isinstance(file, SourceFile):
            known = _recognised(file)
            if known:
                found.append(_Known(file, known))
        elif isinstance(file, Rejected):
            faults.append(f"{file.file}: {file.reason}: fetch the file again")
        else:
            faults.append(f"{file.file}: {file.reason}")
    chosen = _chosen(found)
    if not chosen:
        raise SourceError(
            faults[0] if faults else f"{Path(path).name}, line 1: no vocabulary in a known format: {_REMEDY}"
        )
    return Reading(chosen)


def _chosen(found: list[_Known]) -> list[_Known]:
    """Return the files to read: tables of one's own only where there is nothing else, and of files with the
    same name the one that lies least deep, as archives hold parts of a table in folders below it.
    """
    certain = [known for known in found if known.format != _ANYTHING]
    chosen: dict[str, _Known] = {}
    for known in certain or found:
        name = known.file.label.rpartition("/")[2]
        held = chosen.get(name)
        if held is None or known.file.label.count("/") < held.file.label.count("/"):
            chosen[name] = known
    return list(chosen.values())


def _recognised(file: SourceFile) -> str | None:
    """Return the format of a file, None where it is in none. Raises SourceError where it cannot be read."""
    try:
        with file.open() as stream:
            head = decode(stream.read(_HEAD))[0]
    except SourceError as error:
        raise SourceError(f"{file.label}: {error}: fetch the file again") from None
    except OSError as error:
        raise SourceError(f"{file.label}: {os_reason(error)}: check the file") from None
    return next((name for name in FORMATS if _recogniser(name)(head)), None)


def _recogniser(name: str) -> Callable[[str], bool]:
    return cast(Callable[[str], bool], _function("recognises", name))


def _reader(name: str) -> Callable[[SourceFile, Counter[str]], Iterator[Concept]]:
    return cast(Callable[[SourceFile, Counter[str]], Iterator[Concept]], _function("read", name))


def _function(what: str, name: str) -> object:
    module, suffix = FORMATS[name]
    return getattr(import_module(f"{__package__}.{module}"), f"{what}_{suffix}")
