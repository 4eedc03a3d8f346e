"""A step that is given the query is one micro-batch, also where rows travel one by one."""

from __future__ import annotations

import pytest

from labkit import control
from labkit.engine.gate import held
from labkit.events.orders import Orders
from labkit.feeds.feed import feed
from labkit.feeds.socket_server import socket

pytestmark = pytest.mark.spark

STEPS = 12
NAME = "gated"


@pytest.fixture(autouse=True)
def _stopped_before_and_after():
    control.stop(NAME)
    yield
    control.stop(NAME)


def batch_sizes(query):
    return [p.numInputRows for p in query.recentProgress if p.numInputRows]


def start(frame):
    return frame.writeStream.format("memory").queryName(NAME).start()


def test_lines_of_one_step_are_one_batch(spark):
    rows = feed(Orders(seed=7), to=socket(), batch=30, name=NAME)
    reader = spark.readStream.format("socket").option("host", rows.host).option("port", rows.port)
    query = start(reader.load())
    rows.step(STEPS, query)
    assert batch_sizes(query) == [30] * STEPS


@pytest.mark.service
def test_records_of_one_step_are_one_batch_over_all_partitions(spark, broker):
    topic = broker.topic(NAME, partitions=3)
    rows = feed(Orders(seed=7), to=topic, batch=30, key="customer", name=NAME)
    query = start(spark.readStream.format("kafka").options(**broker.options(NAME)).load())
    rows.step(STEPS, query)
    assert batch_sizes(query) == [30] * STEPS


def test_a_query_is_free_again_after_an_error_in_the_block(spark, files):
    query = start(files.stream(spark))
    with pytest.raises(ZeroDivisionError), held(query):
        files.write(("anna", 1 // 0))
    files.write(("anna", 1))
    query.processAllAvailable()
    assert batch_sizes(query) == [1]


def test_what_is_no_query_is_not_held():
    with held("a query of another kind") as expect:
        expect(3)
