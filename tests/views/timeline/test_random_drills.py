"""Random drills: whatever comes, and however late, the picture agrees with Spark's own count."""

from random import Random

import pytest
from pyspark.sql import functions as F

from . import test_timeline_spark as real

pytestmark = pytest.mark.spark
drill = real.drill

TEN_HOURS_MIN = 600
WINDOWS = {
    "tumbling": {"window": "5 minutes"},
    "sliding": {"window": "10 minutes", "slide": "5 minutes"},
    "session": {"gap": "5 minutes"},
}


def some_events(rng):
    """Return three to seven steps of events of two users; some come up to half an hour late."""
    steps, now_min = [], TEN_HOURS_MIN
    for _ in range(rng.randint(3, 7)):
        lines = []
        for _ in range(rng.randint(1, 4)):
            now_min += rng.choice([0, 0, 1, 2, 5, 9])
            hour, minute = divmod(now_min - rng.choice([0, 0, 0, 1, 3, 7, 12, 30]), 60)
            second = rng.choice([0, 0, 30, 59])
            lines.append(f"{hour:02}:{minute:02}:{second:02} {rng.choice('ab')}")
        steps.append("\n".join(lines))
    return "\n\n".join(steps)


# 15: sessions in complete mode, of which Spark drops late rows too.
@pytest.mark.parametrize("seed", range(8, 16))
def test_the_picture_agrees_with_spark(drill, seed):
    rng = Random(seed)
    stream, rows, steps = drill(some_events(rng), "user string", key="user")
    kind = rng.choice(list(WINDOWS))
    keys = rng.choice([(), ("user",)])
    mode = rng.choice(["append", "append", "update", "complete"])
    if kind == "session":  # Spark wants a key for them, and has no update mode
        window, keys = F.session_window("event_time", "5 minutes"), ("user",)
        mode = "append" if mode == "update" else mode
    else:
        window = F.window("event_time", *WINDOWS[kind].values())
    query = real.start(stream.groupBy(window, *keys).count(), mode)
    view = real.timeline(query, **WINDOWS[kind])
    if rng.random() < 0.4:
        rows.step(steps)  # all files at once: no empty batch between them
        query.processAllAvailable()
    else:
        rows.step(steps, query)
    assert all(step.agrees for step in view.model.steps), view.to_text()
    if mode == "append" and kind != "session":
        real.assert_sent_is_counted(view.model, keyed=bool(keys))
