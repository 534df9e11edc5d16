"""Which trials have a site that meets all of a condition, or lies near a point; and the sites of one trial.

`SEARCH[Location](...)` is worked out on the sites of the documents that may meet it at all: bool[sites], one
entry for each site, so that AND, OR and NOT hold of one and the same one. Words are found as everywhere, by
their places, and belong to the site whose value they stand in: the k-th value of LocationCity is that of the
k-th site. What no array has by site, who to call there, is read from the stored records.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from trialindex.analysis import VALUE_GAP, fold
from trialindex.countries import same_country
from trialindex.document import AT_SITE
from trialindex.errors import IndexDamaged, QueryError
from trialindex.fields import FIELD_NUMBERS, FIELDS, PLACED, area_fields
from trialindex.frozen import frozen
from trialindex.segments.arrays import spread
from trialindex.study_fields import by_piece, values
from trialindex.worked_out import COUNTED, country_code, counts
from trialsearch import distance as earth
from trialsearch import places as stand
from trialsearch.exact import Sought
from trialsearch.lists import Recent
from trialsearch.names import typed_forms
from trialsearch.query import (
    All,
    And,
    AtSite,
    Best,
    Boost,
    Code,
    Distance,
    Fuzzy,
    Group,
    In,
    Missing,
    Name,
    Near,
    Not,
    Nothing,
    Optional,
    Or,
    Prefix,
    Query,
    Range,
    Term,
    Tiers,
    Tilted,
    Unless,
    Verified,
    Way,
    Wildcard,
    Within,
    children,
    conjunction,
    disjunction,
)  # fmt: skip
from trialsearch.values import of_site

if TYPE_CHECKING:
    from trialindex.modules import Modules
    from trialindex.snapshot import Snapshot
    from trialsearch.evaluate import Evaluator

__all__ = ["SiteShown", "at_site", "nearest", "sites_shown", "within"]

Mask = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
Docs = npt.NDArray[np.uint32]

_MODULE = ("protocolSection", "contactsLocationsModule")
# What the registry works out for a site: the record does not state it.
_WORKED_OUT = frozenset({"LocationCountryCode", "NumLocationContacts"})
_LOCATIONS = "protocolSection.contactsLocationsModule.locations"
# Fields whose whole values are names, and where their words stand.
_WHOLE = {"Country": "LocationCountry", "CityName": "LocationCity", "StateName": "LocationState"}
_AREA = "LocationSearch"
_Text = Term | Near | Within | Prefix | Wildcard | Fuzzy
# Documents whose values are read at a time.
_TOGETHER = 1 << 13
# Bits of a position: a place inside a document is less than this.
_POSITION = 32
# Points around which a snapshot keeps the distances of all trials.
_KEPT_POINTS = 4


def within(snapshot: Snapshot, query: Distance) -> Mask:
    """Return which documents have a site within a distance, bool[corpus]; at that very distance is within."""
    sites = snapshot.sites()
    found = np.zeros(snapshot.size, np.bool_)
    at = np.flatnonzero(_near(query, sites.latitudes, sites.longitudes))
    found[np.searchsorted(sites.offsets, at, side="right") - 1] = True
    return found


def _near(query: Distance, latitudes: Any, longitudes: Any) -> Mask:
    radius = query.radius * earth.UNITS[query.unit]
    return earth.within(query.point, radius, latitudes, longitudes)


_nearest: WeakKeyDictionary[Snapshot, Recent[npt.NDArray[np.float64]]] = WeakKeyDictionary()
_nearest_lock = threading.Lock()


def nearest(snapshot: Snapshot, point: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return the kilometres from a point (latitude, longitude) to the nearest site of each document,
    float64[corpus], NaN for one without any that is known. Kept for the last points; do not change it.
    """
    with _nearest_lock:
        kept = _nearest.setdefault(snapshot, Recent(_KEPT_POINTS))
    found = kept.get(point)
    if found is None:
        sites = snapshot.sites()
        found = earth.nearest(point, sites.offsets, sites.latitudes, sites.longitudes)
        found.setflags(write=False)
        kept.put(point, found)
    return found


