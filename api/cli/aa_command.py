"""`serinus aa`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Packs, Prometheus, Shown

__all__ = ["aa"]


@guarded
def aa(  # noqa: PLR0913 - the question has that many fields
    *,
    service: Annotated[
        list[str] | None,
        typer.Option(help="A service; may be repeated. Else all that the store remembers."),
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="With --service: where it runs.")] = None,
    cluster: Annotated[str | None, typer.Option(help="With --service: its cluster.")] = None,
    policy: Annotated[str, typer.Option(help="A policy by name or as a YAML file.")] = "default",
    placebos: Annotated[int, typer.Option(min=1, help="How many are judged at least.")] = 200,
    days: Annotated[float, typer.Option(min=0.1, help="How far to look back.")] = 14.0,
    seed: Annotated[int, typer.Option(help="Draws the old pods.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and store nothing.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="Scheduler of a Dask cluster, as tcp://HOST:8786.")
    ] = None,
    shown: Shown = Format.TEXT,
    prometheus: Prometheus = None,
    data: Data = None,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Check the gate on a service's own pods when nothing was changed (A/A).

    Pods that changed nothing are called a canary and judged as one. The result is stored, stands
    beside each later verdict, and raises what a fail needs where more than 1 % reached it.
    """
    from api.cli.aa_run import SelfCheck
    from api.cli.aa_run import aa as run

    wanted = SelfCheck(
        services=tuple(service or ()),
        namespace=namespace,
        cluster=cluster,
        policy=policy,
        placebos=placebos,
        days=days,
        seed=seed,
        dry_run=dry_run,
        jobs=jobs,
        dask=dask,
        as_json=shown is Format.JSON,
    )
    flags = {"data": data, "packs": packs}
    return run(wanted, config=config, prometheus=prometheus, flags=flags)
