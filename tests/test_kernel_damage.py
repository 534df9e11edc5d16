"""Whatever number of a segment lies, the compiled kernel answers or reports the file, and touches nothing
that is not there: each array has memory of its own here, where a tool that watches memory sees it overrun.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from kernel_corpus import CITY, MOST_PLACED, SUMMARY, TITLE, Corpus, compiled_only, written
from trialindex.errors import IndexDamaged
from trialindex.segments import bounds
from trialindex.segments.arrays import ArrayFile
from trialindex.segments.postings import PostingsReader

pytestmark = compiled_only

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

NAME = "forged.seg"
# The last terms are in the second block of sixteen, the very last one is long.
TERMS = [*(b"carcinoma%02d" % number for number in range(15)), b"d", b"e", b"f", b"g" * 300]
D, E, F, G = 15, 16, 17, 18


def docs_of(documents: int) -> list[int]:
    """Return the documents of a list, the last one of all if a place has room for it."""
    last = min(documents, MOST_PLACED) - 1
    return [0, 1, 2, 3, 4, 5, 6, 7, 8, last // 2, last]


def corpus(documents: int) -> Corpus:
    """Every term in some documents, four of them side by side in more than a few, the last one among them."""
    docs = docs_of(documents)
    # Of sixty postings before those of the fourth last term: its fifth is the 64th.
    made: dict[bytes, Any] = {
        term: {docs[at]: {CITY: [n]} for at in sorted({(n + more) % 9 for more in range(4)})}
        for n, term in enumerate(TERMS)
    }
    for at, term in enumerate(TERMS[D : E + 1]):
        made[term] = {doc: {TITLE: [at, 254 + at, 70_000 + at], SUMMARY: [doc % 5 + at]} for doc in docs}
    made[TERMS[F]] = {doc: {TITLE: [2]} for doc in docs[::2]}
    made[TERMS[G]] = {doc: {CITY: [0, 255], TITLE: [1]} for doc in docs[1::2]}
    return made


class Forged(ArrayFile):
    """Arrays as a file would hold them."""

    def __init__(self, arrays: Mapping[str, Array | None]) -> None:
        self.path, self.name = Path(NAME), NAME
        self._arrays = {name: np.array(array) for name, array in arrays.items() if array is not None}

    def has(self, name: str) -> bool:
        return name in self._arrays

    def get(self, name: str, *dtypes: npt.DTypeLike) -> Array:
        if name not in self._arrays or (dtypes and self._arrays[name].dtype not in dtypes):
            raise self.damaged(name)
        return self._arrays[name]


def widened(arrays: Arrays) -> Arrays:
    """Return the same numbers, each of them in the last of three planes, and offsets of eight bytes."""
    made = dict(arrays)
    for name in (
        "terms.sizes", "postings.docs.sizes", "postings.patterns", "patterns.sizes", "occurrences.sizes",
        "occurrences.positions",
    ):  # fmt: skip
        numbers = arrays[name].astype(np.uint32)
        odd = np.flatnonzero(numbers == 255) if f"{name}.ranks" in arrays else numbers[:0]
        two = arrays.get(f"{name}.16", numbers[:0]).astype(np.uint32)
        two[two == 65_535] = arrays.get(f"{name}.32", numbers[:0])
        numbers[odd] = two
        ranks = np.minimum(np.arange(len(numbers) // 1024 + 2) * 1024, len(numbers)).astype(np.uint64)
        made[name] = np.full(len(numbers), 255, np.uint8)
        made[f"{name}.16"] = np.full(len(numbers), 65_535, np.uint16)
        made[f"{name}.32"] = numbers
        made[f"{name}.ranks"] = made[f"{name}.16.ranks"] = ranks
    for name in ("terms.sizes.starts", "postings.docs.sizes.starts", "postings.docs.places"):
        made[name] = arrays[name].astype(np.uint64)
    for name in ("occurrences.sizes.starts", "postings.occurrences"):
        made[name] = arrays[name].astype(np.uint64)
    return made


# Documents of a byte, of three bytes and in pages, of four.
FEW = 20
SIZES = (FEW, 200_000, (1 << 24) + 1)
KINDS = [(documents, wide) for documents in SIZES for wide in (False, True)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, bool], Arrays]:
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "BOUND_FROM", 1 << 60)
        for documents in SIZES:
            path = tmp_path_factory.mktemp("sound") / "x.seg"
            file = ArrayFile(written(path, corpus(documents), documents))
            arrays = {name: file.get(name) for name in file.names() if not name.startswith("area.")}
            made[documents, False], made[documents, True] = arrays, widened(arrays)
    return made


Ask = Callable[[PostingsReader], Any]


def placed(term: bytes) -> Ask:
    return lambda reader: reader.terms.place(term)


def listed(ordinal: int) -> Ask:
    return lambda reader: reader.documents(ordinal).tolist()


def weighed(ordinal: int, area: str) -> Ask:
    return lambda reader: [found.tolist() for found in reader.decoded(ordinal, area)]


def phrased(
    *ordinals: int, slop: int = 0, area: str = "Everywhere", some: Any = None, denied: int = -1
) -> Ask:
    docs = None if some is None else np.array(some, np.uint32)
    offsets = range(len(ordinals))
    return lambda reader: reader.phrase(ordinals, offsets, slop, area, docs, denied).tolist()


LISTED, PHRASED = listed(D), phrased(D, E)
ASKS: list[Ask] = [
    *(placed(term) for term in (b"", b"carcinoma03", b"carcinoma10x", b"d", b"g" * 300, b"g" * 301, b"zz")),
    *(listed(ordinal) for ordinal in (0, 14, E, G)), LISTED, PHRASED,
    *(weighed(ordinal, area) for ordinal in (3, D, G) for area in ("Everywhere", "LocationSearch")),
    phrased(D, E, F), phrased(E, D, slop=3), phrased(D, E, slop=15, denied=G), phrased(G),
    phrased(F, E, D, slop=2), phrased(D, D, E, slop=1, area="BriefTitle"), phrased(D, E, some=[1, 3, 8]),
    phrased(D, E, denied=F, area="BriefTitle", some=[8, 3, 3, 1 << 31]), phrased(0, D), phrased(E, denied=D),
]  # fmt: skip


def answers(arrays: Mapping[str, Array | None], documents: int) -> list[Any]:
    """Return what each ask ends in: an answer, or the message of IndexDamaged, which names the file."""
    try:
        reader = PostingsReader(Forged(arrays), documents)
    except IndexDamaged as error:
        assert NAME in str(error)
        return [str(error)]
    found: list[Any] = []
    for ask in ASKS:
        try:
            found.append(ask(reader))
        except IndexDamaged as error:
            assert NAME in str(error)
            found.append(str(error))
    return found


def test_what_is_sound_is_answered(sound: dict[tuple[int, bool], Arrays]) -> None:
    for documents in SIZES:
        found = answers(sound[documents, False], documents)
        assert found == answers(sound[documents, True], documents)
        assert not any(isinstance(answer, str) for answer in found)
        docs = docs_of(documents)
        assert found[ASKS.index(LISTED)] == docs
        # In the title at three places, in the summary at one.
        assert [place >> 40 for place in found[ASKS.index(PHRASED)]] == [
            doc for doc in docs for _ in range(4)
        ]


def lies(arrays: Arrays, choose: random.Random, keep: float) -> Iterator[tuple[str, dict[str, Array | None]]]:
    """Yield arrays of which one is not as it was, and what is wrong: a share of all ways."""
    for name, array in arrays.items():
        whole: dict[str, Array | None] = {
            "gone": None,
            "empty": array[:0],
            "shorter": array[:-1],
            "longer": np.concatenate([array, array[:1]]),
            "twice": np.concatenate([array, array]),
            "reversed": array[::-1],
            "zero": np.zeros_like(array),
            "greatest": np.full_like(array, np.iinfo(array.dtype).max),
        }
        for kind, changed in whole.items():
            yield f"{name} {kind}", {**arrays, name: changed}
        top = int(np.iinfo(array.dtype).max)
        values = {
            0,
            1,
            2,
            12,
            255,
            256,
            top,
            top - 1,
            top // 2,
            top // 2 + 1,
            1 << 40,
            1 << 62,
            (1 << 62) - 1,
        }
        for index in range(len(array)):
            for value in sorted({*values, int(array[index]) + 1, int(array[index]) - 1}):
                if 0 <= value <= top and choose.random() < keep:
                    edited = array.copy()
                    edited[index] = value
                    yield f"{name}[{index}] is {value}", {**arrays, name: edited}


def all_end_well(sound: dict[tuple[int, bool], Arrays], seed: int, keep: float) -> int:
    """Ask all of files that lie; return how many of these an ask reported."""
    choose, reported = random.Random(seed), 0
    for (documents, _), arrays in sound.items():
        for _what, changed in lies(arrays, choose, keep):
            reported += any(isinstance(answer, str) for answer in answers(changed, documents))
    return reported


def test_any_number_may_lie(sound: dict[tuple[int, bool], Arrays]) -> None:
    assert all_end_well(sound, 11, keep=0.04) > 300


def greatest(bits: int) -> Callable[[Array], Array]:
    """Make the first number of an array the greatest that is signed in so many bits."""

    def made(array: Array) -> Array:
        return np.concatenate([np.array([(1 << bits) - 1], np.uint64), array[1:].astype(np.uint64)])

    return made


def second(number: int) -> Callable[[Array], Array]:
    """Make the second number of an array another one."""
    return lambda array: np.array([array[0], number, *array[2:]], np.uint64)


def filled(value: int) -> Callable[[Array], Array]:
    return lambda array: np.full_like(array, value)


NO_PATTERN = "a posting has a pattern that is not there"
OTHERS = "a posting has other occurrences than its term"
LIES = [
    # What would begin so far that its end is counted as before it.
    (FEW, "occurrences.sizes.starts", greatest(63), phrased(0), "a stretch of occurrences leads nowhere"),
    (FEW, "occurrences.sizes.starts", greatest(64), phrased(0), "a stretch of occurrences leads nowhere"),
    (FEW, "occurrences.sizes", filled(200), phrased(E), "a stretch of occurrences leads nowhere"),
    (FEW, "postings.docs.sizes.starts", greatest(63), listed(0), "a list has more documents than patterns"),
    (FEW, "postings.docs.sizes.starts", greatest(64), listed(14), "a list has more documents than patterns"),
    (FEW, "postings.docs.places", greatest(63), listed(0), "a list ends after all of them"),
    (FEW, "postings.docs.places", greatest(64), listed(14), "a list ends after all of them"),
    (FEW, "postings.docs.sizes", filled(254), listed(E), "a list ends after all of them"),
    (FEW, "postings.docs", filled(FEW), listed(0), "a list has documents that are not there"),
    (200_000, "postings.docs", filled(255), listed(0), "a list has documents that are not there"),
    (200_000, "postings.docs", filled(255), listed(D), "the pages of a list have others than it states"),
    (200_000, "postings.docs", filled(0), listed(D), "the pages of a list have others than it states"),
    (FEW, "postings.patterns", filled(254), weighed(D, "BriefTitle"), NO_PATTERN),
    (FEW, "postings.patterns", filled(254), phrased(D), NO_PATTERN),
    (FEW, "postings.patterns", filled(1), phrased(0, some=[1]), OTHERS),
    (FEW, "postings.occurrences", second(0), phrased(D, some=[8]), OTHERS),
    (FEW, "postings.occurrences", second(1 << 31), phrased(D, some=[8]), OTHERS),
    (FEW, "postings.occurrences", second((1 << 64) - 1), phrased(D, some=[8]), OTHERS),
    (FEW, "terms.sizes.starts", greatest(63), placed(b"d"), "the terms 'terms': a stretch leads nowhere"),
    (FEW, "terms.sizes.starts", greatest(64), placed(b""), "the terms 'terms': a stretch leads nowhere"),
    (FEW, "terms.sizes", filled(254), placed(b"zz"), "the terms 'terms': a stretch leads nowhere"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "name", "lie", "ask", "said"), LIES)
def test_what_lies_is_named(
    sound: dict[tuple[int, bool], Arrays], documents: int, name: str, lie: Callable[[Array], Array], ask: Ask,
    said: str,
) -> None:  # fmt: skip
    arrays = sound[documents, False]
    ask(PostingsReader(Forged(arrays), documents))
    with pytest.raises(IndexDamaged) as raised:
        ask(PostingsReader(Forged({**arrays, name: lie(arrays[name])}), documents))
    assert str(raised.value) == f"{NAME} is damaged ({said}): build the index again"


@pytest.mark.parametrize("plane", ["", ".16"])
@pytest.mark.parametrize("rank", [1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 100_000])
def test_ranks_that_lead_nowhere(sound: dict[tuple[int, bool], Arrays], plane: str, rank: int) -> None:
    for name, ask in (
        ("terms.sizes", placed(b"d")),
        ("postings.docs.sizes", listed(D)),
        ("postings.patterns", weighed(D, "BriefTitle")),
        ("postings.patterns", phrased(D)),
        ("occurrences.sizes", phrased(D)),
        ("occurrences.positions", phrased(D)),
    ):
        ranks = sound[FEW, True][f"{name}{plane}.ranks"].copy()
        ranks[0] = rank
        reader = PostingsReader(Forged({**sound[FEW, True], f"{name}{plane}.ranks": ranks}), FEW)
        for _ in range(2):  # and when asked again
            with pytest.raises(IndexDamaged, match=r"forged\.seg is damaged \("):
                ask(reader)


def test_a_list_of_documents_without_any_pattern(sound: dict[tuple[int, bool], Arrays]) -> None:
    nothing = np.empty(0, np.uint8)
    reader = PostingsReader(
        Forged({**sound[FEW, False], "patterns.sizes": nothing, "patterns.fields": nothing}), FEW
    )
    for ask in (weighed(D, "BriefTitle"), phrased(D)):
        with pytest.raises(IndexDamaged, match=NO_PATTERN):
            ask(reader)


def test_memory_is_given_back(sound: dict[tuple[int, bool], Arrays]) -> None:
    """After hits, misses, and errors in the midst of a phrase."""
    good, arrays = PostingsReader(Forged(sound[FEW, False]), FEW), sound[FEW, False]
    late = arrays["postings.patterns"].copy()
    late[-20:] = 254
    bad = PostingsReader(Forged({**arrays, "postings.patterns": late}), FEW)

    def many(times: int) -> None:
        for _ in range(times):
            assert phrased(D, E, denied=F)(good) and not phrased(E, D)(good)
            with pytest.raises(IndexDamaged):
                phrased(D, E)(bad)

    tracemalloc.start()
    try:
        many(20)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        many(500)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A phrase has some hundred bytes at hand.
    assert after - before < 10_000
