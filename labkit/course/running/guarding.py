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

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from labkit import settings
from labkit.course.running.threads import TICK_S, CallsOfSpark, end, quiet_ends
from labkit.course.running.trouble import TookTooLong
from labkit.engine.time_limit import THREAD
from labkit.engine.trial import Trial, java_seconds, kept_session, use_session

CALL_S = 6.0
CHECK_S = 60.0
# A check that was interrupted may still be cleaning up after itself, on the same session.
LAST_S = 30.0
# Java at work: it used more than this part of a tick. An idle query uses far less.
AT_WORK = 0.5
MAX_PRINTED = 2000
# Names of threads; what runs in them has its limit already.
ANSWER, CHECK = "labkit-answer", "labkit-check"
NOT_BACK = (
    f"Your function had not come back after **{CALL_S:g} seconds**, so it was ended. "
    "Look for a loop without end, a `sleep`, "
    "an `awaitTermination` or a `processAllAvailable`: nothing here has to wait."
)

_thread = threading.local()
# The work of the last check: it is over, unless it was interrupted or ended.
_last: list[Work] = []

NOT_THROUGH = (
    f"The check was not through after **{CHECK_S:g} seconds**, so it was ended. "
    "Look for something in your answer that waits or never ends."
)


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
        # Not Thread.join: an interrupt inside it makes Python 3.11 take the thread for dead.
        self._done = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=ANSWER if is_answer else CHECK, daemon=True
        )
        self._thread.start()

    def wait(self, limit_s: float, calls: CallsOfSpark | None = None) -> bool:
        """Wait for its end; tell whether it came before the limit.

        Parameters
        ----------
        limit_s
            Seconds of the real clock; for an answer those in which Java was not at work.
        calls
            The calls that Spark makes meanwhile; each has the limit of an answer.
        """
        left, before = limit_s, java_seconds()
        while left > 0:
            start = time.monotonic()
            if self._done.wait(TICK_S):
                return True
            took, now = time.monotonic() - start, java_seconds()
            idle = 0.0 if now - before >= AT_WORK * took else took
            left -= idle if self._is_answer else took
            if calls is not None:
                calls.tick(idle, CALL_S * settings.patience())
            before = now
        return False

    def end(self) -> None:
        """End the thread, if Python can."""
        end(self._thread, once=not self._is_answer)

    def join(self, limit_s: float) -> None:
        """Wait for its end, whatever that is.

        Parameters
        ----------
        limit_s
            Seconds of the real clock.
        """
        self._done.wait(limit_s)

    def _run(self) -> None:
        _thread.is_answer = self._is_answer
        try:
            use_session()
            self.value = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            self.error = error
        finally:
            self._done.set()


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
        if not work.wait(CALL_S * settings.patience()):
            self._trial.stop_new_queries()  # a wait for a query of its own is over then
            work.end()
            raise TookTooLong(NOT_BACK)
        if work.error is not None:
            self._given.append(work.error)
            raise work.error
        self._given.append(work.value)
        return work.value


class Outcome(NamedTuple):
    """What came of looking at an answer."""

    #: What the check's function gave back; None when there is an error.
    verdict: Any
    #: What the answer has raised, or :class:`TookTooLong`.
    error: BaseException | None = None
    #: Whether the answer is a function that was called and gave nothing back.
    gave_nothing: bool = False


def guarded(judge: Callable[[Any], Any], answer: Any) -> Outcome:
    """Let ``judge`` look at an answer, and see to it that it ends and leaves nothing behind.

    Parameters
    ----------
    judge
        The function of the check.
    answer
        What the learner gave; each call of a function has its limit.
    """
    if _last:
        _last.pop().join(LAST_S * settings.patience())
    trial, calls = Trial(), CallsOfSpark(ANSWER, CHECK, THREAD)
    is_function = callable(answer) and not isinstance(answer, type)
    watched = Watched(answer, trial) if is_function else answer
    keeps = kept_session(_is_answer) if is_function else nullcontext()
    with keeps, _few_prints(), quiet_ends():
        work = Work(lambda: judge(watched), is_answer=False)
        _last.append(work)
        try:
            in_time = work.wait(CHECK_S * settings.patience(), calls)
        finally:  # the learner may have interrupted the cell
            calls.end()
            trial.stop_new_queries()
            work.end()
            trial.set_back()
    gave_nothing = is_function and watched.gave_nothing
    if calls.was_stuck:
        return Outcome(None, TookTooLong(NOT_BACK))
    if not in_time:
        return Outcome(None, TookTooLong(NOT_THROUGH))
    return Outcome(work.value, work.error, gave_nothing)


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
