"""The lab's scratch space: one folder per kernel, removed with it, swept when it was left over.

``LABKIT_HOME/<pid>-<start>/`` belongs to one process: two kernels on the same lesson never meet.
A file ``owner.json`` names that process, so the next lab that starts can tell a folder in use
from one that a killed machine left behind.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import socket
from functools import cache
from pathlib import Path

import psutil

from labkit import settings
from labkit.errors import InvalidArgument

OWNER_FILE = "owner.json"
# A process's start is boot time plus ticks, and the kernel's idea of boot time moves a little
# whenever the clock is set.
CLOCK_SLACK_MS = 2000
_KERNEL_FOLDER = re.compile(r"\d+-\d+")


@cache
def _started_ms(pid: int) -> int:
    return int(psutil.Process(pid).create_time() * 1000)


def kernel_folder() -> Path:
    """Return this process's folder in the scratch space; it is made when it is first asked for.

    The folder goes away when the process ends (when it is killed: by the guard of the services,
    or by the sweep of the next lab that starts).
    """
    pid = os.getpid()
    folder = settings.home() / f"{pid}-{_started_ms(pid)}"
    if not (folder / OWNER_FILE).exists():
        sweep()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OWNER_FILE).write_text(json.dumps(owner()))
        atexit.register(_remove_own, folder, pid)
    return folder


def place(*parts: str) -> Path:
    """Return a path inside this process's folder, and refuse one that leads out of it.

    Raises
    ------
    InvalidArgument
        ``OUTSIDE_SCRATCH``: the name is absolute, empty, or climbs out with ``..``.

    Examples
    --------
    >>> place("streams", "orders").name
    'orders'
    """
    inside = kernel_folder().resolve()
    path = inside.joinpath(*parts).resolve()
    if path == inside or not path.is_relative_to(inside):
        raise InvalidArgument("OUTSIDE_SCRATCH", name="/".join(parts))
    return path


def sweep() -> list[Path]:
    """Remove folders whose process is gone, and return them.

    Only folders that labkit itself has marked, on this host, are touched.
    """
    home = settings.home()
    if not home.is_dir():
        return []
    left = [
        f for f in home.iterdir() if _KERNEL_FOLDER.fullmatch(f.name) and is_gone(f / OWNER_FILE)
    ]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return left


def owner() -> dict[str, int | str]:
    """Return what tells this process from all others: id, start and host."""
    pid = os.getpid()
    return {"pid": pid, "started_ms": _started_ms(pid), "host": socket.gethostname()}


def is_gone(mark: Path) -> bool:
    """Tell whether the process of this host whose :func:`owner` stands in a file has ended."""
    try:
        owner = json.loads(mark.read_text())
        if owner["host"] != socket.gethostname():
            return False
        started_ms = psutil.Process(owner["pid"]).create_time() * 1000
        return bool(abs(started_ms - owner["started_ms"]) > CLOCK_SLACK_MS)
    except psutil.NoSuchProcess:
        return True
    except (OSError, ValueError, KeyError):
        return False  # not marked by us, or just being made by another kernel


def _remove_own(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child runs the same exit handlers
        shutil.rmtree(folder, ignore_errors=True)
