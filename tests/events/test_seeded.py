"""Seeded streams: the same seed gives the same rows, anywhere."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from labkit.errors import InvalidArgument
from labkit.events.clicks import Clicks
from labkit.events.lines import Lines
from labkit.events.orders import Orders
from labkit.events.sensors import Sensors
from labkit.events.stream import START

KINDS = [Lines, Orders, Clicks, Sensors]
COUNT_ROWS = """
import json, sys
from importlib import import_module
kind = getattr(import_module(sys.argv[1]), sys.argv[2])
stream = kind(seed=11).late(share=0.2).duplicated(share=0.1).paused(after=50)
print(json.dumps([[str(e.at), e.key, e.value] for e in stream.take(300)], default=str))
"""


def digest(events):
    text = json.dumps([[str(e.at), e.key, e.value] for e in events], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def test_first_ten_thousand_orders_are_these_on_every_machine():
    golden = "bcd5786ae7745aa32dba3817e4bc058baf4d20e6cf68ed1697ef12312cf0b688"
    assert digest(Orders(seed=7).take(10_000)) == golden


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_see_the_same_rows(kind):
    seen = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", COUNT_ROWS, kind.__module__, kind.__name__]
        run = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        seen.add(run.stdout)
    assert len(seen) == 1
    assert len(json.loads(seen.pop())) == 300


@pytest.mark.parametrize("kind", KINDS)
def test_take_is_repeatable_and_a_longer_take_begins_like_a_shorter_one(kind):
    stream = kind(seed=3)
    assert stream.take(50) == stream.take(50) == stream.take(200)[:50]


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_other_rows(kind):
    assert kind(seed=1).take(100) != kind(seed=2).take(100)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_columns_of_the_schema(kind):
    columns = [part.split()[0] for part in kind.schema.split(", ")]
    events = kind().take(100)
    assert all(list(event.value) == columns for event in events)
    assert all(isinstance(event.key, str) and event.key for event in events)
    if kind.time:
        assert all(event.value[kind.time] == event.at for event in events)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every_s", [0.25, 5, 90.5])
def test_event_time_never_goes_back_and_its_mean_step_is_every_s(kind, every_s):
    times = [event.at for event in kind(every_s=every_s).take(2_001)]
    steps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert min(steps) >= 0
    assert max(steps) <= 2 * every_s + 1
    assert len(set(steps)) > 3
    assert sum(steps) / 2_000 == pytest.approx(every_s, rel=0.01)


def test_event_times_are_whole_seconds_or_whole_milliseconds():
    assert all(event.at.microsecond == 0 for event in Orders(every_s=1).take(200))
    fine = [event.at.microsecond for event in Orders(every_s=0.1).take(200)]
    assert any(fine)
    assert all(part % 1000 == 0 for part in fine)


def test_start_is_the_instant_where_time_begins_in_any_zone():
    assert START <= Orders().take(1)[0].at < START + timedelta(seconds=5)
    zone = timezone(timedelta(hours=2))
    there = Orders(start=datetime(2030, 5, 1, 12, tzinfo=zone)).take(1)[0].at
    naive = Orders(start=datetime(2030, 5, 1, 10)).take(1)[0].at  # noqa: DTZ001 - it is the case
    assert there == naive
    assert there.tzinfo is UTC


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("WRONG_TYPE", "seed", "7"),
        ("WRONG_TYPE", "seed", True),
        ("OUT_OF_RANGE", "seed", -1),
        ("OUT_OF_RANGE", "seed", 2**63),
        ("WRONG_TYPE", "every_s", "fast"),
        ("OUT_OF_RANGE", "every_s", 0),
        ("OUT_OF_RANGE", "every_s", float("nan")),
        ("OUT_OF_RANGE", "every_s", 3601),
        ("WRONG_TYPE", "start", "2024-01-01"),
        ("OUT_OF_RANGE", "start", datetime(9000, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_bad_argument_is_named(kind, code, name, value):
    with pytest.raises(InvalidArgument) as caught:
        kind(**{name: value})
    assert caught.value.code == code
    assert caught.value.params["name"] == name


@pytest.mark.parametrize(("code", "count"), [("OUT_OF_RANGE", -1), ("WRONG_TYPE", 2.0)])
def test_take_refuses_what_is_no_count(code, count):
    with pytest.raises(InvalidArgument) as caught:
        Orders().take(count)
    assert caught.value.code == code
    assert caught.value.params["name"] == "count"
