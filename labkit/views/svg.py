"""Write SVG as text: one function for an element, a few for the marks that all pictures share.

Everything that goes in is escaped. Sizes are pixels, since pictures are shown 1:1.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Value = str | float | None


class Markup(str):
    """Text that is SVG already, so that it is not escaped again."""

    __slots__ = ()


def element(tag: str, *inner: str, **attributes: Value) -> Markup:
    """Write one element.

    Parameters
    ----------
    tag
        Its name, such as ``rect``.
    inner
        What stands in it: :class:`Markup` as it is, plain text escaped.
    attributes
        ``font_size=12`` becomes ``font-size="12"``, and ``class_`` becomes ``class``; None is left
        out. Numbers are rounded to a tenth of a pixel.

    Examples
    --------
    >>> element("text", "a < b", x=1.25, text_anchor="end", class_="lk-axis")
    '<text x="1.2" text-anchor="end" class="lk-axis">a &lt; b</text>'
    >>> element("g", element("circle", r=4), "!")
    '<g><circle r="4"/>!</g>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    body = join(inner)
    return Markup(f"<{tag}{written}>{body}</{tag}>" if inner else f"<{tag}{written}/>")


def join(parts: Iterable[str]) -> Markup:
    """Put parts one behind the other; plain text is escaped."""
    return Markup("".join(p if isinstance(p, Markup) else escape(p) for p in parts))


def path(points: Iterable[tuple[float, float]]) -> str:
    """Write straight lines through some points, for the attribute ``d``.

    Examples
    --------
    >>> path([(0, 0), (10, 2.5)])
    'M0 0L10 2.5'
    """
    corners = [f"{_text(x)} {_text(y)}" for x, y in points]
    return "M" + "L".join(corners) if corners else ""


def staircase(points: Iterable[tuple[float, float]]) -> str:
    """Write a staircase through some points: along first, then up or down.

    Examples
    --------
    >>> staircase([(0, 5), (10, 2), (20, 2)])
    'M0 5H10V2H20V2'
    """
    (x, y), *others = points
    return f"M{_text(x)} {_text(y)}" + "".join(f"H{_text(x)}V{_text(y)}" for x, y in others)


def picture(prefix: str, title: str, text: str, *inner: str, width: float, height: float) -> Markup:
    """Write a whole picture with its name and its description for screen readers.

    Parameters
    ----------
    prefix
        What its ids start with: the view's kind and name, see :func:`id_of`.
    title, text
        What it is, and what is to be seen in it.
    inner
        Its elements.
    width, height
        Pixels.
    """
    return element(
        "svg",
        element("title", title, id=f"{prefix}-title"),
        element("desc", text, id=f"{prefix}-desc"),
        *inner,
        role="img",
        aria_labelledby=f"{prefix}-title {prefix}-desc",
        width=width,
        height=height,
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        class_="lk-svg",
    )


def id_of(*parts: str) -> str:
    """Return an id made of parts such as the view's kind and the query's name.

    Signs that an id must not hold are written as their number, so different names stay different.

    Examples
    --------
    >>> id_of("timeline", "my counts")
    'lk-timeline-my_20_counts'
    """
    return "-".join(["lk", *("".join(map(_id_sign, part)) for part in parts)])


def _id_sign(sign: str) -> str:
    return sign if sign.isascii() and sign.isalnum() else f"_{ord(sign):x}_"


def _text(value: Value) -> str:
    if isinstance(value, int | float):
        return f"{round(value, 1):g}" if abs(value) < 1e5 else f"{value:.0f}"
    return escape(str(value), quote=True)
