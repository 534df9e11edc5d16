r"""Ontologies of diseases and drugs: OBO, OBO graphs as JSON, and plain lists of terms as JSON.

Full names are the label and the exact synonyms; broader, narrower and related ones name something else. What
an ontology takes over from another, to refer to it, is left out: its own ids have the prefix that most have.

>>> import io
>>> text = '''format-version: 1.2
...
... [Term]
... id: MONDO:0000001
... name: disease
...
... [Term]
... id: MONDO:0005556
... name: lupus nephritis
... synonym: "glomerulonephritis in lupus" EXACT []
... synonym: "kidney disease" BROAD []
... synonym: "LN" EXACT ABBREVIATION []
... is_a: MONDO:0000001 ! disease
... '''
>>> file = SourceFile("mondo.obo", lambda: io.BytesIO(text.encode()))
>>> [_, nephritis] = read_obo(file, Counter())
>>> nephritis.kind, [name.text for name in nephritis.names], nephritis.abbreviations, nephritis.parents
... # doctest: +NORMALIZE_WHITESPACE
('condition', ['lupus nephritis', 'glomerulonephritis in lupus'], (Name(text='LN', source='mondo'),),
 ('MONDO:0000001',))
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from trialindex.errors import SourceError
from trialindex.formats.files import SourceFile, TextStream, repair
from trialindex.vocabulary.concepts import Concept
from trialindex.vocabulary.import_rows import Names, lines

__all__ = [
    "read_graphs", "read_obo", "read_terms", "recognises_graphs", "recognises_obo", "recognises_terms",
]  # fmt: skip

# Prefix of ids -> the kind of what they stand for.
_KINDS = {
    "MONDO": "condition", "DOID": "condition", "HP": "condition", "ORPHANET": "condition",
    "OMIM": "condition", "MP": "condition", "CHEBI": "intervention", "DRON": "intervention",
    "MAXO": "procedure",
}  # fmt: skip
_OBO_HEAD = re.compile(r"(?:[^\n]*\n){0,3}format-version:|(?s:.*?)^\[Term\]\s*$", re.MULTILINE)
_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(\w+)?\s*([^\s\[]+)?\s*\[')
_ESCAPE = re.compile(r"\\(.)")
_URI = re.compile(r".*[/#]([A-Za-z]+)_(\w+)")
# How sources mark a synonym as an abbreviation; the last is the id of that in the OBO metadata ontology.
_ABBREVIATIONS = ("abbreviation", "acronym", "omo_0003000")
_OBSOLETE = "true"


class _Term(NamedTuple):
    identifier: str
    names: list[str]
    short: list[str]
    parents: list[str]


def _is_short(marked: str) -> bool:
    return marked.lower().endswith(_ABBREVIATIONS)


def _prefix(identifier: str) -> str:
    return identifier.partition(":")[0].upper()


def _concepts(terms: list[_Term], odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of the ontology's own terms."""
    if not terms:
        return
    [(own, _)] = Counter(_prefix(term.identifier) for term in terms).most_common(1)
    names = Names(re.sub(r"[^a-z0-9]+", "-", own.lower()), odd)
    for term in terms:
        if _prefix(term.identifier) == own:
            concept = names.concept(
                term.identifier, _KINDS.get(own, "other"), term.names, term.short, term.parents
            )
            if concept is not None:
                yield concept


# OBO


def recognises_obo(head: str) -> bool:
    """Whether a file that starts so is OBO."""
    return _OBO_HEAD.match(head) is not None


