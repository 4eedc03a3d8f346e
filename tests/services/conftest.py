"""What the tests of both kinds of broker share: topics and records made without labkit."""

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from labkit.services.kafka import KafkaBroker


def make_topic(broker, name, partitions=1):
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics({name: {"num_partitions": partitions}}, wait_for_metadata=True)
    admin.close()


def send(broker, name, rows):
    producer = KafkaProducer(bootstrap_servers=broker.address, acks="all")
    for key, value, options in rows:
        producer.send(name, key=key, value=value, **options)
    producer.close()


@pytest.fixture(name="make_topic")
def _make_topic():
    return make_topic


@pytest.fixture(name="send")
def _send():
    return send


@pytest.fixture
def own_broker():
    with KafkaBroker() as service:
        yield service
