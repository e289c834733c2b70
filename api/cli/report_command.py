"""`serinus report`: its commands, words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Prometheus, Server, Shown

__all__ = ["report"]

report = typer.Typer(
    name="report",
    help="Capacity as people read it: what runs out when, how sure that is, and what to do.",
    no_args_is_help=True,
)
Tenant = Annotated[str | None, typer.Option(help="Whose; `default` if not given.")]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        help="A file that ends in .html, .pdf, .csv, .json or .png; may be repeated.",
    ),
]


@report.command()
@guarded
def capacity(  # noqa: PLR0913 - the question has that many fields
    *,
    service: Annotated[
        list[str] | None, typer.Option(help="Of a service; may be repeated.")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Of a team, as capacity.teams has it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of all that is known.")] = False,
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 30d; 366d at most.")] = "90d",
    what_if: Annotated[
        list[str] | None,
        typer.Option(help='What is supposed, as "traffic +40% from 2026-12-01"; may be repeated.'),
    ] = None,
    out: Out = None,
    no_keep: Annotated[
        bool, typer.Option("--no-keep", help="Do not keep it beside the records.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    shown: Shown = Format.TEXT,
    prometheus: Prometheus = None,
    data: Data = None,
    config: Config = None,
) -> int:
    """Say when each resource runs out and what to do by when, here and in files.

    Without --service, --team or --all it says so. The exit code is 0 whatever the report says.
    """
    from api.cli.report_run import Asked
    from api.cli.report_run import capacity as run

    asked = Asked(
        services=tuple(service or ()),
        team=team or "",
        every=every,
        horizon=horizon,
        what_if=tuple(what_if or ()),
        out=tuple(out or ()),
        keep=not no_keep,
        jobs=jobs,
        as_json=shown is Format.JSON,
    )
    return run(asked, config=config, prometheus=prometheus, flags={"data": data})


@report.command("list")
@guarded
def listed(
    *,
    name: Annotated[str | None, typer.Option(help="Only those of this schedule.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    server: Server = None,
    data: Data = None,
    tenant: Tenant = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show which reports are kept, the newest first."""
    from api.cli.report_kept import Place, show_list

    place = Place(server=server, data=data, tenant=tenant)
    return show_list(place, name=name, limit=limit, as_json=shown is Format.JSON)


@report.command()
@guarded
def show(
    *,
    id: Annotated[str, typer.Argument(help="As `serinus report list` names it.")],
    out: Out = None,
    server: Server = None,
    data: Data = None,
    tenant: Tenant = None,
    shown: Shown = Format.TEXT,
    config: Config = None,
) -> int:
    """Show a report that is kept, or write it to files."""
    from api.cli.report_kept import Place, show_one

    place = Place(server=server, data=data, tenant=tenant)
    files = tuple(out or ())
    return show_one(place, id, out=files, as_json=shown is Format.JSON, config=config)


@report.command()
@guarded
def compare(
    *,
    before: Annotated[str, typer.Argument(help="The earlier report.")],
    after: Annotated[str, typer.Argument(help="The later one.")],
    server: Server = None,
    data: Data = None,
    tenant: Tenant = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show what two reports say differently, what became worse first."""
    from api.cli.report_kept import Place, show_comparison

    place = Place(server=server, data=data, tenant=tenant)
    return show_comparison(place, before, after, as_json=shown is Format.JSON)
