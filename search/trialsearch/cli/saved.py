"""`trialsearch saved`, `search --save` and `search --new`: searches by name, and what is new for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialsearch.cli.answers import FOR_PEOPLE, form_of, listed, print_fields
from trialsearch.cli.look import FOLDER, FOUND, NOTHING, Command, Option
from trialsearch.cli.options import TEXT, json_option, opened
from trialsearch.cli.printing import on_terminal, print_lines, say, speaks_ascii, write

if TYPE_CHECKING:
    from trialsearch.output_fields import OutputField
    from trialsearch.results import Results
    from trialsearch.saved import Saved
    from trialsearch.saved_text import News

__all__ = ["keep", "print_news", "saved"]


@click.command("saved", cls=Command, short_help="List saved searches, and forget them.")
@click.option(
    "--show", type=TEXT, metavar="NAME", cls=Option, group="Saved searches", help="Print only this one."
)
@click.option(
    "--delete", type=TEXT, metavar="NAME", cls=Option, group="Saved searches", help="Forget this one."
)
@json_option("Print the list as JSON.")
def saved(show: str | None, delete: str | None, as_json: bool) -> int:
    """List the searches that were saved with `trialsearch search ... --save NAME`.

    Each with the number of trials that it found when it was last asked. What is new for it since then:
    trialsearch search --new NAME. They are files in your data folder, or in $TRIALSEARCH_SAVED.

    \b
    trialsearch saved
    trialsearch saved --delete lupus2
    """
    from trialsearch import export, saved_text
    from trialsearch.saved import SavedError, Store

    if show is not None and delete is not None:
        raise click.UsageError("--show or --delete, not both")
    store = Store()
    if delete is not None:
        store.delete(delete)
        write([f"deleted {delete}"])
        return FOUND
    held: list[Saved] = []
    broken: list[tuple[str, str]] = []
    for name in store.names() if show is None else [show]:
        try:
            held.append(store.read(name))
        except SavedError as error:
            if show is not None:
                raise
            broken.append((name, str(error)))
    if as_json:
        write([export.dumped(saved_text.listed_as_dict(held), indent=2, ascii_only=speaks_ascii())])
    else:
        print_lines(saved_text.listed(held), styled=on_terminal())
    for _, reason in broken:
        say(f"trialsearch: {reason}")
    if not held and not broken:
        say("trialsearch: no search is saved yet: trialsearch search lupus --save NAME")
    return FOUND if held else NOTHING


def keep(name: str, text: str, options: dict[str, Any], results: Results) -> None:
    """Save a search under a name, with all trials that it found; say so."""
    from trialsearch.saved import Question, Store, taken

    asked = {
        option: list(value) if isinstance(value, tuple) else value
        for option, value in options.items()
        if (option, value) not in _DEFAULTS
    }
    folder = Path(click.get_current_context().meta[FOLDER])
    store = Store()
    before = store.has(name)
    store.write(taken(name, Question(text, asked), results.whole, folder))
    replaced = ", in place of the one of that name" if before else ""
    say(f"saved as {name}{replaced}; what is new for it: trialsearch search --new {name}")


_DEFAULTS = (("everywhere", False), ("sort", "relevance"), ("fuzzy", True), ("synonyms", True))


def print_news(shape: dict[str, Any], fields: tuple[OutputField, ...] | None, folder: Path | None) -> int:
    """Print what is new, changed and gone for a saved search, and keep what it finds now.

    All of it is printed unless a limit is given. Where that leaves some out, or only a look is asked, what
    was kept stays as it was.
    """
    from trialindex.contents import exists
    from trialsearch.saved import Store, ask, compared, taken

    store = Store()
    before = store.read(shape["new"])
    if folder is None and exists(Path(before.index)):
        folder = Path(before.index)
    given = click.get_current_context().get_parameter_source("limit")
    limit = None if given is click.core.ParameterSource.DEFAULT else shape["limit"]
    with opened(folder) as trials:
        whole = ask(trials, before).whole
        change = compared(before.found, whole.ids, whole.digests)
        from trialsearch.saved_text import News

        new = whole.hits(change.new)
        changed = whole.hits(change.changed)
        rest = None if limit is None else max(limit - len(new), 0)
        news = News(
            before, len(whole.docs), tuple(new[:limit]), tuple(changed[:rest]), len(new), len(changed),
            change.gone,
        )  # fmt: skip
        _print(news, shape, fields)
        sys.stdout.flush()
        if limit is not None and len(new) + len(changed) > limit:
            say("trialsearch: not marked as seen, since --limit left some out")
        elif not shape["peek"]:
            index = Path(click.get_current_context().meta[FOLDER])
            store.write(taken(before.name, before.question, whole, index))
    return FOUND if new or changed else NOTHING


def _print(news: News, shape: dict[str, Any], fields: tuple[OutputField, ...] | None) -> None:
    from trialsearch import export, saved_text

    form, explain, ascii_only = form_of(shape["format_"]), shape["explain"], speaks_ascii()
    hits = [hit for _, hit in news.hits()]
    if form == "json":
        told = saved_text.as_dict(news, explain=explain, fields=fields)
        write([export.dumped(told, indent=2, ascii_only=ascii_only)])
    elif form == "jsonl":
        write(saved_text.as_jsonl(news, explain=explain, ascii_only=ascii_only, fields=fields))
    elif form == "csv":
        write(saved_text.as_csv(news, fields))
    elif form not in FOR_PEOPLE:
        write(listed(hits, form))
    elif fields is not None:
        print_fields(hits, fields, styled=form == "table")
    else:
        print_lines(saved_text.lines(news, explain), styled=form == "table")
