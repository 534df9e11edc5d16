r"""ClinicalTrials.gov's legacy XML: one `clinical_study` a file, as the site gave it until 2024.

Every element and attribute is mapped onto the study by one table, `ctgov_xml.tsv` beside this module, and the
tree is walked once. What the table does not know is not lost: it stands under `sourceSection.unmapped` by its
path, and is odd. What the XML states and the study has no field for stands under `sourceSection.stated`. A
wrapper with many studies in it (search results) is read too.

>>> import io
>>> from trialindex.formats.files import SourceFile
>>> def first(xml):
...     return next(read(SourceFile("a.xml", lambda: io.BytesIO(xml.encode()))))
>>> item = first('''<clinical_study>
...   <id_info><nct_id>NCT00000001</nct_id></id_info>
...   <phase>Phase 1/Phase 2</phase>
...   <colour>blue</colour>
... </clinical_study>''')
>>> item.study["protocolSection"]
{'identificationModule': {'nctId': 'NCT00000001'}, 'designModule': {'phases': ['PHASE1', 'PHASE2']}}
>>> item.study["sourceSection"], item.odd
({'unmapped': {'colour': ['blue']}}, (Odd(field='colour', value='blue', reason='element unknown'),))

A study without an id, XML that is not well-formed, and a document type (the way to entities) are refused:

>>> first("<clinical_study><brief_title>A</brief_title></clinical_study>").reason
'no nct_id in id_info'
>>> first("<clinical_study><phase>A</clinical_study>").reason
'not well-formed XML: Opening and ending tag mismatch: phase line 1 and clinical_study, line 1, column 42'
>>> first('<!DOCTYPE a [<!ENTITY b "b">]><clinical_study/>').reason
'a DOCTYPE (and with it ENTITY) is not read: remove it from the file'
>>> first("<recipe/>")
Skipped(file='a.xml', reason='XML without a clinical_study element')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from lxml import etree

from trialindex import codes
from trialindex.dates import age_groups, parse_age
from trialindex.errors import InvalidTrialId
from trialindex.formats.ctgov_xml_results import agreement, employee, outcome, settle_totals
from trialindex.formats.draft import convert
from trialindex.formats.files import SourceFile
from trialindex.formats.record import Item, Odd, Rejected, Skipped, SourceRecord
from trialindex.registry_ids import canonical
from trialindex.study_fields import StudyField, field

__all__ = ["NAME", "STATES", "read", "recognises", "reflow"]

NAME = "ctgov-xml"

Node = dict[str, Any]
_ROOT = re.compile(r"<(?:\w+:)?clinical_study[\s/>]")
_SOLID = re.compile(r"[^\s\ufeff]")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


def recognises(head: str) -> bool:
    """Whether a file that starts like this is legacy XML, plain or in a wrapper.

    >>> recognises('<?xml version="1.0"?><!-- saved --><clinical_study rank="1">')
    True
    >>> recognises("<html><clinical_study>"), recognises("<clinical_study_design>")
    (False, False)
    """
    start = _prolog_end(head)
    opening = head[start : start + 14].lower()
    if not opening.startswith("<") or opening.startswith(("<html", "<!doctype html")):
        return False
    return _ROOT.search(head, start) is not None


def read(file: SourceFile) -> Iterator[Item | None]:
    """Yield the studies of a file, one `SourceRecord` or `Rejected` each, or `Skipped` if it holds none; None
    for those of other readers.

    Raises SourceError for a file that cannot be read to its end or is over the limit for one text.
    """
    text, note = file.decoded()
    if text.startswith("<!DOCTYPE", _prolog_end(text)):
        reason = "a DOCTYPE (and with it ENTITY) is not read: remove it from the file"
        yield Rejected(file.label, 1, reason, text)
        return
    # The text is decoded already, so a declared encoding is blanked, not cut: places in messages stay right.
    declaration = _DECLARATION.match(text)
    blanked = re.sub(r"\S", " ", declaration[0]) + text[declaration.end() :] if declaration else text
    try:
        root = etree.fromstring(blanked.encode("utf-8", "replace"), _parser())
    except etree.XMLSyntaxError as error:
        yield Rejected(file.label, 1, f"not well-formed XML: {_line(error.msg or '')}", text)
        return
    _drop_namespaces(root)
    number = 0
    for element in _studies(root):
        number += 1
        if not file.share.has(number):
            yield None
            continue
        reading = _Reading()
        reason = reading.read(element)
        if reason:
            raw = text if element is root else etree.tostring(element, encoding="unicode", with_tail=False)
            yield Rejected(file.label, number, reason, raw, "NCTId")
            continue
        encoding = (Odd("encoding", "", note),) if note else ()
        yield SourceRecord(reading.study, NAME, file.label, number, encoding + tuple(reading.odd))
    if not number:
        yield Skipped(file.label, "XML without a clinical_study element")


def _prolog_end(text: str) -> int:
    """Return where the XML declaration, comments and instructions before the first tag end."""
    place = 0
    while True:
        solid = _SOLID.search(text, place)
        place = solid.start() if solid else len(text)
        closing = "?>" if text.startswith("<?", place) else "-->" if text.startswith("<!--", place) else ""
        end = text.find(closing, place + 2) if closing else -1
        if end < 0:
            return place
        place = end + len(closing)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,  # what indents the elements says nothing
    )


def _drop_namespaces(root: etree._Element) -> None:
    if root.tag == "clinical_study":
        return
    if any(True for _ in root.iter("{*}clinical_study")) and next(root.iter("clinical_study"), None) is None:
        for element in root.iter("{*}*"):
            element.tag = etree.QName(element).localname


def _studies(root: etree._Element) -> Iterator[etree._Element]:
    """The outermost `clinical_study` elements; one inside another is no study of its own."""
    if root.tag == "clinical_study":
        yield root
        return
    for element in root.iter("clinical_study"):
        if not any(above.tag == "clinical_study" for above in element.iterancestors()):
            yield element


# Text. The registry wraps long texts at 100 columns and indents them; what its users typed has neither.

_MARKERS = ("-  ", "* ", "• ")
_LEVEL = 5  # columns by which the registry indents a list inside a list


def reflow(text: str) -> str:
    r"""Return a long text as a person would read it: wrapped lines joined, paragraphs and list levels kept.

    >>> print(reflow('''
    ...     Inclusion:
    ...
    ...       -  Cancer that has
    ...          spread
    ...
    ...            -  to bone
    ...
    ...       -  Adult
    ... '''))
    Inclusion:
    <BLANKLINE>
    -  Cancer that has spread
    <BLANKLINE>
        -  to bone
    <BLANKLINE>
    -  Adult

    Text that is not wrapped and indented keeps its lines:

    >>> reflow("First  dose\r\n\r\n\r\nSecond dose ")
    'First dose\n\nSecond dose'
    """
    if "\n" not in text and "\r" not in text:
        return " ".join(text.split())
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs().rstrip().split("\n")
    bare = [line.lstrip() for line in lines]
    indents = [len(line) - len(rest) for line, rest in zip(lines, bare, strict=True)]
    margins = [indent for indent, rest in zip(indents[1:], bare[1:], strict=True) if rest]
    if not margins or min(margins) == 0:
        return re.sub(r"\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()
    margin = min(margins)
    blocks: list[tuple[str, list[str]]] = []  # what stands before a block, its lines
    inside = False
    for indent, line in zip(indents, bare, strict=True):
        if not line:
            inside = False
        elif inside and not line.startswith(_MARKERS):
            blocks[-1][1].append(line)
        else:
            # The first line may stand right behind the tag, with no indentation of its own.
            level = (indent - margin) // _LEVEL if indent > margin else 0
            blocks.append((("\n" if inside else "\n\n") + "    " * level, [line]))
            inside = True
    return "".join(gap + _joined(held) for gap, held in blocks).lstrip("\n")


def _joined(lines: list[str]) -> str:
    words = " ".join(lines).split()
    if lines[0].startswith("-  "):
        words[0] += " "
    return " ".join(words)


def _line(text: str) -> str:
    return " ".join(text.split())


# Conversions that the type of the field does not say: each gives texts for fields, converted by their types.


def _download_date(text: str) -> dict[str, str]:
    found = re.search(r"[A-Z][a-z]+ \d{1,2}, \d{4}$", text)
    return {"VersionHolder": found[0] if found else text}


def _study_type(text: str) -> dict[str, str]:
    return {"StudyType": text} | ({"PatientRegistry": "Yes"} if "[Patient Registry]" in text else {})


def _masking(text: str) -> dict[str, str]:
    depth, _, who = text.removesuffix(")").partition(" (")
    if not who or codes.code("DesignMasking", text) is not None:
        return {"DesignMasking": text}
    return {"DesignMasking": depth, "DesignWhoMasked": who}


_DESIGN = {
    "Allocation": "DesignAllocation",
    "Intervention Model": "DesignInterventionModel",
    "Primary Purpose": "DesignPrimaryPurpose",
    "Observational Model": "DesignObservationalModel",
    "Time Perspective": "DesignTimePerspective",
}


def _design(text: str) -> dict[str, str]:
    """Take apart the one line that older files give: `Allocation: Randomized, Masking: Open Label`."""
    parts = re.split(r"(?:^|, )([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)?): ", text)[1:]
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    known = {piece: said[label] for label, piece in _DESIGN.items() if label in said}
    return known | (_masking(said["Masking"]) if "Masking" in said else {})


def _file_name(text: str) -> dict[str, str]:
    return {"LargeDocFilename": text.rpartition("/")[2] or text}


def _event_date(text: str) -> dict[str, str]:
    return {"UnpostedEventDateUnknown": "Yes"} if text.lower() == "unknown" else {"UnpostedEventDate": text}


_HOW: dict[str, Callable[[str], dict[str, str]]] = {
    "download date": _download_date,
    "study type": _study_type,
    "masking": _masking,
    "design": _design,
    "file name": _file_name,
    "event date": _event_date,
    "employee": employee,
    "agreement": agreement,
}


# What is worked out when a list item is complete.

_NAME_PARTS = "name parts"


def _person(item: Node) -> None:
    parts = item.pop(_NAME_PARTS, {})
    name = " ".join(parts[part] for part in ("first_name", "middle_name", "last_name") if part in parts)
    full = ", ".join(part for part in (name, parts.get("degrees", "")) if part)
    if full:
        item["name"] = full


def _document(item: Node) -> None:
    flags = (("hasProtocol", "Prot"), ("hasSap", "SAP"), ("hasIcf", "ICF"))
    abbreviation = "_".join(short for key, short in flags if item.get(key) is True)
    if abbreviation:
        item["typeAbbrev"] = abbreviation


_WHEN_COMPLETE: dict[str, Callable[[Node], None]] = {
    "person": _person,
    "document": _document,
    "outcome": outcome,
}


# The table, compiled: a tree of places that follows the tree of elements.


class _Row(NamedTuple):
    element: str
    piece: str
    how: str
    sets: tuple[str, ...]


def _rows() -> list[_Row]:
    text = files("trialindex.formats").joinpath("ctgov_xml.tsv").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    padded = [(*cells, "", "", "")[:4] for cells in lines[1:]]
    return [_Row(element, piece, how, tuple(sets.split())) for element, piece, how, sets in padded]


Fill = Callable[["_Reading", Node, str], None]


class _Place:
    """What happens at one element: `fills` take its text; `opens` is the list that its own item goes into."""

    __slots__ = (
        "attributes",
        "children",
        "complete",
        "constants",
        "each",
        "fills",
        "leaf",
        "opens",
        "shares",
    )

    def __init__(self) -> None:
        self.children: dict[str, _Place] = {}
        self.attributes: dict[str, list[Fill]] = {}
        self.fills: list[Fill] = []
        self.leaf: Fill | None = None  # the only fill, where it is all that happens here
        self.opens: tuple[str, ...] = ()
        self.constants: Node = {}
        self.complete: list[Callable[[Node], None]] = []
        self.each = False  # its values belong to all items that its parent opens below
        self.shares: tuple[str, ...] = ()  # the list of those items


@cache
def _places() -> _Place:
    """Return the place of the root element."""
    root = _Place()
    by_element: dict[str, list[_Row]] = {}
    for row in _rows():
        by_element.setdefault(row.element, []).append(row)
    prefixes = {"": ""}  # element -> study path of the list item it is in
    for element, rows in sorted(by_element.items()):  # a path sorts behind the paths above it
        path, _, attribute = element.partition("@")
        place, below = root, root
        prefix = ""
        above = ""
        for step in path.split("/") if path else []:
            above = f"{above}/{step}" if above else step
            place, below = below, below.children.setdefault(step, _Place())
            if above != path or attribute:
                prefix = prefixes.get(above, prefix)
        for row in rows:
            if _opens(row):
                path_of_items = field(row.piece).path
                below.opens = _keys(path_of_items, prefix)
                below.constants = dict(_constant(text) for text in row.sets if "=" in text)
                below.complete = [_WHEN_COMPLETE[row.how]] if row.how else []
                prefixes[path] = prefix = path_of_items + "."
        for row in rows:
            if _opens(row) or not (row.piece or row.how):
                continue
            if row.how == "each":
                item_path = field(row.piece).path.rpartition(".")[0]
                place.shares = _keys(item_path, prefix)
                below.each = True
                prefix = item_path + "."
            fill = _fill(row, prefix)
            if attribute:
                below.attributes.setdefault(attribute, []).append(fill)
            else:
                below.fills.append(fill)
                alone = len(below.fills) == 1 and not (below.opens or below.each)
                below.leaf = fill if alone else None
                entry = _entry(row.piece)
                if entry is not None and entry.type == "markup":
                    below.children["textblock"] = _textblock(below)
    return root


def _entry(piece: str) -> StudyField | None:
    """Return the field of a table's piece, None where the table says a key of our own."""
    return None if not piece or piece.startswith(("stated.", ".")) else field(piece)


