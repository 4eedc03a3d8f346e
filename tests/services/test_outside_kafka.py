import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from labkit.errors import Conflict, InvalidArgument, Unreachable
from labkit.services import kafka_node
from labkit.services.kafka import kafka
from labkit.services.outside_kafka import OutsideKafka
from labkit.waiting import wait_until

pytestmark = pytest.mark.service

TWIN = """
from labkit.errors import LabkitError
from labkit.services import guard
from labkit.services.kafka import kafka
outside = kafka()
assert kafka() is outside
print(repr(outside), outside.address, outside.topics(), outside.options("twin")["subscribe"])
print(outside.records("twin")["value"].tolist(), outside.alive, guard._GUARD._process)
for refused in (outside.kill, outside.restart, outside.log_tail):
    try:
        refused()
    except LabkitError as error:
        print(type(error).__name__, error.code)
outside.stop()
with outside as same:
    print(same is outside, same.alive)
"""


def test_the_same_calls_work_on_an_outside_broker(own_broker, make_topic, send):
    make_topic(own_broker, "twin")
    send(own_broker, "twin", [(None, b"hello", {})])
    told = subprocess.run(
        [sys.executable, "-c", TWIN],
        env={**os.environ, "LABKIT_KAFKA": own_broker.address},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (told.stderr, told.returncode) == ("", 0)
    assert told.stdout.splitlines() == [
        f"Kafka broker (outside, named by LABKIT_KAFKA) {own_broker.address} ['twin'] twin",
        "['hello'] True None",
        *["Conflict NOT_OURS"] * 3,
        "True True",
    ]
    assert own_broker.alive


def test_one_of_several_addresses_is_enough(own_broker):
    dead = f"127.0.0.1:{kafka_node.free_port('127.0.0.1')}"
    outside = OutsideKafka(f"{dead}, {own_broker.address}").start()
    assert outside.topics() == []
    assert outside.address == f"{dead},{own_broker.address}"


LEAVE = """
import os, sys
from labkit.services.kafka import kafka
topic = kafka().topic("left", partitions=2)
topic.producer().send("left", b"a row").get(timeout=30)
if sys.argv[1] == "die":
    os._exit(9)
print("made", flush=True)
input()
"""


def leave(broker, home, *words):
    return subprocess.Popen(
        [sys.executable, "-c", LEAVE, *words],
        env={**os.environ, "LABKIT_KAFKA": broker.address, "LABKIT_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_topic_of_a_killed_kernel_is_made_anew(own_broker, tmp_path, monkeypatch):
    assert leave(own_broker, tmp_path, "die").wait(60) == 9
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    outside = OutsideKafka(own_broker.address)
    assert len(outside.records("left")) == 1
    topic = outside.topic("left", partitions=1)
    assert (topic.partitions, len(outside.records("left"))) == (1, 0)


def test_a_topic_of_a_living_kernel_is_left_alone(own_broker, tmp_path, monkeypatch):
    with leave(own_broker, tmp_path, "live") as living:
        assert living.stdout.readline() == "made\n"
        monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
        outside = OutsideKafka(own_broker.address)
        with pytest.raises(Conflict) as caught:
            outside.topic("left", partitions=2)
        assert caught.value.code == "NAME_TAKEN"
        assert len(outside.records("left")) == 1
        living.communicate("\n", timeout=60)


def test_a_topic_that_somebody_made_anew_is_left_alone(own_broker, tmp_path, monkeypatch):
    assert leave(own_broker, tmp_path, "die").wait(60) == 9
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    outside = OutsideKafka(own_broker.address)
    with outside._admin() as admin:
        admin.delete_topics(["left"])
        wait_until(lambda: outside.topics() == [], what="it is still there", timeout_s=10)
        admin.create_topics({"left": {"num_partitions": 1}}, wait_for_metadata=True)
    with pytest.raises(Conflict):
        outside.topic("left")


def test_an_outside_broker_that_is_not_there(monkeypatch):
    address = f"127.0.0.1:{kafka_node.free_port('127.0.0.1')}"
    monkeypatch.setenv("LABKIT_KAFKA", address)
    with pytest.raises(Unreachable) as caught:
        kafka()
    assert caught.value.code == "UNREACHABLE"
    assert caught.value.params["address"] == address
    assert "LABKIT_KAFKA" in caught.value.params["cure"]
    assert not OutsideKafka(address).alive


@pytest.mark.parametrize("manner", ["silent", "rude"])
def test_something_else_answers_at_the_address(manner, capfd):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server, manner), daemon=True).start()
        outside = OutsideKafka(f"127.0.0.1:{server.getsockname()[1]}")
        before = set(threading.enumerate())
        begun = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            outside.start()
        assert time.monotonic() - begun < 6  # "within 5 s", and a slow machine
        assert set(threading.enumerate()) <= before
    assert caught.value.code == "UNREACHABLE"
    assert capfd.readouterr().err.replace("\r", "").strip() == ""


def answer(server, manner):
    kept = []
    while True:
        try:
            client = server.accept()[0]
        except OSError:
            return
        if manner == "rude":
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()
        kept.append(client)


@pytest.mark.parametrize(
    "text", ["broker", "broker:", ":9092", "broker:port", "broker:0", "b:1,,c:2", "b:65536", "b:²"]
)
def test_an_address_has_host_and_port(text, monkeypatch):
    monkeypatch.setenv("LABKIT_KAFKA", text)
    with pytest.raises(InvalidArgument) as caught:
        kafka()
    assert caught.value.code == "OUT_OF_RANGE"
    assert caught.value.params["name"] == "LABKIT_KAFKA"
    assert caught.value.params["value"] == text


def test_an_address_is_text():
    with pytest.raises(InvalidArgument) as caught:
        OutsideKafka(9092)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "LABKIT_KAFKA")
