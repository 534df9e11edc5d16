"""The split of eligibility texts: headings as people write them, what is none, and that nothing is lost."""

from __future__ import annotations

import json
import re
import time
import zipfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import SHARED, needs_shared
from trialindex.criteria import Criteria, split_criteria


@pytest.mark.parametrize(
    ("inclusion", "exclusion"),
    [
        ("Inclusion Criteria:", "Exclusion Criteria:"),
        ("Inclusion Criteria", "Exclusion Criteria"),
        ("INCLUSION CRITERIA:", "EXCLUSION CRITERIA:"),
        ("-  INCLUSION CRITERIA:", "EXCLUSION CRITERIA:"),
        ("Key Inclusion Criteria:", "Key Exclusion Criteria:"),
        ("Main inclusion criteria:", "Main exclusion criteria:"),
        ("Inclusion:", "Exclusion:"),
        ("INCLUSION", "EXCLUSION"),
        ("**Inclusion Criteria:**", "**Exclusion Criteria**"),
        ("1. Inclusion Criteria:", "2. Exclusion Criteria:"),
        ("(a) Inclusion Criteria:", "(b) Exclusion Criteria:"),
        ("1\\. Inclusion criteria:", "2\\. Exclusion criteria:"),
        ("2.1 Inclusion Criteria", "2.2 Exclusion Criteria"),
        ("• Inclusion Criteria :", "• Exclusion Criteria :"),
        ("List of inclusion criteria:", "List of exclusion criteria:"),
        ("Inclusion criteria：", "Exclusion criteria："),
        ("Criteria for Inclusion:", "Criteria for Exclusion:"),
        ("INCLUSION REQUIREMENTS:", "EXCLUSION REQUIREMENTS:"),
    ],
)
def test_plain_headings_part_the_text_and_go(inclusion: str, exclusion: str) -> None:
    text = f"{inclusion}\n\n* Adults\n* Asthma\n\n{exclusion}\n\n* Smokers"
    assert split_criteria(text) == Criteria("* Adults\n* Asthma", "* Smokers", "")


@pytest.mark.parametrize(
    ("heading", "part"),
    [
        ("Inclusion criteria for healthy volunteers:", "inclusion"),
        ("Exclusion Criteria - Controls", "exclusion"),
        ("EXCLUSION CRITERIA FOR PATIENTS:", "exclusion"),
        ("Donor Exclusion Criteria:", "exclusion"),
        ("Part A Inclusion Criteria:", "inclusion"),
        ("Inclusion Criteria (Part A):", "inclusion"),
        ("Exclusion criteria for patients without asthma:", "exclusion"),
        ("Intra-surgery (graft removal) Exclusion Criteria", "exclusion"),
        ("Medical exclusions:", "exclusion"),
        ("Exclusion A:", "exclusion"),
        ("Patients meeting any of the following exclusion criteria must stay away:", "exclusion"),
        ("Exclusion criteria are:", "exclusion"),
        ("Patients with the following conditions are excluded:", "exclusion"),
        ("Excluded within 30 days of study entry:", "exclusion"),
        ("You will not be eligible for this study if you:", "exclusion"),
        ("Patients must not have:", "exclusion"),
        ("Patients must have the following:", "inclusion"),
        ("Prior Medication: Required:", "inclusion"),
        ("Children may be eligible for this study if they:", "inclusion"),
        ("Inclusion/Exclusion Criteria:", "other"),
        ("INCLUSION AND EXCLUSION CRITERIA, BY GROUP:", "other"),
    ],
)
@pytest.mark.parametrize("before", ["Inclusion Criteria:", "Exclusion Criteria:"])
def test_a_heading_that_says_more_stays_in_its_part(heading: str, part: str, before: str) -> None:
    parts = split_criteria(f"{before}\n\n* Once\n\n{heading}\n\n* Twice")._asdict()
    assert parts[part].endswith(f"{heading}\n\n* Twice")
    others = "".join(text for name, text in parts.items() if name != part)
    assert "Twice" not in others


@pytest.mark.parametrize(
    "sentence",
    [
        "No exclusion criteria apply",
        "* Patient meets the inclusion criteria for trial entry",
        "Other protocol-defined inclusion/exclusion criteria may apply",
        "* Failure to meet inclusion criteria.",
        "* Does not meet the inclusion criteria:",
        "There are no exclusion criteria.",
        "* Any conditions listed under Inclusion Criteria.",
        "Exclusion criteria do not include asthma",
        "Inclusion of women and minorities:",
        "* Exclusion of other causes",
        "* Age over 18 at the time of inclusion:",
        "* Pregnant women are excluded",
        "inclusion criteria",
        "* Subjects must have the following:",
        "with any of these are excluded:",
    ],
)
@pytest.mark.parametrize(("before", "part"), [("Inclusion Criteria:", 0), ("Exclusion Criteria:", 1)])
def test_a_sentence_is_no_heading(sentence: str, before: str, part: int) -> None:
    parts = split_criteria(f"{before}\n* First\n{sentence}\n* Last")
    assert parts[part] == f"* First\n{sentence}\n* Last"


def test_a_name_at_the_end_of_a_wrapped_sentence_is_no_heading() -> None:
    text = (
        "Inclusion Criteria:\n\n - Damage no worse than is said under the\n   Exclusion Criteria.\n - Adults"
    )
    assert split_criteria(text).exclusion == ""


