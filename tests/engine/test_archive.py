"""The class-data archive: made once, used when it fits, done without when it does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from labkit import settings
from labkit.engine import archive
from labkit.jars import lock

USE_IT = """
import sys
from labkit.engine.session import spark
options = f"-Xlog:class+load:file={sys.argv[1]}"
print(spark(conf={"spark.driver.extraJavaOptions": options}).range(3).count())
"""


@pytest.fixture
def own_jars(monkeypatch, tmp_path):
    """A folder with the Kafka set only."""
    real = lock.class_path("kafka")
    place = tmp_path / "jars" / "spark"
    place.mkdir(parents=True)
    for jar in real:
        (place / jar.name).symlink_to(jar)
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path / "jars"))
    return place


def test_none_before_it_is_built(own_jars):
    assert own_jars.is_dir()
    assert archive.current() is None
    assert archive.options(archive._class_path()) == []


def test_its_key_follows_the_jars_and_java(own_jars, monkeypatch):
    before = archive._file(archive._class_path())
    assert archive._file(archive._class_path()) == before
    jar = own_jars / lock.jars(["kafka"])[0].name
    content, changed_s = jar.read_bytes(), int(jar.stat().st_mtime)
    jar.unlink()
    jar.write_bytes(content)
    os.utime(jar, (changed_s, changed_s))  # an image's layers drop the parts of a second
    assert archive._file(archive._class_path()) == before
    os.utime(jar, (changed_s, changed_s + 1))  # Java would refuse the archive
    after_jar = archive._file(archive._class_path())
    good = archive.require_java()
    monkeypatch.setattr(archive, "require_java", lambda: good._replace(version="21.0.1"))
    assert len({before, after_jar, archive._file(archive._class_path())}) == 3


def test_one_that_fits_is_used(own_jars):
    file = archive._file(archive._class_path())
    file.write_text("")
    assert own_jars.is_dir()
    assert archive.current() == file
    assert archive.options(archive._class_path()) == [f'"-XX:SharedArchiveFile={file}"']
    assert archive.build() == file


def test_without_java_there_is_none(own_jars, monkeypatch):
    from labkit.errors import MissingNeed

    def none():
        raise MissingNeed("NEEDS", need="Java")

    assert own_jars.is_dir()
    monkeypatch.setattr(archive, "require_java", none)
    assert archive.current() is None


def test_a_java_that_cannot_make_one_leaves_nothing(own_jars, monkeypatch):
    monkeypatch.setattr(archive, "_run_warm_up", lambda _half, _log: None)
    assert archive.build() is None
    assert list(settings.jars().glob("*.jsa")) == []
    assert own_jars.is_dir()


@pytest.mark.spark
@pytest.mark.usefixtures("own_jars")
@pytest.mark.timeout(300)
def test_it_is_built_and_a_session_loads_its_classes_from_it(tmp_path):
    file = archive.build()
    assert file is not None, archive.why_not()
    assert file == archive.current()
    log = tmp_path / "classes.log"
    done = subprocess.run(
        [sys.executable, "-c", USE_IT, str(log)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "3", done.stderr
    loaded = log.read_text()
    assert loaded.count("shared objects file (top)") > 3000
    assert "org.apache.kafka" not in done.stderr
