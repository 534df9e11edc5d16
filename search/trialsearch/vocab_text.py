"""What a term means, and what came of adding names, as lines for a person and as plain data.

The things that a search takes are told in full; of the others, a line each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trialindex.analysis import fold
from trialsearch.lines import Line, table
from trialsearch.names import Form, forms
from trialsearch.render import counted
from trialsearch.vocab import NameCount

if TYPE_CHECKING:
    from trialindex.vocabulary.adding import Added
    from trialsearch.vocab import Meanings, Related, Thing

__all__ = ["added_lines", "as_dict", "lines", "odd_rows", "unknown"]

# Names, and broader or narrower things, that are listed; the program's form has all of them.
_MOST_NAMES, _MOST_RELATED = 15, 10
# What a person calls the formats of `trialindex.vocabulary.imports`.
_FORMATS = {
    "mesh": "MeSH descriptors",
    "mesh-table": "MeSH descriptors, a table",
    "obo": "OBO",
    "obo-json": "OBO graphs",
    "terms-json": "terms of an ontology",
    "rxnorm": "RxNorm",
    "drugbank": "DrugBank vocabulary",
    "drugs-at-fda": "Drugs@FDA products",
    "concepts": "concepts",
    "names": "names and other names",
}
# Characters of a term that names nothing.
_LONGEST_SHOWN = 200
# What a person calls a thing of a kind, and where trials have it.
_KINDS = {
    "condition": ("a condition", "a condition"),
    "intervention": ("an intervention", "an intervention"),
    "procedure": ("a procedure", "an intervention"),
    "other": ("", "a condition or an intervention"),
    "": ("", ""),
}


def as_dict(found: Meanings) -> dict[str, Any]:
    """Return what a term means as plain data that JSON can hold."""
    plain = _plain(found)
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 4)
    names = getattr(value, "__match_args__", None)
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}


def lines(found: Meanings) -> Iterator[Line]:
    """Yield what a term means; nothing where it means nothing."""
    taken = [thing for thing in found.things if thing.taken]
    # Where nothing speaks for one of several meanings, none of them goes before the others.
    told = taken if taken or len(found.things) > 1 else list(found.things)
    rest = [thing for thing in found.things if not any(thing is one for one in told)]
    searched = f"A search for {found.term} finds {counted(found.trials, 'trial')}."
    yield Line(((searched, "head"),))
    for note in (*_spelled(found), *found.notes):
        yield Line(((note, "hint"),), 2)
    for thing in told:
        yield Line()
        yield from _told(thing, found.read_as)
    if rest:
        yield Line()
        yield Line(
            ((f"Other meanings of {found.read_as}" if told else f"Meanings of {found.read_as}", "head"),)
        )
        yield from table([_brief(thing) for thing in rest], 2)


def _spelled(found: Meanings) -> Iterator[str]:
    if found.read_as != found.term:
        yield f"{found.term} is read as {found.read_as}"


def unknown(found: Meanings) -> str:
    """Return the line that says that a term names nothing."""
    term = found.term[:_LONGEST_SHOWN]
    held = f"{counted(found.trials, 'trial')} {'has' if found.trials == 1 else 'have'} its words"
    near = f"; near it: {', '.join(found.near[:_MOST_RELATED])}" if found.near else ""
    return f"trialsearch: {term!r} names nothing that this index knows ({held}){near}"


def _told(thing: Thing, term: str) -> Iterator[Line]:
    kind, place = _KINDS[thing.kind]
    what = f"{thing.name}{f', {kind}' if kind else ''}{f' ({thing.identifier})' if thing.identifier else ''}"
    yield Line(((what, "title"),))
    yield from (Line(((text, ""),), 2) for text in _why(thing, term))
    if place:
        verb = "has" if thing.trials == 1 else "have"
        yield Line(((f"{counted(thing.trials, 'trial')} {verb} it, or a kind of it, as {place}", ""),), 2)
    for heading, listed in (
        ("Names, and the trials that have each", _names(thing)),
        ("Abbreviations, and the trials that have each in a title or name", _abbreviations(thing)),
        ("Other names that trials give it", _learned(thing)),
        ("Defined so by trials", _definitions(thing)),
        ("Broader", _related(thing.broader)),
        ("Narrower: a search finds these too", _related(thing.narrower)),
    ):
        if listed:
            yield Line()
            yield Line(((heading, "head"),), 2)
            yield from listed


def _why(thing: Thing, term: str) -> Iterator[str]:
    if thing.how == "name":
        if fold(term) != fold(thing.name):
            yield f"{term} is one of its names"
    elif thing.how == "learned":
        yield f"trials call {term} so, and by these names"
    elif not thing.uses:
        yield f"{term} is an abbreviation of it, which no trial defines so"
    elif thing.share == 1:
        yield f"{term} is an abbreviation of it in {counted(thing.uses, 'trial')}, all that define it"
    else:
        share = f"{thing.share:.0%} of those that define it"
        yield f"{term} is an abbreviation of it in {counted(thing.uses, 'trial')}, {share}"


def _brief(thing: Thing) -> tuple[str, str, str, str]:
    defined = (
        f"{counted(thing.uses, 'trial')} define{'s' if thing.uses == 1 else ''} it so" if thing.uses else ""
    )
    about = f"{counted(thing.trials, 'trial')} about it" if thing.identifier else ""
    return thing.name, thing.kind, about, defined


def _names(thing: Thing) -> list[Line]:
    first, *rest = _once(thing.names)
    held = [first, *(one for one in rest if one.trials)]
    shown = table([(one.name, f"{one.trials:,}", one.source) for one in held[:_MOST_NAMES]], 4)
    more = len(held) - _MOST_NAMES
    if more > 0:
        shown.append(Line(((f"and {more} more", "label"),), 4))
    return [*shown, *_unheld([one.name for one in rest if not one.trials])]


def _once(names: Sequence[NameCount]) -> Iterator[NameCount]:
    """Yield names that an index holds in the same way once, as the first has it, with the sources of all."""
    same: dict[tuple[Form, ...], list[NameCount]] = {}
    for one in names:
        same.setdefault(forms(one.name)[:1], []).append(one)
    for first, *others in same.values():
        sources = dict.fromkeys((first.source, *(one.source for one in others)))
        yield NameCount(first.name, ", ".join(sources), first.trials)


def _unheld(names: Sequence[str]) -> Iterator[Line]:
    """Yield names that no trial has: those are looked for too."""
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield Line(((f"in no trial: {'; '.join(names[:_MOST_NAMES])}{more}", "label"),), 4, hang=6)


def _abbreviations(thing: Thing) -> list[Line]:
    return table([(one.name, f"{one.trials:,}", one.source) for one in thing.abbreviations[:_MOST_NAMES]], 4)


def _learned(thing: Thing) -> list[Line]:
    return table(
        [
            (one.name, f"{one.trials:,}", f"{counted(one.say, 'trial')} say{'s' if one.say == 1 else ''} so")
            for one in thing.learned[:_MOST_NAMES]
        ],
        4,
    )


def _definitions(thing: Thing) -> list[Line]:
    shown = thing.definitions[:_MOST_NAMES]
    return table([(f"{one.short} = {one.long}", f"{one.trials:,}") for one in shown], 4)


def _related(related: Sequence[Related]) -> list[Line]:
    if not related:
        return []
    held = [one for one in related if one.trials]
    empty = len(related) - len(held)
    shown = table([(one.name, f"{one.trials:,}") for one in held[:_MOST_RELATED]], 4)
    left = []
    if len(held) > _MOST_RELATED:
        left.append(f"{len(held) - _MOST_RELATED} more")
    if empty:
        left.append(f"{empty}{' more' if held else ''} that no trial is about")
    return [*shown, *(Line(((f"{'and ' if held else ''}{text}", "label"),), 4) for text in left)]


def added_lines(report: Added, index: str) -> list[Line]:
    """Return what came of adding names."""
    rows = [
        f"{one.file}: {counted(one.concepts, 'thing')} ({', '.join(map(_FORMATS.__getitem__, one.formats))})"
        for one in report.files
    ]
    read = [Line(((row, ""),)) for row in rows]
    if not report.changed:
        return [*read, Line((("nothing changed: the index has these names", "head"),))]
    figures = [("new names", report.names), ("new things", report.things)]
    figures += [("names taken back", report.gone)] if report.gone else []
    figures += [("trials linked anew", report.trials)]
    made = table([(label, f"{number:,}") for label, number in figures])
    made[-1] = Line((*made[-1].pieces, (f"  in {index}", "")))
    return [*read, *made]


def odd_rows(report: Added) -> Iterator[str]:
    """Yield what was left out, by file and reason, and names that stay those of other things."""
    for one in report.files:
        if one.elsewhere:
            named = "; ".join(one.elsewhere[:_MOST_RELATED])
            more = (
                f" and {len(one.elsewhere) - _MOST_RELATED:,} more"
                if len(one.elsewhere) > _MOST_RELATED
                else ""
            )
            yield f"{one.file}: other things have these names already, and keep them: {named}{more}"
        for reason, number in one.odd.most_common():
            yield f"{one.file}: left out: {reason}{f' ({number:,} times)' if number > 1 else ''}"
