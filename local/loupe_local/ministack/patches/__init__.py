"""What the embedded stack changes of MiniStack, because it lacks it or gets it wrong.

A module for each service, or for each part of one. Every name that is replaced or called stands in
the source as it is, so that `tests/local/ministack/test_names.py` can look each of them up.
"""

from collections.abc import Callable

import ministack.app

from loupe_local.credentials import Credentials
from loupe_local.deliveries import Delivery
from loupe_local.ministack.patches import (
    access,
    cloudformation,
    iam,
    lambda_,
    machine_deletion,
    nested_stacks,
    queues,
    s3,
    ssm,
    step_functions,
    streams,
    tables,
    webhooks,
)
from loupe_local.ministack.persistence.journal import Journal


def apply(
    root: Credentials,
    journal: Journal,
    save: Callable[[], None],
    deliver: Callable[[Delivery], None],
) -> None:
    """Apply all changes.

    `save` replaces MiniStack's own way to save, which is only at shutdown, every service whether
    changed or not, in an order that can lose work. `deliver` gets posts to webhooks.
    """
    ministack.app.save_all = lambda _services: save()
    access.apply(root)
    tables.apply(journal)
    streams.apply(journal)
    queues.apply(journal)
    s3.apply()
    ssm.apply()
    iam.apply()
    lambda_.apply()
    step_functions.apply()
    machine_deletion.apply()
    cloudformation.apply()
    nested_stacks.apply()
    webhooks.apply(deliver)
