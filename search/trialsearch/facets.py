"""Facets: how the trials found spread over the values of a field, counted over all of them, not over a page.

A facet is asked by a field's own name, its short form, or one of these: condition, intervention, country,
city, state, sponsor, funder, age group, enrolment, has results. `start`, `updated` and all other dates are
counted by year. A trial of several values counts under each of them, once; one without any is `missing`.

>>> facet_field("phase"), facet_field("age group"), facet_field("updated"), facet_field("Condition")
('Phase', 'StdAge', 'LastUpdatePostDate', 'ConditionName')
>>> facet_field("conditon")
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no facet 'conditon'; the nearest: condition, NumConditions, ConditionName

The values of most trials come first, those of as many by their label; but years, the latest first, and
numbers of participants, which are counted in bands, the smallest first. Of these, those at the end are the
ones that a limit leaves out.

Nothing but arrays is read: columns of codes and days, and for whole names a list of each trial's, made once
for a snapshot and kept. A country's name as records write it stands in no array: one record is looked at for
each country shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from trialindex import codes
from trialindex.analysis import fold
from trialindex.countries import same_country
from trialindex.errors import QueryError
from trialindex.fields import FIELDS, SHORT_NAMES
from trialindex.frozen import frozen
from trialindex.segments.arrays import starts_of
from trialsearch.lexing import shortened
from trialsearch.lists import Docs, entries
from trialsearch.values import is_age

if TYPE_CHECKING:
    from trialindex.snapshot import Snapshot

__all__ = ["Facet", "FacetValue", "Facets", "facet_field"]

I64 = npt.NDArray[np.int64]

# Names of facets that are no names of fields, or mean another field here; without spaces and in lower case.
_NAMED = {
    "condition": "ConditionName",
    "intervention": "InterventionFullName",
    "treatment": "InterventionFullName",
    "country": "Country",
    "locationcountry": "Country",
    "city": "CityName",
    "locationcity": "CityName",
    "state": "StateName",
    "locationstate": "StateName",
    "sponsor": "SponsorName",
    "leadsponsorname": "SponsorName",
    "lead": "SponsorName",
    "sponsorclass": "LeadSponsorClass",
    "agegroup": "StdAge",
    "age": "StdAge",
    "participants": "EnrollmentCount",
    "hasresults": "HasResults",
}
_USUAL = (
    "status", "phase", "type", "sex", "age group", "country", "state", "city", "condition", "intervention",
    "sponsor", "funder", "start", "completion", "posted", "updated", "enrolment", "has results", "allocation",
    "masking", "purpose",
)  # fmt: skip
_KINDS = frozenset({"code", "day", "name", "number"})
# Names that are no values to count: ids, and pairs of names.
_UNCOUNTED = frozenset({"AnyId", "Definition", "OtherName"})
# Where bands of numbers begin; the last one has no end.
_BANDS = (0, 1, 10, 50, 100, 500, 1_000, 10_000)
_DAY_OF_1970 = 719_163  # 1 January 1970 as a proleptic ordinal


class FacetValue(NamedTuple):
    """A value of a facet: as a filter takes it, as a person reads it, and how many `trials` found have it."""

    value: str
    label: str
    trials: int


@frozen
class Facet:
    """The values of a `field` among `total` trials found; `missing` of them have none. `others`: how many
    more values there are than `values`.
    """

    field: str
    values: tuple[FacetValue, ...]
    missing: int
    total: int
    others: int


def facet_field(name: str) -> str:
    """Return the field that a facet of this name counts. Raises QueryError, naming the nearest, where there
    is none, and where there is nothing to count in the field.
    """
    fields = {field.lower(): field for field in FIELDS}
    key = "".join(char for char in name.lower() if char not in " _-")
    field = _NAMED.get(key) or fields.get(key) or SHORT_NAMES.get(key, "")
    if field in FIELDS and _counts(field):
        return field
    usual = f"the usual ones: {', '.join(_USUAL)}"
    if field in FIELDS:
        raise QueryError(f"no facet of {field}, which is no code, date or name; {usual}")
    import difflib

    countable = {lower: held for lower, held in fields.items() if _counts(held)}
    short = {name: name for name, held in SHORT_NAMES.items() if held in FIELDS and _counts(held)}
    by_key = countable | short | {name: name for name in _NAMED}
    near = difflib.get_close_matches(key, by_key, n=3, cutoff=0.75)
    offered = f"the nearest: {', '.join(by_key[one] for one in near)}" if near else usual
    raise QueryError(f"no facet {shortened(name)!r}; {offered}")


def _counts(field: str) -> bool:
    held = FIELDS[field]
    if held.kind == "number" and (held.several or is_age(field)):
        return False
    return held.kind in _KINDS and field not in _UNCOUNTED


class _Column(NamedTuple):
    """What each document has of some values: those of document d are `ordinals[offsets[d]:offsets[d + 1]]`,
    each once; int64[documents + 1] and uint32[n].
    """

    offsets: I64
    ordinals: npt.NDArray[np.uint32]
    values: list[str]
    labels: list[str]

    def counts(self, docs: Docs) -> tuple[I64, int]:
        """Return how many of some documents have each value, int64[values], and how many have none."""
        at, sizes = entries(self.offsets, docs)
        counts = np.bincount(self.ordinals[at], minlength=len(self.values))
        return counts, int((sizes == 0).sum())


class Facets:
    """Counts values over documents of one snapshot. Safe to share between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._columns: dict[str, _Column] = {}
        self._written: dict[str, str] = {}

    def counted(self, docs: Docs, names: Sequence[str], limit: int | None = 20) -> dict[str, Facet]:
        """Return the facets of some documents, uint32[n], by the names asked; each with at most `limit`
        values, None for all. Raises QueryError as `facet_field` does.
        """
        if limit is not None and limit < 0:
            raise QueryError("a facet's limit is a count: 0 or more")
        fields = {name: facet_field(name) for name in names}
        return {name: self._facet(docs, field, limit) for name, field in fields.items()}

    def _facet(self, docs: Docs, field: str, limit: int | None) -> Facet:
        count = {"code": _codes, "day": _years, "number": _bands, "name": self._names}[FIELDS[field].kind]
        values, missing = count(self._snapshot, field, docs)
        if FIELDS[field].kind in {"code", "name"}:
            values.sort(key=lambda one: (-one.trials, one.label.casefold(), one.value))
        shown = values if limit is None else values[:limit]
        if field == "Country":
            shown = [one._replace(label=self._as_written(one.label)) for one in shown]
        return Facet(field, tuple(shown), missing, len(docs), len(values) - len(shown))

    def _names(self, snapshot: Snapshot, field: str, docs: Docs) -> tuple[list[FacetValue], int]:
        column = self._columns.get(field)
        if column is None:
            column = self._columns[field] = _name_column(snapshot, field)
        counts, missing = column.counts(docs)
        held = np.flatnonzero(counts).tolist()
        return [FacetValue(column.values[n], column.labels[n], int(counts[n])) for n in held], missing

    def _as_written(self, country: str) -> str:
        """Return a country's name as a record writes it, from its folded form."""
        from trialindex.summary import countries

        if country not in self._written:
            doc = int(self._snapshot.named("Country", country)[0])
            stated = (name for name in countries(self._snapshot.study(doc)) if fold(name) == country)
            self._written[country] = next(stated, country)
        return self._written[country]


