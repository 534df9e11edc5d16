"""Saved searches and their news for a person, and as plain data for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trialindex.frozen import frozen
from trialsearch import export, render
from trialsearch.lines import Line, table
from trialsearch.output_fields import OutputField
from trialsearch.saved import Saved

if TYPE_CHECKING:
    from trialsearch.results import Hit

__all__ = ["News", "as_csv", "as_dict", "as_jsonl", "lines", "listed", "listed_as_dict"]


@frozen
class News:
    """What is new for a saved search. `saved`: as it was asked before; `total`: how many trials it finds now;
    the hits that are `new` and that are `changed`, perhaps only the first of so many; the ids of those that
    are `gone`.
    """

    saved: Saved
    total: int
    new: tuple[Hit, ...]
    changed: tuple[Hit, ...]
    new_total: int
    changed_total: int
    gone: tuple[str, ...]

    def hits(self) -> Iterator[tuple[str, Hit]]:
        """Yield (new or changed, hit)."""
        yield from (("new", hit) for hit in self.new)
        yield from (("changed", hit) for hit in self.changed)


def _moment(asked: str) -> str:
    """Return a moment as a person reads it.

    >>> _moment("2026-11-22T13:05:00Z")
    '2026-11-22 13:05 UTC'
    """
    return f"{asked[:10]} {asked[11:16]} UTC"


def lines(news: News, explain: bool = False) -> Iterator[Line]:
    """Yield news as lines: how many there are, then the hits, then the ids of trials that are gone."""
    counts = ", ".join(
        f"{count:,} {what}"
        for what, count in (
            ("new", news.new_total), ("changed", news.changed_total), ("gone", len(news.gone))
        )
        if count
    )  # fmt: skip
    since = f" for {news.saved.name} since {_moment(news.saved.asked)}"
    yield Line(
        ((counts or "Nothing new", "head"), (since, ""), (f", of {news.total:,} found", "label")), hang=2
    )
    first = 1
    for heading, hits, total in (
        ("New", news.new, news.new_total),
        ("Changed", news.changed, news.changed_total),
    ):
        if hits:
            yield Line()
            shown = "" if len(hits) == total else f", the first {len(hits):,} of {total:,}"
            yield Line(((f"── {heading}{shown} ", "rule"),), fill="─")
            yield from render.blocks(hits, first, explain)
            first += len(hits)
    if news.gone:
        yield Line()
        yield Line((("Gone: ", "label"), (", ".join(news.gone), "")), hang=6)


def as_dict(
    news: News, *, explain: bool = False, fields: tuple[OutputField, ...] | None = None
) -> dict[str, Any]:
    """Return news as plain data that JSON can hold."""
    return {
        "name": news.saved.name,
        "query": news.saved.question.query,
        "options": news.saved.question.options,
        "since": news.saved.asked,
        "total": news.total,
        "new_total": news.new_total,
        "changed_total": news.changed_total,
        "new": list(export.entries(news.new, explain, fields)),
        "changed": list(export.entries(news.changed, explain, fields)),
        "gone": list(news.gone),
    }


def as_jsonl(
    news: News, *, explain: bool, ascii_only: bool, fields: tuple[OutputField, ...] | None
) -> Iterator[str]:
    """Yield a line of JSON for each trial, with its `change`; of one that is gone there is its id."""
    for change, hit in news.hits():
        (entry,) = export.entries([hit], explain, fields)
        yield export.dumped({"change": change, **entry}, ascii_only=ascii_only)
    for identifier in news.gone:
        yield export.dumped({"change": "gone", "id": identifier}, ascii_only=ascii_only)


def as_csv(news: News, fields: tuple[OutputField, ...] | None) -> Iterator[str]:
    """Yield a header and a row for each trial that is new or changed, with its `change` in front."""
    changes = ("change", *(change for change, _ in news.hits()))
    rows = export.as_csv([hit for _, hit in news.hits()], fields)
    return (f"{change},{row}" for change, row in zip(changes, rows, strict=True))


def listed(saved: Iterable[Saved]) -> Iterator[Line]:
    """Yield saved searches as a table."""
    rows = [
        (one.name, f"{len(one.found.ids):,}", _moment(one.asked), str(one.question), one.index)
        for one in saved
    ]
    if rows:
        yield from table([("name", "trials", "asked", "search", "index"), *rows])


def listed_as_dict(saved: Iterable[Saved]) -> list[dict[str, Any]]:
    """Return saved searches as plain data that JSON can hold, without the trials that they found."""
    return [
        {
            "name": one.name,
            "query": one.question.query,
            "options": one.question.options,
            "index": one.index,
            "asked": one.asked,
            "trials": len(one.found.ids),
        }
        for one in saved
    ]
