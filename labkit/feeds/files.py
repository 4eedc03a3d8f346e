"""Find the existing files that ``lab.drip`` feeds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from labkit.errors import NotFound, require_type
from labkit.events.paths import files_at

EXPECTED = "a path, a path with wildcards, a folder, or a list of files"
Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_files(files: Files) -> list[Path]:
    """Return existing files in the order in which they will be fed.

    Parameters
    ----------
    files
        A file, a folder (its visible files) or a text with wildcards: in the order of their
        names. Or a list of files: in its own order.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: none of these.
    NotFound
        ``NOT_FOUND``: no such file, or none that matches.

    Examples
    --------
    >>> [path.name for path in find_files([__file__])]
    ['files.py']
    """
    if isinstance(files, str | os.PathLike):
        return _matching(files)
    require_type("files", files, Iterable, expected=EXPECTED)
    listed = [_single(entry) for entry in files]
    if not listed:
        raise _not_found("an empty list")
    return listed


def _matching(path: str | os.PathLike[str]) -> list[Path]:
    given = Path(path).expanduser()
    # Spark would not read hidden files; one that is named is meant all the same.
    found = [p for p in files_at(given) if p == given or not p.name.startswith((".", "_"))]
    if not found:
        raise _not_found(str(given))
    return found


def _single(entry: str | os.PathLike[str]) -> Path:
    require_type("files", entry, str | os.PathLike, expected=EXPECTED)
    path = Path(entry).expanduser()
    if not path.is_file():
        raise _not_found(str(entry))
    return path


def _not_found(text: str) -> NotFound:
    return NotFound(
        "NOT_FOUND",
        kind="file",
        name=text,
        reason="A feed of files needs at least one.",
        cure="Check the path; lab.data('stocks/*.csv') gives the course's own files.",
    )
