"""Put a version into service by one conditional write."""

from typing import Any

from loupe.correlation import correlated
from loupe.domain.events import event
from loupe.domain.places import stamp
from loupe.wiring import Deps, deps


@correlated
def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"version", "reason"}` -> `{"previous"}`, the version to stop ("" for none)."""
    return {"previous": promote(payload["version"], payload["reason"], deps())}


def promote(name: str, reason: str, deps: Deps) -> str:
    """Switch; a repeated run finds the switch done and only names the previous version."""
    version = deps.versions.get(name)
    service = deps.versions.service()
    if service.version == name:
        return service.previous
    now = deps.clock()
    told = event(
        "VersionPromoted",
        f"{name}/{service.version}/{service.since}",
        now,
        version=name,
        f1=version.f1,
        previous=service.version,
        reason=reason,
    )
    deps.versions.promote(version, service, stamp(now), reason, [told])
    return service.version
