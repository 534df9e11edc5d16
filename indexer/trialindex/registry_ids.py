"""Trial ids: what identifies a record, and how people write it.

>>> canonical(" nct 0153-9902 ")
'NCT01539902'
>>> canonical("NCT153")
Traceback (most recent call last):
    ...
trialindex.errors.InvalidTrialId: 'NCT153' is not an NCT id: NCT and eight digits, like NCT01539902
>>> find("see NCT01539902 and nct00962923.")
['NCT01539902', 'NCT00962923']
"""

from __future__ import annotations

import re

from trialindex.errors import InvalidTrialId

__all__ = ["canonical", "find", "is_nct_id"]

_NCT = re.compile(r"NCT\d{8}")
_IN_TEXT = re.compile(r"\bNCT[ -]?(\d{8})\b", re.IGNORECASE)


def is_nct_id(text: str) -> bool:
    """Whether the text is an NCT id in the registry's spelling."""
    return _NCT.fullmatch(text) is not None


def canonical(text: str) -> str:
    """Return the registry's spelling of an NCT id: capitals, no spaces or hyphens.

    Raises InvalidTrialId for any other text.
    """
    tidy = re.sub(r"[\s-]", "", text).upper()
    if not is_nct_id(tidy):
        raise InvalidTrialId(f"{text!r} is not an NCT id: NCT and eight digits, like NCT01539902")
    return tidy


def find(text: str) -> list[str]:
    """Return the NCT ids that a text mentions, in order."""
    return ["NCT" + match[1] for match in _IN_TEXT.finditer(text)]
