"""What a further source knows joins what has its name, and takes no name away from anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.analysis import normal_words
from trialindex.vocabulary.concepts import Concept, Name
from trialindex.vocabulary.joining import merged


def concept(
    identifier: str,
    *names: str,
    source: str = "base",
    kind: str = "condition",
    short: Sequence[str] = (),
    parents: Sequence[str] = (),
) -> Concept:
    return Concept(
        identifier,
        kind,
        tuple(Name(name, source) for name in names),
        tuple(Name(name, source) for name in short),
        tuple(parents),
    )


def more(identifier: str, *names: str, **rest: Sequence[str]) -> Concept:
    kind = rest.pop("kind", "condition")
    assert isinstance(kind, str)
    return concept(identifier, *names, source="more", kind=kind, **rest)


GOUT = concept("D1", "Gout", "Gouty Arthritis", short=("GA",), parents=("D9",))
LUPUS = concept("D2", "Lupus", "Lupus Erythematosus")


def with_names(held: Concept, *names: str, short: Sequence[str] = ()) -> Concept:
    """A concept with names that the further source added."""
    return held._replace(
        names=held.names + tuple(Name(name, "more") for name in names),
        abbreviations=held.abbreviations + tuple(Name(name, "more") for name in short),
    )


def test_without_more_all_stays() -> None:
    assert merged([LUPUS, GOUT], []) == [LUPUS, GOUT]
    assert merged([], [[GOUT], []]) == [GOUT]


def test_a_concept_joins_by_its_id_whatever_its_names() -> None:
    assert merged([GOUT, LUPUS], [[more("D1", "Podagra", "Lupus")]]) == [with_names(GOUT, "Podagra"), LUPUS]


def test_a_preferred_name_decides_over_other_names() -> None:
    added = more("X:1", "gouts", "Podagra", "lupus")
    assert merged([GOUT, LUPUS], [[added]]) == [with_names(GOUT, "Podagra"), LUPUS]


def test_any_name_decides_unless_two_claim_it() -> None:
    joined = more("X:1", "Podagra", "Gouty arthritis")
    torn = more("X:2", "Big Toe Disease", "gout", "lupus")
    assert merged([GOUT, LUPUS], [[joined, torn]]) == [
        with_names(GOUT, "Podagra"),
        LUPUS,
        more("X:2", "Big Toe Disease"),
    ]


def test_what_is_ambiguous_already_is_joined_by_neither_and_nothing_is_left_of_it() -> None:
    base = [GOUT, concept("D3", "Gout Disease", "Gout")]
    assert merged(base, [[more("X:1", "gout")]]) == base


def test_kinds_stay_apart_but_for_those_that_say_none() -> None:
    drug = more("X:1", "Gout", "Goutex", kind="intervention")
    assert merged([GOUT], [[drug]]) == [GOUT, drug]
    unsaid = more("X:2", "Gout", "Podagra", kind="other")
    assert merged([GOUT], [[unsaid]]) == [with_names(GOUT, "Podagra")]
    torn = more("X:3", "Toe", "Gout", "Lupus", kind="other")
    assert merged([GOUT, LUPUS], [[torn]]) == [GOUT, LUPUS, more("X:3", "Toe", kind="other")]


def test_abbreviations_join_nothing_and_are_added_once() -> None:
    added = more("X:1", "Gout", short=("GA", "ga", "LE"))
    assert merged([GOUT, LUPUS], [[added]]) == [with_names(GOUT, short=("ga", "LE")), LUPUS]
    same = more("X:2", "GA")
    assert merged([GOUT], [[same]]) == [GOUT, same]


def test_parents_are_named_by_what_they_joined() -> None:
    new = more("X:2", "Toe Gout", parents=("X:1", "D1", "X:9"))
    assert merged([GOUT], [[new, more("X:1", "gout", parents=("X:8",))]]) == [
        GOUT,
        new._replace(parents=("D1", "X:9")),
    ]


def test_a_concept_is_not_above_itself() -> None:
    circle = [more("X:1", "gout"), more("X:2", "Toe Gout", "podagra", parents=("X:1",))]
    base = [concept("D1", "Gout", "Podagra", parents=("D9",))]
    assert merged(base, [circle]) == [with_names(base[0], "Toe Gout")]


def test_a_later_source_joins_what_an_earlier_one_brought() -> None:
    first, second = more("X:1", "Podagra"), concept("Y:1", "Podagra", "Toe Gout", source="later")
    assert merged([], [[first], [second]]) == [
        first._replace(names=(*first.names, Name("Toe Gout", "later")))
    ]


def test_two_things_of_one_source_are_two_things() -> None:
    two = [more("X:1", "Podagra", "Toe"), more("X:2", "Toe", "Podagra")]
    assert merged([GOUT], [two]) == [GOUT, *two]


def test_names_that_have_no_words_are_no_names() -> None:
    assert merged([GOUT], [[more("X:1", "of the", "the")]]) == [GOUT]


words = st.sampled_from("gout gouts lupus toe disease of SLE IL-2 acute".split())
texts = st.lists(words, min_size=1, max_size=2).map(" ".join)
kinds = st.sampled_from(["condition", "intervention", "other"])


def sources(name: str, letter: str) -> st.SearchStrategy[list[Concept]]:
    names = st.builds(Name, texts, st.just(name))
    identifiers = st.integers(0, 5).map(f"{letter}:{{}}".format)
    return st.lists(
        st.builds(
            Concept,
            identifiers,
            kinds,
            st.lists(names, min_size=1, max_size=3).map(tuple),
            st.lists(names, max_size=2).map(tuple),
            st.lists(identifiers, max_size=2).map(tuple),
        ),
        max_size=5,
        unique_by=lambda concept: concept.id,
    )


def owners(concepts: Iterable[Concept]) -> dict[tuple[str, tuple[str, ...]], set[str]]:
    """Kind and key of a full name -> the ids of those that have it."""
    found = defaultdict(set)
    for one in concepts:
        for name in one.names:
            if key := normal_words(name.text):
                found[one.kind, key].add(one.id)
    return found


@settings(max_examples=300, deadline=None)
@given(sources("base", "D"), sources("more", "X"), sources("later", "Y"))
def test_nothing_is_lost_and_no_known_name_gets_another_meaning(
    base: list[Concept], first: list[Concept], second: list[Concept]
) -> None:
    found = merged(base, [first, second])
    assert len({one.id for one in found}) == len(found)
    for held, one in zip(base, found, strict=False):
        assert (one.id, one.kind, one.names[: len(held.names)]) == (held.id, held.kind, held.names)
        assert one.abbreviations[: len(held.abbreviations)] == held.abbreviations
    before, after = owners(base), owners(found)
    assert all(after[name] == held for name, held in before.items())
    keys = {key for _, key in after}
    for one in (*first, *second):
        assert {normal_words(name.text) for name in one.names} - {()} <= keys
    assert merged(found, []) == found
