"""Vocabularies into one: what a further source calls by a name that is known joins what has the name.

>>> from trialindex.vocabulary.concepts import Name
>>> def concept(identifier, source, *names, kind="condition", parents=()):
...     return Concept(identifier, kind, tuple(Name(name, source) for name in names), (), parents)
>>> base = [concept("D1", "mesh", "Lupus Nephritis"),
...         concept("D2", "mesh", "Nephritis", "Kidney Inflammation")]
>>> more = [concept("X:1", "mine", "Glomerulonephritis in Lupus", "lupus nephritis", "nephritis"),
...         concept("X:2", "mine", "nephritis", "Inflamed Kidney", parents=("X:1",)),
...         concept("X:3", "mine", "Pyelitis", parents=("X:2",))]
>>> for one in merged(base, [more]):
...     print(one.id, [f"{name.source}: {name.text}" for name in one.names], one.parents)
D1 ['mesh: Lupus Nephritis'] ()
D2 ['mesh: Nephritis', 'mesh: Kidney Inflammation', 'mine: Inflamed Kidney'] ()
X:1 ['mine: Glomerulonephritis in Lupus'] ()
X:3 ['mine: Pyelitis'] ('D2',)

X:1 has names of two different concepts and joins neither; those names stay where they were. Where its
preferred name is one of a known concept, that decides (X:2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trialindex.vocabulary.concepts import Concept, Name
from trialindex.vocabulary.keys import NameKeys

__all__ = ["merged"]

# A source that does not say of which kind a thing is: it may be of any.
_ANY_KIND = "other"


def merged(base: Iterable[Concept], more: Iterable[Iterable[Concept]]) -> list[Concept]:
    """Return the concepts of a vocabulary with those of further sources, one source after the other.

    A further concept joins the one with its id; else the one of its kind (of any kind, where it is "other")
    that has its preferred name; else the one that has any of its full names, unless two have. It adds the
    names, with their source, that are not there yet, and its abbreviations; the preferred name, the kind and
    the parents stay. What joins nothing is new. A full name that another concept of the kind already has goes
    to no further one; a new concept of which nothing is left is dropped. What one source itself says of two
    things is kept for both. Parents that joined another concept are named by the id of that.

    Names are the same if their analysed words are. The order is that of the base, then of the sources.
    """
    joining = _Joining()
    joining.add(base)
    for concepts in more:
        joining.join(concepts)
    return joining.concepts()


class _Joining:
    def __init__(self) -> None:
        self._keys = NameKeys()
        self._held: dict[str, Concept] = {}
        self._names: dict[str, list[Name]] = {}  # id -> full names added to it
        self._short: dict[str, list[Name]] = {}  # id -> abbreviations added to it
        self._owners: dict[str, tuple[str, ...]] = {}  # key of a full name -> ids
        self._aliases: dict[str, str] = {}  # id of what joined another -> id of that

    def concepts(self) -> list[Concept]:
        return [self._whole(concept) for concept in self._held.values()]

    def _whole(self, concept: Concept) -> Concept:
        parents = (self._aliases.get(parent, parent) for parent in concept.parents)
        return concept._replace(
            names=(*concept.names, *self._names.get(concept.id, ())),
            abbreviations=(*concept.abbreviations, *self._short.get(concept.id, ())),
            parents=tuple(dict.fromkeys(parent for parent in parents if parent != concept.id)),
        )

    def add(self, concepts: Iterable[Concept]) -> None:
        """Take in the concepts of one source as they are; those with the id of another join it."""
        for concept in concepts:
            if concept.id in self._held:
                self._extend(concept.id, concept.names, concept.abbreviations)
            else:
                self._held[concept.id] = concept
            for key in self._keyed(concept.names):
                self._own(key, concept.id)

    def join(self, concepts: Iterable[Concept]) -> None:
        """Take in the concepts of a further source."""
        # Who owns a name changes only between sources: the order within one does not matter.
        owned: list[tuple[str, str]] = []
        new: list[Concept] = []
        for concept in concepts:
            keyed = self._keyed(concept.names)
            target = self._target(concept, keyed)
            kind = self._held[target].kind if target else concept.kind
            free = {key: name for key, name in keyed.items() if not self._rivals(key, kind, target)}
            if target:
                self._aliases[concept.id] = target
                self._extend(target, [name for key, name in free.items()], concept.abbreviations)
            elif free:
                new.append(concept._replace(names=tuple(free.values())))
            owned += [(key, target or concept.id) for key in free]
        self.add(new)
        for key, identifier in owned:
            self._own(key, identifier)

    def _keyed(self, names: Sequence[Name]) -> dict[str, Name]:
        """Return key -> the first name that has it. Names without a word to know them by are left out."""
        found: dict[str, Name] = {}
        for name in names:
            found.setdefault(self._keys.joined(name.text), name)
        found.pop("", None)
        return found

    def _own(self, key: str, identifier: str) -> None:
        owners = self._owners.get(key, ())
        if identifier not in owners:
            self._owners[key] = (*owners, identifier)

    def _target(self, concept: Concept, keyed: dict[str, Name]) -> str:
        """Return the id of the concept that one joins, "" for none."""
        if concept.id in self._held:
            return concept.id
        claims = [self._claims(key, concept.kind) for key in keyed]
        preferred = claims[0] if claims and concept.names[0] is next(iter(keyed.values())) else []
        if len(preferred) == 1:
            return preferred[0]
        all_claims = {identifier for claimed in claims for identifier in claimed}
        return next(iter(all_claims)) if len(all_claims) == 1 else ""

    def _claims(self, key: str, kind: str) -> list[str]:
        """Return the ids of the concepts that have a name and may be of this kind."""
        return [one for one in self._owners.get(key, ()) if kind in (self._held[one].kind, _ANY_KIND)]

    def _rivals(self, key: str, kind: str, target: str) -> bool:
        """Whether a concept that may be of this kind, other than the target, has the name."""
        return any(one != target for one in self._claims(key, kind))

    def _extend(self, identifier: str, names: Iterable[Name], short: Iterable[Name]) -> None:
        held = self._held[identifier]
        added = self._names.setdefault(identifier, [])
        keys = self._keyed([*held.names, *added])
        added += [name for key, name in self._keyed(list(names)).items() if key not in keys]
        more = self._short.setdefault(identifier, [])
        texts = {name.text for name in (*held.abbreviations, *more)}
        more += [name for name in {name.text: name for name in short}.values() if name.text not in texts]
