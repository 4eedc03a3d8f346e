"""One file per lesson: its checks, their hints, and its quiz."""
