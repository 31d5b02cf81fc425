"""Loupe's own errors. Every message names the input and the way out."""


class LoupeError(Exception):
    """Base of every error that Loupe raises on purpose."""


class InvalidSetting(LoupeError):
    """A parameter's value is outside its allowed values."""


class InvalidRequest(LoupeError):
    """A person or an event asked for something that cannot be done; nothing was changed."""


class NotFound(LoupeError):
    """The thing asked for does not exist (any more)."""


class AlreadyDone(LoupeError):
    """A conditional write found that somebody, or an earlier delivery, was first."""


class TryAgain(LoupeError):
    """A passing condition (throttling, a model that starts): the same request may succeed later."""


class ServiceRefused(LoupeError):
    """A service refused for good; the message carries its code and reason."""
