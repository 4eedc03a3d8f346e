"""One kind of trouble: how it is recognised, what it means, and how to go on.

The tables (``signatures_*.py``) hold them by theme; ``signatures`` puts them in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.engine.causes import Facts


@dataclass(frozen=True)
class Signature:
    """A kind of error that labkit can explain.

    Parameters
    ----------
    id
        Its entry in the project's list of misconceptions, such as ``M04``.
    sentence
        What has happened, in one plain sentence.
    cure
        How to go on; it names a call.
    condition
        Spark's name for it, or the beginning of several names; empty: any.
    fragments
        Pieces of the message, of which one must be there; empty: any message.
    needs
        A further test, for kinds that share one message.
    reason
        Why Spark does so, in two short sentences; empty when the sentence says it all.
    ways
        Ways out besides another output mode, for a query that was refused.
    lesson, heading
        Where the course shows it; the heading is one of that lesson's, or empty.
    """

    id: str
    sentence: str
    cure: str
    condition: str = ""
    fragments: tuple[str, ...] = ()
    needs: Callable[[Facts], bool] | None = None
    reason: str = ""
    ways: tuple[str, ...] = ()
    lesson: str = ""
    heading: str = ""

    def fits(self, facts: Facts) -> bool:
        """Whether an error is of this kind.

        Parameters
        ----------
        facts
            What the error says.
        """
        if self.condition and not any(c.startswith(self.condition) for c in facts.conditions):
            return False
        if self.fragments and not any(piece in facts.said for piece in self.fragments):
            return False
        return self.needs is None or self.needs(facts)
