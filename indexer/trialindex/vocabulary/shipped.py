"""The vocabulary that comes with the package, in the form that is mapped: written once for each version, and
copied.

It takes some seconds to write, so a copy is kept in the user's cache folder. A copy that is damaged is
written anew, and where no copy can be kept nobody needs one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from trialindex.errors import IndexDamaged
from trialindex.vocabulary.concepts import SHIPPED, shipped_concepts

__all__ = ["cached", "write_shipped"]


def cached() -> Path:
    """Return where the copy for this version of the package is kept, whether or not it is there."""
    from importlib.metadata import version

    from platformdirs import user_cache_path

    from trialindex.contents import SCHEMA_VERSION

    # The analysis of names is part of what is written: it changes with the version at most.
    told = f"{SCHEMA_VERSION} {version('trialsearch')}".encode()
    digest = hashlib.blake2b(SHIPPED.read_bytes() + told, digest_size=8).hexdigest()
    return user_cache_path("trialsearch", appauthor=False) / f"vocabulary-{digest}.voc"


def write_shipped(path: Path) -> None:
    """Write the shipped vocabulary to a path."""
    from trialindex.vocabulary.mapped import write_vocabulary

    copy = cached()
    if _is_sound(copy):
        shutil.copyfile(copy, path)
        return
    write_vocabulary(shipped_concepts(), path)
    # A full disk, a home that cannot be written: the next index takes as long.
    with contextlib.suppress(OSError):
        copy.parent.mkdir(parents=True, exist_ok=True)
        finished = copy.with_name(f"{copy.name}.{os.getpid()}")
        try:
            shutil.copyfile(path, finished)
            finished.replace(copy)
        finally:
            finished.unlink(missing_ok=True)


def _is_sound(path: Path) -> bool:
    from trialindex.segments.arrays import ArrayFile

    try:
        file = ArrayFile(path)
    except (OSError, IndexDamaged):
        return False
    try:
        return not file.check()
    finally:
        file.close()
