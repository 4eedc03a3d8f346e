import os
import signal
import sys

import psutil
import pytest

from labkit.errors import InvalidArgument
from labkit.services import process as process_module
from labkit.services.guard_main import start_mark
from labkit.services.process import ServerProcess, tail
from labkit.waiting import wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(600)"
)
WITH_CHILD = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def run(tmp_path):
    started = []

    def start(code, **options):
        command = [sys.executable, "-I", "-S", "-c", code]
        started.append(ServerProcess(command, log=tmp_path / "log.txt", **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def wait_for_line(process):
    return wait_until(lambda: tail(process.log, 1), what="the process wrote nothing", timeout_s=10)


def test_it_leads_a_group_of_its_own_and_ends_when_asked(run):
    process = run("import time; time.sleep(600)")
    assert process.alive
    assert process.exit_code is None
    assert os.getpgid(process.pid) == process.pid
    process.stop(timeout_s=10)
    assert not process.alive
    assert process.exit_code == -signal.SIGTERM
    process.stop()
    process.kill()


def test_a_stubborn_one_is_killed_when_its_time_is_over(run):
    process = run(STUBBORN)
    assert wait_for_line(process) == "ready"
    process.stop(timeout_s=0.1)
    assert process.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_its_children_end_with_it(run, way):
    process = run(WITH_CHILD)
    child = int(wait_for_line(process))
    getattr(process, way)()
    wait_until(lambda: start_mark(child) is None, what="its child lives", timeout_s=3)


def test_children_are_ended_also_when_it_ended_before_them(run):
    process = run(
        "import os, time\n"
        "if os.fork():\n    raise SystemExit\n"
        "print(os.getpid(), flush=True)\ntime.sleep(600)"
    )
    child = int(wait_for_line(process))
    wait_until(lambda: not process.alive, what="the leader lives", timeout_s=10)
    assert psutil.pid_exists(child)
    process.stop()
    wait_until(lambda: start_mark(child) is None, what="its child lives", timeout_s=3)


def test_it_ends_by_itself(run):
    process = run("raise SystemExit(3)")
    wait_until(lambda: not process.alive, what="the process lives", timeout_s=10)
    assert process.exit_code == 3


def test_its_output_and_variables(run):
    process = run("import os; print(1); print(os.environ['WORD'])", env={"WORD": "hello"})
    wait_until(lambda: not process.alive, what="the process lives", timeout_s=10)
    assert tail(process.log, 20) == "1\nhello"
    assert tail(process.log, 1) == "hello"


def test_tail_of_strange_files(tmp_path):
    assert tail(tmp_path / "none", 5) == ""
    (tmp_path / "bytes").write_bytes(b"first\n\xff\xfe\nlast")
    assert tail(tmp_path / "bytes", 2) == "\\xff\\xfe\nlast"


@pytest.mark.parametrize(("timeout_s", "code"), [(-1, "OUT_OF_RANGE"), ("1", "WRONG_TYPE")])
def test_stop_wants_a_time(run, timeout_s, code):
    process = run("import time; time.sleep(600)")
    with pytest.raises(InvalidArgument) as caught:
        process.stop(timeout_s=timeout_s)
    assert (caught.value.code, caught.value.params["value"]) == (code, timeout_s)
    assert process.alive


def test_an_interrupt_in_the_middle_of_a_start_leaves_no_process(run, monkeypatch):
    begun = []

    def watch(pid, *, group):
        begun.append((pid, group))
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(process_module.guard, "watch", watch)
    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(600)")
    [(pid, group)] = begun
    assert group
    assert start_mark(pid) is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
