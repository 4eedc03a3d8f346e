"""Run a function of DStreams over given batches, one tick of the clock at a time.

Checks of lessons 06 and 07 look at answers with it. The context has the clock that is moved by
hand, so the same call gives the same batches each time.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from labkit.course.running.stepping import Step
from labkit.course.running.ticked_context import TickedContext
from labkit.errors import InvalidArgument, require_int, require_number, require_type, wrong_type
from labkit.waiting import BAR_THREAD, patience

MAX_BATCHES = 1000
MAX_BATCH_S = 3600.0
MAX_S = 3600.0
MAX_PARTITIONS = 100
BATCHES = "a list of batches, each a list of elements such as lines or pairs"


@dataclass(frozen=True)
class DStreamRun:
    """What :func:`run_dstream` saw.

    Parameters
    ----------
    batches
        The elements of the returned DStream, a list for each tick, in the order in which Spark
        gave them; empty for a tick in which it has no batch, since a window may slide by several.
        Fewer than the ticks when the run ended with an error.
    error
        What ended the run; None when all went well.
    """

    batches: tuple[list[Any], ...]
    error: BaseException | None


@dataclass(frozen=True)
class PrintedRun:
    """What :func:`run_printing` saw.

    Parameters
    ----------
    printed
        What was printed in this kernel, one text for each tick; the workers of Spark are other
        processes, and what they print is not in it.
    error
        What ended the run; None when all went well.
    """

    printed: tuple[str, ...]
    error: BaseException | None


@dataclass(frozen=True)
class NamedRun:
    """A run whose elements are dicts, as ``compare`` takes it.

    Parameters
    ----------
    steps
        One for each tick.
    error
        What ended the run; None when all went well.
    """

    steps: tuple[Step, ...]
    error: BaseException | None

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows of all steps."""
        return [row for step in self.steps for row in step.rows]


def run_dstream(
    fn: Callable[..., Any],
    *inputs: Sequence[Sequence[Any]],
    batch_s: float = 1,
    more_batches: int = 0,
    checkpoint: bool = False,
    partitions: int = 1,
    timeout_s: float = 30.0,
) -> DStreamRun:
    """Run a function from DStreams to a DStream, one batch of its input at a time.

    Parameters
    ----------
    fn
        Takes one DStream for each input and returns a DStream of the same context. The context
        is started afterwards.
    *inputs
        One or two streams, each a list of batches, each a list of elements. Batch *k* of all
        inputs comes in tick *k*; what a shorter input lacks is empty.
    batch_s
        Length of a batch in seconds of the context's clock, from 0.001 to 3600.
    more_batches
        Empty batches after the input, for windows that run out: 0 to 1000.
    checkpoint
        Whether the context has a checkpoint folder, which state and inverse windows need. It is
        a new one, removed at the end; a folder that another context has set does not count.
    partitions
        In how many partitions the elements of a batch lie: 1 to 100. With one, a function of
        ``reduceByKey`` never meets two sums, and one that cannot add them up goes unseen.
    timeout_s
        How long each tick may take, and ``fn`` itself, in seconds of the real clock: more than 0,
        at most 3600. A tick that takes longer ends the run.

    Returns
    -------
    DStreamRun
        The batches. What went wrong in ``fn`` or in a batch is in ``run.error``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: an argument of this call.
    Conflict
        ``RUNS_ALREADY``: a context of somebody else runs. It is left as it is.

    Examples
    --------
    >>> run = run_dstream(lambda words: words.countByValue(), [["a", "a"], ["b"]])  # doctest: +SKIP
    >>> run.batches  # doctest: +SKIP
    ([('a', 2)], [('b', 1)])
    """
    given = _read(fn, inputs, batch_s, more_batches, timeout_s)
    require_type("checkpoint", checkpoint, bool, expected="True or False")
    require_int("partitions", partitions, low=1, high=MAX_PARTITIONS)
    batches: list[list[Any]] = []
    ways = {"checkpoint": checkpoint, "partitions": partitions}
    with _ticked(given, batch_s, timeout_s, **ways) as ticked:
        try:
            ticked.collect(fn)
            ticked.start()
            for _ in given[0]:
                ticked.tick()
                batches.append(ticked.collected())
        except Exception as failed:  # noqa: BLE001 - whatever fn does is a result
            return DStreamRun(tuple(batches), failed)
    return DStreamRun(tuple(batches), None)


