"""`serinus shadow`: what the gate would have done while controllers were told to go on."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Data, Format, Shown

__all__ = ["shadow"]

shadow = typer.Typer(
    name="shadow", help="Look back on shadow mode.", no_args_is_help=True, add_completion=False
)


@shadow.callback()
def _shadow() -> None:
    """Look back on shadow mode."""


@shadow.command()
@guarded
def report(
    *,
    lasting: Annotated[
        str, typer.Option("--last", help="How far to look back, such as 7d or 24h.")
    ] = "7d",
    service: Annotated[str | None, typer.Option(help="Of one service.")] = None,
    shown: Shown = Format.TEXT,
    data: Data = None,
) -> int:
    """Say what would have been blocked, what would have been missed, and how often it was right.

    Counted are attempts in the modes shadow and advise. What became of a release is known by a
    person's decision (`serinus override`), or by whether it became the stable version.
    """
    from api.cli.shadow_report import report as run

    return run(lasting, service=service, as_json=shown is Format.JSON, data=data)
