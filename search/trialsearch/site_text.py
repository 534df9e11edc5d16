"""The sites of a trial near a point, in words and as plain data.

>>> from trialsearch.sites import SiteShown
>>> near = SiteShown(0, {"city": "Boston", "country": "United States", "status": "RECRUITING"}, 12.34, True)
>>> site_words(near, "mi")
'12 mi  Boston, United States · recruiting · place looked up'
>>> as_dict(near)["distance"], as_dict(near)["looked_up"], as_dict(near)["facility"]
(12.34, True, None)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trialindex import codes
from trialindex.summary import text

if TYPE_CHECKING:
    from trialsearch.sites import SiteShown

__all__ = ["as_dict", "distance_words", "nearest_first", "site_words"]

_STATED = ("facility", "city", "state", "zip", "country", "status")


def distance_words(distance: float, unit: str) -> str:
    """Return a distance, to a tenth where it is short.

    >>> distance_words(0.04, "km"), distance_words(9.96, "mi"), distance_words(1234.5, "km")
    ('0.0 km', '10 mi', '1,234 km')
    """
    return f"{distance:.1f} {unit}" if distance < 9.95 else f"{distance:,.0f} {unit}"


def site_words(site: SiteShown, unit: str) -> str:
    """Return how far a site is, where it is, whether it recruits, and whether its place was looked up."""
    held = {key: text(site.location.get(key)) for key in _STATED}
    place = ", ".join(filter(None, (held["city"], held["state"], held["country"])))
    status = held["status"]
    told = (
        place or held["facility"] or "unnamed place",
        codes.words(status).lower() if status else "",
        "place looked up" if site.looked_up else "",
    )
    far = "" if site.distance is None else f"{distance_words(site.distance, unit)}  "
    return far + " · ".join(filter(None, told))


def nearest_first(sites: Sequence[SiteShown], most: int) -> list[SiteShown]:
    """Return the first of some sites, at most so many: the nearest one goes before the others.

    >>> from trialsearch.sites import SiteShown
    >>> sites = [SiteShown(number, {}, far, False) for number, far in enumerate((7.0, None, 3.0, 9.0))]
    >>> [site.number for site in nearest_first(sites, 2)]
    [2, 0]
    """
    known = [site for site in sites if site.distance is not None]
    nearest = [min(known, key=lambda site: (site.distance, site.number))] if known else []
    return [*nearest, *(site for site in sites if site not in nearest)][:most]


def as_dict(site: SiteShown) -> dict[str, Any]:
    """Return a site as plain data that JSON can hold; the distance to a hundredth of its unit."""
    stated = {key: text(site.location.get(key)) for key in _STATED}
    far = None if site.distance is None else round(site.distance, 2)
    return {**stated, "distance": far, "looked_up": site.looked_up}
