"""What is particular to each kind of invented event."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from labkit.errors import InvalidArgument
from labkit.events.clicks import Clicks
from labkit.events.lines import Lines
from labkit.events.orders import Orders
from labkit.events.sensors import Sensors


def test_orders_are_numbered_and_plausible():
    orders = [event.value for event in Orders().take(5_000)]
    assert [order["order_id"] for order in orders] == list(range(1, 5_001))
    assert all(2 <= order["amount"] <= 101.99 for order in orders)
    assert all(round(order["amount"], 2) == order["amount"] for order in orders)
    categories = Counter(order["category"] for order in orders)
    assert categories["books"] / 5_000 == pytest.approx(0.30, abs=0.03)
    customers = Counter(order["customer"] for order in orders)
    assert len(customers) == 12
    assert customers["anna"] > 5 * customers["lou"]


def test_five_minutes_hold_about_sixty_orders():
    times = [event.at for event in Orders().take(600)]
    assert (times[-1] - times[0]).total_seconds() == pytest.approx(3_000, abs=20)


@pytest.mark.parametrize("every_s", [5, 20])
def test_clicks_of_a_user_fall_into_sessions_with_clear_gaps(every_s):
    times = defaultdict(list)
    for event in Clicks(every_s=every_s).take(5_000):
        times[event.key].append(event.at)
    assert len(times) == 9
    for own in times.values():
        gaps = [(b - a).total_seconds() for a, b in pairwise(own)]
        within = [gap for gap in gaps if gap < 12 * every_s]
        between = [gap for gap in gaps if gap >= 24 * every_s]
        assert len(within) + len(between) == len(gaps)
        assert len(within) > 100
        assert len(between) > 50


def test_a_user_keeps_one_device():
    devices = defaultdict(set)
    for event in Clicks().take(1_000):
        devices[event.key].add(event.value["device"])
    assert all(len(own) == 1 for own in devices.values())


def test_sensors_report_in_turn_and_some_readings_are_missing():
    readings = [event.value for event in Sensors(sensors=3, missing=0.1).take(9_000)]
    assert [reading["sensor_id"] for reading in readings[:4]] == ["s1", "s2", "s3", "s1"]
    missing = sum(reading["temperature"] is None for reading in readings)
    assert missing / 9_000 == pytest.approx(0.1, abs=0.015)
    hot = sum((reading["temperature"] or 0) > 32 for reading in readings)
    assert 0 < hot / 9_000 < 0.01


def test_lines_have_as_many_words_as_asked():
    lines = [event.value["value"] for event in Lines(words=(2, 30)).take(2_000)]
    lengths = {len(line.split()) for line in lines}
    assert lengths == set(range(2, 31))


@pytest.mark.parametrize(
    ("make", "code", "name"),
    [
        (lambda: Sensors(sensors=0), "OUT_OF_RANGE", "sensors"),
        (lambda: Sensors(sensors=2.5), "WRONG_TYPE", "sensors"),
        (lambda: Sensors(missing=1.1), "OUT_OF_RANGE", "missing"),
        (lambda: Lines(words=5), "WRONG_TYPE", "words"),
        (lambda: Lines(words=(0, 5)), "OUT_OF_RANGE", "words[0]"),
        (lambda: Lines(words=(5, 4)), "OUT_OF_RANGE", "words[1]"),
    ],
)
def test_a_bad_argument_is_named(make, code, name):
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert caught.value.code == code
    assert caught.value.params["name"] == name