def _name_column(snapshot: Snapshot, field: str) -> _Column:
    """Return the names of each document. Names that differ in case or accents are one, and bear the form that
    most documents write; so are the names of one country.
    """
    number: dict[str, int] = {}
    best: list[int] = []
    labels: list[str] = []
    ordinals, docs = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
    forms: dict[str, int] = {}
    for names, counts, held in snapshot.name_lists(field):
        numbers = np.empty(len(names), np.uint32)
        for place, (name, count) in enumerate(zip(names, counts.tolist(), strict=True)):
            folded, _, written = name.partition("\t")
            value = same_country(folded)[0] if field == "Country" else folded
            numbers[place] = one = number.setdefault(value, len(number))
            if one == len(best):
                best.append(0)
                labels.append("")
            form = written or folded
            forms[form] = forms.get(form, 0) + count
            if forms[form] > best[one]:
                best[one], labels[one] = forms[form], form
        ordinals.append(np.repeat(numbers, counts))
        docs.append(held)
    pairs = np.concatenate(docs).astype(np.uint64) << np.uint64(32) | np.concatenate(ordinals)
    pairs.sort(kind="stable")  # which is fast here: the documents of each name ascend
    first = np.ones(len(pairs), np.bool_)
    first[1:] = pairs[1:] != pairs[:-1]
    pairs = pairs[first]
    sizes = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=snapshot.size)
    return _Column(starts_of(sizes), (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32), list(number), labels)


