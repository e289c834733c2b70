"""`serinus backtest`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Packs, Prometheus, Resume, Shown

__all__ = ["backtest"]


@guarded
def backtest(  # noqa: PLR0913 - the question has that many fields
    *,
    rollouts: Annotated[
        Path | None, typer.Option(help="Past rollouts: one JSON object a line.")
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="The last so many rollouts, found by itself.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="With --last: of this service alone.")] = None,
    namespace: Annotated[str | None, typer.Option(help="With --service: where it runs.")] = None,
    every: Annotated[str, typer.Option(help="Time between two polls.")] = "30s",
    policy: Annotated[
        str | None,
        typer.Option(help="A policy by name or as a YAML file; else that of each line."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another policy, judged on the same samples.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out the lines that cannot be judged.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="Scheduler of a Dask cluster, as tcp://HOST:8786.")
    ] = None,
    resume: Resume = None,
    html: Annotated[Path | None, typer.Option(help="Also write one page to this file.")] = None,
    shown: Shown = Format.TEXT,
    prometheus: Prometheus = None,
    data: Data = None,
    packs: Packs = None,
    config: Config = None,
) -> int:
    """Ask the gate about rollouts of the past, poll by poll, as it would have been asked then.

    Each line is a verdict request with `deadline` (or `as_of`) as its end, and perhaps `truth`
    (healthy or regressed) and `effect_at`. Nothing is written to the source or the store.
    """
    from api.cli.backtest_run import Backtesting
    from api.cli.backtest_run import backtest as run

    wanted = Backtesting(
        rollouts=rollouts,
        last=last,
        service=service,
        namespace=namespace,
        every=every,
        policy=policy,
        against=against,
        skip_bad=skip_bad,
        jobs=jobs,
        dask=dask,
        resume=resume,
        html=html,
        as_json=shown is Format.JSON,
    )
    flags = {"data": data, "packs": packs}
    return run(wanted, config=config, prometheus=prometheus, flags=flags)
