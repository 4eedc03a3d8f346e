"""Two DStreams, batch by batch."""
