"""Connectors: the settings they ask for, and each one writing and reading a real row."""

from __future__ import annotations

import pytest

from labkit.engine import connectors
from labkit.engine.session import spark as start
from labkit.engine.session import stop_session
from labkit.errors import InvalidArgument, MissingNeed

READY = ("kafka", "delta", "iceberg", "postgres", "s3")


@pytest.fixture
def fresh():
    """Start a session of one's own wishes; it is gone after the test."""
    stop_session()
    yield start
    stop_session()


@pytest.fixture
def ready(fresh):
    """A session that is ready for every connector."""
    return fresh(connectors=READY)


def test_names_come_in_one_order_and_once():
    assert connectors.chosen(["s3", "iceberg", "delta", "iceberg"]) == ("delta", "iceberg", "s3")
    assert connectors.chosen([]) == ()


def test_an_unknown_name_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        connectors.chosen(["kafka", "mongo"])
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["value"] == "mongo"


@pytest.mark.parametrize("value", ["kafka", 7, None])
def test_something_else_than_a_list_of_names_is_refused(value):
    with pytest.raises(InvalidArgument) as caught:
        connectors.chosen(value)
    assert caught.value.code == "WRONG_TYPE"
    assert caught.value.params["value"] == value


def test_the_extension_of_delta_stands_before_that_of_iceberg(tmp_path):
    names = connectors.session_settings(("delta", "iceberg"), tmp_path)[connectors.EXTENSIONS]
    assert [name.split(".")[1] for name in names.split(",")] == ["delta", "apache"]


def test_connectors_without_settings(tmp_path):
    assert connectors.session_settings(("kafka", "postgres", "s3"), tmp_path) == {}


def test_missing_jars_are_an_error_for_a_connector_that_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    with pytest.raises(MissingNeed) as caught:
        connectors.require_jars(("kafka", "delta"))
    assert caught.value.code == "NEEDS"
    assert "labkit fetch" in caught.value.params["cure"]


def test_missing_jars_are_one_line_for_the_default(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    connectors.require_jars(connectors.DEFAULT)
    said = capsys.readouterr().err
    assert "labkit fetch" in said
    assert len(said.splitlines()) == 1


@pytest.mark.spark
def test_delta_writes_and_reads_a_row(ready, tmp_path):
    folder = str(tmp_path / "table")
    ready.createDataFrame([(1, "a")], "n int, k string").write.format("delta").save(folder)
    ready.sql(f"update delta.`{folder}` set k = 'b'")  # noqa: S608  our own folder
    assert ready.read.format("delta").load(folder).collect() == [(1, "b")]


@pytest.mark.spark
def test_iceberg_writes_and_reads_a_row(ready):
    ready.sql("create table ice.db.t (n int, k string) using iceberg")
    ready.createDataFrame([(1, "a")], "n int, k string").writeTo("ice.db.t").append()
    ready.sql("update ice.db.t set k = 'b' where n = 1")
    assert ready.table("ice.db.t").collect() == [(1, "b")]
    ready.sql("drop table ice.db.t purge")


@pytest.mark.spark
@pytest.mark.service
def test_kafka_writes_and_reads_a_row(ready, broker):
    broker.topic("connector-rows")
    options = {"kafka.bootstrap.servers": broker.bootstrap_servers}
    row = ready.createDataFrame([("k", "v")], "key string, value string")
    row.write.format("kafka").options(**options, topic="connector-rows").save()
    found = ready.read.format("kafka").options(**options, subscribe="connector-rows").load()
    assert [(bytes(r.key), bytes(r.value)) for r in found.collect()] == [(b"k", b"v")]


@pytest.mark.spark
def test_the_classes_of_postgres_and_s3_are_there(ready):
    for name in ("org.postgresql.Driver", "org.apache.hadoop.fs.s3a.S3AFileSystem"):
        assert ready._jvm.java.lang.Class.forName(name).getName() == name
