"""Who wants to know that Spark has been stopped, as by ``spark.stop()``.

Spark tells nobody: its queries go on saying that they are active, and no listener is called. So
the context's own ``stop`` is told to say it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakMethod


class SparkEnd:
    """The end of one Spark context, which may still be to come."""

    def __init__(self) -> None:
        #: Whether somebody has called ``stop``: from then on Spark answers no question.
        self.has_begun = False
        self._methods: list[WeakMethod[Callable[[], None]]] = []

    def then(self, method: Callable[[], None]) -> None:
        """Call a method of an object when Spark has stopped, unless the object is gone by then."""
        self._methods.append(WeakMethod(method))

    def tell(self) -> None:
        """Call all methods, each once."""
        waiting, self._methods = self._methods, []
        for found in waiting:
            method = found()
            if method is not None:
                method()


_lock = threading.Lock()
_by_dstreams = False
_ends: WeakKeyDictionary[Any, SparkEnd] = WeakKeyDictionary()


def end_of(context: Any = None) -> SparkEnd:
    """Return the end of a Spark context.

    Parameters
    ----------
    context
        A ``SparkContext``; None: the one that runs. When none runs, the end has begun.
    """
    from pyspark import SparkContext  # noqa: PLC0415 - only when there is a query

    with _lock:
        context = context or SparkContext._active_spark_context
        if context is None:
            end = SparkEnd()
            end.has_begun = True
            return end
        if context not in _ends:
            _ends[context] = _watched(context)
        return _ends[context]


def _watched(context: Any) -> SparkEnd:
    """Let the context's ``stop`` tell that it was called."""
    end, stop = SparkEnd(), context.stop
    end.has_begun = context._jsc is None

    def stop_and_tell() -> None:
        end.has_begun = True
        try:
            stop()
        finally:
            end.tell()

    context.stop = stop_and_tell
    return end


def note_stop_by_dstreams(*, is_so: bool) -> None:
    """Remember whether it is a streaming context that stops Spark, which few people expect."""
    global _by_dstreams  # noqa: PLW0603 - one kernel has one Spark
    _by_dstreams = is_so


def was_stopped_by_dstreams() -> bool:
    """Whether no Spark runs since a streaming context has stopped it."""
    from pyspark import SparkContext  # noqa: PLC0415 - only when somebody has failed

    return _by_dstreams and SparkContext._active_spark_context is None
