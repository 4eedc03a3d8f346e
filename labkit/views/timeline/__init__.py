"""Event time by batch: events, watermarks, windows."""
