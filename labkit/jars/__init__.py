"""The jars that labkit adds to Spark: which ones, where they lie, how they get there."""
