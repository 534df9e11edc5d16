"""Names that no trial can have are not looked for; what was typed always is."""

from __future__ import annotations

import pytest

from trialsearch.query import And, Best, In, Name, Near, Not, Or, Query, Term, Unless, Way
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
