"""Lines of text: the classic input of word counts and length counters."""

from __future__ import annotations

from datetime import datetime

from labkit.errors import require_int, wrong_type
from labkit.events.chance import Chance, weighted
from labkit.events.seeded import SeededStream
from labkit.events.stream import START, Event

# Skewed as in real text: a word count shows a clear order after a few lines.
WORDS = weighted(
    {
        "the": 14,
        "a": 10,
        "stream": 8,
        "of": 8,
        "data": 7,
        "and": 6,
        "spark": 5,
        "row": 4,
        "window": 4,
        "never": 3,
        "sleeps": 3,
        "batch": 3,
        "arrives": 2,
        "late": 2,
        "watermark": 1,
        "yesterday": 1,
    }
)


class Lines(SeededStream):
    """Lines of a few words each, as Spark's rate source would give them if it could write.

    The rows hold text only: event time moves on (``Event.at``) but is no column. The key is the
    number of the line, from 1.

    Parameters
    ----------
    words
        Least and most words in a line; 1 to 100 each.
    seed, every_s, start
        As in :class:`~labkit.events.seeded.SeededStream`.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``, naming the argument.

    Examples
    --------
    >>> len(Lines(words=(3, 3)).take(1)[0].value["value"].split())
    3
    """

    name = "lines"
    schema = "value string"
    time = None

    def __init__(
        self,
        *,
        seed: int = 7,
        every_s: float = 1,
        start: datetime = START,
        words: tuple[int, int] = (1, 12),
    ) -> None:
        super().__init__(seed=seed, every_s=every_s, start=start)
        self.least, self.most = _bounds(words)

    def event(self, index: int, at: datetime, chance: Chance) -> Event:
        """Return line number ``index + 1``."""
        count = chance.whole(self.least, self.most)
        line = " ".join([chance.pick(WORDS) for _ in range(count)])
        return Event(at, str(index + 1), {"value": line})


def _bounds(words: tuple[int, int]) -> tuple[int, int]:
    if not (isinstance(words, tuple | list) and len(words) == 2):
        raise wrong_type("words", words, expected="a pair of whole numbers such as (1, 12)")
    least = require_int("words[0]", words[0], low=1, high=100)
    return least, require_int("words[1]", words[1], low=least, high=100)
