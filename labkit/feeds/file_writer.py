"""Put files into a folder so that Spark's file source takes each of them, once and in order.

Spark orders files by their modification time, skips names that it has seen, ignores names that
begin with a dot, and reads a file once. So a file is written under a hidden name, gets a time
later than all files before it, and then its final name, which is never used again.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labkit.errors import InvalidArgument

# The run in the marks that keep its number, and in the names of our files (orders-2-000001.json).
_MARK = re.compile(r"\.run-(\d+)")
_FILE = re.compile(r".+-(\d+)-\d{6,}(?:\..+)?")


class FileWriter:
    """Puts complete files into a folder, each later and with a newer name than the last.

    Parameters
    ----------
    folder
        An existing folder.
    run
        A number that no other writer of this folder has or had.
    next_ms
        Gives each file its modification time, in milliseconds since 1970.
    """

    def __init__(self, folder: Path, run: int, next_ms: Callable[[], int]) -> None:
        self._folder = folder
        self._run = run
        self._next_ms = next_ms
        self._count = 0

    def put(self, stem: str, ending: str, write: Callable[[Path], Any]) -> None:
        """Let ``write`` make a hidden file, then show it as ``<stem>-<run>-<number><ending>``.

        Raises
        ------
        InvalidArgument
            ``NOT_WRITABLE``: the folder is gone, or the disk is full. No file appeared.
        """
        final = self._folder / f"{stem}-{self._run}-{self._count + 1:06d}{ending}"
        hidden = self._folder / f".{final.name}.tmp"
        try:
            write(hidden)
            later_ns = self._next_ms() * 1_000_000
            os.utime(hidden, ns=(later_ns, later_ns))
            hidden.rename(final)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise not_writable(self._folder, error) from error
        self._count += 1


def not_writable(path: Path, error: OSError) -> InvalidArgument:
    """Return the error for a folder that refused a file, with the system's reason."""
    reason = f"{os.strerror(error.errno or errno.EIO)}."
    return InvalidArgument("NOT_WRITABLE", folder=str(path), reason=reason)


def is_run_mark(name: str) -> bool:
    """Say whether a file keeps the number of a run, so that it is not given out again.

    Examples
    --------
    >>> is_run_mark(".run-2"), is_run_mark("orders-2-000001.json")
    (True, False)
    """
    return _MARK.fullmatch(name) is not None


def claim_run(path: Path) -> int:
    """Return a run number that this folder never had, and mark it as taken.

    Raises
    ------
    InvalidArgument
        ``NOT_WRITABLE``.
    """
    try:
        names = [entry.name for entry in path.iterdir()]
        seen = [_MARK.fullmatch(name) or _FILE.fullmatch(name) for name in names]
        run = 1 + max((int(match[1]) for match in seen if match), default=0)
        while True:
            try:
                (path / f".run-{run}").touch(exist_ok=False)
            except FileExistsError:  # another kernel was quicker
                run += 1
            else:
                return run
    except OSError as error:
        raise not_writable(path, error) from error


_last_ms: dict[Path, int] = {}
_last_ms_lock = threading.Lock()


def folder_times(folder: Path, now_ms: Callable[[], int]) -> Callable[[], int]:
    """Return what gives times later than every file's there: now, if the clock has moved on."""

    def next_ms() -> int:
        with _last_ms_lock:
            if folder not in _last_ms:
                _last_ms[folder] = max(_modified_ms(folder), default=0)
            _last_ms[folder] = max(_last_ms[folder] + 1, now_ms())
            return _last_ms[folder]

    return next_ms


def clock_times(now_ms: Callable[[], int]) -> Callable[[], int]:
    """Return what gives times just after a clock that stands still between two batches.

    A batch takes the files whose time is after the batch before and not after its own; the
    files of other clocks may be years ahead, so they must not count here.
    """
    last_ms = 0

    def next_ms() -> int:
        nonlocal last_ms
        with _last_ms_lock:
            last_ms = max(last_ms, now_ms()) + 1
            return last_ms

    return next_ms


def _modified_ms(folder: Path) -> list[int]:
    visible = (entry for entry in os.scandir(folder) if not entry.name.startswith((".", "_")))
    return [entry.stat().st_mtime_ns // 1_000_000 for entry in visible if entry.is_file()]
