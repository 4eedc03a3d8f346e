"""The lab in containers: it starts, it is safe, lessons run on it, and it survives what breaks.

LESSONS="00 03" chooses lessons; without it, all of them run.
"""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from subprocess import PIPE

import pytest

from .stack import ROOT, Stack, output

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]
ALL = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
LESSONS = os.environ.get("LESSONS", "").split() or ALL
SERVICES = ["kafka", "lab", "spark-master", "spark-worker-1", "spark-worker-2"]


def get(stack, port, path="/"):
    url = f"http://127.0.0.1:{stack.ports[port]}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_the_image_is_small(images):
    size_bytes = int(output("docker", "image", "inspect", "-f", "{{.Size}}", images))
    print(f"{size_bytes / 1e9:.2f} GB")  # noqa: T201
    assert size_bytes < 2e9


def test_every_container_is_healthy(stack):
    assert sorted(stack.states()) == SERVICES


def test_ports_are_published_on_loopback_only(stack):
    published = " ".join(stack.listed("ps", "{{.Ports}}"))
    addresses = set(re.findall(r"(\S+):\d+->", published))
    assert addresses == {"127.0.0.1"}


def test_jupyterlab_wants_its_token(stack):
    assert get(stack, "LAB_PORT", "/api")[0] == 200  # its version, for everybody
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(stack, "LAB_PORT", "/api/contents")


def test_the_log_shows_the_address_with_the_token(stack):
    log = stack.compose("logs", "--no-color", "lab")
    assert re.search(r"http://127\.0\.0\.1:\d+/lab/tree/00_\S+\.ipynb\?token=\w{20,}", log)


def test_both_workers_are_in_the_cluster(stack):
    state = json.loads(get(stack, "SPARK_UI_PORT", "/json/")[1])
    assert [worker["state"] for worker in state["workers"]] == ["ALIVE", "ALIVE"]


def test_containers_run_as_a_normal_user(stack):
    for service in SERVICES:
        assert stack.compose("exec", "-T", service, "id", "-u").strip() == "1000"


def test_kafka_has_an_address_for_this_machine_too(stack):
    from labkit.services.outside_kafka import OutsideKafka

    broker = OutsideKafka(f"127.0.0.1:{stack.ports['KAFKA_PORT']}").start()
    broker.topic("from-outside", partitions=2)
    assert "from-outside" in broker.topics()


def test_nothing_is_missing_in_the_lab(stack):
    found = stack.in_lab("labkit", "doctor")  # fails when something is missing
    assert "a class-data archive makes Spark start fast" in found


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_on_the_cluster(stack, lesson):
    print(stack.in_lab("labkit", "notebooks", "test", lesson, timeout_s=1500))  # noqa: T201


class Script:
    """A script of this folder that runs in the lab's container and waits for a line at times."""

    def __init__(self, stack, name):
        text = (ROOT / "tests/cluster" / name).read_text()
        command = ("docker", "exec", "-i", stack.container("lab"), "python", "-c", text)
        self._run = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True)

    def says(self):
        return self._run.stdout.readline().rstrip("\n")

    def go_on(self):
        self._run.stdin.write("\n")
        self._run.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._run.kill()
        self._run.communicate()


def test_a_query_survives_the_death_of_a_worker(stack):
    """A worker is killed between two steps; no row is lost, none comes twice."""
    with Script(stack, "survive.py") as script:
        assert script.says() == "ready: spark-worker-1 spark-worker-2"
        stack.kill("spark-worker-2")
        script.go_on()
        assert script.says() == "rows: 250, on spark-worker-1"
    stack.revive("spark-worker-2")


def test_a_query_survives_the_death_of_the_broker(stack):
    """The lab says that no broker answers; when it is back the query goes on, with all rows."""
    with Script(stack, "survive_broker.py") as script:
        assert script.says() == "ready: 100 rows"
        stack.kill("kafka")
        script.go_on()
        assert script.says() == "UNREACHABLE: No Kafka broker answers at kafka:9092."
        assert script.says() == "the query is alive: True"
        stack.revive("kafka")
        script.go_on()
        assert script.says() == "rows: 250"


def test_a_second_stack_lives_beside_the_first_without_any_network(stack):
    """Another project name, no way out of its network; `down` leaves its volumes only."""
    second = Stack("labkit-test-2", "tests.yaml", "offline.yaml")
    try:
        second.up()
        print(second.in_lab("labkit", "notebooks", "test", "00", timeout_s=1500))  # noqa: T201
        assert stack.healthy()
        second.down()
        assert second.listed("ps", "--all", "{{.Names}}") == []
        assert second.listed("network", "ls", "{{.Name}}") == []
        volumes = second.listed("volume", "ls", "{{.Name}}")
        assert sorted(volumes) == ["labkit-test-2_topics", "labkit-test-2_work"]
    finally:
        second.down("--volumes")
    assert second.listed("volume", "ls", "{{.Name}}") == []
