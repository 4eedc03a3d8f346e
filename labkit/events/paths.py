"""Paths of data files: the course's own, wherever a notebook runs, and what a glob means."""

from __future__ import annotations

import os
from glob import escape, glob
from pathlib import Path

from labkit.errors import InvalidArgument, NotFound, require_type

ROOT = Path(__file__).resolve().parents[2] / "data"


def data(pattern: str = ".") -> str:
    """Return the path of a file, a folder or a glob inside the course's ``data/`` folder.

    Parameters
    ----------
    pattern
        Relative to ``data/``, with ``/`` between folders; ``*``, ``?``, ``[…]`` and ``**`` are
        kept, for ``lab.drip`` and ``spark.read`` to resolve.

    Returns
    -------
    str
        An absolute path.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, or ``OUT_OF_RANGE`` when the pattern leads out of ``data/``.
    NotFound
        ``NOT_FOUND`` when nothing matches.

    Examples
    --------
    >>> data("stocks/*.csv").endswith("data/stocks/*.csv")
    True
    """
    require_type("pattern", pattern, str | os.PathLike, expected="a path as text")
    wanted = Path(pattern)
    if wanted.is_absolute() or ".." in wanted.parts:
        raise InvalidArgument(
            "OUT_OF_RANGE",
            name="pattern",
            value=str(pattern),
            bound="a path inside the course's data folder, such as 'stocks/*.csv'",
        )
    # Path.glob refuses some patterns, and not the same ones in every version of Python.
    matches = glob(str(Path(escape(str(ROOT))) / wanted), recursive=True)  # noqa: PTH207 - see above
    if not matches:
        raise NotFound(
            "NOT_FOUND",
            kind="course data",
            name=str(pattern),
            reason=f"Nothing in {ROOT} matches.",
            cure="data/README.md lists what there is; labkit must run from its repository.",
        )
    return (ROOT / wanted).as_posix()


def files_at(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files meant by the path of a file, a folder or a glob, in order of their names.

    Examples
    --------
    >>> [file.name for file in files_at(__file__)]
    ['paths.py']
    """
    given = Path(path).expanduser()
    if given.is_file():
        return [given]
    found = given.iterdir() if given.is_dir() else map(Path, glob(str(given), recursive=True))  # noqa: PTH207 - it may be absolute
    return sorted((file for file in found if file.is_file()), key=lambda file: (file.name, file))
