"""Spark's Python workers have PySpark from where it is installed, and no archive on their path."""

import subprocess
import sys
import zipfile

import pytest

from labkit.engine import python_workers

SHORTENED = """
import sys
from labkit.engine.python_workers import leave_out_archives
sys.path[:0] = [{archive!r}]
import {inside}
leave_out_archives()
print({archive!r} in sys.path, any({archive!r} in place for place in sys.path_importer_cache))
"""


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "more.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("inside_labkit_test/__init__.py", "")
        file.writestr("inside_labkit_test/deeper/__init__.py", "TEN = 10")
    return str(path)


def said(code):
    call = [sys.executable, "-c", code]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=60).stdout


def test_archives_are_left_out(archive):
    inside = "inside_labkit_test.deeper"
    assert said(SHORTENED.format(archive=archive, inside=inside)).strip() == "False False"


def test_they_stay_where_there_is_no_other_pyspark(monkeypatch, archive):
    monkeypatch.setattr(sys, "path", [archive])
    monkeypatch.setattr(python_workers.importlib.util, "find_spec", lambda _name: None)
    python_workers.leave_out_archives()
    assert sys.path == [archive]


@pytest.mark.spark
def test_a_task_meets_no_archive(spark):
    def archives(_):
        return [one for one in sys.path_importer_cache if ".zip" in one or ".jar" in one]

    found = spark.sparkContext.parallelize([0], 1).flatMap(archives).collect()
    # Python's own library may be an archive; most installations have none at that place.
    assert [one for one in found if "pyspark" in one or "py4j" in one] == []


@pytest.mark.spark
def test_an_archive_that_somebody_adds_is_there(spark, archive):
    spark.sparkContext.addPyFile(archive)

    def ten(_):
        from inside_labkit_test.deeper import TEN

        return TEN

    assert spark.sparkContext.parallelize([0], 1).map(ten).collect() == [10]
