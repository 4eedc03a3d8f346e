"""The two marks in the course's own texts: ``**bold**`` and code between backticks."""

from __future__ import annotations

import re
from html import escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")


def html_of(text: str) -> str:
    """Return a text as HTML, with everything else in it escaped.

    Examples
    --------
    >>> html_of("**2** rows of `a < b`")
    '<b>2</b> rows of <code>a &lt; b</code>'
    """
    return _CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<b>\1</b>", escape(text)))


def plain_of(text: str) -> str:
    """Return a text for a terminal: without the marks for bold.

    Examples
    --------
    >>> plain_of("**2** rows of `count()`")
    '2 rows of `count()`'
    """
    return _BOLD.sub(r"\1", text)
