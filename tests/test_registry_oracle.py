"""Random expressions and filters find the same trials in an index and by the oracle."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_filters import passes
from registry_language import Refused
from registry_oracle import Named, Oracle
from registry_records import made
from small import concept, full, make_index
from trialindex.errors import QueryError
from trialsearch import TrialSearch

__all__ = ["agree"]

# The names of things of several words stand whole in the texts: what else may stand inside one is the
# business of its own tests.
_CHUNKS = ("asthma", "Asthma", "tumors", "neoplasm", "kidney", "Placebo", "heart attack", "heart-attack",
           "myocardial infarction", "follow-up", "followup", "sjögren", "Sjogren", "kidneys")  # fmt: skip
_ASKED = ("asthma", "tumor", "neoplasms", "kidney", "Kidneys", "placebo", "heart attack",
          "myocardial infarction", "kidney asthma", "asthma placebo", "follow-up", "Sjögren",
          "placebo heart attack", "walrus", "tumor kidney placebo")  # fmt: skip
_CONDITIONS = ("Heart attack", "Myocardial infarction", "Tumor", "Neoplasm", "Asthma")
_NAMED = [("heart attack", "myocardial infarction"), ("tumor", "neoplasm")]
_DAYS = ("2014-12-31", "2015", "2015-01", "2015-01-15", "2015-02", "2016-06-30", "2020")
_AGES = ("6 Months", "1 Year", "16 Years", "18 Years", "65 Years", "3 Weeks")
_NUMBERS = (0, 1, 99, 100, 99999999)
_CITIES = (("Portland", "Maine", "United States"), ("Portland", "Oregon", "United States"),
           ("Lyon", None, "France"), ("Bangor", "Maine", "United States"))  # fmt: skip
_POINTS = ((40.0, -100.0), (40.5, -100.0), (40.0, -99.0), (-40.0, 80.0))
_CODES = {
    "Phase": ("PHASE1", "PHASE2", "PHASE3", "NA", "EARLY_PHASE1"),
    "OverallStatus": ("RECRUITING", "NOT_YET_RECRUITING", "COMPLETED", "UNKNOWN"),
    "Sex": ("FEMALE", "MALE"),
    "StdAge": ("CHILD", "ADULT", "OLDER_ADULT"),
    "StudyType": ("INTERVENTIONAL", "OBSERVATIONAL"),
    "LeadSponsorClass": ("INDUSTRY", "NIH"),
    "CollaboratorClass": ("INDUSTRY", "OTHER"),
    "LocationStatus": ("RECRUITING", "COMPLETED"),
    "HasResults": ("true", "false"),
    "HealthyVolunteers": ("true", "false"),
}
_TEXTS = ("BriefTitle", "OfficialTitle", "Condition", "Keyword", "BriefSummary", "DetailedDescription")
_OTHERS = ("StartDate", "EnrollmentCount", "Location", "ResultsSection", "EligibilityModule")
_AREAS = ("BasicSearch", "ConditionSearch", "TitleSearch", "PatientSearch")


class _Random:
    """Draws from the pools by a seed that Hypothesis chooses."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.one = self._random.choice
        self.up_to = lambda most: self._random.randint(0, most)

    def often(self, chance: float) -> bool:
        return self._random.random() < chance

    def some(self, pool: Any, most: int) -> list[Any]:
        return self._random.sample(list(pool), self._random.randint(1, most))

    def value(self) -> str:
        return " ".join(self.some(_CHUNKS, 3))

    def record(self, number: int) -> dict[str, Any]:
        """Return a study that has each piece or not."""
        pieces: dict[str, Any] = {"NCTId": f"NCT{number:08}"}
        drawn: dict[str, Any] = {
            "BriefTitle": self.value(),
            "OfficialTitle": self.value(),
            "BriefSummary": self.value(),
            "DetailedDescription": self.value(),
            # A condition is one thing, or nothing that has a name.
            "Condition": self.some(
                ("Heart attack", "Myocardial infarction", "Tumor", "Neoplasm", "Asthma"), 2
            ),
            "Keyword": [self.value() for _ in range(1 + self.up_to(1))],
            "Phase": self.some(_CODES["Phase"], 2),
            "StdAge": self.some(_CODES["StdAge"], 2),
            "OverallStatus": self.one(_CODES["OverallStatus"]),
            "Sex": self.one(("FEMALE", "MALE", "ALL")),
            "StudyType": self.one(_CODES["StudyType"]),
            "LeadSponsorClass": self.one(_CODES["LeadSponsorClass"]),
            "Collaborator": [
                {"CollaboratorClass": code} for code in self.some(_CODES["CollaboratorClass"], 2)
            ],
            "HasResults": self.often(0.5),
            "HealthyVolunteers": self.often(0.5),
            "StartDate": self.one(_DAYS),
            "StudyFirstPostDate": self.one(("2014-12-31", "2015-01-15", "2016-06-30")),
            "OutcomeMeasure": [{"OutcomeMeasureAnticipatedPostingDate": day} for day in self.some(_DAYS, 2)],
            "EnrollmentCount": self.one(_NUMBERS),
            "EventGroup": [{"EventGroupDeathsNumAffected": count} for count in self.some((0, 1, 5, 9), 2)],
            "MinimumAge": self.one(_AGES),
            "MaximumAge": self.one(_AGES),
            "Location": [self.site() for _ in range(1 + self.up_to(2))],
        }
        return made(pieces | {piece: value for piece, value in drawn.items() if self.often(0.5)})

    def site(self) -> dict[str, Any]:
        city, state, country = self.one(_CITIES)
        latitude, longitude = self.one(_POINTS)
        return {
            "LocationCity": city,
            "LocationState": state,
            "LocationCountry": country,
            "LocationStatus": self.one((*_CODES["LocationStatus"], None)),
            "LocationGeoPoint": {"lat": latitude, "lon": longitude},
        }

    def expression(self, depth: int = 3, of_site: bool = False) -> str:
        """Return an expression of the language; `of_site`: of what a site has."""
        if depth and self.often(0.55):
            inner = [self.expression(depth - 1, of_site) for _ in range(2 + self.up_to(1))]
            match self.up_to(5):
                case 0:
                    return f"({' AND '.join(inner)})"
                case 4:
                    # What is said from outside holds where nothing else is said inside; it may be refused.
                    return f"{self.around()}({' OR '.join(inner)})"
                case 5:
                    return f"{self.area(' '.join(inner), of_site)}({' OR '.join(inner)})"
                case 1:
                    return f"({' OR '.join(inner)})"
                case 2:
                    return f"NOT {inner[0]}"
                case _:
                    # No parentheses: the operators' order is the grammar's.
                    return (
                        f"{inner[0]} {self.one(('AND', 'OR'))} {inner[1]}" if depth == 3 else f"({inner[0]})"
                    )
        return self.site_leaf() if of_site else self.leaf()

    def leaf(self) -> str:
        match self.up_to(11):
            case 0 | 1:
                return f"{self.around()}{self.term()}"
            case 10:
                return self.short_form()
            case 11:
                counts = ("NumConditions", "NumPhases", "NumLocations", "NumKeywords", "StudyFirstPostYear")
                return f"AREA[{self.one(counts)}]{self.range((1, 2, 3, 2015, 2016), sorted)}"
            case 2:
                return f"AREA[{self.one((*_TEXTS, *_AREAS))}]{self.around()}{self.term()}"
            case 3:
                field = self.one([field for field in _CODES if field != "LocationStatus"])
                codes = " OR ".join(self.some(_CODES[field], 2))
                return f"AREA[{field}]({codes})"
            case 4:
                field = self.one(("StartDate", "StudyFirstPostDate", "OutcomeMeasureAnticipatedPostingDate"))
                return f"AREA[{field}]{self.range(_DAYS, sorted)}"
            case 5:
                field = self.one(("EnrollmentCount", "EventGroupDeathsNumAffected"))
                return f"AREA[{field}]{self.range((0, 1, 5, 99, 100), sorted)}"
            case 6:
                ages = ("3 weeks", "6 months", "1 year", "16 years", "18 years", "65 years")
                field = self.one(("MinimumAge", "MaximumAge"))
                return f"AREA[{field}]{self.range(ages, lambda few: sorted(few, key=ages.index))}"
            case 7:
                return f"AREA[{self.one((*_TEXTS, *_CODES, *_OTHERS))}]MISSING"
            case 8:
                return f"SEARCH[Location]({self.expression(1, of_site=True)})"
            case _:
                return self.one((self.site_leaf(), "ALL", f"age:{self.one((0, 1, 16, 17, 18, 65, 66))}"))

    def short_form(self) -> str:
        """Return a short form, and perhaps a word behind it, which it does not take."""
        form = self.one(_SHORT_FORMS)
        return f"{form} asthma" if self.often(0.2) and not form.endswith("*") else form

    def site_leaf(self) -> str:
        match self.up_to(3):
            case 0:
                return f"AREA[LocationCity]{self.one(('Portland', 'Lyon', 'Bangor', 'Nantes'))}"
            case 1:
                return f"AREA[LocationState]{self.one(('Maine', 'Oregon', 'MISSING'))}"
            case 2:
                return f"AREA[LocationStatus]{self.one((*_CODES['LocationStatus'], 'MISSING'))}"
            case _:
                latitude, longitude = self.one(_POINTS)
                radius = self.one(("30mi", "36mi", "52mi", "54mi", "60km", "100mi"))
                return f"AREA[LocationGeoPoint]DISTANCE[{latitude},{longitude},{radius}]"

    def term(self) -> str:
        words = self.one(_ASKED)
        return f'"{words}"' if self.often(0.4) else words

    def area(self, part: str, of_site: bool) -> str:
        """Return an operator that gives a part an area, as far as that may have one, or tilts it."""
        if of_site:
            return f"AREA[{self.one(('LocationSearch', 'LocationCity'))}]"
        if "SEARCH[" in part or self.often(0.2):
            return f"TILT[{self.one(('StudyFirstPostDate', 'EnrollmentCount', 'MinimumAge'))}]"
        return f"AREA[{self.one((*_TEXTS, *_AREAS))}]"

    def around(self) -> str:
        """Return a level and a coverage that go together, or neither."""
        if self.often(0.4):
            return ""
        level = self.one(("", "None", "Term", "Concept", "Relaxation", "Lossy"))
        how = self.one(("", "FullMatch", "StartsWith", "EndsWith", "Contains"))
        if level == "Lossy" or (level == "Relaxation" and how != "Contains"):
            how = ""
        parts = [f"EXPANSION[{level}]"] * bool(level) + [f"COVERAGE[{how}]"] * bool(how)
        return "".join(parts[::-1] if self.often(0.5) else parts)

    def range(self, pool: Any, ordered: Any) -> str:
        low, high = ordered(self._random.sample(list(pool), 2))
        return f"RANGE[{self.one((low, 'MIN'))}, {self.one((high, 'MAX'))}]"

    def filters(self) -> dict[str, Any]:
        low, high = sorted(self._random.sample(["2014", "2015-01-15", "2015-02", "2016-07"], 2))
        drawn: dict[str, Any] = {
            "status": self.some(_CODES["OverallStatus"], 2),
            "phase": self.one(("1", "2", "3", "NA", "none")),
            "sex": self.one(("female", "male")),
            "age": self.one((0, 1, 16, 17, 18, 64, 65, 66)),
            "funder": self.one(("INDUSTRY", "NIH", "OTHER")),
            "country": self.one(("United States", "France")),
            "with_results": self.often(0.5),
            "healthy": self.one(("yes", "no")),
            "start": self.one((f"{low}..{high}", f"{low}..", f"..{high}", low)),
            "posted": f"{low}..{high}",
            "enrollment": self.one(("1..99", "100..", "..0", "99")),
            "agg_filters": ",".join(self.some(_AGGREGATED, 2)),
        }
        return {name: drawn[name] for name in self.some(drawn, 3)}


