"""The Spark session of a lab: quiet, small, in UTC, and the same for everyone in this kernel."""

from __future__ import annotations

import atexit
import logging
import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit import settings, steps
from labkit.engine import archive, jvm, python_workers
from labkit.engine import connectors as connector
from labkit.engine import wishes as wish
from labkit.engine.gate import held
from labkit.errors import Conflict, InvalidArgument, Unreachable
from labkit.jars import lock
from labkit.waiting import patience

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Spark's own default forks processes for every file of a checkpoint: a batch takes twice as long.
# Its renames are not atomic on every file system, which a lab can bear.
CHECKPOINTS = (
    "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
)
ANSWER_S = 5.0


@dataclass(frozen=True)
class _Running:
    """The session that labkit made in this kernel, and what it was made with."""

    session: SparkSession
    connectors: tuple[str, ...]
    java: Mapping[str, str]


_running: _Running | None = None
# What the Java of this kernel was started with; it stays when a session is stopped.
_java: Mapping[str, str] = {}


def spark(
    *,
    connectors: Iterable[str] = connector.DEFAULT,
    conf: Mapping[str, Any] | None = None,
    master: str | None = None,
    ui: bool = False,
) -> SparkSession:
    """Return the Spark session of this kernel; it is started at the first call.

    A later call returns the same session. Settings that Spark can change while it runs are
    changed; a wish that it cannot follow is an error that names the call for a new kernel.

    Parameters
    ----------
    connectors
        What the session shall be ready for: ``kafka``, ``delta``, ``iceberg``, ``postgres``,
        ``s3``. A session that has more is fine too.
    conf
        Spark settings that take the place of the lab's (text, number or boolean each).
    master
        Where Spark's work is done; None means ``LABKIT_MASTER``, else two threads of this kernel.
    ui
        Whether Spark's web page is there (``spark.sparkContext.uiWebUrl``).

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``, ``WRONG_TYPE`` or ``OUT_OF_RANGE``; nothing was started.
    Conflict
        ``SESSION_DIFFERS``: needs a new kernel. ``FOREIGN_SESSION``: not labkit's session.
    MissingNeed
        ``NEEDS``: Java, or the jars of a connector. ``SERVICE_FAILED``: Java ended at its start.
    Unreachable
        ``UNREACHABLE``: no master answers at its address.

    Notes
    -----
    **Ports, files, processes.** One Java process of about 460 MB with its ports on
    ``LABKIT_HOST``; its log, tables and temporary files lie in the kernel's scratch folder. It
    ends with the kernel. Time is UTC, in Spark and (by ``TZ``) in this Python.

    Examples
    --------
    >>> spark(conf={"spark.sql.shuffle.partitions": 3}).range(2).count()  # doctest: +SKIP
    2
    """
    global _running  # noqa: PLW0603  one session per kernel is Spark's own rule
    names, wishes, place = (
        connector.chosen(connectors),
        wish.texts(conf),
        wish.place_of_work(master),
    )
    with patience(what="Spark is starting", expected_s=5):
        present = _present()
        if present is not None:
            _adapt(present, names, wishes, master, ui=ui)
        else:
            _running = present = _start(names, wishes, place, ui=ui)
            steps.use_gate(held)
    return present.session


def stop_session() -> None:
    """Stop the queries and the session that labkit made; safe to call twice.

    Java stays until the kernel ends, as in plain PySpark: the same session starts on it again.
    """
    global _running
    running, _running = _running, None
    if running is None:
        return
    if not jvm.is_alive():
        jvm.end()
    elif is_open(running.session):
        for query in running.session.streams.active:
            query.stop()
        running.session.stop()


def _leave(pid: int) -> None:
    if os.getpid() == pid:  # a forked child runs the same exit handlers
        with suppress(Exception):  # the guard ends what could not be stopped
            stop_session()


def _present() -> _Running | None:
    """Return labkit's session if it is open; refuse to go on with somebody else's."""
    from pyspark import SparkContext  # noqa: PLC0415  half a second

    if not jvm.is_alive():  # nothing yet, or Java was killed: whatever was on it is gone
        jvm.end()
        return None
    context = SparkContext._active_spark_context
    if context is None:
        return None
    if _running is None or _running.session.sparkContext is not context:
        raise Conflict("FOREIGN_SESSION", name=context.appName)
    return _running


def is_open(session: SparkSession) -> bool:
    """Whether nobody has stopped a session."""
    return session.sparkContext._jsc is not None


def _start(names: tuple[str, ...], wishes: dict[str, str], master: str, *, ui: bool) -> _Running:
    global _java  # noqa: PLW0603  one Java per kernel too
    connector.require_jars(names)
    _require_answer(master)
    conf = wish.joined(_defaults(names, master, ui=ui), wishes)
    java = {key: value for key, value in conf.items() if key.startswith("spark.driver.")}
    jvm.use_this_python(anywhere=not master.startswith("local"))
    if _java != conf or not jvm.is_alive():  # a Java keeps what it was given at its start
        jvm.start(conf)
        _java = conf
        # Java has its exit before the guard ends it, or PySpark's threads complain on the screen.
        atexit.unregister(_leave)
        atexit.register(_leave, os.getpid())
    _require_valid(wishes)
    return _Running(_session(conf), names, java)


