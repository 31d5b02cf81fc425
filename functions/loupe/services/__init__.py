"""What Loupe does, one capability a module: load, decide (domain), act (adapters)."""
