"""Count the lines of a socket by their length in words, and print the counts after each batch.

    python line_generator.py --port 9999          in one terminal
    python line_lengths.py --port 9999            in another one

Plain PySpark, without labkit. Ctrl-C ends it.
"""

import argparse
import signal
import threading

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def lengths(lines):
    """Return how many lines there are of each length in words."""
    words = F.size(F.split("value", " ")).alias("words")
    return lines.groupBy(words).count().orderBy("words")


def main():
    """Read the socket until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9999)
    options = parser.parse_args()
    builder = SparkSession.builder.appName("line lengths").master("local[2]")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    spark = builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark's own Ctrl-C breaks into whatever call waits for Java, so it is only noted here.
    ended = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: ended.set())

    source = spark.readStream.format("socket")
    lines = source.option("host", options.host).option("port", options.port).load()
    query = lengths(lines).writeStream.format("console").outputMode("complete").start()
    while query.isActive and not ended.wait(0.5):
        pass
    if query.exception():
        print(query.exception())
    query.stop()
    spark.stop()


if __name__ == "__main__":
    main()
