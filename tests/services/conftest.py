"""Services run against AWS in memory."""

from tests.adapters.conftest import _aws, world

__all__ = ["_aws", "world"]
