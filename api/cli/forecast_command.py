"""`serinus forecast`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.forecast_words import Origin, Step, Tells
from api.cli.guard import guarded
from api.cli.options import Config, Prometheus, Resume

__all__ = ["forecast"]


Sql = Annotated[
    Path | None,
    typer.Option(
        help="Of a PostgreSQL: a file with a statement that gives time, value, and columns that"
        " name the series."
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="SERINUS_HISTORY_DATABASE",
        help="Address of the PostgreSQL; its password better in PGPASSFILE.",
    ),
]


@guarded
def forecast(  # noqa: PLR0913 - the question has that many fields
    *,
    origin: Annotated[
        Origin, typer.Option("--from", help="Where history comes from.")
    ] = Origin.PROMETHEUS,
    query: Annotated[
        str | None,
        typer.Option(
            help="Of a Prometheus: a metric with matchers, or an expression with $step for the"
            " length of a step. Without it CPU by namespace and container.",
        ),
    ] = None,
    sql: Sql = None,
    database: Database = None,
    path: Annotated[Path | None, typer.Option(help="Of Parquet: a file or a folder.")] = None,
    stat: Annotated[
        Tells, typer.Option(help="What a step tells of its samples; of counters their rate.")
    ] = Tells.MEAN,
    service: Annotated[
        str | None, typer.Option(help="Only series with a label that names this service.")
    ] = None,
    step: Annotated[Step, typer.Option(help="What a value stands for.")] = Step.HOUR,
    back: Annotated[str, typer.Option(help="How far to look back, as 8w or 400d.")] = "8w",
    horizon: Annotated[str, typer.Option(help="How far to look ahead, as 14d.")] = "14d",
    zone: Annotated[
        str, typer.Option(help="Time zone of days and weeks, as Europe/Berlin; else UTC.")
    ] = "",
    floor: Annotated[
        float | None, typer.Option(help="What values cannot go below; 0 for counters.")
    ] = None,
    backtest: Annotated[
        int,
        typer.Option(min=0, max=100, help="Tell how good forecasts at so many moments were."),
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="Scheduler of a Dask cluster, as tcp://HOST:8786.")
    ] = None,
    resume: Resume = None,
    out: Annotated[
        Path | None, typer.Option(help="A .jsonl or .parquet file; else lines of JSON are printed.")
    ] = None,
    prometheus: Prometheus = None,
    config: Config = None,
) -> int:
    """Forecast all series of a fleet, or of one service, with intervals.

    Series that cannot be forecast are listed with the reason, and cost no other.
    """
    from api.cli.forecast_run import Wanted, run
    from api.cli.forecast_source import From
    from models.stat import Stat

    wanted = Wanted(
        source=From(
            origin=origin,
            query=query,
            sql=sql,
            database=database,
            path=path,
            stat=Stat(stat.value),
            zone=zone,
        ),
        service=service,
        step=step,
        back=back,
        horizon=horizon,
        floor=floor,
        backtest=backtest,
        jobs=jobs,
        dask=dask,
        resume=resume,
        out=out,
    )
    return run(wanted, config=config, prometheus=prometheus)
