"""What a snapshot knows of words: how frequent they are, and which of them are parts of names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trialindex.fields import AREAS
from trialindex.storage import Snapshot
from trialindex.vocabulary import Vocabulary

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
        self._frequencies: dict[str, int] = {}
        self._names: dict[frozenset[str] | None, dict[str, int]] = {}

    def frequency(self, term: str) -> int:
        """Return in how many trials the field that has a term most often has it; 0 where no field has it."""
        if term not in self._frequencies:
            self._frequencies[term] = max(
                self._snapshot.frequency(field, term) for field in AREAS["Everywhere"]
            )
        return self._frequencies[term]

    def name_words(self, kinds: frozenset[str] | None) -> Mapping[str, int]:
        """Return the folded words of names of some kinds (None: all) with their number of trials.

        The number is 0 where only the vocabulary has the word.
        """
        if kinds not in self._names:
            words: dict[str, int] = {}
            for kind, field in _NAME_FIELDS.items():
                if kinds is None or kind in kinds:
                    for term, frequency in self._snapshot.terms(field):
                        for word in _WORD.findall(term.partition("\t")[0]):
                            words[word] = words.get(word, 0) + frequency
            for concept in self.vocabulary.concepts:
                if kinds is None or concept.kind in kinds:
                    for name in concept.full_names:
                        for word in _WORD.findall(name.lower()):
                            words.setdefault(word, 0)
            self._names[kinds] = words
        return self._names[kinds]
