"""A stack of containers for a test: Docker's engine, the image, compose, and what is left of it.

Nothing here touches a lab that runs on this machine: the stack has a name and ports of its own,
and everything that is removed carries that name.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("BASE_IMAGE", "debian:bookworm-slim")
IMAGE, TEST_IMAGE = "labkit:local", "labkit:test"
ENGINE_S, READY_S = 60.0, 180.0


def output(*command: str, timeout_s: float = 600, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it wrote; a failure shows both of its streams."""
    done = subprocess.run(
        command,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def wait_for(condition: Callable[[], bool], *, what: str, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{what} after {timeout_s:.0f} s"
        time.sleep(0.5)


def engine_answers() -> bool:
    return subprocess.run(("docker", "info"), capture_output=True, check=False).returncode == 0


@contextmanager
def engine() -> Iterator[None]:
    """Give a Docker engine: the one that runs, else one of our own that ends with the test."""
    if engine_answers():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        own = subprocess.Popen(
            ("dockerd",), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_for(engine_answers, what="Docker's engine does not answer", timeout_s=ENGINE_S)
            yield
        finally:
            own.terminate()
            own.wait(timeout=60)


def build_images() -> None:
    """Build the lab's image and the one with the tests; make their base where none is to be had."""
    has_base = subprocess.run(
        ("docker", "image", "inspect", BASE), capture_output=True, check=False
    )
    if has_base.returncode:
        pulled = subprocess.run(("docker", "pull", BASE), capture_output=True, check=False)
        if pulled.returncode:
            output(str(ROOT / "docker" / "base.sh"), BASE)
    if not list((ROOT / "docker" / "certs").glob("*.crt")):
        output("python3", str(ROOT / "docker" / "certs.py"))
    build("docker/Dockerfile", IMAGE, BASE=BASE)
    build("tests/cluster/Dockerfile", TEST_IMAGE, IMAGE=IMAGE)


def build(dockerfile: str, tag: str, **arguments: str) -> None:
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    command = ("docker", "build", "-q", "-f", str(ROOT / dockerfile), "-t", tag, *given, str(ROOT))
    output(*command, timeout_s=2400)


class Stack:
    """The containers of one compose project.

    Parameters
    ----------
    name
        The project's name; ports are free ones, so that two stacks live side by side.
    overrides
        More compose files of this folder, which change what docker/compose.yaml says.
    """

    def __init__(self, name: str, *overrides: str) -> None:
        self.name = name
        self.ports = dict(
            zip(("LAB_PORT", "SPARK_UI_PORT", "KAFKA_PORT"), free_ports(3), strict=True)
        )
        here = Path(__file__).parent
        files = (ROOT / "docker/compose.yaml", *(here / file for file in overrides))
        chosen = [word for file in files for word in ("-f", str(file))]
        self._command = (*compose(), "-p", name, *chosen)

    def compose(self, *words: str, timeout_s: float = 600) -> str:
        ports = {name: str(port) for name, port in self.ports.items()}
        return output(*self._command, *words, timeout_s=timeout_s, env=ports)

    def up(self) -> None:
        self.compose("up", "-d", "--no-build")
        wait_for(self.healthy, what="Not every container is healthy", timeout_s=READY_S)

    def healthy(self) -> bool:
        states = self.states().values()
        return bool(states) and all("(healthy)" in state for state in states)

    def states(self) -> dict[str, str]:
        """Return the state of each container by the name of its service."""
        form = '{{.Label "com.docker.compose.service"}}\t{{.Status}}'
        lines = self.listed("ps", "--all", form)
        return dict(line.split("\t", 1) for line in lines)

    def container(self, service: str) -> str:
        return self.compose("ps", "-q", service).strip()

    def listed(self, *words: str) -> list[str]:
        """Return one line for each thing of this project that ``docker WORDS`` lists."""
        *command, form = words
        mine = f"label=com.docker.compose.project={self.name}"
        return output("docker", *command, "--filter", mine, "--format", form).splitlines()

    def in_lab(self, *words: str, timeout_s: float = 600) -> str:
        return self.compose("exec", "-T", "lab", *words, timeout_s=timeout_s)

    def kill(self, service: str) -> None:
        """End a service at once, as a power cut would."""
        output("docker", "kill", "--signal", "KILL", self.container(service))

    def revive(self, service: str) -> None:
        output("docker", "start", self.container(service))
        wait_for(self.healthy, what=f"{service} is not back", timeout_s=READY_S)

    def down(self, *words: str) -> None:
        self.compose("down", "--timeout", "15", *words)


def compose() -> tuple[str, ...]:
    """Return the command of compose: version 2, a plug-in, or version 1.29."""
    plugin = subprocess.run(("docker", "compose", "version"), capture_output=True, check=False)
    found = ("docker", "compose") if plugin.returncode == 0 else ("docker-compose",)
    assert plugin.returncode == 0 or shutil.which("docker-compose"), "compose is not installed"
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
