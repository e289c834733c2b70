"""`serinus slo`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Prometheus, Shown

__all__ = ["slo"]

slo = typer.Typer(name="slo", help="Service level objectives.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="OpenSLO v1, or the shorthand of a signal; YAML.")]


@slo.callback()
def group() -> None:
    """Service level objectives."""


@slo.command()
@guarded
def status(
    file: File, *, prometheus: Prometheus = None, config: Config = None, shown: Shown = Format.TEXT
) -> int:
    """Show what is left of each error budget, how fast it burns, and when it is gone.

    Exit codes: 0 every budget lasts, 1 one is gone or burns, 3 one is not known.
    """
    from api.cli.slo import status as run

    return run(file, config=config, prometheus=prometheus, as_json=shown is Format.JSON)


@slo.command()
@guarded
def suggest(
    *,
    service: Annotated[str, typer.Option(help="Whose requests; as discovery names it.")],
    namespace: Annotated[str, typer.Option(help="Where it is, if several have the name.")] = "",
    below: Annotated[
        float | None,
        typer.Option(min=1e-6, max=3600, help="Of latency: seconds that a good request takes."),
    ] = None,
    days: Annotated[int, typer.Option(min=14, max=90, help="How far back to look.")] = 28,
    prometheus: Prometheus = None,
    config: Config = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Print an objective that the past of a service could have kept, as a file for status.

    Exit codes: 0 there is one, 3 there is none.
    """
    from api.cli.slo_suggest import suggest as run

    as_json = shown is Format.JSON
    return run(
        service, namespace=namespace, below=below, days=days, config=config, prometheus=prometheus,
        as_json=as_json,
    )  # fmt: skip


@slo.command()
@guarded
def rules(file: File) -> int:
    """Print recording and alerting rules for Prometheus."""
    from api.cli.slo import rules as run

    return run(file)
