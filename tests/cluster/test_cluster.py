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

from .stack import ROOT, Stack, output, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]
ALL = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
LESSONS = os.environ.get("LESSONS", "").split() or ALL
SERVICES = ["kafka", "lab", "spark-master", "spark-worker-1", "spark-worker-2"]


def get(stack, port, path="/"):
    url = f"http://127.0.0.1:{stack.ports[port]}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read().decode()


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


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_on_the_cluster(stack, lesson):
    print(stack.in_lab("labkit", "notebooks", "test", lesson, timeout_s=1500))  # noqa: T201


def test_a_query_survives_the_death_of_a_worker(stack):
    """A worker is killed between two steps; no row is lost, none comes twice."""
    script = (ROOT / "tests/cluster/survive.py").read_text()
    command = ("docker", "exec", "-i", stack.container("lab"), "python", "-c", script)
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as lesson:
        assert lesson.stdout.readline() == "ready: 2 workers\n"
        output("docker", "kill", "--signal", "KILL", stack.container("spark-worker-2"))
        rest, _ = lesson.communicate("\n", timeout=300)
    assert rest == "rows: 250\n"
    output("docker", "start", stack.container("spark-worker-2"))
    wait_for(stack.healthy, what="The worker is not back", timeout_s=120)


def test_topics_outlive_a_killed_broker(stack):
    stack.in_lab("python", "-c", "import labkit as lab; lab.kafka().topic('kept')")
    output("docker", "kill", "--signal", "KILL", stack.container("kafka"))
    output("docker", "start", stack.container("kafka"))
    wait_for(stack.healthy, what="The broker is not back", timeout_s=120)
    topics = stack.in_lab("python", "-c", "import labkit as lab; print(lab.kafka().topics())")
    assert "'kept'" in topics


def test_down_leaves_nothing_but_volumes(stack):
    second = Stack("labkit-test-2")
    try:
        second.up()  # beside the first one
        assert stack.healthy()
    finally:
        second.down()
    assert second.listed("ps", "--all", "{{.Names}}") == []
    assert second.listed("network", "ls", "{{.Name}}") == []
    volumes = second.listed("volume", "ls", "{{.Name}}")
    assert sorted(volumes) == ["labkit-test-2_topics", "labkit-test-2_work"]
    second.down("--volumes")
    assert second.listed("volume", "ls", "{{.Name}}") == []
