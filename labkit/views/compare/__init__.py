"""One input in several output modes, side by side."""
