"""Names of 0.1.0 that records and running executions still hold."""

import pytest

from loupe.domain.versions import VersionStatus


@pytest.mark.parametrize(
    ("stored", "now"),
    [("refused", VersionStatus.REJECTED), ("retired", VersionStatus.REPLACED)],
)
def test_a_released_name_is_read_as_todays(stored: str, now: VersionStatus) -> None:
    assert VersionStatus(stored) == now


def test_what_never_was_a_status_is_none() -> None:
    with pytest.raises(ValueError, match="somehow"):
        VersionStatus("somehow")