def read_obo(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of an OBO file. Raises SourceError where it cannot be read to its end."""
    terms: list[_Term] = []
    for stanza in _stanzas(file, odd):
        identifier = stanza.get("id", [""])[0].partition(" ")[0]
        if not identifier:
            odd["a term without an id"] += 1
        elif _OBSOLETE not in stanza.get("is_obsolete", ()):
            terms.append(_obo_term(identifier, stanza, odd))
    yield from _concepts(terms, odd)


def _stanzas(file: SourceFile, odd: Counter[str]) -> Iterator[Mapping[str, list[str]]]:
    """Yield the values of each term's tags."""
    stanza: dict[str, list[str]] | None = None
    for _, line in lines(file):
        text = line.strip()
        if text.startswith("["):
            if stanza is not None:
                yield stanza
            stanza = defaultdict(list) if text == "[Term]" else None
        elif stanza is not None and text and not text.startswith("!"):
            tag, colon, value = text.partition(":")
            if colon:
                stanza[tag].append(value.strip())
            else:
                odd["a line that is no tag and value"] += 1
    if stanza is not None:
        yield stanza


def _obo_term(identifier: str, stanza: Mapping[str, list[str]], odd: Counter[str]) -> _Term:
    term = _Term(identifier, [_unescaped(name) for name in stanza.get("name", ())[:1]], [], [])
    for value in stanza.get("synonym", ()):
        found = _SYNONYM.match(value)
        if found is None:
            odd["a synonym that is none"] += 1
        elif (found[2] or "").upper() == "EXACT":
            (term.short if _is_short(found[3] or "") else term.names).append(_unescaped(found[1]))
    term.parents.extend(value.partition(" ")[0] for value in stanza.get("is_a", ()))
    return term


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: " " if match[1] in "nWt" else match[1], text)


# JSON

_GRAPHS = re.compile(r'\s*\{.*?"graphs"\s*:\s*\[', re.DOTALL)
_TERMS = re.compile(r'\s*\[\s*\{(?=[^{}]*"(?:id|name)")')
_LIST = re.compile(r'"(nodes|edges)"\s*:\s*\[')
_START = re.compile(r"\s*\[")
_SEPARATORS = re.compile(r"[\s,]*")
_SPACE_AHEAD = 64  # characters of the longest match of _LIST that two pieces may share
_LONGEST = 16 << 20  # characters of one element
_DECODE = json.JSONDecoder().raw_decode


class _Elements:
    """The elements of lists in a JSON text, one at a time, whatever its size."""

    def __init__(self, label: str, stream: TextStream) -> None:
        self._label = label
        self._stream = stream
        self._text = ""
        self._place = 0
        self._line = 1

    def _fill(self) -> bool:
        self._line += self._text.count("\n", 0, self._place)
        rest = self._text[self._place :]
        self._text, self._place = self._stream.extend(rest), 0
        return len(self._text) > len(rest)

    def find(self, opening: re.Pattern[str]) -> re.Match[str] | None:
        """Move past the next opening of a list; None where there is none."""
        while True:
            found = opening.search(self._text, self._place)
            if found:
                self._place = found.end()
                return found
            self._place = max(self._place, len(self._text) - _SPACE_AHEAD)
            if not self._fill():
                self._check_fault()
                return None

    def __iter__(self) -> Iterator[Any]:
        """Yield the elements up to the end of the list."""
        while True:
            self._place = self._separators()
            if self._place == len(self._text):
                if not self._fill():
                    raise self._broken("the file ends in a list")
            elif self._text[self._place] == "]":
                self._place += 1
                return
            else:
                yield self._element()

    def _separators(self) -> int:
        found = _SEPARATORS.match(self._text, self._place)
        return found.end() if found else self._place

    def _element(self) -> Any:
        while True:
            try:
                value, end = _DECODE(self._text, self._place)
            except RecursionError:
                raise self._broken("nested too deep") from None
            except ValueError as error:
                if len(self._text) - self._place > _LONGEST or not self._fill():
                    raise self._broken(str(error).partition(":")[0]) from None
                continue
            self._place = end
            return value

    def _check_fault(self) -> None:
        if self._stream.fault:
            raise self._broken(self._stream.fault)

    def _broken(self, why: str) -> SourceError:
        number = self._line + self._text.count("\n", 0, self._place)
        return SourceError(f"{self._label}, line {number}: {self._stream.fault or why}: fetch the file again")


