"""Which trial does an id of the command line name, and which are near it?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trialindex.errors import InvalidTrialId
from trialsearch.cli.printing import say

if TYPE_CHECKING:
    from trialsearch.engine import TrialSearch

__all__ = ["known_id", "say_missing"]


def known_id(text: str) -> str:
    """Return an id as an index knows it: an NCT id in the registry's spelling, any other as typed."""
    from trialindex.registry_ids import canonical

    try:
        return canonical(text)
    except InvalidTrialId:
        return text.strip()


def _near_ids(trials: TrialSearch, identifier: str) -> list[str]:
    """Return ids of the index that differ from one by a slip of the hand, and those of the trials that
    have it as another id.
    """
    slips: dict[str, None] = {}
    if re.fullmatch(r"[Nn][Cc][Tt]\d{5,10}", identifier):
        digits = identifier[3:]
        for place in range(len(digits) + 1):
            head, tail = digits[:place], digits[place:]
            slips |= dict.fromkeys(head + new + tail for new in "0123456789")
            slips |= dict.fromkeys([head + tail[1:]] + [head + new + tail[1:] for new in "0123456789"])
            slips |= dict.fromkeys([head + tail[1:2] + tail[:1] + tail[2:]])
    near = [f"NCT{digits}" for digits in slips if len(digits) == 8 and f"NCT{digits}" in trials]
    if not near and identifier:
        quoted = '"' + re.sub(r'([\\"])', r"\\\1", identifier[:100]) + '"'
        near = [hit.id for hit in trials.search(id=quoted, limit=3)]
    return near[:3]


def say_missing(trials: TrialSearch, identifier: str, folder: object) -> None:
    near = _near_ids(trials, identifier)
    remedy = f"near it: {', '.join(near)}" if near else "index a file that has it: trialsearch index SOURCE"
    say(f"trialsearch: no trial {identifier} in the index {folder}; {remedy}")
