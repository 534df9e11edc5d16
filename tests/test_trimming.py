"""Names that no trial can have are not looked for; what was typed always is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from known import known, taught
from small import concept
from trialindex.analysis import terms
from trialindex.vocabulary.mapped import Vocabulary
from trialsearch.expand import Expansion, expand
from trialsearch.parse import parse
from trialsearch.query import And, Best, In, Name, Near, Not, Or, Query, Term, Unless, Way, children
from trialsearch.trimming import trimmed

KNOWN = {"gout", "acut", "arthriti"}


def has(term: str) -> bool:
    return term in KNOWN


@pytest.mark.parametrize(
    ("part", "stays"),
    [
        (Term("gout"), True),
        (Term("podagra"), False),
        (Near(("acut", "", "arthriti")), True),
        (Near(("acut", "podagra")), False),
        (In("Condition", Term("gout")), True),
        (In("Condition", Term("podagra")), False),
        (Unless(Term("gout"), Name("Definition", "G\tgrade")), True),
        (Unless(Term("podagra"), Name("Definition", "G\tgrade")), False),
        (Or((Term("podagra"), Term("gout"))), True),
        (Or((Term("podagra"), Term("arthrolith"))), False),
    ],
)
@pytest.mark.parametrize("how", ["synonym", "learned", "concept"])
def test_a_way_stays_where_some_trial_may_meet_it(part: Query, stays: bool, how: str) -> None:
    typed = Way("typed", "gout", Term("gout"))
    found = trimmed(Best("gout", (typed, Way(how, "other", part))), has)
    assert found == Best("gout", (typed, Way(how, "other", part)) if stays else (typed,))


def test_what_was_typed_and_how_it_was_read_stay_whatever_they_find() -> None:
    ways = (Way("typed", "guot", Term("guot")), Way("spelling", "podagra", Term("podagra")))
    assert trimmed(Best("guot", ways), has) == Best("guot", ways)


def test_ways_go_wherever_they_stand() -> None:
    best = Best("gout", (Way("typed", "gout", Term("gout")), Way("synonym", "podagra", Term("podagra"))))
    left = Best("gout", best.ways[:1])
    other = Term("unheard")
    for wrap in (
        lambda part: In("Condition", part),
        Not,
        lambda part: And((part, other)),
        lambda part: Or((other, part)),
    ):
        assert trimmed(wrap(best), has) == wrap(left)


# Names of which one form is met where another name's is not.
VOCABULARY = Vocabulary.of(
    [
        concept(
            "C01", "zab disease", "non alcoholic zab", "human zab disease", "zab of the kod", short="NAZ"
        ),
        concept("C02", "kod syndrome", "non-alcoholic kod", "kod-zab", "kodzab", "zab ZK-2", short="ZK-2"),
        concept("C03", "zob", "kod-zab", "follow-up", short="ZAB"),
    ]
)
TAUGHT = taught(
    {"ZAB = zob": 40, "ZAB = zab disease": 2, "NAZ = non-alcoholic zab": 4, "KZ = kod-zab": 3},
    {"zab disease = non-alcoholic zab": 9, "zob = kod zab": 9},
    vocabulary=VOCABULARY,
)
NAMES = [name.text for number in range(3) for name in VOCABULARY.concept(number).names]
SHORT = "NAZ ZK-2 ZAB KZ zab".split()
TERMS = sorted({term for name in [*NAMES, *SHORT, "nonalcoholic"] for term in terms(name)})
FORMS = ["{}", '"{}"', "{} in zob", "NOT {}", "EXPANSION[Lossy]({} zob)", "COVERAGE[StartsWith]({})"]


def _named(query: Query) -> list[str]:
    """Return the names that a widened query asks beside what was typed."""
    own = (
        [way.text for way in query.ways if way.how in {"synonym", "learned"}]
        if isinstance(query, Best)
        else []
    )
    return own + [name for part in children(query) for name in _named(part)]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([*NAMES, *SHORT]), st.sampled_from(FORMS), st.sets(st.sampled_from(TERMS)))
def test_names_that_are_never_asked_are_those_that_are_trimmed(name: str, form: str, had: set[str]) -> None:
    lexicon = known(vocabulary=VOCABULARY, learned=TAUGHT, frequencies=dict.fromkeys(had, 7))
    every, some = Expansion(lexicon), Expansion(lexicon, all_names=False)
    query = parse(form.format(name))
    expected = trimmed(expand(query, every), lexicon.anywhere)
    found = expand(query, some)
    assert trimmed(found, lexicon.anywhere) == expected
    assert "COVERAGE" in form or _named(found) == _named(expected)
    assert (some.notes, some.unknown) == (every.notes, every.unknown)


def test_a_name_gives_way_to_one_that_it_contains_though_no_trial_has_that() -> None:
    # The second name is met as nonalcoholic; the first is not, and stands for both.
    lexicon = known(vocabulary=VOCABULARY, learned=TAUGHT, frequencies={"nonalcohol": 7, "zab": 7})
    for all_names in (False, True):
        found = expand(parse("zab disease"), Expansion(lexicon, all_names=all_names))
        assert _named(trimmed(found, lexicon.anywhere)) == []