def _textblock(place: _Place) -> _Place:
    block = _Place()
    block.fills = place.fills
    return block


def _opens(row: _Row) -> bool:
    entry = _entry(row.piece)
    return entry is not None and entry.repeated and not entry.enum and entry.type != "text[]"


def _keys(path: str, prefix: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(prefix).split("."))


def _constant(text: str) -> tuple[str, str]:
    piece, _, value = text.partition("=")
    return field(piece).path.rpartition(".")[2], value


def _fill(row: _Row, prefix: str) -> Fill:
    if row.how.startswith("fixed "):
        return _fixed(row.element, row.how.removeprefix("fixed "))
    if row.how == "name part":
        return _name_part(row.element)
    make = _HOW.get(row.how)
    if make is None:
        return _put(row.piece, prefix, row.element)
    puts = {piece: _put(piece, prefix, row.element) for piece in (row.piece, *row.sets) if piece}

    def fill(reading: _Reading, item: Node, text: str) -> None:
        for piece, value in make(_line(text)).items():
            puts[piece](reading, item, value)

    return fill


def _put(piece: str, prefix: str, element: str) -> Fill:
    """Return what puts a text, converted to its field's type, into the item, or else into the study."""
    entry: StudyField | None = None
    rooted = piece.startswith("stated.")
    repeated = piece.endswith("[]")
    if rooted:
        path = "sourceSection." + piece.removesuffix("[]")
    elif piece.startswith("."):
        path = piece[1:]
    else:
        entry = field(piece)
        repeated = entry.repeated
        rooted = not entry.path.startswith(prefix)
        path = entry.path if rooted else entry.path.removeprefix(prefix)
    *above, last = path.split(".")
    tidy = reflow if entry is not None and entry.type == "markup" else _line
    plain = entry is None or entry.type in {"text", "markup", "text[]"}

    if plain and not rooted and not above and not repeated and tidy is _line:
        # Nine values in ten are a text for a key of the item itself; the short way halves the time.
        def put_text(reading: _Reading, item: Node, text: str) -> None:
            text = " ".join(text.split())
            if text and item.setdefault(last, text) != text:
                reading.leave(element, text, "stated twice")

        return put_text

    def put(reading: _Reading, item: Node, text: str) -> None:
        value: Any
        if plain:
            value = text = tidy(text)
        else:
            text, value, reason = _converted(piece, text)
            if reason:
                reading.odd.append(Odd(piece, text, reason))
        if not text or value is None:
            return
        node = reading.study if rooted else item
        for key in above:
            node = node.setdefault(key, {})
        if repeated:
            node.setdefault(last, []).extend(value if isinstance(value, (list, tuple)) else (value,))
        elif node.setdefault(last, value) != value:
            reading.leave(element, text, "stated twice")

    return put


