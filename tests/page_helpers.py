"""What the tests of saved pages share."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from types import ModuleType
from typing import Any

from helpers import FIXTURES
from trialindex.formats.files import SourceFile
from trialindex.formats.record import Item, SourceRecord

PAGES = FIXTURES / "pages"


def fixture(name: str) -> str:
    return (PAGES / name).read_text("utf-8")


def items(layout: ModuleType, raw: str) -> list[Item]:
    return list(layout.read(SourceFile("page", lambda: BytesIO(raw.encode()))))


def record(layout: ModuleType, raw: str) -> SourceRecord:
    (found,) = items(layout, raw)
    assert isinstance(found, SourceRecord)
    return found


def study(layout: ModuleType, raw: str) -> dict[str, Any]:
    """The study of a page on which nothing is odd."""
    found = record(layout, raw)
    assert found.odd == ()
    return found.study


def leaves(node: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of all values."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield from leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(node, list) and node and isinstance(node[0], dict):
        for below in node:
            yield from leaves(below, path)
    else:
        yield path


def blocks(raw: str, headings: list[str]) -> tuple[str, list[str]]:
    """A page as what stands before its first section, and its sections, each from its heading on."""
    lines = raw.splitlines(keepends=True)
    starts: list[int] = []
    for heading in headings:
        # The last such line is the heading: the fixtures set the same word before it, inside a text.
        starts.append(max(place for place, line in enumerate(lines) if line.strip() == heading))
    starts.sort()
    ends = [*starts[1:], len(lines)]
    return "".join(lines[: starts[0]]), ["".join(lines[a:b]) for a, b in zip(starts, ends, strict=True)]
