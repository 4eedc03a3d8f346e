"""Fetch the jars of the lock, check their sums, and put them in their places.

A jar appears in its place complete and checked, or not at all: downloads lie in a folder of their
own until their sum is right. So it is safe to interrupt a fetch, to run it again, and to run two at
once: the second waits for the first and finds its work done.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Never

from tqdm import tqdm

from labkit import settings
from labkit.errors import BadData, InvalidArgument, MissingNeed
from labkit.jars import ivy
from labkit.jars.lock import Jar, is_here, jars, sum_of
from labkit.waiting import patience, wait_until

# Another fetch may hold the place this long: 200 MB through a slow line.
OTHER_FETCH_S = 3600.0


def fetch(sets: Iterable[str] | None = None, *, progress: bool = True) -> list[Path]:
    """Bring the jars of these sets that are not here yet, and check the sums of all of them.

    Parameters
    ----------
    sets
        Names out of ``labkit.jars.lock.SETS``; None means all (about 160 MB).
    progress
        Show one bar for the whole and one for the jar that is arriving.

    Returns
    -------
    list of Path
        The jars that this call brought; empty when all were here (which takes under a second).

    Raises
    ------
    BadData
        ``JAR_SUM_WRONG``: a jar has another sum than the lock says. It has been deleted.
    MissingNeed
        ``FETCH_FAILED``: some did not arrive; those that did are kept. ``NEEDS``: no Java.
    InvalidArgument
        ``UNKNOWN_CHOICE``: a name is no set. ``NOT_WRITABLE``: the jars' folder.

    Notes
    -----
    Files: ``LABKIT_JARS/spark``, ``broker`` and ``s3server``; while it runs ``LABKIT_JARS/.fetch``.
    The process that downloads is Java; it ends with this call.

    Examples
    --------
    >>> fetch(["kafka"])  # doctest: +SKIP
    []
    """
    chosen = jars(sets)
    if all(is_here(jar) for jar in chosen):
        _refuse_wrong(chosen)
        return []
    with _alone(settings.jars()) as work:
        _refuse_wrong(chosen)
        absent = [jar for jar in chosen if not is_here(jar)]
        # An interrupted fetch may have left some.
        still = [jar for jar in absent if not _take(jar, work)]
        if still:
            _download(still, work, progress=progress)
        shutil.rmtree(work, ignore_errors=True)
    return [jar.path for jar in absent]


def _refuse_wrong(chosen: list[Jar]) -> None:
    """Delete jars whose content is not the lock's, and say which they were."""
    with patience(what="checking the sums of the jars"):
        sums = {jar: sum_of(jar.path) for jar in chosen if jar.path.is_file()}
    wrong = [jar for jar, found in sums.items() if found != jar.sha256]
    for jar in wrong:
        jar.path.unlink(missing_ok=True)
    if wrong:
        raise _wrong_sum(wrong, [sums[jar] for jar in wrong])


def _wrong_sum(wrong: list[Jar], found: list[str]) -> BadData:
    return BadData(
        "JAR_SUM_WRONG",
        jar=", ".join(jar.name for jar in wrong),
        found=", ".join(found),
        expected=", ".join(jar.sha256 for jar in wrong),
    )


def _download(absent: list[Jar], work: Path, *, progress: bool) -> None:
    lines = {(line.set, line.file_name): line for line in ivy.wanted()}
    bars = _Bars(absent, enabled=progress)
    failure = None
    try:
        ivy.download([lines[jar.set, jar.name] for jar in absent], work, bars.show)
    except MissingNeed as error:
        if error.code != "FETCH_FAILED":
            raise
        failure = error
    finally:
        bars.close()
    left = [jar for jar in absent if not _take(jar, work)]
    if left:
        names = ", ".join(jar.name for jar in left)
        reason = failure.params["reason"] if failure else "Ivy did not bring them."
        raise MissingNeed("FETCH_FAILED", jars=names, reason=reason)


def _take(jar: Jar, work: Path) -> bool:
    """Put one jar that arrived into its place, if its sum is right."""
    found = ivy.arrived(work, jar.name)
    for file in found:
        if sum_of(file) == jar.sha256:
            jar.path.parent.mkdir(parents=True, exist_ok=True)
            # A copy, since two sets may share a jar; then one step: nobody sees half a jar.
            half = work / jar.name
            shutil.copyfile(file, half)
            half.replace(jar.path)
            return True
    if found:
        sums = [sum_of(file) for file in found]
        for file in found:
            file.unlink()
        raise _wrong_sum([jar], sums)
    return False


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Hold the jars' folder against other fetches, and yield the place for downloads in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock_file = (folder / ".lock").open("a")
    except OSError as error:
        reason = f"{error.strerror}."
        raise InvalidArgument("NOT_WRITABLE", folder=str(folder), reason=reason) from None
    with ExitStack() as stack:
        stack.enter_context(lock_file)
        wait_until(
            lambda: _hold(lock_file.fileno()),
            what="Another labkit fetch still runs",
            timeout_s=OTHER_FETCH_S,
            every_s=0.2,
        )
        yield folder / ".fetch"


def _hold(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Bars:
    """One bar for all bytes, and below it one for the jar that is arriving."""

    def __init__(self, absent: list[Jar], *, enabled: bool) -> None:
        self._sizes = {jar.name: jar.size_bytes for jar in absent}
        self._off = not enabled
        self._done: set[str] = set()
        self._jar: tqdm[Never] | None = None
        self._shown = ""
        self._all = self._bar(f"{len(absent)} jars", sum(self._sizes.values()), leave=True)

    def show(self, arrived: dict[str, int], found: int) -> None:
        """Move the bars to what has arrived; ``found`` counts before the first byte comes."""
        ours = {name: size for name, size in arrived.items() if name in self._sizes}
        if not ours:
            self._all.set_description(f"asking for {len(self._sizes)} jars: {found}", refresh=False)
        self._all.n = sum(ours.values())
        self._all.refresh()
        for name, size in ours.items():
            if name not in self._done:
                self._show_jar(name, size)

    def close(self) -> None:
        """Leave the bar for the whole, remove the other."""
        if self._jar is not None:
            self._jar.close()
        self._all.close()

    def _show_jar(self, name: str, size: int) -> None:
        if self._jar is None or self._shown != name:
            if self._jar is not None:
                self._jar.close()
            self._shown = name
            self._all.set_description(f"{len(self._sizes)} jars", refresh=False)
            self._jar = self._bar(name, self._sizes[name], leave=False)
        self._jar.n = size
        self._jar.refresh()
        if size == self._sizes[name]:
            self._done.add(name)

    def _bar(self, what: str, size_bytes: int, *, leave: bool) -> tqdm[Never]:
        return tqdm(
            total=size_bytes, desc=what, unit="B", unit_scale=True, leave=leave, disable=self._off
        )
