"""Every ``LABKIT_*`` variable, in one place.

=======================  =========================================================================
variable                 meaning (default)
=======================  =========================================================================
``LABKIT_HOME``          the lab's scratch space (``labkit`` in the user's cache folder)
``LABKIT_JARS``          where ``labkit fetch`` keeps the jars (``jars`` in ``LABKIT_HOME``)
``LABKIT_HOST``          the address that our servers bind to and hand out (``127.0.0.1``)
``LABKIT_HEAP``          heap of the Spark driver in MiB, 256 to 16384 (``512``)
``LABKIT_MASTER``        an outside Spark master (none: ``local[2]`` in this kernel)
``LABKIT_KAFKA``         bootstrap servers of an outside broker (none: one is started)
``LABKIT_IVY_SETTINGS``  an ``ivysettings.xml`` of the school's own, for a mirror of the jars (none)
``LABKIT_STRICT``        ``1``: a check that is not passed is an error, as in tests (``0``)
``LABKIT_PATIENCE``      how many times longer labkit waits, 1 to 100, for slow machines (``1``)
``LABKIT_BARS``          ``0``: no bars while something takes long, as in compared outputs (``1``)
=======================  =========================================================================

They are read when they are needed, never at import, so a notebook can set them in its first cell.
"""

from __future__ import annotations

import os
from pathlib import Path

from labkit.errors import InvalidArgument, require_int, require_number

DEFAULT_HOST = "127.0.0.1"
# 512 MiB: a classroom student fits in 1 GB (kernel 109 MB, JVM about 460 MB resident).
DEFAULT_HEAP_MIB = 512


def home() -> Path:
    """Return the lab's scratch space; the folder may not exist yet."""
    given = os.environ.get("LABKIT_HOME")
    if given:
        return Path(given).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "labkit"


def jars() -> Path:
    """Return the folder of the fetched jars; the folder may not exist yet."""
    given = os.environ.get("LABKIT_JARS")
    return Path(given).expanduser().absolute() if given else home() / "jars"


def host() -> str:
    """Return the address that our servers bind to and hand out."""
    return os.environ.get("LABKIT_HOST") or DEFAULT_HOST


def heap_mib() -> int:
    """Return the heap of the Spark driver in MiB.

    Raises
    ------
    InvalidArgument
        ``LABKIT_HEAP`` is not a whole number from 256 to 16384.
    """
    text = os.environ.get("LABKIT_HEAP") or str(DEFAULT_HEAP_MIB)
    try:
        value = int(text)
    except ValueError:
        raise InvalidArgument(
            "OUT_OF_RANGE", name="LABKIT_HEAP", value=text, bound="a whole number of MiB"
        ) from None
    return require_int("LABKIT_HEAP", value, low=256, high=16384)


def master() -> str | None:
    """Return the address of an outside Spark master, if one is set."""
    return os.environ.get("LABKIT_MASTER") or None


def kafka() -> str | None:
    """Return the bootstrap servers of an outside Kafka broker, if one is set."""
    return os.environ.get("LABKIT_KAFKA") or None


def ivy_settings() -> Path | None:
    """Return a school's own settings for Ivy, if some are set; the file may not be there."""
    given = os.environ.get("LABKIT_IVY_SETTINGS")
    return Path(given).expanduser().absolute() if given else None


def bars() -> bool:
    """Return whether waits show a bar."""
    return os.environ.get("LABKIT_BARS", "1") != "0"


def strict() -> bool:
    """Return whether a check that is not passed is an error."""
    return os.environ.get("LABKIT_STRICT", "0") == "1"


def patience() -> float:
    """Return how many times longer than usual checks, steps and tests of lessons wait.

    Raises
    ------
    InvalidArgument
        ``LABKIT_PATIENCE`` is not a number from 1 to 100.
    """
    text = os.environ.get("LABKIT_PATIENCE") or "1"
    try:
        value = float(text)
    except ValueError:
        raise InvalidArgument(
            "OUT_OF_RANGE", name="LABKIT_PATIENCE", value=text, bound="a number from 1 to 100"
        ) from None
    return require_number("LABKIT_PATIENCE", value, low=1, high=100)
