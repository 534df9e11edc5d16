"""Countries as people type them, and the registry's own names for them.

>>> same_country("USA"), same_country("south korea")
(('united states',), ('korea, republic of', 'south korea'))
>>> same_country("Narnia")
('narnia',)
"""

from __future__ import annotations

from trialindex.analysis import fold

__all__ = ["same_country"]

# Each row: names of one country; the registry writes one of them, and has changed some over the years.
_ROWS = (
    ("united states", "usa", "us", "u.s.", "u.s.a.", "america", "united states of america"),
    ("united kingdom", "uk", "u.k.", "great britain", "britain"),
    ("korea, republic of", "south korea", "korea"),
    ("korea, democratic people's republic of", "north korea"),
    ("turkey", "turkey (türkiye)", "türkiye", "turkiye"),
    ("russian federation", "russia"),
    ("iran, islamic republic of", "iran"),
    ("czechia", "czech republic"),
    ("netherlands", "holland", "the netherlands"),
    ("vietnam", "viet nam"),
    ("taiwan", "taiwan, province of china"),
    ("côte d'ivoire", "ivory coast"),
    ("syrian arab republic", "syria"),
    ("tanzania", "tanzania, united republic of"),
    ("moldova, republic of", "moldova"),
    ("north macedonia", "macedonia", "macedonia, the former yugoslav republic of"),
    ("congo, the democratic republic of the", "democratic republic of the congo", "drc"),
    ("lao people's democratic republic", "laos"),
    ("united arab emirates", "uae"),
    ("eswatini", "swaziland"),
    ("burma", "myanmar"),
    ("china", "people's republic of china", "prc"),
)
_SPELLED_OUT = {
    "united states": ("united states",),
    "korea, republic of": ("korea, republic of", "south korea"),
}


def same_country(name: str) -> tuple[str, ...]:
    """Return the folded names under which the registry may hold a country; the name itself, folded, if
    none is known.
    """
    key = fold(" ".join(name.split()))
    for row in _ROWS:
        folded = tuple(fold(entry) for entry in row)
        if key in folded:
            return _SPELLED_OUT.get(row[0], folded)
    return (key,)
