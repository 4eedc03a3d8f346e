"""What a connector asks of the session: settings only, since the jars are on the class path anyway.

Every fetched jar is always there, in one order: unused jars cost nothing, and so one class-data
archive fits every session.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from labkit.errors import InvalidArgument, MissingNeed, require_choice
from labkit.jars import lock

EXTENSIONS = "spark.sql.extensions"
# In the order in which Spark must get them: Delta's extension stands before Iceberg's.
CONNECTORS = lock.SPARK_SETS
DEFAULT = ("kafka",)


def chosen(connectors: Iterable[str]) -> tuple[str, ...]:
    """Return the connectors by name, in the one order, each once.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``: no list of names. ``UNKNOWN_CHOICE``: a name is no connector.

    Examples
    --------
    >>> chosen(["iceberg", "delta", "delta"])
    ('delta', 'iceberg')
    """
    if isinstance(connectors, str) or not isinstance(connectors, Iterable):
        raise InvalidArgument(
            "WRONG_TYPE",
            name="connectors",
            value=connectors,
            found=type(connectors).__name__,
            expected='a list of names, such as ("kafka", "delta")',
        )
    names = [require_choice("connectors", name, CONNECTORS) for name in connectors]
    return tuple(name for name in CONNECTORS if name in names)


def require_jars(connectors: tuple[str, ...]) -> None:
    """Refuse connectors whose jars were not fetched; the default ones get one line instead.

    Raises
    ------
    MissingNeed
        ``NEEDS``: the jars of a connector are missing; the cure is ``labkit fetch``.
    """
    for name in connectors:
        try:
            lock.class_path(name)
        except MissingNeed as error:
            if connectors != DEFAULT:
                raise
            sys.stderr.write(f"Spark starts without {name}: run `labkit fetch`. ({error})\n")


def session_settings(connectors: tuple[str, ...], warehouse: Path) -> dict[str, str]:
    """Return the settings that these connectors need when the session starts.

    Parameters
    ----------
    connectors
        Names from :func:`chosen`.
    warehouse
        The folder for tables of catalogs.

    Examples
    --------
    >>> session_settings(("kafka",), Path("/tables"))
    {}
    """
    settings: dict[str, str] = {}
    extensions = []
    if "delta" in connectors:
        extensions.append("io.delta.sql.DeltaSparkSessionExtension")
        settings |= _delta()
    if "iceberg" in connectors:
        extensions.append("org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        settings |= _iceberg(warehouse / "ice")
    return settings | ({EXTENSIONS: ",".join(extensions)} if extensions else {})


def _delta() -> dict[str, str]:
    return {
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # The default of 50 tasks to read a table's log makes an append take 4.7 s instead of 0.8.
        "spark.databricks.delta.snapshotPartitions": "2",
    }


def _iceberg(folder: Path) -> dict[str, str]:
    catalog = "spark.sql.catalog.ice"
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "hadoop",
        f"{catalog}.warehouse": folder.as_uri(),
        # With the cache, rows that a foreachBatch wrote stay unseen until REFRESH TABLE.
        f"{catalog}.cache-enabled": "false",
    }
