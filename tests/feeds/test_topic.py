"""The records that reach a real broker."""

import socket
import threading
import time
from collections import defaultdict

import pytest

from labkit.errors import Conflict, InvalidArgument, NotFound, Unreachable
from labkit.feeds.feed import feed
from labkit.feeds.topic import KafkaTopic
from labkit.waiting import wait_until

service = pytest.mark.service


def records(broker, topic):
    """Read a whole topic with a consumer of its own: (partition, key, value, headers)."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
    try:
        parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        consumer.seek_to_beginning()
        found = []
        wait_until(
            lambda: (
                [found.extend(batch) for batch in consumer.poll(100).values()],
                all(consumer.position(part) >= ends[part] for part in parts),
            )[1],
            what="the topic could not be read",
            timeout_s=30,
        )
        return found
    finally:
        consumer.close()


def numbers_of(found):
    return [int(dict(record.headers)["number"]) for record in found]


@service
def test_after_a_step_every_event_is_there_once_and_in_key_order(broker, numbers):
    topic = broker.topic("feeds-once", partitions=3)
    stream = feed(numbers(), to=topic, batch=500)
    assert stream.step(4) == 2000
    found = records(broker, "feeds-once")
    assert sorted(numbers_of(found)) == list(range(1, 2001))
    by_key = defaultdict(list)
    for record in found:
        by_key[record.key].append((record.partition, int(dict(record.headers)["number"])))
    assert set(by_key) == {b"k0", b"k1", b"k2"}
    for places in by_key.values():
        partitions, in_order = zip(*places, strict=True)
        assert len(set(partitions)) == 1
        assert list(in_order) == sorted(in_order)


@service
def test_a_record_has_json_a_key_and_headers(broker, numbers):
    now_ms = time.time() * 1000
    stream = feed(numbers(), to=broker.topic("feeds-record"), batch=1, key="who")
    stream.step(2)
    record = records(broker, "feeds-record")[1]
    assert record.value == b'{"n":2,"event_time":"2024-01-01T10:00:02Z","who":"who 2"}'
    assert record.key == b"who 2"
    assert dict(record.headers) == {"number": b"2", "run": b"1"}
    assert abs(record.timestamp - now_ms) < 60_000  # the producer's clock, not event time
    assert stream.topic == "feeds-record"
    assert stream.bootstrap_servers == broker.bootstrap_servers


@service
def test_a_column_of_times_and_nulls_can_be_the_key(broker):
    import labkit as lab

    script = lab.Script("10:00 anna\n10:01 null", columns="who string")
    feed(script, to=broker.topic("feeds-null"), key="who").step()
    assert [record.key for record in records(broker, "feeds-null")] == [b"anna", None]
    feed(script, to=broker.topic("feeds-time"), key="event_time").step()
    assert records(broker, "feeds-time")[0].key == b"2024-01-01T10:00:00Z"


@service
def test_made_again_it_is_emptied_and_the_older_feed_ends(broker, numbers):
    older = feed(numbers(), to=broker.topic("feeds-again"))
    older.step()
    topic = broker.topic("feeds-again", partitions=2)
    assert topic.partitions == 2
    assert records(broker, "feeds-again") == []
    assert older.is_closed
    feed(numbers(), to=topic).step()
    assert sorted(numbers_of(records(broker, "feeds-again"))) == list(range(1, 11))


@service
def test_it_cannot_lose_partitions(broker):
    broker.topic("feeds-shrink", partitions=2)
    with pytest.raises(Conflict) as caught:
        broker.topic("feeds-shrink", partitions=1)
    assert caught.value.code == "NAME_TAKEN"
    assert "2" in caught.value.params["reason"]


@service
def test_a_topic_that_somebody_else_made_is_left_alone(broker, numbers):
    from kafka import KafkaAdminClient, KafkaProducer

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({"feeds-theirs": {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    producer.send("feeds-theirs", b"theirs").get(timeout=30)
    producer.close()
    with pytest.raises(Conflict) as caught:
        broker.topic("feeds-theirs")
    assert (caught.value.code, caught.value.params["name"]) == ("NAME_TAKEN", "feeds-theirs")
    there = KafkaTopic(broker.bootstrap_servers, "feeds-theirs", create=False)
    feed(numbers(), to=there, batch=1).step()
    assert [record.value[:6] for record in records(broker, "feeds-theirs")] == [
        b"theirs",
        b'{"n":1',
    ]


@service
def test_a_topic_of_ours_is_deleted_and_one_of_others_is_not(broker, numbers):
    from kafka import KafkaAdminClient

    ours = broker.topic("feeds-ours")
    stream = feed(numbers(), to=ours, batch=1)
    stream.step()
    ours.delete()
    assert "feeds-ours" not in broker.topics()
    for _ in range(3):  # made anew at once, its offsets begin at 0
        again = broker.topic("feeds-ours")
        feed(numbers(), to=again, batch=2).step()
        assert broker.records("feeds-ours")["offset"].tolist() == [0, 1]
        again.delete()
    with pytest.raises(Conflict):
        stream.step()
    ours.delete()
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({"feeds-ours": {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    with pytest.raises(Conflict) as caught:
        ours.delete()
    assert caught.value.code == "NOT_OURS"
    assert "feeds-ours" in broker.topics()


@service
def test_a_topic_that_is_not_there_is_named(broker):
    with pytest.raises(NotFound) as caught:
        KafkaTopic(broker.bootstrap_servers, "feeds-nowhere", create=False)
    assert (caught.value.code, caught.value.params["name"]) == ("NOT_FOUND", "feeds-nowhere")
    assert caught.value.params["there"] == broker.topics()


@service
def test_a_topic_deleted_under_a_feed_is_named(broker, numbers):
    from kafka import KafkaAdminClient

    stream = feed(numbers(), to=broker.topic("feeds-deleted"))
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.delete_topics(["feeds-deleted"])
    wait_until(lambda: "feeds-deleted" not in admin.list_topics(), what="it stayed", timeout_s=30)
    admin.close()
    with pytest.raises(NotFound) as caught:
        stream.step()
    assert caught.value.params["name"] == "feeds-deleted"


@service
def test_a_text_names_a_topic_and_runs_add_up(broker, numbers):
    from labkit.feeds.address import target_from_url

    url = f"kafka://{broker.bootstrap_servers}/feeds-url?partitions=2"
    for _ in range(2):
        target = target_from_url(url)
        assert target.partitions == 2
        feed(numbers(), to=target).step()
    assert len(records(broker, "feeds-url")) == 20


@service
def test_a_broker_that_dies_loses_and_doubles_nothing(broker, numbers):
    stream = feed(numbers(), to=broker.topic("feeds-crash"))
    stream.step()
    broker.kill()
    start = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        stream.step()
    assert time.monotonic() - start < 6  # 4 s for a broker that says nothing, and the look at it
    assert caught.value.params["address"] == broker.bootstrap_servers
    assert stream.sent == 10
    broker.restart()
    assert stream.step(2) == 20
    stream.start(rate_per_s=500)
    wait_until(lambda: stream.sent > 300, what="it did not go on", timeout_s=30)
    broker.kill()
    before = stream.sent
    broker.restart()
    wait_until(lambda: stream.sent > before + 300, what="it did not go on", timeout_s=60)
    stream.stop()
    assert sorted(numbers_of(records(broker, "feeds-crash"))) == list(range(1, stream.sent + 1))


@service
def test_close_ends_its_connection_and_thread(broker, numbers):
    def senders():
        return [thread.name for thread in threading.enumerate() if "producer" in thread.name]

    with feed(numbers(), to=broker.topic("feeds-close")) as stream:
        stream.step()
        assert senders()
    wait_until(lambda: not senders(), what="the producer's thread stayed", timeout_s=10)
    stream.close()


def test_no_broker_is_said_at_once():
    with pytest.raises(Unreachable) as caught:
        KafkaTopic("127.0.0.1:1", "orders")
    assert caught.value.code == "UNREACHABLE"
    assert caught.value.params["address"] == "127.0.0.1:1"
    assert "labkit kafka" in caught.value.params["cure"]


def test_a_server_that_is_no_broker_is_said_within_five_seconds():
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        start = time.monotonic()
        with pytest.raises(Unreachable):
            KafkaTopic(f"127.0.0.1:{deaf.getsockname()[1]}", "orders")
        assert time.monotonic() - start < 5
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    "servers", ["", "localhost", "localhost:0", "a:99999", "a:1,,b:2", "a b:1"]
)
def test_servers_that_are_no_addresses_are_refused(servers):
    with pytest.raises(InvalidArgument) as caught:
        KafkaTopic(servers, "orders")
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "bootstrap_servers")


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "ä", "x" * 250, 7, None])
def test_names_that_kafka_refuses_are_refused(name):
    with pytest.raises(InvalidArgument) as caught:
        KafkaTopic("127.0.0.1:1", name)
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "topic")


@pytest.mark.parametrize(
    ("partitions", "code"), [(0, "OUT_OF_RANGE"), (1001, "OUT_OF_RANGE"), ("2", "WRONG_TYPE")]
)
def test_partitions_out_of_bounds_are_refused(partitions, code):
    with pytest.raises(InvalidArgument) as caught:
        KafkaTopic("127.0.0.1:1", "orders", partitions=partitions)
    assert (caught.value.code, caught.value.params["name"]) == (code, "partitions")


def test_servers_must_be_text():
    with pytest.raises(InvalidArgument) as caught:
        KafkaTopic(["127.0.0.1:1"], "orders")
    assert caught.value.code == "WRONG_TYPE"
