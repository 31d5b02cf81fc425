"""Every operation that we answer was called by a test, and its answer fits the service's model.

`stack_help.connect` checks each answer when it comes; this module, last of all, checks that none
was left out.
"""

import pytest

from loupe_local.a2i.service import DEFINITIONS, LOOPS
from loupe_local.rekognition.api import OPERATIONS
from tests.local.stack_help import CALLED


@pytest.mark.parametrize(
    "operation",
    [("rekognition", name) for name in OPERATIONS]
    + [("sagemaker", name) for name in DEFINITIONS]
    + [("sagemaker-a2i-runtime", name) for name in LOOPS],
)
def test_every_operation_is_checked(
    operation: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    """Given that all tests of this folder ran, then this operation was answered well in one."""
    collected = {item.path.name for item in request.session.items}
    if not {"test_a2i.py", "test_rekognition.py"} <= collected:
        pytest.skip("needs the other tests of this folder")
    assert operation in CALLED
