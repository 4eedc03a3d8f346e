"""The demo as a person runs it: a command in a terminal, to its last line, and nothing is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit.demo import demo
from labkit.errors import InvalidArgument
from labkit.waiting import wait_until

MARK = "LAB_TEST_DEMO"


def marked(mark):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != "zombie":
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def run(tmp_path, *options):
    mark = tmp_path.name
    home = {"LABKIT_HOME": str(tmp_path), MARK: mark}
    labkit = Path(sys.executable).with_name("labkit")
    done = subprocess.run(
        [labkit, "demo", *options],
        env=os.environ | home,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wait_until(lambda: not marked(mark), what="processes of the demo are left", timeout_s=5)
    assert [f.name for f in tmp_path.iterdir() if f.name[0].isdigit()] == []
    return done.stdout


@pytest.mark.spark
@pytest.mark.parametrize("to", ["folder", "socket", "kafka"])
def test_stocks_reach_the_table_in_five_batches(to, tmp_path):
    text = run(tmp_path, "--to", to, "--batches", "5")
    sent = re.findall(r"15 rows in, (\d+) sent", text)
    assert len(sent) == 5
    assert re.search(r"^Δ  AAPL  2000-03  15 → 23 ", text, re.MULTILINE)
    last = text.strip().splitlines()[-1]
    assert last == f"demo: 5 batches, 75 events in, {sent[-1]} rows in the table"


@pytest.mark.spark
def test_the_same_seed_tells_the_same_story_by_every_way(tmp_path):
    def tables(to):
        place = tmp_path / to
        place.mkdir()
        text = run(place, "--to", to, "--events", "orders", "--batches", "2", "--seed", "3")
        return re.sub(r"batch \d+|Batch \d+", "batch", text)  # a socket begins with an empty batch

    by_folder = tables("folder")
    assert "30 events in" in by_folder
    assert tables("socket") == by_folder


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"to": "fax"}, "to"), ({"events": "weather"}, "events"), ({"batches": 0}, "batches")],
)
def test_a_bad_argument_starts_nothing(arguments, name):
    with pytest.raises(InvalidArgument) as caught:
        demo(**arguments)
    assert caught.value.params["name"] == name
