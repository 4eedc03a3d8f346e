"""Try somebody's code on the session and leave the session as it was.

Queries that the code has started are stopped, settings that it has changed are set back, and it
cannot stop the session itself, on which all other cells depend.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from labkit.engine.batches import running_queries

# Spark itself waits without limit for a query that hangs in somebody's function.
STOP_S = 5.0


class SessionKept(RuntimeError):
    """The code on trial has called ``stop`` on the session or its context."""


class Trial:
    """What ran and what was set when a trial began.

    Examples
    --------
    >>> trial = Trial()
    >>> trial.stop_new_queries()
    True
    >>> trial.set_back()
    """

    def __init__(self) -> None:
        self._queries = {query.runId for query in _queries()}
        self._session = _session()
        self._conf = dict(self._session.conf.getAll) if self._session is not None else {}

    def stop_new_queries(self) -> bool:
        """Stop the queries that the trial has started; tell whether all of them have ended."""
        new = [query for query in _queries() if query.runId not in self._queries]
        stops = [threading.Thread(target=_stop, args=(query,), daemon=True) for query in new]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join(STOP_S)
        return not any(stop.is_alive() for stop in stops)

    def set_back(self) -> None:
        """Give every setting the value that it had."""
        if self._session is None or _session() is not self._session:
            return
        conf, now = self._session.conf, dict(self._session.conf.getAll)
        for key in {**self._conf, **now}:
            before = self._conf.get(key)
            if before != now.get(key):
                with suppress(Exception):  # a setting that cannot be changed was not changed
                    conf.unset(key) if before is None else conf.set(key, before)


@contextmanager
def kept_session(is_on_trial: Callable[[], bool]) -> Iterator[None]:
    """Refuse to stop the session for the time of a ``with`` block.

    Parameters
    ----------
    is_on_trial
        Tells, in the thread that asks for the stop, whether it is the code on trial.
    """
    from pyspark import SparkContext  # noqa: PLC0415 - half a second
    from pyspark.sql import SparkSession  # noqa: PLC0415

    stops = [(kind, kind.__dict__["stop"]) for kind in (SparkSession, SparkContext)]
    for kind, stop in stops:
        kind.stop = _refusing(stop, is_on_trial)
    try:
        yield
    finally:
        for kind, stop in stops:
            kind.stop = stop


def use_session() -> None:
    """Make the session the active one of this thread; Java keeps one for each thread."""
    session = _session()
    if session is not None:
        java = session._jvm.org.apache.spark.sql.classic.SparkSession
        java.setActiveSession(session._jsparkSession)


def java_seconds() -> float:
    """Return the processor time that Spark's Java has used so far, in seconds; 0 without Java."""
    pyspark = sys.modules.get("pyspark")
    gateway: Any = pyspark.SparkContext._gateway if pyspark is not None else None
    try:
        times = psutil.Process(gateway.proc.pid).cpu_times()
    except (AttributeError, psutil.Error):  # no Java, or it was not started here
        return 0.0
    return float(times.user + times.system)


def _refusing(stop: Any, is_on_trial: Callable[[], bool]) -> Any:
    def refused(self: Any, *args: Any, **named: Any) -> Any:
        if is_on_trial():
            raise SessionKept
        return stop(self, *args, **named)

    return refused


def _session() -> Any:
    if "pyspark" not in sys.modules:  # half a second, and then there is no session
        return None
    from pyspark.sql import SparkSession  # noqa: PLC0415

    session = SparkSession._instantiatedSession
    return session if session is not None and session.sparkContext._jsc is not None else None


def _queries() -> list[Any]:
    return running_queries() if _session() is not None else []


def _stop(query: Any) -> None:
    with suppress(Exception):  # it has failed meanwhile, or Java is gone
        query.stop()
