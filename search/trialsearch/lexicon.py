"""What a snapshot knows of words: how frequent they are, and which of them are parts of names."""

from __future__ import annotations

import re
from collections import Counter

from trialindex.storage import Snapshot
from trialindex.vocabulary import Vocabulary
from trialsearch.fuzzy import NameWords

__all__ = ["IndexLexicon"]

_WORD = re.compile(r"[^\W\d_]{4,}")
# The names of each kind of concept stand in one field of the index.
_NAME_FIELDS = {"condition": "ConditionName", "intervention": "InterventionFullName"}


class IndexLexicon:
    """The lexicon of expansion over one snapshot and a vocabulary; works things out when first asked,
    and keeps them.
    """

    def __init__(self, snapshot: Snapshot, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._snapshot = snapshot
        self._names: dict[frozenset[str] | None, NameWords] = {}
        self._fields: dict[str, dict[str, int]] = {}

    def frequency(self, term: str) -> int:
        """Return how many trials have a term in any field."""
        return self._snapshot.anywhere(term)

    def name_words(self, kinds: frozenset[str] | None) -> NameWords:
        """Return the folded words of names of some kinds (None: all) with their number of trials.

        The number is 0 where only the vocabulary has the word.
        """
        found = self._names.get(kinds)
        if found is None:
            words: Counter[str] = Counter()
            for kind, field in _NAME_FIELDS.items():
                if kinds is None or kind in kinds:
                    words.update(self._field_words(field))
            concepts = self.vocabulary.concepts
            names = [
                name for one in concepts if kinds is None or one.kind in kinds for name in one.full_names
            ]
            known = dict.fromkeys(_WORD.findall("\n".join(names).lower()), 0)
            found = self._names[kinds] = NameWords({**known, **words})
        return found

    def _field_words(self, field: str) -> dict[str, int]:
        """Return the words of a field's names with their number of trials."""
        found = self._fields.get(field)
        if found is None:
            # Names that as many trials have are read at once: of most there are few.
            texts: dict[int, list[str]] = {}
            for name, frequency in self._snapshot.names(field):
                texts.setdefault(frequency, []).append(name.partition("\t")[0])
            found = {}
            for frequency, names in texts.items():
                for word, times in Counter(_WORD.findall("\n".join(names))).items():
                    found[word] = found.get(word, 0) + times * frequency
            self._fields[field] = found
        return found