def test_cohorts_are_put_together() -> None:
    text = "Inclusion A:\n* a\nExclusion A:\n* b\nInclusion B:\n* c\nExclusion B:\n* d"
    assert split_criteria(text) == Criteria(
        "Inclusion A:\n* a\nInclusion B:\n* c", "Exclusion A:\n* b\nExclusion B:\n* d", ""
    )


def test_text_may_stand_on_the_line_of_its_heading() -> None:
    text = "Inclusion Criteria: Women over 40.\nExclusion criteria:Smoking"
    assert split_criteria(text) == Criteria("Women over 40.", "Smoking", "")


def test_a_text_all_on_one_line() -> None:
    text = "Ask first. Inclusion Criteria: - women - over 40 Exclusion Criteria: - smoking"
    assert split_criteria(text) == Criteria("- women - over 40", "- smoking", "Ask first.")


def test_a_heading_at_the_end_of_a_line() -> None:
    text = "Inclusion Criteria:\n - At least a week after surgery. Exclusion Criteria\n - Smoking"
    assert split_criteria(text) == Criteria(" - At least a week after surgery.", " - Smoking", "")


def test_what_comes_before_a_lone_exclusion_is_what_lets_in() -> None:
    text = "ELIGIBILITY:\nAdults with gout\nEXCLUSION CRITERIA:\nSmoking"
    assert split_criteria(text) == Criteria("ELIGIBILITY:\nAdults with gout", "Smoking", "")


def test_what_comes_before_the_first_inclusion_is_neither() -> None:
    text = "Call us.\nInclusion Criteria:\nAdults\nExclusion Criteria:\nSmoking"
    assert split_criteria(text) == Criteria("Adults", "Smoking", "Call us.")


def test_a_text_without_headings_is_neither() -> None:
    text = "DISEASE CHARACTERISTICS:\n\n - Gout\n\nPATIENT CHARACTERISTICS:\n\nAge:\n\n - Over 18"
    assert split_criteria(text) == Criteria("", "", text)


def test_mixed_headings_end_an_exclusion() -> None:
    text = "Exclusion Criteria:\n - Gout\nPATIENT CHARACTERISTICS:\n - Over 18"
    assert split_criteria(text) == Criteria("", " - Gout", "PATIENT CHARACTERISTICS:\n - Over 18")


@pytest.mark.parametrize("text", ["", "\n\n", " \t ", "Inclusion Criteria:", "**", ":", "1."])
def test_hardly_anything(text: str) -> None:
    kept = "" if "Inclusion" in text or not text.strip() else text
    assert split_criteria(text) == Criteria("", "", kept)


WORDS = st.sampled_from(
    """Inclusion Exclusion INCLUSION EXCLUSION inclusion exclusion Criteria: criteria CRITERIA Criteria : - *
    • 1. 1\\. (a) Key for of the patients Patients must have: not excluded: are eligible no asthma. ( ) ** A:
    and / \x0b DISEASE CHARACTERISTICS: \u2028 ：""".split(" ")
)
TEXTS = st.lists(st.lists(WORDS | st.text(max_size=6), max_size=7).map(" ".join), max_size=9).map("\n".join)
# What the name of a plain heading may be made of.
_HEADING = re.compile(
    r"inclusions?|exclusions?|criteri\w+|requirements?|key|main|major|general|overall|principal|primary|study|trial"
    r"|selected|summary|list|of|the|for|[ivx]{1,4}|[a-z]|\d+|_+",
    re.IGNORECASE,
)


def words_of(text: str) -> Counter[str]:
    return Counter(word for word in re.findall(r"\w+", text) if not _HEADING.fullmatch(word))


@given(TEXTS)
def test_nothing_is_lost_and_nothing_is_added(text: str) -> None:
    parts = split_criteria(text)
    assert words_of(text) == sum((words_of(part) for part in parts), Counter())


@given(TEXTS)
def test_each_part_keeps_the_order_of_the_text(text: str) -> None:
    for part in split_criteria(text):
        place = 0
        for line in part.splitlines():
            place = text.index(line.strip(), place) + len(line.strip()) if line.strip() else place


@pytest.mark.parametrize(
    "piece",
    [
        "Inclusion Criteria: ",
        " \t",
        "* ",
        "(",
        "1.",
        "exclusion criteria for ",
        "are excluded ",
        "a: ",
        "inclusion/",
    ],
)
@pytest.mark.parametrize("ending", ["", ":", "\n"])
def test_a_hostile_text_takes_no_time(piece: str, ending: str) -> None:
    began = time.process_time()
    split_criteria(piece * 20_000 + ending)
    assert time.process_time() - began < 10  # the square of the length would take hours


@needs_shared
def test_most_real_texts_split() -> None:
    found = []
    with zipfile.ZipFile(SHARED / "ctgov-v2-downloads.zip") as downloads:
        for name in downloads.namelist():
            if name.endswith(".json"):
                for study in json.loads(downloads.read(name)):
                    found.append(study["protocolSection"]["eligibilityModule"]["eligibilityCriteria"])
    both = [parts for parts in map(split_criteria, found) if parts.inclusion and parts.exclusion]
    assert len(found) == 438
    assert len(both) >= 434  # the others name one kind only, or have no heading at all
