"""Which options has `trialsearch search`?"""

from __future__ import annotations

from typing import Any

import click

from trialsearch.cli.answers import FORMATS
from trialsearch.cli.options import Choices, Number

__all__ = ["SEARCH_OPTIONS", "chosen"]

_AREAS = "Words in one place"
# Filters do not touch the order.
_TRIAL = "Filters on the trial"
_PATIENT = "Filters on who may join"
_PLACE = "Filters on places"
_WHEN = "Filters on dates and size"
_ANY = "Filters on anything else"
_ORDER = "Order and size"
_MEANING = "How words are taken"
_OUTPUT = "Output"
_SAVED = "Saved searches"

_DATES = (
    (("--start",), "Start: --start 2012..2013-06, --start 2020.."),
    (("--primary-completion",), "Primary completion: --primary-completion 2024"),
    (("--completion",), "Completion: --completion ..2019"),
    (("--submitted",), "First submitted: --submitted 2020-03.."),
    (("--posted",), "First posted: --posted 2020-03-15.."),
    (("--results-submitted",), "Results first submitted: --results-submitted 2021.."),
    (("--results-posted",), "Results first posted: --results-posted 2021.."),
    (("--update-submitted",), "Last update submitted: --update-submitted 2024.."),
    (("--updated",), "Last update posted: --updated 2024-01.."),
    (("--verified",), "Last verified: --verified ..2018"),
)

