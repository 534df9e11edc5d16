"""Names from many sources joined into concepts, the most trusted source first.

A full name belongs to one concept of its kind: the first that claims it. So the order in which sources are
added is the order of trust. A concept's names are known by their analysed words; two spellings of one name
are kept once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vocabulary_names import clean, expands, is_short, joining_key, name_key, uninverted

from trialindex.analysis import fold
from trialindex.vocabulary.concepts import KINDS, Concept, Name

__all__ = ["Draft", "Table"]

Key = tuple[str, ...]


@dataclass
class Draft:
    """A concept in the making: names by their words, short forms as written, parents by any source's id."""

    id: str
    kind: str
    names: dict[Key, Name] = field(default_factory=dict)
    short: dict[str, Name] = field(default_factory=dict)
    parents: list[str] = field(default_factory=list)


class Table:
    """Concepts in the making, found by id and by name."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        # Ids of the sources -> ids of the drafts that they were joined with.
        self.joined: dict[str, str] = {}
        self._claims: dict[tuple[str, Key], str] = {}
        self._loose: dict[tuple[str, Key], set[str]] = {}
        self._trusted_short: set[str] = set()

    def add(self, identifier: str, kind: str, name: str, source: str, parents: Iterable[str] = ()) -> Draft:
        """Make a concept; its first name is its preferred one, even where it is a short form.

        Where a concept of its kind has that name (Cyclosporins, Cyclosporine), they are one.
        """
        draft = self.find((kind,), name)
        if draft is None:
            draft = self.drafts[identifier] = Draft(identifier, kind)
        draft.parents.extend(parents)
        self.joined[identifier] = draft.id
        for form in (name, clean(name), uninverted(clean(name))):
            self._claim(draft, Name(form, source))
        return draft

    def merge(self, draft: Draft, other: Draft) -> None:
        """Make one concept of two of a kind: the second goes."""
        names = list(other.names.values())
        for name in names:
            self._free(other, name.text)
        del self.drafts[other.id]
        for name in names:
            self._claim(draft, name)
        draft.short = {**other.short, **draft.short}
        draft.parents.extend(other.parents)
        for identifier, holder in self.joined.items():
            if holder == other.id:
                self.joined[identifier] = draft.id

    def name(self, draft: Draft, text: str, source: str) -> None:
        """Give a concept one more name, unless another of its kind has it."""
        self._claim(draft, Name(uninverted(text), source))

    def shorten(self, draft: Draft, text: str, source: str) -> None:
        """Give a concept one more short form."""
        draft.short.setdefault(text, Name(text, source))

    def trust(self, draft: Draft, text: str, source: str) -> None:
        """Give a concept a name as the most trusted source has it; a short form goes among the short ones."""
        name = clean(text)
        if name and is_short(name):
            self.shorten(draft, name, source)
            self._trusted_short.add(name.lower())
        elif name:
            self.name(draft, name, source)

    def offer(self, draft: Draft, text: str, source: str) -> None:
        """Give a concept a name of a source that is not trusted with short forms, nor against other kinds.

        A short form must have four letters or more and be the first letters of one of the names.
        """
        name = clean(text)
        if not name or self.is_taken(draft, name):
            return
        if not is_short(name):
            if len(name) > 4:
                self.name(draft, name, source)
        elif len(name) > 3 and any(expands(name, full.text) for full in draft.names.values()):
            self.shorten(draft, name, source)

    def is_taken(self, draft: Draft, name: str) -> bool:
        """Whether a concept of another kind has a name, or the most trusted source has it as a short form."""
        holder = self.find([kind for kind in KINDS if kind != draft.kind], name)
        return holder is not None or name.lower() in self._trusted_short

    def find(self, kinds: Sequence[str], name: str) -> Draft | None:
        """Return the concept that has a name, of the first kind that has one."""
        key = name_key(name)
        for kind in kinds:
            found = self._claims.get((kind, key))
            if found is not None:
                return self.drafts[found]
        return None

    def find_loosely(self, kind: str, name: str) -> Draft | None:
        """Return the one concept that has a name in any order of words, cancers taken as neoplasms."""
        found = self._loose.get((kind, joining_key(name)), ())
        return self.drafts[next(iter(found))] if len(found) == 1 else None

    def take(self, draft: Draft, name: str) -> bool:
        """Take a name off a concept; False where it is its preferred one."""
        key = name_key(name)
        if key not in draft.names:
            return True
        if next(iter(draft.names)) == key:
            return False
        self._free(draft, draft.names[key].text)
        return True

    def prefer(self, draft: Draft, name: str) -> None:
        """Put one of a concept's names first."""
        key = name_key(name)
        if key in draft.names:
            draft.names = {key: draft.names[key], **draft.names}

    def move(self, draft: Draft, kind: str) -> None:
        """Make a concept one of another kind; it loses the names that others have there."""
        kept = list(draft.names.values())
        for name in kept:
            self._free(draft, name.text)
        draft.kind = kind
        for name in kept:
            self._claim(draft, name)

    def _free(self, draft: Draft, text: str) -> None:
        key = name_key(text)
        del draft.names[key]
        del self._claims[draft.kind, key]
        self._loose[draft.kind, joining_key(text)].discard(draft.id)

    def above(self, draft: Draft) -> set[str]:
        """Return the ids of all concepts above one."""
        found: set[str] = set()
        waiting = [draft.id]
        while waiting:
            for parent in self.drafts[waiting.pop()].parents:
                joined = self.joined.get(parent)
                if joined is not None and joined not in found:
                    found.add(joined)
                    waiting.append(joined)
        return found

    def _claim(self, draft: Draft, name: Name) -> None:
        key = name_key(name.text)
        if key and self._claims.setdefault((draft.kind, key), draft.id) == draft.id:
            draft.names.setdefault(key, name)
            self._loose.setdefault((draft.kind, joining_key(name.text)), set()).add(draft.id)

    def concepts(self) -> Iterator[Concept]:
        """Yield the concepts by id.

        Parents are concepts of the same kind, and nothing is its own ancestor.
        """
        self._drop_lookalikes()
        parents = {draft.id: self._parents(draft) for draft in self.drafts.values() if draft.names}
        _cut_cycles(parents)
        for identifier in sorted(parents):
            draft = self.drafts[identifier]
            first, *others = draft.names.values()
            others.sort(key=lambda name: (name.text.lower(), name.text))
            short = sorted(draft.short.values())
            yield Concept(
                identifier, draft.kind, (first, *others), tuple(short), tuple(sorted(parents[identifier]))
            )

    def _drop_lookalikes(self) -> None:
        """Drop names of one word that analysis takes for another word, the name of a condition.

        Diabetal, a brand, has the stem of diabetes.
        """
        for draft in self.drafts.values():
            for key, name in list(draft.names.items())[1:] if draft.kind != "condition" else ():
                holder = self._claims.get(("condition", key)) if len(key) == 1 else None
                if holder is not None and fold(self.drafts[holder].names[key].text) != fold(name.text):
                    self._free(draft, name.text)

    def _parents(self, draft: Draft) -> list[str]:
        found = dict.fromkeys(self.joined[parent] for parent in draft.parents if parent in self.joined)
        return [
            parent
            for parent in found
            if parent != draft.id and self.drafts[parent].names and self.drafts[parent].kind == draft.kind
        ]


def _cut_cycles(parents: dict[str, list[str]]) -> None:
    """Drop the parents that lead back, walking up from each concept in the order of ids."""
    done: set[str] = set()
    for start in sorted(parents):
        path: list[str] = []
        open_: set[str] = set()
        stack = [(start, False)]
        while stack:
            node, leave = stack.pop()
            if leave:
                open_.discard(path.pop())
                done.add(node)
            elif node not in done and node not in open_:
                path.append(node)
                open_.add(node)
                parents[node] = [parent for parent in parents[node] if parent not in open_]
                stack.append((node, True))
                stack.extend((parent, False) for parent in sorted(parents[node], reverse=True))
