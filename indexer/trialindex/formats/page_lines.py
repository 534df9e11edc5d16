r"""Saved pages as lines: the text of a page, or the page itself (HTML), becomes the same list of logical
lines.

A line is what a reader sees as one: a paragraph, a heading, a label, an item of a list, a cell. Blank lines
are left out and spaces folded. Items begin with `* ` whatever bullet the page draws, numbered ones keep
their number. The backslashes that the sites leave before `<`, `>`, `^` and the like are taken away.

>>> lines("Title\n\n  • SLEDAI score\\>8\n1. Age 16 to 65")
['Title', '* SLEDAI score>8', '1. Age 16 to 65']
>>> lines("<html><h1>Title</h1><ul><li>SLEDAI score&gt;8</ul><ol><li>Age 16<br>to 65</ol><style>x</style>")
['Title', '* SLEDAI score>8', '1. Age 16', 'to 65']

Cells of a table are lines of their own; with `cells` a row is one line with tabs between its cells, as a
browser copies it, and an empty cell is `-`:

>>> table = "<html><table><tr><th>Group<th>Drug<tr><td>A<td></table>"
>>> lines(table), lines(table, cells=True)
(['Group', 'Drug', 'A'], ['Group\tDrug', 'A\t-'])

What merely mentions markup is no HTML:

>>> lines("a <b> c")
['a <b> c']
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

__all__ = ["ITEM", "Page", "is_html", "lines", "page", "prose"]

# How an item of a list begins, once its bullet is a star.
ITEM = re.compile(r"(?:\*|-|\d{1,3}[.)]|\(\d{1,3}\)) +")

_BULLET = re.compile(r"[•●▪◦‣∙·]\s*|\*\s+")
_ESCAPE = re.compile(r"\\([<>^~*_\[\]#|`])")
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u2060\u00ad"))
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|title|meta|main|article|section|div)\b",
    re.IGNORECASE | re.DOTALL,
)
_SKIPPED = set(
    """audio canvas datalist head iframe math nav noscript object script select style svg template
    video""".split()
)
_BLOCKS = set(
    """address article aside blockquote body br button caption center dd details dialog dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol p pre section
    summary table tbody td tfoot th thead tr ul""".split()
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as `lines`; `heading` is the text of its first h1, "" where there is none and in a text file."""

    lines: list[str]
    heading: str = ""


def is_html(text: str) -> bool:
    """Whether a text is a saved page rather than the text of one."""
    return _HTML.match(text[:4096].lstrip("\ufeff")) is not None


def lines(text: str, cells: bool = False) -> list[str]:
    """Return the logical lines of a page."""
    return page(text, cells).lines


def page(text: str, cells: bool = False) -> Page:
    """Return the logical lines of a page and its main heading."""
    if is_html(text):
        return _from_html(text, cells)
    found = []
    for raw in text.splitlines():
        if cells and "\t" in raw.strip():
            found.append("\t".join(_tidy(cell) or "-" for cell in raw.strip(" ").split("\t")))
        elif line := _tidy(raw):
            found.append(line)
    return Page(found)


def prose(block: list[str]) -> str:
    """Return lines as one text: a paragraph each, items of a list on lines next to each other.

    >>> prose(["All of these:", "* one", "* two", "Or this."])
    'All of these:\\n\\n* one\\n* two\\n\\nOr this.'
    """
    text = ""
    for above, line in zip(["", *block], block, strict=False):
        listed = ITEM.match(above) and ITEM.match(line)
        text += ("\n" if listed else "\n\n" if text else "") + line
    return text


def _tidy(raw: str) -> str:
    line = " ".join(raw.translate(_UNSEEN).split())
    item = _BULLET.sub("* ", line, count=1) if _BULLET.match(line) else line
    return _ESCAPE.sub(r"\1", item).strip()


class _Writer:
    """Gathers the text between the ends of blocks into lines."""

    def __init__(self, cells: bool) -> None:
        self.found: list[str] = []
        self.heading = ""
        self._cells = cells
        self._parts: list[str] = []
        self._row: list[str] | None = None
        self._tables = 0
        self._mark = ""
        self._counts: list[int | None] = []

    def text(self, text: str | None, pre: bool = False) -> None:
        if not text:
            return
        if not pre:
            self._parts.append(text)
            return
        for number, line in enumerate(text.splitlines()):
            if number:
                self.end_line()
            self._parts.append(line)

    def end_line(self) -> None:
        line = _tidy("".join(self._parts))
        if self._row is not None:
            # A row is one line, so a block inside a cell is but a space.
            self._parts.append(" ")
            return
        self._parts.clear()
        if line:
            self.found.append(line if ITEM.match(line) else self._mark + line)
            self._mark = ""

    def start(self, tag: str) -> None:
        if tag in {"ul", "ol", "menu"}:
            self._counts.append(0 if tag == "ol" else None)
        elif tag == "li":
            count = self._counts[-1] if self._counts else None
            if count is None:
                self._mark = "* "
            else:
                self._counts[-1] = count + 1
                self._mark = f"{count + 1}. "
        elif tag == "table":
            self._tables += 1
        elif self._cells and self._tables == 1:
            if tag == "tr":
                self._row = []
                self._parts.clear()
            elif tag in {"td", "th"} and self._row is not None:
                self._parts.clear()

    def end(self, tag: str) -> None:
        if tag in {"ul", "ol", "menu"} and self._counts:
            self._counts.pop()
        elif tag == "li":
            self._mark = ""
        elif tag == "h1" and not self.heading and self.found:
            self.heading = self.found[-1]
        elif tag == "table":
            self._tables -= 1
        elif self._row is not None and self._tables == 1:
            if tag in {"td", "th"}:
                self._row.append(_tidy("".join(self._parts)) or "-")
                self._parts.clear()
            elif tag == "tr":
                if set(self._row) - {"-"}:
                    self.found.append("\t".join(self._row))
                self._row = None
                self._parts.clear()


def _from_html(text: str, cells: bool) -> Page:
    # Bytes and a named encoding: lxml refuses a str that declares one. No network, no entities, libxml2's
    # depth limit.
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        # A page with nothing in it.
        return Page([])
    if root is None:
        return Page([])
    writer = _Writer(cells)
    pre = 0
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        block = tag in _BLOCKS
        if event == "start":
            if _unseen(element, tag):
                walk.skip_subtree()
                continue
            if block or _next_link(element):
                writer.end_line()
            writer.start(tag)
            pre += tag == "pre"
            writer.text(element.text, pre > 0)
        else:
            if not _unseen(element, tag):
                if block:
                    writer.end_line()
                writer.end(tag)
                pre -= tag == "pre"
            writer.text(element.tail, pre > 0)
    writer.end_line()
    return Page(writer.found, writer.heading)


def _unseen(element: etree._Element, tag: str) -> bool:
    return (
        tag in _SKIPPED
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or _HIDDEN.search(element.get("style") or "") is not None
    )


def _next_link(element: etree._Element) -> bool:
    """Whether nothing but space parts a link from the link before it: so the sites lay out short values."""
    before = element.getprevious()
    return element.tag == "a" and before is not None and before.tag == "a" and not (before.tail or "").strip()
