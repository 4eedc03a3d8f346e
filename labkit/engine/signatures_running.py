"""Queries that started and then died: the learner's code, the rows, the checkpoint."""

from __future__ import annotations

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature


def _is_in_own_code(facts: Facts) -> bool:
    return facts.own is not None


def _is_in_own_batch(facts: Facts) -> bool:
    return any("FOREACH_BATCH_USER_FUNCTION_ERROR" in c for c in facts.conditions)


TABLE = (
    Signature(
        id="M36",
        fragments=("Redefining watermark",),
        sentence="The query sets a watermark twice on the same path.",
        cure="Call withWatermark(…) once on each input.",
        lesson="09",
    ),
    Signature(
        id="M18",
        condition="CAST_INVALID_INPUT",
        sentence="A value could not be read as the type that you asked for, and that ends a query.",
        cure="Use try_cast(…) or try_to_timestamp(…), which give null for such a value.",
        lesson="08",
        heading="Times that are text",
    ),
    Signature(
        id="M18",
        condition="CANNOT_PARSE_T",
        sentence="A text could not be read as a time, and that ends a query.",
        cure="Use try_to_timestamp(…), which gives null for such a text, "
        "and compare the format with the text.",
        lesson="08",
        heading="Times that are text",
    ),
    Signature(
        id="M18",
        condition="DIVIDE_BY_ZERO",
        sentence="A row divided by zero, and that ends a query.",
        cure="Use try_divide(…), which gives null for such a row.",
        lesson="01",
    ),
    Signature(
        id="M15",
        fragments=("MALFORMED_RECORD_IN_PARSING", "FAILED_READ_FILE.PARQUET"),
        sentence="A record does not have the form that the schema and the format ask for.",
        cure="Read a few records as text first, and compare them with the schema in .schema(…) or "
        "from_json(…).",
        lesson="02",
    ),
    Signature(
        id="M68",
        fragments=("ConnectException: Connection refused",),
        sentence="Nobody listens at the address of the socket source.",
        cure="Start the server first, for example with lab.feed(…, to=lab.socket()), "
        "then call start() again.",
        lesson="02",
    ),
    Signature(
        id="M56",
        fragments=("[STATE_STORE_KEY_SCHEMA", "[STATE_STORE_VALUE_SCHEMA"),
        sentence="The checkpoint keeps the state of a query with other groups or results.",
        cure='Use a new folder in .option("checkpointLocation", folder).',
        lesson="14",
    ),
    Signature(
        id="M56",
        fragments=("NOT_MATCH_IN_STATE_METADATA",),
        sentence="The checkpoint is of a query with other operations.",
        cure='Use a new folder in .option("checkpointLocation", folder).',
        lesson="14",
    ),
    Signature(
        id="M56",
        fragments=("sources in the checkpoint offsets",),
        sentence="The checkpoint is of a query with another number of sources.",
        cure='Use a new folder in .option("checkpointLocation", folder).',
        lesson="14",
    ),
    Signature(
        id="M70",
        fragments=("[STATE_STORE_CHECKPOINT_LOCATION_NOT_EMPTY]", "[CANNOT_LOAD_STATE_STORE"),
        sentence="A part of the checkpoint folder is missing.",
        cure='Delete the whole folder, or give a new one in .option("checkpointLocation", folder).',
        lesson="14",
    ),
    Signature(
        id="M59",
        condition="STATE_STORE_COMMIT_VALIDATION_FAILED",
        sentence="The function in foreachBatch read only a part of the batch, so a part of the "
        "state was not saved.",
        cure="Read the whole batch: df.persist() at the beginning, then df.count(), "
        "and df.unpersist() at the end.",
        lesson="11",
    ),
    Signature(
        id="M66",
        fragments=("SESSION_OR_CONTEXT_NOT_EXISTS", "stopped SparkContext"),
        sentence="The Spark session was stopped.",
        cure="Get it again with spark = lab.spark(), and run the cells from there.",
        lesson="01",
    ),
    Signature(
        id="M13",
        fragments=("ZeroDivisionError: ",),
        sentence="Your function divided by zero, and that ended the query.",
        cure="Guard the division, then run the cell with start() again.",
        needs=_is_in_own_code,
        lesson="01",
    ),
    Signature(
        id="M13",
        needs=_is_in_own_batch,
        sentence="Your function in foreachBatch raised an error, and that ended the query.",
        cure="Correct the line, then run the cell with start() again.",
        lesson="01",
    ),
    Signature(
        id="M13",
        needs=_is_in_own_code,
        sentence="Your function raised an error for a row, and that ended the query.",
        cure="Correct the line, then run the cell with start() again.",
        lesson="01",
    ),
)
