import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaProducer

from labkit.errors import (
    Conflict,
    InvalidArgument,
    MissingNeed,
    NotFound,
    NotReady,
    Unreachable,
)
from labkit.services import base, kafka_node
from labkit.services.kafka import KafkaBroker, OutsideKafka, kafka, run_in_terminal
from labkit.waiting import wait_until

pytestmark = pytest.mark.service


def make(broker, name, partitions=1):
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics(
        {name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True
    )
    admin.close()


def send(broker, name, rows):
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all")
    for key, value, options in rows:
        producer.send(name, key=key, value=value, **options)
    producer.close()


@pytest.fixture
def topic(broker, request):
    """Return a new topic with two partitions and three records."""
    name = request.node.name.replace("[", "-").replace("]", "")
    make(broker, name, partitions=2)
    send(
        broker,
        name,
        [
            (b"a", b"one", {"partition": 0, "timestamp_ms": 1000}),
            (b"b", None, {"partition": 1, "timestamp_ms": 3000}),
            (
                b"\xff",
                "zwölf".encode(),
                {"partition": 0, "headers": [("n", b"3"), ("n", b"4")], "timestamp_ms": 2000},
            ),
        ],
    )
    return name


@pytest.fixture
def own_broker():
    with KafkaBroker() as service:
        yield service


def test_the_broker_is_one_per_kernel(broker):
    assert kafka() is broker
    assert broker.alive
    assert broker.address == broker.bootstrap_servers
    assert broker.address.startswith("127.0.0.1:")
    assert repr(broker) == "Kafka broker (embedded, running)"


def test_after_stop_there_is_a_new_empty_one(broker):
    make(broker, "before")
    pid = broker.pid
    broker.stop()
    assert repr(broker) == "Kafka broker (embedded, stopped)"
    again = kafka()
    assert again.alive
    assert again.pid != pid
    assert "before" not in again.topics()
    assert "Kafka Server started" in again.log_tail(1000)


def test_what_was_written_is_read(broker, topic):
    table = broker.records(topic)
    assert list(table.columns) == ["partition", "offset", "key", "value", "timestamp", "headers"]
    assert table.drop(columns="timestamp").to_numpy().tolist() == [
        [0, 0, "a", "one", []],
        [0, 1, b"\xff", "zwölf", [("n", "3"), ("n", "4")]],
        [1, 0, "b", None, []],
    ]
    assert [at.timestamp() for at in table["timestamp"]] == [1, 2, 3]
    assert str(table["timestamp"].dt.tz) == "UTC"


def test_the_oldest_records_come_first_up_to_the_limit(broker, topic):
    assert broker.records(topic, limit=2)["value"].tolist() == ["one", "zwölf"]
    assert len(broker.records(topic, limit=1)) == 1


def test_an_empty_topic_has_no_records(broker):
    make(broker, "empty", partitions=3)
    table = broker.records("empty")
    assert len(table) == 0
    assert table.columns[0] == "partition"


def test_reading_leaves_no_trace(broker, topic):
    before = broker.topics()
    broker.records(topic)
    assert broker.topics() == before
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    groups = admin.list_groups()
    admin.close()
    assert groups == []


def test_topics_are_sorted_and_without_kafkas_own(broker):
    make(broker, "zebra")
    make(broker, "antelope")
    names = broker.topics()
    assert names == sorted(names)
    assert {"zebra", "antelope"} <= set(names)
    assert not [name for name in names if name.startswith("__")]


def test_a_topic_is_a_target_of_feeds(broker):
    import labkit as lab

    orders = lab.Orders(seed=7)
    feed = lab.feed(orders, to=broker.topic("fed", partitions=2), key="customer", batch=10)
    feed.step(2)
    feed.stop()
    keys = {event.key for event in orders.take(20)} | {
        event.value["customer"] for event in orders.take(20)
    }
    table = broker.records("fed", limit=100)
    assert len(table) == 20
    assert set(table["key"]) <= keys


def test_options_name_the_topics_for_spark(broker, topic):
    make(broker, f"{topic}-too")
    assert broker.options(topic, f"{topic}-too") == {
        "kafka.bootstrap.servers": broker.address,
        "subscribe": f"{topic},{topic}-too",
        "startingOffsets": "earliest",
        "kafka.fetch.max.wait.ms": "10",
    }


@pytest.mark.parametrize("ask", ["options", "records"])
def test_an_unknown_topic_is_answered_with_the_known_ones(broker, topic, ask):
    with pytest.raises(NotFound) as caught:
        getattr(broker, ask)("ordres")
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.params["name"] == "ordres"
    assert topic in caught.value.params["there"]
    assert "ordres" not in broker.topics()  # asking does not make it


@pytest.mark.parametrize(
    ("call", "code", "name"),
    [
        (lambda broker: broker.options(), "OUT_OF_RANGE", "topics"),
        (lambda broker: broker.options(["orders"]), "WRONG_TYPE", "topic"),
        (lambda broker: broker.records(5), "WRONG_TYPE", "topic"),
        (lambda broker: broker.records("orders", limit=0), "OUT_OF_RANGE", "limit"),
        (lambda broker: broker.records("orders", limit=2.5), "WRONG_TYPE", "limit"),
        (lambda broker: broker.records("orders", limit=100_001), "OUT_OF_RANGE", "limit"),
        (lambda broker: broker.records("orders", timeout_s=0), "OUT_OF_RANGE", "timeout_s"),
        (lambda broker: broker.records("orders", timeout_s="1"), "WRONG_TYPE", "timeout_s"),
    ],
)
def test_bad_arguments(broker, call, code, name):
    with pytest.raises(InvalidArgument) as caught:
        call(broker)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)


