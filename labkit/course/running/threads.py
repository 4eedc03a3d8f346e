"""Threads that run a learner's code: finding them, and ending those that do not come back."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from labkit.course.running.trouble import TookTooLong, is_own

TICK_S = 0.1
# How long a thread may take to end once it was told to.
GRACE_S = 1.0


class Ended(BaseException):
    """Raised inside a thread of an answer that took too long; no ``except Exception`` keeps it."""


class CallEnded(TookTooLong):
    """Raised inside a call that Spark has made and waits for: it reaches Spark as an error."""


@contextmanager
def quiet_ends() -> Iterator[None]:
    """Print nothing when a thread is hit in a destructor, where Python can only tell and go on."""
    tell = sys.unraisablehook

    def tell_others(what: Any) -> None:
        if not issubclass(what.exc_type, Ended | CallEnded):
            tell(what)

    sys.unraisablehook = tell_others
    try:
        yield
    finally:
        sys.unraisablehook = tell


def end(thread: threading.Thread, *, once: bool = False) -> None:
    """Raise :class:`Ended` in a thread until it has gone, at most for :data:`GRACE_S`.

    Parameters
    ----------
    thread
        A thread of our own. While it waits in C it does not hear it.
    once
        For code of our own, which heeds the first call: a second one would cut its cleaning up.
    """
    if once:
        _raise_in(thread, Ended)
        thread.join(GRACE_S)
        return
    deadline = time.monotonic() + GRACE_S
    while thread.is_alive() and time.monotonic() < deadline:
        _raise_in(thread, Ended)
        thread.join(TICK_S)


class CallsOfSpark:
    """The calls that Spark makes of functions of the learner, such as one for ``foreachBatch``.

    Parameters
    ----------
    ours
        Names of threads that somebody else looks after.
    """

    def __init__(self, *ours: str) -> None:
        self._ours = ours
        self._before = set(threading.enumerate())
        self._in_call_s: dict[tuple[threading.Thread, FrameType], float] = {}
        #: Whether a call was ended.
        self.was_stuck = False

    def tick(self, seconds: float, limit_s: float) -> None:
        """Add time to every call that still goes on, and end those that reach the limit."""
        running = {key: self._in_call_s.get(key, 0.0) + seconds for key in self._calls()}
        self._in_call_s = running
        for (thread, _), spent_s in running.items():
            if spent_s > limit_s:
                self.was_stuck = True
                _raise_in(thread, CallEnded)

    def end(self) -> None:
        """End the calls that still go on; Spark could not stop their queries."""
        deadline = time.monotonic() + GRACE_S
        while (calls := self._calls()) and time.monotonic() < deadline:
            for thread, _ in calls:
                _raise_in(thread, CallEnded)
                thread.join(TICK_S)
        self._in_call_s = {}

    def _calls(self) -> list[tuple[threading.Thread, FrameType]]:
        frames = sys._current_frames()  # noqa: SLF001 - the one way to see where a thread is
        new = [one for one in threading.enumerate() if one not in self._before]
        found = []
        for thread in new:
            frame = _own_frame(frames.get(thread.ident or 0))
            if frame is not None and thread.name not in self._ours:
                found.append((thread, frame))
        return found


def _own_frame(frame: FrameType | None) -> FrameType | None:
    """Return the outermost frame that runs code of the learner, if there is one."""
    found = None
    while frame is not None:
        found = frame if is_own(frame.f_code.co_filename) else found
        frame = frame.f_back
    return found


def _raise_in(thread: threading.Thread, kind: type[BaseException]) -> None:
    if thread.is_alive() and thread.ident is not None:
        number = ctypes.c_ulong(thread.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(kind))