def at_site(evaluator: Evaluator, query: AtSite) -> Mask:
    """Return which documents have a site that meets all of a widened condition, bool[corpus]; deleted ones
    may be left out.

    Raises QueryError where it asks what is no field of a site.
    """
    _check(query.part, _AREA)
    snapshot = evaluator.snapshot
    offsets = snapshot.sites().offsets
    found = np.zeros(snapshot.size, np.bool_)
    possible = _possible(query.part)
    docs = snapshot.docs() if isinstance(possible, All) else evaluator.match(possible, _AREA)
    docs = docs[offsets[docs] < offsets[docs.astype(np.int64) + 1]]
    if len(docs):
        sites = _Sites(evaluator, docs, _asked(query.part, _AREA))
        met = np.flatnonzero(sites.meeting(query.part, _AREA))
        found[docs[np.searchsorted(sites.bases, met, side="right") - 1]] = True
    return found


def _check(query: Query, area: str) -> None:
    match query:
        case In(inner, part):
            _check_field(inner)
            if inner in FIELDS and FIELDS[inner].kind != "text":
                raise QueryError(f"{inner} takes no words at a site")
            _check(part, inner)
        case Code(field, _) | Name(field, _) | Missing(field) | Range(field, _, _):
            _check_field(field)
        case _:
            for part in children(query):
                _check(part, area)


def _check_field(field: str) -> None:
    if not of_site(field):
        raise QueryError(
            f"{field} is no field of a site: SEARCH[Location] takes LocationCity, LocationStatus and the like"
        )


def _asked(query: Query, area: str) -> set[str]:
    """Return the fields whose words are asked."""
    match query:
        case In(inner, part):
            return _asked(part, inner)
        case Name(field, _) | Missing(field):
            return {_WHOLE.get(field, field)}
        case Term() | Near() | Within() | Prefix() | Wildcard() | Fuzzy():
            return set(area_fields(area))
        case _:
            return set().union(*(_asked(part, area) for part in children(query)))


def _possible(query: Query) -> Query:
    """Return what finds all documents that may have a site as asked, and others: the condition without what
    a site may lack that another one has.
    """
    match query:
        case And(parts):
            return conjunction([part for part in map(_possible, parts) if not isinstance(part, All)])
        case Or(parts) | Group(parts) | Tiers(_, parts):
            return _any_of([_possible(part) for part in parts])
        case Best(text, ways):
            found = tuple(Way(way.how, way.text, _possible(way.part)) for way in ways)
            return All() if any(isinstance(way.part, All) for way in found) else Best(text, found)
        case In(area, part):
            inner = _possible(part)
            return inner if isinstance(inner, All) else In(area, inner)
        case Unless(part, _) | Optional(part, _) | Boost(part, _) | AtSite(part):
            return _possible(part)
        case Tilted(_, part) | Verified(_, _, part):
            return _possible(part)
        case Code("LocationStatus", _) | Name() | Distance() | Nothing():
            return query
        case Term() | Near() | Within() | Prefix() | Wildcard() | Fuzzy():
            return query
        case _:
            return All()


def _any_of(parts: list[Query]) -> Query:
    return All() if any(isinstance(part, All) for part in parts) else disjunction(parts)


