"""`serinus odd`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Packs, Prometheus, Shown

__all__ = ["odd"]


@guarded
def odd(  # noqa: PLR0913 - the question has that many fields
    *,
    service: Annotated[str, typer.Option(help="The service.")],
    namespace: Annotated[str | None, typer.Option(help="As it was fitted.")] = None,
    cluster: Annotated[str | None, typer.Option(help="As it was fitted.")] = None,
    hours: Annotated[float, typer.Option(min=0.1, help="How far to look back.")] = 24.0,
    below: Annotated[
        float, typer.Option(min=1e-12, max=0.5, help="How unlikely a row must be.")
    ] = 1e-3,
    shown: Shown = Format.TEXT,
    prometheus: Prometheus = None,
    data: Data = None,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Show what was odd of a service lately, and which metrics made it so.

    By the model that `serinus fit` keeps. An empty list is good news.
    """
    from api.cli.odd_run import Look
    from api.cli.odd_run import odd as run

    wanted = Look(
        service=service,
        namespace=namespace,
        cluster=cluster,
        hours=hours,
        below=below,
        as_json=shown is Format.JSON,
    )
    flags = {"data": data, "packs": packs}
    return run(wanted, config=config, prometheus=prometheus, flags=flags)
