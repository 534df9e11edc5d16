"""`python -m trialsearch`: the command line."""

from __future__ import annotations

from trialsearch.cli import main

if __name__ == "__main__":
    main()
