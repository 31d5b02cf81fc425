"""Put a version into service by one conditional write."""

from loupe.correlation import JSON, correlated
from loupe.services.serving import promote
from loupe.wiring import deps


@correlated
def handler(payload: JSON, context: object) -> JSON:
    """`{"version", "reason"}` -> `{"previous"}`, the version to stop ("" for none)."""
    return {"previous": promote(payload["version"], payload["reason"], deps())}
