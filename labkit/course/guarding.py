"""Care around a learner's answer, so that whatever it does the check ends and the lab goes on.

Two limits, both of the real clock and multiplied by ``LABKIT_PATIENCE``:

- one call of the answer may take :data:`CALL_S`. It only builds a plan, which takes well under a
  second. Time in which Java is at work does not count, so a slow machine ends nothing that moves.
- the whole check may take :data:`CHECK_S`, whatever happens.

An answer that is ended gets an exception in its thread, again and again until it has gone. Only a
call that waits in C (``time.sleep``) cannot be reached; it goes on waiting in a thread of its own,
which disturbs nobody, and ends when it comes back.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from labkit import settings
from labkit.course.trouble import TookTooLong
from labkit.engine.trial import Trial, java_seconds, kept_session, use_session

CALL_S = 6.0
CHECK_S = 60.0
TICK_S = 0.1
# Java at work: it used more than this part of a tick. An idle query uses far less.
AT_WORK = 0.5
# How long a thread may take to end once it was told to.
GRACE_S = 1.0
MAX_PRINTED = 2000

_thread = threading.local()


class Ended(BaseException):
    """Raised inside a thread of an answer that took too long; no ``except Exception`` keeps it."""


class Work:
    """A function that runs in a thread of its own.

    Parameters
    ----------
    call
        The function.
    is_answer
        Whether it is the learner's code.
    """

    def __init__(self, call: Callable[[], Any], *, is_answer: bool) -> None:
        self._call, self._is_answer = call, is_answer
        self.value: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, limit_s: float, *, java_counts: bool) -> bool:
        """Wait for its end; tell whether it came before the limit.

        Parameters
        ----------
        limit_s
            Seconds of the real clock.
        java_counts
            False: time in which Java is at work is not counted.
        """
        left, before = limit_s, 0.0 if java_counts else java_seconds()
        while left > 0:
            start = time.monotonic()
            self._thread.join(TICK_S)
            if not self._thread.is_alive():
                return True
            took, now = time.monotonic() - start, 0.0 if java_counts else java_seconds()
            if now - before < AT_WORK * took:
                left -= took
            before = now
        return False

    def end(self) -> None:
        """Raise :class:`Ended` in the thread until it has gone, at most for :data:`GRACE_S`."""
        deadline = time.monotonic() + GRACE_S
        while self._thread.is_alive() and self._thread.ident and time.monotonic() < deadline:
            number = ctypes.c_ulong(self._thread.ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Ended))
            self._thread.join(TICK_S)

    def _run(self) -> None:
        _thread.is_answer = self._is_answer
        try:
            use_session()
            self.value = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            self.error = error


class Watched:
    """A function of the learner: each call has its limit, and what it gave back is remembered.

    Parameters
    ----------
    answer
        The function.
    trial
        Stops the queries of a call that took too long.
    """

    def __init__(self, answer: Callable[..., Any], trial: Trial) -> None:
        functools.update_wrapper(self, answer)
        self._answer, self._trial = answer, trial
        self._given: list[Any] = []

    @property
    def gave_nothing(self) -> bool:
        """Whether it was called and has only given back None or an ellipsis."""
        return bool(self._given) and all(one is None or one is ... for one in self._given)

    def __reduce__(self) -> tuple[Any, ...]:
        # Spark's Python workers get the answer itself.
        return (_itself, (self._answer,))

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the answer.

        Raises
        ------
        TookTooLong
            It had not come back in time.
        """
        work = Work(lambda: self._answer(*args, **named), is_answer=True)
        if not work.wait(CALL_S * settings.patience(), java_counts=False):
            self._trial.stop_new_queries()  # a wait for a query of its own is over then
            work.end()
            raise TookTooLong(
                f"Your function had not come back after **{CALL_S:g} seconds**, so it was ended. "
                "A function that builds a query waits for nothing: look for a loop, a `sleep` or "
                "an `awaitTermination`."
            )
        if work.error is not None:
            self._given.append(work.error)
            raise work.error
        self._given.append(work.value)
        return work.value


def guarded(judge: Callable[[Any], Any], answer: Any) -> tuple[Any, Any]:
    """Return what ``judge`` says about an answer, and the answer as it was watched.

    Parameters
    ----------
    judge
        The function of the check.
    answer
        What the learner gave; a function is watched.

    Raises
    ------
    TookTooLong
        The whole check took too long.
    BaseException
        What the answer, or the check, has raised.
    """
    trial = Trial()
    is_function = callable(answer) and not isinstance(answer, type)
    watched = Watched(answer, trial) if is_function else answer
    keeps = kept_session(_is_answer) if is_function else nullcontext()
    with keeps, _few_prints():
        work = Work(lambda: judge(watched), is_answer=False)
        try:
            in_time = work.wait(CHECK_S * settings.patience(), java_counts=True)
        finally:  # the learner may have interrupted the cell
            trial.stop_new_queries()
            work.end()
            trial.set_back()
    if not in_time:
        raise TookTooLong(
            f"The check was not through after **{CHECK_S:g} seconds**, so it was ended. "
            "Look for something in your answer that waits or never ends."
        )
    if work.error is not None:
        raise work.error
    return work.value, watched


def _itself(answer: Any) -> Any:
    return answer


def _is_answer() -> bool:
    return getattr(_thread, "is_answer", False)


class _Page:
    """Standard output, on which an answer may print only so much."""

    def __init__(self, page: Any) -> None:
        self._page, self._left = page, MAX_PRINTED

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)

    def write(self, text: str) -> int:
        """Print, unless it is the answer and it has printed enough."""
        if not _is_answer():
            return int(self._page.write(text))
        if self._left > 0:
            self._page.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._page.write("\n… and more, which is left out\n")
        return len(text)


@contextmanager
def _few_prints() -> Iterator[None]:
    page = sys.stdout
    sys.stdout = _Page(page)
    try:
        yield
    finally:
        sys.stdout = page
