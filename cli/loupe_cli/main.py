"""The `loupe` command."""

import sys
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from loupe.errors import LoupeError
from loupe_cli import data_commands, model_commands, settings_commands, stack_commands
from loupe_cli.render import err
from loupe_cli.target import EMBEDDED, Target
from loupe_local.stack import StackError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps a Rekognition Custom Labels model improving while it is used.",
)
for module in (stack_commands, data_commands, model_commands, settings_commands):
    module.register(app)


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
    try:
        app()
    except (LoupeError, StackError, TimeoutError, RuntimeError) as error:
        _fail(str(error))
    except ClientError as error:
        found = error.response["Error"]
        _fail(f"AWS refused {error.operation_name}: {found['Code']}: {found.get('Message', '')}")
    except BotoCoreError as error:
        _fail(f"AWS cannot be reached: {error} Check your AWS environment, or use 'loupe up'.")


def _fail(message: str) -> None:
    err.print(f"[red]Error:[/] {message}", markup=True, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
