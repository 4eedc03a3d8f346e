"""At what pace events come: one schedule and one thread, for every target.

The time line is cut into slots of a quarter second (longer ones when events are rarer than that).
In the *middle* of each slot everything that belongs to the slot is delivered. So after any whole
number of slots the count is exact, and in between it is off by half a slot at most; nothing adds
up, because each count comes from the start of the schedule and not from the delivery before.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from labkit.errors import require_number

MAX_RATE_PER_S = 5000.0
# Spark's file source reads about ten files a second; four leave it time for the query.
MAX_DELIVERIES_PER_S = 4
# After a pause of the process at most this much of what was missed is delivered at once.
BACKLOG_S = 1.0
# One wait inside the thread; Event.wait() refuses times beyond some centuries.
_LONGEST_WAIT_S = 3600.0


class Schedule:
    """Says how many events are due: arithmetic over a clock, without threads.

    Parameters
    ----------
    rate_per_s
        Events per second of ``clock``; more than 0, at most 5,000.
    clock
        Seconds that never go back; tests give one that they move by hand.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.

    Examples
    --------
    >>> now = [0.0]
    >>> schedule = Schedule(100, clock=lambda: now[0])
    >>> schedule.wait_s()
    0.125
    >>> now[0] = 0.125
    >>> schedule.due()
    25
    >>> schedule.due()
    0
    """

    def __init__(self, rate_per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate_per_s = require_number(
            "rate_per_s", rate_per_s, low=0, high=MAX_RATE_PER_S, low_is_allowed=False
        )
        self._slot_s = max(1 / MAX_DELIVERIES_PER_S, 1 / self.rate_per_s)
        self._clock = clock
        self._start = clock()
        self._slots = 0
        self._counted = 0

    def wait_s(self) -> float:
        """Return the seconds until the next delivery; 0 when it is due."""
        middle = self._start + (self._slots + 0.5) * self._slot_s
        return max(0.0, middle - self._clock())

    def due(self) -> int:
        """Return how many events to deliver now, and count them as delivered.

        Of a backlog (the process was stopped, the target was slow) at most one second's worth
        is returned; the rest is forgotten.
        """
        # The tiny addends keep 25 from becoming 24 where floats make it 24.999….
        self._slots = math.floor((self._clock() - self._start) / self._slot_s + 0.5 + 1e-6)
        planned = math.floor(self._slots * self._slot_s * self.rate_per_s + 1e-6)
        count = planned - self._counted
        self._counted = planned
        return min(count, max(1, math.floor(self.rate_per_s * BACKLOG_S)))


class Pace:
    """One daemon thread that delivers on a schedule until it is stopped.

    Parameters
    ----------
    deliver
        Gets the number of events that are due and delivers them; False: there are no more.
    schedule
        When, and how many.
    name
        The thread's name.

    Notes
    -----
    **Threads**: the thread calls ``deliver`` and nothing else, prints nothing, and ends with the
    schedule, with :meth:`stop`, or with the first error, which is kept in :attr:`error`.

    Examples
    --------
    >>> pace = Pace(lambda count: False, Schedule(1000), name="nothing to do")
    >>> pace.stop()
    >>> pace.is_running
    False
    """

    def __init__(self, deliver: Callable[[int], bool], schedule: Schedule, *, name: str) -> None:
        self._deliver = deliver
        self._schedule = schedule
        self._stopping = threading.Event()
        #: The error that ended the thread, if one did.
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """True until the thread has ended."""
        return self._thread.is_alive()

    def stop(self, *, timeout_s: float = 0.9) -> None:
        """End the thread; return when it has ended, or after ``timeout_s`` of the real clock.

        A delivery that hangs (a broker that is gone) may take longer than that; the thread then
        ends by itself after it and delivers nothing more.
        """
        self._stopping.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _keep(self) -> None:
        try:
            while not self._stopping.wait(min(self._schedule.wait_s(), _LONGEST_WAIT_S)):
                count = self._schedule.due()
                if count and not self._deliver(count):
                    return
        except BaseException as error:  # noqa: BLE001 (the feed raises it in the caller's thread)
            self.error = error
