"""Start the Java process of the Spark driver: its options, its files, its last words.

PySpark starts Java when the first session is made and keeps it until Python ends. Here it gets a
process group of its own (an interrupted cell must not stop it), files instead of the notebook for
what it says, and the guard's eye on it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

from labkit import scratch, settings
from labkit.errors import MissingNeed
from labkit.java import require_java
from labkit.services import guard
from labkit.services.process import tail

LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
# C1 alone and a serial collector: small, and a lab is over before C2 would pay. The last two keep
# an archive that does not fit quiet; without the performance file nothing is left in /tmp.
FIXED_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+DisplayVMOutputToStderr",
    "-Duser.timezone=UTC",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
)
END_WAIT_S = 10.0


def folder() -> Path:
    """Return the driver's folder in the kernel's scratch space, with its log and its temp files."""
    place = scratch.place("spark")
    (place / "tmp").mkdir(parents=True, exist_ok=True)
    return place


def log_file() -> Path:
    """Return the file with Spark's own log."""
    return folder() / "spark.log"


def java_options() -> str:
    """Return the options of the Java process, as Spark's setting wants them (one text, quoted)."""
    files = {
        "java.io.tmpdir": folder() / "tmp",
        "labkit.log": log_file(),
        "log4j2.configurationFile": LOG_SETTINGS.as_uri(),
    }
    return " ".join([*FIXED_OPTIONS, *(f'"-D{name}={value}"' for name, value in files.items())])


def start(conf: Mapping[str, str]) -> None:
    """Start a Java process with these settings, for the next session that PySpark makes.

    Parameters
    ----------
    conf
        Spark settings; those about memory, class path and Java's options count only now.

    Raises
    ------
    MissingNeed
        ``NEEDS``: no Java 17 or 21. ``SERVICE_FAILED``: Java ended at once; with its last words.
    """
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415  half a second
    from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    end()
    words = SparkConf(loadDefaults=False).setAll(list(conf.items()))
    said = folder() / "java.log"
    with said.open("wb") as errors, _environment():
        try:
            # What Java prints on its standard output stays: Spark's console sink is there.
            gateway = launch_gateway(words, {"stderr": errors, "start_new_session": True})
        except PySparkRuntimeError:
            raise _failure(said) from None
    guard.watch(gateway.proc.pid, group=True)
    SparkContext._ensure_initialized(gateway=gateway)


def is_alive() -> bool:
    """Tell whether PySpark has a Java process that runs."""
    from pyspark import SparkContext  # noqa: PLC0415  half a second

    gateway = SparkContext._gateway
    return gateway is not None and (gateway.proc is None or gateway.proc.poll() is None)


def end() -> None:
    """End PySpark's Java process, if it has one, and let PySpark forget it; safe twice."""
    from pyspark import SparkContext  # noqa: PLC0415  half a second

    gateway = SparkContext._gateway
    forget()
    if gateway is None:
        return
    with suppress(Exception):  # it may be dead already, in any state
        gateway.shutdown()
    if gateway.proc is not None:
        _let_end(gateway.proc)
        guard.forget(gateway.proc.pid)


def forget() -> None:
    """Let PySpark forget its Java process and every session on it."""
    from pyspark import SparkContext  # noqa: PLC0415  half a second
    from pyspark.sql import SparkSession  # noqa: PLC0415

    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    SparkSession._activeSession = None


def _let_end(process: Any) -> None:
    process.stdin.close()  # the driver ends when nobody holds its standard input any more
    try:
        process.wait(END_WAIT_S)
    except TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _environment() -> Iterator[None]:
    """Set what PySpark's start script and the Java process read from the environment."""
    import pyspark  # noqa: PLC0415  half a second

    wanted = {
        "JAVA_HOME": str(require_java().home),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),  # another Spark may be installed
        "SPARK_LOCAL_IP": settings.host(),  # the web page binds to it, and to everything without
        "SPARK_LOCAL_DIRS": str(folder() / "local"),
        "PYSPARK_SUBMIT_ARGS": "pyspark-shell",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def use_this_python(*, anywhere: bool) -> None:
    """Let Spark's Python workers be this Python, and both tell time in UTC.

    Parameters
    ----------
    anywhere
        The workers may be on other machines, where a ``PYSPARK_PYTHON`` that is set counts.
    """
    if not anywhere or "PYSPARK_PYTHON" not in os.environ:
        os.environ["PYSPARK_PYTHON"] = sys.executable
    # PySpark gives timestamps to Python as naive local time: only in UTC do they look the same
    # as in Spark, and the same on every machine.
    os.environ["TZ"] = "UTC"
    time.tzset()


def _failure(said: Path) -> MissingNeed:
    return MissingNeed(
        "SERVICE_FAILED",
        service="Spark's Java process",
        reason="it ended at once",
        log=tail(said, 10),
        cure="Free some memory or lower LABKIT_HEAP; `labkit doctor` shows what is there.",
    )
