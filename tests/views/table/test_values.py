"""Values that could break a page, a message or a terminal: shown safely, and never too large."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from html.parser import HTMLParser

import pytest
from pyspark.sql import Row

from labkit.views.cells import cut, text_of
from labkit.views.table.model import Table, fold
from labkit.views.table.page import MAX_BYTES, render

BAD = "<script>window.pwned = 1</script>"
IMAGE = "\"'><img src=x onerror=window.pwned=1>"
RIGHT_TO_LEFT = "שלום עולם"
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)
NESTED = Row(place=Row(city=BAD, zip=None), tags=["a", IMAGE], more={"k": TEN}, at=TEN)

ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td", "span", "b", "bdi", "p"}
ALLOWED |= {"div", "details", "summary", "pre"}
ATTRIBUTES = {"class", "scope", "title", "dir", "data-key", "aria-hidden", "aria-label"}
ATTRIBUTES |= {"role", "tabindex"}


class Elements(HTMLParser):
    """Collects elements that a table never makes, and whether each is closed."""

    def __init__(self, html):
        super().__init__()
        self.strange, self.open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        names = {name for name, _ in attributes}
        if tag not in ALLOWED or names - ATTRIBUTES:
            self.strange.append((tag, names))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def shown(batches, columns, *rows_of, mode="update", key=(0,), name="totals", cap=50):
    columns, made = batches(mode, columns, *rows_of)
    return render(reduce(fold, made, Table(name, columns, key)), cap)


def is_safe(frame):
    for html in [frame.still, frame.top, *(page.html for page in frame.pages)]:
        elements = Elements(html)
        assert (elements.strange, elements.open) == ([], [])
    message = json.dumps(frame.as_message(), ensure_ascii=False, allow_nan=False)
    assert len(message.encode()) <= MAX_BYTES
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", frame.text)
    return True


@pytest.mark.parametrize(
    "value",
    [
        BAD,
        IMAGE,
        "&lt;b&gt; &amp;",
        "</td></tr></table></pre>" + BAD,
        "x" * 10_000,
        IMAGE * 400,
        None,
        float("nan"),
        float("-inf"),
        Decimal("NaN"),
        date(2024, 1, 1),
        TEN,
        NESTED,
        [NESTED] * 1000,
        {BAD: IMAGE},
        b"",
        bytes(range(256)) * 1000,
        bytearray(b"<b>"),
        RIGHT_TO_LEFT,
        RIGHT_TO_LEFT * 2000,
        "\x00 \x1b[31m \r \b \u2028 \ud800 \u202eevil\u2066",
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_any_value_is_shown_safely_as_key_and_as_value(batches, value):
    columns = [("k", "string", True), ("v", "string", False)]
    rows = [(value, 1), ("b", value)], [(value, IMAGE), ("b", 2)], [(value, value), ("b", value)]
    for mode in ("update", "complete"):
        assert is_safe(shown(batches, columns, *rows, mode=mode))
    assert is_safe(shown(batches, columns, *rows, mode="append", key=None))


def test_html_in_names_of_columns_and_queries_is_text(batches):
    columns = [(BAD, "string", True), (IMAGE, "int", False), ("x" * 10_000, "int", False)]
    frame = shown(batches, columns, [("a", 1, 2)], name=IMAGE)
    assert is_safe(frame)
    assert "&lt;script&gt;" in frame.still
    assert is_safe(render(Table(IMAGE * 2000, (), (0,)), 50))


def test_three_hundred_columns(batches):
    columns = [(f"c{i}", "string", i == 0) for i in range(300)]
    rows = [(f"r{i}", *(["text"] * 299)) for i in range(500)]
    frame = shown(batches, columns, rows)
    assert is_safe(frame)
    assert "+292 columns" in frame.text


@pytest.mark.parametrize(
    "text", [IMAGE * 400, "✓" * 10_000, '"\\' * 5000], ids=["html", "3", "json"]
)
@pytest.mark.parametrize("cap", [50, 500])
def test_no_value_makes_a_frame_large(batches, text, cap):
    columns = [(f"c{i}", "string", i == 0) for i in range(8)]
    before = [(f"{text}{i}", *[f"{i}{text}"] * 7) for i in range(500)]
    after = [(f"{text}{i}", *[f"{text}{i}"] * 6, f"!{text}") for i in range(500)]
    frame = shown(batches, columns, before, after, cap=cap)
    assert is_safe(frame)
    rows = frame.pages[0].html.count("<tr data-key=")
    assert rows >= 5
    assert f"showing {rows} of 500 rows" in frame.text


@pytest.mark.parametrize(("mode", "key"), [("update", (0,)), ("append", None), ("complete", (0,))])
def test_fifty_rows_of_eight_columns_of_usual_text_are_shown_whole(batches, mode, key):
    kinds = ["string", "string", "string", "string", "double", "bigint", "string", "string"]
    columns = [(f"column_{i}", kind, i == 0) for i, kind in enumerate(kinds)]

    def rows(n):
        return [
            (
                f"order-{i:05}",
                f"Anna Schmidt {i}",
                "Heidelberg",
                "Espresso machine, steel",
                12.5 * i + n,
                3 * i + n,
                "delivered",
                "left with the neighbour on floor 3",
            )
            for i in range(50)
        ]

    frame = shown(batches, columns, rows(0), rows(1), mode=mode, key=key)
    assert is_safe(frame)
    assert frame.pages[0].html.count("<tr data-key=") == 50


def test_long_keys_stay_apart_and_stay_the_same(batches):
    columns = [("k", "string", True), ("n", "int", False)]
    rows = [("x" * 9000 + str(i), i) for i in range(3)]
    frames = [shown(batches, columns, rows) for _ in range(2)]
    keys = [re.findall('data-key="([^"]*)"', frame.pages[0].html) for frame in frames]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3
    assert max(map(len, keys[0])) < 100


def test_only_right_to_left_text_gets_a_direction(batches):
    columns = [("k", "string", True), ("v", "string", False)]
    html = shown(batches, columns, [(RIGHT_TO_LEFT, "a")], [(RIGHT_TO_LEFT, "b")]).pages[0].html
    assert html.count('dir="auto"') == 1
    changed = shown(batches, columns, [("a", RIGHT_TO_LEFT)], [("a", RIGHT_TO_LEFT + "!")])
    # The arrow between old and new keeps its place: each value is isolated.
    assert f"<bdi>{RIGHT_TO_LEFT}</bdi> →</span>" in changed.pages[0].html
    assert f'<b dir="auto">{RIGHT_TO_LEFT}!</b>' in changed.pages[0].html


def test_nested_values_have_a_short_text():
    value = Row(place=Row(city="Ulm", zip=None), tags=["a", 1.5], at=TEN)
    assert (
        text_of(value) == "{place: {city: Ulm, zip: null}, tags: [a, 1.50], at: 2024-01-01 10:00}"
    )
    assert text_of({"a": TEN}) == "{a: 2024-01-01 10:00}"
    assert len(text_of(list(range(100_000)))) < 1000
    assert len(text_of(bytes(100_000))) < 3000


def test_control_characters_become_signs():
    assert cut("a\x1b[1m\x00\r\nb\u202e") == "a␛[1m␀␍⏎b\ufffd"
