"""The class-data archive: classes that Java has read and checked before, so that Spark starts fast.

One archive fits one Java, one PySpark, one list of jars and one set of options; Java compares the
jars' times and sizes itself. It lies beside the jars, is made by :func:`build` (which ``labkit
fetch`` calls), and where none fits a session goes without.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from labkit import scratch, settings
from labkit.engine import jvm
from labkit.errors import LabkitError
from labkit.jars import lock
from labkit.java import require_java
from labkit.services.process import tail
from labkit.waiting import patience

DUMP_VARIABLE = "LABKIT_ARCHIVE_DUMP"  # how build() tells its own child; not for people
BUILD_S = 900.0
# A few environments may share the jars; older archives (170 MB each) go.
KEPT = 4


def current() -> Path | None:
    """Return the archive for this Java and these jars, or None."""
    try:
        file = _file(_class_path())
    except LabkitError:  # no Java: whoever needs it says so
        return None
    return file if file.is_file() else None


def options(class_path: str) -> list[str]:
    """Return the Java options that use the archive, or none.

    Parameters
    ----------
    class_path
        What ``spark.driver.extraClassPath`` will be: Java wants it as it was, text for text.
    """
    dump = os.environ.get(DUMP_VARIABLE)
    if dump:
        return [f'"-XX:ArchiveClassesAtExit={dump}"']
    file = _file(class_path)
    return [f'"-XX:SharedArchiveFile={file}"'] if file.is_file() else []


def build(*, force: bool = False) -> Path | None:
    """Make the archive, unless it is there already.

    A session in another process runs a few small streaming queries; at its end Java writes down
    the classes that it had loaded. That takes about 20 s and 170 MB of disk.

    Parameters
    ----------
    force
        Make it again even if it is there.

    Returns
    -------
    Path or None
        The archive; None when this Java cannot make one (some come without the archive of their
        own classes). Everything works without it, more slowly.

    Raises
    ------
    MissingNeed
        ``NEEDS``: no Java.

    Examples
    --------
    >>> build()  # doctest: +SKIP
    PosixPath('/home/ada/.cache/labkit/jars/classes-17.0.15-1f0c.jsa')
    """
    file = _file(_class_path())
    if file.is_file() and not force:
        return file
    half = file.with_name(f".{file.name}.{os.getpid()}")
    log = scratch.place("archive.log")
    try:
        with patience(what="building the class-data archive", expected_s=25):
            _run_warm_up(half, log)
        if not half.is_file():
            return None
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    _drop_old(file)
    return file


def why_not() -> str:
    """Return the last words of the build that failed, for a report."""
    return tail(scratch.place("archive.log"), 10)


def _run_warm_up(half: Path, log: Path) -> None:
    half.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "labkit.engine.warm_up"]
    with log.open("wb") as out:
        subprocess.run(
            command,
            env={**os.environ, DUMP_VARIABLE: str(half)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            timeout=BUILD_S,
            check=False,
        )


def _class_path() -> str:
    return ":".join(str(path) for path in lock.spark_class_path())


def _file(class_path: str) -> Path:
    """Return where the archive for this class path lies, whether it is there or not."""
    java, pyspark = require_java(), _pyspark_folder()
    jars = [*map(Path, filter(None, class_path.split(":"))), *sorted(pyspark.glob("jars/*.jar"))]
    facts = [java.version, str(java.home), class_path, *jvm.FIXED_OPTIONS]
    # Whole seconds, as Java compares them: the layers of a container's image keep no more.
    facts += [f"{jar} {jar.stat().st_size} {int(jar.stat().st_mtime)}" for jar in jars]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    return settings.jars() / f"classes-{java.version}-{key}.jsa"


def _pyspark_folder() -> Path:
    import pyspark  # noqa: PLC0415  half a second

    return Path(pyspark.__file__).parent


def _drop_old(newest: Path) -> None:
    archives = sorted(newest.parent.glob("classes-*.jsa"), key=lambda file: file.stat().st_mtime)
    for file in archives[:-KEPT]:
        if file != newest:
            file.unlink(missing_ok=True)
