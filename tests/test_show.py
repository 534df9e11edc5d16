"""One trial as text: the whole page of the full fixture, and what damage, width and hostile text do to it."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import FIXTURES, SHARED, needs_shared
from trialindex.errors import InvalidTrialId
from trialsearch.show import show_text

PAGE = """\
<Ruby Tablets in Blue Fever>
NCT00000123 · also NCT00000124, NCT00000125 · RUBLUE
A Randomised Comparison of Ruby Tablets and Chalk in Adults With Blue Fever

Status              Unknown (last known: active, not recruiting)
Why stopped         The chalk ran out
Type                Interventional
Phase               Phase 1 / Phase 2
Start               February 2012 (actual)
Primary completion  2014 (estimated)
Completion          9 March 2015
Enrolment           1,240 participants (estimated)
Sponsor             Ruby Works (industry)
Collaborators       Fever Office (government); Chalk Friends
Responsible         Ada Example, Head of Fevers, Lake University
Organization        Harbour Institute
First posted        4 November 2011 (estimated)
Last updated        3 June 2016 (actual)
Verified            May 2016
Results posted      20 January 2016 (actual)
Other ids           ORG-7, 2011-000001-11 (Europe), SEC-2 (Second Office)

<Conditions>
  - Blue Fever
  - Shivers

<Keywords>
  - ruby; mineral

<Interventions>
  - Drug: Ruby tablet (also: RB-12; Corundol)
    Two tablets a day
  - Procedure: Cold bath

<Arms>
  - Ruby arm (experimental)
    Ruby every morning
    Gets: Drug: Ruby tablet; Procedure: Cold bath
  - Chalk arm (placebo comparator)

<Design>
  - Allocation: Randomized
  - Intervention model: Crossover
  - Primary purpose: Prevention
  - Masking: Double (participant, care provider)
  - Observational model: Cohort
  - Time perspective: Prospective

<Summary>
  Ruby tablets are set against chalk.

<Description>
  Each tablet holds > 3 mg of ruby.

  Chalk holds none.

<Eligibility>
  - Ages: 18 months to 64 years
  - Age groups: child, adult
  - Sex: Female
  - Gender: Women only
  - Healthy volunteers: not accepted
  - Population: People of the harbour
  - Sampling: Probability sample
  <Inclusion>
    - Blue fever for > 2 days
  <Exclusion>
    - Allergy to chalk
  <Criteria>
    By invitation.

<Primary outcomes>
  - Fever days [week 4]
    Days above 38 degrees

<Secondary outcomes>
  - Shivering score [week 8]
    Scale of 0 to 9

<Other outcomes>
  - Ruby in blood [day 2]
    By spectroscopy

<3 sites in 2 countries>
  - Quay Hospital, Port Town, Coast, Norway (recruiting)
  - Hill Hospital, Hilltop, Chile
  - Fjord Hospital, Fjordby, Norway

<Officials>
  - Bo Sample, study chair, Harbour Clinic

<Results>
  - Groups: Ruby first; Chalk first
  - Primary: Mean fever days [4 weeks]
  - Adverse events, Took ruby: deaths 0 of 51, serious 2 of 52, other 13 of 53
  - Adverse events reported: 1 serious kind, 2 other kinds
  - Limitations: Few took part

<MeSH terms, conditions>
  - Fever

<MeSH terms, interventions>
  - Aluminum Oxide

<References>
  - Example A. On rubies. 2010. PMID 1234567 (background)

<Links>
  - Trial page: https://example.org/rublue

<Documents>
  - Protocol, Prot_000.pdf, 15 January 2012

<Read from>
  - ctgov-json, down.zip/one.json, record 4, 2016-06-03
  - page, saved.txt, record 1

