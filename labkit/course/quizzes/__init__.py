"""The questions of a lesson."""
