"""Lesson 06: right answers pass, and each typical wrong one is refused with its own cause."""

from operator import add

import pytest

from labkit.course.judging.checking import check
from labkit.engine.clock import stop_streaming, streaming_context

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

# Workers cannot import tests, so what travels to them is a lambda or a function of Python's own.
to_words = lambda line: line.lower().split()  # noqa: E731
to_pair = lambda word: (word, 1)  # noqa: E731
to_city = lambda pair: (pair[1][1] or "unknown", pair[1][0])  # noqa: E731


def counts(lines, *, cut=to_words, pair=to_pair, reduce=add):
    return lines.flatMap(cut).map(pair).reduceByKey(reduce)


def counts_with(**other):
    return lambda: lambda lines: counts(lines, **other)


def of_words(after):
    """Answer 06.1 with what a function makes of the words."""
    return lambda: lambda lines: after(lines.flatMap(to_words))


def per_city(bought, cities, *, city=to_city, reduce=add):
    joined = bought.transform(lambda rdd: rdd.leftOuterJoin(cities))
    return joined.map(city).reduceByKey(reduce)


def city_with(**other):
    return lambda: lambda bought, cities: per_city(bought, cities, **other)


def joined(join):
    """Answer 06.2 with another join."""

    def answer(bought, cities):
        return bought.transform(lambda rdd: join(rdd, cities)).map(to_city).reduceByKey(add)

    return lambda: answer


def lookup(bought, cities):
    return bought.map(lambda pair: (cities.lookup(pair[0])[0], pair[1])).reduceByKey(add)


def alone(bought, cities):
    return bought.transform(lambda rdd: rdd.leftOuterJoin(cities)).map(to_city)


def copied(bought, cities):
    city = cities.collectAsMap()
    return bought.map(lambda pair: (city.get(pair[0], "unknown"), pair[1])).reduceByKey(add)


def by_value(lines):
    return lines.flatMap(str.split).countByValue()


def job_a(ssc, lines):
    by_value(lines).pprint()
    ssc.start()


def job_b(ssc, lines):
    by_value(lines).foreachRDD(lambda rdd: print(rdd.collect()))  # noqa: T201
    ssc.start()


def output(make):
    """Return a job with this output."""

    def job(ssc, lines):
        make(by_value(lines))
        ssc.start()

    return job


def no_output(ssc, lines):
    by_value(lines)
    ssc.start()


def late(ssc, lines):
    counted = by_value(lines)
    ssc.start()
    counted.pprint()


def late_and_one_before(ssc, lines):
    lines.foreachRDD(lambda rdd: rdd.collect() and None)
    ssc.start()
    by_value(lines).pprint()


def not_started(_, lines):
    by_value(lines).pprint()


def of_lines(ssc, lines):
    lines.countByValue().pprint()
    ssc.start()


def only_words(ssc, lines):
    words = lines.flatMap(str.split).transform(lambda rdd: rdd.distinct())
    words.map(to_pair).pprint()
    ssc.start()


def stops(ssc, lines):
    job_a(ssc, lines)
    ssc.stop(stopSparkContext=False)


def stops_spark(ssc, lines):
    job_a(ssc, lines)
    ssc.stop()


def ends_early(ssc, lines):
    lines.flatMap(str.split).countByValue().pprint(1)
    ssc.start()


JOBS = {"a": job_a, "b": job_b, "c": job_a}


def jobs(**other):
    return lambda: JOBS | other


nothing = output(lambda pairs: pairs.foreachRDD(lambda rdd: rdd.collect() and None))
gives_back = output(lambda pairs: pairs.foreachRDD(lambda rdd: rdd.collect()))
in_workers = output(lambda pairs: pairs.foreachRDD(lambda rdd: rdd.foreach(print)))
a_plan = output(lambda pairs: pairs.foreachRDD(lambda rdd: rdd.map(print) and None))
first_only = output(lambda pairs: pairs.foreachRDD(lambda rdd: print(rdd.take(1))))  # noqa: T201
bare = output(lambda pairs: pairs.foreachRDD(print))
plain = output(
    lambda pairs: pairs.foreachRDD(
        lambda rdd: [print(word, n) for word, n in rdd.collect()] and None  # noqa: T201
    )
)

