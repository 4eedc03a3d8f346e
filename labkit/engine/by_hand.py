"""What a StreamingContext needs while its clock stands still: an end in order, its checkpoints."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from labkit.engine.spark_end import note_stop_by_dstreams
from labkit.errors import Conflict

PAUSE_S = 0.05
# Spark makes the batch that it waits for, and one more.
BATCHES_AT_END = 2


def take_in_hand(ssc: Any, *, start_ms: int) -> None:
    """Set the clock of a context, and let it be read and stopped although it stands still.

    Parameters
    ----------
    ssc
        A context that was not started yet, with Spark's clock for tests.
    start_ms
        The time of a context that does not come from a checkpoint: milliseconds since 1970.

    Raises
    ------
    Conflict
        ``RUNS_ALREADY``: it was started; it is stopped again.
    """
    java = ssc._jssc.ssc()
    if java.getState().toString() == "ACTIVE":  # a jump by years would give as many batches
        ssc.stop(stopSparkContext=False)
        raise Conflict(
            "RUNS_ALREADY",
            what="The streaming context",
            reason="Its clock can be set only before its start, so it was stopped.",
            cure="Call ssc.start() after lab.streaming_context(get=…), not inside.",
        )
    clock = java.scheduler().clock()
    if not java.isCheckpointPresent():
        clock.setTime(start_ms)
    note_stop_by_dstreams(is_so=False)
    ssc.now_ms = clock.getTimeMillis
    ssc.stop = _stop_by_hand(ssc, clock)


def has_checkpoint(java: Any, end_ms: int) -> bool:
    """Return whether the checkpoint of a batch is written, where the context writes any.

    Spark writes it in the background, and a context that is stopped before comes back without
    this batch.
    """
    folder = java.checkpointDir()
    if folder is None or not java.isCheckpointingEnabled():
        return True
    place = urlsplit(folder)
    if place.scheme not in {"", "file"}:  # not a folder of this machine
        return True
    files = Path(unquote(place.path)).glob("checkpoint-*")
    return any(_ends_at(file.name) >= end_ms for file in files)


def _ends_at(name: str) -> int:
    number = name.removeprefix("checkpoint-").removesuffix(".bk")
    return int(number) if number.isdigit() else 0


def _stop_by_hand(ssc: Any, clock: Any) -> Any:
    """Return ``ssc.stop`` for a clock that stands still.

    A graceful stop waits for the last batches of the clock, so it is moved over them.
    """
    stop, java = ssc.stop, ssc._jssc.ssc()
    batch_ms = java.graph().batchDuration().milliseconds()

    def stop_by_hand(stopSparkContext: bool = True, stopGraceFully: bool = False) -> None:  # noqa: N803
        if stopSparkContext:
            note_stop_by_dstreams(is_so=True)
        if not stopGraceFully or java.getState().toString() != "ACTIVE":
            stop(stopSparkContext, stopGraceFully)
            return
        errors: list[Exception] = []
        worker = threading.Thread(target=_keep_error, args=(stop, errors), daemon=True)
        worker.start()
        while worker.is_alive() and not _waits_for_clock(ssc._jvm):
            worker.join(PAUSE_S)
        clock.advance(BATCHES_AT_END * batch_ms)
        worker.join()
        if errors:
            raise errors[0]
        if stopSparkContext:
            ssc.sparkContext.stop()

    return stop_by_hand


def _waits_for_clock(jvm: Any) -> bool:
    """Whether a thread of Java has begun to end the timer of the batches."""
    threads = jvm.java.lang.management.ManagementFactory.getThreadMXBean()
    # As one text: asking each thread would take a call for each.
    return "RecurringTimer.stop" in jvm.java.util.Arrays.toString(
        threads.dumpAllThreads(False, False)
    )


def _keep_error(stop: Any, errors: list[Exception]) -> None:
    try:
        stop(False, True)
    except Exception as error:  # noqa: BLE001 - raised again by whoever asked
        errors.append(error)
