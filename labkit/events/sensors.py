"""Readings of thermometers that report in turn, and sometimes fail to."""

from __future__ import annotations

from datetime import datetime

from labkit.errors import require_int, require_number
from labkit.events.chance import Chance
from labkit.events.seeded import SeededStream
from labkit.events.stream import START, Event

HOT_SHARE = 0.005
HOT_TENTHS = 150


class Sensors(SeededStream):
    """Readings of several sensors, one after another; endless, keyed by sensor.

    Temperatures (degrees Celsius) are about 15 at midnight and 25 at noon of event time, a little
    higher from sensor to sensor. Designed oddities: some readings are missing (the row is there,
    ``temperature`` is null), and one in 200 is 15 degrees too high.

    Parameters
    ----------
    sensors
        How many there are: 1 to 1000. They report in turn, ``s1`` first.
    missing
        Share of readings without a temperature: 0 to 1, no unit.
    seed, every_s, start
        As in :class:`~labkit.events.seeded.SeededStream`.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.

    Examples
    --------
    >>> [reading.key for reading in Sensors(sensors=2).take(3)]
    ['s1', 's2', 's1']
    """

    name = "sensors"
    schema = "sensor_id string, event_time timestamp, temperature double, humidity int"
    time = "event_time"

    def __init__(
        self,
        *,
        seed: int = 7,
        every_s: float = 2,
        start: datetime = START,
        sensors: int = 5,
        missing: float = 0.02,
    ) -> None:
        super().__init__(seed=seed, every_s=every_s, start=start)
        self.sensors = require_int("sensors", sensors, low=1, high=1000)
        self.missing = require_number("missing", missing, low=0, high=1)

    def event(self, index: int, at: datetime, chance: Chance) -> Event:
        """Return reading number ``index`` of all sensors together."""
        number = index % self.sensors
        sensor_id = f"s{number + 1}"
        is_missing = chance.share() < self.missing
        tenths = _daily_tenths(at) + 3 * (number % 10) + chance.whole(-8, 8)
        if chance.share() < HOT_SHARE:
            tenths += HOT_TENTHS
        value = {
            "sensor_id": sensor_id,
            "event_time": at,
            "temperature": None if is_missing else tenths / 10,
            "humidity": chance.whole(35, 65),
        }
        return Event(at, sensor_id, value)


def _daily_tenths(at: datetime) -> int:
    # Straight lines instead of a sine: whole numbers are the same on every machine.
    minutes_from_noon = abs(at.hour * 60 + at.minute - 720)
    return 250 - minutes_from_noon * 100 // 720
