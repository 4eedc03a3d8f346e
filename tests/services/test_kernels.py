"""Real Jupyter kernels: whatever ends them, nothing of theirs stays; an interrupt ends nothing."""

import json
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from jupyter_client import KernelManager

from labkit.services.guard_main import start_mark
from labkit.waiting import wait_until

pytestmark = [pytest.mark.service, pytest.mark.notebook, pytest.mark.timeout(180)]

BROKER = """
import json, os
import labkit as lab
from labkit import scratch
from labkit.services import guard
kafka = lab.kafka()
facts = {"broker": kafka.pid, "guard": guard.guard_pid(), "address": kafka.address,
         "folder": str(scratch.kernel_folder()), "kernel": os.getpid()}
"""
SESSION = (
    BROKER
    + """
spark = lab.spark()
assert spark.range(5).count() == 5
facts["jvm"] = spark.sparkContext._gateway.proc.pid
"""
)
TELL = "print(json.dumps(facts))"
PIDS = ("kernel", "broker", "guard", "jvm")


class Kernel:
    """A kernel as Jupyter runs it, and what its cells have started."""

    def __init__(self):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(stdin=None)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code):
        """Run a cell, and return what it printed and the name of its error."""
        printed, request = [], self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=90)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                printed.append("\n".join(content["traceback"]))
            elif content.get("execution_state") == "idle":
                return "".join(printed), self.reply(request).get("ename")

    def reply(self, request):
        """Return the answer to a request, past those to earlier ones."""
        while True:
            message = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def start(self, code):
        """Run a cell of the ones above and remember the processes and ports that it named."""
        told, error = self.run(code + TELL)
        assert error is None, told
        self.facts = json.loads(told.splitlines()[-1])
        self.marks = {name: start_mark(self.facts[name]) for name in PIDS if name in self.facts}
        assert None not in self.marks.values()
        self.ports = [
            connection.laddr[:2]
            for name in self.marks
            for connection in psutil.Process(self.facts[name]).net_connections()
            if connection.status == psutil.CONN_LISTEN and name != "kernel"
        ]
        assert len(self.ports) >= 2
        assert all(map(answers, self.ports))
        assert Path(self.facts["folder"]).is_dir()
        return self.facts

    def left(self):
        """Return what is still there of it: processes, ports, the scratch folder."""
        alive = [name for name in self.marks if start_mark(self.facts[name]) == self.marks[name]]
        ports = [port for port in self.ports if answers(port)]
        folder = [self.facts["folder"]] if Path(self.facts["folder"]).exists() else []
        return alive + ports + folder

    def end(self):
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)


def answers(port):
    try:
        socket.create_connection(port, timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def kernels():
    begun = []

    def begin():
        begun.append(Kernel())
        return begun[-1]

    yield begin
    for kernel in begun:
        kernel.end()


def shut_down_now(kernel):
    kernel.manager.shutdown_kernel(now=True)


def shut_down_in_order(kernel):
    kernel.client.shutdown()
    wait_until(lambda: not kernel.manager.is_alive(), what="the kernel lives", timeout_s=20)


def kill_the_group(kernel):
    os.killpg(os.getpgid(kernel.facts["kernel"]), signal.SIGKILL)


def kill_the_kernel(kernel):
    os.kill(kernel.facts["kernel"], signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        pytest.param(BROKER, shut_down_now, id="broker-now"),
        pytest.param(BROKER, shut_down_in_order, id="broker-in-order"),
        pytest.param(BROKER, kill_the_group, id="broker-group"),
        pytest.param(BROKER, kill_the_kernel, id="broker-kernel"),
        pytest.param(SESSION, shut_down_now, id="session-now", marks=pytest.mark.spark),
        pytest.param(SESSION, kill_the_group, id="session-group", marks=pytest.mark.spark),
    ],
)
def test_nothing_is_left_within_three_seconds(kernels, code, end):
    kernel = kernels()
    kernel.start(code)
    end(kernel)
    wait_until(
        lambda: not kernel.left(),
        what=f"something of the kernel is left (at first: {kernel.left()})",
        timeout_s=3,
    )


@pytest.mark.spark
def test_an_interrupted_cell_leaves_broker_and_session_alive(kernels):
    kernel = kernels()
    facts = kernel.start(SESSION)
    busy = Path(facts["folder"]) / "busy"
    request = kernel.client.execute(
        f"import pathlib, time; pathlib.Path({str(busy)!r}).touch(); time.sleep(600)"
    )
    wait_until(busy.exists, what="the cell did not begin", timeout_s=20)
    kernel.manager.interrupt_kernel()
    assert kernel.reply(request)["ename"] == "KeyboardInterrupt"
    told, error = kernel.run("print(kafka.pid, kafka.topics(), lab.kafka() is kafka)")
    assert (told, error) == (f"{facts['broker']} [] True\n", None)
    assert len(kernel.left()) == len(kernel.marks) + len(kernel.ports) + 1
    assert kernel.run("print(spark.range(7).count())") == ("7\n", None)


def test_an_interrupted_start_leaves_no_broker_and_the_next_one_works(kernels):
    kernel = kernels()
    kernel.run("import labkit as lab, os, psutil; from labkit.services import base, guard")
    request = kernel.client.execute("kafka = lab.kafka()")
    me = kernel.manager.provisioner.pid
    wait_until(lambda: java_of(me), what="Java did not start", timeout_s=20, every_s=0.001)
    kernel.manager.interrupt_kernel()
    assert kernel.reply(request)["ename"] == "KeyboardInterrupt"
    wait_until(lambda: not java_of(me), what="Java is left", timeout_s=3)
    kernel.start(BROKER)


def java_of(pid):
    found = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):
            if child.name() == "java" and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def test_two_kernels_do_not_meet(kernels):
    first, second = kernels(), kernels()
    a, b = first.start(BROKER), second.start(BROKER)
    for fact in ("broker", "guard", "address", "folder", "kernel"):
        assert a[fact] != b[fact]
    assert not set(first.ports) & set(second.ports)
    kill_the_group(first)
    wait_until(lambda: not first.left(), what="something of the first is left", timeout_s=3)
    assert second.run("print(kafka.topics())") == ("[]\n", None)
    assert len(second.left()) == len(second.marks) + len(second.ports) + 1


def test_two_kernels_that_start_together_do_not_meet(kernels):
    pair = [kernels(), kernels()]
    requests = [k.client.execute("import labkit as lab; kafka = lab.kafka()") for k in pair]
    for kernel, request in zip(pair, requests, strict=True):
        assert kernel.reply(request)["status"] == "ok"
    addresses = {kernel.start(BROKER)["address"] for kernel in pair}
    assert len(addresses) == 2


def test_the_broker_of_a_kernel_that_was_paused_is_still_there(kernels):
    # A suspended laptop: the guard must not take a kernel that stands still for a dead one.
    kernel = kernels()
    facts = kernel.start(BROKER)
    os.kill(facts["kernel"], signal.SIGSTOP)
    stopped = time.monotonic()
    wait_until(lambda: time.monotonic() - stopped > 1, what="time stands still", timeout_s=5)
    os.kill(facts["kernel"], signal.SIGCONT)
    assert kernel.run("print(kafka.alive)") == ("True\n", None)
