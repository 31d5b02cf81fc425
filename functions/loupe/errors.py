"""Loupe's own errors. Every message names the input and the way out.

State machines know an error by the name of its class: a `FinalError` ends a step, every other error
(of Loupe, an SDK, a service, Lambda or the network) is passing and tried again.
"""

from collections.abc import Callable, Iterable


class LoupeError(Exception):
    """Base of every error that Loupe raises on purpose."""


class FinalError(LoupeError):
    """The same request would fail again."""


class InvalidSetting(FinalError):
    """A parameter's value is outside its allowed values."""


class InvalidRequest(FinalError):
    """A person's or an event's request cannot be done; it changed nothing."""


class NotFound(FinalError):
    """What the request names does not exist (any more)."""


class AlreadyDone(FinalError):
    """A conditional write came second: another person, or an earlier delivery, was faster."""


class ServiceRefused(FinalError):
    """A service refused for good; the message carries its code and reason."""


class UnusableImage(ServiceRefused):
    """The service cannot read the image."""


class NotPermitted(FinalError):
    """A service denies the right to do this; an administrator can grant it."""


class ServiceFailed(FinalError):
    """A service began the work and failed; the cause is not in the request."""


class UnreadableRecord(LoupeError):
    """A stored record does not fit its type: the message names its key and the attribute."""


class TryAgain(LoupeError):
    """A passing condition (throttling, a model that starts): the same request may succeed later."""


def errors_by_id(identities: Iterable[str], act: Callable[[str], None]) -> dict[str, str]:
    """Call `act` once with each id; returns the messages of the errors that Loupe raised."""
    errors = {}
    for identity in dict.fromkeys(identities):
        try:
            act(identity)
        except LoupeError as error:
            errors[identity] = str(error)
    return errors
