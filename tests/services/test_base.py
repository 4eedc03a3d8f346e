import os
import socket
import sys

import pytest

from labkit import scratch
from labkit.errors import Conflict, InvalidArgument, NotReady
from labkit.services import base, guard_main
from labkit.services.base import Service, keep_one, stop_all_services
from labkit.waiting import wait_until

# A server that counts its starts in its folder and greets with the count.
GREETER = """
import os, socket, sys
port, broken = int(sys.argv[1]), sys.argv[2]
print("starting", flush=True)
if broken == "exits":
    print("out of memory", flush=True)
    sys.exit(7)
with open("starts", "a+") as file:
    file.write("x")
    file.seek(0)
    starts = len(file.read())
server = socket.create_server(("127.0.0.1", port))
while True:
    client = server.accept()[0]
    if broken != "mute":
        client.sendall(b"start %d" % starts)
    client.close()
"""


class Greeter(Service):
    title = "greeter"
    ready_within_s = 20.0

    def __init__(self, broken="no"):
        super().__init__()
        self.broken = broken

    def prepare(self, folder):
        assert list(folder.iterdir()) == []
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]

    def command(self, folder):
        assert folder.is_relative_to(scratch.kernel_folder().resolve())
        return [sys.executable, "-I", "-S", "-c", GREETER, str(self.port), self.broken]

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def greeting(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
            return client.recv(100).decode()

    def is_ready(self):
        try:
            return self.greeting() != ""
        except OSError:
            return False

    def cure(self, log):
        return "Close other kernels." if "memory" in log else ""


@pytest.fixture
def greeter():
    with Greeter() as service:
        yield service


def listens(service):
    try:
        service.greeting()
    except OSError:
        return False
    return True


def test_with_starts_it_and_leaves_nothing():
    with Greeter() as service:
        assert service.alive
        assert service.greeting() == "start 1"
        assert service.log_tail() == "starting"
        pid, folder = service.pid, service._folder
        assert folder.is_dir()
    assert not service.alive
    assert service.pid is None
    assert guard_main.start_mark(pid) is None
    assert not folder.exists()
    assert not listens(service)
    assert service.log_tail() == "starting"  # its last words are kept
    service.stop()


def test_start_again_changes_nothing_while_it_runs(greeter):
    pid = greeter.pid
    assert greeter.start() is greeter
    assert greeter.pid == pid


def test_restart_keeps_address_and_data(greeter):
    address, pid = greeter.address, greeter.pid
    assert greeter.restart() is greeter
    assert greeter.greeting() == "start 2"
    assert (greeter.address, greeter.pid == pid) == (address, False)


def test_kill_and_restart_keep_address_and_data(greeter):
    address = greeter.address
    greeter.kill()
    assert not greeter.alive
    assert not listens(greeter)
    greeter.kill()
    greeter.restart()
    assert (greeter.address, greeter.greeting()) == (address, "start 2")


def test_start_after_stop_begins_anew(greeter):
    greeter.stop()
    greeter.start()
    assert greeter.greeting() == "start 1"


@pytest.mark.parametrize("verb", ["kill", "restart"])
def test_what_was_stopped_cannot_be_killed_or_restarted(verb):
    service = Greeter()
    with pytest.raises(Conflict) as caught:
        getattr(service, verb)()
    assert caught.value.code == "STOPPED"
    assert "greeter" in caught.value.params["what"]


def test_a_start_that_ends_at_once_says_what_it_wrote_last():
    service = Greeter(broken="exits")
    with pytest.raises(NotReady) as caught:
        service.start()
    assert caught.value.code == "SERVICE_FAILED"
    assert caught.value.params["service"] == "The greeter"
    assert "7" in caught.value.params["reason"]
    assert caught.value.params["log"] == "starting\nout of memory"
    assert caught.value.params["cure"] == "Close other kernels."
    assert_nothing_left(service)


def test_a_start_that_never_gets_ready_is_ended(monkeypatch):
    monkeypatch.setattr(Greeter, "ready_within_s", 0.3)
    service = Greeter(broken="mute")
    with pytest.raises(NotReady) as caught:
        service.start()
    assert caught.value.code == "SERVICE_FAILED"
    assert "0.3 s" in caught.value.params["reason"]
    assert_nothing_left(service)


def test_an_interrupted_start_leaves_nothing(monkeypatch):
    service = Greeter()

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "is_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        service.start()
    assert_nothing_left(service)


def test_a_restart_that_fails_keeps_the_data(greeter):
    greeter.kill()
    greeter.broken = "exits"
    with pytest.raises(NotReady):
        greeter.restart()
    greeter.broken = "no"
    assert greeter.restart().greeting() == "start 2"


def assert_nothing_left(service):
    assert not service.alive
    assert service._folder is None
    assert list(scratch.place("services").glob("greeter-*")) == []


@pytest.mark.parametrize(
    ("lines", "code"), [(0, "OUT_OF_RANGE"), (10_001, "OUT_OF_RANGE"), (None, "WRONG_TYPE")]
)
def test_log_tail_wants_a_number_of_lines(greeter, lines, code):
    for _ in range(2):
        with pytest.raises(InvalidArgument) as caught:
            greeter.log_tail(lines)
        assert (caught.value.code, caught.value.params["name"]) == (code, "lines")
        greeter.stop()


def test_its_text_is_the_same_in_every_run(greeter):
    assert repr(greeter) == "greeter (embedded, running)"
    greeter.stop()
    assert repr(greeter) == "greeter (embedded, stopped)"


def test_one_of_a_kind_is_kept():
    first = keep_one(Greeter)
    assert keep_one(Greeter) is first
    first.stop()
    assert keep_one(Greeter).greeting() == "start 1"
    first.stop()


def test_stop_all_stops_those_that_run_and_is_safe_twice(monkeypatch):
    monkeypatch.setattr(base, "_running", [])  # the run's one broker stays out of it
    services = [Greeter().start(), Greeter().start()]
    stop_all_services()
    assert [service.alive for service in services] == [False, False]
    stop_all_services()


def test_a_forked_child_stops_nothing(greeter):
    pid = os.fork()
    if pid == 0:
        stop_all_services()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert greeter.alive
    assert wait_until(greeter.greeting, what="no greeting", timeout_s=5) == "start 1"