def _session(conf: dict[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession  # noqa: PLC0415  half a second

    # PySpark shows each analysis error as an exception, and a second time as JSON on stderr.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    builder = SparkSession.builder
    builder._options = {}  # what other code gave to the one builder would come along
    for key, value in conf.items():
        builder.config(key, value)
    try:
        return builder.getOrCreate()
    except BaseException:
        _drop_half_a_session()
        raise


def _require_valid(wishes: dict[str, str]) -> None:
    """Try the values on settings of their own.

    A session with a value that Spark cannot read breaks every message about it, too: PySpark
    asks the session's settings how to show an error, which is an error, and so on.
    """
    from pyspark import SparkContext  # noqa: PLC0415  half a second
    from pyspark.errors import PySparkException  # noqa: PLC0415

    for key, value in wishes.items():
        try:
            SparkContext._jvm.org.apache.spark.sql.internal.SQLConf().setConfString(key, value)
        except PySparkException as error:
            said = str(error).partition("\n")[0]
            bound = f"a value that Spark takes. It says: {said}"
            name = f"conf[{key!r}]"
            raise InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound) from None


def _drop_half_a_session() -> None:
    from pyspark import SparkContext  # noqa: PLC0415  half a second

    with suppress(Exception):  # the first error is the one to show
        if SparkContext._active_spark_context is not None:
            SparkContext._active_spark_context.stop()


def _defaults(names: tuple[str, ...], master: str, *, ui: bool) -> dict[str, str]:
    place, host = jvm.folder(), settings.host()
    jars = ":".join(str(path) for path in lock.spark_class_path())
    options = " ".join([jvm.java_options(), *archive.options(jars)])
    conf = {
        "spark.app.name": "labkit",
        "spark.master": master,
        "spark.driver.memory": f"{settings.heap_mib()}m",
        wish.OPTIONS: options,
        "spark.driver.host": host,
        "spark.driver.bindAddress": host,
        "spark.sql.warehouse.dir": (place / "tables").as_uri(),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",  # 200 make a stateful batch take 4 to 10 s
        "spark.sql.streaming.checkpointFileManagerClass": CHECKPOINTS,
        # A query that waits looks for data this often: at Spark's 10 ms, ten of them take a core.
        "spark.sql.streaming.pollingDelay": "50ms",
        "spark.ui.enabled": str(ui).lower(),
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local"):  # elsewhere labkit need not be installed
        conf["spark.python.daemon.module"] = python_workers.__name__
    if jars:
        conf[wish.CLASS_PATH] = jars
        if not master.startswith("local["):
            conf["spark.executor.extraClassPath"] = jars
    return conf | connector.session_settings(names, place / "tables")


def _adapt(
    present: _Running,
    names: tuple[str, ...],
    wishes: dict[str, str],
    master: str | None,
    *,
    ui: bool,
) -> None:
    """Make the running session follow these wishes, or say what it cannot follow."""
    context = present.session.sparkContext
    new = [name for name in names if name not in present.connectors]
    connector.require_jars(tuple(new))
    if connector.session_settings(tuple(new), jvm.folder()):
        both = connector.chosen([*present.connectors, *names])
        raise _differs("connectors", present.connectors, names, f"connectors={both}")
    if master is not None and master != context.master:
        raise _differs("master", context.master, master, f"master={master!r}")
    if ui and context.uiWebUrl is None:
        raise _differs("ui", present=False, wanted=True, call="ui=True")
    _require_valid(wishes)
    _change(present.session, wishes)


def _change(session: SparkSession, wishes: dict[str, str]) -> None:
    """Set what can be set while Spark runs: all of it, or nothing."""
    before: dict[str, str | None] = {}
    for key, value in wishes.items():
        present = session.conf.get(key, None)
        if present == value or (key in wish.JOINED and value in (present or "")):
            continue
        try:
            session.conf.set(key, value)
        except Exception as error:
            for name, old in before.items():
                session.conf.unset(name) if old is None else session.conf.set(name, old)
            if "CANNOT_MODIFY" not in str(error):
                raise  # Spark's own words about a value that the setting cannot have
            call = f"conf={{{key!r}: {value!r}}}"
            raise _differs(key, present, value, call) from None
        before[key] = present


def _differs(name: str, present: Any, wanted: Any, call: str) -> Conflict:
    return Conflict("SESSION_DIFFERS", name=name, present=present, wanted=wanted, call=call)


def _require_answer(master: str) -> None:
    """Try the master's port: Spark itself would try for a minute and end with a stack trace."""
    if not master.startswith("spark://"):
        return
    one = urlsplit(master.split(",", maxsplit=1)[0])
    try:
        socket.create_connection((one.hostname, one.port or 7077), ANSWER_S).close()
    except OSError as error:
        cure = "Start that master, or unset LABKIT_MASTER to work inside this kernel."
        raise Unreachable(
            "UNREACHABLE", service="Spark master", address=master, reason=f"{error}.", cure=cure
        ) from None
