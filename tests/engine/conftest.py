"""A folder of numbered JSON files: the smallest stream that can be stepped."""

import json
import os

import pytest


class NumberedFiles:
    """Write one file a step; each becomes one micro-batch."""

    schema = "name string, amount int"

    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def stream(self, spark):
        reader = spark.readStream.schema(self.schema).option("maxFilesPerTrigger", 1)
        return reader.json(str(self.folder))

    def write(self, *rows):
        self.count += 1
        hidden = self.folder / ".next"
        lines = (json.dumps({"name": name, "amount": amount}) for name, amount in rows)
        hidden.write_text("\n".join(lines))
        os.utime(hidden, (self.count, self.count))
        hidden.rename(self.folder / f"{self.count}.json")


@pytest.fixture
def files(tmp_path):
    return NumberedFiles(tmp_path)
