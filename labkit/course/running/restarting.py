"""Stop a program of DStreams and start it again, as a machine does that is switched off at night.

The check of task 07.2 looks at answers with it. All lives of a program have the same two folders,
one for its files and one for its checkpoint; they are new ones, removed at the end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from labkit import scratch
from labkit.course.running.ticked_context import TickedContext
from labkit.course.running.ticking import DStreamRun, NamedRun, as_rows
from labkit.engine.clock import java_context
from labkit.errors import InvalidArgument
from labkit.waiting import patience

# The file of a batch lies between the batch before and its own.
AFTER_BATCH_S = 0.5
FILE = ".txt"
_numbers = count(1)
# A checkpoint holds the function that an output calls: ours holds a number, not these rows.
_shown: dict[int, dict[int, list[Any]]] = {}


def run_lives(
    make: Callable[..., Any],
    lives: Sequence[Sequence[str]],
    *names: str,
    timeout_s: float = 30.0,
) -> NamedRun:
    """Run a program that counts words in files; stop it and start it again between two lives.

    Parameters
    ----------
    make
        Takes the folder of the files, the folder for the checkpoint, and a function for
        ``foreachRDD``; returns a context with batches of one second that was not started.
    lives
        For each life the text of the file that arrives in each batch; no file where it is empty.
        The first file of a later life arrives while nobody runs.
    *names
        The columns for the parts of each element.
    timeout_s
        How long each batch may take, in seconds of the real clock.

    Returns
    -------
    NamedRun
        What was shown in each batch, all lives in a row. A batch that runs once more after a
        restart is a part of the step that it had before.

    Raises
    ------
    Conflict
        ``RUNS_ALREADY``: a context of somebody else runs.
    """
    number = next(_numbers)
    program = _Program(number, make, timeout_s)
    steps: list[list[Any]] = []
    _shown[number] = {}
    error: Exception | None = None
    with patience(what="Your program runs, stops and runs again"):
        try:
            for batches in lives:
                program.live(batches, steps)
            program.require_files_only()
        except Exception as failed:  # noqa: BLE001 - whatever the program does is a result
            error = failed
        finally:
            del _shown[number]
            shutil.rmtree(program.place, ignore_errors=True)
    return as_rows(DStreamRun(tuple(steps), error), *names)


class _Program:
    """A program with its two folders."""

    def __init__(self, number: int, make: Callable[..., Any], timeout_s: float) -> None:
        self.place = scratch.place("run_lives", str(number))
        self._number = number
        self._files, checkpoint = self.place / "files", self.place / "checkpoint"
        self._files.mkdir(parents=True)
        self._get = partial(make, str(self._files), str(checkpoint), _show(number))
        self._timeout_s = timeout_s
        self._now_ms = 0

    def live(self, batches: Sequence[str], steps: list[list[Any]]) -> None:
        """Start it, run a batch for each text, and stop it."""
        night = "" if not steps else batches[0]
        _shown[self._number].clear()
        self._age()
        with closing(TickedContext([], timeout_s=self._timeout_s, get=self._get)) as ticked:
            if not java_context(ticked.context).isCheckpointPresent():
                self._now_ms = ticked.context.now_ms()  # a new context, and its clock begins anew
            self._write(night, len(steps))
            ticked.start()
            for place, text in enumerate(batches):
                if place > 0 or not night:
                    self._write(text, len(steps))
                ticked.tick()
                self._now_ms = ticked.context.now_ms()
                steps.append(_shown[self._number].get(self._now_ms, []))

    def require_files_only(self) -> None:
        """Refuse a checkpoint among the files: Spark would read it as lines of text."""
        if any(not file.name.endswith(FILE) for file in self._files.iterdir()):
            raise InvalidArgument(
                "OUT_OF_RANGE",
                name="the folder of the checkpoint",
                value="files",
                bound="checkpoint: what lies in files is read as text",
            )

    def _age(self) -> None:
        """Let no new context take the files of an earlier life for new ones."""
        for file in self._files.iterdir():
            os.utime(file, (0, 0))

    def _write(self, text: str, number: int) -> None:
        if not text:
            return
        hidden = self._files / f".{number}"
        hidden.write_text(text)
        now_s = self._now_ms / 1000 + AFTER_BATCH_S
        os.utime(hidden, (now_s, now_s))
        hidden.rename(self._files / f"{number:03}{FILE}")


def _show(number: int) -> Callable[[datetime, Any], None]:
    def show(time: datetime, rdd: Any) -> None:
        _take(number, time, rdd)

    return show


def _take(number: int, time: datetime, rdd: Any) -> None:
    if number in _shown:
        _shown[number][round(time.timestamp() * 1000)] = rdd.collect()
