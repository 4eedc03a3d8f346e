"""Lesson 05, Kafka: its checks and its quiz."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labkit.course.judging.checks import (
    CheckedRow,
    Mistake,
    Verdict,
    check,
    compare,
    not_yet,
    passed,
)
from labkit.course.judging.verdicts import Sign
from labkit.course.quizzes.questions import Choice, Question
from labkit.course.running.own_topics import OwnTopics, Record
from labkit.course.running.trouble import type_name
from labkit.services.kafka import kafka

Rows = list[dict[str, Any]]

# ---- 05.1: parse orders ----

# One message is no order, one amount is whole, and one order was sent twice.
MESSAGES: list[Record] = [
    ("north", '{"id": 31, "who": "kim", "amount": 12.5}', None),
    ("south", '{"id": 32, "who": "lea", "amount": 8}', None),
    ("north", "closed today", None),
    ("south", '{"id": 32, "who": "lea", "amount": 8}', None),
    ("north", '{"id": 33, "who": "max", "amount": 0.75}', None),
]
FIELDS = ("id", "who", "amount")


def _orders() -> Rows:
    texts = [value for _, value, _ in MESSAGES]
    return [json.loads(t) if t[0] == "{" else dict.fromkeys(FIELDS) for t in texts]


def _orders_with(change: Callable[[dict[str, Any]], Any], column: str) -> Rows:
    """Return the orders with one column changed; what is null stays null."""
    return [row | {column: change(row) if row["id"] else None} for row in _orders()]


def _as_text(row: dict[str, Any], column: str) -> dict[str, Any]:
    return row if row[column] is None else row | {column: str(row[column])}


def _parse_mistakes() -> tuple[Mistake, ...]:
    shops = [row | {"who": key} for row, (key, _, _) in zip(_orders(), MESSAGES, strict=True)]
    whole = _orders_with(lambda row: row["amount"] if row["amount"] == 8 else None, "amount")
    amount_text, id_text = ([_as_text(row, name) for row in _orders()] for name in ("amount", "id"))
    return (
        Mistake(
            "The amount is null in **2 orders**: 12.5 and 0.75 are no whole numbers, and a value "
            "that does not fit its type becomes null.",
            whole,
        ),
        Mistake(
            "**who** holds the key of the message. The customer stands in the value.",
            shops,
        ),
        Mistake(
            "**who** holds the key of the message.",
            [r | {"who": s["who"]} for r, s in zip(_orders(), shops, strict=True) if r["id"]],
        ),
        Mistake(
            "One message is no JSON, and it is gone. Asked is one row for **each** message.",
            [row for row in _orders() if row["id"]],
        ),
        *(
            Mistake("The amount is **text**. Give it a type that can be added up.", rows)
            for rows in (amount_text, [_as_text(row, "id") for row in amount_text])
        ),
        Mistake("The id is **text**. In the message it is a number.", id_text),
        *(
            Mistake(
                f"**{name}** is null in every row: the message has no field of the name that your "
                "schema says. Capital letters count.",
                _orders_with(lambda _: None, name),
            )
            for name in FIELDS
        ),
        Mistake(
            "**Every** value is null: no name of your schema is a field of the messages.",
            [dict.fromkeys(FIELDS) for _ in MESSAGES],
        ),
    )


@check(
    "05.1",
    title="parse orders",
    minutes=6,
    look_at="Bytes become rows",
    hints=(
        "Which column of the stream holds the order, and of what type is it?",
        'First `cast("string")`, then `from_json` with a schema, then `select("o.*")`.',
        "Which type takes 8 as well as 12.5?",
        '`F.from_json(F.col("value").cast("string"), "id int, who string, amount double")`.',
    ),
    answer="function",
)
def parse(answer: Callable[[Any], Any]) -> Verdict:
    """Give the function messages of a topic that the lesson does not show."""
    with OwnTopics() as own:
        messages = own.stream(own.topic("parse", MESSAGES, partitions=2))
        returned = answer(messages)
        wrong = _no_stream(returned)
        if wrong is not None:
            return wrong
        rows = own.rows_of(returned)
    if not rows:
        return not_yet(f"No row came out; the topic holds **{len(MESSAGES)} messages**.")
    wrong = compare(rows, _orders(), mistakes=_parse_mistakes(), key="id")
    return wrong or passed(
        "**5 messages, 5 rows**: 12.5 kept its fraction, and the message that is no JSON is a row "
        "of nulls.",
        "A row of nulls is easy to count, and easy to overlook. Count the nulls of a column that "
        "every order has.",
    )


def _no_stream(returned: Any) -> Verdict | None:
    from pyspark.sql import DataFrame  # noqa: PLC0415 - only when there is a session

    if isinstance(returned, DataFrame) and returned.isStreaming:
        return None
    found = "a DataFrame that is not a stream"
    if not isinstance(returned, DataFrame):
        found = f"an object of the type `{type_name(returned)}`"
    return not_yet(f"Your function returns {found}. Return what you make of `messages`.")


# ---- 05.2: read again in spite of an old checkpoint ----

READ: list[Record] = [("kim", f"order {n}", n % 2) for n in range(5)]
OLD_IS_LOST = (
    "All rows came, but the folder `old` is **not what it was**: its own query would not find its "
    "place. Leave it alone, and take another folder."
)
UNREAD: list[Record] = [("lea", f"order {n}", n % 2) for n in (5, 6)]


@check(
    "05.2",
    title="read again in spite of an old checkpoint",
    minutes=8,
    look_at="The place is in the checkpoint",
    hints=(
        "What says where the query begins: the option, or the checkpoint? And when?",
        "The old folder has a place in it. Does a new folder have one?",
        "In a new folder the option counts. Without it, a stream begins at the end of the topic.",
        'Place: `lab.folder("again").path`. Start: `reader.option("startingOffsets", "earliest")`.',
    ),
    answer="function",
)
def read_again(answer: Callable[[str, str], Any]) -> Verdict:
    """Bring a topic and the checkpoint of a query that has read most of it."""
    with OwnTopics() as own:
        topic, old = own.topic("again", READ, partitions=2), own.folder()
        own.drain(_to_nowhere(own, topic, old))
        own.send(topic, UNREAD)
        before = _files_of(old)
        for when in ("", "The first time all rows came. The second time: "):
            wrong = _read_again(own, answer(topic, old), when)
            if wrong is not None:
                return wrong
            if _files_of(old) != before:
                return not_yet(OLD_IS_LOST)
        went_on = own.drain(_to_nowhere(own, topic, old))
        left = sum(batch.numInputRows for batch in went_on.recentProgress)
    if left != len(UNREAD):
        return not_yet(OLD_IS_LOST)
    return passed(
        "**7 rows** came, and 7 again the second time. The old query still finds its place: it "
        "goes on with the **2** new rows.",
        "A place is a folder. Another folder is another place, and nothing is read twice by "
        "accident.",
    )


def _files_of(folder: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*")}


def _to_nowhere(own: OwnTopics, topic: str, place: str) -> Any:
    return own.stream(topic).writeStream.format("noop").option("checkpointLocation", place)


def _read_again(own: OwnTopics, writer: Any, when: str) -> Verdict | None:
    wrong = _no_writer(writer)
    if wrong is not None:
        return wrong
    values = [_text(row.get("value")) for row in own.sent_by(writer)]
    wanted = sorted(value for _, value, _ in READ + UNREAD)
    if sorted(values) == wanted:
        return None
    lines = _beside(sorted(values), wanted)
    return not_yet(when + _reason(values), lines, place="value")


def _reason(values: list[str]) -> str:
    if not values:
        return (
            "**No row** came. A place without an entry begins at the end of the topic when "
            "`startingOffsets` is not there or misspelled; a place that is used again is an old "
            "checkpoint."
        )
    if sorted(values) == sorted(value for _, value, _ in UNREAD):
        return (
            "Only the **2 new rows** came. The old checkpoint has a place, and then "
            "`startingOffsets` does not count."
        )
    return f"**{len(values)} rows** came, and the topic holds {len(READ + UNREAD)}."


def _beside(values: list[str], wanted: list[str]) -> list[CheckedRow]:
    lines = []
    for value in sorted({*values, *wanted}):
        came, should = values.count(value), wanted.count(value)
        sign: Sign = "=" if came == should else "−" if not came else "+" if not should else "Δ"
        lines.append(CheckedRow(sign, value, came or None, should or None))
    return lines


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, bytes | bytearray) else str(value)


def _no_writer(returned: Any) -> Verdict | None:
    from pyspark.sql.streaming.query import StreamingQuery  # noqa: PLC0415 - see _no_stream
    from pyspark.sql.streaming.readwriter import DataStreamWriter  # noqa: PLC0415

    if isinstance(returned, DataStreamWriter):
        return None
    if isinstance(returned, StreamingQuery):
        return not_yet("Your function starts the query. Leave out `start()`: the check starts it.")
    return not_yet(
        f"Your function returns an object of the type `{type_name(returned)}`. Return the "
        "writer: what begins with `rows.writeStream`."
    )


# ---- 05.3: lag from unseen progress ----

Progress = dict[str, Any]
BEFORE = 4
SIZES = {"lag": (18, 7), "lag-too": (12,)}
LIMIT = 10


@check(
    "05.3",
    title="lag from unseen progress",
    minutes=8,
    look_at="How far behind",
    hints=(
        "Two positions of the source tell it: how far the query is, and how far the topic.",
        "Take `json.loads(progress.json)`: there the offsets are numbers in a dict in a dict.",
        "Each topic has its partitions, and a query may read several topics. Add them all up.",
        "For each topic: the sum of `latestOffset` minus the sum of `endOffset`.",
    ),
    answer="function",
)
def waiting(answer: Callable[[Any], Any]) -> Verdict:
    """Give the function each progress of a query over two topics that catches up."""
    with OwnTopics() as own:
        reports = _catching_up(own)
    left, expected = sum(map(sum, SIZES.values())), []
    for report in reports:
        left -= report.numInputRows
        expected.append(left)
    came = [answer(report) for report in reports]
    odd = next((one for one in came if not _is_count(one)), 0)
    if not _is_count(odd):
        said = f"Your function returns {_shown(odd)}, of the type `{type(odd).__name__}`"
        return not_yet(f"{said}. It must be a number.")
    counts = [round(float(one), 6) for one in came]
    if counts == expected:
        return passed(
            f"**{expected[0]} rows** waited after batch 0, and none after the last batch: both "
            "topics and all partitions counted.",
            "The largest lag of one partition tells which one is slow. The sum tells how much "
            "work there is.",
        )
    lines = [
        CheckedRow("=" if one == should else "Δ", f"batch {n}", _plain(one), should)
        for n, (one, should) in enumerate(zip(counts, expected, strict=True))
    ]
    return not_yet(_lag_cause(counts, [json.loads(r.json) for r in reports]), lines, place="after")


def _catching_up(own: OwnTopics) -> list[Any]:
    names = [own.topic(word, partitions=len(sizes)) for word, sizes in SIZES.items()]
    for name, sizes in zip(names, SIZES.values(), strict=True):
        # Offsets that begin at 0 would make a position look like a number of rows.
        own.send(name, [(None, "old", part) for part in range(len(sizes)) for _ in range(BEFORE)])
        own.empty(name)
        own.send(name, [(None, "new", part) for part, n in enumerate(sizes) for _ in range(n)])
    stream = own.stream(*names, maxOffsetsPerTrigger=LIMIT)
    writer = stream.writeStream.format("noop").option("checkpointLocation", own.folder())
    query = writer.start()
    try:
        query.processAllAvailable()
        return [report for report in query.recentProgress if report.numInputRows]
    finally:
        query.stop()


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"**{str(value)[:40]}**"


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _lag_cause(counts: list[float], reports: list[Progress]) -> str:
    for cause, of in _LAG_MISTAKES:
        if counts == [round(float(of(report["sources"][0])), 6) for report in reports]:
            return cause
    return (
        "Your numbers are not the rows that still wait. Those are `latestOffset` minus "
        "`endOffset`, over all topics and partitions."
    )


def _total(offsets: dict[str, dict[str, int]] | None) -> int:
    return sum(sum(parts.values()) for parts in (offsets or {}).values())


def _first_topic(source: Progress) -> int:
    name = min(source["latestOffset"])
    return _total({name: source["latestOffset"][name]}) - _total({name: source["endOffset"][name]})


def _first_partition(source: Progress) -> int:
    latest, end = source["latestOffset"], source["endOffset"]
    return sum(int(latest[name]["0"]) - int(end[name]["0"]) for name in latest)


def _metric(word: str) -> Callable[[Progress], float]:
    return lambda source: float(source["metrics"][f"{word}OffsetsBehindLatest"])


_LAG_MISTAKES: tuple[tuple[str, Callable[[Progress], float]], ...] = (
    (
        "The average is **rounded** to one decimal, so this is no whole number of rows.",
        lambda s: float(s["metrics"]["avgOffsetsBehindLatest"]) * 3,
    ),
    (
        "These are the rows that each batch **has read**. Asked are the rows that still wait.",
        lambda source: source["numInputRows"],
    ),
    (
        "That is the lag of the **slowest partition** alone. The query reads three.",
        _metric("max"),
    ),
    (
        "That is the **average** of the partitions. Asked is their sum.",
        _metric("avg"),
    ),
    (
        "That is the lag of the **fastest partition** alone. The query reads three.",
        _metric("min"),
    ),
    (
        "You count from where the batch **began**. What it has read does not wait any more.",
        lambda s: _total(s["latestOffset"]) - _total(s["startOffset"]),
    ),
    (
        "You counted **one topic**. The query reads two.",
        _first_topic,
    ),
    (
        "You counted **partition 0** of each topic. One of them has a second partition.",
        _first_partition,
    ),
    (
        "That is a **position** in the topics, not a distance. Take away where the query is.",
        lambda source: _total(source["latestOffset"]),
    ),
    (
        "That is **where the query is**. Take it away from where the topics end.",
        lambda source: _total(source["endOffset"]),
    ),
    (
        "Your distance is **negative**: take the position of the query from the end of the topics.",
        lambda s: _total(s["endOffset"]) - _total(s["latestOffset"]),
    ),
)

# ---- 05.4: route into two topics ----

PAID: list[tuple[str, float | None]] = [
    ("kim", 100.0),
    ("lea", 99.5),
    ("max", 250.0),
    ("kim", None),
    ("lea", 3.0),
]
PAID_SCHEMA = "who string, amount double"
# Kafka's sink waits so long for a topic; its own limit is a minute, longer than a check may take.
QUICK = {"kafka.max.block.ms": 10_000}
NO_TOPIC = re.compile(r"Topic (\S+) not present")
NAMES = "The names of the topics are the **arguments** `large` and `small`, not texts."


def _sent(large: Callable[[float | None], bool], *, key: bool = True) -> Rows:
    return [
        _record("large" if large(amount) else "small", who, amount, key) for who, amount in PAID
    ]


def _record(topic: str, who: Any, amount: Any, key: bool = True) -> dict[str, Any]:
    return {"topic": topic, "key": who if key else None, "who": who, "amount": amount}


def _is_large(amount: float | None) -> bool:
    return amount is not None and amount >= 100


def _route_mistakes() -> tuple[Mistake, ...]:
    right = _sent(_is_large)
    wins = (
        "All rows are in **one topic**. The option `topic` wins over the column: leave it out, "
        "and look at the condition."
    )
    return (
        Mistake(wins, _sent(lambda _: True)),
        Mistake(wins, _sent(lambda _: False)),
        Mistake(
            "The key is **null** in every record. Rows without a key are not kept together, nor "
            "in order. Add a column `key`.",
            _sent(_is_large, key=False),
        ),
        Mistake(
            "kim's **100** is in the small topic. Asked is large for 100 **or more**.",
            _sent(lambda amount: amount is not None and amount > 100),
        ),
        Mistake(
            "kim's order **without an amount** is in the large topic. A comparison with null is "
            "not true, so `otherwise` gets the row: turn the condition round.",
            _sent(lambda amount: amount is None or amount >= 100),
        ),
        Mistake(
            "The topics are **changed over**: large orders are in the small topic.",
            _sent(lambda amount: not _is_large(amount)),
        ),
        Mistake(
            "kim's order **without an amount** is lost. Asked is small for it.",
            [row for row in right if row["amount"] is not None],
        ),
    )


@check(
    "05.4",
    title="route into two topics",
    minutes=8,
    look_at="Back to Kafka",
    hints=(
        "Which columns does Kafka's sink look at, and which one chooses the topic?",
        "The value is text: `F.to_json(F.struct(...))`. The key is the customer.",
        "`F.when(condition, large).otherwise(small)`; and where does a row without amount go?",
        'No option `topic`: it wins. End with `.writeStream.format("kafka").options(**servers)`.',
    ),
    answer="function",
)
def route(answer: Callable[[Any, str, str], Any]) -> Verdict:
    """Let the function's query write, and read both topics with another client."""
    from pyspark.errors import StreamingQueryException  # noqa: PLC0415 - see _no_stream
    from pyspark.sql import functions as F  # noqa: PLC0415 - see _no_stream

    records = [(who, json.dumps({"who": who, "amount": amount}), None) for who, amount in PAID]
    with OwnTopics() as own:
        large, small = own.topic("large"), own.topic("small")
        text = own.stream(own.topic("paid", records)).select(F.col("value").cast("string"))
        paid = text.select(F.from_json("value", PAID_SCHEMA).alias("o")).select("o.*")
        writer = answer(paid, large, small)
        wrong = _no_writer(writer)
        if wrong is not None:
            return wrong
        try:
            own.drain(writer.option("checkpointLocation", own.folder()).options(**QUICK))
        except StreamingQueryException as error:
            missing = NO_TOPIC.search(str(error))
            if missing is None:
                raise
            return not_yet(f"There is no topic **{missing[1]}**. {NAMES}")
        sent = [("large", row) for row in _records(large)] + [
            ("small", row) for row in _records(small)
        ]
    return _judge_sent(sent)


