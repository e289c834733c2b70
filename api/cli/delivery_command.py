"""`serinus delivery`, its words and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Server

__all__ = ["ShapeName", "delivery"]


class ShapeName(StrEnum):
    """As what it is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@guarded
def delivery(
    *,
    service: Annotated[str | None, typer.Option(help="Only of this service.")] = None,
    since: Annotated[str, typer.Option(help="From when: 28d, 90d, or a time as ISO 8601.")] = "28d",
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shape: Annotated[ShapeName, typer.Option("--format", help="As what.")] = ShapeName.TEXT,
) -> int:
    """Show how often is deployed, how fast, how often it fails and how soon that is mended."""
    from api.cli.delivering import show

    return show(service, since=since, server=server, tenant=tenant, shape=shape.value)
