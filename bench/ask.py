"""The process that a contestant is asked in.

    python bench/ask.py MODULE MODE FOLDER          lines of JSON [query, limit] on standard input
    python bench/ask.py MODULE MODE FOLDER QUERY    print three ids, and end: the cold start

MODULE is a contestant's (`peer_fts5`), MODE how it is asked (`all`: trials that have all the words).
Answers are lines of JSON {"seconds", "answer"}; the first line is what opening and a first query took.
Standard library only, imported as late as can be: see `words`.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter

from words import TOP

# Asked once before the clock starts, so that what an engine loads on its first query is not a query's time.
OPENING = "asthma"


def main(module: str, mode: str, folder: str, query: str | None = None) -> None:
    """Answer one query, or serve queries until the input ends."""
    start = perf_counter()
    ask = import_module(module).asker(Path(folder), mode)
    if query is not None:
        for key, _score in ask(query, 3):
            print(key)
        return
    ask(OPENING, TOP)
    print(json.dumps({"seconds": perf_counter() - start}), flush=True)
    for line in sys.stdin:
        text, limit = json.loads(line)
        start = perf_counter()
        answer = ask(text, limit)
        seconds = perf_counter() - start
        print(json.dumps({"seconds": seconds, "answer": answer}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
