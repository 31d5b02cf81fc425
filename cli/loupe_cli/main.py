"""The `loupe` command."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from loupe.errors import LoupeError
from loupe_cli import commands
from loupe_cli.render import fail
from loupe_cli.target import EMBEDDED, Target, reach_directly
from loupe_local.stack import StackError

ENVIRONMENT = (
    "Check your AWS environment (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL), or leave --stack out "
    "and run 'loupe up' to work on this machine."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps a Rekognition Custom Labels model improving while it is used.",
)
commands.register(app)


@app.callback()
def choose(
    context: typer.Context,
    stack: Annotated[
        str, typer.Option(envvar="LOUPE_STACK", help="The stack to work on.")
    ] = EMBEDDED,
) -> None:
    """Loupe, on this machine or in the AWS account of your environment."""
    context.obj = Target(stack)


def main() -> None:
    """Run a command; what goes wrong is one clear line, not a traceback."""
    reach_directly()
    sys.exit(exit_code(app))


def exit_code(work: Callable[[], object]) -> int:
    """Do the work; returns 0, or 1 after a clear line about what went wrong."""
    try:
        work()
    except (LoupeError, StackError, TimeoutError, RuntimeError) as error:
        fail(str(error))
    except ClientError as error:
        reason = error.response["Error"]
        fail(f"AWS refused {error.operation_name}: {reason['Code']}: {reason.get('Message', '')}")
    except BotoCoreError as error:
        fail(f"AWS cannot be reached: {str(error).rstrip('.')}. {ENVIRONMENT}")
    except OSError as error:
        fail(f"{error.filename or 'The system'}: {error.strerror or error}")
    else:
        return 0
    return 1


if __name__ == "__main__":
    main()