def _converted(piece: str, text: str) -> tuple[str, Any, str]:
    """Return a text without its line breaks, its value, and what is odd about it; "" and None for no text."""
    # Codes and dates recur by the thousand; long texts do not, and are not to be held.
    return _recurring(piece, text) if len(text) <= 100 else _recurring.__wrapped__(piece, text)


@lru_cache(maxsize=1 << 14)
def _recurring(piece: str, text: str) -> tuple[str, Any, str]:
    text = _line(text)
    value, reason = convert(text, field(piece)) if text else (None, "")
    return text, (tuple(value) if isinstance(value, list) else value), reason


def _fixed(element: str, usual: str) -> Fill:
    def fill(reading: _Reading, item: Node, text: str) -> None:
        if _line(text) not in {"", usual}:
            reading.leave(element, _line(text), f"not the usual {usual!r}")

    return fill


def _name_part(element: str) -> Fill:
    part = element.rpartition("/")[2]

    def fill(reading: _Reading, item: Node, text: str) -> None:
        text = _line(text)
        if text and item.setdefault(_NAME_PARTS, {}).setdefault(part, text) != text:
            reading.leave(element, text, "stated twice")

    return fill


def _states() -> frozenset[str]:
    pieces = {piece.partition("=")[0] for row in _rows() for piece in (row.piece, *row.sets)}
    return frozenset(entry.path for piece in pieces if (entry := _entry(piece)) is not None)


