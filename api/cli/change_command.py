"""`serinus change` and `serinus changes`, their words and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, Server, Shown

__all__ = ["KindName", "PhaseName", "change", "changes"]


class KindName(StrEnum):
    """What kind of change it is."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    REMOVAL = "removal"
    CONFIG = "config"
    FLAG = "flag"
    INFRASTRUCTURE = "infrastructure"
    SCALING = "scaling"
    NODE = "node"
    MERGE = "merge"
    OTHER = "other"


class PhaseName(StrEnum):
    """How far it is."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


Service = Annotated[str | None, typer.Option(help="What it touches; none: it may touch anything.")]
Tenant = Annotated[str | None, typer.Option(help="Whose; `default` if not given.")]


@guarded
def change(  # noqa: PLR0913 - what is told of a change
    title: Annotated[str, typer.Argument(help="What was done.")],
    *,
    service: Service = None,
    kind: Annotated[KindName, typer.Option(help="What kind of change.")] = KindName.DEPLOYMENT,
    phase: Annotated[PhaseName, typer.Option(help="How far it is.")] = PhaseName.SUCCEEDED,
    version: Annotated[str | None, typer.Option(help="What runs after it.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When: 15m ago as 15m, or ISO 8601; now if not given.")
    ] = None,
    id: Annotated[
        str | None, typer.Option(help="Told again under the same id, it is told once.")
    ] = None,
    namespace: Annotated[str | None, typer.Option()] = None,
    cluster: Annotated[str | None, typer.Option()] = None,
    environment: Annotated[str | None, typer.Option()] = None,
    link: Annotated[str | None, typer.Option(help="Where more is told.")] = None,
    person: Annotated[str | None, typer.Option(help="Who did it; you if not given.")] = None,
    tenant: Tenant = None,
    server: Server = None,
) -> int:
    """Tell a running serinus what was changed: a setting, a flag, a migration, a node."""
    from api.cli.changing import tell

    told = {
        "title": title,
        "service": service,
        "kind": kind.value,
        "phase": phase.value,
        "version": version,
        "id": id,
        "namespace": namespace,
        "cluster": cluster,
        "environment": environment,
        "link": link,
        "actor": person,
    }
    return tell(told, at=at, server=server, tenant=tenant)


@guarded
def changes(
    *,
    service: Annotated[
        str | None, typer.Option(help="Of this service, and those that may touch any.")
    ] = None,
    kind: Annotated[KindName | None, typer.Option(help="Only of this kind.")] = None,
    since: Annotated[
        str, typer.Option(help="Lasted at or after: 2h, 3d, or a time as ISO 8601.")
    ] = "1d",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    tenant: Tenant = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show what was changed, newest first: the first question of every incident."""
    from api.cli.changing import show

    asked = {"service": service, "kind": None if kind is None else kind.value, "limit": str(limit)}
    return show(asked, since=since, server=server, tenant=tenant, as_json=shown is Format.JSON)
