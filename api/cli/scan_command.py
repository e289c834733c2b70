"""`serinus scan`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Format, Server, Shown

__all__ = ["scan"]


@guarded
def scan(
    report: Annotated[
        Path, typer.Argument(help="SARIF 2.1.0 or Trivy's JSON; - is the standard input.")
    ],
    *,
    service: Annotated[str, typer.Option(help="Whose revision it is.")],
    revision: Annotated[str, typer.Option(help="As questions for verdicts name it.")],
    tenant: Annotated[str | None, typer.Option(help="Whose; `default` if not given.")] = None,
    server: Server = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Tell a running serinus what a security scanner found in a revision."""
    from api.cli.scanning import tell

    return tell(
        report,
        service=service,
        revision=revision,
        server=server,
        tenant=tenant,
        as_json=shown is Format.JSON,
    )