def run_printing(
    fn: Callable[..., Any],
    *inputs: Sequence[Sequence[Any]],
    batch_s: float = 1,
    more_batches: int = 0,
    timeout_s: float = 30.0,
) -> PrintedRun:
    """Run a whole job on DStreams, and keep what it prints in each tick.

    Parameters
    ----------
    fn
        Takes the context and one DStream for each input, defines outputs, and starts the context.
    *inputs, batch_s, more_batches, timeout_s
        As for :func:`run_dstream`.

    Returns
    -------
    PrintedRun
        The texts. What went wrong in ``fn`` or in a batch is in ``run.error``.

    Raises
    ------
    InvalidArgument, Conflict
        As for :func:`run_dstream`.
    """
    given = _read(fn, inputs, batch_s, more_batches, timeout_s)
    page, texts = _Page(sys.stdout), []
    with _ticked(given, batch_s, timeout_s) as ticked, redirect_stdout(page):
        try:
            ticked.call(fn, ticked.context)
            for _ in given[0]:
                page.take()  # what a job prints before its first batch belongs to no batch
                ticked.tick()
                texts.append(page.take())
        except Exception as failed:  # noqa: BLE001 - whatever fn does is a result
            return PrintedRun(tuple(texts), failed)
    return PrintedRun(tuple(texts), None)


def as_rows(run: DStreamRun, *names: str) -> NamedRun:
    """Name the parts of each element, so that ``compare`` shows them as rows.

    Pairs in pairs are written side by side: ``("anna", (5, "Bern"))`` has three parts. An element
    with another number of parts becomes the one column ``element``.

    Parameters
    ----------
    run
        What :func:`run_dstream` gave.
    *names
        The columns, in the order of the parts.

    Examples
    --------
    >>> as_rows(DStreamRun(([("a", 2)], []), None), "word", "n").table
    [{'word': 'a', 'n': 2}]
    """
    steps = [
        Step(number, [_named(element, names) for element in batch], (number,))
        for number, batch in enumerate(run.batches)
    ]
    return NamedRun(tuple(steps), run.error)


def _read(
    fn: Any, inputs: tuple[Any, ...], batch_s: Any, more_batches: Any, timeout_s: Any
) -> list[list[list[Any]]]:
    """Check the arguments; return the batches of each input, all of the same number."""
    if not callable(fn):
        raise wrong_type("fn", fn, expected="a function of DStreams")
    require_number("batch_s", batch_s, low=0.001, high=MAX_BATCH_S)
    require_int("more_batches", more_batches, low=0, high=MAX_BATCHES)
    require_number("timeout_s", timeout_s, low=0, high=MAX_S, low_is_allowed=False)
    if not 1 <= len(inputs) <= 2:
        raise _out_of_range("the number of inputs", len(inputs), "1 or 2")
    for number, batches in enumerate(inputs):
        if not isinstance(batches, list | tuple):
            raise wrong_type(f"input {number}", batches, expected=BATCHES)
        if not batches:
            raise _out_of_range(f"the number of batches of input {number}", 0, "at least 1")
        for place, batch in enumerate(batches):
            if not isinstance(batch, list | tuple):
                name = f"input {number}, batch {place}"
                raise wrong_type(name, batch, expected="a list of elements")
    count = max(map(len, inputs)) + more_batches
    # Spark takes an empty list for an RDD without elements; a queue that has run out is one, too,
    # but without partitions, and a join of the two is not the same everywhere.
    return [[list(b) for b in batches] + [[]] * (count - len(batches)) for batches in inputs]


def _out_of_range(name: str, value: Any, bound: str) -> InvalidArgument:
    return InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound)


@contextmanager
def _ticked(
    given: list[list[list[Any]]], batch_s: float, timeout_s: float, **ways: Any
) -> Iterator[TickedContext]:
    ticked = TickedContext(given, batch_s=batch_s, timeout_s=timeout_s, **ways)
    with patience(what="Your DStreams run batch by batch"):
        try:
            # What cannot be sent to a worker Spark prints there, with pages of its own code.
            with redirect_stderr(_Page(sys.stderr)):
                yield ticked
        finally:
            ticked.close()


class _Page(io.StringIO):
    """Standard output for the time of a run; the bar of a long wait is not a part of it."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self._page = page

    def write(self, text: str) -> int:
        """Keep what is printed."""
        if threading.current_thread().name == BAR_THREAD:
            return int(self._page.write(text))
        return super().write(text)

    def take(self) -> str:
        """Return what was printed since the last call."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def _named(element: Any, names: tuple[str, ...]) -> dict[str, Any]:
    parts = list(_parts(element))
    if len(parts) == len(names):
        return dict(zip(names, parts, strict=True))
    return {"element": _plain(element)}


def _parts(element: Any) -> Iterator[Any]:
    if isinstance(element, tuple):
        for part in element:
            yield from _parts(part)
    else:
        yield _plain(element)


def _plain(value: Any) -> Any:
    """Return a value that shows what it holds: Spark's groups print as addresses."""
    if isinstance(value, str | bytes | bytearray | dict | set | frozenset):
        return value
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return [_plain(part) for part in value] if isinstance(value, Iterable) else value
