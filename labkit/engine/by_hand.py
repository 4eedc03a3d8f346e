"""What a StreamingContext needs while its clock stands still: an end in order, its checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from labkit.engine.spark_end import note_stop_by_dstreams
from labkit.errors import Conflict


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
    ssc.stop = _stop_by_hand(ssc)


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


def _stop_by_hand(ssc: Any) -> Any:
    """Return ``ssc.stop`` for a clock that stands still.

    A graceful stop would wait for batches that this clock never begins. Those that it has begun
    were over when :func:`labkit.engine.clock.tick` returned, so a plain stop loses nothing.
    """
    stop = ssc.stop

    def stop_by_hand(stopSparkContext: bool = True, stopGraceFully: bool = False) -> None:  # noqa: ARG001, N803
        if stopSparkContext:
            note_stop_by_dstreams(is_so=True)
        stop(stopSparkContext, False)

    return stop_by_hand
