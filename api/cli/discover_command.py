"""`serinus discover`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Packs, Prometheus, Shown

__all__ = ["discover"]


@guarded
def discover(  # noqa: PLR0913 - the question has that many fields
    *,
    prometheus: Prometheus = None,
    service: Annotated[
        str | None, typer.Option(help="The service; all are listed if not given.")
    ] = None,
    canary: Annotated[
        str | None, typer.Option(help="PromQL label selector; found by itself if not given.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(help="The same of what it is compared with.")
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="Where the service runs.")] = None,
    policy: Annotated[str, typer.Option(help="The policy of the self-test.")] = "default",
    test: Annotated[
        bool,
        typer.Option("--test", help="Try it: a fault in a copy of the newest samples must fail."),
    ] = False,
    shown: Shown = Format.TEXT,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Show which services there are, or what would be judged of one, by which queries.

    Exit code 2: the service or the canary is not there, or the configuration cannot fail.
    """
    from api.cli.discovering import Looking
    from api.cli.discovering import discover as run

    looking = Looking(
        service=service,
        canary=canary,
        control=control,
        namespace=namespace,
        policy=policy,
        test=test,
        as_json=shown is Format.JSON,
    )
    return run(looking, prometheus=prometheus, config=config, packs=packs)