def recognises_graphs(head: str) -> bool:
    """Whether a file that starts so holds OBO graphs."""
    return _GRAPHS.match(head) is not None


def recognises_terms(head: str) -> bool:
    """Whether a file that starts so is a list of terms with ids and names."""
    return _TERMS.match(head) is not None


def read_graphs(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of OBO graphs: `nodes` with `id`, `lbl` and `meta`, `edges` with `sub`, `pred` and
    `obj`. Raises SourceError where the file cannot be read to its end.
    """
    terms: list[_Term] = []
    parents: dict[str, list[str]] = defaultdict(list)
    with file.open() as stream:
        elements = _Elements(file.label, TextStream(stream))
        while found := elements.find(_LIST):
            for element in elements:
                if not isinstance(element, dict):
                    odd["an element that is no object"] += 1
                elif found[1] == "nodes":
                    terms += _node(element, odd)
                elif element.get("pred") == "is_a":
                    parents[_identifier(element.get("sub"))].append(_identifier(element.get("obj")))
    for term in terms:
        term.parents.extend(filter(None, parents.get(term.identifier, ())))
    yield from _concepts(terms, odd)


def _identifier(uri: Any) -> str:
    """Return the short form of an id.

    >>> _identifier("http://purl.obolibrary.org/obo/MONDO_0000001"), _identifier("DOID:4"), _identifier(None)
    ('MONDO:0000001', 'DOID:4', '')
    """
    text = _text(uri)
    found = _URI.fullmatch(text)
    return f"{found[1]}:{found[2]}" if found else text


def _text(value: Any) -> str:
    return " ".join(repair(value)[0].split()) if isinstance(value, str) else ""


def _objects(values: Any) -> Iterable[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _node(node: dict[str, Any], odd: Counter[str]) -> Iterator[_Term]:
    held = node.get("meta")
    meta: dict[str, Any] = held if isinstance(held, dict) else {}
    identifier = _identifier(node.get("id"))
    if node.get("type", "CLASS") != "CLASS" or meta.get("deprecated") is True:
        return
    if not identifier:
        odd["a term without an id"] += 1
        return
    if not _text(node.get("lbl")):  # referred to, not defined here
        return
    term = _Term(identifier, [_text(node.get("lbl"))], [], [])
    for synonym in _objects(meta.get("synonyms")):
        if synonym.get("pred") == "hasExactSynonym":
            marked = _is_short(_text(synonym.get("synonymType")))
            (term.short if marked else term.names).append(_text(synonym.get("val")))
    yield term


def read_terms(file: SourceFile, odd: Counter[str]) -> Iterator[Concept]:
    """Yield the concepts of a list of terms: `id`, `name`, `namespace`, `synonyms`, `relations.is_a`. Raises
    SourceError where the file cannot be read to its end.
    """
    terms: list[_Term] = []
    with file.open() as stream:
        elements = _Elements(file.label, TextStream(stream))
        if elements.find(_START):
            for element in elements:
                if isinstance(element, dict):
                    terms += _listed(element, odd)
                else:
                    odd["an element that is no object"] += 1
    yield from _concepts(terms, odd)


def _listed(element: dict[str, Any], odd: Counter[str]) -> Iterator[_Term]:
    space = _text(element.get("namespace")).upper()
    identifier = _spaced(space, element.get("id"))
    if not identifier:
        odd["a term without an id"] += 1
        return
    synonyms = element.get("synonyms")
    relations = element.get("relations")
    above = relations.get("is_a") if isinstance(relations, dict) else None
    yield _Term(
        identifier,
        [_text(element.get("name")), *map(_text, synonyms if isinstance(synonyms, list) else ())],
        [],
        [parent for one in (above if isinstance(above, list) else ()) if (parent := _spaced(space, one))],
    )


def _spaced(space: str, identifier: Any) -> str:
    """Return an id with the prefix of its namespace, where it has none."""
    text = _identifier(identifier)
    return f"{space}:{text}" if text and space and ":" not in text else text
