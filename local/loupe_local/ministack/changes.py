"""What a request changed, of what MiniStack saves whole."""

from collections.abc import Callable
from typing import Any

from ministack.app import SERVICE_REGISTRY
from ministack.core import router
from ministack.services import cloudformation

from loupe_local.http.asgi import Scope
from loupe_local.ministack.internals import Head, read_head
from loupe_local.ministack.persistence.snapshots import every

READS = ("Get", "List", "Describe", "BatchGet", "AdminGet", "AdminList", "Simulate", "StartSync")
ITEMS = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "Transact", "Query", "Scan")
MESSAGES = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
"""How the names of actions begin that change nothing which is saved whole: items and messages are
in the journal."""


class Changes:
    """Which services, as the state folder names them, must be saved before a reply leaves."""

    def __init__(self) -> None:
        self._stacks: dict[Any, str] = {}

    def __call__(self, scope: Scope) -> Callable[[str], bool] | None:
        """Chooses the services that a request changed and that are saved whole; None if none.

        A stack's operation changes many services after its reply, so all are saved before
        a client can read that it ended.
        """
        head = read_head(scope)
        service = router.detect_service(*head)
        entry = SERVICE_REGISTRY.get(service)
        if service == "cloudformation":
            return every if self._stacks_moved() else None
        if entry is None or _changes_nothing(head, service):
            return None
        return frozenset({entry.get("state_key", entry["module"])}).__contains__

    def _stacks_moved(self) -> bool:
        before = self._stacks
        self._stacks = {
            name: stack["StackStatus"] for name, stack in cloudformation._stacks.all_items()
        }
        return self._stacks != before


def _changes_nothing(head: Head, service: str) -> bool:
    """Whether a request changes at most objects, items and messages, which are not saved whole."""
    method, path, headers, _ = head
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if method in ("GET", "HEAD") or action.startswith(READS + ITEMS + MESSAGES):
        return True
    if service == "s3":
        return "/" in path.strip("/")
    return service == "lambda" and path.endswith("/invocations")