WRONG = {
    "06.1": [
        ("capitals", counts_with(cut=str.split), "counted apart"),
        ("one blank", counts_with(cut=lambda line: line.lower().split(" ")), "an empty word"),
        ("pairs, not added up", of_words(lambda words: words.map(to_pair)), "with a 1"),
        ("lines", lambda: lambda lines: lines.countByValue(), "You count lines"),
        ("lines in small letters", counts_with(cut=lambda line: [line.lower()]), "You count lines"),
        ("number first", of_words(lambda w: w.countByValue().map(lambda p: p[::-1])), "number"),
        ("each word once", counts_with(reduce=lambda one, _: one), "counts once"),
        (
            "a window",
            of_words(lambda words: words.window(10).countByValue()),
            "grow from batch to batch",
        ),
        ("how many words", of_words(lambda words: words.count()), "Asked are pairs"),
        ("words", of_words(lambda words: words), "is `'the'`"),
        ("lists", lambda: lambda lines: lines.map(to_words).countByValue(), "unhashable"),
        ("one more", counts_with(reduce=lambda one, _: one + 1), "expected row"),
        ("product", counts_with(reduce=lambda one, other: one * other), "counts once"),
        ("twos", counts_with(pair=lambda word: (word, 2)), "did not come out"),
        (
            "without short words",
            of_words(lambda w: w.filter(lambda word: len(word) > 1).countByValue()),
            "did not come out",
        ),
        ("an output", lambda: lambda lines: by_value(lines).pprint(), "gives nothing back"),
        ("an RDD", lambda: lambda lines: lines.context().sparkContext.range(2), "of type"),
        ("stops Spark", lambda: lambda lines: lines.context().stop(), "stops the Spark session"),
    ],
    "06.2": [
        ("inner join", joined(lambda rdd, cities: rdd.join(cities)), "missing"),
        ("None", city_with(city=lambda pair: (pair[1][1], pair[1][0])), "has the city None"),
        ("counted", city_with(city=lambda pair: (pair[1][1] or "unknown", 1)), "You count"),
        ("by customer", lambda: lambda bought, _: bought.reduceByKey(add), "totals of customers"),
        ("not added up", lambda: alone, "not added up"),
        (
            "no doubles",
            joined(lambda rdd, cities: rdd.distinct().leftOuterJoin(cities)),
            "Both purchases count",
        ),
        ("largest", city_with(reduce=max), "the largest purchase"),
        ("lookup", lambda: lookup, "Spark or an RDD is used inside"),
        (
            "plain join",
            lambda: lambda bought, cities: bought.join(cities),
            "one of the two is none",
        ),
        ("smallest", city_with(reduce=min), "expected row"),
        (
            "right join",
            joined(lambda rdd, cities: cities.leftOuterJoin(rdd)),
            "did not come out and",
        ),
        ("not joined", lambda: lambda bought, _: bought.map(lambda _: 5), "Asked are pairs"),
    ],
    "06.3": [
        ("no output", jobs(a=no_output), "Job a: No DStream has an output"),
        ("in the workers", jobs(b=in_workers), "Job b: it runs, and nothing"),
        ("a plan", jobs(b=a_plan), "Job b: it runs, and nothing"),
        ("fetched, not printed", jobs(b=nothing), "Job b: it runs, and nothing"),
        ("gives back a list", jobs(b=gives_back), "Job b: The function gave back a value"),
        ("print itself", jobs(b=bare), "Job b: transform and foreachRDD take"),
        ("late", jobs(c=late), "Job c: No DStream has an output"),
        (
            "late, after one",
            jobs(c=late_and_one_before),
            "Job c: The streaming context runs already",
        ),
        ("not started", jobs(c=not_started), "Job c: The streaming context has not been started"),
        ("lines", jobs(a=of_lines), "Job a: batch 1 prints"),
        ("words only", jobs(a=only_words), "not how often"),
        ("the first only", jobs(b=first_only), "Job b: batch 1 prints"),
        ("the first of pprint", jobs(a=ends_early), "Job a: batch 1 prints"),
        ("stopped", jobs(a=stops), "Leave the ticks and the stop"),
        ("Spark stopped", jobs(a=stops_spark), "stops the Spark session"),
        ("one left out", lambda: {"a": job_a, "b": job_b}, "no function for c"),
        ("called", jobs(b="printed"), "no function for b"),
    ],
}

ACCEPTED = [
    ("06.1", counts),
    ("06.1", lambda lines: lines.map(str.lower).flatMap(str.split).countByValue()),
    ("06.1", lambda lines: lines.transform(lambda rdd: rdd.flatMap(to_words)).countByValue()),
    (
        "06.1",
        lambda lines: lines.flatMap(to_words).map(to_pair).groupByKey().mapValues(sum),
    ),
    ("06.2", per_city),
    ("06.2", copied),
    ("06.2", lambda bought, cities: alone(bought, cities).reduceByKey(lambda a, b: a + b)),
    ("06.3", JOBS),
    ("06.3", {"a": plain, "b": job_a, "c": job_b, "more": None}),
]


@pytest.fixture(autouse=True)
def _no_context_is_left():
    yield
    stop_streaming()


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("06.2", lookup)) for _ in range(2))
    assert first == second


def test_a_context_of_the_learner_is_told_and_left_alone():
    ssc = streaming_context()
    ssc.queueStream([[1]]).pprint()
    ssc.start()
    told = check("06.1", counts)
    assert "ssc.stop(stopSparkContext=False)" in told.cause
    ssc.stop(stopSparkContext=False)
    assert check("06.1", counts).passed
