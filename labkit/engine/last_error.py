"""The last error of this kernel: of the cell that failed, and of the query that died unseen."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

from labkit.engine import jvm

_IDENTIFIER = re.compile(r"^Identifier: (?:(\S+) )?\[id = \S+, runId = (\S+)\]", re.MULTILINE)
# Spark waits at least this long, in seconds of processing time, before it says that none has died.
_GLANCE_S = 0.001


@dataclass(frozen=True)
class DeadQuery:
    """A query that an error has ended.

    Parameters
    ----------
    name
        Its name; empty when it has none.
    run_id
        Which run of it.
    error
        What PySpark raises for it.
    """

    name: str
    run_id: str
    error: BaseException


def cell_error() -> BaseException | None:
    """Return what the last failed cell raised, as Python keeps it; None when none failed."""
    found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


def dead_query() -> DeadQuery | None:
    """Return the query that died last, whoever saw it; None when none has died.

    Spark itself remembers it, until ``spark.streams.resetTerminated()`` or the session's end.
    """
    session = open_session()
    if session is None:
        return None
    from pyspark.errors import StreamingQueryException  # noqa: PLC0415 - only with a session

    try:
        session.streams.awaitAnyTermination(_GLANCE_S)
    except StreamingQueryException as error:
        found = _IDENTIFIER.search(str(error))
        return DeadQuery((found and found[1]) or "", found[2] if found else "", error)
    return None


def open_session() -> Any:
    """Return the Spark session of this kernel if one is alive; never start or import anything."""
    pyspark = sys.modules.get("pyspark.sql")
    if pyspark is None or not jvm.is_alive():
        return None
    session = pyspark.SparkSession.getActiveSession() or pyspark.SparkSession._instantiatedSession
    return session if session is not None and session.sparkContext._jsc is not None else None


def notebook() -> Any:
    """Return IPython's shell; None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