STATES: frozenset[str] | None = _states()


# Reading one study.

_PATH_LENGTH = 200  # of an unknown element's path: hostile names are long and deep


class _Reading:
    def __init__(self) -> None:
        self.study: Node = {}
        self.odd: list[Odd] = []
        self._left: dict[str, list[str]] = {}

    def read(self, root: etree._Element) -> str:
        """Fill the study from its element; return why it cannot be a record, or ""."""
        self._walk(root, _places(), self.study)
        identity = self.study.get("protocolSection", {}).get("identificationModule", {})
        if "nctId" not in identity:
            return "no nct_id in id_info"
        try:
            identity["nctId"] = canonical(identity["nctId"])
        except InvalidTrialId as error:
            return str(error)
        self.study["hasResults"] = next(root.iterchildren("clinical_results"), None) is not None
        for place, text, why in settle_totals(
            self.study.get("resultsSection", {}).get("adverseEventsModule", {})
        ):
            self.leave(place, text, why)
        self._intervention_names()
        self._age_groups(root)
        if self._left:
            self.study.setdefault("sourceSection", {})["unmapped"] = self._left
        return ""

    def leave(self, path: str, text: str, reason: str) -> None:
        """Keep what fits nowhere; it is noted as odd once a path."""
        path = path[:_PATH_LENGTH]
        if path not in self._left:
            self.odd.append(Odd(path, text, reason))
        self._left.setdefault(path, []).append(text)

    def _walk(self, element: etree._Element, place: _Place, item: Node) -> None:
        outer = item
        if place.opens:
            item = {}
        shared: Node = {}
        known = len(_list_at(item, place.shares)) if place.shares else 0
        attributes: Any = element.items()
        for name, value in attributes:
            fills = place.attributes.get(name)
            if fills is not None:
                for fill in fills:
                    fill(self, item, value)
            elif not name.startswith(_SCHEMA_INSTANCE):
                self.leave(f"{_path(element)}@{name}", _line(value), "attribute unknown")
        text = element.text
        if text is not None:
            if place.fills:
                for fill in place.fills:
                    fill(self, item, text)
            elif text and not text.isspace():
                self.leave(_path(element), _line(text), "text where elements should be")
        find = place.children.get
        for child in element:
            below = find(child.tag)
            if below is None:
                self._unknown(child, _path(child))
            elif below.leaf is not None and not len(child) and not child.keys():
                # Two elements in three hold one text and nothing else; no call of our own for these.
                text = child.text
                if text is not None:
                    below.leaf(self, item, text)
            else:
                self._walk(child, below, shared if below.each else item)
            tail = child.tail
            if tail and not tail.isspace():
                self.leave(_path(element), _line(tail), "text behind an element")
        if place.shares and shared:
            reached = _list_at(item, place.shares)[known:]
            for key, value in shared.items():
                without = [entry for entry in reached if key not in entry]
                for entry in without:
                    entry[key] = value
                if not without:
                    self.leave(_path(element), str(value), "no item that it is about")
        if place.opens and item:
            item.update(place.constants)
            for complete in place.complete:
                complete(item)
            *above, last = place.opens
            for key in above:
                outer = outer.setdefault(key, {})
            outer.setdefault(last, []).append(item)

    def _unknown(self, element: etree._Element, path: str) -> None:
        path = path[:_PATH_LENGTH]
        text = _line(element.text or "")
        if text or not (len(element) or element.attrib):
            self.leave(path, text, "element unknown")
        attributes: Any = element.items()
        for name, value in attributes:
            self.leave(f"{path}@{name}", _line(value), "element unknown")
        for child in element:
            self._unknown(child, f"{path}/{child.tag}")
            if child.tail and not child.tail.isspace():
                self.leave(path, _line(child.tail), "element unknown")

    def _intervention_names(self) -> None:
        """An arm names its interventions in the study; in the XML only an intervention names its arms."""
        module = self.study.get("protocolSection", {}).get("armsInterventionsModule", {})
        arms: dict[str, Node] = {}
        for arm in module.get("armGroups", ()):
            arms.setdefault(arm.get("label", ""), arm)
        for intervention in module.get("interventions", ()):
            kind = intervention.get("type", "").replace("_", " ").title()
            name = ": ".join(part for part in (kind, intervention.get("name", "")) if part)
            for label in intervention.get("armGroupLabels", ()):
                if label in arms and name:
                    arms[label].setdefault("interventionNames", []).append(name)

    def _age_groups(self, root: etree._Element) -> None:
        bounds = [
            bound
            for section in root.iterchildren("eligibility")
            for bound in section.iterchildren("minimum_age", "maximum_age")
        ]
        module = self.study.get("protocolSection", {}).get("eligibilityModule", {})
        ages = [module.get(key) for key in ("minimumAge", "maximumAge")]
        if bounds and all(age is None or parse_age(age) for age in ages):
            groups = age_groups(*ages)
            if groups:
                self.study["protocolSection"].setdefault("eligibilityModule", {})["stdAges"] = groups


def _list_at(item: Node, keys: tuple[str, ...]) -> list[Node]:
    held: Any = item
    for key in keys:
        held = held.get(key)
        if held is None:
            return []
    found: list[Node] = held
    return found


def _path(element: etree._Element) -> str:
    steps = [element.tag, *(above.tag for above in element.iterancestors())]
    root = steps.index("clinical_study") if "clinical_study" in steps else len(steps)
    return "/".join(str(step) for step in reversed(steps[:root]))
