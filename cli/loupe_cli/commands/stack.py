"""up, down: the stack of this machine."""

from typing import Annotated

import typer

from loupe.errors import InvalidRequest
from loupe_cli.deployment import deploy, fingerprint, parameter_overrides
from loupe_cli.recovery import recover
from loupe_cli.render import err, out
from loupe_cli.sign_ins import ready_made
from loupe_cli.target import EMBEDDED, Target, home
from loupe_local import stack as embedded
from loupe_local.environment import adopt


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)


def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="The port; at first 4566.")] = None,
    redeploy: Annotated[bool, typer.Option(help="Deploy even if nothing changed.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the template; is kept."),
    ] = None,
) -> None:
    """Start Loupe on this machine, with everything that was there before."""
    target = _of_this_machine(context)
    overrides = parameter_overrides(settings or [])
    with err.status("Starting the embedded stack…"):
        endpoint = embedded.start(home(), port)
    adopt(endpoint.environment)
    _deploy_changes(target, endpoint, overrides, redeploy)
    _queue_again(target)
    _say_where_it_is(target, endpoint)


def _deploy_changes(
    target: Target, endpoint: embedded.Endpoint, overrides: list[str], redeploy: bool
) -> None:
    """Deploy if something changed since the last time, or a parameter is set, or if asked to."""
    deployed, now = home() / "deployed", fingerprint()
    is_current = deployed.exists() and deployed.read_text() == now and target.is_deployed
    if is_current and not overrides and not redeploy:
        return
    deployed.unlink(missing_ok=True)
    with err.status("Building and deploying the template (about a minute)…"):
        deploy(endpoint, home(), overrides)
    deployed.write_text(now)


def _queue_again(target: Target) -> None:
    """Queue again what a crash left without a record."""
    with err.status("Looking for uploads without a record…"):
        target.invoke("ApplySettingsFunction", {})
        recovered = recover(target)
    if any(vars(recovered).values()):
        out.print(
            f"Queued again after a crash: {recovered.images} images, {recovered.labelled} labelled "
            f"images, {recovered.answers} answers."
        )


def _say_where_it_is(target: Target, endpoint: embedded.Endpoint) -> None:
    """Addresses, sign-ins and what to do next."""
    passwords = ready_made(target.client("cognito-idp"), target.outputs["UserPoolId"], home())
    out.print(f"The console is at [bold]{endpoint.console_url}[/]; sign in as")
    for role, password in passwords.items():
        out.print(f"  {role:<9} {password}", markup=False)
    if target.outputs["HumanReview"] == "a2i":
        out.print(f"Amazon A2I's labeling portal is at [bold]{endpoint.url}/_loupe/a2i[/].")
    out.print(
        f"\nLoupe's services are at {endpoint.url} (data in {home()}).\n\n"
        "  loupe upload labelled DIR   one folder a label, to train on\n"
        "  loupe train --wait          train now instead of at the next check\n"
        "  loupe upload images DIR     images to read\n"
        "  loupe detections            what was detected\n"
        "  loupe reviews               what needs a person\n"
        "  loupe down                  stop; everything is kept"
    )


def down(context: typer.Context) -> None:
    """Stop Loupe on this machine. Images, models and settings are kept."""
    _of_this_machine(context)
    with err.status("Stopping…"):
        stopped = embedded.stop(home())
    words = "Loupe has stopped." if stopped else "Loupe was not running."
    out.print(f"{words} 'loupe up' goes on where it was.")


def _of_this_machine(context: typer.Context) -> Target:
    target: Target = context.obj
    if target.name != EMBEDDED:
        raise InvalidRequest(
            f"'up' and 'down' are for this machine; {target.name!r} is deployed with "
            "'make deploy' and deleted with 'make teardown'."
        )
    return target
