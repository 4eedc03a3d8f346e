"""The session: its defaults, what it refuses, and that it survives and ends as it should."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from labkit import scratch
from labkit.engine import jvm
from labkit.engine.session import spark as start
from labkit.engine.session import stop_session
from labkit.errors import Conflict, InvalidArgument, MissingNeed, Unreachable
from labkit.waiting import wait_until


@pytest.fixture
def fresh():
    """Start a session of one's own wishes; it is gone after the test."""
    stop_session()
    yield start
    stop_session()


def in_a_new_process(code, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


@pytest.mark.parametrize(
    ("wish", "code", "name"),
    [
        ({"connectors": ["mongo"]}, "UNKNOWN_CHOICE", "connectors"),
        ({"connectors": "kafka"}, "WRONG_TYPE", "connectors"),
        ({"conf": ["spark.ui.port"]}, "WRONG_TYPE", "conf"),
        ({"conf": {7: "x"}}, "WRONG_TYPE", "a name in conf"),
        ({"conf": {"shuffle.partitions": 2}}, "OUT_OF_RANGE", "a name in conf"),
        ({"conf": {"spark.x": None}}, "WRONG_TYPE", "conf['spark.x']"),
        ({"conf": {"spark.x": ["a"]}}, "WRONG_TYPE", "conf['spark.x']"),
        ({"master": "lokal"}, "UNKNOWN_CHOICE", "master"),
        ({"master": 2}, "WRONG_TYPE", "master"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(monkeypatch, wish, code, name):
    monkeypatch.setattr(jvm, "is_alive", lambda: pytest.fail("it looked for a session"))
    with pytest.raises(InvalidArgument) as caught:
        start(**wish)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)


def test_a_wrong_master_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("LABKIT_MASTER", "http://here")
    with pytest.raises(InvalidArgument) as caught:
        start()
    assert caught.value.params["name"] == "LABKIT_MASTER"


@pytest.mark.spark
def test_twice_gives_the_same_session(spark):
    assert start() is spark
    assert start(connectors=["postgres"]) is spark
    assert start(master=spark.sparkContext.master) is spark


@pytest.mark.spark
def test_its_defaults(fresh):
    session = fresh()
    conf = session.conf
    assert session.sparkContext.master == "local[2]"
    assert conf.get("spark.sql.shuffle.partitions") == "2"
    assert conf.get("spark.driver.memory") == "512m"
    assert conf.get("spark.sql.session.timeZone") == "UTC"
    assert session._jvm.java.util.TimeZone.getDefault().getID() == "UTC"
    assert "FileSystemBased" in conf.get("spark.sql.streaming.checkpointFileManagerClass")
    assert session.sparkContext.uiWebUrl is None


@pytest.mark.spark
def test_times_look_the_same_in_spark_and_in_python(spark):
    row = spark.sql("select t, cast(t as string) s from values (timestamp'2024-01-01 10:00') v(t)")
    assert row.collect() == [(datetime(2024, 1, 1, 10), "2024-01-01 10:00:00")]  # noqa: DTZ001


@pytest.mark.spark
def test_it_listens_on_loopback_only_and_keeps_its_files_in_the_scratch_folder(spark):
    spark.range(10).repartition(2).count()
    java = psutil.Process(spark.sparkContext._gateway.proc.pid)
    listening = [c.laddr.ip for c in java.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    home = str(scratch.kernel_folder())
    written = [f.path for f in java.open_files() if f.mode != "r"]
    assert written
    assert [path for path in written if not path.startswith(home)] == []
    assert spark._jvm.java.lang.System.getProperty("java.io.tmpdir").startswith(home)
    assert home in spark.conf.get("spark.sql.warehouse.dir")


@pytest.mark.spark
def test_python_workers_are_this_python(spark):
    import pyspark.sql.functions as F

    version = F.udf(lambda _: sys.executable, "string")
    assert spark.range(1).select(version("id")).first()[0] == sys.executable


@pytest.mark.spark
def test_what_can_change_changes_and_the_rest_names_a_new_kernel(fresh):
    session = fresh()
    assert start(conf={"spark.sql.shuffle.partitions": 3}) is session
    assert session.conf.get("spark.sql.shuffle.partitions") == "3"
    wish = {"spark.sql.shuffle.partitions": 5, "spark.driver.memory": "2g"}
    with pytest.raises(Conflict) as caught:
        start(conf=wish)
    assert caught.value.code == "SESSION_DIFFERS"
    assert caught.value.params["name"] == "spark.driver.memory"
    assert caught.value.params["present"] == "512m"
    assert session.conf.get("spark.sql.shuffle.partitions") == "3"


@pytest.mark.spark
@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"connectors": ["delta"]}, "connectors"),
        ({"master": "local[7]"}, "master"),
        ({"ui": True}, "ui"),
    ],
)
def test_another_wish_names_what_needs_a_new_kernel(fresh, wish, name):
    fresh()
    with pytest.raises(Conflict) as caught:
        start(**wish)
    assert (caught.value.code, caught.value.params["name"]) == ("SESSION_DIFFERS", name)
    assert caught.value.params["call"].startswith(f"{name}=")


@pytest.mark.spark
def test_conf_takes_the_place_of_the_defaults_and_joins_lists(fresh):
    extra = "-Dlab.test=yes"
    session = fresh(conf={"spark.driver.extraJavaOptions": extra, "spark.app.name": "mine"})
    assert session.sparkContext.appName == "mine"
    assert session._jvm.java.lang.System.getProperty("lab.test") == "yes"
    assert session._jvm.java.lang.System.getProperty("user.timezone") == "UTC"


@pytest.mark.spark
def test_stop_twice_and_start_again(spark):
    stop_session()
    stop_session()
    again = start()
    assert again is not spark
    assert again.range(3).count() == 3
    again.stop()  # as a learner does it
    assert start().range(3).count() == 3


