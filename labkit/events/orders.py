"""Orders of a small web shop: who bought what for how much."""

from __future__ import annotations

from datetime import datetime

from labkit.events.chance import Chance, weighted
from labkit.events.seeded import PEOPLE, SeededStream
from labkit.events.stream import Event

# Few customers order often, most now and then: 12 shares for the first name, 1 for the last.
CUSTOMERS = weighted({name: len(PEOPLE) - place for place, name in enumerate(PEOPLE)})
CATEGORIES = weighted({"books": 30, "games": 22, "music": 18, "toys": 14, "garden": 10, "food": 6})


class Orders(SeededStream):
    """Orders of a web shop; endless, keyed by customer.

    The default pace puts about 60 orders into five minutes of event time. Amounts are 2.00 to
    101.99, most of them small; no currency is meant.

    Parameters
    ----------
    seed, every_s, start
        As in :class:`~labkit.events.seeded.SeededStream`.

    Examples
    --------
    >>> first = Orders(seed=7).take(1)[0]
    >>> list(first.value)
    ['order_id', 'event_time', 'customer', 'category', 'amount']
    >>> first.key == first.value["customer"]
    True
    """

    name = "orders"
    schema = (
        "order_id bigint, event_time timestamp, customer string, category string, amount double"
    )
    time = "event_time"

    def event(self, index: int, at: datetime, chance: Chance) -> Event:
        """Return order number ``index + 1``."""
        customer = chance.pick(CUSTOMERS)
        # A product of two even draws is skewed to the small side; cents keep it exact.
        cents = 200 + chance.whole(0, 99) * chance.whole(0, 99) + chance.whole(0, 198)
        value = {
            "order_id": index + 1,
            "event_time": at,
            "customer": customer,
            "category": chance.pick(CATEGORIES),
            "amount": cents / 100,
        }
        return Event(at, customer, value)
