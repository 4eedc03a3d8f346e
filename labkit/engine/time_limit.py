"""A time limit for the code of others: a function that hangs must not hang whoever called it."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TypeVar

from labkit.errors import NotReady

T = TypeVar("T")
# How long code may take to end once it was told to.
GRACE_S = 5.0
# An exception raised in a thread from outside reaches it only between its waits.
WAIT_S = 0.1
THREAD = "labkit-time-limit"


class TimeLimit:
    """A limit for each of several pieces of work; each runs in a thread of its own.

    Parameters
    ----------
    session
        The Spark session that is the active one for the work.
    limit_s
        Seconds of the real clock for each piece.
    """

    def __init__(self, session: Any, limit_s: float) -> None:
        self._session = session
        self._limit_s = limit_s
        self._threads: list[threading.Thread] = []

    def run(self, work: Callable[[], T], *, what: str, cure: str = "") -> T:
        """Return what ``work`` returns, or raise what it raises.

        Parameters
        ----------
        work
            A function without arguments.
        what
            What did not happen, as the start of a sentence.
        cure
            What the reader can do about it.

        Raises
        ------
        NotReady
            ``NOT_READY``: the limit was reached first. The work may still be running.
        """
        done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self._threads.append(self._start(work, done))
        try:
            value, error = _get(done, self._limit_s)
        except Empty:
            raise NotReady("NOT_READY", what=what, timeout_s=self._limit_s, cure=cure) from None
        self._threads.pop().join(GRACE_S)
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # None only if T is None

    def end(self) -> None:
        """End what was left behind, as far as Python can; a call that waits in C goes on."""
        for thread in self._threads:
            thread.join(0.2)  # most waits are over once their query was stopped
            if thread.is_alive() and thread.ident is not None:
                _raise_in(thread.ident, SystemExit)
                thread.join(GRACE_S)
        self._threads.clear()

    def _start(
        self, work: Callable[[], T], done: SimpleQueue[tuple[T | None, BaseException | None]]
    ) -> threading.Thread:
        from pyspark import InheritableThread  # noqa: PLC0415 - half a second

        def call() -> None:
            try:
                _make_active(self._session)
                done.put((work(), None))
            except BaseException as error:  # noqa: BLE001 - the caller raises it again
                done.put((None, error))

        thread: threading.Thread = InheritableThread(target=call, name=THREAD, daemon=True)
        thread.start()
        return thread


def _get(done: SimpleQueue[T], limit_s: float) -> T:
    deadline = time.monotonic() + limit_s
    while True:
        left_s = deadline - time.monotonic()
        try:
            return done.get(timeout=max(0.0, min(WAIT_S, left_s)))
        except Empty:
            if left_s <= 0:
                raise


def end_batch_functions(known: set[int | None]) -> None:
    """End functions of ``foreachBatch`` that still run.

    Java waits for such a function, so stopping its query alone does not end it.

    Parameters
    ----------
    known
        The idents of threads to leave alone.
    """
    for ident, frame in sys._current_frames().items():
        if ident not in known and _is_batch_function(frame):
            # Java must hear of it, and py4j tells it of errors but not of SystemExit.
            _raise_in(ident, TimeoutError)


def _is_batch_function(frame: FrameType | None) -> bool:
    while frame is not None:
        if type(frame.f_locals.get("self")).__name__ == "ForeachBatchFunction":
            return True
        frame = frame.f_back
    return False


def _raise_in(ident: int, error: type[BaseException]) -> None:
    """Raise an error in a thread, at the next line of Python that it runs."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))


def _make_active(session: Any) -> None:
    """Let ``SparkSession.getActiveSession()`` find the session; Java keeps one for each thread."""
    session._jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(session._jsparkSession)
