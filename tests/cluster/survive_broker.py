# ruff: noqa: T201 - it answers by printing
"""Runs in the lab's container: a query that goes on while its broker is killed and comes back.

It says "ready" after its first steps, waits for a line, tells what it sees without a broker, waits
for another line, and prints the result of all steps.
"""

import labkit as lab
from labkit.errors import Unreachable

spark, kafka = lab.spark(), lab.kafka()
feed = lab.feed(lab.Orders(seed=7), to=kafka.topic("survive", partitions=2), batch=50)
orders = spark.readStream.format("kafka").options(**kafka.options("survive")).load()
counted = orders.groupBy().count()
query = counted.writeStream.format("memory").queryName("orders").outputMode("complete").start()


def rows():
    return spark.table("orders").collect()[0]["count"]


feed.step(2, query)
print(f"ready: {rows()} rows", flush=True)
input()
try:
    kafka.topics()
except Unreachable as error:
    print(f"{error.code}: {error.words.what}", flush=True)
print("the query is alive:", query.isActive, flush=True)
input()
feed.step(3, query)
print("rows:", rows(), flush=True)
kafka.topic("survive", partitions=2).delete()
lab.stop_all()
