"""Queries that a check starts for a learner to look at: one that runs, one that died, and so on.

:func:`labkit.course.running.stepping.run_stream` looks at rows; here the queries themselves are
the matter. :func:`window_counts` is what several checks let it run.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from labkit import scratch
from labkit.engine.session import is_open, spark
from labkit.waiting import wait_until

# How long a query may take to get where it is wanted, in seconds of the real clock.
READY_S = 30.0


class Practice:
    """A folder of lines that is filled step by step, and queries that read it.

    Parameters
    ----------
    name
        What the check's folder is called.

    Notes
    -----
    Use it in a ``with`` block. At the end every query has been stopped and the folder is gone.
    """

    def __init__(self, name: str) -> None:
        self._folder: Path = scratch.place("practice", name)
        self._queries: list[Any] = []
        self._doors: list[threading.Event] = []
        self._steps = 0

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)  # a check that was cut off left it
        (self._folder / "lines").mkdir(parents=True)
        (self._folder / "empty").mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        for door in self._doors:
            door.set()
        if is_open(spark()):
            for query in self._queries:
                with suppress(Exception):  # it has failed, as it was meant to
                    query.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def step(self, lines: Sequence[str]) -> None:
        """Put one more file of lines into the folder."""
        self._steps += 1
        unseen = self._folder / f".{self._steps}"
        unseen.write_text("".join(f"{line}\n" for line in lines))
        unseen.rename(self._folder / "lines" / f"{self._steps}.txt")

    def start(
        self,
        change: Callable[[Any], Any] | None = None,
        *,
        name: str = "",
        source: str = "lines",
        each_batch: Callable[[Any, int], None] | None = None,
    ) -> Any:
        """Start a query whose rows nobody keeps.

        Parameters
        ----------
        change
            From the lines to what is sent; None: the lines.
        name
            The query's name; empty: it has none.
        source
            ``lines``, or ``empty``: a folder in which nothing ever arrives.
        each_batch
            Called with each batch.
        """
        reader = spark().readStream.option("maxFilesPerTrigger", 1)
        lines = reader.text(str(self._folder / source))
        writer = (change(lines) if change is not None else lines).writeStream
        writer = writer.foreachBatch(each_batch) if each_batch else writer.format("noop")
        query = (writer.queryName(name) if name else writer).start()
        self._queries.append(query)
        return query

    def start_held(self, at: int) -> Any:
        """Start a query that stays in batch ``at`` until the end of the ``with`` block.

        The batches before it must have their files, and so must this one.
        """
        door, is_there = threading.Event(), threading.Event()
        self._doors.append(door)

        def hold(_: Any, number: int) -> None:
            if number == at:
                is_there.set()
                door.wait()

        query = self.start(each_batch=hold)
        wait_until(is_there.is_set, what="The query is not in its batch yet", timeout_s=READY_S)
        return query


def window_counts(window: str, delay: str) -> Callable[[Any], Any]:
    """Return a function that counts events in windows of event time.

    Parameters
    ----------
    window, delay
        Length of a window and delay of the watermark, as Spark takes them: ``5 minutes``.
    """
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    def count(events: Any) -> Any:
        marked = events.withWatermark("event_time", delay)
        return marked.groupBy(F.window("event_time", window)).count()

    return count
