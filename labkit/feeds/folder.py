"""A folder that events or copies of files arrive in, one file a step."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from labkit import scratch, settings
from labkit.errors import InvalidArgument, require_choice, require_type, wrong_type
from labkit.events.stream import Event, EventStream
from labkit.feeds.encode import FORMATS, file_content
from labkit.feeds.file_writer import (
    FileWriter,
    claim_run,
    clock_times,
    folder_times,
    is_run_mark,
    not_writable,
)
from labkit.feeds.files import find_files
from labkit.feeds.registry import close_feeds_into
from labkit.feeds.target import StoredRun

ENDINGS = {"text": ".txt"}
# Parts of a folder's name: what is no wildcard, and not hidden, to Spark.
_NAME = re.compile(r"[A-Za-z0-9][\w. -]*(/[A-Za-z0-9][\w. -]*)*")


def folder(
    name: str | os.PathLike[str],
    *,
    format: str = "json",  # noqa: A002 (Spark's word for it)
    keep: bool = False,
    clock: Clock | None = None,
) -> FolderTarget:
    """Make a folder that a feed can write to, and that Spark can read from at once.

    Parameters
    ----------
    name
        A plain name: the folder lies in this kernel's scratch space and is emptied when it is
        made anew. Or an absolute path of your own: made if it is missing, never emptied.
    format
        ``text``, ``csv`` (with a header line), ``json`` (an object a line), ``parquet``, ``orc``.
    keep
        True: a plain name stays on disk, with its files, for the next kernel.
    clock
        Where the files' times come from: a context of ``lab.streaming_context()``, or any object
        with a method ``now_ms()`` that returns milliseconds since 1970. A file then lies just
        after that clock, so ``textFileStream`` sees it in the next batch. None: the real clock.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE`` (format), ``WRONG_TYPE`` (name, clock) or ``OUT_OF_RANGE`` (name),
        ``OUTSIDE_SCRATCH`` (a relative name that leads out of the scratch space),
        ``NOT_WRITABLE``.

    Examples
    --------
    >>> orders = folder("orders", format="csv")
    >>> orders.format, orders.path.endswith("orders")
    ('csv', True)
    """
    require_choice("format", format, FORMATS)
    _require_clock(clock)
    path, is_emptied = _locate(name, keep=keep)
    _make_writable(path)
    if is_emptied:
        close_feeds_into(str(path))
        _empty(path)
    return FolderTarget(path, format=format, clock=clock)


def _require_clock(clock: Any) -> None:
    if clock is not None and not callable(getattr(clock, "now_ms", None)):
        expected = "a context of lab.streaming_context(), or an object with a method now_ms()"
        raise wrong_type("clock", clock, expected=expected)


class Clock(Protocol):
    """Tells the time, real or not."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""


class FolderTarget:
    """A folder as the target of feeds; :func:`folder` makes it.

    Parameters
    ----------
    path
        An existing folder.
    format
        One of :data:`labkit.feeds.encode.FORMATS`.
    now_ms
        Milliseconds since 1970: where the files' modification times come from.
    clock
        Used in the place of ``now_ms``, for files that are read by that clock alone: what has
        another time does not count.

    Notes
    -----
    **Files**: ``<events>-<run>-<number>.<format>``; hidden ``.run-<run>`` files keep the number of
    each run, so that it is never given out twice, not even by two kernels.

    Examples
    --------
    >>> target = folder("examples")
    >>> target
    <folder for json files>
    """

    kind = "folder"

    def __init__(
        self,
        path: Path,
        *,
        format: str = "json",  # noqa: A002 (Spark's word for it)
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Clock | None = None,
    ) -> None:
        self._folder = path
        self._next_ms = (
            clock_times(clock.now_ms) if clock is not None else folder_times(path, now_ms)
        )
        self.format = format

    def __repr__(self) -> str:
        return f"<folder for {self.format} files>"

    def __str__(self) -> str:
        # Spark writes whatever it is given as a path; the words of repr would name a folder.
        return self.path

    def __fspath__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """Where it is, as text for ``spark.readStream``."""
        return str(self._folder)

    @property
    def place(self) -> str:
        """The same; see :class:`labkit.feeds.target.Target`."""
        return self.path

    @property
    def name(self) -> str:
        """The default name of a feed that writes here: the folder's own."""
        return self._folder.name

    def run(self, events: EventStream, *, key: str | None = None) -> FolderRun:
        """Begin a run of event files; see :class:`labkit.feeds.target.Target`."""
        del key  # files have no keys; the feed has checked the column's name
        content = file_content(self.format, events.schema)
        ending = ENDINGS.get(self.format, f".{self.format}")
        return FolderRun(self._files(), events.name, ending, content)

    def copies(self) -> CopyRun:
        """Begin a run of copies of existing files."""
        return CopyRun(self._files())

    def close(self) -> None:
        """Do nothing: files need no closing."""

    def _files(self) -> FileWriter:
        return FileWriter(self._folder, claim_run(self._folder), self._next_ms)


class FolderRun(StoredRun):
    """One feed's event files in a folder; see :class:`labkit.feeds.target.Run`."""

    def __init__(
        self,
        files: FileWriter,
        stem: str,
        ending: str,
        content: Callable[[Sequence[Event]], bytes],
    ) -> None:
        self._files = files
        self._stem = stem
        self._ending = ending
        self._content = content

    def write(self, items: Sequence[Event], *, timeout_s: float) -> None:
        """Write the events as one file."""
        del timeout_s
        content = self._content(items)
        self._files.put(self._stem, self._ending, lambda path: path.write_bytes(content))


class CopyRun(StoredRun):
    """Unchanged copies of files in a folder, one a step; see :class:`labkit.feeds.target.Run`."""

    def __init__(self, files: FileWriter) -> None:
        self._files = files
        self._copied = 0  # of the files that are being written, when an error came in between

    def write(self, items: Sequence[Path], *, timeout_s: float) -> None:
        """Copy the files, byte for byte; ``AAPL_2012.csv`` becomes ``AAPL_2012-1-000001.csv``."""
        del timeout_s
        for source in find_files(items[self._copied :]):
            stem, dot, ending = source.name.lstrip("._").partition(".")
            self._files.put(stem, dot + ending, partial(shutil.copyfile, source))
            self._copied += 1
        self._copied = 0


def _locate(name: str | os.PathLike[str], *, keep: bool) -> tuple[Path, bool]:
    """Return the folder's path, and whether it is ours to empty."""
    require_type("name", name, str | os.PathLike, expected="a name or an absolute path")
    text = os.fspath(name)
    if Path(text).expanduser().is_absolute():
        return Path(text).expanduser(), False
    root = settings.home() / "kept" if keep else scratch.place("streams")
    path = Path(os.path.normpath(root / text))
    if text and not path.is_relative_to(root):
        raise InvalidArgument("OUTSIDE_SCRATCH", name=text)
    if not _NAME.fullmatch(text):
        bound = "letters, digits, '-', '_' and '.', beginning with a letter or digit"
        raise InvalidArgument("OUT_OF_RANGE", name="name", value=text, bound=bound)
    return path, not keep


def _make_writable(path: Path) -> None:
    probe = path / f".probe-{os.getpid()}-{threading.get_ident()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise not_writable(path, error) from error


def _empty(path: Path) -> None:
    """Remove what is in the folder, but not the folder (a query may watch it) nor the run marks."""
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif not is_run_mark(entry.name):
            entry.unlink()
