import socket
import subprocess
import sys

import pytest

from labkit.errors import Conflict, MissingNeed
from labkit.services import kafka_node


def parse(text):
    return dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))


def test_clients_and_controller_listen_on_loopback(tmp_path):
    facts = parse(kafka_node.properties(port=1234, controller_port=5678, data=tmp_path))
    assert facts["listeners"] == "PLAINTEXT://127.0.0.1:1234,CONTROLLER://127.0.0.1:5678"
    assert facts["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1234"
    assert facts["auto.create.topics.enable"] == "false"


def test_clients_are_told_the_address_of_the_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOST", "lab.internal")
    facts = parse(kafka_node.properties(port=1234, controller_port=5678, data=tmp_path))
    assert facts["advertised.listeners"] == "PLAINTEXT://lab.internal:1234"
    assert facts["listeners"].endswith("CONTROLLER://127.0.0.1:5678")


def test_each_network_is_told_an_address_that_it_can_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOST", "kafka")
    outside = ("127.0.0.1", 9094)
    facts = parse(
        kafka_node.properties(port=9092, controller_port=5678, data=tmp_path, outside=outside)
    )
    advertised = "PLAINTEXT://kafka:9092,OUTSIDE://127.0.0.1:9094"
    assert facts["advertised.listeners"] == advertised
    assert facts["listeners"].split(",")[1] == "OUTSIDE://:9094"


def test_a_storage_that_is_there_keeps_its_identity(tmp_path):
    kafka_node.format_storage(tmp_path / "data")
    before = (tmp_path / "data" / "meta.properties").read_text()
    kafka_node.format_storage(tmp_path / "data")
    assert (tmp_path / "data" / "meta.properties").read_text() == before


def test_each_cluster_has_an_identity_of_its_own(tmp_path):
    identities = set()
    for name in ("a", "b"):
        kafka_node.format_storage(tmp_path / name)
        facts = parse((tmp_path / name / "meta.properties").read_text())
        assert (facts["version"], facts["node.id"]) == ("1", "1")
        identities |= {facts["cluster.id"], facts["directory.id"]}
    assert len(identities) == 4
    assert {len(identity) for identity in identities} == {22}


def test_ports_are_free_and_given_once():
    ports = [kafka_node.free_port("127.0.0.1") for _ in range(20)]
    assert len(set(ports)) == 20
    assert all(port in kafka_node.PORTS for port in ports)
    assert all(kafka_node.is_free("127.0.0.1", port) for port in ports)


def test_a_port_in_use_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not kafka_node.is_free("127.0.0.1", server.getsockname()[1])


def test_no_free_port(monkeypatch):
    monkeypatch.setattr(kafka_node, "is_free", lambda *_: False)
    with pytest.raises(Conflict) as caught:
        kafka_node.free_port("127.0.0.1")
    assert caught.value.code == "PORT_TAKEN"


def test_missing_jars_are_named_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    with pytest.raises(MissingNeed) as caught:
        kafka_node.java_command(tmp_path)
    assert caught.value.code == "NEEDS"
    assert "labkit fetch" in str(caught.value)


def test_no_java(tmp_path, monkeypatch):
    def none():
        raise MissingNeed("NEEDS", need="There is no Java.")

    monkeypatch.setattr(kafka_node.java, "require_java", none)
    with pytest.raises(MissingNeed):
        kafka_node.java_command(tmp_path)


def test_an_archive_that_was_not_built_is_not_named(tmp_path, monkeypatch):
    command = " ".join(kafka_node.java_command(tmp_path))
    if kafka_node.archive_path().is_file():
        assert str(kafka_node.archive_path()) in command
    monkeypatch.setattr(kafka_node, "ARCHIVE_STEM", "no-such-archive")
    assert "SharedArchiveFile" not in " ".join(kafka_node.java_command(tmp_path))
    dump = tmp_path / "new.jsa"
    assert f"ArchiveClassesAtExit={dump}" in " ".join(kafka_node.java_command(tmp_path, dump=dump))


@pytest.mark.service
def test_the_storage_has_the_feature_levels_that_kafkas_own_tool_gives(tmp_path):
    data = tmp_path / "ours"
    kafka_node.format_storage(data)
    theirs = tmp_path / "theirs"
    config = tmp_path / "server.properties"
    config.write_text(kafka_node.properties(port=1, controller_port=2, data=theirs))
    command = kafka_node.java_command(tmp_path)[:-2]
    tool = ["kafka.tools.StorageTool", "format", "-t", "a" * 21 + "A", "-c", str(config)]
    subprocess.run([*command, *tool], check=True, capture_output=True, timeout=60)
    assert features(data) == features(theirs)
    assert sorted(f.name for f in data.iterdir()) == sorted(f.name for f in theirs.iterdir())
    kinds = [set(parse((f / "meta.properties").read_text())) for f in (data, theirs)]
    assert kinds[0] == kinds[1]


def features(data):
    """Return the record bytes of the checkpoint, batch by batch, without times and sums."""
    raw = (data / "bootstrap.checkpoint").read_bytes()
    batches = []
    while raw:
        length = 12 + int.from_bytes(raw[8:12], "big")
        batch, raw = raw[:length], raw[length:]
        records = batch[61:]
        batches.append((batch[57:61], records if b"version" in records else len(records)))
    return batches


def test_importing_the_room_starts_nothing():
    code = (
        "import labkit.services.kafka, sys, threading\n"
        "assert threading.active_count() == 1\n"
        "heavy = {'kafka', 'pandas', 'pyspark', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
