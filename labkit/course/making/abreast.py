"""A few things at a time: kernels, each with its JVM, on a machine with two cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def abreast(work: Callable[[T], R], things: Iterable[T], *, jobs: int) -> Iterator[R]:
    """Do some work on each thing, ``jobs`` of them at a time; yield the results in order.

    Parameters
    ----------
    work
        Starts a process and waits for it: the work is done there, this thread only waits.
    things
        What to work on.
    jobs
        How many at a time.

    Examples
    --------
    >>> list(abreast(abs, [-3, 2], jobs=2))
    [3, 2]
    """
    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(work, things)
    finally:
        # After Ctrl-C nothing new begins; the processes that run got the signal themselves.
        pool.shutdown(cancel_futures=True)
