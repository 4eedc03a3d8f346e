"""What every test shares: a scratch space of its own, one broker, and a look round at the end."""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import suppress

import psutil
import pytest

from labkit import settings
from labkit.errors import NotReady
from labkit.waiting import wait_until

# Child processes inherit it, so the last fixture can tell this run's processes from any others.
RUN_MARK = "LAB_TEST_RUN"


@pytest.fixture(scope="session", autouse=True)
def _own_scratch_space(tmp_path_factory):
    """Give the run one scratch space, keep the fetched jars, and leave nothing behind."""
    jars = settings.jars()  # where they really are, before LABKIT_HOME moves
    home = tmp_path_factory.mktemp("labkit-home")
    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(home))
        patch.setenv("LABKIT_JARS", str(jars))
        patch.setenv(RUN_MARK, mark)
        for name in ("LABKIT_KAFKA", "LABKIT_MASTER", "LABKIT_HOST"):
            patch.delenv(name, raising=False)
        yield
        _stop_everything()
        with suppress(NotReady):  # the assertion below names them
            wait_until(lambda: not _left_over(mark), what="processes are left", timeout_s=5)
        assert _left_over(mark) == {}
        own = f"{os.getpid()}-"
        left = [folder.name for folder in home.iterdir() if not folder.name.startswith(own)]
        assert [name for name in left if "-" in name and name[0].isdigit()] == []


@pytest.fixture(scope="session")
def broker():
    """Return the one broker of this test run: the object that ``lab.kafka()`` returns."""
    from labkit.services.kafka import kafka

    return kafka()


@pytest.fixture(autouse=True)
def _broker_is_up(request):
    """Start the broker again if the test before this one stopped or killed it."""
    if "broker" in request.fixturenames:
        request.getfixturevalue("broker").start()


def _stop_everything():
    for module, stop in (
        ("labkit.feeds.feed", "stop_all_feeds"),
        ("labkit.engine.session", "stop_session"),
        ("labkit.services.base", "stop_all_services"),
    ):
        if module in sys.modules:
            getattr(sys.modules[module], stop)()


def _left_over(mark):
    """Return this run's processes, without those that end together with this one."""
    left = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_MARK) == mark and process.status() != "zombie":
                left[process.pid] = " ".join(process.cmdline())[:120]
        except psutil.Error:
            continue  # gone meanwhile, or somebody else's
    for pid in _ends_with_us():
        left.pop(pid, None)
    return left


def _ends_with_us():
    """Return this process, the guard, and the JVM that PySpark keeps until Python ends."""
    us = [os.getpid()]
    guard = sys.modules.get("labkit.services.guard")
    if guard is not None:
        us.append(guard.guard_pid())
    spark = sys.modules.get("pyspark.core.context")
    gateway = spark and spark.SparkContext._gateway
    if gateway is not None and psutil.pid_exists(gateway.proc.pid):
        jvm = psutil.Process(gateway.proc.pid)
        us += [jvm.pid, *(child.pid for child in jvm.children(recursive=True))]
    return us


@pytest.fixture
def spark():
    """Return the Spark session of this test run; a test may have stopped the last one."""
    from labkit.engine.session import spark

    return spark()
