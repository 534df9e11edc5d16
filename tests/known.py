"""What tests of the query side know: a small vocabulary, and what trials teach, without an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from small import concept
from trialindex.fields import ANY_AREA, concept_term
from trialindex.vocabulary.learned import Learned
from trialindex.vocabulary.mapped import Vocabulary
from trialindex.vocabulary.teaching import write_learned
from trialsearch.lexicon import IndexLexicon

__all__ = ["COMMON", "VOCABULARY", "known", "taught"]

VOCABULARY = Vocabulary.of(
    [
        concept("C01", "lupus nephritis", "lupus glomerulonephritis", short="LN", parents="C02"),
        concept("C02", "systemic lupus erythematosus", short="SLE"),
        concept("C03", "systemic sclerosis", "scleroderma", short="SSc"),
        concept("C04", "multiple sclerosis", short="MS", parents="C05"),
        concept("C05", "demyelinating disease"),
        concept("C06", "mitral stenosis", short="MS", parents="C07"),
        concept("C07", "heart valve disease"),
        concept("C08", "non-alcoholic steatohepatitis", short="NASH"),
        concept("C09", "small cell lung cancer", "oat cell carcinoma"),
        concept("I01", "mesenchymal stem cell", "mesenchymal stromal cell", short="MSC", kind="intervention"),
        concept("I02", "umbilical cord mesenchymal stem cell", short="UC-MSC", kind="intervention"),
        concept("I03", "interleukin-2", "aldesleukin", short="IL-2", kind="intervention"),
        concept("I04", "morphine sulfate", short="MS", kind="intervention"),
        concept("I05", "cyclophosphamide", "Cytoxan", short="CYC", kind="intervention"),
        concept("I06", "pembrolizumab", kind="intervention"),
        concept("P01", "mechanical stretching", kind="procedure"),
    ]
)
# Words that trials have.
COMMON = dict.fromkeys("lupus nephriti stem cell cord umbil heart valv mesenchym ms children".split(), 50)


class _Index:
    """What a lexicon asks of a snapshot: trials by term, and by the id of a concept."""

    def __init__(
        self,
        vocabulary: Vocabulary | None,
        learned: Learned | None,
        frequencies: Mapping[str, int],
        links: Mapping[str, int],
    ) -> None:
        self.vocabulary = vocabulary
        self.learned = learned
        self._frequencies = frequencies
        self._links = {concept_term(identifier): trials for identifier, trials in links.items()}

    def anywhere(self, term: str) -> int:
        return self._frequencies.get(term, 0)

    def frequency(self, term: str, area: str) -> int:
        assert area == ANY_AREA or area.endswith("/concepts")
        return (self._frequencies if area == ANY_AREA else self._links).get(term, 0)


def known(
    *,
    vocabulary: Vocabulary | None = VOCABULARY,
    learned: Learned | None = None,
    frequencies: Mapping[str, int] = COMMON,
    links: Mapping[str, int] | None = None,
) -> IndexLexicon:
    """Return a lexicon of an index that has these terms and links in so many trials."""
    index: Any = _Index(vocabulary, learned, frequencies, links or {})
    return IndexLexicon(index)


def taught(
    definitions: Mapping[str, int] | None = None,
    names: Mapping[str, int] | None = None,
    words: Mapping[str, tuple[int, int]] | None = None,
    vocabulary: Vocabulary = VOCABULARY,
) -> Learned:
    """Return what trials teach; `definitions` and `names`: pairs as `MS = multiple sclerosis`, with their
    trials; `words`: of names, with trials and kinds.
    """

    def pairs(held: Mapping[str, int] | None) -> Iterator[tuple[str, int]]:
        return iter(sorted((pair.replace(" = ", "\t"), trials) for pair, trials in (held or {}).items()))

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "000001.lrn"
        write_learned(path, pairs(definitions), pairs(names), words or {}, vocabulary)
        return Learned(path)
