"""What a caller may wish of a session, checked and put into Spark's words before a start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from labkit import settings
from labkit.engine.connectors import EXTENSIONS
from labkit.errors import InvalidArgument

LOCAL = "local[2]"
CLASS_PATH = "spark.driver.extraClassPath"
OPTIONS = "spark.driver.extraJavaOptions"
# A learner's value joins ours in these settings; in all others it takes the place of ours.
JOINED = {CLASS_PATH: ":", OPTIONS: " ", EXTENSIONS: ","}
MASTERS = r"local(\[[\d*]+(,\s*\d+)?\])?|local-cluster\[.+\]|yarn|(spark|k8s)://.+"


def texts(conf: Mapping[str, Any] | None) -> dict[str, str]:
    """Return settings as Spark wants them, and refuse what is no setting.

    Parameters
    ----------
    conf
        Values by Spark's names: text, numbers or booleans; None means no settings.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE`` (a name that Spark would pass over).

    Examples
    --------
    >>> texts({"spark.ui.enabled": True, "spark.sql.shuffle.partitions": 3})
    {'spark.ui.enabled': 'true', 'spark.sql.shuffle.partitions': '3'}
    """
    if conf is None:
        return {}
    if not isinstance(conf, Mapping):
        raise _wrong_type("conf", conf, 'a dictionary such as {"spark.sql.shuffle.partitions": 4}')
    return {_key(key): _text(key, value) for key, value in conf.items()}


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise _wrong_type("a name in conf", key, "text")
    if not key.startswith("spark."):  # Spark would pass over it without a word
        raise InvalidArgument(
            "OUT_OF_RANGE", name="a name in conf", value=key, bound="one that begins with 'spark.'"
        )
    return key


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise _wrong_type(f"conf[{key!r}]", value, "text, a number or a boolean")
    return str(value)


def _wrong_type(name: str, value: Any, expected: str) -> InvalidArgument:
    found = type(value).__name__
    return InvalidArgument("WRONG_TYPE", name=name, value=value, found=found, expected=expected)


def place_of_work(master: Any) -> str:
    """Return the Spark master: the one given, that of ``LABKIT_MASTER``, or this kernel.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, or ``UNKNOWN_CHOICE``: Spark knows no such master.

    Examples
    --------
    >>> place_of_work("local[3]")
    'local[3]'
    """
    wanted = master if master is not None else settings.master() or LOCAL
    name = "master" if master is not None else "LABKIT_MASTER"
    if not isinstance(wanted, str):
        raise _wrong_type(name, wanted, "text")
    if not re.fullmatch(MASTERS, wanted):
        choices = "local[2], local[*], spark://host:port, yarn, k8s://…"
        raise InvalidArgument("UNKNOWN_CHOICE", name=name, value=wanted, choices=choices)
    return wanted


def joined(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, str]:
    """Return our settings with theirs over them; lists of jars and the like get both.

    Examples
    --------
    >>> joined({"spark.sql.extensions": "A"}, {"spark.sql.extensions": "B"})
    {'spark.sql.extensions': 'A,B'}
    """
    both = {
        key: between.join([ours[key], theirs[key]])
        for key, between in JOINED.items()
        if key in ours and key in theirs
    }
    return ours | theirs | both
