"""The parameters of the registry's own API as arguments of `TrialSearch.search`, so that scripts carry over.

>>> arguments({"query.cond": "lung cancer", "filter.overallStatus": "RECRUITING|COMPLETED", "pageSize": "20"})
{'cond': 'lung cancer', 'status': ('RECRUITING', 'COMPLETED'), 'limit': 20}
>>> arguments({"filter.geo": "distance(42.36,-71.06,50mi)", "sort": "LastUpdatePostDate:desc"})
{'near': '42.36,-71.06', 'within': '50mi', 'sort': 'LastUpdatePostDate:desc'}
>>> arguments({"query.condition": "lupus"})
Traceback (most recent call last):
    ...
trialindex.errors.QueryError: no parameter 'query.condition'; did you mean query.cond?

Lists are parted by commas or bars. `postFilter.*` is taken as `filter.*`: neither touches the order. A page
token is the number of trials before the page, `str(results.offset + len(results))`. Totals are always exact,
so `countTotal` says nothing more; nor do `format`, `fields` and `markupFormat`, which shape the registry's
own text: here a hit has its whole record. The API's own limits hold: 1,000 trials a page, two sort keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from trialindex.errors import QueryError
from trialsearch.lexing import shortened

__all__ = ["PARAMETERS", "arguments"]

_MOST_ON_A_PAGE = 1_000
_GEO = re.compile(r"distance\(([^,()]+),([^,()]+),([^,()]+)\)", re.IGNORECASE)


def arguments(parameters: Mapping[str, object]) -> dict[str, Any]:
    """Return the arguments of `TrialSearch.search` that parameters mean.

    Raises QueryError for a parameter that there is not, naming the nearest, and for a value that is none.
    """
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        known = name.replace("postFilter.", "filter.", 1) if name.startswith("postFilter.") else name
        if known not in PARAMETERS:
            raise _unknown(name)
        text = "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value).strip()
        if value is None or not text:
            continue
        for argument, meant in PARAMETERS[known](text).items():
            if argument not in found:
                found[argument] = meant
            elif isinstance(meant, tuple) and argument == "filter":
                found[argument] += meant
            else:
                raise QueryError(f"{name} says again what another parameter says: give one of them")
    return found


def _unknown(name: str) -> QueryError:
    import difflib

    near = difflib.get_close_matches(name[:60], PARAMETERS, n=1, cutoff=0.5)
    return QueryError(
        f"no parameter {shortened(name)!r}; "
        + (f"did you mean {near[0]}?" if near else f"they are {', '.join(PARAMETERS)}")
    )


def _words(argument: str) -> Callable[[str], dict[str, Any]]:
    return lambda text: {argument: text}


def _list(argument: str) -> Callable[[str], dict[str, Any]]:
    return lambda text: {argument: tuple(part.strip() for part in re.split(r"[,|]", text) if part.strip())}


def _geo(text: str) -> dict[str, Any]:
    match = _GEO.fullmatch(text.strip())
    if match is None:
        raise QueryError(f"filter.geo {shortened(text)!r} is no circle: write distance(42.36,-71.06,50mi)")
    latitude, longitude, radius = (part.strip() for part in match.groups())
    if not all(re.fullmatch(r"[+-]?\d+(\.\d+)?", part, re.ASCII) for part in (latitude, longitude)):
        raise QueryError(f"filter.geo {shortened(text)!r}: latitude and longitude are degrees, 42.36,-71.06")
    return {"near": f"{latitude},{longitude}", "within": radius}


def _page_size(text: str) -> dict[str, Any]:
    size = _number("pageSize", text)
    if size > _MOST_ON_A_PAGE:
        raise QueryError(f"pageSize is at most {_MOST_ON_A_PAGE:,}: take more pages, or TrialSearch.search")
    return {"limit": size}


def _page_token(text: str) -> dict[str, Any]:
    return {"offset": _number("pageToken", text)}


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise QueryError(f"{name} {shortened(text)!r} is no number: write 20")
    return int(text)


def _flag(text: str) -> dict[str, Any]:
    if text.lower() not in {"true", "false"}:
        raise QueryError(f"countTotal {shortened(text)!r} is true or false")
    return {}


def _nothing(text: str) -> dict[str, Any]:
    return {}


# What each parameter says, by the name that the API gives it.
PARAMETERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "query.cond": _words("cond"),
    "query.term": _words("query"),
    "query.intr": _words("intr"),
    "query.titles": _words("title"),
    "query.outc": _words("outcome"),
    "query.spons": _words("sponsor"),
    "query.lead": _words("lead"),
    "query.id": _words("id"),
    "query.locn": _words("location"),
    "query.patient": _words("patient"),
    "filter.overallStatus": _list("status"),
    "filter.geo": _geo,
    "filter.ids": _list("ids"),
    "filter.advanced": lambda text: {"filter": (text,)},
    "aggFilters": _words("agg_filters"),
    "sort": _words("sort"),
    "pageSize": _page_size,
    "pageToken": _page_token,
    "countTotal": _flag,
    "format": _nothing,
    "fields": _nothing,
    "markupFormat": _nothing,
}
