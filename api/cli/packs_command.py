"""`serinus pack`, its words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Format, Prometheus, Shown

__all__ = ["pack"]

pack = typer.Typer(name="pack", help="Packs of your own metrics.", no_args_is_help=True)


@pack.callback()
def group() -> None:
    """Packs of your own metrics."""


@pack.command("test")
@guarded
def trying(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pack, a YAML file.")],
    prometheus: Prometheus = None,
    service: Annotated[
        str | None, typer.Option(help="The service to try it on; some are found if not given.")
    ] = None,
    shown: Shown = Format.TEXT,
    config: Config = None,
) -> int:
    """Check a pack, and bind it on a Prometheus: what it finds there, what not, and why.

    A pack of the gate or of capacity. Of capacity it is also tried whether a resource at its limit
    is told as exhausted. Exit codes: 0 all that it knows is bound, 1 something is not, 2 the file
    is no pack or can never tell, 3 none of its metrics is there, 4 the Prometheus could not be
    asked.
    """
    from api.cli.packs import try_file

    return try_file(
        file,
        service=service,
        prometheus=prometheus,
        config=config,
        as_json=shown is Format.JSON,
    )
