"""What a check finds in an answer, and how it is shown."""
