# ruff: noqa: T201 - it answers by printing
"""Runs in the lab's container: a query that goes on while one of its workers is killed.

It says "ready" after its first step, waits for a line, and prints the result of all steps.
"""

import labkit as lab

spark = lab.spark()
prices = lab.Stocks(tickers=["AAPL"], years=[2012])
feed = lab.feed(prices, to=lab.folder("survive", format="csv"), batch=50)
reader = spark.readStream.schema(prices.schema).option("maxFilesPerTrigger", 1)
months = reader.csv(feed.path, header=True).groupBy("Name").count()
query = months.writeStream.format("memory").queryName("months").outputMode("complete").start()
feed.step(2, query)
infos = spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
hosts = sorted({info.host() for info in infos} - {"lab"})
print("ready:", len(hosts), "workers", flush=True)
input()
feed.step(3, query)
print("rows:", spark.table("months").collect()[0]["count"], flush=True)
lab.stop_all()
