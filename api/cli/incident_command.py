"""`serinus incidents`, its words and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, Server, Shown

__all__ = ["SeverityName", "incidents"]


class SeverityName(StrEnum):
    """How bad it is at least."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@guarded
def incidents(
    *,
    service: Annotated[str | None, typer.Option(help="Only those that this service shows.")] = None,
    severity: Annotated[SeverityName, typer.Option(help="At least so bad.")] = SeverityName.LOW,
    lasting: Annotated[bool, typer.Option("--open", help="Only those that last.")] = False,
    since: Annotated[
        str, typer.Option(help="Lasted at or after: 2h, 3d, or a time as ISO 8601.")
    ] = "1d",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show what is wrong, what it likely comes of and how to take that back, newest first."""
    from api.cli.incidents import show

    asked = {"service": service, "severity": severity.value, "limit": str(limit)}
    if lasting:
        asked["lasting"] = "true"
    return show(asked, since=since, server=server, tenant=tenant, as_json=shown is Format.JSON)
