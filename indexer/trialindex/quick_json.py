"""JSON at the speed of orjson, with what the standard library makes of it.

orjson is several times faster, and differs where a value lies at the edge of JSON. There, and only there, the
standard library does the work: an integer beyond 64 bits, half of a surrogate pair, a key that is no text,
and infinity, which orjson writes as null:

>>> dumps({"title": "Sjögren", "phases": [1, None]})
b'{"title":"Sj\\xc3\\xb6gren","phases":[1,null]}'
>>> dumps([2**64, float("inf"), "\\ud83d"])
b'[18446744073709551616,Infinity,"\\xed\\xa0\\xbd"]'

Both write a float so that the same one is read again, if not always in the same digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

__all__ = ["dumps", "loader"]

# A null by itself, in an array or an object, or a text that looks like one.
_NULL = re.compile(rb"(?:^|[\[,:])null")
# Fewer texts than this are parsed in less time than it takes to import orjson.
_FEW = 100


def dumps(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, keys in their order, without spaces; half of a surrogate pair as
    `surrogatepass` has it.

    Raises TypeError and RecursionError as `json.dumps` does.
    """
    import orjson  # 5 ms of a start that may need none of it

    try:
        data = orjson.dumps(value)
    except TypeError:
        pass
    else:
        # A plain search spares nearly all texts the pattern.
        if b"null" not in data or _NULL.search(data) is None:
            return data
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def loader(count: int) -> Callable[[bytes], Any]:
    """Return what parses JSON fastest where there are so many texts; raises ValueError for what is none."""
    if count < _FEW:
        return json.loads
    import orjson

    loads: Callable[[bytes], Any] = orjson.loads
    return loads
