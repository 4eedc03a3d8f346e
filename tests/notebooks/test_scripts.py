"""The two scripts that a learner runs from terminals, run from here as two processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from labkit.java import find_java
from labkit.waiting import wait_until

SCRIPTS = Path(__file__).parents[2] / "notebooks" / "scripts"
LIMIT_S = 240  # plain Spark on a busy machine


@pytest.fixture(autouse=True)
def _ctrl_c_works():
    """A run in the background ignores Ctrl-C, and its children would do the same."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Script:
    """A script as a process of its own, and what it has printed."""

    def __init__(self, name, *options):
        command = [sys.executable, "-u", str(SCRIPTS / name), *map(str, options)]
        env = os.environ | {"JAVA_HOME": str(find_java().home), "SPARK_LOCAL_IP": "127.0.0.1"}
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.said += line

    def wait_for(self, form):
        """Return the first match of a pattern in what it prints."""
        wait_until(
            lambda: re.search(form, self.said) or self.process.poll() is not None,
            what=f"the script has not printed {form!r}",
            timeout_s=LIMIT_S,
        )
        found = re.search(form, self.said)
        assert found, self.said
        return found

    def end(self):
        """Press Ctrl-C; return the exit status and the processes that are left."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=LIMIT_S)
        self._reader.join(timeout=LIMIT_S)
        _, left = psutil.wait_procs(children, timeout=LIMIT_S)
        return status, left


@contextmanager
def running(name, *options):
    script = Script(name, *options)
    try:
        yield script
    finally:
        if script.process.poll() is None:
            script.process.kill()
            script.process.wait(timeout=LIMIT_S)


def port_of(generator):
    return int(generator.wait_for(r"127\.0\.0\.1:(\d+)")[1])


def lines_from(port, count):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as reader:
        file = reader.makefile()
        return [file.readline().strip() for _ in range(count)]


@pytest.mark.service
def test_the_generator_serves_one_reader_after_the_other_and_ends_with_ctrl_c():
    with running("line_generator.py", "--port", 0, "--every", 0.01) as generator:
        port = port_of(generator)
        first = lines_from(port, 20)
        assert all(1 <= len(line.split()) <= 6 for line in first)
        generator.wait_for("The reader has gone")
        assert len(lines_from(port, 3)) == 3
        assert generator.end() == (0, [])
        assert generator.said.endswith("Ended.\n")
        assert "Traceback" not in generator.said


@pytest.mark.service
def test_the_same_seed_gives_the_same_lines():
    lines = []
    for seed in (1, 1, 2):
        with running("line_generator.py", "--port", 0, "--every", 0, "--seed", seed) as generator:
            lines.append(lines_from(port_of(generator), 10))
    assert lines[0] == lines[1] != lines[2]


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_the_counter_prints_the_lengths_of_the_lines_and_leaves_no_process():
    with (
        running("line_generator.py", "--port", 0, "--every", 0.1) as generator,
        running("line_lengths.py", "--port", port_of(generator)) as counter,
    ):
        # The first batch is empty: the source has only just connected.
        table = counter.wait_for(r"Batch: 1\n-+\n((?:[+|].*\n)+)\n")[1]
        counts = {
            int(words): int(count) for words, count in re.findall(r"(\d+)\|\s*(\d+)\|", table)
        }
        assert set(counts) <= set(range(1, 7))
        assert sum(counts.values()) > 0
        assert counter.end() == (0, []), counter.said
        assert "Traceback" not in counter.said, counter.said
        generator.wait_for("The reader has gone")
        assert generator.end() == (0, [])
