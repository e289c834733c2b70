"""`serinus logs`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, LevelName, Server, Shown

__all__ = ["logs"]

logs = typer.Typer(name="logs", help="What services write into their logs.", no_args_is_help=True)


@logs.callback()
def group() -> None:
    """What services write into their logs."""


@logs.command()
@guarded
def templates(  # noqa: PLR0913 - what is asked for, where, and how it is shown
    *,
    service: Annotated[str | None, typer.Option(help="Only of this service.")] = None,
    level: Annotated[LevelName | None, typer.Option(help="At least so grave.")] = None,
    text: Annotated[str | None, typer.Option(help="The template has this in it.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Came at or after: 15m, 2h, 3d, or a time as ISO 8601.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 30,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show new ones as they come.")
    ] = False,
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show templates of log lines, with how many lines there were: the newest kinds first.

    A running `serinus serve` is asked, by default on this machine. With `--format json` a page as
    the API gives it; with `--follow` one template on a line.
    """
    from api.cli.logs_run import Wanted, show_templates

    wanted = Wanted(
        service=service,
        level=None if level is None else level.value,
        text=text,
        since=since,
        limit=limit,
    )
    return show_templates(
        wanted,
        server=server,
        tenant=tenant,
        follow=follow,
        as_json=shown is Format.JSON,
    )
