"""`serinus fit`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Packs, Prometheus, Resume, Shown

__all__ = ["fit"]


@guarded
def fit(  # noqa: PLR0913 - the question has that many fields
    *,
    service: Annotated[
        list[str] | None,
        typer.Option(help="A service; may be repeated. Else all that the source shows."),
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="With --service: where it runs.")] = None,
    cluster: Annotated[str | None, typer.Option(help="With --service: its cluster.")] = None,
    days: Annotated[float, typer.Option(min=0.01, help="How far to look back.")] = 14.0,
    step: Annotated[
        float, typer.Option(min=15.0, max=3600.0, help="Seconds from row to row.")
    ] = 300.0,
    forest: Annotated[bool, typer.Option("--forest", help="Add an isolation forest.")] = False,
    components: Annotated[
        bool, typer.Option("--components", help="Add principal components.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Draws the faults of the trial, and the forest.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and store nothing.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="Scheduler of a Dask cluster, as tcp://HOST:8786.")
    ] = None,
    resume: Resume = None,
    shown: Shown = Format.TEXT,
    prometheus: Prometheus = None,
    data: Data = None,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Fit a model of all metrics of a service together, on its past.

    It is tried on the newest rows against the model in use, with faults put into them, and takes
    its place only where it is better. Run it daily.
    """
    from api.cli.fit_run import Fit
    from api.cli.fit_run import fit as run

    wanted = Fit(
        services=tuple(service or ()),
        namespace=namespace,
        cluster=cluster,
        days=days,
        step_s=step,
        forest=forest,
        components=components,
        seed=seed,
        dry_run=dry_run,
        jobs=jobs,
        dask=dask,
        resume=resume,
        as_json=shown is Format.JSON,
    )
    flags = {"data": data, "packs": packs}
    return run(wanted, config=config, prometheus=prometheus, flags=flags)
