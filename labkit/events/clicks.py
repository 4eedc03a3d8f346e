"""Clicks on a web site: visitors who come, look round, and come back after a pause."""

from __future__ import annotations

from datetime import datetime

from labkit.events.chance import Chance, weighted
from labkit.events.seeded import PEOPLE, SeededStream
from labkit.events.stream import START, Event

# Three visitors share the site for twelve clicks, then the next three; after three turns the
# first ones are back. So a session ends because of how the stream is built, not by luck.
GROUPS = (PEOPLE[0:3], PEOPLE[3:6], PEOPLE[6:9])
CLICKS_PER_VISIT = 12
# What people look at early, in the middle, and late in a visit.
PAGES = (
    weighted({"home": 6, "search": 3, "product": 3}),
    weighted({"product": 7, "search": 3, "reviews": 2}),
    weighted({"cart": 5, "product": 4, "checkout": 3}),
)
DEVICES = ("phone", "laptop", "phone", "tablet")


class Clicks(SeededStream):
    """Clicks on a web site; endless, keyed by user.

    Each user's clicks come in sessions: within one, two clicks are less than ``12 * every_s``
    apart (4 minutes by default); the next one begins at least ``24 * every_s`` later (8 minutes).
    A session window with a gap of 5 minutes therefore finds exactly these sessions. A user's
    device never changes.

    Parameters
    ----------
    seed, every_s, start
        As in :class:`~labkit.events.seeded.SeededStream`.

    Examples
    --------
    >>> {click.key for click in Clicks(seed=7).take(12)} <= {"anna", "ben", "chloe"}
    True
    """

    name = "clicks"
    schema = "click_id bigint, event_time timestamp, user string, page string, device string"
    time = "event_time"

    def __init__(self, *, seed: int = 7, every_s: float = 20, start: datetime = START) -> None:
        super().__init__(seed=seed, every_s=every_s, start=start)

    def event(self, index: int, at: datetime, chance: Chance) -> Event:
        """Return click number ``index + 1``."""
        visit, place = divmod(index, CLICKS_PER_VISIT)
        user = chance.pick(GROUPS[visit % len(GROUPS)])
        value = {
            "click_id": index + 1,
            "event_time": at,
            "user": user,
            "page": chance.pick(PAGES[place * len(PAGES) // CLICKS_PER_VISIT]),
            "device": DEVICES[PEOPLE.index(user) % len(DEVICES)],
        }
        return Event(at, user, value)