class _Sites:
    """The sites of some documents (ascending, each with one at least), as one list, document after document.

    `bases`: int64[documents + 1], where those of each begin in it. `fields`: whose words are asked.
    """

    def __init__(self, evaluator: Evaluator, docs: Docs, fields: set[str]) -> None:
        self._evaluator = evaluator
        self._docs = docs
        held = evaluator.snapshot.sites()
        firsts = held.offsets[docs]
        counts = held.offsets[docs.astype(np.int64) + 1] - firsts
        self.bases = np.concatenate([[0], np.cumsum(counts)])
        self.size = int(self.bases[-1])
        at = spread(firsts, counts)
        self._latitudes, self._longitudes = held.latitudes[at], held.longitudes[at]
        self._looked_up = held.looked_up[at]
        self._statuses, self._status_codes = held.statuses[at], held.status_codes
        # The number of each document among these.
        self._numbers = np.zeros(evaluator.size, np.uint32)
        self._numbers[docs] = np.arange(len(docs), dtype=np.uint32)
        self._fields = [FIELD_NUMBERS[field] for field in sorted(fields & FIELD_NUMBERS.keys())]
        self._ends: dict[int, tuple[I64, I64]] = {}
        self._records: dict[int, list[dict[str, Any]]] = {}

    def meeting(self, query: Query, area: str) -> Mask:
        """Return which of the sites meet a widened condition, bool[size]."""
        match query:
            case All():
                return np.ones(self.size, np.bool_)
            case Nothing():
                return np.zeros(self.size, np.bool_)
            case And(parts):
                return reduce(np.logical_and, (self.meeting(part, area) for part in parts))
            case Or(parts) | Group(parts) | Tiers(_, parts):
                return reduce(np.logical_or, (self.meeting(part, area) for part in parts))
            case Best(_, ways):
                return reduce(np.logical_or, (self.meeting(way.part, area) for way in ways))
            case Not(part):
                return ~self.meeting(part, area)
            case Unless(part, wrong):
                return self.meeting(part, area) & ~self.meeting(wrong, area)
            case In(inner, part):
                return self.meeting(part, inner)
            case Optional(part, _) | Boost(part, _) | AtSite(part) | Tilted(_, part):
                return self.meeting(part, area)
            case Verified(text, how, part):
                return self._verified(text, how, self.meeting(part, area), area)
            case Distance():
                return _near(query, self._latitudes, self._longitudes)
            case Code(field, code):
                return self._coded(field, code)
            case Name(field, name):
                return self._named(field, name)
            case Missing(field):
                return ~self._having(field)
            case Range(field, low, high):
                return self._in_range(field, low, high)
            case Term() | Near() | Within() | Prefix() | Wildcard() | Fuzzy():
                return self._worded(query, area)
        raise QueryError(f"{type(query).__name__} cannot be asked of a site: {query}")

    # Words

    def _worded(self, query: _Text, area: str) -> Mask:
        """Return which sites have a term, a phrase or a window in an area or field."""
        found = np.zeros(self.size, np.bool_)
        for places in self._places(query, area):
            found[self._sites_of(places)] = True
        return found

    def _places(self, query: _Text, area: str) -> Iterator[stand.Places]:
        evaluator = self._evaluator
        match query:
            case Near():
                yield evaluator.near_places(query, area, self._docs)
            case Within():
                yield evaluator.within_places(query, area, self._docs)
            case Term(term):
                yield evaluator.near_places(Near((term,)), area, self._docs)
            case _:
                for term, _ in evaluator.terms_of(query, area):
                    yield evaluator.near_places(Near((term,)), area, self._docs)

    def _sites_of(self, places: stand.Places) -> I64:
        """Return the sites in whose values some places are, int64[n]."""
        fields = stand.fields_of(places)
        found = [
            self._owners(int(number), places[fields == number])
            for number in np.flatnonzero(np.bincount(fields, minlength=1)).tolist()
        ]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _owners(self, number: int, places: stand.Places) -> I64:
        """Return the sites of places in a field."""
        docs = self._numbers[stand.documents_of(places)].astype(np.int64)
        begins, ends = self._values(number)
        at = (docs << _POSITION) | (places & ((1 << _POSITION) - 1))
        # Every end of a value up to the place is one more value before it.
        which = np.searchsorted(ends, at, side="right") - begins[docs]
        field = PLACED[number]
        if field in AT_SITE:
            found: I64 = self.bases[docs] + which
            return found
        firsts, owners = self._written(field)
        return owners[firsts[docs] + which]

    def _values(self, number: int) -> tuple[I64, I64]:
        """Return, of a field, where the values of each document begin, int64[documents + 1], among the ends
        of all, int64[n]: document `<< 32 |` position at which the next value would start.
        """
        if not self._ends:
            self._ends = self._read_ends()
        begins, ends = self._ends[number]
        if PLACED[number] in AT_SITE:
            counts = np.diff(begins)
            if not ((counts == 0) | (counts == np.diff(self.bases))).all():
                raise IndexDamaged(f"{PLACED[number]} has not one value a site: build the index again")
        return begins, ends

    def _read_ends(self) -> dict[int, tuple[I64, I64]]:
        """Return what `_values` does for all fields that are asked, read one stretch of the documents after
        the other.
        """
        wanted = np.zeros(256, np.bool_)
        wanted[self._fields] = True
        begins: dict[int, list[I64]] = {number: [np.zeros(1, np.int64)] for number in self._fields}
        ends: dict[int, list[I64]] = {number: [] for number in self._fields}
        for low in range(0, len(self._docs), _TOGETHER):
            some = self._docs[low : low + _TOGETHER]
            held = self._evaluator.snapshot.values_of(some, wanted)
            docs: I64 = np.arange(low, low + len(some), dtype=np.int64) << _POSITION
            for number in self._fields:
                at = np.flatnonzero(held.fields == number)
                here = at.searchsorted(held.offsets).astype(np.int64, copy=False)
                places: I64 = np.repeat(docs, np.diff(here)) | held.starts[at].astype(np.int64)
                ends[number].append(places)
                begins[number].append(here[1:] + begins[number][-1][-1])
        return {
            number: (np.concatenate(begins[number]), np.concatenate(ends[number])) for number in self._fields
        }

    def _filled(self, field: str) -> Mask:
        """Return which sites have words in one of the fields that have a value for each site."""
        begins, ends = self._values(FIELD_NUMBERS[field])
        found = np.zeros(self.size, np.bool_)
        having = np.flatnonzero(begins[1:] > begins[:-1])
        at = spread(self.bases[having], np.diff(begins)[having])
        lengths = np.diff(ends, prepend=0)
        lengths[begins[having]] = ends[begins[having]] & ((1 << _POSITION) - 1)
        found[at] = lengths > VALUE_GAP
        return found

    # Codes, names, what is missing

    def _coded(self, field: str, code: str) -> Mask:
        if field != "LocationStatus":
            return self._reading([field], lambda value: value == code)
        found: Mask = np.array([code == one for one in self._status_codes])[self._statuses]
        return found

    def _named(self, field: str, name: str) -> Mask:
        """Return which sites have a whole name; of a country, any of its names."""
        piece = _WHOLE.get(field, field)
        names = same_country(name) if piece == "LocationCountry" else (fold(" ".join(name.split())),)
        found = np.zeros(self.size, np.bool_)
        for terms in {form for one in names for form in typed_forms(one)}:
            found |= self._worded(Near(terms, starts=True, ends=True), piece)
        return found

    def _having(self, field: str) -> Mask:
        piece = _WHOLE.get(field, field)
        if piece == "LocationStatus":
            return ~self._coded(piece, "")
        if piece == "LocationGeoPoint":
            stated: Mask = ~(np.isnan(self._latitudes) | self._looked_up)
            return stated
        if piece in AT_SITE:
            return self._filled(piece)
        return self._reading([piece], bool)

    def _in_range(self, field: str, low: str | None, high: str | None) -> Mask:
        lowest = float("-inf") if low is None else float(low)
        highest = float("inf") if high is None else float(high)
        return self._reading([field], lambda value: lowest <= float(value) <= highest)

    # What only the records have by site

    def _records_of(self, number: int) -> list[dict[str, Any]]:
        """Return the sites of one of the documents as its record states them."""
        found = self._records.get(number)
        if found is None:
            module = self._module(number).parsed(*_MODULE)
            stated = values({"protocolSection": {"contactsLocationsModule": module}}, _LOCATIONS)
            found = self._records[number] = [site for site in stated if isinstance(site, dict)]
            if len(found) != self.bases[number + 1] - self.bases[number]:
                raise IndexDamaged("a trial has not the sites of its record: build the index again")
        return found

    def _module(self, number: int) -> Modules:
        from trialindex.modules import Modules  # few queries read records
        from trialindex.quick_json import loader

        record = self._evaluator.snapshot.record(int(self._docs[number]))
        return Modules(record, loader(len(self._docs)))

    def _reading(
        self, fields: Iterable[str], holds: Callable[[str], object], among: Mask | None = None
    ) -> Mask:
        """Return which sites, of all or among some, state a value that holds in any of some fields."""
        found = np.zeros(self.size, np.bool_)
        at = np.arange(self.size) if among is None else np.flatnonzero(among)
        docs = np.searchsorted(self.bases, at, side="right") - 1
        for site, number in zip(at.tolist(), docs.tolist(), strict=True):
            record = self._records_of(number)[site - int(self.bases[number])]
            found[site] = any(holds(value) for field in fields for value in _stated(field, record))
        return found

    def _written(self, field: str) -> tuple[I64, I64]:
        """Return where the values of each document begin, int64[documents + 1], among all values of a field,
        and the sites of these.
        """
        records = [site for number in range(len(self._docs)) for site in self._records_of(number)]
        counts = [len(_stated(field, site)) for site in records]
        before = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        return before[self.bases], np.repeat(np.arange(self.size), counts)

    def _verified(self, text: str, how: str, met: Mask, area: str) -> Mask:
        """Return which of some sites have a text exactly so in a value of an area or field."""
        fields = [field for field in area_fields(area) if of_site(field)]
        sought = Sought(text, how)
        if not _WORKED_OUT.intersection(fields):
            # What the letters of a record tell spares most of them the parsing.
            possible = np.zeros(len(self._docs), np.bool_)
            held = np.add.reduceat(met, self.bases[:-1]) > 0
            for number in np.flatnonzero(held).tolist():
                possible[number] = sought.may_be_in(self._module(number).raw(*_MODULE))
            met = met & np.repeat(possible, np.diff(self.bases))
        return self._reading(fields, sought.is_in, met)