_SHORT_FORMS = ("phase:1", "phase:2", "status:recruiting", "status:completed,unknown", "title:asthma",
                "sex:female", "start:2015", "start:2015-01..2016", "start:..2014", "enrollment:1..",
                "results:true", 'cond:"heart attack"', "title:(kidney placebo)", "kidn*", "neo*")  # fmt: skip
_AGGREGATED = ("results:with", "status:rec com", "phase:0 2", "ages:child older", "sex:f", "studyType:obs",
               "healthy:y")  # fmt: skip


def _found(answer: Callable[[], Iterable[str]]) -> list[str] | str:
    """Return the ids of an answer, or that it was refused."""
    try:
        return sorted(answer())
    except (Refused, QueryError):
        return "refused"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_random_expressions_find_the_same(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    agree(tmp_path_factory.mktemp("random") / "index", seed)


def agree(folder: Path, seed: int) -> None:
    """Assert that the index of a random corpus and the oracle find the same by random expressions and
    filters.
    """
    draw = _Random(seed)
    studies = [draw.record(number) for number in range(1, 13)]
    oracle = Oracle(studies, [Named(names) for names in _NAMED])
    # Of a kind that every area asks.
    things = [concept(f"C{number}", *names, kind="other") for number, names in enumerate(_NAMED)]
    with TrialSearch.open(make_index(folder, studies, things)) as trials:
        for _ in range(60):
            expression = draw.expression()
            wanted = _found(lambda asked=expression: oracle.ids(asked))
            found = _found(lambda asked=expression: full(trials.search(asked, limit=None, fuzzy=False)))
            assert (expression, found) == (expression, wanted)
        for _ in range(20):
            filters = draw.filters()
            passing = {nct for nct, record in oracle.records.items() if passes(record, filters)}
            left = set(full(trials.search(limit=None, **filters)))
            assert (filters, sorted(left)) == (filters, sorted(passing))
            expression = draw.leaf()
            both = set(full(trials.search(expression, limit=None, fuzzy=False, **filters)))
            assert (expression, filters, both) == (expression, filters, passing & oracle.ids(expression))
