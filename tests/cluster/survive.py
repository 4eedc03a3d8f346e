# ruff: noqa: T201 - it answers by printing
"""Runs in the lab's container: a query that goes on while one of its workers is killed.

It says "ready" with the workers after its first steps, waits for a line, takes more steps, and
prints the result with the workers that are left.
"""

import labkit as lab
from labkit.waiting import wait_until

spark = lab.spark()
tracker = spark.sparkContext._jsc.sc().statusTracker()


def workers():
    return sorted({info.host() for info in tracker.getExecutorInfos()} - {"lab"})


wait_until(lambda: len(workers()) == 2, what="there are not two executors", timeout_s=60)
prices = lab.Stocks(tickers=["AAPL"], years=[2012])
feed = lab.feed(prices, to=lab.folder("survive", format="csv"), batch=50)
reader = spark.readStream.schema(prices.schema).option("maxFilesPerTrigger", 1)
months = reader.csv(feed.path, header=True).groupBy("Name").count()
query = months.writeStream.format("memory").queryName("months").outputMode("complete").start()
feed.step(2, query)
print("ready:", *workers(), flush=True)
input()
feed.step(3, query, timeout_s=240)
rows = spark.table("months").collect()[0]["count"]
print(f"rows: {rows}, on", *workers(), flush=True)
lab.stop_all()
