"""`serinus init gate`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Prometheus

__all__ = ["init"]

init = typer.Typer(name="init", help="Write what others need to ask serinus.", no_args_is_help=True)


@init.command()
@guarded
def gate(  # noqa: PLR0913 - the gate has that many names
    *,
    service: Annotated[str, typer.Option(help="The service.")],
    controller: Annotated[str, typer.Option("--for", help="argo, flagger or ci.")],
    prometheus: Prometheus = None,
    namespace: Annotated[
        str | None, typer.Option(help="Where it runs; found if it is only one.")
    ] = None,
    rollout: Annotated[
        str | None, typer.Option(help="Name of the Rollout or Deployment; found by its pods.")
    ] = None,
    server: Annotated[
        str, typer.Option(help="URL of serinus, as the controller reaches it.")
    ] = "http://serinus.serinus.svc:8080",
    policy: Annotated[str, typer.Option(help="The policy that is proved.")] = "default",
    days: Annotated[float, typer.Option(help="On how much of the past it is proved.")] = 7.0,
    output: Annotated[Path | None, typer.Option(help="File; none prints it.")] = None,
    config: Config = None,
) -> int:
    """Write the YAML of a gate, and prove it on the service's own last week.

    Exit code 2, and nothing is written: the service is not there, or its configuration cannot
    fail, or fails without a fault.
    """
    from api.cli.init_gate import Wish
    from api.cli.init_gate import init_gate as run

    wish = Wish(
        service=service,
        controller=controller,
        namespace=namespace,
        rollout=rollout,
        server=server,
        policy=policy,
        days=days,
        output=output,
    )
    return run(wish, prometheus=prometheus, config=config)
