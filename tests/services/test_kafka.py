import os
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest
from kafka import KafkaAdminClient

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
START_OFFSETS = "log-start-offset-checkpoint"


def data(broker):
    """Return the folder in which a broker keeps its topics."""
    return broker._folder / "data"


@pytest.fixture
def topic(broker, request, make_topic, send):
    """Return a new topic with two partitions and three records."""
    name = request.node.name.replace("[", "-").replace("]", "")
    make_topic(broker, name, partitions=2)
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


def test_the_broker_is_one_per_kernel(broker):
    assert kafka() is broker
    assert broker.alive
    assert broker.address == broker.bootstrap_servers
    assert broker.address.startswith("127.0.0.1:")
    assert repr(broker) == "Kafka broker (embedded, running)"


def test_after_stop_there_is_a_new_empty_one(broker, make_topic):
    make_topic(broker, "before")
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


def test_an_empty_topic_has_no_records(broker, make_topic):
    make_topic(broker, "empty", partitions=3)
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


def test_topics_are_sorted_and_without_kafkas_own(broker, make_topic):
    make_topic(broker, "zebra")
    make_topic(broker, "antelope")
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


def test_options_name_the_topics_for_spark(broker, topic, make_topic):
    make_topic(broker, f"{topic}-too")
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


def test_after_kill_it_answers_nothing_and_after_restart_all_is_there(own_broker, make_topic, send):
    make_topic(own_broker, "orders", partitions=2)
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


def test_a_topic_made_anew_stays_empty_after_a_kill(own_broker):
    import labkit as lab

    for _ in range(2):  # the second time it is emptied
        topic = own_broker.topic("again")
    feed = lab.feed(lab.Orders(seed=7), to=topic, batch=5)
    feed.step()
    assert len(own_broker.records("again")) == 5
    own_broker.topic("again")
    assert len(own_broker.records("again")) == 0
    wait_until(
        lambda: "again 0 5" in (data(own_broker) / START_OFFSETS).read_text(),
        what="the broker did not write down where the topic begins",
        timeout_s=10,
    )
    own_broker.kill()
    own_broker.restart()
    assert len(own_broker.records("again")) == 0


def test_records_of_long_ago_are_kept(own_broker, make_topic, send):
    make_topic(own_broker, "history")
    send(own_broker, "history", [(None, b"old", {"timestamp_ms": 1000})])
    own_broker.restart()
    # The first look for records that are too old comes with the first of these notes.
    notes = set()
    wait_until(
        lambda: notes.add((data(own_broker) / START_OFFSETS).stat().st_mtime_ns) or len(notes) > 2,
        what="the broker's regular work did not begin",
        timeout_s=20,
    )
    assert own_broker.records("history")["value"].tolist() == ["old"]


def test_a_broker_that_dies_while_its_records_are_read(own_broker, make_topic, monkeypatch):
    make_topic(own_broker, "orders")
    monkeypatch.setattr(own_broker, "_require_topics", lambda _: own_broker.kill())
    with pytest.raises(Unreachable) as caught:
        own_broker.records("orders")
    assert caught.value.params["address"] == own_broker.address
    assert caught.value.params["cure"] == own_broker.cure_when_gone


def test_records_that_take_too_long(broker, topic):
    with pytest.raises(NotReady) as caught:
        broker.records(topic, timeout_s=1e-6)
    assert caught.value.code == "NOT_READY"
    assert topic in caught.value.params["what"]


def test_asking_leaves_no_thread(broker, topic):
    before = set(threading.enumerate())
    assert topic in broker.topics()
    assert len(broker.records(topic)) == 3
    assert set(threading.enumerate()) <= before


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


def test_topics_in_a_folder_of_the_callers_outlive_the_broker(tmp_path):
    with KafkaBroker(data=tmp_path / "kept") as broker:
        broker.topic("orders", partitions=2)
    with KafkaBroker(data=tmp_path / "kept") as broker:
        assert broker.topics() == ["orders"]


def test_a_second_address_leads_to_the_same_broker():
    address = f"127.0.0.1:{kafka_node.free_port('127.0.0.1')}"
    with KafkaBroker(outside=address) as broker:
        broker.topic("orders")
        assert OutsideKafka(address).start().topics() == ["orders"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"outside": "nowhere"}, "OUT_OF_RANGE"),
        ({"outside": 9094}, "WRONG_TYPE"),
        ({"data": 5}, "WRONG_TYPE"),
    ],
)
def test_an_address_and_a_folder_are_looked_at_before_anything_starts(given, code):
    with pytest.raises(InvalidArgument) as caught:
        KafkaBroker(**given)
    assert caught.value.code == code


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
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[-1] == "Kafka broker stopped."
    assert "Traceback" not in err
    assert not outside.alive


def test_a_broker_in_a_terminal_that_ends_by_itself_is_reported(terminal):
    process, outside = terminal
    child = next(p for p in psutil.Process(process.pid).children() if "java" in p.name())
    child.kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "UNREACHABLE" in err
    wait_until(lambda: not outside.alive, what="the broker lives", timeout_s=5)
