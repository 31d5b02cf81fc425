"""What developers run: `python -m tools.demo`, or the Makefile does."""
