"""What each batch cost, and what the query waits for."""