@pytest.mark.parametrize("port", [0, 1023, 65_536, "9092", True, 9092.0])
def test_a_port_is_a_number_that_servers_may_use(port):
    for call in (lambda: KafkaBroker(port=port), lambda: run_in_terminal(port)):
        with pytest.raises(InvalidArgument) as caught:
            call()
        assert caught.value.params["name"] == "port"


def test_a_wanted_port_that_is_in_use(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for call in (KafkaBroker(port=port).start, lambda: run_in_terminal(port)):
            with pytest.raises(Conflict) as caught:
                call()
            assert caught.value.code == "PORT_TAKEN"
            assert caught.value.params == {"port": port, "host": "127.0.0.1"}
    assert capsys.readouterr().out == ""


def test_missing_jars(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    service = KafkaBroker()
    with pytest.raises(MissingNeed) as caught:
        service.start()
    assert caught.value.code == "NEEDS"
    assert not service.alive


def test_a_broken_start_shows_the_log(monkeypatch):
    monkeypatch.setattr(kafka_node, "HEAP_MIB", 4)
    service = KafkaBroker()
    with pytest.raises(NotReady) as caught:
        service.start()
    assert caught.value.code == "SERVICE_FAILED"
    assert "OutOfMemoryError" in caught.value.params["log"]
    assert "memory" in caught.value.params["cure"]
    assert not service.alive
    assert "OutOfMemoryError" in service.log_tail(10_000)


def test_after_kill_it_answers_nothing_and_after_restart_all_is_there(own_broker):
    make(own_broker, "orders", partitions=2)
    send(own_broker, "orders", [(b"k", b"%d" % n, {}) for n in range(500)])
    address, pid = own_broker.address, own_broker.pid
    own_broker.kill()
    with pytest.raises(Unreachable) as caught:
        own_broker.topics()
    assert caught.value.code == "UNREACHABLE"
    assert caught.value.params["address"] == address
    assert "restart()" in caught.value.params["cure"]
    own_broker.restart()
    assert (own_broker.address, own_broker.pid != pid) == (address, True)
    values = own_broker.records("orders", limit=1000)["value"]
    assert sorted(map(int, values)) == list(range(500))
    send(own_broker, "orders", [(b"k", b"more", {})])
    assert len(own_broker.records("orders", limit=1000)) == 501


def test_it_listens_on_loopback_only(broker):
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(broker.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) == 2
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_stop_all_services_stops_it(own_broker, monkeypatch):
    monkeypatch.setattr(base, "_running", [(os.getpid(), own_broker)])
    base.stop_all_services()
    assert not own_broker.alive


# An outside broker ------------------------------------------------------------------------

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


def test_the_same_calls_work_on_an_outside_broker(own_broker):
    make(own_broker, "twin")
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
        begun = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            outside.start()
        assert time.monotonic() - begun < 6  # "within 5 s", and a slow machine
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


# In a terminal ------------------------------------------------------------------------------

TERMINAL = "import sys; from labkit.services.kafka import run_in_terminal as run; run({port})"


@pytest.fixture
def terminal():
    port = kafka_node.free_port("127.0.0.1")
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", TERMINAL.format(port=port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = process.stdout.readline()
    assert f"127.0.0.1:{port}" in first
    yield process, OutsideKafka(f"127.0.0.1:{port}")
    process.kill()
    process.communicate()


def test_a_broker_in_a_terminal_stops_at_ctrl_c(terminal):
    process, outside = terminal
    assert outside.topics() == []
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.splitlines()[-1] == "Kafka broker stopped."
    assert "Traceback" not in err
    assert not outside.alive


def test_a_broker_in_a_terminal_that_ends_by_itself_is_reported(terminal):
    process, outside = terminal
    child = next(p for p in psutil.Process(process.pid).children() if "java" in p.name())
    child.kill()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "UNREACHABLE" in err
    wait_until(lambda: not outside.alive, what="the broker lives", timeout_s=5)
