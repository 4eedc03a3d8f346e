"""The one wait loop: try the real thing until it works, with a limit that says what was awaited."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

from labkit import settings
from labkit.errors import NotReady

T = TypeVar("T")

# People read a wait as "broken" after about two seconds without a sign.
SILENT_S = 2.0
# The thread that draws a bar; what it writes is no part of what a cell prints.
BAR_THREAD = "labkit-bar"
_bar = threading.Lock()  # two bars at once would draw over each other


def wait_until(
    attempt: Callable[[], T],
    *,
    what: str,
    timeout_s: float,
    every_s: float = 0.02,
    retry_on: tuple[type[BaseException], ...] = (),
    cure: str = "",
) -> T:
    """Call ``attempt`` until it returns something true, and return that.

    Parameters
    ----------
    attempt
        Tries the real thing; false (or an exception of ``retry_on``) means "not yet". Any other
        exception ends the wait.
    what
        What did not happen, as the start of a sentence: "Kafka does not answer on port 9092".
    timeout_s, every_s
        Seconds of the real clock: the limit, and the pause between two attempts.
    cure
        What the reader can do about it.

    Raises
    ------
    NotReady
        ``NOT_READY`` with ``what``, the limit and the last value or exception seen.

    Examples
    --------
    >>> wait_until(lambda: 3, what="three never came", timeout_s=1)
    3
    """
    deadline = time.monotonic() + timeout_s
    with patience(what=f"Waiting: {what}"):
        while True:
            try:
                value = attempt()
                if value:
                    return value
                last = repr(value)
            except retry_on as error:
                last = f"{type(error).__name__}: {error}"
            if time.monotonic() > deadline:
                reason = f"Last seen: {last}."
                raise NotReady(
                    "NOT_READY", what=what, timeout_s=timeout_s, reason=reason, cure=cure
                )
            time.sleep(every_s)


@contextmanager
def patience(*, what: str, expected_s: float | None = None) -> Iterator[None]:
    """Show a bar once the block has taken two seconds, and remove it at its end.

    The bar is for people: in a notebook or a terminal. A log file gets none. A wait inside
    another wait, in any thread, leaves the place to the outer one's bar.

    Parameters
    ----------
    what
        Words beside the bar.
    expected_s
        About how long it takes on a small laptop, in seconds of the real clock; None: no goal.
    """
    if not _is_watched() or not _bar.acquire(blocking=False):
        yield
        return
    done = threading.Event()
    ticker = threading.Thread(
        target=_tick, args=(done, what, expected_s), name=BAR_THREAD, daemon=True
    )
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
        _bar.release()


def _in_notebook() -> bool:
    return "ipykernel.kernelapp" in sys.modules


def _is_watched() -> bool:
    """Whether somebody sees the output while it comes."""
    return settings.bars() and (_in_notebook() or sys.stderr.isatty())


def _tick(done: threading.Event, what: str, expected_s: float | None) -> None:
    start = time.monotonic()
    if done.wait(SILENT_S):
        return
    # The cell that waits is the cell that runs, so these prints land under it; on stdout, since
    # notebooks show what goes to stderr as if it were an error.
    layout = "{desc} {bar} {elapsed}" if expected_s else "{desc} {elapsed}"
    page = sys.stdout if _in_notebook() else sys.stderr
    with tqdm(total=expected_s, desc=what, bar_format=layout, leave=False, file=page) as bar:
        bar.start_t -= SILENT_S
        while not done.wait(0.25):
            bar.n = min(time.monotonic() - start, expected_s or 0)
            bar.refresh()