<Odd values>
  - StartDate: '2012-02-30' (not a date)"""


def the_study() -> dict[str, Any]:
    study: dict[str, Any] = json.loads((FIXTURES / "trial" / "study.json").read_text("utf-8"))
    return study


def study_with(**modules: Any) -> dict[str, Any]:
    return {"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}, **modules}}


def test_the_whole_page() -> None:
    assert show_text(the_study(), bold=lambda text: f"<{text}>") == PAGE


def test_without_style_it_is_plain() -> None:
    assert show_text(the_study()) == re.sub(r"<([^<>\n]+)>", r"\1", PAGE)


def test_phone_numbers_and_mail_addresses_are_not_printed() -> None:
    page = show_text(the_study())
    assert "555-" not in page and "@" not in page and "Desk" not in page


def test_a_study_of_an_id_alone() -> None:
    assert show_text(study_with()) == "NCT00000001\nNCT00000001"


def test_no_study_no_page() -> None:
    with pytest.raises(InvalidTrialId):
        show_text({"protocolSection": {"identificationModule": {"briefTitle": "No id"}}})


def test_lists_hang_and_depths_show() -> None:
    criteria = (
        "Inclusion Criteria:\n\n"
        "* a disease that has been known for some time, as by a doctor\n\n"
        "  1\\. gout\n  2\\. gravel\n"
        "* age 5\n\n"
        "Exclusion Criteria: none"
    )
    page = show_text(study_with(eligibilityModule={"eligibilityCriteria": criteria}), width=40)
    assert page.split("\n\n")[1] == (
        "Eligibility\n"
        "  Inclusion\n"
        "    - a disease that has been known for\n"
        "      some time, as by a doctor\n"
        "      1. gout\n"
        "      2. gravel\n"
        "    - age 5\n"
        "  Exclusion\n"
        "    none"
    )


def test_lines_that_were_broken_at_a_margin_are_joined() -> None:
    text = (
        "      The first line of this paragraph is as long as the margin of the old records lets it be,\n"
        "      and it ends here.\n\n"
        "      Next.\n"
        "      - an item that is as long as the margin of the old records lets it, with its end\n"
        "        on the next line\n"
    )
    page = show_text(study_with(descriptionModule={"briefSummary": text}), width=200)
    assert page.split("Summary\n")[1] == (
        "  The first line of this paragraph is as long as the margin of the old records lets it be,"
        " and it ends here.\n\n"
        "  Next.\n"
        "  - an item that is as long as the margin of the old records lets it, with its end on the next line"
    )


def test_many_sites_are_counted_by_country() -> None:
    places = [("Norway", f"N{number}") for number in range(1, 8)] + [("Chile", "C1")] * 3 + [(None, "X")]
    locations = [{"facility": "F", "city": city, "country": country} for country, city in places]
    page = show_text(study_with(contactsLocationsModule={"locations": locations}))
    assert page.split("\n\n")[1] == (
        "11 sites in 2 countries\n"
        "  - Norway (7): N1, N2, N3, N4, N5 and 2 more\n"
        "  - Chile (3): C1\n"
        "  - no country named (1): X"
    )
    few = show_text(study_with(contactsLocationsModule={"locations": locations[7:8]}))
    assert few.split("\n\n")[1] == "1 site in Chile\n  - F, C1, Chile"


@pytest.mark.parametrize(
    ("bounds", "ages"),
    [
        ({"minimumAge": "18 Years", "maximumAge": "64 Years"}, "18 to 64 years"),
        ({"minimumAge": "18 Years"}, "18 years and older"),
        ({"maximumAge": "1 Month"}, "up to 1 month"),
    ],
)
def test_ages_in_words(bounds: dict[str, str], ages: str) -> None:
    assert f"  - Ages: {ages}\n" in show_text(study_with(eligibilityModule=bounds)) + "\n"


def test_results_that_are_elsewhere() -> None:
    page = show_text(study_with() | {"hasResults": True})
    assert page.endswith("Results\n  - posted at the registry; not in this record")
    assert "Results" not in show_text(study_with() | {"hasResults": False})


def test_unknown_codes_stay_as_they_are() -> None:
    page = show_text(study_with(statusModule={"overallStatus": "Half Open"}, designModule={"phases": ["NA"]}))
    assert page.split("\n\n")[1] == "Status  Half Open\nPhase   Not applicable"


def test_a_text_cannot_steer_the_terminal() -> None:
    title = "Red \x1b[31mfever\x1b[0m\x07 \u202egnirts \x9b2J \r end"
    identification = {"nctId": "NCT00000001", "briefTitle": title}
    sources = [{"format": "\x1b]0;x\x07", "file": "a\nb", "number": 1}]
    study = {
        "protocolSection": {
            "identificationModule": identification,
            "contactsLocationsModule": {"locations": [{"country": "\x1b[1mNorway"}]},
        },
        "sourceSection": {"sources": sources},
    }
    page = show_text(study)
    assert page.splitlines()[0] == "Red [31mfever [0m gnirts 2J end"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page)
    assert page.splitlines()[-1] == "  - ]0;x , a b, record 1"


@pytest.mark.parametrize("width", [0, 40, 57, 100])
def test_no_line_is_wider_than_asked(width: int) -> None:
    for line in show_text(the_study(), width=width).splitlines():
        assert len(line) <= max(width, 40)


TEXT = st.text(max_size=30) | st.sampled_from(
    ["* a\n  * b", "2012-02", "\\> 1", "\ud800", "PHASE1", "x" * 300]
)
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [place for key, value in items for place in leaves(value, (*path, key))]
    return [place for place in [*found, path] if place and place[-1] != "nctId"]


PLACES = [place for place in leaves(the_study()) if len(place) > 2]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(PLACES), JSONISH, min_size=1, max_size=5))
def test_no_damage_to_a_study_stops_the_page(damages: dict[tuple[Any, ...], Any]) -> None:
    study = the_study()
    identity = study["protocolSection"]["identificationModule"]
    for path, value in sorted(damages.items(), key=lambda damage: -len(damage[0])):
        node: Any = study
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
    page = show_text(study)
    assert identity["nctId"] in page
    page.encode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", page)


@needs_shared
def test_real_records() -> None:
    count = 0
    with zipfile.ZipFile(SHARED / "ctgov-v2-downloads.zip") as downloads:
        for name in downloads.namelist():
            if name.endswith(".json"):
                for study in json.loads(downloads.read(name)):
                    page = show_text(study, width=80)
                    count += 1
                    assert "\\" not in page.replace("\\\\", ""), page
    assert count == 438
