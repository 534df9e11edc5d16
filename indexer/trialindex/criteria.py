r"""The eligibility text of a trial, parted into what lets in and what keeps out.

The registry holds both in one free text; its headings part them. A plain heading is dropped, a heading that
says more than its name is kept as the first line of its part, and all else is kept line by line:

>>> split_criteria("Key Inclusion Criteria:\n\n* Adults\n\nExclusion criteria for donors:\n\n* Anaemia")
Criteria(inclusion='* Adults', exclusion='Exclusion criteria for donors:\n\n* Anaemia', other='')

Headings may come again and again (one pair a cohort), on the line of their text, or in the middle of a line:

>>> split_criteria("Inclusion Criteria: - over 18. Exclusion Criteria: - asthma").exclusion
'- asthma'

Older records have sentences that open a list in place of headings. These turn to a part too, and stay:

>>> text = "Patients must have:\n - Asthma.\nPatients with the following are excluded:\n - Gout."
>>> print(split_criteria(text).exclusion)
Patients with the following are excluded:
 - Gout.

A sentence that speaks of the criteria is no heading, and a text without any heading is `other`, since it
mixes the two:

>>> split_criteria("DISEASE CHARACTERISTICS:\nHealthy adults\nNo exclusion criteria apply")[:2]
('', '')

Which error is worse: an exclusion that lands in `inclusion` makes a trial answer for patients whom it turns
away. So what is in doubt stays where the last clear heading put it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Criteria", "split_criteria"]

_LONGEST_HEADING = 120  # characters; longer texts before a colon are sentences

_BULLET = re.compile(
    r"\s*(?:(?:[*•·◦▪‣○●#>–—-]+|(?:\d{1,2}|[IVX]{1,4})(?:\.\d{1,2}){1,3}|\(?(?:\d{1,2}|[A-Za-z]|[IVX]{1,4})\\?[.)])\s*){1,3}"
)
_TERM = re.compile(
    r"\bcriteria (?:for|of) (in|ex)clusion\b"
    r"|\b(in|ex)clusions?\b(?:\s*(?:[/\\,&]|and|or)\s*((?:in|ex)clusions?)\b)?(\s+(?:criteri(?:a|as|on|um)|requirements?)\b)?",
    re.IGNORECASE,
)
# What may stand before the name of a heading without making it say more.
_PLAIN = re.compile(
    r"(?:key|main|major|general|overall|principal|primary|study|trial|selected|(?:summary|list) of|the)?",
    re.IGNORECASE,
)
# Words before the name that make the line a sentence about criteria, not their heading.
_SENTENCE = frozenset(
    """a all an any are as at be by each following for from fulfil fulfill fulfilled fulfilling fulfills
    fulfils had has have if in is it its listed meet meeting meets met of on one or other per satisfies
    satisfy satisfying see some than that the their these this those to under was were which who whose with
    within""".split()
)
_NEGATION = frozenset(
    """cannot doesn't don't except fail failed fails failing failure neither no none nor not unless
    without""".split()
)
_VERB = frozenset(
    """applies apply are be can do does has have include included includes is may met must shall should was
    were will would""".split()
)
_LISTING = frozenset("are include included includes is was were".split())

_PEOPLE = (
    r"(?:the )?(?:patients?|subjects?|volunteers?|participants?|children|infants|women|men|females|males"
    r"|mothers|you|your child|a child)"
)
# Sentences that open a list, alone on a line that ends in a colon; the first row that fits decides.
_OPENINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (turn, re.compile(opening, re.IGNORECASE))
    for turn, opening in (
        ("exclusion", r"(?:.* )?(?:is|are|be|were) excluded(?: .*)?"),
        ("exclusion", r"(?:[\w /-]{1,30}: )?excluded\b.*"),
        ("exclusion", r"(?:.* )?(?:not (?:be )?eligible|ineligible)(?: .*)?"),
        ("exclusion", _PEOPLE + r" (?:must|may|should) not(?: .*)?"),
        (
            "inclusion",
            _PEOPLE + r" (?:must|should)(?: have| be| meet)?(?: (?:all of )?the following(?: criteria)?)?",
        ),
        ("inclusion", _PEOPLE + r" (?:may be|are|will be) (?:eligible|included)(?: .*)?"),
        ("inclusion", r"(?:[\w /-]{1,30}: )?(?:required|allowed|included|recommended)"),
    )
)
# Headings of the cancer institute's older records: what stands under them mixes the two.
_MIXED = re.compile(
    r"(?:disease|patient|donor) characteristics|prior[ /]concurrent therapy|protocol entry criteria",
    re.IGNORECASE,
)
_ELIGIBILITY = re.compile(r"(?:(?:key|main|general|study) )?eligibility(?: criteria)?", re.IGNORECASE)

# A heading in the middle of a line: capitals and a colon, or a line's end right after a sentence's end.
_INLINE = re.compile(
    r"(?<=\S)[ \t]+(?=(?:(?:Key|Main|Major|KEY|MAIN|MAJOR) )?(?:Inclusion|Exclusion|INCLUSION|EXCLUSION)"
    r" (?:Criteria|CRITERIA) ?(?::(?P<list>\s{0,3}(?:[*•-]|\(?\d))?|$))"
)
_CANDIDATE = re.compile(r"[:：]|clusion|eligib", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")


class Criteria(NamedTuple):
    """The three parts of an eligibility text, as lines; `other` stands under no heading of either kind."""

    inclusion: str
    exclusion: str
    other: str


def split_criteria(text: str) -> Criteria:
    """Part an eligibility text by its headings.

    Every line but plain headings lands in exactly one part, in its order; blank lines in a row become one.
    """
    lines: dict[str, list[str]] = {"inclusion": [], "exclusion": [], "other": []}
    part = "other"
    headed = False
    previous = ""
    for written in text.splitlines():
        if not _may_head(written):
            previous = written.rstrip()
            lines[part].append(previous)
            continue
        for line in _parted(written):
            turn, kept = _mark(line, previous, part) if _may_head(line) else (None, line)
            if turn == "exclusion" and not headed:
                # A text that names only its exclusions has begun with what it asks for.
                lines["inclusion"], lines["other"] = lines["other"], []
            headed = headed or turn in ("inclusion", "exclusion")
            part = turn or part
            if kept:
                lines[part].append(kept)
            previous = line
    return Criteria(*(_text(lines[name]) for name in Criteria._fields))


def _text(lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return _BLANKS.sub("\n\n", text) if "\n\n\n" in text else text


def _parted(line: str) -> list[str]:
    """Return a line parted before the headings in its middle."""
    bare = line.strip()
    # What stands before such a heading is a sign, a blank and two letters at least.
    if bare.find("clusion C", 4) < 0 and bare.find("CLUSION C", 4) < 0:
        return [line.rstrip()]
    found = []
    start = 0
    for match in _INLINE.finditer(line):
        before = line[start : match.start()]
        if _BULLET.fullmatch(before) is None and (before.endswith((".", ";", "!", "?")) or match["list"]):
            found.append(before.rstrip())
            start = match.end()
    return [*found, line[start:].rstrip()]


def _mark(line: str, previous: str, part: str) -> tuple[str | None, str]:
    """Return the part that a line which may be a heading turns to, or None, and what is kept of it."""
    bullet = _BULLET.match(line)
    bare = line[bullet.end() :] if bullet else line
    bare = bare.replace("**", "").replace("__", "").strip().rstrip("*_ ").replace("：", ":")
    head, colon, rest = bare.partition(":")
    head, rest = head.strip(), rest.strip()
    if len(head) <= _LONGEST_HEADING:
        named = _named(head, colon != "", rest, bullet is not None, previous)
        if named is not None:
            turn, plain = named
            return turn, rest if plain else line
        if part == "exclusion" and colon and _MIXED.fullmatch(head):
            return "other", line
    if bullet is None and bare.endswith(":") and bare[0].isupper() and len(bare) <= _LONGEST_HEADING:
        return next(
            (turn for turn, opening in _OPENINGS if opening.fullmatch(bare[:-1].rstrip())), None
        ), line
    return None, line


def _may_head(line: str) -> bool:
    """Whether `_CANDIDATE` is found in a line: spares most lines the rest."""
    if not line.isascii():
        return _CANDIDATE.search(line) is not None
    # For ASCII three searches for plain texts say the same in a tenth of the time.
    return ":" in line or "clusion" in (lowered := line.lower()) or "eligib" in lowered


def _named(head: str, colon: bool, rest: str, bulleted: bool, previous: str) -> tuple[str, bool] | None:
    """Return the part that a heading names and whether it says no more; None for what is no heading."""
    # As in `_may_head`: most lines with a colon speak of other things.
    if head.isascii() and "clusion" not in (lowered := head.lower()) and "eligib" not in lowered:
        return None
    term = _TERM.search(head)
    if term is None:
        general = (
            _ELIGIBILITY.fullmatch(head) and head[0].isupper() and (colon or head.isupper()) and not rest
        )
        return ("other", False) if general else None
    kind, second, criteria = (term[1] or term[2]).lower(), term[3], term[1] or term[4]
    before, after = head[: term.start()].strip(" \t-–—"), head[term.end() :].strip()
    said, told = before.lower().split(), after.lower().split()
    opens_list = colon and not bulleted and ("following" in said or not rest)
    if not criteria and not _stands_alone(before, after, colon and not rest):
        return None
    if not _NEGATION.isdisjoint(said) or (not colon and not _NEGATION.isdisjoint(told)):
        return None
    if not _SENTENCE.isdisjoint(said) and not _PLAIN.fullmatch(before) and not opens_list:
        return None
    if not _VERB.isdisjoint(told) and not (colon and _LISTING & set(told)) and not opens_list:
        return None
    if not colon and not _ends_like_heading(head, previous):
        return None
    both = second is not None and not second.lower().startswith(kind)
    turn = "other" if both else f"{kind}clusion"
    return turn, not both and _PLAIN.fullmatch(before) is not None and not after.strip(".*_ ")


def _stands_alone(before: str, after: str, alone: bool) -> bool:
    """Whether `Inclusion` or `Exclusion` is a heading without the word criteria; `alone`: a colon ends it."""
    if alone and (not after or re.match(r"[-–—(]|for |\w{1,2}$", after) or after.lower() in _LISTING):
        return len(before.split()) <= 4 and _SENTENCE.isdisjoint(before.lower().split())
    return _PLAIN.fullmatch(before) is not None and not after


def _ends_like_heading(head: str, previous: str) -> bool:
    """Whether a line without a colon is a heading and not the end of a sentence wrapped at its margin."""
    if not head[0].isupper() or len(head.split()) > 12 or head.endswith((",", ";")):
        return False
    if head.count("(") != head.count(")"):
        return False
    return not head.endswith(".") or not previous or previous.endswith((".", ":", ";"))
