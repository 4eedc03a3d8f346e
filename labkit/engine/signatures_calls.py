"""Calls that Spark refuses before a query runs: reading, columns, words, sinks and names."""

from __future__ import annotations

import re

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature

_UNRESOLVED = re.compile(r"name `(?P<name>\w+)` cannot be resolved")
_WINDOW_PARTS = {"start", "end", "window_start", "window_end"}


def _asks_for_a_part_of_window(facts: Facts) -> bool:
    asked = _UNRESOLVED.search(facts.said)
    return asked is not None and asked["name"] in _WINDOW_PARTS and "`window`" in facts.said


def _is_from_a_json_call(facts: Facts) -> bool:
    return "from_json" in facts.said


TABLE = (
    Signature(
        id="M01",
        fragments=("must be executed with writeStream.start",),
        sentence="A streaming DataFrame is a plan without an end, so it has no rows to show yet.",
        cure="Start a query with df.writeStream….start(), then read its table: "
        "spark.table(name).show().",
        lesson="01",
    ),
    Signature(
        id="M01",
        condition="CALL_ON_STREAMING_DATASET_UNSUPPORTED",
        sentence="write is for a static DataFrame, and this one is a stream.",
        cure="Use df.writeStream….start().",
        lesson="01",
    ),
    Signature(
        id="M02",
        condition="WRITE_STREAM_NOT_ALLOWED",
        sentence="writeStream is for a stream, and this DataFrame is static.",
        cure="Make it with spark.readStream….load(…), not with spark.read.",
        lesson="02",
    ),
    Signature(
        id="M03",
        fragments=("Schema must be specified when creating a streaming source",),
        sentence="A stream of files needs a schema, and keeps it for its whole life.",
        cure='Call .schema("name string, amount int") before .load(…), or take the schema of a '
        "static read: .schema(spark.read.json(path).schema).",
        lesson="02",
    ),
    Signature(
        id="M03",
        fragments=("'path' is not specified",),
        sentence="The folder is missing.",
        cure="Give it: .load(path) for reading, .start(path) for writing.",
        lesson="02",
    ),
    Signature(
        id="M03",
        condition="PATH_NOT_FOUND",
        sentence="The folder to read from is not there.",
        cure="Make the folder first, or correct the path in .load(path).",
        lesson="02",
    ),
    Signature(
        id="M03",
        condition="UNSUPPORTED_DATATYPE",
        sentence="The schema names a type that Spark does not know.",
        cure='Correct the type, as in .schema("name string, amount int, at timestamp").',
        lesson="02",
    ),
    Signature(
        id="M07",
        fragments=("checkpointLocation must be specified",),
        sentence="This sink needs a checkpoint folder, where the query keeps its place.",
        cure='Add .option("checkpointLocation", folder), with one folder for each query.',
        lesson="02",
    ),
    Signature(
        id="M08",
        fragments=("queryName must be specified for memory sink",),
        sentence="The memory sink needs a name, because the name becomes the table.",
        cure='Add .queryName("totals").',
        lesson="01",
    ),
    Signature(
        id="M08",
        fragments=("Invalid view name",),
        sentence="The query's name cannot be the name of a table.",
        cure='Use letters, digits and _ only, as in .queryName("my_totals").',
        lesson="01",
    ),
    Signature(
        id="M08",
        condition="TABLE_OR_VIEW_NOT_FOUND",
        sentence="There is no table of this name; a query makes its table when it starts.",
        cure='Start the query with .format("memory").queryName(name)….start() first, '
        "and look at the spelling of the name.",
        lesson="01",
    ),
    Signature(
        id="M10",
        condition="NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
        sentence="Functions with OVER, such as row_number or lag, do not run on a stream.",
        cure="Group by window(…), or use max_by(…) in groupBy(…).agg(…).",
        lesson="08",
        heading="Further: the other kind of window",
    ),
    Signature(
        id="M12",
        condition="STREAMING_OUTPUT_MODE.INVALID",
        sentence="There is no output mode of this name.",
        cure='Use outputMode("append"), outputMode("update") or outputMode("complete").',
        lesson="03",
    ),
    Signature(
        id="M12",
        condition="VALUE_NOT_NON_EMPTY_STR",
        fragments=("processingTime", "continuous"),
        sentence="The trigger's interval is a text, not a number.",
        cure='Write it with its unit: trigger(processingTime="5 seconds").',
        lesson="04",
    ),
    Signature(
        id="M12",
        condition="ONLY_ALLOW_SINGLE_TRIGGER",
        sentence="A query has exactly one trigger.",
        cure='Keep one of them: trigger(processingTime="5 seconds") or trigger(availableNow=True).',
        lesson="04",
    ),
    Signature(
        id="M12",
        condition="VALUE_NOT_TRUE",
        fragments=("`once`", "`availableNow`"),
        sentence="once and availableNow can only be True.",
        cure="Write trigger(availableNow=True), or leave the trigger out.",
        lesson="04",
    ),
    Signature(
        id="M12",
        fragments=("DataStreamWriter.trigger()",),
        sentence="trigger takes one argument, and it must be given by its name.",
        cure='Write trigger(processingTime="5 seconds") or trigger(availableNow=True).',
        lesson="04",
    ),
    Signature(
        id="M12",
        fragments=("cannot import name 'Trigger'",),
        sentence="Python has no class Trigger for streams; it is Scala's.",
        cure='Write .trigger(processingTime="5 seconds") or .trigger(availableNow=True).',
        lesson="04",
    ),
    Signature(
        id="M12",
        fragments=("interval of trigger should not be negative", "support month or year interval"),
        sentence="A trigger's interval is zero or more, in units up to days.",
        cure='Write it as in trigger(processingTime="5 seconds").',
        lesson="04",
    ),
    Signature(
        id="M20",
        fragments=("Intervals greater than a month",),
        sentence="A window cannot be a month long, because months have no fixed length.",
        cure='Use window("ts", "30 days"), or group by date_trunc("month", "ts").',
        lesson="08",
        heading="Whose day is it?",
    ),
    Signature(
        id="M20",
        fragments=("`slide_duration`",),
        sentence="The slide is longer than the window, so some rows would be in no window.",
        cure='Slide by less than the window: window("ts", "10 minutes", "5 minutes").',
        lesson="08",
        heading="A row in three windows",
    ),
    Signature(
        id="M12",
        fragments=("delay threshold",),
        sentence="The delay of a watermark is zero or more.",
        cure='Write it as in withWatermark("ts", "1 minute").',
        lesson="09",
    ),
    # The general one of the texts with a unit, behind the special ones.
    Signature(
        id="M12",
        fragments=("[CANNOT_PARSE_INTERVAL]", "[INVALID_INTERVAL_FORMAT"),
        sentence="Spark cannot read this span of time.",
        cure='Write a number and an English unit, as in trigger(processingTime="5 seconds") or '
        'window("ts", "5 minutes").',
        lesson="04",
    ),
    Signature(
        id="M14",
        condition="UNRESOLVED_COLUMN",
        needs=_asks_for_a_part_of_window,
        sentence="start and end are not columns of their own; they are inside the column window.",
        cure='Write select("window.start", "window.end", …).',
        lesson="08",
        heading="A late row in the right place",
    ),
    Signature(
        id="M14",
        condition="UNRESOLVED_COLUMN",
        sentence="There is no column of this name.",
        cure="Compare the name with the columns in df.printSchema().",
        lesson="01",
    ),
    Signature(
        id="M16",
        condition="EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
        sentence="The column of withWatermark is not a timestamp.",
        cure='Make one first: withColumn("ts", to_timestamp("ts")), then withWatermark("ts", …).',
        lesson="08",
        heading="Times that are text",
    ),
    Signature(
        id="M51",
        fragments=("does not support recovering from checkpoint location",),
        sentence="A memory query cannot go on from a checkpoint, because its rows were lost when "
        "it stopped.",
        cure='Leave out .option("checkpointLocation", …) for the memory sink, '
        "or give it a new folder.",
        lesson="02",
    ),
    Signature(
        id="M54",
        fragments=("Cannot start query with name",),
        sentence="A query of this name still runs.",
        cure="Stop it with lab.stop(name), or all with lab.stop_all(), and run the cell again.",
        lesson="01",
    ),
    Signature(
        id="M61",
        fragments=("CONTEXT_ONLY_VALID_ON_DRIVER",),
        sentence="spark and DataFrames cannot be used inside a function that runs on the workers.",
        cure="Use a join instead, or do it in foreachBatch(…), which runs beside your notebook.",
        lesson="11",
    ),
    Signature(
        id="M61",
        fragments=("Could not serialize object", "PicklingError"),
        sentence="The function uses something that cannot be sent to the workers, such as a lock "
        "or a connection.",
        cure="Make it inside the function, in the method open() of foreach(…), or use "
        "foreachBatch(…).",
        lesson="11",
    ),
    Signature(
        id="M68",
        fragments=("Set a port to read from", "Set a host to read from"),
        sentence="The socket source needs a host and a port.",
        cure='Add .option("host", "127.0.0.1").option("port", port).',
        lesson="02",
    ),
    Signature(
        id="K06",
        condition="DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        needs=_is_from_a_json_call,
        sentence="from_json reads text, and Kafka's value is bytes.",
        cure='Cast it first: from_json(col("value").cast("string"), schema).',
        lesson="05",
    ),
    Signature(
        id="M12",
        condition="DATA_SOURCE_NOT_FOUND",
        sentence="Spark knows no source or sink of this name.",
        cure='Look at the spelling in .format("…"), such as "json", "memory" or "kafka".',
        lesson="02",
    ),
)
