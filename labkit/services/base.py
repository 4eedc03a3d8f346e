"""What every service is: a process, a way to see that it is ready, and an address.

A new service is one new file with a subclass of :class:`Service`. It says how the server is
configured (``prepare``), how it is run (``command``), what to try until it is ready (``is_ready``)
and what it offers; starting, waiting, stopping and cleaning up are written here, once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from labkit import scratch
from labkit.errors import Conflict, NotReady, require_int
from labkit.services.process import ServerProcess, tail
from labkit.waiting import patience, wait_until

# How many lines of its log a stopped service remembers.
LAST_WORDS = 1000

S = TypeVar("S", bound="Service")

# In the order of their start; the process id tells a forked child that they are its parent's.
_running: list[tuple[int, Service]] = []
_kept: dict[tuple[int, type[Service]], Service] = {}


class Service(ABC):
    """A real server that runs beside the kernel; also a context manager.

    Notes
    -----
    **Ports, files, processes.** While it runs there is one process group, one folder
    (``services/…`` in the kernel's part of the scratch space, with the log) and the ports that
    ``address`` names. ``stop`` removes all of it; so does the end of the kernel.
    """

    #: What people call it, as in "Kafka broker".
    title: ClassVar[str]
    #: How long a start may take on a slow machine, in seconds of the real clock.
    ready_within_s: ClassVar[float] = 60.0
    #: How long a server may take to end in good order, in seconds of the real clock.
    stop_within_s: ClassVar[float] = 10.0

    def __init__(self) -> None:
        self._process: ServerProcess | None = None
        self._folder: Path | None = None
        self._last_words = ""

    # What a service file says -------------------------------------------------------------

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Configure the server in its new, empty folder; choose its ports."""

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """Return the program and arguments that run the server in its folder."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Try the real protocol once: true when a first user would be served."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where clients find it."""

    def environment(self) -> Mapping[str, str]:
        """Return variables for the server beside those of this process."""
        return {}

    def cure(self, log: str) -> str:
        """Return advice for a start that failed, from what the server wrote last."""
        del log
        return ""

    # What every service does --------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.alive

    @property
    def pid(self) -> int | None:
        """The id of its process; None when it does not run."""
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> Self:
        """Start it and wait until it serves; nothing happens when it runs already.

        After ``stop`` it begins with new, empty data; after ``kill`` it goes on with the old.

        Raises
        ------
        NotReady
            ``SERVICE_FAILED``, with the last lines of its log; nothing is left running.
        """
        if self.alive:
            return self
        fresh = self._folder is None
        if fresh:
            self._folder = _new_folder(type(self).__name__.lower())
        try:
            if fresh:
                self.prepare(self._folder_in_use())
            self._run()
        except BaseException:  # an interrupted cell, too, must not leave half a service
            self._discard() if fresh else self._end()
            raise
        return self

    def stop(self) -> None:
        """Stop it and remove its data; safe to call twice."""
        if self._process is not None:
            with patience(what=f"The {self.title} is stopping"):
                self._process.stop(self.stop_within_s)
        self._discard()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would; its data stays for ``restart``.

        Raises
        ------
        Conflict
            ``STOPPED``: it does not run.
        """
        self._require_data("killed")
        self._end()

    def restart(self) -> Self:
        """Start it again with the same data and the same address; stops it first if it runs.

        Raises
        ------
        Conflict
            ``STOPPED``: it was stopped, and its data is gone.
        NotReady
            ``SERVICE_FAILED``, with the last lines of its log.
        """
        self._require_data("restarted")
        if self._process is not None:
            self._process.stop(self.stop_within_s)
        return self.start()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines that it wrote, also after it was stopped.

        Parameters
        ----------
        lines
            1 to 10,000.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
        """
        require_int("lines", lines, low=1, high=10_000)
        if self._folder is not None:
            return tail(self._log(), lines)
        return "\n".join(self._last_words.splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        # No address: the text of a notebook must not change from run to run.
        return f"{self.title} (embedded, {'running' if self.alive else 'stopped'})"

    # How --------------------------------------------------------------------------------------

    def _folder_in_use(self) -> Path:
        assert self._folder is not None  # noqa: S101 - for mypy: `start` has just made it
        return self._folder

    def _log(self) -> Path:
        return self._folder_in_use() / "log.txt"

    def _run(self) -> None:
        folder = self._folder_in_use()
        self._process = ServerProcess(self.command(folder), log=self._log(), env=self.environment())
        if (os.getpid(), self) not in _running:
            _running.append((os.getpid(), self))
        try:
            wait_until(
                self._is_ready_or_gone,
                what=f"The {self.title} is not ready",
                timeout_s=self.ready_within_s,
            )
        except NotReady:
            self._fail(f"it did not answer within {self.ready_within_s:g} s")
        if not self.alive:
            self._fail(f"its process ended with exit code {self._process.exit_code}")

    def _is_ready_or_gone(self) -> bool:
        return not self.alive or self.is_ready()

    def _fail(self, reason: str) -> None:
        lines = tail(self._log(), 200).splitlines()
        # Java's stack frames would push out the line that says what happened.
        log = "\n".join([line for line in lines if not line.startswith("\tat ")][-20:])
        raise NotReady(
            "SERVICE_FAILED",
            service=f"The {self.title}",
            reason=reason,
            log=log or "(nothing)",
            cure=self.cure(log),
        ) from None

    def _require_data(self, verb: str) -> None:
        if self._folder is None:
            raise Conflict(
                "STOPPED",
                what=f"The {self.title}",
                reason=f"Its data is gone, so it cannot be {verb}.",
                cure="Start a new one.",
            )

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _discard(self) -> None:
        self._end()
        if self._folder is not None:
            self._last_words = tail(self._log(), LAST_WORDS)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process = self._folder = None
        if (os.getpid(), self) in _running:
            _running.remove((os.getpid(), self))


def keep_one(kind: type[S]) -> S:
    """Return this kernel's one service of a kind, started; the same object at every call.

    Raises
    ------
    NotReady
        ``SERVICE_FAILED``, with the last lines of its log.
    """
    service = _kept.setdefault((os.getpid(), kind), kind())
    assert isinstance(service, kind)  # noqa: S101 - for mypy: the key names the type
    return service.start()


def stop_all_services() -> None:
    """Stop every service that this process started, the newest first; safe to call twice."""
    for owner, service in reversed(_running.copy()):
        if owner == os.getpid():
            service.stop()


def _new_folder(name: str) -> Path:
    services = scratch.place("services")
    services.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=services))
