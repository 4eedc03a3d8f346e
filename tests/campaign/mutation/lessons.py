"""Start the process of a lesson, collect what it tells, and begin again where one hangs."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from labkit.course import library

from .worker import SPOILED

# A check ends after 60 s whatever happens; a busy machine gets as much again for the rest.
LIMIT_S = 150
HUNG = "no end in sight"


@dataclass(frozen=True)
class Tried:
    """A mutant, and which of the outcomes it had."""

    task: str
    id: str
    kind: str
    diff: str
    outcome: str
    cause: str
    seconds: float


@dataclass
class Lesson:
    """What the mutants of one lesson have shown.

    Parameters
    ----------
    number
        Two digits.
    made
        How many mutants each task has; more than were tried when there are very many.
    tried
        All that ran.
    trouble
        What stood in the way, in words; empty when all went well.
    """

    number: str
    made: dict[str, int] = field(default_factory=dict)
    tried: list[Tried] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)


def run_lesson(path: Path, command: list[str], *, most: int, limit_s: float = LIMIT_S) -> Lesson:
    """Run all mutants of a source notebook.

    Parameters
    ----------
    path
        The notebook.
    command
        Starts the worker.
    most
        How many mutants of a task are tried.
    limit_s
        Real seconds without news after which a mutant is said to hang.
    """
    lesson, text = Lesson(path.name[:2]), path.read_text()
    checks = (library.LESSONS / f"lesson_{lesson.number}.py").read_text()
    with tqdm(desc=f"mutants of {lesson.number}", disable=None, leave=False) as bar:
        while True:
            done = [f"{one.task} {one.id}" for one in lesson.tried]
            wish = json.dumps({"notebook": text, "checks": checks, "done": done, "most": most})
            if not _run_on(lesson, command, wish, limit_s, bar):
                return lesson


def _run_on(lesson: Lesson, command: list[str], wish: str, limit_s: float, bar: Any) -> bool:
    """Let a worker run; tell whether another one has to go on."""
    begun: dict[str, Any] | None = None
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            process.stdin.write(wish)
            process.stdin.close()
            for event in _events(process, limit_s):
                begun = _note(lesson, event, begun, bar)
            status = process.wait(limit_s)
        except (queue.Empty, subprocess.TimeoutExpired):
            status = None
        finally:
            _end(process)
        if begun is not None:  # whatever ended the process, this mutant was at work
            names = {name: begun[name] for name in ("task", "id", "kind", "diff")}
            lesson.tried.append(Tried(**names, outcome="hangs", cause=HUNG, seconds=limit_s))
            return True
        if status not in {0, SPOILED}:
            lesson.trouble.append(f"The lesson did not run through. {_last(log)}")
    return status == SPOILED


def _note(
    lesson: Lesson, event: dict[str, Any], begun: dict[str, Any] | None, bar: Any
) -> dict[str, Any] | None:
    """Write an event down; return the mutant that is at work."""
    kind = event.pop("event")
    if kind == "task":
        lesson.made[event["task"]] = event["made"]
        bar.total = (bar.total or 0) + event["chosen"]
        bar.write(f"{event['task']}: {event['chosen']} mutants of {event['made']}")
    elif kind == "reference":
        lesson.trouble.append(f"{event['task']}: the reference does not pass. {event['cause']}")
    elif kind == "end":
        lesson.tried.append(Tried(**event))
        bar.update()
        if event["outcome"] == "survived":
            bar.write(f"{event['task']} {event['kind']} survived\n{event['diff']}")
    elif kind == "begin":
        return event
    return begun if kind == "cell" and begun is not None else None


def _events(process: subprocess.Popen[str], limit_s: float) -> Iterator[dict[str, Any]]:
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := lines.get(timeout=limit_s)) is not None:
        yield json.loads(line)


def _end(process: subprocess.Popen[str]) -> None:
    """End a worker that still runs, with the Java and the broker that it has started."""
    if process.poll() is None:
        own = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in own:
            one.kill()
        psutil.wait_procs(own, timeout=10)
    process.wait()
    process.stdout.close()


def _last(log: Any) -> str:
    log.seek(0)
    lines = [line for line in log.read().splitlines() if line.strip()]
    return lines[-1] if lines else ""


def worker_command(script: Path, number: str) -> list[str]:
    """Return how the worker of a lesson is started; the number is for whoever reads ``ps``."""
    return [sys.executable, str(script), "--worker", number]
