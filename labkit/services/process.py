"""A server as a child process: its own session, a log file, and the guard's eye on it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from labkit.errors import require_number
from labkit.services import guard, guard_main


class ServerProcess:
    """A running child process that writes its output to a file.

    Parameters
    ----------
    command
        The program and its arguments.
    log
        The file that gets all it prints; it is appended to.
    env
        Variables beside those of this process.

    Notes
    -----
    **Ports, files, processes.** The child leads a process group of its own, so an interrupted
    cell does not stop it; the guard ends that group when the kernel ends. Reading ``alive``
    collects a child that has ended.

    Examples
    --------
    >>> import sys, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     child = ServerProcess([sys.executable, "-c", "input()"], log=Path(folder) / "log")
    ...     child.stop(timeout_s=5)
    ...     child.alive
    False
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        guard.guard_pid()  # first, so that nothing is started that nobody watches
        try:
            with _uninterrupted():
                self._child = _spawn(command, log, env or {})
                self._mark = guard_main.start_mark(self.pid) or ""
                guard.watch(self.pid, group=True)
        except KeyboardInterrupt:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit status (minus the signal's number if a signal ended it); None: it runs."""
        return self._child.poll()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ask it to end (SIGTERM), and kill it when it has not ended in time.

        Parameters
        ----------
        timeout_s
            Seconds of the real clock, 0 to 600.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
        """
        require_number("timeout_s", timeout_s, low=0, high=600)
        if self.alive:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once (SIGKILL); safe to call twice."""
        self._signal(signal.SIGKILL)
        self._child.wait()
        guard.forget(self.pid)

    def _signal(self, number: signal.Signals) -> None:
        guard_main.send(number, self.pid, self._mark, group=True)


def _spawn(command: Sequence[str], log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            cwd=log.parent,
            start_new_session=True,
        )


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold an interrupt back until the block has ended: a child that is not yet watched is lost."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # only the main thread is interrupted
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            before(*held[0])


def tail(log: Path, lines: int) -> str:
    """Return the last lines of a file; empty if it is not there.

    Bytes that are not UTF-8 are shown as such.
    """
    try:
        with log.open(encoding="utf-8", errors="backslashreplace") as text:
            return "".join(deque(text, maxlen=lines)).rstrip("\n")
    except FileNotFoundError:
        return ""
