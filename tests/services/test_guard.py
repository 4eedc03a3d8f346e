import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit import scratch
from labkit.services import guard, guard_main
from labkit.waiting import wait_until

# A "kernel": it starts what the test names, says what it started, then does as it is told.
KERNEL = """
import json, os, subprocess, sys
from labkit import scratch
from labkit.services import guard

def child(**options):
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", {code!r}], **options)

group = child(start_new_session=True)
single = child()
guard.watch(group.pid, group=True)
guard.watch(single.pid, group=False)
folder = scratch.place("something")
folder.mkdir()
print(json.dumps({{"group": group.pid, "single": single.pid, "guard": guard.guard_pid(),
                   "folder": str(scratch.kernel_folder())}}), flush=True)
exec(sys.stdin.readline())
sys.stdin.readline()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
WILLING = "import time; time.sleep(600)"


class Kernel:
    """A Python process with a guard, two watched children and a scratch folder."""

    def __init__(self, code=WILLING):
        self.process = subprocess.Popen(
            [sys.executable, "-c", KERNEL.format(code=code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started = json.loads(self.process.stdout.readline())
        self.folder = Path(self.started.pop("folder"))
        assert self.folder.is_dir()
        assert [name for name, pid in self.started.items() if not is_alive(pid)] == []

    def tell(self, line="pass"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        return json.loads(self.process.stdout.readline())

    def collect(self):
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()

    def expect_nothing_left(self, *, timeout_s=3):
        pids = self.started.values()
        wait_until(
            lambda: not self.folder.exists() and not any(is_alive(pid) for pid in pids),
            what=f"{self.folder} or one of {self.started} is still there",
            timeout_s=timeout_s,
        )


def is_alive(pid):
    return guard_main.start_mark(pid) is not None


@pytest.mark.parametrize("code", [WILLING, STUBBORN])
def test_sigkill_of_the_kernels_whole_group_leaves_nothing(code):
    kernel = Kernel(code)
    os.killpg(kernel.process.pid, signal.SIGKILL)
    kernel.collect()
    kernel.expect_nothing_left()


def test_sigkill_of_the_kernel_alone_leaves_nothing():
    kernel = Kernel()
    kernel.process.kill()
    kernel.collect()
    kernel.expect_nothing_left()


def test_normal_exit_leaves_nothing():
    kernel = Kernel()
    kernel.tell()
    kernel.tell()
    kernel.collect()
    assert kernel.process.returncode == 0
    kernel.expect_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_guard_outlives_signals(number):
    kernel = Kernel()
    os.kill(kernel.started["guard"], number)
    kernel.tell("guard.watch(group.pid, group=True); print(guard.guard_pid(), flush=True)")
    assert kernel.hear() == kernel.started["guard"]
    kernel.process.kill()
    kernel.collect()
    kernel.expect_nothing_left()


def test_a_killed_guard_is_replaced_and_told_everything_again():
    kernel = Kernel()
    first = kernel.started["guard"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_alive(first), what="the guard lives", timeout_s=3)
    kernel.tell("guard.watch(group.pid, group=True); print(guard.guard_pid(), flush=True)")
    kernel.started["guard"] = kernel.hear()
    assert kernel.started["guard"] != first
    kernel.process.kill()
    kernel.collect()
    kernel.expect_nothing_left()  # the single child and the folder were told to the first guard


def test_a_killed_guard_does_not_spoil_a_normal_exit():
    kernel = Kernel()
    os.kill(kernel.started["guard"], signal.SIGKILL)
    kernel.tell()
    kernel.tell()
    kernel.collect()
    assert kernel.process.returncode == 0
    kernel.expect_nothing_left()


def test_a_forked_child_ends_nothing_when_it_ends():
    kernel = Kernel()
    kernel.tell(
        "pid = os.fork() or sys.exit(0); print(json.dumps(os.waitpid(pid, 0)[1]), flush=True)"
    )
    assert kernel.hear() == 0
    assert all(is_alive(pid) for pid in kernel.started.values())
    assert kernel.folder.is_dir()
    kernel.process.kill()
    kernel.collect()
    kernel.expect_nothing_left()


def test_a_forked_child_that_outlives_the_kernel_does_not_keep_the_guard_waiting():
    kernel = Kernel()
    kernel.tell("pid = os.fork(); pid and print(pid, flush=True)")
    forked = kernel.hear()
    kernel.process.kill()
    try:
        kernel.expect_nothing_left()
        assert is_alive(forked)
    finally:
        os.kill(forked, signal.SIGKILL)
        kernel.collect()


def test_what_was_forgotten_is_left_alone():
    kernel = Kernel()
    kernel.tell("guard.forget(group.pid); print(1, flush=True)")
    kernel.hear()
    spared = kernel.started.pop("group")
    kernel.process.kill()
    kernel.collect()
    kernel.expect_nothing_left()
    assert is_alive(spared)
    os.killpg(spared, signal.SIGKILL)


def test_a_process_with_another_start_is_a_stranger():
    stranger = subprocess.Popen([sys.executable, "-I", "-S", "-c", WILLING])
    try:
        for group in (False, True):
            guard_main.end_all({stranger.pid: ("another start", group)}, [], owner=os.getpid())
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("owner", [None, "{}", "not json", '{"pid": 1}', "[]"])
def test_a_folder_that_its_owner_did_not_mark_is_kept(tmp_path, owner):
    if owner is not None:
        (tmp_path / guard_main.OWNER_FILE).write_text(owner)
    guard_main.end_all({}, [str(tmp_path)], owner=os.getpid())
    assert tmp_path.is_dir()


def test_guard_and_scratch_space_agree_on_the_owner_file():
    assert guard_main.OWNER_FILE == scratch.OWNER_FILE


def test_a_process_that_has_ended_is_not_watched():
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    wait_until(lambda: not is_alive(child.pid), what="the child lives", timeout_s=5)
    guard.watch(child.pid, group=False)  # a zombie until it is collected
    guard.forget(child.pid)
    assert child.wait() == 0


def test_the_guard_is_small_and_in_a_session_of_its_own():
    process = psutil.Process(guard.guard_pid())
    assert os.getsid(process.pid) == process.pid
    assert process.memory_info().rss < 25 * 2**20
