"""`serinus digest`, its words and options."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, Server, Shown

__all__ = ["digest"]


@guarded
def digest(
    *,
    team: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    week: Annotated[
        str | None,
        typer.Option(help="A day of it, as 2026-11-23; the last whole one if not given."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show what teams were told in a week and what not, and how right rules and policies were."""
    from api.cli.digesting import show

    asked = {"team": team, "week": week}
    return show(asked, server=server, tenant=tenant, as_json=shown is Format.JSON)
