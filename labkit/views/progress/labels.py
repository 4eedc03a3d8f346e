"""Words on a strip: each has several places and takes the first where it lies on no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.views.progress.axis import LETTER_PX, PLOT_PX, RIGHT_PX, Axis
from labkit.views.svg import Markup

# What a line of 12 px takes above and below its base line, with air.
ABOVE_PX, BELOW_PX = 12, 5


@dataclass(frozen=True)
class Label:
    """Words at one place of a strip.

    Parameters
    ----------
    text, class_
        The words, and how they look.
    x, y
        Pixels: ``x`` of the whole picture, ``y`` from the strip's top.
    from_right
        Whether the words end at ``x``; else they start there.
    """

    text: str
    x: float
    y: float
    class_: str
    from_right: bool = False

    @property
    def left(self) -> float:
        """Where the words begin."""
        return self.x - LETTER_PX * len(self.text) if self.from_right else self.x

    @property
    def right(self) -> float:
        """Where the words end."""
        return self.x if self.from_right else self.x + LETTER_PX * len(self.text)

    @property
    def fits(self) -> bool:
        """Whether the words stay in the plot."""
        return self.left >= PLOT_PX and self.right <= RIGHT_PX

    def lies_on(self, other: Label) -> bool:
        """Whether two labels cannot both be read."""
        beside = self.right <= other.left or other.right <= self.left
        return not beside and abs(self.y - other.y) < ABOVE_PX + BELOW_PX


def beside(
    axis: Axis, place: int, y: float, text: str, class_: str = "t h", *, inside: bool = False
) -> list[Label]:
    """Return the places right and left of a batch (``inside``: from its column on)."""
    first, last = axis.left(place), axis.left(place + 1)
    right = Label(text, first if inside else last + 3, y, class_)
    left = Label(text, last if inside else first - 4, y, class_, from_right=True)
    return [right, left]


def written(axis: Axis, *wishes: Sequence[Label]) -> tuple[Markup, ...]:
    """Write labels, the most needed first; one that has no free place is left out.

    Parameters
    ----------
    axis
        Of the strip.
    wishes
        For each label its places, the best first.
    """
    taken: list[Label] = []
    for places in wishes:
        free = (p for p in places if p.fits and not any(map(p.lies_on, taken)))
        taken += [label for label in [next(free, None)] if label]
    return tuple(
        axis.text(p.text, p.x, p.y, p.class_, anchor="end" if p.from_right else None) for p in taken
    )
