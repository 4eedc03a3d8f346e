"""A feed at work: a supply, a target and a pace; by steps, or at a rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

from labkit import settings, steps
from labkit.errors import Conflict, NotFound, NotReady, Unreachable, require_int, require_number
from labkit.feeds.pace import MAX_RATE_PER_S, Pace, Schedule
from labkit.feeds.query import Query, label, require_active, settle
from labkit.feeds.supply import Supply
from labkit.feeds.target import Run, Target

# How long a step waits for somebody who can receive (a first client of a socket).
RECEIVER_S = 5.0
# How long a step waits for a server that confirms nothing; the error comes within five seconds.
CONFIRM_S = 4.0
# At a rate each delivery waits less than this, so that stop() is quick; the next one goes on.
CONFIRM_AT_A_RATE_S = 0.5
# A running feed outlives a server's restart; after so long without an answer it gives up.
OUTAGE_S = 120.0
# A feed has the attributes of its place: path of a folder, host and port of a socket, …
ADDRESS = ("path", "host", "port", "topic", "bootstrap_servers")


class Feed:
    """Events on their way to one target; ``lab.feed`` and ``lab.drip`` make it.

    Used with ``with``, it is closed at the end of the block: stopped, and its port or connection
    given back.

    Parameters
    ----------
    name
        For messages and ``lab.stop(name)``.
    supply
        What to deliver.
    target
        Where.
    run
        The target's run for this feed.

    Notes
    -----
    **Threads**: none for steps without a query; one daemon thread while it runs at a rate.
    Steps and the thread take turns, so both can be used at once.

    Examples
    --------
    >>> import labkit as lab
    >>> lab.feed(lab.Orders(seed=7), to=lab.folder("orders"))
    <feed 'orders' to a folder>
    """

    def __init__(self, name: str, supply: Supply[Any], target: Target, run: Run[Any]) -> None:
        self.name = name
        self.target = target
        self._supply = supply
        self._run = run
        self._lock = threading.RLock()
        self._pending: list[Any] = []  # taken, but not (wholly) delivered because of an error
        self._sent = 0
        self._pace: Pace | None = None
        self._error: BaseException | None = None
        self._answered_at = 0.0
        self._closed_because = ""

    def __repr__(self) -> str:
        return f"<feed {self.name!r} to a {self.target.kind}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
        if error is None:
            self._raise_error()

    def __getattr__(self, name: str) -> Any:
        if name in ADDRESS:
            return getattr(self.target, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:  # for Tab completion
        return [*super().__dir__(), *(name for name in ADDRESS if hasattr(self.target, name))]

    @property
    def sent(self) -> int:
        """How many events (for ``drip``: files) have been delivered so far."""
        return self._sent

    @property
    def is_running(self) -> bool:
        """True while the feed goes at a rate."""
        return self._pace is not None and self._pace.is_running

    @property
    def is_closed(self) -> bool:
        """True once it can deliver nothing more."""
        return bool(self._closed_because)

    @property
    def error(self) -> BaseException | None:
        """What ended a run at a rate, until ``step``, ``start`` or ``stop`` has raised it."""
        return self._error or (self._pace.error if self._pace else None)

    def step(self, count: int = 1, query: Query | None = None, *, timeout_s: float = 60.0) -> int:
        """Deliver the next steps now, and return how many events (files) they held.

        Parameters
        ----------
        count
            Steps, 1 to 100,000. At the end of the description there may be fewer.
        query
            A running streaming query: it first finishes what was there before, and each step is
            processed by it before the next one is sent.
        timeout_s
            Limit for each wait for the query, in seconds of the real clock; a slow machine gets
            ``LABKIT_PATIENCE`` times as much.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE``, ``OUT_OF_RANGE``, or ``STOPPED`` for a query that does not run; then
            nothing was sent.
        NotFound
            ``EXHAUSTED``: everything has been delivered before.
        NotReady
            ``NOT_READY``: nobody to receive, or the query took longer than ``timeout_s``.
        Conflict
            ``STOPPED``: the feed was closed, or a newer one took its place.

        Examples
        --------
        >>> import labkit as lab
        >>> orders = lab.feed(lab.Orders(seed=7), to=lab.folder("orders"))
        >>> orders.step(3)
        30
        """
        require_int("count", count, low=1, high=100_000)
        require_number("timeout_s", timeout_s, low=0, high=86_400, low_is_allowed=False)
        limit_s = timeout_s * settings.patience()
        self._require_open()
        self._raise_error()
        if query is not None:
            require_active(query)
            what = f"{label(query)} has not finished what was there before"
            settle(query, what=what, timeout_s=limit_s)
        total = 0
        for number in range(1, count + 1):
            sent = self._step_once(query, f"step {number} of {count}", limit_s)
            if not sent:
                break
            total += sent
        if not total:
            raise self._exhausted()
        return total

    def start(self, rate_per_s: float, *, count: int | None = None) -> None:
        """Deliver at a mean rate from now on, in a thread, until :meth:`stop`.

        Parameters
        ----------
        rate_per_s
            Events (files) per second of the real clock: more than 0, at most 5,000. Called again
            it sets another rate. There are at most 4 deliveries a second; after a pause of the
            process at most one second's worth is made up for.
        count
            Stop by itself after so many; None: go on to the end of the description.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
        Conflict
            ``STOPPED``: the feed was closed, or a newer one took its place.

        Examples
        --------
        >>> import labkit as lab
        >>> orders = lab.feed(lab.Orders(seed=7), to=lab.folder("orders"))
        >>> orders.start(rate_per_s=20)
        >>> orders.stop()
        """
        require_number("rate_per_s", rate_per_s, low=0, high=MAX_RATE_PER_S, low_is_allowed=False)
        if count is not None:
            require_int("count", count, low=1, high=10**12)
        self._require_open()
        self.stop()
        last = None if count is None else self._sent + count
        self._answered_at = time.monotonic()
        self._pace = Pace(
            lambda due: self._deliver_due(due, last), Schedule(rate_per_s), name=f"feed {self.name}"
        )

    def stop(self) -> None:
        """End the run at a rate; return within a second. Steps still work afterwards.

        Raises
        ------
        Exception
            The error that had ended the run before, if one did.
        """
        self._halt()
        self._raise_error()

    def close(self, *, because: str = "It was closed.", keep_target: bool = False) -> None:
        """Stop for good, without raising; safe to call twice.

        Parameters
        ----------
        because
            What a later ``step`` says.
        keep_target
            True: leave port or connection open, for another feed to the same target.
        """
        self._halt()
        if self.is_closed:
            return
        self._closed_because = because
        if not keep_target:
            self.target.close()

    def _halt(self) -> None:
        if self._pace is not None:
            self._pace.stop()
            self._error = self._error or self._pace.error
            self._pace = None

    def _raise_error(self) -> None:
        """Raise what ended the thread, once."""
        error, self._error = self.error, None
        if self._pace is not None and self._pace.error is not None:
            self._pace = None
        if error is not None:
            raise error

    def _require_open(self) -> None:
        if self.is_closed:
            raise Conflict(
                "STOPPED",
                what=f"The feed {self.name!r}",
                reason=self._closed_because,
                cure="Make it anew, or give one of them another name=.",
            )

    def _exhausted(self) -> NotFound:
        return NotFound(
            "EXHAUSTED",
            what=f"The feed {self.name!r}",
            count=self._sent,
            cure="Make the feed anew to begin again.",
        )

    def _step_once(self, query: Query | None, which: str, timeout_s: float) -> int:
        if not self._run.ready(RECEIVER_S):
            raise NotReady(
                "NOT_READY",
                what=f"Nobody reads from the {self.target.kind} of the feed {self.name!r}",
                timeout_s=RECEIVER_S,
                reason="Events sent now would be lost; nothing was sent.",
                cure="Start the query first, then step.",
            )
        arrived = self._run.arrival(query) if query is not None else None
        steps.before_step()
        with steps.held(query) as expect:
            sent = self._deliver(self._supply.step, CONFIRM_S)
            expect(sent)
        if sent and query is not None and arrived is not None:
            what = f"{label(query)} has not processed {which}"
            settle(query, what=what, timeout_s=timeout_s, arrived=arrived)
        return sent

    def _deliver(self, take: Callable[[], list[Any]], timeout_s: float) -> int:
        """Write what an error has left over, else what ``take`` gives; return how many."""
        with self._lock:
            self._pending = self._pending or take()
            if not self._pending:
                return 0
            self._run.write(self._pending, timeout_s=timeout_s)
            delivered = len(self._pending)
            self._pending = []
            self._sent += delivered
            return delivered

    def _deliver_due(self, due: int, last: int | None) -> bool:
        """Deliver at a rate; False when there is nothing more to do."""
        if not self._run.ready(0):
            return True  # nobody listens yet: keep the events, forget the time
        wanted = due if last is None else min(due, last - self._sent)
        try:
            sent = self._deliver(lambda: self._supply.take(wanted), CONFIRM_AT_A_RATE_S)
        except Unreachable:
            if time.monotonic() - self._answered_at > OUTAGE_S:
                raise
            return True  # the server is away; the same events are tried again
        self._answered_at = time.monotonic()
        return sent > 0 and (last is None or self._sent < last)
