"""Put a version into service by one conditional write."""

from typing import Any

from loupe.correlation import correlated
from loupe.services.serving import promote
from loupe.wiring import deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "reason"}` -> `{"previous"}`, the version to stop ("" for none)."""
    return {"previous": promote(payload["version"], payload["reason"], deps())}
