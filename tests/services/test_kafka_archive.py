import shutil

import pytest

from labkit import settings
from labkit.services import kafka_archive, kafka_node
from labkit.services.kafka import KafkaBroker

pytestmark = pytest.mark.service


@pytest.fixture
def own_jars(tmp_path, monkeypatch):
    """Return a folder with copies of the broker's jars (Java looks at where they lie)."""
    shutil.copytree(settings.jars() / "broker", tmp_path / "broker")
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    return tmp_path


def test_build_then_start_with_it(own_jars):
    (own_jars / "broker-000000000000.jsa").touch()  # of other jars
    assert not kafka_archive.is_built()
    archive = kafka_archive.build()
    assert kafka_archive.is_built()
    assert [f.name for f in own_jars.glob("*.jsa")] == [archive.name]
    assert sorted(f.name for f in own_jars.iterdir()) == ["broker", archive.name]
    assert archive.stat().st_size > 10 * 2**20
    command = kafka_node.java_command(own_jars)
    assert f"-XX:SharedArchiveFile={archive}" in command
    with KafkaBroker() as broker:
        assert broker.topics() == []
        assert maps(broker.pid, archive)


def test_what_is_built_is_built_again_only_when_forced(own_jars, monkeypatch):
    archive = kafka_node.archive_path()
    archive.write_bytes(b"built")
    assert kafka_archive.build() == archive
    assert archive.read_bytes() == b"built"

    def command(folder, *, dump):
        assert dump.is_relative_to(own_jars)
        return usual(folder)

    usual = kafka_node.java_command
    monkeypatch.setattr(kafka_node, "java_command", command)  # a Java that writes none
    assert kafka_archive.build(force=True) is None
    assert sorted(f.name for f in own_jars.iterdir()) == ["broker", archive.name]
    assert archive.read_bytes() == b"built"


def test_a_damaged_archive_is_passed_over(own_jars):
    kafka_node.archive_path().write_bytes(b"not an archive")
    with KafkaBroker() as broker:
        assert broker.topics() == []
        assert not maps(broker.pid, kafka_node.archive_path())
    assert own_jars.is_dir()


def maps(pid, file):
    import psutil

    return str(file) in {region.path for region in psutil.Process(pid).memory_maps()}
