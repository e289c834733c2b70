"""`serinus try`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Shown

__all__ = ["try_source"]


@guarded
def try_source(  # noqa: PLR0913 - as many bounds as it has stages
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="Your Prometheus; that of --config if not given."),
    ] = None,
    *,
    days: Annotated[float, typer.Option(help="How far back rollouts are looked for.")] = 14.0,
    rollouts: Annotated[int, typer.Option(help="How many of them are read in full.")] = 20,
    placebos: Annotated[int, typer.Option(help="How many placebos are asked about.")] = 300,
    within: Annotated[str, typer.Option(help="How long it may take, such as 85s or 5m.")] = "85s",
    jobs: Annotated[int, typer.Option(help="Processes that judge.")] = 2,
    as_of: Annotated[
        str | None, typer.Option(help="The moment to look back from; now if not given.")
    ] = None,
    shown: Shown = Format.TEXT,
    config: Config = None,
) -> int:
    """See what serinus makes of your Prometheus and of its past weeks; nothing is written to it.

    Services, what would be judged of each, past rollouts with the verdict of each minute, the
    false-alarm rate on your own data, and the oddities of the week.
    """
    from api.cli.trying import Wanted
    from api.cli.trying import try_source as run

    wanted = Wanted(
        days=days,
        rollouts=rollouts,
        placebos=placebos,
        within=within,
        jobs=jobs,
        as_of=as_of,
        as_json=shown is Format.JSON,
    )
    return run(wanted, url=url, config=config)
