"""How long `serinus check` asks, and how it ends undecided: its options beside the question."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Every", "OnInconclusive", "Timeout", "Wait"]

Wait = Annotated[bool, typer.Option("--wait", help="Ask until a pass, a fail, or the deadline.")]
Every = Annotated[str, typer.Option(help="How often --wait asks.")]
Timeout = Annotated[
    str | None,
    typer.Option(help="How long --wait asks at most; 1h where there is no --deadline."),
]
OnInconclusive = Annotated[
    int, typer.Option(min=0, max=125, help="Exit code of an undecided answer.")
]
