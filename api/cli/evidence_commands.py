"""`serinus export`, `replay`, `explain` and `notify`: their words and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.guard import guarded
from api.cli.options import Config, Data, Format, Server, Shown

__all__ = ["explain", "export", "notify", "replay"]

Target = Annotated[str, typer.Argument(metavar="ID|FILE", help="A verdict or its evidence.")]


@guarded
def export(
    *,
    target: Annotated[str, typer.Argument(metavar="ID", help="The verdict.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; ID.serinus if not given, - prints.")
    ] = None,
    server: Server = None,
    data: Data = None,
) -> int:
    """Write one file with all that a verdict was made from: samples, queries, policy, answer."""
    from api.cli.exporting import export as run

    return run(target, output=output, server=server, data=data)


@guarded
def replay(
    *,
    target: Target,
    server: Server = None,
    data: Data = None,
    export: Annotated[Path | None, typer.Option(help="Also write the evidence file here.")] = None,
    shown: Shown = Format.TEXT,
) -> int:
    """Compute a verdict again from what it was made from. Exit code 0: identical, 1: it differs."""
    from api.cli.replaying import replay as run

    return run(target, server=server, data=data, export=export, as_json=shown is Format.JSON)


@guarded
def explain(
    *,
    target: Target,
    server: Server = None,
    data: Data = None,
    short: Annotated[bool, typer.Option("--short", help="Only the first lines.")] = False,
) -> int:
    """Tell a verdict in words: what, since when, why not earlier, what would change it."""
    from api.cli.explaining import explain as run

    return run(target, server=server, data=data, short=short)


@guarded
def notify(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A receiver of notify.to.")],
    config: Config = None,
) -> int:
    """Send a test notice. Exit code 0: it was acknowledged, 4: it was not."""
    from api.cli.notifying import notify as run

    return run(name, config=config)