@pytest.mark.spark
def test_the_page_is_on_loopback_when_asked_for(fresh):
    session = fresh(ui=True)
    with urllib.request.urlopen(session.sparkContext.uiWebUrl) as page:  # noqa: S310  our own page
        assert page.status == 200
    assert session.sparkContext.uiWebUrl.startswith("http://127.0.0.1:")


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_a_foreign_session_is_named_and_left_alone():
    from pyspark.sql import SparkSession

    stop_session()
    foreign = SparkSession.builder.appName("theirs").getOrCreate()
    try:
        with pytest.raises(Conflict) as caught:
            start()
        assert caught.value.code == "FOREIGN_SESSION"
        assert caught.value.params["name"] == "theirs"
        stop_session()
        assert foreign.range(3).count() == 3
    finally:
        foreign.stop()
    assert start().range(3).count() == 3


@pytest.mark.spark
def test_after_java_was_killed_a_new_one_starts(spark):
    java = spark.sparkContext._gateway.proc
    java.kill()
    java.wait()
    assert start().range(3).count() == 3


@pytest.mark.spark
def test_java_that_cannot_start_shows_its_last_words(fresh):
    with pytest.raises(MissingNeed) as caught:
        fresh(conf={"spark.driver.extraJavaOptions": "-agentlib:nosuch"})
    assert caught.value.code == "SERVICE_FAILED"
    assert "nosuch" in caught.value.params["log"]
    assert start().range(3).count() == 3


@pytest.mark.spark
def test_a_value_that_spark_cannot_read_is_named_before_and_while_it_runs(fresh):
    for _ in range(2):
        with pytest.raises(InvalidArgument) as caught:
            start(conf={"spark.sql.shuffle.partitions": "many"})
        assert caught.value.code == "OUT_OF_RANGE"
        assert caught.value.params["name"] == "conf['spark.sql.shuffle.partitions']"
        assert fresh().range(3).count() == 3


@pytest.mark.spark
def test_no_java_is_an_error_of_labkit(fresh, monkeypatch):
    from labkit import java

    def none():
        raise java.NoJava("Spark needs Java.", "There is none.", "Get one.")

    monkeypatch.setattr(java, "find_java", none)
    with pytest.raises(MissingNeed) as caught:
        fresh()
    assert (caught.value.code, caught.value.params["cure"]) == ("NEEDS", "Get one.")


@pytest.mark.spark
def test_a_master_that_does_not_answer_is_named(fresh, monkeypatch):
    monkeypatch.setenv("LABKIT_MASTER", "spark://127.0.0.1:9")
    with pytest.raises(Unreachable) as caught:
        fresh()
    assert caught.value.code == "UNREACHABLE"
    assert caught.value.params["address"] == "spark://127.0.0.1:9"


@pytest.mark.spark
def test_without_jars_it_starts_and_names_the_cure(fresh, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    assert fresh().range(3).count() == 3
    assert "labkit fetch" in capsys.readouterr().err
    with pytest.raises(MissingNeed) as caught:
        fresh(connectors=["delta"])
    assert caught.value.code == "NEEDS"


QUIET = """
import labkit as lab
from pyspark.sql import functions as F
spark = lab.spark()
rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
query = rows.groupBy().count().writeStream.format("memory").queryName("q").outputMode("complete")
query.trigger(once=True).start().awaitTermination()
try:
    spark.sql("select nothing")
except Exception as error:
    assert "UNRESOLVED_COLUMN" in str(error)
spark.range(2).select(F.udf(lambda n: n, "long")("id")).collect()
"""  # and no lab.stop_all(): a script that just ends is quiet, too


@pytest.mark.spark
def test_nothing_but_the_bar_is_printed():
    out, err = in_a_new_process(QUIET).communicate(timeout=100)
    words = [line for line in err.replace("\r", "\n").splitlines() if line.strip()]
    assert out == ""
    assert [line for line in words if "Spark is starting" not in line] == []


ALIVE = """
import json, os, signal, sys, time
import labkit as lab
from labkit import scratch
from pyspark.sql import functions as F
spark = lab.spark()
plus = F.udf(lambda n: n + 1, "int")
def work():
    return [r[0] for r in spark.range(2).select(plus(F.col("id").cast("int"))).collect()]
work()
java, folder = spark.sparkContext._gateway.proc.pid, str(scratch.kernel_folder())
print(json.dumps({"java": java, "folder": folder}), flush=True)
try:
    time.sleep(100)
except KeyboardInterrupt:
    print(json.dumps(work()), flush=True)
time.sleep(100)
"""


@pytest.fixture
def other_kernel():
    """A process with a session, and what it told about itself."""
    process = in_a_new_process(ALIVE)
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.spark
def test_an_interrupted_cell_leaves_java_and_its_python_workers_alive(other_kernel):
    process, _ = other_kernel
    os.killpg(process.pid, signal.SIGINT)
    assert json.loads(process.stdout.readline()) == [1, 2]


@pytest.mark.spark
def test_java_and_its_files_go_when_the_kernel_is_killed(other_kernel):
    process, facts = other_kernel
    assert psutil.pid_exists(facts["java"])
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    folder = Path(facts["folder"])
    wait_until(
        lambda: not psutil.pid_exists(facts["java"]) and not folder.exists(),
        what="Java or its folder is left",
        timeout_s=10,
    )


@pytest.mark.spark
def test_java_gets_our_options_beside_those_of_sparks_start_script(spark):
    arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean()
    given = list(arguments.getInputArguments())
    assert "--add-modules=jdk.incubator.vector" in given
    assert "-XX:+UseSerialGC" in given
