"""The loupe command."""
