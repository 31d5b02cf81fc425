"""Loupe's own errors. Every message names the input and the way out.

State machines know an error by the name of its class: what is a `FinalError` ends a step, whatever
else is raised (by Loupe, an SDK, a service, Lambda or the network) is passing and tried again.
"""


class LoupeError(Exception):
    """Base of every error that Loupe raises on purpose."""


class FinalError(LoupeError):
    """The same request would fail again."""


class InvalidSetting(FinalError):
    """A parameter's value is outside its allowed values."""


class InvalidRequest(FinalError):
    """A person or an event asked for something that cannot be done; nothing was changed."""


class NotFound(FinalError):
    """The thing asked for does not exist (any more)."""


class AlreadyDone(FinalError):
    """A conditional write found that somebody, or an earlier delivery, was first."""


class ServiceRefused(FinalError):
    """A service refused for good; the message carries its code and reason."""


class UnusableImage(ServiceRefused):
    """The service cannot read the image."""


class NotPermitted(FinalError):
    """A service denies the right to do this; an administrator can grant it."""


class ServiceFailed(FinalError):
    """A service began the work and failed at it, for a cause that does not lie in the request."""


class UnreadableRecord(LoupeError):
    """A stored record does not fit its type: the message names its key and the attribute."""


class TryAgain(LoupeError):
    """A passing condition (throttling, a model that starts): the same request may succeed later."""
