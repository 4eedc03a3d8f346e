"""Seeded descriptions of what happens: pure values, no clock, no I/O but reading data files."""
