"""How every bench ends: figures as JSON, what was missed in words, an exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Asked", "concluded", "short_of"]

Figures = Mapping[str, float]
# `<=` or `>=` and a bound, by figure.
Asked = Mapping[str, tuple[str, float]]


def short_of(figures: Figures, asked: Asked) -> list[str]:
    """Names of the figures that miss what was asked; what is no number misses it."""
    return [name for name, (op, bound) in asked.items() if not _holds(figures[name], op, bound)]


def _holds(value: float, op: str, bound: float) -> bool:
    return value <= bound if op == "<=" else value >= bound


def concluded(
    figures: Figures,
    peers: Mapping[str, Figures],
    asked: Asked,
    setup: Mapping[str, Any],
    file: Path | None,
) -> int:
    """Write the file, if one was named, and say what was missed: 1 if anything was, else 0."""
    if file is not None:
        bounds = {name: list(bound) for name, bound in asked.items()}
        body = {"figures": figures, "peers": peers, "asked": bounds, "setup": setup}
        file.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    missed = short_of(figures, asked)
    if missed:
        print("short of what was asked:", ", ".join(missed))
    return 1 if missed else 0
