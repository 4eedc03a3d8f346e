"""Programs with DStreams: contexts that do not start, jobs that fail, windows that do not fit."""

from __future__ import annotations

from collections.abc import Callable

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature
from labkit.engine.spark_end import was_stopped_by_dstreams

_PARTS = "A program has four parts"
_HAND = "One interval in the hand: foreachRDD"
_OPERATORS = "The operators"
_TABLE = "A table from outside: transform"
# How Java tells that a function of ours has failed in a batch.
_IN_A_BATCH = "An exception was raised by Python"


def _is_in_a_batch(facts: Facts) -> bool:
    return _IN_A_BATCH in facts.said


def _raises(*pieces: str) -> Callable[[Facts], bool]:
    """Look at what Python says behind Java's error; ``facts.said`` leaves that out."""

    def holds(facts: Facts) -> bool:
        return any(piece in head for head in facts.heads for piece in pieces)

    return holds


def _uses_spark_on_workers(facts: Facts) -> bool:
    if _raises("RDD_TRANSFORM_ONLY_VALID_ON_DRIVER")(facts):
        return True
    return _is_in_a_batch(facts) and _raises("CONTEXT_ONLY_VALID_ON_DRIVER")(facts)


def _is_in_own_code(facts: Facts) -> bool:
    return _is_in_a_batch(facts) and facts.own is not None


def _has_no_pairs(facts: Facts) -> bool:
    unpacks = _raises("cannot unpack non-iterable", "values to unpack")(facts)
    return unpacks and facts.function in {"mergeValues", "add_shuffle_key"}


def _has_lost_spark(_facts: Facts) -> bool:
    return was_stopped_by_dstreams()


# The first that fits counts, so the special ones stand before the general ones.
TABLE = (
    Signature(
        id="D01",
        fragments=("No output operations registered",),
        sentence="No DStream has an output, so there is nothing to do.",
        cure="Add one before ssc.start(), such as counts.pprint() or counts.foreachRDD(…).",
        reason="Operators such as map only make a plan. An output asks for the elements.",
        lesson="06",
        heading=_PARTS,
    ),
    Signature(
        id="D03",
        fragments=("Only one StreamingContext may be started",),
        sentence="Another streaming context runs, and Spark runs only one at a time.",
        cure="Stop the other one with ssc.stop(stopSparkContext=False).",
        lesson="06",
        heading=_PARTS,
    ),
    Signature(
        id="D04",
        fragments=("StreamingContext has already been stopped", "after stopping a context"),
        sentence="This streaming context was stopped, and Spark never starts one again.",
        cure="Make a new one with lab.streaming_context(), and the DStreams on it anew.",
        lesson="06",
        heading=_PARTS,
    ),
    Signature(
        id="D05",
        fragments=("after starting a context is not supported",),
        sentence="The streaming context runs already, and its plan can no longer change.",
        cure="Define all DStreams and outputs first, and call ssc.start() last.",
        lesson="06",
        heading=_PARTS,
    ),
    Signature(
        id="D06",
        fragments=("'NoneType' object has no attribute", "stopped SparkContext"),
        needs=_has_lost_spark,
        sentence="ssc.stop() has stopped Spark, too.",
        cure="Get it again with spark = lab.spark(); next time ssc.stop(stopSparkContext=False).",
        lesson="06",
        heading=_PARTS,
    ),
    Signature(
        id="D07",
        fragments=("must be multiple of the parent dstream", "must be a multiple of the slide"),
        sentence="A window and its slide must be whole numbers of batches.",
        cure="With batches of 2 seconds: window(4, 2).",
        reason="A DStream has nothing smaller than a batch, so no window can end inside one.",
        lesson="07",
    ),
    Signature(
        id="D08",
        fragments=("checkpoint directory has not been set",),
        sentence="State and inverse windows need a checkpoint folder, and there is none.",
        cure="Call ssc.checkpoint(folder) before ssc.start().",
        reason="Each batch is made from the one before. Without a checkpoint that chain would "
        "reach back to the first batch for ever.",
        lesson="07",
    ),
    Signature(
        id="D10",
        fragments=("PicklingError",),
        needs=_uses_spark_on_workers,
        sentence="Spark or an RDD is used inside a function that runs on the workers.",
        cure="Join the two RDDs in transform(lambda rdd: rdd.join(other)).",
        reason="Workers have no Spark of their own, and an RDD is only a plan.",
        lesson="06",
        heading=_TABLE,
    ),
    Signature(
        id="D12",
        fragments=("queueStream doesn't support checkpointing",),
        sentence="A DStream of a queue cannot come back from a checkpoint.",
        cure="Read files instead: ssc.textFileStream(folder).",
        lesson="07",
    ),
    Signature(
        id="D17",
        fragments=("AttributeError",),
        needs=_raises("has no attribute '_jrdd'"),
        sentence="The function gave back a value where an RDD, or nothing, has its place.",
        cure="transform(…) takes a function that gives an RDD, foreachRDD(…) one that gives None.",
        lesson="06",
        heading=_HAND,
    ),
    Signature(
        id="D17",
        fragments=("has no attribute '__code__'",),
        sentence="transform and foreachRDD take a function that is written in Python.",
        cure="Write it as in foreachRDD(lambda rdd: print(rdd.collect())).",
        lesson="06",
        heading=_HAND,
    ),
    Signature(
        id="D18",
        fragments=("has no attribute '_jdstream'", "has no attribute '_slideDuration'"),
        sentence="This operator joins two DStreams, and one of the two is none.",
        cure="Join an RDD with each interval: transform(lambda rdd: rdd.join(other)).",
        lesson="06",
        heading=_TABLE,
    ),
    Signature(
        id="D19",
        needs=_has_no_pairs,
        sentence="An operator for pairs, such as reduceByKey, got elements that are no pairs.",
        cure="Make pairs first: map(lambda word: (word, 1)).",
        reason="It takes each element apart, into a key and a value.",
        lesson="06",
        heading=_OPERATORS,
    ),
    Signature(
        id="D11",
        needs=_is_in_own_code,
        sentence="Your function raised an error, and the batch failed.",
        cure="Correct the line, or catch the error in the function of map(…): try: … except ….",
        reason="Spark tells of it only to whoever waits: ssc.awaitTerminationOrTimeout(2).",
        lesson="07",
    ),
)
