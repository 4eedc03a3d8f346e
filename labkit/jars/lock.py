"""The lock: every jar with its set, size and SHA-256 sum, and which of them are here.

``connectors.xml`` names the jars, ``jars.lock`` says what they must contain. For maintainers:
``python -m labkit.jars.lock`` fetches all of ``connectors.xml`` anew and writes ``jars.lock``.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from labkit import settings
from labkit.errors import MissingNeed, require_choice

if TYPE_CHECKING:
    from labkit.jars.ivy import Wanted

LOCK_FILE = Path(__file__).with_name("jars.lock")
# The sets on Spark's class path. Their order is part of the key of the class-data archive.
SPARK_SETS = ("kafka", "delta", "iceberg", "postgres", "s3")
# Servers have a class path of their own each, and a folder of the set's name.
SERVER_SETS = ("broker", "s3server")
SETS = SPARK_SETS + SERVER_SETS


class Jar(NamedTuple):
    """One line of the lock.

    Parameters
    ----------
    set
        The configuration of ``connectors.xml`` that it belongs to.
    name
        Its file name, version included.
    sha256
        What the file must hash to, in hexadecimal digits.
    size_bytes
        How long the file must be.
    """

    set: str
    name: str
    sha256: str
    size_bytes: int

    @property
    def path(self) -> Path:
        """Where it lies once it is fetched."""
        return settings.jars() / ("spark" if self.set in SPARK_SETS else self.set) / self.name


def jars(sets: Iterable[str] | None = None) -> list[Jar]:
    """Return the lock's jars of these sets, in the order in which class paths name them.

    Parameters
    ----------
    sets
        Names out of ``SETS``; None means all.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: a name is no set.

    Examples
    --------
    >>> [jar.name for jar in jars(["postgres"])]
    ['postgresql-42.7.14.jar']
    """
    chosen = SETS if sets is None else tuple(sets)
    for name in chosen:
        require_choice("sets", name, SETS)
    return [jar for name in SETS if name in chosen for jar in _read() if jar.set == name]


def missing(sets: Iterable[str] | None = None) -> list[str]:
    """Return the names of the jars that are not here, or not as long as the lock says.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: a name is no set.
    """
    return [jar.name for jar in jars(sets) if not is_here(jar)]


def damaged(sets: Iterable[str] | None = None) -> list[str]:
    """Return the names of the jars that are here with another SHA-256 sum than the lock says.

    It reads every jar: 200 MB take about half a second.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``: a name is no set.
    """
    return [j.name for j in jars(sets) if j.path.is_file() and sum_of(j.path) != j.sha256]


def class_path(set: str) -> list[Path]:  # noqa: A002  the word that users of the lock know
    """Return the jars of one set, in their fixed order.

    Parameters
    ----------
    set
        A name out of ``SETS``.

    Raises
    ------
    MissingNeed
        ``NEEDS``: some are missing; the cure is ``labkit fetch``.
    InvalidArgument
        ``UNKNOWN_CHOICE``: there is no such set.

    Examples
    --------
    >>> class_path("broker")[0].name  # doctest: +SKIP
    'argparse4j-0.7.0.jar'
    """
    lacking = missing([set])
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        need = f"The jars for {set!r} are not here."
        reason = f"{settings.jars()} lacks {lacking[0]}{more}."
        raise MissingNeed("NEEDS", need=need, reason=reason, cure="Run `labkit fetch`.")
    return [jar.path for jar in jars([set])]


def spark_class_path() -> list[Path]:
    """Return every jar for Spark that is here, in one fixed order; empty before the first fetch."""
    return [jar.path for jar in jars(SPARK_SETS) if is_here(jar)]


def is_here(jar: Jar) -> bool:
    """Tell whether the jar is in its place, as long as the lock says."""
    try:
        return jar.path.stat().st_size == jar.size_bytes
    except OSError:
        return False


def sum_of(file: Path) -> str:
    """Return the file's SHA-256 sum in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _read() -> tuple[Jar, ...]:
    lines = (line.split() for line in LOCK_FILE.read_text(encoding="ascii").splitlines())
    return tuple(Jar(set_, name, sha256, int(size)) for set_, name, sha256, size in lines)


def main() -> int:
    """Fetch everything that connectors.xml names and write its sums; for maintainers."""
    from labkit.jars import ivy  # noqa: PLC0415  readers of the lock need no Ivy

    wanted = ivy.wanted()
    folder = Path(tempfile.mkdtemp(prefix="labkit-lock-"))
    try:
        ivy.download(wanted, folder)
        lines = [_line(one, ivy.arrived(folder, one.file_name)) for one in wanted]
    finally:
        shutil.rmtree(folder)
    LOCK_FILE.write_text("".join(sorted(lines)), encoding="ascii")
    sys.stdout.write(f"{len(lines)} jars in {LOCK_FILE}\n")
    return 0


def _line(one: Wanted, found: list[Path]) -> str:
    if len(found) != 1:
        reason = f"Ivy brought {len(found)} files of this name."
        raise MissingNeed("FETCH_FAILED", jars=one.file_name, reason=reason)
    return f"{one.set} {one.file_name} {sum_of(found[0])} {found[0].stat().st_size}\n"


if __name__ == "__main__":
    sys.exit(main())
