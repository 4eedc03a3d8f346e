"""The Spark session and what it reports: connectors, batches, progress."""
