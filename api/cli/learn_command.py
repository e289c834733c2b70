"""`serinus learn`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, Person, Server, Shown

__all__ = ["learn"]


@guarded
def learn(  # noqa: PLR0913 - a person asks by that many words
    *,
    since: Annotated[
        str, typer.Option(help="How far back: a span as 90d, or a time as ISO 8601.")
    ] = "90d",
    apply: Annotated[
        bool, typer.Option("--apply", help="Put it in force, if past incidents rank better by it.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --apply: also where they do not.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was applied last.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write it here as settings, YAML; changes nothing else.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why; needed by --apply and --undo, and audited.")
    ] = None,
    person: Person = None,
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Show what could be learned from what people said of incidents; change nothing unless asked.

    Acknowledging is no label: what counts is that it was this change, that it was none, that it was
    no incident, and decisions over verdicts.
    """
    from api.cli.learning import Learn
    from api.cli.learning import learn as run

    asked = Learn(
        since=since,
        apply=apply,
        force=force,
        undo=undo,
        out=out,
        reason=reason,
        person=person,
        as_json=shown is Format.JSON,
    )
    return run(asked, server=server, tenant=tenant)