# In the order of the help: names, heading, what click should know.
SEARCH_OPTIONS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (("--cond",), _AREAS, {"help": "Condition: --cond 'lupus nephritis'"}),
    (("--intr",), _AREAS, {"help": "Intervention: --intr 'stem cells OR rituximab'"}),
    (("--title",), _AREAS, {"help": "Titles and acronym: --title placebo"}),
    (("--outcome",), _AREAS, {"help": "Outcome measures: --outcome proteinuria"}),
    (("--sponsor",), _AREAS, {"help": "Sponsor and collaborators: --sponsor NIAID"}),
    (("--lead",), _AREAS, {"help": "Lead sponsor alone: --lead Pfizer"}),
    (("--location",), _AREAS, {"help": "Site, city, state, country: --location Nanjing"}),
    (("--id",), _AREAS, {"help": "Any id of a trial, or several: --id NCT01539902,NCT03458156"}),
    (("--patient",), _AREAS, {"help": "What describes a patient, but for criteria: --patient nephritis"}),
    (("--inclusion",), _AREAS, {"help": "Inclusion criteria: --inclusion 'class IV'"}),
    (("--exclusion",), _AREAS, {"help": "Exclusion criteria: --exclusion pregnancy"}),
    (
        ("--everywhere",),
        _AREAS,
        {"is_flag": True, "help": "Plain words also ask criteria, descriptions and results."},
    ),
    (("--status",), _TRIAL, {"multiple": True, "help": "Status: --status recruiting,not_yet_recruiting"}),
    (
        ("--phase",),
        _TRIAL,
        {
            "multiple": True,
            "help": "Phase: --phase 2; either: --phase 1,2; both: --phase 1/2; not applicable: --phase na; "
            "no phase at all: --phase none",
        },
    ),
    (("--type",), _TRIAL, {"multiple": True, "help": "Type of study: --type observational"}),
    (("--allocation",), _TRIAL, {"multiple": True, "help": "Allocation: --allocation randomized"}),
    (("--masking",), _TRIAL, {"multiple": True, "help": "Masking: --masking double,triple,quadruple"}),
    (("--purpose",), _TRIAL, {"multiple": True, "help": "Primary purpose: --purpose prevention"}),
    (("--model",), _TRIAL, {"multiple": True, "help": "Intervention model: --model crossover"}),
    (
        ("--intervention-type",),
        _TRIAL,
        {"multiple": True, "help": "Type of an intervention: --intervention-type device"},
    ),
    (
        ("--funder",),
        _TRIAL,
        {"multiple": True, "help": "Class of the lead sponsor or a collaborator: --funder industry"},
    ),
    (
        ("--with-results/--without-results",),
        _TRIAL,
        {"default": None, "help": "Only trials with, or only without, posted results."},
    ),
    (("--sex",), _PATIENT, {"help": "A patient's sex; trials for all answer too: --sex female"}),
    (
        ("--age",),
        _PATIENT,
        {"help": "A patient's age; a bound that is not stated excludes nobody: --age 34, --age '6 months'"},
    ),
    (("--age-group",), _PATIENT, {"multiple": True, "help": "child, adult or older: --age-group child"}),
    (("--healthy",), _PATIENT, {"help": "Whether healthy volunteers may join: --healthy yes"}),
    (
        ("--country",),
        _PLACE,
        {
            "multiple": True,
            "help": "Country of a site; of several, any; with a state, a city or a facility all on one site: "
            "--country China --country Japan",
        },
    ),
    (("--state",), _PLACE, {"multiple": True, "help": "State of a site: --state Maine"}),
    (("--city",), _PLACE, {"multiple": True, "help": "City of a site: --city Portland --state Maine"}),
    (("--facility",), _PLACE, {"multiple": True, "help": "Name of a site: --facility 'Mayo Clinic'"}),
    (
        ("--near",),
        _PLACE,
        {
            "metavar": "PLACE",
            "help": "A site near a place or LATITUDE,LONGITUDE: --near 'Boston, MA', --near 42.36,-71.06",
        },
    ),
    (
        ("--within",),
        _PLACE,
        {"metavar": "DISTANCE", "help": "How near, 50mi unless told: --within 80km"},
    ),
    *((names, _WHEN, {"metavar": "FROM..TO", "help": help}) for names, help in _DATES),
    (
        ("--enrollment",),
        _WHEN,
        {"metavar": "FROM..TO", "help": "Participants: --enrollment 100.., --enrollment 20..50"},
    ),
    (
        ("--filter",),
        _ANY,
        {
            "multiple": True,
            "metavar": "EXPR",
            "help": "An expression that leaves the order alone: --filter 'AREA[StdAge]CHILD OR infant'",
        },
    ),
    (
        ("--agg-filters",),
        _ANY,
        {
            "metavar": "LIST",
            "help": "The registry's aggFilters: --agg-filters 'results:with,status:rec not,phase:2 3'",
        },
    ),
    (
        ("--sort",),
        _ORDER,
        {
            "default": "relevance",
            "metavar": "KEYS",
            "help": "relevance, updated, start, completion, posted, enrollment, distance, id or any date or "
            "number field, :asc or :desc behind it; two at most: --sort start:asc,enrollment",
        },
    ),
    (
        ("--limit", "-n"),
        _ORDER,
        {
            "type": Number(all_too=True),
            "metavar": "N",
            "default": 10,
            "help": "Trials to print, 10 unless told: --limit 50, -n all",
        },
    ),
    (
        ("--offset",),
        _ORDER,
        {"type": Number(), "metavar": "N", "default": 0, "help": "Trials to pass over: --offset 10"},
    ),
    (
        ("--no-fuzzy",),
        _MEANING,
        {"is_flag": True, "help": "Misspelt names as typed: no rituximab for rituximb."},
    ),
    (("--no-synonyms",), _MEANING, {"is_flag": True, "help": "No other names: LN finds no lupus nephritis."}),
    (("--exact",), _MEANING, {"is_flag": True, "help": "Both of these."}),
    (("--count",), _OUTPUT, {"is_flag": True, "help": "Print only the number of trials found."}),
    (
        ("--explain",),
        _OUTPUT,
        {"is_flag": True, "help": "Print the query as understood, and how each score is made up."},
    ),
    (
        ("--fields",),
        _OUTPUT,
        {
            "metavar": "NAMES",
            "help": "What to show of each trial, by our names, the registry's, or groups: "
            "--fields id,title,LocationCity,eligibility",
        },
    ),
    (
        ("--facets",),
        _OUTPUT,
        {
            "metavar": "NAMES",
            "help": "Count all trials found by the values of fields: --facets status,phase,country,start",
        },
    ),
    (
        ("--facet-limit",),
        _OUTPUT,
        {
            "type": Number(all_too=True),
            "metavar": "N",
            "default": 20,
            "help": "Values of each facet, 20 unless told: --facet-limit 5",
        },
    ),
    (
        ("--save",),
        _SAVED,
        {"metavar": "NAME", "help": "Keep this search under a name: lupus --phase 2 --save lupus2"},
    ),
    (
        ("--new",),
        _SAVED,
        {
            "metavar": "NAME",
            "help": "What is new or changed for a saved search since it was last asked.",
        },
    ),
    (("--peek",), _SAVED, {"is_flag": True, "help": "With --new: look, and tell the same next time again."}),
    (
        ("--format", "format_"),
        _OUTPUT,
        {
            "type": click.Choice(FORMATS),
            "metavar": "FORMAT",
            "help": "table (on a terminal), plain (in a pipe), json, jsonl, csv, csv-site (as the registry "
            "writes it), ris (for reference managers) or ids: --format csv",
        },
    ),
)


def chosen(*names: str) -> Choices:
    """Return the options of these first names."""
    return (option for option in SEARCH_OPTIONS if option[0][0] in names)
