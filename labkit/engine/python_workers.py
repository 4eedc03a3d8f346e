"""The process from which Spark forks its Python workers, started with a short import path.

Spark puts ``pyspark.zip``, py4j's archive and one of its jars on the path of its workers, for
machines that have no PySpark. Before every task it lets Python forget what it knows of that path,
and Python 3.11 then reads the directory of each archive again, once for every package in it,
which takes longer than a small task. Here PySpark is installed, and the archives are left out.
Spark starts this module by its setting ``spark.python.daemon.module``.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from pathlib import Path

ARCHIVES = {".zip", ".jar"}


def leave_out_archives() -> None:
    """Take archives off the import path, unless PySpark is in none but them."""
    before = list(sys.path)
    sys.path[:] = [one for one in before if Path(one).suffix not in ARCHIVES]
    if importlib.util.find_spec("pyspark") is None:
        sys.path[:] = before
        return
    for place, finder in list(sys.path_importer_cache.items()):
        if getattr(finder, "archive", sys.path[0]) not in sys.path:
            del sys.path_importer_cache[place]


def main() -> None:
    """Fork workers until Spark ends."""
    leave_out_archives()
    from pyspark import daemon  # noqa: PLC0415 - from where it is now

    # A worker collects garbage after every task: what was there before the fork is none.
    gc.collect()
    gc.freeze()
    daemon.manager()


if __name__ == "__main__":
    main()
