"""The table of a query: the result so far, batch by batch."""
