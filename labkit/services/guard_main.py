"""The guard process: it waits until its kernel is gone, then ends what the kernel started.

Run by file path with ``python -I -S`` and made of the standard library alone: it starts in a few
hundredths of a second and stays small. It learns what to end from lines of JSON on its standard
input, and acts when that pipe closes or when its parent is another process than at the start (a
forked child of the kernel may hold the pipe open after the kernel is dead).
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

OWNER_FILE = "owner.json"  # the same name as in labkit.scratch, which cannot be imported here
LOOK_EVERY_S = 0.2
# Time to leave in good order. The data is removed anyway, and nobody should wait for the guard.
GRACE_S = 0.5
LAST_WAIT_S = 1.0
# Jupyter's interrupt, a closed terminal, a tidy administrator: only the kernel's end counts.
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Watched = dict[int, tuple[str, bool]]


def start_mark(pid: int) -> str | None:
    """Return what tells this process from a later one with the same id; None if it is gone.

    A process that has ended but was not yet collected by its parent (a zombie) counts as gone.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_mark_by_ps(pid)
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in "ZX" else fields[19]


def _start_mark_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, started = subprocess.run(
        command, capture_output=True, text=True, check=False
    ).stdout.partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def end_all(watched: Watched, folders: Iterable[str], *, owner: int) -> None:
    """End every watched process, politely first, and remove the folders that ``owner`` marked."""
    for number, wait_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, LAST_WAIT_S)):
        for pid, (mark, group) in watched.items():
            send(number, pid, mark, group=group)
        _wait_until_gone(watched, wait_s)
    for folder in folders:
        _remove(Path(folder), owner)


def send(number: signal.Signals, pid: int, mark: str, *, group: bool) -> None:
    """Signal a process or its group, unless its id has gone to a stranger meanwhile."""
    now = start_mark(pid)
    if now not in ({mark, None} if group else {mark}):
        return  # (a group without its leader keeps the id as long as it has a member)
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _wait_until_gone(watched: Watched, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if not any(start_mark(pid) == mark for pid, (mark, _) in watched.items()):
            return
        time.sleep(0.01)


def _remove(folder: Path, owner: int) -> None:
    import shutil  # noqa: PLC0415 - needed once, at the end; the guard should start at once

    try:
        marked = json.loads((folder / OWNER_FILE).read_text())["pid"] == owner
    except (OSError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + LAST_WAIT_S
    while marked and folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Watch until the parent is gone, then end everything."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    parent = int(sys.argv[1])
    watched: Watched = {}
    folders: list[str] = []
    waiting = b""
    while True:
        ready = select.select([0], [], [], LOOK_EVERY_S)[0]
        told = os.read(0, 65536) if ready else b""
        *lines, waiting = (waiting + told).split(b"\n")
        for line in lines:
            _obey(json.loads(line), watched, folders)
        if not told and (ready or os.getppid() != parent):
            return end_all(watched, folders, owner=parent)


def _obey(wish: dict[str, object], watched: Watched, folders: list[str]) -> None:
    match wish:
        case {"watch": int(pid), "mark": str(mark), "group": bool(group)}:
            watched[pid] = (mark, group)
        case {"forget": int(pid)}:
            watched.pop(pid, None)
        case {"folder": str(folder)}:
            folders.append(folder)


if __name__ == "__main__":
    main()
