"""``labkit demo``: the main job in a terminal, from real rows to a table that moves.

Events reach a folder, a socket or Kafka step by step; Spark reads them from there, keeps a
result in a memory table, and the table is printed after each batch with its change signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit import control
from labkit.engine.session import spark as spark_session
from labkit.errors import require_choice, require_int
from labkit.events.orders import Orders
from labkit.events.stocks import Stocks
from labkit.events.stream import EventStream
from labkit.feeds.feed import Feed, feed
from labkit.feeds.folder import folder
from labkit.feeds.socket_server import socket
from labkit.services.kafka import kafka
from labkit.views.table.live import LiveTable, live

NAME = "demo"
ROWS_PER_STEP = 15


@dataclass(frozen=True)
class Story:
    """What the demo tells: some events, and the aggregation that is kept of them."""

    events: Callable[[int], EventStream]
    totals: Callable[[Any], Any]


def demo(
    *,
    to: str = "folder",
    events: str = "stocks",
    batches: int = 5,
    seed: int = 7,
    say: Callable[[str], None] = print,
) -> None:
    """Feed events to a system, let Spark keep totals of them, and show every batch.

    Parameters
    ----------
    to
        ``folder``, ``socket`` or ``kafka`` (a real broker, started for the demo).
    events
        ``stocks``: real daily prices of one share; ``orders``: made-up orders.
    batches
        How many steps to take, 1 to 100; each is one micro-batch.
    seed
        For ``orders``: the same seed gives the same rows.
    say
        Gets each line or table.

    Raises
    ------
    InvalidArgument
        An argument is out of its range; nothing was started.

    Examples
    --------
    >>> demo(to="folder", batches=2)  # doctest: +SKIP
    """
    require_choice("to", to, tuple(SOURCES))
    require_choice("events", events, tuple(STORIES))
    require_int("batches", batches, low=1, high=100)
    story = STORIES[events]
    stream = story.events(seed)
    try:
        spark = spark_session()
        rows, source = SOURCES[to](spark, stream)
        totals = story.totals(source)
        writer = totals.writeStream.format("memory").queryName(NAME).outputMode("complete")
        say(_play(rows, live(writer.start()), batches, say))
    finally:
        control.stop_all()


def _play(rows: Feed, view: LiveTable, batches: int, say: Callable[[str], None]) -> str:
    """Take the steps, show the table after each, and return the last line."""
    events_in = 0
    for _ in range(batches):
        rows.step(1, view.query)
        table = view.model
        events_in += table.batch.progress.input_rows if table.batch else 0
        say(view.to_text() + "\n")
    return f"demo: {batches} batches, {events_in} events in, {table.total} rows in the table"


def _from_folder(spark: Any, events: EventStream) -> tuple[Feed, Any]:
    rows = feed(events, to=folder(NAME, format="json"), batch=ROWS_PER_STEP)
    reader = spark.readStream.schema(events.schema).option("maxFilesPerTrigger", 1)
    return rows, reader.json(rows.path)


def _from_socket(spark: Any, events: EventStream) -> tuple[Feed, Any]:
    rows = feed(events, to=socket(), batch=ROWS_PER_STEP)
    reader = spark.readStream.format("socket").option("host", rows.host).option("port", rows.port)
    return rows, _parsed(reader.load(), events)


def _from_kafka(spark: Any, events: EventStream) -> tuple[Feed, Any]:
    broker = kafka()
    rows = feed(events, to=broker.topic(NAME), batch=ROWS_PER_STEP)
    reader = spark.readStream.format("kafka").options(**broker.options(NAME))
    return rows, _parsed(reader.load(), events)


def _parsed(lines: Any, events: EventStream) -> Any:
    """Read the columns out of a column ``value`` of JSON text."""
    from pyspark.sql import functions as F  # noqa: PLC0415 - labkit's command line stays quick

    text = F.col("value").cast("string")
    return lines.select(F.from_json(text, events.schema).alias("row")).select("row.*")


def _by_month(prices: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - labkit's command line stays quick

    month = F.date_format("Date", "yyyy-MM").alias("month")
    days, highest = F.count("*").alias("days"), F.max("High").alias("highest")
    return prices.groupBy("Name", month).agg(days, highest)


def _by_category(orders: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - labkit's command line stays quick

    amount = F.round(F.sum("amount"), 2).alias("amount")
    return orders.groupBy("category").agg(F.count("*").alias("orders"), amount)


SOURCES: dict[str, Callable[[Any, EventStream], tuple[Feed, Any]]] = {
    "folder": _from_folder,
    "socket": _from_socket,
    "kafka": _from_kafka,
}
STORIES = {
    "stocks": Story(lambda _: Stocks(tickers=["AAPL"]), _by_month),
    "orders": Story(lambda seed: Orders(seed=seed), _by_category),
}