def _records(topic: str) -> Rows:
    found = kafka().records(topic, limit=100)
    return [{"key": key, "value": value} for key, value in zip(found.key, found.value, strict=True)]


def _judge_sent(sent: list[tuple[str, dict[str, Any]]]) -> Verdict:
    if not sent:
        return not_yet(
            '**Nothing** is in either topic. The sink is `format("kafka")`, and the topic of a '
            "row stands in its column `topic`."
        )
    rows = []
    for topic, record in sent:
        order = _read_json(record["value"])
        if order is None:
            said = f"A value is {_shown(record['value'])}"
            return not_yet(f"{said}. Asked is JSON with `who` and `amount`.")
        rows.append(_record(topic, order.get("who"), order.get("amount")) | {"key": record["key"]})
    wrong = compare(rows, _sent(_is_large), mistakes=_route_mistakes(), key=("who", "amount"))
    return wrong or passed(
        "**2 orders** are in the large topic and **3** in the small one, each with its customer "
        "as key; the order without an amount is small.",
        "One query can fill many topics. A topic that is not there ends it, so make them first.",
    )


def _read_json(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


QUIZ = (
    Question(
        "A topic has **3** partitions. Orders of anna are sent with the key `anna`. In which order "
        "does a query get them?",
        facts="one key, three partitions",
        choices=(
            Choice(
                "In no certain order: Kafka keeps no order.",
                hint="What do the offsets of one partition count?",
            ),
            Choice(
                "In the order in which they were sent.",
                why="Equal keys go to **one** partition, and a partition keeps its order. Between "
                "two keys there is no such promise.",
            ),
            Choice(
                "Sorted by the time in the order.",
                hint="Does Kafka look into the value?",
            ),
        ),
        answer="60bedeb4664b",
    ),
    Question(
        "A query has read a topic to its end and was stopped. You set `startingOffsets` to "
        "`earliest` and start it with the same checkpoint. What does it read?",
        facts="nothing new in the topic",
        choices=(
            Choice(
                "Nothing: it goes on from its place.",
                why="The checkpoint has a place, and then the option does **not** count. A new "
                "folder has no place yet.",
            ),
            Choice(
                "Everything: the option says so.",
                hint="The option speaks of a start. Is this the first start of this query?",
            ),
            Choice(
                "It is refused: place and option differ.",
                hint="Spark asks one of the two first. Which one can tell more exactly?",
            ),
        ),
        answer="bd0911f3c2cd",
    ),
    Question(
        "A query in **update** mode sends totals of customers to a topic. anna buys three times, "
        "in three batches. How many records of anna are in the topic?",
        facts="groupBy who, sum · update · Kafka sink",
        choices=(
            Choice(
                "1: the newest total replaces the one before.",
                hint="A topic is a log. Does Kafka change a record that it has?",
            ),
            Choice(
                "3: one for each batch that changed her total.",
                why="Update sends what has changed, and a topic only grows. A reader takes the "
                "newest record of each key.",
            ),
            Choice(
                "None: update mode cannot write to Kafka.",
                hint="Which modes did the file sink refuse, and why? Does that hold for a log?",
            ),
        ),
        answer="acddbeff2eb8",
        lesson="03",
    ),
)
