"""One small guard process per kernel: whatever ends the kernel, its servers end with it.

Jupyter and nbval end a kernel with SIGKILL for its whole process group, so no exit handler runs.
The guard lives in a session of its own, waits on a pipe from the kernel, and cleans up when that
pipe closes (:mod:`labkit.services.guard_main`). It is started on first use.

Notes
-----
**Ports, files, processes.** One process of about 9 MB, no port, no file; SIGINT, SIGTERM and
SIGHUP do not end it, the end of the kernel does. It removes the kernel's folder in the scratch
space. If the guard itself was killed, the next :func:`watch` starts another one and tells it
everything again.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from labkit import scratch
from labkit.services import guard_main

# The guard ends everything within its own limits (0.5 s and 1 s), or we stop waiting for it.
EXIT_WAIT_S = 3.0


def watch(pid: int, *, group: bool) -> None:
    """Have the guard end process ``pid`` when this kernel ends, however that happens.

    Parameters
    ----------
    pid
        A running process; one that has ended already is ignored.
    group
        True: end its whole process group, of which it must be the leader
        (``start_new_session=True``).

    Examples
    --------
    >>> import subprocess, sys
    >>> child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    >>> watch(child.pid, group=False)
    >>> forget(child.pid)
    >>> _ = child.communicate(b"go")
    """
    _GUARD.watch(pid, group=group)


def forget(pid: int) -> None:
    """Tell the guard that ``pid`` has ended, or is no longer its business."""
    _GUARD.forget(pid)


def guard_pid() -> int:
    """Return the process id of this kernel's guard; it is started if there is none."""
    return _GUARD.pid()


class _Guard:
    """The kernel's end of the pipe, and a list of all that the guard was told."""

    def __init__(self) -> None:
        self._begin_anew()
        os.register_at_fork(after_in_child=self._in_forked_child)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: guard_main.Watched = {}
        self._folders: list[str] = []
        self._at_exit = False

    def watch(self, pid: int, *, group: bool) -> None:
        mark = guard_main.start_mark(pid)
        if mark is None:
            return
        with self._lock:
            self._claim_folder()
            self._watched[pid] = (mark, group)
            self._tell({"watch": pid, "mark": mark, "group": group})

    def forget(self, pid: int) -> None:
        with self._lock:
            if self._watched.pop(pid, None):
                self._tell({"forget": pid})

    def pid(self) -> int:
        with self._lock:
            self._claim_folder()
            return self._running().pid

    def _claim_folder(self) -> None:
        folder = str(scratch.kernel_folder())
        if folder not in self._folders:  # LABKIT_HOME may change while a kernel runs
            self._folders.append(folder)
            self._tell({"folder": folder})

    def _tell(self, wish: dict[str, Any]) -> None:
        try:
            _write(self._running(), [wish])
        except BrokenPipeError:  # the guard was killed this instant
            self._process = self._start()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        process = _spawn()
        known: list[dict[str, Any]] = [{"folder": folder} for folder in self._folders]
        known += [{"watch": p, "mark": m, "group": g} for p, (m, g) in self._watched.items()]
        with suppress(BrokenPipeError):  # the next wish notices, and starts another guard
            _write(process, known)
        if not self._at_exit:
            # After scratch's own handler was registered, hence before it in order of running:
            # the servers go first, then the folder.
            atexit.register(self._leave, os.getpid())
            self._at_exit = True
        return process

    def _leave(self, pid: int) -> None:
        if os.getpid() != pid:
            return
        if not _has_cleaned_up(self._process):
            guard_main.end_all(self._watched, self._folders, owner=pid)

    def _in_forked_child(self) -> None:
        # The servers belong to the parent. With the child's copy of the pipe closed, the guard
        # still notices the parent's end at once.
        self._inherited = self._process  # kept, so that it is not reported as still running
        if self._inherited is not None and self._inherited.stdin is not None:
            self._inherited.stdin.close()
        self._begin_anew()


def _spawn() -> subprocess.Popen[bytes]:
    # A mask is inherited: no signal can end the guard in the instant before it ignores them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, guard_main.IGNORED)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard_main.__file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # signals for the kernel's group must not reach it
            cwd="/",
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _has_cleaned_up(process: subprocess.Popen[bytes] | None) -> bool:
    """Close the pipe, and return whether the guard then did its work."""
    if process is None or process.poll() is not None or process.stdin is None:
        return False
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(EXIT_WAIT_S)
    return process.returncode == 0


def _write(process: subprocess.Popen[bytes], wishes: list[dict[str, Any]]) -> None:
    assert process.stdin is not None  # noqa: S101 - for mypy: it was made with a pipe
    for wish in wishes:
        process.stdin.write(json.dumps(wish).encode() + b"\n")


_GUARD = _Guard()
