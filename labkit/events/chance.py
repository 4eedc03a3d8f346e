"""Chance without state: every draw is a function of (seed, purpose, index) and nothing else.

A keyed hash over the index gives the bits, and only whole-number arithmetic is done on them: the
same on every machine and every version of Python, in any order of asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

HIGHEST_SEED = 2**63 - 1
_PLACE = Struct("<QQ")
_WORDS = Struct("<16I")


class Randomness:
    """A seed and a purpose; :meth:`at` gives the draws that belong to one index.

    Parameters
    ----------
    seed
        0 to 2**63 - 1.
    purpose
        What is drawn, such as ``orders``: equal seeds of two purposes have nothing in common.

    Examples
    --------
    >>> dice = Randomness(7, "dice")
    >>> dice.at(3).whole(1, 6) == dice.at(3).whole(1, 6)
    True
    """

    __slots__ = ("_keyed",)

    def __init__(self, seed: int, purpose: str) -> None:
        self._keyed = blake2b(purpose.encode(), key=seed.to_bytes(8, "little"))

    def at(self, index: int) -> Chance:
        """Return the draws of event number ``index``, from the first one on."""
        return Chance(self._keyed, index)


class Chance:
    """The draws of one event, one after another, as many as it needs."""

    __slots__ = ("_index", "_keyed", "_refills", "_words")

    def __init__(self, keyed: blake2b, index: int) -> None:
        self._keyed = keyed
        self._index = index
        self._refills = 0
        self._words: list[int] = []

    def share(self) -> float:
        """Draw a number from 0 to 1, without 1."""
        return self._word() / 4294967296

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number, ``low`` and ``high`` included."""
        return low + (self._word() * (high - low + 1) >> 32)

    def pick(self, table: Sequence[T]) -> T:
        """Draw one entry of ``table``; an entry that stands there twice comes twice as often."""
        return table[self._word() * len(table) >> 32]

    def _word(self) -> int:
        if not self._words:
            drawn = self._keyed.copy()
            drawn.update(_PLACE.pack(self._index, self._refills))
            self._words = list(_WORDS.unpack(drawn.digest()))
            self._refills += 1
        return self._words.pop()


def weighted(shares: dict[str, int]) -> tuple[str, ...]:
    """Return a table for :meth:`Chance.pick` in which each name stands as often as it says.

    Examples
    --------
    >>> weighted({"books": 2, "toys": 1})
    ('books', 'books', 'toys')
    """
    return tuple(name for name, times in shares.items() for _ in range(times))
