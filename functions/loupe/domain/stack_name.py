"""The names that a stack can have. The template derives other names from it."""

import re

from loupe.errors import InvalidRequest

LONGEST = 51
"""EventBridge Scheduler accepts 64 characters, and `-housekeeping` is the longest suffix."""
LONGEST_WITH_TEAM = 42
"""A domain of Amazon Cognito has at most 63 characters, and ends in `-workers-<account>`."""
RESERVED = ("aws", "ssm")
"""Parameter Store accepts no name with such a prefix, in upper or lower case."""
NOT_IN_DOMAINS = ("aws", "amazon", "cognito")
"""Words that a domain of Amazon Cognito may not contain."""
A2I_NAME = re.compile(r"[a-z0-9](-*[a-z0-9])*")


def check_stack_name(name: str, uses_a2i: bool = False, makes_team: bool = False) -> None:
    """Raise InvalidRequest if not all resources of a stack can be created under this name.

    `uses_a2i`: HumanReview is a2i. `makes_team`: it is, and WorkteamArn is empty.
    """
    reason = _reason(name, uses_a2i, makes_team)
    if reason:
        raise InvalidRequest(
            f"The stack cannot be called {name!r}: {reason}. Deploy it under another name, "
            "which sam deploy takes from --stack-name or stack_name in samconfig.toml."
        )


def _reason(name: str, uses_a2i: bool, makes_team: bool) -> str:
    """Why a name cannot be used, or ""."""
    longest = LONGEST_WITH_TEAM if makes_team else LONGEST
    if len(name) > longest:
        team = " with a work team of its own" if makes_team else ""
        return f"it has {len(name)} characters, and a stack{team} can have {longest}"
    if name.lower().startswith(RESERVED):
        return "Parameter Store reserves names that begin with aws or ssm"
    if uses_a2i and A2I_NAME.fullmatch(name) is None:
        return "Amazon A2I takes lower-case letters, digits and hyphens, and no hyphen at the end"
    if makes_team and any(word in name for word in NOT_IN_DOMAINS):
        return "Amazon Cognito takes no domain with aws, amazon or cognito in it"
    return ""
