"""The one error that this package raises for what its caller gave it."""


class VisionError(Exception):
    """The images, labels or model file cannot be used; the message says which and why."""
