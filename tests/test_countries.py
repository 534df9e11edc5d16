"""Countries as people type them."""

from __future__ import annotations

import pytest

from trialindex import countries
from trialindex.analysis import fold
from trialindex.countries import same_country


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("USA", "United States"),
        (" u.s.a. ", "United States"),
        ("united  states", "United States"),
        ("UK", "United Kingdom"),
        ("Turkey", "Turkey (Türkiye)"),
        ("Türkiye", "Turkey"),
        ("Russia", "Russian Federation"),
        ("Iran", "Iran, Islamic Republic of"),
        ("South Korea", "Korea, Republic of"),
        ("South Korea", "South Korea"),
        ("Ivory Coast", "Côte D'Ivoire"),
        ("cote d’ivoire", "Côte D'Ivoire"),
        ("Holland", "Netherlands"),
        ("Czech Republic", "Czechia"),
        ("Czechia", "Czech Republic"),
        ("Vietnam", "Viet Nam"),
        ("France", "France"),
        ("RÉUNION", "Réunion"),
    ],
)
def test_what_is_typed_meets_what_the_registry_writes(typed: str, held: str) -> None:
    assert fold(held) in same_country(typed)


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("South Korea", "Korea, Democratic People's Republic of"),
        ("Guinea", "Papua New Guinea"),
        ("Ireland", "United Kingdom"),
        ("Congo", "Congo, The Democratic Republic of the"),
        ("Georgia", "United States"),
        ("", "France"),
    ],
)
def test_neighbours_stay_apart(typed: str, held: str) -> None:
    assert fold(held) not in same_country(typed)


def test_no_name_stands_in_two_rows() -> None:
    names = [name for row in countries._ROWS for name in {fold(name) for name in row}]
    assert len(names) == len(set(names))