def _codes(snapshot: Snapshot, field: str, docs: Docs) -> tuple[list[FacetValue], int]:
    column = snapshot.codes(field)
    values = [FacetValue(code, _said(code, field), count) for code, count in column.counts(docs).items()]
    return values, len(docs) - int(column.present()[docs].sum())


def _said(code: str, field: str) -> str:
    if code in {"true", "false"}:
        with_or_without = {"true": "with results", "false": "without results"}
        return with_or_without[code] if field == "HasResults" else {"true": "yes", "false": "no"}[code]
    return codes.words(code)


def _years(snapshot: Snapshot, field: str, docs: Docs) -> tuple[list[FacetValue], int]:
    """Count years, the latest first; of a date that is known to the year or month only, that of its first
    day.
    """
    if FIELDS[field].several:
        years, missing = _years_of_several(snapshot, field, docs)
    else:
        days = snapshot.column(field)[docs]
        stated = days[~np.isnan(days)]
        years, missing = _year_of(stated), len(docs) - len(stated)
    counts = np.bincount(years)
    found = np.flatnonzero(counts)[::-1].tolist()
    return [FacetValue(f"{year:04}", f"{year:04}", int(counts[year])) for year in found], missing


def _years_of_several(snapshot: Snapshot, field: str, docs: Docs) -> tuple[I64, int]:
    """Return the years of all dates of some documents, of each document each year once, and how many have no
    date.
    """
    lists = snapshot.number_lists(field)
    at, sizes = entries(lists.offsets, docs)
    years = _year_of(lists.low[at])
    # A year has at most four digits.
    distinct = np.unique(np.repeat(np.arange(len(docs)), sizes) * 10_000 + years)
    return distinct % 10_000, int((sizes == 0).sum())


def _year_of(days: npt.NDArray[np.float64]) -> I64:
    """Return the years of days, proleptic ordinals."""
    since_1970 = days.astype(np.int64) - _DAY_OF_1970
    return since_1970.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _bands(snapshot: Snapshot, field: str, docs: Docs) -> tuple[list[FacetValue], int]:
    """Count numbers in bands, the smallest first; bands that no trial is in are left out."""
    numbers = snapshot.column(field)[docs]
    stated = numbers[~np.isnan(numbers)]
    counts = np.bincount(np.searchsorted(_BANDS, stated, "right"), minlength=len(_BANDS) + 1)[1:].tolist()
    values = [FacetValue(*_band(place), count) for place, count in enumerate(counts) if count]
    return values, len(docs) - len(stated)


def _band(place: int) -> tuple[str, str]:
    """Return a band as a range filter takes it, and as a person reads it.

    >>> _band(0), _band(3), _band(7)
    (('0', '0'), ('50..99', '50 to 99'), ('10000..', '10,000 or more'))
    """
    low = _BANDS[place]
    if place + 1 == len(_BANDS):
        return f"{low}..", f"{low:,} or more"
    high = _BANDS[place + 1] - 1
    return (f"{low}", f"{low:,}") if low == high else (f"{low}..{high}", f"{low:,} to {high:,}")
