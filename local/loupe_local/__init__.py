"""Loupe on one machine: the embedded stack and what it emulates."""