def _stated(field: str, site: dict[str, Any]) -> list[str]:
    """Return what a site of a record states in a field, or what the registry works out for it."""
    if field == "NumLocationContacts":
        return [str(count) for count in counts([site], COUNTED[field])]
    if field == "LocationCountryCode":
        return [code for name in values(site, "country") if (code := country_code(str(name)))]
    return [str(value) for value in values(site, by_piece()[field].path.removeprefix(f"{_LOCATIONS}."))]


@frozen
class SiteShown:
    """A site of a trial, to be shown: `number`, its place in the record, from 0; `location`, as the record
    states it; `distance` in the unit asked for, None where it is not known; `looked_up`, whether the
    coordinates are those of its city, which the record does not state.
    """

    number: int
    location: Mapping[str, Any]
    distance: float | None
    looked_up: bool


def sites_shown(
    study: dict[str, Any], point: tuple[float, float] | None = None, unit: str = "km"
) -> list[SiteShown]:
    """Return the sites of a trial in the order to show them: those that recruit first, then by distance from
    a point (latitude, longitude), if one is given, then as the record has them. `unit`: km or mi.
    """
    from trialindex.gazetteer import site_point

    shown = []
    for number, site in enumerate(values(study, _LOCATIONS)):
        if isinstance(site, dict):
            held = site_point(site)
            away = None
            if held is not None and point is not None:
                away = float(earth.great_circle(point, held[0], held[1])) / earth.UNITS[unit]
            shown.append(SiteShown(number, site, away, held is not None and held[2]))
    return sorted(shown, key=_order)


def _order(site: SiteShown) -> tuple[bool, bool, float, int]:
    recruits = site.location.get("status") == "RECRUITING"
    return not recruits, site.distance is None, site.distance or 0.0, site.number
